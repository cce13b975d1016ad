/// Makes the media of a declaration that fits the schema, and finds what their parts cannot mean together.
struct MediumBuilder {
    private(set) var problems: [StrategyProblem] = []
    private(set) var warnings: [StrategyProblem] = []

    mutating func medium(_ entry: DeclaredTable.Entry) -> Medium {
        let table = entry.value.table
        var medium = Medium(
            name: entry.key,
            kind: table["kind"].flatMap { MediumKind(rawValue: $0.text) } ?? .internal,
            location: location(table),
            identity: table["identity"]?.text,
            isMountedForRuns: table["mount"]?.scalar == .flag(true),
            place: entry.place
        )
        if case .secret(let reference)? = table["credentials"]?.scalar {
            medium.credentials = RemoteCredentials(reference)
        }
        if case .secret(let reference)? = table["read-only"]?.scalar {
            medium.readOnly = RemoteCredentials(reference)
        }
        switch table["pruning"]?.scalar {
        case .secret(let reference)?: medium.pruning = RemoteCredentials(reference)
        case .text?: medium.pruning = .typed
        default: break
        }
        checkReadOnly(medium, table)
        checkPruning(medium, table)
        check(medium, table)
        return medium
    }

    private func location(_ table: DeclaredTable) -> MediumLocation {
        if let bucket = table["s3"]?.table {
            var place = S3Bucket(
                endpoint: trimmed(bucket["endpoint"]?.text ?? ""),
                bucket: bucket["bucket"]?.text ?? ""
            )
            place.prefix = (bucket["prefix"]?.text ?? "").split(separator: "/").joined(separator: "/")
            place.region = bucket["region"]?.text
            place.storageClass = bucket["storage-class"]?.text ?? ""
            place.lookup = bucket["bucket-lookup"].flatMap { S3Bucket.Lookup(rawValue: $0.text) } ?? .auto
            if case .duration(let length)? = bucket["lock"]?.scalar { place.lock = length }
            place.lockMode = bucket["lock-mode"].flatMap { S3Bucket.LockMode(rawValue: $0.text) } ?? .compliance
            place.prices = bucket["prices"].map { prices($0.table) }
            place.budget = budget(bucket["budget"]?.table)
            place.connections = count(bucket["connections"])
            place.certificates = bucket["certificates"]?.text
            return .s3(place)
        }
        if let server = table["rest"]?.table {
            var place = RESTServer(url: trimmed(server["url"]?.text ?? ""))
            place.isAppendOnly = server["append-only"]?.scalar == .flag(true)
            place.connections = count(server["connections"])
            place.certificates = server["certificates"]?.text
            return .rest(place)
        }
        if let folder = table["sftp"]?.table {
            var place = SSHFolder(host: folder["host"]?.text ?? "", path: trimmed(folder["path"]?.text ?? ""))
            place.user = folder["user"]?.text
            place.port = count(folder["port"])
            place.key = folder["key"]?.text
            place.connections = count(folder["connections"])
            return .sftp(place)
        }
        return .folder(table["path"]?.text ?? "")
    }

    private func prices(_ table: DeclaredTable) -> BucketPrices {
        let none = Money(billionths: 0)
        var prices = BucketPrices(currency: table["currency"]?.text ?? "", storage: money(table["storage"]) ?? none)
        prices.writes = money(table["writes"]) ?? none
        prices.reads = money(table["reads"]) ?? none
        prices.egress = money(table["egress"]) ?? none
        prices.freeEgress = size(table["free-egress"]) ?? 0
        prices.freeEgressTimes = UInt64(count(table["free-egress-times"]) ?? 0)
        return prices
    }

    private func budget(_ table: DeclaredTable?) -> BucketBudget {
        BucketBudget(cost: money(table?["cost"]), egress: size(table?["egress"]))
    }

    private func money(_ value: DeclaredValue?) -> Money? {
        if case .money(let amount)? = value?.scalar { amount } else { nil }
    }

    private func size(_ value: DeclaredValue?) -> UInt64? {
        if case .size(let bytes)? = value?.scalar { bytes } else { nil }
    }

    private func count(_ value: DeclaredValue?) -> Int? {
        if case .count(let count)? = value?.scalar { Int(count) } else { nil }
    }

    private func trimmed(_ text: String) -> String {
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }

    // MARK: what must hold

    private mutating func check(_ medium: Medium, _ table: DeclaredTable) {
        let key = "media.\(medium.name)"
        switch medium.location {
        case .folder:
            if let refusal = medium.kind.refusalOnPath {
                report(kindPlace(table), "\(key).kind", refusal.what, refusal.next)
            }
            if medium.credentials != nil {
                report(table.place(of: "credentials"), "\(key).credentials", "open no folder", "leave them out")
            }
        case .s3(let bucket):
            let place = table["s3"]?.table["endpoint"]?.place ?? table.place
            checkRemote(medium, bucket.endpoint, mayHavePath: false, (place, "\(key).s3.endpoint"), table)
            let name = bucket.bucket
            if !isName(name) || !(3...63).contains(name.utf8.count) || name.contains("_") || name != name.lowercased() {
                let place = table["s3"]?.table["bucket"]?.place ?? table.place
                report(
                    place,
                    "\(key).s3.bucket",
                    "is no name of a bucket",
                    "use 3 to 63 small letters, digits, - and ."
                )
            }
            checkBudget(bucket, table["s3"]?.table["budget"], "\(key).s3.budget")
            if medium.credentials == nil {
                report(
                    medium.place,
                    key,
                    "has no credentials",
                    "add credentials: a reference to a text KEY-ID:SECRET, or to an item of the vault with both"
                )
            }
        case .rest(let server):
            let place = table["rest"]?.table["url"]?.place ?? table.place
            checkRemote(medium, server.url, mayHavePath: true, (place, "\(key).rest.url"), table)
        case .sftp(let folder): checkFolder(folder, medium, table)
        }
    }

