#!/usr/bin/env python3
"""Compare two implementations of postmap and postalias on random tables.

Usage: postmap_differential.py --ours DIR --stock DIR
           [--count N] [--seed S] [--only-case K] [-v]

DIR is the directory of the programs postmap and postalias, or the path of
either.  Random cases (see postmap_generate.py) are run until N commands have
been compared.  Each case is a directory of files and a series of commands;
both implementations run it in a copy of their own.  Compared after every
command are standard output (sorted, where a table is listed), standard error
without the directory of the program, the exit status, and the names and
permissions of all files.  A case ends at its first difference, because what
follows would only repeat it.

The stock programs are of an older release than the one that is reimplemented.
Differences that follow from that are listed in RULES and in normalised(), each
with its reason, and nothing else is tolerated.

A case depends only on the seed and its number, so that a failure can be
repeated with --seed and --only-case.  The last line of output is
"N passed, M failed"; the exit status is 1 when any failed or when none was
run.
"""

import argparse
import collections
import dataclasses
import difflib
import itertools
import multiprocessing
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

from postmap_generate import Case

# ------------------------------------------------ differences that are allowed

Rule = collections.namedtuple("Rule", "pattern replacement reason")

# Applied to the standard error of the older release.
RULES = [
    Rule(rb"unsupported dictionary type: (\S+) does not support bulk-mode creation\.",
         rb"no 'map create' support for this type: \1", "reworded"),
    Rule(rb"unsupported dictionary type: (\S+)\. Is the postfix-\1 package installed\?",
         rb"unsupported map type: \1", "reworded"),
    Rule(rb"dict_cdb_open: inappropriate open flags for cdb database - specify .*",
         rb"unsupported non-bulk change request",
         "the newer release says no before it opens the file"),
    Rule(rb"specify only one of -s -q or -d", rb"specify only one of -d -i -q or -s",
         "the newer release counts -i among them"),
    Rule(rb"name must be local$", rb"name must be local and have no domain", "reworded"),
]

# Lines of -s: the older release adds these to an alias database for NIS, the newer one does not.
NIS_ENTRIES = re.compile(rb"^YP_(LAST_MODIFIED|MASTER_NAME)(:)?\t.*\n", re.M)

# Not generated, because the older release lacks or changed it: option -j, debug:, listing a cdb:
# table, -i together with -d, -q or -s, and quoted names in alias files (which the older release
# stores without their quotes).

# ---------------------------------------------------------------------- runner

# A run that takes longer than this many seconds is killed and counts as a result of its own.
TIMEOUT = 20

WORKERS = 2

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}



@dataclasses.dataclass
class Result:
    status: int
    stdout: bytes
    stderr: bytes
    files: list




Failure = collections.namedtuple("Failure", "number commands files differences")


