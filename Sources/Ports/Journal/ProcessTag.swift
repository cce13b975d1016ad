import Bytes
import HostSystem

/// Which process a running run belongs to, as it stands in the journal: `PID BOOT/NAMESPACE/TICKS`.
package enum ProcessTag {
    /// This process.
    package static func current() -> String {
        let number = currentProcessID()
        return "\(number) \(ProcessMark(of: number).map { String(decoding: $0.text.bytes, as: UTF8.self) } ?? "")"
    }

    /// Whether a process is gone.
    package enum Life { case alive, gone, unseen }

    /// What is known of a process; one that has another number space (a container) is not seen from here.
    package static func life(of tag: String?) -> Life {
        guard let tag, let space = tag.firstIndex(of: " "), let number = Int32(tag[..<space]) else { return .gone }
        guard let mark = ProcessMark(ByteString(String(tag[tag.index(after: space)...]))),
            let own = ProcessMark(of: currentProcessID())
        else { return isProcessAlive(number) ? .alive : .gone }
        if mark.boot != own.boot { return .gone }
        if mark.namespace != own.namespace { return .unseen }
        return ProcessMark(of: number) == mark ? .alive : .gone
    }
}
