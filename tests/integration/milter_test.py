"""Milters: the same scripted filter with our mail system and with the distribution's Postfix. What the filter is told, the
replies, the lines of the log and the queue files must be the same.

usage: milter_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import socket
import sys
import threading
import time

from checks import TIMEOUT
from milter_server import (ACCEPT, CONTINUE, DISCARD, LEADING_SPACE, NO_REPLIES, PROGRESS, REJECT, REJECTED_RECIPIENTS,
                           SHUTDOWN, SKIP, SKIP_REST, TEMPFAIL, ScriptedMilter, add_header, add_recipient, change_header,
                           change_sender, delete_recipient, insert_header, quarantine, replace_body, reply_code)
from queue_records import normal
from server import free_port, run_server_test
from two_systems import TwoSystems, compare_lists, compare_mail

EHLO, MAIL, RCPT, DATA, QUIT = (b"EHLO client.example\r\n", b"MAIL FROM:<ann@example.org>\r\n",
                                b"RCPT TO:<bob@example.org>\r\n", b"DATA\r\n", b"QUIT\r\n")
CARL = b"RCPT TO:<carl@example.org> NOTIFY=NEVER\r\n"
CONTENT = b"Received: from a by b; x\r\nSubject: hello\r\n world\r\nX-A:b\r\nx-a: c\r\n\r\nbody 1\r\n..dot\r\n.\r\n"
SESSION = [EHLO, b"MAIL FROM:<ann@example.org> SIZE=100\r\n", RCPT, CARL, DATA, CONTENT, QUIT]
SMALL = [EHLO, MAIL, RCPT, DATA, b"Subject: hello\r\n\r\nbody\r\n.\r\n", QUIT]
ALIASES = ("inline:{{dave@example.org=d1@example.org, d2@example.org},"
           " {al@example.org=carl@example.org, x@example.org}}")
MAIN_CF = {"virtual_alias_maps": ALIASES, "milter_macro_defaults": "foo=bar, {x}=y", "notify_classes": "", "milter_macro_v": "Postfix",
           "milter_default_action": "tempfail",
           "milter_connect_macros": "j {daemon_name} {daemon_addr} v _ {client_connections}",
           "smtpd_authorized_xclient_hosts": "127.0.0.1",
           "milter_mail_macros": "foo x i {client_addr} {client_name} {client_ptr} {daemon_addr} {tls_version} {auth_type}"
                                 " {client_resolve} {mail_addr} {mail_host} {mail_mailer}"}
CONTENT_EVENTS = ("header", "eoh", "body", "eom")
ANSWERS = {"reject": [REJECT], "tempfail": [TEMPFAIL], "a code": [reply_code("554 5.9.9 custom text")],
           "several lines": [reply_code("554-5.1.1 one\r\n554 5.1.1 two")], "no status": [reply_code("554 no status")],
           "421": [reply_code("421 4.3.2 go away")], "shutdown": [SHUTDOWN], "discard": [DISCARD], "accept": [ACCEPT],
           "hang up": None, "a bad code": [reply_code("250 ok")]}
EDITS = {
    "every edit": ([add_header("X-Add", "v"), insert_header(1, "X-Ins", "i"), insert_header(0, "X-Ins0", "i"),
                    change_header(1, "Subject", "new\n\tfold"), change_header(1, "X-A", ""),
                    change_header(1, "X-New", "nn"), change_header(3, "X-A", "third"),
                    add_recipient("<dave@example.org>"), add_recipient("<erin@example.org>", "NOTIFY=NEVER"),
                    delete_recipient("<bob@example.org>"), change_sender("<new@example.org>", "SIZE=1"),
                    replace_body(b"new body\r\nline2\r\n"), replace_body(b"more"), quarantine("bad thing")], SESSION),
    "recipients": ([delete_recipient("<bob@example.org>"), add_recipient("bob@example.org"),
                    add_recipient("<bob@example.org>"), delete_recipient("<CARL@EXAMPLE.ORG>"), change_sender("<>")],
                   SESSION),
    "odd headers": ([add_header("", "x"), add_header("A b", "x"), add_header("X-Multi", "a\n b\nc")], SESSION),
    "an alias": ([delete_recipient("<al@example.org>")],
                 [EHLO, MAIL, b"RCPT TO:<al@example.org>\r\n", RCPT, DATA, CONTENT, QUIT]),
    "a message without a body": ([add_header("X-Add", "v"), insert_header(50, "X-Ins", "i")],
                                 [EHLO, MAIL, RCPT, DATA, b"Subject: x\r\n.\r\n", QUIT]),
    "a body for one without": ([replace_body(b"x\r\n\r\ny\rz\r"), replace_body(b"\nw\r\n")],
                               [EHLO, MAIL, RCPT, DATA, b"Subject: x\r\n.\r\n", QUIT]),
    "Received": ([change_header(1, "Received", "new"), change_header(2, "Received", ""), delete_recipient("bob"),
                  delete_recipient("<bob@EXAMPLE.org>"), add_recipient("x y"), add_recipient(""),
                  change_sender("bad <x")],
                 [EHLO, MAIL, RCPT, DATA, b"Received: a\r\nReceived: b\r\n\r\nbody\r\n.\r\n", QUIT]),
    "parameters": ([add_recipient("<e@example.org>", "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;z+2Bz@z"),
                    change_sender("<z@example.org>", "RET=HDRS ENVID=abc")], SESSION),
    "bad parameters": ([add_recipient("<e@example.org>", "FOO=x")], SESSION),
}


class Judge:
    """Runs a script with both."""

    def __init__(self, checks, systems, milter):
        self.checks, self.systems, self.milter = checks, systems, milter

    def told(self):
        """What the filter was told; Postfix also tells it of the end of messages that never began."""
        out, is_in_message = [], False
        for event in map(normal, self.milter.events):
            is_useless = event == "closed" or (event == "abort" and not is_in_message)
            if not is_useless:
                out.append(event)
            is_in_message = event != "abort" and (is_in_message or event.startswith("mail "))
        return out

    def compare(self, name, script, session=tuple(SESSION), service="milter", protocol=0, compares_log=True,
                only_told=False):
        results, told, macros = [], [], []
        for system in self.systems.systems:
            self.milter.start(script, protocol)
            results.append(system.talk(service, session))
            self.milter.wait_until_over()
            told.append(self.told())
            macros.append([(event, normal(repr(sorted(values.items())))) for event, values in self.milter.macros])
        (replies, log, mail), (their_replies, their_log, their_mail) = results
        compare_lists(self.checks, "%s: what the filter is told" % name, told[0], told[1])
        if only_told:
            return
        compare_lists(self.checks, "%s: macros" % name, macros[0], macros[1])
        compare_lists(self.checks, "%s: replies" % name, replies, their_replies)
        if compares_log:
            compare_lists(self.checks, "%s: the log" % name, log, their_log)
        compare_mail(self.checks, name, mail, their_mail)


def check_events(judge):
    judge.compare("a message", {})
    judge.compare("a message, no replies wanted", {}, protocol=NO_REPLIES)
    judge.compare("several of all", {}, [b"HELO x\r\n", b"EHLO y\r\n", b"VRFY bob\r\n",
                                         b"MAIL FROM:ann\r\n", b"RCPT TO:bob\r\n", b"RSET\r\n", b"MAIL FROM:<>\r\n",
                                         b"RCPT TO:<\"a b\"@example.org> ORCPT=rfc822;x\r\n", b"NOOP\r\n", b"  foo   bar \r\n",
                                         b"BDAT 14\r\n", b"Subject: x\r\n\r\n", b"BDAT 3 LAST\r\n", b"x\r\n", QUIT][:10]
                  + [b"BDAT 17 LAST\r\nSubject: x\r\n\r\nx\r\n", QUIT])
    judge.compare("XCLIENT", {}, [EHLO, b"XCLIENT NAME=foo.example ADDR=IPv6:2001:db8::1 PORT=99\r\n"] + SMALL)
    for event in ("connect", "helo", "mail", "rcpt", "data", "header", "eoh", "body", "eom", "unknown"):
        for name, answer in ANSWERS.items():
            if event == "unknown" and name in ("accept", "discard"):
                continue  # The stock Postfix panics, or discards the next message.
            if event in CONTENT_EVENTS and name == "shutdown":
                continue  # The stock Postfix says 250, and the message is gone.
            session = [EHLO, b"FOO bar\r\n"] + SMALL[1:] if event == "unknown" else SMALL
            judge.compare("%s: %s" % (event, name), {event: answer}, session)
    judge.compare("skip", {"header": [SKIP_REST], "body": [SKIP_REST]}, protocol=SKIP)
    judge.compare("progress", {"eom": [PROGRESS, PROGRESS, CONTINUE], "mail": [PROGRESS, CONTINUE]})


def check_edits(judge):
    for name, (edits, session) in EDITS.items():
        judge.compare(name, {"eom": edits + [CONTINUE]}, session)
    judge.compare("values with blanks", {"eom": EDITS["every edit"][0] + [CONTINUE]}, protocol=LEADING_SPACE)
    big = [b"%06d " % number + b"x" * 70 + b"\r\n" for number in range(5000)]
    # Bodies come in pieces; how long they are is not compared.
    session = [EHLO, MAIL, RCPT, DATA, b"Subject: big\r\n\r\n" + b"".join(big) + b".\r\n", QUIT]
    whole = []
    for system in judge.systems.systems:
        judge.milter.start({"eom": [add_header("X-Big", "yes"), CONTINUE]})
        replies, _, mail = system.talk("milter", session)
        text = "".join(event[5:] for event in judge.milter.events if event.startswith("body "))
        whole.append(text.encode())
        judge.checks.check("a long message is taken", replies[5].startswith("250 "), replies)
        judge.checks.check("with the header and every line", ("N", "X-Big: yes") in mail[0][1]
                           and len([1 for kind, _ in mail[0][1] if kind == "N"]) > 5000)
    judge.checks.check("the filter gets all of a long body", whole[0] == whole[1] == b"".join(big),
                       [len(text) for text in whole])


def check_services(judge, second):
    second.start({"eom": [add_header("X-2", "b"), CONTINUE]})
    judge.compare("two filters", {"eom": [add_header("X-1", "a"), change_header(1, "Received", "r"), CONTINUE]}, SMALL, "two")
    seen = [event for event in second.events if event.startswith("header X-1")]
    judge.checks.equal("the second filter sees what the first has done", seen, ["header X-1 a"] * 2)
    second.start({})
    judge.compare("the first of two filters rejects", {"rcpt": [REJECT]}, SMALL, "two")
    judge.checks.equal("the second is not asked then", [e for e in second.events if e.startswith("rcpt")], [])
    judge.compare("a client whose connections are counted", {}, SMALL, "counted")
    for service in ("dead", "dead-quarantine", "dead-accept", "dead-reject", "dead-own", "map", "map-disable",
                    "no-milters"):
        judge.compare(service, {}, SMALL, service)
    replies, _, _ = judge.systems.systems[0].talk("dead-shutdown", SMALL)
    judge.checks.equal("milter_default_action = shutdown", replies[0],
                       "421 mail.example.org Service unavailable - try again later\r\n")
    judge.compare("a slow filter", {"helo": lambda _: (time.sleep(1.5), [CONTINUE])[1]}, SMALL, "slow")
    judge.compare("a filter slow at the end", {"eom": lambda _: (time.sleep(1.5), [CONTINUE])[1]}, SMALL, "slow")
    judge.compare("held already", {"eom": [quarantine("x"), CONTINUE]}, SMALL, "hold")
    judge.compare("a header put in front", {"eom": [insert_header(1, "X-I", "i"), insert_header(0, "X-0", "i"), CONTINUE]},
                  SMALL, "prepend")
    judge.compare("a rejected recipient", {}, SESSION, "rejects", protocol=REJECTED_RECIPIENTS)
    judge.compare("a rejected recipient, not told", {}, SESSION, "rejects")
    judge.compare("no delay", {"helo": [REJECT]}, [b"HELO a\r\n"] + SMALL[1:], "no-delay")
    judge.compare("always_bcc taken back", {"eom": [delete_recipient("<all@example.org>"), CONTINUE]}, SMALL, "bcc")


HEADER_ACTIONS = ("REJECT no good", "WARN watch", "HOLD it", "DISCARD gone", "FILTER smtp:x", "REPLACE X-Six: s", "IGNORE",
                  "REDIRECT z@example.org", "BCC y@example.org", "PREPEND X-Ten: t", "PASS", "INFO info", "STRIP x")


def check_header_checks(judge):
    for number, action in enumerate(HEADER_ACTIONS):
        judge.compare("milter_header_checks: %s" % action,
                      {"eom": [add_header("X-%d" % number, "a"), change_header(1, "Subject", "s2"), CONTINUE]}, SMALL, "checks")


def check_others_go_on(checks, systems, milter):
    """A filter that does not answer holds up its own session only."""
    ours = systems.systems[0]
    go_on = threading.Event()
    milter.start({"mail": lambda words: ("slow" in words[0] and go_on.wait(TIMEOUT), [CONTINUE])[1]})
    with socket.create_connection(("127.0.0.1", ours.ports["milter"]), 20) as slow:
        slow.sendall(b"EHLO x\r\nMAIL FROM:<slow@example.org>\r\n")
        time.sleep(0.2)
        replies, _, _ = ours.talk("milter", SMALL)
        checks.check("a session does not wait for the filter of another", replies[5].startswith("250 "), replies)
        go_on.set()


def run_checks(checks, bin_directory, directory):
    regexp = directory / "checks"
    regexp.write_text("".join("/^X-%d: a$/ %s\n" % item for item in enumerate(HEADER_ACTIONS)))
    with ScriptedMilter() as milter, ScriptedMilter() as second:
        dead = "inet:127.0.0.1:%d" % free_port()
        use = {"smtpd_milters": milter.endpoint}
        services = {
            "milter": use,
            "counted": dict(use, smtpd_client_event_limit_exceptions="", smtpd_client_connection_count_limit="50"),
            "two": {"smtpd_milters": "%s, %s" % (milter.endpoint, second.endpoint)},
            "dead": {"smtpd_milters": dead},
            "dead-own": {"smtpd_milters": "{ %s, default_action=accept, connect_timeout=5s }" % dead},
            "map": {"smtpd_milters": dead, "smtpd_milter_maps": "inline:{{127.0.0.1=%s}}" % milter.endpoint},
            "map-disable": {"smtpd_milters": dead, "smtpd_milter_maps": "inline:{{127.0.0.1=DISABLE}}"},
            "no-milters": dict(use, receive_override_options="no_milters"),
            "slow": dict(use, milter_connect_timeout="1s", milter_command_timeout="1s", milter_content_timeout="1s"),
            "hold": dict(use, smtpd_sender_restrictions="check_sender_access inline:{{ann@example.org=HOLD}}"),
            "prepend": dict(use, smtpd_sender_restrictions="check_sender_access inline:{{ann@example.org=PREPEND X-Pre: pre}}"),
            "rejects": dict(use, smtpd_recipient_restrictions="check_recipient_access inline:{{bob@example.org=REJECT no bob}},"
                                                              " permit"),
            "no-delay": dict(use, smtpd_delay_reject="no"),
            "checks": dict(use, milter_header_checks="regexp:%s" % regexp),
            "bcc": dict(use, always_bcc="all@example.org"),
        }
        for action in ("quarantine", "accept", "reject", "shutdown"):
            services["dead-" + action] = {"smtpd_milters": dead, "milter_default_action": action}
        with TwoSystems(bin_directory, directory, MAIN_CF, services) as systems:
            judge = Judge(checks, systems, milter)
            check_events(judge)
            check_edits(judge)
            check_services(judge, second)
            check_header_checks(judge)
            check_others_go_on(checks, systems, milter)


if __name__ == "__main__":
    sys.exit(run_server_test("milters", run_checks))
