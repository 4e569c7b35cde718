#!/usr/bin/env python3
"""kill -9 of the queue manager, with all that it delivers, of the server and of the master, at random moments, while clients
send more than 1,000 messages to Maildirs and to a real Dovecot by LMTP: every message that was acknowledged is delivered,
whole; and twice only when a queue manager was killed between the delivery and its note of it.

usage: killed_delivery_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import os
import re
import shutil
import sys
import time

from dovecot_lmtp import dovecot_lmtp, messages_of
from killing import LINES, Senders, kill_at_random
from mail_system import MailSystem
from server import NoServer, run_server_test

ACKNOWLEDGED = 1000  # messages, at least, by SMTP
KILLS = {"qmgr": 10, "smtpd": 3}
MASTER_KILLS = 3
AT_A_TIME = 20  # default_destination_concurrency_limit
QUEUES = ("maildrop", "incoming", "active", "deferred")
MAIN_CF = """\
mail_owner = postfix
setgid_group = postdrop
service_throttle_time = 1s
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = maildir.example
virtual_mailbox_base = {directory}/mailboxes
virtual_mailbox_maps = inline:{{{{bob@maildir.example=bob/}}}}
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{group}
transport_maps = inline:{{{{lmtp.example=lmtp:unix:{directory}/dovecot/lmtp}}}}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
"""
AGENTS = "virtual unix - n n - - virtual\nlmtp unix - - n - - lmtp\n"
DOMAINS = ("maildir.example", "lmtp.example")


def left(system):
    return [file for name in QUEUES for _, _, files in os.walk(system.queue / name) for file in files]


def numbers(files):
    """{number: how often} of the messages that these files are; those that are not whole."""
    found, broken = {}, []
    for file in files:
        text = file.read_bytes()
        subject = re.search(rb"^Subject: message (\d+)\.$", text, re.MULTILINE)
        if not subject or text.count(b"a line of the message\n") not in (0, LINES):
            broken.append(text[-300:])
            continue
        found[int(subject[1])] = found.get(int(subject[1]), 0) + 1
    return found, broken


def run_checks(checks, bin_directory, directory):
    if os.geteuid() != 0:
        raise NoServer("it delivers to mailboxes of others, as root")
    bin_directory = bin_directory.resolve()
    directory.chmod(0o755)
    mailboxes = directory / "mailboxes"
    mailboxes.mkdir()
    shutil.chown(mailboxes, "nobody", "nogroup")
    owner = mailboxes.stat()
    system = MailSystem(bin_directory, directory, MAIN_CF.format(directory=directory, user=owner.st_uid, group=owner.st_gid),
                        has_queue_manager=True)
    system.entries.append(AGENTS)
    system.write_master_cf()
    with dovecot_lmtp(directory / "dovecot"), system:
        start = time.monotonic()
        with Senders(system, bin_directory / "sendmail", lambda number: "bob@" + DOMAINS[number % 2]) as senders:
            kills, masters, started = kill_at_random(system, senders, KILLS, MASTER_KILLS, ACKNOWLEDGED)
        took = time.monotonic() - start
        checks.check("queue managers and servers were killed at random moments",
                     all(count >= wanted for count, wanted in zip(kills, KILLS.values())), (kills, took))
        checks.check("masters, too, and the mail system starts again", masters >= MASTER_KILLS and started.status == 0,
                     (masters, str(started), system.log()[-2000:]))
        checks.check("clients go on sending", len(senders.acknowledged) >= ACKNOWLEDGED, (len(senders.acknowledged), took))
        checks.check("the queue is emptied in the end", system.wait_for(lambda: not left(system)),
                     lambda: (left(system)[:10], system.log()[-3000:]))
    found, broken = numbers(list((mailboxes / "bob/new").iterdir()) + messages_of(directory / "dovecot", "bob"))
    checks.equal("no mailbox has half a message", broken, [])
    checks.equal("no message that a client was told of is lost",
                 {number: name for number, name in senders.acknowledged.items() if number not in found}, {})
    checks.equal("nor one that a user was", {number for number in senders.submitted if number not in found}, set())
    copies = sum(count - 1 for count in found.values())
    checks.check("a message is there twice after a kill only", copies <= (sum(kills) + masters) * AT_A_TIME * len(DOMAINS), copies)
    checks.equal("nothing was returned", "status=bounced" in system.log(), False)
    print("%d messages acknowledged, %d submitted, %s and %d masters killed in %.0f s; %d delivered once more" % (
        len(senders.acknowledged), len(senders.submitted),
        ", ".join("%d %s" % (count, name) for name, count in zip(KILLS, kills)), masters, took, copies))


if __name__ == "__main__":
    sys.exit(run_server_test("mail that is delivered", run_checks))
