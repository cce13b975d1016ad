package import Bytes
package struct PatternList: Sendable {
    package init(_ patterns: [ByteString], ignoringCase: Bool = false) {}
    func matches(_ path: ByteString) -> Bool { false }
}
