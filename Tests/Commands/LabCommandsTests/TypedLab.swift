import Console
import Foundation

import LabCommands

/// A lab of two media in a folder of its own, by the words that a person types.
final class TypedLab {
    let root = NSTemporaryDirectory() + "typed-\(UUID().uuidString)"

    static let declaration = """
        lab: home
        state: state
        media:
          os: { kind: internal, path: media/os }
          usb: { kind: removable, path: media/usb }
        repositories:
          near: { medium: os, password: "file:near.password" }
          far: { medium: usb, password: "file:far.password" }
        protect:
          - host: { paths: [source] }
            to: [near]
            objective: { rto: 4h }
            backup: { schedule: "02:00" }
        """

    /// With `change`, another declaration.
    init(_ change: (String) -> String = { $0 }) throws {
        for folder in ["source", "media/os", "media/usb"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        for number in 0..<30 { try write("source/\(number)", "file \(number)") }
        try write("holdfast.yaml", change(Self.declaration))
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func write(_ path: String, _ text: String) throws {
        try text.write(toFile: "\(root)/\(path)", atomically: false, encoding: .utf8)
    }

    func move(_ path: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: "\(root)/\(path)", toPath: "\(root)/\(other)")
    }

    func type(_ words: String...) async -> (status: Int32, output: String, errors: String) { await type(words) }

    func type(_ words: [String]) async -> (status: Int32, output: String, errors: String) {
        let (output, errors) = (MemorySink(), MemorySink())
        let screen = Screen(facts: TerminalFacts(), output: output, error: errors)
        let status = await runLab(arguments: words + ["--config", root + "/holdfast.yaml"], screen: screen)
        return (status, output.text, errors.text)
    }
}
