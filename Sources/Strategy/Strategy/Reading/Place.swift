/// A place in one of the files of a declaration.
package struct Place: Sendable, Hashable, Comparable {
    /// As the operator knows it: `holdfast.yaml`.
    package var file: String
    /// From 1; 0 when the file as a whole is meant.
    package var line: Int
    /// From 1, in characters; 0 when the line as a whole is meant.
    package var column: Int

    package init(file: String, line: Int = 0, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `holdfast.yaml:12:7`, the form that editors follow.
    package var text: String {
        switch (line, column) {
        case (0, _): file
        case (_, 0): "\(file):\(line)"
        default: "\(file):\(line):\(column)"
        }
    }

    package static func < (left: Place, right: Place) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
