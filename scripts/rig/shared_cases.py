# purpose: L-03, L-05, L-07, L-09: two parties, ours and stock restic, at work on one repository
# use:     by scripts/faults
# needs:   stock restic, named as skipped without
import os, random, signal, time

from . import data, kill_cases, process, trees


class Shared:
    def __init__(self, case, name):
        self.board, self.subject, self.judge, self.case = case.board, case.subject, case.judge, case
        self.folder = case.folder(name)
        self.repository = os.path.join(self.folder, "repository")
        self.subject.create(self.repository)
        self.acknowledged = {}

    def source(self, name, seed, files=30):
        path = os.path.join(self.folder, name)
        data.small(path, seed=seed, files=files, big=1)
        return path

    def backup(self, tool, source, *options):
        result = tool.run(self.repository, "backup", "--json", *options, ".", cwd=source, timeout=180)
        self.note(result, trees.digest(source))
        return result

    def note(self, result, digest):
        snapshot = result.summary().get("snapshot_id")
        if snapshot:
            self.acknowledged[snapshot] = digest

    def wrong(self, tool):
        """what is wrong with the snapshots that were acknowledged, or nothing"""
        listed = kill_cases.snapshots(tool, self.repository)
        if listed is None or not set(self.acknowledged) <= set(listed):
            self.board.zero["LOST"] += 1
            return "an acknowledged snapshot is missing"
        checked = tool.run(self.repository, "check", "--read-data", "--no-lock", timeout=300)
        if checked.code != 0:
            self.board.zero["LOST"] += 1
            return f"check by {tool.name}: {checked.text[-300:]}"
        for snapshot, digest in self.acknowledged.items():
            wrong = kill_cases.verify(tool, self.repository, snapshot, digest, self.folder)
            if wrong:
                self.board.zero["LOST"] += 1
                return wrong
        return ""


def locks_both_ways(case):
    """L-05, L-07: while one party backs up, the other's prune is refused; while one prunes, the other's backup is"""
    shared = Shared(case, "L-07-locks")
    shared.backup(shared.subject, shared.source("a", 1))
    pairs = [(shared.subject, shared.judge), (shared.judge, shared.subject), (shared.subject, shared.subject)]
    for writer, pruner in pairs:
        running = kill_cases.held_backup(writer, shared.repository)
        if running is None:
            shared.board.fail(f"L-07 the backup of {writer.name} took no lock")
            continue
        for verb in (["prune"], ["forget", "--keep-last", "1", "--prune"], ["repair", "index"]):
            result = pruner.run(shared.repository, *verb)
            shared.board.survive("races", result.code == 11, f"L-07 {verb[0]} of {pruner.name} beside a backup of {writer.name} ended in {result.code}: {result.text[-200:]}")
        ended = process.finish(running, 0, 60, b"the end")
        shared.board.survive("races", ended.code == 0, f"L-07 the backup of {writer.name} ended in {ended.code}: {ended.text[-200:]}")
    wrong = shared.wrong(shared.judge)
    shared.board.survive("races", not wrong, f"L-07 after locks both ways: {wrong}")


def prune_beside_backups(case, rounds, seed):
    """L-07: backups and prunes of both parties at random moments, all waiting for each other's locks; nothing acknowledged is lost"""
    shared, generator = Shared(case, "L-07"), random.Random(seed)
    print(f"L-07 seed {seed}")
    sources = [shared.source(f"source-{n}", n) for n in range(2)]
    for number in range(rounds):
        for source in sources:
            data.change(source, f"{seed}/{number}/{source[-1]}")
        tools = [shared.subject, shared.judge]
        generator.shuffle(tools)
        digests = [trees.digest(s) for s in sources]
        backups = []
        for tool, source in zip(tools, sources):
            backups.append(tool.start(shared.repository, "backup", "--json", "--retry-lock", "60s", ".", cwd=source))
            time.sleep(generator.uniform(0, 0.3))
        # The oldest snapshots of each source go, so that the prune has something to repack under the backups' feet.
        pruner = generator.choice([shared.subject, shared.judge])
        pruning = pruner.start(shared.repository, "forget", "--keep-last", "2", "--prune", "--max-unused", "0", "--retry-lock", "60s", "--json")
        results = [process.finish(b, 0, 120) for b in backups]
        pruned = process.finish(pruning, 0, 120)
        for result, digest in zip(results, digests):
            shared.note(result, digest)
        listed = kill_cases.snapshots(shared.judge, shared.repository) or []
        shared.acknowledged = {s: d for s, d in shared.acknowledged.items() if s in listed}
        fresh = [r.summary().get("snapshot_id") for r in results]
        wrong = shared.wrong(shared.judge if number % 2 else shared.subject)
        if any(s not in listed for s in fresh):
            wrong = wrong or "a snapshot just acknowledged is gone"
            shared.board.zero["LOST"] += 1
        codes = [r.code for r in results] + [pruned.code]
        shared.board.survive("races", codes == [0, 0, 0] and not wrong, f"L-07 round {number} (seed {seed}), prune by {pruner.name}, ended in {codes}: {wrong} {pruned.text[-200:] if pruned.code else ''}")


