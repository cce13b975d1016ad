import Foundation
import HTTPTransport
import Spawning
import Testing

/// An object store on this machine; it ends when the tests do.
package final class StoreRig: Sendable {
    /// Ours: strict, and misbehaves on demand.
    package static let double = StoreRig("s3_double.py")
    package static let certified = StoreRig(
        "s3_double.py",
        [MessageRig.certificate.chain, MessageRig.certificate.key]
    )
    /// moto's, which shares no code with ours; without a port where it is not installed.
    package static let moto = StoreRig("moto_rig.py")

    /// The same, where locks of objects hold as at Amazon.
    package static let locking = StoreRig("moto_rig.py", ["locks"])

    package let port: Int
    private let input: Pipe

    package init(_ script: String, _ arguments: [String] = []) {
        let process = Process()
        let output = Pipe()
        input = Pipe()
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "\(root.path)/Support/StoreRig/\(script)"] + arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try? process.start()
        port = Int(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).filter(\.isNumber)) ?? 0
    }

    package var host: String { "127.0.0.1:\(port)" }

    /// What the server of ours does wrong from now on; also forgets what was counted.
    package func setFaults(_ rules: [[String: Any]]) async throws {
        _ = try await ask("faults", JSONSerialization.data(withJSONObject: rules))
    }

    /// Objects of so many zeros by their paths, bucket first.
    package func fill(_ objects: [String: Int]) async throws {
        _ = try await ask("fill", JSONSerialization.data(withJSONObject: objects))
    }

    /// Requests by verb since the faults were set.
    package func counts() async throws -> [String: Int] {
        try JSONSerialization.jsonObject(with: await ask("counts", nil)) as? [String: Int] ?? [:]
    }

    /// Keys of a bucket.
    package func keys(_ bucket: String) async throws -> [String] {
        let answer = try JSONSerialization.jsonObject(with: await ask("objects", nil)) as? [String: Any]
        return (answer?["objects"] as? [String: [String]])?[bucket] ?? []
    }

    /// Uploads in parts that were neither finished nor taken back.
    package func openUploads() async throws -> Int {
        let answer = try JSONSerialization.jsonObject(with: await ask("objects", nil)) as? [String: Any]
        return answer?["uploads"] as? Int ?? -1
    }

    private func ask(_ what: String, _ body: Data?) async throws -> Data {
        let request = HTTPRequest(
            .post,
            url: "http://\(host)/-/\(what)",
            body: body.map { Array($0) },
            reading: .whole(bytesMax: 64 << 20)
        )
        let settings = HTTPSettings(connectSeconds: 600, answerSeconds: 600)
        return Data(try await HTTPErrand.with(settings) { try await $0.send(request) }.body)
    }
}
