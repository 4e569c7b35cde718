#!/usr/bin/env python3
"""Compare ways to put messages into the queue, on a disk.

Usage: queue_bench.py [--program FILE] [--directory DIR] [--rounds N] [--messages N] [--bytes N] [--threads N,N,..]

How it measures:

- queue_ways writes messages of one size, from 1, 10 and 50 sessions at a time that each wait until their message is
  safe; older messages are removed meanwhile. The ways are
    postfix      what Postfix's cleanup does: create, rename, write, chmod, fsync
    one-by-one   our files, each session syncing its own file and the directory
    group/N      all sessions share the syncs (tools/mta/queue/group_commit.h), with N threads
    kept/N       what Postkit does: and files of messages that are gone are written over (tools/mta/queue/file_pool.h)
    recycled     the same, with the help of who removes messages: by rename(2), and with all syncs that make it safe
- They run in turn, round after round, each time in another order, in directories of their own: whatever else slows
  the machine down for a while slows down all.
- Nothing of a network or of SMTP is in it: this is what the disk allows.

The numbers are medians: messages per second, microseconds of CPU a message, and the ratio of the speeds to `postfix`.
This is no test: the exit status is always 0.
"""

import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

SESSIONS = (1, 10, 50)


def measure(program, way, directory, sessions, options):
    name, _, threads = way.partition("/")
    messages = options.messages if sessions > 1 else options.messages // 5
    place = tempfile.mkdtemp(prefix="queue-bench-", dir=directory)
    try:
        done = subprocess.run([program, name, place, str(messages), str(sessions), str(options.bytes), threads or "1"],
                              stdout=subprocess.PIPE, check=True)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.sync()
    speed, cpu = done.stdout.split()
    return float(speed), float(cpu)


def main():
    top = pathlib.Path(__file__).resolve().parent.parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--program", default=str(top / "build/dev/bin/queue_ways"), metavar="FILE")
    parser.add_argument("--directory", default="/var/tmp", metavar="DIR")
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    parser.add_argument("--messages", type=int, default=3000, metavar="N")
    parser.add_argument("--bytes", type=int, default=4096, metavar="N")
    parser.add_argument("--threads", default="4,8,16", metavar="N,N,..")
    options = parser.parse_args()
    ways = ["postfix", "one-by-one", "recycled",
            *(way + threads for threads in options.threads.split(",") for way in ("group/", "kept/"))]
    dice = random.Random(1)
    for sessions in SESSIONS:
        results = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way in dice.sample(ways, len(ways)):
                results[way].append(measure(options.program, way, options.directory, sessions, options))
        base = statistics.median(speed for speed, _ in results["postfix"])
        for way, seen in results.items():
            speed, cpu = (statistics.median(values) for values in zip(*seen))
            print("%2d sessions  %-11s %6.0f messages/s  %5.0f us CPU  %.2f" % (sessions, way, speed, cpu, speed / base),
                  flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
