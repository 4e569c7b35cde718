"""The parser of SMTP commands and content, against the distribution's Postfix: both get the same bytes, and both must
reply the same and keep the same lines.

usage: smtp_replies_test.py --bin DIR [--seed N] [--sessions N]
"""
import argparse
import contextlib
import pathlib
import random
import re
import socket
import subprocess
import sys

from checks import TIMEOUT, Checks, environment, shorten, wait_until
from queue_text import records
from server import NoServer
from smtp_scripts import (ADDRESSES, COMMANDS, LAST_COMMANDS, MAIL_PARAMETERS, NULL_CHUNKS, RCPT_PARAMETERS, XCLIENT_VALUES, chunk_cases,
                          content_cases, random_command, random_content, words)
from stock_postfix import Conversation, StockPostfix, read_reply

LINE_LENGTH_LIMIT = 512
TEST_HEADER = b"S: x\r\n\r\n"

# Each service of the stock Postfix, and what smtp_program is told beside the parameters.
SHOW_RECIPIENTS = {"smtpd_recipient_restrictions": "check_recipient_access static:REJECT"}
PRIVILEGES = {"smtpd_authorized_xclient_hosts": "127.0.0.1", "smtpd_authorized_xforward_hosts": "127.0.0.1",
              "smtpd_authorized_verp_clients": "127.0.0.1"}
ALLOW_ALL = ["--allow", "xclient", "--allow", "xforward", "--allow", "verp"]
NO_EXCLUSIONS = {"smtpd_forbid_bare_newline_exclusions": ""}
EVERY_KEYWORD = ("8bitmime, auth, chunking, dsn, enhancedstatuscodes, etrn, pipelining, size, smtputf8, starttls, vrfy, xclient,"
                 " xforward, silent-discard")
# What this Postfix has by default, and a newer one has not.
DEFAULTS = {"smtpd_forbid_bare_newline": "no", "smtpd_forbid_unauth_pipelining": "no"}
SERVICES = {
    "plain": ({}, {}, []),
    "show": ({}, SHOW_RECIPIENTS, ["--reject-recipients"]),
    "strict": ({"strict_rfc821_envelopes": "yes"}, SHOW_RECIPIENTS, ["--reject-recipients"]),
    "privileged": ({}, PRIVILEGES, ALLOW_ALL),
    "helo": ({"smtpd_helo_required": "yes"}, {}, []),
    "ascii": ({"smtputf8_enable": "no"}, SHOW_RECIPIENTS, ["--reject-recipients"]),
    "strict-utf8": ({"strict_smtputf8": "yes"}, {}, []),
    "discard": ({"smtpd_discard_ehlo_keywords": EVERY_KEYWORD}, PRIVILEGES, ALLOW_ALL),
    "lists": ({"disable_vrfy_command": "yes", "smtpd_noop_commands": "foo, bar, DATA",
               "smtpd_forbidden_commands": "HELP, EXPN, NOOP"}, {}, []),
    "no-size": ({"message_size_limit": "0"}, {}, []),
    "pipelining": ({"smtpd_forbid_unauth_pipelining": "yes"}, {}, []),
    "tls": ({}, {"smtpd_tls_security_level": "encrypt", "smtpd_tls_chain_files": "none"}, ["--allow", "tls"]),
    "errors": ({"smtpd_soft_error_limit": "2", "smtpd_hard_error_limit": "5", "smtpd_junk_command_limit": "3",
                "smtpd_recipient_limit": "2", "smtpd_recipient_overshoot_limit": "2"}, {}, []),
}
for mode in ("no", "normalize", "reject"):
    SERVICES[mode] = ({"smtpd_forbid_bare_newline": mode, "line_length_limit": str(LINE_LENGTH_LIMIT)}, NO_EXCLUSIONS, [])
    SERVICES["small-" + mode] = ({"smtpd_forbid_bare_newline": mode, "message_size_limit": "1000"}, NO_EXCLUSIONS, [])
SERVICES["small-512"] = ({"message_size_limit": "1000", "line_length_limit": "512"}, {}, [])
SERVICES["reject-521"] = (dict(SERVICES["reject"][0], smtpd_forbid_bare_newline_reject_code="521"), NO_EXCLUSIONS, [])

