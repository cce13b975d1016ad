import Bytes
import Console
import HostSystem
import KitFormat
import Outcome
import Protection
import Recovery
import ResticRepository
import Strategy

/// The part of a quickstart that proves the recovery kit.
extension Quickstart {
    /// Makes a kit where there is none, opens everything with it alone, and brings one file back from the farthest copy.
    ///
    /// Errors: those of `KitMaking`, cancellation; what the kit does not open is in the report.
    func proveKit(_ session: LabSession, _ place: LabFolder, _ report: inout QuickstartReport) async throws {
        let kit = try await kit(session, place)
        report.kitPath = place.kitPath
        report.kitSerial = kit.serial
        let test = KitTest(kit, session.environment.repository)
        let trials = try await test.run { _ in }
        try await session.environment.record(trials, of: kit)
        report.kitRepositories = trials.count
        for trial in trials {
            switch trial.result {
            case .passed: report.kitOpened += 1
            case .notTested(let failure), .failed(let failure):
                report.kitTroubles.append("\(trial.repository): \(failure.what)")
            }
        }
        let names = [report.restoredFrom] + kit.repositories.map(\.name)
        guard
            let name = names.first(where: { name in
                trials.contains { if case .passed = $0.result { $0.repository == name } else { false } }
            }), let file = try await test.oneFile(of: name)
        else { return }
        report.kitFile = file.path
        report.kitFileFrom = name
        let here = try? readFile(file.path, limit: file.bytes.count + 1)
        report.kitFileIsEqual = here == file.bytes
        try write(file, place)
    }

    /// The kit of an earlier quickstart, or a new one.
    private func kit(_ session: LabSession, _ place: LabFolder) async throws -> RecoveryKit {
        if let text = try? readFile(ByteString(place.kitPath), limit: KitLimits.textBytes) {
            do throws(KitTextError) {
                if case .open(let kit, _) = try KitReader.read(Secret(text)) { return kit }
            } catch {
                throw KitFailure(error, object: place.kitPath)
            }
        }
        let making = KitMaking(session.environment)
        let made = try await making.make(program: programText())
        try KitPlace(place.kitPath, session.lab).write(KitPage.text(made.kit), session.environment.repository.entropy)
        await making.record(made)
        say("Wrote the recovery kit \(made.kit.serial) to \(place.kitPath)")
        return made.kit
    }

    private func write(_ file: KitFile, _ place: LabFolder) throws {
        let folder = "\(place.restoredPath)/with-the-kit"
        let directory = try place.made(folder)
        let name = splitPath(file.path.display).name
        do throws(Errno) {
            let entropy = environment.repository.entropy
            try writeDurably(file.bytes, to: ByteString(name), in: directory, ifExists: .replace, entropy: entropy)
        } catch {
            throw LabFailure.folder("write", "\(folder)/\(name)", error)
        }
    }
}
