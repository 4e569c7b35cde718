#!/usr/bin/env python3
"""What the postmaster is told of deliveries in which a server did not keep to the protocol (notify_classes): the same scripted
server for our mail system and for the distribution's Postfix, and the queue files of the transcripts that both make of it.

usage: smtp_transcript_test.py --bin DIR
"""
import os
import re
import sys
import time

from delivering_postfix import DeliveringPostfix
from mail_system import MailSystem
from queue_records import normal_records
from scripted_smtp import ScriptedSmtp
from server import free_port, run_server_test
from two_systems import compare_lists

NOTICES = {
    "notify_classes": "bounce, protocol", "error_notice_recipient": "error@stay.test", "bounce_notice_recipient": "bounce@stay.test",
    "myhostname": "mail.example.org", "default_destination_concurrency_limit": "1",
    "default_destination_concurrency_failed_cohort_limit": "0", "minimal_backoff_time": "1000s", "maximal_backoff_time": "1000s",
    "smtp_helo_timeout": "1s", "smtp_mail_timeout": "1s", "smtp_rcpt_timeout": "1s", "smtp_data_init_timeout": "1s",
    "smtp_data_done_timeout": "1s", "lmtp_rcpt_timeout": "1s", "smtp_tls_security_level": "", "smtp_connection_cache_on_demand": "no",
}
PIPELINING = {"EHLO": b"250-x\r\n250 PIPELINING\r\n"}
SINK, UNIX = "bob@sink.test", "bob@lmtp.test"


def codes(command, *numbers):
    return [("%s: %d" % (command, number), SINK, {command: b"%d x\r\n" % number}) for number in numbers]


# Name, recipients, and what the server says.
CASES = [
    ("all is well", SINK, {}), *codes("GREETING", 500, 554, 450, 354, 250), *codes("EHLO", 500, 421),
    *(("HELO: %d" % code, SINK, {"EHLO": b"500 x\r\n", "HELO": b"%d x\r\n" % code}) for code in (503, 550, 354)),
    *codes("MAIL", 500, 501, 503, 550, 552, 450, 421),
    *codes("RCPT", 251, 300, 354, 399, 400, 421, 499, 500, 504, 505, 509, 510, 511, 530, 550, 554, 555, 559, 599, 600, 999),
    *codes("DATA", 250, 451, 500, 550, 555, 600), *codes("END", 300, 354, 451, 501, 550, 555, 600), *codes("QUIT", 500),
    ("a line that is no reply, as greeting", SINK, {"GREETING": b"hello there\r\n220 x ESMTP\r\n"}),
    ("nothing but a line that is no reply, as greeting", SINK, {"GREETING": b"hello there\r\n"}),
    ("a line that is no reply, within one", SINK, {"EHLO": b"250-x\r\nfoo\r\n250 y\r\n"}),
    ("a line that is no reply, to MAIL", SINK, {"MAIL": b"foo\r\n"}), ("an empty line", SINK, {"RCPT": b"\r\n250 x\r\n"}),
    ("part of a code", SINK, {"RCPT": b"25\r\n250 x\r\n"}), ("a code and more", SINK, {"RCPT": b"250x\r\n"}),
    ("a line that is no reply, at the end", SINK, {"END": b"foo\r\n"}), ("only a code", SINK, {"MAIL": b"250\r\n"}),
    ("a line that is no reply, to QUIT", SINK, {"RCPT": b"503 x\r\n", "QUIT": b"foo\r\n"}),
    ("two codes", SINK, {"RCPT": b"250-x\r\n503 y\r\n"}), ("several lines", SINK, {"RCPT": b"503-one\r\n503 two\r\n"}),
    ("controls and UTF-8", SINK, {"RCPT": b"503 \xc3\xbc\x01\xff x\r\n"}), ("NUL", SINK, {"RCPT": b"503 a\0b\r\n"}),
    ("a long line", SINK, {"RCPT": b"503 " + b"abc " * 60 + b"\r\n"}), ("a longer line", SINK, {"RCPT": b"503 " + b"x" * 3000 + b"\r\n"}),
    *(("the server hangs up at " + command, SINK, {command: None}) for command in ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "END")),
    ("the server hangs up at RSET", SINK, {"RCPT": b"503 5.1.1 no\r\n", "RSET": None}),
    ("a refused RSET", SINK, {"RCPT": b"550 5.1.1 no\r\n", "RSET": b"503 x\r\n"}),
    ("PIPELINING", SINK, dict(PIPELINING, RCPT=b"503 x\r\n")), ("PIPELINING, the end", SINK, dict(PIPELINING, END=b"503 x\r\n")),
    ("PIPELINING, all refused", SINK, dict(PIPELINING, MAIL=b"503 x\r\n", RCPT=b"503 y\r\n", DATA=b"503 z\r\n")),
    ("two recipients", SINK + " eve@sink.test", {"RCPT": [b"503 x\r\n", b"250 ok\r\n"]}),
    ("LMTP", UNIX, {"RCPT": b"503 x\r\n"}), ("LMTP, the end", UNIX, {"END": b"503 x\r\n"}), ("LMTP, all is well", UNIX, {}),
    ("LMTP by TCP", "bob@lmtpi.test", {"RCPT": b"503 x\r\n"}),
]