class Directory:
    """A copy of a case's files, and the programs that run in it."""

    def __init__(self, programs, top, case):
        self.programs = programs
        self.top = top
        os.makedirs(top)
        # The older release sleeps when it reads a main.cf that is only seconds old.
        old = time.time() - 3600
        for name, data in case.files.items():
            path = os.path.join(os.fsencode(top), name)
            with open(path, "wb") as stream:
                stream.write(data)
            os.chmod(path, case.modes.get(name, 0o644))
            os.utime(path, (old, old))

    def run(self, command):
        try:
            done = subprocess.run([command.program.encode()] + command.arguments,
                                  executable=os.path.join(self.programs, command.program),
                                  cwd=self.top, env=ENVIRONMENT, input=command.stdin,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            return Result("timeout", b"", b"", [])
        modes = sorted("%s %o" % (entry.name, entry.stat().st_mode & 0o7777)
                       for entry in os.scandir(self.top))
        stderr = re.sub(rb"(?m)^\S*/(post\w+: )", rb"\1", done.stderr)
        return Result(done.returncode, done.stdout, stderr, modes)


def is_well_formed(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def shown_as_text(stderr):
    """Messages as ours shows them: 3.7 lets through what only has the form of UTF-8, such as surrogates."""
    return re.sub(rb"[\x80-\xff]+", mark_ill_formed, stderr)


def mark_ill_formed(match):
    data, out = match.group(), b""
    while data:
        length = next((n for n in (2, 3, 4) if is_well_formed(data[:n]) and len(data[:n]) == n), 0)
        out += data[:length] or b"?"
        data = data[length or 1:]
    return out


def is_excused(ours, stock, command):
    """What 3.7 does that nobody would want: ours does better, and says so in the manual page."""
    # Removing a key that cannot be in any table succeeds.
    if b"-d" in command.arguments and b"non-UTF-8 key" in stock.stderr:
        return True
    # The answers before a fatal error are lost.
    if stock.status and ours.status and not stock.stdout and b": fatal: " in stock.stderr:
        ours.stdout = b""
    # lmdb takes an empty key for an error of the database.
    if b"MDB_BAD_VALSIZE" in stock.stderr:
        return True
    # After a value that is not UTF-8, an older error's reason is given.
    if b"non-UTF-8 value" in stock.stderr:
        stock.stderr = re.sub(rb"(query error): Application error", rb"\1", stock.stderr)
    return False


def normalised(command, result, is_stock):
    """RESULT as lines that can be compared, name by name."""
    stdout, stderr = result.stdout, shown_as_text(result.stderr)
    if is_stock:
        for rule in RULES:
            stderr = re.sub(b"(?m)" + rule.pattern, rule.replacement, stderr)
    is_list = any(a in (b"-s", b"-Fs") for a in command.arguments)
    if is_list and is_stock:
        stdout = NIS_ENTRIES.sub(b"", stdout)
    lines = stdout.split(b"\n")
    return {"exit status": [str(result.status)], "standard output": visible(sorted(lines) if is_list else
                                                                            lines),
            "standard error": visible(stderr.split(b"\n")), "files": result.files}


def visible(lines):
    return [repr(line)[2:-1] for line in lines]


def run_case(job):
    """Run one case with both implementations: the number of equal commands, and the failure or None."""
    number, seed, ours, stock, top = job
    # A program that is compared with itself is of the older release, too.
    is_stock = (os.path.samefile(ours, stock), True)
    case = Case(random.Random("%s/%d" % (seed, number)))
    # The same directory name, because it may appear in messages.
    places = [os.path.join(top, label, "%d" % number) for label in ("ours", "stock")]
    directories = [Directory(programs, place, case) for programs, place in zip((ours, stock), places)]
    kinds = []
    try:
        for index, command in enumerate(case.commands):
            results = [directory.run(command) for directory in directories]
            kinds.append((command.program, kind_of(command), outcome(results[1])))
            if is_excused(*results, command):
                continue
            mine, theirs = (normalised(command, *pair) for pair in zip(results, is_stock))
            differences = [(what, mine[what], theirs[what])
                           for what in mine if mine[what] != theirs[what]]
            if differences:
                return kinds, Failure(number, case.commands[:index + 1], case.files, differences)
    finally:
        for place in places:
            shutil.rmtree(place, ignore_errors=True)
    return kinds, None


def outcome(result):
    if b": fatal: " in result.stderr:
        return "fatal"
    return "status %s%s" % (result.status, ", warned" if result.stderr else "")


def kind_of(command):
    modes = [a.decode() for a in command.arguments if a in (b"-q", b"-s", b"-i", b"-d", b"-Fs")]
    return modes[0] if modes else "build"


# --------------------------------------------------------------------- reports

class Report:
    FULL = 12       # this many differences are printed in full
    BRIEF = 100     # and this many more with one line each

    def __init__(self, seed, verbose):
        self.seed = seed
        self.verbose = verbose
        self.passed = 0
        self.failed = 0
        self.statistics = collections.Counter()

    def add(self, kinds, failure):
        self.statistics.update(kinds)
        self.passed += len(kinds) - (failure is not None)
        if failure is None:
            return
        self.failed += 1
        if self.failed <= self.FULL:
            self.show(failure)
        elif self.failed <= self.FULL + self.BRIEF:
            print("case %d: %s: %s" % (failure.number, ", ".join(d[0] for d in failure.differences),
                                       shown(failure.commands[-1])))

    def show(self, failure):
        print("=" * 72)
        print("seed %s case %d" % (self.seed, failure.number))
        for name, data in failure.files.items():
            if name != b"main.cf" or b"smtputf8" in data or b"default_database" in data:
                print("--- %s ---" % name.decode())
                print("\n".join(visible(data.split(b"\n"))))
        for command in failure.commands:
            print("command: " + shown(command))
        for what, mine, theirs in failure.differences:
            print("--- difference in %s ---" % what)
            for text in difflib.unified_diff(theirs, mine, "stock", "ours", lineterm="", n=1):
                print(text)

    def finish(self):
        if self.verbose:
            for key, count in sorted(self.statistics.items()):
                print("%7d %s" % (count, " ".join(key)))
        print("%d passed, %d failed" % (self.passed, self.failed))
        return 1 if self.failed or not self.passed else 0


def shown(command):
    words = [command.program] + [repr(a)[2:-1] for a in command.arguments]
    return shlex.join(words) + (" < " + repr(command.stdin)[1:] if command.stdin else "")


def directory_of(path):
    path = os.path.abspath(path)
    return path if os.path.isdir(path) else os.path.dirname(path)


def main():
    parser = argparse.ArgumentParser(
        description="Compare two implementations of postmap and postalias on random tables.")
    parser.add_argument("--ours", required=True, metavar="DIR")
    parser.add_argument("--stock", required=True, metavar="DIR")
    parser.add_argument("--count", type=int, default=2000, metavar="N", help="number of commands (2000)")
    parser.add_argument("--seed", default="1", metavar="S")
    parser.add_argument("--only-case", type=int, metavar="K")
    parser.add_argument("-v", action="store_true", dest="verbose",
                        help="print statistics on what was exercised")
    options = parser.parse_args()

    report = Report(options.seed, options.verbose)
    ours, stock = directory_of(options.ours), directory_of(options.stock)
    for directory in (ours, stock):
        for program in ("postmap", "postalias"):
            if not os.access(os.path.join(directory, program), os.X_OK):
                print("cannot run %s/%s" % (directory, program), file=sys.stderr)
                return report.finish()

    numbers = itertools.count() if options.only_case is None else [options.only_case]
    top = tempfile.mkdtemp(prefix="postmap-differential-")
    os.chmod(top, 0o755)
    try:
        with multiprocessing.Pool(WORKERS) as pool:
            jobs = ((number, options.seed, ours, stock, top) for number in numbers)
            while report.passed + report.failed < options.count:
                batch = list(itertools.islice(jobs, 50))
                if not batch:
                    break
                for kinds, failure in pool.imap(run_case, batch):
                    report.add(kinds, failure)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
