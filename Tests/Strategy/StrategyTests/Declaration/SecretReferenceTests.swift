import Testing

import Strategy

/// References to secrets: each form is read, written again as the same, or refused without being repeated.
@Suite struct SecretReferenceTests {
    private func reference(_ text: String) throws -> SecretReference {
        let quoted = text.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : "\($0)" }.joined()
        let vault = "vault: { address: https://vault.example, email: a@b }\n"
        let lab = try decode(vault + completeDeclaration.replacing("file:secrets/host", with: quoted))
        return try #require(lab.repositories.first?.password)
    }

    @Test(
        arguments: [
            ("file:secrets/x", .file("/srv/lab/secrets/x")),
            ("file:/run/secrets/a:b", .file("/run/secrets/a:b")),
            ("env:OFFSITE_2", .environment("OFFSITE_2")),
            ("credential:restic-offsite.key", .credential("restic-offsite.key")),
            ("vault:restic-local", .vault(.init(.named("restic-local")))),
            ("vault:repo/off site#repo-password", .vault(.init(.named("repo/off site"), field: "repo-password"))),
            (
                "vault:id/D06E0540-3493-4fbd-89df-a97b448c1c87#notes",
                .vault(.init(.id("d06e0540-3493-4fbd-89df-a97b448c1c87"), field: "notes"))
            ),
            ("command:pass show restic/host", .command(.init(words: ["pass", "show", "restic/host"]))),
            ("command:/usr/bin/rbw get  'off site'", .command(.init(words: ["/usr/bin/rbw", "get", "off site"]))),
            (
                #"command:printf "a \"b\" \\ $c" '' d\ e"#,
                .command(.init(words: ["printf", #"a "b" \ $c"#, "", "d e"]))
            ),
            ("command:op read op://vault/item?x=*", .command(.init(words: ["op", "read", "op://vault/item?x=*"]))),
        ] as [(String, SecretReference)]
    )
    func `a form is read, and what is written of it is read as the same`(text: String, expected: SecretReference) throws
    {
        let found = try reference(text)
        #expect(found == expected)
        #expect(try reference(found.text) == expected)
    }

    @Test(arguments: [
        ("canary", "is not a reference to a secret; write \"file:PATH\", \"env:NAME\""),
        ("bw:canary", "is not a reference to a secret"),
        ("file:", "is not a reference to a secret"),
        ("env:canary-1", "does not name an environment variable; use letters, digits and _ behind env:"),
        ("env:1canary", "does not name an environment variable"),
        ("credential:canary/x", "does not name a systemd credential; write the name that LoadCredential="),
        ("credential:..", "does not name a systemd credential"),
        ("credential:canary x", "does not name a systemd credential"),
        ("vault:canary#", "names no item, or no field behind #"),
        ("vault:#canary", "names no item, or no field behind #"),
        ("vault:canary #x", "names no item, or no field behind #"),
        ("vault:canary#2#x", "has more than one #; name the item by its id: \"vault:id/UUID#FIELD\""),
        ("vault:id/canary", "has no UUID behind id/"),
        ("vault:canary#totp", "asks for a one-time code"),
        ("command: ", "names no program"),
        ("command:'' canary", "names no program"),
        ("command:bin/canary", "names a program by a relative path; write its absolute path"),
        ("command:~/canary", "names a program by a relative path"),
        ("command:pass ~/canary", "\"~\" is not expanded; write the whole path"),
        ("command:pass canary | head", "holds | outside of quotes, which only a shell understands; no shell reads it"),
        ("command:echo $canary", "holds $ outside of quotes"),
        ("command:pass 'canary", "has a quote that does not end"),
        (#"command:pass canary\"#, "ends in a backslash"),
    ])
    func `S-03 what is no reference is refused with its place and a remedy, and not repeated`(
        text: String,
        problem: String
    ) {
        let quoted = text.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : "\($0)" }.joined()
        let found = problems(completeDeclaration.replacing("file:secrets/host", with: quoted))
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix("holdfast.yaml:9:40: repositories.host-os.password: \(problem)") == true,
            "\(found)"
        )
        #expect(found.first?.contains("canary") == false)
    }

    @Test func `a reference beyond its length is refused`() {
        let text = "command:" + String(repeating: "x ", count: 3000)
        let found = problems(completeDeclaration.replacing("file:secrets/host", with: text))
        #expect(found.first?.contains("is not a reference to a secret") == true)
    }
}
