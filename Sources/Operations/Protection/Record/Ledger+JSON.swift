import Bytes
import ResticFormat
package import Strategy

/// The ledger as a JSON document, for people and for later versions: what they add is passed over.
extension Ledger {
    /// Bytes; one of fifty workloads and ten repositories has 60 KiB.
    package static let bytesMax = 16 << 20

    /// Nil when it is none.
    package init?(decoding bytes: [UInt8]) {
        guard let tree = try? JSONTree(decoding: bytes, limit: Self.bytesMax), tree["holdfast_ledger"]?.number == 1
        else {
            return nil
        }
        self.init()
        updated = tree["updated"]?.time?.moment
        for (name, entry) in tree["workloads"]?.entries ?? [:] {
            workloads[name.plainText] = WorkloadHistory(entry)
        }
        for (name, entry) in tree["repositories"]?.entries ?? [:] {
            repositories[name.plainText] = RepositoryHistory(entry)
        }
        for (name, entry) in tree["immutability"]?.entries ?? [:] {
            immutability[name.plainText] = DestructionProof(entry)
        }
        for (name, entry) in tree["traffic"]?.entries ?? [:] { traffic[name.plainText] = BucketTraffic(entry) }
        kit = tree["kit"].flatMap { KitHistory($0) }
        for (name, entry) in tree["channels"]?.entries ?? [:] { channels[name.plainText] = ChannelHistory(entry) }
    }

    /// The document, with names in order.
    package func encode() -> [UInt8] {
        var writer = GoJSONWriter(capacity: 4096)
        writer.beginObject()
        writer.key("holdfast_ledger")
        writer.integer(1)
        writer.add("updated", updated)
        writer.key("workloads")
        writer.beginObject()
        for (name, history) in workloads.sorted(by: { $0.key < $1.key }) {
            writer.key(name: ByteString(name))
            history.encode(to: &writer)
        }
        writer.endObject()
        writer.key("repositories")
        writer.beginObject()
        for (name, history) in repositories.sorted(by: { $0.key < $1.key }) {
            writer.key(name: ByteString(name))
            history.encode(to: &writer)
        }
        writer.endObject()
        writer.key("channels")
        writer.beginObject()
        for (name, history) in channels.sorted(by: { $0.key < $1.key }) {
            writer.key(name: ByteString(name))
            history.encode(to: &writer)
        }
        writer.endObject()
        writer.key("immutability")
        writer.beginObject()
        for (name, proof) in immutability.sorted(by: { $0.key < $1.key }) {
            writer.key(name: ByteString(name))
            proof.encode(to: &writer)
        }
        writer.endObject()
        writer.key("traffic")
        writer.beginObject()
        for (name, moved) in traffic.sorted(by: { $0.key < $1.key }) {
            writer.key(name: ByteString(name))
            moved.encode(to: &writer)
        }
        writer.endObject()
        if let kit {
            writer.key("kit")
            kit.encode(to: &writer)
        }
        writer.endObject()
        return writer.bytes + [0x0a]
    }
}

extension ByteString {
    /// As text, with nothing escaped.
    var plainText: String { String(decoding: bytes, as: UTF8.self) }
}

extension GoJSONWriter {
    mutating func add(_ name: StaticString, _ moment: Timestamp?) {
        guard let moment else { return }
        key(name)
        time(ZonedTime(moment))
    }

    mutating func add(_ name: StaticString, _ text: String) {
        key(name)
        string(text)
    }

    mutating func add(_ name: StaticString, _ number: UInt64?) {
        guard let number else { return }
        key(name)
        integer(number)
    }

    fileprivate mutating func add(_ name: StaticString, _ size: SourceSize?) {
        guard let size else { return }
        key(name)
        beginObject()
        add("files", size.files)
        add("bytes", size.bytes)
        endObject()
    }
}

extension JSONTree {
    func moment(_ key: String) -> Timestamp? { self[key]?.time?.moment }
    func count(_ key: String) -> Int? { self[key]?.number.flatMap { $0 >= 0 ? $0 : nil } }
    func string(_ key: String) -> String? { self[key]?.text?.plainText }

