package import Bytes

/// What a node is; kinds of other programs are kept as they are spelt.
package enum NodeType: Sendable, Hashable {
    case file, directory, symlink
    /// A block device.
    case device
    case characterDevice, fifo, socket
    /// Something that Go's `os` package cannot classify.
    case irregular
    /// A word that restic 0.19.1 does not know; the empty one when the field is absent.
    case other(ByteString)

    /// The word in the document.
    package var name: ByteString {
        switch self {
        case .file: "file"
        case .directory: "dir"
        case .symlink: "symlink"
        case .device: "dev"
        case .characterDevice: "chardev"
        case .fifo: "fifo"
        case .socket: "socket"
        case .irregular: "irregular"
        case .other(let name): name
        }
    }
}

/// One extended attribute with its raw value.
package struct ExtendedAttribute: Sendable, Hashable {
    package var name: ByteString
    package var value: [UInt8]
    /// True when the document says `null` instead of an empty value; kept so that re-encoding changes nothing.
    package var isNull: Bool

    /// An attribute as the system gave it.
    package init(name: ByteString, value: [UInt8], isNull: Bool = false) {
        self.name = name
        self.value = value
        self.isNull = isNull
    }
}

/// An attribute of another operating system, such as `windows.file_attributes`, kept as it is.
package struct GenericAttribute: Sendable, Hashable {
    package var name: ByteString
    /// JSON of its value in the dialect of `GoJSON`.
    package var json: [UInt8]

    /// Takes both as they are.
    package init(name: ByteString, json: [UInt8]) {
        self.name = name
        self.json = json
    }
}

/// One entry of a directory, as a tree document holds it.
package struct Node: Sendable, Hashable {
    /// The file name as the system has it; not checked: who creates entries does (H-01).
    package var name: ByteString
    package var type: NodeType
    /// Go's mode bits (`GoMode`).
    package var mode: UInt32
    package var mtime: ZonedTime
    package var atime: ZonedTime
    package var ctime: ZonedTime
    package var uid: UInt32
    package var gid: UInt32
    package var user: ByteString
    package var group: ByteString
    package var inode: UInt64
    /// `st_dev`; restic writes it for every node.
    package var deviceID: UInt64
    /// Bytes; regular files only.
    package var size: UInt64
    package var links: UInt64
    /// Chunks of a file; nil (`null`) for everything else.
    package var content: [BlobID]?
    /// The tree of a directory.
    package var subtree: BlobID?
    private var extras: NodeExtras?

    /// Everything that is not given is zero, empty or absent; times are Go's zero time.
    package init(name: ByteString, type: NodeType) {
        self.name = name
        self.type = type
        mode = 0
        mtime = RFC3339.zeroTime
        atime = RFC3339.zeroTime
        ctime = RFC3339.zeroTime
        uid = 0
        gid = 0
        user = ByteString()
        group = ByteString()
        inode = 0
        deviceID = 0
        size = 0
        links = 0
        content = nil
        subtree = nil
        extras = nil
    }
}

// MARK: what few nodes have

extension Node {
    /// Raw bytes of a symbolic link.
    package var linkTarget: ByteString {
        get { extras?.values.linkTarget ?? ByteString() }
        set { change { $0.linkTarget = newValue } }
    }

    package var extendedAttributes: [ExtendedAttribute] {
        get { extras?.values.extendedAttributes ?? [] }
        set { change { $0.extendedAttributes = newValue } }
    }

    /// Written in the order of their names, whatever the order here.
    package var genericAttributes: [GenericAttribute] {
        get { extras?.values.genericAttributes ?? [] }
        set { change { $0.genericAttributes = newValue } }
    }

    /// `st_rdev` of a device.
    package var device: UInt64 {
        get { extras?.values.device ?? 0 }
        set { change { $0.device = newValue } }
    }

    package var error: ByteString {
        get { extras?.values.error ?? ByteString() }
        set { change { $0.error = newValue } }
    }

    private mutating func change(_ body: (inout NodeExtras.Values) -> Void) {
        var values = extras?.values ?? NodeExtras.none
        body(&values)
        extras = values == NodeExtras.none ? nil : NodeExtras(values)
    }
}

/// Fields that few nodes have, kept apart so that copying any other node costs little; equal when its values are.
private final class NodeExtras: Sendable, Hashable {
    struct Values: Sendable, Hashable {
        var linkTarget = ByteString()
        var extendedAttributes: [ExtendedAttribute] = []
        var genericAttributes: [GenericAttribute] = []
        var device: UInt64 = 0
        var error = ByteString()
    }

    static let none = Values()

    let values: Values

    init(_ values: Values) { self.values = values }

    static func == (left: NodeExtras, right: NodeExtras) -> Bool { left === right || left.values == right.values }

    func hash(into hasher: inout Hasher) { hasher.combine(values) }
}
