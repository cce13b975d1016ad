import HTTPTransport

/// Asks a web server once and says in words how it went.
struct WebErrand {
    var certificates: String?
    var deadlineSeconds: Int

    /// `judge` may know more about an answer of success than its status says.
    func send(_ call: WebCall, _ judge: (HTTPAnswer, String) -> MessageDelivery?) async -> MessageDelivery {
        let settings = HTTPSettings(
            certificates: certificates,
            connectSeconds: MessagingLimits.connectSeconds,
            answerSeconds: deadlineSeconds
        )
        do {
            let answer = try await HTTPErrand.with(settings) { try await $0.send(call.request) }
            return (200..<300).contains(answer.status)
                ? judge(answer, call.origin) ?? .delivered : refusal(answer, call)
        } catch let trouble as HTTPTrouble {
            return delivery(of: trouble, call.origin)
        } catch is CancellationError {
            return .passing("stopped before \(call.origin) answered")
        } catch {
            return .passing("\(call.origin) does not answer")
        }
    }

    private func refusal(_ answer: HTTPAnswer, _ call: WebCall) -> MessageDelivery {
        let status = "HTTP \(answer.status)"
        switch answer.status {
        case 300..<400:
            return .lasting(
                "\(call.origin) answers with a redirect (\(status)) to \(redirectGoal(answer, call)), which is not followed; write the final address into the file"
            )
        case 408, 425, 429:
            return .passing(
                "\(call.origin) does not take it now (\(status))",
                retryAfterSeconds: RetryAfter.seconds(secondsMax: MessagingLimits.retryAfterSeconds) {
                    answer.header($0)
                }
            )
        case 401, 403, 407: return .lasting("\(call.origin) refuses it (\(status)): see how it wants to know who asks")
        case 404, 410:
            return .lasting("\(call.origin) has nothing there (\(status)): see what stands behind the host")
        case 413: return .lasting("\(call.origin) refuses it (\(status)): it is too large")
        case 400..<500: return .lasting("\(call.origin) refuses it (\(status))")
        default:
            return .passing(
                "\(call.origin) is out of order (\(status))",
                retryAfterSeconds: RetryAfter.seconds(secondsMax: MessagingLimits.retryAfterSeconds) {
                    answer.header($0)
                }
            )
        }
    }

    /// The host alone, wherever it leads.
    private func redirectGoal(_ answer: HTTPAnswer, _ call: WebCall) -> String {
        guard let goal = answer.header("location").flatMap(WebAddress.init)?.origin else { return "another place" }
        return goal == call.origin ? "another place of its own" : goal
    }

    private func delivery(of trouble: HTTPTrouble, _ origin: String) -> MessageDelivery {
        switch trouble {
        case .late(let seconds): .passing("\(origin) does not answer within \(seconds) s")
        case .overlong: .passing("\(origin) answers without end")
        case .untrusted:
            .lasting("\(origin) shows a certificate that is not trusted, or none; name the file of its own authority")
        case .certificateFile(let file): .lasting("\(file) cannot be read, by which \(origin) is verified")
        case .address: .lasting("\(origin) is no address that can be asked")
        case .unknownName: .passing("\(origin) does not answer: its name is not found")
        case .noConnection(let why): .passing("\(origin) does not answer: \(why)")
        }
    }
}
