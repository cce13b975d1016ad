import Bytes
import KitFormat
import Outcome

/// Kits for tests.
enum KitSamples {
    /// A small one with everything in it that a kit can have.
    static var usual: RecoveryKit {
        var kit = RecoveryKit(
            lab: "home",
            host: "docker-srv",
            serial: "4F7K-2M9P",
            made: "2026-11-22 14:03:05 UTC",
            program: "holdfast 0.1.0, SHA-256 3f9a1c7700112233"
        )
        kit.holders = ["Ann, in the safe", "the bank, box 12"]
        kit.accounts = ["vault https://vault.example, backup@example.com"]
        var usb = KitRepository(
            name: "host-usb",
            medium: "usb-ssd",
            kind: "removable",
            location: "/mnt/usb ssd/holdfast/host-usb",
            disk: "3f9a1c77-1111-2222-3333-444455556666",
            id: String(repeating: "0123456789abcdef", count: 4),
            state: "opened when this kit was made",
            password: Secret("3f9a1c7700112233445566778899aabb3f9a1c7700112233445566778899aabb".utf8)
        )
        usb.workloads = ["host", "photos"]
        var cloud = KitRepository(
            name: "offsite",
            medium: "cloud",
            kind: "offsite",
            location: "s3:https://s3.example.com/lab-dr/" + String(repeating: "long-folder/", count: 8) + "offsite",
            id: String(repeating: "fedcba9876543210", count: 4),
            state: "not opened: no connection",
            password: Secret("GHJK-23MN-PQRS-TUVW".utf8)
        )
        cloud.variables = [KitSecret("AWS_ACCESS_KEY_ID", Secret("AKIAreadonly/+=".utf8))]
        kit.repositories = [usb, cloud]
        kit.secrets = [KitSecret("vault-backup", Secret("Grüße, \\ and blanks".utf8))]
        return kit
    }

    /// One of a seed, with strange texts in it.
    static func random(_ seed: UInt64) -> RecoveryKit {
        var dice = SplitMix64(seed: seed)
        var kit = RecoveryKit(
            lab: text(&dice, 12),
            host: text(&dice, 12),
            serial: "4F7K-2M9P",
            made: "2026-11-22 14:03:05 UTC",
            program: text(&dice, 90)
        )
        kit.holders = (0..<Int.random(in: 0...2, using: &dice)).map { _ in text(&dice, 70) }
        kit.accounts = (0..<Int.random(in: 0...2, using: &dice)).map { _ in text(&dice, 70) }
        for number in 0..<Int.random(in: 1...3, using: &dice) {
            var repository = KitRepository(
                name: "r\(number)",
                medium: text(&dice, 8),
                kind: "removable",
                location: "/" + text(&dice, 150),
                disk: Bool.random(using: &dice) ? "12-34" : nil,
                id: Bool.random(using: &dice) ? Hex.encode(dice.bytes(32)) : nil,
                state: text(&dice, 60),
                password: secret(&dice)
            )
            repository.workloads = (0..<Int.random(in: 0...2, using: &dice)).map { _ in text(&dice, 10) }
            for _ in 0..<Int.random(in: 0...2, using: &dice) {
                repository.variables.append(KitSecret("NAME_\(dice.next() % 100)", secret(&dice)))
            }
            kit.repositories.append(repository)
        }
        for _ in 0..<Int.random(in: 0...2, using: &dice) {
            kit.secrets.append(KitSecret("name-\(dice.next() % 100)", secret(&dice)))
        }
        return kit
    }

    private static func text(_ dice: inout SplitMix64, _ most: Int) -> String {
        let letters = Array("abcXYZ019 /:.,=-_\\#'\"  \u{e4}\u{a0}\t\n\u{1f600}\u{301}")
        return String(
            (0..<Int.random(in: 1...most, using: &dice)).map { _ in letters.randomElement(using: &dice) ?? "a" }
        )
    }

    private static func secret(_ dice: inout SplitMix64) -> Secret {
        let count = Int.random(in: 0...80, using: &dice)
        let kinds = [
            "0123456789abcdef", "23456789ABCDEFGH-", "abcDEF019!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "a b\u{e4}\n",
        ]
        let letters = Array((kinds.randomElement(using: &dice) ?? "a").utf8)
        return Secret((0..<count).map { _ in letters.randomElement(using: &dice) ?? 0x61 })
    }
}

extension RecoveryKit {
    /// Its text, to compare and to spoil.
    var text: String { KitPage.text(self).withBytes { String(decoding: $0, as: UTF8.self) } }
}

extension Secret {
    convenience init(text: String) { self.init(text.utf8) }
}
