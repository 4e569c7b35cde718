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
import re
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from queue_systems import our_system, stock_system  # pylint: disable=wrong-import-position

SETTINGS = {"transport_maps": "inline:{{defer.test=retry:later}}"}
CPU_MUST, MESSAGES_MUST, RECIPIENTS_MUST = 0.4, 2.0, 1.5
DEADLINE = 120


def name_of(number):
    return "%05X%07X" % (number * 7919 % 1000003 % 0xFFFFF, 0x1000000 + number)


def is_empty(side):
    return not any(next(os.scandir(side.queue / name), None) for name in ("incoming", "active"))


def delivery(side, messages):
    """Seconds, and seconds of CPU time, to get rid of these recipients of messages."""
    for number, recipients in enumerate(messages):
        side.put("incoming", name_of(number), "ann@example.org", recipients)
    os.sync()
    started = time.monotonic()
    side.start()
    side.wait_for(lambda: is_empty(side) and side.log().count(": removed") >= len(messages), DEADLINE)
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
            side.put("deferred", name_of(number), "ann@example.org", ["bob@defer.test"], due=due, arrival=now - 5000)
        os.sync()
        started = time.monotonic()
        side.start()
        side.wait_for(lambda: "(queue active)" in side.log(), DEADLINE)
        first = time.monotonic() - started
        new = name_of(options.deferred)
        side.put("incoming", new, "ann@example.org", ["bob@example.com"])
        side.trigger("I")
        asked = time.monotonic()
        side.wait_for(lambda: ("%s: removed" % new) in side.log(), DEADLINE)
        fresh = time.monotonic() - asked
        side.wait_for(lambda: side.log().count("status=deferred") >= (options.deferred + 9) // 10, DEADLINE)
        total = time.monotonic() - started
        status = pathlib.Path("/proc/%d/status" % side.process()).read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
        cpu = side.stop()
        print("deferred   %6d  %-5s  first try after %.2f s, new mail after %.2f s, all that is due after %.1f s, %.1f s CPU, "
              "the queue manager had %.0f MB at most" % (options.deferred, side.label, first, fresh, total, cpu, peak),
              flush=True)


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
        sides = (our_system(options.bin, SETTINGS, parent=options.directory),
                 stock_system(SETTINGS, parent=options.directory))
        try:
            measure(options, sides)
        finally:
            for side in sides:
                side.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
