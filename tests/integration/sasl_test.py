#!/usr/bin/env python3
"""AUTH with a real Dovecot, sasldb2 and saslauthd: what it says, and whether the distribution's smtpd says the same with
the same servers behind it."""
import base64
import hashlib
import hmac
import re
import sys

from sasl_backends import PASSWORD, Program, TinyImap, dovecot, make_sasldb, saslauthd
from server import NoServer, run_server_test
from stock_postfix import Conversation, StockPostfix

OK = "235 2.7.0 Authentication successful"
FAILED = "535 5.7.8 Error: authentication failed: "
TEMPORARY = "454 4.7.0 Temporary authentication failure: "
ABORTED = "501 5.7.0 Authentication aborted"
TOO_LONG = "500 5.5.6 SASL response limit exceeded"
NO_MECHANISM = FAILED + "Invalid authentication mechanism"
HOST = "mail.example.org"


def encode(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def plain(name, password, authorize=""):
    return encode("%s\0%s\0%s" % (authorize, name, password))


def cram_md5(name, password):
    """Responds to the challenge (RFC 2195)."""
    return lambda challenge: encode("%s %s" % (name, hmac.new(password.encode(), challenge, "md5").hexdigest()))


def digest_md5(name, password, realm):
    """Responds to the challenge (RFC 2831)."""
    def respond(challenge):
        nonce = re.search(rb'nonce="([^"]*)"', challenge).group(1).decode()
        secret = hashlib.md5(("%s:%s:%s" % (name, realm, password)).encode()).digest()
        first = hashlib.md5(secret + (":%s:cn" % nonce).encode()).hexdigest()
        second = hashlib.md5(("AUTHENTICATE:smtp/" + HOST).encode()).hexdigest()
        proof = hashlib.md5(("%s:%s:00000001:cn:auth:%s" % (first, nonce, second)).encode()).hexdigest()
        return encode('username="%s",realm="%s",nonce="%s",cnonce="cn",nc=00000001,qop=auth,digest-uri="smtp/%s",'
                      'response=%s' % (name, realm, nonce, HOST, proof))
    return [respond, lambda challenge: ""]


class Scram:
    """Responds to the challenges (RFC 5802), and checks that the server knows the password, too."""

    def __init__(self, name, password, digest):
        self.password, self.digest = password.encode(), digest
        self.first = "n=%s,r=clientnonce" % name
        self.signature = None

    def initial(self):
        return encode("n,," + self.first)

    def proof(self, challenge):
        message = challenge.decode()
        fields = dict(field.split("=", 1) for field in message.split(","))
        salted = hashlib.pbkdf2_hmac(self.digest, self.password, base64.b64decode(fields["s"]), int(fields["i"]))
        key = hmac.new(salted, b"Client Key", self.digest).digest()
        stored = hashlib.new(self.digest, key).digest()
        last = "c=biws,r=" + fields["r"]
        signed = ("%s,%s,%s" % (self.first, message, last)).encode()
        mask = hmac.new(stored, signed, self.digest).digest()
        server = hmac.new(salted, b"Server Key", self.digest).digest()
        self.signature = hmac.new(server, signed, self.digest).digest()
        return encode("%s,p=%s" % (last, encode(bytes(a ^ b for a, b in zip(key, mask)))))

    def verify(self, challenge):
        return "" if challenge == b"v=" + encode(self.signature).encode() else "*"


def scram(mechanism, name, password):
    """The lines of a client."""
    client = Scram(name, password, "sha256" if mechanism.endswith("256") else "sha1")
    return ["AUTH %s %s" % (mechanism, client.initial()), client.proof, client.verify]


def converse(ask, lines):
    """The replies to lines; a line may be a function of the challenge before it. Ends with the first reply that is no
    challenge."""
    replies, challenge = [], b""
    for line in lines:
        replies.append(ask(line(challenge) if callable(line) else line))
        if not replies[-1].startswith("334 "):
            break
        challenge = base64.b64decode(replies[-1][4:])
    return replies


def ask_stock(port):
    """Asks the distribution's smtpd: a function of one exchange."""
    def exchange(lines):
        with Conversation(port) as conversation:
            conversation.reply()
            conversation.ask(b"EHLO client\r\n")
            return converse(lambda line: conversation.ask(line.encode() + b"\r\n").decode().rstrip("\r\n"), lines)
    return exchange


def offered_by_stock(port):
    with Conversation(port) as conversation:
        conversation.reply()
        reply = conversation.ask(b"EHLO client\r\n").decode()
    return [line for line in reply.split("\r\n") if line.startswith("250-AUTH")] + [""]


# What each client sends, and what it is told at last. `same` is what is alike in the distribution's smtpd: all
# replies, the codes (its words for the same thing depend on the implementation), or nothing.
COMMON = [
    # name, lines, last reply, user name, same
    ("PLAIN", ["AUTH PLAIN " + plain("joe", PASSWORD)], OK, "joe", "all"),
    ("PLAIN in small letters", ["AUTH plain " + plain("joe", PASSWORD)], OK, "joe", "all"),
    ("PLAIN without initial response", ["AUTH PLAIN", plain("joe", PASSWORD)], OK, "joe", "all"),
    ("PLAIN for itself", ["AUTH PLAIN " + plain("joe", PASSWORD, "joe")], OK, "joe", "all"),
    ("PLAIN for another", ["AUTH PLAIN " + plain("joe", PASSWORD, "ann")], FAILED, None, "all"),
    ("PLAIN with a wrong password", ["AUTH PLAIN " + plain("joe", "wrong")], FAILED, None, "all"),
    ("PLAIN of nobody", ["AUTH PLAIN " + plain("nobody", "wrong")], FAILED, None, "all"),
    ("PLAIN that is none", ["AUTH PLAIN " + encode("joe")], FAILED, None, "all"),
    ("PLAIN with nothing", ["AUTH PLAIN ="], FAILED, None, "codes"),
    ("PLAIN with nothing later", ["AUTH PLAIN", ""], FAILED, None, "codes"),
    ("PLAIN without base64", ["AUTH PLAIN !!!"], FAILED + "Invalid base64 data in initial response", None, "codes"),
    ("PLAIN with half of base64", ["AUTH PLAIN AHV"], FAILED + "Invalid base64 data in initial response", None,
     "codes"),
    ("PLAIN aborted", ["AUTH PLAIN", "*"], ABORTED, None, "all"),
    ("LOGIN", ["AUTH LOGIN", encode("joe"), encode(PASSWORD)], OK, "joe", "all"),
    ("LOGIN with initial response", ["AUTH LOGIN " + encode("joe"), encode(PASSWORD)], OK, "joe", "all"),
    ("LOGIN with a wrong password", ["AUTH LOGIN", encode("joe"), encode("wrong")], FAILED, None, "all"),
    ("LOGIN without base64", ["AUTH LOGIN", "!!"], FAILED + "Invalid base64 data in continued response", None, "codes"),
    ("LOGIN aborted", ["AUTH LOGIN", encode("joe"), "*"], ABORTED, None, "all"),
    ("a response at the limit", ["AUTH LOGIN", "A" * 12288], TOO_LONG, None, "all"),
    ("no mechanism", ["AUTH"], "501 5.5.4 Syntax: AUTH mechanism", None, "all"),
    ("more than AUTH has", ["AUTH PLAIN a b"], "501 5.5.4 Syntax: AUTH mechanism", None, "all"),
    ("an unknown mechanism", ["AUTH FOO"], FAILED, None, "all"),
    ("a mechanism with a bad name", ["AUTH PL(AIN"], NO_MECHANISM, None, "codes"),
    # Filtered, and so not offered; Postfix takes it all the same, and asks the implementation.
    ("a mechanism that is filtered", ["AUTH EXTERNAL ="], NO_MECHANISM, None, "codes"),
]

CHALLENGED = [
    ("CRAM-MD5", ["AUTH CRAM-MD5", cram_md5("joe", PASSWORD)], OK, "joe", "codes"),
    ("CRAM-MD5 with a wrong password", ["AUTH CRAM-MD5", cram_md5("joe", "wrong")], FAILED, None, "codes"),
    ("CRAM-MD5 aborted", ["AUTH CRAM-MD5", "*"], ABORTED, None, "codes"),
]


def scram_cases(mechanism, name):
    return [
        (mechanism, lambda: scram(mechanism, name, PASSWORD), OK, name, "codes"),
        (mechanism + " with a wrong password", lambda: scram(mechanism, name, "wrong"), FAILED, None, "codes"),
    ]


def compare(checks, title, ours, stock, cases):
    """Holds the exchanges of `ours`, a Program, against what is expected, and against the distribution's smtpd."""
    for name, lines, last, user, same in cases:
        make = lines if callable(lines) else lambda lines=lines: lines
        replies = converse(ours.ask, make())
        found = ours.next() if replies[-1].startswith("235 ") else None
        label = "%s: %s" % (title, name)
        checks.check(label, replies[-1].startswith(last) and found == (user and "username " + user),
                     lambda replies=replies, found=found: "%s, %s" % (replies, found))
        if stock is None:
            continue
        theirs = stock(make())
        if same == "codes":
            replies, theirs = ([reply[:9 if reply[0] != "3" else 3] for reply in all_of]
                               for all_of in (replies, theirs))
        checks.equal(label + ", as Postfix", replies, theirs)


class Site:
    """The services that are tested: our configuration directories, and the ports of the distribution's smtpd."""

    def __init__(self, directory, services, confs):
        self.directory = directory
        self.services = services
        (directory / "sasl").mkdir()
        for name, text in confs.items():
            (directory / "sasl" / (name + ".conf")).write_text(text)
        for name, parameters in services.items():
            (directory / name).mkdir()
            values = {"compatibility_level": "3.6", "myhostname": HOST, "queue_directory": directory / "queue",
                      "cyrus_sasl_config_path": directory / "sasl", **parameters}
            (directory / name / "main.cf").write_text("".join("%s = %s\n" % item for item in values.items()))
            (directory / name / "master.cf").write_text("")

    def stock(self):
        """Not started yet. Debian's smtpd looks for the files of Cyrus SASL in its configuration directory."""
        postfix = StockPostfix({name: {"smtpd_sasl_auth_enable": "yes", **parameters}
                                for name, parameters in self.services.items()})
        (postfix.config / "sasl").symlink_to(self.directory / "sasl")
        return postfix


def test_exchanges(checks, site, program, postfix):
    """All services, each with ours and with the distribution's."""
    # Dovecot takes no notice of the response.
    cyrus_users = [("CRAM-MD5 with initial response", ["AUTH CRAM-MD5 " + encode("joe")], FAILED, None, "all"),
                   ("joe of another realm", ["AUTH PLAIN " + plain("joe@example.com", "other")], OK, "joe@example.com",
                    "all"),
                   ("DIGEST-MD5", ["AUTH DIGEST-MD5", *digest_md5("joe", PASSWORD, HOST)], OK, "joe", "codes"),
                   ("DIGEST-MD5 with a wrong password", ["AUTH DIGEST-MD5", *digest_md5("joe", "wrong", HOST)], FAILED,
                    None, "codes")]
    domain = [("PLAIN", ["AUTH PLAIN " + plain("joe", "other")], OK, "joe@example.com", "all"),
              ("LOGIN", ["AUTH LOGIN", encode("joe"), encode("other")], OK, "joe@example.com", "all"),
              ("PLAIN with a wrong password", ["AUTH PLAIN " + plain("joe", PASSWORD)], FAILED, None, "all")]
    refused = [("PLAIN", ["AUTH PLAIN " + plain("joe", PASSWORD)], FAILED, None, "all"),
               ("LOGIN", ["AUTH LOGIN"], FAILED, None, "all")]
    longest = ["AUTH LOGIN", "QUFB" * 3071, "*"]
    plans = {
        "dovecot": COMMON + CHALLENGED + [("a response below the limit", longest, ABORTED, None, "all")] +
                   scram_cases("SCRAM-SHA-256", "scram") + scram_cases("SCRAM-SHA-1", "joe"),
        # The library takes no user name of that length.
        "sasldb": COMMON + CHALLENGED + [("a response below the limit", longest, FAILED, None, "all")] + cyrus_users +
                  scram_cases("SCRAM-SHA-256", "joe") + scram_cases("SCRAM-SHA-1", "joe"),
        "saslauthd": COMMON,
        "domain": domain,
        "no-plaintext": refused + CHALLENGED,
        "dovecot-no-plaintext": refused + CHALLENGED,
        "no-saslauthd": [("PLAIN", ["AUTH PLAIN " + plain("joe", PASSWORD)], TEMPORARY + "generic failure", None,
                          "all")],
        "every-mechanism": COMMON[:1],
    }
    for service, cases in plans.items():
        with Program(program, site.directory / service, site.directory / "program.log") as ours:
            offered = ours.ask("MECHANISMS")
            checks.check("%s: has mechanisms" % service, offered.startswith("250-AUTH "), offered)
            if postfix is not None:
                checks.equal("%s: offers what Postfix offers" % service, offered,
                             offered_by_stock(postfix.port(service))[0])
            compare(checks, service, ours, ask_stock(postfix.port(service)) if postfix else None, cases)


def test_tls_options(checks, site, program):
    with Program(program, site.directory / "tls-only-plaintext", site.directory / "program.log") as ours:
        checks.equal("without TLS", ours.ask("MECHANISMS"), "250-AUTH CRAM-MD5")
    with Program(program, site.directory / "tls-only-plaintext", site.directory / "program.log", ["tls"]) as ours:
        checks.equal("with TLS", ours.ask("MECHANISMS"), "250-AUTH PLAIN LOGIN CRAM-MD5")
        checks.equal("PLAIN with TLS", converse(ours.ask, ["AUTH PLAIN " + plain("joe", PASSWORD)]), [OK])


def test_dovecot_restart(checks, site, program, server):
    """A session's second login must not depend on a Dovecot that lives as long."""
    login = ["AUTH PLAIN " + plain("joe", PASSWORD)]
    log = site.directory / "restart.log"
    with Program(program, site.directory / "dovecot", log) as ours:
        checks.equal("before a restart", (converse(ours.ask, login), ours.next()), ([OK], "username joe"))
        server.stop()
        checks.equal("without Dovecot", converse(ours.ask, login),
                     [TEMPORARY + "Can't connect to authentication server"])
        checks.equal("mechanisms without Dovecot", ours.ask("MECHANISMS")[:6], "error:")
        server.start()
        checks.equal("after a restart", (converse(ours.ask, login), ours.next()), ([OK], "username joe"))
        checks.equal("a step to begin with", ours.ask("AUTH LOGIN")[:4], "334 ")
        server.stop()
        server.start()
        checks.equal("a restart within an exchange", ours.ask(encode("joe"))[:3], "454")
    checks.check("the log says it", "SASL: Connect to Dovecot auth socket" in log.read_text(), log.read_text())


def test_places(checks, site, program):
    for service in ("dovecot-inet", "dovecot-unix", "dovecot-relative"):
        with Program(program, site.directory / service, site.directory / "program.log") as ours:
            checks.equal(service, converse(ours.ask, ["AUTH PLAIN " + plain("joe", PASSWORD)]), [OK])


def test_configuration(checks, site, program):
    """What is wrong with a configuration is said before anybody logs in."""
    wanted = {"bad-option": 'error: unknown SASL security options value "foo" in "foo"',
              "bad-type": "error: unsupported SASL server implementation: none",
              "bad-conf": "error: %s/sasl/bad.conf, line 2: expected \"option: value\"" % site.directory}
    for service, message in wanted.items():
        with Program(program, site.directory / service, site.directory / "program.log") as ours:
            checks.equal(service, ours.next(), message)


def check_all(checks, bin_directory, directory, imap):
    program = bin_directory / "sasl_program"
    if not program.exists():
        raise NoServer("sasl_program is built with the unit tests only")
    (directory / "queue" / "private").mkdir(parents=True)
    socket = directory / "queue" / "private" / "auth"
    server, port = dovecot(directory / "d", socket)
    authd_directory = directory / "authd"
    authd = saslauthd(authd_directory, imap.port)
    database = directory / "sasldb2"
    make_sasldb(database, [("joe", HOST, PASSWORD), ("joe", "example.com", "other")])
    auxprop = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: %s\n" % database
    confs = {
        "sasldb": auxprop + "mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256\n",
        "all": auxprop,
        "three": auxprop + "mech_list: PLAIN LOGIN CRAM-MD5\n",
        "saslauthd": "pwcheck_method: saslauthd\nmech_list: PLAIN LOGIN\nsaslauthd_path: %s/mux\n" % authd_directory,
        "no-saslauthd": "pwcheck_method: saslauthd\nmech_list: PLAIN LOGIN\nsaslauthd_path: /nonexistent/mux\n",
        "bad": "mech_list: PLAIN\nLOGIN\n",
    }
    by_dovecot = {"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": socket}

    def by_cyrus(conf, **more):
        return {"smtpd_sasl_type": "cyrus", "smtpd_sasl_path": conf, **more}

    no_plaintext = {"smtpd_sasl_security_options": "noanonymous, noplaintext"}
    compared = {
        "dovecot": by_dovecot,
        "dovecot-no-plaintext": {**by_dovecot, **no_plaintext},
        "sasldb": by_cyrus("sasldb"),
        "no-plaintext": by_cyrus("sasldb", **no_plaintext),
        "domain": by_cyrus("sasldb", smtpd_sasl_local_domain="example.com"),
        "every-mechanism": by_cyrus("all"),
        "saslauthd": by_cyrus("saslauthd"),
        "no-saslauthd": by_cyrus("no-saslauthd"),
    }
    ours_only = {
        "dovecot-inet": {**by_dovecot, "smtpd_sasl_path": "inet:127.0.0.1:%d" % port},
        "dovecot-unix": {**by_dovecot, "smtpd_sasl_path": "unix:%s" % socket},
        "dovecot-relative": {**by_dovecot, "smtpd_sasl_path": "private/auth"},
        "tls-only-plaintext": by_cyrus("three", smtpd_sasl_tls_security_options="noanonymous", **no_plaintext),
        "bad-option": {**by_dovecot, "smtpd_sasl_security_options": "foo"},
        "bad-type": {"smtpd_sasl_type": "none"},
        "bad-conf": by_cyrus("bad"),
    }
    site = Site(directory, {**compared, **ours_only}, confs)
    with server, authd:
        try:
            stock_site = Site.__new__(Site)
            stock_site.directory, stock_site.services = directory, compared
            with stock_site.stock() as postfix:
                test_exchanges(checks, site, program, postfix)
        except NoServer as reason:
            checks.skip("as Postfix", str(reason))
            test_exchanges(checks, site, program, None)
        test_tls_options(checks, site, program)
        test_places(checks, site, program)
        test_configuration(checks, site, program)
        test_dovecot_restart(checks, site, program, server)


def body(checks, bin_directory, directory):
    with TinyImap() as imap:
        check_all(checks, bin_directory, directory, imap)


if __name__ == "__main__":
    sys.exit(run_server_test("sasl", body))
