/// Folder and last component of an absolute path.
package func splitPath(_ path: String) -> (folder: String, name: String) {
    let cut = path.lastIndex(of: "/") ?? path.startIndex
    let folder = String(path[..<cut])
    return (folder.isEmpty ? "/" : folder, String(path[path.index(after: cut)...]))
}
