import Bytes
import Console
import Testing

@Suite struct JSONLineTests {
    @Test func `fields come in the order of the calls, on one line`() {
        var line = JSONLine(messageType: "status")
        line.add("percent_done", 0.361992425)
        line.addUnlessZero("total_files", 0)
        line.add("dry_run", true)
        line.add("current_files", ["/a", "/b"])
        line.add("none", nil as [ByteString]?)
        #expect(
            line.text.string
                == #"{"message_type":"status","percent_done":0.361992425,"dry_run":true,"current_files":["/a","/b"],"none":null}"#
        )
    }

    @Test(
        arguments: [
            (0.0, "0"), (1, "1"), (0.709031263, "0.709031263"), (1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-9, "1.5e-9"),
            (123_456_789, "123456789"), (1e20, "100000000000000000000"), (1e21, "1e+21"), (-2.5, "-2.5"),
            (1.0 / 3, "0.3333333333333333"),
            (100, "100"), (1.25e22, "1.25e+22"),
        ] as [(Double, String)]
    )
    func `numbers are written as Go writes them`(value: Double, json: String) {
        var output: [UInt8] = []
        appendJSONNumber(value, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == json)
    }

    @Test func `the fields of another object are taken over`() {
        var line = JSONLine()
        line.addFields(of: Array(#"{"time":"now"}"#.utf8))
        line.add("id", "x")
        #expect(line.text.string == #"{"time":"now","id":"x"}"#)
    }
}
