import Bytes
import Console

extension Verb {
    /// The options of this command alone.
    package var flags: [Flag] {
        switch self {
        case .backup: backupFlags
        case .restore: restoreFlags
        case .check: checkFlags
        case .initialize: initFlags
        case .snapshots: snapshotsFlags
        case .ls: lsFlags
        case .dump: dumpFlags
        case .generate: generateFlags
        case .cache: cacheFlags
        case .diff: diffFlags
        case .stats: statsFlags
        case .prune: pruneFlags
        case .repair: RepairAction.allCases.flatMap(\.flags)
        case .rebuildIndex: repairIndexFlags
        case .copy: secondaryRepositoryFlags("to copy snapshots from") + snapshotFilterFlags("")
        case .find: findFlags
        case .forget: forgetFlags
        case .key: keyFlags
        case .tag: tagFlags
        case .unlock: [Flag("remove-all", nil, .switched, "", "remove every lock, not only stale ones")]
        case .rewrite: rewriteFlags
        case .migrate: migrateFlags
        case .mount: mountFlags
        case .cat, .list, .version, .help, .recover, .features, .options, .selfUpdate:
            []
        }
    }
}

let excludeFlags: [Flag] = [
    Flag("exclude", "e", .strings, "pattern", "leave out what matches the pattern; may be repeated"),
    Flag("iexclude", nil, .strings, "pattern", "like --exclude, upper and lower case alike"),
    Flag("exclude-file", nil, .strings, "file", "read patterns for --exclude from this file; may be repeated"),
    Flag("iexclude-file", nil, .strings, "file", "read patterns for --iexclude from this file; may be repeated"),
]

let includeFlags: [Flag] = [
    Flag("include", "i", .strings, "pattern", "take only what matches the pattern; may be repeated"),
    Flag("iinclude", nil, .strings, "pattern", "like --include, upper and lower case alike"),
    Flag("include-file", nil, .strings, "file", "read patterns for --include from this file; may be repeated"),
    Flag("iinclude-file", nil, .strings, "file", "read patterns for --iinclude from this file; may be repeated"),
]

func snapshotFilterFlags(_ when: String, hostShorthand: Character? = "H") -> [Flag] {
    [
        Flag(
            "host",
            hostShorthand,
            .strings,
            "host",
            "only snapshots of this host\(when); may be repeated, empty lifts the default (default: $RESTIC_HOST)"
        ),
        Flag(
            "tag",
            nil,
            .strings,
            "tag[,tag,...]",
            "only snapshots with all these tags\(when); may be repeated for alternatives",
            defaultText: "[]"
        ),
        Flag(
            "path",
            nil,
            .strings,
            "path",
            "only snapshots with this absolute path\(when); repeated: with all of them"
        ),
    ]
}

func groupByComplaint(_ value: ByteString) -> Text? {
    let known: Set<String> = ["host", "hosts", "path", "paths", "tag", "tags", ""]
    return value.split(0x2c).first { !known.contains($0.display) }.map { "unknown grouping option: \(quoted($0))" }
}

private let backupFlags: [Flag] =
    excludeFlags + [
        Flag(
            "parent",
            nil,
            .string,
            "snapshot",
            "compare with this snapshot (default: the newest of the same group that is not newer than --time)"
        ),
        Flag(
            "group-by",
            "g",
            .checked(groupByComplaint),
            "group",
            "what makes a group for the parent: host, paths, tags, comma-separated, or '' for none",
            defaultText: "host,paths"
        ),
        Flag("force", "f", .switched, "", "read every file again; no parent"),
        Flag("one-file-system", "x", .switched, "", "stay on the file systems of the sources"),
        Flag(
            "exclude-if-present",
            nil,
            .strings,
            "filename[:header]",
            "leave out the contents of directories that hold this file (and whose file begins with the header); may be repeated"
        ),
        Flag("exclude-caches", nil, .switched, "", "leave out the contents of directories marked by a CACHEDIR.TAG"),
        Flag("exclude-larger-than", nil, .string, "size", "leave out larger files; suffixes k, m, g, t"),
        Flag("stdin", nil, .switched, "", "save what comes from standard input"),
        Flag(
            "stdin-filename",
            nil,
            .string,
            "filename",
            "the name of the file made from standard input",
            defaultText: "\"stdin\""
        ),
        Flag("stdin-from-command", nil, .switched, "", "run the arguments as a command and save its output"),
        Flag(
            "tag",
            nil,
            .strings,
            "tags",
            "give the snapshot these comma-separated tags; may be repeated",
            defaultText: "[]"
        ),
        Flag(
            "read-concurrency",
            nil,
            .unsigned,
            "n",
            "read this many files at once (default: $RESTIC_READ_CONCURRENCY or 2)"
        ),
        Flag("host", "H", .string, "hostname", "the host name in the snapshot (default: $RESTIC_HOST)"),
        Flag("hostname", nil, .string, "hostname", "the host name in the snapshot", deprecation: "use --host"),
        Flag(
            "files-from",
            nil,
            .strings,
            "file",
            "read sources from this file, with wildcards and comments; may be repeated"
        ),
        Flag(
            "files-from-verbatim",
            nil,
            .strings,
            "file",
            "read sources from this file, one a line, taken literally; may be repeated"
        ),
        Flag(
            "files-from-raw",
            nil,
            .strings,
            "file",
            "read sources from this file, each ended by a zero byte; may be repeated"
        ),
        Flag("time", nil, .string, "time", "the snapshot's time, such as '2012-11-01 22:08:41' (default: now)"),
        Flag("with-atime", nil, .switched, "", "store access times"),
        Flag("ignore-inode", nil, .switched, "", "a new inode number or ctime alone does not make a file changed"),
        Flag("ignore-ctime", nil, .switched, "", "a new ctime alone does not make a file changed"),
        Flag("dry-run", "n", .switched, "", "store nothing, show what would be done"),
        Flag("no-scan", nil, .switched, "", "do not count the sources beforehand"),
        Flag("skip-if-unchanged", nil, .switched, "", "write no snapshot when it would equal its parent"),
    ]

