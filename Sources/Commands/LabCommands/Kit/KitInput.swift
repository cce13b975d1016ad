import ArgumentParser
import Bytes
import Console
import HostSystem
import KitFormat
import Outcome
import Recovery
import SecretStore
import Strategy

/// How a kit is read: from where, and what opens it when it is sealed.
struct KitInput: ParsableArguments {
    @Option(
        name: .customLong("passphrase-from"),
        help: "Where the passphrase of a sealed kit is found: file:PATH, env:NAME, command:LINE; else it is asked for."
    )
    var passphrase: String?

    /// Reads the file, or standard input for `-`, and opens what is sealed; blocks.
    ///
    /// Errors: `E-KIT` with all lines that are wrong, `E-FOLDER`, `E-PASSPHRASE`, those of the passphrase's reference.
    func read(_ file: String, screen: Screen) async throws -> (kit: RecoveryKit, strange: [Int]) {
        let object = file == "-" ? "the text that was typed" : file
        let text = try Secret(Self.bytes(of: file, object, screen))
        let reading: KitReading
        do throws(KitTextError) { reading = try KitReader.read(text) } catch { throw KitFailure(error, object: object) }
        switch reading {
        case .open(let kit, let strange): return (kit, strange)
        case .sealed(let sealed): return try await open(sealed, object, screen)
        }
    }

    private static func bytes(of file: String, _ object: String, _ screen: Screen) throws -> [UInt8] {
        do throws(Errno) {
            guard file == "-" else { return try readFile(ByteString(file), limit: KitLimits.textBytes) }
            if screen.facts.inputIsTerminal {
                screen.errorLine(
                    "type the numbered lines of the kit, each with its last group; end with Ctrl-D on a line of its own"
                )
                screen.flush()
            }
            return try readAll(.standardInput, limit: KitLimits.textBytes)
        } catch {
            throw LabFailure.folder("read kit", object, error)
        }
    }

    private func open(_ sealed: SealedKit, _ object: String, _ screen: Screen) async throws -> (RecoveryKit, [Int]) {
        let typed = try await Self.passphrase(passphrase, "passphrase of kit \(sealed.serial): ", screen)
        let opened: (kit: RecoveryKit, strange: [Int])?
        do throws(KitTextError) { opened = try sealed.open(passphrase: typed) } catch {
            throw KitFailure(error, object: object)
        }
        if let opened { return opened }
        throw KitFailure(
            .passphrase,
            operation: "open kit",
            object: "\(sealed.serial) in \(object)",
            what: "is sealed with another passphrase",
            state: "nothing was opened and nothing was changed",
            next: "type it again: capitals and blanks count"
        )
    }

    /// From its place, or typed.
    static func passphrase(_ reference: String?, _ prompt: String, _ screen: Screen) async throws -> Secret {
        guard let reference else {
            do throws(Errno) { return try PasswordPrompt.read(prompt, screen: screen) } catch {
                throw LabFailure.folder("read", "passphrase", error)
            }
        }
        let place: SecretReference
        do throws(NotationError) {
            place = try readSecretReference(reference, folder: (try? currentDirectory().display) ?? "/")
        } catch {
            throw KitFailure(
                .passphrase,
                operation: "read passphrase from",
                // The text may be a passphrase that was pasted.
                object: "--passphrase-from",
                what: error.what,
                state: "nothing was changed",
                next: "write file:PATH, env:NAME or command:LINE"
            )
        }
        return try await SecretResolver().resolve(place).secret
    }
}

/// Folders that the operator names for repositories: `host-usb=/mnt/host-usb`.
struct KitPlaces: ParsableArguments {
    @Option(
        name: .customLong("at"),
        help: "Where a repository lies now, where the kit's place is not its own: NAME=FOLDER."
    )
    var places: [String] = []

    /// By the repository's name.
    func read(for kit: RecoveryKit) throws -> [String: String] {
        var found: [String: String] = [:]
        for text in places {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, kit.repositories.contains(where: { $0.name == parts[0] }) else {
                throw KitFailure(
                    .text,
                    operation: "find",
                    object: "--at \(text)",
                    what: "is not NAME=FOLDER with a repository of this kit",
                    state: "nothing was opened",
                    next: "this kit has: \(kit.repositories.map(\.name).joined(separator: ", "))"
                )
            }
            let here = (try? currentDirectory().display) ?? ""
            found[parts[0]] = parts[1].hasPrefix("/") ? parts[1] : "\(here)/\(parts[1])"
        }
        return found
    }
}
