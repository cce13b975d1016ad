import Bytes
import ResticFormat
import Synchronization

/// The stack of a sweep over trees, and what was seen.
///
/// Isolation: any task.
final class TreeSweepState: Sendable {
    /// A tree to open, by its entry in the index, and the root through which it was found first.
    struct Item: Sendable {
        var entry: UInt32
        var root: UInt32
    }

    private struct State {
        var seen: EntrySet
        var missed: Set<BlobID> = []
        var stack: [Item] = []
        var nextRoot = 0
        /// For each root: trees on the stack or being opened, plus one until it was pushed itself.
        var outstanding: [Int32]
    }

    private let roots: [BlobID]
    private let state: Mutex<State>

    init(roots: [BlobID], seen: EntrySet) {
        self.roots = roots
        state = Mutex(State(seen: seen, outstanding: [Int32](repeating: 1, count: roots.count)))
    }

    var stackCount: Int { state.withLock { $0.stack.count } }

    /// Entries of all trees that are or were on the stack.
    var seen: EntrySet { state.withLock { $0.seen } }

    /// The next root, until there is none left.
    func nextRoot() -> (tree: BlobID, number: Int)? {
        state.withLock { state in
            guard state.nextRoot < roots.count else { return nil }
            defer { state.nextRoot += 1 }
            return (roots[state.nextRoot], state.nextRoot)
        }
    }

    func push(_ entry: Int, root: Int) {
        state.withLock { state in
            guard state.seen.insert(entry) else { return }
            state.stack.append(Item(entry: UInt32(entry), root: UInt32(root)))
            state.outstanding[root] += 1
        }
    }

    func isFirstMiss(_ tree: BlobID) -> Bool { state.withLock { $0.missed.insert(tree).inserted } }

    func takeRound(_ count: Int) -> [Item] {
        state.withLock { state in
            let round = Array(state.stack.suffix(count))
            state.stack.removeLast(round.count)
            return round
        }
    }

    /// The root was pushed; true when nothing below it is left to do.
    func endRoot(_ number: Int) -> Bool {
        state.withLock { state in
            state.outstanding[number] -= 1
            return state.outstanding[number] == 0
        }
    }

    /// The trees of the round were opened; returns how many roots are done with that.
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
