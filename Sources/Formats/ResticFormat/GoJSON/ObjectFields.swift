/// Walks the fields of one JSON object by name, as Go matches them: exactly, else without regard to case; unknown ones are skipped.
struct ObjectFields {
    private let names: [StaticString]
    private let refusesDuplicates: Bool
    private var isFirst = true
    private var last = -1
    private(set) var seen: UInt64 = 0

    /// Consumes `{`.
    ///
    /// At most 64 names. With `refusesDuplicates` a known field given twice is an error (I-03: objects that security
    /// hangs on); without, the last one wins as in Go.
    init(_ names: [StaticString], refusesDuplicates: Bool, reader: inout GoJSONReader) throws(FormatError) {
        self.names = names
        self.refusesDuplicates = refusesDuplicates
        try reader.beginObject()
    }

    /// Index of the next known field, whose value comes next in the reader; nil when the object has ended.
    mutating func next(_ reader: inout GoJSONReader) throws(FormatError) -> Int? {
        if !isFirst, let index = expected(&reader) { return try found(index, &reader) }
        while let key = try reader.nextKey(&isFirst) {
            guard let index = match(key, in: reader) else {
                try reader.skipValue()
                continue
            }
            return try found(index, &reader)
        }
        return nil
    }

    @inline(__always)
    private mutating func found(_ index: Int, _ reader: inout GoJSONReader) throws(FormatError) -> Int {
        reader.field = names[index]
        if refusesDuplicates, seen >> UInt64(index) & 1 == 1 { throw reader.failure(.duplicateKey) }
        seen |= 1 << UInt64(index)
        last = index
        return index
    }

    /// The field at hand when it is a later one than the last, spelt as writers spell it: `,"name":`.
    ///
    /// Otherwise nothing is consumed.
    @inline(__always)
    private func expected(_ reader: inout GoJSONReader) -> Int? {
        let bytes = reader.bytes
        let start = reader.position &+ 2
        // Ten bytes hold comma, quotes, colon and a name of one letter with its value's begin; the loads below stay within.
        guard bytes.count &- start >= 8, bytes[start &- 2] == UInt8(ascii: ","), bytes[start &- 1] == UInt8(ascii: "\"")
        else { return nil }
        let first = bytes[start]
        var index = last &+ 1
        while index < names.count {
            let name = names[index]
            let count = name.utf8CodeUnitCount
            if name.utf8Start[0] == first, bytes.count &- start >= count &+ 2,
                bytes[start &+ count] == UInt8(ascii: "\""),
                bytes[start &+ count &+ 1] == UInt8(ascii: ":"),
                isEqual(UnsafeRawBufferPointer(rebasing: bytes[start..<(start &+ count)]), name)
            {
                reader.advance(by: count &+ 4)
                return index
            }
            index &+= 1
        }
        return nil
    }

    /// Fails unless the field was given.
    func require(_ index: Int, in reader: GoJSONReader) throws(FormatError) {
        guard seen >> UInt64(index) & 1 == 1 else {
            throw FormatError(.missing, field: names[index].description, offset: reader.position)
        }
    }

    /// Tries the field after the last one first, since writers keep the order.
    private func match(_ key: GoJSONReader.Text, in reader: GoJSONReader) -> Int? {
        if !key.hasEscapes, !key.hasHighBytes {
            let slice = reader.slice(key)
            var index = last &+ 1
            for _ in names.indices {
                if index >= names.count { index = 0 }
                if isEqual(slice, names[index]) { return index }
                index &+= 1
            }
        }
        return matchFolded(reader.resolved(key))
    }

    @inline(__always)
    private func isEqual(_ slice: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        guard slice.count == name.utf8CodeUnitCount else { return false }
        let start = name.utf8Start
        for offset in 0..<slice.count where slice[offset] != start[offset] { return false }
        return true
    }

    private func matchFolded(_ key: [UInt8]) -> Int? {
        for index in names.indices where key.elementsEqual(name(index)) { return index }
        let folded = fold(key)
        for index in names.indices where folded.elementsEqual(fold(Array(name(index)))) { return index }
        return nil
    }

    private func name(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: names[index].utf8Start, count: names[index].utf8CodeUnitCount)
    }

    /// Go's case folding as far as ASCII names can meet it: letters, and the two others that fold to ASCII (U+017F to s, U+212A to k).
    private func fold(_ key: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var index = 0
        while index < key.count {
            let rest = key[index...]
            if rest.starts(with: [0xc5, 0xbf]) {
                output.append(UInt8(ascii: "s"))
                index += 2
            } else if rest.starts(with: [0xe2, 0x84, 0xaa]) {
                output.append(UInt8(ascii: "k"))
                index += 3
            } else {
                let byte = key[index]
                output.append(0x41...0x5a ~= byte ? byte | 0x20 : byte)
                index += 1
            }
        }
        return output
    }
}
