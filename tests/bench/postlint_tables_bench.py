#!/usr/bin/env python3
"""How long postlint takes for a large site: a main.cf of 5,000 lines, and 20 tables of 100,000 lines each,
of all kinds: virtual, transport, access, canonical, mailboxes, passwords, networks, and a few patterns.

usage: postlint_tables_bench.py --bin DIR [--runs N] [--lines N] [--tables N] [--keep DIR] [-- OPTION...]

Prints the wall time of the best run, the CPU time and the memory; with options for postlint behind "--", such
as "--select tables". Exit status 1: the best run took longer than 2 seconds.
"""
import argparse
import os
import sys
import tempfile

import postmap_sources
import side_by_side

TARGET_SECONDS = 2.0
MAIN_LINES = 5000


def networks(count):
    """Disjoint IPv4 networks of /24, and some addresses in none of them."""
    for i in range(count):
        if i % 3 == 0:
            yield "198.%d.%d.%d REJECT" % (18 + i % 2, (i >> 8) % 256, i % 256)
        else:
            yield "%d.%d.%d.0/24 %s" % (1 + (i >> 16) % 100, (i >> 8) % 256, i % 256, "OK" if i % 7 else "REJECT")


def addresses(count, value):
    for user in postmap_sources.shuffled(count, 1):
        yield "%s\t%s" % (postmap_sources.address(user), value(user))


def domains(count, value):
    for number in postmap_sources.shuffled(count, 5):
        yield "domain%d.example\t%s" % (number, value(number))


# parameter, type, and what makes its lines.
TABLES = [
    ("virtual_alias_maps", "hash", lambda n: addresses(n, lambda i: "box%d@mail.example.net" % i)),
    ("canonical_maps", "hash", lambda n: addresses(n, lambda i: "name%d@example.org" % i)),
    ("transport_maps", "hash", lambda n: domains(n, lambda i: "smtp:[mx%d.example.net]" % (i % 50))),
    ("relay_domains", "hash", lambda n: domains(n, lambda i: "ok")),
    ("relay_recipient_maps", "hash", lambda n: addresses(n, lambda i: "ok")),
    ("virtual_mailbox_maps", "hash", lambda n: addresses(n, lambda i: "domain/user%d/" % i)),
    ("smtp_sasl_password_maps", "hash", lambda n: domains(n, lambda i: "user:secret%d" % i)),
    ("smtp_tls_policy_maps", "hash", lambda n: domains(n, lambda i: "encrypt")),
    ("check_client_access", "cidr", networks),
    ("check_sender_access", "hash", lambda n: addresses(n, lambda i: "OK" if i % 2 else "REJECT")),
]


def make_site(directory, tables, lines):
    """main.cf, and the tables beside it. The kinds come again and again until there are enough."""
    settings, access = {}, []
    for i in range(tables):
        parameter, kind, source = TABLES[i % len(TABLES)]
        path = os.path.join(directory, "table%d" % i)
        postmap_sources.write_lines(path, source(lines))
        table = "%s:%s" % (kind, path)
        if parameter.startswith("check_"):
            access.append("%s %s" % (parameter, table))
        else:
            settings.setdefault(parameter, []).append(table)
    text = ["%s = %s" % (name, ", ".join(values)) for name, values in settings.items()]
    text.append("smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination")
    text += ["    " + restriction for restriction in access]
    for i in range((MAIN_LINES - len(text)) // 5):
        text += ["# Note number %d" % i, "note_%d = $note_%d value" % (i + 1, i) if i % 10 else "note_%d = x" % (i + 1),
                 "bounce_note_%d_limit =" % i, "    $note_%d" % (i + 1), ""]
    with open(os.path.join(directory, "main.cf"), "w", encoding="ascii") as file:
        file.write("\n".join(text) + "\n")
    with open(os.path.join(directory, "master.cf"), "w", encoding="ascii") as file:
        file.write("smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\ncleanup unix n - n - 0 cleanup\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--tables", type=int, default=20)
    parser.add_argument("--keep", help="make the site there, and leave it")
    parser.add_argument("options", nargs="*", help="for postlint")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="postlint-bench-") as scratch:
        directory = options.keep or scratch
        os.makedirs(directory, exist_ok=True)
        make_site(directory, options.tables, options.lines)
        argv = [os.path.join(os.path.abspath(options.bin), "postlint"), "-c", directory] + options.options
        runs = [side_by_side.run(argv) for _ in range(options.runs)]
    best = min(runs, key=lambda usage: usage.wall)
    print("%d tables of %d lines: %.2f s, CPU %.2f s, %.0f MiB (best of %d)" %
          (options.tables, options.lines, best.wall, best.cpu, best.peak / 1024, options.runs))
    if best.wall > TARGET_SECONDS:
        print("longer than %.1f s" % TARGET_SECONDS, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
