package import Bytes
package import HostSystem
import Synchronization

/// The two output streams of a command and, on a terminal, the status lines at the bottom.
///
/// 1. Lines never mix with the status: it is taken away, the line printed, the status drawn again, all in one write.
/// 2. Listings go through `bulk`: many lines, one write. Everything else appears at once, and pushes waiting bulk out first.
/// 3. When the reader of standard output is gone, further output is dropped and `isOutputGone` says so; the work goes on.
/// Isolation: any task; one mutex held while writing.
package final class Screen: Sendable {
    private static let bulkBytes = 64 << 10

    package let facts: TerminalFacts
    private let output: any ByteSink
    private let error: any ByteSink
    private let columns: @Sendable () -> Int
    private let state = Mutex(State())

    private struct State {
        var pending: [UInt8] = []
        var status: [[UInt8]] = []
        var outputFailure: Errno?
        var isOutputGone: Bool { outputFailure != nil }
    }

    package init(
        facts: TerminalFacts,
        output: any ByteSink = StandardSink.output,
        error: any ByteSink = StandardSink.error,
        columns: @escaping @Sendable () -> Int = { TerminalFacts.outputColumns }
    ) {
        self.facts = facts
        self.output = output
        self.error = error
        self.columns = columns
    }

    /// True once standard output refused bytes.
    package var isOutputGone: Bool { outputFailure != nil }

    /// Why standard output refused bytes; nil while it takes them.
    package var outputFailure: Errno? { state.withLock { $0.outputFailure } }

    /// Prints a line; a line break is added unless it ends in one.
    package func line(_ text: Text) {
        state.withLock { state in
            flushPending(&state)
            var bytes = clearing(state)
            bytes.append(contentsOf: text.bytes)
            endLine(&bytes)
            bytes.append(contentsOf: drawing(state))
            send(bytes, &state)
        }
    }

    /// Prints a line of a listing: waits in a buffer of 64 KiB with its neighbours.
    package func bulk(_ text: Text) {
        state.withLock { state in
            state.pending.append(contentsOf: text.bytes)
            if text.bytes.last != 0x0a { state.pending.append(0x0a) }
            if state.pending.count >= Self.bulkBytes { flushPending(&state) }
        }
    }

    /// Writes bytes as they are, without a line break.
    package func raw(_ bytes: [UInt8]) {
        state.withLock { state in
            flushPending(&state)
            send(bytes, &state)
        }
    }

    /// Writes bytes as they are and says why that failed; for contents, where a missing byte must not go unnoticed.
    package func stream(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        let failure: Errno? = state.withLock { state in
            flushPending(&state)
            do throws(Errno) {
                try output.send(bytes)
                return nil
            } catch {
                state.outputFailure = error
                return error
            }
        }
        if let failure { throw failure }
    }

    /// Prints a line to standard error.
    package func errorLine(_ text: Text) {
        state.withLock { state in
            flushPending(&state)
            let clear = clearing(state)
            if !clear.isEmpty { send(clear, &state) }
            var bytes = text.bytes
            endLine(&bytes)
            _ = error.write(bytes)
            let draw = drawing(state)
            if !draw.isEmpty { send(draw, &state) }
        }
    }

    /// Writes to standard error without a line break (a prompt).
    package func errorRaw(_ bytes: [UInt8]) {
        state.withLock { state in
            flushPending(&state)
            _ = error.write(bytes)
        }
    }

    /// Shows these status lines until the next call; an empty list takes them away.
    ///
    /// On a terminal they are cut to its width and drawn in place. Elsewhere they are printed as lines, when they changed.
    package func setStatus(_ lines: [Text]) {
        let width = facts.canUpdateStatus ? columns() : 0
        let shown = lines.map { line in
            let quoted = quotedForDisplay(ByteString(line.bytes)).bytes
            return width > 0 ? truncated(quoted, toColumns: width - 2) : quoted
        }
        state.withLock { state in
            guard shown != state.status else { return }
            flushPending(&state)
            if facts.canUpdateStatus {
                guard !TerminalFacts.isInBackground else { return }
                let clear = clearing(state)
                state.status = shown
                send(clear + drawing(state), &state)
            } else {
                state.status = shown
                var bytes: [UInt8] = []
                for line in shown {
                    bytes.append(contentsOf: line)
                    endLine(&bytes)
                }
                if !bytes.isEmpty { send(bytes, &state) }
            }
        }
    }

    /// Pushes out what waits.
    package func flush() {
        state.withLock { flushPending(&$0) }
    }

    /// A name for standard output: as it is in a pipe, with control characters and broken UTF-8 escaped on a terminal.
    package func shown(_ name: ByteString) -> ByteString {
        facts.outputIsTerminal ? quotedForDisplay(name) : name
    }

    private func flushPending(_ state: inout State) {
        guard !state.pending.isEmpty else { return }
        var bytes = clearing(state)
        bytes.append(contentsOf: state.pending)
        bytes.append(contentsOf: drawing(state))
        state.pending.removeAll(keepingCapacity: true)
        send(bytes, &state)
    }

    private func send(_ bytes: [UInt8], _ state: inout State) {
        guard !state.isOutputGone, !bytes.isEmpty else { return }
        let failure: Errno? = bytes.withUnsafeBytes { bytes in
            do throws(Errno) {
                try output.send(bytes)
                return nil
            } catch {
                return error
            }
        }
        state.outputFailure = failure
    }

    private func endLine(_ bytes: inout [UInt8]) {
        if bytes.last != 0x0a { bytes.append(0x0a) }
    }

    /// From the first status line: carriage return, erase to the end of the screen.
    private func clearing(_ state: State) -> [UInt8] {
        facts.canUpdateStatus && !state.status.isEmpty ? Array("\r\u{1b}[J".utf8) : []
    }

    /// The status lines, the cursor back at the first of them.
    private func drawing(_ state: State) -> [UInt8] {
        guard facts.canUpdateStatus, !state.status.isEmpty else { return [] }
        var bytes = Array(state.status.joined(separator: [0x0a]))
        bytes.append(0x0d)
        if state.status.count > 1 { bytes.append(contentsOf: "\u{1b}[\(state.status.count - 1)A".utf8) }
        return bytes
    }
}
