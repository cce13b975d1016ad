import Synchronization

import ResticRepository

/// Spoils one byte of the `number`-th buffer at a stage; counts how many passed there.
final class Spoiler: Sendable {
    private let stage: BlobStage
    private let number: Int
    private let place: Int?
    private let count = Mutex(0)

    /// `place`: from the start, or from the end when it is negative; nil for the middle.
    init(_ stage: BlobStage, number: Int, place: Int? = nil) {
        self.stage = stage
        self.number = number
        self.place = place
    }

    var passed: Int { count.withLock { $0 } }

    func spoil(_ stage: BlobStage, _ bytes: UnsafeMutableRawBufferPointer) {
        guard stage == self.stage, !bytes.isEmpty else { return }
        let turn = count.withLock { count in
            defer { count += 1 }
            return count
        }
        guard turn == number else { return }
        let place = place ?? bytes.count / 2
        bytes[place < 0 ? bytes.count + place : place % bytes.count] ^= 0x10
    }
}
