/// Columns of text for people; a cell may hold several lines.
package struct Table: Sendable {
    private var columns: [Text] = []
    private var rows: [[[Text]]] = []
    private var footer: [Text] = []
    /// A blank line between rows, for tables whose rows have several lines.
    package var isSpaced = false

    package init(_ columns: [Text]) { self.columns = columns }

    /// Adds a row: for each column its lines.
    package mutating func add(_ cells: [[Text]]) { rows.append(cells) }

    /// Adds a line below the table.
    package mutating func addFooter(_ line: Text) { footer.append(line) }

    /// Header, rule, rows, rule, footer; no blanks at the ends of lines.
    package func lines() -> [Text] {
        var widths = columns.map { displayColumns($0.bytes) }
        for row in rows {
            for (column, cell) in row.enumerated() {
                for line in cell { widths[column] = max(widths[column], displayColumns(line.bytes)) }
            }
        }
        let rule = Text(bytes: [UInt8](repeating: 0x2d, count: widths.reduce(0, +) + (widths.count - 1) * 2))
        var lines = [joined(columns, widths), rule]
        for (number, row) in rows.enumerated() {
            if isSpaced, number > 0 { lines.append("") }
            for index in 0..<(row.map(\.count).max() ?? 1) {
                lines.append(joined(row.map { index < $0.count ? $0[index] : "" }, widths))
            }
        }
        return lines + [rule] + footer
    }

    private func joined(_ cells: [Text], _ widths: [Int]) -> Text {
        var line: [UInt8] = []
        for (column, cell) in cells.enumerated() {
            if column > 0 { line.append(contentsOf: [0x20, 0x20]) }
            line.append(contentsOf: cell.bytes)
            let missing = widths[column] - displayColumns(cell.bytes)
            if missing > 0 { line.append(contentsOf: [UInt8](repeating: 0x20, count: missing)) }
        }
        while line.last == 0x20 { line.removeLast() }
        return Text(bytes: line)
    }
}
