#!/usr/bin/env python3
"""Compare what our Cleanup and a stock Postfix make of random messages.

Usage: cleanup_differential.py --ours PROGRAM
           [--count N] [--seed S] [--only-case K]

PROGRAM is cleanup_program, which is built with the tests.  The stock Postfix is
started in directories of its own, on loopback, once with several smtpd and
cleanup services that differ in their settings; it needs root.  Each case sends
a random message to one of them and compares the reply, the lines of the log,
and the content and decisions in the queue file.

A case depends only on the seed and its number.  The last line of output is
"N passed, N failed"; the exit status is 1 when any failed or when none was
run, and 77 when there is no stock Postfix or no root.
"""

import argparse
import difflib
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import stock_cleanup

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from queue_text import records_as_read  # noqa: E402

HEADER_CHECKS = r"""
/^x-bcc: (.*)/ BCC $1
/^x-discard: (.*)/ DISCARD $1
/^x-dunno/ DUNNO
/^x-filter: (.*)/ FILTER $1
/^x-hold: (.*)/ HOLD $1
/^x-ignore/ IGNORE
/^x-info: (.*)/ INFO $1
/^x-pass: (.*)/ PASS $1
/^x-prepend: (.*)/ PREPEND $1
/^x-redirect: (.*)/ REDIRECT $1
/^x-reject: (.*)/ REJECT $1
/^x-replace: (.*)/ REPLACE $1
/^x-strip: (.*)/ STRIP $1
/^x-warn: (.*)/ WARN $1
/^content-transfer-encoding: (base64|8BIT)$/ REPLACE Content-Transfer-Encoding: binary
/^content-transfer-encoding: binary/ IGNORE
/^x-action: (.*)/ $1
"""

CHECKS = {"header_checks": "pcre:%(top)s/checks", "body_checks": "pcre:%(top)s/checks"}

VARIANTS = (
    {},
    CHECKS,
    CHECKS,
    {**CHECKS, "strict_8bitmime": "yes", "strict_mime_encoding_domain": "yes", "mime_nesting_limit": "1"},
    {**CHECKS, "body_checks_size_limit": "40", "line_length_limit": "512", "header_size_limit": "150"},
    {**CHECKS, "message_reject_characters": r"\a~", "message_strip_characters": r"|\0x"},
    {"mime_header_checks": "pcre:%(top)s/checks", "message_drop_headers": "x-info, date content-type received"},
    {"nested_header_checks": "pcre:%(top)s/checks", "header_checks": "pcre:{{/subject/ info}}",
     "body_checks": "pcre:{{/text/ warn b} {/^--/ info delimiter}}", "mime_nesting_limit": "2"},
    {"disable_mime_input_processing": "yes", **CHECKS, "strict_8bitmime": "yes"},
    {"local_header_rewrite_clients": "", "undisclosed_recipients_header": "To: undisclosed-recipients:;"},
    {"always_add_missing_headers": "yes", "undisclosed_recipients_header": "To: undisclosed-recipients:;",
     "strict_7bit_headers": "yes", "detect_8bit_encoding_header": "no", "hopcount_limit": "4"},
    {"strict_8bitmime_body": "yes", "cleanup_replace_stray_cr_lf": "no", "undisclosed_recipients_header": "bad"},
    {"header_checks": "pcre:{{/x-info/ info 1} {/x-warn/ foo}} fail:x", "body_checks": "pcre:%(top)s/checks fail:y"},
)


