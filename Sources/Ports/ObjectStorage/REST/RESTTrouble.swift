import Bytes
import HTTPTransport
import Outcome

/// What a refusal of a REST server means: what it said, and what to change.
struct RESTTrouble {
    private let errand: RemoteErrand

    init(_ errand: RemoteErrand) { self.errand = errand }

    func failure(_ receipt: HTTPReceipt) -> StorageFailure {
        let (code, what, next) = meaning(of: receipt)
        return errand.failure(code, "\(what) (\(words(receipt)))", next: next, because: RemoteAnswer(receipt))
    }

    private func meaning(of receipt: HTTPReceipt) -> (StorageCode, String, String) {
        switch receipt.status {
        case 400:
            (
                .transfer, "the server refuses what arrived there",
                "test this machine's memory and network when it comes again"
            )
        case 401:
            (
                .auth, "user or password are refused",
                "check RESTIC_REST_USERNAME and RESTIC_REST_PASSWORD, or those in the repository's location"
            )
        case 403:
            (
                .permission, "the server does not allow that",
                "a server that only takes new objects lets nothing be removed: prune with other rights; else check what this user may do there"
            )
        case 404: (.notFound, "is not there", "run check to see what is missing")
        case 413: (.tooLarge, "the server does not take objects of this size", "use a smaller --pack-size")
        case 416:
            (.tooShort, "is shorter than what was asked for", "run check --read-data to see what is damaged")
        case 507: (.noSpace, "the server has no room for it", "free space there, or run prune")
        case 300..<400:
            (
                .unsupported, "the server sends us elsewhere, where no password is sent",
                "name the address behind it in the repository's location"
            )
        case 408, 425, 429, 500, 502...599:
            (
                .busy, "the server is busy or out of order",
                "try again later; what was stored already is not stored twice"
            )
        default:
            (
                .unsupported, "the server does not do what restic's REST protocol asks for",
                "check the repository's location: address, port and path"
            )
        }
    }

    private func words(_ receipt: HTTPReceipt) -> String {
        let text = receipt.body.withBytes { String(decoding: $0.prefix(200), as: UTF8.self) }
        let said = text.split(whereSeparator: { $0.isNewline || $0 == "\t" }).joined(separator: " ")
        let isPage = said.hasPrefix("<") || !said.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        return said.isEmpty || isPage ? "HTTP \(receipt.status)" : "HTTP \(receipt.status): \(said)"
    }
}
