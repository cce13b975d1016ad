import CKernels

/// Places in text, found many bytes at a time where the processor can.
package enum TextScan {
    /// What computes; both give the same.
    package enum Form: Sendable, CaseIterable { case best, plain }

    /// The index behind the bracket that closes the JSON object which is open at `position`; nil when it does not end, or when more
    /// than `depthMax` brackets, its own included, are open.
    ///
    /// Brackets inside strings do not count, escapes are passed over, and nothing else is looked at. `position` lies outside of strings.
    package static func endOfObject(
        in bytes: UnsafeRawBufferPointer,
        from position: Int,
        depthMax: Int,
        form: Form = .best
    ) -> Int? {
        precondition(position >= 0 && depthMax >= 0)
        guard position < bytes.count, let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return nil
        }
        let end = hf_json_object_end(base, bytes.count, position, depthMax, form == .plain)
        return end == 0 ? nil : end
    }

    /// Where `word`, which is not empty, first stands at or behind `position`.
    package static func find(_ word: StaticString, in bytes: UnsafeRawBufferPointer, from position: Int) -> Int? {
        precondition(position >= 0 && word.utf8CodeUnitCount > 0)
        guard position < bytes.count, let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return nil
        }
        let place = hf_find(base, bytes.count, position, word.utf8Start, word.utf8CodeUnitCount)
        return place < bytes.count ? place : nil
    }
}
