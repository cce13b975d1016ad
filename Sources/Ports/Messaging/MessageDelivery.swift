/// How one attempt went.
package enum MessageDelivery: Sendable, Hashable {
    /// The target took it.
    case delivered
    /// In words for people, which hold of an address its host alone (S-04).
    ///
    /// `isLasting`: the same attempt fails again until somebody changes something. `retryAfterSeconds`: the wait that the target asked for.
    case failed(why: String, isLasting: Bool, retryAfterSeconds: Int?)

    static func lasting(_ why: String) -> MessageDelivery {
        .failed(why: why, isLasting: true, retryAfterSeconds: nil)
    }

    static func passing(_ why: String, retryAfterSeconds: Int? = nil) -> MessageDelivery {
        .failed(why: why, isLasting: false, retryAfterSeconds: retryAfterSeconds)
    }
}
