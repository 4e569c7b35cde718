#!/usr/bin/env python3
"""Programs that people send mail with, and programs that read mail logs, with our mail system: swaks, curl, msmtp and Python
as clients; pflogsumm and fail2ban on the log that they leave.

usage: mail_clients_test.py --bin DIR
"""
import re
import smtplib
import ssl
import sys

from certificates import CertificateDirectory
from checks import environment, run
from mail_system import MailSystem
from sasl_backends import PASSWORD, dovecot
from server import NoServer, find_program, run_server_test

MAIN_CF = """\
local_recipient_maps = inline:{{bob=x,carol=x}}
mynetworks = 192.0.2.1
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl_port}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {directory}/mail.chain
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_error_sleep_time = 0
"""
MESSAGE = """\
From: Ann <ann@example.org>
To: bob@example.com
Subject: by {name}

.a line that begins with a dot
Sent by {name}.
"""
REFUSED, BAD_LOGINS = 4, 2  # How many sessions end like that.
SENDER, RECIPIENT, STRANGER = "ann@example.org", "bob@example.com", "joe@elsewhere.example"


class Clients:
    """Each sends a message and returns (exit status, what it said). `login`: it says who it is, and uses TLS."""

    def __init__(self, system, directory, ca):
        self.system, self.directory, self.ca = system, directory, ca

    def file(self, name):
        path = self.directory / (name + ".eml")
        path.write_text(MESSAGE.format(name=name))
        return path

    @staticmethod
    def ended(done):
        return done.status, done.out + done.err

    def swaks(self, recipient, login):
        more = ["--tls", "--auth", "PLAIN", "--auth-user", "joe", "--auth-password", PASSWORD] if login else []
        return self.ended(run([find_program("swaks"), "--server", "127.0.0.1", "--port", self.system.port, "--helo",
                               "client.example", "--from", SENDER, "--to", recipient, "--data", "@%s" % self.file("swaks"),
                               *more]))

    def pipelining_swaks(self, recipient, _):
        """All commands in one packet."""
        return self.ended(run([find_program("swaks"), "--server", "127.0.0.1", "--port", self.system.port, "--helo",
                               "client.example", "--from", SENDER, "--to", "%s,carol@example.com" % recipient, "--pipeline",
                               "--data", "@%s" % self.file("pipelining_swaks")]))

    def curl(self, recipient, login):
        more = ["--ssl-reqd", "--cacert", self.ca, "--user", "joe:%s" % PASSWORD] if login else []
        return self.ended(run([find_program("curl"), "--silent", "--show-error", "--verbose",
                               "smtp://localhost:%d/client.example" % self.system.port, "--resolve",
                               "localhost:%d:127.0.0.1" % self.system.port, "--mail-from", SENDER, "--mail-rcpt", recipient,
                               "--crlf", "--upload-file", self.file("curl"), *more]))

    def msmtp(self, recipient, login):
        more = ["--tls=on", "--tls-trust-file=%s" % self.ca, "--auth=plain", "--user=joe",
                "--passwordeval=echo %s" % PASSWORD] if login else ["--tls=off", "--auth=off"]
        return self.ended(run([find_program("msmtp"), "--file=/dev/null", "--host=localhost", "--port=%d" % self.system.port,
                               "--domain=client.example", "--from=%s" % SENDER, *more, recipient],
                              stdin=MESSAGE.format(name="msmtp").encode()))

    def python(self, recipient, login):
        try:
            with self.system.client() as smtp:
                if login:
                    context = ssl.create_default_context(cafile=str(self.ca))
                    context.check_hostname = False
                    smtp.starttls(context=context)
                    smtp.login("joe", PASSWORD)
                smtp.sendmail(SENDER, [recipient], MESSAGE.format(name="python"))
        except smtplib.SMTPException as failure:
            return 1, str(failure)
        return 0, ""