private let restoreFlags: [Flag] =
    excludeFlags + includeFlags + snapshotFilterFlags(" when the ID is \"latest\"") + [
        Flag("target", "t", .string, "string", "the directory to restore to"),
        Flag("exclude-xattr", nil, .strings, "pattern", "leave out extended attributes that match; may be repeated"),
        Flag("include-xattr", nil, .strings, "pattern", "restore only extended attributes that match; may be repeated"),
        Flag("dry-run", nil, .switched, "", "write nothing, show what would be done"),
        Flag("sparse", nil, .switched, "", "leave holes for runs of zeros"),
        Flag("verify", nil, .switched, "", "read the restored files again and compare"),
        Flag(
            "overwrite",
            nil,
            .checked(overwriteComplaint),
            "behavior",
            "which existing files to overwrite: always, if-changed, if-newer or never",
            defaultText: "always"
        ),
        Flag(
            "delete",
            nil,
            .switched,
            "",
            "remove from the target what the snapshot does not hold; try with --dry-run -vv first"
        ),
        Flag("ownership-by-name", nil, .switched, "", "set owners by user and group name instead of number"),
    ]

private func overwriteComplaint(_ value: ByteString) -> Text? {
    ["always", "if-changed", "if-newer", "never"].contains(value.display)
        ? nil : "invalid overwrite behavior \(quoted(value)), must be one of (always|if-changed|if-newer|never)"
}

private let checkFlags: [Flag] =
    snapshotFilterFlags("") + [
        Flag("read-data", nil, .switched, "", "read and verify all data"),
        Flag(
            "read-data-subset",
            nil,
            .string,
            "subset",
            "read part of the data: 'n/t' for the n-th of t parts, 'x%' or a size such as 5G for a random part"
        ),
        Flag(
            "check-unused",
            nil,
            .switched,
            "",
            "ignored",
            deprecation: "`--check-unused` is deprecated and will be ignored"
        ),
        Flag("with-cache", nil, .switched, "", "use the existing cache instead of a temporary one"),
    ]

private func secondaryRepositoryFlags(_ purpose: String) -> [Flag] {
    [
        Flag(
            "repo2",
            nil,
            .string,
            "repository",
            "the source repository",
            deprecation: "use --repo or --from-repo instead"
        ),
        Flag(
            "repository-file2",
            nil,
            .string,
            "file",
            "the source repository's location",
            deprecation: "use --repository-file or --from-repository-file instead"
        ),
        Flag("password-file2", nil, .string, "file", "the source repository's password", isHidden: true),
        Flag("key-hint2", nil, .string, "string", "the source repository's key", isHidden: true),
        Flag("password-command2", nil, .string, "command", "the source repository's password", isHidden: true),
        Flag(
            "from-repo",
            nil,
            .string,
            "repository",
            "the repository \(purpose) (default: $RESTIC_FROM_REPOSITORY)"
        ),
        Flag(
            "from-repository-file",
            nil,
            .string,
            "file",
            "read its location from this file (default: $RESTIC_FROM_REPOSITORY_FILE)"
        ),
        Flag(
            "from-password-file",
            nil,
            .string,
            "file",
            "read its password from this file (default: $RESTIC_FROM_PASSWORD_FILE)"
        ),
        Flag(
            "from-key-hint",
            nil,
            .string,
            "string",
            "try its key with this ID first (default: $RESTIC_FROM_KEY_HINT)"
        ),
        Flag(
            "from-password-command",
            nil,
            .string,
            "command",
            "run this command for its password (default: $RESTIC_FROM_PASSWORD_COMMAND)"
        ),
        Flag("from-insecure-no-password", nil, .switched, "", "its password is empty (insecure)"),
    ]
}

