import Bytes
import Mustache
import Protection
import ResticFormat
package import Strategy

/// The body of a webhook: the operator's template, or a JSON object with all there is.
///
/// Names in a template: `title`, `body`, `event`, `urgency`, `lab`, `host`, `time`, `wrong`; and the lists `began`, `lasting`, `recovered` of things with
/// `object`, `what`, `next`, `event`. Values are escaped for JSON where the content type is one, for HTML where it is that.
package struct WebhookBody {
    private let hook: WebhookDeclaration

    package init(_ hook: WebhookDeclaration) { self.hook = hook }

    /// What is wrong with a template; nil: nothing.
    package static func problem(of template: String) -> String? {
        do {
            _ = try MustacheTemplate(string: template)
            return TemplateNames(template).problem
        } catch let error as MustacheTemplate.ParserError {
            return "line \(error.context.lineNumber), column \(error.context.columnNumber): \(words(error.error))"
        } catch {
            return "it cannot be read"
        }
    }

    private static func words(_ error: any Error) -> String {
        switch error as? MustacheTemplate.Error {
        case .sectionCloseNameIncorrect: "a section ends with another name than it began with"
        case .unfinishedName: "a name is not closed by }}"
        case .expectedSectionEnd: "a section is not closed"
        default: "\(error)"
        }
    }

    func render(_ fields: MessageFields) -> String {
        guard let text = hook.template else { return fields.json }
        MustacheContentTypes.register(JSONText(), named: JSONText.name)
        let pragma = "{{% CONTENT_TYPE: \(contentType) }}"
        guard let template = try? MustacheTemplate(string: pragma + text) else { return fields.json }
        let result = template.render(fields.values)
        return String(decoding: result.utf8.prefix(NotificationLimits.templateBytes), as: UTF8.self)
    }

    private var contentType: String {
        let type = hook.contentType.lowercased()
        return type.contains("json") ? JSONText.name : type.contains("html") || type.contains("xml") ? "HTML" : "TEXT"
    }
}

/// Escapes a value so that it can stand between the quotes of a JSON string.
private struct JSONText: MustacheContentType {
    static let name = "JSON"

    func escapeText(_ text: String) -> String {
        var writer = GoJSONWriter()
        writer.string(text)
        return String(decoding: writer.bytes.dropFirst().dropLast(), as: UTF8.self)
    }
}

/// What a message has, for templates and programs.
struct MessageFields {
    var title: String
    var body: String
    var event: String
    var urgency: String
    var lab: String
    var host: String
    var time: ZonedTime
    var wrong: Int
    var began: [Trouble] = []
    var lasting: [Trouble] = []
    var recovered: [ToldTrouble] = []

    var values: [String: Any] {
        [
            "title": title, "body": body, "event": event, "urgency": urgency, "lab": lab, "host": host,
            "time": String(decoding: RFC3339.format(time), as: UTF8.self), "wrong": wrong,
            "began": began.map(Self.values), "lasting": lasting.map(Self.values),
            "recovered": recovered.map { ["object": $0.object, "what": $0.what, "event": $0.event.rawValue] },
        ]
    }

    private static func values(_ trouble: Trouble) -> [String: Any] {
        ["object": trouble.object, "what": trouble.what, "next": trouble.next, "event": trouble.event.rawValue]
    }

    var json: String {
        var writer = GoJSONWriter(capacity: 1024)
        writer.beginObject()
        let texts: [(StaticString, String)] = [
            ("title", title), ("body", body), ("event", event), ("urgency", urgency), ("lab", lab), ("host", host),
        ]
        for (key, text) in texts {
            writer.key(key)
            writer.string(text)
        }
        writer.key("time")
        writer.time(time)
        writer.key("wrong")
        writer.integer(wrong)
        for (key, troubles) in [("began", began), ("lasting", lasting)] {
            writer.key(name: ByteString(key))
            writer.beginArray()
            for trouble in troubles.prefix(NotificationLimits.troublesShown) {
                Self.write(&writer, trouble.object, trouble.what, trouble.event, trouble.next)
            }
            writer.endArray()
        }
        writer.key("recovered")
        writer.beginArray()
        for told in recovered.prefix(NotificationLimits.troublesShown) {
            Self.write(&writer, told.object, told.what, told.event, nil)
        }
        writer.endArray()
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func write(
        _ writer: inout GoJSONWriter,
        _ object: String,
        _ what: String,
        _ event: AlarmEvent,
        _ next: String?
    ) {
        writer.beginObject()
        writer.key("object")
        writer.string(object)
        writer.key("what")
        writer.string(what)
        writer.key("event")
        writer.string(event.rawValue)
        if let next {
            writer.key("next")
            writer.string(next)
        }
        writer.endObject()
    }
}
