#!/usr/bin/env python3
"""Holds memcache tables against a real server, against the distribution's postmap, and against hostile servers.

usage: memcache_test.py --bin DIR

The server runs in a temporary directory. The parts that need the distribution's postmap are skipped where it is
missing. The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import concurrent.futures
import itertools
import os
import random
import sys
import time

from checks import SOON, run
from client_tables import Desk
from memcached_server import MemcachedServer
from scripted_server import ScriptedServer
from server import run_server_test, server_user

ROUNDS = 40  # of random settings
PARALLEL = 8
SOURCE = "joe@example.com 1\nann@example.com two words\nplain 3\n@example.org 4\n"
ENTRIES = {"joe@example.com": "1", "ann@example.com": "two words", "plain": "3", "@example.org": "4"}


class Bench:
    """What the checks share."""

    def __init__(self, bin_directory, directory, user):
        self.directory, self.user = directory, user
        self.desk = Desk(bin_directory, directory / "config")
        self._numbers = itertools.count()

    def table(self, settings):
        name = "t%d.cf" % next(self._numbers)
        table = self.desk.table("memcache", name, settings)
        # Postfix waits until a file has been left alone for a moment.
        os.utime(self.desk.directory / name, (time.time() - 60,) * 2)
        return table

    def backup(self):
        """A btree table with ENTRIES, of which nobody else knows."""
        source = self.desk.write("backup%d" % next(self._numbers), SOURCE)
        done = run([self.desk.postmap, "-c", self.desk.directory, "btree:%s" % source])
        assert done.status == 0, done
        return "btree:%s" % source

    def entries(self, table):
        done = run([self.desk.postmap, "-c", self.desk.directory, "-s", table])
        return dict(line.split("\t", 1) for line in done.out.splitlines())


def result(done):
    return done.status, done.out, done.err


def check_lookups(checks, bench, server):
    at = "memcache = unix:%s\n" % server.socket
    server.replace_all({b"joe": b"1", b"p:ann": b"2", b"empty": b"", b"big": b"x" * 10240, b"bigger": b"x" * 10241})
    table = bench.table(at)
    checks.equal("lookup: a value", result(bench.desk.ours(table, "joe")), (0, "1\n", ""))
    checks.equal("lookup: keys are folded", bench.desk.ours(table, "JOE").out, "1\n")
    checks.equal("lookup: nothing", result(bench.desk.ours(table, "ann")), (1, "", ""))
    checks.equal("lookup: many", bench.desk.ours(table, "joe", "a b", "ann", "joe").out, "joe\t1\njoe\t1\n")
    checks.equal("lookup: key_format", bench.desk.ours(bench.table(at + "key_format = p:%s\n"), "ann").out, "2\n")
    checks.equal("lookup: as much as data_size_limit", len(bench.desk.ours(table, "big").out), 10241)
    done = bench.desk.ours(table, "joe", "bigger", "joe")
    checks.check("lookup: more than data_size_limit is an error, after the answers before it", done.status == 1 and
                 done.out == "joe\t1\n" and "unexpected memcache server reply: VALUE bigger" in done.err, done)
    done = bench.desk.ours(table, "joe", "k" * 251, "joe")
    checks.check("lookup: a key that is too long is an error", done.status == 1 and done.out == "joe\t1\n" and
                 "CLIENT_ERROR" in done.err and "query error" in done.err, done)


def check_many(checks, bench, server):
    count = 3000
    server.replace_all({b"n%d" % i: b"v%d" % i for i in range(0, count, 3)})
    keys = ["n%d" % i for i in range(count)] + ["n3", "n3", "n4"]
    done = bench.desk.ours(bench.table("memcache = unix:%s\n" % server.socket), *keys)
    wanted = "".join("%s\tv%s\n" % (key, key[1:]) for key in keys if int(key[1:]) % 3 == 0)
    checks.equal("many keys: the answers, in order", result(done), (0, wanted, ""))


def check_backup(checks, bench, server):
    server.replace_all({b"b:plain": b"cached"})
    backup = bench.backup()
    table = bench.table("memcache = unix:%s\nbackup = %s\nkey_format = b:%%s\n" % (server.socket, backup))
    keys = ["joe@example.com", "none", "plain", "joe@example.com", "ann@example.com"]
    checks.equal("backup: what the server has comes first, then the backup", bench.desk.ours(table, *keys).out,
                 "joe@example.com\t1\nplain\tcached\njoe@example.com\t1\nann@example.com\ttwo words\n")
    checks.equal("backup: the server is given what the backup had", server.get(b"b:ann@example.com"), b"two words")
    checks.equal("backup: but not what it does not have", server.get(b"b:none"), None)
    postmap = [bench.desk.postmap, "-c", bench.desk.directory]
    checks.equal("backup: -s lists it", bench.entries(table), ENTRIES)
    checks.equal("backup: -d deletes in both", (run([*postmap, "-d", "plain", table]).status, server.get(b"b:plain"),
                                                sorted(bench.entries(backup))),
                 (0, None, sorted(set(ENTRIES) - {"plain"})))
    checks.equal("backup: what -d finds is what the backup had", run([*postmap, "-d", "plain", table]).status, 1)
    for arguments, stdin in ((("-i", table), b"a b\n"), ((table,), b"")):
        done = run([*postmap, *arguments], stdin=stdin)
        checks.check("no entries are made by postmap %s" % arguments[0][:2],
                     done.status == 1 and "no 'map create' support for this type: memcache" in done.err, done)


def check_servers_that_fail(checks, bench):
    backup = bench.backup()
    cases = {
        "silence": b"",
        "half a line": b"VAL",
        "half a value": b"VALUE k 0 3\r\nab",
        "no end": b"VALUE k 0 3\r\nabc\r\n",
        "another key": b"VALUE j 0 3\r\nabc\r\nEND\r\n",
        "a negative size": b"VALUE k 0 -3\r\nabc\r\nEND\r\n",
        "a huge size": b"VALUE k 0 99999999999999999999\r\nabc\r\nEND\r\n",
        "an endless line": b"x" * (1 << 20),
        "a close": None,
        "an error": b"SERVER_ERROR out of memory\r\n",
    }

    def ask(name):
        number = list(cases).index(name)
        with ScriptedServer(bench.directory / ("hostile-%d.sock" % number), lambda request: cases[name]):
            start = time.monotonic()
            alone, with_backup = bench.desk.ours(tables[name], "k"), bench.desk.ours(backed[name], "plain")
            return name, alone, with_backup, time.monotonic() - start

    settings = "memcache = unix:%s/hostile-%d.sock\ntimeout = 1\n"
    tables = {name: bench.table(settings % (bench.directory, i)) for i, name in enumerate(cases)}
    backed = {name: bench.table((settings + "backup = %s\nmax_try = 1\n") % (bench.directory, i, backup))
              for i, name in enumerate(cases)}
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for name, done, with_backup, seconds in pool.map(ask, cases):
            checks.check("server with %s: a temporary error" % name, done.status == 1 and done.out == "" and
                         "warning: " in done.err and "query error" in done.err, done)
            checks.check("server with %s: the backup answers" % name,
                         with_backup.status == 0 and with_backup.out == "3\n", with_backup)
            checks.check("server with %s: soon" % name, seconds < SOON, "%.1f s" % seconds)
    table = bench.table("memcache = unix:%s/nobody.sock\n" % bench.directory)
    done = bench.desk.ours(table, "k")
    done.err = done.err.replace(str(bench.desk.postmap), "postmap")
    checks.equal("no server: a temporary error", result(done), (1, "", (
        "postmap: warning: connect to {0}/nobody.sock: No such file or directory\n"
        "postmap: fatal: table {1}: query error: No such file or directory\n").format(bench.directory, table)))


def check_restart(checks, bench, server):
    """A server that ends and comes back while keys are asked for: an idle connection is made anew."""
    server.replace_all({b"k": b"v"})
    table = bench.table("memcache = unix:%s\n" % server.socket)
    server.freeze()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(bench.desk.ours, table, *["k"] * 200)
        time.sleep(0.5)
        server.thaw()
        done = asked.result()
    checks.equal("a server that was away for a moment: nothing is lost", (done.status, done.out), (0, "k\tv\n" * 200))


def random_word(rng):
    return rng.choice(["joe@example.com", "ann@example.com", "plain", "@example.org", "x@y", "JOE@example.com",
                       "two words", "tab\tkey", "caf\u00e9", "x@example.com", "a@b.c.d", "", "%s", "joe@"])


def random_settings(rng):
    """Settings without the server's and the backup's."""
    lines = []
    for name, values in (("key_format", ["%s", "p:%s", "%u", "%d", "%u.%2", "x%%%s", "%S-%D", "const", "a b", ""]),
                         ("domain", ["example.com", "example.com, y", "inline:{ {y=1} }"]),
                         ("flags", ["0", "5"]), ("ttl", ["0", "60"]), ("timeout", ["3"]), ("max_try", ["2", "3"]),
                         ("line_size_limit", ["512", "40"]), ("data_size_limit", ["1", "20"])):
        if rng.random() < 0.3:
            lines.append("%s = %s\n" % (name, rng.choice(values)))
    return "".join(lines)


def expanded(rng):
    """A key as some server might hold it."""
    word = rng.choice(["joe@example.com", "ann@example.com", "plain", "x@y", "joe", "example.com", "const", "ann.com"])
    return rng.choice(["%s", "p:%s", "x%%%s", "%s-example.com"]).replace("%s", word).encode()


def check_differential(checks, bench, server):
    """The same server, settings and keys for both programs: what they say and what they leave is the same."""
    if not bench.desk.stock_postmap:
        checks.skip("differential", "the distribution's postmap is not installed")
        return

    def play(number, ask, seed):
        """One program's part of a round, with a server of its own."""
        rng = random.Random(seed)
        backup = bench.backup() if rng.random() < 0.5 else None
        settings = random_settings(rng)
        with MemcachedServer("d%d" % number, bench.directory, bench.user) as own:
            own.replace_all({expanded(rng): b"cached%d" % rng.randrange(100) for _ in range(4)})
            table = bench.table("memcache = unix:%s\nbackup = %s\n%s" % (own.socket, backup or "", settings))
            name = table.split("/")[-1]
            seen = []
            for _ in range(2):
                keys = [random_word(rng) for _ in range(rng.choice([1, 6]))]
                seen.append(("-q", keys, ask(table, *keys)))
            key = random_word(rng)
            seen.append(("-d", key, run([postmaps[ask], "-c", bench.desk.directory, "-d", key, table])))
            seen.append(("-s", "", run([postmaps[ask], "-c", bench.desk.directory, "-s", table])))
            left = {key: own.get(key) for key in own.keys()}
        texts = []
        for mode, keys, done in seen:
            err = done.err.replace(str(postmaps[ask]), "postmap").replace(name, "TABLE").replace(str(own.socket), "S")
            if backup:
                err = err.replace(backup.split("/")[-1], "BACKUP")
            texts.append((mode, keys, done.status, sorted(done.out.splitlines()) if mode == "-s" else done.out, err))
        return settings, texts, left, bench.entries(backup) if backup else None

    postmaps = {bench.desk.ours: bench.desk.postmap, bench.desk.stock: bench.desk.stock_postmap}
    found = 0
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        rounds = [[pool.submit(play, 2 * seed + i, ask, seed) for i, ask in enumerate(postmaps)]
                  for seed in range(ROUNDS)]
        for seed, (ours, stock) in enumerate(rounds):
            if ours.result() != stock.result():
                # A real difference is there every time; one of time, when the machine is busy, is not.
                ours, stock = (pool.submit(play, 2 * (ROUNDS + seed) + i, ask, seed) for i, ask in enumerate(postmaps))
            checks.equal("differential, round %d" % seed, ours.result(), stock.result())
            found += sum(mode == "-q" and bool(out) for mode, _, _, out, _ in stock.result()[1])
    checks.check("differential: enough was found", found > ROUNDS // 3, "%d answers" % found)


def run_checks(checks, bin_directory, directory):
    user = server_user("memcache")
    bench = Bench(bin_directory, directory, user)
    with MemcachedServer("main", directory, user) as server:
        for check in (check_lookups, check_many, check_backup, check_restart):
            check(checks, bench, server)
        check_differential(checks, bench, server)
    check_servers_that_fail(checks, bench)


if __name__ == "__main__":
    sys.exit(run_server_test("memcache tables", run_checks, user="memcache"))
