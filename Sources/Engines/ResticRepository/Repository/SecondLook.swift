import Bytes
import ObjectStorage
import Outcome

extension ObjectStorage {
    /// The whole object, asked for once more when the store fails: a bad moment is not damage (D-10, B-01).
    ///
    /// Errors: those of the second try. What is missing, and a cancelled task, is not asked for again.
    func getTwice(_ name: ObjectName) async throws -> Block {
        do {
            return try await get(name, range: nil)
        } catch let failure as StorageFailure where failure.code != .notFound {
            return try await get(name, range: nil)
        }
    }
}
