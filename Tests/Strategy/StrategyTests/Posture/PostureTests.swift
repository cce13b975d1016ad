import Testing

import Strategy

@Suite struct PostureTests {
    private func copy(
        _ medium: String,
        _ kind: MediumKind,
        on disks: Set<String>?,
        isGood: Bool = true,
        isOutOfReach: Bool = false
    ) -> CopyFacts {
        CopyFacts(medium: medium, kind: kind, disks: disks, isGood: isGood, isOutOfReach: isOutOfReach)
    }

    @Test func `the house of the mission is whole when its cloud cannot be deleted from`() {
        let facts = [
            copy("os-ssd", .internal, on: ["A"]), copy("usb-ssd", .removable, on: ["B"]),
            copy("cloud", .offsite, on: nil, isOutOfReach: true),
        ]
        let posture = Posture(facts, source: ["A"], errors: 0)
        #expect(posture.text == "3-3-1-1-0")
        #expect(posture.isWhole)
        #expect(Posture(facts, source: ["A"], errors: nil).text == "3-3-1-1-?")
        #expect(!Posture(facts, source: ["A"], errors: nil).isWhole, "nothing is green without a fact")
        #expect(!Posture(facts, source: ["A"], errors: 1).isWhole)
    }

    @Test func `a copy on the disk of its source adds nothing`() {
        #expect(Posture([copy("os-ssd", .internal, on: ["A"])], source: ["A"], errors: 0).text == "1-1-0-0-0")
        #expect(Posture([copy("os-ssd", .internal, on: ["B"])], source: ["A"], errors: 0).text == "2-2-0-0-0")
    }

    @Test func `two copies on one physical disk count once, below every layer`() {
        let facts = [copy("one", .internal, on: ["B"]), copy("two", .removable, on: ["B", "C"])]
        #expect(Posture(facts, source: ["A"], errors: 0).text == "2-2-0-0-0")
    }

    @Test func `a stand-in and a copy that is not good count as nothing`() {
        let facts = [
            copy("cloud", .standIn, on: ["B"], isOutOfReach: true), copy("usb", .removable, on: ["C"], isGood: false),
        ]
        #expect(Posture(facts, source: ["A"], errors: 0).text == "1-1-0-0-0")
    }

    @Test func `disks that cannot be told count as one, and as none when the source's cannot be told either`() {
        let facts = [copy("one", .internal, on: nil), copy("two", .removable, on: nil)]
        #expect(Posture(facts, source: ["A"], errors: 0).text == "2-2-0-0-0")
        #expect(Posture(facts, source: nil, errors: 0).text == "1-1-0-0-0")
    }
}