def suspended(case):
    """L-03: our backup sleeps; the other party unlocks, forgets and prunes what the backup counted on; awake, it writes no snapshot"""
    shared = Shared(case, "L-03")
    source = shared.source("source", 3)
    shared.backup(shared.subject, source)
    kept = os.path.join(shared.folder, "kept")
    os.makedirs(kept)
    with open(os.path.join(kept, "file"), "wb") as sink:
        sink.write(os.urandom(1 << 20))
    # Once while it reads, once when all but the end is stored.
    for pause in (0.0, 1.0):
        shared.acknowledged.clear()
        running = kill_cases.held_backup(shared.subject, shared.repository)
        if running is None:
            shared.board.fail("L-03 the backup took no lock")
            continue
        time.sleep(pause)
        os.kill(running.pid, signal.SIGSTOP)
        steps = [shared.judge.run(shared.repository, "unlock", "--remove-all"), shared.backup(shared.judge, kept),
                 shared.judge.run(shared.repository, "forget", "--keep-last", "1", "--group-by", "", "--prune", "--max-unused", "0")]
        os.kill(running.pid, signal.SIGCONT)
        result = process.finish(running, 0, 60, os.urandom(1 << 20))
        shared.board.result(result, "L-03")
        listed = kill_cases.snapshots(shared.judge, shared.repository) or []
        if result.code == 0 or len(listed) != 1:
            shared.board.zero["SILENT-SUCCESS"] += 1
        wrong = shared.wrong(shared.judge)
        ok = all(s.code == 0 for s in steps) and result.code not in (0, 124) and len(listed) == 1 and not wrong
        shared.board.survive("races", ok, f"L-03 asleep while {shared.judge.name} pruned: {[s.code for s in steps]}, ended in {result.code}, {len(listed)} snapshots: {wrong} {result.text[-300:]}")


def readers_beside_prune(case, rounds, seed):
    """L-09: restore and check without a lock while the other party prunes: they finish, or say that something is missing"""
    shared, generator = Shared(case, "L-09"), random.Random(seed)
    source = shared.source("source", 9, files=80)
    for number in range(3):
        data.change(source, f"{seed}/{number}")
        shared.backup(shared.subject, source)
    base = os.path.join(shared.folder, "base")
    kill_cases.fresh_copy(shared.repository, base)
    last, digest = list(shared.acknowledged.items())[-1]
    for number in range(rounds):
        kill_cases.fresh_copy(base, shared.repository)
        target = os.path.join(shared.folder, "target")
        process.remove_tree(target)
        reader = shared.subject.start(shared.repository, "restore", last, "--target", target, "--no-lock", "--no-cache", "--limit-download", "3000")
        time.sleep(generator.uniform(0, 1.5))
        pruned = shared.judge.run(shared.repository, "forget", "--keep-last", "1", "--prune", "--max-unused", "0")
        result = process.finish(reader, 0, 120)
        shared.board.result(result, "L-09")
        whole = os.path.isdir(target) and trees.digest(target) == digest
        if result.code == 0 and not whole:
            shared.board.zero["SILENT-SUCCESS"] += 1
        ok = pruned.code == 0 and (whole if result.code == 0 else result.code == 1 and "next:" in result.text)
        shared.board.survive("races", ok, f"L-09 restore beside a prune (round {number}) ended in {result.code}, prune in {pruned.code}: {result.text[-300:]} {pruned.text[-300:] if pruned.code else ''}")


def run(case, rounds, seed):
    if case.judge is None:
        return case.board.skip("L-03 L-05 L-07 L-09 with two parties", "no stock restic")
    locks_both_ways(case)
    prune_beside_backups(case, rounds, seed)
    readers_beside_prune(case, rounds, seed)
    if case.is_stock:
        case.board.skip("L-03", "stock restic looks at its lock only when it refreshes it")
    else:
        suspended(case)
    return None
