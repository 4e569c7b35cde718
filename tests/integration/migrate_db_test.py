#!/usr/bin/env python3
"""Holds `postconf --migrate-db` against what postconf(1) promises: no byte changes but types, no entry is lost, and
whatever goes wrong on the way, each file is the old one or the new one.

usage: migrate_db_test.py --bin DIR

Everything happens in a scratch directory. What the distribution's Postfix says of a migrated configuration is looked
at where that is installed.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import argparse
import contextlib
import fcntl
import os
import pathlib
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback

from checks import Checks, environment, run
from sandbox import SYSTEM_PATH

KILLS = 30
LONGEST_RUN = 0.08  # seconds, within which kills are spread
SEED = 11

# {d} is the directory of the site; what stands between < and > is what changes.
MAIN = """\
# A site of many years.\r
compatibility_level = 3.6
myhostname = mail.example.org
mynetworks = 127.0.0.0/8
\t[::1]/128
config = {d}
address_verify_map =
alias_maps = <hash>:{d}/aliases,
#   hash:{d}/comment
    \t<hash>:{d}/more-aliases
alias_database=<hash>:{d}/aliases
default_database_type = <hash>
default_cache_db_type =   <btree>
dbtype = <btree>
relocated_maps = $dbtype:$config/relocated
virtual_alias_maps = <hash>:$config/virtual proxy:<btree>:${{config}}/virtual2
  pipemap:{{<hash>:{d}/piped,unionmap:{{proxy:<btree>:{d}/united, inline:{{a=b}}}}}}
canonical_maps = ${{no_such?{{<hash>:{d}/dormant}}:{{<btree>:{d}/canonical}}}}
transport_maps = mysql:{d}/transport.cf, mysql:{d}/link.cf, lmdb:{d}/there-already
smtpd_recipient_restrictions = permit_mynetworks
    check_sender_access {{ <hash>:{d}/senders, search_order = order }}
    reject_rbl_client hash.example.org
virtual_alias_maps = <hash>:{d}/overridden
tls_server_sni_maps = <hash>:{d}/sni
smtp_tls_session_cache_database = <btree>:{d}/smtp_scache
# The end, without a newline: hash:{d}/end"""

MASTER = """\
smtp      inet  n       -       y       -       -       smtpd
    -o smtpd_client_restrictions=check_client_access,<hash>:{d}/clients
#   -o hash:{d}/comment
    -o {{ smtpd_sender_restrictions = check_sender_access <btree>:{d}/braced, permit }}
filter    unix  -       n       n       -       -       pipe
  -o max_use=5 user=nobody argv=/usr/bin/filter --table <hash>:{d}/argument ${{sender}}
"""

CLIENT = """\
hosts = localhost
password = hash:secret
dbname = mail
query = SELECT 'hash:x' FROM users
domain = <hash>:{d}/client-domains, example.com
"""

PLAIN = {"virtual": "hash", "virtual2": "btree", "piped": "hash", "united": "btree", "dormant": "hash",
         "canonical": "btree", "senders": "hash", "overridden": "hash", "relocated": "btree", "clients": "hash",
         "braced": "btree", "argument": "hash", "client-domains": "hash"}
ALIASES = {"aliases": "hash", "more-aliases": "hash"}
SUFFIXES = {"lmdb": ".lmdb", "cdb": ".cdb"}


def marked(text, directory, types):
    """The text with each <type> as `types` has it."""
    text = text.format(d=directory)
    for old in ("hash", "btree"):
        text = text.replace("<%s>" % old, types.get(old, old))
    return text


