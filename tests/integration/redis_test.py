#!/usr/bin/env python3
"""Holds redis tables against a real server, against servers that fail midway, and against hostile ones.

usage: redis_test.py --bin DIR

The servers run in a temporary directory. The last line of the output is 'N passed, N failed[, N skipped]'; the exit
status is 1 when any failed.
"""
import contextlib
import subprocess
import sys
import threading
import time

from checks import SOON, environment, wait_until
from client_tables import Desk
from redis_server import RedisServer
from scripted_server import ScriptedServer
from server import run_server_test, server_user

PASSWORD = "s3cret-word"
AWKWARD = ["plain", "two words", "quote\"d", "it's", "back\\slash", "percent%s", "*2", "$3", "new\u00e9", "a:b", "{x}",
           "tab\there", "GET", "--"]


class Bench:
    """What the checks share."""

    def __init__(self, bin_directory, directory, user):
        self.directory, self.user = directory, user
        self.desk = Desk(bin_directory, directory / "config")
        self.count = 0

    def table(self, settings, mode=0o600):
        self.count += 1
        return self.desk.table("redis", "t%d.cf" % self.count, settings, mode)

    def server(self, name, *options):
        return RedisServer(name, self.directory, self.user, *options)


def at(server):
    return "hosts = unix:%s\n" % server.socket


def check_values(checks, bench, server):
    server.ask_all([("SET", key, "value of %s" % key) for key in AWKWARD])
    table = bench.table(at(server))
    done = bench.desk.ours(table, *[key for key in AWKWARD if key != "GET"], "none", flags=("-f",))
    checks.equal("GET: every key has its value, and no other", done.out,
                 "".join("%s\tvalue of %s\n" % (key, key) for key in AWKWARD if key != "GET"))
    checks.equal("GET: status and warnings", (done.status, done.err), (0, ""))
    checks.equal("GET: an absent key is status 1, in silence",
                 (lambda d: (d.status, d.out, d.err))(bench.desk.ours(table, "none")), (1, "", ""))
    checks.equal("GET: keys are folded", bench.desk.ours(table, "PLAIN").out, "value of plain\n")

    server.ask("SET", "empty", "")
    done = bench.desk.ours(table, "empty")
    checks.check("GET: an empty value is ignored with a warning",
                 done.status == 1 and "empty lookup result for: \"empty\"" in done.err, done)
    tcp = bench.table("hosts = inet:127.0.0.1:%d\n" % server.port)
    checks.equal("GET: over TCP", bench.desk.ours(tcp, "plain").out, "value of plain\n")
    server.ask("SET", "p:joe", "1,2")
    formats = bench.table(at(server) + "key_format = p:%u\nresult_format = <%s> of %U\ndomain = example.com\n")
    checks.equal("GET: key_format, result_format, domain",
                 bench.desk.ours(formats, "joe@example.com", "joe@example.org", "joe").out,
                 "joe@example.com\t<1,2> of joe\n")


def check_hashes_and_sets(checks, bench, server):
    server.ask_all([("HSET", "h:example.com", key, "field %s" % key) for key in AWKWARD])
    table = bench.table(at(server) + "command = hget\nkey_format = h:%d\nfield_format = %u\n")
    keys = ["%s@example.com" % key for key in AWKWARD]
    done = bench.desk.ours(table, *keys, "plain@example.org", "plain", "@example.com", flags=("-f",))
    checks.equal("HGET: fields of a domain's hash", done.out,
                 "".join("%s@example.com\tfield %s\n" % (key, key) for key in AWKWARD))
    checks.equal("HGET: keys without a part are passed over in silence", (done.status, done.err), (0, ""))

    server.ask_all([("SADD", "members", key) for key in AWKWARD])
    table = bench.table(at(server) + "command = SISMEMBER\nkey_format = members\n")
    done = bench.desk.ours(table, *AWKWARD, "none", flags=("-f",))
    checks.equal("SISMEMBER: a member is its own value", done.out, "".join("%s\t%s\n" % (k, k) for k in AWKWARD))
    table = bench.table(at(server) + "command = SISMEMBER\nkey_format = members\nresult_format = OK\n")
    checks.equal("SISMEMBER: result_format", bench.desk.ours(table, "plain").out, "OK\n")