# The session has the defaults of Postfix 3.7.
COMMON = {"myhostname": "mail.example.org", "mydomain": "example.org", "compatibility_level": "3.6", "smtpd_hard_error_limit": "1000000",
          "smtpd_junk_command_limit": "1000000", "smtpd_error_sleep_time": "0"}


class Program:
    """An smtp_program, as a service, for one session at a time."""

    def __init__(self, program, service, content_file):
        shared, _, options = SERVICES[service]
        values = dict(COMMON, **dict(DEFAULTS, **shared))
        argv = [str(program)] + options + ["--content", str(content_file)] + ["%s=%s" % item for item in values.items()]
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind("")  # A name of the kernel's choice.
        self.listener.listen()
        self.process = subprocess.Popen(argv, stdin=self.listener, stdout=subprocess.PIPE, env=environment())

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(TIMEOUT)
        client.connect(self.listener.getsockname())
        return client

    def stop(self):
        """Returns its exit status."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.process:
            return self.process.wait(TIMEOUT)


class ProgramConversation:
    """As stock_postfix.Conversation, with smtp_program."""

    def __init__(self, program):
        self.program, self.client = program, program.connect()
        self.stream = self.client.makefile("rb")
        self.statistics = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.rest()
        self.stream.close()
        self.client.close()

    def reply(self):
        return read_reply(self.stream)

    def send(self, data):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.client.sendall(data)

    def ask(self, data):
        self.send(data)
        return self.reply()

    def rest(self):
        if self.statistics is not None:
            return b""
        with contextlib.suppress(OSError):
            self.client.shutdown(socket.SHUT_WR)
        rest = self.stream.read()
        self.statistics = self.program.process.stdout.readline().decode().strip()
        return rest


class StockConversation(Conversation):
    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass


def brief(data):
    text = re.sub(r"([a-z]|\\n)\1{9,}", lambda run: "%s{%d}" % (run.group(1), len(run.group(0))), repr(data))
    return text if len(text) < 600 else text[:600] + "..."


def normal(reply):
    return re.sub(rb"queued as \S+", b"queued as QUEUE-ID", reply)


def talk(conversation, commands):
    """The replies to the commands, one each; after DATA, to a short message, too."""
    replies = [conversation.reply()]
    for command in commands:
        reply = conversation.ask(command + (b"" if command.startswith(b"BDAT ") and b"\r\n" in command else b"\r\n"))
        replies.append(normal(reply))
        if reply.startswith(b"354"):
            replies.append(normal(conversation.ask(b"S: x\r\n\r\nx\r\n.\r\n")))
        if not reply or reply[:3] in (b"221", b"421", b"521"):
            break
    return replies


def body_of(pieces):
    """The pieces after the first empty line."""
    for number, (kind, text) in enumerate(pieces):
        if kind == "N" and not text:
            return pieces[number + 1:]
    return []


def queued_body(path):
    """The pieces of the body that a queue file has."""
    inside, pieces = False, []
    for kind, text in records(path.read_bytes()):
        if kind == b"X":
            break
        if inside and kind in b"NL":
            pieces.append((kind.decode(), text))
        inside |= kind == b"M"
    return body_of(pieces)


def program_body(path):
    pieces = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        pieces.append((chr(line[0]), line[1:]))
    return body_of(pieces)


class Comparison:
    def __init__(self, checks, postfix, program):
        self.checks, self.postfix, self.program = checks, postfix, program
        self.content_file = postfix.directory / "content"
        self.programs = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Ends the programs, which say so if anything was wrong with them."""
        statuses = {service: program.stop() for service, program in self.programs.items()}
        self.checks.equal("the programs end well", {service for service, status in statuses.items() if status != 0}, set())

    def ours(self, service):
        if service not in self.programs:
            self.programs[service] = Program(self.program, service, self.content_file)
        return ProgramConversation(self.programs[service])

    def stock(self, service):
        return StockConversation(self.postfix.port(service))

    def statistics(self):
        """Of the last session that the log of Postfix has. It is written after the client has gone."""
        found = re.findall(r"disconnect from \S+( .*)", self.postfix.log)
        return "disconnect" + found[-1] if found else None

    def commands(self, name, service, commands, with_statistics=False):
        """Both reply the same to `commands`."""
        with self.stock(service) as stock:
            wanted = talk(stock, commands)
            stock.rest()
        with self.ours(service) as ours:
            got = talk(ours, commands)
            ours.rest()
        if got == wanted and not with_statistics:
            return self.checks.check(name, True)
        if got == wanted:
            wait_until(lambda: self.statistics() == ours.statistics, pause=0.05)
            return self.checks.equal(name, ours.statistics, self.statistics())
        number = next(i for i in range(max(len(got), len(wanted))) if got[i:i + 1] != wanted[i:i + 1])
        return self.checks.check(name, False, lambda: "got %r, wanted %r, after %s" % (
            got[number:number + 1], wanted[number:number + 1], ", ".join(shorten(c, 80) for c in commands[:number][-6:])))

    def each_command(self, name, service, first, commands):
        """Both reply the same to each command, after `first` in a session of its own."""
        failed = []
        for command in commands:
            with self.stock(service) as stock:
                wanted = talk(stock, first + [command])
            with self.ours(service) as ours:
                got = talk(ours, first + [command])
            if got != wanted:
                failed.append("%r: got %r, wanted %r" % (command, got[-1], wanted[-1]))
        return self.checks.check(name, not failed, lambda: "\n".join(failed))

    def each_after_reset(self, name, service, first, commands):
        """The same in one session: `first`, a command, RSET, what follows EHLO in `first`, the next command, ..."""
        script = list(first)
        for command in commands:
            script += [command, b"RSET"] + first[1:]
        return self.commands(name, service, script)

    def bytes(self, service, first, data):
        """Sends all of `data` at once, after `first`. Returns what both reply until the end."""
        results = []
        for conversation in (self.stock(service), self.ours(service)):
            with conversation:
                conversation.reply()
                for command in first:
                    conversation.ask(command)
                conversation.send(data)
                results.append(normal(conversation.rest()) if isinstance(conversation, ProgramConversation)
                               else conversation.rest())
        queue_id = re.search(rb"queued as (\S+)", results[0])
        return normal(results[0]), results[1], queue_id and queue_id.group(1).decode()

    def content(self, name, service, first, cases):
        """Both reply the same, and keep the same lines."""
        failed = []
        for data in cases:
            wanted, got, queue_id = self.bytes(service, first, data)
            if got != wanted:
                failed.append("%s: got %r, wanted %r" % (brief(data), got, wanted))
            elif queue_id:
                kept = queued_body(self.postfix.queue / "incoming" / queue_id)
                ours = program_body(self.content_file)
                if ours != kept:
                    failed.append("%s: kept %s, wanted %s" % (brief(data), brief(ours), brief(kept)))
        return self.checks.check(name, not failed, lambda: "\n".join(failed[:20]))


