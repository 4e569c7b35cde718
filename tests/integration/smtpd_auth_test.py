#!/usr/bin/env python3
"""AUTH of our SMTP server: sessions by hand beside the distribution's Postfix, with the same sasldb2, saslauthd and Dovecot
behind both, and replies, log and what is in the queue compared; and Python's smtplib as a client, as any user.

usage: smtpd_auth_test.py --bin DIR
"""
import base64
import contextlib
import os
import shutil
import smtplib
import sys
import time

from beside_stock import (Case, Site, client_context, close, compare, mail, read_reply, rest, send, start_tls)
from policy_server import PolicyServer
from sasl_backends import PASSWORD, TinyImap, dovecot, make_sasldb, saslauthd
from server import NoServer, run_server_test
from smtpd_tls_test import make_certificates

EHLO, HELO, QUIT = b"EHLO client.example\r\n", b"HELO x\r\n", b"QUIT\r\n"
POLICY_ATTRIBUTES = ("sasl_method", "sasl_username", "sasl_sender", "protocol_state")
SMTPD_CONF = """pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {database}
mech_list: PLAIN LOGIN CRAM-MD5
"""
SASLAUTHD_CONF = """pwcheck_method: saslauthd
saslauthd_path: {socket}
mech_list: PLAIN LOGIN
"""


def encode(text):
    return base64.b64encode(text.encode())


def plain(name, password, mechanism=b"PLAIN"):
    return b"AUTH " + mechanism + b" " + encode("\0%s\0%s" % (name, password)) + b"\r\n"


def login(name, password):
    return [b"AUTH LOGIN\r\n", encode(name) + b"\r\n", encode(password) + b"\r\n"]


GOOD, BAD = plain("joe", PASSWORD), plain("joe", "wrong")


def services(certificates, backends, policy_port):
    tls = {"smtpd_tls_chain_files": certificates.path("mail.chain"), "smtpd_tls_security_level": "may",
           "smtpd_tls_received_header": "yes"}
    auth = {"smtpd_sasl_auth_enable": "yes"}
    xclient = {"smtpd_authorized_xclient_hosts": "127.0.0.1"}
    owners = "inline:{ {ann@example.org = joe}, {eve@example.org = eve} }"
    return {
        "off": {},
        "auth": auth,
        "saslauthd": dict(auth, smtpd_sasl_path="saslauthd"),
        "dovecot": dict(auth, smtpd_sasl_type="dovecot", smtpd_sasl_path=backends / "dovecot.socket",
                        smtpd_sasl_mechanism_filter="plain, login"),
        "tls": dict(auth, **tls, smtpd_sasl_authenticated_header="yes"),
        "tls-only": dict(auth, **tls, smtpd_tls_auth_only="yes"),
        "tls-only-without": dict(auth, smtpd_tls_auth_only="yes"),
        "encrypt": dict(auth, **dict(tls, smtpd_tls_security_level="encrypt")),
        "wrapper": dict(auth, **tls, smtpd_tls_wrappermode="yes", smtpd_tls_auth_only="yes"),
        "options": dict(auth, **tls, smtpd_sasl_security_options="noplaintext, noanonymous",
                        smtpd_sasl_tls_security_options="noanonymous"),
        "not-for-all": dict(auth, smtpd_sasl_exceptions_networks="192.0.2.1, 127.0.0.0/8"),
        "cannot-tell": dict(auth, smtpd_sasl_exceptions_networks="fail:x"),
        "broken-clients": dict(auth, broken_sasl_auth_clients="yes"),
        "header": dict(auth, **xclient, smtpd_sasl_authenticated_header="yes"),
        "helo": dict(auth, smtpd_helo_required="yes"),
        "xclient": dict(auth, **xclient),
        "xclient-without": xclient,
        "errors": dict(auth, smtpd_hard_error_limit="2"),
        "short-lines": dict(auth, line_length_limit="512"),
        "bare-newlines": dict(auth, smtpd_forbid_bare_newline="reject"),
        "policy": dict(auth, smtpd_sender_restrictions="check_policy_service inet:127.0.0.1:%d" % policy_port),
        "mismatch": dict(auth, smtpd_sender_login_maps=owners, smtpd_sender_restrictions="reject_sender_login_mismatch"),
        "authenticated-mismatch": dict(auth, smtpd_sender_login_maps=owners,
                                       smtpd_sender_restrictions="reject_authenticated_sender_login_mismatch"),
        "known-mismatch": dict(auth, smtpd_sender_login_maps=owners,
                               smtpd_sender_restrictions="reject_known_sender_login_mismatch"),
        "table": dict(auth, smtpd_recipient_restrictions="check_sasl_access inline:{ {joe = REJECT no mail of yours} }"),
        "clients": dict(auth, smtpd_client_restrictions="permit_sasl_authenticated, reject"),
    }


