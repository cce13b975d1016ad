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
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", exact: "2.1.1"),
        .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
        // What these bring with them, at exact versions too (decision 0007); no module of ours imports them.
        .package(url: "https://github.com/apple/swift-algorithms.git", exact: "1.2.1"),
        .package(url: "https://github.com/apple/swift-asn1.git", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-async-algorithms.git", exact: "1.1.4"),
        .package(url: "https://github.com/apple/swift-atomics.git", exact: "1.3.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", exact: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", exact: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-structured-headers.git", exact: "1.7.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-transport-services.git", exact: "1.28.0"),
        .package(url: "https://github.com/apple/swift-numerics.git", exact: "1.1.1"),
        .package(url: "https://github.com/apple/swift-service-context.git", exact: "1.5.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
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
            linkerSettings: [
                .linkedLibrary("crypto"), .linkedLibrary("argon2"), .linkedLibrary("zstd"), .linkedLibrary("z"),
            ]
        ),
        module("Kernels", "Chunking", ["Bytes", "CKernels"]),
        module("Kernels", "Sealing", ["Bytes", "CKernels", "Outcome"]),
        module("Kernels", "Compression", ["Bytes", "CKernels"]),
        module("Kernels", "Scanning", ["CKernels"]),

        .target(name: "GoldenVectors", path: "Tests/Support/GoldenVectors", swiftSettings: strict),
        tests("Kernels", "BytesTests", ["Bytes"]),
        tests("Kernels", "ChunkingTests", ["Bytes", "Chunking", "GoldenVectors", "Sealing"]),
        tests("Kernels", "SealingTests", ["Bytes", "GoldenVectors", "Outcome", "Sealing"]),
        tests("Kernels", "ScanningTests", ["Scanning", "Bytes"]),
        tests("Kernels", "CompressionTests", ["Bytes", "Compression", "GoldenVectors", "Sealing"]),

        // Formats: bytes <-> values. Pure.
        module("Formats", "ResticFormat", ["Bytes", "Scanning"]),
        tests("Formats", "ResticFormatTests", ["ResticFormat", "Bytes"]),
        module("Formats", "KitFormat", ["Bytes", "Outcome", "Sealing"]),
        tests("Formats", "KitFormatTests", ["Spawning", "KitFormat", "Bytes", "Outcome", "Sealing"]),

        // Ports: touches the world; does not know what a backup is.
        .target(name: "CHost", path: "Sources/Ports/CHost"),
        module("Ports", "HostSystem", ["Bytes", "Outcome", "CHost"]),
        module("Ports", "ObjectStorage", ["Bytes", "Outcome", "Sealing", "Strategy", "HostSystem", "HTTPTransport"]),
        module("Ports", "Journal", ["Bytes", "HostSystem", .product(name: "GRDB", package: "GRDB.swift")]),
        module(
            "Ports",
            "HTTPTransport",
            [
                "Bytes", "Strategy",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]
        ),
        module(
            "Ports",
            "SecretStore",
            ["Bytes", "Outcome", "Sealing", "Strategy", "HostSystem", "HTTPTransport"]
        ),
        // Has libcurl's header and opens the library when the first mail is sent.
        .target(name: "CMail", path: "Sources/Ports/CMail"),
        module("Ports", "Messaging", ["Bytes", "Sealing", "Strategy", "HTTPTransport", "CMail"]),
        tests("Ports", "HostSystemTests", ["Spawning", "HostSystem", "Bytes", "Outcome"]),
        tests(
            "Ports",
            "ObjectStorageTests",
            ["Spawning", "ObjectStorage", "HTTPTransport", "HostSystem", "Sealing", "Bytes", "Outcome", "TestSupport"]
        ),
        tests(
            "Ports",
            "JournalTests",
            ["Spawning", "Journal", "HostSystem", "Bytes", "Outcome", .product(name: "GRDB", package: "GRDB.swift")]
        ),
        tests("Ports", "MessagingTests", ["Messaging", "Bytes", "HostSystem", "TestSupport"]),
        tests(
            "Ports",
            "SecretStoreTests",
            ["Spawning", "SecretStore", "Sealing", "Strategy", "HostSystem", "Bytes", "Outcome", "TestSupport"]
        ),

        // Strategy: the operator's declaration as values and functions. Pure.
        module("Strategy", "Strategy", ["Bytes", .product(name: "Yams", package: "Yams")]),
        tests("Strategy", "StrategyTests", ["Spawning", "Strategy", "Bytes", "GoldenVectors"]),

        // Engines: the stores.
        module(
            "Engines",
            "ResticRepository",
            [
                "Bytes", "Outcome", "Chunking", "Sealing", "Compression", "ResticFormat", "Strategy", "HostSystem",
                "ObjectStorage",
            ]
        ),
        tests(
            "Engines",
            "ResticRepositoryTests",
            [
                "Spawning",
                "ResticRepository", "Bytes", "Outcome", "Chunking", "Sealing", "Compression", "ResticFormat",
                "Strategy", "HostSystem", "ObjectStorage",
            ]
        ),

        // Operations: the flows.
        module(
            "Operations",
            "Protection",
            [
                "Bytes", "Outcome", "Chunking", "Sealing", "Strategy", "HostSystem", "HTTPTransport", "ObjectStorage",
                "ResticFormat", "ResticRepository", "Journal", "SecretStore",
            ]
        ),
        module(
            "Operations",
            "Notification",
            [
                "Bytes", "Outcome", "Sealing", "Strategy", "HostSystem", "ResticFormat", "ResticRepository", "Journal",
                "Messaging", "Protection", .product(name: "Mustache", package: "swift-mustache"),
            ]
        ),
        module(
            "Operations",
            "Recovery",
            [
                "Bytes", "Outcome", "Strategy", "HostSystem", "ObjectStorage", "ResticFormat", "KitFormat",
                "ResticRepository", "Journal", "SecretStore", "Protection",
            ]
        ),
        tests(
            "Operations",
            "ProtectionTests",
            [
                "Spawning",
                "Protection", "Journal", "Bytes", "Outcome", "Chunking", "Sealing", "Strategy", "HostSystem",
                "ObjectStorage",
                "ResticFormat", "ResticRepository", "TestSupport",
            ]
        ),

        tests(
            "Operations",
            "RecoveryTests",
            [
                "Recovery", "Protection", "Bytes", "Outcome", "Strategy", "ResticFormat", "ResticRepository",
                "TestSupport",
            ]
        ),
        tests(
            "Operations",
            "NotificationTests",
            [
                "Spawning",
                "Notification", "Protection", "Journal", "Bytes", "HostSystem", "ResticRepository", "Strategy",
                "TestSupport",
            ]
        ),

        // Services: listens and runs until told to stop.
        module(
            "Services",
            "Daemon",
            [
                "Bytes", "Outcome", "Strategy", "HostSystem", "ResticFormat", "ResticRepository", "Protection",
                "Notification",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        tests(
            "Services",
            "DaemonTests",
            [
                "Daemon", "Protection", "Bytes", "Outcome", "Strategy", "HostSystem", "ResticRepository", "Sealing",
                "TestSupport",
            ]
        ),

        // Commands: what a person or script types and reads.
        module("Commands", "Console", ["Bytes", "Outcome", "ResticFormat", "HostSystem"]),
        module(
            "Commands",
            "ResticCommand",
            [
                "Console", "ResticRepository", "ObjectStorage", "HTTPTransport", "HostSystem", "Strategy",
                "ResticFormat",
                "Chunking", "Compression", "Sealing", "Bytes", "Outcome",
            ]
        ),
        tests("Commands", "ConsoleTests", ["Console", "Bytes", "Outcome"]),
        tests(
            "Commands",
            "ResticCommandTests",
            [
                "Spawning",
                "ResticCommand", "Console", "ResticRepository", "ObjectStorage", "HostSystem", "Strategy",
                "Compression",
                "Sealing", "Bytes", "Outcome",
            ]
        ),

        module(
            "Commands",
            "LabCommands",
            [
                "Bytes", "Outcome", "Sealing", "Strategy", "HostSystem", "ObjectStorage", "ResticFormat",
                "KitFormat", "ResticRepository", "Journal", "SecretStore", "Protection", "Recovery", "Notification",
                "Daemon",
                "Console",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        tests(
            "Commands",
            "LabCommandsTests",
            [
                "Spawning",
                "LabCommands", "Protection", "Strategy", "Console", "HostSystem", "ResticRepository", "Sealing",
                "Bytes", "Outcome",
            ]
        ),

        // Starts programs for tests, one at a time.
        .target(name: "Spawning", path: "Tests/Support/Spawning", swiftSettings: strict),
        // Servers that play a part, and a small lab, for the tests of several modules.
        .target(
            name: "TestSupport",
            dependencies: [
                "Bytes", "HTTPTransport", "HostSystem", "Messaging", "Outcome", "Protection", "ResticRepository",
                "Sealing", "Spawning", "Strategy",
            ],
            path: "Tests/Support/TestSupport",
            swiftSettings: strict
        ),

        // Benchmarks: what the kernels do per second on this machine.
        .executableTarget(
            name: "KernelBench",
            dependencies: ["Bytes", "Chunking", "Compression", "Outcome", "Sealing"],
            path: "Benchmarks/KernelBench",
            swiftSettings: strict
        ),

        // App: the one executable.
        .executableTarget(
            name: "holdfast",
            dependencies: ["ResticCommand", "LabCommands", "Console", "HostSystem", "Bytes", "Outcome"],
            path: "Sources/App/holdfast",
            swiftSettings: strict,
            // Swift's own libraries are part of the binary: it runs where no Swift is installed, starts in half the time, and takes
            // 7 MiB less memory. Foundation's parts are named, since only its static module would name them.
            linkerSettings: [
                .unsafeFlags(["-static-stdlib"]),
                .linkedLibrary("FoundationEssentials"), .linkedLibrary("FoundationInternationalization"),
                .linkedLibrary("_FoundationCShims"), .linkedLibrary("_FoundationCollections"),
                .linkedLibrary("CoreFoundation"), .linkedLibrary("_FoundationICU"),
            ]
        ),
    ]
)
