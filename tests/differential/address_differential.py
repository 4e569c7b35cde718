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
import re
import subprocess
import sys
import tempfile

import address_judge
from address_cases import ADDRESSES, CLEANED, HEADERS, RESOLVED, SENDERS, TABLES, Generator

BASE = {"myhostname": "h.example.com", "mydomain": "example.com", "myorigin": "o.example", "local_recipient_maps": ""}

RESOLVING = {
    "recipient_delimiter": "+",
    "mydestination": "h.example.com, l.x",
    "virtual_alias_domains": "va.x",
    "virtual_mailbox_domains": "vm.x",
    "relay_domains": "r.x",
    "proxy_interfaces": "192.0.2.9",
    "relayhost": "[gw]:25",
    "transport_maps": "{tables}transport",
    "relocated_maps": "{tables}relocated",
    "sender_dependent_relayhost_maps": "{tables}relayhost",
    "sender_dependent_default_transport_maps": "{tables}default_transport",
    "local_recipient_maps": "{tables}local_recipients",
    "relay_recipient_maps": "{tables}relay_recipients",
    "virtual_mailbox_maps": "{tables}mailboxes",
    "virtual_alias_maps": "{tables}virtual",
    "smtpd_reject_unlisted_recipient": "yes",
    "disable_vrfy_command": "no",
}

CONFIGURATIONS = {
    "default": {},
    "short": {"myorigin": "O", "mydomain": "D", "append_dot_mydomain": "yes", "remote_header_rewrite_domain": "R"},
    "plain": {"append_at_myorigin": "no", "swap_bangpath": "no", "allow_percent_hack": "no"},
    "limited": {"header_address_token_limit": "7"},
    "mapped": {
        "recipient_delimiter": "+",
        "mydestination": "h.example.com, localhost",
        "sender_canonical_maps": "{tables}sender",
        "canonical_maps": "{tables}canonical",
        "virtual_alias_maps": "{tables}virtual",
        "masquerade_domains": "!no.m.x foo.m.x m.x",
        "masquerade_exceptions": "root",
    },
    "mapped-tight": {
        "mydestination": "h.example.com, localhost",
        "recipient_delimiter": "-+",
        "propagate_unmatched_extensions": "",
        "canonical_maps": "{tables}canonical",
        "canonical_classes": "envelope_recipient, header_sender",
        "virtual_alias_maps": "{tables}virtual",
        "virtual_alias_recursion_limit": "2",
        "virtual_alias_expansion_limit": "2",
        "masquerade_domains": "m.x",
        "masquerade_classes": "envelope_recipient",
    },
    "resolved": RESOLVING,
    "resolved-literally": {
        **RESOLVING,
        "resolve_dequoted_address": "no",
        "resolve_null_domain": "yes",
        "resolve_numeric_domain": "yes",
        "allow_min_user": "yes",
        "swap_bangpath": "no",
        "show_user_unknown_table_name": "no",
        "unknown_relay_recipient_reject_code": "450",
        "transport_maps": "",
        "relayhost": "",
    },
    "failing": {**RESOLVING, "relay_domains": "fail:relay"},
}

CLASSES = {1 << 8: b"0", 1 << 9: b"1", 1 << 10: b"2", 1 << 11: b"3", 1 << 12: b"4"}
ROUTED, MALFORMED, FAILED = 2, 4, 8

HEADERS_IN_A_MESSAGE = 200


def without_duplicates(addresses):
    """As cleanup drops them: without regard to case."""
    seen = {}
    for address in addresses:
        seen.setdefault(address.lower(), address)
    return list(seen.values())


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
                try:
                    stock = self.judge.rewrite(context, address)
                except address_judge.HangUp:
                    continue
                self.check("rewrite " + context.decode(), address,
                           self.ours.ask(b"rewrite", context, address)[0], stock)

    def headers(self, values):
        for start in range(0, len(values), HEADERS_IN_A_MESSAGE):
            block = values[start:start + HEADERS_IN_A_MESSAGE]
            for value, stock in zip(block, self.stock_headers(b"To", block)):
                ours = self.ours.ask(b"header", b"local", b"To", value)[0]
                self.check("header", value, ours, stock)

    def cleaning(self, addresses):
        """Envelopes and headers through the maps of cleanup."""
        for address in addresses:
            records, _ = self.judge.message(b"<" + address + b">", [b"<" + address + b">"],
                                            b"From: a@b.c\nTo: a@b.c\n\nhi")
            ours = self.ours.ask(b"recipient", address)
            if records is None:
                self.check("recipient", address, ours, [b"FAIL"])
                continue
            found = [payload for kind, payload in records if kind in b"SR"]
            self.check("sender", address, self.ours.ask(b"sender", address)[0], found[0])
            self.check("recipients", address, without_duplicates(ours), found[1:])
        for name in (b"From", b"To", b"Reply-To", b"Resent-Reply-To", b"Errors-To"):
            for address, stock in zip(addresses, self.stock_headers(name, addresses)):
                self.check("header " + name.decode(), address,
                           self.ours.ask(b"header", b"local", name, address)[0], stock)

    def resolving(self, addresses, senders):
        for address in addresses:
            for sender in senders:
                try:
                    transport, nexthop, recipient, flags = self.judge.resolve(sender, address)
                except address_judge.HangUp:
                    continue
                ours = self.ours.ask(b"resolve", sender, address)
                case = "resolve for %r" % sender
                if flags & FAILED:
                    self.check(case, address, ours, [b"FAIL"])
                    continue
                if transport == b"CHANNEL NOT UPDATED":
                    transport = nexthop = b""
                number = [name for bit, name in CLASSES.items() if flags & bit][0]
                self.check(case, address, ours,
                           [transport, nexthop, recipient, number, b"routed" if flags & ROUTED else b"",
                            b"malformed" if flags & MALFORMED else b""])

    def checking(self, addresses):
        """Which recipients smtpd refuses. It takes comments off, and "postmaster" as it is."""
        addresses = [each for each in addresses if each != b"postmaster" and not re.search(rb"[(<]", each)]
        for address, reply in zip(addresses, self.judge.recipients([b"<%s>" % each for each in addresses])):
            if b"Bad recipient address syntax" in reply:
                continue
            ours = b" ".join(self.ours.ask(b"check", address))
            refusal = re.match(rb"(\d+) ([\d.]+) <.*>: Recipient address rejected: (.*)", reply)
            stock = b" ".join(refusal.groups()) if refusal else b"OK" if reply.startswith(b"250") else b"FAIL"
            self.check("check", address, ours, stock)

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
            tables = os.path.join(directory, "table-")
            for table, entries in TABLES.items():
                with open(tables + table, "w", encoding="utf-8") as stream:
                    stream.writelines("%s %s\n" % entry for entry in entries)
            settings = {key: value.replace("{tables}", "texthash:" + tables) for key, value in settings.items()}
            with address_judge.Judge(directory, {**BASE, **settings}) as judge, \
                    Ours(options.ours, os.path.join(judge.config, "main.cf")) as ours:
                comparison = Comparison(name, ours, judge)
                if "mydestination" not in settings:
                    comparison.rewriting(ADDRESSES + [generator.address() for _ in range(options.count)])
                    comparison.headers(HEADERS + [generator.header() for _ in range(options.count)])
                elif "transport_maps" not in settings:
                    comparison.cleaning(CLEANED)
                else:
                    comparison.resolving(RESOLVED, SENDERS)
                    comparison.resolving([generator.resolved() for _ in range(options.count)], [b""])
                    comparison.checking(RESOLVED)
        passed += comparison.passed
        failed += comparison.failed
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
