#!/usr/bin/env python3
"""Logins of our SMTP and LMTP client by Cyrus SASL beside the distribution's: which password goes to which server, by which
mechanism, what the server sees of it, and what the log says.

usage: smtp_sasl_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import base64
import hmac
import sys

from certificates import CertificateDirectory
from delivery_cases import compare_deliveries, compare_probes, offers, run_delivery_test
from delivery_systems import Case

ZONE = """\
one.example. MX 10 mx1.example.
two.example. MX 10 mx1.example.
two.example. MX 20 mx2.example.
mx1.example. A 192.0.2.1
mx2.example. A 192.0.2.2
"""
A, B = "192.0.2.1", "192.0.2.2"
CHALLENGE = b"<1.2@mx.example>"


def encode(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def login(entries="mx1.example=ann:secret", **more):
    return {"smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": "inline:{%s}" % entries, "smtp_sasl_security_options": "noanonymous", **more}


def takes(mechanisms="PLAIN LOGIN", reply=b"235 2.7.0 welcome\r\n", **more):
    return {"EHLO": offers("PIPELINING", "AUTH " + mechanisms), "AUTH": reply, **more}


LOGIN = {"AUTH LOGIN": b"334 %s\r\n" % encode("Username:").encode(), encode("ann"): b"334 %s\r\n" % encode("Password:").encode(),
         encode("secret"): b"235 2.7.0 welcome\r\n"}
CRAM = {"AUTH CRAM-MD5": b"334 %s\r\n" % encode(CHALLENGE).encode(),
        encode("ann " + hmac.new(b"secret", CHALLENGE, "md5").hexdigest()): b"235 2.7.0 welcome\r\n"}
WRONG = b"535 5.7.8 wrong\r\n"

CASES = [
    Case("PLAIN", "one.example", {A: takes("PLAIN")}, login()),
    Case("LOGIN", "one.example", {A: takes("LOGIN", **LOGIN)}, login()),
    Case("CRAM-MD5", "one.example", {A: takes("CRAM-MD5", **CRAM)}, login()),
    Case("best of several", "one.example", {A: takes("LOGIN PLAIN CRAM-MD5", **CRAM)}, login()),
    Case("PLAIN or LOGIN", "one.example", {A: takes("LOGIN PLAIN", **LOGIN)}, login()),
    Case("old form of the offer", "one.example", {A: {"EHLO": offers("AUTH=LOGIN"), **LOGIN}}, login()),
    Case("both forms of the offer", "one.example", {A: {"EHLO": offers("AUTH PLAIN", "AUTH=LOGIN PLAIN"), "AUTH": b"235 ok\r\n"}}, login()),
    Case("no password", "one.example", {A: takes("PLAIN")}, login("mx2.example=ann:secret")),
    Case("not offered", "one.example", {A: {}}, login()), Case("offered nothing", "one.example", {A: takes("")}, login()),
    Case("nothing in common", "one.example", {A: takes("X-NONESUCH")}, login()), Case("nothing in common, next", "two.example", {A: takes("X-NONESUCH")}, login()),
    Case("plaintext forbidden", "one.example", {A: takes("PLAIN LOGIN")}, login(smtp_sasl_security_options="noplaintext, noanonymous")),
    Case("plaintext forbidden, not needed", "one.example", {A: takes("PLAIN LOGIN CRAM-MD5", **CRAM)}, login(smtp_sasl_security_options="noplaintext, noanonymous")),
    Case("plaintext with TLS", "one.example", {A: {**takes("CRAM-MD5", **CRAM), "EHLO": offers("STARTTLS"), "TLS EHLO": offers("AUTH PLAIN"), "TLS": {"chain": "mx1.chain"}}},
         login(smtp_sasl_security_options="noplaintext", smtp_sasl_tls_security_options="noanonymous", smtp_tls_security_level="may")),
    Case("verified TLS only", "one.example", {A: {**takes("PLAIN"), "EHLO": offers("STARTTLS"), "TLS EHLO": offers("AUTH PLAIN"), "TLS": {"chain": "mx1.chain"}}},
         login(smtp_sasl_tls_security_options="noplaintext", smtp_sasl_tls_verified_security_options="noanonymous", smtp_tls_security_level="may")),
    Case("verified TLS", "one.example", {A: {**takes("PLAIN"), "EHLO": offers("STARTTLS"), "TLS EHLO": offers("AUTH PLAIN"), "TLS": {"chain": "mx1.chain"}}},
         login(smtp_sasl_tls_security_options="noplaintext", smtp_sasl_tls_verified_security_options="noanonymous", smtp_tls_security_level="verify", smtp_tls_CAfile="CERTS/ca.pem")),
    Case("trusted TLS", "one.example", {A: {**takes("PLAIN"), "EHLO": offers("STARTTLS"), "TLS EHLO": offers("AUTH PLAIN"), "TLS": {"chain": "mx1.chain"}}},
         login(smtp_sasl_tls_security_options="noplaintext", smtp_sasl_tls_verified_security_options="noanonymous", smtp_tls_security_level="may", smtp_tls_CAfile="CERTS/ca.pem")),
    Case("TLS fails, old", "one.example", {A: {"EHLO": offers("STARTTLS", "AUTH PLAIN")}}, login(smtp_tls_security_level="may", minimal_backoff_time="1s")),
    Case("wrong", "one.example", {A: takes("PLAIN", WRONG)}, login()), Case("wrong, next", "two.example", {A: takes("PLAIN", WRONG)}, login()),
    Case("wrong, bounced", "two.example", {A: takes("PLAIN", WRONG)}, login(smtp_sasl_auth_soft_bounce="no")),
    Case("refused for another reason", "one.example", {A: takes("PLAIN", b"530 5.7.0 TLS first\r\n")}, login()),
    Case("refused for another reason, bounced", "one.example", {A: takes("PLAIN", b"530 5.7.0 TLS first\r\n")}, login(smtp_sasl_auth_soft_bounce="no")),
    Case("not now", "one.example", {A: takes("PLAIN", b"454 4.7.0 busy\r\n")}, login()), Case("not now, next", "two.example", {A: takes("PLAIN", b"454 4.7.0 busy\r\n")}, login()),
    Case("hangs up", "one.example", {A: takes("PLAIN", None)}, login()), Case("late", "one.example", {A: takes("PLAIN", 2)}, login(smtp_helo_timeout="1s")),
    Case("challenge for nothing", "one.example", {A: takes("PLAIN", b"334 \r\n", **{"*": b"501 given up\r\n"})}, login()),
    Case("challenge of junk", "one.example", {A: takes("CRAM-MD5", b"334 ???\r\n", **{"*": b"501 given up\r\n"})}, login()),
    Case("354", "one.example", {A: takes("PLAIN", b"354 what\r\n")}, login()),
    Case("by nexthop", "one.example", {A: takes("PLAIN")}, login("one.example=ann:secret")),
    Case("by nexthop and host", "one.example", {A: takes("PLAIN")}, login("{one.example=ann:secret}, {mx1.example=bob:other}")),
    Case("by nexthop in brackets", "[mx1.example]:25", {A: takes("PLAIN")}, login("{[mx1.example]:25=ann:secret}")),
    Case("by nexthop without port", "[mx1.example]:25", {A: takes("PLAIN")}, login("{[mx1.example]=ann:secret}")),
    Case("by parent", "one.example", {A: takes("PLAIN")}, login("{.example=ann:secret}, {example=ann:other}")),
    Case("upper case", "ONE.example", {A: takes("PLAIN")}, login("{one.example=ann:secret}")),
    Case("by sender", "one.example", {A: takes("PLAIN")}, login("{ann@example.org=ann:secret}, {mx1.example=bob:other}", smtp_sender_dependent_authentication="yes")),
    Case("by sender's domain", "one.example", {A: takes("PLAIN")}, login("{@example.org=ann:secret}, {mx1.example=bob:other}", smtp_sender_dependent_authentication="yes")),
    Case("by sender with extension", "one.example", {A: takes("PLAIN")}, login("{ann@example.org=ann:secret}", smtp_sender_dependent_authentication="yes", recipient_delimiter="+"), sender="ann+x@example.org"),
    Case("by sender, not wanted", "one.example", {A: takes("PLAIN")}, login("{ann@example.org=ann:secret}, {mx1.example=bob:other}")),
    Case("by null sender", "one.example", {A: takes("PLAIN")}, login("{<>=ann:secret}, {mx1.example=bob:other}", smtp_sender_dependent_authentication="yes"), sender=""),
    Case("by host, sender is not there", "one.example", {A: takes("PLAIN")}, login(smtp_sender_dependent_authentication="yes")),
    Case("lookup fails", "one.example", {A: takes("PLAIN")}, login(smtp_sasl_password_maps="fail:x")),
    Case("password with colons", "one.example", {A: takes("PLAIN")}, login("{mx1.example=ann:se:cr:et}")),
    Case("no colon", "one.example", {A: takes("PLAIN")}, login("{mx1.example=ann}")), Case("empty password", "one.example", {A: takes("PLAIN")}, login("{mx1.example=ann:}")),
    Case("empty name", "one.example", {A: takes("PLAIN")}, login("{mx1.example=:secret}")),
    Case("filter", "one.example", {A: takes("PLAIN LOGIN CRAM-MD5", **LOGIN)}, login(smtp_sasl_mechanism_filter="login")),
    Case("filter excludes", "one.example", {A: takes("PLAIN LOGIN CRAM-MD5")}, login(smtp_sasl_mechanism_filter="!login, !cram-md5, static:rest")),
    Case("filter leaves none", "one.example", {A: takes("PLAIN LOGIN")}, login(smtp_sasl_mechanism_filter="!plain, !login")),
    Case("discarded", "one.example", {A: takes("PLAIN")}, login(smtp_discard_ehlo_keywords="auth")),
    Case("dummy AUTH", "one.example", {A: takes("PLAIN")}, login(smtp_send_dummy_mail_auth="yes")),
    Case("dummy AUTH without login", "one.example", {A: takes("PLAIN")}, login("x=y", smtp_send_dummy_mail_auth="yes")),
    Case("not extended", "one.example", options=login(smtp_never_send_ehlo="yes")),
    Case("LMTP", "unix:LMTP", {"lmtp": {"LHLO": offers("AUTH PLAIN"), "AUTH": b"235 ok\r\n"}},
         {"lmtp_sasl_auth_enable": "yes", "lmtp_sasl_security_options": "", "lmtp_sasl_password_maps": "inline:{mail.example.org=ann:secret}"}, program="lmtp"),
]
# Those that are also asked without a message.
PROBES = ("PLAIN", "wrong", "nothing in common", "lookup fails")


def run_checks(checks, cases, bin_directory, network, top):
    directory = top / "certificates"
    directory.mkdir()
    certificates = CertificateDirectory(directory)
    certificates.self_signed("ca", "/CN=Test CA")
    certificates.issue("mx1", "/CN=mx1.example", ["-newkey", "rsa:2048"], extension="subjectAltName=DNS:mx1.example")
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for case in cases:
        case.options = {name: value.replace("CERTS", str(directory)) for name, value in case.options.items()}
    for server in network.servers.values():
        server.certificates = directory
    compare_deliveries(checks, cases, bin_directory, network, top)
    probes = top / "probes"
    probes.mkdir()
    compare_probes(checks, [case for case in cases if case.name in PROBES], bin_directory, network, probes)


if __name__ == "__main__":
    sys.exit(run_delivery_test(__file__, ZONE, CASES, run_checks))
