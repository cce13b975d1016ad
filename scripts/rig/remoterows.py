# purpose: the rows of scripts/bench --remote: a bucket on this machine, near and 50 ms away, against stock restic and against a plain upload
# use:     for row in ROWS: row.measure(bench, runs) gives figures by name; row.limits and row.floors say what they may be
# needs:   the same package's bigindex, datasets, delayproxy, measure, plainupload, process, resticfile; ../shared/acceptance/s3server
import json, os, random, shutil, statistics, subprocess, sys, time, urllib.request
from dataclasses import dataclass, field

from . import bigindex, datasets, measure, process, resticfile

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = os.path.join(process.ROOT, "..", "shared", "acceptance", "s3server")
KEY, SECRET, CONNECTIONS = "rigaccess", "rigsecret", 5


@dataclass
class Row:
    name: str
    figures: object         # of a bench and a number of runs: dictionaries, one for each run
    limits: dict = field(default_factory=dict)
    floors: dict = field(default_factory=dict)

    def measure(self, bench, runs):
        """medians by name"""
        found = self.figures(bench, runs)
        return {name: statistics.median(run[name] for run in found) for name in found[0]}


class Bucket:
    """a server on this machine, and a line to it"""

    def __init__(self, folder, milliseconds=0):
        self.folder = folder
        os.makedirs(os.path.join(folder, "lab"), exist_ok=True)
        self.server, self.near = self.listen(lambda port: [sys.executable, SERVER, str(port), folder])
        self.line, self.port = None, self.near
        if milliseconds:
            self.line = subprocess.Popen([sys.executable, os.path.join(HERE, "delayproxy.py"), str(self.near), str(milliseconds)],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.port = int(self.line.stdout.readline())

    @staticmethod
    def listen(command):
        port = random.randrange(20_000, 50_000)
        environment = {"PATH": os.environ["PATH"], "S3_ACCESS": KEY, "S3_SECRET": SECRET}
        started = subprocess.Popen(command(port), env=environment, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/-/counts").read()
                return started, port
            except OSError:
                time.sleep(0.05)
        sys.exit("bench: the S3 server does not start")

    def counts(self):
        found = json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.near}/-/counts"))
        return {"requests": sum(n for name, n in found.items() if not name.startswith("bytes")), "in": found.get("bytes-in", 0), "out": found.get("bytes-out", 0)}

    def repository(self, name):
        return f"s3:http://127.0.0.1:{self.port}/lab/{name}"

    def empty(self, name):
        process.remove_tree(os.path.join(self.folder, "lab", name))

    def close(self):
        for one in (self.line, self.server):
            if one:
                one.terminate()
                one.wait()


class Tool(process.Restic):
    """enters the bucket"""

    def environment(self, repository, password=process.PASSWORD, **extra):
        return super().environment(repository, password, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_DEFAULT_REGION="us-east-1", **extra)


@dataclass
class Bench:
    scratch: str
    data: str
    scale: float

    def __post_init__(self):
        self.tools = [Tool.subject(self.scratch), Tool.judge(self.scratch)]

    def source(self, kind):
        path = datasets.make(os.path.join(self.data, f"{kind}-{self.scale:g}"), kind, self.scale)
        datasets.read(path)
        return path

    def bucket(self, milliseconds=0):
        return Bucket(os.path.join(self.scratch, "bucket"), milliseconds)

    def must(self, tool, repository, *arguments, cwd=None):
        result = tool.run(repository, *arguments, timeout=3600, cwd=cwd)
        if result.code != 0:
            sys.exit(f"bench: {tool.name} {' '.join(arguments)} ended in {result.code}: {result.text[-500:]}")
        return result

    def forget(self, tool):
        """its cache, and what it remembers"""
        process.remove_tree(os.path.join(tool.scratch, "cache"))

    def cost(self, bucket, tool, repository, arguments, cwd=None):
        before = bucket.counts()
        found = measure.cost(tool, repository, arguments, cwd)
        after = bucket.counts()
        return found | {key: after[key] - before[key] for key in after}


def ordered(tools, number):
    return tools if number % 2 == 0 else list(reversed(tools))


# MARK: upload

def upload(milliseconds):
    def figures(bench, runs):
        """photos: bytes that neither compress nor repeat"""
        source, found, bucket = bench.source("photos"), [], bench.bucket(milliseconds)
        try:
            for number in range(runs):
                costs = {}
                for tool in ordered(bench.tools, number):
                    bucket.empty(tool.name)
                    bench.forget(tool)
                    bench.must(tool, bucket.repository(tool.name), "init")
                    costs[tool.name] = bench.cost(bucket, tool, bucket.repository(tool.name), ["backup", "."], source)
                ours, theirs = (costs[tool.name] for tool in bench.tools)
                plain = plainly(bench, bucket, "holdfast")
                found.append({"ours: wall s": ours["wall"], "CPU s": ours["cpu"], "peak MiB": ours["peak"], "requests": ours["requests"],
                              "restic: wall s": theirs["wall"], "its CPU s": theirs["cpu"], "its requests": theirs["requests"], "plain: wall s": plain,
                              "requests / restic's": ours["requests"] / theirs["requests"], "rate / plain": plain / ours["wall"]})
        finally:
            bucket.close()
        return found
    return figures


def plainly(bench, bucket, name):
    """seconds that the same objects take by themselves"""
    copy = os.path.join(bench.scratch, "objects")
    process.remove_tree(copy)
    shutil.copytree(os.path.join(bucket.folder, "lab", name), copy)
    began = time.monotonic()
    environment = {"PATH": os.environ["PATH"], "S3_ACCESS": KEY, "S3_SECRET": SECRET}
    subprocess.run([sys.executable, os.path.join(HERE, "plainupload.py"), str(bucket.port), "lab", str(CONNECTIONS)], env=environment,
                   input="\n".join(datasets.files(copy)), text=True, check=True)
    seconds = time.monotonic() - began
    bucket.empty("plain")
    process.remove_tree(copy)
    return seconds


def large_packs(bench, runs):
    """packs of 128 MiB, five connections"""
    source, found, bucket = bench.source("photos"), [], bench.bucket()
    try:
        for _ in range(runs):
            tool = bench.tools[0]
            bucket.empty(tool.name)
            bench.must(tool, bucket.repository(tool.name), "init")
            cost = bench.cost(bucket, tool, bucket.repository(tool.name), ["backup", "--pack-size", "128", "."], source)
            found.append({"wall s": cost["wall"], "peak MiB": cost["peak"]})
    finally:
        bucket.close()
    return found


# MARK: restore

def restore(milliseconds):
    def figures(bench, runs):
        source, found, bucket = bench.source("photos"), [], bench.bucket(milliseconds)
        try:
            bench.must(bench.tools[0], bucket.repository("one"), "init")
            bench.must(bench.tools[0], bucket.repository("one"), "backup", ".", cwd=source)
            for number in range(runs):
                costs = {}
                for tool in ordered(bench.tools, number):
                    target = os.path.join(bench.scratch, "restored")
                    process.remove_tree(target)
                    costs[tool.name] = bench.cost(bucket, tool, bucket.repository("one"), ["restore", "latest", "--target", target])
                ours, theirs = (costs[tool.name] for tool in bench.tools)
                found.append(pair(ours, theirs))
        finally:
            bucket.close()
        return found
    return figures


def pair(ours, theirs):
    return {"ours: wall s": ours["wall"], "CPU s": ours["cpu"], "peak MiB": ours["peak"], "requests": ours["requests"], "MiB read": ours["out"] / (1 << 20),
            "restic: wall s": theirs["wall"], "its CPU s": theirs["cpu"], "its peak MiB": theirs["peak"], "its requests": theirs["requests"],
            "its MiB read": theirs["out"] / (1 << 20), "wall ×": theirs["wall"] / ours["wall"]}


def one_file(bench, runs):
    """a small file out of a repository of a million blobs, with an empty cache, 50 ms away"""
    folder, found = os.path.join(bench.scratch, "single"), []
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "file"), "wb") as sink:
        sink.write(b"content")
    bucket = bench.bucket(50)
    try:
        bench.must(bench.tools[0], bucket.repository("many"), "init")
        bench.must(bench.tools[0], bucket.repository("many"), "backup", ".", cwd=folder)
        path = os.path.join(bucket.folder, "lab", "many")
        bigindex.forge(path, resticfile.open_master(path, process.PASSWORD), max(100_000, int(1_000_000 * bench.scale)))
        for number in range(runs):
            costs = {}
            for tool in ordered(bench.tools, number):
                bench.forget(tool)
                costs[tool.name] = bench.cost(bucket, tool, bucket.repository("many"), ["dump", "latest", "/file"])
            found.append(pair(*(costs[tool.name] for tool in bench.tools)))
    finally:
        bucket.close()
    return found