class Site:
    def __init__(self, top, name, bin_directory, target="lmdb"):
        self.directory, self.bin, self.target = top / name, bin_directory, target
        self.directory.mkdir()
        for file, text in (("main.cf", MAIN), ("master.cf", MASTER), ("transport.cf", CLIENT)):
            self.file(file).write_bytes(marked(text, self.directory, {}).encode())
            self.file(file).chmod(0o640)
        self.file("link.cf").symlink_to("transport.cf")
        for number, table in enumerate(PLAIN):
            self.file(table).write_text("key value %d\nOTHER of %s\n" % (number, table))
        for table in ALIASES:
            self.file(table).write_text("postmaster: ann, bob\n")
        self.file("sni").write_text("mail.example.org %s/key.pem\n" % self.directory)
        self.file("key.pem").write_text("the key\n")
        self.file("senders").chmod(0o600)
        self.file("there-already").write_text("a b\n")

    def file(self, name):
        return self.directory / name

    def index(self, table):
        return self.file(table + SUFFIXES[self.target])

    def program(self, name, *arguments, **options):
        return run([os.path.join(self.bin, name), "-c", self.directory, *arguments], **options)

    def migrate(self, *arguments):
        return self.program("postconf", "--migrate-db", self.target, *arguments)

    def wanted(self, file, text):
        """What the file is after the migration."""
        types = {"hash": self.target, "btree": self.target}
        if file != "main.cf" or self.target == "lmdb":
            return marked(text, self.directory, types).encode()
        # Caches cannot be cdb.
        for line in ("default_cache_db_type =   <btree>", "smtp_tls_session_cache_database = <btree>"):
            text = text.replace(line, line.replace("<btree>", "lmdb"))
        return marked(text, self.directory, types).encode()

    def snapshot(self):
        return {path.name: (path.read_bytes() if path.is_file() else None, path.stat().st_mtime_ns, path.stat().st_ino)
                for path in self.directory.iterdir()}

    def texts(self):
        return {name: self.file(name).read_bytes() for name in ("main.cf", "master.cf", "transport.cf")}

    def entries(self, table, program="postmap"):
        done = self.program(program, "-s", "%s:%s" % (self.target, self.file(table)))
        return sorted(done.out.splitlines()) if done.status == 0 else done


OLD, NEW = 0, 1


def texts_of(site):
    """{file: (old, new)}"""
    return {name: (marked(text, site.directory, {}).encode(), site.wanted(name, text))
            for name, text in (("main.cf", MAIN), ("master.cf", MASTER), ("transport.cf", CLIENT))}


def all_are(site, side):
    return site.texts() == {name: both[side] for name, both in texts_of(site).items()}


def temporary(site):
    return sorted(path.name for path in site.directory.iterdir() if path.name.endswith(".tmp"))


def check_report(checks, top, bin_directory):
    site = Site(top, "report", bin_directory)
    before = site.snapshot()
    done = site.migrate("--changed")
    checks.check("without --apply there is something to do", done.status == 10, done)
    checks.check("only the entry that another one overrides is warned of",
                 done.err.count("\n") == 1 and "overriding earlier entry" in done.err, done)
    lines = [number for number, line in enumerate(marked(MAIN, site.directory, {}).split("\n"), 1)
             for _ in range(MAIN.split("\n")[number - 1].count("<"))]
    reported = [int(line.split(":")[1]) for line in done.out.splitlines()
                if line.startswith("%s/main.cf:" % site.directory)]
    checks.equal("each place in main.cf is reported with its line", reported, lines)
    for table in list(PLAIN) + list(ALIASES) + ["sni"]:
        checks.check("the index of %s is to be built" % table,
                     "\nlmdb:%s: to be built" % site.file(table) in done.out, done.out)
    for place in ("2: smtp/inet smtpd_client_restrictions: hash:", "4: smtp/inet smtpd_sender_restrictions: btree:",
                  "6: filter/unix: hash:"):
        checks.check("master.cf:%s is reported" % place, "master.cf:" + place in done.out, done.out)
    checks.check("no password is shown", "secret" not in done.out, done.out)
    checks.check("nothing is written", site.snapshot() == before, temporary(site))