# Nobody is told that a notice could not be delivered.
SENDERS = ("", "double-bounce@mail.example.org", "Double-Bounce@MAIL.example.org", "double-bounce@other.example.org")


def transports(directory, port):
    return ("stay.test retry:4.3.0 it stays\nsink.test smtp:[127.0.0.1]:%d\nlmtp.test lmtp:unix:%s\nlmtpi.test lmtp:inet:127.0.0.1:%d\n"
            "mail.example.org retry:4.3.0 it stays\n" % (port, directory / "lmtp", port))


class OurSystem(MailSystem):
    def __init__(self, bin_directory, directory, transport_file):
        settings = dict(NOTICES, transport_maps="texthash:%s" % transport_file, relay_domains="test", mydestination="",
                        smtpd_relay_restrictions="permit_mynetworks, reject", queue_run_delay="1000s")
        super().__init__(bin_directory, directory, "".join("%s = %s\n" % item for item in settings.items()), has_queue_manager=True)
        self.write_master_cf("lmtp unix - - n - - lmtp\n")

    def send(self, sender, recipients, content):
        with self.client() as smtp:
            smtp.sendmail(sender, recipients, content)
        return re.findall(r"smtpd\[\d+\]: (\w+): client=", self.log())[-1]


def transcripts(system, log, servers, recipients, script, sender="ann@stay.test"):
    """Those that are in the queue after a delivery."""
    for server in servers:
        server.script(script)
    start = len(log())
    queue_id = system.send(sender, recipients, b"Subject: x\n\nbody\n")
    count, deadline = len(recipients), time.monotonic() + 30
    while len(re.findall(r"%s: to=<.*status=" % queue_id, log()[start:])) < count:
        if time.monotonic() > deadline:
            raise AssertionError(log()[start:])
        time.sleep(0.02)
    time.sleep(0.3)  # A transcript is made when the session is over.
    found = []
    for name in re.findall(r"cleanup\[\d+\]: (\w+): message-id", log()[start:]):
        for path in (path for queue in ("deferred", "active", "incoming") for path in (system.queue / queue).rglob(name)):
            records = normal_records(path)
            if any("Transcript of session" in text for _, text in records):
                found.append([(kind, text) for kind, text in records if kind != "W"])
    return found


def run_checks(checks, bin_directory, directory):
    port, files = free_port(), directory / "ours"
    files.mkdir()
    files.chmod(0o755)
    transport_file = directory / "transport"
    transport_file.write_text(transports(directory, port))
    old = time.time() - 3600
    os.utime(transport_file, (old, old))
    stock = DeliveringPostfix(dict({name: value for name, value in NOTICES.items() if name != "myhostname"},
                                   transport_maps="texthash:%s" % transport_file))
    with open(stock.config / "master.cf", "a", encoding="ascii") as master_cf:
        master_cf.write("lmtp unix - - n - 1 lmtp\n")
    with ScriptedSmtp("127.0.0.1", port) as by_tcp, ScriptedSmtp(str(directory / "lmtp"), None) as by_unix:
        os.chmod(directory / "lmtp", 0o777)
        with stock, OurSystem(bin_directory, files, transport_file) as ours:
            systems = ((ours, ours.log), (stock, lambda: stock.log))
            for sender in SENDERS:
                found = [transcripts(system, log, (by_tcp, by_unix), [SINK], {"RCPT": b"503 x\r\n"}, sender) for system, log in systems]
                checks.equal("mail from <%s>" % sender, *found)
            for name, recipients, script in CASES:
                found = [transcripts(system, log, (by_tcp, by_unix), recipients.split(), script) for system, log in systems]
                checks.equal("%s: how many transcripts" % name, len(found[0]), len(found[1]))
                for one, other in zip(*found):
                    compare_lists(checks, "%s: the transcript" % name, one, other)


if __name__ == "__main__":
    sys.exit(run_server_test("transcripts of deliveries", run_checks))
