import Bytes
import ResticFormat
import Strategy

/// What is known of the recovery kit, as a part of the ledger's document.
extension KitHistory {
    init?(_ tree: JSONTree) {
        guard let serial = tree.string("serial"), let made = tree.moment("made"), let key = tree.string("tag_key")
        else {
            return nil
        }
        self.init(serial: serial, made: made, tagKey: key)
        tags = tree.strings("tags")
        ids = tree.strings("ids")
        failures = tree.strings("failures")
        for (name, entry) in tree["passed"]?.entries ?? [:] {
            if let moment = entry.time?.moment { passed[name.plainText] = moment }
        }
    }

    func encode(to writer: inout GoJSONWriter) {
        writer.beginObject()
        writer.add("serial", serial)
        writer.add("made", made)
        writer.add("tag_key", tagKey)
        writer.add("tags", tags)
        writer.add("ids", ids)
        writer.key("passed")
        writer.beginObject()
        for (name, moment) in passed.sorted(by: { $0.key < $1.key }) {
            writer.key(name: ByteString(name))
            writer.time(ZonedTime(moment))
        }
        writer.endObject()
        writer.add("failures", failures)
        writer.endObject()
    }
}

extension JSONTree {
    fileprivate func strings(_ key: String) -> [String: String] {
        var found: [String: String] = [:]
        for (name, entry) in self[key]?.entries ?? [:] { found[name.plainText] = entry.text?.plainText }
        return found
    }
}

extension GoJSONWriter {
    fileprivate mutating func add(_ name: StaticString, _ texts: [String: String]) {
        key(name)
        beginObject()
        for (key, text) in texts.sorted(by: { $0.key < $1.key }) {
            self.key(name: ByteString(key))
            string(text)
        }
        endObject()
    }
}
