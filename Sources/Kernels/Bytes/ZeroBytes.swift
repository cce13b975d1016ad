import Glibc

/// Whether every byte is zero, found at the speed of memory; true for no bytes.
package func isAllZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return true }
    // A buffer whose first byte is zero and that equals itself shifted by one is zero throughout.
    return bytes[0] == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
}
