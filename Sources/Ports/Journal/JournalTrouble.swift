import GRDB
import HostSystem

/// What a failure of the database means for what comes next.
enum JournalTrouble: Error {
    /// The file is no journal that can be used: it goes aside and a new one is begun.
    case damaged(String)
    /// A newer program wrote it.
    case newer(String)
    /// A full disk, a lock, a device: it may pass.
    case passing(String)

    /// What an error of SQLite, of a system call or of ours means.
    init(_ error: any Error) {
        switch error {
        case let trouble as JournalTrouble: self = trouble
        case let error as DatabaseError: self = Self.of(error)
        case let error as Errno: self = .passing(error.description)
        default: self = .passing("\(error)")
        }
    }

    var text: String {
        switch self {
        case .damaged(let text), .newer(let text), .passing(let text): text
        }
    }

    private static func of(_ error: DatabaseError) -> JournalTrouble {
        let code = error.extendedResultCode.rawValue
        let text = "\(error.message ?? "no reason given") (SQLite \(code))"
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT: return .damaged(text)
        // A table or column is not there, though the shape was right when it was opened.
        case .SQLITE_ERROR, .SQLITE_SCHEMA: return .damaged(text)
        // The file was taken away, or another was put in its place.
        case .SQLITE_READONLY where code == 1032: return .damaged("the file was removed or replaced; \(text)")
        // Cut short.
        case .SQLITE_IOERR where code == 522: return .damaged(text)
        default: return .passing(text)
        }
    }
}
