import Bytes
import ResticFormat
import Strategy

/// What channels were told, as a part of the ledger's document.
extension ChannelHistory {
    init(_ tree: JSONTree) {
        self.init()
        told = (tree["told"]?.items ?? []).prefix(StrategyLimits.rememberedTroubles).compactMap { ToldTrouble($0) }
        sent = (tree["sent"]?.items ?? []).prefix(StrategyLimits.messagesAnHour * 2).compactMap { $0.time?.moment }
        signOfLife = tree.moment("sign_of_life")
        delivered = tree.moment("delivered")
        failingSince = tree.moment("failing_since")
        failure = tree.string("failure")
        isHeldBack = tree.moment("held_back") != nil
    }

    func encode(to writer: inout GoJSONWriter) {
        writer.beginObject()
        writer.key("told")
        writer.beginArray()
        for trouble in told { trouble.encode(to: &writer) }
        writer.endArray()
        writer.key("sent")
        writer.beginArray()
        for moment in sent { writer.time(ZonedTime(moment)) }
        writer.endArray()
        writer.add("sign_of_life", signOfLife)
        writer.add("delivered", delivered)
        writer.add("failing_since", failingSince)
        if let failure { writer.add("failure", failure) }
        if isHeldBack { writer.add("held_back", sent.last ?? signOfLife) }
        writer.endObject()
    }
}

extension ToldTrouble {
    fileprivate init?(_ tree: JSONTree) {
        guard let id = tree.string("id"), let event = tree.string("event").flatMap(AlarmEvent.init(rawValue:)),
            let since = tree.moment("since"), let told = tree.moment("told")
        else { return nil }
        self.init(
            id: id,
            event: event,
            object: tree.string("object") ?? "",
            what: tree.string("what") ?? "",
            since: since,
            told: told,
            message: tree.string("message")
        )
    }

    fileprivate func encode(to writer: inout GoJSONWriter) {
        writer.beginObject()
        writer.add("id", id)
        writer.add("event", event.rawValue)
        writer.add("object", object)
        writer.add("what", what)
        writer.add("since", since)
        writer.add("told", told)
        if let message { writer.add("message", message) }
        writer.endObject()
    }
}