class Message:
    """A random message, mostly MIME and mostly a little odd."""

    ADDRESS_HEADERS = (b"From", b"To", b"Cc", b"Bcc", b"Sender", b"Reply-To", b"Return-Path", b"Errors-To",
                       b"Return-Receipt-To", b"Apparently-To", b"Mail-Followup-To", b"Resent-From",
                       b"Resent-To", b"Resent-Cc", b"Resent-Bcc", b"Resent-Sender", b"Resent-Reply-To",
                       b"Disposition-Notification-To", b"Resent-Errors-To", b"Delivered-To", b"resent-to")
    TEXT_HEADERS = (b"Subject", b"Date", b"Message-Id", b"MESSAGE-ID", b"Resent-Message-Id", b"Resent-Date",
                    b"Received", b"Received", b"Content-Length", b"X-Test", b"Precedence", b"Content-ID",
                    b"MIME-Version", b"Resent-Foo", b"Mailing-List")
    ACTIONS = (b"bcc", b"discard", b"dunno", b"filter", b"hold", b"ignore", b"info", b"pass", b"prepend",
               b"redirect", b"reject", b"replace", b"strip", b"warn", b"action", b"info", b"warn", b"prepend",
               b"replace", b"hold", b"strip", b"bcc")
    ARGUMENTS = (b"", b"a", b"a b", b"user@example.org", b"smtp:[127.0.0.1]", b"Subject: replaced",
                 b"To: new@example.org", b"X-New : y", b"4.7.1 later", b"5.6.0 no", b"2.0.0 what", b"caf\xc3\xa9",
                 b"\xe9", b"\x01", b"Message-ID: <new@example.org>", b"Bcc: b@example.org", b"@", b"a:",
                 b"Received: again", b"Content-Type: message/rfc822", b"nothing", b"Date: now", b"y" * 260,
                 b"X-Long: " + b"z" * 300, b"5.1.1  two", b"4.7 a", b"REJECT", b"warn x", b"OK", b"foo bar", b"Content-Transfer-Encoding: 8bit",
                 b"REPLACE", b"prepend", b"bcc me", b"filter x", b"HOLD", b"redirect x", b"hold  2 ")
    TEXTS = (b"", b"text", b"caf\xc3\xa9", b"\xe9", b"a b", b"x|y", b"~", b"\a", b"a\rb", b"a\0b", b"<id@example.org>",
             b"long " * 120, b"8bit", b".", b"..", b"text more text", b"x" * 600, b" ", b"-", b"q" * 90)
    ENCODINGS = (b"7bit", b"8bit", b"8BIT", b"binary", b"base64", b"quoted-printable", b"foo", b"\"8bit\"",
                 b"(c) base64", b"", b"8bit a", b";8bit")
    TYPES = (b"text/plain", b"message/rfc822", b"message/rfc822", b"message/partial", b"message/global",
             b"message/external-body", b"image/png", b"multipart/mixed", b"")
    BOUNDARIES = (b"X", b"Y", b"XY")

    def __init__(self, rng):
        self.rng = rng
        self.lines = []
        self.entity(0)

    def chance(self, probability):
        return self.rng.random() < probability

    def add(self, line):
        self.lines.append(line)

    def entity(self, depth):
        for _ in range(self.rng.choice((0, 1, 2, 3, 5))):
            self.header()
        content = b""
        if self.chance(0.6):
            content = self.content_type()
        if self.chance(0.3):
            self.add(b"Content-Transfer-Encoding: " + self.rng.choice(self.ENCODINGS))
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            self.header()
        if self.chance(0.05):
            self.add(self.rng.choice(self.TEXTS))
        if self.chance(0.95):
            self.add(b"")
        if depth < 5 and content in self.BOUNDARIES:
            self.text()
            for _ in range(self.rng.choice((0, 1, 1, 2))):
                self.add(b"--" + content + (self.rng.choice((b" ", b"\xe9", b"z")) if self.chance(0.1) else b""))
                self.entity(depth + 1)
            if self.chance(0.8):
                self.add(b"--" + content + b"--" + (b"\xe9" if self.chance(0.1) else b""))
            self.text()
        elif depth < 5 and content == b"message" and self.chance(0.8):
            self.entity(depth + 1)
        else:
            self.text()

    def content_type(self):
        if self.chance(0.5):
            boundary = self.rng.choice(self.BOUNDARIES)
            self.add(b"Content-Type: multipart/" + self.rng.choice((b"mixed", b"digest")) + b"; boundary=" + boundary)
            return boundary
        kind = self.rng.choice(self.TYPES)
        self.add(b"Content-Type: " + kind)
        return b"message" if kind.startswith(b"message/rfc") else b""

    def header(self):
        kind = self.rng.random()
        if kind < 0.35:
            self.add(self.rng.choice(self.ADDRESS_HEADERS) + b": " + self.rng.choice((b"a@example.org",
                                                                                    b"Ann <b@example.net>")))
        elif kind < 0.7:
            self.add(self.rng.choice(self.TEXT_HEADERS) + self.rng.choice((b": ", b": ", b":", b" : ", b":\t")) +
                     self.rng.choice(self.TEXTS))
            while self.chance(0.15):
                self.add(self.rng.choice((b" ", b"\t")) + self.rng.choice(self.TEXTS))
        else:
            self.action()

    def action(self):
        self.add(self.rng.choice((b"X-", b"x-")) + self.rng.choice(self.ACTIONS) + b": " +
                 self.rng.choice(self.ARGUMENTS))

    def text(self):
        for _ in range(self.rng.choice((0, 1, 2, 4))):
            if self.chance(0.3):
                self.action()
            else:
                self.add(self.rng.choice(self.TEXTS))

    def bytes(self):
        return b"".join(line + b"\n" for line in self.lines)


