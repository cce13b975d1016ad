# purpose: the rows of scripts/bench: which command on which data, what it must reach against stock restic, and which counts must hold
# use:     for row in ROWS: row.build(stages); row.prepare(stages, tool) gives the repository; row.arguments(stages, tool)
# needs:   the same package's datasets, measure, process, resticfile
import os, shutil, subprocess, time
from dataclasses import dataclass

from . import bigindex, datasets, process, resticfile


class Stages:
    """Sources, and repositories that measured commands start from, each built once."""

    def __init__(self, tools, scratch, data, scale):
        self.tools, self.scratch, self.data, self.scale = tools, scratch, data, scale
        self.built = set()

    def source(self, kind):
        """a data set, made when it is not there yet; `kind/copy` is a copy of our own that may be changed"""
        base, _, copy = kind.partition("/")
        path = datasets.make(os.path.join(self.data, f"{base}-{self.scale:g}"), base, self.scale)
        if not copy:
            return path
        own = os.path.join(self.scratch, copy)
        if not os.path.exists(own):
            subprocess.run(["cp", "-a", path, own], check=True)
        return own

    def repository(self, tool, stage):
        return os.path.join(tool.scratch, f"repository-{stage}")

    def create(self, tool, stage):
        path = self.repository(tool, stage)
        process.remove_tree(path)
        tool.create(path)
        return path

    def run(self, tool, repository, *arguments, cwd=None):
        result = tool.run(repository, *arguments, cwd=cwd, timeout=3600)
        if result.code != 0:
            raise SystemExit(f"bench: {tool.name} {' '.join(arguments)} ended in {result.code}: {result.text[-500:]}")

    def build(self, stage):
        """one repository for each tool"""
        if stage in self.built:
            return
        self.built.add(stage)
        {"edited": self.edited, "forgotten": self.forgotten, "history": self.history, "index": self.index}.get(stage, self.filled)(stage)

    def filled(self, stage):
        """a repository with one snapshot of the data set of that name"""
        for tool in self.tools:
            self.run(tool, self.create(tool, stage), "backup", ".", cwd=self.source(stage))

    def edited(self, stage):
        """one snapshot, and a source of which one file in a hundred changed afterwards"""
        source = self.source("small/edited")
        for tool in self.tools:
            self.run(tool, self.create(tool, stage), "backup", ".", cwd=source)
        datasets.change(source, percent=1)

    def forgotten(self, stage):
        """eight snapshots of a source of which a tenth changes each time; the older four are forgotten, not pruned"""
        source = self.source("small/forgotten")
        for tool in self.tools:
            self.create(tool, stage)
        for number in range(8):
            for tool in self.tools:
                self.run(tool, self.repository(tool, stage), "backup", ".", cwd=source)
            datasets.change(source, percent=10, seed=number)
        for tool in self.tools:
            self.run(tool, self.repository(tool, stage), "forget", "--keep-last", "4")

    def single(self, tool, stage):
        """a repository with one snapshot of one small file"""
        folder = os.path.join(self.scratch, f"single-{stage}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "file"), "wb") as sink:
            sink.write(b"content")
        path = self.create(tool, stage)
        self.run(tool, path, "backup", ".", cwd=folder)
        return path

    def index(self, stage):
        """one small snapshot, and an index of ten million blobs beside it"""
        for tool in self.tools:
            path = self.single(tool, stage)
            bigindex.forge(path, resticfile.open_master(path, process.PASSWORD), max(100_000, int(10_000_000 * self.scale)))

    def history(self, stage):
        """500 snapshots of one tree"""
        for tool in self.tools:
            path = self.single(tool, stage)
            key, tree = resticfile.open_master(path, process.PASSWORD), "00" * 32
            for number in range(max(5, int(500 * self.scale)) - 1):
                when = f"2025-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}T{number // 336:02d}:04:05.000000006Z"
                resticfile.forge_snapshot(path, key, tree, time=when, hostname=f"host-{number % 3}")


# MARK: what a measured command starts from

def fresh(stages, tool, row):
    """an empty repository without a cache"""
    process.remove_tree(os.path.join(tool.scratch, "cache"))
    return stages.create(tool, "fresh")


def kept(stages, tool, row):
    """the stage itself: the command adds little to it, or nothing"""
    return stages.repository(tool, row.stage)


def copied(stages, tool, row):
    """a copy of the stage"""
    path = stages.repository(tool, "copy")
    process.remove_tree(path)
    subprocess.run(["cp", "-a", stages.repository(tool, row.stage), path], check=True)
    tool.forget_all()
    return path


def target(stages, tool, row):
    """the stage, and an empty place to restore to

    ext4 searches past inodes that were freed within the last minutes: a removal of many files right before would be measured too, so they stay.
    """
    place = os.path.join(tool.scratch, "restored")
    if row.source == "small" and os.path.exists(place):
        os.rename(place, f"{place}-{time.monotonic_ns()}")
    process.remove_tree(place)
    return kept(stages, tool, row)


def cold(stages, tool, row):
    """the stage, without a cache"""
    process.remove_tree(os.path.join(tool.scratch, "cache"))
    return kept(stages, tool, row)


# MARK: counts

@dataclass
class Count:
    """One number of ours and its limit; `value` computes it from the facts of a run."""
    label: str
    limit: float
    value: object
    is_traced: bool = False     # needs the system calls, which are counted in a run of their own


def read(limit): return Count("read / source", limit, lambda f: f["read"] / f["bytes"])
def written(limit, what="stored"): return Count(f"written / {what}", limit, lambda f: f["written"] / max(1, f["added"]))
def repacked(limit): return Count("written / repacked", limit, lambda f: f["written"] / max(1, f["added packs"]))
def stored(limit): return Count("stored / restic's", limit, lambda f: f["added"] / f["added by restic"])
def peak(limit): return Count("peak MiB", limit, lambda f: f["peak"])
def calls(limit, unit="file"): return Count(f"calls a {unit}", limit, lambda f: f["calls"]["total"] / f["items"], True)
def writes(limit): return Count("writes", limit, lambda f: sum(n for name, n in f["calls"].items() if "write" in name), True)


@dataclass
class Ratio:
    """Restic's figure divided by ours: what it must be, and what it should become."""
    must: float
    goal: float

    def text(self, value):
        return f"{value:.2f} (≥ {self.must:g}; {self.goal:g})"


@dataclass
class Row:
    name: str
    source: str                 # data set; also the folder in which the command runs
    cpu: Ratio
    wall: Ratio
    stage: str
    prepare: object
    command: list
    counts: list

    def arguments(self, tool):
        return [part.replace("{restored}", os.path.join(tool.scratch, "restored")) for part in self.command]


BACKUP, RESTORE = ["backup", "."], ["restore", "latest", "--target", "{restored}"]
ROWS = [
    Row("backup, large: 2 GiB in 4 files", "large", Ratio(1.6, 3), Ratio(1.4, 2.5), "", fresh, BACKUP, [read(1.05), written(1.05), peak(128)]),
    Row("backup, 20,000 small files", "small", Ratio(2, 4), Ratio(1.6, 3), "", fresh, BACKUP, [stored(1.02)]),
    Row("backup, 1,500 photos", "photos", Ratio(2, 5), Ratio(1.6, 3), "", fresh, BACKUP, [written(1.05)]),
    Row("unchanged, 20,000 files", "small", Ratio(3, 6), Ratio(2, 4), "small", kept, BACKUP, [calls(1.5), peak(40)]),
    Row("unchanged, 200,000 files", "many", Ratio(4, 10), Ratio(3, 6), "many", kept, BACKUP, [calls(1.3), peak(64)]),
    Row("1 % changed, 20,000 files", "small/edited", Ratio(2.5, 4), Ratio(1.5, 3), "edited", copied, BACKUP, [written(1.1)]),
    Row("restore, large", "large", Ratio(1.3, 2), Ratio(1.2, 1.8), "large", target, RESTORE, [peak(128)]),
    Row("restore, photos", "photos", Ratio(1.3, 2), Ratio(1.2, 1.8), "photos", target, RESTORE, [peak(128)]),
    Row("restore, 20,000 small files", "small", Ratio(2, 3), Ratio(1.5, 3), "small", target, RESTORE, [calls(8)]),
    Row("check --read-data, 1.1 GiB", "large", Ratio(1.5, 2.5), Ratio(1.4, 2.2), "large", kept, ["check", "--read-data"], [peak(80)]),
    Row("prune after forgetting half", "small/forgotten", Ratio(3, 6), Ratio(2.5, 5), "forgotten", copied, ["prune"], [repacked(1.1)]),
    Row("dump, one file of 1 GiB", "large", Ratio(1.5, 2.2), Ratio(1.3, 2), "large", kept, ["dump", "latest", "/disk-a.img"], [peak(80)]),
    Row("ls --recursive, 200,000 files", "many", Ratio(6, 15), Ratio(5, 10), "many", kept, ["ls", "--recursive", "latest", "/"], [writes(1000)]),
    Row("snapshots, 500, cold cache", "", Ratio(2, 4), Ratio(1.3, 1.8), "history", cold, ["snapshots"], [calls(12, "snapshot")]),
]

# With --large alone: they want minutes and a million inodes.
LARGE_ROWS = [
    Row("backup, 1,000,000 files", "million", Ratio(1, 2), Ratio(1, 2), "", fresh, BACKUP, [peak(256)]),
    Row("unchanged, 1,000,000 files", "million", Ratio(1, 2), Ratio(1, 2), "million", kept, BACKUP, [peak(256)]),
    Row("index of 10,000,000 blobs", "", Ratio(1, 2), Ratio(2, 4), "index", kept, ["ls", "latest"], [peak(520)]),
]
