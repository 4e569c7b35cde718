#!/usr/bin/env python3
"""Mail that users of this host submit: sendmail, postdrop and pickup, beside those of the distribution's Postfix, and with
them; without the mail system, with a server that is killed, and from users without rights.

usage: sendmail_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import concurrent.futures
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time

from checks import environment, run, wait_until
from mail_system import MailSystem
from maildrop import LOCAL, TIME, Maildrop, submission
from queue_text import normal, normal_records, record, records
from server import NoServer, find_program, run_server_test
from stock_postfix import MAIN_CF, StockPostfix
from submission_cases import DELIVERIES, HANDED_ON, MESSAGE, OTHERS

NOBODY = pwd.getpwnam("nobody")
KILLED_MESSAGES = 150
RELOADED_MESSAGES = 100
RECORDER = pathlib.Path(__file__).resolve().parent / "recording_postdrop.py"


def write_main_cf(directory, more=""):
    """A main.cf that both take; old, as Postfix sleeps when it is of this second."""
    directory.mkdir(exist_ok=True)
    values = "".join("%s = %s\n" % item for item in MAIN_CF.items())
    (directory / "main.cf").write_text(values + more)
    (directory / "master.cf").write_text("")
    old = time.time() - 3600
    os.utime(directory / "main.cf", (old, old))
    return directory


class Sendmail:
    """A sendmail whose postdrop only keeps what it gets, and whose other programs say what they are called with."""

    def __init__(self, program, directory, queue, more=""):
        self.directory = directory
        directory.mkdir()
        (directory / "records").mkdir()
        shutil.copy(RECORDER, directory / "postdrop")
        for name in ("postqueue", "postalias", "postfix"):
            (directory / name).write_text('#!/bin/sh\necho "%s $@ $MAIL_CONFIG"\n' % name)
            (directory / name).chmod(0o755)
        self.program = directory / "sendmail"
        shutil.copy(program, self.program)
        self.config = write_main_cf(directory / "config", "queue_directory = %s\ncommand_directory = %s\n"
                                    "maillog_file = %s/log\nmaillog_file_prefixes = %s\n%s"
                                    % (queue, directory, directory, directory, more))

    def __call__(self, arguments, stdin, env=None):
        process = subprocess.Popen([self.program, "-C", self.config, *arguments], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env or environment())
        try:
            out, err = process.communicate(stdin, timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            return "timed out"
        file = self.directory / "records" / str(process.pid)
        submitted = records(file.read_bytes()) if file.exists() else None
        text = (out + err).decode(errors="replace").replace(str(self.directory), "DIRECTORY")
        if process.returncode != 0:
            submitted = None  # What was begun differs in how far it got.
        return process.returncode, text, submitted


def check_sendmail_beside_stock(checks, bin_directory, directory):
    """All that both are told, and what they tell postdrop."""
    stock_program = find_program("sendmail")
    queue = directory / "queue"
    queue.mkdir()
    both = {}
    settings = {"": "", ", line endings strict": "sendmail_fix_line_endings = strict\n",
                ", line endings never": "sendmail_fix_line_endings = never\n"}
    for number, more in enumerate(settings.values()):
        both[more] = (Sendmail(bin_directory / "sendmail", directory / ("ours%d" % number), queue, more),
                      Sendmail(stock_program, directory / ("stock%d" % number), queue, more))
    cases = [(name + which, arguments, stdin, more) for which, more in settings.items()
             for name, arguments, stdin in DELIVERIES if not more or b"\r" in stdin]
    cases += [(" ".join(arguments), arguments, MESSAGE, "") for arguments in OTHERS if "-bs" not in arguments]
    cases += [(" ".join(arguments), arguments, b"", "") for arguments in HANDED_ON]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        def compare(case):
            return [sendmail(case[1], case[2]) for sendmail in both[case[3]]]
        for case, (ours, theirs) in zip(cases, pool.map(compare, cases)):
            if "-bd" in case[1] or "-bl" in case[1]:  # Postfix runs it in a child, and says nothing of its end.
                ours, theirs = ours[0], theirs[0]
            checks.equal("sendmail: %s" % case[0], ours, theirs)
    for name, env in (("NAME", environment(NAME="My Name")), ("an empty NAME", environment(NAME=""))):
        ours, theirs = (sendmail(["bob"], MESSAGE, env) for sendmail in both[""])
        checks.equal("sendmail: %s" % name, ours, theirs)


# Names, and what postdrop reads.
DROPS = [
    ("a message", submission(envelope=LOCAL)),
    ("all attributes", submission(envelope=b"".join(record(b"A", each) for each in (
        b"envelope_id=x", b"ret_flags=1", b"rewrite_context=remote", b"encoding=8bit", b"trace_flags=512",
        b"notify_flags=2", b"dsn_orig_rcpt=rfc822;x", b"create_time=1")) + record(b"F", b"Ann") + record(b"V", b"+="))),
    ("recipients behind the content", submission(recipients=(), extracted=record(b"A", b"notify_flags=1") +
                                                 record(b"R", b"carl"))),
    ("attributes that are not taken", submission(envelope=b"".join(record(b"A", each) for each in (
        b"client_name=x", b"rewrite_context=x", b"encoding=binary", b"ENCODING=8bit", b"no equals", b"=x")))),
    ("blanks around an attribute", submission(envelope=record(b"A", b"encoding = 8bit"))),
    ("no sender", submission(sender=None)),
    ("no recipient", submission(recipients=())),
    ("two senders", submission(envelope=record(b"S", b"x"))),
    ("nothing", b""),
    ("no end record", submission()[:-2]),
    ("something behind the end", submission() + b"junk"),
    ("no content", record(b"S", b"ann") + record(b"R", b"bob") + record(b"E")),
    ("a line in the envelope", submission(envelope=record(b"N", b"x"))),
    ("a recipient in the content", record(b"S", b"ann") + record(b"R", b"bob") + record(b"M") + record(b"R", b"x")),
    ("a sender behind the content", submission(extracted=record(b"S", b"x"))),
    ("too big", submission(content=[b"x" * 2000] * 20)),
    ("as big as allowed", submission(content=[b"x" * 1000] * 9)),
]
DROPS += [("a record of type %s" % kind.decode(), submission(envelope=record(kind, b"1 2"))) for kind in
          (b"C", b"T", b"L", b"I", b"D", b"O", b"f", b"W", b"<", b">", b"i", b"n", b"o", b"c", b"K", b"m", b"w", b"p",
           b"r", b"e", b"P", b"/")]
MALFORMED = [("cut off", submission()[:-9]), ("a long record", submission(content=[b"x" * 5000])),
             ("a length without end", b"S\xff\xff\xff\xff\xff\xff\xff\xff\xff"), ("no record at all", b"Subject: x\n")]


def drop(program, config, data):
    """What a postdrop answers to `data`, and the file that it leaves."""
    process = subprocess.run([program, "-c", config, "-r"], input=data, capture_output=True, env=environment(),
                             timeout=60, check=False)
    return process.returncode, process.stdout, process.stderr.decode(errors="replace")


def check_postdrop_beside_stock(checks, bin_directory, directory):
    both = []
    for name, program in (("ours", bin_directory / "postdrop"), ("stock", find_program("postdrop"))):
        queue = directory / (name + "-queue")
        (queue / "maildrop").mkdir(parents=True)
        config = write_main_cf(directory / name, "queue_directory = %s\nmessage_size_limit = 10000\n"
                               "maillog_file = %s/log\nmaillog_file_prefixes = %s\n"
                               "local_login_sender_maps = inline:{{root = ann, x, @example.com, list}}\n"
                               "recipient_delimiter = +\n" % (queue, directory, directory))
        both.append((program, config, queue / "maildrop"))
    cases = DROPS + [("sender %s" % sender.decode(), submission(sender=sender)) for sender in
                     (b"", b"eve", b"ann+x", b"ANN", b"x@EXAMPLE.com", b"ann@example.org", b"list+a@x.example", b"+x")]

    def compare(case):
        results = []
        for program, config, maildrop in both:
            status, out, err = drop(program, config, case[1])
            ids = re.findall(rb"queue_id\0([0-9A-F]+)\0", out)
            file = maildrop / ids[0].decode() if ids else None
            # What has no execute bit is no message.
            is_there = file is not None and file.exists() and file.stat().st_mode & 0o100
            left = [(kind, normal(payload)) for kind, payload in records(file.read_bytes())] if is_there else None
            results.append((status, normal(out), err, left))
        return results

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for case, (ours, theirs) in zip(cases, pool.map(compare, cases)):
            checks.equal("postdrop: %s" % case[0], ours, theirs)
        for case, (ours, theirs) in zip(MALFORMED, pool.map(compare, MALFORMED)):
            # Where the fault is, is said in other words.
            last = [result[2].splitlines()[-1:] for result in (ours, theirs)]
            checks.equal("postdrop: %s" % case[0], (ours[0], ours[1], ours[3], last[0]),
                         (theirs[0], theirs[1], theirs[3], last[1]))
    program, _, maildrop = both[0]
    checks.equal("postdrop leaves nothing but messages",
                 [file.name for file in maildrop.iterdir() if not file.stat().st_mode & 0o100], [])
    for name, setting in (("authorized_submit_users", "authorized_submit_users = !root, static:all\n"),
                          ("a table that cannot tell", "local_login_sender_maps = fail:x\n")):
        config = write_main_cf(directory / "other", "queue_directory = %s\nmaillog_file = %s/log\n"
                               "maillog_file_prefixes = %s\n%s" % (maildrop.parent, directory, directory, setting))
        ours, theirs = (drop(each[0], config, submission()) for each in both)
        # What a table has to say comes with it.
        ours, theirs = ((result[0], normal(result[1]), result[2].splitlines()[-1:]) for result in (ours, theirs))
        checks.equal("postdrop: %s" % name, ours, theirs)


# Names, and files for pickup.
PICKUPS = [
    ("a message", submission(envelope=LOCAL + record(b"F", b"Ann Other"), time_record=TIME)),
    ("no context", submission(time_record=TIME)),
    ("remote", submission(envelope=record(b"A", b"rewrite_context=remote"), time_record=TIME)),
    ("everything", submission(
        record(b"A", b"encoding=8bit"), record(b"A", b"trace_flags=512"), record(b"V", b"+="),
        record(b"A", b"notify_flags=4"), record(b"A", b"dsn_orig_rcpt=rfc822;orig"), record(b"R", b"bob"),
        record(b"A", b"notify_flags=2"), record(b"R", b"carl@elsewhere.example"), recipients=(b"dave", b"a b"),
        envelope=record(b"A", b"envelope_id=xyz") + record(b"A", b"ret_flags=1") + LOCAL + record(b"F", b"Ann"),
        time_record=TIME)),
    ("recipients of headers", submission(recipients=(), envelope=LOCAL, time_record=TIME, extracted=b"".join(
        record(b"R", each) for each in (b"bob", b"carl", b"bob")))),
    ("recipients of both", submission(envelope=LOCAL, time_record=TIME, content=[b"Content-Transfer-Encoding: 8bit"],
                                      extracted=record(b"R", b"bob") + record(b"R", b"carl"))),
    ("7bit that is 8bit", submission(record(b"A", b"encoding=7bit"), time_record=TIME,
                                     content=[b"Content-Transfer-Encoding: 8bit"])),
    ("no content at all", submission(content=[], time_record=TIME)),
    ("no headers", submission(content=[b"x"], time_record=TIME)),
    ("an empty line first", submission(content=[b"", b"Subject: x"], time_record=TIME)),
    ("the null sender", submission(sender=b"", time_record=TIME)),
    ("a sender with a blank", submission(sender=b"a b", time_record=TIME)),
    ("aliases", submission(recipients=(b"both", b"canon"), time_record=TIME)),
    ("line ends in a record", submission(content=[b"Subject: x", b"", b"y\r", b"z\nw\0"], time_record=TIME)),
    ("a long line", submission(time_record=TIME)[:-4] + record(b"L", b"x" * 2048) + record(b"N", b"y") + record(b"X") +
     record(b"E")),
    ("the same recipient twice", submission(record(b"R", b"bob"), time_record=TIME)),
    ("malformed NOTIFY", submission(record(b"A", b"notify_flags=99"), time_record=TIME)),
    ("something behind the end", submission(time_record=TIME) + b"junk"),
    ("held", submission(recipients=(b"bob@mail.example.org",), content=[b"X-Hold: x"], time_record=TIME)),
    ("discarded", submission(recipients=(b"bob@mail.example.org",), content=[b"X-Discard: x"], time_record=TIME)),
]
# What no message comes of.
BROKEN = [
    ("empty", b""), ("cut off", submission(time_record=TIME)[:-9]), ("no end record", submission(time_record=TIME)[:-2]),
    ("an unknown record", b"\x01\x00" + submission()), ("a line in the envelope", submission(envelope=record(b"N", b"x"))),
    ("a recipient in the content", record(b"S", b"ann") + record(b"R", b"bob") + record(b"M") + record(b"R", b"x")),
    ("no sender", submission(sender=None)), ("no recipient", submission(recipients=())),
    ("two senders", submission(envelope=record(b"S", b"x"))), ("a bad time", submission(time_record=record(b"T", b"x"))),
    ("bad trace flags", submission(record(b"A", b"trace_flags=x"))), ("a long record", submission(content=[b"x" * 5000])),
]
# What goes back to its sender.
REFUSED = [
    ("refused", submission(content=[b"X-Refuse: x"], time_record=TIME)),
    ("refused, for two recipients", submission(recipients=(b"bob", b"canon"), content=[b"X-Refuse: x"], time_record=TIME)),
    ("refused, from the null sender", submission(sender=b"", content=[b"X-Refuse: x"], time_record=TIME)),
    ("refused, and nobody wants to know", submission(record(b"A", b"notify_flags=1"), content=[b"X-Refuse: x"],
                                                     time_record=TIME)),
]


PICKUP_MAIN_CF = {
    "virtual_alias_maps": "inline:{ { both@mail.example.org = b1@x.example, b2@x.example } }",
    "recipient_canonical_maps": "inline:{ { canon@mail.example.org = can@y.example } }",
    "header_checks": "regexp:{ {/^X-Hold/ HOLD}, {/^X-Discard/ DISCARD}, {/^X-Refuse/ REJECT no thanks} }",
}


def as_submitted(message):
    """A notice, without the headers that Postfix adds before it returns a message. We return what was submitted."""
    if message is None:
        return None
    place, records = message
    added = re.compile(rb"(Received: by .*userid|\tid ID; |Message-Id: |Date: |From: ann@)")
    start = [text.startswith(b"Return-Path: ") for _, text in records].index(True)
    return place, [each for number, each in enumerate(records) if number < start or not added.match(each[1])]


def what_became_of_it(log):
    """Of each recipient, and the notice; Postfix begins some that it does not send."""
    lines = [line for line in log if b"status=" in line or b"bounce" in line]
    return [re.sub(rb"delay=[\d.]+, delays=[\d./]+", b"delay=N", line) for line in lines]


def check_pickup_beside_stock(checks, bin_directory, directory):
    same = "".join("%s = %s\n" % item for item in {**MAIN_CF, **PICKUP_MAIN_CF}.items())
    with StockPostfix({"smtpd": {}}, PICKUP_MAIN_CF) as stock:
        ours = MailSystem(bin_directory, directory, same)
        with ours:
            # It is there when something has been said.
            ours.wait_for(lambda: (stock.directory / "mail.log").exists() and
                          (stock.queue / "public" / "pickup").exists())
            drops = Maildrop(ours.queue, ours.log), Maildrop(stock.queue, lambda: stock.log)
            for name, data in PICKUPS:
                (our_message, our_log), (their_message, their_log) = (each.submit(data) for each in drops)
                checks.equal("pickup: %s" % name, our_message, their_message)
                if name != "malformed NOTIFY":  # Passed over without a word here.
                    checks.equal("pickup's log: %s" % name, our_log, their_log)
            for name, data in REFUSED:
                (our_message, our_log), (their_message, their_log) = (each.submit(data) for each in drops)
                checks.equal("pickup: %s" % name, as_submitted(our_message), as_submitted(their_message))
                checks.equal("pickup's log: %s" % name, *(what_became_of_it(log) for log in (our_log, their_log)))
            for name, data in BROKEN:
                message, log = drops[0].submit(data)
                checks.check("pickup: %s: no message, and a warning" % name,
                             message is None and any(b"pickup: warning: maildrop/FILE: " in line for line in log),
                             (message, log))
            corrupt = list((ours.queue / "corrupt").iterdir())
            checks.equal("pickup: what is broken is kept in corrupt/", sorted(file.read_bytes() for file in corrupt),
                         sorted(data for _, data in BROKEN))
            check_odd_files(checks, ours, drops[0])


def check_odd_files(checks, system, maildrop):
    (system.queue / "maildrop" / "ABCDEF1").symlink_to("/etc/passwd")
    (system.queue / "maildrop" / "123.456").write_bytes(submission())
    linked = maildrop.put(submission())
    os.link(system.queue / "maildrop" / linked, system.directory / "elsewhere")
    unfinished = maildrop.put(submission(), mode=0o644)
    maildrop.wake_up()
    checks.check("pickup: a link is not followed",
                 system.wait_for(lambda: "maildrop/ABCDEF1: uid 0: not a regular file" in system.log()), system.log)
    checks.check("pickup: a file with two names is not taken",
                 "open input file maildrop/%s: file has 2 hard links" % linked in system.log(), system.log)
    checks.equal("pickup: what is not finished, or no message, stays",
                 sorted(file.name for file in (system.queue / "maildrop").iterdir()),
                 sorted(["123.456", "ABCDEF1", unfinished]))


def complete(queue):
    """The messages in incoming/ that are all there."""
    # Some are gone again, or have another name, by the time they are looked at.
    return {file for file in (queue / "incoming").iterdir() if os.access(file, os.X_OK)}


def check_together(checks, bin_directory, directory):
    """Each one's sendmail with each one's postdrop and pickup; the messages are the same."""
    alone = directory / "alone"
    alone.mkdir(parents=True)
    shutil.copy(bin_directory / "sendmail", alone / "sendmail")  # Beside no postdrop: it takes that of command_directory.
    results = {}
    with StockPostfix({"smtpd": {}}) as stock:
        config = directory / "config"
        shutil.copytree(stock.config, config)
        for name, sendmail, commands in (("stock, stock", find_program("sendmail"), "/usr/sbin"),
                                         ("stock, ours", find_program("sendmail"), bin_directory),
                                         ("ours, stock", alone / "sendmail", "/usr/sbin"),
                                         ("ours, ours", bin_directory / "sendmail", bin_directory)):
            text = (stock.config / "main.cf").read_text() + "command_directory = %s\n" % commands
            (config / "main.cf").write_text(text)
            old = time.time() - 3600
            os.utime(config / "main.cf", (old, old))
            before = complete(stock.queue)
            done = run([sendmail, "-C", config, "-f", "ann", "-N", "delay", "-t", "bob"], stdin=b"To: carl\n\nhello\n")
            checks.check("sendmail and postdrop, %s" % name, (done.status, done.out, done.err) == (0, "", ""), done)
            new = wait_until(lambda seen=before: complete(stock.queue) - seen)
            results[name] = [normal_records(each.read_bytes()) for each in new]
    for name, messages in results.items():
        checks.equal("the message of %s" % name, messages, results["stock, stock"])


class Site:
    """Our mail system, with copies of the programs that users run."""

    def __init__(self, bin_directory, directory, more=""):
        directory.mkdir()
        directory.chmod(0o755)
        self.system = MailSystem(bin_directory, directory, more)
        self.programs = directory / "programs"
        self.programs.mkdir()
        for name in ("sendmail", "postdrop"):
            shutil.copy(bin_directory / name, self.programs / name)
        self.maildrop = Maildrop(self.system.queue, self.system.log)

    def send(self, subject, *arguments, **options):
        return run([self.programs / "sendmail", "-C", self.system.config, *arguments, "bob"],
                   stdin=b"Subject: %s\n\nhello\n" % subject, **options)

    def subjects(self):
        """Of all messages in the queue."""
        return [payload[len(b"Subject: "):] for data in self.system.messages().values() for kind, payload in records(data)
                if payload.startswith(b"Subject: ")]


CONVERSATION = (b"EHLO client.example\r\nMAIL FROM:<ann>\r\nRCPT TO:<bob@elsewhere.example> NOTIFY=SUCCESS\r\n"
                b"RCPT TO:<carl>\r\nRCPT TO:<no blanks@x>\r\nDATA\r\nSubject: spoken\r\n\r\n..dot\r\nhello\r\n.\r\n"
                b"VRFY x\r\nXCLIENT NAME=x\r\nMAIL FROM:<>\r\nRCPT TO:<x>\r\nRSET\r\nHELP\r\nQUIT\r\n")


def check_spoken(checks, bin_directory, directory):
    """sendmail -bs: the replies, the log, and the message."""
    results = {}
    with StockPostfix({"smtpd": {}}) as stock:
        for name, program in (("stock", find_program("sendmail")), ("ours", bin_directory / "sendmail")):
            before = complete(stock.queue)
            done = run([program, "-C", stock.config, "-bs"], stdin=CONVERSATION)
            new = wait_until(lambda seen=before: complete(stock.queue) - seen)
            results[name] = (done.status, normal(done.out.encode()).decode().splitlines(), done.err)
            results[name + " message"] = [normal_records(each.read_bytes()) for each in new]
    checks.equal("sendmail -bs: the replies", results["ours"], results["stock"])
    checks.equal("sendmail -bs: the message", results["ours message"], results["stock message"])
    config = write_main_cf(directory / "config", "queue_directory = %s\nmaillog_file = %s/log\n"
                           "maillog_file_prefixes = %s\n" % (directory, directory, directory))
    done = run([bin_directory / "sendmail", "-C", config, "-bs"], stdin=CONVERSATION)
    checks.check("sendmail -bs: a queue that cannot be written to is a temporary error", "451 4.3.0 " in done.out and "250 2.0.0 Ok: queued" not in
                 done.out, done)


def check_down(checks, bin_directory, directory):
    site = Site(bin_directory, directory)
    system = site.system
    system.postfix("check")
    done = site.send(b"down")
    checks.check("mail is taken when the mail system is down",
                 done.status == 0 and "unable to look up public/pickup" in done.err, done)
    checks.check("it waits", not site.maildrop.is_empty())
    with system:
        checks.check("and comes into the queue when the mail system starts",
                     system.wait_for(lambda: site.subjects() == [b"down"]), system.log)
        checks.check("nothing waits any more", system.wait_for(site.maildrop.is_empty))
        done = site.send(b"up")
        checks.check("mail comes into the queue before the minute of pickup is over", (done.status, done.err) == (0, "") and
                     system.wait_for(lambda: b"up" in site.subjects(), 30), (done, system.log()))
        checks.check("the log says who sent it", "from=<%s>" % pwd.getpwuid(os.getuid()).pw_name in system.log(),
                     system.log)
        check_kill(checks, site)
        check_reload(checks, site)
    done = site.send(b"stopped")
    checks.check("mail is taken when the mail system has stopped", done.status == 0 and not site.maildrop.is_empty(), done)


def send_many(site, prefix, count, meanwhile):
    with concurrent.futures.ThreadPoolExecutor(8) as users:
        work = [users.submit(site.send, b"%s%d." % (prefix, number)) for number in range(count)]
        meanwhile(work)
        return [each.result() for each in work]


def check_kill(checks, site):
    system = site.system
    kills = []

    def kill(work):
        while not all(each.done() for each in work):
            if sum(each.done() for each in work) > (len(kills) + 1) * 12:
                for process in system.server_processes():
                    os.kill(process, signal.SIGKILL)
                    kills.append(process)

    done = send_many(site, b"kill", KILLED_MESSAGES, kill)
    checks.check("the server was killed more than once", len(kills) >= 2, kills)
    checks.equal("mail is taken all the same", {each.status for each in done}, {0})
    checks.check("everything is taken in the end", system.wait_for(site.maildrop.is_empty), system.log()[-1000:])
    lost = {b"kill%d." % number for number in range(KILLED_MESSAGES)} - set(site.subjects())
    checks.equal("no message is lost", lost, set())


def check_reload(checks, site):
    system = site.system

    def reload(work):
        while not all(each.done() for each in work):
            system.postfix("reload")

    send_many(site, b"reload", RELOADED_MESSAGES, reload)
    checks.check("reloads, everything is taken", system.wait_for(site.maildrop.is_empty), system.log()[-1000:])
    got = [subject for subject in site.subjects() if subject.startswith(b"reload")]
    checks.equal("reloads lose nothing, and double nothing",
                 sorted(got), sorted(b"reload%d." % number for number in range(RELOADED_MESSAGES)))


def check_user(checks, bin_directory, directory):
    """As nobody: with a postdrop of setgid_group in the system of root, and in a directory of his own."""
    if os.geteuid() != 0:
        checks.skip("users without rights", "only root can be another user")
        return
    as_nobody = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
    site = Site(bin_directory, directory)
    with site.system:
        done = site.send(b"refused", **as_nobody)
        checks.check("a user cannot write into the maildrop of others", done.status == 75 and "Permission denied" in
                     done.err, done)
        shutil.chown(site.programs / "postdrop", group="postdrop")
        (site.programs / "postdrop").chmod(0o2755)
        done = site.send(b"set-group", **as_nobody)
        checks.check("with setgid_group, another directory needs to be authorized",
                     done.status == 75 and "postdrop: fatal: " in done.err and site.maildrop.is_empty(), done)
    own = directory / "own"
    own.mkdir()
    for name in ("queue", "queue/maildrop", "config"):
        (own / name).mkdir()
    write_main_cf(own / "config", "queue_directory = %s/queue\nmaillog_file = %s/log\nmaillog_file_prefixes = %s\n"
                  % (own, own, own))
    for path in (own, *own.rglob("*")):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    (site.programs / "postdrop").chmod(0o755)
    done = run([site.programs / "sendmail", "-C", own / "config", "bob"], stdin=MESSAGE, **as_nobody)
    files = list((own / "queue" / "maildrop").iterdir())
    checks.check("a user submits mail in a directory of his own", done.status == 0 and len(files) == 1 and
                 files[0].stat().st_uid == NOBODY.pw_uid, done)


def run_checks(checks, bin_directory, directory):
    bin_directory = bin_directory.resolve()
    check_down(checks, bin_directory, directory / "down")
    check_user(checks, bin_directory, directory / "user")
    if os.geteuid() != 0:
        checks.skip("the distribution's Postfix", "it starts as root only")
        return
    for name, body in (("sendmail", check_sendmail_beside_stock), ("postdrop", check_postdrop_beside_stock),
                       ("pickup", check_pickup_beside_stock), ("together", check_together), ("spoken", check_spoken)):
        try:
            (directory / name).mkdir()
            (directory / name).chmod(0o755)
            body(checks, bin_directory, directory / name)
        except NoServer as reason:
            checks.skip("%s of the distribution" % name, str(reason))


if __name__ == "__main__":
    sys.exit(run_server_test("submission", run_checks))
