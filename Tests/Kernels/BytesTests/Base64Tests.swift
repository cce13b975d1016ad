import Bytes
import Testing

/// RFC 4648: its examples, and texts that no encoder writes.
@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `the examples of RFC 4648, both ways`(plain: String, text: String) {
        #expect(Base64.encode(plain.utf8) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test(arguments: ["Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9v", "Zm9v\n", "Zm9-", "=Zg="])
    func `a text that no encoder writes is refused`(text: String) { #expect(Base64.decode(text) == nil) }

    @Test func `all bytes survive`() {
        let bytes = (0...255).map { UInt8($0) }
        for count in 250...256 {
            #expect(Base64.decode(Base64.encode(bytes.prefix(count))) == Array(bytes.prefix(count)))
        }
    }
}
