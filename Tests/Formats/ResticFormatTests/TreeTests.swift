import Bytes
import ResticFormat
import Testing

@Suite struct TreeTests {
    @Test func `a node is written in restic's order, quoting and omissions`() {
        let id = { (digit: Character) in digest(digit).hex }
        let expected =
            "{\"name\":\"a\\\\\\\"\\\\\\\\\\\\xff\\\\n\\u003cé\\\\u2028\",\"type\":\"file\",\"mode\":8389028,\"mtime\":\"2023-11-14T23:13:20.12+01:00\","
            + "\"atime\":\"1969-12-31T23:59:59.999999999Z\",\"ctime\":\"1969-12-31T20:30:00-03:30\",\"uid\":1,\"gid\":4294967295,\"user\":\"root\","
            + "\"group\":\"größe\",\"inode\":18446744073709551615,\"device_id\":64769,\"size\":3,\"links\":2,\"linktarget\":\"b\\ufffd\","
            + "\"linktarget_raw\":\"Yv8=\",\"extended_attributes\":[{\"name\":\"user.\\u003c\\u003e\",\"value\":\"AAEC/w==\"},{\"name\":\"user.empty\","
            + "\"value\":\"\"}],\"generic_attributes\":{\"windows.creation_time\":\"AbC=\",\"windows.file_attributes\":32},\"device\":259,"
            + "\"content\":[\"\(id("a"))\",\"\(id("b"))\"],\"subtree\":\"\(id("c"))\",\"error\":\"lstat: no\"}"
        #expect(text(fullNode().encode()) == expected)
    }

    @Test func `an empty node and an empty directory have their fixed forms`() throws {
        let node = Node(name: "x", type: .directory)
        let zero = "0001-01-01T00:00:00Z"
        #expect(
            text(node.encode())
                == "{\"name\":\"x\",\"type\":\"dir\",\"mtime\":\"\(zero)\",\"atime\":\"\(zero)\",\"ctime\":\"\(zero)\",\"uid\":0,\"gid\":0,\"content\":null}"
        )
        #expect(try text(treeDocument([])) == "{\"nodes\":[]}\n")
        #expect(try nodes(in: bytes("{\"nodes\":[]}\n")).isEmpty)
    }

    @Test func `a tree comes back node by node`() throws {
        var file = fullNode()
        file.genericAttributes.reverse()
        var empty = Node(name: "empty", type: .file)
        empty.content = []
        let other = Node(name: "odd", type: .other("door"))
        let document = try treeDocument([file, empty, other])
        var reader = TreeReader(document)
        #expect(try reader.next() == file)
        #expect(try reader.next() == empty)
        #expect(try reader.next() == other)
        #expect(try reader.next() == nil)
        #expect(try reader.next() == nil)
    }

    @Test func `nodes stand in the order of raw bytes and an equal duplicate is dropped`() throws {
        let names: [ByteString] = ["B", "a", "a", "a-b", "a.b", "b", "é", ByteString([0xff])]
        let document = try treeDocument(names.map { Node(name: $0, type: .fifo) })
        #expect(try nodes(in: document).map(\.name) == ["B", "a", "a-b", "a.b", "b", "é", ByteString([0xff])])
    }

    @Test func `two different nodes of one name, a wrong order, and a node without name are refused`() {
        let same = [Node(name: "a", type: .fifo), Node(name: "a", type: .file)]
        #expect(throws: FormatError.self) { try treeDocument(same) }
        #expect(throws: FormatError.self) {
            try treeDocument([Node(name: "b", type: .fifo), Node(name: "a", type: .fifo)])
        }
        #expect(throws: FormatError.self) { try treeDocument([Node(name: "", type: .file)]) }
    }

    @Test func `unknown keys around the nodes are passed over, and order is not judged`() throws {
        let document =
            "{\"Nodes\":1,\"x\":[{}],\"nodes\":[{\"name\":\"b\",\"new\":{\"nodes\":[]}},{\"name\":\"a\"}],\"y\":null,\"nodes\":7}"
        var reader = TreeReader(bytes(document))
        #expect(try reader.next()?.name == "b")
        #expect(try reader.next()?.name == "a")
        #expect(try reader.next() == nil)
    }

    @Test(arguments: [
        "", "{", "{}", "[]", "{\"nodes\":null}", "{\"nodes\":{}}", "{\"nodes\":[null]}", "{\"nodes\":[1]}",
        "{\"nodes\":[{}", "{\"nodes\":[]", "{\"nodes\":[],}",
        "{\"nodes\":[]}x", "{\"nodes\":[{},]}", "{\"nodes\":[{\"name\":\"\\\\q\"}]}",
        "{\"nodes\":[{\"content\":[null]}]}", "{\"nodes\":[{\"mtime\":\"x\"}]}",
        "{\"nodes\":[{\"mode\":4294967296}]}", "{\"nodes\":[{\"mode\":-1}]}", "{\"nodes\":[{\"name\":\"\\\"\"}]}",
        "{\"nodes\":[{\"extended_attributes\":[{\"value\":\"*\"}]}]}",
        "{\"nodes\":[{}{}]}", "{\"nodes\":[{\"subtree\":\"00\"}]}",
    ])
    func `a broken tree is refused`(document: String) {
        #expect(throws: FormatError.self) { try nodes(in: bytes(document)) }
    }

    @Test func `null and duplicates in a node mean what they mean to Go`() throws {
        let id = digest("a").hex
        let document =
            "{\"nodes\":[{\"name\":\"first\",\"NAME\":\"last\",\"name\":null,\"content\":[\"\(id.uppercased())\"],\"content\":null,\"linktarget_raw\":\"\",\"linktarget\":\"x\",\"mode\":null,\"generic_attributes\":{\"b\": [1, \"<\"],\"a\":1,\"b\":2},\"extended_attributes\":[null,{\"name\":\"n\"}]}]}"
        let node = try #require(try nodes(in: bytes(document)).first)
        #expect(
            node.name == "last" && node.content == nil && node.linkTarget == "" && node.mode == 0
                && node.type == .other("")
        )
        #expect(
            node.genericAttributes == [
                GenericAttribute(name: "a", json: bytes("1")), GenericAttribute(name: "b", json: bytes("2")),
            ]
        )
        #expect(node.extendedAttributes.map(\.isNull) == [true, true])
        #expect(text(node.encode()).contains("[{\"name\":\"\",\"value\":null},{\"name\":\"n\",\"value\":null}]"))
    }

    @Test func `generic attributes are embedded compactly`() throws {
        let document =
            "{\"nodes\":[{\"name\":\"n\",\"generic_attributes\":{\"k\": { \"a b\" : [ 1 , \"<\\\"&\u{2028} é\" ] } }}]}"
        let node = try #require(try nodes(in: bytes(document)).first)
        #expect(text(node.genericAttributes.first?.json ?? []) == "{\"a b\":[1,\"\\u003c\\\"\\u0026\\u2028 é\"]}")
    }

    @Test func `H-01 an overlong slash is bytes, not a slash`() throws {
        let document = bytes("{\"nodes\":[{\"name\":\"a\\\\xc0\\\\xafb\"}]}")
        let node = try #require(try nodes(in: document).first)
        #expect(node.name.bytes == [0x61, 0xc0, 0xaf, 0x62])
    }
}
