#!/usr/bin/env python3
"""mysql: tables against a MariaDB server: results, settings, procedures and errors, beside the distribution's postmap.

Usage: mysql_test.py --bin DIR
"""
import concurrent.futures
import random
import re
import sys

from client_tables import Desk
from mariadb_server import MariaDb, data_directory
from server import run_server_test

PASSWORD = "s3cret-of-the-test"
SETUP = """
CREATE DATABASE mail CHARACTER SET utf8mb4; USE mail;
CREATE TABLE aliases (name VARCHAR(100) PRIMARY KEY, target VARCHAR(200));
INSERT INTO aliases VALUES ('joe','joe@example.com'),('empty',''),('null',NULL),('a@b.c','x@y.z'),
  ('ann@mail.example.com','ann'),('at','@example.com'),('quo''te','quoted'),('back\\\\slash','slashed'),('per%%cent','%%s'),
  ('j\u00f6rg','J\u00f6rg \u20ac'),('long',REPEAT('x',190)),('number','0'),('blank',' ');
CREATE TABLE many (name VARCHAR(100), target VARCHAR(200), uid INT, KEY (name));
INSERT INTO many VALUES ('joe','b',3),('joe','a',1),('joe','',2),('joe',NULL,4),('ann@mail.example.com','one@x',7),
  ('ann@mail.example.com','two',8),('x','y',NULL);
CREATE TABLE types (name VARCHAR(9), a BIT(8), b INT(6) ZEROFILL, c FLOAT, d DOUBLE, e DECIMAL(8,3), f DATE,
  g DATETIME(3), i TIME, j YEAR, k CHAR(5), l VARCHAR(9), m TEXT, n BLOB, o ENUM('x','y'), p SET('x','y'), q BINARY(4),
  r BIGINT UNSIGNED, s TINYINT, t INET6, u JSON, v BIT(24), w BIT(16));
INSERT INTO types VALUES
  ('one',65,42,1.1,2.5e30,1.5,'2024-01-02','2024-01-02 03:04:05.678','-12:00:01',2024,'ab','v','te','bl','y','x,y','q',
   18446744073709551615,-3,'::1','{"a":1}',4276546,65),
  ('two',0,0,0,0,0,'0001-01-01','0001-01-01','00:00:00',1970,'','','','','x','','',0,0,'::',NULL,255,0);
CREATE USER postfix@localhost IDENTIFIED BY '%(password)s'; GRANT ALL ON mail.* TO postfix@localhost;
CREATE USER postfix@127.0.0.1 IDENTIFIED BY '%(password)s'; GRANT ALL ON mail.* TO postfix@127.0.0.1;
DELIMITER //
CREATE PROCEDURE one(IN k VARCHAR(100)) BEGIN SELECT target FROM aliases WHERE name = k; END //
CREATE PROCEDURE two(IN k VARCHAR(100)) BEGIN SELECT target FROM aliases WHERE name = k; SELECT 1; SELECT 2; END //
CREATE PROCEDURE none(IN k VARCHAR(100)) BEGIN SET @k = k; END //
CREATE PROCEDURE sometimes(IN k VARCHAR(100)) BEGIN IF k = 'joe' THEN SELECT 'yes'; END IF; END //
CREATE PROCEDURE early(IN k VARCHAR(100)) BEGIN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'early'; END //
CREATE PROCEDURE late(IN k VARCHAR(100)) BEGIN SELECT 1; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'late'; END //
CREATE PROCEDURE writes(IN k VARCHAR(100))
  BEGIN UPDATE many SET uid = 1 WHERE name = 'z'; SELECT target FROM aliases WHERE name = k; UPDATE many SET uid = 1
  WHERE name = 'z'; END //
""" % {"password": PASSWORD}

ALIASES = "query = SELECT target FROM aliases WHERE name = '%s'\n"
MANY = "query = SELECT target FROM many WHERE name = '%s'\n"
KEYS = ("joe", "nobody", "a@b.c", "JOE", "ann@mail.example.com", "quo'te", "back\\slash", "per%cent", "at", "number", "blank",
        "joe", "long", "x", "@b.c", "a@", "a@b", "null")

