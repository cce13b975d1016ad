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
        .target(
            name: "CKernels",
            path: "Sources/Kernels/CKernels",
            // Debug builds chunk whole files in tests; unoptimised C would make them ten times slower.
            cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))],
            linkerSettings: [.linkedLibrary("crypto"), .linkedLibrary("zstd")]
        ),
        module("Kernels", "Chunking", ["Bytes", "CKernels"]),
        module("Kernels", "Sealing", ["Bytes", "CKernels", "Outcome"]),
        module("Kernels", "Compression", ["Bytes", "CKernels"]),

        .target(name: "GoldenVectors", path: "Tests/Support/GoldenVectors", swiftSettings: strict),
        tests("Kernels", "BytesTests", ["Bytes"]),
        tests("Kernels", "ChunkingTests", ["Bytes", "Chunking", "GoldenVectors", "Sealing"]),
        tests("Kernels", "SealingTests", ["Bytes", "GoldenVectors", "Outcome", "Sealing"]),
        tests("Kernels", "CompressionTests", ["Bytes", "Compression", "GoldenVectors", "Sealing"]),

        // Benchmarks: what the kernels do per second on this machine.
        .executableTarget(
            name: "KernelBench",
            dependencies: ["Bytes", "Chunking", "Compression", "Outcome", "Sealing"],
            path: "Benchmarks/KernelBench",
            swiftSettings: strict
        ),

        // App: the one executable.
        .executableTarget(name: "holdfast", dependencies: ["Outcome"], path: "Sources/App/holdfast", swiftSettings: strict),
    ]
)
