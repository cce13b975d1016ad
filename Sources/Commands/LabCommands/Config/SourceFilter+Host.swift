import Bytes
import ResticRepository
import Strategy

extension SourceFilter {
    /// What a workload's declaration leaves out.
    init(_ host: HostPaths) {
        self.init()
        excludes = host.exclude.map { ByteString($0) }
        largerThanBytes = host.excludeLargerThan
        oneFileSystem = host.isOneFileSystem
        if host.excludesCaches { markers = [.cacheDirectory] }
    }
}
