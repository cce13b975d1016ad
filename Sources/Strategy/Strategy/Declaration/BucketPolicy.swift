/// Rights and rules of a bucket in Amazon's words: no key can destroy what is stored there.
///
/// Three keys: of runs, which cannot delete; of pruning, which hides and cannot delete versions; of the recovery kit, which only reads.
/// **Source**: AWS, "Actions, resources, and condition keys for Amazon S3".
package struct BucketPolicy: Sendable {
    /// One document, and what it is for.
    package struct Part: Sendable, Hashable {
        package var what: String
        package var json: String
    }

    private let bucket: S3Bucket

    package init(_ bucket: S3Bucket) { self.bucket = bucket }

    package var parts: [Part] {
        let locks = bucket.lock == nil ? [] : ["s3:PutObjectRetention", "s3:GetObjectRetention"]
        let reads = ["s3:GetObject", "s3:GetObjectVersion"]
        let writes = ["s3:PutObject", "s3:AbortMultipartUpload"]
        return [
            Part(
                what: "the key that runs write with (credentials): it deletes nothing but lock files",
                json: document([allow(reads + writes + locks, objects), allow(["s3:DeleteObject"], lockFiles)])
            ),
            Part(
                what: "the key that prunes (pruning): it hides what is needed no longer, and deletes no version",
                json: document([allow(reads + writes + locks + ["s3:DeleteObject"], objects)])
            ),
            Part(
                what: "the key of the recovery kit (read-only)",
                json: document([allow(reads, objects)])
            ),
            Part(
                what: "lifecycle of the bucket: what was hidden and is locked no longer is freed after a day",
                json: lifecycle
            ),
        ]
    }

    private var base: String { "arn:aws:s3:::\(bucket.bucket)" }
    private var objects: String { bucket.prefix.isEmpty ? "\(base)/*" : "\(base)/\(bucket.prefix)/*" }
    private var lockFiles: String { bucket.prefix.isEmpty ? "\(base)/*/locks/*" : "\(base)/\(bucket.prefix)/*/locks/*" }

    private func allow(_ actions: [String], _ resource: String) -> String {
        let list = actions.map { "\"\($0)\"" }.joined(separator: ", ")
        return "{ \"Effect\": \"Allow\", \"Action\": [\(list)], \"Resource\": \"\(resource)\" }"
    }

    private func document(_ statements: [String]) -> String {
        let listing = allow(["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation"], base)
        let lines = ([listing] + statements).map { "    \($0)" }.joined(separator: ",\n")
        return "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n\(lines)\n  ]\n}"
    }

    private var lifecycle: String {
        let prefix = bucket.prefix.isEmpty ? "" : bucket.prefix + "/"
        return """
            {
              "Rules": [
                {
                  "ID": "holdfast", "Status": "Enabled", "Filter": { "Prefix": "\(prefix)" },
                  "NoncurrentVersionExpiration": { "NoncurrentDays": 1 },
                  "Expiration": { "ExpiredObjectDeleteMarker": true },
                  "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 7 }
                }
              ]
            }
            """
    }
}
