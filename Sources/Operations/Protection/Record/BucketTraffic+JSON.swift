import Bytes
import ResticFormat
import Strategy

/// What was moved to and from a bucket, as a part of the ledger's document: days since 1970, and four numbers of each.
extension BucketTraffic {
    init(_ tree: JSONTree) {
        self.init()
        for (day, entry) in tree.entries {
            guard let day = Int64(day.plainText) else { continue }
            var traffic = Traffic()
            traffic.uploadedBytes = UInt64(entry.count("uploaded") ?? 0)
            traffic.downloadedBytes = UInt64(entry.count("downloaded") ?? 0)
            traffic.writes = UInt64(entry.count("writes") ?? 0)
            traffic.reads = UInt64(entry.count("reads") ?? 0)
            days[day] = traffic
        }
    }

    func encode(to writer: inout GoJSONWriter) {
        writer.beginObject()
        for (day, traffic) in days.sorted(by: { $0.key < $1.key }) {
            writer.key(name: ByteString("\(day)"))
            writer.beginObject()
            writer.add("uploaded", traffic.uploadedBytes)
            writer.add("downloaded", traffic.downloadedBytes)
            writer.add("writes", traffic.writes)
            writer.add("reads", traffic.reads)
            writer.endObject()
        }
        writer.endObject()
    }
}
