/// What a blob holds; a data blob and a tree blob with the same ID are different objects.
package enum BlobType: UInt8, Sendable, Hashable, CaseIterable {
    /// A piece of file content.
    case data = 0
    /// One directory as JSON.
    case tree = 1

    /// The word in index files: `data` or `tree`.
    package var name: StaticString {
        switch self {
        case .data: "data"
        case .tree: "tree"
        }
    }
}
