#!/usr/bin/env python3
"""Tables of type pgsql, with real PostgreSQL servers.

usage: pgsql_test.py --bin DIR

What the distribution's postmap does with the same server, settings and keys is the expectation, where there is one with
pgsql tables. Its client encoding is LATIN1 always, so this is what ours is told to use there.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

from checks import SOON, Checks, environment, run
from client_tables import Desk
from pgsql_cases import CASES, LOGIN_CASES, QUERY, SCHEMA, random_case
from postgres_server import PostgresServer
from server import NoServer, private_directory, server_user

LOGIN = "hosts = 127.0.0.1:PORT\nuser = mail\npassword = secret\ndbname = mail\n"
RANDOM_CASES = 70
SEED = 20
TOGETHER = 24  # postmaps at a time: the distribution's sleep a second each when they fail


class Site:
    """A desk, the server that it asks, and a scratch directory."""

    def __init__(self, desk, server, directory):
        self.desk, self.server, self.directory = desk, server, directory
        # A type that is in a package of its own is known to postconf only where it is installed.
        self.has_stock = bool(desk.stock_postmap) and "pgsql" in run(
            [pathlib.Path(desk.stock_postmap).with_name("postconf"), "-c", desk.directory, "-m"]).out.split()

    def table(self, name, text):
        return self.desk.table("pgsql", re.sub("[^a-z0-9]+", "-", name.lower()) + ".cf",
                               text.replace("PORT", str(self.server.port)))


def prepare(server):
    server.sql("CREATE USER mail PASSWORD 'secret'; CREATE USER plain PASSWORD 'secret';"
               "ALTER USER plain SET standard_conforming_strings = off", database="postgres")
    server.sql("CREATE DATABASE mail", database="postgres")
    server.sql(SCHEMA)


def shown(done):
    return (done.status, done.out, done.err)


def compare(checks, site, cases):
    """Both postmaps do the same with each of (name, settings, keys)."""
    if not site.has_stock:
        checks.skip("the distribution's postmap does the same", "it has no pgsql tables here")
        return

    def both(case):
        name, text, keys = case
        table = site.table(name, text + "encoding = LATIN1\n")
        return name, site.desk.ours(table, *keys), site.desk.stock(table, *keys)

    with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
        for name, ours, stock in pool.map(both, cases):
            # Its answers before a fatal error stay in its buffer.
            if "fatal:" in stock.err and not stock.out:
                ours.out = ""
            checks.equal("as the distribution's postmap: %s" % name, shown(ours), shown(stock))


def check_results(checks, site):
    compare(checks, site, [(name, LOGIN + text, keys) for name, text, keys in CASES])


def check_logins(checks, site):
    cases = []
    for name, changes in LOGIN_CASES:
        text = LOGIN + QUERY
        for old, new in changes.items():
            text = text.replace(old, new)
        if name != "a second host":  # It may be tried first, or not.
            cases.append((name, text, ["joe"]))
        else:
            done = site.desk.ours(site.table(name, text), "joe")
            checks.equal("a second host answers when the first does not", (done.status, done.out),
                         (0, "joe@x.example\n"))
    compare(checks, site, cases)


def check_random(checks, site):
    chance = random.Random(SEED)
    cases = []
    for number in range(RANDOM_CASES):
        settings, keys = random_case(chance)
        # More than one, so that they are asked for together; or one alone.
        cases.append(("random settings %d" % number, LOGIN + settings, keys if number % 4 else keys[:1]))
    compare(checks, site, cases)


def check_newer_settings(checks, site):
    """What Postfix 3.7 does not have."""
    desk, port = site.desk, site.server.port
    site.server.sql("INSERT INTO aliases VALUES ('ünïcode', 'fünf'), ('漢字', 'kanji')")
    table = site.table("utf8", LOGIN + QUERY)
    checks.equal("the encoding is UTF8", desk.ours(table, "ünïcode", "漢字", "joe").out,
                 "ünïcode\tfünf\n漢字\tkanji\njoe\tjoe@x.example\n")
    table = site.table("bad encoding", LOGIN + QUERY + "encoding = ZORK\n")
    done = desk.ours(table, "joe")
    checks.check("an unknown encoding is an error",
                 done.status == 1 and "query error" in done.err and "ZORK" in done.err, done)
    uri = "hosts = postgresql://mail:secret@127.0.0.1:%d/mail\n" % port
    checks.equal("a URI needs no dbname", desk.ours(site.table("uri", uri + QUERY), "joe").out, "joe@x.example\n")
    ignored = "user = x\npassword = x\ndbname = x\n"
    table = site.table("postgres", uri.replace("postgresql:", "postgres:") + ignored + QUERY)
    checks.equal("a URI may begin with postgres:, and no other setting counts", desk.ours(table, "joe").out,
                 "joe@x.example\n")
    table = site.table("both", uri.replace("\n", ", [::1]:1\n") + QUERY)
    done = desk.ours(table, "joe")
    checks.check("another host needs a dbname",
                 done.status == 1 and "bad string length 0 < 1: dbname" in done.err, done)


def check_server_warnings(checks, site):
    site.server.sql("CREATE FUNCTION odd(text) RETURNS text LANGUAGE plpgsql AS "
                    "'BEGIN RAISE WARNING ''% is odd'', $1; RAISE NOTICE ''quiet''; RETURN $1; END'")
    table = site.table("odd", LOGIN + "query = SELECT odd('%s')\n")
    warning = "postmap: warning: %s: host 127.0.0.1:%d: WARNING:  joe is odd\n" % (table, site.server.port)
    checks.equal("a warning of the server is told, a notice is not", shown(site.desk.ours(table, "joe")),
                 (0, "joe\n", warning))


def check_secrets(checks, site):
    """No password is shown, whatever goes wrong."""
    port = site.server.port
    tables = {
        "wrong password": "hosts = postgresql://mail:topsecret@127.0.0.1:%d/mail\n" % port,
        "nobody there": "hosts = postgresql://mail:topsecret@127.0.0.1:1/mail\n",
        "bad port": "hosts = postgresql://mail:topsecret@127.0.0.1:x1/mail\n",
        "bad option": "hosts = postgresql://mail:topsecret@127.0.0.1/mail?zork=1\n",
        "bad escape": "hosts = postgresql://mail:topsecret%zz@127.0.0.1/mail\n",
        "slash": "hosts = postgresql://mail:topsecret/x@127.0.0.1/mail\n",
        "parameter": "hosts = postgresql://127.0.0.1:1/mail?user=mail&password=topsecret\n",
        "setting": LOGIN.replace("secret", "topsecret"),
        "string": "hosts = 127.0.0.1\ndbname = user=mail password=very topsecret\n",
        "query": "hosts = postgresql://mail:topsecret@127.0.0.1:%d/mail\nquery = zork\n" % port,
    }
    for name, text in tables.items():
        done = site.desk.ours(site.table("secret " + name, text + QUERY), "joe", flags=("-v", "-v"))
        checks.check("no password is shown: %s" % name,
                     done.status == 1 and "warning: connect to pgsql server" in done.err and
                     "topsecret" not in done.out + done.err, done)


def check_side_effects(checks, site):
    """A query that changes something is carried out once for each key, in the order of the keys."""
    keys = ["key%d" % number for number in range(100)]
    for name, query in (("a function", "SELECT note('%s')"),
                        ("INSERT", "INSERT INTO asked (name) VALUES ('%s') RETURNING name"),
                        ("WITH",
                         "WITH x AS (INSERT INTO asked (name) VALUES ('%s') RETURNING name) SELECT name FROM x")):
        site.server.sql("TRUNCATE asked")
        done = site.desk.ours(site.table("effects " + name, LOGIN + "query = %s\n" % query), *keys)
        checks.equal("each key is answered: %s" % name, done.out, "".join("%s\t%s\n" % (key, key) for key in keys))
        checks.equal("each key is asked once, in turn: %s" % name,
                     site.server.sql("SELECT name FROM asked ORDER BY id").split("\n"), keys)

    site.server.sql("TRUNCATE asked")
    done = site.desk.ours(site.table("effects error", LOGIN + "query = SELECT note('%s'), 1 / (length('%s') - 3)\n"),
                          *keys[:5], "bad", *keys[5:])
    checks.equal("what was done for keys before an error stays",
                 site.server.sql("SELECT name FROM asked ORDER BY id").split("\n"), keys[:5])
    checks.check("and they are answered", done.status == 1 and done.out.count("\n") == 5, done)


def check_together(checks, site):
    """Keys that are asked for together are answered as each alone is."""
    chance = random.Random(SEED)
    desk = site.desk
    site.server.sql("CREATE TABLE numbers AS "
                    "SELECT 'n' || i AS name, CASE WHEN i % 7 = 0 THEN '' ELSE 'v' || i END AS value "
                    "FROM generate_series(1, 500) i; GRANT SELECT ON numbers TO mail")
    keys = [chance.choice(["n%d", "x%d", "n%d@d"]) % chance.randint(1, 600) for _ in range(3000)]
    table = site.table("numbers", LOGIN + "query = SELECT value FROM numbers WHERE name = '%s'\n")
    done = desk.ours(table, *keys)
    values = {"n%d" % i: "v%d" % i for i in range(1, 501) if i % 7}
    checks.equal("3000 keys are answered in their order", done.out,
                 "".join("%s\t%s\n" % (key, values[key]) for key in keys if key in values))
    empty = [key for key in keys if key in {"n%d" % i for i in range(7, 501, 7)}]
    checks.equal("empty values are warned of in the order of the keys",
                 re.findall('result for: "(.*?)"', done.err), empty)
    checks.equal("nothing else is said", done.err.count("\n"), len(empty))

    # The 70th key is an error: it comes in the middle of the second batch.
    numbers = ["%d" % (i + 1) for i in range(69)] + ["0", "5"]
    table = site.table("division", LOGIN + "query = SELECT 100 / '%s'::int\n")
    done = desk.ours(table, *numbers)
    checks.equal("answers before an error", done.out,
                 "".join("%s\t%d\n" % (number, 100 // int(number)) for number in numbers[:69]))
    checks.check("an error is told once, at its turn",
                 done.status == 1 and done.err.count("division by zero") == 1, done)
    left = site.server.sql("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
    checks.equal("nothing was left in a transaction", left, "0")


class Conversation:
    """Our postmap -q -, a few keys at a time."""

    def __init__(self, desk, table):
        self.process = subprocess.Popen([desk.postmap, "-c", desk.directory, "-q", "-", table], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())

    def ask(self, *keys):
        """Returns one line for each key, without its end."""
        self.process.stdin.write("".join("%s\n" % key for key in keys).encode())
        self.process.stdin.flush()
        return [self.process.stdout.readline().decode().rstrip("\n") for _ in keys]

    def finish(self, *keys):
        """Says the last keys. Returns the exit status, the lines, and what is on standard error."""
        out, err = self.process.communicate("".join("%s\n" % key for key in keys).encode(), timeout=60)
        return self.process.returncode, out.decode().splitlines(), err.decode()


def check_failover(checks, site, servers):
    """One of two servers dies, or freezes, in the middle. Each answer says who gave it."""
    desk = site.desk
    keys = ["k%d" % number for number in range(20000)]
    text = LOGIN.replace("127.0.0.1:PORT", " ".join("127.0.0.1:%d" % server.port for server in servers.values()))
    for name, server in servers.items():
        server.sql("CREATE TABLE who AS SELECT '%s' AS who; GRANT SELECT ON who TO mail" % name)
    together = "query = SELECT who, '%s' FROM who\n"
    alone = "query = SELECT 1; SELECT who, '%s' FROM who\n"
    other = {"a": "b", "b": "a"}

    def answered_by(who):
        return ["%s\t%s,%s" % (key, who, key) for key in keys[:200]]

    for name, query in (("together", together), ("alone", alone)):
        talk = Conversation(desk, site.table("kill " + name, text + query))
        who = talk.ask("start")[0].split("\t")[1][0]
        servers[who].kill()
        status, lines, err = talk.finish(*keys[:200])
        checks.equal("a server that is killed is replaced: %s" % name, (status, lines), (0, answered_by(other[who])))
        checks.check("and that is told: %s" % name,
                     "warning: connect to pgsql server 127.0.0.1:%d: " % servers[who].port in err, err)
        servers[who].start()

    # Killed while queries are under way: the pipe holds fewer answers than there are.
    with open(desk.write("keys", "".join("%s\n" % key for key in keys)), "rb") as source:
        table = site.table("stream", text + together)
        process = subprocess.Popen([desk.postmap, "-c", desk.directory, "-q", "-", table], stdin=source, bufsize=0,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    lines = [process.stdout.readline().decode()]
    who = lines[0].split("\t")[1][0]
    servers[who].kill()
    rest, err = process.communicate(timeout=60)
    lines += rest.decode().splitlines(keepends=True)
    checks.equal("no lookup is lost when a server is killed", [line.split(",")[-1].strip() for line in lines], keys)
    checks.check("all are answered", process.returncode == 0, err)
    checks.equal("by both servers", {line.split("\t")[1][0] for line in lines}, {"a", "b"})
    servers[who].start()

    for name, query in (("together", together), ("alone", alone)):
        talk = Conversation(desk, site.table("freeze " + name, text + query + "timeout = 2\n"))
        who = talk.ask("start")[0].split("\t")[1][0]
        servers[who].freeze()
        start = time.monotonic()
        status, lines, err = talk.finish(*keys[:200])
        took = time.monotonic() - start
        servers[who].thaw()
        checks.equal("a server that freezes is replaced: %s" % name, (status, lines), (0, answered_by(other[who])))
        checks.check("in time: %s" % name, 1.5 < took < SOON, took)
        message = "pgsql query failed: fatal error from host 127.0.0.1:%d: timeout expired" % servers[who].port
        checks.check("and that is told: %s" % name, message in err, err)

    for server in servers.values():
        server.freeze()
    start = time.monotonic()
    done = desk.ours(site.table("frozen", text + together + "timeout = 1\n"), "key")
    took = time.monotonic() - start
    for server in servers.values():
        server.thaw()
    checks.check("frozen servers are an error, in time", done.status == 1 and took < SOON, (took, done))
    checks.equal("each frozen server is told of", done.err.count(": timeout expired"), 2)


def check_restart(checks, site):
    """The only server is started anew between two lookups, as an administrator does."""
    alone = "query = SELECT 1; SELECT target FROM aliases WHERE name = '%s'\n"
    for name, query in (("together", QUERY), ("alone", alone)):
        talk = Conversation(site.desk, site.table("restart " + name, LOGIN + query))
        before = talk.ask("joe")
        site.server.restart()
        status, lines, err = talk.finish("joe", "joe@d.example")
        checks.equal("a restart in between goes unnoticed: %s" % name, (before, status, lines, err),
                     (["joe\tjoe@x.example"], 0, ["joe\tjoe@x.example", "joe@d.example\tjoe@y.example"], ""))


def check_tls(checks, site, server, certificate):
    uri = "hosts = postgresql://mail:secret@localhost:%d/mail?sslmode=%s&sslrootcert=%s\n"
    query = "query = SELECT ssl, '%s' FROM pg_stat_ssl WHERE pid = pg_backend_pid()\n"
    done = site.desk.ours(site.table("tls", uri % (server.port, "verify-full", certificate) + query), "x")
    checks.equal("a connection with TLS, verified", shown(done), (0, "t,x\n", ""))
    other = site.desk.write("other.pem", pathlib.Path(make_certificate(site.directory, "other")[0]).read_text())
    done = site.desk.ours(site.table("bad tls", uri % (server.port, "verify-full", other) + query), "x")
    checks.check("a certificate that cannot be verified is an error",
                 done.status == 1 and not done.out and "SSL error: certificate verify failed" in done.err and
                 "secret" not in done.err, done)
    done = site.desk.ours(site.table("no tls", uri % (site.server.port, "require", certificate) + query), "x")
    checks.check("a server without TLS is an error where TLS is required",
                 done.status == 1 and "server does not support SSL, but SSL was required" in done.err, done)


def make_certificate(directory, name):
    """A self-signed certificate for localhost, and its key: two files."""
    certificate, key = directory / (name + ".crt"), directory / (name + ".key")
    done = run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", key, "-out", certificate])
    if done.status != 0:
        raise NoServer("openssl: %s" % done.err)
    key.chmod(0o600)
    return certificate, key


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    options = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        directories = []
        for _ in range(2):
            directories.append(private_directory(server_user("postgres")))
            stack.callback(shutil.rmtree, directories[-1], ignore_errors=True)
        try:
            certificate, key = make_certificate(directories[1], "server")
            if server_user("postgres"):
                os.chown(key, server_user("postgres").pw_uid, -1)
            tls = ("ssl=on", "ssl_cert_file=%s" % certificate, "ssl_key_file=%s" % key)
            servers = {"a": PostgresServer(directories[0]), "b": PostgresServer(directories[1], tls)}
            for server in servers.values():
                stack.enter_context(server.initialize())
                prepare(server)
        except NoServer as why:
            checks.skip("pgsql", why)
            return checks.finish()
        site = Site(Desk(options.bin, pathlib.Path(scratch) / "desk"), servers["a"], pathlib.Path(scratch))
        check_results(checks, site)
        check_logins(checks, site)
        check_random(checks, site)
        check_newer_settings(checks, site)
        check_server_warnings(checks, site)
        check_secrets(checks, site)
        check_side_effects(checks, site)
        check_together(checks, site)
        check_tls(checks, site, servers["b"], certificate)
        check_failover(checks, site, servers)
        check_restart(checks, site)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
