import Bytes
import Console

/// The overview that `restic` alone and `restic --help` print; `name` is how the program was called.
func overviewHelp(calledAs name: String) -> Text {
    var lines = [
        "Encrypted, deduplicated backups in restic's repository format.",
        "Commands, options, output and exit codes are those of restic 0.19.1.",
        "",
        "Usage:",
        "  \(name) [command]",
    ]
    let groups: [(String, Verb.Group)] = [
        ("Available Commands:", .available), ("Advanced Options:", .advanced), ("Additional Commands:", .additional),
    ]
    for (title, group) in groups {
        lines += ["", title]
        for verb in Verb.allCases where verb.group == group {
            lines.append(
                "  \(padRight(verb.rawValue, 13)) \(verb.summary)\(verb.isSupported ? "" : " (not supported yet)")"
            )
        }
    }
    lines += ["", "Flags:"] + flagLines(globalFlags)
    lines += [
        "", "Use \"\(name) [command] --help\" for more information about a command.", "",
        "Examples:",
        "  \(name) -r /mnt/usb/repo init",
        "  \(name) -r /mnt/usb/repo backup /home --exclude-caches",
    ]
    return Text(lines.joined(separator: "\n"))
}

/// The help of one command.
func help(for verb: Verb, calledAs name: String) -> Text {
    var lines = [verb.summary + "."]
    let more = verb.explanation
    if !more.isEmpty { lines += [""] + more }
    if !verb.isSupported {
        lines += ["", "This command is not supported yet: it is refused, and nothing is read or changed."]
    }
    lines += ["", "Exit status:"] + verb.exitStatusLines
    lines += ["", "Usage:", "  \(name) \(verb.rawValue) \(verb.argumentSynopsis)", "", "Flags:"]
    lines += flagLines(verb.flags + [helpFlag])
    lines += ["", "Global Flags:"] + flagLines(globalFlags.filter { $0.name != "help" })
    if verb.isSupported { lines += ["", "Examples:"] + verb.examples.map { "  \(name) \($0)" } }
    return Text(lines.joined(separator: "\n"))
}

let helpFlag = Flag("help", "h", .switched, "", "show this help")

/// The options by name in two columns.
private func flagLines(_ flags: [Flag]) -> [String] {
    let shown = flags.filter { !$0.isHidden }.sorted { $0.name < $1.name }
    let left = shown.map { flag in
        let short = flag.shorthand.map { "  -\(Character(Unicode.Scalar($0))), " } ?? "      "
        return "\(short)--\(flag.name)\(flag.placeholder.isEmpty ? "" : " \(flag.placeholder)")"
    }
    let width = left.map(\.utf8.count).max() ?? 0
    return zip(left, shown).map { text, flag in
        let suffix = flag.defaultText.isEmpty ? "" : " (default \(flag.defaultText))"
        return "\(padRight(text, width))   \(flag.help)\(suffix)"
    }
}

