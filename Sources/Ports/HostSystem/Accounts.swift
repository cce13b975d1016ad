package import Bytes
import Glibc
import Synchronization

/// Names of users and groups, each looked up once.
package final class Accounts: Sendable {
    private struct State {
        var users: [UInt32: ByteString?] = [:]
        var groups: [UInt32: ByteString?] = [:]
        var userIDs: [ByteString: UInt32?] = [:]
        var groupIDs: [ByteString: UInt32?] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// The user's name, nil when the machine does not know the number.
    package func userName(_ uid: UInt32) -> ByteString? {
        if let known = state.withLock({ $0.users[uid] }) { return known }
        let name = lookUpUser(uid)
        state.withLock { $0.users[uid] = .some(name) }
        return name
    }

    /// The group's name, nil when the machine does not know the number.
    package func groupName(_ gid: UInt32) -> ByteString? {
        if let known = state.withLock({ $0.groups[gid] }) { return known }
        let name = lookUpGroup(gid)
        state.withLock { $0.groups[gid] = .some(name) }
        return name
    }

    /// The user's number, nil when there is no such name.
    package func userID(_ name: ByteString) -> UInt32? {
        if let known = state.withLock({ $0.userIDs[name] }) { return known }
        let number = lookUpUserID(name)
        state.withLock { $0.userIDs[name] = .some(number) }
        return number
    }

    /// The group's number, nil when there is no such name.
    package func groupID(_ name: ByteString) -> UInt32? {
        if let known = state.withLock({ $0.groupIDs[name] }) { return known }
        let number = lookUpGroupID(name)
        state.withLock { $0.groupIDs[name] = .some(number) }
        return number
    }
}

/// Largest record of the account database that is read, in bytes.
private let recordSizeMax = 1 << 20

/// Calls `body` with a growing buffer until it no longer answers ERANGE.
private func withRecord<R>(_ body: (_ buffer: UnsafeMutablePointer<CChar>, _ size: Int) -> (code: Int32, value: R?))
    -> R?
{
    var size = 1 << 10
    while size <= recordSizeMax {
        let (code, value) = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
            buffer.baseAddress.map { body($0, size) } ?? (EINVAL, nil)
        }
        if code != ERANGE { return value }
        size *= 4
    }
    return nil
}

private func lookUpUser(_ uid: UInt32) -> ByteString? {
    withRecord { buffer, size in
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        let code = getpwuid_r(uid, &record, buffer, size, &found)
        return (code, found.flatMap { $0.pointee.pw_name }.map { ByteString(cString: $0) })
    }
}

private func lookUpGroup(_ gid: UInt32) -> ByteString? {
    withRecord { buffer, size in
        var record = group()
        var found: UnsafeMutablePointer<group>?
        let code = getgrgid_r(gid, &record, buffer, size, &found)
        return (code, found.flatMap { $0.pointee.gr_name }.map { ByteString(cString: $0) })
    }
}

private func lookUpUserID(_ name: ByteString) -> UInt32? {
    withRecord { buffer, size in
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        let code = (try? name.withPath { getpwnam_r($0, &record, buffer, size, &found) }) ?? EINVAL
        return (code, found.map { $0.pointee.pw_uid })
    }
}

private func lookUpGroupID(_ name: ByteString) -> UInt32? {
    withRecord { buffer, size in
        var record = group()
        var found: UnsafeMutablePointer<group>?
        let code = (try? name.withPath { getgrnam_r($0, &record, buffer, size, &found) }) ?? EINVAL
        return (code, found.map { $0.pointee.gr_gid })
    }
}

/// The machine's name as `uname` has it; empty when it has none.
package func hostName() -> ByteString {
    var name = utsname()
    guard uname(&name) == 0 else { return "" }
    return withUnsafeBytes(of: &name.nodename) { ByteString(Array($0.prefix { $0 != 0 })) }
}

/// The name of the user who runs the process, else `USER`, else the number.
package func currentUserName(_ accounts: Accounts) -> ByteString {
    accounts.userName(getuid()) ?? environmentVariable("USER") ?? ByteString("\(getuid())")
}

/// Real user and group of the process.
package func currentUser() -> (uid: UInt32, gid: UInt32) { (getuid(), getgid()) }

/// True when the process may act as root on files.
package var isSuperuser: Bool { geteuid() == 0 }

/// The user as whom the process acts on files.
package var effectiveUser: UInt32 { geteuid() }
