import Strategy

/// The entry that would protect one found thing, with the commands that dump or stop what lives in it.
///
/// A database's own program stands in the proposal only where it runs on this machine; one in a container is stopped with its Compose
/// project, or dumped by a program in its container.
struct InitProposal {
    private let item: FoundItem
    /// Folders of the Compose projects that were found.
    private let projects: [String]
    /// The repositories, as the declaration writes them.
    private let targets: String

    init(_ item: FoundItem, projects: [String], targets: String) {
        self.item = item
        self.projects = projects
        self.targets = targets
    }

    /// Lines of the declaration, without the mark of a comment.
    var lines: [String] {
        switch item.kind {
        case .vault: entry(path: item.path, before: backupOfSQLite("db.sqlite3", to: "db.backup.sqlite3"))
        case .composeProject:
            entry(path: item.path, before: compose("stop"), after: compose("start"))
        case .database: database
        case .volumes, .folder, .home: entry(path: item.path)
        }
    }

    private var database: [String] {
        if item.what == "PostgreSQL" {
            return dump(
                to: "/var/lib/postgresql/holdfast.sql",
                isOnHost: item.path.hasPrefix("/var/lib/postgresql"),
                onHost: ["runuser", "-u", "postgres", "--", "pg_dumpall", "--file"],
                inContainer: "pg_dumpall -U postgres"
            )
        }
        if item.what.hasPrefix("MariaDB") {
            return dump(
                to: "/var/backups/mariadb.sql",
                isOnHost: item.path.hasPrefix("/var/lib/mysql"),
                onHost: ["mariadb-dump", "--all-databases", "--single-transaction", "--result-file"],
                inContainer: "mariadb-dump --all-databases --single-transaction"
            )
        }
        guard item.files.count == 1 else { return entry(path: item.path) }
        return entry(path: item.path, before: backupOfSQLite(item.files[0], to: "\(item.files[0]).backup"))
    }

    /// The entry of a dump of a database server.
    private func dump(to path: String, isOnHost: Bool, onHost: [String], inContainer: String) -> [String] {
        if isOnHost { return entry(path: path, before: onHost + [quoted(path)]) }
        if let project = projects.first(where: { item.path.hasPrefix($0 + "/") }) {
            return ["its server runs in the Compose project \(project): protect that one, which stops and starts it"]
        }
        let file = "/var/backups/\(name).sql"
        let command = "docker exec CONTAINER \(inContainer) > '\(file)'"
        return ["its server runs in a container: put its name in the place of CONTAINER"]
            + entry(path: file, before: ["sh", "-c", quoted(command)])
    }

    private func entry(path: String, before: [String]? = nil, after: [String]? = nil) -> [String] {
        var lines = ["- name: \(name)", "  host: { paths: [\(quoted(path))] }"]
        if let before { lines.append("  before: [\(before.joined(separator: ", "))]") }
        if let after { lines.append("  after: [\(after.joined(separator: ", "))]") }
        return lines + ["  to: \(targets)", "  role: production"]
    }

    /// The last part of the path that tells things apart: a volume's data lie in a folder `_data`.
    private var name: String {
        let part = item.path.split(separator: "/").last { $0 != "_data" }.map(String.init) ?? "data"
        return isName(part) ? part : "data"
    }

    private func compose(_ verb: String) -> [String] {
        ["docker", "compose", "--project-directory", quoted(item.path), verb]
    }

    private func backupOfSQLite(_ file: String, to copy: String) -> [String] {
        ["sqlite3", quoted("\(item.path)/\(file)"), quoted(".backup '\(item.path)/\(copy)'")]
    }

    private func quoted(_ text: String) -> String { DeclarationTemplate.quoted(text) }
}
