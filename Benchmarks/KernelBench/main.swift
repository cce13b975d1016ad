// Prints GB/s of each kernel on random bytes, and with `--corpus FILE` sizes and speeds of the modes and of zstd levels on the
// chunks of FILE.
// Use: swift run -c release KernelBench [--corpus FILE] [--levels 1,2,3]

import Bytes
import Chunking
import Compression
import Outcome
import Sealing

guard let polynomial = Polynomial(hex: "3da3358b4dc173") else { fatalError("the polynomial does not parse") }
let arguments = CommandLine.arguments

func option(_ name: String) -> String? {
    guard let place = arguments.firstIndex(of: name), place + 1 < arguments.count else { return nil }
    return arguments[place + 1]
}

if let corpus = option("--corpus") {
    let levels = (option("--levels") ?? "").split(separator: ",").compactMap { Int32($0) }
    measureLevels(contents(of: corpus), levels: levels, polynomial)
} else {
    measureKernels(polynomial)
}

func measureKernels(_ polynomial: Polynomial) {
    var generator = SplitMix64(seed: 1)
    let random = generator.bytes(64 << 20)
    measureChunking(random, polynomial)
    measureSealing(Array(random[..<(1 << 20)]))
    measureCompression(Array(random[..<(1 << 20)]))
    measureSelfTests()
}

func measureChunking(_ random: [UInt8], _ polynomial: Polynomial) {
    let chunker = RabinChunker(polynomial: polynomial)
    let everywhere = RabinChunker(polynomial: polynomial, splitBits: 48, minimumBytes: 64, maximumBytes: 64 << 20)
    random.withUnsafeBytes { bytes in
        var chunks = 0
        let cut = bestSeconds { chunks = chunker.lengths(of: bytes).count }
        report("chunk", bytes: bytes.count, seconds: cut, "\(chunks) chunks, with the skip to the minimum")
        let scan = bestSeconds { _ = everywhere.lengths(of: bytes) }
        report("chunk, every byte scanned", bytes: bytes.count, seconds: scan)
    }
    report("chunker tables", seconds: bestSeconds(budget: 0.1) { _ = RabinChunker(polynomial: polynomial) })
    report("irreducibility", seconds: bestSeconds(budget: 0.1) { _ = polynomial.isIrreducible })
}

func measureSealing(_ blob: [UInt8]) {
    let hash = SHA256Context()
    let cipher = ResticCipher(key: .random(SeededEntropy(seed: 1)))
    for size in [512, 4096, 65536, 1 << 20] {
        var sealed = [UInt8](repeating: 0, count: size + ResticCipher.overhead)
        var plain = Array(blob[..<size])
        let rounds = (8 << 20) / size
        let seconds = plain.withUnsafeBytes { bytes in
            bestSeconds(budget: 0.6) { for _ in 0..<rounds { _ = hash.digest(of: bytes) } }
        }
        report("SHA-256 of \(size)", bytes: size * rounds, seconds: seconds)
        let seal = plain.withUnsafeBytes { plain in
            sealed.withUnsafeMutableBytes { sealed in
                bestSeconds(budget: 0.4) { for _ in 0..<rounds { cipher.seal(plain, iv: (1, 2), into: sealed) } }
            }
        }
        report("seal \(size)", bytes: size * rounds, seconds: seal)
        let open = sealed.withUnsafeBytes { sealed in
            plain.withUnsafeMutableBytes { plain in
                bestSeconds(budget: 0.4) { for _ in 0..<rounds { try? cipher.open(sealed, into: plain) } }
            }
        }
        report("open \(size)", bytes: size * rounds, seconds: open)
    }
    let zeros = [UInt8](repeating: 0, count: 512 << 10)
    let known = zeros.withUnsafeBytes { zeros in bestSeconds(budget: 0.2) { _ = hash.blobDigest(of: zeros) } }
    report("digest of a zero chunk", bytes: zeros.count, seconds: known)
}

func measureCompression(_ blob: [UInt8]) {
    let text = (0..<40_000).flatMap { "row \($0) value \($0 &* 7919 % 10_007)\n".utf8 }.prefix(1 << 20)
    for (name, bytes) in [("random", blob), ("text", Array(text))] {
        for mode in [CompressionMode.fastest, .auto, .better] {
            let compressor = Compressor(mode: mode)
            var room = [UInt8](repeating: 0, count: compressor.bound(bytes.count))
            var length = 0
            let seconds = bytes.withUnsafeBytes { bytes in
                room.withUnsafeMutableBytes { room in
                    bestSeconds(budget: 0.4) { length = (try? compressor.compress(bytes, into: room)) ?? 0 }
                }
            }
            report(
                "zstd \(mode.rawValue), \(name)",
                bytes: bytes.count,
                seconds: seconds,
                "to \(length * 1000 / bytes.count) ‰"
            )
        }
        let probe = bytes.withUnsafeBytes { bytes in bestSeconds(budget: 0.2) { _ = looksIncompressible(bytes) } }
        report("looksIncompressible, \(name)", bytes: bytes.count, seconds: probe)
    }
}

func measureSelfTests() {
    report("self-test of sealing", seconds: bestSeconds(budget: 0.1) { try? SealingSelfTest().run() })
    report("self-test of chunking", seconds: bestSeconds(budget: 0.1) { try? ChunkingSelfTest().run() })
    report("self-test of compression", seconds: bestSeconds(budget: 0.1) { try? CompressionSelfTest().run() })
    let derive = bestSeconds(budget: 0.5) {
        _ = try? scrypt(password: Secret([1]), salt: [UInt8](repeating: 0, count: 64), .init(n: 32768, r: 8, p: 1))
    }
    report("scrypt n 32768 r 8 p 1", seconds: derive)
}

/// Sizes and speeds over the distinct chunks, as a backup would store them.
func measureLevels(_ corpus: [UInt8], levels: [Int32], _ polynomial: Polynomial) {
    corpus.withUnsafeBytes { bytes in
        let chunks = distinctChunks(bytes, polynomial)
        let total = chunks.reduce(0) { $0 + $1.count }
        print("\(chunks.count) distinct chunks, \(total) bytes")
        let dense = chunks.filter { looksIncompressible($0) }
        print("\(dense.count) look incompressible, \(dense.reduce(0) { $0 + $1.count }) bytes")
        let modes = [CompressionMode.fastest, .auto, .better, .max].map { ("zstd \($0.rawValue)", $0.settings) }
        for (name, settings) in modes + levels.map({ ("zstd level \($0)", ZstdSettings(level: $0)) }) {
            let compressor = Compressor(settings: settings)
            var room = [UInt8](repeating: 0, count: compressor.bound(RabinChunker.maximum))
            var size = 0
            let start = threadNanoseconds()
            room.withUnsafeMutableBytes { room in
                for chunk in chunks { size += (try? compressor.compress(chunk, into: room)) ?? 0 }
            }
            let seconds = Double(threadNanoseconds() - start) / 1e9
            report(name, bytes: total, seconds: seconds, "\(size) bytes")
        }
    }
}

func distinctChunks(_ bytes: UnsafeRawBufferPointer, _ polynomial: Polynomial) -> [UnsafeRawBufferPointer] {
    var seen: Set<Digest> = []
    var chunks: [UnsafeRawBufferPointer] = []
    var start = 0
    for length in RabinChunker(polynomial: polynomial).lengths(of: bytes) {
        let chunk = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
        if seen.insert(SHA256Context.hash(chunk)).inserted { chunks.append(chunk) }
        start += length
    }
    return chunks
}