def check_migration(checks, top, bin_directory):
    for target in SUFFIXES:
        site = Site(top, "to-" + target, bin_directory, target)
        real = site.directory / "real"
        real.mkdir()
        site.file("master.cf").rename(real / "master.cf")
        site.file("master.cf").symlink_to("real/master.cf")
        done = site.migrate("--apply")
        checks.check("%s: the migration is done" % target, done.status == 0 and done.out.endswith("done\n"), done)
        for name, both in texts_of(site).items():
            checks.equal("%s: in %s only types have changed" % (target, name), site.file(name).read_bytes(), both[NEW])
            checks.equal("%s: %s has its mode" % (target, name), stat.S_IMODE(site.file(name).stat().st_mode), 0o640)
        checks.check("%s: a symbolic link stays one" % target, site.file("master.cf").is_symlink())
        for number, table in enumerate(PLAIN):
            checks.equal("%s: %s has its entries" % (target, table), site.entries(table),
                         ["key\tvalue %d" % number, "other\tof %s" % table])
        for table in ALIASES:
            checks.equal("%s: %s are aliases" % (target, table), site.entries(table, "postalias"),
                         ["@:\t@", "postmaster:\tann, bob"])
        shown = site.program("postmap", "-Fq", "mail.example.org", "%s:%s" % (target, site.file("sni")))
        checks.equal("%s: sni has the contents of files" % target, shown.out, "the key\n\n")
        checks.equal("%s: a secret source has a secret index" % target,
                     stat.S_IMODE(site.index("senders").stat().st_mode), 0o600)
        checks.equal("%s: nothing is left over" % target, temporary(site), [])
        before = site.snapshot()
        again = site.migrate("--apply", "--changed")
        checks.check("%s: a second run has nothing to do" % target,
                     again.status == 0 and again.out.startswith("nothing to do"), again)
        checks.check("%s: a second run touches nothing" % target, site.snapshot() == before)
        check_with_stock(checks, site)


def check_with_stock(checks, site):
    """The distribution's programs read what has become of the site."""
    name = "%s: Postfix's own postconf and postmap agree" % site.target
    stock = shutil.which("postconf", path=SYSTEM_PATH)
    if not stock or "Postkit" in run([stock, "--version"]).out:
        checks.skip(name, "no Postfix in %s" % SYSTEM_PATH)
        return
    values = run([stock, "-c", site.directory, "-hx", "relocated_maps", "alias_database", "default_database_type"])
    checks.equal("%s: Postfix's postconf reads the new values" % site.target, values.out.splitlines(),
                 ["%s:%s/relocated" % (site.target, site.directory), "%s:%s/aliases" % (site.target, site.directory),
                  site.target])
    if site.target not in run([stock, "-c", site.directory, "-m"]).out.split():
        checks.skip("%s: Postfix's postmap reads the indexes" % site.target, "it has no such type here")
        return
    postmap = shutil.which("postmap", path=SYSTEM_PATH)
    got = {table: run([postmap, "-c", site.directory, "-q", "key", "%s:%s" % (site.target, site.file(table))]).out
           for table in PLAIN}
    checks.equal("%s: Postfix's postmap reads the indexes" % site.target, got,
                 {table: "value %d\n" % number for number, table in enumerate(PLAIN)})


def check_owner(checks, top, bin_directory):
    if os.geteuid() != 0:
        checks.skip("files keep their owners", "only root gives files away")
        return
    site = Site(top, "owner", bin_directory)
    for name in ("main.cf", "master.cf", "transport.cf"):
        os.chown(site.file(name), 12345, 54321)
    done = site.migrate("--apply")
    owners = {(site.file(name).stat().st_uid, site.file(name).stat().st_gid) for name in texts_of(site)}
    checks.check("files keep their owners", done.status == 0 and owners == {(12345, 54321)}, owners)


