import Bytes
import Chunking
import Testing

@Suite struct PolynomialTests {
    @Test(arguments: ["3da3358b4dc173", "285c12facf3a43", "355c831bba51af"])
    func `polynomials of real repositories are irreducible`(hex: String) throws {
        let polynomial = try #require(Polynomial(hex: hex))
        #expect(polynomial.isIrreducible)
        #expect(polynomial.hex == hex)
    }

    @Test func `products are found reducible`() {
        var generator = SplitMix64(seed: 2)
        for _ in 0..<200 {
            let low = Int.random(in: 1...26, using: &generator)
            let a = random(degree: low, &generator)
            let b = random(degree: 53 - low, &generator)
            let product = Polynomial(bits: multiply(a, b))
            #expect(product?.isIrreducible == false, "\(a) * \(b)")
        }
    }

    @Test func `about one odd polynomial in 26 is irreducible`() {
        var generator = SplitMix64(seed: 3)
        var found = 0
        for _ in 0..<2000 where Polynomial(bits: random(degree: 53, &generator) | 1)?.isIrreducible == true {
            found += 1
        }
        // 2 / 53 of 2000 is 75.
        #expect((45...110).contains(found))
    }

    @Test func `a random polynomial is irreducible, of degree 53 and repeats by seed`() {
        for seed in 0..<20 as Range<UInt64> {
            let polynomial = Polynomial.random(SeededEntropy(seed: seed))
            #expect(polynomial.isIrreducible)
            #expect(polynomial.bits >> 53 == 1 && polynomial.bits & 1 == 1)
            #expect(polynomial == .random(SeededEntropy(seed: seed)))
        }
    }

    @Test(arguments: [
        "", "0", "1", "3", "1fffffffffffff", "40000000000001", "ffffffffffffffff", "3DA3358B4DC173", "0x3da3358b4dc173",
        "g",
    ])
    func `I-05 text that is no polynomial of degree 53 is refused`(hex: String) {
        #expect(Polynomial(hex: hex) == nil)
    }

    private func random(degree: Int, _ generator: inout SplitMix64) -> UInt64 {
        generator.next() & (1 << UInt64(degree) - 1) | 1 << UInt64(degree)
    }

    private func multiply(_ a: UInt64, _ b: UInt64) -> UInt64 {
        var product: UInt64 = 0
        for bit in 0..<64 as Range<UInt64> where b >> bit & 1 != 0 { product ^= a << bit }
        return product
    }
}
