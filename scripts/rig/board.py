# purpose: the figures board of the fault plan: counts what was survived, names what was not and what was skipped, and prints one line at the end
# use:     board = Board(); board.survive("kills", ok, "A-01 …"); board.skip("B-09", "no mount rights"); sys.exit(board.finish())
# needs:   python3
import sys, time

PAIRS = ["kills", "cuts", "call-points", "damaged-repos", "backend-faults", "races", "hostile-requests"]
ZERO = ["LOST", "CORRUPT-ACCEPTED", "SILENT-SUCCESS", "TRAPS", "HANGS"]


class Board:
    def __init__(self, verbose=False):
        self.done, self.all = dict.fromkeys(PAIRS, 0), dict.fromkeys(PAIRS, 0)
        self.zero = dict.fromkeys(ZERO, 0)
        self.mutants = self.escapes = self.escape_attempts = self.canaries = self.canary_places = 0
        self.skips, self.failures, self.verbose, self.began = [], [], verbose, time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.began:6.1f}] {text}", flush=True)

    def survive(self, counter, ok, what):
        """one attempt of a counted kind; a failure is named at once"""
        self.all[counter] += 1
        if ok:
            self.done[counter] += 1
            if self.verbose:
                self.say(f"ok   {what}")
        else:
            self.fail(what)
        return ok

    def expect(self, ok, what):
        """a condition without a counter of its own"""
        if not ok:
            self.fail(what)
        elif self.verbose:
            self.say(f"ok   {what}")
        return ok

    def fail(self, what, zero=None):
        self.failures.append(what)
        if zero:
            self.zero[zero] += 1
        self.say(f"FAIL {what}{f' [{zero}]' if zero else ''}")

    def result(self, result, what):
        """no run may hang or trap, whatever else it does"""
        if result.hung:
            self.fail(f"{what}: did not end in {result.seconds:.0f} s", "HANGS")
        if result.trapped:
            self.fail(f"{what}: ended by signal {-result.code}: {result.text[-300:]}", "TRAPS")
        return not (result.hung or result.trapped)

    def skip(self, case, reason):
        self.skips.append((case, reason))
        print(f"SKIP {case} {reason}", flush=True)

    def line(self):
        pair = lambda name: f"{name} {self.done[name]}/{self.all[name]}"
        return " · ".join([pair("kills"), pair("cuts"), pair("call-points"), f"mutants {self.mutants}", pair("damaged-repos"), pair("backend-faults"), pair("races"),
                           f"escapes {self.escapes}/{self.escape_attempts}", pair("hostile-requests"), f"canaries {self.canaries}/{self.canary_places}"]
                          + [f"{name} {count}" for name, count in self.zero.items()] + [f"SKIP {len(self.skips)}"])

    def finish(self):
        for failure in self.failures:
            print("FAILED", failure)
        print(self.line())
        return 1 if self.failures or self.escapes or self.canaries else 0
