import Synchronization

/// A bounded hand-over of work between the tasks of one flow.
///
/// Back-pressure: `send` suspends while `capacity` items wait. Failure and end are heard by everyone who waits and everyone who
/// comes later. Order: first in, first out.
final class Handover<Item: Sendable>: Sendable {
    private struct Sender {
        let continuation: CheckedContinuation<Void, any Error>
        let item: Item
    }

    private typealias Receiver = CheckedContinuation<Item?, Never>

    private struct State {
        var items: [Item] = []
        var first = 0
        var senders: [Sender] = []
        var receivers: [Receiver] = []
        var isFinished = false
        var failure: (any Error)?

        var count: Int { items.count - first }

        mutating func takeFirst() -> Item {
            let item = items[first]
            first += 1
            if first > 64, first * 2 > items.count {
                items.removeFirst(first)
                first = 0
            }
            return item
        }
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    private enum SendOutcome {
        case queued
        case waiting
        case delivered(Receiver)
        case refused(any Error)
    }

    /// Hands an item over; throws what `fail` was given when nobody will take it any more.
    func send(_ item: Item) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let outcome: SendOutcome = state.withLock { state in
                if let failure = state.failure { return .refused(failure) }
                if let receiver = state.receivers.popLast() { return .delivered(receiver) }
                if state.count < capacity {
                    state.items.append(item)
                    return .queued
                }
                state.senders.append(Sender(continuation: continuation, item: item))
                return .waiting
            }
            switch outcome {
            case .queued: continuation.resume()
            case .waiting: break
            case .delivered(let receiver):
                receiver.resume(returning: item)
                continuation.resume()
            case .refused(let error): continuation.resume(throwing: error)
            }
        }
    }

    /// Hands the item to a task that waits for work, if there is one; else the caller does the work itself.
    func sendIfIdle(_ item: @autoclosure () -> Item) -> Bool {
        let receiver: Receiver? = state.withLock { state in
            state.failure == nil ? state.receivers.popLast() : nil
        }
        guard let receiver else { return false }
        receiver.resume(returning: item())
        return true
    }

    /// True while some task waits for work.
    var hasIdleReceiver: Bool { state.withLock { !$0.receivers.isEmpty } }

    private enum ReceiveOutcome {
        case item(Item, Sender?)
        case end
        case waiting
    }

    /// The next item, or nil when no more will come.
    func receive() async -> Item? {
        await withCheckedContinuation { continuation in
            let outcome: ReceiveOutcome = state.withLock { state in
                if state.failure != nil { return .end }
                if state.count > 0 {
                    let item = state.takeFirst()
                    guard !state.senders.isEmpty else { return .item(item, nil) }
                    let sender = state.senders.removeFirst()
                    state.items.append(sender.item)
                    return .item(item, sender)
                }
                if state.isFinished { return .end }
                state.receivers.append(continuation)
                return .waiting
            }
            switch outcome {
            case .item(let item, let sender):
                sender?.continuation.resume()
                continuation.resume(returning: item)
            case .end: continuation.resume(returning: nil)
            case .waiting: break
            }
        }
    }

    /// No more items will come; waiting receivers end when the queue is empty.
    func finish() {
        let receivers = state.withLock { state in
            state.isFinished = true
            defer { state.receivers = [] }
            return state.receivers
        }
        for receiver in receivers { receiver.resume(returning: nil) }
    }

    /// The flow failed: everyone who waits, and everyone who comes, hears it.
    func fail(_ error: any Error) {
        let (senders, receivers) = state.withLock { state in
            if state.failure == nil { state.failure = error }
            defer {
                state.senders = []
                state.receivers = []
                state.items = []
                state.first = 0
            }
            return (state.senders, state.receivers)
        }
        for sender in senders { sender.continuation.resume(throwing: error) }
        for receiver in receivers { receiver.resume(returning: nil) }
    }
}
