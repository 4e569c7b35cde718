"""kill -9 of the server and of the master, at random moments, while clients send more than 1,000 messages by SMTP and users
submit some: what was acknowledged is in the queue, whole, and nothing is there twice.

usage: killed_system_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import pathlib
import re
import sys
import time

from killing import LINES, USERS, Senders, kill_at_random
from mail_system import MailSystem
from queue_text import records
from server import run_server_test

ACKNOWLEDGED = 1200  # messages, at least, by SMTP
SERVER_KILLS, MASTER_KILLS = 12, 4  # at least


def numbers(system):
    """{number: [IDs]} of the messages in the queue; what is no whole message, with why."""
    found, broken = {}, []
    for queue_id, data in system.messages().items():
        whole = records(data)
        subjects = [re.fullmatch(rb"Subject: message (\d+)\.", payload) for kind, payload in whole if kind == b"N"]
        subjects = [int(match[1]) for match in subjects if match]
        lines = sum(payload == b"a line of the message" for _, payload in whole)
        if len(subjects) != 1 or whole[-1] != (b"E", b"") or lines not in (0, LINES):
            broken.append((queue_id, data[:200]))
            continue
        found.setdefault(subjects[0], []).append(queue_id)
    return found, broken


def run_checks(checks, bin_directory, directory):
    bin_directory = bin_directory.resolve()
    # A server that is killed this often else comes back after a minute.
    system = MailSystem(bin_directory, directory, "service_throttle_time = 1s\n")
    with system:
        start = time.monotonic()
        with Senders(system, pathlib.Path(bin_directory) / "sendmail") as senders:
            (server_kills,), master_kills, started = kill_at_random(
                system, senders, {"smtpd": SERVER_KILLS}, MASTER_KILLS, ACKNOWLEDGED)
        took = time.monotonic() - start
        checks.check("servers were killed at random moments", server_kills >= SERVER_KILLS, (server_kills, took))
        checks.check("masters, too, and the mail system starts again", master_kills >= MASTER_KILLS and
                     started.status == 0, (master_kills, str(started), system.log()[-2000:]))
        checks.check("clients go on sending", len(senders.acknowledged) >= ACKNOWLEDGED, (len(senders.acknowledged), took))
        checks.check("the maildrop is emptied in the end",
                     system.wait_for(lambda: not any((system.queue / "maildrop").iterdir())),
                     lambda: (list((system.queue / "maildrop").iterdir()), system.log()[-2000:]))
    found, broken = numbers(system)
    checks.equal("nothing in the queue is half a message", broken, [])
    lost = {number: queue_id for number, queue_id in senders.acknowledged.items() if queue_id not in found.get(number, [])}
    checks.equal("no message that a client was told of is lost", lost, {})
    checks.equal("nor one that a user was", {number for number in senders.submitted if number not in found}, set())
    # A crash between the queue and the maildrop makes a second copy of what was submitted.
    twice = {number: ids for number, ids in found.items() if len(ids) > 1 and number in senders.spoken}
    checks.equal("none that came by SMTP is there twice", twice, {})
    copies = sum(len(ids) - 1 for ids in found.values())
    checks.check("what was submitted is there twice after a kill only", copies <= USERS * (server_kills + master_kills),
                 copies)
    print("%d messages acknowledged, %d submitted, %d servers and %d masters killed in %.0f s" % (
        len(senders.acknowledged), len(senders.submitted), server_kills, master_kills, took))


if __name__ == "__main__":
    sys.exit(run_server_test("a mail system that is killed", run_checks))