# Name, settings, keys. What the server or the client library says is the same for both.
CASES = (
    ("found", ALIASES, ("joe",)),
    ("not found", ALIASES, ("nobody",)),
    ("an empty value", ALIASES, ("empty",)),
    ("NULL", ALIASES, ("null",)),
    ("a stream of keys", ALIASES, KEYS),
    ("a stream with an empty value", ALIASES, KEYS + ("empty", "joe", "empty", "empty", "a@b.c") + KEYS),
    ("several rows", MANY, ("joe",)),
    ("several rows, in order", "query = SELECT target FROM many WHERE name = '%s' ORDER BY uid DESC\n", KEYS),
    ("several columns", "query = SELECT target, uid, name FROM many WHERE name = '%s'\n", KEYS),
    ("all columns", "query = SELECT * FROM many WHERE name = '%s'\n", KEYS),
    ("types", "query = SELECT types.* FROM types WHERE name = '%s'\n", ("one", "two", "one", "three")),
    ("each type joined", "query = SELECT q, k, r, s, u, o, p FROM types WHERE name = '%s'\n", ("one", "two", "one", "three")),
    ("ZEROFILL", "query = SELECT b FROM types WHERE name = '%s'\n", ("two", "one", "two", "one")),
    ("FLOAT", "query = SELECT c, d, e FROM types WHERE name = '%s'\n", ("two", "one", "two", "one")),
    ("a number", "query = SELECT 1 FROM aliases WHERE name = '%s'\n", KEYS),
    ("a zero byte", "query = SELECT CONCAT('a', CHAR(0), 'b') FROM aliases WHERE name = '%s'\n", KEYS),
    ("LIMIT", "query = SELECT target FROM many WHERE name = '%s' LIMIT 1\n", KEYS),
    ("a semicolon at the end", "query = SELECT target FROM aliases WHERE name = '%s';\n", KEYS),
    ("two statements", "query = SELECT target FROM aliases WHERE name = '%s'; SELECT 2\n", ("joe",)),
    ("a comment", "query = SELECT target FROM aliases WHERE name = '%s' -- x\n", KEYS),
    ("local part and domain", "query = SELECT CONCAT('%u', '/', '%d', '/', '%1', '/', '%2')\n", KEYS),
    ("upper-case conversions", "query = SELECT CONCAT('%S', '/', '%U', '/', '%D', '%%')\n", KEYS),
    ("too few labels", "query = SELECT '%3.%9'\n", KEYS),
    ("result_format", MANY + "result_format = <%s> of %S, 100%%\n", KEYS),
    ("result_format with parts", ALIASES + "result_format = %u at %d\n", KEYS),
    ("result_format with a key's part", ALIASES + "result_format = %s:%2\n", KEYS),
    ("expansion_limit, not reached", MANY + "expansion_limit = 2\n", KEYS),
    ("expansion_limit", MANY + "expansion_limit = 1\n", ("nobody", "x", "joe", "x")),
    ("expansion_limit by columns", "query = SELECT uid, uid FROM many WHERE name = '%s'\nexpansion_limit = 1\n", ("joe",)),
    ("domain", ALIASES + "domain = b.c, mail.example.com\n", KEYS),
    ("no domain", ALIASES + "domain = other.example\n", KEYS),
    ("the old settings", "table = aliases\nselect_field = target\nwhere_field = name\nadditional_conditions = AND 1 = 1\n", KEYS),
    ("no query", "", ("joe",)),
    ("no result set", "query = SET @x = '%s'\n", ("joe",)),
    ("no result set, allowed", "query = SET @x = '%s'\nrequire_result_set = no\n", KEYS),
    ("a procedure", "query = CALL one('%s')\n", KEYS),
    ("a procedure that writes", "query = CALL writes('%s')\n", KEYS),
    ("a procedure with many result sets", "query = CALL two('%s')\n", ("joe",)),
    ("a procedure with many result sets, key not found", "query = CALL two('%s')\n", ("nobody", "joe")),
    ("a procedure without result set", "query = CALL none('%s')\n", ("joe",)),
    ("a procedure without result set, allowed", "query = CALL none('%s')\nrequire_result_set = no\n", KEYS),
    ("a procedure with a result set at times", "query = CALL sometimes('%s')\n", ("joe", "joe", "x", "joe")),
    ("a procedure with a result set at times, allowed", "query = CALL sometimes('%s')\nrequire_result_set = no\n", KEYS),
    ("a procedure that fails", "query = CALL early('%s')\n", ("joe",)),
    ("a procedure that fails at last", "query = CALL late('%s')\n", ("joe",)),
    ("no such procedure", "query = CALL missing('%s')\n", ("joe",)),
    ("broken SQL", "query = SELEC target FROM aliases WHERE name = '%s'\n", ("joe",)),
    ("no such column", "query = SELECT missing FROM aliases WHERE name = '%s'\n", KEYS),
    ("no such table", "query = SELECT target FROM missing WHERE name = '%s'\n", KEYS),
    ("a key that the server refuses",
     "query = SELECT target FROM aliases WHERE name = '%s' AND IFNULL((SELECT name FROM many WHERE name = '%s'), '') <> 'z'\n",
     ("at", "a@b.c", "number", "ann@mail.example.com", "long")),
    ("a row that the server refuses", "query = SELECT (SELECT name FROM many) FROM aliases WHERE name = '%s'\n", KEYS),
    ("wrong password", ALIASES + "password = wrong\n", ("joe",)),
    ("no such user", ALIASES + "user = nobody\n", ("joe",)),
    ("no such database", ALIASES + "dbname = missing\n", ("joe",)),
    ("no database", ALIASES + "dbname =\n", ("joe",)),
    ("no server", ALIASES + "hosts = unix:/nonexistent/socket\n", ("joe",)),
    ("no server at a port", ALIASES + "hosts = 127.0.0.1:1\n", ("joe",)),
    ("no servers", ALIASES + "hosts = 127.0.0.1:1, unix:/nonexistent/socket\n", ("joe",)),
    ("no such host", ALIASES + "hosts = missing.invalid\n", ("joe",)),
    ("no such service", ALIASES + "hosts = 127.0.0.1:no-such-service\n", ("joe",)),
    ("a bad port", ALIASES + "hosts = 127.0.0.1:99999\n", ("joe",)),
    ("one of several hosts", ALIASES + "hosts = inet:127.0.0.1:1 %(socket)s\n", KEYS),
    ("TCP", ALIASES + "hosts = inet:127.0.0.1:%(port)s\n", KEYS),
    ("TCP, without inet:", ALIASES + "hosts = 127.0.0.1:%(port)s\n", ("joe",)),
    ("a bad template", "query = SELECT '%x'\n", ("joe",)),
    ("an option file with the password", ALIASES + "user =\npassword =\noption_file = %(options)s\n", KEYS),
    ("an option group", ALIASES + "user =\npassword =\noption_file = %(options)s\noption_group = other\n", ("joe",)),
    ("an option file with the socket", ALIASES + "hosts =\noption_file = %(options)s\n", ("joe",)),
    ("an option file of another name", ALIASES + "option_file = /nonexistent/my.cnf\n", ("joe",)),
    ("an option file with the port", ALIASES + "hosts = 127.0.0.1\noption_file = %(options)s\noption_group = tcp\n", ("joe",)),
    ("option files not read", ALIASES + "hosts =\noption_group =\n", ("joe",)),
    ("latin1 by an option file", ALIASES + "option_file = %(options)s\noption_group = latin1\n", ("joe", "j\u00f6rg", "at")),
)


