# purpose: the rows of scripts/bench --lab: what the verbs of the strategy cost, against what is promised
# use:     for row in ROWS: row.measure(bench, runs) gives figures by name; row.limits says what they may be
# needs:   the same package's lab, datasets, measure, process
import glob, os, re, statistics, subprocess, time
from dataclasses import dataclass

from . import datasets, lab, measure, process

SETTLE_SECONDS, IDLE_SECONDS = 5, 120


@dataclass
class Row:
    name: str
    figures: object         # of a bench and a number of runs: dictionaries, one for each run
    limits: dict

    def measure(self, bench, runs):
        """medians by name"""
        found = self.figures(bench, runs)
        return {name: statistics.median(run[name] for run in found) for name in found[0]}


@dataclass
class Bench:
    command: list
    scratch: str
    data: str
    scale: float

    def lab(self, name, **facts):
        return lab.Lab(os.path.join(self.scratch, name), self.command, **facts)

    def source(self, kind):
        path = datasets.make(os.path.join(self.data, f"{kind}-{self.scale:g}"), kind, self.scale)
        datasets.read(path)
        return path


# MARK: status

def status(bench, runs):
    """50 workloads on three repositories of the machine, 5,000 snapshots in all"""
    own = bench.lab("status", repositories=3, workloads=max(2, int(50 * bench.scale)))
    own.create()
    own.run("run")
    snapshots = max(50, int(5000 * bench.scale))
    own.age(snapshots)
    own.run("status")
    found = [measure.cost(own, None, ["status"], own.folder) for _ in range(runs)]
    calls = measure.calls(own, None, ["status"], own.folder)["total"] / snapshots
    return [{"wall s": run["wall"], "CPU s": run["cpu"], "peak MiB": run["peak"], "calls a snapshot": calls} for run in found]


# MARK: one walk, three repositories

def first(bench, runs):
    """everything is new"""
    source = bench.source("small")

    def prepare(own):
        own.create_repositories()

    return compared(bench, runs, "first", prepare, lambda count: source)


def changed(bench, runs):
    """one file in a hundred changed since the last run"""
    base, numbers = bench.source("small"), {}

    def source(count):
        path = os.path.join(bench.scratch, f"source-{count}")
        subprocess.run(["cp", "-a", base, path], check=True)
        return path

    def prepare(own):
        if own.folder not in numbers:
            own.create()
            own.run("run")
        numbers[own.folder] = numbers.get(own.folder, 0) + 1
        datasets.change(own.source, percent=1, seed=numbers[own.folder])
        datasets.read(own.source)

    return compared(bench, runs, "changed", prepare, source)


def compared(bench, runs, name, prepare, source):
    """runs into one repository and into three, alternating; the reads of the source are counted in a run of their own"""
    labs = [bench.lab(f"{name}-{count}", repositories=count, workloads=1, source=source(count)) for count in (1, 3)]
    found = []
    for number in range(runs):
        costs = {}
        for own in labs if number % 2 == 0 else reversed(labs):
            prepare(own)
            os.sync()
            costs[len(own.repositories)] = measure.cost(own, None, ["run", "workload-0"], own.folder)
        one, three = costs[1], costs[3]
        found.append({"one: wall s": one["wall"], "CPU s": one["cpu"], "three: wall s": three["wall"], "its CPU s": three["cpu"], "its peak MiB": three["peak"],
                      "wall ×": three["wall"] / one["wall"], "CPU ×": three["cpu"] / one["cpu"]})
    reads = []
    for own in labs:
        prepare(own)
        reads.append(measure.reads(own, ["run", "workload-0"], own.source))
    return [dict(run, **{"reads of the source ×": reads[1] / reads[0]}) for run in found]


# MARK: the daemon

def idle(bench, runs):
    """fifty workloads, nothing due"""
    own = bench.lab("serve", repositories=1, workloads=max(2, int(50 * bench.scale)))
    own.create()
    own.run("run")
    daemon = process.start([*own.command, "serve"], own.environment(), own.folder)
    found = []
    try:
        time.sleep(SETTLE_SECONDS)
        for _ in range(runs):
            began, before = time.monotonic(), processor_seconds(daemon.pid)
            time.sleep(IDLE_SECONDS)
            share = 100 * (processor_seconds(daemon.pid) - before) / (time.monotonic() - began)
            found.append({"resident MiB": resident(daemon.pid), "% of a core": share})
    finally:
        process.stop(daemon)
    return found


def processor_seconds(pid):
    """of all threads, in the kernel's nanoseconds: its ticks of 10 ms are too coarse here"""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path) as source:
            total += int(source.read().split()[0])
    return total / 1e9


def resident(pid):
    with open(f"/proc/{pid}/status") as source:
        return int(re.search(r"VmRSS:\s+(\d+) kB", source.read())[1]) / 1024


ROWS = [
    Row("status, 50 workloads, 5,000 snapshots in 3 repositories", status, {"wall s": 1, "peak MiB": 150, "calls a snapshot": 12}),
    Row("run, 1 % of 20,000 files changed, 3 repositories against 1", changed, {"wall ×": 1.6, "reads of the source ×": 1.01}),
    Row("run, 20,000 new files, 3 repositories against 1", first, {"wall ×": 1.6, "reads of the source ×": 1.01}),
    Row("serve, idle, 50 workloads", idle, {"resident MiB": 60, "% of a core": 0.1}),
]
