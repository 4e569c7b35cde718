"""The distribution's Postfix beside our delivery agents, which deliver the same queue files to mailboxes, commands and
users of the test's own. REQUIRES: a namespace of its own (namespace.py).

    systems = Systems(bin_directory, directory, MAIN_CF, SERVICES)
    with systems.stock:
        for case in CASES: systems.compare(checks, case)
"""
import difflib
import os
import pathlib
import re
import shutil
import stat
import time

from checks import run
from namespace import mount_over
from server import NoServer, Server
from stock_postfix import DAEMONS, QUEUES
from stock_postfix import MASTER_CF as STOCK_MASTER_CF

DEADLINE = 30  # seconds
# Name, user and group. Homes are made in a directory of the test.
USERS = (("ann", 2001, 2001), ("bob", 2002, 2002), ("carl", 2003, 2003), ("dora", 2004, 2004))
MAIN_CF = {
    "compatibility_level": "3.6", "myhostname": "mail.example.org", "mydestination": "example.org", "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4", "in_flow_delay": "0", "mail_owner": "postfix", "setgid_group": "postdrop", "alias_maps": "",
    "notify_classes": "", "local_recipient_maps": "", "header_checks": "regexp:{{/^X-Hold:/ HOLD}}", "append_dot_mydomain": "no",
    "default_database_type": "texthash", "default_transport": "keep", "relay_transport": "keep", "defer_transports": "keep",
    "biff": "no", "deliver_lock_attempts": "2", "deliver_lock_delay": "1s", "bounce_queue_lifetime": "1h",
    "local_destination_recipient_limit": "1",
}
STOCK_SERVICES = """\
qmgr unix n - n 300 1 qmgr
showq unix n - n - - showq
flush unix n - n 1000? 0 flush
keep unix - - n - - discard
"""


def make_users(directory, homes, users=USERS):
    """Users that only this namespace knows, with homes in `homes`, which need not be there."""
    lines = [line for line in pathlib.Path("/etc/passwd").read_text().splitlines() if line]
    groups = [line for line in pathlib.Path("/etc/group").read_text().splitlines() if line]
    for name, user, group in users:
        lines.append("%s:x:%d:%d:A Name,x:%s:/bin/sh" % (name, user, group, homes / name))
        groups.append("%s:x:%d:" % (name, group))
    for name, content in (("passwd", lines), ("group", groups)):
        path = directory / name
        path.write_text("\n".join(content) + "\n")
        mount_over(path, "/etc/" + name)


