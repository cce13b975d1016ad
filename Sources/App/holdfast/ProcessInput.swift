import Bytes
import Glibc
import ResticCommand

/// The process's arguments, its own name first, as the bytes that came.
func processArguments() -> [ByteString] {
    (0..<Int(CommandLine.argc)).compactMap { CommandLine.unsafeArgv[$0].map(bytes) }
}

/// The process's environment, as the bytes that came.
func processEnvironment() -> Environment {
    var variables: [ByteString: ByteString] = [:]
    var next = environ
    while let entry = next.pointee {
        let text = bytes(entry).bytes
        if let equals = text.firstIndex(of: UInt8(ascii: "=")) {
            variables[ByteString(Array(text[..<equals]))] = ByteString(Array(text[(equals + 1)...]))
        }
        next += 1
    }
    return Environment(variables)
}

private func bytes(_ text: UnsafeMutablePointer<CChar>) -> ByteString {
    ByteString([UInt8](UnsafeRawBufferPointer(start: text, count: strlen(text))))
}
