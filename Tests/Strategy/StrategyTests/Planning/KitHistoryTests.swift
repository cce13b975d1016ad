import Bytes
import Strategy
import Testing

/// When a recovery kit is reminded of.
@Suite struct KitHistoryTests {
    private static let day: Int64 = 86_400
    private static let made = Timestamp(seconds: 1_700_000_000)
    private static let ids = ["host-os": "aa", "offsite": "bb"]
    private static let tags = ["repositories.host-os.password": "11", "repositories.offsite.password": "22"]

    private static func good() -> KitHistory {
        var history = KitHistory(serial: "ABCD-EFGH", made: made, tagKey: "k")
        history.ids = ids
        history.tags = tags
        history.passed = ["host-os": made, "offsite": made]
        return history
    }

    private static func concerns(
        _ history: KitHistory?,
        tags: [String: String] = tags,
        key: String? = "k",
        after days: Int64 = 1,
        kit: String = ""
    )
        throws -> [KitConcern]
    {
        let lab = try decode(completeDeclaration + kit)
        let now = Timestamp(seconds: made.seconds + days * day)
        return lab.kitConcerns(history, ids: ids, tags: tags, tagKey: key, now: now)
    }

    @Test func `a kit that opened everything lately is no concern, and no kit is one`() throws {
        #expect(try Self.concerns(Self.good()).isEmpty)
        #expect(try Self.concerns(nil) == [.missing])
        #expect(
            try decode(completeDeclaration).kitConcerns(nil, ids: [:], tags: [:], tagKey: nil, now: Self.made).isEmpty
        )
    }

    @Test func `180 days after the last test it is reminded of, or after the time that is declared`() throws {
        #expect(try Self.concerns(Self.good(), after: 180).isEmpty)
        #expect(
            try Self.concerns(Self.good(), after: 181) == [.overdue(["host-os", "offsite"], .seconds(181 * Self.day))]
        )
        let often = "\nkit: { test-every: 30d }"
        #expect(
            try Self.concerns(Self.good(), after: 31, kit: often) == [
                .overdue(["host-os", "offsite"], .seconds(31 * Self.day))
            ]
        )
    }

    @Test func `a secret that changed, one that is new, and a lost memory are told apart`() throws {
        var changed = Self.tags
        changed["repositories.offsite.password"] = "33"
        #expect(try Self.concerns(Self.good(), tags: changed) == [.outdated(["repositories.offsite.password"])])
        let more = "\nkit: { secrets: { vault: \"file:v\" } }"
        #expect(try Self.concerns(Self.good(), kit: more) == [.outdated(["kit.secrets.vault"])])
        #expect(try Self.concerns(Self.good(), key: nil) == [.incomparable])
        // What nobody has read is not called changed.
        #expect(try Self.concerns(Self.good(), tags: [:]).isEmpty)
    }

    @Test func `a repository that it lacks, did not open or never opened is named`() throws {
        var history = Self.good()
        history.ids["offsite"] = "other"
        #expect(try Self.concerns(history) == [.lacks(["offsite"])])
        history.ids["offsite"] = nil
        #expect(try Self.concerns(history) == [.lacks(["offsite"])])
        history = Self.good()
        history.failures["offsite"] = "does not open"
        #expect(try Self.concerns(history) == [.failed("offsite", "does not open")])
        history = Self.good()
        history.passed["offsite"] = nil
        #expect(try Self.concerns(history) == [.untested(["offsite"])])
    }

    @Test func `of two histories the newer kit counts, with all that was proven of it`() {
        var tested = Self.good()
        tested.passed["host-os"] = Timestamp(seconds: Self.made.seconds + 5)
        #expect(Self.good().merged(with: tested).passed["host-os"] == tested.passed["host-os"])
        let newer = KitHistory(serial: "XXXX-YYYY", made: Timestamp(seconds: Self.made.seconds + 1), tagKey: "k")
        #expect(Self.good().merged(with: newer) == newer && newer.merged(with: Self.good()) == newer)
    }
}
