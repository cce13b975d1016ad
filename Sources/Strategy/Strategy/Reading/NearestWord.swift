/// The known word that a misspelt one most likely meant, or nil when none is near.
///
/// Near is at most two edits (insert, delete, replace, swap of neighbours), and fewer than half of the word's letters.
/// Cost: product of the lengths for each candidate; words longer than 64 characters are not compared.
package func nearestWord(to word: String, among known: [String]) -> String? {
    let wanted = Array(word.lowercased().utf8)
    guard wanted.count <= 64 else { return nil }
    var best: (word: String, distance: Int)?
    for candidate in known {
        let distance = editDistance(wanted, Array(candidate.lowercased().utf8))
        guard distance <= 2, distance * 2 < max(wanted.count, 2) else { continue }
        if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.word
}

/// Edits between two words, a swap of neighbours counting as one (optimal string alignment).
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in 0..<left.count {
        var current = [Int](repeating: row + 1, count: right.count + 1)
        for column in 0..<right.count {
            let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
            current[column + 1] = min(replaced, last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                current[column + 1] = min(current[column + 1], beforeLast[column - 1] + 1)
            }
        }
        beforeLast = last
        last = current
    }
    return last[right.count]
}
