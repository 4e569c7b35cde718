#!/usr/bin/env python3
"""Holds index files against what they promise: readers never meet half a table, and no change is lost.

usage: table_safety_test.py --bin DIR [--only WORD]

Everything happens in a scratch directory. The parts that need the distribution's Postfix are skipped, with the
reason, where it is missing. Postfix itself is never started.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import contextlib
import fcntl
import os
import random
import re
import select
import shlex
import statistics
import subprocess
import sys
import threading
import time

import tables
from checks import environment, run_together, shorten
from tables import BTREE, HASH, LMDB, Built, difference, leftovers, write_source

REBUILDS = 50
KILLS = 60  # for each type


def version(number, count, size=20):
    """The entries of a source; `number` is in every value."""
    return {"key%d@example.com" % i: "version %d of %d.%s" % (number, i, "x" * (i % size)) for i in range(count)}


# Readers while tables are rebuilt.

class Reader(threading.Thread):
    """Asks for the keys of the first version, again and again; `faults` says what was neither the old nor the new
    answer. The second version has them too."""

    def __init__(self, program, table, versions, stop):
        super().__init__()
        self.program, self.table, self.versions, self.stop = program, table, versions, stop
        self.rounds = 0
        self.faults = []

    def run(self):
        while not self.stop.is_set() or self.rounds == 0:
            got, done = self.program.answers(self.table, self.versions[0])
            bad = [key for key in self.versions[0] if got is None or got.get(key) not in
                   (self.versions[0][key], self.versions[1][key])]
            if bad or done.status != 0 or len(got) != len(self.versions[0]):
                self.faults.append("%d keys bad, %.100r; %s" % (len(bad), bad[:2], done))
                return
            self.rounds += 1


class OpenReader:
    """One `postmap -q -`, asked key by key."""

    def __init__(self, program, table):
        self.process = program.start("-q", "-", table)

    def send(self, key):
        self.process.stdin.write(key.encode() + b"\n")
        self.process.stdin.flush()

    def receive(self, key, end="\n", timeout=10):
        """The value of `key`; or what came instead, up to `end`."""
        text = b""
        while not text.endswith(end.encode()):
            if not select.select([self.process.stdout], [], [], timeout)[0]:
                return "no answer, %r" % text
            block = os.read(self.process.stdout.fileno(), 65536)
            if not block:
                return "end of output, %r; %r" % (text, self.process.stderr.read())
            text += block
        return text.decode().removeprefix(key + "\t").removesuffix("\n")

    def ask(self, key):
        self.send(key)
        return self.receive(key)

    def close(self):
        """(status, stderr, what was still to come)."""
        try:
            out, err = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
        return self.process.returncode, err.decode(), out.decode()


def check_readers(checks, place):
    # The file grows and shrinks.
    versions = [version(1, 300), version(2, 6000)]
    for table_type in tables.TYPES:
        built = Built(place, "readers", table_type, versions[0])
        programs = [place.ours, place.ours]
        if stock := place.stock_for(checks, "%s: Postfix reads during rebuilds" % table_type, table_type):
            programs.append(stock)
        stop = threading.Event()
        readers = [Reader(program, built.table, versions, stop) for program in programs]
        opened = OpenReader(place.ours, built.table)
        key = "key7@example.com"
        wrong = []
        for reader in readers:
            reader.start()
        try:
            for i in range(REBUILDS):
                wanted = versions[(i + 1) % 2]
                done = built.rebuild(wanted)
                answer = opened.ask(key)
                if done.status != 0 or done.err or answer != wanted[key]:
                    wrong.append("rebuild %d: %s; answer %r" % (i, done, answer))
                    break
        finally:
            stop.set()
            for reader in readers:
                reader.join()
        checks.check("%s: %d rebuilds; a reader that stays open sees each" % (table_type, REBUILDS), not wrong, wrong)
        checks.equal("%s: the reader that stayed open ends well" % table_type, opened.close(), (0, "", ""))
        for reader in readers:
            checks.check("%s: %s, asking meanwhile, always gets the old or the new values" %
                         (table_type, reader.program), not reader.faults and reader.rounds > 1,
                         lambda r=reader: "%d rounds; %s" % (r.rounds, r.faults))


def check_rebuilds_by_postfix(checks, place):
    """Postfix builds in place, under its lock: our readers wait for it."""
    versions = [version(number, 300) for number in (1, 2)]
    for table_type in tables.TYPES:
        name = "%s: ours, asking while Postfix rebuilds, always gets the old or the new values" % table_type
        stock = place.stock_for(checks, name, table_type)
        if not stock:
            continue
        built = Built(place, "postfix-rebuilds", table_type, versions[0])
        stop = threading.Event()
        reader = Reader(place.ours, built.table, versions, stop)
        opened = OpenReader(place.ours, built.table)
        key = "key7@example.com"
        wrong = []
        reader.start()
        try:
            for i in range(20):
                wanted = versions[(i + 1) % 2]
                write_source(built.source, wanted)
                done = stock.run(built.table)
                answer = opened.ask(key)
                if done.status != 0 or answer != wanted[key]:
                    wrong.append("rebuild %d: %s; answer %r" % (i, done, answer))
                    break
        finally:
            stop.set()
            reader.join()
        checks.check(name, not reader.faults and reader.rounds > 1, lambda: "%d rounds; %s" % (reader.rounds,
                                                                                               reader.faults))
        checks.check("%s: ours, staying open, sees each rebuild by Postfix" % table_type, not wrong, wrong)
        checks.equal("%s: ours, having stayed open, ends well" % table_type, opened.close(), (0, "", ""))


def check_changes_in_one_tick(checks, place):
    """The time of a file does not tell two changes apart that follow each other within milliseconds."""
    for table_type in tables.CHANGEABLE:
        built = Built(place, "one-tick", table_type, version(1, 300))
        opened = OpenReader(place.ours, built.table)
        opened.ask("key1@example.com")
        missed = []
        for i in range(200):
            before = built.index.stat()
            place.ours.run("-i", built.table, stdin="added%d value\n" % i)
            if built.index.stat().st_size == before.st_size:
                os.utime(built.index, ns=(before.st_atime_ns, before.st_mtime_ns))
            # The second answer shows that there was none to the first.
            opened.send("added%d" % i)
            opened.send("key1@example.com")
            if opened.receive("added%d" % i, end="1.x\n").count("\n") != 1:
                missed.append(i)
        checks.equal("%s: a reader that stays open sees changes that leave the time of the file" % table_type,
                     missed, [])
        checks.equal("%s: that reader ends well" % table_type, opened.close(), (0, "", ""))


def check_open_postfix_reader_of_lmdb(checks, place):
    """Postfix keeps an lmdb file open, and looks at no other: what is new must come into the same file."""
    name = "lmdb: Postfix, staying open, sees our rebuilds"
    stock = place.stock_for(checks, name, LMDB)
    if not stock:
        return
    # Values longer than Postfix's output buffer: most of an answer is printed at once, the rest before the next.
    versions = [{"key": ("version %d;" % i) * 1000, "other": "y"} for i in range(5)]
    built = Built(place, "open-reader", LMDB, versions[0])
    inode = built.index.stat().st_ino
    opened = OpenReader(stock, built.table)
    try:
        for number, entries in enumerate(versions):
            if number > 0:
                built.rebuild(entries)
            opened.send("key")
            wanted = b"version %d;" % number
            seen = b""
            while wanted not in seen and select.select([opened.process.stdout], [], [], 5)[0]:
                block = os.read(opened.process.stdout.fileno(), 65536)
                if not block:
                    break
                seen += block
            checks.check("%s, number %d" % (name, number), wanted in seen,
                         lambda s=seen: sorted(set(re.findall(rb"version \d;", s))))
    finally:
        status, err, _ = opened.close()
    checks.equal("lmdb: Postfix, having stayed open, ends well", (status, err), (0, ""))
    checks.equal("lmdb: a rebuild keeps the file", built.index.stat().st_ino, inode)


# A kill at any moment.

def check_kill(checks, place, table_type, kills=KILLS):
    count = 10000
    current = version(0, count)
    built = Built(place, "kill", table_type, current)
    times = []
    for _ in range(5):
        start = time.monotonic()
        built.rebuild(current)
        times.append(time.monotonic() - start)
    longest = 1.3 * statistics.median(times)
    chance = random.Random("kill " + table_type.name)
    seen = {"old": 0, "new": 0, "half-written": 0}
    broken = None
    for i in range(1, kills + 1):
        # The table grows and shrinks.
        wanted = version(i, count + chance.choice((-4000, 0, 0, 4000)), chance.choice((1, 20, 200)))
        write_source(built.source, wanted)
        child = subprocess.Popen(place.ours.command(built.table), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
        time.sleep(chance.uniform(0, longest))
        child.kill()
        _, err = child.communicate()
        seen["half-written"] += bool(leftovers(built.directory))
        got, done = place.ours.entries(built.table)
        if got == wanted:
            seen["new"] += 1
            current = wanted
        elif got == current and child.returncode != 0:
            seen["old"] += 1
        else:
            broken = "kill %d, status %s, %s; against the old one: %s; the new one: %s; %s" % (
                i, child.returncode, err, difference(got, current), difference(got, wanted), done)
            break
        if err:
            broken = "kill %d: the build after a kill says %s" % (i, err)
            break
    name = "%s: %d times kill -9 of a build" % (table_type, kills)
    checks.check("%s: the old or the new table is there, and complete" % name, not broken, broken)
    # Otherwise the check above has shown nothing. An lmdb file has no other beside it.
    checks.check("%s: some came before, some within and some after the build" % name,
                 all(times for kind, times in seen.items() if kind != "half-written" or table_type is not LMDB),
                 "%s with delays up to %.1f ms" % (seen, 1000 * longest))
    if stock := place.stock_for(checks, "%s: Postfix reads it" % name, table_type):
        got, done = stock.answers(built.table, current)
        checks.check("%s: Postfix reads it" % name, got == current, lambda: "%s; %s" % (difference(got, current), done))
    done = built.rebuild(version(1, 10))
    got, _ = place.ours.entries(built.table)
    checks.check("%s: the next build works, and leaves no .tmp" % name, done.status == 0 and not done.err and
                 got == version(1, 10) and not leftovers(built.directory), done)


def check_kill_hash(checks, place):
    check_kill(checks, place, HASH)


def check_kill_btree(checks, place):
    check_kill(checks, place, BTREE)


def check_kill_cdb(checks, place):
    check_kill(checks, place, tables.CDB)


def check_kill_lmdb(checks, place):
    check_kill(checks, place, LMDB)


# No change is lost.

def shell(program, text, *arguments):
    """A command that gives the program `text` to read."""
    return ["sh", "-c", "printf %%s %s | %s" % (shlex.quote(text), shlex.join(program.command(*arguments)))]


# Where Postfix 3.7 loses changes of its own, or breaks the file, when several run at the same time.
UNSAFE_IN_POSTFIX = {(HASH, "-d"), (BTREE, "-d"), (LMDB, "-i")}


def check_concurrent_changes(checks, place):
    for table_type in tables.CHANGEABLE:
        for option in ("-i", "-d"):
            check_concurrent(checks, place, table_type, option, "eight processes", [place.ours] * 8, 50)
            if (table_type, option) in UNSAFE_IN_POSTFIX:
                continue
            name = "%s: %s by four of ours and four of Postfix" % (table_type, option)
            if stock := place.stock_for(checks, name, table_type):
                check_concurrent(checks, place, table_type, option, "four of ours, four of Postfix",
                                 [place.ours, stock] * 4, 25)


def check_concurrent(checks, place, table_type, option, who, programs, each):
    name = "%s: %s, %d times %s" % (table_type, who, each, option)
    kept = {"old%d" % i: "value" for i in range(20)}
    keys = [["worker%d_%d" % (k, i) for i in range(each)] for k in range(len(programs))]
    theirs = {key: "value of " + key for mine in keys for key in mine}
    built = Built(place, "concurrent%s-%d" % (option, each), table_type, kept if option == "-i" else {**kept, **theirs})
    failures = run_together([[shell(program, "%s %s\n" % (key, theirs[key]), "-i", built.table) if option == "-i" else
                              program.command("-d", key, built.table) for key in mine]
                             for program, mine in zip(programs, keys)])
    checks.check("%s: all succeed" % name, not failures, lambda: shorten(failures, 1500))
    wanted = {**kept, **theirs} if option == "-i" else kept
    got, done = place.ours.entries(built.table)
    checks.check("%s: none is lost" % name, got == wanted, lambda: "%s; %s" % (difference(got, wanted), done))


def check_first_of_many(checks, place):
    """Eight processes find no index, and each is about to make it."""
    for table_type in tables.TYPES:
        directory = place.directory("first-%s" % table_type)
        source = directory / "table"
        index = directory / ("table" + table_type.suffix)
        table = "%s:%s" % (table_type, source)
        entries = version(1, 500)
        write_source(source, entries)
        wrong = []
        for i in range(10):
            index.unlink(missing_ok=True)
            failures = run_together([[place.ours.command(table)]] * 8)
            got, done = place.ours.entries(table)
            if failures or got != entries or leftovers(directory):
                wrong.append("round %d: %s; %s; %s" % (i, failures, difference(got, entries), done))
        checks.check("%s: eight builds of the first index at the same time" % table_type, not wrong, wrong)
        if not table_type.changes:
            continue
        wanted = {"key%d" % k: "value" for k in range(8)}
        for i in range(10):
            index.unlink(missing_ok=True)
            failures = run_together([[shell(place.ours, "%s value\n" % key, "-i", table)] for key in wanted])
            got, done = place.ours.entries(table)
            if failures or got != wanted:
                wrong.append("round %d: %s; %s; %s" % (i, failures, difference(got, wanted), done))
        checks.check("%s: eight times -i make the first index at the same time" % table_type, not wrong, wrong)


def check_changes_and_rebuilds(checks, place):
    """A rebuild takes the place of the file; a change that waited for it must not go into the old one."""
    for table_type in tables.CHANGEABLE:
        stock = place.stock_for(checks, "%s: -i by Postfix beside a rebuild of ours" % table_type, table_type)
        if (table_type, "-i") in UNSAFE_IN_POSTFIX:
            stock = None
        for program in filter(None, (place.ours, stock)):
            name = "%s: -i by %s beside a rebuild of ours" % (table_type, program)
            entries = version(1, 3000)
            built = Built(place, "beside-%s" % program, table_type, entries)
            lost = []
            for i in range(15):
                key = "added%d" % i
                failures = run_together([[place.ours.command(built.table)],
                                         [shell(program, key + " value\n", "-i", built.table)]])
                got, done = place.ours.entries(built.table)
                # It came before the rebuild, which knows nothing of it, or afterwards.
                if failures or got not in (entries, {**entries, key: "value"}):
                    lost.append("round %d: %s; %s; %s" % (i, failures, difference(got, entries), done))
            checks.check("%s: the file is whole, and both succeed" % name, not lost, lost)


# Locks, held by others.

@contextlib.contextmanager
def held_lock(index, table_type):
    """As Postfix holds it."""
    with open(index, "r+b") as file:
        (fcntl.lockf if table_type is LMDB else fcntl.flock)(file, fcntl.LOCK_EX)
        yield


def waits(process, seconds=0.4):
    """Whether it has not ended after a while."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.poll() is None


