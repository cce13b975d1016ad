import Foundation
import Testing

import Bytes
import HostSystem
import Journal
import Outcome
import Protection
import ResticRepository
import Strategy
import TestSupport

/// Media that runs mount: a loop device, a table of its own in place of /etc/fstab, programs that write down what they were asked.
@Suite(.serialized, .enabled(if: canMount, "needs root and mkfs.ext4")) struct MountedMediaTests {
    private struct Bench {
        let lab: TestLab
        let disk: MountedImage

        /// The disk is not mounted.
        init() throws {
            lab = try TestLab()
            try lab.makeFolder("media/usb-ssd")
            disk = try #require(try MountedImage(in: lab.root, "usb"), "a loop device could not be mounted")
            let uuid = try #require(disk.uuid)
            lab.declare {
                $0.replacing("path: media/usb-ssd }", with: "path: media/usb-ssd, identity: \"\(uuid)\", mount: true }")
            }
            disk.unmount()
            try lab.write("fstab", "\(disk.image) \(disk.point) ext4 noauto,loop 0 0\n")
            lab.mounting.table = lab.root + "/fstab"
            try mounting("exec mount -o loop '\(disk.image)' \"$2\"")
            try lab.write("unmount.sh", "echo unmount $1 >> '\(lab.root)/asked'; exec umount \"$2\"")
            lab.mounting.unmount = ["/bin/sh", lab.root + "/unmount.sh"]
        }

        func mounting(_ line: String) throws {
            try lab.write("mount.sh", "echo mount $1 >> '\(lab.root)/asked'; \(line)\n")
            lab.mounting.mount = ["/bin/sh", lab.root + "/mount.sh"]
        }

        /// Of the disk that the declaration names.
        var declaredUUID: String? {
            lab.text.firstRange(of: "identity: \"").map { String(lab.text[$0.upperBound...].prefix { $0 != "\"" }) }
        }

        var isMounted: Bool {
            get throws { try Mount.beginning(at: ByteString(disk.point)) != nil }
        }

        /// What the programs were asked for since the last question.
        func asked() throws -> [String] {
            let path = lab.root + "/asked"
            defer { try? FileManager.default.removeItem(atPath: path) }
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").map(String.init)
        }

        func journal() async throws -> RunJournal { try await lab.openJournal() }

        func run(_ journal: RunJournal, _ observer: any RunObserver = SilentRunObserver()) async throws -> RunReport {
            var environment = try lab.environment
            environment.journal = journal
            return try await ProtectionRun(environment, observer: observer).run(.init(.all))
        }
    }

    @Test func `a run mounts what is not mounted, and unmounts it afterwards; status and plan do not`() async throws {
        let bench = try Bench()
        let journal = try await bench.journal()
        let report = try await bench.run(journal)
        #expect(report.exitStatus == .success)
        #expect(report.results(.readBack)["host-usb"] == "done")
        #expect(try bench.asked() == ["mount --", "unmount --"])
        #expect(try !bench.isMounted)
        #expect(await journal.owedCleanups().isEmpty)
        let status = try await bench.lab.status()
        #expect(
            status.problems.allSatisfy { $0.kind != .away && $0.kind != .unreachable && !$0.object.contains("usb") }
        )
        #expect(try await bench.lab.lookAhead().failures.mapValues(\.codeName) == ["host-usb": "E-UNMOUNTED"])
        #expect(try bench.asked().isEmpty)
        bench.lab.clock.advance(86_400)
        #expect(try await bench.run(journal).exitStatus == .success)
    }

    @Test func `what was mounted before stays mounted`() async throws {
        let bench = try Bench()
        bench.disk.mount()
        #expect(try await bench.run(try await bench.journal()).exitStatus == .success)
        #expect(try bench.asked().isEmpty)
        #expect(try bench.isMounted)
    }

    @Test func `B-09 a mount that fails is the absence of its medium, in its words, and the others go on`() async throws
    {
        let bench = try Bench()
        try bench.mounting("echo 'no such device' >&2; exit 32")
        let journal = try await bench.journal()
        let report = try await bench.run(journal)
        #expect(report.results(.open) == ["host-usb": "E-MEDIUM"])
        #expect(report.results(.copy) == ["offsite": "done"])
        #expect(report.exitStatus == .refusedByGuard)
        #expect(bench.lab.names(in: "media/usb-ssd").isEmpty)
        #expect(await journal.owedCleanups().isEmpty)
        let words = report.lines.compactMap { line -> String? in
            if case .failed(let failure) = line.result { "\(failure.what); \(failure.next)" } else { nil }
        }
        let point = bench.disk.point
        #expect(
            words == [
                "cannot be mounted at \(point): no such device; attach the disk; then try by hand: mount \(point)"
            ]
        )
    }

    @Test func `B-10 another disk that is mounted by the run is refused, not written to, and unmounted`() async throws {
        let bench = try Bench()
        let other = try #require(try MountedImage(in: bench.lab.root, "other"))
        other.unmount()
        try bench.mounting("exec mount -o loop '\(other.image)' \"$2\"")
        let report = try await bench.run(try await bench.journal())
        #expect(report.results(.open) == ["host-usb": "E-FOREIGN"])
        #expect(try !bench.isMounted)
        other.mount()
        #expect(bench.lab.names(in: "media/usb-ssd") == ["lost+found"])
    }

    @Test func `M-05 what is busy stays mounted with a warning, and the next run unmounts what one before has left`()
        async throws
    {
        let bench = try Bench()
        let journal = try await bench.journal()
        var holder: FileHandle?
        let point = bench.disk.point
        let busy = StepWatcher(.copy) { try? "x".write(toFile: point + "/held", atomically: false, encoding: .utf8) }
        try bench.lab.write("unmount.sh", "echo 'target is busy' >&2; exit 32")
        let report = try await bench.run(journal, busy)
        #expect(report.exitStatus == .success)
        holder = FileHandle(forReadingAtPath: point + "/held")
        #expect(holder != nil, "it is mounted still")
        #expect(bench.lab.warnings.all.contains { $0.contains("stays mounted") && $0.contains("target is busy") })
        #expect(await journal.owedCleanups().map(\.object) == [point])
        // As after a crash: another process, which mounted nothing itself.
        try holder?.close()
        try bench.lab.write("unmount.sh", "exec umount \"$2\"")
        bench.lab.clock.advance(86_400)
        #expect(try await bench.run(try await bench.journal()).exitStatus == .success)
        #expect(try !bench.isMounted)
        #expect(await journal.owedCleanups().isEmpty)
    }

    @Test func `M-05 what one run has left is unmounted by one that has nothing to do`() async throws {
        let bench = try Bench()
        let journal = try await bench.journal()
        try bench.lab.write("unmount.sh", "echo 'target is busy' >&2; exit 32")
        #expect(try await bench.run(journal).exitStatus == .success)
        #expect(try bench.isMounted)
        try bench.lab.write("unmount.sh", "exec umount \"$2\"")
        var environment = try bench.lab.environment
        environment.journal = try await bench.journal()
        let report = try await ProtectionRun(environment, observer: SilentRunObserver()).run(.init(.due))
        #expect(report.workloads.isEmpty)
        #expect(try !bench.isMounted)
        #expect(await journal.owedCleanups().isEmpty)
    }

    // MARK: beside runs

    /// What a verb sees that mounts for a look.
    private func looked<Value: Sendable>(
        _ bench: Bench,
        _ body: (ProtectionEnvironment) async throws -> Value
    ) async throws -> Value {
        let journal = try await bench.journal()
        var environment = try bench.lab.environment
        environment.journal = journal
        let value = try await body(environment)
        #expect(try !bench.isMounted)
        #expect(await journal.owedCleanups().isEmpty)
        return value
    }

    @Test func `an examination mounts for its look, and unmounts what it mounted`() async throws {
        let bench = try Bench()
        _ = try await bench.run(try await bench.journal())
        _ = try bench.asked()
        let found = try await looked(bench) { try await Examination($0).run() }
        let usb = found.filter { $0.object.contains("usb") }
        #expect(usb.contains { $0.object.hasPrefix("host-usb") && $0.what.contains("opens with") })
        #expect(usb.allSatisfy { $0.verdict == .good }, "\(usb)")
        #expect(try bench.asked() == ["mount --", "unmount --"])
        try bench.mounting("echo 'no such device' >&2; exit 32")
        let away = try await looked(bench) { try await Examination($0).run() }.filter { $0.object.contains("usb") }
        #expect(away.count == 2 && away.allSatisfy { $0.verdict == .bad && $0.what.contains("no such device") })
        #expect(away.allSatisfy { $0.next.contains("mount \(bench.disk.point)") })
        bench.disk.mount()
        _ = try await Examination(try bench.lab.environment).run()
        #expect(try bench.isMounted, "what was mounted before stays mounted")
    }

    @Test func `passwords of a disk that is mounted for runs are proven and rotated`() async throws {
        let bench = try Bench()
        _ = try await bench.run(try await bench.journal())
        var trials: [String: String] = [:]
        try await looked(bench) { environment in
            try await SecretInspection(environment).run { secret in
                if let repository = secret.repository, let trial = secret.trial { trials[repository] = "\(trial)" }
            }
        }
        #expect(trials["host-usb"] == "opened")
        let planned = try await looked(bench) { try await PasswordRotation($0).plan("host-usb") }
        #expect(planned.outcomes.map(\.repository.name) == ["host-usb"])
        let rotated = try await looked(bench) { try await PasswordRotation($0).run("host-usb") }
        #expect(rotated.outcomes.allSatisfy { $0.failure == nil && $0.key != nil })
        try bench.mounting("echo 'no such device' >&2; exit 32")
        let refused = await #expect(throws: ProtectionFailure.self) {
            try await looked(bench) { try await PasswordRotation($0).run("host-usb") }
        }
        #expect(refused?.what.contains("no such device") == true && refused?.code == .mediumMissing)
    }

    @Test func `a new disk that is mounted for the while is adopted`() async throws {
        let bench = try Bench()
        _ = try await bench.run(try await bench.journal())
        let new = try #require(try MountedImage(in: bench.lab.root, "new"))
        let (old, uuid) = (try #require(bench.declaredUUID), try #require(new.uuid))
        new.unmount()
        try bench.mounting("exec mount -o loop '\(new.image)' \"$2\"")
        bench.lab.declare { $0.replacing(old, with: uuid) }
        let report = try await looked(bench) { environment in
            try await environment.withMounted(["usb-ssd"]) { mounted in
                #expect(mounted.absence(of: "usb-ssd") == nil)
                return try await MediumReplacement(mounted, observer: SilentRunObserver()).run("usb-ssd")
            }
        }
        #expect(report.exitStatus == .success)
        #expect(report.results(.copy) == ["host-usb": "done"])
    }

    @Test func `M-05 a record of another boot unmounts nothing, and is over`() async throws {
        let bench = try Bench()
        let journal = try await bench.journal()
        bench.disk.mount()
        let id = try #require(try Mount.beginning(at: ByteString(bench.disk.point))?.id)
        let old = OwedCleanup(
            id: "1",
            kind: "mount",
            object: bench.disk.point,
            text: "mount \(id) of 7:0, boot other",
            since: bench.lab.clock.now()
        )
        await journal.record([.owed(old)])
        #expect(try await bench.run(journal).exitStatus == .success)
        #expect(try bench.isMounted)
        #expect(await journal.owedCleanups().isEmpty)
    }

    @Test func `A-04 a run that is cancelled unmounts what it mounted`() async throws {
        let bench = try Bench()
        let journal = try await bench.journal()
        let (began, continuation) = AsyncStream<Void>.makeStream()
        let watcher = StepWatcher(.copy) { continuation.yield() }
        var environment = try bench.lab.environment
        environment.journal = journal
        let run = ProtectionRun(environment, observer: watcher)
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await run.run(.init(.all)) }
                for await _ in began { break }
                group.cancelAll()
                try await group.waitForAll()
                // It was faster than the cancellation.
                throw CancellationError()
            }
        }
        #expect(try !bench.isMounted)
        #expect(try bench.asked() == ["mount --", "unmount --"])
    }
}

/// Does something when a step of that kind begins.
private struct StepWatcher: RunObserver {
    private let kind: RunStep.Kind
    private let body: @Sendable () -> Void

    init(_ kind: RunStep.Kind, _ body: @escaping @Sendable () -> Void) {
        self.kind = kind
        self.body = body
    }

    func began(_ item: RunPlan.Item) {}
    func began(_ step: RunStep) { if step.kind == kind { body() } }
    func counting(_ counters: BackupCounters, of step: RunStep) {}
    func progressed(_ done: UInt64, of total: UInt64, unit: String, in step: RunStep) {}
    func finished(_ step: RunStep, _ result: StepResult, seconds: Double) {}
    func unreadable(_ path: String, workload: String) {}
}
