import Console
import Foundation
import Testing

import LabCommands

@Suite struct StatusVerbTests {
    @Test func `B-09 a repository that was moved away is gone, breaks the promise and lowers no bar`() async throws {
        let lab = try TypedLab()
        #expect(await lab.type("run", "--all").status == 0)
        let before = await lab.type("status")
        #expect(before.status == 0 && before.output.contains(" ok"), "\(before.output)")
        try lab.move("media/os/near", to: "taken")
        let screen = await lab.type("status")
        #expect(screen.status == 22)
        #expect(screen.output.contains("GONE") && !screen.output.contains("away,"), "\(screen.output)")
        #expect(screen.output.contains("1-1-0-0-?"))
        let json = await lab.type("status", "--json")
        #expect(json.output.contains("\"counts\":false,\"presence\":\"gone\""), "\(json.output)")
        #expect(json.output.contains("\"breached\":true"))
        try lab.move("taken", to: "media/os/near")
        #expect(await lab.type("status").status == 0)
    }

    @Test func `a repository that was never made is no error of the plan`() async throws {
        let lab = try TypedLab()
        #expect(await lab.type("run", "--all").status == 0)
        try lab.write("holdfast.yaml", TypedLab.declaration.replacing("to: [near]", with: "to: [near, far]"))
        let plan = await lab.type("plan")
        #expect(plan.status == 0 && plan.errors.isEmpty, "\(plan.errors)")
        #expect(
            plan.output.contains("far is not made yet: the next run makes it, and copies 1 snapshot there"),
            "\(plan.output)"
        )
        let status = await lab.type("status")
        #expect(status.status == 22 && status.output.contains("not made yet"), "\(status.output)")
        #expect(status.output.contains("the repository far is not made yet\n    holdfast run host"))
        #expect(await lab.type("run", "--all").status == 0)
        #expect(await lab.type("status").status == 0)
    }

    @Test func `a vault that does not give the password is told with the reference, and there is no copy`() async throws
    {
        let lab = try TypedLab()
        #expect(await lab.type("run", "--all").status == 0)
        let vault = "\nvault: { address: \"http://127.0.0.1:1\", email: a@b, password: \"file:near.password\" }\n"
        let text = TypedLab.declaration.replacing("file:near.password", with: "vault:restic-local")
        try lab.write("holdfast.yaml", text + vault)
        let status = await lab.type("status")
        #expect(status.status == 22 && status.output.contains("NOT OPENED"), "\(status.output)")
        #expect(
            status.output.contains("its password vault:restic-local: vault http://127.0.0.1:1 does not answer"),
            "\(status.output)"
        )
        let plan = await lab.type("plan")
        #expect(plan.status == 1 && plan.errors.contains("its password vault:restic-local: vault"), "\(plan.errors)")
    }

    @Test func `P-06 a run whose source is empty ends in 3`() async throws {
        let lab = try TypedLab()
        #expect(await lab.type("run", "--all").status == 0)
        for number in 0..<30 { try FileManager.default.removeItem(atPath: "\(lab.root)/source/\(number)") }
        let run = await lab.type("run", "--all")
        #expect(run.status == 3 && run.errors.contains("shrank from 30 files to 0"), "\(run.errors)")
        #expect(run.output.contains("1 partial") || run.errors.contains("1 partial"), "\(run.output)")
    }

    @Test func `the screen shows how long a restore would take, and that it was promised`() async throws {
        let lab = try TypedLab()
        let large = (0..<200_000).map { _ in String(UInt64.random(in: 0..<(.max)), radix: 36) }.joined()
        try lab.write("source/large", large)
        #expect(await lab.type("run", "--all", "--verify").status == 0)
        let status = await lab.type("status")
        #expect(status.status == 0 && status.output.contains("Full restore"), "\(status.output)")
        #expect(status.output.contains("s ok, of "), "\(status.output)")
        #expect(await lab.type("status", "--json").output.contains("\"restore_measured_by\":\"reading\""))
        let promised = TypedLab.declaration.replacing("rto: 4h", with: "rto: 1s")
        // One more than a second of reading, by a rate of a slow disk.
        try lab.write("holdfast.yaml", promised)
        let record = try String(contentsOfFile: lab.root + "/state/record/ledger.json", encoding: .utf8)
        let slow = try record.replacing(Regex("\"restore_rate\":[0-9]+"), with: "\"restore_rate\":1000")
        try lab.write("state/record/ledger.json", slow)
        let late = await lab.type("status")
        #expect(late.status == 22 && late.output.contains("TOO SLOW"), "\(late.output)")
        #expect(late.output.contains("1s are promised"), "\(late.output)")
    }
}
