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
    /// The directory whose entries were asked for, held open: what is unmounted meanwhile can still be read (G-17).
    private(set) var parent: Directory?
    /// The file system of a directory that was named, as it was at the start; nil for anything else, and beyond
    /// `Limits.targetsWatched`.
    private(set) var device: UInt64?
    private(set) var children: [ByteString: SourcePlan] = [:]

    /// Children in the order of a tree document.
    var sortedNames: [ByteString] { children.keys.sorted() }

    /// The plan for these targets; reads directories where targets overlap or stand for their entries.
    static func make(
        _ targets: [ByteString],
        from workingDirectory: ByteString,
        hooks: SystemHooks? = nil
    ) throws -> SourcePlan {
        let plan = SourcePlan()
        var seen: Set<ByteString> = []
        for target in try resolve(targets, from: workingDirectory, hooks) where seen.insert(target.path).inserted {
            plan.add(target)
        }
        try plan.unroll(from: workingDirectory)
        return plan
    }

    private struct Target {
        var path: ByteString
        var parent: Directory?
        var device: UInt64?
    }

    private static func resolve(
        _ targets: [ByteString],
        from workingDirectory: ByteString,
        _ hooks: SystemHooks?
    ) throws -> [Target] {
        var result: [Target] = []
        for (number, target) in targets.enumerated() {
            let clean = SourcePath.clean(target)
            let path = SourcePath.absolute(clean, from: workingDirectory)
            if !SourcePath.components(clean).isEmpty {
                let isWatched = number < Limits.targetsWatched
                result.append(Target(path: clean, device: isWatched ? try? Directory.open(path).status().device : nil))
                continue
            }
            let directory = try Directory.open(path, hooks: hooks)
            for name in try directory.entries().map(\.name).sorted() {
                result.append(Target(path: SourcePath.join(clean, name), parent: directory))
            }
        }
        return result
    }

    private static func entryNames(_ path: ByteString, from workingDirectory: ByteString) throws -> [ByteString] {
        try Directory.open(SourcePath.absolute(path, from: workingDirectory)).entries().map(\.name).sorted()
    }

    private func add(_ target: Target) {
        let components = SourcePath.components(target.path)
        let root = SourcePath.root(target.path)
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
            node.add(target, components.dropFirst(), below: below)
            node.metadataPath = below
        } else {
            node.become(target)
        }
        children[name] = node
    }

    private func add(_ target: Target, _ components: ArraySlice<ByteString>, below root: ByteString) {
        var node = self
        var path = root
        for (position, name) in zip(components.indices, components) {
            let child = node.children[name] ?? SourcePlan()
            node.children[name] = child
            if position == components.endIndex - 1 {
                child.become(target)
            } else {
                path = SourcePath.join(path, name)
                child.metadataPath = path
            }
            node = child
        }
    }

    private func become(_ target: Target) {
        self.target = target.path
        isExplicit = target.parent == nil
        parent = target.parent
        device = target.device
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
