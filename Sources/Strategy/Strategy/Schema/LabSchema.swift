/// All keys of `holdfast.yaml`.
package let labSchema = TableShape([
    Key("lab", .scalar(.text), "The name of the whole, as reports show it.", isRequired: true),
    Key("include", .list(.scalar(.path)), "More files whose entries count as if they stood here."),
    Key("time-zone", .scalar(.timeZone), "The zone that schedules are read in; absent: the machine's."),
    Key(
        "state",
        .scalar(.path),
        "The folder in which this machine keeps what it remembers; absent: /var/lib/holdfast/state/LAB, or below the home of a user."
    ),
    Key("budget", .table(processBudgetShape), "What a run and the daemon take of this machine."),
    Key("media", .names(of: .table(mediumShape)), "Where copies live.", isRequired: true),
    Key("repositories", .names(of: .table(repositoryShape)), "Repositories in restic's format.", isRequired: true),
    Key("vault", .table(vaultShape), "The vault that `vault:` references look into."),
    Key("kit", .table(kitShape), "What the recovery kit says beside what opens the repositories."),
    Key("defaults", .table(policyShape), "What counts for each role and workload that does not say otherwise."),
    Key("roles", .names(of: .table(policyShape)), "Classes of workloads with the same objectives."),
    Key("protect", .list(.table(protectShape)), "What must come back: the workloads.", isRequired: true),
    Key("exclude", .list(.table(excludeShape)), "What was found and is left out on purpose."),
    Key("serve", .table(serveShape), "What the daemon offers."),
    Key(
        "notify",
        .list(.table(channelShape)),
        "Who hears when something is wrong, and what notices when nothing is heard."
    ),
    Key(
        "retired",
        .list(.table(retiredShape)),
        "Workloads that are gone on purpose: their snapshots stay, and nobody is alarmed."
    ),
])

private let serveShape = TableShape([
    Key(
        "health",
        .scalar(.loopback),
        "Where `holdfast serve` answers whether it is alive and each promise kept: 127.0.0.1:PORT, this machine alone; absent: nowhere."
    )
])

private let processBudgetShape = TableShape([
    Key("threads", .scalar(.count(1...256)), "Threads that work; absent: two more than processors, at least 4."),
    Key(
        "nice",
        .scalar(.count(0...19)),
        "How far it stands back for other programs, 19 the farthest; absent: as it was started."
    ),
    Key(
        "io",
        .scalar(.choice(ProcessBudget.DiskUse.allCases.map { Choice($0.rawValue, $0.summary) })),
        "How disks are used.",
        fallback: ProcessBudget.DiskUse.normal.rawValue
    ),
])

private let mediumShape = TableShape(
    [
        Key(
            "kind",
            .scalar(.choice(MediumKind.allCases.map { Choice($0.rawValue, $0.summary) })),
            "What the medium is.",
            fallback: MediumKind.internal.rawValue
        ),
        Key("path", .scalar(.path), "The folder that holds its repositories."),
        Key("s3", .table(bucketShape), "The bucket that holds them, of any service that speaks Amazon's S3."),
        Key("rest", .table(serverShape), "The server that holds them and speaks restic's REST protocol."),
        Key("sftp", .table(sshFolderShape), "The machine that holds them and is reached by SSH."),
        Key(
            "credentials",
            .scalar(.secret),
            "Where the key of a bucket, or user and password of a server, are found: a text NAME:SECRET, or an item of the vault."
        ),
        Key(
            "read-only",
            .scalar(.secret),
            "The same of a key or user that can only read there: what the recovery kit carries. Runs never use it."
        ),
        Key(
            "pruning",
            .scalar(.word("typed", or: .secret)),
            "The same of a key or user that may delete there, or typed: runs then remove nothing, and `holdfast media prune` alone reads it, or asks for it."
        ),
        Key(
            "identity",
            .scalar(.fileSystemUUID),
            "The UUID of the file system that has to be there; another one is refused. `holdfast init` writes it."
        ),
        Key(
            "mount",
            .scalar(.flag),
            "A run mounts it by its entry in /etc/fstab where nobody has, and unmounts it afterwards.",
            fallback: "false"
        ),
    ],
    alternatives: ["path", "s3", "rest", "sftp"]
)

private let connectionsKey = Key(
    "connections",
    .scalar(.count(1...1000)),
    "Requests at a time.",
    fallback: "5"
)

