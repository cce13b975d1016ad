# purpose: runs the subject and the judge in process groups of their own, with deadlines; a command that hangs is a result, not an exception
# use:     subject = Restic.subject(); subject.run(repository, "backup", path)
# needs:   python3; PEERS with bin/restic-* for the judge (scripts/peers prints it)
import glob, json, os, resource, shlex, signal, subprocess, tempfile, time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PASSWORD = "correct horse battery staple"


class Result:
    def __init__(self, code, out, err, seconds, hung=False):
        self.code, self.out, self.err, self.seconds, self.hung = code, out, err, seconds, hung

    @property
    def text(self):
        return (self.out + self.err).decode("utf-8", "replace")

    @property
    def trapped(self):
        """ended by a signal that a defect raises: trap, abort, segmentation fault"""
        return -self.code in (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE)

    def objects(self):
        """every JSON object on standard output, lines that are none left out"""
        found = []
        for line in self.out.decode("utf-8", "replace").splitlines():
            if line[:1] in "{[":
                try:
                    value = json.loads(line)
                except ValueError:
                    continue
                found.extend(value if isinstance(value, list) else [value])
        return found

    def summary(self):
        return next((o for o in self.objects() if o.get("message_type") == "summary"), {})


def stop(process):
    """ends one process group that we started"""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
        except ProcessLookupError:
            return
        try:
            process.wait(2)
            return
        except subprocess.TimeoutExpired:
            pass


FILE_BYTES_MAX = 2 << 30   # a hostile snapshot must not fill the machine's disk, whatever the subject does with it


def bounded():
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))


def start(command, environment=None, cwd=None, stdin=subprocess.DEVNULL):
    return subprocess.Popen(command, env=environment, cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=bounded)


def finish(process, began, timeout, data=None):
    try:
        out, err = process.communicate(data, timeout=timeout)
        return Result(process.returncode, out, err, time.monotonic() - began)
    except subprocess.TimeoutExpired:
        stop(process)
        try:
            out, err = process.communicate(timeout=5)
        except (subprocess.TimeoutExpired, ValueError):
            out, err = b"", b""
        return Result(124, out or b"", (err or b"") + b"\n[did not end in time]", time.monotonic() - began, hung=True)


def run(command, environment=None, timeout=120, cwd=None, data=None):
    began = time.monotonic()
    try:
        process = start(command, environment, cwd, subprocess.PIPE if data is not None else subprocess.DEVNULL)
    except OSError as error:
        return Result(127, b"", str(error).encode(), 0.0)
    return finish(process, began, timeout, data)


class Restic:
    """One implementation of restic's command line, with its own cache and home, so that runs do not see each other's."""

    def __init__(self, name, command, scratch):
        self.name, self.command, self.scratch = name, command, scratch
        os.makedirs(os.path.join(scratch, "home"), exist_ok=True)

    @classmethod
    def subject(cls, scratch):
        command = shlex.split(os.environ.get("SUBJECT", os.path.join(ROOT, ".build/release/holdfast") + " restic"))
        command[0] = os.path.abspath(command[0]) if "/" in command[0] else command[0]
        return cls("holdfast", command, os.path.join(scratch, "subject"))

    @classmethod
    def judge(cls, scratch):
        """stock restic, or None when there is none"""
        found = os.environ.get("RESTIC") or next(iter(sorted(glob.glob(os.path.join(peers(), "bin", "restic-0.1[0-9].*")), reverse=True)), None)
        return cls("restic", [found], os.path.join(scratch, "judge")) if found and os.access(found, os.X_OK) else None

    def version(self):
        """what it says it is; ends the script when it does not run at all"""
        result = run(self.command + ["version"], self.environment(None))
        if result.code != 0:
            raise SystemExit(f"{' '.join(self.command)} does not run ({result.text.strip()[-200:]})\nnext: swift build -c release, or set SUBJECT")
        return result.text.strip().split("\n")[0]

    def environment(self, repository, password=PASSWORD, **extra):
        clean = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": os.path.join(self.scratch, "home"), "LC_ALL": "C.UTF-8", "TZ": "UTC",
                 "RESTIC_CACHE_DIR": os.path.join(self.scratch, "cache"), "RESTIC_PROGRESS_FPS": "0.001"}
        if repository is not None:
            clean["RESTIC_REPOSITORY"] = repository
        if password is not None:
            clean["RESTIC_PASSWORD"] = password
        clean.update(extra)
        return clean

    def run(self, repository, *arguments, timeout=120, password=PASSWORD, data=None, cwd=None, wrap=(), **extra):
        return run(list(wrap) + self.command + list(arguments), self.environment(repository, password, **extra), timeout, cwd, data)

    def start(self, repository, *arguments, cwd=None, wrap=(), **extra):
        return start(list(wrap) + self.command + list(arguments), self.environment(repository, **extra), cwd)

    def records(self):
        """the files in which it remembers what it saw of repositories"""
        return glob.glob(os.path.join(glob.escape(self.scratch), "cache", "*", "high-water"))

    def forget_all(self):
        """makes it a machine that never saw a repository: one that is copied back would be one that was set back"""
        for record in self.records():
            os.remove(record)

    def create(self, repository, version=2):
        """a new repository with a cheap key (light scrypt parameters, which the format allows), so that second opinions cost little"""
        from . import resticfile
        result = self.run(repository, "init", "--repository-version", str(version))
        if result.code == 0:
            resticfile.cheapen(repository, PASSWORD)
        return result


def peers():
    """the folder of the peers: PEERS, or where scripts/peers puts them"""
    return os.environ.get("PEERS") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "holdfast", "peers")


def scratch_folder(prefix):
    """a folder of our own on a disk that is no memory, named with our process id"""
    return tempfile.mkdtemp(prefix=f"{prefix}-{os.getpid()}-", dir=os.environ.get("TMPDIR", "/tmp"))


def remove_tree(path):
    """removes what we made, however deep: rm walks by descriptor"""
    subprocess.run(["rm", "-rf", "--one-file-system", "--", path], check=False, stderr=subprocess.DEVNULL)
