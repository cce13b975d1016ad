package import Bytes
import HostSystem
package import Strategy

/// A path of a declaration that is a symbolic link: a backup holds the link, and nothing of what it leads to.
package struct LinkedPath: Sendable, Hashable {
    package var path: String
    /// As the link has it.
    package var target: ByteString

    /// What is the matter, behind the path.
    package var what: String {
        "is a symbolic link to \(target.display): a copy holds the link, and nothing of what it leads to"
    }

    package var next: String { "name the folder itself in the paths" }
}

extension HostPaths {
    /// Those of the paths that are symbolic links on this machine now.
    package var linkedPaths: [LinkedPath] {
        paths.compactMap { path in
            let (folder, name) = splitPath(path)
            guard !name.isEmpty, let parent = try? Directory.open(ByteString(folder)),
                let target = try? parent.readLink(ByteString(name))
            else { return nil }
            return LinkedPath(path: path, target: target)
        }
    }
}