class Judge:
    """Both sides, and what they say of a message in one form."""

    SENDERS = ("sender@example.com", "sender@example.com", "", "\"a b\"@example.org")

    def __init__(self, ours, stock, directory):
        self.ours = ours
        self.stock = stock
        self.directories = []
        for number, variant in enumerate(stock.variants):
            path = os.path.join(directory, str(number))
            os.mkdir(path)
            with open(os.path.join(path, "main.cf"), "w", encoding="utf-8") as stream:
                stream.write("compatibility_level = 3.6\nmyhostname = h.example.com\nmydomain = example.com\n")
                stream.writelines("%s = %s\n" % item for item in variant.items())
            self.directories.append(path)

    def run(self, case):
        """(message, results of stock, results of ours)"""
        variant = case.randrange(len(self.stock.variants))
        message = Message(case).bytes()
        sender = case.choice(self.SENDERS)
        answer, log, path = self.stock.smtp(message, variant, sender=sender)
        identifier = re.match(rb"(?:warning: )?([0-9A-F]{8,}): ", next(
            line for line in log if re.match(rb"(?:warning: )?([0-9A-F]{8,}): ", line))).group(1).decode()
        # A bounced or refused message makes others.
        log = [line for line in log if not re.match(rb"[0-9A-F]{8,}: ", line) or line.startswith(identifier.encode())]
        # smtpd ends its own headers ahead of a line that would continue them.
        seen = b"\n" + message if message[:1] in (b" ", b"\t") else message
        stock = {"log": self.relevant(log)}
        arrival = self.arrival(log, path)
        if path is None and answer.startswith(b"250"):
            stock["decisions"] = [b"discard "]
        elif path is None:
            stock["decisions"] = [b"reject " + answer.replace(b"  ", b" ")]
        else:
            self.read_queue_file(path, stock)
            os.unlink(path)
        return (variant, message, sender), stock, self.run_ours(variant, seen, sender, identifier, arrival)

    @staticmethod
    def arrival(log, path):
        if path is not None:
            for kind, payload in records_as_read(pathlib.Path(path).read_bytes()):
                if kind == b"T":
                    return int(payload.split()[0])
        for line in log:
            found = re.search(rb"Received: .*; (\w+, \d+ \w+ \d+ [\d:]+) ", line)
            if found:
                return int(time.mktime(time.strptime(found.group(1).decode(), "%a, %d %b %Y %H:%M:%S")))
        return int(time.time())

    @staticmethod
    def without_time(line):
        """The stock Postfix takes the time of a Message-Id later than that of a Date."""
        return re.sub(rb"<\d{14}\.", b"<TIME.", line)

    @staticmethod
    def relevant(log):
        """Tables are opened, and complained of, at different times. On a busy machine, Postfix also finds that file times and
        the clock differ."""
        noise = (b"public/qmgr", b"is unavailable", b"open table", b"fail map", b"file system clock", b"file time stamps")
        return [Judge.without_time(line) for line in log if not any(word in line for word in noise)]

    @staticmethod
    def read_queue_file(path, result):
        content, piece, decisions, extracted = [], b"", [], False
        in_content = False
        if "/hold/" in path:
            decisions.append(b"hold ")
        for kind, payload in records_as_read(pathlib.Path(path).read_bytes()):
            if kind == b"M":
                in_content = True
            elif kind == b"X":
                in_content, extracted = False, True
            elif in_content and kind == b"L":
                piece += payload
            elif in_content and kind == b"N":
                content.append(piece + payload)
                piece = b""
            elif extracted and kind == b"R":
                decisions.append(b"bcc " + payload)
            elif extracted and kind == b"L":
                decisions.append(b"filter " + payload)
            elif extracted and kind == b">":
                decisions.append(b"redirect " + payload)
            elif extracted and kind == b"A" and payload == b"encoding=8bit":
                decisions.append(b"8bit ")
        if piece:
            content.append(piece)
        result["content"] = [Judge.without_time(line) for line in content]
        result["decisions"] = sorted(decisions)

    def run_ours(self, variant, message, sender, identifier, arrival):
        local = time.strftime("%a, %d %b %Y %H:%M:%S %z (%Z)", time.localtime(arrival))
        received = ("Received: from client.example.com (unknown [127.0.0.1])\n\tby h.example.com (Postfix) with ESMTP"
                    " id %s\n\tfor <user@example.com>; %s\n" % (identifier, local)).encode()
        rewrites = self.stock.variants[variant].get("local_header_rewrite_clients") != ""
        command = [self.ours, self.directories[variant], "queue_id=" + identifier, "client=unknown[127.0.0.1]",
                   "sender=" + sender, "recipient=user@example.com", "protocol=ESMTP", "helo=client.example.com",
                   "arrival=%d" % arrival, "rewrites_headers=%d" % rewrites]
        done = subprocess.run(command, input=received + message, stdout=subprocess.PIPE, check=True, timeout=20)
        content, piece, decisions, log = [], b"", [], []
        for line in done.stdout.split(b"\n")[:-1]:
            kind, payload = line.split(b" ", 1)
            if kind == b"N":
                content.append(piece + payload)
                piece = b""
            elif kind == b"L":
                piece += payload
            elif kind == b"log":
                log.append(payload)
            elif kind != b"pass":
                decisions.append(line)
        if piece:
            content.append(piece)
        return self.as_queued(content, decisions, self.relevant(log))

    @staticmethod
    def as_queued(content, decisions, log):
        # smtpd's replies have blanks where a text is not UTF-8.
        final = [re.sub(rb"[\x00-\x1f\x7f\xe9]", b" ", line).replace(b"  ", b" ") for line in decisions
                 if line.startswith((b"reject ", b"discard "))]
        if final:
            return {"log": log, "decisions": final}
        kept, seen = [], set()
        filters = [line for line in decisions if line.startswith(b"filter ")]
        for line in decisions:
            if line.startswith(b"bcc "):
                if line.lower() in seen:
                    continue
                seen.add(line.lower())
            elif line.startswith(b"filter ") and line is not filters[-1]:
                continue
            kept.append(line)
        return {"log": log, "decisions": sorted(kept),
                "content": [Judge.without_time(line) for line in content]}


