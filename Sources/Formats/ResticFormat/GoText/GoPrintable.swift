/// Go's table of printable code points (letters, marks, numbers, punctuation, symbols, the ASCII space), Unicode 15.0.
///
/// It is tied to the Go release that built restic 0.19.1, not to this platform: names are quoted by it, and tree IDs hash the quoted
/// form. The table is made by `scripts/make-printable-table`.
package enum GoPrintable {
    /// Whether Go prints `scalar` unescaped.
    ///
    /// Cost: a binary search of about ten steps beyond ASCII.
    package static func contains(_ scalar: UInt32) -> Bool {
        if scalar < 0x7f { return scalar >= 0x20 }
        var low = 0
        var high = flips.count
        while low < high {
            let middle = (low &+ high) / 2
            if flips[middle] <= scalar { low = middle &+ 1 } else { high = middle }
        }
        return low % 2 == 1
    }
}