private let bucketShape = TableShape([
    Key("endpoint", .scalar(.text), "Where the service answers: https://s3.example.com.", isRequired: true),
    Key("bucket", .scalar(.text), "The bucket; it is made where the key may do that.", isRequired: true),
    Key("prefix", .scalar(.text), "What stands in front of all names there, for a bucket that holds more."),
    Key("region", .scalar(.text), "The bucket's region; absent: learned from the service."),
    Key("storage-class", .scalar(.text), "The class of new objects; absent: the bucket's own."),
    Key(
        "lock",
        .scalar(.duration),
        "How long nobody may destroy a new object (S3 Object Lock); runs extend it before it ends. At least as long as retention keeps a snapshot."
    ),
    Key(
        "lock-mode",
        .scalar(.choice(S3Bucket.LockMode.allCases.map { Choice($0.rawValue, $0.summary) })),
        "Whom the lock binds.",
        fallback: S3Bucket.LockMode.compliance.rawValue
    ),
    Key(
        "bucket-lookup",
        .scalar(.choice(S3Bucket.Lookup.allCases.map { Choice($0.rawValue, $0.summary) })),
        "Where the bucket's name stands in addresses.",
        fallback: S3Bucket.Lookup.auto.rawValue
    ),
    Key(
        "prices",
        .table(pricesShape),
        "What the service takes, copied from its page: `holdfast plan --cost` counts by it."
    ),
    Key("budget", .table(bucketBudgetShape), "What a month may take at most."),
    connectionsKey,
    certificatesKey,
])

private let pricesShape = TableShape([
    Key("currency", .scalar(.text), "As bills name it: EUR.", isRequired: true),
    Key("storage", .scalar(.money), "For each GB (1000³ bytes) that is stored for a month.", isRequired: true),
    Key("writes", .scalar(.money), "For 1000 requests that write or list.", fallback: "0"),
    Key("reads", .scalar(.money), "For 1000 requests that read.", fallback: "0"),
    Key("egress", .scalar(.money), "For each GB that leaves the service.", fallback: "0"),
    Key("free-egress", .scalar(.size), "Bytes a month that leave for nothing.", fallback: "0"),
    Key(
        "free-egress-times",
        .scalar(.count(0...1000)),
        "So many times what is stored leaves for nothing in a month.",
        fallback: "0"
    ),
])

private let bucketBudgetShape = TableShape(
    [
        Key("cost", .scalar(.money), "More than this a month, and `holdfast plan --cost` ends in 21."),
        Key(
            "egress",
            .scalar(.size),
            "Bytes that leave in a month of the calendar; when they are used up, the rotating verification waits."
        ),
    ],
    atLeastOne: ["cost", "egress"]
)

private let serverShape = TableShape([
    Key(
        "url",
        .scalar(.text),
        "Where it answers, without user and password: https://nas.example:8000/lab.",
        isRequired: true
    ),
    Key(
        "append-only",
        .scalar(.flag),
        "It lets nobody who enters with these credentials remove or replace anything: runs do not try, and `holdfast verify immutability` does.",
        fallback: "false"
    ),
    connectionsKey,
    certificatesKey,
])

private let sshFolderShape = TableShape([
    Key("host", .scalar(.text), "The machine, or the name that ssh's configuration has for it.", isRequired: true),
    Key("path", .scalar(.text), "The folder there; a relative one counts from the user's home.", isRequired: true),
    Key("user", .scalar(.text), "Who logs in there; absent: as ssh is configured."),
    Key("port", .scalar(.count(1...65_535)), "Its port; absent: as ssh is configured."),
    Key("key", .scalar(.path), "The file with the private key; absent: as ssh is configured."),
    Key("connections", .scalar(.count(1...1000)), "Objects at a time.", fallback: "5"),
])

private let repositoryShape = TableShape([
    Key(
        "medium",
        .scalar(.reference(to: "media")),
        "Where it lies: the folder NAME below the medium's path.",
        isRequired: true
    ),
    Key("password", .scalar(.secret), "Where its password is found; never the password itself.", isRequired: true),
    Key(
        "budget",
        .table(
            TableShape([
                Key("upload", .scalar(.rate), "Bytes a second that a run writes to it at most."),
                Key("download", .scalar(.rate), "Bytes a second that a run reads from it at most."),
            ])
        ),
        "How much of the line or disk a run may take."
    ),
])

