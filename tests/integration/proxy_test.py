#!/usr/bin/env python3
"""Holds proxy tables and the proxymap service against each other, against the distribution's Postfix in both roles, and
against services that fail.

usage: proxy_test.py --bin DIR

Services run in a temporary directory, at UNIX-domain sockets. The parts that need the distribution's Postfix, and root
for its master, are skipped where these are missing. The last line of the output is 'N passed, N failed[, N skipped]';
the exit status is 1 when any failed.
"""
import argparse
import concurrent.futures
import contextlib
import os
import pwd
import random
import shutil
import sys
import time

from checks import SOON, Checks, run
from client_tables import Desk
from proxy_services import OurService, StockServices, socket_of
from scripted_server import ScriptedServer
from server import NoServer, private_directory

ROUNDS = 12  # of random tables
GREETING = b"protocol\0proxymap_protocol\0\0"
SETTINGS = """queue_directory = {queue}
data_directory = {data}
mail_owner = postfix
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
ipc_timeout = {timeout}
maillog_file = {queue}.log
maillog_file_prefixes = /tmp
proxy_read_maps = {read}
proxy_write_maps = {write}
"""
SOURCE = "joe one\nann two words\njoe@example.com Three\n"
PATTERNS = "/^a(.*)$/ got $1\n/B/i upper\n"


def result(done):
    return done.status, done.out, done.err


def message(*attributes):
    return b"".join(b"%s\0" % attribute.encode() for attribute in attributes) + b"\0"


class Site:
    """Tables, a configuration that approves them, and one or the other service."""

    def __init__(self, bin_directory, directory, name, timeout="20s"):
        self.bin, self.config, self.queue = bin_directory, directory / name, directory / (name + "-queue")
        self.data = directory / (name + "-data")
        self.data.mkdir()
        if os.geteuid() == 0:
            with contextlib.suppress(KeyError):
                os.chown(self.data, pwd.getpwnam("postfix").pw_uid, -1)
        maps = ["hash:map", "cdb:map", "texthash:map", "pcre:patterns", "regexp:patterns", "hash:absent"]
        writable = ["hash:own", "btree:tree", "lmdb:light"]
        self.tables = {"inline": "inline:{joe=one, ann=two}", "static": "static:x", "fail": "fail:x", "nosuch": "nosuch:x"}
        self.tables.update({table: table.replace(":", ":%s/" % self.data) for table in maps + writable})
        (self.data / "map").write_text(SOURCE)
        (self.data / "patterns").write_text(PATTERNS)
        listed = ["proxy:" + self.tables[table] for table in ["inline", "static", "fail", "nosuch", *maps, *writable]]
        self.desk = Desk(bin_directory, self.config, SETTINGS.format(
            queue=self.queue, data=self.data, timeout=timeout, read=", ".join(listed) + ", static:unlisted",
            write=" ".join("proxy:" + self.tables[table] for table in writable)))
        done = run([self.desk.postmap, "-c", self.config, self.tables["hash:map"], self.tables["cdb:map"]])
        assert done.status == 0, done

    def table(self, name):
        return "proxy:" + self.tables.get(name, name)

    def fill(self, table, entries):
        """Makes the index of a table that can be changed, for the one who may change it."""
        file = self.tables[table].split(":", 1)[1]
        with open(file, "w", encoding="utf-8") as source:
            source.writelines("%s\t%s\n" % entry for entry in entries.items())
        os.chown(file, os.stat(self.data).st_uid, -1)
        done = run([self.desk.postmap, "-c", self.config, self.tables[table]])
        assert done.status == 0, done

    def entries(self, table):
        done = run([self.desk.postmap, "-c", self.config, "-s", self.tables[table]])
        return dict(line.split("\t", 1) for line in done.out.splitlines())

    def serve(self, access):
        return OurService(access, self.bin, self.config, self.queue)


def postmaps(site):
    """Both clients, by name."""
    names = {"our client": site.desk.postmap}
    if site.desk.stock_postmap:
        names["stock client"] = site.desk.stock_postmap
    return names


