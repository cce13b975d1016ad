import Bytes
import Foundation
import Testing

/// Where a lab of tests keeps its third copy: behind a network, with servers on this machine.
package enum OffsiteService: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case s3, rest, sftp

    /// Those whose servers can be had.
    package static let here: [OffsiteService] = allCases.filter { service in
        guard service == .sftp, SSHRig.shared == nil else { return true }
        print("SKIP media behind SSH: openssh-server is not installed, or may not run here")
        return false
    }

    private static let server = StoreRig("rest_double.py")
    private static let folder = "path: media/cloud }"

    package var testDescription: String { rawValue }

    /// The end of a medium's declaration: a new place, on that port where one is given.
    package func medium(_ port: Int? = nil, in scratch: Scratch) -> String {
        let name = UUID().uuidString.lowercased()
        switch self {
        case .s3:
            let host = "127.0.0.1:\(port ?? StoreRig.double.port)"
            return
                "s3: { endpoint: \"http://\(host)\", bucket: lab-\(name.prefix(8)), prefix: dr }, credentials: \"file:secrets/cloud\" }"
        case .rest: return "rest: { url: \"http://127.0.0.1:\(port ?? Self.server.port)/\(name)\" } }"
        case .sftp: return "sftp: { host: rig, path: \"\(scratch.path)/\(name)\" } }"
        }
    }

    /// A medium in a bucket whose locks hold, with these parts more: `lock: 3650d`.
    package static func lockedMedium(_ bucket: String, medium: String = "") -> String {
        let endpoint = "http://\(StoreRig.locking.host)"
        let name = UUID().uuidString.lowercased().prefix(8)
        return
            "s3: { endpoint: \"\(endpoint)\", bucket: lab-\(name), prefix: dr, \(bucket) }, credentials: \"file:secrets/cloud\"\(medium) }"
    }

    /// A lab whose stand-in for the cloud is that.
    package static func lab(_ medium: String) throws -> TestLab {
        let lab = try TestLab { $0.replacing(Self.folder, with: medium) }
        try lab.write("secrets/cloud", "rig-key:rig-secret\n")
        try lab.write("secrets/pruner", "rig-pruner:rig-secret\n")
        return lab
    }

    /// A lab whose stand-in for the cloud lies there, and how that is declared.
    package func lab(in scratch: Scratch, port: Int? = nil) throws -> (lab: TestLab, medium: String) {
        let medium = medium(port, in: scratch)
        let lab = try TestLab { $0.replacing(Self.folder, with: medium) }
        try lab.write("secrets/cloud", "rig-key:rig-secret\n")
        if let rig = SSHRig.shared { lab.secureShell = ByteString(rig.program) }
        return (lab, medium)
    }
}