private let vaultShape = TableShape([
    Key("address", .scalar(.text), "Where the vault answers: https://vault.example.", isRequired: true),
    Key("email", .scalar(.text), "The account, best one that sees nothing but what backups need.", isRequired: true),
    Key("password", .scalar(.secret), "Where its master password is found; absent: typed when a person is there."),
    Key("client-id", .scalar(.secret), "Where the id of its API key is found, which logs in without a second factor."),
    Key("client-secret", .scalar(.secret), "Where the secret of its API key is found."),
    Key("certificates", .scalar(.path), "Certificates in PEM that are trusted for it; absent: the system's."),
    Key("sealed-copy", .scalar(.path), "The file that keeps what it said, sealed, for when it does not answer."),
    Key("sealed-by", .scalar(.secret), "Where the key of the sealed copy is found."),
    Key(
        "sealed-for",
        .scalar(.duration),
        "How long a secret in it counts, from when the vault gave it; an older one is refused.",
        fallback: "180d"
    ),
    Key("data", .list(.scalar(.path)), "Where the vault itself keeps its data, if on this machine."),
])

private let kitShape = TableShape([
    Key("holders", .list(.scalar(.text)), "Who or what keeps a copy of it, as it is printed."),
    Key("accounts", .list(.scalar(.text)), "Accounts by their names, such as that of the cloud."),
    Key(
        "secrets",
        .names(of: .scalar(.secret)),
        "What else it carries: what opens the vault's own backup, the cloud's recovery code."
    ),
    Key("test-every", .scalar(.duration), "After this time without a test `status` reminds of it.", fallback: "180d"),
])

private let objectiveShape = TableShape([
    Key(
        "rpo",
        .scalar(.word("last-scheduled", or: .duration)),
        "How old the newest good copy may be, from the start of its snapshot; last-scheduled: each due run has one.",
        fallback: "last-scheduled"
    ),
    Key("rto", .scalar(.duration), "How long bringing it back may take."),
])

private let keepCount = ScalarShape.word("all", or: .count(0...100_000))

private let keepRules =
    KeepPolicy.Period.allCases.map { period in
        let what = period == .last ? "The newest snapshots that stay." : "Periods of which the newest snapshot stays."
        return Key(period.rawValue, .scalar(keepCount), what)
    }
    + [Key("within", .scalar(.calendarSpan), "Everything of that time before the newest snapshot stays.")]
    + KeepPolicy.Period.allCases.filter { $0 != .last }.map { period in
        Key("within-\(period.rawValue)", .scalar(.calendarSpan), "The newest of each period of that time stays.")
    }

// Tags alone keep nothing of the usual snapshots.
private let keepShape = TableShape(
    keepRules + [Key("tags", .list(.scalar(.text)), "Snapshots with one of these tags stay.")],
    atLeastOne: keepRules.map(\.name)
)

private let policyKeys = [
    Key("objective", .table(objectiveShape), "What the operator promises."),
    Key(
        "backup",
        .table(
            TableShape([
                Key("schedule", .scalar(.schedule), "When it is due; absent: by hand alone."),
                Key(
                    "grace",
                    .scalar(.duration),
                    "How long after its due time a run may still end well.",
                    fallback: "6h"
                ),
                Key("keep", .table(keepShape), "Which snapshots stay; absent: all."),
            ])
        ),
        "When, and what stays."
    ),
    Key(
        "verify",
        .table(
            TableShape([
                Key("every", .scalar(.duration), "Within this time each stored byte is read again.", fallback: "30d")
            ])
        ),
        "How often stored bytes are read."
    ),
]

private let policyShape = TableShape(policyKeys)

private let hostShape = TableShape([
    Key("paths", .list(.scalar(.path)), "Folders and files to back up.", isRequired: true),
    Key("exclude", .list(.scalar(.pattern)), "Patterns in restic's exclude language."),
    Key("exclude-larger-than", .scalar(.size), "Files larger than this stay out."),
    Key("exclude-caches", .scalar(.flag), "Folders marked by a CACHEDIR.TAG stay out.", fallback: "false"),
    Key("one-file-system", .scalar(.flag), "Other file systems mounted below the paths stay out.", fallback: "false"),
])

