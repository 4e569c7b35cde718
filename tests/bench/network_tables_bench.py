#!/usr/bin/env python3
"""Compare the speed of two implementations of postmap in asking tables that are clients of a server.

Usage: network_tables_bench.py [--ours DIR] [--stock DIR] [--rounds N] [--only TYPE] [--keys N]

How it measures:

- Both ask the same server, by the same UNIX-domain socket or port, with the same settings, for the same keys:
  `postmap -q - TYPE:FILE`.
- They run in turn, round after round, and who goes first changes with each round.
- Before anything is timed, both must find most keys and print the same; where they do not, there is no ratio but
  "DIFFERENT".
  That run also warms up the server.
- The wall time is from just before posix_spawn until wait4 returns. Answers go to /dev/null.

Ratios are ours / stock of the medians and of the best rounds: lower is better. "must" is what ours should not exceed.
This is no test: the exit status is always 0.
"""

import argparse
import contextlib
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
from typing import Callable, NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

import side_by_side  # pylint: disable=wrong-import-position
from client_tables import MAIN_CF
from mariadb_server import MariaDb, data_directory
from memcached_server import MemcachedServer
from postgres_server import PostgresServer
from server import NoServer, private_directory, server_user
from slapd_server import SUFFIX, Slapd, thing

ENTRIES = 20000
MISSING = 2000  # of the names that are asked for, these have no entry


def name(number):
    return "user%d@example.com" % number


def value(number):
    return "mailbox%d@store.example.com" % number


def directory_of(user, stack):
    """A directory for a server that root may not run, which the stack removes."""
    directory = private_directory(server_user(user))
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    return directory


class Case(NamedTuple):
    """One table. `start(directory, stack)` starts its server, which the stack ends, and returns the settings."""
    type: str
    title: str
    start: Callable


def start_mysql(query):
    def start(directory, stack):
        server = stack.enter_context(MariaDb(data_directory(directory / "system"), directory / "mariadb"))
        rows = ",".join("('%s','%s')" % (name(i), value(i)) for i in range(ENTRIES))
        server.sql("""
            CREATE DATABASE mail CHARACTER SET utf8mb4;
            CREATE TABLE mail.aliases (name VARCHAR(100) PRIMARY KEY, target VARCHAR(200)) ENGINE=InnoDB;
            INSERT INTO mail.aliases VALUES %s;
            CREATE USER bench@localhost IDENTIFIED BY 'secret';
            GRANT SELECT ON mail.* TO bench@localhost;""" % rows)
        return "hosts = unix:%s\nuser = bench\npassword = secret\ndbname = mail\nquery = %s\n" % (server.socket, query)
    return start


def start_pgsql(_, stack):
    server = stack.enter_context(PostgresServer(directory_of("postgres", stack)).initialize())
    server.sql("CREATE DATABASE mail", database="postgres")
    server.sql("CREATE TABLE aliases (name VARCHAR(100) PRIMARY KEY, target VARCHAR(200)); INSERT INTO aliases VALUES "
               + ",".join("('%s','%s')" % (name(i), value(i)) for i in range(ENTRIES)) + "; ANALYZE aliases")
    return ("hosts = 127.0.0.1:%d\nuser = admin\npassword = adminpw\ndbname = mail\n"
            "query = SELECT target FROM aliases WHERE name = '%%s'\n" % server.port)


def start_ldap(uri):
    """`uri`: which of the server's."""
    def start(_, stack):
        slapd = stack.enter_context(Slapd("".join(
            thing("entry%d" % i, mailacceptinggeneralid=name(i), maildrop=value(i)) for i in range(ENTRIES))))
        return "server_host = %s\nsearch_base = %s\nbind = no\n" % (getattr(slapd, uri), SUFFIX)
    return start


def start_memcache(_, stack):
    server = stack.enter_context(MemcachedServer("bench", directory_of("memcache", stack), server_user("memcache")))
    server.replace_all({name(i).encode(): value(i).encode() for i in range(ENTRIES)})
    return "memcache = unix:%s\n" % server.socket


CASES = (
    Case("mysql", "one SELECT", start_mysql("SELECT target FROM aliases WHERE name = '%s'")),
    Case("mysql", "one SELECT, LIMIT", start_mysql("SELECT target FROM aliases WHERE name = '%s' LIMIT 1")),
    Case("ldap", "TCP", start_ldap("uri")),
    Case("ldap", "socket", start_ldap("local_uri")),
    Case("ldap", "TLS", start_ldap("tls_uri")),
    Case("pgsql", "TCP", start_pgsql),
    Case("memcache", "socket", start_memcache),
)
MUST = 0.5  # ours / stock


class Side:
    """One of the two programs."""

    def __init__(self, label, directory, configuration):
        self.label, self.configuration = label, configuration
        self.program = os.path.join(directory, "postmap")
        self.walls = []

    def command(self, table):
        return [self.program, "-c", str(self.configuration), "-q", "-", table]

    def answers(self, table, keys):
        with open(keys, "rb") as stdin:
            done = subprocess.run(self.command(table), stdin=stdin, capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr


def compare(case, sides, directory, keys, rounds):
    with contextlib.ExitStack() as stack:
        table = directory / "table.cf"
        table.write_text(case.start(directory, stack))
        table.chmod(0o600)
        spec = "%s:%s" % (case.type, table)
        results = [side.answers(spec, keys) for side in sides]
        if results[0] != results[1] or results[0][0] != 0 or results[0][2]:
            return "DIFFERENT: %r, %r" % tuple((status, len(out), err[:200]) for status, out, err in results)
        walls = {side.label: [] for side in sides}
        for number in range(rounds):
            for side in sides if number % 2 else reversed(sides):
                walls[side.label].append(side_by_side.run(side.command(spec), stdin=str(keys)).wall)
    ours, stock = (walls[side.label] for side in sides)
    ratio, best = statistics.median(ours) / statistics.median(stock), min(ours) / min(stock)
    return "ours %4.0f ms, stock %4.0f ms: %.2f (best rounds: %.0f, %.0f: %.2f)  %s" % (
        statistics.median(ours) * 1e3, statistics.median(stock) * 1e3, ratio, min(ours) * 1e3, min(stock) * 1e3, best,
        "as it must be" if ratio <= MUST else "MISSED, must be %.2f" % MUST)


def main():
    top = pathlib.Path(__file__).resolve().parent.parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--ours", default=str(top / "build/release/bin"), metavar="DIR")
    parser.add_argument("--stock", default="/usr/sbin", metavar="DIR")
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    parser.add_argument("--only", metavar="TYPE")
    parser.add_argument("--keys", type=int, default=10000, metavar="N")
    options = parser.parse_args()

    work = private_directory()
    try:
        configuration = work / "configuration"
        configuration.mkdir()
        (configuration / "main.cf").write_text(MAIN_CF)
        (configuration / "master.cf").write_text("")
        side_by_side.make_old(configuration / "main.cf")
        keys = work / "keys"
        dice = random.Random(1)
        keys.write_text("".join(name(dice.randrange(ENTRIES + MISSING)) + "\n" for _ in range(options.keys)))
        sides = [Side("ours", options.ours, configuration), Side("stock", options.stock, configuration)]
        for number, case in enumerate(CASES):
            if options.only not in (None, case.type):
                continue
            directory = work / str(number)
            directory.mkdir()
            try:
                result = compare(case, sides, directory, keys, options.rounds)
            except NoServer as missing:
                result = "skipped: %s" % missing
            print("%-8s %-17s %d keys: %s" % (case.type, case.title, options.keys, result), flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
