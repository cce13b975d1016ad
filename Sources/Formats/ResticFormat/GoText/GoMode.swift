/// Go's `os.FileMode` bits, in which restic stores modes, and the way from and to the bits of `st_mode`.
package enum GoMode {
    /// A directory.
    package static let directory: UInt32 = 1 << 31
    /// A symbolic link.
    package static let symlink: UInt32 = 1 << 27
    /// A device; a character device has `characterDevice` as well.
    package static let device: UInt32 = 1 << 26
    /// A named pipe.
    package static let fifo: UInt32 = 1 << 25
    /// A socket.
    package static let socket: UInt32 = 1 << 24
    /// Set user ID on execution.
    package static let setUserID: UInt32 = 1 << 23
    /// Set group ID on execution.
    package static let setGroupID: UInt32 = 1 << 22
    /// Together with `device`: a character device.
    package static let characterDevice: UInt32 = 1 << 21
    /// The sticky bit.
    package static let sticky: UInt32 = 1 << 20
    /// Something that is none of the others.
    package static let irregular: UInt32 = 1 << 19
    /// The nine permission bits.
    package static let permissions: UInt32 = 0o777

    /// The stored mode for a `st_mode`; bits that Go does not keep are dropped.
    package static func from(unix mode: UInt32) -> UInt32 {
        var result = mode & permissions
        switch mode & 0o170000 {
        case 0o040000: result |= directory
        case 0o120000: result |= symlink
        case 0o060000: result |= device
        case 0o020000: result |= device | characterDevice
        case 0o010000: result |= fifo
        case 0o140000: result |= socket
        case 0o100000: break
        default: result |= irregular
        }
        if mode & 0o4000 != 0 { result |= setUserID }
        if mode & 0o2000 != 0 { result |= setGroupID }
        if mode & 0o1000 != 0 { result |= sticky }
        return result
    }

    /// The bits that `chmod` takes (07777) for a stored mode.
    package static func unixPermissions(_ mode: UInt32) -> UInt32 {
        var result = mode & permissions
        if mode & setUserID != 0 { result |= 0o4000 }
        if mode & setGroupID != 0 { result |= 0o2000 }
        if mode & sticky != 0 { result |= 0o1000 }
        return result
    }
}
