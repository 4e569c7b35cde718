#!/usr/bin/env python3
"""ldap: tables against a slapd of the test's own: what they answer, compared with the distribution's Postfix for fixed
and for random settings and keys, and what becomes of a lookup when the server or the network fails.

usage: ldap_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import concurrent.futures
import random
import re
import subprocess
import sys
import time

from checks import Done, environment
from client_tables import STOCK, Desk
from ldap_questions import (MANY, SPECIAL, Settings, directory_entries, fixed_cases, random_key, random_settings,
                            referral_entry)
from relay import Relay
from server import run_server_test
from slapd_server import ADMIN, PASSWORD, SUFFIX, Slapd

SEED = 4511
CONFIGURATIONS = 70  # of random settings
TIMEOUT = 2  # seconds, where a server is silent


# Where libraries lose memory by themselves: libsasl2 with libcrypto, libldap with GnuTLS, and libldap when a server
# ends the session (RFC 4511, 4.4.1), as it does after an empty filter.
FOREIGN_LEAKS = re.compile(r"^bind = sasl|^start_tls = yes|ldaps:|^query_filter = $", re.M | re.I)


class Together:
    """Asks both postmaps, many questions at a time: stock postmap sleeps when it fails."""

    def __init__(self, desk):
        self.desk, self.count = desk, 0
        self.pool = concurrent.futures.ThreadPoolExecutor(20)

    def ours(self, settings, *keys, **options):
        return self._ask(self.desk.ours, settings, keys, options)

    def both(self, settings, *keys, **options):
        return self.ours(settings, *keys, **options), self._ask(self.desk.stock, settings, keys, options)

    def _ask(self, ask, settings, keys, options):
        self.count += 1
        if FOREIGN_LEAKS.search(settings):
            options["env"] = environment(ASAN_OPTIONS="detect_leaks=0")
        table = self.desk.table("ldap", "t%d.cf" % self.count, settings)
        return self.pool.submit(ask, table, *keys, **options)


OUR_DETAILS = re.compile(r"^postmap: warning: ldap:\S+: .*\n", re.M)


def normal(done, keeps_out=True):
    """What both Postfixes must have in common. The reason that follows "query error" is an errno that the library left;
    ours adds lines that begin with the table's name; several keys' answers before a fatal error are lost by stock."""
    err = re.sub(r"^\S*/postmap: ", "postmap: ", done.err, flags=re.M)
    err = re.sub(r"\S*/t\d+\.cf", "T.cf", OUR_DETAILS.sub("", err))
    err = re.sub(r"(query error): .*", r"\1", err)
    return done.status, done.out if keeps_out or "fatal" not in err else "", err


def check_fixed(checks, asked, cases):
    answers = [(name, asked.both(settings, *keys), settings) for name, settings, keys in cases]
    for name, (ours, stock), settings in answers:
        got, wanted = normal(ours.result(), False), normal(stock.result(), False)
        detail = "%s\ngot %s\nwanted %s" % (settings, got, wanted)
        checks.check("as stock: " + name, got == wanted, detail)


def check_random(checks, asked, settings, keys):
    generator = random.Random(SEED)
    answers = []
    for _ in range(CONFIGURATIONS):
        text = random_settings(generator, settings)
        for key in {random_key(generator, keys) for _ in range(3)}:
            answers.append((text, key, asked.both(text, key)))
    seen, different = {}, []
    for text, key, (ours, stock) in answers:
        got, wanted = normal(ours.result()), normal(stock.result())
        seen[wanted[0], bool(wanted[1])] = seen.get((wanted[0], bool(wanted[1])), 0) + 1
        if got != wanted:
            different.append("key %r\n%s\ngot %s\nwanted %s" % (key, text, got, wanted))
    checks.check("%d random lookups are as stock's" % len(answers), not different,
                 lambda: "%d differ\n%s" % (len(different), different[0]))
    checks.check("among them are found and not found", seen.get((0, True), 0) > 40 and seen.get((1, False), 0) > 40,
                 seen)


def many(start=0, end=MANY):
    return ["k%d" % i for i in range(start, end)]


def answers_of(keys):
    return "".join("%s\tv%s@x\n" % (key, key[1:]) for key in keys)


def check_one_connection(checks, asked, slapd, settings):
    with Relay(slapd.port) as relay:
        done = asked.ours(settings(server_host="ldap://127.0.0.1:%d" % relay.port), *many()).result()
        checks.equal("many keys are answered in their order", (done.status, done.out), (0, answers_of(many())))
        checks.equal("over one connection", relay.connections, 1)


def check_cuts(checks, asked, slapd, settings):
    """A connection that breaks at any byte is replaced, and no answer is lost."""
    keys = many(0, 100)
    for limit in (1, 40, 777, 4000):
        with Relay(slapd.port, [limit]) as relay:
            done = asked.ours(settings(server_host="ldap://127.0.0.1:%d" % relay.port), *keys).result()
            # It broke before there was any answer: the server is not well, and that is said.
            if limit < 50:
                checks.check("cut after %d bytes: an error, not 'not found'" % limit,
                             done.status == 1 and "query error" in done.err and done.out == "", done)
            else:
                checks.equal("cut after %d bytes: all is answered" % limit, (done.status, done.out),
                             (0, answers_of(keys)))
                checks.equal("cut after %d bytes: by a second connection" % limit, relay.connections, 2)
    with Relay(slapd.port) as relay:
        done = ask_in_halves(asked.desk, settings(server_host="ldap://127.0.0.1:%d" % relay.port), many(0, 200),
                             relay.cut)
        checks.equal("closed while idle: all is answered", (done.status, done.out, done.err),
                     (0, answers_of(many(0, 200)), ""))
        checks.equal("closed while idle: by a second connection", relay.connections, 2)


def ask_in_halves(desk, text, keys, between):
    """Half of the keys to one postmap, then `between()`, then the others."""
    table = desk.table("ldap", "halves.cf", text)
    process = subprocess.Popen([desk.postmap, "-c", desk.directory, "-q", "-", table], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    half = len(keys) // 2
    try:
        process.stdin.write("".join(key + "\n" for key in keys[:half]).encode())
        process.stdin.flush()
        time.sleep(1)  # It asks for 64 keys at a time, and waits for the rest.
        between()
        process.stdin.write("".join(key + "\n" for key in keys[half:]).encode())
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return Done(process.returncode, out.decode(), err.decode())


def check_silence(checks, asked, slapd, settings):
    """A server that holds a connection and says no more. All at the same time."""
    def silent(port, limit, **more):
        relay = Relay(port, [limit] * 9, falls_silent=True)
        relays.append(relay)
        scheme = more.pop("scheme", "ldap")
        text = settings(server_host="%s://127.0.0.1:%d" % (scheme, relay.port), timeout=TIMEOUT, **more)
        started = time.monotonic()
        return asked.pool.submit(lambda: (asked.ours(text, "joe").result(), time.monotonic() - started))

    relays = []
    waiting = [
        ("before a search", silent(slapd.port, 0)), ("within an answer", silent(slapd.port, 9)),
        ("after a part of the messages", silent(slapd.port, 100)), ("in a bind", silent(slapd.port, 0, bind="yes")),
        ("in a SASL bind", silent(slapd.port, 30, bind="sasl", sasl_mechs="DIGEST-MD5", bind_dn="sue",
                                  bind_pw="pw-of-sue")),
        ("before STARTTLS", silent(slapd.port, 0, start_tls="yes")),
        ("in the handshake of STARTTLS", silent(slapd.port, 200, start_tls="yes")),
        ("before the handshake of ldaps", silent(slapd.tls_port, 0, scheme="ldaps")),
        ("in the handshake of ldaps", silent(slapd.tls_port, 200, scheme="ldaps", bind="yes")),
    ]
    for name, future in waiting:
        done, seconds = future.result()
        checks.check("silent %s: an error in time" % name, done.status == 1 and "query error" in done.err and
                     "no answer within %d s" % TIMEOUT in done.err and seconds < 4 * TIMEOUT + 2,
                     "%.1f s, %s" % (seconds, done))
    for relay in relays:
        relay.__exit__()


def check_server_failures(checks, asked, slapd, spare, settings):
    keys = many()
    both = settings(server_host="%s %s" % (slapd.uri, spare.uri), bind="yes")
    done = ask_in_halves(asked.desk, both, keys, slapd.server.kill)
    checks.equal("killed: the next server answers all", (done.status, done.out), (0, answers_of(keys)))
    done = asked.ours(both, *keys).result()
    checks.equal("dead: the next server answers all", (done.status, done.out), (0, answers_of(keys)))
    slapd.server.start()
    done = ask_in_halves(asked.desk, settings(), keys, slapd.server.kill)
    checks.check("killed, and no other: an error after good answers", done.status == 1 and "query error" in done.err and
                 done.out and answers_of(keys).startswith(done.out), done)
    checks.check("the warning names table, server and reason", re.search(
        r"warning: ldap:\S+/halves\.cf: server %s: search for \S+ in \"%s\": Can't contact" % (slapd.uri, SUFFIX),
        done.err), done)
    slapd.server.start()
    slapd.server.freeze()
    frozen = [asked.ours(settings(timeout=TIMEOUT, **more), "joe") for more in
              ({}, {"bind": "yes"}, {"start_tls": "yes"}, {"server_host": slapd.tls_uri},
               {"server_host": slapd.local_uri})]
    failed = [future.result() for future in frozen]
    checks.check("frozen: errors in time", all(d.status == 1 and "no answer within" in d.err for d in failed),
                 lambda: list(map(str, failed)))
    slapd.server.thaw()
    checks.equal("thawed: answers", asked.ours(settings(), "joe").result().out, "joe@one.example\n")


def check_secrets(checks, asked, slapd, settings):
    secret = "Tr0ub4dor"
    texts = [settings(bind="yes", bind_dn=ADMIN, bind_pw=secret, debuglevel="-1"),
             settings(bind="sasl", sasl_mechs="DIGEST-MD5", bind_dn="sue", bind_pw=secret, debuglevel="-1"),
             settings(bind="yes", bind_dn=ADMIN, bind_pw=secret, start_tls="yes", tls_ca_cert_file="/nosuch"),
             settings(bind="yes", bind_dn=ADMIN, bind_pw=secret, server_host="ldap://127.0.0.1:1")]
    done = [asked.ours(text, "joe", flags=("-v", "-v")).result() for text in texts]
    checks.check("no message has the password", all(d.status == 1 and secret not in d.out + d.err for d in done),
                 lambda: list(map(str, done)))
    checks.check("debuglevel shows what the library does", "dict_ldap_debug: ldap_create" in done[0].err, done[0])
    table = asked.desk.table("ldap", "readable.cf", settings(bind="yes", bind_dn=ADMIN, bind_pw=PASSWORD), mode=0o644)
    done = asked.desk.ours(table, "joe")
    checks.check("a password that everyone can read is warned of", done.out == "joe@one.example\n" and
                 "everyone can read the bind_pw" in done.err and PASSWORD not in done.err, done)


def check_beyond_stock(checks, asked, slapd, settings):
    """What stock Postfix 3.7 does otherwise, and what has a form of its own."""
    done = asked.ours(settings(bind="sasl", sasl_mechs="DIGEST-MD5", bind_dn="sue", bind_pw="pw-of-sue",
                               sasl_minssf="999"), "joe").result()
    checks.check("sasl_minssf is not passed over", done.status == 1 and "(Unknown authentication method)" in done.err,
                 done)
    desk = Desk(asked.desk.postmap.parent, asked.desk.directory / "main",
                main_cf="people_server_host = %s\npeople_search_base = %s\n"
                "people_result_attribute = mail\n" % (slapd.uri, SUFFIX))
    answers = [ask("ldap:people", "joe") for ask in ((desk.ours, desk.stock) if desk.stock_postmap else (desk.ours,))]
    checks.check("settings in main.cf", all((a.status, a.out, a.err) == (0, "joe@mail.example\n", "") for a in answers),
                 lambda: list(map(str, answers)))
    done = asked.ours(settings(cache_size="10", cache_ttl="60"), "joe", "joe").result()
    checks.equal("a cache can be had", (done.status, done.out, done.err), (0, "joe\tjoe@one.example\n" * 2, ""))
    done = asked.ours(settings(**{**SPECIAL, "recursion_limit": "100000"}), "loop").result()
    checks.check("a loop of any length ends", done.status == 1 and "get_values[100000]: " in done.err, done)
    tls = {"start_tls": "yes", "tls_require_cert": "yes", "tls_ca_cert_file": slapd.certificates.other_ca}
    done = asked.ours(settings(**tls), "joe").result()
    checks.check("a certificate that is not trusted is called so", "certificate is not trusted" in done.err, done)


def run_checks(checks, bin_directory, directory):
    entries, special_keys, url_keys = directory_entries()
    asked = Together(Desk(bin_directory, directory))
    with Slapd(entries, certificates=False) as spare, Slapd(entries + referral_entry(spare.uri)) as slapd:
        settings = Settings(slapd)
        if asked.desk.stock_postmap:
            check_fixed(checks, asked, fixed_cases(slapd, special_keys, url_keys))
            keys = special_keys + url_keys + ["joe", "joe@example.com", "multi", "two", "grp", "grp2", "host",
                                              "loop", "gone",
                                              "lang", "blob", "u@example.com", "absent", "x@y", "k7"]
            check_random(checks, asked, settings, keys)
        else:
            checks.skip("comparison with stock", "no %s" % STOCK)
        check_one_connection(checks, asked, slapd, settings)
        check_cuts(checks, asked, slapd, settings)
        check_silence(checks, asked, slapd, settings)
        check_secrets(checks, asked, slapd, settings)
        check_beyond_stock(checks, asked, slapd, settings)
        check_server_failures(checks, asked, slapd, spare, settings)


if __name__ == "__main__":
    sys.exit(run_server_test("ldap tables", run_checks))
