import Strategy
import Synchronization

/// Password files that this run has made: no repository can have been made with them before it (B-09).
///
/// Forgotten at the end of the run: what a long-lived process made last week says nothing about the disk that is mounted today.
final class NewPasswords: Sendable {
    private let references = Mutex<Set<SecretReference>>([])

    func add(_ reference: SecretReference) { references.withLock { _ = $0.insert(reference) } }
    func holds(_ reference: SecretReference) -> Bool { references.withLock { $0.contains(reference) } }
    func forget() { references.withLock { $0 = [] } }
}
