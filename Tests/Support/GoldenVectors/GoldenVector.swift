package import Foundation

/// A file of `Tests/Vectors`: lines of a name, a space and a value; `#` starts the header that says how the file was made.
package struct GoldenVector {
    /// Why a vector cannot be used.
    package struct Missing: Error {
        package var what: String
    }

    private var fields: [(name: String, value: String)] = []

    /// Reads `Tests/Vectors/<name>`.
    package init(_ name: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: folder.appending(path: "Vectors/\(name)"), encoding: .utf8)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            fields.append((parts[0], parts.count > 1 ? parts[1] : ""))
        }
    }

    /// The value of the only field of that name.
    package func callAsFunction(_ name: String) throws -> String {
        let values = all(name)
        guard values.count == 1, let value = values.first else {
            throw Missing(what: "\(values.count) fields named \(name)")
        }
        return value
    }

    /// The values of all fields of that name, in order.
    package func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// The field as a JSON value of type `T`.
    package func json<T: Decodable>(_ name: String, as type: T.Type = T.self) throws -> T {
        try JSONDecoder().decode(type, from: Data(callAsFunction(name).utf8))
    }
}

/// restic's master key as `cat masterkey` prints it.
package struct MasterKeyJSON: Decodable {
    /// Poly1305-AES keys.
    package struct MAC: Decodable {
        package var k: Data
        package var r: Data
    }

    package var mac: MAC
    package var encrypt: Data
}

/// The cost, the salt and the sealed master key of a key file.
package struct KeyFileJSON: Decodable {
    package var N: Int
    package var r: Int
    package var p: Int
    package var salt: Data
    package var data: Data
}

/// A pack as an index file lists it.
package struct PackJSON: Decodable {
    /// A blob in it.
    package struct Blob: Decodable {
        package var id: String
        package var type: String
        package var offset: Int
        package var length: Int
        package var uncompressed_length: Int?
    }

    package var id: String
    package var blobs: [Blob]
}