def exchange_cases():
    return [
        Case("AUTH off", "off", [EHLO, GOOD, *mail(parameters=b" AUTH=eve@x"), QUIT]),
        Case("AUTH before EHLO", "auth", [GOOD, HELO, GOOD, *mail(), QUIT]),
        Case("AUTH after HELO", "auth", [EHLO, HELO, GOOD, *mail(), QUIT]),
        Case("AUTH where HELO is required", "helo", [GOOD, b"AUTH\r\n", EHLO, GOOD, QUIT]),
        Case("AUTH twice", "auth", [EHLO, GOOD, GOOD, b"AUTH\r\n", EHLO, b"RSET\r\n", GOOD, *mail(), HELO, *mail(), QUIT]),
        Case("AUTH within a transaction", "auth", [EHLO, b"MAIL FROM:<a@b>\r\n", GOOD, b"RSET\r\n", GOOD, QUIT]),
        Case("a mechanism in small letters", "auth", [EHLO, plain("joe", PASSWORD, b"plain"), *mail(), QUIT]),
        Case("LOGIN", "auth", [EHLO, *login("joe", PASSWORD), *mail(recipient=b"x@elsewhere.example"), QUIT]),
        Case("syntax", "auth", [EHLO, b"AUTH\r\n", b"AUTH PLAIN a b\r\n", QUIT]),
        Case("failures", "auth", [EHLO, BAD, plain("nobody", "x"), plain("nobody", "x", b"plain"), *login("joe", "wrong"),
                                  b"AUTH FOO\r\n", *mail(recipient=b"x@elsewhere.example")[:2], QUIT]),
        Case("a client that gives up", "auth", [EHLO, b"AUTH PLAIN\r\n", b"*\r\n", b"AUTH login\r\n", encode("joe") + b"\r\n",
                                                b"*\r\n", GOOD, QUIT]),
        Case("a response that is too long", "auth", [EHLO, b"AUTH LOGIN\r\n", b"QUFB" * 3300 + b"\r\n", GOOD, QUIT]),
        Case("responses longer than commands", "short-lines",
             [EHLO, b"NOOP " + b"xy" * 300 + b"\r\n", *login("joe" * 200, PASSWORD), GOOD, QUIT]),
        Case("a client that leaves", "auth", [EHLO, b"AUTH LOGIN\r\n", close]),
        Case("a client that leaves in DATA", "auth", [EHLO, *mail()[:3], send(b"x\r\n"), close]),
        Case("responses at once", "auth", [EHLO, b"AUTH LOGIN\r\n",
                                           send(encode("joe") + b"\r\n" + encode(PASSWORD) + b"\r\nRSET\r\n"), read_reply,
                                           read_reply, read_reply, QUIT]),
        Case("many failures", "errors", [EHLO, BAD, BAD, GOOD, rest]),
        Case("saslauthd", "saslauthd", [EHLO, GOOD, *mail(), QUIT]),
        Case("saslauthd, failures", "saslauthd", [EHLO, BAD, *login("joe", "wrong"), QUIT]),
        Case("Dovecot", "dovecot", [EHLO, GOOD, *mail(), QUIT]),
        Case("Dovecot, LOGIN", "dovecot", [EHLO, *login("joe", PASSWORD), *mail(), QUIT]),
        Case("Dovecot, failures", "dovecot", [EHLO, BAD, *login("joe", "wrong"), b"AUTH PLAIN\r\n", b"*\r\n", QUIT]),
        Case("clients without and with a login", "clients", [EHLO, *mail()[:2], b"RSET\r\n", GOOD, *mail(), QUIT]),
    ]


