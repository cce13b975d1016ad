package import Bytes
package import HostSystem

/// Removes an entry with everything in it; links are removed, never followed.
///
/// Shape: goes down by descriptor and back up by proof (`openParent`), so depth costs nothing and nothing outside is reached. Folders
/// that a restore left without write permission are opened up first. Errors: the first call that fails; ENOENT when it is not there.
package func removeTree(_ name: ByteString, in parent: Directory) throws(Errno) {
    guard try parent.status(name).kind == .directory else { return try parent.remove(name) }
    var names: [ByteString] = [name]
    var directory = try enter(name, in: parent)
    var above = [try parent.status().identity]
    while let current = names.last {
        var child: ByteString?
        for entry in try directory.entries() {
            if try directory.status(entry.name).kind == .directory {
                child = entry.name
                break
            }
            try directory.remove(entry.name)
        }
        if let child {
            above.append(try directory.status().identity)
            directory = try enter(child, in: directory)
            names.append(child)
        } else {
            names.removeLast()
            guard let identity = above.popLast() else { return }
            directory = names.isEmpty ? parent : try directory.openParent(expecting: identity)
            try directory.removeDirectory(current)
        }
    }
}

private func enter(_ name: ByteString, in directory: Directory) throws(Errno) -> Directory {
    if try directory.status(name).permissions & 0o700 != 0o700 { try directory.setPermissions(0o700, of: name) }
    return try directory.openDirectory(name)
}
