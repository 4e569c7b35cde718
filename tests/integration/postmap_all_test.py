#!/usr/bin/env python3
"""Holds `postmap --all` and `postmap --verify` against what postmap(1) says of them.

usage: postmap_all_test.py --bin DIR [--only WORD]

Everything happens in a scratch directory.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import os
import sys
import time

import tables
from tables import MAIN_CF, TYPES, Program, write_source

PLAIN = "key1 value 1\nkey2 value 2\n"
ALIASES = "postmaster: ann, bob\nroot: postmaster\n"
TLS = "mail.example.com {d}/key.pem, {d}/chain.pem\n"

# Every way to name a table. {d} is the configuration directory.
MAIN = """\
{base}
# Caches, which Postfix makes; the defaults are outside this directory.
address_verify_map =
postscreen_cache_map =
config = {d}
in_other_words = btree:{d}/by-name
alias_maps = hash:{d}/aliases, texthash:{d}/no-index
alias_database = hash:{d}/aliases lmdb:{d}/more-aliases
virtual_alias_maps = hash:$config/plain, cdb:$config/plain
    lmdb:{d}/continued,btree:{d}/comma
virtual_mailbox_maps = pipemap:{{hash:{d}/piped, unionmap:{{cdb:{d}/united,inline:{{a=b}}}}}}
transport_maps = proxy:hash:{d}/proxied, proxy:unionmap:{{proxy:btree:{d}/proxied-inside}}
canonical_maps = mysql:{d}/client.cf
relocated_maps = $in_other_words
smtpd_recipient_restrictions =
    permit_mynetworks
    check_client_access {{ hash:{d}/braced, search_order = parent }}
    check_sender_access hash:{d}/restricted
    check_helo_access pcre:{d}/no-index.pcre
    reject
my_class = check_recipient_access cdb:{d}/in-a-class
smtpd_restriction_classes = my_class
tls_server_sni_maps = hash:{d}/sni
mynetworks = 127.0.0.0/8 hash:{d}/networks
"""

MASTER = """\
smtp      inet  n       -       y       -       -       smtpd
    -o smtpd_client_restrictions=hash:{d}/master-client
    -o {{ smtpd_sender_restrictions = check_sender_access hash:{d}/master-braced, permit }}
submission inet n       -       y       -       -       smtpd
    -o smtpd_helo_restrictions=check_helo_access,lmdb:{d}/master-helo
    -o user_defined={d}/master-user
    -o smtpd_relay_restrictions=check_client_access,hash:$user_defined
