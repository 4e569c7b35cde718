#!/usr/bin/env python3
"""flush(8) beside the distribution's: what deferred mail leaves in flush/, what postqueue -s and -i and ETRN then do, what
the service answers to any request, and to files that are damaged.

usage: flush_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import os
import pathlib
import re
import shutil
import socket
import sys
import time

from checks import run
from queue_systems import both
from server import find_program, free_port, run_server_test
from stock_postfix import exchange

PORT = {}
SETTINGS = {
    "transport_maps": "inline:{ { defer.test = retry:later } { sub.defer.test = retry:later } { other.test = retry:later } }",
    "fast_flush_domains": "defer.test, .never.test", "parent_domain_matches_subdomains": "fast_flush_domains",
    "minimal_backoff_time": "1000s", "queue_run_delay": "1000s", "mynetworks": "127.0.0.0/8",
    "smtpd_relay_restrictions": "permit_mynetworks, reject", "smtpd_etrn_restrictions": "", "smtpd_peername_lookup": "no",
}
MESSAGES = {"AAAA0000001": ["a@defer.test", "b@defer.test"], "AAAA0000002": ["c@other.test"],
            "AAAA0000003": ["d@Sub.Defer.Test", "e@example.com"], "AAAA0000004": ["f@defer.test", "g@other.test"]}


def ask(side, **request):
    """The answer of the service."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(side.queue / "public/flush"))
        greeting = b""
        while not greeting.endswith(b"\0\0"):
            greeting += client.recv(1000)
        client.sendall(b"".join(name.encode() + b"\0" + value.encode() + b"\0" for name, value in request.items()) + b"\0")
        return greeting, client.recv(1000)


def files(side):
    return {path.name: path.read_text() for path in (side.queue / "flush").iterdir()}


def tried(side, start):
    """How often each message was taken up since then."""
    found = re.findall(r"qmgr\[\d+\]: (AAAA\d+): from=", side.log()[start:])
    return {name: found.count(name) for name in set(found)}


def settle(side):
    side.wait_for(lambda: not list((side.queue / "incoming").iterdir()) and not list((side.queue / "active").iterdir()))
    time.sleep(0.3)


def compare(checks, name, sides, action):
    """What `action` returns, which messages are tried for it, and what is in flush/ then, with both."""
    results = []
    for side in sides:
        start = len(side.log())
        answer = action(side)
        time.sleep(0.3)
        settle(side)
        results.append((answer, tried(side, start), {key: sorted(value.split()) for key, value in files(side).items()}))
    for side, result in zip(sides, results):
        result[2]["defer/"] = sorted(path.name for path in (side.queue / "defer").rglob("AAAA*"))
    for what, ours, theirs in zip(("the answer", "what is tried", "the files"), *results):
        checks.equal("%s: %s" % (name, what), ours, theirs)


def postqueue(bin_directory):
    """Of the side."""
    programs = {"ours": pathlib.Path(bin_directory) / "postqueue", "stock": find_program("postqueue")}

    def call(*arguments):
        def action(side):
            done = run([programs[side.label], "-c", side.config, *arguments])
            return done.status, done.err.replace(str(side.config), "CONFIG")
        return action
    return call


def etrn(*domains):
    return lambda side: exchange(PORT[side.label], [b"EHLO client.example\r\n"] +
                                 [b"ETRN " + domain + b"\r\n" for domain in domains])[2:]


def deliver(action):
    """Does it for the last recipient of a message, which nobody waits for any more: its log goes, too."""
    def deliver_one(side):
        path = side.place("deferred", "AAAA0000002")
        path.write_bytes(path.read_bytes().replace(b"c@other.test", b"c@fine2.test"))
        return action(side)
    return deliver_one


def put_all(side):
    for name, recipients in MESSAGES.items():
        side.put("incoming", name, "ann@example.org", recipients)
    side.trigger("I")
    side.wait_for(lambda: sum(1 for name in MESSAGES if side.where(name) == "deferred") == len(MESSAGES))


