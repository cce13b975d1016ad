package import Bytes
package import Console

/// One option of a command line: how it is written, what it takes, what it does.
package struct Flag: Sendable {
    /// What may stand after the option.
    package enum Kind: Sendable {
        /// Nothing, or `=true`, `=false`.
        case switched
        /// Nothing, each time counts one; or `=N`.
        case counted
        case integer
        case unsigned
        case duration
        case string
        /// Every occurrence adds one value.
        case strings
        /// Every occurrence adds comma-separated values.
        case list
        /// A word that must pass a check; the answer is the complaint.
        case checked(@Sendable (ByteString) -> Text?)
    }

    /// The name without its two dashes.
    package var name: String
    /// The letter of the short form.
    package var shorthand: UInt8?
    var kind: Kind
    /// What the help calls the value.
    var placeholder = ""
    var help: String
    /// The default as the help shows it.
    var defaultText = ""
    /// Advice printed when it is used; such options are not in the help.
    var deprecation: String?
    /// True for options that the help leaves out.
    package var isHidden = false

    init(
        _ name: String,
        _ shorthand: Character? = nil,
        _ kind: Kind = .switched,
        _ placeholder: String = "",
        _ help: String,
        defaultText: String = "",
        deprecation: String? = nil,
        isHidden: Bool = false
    ) {
        self.name = name
        self.shorthand = shorthand?.asciiValue
        self.kind = kind
        self.placeholder = placeholder
        self.help = help
        self.defaultText = defaultText
        self.deprecation = deprecation
        self.isHidden = isHidden || deprecation != nil
    }

    /// What stands for the value when none is given, or nil when one must be given.
    var valueWhenBare: ByteString? {
        switch kind {
        case .switched: "true"
        case .counted: "+1"
        case .integer, .unsigned, .duration, .string, .strings, .list, .checked: nil
        }
    }

    /// `-g, --group-by`, as error messages name it.
    var display: String {
        shorthand.map { "-\(Character(Unicode.Scalar($0))), --\(name)" } ?? "--\(name)"
    }
}
