#!/usr/bin/env python3
"""Keys that try to break out of the query of a pgsql table: only the exact key may match, and nothing may change.

usage: pgsql_hostile_test.py --bin DIR

Each key is asked in several client encodings and with backslashes that escape in plain strings and that do not; alone,
where it is quoted, and among others, where it is a parameter. The table's user could drop the canary.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import random
import subprocess
import sys

from checks import environment
from client_tables import Desk
from postgres_server import PostgresServer
from server import run_server_test

ENCODINGS = ("UTF8", "LATIN1", "SJIS", "BIG5", "GBK", "EUC_JP", "UHC")
USERS = {"mail": "standard_conforming_strings on", "plain": "standard_conforming_strings off"}
QUERIES = {
    "a parameter": "SELECT id FROM stored WHERE name = '%s'",
    "quoted": "SELECT 1; SELECT id FROM stored WHERE name = '%s'",
    "quoted with backslashes": "SELECT id FROM stored WHERE name = E'%s'",
    "beside a quote": "SELECT id FROM stored WHERE 'x' || chr(39) || name = 'x''%u'",
}
CANARY = "1|alive\n2|well"
SEED = 21

ATTACKS = [
    "'", "''", "\\", "\\'", "\\\\'", "'\\''", "'; DROP TABLE canary; --", "\\'; DROP TABLE canary; --",
    "' OR 1=1 --", "\\' OR 1=1 --", "x' OR 'a'='a", "'||(SELECT 1)||'", "'/*", "*/'", "$$; DELETE FROM canary; --",
    "$1", "$1$",
    "%s", "%%", "%' OR 1=1 --", "\"", "'\n; DELETE FROM canary; --",
    "E'", "U&'", "\x01'", "joe'", "joe\\", 
    "joe';COMMIT;DELETE FROM canary;--",
    "\u02bc; DROP TABLE canary; --", "\uff07; DROP TABLE canary; --", "\u2019 OR 1=1 --",
    "ünï'cödé", "漢'字\\", "表'", "ソ\\' OR 1=1 --",
]
# Leading bytes of two whose second is a quote, a backslash or missing; none of them well-formed everywhere.
BROKEN = [head + tail
          for head in (b"\x81", b"\x95", b"\xbf", b"\xc0", b"\xff", b"\xc3", b"\xe4\xb8", b"x\xf0\x9f\x90", b"\x8f\xa1")
          for tail in (b"", b"'", b"\\", b"\\'", b"' OR 1=1 --", b"\\'; DROP TABLE canary; --")]



def random_keys(chance):
    pieces = [b"'", b"\\", b"\"", b";", b"--", b"\x81",
              b"\x95\x5c", b"\xbf\x27", b"\xc3\xa9", b"\xe3\x82\xbd", b"%", b"a", b" OR 1=1"]
    return [b"".join(chance.choices(pieces, k=chance.randint(1, 6))) for _ in range(40)]


def keys_for(codec):
    keys = []
    for attack in ATTACKS:
        try:
            keys.append(attack.encode(codec))
        except (LookupError, UnicodeEncodeError):
            keys.append(attack.encode())  # In another encoding.
    keys += BROKEN + random_keys(random.Random(SEED))
    return list(dict.fromkeys(keys))


def prepare(server):
    server.sql("CREATE ROLE crew; CREATE USER mail PASSWORD 'secret' IN ROLE crew;"
               "CREATE USER plain PASSWORD 'secret' IN ROLE crew;"
               "ALTER USER plain SET standard_conforming_strings = off;"
               "ALTER USER plain SET escape_string_warning = off",
               database="postgres")
    server.sql("CREATE DATABASE mail", database="postgres")
    server.sql("""
        CREATE TABLE stored (id int, name text); GRANT ALL ON stored TO crew;
        CREATE TABLE canary (id int, state text); ALTER TABLE canary OWNER TO crew;
        INSERT INTO canary VALUES (1, 'alive'), (2, 'well');
        CREATE FUNCTION text_of(bytea, name) RETURNS text LANGUAGE plpgsql AS
            'BEGIN RETURN convert_from($1, $2); EXCEPTION WHEN OTHERS THEN RETURN NULL; END'""")


def store(server, encoding, keys):
    """Stores the text of each key that has one in the encoding, by PostgreSQL's own rules. Returns the numbers of these
    keys: equal texts have the same."""
    rows = ", ".join("(%d, '\\x%s'::bytea)" % (number, key.hex()) for number, key in enumerate(keys))
    server.sql("TRUNCATE stored;"
               "INSERT INTO stored SELECT min(n), text_of(k, '%s') AS t FROM (VALUES %s) AS x (n, k) GROUP BY t;"
               "DELETE FROM stored WHERE name IS NULL;"
               "INSERT INTO stored VALUES (-1, 'never')" % (encoding, rows))
    numbers = server.sql("SELECT n, id FROM (VALUES %s) AS x (n, k), stored WHERE name = text_of(k, '%s')"
                         % (rows, encoding))
    return {keys[int(n)]: int(number) for n, number in (line.split("|") for line in numbers.splitlines())}


class Asker:
    def __init__(self, desk, server, encoding, user):
        self.desk, self.server = desk, server
        self.login = ("hosts = 127.0.0.1:%d\nuser = %s\npassword = secret\ndbname = mail\nencoding = %s\n"
                      % (server.port, user, encoding))

    def ask(self, query, *arguments, stdin=b""):
        """Returns the status and both outputs of postmap -u: keys need not be UTF-8."""
        table = self.desk.table("pgsql", "hostile.cf", "%squery = %s\n" % (self.login, query))
        done = subprocess.run([self.desk.postmap, "-u", "-f", "-c", self.desk.directory, *arguments, table],
                              input=stdin, capture_output=True, env=environment(), timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr


def check_keys(checks, asker, place, keys, number_of):
    texts = [key for key in keys if key in number_of and b"\n" not in key]
    checks.check("there are keys to ask: %s" % place, len(texts) > 40, len(texts))
    for way, query in QUERIES.items():
        wanted = b"".join(b"%s\t%d\n" % (key, number_of[key]) for key in texts)
        status, out, err = asker.ask(query, "-q", "-", stdin=b"".join(key + b"\n" for key in texts))
        wrong = [pair for pair in zip(out.split(b"\n"), wanted.split(b"\n")) if pair[0] != pair[1]][:3]
        checks.check("each key matches itself, %s: %s" % (way, place), (status, out) == (0, wanted),
                     (status, wrong, err))

    for key in keys:
        if b"\n" in key and key in number_of:
            checks.equal("a key of two lines matches itself: %s" % place, asker.ask(QUERIES["quoted"], "-q", key)[:2],
                         (0, b"%d\n" % number_of[key]))

    # What is no text cannot be in the table; Postfix has an error for it.
    broken = [key for key in keys if key not in number_of]
    wrong = []
    for key in broken:
        query = QUERIES["quoted"] if len(key) % 2 else QUERIES["quoted with backslashes"]
        status, out, err = asker.ask(query, "-q", key)
        if (status, out) != (1, b"") or b"query error" not in err:
            wrong.append((key, status, out, err))
    checks.check("%d keys that are no text are errors: %s" % (len(broken), place), not wrong, wrong[:3])
    if broken:
        mixed = b"".join(key + b"\n" for key in (texts[0], broken[0], texts[1]))
        checks.equal("also among others: %s" % place, asker.ask(QUERIES["a parameter"], "-q", "-", stdin=mixed)[:2],
                     (1, b"%s\t%d\n" % (texts[0], number_of[texts[0]])))


def run_checks(checks, bin_directory, directory):
    with PostgresServer(directory).initialize() as server:
        prepare(server)
        desk = Desk(bin_directory, directory / "desk")
        for encoding in ENCODINGS:
            keys = keys_for("cp949" if encoding == "UHC" else encoding)
            number_of = store(server, encoding, keys)
            for user, strings in USERS.items():
                place = "%s, %s" % (encoding, strings)
                check_keys(checks, Asker(desk, server, encoding, user), place, keys, number_of)
                canary = server.sql("SELECT * FROM canary ORDER BY id")
                checks.equal("nothing was changed: %s" % place, canary, CANARY)


if __name__ == "__main__":
    sys.exit(run_server_test("pgsql tables", run_checks, user="postgres"))
