import CHost
package import Bytes
import Glibc

/// Extended attributes by name of the entry, without opening it and without following it.
///
/// **Errors**: ENODATA (`noAttribute`) when an attribute is absent, EOPNOTSUPP when the file system has none. An
/// attribute that changes its length between two calls is read again, at most eight times (G-12). **Bounds**: 64 KiB
/// names and 64 KiB a value, as in the kernel.
extension Directory {
    /// Names of the attributes of an entry, in the order of the kernel; of the directory itself for nil.
    package func attributeNames(of name: ByteString?) throws(Errno) -> [ByteString] {
        try withEntry(name) { entry throws(Errno) in try hooks.names(number, entry) }
    }

    /// Names of the attributes of an entry of a listing.
    package func attributeNames(of index: Int, in listing: DirectoryListing) throws(Errno) -> [ByteString] {
        try listing.withPath(at: index) { entry throws(Errno) in try hooks.names(number, entry) }
    }

    /// The value of an attribute of an entry; of the directory itself for nil.
    package func attribute(_ attribute: ByteString, of name: ByteString?) throws(Errno) -> [UInt8] {
        try withEntry(name) { entry throws(Errno) in try hooks.value(number, entry, attribute) }
    }

    /// The value of an attribute of an entry of a listing.
    package func attribute(
        _ attribute: ByteString,
        of index: Int,
        in listing: DirectoryListing
    ) throws(Errno) -> [UInt8] {
        try listing.withPath(at: index) { entry throws(Errno) in try hooks.value(number, entry, attribute) }
    }

    /// Creates or replaces an attribute of an entry; of the directory itself for nil.
    package func setAttribute(_ attribute: ByteString, to value: [UInt8], of name: ByteString?) throws(Errno) {
        try withEntry(name) { entry throws(Errno) in try hooks.set(number, entry, attribute, value) }
    }

    /// Removes an attribute of an entry; of the directory itself for nil.
    package func removeAttribute(_ attribute: ByteString, of name: ByteString?) throws(Errno) {
        try withEntry(name) { entry throws(Errno) in try hooks.remove(number, entry, attribute) }
    }

    private func withEntry<R>(
        _ name: ByteString?,
        _ body: (UnsafePointer<CChar>) throws(Errno) -> R
    ) throws(Errno) -> R {
        guard let name else { return try body("") }
        return try withName(name, body)
    }
}

/// The same through an open file.
extension FileDescriptor {
    /// Names of the file's attributes, in the order of the kernel.
    package func attributeNames() throws(Errno) -> [ByteString] { try hooks.names(rawValue, "") }

    /// The value of an attribute of the file.
    package func attribute(_ attribute: ByteString) throws(Errno) -> [UInt8] {
        try hooks.value(rawValue, "", attribute)
    }

    /// Creates or replaces an attribute of the file.
    package func setAttribute(_ attribute: ByteString, to value: [UInt8]) throws(Errno) {
        try hooks.set(rawValue, "", attribute, value)
    }

    /// Removes an attribute of the file.
    package func removeAttribute(_ attribute: ByteString) throws(Errno) { try hooks.remove(rawValue, "", attribute) }
}

extension Optional<SystemHooks> {
    private static var attemptsMax: Int { 8 }

    fileprivate func names(_ number: Int32, _ entry: UnsafePointer<CChar>) throws(Errno) -> [ByteString] {
        let list = try around(.attributes, "listxattr") { () throws(Errno) in
            // Most entries have none, and one call without a buffer tells.
            try Self.grow("listxattr") { buffer, count in
                chost_list_attributes(number, entry, buffer?.assumingMemoryBound(to: CChar.self), count)
            }
        }
        return list.split(separator: 0).map { ByteString(Array($0)) }
    }

    fileprivate func value(
        _ number: Int32,
        _ entry: UnsafePointer<CChar>,
        _ attribute: ByteString
    ) throws(Errno) -> [UInt8] {
        try attribute.withPath { name throws(Errno) in
            try around(.attributes, "getxattr") { () throws(Errno) in
                try Self.grow("getxattr") { buffer, count in chost_get_attribute(number, entry, name, buffer, count) }
            }
        }
    }

    fileprivate func set(
        _ number: Int32,
        _ entry: UnsafePointer<CChar>,
        _ attribute: ByteString,
        _ value: [UInt8]
    ) throws(Errno) {
        try attribute.withPath { name throws(Errno) in
            try around(.attributes, "setxattr") { () throws(Errno) in
                try value.withRawBytes { value throws(Errno) in
                    try checked("setxattr", chost_set_attribute(number, entry, name, value.baseAddress, value.count))
                }
            }
        }
    }

    fileprivate func remove(
        _ number: Int32,
        _ entry: UnsafePointer<CChar>,
        _ attribute: ByteString
    ) throws(Errno) {
        try attribute.withPath { name throws(Errno) in
            try around(.attributes, "removexattr") { () throws(Errno) in
                try checked("removexattr", chost_remove_attribute(number, entry, name))
            }
        }
    }

    /// Asks for the length, then for that many bytes, again when it grew in between.
    private static func grow(
        _ call: StaticString,
        _ body: (UnsafeMutableRawPointer?, Int) -> Int
    ) throws(Errno) -> [UInt8] {
        for _ in 0..<attemptsMax {
            let length = body(nil, 0)
            if length < 0 { throw Errno.current(call) }
            if length == 0 { return [] }
            var got = -1
            let bytes = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
                got = body(buffer.baseAddress, length)
                count = max(got, 0)
            }
            if got >= 0 { return bytes }
            if errno != ERANGE { throw Errno.current(call) }
        }
        throw Errno(ERANGE, in: call)
    }
}
