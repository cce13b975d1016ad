import Foundation
import Testing

import Daemon
import HostSystem
import TestSupport

/// What the daemon answers to whoever asks on this machine, and tells checks outside.
///
/// One after the other: who asks blocks a thread, and as many as there are processors would keep the daemon from answering.
@Suite(.serialized) struct HealthTests {
    /// Status and document; nil when nobody answers within ten minutes, which a run of all tests does not take.
    ///
    /// By a socket of its own: a pipe to a helper would be inherited by servers that other tests start, and never end. On a thread of its
    /// own, too: who waits on one of the few that tasks share keeps the daemon from answering.
    private static func ask(_ port: Int, _ path: String = "health") async -> (status: Int, body: String)? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: answer(port, path)) }
        }
    }

    private static func answer(_ port: Int, _ path: String) -> (status: Int, body: String)? {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var patience = timeval(tv_sec: 600, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                connect(socket, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        let request = Array("GET /\(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8)
        guard isConnected, send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            return nil
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(socket, &buffer, buffer.count, 0), count > 0 { answer += buffer[..<count] }
        let text = String(decoding: answer, as: UTF8.self)
        let words = text.split(separator: " ")
        guard words.count > 1, let status = Int(words[1]) else { return nil }
        return (status, text)
    }

    @Test func `it answers whether promises are kept, and ends with the daemon`() async throws {
        let port = try LoopbackPort.free()
        let served = try Served()
        try served.declare(Served.text + "\nserve: { health: \"127.0.0.1:\(port)\" }\n")
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            try await served.wait("the judgement") { await Self.ask(port)?.body.contains("next_run") == true }
            let well = try #require(await Self.ask(port))
            #expect(well.status == 200)
            #expect(well.body.contains("\"status\":\"ok\""))
            #expect(well.body.contains("\"last_run\":\"one ok, two ok\""))
            #expect(await Self.ask(port, "other")?.status == 404)
            // The source is gone: the run at two fails, and by nine the promise is broken.
            try FileManager.default.removeItem(atPath: served.root + "/source")
            served.clock.set(Served.noon + 21 * 3600)
            try await served.wait("the failed run") { served.endedRuns == 2 }
            try await served.wait("the broken promise") { await Self.ask(port)?.status == 503 }
            #expect(await Self.ask(port)?.body.contains("\"breached\":[\"one on a\",\"two on a\"]") == true)
        }
        #expect(await Self.ask(port) == nil)
        #expect(served.witness.lines.last == "stopped")
    }

    @Test func `a declaration that cannot be read anew is amber, and one that can is judged at once`() async throws {
        let port = try LoopbackPort.free()
        let health = "\nserve: { health: \"127.0.0.1:\(port)\" }\n"
        let served = try Served()
        try served.declare(Served.text + health)
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            try served.declare("lab: [")
            served.sender.yield(.hangup)
            try await served.wait("amber") { await Self.ask(port)?.body.contains("\"status\":\"amber\"") == true }
            let amber = try #require(await Self.ask(port))
            #expect(amber.status == 200)
            #expect(amber.body.contains("\"declaration\":\"the one before counts: "), "\(amber.body)")
            #expect(amber.body.contains("\"declaration_refused\":\"2026-03-01T12:"))
            // What the new one promises is not kept: no workload may be older than a minute.
            let strict = Served.text.replacing("to: r, backup", with: "to: r, objective: { rpo: 1min }, backup")
            try served.declare(strict + health)
            served.clock.set(Served.noon + 600)
            served.sender.yield(.hangup)
            try await served.wait("the new promises") { await Self.ask(port)?.status == 503 }
            #expect(await Self.ask(port)?.body.contains("declaration") == false)
            try served.declare(Served.text + health)
            served.sender.yield(.hangup)
            try await served.wait("the old promises") { await Self.ask(port)?.status == 200 }
        }
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
