#!/usr/bin/env python3
"""Compare what Postkit and a stock Postfix make of addresses.

Usage: address_differential.py --ours PROGRAM [--count N] [--seed S]

PROGRAM is address_program from the build.  For each of several configurations
a stock Postfix is started in directories of its own, on loopback; both sides
get hand-picked cases and N random ones of each kind: addresses to rewrite to
standard form and headers whose addresses are rewritten.

Cases depend only on the seed.  The last line of output is "N passed, N
failed"; the exit status is 1 when any failed or when none was run, and 77 when
there is no stock Postfix that can be started here.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile

import address_judge
from address_cases import ADDRESSES, HEADERS, Generator

BASE = {"myhostname": "h.example.com", "mydomain": "example.com", "myorigin": "o.example"}

CONFIGURATIONS = {
    "default": {},
    "short": {"myorigin": "O", "mydomain": "D", "append_dot_mydomain": "yes", "remote_header_rewrite_domain": "R"},
    "plain": {"append_at_myorigin": "no", "swap_bangpath": "no", "allow_percent_hack": "no"},
    "limited": {"header_address_token_limit": "7"},
}

HEADERS_IN_A_MESSAGE = 200


class Ours:
    """Our program, asked one question at a time."""

    def __init__(self, program, main_cf):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([program, main_cf], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def ask(self, *words):
        self.process.stdin.write(b" ".join(word.hex().encode() for word in words) + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("%r has no answer" % (words,))
        return [bytes.fromhex(word.decode()) for word in answer[:-1].split(b" ")]


class Comparison:
    """Both sides with one configuration, and what was found."""

    def __init__(self, name, ours, judge):
        self.name, self.ours, self.judge = name, ours, judge
        self.passed = self.failed = 0

    def check(self, what, case, ours, stock):
        if ours == stock:
            self.passed += 1
            return
        self.failed += 1
        if self.failed <= 20:
            print("%s: %s %r\n  stock %r\n  ours  %r" % (self.name, what, case, stock, ours))

    def rewriting(self, addresses):
        for address in addresses:
            for context in (b"local", b"remote"):
                self.check("rewrite " + context.decode(), address,
                           self.ours.ask(b"rewrite", context, address)[0], self.judge.rewrite(context, address))

    def headers(self, values):
        for start in range(0, len(values), HEADERS_IN_A_MESSAGE):
            block = values[start:start + HEADERS_IN_A_MESSAGE]
            for value, stock in zip(block, self.stock_headers(b"To", block)):
                ours = self.ours.ask(b"header", b"local", b"To", value)[0]
                self.check("header", value, ours, stock)

    def stock_headers(self, name, values):
        """The values as cleanup writes them.  An untouched header between two says where they end."""
        content = b"X-Mark: start\n"
        for value in values:
            content += b"%s: %s\nX-Mark: end\n" % (name, value)
        records, replies = self.judge.message(b"<x@y.z>", [b"<a@b.c>"], b"From: a@b.c\n" + content + b"\nhi")
        if records is None:
            raise RuntimeError("the stock Postfix refuses a message: %r" % replies)
        found = address_judge.content_of(records).split(b"X-Mark: start\n")[1].split(b"X-Mark: end\n")[:-1]
        return [header[len(name) + 2:-1] for header in found]


def main():
    parser = argparse.ArgumentParser(description="Compare what Postkit and Postfix make of addresses.")
    parser.add_argument("--ours", required=True, metavar="PROGRAM")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="random cases of each kind (1000)")
    parser.add_argument("--seed", default="1", metavar="S")
    parser.add_argument("--only", metavar="CONFIGURATION", choices=sorted(CONFIGURATIONS))
    options = parser.parse_args()
    if not address_judge.is_available():
        print("skipped: needs root and a stock Postfix")
        return 77

    passed = failed = 0
    for name, settings in CONFIGURATIONS.items():
        if options.only not in (None, name):
            continue
        generator = Generator(random.Random("%s/%s" % (options.seed, name)))
        with tempfile.TemporaryDirectory(prefix="address-differential-") as directory:
            with address_judge.Judge(directory, {**BASE, **settings}) as judge, \
                    Ours(options.ours, os.path.join(judge.config, "main.cf")) as ours:
                comparison = Comparison(name, ours, judge)
                comparison.rewriting(ADDRESSES + [generator.address() for _ in range(options.count)])
                comparison.headers(HEADERS + [generator.header() for _ in range(options.count)])
        passed += comparison.passed
        failed += comparison.failed
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