def check_settings(checks, bench, server):
    for name, settings, wanted in (
            ("an unknown command", "command = DEL\n", "bad command: DEL; use GET, HGET or SISMEMBER"),
            ("HGET without a key_format", "command = HGET\n", "bad string length 0 < 1: key_format = "),
            ("a bad key_format", "key_format = %q\n", "Invalid query template: %q"),
            ("a bad field_format", "field_format = %q\n", "Invalid field_format template: %q"),
            ("a bad port", "hosts = inet:localhost:99999\n", "bad port number: 99999"),
            ("a time of nothing", "timeout = 0\n", "timeout"),
            ("an unknown domain table", "domain = nosuch:x\n", "unsupported dictionary type: nosuch")):
        done = bench.desk.ours(bench.table(at(server) + settings), "k")
        checks.check("settings: %s is an error" % name,
                     done.status == 1 and done.out == "" and wanted in done.err, done)
    done = bench.desk.ours(bench.table(at(server) + "expansion_limit = 1\nnonsense = 1\n"), "plain")
    checks.check("settings: unused ones give a warning", done.out == "value of plain\n" and
                 done.err.count("unused parameter") == 2, done)


def check_database(checks, bench, server):
    server.ask_all([("SELECT", 3), ("SET", "third", "3")])
    checks.equal("database: it is selected",
                 bench.desk.ours(bench.table(at(server) + "database = 3\n"), "third").out, "3\n")
    checks.equal("database: another does not have the key",
                 bench.desk.ours(bench.table(at(server)), "third").status, 1)
    done = bench.desk.ours(bench.table(at(server) + "database = 99\n"), "third")
    checks.check("database: one that is not there is an error", done.status == 1 and
                 "SELECT 99: ERR DB index is out of range" in done.err and "query error" in done.err, done)


def check_errors(checks, bench, server):
    server.ask("RPUSH", "list", "x")
    table = bench.table(at(server))
    done = bench.desk.ours(table, "plain", "list", "plain")
    checks.equal("WRONGTYPE: what came before it is answered", done.out, "plain\tvalue of plain\n")
    checks.check("WRONGTYPE: a temporary error that names table, server and key", done.status == 1 and
                 "%s: server unix:%s: error reply: WRONGTYPE" % (table, server.socket) in done.err and
                 "(GET list)" in done.err and "table %s: query error: error reply: WRONGTYPE" % table in done.err, done)
    nobody = bench.table("hosts = unix:%s/nobody.sock\n" % bench.directory)
    done = bench.desk.ours(nobody, "plain")
    checks.check("a server that is down: a temporary error", done.status == 1 and
                 "server unix:%s/nobody.sock: No such file or directory" % bench.directory in done.err and
                 "table %s: query error: No such file or directory" % nobody in done.err, done)
    both = bench.table("hosts = unix:%s/nobody.sock unix:%s\n" % (bench.directory, server.socket))
    checks.check("one of two servers is down: the other answers",
                 all(bench.desk.ours(both, "plain").out == "value of plain\n" for _ in range(6)), "")


