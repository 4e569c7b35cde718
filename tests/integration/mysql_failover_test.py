#!/usr/bin/env python3
"""mysql: servers that die, freeze, close connections, or want TLS. No lookup may be lost, or end as "not found".

Usage: mysql_failover_test.py --bin DIR
"""
import concurrent.futures
import re
import subprocess
import sys
import threading
import time

from checks import SOON, TIMEOUT, environment, wait_until
from client_tables import Desk
from mariadb_server import MariaDb, data_directory
from server import run_server_test

PASSWORD = "s3cret-of-the-test"
COUNT = 12000
TIME_LIMIT = 2  # seconds, in the settings
JOINED = "query = SELECT target FROM aliases WHERE name = '%s'\n"
ALONE = "query = SELECT target FROM aliases WHERE name = '%s' ORDER BY 1\n"
SETUP = """
CREATE DATABASE mail; USE mail;
CREATE TABLE aliases (name VARCHAR(100) PRIMARY KEY, target VARCHAR(200)) ENGINE=MyISAM;
INSERT INTO aliases SELECT CONCAT('user', seq), CONCAT('box', seq) FROM seq_1_to_%d;
CREATE USER postfix@localhost IDENTIFIED BY '%s', postfix@127.0.0.1 IDENTIFIED BY '%s';
GRANT ALL ON mail.* TO postfix@localhost, postfix@127.0.0.1;
CREATE USER certified@127.0.0.1 REQUIRE X509; GRANT ALL ON mail.* TO certified@127.0.0.1;
CREATE USER encrypted@127.0.0.1 REQUIRE SSL; GRANT ALL ON mail.* TO encrypted@127.0.0.1;
""" % (COUNT, PASSWORD, PASSWORD)
CERTIFICATES = """
set -e
new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -subj "/CN=$2" "${@:3}"; }
new ca "Test CA" -x509 -days 2 -out ca.pem
new stranger "Another CA" -x509 -days 2 -out stranger.pem
for pair in server=127.0.0.1 other=other.example.com client=postfix; do
  new "${pair%%=*}" "${pair#*=}" -out request
  openssl x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "${pair%%=*}.pem"
done
mkdir hashed; cp ca.pem hashed; openssl rehash hashed
chmod a+r *.key
"""


def key_lines(first, last):
    return b"".join(b"user%d\n" % number for number in range(first, last + 1))


def answer_lines(first, last):
    return b"".join(b"user%d\tbox%d\n" % (number, number) for number in range(first, last + 1))


