#!/usr/bin/env python3
"""A table that is slow to answer holds up the session that asks it, and no other; also through proxymap, which serves in
the same process.

usage: waiting_lookup_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import concurrent.futures
import smtplib
import sys
import time

from mail_system import MailSystem
from server import run_server_test
from slow_socketmap import SlowSocketmap

SLOW = 3.0  # seconds
QUICK = 2.0  # what a session that does not wait takes at most, on a busy machine
SESSIONS = 20


def timed(function):
    start = time.monotonic()
    result = function()
    return result, time.monotonic() - start


def rcpt(system, recipient):
    """The reply to a recipient, and how long it took."""
    try:
        with system.client() as smtp:
            smtp.ehlo()
            smtp.docmd("MAIL FROM:<ann@example.org>")
            return timed(lambda: smtp.docmd("RCPT TO:<%s>" % recipient))
    except (OSError, smtplib.SMTPException) as reason:
        return (421, str(reason)), 0.0  # It came too late.


def check_sessions(checks, name, system):
    with concurrent.futures.ThreadPoolExecutor(SESSIONS) as clients:
        start = time.monotonic()
        slow = [clients.submit(rcpt, system, "slow%d@example.com" % number) for number in range(SESSIONS)]
        while not any(each.done() for each in slow) and time.monotonic() - start < SLOW / 2:
            time.sleep(0.05)
        (code, _), seconds = rcpt(system, "bob@example.com")
        waited = [each.result() for each in slow]
        total = time.monotonic() - start
    checks.check("%s: a session whose table answers is not held up" % name, code == 250 and seconds < QUICK,
                 (code, seconds))
    checks.equal("%s: those that wait get their answer" % name, {reply[0] for reply, _ in waited}, {250})
    checks.check("%s: they did wait" % name, min(seconds for _, seconds in waited) >= SLOW, waited)
    checks.check("%s: they wait side by side" % name, total < 3 * SLOW, total)


def check_changes(checks, name, system, server):
    """A reload and a stop in the middle of lookups: the sessions get their answers."""
    with concurrent.futures.ThreadPoolExecutor(SESSIONS) as clients:
        for command in ("reload", "stop"):
            asked = server.asked
            waiting = [clients.submit(rcpt, system, "slow%d@example.com" % number) for number in range(SESSIONS)]
            system.wait_for(lambda seen=asked: server.asked > seen)
            done, seconds = timed(lambda c=command: system.postfix(c))
            checks.check("%s: %s while sessions wait" % (name, command), done.status == 0 and seconds < 10 * SLOW,
                         (done, seconds))
            checks.equal("%s: they get their answer at a %s" % (name, command),
                         {each.result()[0][0] for each in waiting} - {421}, {250})
    checks.check("%s: no process died" % name, "killed by signal" not in system.log(), system.log)


def run_checks(checks, bin_directory, directory):
    with SlowSocketmap(SLOW) as server:
        table = "socketmap:inet:127.0.0.1:%d:access" % server.port
        variants = {
            "a table": ("%s" % table, ""),
            "a table of tables": ("unionmap:{%s,static:DUNNO}" % table, ""),
            "proxymap": ("proxy:%s" % table, "proxymap unix - - n - - proxymap\n"),
        }
        for name, (spec, services) in variants.items():
            place = directory / name.replace(" ", "-")
            place.mkdir()
            place.chmod(0o755)
            system = MailSystem(bin_directory, place, "smtpd_recipient_restrictions = check_recipient_access %s\n"
                                "proxy_read_maps = proxy:%s\nsmtpd_relay_restrictions = permit_mynetworks, reject\n"
                                % (spec, table))
            system.write_master_cf(services)
            with system:
                check_sessions(checks, name, system)
                check_changes(checks, name, system, server)


if __name__ == "__main__":
    sys.exit(run_server_test("a mail system", run_checks))
