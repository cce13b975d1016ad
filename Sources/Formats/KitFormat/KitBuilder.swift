import Bytes
import Outcome
import Sealing

/// Makes the values of a kit of its proven lines.
///
/// A line that is right and does not fit was made by another program: it is named, and nothing is guessed.
struct KitBuilder {
    private let lines: [KitLine]
    private var position = 0

    init(_ lines: [KitLine]) { self.lines = lines }

    mutating func kit() throws(KitTextError) -> RecoveryKit {
        _ = try take(.version)
        var kit = RecoveryKit(
            lab: try value(.lab),
            host: "",
            serial: try value(.serial),
            made: try value(.made),
            program: try value(.program)
        )
        while next == .holder { kit.holders.append(try value(.holder)) }
        kit.host = try value(.host)
        while next == .account { kit.accounts.append(try value(.account)) }
        while next == .repository { kit.repositories.append(try repository()) }
        while next == .secret { kit.secrets.append(try named(.secret)) }
        try requireEnd()
        return kit
    }

    mutating func sealed() throws(KitTextError) -> SealedKit {
        _ = try take(.version)
        let (lab, serial, made, program) = (
            try value(.lab), try value(.serial), try value(.made), try value(.program)
        )
        var holders: [String] = []
        while next == .holder { holders.append(try value(.holder)) }
        let number = position + 1
        let words = try value(.cost).split(separator: " ").compactMap { Int($0) }
        guard words.count == 3, let salt = Base32.decode(packed(.salt)) else { throw unfit(number) }
        let cost = ScryptParameters(n: words[0], r: words[1], p: words[2])
        do throws(ScryptError) { try cost.validate() } catch { throw unfit(number) }
        let heading = try take(.sealed)
        let text = packed(.data)
        guard heading == "\(text.utf8.count) characters", let data = Base32.decode(text) else { throw unfit(position) }
        try requireEnd()
        return SealedKit(
            lab: lab,
            serial: serial,
            made: made,
            program: program,
            holders: holders,
            cost: cost,
            salt: salt,
            data: data
        )
    }

    // MARK: parts

    private var next: KitLine.Key? { position < lines.count ? lines[position].key : nil }

    private mutating func repository() throws(KitTextError) -> KitRepository {
        let (name, medium, kind, location) = (
            try value(.repository), try value(.medium), try value(.kind), try value(.location)
        )
        let disk = next == .disk ? try value(.disk) : nil
        let number = position + 1
        let id = packed(.id)
        guard id.isEmpty || id.utf8.count == 64 && Hex.isHex(id.utf8) else { throw unfit(number) }
        var workloads: [String] = []
        while next == .workloads { workloads.append(try value(.workloads)) }
        let state = try value(.state)
        var repository = KitRepository(
            name: name,
            medium: medium,
            kind: kind,
            location: location,
            disk: disk,
            id: id.isEmpty ? nil : id,
            state: state,
            password: try secret(heading: try take(.password))
        )
        repository.workloads = workloads
        while next == .variable { repository.variables.append(try named(.variable)) }
        return repository
    }

    private mutating func named(_ key: KitLine.Key) throws(KitTextError) -> KitSecret {
        let value = try take(key)
        guard let comma = value.utf8.firstIndex(of: 0x2c) else { throw unfit(position) }
        let heading = collapsed(String(value[value.utf8.index(after: comma)...]))
        return KitSecret(String(value[..<comma]), try secret(heading: heading))
    }

    private mutating func secret(heading: String) throws(KitTextError) -> Secret {
        let number = position
        let text = packed(.pass)
        guard let (count, letters) = PackedSecret.readHeading(heading), text.utf8.count == count,
            let secret = PackedSecret.secret(text, letters)
        else { throw unfit(number) }
        return secret
    }

    /// All lines of a packed value in one.
    private mutating func packed(_ key: KitLine.Key) -> String {
        var text = ""
        while next == key {
            text += lines[position].value
            position += 1
        }
        return text
    }

    private mutating func value(_ key: KitLine.Key) throws(KitTextError) -> String {
        var shown = try take(key)
        let number = position
        while next == .more {
            shown += lines[position].value
            position += 1
        }
        guard shown.unicodeScalars.count <= KitLimits.valueCharacters, let value = KitValue.read(shown) else {
            throw unfit(number)
        }
        return value
    }

    private mutating func take(_ key: KitLine.Key) throws(KitTextError) -> String {
        guard next == key else { throw unfit(position + 1) }
        defer { position += 1 }
        return lines[position].value
    }

    private func requireEnd() throws(KitTextError) {
        guard position == lines.count else { throw unfit(position + 1) }
    }

    private func unfit(_ number: Int) -> KitTextError {
        KitTextError("is right by its group, and is not what this program expects there", line: number)
    }
}