class Stream:
    """postmap -q -, fed by and by."""

    def __init__(self, desk, table):
        self.process = subprocess.Popen([str(desk.postmap), "-c", str(desk.directory), "-q", "-", table], env=environment(),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.out, self.err = bytearray(), bytearray()
        self.readers = [threading.Thread(target=self._read, args=pair)
                        for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def _read(pipe, into):
        while chunk := pipe.read1(65536):
            into.extend(chunk)

    def feed(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait_for_lines(self, count):
        wait_until(lambda: self.out.count(b"\n") >= count, pause=0.005)

    def finish(self):
        """Returns the exit status; None when it does not end."""
        try:
            self.process.stdin.close()
            return self.process.wait(2 * TIMEOUT)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait()
            return None
        finally:
            for reader in self.readers:
                reader.join()


class World:
    def __init__(self, checks, desk):
        self.checks, self.desk = checks, desk

    def table(self, name, hosts, settings):
        return self.desk.table("mysql", re.sub(r"\W", "-", name) + ".cf", "hosts = %s\nuser = postfix\npassword = %s\n"
                               "dbname = mail\n%s" % (hosts, PASSWORD, settings))

    def interrupt(self, name, hosts, settings, event, answered=500):
        """All keys are answered, although `event` happens when some have been; 3000 are known then. Whoever waits for the
        lost server does so for the 60 seconds that are the default time limit, or for TIME_LIMIT once a key."""
        stream = Stream(self.desk, self.table(name, hosts, settings))
        stream.feed(key_lines(1, 3000))
        stream.wait_for_lines(answered)
        event()
        start = time.monotonic()
        stream.feed(key_lines(3001, COUNT))
        status = stream.finish()
        took = time.monotonic() - start
        err = stream.err.decode("utf-8", "replace")
        self.checks.equal("%s: exit status" % name, status, 0)
        self.checks.check("%s: all keys are answered" % name, bytes(stream.out) == answer_lines(1, COUNT),
                          lambda: "%d lines, stderr %s" % (stream.out.count(b"\n"), err))
        self.checks.check("%s: a warning names the server" % name, any(host in err for host in hosts.split()), err)
        self.checks.check("%s: warnings are few" % name, err.count("\n") <= 2, err)
        self.checks.check("%s: the password is not shown" % name, PASSWORD not in err, err)
        self.checks.check("%s: in time" % name, took < SOON, took)


def check_failover(world, first, second):
    hosts = "unix:%s inet:127.0.0.1:%d" % (first.socket, second.port)
    settings = "timeout = %d\n" % TIME_LIMIT
    for title, query in (("joined", JOINED), ("alone", ALONE)):
        world.interrupt("killed, " + title, hosts, settings + query, first.kill)
        first.start()
        world.interrupt("stopped, " + title, hosts, settings + query, first.stop)
        first.start()
        # What froze may be the joined statement's fault: that costs one more attempt.
        world.interrupt("frozen, " + title, hosts, settings + query, first.freeze)
        first.thaw()


def check_tls_failover(world, first, second, certificates):
    """Whether it is about to read or to write."""
    hosts = "unix:%s 127.0.0.1:%d" % (first.socket, second.port)
    for title, query in (("joined", JOINED), ("alone", ALONE)):
        for state, answered in (("busy", 500), ("idle", 3000)):
            world.interrupt("killed when %s, with TLS, %s" % (state, title), hosts,
                            "tls_CAfile = %s/ca.pem\n" % certificates + query, first.kill, answered)
            first.start()


def check_no_server(world, first):
    """With no other server, what cannot be told is an error."""
    table = world.table("alone in the world", "unix:%s" % first.socket, JOINED + "timeout = 1\n")
    for name, stop, go_on in (("frozen", first.freeze, first.thaw), ("killed", first.kill, first.start)):
        stream = Stream(world.desk, table)
        stream.feed(key_lines(1, 3000))
        stream.wait_for_lines(500)
        stop()
        stream.feed(key_lines(3001, 4000))
        status = stream.finish()
        err = stream.err.decode()
        answered = stream.out.count(b"\n")
        world.checks.check("%s, no other: an error" % name, status == 1 and "fatal: table" in err and "query error" in err, err)
        world.checks.equal("%s, no other: what was said before is right" % name, bytes(stream.out), answer_lines(1, answered))
        go_on()
    first.freeze()
    start = time.monotonic()
    done = world.desk.ours(table, "user1")
    first.thaw()
    world.checks.check("frozen before the first lookup: an error, in time",
                       done.status == 1 and "connect to mysql server unix:" in done.err and time.monotonic() - start < SOON, done)


def check_idle(world, server):
    """A connection that was closed meanwhile, by the server or by us, is opened anew."""
    def connections():
        return int(server.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1])

    for name, settings, wait_timeout, expected, has_warning in (
            ("kept", "", 60, 1, False), ("closed when idle", "idle_interval = 1\n", 60, 2, False),
            ("closed by the server", "", 1, 2, True)):
        server.sql("SET GLOBAL wait_timeout = %d" % wait_timeout)
        before = connections()
        stream = Stream(world.desk, world.table("idle", "unix:%s" % server.socket, JOINED + settings))
        stream.feed(key_lines(1, 5))
        stream.wait_for_lines(5)
        time.sleep(2.2)
        stream.feed(key_lines(6, 10))
        status = stream.finish()
        world.checks.check("%s: answered" % name, status == 0 and bytes(stream.out) == answer_lines(1, 10),
                           "status %s, %r" % (status, bytes(stream.err)))
        world.checks.equal("%s: connections" % name, connections() - before - 1, expected)
        world.checks.check("%s: warnings" % name, bool(stream.err) == has_warning, bytes(stream.err))
    server.sql("SET GLOBAL wait_timeout = DEFAULT")


def check_refused(world, first, second):
    """A server that works, but not for this query, keeps its connection, and the other one answers."""
    first.sql("RENAME TABLE mail.aliases TO mail.hidden")
    hosts = "unix:%s inet:127.0.0.1:%d" % (first.socket, second.port)
    done = world.desk.ours(world.table("refused", hosts, JOINED), "user1", "user2")
    world.checks.equal("a table is missing on one server", done.out, "user1\tbox1\nuser2\tbox2\n")
    world.checks.check("a table is missing on one server: the warning names it", "(server unix:%s)" % first.socket in done.err,
                       done)
    first.sql("RENAME TABLE mail.hidden TO mail.aliases")


def check_order(world, first, second):
    """UNIX-domain sockets first; among equals, each in its turn."""
    def asked(hosts):
        first.sql("FLUSH STATUS"), second.sql("FLUSH STATUS")
        table = world.table("order", hosts, "query = SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES "
                            "WHERE VARIABLE_NAME = 'PORT' AND '%s' <> ''\n")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return {done.out.strip() for done in pool.map(lambda _: world.desk.ours(table, "x"), range(24))}

    ports = {str(first.port), str(second.port)}
    tcp = "inet:127.0.0.1:%d 127.0.0.1:%d" % (first.port, second.port)
    world.checks.equal("TCP: either server", asked(tcp), ports)
    world.checks.equal("a socket comes first", asked(tcp + " unix:%s" % second.socket), {str(second.port)})


def check_tls(world, server, other, certificates):
    """As Postfix 3.7 does with the same client library."""
    names = {"ca": "tls_CAfile = %s/ca.pem\n" % certificates, "stranger": "tls_CAfile = %s/stranger.pem\n" % certificates,
             "path": "tls_CApath = %s/hashed\n" % certificates, "verify": "tls_verify_cert = yes\n",
             "client": "tls_cert_file = {0}/client.pem\ntls_key_file = {0}/client.key\n".format(certificates),
             "mismatch": "tls_cert_file = {0}/client.pem\ntls_key_file = {0}/server.key\n".format(certificates),
             "missing": "tls_CAfile = /nonexistent/ca.pem\n", "nocipher": "tls_ciphers = NO-SUCH-CIPHER\n",
             "cipher": "tls_ciphers = ECDHE-ECDSA-AES256-GCM-SHA384\n",
             "certified": "user = certified\npassword =\n", "encrypted": "user = encrypted\npassword =\n"}
    query = ("query = SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'SSL_VERSION' "
             "AND '%s' <> ''\nresult_format = <%s>\n")
    cases = (("plain", server, "", None), ("authority", server, "ca", "<TLSv1.3>"), ("verified", server, "ca verify", "<TLSv1.3>"),
             ("another authority", server, "stranger", ""), ("another name", other, "ca", "<TLSv1.3>"),
             ("another name, verified", other, "ca verify", ""), ("directory of authorities", server, "path verify", "<TLSv1.3>"),
             ("no file", server, "missing", ""), ("another's key", server, "ca mismatch", ""),
             ("ciphers", server, "ca cipher", "<TLSv1.3>"), ("no such ciphers", server, "ca nocipher", ""),
             ("a user who needs a certificate", server, "certified ca client", "<TLSv1.3>"),
             ("the same, without", server, "certified ca", ""), ("a user who needs TLS", server, "encrypted ca", "<TLSv1.3>"),
             ("the same, plain", server, "encrypted", ""))

    def ask(case):
        name, at, words, _ = case
        settings = {"hosts": "hosts = 127.0.0.1:%d" % at.port, "user": "user = postfix", "password": "password = %s" % PASSWORD,
                    "dbname": "dbname = mail"}
        for line in (query + "".join(names[word] for word in words.split())).splitlines():
            settings[line.split(" ")[0]] = line
        table = world.desk.table("mysql", "tls-%s.cf" % re.sub(r"\W", "-", name), "\n".join(settings.values()) + "\n")
        results = [world.desk.ours(table, "x")]
        if world.desk.stock_postmap:
            results.append(world.desk.stock(table, "x"))
        return results

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for (name, _, _, wanted), results in zip(cases, pool.map(ask, cases)):
            ours = results[0]
            if wanted is not None:
                world.checks.equal("TLS, %s" % name, ours.out.strip(), wanted)
            said = [(done.status, done.out, re.sub("query error: .*", "", done.err)) for done in results]
            world.checks.check("TLS, %s: as Postfix says" % name, said[0] == said[-1], said)
            world.checks.check("TLS, %s: no password is shown" % name, PASSWORD not in ours.err, ours)


def run_checks(checks, bin_directory, directory):
    certificates = directory / "certificates"
    certificates.mkdir()
    subprocess.run(["bash", "-c", CERTIFICATES], cwd=certificates, capture_output=True, check=True, env=environment())
    world = World(checks, Desk(bin_directory, directory / "desk"))
    data = data_directory(directory / "system")

    def server(name, certificate):
        return MariaDb(data, directory / name, "--ssl-ca=%s/ca.pem" % certificates,
                       *("--ssl-%s=%s/%s.%s" % (option, certificates, certificate, suffix)
                         for option, suffix in (("cert", "pem"), ("key", "key"))))

    with server("first", "server") as first, server("second", "other") as second:
        for each in (first, second):
            each.sql(SETUP, "mysql")
        check_tls(world, first, second, certificates)
        check_order(world, first, second)
        check_refused(world, first, second)
        check_idle(world, first)
        check_failover(world, first, second)
        check_tls_failover(world, first, second, certificates)
        check_no_server(world, first)


if __name__ == "__main__":
    sys.exit(run_server_test("mysql tables", run_checks))
