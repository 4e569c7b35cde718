#!/usr/bin/env python3
"""Compare the speed of two implementations of postmap and postalias.

Usage: postmap_bench.py [--ours DIR] [--stock DIR] [--rounds N] [--only PREFIX] [--quick] [--directory DIR]

How it measures:

- Both programs do the same work in turn, round after round, and who goes first
  changes with each round: whatever else slows the machine down for a while
  slows down both.
- Both read the same bytes (postmap_sources.py makes them, from fixed seeds).
  Each has a directory of its own for its main.cf and its indexes.
- Before anything is timed, both do the work once, and what they say must be
  equal: answers byte for byte, listings sorted, warnings and exit status too.
  The index that a build leaves is read by the stock program for both.  Where
  they differ there is no ratio but "DIFFERENT".
- A program is started with posix_spawn, without a shell; answers go to
  /dev/null.  CPU time is user plus system time of the child, as wait4 reports
  it, and so is the peak of its resident memory.
- A build writes a new index: the old one is removed first, outside the
  measured time.  Both wait until the index is on the disk, so the wall time
  includes the file system; choose one with --directory.

Ratios are ours / stock of the medians: lower is better.  "must" is what ours
should not exceed, "reach" is what seems within reach; the mark at the end
("reach", "must", "MISSED") is for the worse of wall and CPU.  This is no test:
the exit status is always 0.
"""

import argparse
import collections
import dataclasses
import filecmp
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from typing import Callable, Optional

import postmap_sources as sources
import side_by_side

LABELS = ("ours", "stock")
MAIN_CF = """\
compatibility_level = 3.6
myhostname = mail.example.com
mydomain = example.com
mynetworks = 127.0.0.0/8
"""
SUFFIXES = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb"}
LISTABLE = ("hash", "btree", "lmdb")
MEBIBYTE = 1 << 20
MARKS = {"reach": "within reach", "must": "as they must be", "MISSED": "slower or larger than they should be",
         "DIFFERENT": "not the same as stock"}


@dataclasses.dataclass(frozen=True)
class Target:
    must: float
    reach: float

    def mark(self, ratio):
        return "reach" if ratio <= self.reach else "must" if ratio <= self.must else "MISSED"


@dataclasses.dataclass(frozen=True)
class Source:
    """A file that a table is made of, or that is asked of one."""
    name: str
    lines: Callable


@dataclasses.dataclass(frozen=True)
class Work:
    """One thing that both programs do."""
    title: str
    target: Target
    arguments: tuple                    # the last is TYPE:NAME, in the program's own directory
    source: Source                      # of that table
    program: str = "postmap"
    stdin: Optional[Source] = None
    is_build: bool = False
    is_sorted: bool = False             # answers may come in any order
    repeat: int = 1                     # runs in a row that count as one
    is_slow: bool = False               # the stock program takes minutes: fewer rounds
    peak: Optional[Target] = None       # for memory
    size: Optional[Target] = None       # for the index file

    @property
    def type(self):
        return self.arguments[-1].split(":")[0]


