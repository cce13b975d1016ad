import Bytes

/// `{"nodes":[` nodes joined by commas `]}` and a newline.
package enum TreeDocument {
    /// Appends what stands before the first node.
    package static func open(_ output: inout [UInt8]) { output.append(contentsOf: Array("{\"nodes\":[".utf8)) }
    /// Appends what stands behind the last node.
    package static func close(_ output: inout [UInt8]) { output.append(contentsOf: Array("]}\n".utf8)) }

    package static func encode(_ nodes: [Node]) -> [UInt8] {
        var output: [UInt8] = []
        open(&output)
        for (index, node) in nodes.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            node.append(to: &output)
        }
        close(&output)
        return output
    }
}

/// Reads a tree document node by node.
package struct TreeReader: Sendable {
    private enum Stage { case start, nodes, done }

    private let document: [UInt8]
    private var position = 0
    private var stage = Stage.start

    package init(_ document: [UInt8]) { self.document = document }

    /// The next node, or nil at the end of a well-formed document.
    package mutating func next() throws(FormatError) -> Node? {
        var failure: FormatError?
        let node: Node? = document.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes, from: position)
            do throws(FormatError) {
                let node = try step(&reader)
                position = reader.position
                return node
            } catch {
                failure = error
                return nil
            }
        }
        if let failure {
            stage = .done
            throw failure
        }
        return node
    }

    private mutating func step(_ reader: inout JSONReader) throws(FormatError) -> Node? {
        switch stage {
        case .done: return nil
        case .start:
            try reader.expect(UInt8(ascii: "{"))
            while true {
                let (key, _) = try reader.rawString()
                try reader.expect(UInt8(ascii: ":"))
                if matches(key, "nodes") { break }
                try reader.skip()
                try reader.expect(UInt8(ascii: ","))
            }
            stage = .nodes
            if try reader.takeNull() { return try finish(&reader) }
            try reader.expect(UInt8(ascii: "["))
            if try reader.take(UInt8(ascii: "]")) { return try finish(&reader) }
        case .nodes:
            if try reader.take(UInt8(ascii: "]")) { return try finish(&reader) }
            try reader.expect(UInt8(ascii: ","))
        }
        return try Node(reading: &reader)
    }

    private mutating func finish(_ reader: inout JSONReader) throws(FormatError) -> Node? {
        while !(try reader.take(UInt8(ascii: "}"))) {
            try reader.expect(UInt8(ascii: ","))
            _ = try reader.rawString()
            try reader.expect(UInt8(ascii: ":"))
            try reader.skip()
        }
        try reader.end()
        stage = .done
        return nil
    }
}

/// Go's `os.FileMode` bits.
package enum GoMode {
    package static let directory: UInt32 = 1 << 31
    package static let symlink: UInt32 = 1 << 27
    package static let device: UInt32 = 1 << 26
    package static let fifo: UInt32 = 1 << 25
    package static let socket: UInt32 = 1 << 24
    package static let setuid: UInt32 = 1 << 23
    package static let setgid: UInt32 = 1 << 22
    package static let characterDevice: UInt32 = 1 << 21
    package static let sticky: UInt32 = 1 << 20
    package static let irregular: UInt32 = 1 << 19

    /// From `st_mode`.
    package static func from(unix mode: UInt32) -> UInt32 {
        var result = mode & 0o777
        switch mode & 0o170000 {
        case 0o040000: result |= directory
        case 0o120000: result |= symlink
        case 0o060000: result |= device
        case 0o020000: result |= device | characterDevice
        case 0o010000: result |= fifo
        case 0o140000: result |= socket
        case 0o100000: break
        default: result |= irregular
        }
        if mode & 0o4000 != 0 { result |= setuid }
        if mode & 0o2000 != 0 { result |= setgid }
        if mode & 0o1000 != 0 { result |= sticky }
        return result
    }

    /// Permission bits with setuid, setgid and sticky, for chmod.
    package static func permissions(_ mode: UInt32) -> UInt32 {
        var result = mode & 0o777
        if mode & setuid != 0 { result |= 0o4000 }
        if mode & setgid != 0 { result |= 0o2000 }
        if mode & sticky != 0 { result |= 0o1000 }
        return result
    }
}