private let protectShape = TableShape(
    [
        Key("name", .scalar(.text), "The workload's name; needed where several entries have the same kind."),
        Key("host", .table(hostShape), "Folders of this machine."),
        Key("to", .list(.scalar(.reference(to: "repositories"))), "The repositories that keep it.", isRequired: true),
        Key("role", .scalar(.reference(to: "roles")), "The class it belongs to."),
        Key(
            "priority",
            .scalar(.count(1...9)),
            "Whose turn it is when several are due: the lower number runs first.",
            fallback: "\(Workload.usualPriority)"
        ),
        Key(
            "before",
            .list(.scalar(.text)),
            "A command before the backup, as a list of words; when it fails, nothing is stored."
        ),
        Key(
            "after",
            .list(.scalar(.text)),
            "A command after the backup, as a list of words; it runs also when the backup failed."
        ),
        Key("command-deadline", .scalar(.duration), "How long each of them may take.", fallback: "1h"),
    ] + policyKeys,
    alternatives: ["host"]
)

private let addressKey = Key(
    "url",
    .scalar(.address),
    "Where it is sent; a reference where the address is a secret.",
    isRequired: true
)
private let certificatesKey = Key(
    "certificates",
    .scalar(.path),
    "Certificates in PEM that are trusted for it; absent: the system's."
)

private let ntfyShape = TableShape([
    Key(
        "url",
        .scalar(.address),
        "The topic: https://ntfy.example/lab; a reference where it is a secret.",
        isRequired: true
    ),
    Key("token", .scalar(.secret), "Where an access token is found."),
    Key("user", .scalar(.text), "Who publishes, where a password is used instead of a token."),
    Key("password", .scalar(.secret), "Where the user's password is found."),
    certificatesKey,
])

private let mailShape = TableShape([
    Key("host", .scalar(.text), "The mail server that takes messages.", isRequired: true),
    Key("port", .scalar(.count(1...65_535)), "Its port; absent: 465, 587 or 25, as security goes."),
    Key(
        "security",
        .scalar(.choice(MailDeclaration.Security.allCases.map { Choice($0.rawValue, $0.summary) })),
        "How the way there is sealed.",
        fallback: MailDeclaration.Security.tls.rawValue
    ),
    Key("user", .scalar(.text), "Who sends, where the server asks."),
    Key("password", .scalar(.secret), "Where the user's password is found."),
    Key("from", .scalar(.text), "The sender's address.", isRequired: true),
    Key("to", .list(.scalar(.text)), "Who gets it.", isRequired: true),
    certificatesKey,
])

private let webhookShape = TableShape([
    addressKey,
    Key(
        "method",
        .scalar(.choice([Choice("POST", "the usual one"), Choice("PUT", "where the receiver asks for it")])),
        "How it is sent.",
        fallback: "POST"
    ),
    Key("content-type", .scalar(.text), "What the body is.", fallback: "application/json"),
    Key("template", .scalar(.template), "The body in Mustache; absent: a JSON object with all there is."),
    Key("headers", .names(of: .scalar(.secret)), "Headers and where their values are found."),
    certificatesKey,
])

private let pingShape = TableShape([addressKey, certificatesKey])

private let channelShape = TableShape(
    [
        Key("name", .scalar(.text), "The channel's name; needed where several entries have the same kind."),
        Key("ntfy", .table(ntfyShape), "A topic of an ntfy server."),
        Key("smtp", .table(mailShape), "Mail."),
        Key("webhook", .table(webhookShape), "A request of your own making."),
        Key(
            "ping",
            .table(pingShape),
            "A check in the way of healthchecks.io, outside of this machine: it hears each run, and raises the alarm when none comes."
        ),
        Key(
            "events",
            .list(
                .scalar(
                    .choice(
                        AlarmEvent.allCases.map { Choice($0.rawValue, $0.summary) } + [
                            Choice(
                                "drill-failed",
                                "",
                                refusal: NotationError("there are no drills yet", next: "leave drill-failed out")
                            )
                        ]
                    )
                )
            ),
            "What it hears of; absent: \(AlarmEvent.usual.map(\.rawValue).joined(separator: ", "))."
        ),
        Key(
            "remind",
            .scalar(.word("never", or: .duration)),
            "What is wrong still is told again after this.",
            fallback: "1d"
        ),
        Key("sign-of-life", .scalar(.schedule), "When the sign of life is due.", fallback: signOfLifeFallback),
    ],
    alternatives: ["ntfy", "smtp", "webhook", "ping"]
)

private let excludeShape = TableShape([
    Key("paths", .list(.scalar(.path)), "Folders that need no protection.", isRequired: true),
    Key("because", .scalar(.text), "Why: the reason that coverage shows.", isRequired: true),
])

private let retiredShape = TableShape([
    Key("name", .scalar(.text), "The name that the workload had.", isRequired: true),
    Key("because", .scalar(.text), "Why it is gone.", isRequired: true),
])
