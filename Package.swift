// swift-tools-version: 6.3
import PackageDescription

// The folder is the layer; imports go downward only (docs/modules.md; scripts/layers fails on any other edge).

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
]

func module(_ layer: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(layer)/\(name)", swiftSettings: strict)
}

func tests(_ layer: String, _ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(layer)/\(name)", swiftSettings: strict)
}

let package = Package(
    name: "holdfast",
    products: [.executable(name: "holdfast", targets: ["holdfast"])],
    dependencies: [
    ],
    targets: [
        // Kernels: computes. No I/O, no async, no Foundation, no clock.
        module("Kernels", "Bytes"),
        module("Kernels", "Outcome"),

        // Formats: bytes <-> values. Pure.
        module("Formats", "ResticFormat", ["Bytes"]),
        tests("Formats", "ResticFormatTests", ["ResticFormat", "Bytes"]),

        // App: the one executable.
        .executableTarget(name: "holdfast", dependencies: ["Outcome"], path: "Sources/App/holdfast", swiftSettings: strict),
    ]
)
