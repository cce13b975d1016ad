# purpose: A-01 random kills of the verbs that remove, move or rewrite what is stored: forget, prune, copy, tag, repair, rewrite
# use:     by scripts/faults
# needs:   nothing but python3; stock restic for a second opinion
import os, random, signal, subprocess

from . import data, kill_cases, process, trees


class Estate:
    """A repository with a past: several snapshots, known by their times, since IDs change; packs that are partly unused; and what each
    snapshot must give back."""

    def __init__(self, case, folder):
        self.case, self.folder = case, folder
        self.base, self.source = os.path.join(folder, "base"), os.path.join(folder, "source")
        self.digests, self.order = {}, []
        case.subject.create(self.base)
        data.small(self.source, files=120, big=2)
        for number in range(7):
            with open(os.path.join(self.source, "rolling"), "wb") as sink:
                sink.write(random.Random(number).randbytes(3 << 20))
            data.change(self.source, f"estate/{number}")
            case.subject.run(self.base, "backup", ".", cwd=self.source)
            (moment,) = set(times(case.subject, self.base).values()) - set(self.order)
            self.order.append(moment)
            self.digests[moment] = trees.digest(self.source)
        # What only the first one used is rubbish now.
        oldest = self.order.pop(0)
        case.subject.run(self.base, "forget", *[s for s, moment in times(case.subject, self.base).items() if moment == oldest])

    def fresh(self):
        self.case.subject.forget_all()
        return kill_cases.fresh_copy(self.base, os.path.join(self.folder, "repository"))


# Each verb: its arguments, and the number of oldest snapshots that it may remove.
VERBS = [(["forget", "--keep-last", "2", "--prune", "--max-unused", "0"], 4), (["prune", "--max-unused", "0"], 0),
         (["tag", "--add", "kept"], 0), (["repair", "index", "--read-all-packs"], 0),
         (["rewrite", "--exclude", "nothing-has-this-name", "--new-host", "other", "--forget"], 0), (["repair", "snapshots", "--forget"], 0)]


def verb_kills(case, kills, seed):
    """A-01: SIGKILL at random moments of each verb; all that it may not remove is there, and the same command completes it"""
    board, subject, folder = case.board, case.subject, case.folder("A-01-verbs")
    print(f"A-01 verbs seed {seed}")
    generator, estate = random.Random(seed), Estate(case, folder)
    spans = {}
    for number in range(kills):
        verb, removable = VERBS[number % len(VERBS)]
        name = " ".join(verb[:2] if verb[0] == "repair" else verb[:1])
        repository = estate.fresh()
        if name not in spans:
            whole = subject.run(repository, *verb)
            spans[name] = whole.seconds if whole.code == 0 else None
            if whole.code != 0:
                board.fail(f"A-01 {name} does not work unhurt: {whole.text[-300:]}")
            repository = estate.fresh()
        if spans[name] is None:
            continue
        delay = generator.uniform(0, spans[name] * 1.05)
        code = killed(subject, repository, verb, delay)
        wrong = judge(case, estate, repository, verb, removable, generator)
        board.survive("kills", not wrong, f"A-01 {name} killed after {delay:.3f} s (seed {seed}, round {number}), ended in {code}: {wrong}")
    board.say(f"A-01 {kills} kills of {len(VERBS)} verbs")


def killed(tool, repository, verb, delay):
    running = tool.start(repository, *verb)
    try:
        running.communicate(timeout=delay)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
    return running.returncode


def times(tool, repository):
    """snapshot ID -> its time, which no verb here changes; None when they cannot be listed"""
    result = tool.run(repository, "snapshots", "--json", "--no-lock")
    return {o["id"]: o["time"] for o in result.objects()} if result.code == 0 else None


