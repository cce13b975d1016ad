import ArgumentParser
import Bytes

/// A name or a path as it was typed, which need not be UTF-8.
struct ByteArgument: ExpressibleByArgument, Hashable, Sendable {
    let bytes: ByteString

    init(argument: String) { bytes = ByteString(escapedText: argument) }
}

/// A verb that takes names of saved files, which are any bytes; all that a declaration names is UTF-8.
protocol FileNamingVerb: LabVerb {}
