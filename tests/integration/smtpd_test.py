#!/usr/bin/env python3
"""Runs our mail system, talks to it, reloads it, kills its server, and looks at what is in the queue; as root, beside the
distribution's Postfix.

usage: smtpd_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import concurrent.futures
import os
import re
import signal
import smtplib
import socket
import stat
import sys
import time

from checks import run
from mail_system import MailSystem
from server import NoServer, free_port, run_server_test
from stock_postfix import Conversation, StockPostfix, exchange

MESSAGE = b"Subject: hello\r\n\r\nfirst line\r\n..dot\r\n"
STORED = b"first line"
KILLED_MESSAGES = 300


def queued(smtp, sender="ann@example.org", recipient="bob@example.com"):
    """Sends a message; the queue ID from the reply."""
    for command in ("MAIL FROM:<%s>" % sender, "RCPT TO:<%s>" % recipient):
        code, text = smtp.docmd(command)
        assert code == 250, (command, code, text)
    code, text = smtp.docmd("DATA")
    assert code == 354, (code, text)
    smtp.send(MESSAGE + b".\r\n")
    code, text = smtp.getreply()
    assert code == 250, (code, text)
    return text.decode().split()[-1]


def check_control(checks, system):
    checks.equal("status: it runs", system.postfix("status").status, 0)
    again = system.postfix("start")
    checks.check("a second start is refused",
                 again.status == 1 and "the Postfix mail system is already running" in again.err, again)
    checks.check("the log says that it started", "postfix/master[" in system.log() and "daemon started" in system.log(),
                 system.log())


def check_mail(checks, system):
    with system.client() as smtp:
        checks.equal("EHLO", smtp.ehlo()[1].split(b"\n"),
                     [b"mail.example.com", b"PIPELINING", b"SIZE 10240000", b"VRFY", b"ETRN", b"ENHANCEDSTATUSCODES",
                      b"8BITMIME", b"DSN", b"SMTPUTF8", b"CHUNKING"])
        queue_id = queued(smtp)
        checks.equal("a message in BDAT chunks", (smtp.docmd("MAIL FROM:<>"), smtp.docmd("RCPT TO:<bob@example.com>")),
                     ((250, b"2.1.0 Ok"), (250, b"2.1.5 Ok")))
        smtp.send(b"BDAT 10\r\nSubject: y")
        checks.equal("a first chunk", smtp.getreply(), (250, b"2.0.0 Ok: 10 bytes"))
        smtp.send(b"BDAT 8 LAST\r\n\r\n\r\nhi\r\n")
        code, text = smtp.getreply()
        checks.check("the last chunk", code == 250 and text.startswith(b"2.0.0 Ok: 18 bytes queued as "), text)
    file = system.queue / "incoming" / queue_id
    checks.equal("an acknowledged message is complete in the queue", stat.S_IMODE(file.stat().st_mode), 0o700)
    data = file.read_bytes()
    checks.check("with its content", STORED in data and b".dot" in data and b"..dot" not in data, data)
    for line in ("connect from unknown[127.0.0.1]", "%s: client=unknown[127.0.0.1]" % queue_id,
                 "%s: message-id=<" % queue_id,
                 "disconnect from unknown[127.0.0.1] ehlo=1 mail=2 rcpt=2 data=1 bdat=2 quit=1 commands=9"):
        checks.check("the log has: %s" % line.replace(queue_id, "ID"), system.wait_for(lambda l=line: l in system.log()),
                     system.log)


def check_restrictions(checks, system, strict_port):
    with system.client(strict_port) as smtp:
        smtp.ehlo()
        smtp.docmd("MAIL FROM:<ann@example.org>")
        checks.equal("relay denied", smtp.docmd("RCPT TO:<x@elsewhere.example>"),
                     (554, b"5.7.1 <x@elsewhere.example>: Relay access denied"))
        checks.equal("a recipient here", smtp.docmd("RCPT TO:<bob@example.com>"), (250, b"2.1.5 Ok"))
        checks.equal("a rule of a table", smtp.docmd("RCPT TO:<spamtrap@example.com>"),
                     (554, b"5.7.1 <spamtrap@example.com>: Recipient address rejected: no thanks"))
    checks.check("the log has the refusal",
                 "reject: RCPT from unknown[127.0.0.1]: 554 5.7.1 <x@elsewhere.example>: Relay access denied; "
                 "from=<ann@example.org> to=<x@elsewhere.example> proto=ESMTP helo=<client.example>" in system.log(),
                 system.log)


def check_reload(checks, system):
    port = free_port()
    with system.client() as before:
        before.ehlo()
        before.docmd("MAIL FROM:<ann@example.org>")
        system.write_master_cf("127.0.0.1:%d inet n - n - - smtpd\n  -o smtpd_banner=new.example\n" % port)
        checks.equal("reload", system.postfix("reload").status, 0)

        def greets():
            try:
                with system.client(port):
                    return True
            except OSError:
                return False
        checks.check("a service that was added answers", system.wait_for(greets), system.log)
        checks.equal("a session of before goes on", before.docmd("RCPT TO:<bob@example.com>"), (250, b"2.1.5 Ok"))
    system.write_master_cf("other inet n - n - - no-such-command\n")
    system.postfix("reload")
    checks.check("a reload with an error is refused, with its line",
                 system.wait_for(lambda: "no such command: no-such-command" in system.log()), system.log)
    line = len((system.config / "master.cf").read_text().splitlines())
    checks.check("the error names the line", "master.cf: line %d: service other/inet" % line in system.log(), system.log)
    with system.client(port) as smtp:
        checks.equal("and what was before stays", smtp.ehlo()[0], 250)
    system.write_master_cf()
    system.postfix("reload")
    checks.check("a service that was removed is gone", system.wait_for(lambda: not greets()), system.log)


def check_watched_client(checks, system):
    """debug_peer_list: all that is said, but for passwords."""
    port = free_port()
    system.write_master_cf("127.0.0.1:%d inet n - n - - smtpd\n  -o {debug_peer_list = 192.0.2.0/24, 127.0.0.0/8}\n" % port)
    system.postfix("reload")
    system.wait_for(lambda: not refuses(port))
    with system.client(port) as smtp:
        smtp.ehlo()
        smtp.docmd("AUTH PLAIN AGpvZQBzZWNyZXQ=")
        smtp.docmd("HELP me")
    for line in ("> unknown[127.0.0.1]: 220 mail.example.com ESMTP Postfix", "< unknown[127.0.0.1]: ehlo client.example",
                 "> unknown[127.0.0.1]: 250-mail.example.com", "> unknown[127.0.0.1]: 250-PIPELINING", "< unknown[127.0.0.1]: AUTH PLAIN (not shown)",
                 "< unknown[127.0.0.1]: HELP me", "< unknown[127.0.0.1]: QUIT", "> unknown[127.0.0.1]: 221 2.0.0 Bye"):
        checks.check("debug_peer_list: %s" % line, system.wait_for(lambda wanted=line: re.search(r"smtpd\[\d+\]: %s\n" % re.escape(wanted), system.log())),
                     system.log)
    checks.check("no password is in the log", "AGpvZQ" not in system.log())
    system.write_master_cf()
    system.postfix("reload")


def refuses(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def check_disabled(checks, system):
    """Ports that the administrator has switched off."""
    ports = [free_port(), free_port()]
    main_cf = system.config / "main.cf"
    good = main_cf.read_text()

    def listening():
        return [not refuses(port) for port in ports]
    system.write_master_cf("".join("127.0.0.1:%d inet n - n - - smtpd\n" % port for port in ports))
    one, other = ("127.0.0.1:%d/inet" % port for port in ports)
    for disabled, wanted in ((other, [True, False]), ("inet", [False, False]), ("!%s, inet" % one, [True, False]), ("inet, !" + one, [False, False]),
                             ("unix, pass", [True, True]), ("", [True, True])):
        main_cf.write_text(good + "master_service_disable = %s\n" % disabled)
        system.postfix("reload")
        checks.check("master_service_disable = %s" % disabled.replace(one, "ONE").replace(other, "OTHER"),
                     system.wait_for(lambda w=wanted: listening() == w), listening)
    main_cf.write_text(good)
    system.write_master_cf()
    system.postfix("reload")


def check_renamed_log(checks, system):
    """Whoever rotates the log renames it, and reloads."""
    log, old = system.directory / "mail.log", system.directory / "mail.log.1"
    log.rename(old)
    system.postfix("reload")
    checks.check("a reload makes a log that was renamed anew", system.wait_for(lambda: "reload -- version" in system.log()),
                 system.log)

    def is_heard():
        with system.client() as smtp:
            smtp.ehlo()
        return "disconnect from" in system.log()
    checks.check("and the server writes into it, too", system.wait_for(is_heard), system.log)
    checks.check("what was written before stays where it is", "daemon started" in old.read_text(), old.read_text)
    log.write_text(old.read_text() + log.read_text())  # For those who come next.


def check_kill(checks, system):
    """The server is killed again and again while clients send: what was acknowledged is in the queue, once."""
    acknowledged = []

    def send(number):
        for _ in range(50):
            try:
                with system.client() as smtp:
                    smtp.ehlo()
                    acknowledged.append((number, queued(smtp, recipient="u%d@example.com" % number)))
                    return
            except (OSError, smtplib.SMTPException, AssertionError):
                continue

    kills = 0
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        work = [clients.submit(send, number) for number in range(KILLED_MESSAGES)]
        while not all(each.done() for each in work):
            if len(acknowledged) > (kills + 1) * 40:
                for process in system.server_processes():
                    os.kill(process, signal.SIGKILL)
                kills += 1
            time.sleep(0.005)
        for each in work:
            each.result()
    checks.check("the server was killed several times", kills >= 3, kills)
    checks.equal("every client got its message through in the end", len({number for number, _ in acknowledged}),
                 KILLED_MESSAGES)
    messages = system.messages()
    lost = [queue_id for number, queue_id in acknowledged
            if b"u%d@example.com" % number not in messages.get(queue_id, b"")]
    checks.equal("no acknowledged message is lost", lost, [])
    checks.equal("each has a file of its own", len({queue_id for _, queue_id in acknowledged}), len(acknowledged))
    checks.check("the log tells of the kills", "killed by signal 9" in system.log(), system.log()[-500:])


def check_stop(checks, system):
    with system.client() as idle, system.client() as busy:
        for smtp in (idle, busy):
            smtp.ehlo()
        busy.docmd("MAIL FROM:<ann@example.org>")
        busy.docmd("RCPT TO:<bob@example.com>")
        with concurrent.futures.ThreadPoolExecutor(1) as other:
            stopping = other.submit(system.postfix, "stop")
            checks.equal("an idle session is told at a stop", idle.getreply(),
                         (421, b"4.3.2 mail.example.com Service shutting down"))
            waits = "postfix-script: waiting for the Postfix mail system to terminate"
            checks.check("a stop says that it waits", system.wait_for(lambda: waits in re.sub(r"\[\d+\]", "", system.log())),
                         system.log)
            busy.docmd("DATA")
            busy.send(MESSAGE + b".\r\n")
            checks.equal("a message on its way is taken still", busy.getreply()[0], 250)
            checks.equal("and then that session ends, too", busy.getreply(),
                         (421, b"4.3.2 mail.example.com Service shutting down"))
            checks.equal("stop", stopping.result().status, 0)
    checks.equal("status: it does not run", system.postfix("status").status, 1)
    checks.equal("a stop of what does not run", system.postfix("stop").status, 1)


SCRIPT = [
    b"EHLO client.example\r\n", b"RCPT TO:<a@example.org>\r\n", b"MAIL FROM:<ann@example.org> SIZE=100\r\n",
    b"MAIL FROM:<x@y>\r\n", b"RCPT TO:<bob@example.org>\r\n", b"RCPT TO:<@>\r\n", b"RCPT TO:bob@example.org\r\n",
    b"VRFY bob\r\n", b"NOOP\r\n", b"HELP\r\n", b"RSET\r\n", b"DATA\r\n", b"MAIL FROM:<> RET=HDRS ENVID=x\r\n",
    b"RCPT TO:<bob@example.org> NOTIFY=NEVER ORCPT=rfc822;b@c\r\n", b"DATA\r\n",
    b"Subject: x\r\n\r\nhello\r\n.\r\n", b"ETRN example.org\r\n", b"\r\n", b"QUIT\r\n",
]
QUEUE_ID = re.compile(rb"\b[0-9A-F]{10,}\b")


def normal(text):
    text = re.sub(rb"\*\*\* (.*) \S+/incoming/\S+ \*\*\*", rb"*** \1 FILE ***", text)
    text = QUEUE_ID.sub(b"ID", text)
    text = re.sub(rb"(_port[=:] ?)\d+", rb"\1PORT", text)
    text = re.sub(rb"Mon|Tue|Wed|Thu|Fri|Sat|Sun", b"Day", text)
    text = re.sub(rb"\d\d:\d\d:\d\d", b"TIME", text)
    text = re.sub(rb"<\d{14}\.", b"<STAMP.", text)
    return re.sub(rb"(?m)^message_size:.*$", b"", text)


def talk(port):
    with Conversation(port) as conversation:
        return [conversation.reply()] + [conversation.ask(line) for line in SCRIPT]


def check_beside_stock(checks, bin_directory, directory):
    """The same session with both; then what postcat says of the messages."""
    try:
        stock = StockPostfix({"smtpd": {}}, need=("master", "smtpd", "cleanup"))
    except NoServer as reason:
        checks.skip("the distribution's Postfix", str(reason))
        return
    with stock:
        theirs = talk(stock.port("smtpd"))
        (theirs_file,) = (stock.queue / "incoming").iterdir()
        theirs_text = stock.postcat(theirs_file)
        directory.mkdir()
        directory.chmod(0o755)
        same = ("myhostname = mail.example.org\nmydestination = example.org\nsmtpd_recipient_restrictions =\n"
                "smtpd_relay_restrictions = permit_mynetworks, reject\nsmtpd_reject_unlisted_recipient = no\n"
                "smtpd_error_sleep_time = 0\n")
        with MailSystem(bin_directory, directory, same) as ours:
            replies = talk(ours.port)
            ours_files = list((ours.queue / "incoming").iterdir())
            ours_text = stock.postcat(ours_files[0]) if ours_files else b""
    for line, our, their in zip([b"(greeting)"] + SCRIPT, replies, theirs):
        checks.equal("the reply to %r" % line, normal(our), normal(their))
    checks.equal("postcat says the same of both queue files", normal(ours_text).splitlines(),
                 normal(theirs_text).splitlines())


def check_routing(checks, bin_directory, directory):
    """allow_untrusted_routing, as Postfix has it."""
    directory.mkdir()
    directory.chmod(0o755)
    parameters = {"mydestination": "example.com", "relay_domains": "b.x", "allow_untrusted_routing": "yes",
                  "mynetworks": "192.0.2.1", "smtpd_relay_restrictions": "reject_unauth_destination"}
    question = [b"EHLO x\r\n", b"MAIL FROM:<a@b.c>\r\n"] + [b"RCPT TO:<%s>\r\n" % recipient for recipient in (
        b"a%b.x@b.x", b"a%c.x@b.x", b"a%b.x@example.com", b"a%c.x@example.com", b"a%b.x@c.x")]
    with MailSystem(bin_directory, directory, "".join("%s = %s\n" % item for item in parameters.items())) as system:
        ours = exchange(system.port, question)[3:]
    checks.equal("mail through a relay domain", [reply[:3] for reply in ours], [b"250", b"250", b"250", b"554", b"554"])
    try:
        with StockPostfix({"smtpd": {}}, parameters) as stock:
            checks.equal("so does Postfix", exchange(stock.port("smtpd"), question)[3:], ours)
    except NoServer as reason:
        checks.skip("Postfix with routing", str(reason))


def check_missing_table(checks, bin_directory, directory):
    """A server starts without a table; what needs it is answered with a temporary error, as Postfix does, until it is
    there."""
    directory.mkdir()
    directory.chmod(0o755)
    table = directory / "users"
    question = [b"EHLO x\r\n", b"MAIL FROM:<a@b.c>\r\n", b"RCPT TO:<joe@example.com>\r\n"]
    main_cf = "local_recipient_maps = cidr:%s\n" % table
    with MailSystem(bin_directory, directory, main_cf) as system:
        before = exchange(system.port, question)
        checks.equal("a table is missing", before[-1],
                     b"451 4.3.0 <joe@example.com>: Temporary lookup failure\r\n")
        for line in ("error: open %s: No such file or directory" % table,
                     "warning: cidr:%s is unavailable. open %s: No such file or directory" % (table, table),
                     'warning: cidr:%s lookup error for "joe@example.com"' % table):
            checks.check("the log has: %s" % line.replace(str(directory), "DIR"), line in system.log(), system.log)
        table.write_text("192.0.2.0/24 x\n")
        checks.equal("it is there", exchange(system.port, question)[-1],
                     b"550 5.1.1 <joe@example.com>: Recipient address rejected: User unknown in local recipient table\r\n")
    try:
        with StockPostfix({"smtpd": {"smtpd_reject_unlisted_recipient": "yes"}},
                          {"mydestination": "example.com", "local_recipient_maps": "cidr:%s.none" % table}) as stock:
            checks.equal("so does Postfix", exchange(stock.port("smtpd"), question)[-1], before[-1])
    except NoServer as reason:
        checks.skip("Postfix without a table", str(reason))


def run_checks(checks, bin_directory, directory):
    main = directory / "main"
    main.mkdir()
    main.chmod(0o755)
    system = MailSystem(bin_directory, main)
    strict_port = free_port()
    system.entries.append(
        "127.0.0.1:%d inet n - n - - smtpd\n"
        "  -o mynetworks=192.0.2.1 -o smtpd_relay_restrictions=reject_unauth_destination\n"
        "  -o smtpd_recipient_restrictions=$strict_restrictions\n" % strict_port)
    with open(system.config / "main.cf", "a", encoding="ascii") as main_cf:
        main_cf.write("service_throttle_time = 2s\n"  # Killed as often as here, a server else comes back after a minute.
                      "strict_restrictions = check_recipient_access "
                      "inline:{ { spamtrap@example.com = REJECT no thanks } }\n")
    system.write_master_cf()
    with system:
        check_control(checks, system)
        check_mail(checks, system)
        check_restrictions(checks, system, strict_port)
        check_reload(checks, system)
        check_watched_client(checks, system)
        check_disabled(checks, system)
        check_renamed_log(checks, system)
        check_kill(checks, system)
        check_stop(checks, system)
    check_beside_stock(checks, bin_directory, directory / "beside")
    check_missing_table(checks, bin_directory, directory / "missing")
    check_routing(checks, bin_directory, directory / "routing")
    bad = directory / "bad"
    bad.mkdir()
    broken = MailSystem(bin_directory, bad)
    broken.write_master_cf("x inet n - n - - nothing\n")
    line = len((broken.config / "master.cf").read_text().splitlines())
    done = broken.postfix("start")
    checks.check("a start with an error in master.cf fails, and says where",
                 done.status == 1 and "master.cf: line %d: service x/inet: no such command: nothing" % line in done.err, done)
    done = run([broken.program, "-c", broken.config, "no-such"])
    checks.check("an unknown command", done.status == 1 and "unknown command: 'no-such'" in done.err, done)


if __name__ == "__main__":
    sys.exit(run_server_test("a mail system", run_checks))