def all_work(scale):
    """The table of what is measured; sizes are divided by `scale`."""
    def n(count):
        return max(count // scale, 20)

    work = []
    keys, questions, aliases = n(1000000), n(200000), n(200000)
    table = Source("map", lambda: sources.map_source(keys))
    asked = Source("map.queries", lambda: sources.map_queries(keys, questions))

    for kind, must, reach, size in (("hash", 0.5, 0.3, None), ("btree", 0.7, 0.55, None),
                                    ("lmdb", 0.45, 0.3, Target(0.6, 0.6)), ("cdb", 0.3, 0.15, None)):
        work.append(Work("build %s, %d keys" % (kind, keys), Target(must, reach), (kind + ":map",), table,
                         is_build=True, size=size))
    for kind, must, reach in (("hash", 0.3, 0.15), ("btree", 0.3, 0.15), ("lmdb", 0.4, 0.2),
                              ("cdb", 0.6, 0.45)):
        work.append(Work("query %s, %d keys" % (kind, questions), Target(must, reach),
                         ("-q", "-", kind + ":map"), table, stdin=asked))
    for kind in LISTABLE:
        work.append(Work("list %s, %d keys" % (kind, keys), Target(0.4, 0.12), ("-s", kind + ":map"), table,
                         is_sorted=True))
    work.append(Work("texthash, %d keys, 1 query" % keys, Target(0.3, 0.15),
                     ("-q", sources.address(0), "texthash:map"), table, peak=Target(0.5, 0.35)))

    table = Source("aliases", lambda: sources.alias_source(aliases))
    for kind, must, reach in (("hash", 0.5, 0.3), ("btree", 0.7, 0.4), ("lmdb", 0.5, 0.3),
                              ("cdb", 0.4, 0.25)):
        work.append(Work("aliases %s, %d" % (kind, aliases), Target(must, reach), (kind + ":aliases",), table,
                         program="postalias", is_build=True))

    for count, must, reach in ((n(50000), 0.03, 0.01), (n(500000), 0.02, 0.005)):
        table = Source("cidr.%d" % count, lambda count=count: sources.cidr_source(count))
        asked = Source(table.name + ".queries",
                       lambda count=count: sources.cidr_queries(count, n(10000)))
        work.append(Work("cidr, %d networks" % count, Target(must, reach), ("-q", "-", "cidr:" + table.name),
                         table, stdin=asked, is_slow=count > 100000))

    forms = sources.ADDRESS_PATTERNS + sources.HEADER_PATTERNS
    for kind, targets in (("pcre", ((0.15, 0.05), (0.06, 0.02), (0.03, 0.01))),
                          ("regexp", ((0.15, 0.05), (0.03, 0.005), (0.02, 0.003)))):
        for count, (must, reach) in zip((n(1000), n(10000), n(50000)), targets):
            table = Source("patterns.%d" % count,
                           lambda count=count: sources.pattern_source(forms, count))
            asked = Source(table.name + ".queries",
                           lambda count=count: sources.pattern_queries(forms, count, n(1000)))
            work.append(Work("%s, %d patterns" % (kind, count), Target(must, reach),
                             ("-q", "-", "%s:%s" % (kind, table.name)), table, stdin=asked,
                             is_slow=count > 5000))

    # 50 megabytes of mail: half of it as one header, half as one body.
    half = n(25 * MEBIBYTE)
    for what, option, checks, message, must, reach in (
            ("header_checks", "-hq", sources.HEADER_PATTERNS, sources.header_message, 0.08, 0.02),
            ("body_checks", "-bq", sources.BODY_PATTERNS, sources.body_message, 0.12, 0.06)):
        table = Source(what, lambda checks=checks: sources.pattern_source(checks, 500))
        asked = Source(what + ".message", lambda message=message: message(half))
        work.append(Work("%s, %d MB" % (what, half // MEBIBYTE), Target(must, reach),
                         (option, "-", "pcre:" + what), table, stdin=asked, is_slow=True))

    table = Source("small", lambda: sources.map_source(20))
    start = Target(0.5, 0.3)
    for kind in ("hash", "lmdb"):
        work.append(Work("start, build %s, 20 keys" % kind, start, (kind + ":small",), table, is_build=True,
                         repeat=20))
        work.append(Work("start, query %s" % kind, start, ("-q", sources.address(7), kind + ":small"), table,
                         repeat=20))
    table = Source("small.pcre", lambda: sources.pattern_source(sources.ADDRESS_PATTERNS, 10))
    work.append(Work("start, query pcre, 10 patterns", Target(1.0, 0.5),
                     ("-q", "user6@example.org", "pcre:small.pcre"), table, repeat=20))
    return work


class Side:
    """One of the two: its programs and its directory."""

    def __init__(self, label, programs, top):
        self.label = label
        self.programs = programs
        self.directory = os.path.join(top, label)
        self.indexed = set()
        os.mkdir(self.directory)
        main_cf = os.path.join(self.directory, "main.cf")
        with open(main_cf, "w", encoding="ascii") as stream:
            stream.write(MAIN_CF)
        side_by_side.make_old(main_cf)

    def path(self, work):
        """The table's file. Hash and btree have one suffix, so each type has a name of its own."""
        return os.path.join(self.directory, "%s.%s" % (work.source.name, work.type))

    def index(self, work):
        return self.path(work) + SUFFIXES[work.type]

    def command(self, work, by=None):
        arguments = [*work.arguments[:-1], "%s:%s" % (work.type, self.path(work))]
        return [os.path.join((by or self).programs, work.program), "-c", self.directory, *arguments]

    def make_ready(self, work, source):
        if not os.path.exists(self.path(work)):
            os.link(source, self.path(work))
        if work.is_build:
            self.remove_index(work)
        elif work.type in SUFFIXES and not os.path.exists(self.index(work)):
            build = dataclasses.replace(work, arguments=work.arguments[-1:])
            side_by_side.run(self.command(build))

    def remove_index(self, work):
        if os.path.exists(self.index(work)):
            os.unlink(self.index(work))


class Bench:
    def __init__(self, programs, top):
        self.top = top
        self.sides = [Side(label, programs[label], top) for label in LABELS]

    def file_of(self, source):
        path = os.path.join(self.top, source.name)
        if not os.path.exists(path):
            sources.write_lines(path, source.lines())
            side_by_side.make_old(path)
        return path

    def answers(self, side, work):
        """What `side` says, as three files: answers, messages, status."""
        out, err, status = (os.path.join(self.top, "%s.%s" % (side.label, end))
                            for end in ("out", "err", "status"))
        stdin = self.file_of(work.stdin) if work.stdin else os.devnull
        usage = side_by_side.run(side.command(work), stdin, out, err)
        if work.is_build:
            self.read_index(side, work, out)
            # Where and when NIS made an index: not from the source, and not the same for both.
            subprocess.run(["sed", "-i", "/^YP_/d", out], check=True)
        if work.is_sorted or work.is_build:
            subprocess.run(["sort", "-o", out, out], env={"LC_ALL": "C"}, check=True)
        with open(err, encoding="utf-8", errors="replace") as stream:
            messages = stream.read().replace(side.directory, "")
        with open(err, "w", encoding="utf-8") as stream:
            stream.write(messages)
        with open(status, "w", encoding="ascii") as stream:
            stream.write(str(usage.status))
        return out, err, status

    def read_index(self, side, work, out):
        """Lists an index by the stock program; a type that cannot be listed is asked for all its keys."""
        if work.type in LISTABLE:
            arguments, stdin = ("-s", work.arguments[-1]), os.devnull
        else:
            stdin = os.path.join(self.top, "keys")
            with open(side.path(work), encoding="ascii") as lines:
                sources.write_lines(stdin, (line.split(":" if work.program == "postalias" else "\t")[0]
                                            for line in lines if line[0].isalpha()))
            arguments = ("-q", "-", work.arguments[-1])
        reading = dataclasses.replace(work, arguments=arguments)
        side_by_side.run(side.command(reading, by=self.sides[1]), stdin, out)

    def difference(self, work):
        """Which of answers, messages and status differ; empty: none."""
        ours, stock = ([*self.answers(side, work)] for side in self.sides)
        different = [what for what, a, b in zip(("answers", "messages", "status"), ours, stock)
                     if not filecmp.cmp(a, b, shallow=False)]
        if os.path.getsize(stock[0]) == 0:
            different.append("nothing to compare")
        return ", ".join(different)

    def measure(self, work, rounds):
        """Two lists of rounds, each a Usage for all its runs."""
        stdin = self.file_of(work.stdin) if work.stdin else os.devnull
        samples = {label: [] for label in LABELS}
        for number in range(rounds):
            order = self.sides if number % 2 else self.sides[::-1]
            totals = {label: [] for label in LABELS}
            for _ in range(work.repeat):
                for side in order:
                    if work.is_build:
                        side.remove_index(work)
                    totals[side.label].append(side_by_side.run(side.command(work), stdin))
            for label, runs in totals.items():
                samples[label].append(side_by_side.Usage(
                    sum(r.wall for r in runs) / len(runs), sum(r.cpu for r in runs) / len(runs),
                    max(r.peak for r in runs), max(r.status for r in runs)))
        return samples

    def rows(self, work, rounds):
        source = self.file_of(work.source)
        for side in self.sides:
            side.make_ready(work, source)
        difference = self.difference(work)
        if difference:
            return ["%-34s %s: DIFFERENT" % (work.title, difference)]
        samples = self.measure(work, rounds)
        middle = {label: [statistics.median(column) for column in zip(*values)]
                  for label, values in samples.items()}
        (our_wall, our_cpu, our_peak, _), (wall, cpu, peak, _) = (middle[label] for label in LABELS)
        ratios = our_wall / wall, our_cpu / cpu if cpu else float("nan")
        rows = ["%-34s %8.3f %8.3f   %9.4f %9.4f %9.4f %9.4f   %s" % (
            work.title, *ratios, our_wall, wall, our_cpu, cpu, mark(work.target, max(ratios)))]
        if work.peak:
            rows.append(amount_row("  peak memory, MiB", our_peak / 1024, peak / 1024, work.peak))
        if work.size:
            our_size, size = (os.path.getsize(side.index(work)) / MEBIBYTE for side in self.sides)
            rows.append(amount_row("  index file, MiB", our_size, size, work.size))
        return rows


def mark(target, ratio):
    return "%5.3g %5.3g  %s" % (target.must, target.reach, target.mark(ratio))


def amount_row(title, ours, stock, target):
    return "%-34s %8.3f %8s   %9.2f %9.2f %19s   %s" % (title, ours / stock, "", ours, stock, "",
                                                       mark(target, ours / stock))


HEADING = "%-34s %8s %8s   %9s %9s %9s %9s   %5s %5s\n%-34s %8s %8s   %9s %9s %9s %9s" % (
    "ratio = ours / stock; seconds", "wall", "cpu", "wall", "wall", "cpu", "cpu", "must", "reach",
    "", "ratio", "ratio", "ours", "stock", "ours", "stock")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description="Compare the speed of two postmap programs.")
    parser.add_argument("--ours", default=os.path.join(here, "../../build/release/bin"), metavar="DIR")
    parser.add_argument("--stock", default="/usr/sbin", metavar="DIR")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--only", default="", metavar="PREFIX", help="only the work whose title starts so")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes")
    parser.add_argument("--directory", metavar="DIR", help="where to put temporary files (the usual place)")
    options = parser.parse_args()
    programs = {"ours": os.path.abspath(options.ours), "stock": os.path.abspath(options.stock)}
    for directory in programs.values():
        for program in ("postmap", "postalias"):
            if not os.access(os.path.join(directory, program), os.X_OK):
                print("cannot run %s" % os.path.join(directory, program))
                return 0

    rounds = max(options.rounds, 1)
    top = tempfile.mkdtemp(prefix="postmap-bench-", dir=options.directory)
    marks = collections.Counter()
    try:
        bench = Bench(programs, top)
        print(HEADING)
        for work in all_work(10 if options.quick else 1):
            if work.title.startswith(options.only):
                rows = bench.rows(work, max(rounds // 3, 1) if work.is_slow else rounds)
                print("\n".join(rows), flush=True)
                marks.update(row.split()[-1] for row in rows)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print("\n" + ", ".join("%d %s" % (marks[mark], words) for mark, words in MARKS.items() if marks[mark]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
