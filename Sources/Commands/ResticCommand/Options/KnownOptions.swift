/// The extended options of restic 0.19.1, in the order in which `options` lists them.
///
/// Those of network storage are listed, since scripts look for them; what is not there yet is refused when such a repository is named.
enum KnownOptions {
    static let all: [(name: String, text: String)] = [
        ("b2.connections", "requests at once (default: 5)"), ("gs.connections", "requests at once (default: 5)"),
        ("gs.region", "the region in which a new bucket is made (default: us)"),
        ("local.connections", "file operations at once (default: 2)"),
        ("rclone.args", "what rclone is called with (default: serve restic --stdio --b2-hard-delete)"),
        ("rclone.connections", "requests at once (default: 5)"),
        ("rclone.program", "the program to run (default: rclone)"),
        ("rclone.timeout", "how long to wait until rclone answers (default: 1m)"),
        ("rest.connections", "requests at once (default: 5)"),
        ("s3.bucket-lookup", "where the bucket's name goes in the address: 'auto', 'dns' or 'path'"),
        ("s3.connections", "requests at once (default: 5)"),
        (
            "s3.enable-restore",
            "bring objects back from GLACIER and DEEP_ARCHIVE (default: false; wants the feature \"s3-restore\")"
        ), ("s3.layout", "without effect today; it once chose the layout of the bucket (deprecated)"),
        ("s3.list-objects-v1", "list objects by the old interface"), ("s3.region", "the bucket's region"),
        ("s3.restore-days", "days that objects brought back stay (default: 7)"),
        ("s3.restore-tier", "how fast objects are brought back: Standard, Bulk or Expedited (default: Standard)"),
        ("s3.restore-timeout", "how long to wait for objects to come back (default: 24h)"),
        ("s3.retries", "how often a request is repeated"),
        (
            "s3.storage-class",
            "the class of new objects: STANDARD, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING or REDUCED_REDUNDANCY"
        ), ("s3.unsafe-anonymous-auth", "sign no requests"), ("sftp.args", "further arguments of ssh"),
        ("sftp.command", "the command that makes the connection"),
        ("sftp.connections", "requests at once (default: 5)"),
        ("swift.connections", "requests at once (default: 5)"),
    ]
}