ENVELOPE = [b"EHLO x\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<r@example.org>\r\n"]


def chunks(parts):
    parts = [TEST_HEADER + parts[0]] + parts[1:]
    return b"".join(b"BDAT %d%s\r\n%s" % (len(part), b" LAST" if number == len(parts) - 1 else b"", part)
                    for number, part in enumerate(parts)) + b"NOOP\r\n"


def compare_commands(comparison):
    begun = [b"EHLO x", b"MAIL FROM:<>"]
    parameters = lambda command, values: [command + value for value in values] + [
        command + value + b" " + value for value in values]
    for service in ("show", "strict", "ascii", "strict-utf8"):
        comparison.each_after_reset("%s: sender addresses" % service, service, [b"EHLO x"], [b"MAIL FROM:" + a for a in ADDRESSES])
        comparison.each_after_reset("%s: recipient addresses" % service, service, begun, [b"RCPT TO:" + a for a in ADDRESSES])
    comparison.each_after_reset("addresses with SMTPUTF8", "show", [b"EHLO x"],
                            [b"MAIL FROM:" + a + b" SMTPUTF8" for a in ADDRESSES])
    comparison.each_after_reset("recipients of an SMTPUTF8 message", "show", [b"EHLO x", b"MAIL FROM:<> SMTPUTF8"],
                            [b"RCPT TO:" + a for a in ADDRESSES])
    for service in ("plain", "privileged", "discard", "ascii", "no-size"):
        comparison.each_after_reset("%s: parameters of MAIL" % service, service, [b"EHLO x"],
                                parameters(b"MAIL FROM:<a@b.example> ", MAIL_PARAMETERS))
    comparison.each_after_reset("parameters of MAIL with a null sender", "privileged", [b"EHLO x"],
                            parameters(b"MAIL FROM:<> ", MAIL_PARAMETERS))
    comparison.each_after_reset("parameters of MAIL with a UTF-8 sender", "strict-utf8", [b"EHLO x"],
                            parameters(b"MAIL FROM:<\xc3\xa4@b.example> ", MAIL_PARAMETERS))
    for service in ("plain", "discard"):
        comparison.each_after_reset("%s: parameters of RCPT" % service, service, begun,
                                parameters(b"RCPT TO:<a@b.example> ", RCPT_PARAMETERS))
    for service in ("plain", "privileged", "discard"):
        for command in (b"XCLIENT ", b"XFORWARD "):
            comparison.each_command("%s: %s" % (service, command.decode().strip()), service, [b"EHLO x"],
                                    [command + value for value in XCLIENT_VALUES])
    for service in SERVICES:
        if service in ("errors", "pipelining"):
            continue
        commands = [c for c in COMMANDS if service != "lists" or c not in (b"HELP", b"EXPN a")]
        comparison.commands("%s: commands" % service, service, commands, with_statistics=True)
        comparison.commands("%s: commands after EHLO and MAIL" % service, service, begun + commands)
        comparison.commands("%s: commands after RCPT" % service, service, begun + [b"RCPT TO:<a@b.example>"] + commands)
    for first in ([], begun[:1], begun):
        comparison.commands("empty chunks after %r" % first, "plain", first + NULL_CHUNKS, with_statistics=True)
    for service in ("plain", "discard", "lists"):
        comparison.each_command("%s: commands that end a session" % service, service, [], LAST_COMMANDS)
    comparison.each_command("forbidden commands", "lists", [], [b"HELP", b"expn a", b"foo", b"FOO x", b"NOOP", b"DATA", b"CONNECT"])
    for end in ([b"QUIT"], []):
        comparison.commands("the log's statistics %r" % end, "plain",
                            begun + [b"RCPT TO:<a@b.example>", b"RCPT TO:<>", b"DATA", b"FOO", b"VRFY", b"BDAT 0", b"AUTH"] + end,
                            with_statistics=True)


