/// Lends a document's bytes to a reader, after bounding its size, and checks that nothing follows it.
func decodeDocument<R>(
    _ bytes: [UInt8],
    limit: Int,
    _ body: (inout GoJSONReader) throws(FormatError) -> R
) throws(FormatError) -> R {
    guard bytes.count <= limit else { throw FormatError(.tooLarge) }
    return try lend(bytes) { buffer throws(FormatError) in
        var reader = GoJSONReader(buffer)
        let value = try body(&reader)
        try reader.finish()
        return value
    }
}
