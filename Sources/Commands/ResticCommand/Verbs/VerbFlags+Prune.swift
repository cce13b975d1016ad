import Bytes
import Console

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
