import Foundation
import Testing

import Daemon
import HostSystem
import TestSupport

/// What the daemon answers to whoever asks on this machine, and tells checks outside.
@Suite struct HealthTests {
    /// A port that was free a moment ago.
    private static func freePort() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, length) == 0 && getsockname(socket, address, &length) == 0
            }
        }
        try #require(bound)
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Status and document; nil when nobody answers.
    private static func ask(_ port: Int, _ path: String = "health") -> (status: Int, body: String)? {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c",
            """
            import http.client, sys
            c = http.client.HTTPConnection("127.0.0.1", \(port), timeout=20)
            c.request("GET", "/\(path)")
            r = c.getresponse()
            print(r.status, r.read().decode())
            """,
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let status = Int(parts[0]) else { return nil }
        return (status, String(parts[1]))
    }

    @Test func `it answers whether promises are kept, and ends with the daemon`() async throws {
        let port = try Self.freePort()
        let served = try Served()
        try served.declare(Served.text + "\nserve: { health: \"127.0.0.1:\(port)\" }\n")
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            try await served.wait("the judgement") { Self.ask(port)?.body.contains("next_run") == true }
            let well = try #require(Self.ask(port))
            #expect(well.status == 200)
            #expect(well.body.contains("\"status\":\"ok\""))
            #expect(well.body.contains("\"last_run\":\"one ok, two ok\""))
            #expect(Self.ask(port, "other")?.status == 404)
            // The source is gone: the run at two fails, and by nine the promise is broken.
            try FileManager.default.removeItem(atPath: served.root + "/source")
            served.clock.set(Served.noon + 21 * 3600)
            try await served.wait("the failed run") { served.endedRuns == 2 }
            try await served.wait("the broken promise") { Self.ask(port)?.status == 503 }
            #expect(Self.ask(port)?.body.contains("\"breached\":[\"one on a\",\"two on a\"]") == true)
        }
        #expect(Self.ask(port) == nil)
        #expect(served.witness.lines.last == "stopped")
    }

    @Test func `a port that is taken is told, and keeps no run from running`() async throws {
        let port = MessageRig.web.port
        let served = try Served()
        try served.declare(Served.text + "\nserve: { health: \"127.0.0.1:\(port)\" }\n")
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            try await served.wait("the warning") {
                served.witness.lines.contains { $0.contains("nothing answers on 127.0.0.1:\(port)") }
            }
            served.clock.set(Served.noon + 14 * 3600 + 5)
            try await served.wait("the next run") { served.endedRuns == 2 }
        }
    }

    @Test func `M-11: the daemon tells a check of each run, and a channel of a broken promise`() async throws {
        let (check, hook) = (MessageRig.web.address("ok"), MessageRig.web.address("ok"))
        let served = try Served()
        try served.declare(
            Served.text + "\nnotify: [{ ping: { url: \"\(check)\" } }, { webhook: { url: \"\(hook)\" } }]\n"
        )
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            try await served.wait("its signs") { (try? MessageRig.web.requests(check).count) ?? 0 >= 2 }
            try FileManager.default.removeItem(atPath: served.root + "/source")
            served.clock.set(Served.noon + 21 * 3600)
            try await served.wait("the message") { (try? MessageRig.web.requests(hook).count) ?? 0 >= 1 }
        }
        let paths = try MessageRig.web.requests(check).compactMap { $0["path"] as? String }
        #expect(paths.contains { $0.hasSuffix("/start") } && paths.contains { $0.hasSuffix("/fail") })
        #expect(try MessageRig.web.requests(hook).count == 1)
    }
}
