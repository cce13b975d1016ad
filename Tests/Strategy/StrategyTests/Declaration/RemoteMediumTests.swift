import Strategy
import Testing

/// Media behind a network, as they are declared.
@Suite struct RemoteMediumTests {
    private static let folder = "{ kind: stand-in,  path: ./media//cloud/ }"

    private func declaration(_ medium: String) -> String {
        completeDeclaration.replacing(Self.folder, with: medium)
    }

    private func medium(_ text: String) throws -> Medium {
        try #require(try decode(declaration(text)).medium(named: "cloud"))
    }

    @Test func `a bucket is read with all that is said of it`() throws {
        let medium = try medium(
            """
            { kind: offsite, credentials: "file:secrets/cloud", s3: { endpoint: "https://s3.example.com/", bucket: lab-dr, prefix: "/a//b/",
                region: eu-1, storage-class: STANDARD_IA, bucket-lookup: dns, connections: 9, certificates: ca.pem } }
            """
        )
        var bucket = S3Bucket(endpoint: "https://s3.example.com", bucket: "lab-dr")
        bucket.prefix = "a/b"
        bucket.region = "eu-1"
        bucket.storageClass = "STANDARD_IA"
        bucket.lookup = .dns
        bucket.connections = 9
        bucket.certificates = "/srv/lab/ca.pem"
        #expect(medium.location == .s3(bucket))
        #expect(medium.credentials == .pair(.file("/srv/lab/secrets/cloud")))
        #expect(medium.folder == nil)
        #expect(medium.text(of: "offsite") == "s3:https://s3.example.com/lab-dr/a/b/offsite")
    }

    @Test func `a server is read, and needs no credentials`() throws {
        let medium = try medium("{ kind: offsite, rest: { url: \"https://nas.example:8000/lab/\" } }")
        #expect(medium.location == .rest(RESTServer(url: "https://nas.example:8000/lab")))
        #expect(medium.credentials == nil)
        #expect(medium.text(of: "offsite") == "rest:https://nas.example:8000/lab/offsite/")
    }

    @Test func `a folder behind SSH is read, in both ways of writing its place`() throws {
        var medium = try medium("{ kind: offsite, sftp: { host: nas.example, path: /srv/backup/ } }")
        var folder = SSHFolder(host: "nas.example", path: "/srv/backup")
        #expect(medium.location == .sftp(folder))
        #expect(medium.text(of: "offsite") == "sftp:nas.example:/srv/backup/offsite")
        medium = try self.medium(
            "{ kind: offsite, sftp: { host: nas.example, path: lab, user: me, port: 2222, key: id, connections: 3 } }"
        )
        folder = SSHFolder(host: "nas.example", path: "lab")
        folder.user = "me"
        folder.port = 2222
        folder.key = "/srv/lab/id"
        folder.connections = 3
        #expect(medium.location == .sftp(folder))
        #expect(medium.text(of: "offsite") == "sftp://me@nas.example:2222/lab/offsite")
    }

    @Test func `S-04 an item of the vault has both, and every reference is known to those who resolve them`() throws {
        let vault = "lab: home\nvault: { address: \"https://vault.example\", email: \"a@b.example\" }"
        let text = declaration(
            "{ kind: offsite, credentials: \"vault:cloud-s3\", s3: { endpoint: \"https://s3.example.com\", bucket: lab } }"
        )
        let lab = try decode(text.replacing("lab: home", with: vault))
        let credentials = lab.medium(named: "cloud")?.credentials
        #expect(credentials?.text == "vault:cloud-s3")
        #expect(credentials?.references.map(\.text) == ["vault:cloud-s3#username", "vault:cloud-s3#password"])
        let keys = lab.secretReferences.filter { $0.key == "media.cloud.credentials" }
        #expect(keys.map(\.reference.text) == ["vault:cloud-s3#username", "vault:cloud-s3#password"])
        #expect(
            problems(text).contains { $0.contains("media.cloud.credentials: looks into a vault, and none is declared") }
        )
    }

    @Test(arguments: [
        ("{ kind: offsite, path: cloud }", "media.cloud.kind: \"offsite\" cannot be a folder of this machine"),
        ("{ kind: offsite }", "media.cloud: says nothing of what it is about; write one of: path, s3, rest, sftp"),
        (
            "{ kind: offsite, s3: { endpoint: \"https://s3.example.com\", bucket: lab } }",
            "media.cloud: has no credentials; add credentials"
        ),
        (
            "{ kind: offsite, rest: { url: \"http://localhost:8000\" } }",
            "media.cloud.kind: \"offsite\" cannot be a server of this machine; write stand-in"
        ),
        (
            "{ kind: removable, rest: { url: \"https://nas.example\" } }",
            "media.cloud.kind: is not what lies behind a network; write offsite"
        ),
        (
            "{ kind: offsite, rest: { url: \"https://me:canary@nas.example\" } }",
            "media.cloud.rest.url: is no address that starts with https:// or http://"
        ),
        ("{ kind: offsite, sftp: { host: localhost, path: a } }", "\"offsite\" cannot be a server of this machine"),
        ("{ kind: offsite, sftp: { host: \"-oProxyCommand=x\", path: a } }", "media.cloud.sftp: names no machine"),
        ("{ kind: offsite, sftp: { host: nas, path: \"~/a\" } }", "media.cloud.sftp.path: is no folder"),
        (
            "{ kind: offsite, mount: true, rest: { url: \"https://nas.example\" } }",
            "media.cloud.mount: belongs to a disk"
        ),
        ("{ kind: stand-in, path: cloud, read-only: \"env:A\" }", "media.cloud.read-only: is for a bucket or a server"),
        (
            "{ kind: offsite, credentials: \"env:A\", read-only: \"env:A\", s3: { endpoint: \"https://s3.example.com\", bucket: lab } }",
            "media.cloud.read-only: is what writes there, too; make a key that can only list and read"
        ),
        ("{ kind: stand-in, path: cloud, credentials: \"env:A\" }", "media.cloud.credentials: open no folder"),
        (
            "{ kind: offsite, credentials: \"env:A\", s3: { endpoint: \"https://s3.example.com/lab\", bucket: lab } }",
            "media.cloud.s3.endpoint: is no address"
        ),
        (
            "{ kind: offsite, credentials: \"env:A\", s3: { endpoint: \"https://s3.example.com\", bucket: \"a/b\" } }",
            "media.cloud.s3.bucket: is no name of a bucket"
        ),
    ])
    func `M-10 what cannot be meant is refused, and shows no password`(_ text: String, _ words: String) {
        let found = problems(declaration(text))
        #expect(found.contains { $0.contains(words) }, "\(found)")
        #expect(!found.joined().contains("canary"))
    }

    @Test func `two media in one place are one`() {
        let twin = "{ kind: offsite, rest: { url: \"https://nas.example/lab\" } }"
        let text = declaration("\(twin)\n  twin:    \(twin)")
        #expect(problems(text).contains { $0.contains("media.twin: shares its place with medium \"cloud\"") })
    }

    @Test func `a password that travels in the clear is a warning`() throws {
        let text = declaration(
            "{ kind: offsite, credentials: \"env:A\", rest: { url: \"http://nas.example/lab\" } }"
        )
        #expect(try decode(text).warnings.contains { $0.key == "media.cloud.rest.url" })
    }
}
