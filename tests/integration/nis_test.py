#!/usr/bin/env python3
"""Asks nis tables of a real NIS server, with our postmap and the distribution's, good and bad.

usage: nis_test.py --bin DIR

The servers run in namespaces of their own, which only root can make; without, most of this is skipped.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

from checks import Checks, environment
from client_tables import Desk
from namespace import enter_namespace
from nis_server import DOMAIN_FILE, PROGRAMS, NisServer, set_domain
from server import NoServer, find_program, private_directory

LIMIT = 30  # seconds; what a lookup waits at most
FAILED = "postmap: fatal: table %s: query error: Application error\n"
ALPHABET = "abcXYZ019.-_@+ \"':#$\\\u00e9"


def random_words(rng, count, longest):
    return ["".join(rng.choice(ALPHABET) for _ in range(rng.randint(1, longest))).strip() or "x" for _ in range(count)]


def maps(rng):
    """Maps by name: with keys that end with a NUL, without, and with both."""
    aliases = {b"postmaster": b"root", b"joe": b"joe@example.com, \"|cat\"", b"JOE": b"upper", b"empty": b"",
               b"cut": b"before\0after", "jos\u00e9".encode(): b"x", b"a:b": b"c"}
    aliases.update((key.encode(), value.encode()) for key, value in
                   zip(random_words(rng, 200, 12), random_words(rng, 200, 40)))
    with_nul = {key + b"\0": value + b"\0" for key, value in aliases.items()}
    return {"mail.aliases": aliases, "with.nul": with_nul, "none": {},
            "both": {b"nul\0": b"1\0", b"plain": b"2", b"twice\0": b"3", b"twice": b"4"}}


class NisTest:
    def __init__(self, bin_directory, work):
        self.checks = Checks()
        self.work = work
        self.desk = Desk(bin_directory, work / "desk")
        self.rng = random.Random(111)
        self.maps = maps(self.rng)
        self.pool = concurrent.futures.ThreadPoolExecutor()

    def require_usable_program(self):
        """Raises NoServer."""
        if b"__asan_init" in self.desk.postmap.read_bytes():
            raise NoServer("AddressSanitizer's xdr_* take the place of libtirpc's, and call null pointers")

    def same(self, name, table, *keys, flags=()):
        """Both postmaps say the same. Returns what ours says."""
        ours = self.pool.submit(self.desk.ours, table, *keys, flags=flags)
        if self.desk.stock_postmap is None:
            self.checks.skip("%s, as Postfix" % name, "no Postfix")
        else:
            theirs = self.desk.stock(table, *keys, flags=flags)
            self.checks.equal("%s, as Postfix" % name, self._facts(ours.result()), self._facts(theirs))
        return ours.result()

    @staticmethod
    def _facts(done):
        return done.status, done.out, done.err

    def could_not_tell(self, name, done, table, reason):
        self.checks.check(name, done.status == 1 and done.out == "" and reason in done.err
                          and done.err.endswith(FAILED % table), done)

    def has_module(self):
        """Checks what is said without it."""
        done = self.desk.ours("nis:mail.aliases", "joe")
        if "module libmaps-nis.so is not installed" not in done.err:
            return True
        self.checks.equal("an error without the module", (done.status, done.out), (1, ""))
        self.checks.skip("nis tables", "this build has no module libmaps-nis.so")
        return False

    def run_outside(self):
        if DOMAIN_FILE.read_text().strip() in ("", "(none)"):
            self.no_domain()
        else:
            self.checks.skip("no domain", "this host has one")

    def no_domain(self):
        done = self.same("no domain", "nis:mail.aliases", "joe", "other")
        self.checks.equal("no domain: no entries", self._facts(done),
                          (1, "", "postmap: warning: dict_nis_init: NIS domain name not set - NIS lookups disabled\n"))

    def run_inside(self):
        with NisServer(self.work / "server", "example", self.maps) as nis:
            self.entries()
            self.forms_of_keys()
            self.refusals()
            self.lost_server(nis)
            self.frozen_server(nis)
            nis.lose_binder()
            done = self.same("no binder", "nis:none", "joe")
            self.could_not_tell("no binder: could not tell", done, "nis:none",
                                "lookup joe, NIS domain example, map none: ")
            set_domain("")
            self.no_domain()

    def entries(self):
        for name in ("mail.aliases", "with.nul", "none"):
            keys = [key.rstrip(b"\0").decode() for key in self.maps["mail.aliases"] if not key.startswith(b" ")]
            keys += random_words(self.rng, 50, 8)
            for flags in ((), ("-f",)):
                done = self.same("%s %s" % (name, " ".join(flags)), "nis:" + name, *keys, flags=flags)
                if name != "none":
                    self.checks.check("%s %s has entries" % (name, " ".join(flags)), done.status == 0
                                      and done.out.count("\n") > 50 and "cut\tbefore\n" in done.out
                                      and 'joe\tjoe@example.com, "|cat"\n' in done.out, done)
        self.same("one key", "nis:mail.aliases", "postmaster")
        self.same("no such key", "nis:mail.aliases", "nosuch")
        self.same("an empty value", "nis:mail.aliases", "empty")
        self.same("a key that is not UTF-8", "nis:mail.aliases", os.fsdecode(b"\xff"))

    def forms_of_keys(self):
        for flags in ((), ("-N",), ("-n",)):
            done = self.same("forms of keys %s" % " ".join(flags), "nis:both", "no", "twice", "plain", "nul",
                             flags=flags)
            self.checks.equal("forms of keys %s: what is found" % " ".join(flags), done.out,
                              "twice\t4\nplain\t2\n" if flags == ("-n",) else "twice\t3\nnul\t1\n")
        done = self.same("forms of keys, without a NUL first", "nis:both", "plain", "twice", "nul")
        self.checks.equal("the form that was found first remains", done.out, "plain\t2\ntwice\t4\n")

    def refusals(self):
        for name, table, key, reason in (
                ("no such map", "nis:nosuch", "joe",
                 "lookup joe, NIS domain example, map nosuch: no such map in server's domain\n"),
                ("a path", "nis:a/b", "joe", "lookup joe, NIS domain example, map a/b: "),
                ("an empty key", "nis:mail.aliases", "", "lookup , NIS domain example, map mail.aliases: "),
                ("a map with a long name", "nis:" + "x" * 300, "joe", "no such map in server's domain")):
            self.could_not_tell("%s: could not tell" % name, self.same(name, table, key), table, reason)
        self.same("a long key", "nis:mail.aliases", "x" * 2000)

    def lost_server(self, nis):
        """Between two lookups of one process."""
        table = "nis:mail.aliases"
        postmap = subprocess.Popen([self.desk.postmap, "-c", self.desk.directory, "-q", "-", table],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=environment())
        try:
            postmap.stdin.write(b"postmaster\n")
            postmap.stdin.flush()
            self.checks.equal("before the server is lost", postmap.stdout.readline(), b"postmaster\troot\n")
            nis.server.kill()
            _, err = postmap.communicate(b"joe\n", timeout=LIMIT + 15)
            self.checks.check("after the server was lost", postmap.returncode == 1
                              and err.decode().endswith(FAILED % table)
                              and b"lookup joe, NIS domain example, map mail.aliases: " in err, err)
        finally:
            postmap.kill()
            postmap.wait()
        nis.server.start()
        self.checks.equal("after it came back", self.desk.ours(table, "joe").status, 0)

    def frozen_server(self, nis):
        nis.server.freeze()
        start = time.monotonic()
        done = self.desk.ours("nis:mail.aliases", "joe")
        seconds = time.monotonic() - start
        nis.server.thaw()
        self.could_not_tell("a frozen server", done, "nis:mail.aliases",
                            "lookup joe, NIS domain example, map mail.aliases: no answer within %d seconds\n" % LIMIT)
        self.checks.check("a frozen server: bounded", LIMIT - 1 < seconds < LIMIT + 10, "%.1f s" % seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bin", required=True, help="the directory of the programs")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    work = private_directory()
    try:
        test = NisTest(pathlib.Path(arguments.bin), work)
        if arguments.inside:
            try:
                test.run_inside()
            except NoServer as reason:
                test.checks.skip("a NIS server", str(reason))
        elif test.has_module():
            try:
                test.require_usable_program()
                for program in PROGRAMS:
                    find_program(program)
                return enter_namespace(__file__, "--bin", arguments.bin, "--inside")
            except NoServer as reason:
                test.checks.skip("a NIS server", str(reason))
                test.run_outside()
        return test.checks.finish()
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
