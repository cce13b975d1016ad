import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Testing

import ResticRepository

/// A store that is another one from some moment on: a disk that fell off its mount point, and an empty directory that shows there.
///
/// It still takes what it is given, and says that it is another one only when it is asked.
@Suite struct StoreIdentityTests {
    enum Verb: String, CaseIterable, Sendable {
        case backup, forget, tag, rewrite, prune, repairIndex, recover, addKey, passwd, removeKey, migrate
    }

    /// A repository with a lost snapshot, unused blobs and a second key, so that every verb has something to do.
    private struct Scene {
        let bench: BackupBench
        let store: MemoryStorage
        let snapshot: Snapshot
        let extra: KeyID
        let folder = TestFolder()
    }

    /// Calls are counted, so nobody else runs on its thread.
    private static func scene(_ verb: Verb) async throws -> Scene {
        let bench = BackupBench(pool: BackupBench.makePool(width: 1))
        let small = try await SmallRepository.make(version: verb == .migrate ? 1 : 2)
        try await small.store.remove(ObjectName(.snapshot, small.snapshots[1].id.digest))
        let extra = try await bench.open(small.store).addKey(password: secret("second"), scrypt: .cheapForTests)
        var random = SplitMix64(seed: 9)
        for number in 0..<5 { try bench.source.write("file\(number)", random.bytes(40_000)) }
        return Scene(bench: bench, store: small.store, snapshot: small.snapshots[0], extra: extra.id)
    }

    private static func secret(_ text: String) -> Secret { Secret(Array(text.utf8)) }

    /// One run of the verb as the command makes it.
    private static func run(_ verb: Verb, _ scene: Scene, in store: any ObjectStorage) async throws {
        try await scene.bench.onPool {
            let repository = try await scene.bench.open(store, seed: 5_000)
            guard verb != .backup else {
                // An index file falls due on the way.
                let observer = ItemLog { _ in scene.bench.clock.advance(seconds: 200) }
                _ = try await scene.bench.backUp(to: repository, observer: observer)
                return
            }
            try await repository.withLock(verb == .addKey || verb == .recover ? .shared : .exclusive) {
                try await change(verb, scene, repository)
            }
        }
    }

    private static func change(_ verb: Verb, _ scene: Scene, _ repository: Repository) async throws {
        let (silence, snapshot) = (SilentUpkeep(), scene.snapshot)
        switch verb {
        case .backup: break
        case .forget: try await repository.removeSnapshots([snapshot.id]) { _, _ in }
        case .tag:
            var document = snapshot.document
            document.tags = ["another"]
            _ = try await repository.replaceSnapshot(snapshot, by: document)
        case .rewrite:
            var request = RewriteRequest()
            request.selection = .without([PatternList(["a.txt"])])
            request.removesOriginal = true
            try await repository.loadIndex()
            _ = try await repository.rewriteSnapshot(snapshot, request, observer: silence)
        case .prune:
            var request = PruneRequest()
            request.maxUnused = .bytes(0)
            try await repository.loadIndex()
            try await repository.execute(try await repository.planPrune(request, observer: silence), observer: silence)
        case .repairIndex: try await repository.repairIndex(readingAllPacks: true, observer: silence)
        case .recover: _ = try await repository.recoverTrees(observer: silence)
        case .addKey: _ = try await repository.addKey(password: secret("third"), scrypt: .cheapForTests)
        case .passwd: _ = try await repository.changePassword(to: secret("third"), scrypt: .cheapForTests)
        case .removeKey: try await repository.removeKey(scene.extra)
        case .migrate: try await repository.upgradeToVersion2(temporary: scene.folder.bytes)
        }
    }

    /// Whether the call changes what the repository says; packs alone say nothing, and locks are our own.
    private static func isCommit(_ call: StorageCall) -> Bool {
        switch call.operation {
        case .put: call.kind != .pack && call.kind != .lock
        case .remove: call.kind != .lock
        default: false
        }
    }

    @Test(arguments: Verb.allCases)
    func `B-09 the store is asked whether it is the one that was opened before anything is made true`(
        verb: Verb
    ) async throws {
        let scene = try await Self.scene(verb)
        let store = FaultyStorage(wrapping: scene.store)
        try await Self.run(verb, scene, in: store)
        var (commits, hasAsked) = (0, false)
        for call in store.calls {
            if call.operation == .checkIdentity { hasAsked = true }
            guard Self.isCommit(call) else { continue }
            commits += 1
            #expect(hasAsked, "\(call.operation) of \(call.name?.path ?? "") at call \(call.number)")
            // Removals go on in groups after one look; what is stored is looked at each time.
            if call.operation == .put { hasAsked = false }
        }
        #expect(commits > 0)
        print("B-09 \(verb): \(commits) commits, \(store.count(.checkIdentity)) looks")
    }

    @Test(arguments: Verb.allCases)
    func `B-09 a store that turns out to be another one gets nothing that makes anything true`(verb: Verb) async throws
    {
        let scene = try await Self.scene(verb)
        let clean = FaultyStorage(wrapping: scene.store.copy())
        try await Self.run(verb, scene, in: clean)
        let looks = clean.count(.checkIdentity)
        #expect(looks > 0)
        for look in 0..<looks {
            let inner = scene.store.copy()
            let rule = StorageRule(.fail(.diskGone), on: .checkIdentity, when: .from(look))
            let store = FaultyStorage(wrapping: inner, rules: [rule])
            let label = Comment(rawValue: "\(verb) at look \(look)")
            let error = await #expect(throws: (any Error).self, label) { try await Self.run(verb, scene, in: store) }
            // A migration says where the copy of the config is, and what stopped it.
            let failure = error as? StorageFailure ?? (error as? RepositoryFailure)?.cause as? StorageFailure
            #expect(failure?.code == .diskGone, "\(label): \(String(describing: error))")
            #expect((error as? any ReportableFailure)?.next.isEmpty == false, label)
            let struck = try #require(store.calls.firstIndex { $0.fault != nil }, label)
            #expect(store.calls[struck...].filter { Self.isCommit($0) }.isEmpty, label)
            if look == 0 { #expect(Self.told(inner) == Self.told(scene.store), label) }
        }
    }

    /// Everything but packs and locks.
    private static func told(_ store: MemoryStorage) -> [ObjectName: [UInt8]] {
        store.contents.filter { $0.key.kind != .pack && $0.key.kind != .lock }.mapValues(\.bytes)
    }
}
