import Bytes
import Foundation
import Strategy
import Testing

/// Locks of buckets, and who may prune, as they are declared.
@Suite struct LockTests {
    private static let folder = "{ kind: stand-in,  path: ./media//cloud/ }"

    private func declaration(_ bucket: String, _ medium: String = "") -> String {
        completeDeclaration.replacing(
            Self.folder,
            with:
                "{ kind: offsite, credentials: \"file:secrets/cloud\", s3: { endpoint: \"https://s3.example.com\", bucket: lab-dr\(bucket) }\(medium) }"
        )
    }

    @Test func `a lock and who prunes are read`() throws {
        let lab = try decode(declaration(", lock: 400d, lock-mode: governance", ", pruning: \"file:secrets/pruner\""))
        let medium = try #require(lab.medium(named: "cloud"))
        #expect(medium.lock == .seconds(400 * 86_400))
        guard case .s3(let bucket) = medium.location else { return }
        #expect(bucket.lockMode == .governance)
        #expect(medium.pruning == .pair(.file("/srv/lab/secrets/pruner")))
        #expect(lab.secretReferences.contains { $0.key == "media.cloud.pruning" })
        #expect(medium.lockInterval == .seconds(30 * 86_400))
    }

    @Test func `R-02 a lock shorter than retention is refused, with the length that would do`() {
        let found = problems(declaration(", lock: 20d"))
        #expect(
            found.contains {
                $0.contains("media.cloud.s3.lock: is 20d, and retention keeps snapshots of")
                    && $0.contains("for 28d; write lock: 28d or more")
            },
            "\(found)"
        )
        #expect(
            problems(declaration(", lock: 12h")).contains { $0.contains("media.cloud.s3.lock: is shorter than a day") }
        )
        #expect(problems(declaration(", lock: 400")).contains { $0.contains("has no unit") })
    }

    @Test func `who runs must not be who prunes, and only services know the difference`() {
        let same = problems(declaration("", ", pruning: \"file:secrets/cloud\""))
        #expect(same.contains { $0.contains("media.cloud.pruning: is what runs write with, too") }, "\(same)")
        let folder = completeDeclaration.replacing(
            Self.folder,
            with: "{ kind: stand-in, path: media/cloud, pruning: \"file:secrets/p\" }"
        )
        #expect(problems(folder).contains { $0.contains("media.cloud.pruning: is for a bucket or a server") })
    }

    @Test func `R-02 a proof holds for its bucket, key and lock, and for 90 days`() throws {
        let now = Timestamp(seconds: 2_000_000_000)
        let medium = try #require(try decode(declaration(", lock: 400d")).medium(named: "cloud"))
        func proof(_ days: Int64, _ isProven: Bool = true, _ subject: String? = nil) -> DestructionProof {
            DestructionProof(
                tried: Timestamp(seconds: now.seconds - days * 86_400),
                isProven: isProven,
                what: "gave way",
                subject: subject ?? medium.guardSubject
            )
        }
        #expect(medium.mutability(nil, now: now) == .neverTried)
        #expect(medium.mutability(proof(90), now: now) == nil)
        #expect(medium.mutability(proof(91), now: now) == .tooLongAgo(.seconds(91 * 86_400)))
        #expect(medium.mutability(proof(1, false), now: now) == .failed("gave way"))
        #expect(medium.mutability(proof(1, true, "other"), now: now) == .changed)
        let open = try #require(try decode(declaration("")).medium(named: "cloud"))
        #expect(open.mutability(proof(1), now: now) == .unlocked)
    }

    @Test func `policies to paste are JSON, and only pruning may delete beside lock files`() throws {
        var bucket = S3Bucket(endpoint: "https://s3.example.com", bucket: "lab-dr")
        bucket.prefix = "home"
        bucket.lock = .seconds(86_400 * 200)
        let parts = BucketPolicy(bucket).parts
        #expect(parts.count == 4)
        for part in parts {
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(part.json.utf8)) }
        }
        #expect(parts[0].json.contains("\"s3:DeleteObject\"], \"Resource\": \"arn:aws:s3:::lab-dr/home/*/locks/*\""))
        #expect(parts[1].json.contains("\"s3:DeleteObject\"], \"Resource\": \"arn:aws:s3:::lab-dr/home/*\""))
        #expect(!parts[2].json.contains("Delete") && !parts[2].json.contains("Put"))
        for part in parts { #expect(!part.json.contains("DeleteObjectVersion") && !part.json.contains("Bypass")) }
    }
}
