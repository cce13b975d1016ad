# purpose: S-09: values that look like options, hold line ends or what a shell would run; each is taken as what it is, and nothing is run
# use:     by scripts/faults
# needs:   nothing but python3; stock restic for a second opinion
import os

from . import data, process, resticfile, trees

# MARK is a file that must never come to be in the folder where the program runs.
WORDS = ["--help", "-", "--", "-rx", "-h", "--no-lock", "--password-command=touch MARK", "`touch MARK`", "| touch MARK", "$(touch MARK)", "; touch MARK", "%s%n",
         "a\n--help", "a\nb", "\\", "'\"", "~root", "é\u202e"]
ODD = "a \"b' c"
# Ways to print ODD without a shell, then ways that restic takes otherwise or not at all.
SAYING = ["""printf %s 'a "b'"' c\"""", """printf '%s' 'a "b'"' c\"""", "'./say it'", "\"./say it\" 'one argument'", "sh -c 'cat < odd'"]
FAILING = ["""printf "%s" "a \\"b' c\"""", "printf %s 'unbalanced", "printf %s secret; touch MARK", "printf %s $(touch MARK)", "printf %s secret > MARK", "true && touch MARK", "--help"]


class Injection:
    def __init__(self, case):
        self.board, self.subject, self.judge = case.board, case.subject, case.judge or case.subject
        self.scratch, self.folder, self.number = case.folder("S-09"), None, 0
        self.labels = os.path.join(self.scratch, "labels")
        self.subject.create(self.labels)

    def enter(self):
        """a new folder to work in, with one file"""
        self.number += 1
        self.folder = os.path.join(self.scratch, str(self.number))
        os.makedirs(self.folder)
        data.put(os.path.join(self.folder, "file"), b"content", data.BASE)

    def run(self, repository, *arguments, tool=None, **environment):
        return (tool or self.subject).run(repository, *arguments, cwd=self.folder, **environment)

    def claim(self, ok, what, result):
        marked = os.path.exists(os.path.join(self.folder, "MARK"))
        if marked:
            os.unlink(os.path.join(self.folder, "MARK"))
        ok = self.board.result(result, what) and ok and not marked
        self.board.survive("hostile-requests", ok, f"S-09 {what}: ended in {result.code}{', and something was run' if marked else ''}: {result.text[-300:]}")


def repositories(injection, word):
    """a repository of that name under that password, each by option, environment, file and command; one way made, it opens in all"""
    injection.enter()
    for name, content in (("password", word + "\n"), ("-password", word + "\r\n"), ("-where", word + "\n")):
        with open(os.path.join(injection.folder, name), "w", newline="") as sink:
            sink.write(content)
    ways = [("option and environment", None, ["-r", word], dict(password=word)), ("environment and file", word, ["--password-file", "password"], dict(password=None)),
            ("environment and -file", word, ["-p", "-password"], dict(password=None)), ("environment and command", word, ["--password-command", "cat password"], dict(password=None))]
    if "\n" not in word:
        ways.append(("file and environment", None, ["--repository-file", "-where"], dict(password=word)))
    _, repository, options, environment = ways[injection.number % len(ways)]
    made = injection.run(repository, *options, "init", **environment)
    place = os.path.join(injection.folder, word)
    injection.claim(made.code == 0 and os.path.isfile(os.path.join(place, "config")), f"init of {word!r}", made)
    if made.code != 0:
        return
    resticfile.cheapen(place, word)
    for how, repository, options, environment in ways:
        opened = injection.run(repository, *options, "snapshots", **environment)
        injection.claim(opened.code == 0, f"repository and password {word!r} by {how}", opened)
    opened = injection.run(place, "snapshots", "--no-lock", tool=injection.judge, password=word)
    injection.claim(opened.code == 0, f"repository and password {word!r} open for {injection.judge.name}", opened)


def labels(injection, word):
    """tag and host of a snapshot are the value itself, and filter by it"""
    injection.enter()
    made = injection.run(injection.labels, "backup", "--json", "--host", word, "--tag", word, ".").summary().get("snapshot_id") or "none"
    listed = injection.run(injection.labels, "snapshots", "--json", "--no-lock", made, tool=injection.judge)
    found = [(o["hostname"], o["tags"]) for o in listed.objects()]
    injection.claim(found == [(word, [word])], f"host and tag {word!r}: {found}", listed)
    left = injection.run(injection.labels, "snapshots", "--json", "--host", word, "--tag", word)
    injection.claim([o["id"] for o in left.objects()] == [made], f"host and tag {word!r} as a filter", left)


def commands(injection):
    """a password command is split into words as restic splits it, and run without a shell"""
    injection.enter()
    place = os.path.join(injection.folder, "repository")
    data.put(os.path.join(injection.folder, "odd"), ODD.encode(), data.BASE)
    data.put(os.path.join(injection.folder, "say it"), b"#!/bin/sh\ncat odd\n", data.BASE, 0o700)
    injection.run(place, "init", password=ODD)
    resticfile.cheapen(place, ODD)
    for command in SAYING + FAILING:
        theirs = injection.run(place, "snapshots", "--no-lock", "--password-command", command, tool=injection.judge, password=None)
        injection.board.expect((theirs.code == 0) == (command in SAYING), f"S-09 {command!r} by {injection.judge.name}: {theirs.text[-200:]}")
        for how, options, environment in (("option", ["--password-command", command], {}), ("environment", [], {"RESTIC_PASSWORD_COMMAND": command})):
            ours = injection.run(place, "snapshots", *options, password=None, **environment)
            injection.claim((ours.code == 0) == (command in SAYING), f"password command {command!r} by {how}", ours)


def names(injection):
    """files of such names, as arguments and from lists; they come back under their names"""
    injection.enter()
    source, lists = injection.folder, os.path.join(injection.scratch, "lists")
    os.makedirs(lists)
    for word in WORDS:
        data.put(os.path.join(source, word), word.encode(), data.BASE)
    wanted, plain = trees.walk(source), [w for w in WORDS if "\n" not in w]
    data.put(os.path.join(lists, "--raw"), b"".join(w.encode() + b"\0" for w in WORDS), data.BASE)
    data.put(os.path.join(lists, "-plain"), b"".join(w.encode() + b"\n" for w in plain), data.BASE)
    for how, options, words in (("arguments", ["--", *WORDS], WORDS), ("a raw list", ["--files-from-raw", "../lists/--raw"], WORDS),
                                ("a verbatim list", ["--files-from-verbatim", "../lists/-plain"], plain)):
        target = os.path.join(injection.scratch, "target")
        process.remove_tree(target)
        made = injection.run(injection.labels, "backup", "--json", *options)
        restored = injection.run(injection.labels, "restore", made.summary().get("snapshot_id") or "none", "--target", target, "--no-lock", tool=injection.judge)
        left = trees.differences({w.encode(): wanted[w.encode()] for w in words}, trees.walk(target)) if restored.code == 0 else ["nothing"]
        injection.claim(made.code == 0 and not left, f"{len(words)} file names by {how}: {left}", made)
        if words is WORDS:
            for word in words:
                dumped = injection.run(injection.labels, "dump", made.summary().get("snapshot_id"), "/" + word)
                injection.claim(dumped.code == 0 and dumped.out == word.encode(), f"dump of {word!r} from {how}", dumped)


def run(case):
    injection = Injection(case)
    for word in WORDS:
        labels(injection, word)
    for word in WORDS[::3]:                        # each costs a key derivation at full price
        repositories(injection, word)
    commands(injection)
    names(injection)
