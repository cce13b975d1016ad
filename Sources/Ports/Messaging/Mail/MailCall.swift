import CMail

/// How libcurl ended.
struct MailEnd: Sendable {
    var outcome: cmail_outcome
    /// The server's last reply of 400 and above; 0 for none.
    var reply: Int
    /// errno of a connection that failed; 0 for none.
    var error: Int32
}

/// One mail, ready for libcurl.
struct MailCall: Sendable {
    var target: MailTarget
    var from: MailAddress
    var to: [MailAddress]
    var message: [UInt8]
    var deadlineSeconds: Int
    var library: String

    /// Blocks until libcurl is done with it.
    func run(_ stop: MailStop) -> MailEnd {
        let recipients = to.map(\.address)
        var end = MailEnd(outcome: CMAIL_OTHER, reply: 0, error: 0)
        withCStrings([library, target.url, from.address] + recipients) { words in
            withOptionalCStrings([target.user, target.password, target.certificates]) { optional in
                let people: [UnsafePointer<CChar>?] = words.dropFirst(3).map { UnsafePointer($0) }
                message.withUnsafeBufferPointer { message in
                    people.withUnsafeBufferPointer { people in
                        var request = cmail_request()
                        request.library = words[0]
                        request.url = words[1]
                        request.from = words[2]
                        request.user = optional[0]
                        request.password = optional[1]
                        request.certificates = optional[2]
                        request.must_start_tls = target.security == .starttls ? 1 : 0
                        request.to = people.baseAddress
                        request.to_count = people.count
                        request.message = message.baseAddress
                        request.message_size = message.count
                        end = perform(&request, stop)
                    }
                }
            }
        }
        return end
    }

    private func perform(_ request: inout cmail_request, _ stop: MailStop) -> MailEnd {
        request.connect_milliseconds = min(MessagingLimits.connectSeconds, deadlineSeconds) * 1000
        request.deadline_milliseconds = deadlineSeconds * 1000
        request.context = Unmanaged.passUnretained(stop).toOpaque()
        request.is_over = { context in
            guard let context else { return 0 }
            return Unmanaged<MailStop>.fromOpaque(context).takeUnretainedValue().isSet ? 1 : 0
        }
        return withExtendedLifetime(stop) {
            let result = cmail_send(&request)
            return MailEnd(outcome: result.outcome, reply: Int(result.reply), error: result.error)
        }
    }
}

/// Lends the texts as C has them; a zero byte ends one, so the caller looks for those.
private func withCStrings(_ texts: [String], _ body: ([UnsafePointer<CChar>]) -> Void) {
    withOptionalCStrings(texts) { pointers in body(pointers.compactMap { $0 }) }
}

/// The same for texts that may be absent.
private func withOptionalCStrings(_ texts: [String?], _ body: ([UnsafePointer<CChar>?]) -> Void) {
    let buffers = texts.map { $0.map { Array($0.utf8CString) } }
    lend(buffers[...], [], body)
}

private func lend(
    _ buffers: ArraySlice<[CChar]?>,
    _ pointers: [UnsafePointer<CChar>?],
    _ body: ([UnsafePointer<CChar>?]) -> Void
) {
    guard let first = buffers.first else { return body(pointers) }
    guard let first else { return lend(buffers.dropFirst(), pointers + [nil], body) }
    first.withUnsafeBufferPointer { lend(buffers.dropFirst(), pointers + [$0.baseAddress], body) }
}
