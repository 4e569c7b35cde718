#!/usr/bin/env python3
"""Compare the speed of our mail system with the distribution's Postfix as a relay: from smtp-source's first connection
until the last message has gone to smtp-sink, and the queue is empty.

Usage: relay_bench.py [--bin DIR] [--directory DIR] [--rounds N] [--only WHAT]

How it measures:

- Both are whole mail systems in directories of their own, on loopback, each with its own smtp-sink of the distribution,
  which takes and throws away. Configured alike: all mail goes to relayhost, no names are looked up, no limits on
  clients, no in_flow_delay, each logs into a file. All else is as it is by default.
- The distribution's smtp-source sends messages of one size, one a session, from 1, 10 and 50 sessions at a time; and one
  message with many recipients, which go on in portions of default_destination_recipient_limit. Its own work, and the
  sinks', is part of the time of both.
- They run in turn, round after round, and who goes first changes with each round. That all has been delivered is
  counted in the logs.
- Speed is the median of the rounds; the CPU time is user and system of all processes of the mail system in all
  rounds, those that ended included, by the number of messages, or of recipients.

Ratios are ours / stock: of speeds, higher is better; of CPU time, lower. "must" is what issue 6 asks for. This is no
test: the exit status is always 0. It needs root, as the distribution's Postfix does.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import statistics
import sys
import time
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from mail_load import RunningSystem, sink  # pylint: disable=wrong-import-position
from mail_system import MailSystem
from server import NoServer, private_directory
from stock_postfix import StockPostfix

PATIENCE = 120  # seconds, for a run
ALIKE = {
    "mydestination": "",
    "mynetworks": "127.0.0.0/8",
    "disable_dns_lookups": "yes",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_recipient_limit": "100000",
    "in_flow_delay": "0",
    "default_process_limit": "100",
}
STOCK_DELIVERS = "qmgr unix n - n 300 1 qmgr\nsmtp unix - - n - - smtp\nscache unix - - n - 1 scache\n"


class Case(NamedTuple):
    title: str
    must: float  # the ratio of speeds
    must_cpu: float
    messages: int
    size: int
    sessions: int = 1
    recipients: int = 1


CASES = [Case("%3d KB, %2d sessions" % (size // 1024, sessions), 2.0, 0.4, 1000 if size < 10000 else 300, size, sessions)
         for size in (4096, 102400) for sessions in (1, 10, 50)]
WARM_UP = Case("warm-up", 0, 0, 1000, 4096, 10)
CASES.append(Case("50,000 recipients", 1.5, 0.4, 1, 4096, recipients=50000))


class Side(RunningSystem):
    def __init__(self, label, port, pid, queue, log):
        super().__init__(label, port, pid, queue)
        self.log = log
        self.seconds, self.cpu = {}, {}

    def is_empty(self):
        return not any(files for name in ("incoming", "active", "deferred") for _, _, files in os.walk(self.queue / name))

    def measure(self, case):
        start_of_log = self.log.stat().st_size
        os.sync()
        cpu = self.cpu_seconds()
        start = time.monotonic()
        self.receive(case.messages, case.size, case.sessions, False, case.recipients)
        while not self.is_empty():
            if time.monotonic() - start > PATIENCE:
                raise NoServer("%s has mail left" % self.label)
            time.sleep(0.005)
        self.seconds.setdefault(case, []).append(time.monotonic() - start)
        self.cpu[case] = self.cpu.get(case, 0) + self.cpu_seconds() - cpu
        wanted = case.messages * case.recipients
        deadline = time.monotonic() + PATIENCE
        while (sent := self.log.read_bytes()[start_of_log:].count(b" status=sent (")) != wanted:
            if time.monotonic() > deadline:
                raise NoServer("%s sent %d of %d" % (self.label, sent, wanted))
            time.sleep(0.05)

    def speed(self, case):
        return case.messages * case.recipients / statistics.median(self.seconds[case])

    def cpu_per_piece(self, case):
        """In milliseconds."""
        return self.cpu[case] * 1e3 / (case.messages * case.recipients) / len(self.seconds[case])


@contextlib.contextmanager
def both(options):
    """The two sides."""
    directories = [private_directory(parent=options.directory) for _ in range(2)]
    try:
        with sink(directories[0]) as our_sink, sink(directories[1]) as their_sink:
            ours_cf = "".join("%s = %s\n" % item for item in dict(ALIKE, relayhost="[127.0.0.1]:%d" % our_sink).items())
            stock = StockPostfix({"smtpd": {}}, dict(ALIKE, relayhost="[127.0.0.1]:%d" % their_sink), parent=options.directory)
            with (stock.config / "master.cf").open("a") as master_cf:
                master_cf.write(STOCK_DELIVERS)
            with MailSystem(options.bin, directories[0], ours_cf, has_queue_manager=True) as ours, stock:
                pid = int((ours.queue / "pid/master.pid").read_text())
                yield (Side("ours", ours.port, pid, ours.queue, directories[0] / "mail.log"),
                       Side("stock", stock.port("smtpd"), stock.server.process.pid, stock.queue, stock.directory / "mail.log"))
    finally:
        for directory in directories:
            shutil.rmtree(directory, ignore_errors=True)


def compare(options, sides, case):
    for number in range(options.rounds):
        for side in sides if number % 2 == 0 else sides[::-1]:
            side.measure(case)
    ours, stock = (side.speed(case) for side in sides)
    our_cpu, stock_cpu = (side.cpu_per_piece(case) for side in sides)
    print("%-20s %6.0f / %6.0f a second  %5.2f (must be %.1f)   %.3f / %.3f ms CPU  %.2f (must be %.2f)" % (
        case.title, ours, stock, ours / stock, case.must, our_cpu, stock_cpu, our_cpu / stock_cpu, case.must_cpu), flush=True)


def main():
    top = pathlib.Path(__file__).resolve().parent.parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", default=str(top / "build/release/bin"), metavar="DIR")
    parser.add_argument("--directory", default="/var/tmp", metavar="DIR", help="where the queues are")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--only", metavar="WORD", help="cases with this word in their names", default="")
    options = parser.parse_args()
    try:
        with both(options) as sides:
            for side in sides:  # Whoever starts processes when they are needed has them then.
                side.measure(WARM_UP)
            for case in CASES:
                if options.only in case.title:
                    compare(options, sides, case)
    except NoServer as missing:
        print("skipped: %s" % missing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
