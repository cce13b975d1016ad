import Bytes
import HostSystem
import ResticFormat

/// Turns what the file system says about an entry into a restic node.
final class NodeMaker: Sendable {
    private let environment: RepositoryEnvironment
    private let withAtime: Bool
    private let accounts = Accounts()

    init(environment: RepositoryEnvironment, withAtime: Bool) {
        self.environment = environment
        self.withAtime = withAtime
    }

    /// The node with everything that `status` tells; content, subtree, link target and attributes are the caller's.
    func node(_ name: ByteString, _ status: FileStatus) -> Node {
        var node = Node(name: name, type: Self.type(status.kind))
        node.mode = GoMode.from(unix: status.mode)
        node.mtime = environment.zonedFileTime(status.modified)
        node.atime = withAtime ? environment.zonedFileTime(status.accessed) : node.mtime
        node.ctime = environment.zonedFileTime(status.changed)
        node.uid = status.uid
        node.gid = status.gid
        node.user = accounts.userName(status.uid) ?? ""
        node.group = accounts.groupName(status.gid) ?? ""
        node.inode = status.inode
        node.deviceID = status.device
        switch node.type {
        case .file:
            node.size = status.size
            node.links = status.links
            node.content = []
        case .symlink, .device, .characterDevice:
            node.links = status.links
            if node.type != .symlink { node.device = status.rdev }
        case .directory, .fifo, .socket, .irregular, .other:
            break
        }
        return node
    }

    static func type(_ kind: FileKind) -> NodeType {
        switch kind {
        case .regular: .file
        case .directory: .directory
        case .symbolicLink: .symlink
        case .blockDevice: .device
        case .characterDevice: .characterDevice
        case .fifo: .fifo
        case .socket: .socket
        case .unknown: .irregular
        }
    }

    /// Extended attributes read through `names` and `value`; each that cannot be read is reported and left out.
    static func attributes(
        names: () throws(Errno) -> [ByteString],
        value: (ByteString) throws(Errno) -> [UInt8],
        failed: (any Error) -> Void
    ) -> [ExtendedAttribute] {
        let listed: [ByteString]
        do throws(Errno) {
            listed = try names()
        } catch {
            if !error.isAttributeAbsence { failed(error) }
            return []
        }
        var found: [ExtendedAttribute] = []
        for name in listed {
            do throws(Errno) {
                found.append(ExtendedAttribute(name: name, value: try value(name)))
            } catch {
                if !error.isAttributeAbsence { failed(error) }
            }
        }
        return found
    }
}

extension Errno {
    /// No such attribute, or a file system without attributes: nothing to save, and nothing wrong.
    var isAttributeAbsence: Bool { name == "ENODATA" || name == "ENOTSUP" || name == "EOPNOTSUPP" }

    var isAbsence: Bool { name == "ENOENT" }
}

extension Directory {
    /// True when nothing lies under that name, for certain.
    func isGone(_ name: ByteString) -> Bool {
        do throws(Errno) { _ = try status(name) } catch { return error.isAbsence }
        return false
    }
}
