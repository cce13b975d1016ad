import Testing

import Strategy

/// The vault of a declaration: read whole, refused where it cannot be, and the circle of a vault inside its own backup found.
@Suite struct VaultDeclarationTests {
    private let vault = """
        vault:
          address: https://vault.example
          email: backup@example.com
          client-id: "credential:id"
          client-secret: "credential:secret"
          certificates: /etc/ssl/home.pem
          sealed-copy: /var/lib/holdfast/vault.sealed
          sealed-by: "file:/etc/holdfast/machine.key"
          data: /etc/vaultwarden

        """

    private func declaration(_ vault: String, password: String = "vault:restic-offsite") -> String {
        completeDeclaration.replacing("env:OFFSITE_PASSWORD", with: password).replacing(
            "roles:\n",
            with: vault + "roles:\n"
        )
    }

    @Test func `a vault is read with all that opens it`() throws {
        let lab = try decode(declaration(vault))
        let found = try #require(lab.vault)
        #expect(found.address == "https://vault.example")
        #expect(found.email == "backup@example.com")
        #expect(found.password == nil)
        #expect(found.clientID == .credential("id"))
        #expect(found.clientSecret == .credential("secret"))
        #expect(found.certificates == "/etc/ssl/home.pem")
        #expect(found.sealedCopy == "/var/lib/holdfast/vault.sealed")
        #expect(found.sealedBy == .file("/etc/holdfast/machine.key"))
        #expect(found.data == ["/etc/vaultwarden"])
        #expect(found.sealedFor == .seconds(180 * 86_400))
    }

    @Test func `a reference into the vault without a vault is refused`() {
        #expect(
            problems(declaration("")) == [
                "holdfast.yaml:10:3: repositories.offsite.password: looks into a vault, and none is declared; add \"vault\" with address and email, or name another place"
            ]
        )
    }

    @Test(arguments: [
        (
            "\"credential:secret\"", "\"vault:x\"",
            "vault.client-secret: lies in the vault that it opens; name another place"
        ),
        ("\"file:/etc/holdfast/machine.key\"", "\"vault:x\"", "vault.sealed-by: lies in the vault that it opens"),
        (
            "  client-secret: \"credential:secret\"\n", "",
            "vault.client-id: stands without client-secret; add \"client-secret\""
        ),
        ("  sealed-copy: /var/lib/holdfast/vault.sealed\n", "", "vault.sealed-by: stands without sealed-copy"),
        ("  data: /etc", "  sealed-for: soon\n  data: /etc", "vault.sealed-for: \"soon\" is no length of time"),
        ("https://vault.example", "http://vault.example", "vault.address: is no address that starts with https://"),
        ("https://vault.example", "https://canary:pw@vault.example", "vault.address: is no address that starts with"),
        ("https://vault.example", "http://localhost.example", "vault.address: is no address that starts with https://"),
        ("  email: backup@example.com\n", "", "vault.email: is missing; add \"email\": The account"),
    ])
    func `what cannot be is refused with its place`(from: String, to: String, problem: String) {
        let found = problems(declaration(vault.replacing(from, with: to)))
        #expect(found.count == 1)
        #expect(found.first?.contains(" \(problem)") == true, "\(found)")
        #expect(found.first?.contains("canary") == false)
    }

    @Test(arguments: [
        ("/etc/vaultwarden", true), ("/etc", true), ("/", true), ("/etcetera", false), ("/srv/vaultwarden", false),
        ("/srv/work/vw", true),
    ])
    func `a vault that is inside the backup that it opens is told`(data: String, isLoop: Bool) throws {
        let lab = try decode(declaration(vault.replacing("/etc/vaultwarden", with: data)))
        #expect(lab.vaultLoops == (isLoop ? [VaultLoop(workload: "host", repository: "offsite")] : []))
        #expect(
            lab.warnings.map(\.description).filter { $0.contains("neither opens the other") }.count == (isLoop ? 1 : 0)
        )
        let outside = try decode(declaration(vault, password: "file:x"))
        #expect(outside.vaultLoops.isEmpty)
    }

    @Test func `a vault without a sealed copy is told once it is used`() throws {
        let bare = "vault: { address: \"http://127.0.0.1:8080/x\", email: a@b }\n"
        #expect(try decode(declaration(bare)).warnings.map(\.what).contains { $0.hasPrefix("has no sealed copy") })
        #expect(try decode(declaration(bare, password: "file:x")).warnings.isEmpty)
    }
}
