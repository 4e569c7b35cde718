#!/usr/bin/env python3
"""STARTTLS and TLS wrapper mode of our SMTP server: sessions by hand beside the distribution's Postfix, with replies, log,
and what is in the queue compared; and Python's smtplib as a client, as any user.

usage: smtpd_tls_test.py --bin DIR
"""
import re
import smtplib
import ssl
import sys

from beside_stock import (Case, Site, client_context, close, compare, handshake, mail, read_reply, rest, send, start_tls,
                          wait, wrapped)
from certificates import CertificateDirectory
from policy_server import PolicyServer
from server import NoServer, run_server_test

EHLO, QUIT, NOOP = b"EHLO client.example\r\n", b"QUIT\r\n", b"NOOP\r\n"
RELAY = [b"MAIL FROM:<ann@example.org>\r\n", b"RCPT TO:<x@elsewhere.example>\r\n"]
POLICY_ATTRIBUTES = ("ccert_subject", "ccert_issuer", "ccert_fingerprint", "ccert_pubkey_fingerprint", "encryption_protocol",
                     "encryption_cipher", "encryption_keysize", "protocol_state")


def make_certificates(directory):
    directory.mkdir()
    certificates = CertificateDirectory(directory)
    certificates.self_signed("ca", "/O=Example/CN=Test CA")
    certificates.self_signed("self", "/CN=self signed")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    certificates.issue("mail", "/CN=mail.example.org", key)
    certificates.issue("other", "/CN=other.example.org", key)
    certificates.issue("client", "/CN=client.example.org", key)
    for path in directory.iterdir():
        path.chmod(0o644)
    return certificates


def services(certificates, policy_port):
    base = {"smtpd_tls_chain_files": certificates.path("mail.chain"), "smtpd_tls_CAfile": certificates.path("ca.pem"),
            "smtpd_tls_loglevel": "1", "smtpd_tls_received_header": "yes", "smtpd_tls_fingerprint_digest": "sha256"}
    may = dict(base, smtpd_tls_security_level="may")
    encrypt = dict(base, smtpd_tls_security_level="encrypt")
    ask = dict(may, smtpd_tls_ask_ccert="yes")
    fingerprint = certificates.fingerprint("client")
    return {
        "none": base,
        "may": may,
        "use": dict(base, smtpd_use_tls="yes"),
        "enforce": dict(base, smtpd_enforce_tls="yes"),
        "encrypt": encrypt,
        "quiet": dict(may, smtpd_tls_loglevel="0", smtpd_tls_received_header="no"),
        "verbose": dict(ask, smtpd_tls_loglevel="2"),
        "names": dict(may, tls_server_sni_maps="inline:{ {other.example = %s} }" % certificates.path("other.chain")),
        "ask": dict(ask, smtpd_sender_restrictions="check_policy_service inet:127.0.0.1:%d" % policy_port),
        "require": dict(encrypt, smtpd_tls_req_ccert="yes"),
        "require-at-may": dict(may, smtpd_tls_req_ccert="yes"),
        "no-protocol": dict(may, smtpd_tls_protocols="!bogus"),
        "no-protocol-encrypt": dict(encrypt, smtpd_tls_mandatory_protocols="!bogus"),
        "wrapper": dict(base, smtpd_tls_wrappermode="yes"),
        "wrapper-encrypt": dict(encrypt, smtpd_tls_wrappermode="yes"),
        "wrapper-no-protocol": dict(base, smtpd_tls_wrappermode="yes", smtpd_tls_mandatory_protocols="!bogus"),
        "short": dict(may, smtpd_starttls_timeout="1s"),
        "helo": dict(may, smtpd_helo_required="yes"),
        "by-fingerprint": dict(ask, smtpd_relay_restrictions="permit_tls_clientcerts, reject",
                               relay_clientcerts="inline:{ {%s = client} }" % fingerprint),
        "by-trust": dict(ask, smtpd_relay_restrictions="permit_tls_all_clientcerts, reject"),
        "by-table": dict(ask, smtpd_recipient_restrictions="check_ccert_access inline:{ {%s = REJECT not this one}, "
                         "{%s = REJECT nor this} }" % (fingerprint, certificates.fingerprint("self"))),
        "plaintext": dict(may, smtpd_recipient_restrictions="reject_plaintext_session"),
        "xclient": dict(may, smtpd_authorized_xclient_hosts="127.0.0.1"),
    }


