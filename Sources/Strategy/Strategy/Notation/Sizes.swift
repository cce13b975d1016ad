/// Reads a size as people write it: `500 MB`, `16MiB`, `1.5 TiB`.
///
/// `KiB MiB GiB TiB PiB`, and the single letters as in restic, count in 1024; `kB MB GB TB PB` in 1000; `B` and a bare number are bytes.
package func readSize(_ text: String) throws(NotationError) -> UInt64 {
    let example = "write a number with a unit: 16 MiB, 500 MB, 1.5 TiB"
    var rest = text[...]
    guard let quantity = Quantity.take(&rest), rest.isEmpty else {
        throw NotationError("\"\(text)\" is no size", next: example)
    }
    guard let unit = sizeUnit(quantity.unit) else {
        throw NotationError("\"\(quantity.unit)\" is no unit of size", next: example)
    }
    guard let bytes = quantity.times(unit), bytes <= UInt64(Int64.max) else {
        throw NotationError("\"\(text)\" is larger than any disk", next: example)
    }
    return bytes
}

/// Reads a rate as people write it, in bytes a second: `20 MiB/s`, `2.5 MB/s`, `100 Mbit/s`.
///
/// Bounds: more than nothing.
package func readRate(_ text: String) throws(NotationError) -> UInt64 {
    let example = "write a size or a number of bits for each second: 20 MiB/s, 100 Mbit/s"
    var rest = text[...]
    guard let quantity = Quantity.take(&rest), rest.isEmpty else {
        throw NotationError("\"\(text)\" is no rate", next: example)
    }
    guard quantity.unit.hasSuffix("/s") else { throw NotationError("\"\(text)\" says no time", next: example) }
    let unit = quantity.unit.dropLast(2)
    let rate: UInt64?
    if let bits = bitUnit(unit) {
        rate = quantity.times(bits).map { $0 / 8 }
    } else if !unit.isEmpty, let bytes = sizeUnit(unit) {
        rate = quantity.times(bytes)
    } else {
        throw NotationError("\"\(quantity.unit)\" is no unit of a rate", next: example)
    }
    guard let rate, rate <= UInt64(Int64.max) else {
        throw NotationError("\"\(text)\" is faster than any line", next: example)
    }
    guard rate > 0 else { throw NotationError("\"\(text)\" would never end", next: example) }
    return rate
}

/// A rate in the largest unit that says it exactly: `20 MiB/s`, `1234 B/s`; read again, it is the same.
package func rateText(_ bytesPerSecond: UInt64) -> String {
    for (name, unit) in [
        ("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1000),
    ] as [(String, UInt64)] where bytesPerSecond > 0 && bytesPerSecond % unit == 0 {
        return "\(bytesPerSecond / unit) \(name)/s"
    }
    return "\(bytesPerSecond) B/s"
}

private func sizeUnit(_ word: Substring) -> UInt64? {
    switch word.lowercased() {
    case "", "b": 1
    case "k", "kib": 1 << 10
    case "m", "mib": 1 << 20
    case "g", "gib": 1 << 30
    case "t", "tib": 1 << 40
    case "p", "pib": 1 << 50
    case "kb": 1000
    case "mb": 1_000_000
    case "gb": 1_000_000_000
    case "tb": 1_000_000_000_000
    case "pb": 1_000_000_000_000_000
    default: nil
    }
}

private func bitUnit(_ word: Substring) -> UInt64? {
    switch word.lowercased() {
    case "bit": 1
    case "kbit": 1000
    case "mbit": 1_000_000
    case "gbit": 1_000_000_000
    default: nil
    }
}
