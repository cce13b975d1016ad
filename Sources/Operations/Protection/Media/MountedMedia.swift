import Strategy

extension ProtectionEnvironment {
    /// Whether the work mounts any of these media where nobody has.
    package func mountsAny(of media: some Sequence<String>) -> Bool {
        media.contains { lab.medium(named: $0)?.isMountedForRuns == true }
    }

    /// Does `body` while the named media are mounted, as far as they can be, and unmounts afterwards what was mounted for it alone.
    ///
    /// In the environment that `body` gets, a medium that could not be mounted fails by the words of what kept it away. All that `body` has open on
    /// the media is closed when it returns. Errors: those of `body`.
    package func withMounted<Value: Sendable>(
        _ names: some Sequence<String>,
        observer: (any RunObserver)? = nil,
        _ body: (ProtectionEnvironment) async throws -> Value
    ) async throws -> Value {
        var media = RunMedia(self, observer: observer)
        await media.mount(Set(names))
        var mounted = self
        mounted.absent = media.absent
        do {
            let value = try await body(mounted)
            await media.release()
            return value
        } catch {
            await media.release()
            throw error
        }
    }

    /// The look at a medium.
    ///
    /// Errors: why it could not be mounted.
    func check(_ medium: Medium) throws -> MediumCheck {
        if let failure = absent[medium.name] { throw failure }
        return MediumCheck(medium, mounting: mounting)
    }

    /// Why a medium could not be mounted; nil where it was, or did not have to be.
    package func absence(of medium: String) -> ProtectionFailure? { absent[medium] }
}
