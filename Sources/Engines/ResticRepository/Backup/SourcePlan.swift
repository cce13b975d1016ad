import Bytes
import HostSystem
import Outcome

/// How the snapshot's top looks: directories that exist only to lead to a target, and the targets themselves.
///
/// Absolute targets appear with all their ancestors, relative ones with their own components; `.` and `..` stand for the
/// entries of that directory; equal top names from different places get `-1`, `-2` (spec section 7).
final class SourcePlan {
    /// Source path of a target to be saved whole; nil for a directory that only leads on.
    var target: ByteString?
    /// Source path whose metadata a leading directory takes.
    var metadataPath: ByteString?
    /// Directory that holds a top entry, to tell equal names apart.
    private var root: ByteString = ""
    /// The user named this very path: excludes do not apply to it.
    var isExplicit = false
    private(set) var children: [ByteString: SourcePlan] = [:]

    /// Children in the order of a tree document.
    var sortedNames: [ByteString] { children.keys.sorted() }

    /// The plan for these targets; reads directories where targets overlap or stand for their entries.
    static func make(_ targets: [ByteString], from workingDirectory: ByteString) throws -> SourcePlan {
        let plan = SourcePlan()
        var seen: Set<ByteString> = []
        for (target, isExplicit) in try resolve(targets, from: workingDirectory) where seen.insert(target).inserted {
            try plan.add(target, isExplicit: isExplicit)
        }
        try plan.unroll(from: workingDirectory)
        return plan
    }

    private static func resolve(
        _ targets: [ByteString],
        from workingDirectory: ByteString
    ) throws -> [(ByteString, Bool)] {
        var result: [(ByteString, Bool)] = []
        for target in targets {
            let clean = SourcePath.clean(target)
            if !SourcePath.components(clean).isEmpty {
                result.append((clean, true))
                continue
            }
            for name in try entryNames(clean, from: workingDirectory) {
                result.append((SourcePath.join(clean, name), false))
            }
        }
        return result
    }

    private static func entryNames(_ path: ByteString, from workingDirectory: ByteString) throws -> [ByteString] {
        try Directory.open(SourcePath.absolute(path, from: workingDirectory)).entries().map(\.name).sorted()
    }

    private func add(_ target: ByteString, isExplicit: Bool) throws {
        let components = SourcePath.components(target)
        let root = SourcePath.root(target)
        guard let first = components.first else { return }
        var name = first
        var suffix = 0
        var node = SourcePlan()
        node.root = root
        while let other = children[name] {
            suffix += 1
            if other.root == root {
                node = other
                break
            }
            name = ByteString(first.bytes + Array("-\(suffix)".utf8))
        }
        if components.count > 1 {
            let below = SourcePath.join(root, first)
            try node.add(target, components.dropFirst(), below: below, isExplicit: isExplicit)
            node.metadataPath = below
        } else {
            node.target = target
            node.isExplicit = isExplicit
        }
        children[name] = node
    }

    private func add(
        _ target: ByteString,
        _ components: ArraySlice<ByteString>,
        below root: ByteString,
        isExplicit: Bool
    ) throws {
        var node = self
        var path = root
        for (position, name) in zip(components.indices, components) {
            let child = node.children[name] ?? SourcePlan()
            node.children[name] = child
            if position == components.endIndex - 1 {
                child.target = target
                child.isExplicit = isExplicit
            } else {
                path = SourcePath.join(path, name)
                child.metadataPath = path
            }
            node = child
        }
    }

    /// A target inside another target: the outer one becomes a leading directory with all its entries.
    private func unroll(from workingDirectory: ByteString) throws {
        var waiting: [SourcePlan] = [self]
        while let node = waiting.popLast() {
            if let target = node.target, !node.children.isEmpty {
                for name in try Self.entryNames(target, from: workingDirectory) {
                    let path = SourcePath.join(target, name)
                    let child = node.children[name] ?? SourcePlan()
                    if child.target == nil { child.target = path }
                    node.children[name] = child
                }
                node.metadataPath = node.metadataPath ?? target
                node.target = nil
                node.isExplicit = false
            }
            waiting.append(contentsOf: node.children.values)
        }
    }
}