def check_passwords(checks, bench):
    with bench.server("auth", "--requirepass", PASSWORD) as server:
        server.password = PASSWORD
        server.ask_all([("SET", "k", "v"), ("ACL", "SETUSER", "postfix", "on", ">" + PASSWORD + "2", "~*", "+get")])
        good = bench.table(at(server) + "password = %s\n" % PASSWORD)
        checks.equal("password: the right one", bench.desk.ours(good, "k").out, "v\n")
        user = bench.table(at(server) + "user = postfix\npassword = %s2\n" % PASSWORD)
        checks.equal("password: of a user", bench.desk.ours(user, "k").out, "v\n")
        for name, settings, wanted in (
                ("none", "", "NOAUTH"),
                ("a wrong one", "password = %swrong\n" % PASSWORD, "login refused, WRONGPASS"),
                ("of an unknown user", "user = nobody\npassword = %swrong\n" % PASSWORD, "login refused, WRONGPASS"),
                ("of a user who may not", "user = postfix\npassword = %s2\ncommand = HGET\nkey_format = h\n" % PASSWORD,
                 "NOPERM")):
            done = bench.desk.ours(bench.table(at(server) + settings), "k", flags=("-v",))
            checks.check("password: %s is a temporary error" % name, done.status == 1 and wanted in done.err and
                         "query error" in done.err, done)
            checks.check("password: %s is never shown" % name, PASSWORD not in done.err + done.out, done)
        done = bench.desk.ours(bench.table(at(server) + "password = %s\n" % PASSWORD, mode=0o644), "k")
        checks.check("password: a file that everyone can read gives a warning, without it",
                     "everyone can read the password" in done.err and PASSWORD not in done.err, done)
    # A server that does not know AUTH repeats what it got.
    script = lambda request: b"-ERR unknown command `AUTH`, with args beginning with: `%s` \r\n" % PASSWORD.encode()
    with ScriptedServer(bench.directory / "echo.sock", script) as server:
        done = bench.desk.ours(bench.table("hosts = unix:%s\npassword = %s\n" % (server.path, PASSWORD)), "k")
        checks.check("password: not shown when the server repeats it", done.status == 1 and PASSWORD not in done.err and
                     "login refused, ERR" in done.err, done)


