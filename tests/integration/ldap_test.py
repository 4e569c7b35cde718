#!/usr/bin/env python3
"""ldap: tables against a slapd of the test's own: what they answer, compared with the distribution's Postfix for fixed
and for random settings and keys, and what becomes of a lookup when the server or the network fails.

usage: ldap_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import argparse
import concurrent.futures
import pathlib
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from checks import Checks, Done, environment
from client_tables import Desk
from server import NoServer
from slapd_server import ADMIN, PASSWORD, SUFFIX, Slapd, ldif, thing

SEED = 4511
CONFIGURATIONS = 70  # of random settings
MANY = 1500  # keys for one connection
TIMEOUT = 2  # seconds, where a server is silent


def entry(name):
    return "cn=%s,%s" % (name, SUFFIX)


def directory_entries():
    """What both Postfixes are asked for."""
    found = {"special": ["*", "a*b", "a(b)c\\d", "x y", "#x", "a,b", "a=b", "a+b", "<a>", '"a"@b.example', "jörg", "a&b|c!d"]}
    entries = [
        ldif("ou=people," + SUFFIX, objectClass="organizationalUnit", ou="people"),
        ldif("ou=com," + SUFFIX, objectClass="organizationalUnit", ou="com"),
        ldif(entry("sue"), objectClass="person", cn="sue", sn="sue", userPassword="pw-of-sue"),
        thing("joe", mailacceptinggeneralid=["joe", "joe@example.com"], maildrop="joe@one.example", mail="joe@mail.example"),
        thing("multi", mailacceptinggeneralid="multi", maildrop=["m1@x", "m2@x", "plain"], mail=["a@x", "b@x"]),
        thing("two1", mailacceptinggeneralid="two", maildrop="t1@x"),
        thing("two2", mailacceptinggeneralid="two", maildrop="t2@x"),
        thing("blob", mailacceptinggeneralid="blob", mailblob=[b"a\0b", b"\0c", b"d"]),
        thing("nodrop", mailacceptinggeneralid="nodrop", mail="only@mail"),
        thing("grp", mailacceptinggeneralid="grp", memberdn=[entry("joe"), entry("multi")], memberaddr="ext@y", mail="grp@m"),
        thing("grp2", mailacceptinggeneralid="grp2", mail="grp2@m", memberurl="ldap:///%s??sub?(cn=two*)" % SUFFIX,
              memberaddr="ext2@y", memberdn=[entry("grp"), entry("two1")]),
        thing("host", mailacceptinggeneralid="host", maildrop="host@h", memberaddr="ext3@y", memberdn=entry("grp")),
        thing("loop", mailacceptinggeneralid="loop", memberaddr="la@y", memberdn=entry("pool")),
        thing("pool", memberaddr="lb@y", memberdn=entry("loop")),
        thing("gone", mailacceptinggeneralid="gone", memberaddr="dg@y", memberdn=entry("nosuch")),
        thing("onlygone", mailacceptinggeneralid="onlygone", memberdn=entry("nosuch")),
        thing("lang", mailacceptinggeneralid="lang", **{"description": "none@x", "description;lang-de": "de@x",
                                                        "description;lang-de;lang-en": "both@x"}),
        thing("u@example.com", base="ou=com," + SUFFIX, mailacceptinggeneralid="u@example.com", maildrop="incom@x"),
        ldif(entry("alias"), objectClass=["alias", "extensibleObject"], cn="alias", aliasedObjectName=entry("joe")),
        ldif("ou=away," + SUFFIX, objectClass=["referral", "extensibleObject"], ou="away",
             ref="ldap://127.0.0.1:1/ou=away," + SUFFIX),
    ]
    urls = {"attribute": "ldap:///%s?mail?sub?(cn=multi)" % SUFFIX, "base": "ldap:///" + entry("multi"),
            "upper": "LDAP:///%s?MAILDROP" % entry("joe"), "other": "ldap:///%s?cn" % entry("joe"),
            "all": "ldap:///%s?*" % entry("joe"), "host": "ldap://no.invalid/" + entry("joe"), "root": "ldap:///",
            "gone": "ldap:///" + entry("nosuch"), "filter": "ldap:///%s??sub?(cn=(" % SUFFIX, "text": "not a name",
            "lang": "ldap:///%s?description;lang-de" % entry("lang"), "nolang": "ldap:///%s?description" % entry("lang")}
    entries += [thing("url" + name, mailacceptinggeneralid="url" + name, memberurl=url) for name, url in urls.items()]
    for i, key in enumerate(found["special"]):
        entries.append(thing("special%d" % i, mailacceptinggeneralid=key, maildrop="special%d@x" % i))
    entries += [thing("n%d" % i, base="ou=people," + SUFFIX, mailacceptinggeneralid="k%d" % i, maildrop="v%d@x" % i)
                for i in range(MANY)]
    return "".join(entries), found["special"], sorted("url" + name for name in urls)


class Relay:
    """Between a client and slapd: counts connections and bytes, cuts or falls silent after so many bytes of the server.
    `limits` are for one connection after the other; None: all bytes."""

    def __init__(self, port, limits=(), falls_silent=False):
        self.target, self.limits, self.falls_silent = port, list(limits), falls_silent
        self.connections, self.open = 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()

    def cut(self):
        """Ends all connections."""
        for end in self.open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open = []

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            limit = self.limits[self.connections] if self.connections < len(self.limits) else None
            self.connections += 1
            self.open += [client, server]
            threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, limit), daemon=True).start()

    def _pump(self, source, sink, limit):
        try:
            while True:
                data = source.recv(4096 if limit is None else min(limit, 4096)) if limit != 0 else b""
                if limit is not None:
                    limit -= len(data)
                if not data:
                    break
                sink.sendall(data)
        except OSError:
            pass
        if limit == 0 and self.falls_silent:
            return
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Settings:
    """The text of a .cf file."""

    def __init__(self, slapd):
        self.slapd = slapd

    def __call__(self, **more):
        values = {"server_host": self.slapd.uri, "search_base": SUFFIX, "bind": "no", "timeout": "10", **more}
        return "".join("%s = %s\n" % (name, value) for name, value in values.items() if value is not None)


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


SPECIAL = {"special_result_attribute": "memberdn, memberurl", "result_attribute": "maildrop, memberaddr"}


def fixed_cases(slapd, special_keys, url_keys):
    """(name, settings, keys) in which both Postfixes agree, warnings included."""
    tls, settings = slapd.certificates, Settings(slapd)
    secure = {"bind": "yes", "start_tls": "yes", "tls_require_cert": "yes"}
    local = {"server_host": slapd.local_uri}
    closed = "ldap://127.0.0.1:1"
    one = [
        ("no result attribute", {"result_attribute": ""}), ("binary values", {"result_attribute": "mailblob"}, "blob"),
        ("two attributes", {"result_attribute": "mail maildrop"}, "multi"), ("any case", {"result_attribute": "MailDrop"}),
        ("result_format", {"result_format": "<%s|%u|%d|%S>"}, "multi"), ("result_filter", {"result_filter": "F%s"}),
        ("result_format before result_filter", {"result_filter": "F%s", "result_format": "G%s"}),
        ("an empty result_format", {"result_format": "", "result_filter": "F%s"}),
        ("a filter without end", {"query_filter": "(mail=%s"}), ("a filter that is none", {"query_filter": "mail"}),
        ("an empty filter", {"query_filter": ""}), ("a bad conversion", {"query_filter": "mail=%x"}),
        ("a fixed filter", {"query_filter": "cn=%%"}), ("a base that is no name", {"search_base": "not a dn"}),
        ("an absent base", {"search_base": "ou=nosuch," + SUFFIX}), ("no base", {"search_base": None}),
        ("scope one", {"scope": "one"}, "k1"), ("scope base", {"scope": "base"}), ("scope bogus", {"scope": "bogus"}),
        ("version 2", {"version": "2"}), ("version 4", {"version": "4"}), ("version none", {"version": None, "bind": None}),
        ("dereference 0", {"dereference": "0", "search_base": entry("alias")}),
        ("dereference 1", {"dereference": "1", "search_base": entry("alias")}),
        ("dereference 2", {"dereference": "2", "search_base": entry("alias")}),
        ("dereference 3", {"dereference": "3", "search_base": entry("alias")}), ("dereference 7", {"dereference": "7"}),
        ("chase_referrals", {"chase_referrals": "yes", "search_base": "ou=away," + SUFFIX}),
        ("a referral", {"search_base": "ou=away," + SUFFIX}), ("a bad chase_referrals", {"chase_referrals": "1"}),
        ("expansion_limit reached", {"expansion_limit": "3"}, "multi"), ("expansion_limit", {"expansion_limit": "2"}, "multi"),
        ("expansion_limit is the size_limit", {"expansion_limit": "1"}, "two"),
        ("size_limit", {"size_limit": "1"}, "two"), ("size_limit is of entries", {"size_limit": "1"}, "multi"),
        ("size_limit 0", {"size_limit": "0", "expansion_limit": "1"}, "two"), ("a negative size_limit", {"size_limit": "-1"}),
        ("a size_limit within", {"size_limit": "1", **SPECIAL}, "grp2"), ("timeout 0", {"timeout": "0"}),
        ("a loop", SPECIAL, "loop"), ("recursion_limit", {"recursion_limit": "3", **SPECIAL}, "loop"),
        ("recursion_limit 2", {"recursion_limit": "2", **SPECIAL}, "grp2"),
        ("terminal attributes", {"terminal_result_attribute": "maildrop", **SPECIAL}, "host"),
        ("leaf attributes", {**SPECIAL, "leaf_result_attribute": "mail", "result_attribute": "memberaddr"}, "grp2"),
        ("domain", {"domain": "example.com"}, "joe@example.com"), ("another domain", {"domain": "example.org"}, "joe@example.com"),
        ("a DN that is gone", SPECIAL, "gone"), ("nothing but a DN that is gone", SPECIAL, "onlygone"),
        ("an anonymous bind", {"bind": "yes"}), ("a bind", {"bind": "simple", "bind_dn": ADMIN, "bind_pw": PASSWORD}),
        ("a wrong password", {"bind": "yes", "bind_dn": ADMIN, "bind_pw": "wrong"}),
        ("a bind_dn that is none", {"bind": "yes", "bind_dn": "not a dn", "bind_pw": "x"}),
        ("bind none", {"bind": "NONE", "bind_dn": ADMIN, "bind_pw": "wrong"}), ("bind bogus", {"bind": "bogus"}),
        ("a closed port", {"server_host": closed}), ("a closed port to bind", {"server_host": closed, "bind": "yes"}),
        ("the second server", {"server_host": "%s, %s" % (closed, slapd.uri), "bind": "yes"}),
        ("server_port", {"server_host": "127.0.0.1:1 127.0.0.1", "server_port": slapd.port, "bind": "yes"}),
        ("host:port", {"server_host": "127.0.0.1:%d" % slapd.port}), ("no server_host", {"server_host": ""}),
        ("a URL that is none", {"server_host": "ldap://[x", "bind": "yes"}),
        ("another scheme", {"server_host": closed + " http://x", "bind": "yes"}), ("ldapi", {**local, "bind": "yes"}),
        ("SASL EXTERNAL", {**local, "bind": "sasl", "sasl_mechs": "EXTERNAL"}),
        ("SASL of no such mechanism", {"bind": "sasl", "sasl_mechs": "NOSUCH"}),
        ("SASL for another identity", {**local, "bind": "sasl", "sasl_mechs": "EXTERNAL", "sasl_authz_id": "dn:cn=x"}),
        ("SASL DIGEST-MD5", {"bind": "SASL", "sasl_mechs": "DIGEST-MD5", "bind_dn": "sue", "bind_pw": "pw-of-sue"}),
        ("SASL DIGEST-MD5 with a realm", {"bind": "sasl", "sasl_mechs": "DIGEST-MD5", "bind_dn": "sue",
                                          "bind_pw": "pw-of-sue", "sasl_realm": "example", "sasl_minssf": "56"}),
        ("SASL with a wrong password", {"bind": "sasl", "sasl_mechs": "DIGEST-MD5", "bind_dn": "sue", "bind_pw": "wrong"}),
        ("STARTTLS unverified", {"bind": "yes", "start_tls": "yes"}),
        ("STARTTLS", {**secure, "tls_ca_cert_file": tls.ca}), ("STARTTLS by directory", {**secure, "tls_ca_cert_dir": tls.ca_directory}),
        ("STARTTLS, file before directory", {**secure, "tls_ca_cert_file": tls.ca, "tls_ca_cert_dir": "/nosuch"}),
        ("STARTTLS without bind", {**secure, "bind": "no", "tls_ca_cert_file": tls.ca}),
        ("STARTTLS with version 2", {**secure, "version": "2", "tls_ca_cert_file": tls.ca}),
        ("STARTTLS, another CA", {**secure, "tls_ca_cert_file": tls.other_ca}),
        ("STARTTLS, another name", {**secure, "tls_ca_cert_file": tls.ca, "server_host": "localhost:%d" % slapd.port}),
        ("STARTTLS, absent CA", {**secure, "tls_ca_cert_file": "/nosuch"}),
        ("STARTTLS, cipher suite", {**secure, "tls_ca_cert_file": tls.ca, "tls_cipher_suite": "NORMAL"}),
        ("STARTTLS, bad cipher suite", {**secure, "tls_cipher_suite": "BOGUS"}),
        ("STARTTLS, random file", {**secure, "tls_random_file": "/nosuch"}),
        ("STARTTLS and EXTERNAL", {"start_tls": "yes", "bind": "sasl", "sasl_mechs": "EXTERNAL", "tls_cert": tls.client_cert,
                                   "tls_key": tls.client_key}),
        ("STARTTLS, no key", {**secure, "tls_cert": tls.client_cert}), ("STARTTLS on a closed port", {**secure, "server_host": closed}),
        ("STARTTLS on ldaps", {"start_tls": "yes", "server_host": slapd.tls_uri}),
        ("ldaps", {**secure, "start_tls": "no", "server_host": slapd.tls_uri, "tls_ca_cert_file": tls.ca}),
        ("ldaps, another CA", {**secure, "start_tls": "no", "server_host": slapd.tls_uri, "tls_ca_cert_file": tls.other_ca}),
        ("ldaps with version 2", {"version": "2", "server_host": slapd.tls_uri}),
        ("certificates without TLS", {"tls_ca_cert_file": "/nosuch"}),
        ("cache of old", {"cache": "yes", "cache_expiry": "3", "cache_size": "5"}),
    ]
    cases = [(case[0], settings(**case[1]), list(case[2:]) or ["joe"]) for case in one]
    cases += [
        ("hostile keys", settings(), ["*", "a*", "joe)(cn=*", "\\2a", "(", "%s", "JOE"] + special_keys),
        ("keys as names", settings(search_base="cn=%u," + SUFFIX, scope="base", query_filter="objectClass=*"),
         ["joe", "two1@x", "@x", "a=b+c\"<>;#\\", " joe", "joe ", "jörg", ","] + special_keys),
        ("labels of a domain", settings(search_base="ou=%1," + SUFFIX), ["u@example.com", "u@example.org", "u", "u@a,b"]),
        ("an empty key", settings(), ["joe", "", "multi"]),
    ]
    cases += [("URL " + key, settings(**SPECIAL), [key]) for key in url_keys]
    for attribute in ("description", "description;lang-de", "Description;LANG-de;lang-en", "description, description;lang-de"):
        cases += [("options %s of %s" % (attribute, key), settings(result_attribute=attribute, special_result_attribute="memberurl"), [key])
                  for key in ("lang", "urllang", "urlnolang")]
    return cases


def check_fixed(checks, asked, cases):
    answers = [(name, asked.both(settings, *keys), settings) for name, settings, keys in cases]
    for name, (ours, stock), settings in answers:
        got, wanted = normal(ours.result(), False), normal(stock.result(), False)
        checks.check("as stock: " + name, got == wanted, lambda g=got, w=wanted, s=settings: "%s\ngot %s\nwanted %s" % (s, g, w))


def random_settings(generator, settings):
    def lists():
        names = ["maildrop", "mail", "memberaddr", "memberdn", "memberurl", "cn", "description", "MAIL"]
        return ", ".join(generator.sample(names, generator.randrange(0, 3)))
    rarely = {
        "search_base": ["cn=%s," + SUFFIX, "ou=%1," + SUFFIX, "ou=people," + SUFFIX, "ou=%d," + SUFFIX],
        "query_filter": ["(|(mail=%s)(cn=%u))", "(&(cn=%u)(mail=*@%d))", "cn=%u", "(cn=%s*)", "(mailacceptinggeneralid=%U@%2.%1)",
                         "(maildrop=*%s)", "(!(cn=%s))", "(cn=%%%s"],
        "leaf_result_attribute": [lists(), "mail"], "terminal_result_attribute": [lists(), "maildrop"],
        "result_format": ["%u", "<%s>", "%d", "%S:%s", "%U %s", "%1-%u", "%%", "%s%"], "scope": ["sub", "one", "base"],
        "expansion_limit": ["0", "2", "5"], "size_limit": ["1", "3"], "recursion_limit": ["1", "2", "3"],
        "domain": ["example.com, x"], "dereference": ["3"], "bind": ["yes"],
    }
    chosen = {"result_attribute": generator.choice(["maildrop", "maildrop, memberaddr", "maildrop mail", lists()]),
              "special_result_attribute": generator.choice(["memberdn", "memberdn, memberurl", "memberurl, memberdn", lists()])}
    chosen.update({name: generator.choice(values) for name, values in rarely.items() if generator.random() < 0.1})
    return settings(**chosen)


def random_key(generator, keys):
    key = generator.choice(keys)
    for _ in range(generator.choice([0, 0, 0, 0, 1, 2])):
        at = generator.randrange(len(key) + 1)
        key = key[:at] + generator.choice("*()\\@.,= +#ajö") + key[at:]
    return key


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
    checks.check("%d random lookups are as stock's" % len(answers), not different, lambda: "%d differ\n%s" % (len(different), different[0]))
    checks.check("among them are found and not found", seen.get((0, True), 0) > 40 and seen.get((1, False), 0) > 40, seen)


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
                checks.equal("cut after %d bytes: all is answered" % limit, (done.status, done.out), (0, answers_of(keys)))
                checks.equal("cut after %d bytes: by a second connection" % limit, relay.connections, 2)
    with Relay(slapd.port) as relay:
        done = ask_in_halves(asked.desk, settings(server_host="ldap://127.0.0.1:%d" % relay.port), many(0, 200), relay.cut)
        checks.equal("closed while idle: all is answered", (done.status, done.out, done.err), (0, answers_of(many(0, 200)), ""))
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
        ("in a SASL bind", silent(slapd.port, 30, bind="sasl", sasl_mechs="DIGEST-MD5", bind_dn="sue", bind_pw="pw-of-sue")),
        ("before STARTTLS", silent(slapd.port, 0, start_tls="yes")), ("in the handshake of STARTTLS", silent(slapd.port, 200, start_tls="yes")),
        ("before the handshake of ldaps", silent(slapd.tls_port, 0, scheme="ldaps")),
        ("in the handshake of ldaps", silent(slapd.tls_port, 200, scheme="ldaps", bind="yes")),
    ]
    for name, future in waiting:
        done, seconds = future.result()
        checks.check("silent %s: an error in time" % name, done.status == 1 and "query error" in done.err and
                     "no answer within %d s" % TIMEOUT in done.err and seconds < 4 * TIMEOUT + 2, "%.1f s, %s" % (seconds, done))
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
        r"warning: ldap:\S+/halves\.cf: server %s: search for \S+ in \"%s\": Can't contact" % (slapd.uri, SUFFIX), done.err), done)
    slapd.server.start()
    slapd.server.freeze()
    frozen = [asked.ours(settings(timeout=TIMEOUT, **more), "joe") for more in
              ({}, {"bind": "yes"}, {"start_tls": "yes"}, {"server_host": slapd.tls_uri}, {"server_host": slapd.local_uri})]
    checks.check("frozen: errors in time", all(f.result().status == 1 and "no answer within" in f.result().err for f in frozen),
                 lambda: [str(f.result()) for f in frozen])
    slapd.server.thaw()
    checks.equal("thawed: answers", asked.ours(settings(), "joe").result().out, "joe@one.example\n")


def check_secrets(checks, asked, slapd, settings):
    secret = "Tr0ub4dor"
    texts = [settings(bind="yes", bind_dn=ADMIN, bind_pw=secret, debuglevel="-1"),
             settings(bind="sasl", sasl_mechs="DIGEST-MD5", bind_dn="sue", bind_pw=secret, debuglevel="-1"),
             settings(bind="yes", bind_dn=ADMIN, bind_pw=secret, start_tls="yes", tls_ca_cert_file="/nosuch"),
             settings(bind="yes", bind_dn=ADMIN, bind_pw=secret, server_host="ldap://127.0.0.1:1")]
    done = [asked.ours(text, "joe", flags=("-v", "-v")).result() for text in texts]
    checks.check("no message has the password", all(d.status == 1 and secret not in d.out + d.err for d in done), lambda: list(map(str, done)))
    checks.check("debuglevel shows what the library does", "dict_ldap_debug: ldap_create" in done[0].err, done[0])
    table = asked.desk.table("ldap", "readable.cf", settings(bind="yes", bind_dn=ADMIN, bind_pw=PASSWORD), mode=0o644)
    done = asked.desk.ours(table, "joe")
    checks.check("a password that everyone can read is warned of", done.out == "joe@one.example\n" and
                 "everyone can read the bind_pw" in done.err and PASSWORD not in done.err, done)


def check_beyond_stock(checks, asked, slapd, settings):
    """What stock Postfix 3.7 does otherwise, and what has a form of its own."""
    done = asked.ours(settings(bind="sasl", sasl_mechs="DIGEST-MD5", bind_dn="sue", bind_pw="pw-of-sue", sasl_minssf="999"), "joe").result()
    checks.check("sasl_minssf is not passed over", done.status == 1 and "(Unknown authentication method)" in done.err, done)
    desk = Desk(asked.desk.postmap.parent, asked.desk.directory / "main", main_cf="people_server_host = %s\npeople_search_base = %s\n"
                "people_result_attribute = mail\n" % (slapd.uri, SUFFIX))
    answers = [ask("ldap:people", "joe") for ask in ((desk.ours, desk.stock) if desk.stock_postmap else (desk.ours,))]
    checks.check("settings in main.cf", all((a.status, a.out, a.err) == (0, "joe@mail.example\n", "") for a in answers), lambda: list(map(str, answers)))
    done = asked.ours(settings(cache_size="10", cache_ttl="60"), "joe", "joe").result()
    checks.equal("a cache can be had", (done.status, done.out, done.err), (0, "joe\tjoe@one.example\n" * 2, ""))
    done = asked.ours(settings(**{**SPECIAL, "recursion_limit": "100000"}), "loop").result()
    checks.check("a loop of any length ends", done.status == 1 and "get_values[100000]: " in done.err, done)
    tls = {"start_tls": "yes", "tls_require_cert": "yes", "tls_ca_cert_file": slapd.certificates.other_ca}
    done = asked.ours(settings(**tls), "joe").result()
    checks.check("a certificate that is not trusted is called so", "certificate is not trusted" in done.err, done)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    arguments = parser.parse_args()
    checks = Checks()
    entries, special_keys, url_keys = directory_entries()
    work = pathlib.Path(tempfile.mkdtemp(prefix="ldap-test-"))
    work.chmod(0o755)
    try:
        asked = Together(Desk(arguments.bin, work))
        with Slapd(entries) as slapd, Slapd(entries, certificates=False) as spare:
            settings = Settings(slapd)
            if asked.desk.stock_postmap:
                check_fixed(checks, asked, fixed_cases(slapd, special_keys, url_keys))
                keys = special_keys + url_keys + ["joe", "joe@example.com", "multi", "two", "grp", "grp2", "host", "loop", "gone",
                                                  "lang", "blob", "u@example.com", "absent", "x@y", "k7"]
                check_random(checks, asked, settings, keys)
            else:
                checks.skip("comparison with stock", "no %s" % "/usr/sbin/postmap")
            check_one_connection(checks, asked, slapd, settings)
            check_cuts(checks, asked, slapd, settings)
            check_silence(checks, asked, slapd, settings)
            check_secrets(checks, asked, slapd, settings)
            check_beyond_stock(checks, asked, slapd, settings)
            check_server_failures(checks, asked, slapd, spare, settings)
    except NoServer as reason:
        checks.skip("ldap tables", str(reason))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
