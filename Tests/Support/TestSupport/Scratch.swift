import Foundation

/// A directory below the system's temporary one that goes away with its owner.
package final class Scratch: Sendable {
    package let path: String

    package init() {
        path = NSTemporaryDirectory() + "holdfast-test-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
