/// The commands of restic 0.19.1, those that are not there yet included, so that each is known by name.
package enum Verb: String, CaseIterable, Sendable {
    case backup, cache, cat, check, copy, diff, dump, find, forget
    case initialize = "init"
    case key, list, ls, migrate, mount, prune, recover, repair, restore, rewrite, snapshots, stats, tag, unlock
    case features, options
    case generate, help, version
    case rebuildIndex = "rebuild-index"
    case selfUpdate = "self-update"

    /// Where the overview lists it.
    package enum Group: Sendable { case available, advanced, additional, hidden }

    package var group: Group {
        switch self {
        case .features, .options: .advanced
        case .generate, .help, .version: .additional
        case .rebuildIndex, .selfUpdate: .hidden
        case .backup, .cache, .cat, .check, .copy, .diff, .dump, .find, .forget, .initialize, .key, .list, .ls,
            .migrate,
            .mount, .prune, .recover, .repair, .restore, .rewrite, .snapshots, .stats, .tag, .unlock:
            .available
        }
    }

    /// False for what a later version brings.
    package var isSupported: Bool {
        switch self {
        case .backup, .cache, .cat, .check, .copy, .diff, .dump, .features, .find, .forget, .generate, .help,
            .initialize,
            .key, .list, .ls, .migrate, .options, .prune, .rebuildIndex, .recover, .repair, .restore, .rewrite,
            .snapshots, .stats, .tag, .unlock, .version:
            true
        case .mount, .selfUpdate:
            false
        }
    }

    /// Whether the password is looked up before the command runs.
    var needsPassword: Bool {
        switch self {
        case .cache, .generate, .help, .options, .selfUpdate, .version: false
        case .backup, .cat, .check, .copy, .diff, .dump, .find, .forget, .initialize, .key, .list, .ls, .migrate,
            .mount,
            .prune, .recover, .repair, .restore, .rewrite, .snapshots, .stats, .tag, .unlock, .features, .rebuildIndex:
            true
        }
    }

    /// What the command does, in a line.
    var summary: String {
        switch self {
        case .backup: "Save files and directories as a new snapshot"
        case .cache: "Show or clean the local cache directories"
        case .cat: "Print an object of the repository"
        case .check: "Look for damage in the repository"
        case .copy: "Copy snapshots into another repository"
        case .diff: "Compare two snapshots"
        case .dump: "Write a file or directory of a snapshot to stdout"
        case .find: "Find files, directories or IDs"
        case .forget: "Remove snapshots by rules"
        case .initialize: "Create a repository"
        case .key: "Manage passwords and keys"
        case .list: "List the objects of the repository"
        case .ls: "List the files of a snapshot"
        case .migrate: "Upgrade the repository's format"
        case .mount: "Mount the repository as a file system"
        case .prune: "Free the space that no snapshot needs"
        case .recover: "Collect trees that no snapshot names"
        case .repair: "Repair index, packs or snapshots"
        case .restore: "Write the files of a snapshot back"
        case .rewrite: "Change snapshots afterwards"
        case .snapshots: "List the snapshots"
        case .stats: "Count files and sizes"
        case .tag: "Change the tags of snapshots"
        case .unlock: "Remove locks that dead processes left"
        case .features: "List the feature flags"
        case .options: "List the extended options"
        case .generate: "Write manual pages and shell completions"
        case .help: "Show the help of a command"
        case .version: "Show the version"
        case .rebuildIndex: "Rebuild the index (now: repair index)"
        case .selfUpdate: "Replace this program by a newer one"
        }
    }

    /// What stands after the name in the usage line.
    var argumentSynopsis: String {
        switch self {
        case .backup: "[flags] [FILE/DIR] ..."
        case .cat:
            "[flags] [masterkey|config|pack ID|blob ID|snapshot ID|index ID|key ID|lock ID|tree snapshot:subfolder]"
        case .dump: "[flags] snapshotID file"
        case .find: "[flags] PATTERN..."
        case .copy, .rewrite, .stats: "[flags] [snapshotID ...]"
        case .migrate: "[flags] [migration name] [...]"
        case .mount: "[flags] mountpoint"
        case .diff: "[flags] snapshotID snapshotID"
        case .list: "[flags] [\(Verb.listableKinds.joined(separator: "|"))]"
        case .ls: "[flags] snapshotID [dir...]"
        case .restore: "[flags] snapshotID"
        case .snapshots: "[flags] [snapshotID ...]"
        case .forget: "[flags] [snapshot ID] [...]"
        case .tag: "[flags] [snapshotID ...]"
        case .key: "[\(KeyAction.allCases.map(\.rawValue).joined(separator: "|"))] [flags] [ID]"
        case .repair: "[\(RepairAction.allCases.map(\.rawValue).joined(separator: "|"))] [flags] [ID] [...]"
        case .help: "[command]"
        default: "[flags]"
        }
    }

    /// The words that `list` takes.
    static let listableKinds = ["blobs", "packs", "index", "snapshots", "keys", "locks"]
}