def check_clients(checks, system, clients):
    for send in (clients.swaks, clients.pipelining_swaks, clients.curl, clients.msmtp, clients.python):
        name = send.__name__
        try:
            status, said = send(RECIPIENT, False)
        except NoServer as missing:
            checks.skip(name, str(missing))
            continue
        checks.equal("%s: mail for a user of ours is taken" % name, status, 0) or print(said)
        stored = [data for data in system.messages().values() if b"Sent by %s." % name.encode() in data]
        checks.check("%s: it is in the queue, dot and all" % name,
                     len(stored) == 1 and b".a line that begins with a dot" in stored[0]
                     and b"..a line" not in stored[0], stored)
        if send == clients.pipelining_swaks:
            continue
        status, said = send(STRANGER, False)
        checks.check("%s: mail for elsewhere is not, and it says why" % name,
                     status != 0 and "<%s>: Relay access denied" % STRANGER in said, (status, said))
        status, said = send(STRANGER, True)
        checks.equal("%s: with TLS and a password, it is" % name, status, 0) or print(said)
    for header in (b"with ESMTPSA id", b"with ESMTP id", b"(using TLSv1.3 with cipher"):
        checks.check("a Received: header has %r" % header.decode(),
                     any(header in data for data in system.messages().values()))


def check_log_readers(checks, system, directory):
    log = directory / "mail.log"
    try:
        done = run([find_program("pflogsumm"), log])
        totals = {name: int(count) for count, name in re.findall(r"^\s+(\d+)k?\s+([a-z]+)\b", done.out, re.M)}
        checks.check("pflogsumm counts what was received", totals.get("received") == len(system.messages()),
                     done.out[:1500])
        checks.check("pflogsumm counts what was rejected", totals.get("rejected") == REFUSED, done.out[:1500])
        checks.check("pflogsumm names the reason", re.search(r"Relay access denied \(total: %d\)" % REFUSED, done.out), done.out)
    except NoServer as missing:
        checks.skip("pflogsumm", str(missing))
    try:
        program = find_program("fail2ban-regex")
    except NoServer as missing:
        checks.skip("fail2ban", str(missing))
        return
    # Who fails to log in has the failure, and the end of such a session.
    for mode, matched in (("normal", REFUSED), ("auth", BAD_LOGINS), ("aggressive", REFUSED + 2 * BAD_LOGINS)):
        done = run([program, "--timezone=UTC", log, "postfix[mode=%s]" % mode], env=environment(HOME=str(directory)))
        found = re.search(r"(\d+) matched", done.out)
        checks.check("fail2ban's filter, mode %s, finds %d lines" % (mode, matched),
                     found and int(found.group(1)) == matched, done.out[-1500:] + done.err[-500:])


def check_bad_passwords(checks, system, ca):
    for mechanism in ("PLAIN", "LOGIN"):
        with system.client() as smtp:
            context = ssl.create_default_context(cafile=str(ca))
            context.check_hostname = False
            smtp.starttls(context=context)
            smtp.ehlo()
            smtp.user, smtp.password = "joe", "wrong"
            try:
                smtp.auth(mechanism, getattr(smtp, "auth_" + mechanism.lower()))
                checks.check("a wrong password by %s is refused" % mechanism, False)
            except smtplib.SMTPAuthenticationError as refused:
                checks.equal("a wrong password by %s is refused" % mechanism, refused.smtp_code, 535)


def run_checks(checks, bin_directory, directory):
    certificates = CertificateDirectory(directory)
    certificates.self_signed("ca", "/CN=Test CA")
    certificates.issue("mail", "/CN=localhost", ["-newkey", "rsa:2048"], extension="subjectAltName=DNS:localhost")
    ca = certificates.path("ca.pem")
    server, sasl_port = dovecot(directory / "dovecot", directory / "sasl")
    with server, MailSystem(bin_directory, directory, MAIN_CF.format(sasl_port=sasl_port, directory=directory)) as system:
        check_clients(checks, system, Clients(system, directory, ca))
        check_bad_passwords(checks, system, ca)
        checks.check("the log is complete", system.wait_for(lambda: system.log().count(" connect from ")
                                                            == system.log().count("disconnect from ")), system.log)
        check_log_readers(checks, system, directory)


if __name__ == "__main__":
    sys.exit(run_server_test("mail clients", run_checks))
