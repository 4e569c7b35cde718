"""A mail system whose processes are killed while clients send.

    with Senders(system, sendmail) as senders:
        kills, masters, started = kill_at_random(system, senders, {"smtpd": 12}, 4, 1200)
    senders.acknowledged   # {number of the message: what the server called it}
"""
import os
import random
import signal
import smtplib
import threading
import time

from checks import TIMEOUT, run

CLIENTS, USERS = 8, 2
LONGEST_LIFE = 1.2  # seconds; longer than a server that is started again at once must have lived
PATIENCE = 90  # seconds, for all of it
SEED = 7
LINES = 40  # of a message: more than one write


class Senders:
    """Clients that go on sending. Each message has a number of its own, also when it is sent because nobody knows what
    became of the one before: so none may be there twice."""

    def __init__(self, system, sendmail, recipient_of=lambda number: "bob@example.com"):
        self.system, self.sendmail, self.recipient_of = system, sendmail, recipient_of
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
        for command in ("MAIL FROM:<ann@example.org>", "RCPT TO:<%s>" % self.recipient_of(number), "DATA"):
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
            done = run([self.sendmail, "-C", self.system.config, self.recipient_of(number)], stdin=b"Subject: message %d.\n\nhello\n" % number)
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
    deadline = time.monotonic() + TIMEOUT
    while (done := system.postfix("start")).status != 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    return done


def kill_at_random(system, senders, programs, master_kills, acknowledged):
    """Until processes of `programs` have been killed as often as they say, masters `master_kills` times, and so many messages
    were acknowledged. ([how often each program was killed], how often a master, how the last start went)"""
    moments, killed, masters, started = random.Random(SEED), dict.fromkeys(programs, 0), 0, None
    deadline = time.monotonic() + PATIENCE
    while (len(senders.acknowledged) < acknowledged or masters < master_kills
           or any(killed[name] < count for name, count in programs.items())) and time.monotonic() < deadline:
        time.sleep(moments.uniform(0, LONGEST_LIFE))
        if moments.random() < 0.3:
            if kill(master_process(system)):
                masters += 1
                started = start_again(system)
                if started.status != 0:
                    break
        else:
            program = moments.choice(sorted(programs))
            killed[program] += sum(kill(process) for process in system.server_processes(program))
    return list(killed.values()), masters, started
