#!/usr/bin/env python3
"""What senders and the postmaster are told about mail, as the distribution's Postfix tells it: the same message and what became
of it, and then the notices, byte for byte but for times and queue IDs, and the lines of the log."""
import os
import re
import shutil
import sys

from checks import environment, run, wait_until
from delivering_postfix import DeliveringPostfix
from milter_server import CONTINUE, ScriptedMilter, add_header
from queue_records import normal, normal_records
from scripted_smtp import ScriptedSmtp
from server import NoServer, find_program, free_port, run_server_test
from two_systems import compare_lists

HELLO = b"Subject: hello\nMessage-ID: <hello@example.org>\nFrom: ann@example.org\n\nbody\n"
KEEP = "keep@stay.test|NOTIFY=NEVER"  # So that the message stays, and can be looked at.
STATUS = re.compile(r"(\w+)\[\d+\]: (\w+): to=<(.*?)>, (?:orig_to=<.*?>, )?relay=(.*?), delay=.*?, dsn=(.*?), "
                    r"status=([\w-]+) \((.*)\)")
NOTICE = r"bounce\[\d+\]: %s: (?:sender|postmaster) .*notification: (\w+)"

SINK = {"EHLO": b"250-mx.example\r\n250 8BITMIME\r\n",
        "RCPT TO:<bad@sink.test>": b"550-5.7.1 multi line\r\n550 5.7.1 reply of <bad> sink\r\n",
        "RCPT TO:<late@sink.test>": b"450 4.2.1 later please\r\n"}
SEES = {"eom": lambda _: [add_header("X-Seen", "yes"), CONTINUE]}
SINK_REPORTS = {
    "bad@sink.test": ["server=127.0.0.1", "type=smtp",
                      "diagnostic=550-5.7.1 multi line 550 5.7.1 reply of <bad> sink"],
    "late@sink.test": ["server=127.0.0.1", "type=smtp", "diagnostic=450 4.2.1 later please"],
    "good@sink.test": ["server=127.0.0.1", "type=smtp", "diagnostic=250 2.0.0 taken", "action=relayed"],
}

TEMPLATES = """\
failure_template = <<END
Charset: iso-8859-1
From: Bounce Hauser <bounce@example.org>
Subject: Mine $myhostname
Postmaster-Subject: PM mine

Text \u00fc at $myhostname $mydomain ${myhostname} $maximal_queue_lifetime_days

last
END
success_template = <<END
From: OK

ok
END
"""


class Case:
    """`count` notices, of the kinds. `asks`: by sendmail(1) with that option, for a report."""

    def __init__(self, name, recipients, count, kinds=("failure",), sender="ann@example.org", content=HELLO, asks=None):
        self.name, self.recipients, self.count, self.kinds = name, list(recipients), count, kinds
        self.sender, self.content, self.asks = sender, content, asks