def compare_limits(comparison):
    comparison.commands("hard error limit", "errors", [b"FOO"] * 7, with_statistics=True)
    comparison.commands("junk command limit", "errors", [b"NOOP"] * 12, with_statistics=True)
    comparison.commands("kinds of junk", "errors", [b"NOOP", b"RSET", b"VRFY a", b"ETRN a.b", b"VRFY b", b"HELO x", b"RSET", b"RSET", b"RSET"])
    comparison.commands("recipient limit", "errors", [b"EHLO x", b"MAIL FROM:<>"] + [b"RCPT TO:<a@b>"] * 12, with_statistics=True)
    comparison.commands("a delivery forgives", "errors", ([b"FOO"] * 3 + [b"EHLO x", b"MAIL FROM:<>", b"RCPT TO:<a@example.org>", b"DATA"])
                        * 2 + [b"FOO"] * 6)
    comparison.commands("overshoot of two messages", "errors", ([b"EHLO x", b"MAIL FROM:<>"] + [b"RCPT TO:<a@b>"] * 5 + [b"RSET"]) * 4)


def compare_pipelining(comparison):
    checks = comparison.checks
    for first in ([], [b"EHLO x\r\n"], [b"HELO x\r\n"]):
        for command in (b"HELO x", b"EHLO x", b"XCLIENT A=b", b"XFORWARD A=b", b"STARTTLS", b"AUTH PLAIN", b"MAIL FROM:<>", b"RCPT TO:<>",
                        b"DATA", b"BDAT 0", b"RSET", b"NOOP", b"VRFY a", b"ETRN a.b", b"QUIT", b"FOO", b"", b"GET x"):
            wanted, got, _ = comparison.bytes("pipelining", first, command + b"\r\nRSET\r\n")
            checks.equal("pipelining of %r after %r" % (command, first), got, wanted)
    for command in (b"NOOP\n", b"EHLO x\nMAIL FROM:<a>\nQUIT\n", b"NOOP\r\r\n", b"NO\rOP\r\n", b"NOOP\r\nNOOP\n", b"\0\r\n", b"NOOP", b"NOOP\r",
                    b"\n", b"VRFY " + b"x" * 507 + b"\nNOOP\r\n", b"VRFY " + b"x" * 506 + b"\nNOOP\r\n", b"VRFY " + b"x" * 508 + b"\nNOOP\r\n",
                    b"VRFY " + b"x" * 506 + b"\r\nNOOP\r\n", b"VRFY " + b"x" * 507 + b"\r\nNOOP\r\n", b"VRFY " + b"x" * 3000 + b"\nNOOP\r\n",
                    b"VRFY " + b"x" * 506 + b"\r\r\nNOOP\r\n"):
        for service in ("no", "normalize", "reject", "reject-521"):
            wanted, got, _ = comparison.bytes(service, [], command)
            checks.check("%s: %s" % (service, brief(command)), got == wanted, lambda: "got %s, wanted %s" % (brief(got), brief(wanted)))


