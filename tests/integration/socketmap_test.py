#!/usr/bin/env python3
"""Holds socketmap tables against servers, good and bad, and against the distribution's postmap with the same ones.

usage: socketmap_test.py --bin DIR

The protocol is that of socketmap_table(5). The parts that need the distribution's postmap are skipped where it is
missing. The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import argparse
import random
import shutil
import sys
import time

from checks import SOON, Checks
from client_tables import Desk
from reply_differential import Asker, random_key
from scripted_server import LastBytes, ScriptedServer
from server import free_port, private_directory

ROUNDS = 8  # of random keys
KEYS = 150  # in each
LONGEST = 100000  # bytes of a reply: socketmap_table(5)


def netstring(payload):
    return b"%d:%s," % (len(payload), payload)


# A reply, and the value, None for "not there", or False for an error.
REPLIES = {
    netstring(b"OK value"): "value",
    netstring(b"OK two words"): "two words",
    netstring(b"OK  space"): " space",
    netstring(b"OK a\nb"): "a\nb",
    netstring(b"OK a\0b"): "a",
    netstring(b"OK caf\xc3\xa9"): "caf\u00e9",
    netstring(b"OK " + b"x" * (LONGEST - 3)): "x" * (LONGEST - 3),
    b"0007:OK zero,": "zero",
    netstring(b"NOTFOUND "): None,
    netstring(b"NOTFOUND"): None,
    netstring(b"NOTFOUND with a reason"): None,
    netstring(b"TEMP some reason"): False,
    netstring(b"TEMP "): False,
    netstring(b"TEMP"): False,
    netstring(b"TIMEOUT tired"): False,
    netstring(b"PERM denied"): False,
    netstring(b"PERM \x1b[2J caf\xc3\xa9"): False,
    netstring(b"ok value"): False,
    netstring(b"OKAY value"): False,
    netstring(b"WHAT ever"): False,
    netstring(b""): False,
    netstring(b"OK " + b"x" * (LONGEST - 2)): False,
    b"99999999999999999999:OK": False,
    b"8:OK value;": False,
    b"OK value\n": False,
    b":OK value,": False,
    b"-8:OK value,": False,
    b" 8:OK value,": False,
    b"8 :OK value,": False,
}


def endpoints(directory):
    """A server at a UNIX-domain socket and one on loopback: what to listen at, and how the table names it."""
    path = directory / "map.sock"
    return {"unix": (path, lambda server: "unix:%s" % path), "inet": (None, lambda server: "inet:127.0.0.1:%d" % server.port)}


class Directory:
    """Answers keys by a rule, and takes down what it was asked."""

    def __init__(self, seed, closes_after=None):
        self.seed, self.requests, self.closes_after, self.answered = seed, [], closes_after, 0

    def value(self, key):
        rng = random.Random(b"%d %s" % (self.seed, key))
        return random_key(rng).encode() if rng.random() < 0.6 else None

    def __call__(self, request):
        self.requests.append(request)
        if self.closes_after is not None and self.answered == self.closes_after:
            self.answered = 0
            return None
        self.answered += 1
        value = self.value(request.split(b":", 1)[1][:-1].partition(b" ")[2])
        return netstring(b"NOTFOUND " if value is None else b"OK " + value)

    def taken(self):
        requests, self.requests, self.answered = self.requests, [], 0
        return requests


def check_replies(checks, asker, directory):
    for number, (reply, value) in enumerate(REPLIES.items()):
        name = "reply %d, %s" % (number, repr(reply[:24])[1:])
        with ScriptedServer(directory / "map.sock", lambda request, reply=reply: reply):
            done = asker.compare(name, "socketmap:unix:%s/map.sock:name" % directory, ["joe"])
            wanted = (1, "") if not value else (0, value + "\n")
            checks.equal(name, (done.status, done.out), wanted)
            checks.equal("%s: says what is wrong" % name, "query error" in done.err, value is False)


def check_request(checks, asker, directory):
    """What is asked, and of whom."""
    for kind, (address, name_of) in endpoints(directory).items():
        directory_of_keys = Directory(0)
        with ScriptedServer(address, directory_of_keys) as server:
            asker.ours("socketmap:%s:my map" % name_of(server), ["JOE", "a b"])
            checks.equal("%s: requests" % kind, directory_of_keys.taken(), [b"10:my map JOE,", b"10:my map a b,"])
            checks.equal("%s: one connection" % kind, server.connections, 1)


def check_keys(checks, asker, directory):
    for number in range(ROUNDS):
        rng = random.Random(number)
        answers = Directory(number, closes_after=rng.choice([None, None, 1, 7]))
        keys = [random_key(rng) for _ in range(KEYS)]
        flags = rng.choice([(), ("-f",), ("-u",), ("-fu",)])
        kind = rng.choice(["unix", "inet"])
        address, name_of = endpoints(directory)[kind]
        with ScriptedServer(address, answers) as server:
            name = "random keys, round %d, %s%s" % (number, kind, "" if answers.closes_after is None else
                                                    ", closing after %d" % answers.closes_after)
            done = asker.compare(name, "socketmap:%s:n" % name_of(server), keys, between=answers.taken, flags=flags)
            values = [(key, answers.value(key.encode())) for key in keys]
            wanted = b"".join(b"%s\t%s\n" % (key.encode(), value) for key, value in values if value is not None)
            checks.equal(name, (done.status, done.out), (0, wanted.decode()))


def check_servers_that_fail(checks, asker, directory):
    path = directory / "map.sock"
    table = "socketmap:unix:%s:name" % path
    for name, script in (("a close", lambda request: None), ("half a reply, and a close", lambda request: LastBytes(b"20:OK hal"))):
        with ScriptedServer(path, script) as server:
            done = asker.compare("server with %s" % name, table, ["joe"])
            checks.check("server with %s: an error" % name, (done.status, done.out) == (1, "") and
                         "unexpected disconnect" in done.err and "query error" in done.err, done)
            checks.equal("server with %s: two tries" % name, server.connections, 4 if asker.desk.stock_postmap else 2)
    for name, nobody in (("unix", table), ("inet", "socketmap:inet:127.0.0.1:%d:name" % free_port())):
        start = time.monotonic()
        done = asker.compare("no server, %s" % name, nobody, ["joe"])
        checks.check("no server, %s: an error" % name, (done.status, done.out) == (1, "") and
                     "query error" in done.err and "connect to " in done.err, done)
        checks.check("no server, %s: soon" % name, time.monotonic() - start < SOON)


def check_limits(checks, asker, directory):
    """Of main.cf, which the distribution's postmap does not know yet."""
    path = directory / "map.sock"
    desk = Desk(asker.desk.postmap.parent, directory / "limited",
                "socketmap_max_reply_size = 20\nsocketmap_max_query_size = 20\n")
    table = "socketmap:unix:%s:name" % path
    with ScriptedServer(path, lambda request: netstring(b"OK " + b"x" * 17)) as server:
        checks.equal("limits: a reply as long as may be", desk.ours(table, "joe").out, "x" * 17 + "\n")
        done = desk.ours(table, "k" * 15, "k" * 16)
        checks.check("limits: a query that is too long is not sent", done.status == 1 and
                     "exceeds socketmap_max_query_size" in done.err and server.connections == 2, done)
    with ScriptedServer(path, lambda request: netstring(b"OK " + b"x" * 18)):
        done = desk.ours(table, "joe")
        checks.check("limits: a reply that is too long is an error", (done.status, done.out) == (1, "") and
                     "input exceeds size limit" in done.err, done)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", required=True)
    arguments = parser.parse_args()
    checks = Checks()
    directory = private_directory()
    try:
        asker = Asker(checks, Desk(arguments.bin, directory / "config"))
        for check in (check_replies, check_request, check_keys, check_servers_that_fail, check_limits):
            check(checks, asker, directory)
    finally:
        shutil.rmtree(directory)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
