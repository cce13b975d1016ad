import ObjectStorage
import Testing

@Suite struct S3LocationTests {
    @Test(arguments: [
        ("https://s3.example.com/bucket/some/prefix", "s3:s3.example.com/bucket/some/prefix", true),
        ("http://127.0.0.1:9000/bucket", "s3:http://127.0.0.1:9000/bucket", false),
        ("//s3.amazonaws.com/bucket/prefix/", "s3:s3.amazonaws.com/bucket/prefix", true),
        ("s3.amazonaws.com/bucket", "s3:s3.amazonaws.com/bucket", true),
        ("eu-central-1/foobar/a//b/./c", "s3:eu-central-1/foobar/a/b/c", true),
        ("https://[::1]:9000/b/p", "s3:[::1]:9000/b/p", true),
    ]) func `locations are read as restic writes them`(_ text: String, _ shown: String, _ isSecure: Bool) throws {
        let location = try S3Location(parsing: text)
        #expect(location.text == shown)
        #expect(location.isSecure == isSecure)
    }

    @Test(arguments: [
        "", "https://", "https://host", "host", "host/", "//host", "http:host/bucket", "https://user:pw@host/b",
    ])
    func `what lacks host or bucket is refused, and so are credentials in it`(_ text: String) {
        #expect(throws: S3Location.Trouble.self) { try S3Location(parsing: text) }
    }

    @Test func `auto puts the bucket in front of Amazon's hosts alone, and never one with a dot`() throws {
        func url(_ text: String, _ lookup: S3Address.Lookup = .auto, region: String = "us-east-1") throws -> String {
            let address = S3Address(try S3Location(parsing: text), lookup: lookup, region: region)
            return address.url("data/ab/x y", query: [("b", "1"), ("a", "&/")])
        }
        #expect(try url("s3.amazonaws.com/lab-dr") == "https://lab-dr.s3.amazonaws.com/data/ab/x%20y?a=%26%2F&b=1")
        #expect(
            try url("s3.amazonaws.com/lab-dr", region: "eu-central-1").hasPrefix(
                "https://lab-dr.s3.eu-central-1.amazonaws.com/data/"
            )
        )
        #expect(try url("s3.amazonaws.com/lab.dr").hasPrefix("https://s3.amazonaws.com/lab.dr/data/"))
        #expect(try url("http://minio:9000/lab").hasPrefix("http://minio:9000/lab/data/"))
        #expect(try url("minio.example/lab", .dns).hasPrefix("https://lab.minio.example/data/"))
        #expect(try url("s3.amazonaws.com/lab-dr", .path).hasPrefix("https://s3.amazonaws.com/lab-dr/data/"))
    }

    @Test(arguments: [
        ("s3.amazonaws.com", "us-east-1"), ("s3.eu-west-3.amazonaws.com", "eu-west-3"),
        ("s3-ap-southeast-2.amazonaws.com", "ap-southeast-2"), ("s3.dualstack.eu-north-1.amazonaws.com", "eu-north-1"),
        ("s3.eu-central-003.backblazeb2.com", "eu-central-003"), ("abc.r2.cloudflarestorage.com", "auto"),
        ("127.0.0.1:9000", "us-east-1"), ("s3.example.com", "us-east-1"),
        ("s3.eu-central-2.wasabisys.com", "eu-central-2"),
    ]) func `a host's name tells the region where it has one`(_ host: String, _ region: String) {
        #expect(S3Address.guessedRegion(host: host) == region)
    }
}