def end(process, stdin=b""):
    try:
        return process.communicate(stdin, timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


def check_locks(checks, place):
    old, new = version(1, 50), version(2, 50)
    key = "key7@example.com"
    for table_type in tables.CHANGEABLE:
        for what, arguments, stdin, wanted in (
                ("a rebuild", (), b"", new),
                ("-i", ("-i",), b"added value\n", dict(old, added="value")),
                ("-d", ("-d", key), b"", {k: v for k, v in old.items() if k != key})):
            built = Built(place, "lock-" + what.replace(" ", "-"), table_type, old)
            write_source(built.source, new)
            before = built.index.read_bytes()
            with held_lock(built.index, table_type):
                process = place.ours.start(*arguments, built.table)
                process.stdin.write(stdin)
                process.stdin.close()
                process.stdin = None
                name = "%s: %s waits for the lock on the index" % (table_type, what)
                checks.check(name, waits(process), "status %s" % process.returncode)
                checks.check("%s, and changes nothing meanwhile" % name, built.index.read_bytes() == before)
            out, err = end(process)
            got, done = place.ours.entries(built.table)
            checks.check("%s, and goes on when it is free" % name, process.returncode == 0 and not err and
                         got == wanted, lambda d=done, g=got, w=wanted: "%s; %s" % (difference(g, w), d))
        # A reader waits for whoever changes the file, too.
        with held_lock(built.index, table_type):
            process = place.ours.start("-q", "key1@example.com", built.table)
            checks.check("%s: -q waits for the lock on the index" % table_type, waits(process),
                         "status %s" % process.returncode)
        out, err = end(process)
        checks.check("%s: -q goes on when it is free" % table_type, process.returncode == 0 and
                     out.decode() == old["key1@example.com"] + "\n", (out, err))


def check_lock_of_postfix(checks, place):
    old, new = version(1, 50), version(2, 50)
    # For lmdb, postmap -i of Postfix 3.7 takes the lock for moments only.
    for table_type in (HASH, BTREE):
        name = "%s: a rebuild of ours waits for a postmap -i of Postfix" % table_type
        stock = place.stock_for(checks, name, table_type)
        if not stock:
            continue
        built = Built(place, "lock-of-postfix", table_type, old)
        write_source(built.source, new)
        # Postfix locks the index first, and then reads its standard input.
        change = stock.start("-i", built.table)
        time.sleep(0.3)
        rebuild = place.ours.start(built.table)
        checks.check(name, waits(rebuild), "status %s" % rebuild.returncode)
        end(change, b"added value\n")
        end(rebuild)
        got, done = place.ours.entries(built.table)
        checks.check("%s, and goes on afterwards" % name, change.returncode == rebuild.returncode == 0 and got == new,
                     lambda g=got, d=done: "%s; %s" % (difference(g, new), d))


if __name__ == "__main__":
    sys.exit(tables.main(__doc__, "table-safety-", (
        check_readers, check_rebuilds_by_postfix, check_changes_in_one_tick, check_open_postfix_reader_of_lmdb,
        check_kill_hash, check_kill_btree, check_kill_cdb, check_kill_lmdb, check_concurrent_changes,
        check_first_of_many, check_changes_and_rebuilds, check_locks, check_lock_of_postfix)))