def compare_content(comparison, rng):
    for service in ("no", "normalize", "reject", "reject-521"):
        data = [TEST_HEADER + case + b"\r\n.\r\nNOOP\r\n" for case in content_cases(LINE_LENGTH_LIMIT)]
        data += [TEST_HEADER + case + b".\r\nNOOP\r\n" for case in content_cases(LINE_LENGTH_LIMIT)]
        # Where a server closes the connection before it has read everything, the reply may get lost.
        count = 0 if service == "reject-521" else 60
        data += [TEST_HEADER + random_content(rng) + b"\r\n.\r\nNOOP\r\n" for _ in range(count)]
        comparison.content("%s: DATA" % service, service, ENVELOPE + [b"DATA\r\n"], data)
        parts = chunk_cases(LINE_LENGTH_LIMIT) + [[random_content(rng) for _ in range(rng.randint(1, 4))] for _ in range(count)]
        parts = [[part for part in case[:-1] if part] + case[-1:] for case in parts]
        comparison.content("%s: BDAT" % service, service, ENVELOPE, [chunks(case) for case in parts])
    comparison.content("sizes of long lines", "small-512", ENVELOPE + [b"DATA\r\n"],
                       [TEST_HEADER + b"x" * n + b"\r\n.\r\nNOOP\r\n" for n in range(984, 996)])
    for service in ("small-no", "small-normalize", "small-reject"):
        sizes = [b"x" * (n - 2) + b"\r\n" for n in range(985, 996)] + [b"x\r\n" * 400, b"\n" * 500, b"\r\n" * 496, b"\r\n" * 497]
        comparison.content("%s: DATA" % service, service, ENVELOPE + [b"DATA\r\n"], [TEST_HEADER + s + b".\r\nNOOP\r\n" for s in sizes])
        line = b"x" * 490 + b"\r\n"
        parts = [[line, b"y" * 600], [line, b"y" * 498], [line, b"y" * 500, b""], [line, b"y" * 501], [line, line], [line, line, b"z"],
                 [line, b"y" * 600, b"z" * 20, b""], [b"\n" * 400, b"\n" * 400, b""], [b"\n" * 501], [b"\n" * 496], [b"x" * 990],
                 [b"x" * 992], [b"x" * 993], [b"x" * 500, b"y" * 600, b"z"], [b"y" * 1200], [b"y" * 1200, b"x", b""]]
        comparison.content("%s: BDAT" % service, service, ENVELOPE, [chunks(case) for case in parts])


def compare_random(comparison, rng, sessions):
    comparison.each_after_reset("random addresses of VRFY", "show", [b"EHLO x"], [b"VRFY " + words(rng) for _ in range(100)])
    services = [name for name in SERVICES if name not in ("errors", "pipelining", "tls")]
    for number in range(sessions):
        service = rng.choice(services)
        commands = [b"EHLO x"] if rng.random() < 0.7 else []
        commands += [random_command(rng).replace(b"postmaster", b"p") for _ in range(40)]
        if not comparison.commands("random session %d (%s)" % (number, service), service, commands):
            return


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sessions", type=int, default=40)
    arguments = parser.parse_args()
    checks = Checks()
    rng = random.Random(arguments.seed)
    main_cf = {"cleanup_replace_stray_cr_lf": "no"}
    try:
        services = {name: dict(shared, **stock) for name, (shared, stock, _) in SERVICES.items()}
        with (StockPostfix(services, main_cf) as postfix,
              Comparison(checks, postfix, arguments.bin / "smtp_program") as comparison):
            compare_commands(comparison)
            compare_limits(comparison)
            compare_pipelining(comparison)
            compare_content(comparison, rng)
            compare_random(comparison, rng, arguments.sessions)
    except NoServer as error:
        checks.skip("SMTP replies", error)
        return 0
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
