import ResticRepository

extension ProtectionEnvironment {
    /// Repositories that are opened at a time: the key of each takes 32 MiB, and a core for a third of a second.
    static let openedAtOnce = 3

    /// Does `body` in several stores side by side, and returns what came of each, in their order.
    ///
    /// One that fails stops none of the others. Isolation: `body` runs on the pool.
    package func sideBySide<Value: Sendable>(
        _ stores: [LabStore],
        _ body: @escaping @Sendable (LabStore) async throws -> Value
    ) async -> [Result<Value, any Error>] {
        let pool = repository.pool
        var waiting = Array(stores.enumerated())[...]
        return await withTaskGroup(of: (Int, Result<Value, any Error>).self) { group in
            func begin() {
                guard let (number, store) = waiting.popFirst() else { return }
                group.addTask(executorPreference: pool) {
                    do { return (number, .success(try await body(store))) } catch { return (number, .failure(error)) }
                }
            }
            for _ in 0..<Self.openedAtOnce { begin() }
            var results: [(Int, Result<Value, any Error>)] = []
            while let result = await group.next() {
                results.append(result)
                begin()
            }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