class Stock:
    """With a queue manager. A message is held first, so that ours can have the same file."""

    def __init__(self, directory, main_cf, services):
        for daemon in ("local", "virtual", "pipe"):
            if not (DAEMONS / daemon).exists():
                raise NoServer("no %s of the distribution's Postfix" % daemon)
        self.directory = directory / "stock"
        self.config, self.queue, data = (self.directory / name for name in ("config", "queue", "data"))
        for path in (self.config, self.queue, data):
            path.mkdir(parents=True)
        for name in QUEUES:
            (self.queue / name).mkdir(mode=0o755)
            if name != "pid":
                shutil.chown(self.queue / name, "postfix")
        for name, mode in (("maildrop", 0o1730), ("public", 0o2710)):
            shutil.chown(self.queue / name, "postfix", "postdrop")
            (self.queue / name).chmod(mode)
        shutil.chown(data, "postfix")
        values = dict(MAIN_CF, queue_directory=self.queue, data_directory=data, maillog_file=self.directory / "mail.log",
                      maillog_file_prefixes=self.directory, **main_cf)
        (self.config / "main.cf").write_text("".join("%s = %s\n" % item for item in values.items()))
        (self.config / "master.cf").write_text(STOCK_MASTER_CF + STOCK_SERVICES + services)
        old = time.time() - 3600
        for name in ("main.cf", "master.cf"):
            os.utime(self.config / name, (old, old))
        self.server = Server("master", [DAEMONS / "master", "-d", "-c", self.config],
                             lambda: (self.queue / "public" / "qmgr").exists(), self.directory / "console")

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop()

    def log(self):
        path = self.directory / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait(self, condition):
        deadline = time.monotonic() + DEADLINE
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise AssertionError("not in time; the log:\n" + self.log()[-3000:])
            time.sleep(0.02)
        return found

    def submit(self, message, sender, recipients, *options):
        """Returns the queue file of a message that is held."""
        done = run(["/usr/sbin/sendmail", "-C", self.config, "-f", sender, *options, "--", *recipients],
                   stdin=b"X-Hold: yes\n" + message)
        assert done.status == 0, done
        return self.wait(lambda: next((path for path in (self.queue / "hold").iterdir() if os.access(path, os.X_OK)), None))

    def release(self, name):
        """Until the message is gone, or deferred. Returns what was logged from then on."""
        start = len(self.log())
        done = run(["/usr/sbin/postsuper", "-c", self.config, "-H", name])
        assert done.status == 0, done
        run(["/usr/sbin/postqueue", "-c", self.config, "-i", name])
        self.wait(lambda: re.search(r"qmgr\[\d+\]: %s: (removed|from=.*status)" % name, self.log()[start:]) or
                  (self.queue / "deferred" / name[0] / name).exists() and "to=<" in self.log()[start:])
        for forward in re.findall(r"forwarded as (\w+)", self.log()[start:]):
            self.wait(lambda forward=forward: "qmgr" in self.log()[start:] and self.is_over(forward, self.log()[start:]))
        return self.log()[start:]

    def is_over(self, name, log):
        """And told of, for each recipient: the log is written by a process of its own, which may be late."""
        if re.search(r": %s: removed" % name, log):
            return True
        recipients = re.search(r": %s: from=<.*nrcpt=(\d+)" % name, log)
        return recipients and (self.queue / "deferred" / name[0] / name).exists() and \
            len(re.findall(r": %s: to=<" % name, log)) >= int(recipients.group(1))

    def forwards(self, original, log):
        """Who sends what was forwarded, to whom, and how it starts when it is still there."""
        lines = []
        for name in re.findall(r"\b%s: .*forwarded as (\w+)" % original, log):
            lines += re.findall(r"%s: (from=<[^>]*>)" % name, log)
            # A local user has a line for each way that the mail goes on.
            lines += sorted(set(re.findall(r"%s: (to=<[^>]*>(?:, orig_to=<[^>]*>)?)" % name, log)))
            path = self.queue / "deferred" / name[0] / name
            if path.exists():
                shown = run(["/usr/sbin/postcat", "-c", self.config, "-h", path]).out
                lines += re.findall(r"\A(?:Received: .*\n(?:\t.*\n)*)?(Delivered-To: .*)$", shown, re.M)
        return lines


class Ours:
    """The agents, in a process for each message."""

    def __init__(self, bin_directory, directory, main_cf, services):
        self.bin, self.directory = bin_directory, directory / "ours"
        self.config, self.queue, self.file = (self.directory / name for name in ("config", "queue", "mail.log"))
        for path in (self.config, self.queue):
            path.mkdir(parents=True)
        values = dict(MAIN_CF, queue_directory=self.queue, maillog_file=self.file, maillog_file_prefixes=self.directory,
                      data_directory=self.directory, **main_cf)
        (self.config / "main.cf").write_text("".join("%s = %s\n" % item for item in values.items()))
        (self.config / "master.cf").write_text(services)

    def deliver(self, file, service, nexthop):
        """Returns what was logged, and what was printed."""
        self.file.unlink(missing_ok=True)
        done = run([self.bin / "mailbox_program", self.config, self.bin / "deliver_as", file, service, nexthop])
        assert done.status == 0, done
        return self.file.read_text(errors="replace"), done.out


class Case:
    """`service` delivers a message to `recipients`. `prepare` is called with the directory of mailboxes first, once for each
    system."""

    def __init__(self, name, service, recipients, message=b"Subject: hello\n\nbody\n", sender="sender@example.net", prepare=None,
                 options=()):
        self.name, self.service, self.recipients, self.message = name, service, recipients, message
        self.sender, self.prepare, self.options = sender, prepare, options


class Account:
    """What the agent logged, what it left in the directory of mailboxes, and what it gave to others."""

    def __init__(self, log, files, passed):
        self.log, self.files, self.passed = log, files, passed


def settle(text):
    text = re.sub(r"\bdelay=[\d.]+, delays=[\d./]+", "delay=N", text)
    text = re.sub(r"\b\d+\.P\d+\.", "TIME.PID.", text)
    return re.sub(r"/(stock|ours)/(queue|config)\b", r"/SYSTEM/\2", text)


def settle_file(content):
    content = re.sub(rb"^(From .*  )\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}(\r?)$", rb"\1DATE\2", content, flags=re.M)
    return settle(content.decode("utf-8", "surrogateescape"))


