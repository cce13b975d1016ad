import Bytes
import HostSystem
import ResticFormat

/// What a restore sets on an entry, taken from its node.
struct NodeMetadata: Sendable {
    var accessed: Timestamp
    var modified: Timestamp
    var uid: UInt32
    var gid: UInt32
    /// The twelve permission bits; nil for a symbolic link, which has none.
    var permissions: UInt32?
    /// Those that the restore wants.
    var attributes: [ExtendedAttribute]
}

/// What is known of an entry before anything is set on it: what is right is left alone.
struct KnownMetadata: Sendable {
    fileprivate var uid: UInt32
    fileprivate var gid: UInt32
    fileprivate var permissions: UInt32
    /// Nil where they will not stay.
    fileprivate var times: (accessed: Timestamp, modified: Timestamp)?
    fileprivate var hasNoAttributes: Bool

    /// An entry that was there before.
    init(of present: FileStatus) {
        (uid, gid, permissions) = (present.uid, present.gid, present.permissions)
        times = (present.accessed, present.modified)
        hasNoAttributes = false
    }

    /// A file that was just made, by its status then; `inheritsAttributes` unless its directory has none to pass on.
    init(made status: FileStatus, inheritsAttributes: Bool) {
        (uid, gid, permissions) = (status.uid, status.gid, status.permissions)
        hasNoAttributes = !inheritsAttributes
    }
}

/// Puts owner, attributes, times and mode of a node onto what was restored, in restic's order: mode last, since it may take our
/// own rights away.
///
/// For an ordinary user failures for want of permission are no errors, as in restic, and are counted (`losses`); everything else is
/// reported and the rest is still tried. What has the right value already is not set again.
struct MetadataWriter: Sendable {
    let ownershipByName: Bool
    let wantsAttribute: @Sendable (ByteString) -> Bool
    private let accounts = Accounts()
    /// What this user may not set, and so is not as it was.
    let losses = MetadataLosses()

    init(_ request: RestoreRequest) {
        ownershipByName = request.ownershipByName
        wantsAttribute = request.wantsAttribute
    }

    /// What is to be set for this node.
    func metadata(_ node: Node) -> NodeMetadata {
        var (uid, gid) = (node.uid, node.gid)
        if ownershipByName {
            uid = accounts.userID(node.user) ?? uid
            gid = accounts.groupID(node.group) ?? gid
        }
        return NodeMetadata(
            accessed: node.atime.moment,
            modified: node.mtime.moment,
            uid: uid,
            gid: gid,
            permissions: node.type == .symlink ? nil : GoMode.unixPermissions(node.mode),
            attributes: node.extendedAttributes.isEmpty
                ? [] : node.extendedAttributes.filter { wantsAttribute($0.name) }
        )
    }

    /// Sets everything; returns the first failure, when there was one.
    ///
    /// Nothing is `known` of an entry whose parts may be anything.
    func apply(_ metadata: NodeMetadata, to subject: Subject, known: KnownMetadata? = nil) -> Errno? {
        var failure: Errno?
        let isOwned = known.map { $0.uid == metadata.uid && $0.gid == metadata.gid } ?? false
        if !isOwned {
            attempt(.owner, &failure) { () throws(Errno) in try subject.setOwner(metadata.uid, metadata.gid) }
        }
        if !metadata.attributes.isEmpty || known?.hasNoAttributes != true {
            writeAttributes(metadata.attributes, subject, &failure)
        }
        let isTimed =
            known?.times.map { $0.modified == metadata.modified && $0.accessed == metadata.accessed } ?? false
        if !isTimed {
            attempt(.times, &failure) { () throws(Errno) in try subject.setTimes(metadata.accessed, metadata.modified) }
        }
        if let permissions = metadata.permissions {
            // A new owner takes setuid away, and an access list changes the group's bits.
            let isRight = isOwned && metadata.attributes.isEmpty && known?.permissions == permissions
            if !isRight { attempt(.mode, &failure) { () throws(Errno) in try subject.setPermissions(permissions) } }
        }
        return failure
    }

    private func attempt(
        _ part: MetadataPart,
        _ failure: inout Errno?,
        ignoring ignored: Set<ErrnoKind> = [],
        _ step: () throws(Errno) -> Void
    ) {
        do throws(Errno) { try step() } catch {
            if error.kind == .permission && !isSuperuser { return losses.add(part) }
            if ignored.contains(error.kind) { return }
            failure = failure ?? error
        }
    }

    private func writeAttributes(_ wanted: [ExtendedAttribute], _ subject: Subject, _ failure: inout Errno?) {
        for attribute in wanted {
            attempt(.attribute(attribute.name), &failure, ignoring: [.unsupported]) { () throws(Errno) in
                try subject.setAttribute(attribute.name, attribute.value)
            }
        }
        let present: [ByteString]
        do throws(Errno) { present = try subject.attributeNames() } catch {
            attempt(.attributes, &failure, ignoring: [.unsupported]) { () throws(Errno) in throw error }
            return
        }
        for name in present where !wanted.contains(where: { $0.name == name }) && wantsAttribute(name) {
            // Labels that the system itself keeps cannot be removed, and need not be.
            if name.bytes.starts(with: "security.".utf8), name != "security.capability" { continue }
            attempt(.attribute(name), &failure, ignoring: [.unsupported, .noAttribute]) { () throws(Errno) in
                try subject.removeAttribute(name)
            }
        }
    }
}

extension MetadataWriter {
    /// What metadata is set on: something open, or an entry that cannot be opened, such as a link or a device.
    enum Subject {
        case open(FileDescriptor)
        case entry(ByteString, in: Directory)

        func setOwner(_ uid: UInt32, _ gid: UInt32) throws(Errno) {
            switch self {
            case .open(let file): try file.setOwner(uid: uid, gid: gid)
            case .entry(let name, let directory): try directory.setOwner(uid: uid, gid: gid, of: name)
            }
        }

        func setTimes(_ accessed: Timestamp, _ modified: Timestamp) throws(Errno) {
            switch self {
            case .open(let file): try file.setTimes(accessed: accessed, modified: modified)
            case .entry(let name, let directory):
                try directory.setTimes(accessed: accessed, modified: modified, of: name)
            }
        }

        func setPermissions(_ permissions: UInt32) throws(Errno) {
            switch self {
            case .open(let file): try file.setPermissions(permissions)
            case .entry(let name, let directory): try directory.setPermissions(permissions, of: name)
            }
        }

        func attributeNames() throws(Errno) -> [ByteString] {
            switch self {
            case .open(let file): try file.attributeNames()
            case .entry(let name, let directory): try directory.attributeNames(of: name)
            }
        }

        func setAttribute(_ attribute: ByteString, _ value: [UInt8]) throws(Errno) {
            switch self {
            case .open(let file): try file.setAttribute(attribute, to: value)
            case .entry(let name, let directory): try directory.setAttribute(attribute, to: value, of: name)
            }
        }

        func removeAttribute(_ attribute: ByteString) throws(Errno) {
            switch self {
            case .open(let file): try file.removeAttribute(attribute)
            case .entry(let name, let directory): try directory.removeAttribute(attribute, of: name)
            }
        }
    }
}
