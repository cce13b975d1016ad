import Foundation
import Synchronization

/// One start of a program at a time.
///
/// Foundation learns that a program has ended when the other end of a socket closes, which only that program has. Between making the socket
/// and handing it on, another start would hand it on as well: to a server that lives as long as the tests do, say, and then the end is never heard.
private let turn = Mutex(())

extension Process {
    /// As `run`, while nothing else of the tests is started.
    package func start() throws { try turn.withLock { _ in try run() } }
}
