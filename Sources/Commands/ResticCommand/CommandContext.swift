package import Bytes
package import Console
package import HostSystem

/// What a command line takes from outside: the process, its streams, time and chance.
package struct CommandContext: Sendable {
    /// How the program was called, for help and usage lines: `restic`, `holdfast restic`.
    package var programName: String
    package var environment: Environment
    package var screen: Screen
    package var pool: WorkerPool
    package var time: any TimeSource
    package var entropy: any EntropySource
    /// Runs before any repository is touched; a failure ends the command.
    package var selfTest: @Sendable () throws -> Void = { try testKernels() }

    package init(
        programName: String,
        environment: Environment,
        screen: Screen,
        pool: WorkerPool,
        time: any TimeSource = SystemTime(),
        entropy: any EntropySource = SystemEntropy()
    ) {
        self.programName = programName
        self.environment = environment
        self.screen = screen
        self.pool = pool
        self.time = time
        self.entropy = entropy
    }
}
