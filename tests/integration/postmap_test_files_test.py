#!/usr/bin/env python3
"""Runs `postmap --test` on one file of cases for tables of every type, and has prove(1) read what it prints.

usage: postmap_test_files_test.py --bin DIR [--only WORD]

Indexes are built by our postmap, and by the distribution's where that is installed: the cases are the same.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import json
import os
import shutil
import sys

import tables
from checks import environment, run
from tables import TYPES

SOURCE = """\
ann@example.com     a
example.com         b
.example.org        c
192.0.2             d
root                e
@example.net        f
user@example.net    g
"""
SETTINGS = "recipient_delimiter = +\nmydestination = example.net\nparent_domain_matches_subdomains =\n"

# (key, lookup, the partial key that has it or None, value or None): access(5), transport(5), virtual(5) and
# aliases(5) say which are tried, in which order.
CASES = [
    ("ann@example.com", "access", "ann@example.com", "a"),
    ("ann+x@example.com", "access", "ann@example.com", "a"),
    ("bob@example.com", "access", "example.com", "b"),
    ("bob@sub.example.com", "access", None, None),
    ("bob@sub.example.org", "access", ".example.org", "c"),
    ("mx.example.org", "host", ".example.org", "c"),
    ("192.0.2.7", "client", "192.0.2", "d"),
    ("192.0.20.7", "client", None, None),
    ("mx.example.org[192.0.2.7]", "client", ".example.org", "c"),
    ("unknown[192.0.2.7]", "client", "192.0.2", "d"),
    ("bob@example.com", "transport", "example.com", "b"),
    ("bob@a.b.example.org", "transport", ".example.org", "c"),
    ("root@example.net", "virtual", "root", "e"),
    ("user+x@example.net", "virtual", "user@example.net", "g"),
    ("bob@example.net", "virtual", "@example.net", "f"),
    ("bob@example.com", "virtual", None, None),
    ("root+x", "aliases", "root", "e"),
    ("user+x@example.net", "mailbox", "user@example.net", "g"),
    ("ANN@Example.COM", "canonical", "ann@example.com", "a"),
    ("bob@example.com", "exact", None, None),
    ("example.com", "exact", "example.com", "b"),
]


def text_of(cases):
    lines = ["%s as %s %s" % (key, lookup, "not found" if value is None else "via %s = %s" % (via, value))
             for key, lookup, via, value in cases]
    return "# As the manual pages have it.\n%s\n" % "\n".join(lines)


def write(place, name, text):
    file = place.top / name
    file.write_text(text)
    return file


def builders(place):
    return [("ours", place.ours, None)] + ([("stock", place.stock, place.stock_types)] if place.stock else [])


def check_types(checks, place):
    """The same answers from tables of every type, whoever has built the index."""
    with open(place.configuration / "main.cf", "a", encoding="ascii") as main_cf:
        main_cf.write(SETTINGS)
    file = write(place, "all.test", text_of(CASES))
    for builder, program, types in builders(place):
        directory = place.directory("built-by-" + builder)
        (directory / "t").write_text(SOURCE)
        for table_type in TYPES:
            if types is not None and table_type.name not in types:
                checks.skip("%s built by %s" % (table_type, builder), "it has no such type here")
                continue
            table = "%s:%s" % (table_type, directory / "t")
            built = program.run(table)
            done = place.ours.run("--test", file, table)
            checks.check("%s, built by %s: all cases are as the manual pages have them" % (table_type, builder),
                         built.status == 0 and done.status == 0 and "not ok" not in done.out and
                         done.out.count("\nok ") == len(CASES) and not done.err, "%s\n%s" % (built, done.out))
    if not place.stock:
        checks.skip("indexes built by stock", "no postmap of Postfix")
    table = "texthash:%s" % write(place, "text", SOURCE)
    done = place.ours.run("--test", file, table)
    checks.check("texthash: all cases are as the manual pages have them", done.status == 0, done.out)


def check_failures(checks, place):
    """Each case, with another result than the right one, fails; and nothing else does."""
    table = "texthash:%s" % write(place, "text", SOURCE)
    wrong = [(key, lookup, via or key, "another value") for key, lookup, via, _ in CASES]
    done = place.ours.run("-j", "--test", write(place, "wrong.test", text_of(wrong)), table)
    results = [json.loads(line) for line in done.out.splitlines()]
    checks.equal("each wrong case fails, at its line", [(r["ok"], r["line"]) for r in results],
                 [(False, line) for line in range(2, len(CASES) + 2)])
    checks.equal("the actual results are told", [r["actual"] for r in results],
                 ["not found" if value is None else "= " + value for _, _, _, value in CASES])
    checks.equal("the keys that matched are told", [r.get("match", "").lower() for r in results],
                 [via or "" for _, _, via, _ in CASES])
    checks.equal("the exit status is 1", done.status, 1)
    elsewhere = [(key, lookup, "elsewhere", value) for key, lookup, via, value in CASES if via]
    done = place.ours.run("-j", "--test", write(place, "via.test", text_of(elsewhere)), table)
    checks.check("the right value under another key is wrong",
                 done.status == 1 and '"ok": true' not in done.out and done.out.count("\n") == len(elsewhere), done)


def check_prove(checks, place):
    prove = shutil.which("prove")
    if not prove:
        checks.skip("prove reads the output", "prove is not installed")
        return
    good = write(place, "good.test", "table: texthash:%s\nroot = e\n\"a # b\" not found\n" %
                 write(place, "text", SOURCE))
    bad = write(place, "bad.test", good.read_text() + "root = x\nroot not found\n")
    command = "%s -c %s --test" % (place.ours.path, place.configuration)
    for file, status, words in ((good, 0, "Result: PASS"), (bad, 1, "Failed 2/4 subtests")):
        done = run([prove, "--exec", command, file], env=environment(PATH=os.environ["PATH"]))
        checks.check("prove reads the output of %s" % file.name,
                     done.status == status and words in done.out and "Parse errors" not in done.out, done)


if __name__ == "__main__":
    sys.exit(tables.main(__doc__, "postmap-test-files-", (check_types, check_failures, check_prove)))
