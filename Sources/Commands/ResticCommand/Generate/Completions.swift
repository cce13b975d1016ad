import Console

/// The shells for which `generate` writes completion.
enum Shell: String, CaseIterable {
    case bash, fish, zsh, powershell
}

/// A completion script: commands first, then the options of the command on the line and the global ones; file names elsewhere.
///
/// The scripts stand alone: they hold every name and ask the program nothing. They complete `restic` and links of that name.
func completionScript(_ shell: Shell) -> Text {
    switch shell {
    case .bash: bashCompletion()
    case .fish: fishCompletion()
    case .zsh: zshCompletion()
    case .powershell: powershellCompletion()
    }
}

private let shownVerbs = Verb.allCases.filter { $0.group != .hidden && $0.isSupported }

private func shownFlags(_ verb: Verb) -> [Flag] {
    (verb.flags + globalFlags).filter { !$0.isHidden && $0.deprecation == nil }.sorted { $0.name < $1.name }
}

private func options(_ flags: [Flag]) -> String {
    flags.flatMap { flag in
        (flag.shorthand.map { ["-" + String(Character(Unicode.Scalar($0)))] } ?? []) + ["--" + flag.name]
    }.joined(separator: " ")
}

/// Options whose next word is their value, for scripts that look for the command's name.
private var valueOptions: String { options(globalFlags.filter { $0.valueWhenBare == nil }).replacingSpaces(with: "|") }

private func bashCompletion() -> Text {
    var lines = [
        "# bash completion for restic", "", "_restic()", "{", "    local word=${COMP_WORDS[COMP_CWORD]} verb='' i",
        "    for ((i = 1; i < COMP_CWORD; i++)); do", "        case ${COMP_WORDS[i]} in",
        "            \(valueOptions)) ((i++)) ;;", "            -*) ;;",
        "            *) verb=${COMP_WORDS[i]}; break ;;", "        esac", "    done", "    local options",
        "    case $verb in",
    ]
    for verb in shownVerbs { lines.append("        \(verb.rawValue)) options='\(options(shownFlags(verb)))' ;;") }
    lines += [
        "        *) options='\(options(globalFlags))' ;;", "    esac", "    COMPREPLY=()",
        "    if [[ $word == -* ]]; then", "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))",
        "    elif [[ -z $verb || $verb == help ]]; then",
        "        COMPREPLY=($(compgen -W '\(shownVerbs.map(\.rawValue).joined(separator: " "))' -- \"$word\"))",
        "    elif [[ $verb == list ]]; then",
        "        COMPREPLY=($(compgen -W '\(Verb.listableKinds.joined(separator: " "))' -- \"$word\"))",
        "    elif [[ $verb == key ]]; then",
        "        COMPREPLY=($(compgen -W '\(KeyAction.allCases.map(\.rawValue).joined(separator: " "))' -- \"$word\"))",
        "    else", "        COMPREPLY=($(compgen -f -- \"$word\"))", "    fi", "}", "",
        "complete -o filenames -F _restic restic", "",
    ]
    return Text(lines.joined(separator: "\n"))
}

private func fishCompletion() -> Text {
    var lines = ["# fish completion for restic", ""]
    let names = shownVerbs.map(\.rawValue).joined(separator: " ")
    for verb in shownVerbs {
        lines.append(
            "complete -c restic -n 'not __fish_seen_subcommand_from \(names)' -f -a \(verb.rawValue) -d \(fishQuoted(verb.summary))"
        )
    }
    for flag in globalFlags where !flag.isHidden { lines.append("complete -c restic\(fishOption(flag))") }
    for verb in shownVerbs {
        for flag in verb.flags where !flag.isHidden && flag.deprecation == nil {
            lines.append(
                "complete -c restic -n '__fish_seen_subcommand_from \(verb.rawValue)'\(fishOption(flag))"
            )
        }
    }
    return Text(lines.joined(separator: "\n") + "\n")
}

