import Bytes
import Console
import ResticRepository
import Strategy

/// What `forget` and `prune` share: how much an automatic prune may leave and move.
let pruneLimitFlags: [Flag] = [
    Flag(
        "max-unused",
        nil,
        .string,
        "limit",
        "tolerate this much unused data: bytes with k, m, g or t, a part such as 5%, or 'unlimited'",
        defaultText: "\"5%\""
    ),
    Flag("max-repack-size", nil, .string, "size", "stop after repacking this much; suffixes k, m, g, t"),
    Flag("repack-cacheable-only", nil, .switched, "", "repack only packs that are cached"),
    Flag(
        "repack-small",
        nil,
        .switched,
        "",
        "ignored",
        deprecation: "small files are automatically repacked. Use --repack-smaller-than to specify a minimum size"
    ),
    Flag("repack-uncompressed", nil, .switched, "", "repack all data that is not compressed"),
    Flag("repack-smaller-than", nil, .string, "below-limit", "repack packs smaller than this; suffixes k, m, g, t"),
]

let pruneFlags: [Flag] =
    pruneLimitFlags + [
        Flag("dry-run", "n", .switched, "", "change nothing, show what would be done"),
        Flag(
            "unsafe-recover-no-free-space",
            nil,
            .string,
            "string",
            "UNSAFE: make room in a full repository by removing its index files first; takes the repository's ID. Try `prune --max-repack-size 0` before"
        ),
    ]

let forgetFlags: [Flag] =
    keepFlags
    + [
        Flag(
            "unsafe-allow-remove-all",
            nil,
            .switched,
            "",
            "allow removing all snapshots that the filters let through"
        ),
        Flag("hostname", nil, .strings, "hostname", "only snapshots of this host", deprecation: "use --host"),
    ]
    + snapshotFilterFlags("", hostShorthand: nil)
    + [
        Flag("compact", "c", .switched, "", "leave out the paths and the reasons"),
        Flag(
            "group-by",
            "g",
            .checked(groupByComplaint),
            "group",
            "apply the rules to each group: host, paths, tags, comma-separated, or '' for none",
            defaultText: "host,paths"
        ),
        Flag("dry-run", "n", .switched, "", "remove nothing, show what would be removed"),
        Flag("prune", nil, .switched, "", "run prune when snapshots were removed"),
    ]
    + pruneLimitFlags

private let keepFlags: [Flag] =
    countFlags + spanFlags + [
        Flag(
            "keep-tag",
            nil,
            .strings,
            "taglist",
            "keep snapshots with all these tags; may be repeated for alternatives"
        )
    ]

private let countFlags: [Flag] = zip(KeepPolicy.Period.allCases, ["l", "H", "d", "w", "m", "y"] as [Character]).map {
    Flag(
        "keep-\($0.rawValue)",
        $1,
        .checked(keepCountComplaint),
        "n",
        $0 == .last
            ? "keep the newest n snapshots ('unlimited': all)"
            : "keep the newest of each of the last n \($0.rawValue) periods with snapshots ('unlimited': of each)"
    )
}

private let spanFlags: [Flag] = KeepPolicy.Period.allCases.map { period in
    Flag(
        period == .last ? "keep-within" : "keep-within-\(period.rawValue)",
        nil,
        .checked(keepDurationComplaint),
        "duration",
        period == .last
            ? "keep everything of this time before the newest snapshot, such as 1y5m7d2h"
            : "keep \(period.rawValue) snapshots of this time before the newest snapshot, such as 1y5m7d2h"
    )
}

let tagFlags: [Flag] =
    [
        Flag("set", nil, .strings, "tags", "replace the tags by these comma-separated ones; may be repeated"),
        Flag("add", nil, .strings, "tags", "add these comma-separated tags; may be repeated"),
        Flag("remove", nil, .strings, "tags", "remove these comma-separated tags; may be repeated"),
    ] + snapshotFilterFlags("")

let rewriteFlags: [Flag] =
    [
        Flag("forget", nil, .switched, "", "remove the old snapshots when the new ones are stored"),
        Flag("dry-run", "n", .switched, "", "change nothing, show what would be done"),
        Flag("new-host", nil, .string, "string", "replace the host name"),
        Flag("new-time", nil, .string, "string", "replace the time, such as '2012-11-01 22:08:41'"),
        Flag(
            "snapshot-summary",
            "s",
            .switched,
            "",
            "count files and bytes for the summary, and make one where there is none"
        ),
    ] + snapshotFilterFlags("") + excludeFlags + includeFlags

/// Known for the help; the command itself is refused.
let mountFlags: [Flag] =
    [
        Flag("allow-other", nil, .switched, "", "let other users into the mounted directory"),
        Flag("no-default-permissions", nil, .switched, "", "with --allow-other: let all users read everything"),
        Flag("owner-root", nil, .switched, "", "show root as the owner of everything"),
        Flag("path-template", nil, .strings, "template", "how paths are named; may be repeated"),
        Flag(
            "time-template",
            nil,
            .string,
            "template",
            "how times are written",
            defaultText: "\"2006-01-02T15:04:05Z07:00\""
        ),
    ] + snapshotFilterFlags("")

let migrateFlags: [Flag] = [Flag("force", "f", .switched, "", "apply a migration although it seems not to apply")]

/// Of `key add` and `key passwd`; the other actions refuse them.
let keyFlags: [Flag] = [
    Flag("new-password-file", nil, .string, "file", "add, passwd: read the new password from this file"),
    Flag("new-insecure-no-password", nil, .switched, "", "add, passwd: the new password is empty (insecure)"),
    Flag("user", nil, .string, "string", "add, passwd: the user name in the new key"),
    Flag("host", nil, .string, "string", "add, passwd: the host name in the new key"),
]

let repairIndexFlags: [Flag] = [
    Flag("read-all-packs", nil, .switched, "", "index: read every pack, and believe nothing of the old index")
]

let repairSnapshotsFlags: [Flag] =
    [
        Flag("dry-run", "n", .switched, "", "snapshots: change nothing, show what would be done"),
        Flag("forget", nil, .switched, "", "snapshots: remove the damaged snapshots once the repaired ones are stored"),
    ] + snapshotFilterFlags(", for snapshots")