# MARK: copy

def copy(bench, runs):
    """between two repositories of this machine's disk: 3.7 GiB that neither compress nor repeat"""
    source, found, base = bench.source("photos"), [], os.path.join(bench.scratch, "base")
    bench.must(bench.tools[0], base, "init")
    bench.must(bench.tools[0], base, "backup", ".", cwd=source)
    for number in range(runs):
        costs = {}
        for tool in ordered(bench.tools, number):
            target = os.path.join(bench.scratch, "target")
            process.remove_tree(target)
            tool.forget_all()
            more = {"RESTIC_FROM_PASSWORD": process.PASSWORD}
            if tool.run(target, "init", "--from-repo", base, "--copy-chunker-params", **more).code != 0:
                sys.exit(f"bench: {tool.name} makes no repository to copy to")
            os.sync()
            plain = tool.environment
            tool.environment = lambda repository, password=process.PASSWORD, _plain=plain, **extra: _plain(repository, password, **more, **extra)
            try:
                costs[tool.name] = measure.cost(tool, target, ["copy", "--from-repo", base])
            finally:
                tool.environment = plain
        ours, theirs = (costs[tool.name] for tool in bench.tools)
        found.append({"ours: wall s": ours["wall"], "CPU s": ours["cpu"], "peak MiB": ours["peak"], "restic: wall s": theirs["wall"], "its CPU s": theirs["cpu"],
                      "its peak MiB": theirs["peak"], "wall ×": theirs["wall"] / ours["wall"], "CPU ×": theirs["cpu"] / ours["cpu"]})
    return found


ROWS = [
    Row("upload, near", upload(0), {"requests / restic's": 1, "peak MiB": 256}, {"rate / plain": 0.9}),
    Row("upload, 50 ms away", upload(50), {"requests / restic's": 1, "peak MiB": 256}, {"rate / plain": 0.9}),
    Row("upload in packs of 128 MiB, near", large_packs, {"peak MiB": 900}),
    Row("restore, 50 ms away", restore(50), {}, {"wall ×": 1.5}),
    Row("one file of a million blobs, no cache, 50 ms away", one_file, {}, {"wall ×": 2}),
    Row("copy between repositories", copy, {}, {"wall ×": 2}),
]
