import Bytes

/// Which entries of a snapshot are restored.
struct RestoreSelection: Sendable {
    let includes: [PatternList]
    let excludes: [PatternList]

    init(_ request: RestoreRequest) {
        includes = request.includes.filter { !$0.isEmpty }
        excludes = request.excludes.filter { !$0.isEmpty }
    }

    var isEverything: Bool { includes.isEmpty && excludes.isEmpty }

    /// Whether the entry itself is restored, and whether something below it may be.
    func decide(_ path: @autoclosure () -> ByteString, isDirectory: Bool) -> (selected: Bool, childMayBe: Bool) {
        if isEverything { return (true, isDirectory) }
        let path = path()
        if !excludes.isEmpty {
            let selected = !excludes.contains { $0.matches(path) }
            return (selected, selected && isDirectory)
        }
        var selected = false
        var childMayBe = false
        for list in includes {
            let (matched, below) = list.evaluate(path)
            selected = selected || matched
            childMayBe = childMayBe || below
        }
        return (selected, childMayBe && isDirectory)
    }
}