extension Verb {
    /// What a reader should know beyond the summary, line by line.
    var explanation: [String] {
        switch self {
        case .backup:
            [
                "Files that did not change since the parent snapshot are not read again. A source that is missing",
                "or unreadable is named and leads to exit status 3; everything else is saved.",
            ]
        case .restore:
            [
                "The ID \"latest\" stands for the newest snapshot that the filters let through. ID:DIRECTORY restores",
                "only that directory of the snapshot, as its root.",
            ]
        case .check:
            [
                "Verifies that index, packs, snapshots and trees fit together. --read-data and --read-data-subset",
                "also read and verify the data itself. A temporary cache is used unless --with-cache is given.",
            ]
        case .ls:
            [
                "The ID \"latest\" stands for the newest snapshot that the filters let through. Directories are absolute;",
                "only their direct entries are listed unless --recursive is given.",
            ]
        case .dump:
            [
                "A file is written as it is, a directory as an archive; \"/\" stands for the whole snapshot. With",
                "ID:DIRECTORY the path counts from that directory, which becomes the root of the archive.",
            ]
        case .find:
            [
                "Searches all snapshots that the filters let through, the newest first. Patterns are those of backup's",
                "--exclude. An ID is given in full or by its first eight digits or more.",
            ]
        case .stats:
            [
                "restore-size counts what restoring each snapshot would write; files-by-contents counts files with equal",
                "contents once; blobs-per-file counts the blobs of those; raw-data counts what is stored for them.",
            ]
        case .diff:
            [
                "In front of each path: + added, - removed, M other contents, T other type, U other metadata, ? other",
                "contents with the same metadata, which hints at damage. ID:DIRECTORY compares directories.",
            ]
        case .features:
            [
                "Flags are set by the environment: RESTIC_FEATURES=NAME=true,NAME=false. An alpha flag is off and a beta",
                "flag on unless it is set; a stable flag is always on.",
            ]
        case .forget:
            [
                "Divides the snapshots into groups, applies the --keep-… rules to each and removes what no rule keeps;",
                "with IDs it removes those. Without any rule nothing is removed. The data itself stays until a prune.",
            ]
        case .prune:
            [
                "Removes packs of which nothing is used, and packs anew what stays of others. A pack goes when its blobs are",
                "stored elsewhere and no index file names it: what breaks off loses nothing and is finished by the next prune.",
            ]
        case .copy:
            [
                "Copies snapshots with all that they need from the repository of --from-repo into this one. What is there",
                "already is skipped; what is compressed stays as it is.",
            ]
        case .tag:
            [
                "Changes the tags of the snapshots named, or of all that the filters let through. A changed snapshot",
                "gets a new ID and remembers the first one.",
            ]
        case .rewrite:
            [
                "Makes a new snapshot of each old one, without the files that --exclude matches (or with those alone that",
                "--include matches), or with another host or time. The old one stays unless --forget is given, and then",
                "goes when the new one was read back. The data itself stays until a prune.",
            ]
        case .recover:
            [
                "Makes one snapshot, tagged \"recovered\", of all directories in the repository that no snapshot and no other",
                "directory names, such as those of a snapshot removed by accident. Nothing is removed.",
            ]
        case .migrate:
            [
                "Without a name, lists the migrations that apply. upgrade_repo_v2 checks the repository, then makes it one",
                "that compresses; what is stored already is compressed by `prune --repack-uncompressed`.",
            ]
        case .key:
            [
                "  add     add a password; the new key is opened for proof",
                "  list    list the keys; * marks the one in use",
                "  passwd  replace the password in use; the old key goes when the new one has opened",
                "  remove  remove another key than the one in use",
            ]
        case .repair:
            [
                "  index      make the index say what the packs hold; nothing else is changed",
                "  packs      store what opens of damaged packs again, then remove those packs; copies of them are kept in",
                "             the current directory first",
                "  snapshots  store the snapshots again without what is lost, marked by the tag \"repaired\"",
                "In this order, after `check --read-data` has named what is damaged. A backup of the same files, made before",
                "`repair snapshots`, brings back what it still finds.",
            ]
        case .cat: ["IDs of snapshots may be shortened; the others are given in full."]
        default: []
        }
    }

    /// What each exit status means.
    var exitStatusLines: [String] {
        let opening = [
            "  10  there is no repository", "  11  the repository is locked", "  12  the password is wrong",
            "  130 interrupted",
        ]
        switch self {
        case .backup:
            return [
                "  0   done", "  1   failed, no snapshot was written",
                "  3   a snapshot was written, but some sources could not be read",
            ] + opening
        case .forget:
            return [
                "  0   done", "  1   failed; nothing was removed after that",
                "  3   some snapshots could not be removed",
            ] + opening
        case .version, .help, .initialize, .unlock, .cache, .options, .features, .generate:
            return ["  0   done", "  1   failed"]
        default: return ["  0   done", "  1   failed"] + opening
        }
    }

