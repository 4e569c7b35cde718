#!/usr/bin/env python3
"""Compare two implementations of postconf on random configurations.

Usage: postconf_differential.py --ours BIN --stock BIN
           [--count N] [--seed S] [--only-case K] [-v]

For each of N cases a random main.cf and master.cf is written (see
postconf_generate.py), and a handful of commands is run by both programs, each
in its own copy of the directory.  Compared are standard output, the exit
status, standard error, and the bytes of main.cf and master.cf afterwards: an
edit must leave the same bytes, and anything else must leave the files alone.

The stock program is an older release than the one that is reimplemented.
Differences that follow from that are listed in RULES, each with its reason,
and nothing else is tolerated.  What the two releases do not share at all (new
parameters, changed defaults, deprecated names) is not generated.

A case depends only on the seed and its number, so that a failure can be
repeated with --seed and --only-case.  The last line of output is
"N passed, N failed", one for each command that was compared; the exit status
is 1 when any failed or when none was run.
"""

import argparse
import collections
import difflib
import os
import random
import re
import shlex
import shutil
import signal
import sys
import tempfile
import time

from postconf_generate import Case, Parameters

# ------------------------------------------------ differences that are allowed

# Kinds of rule:
#   extra      a line on standard error that ours may print and stock does not
#   unordered  lines on standard error that are compared as a sorted multiset
#              instead of in order, because stock prints them in the order of
#              a hash table whose seed is random
#   either     a line on standard error that either may print alone
#   last-line  when stock fails and its last line on standard error matches,
#              only that last line is compared

Rule = collections.namedtuple("Rule", "name kind pattern reason")

RULES = [
    Rule("deprecation-warning", "extra",
         r"postconf: warning: \S+: support for parameter \".*\" will be removed; .*",
         "the newer release warns of deprecated parameters, the older one does not"),
    Rule("deprecation-pointer", "extra",
         r"postconf: warning: See https://www\.postfix\.org/DEPRECATION_README\.html "
         r"for details",
         "printed once after deprecation warnings"),
    Rule("comment-after-text", "extra",
         r"postconf: warning: .*#comment after other text is not allowed.*",
         "the newer release warns of '#' after white space inside a value"),
    Rule("hash-order", "unordered",
         r"postconf: warning: \S+: (unused|undefined) parameter: .*",
         "the older release reports these in hash order"),
    Rule("hash-order-tables", "unordered",
         r"postconf: warning: open \"\w+\" configuration \".*\": .*",
         "tables are found while walking through parameters in hash order"),
    Rule("hash-order-braces", "either",
         r"postconf: warning: (main|master)\.cf(:\S+)?: (syntax error after|missing) '\}' in .*",
         "printed while looking for tables in the values of parameters that are in use; "
         "whether a user-defined one is known to be in use by then depends on hash order"),
    Rule("same-request", "either",
         r"postconf: warning: ignoring earlier request: '\S+ = '",
         "the older release says so of two equal requests when the value is empty"),
    Rule("hash-order-syntax", "either",
         r"postconf: warning: (empty macro name|truncated macro reference|attribute name syntax error at|"
         r"unexpected input at|unbalanced \{\} in attribute expression|.* expected at|bad operator suffix at): .*",
         "a bad expression in a user-defined parameter is met once or twice, by hash order"),
    Rule("macro-error", "last-line",
         r"postconf: fatal: (macro processing error|mac_exp_eval: bad conversion: .*)",
         "a broken $ expression is fatal as soon as it is met, and which other "
         "parameters were looked at (and warned of) before depends on hash order"),
]

# Two more, which are not about lines on standard error:
#
# new-name-order   When one edit adds several new names to main.cf, the newer
#                  release adds them sorted by name, the older one in hash
#                  order.  The lines added are compared sorted (sort_added).
# quoted-blank     The older release quotes an entry with the blanks of a blank
#                  line behind it; one before a closing quote is not compared.
# entry-line       The older release may name the line of the entry before the
#                  one that lacks a type; the number is not compared.
# final-newline    An edit by the newer release ends the file with a newline,
#                  one by the older release leaves a missing one missing, and
#                  glues an entry that it adds to the last line.
# command-blank    With -Fh the older release prints no blank between a command
#                  and its first argument, unless that is -o.
# stock-crash      A command that kills the older release by a signal (an -o in
#                  master.cf that refers to itself) has no expected result, and
#                  is not counted.
# damaged-macro    A broken $ expression in a user-defined parameter is fatal
#                  when that parameter is known to be in use by then, which
#                  depends on hash order.  When one of the two gives up over it
#                  and the other does not, the command is not counted.
# file-mode        The permissions of an edited file are not compared: the
#                  older release sets them to 0644, ours keeps what they were.