def show(number, case, stock, ours):
    print("=" * 72)
    print("case %d: variant %d %s, sender <%s>" % (number, case[0], VARIANTS[case[0]], case[2]))
    print(case[1].decode("latin-1"))
    for key in sorted(set(stock) | set(ours)):
        theirs, mine = ([repr(line) for line in side.get(key, [])] for side in (stock, ours))
        for text in difflib.unified_diff(theirs, mine, "stock " + key, "ours " + key, lineterm="", n=1):
            print(text)


def main():
    parser = argparse.ArgumentParser(description="Compare our Cleanup with that of a stock Postfix.")
    parser.add_argument("--ours", required=True, metavar="PROGRAM")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="number of messages (1000)")
    parser.add_argument("--seed", default="1", metavar="S")
    parser.add_argument("--only-case", type=int, metavar="K")
    options = parser.parse_args()
    if os.geteuid() != 0 or not os.path.exists(os.path.join(stock_cleanup.DAEMONS, "cleanup")):
        print("skipped: needs root and a stock Postfix")
        return 77

    numbers = range(options.count) if options.only_case is None else [options.only_case]
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="cleanup-differential-") as directory:
        os.chmod(directory, 0o755)
        with open(os.path.join(directory, "checks"), "w", encoding="ascii") as stream:
            stream.write(HEADER_CHECKS)
        variants = [{name: value.replace("%(top)s", directory) for name, value in variant.items()}
                    for variant in VARIANTS]
        with stock_cleanup.StockCleanup(variants) as stock:
            judge = Judge(os.path.abspath(options.ours), stock, directory)
            for number in numbers:
                case, theirs, ours = judge.run(random.Random("%s/%d" % (options.seed, number)))
                if theirs == ours:
                    passed += 1
                    continue
                failed += 1
                if failed <= 10:
                    show(number, case, theirs, ours)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