    private mutating func checkBudget(_ bucket: S3Bucket, _ value: DeclaredValue?, _ key: String) {
        guard let value else { return }
        if bucket.budget == BucketBudget() { report(value.place, key, "bounds nothing", "add cost or egress") }
        if bucket.budget.cost != nil, bucket.prices == nil {
            let next = "add prices: what the service takes, copied from its page"
            report(value.place, "\(key).cost", "cannot be judged without prices", next)
        }
    }

    /// What a kit carries must not be able to write: whoever finds the paper could destroy what it is for.
    private mutating func checkReadOnly(_ medium: Medium, _ table: DeclaredTable) {
        guard let readOnly = medium.readOnly else { return }
        let (place, key) = (table.place(of: "read-only"), "media.\(medium.name).read-only")
        switch medium.location {
        case .folder, .sftp: report(place, key, "is for a bucket or a server", "leave it out")
        case .s3, .rest:
            guard readOnly == medium.credentials else { return }
            report(place, key, "is what writes there, too", "make a key that can only list and read, and name that")
        }
    }

    /// Whoever takes this machine has what runs hold: that must not be what deletes.
    private mutating func checkPruning(_ medium: Medium, _ table: DeclaredTable) {
        guard let pruning = medium.pruning else { return }
        let (place, key) = (table.place(of: "pruning"), "media.\(medium.name).pruning")
        switch medium.location {
        case .folder, .sftp: report(place, key, "is for a bucket or a server", "leave it out")
        case .s3, .rest:
            let next = "make a second key that may delete, take that right from the first, and name the second"
            if pruning == medium.credentials { report(place, key, "is what runs write with, too", next) }
            if pruning == medium.readOnly { report(place, key, "is what the kit carries, too", next) }
        }
    }

    private mutating func checkFolder(_ folder: SSHFolder, _ medium: Medium, _ table: DeclaredTable) {
        let key = "media.\(medium.name)"
        let place = table["sftp"]?.place ?? table.place
        checkKind(medium, host: folder.host[...], table)
        if medium.credentials != nil {
            let next = "leave them out, and name a key or let ssh find its own"
            report(table.place(of: "credentials"), "\(key).credentials", "are not what ssh asks for", next)
        }
        let names = [folder.host, folder.user ?? "a"]
        let isSound = names.allSatisfy { name in
            !name.isEmpty && !name.hasPrefix("-") && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
                && !name.contains { "@/".contains($0) }
        }
        if !isSound || folder.host.contains(":") {
            report(place, "\(key).sftp", "names no machine, or no user", "write host: nas.example, and user: backup")
        }
        if folder.path.isEmpty || folder.path.hasPrefix("~") {
            let next = "write a whole path, or one that counts from the user's home"
            report(place, "\(key).sftp.path", "is no folder", next)
        }
    }

    private mutating func checkRemote(
        _ medium: Medium,
        _ address: String,
        mayHavePath: Bool,
        _ at: (place: Place, key: String),
        _ table: DeclaredTable
    ) {
        guard let host = Self.host(of: address, mayHavePath: mayHavePath) else {
            // The address is not shown: it may hold a password.
            let next = "write such as https://s3.example.com, without a user and a query"
            return report(at.place, at.key, "is no address that starts with https:// or http://", next)
        }
        let isHere = checkKind(medium, host: host, table)
        guard address.hasPrefix("http://"), !isHere, medium.credentials != nil else { return }
        let what = "is asked in the clear: who listens on the way can use what was signed, or the password"
        warnings.append(
            StrategyProblem(at.place, key: at.key, what: what, next: "write https:// where the server has TLS")
        )
    }

    /// What lies behind a network is off-site or plays that; true when it is this machine.
    @discardableResult
    private mutating func checkKind(_ medium: Medium, host: Substring, _ table: DeclaredTable) -> Bool {
        let key = "media.\(medium.name)"
        for word in ["identity", "mount"] where table[word] != nil {
            report(table.place(of: word), "\(key).\(word)", "belongs to a disk", "leave it out")
        }
        let isHere = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"].contains(host)
        switch medium.kind {
        case .offsite where isHere:
            let next = "write stand-in for a rehearsal: it never counts as an off-site copy"
            report(kindPlace(table), "\(key).kind", "\"offsite\" cannot be a server of this machine", next)
        case .offsite, .standIn: break
        case .internal, .removable:
            let next = "write offsite, or stand-in for a rehearsal"
            report(kindPlace(table), "\(key).kind", "is not what lies behind a network", next)
        }
        return isHere
    }

    private func kindPlace(_ table: DeclaredTable) -> Place { table["kind"]?.place ?? table.place }

    /// The machine of an address; nil for what is none.
    private static func host(of address: String, mayHavePath: Bool) -> Substring? {
        guard let scheme = ["https://", "http://"].first(where: address.hasPrefix) else { return nil }
        let rest = address.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        guard mayHavePath || authority.count == rest.count, !authority.isEmpty,
            rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !rest.contains(where: { "@?#\"\\".contains($0) })
        else { return nil }
        if authority.hasPrefix("[") { return authority.prefix { $0 != "]" } + "]" }
        return authority.prefix { $0 != ":" }
    }

    private mutating func report(_ place: Place, _ key: String, _ what: String, _ next: String) {
        problems.append(StrategyProblem(place, key: key, what: what, next: next))
    }
}
