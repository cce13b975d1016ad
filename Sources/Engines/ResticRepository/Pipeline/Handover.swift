import Synchronization

/// A bounded hand-over of work between the tasks of one flow.
///
/// Back-pressure: `send` suspends while `capacity` items wait, until half of them are gone. Failure and end are heard by everyone
/// who waits and everyone who comes later. Order: first in, first out; nobody overtakes a sender that waits.
package final class Handover<Item: Sendable>: Sendable {
    private struct Sender {
        let continuation: CheckedContinuation<Void, any Error>
        let item: Item
    }

    private typealias Receiver = CheckedContinuation<Item?, Never>

    private struct State {
        /// Those before `first` are handed over, and nil: what they hold must not live on here.
        var items: [Item?] = []
        var first = 0
        /// Served before all others.
        var urgent: Item?
        var senders: [Sender] = []
        var receivers: [Receiver] = []
        var isFinished = false
        var failure: (any Error)?

        var count: Int { items.count - first }

        mutating func takeFirst() -> Item? {
            let item = items[first].take()
            first += 1
            if first > 64, first * 2 > items.count {
                items.removeFirst(first)
                first = 0
            }
            return item
        }

        /// The item that is next, and the senders whose own are in the queue now.
        ///
        /// Senders go on when the queue is half empty, not at each item: a queue that is always full would otherwise wake one for
        /// each item, and waking costs more than a small file does.
        mutating func takeNext(capacity: Int) -> (Item?, [Sender]) {
            if let item = urgent {
                urgent = nil
                return (item, [])
            }
            guard count > 0 else {
                // Nothing may wait in between (capacity 0): from hand to hand.
                guard !senders.isEmpty else { return (nil, []) }
                let sender = senders.removeFirst()
                return (sender.item, [sender])
            }
            let item = takeFirst()
            guard !senders.isEmpty, count <= capacity / 2 else { return (item, []) }
            let admitted = Array(senders.prefix(capacity - count))
            senders.removeFirst(admitted.count)
            items.append(contentsOf: admitted.map(\.item))
            return (item, admitted)
        }
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// `capacity` items wait before senders do.
    package init(capacity: Int) { self.capacity = capacity }

    private enum SendOutcome {
        case queued
        case waiting
        case delivered(Receiver)
        case refused(any Error)
    }

    /// Hands an item over; throws what `fail` was given when nobody will take it any more.
    package func send(_ item: Item) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let outcome: SendOutcome = state.withLock { state in
                if let failure = state.failure { return .refused(failure) }
                if let receiver = state.receivers.popLast() { return .delivered(receiver) }
                if state.senders.isEmpty, state.count < capacity {
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

    /// Hands over an item that is served before all others, without waiting; false when one such item waits already.
    package func sendUrgent(_ item: Item) -> Bool {
        let (isTaken, receiver) = state.withLock { state -> (Bool, Receiver?) in
            guard state.failure == nil, state.urgent == nil else { return (false, nil) }
            if let receiver = state.receivers.popLast() { return (true, receiver) }
            state.urgent = item
            return (true, nil)
        }
        receiver?.resume(returning: item)
        return isTaken
    }

    /// Whether `sendUrgent` would take an item now.
    package var wantsUrgent: Bool { state.withLock { $0.failure == nil && $0.urgent == nil } }

    /// The next item, if one is there.
    package func tryReceive() -> Item? {
        let (item, admitted) = state.withLock { $0.failure == nil ? $0.takeNext(capacity: capacity) : (nil, []) }
        for sender in admitted { sender.continuation.resume() }
        return item
    }

    private enum ReceiveOutcome {
        case item(Item, [Sender])
        case end
        case waiting
    }

    /// The next item, or nil when no more will come.
    package func receive() async -> Item? {
        await withCheckedContinuation { continuation in
            let outcome: ReceiveOutcome = state.withLock { state in
                if state.failure != nil { return .end }
                if case (let item?, let admitted) = state.takeNext(capacity: capacity) { return .item(item, admitted) }
                if state.isFinished { return .end }
                state.receivers.append(continuation)
                return .waiting
            }
            switch outcome {
            case .item(let item, let admitted):
                for sender in admitted { sender.continuation.resume() }
                continuation.resume(returning: item)
            case .end: continuation.resume(returning: nil)
            case .waiting: break
            }
        }
    }

    /// No more items will come; waiting receivers end when the queue is empty.
    package func finish() {
        let receivers = state.withLock { state in
            state.isFinished = true
            defer { state.receivers = [] }
            return state.receivers
        }
        for receiver in receivers { receiver.resume(returning: nil) }
    }

    /// The flow failed: everyone who waits, and everyone who comes, hears it.
    package func fail(_ error: any Error) {
        let (senders, receivers) = state.withLock { state in
            if state.failure == nil { state.failure = error }
            defer {
                state.senders = []
                state.receivers = []
                state.items = []
                state.first = 0
                state.urgent = nil
            }
            return (state.senders, state.receivers)
        }
        for sender in senders { sender.continuation.resume(throwing: error) }
        for receiver in receivers { receiver.resume(returning: nil) }
    }
}
