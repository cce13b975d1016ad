import Bytes

/// Writes the fields of one JSON object in order.
struct ObjectWriter {
    private var output: [UInt8] = [UInt8(ascii: "{")]

    private mutating func key(_ name: StaticString) {
        if output.count > 1 { output.append(UInt8(ascii: ",")) }
        JSONWriter.key(name, to: &output)
    }

    mutating func raw(_ name: StaticString, _ json: [UInt8]) {
        key(name)
        output.append(contentsOf: json)
    }

    mutating func text(_ name: StaticString, _ value: ByteString, omitEmpty: Bool = false) {
        if omitEmpty, value.bytes.isEmpty { return }
        key(name)
        JSONWriter.string(value.bytes, to: &output)
    }

    mutating func texts(_ name: StaticString, _ values: [ByteString], omitEmpty: Bool = false) {
        if omitEmpty, values.isEmpty { return }
        key(name)
        output.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            JSONWriter.string(value.bytes, to: &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    mutating func number(_ name: StaticString, _ value: UInt64, omitZero: Bool = false) {
        if omitZero, value == 0 { return }
        key(name)
        JSONWriter.number(value, to: &output)
    }

    mutating func time(_ name: StaticString, _ value: ZonedTime) {
        key(name)
        JSONWriter.time(value, to: &output)
    }

    mutating func digest(_ name: StaticString, _ value: Digest) {
        key(name)
        JSONWriter.digest(value, to: &output)
    }

    mutating func base64(_ name: StaticString, _ value: [UInt8]) {
        key(name)
        JSONWriter.base64(value, to: &output)
    }

    mutating func finish() -> [UInt8] {
        output.append(UInt8(ascii: "}"))
        return output
    }
}
