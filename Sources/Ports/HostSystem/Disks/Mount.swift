package import Bytes

/// One line of `/proc/self/mountinfo`.
package struct Mount: Sendable, Hashable {
    /// Number of the mount, unique while it lives.
    package var id: UInt64
    /// Number of the mount that this one is mounted on.
    package var parent: UInt64
    /// `st_dev` of the file system; anonymous for btrfs and for what has no device.
    package var device: DeviceNumber
    /// Which directory of the file system is mounted: `/` except for bind mounts and subvolumes.
    package var root: ByteString
    /// Where it is mounted, as this process sees it.
    package var point: ByteString
    /// Options of this mount.
    package var options: [ByteString]
    /// `ext4`, `btrfs`, `fuse.sshfs`.
    package var type: ByteString
    /// What is mounted, in the words of whoever mounted it: `/dev/sdb1`, `nas:/export`, `tmpfs`.
    package var source: ByteString
    /// Options of the file system itself, which all its mounts share.
    package var superOptions: [ByteString]

    /// True when this mount refuses writes, although others of the same file system may take them.
    package var isReadOnlyHere: Bool { options.contains("ro") }

    /// True when the file system refuses writes everywhere: remounted by hand, or by the kernel after an error (B-07).
    ///
    /// ext4 of Linux 6.15 and later leaves `rw` standing after an error and says `emergency_ro`, or `shutdown`.
    package var isReadOnlyFileSystem: Bool {
        superOptions.contains { $0 == "ro" || $0 == "emergency_ro" || $0 == "shutdown" }
    }

    /// True when nothing can be written through this mount.
    package var isReadOnly: Bool { isReadOnlyHere || isReadOnlyFileSystem }

    package init(
        id: UInt64,
        parent: UInt64,
        device: DeviceNumber,
        root: ByteString,
        point: ByteString,
        options: [ByteString],
        type: ByteString,
        source: ByteString,
        superOptions: [ByteString]
    ) {
        self.id = id
        self.parent = parent
        self.device = device
        self.root = root
        self.point = point
        self.options = options
        self.type = type
        self.source = source
        self.superOptions = superOptions
    }

    /// Reads a line without its end; nil when a field is missing or no number where one must be.
    ///
    /// **Shape**: `ID PARENT MAJ:MIN ROOT POINT OPTIONS [OPTIONAL…] - TYPE SOURCE SUPEROPTIONS`, blanks, tabs, ends of lines and
    /// backslashes as `\ooo`. An empty source is an empty field. **Source**: proc_pid_mountinfo(5), `fs/proc_namespace.c`.
    init?(line: some Collection<UInt8>) {
        let fields = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard let dash = fields.dropFirst(6).firstIndex(where: { $0.elementsEqual([0x2d]) }),
            fields.count >= dash + 4,
            let id = decimal(fields[0]), let parent = decimal(fields[1]), let device = DeviceNumber(fields[2])
        else { return nil }
        let text = { (index: Int) in unescaped(fields[index]) }
        guard !fields[dash + 1].isEmpty, text(4).bytes.first == 0x2f else { return nil }
        self.init(
            id: id,
            parent: parent,
            device: device,
            root: text(3),
            point: text(4),
            options: optionList(fields[5]),
            type: text(dash + 1),
            source: text(dash + 2),
            // A blank that a file system forgot to escape in its options belongs to them.
            superOptions: optionList(Array(fields[(dash + 3)...].joined(separator: [0x20])))
        )
    }
}

/// Parts between commas; options with escaped commas do not exist in the kernel's text.
private func optionList(_ text: some Collection<UInt8>) -> [ByteString] {
    text.split(separator: 0x2c).map { unescaped($0) }
}

/// The bytes for which `\040` and its kin stand; a backslash without three octal digits stays as it is.
func unescaped(_ text: some Collection<UInt8>) -> ByteString {
    let source = Array(text)
    guard source.contains(0x5c) else { return ByteString(source) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(source.count)
    var position = 0
    while position < source.count {
        if source[position] == 0x5c, position + 3 < source.count,
            let value = octal(source[position + 1], source[position + 2], source[position + 3])
        {
            bytes.append(value)
            position += 4
        } else {
            bytes.append(source[position])
            position += 1
        }
    }
    return ByteString(bytes)
}

private func octal(_ a: UInt8, _ b: UInt8, _ c: UInt8) -> UInt8? {
    guard 0x30...0x33 ~= a, 0x30...0x37 ~= b, 0x30...0x37 ~= c else { return nil }
    return (a - 0x30) << 6 | (b - 0x30) << 3 | (c - 0x30)
}