def body_of(size):
    return b"Subject: long\n\n" + b"".join(b"line %d\n" % i for i in range(size // 10))


WORDS = "a bb ccc dddd eeeee ffffff ggggggg hhhhhhhh iiiiiiiii "
REASONS = ["5.1.1 " + "x" * n + " " + WORDS * 3 for n in range(1, 24)] + ["5.1.1 " + "y" * 100,
           "5.1.1 two  blanks   and\ttabs " * 5]

# Each stock Postfix with its parameters, and the cases that it is the judge of.
SITES = [
    ("plain", {"notify_classes": "", "header_checks": "regexp:{{/^Subject: (probe|report)/ HOLD}}"}, [
        Case("one recipient", ["bob@bad.test", KEEP], 1),
        Case("two recipients, one folded", ["bob@long.bad.test", "ann@bad.test", KEEP], 1),
        Case("an envelope ID", ["bob@bad.test", KEEP], 1, sender="ann@example.org|ENVID=abc+2Bd"),
        Case("an original recipient", ["bob@bad.test|ORCPT=rfc822;carl+2B@elsewhere.test", KEEP], 1),
        Case("quoted addresses", ['"a b"@bad.test', KEEP], 1, sender='"ann x"@example.org'),
        Case("headers only", ["bob@bad.test", KEEP], 1, sender="ann@example.org|RET=HDRS"),
        Case("7-bit text", ["bob@bad.test", KEEP], 1, sender="ann@example.org|BODY=7BIT"),
        Case("8-bit text", ["bob@bad.test", KEEP], 1, sender="ann@example.org|BODY=8BITMIME",
             content="Subject: \u00fc\n\n\u00fc\n".encode()),
        Case("SMTPUTF8", ["b\u00fcb@bad.test", KEEP], 1, sender="ann@example.org|SMTPUTF8 BODY=8BITMIME",
             content="Subject: \u00fc\n\n\u00fc\n".encode()),
        Case("a sender that is not ASCII", ["bob@bad.test", KEEP], 1, sender="\u00fcnn@example.org|SMTPUTF8",),
        Case("nobody wants to know", ["bob@bad.test|NOTIFY=NEVER", "carl@bad.test|NOTIFY=SUCCESS", KEEP], 0),
        Case("one wants to know", ["bob@bad.test|NOTIFY=NEVER", "carl@bad.test|NOTIFY=FAILURE,DELAY", KEEP], 1),
        Case("no body", ["bob@bad.test", KEEP], 1, content=b"Subject: x\n"),
        Case("no headers", ["bob@bad.test", KEEP], 1, content=b"\njust text\n"),
        Case("nothing", ["bob@bad.test", KEEP], 1, content=b""),
        Case("long lines", ["bob@bad.test", KEEP], 1, content=b"Subject: x\n\n" + b"y" * 5000 + b"\n"),
        Case("dots and dashes", ["bob@bad.test", KEEP], 1, content=b"Subject: x\n\n..\n--\n--x\nFrom y\n\n\n"),
        Case("a message of MIME parts", ["bob@bad.test", KEEP], 1,
             content=b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b--\n"),
        Case("a message at the limit", ["bob@bad.test", KEEP], 1, content=body_of(49600)),
        Case("a message beyond the limit", ["bob@bad.test", KEEP], 1, content=body_of(52000)),
        Case("the null sender", ["bob@bad.test", KEEP], 0, sender=""),
        Case("the sender of double bounces", ["bob@bad.test", KEEP], 0, sender="double-bounce@mail.example.org"),
        Case("VERP", ["bob@bad.test", "carl+x@bad.test", "d@long.bad.test", KEEP], 3, sender="list@example.org|XVERP"),
        Case("VERP with delimiters", ["bob@bad.test", KEEP], 1, sender="list-x@example.org|XVERP=-="),
        Case("a server's reply", ["bad@sink.test", KEEP], 1),
        Case("success", ["bob@virt.test|NOTIFY=SUCCESS", KEEP], 1, ("trace",)),
        Case("success of a relay", ["good@sink.test|NOTIFY=SUCCESS", KEEP], 1, ("trace",)),
        Case("success of an alias", ["fwd@local.test|NOTIFY=SUCCESS,FAILURE", KEEP], 1, ("trace",)),
        Case("a report", ["bob@virt.test", "carl@bad.test", "fwd@local.test", "good@sink.test"], 2,
             ("failure", "trace"), content=b"Subject: report\n\nhello\n", asks="-v"),
        Case("a probe", ["bob@virt.test", "carl@bad.test", "dan@late.test", "bad@sink.test", "late@sink.test",
                         "nobody@local.test"], 1, ("probe",), asks="-bv"),
        Case("a report to the null sender", ["carl@bad.test"], 0, ("probe",), sender="", asks="-bv"),
        Case("success and failure", ["bob@virt.test|NOTIFY=SUCCESS", "bob@bad.test", KEEP], 2, ("failure", "trace"),
             sender="ann@example.org|RET=FULL"),
    ]),
    ("reasons", {"notify_classes": ""}, [Case("a reason of %d bytes" % len(reason), ["bob@r%d.bad.test" % number, KEEP], 1)
                                         for number, reason in enumerate(REASONS)]),
    ("postmaster", {"notify_classes": "bounce, delay", "mail_name": "Mail-X", "myorigin": "origin.test",
                    "delay_warning_time": "2h"}, [
        Case("a copy", ["bob@bad.test", "carl@bad.test|NOTIFY=NEVER", KEEP], 2, sender="ann@example.org|ENVID=x"),
        Case("a copy where nobody wants to know", ["bob@bad.test|NOTIFY=NEVER", KEEP], 1),
        Case("copies of VERP", ["bob@bad.test", "carl@bad.test", KEEP], 4, sender="list@example.org|XVERP"),
        Case("a double bounce", ["bob@bad.test", KEEP], 1, sender=""),
        Case("a double bounce beyond the limit", ["bob@bad.test", KEEP], 1, sender="", content=body_of(52000)),
    ]),
    ("double bounces only", {"notify_classes": "2bounce", "myorigin": "origin.test"}, [
        Case("a double bounce", ["bob@bad.test", KEEP], 1, sender=""),
        Case("a bounce", ["bob@bad.test", KEEP], 1),
    ]),
    ("delay", {"notify_classes": "delay", "delay_warning_time": "1s", "maximal_queue_lifetime": "3d"}, [
        Case("late mail", ["bob@late.test", "late@sink.test", KEEP], 2, ("delay",)),
        Case("late mail nobody waits for", ["bob@late.test|NOTIFY=SUCCESS", KEEP], 1, ("delay",)),
    ]),
    ("no SMTPUTF8", {"notify_classes": "", "smtputf8_enable": "no"}, [
        Case("text of no known kind", ["bob@bad.test", KEEP], 1),
        Case("7-bit text", ["bob@bad.test", "carl@long.bad.test", KEEP], 1, sender="ann@example.org|BODY=7BIT"),
        Case("8-bit text", ["bob@bad.test", KEEP], 1, sender="ann@example.org|BODY=8BITMIME",
             content="Subject: \u00fc\n\n\u00fc\n".encode()),
        Case("success", ["bob@virt.test|NOTIFY=SUCCESS", KEEP], 1, ("trace",), sender="ann@example.org|BODY=8BITMIME"),
    ]),
    ("templates", {"notify_classes": "bounce", "bounce_template_file": "{files}/bounce.cf", "enable_threaded_bounces": "yes",
                   "header_from_format": "obsolete", "bounce_size_limit": "300"}, [
        Case("failure", ["bob@bad.test", KEEP], 2),
        Case("success", ["bob@virt.test|NOTIFY=SUCCESS", KEEP], 1, ("trace",)),
        Case("a Message-ID with a comment", ["bob@bad.test", KEEP], 2, content=b"Message-ID: <x@y> (z)\n\nbody\n"),
        Case("a Message-ID in a fold", ["bob@bad.test", KEEP], 2, content=b"Message-ID:\n <x@y>\n\nbody\n"),
        Case("blanks around a Message-ID", ["bob@bad.test", KEEP], 2, content=b"Message-ID:  <x@y>  \nReferences: <r@x>\n\nb\n"),
        Case("two of them", ["bob@bad.test", KEEP], 2, content=b"Message-ID: <a@b>\nMessage-ID: <c@d>\n\nbody\n"),
    ]),
    ("filtered", {"notify_classes": "bounce", "non_smtpd_milters": "{milter}", "internal_mail_filter_classes": "bounce"}, [
        Case("the sender's notice", ["bob@bad.test", KEEP], 2),
        Case("success", ["bob@virt.test|NOTIFY=SUCCESS", KEEP], 1, ("trace",)),
    ]),
    ("mapped", {"notify_classes": "bounce", "canonical_maps": "inline:{ann@example.org=can@example.org, "
                "MAILER-DAEMON@mail.example.org=daemon@example.org}", "virtual_alias_maps":
                "inline:{can@example.org=va@example.org, al@bad.test=real@bad.test}", "always_bcc": "",
                "recipient_bcc_maps": "inline:{va@example.org=vb@example.org, can@example.org=cb@example.org}",
                "sender_bcc_maps": "inline:{MAILER-DAEMON=sb@example.org}",
                "header_checks": "regexp:{{/^Subject:.*Mail/ WARN seen}}", "internal_mail_filter_classes": "bounce"}, [
        Case("addresses are mapped", ["al@bad.test", KEEP], 2),
        Case("VERP tells the alias", ["al@bad.test", KEEP], 2, sender="list@example.org|XVERP"),
    ]),
]


def bounce_lines(log, notices, queue_id):
    """What bounce(8) and, of notices, cleanup(8) say."""
    lines = []
    for line in re.findall(r"postfix/((?:bounce|cleanup)\[\d+\]: .*)", log):
        line = re.sub(r"\[\d+\]", "", line)
        wanted = [queue_id] if line.startswith("bounce") else notices
        if any(each in line for each in wanted):
            lines.append(normal(line))
    return sorted(lines)


def settled(records):
    """Without what differs: times, and of the distribution's older release, quotes around what need none (RFC 6531)."""
    out = []
    for kind, text in records:
        text = re.sub(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [ \d]\d .*", "DATE", text)
        text = re.sub(r"ID\.\d+/", "ID.TIME/", text).replace('"\\\udcc3\\\udcbcnn"', "\udcc3\udcbcnn")
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        out.append((kind, text if kind != "W" else "TIME"))
    return out


class Site:
    def __init__(self, checks, program, directory, name, main_cf, cases, sink_port, milter):
        self.checks, self.program, self.name, self.cases = checks, program, name, cases
        self.files = directory / re.sub(r"\W", "-", name)
        self.files.mkdir()
        (self.files / "bounce.cf").write_text(TEMPLATES, encoding="latin-1")
        (self.files / "bounce.cf").chmod(0o644)
        main_cf = {key: value.replace("{files}", str(self.files)).replace("{milter}", milter) for key, value in main_cf.items()}
        self.stock = DeliveringPostfix(main_cf, {"fwd": "other@example.org"}, REASONS if name == "reasons" else (), sink_port)
        self.queue = self.files / "queue"
        for queue in ("incoming", "bounce", "defer", "trace", "deferred"):
            (self.queue / queue).mkdir(parents=True)
        ours = {"config_directory": self.stock.config, "queue_directory": self.queue, "maillog_file": self.files / "mail.log",
                "maillog_file_prefixes": self.files, "mail_owner": "root"}
        self.main_cf = self.files / "main.cf"
        self.main_cf.write_text((self.stock.config / "main.cf").read_text() + "".join("%s = %s\n" % item for item in ours.items()))

    def run(self):
        with self.stock:
            for case in self.cases:
                self.compare(case)

    def compare(self, case):
        name = "%s: %s" % (self.name, case.name)
        start = len(self.stock.log)
        queue_id, message = self.submit(case, start)
        notices = self.stock.wait_for(NOTICE % queue_id, case.count, start) if case.count else []
        message = message or self.stock.file_of(queue_id)
        theirs = [settled(normal_records(self.stock.file_of(each))) for each in notices]
        statuses = [match for match in STATUS.findall(self.stock.log[start:]) if match[1] == queue_id]
        log, got = self.send_ours(case, message, statuses)
        self.checks.equal("%s: notices" % name, len(got), len(theirs))
        our_notices = re.findall(NOTICE % queue_id, log)
        for number, (ours, wanted) in enumerate(zip(got, theirs), 1):
            compare_lists(self.checks, "%s: notice %d" % (name, number), ours, wanted)
        if not case.asks:  # Others do not stay.
            logs = [(queue / "defer" / queue_id[0] / queue_id).read_text() for queue in (self.queue, self.stock.queue)]
            self.checks.equal("%s: the log of delays" % name, *logs)
        compare_lists(self.checks, "%s: the log" % name, bounce_lines(log, our_notices, queue_id),
                      bounce_lines(self.stock.log[start:], notices, queue_id))

    def submit(self, case, start):
        """The queue ID; and a copy of the message, of those that do not stay."""
        if not case.asks:
            return self.stock.send(case.sender, case.recipients, case.content), None
        self.stock.sendmail(case.asks, "-f", case.sender, *case.recipients, content=case.content)
        queue_id = self.stock.wait_for(r": (\w+): hold: header", 1, start)[0]
        held, copy = self.stock.queue / "hold" / queue_id, self.files / queue_id
        wait_until(lambda: held.exists() and os.access(held, os.X_OK))
        shutil.copyfile(held, copy)
        for program, option in (("postsuper", "-H"), ("postqueue", "-i")):
            done = run([find_program(program), "-c", self.stock.config, option, queue_id])
            assert done.status == 0, done
        self.stock.wait_for(r"qmgr\[\d+\]: (%s): removed" % queue_id, 1, start)
        return queue_id, copy

    def commands(self, case, statuses):
        notify = dict(each.partition("|")[::2] for each in case.recipients)
        for service, _, address, relay, code, status, text in statuses:
            kinds = {"bounced": ["failure"], "deferred": ["delay"]}.get(status, [])
            if case.asks == "-v" or (status == "sent" and "SUCCESS" in notify.get(address, "")):
                kinds.append("trace")
            if case.asks == "-bv":
                kinds = ["probe"]
                status = "sent" if status == "deliverable" else "bounced"
            action = ["action=relayed" if case.asks else "action=expanded"] if service == "local" else []
            for kind in kinds:
                yield ["record", kind, address.replace('"', ""), "outcome=" + status, "relay=" + relay, "code=" + code,
                       "text=" + text, *SINK_REPORTS.get(address, []), *action]
        for kind in case.kinds:
            yield ["send", kind]

    def send_ours(self, case, message, statuses):
        """Our log, and the records of our notices in its order."""
        copy = self.queue / "deferred" / message.name
        shutil.copyfile(message, copy)
        start = len(self.log())
        arguments = []
        for command in self.commands(case, statuses):
            arguments += command + [","]
        done = run([self.program, self.main_cf, copy, *arguments], env=environment())
        assert done.status == 0 and "not sent" not in done.out, (done, self.log()[start:])
        log = self.log()[start:]
        records = [settled(normal_records(self.queue / "incoming" / each))
                   for each in re.findall(NOTICE % message.name, log)]
        left = [path.name for queue in ("bounce", "trace") for path in (self.queue / queue).iterdir()]
        self.checks.equal("%s: %s: no logs are left" % (self.name, case.name), left, [])
        return log, records

    def log(self):
        path = self.files / "mail.log"
        return path.read_text() if path.exists() else ""


def main(checks, bin_directory, directory):
    if not (bin_directory / "notice_program").exists():
        raise NoServer("no notice_program")
    port = free_port()
    with ScriptedSmtp("127.0.0.1", port, SINK), ScriptedMilter(SEES) as milter:
        for name, main_cf, cases in SITES:
            Site(checks, bin_directory / "notice_program", directory, name, main_cf, cases, port, milter.endpoint).run()


if __name__ == "__main__":
    sys.exit(run_server_test("notices", main))
