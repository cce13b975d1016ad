import Bytes
import Synchronization

/// The stack of a walk over all trees, and what was seen.
///
/// Isolation: any task.
final class TreeWalkState: Sendable {
    /// A tree to open, by its entry in the index, and the snapshot through which it was found first.
    struct Item: Sendable {
        var entry: UInt32
        var root: UInt32
    }

    private struct State {
        var seen: EntrySet
        var used: EntrySet
        var missed: Set<BlobID> = []
        var stack: [Item] = []
        var nextRoot = 0
        /// For each snapshot: trees on the stack or being opened, plus one until its root was pushed.
        var outstanding: [Int32]
    }

    let tracksUse: Bool
    private let roots: [BlobID?]
    private let state: Mutex<State>

    init(entries: Int, roots: [BlobID?], tracksUse: Bool) {
        self.roots = roots
        self.tracksUse = tracksUse
        state = Mutex(
            State(
                seen: EntrySet(count: entries),
                used: EntrySet(count: tracksUse ? entries : 0),
                outstanding: [Int32](repeating: 1, count: roots.count)
            )
        )
    }

    var stackCount: Int { state.withLock { $0.stack.count } }

    /// Blobs that were met, if that was asked for.
    var used: EntrySet? { tracksUse ? state.withLock { $0.used } : nil }

    /// The next snapshot's tree; the outer nil says that there is none left.
    func nextRoot() -> (tree: BlobID?, number: Int)? {
        state.withLock { state in
            guard state.nextRoot < roots.count else { return nil }
            defer { state.nextRoot += 1 }
            return (roots[state.nextRoot], state.nextRoot)
        }
    }

    func push(_ entry: Int, root: Int) {
        state.withLock { state in
            guard state.seen.insert(entry) else { return }
            if tracksUse { _ = state.used.insert(entry) }
            state.stack.append(Item(entry: UInt32(entry), root: UInt32(root)))
            state.outstanding[root] += 1
        }
    }

    func isFirstMiss(_ tree: BlobID) -> Bool { state.withLock { $0.missed.insert(tree).inserted } }

    func markUsed(_ entries: [Int]) {
        state.withLock { state in
            for entry in entries { _ = state.used.insert(entry) }
        }
    }

    func takeRound(_ count: Int) -> [Item] {
        state.withLock { state in
            let round = Array(state.stack.suffix(count))
            state.stack.removeLast(round.count)
            return round
        }
    }

    /// The root was pushed; true when nothing of that snapshot is left to do.
    func endRoot(_ number: Int) -> Bool {
        state.withLock { state in
            state.outstanding[number] -= 1
            return state.outstanding[number] == 0
        }
    }

    /// The trees of the round were opened; returns how many snapshots are done with that.
    func endRound(_ round: [Item]) -> Int {
        state.withLock { state in
            var finished = 0
            for item in round {
                state.outstanding[Int(item.root)] -= 1
                if state.outstanding[Int(item.root)] == 0 { finished += 1 }
            }
            return finished
        }
    }
}