    fileprivate func size(_ key: String) -> SourceSize? {
        guard let files = self[key]?.count("files"), let bytes = self[key]?.count("bytes") else { return nil }
        return SourceSize(files: UInt64(files), bytes: UInt64(bytes))
    }
}

extension WorkloadHistory {
    fileprivate init(_ tree: JSONTree) {
        self.init()
        lastAttempt = tree.moment("last_attempt")
        lastOutcome = tree.string("last_outcome").flatMap { RunOutcome(rawValue: $0) }
        missing = (tree["missing"]?.items ?? []).compactMap { $0.text?.plainText }
        for (name, count) in tree["failures"]?.entries ?? [:] {
            failures[name.plainText] = count.number.flatMap { $0 > 0 ? $0 : nil }
        }
        caughtUp = tree.moment("caught_up")
        lastTrouble = tree["last_trouble"].map {
            RunTrouble(what: $0.string("what") ?? "", state: $0.string("state") ?? "")
        }
        runSeconds = (tree["run_seconds"]?.items ?? []).compactMap(\.number).filter { $0 >= 0 }
            .suffix(StrategyLimits.rememberedRuns)
        size = tree.size("size")
        shrunkTo = tree.size("shrunk_to")
        live = (tree["live"]?.items ?? []).compactMap { $0.text?.plainText }
    }

    fileprivate func encode(to writer: inout GoJSONWriter) {
        writer.beginObject()
        writer.add("last_attempt", lastAttempt)
        if let lastOutcome { writer.add("last_outcome", lastOutcome.rawValue) }
        if !missing.isEmpty {
            writer.key("missing")
            writer.strings(missing.map { ByteString($0) })
        }
        if !failures.isEmpty {
            writer.key("failures")
            writer.beginObject()
            for (name, count) in failures.sorted(by: { $0.key < $1.key }) {
                writer.key(name: ByteString(name))
                writer.integer(count)
            }
            writer.endObject()
        }
        writer.add("caught_up", caughtUp)
        if let lastTrouble {
            writer.key("last_trouble")
            writer.beginObject()
            writer.add("what", lastTrouble.what)
            writer.add("state", lastTrouble.state)
            writer.endObject()
        }
        writer.key("run_seconds")
        writer.beginArray()
        for seconds in runSeconds { writer.integer(seconds) }
        writer.endArray()
        writer.add("size", size)
        writer.add("shrunk_to", shrunkTo)
        writer.key("live")
        writer.strings(live.map { ByteString($0) })
        writer.endObject()
    }
}

extension RepositoryHistory {
    fileprivate init(_ tree: JSONTree) {
        let seen = tree.moment("seen") ?? .distantPast
        self.init(id: tree.string("id") ?? "", seen: seen)
        place = tree["place"].map { MediumPlace($0) }
        storedBytes = tree.count("stored_bytes").map(UInt64.init)
        rate = tree.count("restore_rate").map { rate in
            ReadingRate(
                bytesPerSecond: UInt64(rate),
                time: tree.moment("restore_rate_time") ?? seen,
                isOfRestore: tree.string("restore_rate_of") != "reading"
            )
        }
        pruned = tree.moment("pruned")
        reseeding = tree.moment("reseeding")
        removedSincePrune = tree.count("removed_since_prune") ?? 0
        locked = tree.moment("locked")
        lockLength = tree.count("lock_seconds").map { .seconds($0) }
        for (name, entry) in tree["copies"]?.entries ?? [:] {
            guard let snapshot = entry.string("snapshot"), let time = entry.moment("time") else { continue }
            copies[name.plainText] = CopySeen(snapshot: snapshot, time: time, count: entry.count("count") ?? 1)
        }
        for (name, entry) in tree["read_back"]?.entries ?? [:] {
            guard let snapshot = entry.string("snapshot"), let time = entry.moment("time") else { continue }
            readBack[name.plainText] = ReadBack(
                snapshot: snapshot,
                time: time,
                bytes: UInt64(entry.count("bytes") ?? 0)
            )
        }
        for (name, rules) in tree["retained"]?.entries ?? [:] { retained[name.plainText] = rules.text?.plainText }
        for (name, why) in tree["held"]?.entries ?? [:] { held[name.plainText] = why.text?.plainText }
        if let round = tree["verify"] {
            rotation = VerifyRotation(started: round.moment("started") ?? seen)
            rotation.done = min(round.count("done") ?? 0, VerifyRotation.groups)
            if let since = round.moment("completed_since"), let ended = round.moment("completed") {
                rotation.completed = VerifyRotation.Round(since: since, ended: ended)
            }
        }
        finding = OpenFinding(tree["finding"])
        doubt = OpenFinding(tree["doubt"])
    }

