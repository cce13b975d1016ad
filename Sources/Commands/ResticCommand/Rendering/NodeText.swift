import Bytes
import Console
import ResticFormat

/// `drwxr-xr-x`: Go's letters for the mode of a file.
func modeText(_ mode: UInt32) -> String {
    let letters = Array("dalTLDpSugct?")
    var text = ""
    for (index, letter) in letters.enumerated() where mode & (1 << UInt32(31 - index)) != 0 { text.append(letter) }
    if text.isEmpty { text = "-" }
    for (index, letter) in "rwxrwxrwx".enumerated() {
        text.append(mode & (1 << UInt32(8 - index)) != 0 ? letter : "-")
    }
    return text
}

/// The mode bits that follow from a node's type.
func typeBits(_ type: NodeType) -> UInt32 {
    switch type {
    case .directory: GoMode.directory
    case .symlink: GoMode.symlink
    case .device: GoMode.device
    case .characterDevice: GoMode.device | GoMode.characterDevice
    case .fifo: GoMode.fifo
    case .socket: GoMode.socket
    default: 0
    }
}

/// One line of `ls -l`: `-rw-r--r--     0     0      6 2026-11-21 04:54:16 /src/a`.
func longNodeText(_ entry: ListedNode, isHumanReadable: Bool, _ printer: Printer) -> Text {
    let node = entry.node
    let bytes = node.type == .file ? node.size : 0
    let size = isHumanReadable ? formatBytes(bytes) : padLeft(bytes, 6)
    let head = "\(modeText(typeBits(node.type) | node.mode)) \(padLeft(node.uid, 5)) \(padLeft(node.gid, 5)) \(size)"
    var text: Text = "\(head) \(localText(node.mtime.moment)) \(printer.name(entry.path))"
    if node.type == .symlink { text += " -> \(printer.name(node.linkTarget))" }
    return text
}

/// A node with its path inside the snapshot.
struct ListedNode {
    var path: ByteString
    var node: Node
}

/// The node as `ls --json` prints it.
func nodeJSON(_ entry: ListedNode) -> JSONLine {
    let node = entry.node
    var line = JSONLine()
    line.add("name", node.name)
    line.add("type", "\(node.type.name)")
    line.add("path", entry.path)
    line.add("uid", node.uid)
    line.add("gid", node.gid)
    if node.type == .file { line.add("size", node.size) }
    line.addUnlessZero("mode", node.mode)
    line.add("permissions", modeText(node.mode))
    line.addTimes(of: node)
    line.addUnlessZero("inode", node.inode)
    line.add("message_type", "node")
    line.add("struct_type", "node")
    return line
}

extension JSONLine {
    /// `mtime`, `atime`, `ctime`.
    mutating func addTimes(of node: Node) {
        for (key, time) in [("mtime" as StaticString, node.mtime), ("atime", node.atime), ("ctime", node.ctime)] {
            add(key, time)
        }
    }
}

/// The node as `find --json` prints it: what is stored, less name, attributes and content.
func foundNodeJSON(_ entry: ListedNode) -> [UInt8] {
    let node = entry.node
    var line = JSONLine()
    line.add("path", entry.path)
    line.add("permissions", modeText(node.mode))
    line.add("type", "\(node.type.name)")
    line.addUnlessZero("mode", node.mode)
    line.addTimes(of: node)
    line.add("uid", node.uid)
    line.add("gid", node.gid)
    if !node.user.isEmpty { line.add("user", node.user) }
    if !node.group.isEmpty { line.add("group", node.group) }
    line.addUnlessZero("inode", node.inode)
    line.addUnlessZero("device_id", node.deviceID)
    line.addUnlessZero("size", node.size)
    line.addUnlessZero("links", node.links)
    if !node.linkTarget.isEmpty { line.add("linktarget", node.linkTarget) }
    if !node.error.isEmpty { line.add("error", node.error) }
    return line.object
}

/// The node as ncdu's import format has it.
func ncduJSON(_ node: Node) -> [UInt8] {
    let size = node.type == .file ? node.size : 0
    let permissions = node.mode & 0o777
    let special =
        (node.mode & GoMode.setUserID != 0 ? 0o4000 : 0) | (node.mode & GoMode.setGroupID != 0 ? 0o2000 : 0)
        | (node.mode & GoMode.sticky != 0 ? 0o1000 : 0)
    var line = JSONLine()
    line.add("name", node.name)
    line.add("asize", size)
    line.add("dsize", size / 512 * 512 + (size % 512 == 0 ? 0 : 512))
    line.add("dev", node.deviceID)
    line.add("ino", node.inode)
    line.add("nlink", node.links)
    line.add("notreg", node.type != .directory && node.type != .file)
    line.add("uid", node.uid)
    line.add("gid", node.gid)
    line.add("mode", permissions | UInt32(special))
    line.add("mtime", max(0, node.mtime.moment.seconds))
    return line.object
}
