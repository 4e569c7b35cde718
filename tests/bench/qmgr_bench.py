#!/usr/bin/env python3
"""Compare the speed of our queue manager with the distribution's Postfix in getting rid of mail.

Usage: qmgr_bench.py [--bin DIR] [--directory DIR] [--rounds N] [--messages N] [--recipients N] [--deferred N] [--only WHAT]

How it measures:

- Both are whole mail systems in directories of their own; all mail goes to discard(8), and each logs into a file.
- "messages": so many messages with one recipient stand in incoming/ when the system is started; it has ended its work
  when none is left. "recipients": one message, with so many recipients in 100 domains.
- The time is from the start of the master until the queue is empty; the CPU time is user and system of all processes of
  the mail system, from start to end.
- "deferred": so many messages wait in deferred/, a tenth of them due, for a transport that defers again. The time is from
  the start until the first of them is tried, and until new mail is delivered; memory is the largest resident set of the
  queue manager.
- They run in turn, round after round, and who goes first changes with each round. The numbers are medians.

Ratios are ours / stock: of speeds, higher is better; of CPU time, lower. This is no test: the exit status is always 0. It
needs root, as the distribution's Postfix does.
"""

import argparse
import os
import pathlib
import pwd
import re
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

import side_by_side  # pylint: disable=wrong-import-position
from checks import environment
from queue_files import write_message
from server import private_directory
from stock_postfix import DAEMONS, QUEUES

MAIN_CF = {
    "compatibility_level": "3.6", "myhostname": "mail.example.org", "mydestination": "", "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4", "mail_owner": "postfix", "setgid_group": "postdrop", "alias_maps": "", "notify_classes": "",
    "default_transport": "discard:", "relay_transport": "discard:", "transport_maps": "inline:{{defer.test=retry:later}}",
    "hash_queue_names": "deferred, defer",
}
MASTER_CF = """pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
postlog unix-dgram n - n - 1 postlogd
"""
CPU_MUST, MESSAGES_MUST, RECIPIENTS_MUST = 0.4, 2.0, 1.5
DEADLINE = 600


class Side:
    def __init__(self, label, command, parent):
        self.label, self.command, self.owner = label, command, pwd.getpwnam("postfix")
        self.directory = private_directory(parent=parent)
        self.config, self.queue = self.directory / "config", self.directory / "queue"
        for path in (self.config, self.queue, self.directory / "data"):
            path.mkdir()
        os.chown(self.directory / "data", self.owner.pw_uid, self.owner.pw_gid)
        for name in QUEUES:
            (self.queue / name).mkdir(mode=0o755)
            if name != "pid":
                os.chown(self.queue / name, self.owner.pw_uid, self.owner.pw_gid)
        values = dict(MAIN_CF, queue_directory=self.queue, data_directory=self.directory / "data",
                      maillog_file=self.directory / "mail.log", maillog_file_prefixes=self.directory)
        (self.config / "main.cf").write_text("".join("%s = %s\n" % item for item in values.items()))
        (self.config / "master.cf").write_text(MASTER_CF)
        for name in ("main.cf", "master.cf"):
            side_by_side.make_old(self.config / name)

    def start(self):
        """A new system with a new log."""
        (self.directory / "mail.log").unlink(missing_ok=True)
        with open(self.directory / "console", "wb") as console:
            self.master = subprocess.Popen([str(word) for word in self.command] + ["-c", str(self.config)] + self.command_end,
                                           stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=environment())

    def stop(self):
        """The seconds of CPU time that all processes took."""
        self.master.terminate()
        _, _, usage = os.wait4(self.master.pid, 0)
        self.master.returncode = 0
        return usage.ru_utime + usage.ru_stime

    def log(self):
        path = self.directory / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for(self, condition):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit("%s: no end; its log:\n%s" % (self.label, self.log()[-2000:]))
            time.sleep(0.005)

    def is_empty(self):
        return not any(next(os.scandir(self.queue / name), None) for name in ("incoming", "active"))

    def put(self, queue, number, recipients, **options):
        name = "%05X%07X" % (number % 1000003 % 0xFFFFF, 0x1000000 + number)
        place = self.queue / queue
        if queue == "deferred":
            place = place / name[0]
        write_message(place / name, "ann@example.org", recipients, owner=self.owner, **options)
        return name

    def qmgr(self):
        """The process."""
        found = subprocess.run(["pgrep", "-f", "-P", str(self.master.pid), "qmgr"], capture_output=True, check=False).stdout.split()
        return int(found[0]) if found else 0

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Ours(Side):
    command_end = ["start-fg"]

    def __init__(self, options):
        super().__init__("ours", [pathlib.Path(options.bin) / "postfix"], options.directory)


