"""kill -9 of the server and of the master, at random moments, while clients send more than 1,000 messages by SMTP and users
submit some: what was acknowledged is in the queue, whole, and nothing is there twice.

usage: killed_system_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import os
import pathlib
import random
import re
import signal
import smtplib
import sys
import threading
import time

from checks import run
from mail_system import MailSystem
from queue_text import records
from server import run_server_test

ACKNOWLEDGED = 1200  # messages, at least, by SMTP
SERVER_KILLS, MASTER_KILLS = 12, 4  # at least
CLIENTS, USERS = 8, 2
LONGEST_LIFE = 1.2  # seconds; longer than a server that is started again at once must have lived
PATIENCE = 90  # seconds, for all of it
SEED = 7
LINES = 40  # of a message: more than one write


class Senders:
    """Clients that go on sending. Each message has a number of its own, also when it is sent because nobody knows what
    became of the one before: so none may be there twice."""

    def __init__(self, system, sendmail):
        self.system, self.sendmail = system, sendmail
        self.lock, self.next = threading.Lock(), 0
        self.acknowledged, self.spoken, self.submitted = {}, set(), set()
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        self.threads += [threading.Thread(target=self._submit) for _ in range(USERS)]

    def _number(self):
        with self.lock:
            self.next += 1
            return self.next

    def _send(self):
        while not self.is_over.is_set():
            try:
                with self.system.client() as smtp:
                    smtp.ehlo()
                    for _ in range(10):  # Some of a session, so that kills meet all states of one.
                        number = self._number()
                        self.spoken.add(number)
                        self._send_one(smtp, number)
                        time.sleep(0.01)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.02)

    def _send_one(self, smtp, number):
        text = b"Subject: message %d.\r\n\r\n" % number + b"a line of the message\r\n" * LINES
        for command in ("MAIL FROM:<ann@example.org>", "RCPT TO:<bob@example.com>", "DATA"):
            if smtp.docmd(command)[0] not in (250, 354):
                raise smtplib.SMTPException(command)
        smtp.send(text + b".\r\n")
        code, reply = smtp.getreply()
        if code != 250:
            raise smtplib.SMTPException(reply)
        self.acknowledged[number] = reply.decode().split()[-1]

    def _submit(self):
        while not self.is_over.is_set():
            number = self._number()
            done = run([self.sendmail, "-C", self.system.config, "bob"], stdin=b"Subject: message %d.\n\nhello\n" % number)
            if done.status == 0:
                self.submitted.add(number)
            time.sleep(0.1)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def master_process(system):
    return int((system.queue / "pid" / "master.pid").read_text().split()[0])


def kill(process):
    try:
        os.kill(process, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def start_again(system):
    """After its master was killed: as soon as the server that it left behind is gone."""
    deadline = time.monotonic() + 20
    while (done := system.postfix("start")).status != 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    return done


def kill_at_random(system, senders):
    """(how often a server was killed, how often a master, how the last start went)"""
    moments, server_kills, master_kills, started = random.Random(SEED), 0, 0, None
    deadline = time.monotonic() + PATIENCE
    while (len(senders.acknowledged) < ACKNOWLEDGED or server_kills < SERVER_KILLS or master_kills < MASTER_KILLS) \
            and time.monotonic() < deadline:
        time.sleep(moments.uniform(0, LONGEST_LIFE))
        if moments.random() < 0.3:
            if kill(master_process(system)):
                master_kills += 1
                started = start_again(system)
                if started.status != 0:
                    break
        else:
            server_kills += sum(kill(process) for process in system.server_processes())
    return server_kills, master_kills, started


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
            server_kills, master_kills, started = kill_at_random(system, senders)
        took = time.monotonic() - start
        checks.check("servers were killed at random moments", server_kills >= SERVER_KILLS, (server_kills, took))
        checks.check("masters, too, and the mail system starts again", master_kills >= MASTER_KILLS and
                     started.status == 0, (master_kills, str(started), system.log()[-2000:]))
        checks.check("clients go on sending", len(senders.acknowledged) >= ACKNOWLEDGED, (len(senders.acknowledged), took))
        checks.check("the maildrop is emptied in the end",
                     system.wait_for(lambda: not any((system.queue / "maildrop").iterdir()), 30),
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
