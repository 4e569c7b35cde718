#!/usr/bin/env python3
"""Follows tutorial.txt to the letter, with our mail system and with the distribution's.

usage: tutorial_test.py --bin DIR

It needs root, for a network of its own with port 25, a name server, and addresses of the world; without, it is skipped.
"""
import argparse
import os
import pathlib
import re
import shlex
import shutil
import socket
import sys
import time

from checks import Checks, run, wait_until
from dns_server import DnsServer
from namespace import enter_namespace, mount_over, set_up_loopback
from sasl_backends import dovecot
from server import NoServer, private_directory
from stock_postfix import DAEMONS, read_reply

TUTORIAL = pathlib.Path(__file__).with_name("tutorial.txt")
ADDRESSES = ("192.0.2.25/24", "127.0.0.3/8")
ZONE = """\
3.0.0.127.rbl.example.org. A 127.0.0.2
3.0.0.127.rbl.example.org. TXT sends nothing good
1.0.0.127.rbl.example.org. NXDOMAIN
"""
MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {top}/queue
data_directory = {top}/data
maillog_file = {top}/mail.log
maillog_file_prefixes = {top}
alias_maps =
alias_database =
inet_protocols = ipv4
mynetworks = 192.0.2.0/24
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_mechanism_filter = plain, login
smtpd_sasl_path = inet:127.0.0.1:{sasl_port}
"""
MASTER_CF = """\
smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
verify unix - - n - 1 verify
postlog unix-dgram n - n - 1 postlogd
"""


def sasl_words(reply):
    """The part of a failure's reply that depends on who checks the password, cut off."""
    return re.sub(r"(authentication failed:).*", r"\1", reply)


class Follower:
    """One mail system, and where the text has got to."""

    def __init__(self, checks, title, programs, top, sasl_port, dns):
        self.checks, self.title, self.programs, self.dns = checks, title, programs, dns
        self.log_file = top / "mail.log"
        self.config = top / "config"
        self.connection = self.stream = None
        self.pending = []  # Lines of the reply that was read and not compared.
        self.config.mkdir(parents=True)
        (top / "queue").mkdir()
        (self.config / "main.cf").write_text(MAIN_CF.format(top=top, sasl_port=sasl_port))
        (self.config / "master.cf").write_text(MASTER_CF)

    def follow(self, lines):
        steps = {"$": self.command, ">": self.connect, "C:": self.say, "S:": self.hear, "!": self.nobody, "?": self.logged,
                 "@": self.asked}
        for number, line in enumerate(lines, 1):
            if not line or line.startswith("#"):
                continue
            sign, _, rest = line.partition(" ")
            self.name = "%s, line %d: %s" % (self.title, number, line)
            try:
                steps[sign](rest)
            except OSError as failure:
                self.checks.check(self.name, False, "%s\n%s" % (failure, self.log()))
                return

    def command(self, text):
        program, *arguments = shlex.split(text)
        done = run([self.programs / program, "-c", self.config, *arguments])
        self.checks.check(self.name, done.status == 0, lambda: "%s\n%s" % (done, self.log()))

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @staticmethod
    def place(text):
        words = text.split()
        options = dict(zip(words[1::2], words[2::2]))
        return (options.get("at", "127.0.0.1"), int(words[0])), options.get("from")

    def connect(self, text):
        self.close()
        address, source = self.place(text)
        deadline = time.monotonic() + 20
        while True:  # After a reload, it takes a moment.
            try:
                self.connection = socket.create_connection(address, 20, (source, 0) if source else None)
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.stream = self.connection.makefile("rb")

    def close(self):
        if self.connection:
            self.stream.close()
            self.connection.close()
        self.connection, self.pending = None, []

    def say(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def hear(self, text):
        if not self.pending:
            self.pending = read_reply(self.stream).decode("utf-8", "replace").splitlines()
        if text == "...":
            self.pending = []
            return
        heard = re.sub(r"(queued as )\S+", r"\1ID", sasl_words(self.pending.pop(0)) if self.pending else "nothing")
        self.checks.equal(self.name, heard.replace(" (Debian/GNU)", ""), text)

    def nobody(self, text):
        self.checks.check(self.name, self.wait_until(lambda: not self.accepts(text)))

    def accepts(self, text):
        try:
            socket.create_connection(self.place(text)[0], 5).close()
            return True
        except ConnectionRefusedError:
            return False

    @staticmethod
    def wait_until(condition):
        return bool(wait_until(condition))

    def logged(self, text):
        self.checks.check(self.name, self.wait_until(lambda: text in self.log()), self.log)

    def asked(self, text):
        question = b"".join(bytes([len(label)]) + label.encode() for label in text.split("."))
        self.checks.check(self.name, any(question in query for query in self.dns.queries))


def follow_tutorial(checks, bin_directory, top):
    set_up_loopback(*ADDRESSES)
    resolver = top / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\n")
    mount_over(resolver, os.path.realpath("/etc/resolv.conf"))
    server, sasl_port = dovecot(top / "dovecot", top / "sasl")
    systems = {"ours": bin_directory.resolve()}
    if (DAEMONS / "master").exists():
        systems["Postfix"] = pathlib.Path("/usr/sbin")
    else:
        checks.skip("Postfix", "it is not installed")
    with DnsServer(ZONE, 53) as dns, server:
        for title, programs in systems.items():
            follower = Follower(checks, title, programs, top / title, sasl_port, dns)
            try:
                follower.follow(TUTORIAL.read_text().splitlines())
            finally:
                follower.close()
                run([programs / "postfix", "-c", follower.config, "stop"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, type=pathlib.Path, metavar="DIR", help="the directory of the programs")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    checks = Checks()
    top = private_directory()
    try:
        if not arguments.inside:
            return enter_namespace(__file__, "--bin", str(arguments.bin), "--inside")
        follow_tutorial(checks, arguments.bin, top)
    except NoServer as reason:
        checks.skip("the tutorial", str(reason))
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
