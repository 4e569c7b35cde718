#!/usr/bin/env python3
"""Holds postqueue, mailq and the showq service against the distribution's, on the same queue.

usage: postqueue_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import os
import pathlib
import pwd
import shutil
import socket
import sys
import threading

from checks import run
from mail_system import MailSystem
from queue_text import record
from server import NoServer, find_program, private_directory, run_server_test
from stock_queue import StockPostfix

SIZES = record(b"C", b"%15d %15d %15d %15d %15d %15d" % (508, 800, 3, 0, 508, 0))
TIME, SENDER = record(b"T", b"1795937570 123456"), record(b"S", b"ann@example.org")
HEAD = SIZES + TIME + SENDER
CONTENT = record(b"M") + record(b"N", b"Subject: x") + record(b"N") + record(b"N", b"body") + record(b"X") + record(b"E")


def to(*addresses):
    return b"".join(record(b"R", address) for address in addresses)


WHOLE = HEAD + to(b"a1@b", b"a2@b") + CONTENT
# What stands in a file, by the name of the message.
MESSAGES = {
    "NOSIZE": TIME + SENDER + to(b"a@b") + CONTENT,
    "NOTIME": SIZES + SENDER + to(b"a@b") + CONTENT,
    "NORECIPIENT": HEAD + CONTENT,
    "SENDERONLY": SENDER,
    "TWOTIMES": SIZES + TIME + record(b"T", b"1000 0") + SENDER + to(b"c@d") + CONTENT,
    "BADTIME": SIZES + record(b"T", b"banana") + SENDER + to(b"c@d") + CONTENT,
    "NEGATIVETIME": SIZES + record(b"T", b"-5 0") + SENDER + to(b"c@d") + CONTENT,
    "HUGETIME": SIZES + record(b"T", b"99999999999 0") + SENDER + to(b"c@d") + CONTENT,
    "BADSIZE": record(b"C", b"banana") + TIME + SENDER + to(b"c@d") + CONTENT,
    "ONESIZE": record(b"C", b"  77") + TIME + SENDER + to(b"c@d") + CONTENT,
    "NEGATIVESIZE": record(b"C", b"-77 0 0") + TIME + SENDER + to(b"c@d") + CONTENT,
    "ZEROSIZE": record(b"C", b"%15d" % 0) + TIME + SENDER + to(b"c@d") + CONTENT,
    "TWICE": HEAD + to(b"c@d", b"c@d", b"C@D", b"x@y") + CONTENT,
    "DONE": HEAD + record(b"D", b"c@d") + to(b"e@f") + record(b"/", b"g@h") + CONTENT,
    "ALLDONE": HEAD + record(b"D", b"c@d") + CONTENT,
    "EXTRACTED": HEAD + record(b"M") + record(b"N", b"hi") + record(b"X") + to(b"late@x") + record(b"E"),
    "CONTROLS": SIZES + TIME + record(b"S", b"a\tb\x01\x7f@x") + to(b"\xc3\xa9\xff@x", b'q"\\/b@y', b"") + CONTENT,
    "UTF8": SIZES + TIME + record(b"S", "jürgen@exämple.org".encode()) + to("用户@例子.广告".encode()) + CONTENT,
    "NULLBYTES": SIZES + TIME + record(b"S", b"a\0b") + to(b"c\0d@x") + CONTENT,
    "LONGADDRESSES": SIZES + TIME + record(b"S", b"a" * 100 + b"@" + b"b" * 3000) + to(b"c" * 3000 + b"@d") + CONTENT,
    "AVERYVERYLONGQUEUEIDTHATISLONG": HEAD + to(b"c@d") + CONTENT,
    "QUOTES": SIZES + TIME + record(b"S", b"a b@c") + to(b"c d", b"@x", b"a..b@c", b"a@b@c", b"user@[1.2.3.4]", b".a@b",
                                                           b"a.@b", b"(c)@b", b"<x>@b") + CONTENT,
    "NULLSENDER": SIZES + TIME + record(b"S") + to(b"c@d") + CONTENT,
    "UNKNOWNRECORD": HEAD + to(b"c@d") + b"?\x03abc" + to(b"e@f") + CONTENT,
    "BADLENGTH": HEAD + to(b"c@d") + b"R\xff\xff\xff\xff\xff\xff",
    "POINTER": HEAD + record(b"p", b"%15d" % (len(HEAD) + 17 + 5)) + to(b"c@d", b"e@f") + CONTENT,
    "POINTERNOWHERE": HEAD + to(b"e@f") + record(b"p", b"%15d" % 300000) + to(b"c@d") + CONTENT,
    "POINTERINTO": HEAD + record(b"p", b"%15d" % 3) + to(b"c@d") + CONTENT,
    "PADDING": HEAD + record(b"w", b"xxxx") + to(b"c@d") + CONTENT,
    "ORIGINAL": HEAD + record(b"o", b"rfc822;zz@y") + record(b"O", b"orig@x") + to(b"c@d") + CONTENT,
    "BEHINDCONTENT": SIZES + TIME + record(b"M") + SENDER + to(b"c@d") + record(b"X") + record(b"E"),
    "EMPTY": b"",
    "GARBAGE": b"garbage\n",
    **{"CUT%d" % size: WHOLE[:size] for size in range(0, len(WHOLE), 3)},
}
LOGGED = HEAD + to(b"c@d", b"q u@x") + CONTENT
# What stands in defer/, by the name of the message.
LOGS = {
    "PLAIN": b"\nrecipient=c@d\nreason=why\n\n",
    "CASE": b"recipient=C@D\nreason=why\n\n",
    "QUOTED": b'recipient="q u"@x\nreason=why\n\n',
    "UNQUOTED": b"recipient=q u@x\nreason=why\n\n",
    "SENTENCE": b"<c@d>: some reason\n\n",
    "NOSENTENCE": b"c@d: some reason\n\n",
    "BOTH": b"<c@d>: old\nrecipient=x@y\n\n",
    "NOEND": b"recipient=c@d\nreason=why",
    "NOBLANK": b"recipient=c@d\nreason=why\n",
    "NOADDRESS": b"reason=why\n\nrecipient=e@f\nreason=r2\n\n",
    "EMPTYADDRESS": b"recipient=\nreason=why\n\n",
    "EMPTYREASON": b"recipient=c@d\nreason=\n\n",
    "INDENTED": b"  recipient=c@d\n  reason=why\n\n",
    "SPACED": b"recipient = c@d\nreason = why  \n\n",
    "TWICESAID": b"recipient=c@d\nrecipient=e@f\nreason=why\nreason=why2\n\n",
    "JUNK": b"hello world\n\nfoo\nrecipient=c@d\nxx\nreason=why\n\n",
    "LOGCONTROLS": b'recipient=c\x01@d\nreason=why\x02\xff \xc3\xa9\t"q\\\n\n',
    "LOGNULLS": b"recipient=c@d\0x\nreason=wh\0y\n\n",
    "STATUS": b"recipient=c@d\nstatus=5.1.1\naction=failed\ndiag_code=550 no\ndiag_type=smtp\nreason=why\n\n",
    "BADSTATUS": b"recipient=c@d\nstatus=banana\nreason=why\n\n",
    "LONGREASON": b"recipient=c@d\nreason=" + b"y" * 500 + b"\n\n",
    "EMPTYLOG": b"", "BLANKLOG": b"\n\n\n",
    "CRLF": b"recipient=c@d\r\nreason=why\r\n\r\n",
    "MANY": b"recipient=c@d\nreason=why\n\nrecipient=c@d\n\n<e@f>: x: y\n\n<>: z\n\nrecipient=g@h\nreason=z\n\n",
}


class Queue:
    """A queue directory that both look at, with the configuration of each."""

    def __init__(self, directory):
        directory.chmod(0o755)
        self.directory, self.config, self.queue = directory, directory / "config", directory / "queue"
        self.log = pathlib.Path("/var/tmp") / (directory.name + ".postqueue.log")
        self.log.touch()
        shutil.chown(self.log, "postfix")
        for path in (self.config, self.queue, directory / "data"):
            path.mkdir()
        self.configure()
        for name in ("maildrop", "incoming", "active", "deferred", "hold", "corrupt", "defer", "public", "private", "pid"):
            (self.queue / name).mkdir()
            if name != "pid":
                shutil.chown(self.queue / name, "postfix")

    def configure(self, more=""):
        (self.config / "main.cf").write_text(
            "compatibility_level = 3.6\nqueue_directory = %s\ndata_directory = %s/data\nmaillog_file = %s\n"
            "maillog_file_prefixes = /var, /tmp\nmail_owner = postfix\nsetgid_group = postdrop\n"
            "myhostname = mail.example.com\nrelay_domains = eligible.example\n%s"
            % (self.queue, self.directory, self.log, more))

    def put(self, queue, name, data, mode=0o700, log=None):
        directory = self.queue / queue
        hashed = self.queue / "defer" / name[0]
        if queue == "deferred":
            directory = directory / name[0]
        for made in (directory, hashed):
            made.mkdir(exist_ok=True)
            shutil.chown(made, "postfix")
        files = [(directory / name, data, mode)] + ([(hashed / name, log, 0o600)] if log is not None else [])
        for file, text, bits in files:
            file.write_bytes(text)
            shutil.chown(file, "postfix")
            file.chmod(bits)
            os.utime(file, (1795000000, 1795000000))

    def clear(self):
        for queue in ("maildrop", "incoming", "active", "deferred", "hold", "defer"):
            for path in (self.queue / queue).iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()


class Test:
    def __init__(self, checks, bin_directory, queue):
        self.checks, self.queue = checks, queue
        self.programs = (bin_directory / "postqueue", pathlib.Path(find_program("postqueue")))

    def same(self, name, *arguments):
        """What ours says is what theirs says."""
        ours, theirs = (run([program, "-c", self.queue.config, *arguments]) for program in self.programs)
        self.checks.equal(name, (ours.status, ours.out, ours.err), (theirs.status, theirs.out, theirs.err))
        return theirs

    def both_forms(self, name):
        for option in ("-p", "-j"):
            self.same("%s: %s" % (name, option), option)

    def command_line(self):
        for arguments in (["-Z"], ["-p", "x"], ["-p", "-j"], ["-p", "-f"], ["-i"], ["-s"], ["-v"], [], ["-f", "-f"], ["-f", "x"],
                          ["-i", "A", "-s", "a"], ["-i", "bad.name"], ["-i", ""], ["-i", "GOOD"], ["-s", "unknown.example"],
                          ["-s", "eligible.example"], ["-s", "sub.eligible.example"], ["-s", "ELIGIBLE.example"],
                          ["-s", "[192.0.2.1]"], ["-s", "[bad"], ["-s", "192.0.2.1"], ["-s", ""], ["-s", "under_score.org"],
                          ["-f"]):
            if arguments != ["-v"]:  # What it says to a developer is its own.
                self.same("down: %s" % " ".join(arguments), *arguments)
        for arguments in (["-c", "/nonexistent", "-p"], ["-p", "-c"]):
            ours, theirs = (run([program, *arguments]) for program in self.programs)
            self.checks.equal("%s" % " ".join(arguments), (ours.status, ours.out, ours.err),
                              (theirs.status, theirs.out, theirs.err))

    def files(self):
        self.both_forms("an empty queue")
        for name, data in MESSAGES.items():
            for queue in ("hold", "maildrop"):
                self.queue.clear()
                self.queue.put(queue, name, data)
                self.both_forms("%s in %s" % (name, queue))
        self.queue.clear()
        self.queue.put("hold", "INCOMPLETE", WHOLE, 0o600)
        self.queue.put("hold", "bad.name", WHOLE)
        (self.queue.queue / "hold" / "LINK").symlink_to("/etc/passwd")
        (self.queue.queue / "hold" / "DIRECTORY").mkdir()
        self.both_forms("what is no message")

    def logs(self):
        for name, log in LOGS.items():
            self.queue.clear()
            self.queue.put("deferred", name, LOGGED, log=log)
            self.both_forms("the log %s" % name)
        self.queue.configure("empty_address_recipient = nobody\nduplicate_filter_limit = 2\nhash_queue_names = hold\n")
        self.queue.clear()
        (self.queue.queue / "hold" / "D").mkdir()
        self.queue.put("hold/D", "D1", HEAD + to(b"a@b", b"c@d", b"e@f", b"") + CONTENT)
        (self.queue.queue / "defer" / "D1").write_bytes(
            b"".join(b"recipient=%s\nreason=r\n\n" % address for address in (b"a@b", b"c@d", b"e@f", b"")))
        shutil.chown(self.queue.queue / "defer" / "D1", "postfix")
        self.both_forms("other settings")
        self.queue.configure()

    def whole_queue(self):
        self.queue.clear()
        for queue in ("maildrop", "active", "incoming", "deferred", "hold"):
            for number, mode in enumerate((0o700, 0o710, 0o600, 0o744, 0o770)):
                name = queue[:1].upper() + "%d" % number
                self.queue.put(queue, name, WHOLE, mode, LOGS["MANY"] if number == 0 else None)
        self.both_forms("all queues")

    def scripted_services(self):
        """Both clients talk to servers that say what we want."""
        greeting = b"protocol\0mail_queue_list_protocol\0\0"

        def message(name=b"A", size=b"5", expires=b"0", queue=b"deferred", time=b"1795937570", more=b"recipient\0x@y\0reason\0\0"):
            return (b"queue_name\0" + queue + b"\0queue_id\0" + name + b"\0time\0" + time + b"\0size\0" + size +
                    b"\0forced_expire\0" + expires + b"\0sender\0a@b\0" + more + b"\0")

        reasons = b"".join(b"recipient\0x@y\0reason\0" + reason + b"\0" for reason in (b"a", b"b", b"b", b"", b"", b"b"))
        for name, answer in {
                "long IDs": greeting + message(b"4jcPpX1XVWz8NNP") + message(b"4jcPpX1XVWz8NNP", b"5", b"1", b"hold") + b"\0",
                "large": greeting + b"".join(message(size=b"9" * n) for n in (8, 9, 11)) + b"\0",
                "no end": greeting + message(), "nothing": b"", "empty": greeting + b"\0",
                "unknown queue": greeting + message(queue=b"foo") + b"\0", "bad time": greeting + message(time=b"x") + b"\0",
                "marks": greeting + message(queue=b"active") + message(queue=b"active", expires=b"1") + message(expires=b"2") + b"\0",
                "reasons": greeting + message(more=reasons) + b"\0", "other": greeting + b"queue_name\0hold\0foo\0bar\0\0",
                "no reason": greeting + message(more=b"recipient\0x@y\0") + b"\0", "more": greeting + message() + b"\0junk",
                }.items():
            with Scripted(self.queue.queue / "public" / "showq", lambda client, text=answer: client.sendall(text)):
                self.both_forms("a server's answer: %s" % name)
        for status in (b"0", b"1", b"2", b"3", b"4", b"x"):
            seen = []

            def flush(client, text=status, requests=seen):
                client.sendall(b"protocol\0queue_flush_protocol\0\0")
                requests.append(client.recv(4096))
                client.sendall(b"status\0" + text + b"\0\0")
            with Scripted(self.queue.queue / "public" / "flush", flush):
                self.same("flush(8) answers %s: -i" % status, "-i", "ABC")
                self.same("flush(8) answers %s: -s" % status, "-s", "eligible.example")
            self.checks.equal("flush(8) is asked the same", seen[0::2], seen[1::2])
        seen = []
        with Scripted(self.queue.queue / "public" / "qmgr", lambda client: seen.append(client.makefile("rb").read())):
            self.same("only the queue manager is there", "-f")
            with Scripted(self.queue.queue / "public" / "pickup", lambda client: seen.append(client.makefile("rb").read())):
                self.same("told", "-f")
        self.checks.equal("what they are told", sorted(seen), sorted([b"FADI\0"] * 4 + [b"W\0"] * 2))

    def missing_directories(self):
        shutil.rmtree(self.queue.queue / "active")
        ours, theirs = (run([program, "-c", self.queue.config, "-p"]) for program in self.programs)
        self.checks.equal("no directory of a queue", (ours.status, ours.err.splitlines()[-1]),
                          (theirs.status, theirs.err.splitlines()[-1]))
        shutil.rmtree(self.queue.queue)
        for option in ("-p", "-f", "-j"):
            self.same("no queue directory: %s" % option, option)


class Scripted:
    """A UNIX-domain socket where each client is served by a function."""

    def __init__(self, path, serve):
        self.path, self.serve = path, serve

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(self.path))
        self.path.chmod(0o666)
        self.socket.listen(8)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                client.settimeout(20)
                try:
                    self.serve(client)
                    client.shutdown(socket.SHUT_WR)
                    client.recv(1)
                except OSError:
                    pass

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
        self.path.unlink()


def running_systems(checks, bin_directory):
    """Each client with each server."""
    ours, theirs = bin_directory / "postqueue", find_program("postqueue")
    settings = "fast_flush_domains = example.com\n"
    with StockPostfix(settings=settings) as stock:
        stock.send(b"Subject: hello\r\n\r\nhello\r\n")
        stock.send(b"Subject: hello\r\n\r\nhello\r\n", "<>", ("<both@example.com>", "<\"q u\"@x.example>"))
        for option in ("-p", "-j"):
            seen, wanted = (run([program, "-c", stock.configuration, option]) for program in (ours, theirs))
            checks.equal("our client, their server: %s" % option, (seen.status, seen.out, seen.err),
                         (wanted.status, wanted.out, wanted.err))
        checks.check("there was something to list", "MAILER-DAEMON" in wanted.out, wanted)
    directory = private_directory()
    directory.chmod(0o755)
    try:
        system = MailSystem(bin_directory, directory, "mail_owner = postfix\nsetgid_group = postdrop\n")
        system.entries.append("showq unix n - n - - showq\n")
        system.write_master_cf()
        with system:
            with system.client() as client:
                client.sendmail("ann@example.org", ["bob@example.com", "carl@example.com"], "Subject: x\n\nhi\n")
            nobody = pwd.getpwnam("nobody")
            for option in ("-p", "-j"):
                seen, wanted = (run([program, "-c", system.config, option]) for program in (ours, theirs))
                checks.equal("their client, our server: %s" % option, (seen.status, seen.out), (wanted.status, wanted.out))
                checks.check("it lists the message: %s" % option, "carl@example.com" in seen.out and not seen.err, seen)
                (system.queue / "public").chmod(0o755)
                user = run([ours, "-c", system.config, option], user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
                checks.equal("a user sees it: %s" % option, (user.status, user.out), (seen.status, seen.out))
            mailq = run([bin_directory / "sendmail", "-C", system.config, "-bp"])
            checks.check("mailq lists it", "carl@example.com" in mailq.out and mailq.status == 0, mailq)
            linked = run([bin_directory / "mailq", "-C", system.config])
            checks.equal("the program mailq", (linked.status, linked.out), (mailq.status, mailq.out))
        down = run([ours, "-c", system.config, "-p"], user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
        checks.equal("a user, when it is down", (down.status, down.out, down.err),
                     (69, "", "postqueue: fatal: Queue report unavailable - mail system is down "
                              "(Connect to the Postfix showq service: Connection refused)\n"))
        with open(system.config / "main.cf", "a", encoding="ascii") as main_cf:
            main_cf.write("authorized_mailq_users = root\nauthorized_flush_users = root\n")
        for option, what in (("-p", "view"), ("-f", "flush")):
            refused = run([ours, "-c", system.config, option], user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
            checks.equal("a user who may not %s" % what, (refused.status, refused.out, refused.err),
                         (69, "", "postqueue: fatal: User nobody(65534) is not allowed to %s the mail queue\n" % what))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def test(checks, bin_directory, directory):
    if os.geteuid() != 0:
        raise NoServer("a stock Postfix needs root")
    queue = Queue(directory)
    try:
        each = Test(checks, bin_directory, queue)
        each.command_line()
        each.files()
        each.logs()
        each.whole_queue()
        each.scripted_services()
        each.missing_directories()
    finally:
        queue.log.unlink(missing_ok=True)
    running_systems(checks, bin_directory)


if __name__ == "__main__":
    sys.exit(run_server_test("postqueue", test))
