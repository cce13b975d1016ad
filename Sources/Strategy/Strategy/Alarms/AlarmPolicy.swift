package import Bytes

/// Decides what a channel is told.
///
/// 1. A trouble is told once when it begins, again after `remind`, and once when it is over: whoever looks, and how often (M-11).
/// 2. What begins together is one message; in an hour there are at most `StrategyLimits.messagesAnHour` of them, twice as many where something begins
///    that wants attention, so that good news never takes its place; and what comes beyond waits and is told together.
/// 3. Nothing is lost by waiting: what was not told yet is decided anew at the next look.
package struct AlarmPolicy: Sendable {
    private let channel: Channel
    private let zone: ZoneRules

    /// `zone` is that of the sign of life.
    package init(_ channel: Channel, zone: ZoneRules) {
        self.channel = channel
        self.zone = zone
    }

    /// What is to be said now, nil for nothing, and what is known of the channel once it is said.
    ///
    /// `unknown` are names of troubles that could not be judged now: those that were told are neither lasting nor over.
    package func decide(
        _ troubles: [Trouble],
        unknown: Set<String> = [],
        succeeded: [String],
        _ before: ChannelHistory,
        now: Timestamp
    ) -> (announcement: Announcement?, after: ChannelHistory) {
        var after = before
        // What a wrong clock dated into the future counts as of now.
        after.sent = before.sent.filter { $0 <= now && now.length(since: $0) < .seconds(3600) }
        after.told = before.told.map { told in
            var told = told
            told.told = min(told.told, now)
            told.since = min(told.since, now)
            return told
        }
        after.isHeldBack = false
        if after.signOfLife.map({ now < $0 }) ?? true { after.signOfLife = now }
        let quiet = after
        let announcement = announcement(troubles, unknown, succeeded, &after, now)
        guard !announcement.isEmpty else { return (nil, after) }
        let isLoud = announcement.began.contains { $0.event.loudness > 0 }
        guard quiet.sent.count < StrategyLimits.messagesAnHour * (isLoud ? 2 : 1) else {
            var held = quiet
            held.isHeldBack = true
            return (nil, held)
        }
        after.sent.append(now)
        return (announcement, after)
    }

    private func announcement(
        _ troubles: [Trouble],
        _ unknown: Set<String>,
        _ succeeded: [String],
        _ after: inout ChannelHistory,
        _ now: Timestamp
    ) -> Announcement {
        var announcement = Announcement()
        let heard = troubles.filter { channel.events.contains($0.event) }
        var told: [ToldTrouble] = []
        for trouble in heard {
            let known = after.told.first { $0.id == trouble.id }
            let isDue = known.map { known in channel.remind.map { now.length(since: known.told) >= $0 } ?? false }
            switch isDue {
            case nil: announcement.began.append(trouble)
            case true?: announcement.lasting.append(trouble)
            case false?: break
            }
            told.append(
                ToldTrouble(
                    id: trouble.id,
                    event: trouble.event,
                    object: trouble.object,
                    what: trouble.what,
                    since: known?.since ?? now,
                    told: isDue == false ? known?.told ?? now : now,
                    message: isDue == false ? known?.message : nil
                )
            )
        }
        let silent = after.told.filter { known in !heard.contains { $0.id == known.id } }
        told += silent.filter { unknown.contains($0.id) }
        if channel.events.contains(.recovered) {
            announcement.recovered = silent.filter { !unknown.contains($0.id) }
        }
        after.told = Array(told.prefix(StrategyLimits.rememberedTroubles))
        if channel.events.contains(.succeeded) { announcement.succeeded = succeeded }
        if channel.events.contains(.signOfLife), let last = after.signOfLife,
            let due = channel.signOfLife.previous(atOrBefore: now, in: zone), last < due
        {
            announcement.isSignOfLife = true
            after.signOfLife = now
        }
        return announcement
    }
}