private func fishOption(_ flag: Flag) -> String {
    let short = flag.shorthand.map { " -s \(Character(Unicode.Scalar($0)))" } ?? ""
    return "\(short) -l \(flag.name)\(flag.valueWhenBare == nil ? " -r" : "") -d \(fishQuoted(flag.help))"
}

private func fishQuoted(_ text: String) -> String { "'" + text.escaping(["\\", "'"], with: "\\") + "'" }

private func zshCompletion() -> Text {
    var lines = ["#compdef restic", "", "_restic() {", "    local verb='' i", "    local -a commands options"]
    lines.append("    commands=(")
    for verb in shownVerbs { lines.append("        \(zshQuoted("\(verb.rawValue):\(verb.summary)"))") }
    lines += [
        "    )", "    for ((i = 2; i < CURRENT; i++)); do", "        case $words[i] in",
        "            \(valueOptions)) ((i++)) ;;", "            -*) ;;", "            *) verb=$words[i]; break ;;",
        "        esac", "    done", "    case $verb in",
    ]
    for verb in shownVerbs { lines.append("        \(verb.rawValue)) options=(\(zshOptions(shownFlags(verb)))) ;;") }
    lines += [
        "        *) options=(\(zshOptions(globalFlags))) ;;", "    esac", "    if [[ $words[CURRENT] == -* ]]; then",
        "        _describe -o 'option' options", "    elif [[ -z $verb || $verb == help ]]; then",
        "        _describe 'command' commands", "    else", "        _files", "    fi", "}", "",
        "if [ \"$funcstack[1]\" = \"_restic\" ]; then", "    _restic \"$@\"", "else", "    compdef _restic restic",
        "fi", "",
    ]
    return Text(lines.joined(separator: "\n"))
}

private func zshOptions(_ flags: [Flag]) -> String {
    flags.filter { !$0.isHidden }.map { zshQuoted("--\($0.name):\($0.help.escaping([":"], with: "\\"))") }.joined(
        separator: " "
    )
}

private func zshQuoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

private func powershellCompletion() -> Text {
    var lines = [
        "# PowerShell completion for restic", "",
        "Register-ArgumentCompleter -Native -CommandName 'restic' -ScriptBlock {",
        "    param($wordToComplete, $commandAst, $cursorPosition)", "    $commands = [ordered]@{",
    ]
    for verb in shownVerbs { lines.append("        '\(verb.rawValue)' = \(powershellQuoted(verb.summary))") }
    lines += ["    }", "    $options = @{"]
    for verb in shownVerbs { lines.append("        '\(verb.rawValue)' = '\(options(shownFlags(verb)))'") }
    lines += [
        "    }", "    $global = '\(options(globalFlags))'",
        "    $verb = $commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() } |",
        "        Where-Object { $commands.Contains($_) -and $_ -ne $wordToComplete } | Select-Object -First 1",
        "    if ($wordToComplete -like '-*') {",
        "        $words = if ($verb) { $options[$verb] } else { $global }",
        "        $words -split ' ' | Where-Object { $_ -clike \"$wordToComplete*\" } | ForEach-Object {",
        "            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterName', $_)", "        }",
        "    } elseif (-not $verb) {",
        "        $commands.Keys | Where-Object { $_ -like \"$wordToComplete*\" } | ForEach-Object {",
        "            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $commands[$_])",
        "        }", "    }", "}", "",
    ]
    return Text(lines.joined(separator: "\n"))
}

private func powershellQuoted(_ text: String) -> String { "'" + text.escaping(["'"], with: "'") + "'" }

extension String {
    /// The text with `mark` before each of the characters.
    func escaping(_ characters: Set<Character>, with mark: String) -> String {
        reduce(into: "") { result, character in
            if characters.contains(character) { result += mark }
            result.append(character)
        }
    }

    fileprivate func replacingSpaces(with separator: String) -> String {
        split(separator: " ").joined(separator: separator)
    }
}
