import Bytes
import HostSystem
import Outcome
import Strategy

/// Whether a medium that a run missed is here again; no password is asked for, and nothing is mounted.
extension ProtectionEnvironment {
    /// What the plan of a run is told of media that were away.
    func catchUp(_ ledger: Ledger, isByHand: Bool, _ seen: SeenMeanwhile) -> CatchUp {
        CatchUp(isByHand: isByHand) { name in
            let isHere = self.isHere(name, ledger)
            return seen.cameBack(name, isHere: isHere) ? .back : isHere ? .here : .away
        }
    }

    /// Whether a run could try to write to that repository.
    func isHere(_ name: String, _ ledger: Ledger) -> Bool {
        store(named: name)?.isHere(wasSeen: ledger.repositories[name] != nil) ?? false
    }
}

extension LabStore {
    /// Whether a run could try to write to it; what lies behind a network is asked by the run itself.
    ///
    /// Of a medium that runs mount it is enough that its disk is attached, as far as the kernel tells.
    fileprivate func isHere(wasSeen: Bool) -> Bool {
        do {
            try MediumCheck(medium, mounting: environment.mounting).requireWritable()
            // An empty folder in its place is not it; one that was never made may be made there.
            return medium.isRemote || !wasSeen || (try? status(at: ByteString("\(path)/config"))) != nil
        } catch let failure as ProtectionFailure where failure.code == .mediumUnmounted {
            return isAttached
        } catch {
            return false
        }
    }

    private var isAttached: Bool {
        let folder = "/dev/disk/by-uuid"
        guard let identity = medium.identity, let names = try? Directory.open(ByteString(folder)).entries() else {
            return true
        }
        return names.contains { FileSystemUUID.isSame($0.name.display, identity) }
    }
}
