import HostSystem
package import Testing

/// Runs tests on threads of their own, as the product runs: tests of other modules that compute for seconds do not hold up their deadlines.
package struct OnPool: SuiteTrait, TestTrait, TestScoping {
    private static let pool = try? WorkerPool(width: 16, name: "tests")

    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(OnPool.pool) { try await function() }
    }
}

extension Trait where Self == OnPool {
    /// On threads of their own.
    package static var onPool: OnPool { OnPool() }
}
