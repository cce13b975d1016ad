import Bytes
import HostSystem
import ResticFormat

/// Puts owner, attributes, times and mode of a node onto what was restored, in restic's order: mode last, since it may take our
/// own rights away.
///
/// For an ordinary user failures for want of permission are no errors, as in restic; everything else is reported and the rest is
/// still tried.
struct MetadataWriter: Sendable {
    let ownershipByName: Bool
    let wantsAttribute: @Sendable (ByteString) -> Bool
    private let accounts = Accounts()

    init(_ request: RestoreRequest) {
        ownershipByName = request.ownershipByName
        wantsAttribute = request.wantsAttribute
    }

    /// The first failure, when there was one.
    func apply(_ node: Node, to file: FileDescriptor) -> (any Error)? {
        let (uid, gid) = owner(node)
        var failure: Errno?
        attempt(&failure) { () throws(Errno) in try file.setOwner(uid: uid, gid: gid) }
        attempt(&failure) { () throws(Errno) in
            try writeAttributes(
                node,
                names: { () throws(Errno) in try file.attributeNames() },
                set: { (name, value) throws(Errno) in try file.setAttribute(name, to: value) },
                remove: { (name) throws(Errno) in try file.removeAttribute(name) }
            )
        }
        attempt(&failure) { () throws(Errno) in
            try file.setTimes(accessed: node.atime.moment, modified: node.mtime.moment)
        }
        attempt(&failure) { () throws(Errno) in try file.setPermissions(GoMode.unixPermissions(node.mode)) }
        return failure
    }

    /// The same for an entry that cannot be opened, such as a link or a device.
    func apply(_ node: Node, to name: ByteString, in directory: Directory) -> (any Error)? {
        let (uid, gid) = owner(node)
        var failure: Errno?
        attempt(&failure) { () throws(Errno) in try directory.setOwner(uid: uid, gid: gid, of: name) }
        attempt(&failure) { () throws(Errno) in
            try writeAttributes(
                node,
                names: { () throws(Errno) in try directory.attributeNames(of: name) },
                set: { (attribute, value) throws(Errno) in try directory.setAttribute(attribute, to: value, of: name) },
                remove: { (attribute) throws(Errno) in try directory.removeAttribute(attribute, of: name) }
            )
        }
        attempt(&failure) { () throws(Errno) in
            try directory.setTimes(accessed: node.atime.moment, modified: node.mtime.moment, of: name)
        }
        if node.type != .symlink {
            attempt(&failure) { () throws(Errno) in
                try directory.setPermissions(GoMode.unixPermissions(node.mode), of: name)
            }
        }
        return failure
    }

    private func attempt(_ failure: inout Errno?, _ step: () throws(Errno) -> Void) {
        do throws(Errno) { try step() } catch {
            if error.kind == .permission, !isSuperuser { return }
            failure = failure ?? error
        }
    }

    private func owner(_ node: Node) -> (UInt32, UInt32) {
        guard ownershipByName else { return (node.uid, node.gid) }
        return (accounts.userID(node.user) ?? node.uid, accounts.groupID(node.group) ?? node.gid)
    }

    private func writeAttributes(
        _ node: Node,
        names: () throws(Errno) -> [ByteString],
        set: (ByteString, [UInt8]) throws(Errno) -> Void,
        remove: (ByteString) throws(Errno) -> Void
    ) throws(Errno) {
        var failure: Errno?
        var wanted: Set<ByteString> = []
        for attribute in node.extendedAttributes where wantsAttribute(attribute.name) {
            wanted.insert(attribute.name)
            do throws(Errno) { try set(attribute.name, attribute.value) } catch {
                if error.kind != .unsupported { failure = failure ?? error }
            }
        }
        let present: [ByteString]
        do throws(Errno) { present = try names() } catch {
            if error.kind == .unsupported { return }
            throw error
        }
        for name in present where !wanted.contains(name) && wantsAttribute(name) {
            do throws(Errno) { try remove(name) } catch {
                let isOutOfReach = error.kind == .unsupported || error.kind == .noAttribute
                // Attributes that the system itself keeps cannot be removed, and need not be.
                let isSystems = name.bytes.starts(with: "security.".utf8) || name.bytes.starts(with: "system.".utf8)
                if !isOutOfReach, !isSystems { failure = failure ?? error }
            }
        }
        if let failure { throw failure }
    }
}
