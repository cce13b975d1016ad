package import Bytes
package import ResticRepository

/// Hears nothing.
package struct SilentPruneObserver: PruneObserver {
    package init() {}

    package func began(_ stage: PruneStage) {}
    package func progressed(_ done: Int, of total: Int) {}
    package func finishedCounting() {}
    package func unreferenced(_ pack: PackID) {}
    package func forgetsMissing(_ packs: [PackID]) {}
    package func removed(_ pack: PackID, _ error: (any Error)?) {}
    package func removed(_ index: IndexID, _ error: (any Error)?) {}
}