    /// Command lines without the program's name.
    var examples: [String] {
        switch self {
        case .backup:
            ["-r /mnt/usb/repo backup /etc /home", "-r /mnt/usb/repo backup --files-from list.txt --tag weekly"]
        case .restore:
            [
                "-r /mnt/usb/repo restore latest --target /tmp/restored",
                "-r /mnt/usb/repo restore 4f2a91c0:/home/me --target /home/me --include '*.txt' --verify",
            ]
        case .check: ["-r /mnt/usb/repo check", "-r /mnt/usb/repo check --read-data-subset=1/7"]
        case .initialize:
            [
                "-r /mnt/usb/repo init",
                "-r /mnt/usb/second init --from-repo /mnt/usb/repo --copy-chunker-params",
            ]
        case .snapshots: ["-r /mnt/usb/repo snapshots", "-r /mnt/usb/repo snapshots --latest 1 --group-by host --json"]
        case .ls: ["-r /mnt/usb/repo ls -l latest", "-r /mnt/usb/repo ls latest /etc --recursive"]
        case .cat: ["-r /mnt/usb/repo cat config", "-r /mnt/usb/repo cat snapshot 4f2a91c0"]
        case .dump:
            [
                "-r /mnt/usb/repo dump latest /etc/fstab",
                "-r /mnt/usb/repo dump --archive zip --target etc.zip latest:/etc /",
            ]
        case .find:
            [
                "-r /mnt/usb/repo find '*.conf' --newest 2026-11-01",
                "-r /mnt/usb/repo find --blob 420f620f --show-pack-id",
            ]
        case .stats:
            [
                "-r /mnt/usb/repo stats latest",
                "-r /mnt/usb/repo stats --mode raw-data --json",
            ]
        case .forget:
            [
                "-r /mnt/usb/repo forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run",
                "-r /mnt/usb/repo forget --host web --keep-within 90d --keep-tag release",
            ]
        case .prune:
            [
                "-r /mnt/usb/repo prune --dry-run -v",
                "-r /mnt/usb/repo prune --max-unused 10% --max-repack-size 5G",
            ]
        case .copy:
            [
                "-r /srv/second copy --from-repo /mnt/usb/repo --from-password-file ~/usb.password",
                "-r /srv/second copy --from-repo /mnt/usb/repo --host web 4f2a91c0",
            ]
        case .tag:
            [
                "-r /mnt/usb/repo tag --add release 4f2a91c0",
                "-r /mnt/usb/repo tag --host web --set nightly",
            ]
        case .rewrite:
            [
                "-r /mnt/usb/repo rewrite --exclude '*.iso' --dry-run -vv",
                "-r /mnt/usb/repo rewrite --exclude /home/me/secret --forget 4f2a91c0",
            ]
        case .recover: ["-r /mnt/usb/repo recover", "-r /mnt/usb/repo recover -v"]
        case .migrate: ["-r /mnt/usb/repo migrate", "-r /mnt/usb/repo migrate upgrade_repo_v2"]
        case .key:
            [
                "-r /mnt/usb/repo key list",
                "-r /mnt/usb/repo key passwd --new-password-file /root/new-password",
            ]
        case .repair:
            [
                "-r /mnt/usb/repo repair index",
                "-r /mnt/usb/repo repair packs 7ce2f31f4f29c3f3ad4a3e2e8c4f6a1f0d9c1b8f4b7d5e6a3c2b1a0f9e8d7c6b",
            ]
        case .rebuildIndex:
            [
                "-r /mnt/usb/repo rebuild-index",
                "-r /mnt/usb/repo repair index --read-all-packs",
            ]
        case .diff:
            [
                "-r /mnt/usb/repo diff 4f2a91c0 latest",
                "-r /mnt/usb/repo diff --metadata 4f2a91c0:/etc 9b1d03ff:/etc",
            ]
        case .cache:
            [
                "cache",
                "cache --cleanup --max-age 7",
            ]
        case .options:
            [
                "-o local.connections=4 -r /mnt/usb/repo check",
                "-o s3.region=eu-central-1 -r s3:https://s3.example.com/lab-dr/host check",
            ]
        case .features:
            [
                "features",
                "help backup",
            ]
        case .generate:
            [
                "generate --bash-completion /etc/bash_completion.d/restic",
                "generate --man /usr/local/share/man/man1",
            ]
        case .list: ["-r /mnt/usb/repo list snapshots", "-r /mnt/usb/repo list locks"]
        case .unlock: ["-r /mnt/usb/repo unlock", "-r /mnt/usb/repo unlock --remove-all"]
        case .version: ["version", "version --json"]
        case .help: ["help backup", "help restore"]
        default: []
        }
    }
}