def session_cases():
    outside = mail(recipient=b"x@elsewhere.example")
    sender = [b"RSET\r\n", *mail()[:2]]
    other = [b"RSET\r\n", *mail(sender=b"eve@example.org")[:2], b"RSET\r\n", *mail(sender=b"free@example.org")[:2]]
    return [
        Case("AUTH= of MAIL", "auth", [EHLO, *mail(parameters=b" AUTH=eve@x"), *mail(parameters=b" AUTH=<>"), GOOD,
                                       *mail(parameters=b" AUTH=a+3Db@x"), *mail(parameters=b" AUTH=+zz"),
                                       *mail(parameters=b" AUTH=\xc3\xa4"), *mail(parameters=b" AUTH="), *mail(), QUIT]),
        Case("UTF-8", "auth", [EHLO, b"MAIL FROM:<\xc3\xa4@b.example> SMTPUTF8\r\n", *mail()[1:], GOOD,
                               b"MAIL FROM:<\xc3\xa4@b.example> SMTPUTF8\r\n", *mail()[1:], QUIT]),
        Case("a login ends with STARTTLS", "tls", [EHLO, GOOD, *outside, *start_tls(), EHLO, *outside[:2], b"RSET\r\n", GOOD,
                                                   *outside, HELO, *mail(), QUIT]),
        Case("TLS and UTF-8", "tls", [EHLO, *start_tls(), EHLO, GOOD, b"MAIL FROM:<a@b.example> SMTPUTF8\r\n", *mail()[1:],
                                      QUIT]),
        Case("smtpd_tls_auth_only", "tls-only", [EHLO, GOOD, b"AUTH\r\n", *start_tls(), GOOD, EHLO, GOOD, *mail(), QUIT]),
        Case("smtpd_tls_auth_only without TLS", "tls-only-without", [EHLO, GOOD, *mail(), QUIT]),
        Case("TLS is mandatory", "encrypt", [EHLO, GOOD, *start_tls(), EHLO, GOOD, *mail(), QUIT]),
        Case("options for TLS", "options", [EHLO, GOOD, *start_tls(), EHLO, GOOD, QUIT]),
        Case("clients that are not told", "not-for-all", [EHLO, GOOD, *mail(), QUIT]),
        Case("a table that cannot tell", "cannot-tell", [EHLO, rest]),
        Case("broken clients", "broken-clients", [EHLO, GOOD, EHLO, QUIT]),
        Case("names in a header", "header",
             [line for name in (b"joe", b"a+28b+22c+5Cd", b"+29+28+29", b"\xc3\xa4@x", b"a+01b", b"x+20y")
              for line in [b"XCLIENT LOGIN=" + name + b"\r\n", EHLO, *mail()]] + [QUIT]),
        Case("XCLIENT", "xclient", [EHLO, b"XCLIENT LOGIN=joe\r\n", EHLO, GOOD, *outside, b"XCLIENT LOGIN=[UNAVAILABLE]\r\n",
                                    EHLO, *outside[:2], b"RSET\r\n", GOOD, b"XCLIENT NAME=a.b ADDR=192.0.2.9\r\n", EHLO,
                                    GOOD, *mail()[:2], b"RSET\r\n", b"XCLIENT LOGIN=eve\r\n", QUIT]),
        Case("XCLIENT forgets a login of XCLIENT", "xclient", [b"XCLIENT LOGIN=joe\r\n", b"XCLIENT NAME=a.b\r\n", EHLO,
                                                               *mail(), QUIT]),
        Case("XCLIENT where AUTH is off", "xclient-without", [EHLO, b"XCLIENT LOGIN=joe PROTO=SMTP\r\n", *mail(), EHLO, GOOD,
                                                              *outside, QUIT]),
        Case("a policy server", "policy", [EHLO, *mail()[:2], b"RSET\r\n", GOOD, *mail(parameters=b" AUTH=a+2Bb@x")[:2],
                                           QUIT]),
        Case("reject_sender_login_mismatch", "mismatch", [EHLO, *sender, *other, GOOD, *sender, *other, QUIT]),
        Case("reject_authenticated_sender_login_mismatch", "authenticated-mismatch",
             [EHLO, *sender, *other, b"RSET\r\n", GOOD, *sender, *other, QUIT]),
        Case("reject_known_sender_login_mismatch", "known-mismatch",
             [EHLO, *sender, *other, b"RSET\r\n", GOOD, *sender, *other, QUIT]),
        Case("check_sasl_access", "table", [EHLO, *mail()[:2], b"RSET\r\n", GOOD, *mail()[:2], QUIT]),
    ]


def check_beside_stock(checks, site, bin_directory, policy):
    stock = site.stock()
    # Debian's smtpd looks for the files of Cyrus SASL in its configuration directory.
    (stock.config / "sasl").symlink_to(site.main_cf["cyrus_sasl_config_path"])
    with stock as theirs, site.ours(bin_directory, theirs.postcat) as ours:
        for case in exchange_cases() + session_cases():
            accounts, asked = [], []
            for server in (ours, theirs):
                accounts.append(server.account(case))
                asked.append([[request[name] for name in POLICY_ATTRIBUTES] for request in policy.take()])
            compare(checks, case, *accounts)
            if case.service == "policy":
                checks.equal("%s: what it is asked" % case.name, asked[0], asked[1])


