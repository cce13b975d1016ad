import CKernels

/// The MD5 of `bytes`: the checksum that object stores compare what arrived with; nil where this system's policy forbids it.
///
/// It finds accidents and stops nobody; what a repository holds is proven by SHA-256 and MACs.
package func md5(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    var digest = [UInt8](repeating: 0, count: 16)
    return hf_md5(bytes.baseAddress, bytes.count, &digest) ? digest : nil
}
