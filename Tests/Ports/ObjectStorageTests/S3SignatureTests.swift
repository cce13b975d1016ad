import Bytes
import ObjectStorage
import Outcome
import Testing

/// The examples that AWS published with the signature, version 4.
@Suite struct S3SignatureTests {
    private static let emptyHash = S3Signature.emptyBodyHash

    struct Example: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var method = "GET"
        var path = "/"
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var bodyHash = S3SignatureTests.emptyHash
        var signature: String
    }

    /// "Authenticating Requests: Using the Authorization Header", in the guide of S3.
    static let bucketExamples = [
        Example(
            testDescription: "get object",
            path: "/test.txt",
            headers: [("range", "bytes=0-9")],
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        ),
        Example(
            testDescription: "put object",
            method: "PUT",
            path: "/test%24file.text",
            headers: [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            bodyHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        ),
        Example(
            testDescription: "get bucket lifecycle",
            query: [("lifecycle", "")],
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        ),
        Example(
            testDescription: "list objects",
            query: [("max-keys", "2"), ("prefix", "J")],
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        ),
    ]

    @Test(arguments: bucketExamples) func `the examples of the guide are signed as it says`(_ example: Example) {
        let signature = S3Signature(
            S3Credentials(
                keyID: "AKIAIOSFODNN7EXAMPLE",
                secret: Secret(Array("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".utf8))
            ),
            region: "us-east-1",
            moment: Timestamp(seconds: 1_369_353_600)
        )
        #expect(signature.dateTime == "20130524T000000Z")
        let authorization = signature.authorization(
            method: example.method,
            path: example.path,
            query: example.query,
            headers: example.headers + [
                ("Host", "examplebucket.s3.amazonaws.com"), ("x-amz-content-sha256", example.bodyHash),
                ("x-amz-date", signature.dateTime),
            ],
            bodyHash: example.bodyHash
        )
        #expect(authorization.hasSuffix("Signature=\(example.signature)"))
        #expect(authorization.contains("Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"))
    }

    /// Out of the `aws4_testsuite` of the general reference.
    static let suite = [
        Example(
            testDescription: "get-vanilla",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
        Example(
            testDescription: "get-vanilla-query-order-key-case",
            query: [("Param2", "value2"), ("Param1", "value1")],
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        ),
        Example(
            testDescription: "post-vanilla",
            method: "POST",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        ),
        Example(
            testDescription: "get-header-value-trim",
            headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
        ),
    ]

    @Test(arguments: suite) func `the general test suite is signed as it says`(_ example: Example) {
        let signature = S3Signature(
            S3Credentials(keyID: "AKIDEXAMPLE", secret: Secret(Array("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".utf8))),
            region: "us-east-1",
            service: "service",
            moment: Timestamp(seconds: 1_440_938_160)
        )
        let authorization = signature.authorization(
            method: example.method,
            path: example.path,
            query: example.query,
            headers: example.headers + [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")],
            bodyHash: example.bodyHash
        )
        #expect(authorization.hasSuffix("Signature=\(example.signature)"))
    }

    @Test func `a key never stands in what describes the credentials`() {
        let credentials = S3Credentials(keyID: "id", secret: Secret(Array("canary-secret".utf8)))
        #expect(!"\(credentials)".contains("canary"))
    }
}