COMPILED = {kind: [re.compile(rule.pattern) for rule in RULES if rule.kind == kind]
            for kind in ("extra", "unordered", "either", "last-line")}


def matches(kind, line):
    return any(pattern.fullmatch(line) for pattern in COMPILED[kind])


# ---------------------------------------------------------------------- runner

# A run that takes longer than this many seconds is killed and counts as a
# result of its own.
TIMEOUT = 20

# The older release sleeps for a second before it gives up on a fatal error.  A
# run that takes longer than QUICK seconds is taken to be asleep, and the next
# case is started meanwhile, in a directory of its own; so there is hardly ever
# more than one busy process.
QUICK = 0.015
SLOTS = 32

FILES = ("main.cf", "master.cf")

Result = collections.namedtuple("Result", "status stdout stderr files")


class Tool:
    """One program with its own copy of the configuration directory.

    Both programs see the same relative directory name, because it appears in
    their messages, and the same program name, for the same reason.
    """

    ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

    def __init__(self, program, top):
        self.program = program
        self.top = top
        self.conf = os.path.join(top, "conf")
        os.makedirs(self.conf)
        # The output of each run goes to two files that are used again and
        # again: cheaper than pipes, and a program can never block on them.
        self.out = os.open(os.path.join(top, "stdout"), os.O_RDWR | os.O_CREAT)
        self.err = os.open(os.path.join(top, "stderr"), os.O_RDWR | os.O_CREAT)
        self.null = os.open(os.devnull, os.O_RDONLY)
        self.actions = [(os.POSIX_SPAWN_DUP2, self.null, 0),
                        (os.POSIX_SPAWN_DUP2, self.out, 1),
                        (os.POSIX_SPAWN_DUP2, self.err, 2)]

    def install(self, contents):
        """Make the configuration directory hold exactly CONTENTS."""
        for name in os.listdir(self.conf):
            os.unlink(os.path.join(self.conf, name))
        # The older release also sleeps when it reads a main.cf that is only
        # seconds old.
        old = time.time() - 3600
        for name, data in zip(FILES, contents):
            if data is None:
                continue
            path = os.path.join(self.conf, name)
            with open(path, "wb") as stream:
                stream.write(data)
            os.utime(path, (old, old))

    def contents(self):
        out = []
        for name in FILES:
            try:
                with open(os.path.join(self.conf, name), "rb") as stream:
                    out.append(stream.read())
            except FileNotFoundError:
                out.append(None)
        return tuple(out)

    def start(self, arguments):
        for descriptor in (self.out, self.err):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
        os.chdir(self.top)
        return os.posix_spawn(self.program, ["postconf", "-c", "conf"] + arguments,
                              self.ENVIRONMENT, file_actions=self.actions, setsigmask=[])

    def result(self, status):
        return Result(status, self.read(self.out), self.read(self.err), self.contents())

    @staticmethod
    def read(descriptor):
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, size, 0).decode("utf-8", "surrogateescape")


def run_case(case, ours, stock, results):
    """A generator that runs all commands of a case and appends (command, our
    result, stock's result) to RESULTS.  It yields the id of each process that
    it starts, and wants to be sent its exit status."""
    contents = (case.main_cf, case.master_cf)
    clean = False
    for command in case.commands:
        # Commands that only read share one copy, as long as they behave.
        if command.edits or not clean:
            ours.install(contents)
            stock.install(contents)
        pair = []
        for tool in (ours, stock):
            status = yield tool.start(command.arguments)
            pair.append(tool.result(status))
        results.append((command, *pair))
        clean = all(result.files == contents for result in pair)


