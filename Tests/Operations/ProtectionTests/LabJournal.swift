import Bytes
import HostSystem
import Journal
import Protection
import TestSupport

extension TestLab {
    /// The journal in the state folder of the lab, on its clock.
    func openJournal() async throws -> RunJournal {
        await RunJournal.open(
            folder: try environment.stateFolder,
            on: try WorkerPool(width: 1),
            host: "docker-srv",
            time: clock,
            entropy: SystemEntropy(),
            warn: { _ in }
        )
    }
}