def comparable(done, table):
    """Without what differs by nature: the file's name, and the errno that happened to be there last. Postfix 3.7 does not
    know the warning of missing quotes."""
    err = done.err.replace(table, "TABLE").replace(table.split(":", 1)[1], "FILE")
    err = re.sub(r"(query error: ).*", r"\1REASON", err)
    out = done.out
    if "fatal:" in err:
        out = ""  # Postfix drops what it had not written yet.
    lines = [line for line in err.splitlines() if "without the recommended '' quotes" not in line]
    return done.status, out, "\n".join(lines)


class World:
    """The server, and a desk with tables that ask it."""

    def __init__(self, checks, desk, server):
        self.checks, self.desk, self.server = checks, desk, server
        options = desk.write("options.cnf", "[client]\nuser=postfix\npassword=%s\nsocket=%s\n[other]\npassword=wrong\n"
                             "[latin1]\ndefault-character-set=latin1\n[tcp]\nport=%d\n" %
                             (PASSWORD, server.socket, server.port))
        self.names = {"socket": "unix:%s" % server.socket, "port": server.port, "options": options}

    def table(self, name, settings):
        """Settings that are given twice count where they stand last."""
        settings = re.sub(r"%\((\w+)\)s", lambda match: str(self.names[match[1]]), settings)
        base = "hosts = unix:%s\nuser = postfix\npassword = %s\ndbname = mail\n" % (self.server.socket, PASSWORD)
        lines = (base + settings).splitlines()
        last = {line.split("=")[0].strip(): line for line in lines}
        return self.desk.table("mysql", re.sub(r"\W", "-", name) + ".cf", "\n".join(last.values()) + "\n")

    def compare(self, cases):
        """Both answer each case in the same way, also when its keys come so often that they are asked for together.
        Postfix's fatal errors sleep: all at the same time."""
        cases = list(cases) + [(name + ", again and again", settings, tuple(keys) * (100 // len(keys) + 1))
                               for name, settings, keys in cases if keys]

        def ask(case):
            name, settings, keys = case
            table = self.table(name, settings)
            return [comparable(postmap(table, *keys), table) for postmap in (self.desk.ours, self.desk.stock)]

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for (name, _, _), (ours, stock) in zip(cases, pool.map(ask, cases)):
                self.checks.equal(name, ours, stock)

    def status(self, variable):
        return int(self.server.sql("SHOW GLOBAL STATUS LIKE '%s'" % variable)[0][1])


def check_random(world, rounds=60):
    """Random settings and keys. The seed is fixed."""
    dice = random.Random(42)
    queries = ("SELECT target FROM aliases WHERE name = '%s'", "SELECT target FROM many WHERE name = '%s'",
               "SELECT target, uid FROM many WHERE name = '%s' ORDER BY 2", "SELECT uid FROM many WHERE name = '%s' LIMIT 2",
               "SELECT CONCAT(target, '+', name) FROM aliases WHERE name LIKE '%u%%'", "CALL one('%s')", "CALL one('%u')",
               "SELECT '%s', '%d' FROM aliases WHERE name = 'joe'", "SELECT COUNT(*) FROM many WHERE name IN ('%s', '%u')",
               "SELECT m.target FROM many m JOIN aliases a ON (m.name = a.name) WHERE a.name = '%u@%d'",
               "SELECT l, k FROM types WHERE name = '%s' OR name = '%u'", "SELECT DISTINCT name FROM many WHERE name > '%s'",
               "SELECT w, a, r FROM types WHERE '%s' <> 'joe'", "SELECT `target` FROM `aliases` WHERE `name` IN ('%s','x')")
    formats = ("%s", "%s", "[%s]", "%u", "%d", "%s %S", "%U-%s", "%D.%s", "%1%s", "%%%s")
    words = ("joe", "JOE", "a@b.c", "ann@mail.example.com", "one", "two", "x", "empty", "null", "at", "b", "quo'te", "'", "\\",
             "'' OR 1 = 1", "a@b@c", "@", "@x", "j\u00f6rg", "\u20ac", "%s", "%", "_", "joe@mail.example.com", "a.b@..c.", "number")
    cases = []
    for number in range(rounds):
        settings = "query = %s\nresult_format = %s\n" % (dice.choice(queries), dice.choice(formats))
        settings += dice.choice(("", "", "", "expansion_limit = %d\n" % dice.randrange(4)))
        settings += dice.choice(("", "", "", "domain = b.c, example.com\n", "domain = mail.example.com b\n"))
        # Keys of ASCII may be asked for together.
        parts = [word for word in words if word.isascii() or number % 2]
        keys = [dice.choice(parts) + dice.choice(("", "", "", "", dice.choice(parts))) for _ in range(dice.randrange(2, 120))]
        cases.append(("random settings %d" % number, settings, keys))
    world.compare(cases)


def check_modes(world):
    """A server's modes change what a query finds, and nothing else."""
    cases = [case for case in CASES if case[0] in ("a stream of keys", "several rows, in order", "several columns", "LIMIT",
                                                   "each type joined", "ZEROFILL", "a number", "no result set, allowed")]
    for mode in ("PAD_CHAR_TO_FULL_LENGTH", "EMPTY_STRING_IS_NULL", "ORACLE", "MSSQL", "ANSI,STRICT_ALL_TABLES"):
        world.server.sql("SET GLOBAL sql_mode = '%s'" % mode)
        world.compare([("%s: %s" % (mode, name), settings, keys) for name, settings, keys in cases])
    world.server.sql("SET GLOBAL sql_mode = DEFAULT")


def check_charset(world):
    """Postfix has the setting since 3.9: its 3.7 is given an option file."""
    row = "j\u00f6rg\tJ\u00f6rg \u20ac\n"
    world.checks.equal("utf8mb4 is the default", world.desk.ours(world.table("charset", ALIASES), "j\u00f6rg", "joe").out,
                       row + "joe\tjoe@example.com\n")
    world.checks.equal("charset", world.desk.ours(world.table("charset", ALIASES + "charset = ascii\n"), "joe", "at").out,
                       "joe\tjoe@example.com\nat\t@example.com\n")
    done = world.desk.ours(world.table("charset", ALIASES + "charset = no-such-charset\n"), "joe")
    world.checks.check("a charset that does not exist is an error",
                       done.status == 1 and "connect to mysql server unix:" in done.err and "no-such-charset" in done.err, done)


def check_limits(world):
    for setting, value, message in (("idle_interval", "0", "invalid idle_interval parameter value 0 < 1"),
                                    ("retry_interval", "x", "bad numerical configuration: retry_interval = x"),
                                    ("timeout", "-1", "invalid timeout parameter value -1 < 1"),
                                    ("tls_verify_cert", "perhaps", "bad boolean configuration: tls_verify_cert = perhaps"),
                                    ("charset", "", "bad string length 0 < 1: charset =")):
        done = world.desk.ours(world.table("limits", ALIASES + "%s = %s\n" % (setting, value)), "joe")
        world.checks.check("a bad %s is refused" % setting, done.status == 1 and message in done.err, done)


def check_reuse(world):
    """A stream of keys has one connection; most queries are asked for with others in one statement."""
    keys = [name for name in KEYS * 100 if "'" not in name]
    for title, settings, most, least in (("joined", ALIASES, len(keys) / 8, 1),
                                         ("not joined", ALIASES.strip() + " ORDER BY target\n", len(keys) + 50, len(keys))):
        table = world.table("reuse", settings)
        connections, selects = world.status("Connections"), world.status("Com_select")
        done = world.desk.ours(table, *keys)
        selects = world.status("Com_select") - selects
        connections = world.status("Connections") - connections
        world.checks.equal("%s: each key is answered" % title, done.out.count("\n"), 1100)
        world.checks.equal("%s: one connection" % title, connections - 3, 1)  # The others are status().
        world.checks.check("%s: number of SELECTs" % title, least <= selects <= most, selects)
    world.server.sql("SET GLOBAL sql_select_limit = 5")
    done = world.desk.ours(world.table("reuse", ALIASES), *keys)
    world.server.sql("SET GLOBAL sql_select_limit = DEFAULT")
    world.checks.equal("a limit of the server for rows hides none", done.out.count("\n"), 1100)


def check_secrets(world):
    """With all the talk there is."""
    for title, settings in (("right", ""), ("refused", "user = nobody\n"), ("no server", "hosts = /nonexistent\n"),
                            ("broken SQL", "query = SELEC '%s'\n"), ("TLS", "tls_CAfile = /nonexistent\n")):
        done = world.desk.ours(world.table("secrets", ALIASES + settings), "joe", flags=("-v", "-v"))
        world.checks.check("%s: no password is shown" % title, PASSWORD not in done.out + done.err, done)


def run_checks(checks, bin_directory, directory):
    desk = Desk(bin_directory, directory / "desk")
    with MariaDb(data_directory(directory / "system"), directory / "mariadb") as server:
        server.sql(SETUP)
        world = World(checks, desk, server)
        check_charset(world)
        check_limits(world)
        check_reuse(world)
        check_secrets(world)
        if desk.stock_postmap:
            world.compare(CASES)
            check_random(world)
            check_modes(world)
        else:
            checks.skip("the distribution's postmap", "not installed")


if __name__ == "__main__":
    sys.exit(run_server_test("mysql tables", run_checks))
