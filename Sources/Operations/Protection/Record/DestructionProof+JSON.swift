import ResticFormat
import Strategy

/// What was tried against a medium, as a part of the ledger's document.
extension DestructionProof {
    init?(_ tree: JSONTree) {
        guard let tried = tree.moment("tried"), let subject = tree.string("subject") else { return nil }
        self.init(
            tried: tried,
            isProven: tree["is_proven"]?.flag == true,
            what: tree.string("what") ?? "",
            subject: subject
        )
    }

    func encode(to writer: inout GoJSONWriter) {
        writer.beginObject()
        writer.add("tried", tried)
        writer.key("is_proven")
        writer.bool(isProven)
        writer.add("what", what)
        writer.add("subject", subject)
        writer.endObject()
    }
}