def check_clients(checks, ports):
    """What needs no other server to judge."""
    for service in ("auth", "saslauthd", "dovecot"):
        with smtplib.SMTP("127.0.0.1", ports[service], "client.example", timeout=20) as client:
            checks.equal("smtplib: login, %s" % service, client.login("joe", PASSWORD),
                         (235, b"2.7.0 Authentication successful"))
            checks.equal("and relay, %s" % service, client.sendmail("a@example.org", ["x@elsewhere.example"], "hello"), {})
    with smtplib.SMTP_SSL("127.0.0.1", ports["wrapper"], "client.example", timeout=20, context=client_context()) as client:
        checks.equal("smtplib: login in wrapper mode", client.login("joe", PASSWORD)[0], 235)
    with smtplib.SMTP("127.0.0.1", ports["tls-only"], "client.example", timeout=20) as client:
        client.ehlo()
        checks.check("no AUTH without TLS", not client.has_extn("auth"))
        client.starttls(context=client_context())
        checks.equal("smtplib: login after STARTTLS", client.login("joe", PASSWORD)[0], 235)
    with smtplib.SMTP("127.0.0.1", ports["no-dovecot"], "client.example", timeout=20) as client:
        checks.equal("a Dovecot that is not there", client.ehlo(),
                     (421, b"4.3.0 mail.example.org Server local data error"))
    with smtplib.SMTP("127.0.0.1", ports["bare-newlines"], "client.example", timeout=20) as client:
        client.ehlo()
        client.docmd("AUTH", "LOGIN")
        client.send(encode("joe") + b"\n")
        checks.equal("a bare newline", client.getreply(), (550, b"5.5.2 mail.example.org Error: bare <LF> received"))


def check_delay(checks, port):
    """Failures slow a client down, over its sessions; a success, or another minute, ends that."""
    def failure():
        with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=20) as client:
            client.ehlo()
            start = time.monotonic()
            code, _ = client.docmd("AUTH", "PLAIN " + encode("\0joe\0wrong").decode())
            return code, round(time.monotonic() - start)
    checks.equal("failures are slowed down", [failure(), failure(), failure()], [(535, 0), (535, 1), (535, 2)])
    with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=20) as client:
        client.login("joe", PASSWORD)
    checks.equal("a success forgives", failure(), (535, 0))


def make_backends(directory, stack):
    """Returns the directory of Cyrus SASL's files."""
    database = directory / "sasldb2"
    make_sasldb(database, [("joe", "mail.example.org", PASSWORD)])
    server, _ = dovecot(directory / "dovecot", directory / "dovecot.socket")
    stack.enter_context(server)
    imap = stack.enter_context(TinyImap())
    stack.enter_context(saslauthd(directory / "saslauthd", imap.port))
    files = directory / "sasl"
    files.mkdir()
    (files / "smtpd.conf").write_text(SMTPD_CONF.format(database=database))
    (files / "saslauthd.conf").write_text(SASLAUTHD_CONF.format(socket=directory / "saslauthd" / "mux"))
    if os.geteuid() == 0:
        for path in (directory, database):
            shutil.chown(path, "postfix")  # Cyrus SASL opens it to write.
    return files


def run_checks(checks, bin_directory, directory):
    certificates = make_certificates(directory / "certificates")
    backends = directory / "backends"
    for name in ("backends", "alone", "beside"):
        (directory / name).mkdir()
        (directory / name).chmod(0o755)
    with contextlib.ExitStack() as stack:
        policy = stack.enter_context(PolicyServer())
        files = make_backends(backends, stack)
        both = services(certificates, backends, policy.port)
        main_cf = {"cyrus_sasl_config_path": files}
        slow = {"slow": {"smtpd_sasl_auth_enable": "yes", "smtpd_error_sleep_time": "1"},
                "no-dovecot": {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": backends / "x"}}
        with Site(directory / "alone", dict(both, **slow), main_cf).ours(bin_directory) as ours:
            check_clients(checks, ours.ports)
            check_delay(checks, ours.ports["slow"])
        try:
            check_beside_stock(checks, Site(directory / "beside", both, main_cf), bin_directory, policy)
        except NoServer as reason:
            checks.skip("the distribution's Postfix", str(reason))


if __name__ == "__main__":
    sys.exit(run_server_test("AUTH in the SMTP server", run_checks))
