#!/usr/bin/env python3
"""What postexplain says of mails, against what the distribution's Postfix does with them: replies, recipients, transports, next
hops. And that it leaves nothing behind. The restrictions are compared by tests/differential/explain_differential.py.

usage: postexplain_test.py --bin DIR
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import smtplib
import sys
import time

from checks import Checks, run
from milter_server import (CONTINUE, DISCARD, ScriptedMilter, add_header, add_recipient, change_header, change_sender,
                           delete_recipient, quarantine, replace_body, reply_code)
from server import NoServer, private_directory
from stock_postfix import StockPostfix

DEADLINE = 30  # seconds, for one mail
TRANSPORTS = ("smtp", "relay", "local", "virtual", "hub", "scan", "uucp")
MAIN_CF = {
    "myhostname": "mx.local.example",
    "mydestination": "local.example, $myhostname",
    "myorigin": "local.example",
    "append_dot_mydomain": "no",
    "mynetworks": "127.0.0.0/8",
    "recipient_delimiter": "+",
    "relay_domains": "relay.example",
    "virtual_alias_domains": "va.example",
    "virtual_alias_maps": "texthash:$config_directory/virtual",
    "virtual_mailbox_domains": "vm.example",
    "virtual_mailbox_maps": "static:box",
    "canonical_maps": "inline:{ {old@local.example=new@local.example}, {@gone.example=@here.example} }",
    "sender_canonical_maps": "inline:{ {root@local.example=it@example.com} }",
    "masquerade_domains": "masked.example",
    "masquerade_exceptions": "root",
    "relocated_maps": "inline:{ {moved@local.example=there@example.net} }",
    "transport_maps": "texthash:$config_directory/transport",
    "sender_dependent_default_transport_maps": "inline:{ {it@example.com=hub:[it.example]}, {@dunno.example=DUNNO} }",
    "recipient_bcc_maps": "inline:{ {copied@local.example=keeper@far.example} }",
    "sender_bcc_maps": "inline:{ {watched@x.example=watcher@local.example} }",
    "relayhost": "[relay.host.example]:587",
    "header_checks": "regexp:$config_directory/header_checks",
    "body_checks": "regexp:$config_directory/body_checks",
    "notify_classes": "",
    "bounce_notice_recipient": "nobody@local.example",
}
FILES = {
    "virtual": """\
bob@va.example        ann@local.example, carl@far.example
list@va.example       bob@va.example, eve@vm.example, list-archive
list-archive          archive@local.example
@catch.va.example     all@local.example
+ext@va.example       x
plus@va.example       plus@far.example
""",
    "transport": """\
far.example           relay:[hub.example]
.far.example          hub:
user@special.example  scan:[127.0.0.1]:10025
refused.example       error:5.7.1 not to there
only.example          :[next.example]
""",
    "header_checks": """\
/^Subject: reject/      REJECT not that
/^Subject: later/       REJECT 4.3.0 later
/^Subject: discard/     DISCARD
/^Subject: hold/        HOLD for a look
/^Subject: filter/      FILTER scan:[127.0.0.1]:10025
/^Subject: plainfilter/ FILTER scan:
/^Subject: redirect/    REDIRECT postmaster@far.example
/^Subject: copy/        BCC bob@va.example
/^Subject: pass/        PASS
/^Subject: number/      REJECT 5.7.99 with a code of its own
if /^X-Folded:/
/first.*second/         REJECT folded
endif
""",
    "body_checks": """\
