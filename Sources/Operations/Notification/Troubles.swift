import Protection
import Strategy

extension LabStatus {
    /// What channels may hear of, in the order of the screen.
    var troubles: [Trouble] {
        var seen: Set<String> = []
        return problems.compactMap { problem in
            // That a channel does not work is not told on channels.
            guard problem.kind != .deaf else { return nil }
            let id = problem.kind.name(of: problem.object)
            guard seen.insert(id).inserted else { return nil }
            return Trouble(
                id: id,
                event: problem.kind.event,
                object: problem.object,
                what: problem.what,
                next: problem.next
            )
        }
    }
}

extension LabStatus.Problem.Kind {
    /// As what it is told.
    var event: AlarmEvent {
        switch self {
        case .never, .missed, .slow: .missed
        case .kitFailed: .failed
        case .failed, .incomplete, .unreachable, .unwritable, .owed, .forgetful: .failed
        case .damaged, .unreadable: .damaged
        case .shrunk, .setBack, .doubt, .future, .floor: .held
        case .hollow, .linked, .reseeding, .away, .neverReadBack, .notVerified, .unmeasured, .crashConsistent, .oneDisk,
            .noIdentity,
            .noSchedule, .oneHouse,
            .unwatched, .deaf, .destroyable, .unextended, .sealedCopy, .noKit, .kitStale, .kitUntested, .unrecorded:
            .amber
        }
    }
}