private let initFlags: [Flag] =
    secondaryRepositoryFlags("to take the chunker parameters from") + [
        Flag(
            "copy-chunker-params",
            nil,
            .switched,
            "",
            "cut files as the other repository does, so that copies share data"
        ),
        Flag(
            "repository-version",
            nil,
            .string,
            "string",
            "the format: 1, 2, 'latest' or 'stable'",
            defaultText: "\"stable\""
        ),
    ]

private let snapshotsFlags: [Flag] =
    snapshotFilterFlags("") + [
        Flag("compact", "c", .switched, "", "leave out the paths"),
        Flag("last", nil, .switched, "", "only the newest of each host and path", deprecation: "use --latest 1"),
        Flag("latest", nil, .integer, "n", "only the newest n of each host and path"),
        Flag("group-by", "g", .checked(groupByComplaint), "group", "group by host, paths, tags, comma-separated"),
    ]

private let lsFlags: [Flag] =
    snapshotFilterFlags(" when the ID is \"latest\"") + [
        Flag("long", "l", .switched, "", "show mode, owner, size and time"),
        Flag("recursive", nil, .switched, "", "list the given directories with everything below them"),
        Flag("human-readable", nil, .switched, "", "print sizes with units"),
        Flag("ncdu", nil, .switched, "", "print the export format of ncdu (for `ncdu -f -`)"),
        Flag(
            "sort",
            "s",
            .checked(sortComplaint),
            "mode",
            "sort by name, size, time (= mtime), atime, ctime or extension",
            defaultText: "name"
        ),
        Flag("reverse", nil, .switched, "", "reverse the order"),
    ]

private let dumpFlags: [Flag] =
    snapshotFilterFlags(" when the ID is \"latest\"") + [
        Flag("archive", "a", .string, "format", "write directories as \"tar\" or \"zip\"", defaultText: "\"tar\""),
        Flag("target", "t", .string, "path", "write to this file instead of standard output"),
    ]

private func sortComplaint(_ value: ByteString) -> Text? {
    ["name", "size", "atime", "ctime", "mtime", "time", "extension"].contains(value.display)
        ? nil : "invalid sort mode \(quoted(value)), must be one of (name|size|time=mtime|atime|ctime|extension)"
}

private let findFlags: [Flag] =
    snapshotFilterFlags("") + [
        Flag("oldest", "O", .string, "oldest", "only what was modified at this date or time, or later"),
        Flag("newest", "N", .string, "newest", "only what was modified at this date or time, or earlier"),
        Flag("snapshot", "s", .strings, "id", "search this snapshot; may be repeated"),
        Flag("blob", nil, .switched, "", "the patterns are IDs of data blobs"),
        Flag("tree", nil, .switched, "", "the patterns are IDs of trees"),
        Flag("pack", nil, .switched, "", "the patterns are IDs of packs"),
        Flag("show-pack-id", nil, .switched, "", "name the pack of each blob or tree looked for"),
        Flag("ignore-case", "i", .switched, "", "upper and lower case alike"),
        Flag("reverse", "R", .switched, "", "oldest snapshot first"),
        Flag("long", "l", .switched, "", "show mode, owner, size and time"),
        Flag("human-readable", nil, .switched, "", "print sizes with units"),
    ]

private let statsFlags: [Flag] =
    snapshotFilterFlags("") + [
        Flag(
            "mode",
            nil,
            .string,
            "string",
            "what to count: restore-size, files-by-contents, blobs-per-file or raw-data",
            defaultText: "\"restore-size\""
        )
    ]

private let diffFlags: [Flag] = [Flag("metadata", nil, .switched, "", "show items of which only metadata changed")]

private let cacheFlags: [Flag] = [
    Flag("cleanup", nil, .switched, "", "remove old cache directories"),
    Flag("max-age", nil, .unsigned, "days", "a cache not used for this many days is old", defaultText: "30"),
    Flag("no-size", nil, .switched, "", "leave out the sizes"),
]

private let generateFlags: [Flag] = [
    Flag("man", nil, .string, "directory", "write manual pages into this directory"),
    Flag("bash-completion", nil, .string, "file", "write completion for bash ('-': standard output)"),
    Flag("fish-completion", nil, .string, "file", "write completion for fish ('-': standard output)"),
    Flag("zsh-completion", nil, .string, "file", "write completion for zsh ('-': standard output)"),
    Flag("powershell-completion", nil, .string, "file", "write completion for PowerShell ('-': standard output)"),
]
