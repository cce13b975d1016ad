import ObjectStorage
import Outcome
import Testing

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy()

    private func attempt(
        _ code: StorageCode,
        tries: Int = 1,
        elapsed: Double = 0,
        failing: Double? = nil,
        hasAnswered: Bool = true,
        asked: Int? = nil
    ) -> RetryPolicy.Attempt {
        RetryPolicy.Attempt(
            tries: tries,
            elapsedSeconds: elapsed,
            failingSeconds: failing ?? elapsed,
            code: code,
            hasAnswered: hasAnswered,
            askedWaitSeconds: asked
        )
    }

    @Test func `E-01 waits double up to the longest, jittered, and end with the time`() {
        #expect(policy.wait(after: attempt(.busy), chance: 0) == 0.5)
        #expect(policy.wait(after: attempt(.busy), chance: 0.999) ?? 0 > 0.99)
        #expect(policy.wait(after: attempt(.busy, tries: 4), chance: 0) == 4)
        #expect(policy.wait(after: attempt(.busy, tries: 60), chance: 0) == 30)
        #expect(policy.wait(after: attempt(.busy, tries: 9, elapsed: 899), chance: 0) == nil)
    }

    @Test func `E-18 a request that was long on its way before it failed is tried again as any other`() {
        #expect(policy.wait(after: attempt(.unreachable, elapsed: 7200, failing: 0), chance: 0) != nil)
        #expect(policy.wait(after: attempt(.busy, tries: 2, elapsed: 7200, failing: 600), chance: 0) == 1)
        #expect(policy.wait(after: attempt(.busy, tries: 2, elapsed: 7200, failing: 900), chance: 0) == nil)
    }

    @Test func `E-02 a wait that the server asks for is kept, within a bound`() {
        #expect(policy.wait(after: attempt(.busy, asked: 0), chance: 0) == 0.5)
        #expect(policy.wait(after: attempt(.busy, asked: 7), chance: 0) == 7)
        #expect(policy.wait(after: attempt(.busy, asked: 3600), chance: 0) == 300)
    }

    @Test func `what only a person can change is never tried again`() {
        for code in StorageCode.allCases where code.retry != .later {
            #expect(policy.wait(after: attempt(code), chance: 0) == nil)
        }
        #expect(policy.wait(after: attempt(.auth), chance: 0) == nil)
        #expect(policy.wait(after: attempt(.noBucket), chance: 0) == nil)
    }

    @Test func `E-06 a wrong answer is looked at twice, and no more`() {
        #expect(policy.wait(after: attempt(.answer), chance: 0) != nil)
        #expect(policy.wait(after: attempt(.answer, tries: 2), chance: 0) == nil)
    }

    @Test func `E-19 a server that never answered is given up within half a minute`() {
        #expect(policy.wait(after: attempt(.unreachable, elapsed: 14, hasAnswered: false), chance: 0) != nil)
        #expect(policy.wait(after: attempt(.unreachable, elapsed: 15, hasAnswered: false), chance: 0) == nil)
        #expect(policy.wait(after: attempt(.unreachable, elapsed: 600), chance: 0) != nil)
    }

    @Test func `a kept connection that was closed meanwhile is replaced at once, and only once`() {
        #expect(policy.wait(after: attempt(.unreachable), chance: 0) == 0)
        #expect(policy.wait(after: attempt(.unreachable, tries: 2), chance: 0) == 1)
        #expect(policy.wait(after: attempt(.unreachable, hasAnswered: false), chance: 0) == 0.5)
    }

    @Test func `the operator's number of retries is kept`() {
        var policy = policy
        policy.retriesMax = 2
        #expect(policy.wait(after: attempt(.busy, tries: 2), chance: 0) != nil)
        #expect(policy.wait(after: attempt(.busy, tries: 3), chance: 0) == nil)
    }
}