def check_lookups(checks, site, label, postmap):
    """What one client says of one service."""
    def ask(table, *keys, flags=()):
        argv = [postmap, "-c", site.config, *flags]
        if len(keys) == 1:
            return run([*argv, "-q", keys[0], site.table(table)])
        return run([*argv, "-q", "-", site.table(table)], stdin="".join(key + "\n" for key in keys).encode())

    def name(what):
        return "%s: %s" % (label, what)

    for table in ("hash:map", "cdb:map", "texthash:map"):
        checks.equal(name("%s: a value" % table), result(ask(table, "joe")), (0, "one\n", ""))
        checks.equal(name("%s: keys are folded" % table), result(ask(table, "JOE@Example.com")), (0, "Three\n", ""))
        checks.equal(name("%s: but not with -f" % table), result(ask(table, "JOE", flags=["-f"])), (1, "", ""))
        checks.equal(name("%s: also without UTF-8" % table), result(ask(table, "JOE", flags=["-u"])), (0, "one\n", ""))
        checks.equal(name("%s: nothing" % table), result(ask(table, "bob")), (1, "", ""))
        checks.equal(name("%s: many keys" % table), result(ask(table, "joe", "x", "ANN", "", "joe")),
                     (0, "joe\tone\nANN\ttwo words\njoe\tone\n", ""))
    for table in ("pcre:patterns", "regexp:patterns"):
        checks.equal(name("%s: patterns see the key as it is" % table), ask(table, "xBx", "xbx", "abc").out,
                     "xBx\tupper\nabc\tgot bc\n")
    checks.equal(name("a table in its name"), result(ask("inline", "ann")), (0, "two\n", ""))
    checks.equal(name("a prefix more"), result(ask("proxy:static:x", "ann")), (0, "x\n", ""))
    for table in ("fail", "nosuch", "hash:absent"):
        done = ask(table, "joe")
        checks.equal(name("%s: a table that could not tell is an error" % table), (done.status, done.out), (1, ""))
        checks.check(name("%s: and is named" % table),
                     "table %s: query error: Application error" % site.table(table) in done.err, done)
    for table in ("static:unlisted", "hash:/etc/shadow", "hash:%s/map2" % site.data):
        done = ask(table, "joe")
        checks.check(name("%s is not approved" % table), done.status == 1 and done.out == "" and
                     'fatal: proxymap service is not configured for table "%s"\n' % table in done.err, done)


def check_changes(checks, site, label, postmap):
    def delete(table, *keys):
        argv = [postmap, "-c", site.config, "-d", keys[0] if len(keys) == 1 else "-", site.table(table)]
        return run(argv, stdin="".join(key + "\n" for key in keys).encode())

    def name(what):
        return "%s: %s" % (label, what)

    for table in ("hash:own", "btree:tree", "lmdb:light"):
        site.fill(table, {"a": "1", "b": "2", "c": "3", "d": "4"})
        checks.equal(name("%s: -d deletes" % table), (result(delete(table, "A")), site.entries(table)),
                     ((0, "", ""), {"b": "2", "c": "3", "d": "4"}))
        checks.equal(name("%s: -d of nothing" % table), result(delete(table, "a")), (1, "", ""))
        checks.equal(name("%s: -d -" % table), (result(delete(table, "x", "b", "c")), site.entries(table)),
                     ((0, "", ""), {"d": "4"}))
    for table in ("hash:map", "static", "static:unlisted"):
        done = delete(table, "joe")
        checks.check(name("%s is not approved for changes" % table), done.status == 1 and
                     'fatal: proxywrite service is not configured for table "%s"\n' % site.table(table)[6:] in done.err,
                     done)
    checks.equal(name("what is not approved has its entries"), run([postmap, "-c", site.config, "-q", "joe", site.tables["hash:map"]]).out,
                 "one\n")


def check_refused_modes(checks, site, names):
    """What postmap does not do through a service, asked of nobody."""
    table = site.table("hash:map")
    for client, postmap in names.items():
        for arguments, wanted in ((("-s", table), "can't sequence maps via the proxy service"),
                                  ((table,), "can't create maps via the proxy service")):
            done = run([postmap, "-c", site.config, *arguments])
            checks.check("%s: postmap %s" % (client, " ".join(arguments[:-1]) or "alone"),
                         done.status == 1 and done.err.endswith("fatal: %s\n" % wanted), done)
        done = run([postmap, "-c", site.config, "-i", table], stdin=b"a b\n")
        checks.check("%s: postmap -i" % client, done.status == 1 and done.out == "", done)


def random_word(rng):
    return "".join(rng.choice("abcABC@.\u00e9\u00c9 %/\\\"\x01\t") for _ in range(rng.randrange(1, 8))).strip() or "a"


