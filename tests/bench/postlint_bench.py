#!/usr/bin/env python3
"""How long an audit of a large configuration takes: 5,000 lines of main.cf, 20 tables of 100,000 lines each.

usage: postlint_bench.py --bin DIR [--limit SECONDS]

The exit status is 1 when the best of three runs takes longer than the limit (2 seconds).
"""
import argparse
import os
import sys
import tempfile
import time

LINES = 100000
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

from checks import run  # noqa: E402

# How many tables of each kind, and a line of one.
TABLES = {
    "virtual": (10, lambda table, i: "user%d.%d@good.test other%d@elsewhere.test" % (table, i, i)),
    "senders": (5, lambda table, i: "u%d@d%d.test REJECT" % (table, i)),
    "recipients": (2, lambda table, i: "u%d@d%d.branch.test OK" % (table, i)),
    "transport": (1, lambda table, i: "d%d.test smtp:[mail%d.test]" % (i, i)),
    "clients": (1, lambda table, i: "%d.%d.%d.0/24 REJECT" % (10 + i // 65536, i // 256 % 256, i % 256)),
    "helo": (1, lambda table, i: "/^mail%d\\.test$/ REJECT" % i),
}


def names(kind, map_type="hash"):
    return ["%s:/etc/postfix/%s%d" % (map_type, kind, i) for i in range(TABLES[kind][0])]


def write(directory):
    senders = ", ".join("check_sender_access " + name for name in names("senders"))
    lines = ["compatibility_level = 3.6", "mydestination = good.test",
             "virtual_alias_maps = " + ", ".join(names("virtual")), "relay_recipient_maps = " + ", ".join(names("recipients")),
             "transport_maps = " + names("transport")[0],
             "smtpd_recipient_restrictions = permit_mynetworks, %s, reject_unauth_destination, check_client_access %s, "
             "check_helo_access %s" % (senders, names("clients", "cidr")[0], names("helo", "pcre")[0])]
    lines += ["setting_%d = $myhostname %d" % (i, i) for i in range(5000 - len(lines))]
    with open(os.path.join(directory, "main.cf"), "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    for kind, (count, line) in TABLES.items():
        for table in range(count):
            with open(os.path.join(directory, "%s%d" % (kind, table)), "w", encoding="ascii") as file:
                file.writelines(line(table, i) + "\n" for i in range(LINES))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--limit", type=float, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="postlint-bench-") as directory:
        write(directory)
        times = []
        for _ in range(3):
            start = time.monotonic()
            done = run([os.path.join(options.bin, "postlint"), "-c", directory, "--format", "jsonl"])
            times.append(time.monotonic() - start)
            if done.status not in (0, 1) or done.err:
                print(done)
                return 1
    print("%.2f s (limit %.1f s), %d findings" % (min(times), options.limit, done.out.count("\n")))
    return 1 if min(times) > options.limit else 0


if __name__ == "__main__":
    sys.exit(main())
