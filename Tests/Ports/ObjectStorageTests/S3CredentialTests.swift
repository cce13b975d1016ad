import Foundation
import ObjectStorage
import Outcome
import Testing

@Suite struct S3CredentialTests {
    private let scratch = Scratch()

    private func chain(_ variables: [String: String]) -> S3CredentialChain { S3CredentialChain { variables[$0] } }

    private func secret(_ credentials: S3Credentials?) -> String? {
        credentials.map { $0.secret.withBytes { String(decoding: $0, as: UTF8.self) } }
    }

    private func file() throws -> String {
        let path = scratch.path + "/credentials"
        let text = """
            # a comment
            [default]
            aws_access_key_id = first
            aws_secret_access_key=with/slash+and=equals
            [ nightly ]
            AWS_ACCESS_KEY_ID = second
            aws_secret_access_key = other
            aws_session_token = token==
            [half]
            aws_access_key_id = alone
            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func `variables come before files, and their token with them`() throws {
        let found = try chain([
            "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
            "MINIO_ROOT_USER": "root", "MINIO_ROOT_PASSWORD": "pw", "AWS_SHARED_CREDENTIALS_FILE": try file(),
        ]).find()
        #expect(found?.keyID == "id")
        #expect(secret(found) == "secret")
        #expect(found?.sessionToken.count == 5)
    }

    @Test func `a shared file has profiles`() throws {
        let path = try file()
        let first = try chain(["AWS_SHARED_CREDENTIALS_FILE": path]).find()
        #expect(first?.keyID == "first")
        #expect(secret(first) == "with/slash+and=equals")
        #expect(first?.sessionToken.isEmpty == true)
        let second = try chain(["AWS_SHARED_CREDENTIALS_FILE": path, "AWS_PROFILE": "nightly"]).find()
        #expect(second?.keyID == "second")
        #expect(second?.sessionToken.count == 7)
    }

    @Test func `half a pair, a missing profile and a missing file are told by name`() throws {
        let path = try file()
        for (variables, word) in [
            (["AWS_ACCESS_KEY_ID": "id"], "AWS_SECRET_ACCESS_KEY"),
            (["AWS_SECRET_ACCESS_KEY": "canary"], "AWS_ACCESS_KEY_ID"),
            (["AWS_SHARED_CREDENTIALS_FILE": path, "AWS_PROFILE": "half"], "half"),
            (["AWS_SHARED_CREDENTIALS_FILE": "/nowhere/file"], "/nowhere/file"),
        ] {
            let error = #expect(throws: StorageFailure.self) { try chain(variables).find() }
            #expect(error?.code == .auth)
            #expect("\(error.map { "\($0) \($0.next)" } ?? "")".contains(word))
            #expect(!"\(error.map { "\($0)" } ?? "")".contains("canary"))
        }
    }

    @Test func `nothing anywhere is no failure`() throws {
        #expect(try chain([:]).find() == nil)
        #expect(try chain(["HOME": scratch.path]).find() == nil)
    }
}