def run_cases(cases, make_tools, done):
    """Run all CASES, an iterator of (number, case), and call DONE(number, case,
    results) for each, in order of appearance.  MAKE_TOOLS() returns a new
    pair of tools."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    idle = []           # pairs of tools that no case is using
    made = 0
    running = {}        # process id -> [start time, generator, tools, entry]
    order = collections.deque()     # entries [number, case, results, finished]
    more = True

    def advance(generator, tools, entry, status):
        try:
            pid = generator.send(status)
        except StopIteration:
            entry[3] = True
            idle.append(tools)
            while order and order[0][3]:
                done(*order.popleft()[:3])
        else:
            running[pid] = [time.monotonic(), generator, tools, entry]

    while more or running:
        pid, status = os.waitpid(-1, os.WNOHANG) if running else (0, 0)
        if pid:
            start, generator, tools, entry = running.pop(pid)
            late = time.monotonic() - start > TIMEOUT
            advance(generator, tools, entry,
                    "timeout" if late else os.waitstatus_to_exitcode(status))
            continue
        now = time.monotonic()
        ages = [now - job[0] for job in running.values()]
        if more and all(age > QUICK for age in ages) and (idle or made < SLOTS):
            try:
                number, case = next(cases)
            except StopIteration:
                more = False
                continue
            if not idle:
                idle.append(make_tools(made))
                made += 1
            entry = [number, case, [], False]
            order.append(entry)
            tools = idle.pop()
            advance(run_case(case, *tools, entry[2]), tools, entry, None)
            continue
        for pid, job in running.items():
            if now - job[0] > TIMEOUT:
                os.kill(pid, signal.SIGKILL)
        # Wait for any child, or until the youngest counts as asleep.
        signal.sigtimedwait([signal.SIGCHLD], max(QUICK - min(ages), 0.002))


# ------------------------------------------------------------------ comparison

def comparable(ours, stock):
    """Standard error of both as lists of lines, after applying RULES."""
    mine, theirs = ours.stderr.split("\n"), stock.stderr.split("\n")
    if stock.status != 0 and matches("last-line", last_line(stock.stderr)):
        return mine[-2:], theirs[-2:]
    # Only what stock did not print may go: a line that both print counts.
    known = set(theirs)
    mine = [line for line in mine if line in known or not matches("extra", line)]
    mine, theirs = ([re.sub(r'line \d+: (specify service name)', r'line N: \1', re.sub(r' "$', '"', line)) for line in lines if not matches("either", line)]
                    for lines in (mine, theirs))
    return arrange(mine), arrange(theirs)


def is_incomparable(case, ours, stock):
    crashed = isinstance(stock.status, int) and stock.status < 0
    macro_error = [matches("last-line", last_line(result.stderr)) for result in (ours, stock)]
    return crashed or (case.damage and macro_error[0] != macro_error[1])


def last_line(text):
    return text.rstrip("\n").rpartition("\n")[2]


def arrange(lines):
    ordered = [line for line in lines if not matches("unordered", line)]
    return ordered + sorted(line for line in lines if matches("unordered", line))


def compare(command, before, ours, stock):
    """A list of (what differs, our lines, stock's lines)."""
    out = []
    if ours.status != stock.status:
        out.append(("exit status", [str(ours.status)], [str(stock.status)]))
    if ours.stdout != stock.stdout and not is_glued_command(command, ours, stock):
        out.append(("standard output", visible(ours.stdout), visible(stock.stdout)))
    mine, theirs = comparable(ours, stock)
    if mine != theirs:
        out.append(("standard error", mine, theirs))
    for name, old, a, b in zip(FILES, before, ours.files, stock.files):
        if command.edits and old and not old.endswith(b"\n"):
            continue    # final-newline
        if a != b and name == "main.cf" and command.edits and a and b:
            a, b = (sort_added(command.arguments, old or b"", text) for text in (a, b))
        if a != b:
            out.append((name, visible(a), visible(b)))
    return out


def is_glued_command(command, ours, stock):
    """command-blank: see above."""
    if not any(a.startswith("-F") and "h" in a for a in command.arguments):
        return False
    pairs = list(zip(ours.stdout.split("\n"), stock.stdout.split("\n")))
    return ours.stdout.count("\n") == stock.stdout.count("\n") and all(
        a == b or a.replace(" ", "", 1) == b for a, b in pairs)


def sort_added(arguments, before, after):
    """Sort the lines at the end of main.cf that ARGUMENTS added to it."""
    names = {a.partition("=")[0].strip().encode() for a in arguments if "=" in a}
    new = {n for n in names if not re.search(rb"^%s\s*=" % re.escape(n), before, re.M)}
    lines = after.split(b"\n")
    last = len(lines) - 1       # nothing follows the last newline
    first = last
    while first > 0 and lines[first - 1].partition(b" = ")[0] in new:
        first -= 1
    return b"\n".join(lines[:first] + sorted(lines[first:last]) + lines[last:])


def visible(content):
    """Lines to show: carriage returns, tabs, trailing blanks and a missing
    last newline can be seen."""
    if content is None:
        return ["(no such file)"]
    if isinstance(content, bytes):
        content = content.decode("utf-8", "surrogateescape")
    out = []
    for line in content.split("\n"):
        line = line.replace("\r", "\\r").replace("\t", "\\t")
        out.append(line[:-1] + "\\x20" if line.endswith(" ") else line)
    if out[-1] == "":
        out.pop()
    else:
        out[-1] += "(no newline)"
    return out


# --------------------------------------------------------------------- reports

class Report:
    FULL = 10       # this many differences are printed in full
    BRIEF = 200     # and this many more with one line each

    def __init__(self, seed, verbose):
        self.seed = seed
        self.verbose = verbose
        self.passed = 0
        self.failed = 0
        self.statistics = collections.Counter()

    def add(self, number, case, command, ours, stock):
        if is_incomparable(case, ours, stock):
            return
        line = shlex.join(["postconf", "-c", "conf"] + command.arguments)
        differences = compare(command, (case.main_cf, case.master_cf), ours, stock)
        self.count(command, stock)
        if not differences:
            self.passed += 1
            return
        self.failed += 1
        if self.failed <= self.FULL:
            self.show(number, case, line, differences)
        elif self.failed <= self.FULL + self.BRIEF:
            self.print("case %d: %s: %s" % (number, ", ".join(d[0] for d in differences), line))

    def show(self, number, case, line, differences):
        self.print("=" * 72)
        self.print("seed %s case %d%s" % (self.seed, number,
                                          " (damaged: %s)" % case.damage if case.damage else ""))
        self.print("command: " + line)
        for name, content in zip(FILES, (case.main_cf, case.master_cf)):
            self.print("--- %s ---" % name)
            for text in visible(content):
                self.print(text)
        for what, mine, theirs in differences:
            self.print("--- difference in %s ---" % what)
            for text in difflib.unified_diff(theirs, mine, "stock", "ours", lineterm=""):
                self.print(text)
        self.print("")

    @staticmethod
    def print(text):
        # Bytes that are not valid UTF-8 must not end the run.
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")
        sys.stdout.buffer.flush()

    def count(self, command, stock):
        """With -v: how often each kind of command was run, and how it went,
        to see that the random input exercises what it should."""
        if not self.verbose:
            return
        options = [a for a in command.arguments if a[:1] == "-"][:1]
        kind = ("edit " if command.edits else "read ") + (options[0] if options else "name")
        self.statistics[kind, "runs"] += 1
        self.statistics[kind, "failed" if stock.status else "worked"] += 1
        if stock.stderr:
            self.statistics[kind, "warned"] += 1
        if stock.stdout:
            self.statistics[kind, "printed"] += 1
        for line in stock.stderr.splitlines():
            text = re.sub(r'"[^"]*"|\d+', "_", line)
            self.statistics["message", re.sub(r"(parameter|request|entry): .*", r"\1", text)] += 1

    def finish(self):
        if self.verbose:
            columns = ("runs", "worked", "failed", "printed", "warned")
            self.print("%-12s" % "command" + "".join("%9s" % c for c in columns))
            for kind in sorted({k for k, _ in self.statistics if k != "message"}):
                self.print("%-12s" % kind + "".join("%9d" % self.statistics[kind, c]
                                                    for c in columns))
            for (kind, text), number in self.statistics.most_common():
                if kind == "message":
                    self.print("%9d %s" % (number, text))
        self.print("%d passed, %d failed" % (self.passed, self.failed))
        return 1 if self.failed or not self.passed else 0


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    table = os.path.join(here, "..", "..", "libconf", "parameters.tsv")
    parser = argparse.ArgumentParser(description="Compare two postconf programs "
                                                 "on random configurations.")
    parser.add_argument("--ours", required=True, metavar="BIN")
    parser.add_argument("--stock", required=True, metavar="BIN")
    parser.add_argument("--count", type=int, default=2000, metavar="N",
                        help="number of configuration directories (2000)")
    parser.add_argument("--seed", default="1", metavar="S")
    parser.add_argument("--only-case", type=int, metavar="K",
                        help="run this case only, and show its commands")
    parser.add_argument("--parameters", default=table, metavar="FILE",
                        help="table of built-in parameters (libconf/parameters.tsv)")
    parser.add_argument("-v", action="store_true", dest="verbose",
                        help="print statistics on what was exercised")
    options = parser.parse_args()

    report = Report(options.seed, options.verbose)
    programs = [os.path.abspath(p) for p in (options.ours, options.stock)]
    for program in programs:
        if not os.access(program, os.X_OK):
            print("cannot run %s" % program, file=sys.stderr)
            return report.finish()
    parameters = Parameters(options.parameters)

    numbers = range(options.count) if options.only_case is None else [options.only_case]
    cases = ((n, Case(random.Random("%s/%d" % (options.seed, n)), parameters))
             for n in numbers)
    home = os.getcwd()
    top = tempfile.mkdtemp(prefix="postconf-differential-")

    def make_tools(index):
        return tuple(Tool(program, os.path.join(top, "%d-%s" % (index, label)))
                     for label, program in zip(("ours", "stock"), programs))

    def done(number, case, results):
        for command, mine, theirs in results:
            if options.only_case is not None:
                report.print("# " + shlex.join(command.arguments))
            report.add(number, case, command, mine, theirs)

    try:
        run_cases(cases, make_tools, done)
    finally:
        os.chdir(home)
        shutil.rmtree(top, ignore_errors=True)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
