"""non_smtpd_milters: the same scripted filter with mail that users submit, in our mail system and in the distribution's
Postfix. What the filter is told, the lines of the log, the messages, what stays in maildrop and what is returned to its sender
must be the same.

usage: non_smtp_milters_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import os
import re
import sys
import threading

from checks import wait_until
from mail_system import MailSystem
from maildrop import LOCAL, TIME, Maildrop, submission
from milter_server import (ACCEPT, CONTINUE, DISCARD, NO_REPLIES, REJECT, SHUTDOWN, TEMPFAIL, ScriptedMilter, add_header,
                           add_recipient, change_header, change_sender, delete_recipient, quarantine, replace_body,
                           reply_code)
from queue_records import normal, normal_records
from queue_text import record
from server import free_port, run_server_test
from stock_postfix import MAIN_CF, StockPostfix
from two_systems import compare_lists, start_both

SETTINGS = {
    "notify_classes": "",
    "virtual_alias_maps": "inline:{{both=b1@example.org, b2@example.org}}",
    "canonical_maps": "inline:{{canon@mail.example.org=can@y.example}}",
    "header_checks": "regexp:{ {/^X-Refuse/ REJECT no thanks} }",
    "milter_macro_v": "Postfix",
    "milter_default_action": "tempfail",
    "milter_connect_macros": "j {daemon_name} {daemon_addr} {daemon_port} v _ {client_name} {client_port} {client_ptr}"
                             " {client_connections} {auth_type} {tls_version}",
    "milter_rcpt_macros": "i {client_addr} {rcpt_addr} {rcpt_host} {rcpt_mailer} {mail_addr}",
    "milter_data_macros": "i {mail_addr} {rcpt_addr}",
    "milter_mail_macros": "i {client_addr} {mail_addr} {mail_host} {mail_mailer}",
}
PLAIN = submission(envelope=LOCAL, time_record=TIME)
EXTRACTED = record(b"R", b"bob") + record(b"R", b"carl")
MESSAGES = [
    ("a message", submission(envelope=LOCAL + record(b"F", b"Ann Other"), time_record=TIME)),
    ("recipients of both", submission(envelope=LOCAL, time_record=TIME, extracted=EXTRACTED)),
    ("recipients of headers", submission(recipients=(), envelope=LOCAL, time_record=TIME, extracted=EXTRACTED)),
    ("aliases, and twice the same", submission(recipients=(b"both", b"a b", b"both"), sender=b"a b", time_record=TIME)),
    ("canonical addresses", submission(recipients=(b"canon",), sender=b"canon", envelope=LOCAL, time_record=TIME)),
    ("a remote message", submission(envelope=record(b"A", b"rewrite_context=remote"), time_record=TIME)),
    ("the null sender", submission(sender=b"", envelope=LOCAL, time_record=TIME)),
    ("no content", submission(content=[], time_record=TIME)),
]
EVENTS = ("connect", "helo", "mail", "rcpt", "data", "header", "eoh", "body", "eom")
ANSWERS = {"reject": [REJECT], "tempfail": [TEMPFAIL], "a code": [reply_code("554 5.9.9 custom text")],
           "421": [reply_code("421 4.3.2 go away")], "discard": [DISCARD], "accept": [ACCEPT], "hang up": None}
EDITS = {
    "headers": [add_header("X-Add", "v"), change_header(1, "Subject", "new")],
    "the envelope": [add_recipient("<dave@example.org>"), delete_recipient("<bob@mail.example.org>"),
                     change_sender("<new@example.org>")],
    "the body": [replace_body(b"new body\r\nline2\r\n")],
    "quarantine": [quarantine("bad thing")],
}
# What is not of the message, or is of the notification.
UNCOMPARED = re.compile(r"public/qmgr|status=bounced|statistics:")


class OneSide:
    """One of the two, with what it does with a file."""

    def __init__(self, queue, read_log):
        self.queue, self.read_log, self.maildrop = queue, read_log, Maildrop(queue, read_log)

    def submit(self, data):
        """(cleanup's lines of the log, where the message is now, its records): it may be in no queue at all."""
        log = len(self.read_log())
        name = self.maildrop.put(data)
        self.maildrop.wake_up()
        text = self.maildrop.settled_log(log, name)
        ids = re.findall(r"pickup\[\d+\]: ([0-9A-F]+): uid=", text)
        lines = [normal(line) for line in re.findall(r"cleanup\[\d+\]: (.*)", text)
                 if not UNCOMPARED.search(line) and (line.split(":")[0] in ids or line.startswith("warning: "))]
        place, found = "gone", None
        for queue in ("maildrop", "incoming", "hold", "corrupt"):
            for file in (self.queue / queue).iterdir():
                if file.name == name or (file.name in ids and os.access(file, os.X_OK)):
                    place = queue
                    found = None if file.name == name else normal_records(file)
                if file.is_file():
                    file.unlink()
        # What waits may be taken up again meanwhile, and all is said once more.
        lines = sorted(lines)[::max(1, len(ids))]
        is_returned = "sender non-delivery notification" in text
        return lines, "returned" if is_returned else place, found


class Judge:
    def __init__(self, checks, sides, milter):
        self.checks, self.sides, self.milter = checks, sides, milter

    def compare(self, name, data, script=None, protocol=0):
        told, macros, results = [], [], []
        for side in self.sides:
            self.milter.start(script, protocol)
            results.append(side.submit(data))
            self.milter.wait_until_over()
            events = [normal(event) for event in self.milter.events if event != "quit"]
            # It may end with an end of the message, or at once.
            told.append([event for event in events if event != "abort"])
            macros.append([(event, normal(repr(sorted(values.items())))) for event, values in self.milter.macros])
        (log, place, message), (their_log, their_place, their_message) = results
        compare_lists(self.checks, "%s: what the filter is told" % name, told[0], told[1])
        compare_lists(self.checks, "%s: macros" % name, macros[0], macros[1])
        if not their_message:  # Postfix reads the headers all the same.
            log, their_log = ([line for line in each if "message-id=" not in line] for each in (log, their_log))
        compare_lists(self.checks, "%s: the log" % name, log, their_log)
        self.checks.equal("%s: where the message is" % name, place, their_place)
        self.checks.equal("%s: the message" % name, message, their_message)
        return place


def check_beside_stock(judge, checks):
    for name, data in MESSAGES:
        judge.compare(name, data)
    judge.compare("no replies wanted", PLAIN, protocol=NO_REPLIES)
    for event in EVENTS:
        for name, answer in ANSWERS.items():
            judge.compare("%s: %s" % (event, name), PLAIN, {event: answer})
    for name, edits in EDITS.items():
        place = judge.compare(name, PLAIN, {"eom": edits + [CONTINUE]})
        checks.equal("%s: the message is there" % name, place, "hold" if name == "quarantine" else "incoming")
    for name, answer in ANSWERS.items():
        judge.compare("the second recipient: %s" % name, submission(recipients=(b"bob", b"carl"), time_record=TIME),
                      {"rcpt": lambda words, answer=answer: answer if "carl" in words[0] else [CONTINUE]})


def check_shutdown(judge, checks):
    """Postfix loses the message then."""
    for event in ("connect", "mail", "rcpt", "eom"):
        judge.milter.start({event: [SHUTDOWN]})
        _, place, _ = judge.sides[0].submit(PLAIN)
        checks.equal("%s: shutdown: the message waits" % event, place, "maildrop")


def check_refused_before(judge, checks):
    judge.milter.start()
    _, place, _ = judge.sides[0].submit(submission(content=[b"X-Refuse: x"], time_record=TIME))
    checks.equal("what header_checks refuse is refused all the same", place, "returned")
    checks.equal("and its content is not shown", [event for event in judge.milter.events if event.startswith("header")], [])


def check_others_go_on(judge, checks):
    ours, go_on = judge.sides[0], threading.Event()
    judge.milter.start({"mail": lambda words: (go_on.wait(20 if "slow" in words[0] else 0), [CONTINUE])[1]})
    slow = ours.maildrop.put(submission(sender=b"slow", time_record=TIME))
    ours.maildrop.wake_up()
    message, _ = ours.maildrop.submit(PLAIN)
    checks.check("a message does not wait for the filter of another", message is not None)
    checks.check("which is still there", (ours.queue / "maildrop" / slow).exists())
    go_on.set()
    checks.check("until its filter answers", wait_until(lambda: not (ours.queue / "maildrop" / slow).exists()))


def check_services(checks, bin_directory, directory, milter):
    """Filters that are not there, and those that are left out."""
    dead = "inet:127.0.0.1:%d" % free_port()
    cases = [("dead", {"non_smtpd_milters": dead}, "")]
    cases += [("dead, %s" % action, {"non_smtpd_milters": dead, "milter_default_action": action}, "")
              for action in ("accept", "reject", "quarantine")]
    cases += [("no_milters", {"non_smtpd_milters": dead}, "receive_override_options=no_milters"),
              ("filters of smtpd", {"smtpd_milters": dead}, "")]
    for number, (name, settings, option) in enumerate(cases):
        run_case(checks, name, {**SETTINGS, **settings}, option, bin_directory, directory / ("service%d" % number), milter)


def run_case(checks, name, settings, option, bin_directory, directory, milter):
    directory.mkdir()
    directory.chmod(0o755)
    with both_sides(bin_directory, directory, settings, option) as sides:
        Judge(checks, sides, milter).compare(name, PLAIN)


class both_sides:
    """Both systems with the same settings; `option` is one of pickup's own."""

    def __init__(self, bin_directory, directory, settings, option=""):
        self.stock = StockPostfix({"smtpd": {}}, settings)
        self.ours = MailSystem(bin_directory, directory,
                               "".join("%s = %s\n" % item for item in {**MAIN_CF, **settings}.items()))
        if option:
            for config in (self.stock.config, self.ours.config):
                text = (config / "master.cf").read_text()
                (config / "master.cf").write_text(re.sub(r"(?m)^(pickup .*)$", r"\1 -o %s" % option, text))

    def __enter__(self):
        start_both(self.ours, self.stock)
        # It is there when something has been said.
        self.ours.wait_for(lambda: (self.stock.directory / "mail.log").exists() and
                           (self.stock.queue / "public" / "pickup").exists())
        return (OneSide(self.ours.queue, self.ours.log), OneSide(self.stock.queue, lambda: self.stock.log))

    def __exit__(self, *_):
        self.ours.__exit__()
        self.stock.__exit__()


def run_checks(checks, bin_directory, directory):
    with ScriptedMilter() as milter:
        (directory / "both").mkdir()
        (directory / "both").chmod(0o755)
        settings = {**SETTINGS, "non_smtpd_milters": milter.endpoint}
        with both_sides(bin_directory.resolve(), directory / "both", settings) as sides:
            judge = Judge(checks, sides, milter)
            check_beside_stock(judge, checks)
            check_shutdown(judge, checks)
            check_refused_before(judge, checks)
            check_others_go_on(judge, checks)
        check_services(checks, bin_directory.resolve(), directory, milter)


if __name__ == "__main__":
    sys.exit(run_server_test("milters of submitted mail", run_checks))
