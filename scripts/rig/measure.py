# purpose: what one command costs: wall clock, CPU, peak memory, bytes read and written; and, in a run of its own, its system calls
# use:     cost(tool, repository, ["check"], cwd); calls(tool, repository, ["check"], cwd); reads(tool, ["run"], SOURCE)
# needs:   GNU time, strace, Linux (/proc/PID/io of a process that ended and was not waited for yet)
import os, re, subprocess, sys, tempfile, time

DEADLINE = "3600"


def start(tool, repository, arguments, cwd, wrap, errors):
    command = ["timeout", DEADLINE, *wrap, *tool.command, *arguments]
    environment = tool.environment(repository)
    environment.pop("RESTIC_PROGRESS_FPS", None)      # as in a cron job: nobody watches
    return subprocess.Popen(command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)


def fail(tool, arguments, code, errors):
    errors.seek(0)
    sys.exit(f"bench: {tool.name} {' '.join(arguments)} ended in {code}: {errors.read().decode('utf-8', 'replace')[-500:]}")


def cost(tool, repository, arguments, cwd=None):
    """wall and CPU seconds, peak RSS in MiB, bytes given to read and write calls"""
    with tempfile.NamedTemporaryFile() as report, tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        # The peak is GNU time's: that of our own children would include this interpreter's, which the kernel hands on to them.
        process = start(tool, repository, arguments, cwd, ["time", "-q", "-o", report.name, "-f", "%M"], errors)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall = time.monotonic() - began
        with open(f"/proc/{process.pid}/io") as source:
            io = dict(line.split(": ") for line in source.read().splitlines())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            fail(tool, arguments, process.returncode, errors)
        peak = int(open(report.name).read().split()[-1]) / 1024
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak, "read": int(io["rchar"]), "written": int(io["wchar"])}


def calls(tool, repository, arguments, cwd=None):
    """system calls by name, all threads, and their sum as `total`"""
    with tempfile.NamedTemporaryFile() as report, tempfile.TemporaryFile() as errors:
        process = start(tool, repository, arguments, cwd, ["strace", "-f", "-c", "-o", report.name], errors)
        if process.wait() != 0:
            fail(tool, arguments, process.returncode, errors)
        lines = open(report.name).read().splitlines()
    found = {}
    for line in lines:
        match = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d*\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if match:
            found[match[2]] = int(match[1])
    return found


def reads(tool, arguments, below):
    """bytes that read calls returned from files below a folder"""
    with tempfile.NamedTemporaryFile() as report, tempfile.TemporaryFile() as errors:
        trace = ["strace", "-f", "-y", "-e", "trace=read,pread64,readv,preadv,preadv2", "-o", report.name]
        process = start(tool, None, arguments, below, trace, errors)
        if process.wait() != 0:
            fail(tool, arguments, process.returncode, errors)
        with open(report.name, errors="replace") as source:
            return sum(returned_bytes(source, below + "/"))


def returned_bytes(lines, prefix):
    """of each call on a file with that prefix; a call that another thread's interrupted is told in two lines"""
    waiting = {}
    for line in lines:
        thread, _, call = line.partition(" ")
        opened = re.search(r"\w+\(\d+<([^>]*)>", call)
        if call.rstrip().endswith("<unfinished ...>"):
            waiting[thread] = opened[1] if opened else ""
            continue
        path = opened[1] if opened else waiting.pop(thread, "")
        result = re.search(r"\) *= (\d+)$", call.rstrip())
        if result and path.startswith(prefix):
            yield int(result[1])
