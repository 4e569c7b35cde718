#!/usr/bin/env python3
"""Holds sqlite: tables against SQLite databases, and against the distribution's postmap where that is installed.

usage: sqlite_test.py --bin DIR [--seed N] [--count N]

--count random settings are asked with random keys by both programs. What needs the distribution's postmap is skipped,
with the reason, where it is not there.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import argparse
import concurrent.futures
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

from checks import Checks, environment
from client_tables import Desk
from sandbox import unprivileged

BY_KEY = "query = SELECT v, w FROM t WHERE k = '%s'\n"
ROWS = [
    ("joe", "joe@one.example", "second"), ("multi", "m1", 1), ("multi", "m2", 2), ("multi", "m3", 3),
    ("null", None, "x"), ("some-null", None, 1), ("some-null", "a", 2), ("empty", "", 1), ("some-empty", "", 1),
    ("some-empty", "b@c", 2), ("int", 42, 1), ("real", 1.5, 1), ("big", 1e300, 1), ("blob", b"ab\0cd", 1),
    ("bytes", b"\xff\xfe", 1), ("lines", "a\nb", 1), ("commas", "a, b", 1), ("caf\u00e9", "caf\u00e9@\u4e2d.example", 1),
    ("o'brien", "quoted", 1), ("a\\b", "backslash", 1), ("u@d.example", "x@y.example", 1), ("percent%s", "%s %u", 1),
    ("7", "a number", 1), ("secret", "hidden", 1),
]
# What a lookup of a key answers, where that is not the value as it is.
ANSWERS = {"joe": "joe@one.example", "multi": "m1,m2,m3", "null": None, "some-null": "a", "empty": None,
           "some-empty": "b@c", "int": "42", "real": "1.5", "big": "1.0e+300", "blob": "ab", "lines": "a\nb",
           "commas": "a, b", "caf\u00e9": "caf\u00e9@\u4e2d.example", "o'brien": "quoted", "a\\b": "backslash",
           "u@d.example": "x@y.example", "percent%s": "%s %u", "7": "a number", "none": None}
HOSTILE = ["'", "''", "'''", "x' OR '1'='1", "'; DROP TABLE t; --", "x' UNION SELECT v FROM t WHERE k='secret", "a\"b",
           "a;b", "a--b", "/*", "*/", "\\", "\\'", "\\\\'", "%s", "%%", "%", "$v", "?", "?1", ":a", "@x", "a\tb", "\x01",
           "\u00fc", "\u4e2d'\u6587", "\U0001f600'", "a" * 5000, "'" * 999, "NULL", "0x41", "--"]
INVALID = [bytes.decode("utf-8", "surrogateescape") for bytes in (b"\xff", b"\xbf'", b"\xbf\\'", b"caf\xe9", b"\xc3")]


def make_database(path, rows=(), pragma=""):
    if path.exists():
        path.unlink()
    database = sqlite3.connect(path)
    database.executescript(pragma + "CREATE TABLE t(k TEXT, v, w); CREATE TABLE legacy(nm TEXT, tgt TEXT, active INT);"
                           "INSERT INTO legacy VALUES('n1','t1',1),('n1','t2',0),('joe','legacy joe',1);")
    database.executemany("INSERT INTO t VALUES(?,?,?)", rows)
    database.commit()
    database.close()
    return path


class Running:
    """Our `postmap -q -`, asked a key at a time."""

    def __init__(self, desk, table):
        self.process = subprocess.Popen([desk.postmap, "-c", desk.directory, "-q", "-", table], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def ask(self, key):
        self.process.stdin.write(key + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n").partition("\t")[2]


class Test:
    def __init__(self, checks, desk):
        self.checks, self.desk = checks, desk
        self.database = make_database(desk.directory / "t.db", ROWS)
        self.pool = concurrent.futures.ThreadPoolExecutor(12)

    def table(self, name, settings, database=None):
        return self.desk.table("sqlite", name, "dbpath = %s\n%s" % (database or self.database, settings))

    def same(self, name, cases):
        """Checks that both programs say the same of each (table, *keys), but for what Postfix warns of since 3.8."""
        if not self.desk.stock_postmap:
            self.checks.skip(name, "the distribution's postmap is not installed")
            return
        cases = list(cases)
        stock = [self.pool.submit(self.desk.stock, *case) for case in cases]
        wrong = []
        for case, other in zip(cases, stock):
            ours, theirs = self.desk.ours(*case), other.result()
            err = "".join(line for line in ours.err.splitlines(True) if "recommended '' quotes" not in line)
            # After a fatal error, the answers that 3.7 had for earlier keys are lost.
            out = theirs.out or ours.out if len(case) > 2 and "fatal:" in theirs.err else theirs.out
            if (ours.out, err, ours.status) != (out, theirs.err, theirs.status):
                settings = pathlib.Path(case[0].partition(":")[2]).read_text()
                wrong.append("%sours %s\nstock %s" % (settings, ours, theirs))
        self.checks.check("%s: as the distribution's postmap (%d cases)" % (name, len(cases)), not wrong,
                          "%d differ\n%s" % (len(wrong), "\n".join(wrong[:3])))

    def check_values(self):
        table = self.table("values.cf", BY_KEY)
        wrong = []
        for key, value in ANSWERS.items():
            done = self.desk.ours(table, key)
            if (done.out, done.status) != (("", 1) if value is None else (value + "\n", 0)):
                wrong.append("%r: %s" % (key, done))
        self.checks.check("a value is the first column of each row", not wrong, "\n".join(wrong))
        done = self.desk.ours(table, "empty")
        self.checks.equal("an empty value is warned of", done.err, "postmap: warning: table \"%s\": empty lookup "
                          "result for: \"empty\" -- ignored\n" % table)
        self.same("values", [(table, key) for key in [*ANSWERS, "bytes"]])
        self.same("many keys", [(table, *ANSWERS)])

    def check_keys(self):
        """With and without parameters: a comment in the query turns them off."""
        wrong, cases = [], []
        for number, query in enumerate(("SELECT '%s'", "SELECT '%s' -- text", "SELECT '%s' || ''", "SELECT '%s' /**/")):
            table = self.table("keys%d.cf" % number, "query = %s\n" % query)
            done = self.desk.ours(table, *HOSTILE, flags=["-f"])
            wanted = "".join("%s\t%s\n" % (key, key) for key in HOSTILE)
            if (done.out, done.err, done.status) != (wanted, "", 0):
                wrong.append("%s: %s" % (query, done))
            cases += [(table, key) for key in HOSTILE + INVALID]
        self.checks.check("a key stays a string, whatever is in it", not wrong, "\n".join(wrong))
        rows = sqlite3.connect(self.database).execute("SELECT count(*) FROM t").fetchone()[0]
        self.checks.equal("nothing was dropped", rows, len(ROWS))
        self.same("hostile keys", cases)

    def check_settings(self):
        legacy = "select_field = tgt\ntable = legacy\nwhere_field = nm\n"
        cases = [(legacy, ["n1", "joe", "none"]),
                 (legacy + "additional_conditions = AND active = 1", ["n1"]),
                 (legacy + BY_KEY, ["joe", "n1"]),
                 (legacy + "query =", ["joe", "n1"])]
        asked = []
        for number, (settings, keys) in enumerate(cases):
            table = self.table("legacy%d.cf" % number, settings)
            asked += [(table, key) for key in keys]
        answers = [self.desk.ours(*case).out for case in asked]
        self.checks.equal("the old settings make a query, where there is none", answers,
                          ["t1,t2\n", "legacy joe\n", "", "t1\n", "joe@one.example\n", "", "legacy joe\n", "t1,t2\n"])
        self.same("old settings", asked)

        with open(self.desk.directory / "main.cf", "a", encoding="ascii") as main_cf:
            main_cf.write("base = %s\nsq_dbpath = $base/t.db\nsq_query = SELECT '$mydomain ' || v FROM t WHERE k = '%%s'\n"
                          "sq_result_format = <%%s>\nbad_dbpath =\n" % self.desk.directory)
        done = self.desk.ours("sqlite:sq", "joe")
        self.checks.equal("settings may be in main.cf", done.out, "<example.com joe@one.example>\n")
        if self.desk.stock_postmap:
            for name in ("sq", "bad", "absent"):
                ours, stock = (ask("sqlite:" + name, "joe") for ask in (self.desk.ours, self.desk.stock))
                self.checks.equal("settings in main.cf under %s: as the distribution's postmap" % name, str(ours), str(stock))

    def check_syntax(self):
        """The syntax of a .cf file, in all that may differ."""
        texts = ["query=SELECT 'a%s'\n", "query \t =\t  SELECT 'a' \t\n", "query = SELECT 'a' = 'b'\n", "query = SELECT 1",
                 "query = SELECT\n  'a'\n\t|| 'b'\n", "query = SELECT\n# x\n  # y\n\n   \n 'a'\n",
                 "query = SELECT 1\r\n  + 1\r\n", "query = SELECT '$mydomain ${mydomain} $$'\n", "query = SELECT 'caf\u00e9'\n",
                 "1-x.y = 2\nquery = SELECT 1\n", "query =\n", "= x\n", "query\n", "name with = blank\n",
                 "query = SELECT 1\nexpansion_limit = 1x\n", "query = SELECT 1\nexpansion_limit =\n",
                 "query = SELECT 1\nexpansion_limit = 99999999999\n", "query = SELECT 1\nexpansion_limit = -1\n",
                 "query = SELECT 1\nresult_format =\n", "query = SELECT 1\nresult_format = %%\n",
                 "query = SELECT '%0'\n", "query = SELECT 1\nresult_format = %\n", "table = t\n", "query = \"SELECT 1\"\n",
                 "query = SELECT %s\n", "query = SELECT 'a' WHERE 'x' = '%u' AND 1=%d\n"]
        # 3.7 knows no warning of settings that the type does not have.
        known = [text for text in texts if "1-x.y" not in text]
        self.same("syntax of the file", [(self.table("syntax%d.cf" % i, text), "joe@7") for i, text in enumerate(known)])
        done = self.desk.ours(self.table("odd.cf", "1-x.y = 2\nquery = SELECT 1\n"), "joe")
        self.checks.check("a setting that is no setting of the type is warned of, with its line",
                          done.out == "1\n" and done.err.endswith("odd.cf, line 2: unused parameter: 1-x.y\n"), done)

    def check_failures(self):
        where = self.desk.directory
        (where / "junk.db").write_text("this is no database, but a text\n" * 50)
        junk = self.table("junk.cf", BY_KEY, where / "junk.db")
        self.same("not a database", [(junk, "joe")])
        self.same("SQL that fails", [(self.table("sql%d.cf" % i, "query = %s\n" % query), "joe") for i, query in enumerate(
            ("SELECT v FROM absent WHERE k = '%s'", "SELECT absent FROM t WHERE k = '%s'", "SELEC '%s'", "SELECT '%s", "-- '%s'",
             "SELECT '%s'; SELECT 2", "SELECT v FROM '%s'", "SELECT v FROM t WHERE k = '%s' AND w = ?", "SELECT x'%s'", "BEGIN", "SELECT v AS '%s' FROM t",
             "PRAGMA table_info('t')"))])
        done = self.desk.ours(self.table("step.cf", "query = SELECT abs(-9223372036854775807 - 1) WHERE 'joe' = '%s'\n"), "joe")
        self.checks.check("a query that fails while it runs could not tell", done.status == 1 and done.err.endswith(
            "step.cf: SQL step failed for query 'SELECT abs(-9223372036854775807 - 1) WHERE 'joe' = 'joe'': integer "
            "overflow?\npostmap: fatal: table sqlite:%s/step.cf: query error: Application error\n" % where), done)
        absent = where / "absent.db"
        table = self.table("absent.cf", BY_KEY, absent)
        done = self.desk.ours(table, "joe")
        self.checks.equal("a database that is not there", (done.status, done.err), (1, "postmap: fatal: %s: open database "
                          "%s: unable to open database file: No such file or directory\n" % (table, absent)))
        self.checks.check("it is not made, either", not absent.exists())
        where.chmod(0o755)
        closed = self.desk.table("sqlite", "closed.cf", "dbpath = x\n", mode=0)
        asked = [ask(closed, "joe", preexec_fn=unprivileged()) for ask in (self.desk.ours, self.desk.stock)
                 if ask == self.desk.ours or self.desk.stock_postmap]
        self.checks.equal("a file of settings that may not be read", {(done.status, done.err) for done in asked},
                          {(1, "postmap: fatal: open %s/closed.cf: Permission denied\n" % where)})
        make_database(where / "closed.db").chmod(0)
        table = self.desk.table("sqlite", "closed-db.cf", "dbpath = %s/closed.db\n%s" % (where, BY_KEY), mode=0o644)
        done = self.desk.ours(table, "joe", preexec_fn=unprivileged())
        self.checks.equal("a database that may not be read", (done.status, done.err), (1, "postmap: fatal: %s: open database "
                          "%s/closed.db: unable to open database file: Permission denied\n" % (table, where)))
        done = self.desk.ours(self.table("write.cf", "query = INSERT INTO t VALUES('%s', 'new', 1)\n"), "joe")
        self.checks.check("a query cannot change the database", done.status == 1 and
                          "attempt to write a readonly database?" in done.err, done)

    def check_locks(self):
        table = self.table("locks.cf", BY_KEY)
        writer = sqlite3.connect(self.database, isolation_level=None, timeout=2)
        writer.execute("BEGIN EXCLUSIVE")
        asked = self.pool.submit(self.desk.ours, table, "joe")
        time.sleep(1)
        self.checks.check("a lookup waits for a writer", not asked.done())
        writer.execute("COMMIT")
        self.checks.equal("and answers when it is done", asked.result().out, "joe@one.example\n")

        writer.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        done = self.desk.ours(table, "joe", "multi")
        seconds = time.monotonic() - started
        writer.execute("COMMIT")
        self.checks.check("a lock that stays is an error after five seconds", 4 < seconds < 15 and
                          done.status == 1 and done.out == "", "%s after %.1f s" % (done, seconds))
        self.checks.check("the error names the table and the reason", done.err.startswith(
            "postmap: warning: dict_sqlite_lookup: %s: SQL prepare failed: database is locked?\npostmap: fatal: table %s: "
            "query error" % (table.partition(":")[2], table)), done.err)

        with Running(self.desk, table) as running:
            self.checks.equal("a program that stays", running.ask("joe"), "joe@one.example")
            writer.execute("UPDATE t SET v = 'changed' WHERE k = 'joe'")
            self.checks.equal("keeps no lock, and sees a change", running.ask("joe"), "changed")
            writer.execute("ALTER TABLE t ADD COLUMN z")
            writer.execute("UPDATE t SET v = 'again' WHERE k = 'joe'")
            self.checks.equal("sees a change of the schema", running.ask("joe"), "again")
            writer.execute("ALTER TABLE t RENAME TO gone")
            running.ask("joe")
            _, err = running.process.communicate(timeout=30)
            self.checks.check("and a table that went away is an error", running.process.returncode == 1 and
                              err.endswith("SQL prepare failed: no such table: t?\n"), err)
        writer.execute("ALTER TABLE gone RENAME TO t")

        cached = self.table("cached.cf", BY_KEY + "cache_size = 10\ncache_ttl = 100\n")
        with Running(self.desk, cached) as running:
            before = running.ask("joe")
            writer.execute("UPDATE t SET v = 'new' WHERE k = 'joe'")
            self.checks.equal("cache_size and cache_ttl keep answers", running.ask("joe"), before)
            self.checks.equal("and ask for what they do not have", running.ask("multi"), "m1,m2,m3")
        writer.close()
        make_database(self.database, ROWS)

    def check_formats(self):
        where = self.desk.directory
        rows = [row for row in ROWS if not isinstance(row[1], bytes)]
        utf16 = self.table("utf16.cf", BY_KEY, make_database(where / "utf16.db", rows, "PRAGMA encoding='UTF-16';"))
        self.checks.equal("a database in UTF-16", self.desk.ours(utf16, "caf\u00e9").out, "caf\u00e9@\u4e2d.example\n")
        wal = make_database(where / "wal.db", ROWS, "PRAGMA journal_mode=WAL;")
        table = self.table("wal.cf", BY_KEY, wal)
        writer = sqlite3.connect(wal, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE t SET v = 'later' WHERE k = 'joe'")
        self.checks.equal("write-ahead log: what is committed, at once", self.desk.ours(table, "joe").out, "joe@one.example\n")
        writer.execute("COMMIT")
        self.checks.equal("write-ahead log: after the commit", self.desk.ours(table, "joe").out, "later\n")
        self.same("formats", [(utf16, *ANSWERS), (table, *ANSWERS)])
        writer.close()

    def check_random(self, source, count):
        columns = ["v", "k", "w", "v || '%%'", "'%s'", "'%u'", "k || '@' || '%u'", "'<%s>'", "count(*)"]
        conditions = ["k = '%s'", "k = '%u'", "k = '%u' AND '%d' = 'd.example'", "k LIKE '%s'", "k LIKE '%u%%'", "k IN ('%s', '%u')",
                      "'%1' = 'example'", "'%2' <> '%S'", "k = '%s' AND v IS NOT NULL", "k = %s", "w = 1 AND 'joe' = '%U'", "1"]
        formats = ["%s", "<%s>", "%u", "%d at %u", "%S=%s", "%U", "%1 %s", "100%% %s"]
        domains = ["d.example", "x.example, d.example", "inline:{d.example=1}", "!d.example, static:all"]
        keys = [*ANSWERS, *HOSTILE[:12], "joe@d.example", "JOE@D.Example", "@d.example", "u@", "a@b.d.example", "x@y@d.example"]
        cases = []
        for number in range(count):
            settings = "query = SELECT %s FROM t WHERE %s%s\n" % (
                source.choice(columns), source.choice(conditions), source.choice(["", "", " ORDER BY v", " -- text"]))
            for name, values, share in (("result_format", formats, 0.5), ("domain", domains, 0.3),
                                        ("expansion_limit", ["0", "1", "2", "100"], 0.4)):
                if source.random() < share:
                    settings += "%s = %s\n" % (name, source.choice(values))
            cases.append((self.table("random%d.cf" % number, settings), *source.sample(keys, source.randint(1, 12))))
        self.same("random settings and keys", cases)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seed", type=int, default=20240501)
    parser.add_argument("--count", type=int, default=40)
    options = parser.parse_args()
    checks = Checks()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sqlite-"))
    try:
        desk = Desk(options.bin, directory)
        if "sqlite" not in subprocess.run([desk.postmap.parent / "postconf", "-m"], capture_output=True, text=True,
                                          check=False).stdout.split():
            checks.skip("sqlite tables", "libmaps-sqlite.so is not built")
            return checks.finish()
        test = Test(checks, desk)
        test.check_values()
        test.check_keys()
        test.check_settings()
        test.check_syntax()
        test.check_failures()
        test.check_locks()
        test.check_formats()
        test.check_random(random.Random(options.seed), options.count)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
