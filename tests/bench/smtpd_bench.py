#!/usr/bin/env python3
"""Compare the speed of our SMTP server with the distribution's Postfix in taking mail: from the connection until the
message is safe in the queue.

Usage: smtpd_bench.py [--bin DIR] [--disk DIR] [--memory DIR] [--rounds N] [--messages N] [--bytes N] [--idle N] [--only WHAT]

How it measures:

- Both are whole mail systems in directories of their own, on loopback: ours with its master and smtpd; the
  distribution's with its master, smtpd, cleanup, trivial-rewrite, anvil and postlogd. None has a queue manager: mail
  stays in incoming/.
- Configured alike: no names are looked up, mail from 127.0.0.0/8 may go anywhere, recipients are not checked against
  tables, no content checks, each logs into a file, no limits on clients. All else is as it is by default.
- The distribution's smtp-source sends messages of one size from 10 and 50 sessions at a time: one message a session
  ("one"), and all of them ("many"). It does not pipeline. Its own work is part of the time of both.
- The same goes to the distribution's smtp-sink, which throws mail away: more than it takes, smtp-source does not send on
  this machine, whatever the server does.
- They run in turn, round after round, and who goes first changes with each round. Before each run, the queue is
  emptied by unlink(2) and file systems are synced; messages are counted after it.
- Speed is the median of the rounds; the CPU time is user and system of all processes of the mail system in all
  rounds, those that ended included, by the number of messages.
- System calls are counted by strace(1) in a run that is not timed. Memory is that of all processes together (proportional
  set size), with sessions that have said EHLO and wait.

Ratios are ours / stock: of speeds, higher is better; of CPU time, lower. "must" is what issue 5 asks for. This is no
test: the exit status is always 0. It needs root, as the distribution's Postfix does.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from checks import environment  # pylint: disable=wrong-import-position
from mail_load import RunningSystem, children, send, sink
from mail_system import MailSystem
from server import NoServer, private_directory
from stock_postfix import Conversation, StockPostfix

SIZES = (10, 50)  # sessions at a time
CPU_MUST = 0.25
ALIKE = {
    "mynetworks": "127.0.0.0/8",
    "mydestination": "example.com",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_client_connection_count_limit": "0",
    "default_process_limit": "2000",
}


class Place(NamedTuple):
    """A file system."""
    name: str
    directory: str
    must: float  # the ratio of speeds


class Side(RunningSystem):
    def __init__(self, label, port, pid, queue):
        super().__init__(label, port, pid, queue)
        self.incoming = queue / "incoming"
        self.seconds, self.cpu, self.messages = {}, {}, {}

    def empty(self):
        """Returns how many messages there were."""
        files = list(self.incoming.iterdir())
        for file in files:
            file.unlink()
        return len(files)

    def send(self, options, sessions, is_many):
        """Returns how long it took, in seconds."""
        seconds = self.receive(options.messages, options.bytes, sessions, is_many)
        taken = self.empty()
        if taken != options.messages:
            raise NoServer("%s took %d of %d messages" % (self.label, taken, options.messages))
        return seconds

    def measure(self, options, case):
        self.empty()
        os.sync()
        before = self.cpu_seconds()
        self.seconds.setdefault(case, []).append(self.send(options, *case))
        self.cpu[case] = self.cpu.get(case, 0) + self.cpu_seconds() - before

    def speed(self, options, case):
        return options.messages / statistics.median(self.seconds[case])

    def cpu_per_message(self, options, case):
        """In milliseconds."""
        return self.cpu[case] * 1e3 / options.messages / len(self.seconds[case])

    def system_calls(self, options, case):
        """Per message, and which."""
        pids = [word for pid in children(self.pid) for word in ("-p", str(pid))]
        with subprocess.Popen(["strace", "-f", "-c", "-U", "name,calls", *pids], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, env=environment()) as strace:
            while b"attached" not in strace.stderr.readline():
                pass
            self.send(options, *case)
            strace.send_signal(signal.SIGINT)
            text = strace.stderr.read().decode()
        calls = {name: int(count) for name, count in re.findall(r"^\s*(\w+)\s+(\d+)$", text, re.MULTILINE)}
        calls.pop("total", None)
        most = sorted(calls, key=calls.get, reverse=True)[:12]
        return (sum(calls.values()) / options.messages,
                ", ".join("%s %.1f" % (name, calls[name] / options.messages) for name in most))

    def idle_memory(self, count):
        """With so many sessions that wait, in mebibytes."""
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                conversation = stack.enter_context(Conversation(self.port))
                conversation.reply()
                conversation.ask(b"EHLO client.example.net\r\n")
            return self.memory()


@contextlib.contextmanager
def both(options, place):
    """The two sides, in that place."""
    main_cf = "".join("%s = %s\n" % item for item in ALIKE.items())
    directory = private_directory(parent=place.directory)
    try:
        with MailSystem(options.bin, directory, main_cf) as ours, \
                StockPostfix({"smtpd": {}}, dict(ALIKE), parent=place.directory) as stock:
            pid = int((ours.queue / "pid/master.pid").read_text())
            yield (Side("ours", ours.port, pid, ours.queue),
                   Side("stock", stock.port("smtpd"), stock.server.process.pid, stock.queue))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def title(case):
    return "%2d sessions, %-4s" % (case[0], "many" if case[1] else "one")


def compare_speed(options, place, sides):
    cases = [(sessions, is_many) for sessions in SIZES for is_many in (False, True)]
    at_sink = {case: [] for case in cases}
    for case in cases:  # Whoever starts processes when they are needed has them then.
        for side in sides:
            side.send(options, *case)
    with sink(sides[0].incoming.parent.parent) as port:
        for number in range(options.rounds):
            for case in cases:
                for side in sides if number % 2 == 0 else sides[::-1]:
                    side.measure(options, case)
                at_sink[case].append(send(port, options.messages, options.bytes, *case))
    for case in cases:
        ours, stock = (side.speed(options, case) for side in sides)
        our_cpu, stock_cpu = (side.cpu_per_message(options, case) for side in sides)
        most = options.messages / statistics.median(at_sink[case])
        print("%-6s %s  %5.0f / %5.0f messages/s  %5.2f (must be %.1f, smtp-sink %.2f)   %.3f / %.3f ms CPU  %.2f (must be %.2f)"
              % (place.name, title(case), ours, stock, ours / stock, place.must, most / stock, our_cpu, stock_cpu,
                 our_cpu / stock_cpu, CPU_MUST), flush=True)


def compare_calls(options, place, sides):
    for side in sides:
        for is_many in (False, True):
            count, which = side.system_calls(options, (SIZES[0], is_many))
            print("%-6s %s  %-5s  %5.1f system calls a message: %s" % (
                place.name, title((SIZES[0], is_many)), side.label, count, which), flush=True)


def compare_memory(options, place, sides):
    for side in sides:
        print("%-6s %d idle sessions  %-5s  %.1f MB" % (place.name, options.idle, side.label,
                                                       side.idle_memory(options.idle)), flush=True)


WHAT = {"speed": compare_speed, "calls": compare_calls, "memory": compare_memory}


def main():
    top = pathlib.Path(__file__).resolve().parent.parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", default=str(top / "build/release/bin"), metavar="DIR")
    parser.add_argument("--disk", default="/var/tmp", metavar="DIR")
    parser.add_argument("--memory", default="/dev/shm", metavar="DIR", help="a tmpfs")
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    parser.add_argument("--messages", type=int, default=500, metavar="N", help="in a run")
    parser.add_argument("--bytes", type=int, default=4096, metavar="N", help="of a message")
    parser.add_argument("--idle", type=int, default=1000, metavar="N", help="sessions")
    parser.add_argument("--only", choices=WHAT)
    options = parser.parse_args()
    for place in (Place("disk", options.disk, 2.5), Place("memory", options.memory, 4.0)):
        try:
            with both(options, place) as sides:
                for what, compare in WHAT.items():
                    if options.only in (None, what) and (what == "speed" or place.name == "memory"):
                        compare(options, place, sides)
        except NoServer as missing:
            print("%-6s skipped: %s" % (place.name, missing))
    return 0


if __name__ == "__main__":
    sys.exit(main())
