/// What may stand at one place of a declaration.
///
/// One definition serves the reader, the JSON Schema for editors and the manual, so none of them can know a key that the others do not.
package indirect enum Shape: Sendable {
    case scalar(ScalarShape)
    /// At least one entry; a lone entry may stand without brackets.
    case list(Shape)
    case table(TableShape)
    /// Names that the operator chooses, each with the same shape behind it; at least one.
    case names(of: Shape)
}

/// A table with a fixed set of keys.
package struct TableShape: Sendable {
    package var keys: [Key]
    /// Exactly one of these keys stands in it; empty: any.
    package var alternatives: [String] = []
    /// At least one of these keys stands in it; empty: none has to.
    package var atLeastOne: [String] = []

    package init(_ keys: [Key], alternatives: [String] = [], atLeastOne: [String] = []) {
        self.keys = keys
        self.alternatives = alternatives
        self.atLeastOne = atLeastOne
    }

    /// The key of that name.
    package func key(_ name: String) -> Key? { keys.first { $0.name == name } }
}

/// A key of a table.
package struct Key: Sendable {
    package var name: String
    package var shape: Shape
    package var isRequired: Bool
    /// What counts where the key is absent, as it would be written; nil: nothing.
    package var fallback: String?
    /// One sentence for the manual and for editors.
    package var summary: String

    package init(_ name: String, _ shape: Shape, _ summary: String, isRequired: Bool = false, fallback: String? = nil) {
        self.name = name
        self.shape = shape
        self.isRequired = isRequired
        self.fallback = fallback
        self.summary = summary
    }

    /// What to do where the key is missing.
    var remedy: String { "add \"\(name)\": \(summary)" }
}

/// A single value.
package indirect enum ScalarShape: Sendable {
    /// A sentence or a word that means nothing to the program.
    case text
    /// An absolute folder or file; a relative one counts from the folder of the file it stands in.
    case path
    /// An exclude pattern in restic's language.
    case pattern
    case choice([Choice])
    /// A name that the operator chose behind that key of the file.
    case reference(to: String)
    case secret
    /// An address of the web, or a reference to a secret that is one.
    case address
    /// An address and a port that only this machine reaches.
    case loopback
    /// A text in Mustache.
    case template
    case schedule
    case timeZone
    case duration
    case size
    /// Bytes a second, all day or from times of the day on.
    case rate
    /// The number that a file system got when it was made.
    case fileSystemUUID
    /// A number with up to nine digits behind its point, in a currency that is named elsewhere.
    case money
    case count(ClosedRange<Int64>)
    /// A span on the calendar, as restic writes it: `1y6m`.
    case calendarSpan
    case flag
    /// That word, or the other.
    case word(String, or: ScalarShape)
}

/// One of the words that a key takes.
package struct Choice: Sendable {
    package var word: String
    package var summary: String
    /// Why a word that people will write is not taken here, and what to write instead; nil: it is.
    package var refusal: NotationError?

    package init(_ word: String, _ summary: String, refusal: NotationError? = nil) {
        self.word = word
        self.summary = summary
        self.refusal = refusal
    }
}