def check_random(checks, site, label, names):
    """All clients, and the table itself, give the same answers to random keys."""
    rng = random.Random(label)
    found = 0
    for number in range(ROUNDS):
        table = rng.choice(["hash:own", "btree:tree", "lmdb:light"])
        words = {random_word(rng).replace(" ", "").replace("\t", "") or "b" for _ in range(30)}
        entries = {word.lower(): random_word(rng).replace("\t", " ") for word in words if word[0] not in "#\""}
        site.fill(table, entries)
        keys = [random_word(rng) for _ in range(100)] + rng.sample(sorted(entries), len(entries) // 2)
        rng.shuffle(keys)
        stdin = "".join(key + "\n" for key in keys).encode()
        flags = rng.choice([(), ("-f",), ("-u",), ("-fu",)])

        def ask(postmap, name):
            return result(run([postmap, "-c", site.config, *flags, "-q", "-", name], stdin=stdin))

        wanted = ask(site.desk.stock_postmap or site.desk.postmap, site.tables[table])
        found += wanted[1].count("\n")
        for client, postmap in names.items():
            checks.equal("%s, round %d: %s" % (label, number, client), ask(postmap, site.table(table)), wanted)
    checks.check("%s: enough was found" % label, found > 10 * ROUNDS, found)


def check_service(checks, site, label, names):
    for client, postmap in names.items():
        check_lookups(checks, site, "%s, %s" % (client, label), postmap)
        check_changes(checks, site, "%s, %s" % (client, label), postmap)
    check_random(checks, site, "random keys, %s" % label, names)


def check_our_service(checks, site):
    names = postmaps(site)
    if len(names) == 1:
        checks.skip("stock client, our service", "the distribution's postmap is not installed")
    with site.serve("read") as reading, site.serve("write"):
        check_service(checks, site, "our service", names)
        checks.check("our service says what it did not approve", "to approve this table for read-only access, list "
                     "proxy:static:unlisted in main.cf:proxy_read_maps" in reading.warnings(), reading.warnings)
        check_refused_modes(checks, site, names)
        check_restart(checks, site, reading)
        check_together(checks, site)


def check_restart(checks, site, service):
    """A service that is away for a moment, between and before requests."""
    table = site.table("hash:map")
    service.freeze()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(site.desk.ours, table, *["joe"] * 50)
        time.sleep(0.3)
        service.thaw()
        checks.equal("a service that is slow loses nothing", result(asked.result()), (0, "joe\tone\n" * 50, ""))
    service.kill()
    done = site.desk.ours(table, "joe")
    checks.equal("a service that is down", (done.status, done.out), (1, ""))
    checks.check("a service that is down: a temporary error that names table and server",
                 "%s: service %s: cannot connect" % (table, socket_of(site.queue, "read")) in done.err and
                 "fatal: table %s: open error: " % table in done.err, done)
    service.start()
    checks.equal("a service that is back", site.desk.ours(table, "joe").out, "one\n")


def check_together(checks, site):
    """Many clients at a time, readers and writers."""
    site.fill("btree:tree", {"k%d" % i: "v%d" % i for i in range(60)})
    site.fill("hash:own", {"k%d" % i: "v%d" % i for i in range(60)})

    def delete(number):
        return run([site.desk.postmap, "-c", site.config, "-d", "k%d" % number, site.table("hash:own")]).status

    def ask(number):
        return site.desk.ours(site.table("btree:tree"), "k%d" % number, "none").out

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        deleted, answers = pool.map(delete, range(0, 60, 2)), pool.map(ask, range(60))
        checks.equal("clients together: each has its answer", list(answers), ["k%d\tv%d\n" % (i, i) for i in range(60)])
        checks.equal("clients together: each deletes once", list(deleted), [0] * 30)
    checks.equal("clients together: what is left", site.entries("hash:own"), {"k%d" % i: "v%d" % i for i in range(1, 60, 2)})


def check_stock_service(checks, site):
    with StockServices(site.config, site.queue):
        check_service(checks, site, "stock service", {"our client": site.desk.postmap})


def check_services_that_fail(checks, bin_directory, directory):
    """Answers are for every request after the open one; the reason, None: a value comes in the end."""
    opened, value = message("status", "0", "flags", "16"), message("status", "0", "value", "v")
    cases = {
        "silence": (b"", "Connection timed out"),
        "half a reply": (value[:12], "Connection timed out"),
        "garbage": (b"garbage\n", "Connection timed out"),
        "another attribute": (message("garbage", "0"), "Application error"),
        "no value": (message("status", "0"), "Application error"),
        "a status of letters": (message("status", "ok", "value", "v"), "Application error"),
        "an unknown status": (message("status", "17", "value", "v"), "Application error"),
        "two replies": (value + value, "Application error"),
        "an endless reply": (b"x" * (1 << 21), "Application error"),
        "a close": (None, "Application error"),
    }

    def ask(item):
        number, (name, (reply, reason)) = item
        site = Site(bin_directory, directory, "hostile-%d" % number, timeout="1s")
        socket = socket_of(site.queue, "read")
        socket.parent.mkdir(parents=True)
        with GreetingServer(socket, lambda request: opened if b"\0open\0" in request else reply) as server:
            start = time.monotonic()
            done = site.desk.ours("proxy:static:x", "k", "k")
            return name, reason, done, time.monotonic() - start, server.connections

    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for name, reason, done, seconds, connections in pool.map(ask, enumerate(cases.items())):
            checks.check("service with %s: a temporary error" % name, done.status == 1 and done.out == "" and
                         done.err.endswith("fatal: table proxy:static:x: query error: %s\n" % reason), done)
            checks.check("service with %s: soon" % name, seconds < SOON, "%.1f s" % seconds)
            checks.check("service with %s: one more try at most" % name, connections <= 2, connections)


class GreetingServer(ScriptedServer):
    """Speaks first, as the service does."""

    def serve(self, connection):
        connection.sendall(GREETING)
        super().serve(connection)


def run_checks(checks, bin_directory):
    directory = private_directory()
    try:
        check_our_service(checks, Site(bin_directory, directory, "ours"))
        check_services_that_fail(checks, bin_directory, directory)
        try:
            check_stock_service(checks, Site(bin_directory, directory, "stock"))
        except NoServer as reason:
            checks.skip("stock service", reason)
    finally:
        shutil.rmtree(directory)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", required=True)
    arguments = parser.parse_args()
    checks = Checks()
    run_checks(checks, arguments.bin)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