def write_damaged(side):
    path = side.queue / "flush/defer_test"
    path.write_bytes(b"\0\0junk\n../../etc/passwd\nAAAA0000001\nAAAA0000001\nABCDEF\n" + b"x" * 3000 + b"\nAAAA0000004")
    shutil.chown(path, "postfix")


def age(side, name, text, seconds):
    path = side.queue / "flush" / name
    path.write_text(text)
    shutil.chown(path, "postfix")
    then = time.time() - seconds
    os.utime(path, (then, then))


def check_refresh(checks, side):
    """"Refresh non-empty per-destination logfiles that were not read in $fast_flush_refresh_time hours ... Delete empty
    per-destination logfiles that were not updated in $fast_flush_purge_time days." The distribution's does that for its master
    only."""
    age(side, "old_never_test", "AAAA0000002\n", 86400)
    age(side, "young_never_test", "AAAA0000002\n", 10)
    age(side, "empty_never_test", "", 8 * 86400)
    age(side, "new_never_test", "", 3600)
    ask(side, request="refresh")
    left = {name: text for name, text in files(side).items() if name.endswith("never_test")}
    checks.equal("refresh: the files", left, {"old_never_test": "", "young_never_test": "AAAA0000002\n", "new_never_test": ""})


def test(checks, bin_directory, _directory):
    ports = [free_port(), free_port()]
    command = postqueue(bin_directory)
    for port, label in zip(ports, ("ours", "stock")):
        PORT[label] = port
    entry = "127.0.0.1:%d inet n - n - - smtpd\n"
    with both(bin_directory, SETTINGS) as sides:
        for side in sides:
            with open(side.config / "master.cf", "a", encoding="ascii") as master_cf:
                master_cf.write(entry % PORT[side.label])
            side.stop()
            side.start()
            time.sleep(1)
        compare(checks, "deferred mail", sides, put_all)
        compare(checks, "postqueue -s", sides, command("-s", "defer.test"))
        compare(checks, "postqueue -s for a subdomain", sides, command("-s", "sub.defer.test"))
        compare(checks, "postqueue -s for nothing", sides, command("-s", "x.never.test"))
        compare(checks, "postqueue -s for another domain", sides, command("-s", "other.test"))
        compare(checks, "postqueue -i", sides, command("-i", "AAAA0000002"))
        compare(checks, "postqueue -i for no message", sides, command("-i", "AAAA0000009"))
        compare(checks, "ETRN", sides, etrn(b"defer.test"))
        compare(checks, "ETRN for others", sides, etrn(b"other.test", b"-x", b"#other.test", b"@DEFER.test"))
        for request in ({"request": "add", "site": "defer.test", "queue_id": "ABCD1234"},
                        {"request": "add", "site": "A-b_c.defer.test", "queue_id": "ABCD1234"},
                        {"request": "add", "site": "defer.test", "queue_id": "../x"},
                        {"request": "add", "site": "other.test", "queue_id": "ABCD1234"},
                        {"request": "send_site", "site": "../x"}, {"request": "send_file", "queue_id": "../x"},
                        {"request": "nonsense"}, {"site": "defer.test"}):
            compare(checks, "the request %s" % request, sides, lambda side: ask(side, **request))  # pylint: disable=cell-var-from-loop
        for side in sides:
            write_damaged(side)
        compare(checks, "a damaged file", sides, command("-s", "defer.test"))
        checks.equal("a damaged file: the log", *(
            sorted(re.findall(r"warning: bad queue id .*", side.log())) for side in sides))
        compare(checks, "mail that can be delivered now", sides, deliver(command("-i", "AAAA0000002")))
        compare(checks, "purge", sides, lambda side: ask(side, request="purge"))
        check_refresh(checks, sides[0])


if __name__ == "__main__":
    sys.exit(run_server_test("flush", test))
