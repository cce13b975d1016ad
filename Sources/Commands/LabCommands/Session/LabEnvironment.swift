import Bytes
import HostSystem
package import ResticRepository
package import Sealing

/// What a verb of the lab takes from the machine: clock, chance, threads, who we are, and where we stand.
package struct LabEnvironment: Sendable {
    package var repository: RepositoryEnvironment
    /// Absolute path of the working directory.
    package var workingDirectory: String
    /// Cost of the keys of new repositories; nil, as outside of tests always, measures this machine for half a second.
    package var keyCost: ScryptParameters?

    package init(repository: RepositoryEnvironment, workingDirectory: String) {
        self.repository = repository
        self.workingDirectory = workingDirectory
    }

    /// The machine as it is.
    ///
    /// Errors: `E-FOLDER` when there is no working directory or no thread to be had.
    package static func current() throws -> LabEnvironment {
        do throws(Errno) {
            let user = currentUser()
            return LabEnvironment(
                repository: RepositoryEnvironment(
                    time: SystemTime(),
                    entropy: SystemEntropy(),
                    pool: try WorkerPool(),
                    hostName: HostSystem.hostName(),
                    userName: currentUserName(Accounts()),
                    userID: user.uid,
                    groupID: user.gid,
                    processID: currentProcessID(),
                    isAlive: { isProcessAlive($0) },
                    processMark: { ProcessMark(of: $0) },
                    leftLocks: .ofThisProcess
                ),
                workingDirectory: String(decoding: try currentDirectory().bytes, as: UTF8.self)
            )
        } catch {
            throw LabFailure.folder("start in", ".", error)
        }
    }
}