def check_hostile_servers(checks, bench):
    cases = {
        "silence": (b"", "Connection timed out"),
        "half a reply": (b"$5\r\nab", "Connection timed out"),
        "a close": (None, "connection closed by the server"),
        "LOADING": (b"-LOADING Redis is loading the dataset in memory\r\n", "LOADING"),
        "an integer": (b":1\r\n", "unexpected reply"),
        "a status": (b"+OK\r\n", "unexpected reply"),
        "an array": (b"*1\r\n$1\r\na\r\n", "unexpected reply"),
        "a huge array": (b"*2147483647\r\n", "unexpected reply"),
        "a negative size": (b"$-7\r\nabc\r\n", None),
        "garbage": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "unexpected reply"),
        "an endless value": (b"$500000000\r\n" + b"x" * (2 << 20), "reply too long"),
        "an endless line": (b"+" + b"x" * (2 << 20), "reply too long"),
        "a terminal's control": (b"-ERR \x1b[2J\r\n", "ERR ?[2J"),
        "an error without a text": (b"-\r\n", "error reply"),
    }

    def ask(item):
        name, (reply, wanted) = item
        path = bench.directory / ("hostile-%d.sock" % list(cases).index(name))
        with ScriptedServer(path, lambda request: reply):
            start = time.monotonic()
            done = bench.desk.ours(tables[name], "k")
            return name, wanted, done, time.monotonic() - start

    tables = {name: bench.table("hosts = unix:%s/hostile-%d.sock\ntimeout = 1\n" % (bench.directory, i))
              for i, name in enumerate(cases)}
    results = []
    threads = [threading.Thread(target=lambda i=item: results.append(ask(i))) for item in cases.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    checks.equal("hostile servers: all were tried", len(results), len(cases))
    for name, wanted, done, seconds in sorted(results):
        checks.check("hostile server, %s: a temporary error" % name, done.status == 1 and done.out == "" and
                     "query error" in done.err and (wanted is None or wanted in done.err), done)
        checks.check("hostile server, %s: soon" % name, seconds < SOON, "%.1f s" % seconds)


def check_failover(checks, bench):
    """Two servers have the same; one ends, or stops, while many keys are asked for."""
    count = 20000
    keys = ["key%d" % i for i in range(count)]
    for how in ("killed", "frozen"):
        with contextlib.ExitStack() as stack:
            servers = {}
            for name in ("one", "two"):
                server = stack.enter_context(bench.server("%s-%s" % (how, name)))
                server.ask_all([("SET", key, "value %s" % key) for key in keys] + [("CONFIG", "RESETSTAT")])
                servers[name] = server
            table = bench.table("hosts = unix:%s unix:%s\ntimeout = 1\n" % tuple(s.socket for s in servers.values()))
            process = subprocess.Popen(
                [str(bench.desk.postmap), "-c", str(bench.desk.directory), "-q", "-", table], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
            out = []
            reader = threading.Thread(target=lambda: out.append(process.stdout.read()))
            reader.start()
            process.stdin.write("".join("%s\n" % key for key in keys[:count // 2]).encode())
            process.stdin.flush()
            first = wait_until(lambda: next((server for server in servers.values() if server.calls("get") > 200), None))
            checks.check("failover, %s: a server was at work" % how, first is not None, "")
            if first is None:
                process.kill()
                continue
            first.kill() if how == "killed" else first.freeze()
            process.stdin.write("".join("%s\n" % key for key in keys[count // 2:]).encode())
            process.stdin.close()
            error = process.stderr.read().decode()
            status = process.wait(30)
            reader.join()
            checks.equal("failover, %s: status" % how, status, 0)
            checks.check("failover, %s: no key is lost, none is not found" % how,
                         out[0].decode() == "".join("%s\tvalue %s\n" % (key, key) for key in keys),
                         "%d bytes; %s" % (len(out[0]), error[-500:]))
            checks.check("failover, %s: both were needed" % how,
                         all(server.calls("get") > 0 for server in servers.values() if server is not first), error)
            if how == "frozen":
                first.thaw()


def check_cache(checks, bench, server):
    """cache_size and cache_ttl, seen from the server."""
    server.ask("SET", "cached", "1")

    def calls(settings, *keys):
        server.ask("CONFIG", "RESETSTAT")
        done = bench.desk.ours(bench.table(at(server) + settings), *keys)
        return done.out, server.calls("get")

    keys = ["cached", "absent"] * 500
    checks.equal("cache: without it, each key is a query", calls("", *keys), ("cached\t1\n" * 500, 1000))
    out, count = calls("cache_size = 10\ncache_ttl = 60\n", *keys)
    checks.equal("cache: the answers are the same", out, "cached\t1\n" * 500)
    # Keys are announced before the first answer has come.
    checks.check("cache: found and not found are asked for once, but for keys on their way", 2 <= count <= 128, count)
    many = ["absent%d" % (i % 50) for i in range(500)]
    checks.check("cache: more keys than it holds are asked for again",
                 calls("cache_size = 10\ncache_ttl = 60\n", *many)[1] > 300, "")
    for settings in ("cache_size = 10\n", "cache_ttl = 60\n", "cache_size = 0\ncache_ttl = 60\n"):
        checks.equal("cache: none with %r" % settings, calls(settings, *keys)[1], 1000)


def check_pipelining(checks, bench, server):
    """Answers do not depend on what is in flight."""
    count = 3000
    server.ask_all([("SET", "n%d" % i, "v%d" % i) for i in range(0, count, 3)])
    table = bench.table(at(server))
    keys = ["n%d" % i for i in range(count)] + ["n3", "n3", "n4"]
    done = bench.desk.ours(table, *keys)
    wanted = "".join("%s\tv%s\n" % (key, key[1:]) for key in keys if int(key[1:]) % 3 == 0)
    checks.equal("many keys: the answers, in order", done.out, wanted)
    checks.equal("many keys: without warnings", (done.status, done.err), (0, ""))


def run_checks(checks, bin_directory, directory):
    user = server_user("redis")
    bench = Bench(bin_directory, directory, user)
    with bench.server("main") as server:
        for check in (check_values, check_hashes_and_sets, check_settings, check_database, check_errors,
                      check_cache, check_pipelining):
            check(checks, bench, server)
    check_passwords(checks, bench)
    check_hostile_servers(checks, bench)
    check_failover(checks, bench)


if __name__ == "__main__":
    sys.exit(run_server_test("redis tables", run_checks, user="redis"))
