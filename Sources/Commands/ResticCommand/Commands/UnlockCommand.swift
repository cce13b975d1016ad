import Console
import Outcome
import ResticRepository

extension Session {
    /// `unlock`: removes stale locks, or all.
    func runUnlock() async throws -> ExitStatus {
        let repository = try await openRepository()
        let removed = try await repository.unlock(removeAll: values.isOn("remove-all"))
        if removed > 0 { printer.normal("successfully removed \(removed) locks") }
        return .success
    }
}