def judge(case, estate, repository, verb, removable, generator):
    """what is wrong after a killed verb, or nothing"""
    subject, oracle = case.subject, case.judge or case.subject
    wrong = complete(case, estate, repository, removable, oracle, generator)
    if wrong:
        return wrong
    unlocked = subject.run(repository, "unlock")
    if unlocked.code != 0:
        return f"unlock ended in {unlocked.code}: {unlocked.text[-200:]}"
    again = subject.run(repository, *verb)
    if again.code != 0:
        return f"the same command again ended in {again.code}: {again.text[-300:]}"
    if "is gone" in again.text or "there again" in again.text:
        return f"R-09 it was surprised by what it did itself: {again.text[-300:]}"
    checked = oracle.run(repository, "check", "--read-data", "--no-lock", timeout=300)
    if checked.code != 0:
        case.board.zero["LOST"] += 1
        return f"check --read-data by {oracle.name} after the second run: {checked.text[-300:]}"
    return complete(case, estate, repository, removable, oracle, generator)


def complete(case, estate, repository, removable, oracle, generator):
    """every snapshot that may not go is listed under one ID or another; one of those listed is restored and compared"""
    listed = times(oracle, repository)
    if listed is None:
        case.board.zero["LOST"] += 1
        return f"{oracle.name} cannot list snapshots"
    gone = [moment for moment in estate.order[removable:] if moment not in listed.values()]
    if gone:
        case.board.zero["LOST"] += 1
        return f"the snapshots of {gone} are gone"
    choice = generator.choice(sorted(listed))
    wrong = kill_cases.verify(oracle, repository, choice, estate.digests[listed[choice]], estate.folder)
    if wrong:
        case.board.zero["LOST"] += 1
    return wrong and f"{choice[:8]}: {wrong}"


def copy_kills(case, kills, seed):
    """A-01: SIGKILL at random moments of a copy; the source is as it was, and the same command completes the target"""
    board, subject, folder = case.board, case.subject, case.folder("A-01-copy")
    generator, estate = random.Random(seed), Estate(case, folder)
    before = {n: os.path.getsize(n) for n in all_files(estate.base)}
    empty = os.path.join(folder, "empty")
    subject.run(empty, "init", "--from-repo", estate.base, "--copy-chunker-params", RESTIC_FROM_PASSWORD=process.PASSWORD)
    verb = ["copy", "--from-repo", estate.base]
    whole = subject.run(kill_cases.fresh_copy(empty, os.path.join(folder, "repository")), *verb, RESTIC_FROM_PASSWORD=process.PASSWORD)
    if not board.expect(whole.code == 0, f"A-01 copy works unhurt: {whole.text[-300:]}"):
        return
    for number in range(kills):
        repository = kill_cases.fresh_copy(empty, os.path.join(folder, "repository"))
        running = subject.start(repository, *verb, RESTIC_FROM_PASSWORD=process.PASSWORD)
        delay = generator.uniform(0, whole.seconds)
        try:
            running.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
        wrong = judge_copy(case, estate, repository, verb, before)
        board.survive("kills", not wrong, f"A-01 copy killed after {delay:.3f} s (seed {seed}, round {number}): {wrong}")


def all_files(repository):
    return [os.path.join(b, n) for b, _, names in os.walk(repository) for n in names if os.path.basename(b) != "locks"]


def judge_copy(case, estate, repository, verb, before):
    subject, oracle = case.subject, case.judge or case.subject
    if {n: os.path.getsize(n) for n in all_files(estate.base)} != before:
        return "the source of the copy changed"
    subject.run(estate.base, "unlock")
    for snapshot, moment in (times(oracle, repository) or {}).items():
        wrong = kill_cases.verify(oracle, repository, snapshot, estate.digests[moment], estate.folder)
        if wrong:
            case.board.zero["CORRUPT-ACCEPTED"] += 1
            return wrong
    again = subject.run(repository, *verb, RESTIC_FROM_PASSWORD=process.PASSWORD)
    if again.code != 0:
        return f"the same command again ended in {again.code}: {again.text[-300:]}"
    if sorted((times(oracle, repository) or {}).values()) != sorted(estate.order):
        return "the second run did not complete the copy, or copied twice"
    checked = oracle.run(repository, "check", "--read-data", "--no-lock", timeout=300)
    return "" if checked.code == 0 else f"check by {oracle.name}: {checked.text[-300:]}"