"""

CLIENT = """\
hosts = localhost
dbname = mail
query = SELECT destination FROM users WHERE name = '%s'
domain = hash:{d}/client-domains, example.com
"""

AS_ALIASES = ", as aliases"
WITH_FILES = ", with the contents of files"
# (table, what is said about how it is built)
TABLES = sorted([
    ("btree:{d}/by-name", ""), ("btree:{d}/comma", ""), ("btree:{d}/proxied-inside", ""),
    ("cdb:{d}/in-a-class", ""), ("cdb:{d}/plain", ""), ("cdb:{d}/united", ""),
    ("hash:{d}/aliases", AS_ALIASES), ("hash:{d}/braced", ""), ("hash:{d}/client-domains", ""),
    ("hash:{d}/master-braced", ""), ("hash:{d}/master-client", ""), ("hash:{d}/master-user", ""),
    ("hash:{d}/networks", ""), ("hash:{d}/piped", ""), ("hash:{d}/plain", ""), ("hash:{d}/proxied", ""),
    ("hash:{d}/restricted", ""), ("hash:{d}/sni", WITH_FILES),
    ("lmdb:{d}/continued", ""), ("lmdb:{d}/master-helo", ""), ("lmdb:{d}/more-aliases", AS_ALIASES),
])
SUFFIXES = {t.name: t.suffix for t in TYPES}


class Site:
    """A configuration directory that names tables, and their sources."""

    def __init__(self, place, name):
        self.directory = place.directory(name)
        self.tool = Program("ours", place.ours.path, self.directory)
        self.postalias = Program("ours", place.postalias.path, self.directory)
        for file, text in (("main.cf", MAIN), ("master.cf", MASTER), ("client.cf", CLIENT)):
            self.file(file).write_text(text.format(d=self.directory, base=MAIN_CF.replace("mynetworks", "#")))
        for table, note in TABLES:
            self.source(table).write_text({AS_ALIASES: ALIASES, WITH_FILES: TLS}.get(note, PLAIN).format(
                d=self.directory))
        self.file("no-index").write_text("key value\n")
        self.file("no-index.pcre").write_text("/x/ REJECT\n")
        self.file("key.pem").write_text("the key\n")
        self.file("chain.pem").write_text("the chain\n")

    def file(self, name):
        return self.directory / name

    def source(self, table):
        return self.file(table.rpartition("/")[2])

    def index(self, table):
        return self.file(table.rpartition("/")[2] + SUFFIXES[table.partition(":")[0]])

    def table(self, table):
        return table.format(d=self.directory)

    def lines(self, said):
        """What is printed when said(table, note) is what happens to each."""
        return "".join("%s: %s\n" % (self.table(table), said(table, note)) for table, note in TABLES)

    def indexes(self):
        return {index.name: (index.read_bytes(), index.stat().st_mtime_ns)
                for index in self.directory.iterdir() if index.suffix in SUFFIXES.values()}


def same(checks, name, done, out, status=0, err=""):
    return checks.check(name, (done.status, done.out, done.err) == (status, out, err), lambda: "%s\nwanted %s" % (
        "status %s\n%s%s" % (done.status, done.out, done.err), "status %s\n%s%s" % (status, out, err)))


def built(_, note):
    return "built" + note


# --all.

def check_all(checks, place):
    site = Site(place, "all")
    dry = site.tool.run("--all", "--dry-run")
    same(checks, "--all --dry-run says what would be built", dry, site.lines(lambda _, note: "would be built" + note))
    checks.equal("--all --dry-run builds nothing", site.indexes(), {})
    done = site.tool.run("--all")
    same(checks, "--all builds every table that the configuration names", done, site.lines(built))
    checks.equal("--all makes no other index", sorted(site.indexes()), sorted(
        site.index(table).name for table, _ in TABLES))
    for table, note in TABLES:
        if note == AS_ALIASES:
            got, done = site.postalias.entries(site.table(table))
            wanted = {"@": "@", "postmaster": "ann, bob", "root": "postmaster"}
        elif note == WITH_FILES:
            got, done = site.tool.entries(site.table(table), "-F")
            # The value has newlines in it.
            got, wanted = done.out, "mail.example.com\tthe key\n\nthe chain\n\n"
        else:
            got, done = site.tool.entries(site.table(table))
            wanted = {"key1": "value 1", "key2": "value 2"}
        checks.equal("--all: %s has its entries%s" % (table.replace("{d}/", ""), note), got, wanted)
    done = site.postalias.run("--all")
    same(checks, "postalias --all does the same", done, site.lines(built))
    got, _ = site.tool.entries(site.table("hash:{d}/plain"))
    checks.equal("postalias --all builds tables that are no aliases as postmap does", got,
                 {"key1": "value 1", "key2": "value 2"})


def check_stale(checks, place):
    site = Site(place, "stale")
    now = time.time()
    for table, _ in TABLES:
        os.utime(site.source(table), (now - 1000, now - 1000))
    same(checks, "--all --stale builds what is missing", site.tool.run("--all", "--stale"), site.lines(built))
    before = site.indexes()
    same(checks, "--all --stale leaves what is up to date", site.tool.run("--all", "--stale"),
         site.lines(lambda *_: "up to date"))
    checks.check("--all --stale touches no index that is up to date", site.indexes() == before)

    # One source is newer by a nanosecond, one is as old as its index; one index is not there.
    newer, equal, missing = "hash:{d}/sni", "lmdb:{d}/more-aliases", "cdb:{d}/united"
    for table, offset in ((newer, 1), (equal, 0)):
        time_ns = site.index(table).stat().st_mtime_ns + offset
        os.utime(site.source(table), ns=(time_ns, time_ns))
    site.index(missing).unlink()
    stale = (newer, missing)
    before = site.indexes()
    same(checks, "--all --stale --dry-run says what is stale", site.tool.run("--all", "--stale", "--dry-run"),
         site.lines(lambda table, note: "would be built" + note if table in stale else "up to date"))
    checks.check("--all --stale --dry-run builds nothing", site.indexes() == before)
    same(checks, "--all --stale builds what is stale", site.tool.run("--all", "--stale"),
         site.lines(lambda table, note: "built" + note if table in stale else "up to date"))
    after = site.indexes()
    changed = {name for name in after if after[name] != before.get(name)}
    checks.equal("--all --stale builds nothing else", changed, {site.index(table).name for table in stale})


def check_modes(checks, place):
    site = Site(place, "modes")
    plain, secret, group = "hash:{d}/plain", "hash:{d}/sni", "lmdb:{d}/continued"
    for table, mode in ((plain, 0o644), (secret, 0o600), (group, 0o640)):
        site.source(table).chmod(mode)

    def modes():
        return [oct(site.index(table).stat().st_mode & 0o7777) for table in (plain, secret, group)]

    site.tool.run("--all")
    checks.equal("--all: a new index has the mode of its source", modes(), ["0o644", "0o600", "0o640"])
    for table in (plain, secret, group):
        site.index(table).unlink()
    site.tool.run("--all", "-p")
    checks.equal("--all -p does not open what a secret source made", modes(), ["0o644", "0o600", "0o640"])
    for table in (plain, secret, group):
        site.index(table).chmod(0o644)
    site.tool.run("--all")
    checks.equal("--all closes an index that more people can read than its source", modes(),
                 ["0o644", "0o600", "0o640"])
    for table in (plain, secret, group):
        site.index(table).chmod(0o600)
    site.tool.run("--all")
    checks.equal("--all does not open an index that was closed", modes(), ["0o600", "0o600", "0o600"])


def check_missing_and_failing(checks, place):
    site = Site(place, "failing")
    orphan, absent, blocked = "hash:{d}/braced", "hash:{d}/master-client", "cdb:{d}/in-a-class"
    site.tool.run(site.table(orphan))
    site.source(orphan).unlink()
    site.source(absent).unlink()
    said = {orphan: "left alone: its source is not there", absent: "not there"}
    same(checks, "--all: tables without a source are no error", site.tool.run("--all"),
         site.lines(lambda table, note: said.get(table, "built" + note)))
    checks.equal("--all leaves an index without a source", site.tool.entries(site.table(orphan))[0],
                 {"key1": "value 1", "key2": "value 2"})

    site.index(blocked).unlink()
    site.index(blocked).mkdir()
    said[blocked] = "not built"
    done = site.tool.run("--all")
    checks.check("--all: a table that cannot be built: status 1, a warning that names it, and the others are built",
                 done.status == 1 and done.out == site.lines(lambda table, note: said.get(table, "built" + note)) and
                 done.err.count("\n") == 1 and done.err.startswith("postmap: warning: ") and
                 str(site.index(blocked)) in done.err, done)

    site = Site(place, "bad-lines")
    with open(site.source("hash:{d}/plain"), "a", encoding="ascii") as source:
        source.write("no-value\n")
    done = site.tool.run("--all")
    checks.check("--all: a bad line is a warning; the table is built", done.status == 0 and
                 done.out == site.lines(built) and "plain, line 3: " in done.err and
                 all(line.startswith("postmap: warning: ") for line in done.err.splitlines()), done)

    site = Site(place, "no-master")
    site.file("master.cf").unlink()
    done = site.tool.run("--all")
    checks.check("--all without a master.cf: a warning; what main.cf names is built", done.status == 0 and
                 "master.cf" in done.err and "hash:%s: built\n" % site.file("plain") in done.out and
                 "master-client" not in done.out, done)
    site.file("client.cf").unlink()
    done = site.tool.run("--all")
    checks.check("--all with a client's file missing: a warning; the others are built", done.status == 0 and
                 "client.cf" in done.err and "hash:%s: built\n" % site.file("plain") in done.out, done)
    site.file("main.cf").unlink()
    done = site.tool.run("--all")
    checks.check("--all without a main.cf: an error", done.status == 1 and "main.cf" in done.err and not done.out, done)


def check_bad_options(checks, place):
    site = Site(place, "options")
    for arguments in (("--all", site.table("hash:{d}/plain")), ("--stale", site.table("hash:{d}/plain")),
                      ("--dry-run", site.table("hash:{d}/plain")), ("--all", "--verify"), ("--all", "-s"),
                      ("--all", "-q", "key"), ("--verify",), ("--verify", "-i", site.table("hash:{d}/plain"))):
        done = site.tool.run(*arguments)
        checks.check("%s: an error" % " ".join(arguments).replace(str(site.directory), ""),
                     done.status == 1 and done.err.startswith("postmap: fatal: ") and not done.out, done)
    checks.equal("none of them builds anything", site.indexes(), {})


# --verify.

def check_verify(checks, place):
    start = {"key%d" % i: "value %d" % i for i in range(1000)}
    for table_type in TYPES:
        directory = place.directory("verify-%s" % table_type)
        source = directory / "table"
        table = "%s:%s" % (table_type, source)
        name = "%s:%s" % (table_type, source if table_type.name == "lmdb" else
                          directory / ("table" + table_type.suffix))
        write_source(source, start)
        place.ours.run(table)
        same(checks, "%s: --verify is silent when index and source agree" % table_type,
             place.ours.run("--verify", table), "")
        # Comments, order and layout are no difference; nor is what the build left out.
        source.write_text("# comment\n" + "".join(
            "%s\t\t%s\n" % entry for entry in reversed(start.items())) + "key1 again\nno-value\n")
        same(checks, "%s: --verify compares entries, not texts" % table_type, place.ours.run("--verify", table), "")

        changed = dict(start, key7="another", added="value")
        del changed["key9"]
        write_source(source, changed)
        before = (directory / ("table" + table_type.suffix)).read_bytes()
        done = place.ours.run("--verify", table)
        wanted = ["%s: another value in the source: key7" % name, "%s: not in the index: added" % name,
                  "%s: not in the source: key9" % name]
        checks.check("%s: --verify finds what is missing, in excess and different" % table_type,
                     done.status == 1 and sorted(done.out.splitlines()) == wanted and not done.err, done)
        checks.check("%s: --verify changes nothing" % table_type,
                     (directory / ("table" + table_type.suffix)).read_bytes() == before)

        # Two tables, the first of which is good.
        other = directory / "other"
        write_source(other, start)
        place.ours.run("%s:%s" % (table_type, other))
        done = place.ours.run("--verify", "%s:%s" % (table_type, other), table)
        checks.check("%s: --verify of two tables: status 1 for one that differs" % table_type,
                     done.status == 1 and sorted(done.out.splitlines()) == wanted, done)
        done = place.ours.run("--verify", "%s:%s" % (table_type, directory / "absent"))
        checks.check("%s: --verify of a source that is not there: an error" % table_type,
                     done.status == 1 and done.err.startswith("postmap: fatal: ") and not done.out, done)

        # With the options of the build.
        source.write_text("KEY value\n")
        place.ours.run("-f", table)
        same(checks, "%s: --verify -f of what -f built" % table_type, place.ours.run("--verify", "-f", table), "")
        done = place.ours.run("--verify", table)
        checks.check("%s: --verify without -f of what -f built" % table_type,
                     done.status == 1 and done.out.count("\n") == 2, done)

        aliases = directory / "aliases"
        aliases.write_text(ALIASES)
        place.postalias.run("%s:%s" % (table_type, aliases))
        done = place.postalias.run("--verify", "%s:%s" % (table_type, aliases))
        same(checks, "%s: postalias --verify of an alias database" % table_type, done, "")
        if stock := place.stock_postalias if table_type.name in place.stock_types else None:
            stock.run("%s:%s" % (table_type, aliases))
            done = place.postalias.run("--verify", "%s:%s" % (table_type, aliases))
            same(checks, "%s: postalias --verify of an alias database by Postfix" % table_type, done, "")
        aliases.write_text(ALIASES + "new: one\n")
        done = place.postalias.run("--verify", "%s:%s" % (table_type, aliases))
        checks.check("%s: postalias --verify finds a missing alias" % table_type,
                     done.status == 1 and done.out.endswith(": not in the index: new\n"), done)

    done = place.ours.run("--verify", "texthash:/nothing")
    checks.check("--verify of a type without an index: an error", done.status == 1 and "no index" in done.err, done)


if __name__ == "__main__":
    sys.exit(tables.main(__doc__, "postmap-all-", (
        check_all, check_stale, check_modes, check_missing_and_failing, check_bad_options, check_verify)))
