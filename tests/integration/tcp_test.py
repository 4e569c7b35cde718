#!/usr/bin/env python3
"""Holds tcp tables against servers on loopback, good and bad, and against the distribution's postmap with the same ones.

usage: tcp_test.py --bin DIR

The protocol is that of tcp_table(5). The parts that need the distribution's postmap are skipped where it is missing. The
last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import argparse
import concurrent.futures
import random
import re
import shutil
import sys
import time

from checks import Checks
from client_tables import Desk
from reply_differential import Asker, random_key
from scripted_server import ScriptedServer
from server import free_port, private_directory

ROUNDS = 8  # of random keys
KEYS = 150  # in each

# A reply, and the value, None for "not there", or False for an error.
REPLIES = {
    b"200 value\n": "value",
    b"200 two words\n": "two words",
    b"200 two%20words%0a%25%4A\n": "two words\n%J",
    b"200 caf%C3%A9\n": "caf\u00e9",
    b"200  spaces \n": " spaces ",
    b"200\tvalue\n": "value",
    b"200 value\r\n": "value\r",
    b"200 a%00b\n": "a",
    b"200 " + b"x" * 4091 + b"\n": "x" * 4091,
    b"200 " + b"%61" * 1363 + b"\n": "a" * 1363,
    b"500 no such user\n": None,
    b"500 \n": None,
    b"400 try again later\n": False,
    b"200 %\n": False,
    b"200 %4\n": False,
    b"200 %zz\n": False,
    b"200value\n": False,
    b"200\n": False,
    b"300 value\n": False,
    b"2000 value\n": False,
    b" 200 value\n": False,
    b"value\n": False,
    b"\n": False,
    b"\x1b[2J\xff\n": False,
    b"300 \x1b[2J\x7f\xff\n": False,
    b"caf\xc3\xa9 \t_\n": False,
}


def decode(text):
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda digits: bytes([int(digits[1], 16)]), text)


def encode(rng, value):
    """`value`, with what must be encoded, and more."""
    return b"".join(b"%c" % byte if 32 < byte < 127 and byte != 37 and rng.random() < 0.8 else
                    (b"%%%02x" if rng.random() < 0.5 else b"%%%02X") % byte for byte in value)


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
        key = decode(request[len(b"get "):-1])
        value = self.value(key)
        if value is None:
            return b"500 not here\n"
        return b"200 %s\n" % encode(random.Random(key), value)

    def taken(self):
        requests, self.requests, self.answered = self.requests, [], 0
        return requests


def check_replies(checks, asker):
    for number, (reply, value) in enumerate(REPLIES.items()):
        name = "reply %d, %s" % (number, repr(reply[:24])[1:])
        with ScriptedServer(None, lambda request, reply=reply: reply) as server:
            done = asker.compare(name, "tcp:127.0.0.1:%d" % server.port, ["joe"])
            wanted = (1, "") if not value else (0, value + "\n")
            checks.equal(name, (done.status, done.out), wanted)
            checks.equal("%s: says what is wrong" % name, "query error" in done.err, value is False)
            checks.equal("%s: one connection for each" % name, server.connections, 2 if asker.desk.stock_postmap else 1)


def check_keys(checks, asker):
    for number in range(ROUNDS):
        rng = random.Random(number)
        directory = Directory(number)
        keys = [random_key(rng) for _ in range(KEYS)]
        flags = rng.choice([(), ("-f",), ("-u",), ("-fu",)])
        with ScriptedServer(None, directory) as server:
            done = asker.compare("random keys, round %d" % number, "tcp:127.0.0.1:%d" % server.port, keys,
                                 between=directory.taken, flags=flags)
            values = [(key, directory.value(key.encode())) for key in keys]
            wanted = b"".join(b"%s\t%s\n" % (key.encode(), value) for key, value in values if value is not None)
            checks.equal("random keys, round %d" % number, (done.status, done.out), (0, wanted.decode()))


def check_closed_connections(checks, asker):
    """A server that closes after some replies is asked again, after a pause."""
    directory = Directory(1, closes_after=4)
    with ScriptedServer(None, directory) as server:
        keys = ["key%d" % i for i in range(10)]
        done = asker.compare("a server that closes between replies", "tcp:127.0.0.1:%d" % server.port, keys,
                             between=directory.taken)
        checks.equal("a server that closes between replies: all answers", [line.split("\t")[0] for line in done.out.split("\n")[:-1]],
                     [key for key in keys if directory.value(key.encode()) is not None])


def check_servers_that_fail(checks, asker):
    """Ten tries, with a second between them: at the same time, as each takes nine seconds."""
    cases = {
        "no server": None,
        "a close": lambda request: None,
        "a line without end": lambda request: b"200 " + b"x" * 5000,
        "a line of 4097 bytes": lambda request: b"200 " + b"x" * 4092 + b"\n",
    }

    def ask(item):
        name, script = item
        start = time.monotonic()
        if script is None:
            done = asker.compare(name, "tcp:127.0.0.1:%d" % free_port(), ["joe"])
        else:
            with ScriptedServer(None, script) as server:
                done = asker.compare(name, "tcp:127.0.0.1:%d" % server.port, ["joe"])
        return name, done, time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for name, done, seconds in pool.map(ask, cases.items()):
            checks.check("server with %s: an error" % name,
                         (done.status, done.out) == (1, "") and "query error" in done.err, done)
            checks.equal("server with %s: ten tries" % name, done.err.count("warning: "), 10)
            checks.check("server with %s: in time" % name, seconds < 45, "%.1f s" % seconds)


def check_slow_server(checks, asker):
    def slow(request):
        time.sleep(0.2)
        return b"200 slow\n"

    with ScriptedServer(None, slow) as server:
        done = asker.ours("tcp:127.0.0.1:%d" % server.port, ["a", "b", "c"])
        checks.equal("a server that is slow is waited for", (done.status, done.out), (0, "a\tslow\nb\tslow\nc\tslow\n"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", required=True)
    arguments = parser.parse_args()
    checks = Checks()
    directory = private_directory()
    try:
        asker = Asker(checks, Desk(arguments.bin, directory / "config"))
        for check in (check_replies, check_keys, check_closed_connections, check_slow_server, check_servers_that_fail):
            check(checks, asker)
    finally:
        shutil.rmtree(directory)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
