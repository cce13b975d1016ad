import Bytes
import ResticFormat
import Testing

/// One decoder under attack: a valid document, and what decoding and encoding again makes of a document.
private struct Target: Sendable, CustomTestStringConvertible {
    var name: String
    var sample: [UInt8]
    /// True when every shorter prefix must be refused.
    var prefixesFail = true
    var roundTrip: @Sendable ([UInt8]) throws -> [UInt8]

    var testDescription: String { name }
}

@Suite struct MutantTests {
    private static let targets: [Target] = [
        Target(
            name: "config",
            sample: RepositoryConfig(version: 2, id: digest("8"), polynomial: 0x3d_a335_8b4d_c173).encode()
        ) {
            try RepositoryConfig(decoding: $0).encode()
        },
        Target(
            name: "key",
            sample: KeyFile(
                created: zoned(5, 5, offset: 60),
                username: "root",
                hostname: "vm",
                n: 2,
                r: 1,
                p: 1,
                salt: Array(0..<8),
                data: [1, 2]
            ).encode()
        ) { try KeyFile(decoding: $0).encode() },
        Target(
            name: "master key",
            sample: MasterKeyDocument(k: Array(0..<16), r: Array(0..<16), encrypt: Array(0..<32)).encode()
        ) {
            try MasterKeyDocument(decoding: $0).encode()
        },
        Target(
            name: "lock",
            sample: LockDocument(time: zoned(1), exclusive: false, hostname: "h", username: "u", pid: 1, uid: 2, gid: 3)
                .encode()
        ) {
            try LockDocument(decoding: $0).encode()
        },
        Target(name: "snapshot", sample: sampleSnapshot().encode()) { try SnapshotDocument(decoding: $0).encode() },
        Target(
            name: "tree",
            sample: (try? treeDocument([fullNode(), Node(name: "z", type: .fifo)]))
                ?? []
        ) {
            // By hand: a mutant's names need not be in order.
            let encoded = try nodes(in: $0).map { $0.encode() }
            return Array("{\"nodes\":[".utf8) + encoded.joined(separator: [UInt8(ascii: ",")]) + Array("]}\n".utf8)
        },
        Target(name: "index", sample: sampleIndex(packs: 2, blobs: 2)) { try IndexContents($0).encode() },
        Target(
            name: "pack header",
            sample: PackHeader([
                PackEntry(type: .data, length: 50, uncompressedLength: 0, id: BlobID(digest("a"))),
                PackEntry(type: .tree, length: 60, uncompressedLength: 70, id: BlobID(digest("b"))),
            ]).encode(),
            prefixesFail: false
        ) { try PackHeader.decode($0, blobBytes: nil).encode() },
        Target(name: "time", sample: bytes("2026-11-21T06:10:11.7961525+05:45"), prefixesFail: false) {
            guard let time = RFC3339.parse($0) else { throw FormatError(.badTime) }
            return RFC3339.format(time)
        },
        Target(name: "quoting", sample: bytes("a\\x00\\u00e9\\U0001f6d8\\101\\n\\\\é"), prefixesFail: false) {
            guard let name = GoQuote.unquote($0) else { throw FormatError(.badQuoting) }
            return GoQuote.quote(name)
        },
        Target(name: "base64", sample: bytes("AAECAwQFBgcICQ=="), prefixesFail: false) {
            guard let bytes = $0.withUnsafeBytes(GoBase64.decode) else { throw FormatError(.badBase64) }
            return GoBase64.encode(bytes)
        },
    ]

    @Test(arguments: targets) private func `I-01 every prefix of a document is refused`(target: Target) throws {
        #expect(try target.roundTrip(target.sample) == target.sample || target.name == "quoting")
        let body = target.sample.last == 0x0a ? target.sample.count - 1 : target.sample.count
        for count in 0..<body {
            let isRefused = (try? target.roundTrip(Array(target.sample[..<count]))) == nil
            if target.prefixesFail { #expect(isRefused, "\(count) bytes") }
        }
    }

    @Test(arguments: targets) private func `20,000 mutants neither trap nor change when written and read again`(
        target: Target
    ) throws {
        var generator = SplitMix64(seed: testSeed)
        var accepted = 0
        for number in 0..<20_000 {
            let mutant = mutate(target.sample, &generator)
            guard let once = try? target.roundTrip(mutant) else { continue }
            accepted += 1
            guard (try? target.roundTrip(once)) == once else {
                Issue.record("seed \(testSeed), mutant \(number): \(text(mutant)) became \(text(once))")
                return
            }
        }
        print("\(target.name): \(accepted) of 20000 mutants accepted, seed \(testSeed)")
    }

    private static let tokens = [
        "null", "true", "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\\\x", "0", "-1", "-", ".", "e9",
        "1e400", "18446744073709551615",
        "18446744073709551616", "9223372036854775808", "4294967296", "2147483648", "\u{0}", "\u{7f}", "\u{2028}", " ",
        "\n", "\"\"", "{}", "[]", "NaN", "/**/", "<",
        "\"name\":", "\"id\":", "\"content\":", "=", "T", "Z", "+",
    ].map(bytes)

    /// One to three small changes of the kinds that find parsers' mistakes.
    private func mutate(_ sample: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
        var mutant = sample
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !mutant.isEmpty {
            let place = Int.random(in: 0..<mutant.count, using: &generator)
            let end = min(mutant.count, place + Int.random(in: 1...12, using: &generator))
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: mutant[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: mutant[place] = .random(in: 0...255, using: &generator)
            case 2: mutant.removeSubrange(place..<end)
            case 3: mutant.insert(contentsOf: Self.tokens.randomElement(using: &generator) ?? [], at: place)
            case 4:
                mutant.insert(contentsOf: mutant[place..<end], at: Int.random(in: 0...mutant.count, using: &generator))
            case 5: mutant.replaceSubrange(place..<end, with: Self.tokens.randomElement(using: &generator) ?? [])
            default: mutant.removeSubrange(place...)
            }
        }
        return mutant
    }
}
