import Synchronization

/// Something that happens at most once.
final class OnceFlag: Sendable {
    private let isRaised = Atomic<Bool>(false)

    /// True for the first caller.
    func raise() -> Bool { !isRaised.exchange(true, ordering: .relaxed) }
}
