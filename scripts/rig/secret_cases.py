# purpose: S-01 to S-03, S-06, R-05: a password that we recognise, looked for everywhere but where it belongs
# use:     by scripts/faults
# needs:   /proc
import base64, os, stat, threading, time

from . import data, process

CANARY = "canary-7f3a-Horse9-Staple"


def forms(secret):
    raw = secret.encode()
    return [raw, base64.b64encode(raw).rstrip(b"="), raw.hex().encode(), raw.hex().upper().encode()]


class Sampler(threading.Thread):
    """looks at argv and environment of a process's descendants as long as it lives"""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.seen, self.over = pid, {}, False

    def run(self):
        while not self.over:
            for pid in self.family():
                for name in ("cmdline", "environ"):
                    try:
                        with open(f"/proc/{pid}/{name}", "rb") as source:
                            self.seen.setdefault((pid, name), source.read())
                    except OSError:
                        pass
            time.sleep(0.002)

    def family(self):
        """the process and its children of the moment, by /proc"""
        found, pending = [], [self.pid]
        while pending:
            pid = pending.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as source:
                        pending += map(int, source.read().split())
            except OSError:
                pass
        return found


def sampled(tool, repository, arguments, cwd, **environment):
    running = tool.start(repository, *arguments, cwd=cwd, **environment)
    sampler = Sampler(running.pid)
    sampler.start()
    result = process.finish(running, time.monotonic(), 120)
    sampler.over = True
    sampler.join()
    return result, sampler, running.pid


def run(case):
    board, subject, scratch = case.board, case.subject, case.folder("S")
    repository, source, secret = (os.path.join(scratch, n) for n in ("repository", "source", "password"))
    data.small(source, files=30)
    with open(os.path.join(source, "plain-canary-name"), "w") as sink:
        sink.write("plain-canary-content " * 50)
    with open(secret, "w") as sink:
        sink.write(CANARY + "\n")
    os.chmod(secret, 0o600)
    ways = [("environment", dict(password=CANARY)), ("file", dict(password=None, RESTIC_PASSWORD_FILE=secret)),
            ("command", dict(password=None, RESTIC_PASSWORD_COMMAND=f"cat {secret}"))]
    umask = os.umask(0)
    try:
        subject.run(repository, "init", password=CANARY)
        for name, how in ways:
            for verb in (["backup", "--verbose=3", "."], ["snapshots"], ["check"]):
                result, sampler, pid = sampled(subject, repository, verb, source, **how)
                board.expect(result.code == 0, f"S {verb[0]} with the password by {name}: {result.text[-200:]}")
                look(board, f"output of {verb[0]}, password by {name}", result.out + result.err)
                for (process_id, place), content in sampler.seen.items():
                    if place == "cmdline" or process_id != pid:          # its own environment is where the user put it
                        look(board, f"{place} of {'a child' if process_id != pid else 'the program'} in {verb[0]}, password by {name}", content)
        wrong = subject.run(repository, "snapshots", password="wrong-" + CANARY)
        board.expect(wrong.code == 12, f"S a wrong password ends in 12: {wrong.code}")
        look(board, "the message about a wrong password", wrong.out + wrong.err)
        child_environment(case, repository, scratch)
    finally:
        os.umask(umask)
    places(case, repository)


def look(board, where, content):
    board.canary_places += 1
    if any(form in content for form in forms(CANARY)):
        board.canaries += 1
        board.fail(f"S the password stands in the {where}")


def child_environment(case, repository, scratch):
    """S-02: a command whose output is backed up does not inherit the password"""
    if case.is_stock:
        return case.board.skip("S-02", "stock restic hands its whole environment to commands")
    target = os.path.join(scratch, "environment")
    result = case.subject.run(repository, "backup", "--stdin-from-command", "--stdin-filename", "environment", "--", "env", password=CANARY)
    case.board.expect(result.code == 0, f"S-02 backup of a command: {result.code} {result.text[-200:]}")
    case.subject.run(repository, "restore", "latest", "--target", target, "--include", "environment", password=CANARY)
    try:
        with open(os.path.join(target, "environment"), "rb") as source:
            look(case.board, "environment of a backed-up command", source.read())
    except OSError as error:
        case.board.fail(f"S-02 the command's output did not come back: {error}")
    return None


def places(case, repository):
    """R-05, S-06: nothing readable in the repository, no file open to others, although the umask allowed it"""
    hits, bad = [], []
    for root in (repository, os.path.join(case.subject.scratch, "cache")):
        for base, folders, names in os.walk(root):
            for name in folders + names:
                path = os.path.join(base, name)
                if stat.S_IMODE(os.lstat(path).st_mode) & 0o077 and not name == "CACHEDIR.TAG":
                    bad.append(path)
                if os.path.isfile(path):
                    content = open(path, "rb").read()
                    case.board.canary_places += 1
                    hits += [path for word in forms(CANARY) + [b"plain-canary"] if word in content]
    case.board.canaries += len(hits)
    case.board.expect(not hits, f"R-05 nothing is readable in the stored bytes: {hits[:3]}")
    case.board.expect(not bad, f"S-06 no file is open to others: {bad[:4]}")
