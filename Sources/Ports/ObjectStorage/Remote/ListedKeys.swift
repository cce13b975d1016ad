import Bytes

/// The objects of one kind out of the names that a server lists, each once (E-08); everything else is foreign (D-05).
struct ListedKeys {
    private(set) var listing = ObjectListing()
    private let kind: ObjectKind
    private let prefix: [UInt8]
    private var seen: Set<Digest> = []

    init(_ kind: ObjectKind, prefix: String) {
        self.kind = kind
        self.prefix = Array(prefix.utf8)
    }

    /// Adds names with their sizes, in any order, again or not.
    mutating func add(_ keys: [(key: [UInt8], size: UInt64)]) {
        for (key, size) in keys {
            guard key != prefix else { continue }
            guard let digest = digest(key) else {
                listing.noteForeign(ByteString(key).display)
                continue
            }
            if seen.insert(digest).inserted { listing.entries.append(ObjectEntry(digest: digest, size: size)) }
        }
    }

    private func digest(_ key: [UInt8]) -> Digest? {
        guard key.starts(with: prefix) else { return nil }
        let rest = key.dropFirst(prefix.count)
        guard kind == .pack else { return Digest(hex: rest) }
        guard rest.count == 67, let digest = Digest(hex: rest.dropFirst(3)) else { return nil }
        return rest.prefix(3).elementsEqual(rest.dropFirst(3).prefix(2) + [UInt8(ascii: "/")]) ? digest : nil
    }
}

/// The same out of plain names, some of whose sizes are not told.
struct ListedNames {
    private(set) var listing = ObjectListing()
    /// Objects whose size has to be asked for.
    private(set) var unsized: [Digest] = []
    private let kind: ObjectKind
    private var seen: Set<Digest> = []

    init(_ kind: ObjectKind) { self.kind = kind }

    mutating func add(_ name: [UInt8], _ size: UInt64?) {
        guard let digest = Digest(hex: name) else {
            return listing.noteForeign("\(kind.directoryName)/\(ByteString(name).display)")
        }
        guard seen.insert(digest).inserted else { return }
        if let size { listing.entries.append(ObjectEntry(digest: digest, size: size)) } else { unsized.append(digest) }
    }
}