class Stock(Side):
    command_end = ["-d"]

    def __init__(self, options):
        super().__init__("stock", [DAEMONS / "master"], options.directory)


def delivery(side, messages):
    """Seconds, and seconds of CPU time, to get rid of these recipients of messages."""
    for number, recipients in enumerate(messages):
        side.put("incoming", number, recipients)
    os.sync()
    started = time.monotonic()
    side.start()
    side.wait_for(lambda: side.is_empty() and side.log().count(": removed") >= len(messages))
    return time.monotonic() - started, side.stop()


def compare(options, sides, what, count, messages, must):
    results = {side.label: [] for side in sides}
    for number in range(options.rounds):
        for side in sides if number % 2 == 0 else sides[::-1]:
            results[side.label].append(delivery(side, messages))
    (our_time, our_cpu), (time_of_stock, cpu_of_stock) = (
        [statistics.median(values) for values in zip(*results[side.label])] for side in sides)
    print("%-10s %6d  %6.0f / %6.0f a second  %5.2f (must be %.1f)   %.3f / %.3f ms CPU  %.2f (must be %.2f)"
          % (what, count, count / our_time, count / time_of_stock, time_of_stock / our_time, must, 1000 * our_cpu / count,
             1000 * cpu_of_stock / count, our_cpu / cpu_of_stock, CPU_MUST), flush=True)


def compare_messages(options, sides):
    messages = [["bob%d@d%d.test" % (number, number % 100)] for number in range(options.messages)]
    compare(options, sides, "messages", options.messages, messages, MESSAGES_MUST)


def compare_recipients(options, sides):
    recipients = ["bob%d@d%d.test" % (number, number % 100) for number in range(options.recipients)]
    compare(options, sides, "recipients", options.recipients, [recipients], RECIPIENTS_MUST)


def compare_deferred(options, sides):
    for side in sides:
        now = time.time()
        for number in range(options.deferred):
            due = now - 10 if number % 10 == 0 else now + 100000
            side.put("deferred", number, ["bob@defer.test"], due=due, arrival=now - 5000)
        os.sync()
        started = time.monotonic()
        side.start()
        side.wait_for(lambda: "(queue active)" in side.log())
        first = time.monotonic() - started
        new = side.put("incoming", options.deferred + 1, ["bob@example.com"])
        pid = side.qmgr()
        subprocess.run(["/bin/sh", "-c", 'printf "I" > /dev/null'], check=True)
        trigger(side)
        side.wait_for(lambda: ("%s: removed" % new) in side.log())
        fresh = time.monotonic() - started - first
        side.wait_for(lambda: side.log().count("status=deferred") >= (options.deferred + 9) // 10)
        total = time.monotonic() - started
        peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/%d/status" % pid).read_text())[1]) / 1024
        cpu = side.stop()
        print("deferred   %6d  %-5s  first try after %.2f s, new mail %.2f s later, all that is due after %.1f s, %.1f s CPU, "
              "the queue manager has %.0f MB at most" % (options.deferred, side.label, first, fresh, total, cpu, peak), flush=True)


def trigger(side):
    import socket  # pylint: disable=import-outside-toplevel
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(side.queue / "public/qmgr"))
        client.send(b"I\0")


WHAT = {"messages": compare_messages, "recipients": compare_recipients, "deferred": compare_deferred}


def main():
    top = pathlib.Path(__file__).resolve().parent.parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", default=str(top / "build/release/bin"), metavar="DIR")
    parser.add_argument("--directory", default="/var/tmp", metavar="DIR", help="where the queues are")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--messages", type=int, default=5000, metavar="N")
    parser.add_argument("--recipients", type=int, default=50000, metavar="N")
    parser.add_argument("--deferred", type=int, default=200000, metavar="N")
    parser.add_argument("--only", choices=WHAT)
    options = parser.parse_args()
    for what, measure in WHAT.items():
        if options.only not in (None, what):
            continue
        sides = (Ours(options), Stock(options))
        try:
            measure(options, sides)
        finally:
            for side in sides:
                side.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
