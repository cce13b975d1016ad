import Testing

import Strategy

/// Edits by which somebody loses data or safety: `plan` names each, with a minus sign.
@Suite struct LossDifferenceTests {
    private static let old = """
        lab: home
        media:
          disk: { path: /disk }
          usb: { kind: removable, path: /usb, identity: 0b6d7b4e-93a1-4f0e-8f6e-0d2a7c1e5b11 }
        repositories:
          near: { medium: disk, password: "file:near" }
          far: { medium: usb, password: "file:far" }
        protect:
          - name: host
            host: { paths: [/etc], exclude-larger-than: 10 GiB }
            to: [near, far]
            objective: { rpo: 2d, rto: 4h }
            backup: { schedule: "02:00", grace: 6h }
            verify: { every: 30d }
            before: [/bin/dump, all]
            after: [/bin/start]
        exclude: [{ paths: [/etc/ssl], because: made anew }]
        """

    private func difference(_ old: String, _ new: String) throws -> LabDifference {
        guard Self.old.contains(old) else { throw Unknown(text: old) }
        return LabDifference(from: try decode(Self.old), to: try decode(Self.old.replacing(old, with: new)))
    }

    private struct Unknown: Error { var text: String }

    @Test(
        arguments: [
            (
                "exclude-larger-than: 10 GiB", "exclude-larger-than: 1 KiB",
                "host leaves out files above 1 KiB (was: above 10 GiB)"
            ),
            (
                "exclude-larger-than: 10 GiB", "exclude-caches: true, exclude-larger-than: 10 GiB",
                "host leaves out folders that are marked as caches"
            ),
            (
                "exclude-larger-than: 10 GiB", "one-file-system: true, exclude-larger-than: 10 GiB",
                "host leaves out what is mounted below its paths"
            ),
            ("paths: [/etc/ssl]", "paths: [/etc/ssl, /etc/apt]", "exclude leaves out /etc/apt from now on: made anew"),
            ("every: 30d", "every: 3000d", "host has each byte read again within 3000d (was: 30d)"),
            ("grace: 6h", "grace: 40d", "host counts a run as missed after 40d (was: 6h)"),
            ("rpo: 2d, rto: 4h", "rpo: 900d, rto: 4h", "host promises rpo: 900d (was: 2d)"),
            ("rpo: 2d, rto: 4h", "rpo: 2d", "host promises rto: none (was: 4h)"),
            ("schedule: \"02:00\", ", "", "host is due by hand (was: 02:00)"),
            (
                "before: [/bin/dump, all]", "command-deadline: 1h",
                "host runs nothing before its backup (was: /bin/dump all)"
            ),
            ("after: [/bin/start]", "command-deadline: 1h", "host runs nothing after its backup (was: /bin/start)"),
            (
                ", identity: 0b6d7b4e-93a1-4f0e-8f6e-0d2a7c1e5b11", "",
                "usb is known by nothing any more: every disk in its place is taken for it (was: 0b6d7b4e-93a1-4f0e-8f6e-0d2a7c1e5b11)"
            ),
            ("kind: removable", "kind: stand-in", "usb was removable, is stand-in: its copies count no more"),
        ]
    )
    func `P-06 an edit by which something is lost is named as a loss`(_ old: String, _ new: String, _ said: String)
        throws
    {
        let changes = try difference(old, new).changes
        #expect(changes.map { "\($0.object) \($0.what)" } == [said])
        #expect(changes.map(\.effect) == [.less])
    }

    @Test func `the same edits the other way round are gains`() throws {
        for (old, new) in [
            ("exclude-larger-than: 10 GiB", "exclude-larger-than: 20 GiB"), (", exclude-larger-than: 10 GiB", ""),
            ("every: 30d", "every: 3d"), ("grace: 6h", "grace: 1h"), ("rpo: 2d, rto: 4h", "rpo: 1d, rto: 4h"),
            ("rto: 4h", "rto: 1h"), ("exclude: [{ paths: [/etc/ssl], because: made anew }]", ""),
        ] {
            #expect(try difference(old, new).changes.map(\.effect) == [.more], "\(new)")
        }
    }

    @Test func `workloads with fewer copies are counted, retired ones are not`() throws {
        #expect(try difference("to: [near, far]", "to: [near]").losing == ["host"])
        #expect(try difference("name: host", "name: other").losing == ["host"])
        let retired =
            Self.old.replacing("name: host", with: "name: other") + "\nretired: [{ name: host, because: gone }]\n"
        #expect(LabDifference(from: try decode(Self.old), to: try decode(retired)).losing.isEmpty)
        #expect(try difference("to: [near, far]", "to: [far, near]").losing.isEmpty)
    }

    @Test func `nothing that stays the same is named`() throws {
        #expect(LabDifference(from: try decode(Self.old), to: try decode(Self.old)).changes.isEmpty)
    }
}
