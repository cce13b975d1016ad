import Testing

import Strategy

/// Paths that lie in what is ours, which stays out of every backup.
@Suite struct ProtectedPathTests {
    private func text(_ path: String) -> String {
        """
        lab: home
        state: /srv/state
        media: { disk: { path: /disk } }
        repositories: { near: { medium: disk, password: "file:near" } }
        protect:
          - { name: host, host: { paths: [/etc, \(path)] }, to: [near] }
        """
    }

    @Test(
        arguments: [
            ("/srv/state", "is the state folder"), ("/srv/state/x", "lies in the state folder"),
            ("/disk/near", "is the repository \"near\""), ("/disk/near/data", "lies in the repository \"near\""),
        ]
    )
    func `a path inside of what is ours is refused, with its line`(_ path: String, _ said: String) throws {
        let refused = try #require(throws: StrategyProblems.self) { _ = try decode(text(path)) }
        let problem = try #require(refused.problems.first)
        #expect(problem.what.hasPrefix("\(path) \(said)") && problem.place.line == 6 && !problem.next.isEmpty)
    }

    @Test(arguments: ["/srv", "/disk", "/disk/photos", "/disk/nearby", "/srv/state-of-the-art"])
    func `what lies beside it, or holds it, is somebody's`(_ path: String) throws {
        #expect(try decode(text(path)).workloads[0].host.paths.contains(path))
    }
}
