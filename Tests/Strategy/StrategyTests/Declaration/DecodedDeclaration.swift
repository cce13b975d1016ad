import Strategy

/// A declaration with one of everything.
let completeDeclaration = """
    lab: home

    media:
      os-ssd:  { kind: internal,  path: media/os-ssd }
      usb-ssd: { kind: removable, path: /mnt/usb/holdfast }
      cloud:   { kind: stand-in,  path: ./media//cloud/ }

    repositories:
      host-os: { medium: os-ssd, password: "file:secrets/host" }
      offsite: { medium: cloud,  password: "env:OFFSITE_PASSWORD" }

    roles:
      production:
        objective: { rpo: 1d 2h, rto: 4h }
        backup: { schedule: "02:00", keep: { daily: 7, weekly: 4, within: 14d } }
      lazy: { backup: { schedule: "sun 03:00" } }

    protect:
      - host: { paths: [/etc, ../work], exclude: ["*.cache"] }
        to: [host-os, offsite]
        role: production
    """

/// Reads a declaration in `/srv/lab/holdfast.yaml`; `files` are those it may include, by absolute path.
func decode(_ text: String, files: [String: String] = [:]) throws(StrategyProblems) -> Lab {
    let rules = DeclarationRules(
        load: { path throws(StrategyProblem) in
            guard let text = files[path] else {
                throw StrategyProblem(
                    Place(file: path),
                    what: "\(path) cannot be read: it is not there",
                    next: "write it"
                )
            }
            let name = path.split(separator: "/").last.map(String.init) ?? path
            return DeclarationFile(name: name, folder: "/srv/lab/conf", bytes: Array(text.utf8))
        },
        patternProblem: { $0.hasSuffix("[") ? "a bracket has no end" : nil },
        templateProblem: { $0.contains("{{") && !$0.contains("}}") ? "a name is not closed" : nil }
    )
    return try readDeclaration(
        DeclarationFile(name: "holdfast.yaml", folder: "/srv/lab", bytes: Array(text.utf8)),
        rules
    )
}

/// All that is wrong with a declaration, as it is told.
func problems(_ text: String, files: [String: String] = [:]) -> [String] {
    do throws(StrategyProblems) {
        _ = try decode(text, files: files)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}
