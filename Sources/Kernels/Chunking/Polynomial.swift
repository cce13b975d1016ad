package import Bytes

/// A polynomial over GF(2) of degree 53, bit i standing for x^i: the modulus of a repository's fingerprints.
package struct Polynomial: Sendable, Hashable {
    package static let degree = 53

    package let bits: UInt64

    /// Nil when the degree is not 53.
    package init?(bits: UInt64) {
        guard GF2.degree(bits) == Self.degree else { return nil }
        self.bits = bits
    }

    /// Reads lower-case hexadecimal without prefix; nil when it is none or the degree is not 53.
    package init?(hex: String) {
        guard let bits = Hex.number(hex.utf8) else { return nil }
        self.init(bits: bits)
    }

    /// Lower-case hexadecimal without prefix, as in the config.
    package var hex: String { String(bits, radix: 16) }

    /// Whether it has no divisor, by Ben-Or's test; a config with another one is refused.
    package var isIrreducible: Bool {
        // x^(2^i) - x is the product of all irreducible polynomials whose degree divides i.
        var power: UInt64 = 2
        for _ in 1...Self.degree / 2 {
            power = GF2.multiply(power, power, modulo: bits)
            guard GF2.greatestCommonDivisor(bits, power ^ 2) == 1 else { return false }
        }
        return true
    }

    /// A random irreducible polynomial.
    package static func random(_ entropy: any EntropySource) -> Polynomial {
        while true {
            var bits = entropy.bytes(8).littleUInt64(at: 0)
            bits = bits & (1 << 54 - 1) | 1 << 53 | 1
            if let candidate = Polynomial(bits: bits), candidate.isIrreducible { return candidate }
        }
    }
}

/// Arithmetic of polynomials over GF(2) in one word.
enum GF2 {
    /// The highest exponent; -1 for zero.
    static func degree(_ a: UInt64) -> Int { 63 - a.leadingZeroBitCount }

    /// The remainder of `a` by `modulus`.
    static func remainder(_ a: UInt64, modulo modulus: UInt64) -> UInt64 {
        let top = degree(modulus)
        var rest = a
        while degree(rest) >= top { rest ^= modulus << UInt64(degree(rest) - top) }
        return rest
    }

    /// The product of two remainders; the modulus has a degree of at most 62.
    static func multiply(_ a: UInt64, _ b: UInt64, modulo modulus: UInt64) -> UInt64 {
        let top: UInt64 = 1 << UInt64(degree(modulus))
        var product: UInt64 = 0
        var factor = remainder(a, modulo: modulus)
        var rest = b
        while rest != 0 {
            if rest & 1 != 0 { product ^= factor }
            factor <<= 1
            if factor & top != 0 { factor ^= modulus }
            rest >>= 1
        }
        return product
    }

    static func greatestCommonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, remainder(a, modulo: b)) }
        return a
    }
}
