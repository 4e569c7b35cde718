#!/usr/bin/env python3
"""mysql: tables are asked for keys that try to break out of their quotes, in many character sets and SQL modes.

Each key has a row of its own. Asked for all of them, a table must give that row for each, nothing else; and a table of
victims, which the user may change, must stay as it is. On a server that disregards the client's character set, Postfix 3.7
fails this test: the check can fail.

Usage: mysql_hostile_test.py --bin DIR
"""
import random
import subprocess
import sys

from checks import environment
from client_tables import Desk
from mariadb_server import MariaDb, data_directory
from server import run_server_test

# Bytes that begin a character in some set, overlong UTF-8, and what follows: quotes, escapes, comments, statements.
BEGINNINGS = (b"", b"\xbf", b"\x83", b"\xa1", b"\xfe", b"\x81", b"\xc0", b"\xe0\x80", b"\xf0\x9f\x98", b"\\", b"\xc3\xa9",
              b"\xc0\xa7", b"\xe0\x80\xa7", b"\x81\x5c", b"\xbf\x5c")
ENDS = (b"'", b"\\'", b"' OR 1=1 -- x", b"'; DELETE FROM victims; -- x", b"\\", b'"', b"' OR ''='", b"%s", b"/*", b"`",
        b"' UNION SELECT target FROM vault -- x", b"\\' OR 1=1 #", b"\x1a", b"\x08x", b"';SELECT 1;'",
        b"') UNION ALL (SELECT 0, target FROM vault) -- x", b"\x27\x27", b"\x5c\x27 OR 1=1 -- x")
CHARSETS = ("utf8mb4", "latin1", "gbk", "sjis", "big5", "cp932", "ujis")
MODES = ("", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "ORACLE")
JOINED = "SELECT target FROM vault WHERE name = '%s'"
ALONE = "SELECT target FROM vault WHERE name = '%s' ORDER BY 1"


def hostile_keys():
    keys = [beginning + end for beginning in BEGINNINGS for end in ENDS]
    dice = random.Random(7)
    for _ in range(200):
        keys.append(bytes(dice.choice(b"'\\\"ab;-#%@~_?\x1a") for _ in range(dice.randint(1, 7))))
        keys.append(bytes(dice.choice(b"'\\\"\x81\x83\xa1\xbf\xfe\xc0\xe0\xf0ab;-#%@~") for _ in range(dice.randint(1, 7))))
    # Those of ASCII, which may be asked for together, follow one another.
    return sorted(dict.fromkeys(keys), key=lambda key: not key.isascii())


KEYS = hostile_keys()
QUESTIONS = b"".join(b"%s\n" % key for key in KEYS)
ANSWERS = b"".join(b"%s\tk%d\n" % (key, number) for number, key in enumerate(KEYS))


def prepare(server):
    server.sql("""
        CREATE DATABASE mail;
        CREATE TABLE mail.vault (name VARBINARY(200) PRIMARY KEY, target VARCHAR(20));
        CREATE TABLE mail.victims (a INT);
        INSERT INTO mail.victims VALUES (1), (2);
        CREATE USER postfix@localhost;
        GRANT ALL ON mail.* TO postfix@localhost;""")
    rows = ",".join("(x'%s','k%d')" % (key.hex(), number) for number, key in enumerate(KEYS))
    server.sql("INSERT INTO mail.vault VALUES %s" % rows)


class Attack:
    def __init__(self, checks, desk, postmap):
        self.checks, self.desk, self.postmap = checks, desk, postmap

    def ask(self, server, charset, query):
        """The character set is set by an option file, which Postfix 3.7 knows, too."""
        options = self.desk.write("options.cnf", "[client]\ndefault-character-set=%s\n" % charset)
        table = self.desk.table("mysql", "vault.cf", "hosts = unix:%s\nuser = postfix\ndbname = mail\noption_file = %s\n"
                                "query = %s\n" % (server.socket, options, query))
        return subprocess.run([str(self.postmap), "-c", str(self.desk.directory), "-f", "-q", "-", table], input=QUESTIONS,
                              capture_output=True, env=environment(), timeout=60, check=False)

    def is_repelled(self, server, charset, query):
        done = self.ask(server, charset, query)
        victims = server.sql("SELECT a FROM mail.victims ORDER BY a")
        return done.stdout == ANSWERS and done.stderr == b"" and victims == [[b"1"], [b"2"]], done

    def check(self, name, server, charset, query):
        repelled, done = self.is_repelled(server, charset, query)
        self.checks.check(name, repelled, lambda: "status %s, %d of %d lines, %r" % (
            done.returncode, done.stdout.count(b"\n"), len(KEYS), done.stderr[:300]))


def run_checks(checks, bin_directory, directory):
    # Keys need not be UTF-8 then.
    desk = Desk(bin_directory, directory / "desk", "smtputf8_enable = no\n")
    attack = Attack(checks, desk, desk.postmap)
    data = data_directory(directory / "system")
    with MariaDb(data, directory / "usual") as server:
        prepare(server)
        for mode in MODES:
            server.sql("SET GLOBAL sql_mode = '%s'" % mode)
            for charset in CHARSETS:
                for title, query in (("joined", JOINED), ("alone", ALONE)):
                    attack.check("%s, sql_mode '%s', %s" % (charset, mode, title), server, charset, query)
        server.sql("SET GLOBAL sql_mode = ''; SET GLOBAL init_connect = 'SET NAMES gbk'")
        attack.check("a server that sets another character set for each client", server, "utf8mb4", JOINED)
        server.sql("SET GLOBAL init_connect = 'SET sql_mode = NO_BACKSLASH_ESCAPES'")
        attack.check("a server that sets another mode for each client", server, "utf8mb4", JOINED)
        server.sql("SET GLOBAL init_connect = 'SET SESSION session_track_system_variables = \"\", NAMES gbk'")
        attack.check("a server that does so in secret", server, "utf8mb4", JOINED)
    with MariaDb(data, directory / "stubborn", "--skip-character-set-client-handshake", "--character-set-server=gbk") as server:
        prepare(server)
        for charset in CHARSETS:
            attack.check("a server that disregards %s" % charset, server, charset, JOINED)
        if desk.stock_postmap:
            repelled, _ = Attack(checks, desk, desk.stock_postmap).is_repelled(server, "utf8mb4", JOINED)
            checks.check("Postfix 3.7 does not pass this", not repelled)
        else:
            checks.skip("Postfix 3.7 does not pass this", "not installed")


if __name__ == "__main__":
    sys.exit(run_server_test("mysql tables", run_checks))