def without_messages(text, ids):
    """A mailbox without the messages that came in these queue files."""
    messages = re.split(r"(?m)^(?=From .*  DATE\r?$)", text)
    return "".join(each for each in messages if not any("id %s;" % name in each for name in ids))


def snapshot(directory, ids=()):
    """A line for each file, and one for each line in it; but for messages of these queue files."""
    lines = []
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        name = re.sub(r"\b\d+\.V[0-9a-f]+I[0-9a-f]+M\d+\.%s$" % re.escape(os.uname().nodename), "UNIQUE",
                      str(path.relative_to(directory)))
        content = []
        if stat.S_ISREG(status.st_mode):
            text = settle_file(path.read_bytes())
            rest = without_messages(text, ids)
            if not rest and text:
                continue
            content = ["  " + line for line in rest.split("\n")]
        lines += ["%s %o %d:%d" % (name, status.st_mode, status.st_uid, status.st_gid), *content]
    return lines


def by_message(lines):
    """What is said of several forwarded messages, in an order that does not depend on when they were made."""
    groups = []
    for line in lines:
        if line.startswith("from=") or not groups:
            groups.append([])
        groups[-1].append(line)
    return [line for group in sorted(groups) for line in group]


OF_A_TABLE = re.compile(r"warning: \S+ map ")


class Systems:
    """Both, which have `directory`/box for mailboxes, in turns."""

    def __init__(self, bin_directory, directory, main_cf, services):
        self.box, self.directory = directory / "box", directory
        self.stock = Stock(directory, main_cf, services)
        self.ours = Ours(bin_directory, directory, main_cf, services)
        self.warned = set(), set()  # Ours, and the distribution's: what they said of tables, each time they opened one.

    def make_box(self, case):
        shutil.rmtree(self.box, ignore_errors=True)
        self.box.mkdir()
        self.box.chmod(0o755)
        if case.prepare:
            case.prepare(self.box)

    def account(self, name, program, log, passed):
        lines = re.findall(r"^\S+ +\S+ \S+ \S+ postfix/%s\[\d+\]: (.*)$" % program, log, re.M)
        # What is forwarded has lines of its own, and is delivered as another message.
        forwards = re.findall(r"\b%s: .*forwarded as (\w+)" % name, log)
        lines = [line for line in lines if line.startswith(name + ":") or not re.match(r"[0-9A-F]{9,}:", line)]
        # The distribution's log has 2000 characters a line at most.
        lines = [re.sub(r"forwarded as \w+", "forwarded as ID", settle(line)[:1900]) for line in lines]
        return Account(lines, snapshot(self.box, forwards), passed)

    def accounts(self, case, program, nexthop="example.org"):
        """Ours, and the distribution's."""
        file = self.stock.submit(case.message, case.sender, case.recipients, *case.options)
        copy = self.directory / file.name
        shutil.copy(file, copy)
        copy.chmod(0o700)
        self.make_box(case)
        log = self.stock.release(file.name)
        theirs = self.account(file.name, program, log, self.stock.forwards(file.name, log))
        self.make_box(case)
        log, printed = self.ours.deliver(copy, case.service, nexthop)
        passed = [line for line in printed.splitlines() if re.match(r"from=|to=|Delivered-To:", line)]
        ours = self.account(file.name, program, log, passed)
        copy.unlink()
        return ours, theirs

    def compare(self, checks, case, program, nexthop="example.org"):
        ours, theirs = self.accounts(case, program, nexthop)
        # The queue manager of the distribution asks for recipients in an order of its own.
        for account, warned in zip((ours, theirs), self.warned):
            warned.update(filter(OF_A_TABLE.match, account.log))
            account.log = sorted(line for line in account.log if not OF_A_TABLE.match(line))
        if not any(line.startswith("Delivered-To") for line in theirs.passed):
            ours.passed = [line for line in ours.passed if not line.startswith("Delivered-To")]
        ours.passed, theirs.passed = by_message(ours.passed), by_message(theirs.passed)
        for what in ("log", "files", "passed"):
            if what == "passed" and not ours.passed and not theirs.passed:
                continue
            got, wanted = getattr(ours, what), getattr(theirs, what)
            checks.check("%s: the %s" % (case.name, what), got == wanted, lambda got=got, wanted=wanted: "\n".join(
                difflib.unified_diff(wanted, got, "wanted", "got", n=0, lineterm="")))
