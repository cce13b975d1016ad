import Sealing

/// The words for people between the numbered lines: what to do with nothing but stock tools.
enum KitSteps {
    static func head(_ kit: RecoveryKit) -> [String] {
        [
            "RECOVERY KIT of the lab \"\(KitValue.printed(kit.lab))\"", "",
            "Who holds this paper can read every backup that it names, and nobody can",
            "replace it: without a copy of it the backups cannot be opened. Keep it away",
            "from the disks, where neither fire nor thief of the house reaches it.", "",
            "It needs nothing of ours. Each repository below is one of restic, a program that",
            "everybody can have (https://restic.net; on Debian: apt install restic). The first",
            "steps stand with each. What is NOT in here: anything that could write to a bucket",
            "or delete there.", "",
            "Lines that begin with a number are the kit. The four characters at the end of such",
            "a line prove it: type them with it when a program asks for the kit, and a wrong",
            "letter is found and its line named. Leave them out everywhere else. Passwords have",
            "no blanks in them: the groups are for the eye.", "",
        ]
    }

    static func steps(_ repository: KitRepository, of kit: RecoveryKit) -> [String] {
        let address = shellWord(repository.location)
        let isOnDisk = repository.location.hasPrefix("/")
        var lines = ["", "First steps with the repository \(repository.name):", ""]
        if isOnDisk {
            lines += [
                "  - Mount the disk, so that the folder of its location is there. Where it is mounted",
                "    elsewhere, write that folder instead.",
            ]
            if let disk = repository.disk {
                lines += ["    blkid -U \(disk) finds it; mount it read-only: mount -o ro"]
            }
        }
        lines += variableSteps(repository)
        let (words, option) = passwordStep(repository)
        lines += words
        let restic = "restic -r \(address) --no-lock\(option)"
        lines += ["", "    \(restic) snapshots", ""]
        lines += ["  - Bring the newest copy of something back into a new folder:", ""]
        if repository.workloads.isEmpty {
            lines += ["    \(restic) restore latest --target restored"]
        }
        for workload in repository.workloads {
            let tags = shellWord("lab:\(kit.lab),workload:\(workload)")
            let host = shellWord(kit.host)
            lines += [
                "    \(restic) restore latest \\",
                "      --host \(host) --tag \(tags) --target \(shellWord("restored-\(workload)"))",
            ]
        }
        lines += ["", "  - Is all of it whole? (This reads everything.)", "", "    \(restic) check --read-data", ""]
        return lines
    }

    private static func variableSteps(_ repository: KitRepository) -> [String] {
        guard !repository.variables.isEmpty else { return [] }
        let names = repository.variables.map { "    export \($0.name)=" }
        return ["  - Set these variables to the characters that stand above, without blanks:"] + names
    }

    private static func passwordStep(_ repository: KitRepository) -> (words: [String], option: String) {
        guard PackedSecret(repository.password).letters == .hexadecimal else {
            return (["  - Look at what is in it. It asks for the password."], "")
        }
        let file = "kit-password"
        return (
            [
                "  - The password has characters that no keyboard has. Make a file of it in bash, of the",
                "    digits above without blanks, then look at what is in the repository:", "",
                "    printf \"$(printf '%s' DIGITS | sed 's/../\\\\x&/g')\" > \(file)",
            ],
            " --password-file \(file)"
        )
    }

    /// How a sealed kit is opened with the tools of every Debian.
    static func opening(_ sealed: SealedKit) -> [String] {
        [
            "", "It is sealed with a passphrase, which does not stand here.", "",
            "To open it: holdfast kit show FILE --reveal",
            "or with nothing of ours, in bash: type the characters of all salt lines into a file",
            "salt.txt, those of all data lines into data.txt, without blanks, numbers, keys and the",
            "last group of each line. Then:", "",
            "    hex() { od -An -v -tx1 | tr -d ' \\n'; }",
            "    base32 -d salt.txt > salt; base32 -d data.txt > sealed",
            "    KEY=$(openssl kdf -keylen 64 -kdfopt pass:'PASSPHRASE' \\",
            "      -kdfopt hexsalt:$(hex < salt) -kdfopt n:\(sealed.cost.n) -kdfopt r:\(sealed.cost.r) \\",
            "      -kdfopt p:\(sealed.cost.p) -kdfopt maxmem_bytes:2000000000 SCRYPT | tr -d ':\\n')",
            "    tail -c +17 sealed | head -c -32 | openssl enc -d -aes-256-cbc \\",
            "      -K ${KEY:0:64} -iv $(head -c 16 sealed | hex) > kit.txt", "",
        ]
    }
}

/// A word as a shell reads it back; what cannot be typed is written as `$'\012'`, which bash reads.
func shellWord(_ word: String) -> String {
    let isPlain =
        !word.isEmpty
        && word.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: "-_./:,@%+=".utf8.contains(byte)
            }
        }
    guard !isPlain else { return word }
    guard word.unicodeScalars.allSatisfy({ $0 == " " || $0 == "\\" || KitValue.isPlain($0) }) else {
        return "$'" + word.unicodeScalars.map(octal).joined() + "'"
    }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

private func octal(_ scalar: Unicode.Scalar) -> String {
    guard scalar == "'" || !(scalar == " " || KitValue.isPlain(scalar)) else { return String(scalar) }
    return String(scalar).utf8.map { "\\" + String(512 + Int($0), radix: 8).dropFirst() }.joined()
}