/^buy now/              REJECT no advertising
/keep this/             HOLD
/send elsewhere/        REDIRECT body@far.example
""",
}
SENDERS = ("a@x.example", "", "root@local.example", "watched@x.example", "u@host.masked.example", "root@host.masked.example",
           "who@dunno.example", "old@local.example", '"a b"@x.example')
RECIPIENTS = ("ann@local.example", "bob@va.example", "list@va.example", "plus+tag@va.example", "x@far.example", "x@sub.far.example",
              "user@special.example", "other@special.example", "no@refused.example", "x@only.example", "eve@vm.example",
              "r@relay.example", "x@sub.relay.example", "moved@local.example", "copied@local.example", "old@local.example",
              "someone@gone.example", "ann", "ann%x.example@local.example", "x.example!ann@local.example", '"q r"@local.example',
              "x@[192.0.2.1]", "nobody@va.example", "Ann+Ext@Local.Example", "host!user")
MESSAGES = ("Subject: reject me", "Subject: later", "Subject: discard", "Subject: hold", "Subject: filter", "Subject: plainfilter",
            "Subject: redirect", "Subject: copy", "Subject: pass\nX-Folded: first\n second", "Subject: number",
            "X-Folded: first\n\tsecond", "Subject: x\n\nbuy now", "Subject: x\n\nplease keep this", "Subject: x\n\nsend elsewhere",
            "Subject: fine\n\nhello", "Subject: x\nContent-Type: message/rfc822\n\nSubject: reject\n\nx")


class ExplainedPostfix(StockPostfix):
    """Every transport throws mail away, and logs what it got."""

    def __init__(self):
        super().__init__({"smtpd": {}}, MAIN_CF)
        for name, text in FILES.items():
            (self.config / name).write_text(text)
            os.utime(self.config / name, (time.time() - 3600,) * 2)
        entries = ["qmgr unix n - n 300 1 qmgr\n"]
        entries += ["%s unix - - n - 1 discard\n  -o syslog_name=pk/%s\n" % (name, name) for name in TRANSPORTS]
        with open(self.config / "master.cf", "a", encoding="utf-8") as master_cf:
            master_cf.writelines(entries)

    def send(self, sender, recipient, message):
        """(reply of a refusal or "", queue ID or "")."""
        with smtplib.SMTP("127.0.0.1", self.port("smtpd"), "client.example", timeout=DEADLINE) as client:
            client.ehlo()
            for command in ("MAIL FROM:<%s>" % sender, "RCPT TO:<%s>" % recipient):
                code, text = client.docmd(command)
                if code >= 400:
                    return "%d %s" % (code, text.decode()), ""
            code, text = client.data((message + "\n").encode())
        text = text.decode()
        if code >= 400:
            return "%d %s" % (code, text), ""
        return "", text.rpartition(" ")[2]

    def outcome(self, queue_id):
        """What the log says became of a mail: (is held, {(transport, next hop, recipient)}); None: nothing yet."""
        log = self.log
        lines = [line for line in log.splitlines() if " %s: " % queue_id in line]
        if any(" hold: " in line for line in lines):
            return True, set()
        if any(" discard: " in line for line in lines):
            return False, set()
        if not any(line.endswith(": removed") for line in lines):
            return None
        found = set()
        for line in lines:
            match = re.search(r" (\S+)/(?:discard|error)\[\d+\]: \w+: to=<(.*?)>, .*status=\w+ \((.*)\)$", line)
            if match:
                name = match[1].removeprefix("pk/") if match[1].startswith("pk/") else "error"
                found.add((name, match[3], match[2]))
        return False, found

    def wait_for(self, queue_id):
        deadline = time.monotonic() + DEADLINE
        while True:
            outcome = self.outcome(queue_id)
            if outcome is not None or time.monotonic() > deadline:
                return outcome
            time.sleep(0.02)


def explained(explanation):
    """The same of an explanation. A bounce is logged with its status code split off."""
    found = {(each["transport"], each["nexthop"], each["recipient"]) for each in explanation["deliveries"]}
    return {(transport, re.sub(r"^\d\.\d+\.\d+ ", "", nexthop) if transport == "error" else nexthop, recipient)
            for transport, nexthop, recipient in found}


def check_against_stock(checks, program, directory):
    mails = [(sender, recipient, "Subject: x\n\nx") for sender in SENDERS[:1] for recipient in RECIPIENTS]
    mails += [(sender, recipient, "Subject: x\n\nx") for sender in SENDERS[1:]
              for recipient in ("ann@local.example", "x@y.example", "list@va.example")]
    mails += [("a@x.example", recipient, "From: a@x.example\nTo: ann\n" + message) for message in MESSAGES
              for recipient in ("ann@local.example", "bob@va.example")]
    with ExplainedPostfix() as stock:
        lines = []
        for number, (sender, recipient, message) in enumerate(mails):
            file = directory / ("message%d" % number)
            file.write_text(message + "\n")
            lines.append(shlex.join(["--sender", "<%s>" % sender, "--recipient", "<%s>" % recipient,
                                     "--message", str(file)]))
        cases = directory / "mails.cases"
        cases.write_text("\n".join(lines) + "\n")
        service = "127.0.0.1:%d" % stock.port("smtpd")
        done = run([program, "-j", "-c", stock.config, "--service", service, "--client", "127.0.0.1", "--no-dns",
                    "--client-name", "localhost", "--helo", "client.example", "--cases", cases])
        if not checks.check("all mails are explained", done.status == 0 and not done.err, done):
            return
        explanations = [json.loads(line) for line in done.out.splitlines()]
        sent = [stock.send(*mail) for mail in mails]
        for (sender, recipient, message), explanation, (reply, queue_id) in zip(mails, explanations, sent):
            name = "<%s> to <%s>, %r" % (sender, recipient, message.partition("\nTo: ann\n")[2] or message)
            if reply or "reply" in explanation:
                checks.equal("the reply to %s" % name, explanation.get("reply", ""), reply)
                continue
            outcome = stock.wait_for(queue_id)
            if outcome is None:
                checks.check("what becomes of %s" % name, False, stock.log[-2000:])
            elif outcome[0]:
                checks.equal("%s is held" % name, explanation["held"], True)
            elif not outcome[1]:
                checks.equal("%s is thrown away" % name, explanation["decision"], "discard")
            else:
                checks.equal("what becomes of %s" % name, sorted(explained(explanation)), sorted(outcome[1]))


def tree(directory):
    """All that is below a directory: names, times, contents."""
    found = []
    for path in sorted(directory.rglob("*")):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found.append((str(path), path.stat().st_mtime_ns, path.stat().st_mode, content))
    return found


def check_leaves_nothing(checks, program, directory):
    """Anybody may ask, in a directory that he may not write to, without a network and a queue."""
    config = directory / "config"
    config.mkdir()
    main_cf = dict(MAIN_CF, compatibility_level="3.6", queue_directory=directory / "no-queue", alias_maps="", local_recipient_maps="",
                   data_directory=directory / "no-data", maillog_file=directory / "mail.log",
                   maillog_file_prefixes=directory, inet_interfaces="127.0.0.1", smtpd_milters="inet:127.0.0.1:9",
                   smtpd_client_restrictions="check_policy_service inet:127.0.0.1:9, reject_unknown_client_hostname")
    (config / "main.cf").write_text("".join("%s = %s\n" % item for item in main_cf.items()))
    (config / "master.cf").write_text("smtp inet n - n - - smtpd\nlocal unix - n n - - local\n")
    for name, text in FILES.items():
        (config / name).write_text(text)
    directory.chmod(0o755)
    before = tree(directory)
    command = [program, "-c", config, "--client", "192.0.2.7", "--client-name", "c.example", "--helo", "x",
               "--sender", "a@b.example", "--recipient", "ann@local.example", "--message", config / "virtual"]
    if os.geteuid() == 0 and shutil.which("setpriv") and shutil.which("unshare"):
        command = ["unshare", "-n", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + command
    done = run(command)
    checks.check("a user without rights and without a network may ask", done.status == 0 and not done.err, done)
    checks.check("the mail is accepted", "\nverdict: permit, local:" in done.out, done.out)
    checks.equal("nothing is left behind", tree(directory), before)


LIVE_MAIN_CF = """\
compatibility_level = 3.6
myhostname = mx.local.example
mydestination = local.example
smtpd_peername_lookup = no
local_recipient_maps =
smtpd_milters = %s, %s
milter_mail_macros = {client_addr} {mail_host}
"""
LIVE_MESSAGE = "Received: from elsewhere\nSubject: hello\nX-Old: 1\n\nbody\n"


def check_live_milters(checks, program, directory):
    """With --live, milters are told the session; what they change goes with the mail."""
    (directory / "message").write_text(LIVE_MESSAGE)
    with ScriptedMilter() as first, ScriptedMilter() as second:
        (directory / "main.cf").write_text(LIVE_MAIN_CF % (first.endpoint, second.endpoint))
        (directory / "master.cf").write_text("smtp inet n - n - - smtpd\nlocal unix - n n - - local\n")

        def explain(*more, script=None):
            first.start(script or {})
            second.start({})
            return run([program, "-c", directory, "--live", "--client", "192.0.2.7", "--helo", "mx.example", "--sender",
                        "a@b.example", "--recipient", "ann@local.example", *more])

        done = explain()
        checks.check("live: who has nothing to say", done.status == 0 and "\nverdict: permit, local:" in done.out and
                     all("milter %s, DATA: continue" % each.endpoint in done.out for each in (first, second)), done)
        first.wait_until_over()
        checks.equal("live: the session is told", first.events,
                     ["connect [192.0.2.7] 4 192.0.2.7", "helo mx.example", "mail <a@b.example>", "rcpt <ann@local.example>",
                      "data", "abort", "quit", "closed"])
        checks.equal("live: with macros", [values for event, values in first.macros if event == "mail"],
                     [{"{client_addr}": "192.0.2.7", "{mail_host}": "b.example"}])
        done = explain(script={"rcpt": [reply_code("550 5.7.1 not you")]})
        checks.check("live: a refusal", "milter %s, RCPT: 550 5.7.1 not you" % first.endpoint in done.out and
                     "\nverdict: reject at RCPT: 550 5.7.1 not you" in done.out, done)
        checks.equal("live: the other one is not asked then", [each for each in second.events if each.startswith("rcpt")], [])
        done = explain(script={"mail": [DISCARD]})
        checks.check("live: who throws it away", "\nverdict: discard" in done.out, done)
        message = ("--message", directory / "message")
        edits = [add_header("X-Spam", "yes"), change_header(1, "Subject", "changed"), delete_recipient("<ann@local.example>"),
                 add_recipient("<bob@local.example>"), change_sender("<c@d.example>"), replace_body(b"new\r\n"),
                 quarantine("to be looked at"), CONTINUE]
        done = explain(*message, script={"eom": edits})
        for part in ("added: header X-Spam: yes", "removed: header Subject: hello", "added: header Subject: changed",
                     "removed: recipient <ann@local.example>", "added: recipient <bob@local.example>",
                     "removed: sender <a@b.example>", "added: sender <c@d.example>", "replaced: the body", "hold queue"):
            checks.check("live: a change: %s" % part, part in done.out, done)
        checks.check("live: headers that stay are not told of", "X-Old" not in done.out, done)
        checks.check("live: mail goes where they want it", "for <bob@local.example>" in done.out and
                     "for <ann@local.example>" not in done.out, done)
        second.wait_until_over()
        checks.check("live: the next one sees it", "header X-Spam yes" in second.events and
                     "header Received from elsewhere" in second.events, second.events)
        done = explain(*message, script={"eom": [reply_code("554 5.6.0 bad content")]})
        checks.check("live: content is refused", "\nverdict: reject at end of data: 554 5.6.0 bad content" in done.out, done)
    done = run([program, "-c", directory, "--live", "--client", "192.0.2.7", "--sender", "a@b.example", "--recipient",
                "ann@local.example"])
    checks.check("live: nobody there", "Connection refused" in done.out and "\nverdict: defer at CONNECT: 421 4.7.0" in done.out, done)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    program = pathlib.Path(parser.parse_args().bin).resolve() / "postexplain"
    checks = Checks()
    directory = private_directory()
    try:
        check_leaves_nothing(checks, program, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    directory = private_directory()
    try:
        check_live_milters(checks, program, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    directory = private_directory()
    try:
        check_against_stock(checks, program, directory)
    except NoServer as error:
        checks.skip("what the distribution's Postfix does", str(error))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
