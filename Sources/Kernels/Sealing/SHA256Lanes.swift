package import Bytes
import CKernels

/// SHA-256 of several messages at a time, in lanes of wide registers where that is faster than one after the other.
package enum SHA256Lanes {
    /// What computes; all give the same digests.
    package enum Form: Sendable, Hashable, CaseIterable {
        /// The fastest on this processor.
        case best
        /// Wide lanes, also where one message after the other is faster; plain without wide registers.
        case wide
        /// One message after the other.
        case plain

        fileprivate var cValue: hf_lanes {
            switch self {
            case .best: HF_LANES_BEST
            case .wide: HF_LANES_WIDE
            case .plain: HF_LANES_PLAIN
            }
        }
    }

    /// Messages that are advanced in step.
    package static let count = Int(HF_LANE_COUNT)

    /// Whether several messages together cost less than one after the other on this processor.
    package static var isFaster: Bool { hf_sha256_has_lanes() }

    /// The digests of whole messages, in their order; the pieces are added to their chains beside them.
    ///
    /// Cost: for eight messages of one length about a fifth of their plain cost; the longest bounds the gain. Two allocations.
    package static func digests(
        of messages: [UnsafeRawBufferPointer],
        beside pieces: [SHA256Piece] = [],
        form: Form = .best
    ) -> [Digest] {
        var digests = [Digest](repeating: .zero, count: messages.count)
        digests.withUnsafeMutableBytes { room in
            let start = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            // Pieces are mostly the longest, so they come first and the messages fill the other lanes.
            var records = pieces.map(\.record)
            for (number, message) in messages.enumerated() {
                records.append(
                    hf_sha256_message(
                        bytes: message.baseAddress?.assumingMemoryBound(to: UInt8.self),
                        count: message.count,
                        digest: start.map { $0 + number * Digest.byteCount },
                        chain: nil
                    )
                )
            }
            hf_sha256_many(&records, records.count, form.cValue)
            for position in stride(from: 0, to: room.count, by: Digest.byteCount) {
                let bytes = UnsafeRawBufferPointer(rebasing: room[position..<position + Digest.byteCount])
                room.storeBytes(of: Digest(bytes: bytes), toByteOffset: position, as: Digest.self)
            }
        }
        return digests
    }
}

/// The SHA-256 of a long message as it grows by whole blocks, which may be hashed beside other messages.
///
/// For one task at a time.
package final class SHA256Chain {
    /// Bytes of a block.
    package static let blockBytes = 64
    fileprivate let chain: UnsafeMutablePointer<hf_sha256_chain>

    package init() {
        chain = .allocate(capacity: 1)
        chain.initialize(to: hf_sha256_chain_start())
    }

    deinit { chain.deallocate() }

    /// Bytes hashed so far.
    package var count: Int { Int(chain.pointee.count) }

    /// The digest of what was hashed so far followed by `rest`.
    package func finish(_ rest: UnsafeRawBufferPointer) -> Digest {
        withUnsafeTemporaryAllocation(byteCount: Digest.byteCount, alignment: 8) { room in
            if let start = room.baseAddress?.assumingMemoryBound(to: UInt8.self) {
                hf_sha256_chain_finish(chain, rest.baseAddress?.assumingMemoryBound(to: UInt8.self), rest.count, start)
            }
            return Digest(bytes: UnsafeRawBufferPointer(room))
        }
    }
}

/// The next whole blocks of a long message.
package struct SHA256Piece {
    fileprivate let record: hf_sha256_message
    private let chain: SHA256Chain

    /// `bytes` are lent until they were hashed; traps unless they are whole blocks.
    package init(_ bytes: UnsafeRawBufferPointer, of chain: SHA256Chain) {
        precondition(bytes.count % SHA256Chain.blockBytes == 0, "a piece of a long message ends inside a block")
        self.chain = chain
        record = hf_sha256_message(
            bytes: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
            count: bytes.count,
            digest: nil,
            chain: chain.chain
        )
    }
}
