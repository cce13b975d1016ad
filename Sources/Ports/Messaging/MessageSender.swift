import HTTPTransport

/// Carries one message to one target, once, and says how it went.
///
/// **Bounds**: `MessagingLimits`. **Isolation**: waits without a thread, but for mail, which has a thread of its own for as long as it takes.
/// A cancelled task ends the attempt, which then counts as failed although the target may have the message.
package struct MessageSender: Sendable {
    private let deadlineSeconds: Int
    private let mailLibrary: String

    package init(
        deadlineSeconds: Int = MessagingLimits.deadlineSeconds,
        mailLibrary: String = MessagingLimits.mailLibrary
    ) {
        self.deadlineSeconds = deadlineSeconds
        self.mailLibrary = mailLibrary
    }

    /// Tells a target.
    package func send(_ message: OutgoingMessage, to target: MessageTarget) async -> MessageDelivery {
        switch target {
        case .ntfy(let target): return await ask(NtfyPublication.request(message, target), target.certificates)
        case .mail(let target):
            return await MailErrand(target: target, deadlineSeconds: deadlineSeconds, library: mailLibrary).send(
                message
            )
        case .webhook(let target): return await ask(WebhookCall.request(target), target.certificates)
        case .ping(var target):
            if target.body.isEmpty { target.body = message.title + "\n\n" + message.body }
            return await ping(target)
        }
    }

    /// Tells a check.
    package func ping(_ target: PingTarget) async -> MessageDelivery {
        await ask(PingSignal.request(target), target.certificates, PingSignal.judge)
    }

    private func ask(
        _ call: Result<WebCall, WebCallRefusal>,
        _ certificates: String?,
        _ judge: (HTTPAnswer, String) -> MessageDelivery? = { _, _ in nil }
    ) async -> MessageDelivery {
        switch call {
        case .failure(let refusal): .lasting(refusal.why)
        case .success(let call):
            await WebErrand(certificates: certificates, deadlineSeconds: deadlineSeconds).send(call, judge)
        }
    }
}