def cases(certificates):
    ours = {"certificate": certificates.path("client.chain")}
    unknown = {"certificate": certificates.path("self.chain")}
    tls = start_tls()
    return [
        Case("TLS off", "none", [EHLO, b"STARTTLS\r\n", b"STARTTLS x\r\n", QUIT]),
        Case("TLS", "may", [EHLO, b"STARTTLS x\r\n", *tls, NOOP, b"STARTTLS\r\n", EHLO, b"STARTTLS\r\n", *mail(),
                            b"HELO x\r\n", *mail(), QUIT]),
        Case("TLS 1.2", "may", [EHLO, *start_tls(version=ssl.TLSVersion.TLSv1_2), EHLO, *mail(), QUIT]),
        Case("TLS without EHLO", "may", [*tls, *mail(), QUIT]),
        Case("TLS after HELO", "may", [b"HELO x\r\n", *tls, b"HELO x\r\n", *mail(), QUIT]),
        Case("the name is forgotten", "helo", [EHLO, *tls, b"MAIL FROM:<a@b>\r\n", EHLO, b"MAIL FROM:<a@b>\r\n", QUIT]),
        Case("a transaction is forgotten", "may", [EHLO, *mail()[:2], *tls, b"DATA\r\n", *mail(), QUIT]),
        Case("a refusal after TLS", "may", [EHLO, *tls, *RELAY, QUIT]),
        Case("UTF-8", "may", [EHLO, *tls, EHLO, b"MAIL FROM:<ann@example.org> SMTPUTF8\r\n", *mail()[1:], QUIT]),
        Case("plaintext behind STARTTLS", "may", [EHLO, send(b"STARTTLS\r\nMAIL FROM:<eve@example.org>\r\nNOO"), read_reply,
                                                  handshake(), b"P\r\n", EHLO, b"RCPT TO:<bob@example.org>\r\n", QUIT]),
        Case("a client that leaves", "may", [EHLO, b"STARTTLS\r\n", close]),
        Case("a client that speaks no TLS", "may", [EHLO, b"STARTTLS\r\n", send(EHLO), rest]),
        Case("a client that waits", "short", [EHLO, b"STARTTLS\r\n", wait(1.3), rest]),
        Case("smtpd_use_tls", "use", [EHLO, *tls, EHLO, *mail(), QUIT]),
        Case("smtpd_enforce_tls", "enforce", [EHLO, b"MAIL FROM:<>\r\n", *tls, *mail(), QUIT]),
        Case("TLS is mandatory", "encrypt",
             [EHLO, b"MAIL FROM:<>\r\n", b"AUTH PLAIN\r\n", b"XFORWARD A=b\r\n", b"VRFY a\r\n", b"RSET\r\n", b"HELP\r\n",
              b"XCLIENT A=b\r\n", b"ETRN a\r\n", b"DATA\r\n", NOOP, *tls, EHLO, *mail(), QUIT]),
        Case("no log, no header", "quiet", [EHLO, *tls, EHLO, *mail(), QUIT]),
        Case("more log", "verbose", [EHLO, *start_tls(**ours), EHLO, *mail(), QUIT]),
        Case("a name", "names", [EHLO, *start_tls(name="other.example"), EHLO, *mail(), QUIT]),
        Case("no certificate", "ask", [EHLO, *tls, EHLO, *mail(), QUIT]),
        Case("a trusted certificate", "ask", [EHLO, *start_tls(**ours), EHLO, *mail(), QUIT]),
        Case("a certificate of nobody", "ask", [EHLO, *start_tls(**unknown), EHLO, *mail(), QUIT]),
        Case("no certificate, required", "require", [EHLO, *tls, EHLO, rest]),
        Case("a certificate of nobody, required", "require", [EHLO, *start_tls(**unknown), EHLO, rest]),
        Case("a trusted certificate, required", "require", [EHLO, *start_tls(**ours), EHLO, *mail(), QUIT]),
        Case("required where TLS is not", "require-at-may", [EHLO, *tls, EHLO, *mail(), QUIT]),
        Case("TLS that cannot work", "no-protocol", [EHLO, b"STARTTLS\r\n", NOOP, *mail(), QUIT]),
        Case("mandatory TLS that cannot work", "no-protocol-encrypt", [EHLO, b"STARTTLS\r\n", b"MAIL FROM:<>\r\n", QUIT]),
        Case("wrapper mode", "wrapper", [EHLO, b"STARTTLS\r\n", *mail(), QUIT], first=wrapped()),
        Case("wrapper mode, encrypt", "wrapper-encrypt", [EHLO, *mail(), QUIT], first=wrapped()),
        Case("wrapper mode, a client that leaves", "wrapper", [close], first=[]),
        Case("wrapper mode, a client that speaks no TLS", "wrapper", [send(EHLO), rest], first=[]),
        Case("wrapper mode that cannot work", "wrapper-no-protocol", [rest], first=[]),
        Case("relay for nobody", "by-fingerprint", [EHLO, *RELAY, *tls, *RELAY, QUIT]),
        Case("relay for a fingerprint", "by-fingerprint", [EHLO, *start_tls(**ours), EHLO, *RELAY, QUIT]),
        Case("no relay for another fingerprint", "by-fingerprint", [EHLO, *start_tls(**unknown), EHLO, *RELAY, QUIT]),
        Case("relay for those that are trusted", "by-trust", [EHLO, *start_tls(**ours), EHLO, *RELAY, QUIT]),
        Case("no relay for those that are not", "by-trust", [EHLO, *start_tls(**unknown), EHLO, *RELAY, QUIT]),
        Case("a certificate in a table", "by-table", [EHLO, *start_tls(**ours), EHLO, *mail()[:2], QUIT]),
        Case("a certificate of nobody in a table", "by-table", [EHLO, *start_tls(**unknown), EHLO, *mail()[:2], QUIT]),
        Case("reject_plaintext_session", "plaintext", [EHLO, *mail()[:2], *tls, EHLO, *mail()[:2], QUIT]),
        Case("TLS stays after XCLIENT", "xclient", [EHLO, *tls, EHLO, b"XCLIENT NAME=a.b ADDR=192.0.2.1\r\n", EHLO, *mail(),
                                                   QUIT]),
        Case("TLS after XCLIENT", "xclient", [EHLO, b"XCLIENT NAME=a.b ADDR=192.0.2.1\r\n", *tls, *mail(), QUIT]),
        Case("XCLIENT forgets, too", "xclient", [EHLO, b"XCLIENT NAME=a.b\r\n", *mail(), QUIT]),
    ]


