/// What this program calls itself.
package enum ProductVersion {
    /// Our own version.
    package static let number = "0.1.0"
    /// The restic whose command line, output and exit codes are kept.
    package static let restic = "0.19.1"
    /// Recorded in the snapshots that we write.
    package static let program = "holdfast \(number)"

    /// `swift6.3`.
    static var compiler: String {
        #if compiler(>=6.4)
            "swift6.4"
        #else
            "swift6.3"
        #endif
    }

    static var architecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown"
        #endif
    }
}