    fileprivate func encode(to writer: inout GoJSONWriter) {
        writer.beginObject()
        writer.add("id", id)
        writer.add("seen", seen)
        if let place { place.encode("place", to: &writer) }
        writer.add("stored_bytes", storedBytes)
        writer.add("restore_rate", rate?.bytesPerSecond)
        writer.add("restore_rate_time", rate?.time)
        if let rate { writer.add("restore_rate_of", rate.isOfRestore ? "restore" : "reading") }
        writer.add("pruned", pruned)
        writer.add("reseeding", reseeding)
        writer.add("removed_since_prune", UInt64(removedSincePrune))
        writer.add("locked", locked)
        writer.add("lock_seconds", lockLength.map { UInt64(clamping: $0.components.seconds) })
        writer.key("copies")
        writer.beginObject()
        for (name, copy) in copies.sorted(by: { $0.key < $1.key }) {
            writer.key(name: ByteString(name))
            writer.beginObject()
            writer.add("snapshot", copy.snapshot)
            writer.add("time", copy.time)
            writer.add("count", UInt64(copy.count))
            writer.endObject()
        }
        writer.endObject()
        encodeProofs(to: &writer)
        writer.endObject()
    }

    private func encodeProofs(to writer: inout GoJSONWriter) {
        writer.key("read_back")
        writer.beginObject()
        for (name, proof) in readBack.sorted(by: { $0.key < $1.key }) {
            writer.key(name: ByteString(name))
            writer.beginObject()
            writer.add("snapshot", proof.snapshot)
            writer.add("time", proof.time)
            writer.add("bytes", proof.bytes)
            writer.endObject()
        }
        writer.endObject()
        encode(retained, "retained", to: &writer)
        if !held.isEmpty { encode(held, "held", to: &writer) }
        writer.key("verify")
        writer.beginObject()
        writer.add("started", rotation.started)
        writer.add("done", UInt64(rotation.done))
        writer.add("completed_since", rotation.completed?.since)
        writer.add("completed", rotation.completed?.ended)
        writer.endObject()
        if let finding { finding.encode("finding", to: &writer) }
        if let doubt { doubt.encode("doubt", to: &writer) }
    }
}

extension RepositoryHistory {
    private func encode(_ texts: [String: String], _ key: StaticString, to writer: inout GoJSONWriter) {
        writer.key(key)
        writer.beginObject()
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
            writer.key(name: ByteString(name))
            writer.string(text)
        }
        writer.endObject()
    }
}

extension MediumPlace {
    fileprivate init(_ tree: JSONTree) {
        let disks = (tree["disks"]?.items ?? []).compactMap { $0.text?.plainText }
        self.init(fileSystem: tree.string("file_system"), disks: disks.isEmpty ? nil : Set(disks))
    }

    fileprivate func encode(_ name: StaticString, to writer: inout GoJSONWriter) {
        writer.key(name)
        writer.beginObject()
        if let fileSystem { writer.add("file_system", fileSystem) }
        writer.key("disks")
        writer.strings((disks ?? []).sorted().map { ByteString($0) })
        writer.endObject()
    }
}

extension OpenFinding {
    fileprivate init?(_ tree: JSONTree?) {
        guard let tree, let since = tree.moment("since") else { return nil }
        self.init(
            since: since,
            text: tree.string("text") ?? "",
            packs: (tree["packs"]?.items ?? []).compactMap { $0.text?.plainText }
        )
    }

    fileprivate func encode(_ name: StaticString, to writer: inout GoJSONWriter) {
        writer.key(name)
        writer.beginObject()
        writer.add("since", since)
        writer.add("text", text)
        writer.key("packs")
        writer.strings(packs.map { ByteString($0) })
        writer.endObject()
    }
}