def check_beside_stock(checks, site, bin_directory, policy, all_cases):
    with site.stock() as stock, site.ours(bin_directory, stock.postcat) as ours:
        for case in all_cases:
            asked = []
            accounts = []
            for server in (ours, stock):
                accounts.append(server.account(case))
                asked.append([{name: request[name] for name in POLICY_ATTRIBUTES} for request in policy.take()])
            compare(checks, case, *accounts)
            if asked[0] or asked[1]:
                checks.equal("%s: what a policy server is asked" % case.name, asked[0], asked[1])


def check_clients(checks, site, bin_directory, certificates):
    """What needs no other server to judge."""
    verifying = ssl.create_default_context(cafile=str(certificates.path("ca.pem")))
    with site.ours(bin_directory) as ours:
        with smtplib.SMTP("127.0.0.1", ours.ports["may"], "client.example", timeout=20) as client:
            client._host = "mail.example.org"  # What the certificate is to say.
            checks.equal("smtplib: STARTTLS", client.starttls(context=verifying), (220, b"2.0.0 Ready to start TLS"))
            client.sendmail("ann@example.org", ["bob@example.org"], "Subject: hi\r\n\r\nhello\r\n" * 5000)
        (message,) = [path.read_bytes() for path in (ours.queue / "incoming").iterdir()]
        checks.check("the header says so", re.search(rb"\(using TLSv1.3 with cipher .*with ESMTPS id", message, re.S),
                     message[:2000])
        with smtplib.SMTP_SSL("127.0.0.1", ours.ports["wrapper"], "client.example", timeout=20,
                              context=client_context()) as client:
            checks.equal("smtplib: wrapper mode", client.sendmail("ann@example.org", ["bob@example.org"], "hello"), {})
        checks.check("TLS that cannot work is told at the start", "warning: Invalid TLS protocol list" in ours.log(),
                     ours.log)


def run_checks(checks, bin_directory, directory):
    certificates = make_certificates(directory / "certificates")
    (directory / "site").mkdir()
    (directory / "site").chmod(0o755)
    with PolicyServer() as policy:
        site = Site(directory / "site", services(certificates, policy.port))
        check_clients(checks, site, bin_directory, certificates)
        (directory / "beside").mkdir()
        (directory / "beside").chmod(0o755)
        site.directory = directory / "beside"
        try:
            check_beside_stock(checks, site, bin_directory, policy, cases(certificates))
        except NoServer as reason:
            checks.skip("the distribution's Postfix", str(reason))


if __name__ == "__main__":
    sys.exit(run_server_test("TLS in the SMTP server", run_checks))
