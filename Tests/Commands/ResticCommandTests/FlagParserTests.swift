import Bytes
import Console
import ResticCommand
import Testing

@Suite struct FlagParserTests {
    private func parsed(_ arguments: [ByteString]) throws -> FlagParser {
        var parser = FlagParser(globalFlags + Verb.snapshots.flags)
        try parser.parse(arguments)
        return parser
    }

    private func complaint(_ arguments: [ByteString]) -> String {
        var parser = FlagParser(globalFlags + Verb.snapshots.flags)
        do {
            try parser.parse(arguments)
            return ""
        } catch {
            return error.message.string
        }
    }

    @Test(
        arguments: [
            ["-r", "repo"], ["-rrepo"], ["-r=repo"], ["--repo", "repo"], ["--repo=repo"], ["-vqrrepo"],
            ["-q", "-vr", "repo"],
        ] as [[ByteString]]
    )
    func `a value may follow, be attached, or stand behind an equals sign`(arguments: [ByteString]) throws {
        #expect(try parsed(arguments).values.text("repo") == "repo")
    }

    @Test func `a cluster's option takes its value from behind the equals sign`() throws {
        #expect(try parsed(["-ok=v"]).values.texts("option") == ["k=v"])
        #expect(try parsed(["-o=k=v"]).values.texts("option") == ["k=v"])
    }

    @Test func `switches and counters take a value only behind an equals sign`() throws {
        let values = try parsed(["--json=false", "--compact=T", "-v=3", "word"]).values
        #expect(!values.isOn("json") && values.isSet("json"))
        #expect(values.isOn("compact"))
        #expect(values.integer("verbose") == 3)
        #expect(try parsed(["-vv", "--verbose"]).values.integer("verbose") == 3)
        #expect(try parsed(["--json", "false"]).words == ["false"])
    }

    @Test func `words stand between options, and everything after two dashes is a word`() throws {
        let parser = try parsed(["a", "-q", "-", "--", "--json", "-x"])
        #expect(parser.words == ["a", "-", "--json", "-x"])
        #expect(parser.values.isOn("quiet") && !parser.values.isOn("json"))
    }

    @Test func `lists are split at commas with quotes, repeated texts are kept in order`() throws {
        #expect(try parsed(["-o", "a=1,\"b=2,3\"", "-o", "c=4"]).values.texts("option") == ["a=1", "b=2,3", "c=4"])
        #expect(try parsed(["--path", "/a,b", "--path", "/c"]).values.texts("path") == ["/a,b", "/c"])
    }

    @Test func `arguments are bytes: a path that is not UTF-8 arrives unchanged`() throws {
        let path = ByteString([0x2f, 0xff, 0xfe])
        #expect(try parsed(["--path", path]).values.texts("path") == [path])
    }

    @Test(
        arguments: [
            (["--foo"], "unknown flag: --foo"),
            (["-Z"], "unknown shorthand flag: 'Z' in -Z"),
            (["-vvx=1"], "unknown shorthand flag: 'x' in -x=1"),
            (["-r"], "flag needs an argument: 'r' in -r"),
            (["--repo"], "flag needs an argument: --repo"),
            (["--=x"], "bad flag syntax: --=x"),
            (["---"], "bad flag syntax: ---"),
            (["-=x"], "unknown shorthand flag: '=' in -=x"),
            (
                ["--json=foo"],
                #"invalid argument "foo" for "--json" flag: strconv.ParseBool: parsing "foo": invalid syntax"#
            ),
            (["--json="], #"invalid argument "" for "--json" flag: strconv.ParseBool: parsing "": invalid syntax"#),
            (["-q=x"], #"invalid argument "x" for "-q, --quiet" flag: strconv.ParseBool: parsing "x": invalid syntax"#),
            (
                ["--latest", "x"],
                #"invalid argument "x" for "--latest" flag: strconv.ParseInt: parsing "x": invalid syntax"#
            ),
            (
                ["--pack-size", "99999999999999999999"],
                #"invalid argument "99999999999999999999" for "--pack-size" flag: strconv.ParseUint: parsing "99999999999999999999": value out of range"#
            ),
            (
                ["--retry-lock", "foo"],
                #"invalid argument "foo" for "--retry-lock" flag: time: invalid duration "foo""#
            ),
            (["-g", "foo"], #"invalid argument "foo" for "-g, --group-by" flag: unknown grouping option: "foo""#),
            (
                ["--compression", "x"],
                #"invalid argument "x" for "--compression" flag: invalid compression mode "x", must be one of (auto|off|fastest|better|max)"#
            ),
        ] as [([ByteString], String)]
    )
    func `wrong usage is refused in restic's words`(arguments: [ByteString], message: String) {
        #expect(complaint(arguments) == message)
    }

    @Test func `a deprecated option works and says what to use instead`() throws {
        let parser = try parsed(["--last", "--last"])
        #expect(parser.values.isOn("last"))
        #expect(parser.warnings.map(\.string) == ["Flag --last has been deprecated, use --latest 1"])
    }

    @Test(arguments: Verb.allCases) func `no command defines an option twice`(verb: Verb) {
        let flags = globalFlags + verb.flags
        #expect(Set(flags.map(\.name)).count == flags.count)
        let letters = flags.compactMap(\.shorthand)
        #expect(Set(letters).count == letters.count)
    }

    @Test(
        arguments: [
            ([], nil, nil), (["snapshots"], .snapshots, nil), (["-r", "backup", "snapshots"], .snapshots, nil),
            (["--json", "ls", "x"], .ls, nil), (["--repo=x", "-q", "check"], .check, nil),
            (["frobnicate"], nil, "frobnicate"),
            (["--unknown", "check"], nil, nil), (["--", "check"], nil, nil),
        ] as [([ByteString], Verb?, ByteString?)]
    )
    func `the command is found among the options before it`(arguments: [ByteString], verb: Verb?, unknown: ByteString?)
    {
        let found = findVerb(arguments)
        #expect(found.verb == verb)
        #expect(found.unknown == unknown)
    }

    @Test func `an unknown command is named, with what was perhaps meant`() {
        #expect(unknownCommand("foo", calledAs: "restic").message.string == #"unknown command "foo" for "restic""#)
        #expect(
            unknownCommand("snap", calledAs: "restic").message.string
                == "unknown command \"snap\" for \"restic\"\n\nDid you mean this?\n\tsnapshots\n"
        )
    }
}
