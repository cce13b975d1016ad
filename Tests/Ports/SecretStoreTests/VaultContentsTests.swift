import Bytes
import Foundation
import Outcome
import SecretStore
import Strategy
import Testing

/// The answer to a sync from a server that is not trusted: whatever stands where something was expected, nothing traps and nothing is guessed.
@Suite struct VaultContentsTests {
    private static let references: [SecretReference.VaultField] = [
        .datastore, .init(.named("pbs/datastore-main"), field: "encryption-key"),
        .init(.named("pbs/datastore-main"), field: "uri"), .init(.named("repo/offsite")), .init(.named("shared/nas")),
        .init(.id("7ebee335-0f01-44e4-ac75-b672f86552e1")),
    ]

    private func document() throws -> JSONValue {
        let url = URL(fileURLWithPath: "\(VaultRig.root)/Vectors/vaultwarden/sync-response.json")
        return try JSONParser.parse(Array(Data(contentsOf: url)))
    }

    private func userKey() throws -> VaultKey {
        let hex =
            "59a12157d9d6c1eb75318654a232ca84e220cab574c8eb34c9eba1e0af5d1e06"
            + "49ee294ba0933c31a4b15d28bb8b1d73b83a4dc2bba050f182fd582916f3c325"
        let bytes = try #require(Hex.decode(hex))
        return try #require(VaultKey(Secret(bytes)))
    }

    /// What each reference gives; nil for a failure.
    private func values(_ document: JSONValue, _ key: VaultKey) -> [String?] {
        guard let contents = VaultContents(document, userKey: key) else { return [] }
        return Self.references.map { place in try? contents.secret(place, for: .vault(place)).revealed }
    }

    @Test func `the fixtures give three items, one damaged, none from the trash`() throws {
        let contents = try #require(VaultContents(document(), userKey: userKey()))
        #expect(contents.items.map(\.name) == ["pbs/datastore-main", "repo/offsite", "shared/nas"])
        #expect(contents.damaged == ["7ebee335-0f01-44e4-ac75-b672f86552e1": .wrongMAC])
    }

    @Test func `I-01 any value in the place of another gives what it gave before, or nothing`() throws {
        let (document, key) = (try document(), try userKey())
        let before = values(document, key)
        #expect(before.compactMap { $0 }.count == 5)
        let others: [JSONValue] = [
            .null, .flag(true), .number("-1"), .number("9999999999999999999999"), .text(""), .text("2.x|y|z"),
            .array([]), .array([.null]), .object(JSONObject()),
        ]
        var runs = 0
        for index in 0..<count(document) {
            // One kind for each place, in turn, so that all kinds meet all sorts of places within seconds.
            let other = others[index % others.count]
            var left = index
            let changed = replaced(document, at: &left, by: other)
            let after = values(changed, key)
            for (old, new) in zip(before, after) { #expect(new == nil || new == old || old == nil) }
            runs += 1
        }
        #expect(runs > 250)
    }

    @Test func `a member that is left out gives what was there before, or nothing`() throws {
        let (document, key) = (try document(), try userKey())
        let before = values(document, key)
        for name in [
            "profile", "ciphers", "key", "privateKey", "organizations", "login", "fields", "type", "id", "name",
        ] {
            let after = values(without(name, document), key)
            for (old, new) in zip(before, after) { #expect(new == nil || new == old) }
        }
    }

    private func count(_ value: JSONValue) -> Int {
        switch value {
        case .array(let items): 1 + items.map(count).reduce(0, +)
        case .object(let object): 1 + object.members.map { count($0.value) }.reduce(0, +)
        default: 1
        }
    }

    /// The value with the one at `index`, counted in depth first, replaced.
    private func replaced(_ value: JSONValue, at index: inout Int, by other: JSONValue) -> JSONValue {
        index -= 1
        if index == -1 { return other }
        switch value {
        case .array(let items): return .array(items.map { replaced($0, at: &index, by: other) })
        case .object(var object):
            for place in object.members.indices {
                object.members[place].value = replaced(object.members[place].value, at: &index, by: other)
            }
            return .object(object)
        default: return value
        }
    }

    private func without(_ name: String, _ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let items): return .array(items.map { without(name, $0) })
        case .object(var object):
            object.members.removeAll { $0.name == name }
            for place in object.members.indices {
                object.members[place].value = without(name, object.members[place].value)
            }
            return .object(object)
        default: return value
        }
    }
}
