import GRDB

/// Reading: an unusable journal has nothing to say, and says it by an empty answer.
extension JournalCore {
    mutating func read<T>(_ nothing: T, _ body: (Database) throws -> T) -> T {
        guard let connection = usable() else { return nothing }
        do {
            return try connection.queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA busy_timeout = \(patienceMilliseconds)")
                return try body(database)
            }
        } catch {
            note(JournalTrouble(error), "reading")
            return nothing
        }
    }
}