def check_refusals(checks, top, bin_directory):
    """What goes wrong, how it is arranged, and what the message has in it."""
    def without_source(site):
        site.program("postmap", "hash:%s" % site.file("piped"))
        site.file("piped").unlink()

    def without_room_for_an_index(site):
        site.index("united").mkdir()

    def without_room_for_a_file(site):
        site.file("transport.cf.tmp").mkdir()

    for name, arrange, message in (("an index without a source", without_source, "have no source: hash:"),
                                   ("an index that cannot be built", without_room_for_an_index, "united"),
                                   ("a file that cannot be replaced", without_room_for_a_file, "transport.cf.tmp")):
        site = Site(top, name.replace(" ", "-"), bin_directory)
        arrange(site)
        temporaries = temporary(site)
        done = site.migrate("--apply", "--changed")
        checks.check("%s is an error" % name, done.status == 1 and message in done.err, done)
        checks.check("%s: no file of the configuration has changed" % name, all_are(site, OLD))
        # Of an index that was being built a part may stay, which the next build takes over.
        checks.equal("%s: nothing is left over" % name,
                     [file for file in temporary(site) if ".cf." in file], [t for t in temporaries if ".cf." in t])
        if arrange is not without_room_for_an_index:
            checks.equal("%s: no index was built" % name,
                         [path.name for path in site.directory.iterdir() if path.suffix == ".lmdb"], [])


@contextlib.contextmanager
def locked(file):
    """The lock that editors of `file` take."""
    with open(str(file) + ".tmp", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def check_other_editors(checks, top, bin_directory):
    site = Site(top, "editors", bin_directory)
    with locked(site.file("main.cf")):
        process = subprocess.Popen([os.path.join(bin_directory, "postconf"), "-c", site.directory, "--migrate-db",
                                    "lmdb", "--apply"], env=environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        time.sleep(0.5)
        checks.check("the migration waits for another editor", process.poll() is None)
        text = site.file("main.cf").read_bytes() + b"\nrelayhost = [gw.example.net]\n"
        site.file("main.cf").write_bytes(text)
        os.unlink(site.file("main.cf.tmp"))
    _, err = process.communicate(timeout=30)
    checks.check("a file that has changed meanwhile is an error",
                 process.returncode == 1 and b"was changed meanwhile" in err, err)
    checks.equal("what the other editor wrote is there", site.file("main.cf").read_bytes(), text)


def check_kills(checks, top, bin_directory):
    """kill -9 at random moments, and then a run to the end."""
    chance = random.Random(SEED)
    halves, unfinished, stages = [], [], set()
    for number in range(KILLS):
        site = Site(top, "kill-%d" % number, bin_directory)
        process = subprocess.Popen([os.path.join(bin_directory, "postconf"), "-c", site.directory, "--migrate-db",
                                    "lmdb", "--apply"], env=environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, LONGEST_RUN))
        process.send_signal(signal.SIGKILL)
        process.wait()
        texts = site.texts()
        halves += ["%s: %s" % (site.directory.name, name) for name, both in texts_of(site).items()
                   if texts[name] not in both]
        stages.add(tuple(texts[name] == both[NEW] for name, both in texts_of(site).items()))
        done = site.migrate("--apply")
        if done.status != 0 or not all_are(site, NEW) or site.entries("united") != ["key\tvalue 3", "other\tof united"]:
            unfinished.append("%s: %s" % (site.directory.name, done))
        shutil.rmtree(site.directory)
    checks.equal("after kill -9 each file is the old one or the new one", halves, [])
    checks.equal("the next run ends what was begun", unfinished, [])
    checks.check("main.cf is never ahead of the others",
                 all(not main or (master and client) for main, master, client in stages), stages)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    options = parser.parse_args()
    checks = Checks()
    top = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix="migrate-db-")))
    try:
        for suite in (check_report, check_migration, check_owner, check_refusals, check_other_editors, check_kills):
            try:
                suite(checks, top, os.path.abspath(options.bin))
            except (OSError, subprocess.SubprocessError):
                checks.check(suite.__name__, False, traceback.format_exc())
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
