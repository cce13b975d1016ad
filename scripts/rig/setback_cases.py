# purpose: R-09, P-06: a store that changes behind the machine's back: set back to last week, a file lost, an old one put back
# use:     by scripts/faults
# needs:   nothing but python3
import os, shutil

from . import data

# What each case has to be told as; by which commands: "all", or "check" where other machines may have done it rightly.
CASES = [("set back to last week", "is gone, though it was the newest", "all"), ("set back over a prune", "there again", "all"),
         ("the newest snapshot lost", "is gone, though it was the newest", "all"), ("an older snapshot lost", "was there before, and is gone", "check"),
         ("one index file lost", "no newer ones took their place", "check"), ("an old snapshot put back", "there again", "all")]
VERBS = {"backup": ["backup", "."], "forget": ["forget", "--keep-last", "99"], "prune": ["prune"], "check": ["check"]}


class Past:
    """A repository as it was last week, before a prune, and now, with what the machine remembers now."""

    def __init__(self, case, folder):
        self.subject, self.folder = case.subject, folder
        self.now, self.source = os.path.join(folder, "now"), os.path.join(folder, "source")
        self.subject.forget_all()
        self.subject.create(self.now)
        for number in range(3):
            self.save(number)
        self.keep("early")
        self.subject.run(self.now, "forget", "--keep-last", "2", "--prune", "--max-unused", "0")
        self.keep("week")
        for number in range(3, 5):
            self.save(number)
        (self.record,) = self.subject.records()
        self.memory = os.path.join(folder, "memory")
        shutil.copyfile(self.record, self.memory)

    def save(self, number):
        data.small(os.path.join(self.source, str(number)), seed=number, files=8, big=0)
        self.subject.run(self.now, "backup", ".", cwd=self.source)

    def keep(self, name):
        shutil.copytree(self.now, os.path.join(self.folder, name))

    def kept(self, name):
        """the state that a case begins with"""
        return os.path.join(self.folder, {"set back to last week": "week", "set back over a prune": "early"}.get(name, "now"))

    def lay_out(self, name, repository):
        """the repository with that done to it, and the memory of a machine that does not know of it"""
        shutil.rmtree(repository, ignore_errors=True)
        shutil.copytree(self.kept(name), repository)
        shutil.copyfile(self.memory, self.record)
        files = lambda root, kind: sorted(os.listdir(os.path.join(root, kind)), key=lambda n: os.stat(os.path.join(root, kind, n)).st_mtime_ns)
        mine = files(repository, "snapshots")
        if name in ("the newest snapshot lost", "an older snapshot lost"):
            os.remove(os.path.join(repository, "snapshots", mine[-1 if "newest" in name else 0]))
        if name == "one index file lost":
            os.remove(os.path.join(repository, "index", files(repository, "index")[-1]))
        if name == "an old snapshot put back":
            early = os.path.join(self.folder, "early")
            lost = next(n for n in files(early, "snapshots") if n not in mine)
            shutil.copy2(os.path.join(early, "snapshots", lost), os.path.join(repository, "snapshots", lost))


def stops_once(case, past, name, repository, result):
    """P-06: a prune that was told of it has removed nothing; the same command goes on, unless data is missing"""
    lacks_data = name == "an old snapshot put back"
    packs = sum(len(names) for _, _, names in os.walk(os.path.join(repository, "data")))
    before = sum(len(names) for _, _, names in os.walk(os.path.join(past.kept(name), "data")))
    again = past.subject.run(repository, "prune")
    ok = packs == before and result.code == (1 if lacks_data else 21) and again.code == (1 if lacks_data else 0)
    case.board.survive("damaged-repos", ok, f"P-06 {name}: prune ended in {result.code} with {packs} of {before} packs, then in {again.code}")


def own_work(case, past, repository):
    """whatever the machine itself replaces and removes is no surprise to its next check"""
    past.lay_out("nothing", repository)
    for verb in (["tag", "--add", "one"], ["tag", "--add", "two"], ["rewrite", "--exclude", "*-1", "--forget"], ["rewrite", "--new-host", "other", "--forget"], ["backup", "."],
                 ["repair", "index", "--read-all-packs"], ["repair", "snapshots", "--forget"], ["forget", "--keep-last", "1"], ["prune", "--max-unused", "0"], ["tag", "--remove", "one"]):
        done = past.subject.run(repository, *verb, cwd=past.source)
        checked = past.subject.run(repository, "check")
        quiet = done.code == 0 and checked.code == 0 and "warning:" not in done.text + checked.text
        case.board.survive("damaged-repos", quiet, f"R-09 false alarm after {' '.join(verb[:2])}, which ended in {done.code}: {done.text[-200:]} {checked.text[-300:]}")


def run(case):
    """R-09: each of them is told by each command that should; nothing is told of a repository to which nothing happened"""
    board, folder = case.board, case.folder("R-09")
    if case.is_stock:
        return board.skip("R-09", "stock restic remembers nothing")
    past, repository = Past(case, folder), os.path.join(folder, "repository")
    for name, words, tellers in CASES:
        for verb, arguments in VERBS.items():
            if tellers == "check" and verb != "check":
                continue
            past.lay_out(name, repository)
            result = past.subject.run(repository, *arguments, cwd=past.source)
            told = words in result.err.decode("utf-8", "replace")
            board.survive("damaged-repos", told, f"R-09 {name}: {verb} ended in {result.code} and said {result.text[-300:]}")
            if verb == "prune":
                stops_once(case, past, name, repository, result)
    own_work(case, past, repository)
    for verb, arguments in VERBS.items():
        past.lay_out("nothing", repository)
        result = past.subject.run(repository, *arguments, cwd=past.source)
        quiet = result.code == 0 and not any(words in result.text for _, words, _ in CASES)
        board.survive("damaged-repos", quiet, f"R-09 false alarm: {verb} ended in {result.code}: {result.text[-300:]}")
    return None
