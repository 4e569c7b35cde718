#!/usr/bin/env python3
"""The way of messages through the whole mail system: into mailboxes, on to the next system, back to their senders; mail that
must wait, and a queue that another Postfix has left. Also in a directory of an ordinary user.

usage: mail_flow_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import contextlib
import email
import os
import pwd
import re
import shutil
import sys

from checks import run
from mail_system import MailSystem
from server import NoServer, free_port, private_directory, run_server_test
from stock_postfix import Conversation, StockPostfix

MAIN_CF = """\
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = users.example
virtual_mailbox_base = {mailboxes}
virtual_mailbox_maps = inline:{{{{ann@users.example=ann/}},{{bob@users.example=bob}}}}
virtual_uid_maps = static:{owner.st_uid}
virtual_gid_maps = static:{owner.st_gid}
virtual_minimum_uid = 1
transport_maps = inline:{{{{nobody.example=error:5.1.1 there is nobody}},{{next.example=smtp:[127.0.0.1]:{next_hop}}}}}
disable_dns_lookups = yes
"""
AGENTS = "virtual unix - n n - - virtual\n"
TEXT = b"Subject: hello\r\n\r\nthe text\r\n"


class Site:
    """Our mail system, with the mailboxes of two users; `user` runs it, where one is given."""

    def __init__(self, bin_directory, directory, main_cf="", user=None):
        self.programs, self.user, self.next_hop = bin_directory, user, free_port()
        self.mailboxes = directory / "mailboxes"
        self.mailboxes.mkdir()
        shutil.chown(self.mailboxes, user or "nobody", "nogroup")
        text = MAIN_CF.format(mailboxes=self.mailboxes, owner=self.mailboxes.stat(), next_hop=self.next_hop)
        self.system = MailSystem(bin_directory, directory, text + main_cf, has_queue_manager=True)
        self.system.entries.append(AGENTS)
        self.system.write_master_cf()

    def send(self, recipients, sender="ann@users.example"):
        with self.system.client() as smtp:
            smtp.sendmail(sender, recipients, TEXT)

    def maildir(self, count):
        """The messages of ann, once there are so many."""
        new = self.mailboxes / "ann/new"
        self.system.wait_for(lambda: new.exists() and len(list(new.iterdir())) >= count)
        return [email.message_from_bytes(file.read_bytes()) for file in sorted(new.iterdir())] if new.exists() else []

    def listing(self):
        return run([self.programs / "postqueue", "-c", self.system.config, "-p"]).out

    def is_empty(self):
        return not any(files for name in ("incoming", "active", "deferred")
                       for _, _, files in os.walk(self.system.queue / name))


def check_mailboxes(checks, site):
    site.send(["ann@users.example", "bob@users.example"])
    messages = site.maildir(1)
    checks.equal("a Maildir gets the message", [message["Subject"] for message in messages], ["hello"])
    checks.equal("with its envelope", (messages[0]["Return-Path"], messages[0]["Delivered-To"]),
                 ("<ann@users.example>", "ann@users.example"))
    mbox = site.mailboxes / "bob"
    checks.check("a mailbox, too", site.system.wait_for(lambda: mbox.exists() and mbox.read_bytes().endswith(b"the text\n\n")))
    checks.check("which starts as one does", mbox.read_bytes().startswith(b"From ann@users.example  "))
    owner = site.mailboxes.stat().st_uid
    checks.equal("they are the user's", {file.stat().st_uid for file in (mbox, *(site.mailboxes / "ann/new").iterdir())},
                 {owner})
    checks.check("the queue is empty", site.system.wait_for(site.is_empty), site.system.log)


def check_return(checks, site):
    before = len(site.maildir(0))
    site.send(["x@nobody.example", "bob@users.example"])
    notice = next(each for each in site.maildir(before + 1) if each.is_multipart())
    report, original = notice.get_payload()[1].get_payload(), notice.get_payload()[2].get_payload()
    checks.equal("what cannot be delivered goes back to the sender", (notice["Return-Path"], notice.get_content_type()),
                 ("<>", "multipart/report"))
    checks.equal("the notice says for whom", [(part["Final-Recipient"], part["Action"], part["Status"]) for part in report[1:]],
                 [("rfc822; x@nobody.example", "failed", "5.1.1")])
    checks.equal("and has the message", original[0]["Subject"], "hello")
    site.send(["y@nobody.example"], sender="")
    checks.check("mail of the null sender is not returned", site.system.wait_for(site.is_empty), site.system.log)
    checks.equal("nobody is told of it", len(site.maildir(0)), before + 1)


def check_waiting(checks, site):
    """The next system is down, and comes back."""
    site.send(["carl@next.example"])
    reason = r"connect to 127\.0\.0\.1\[127\.0\.0\.1\]:%d: Connection refused" % site.next_hop
    checks.check("mail for a system that is down waits", site.system.wait_for(lambda: re.search(reason, site.listing())),
                 lambda: (site.listing(), site.system.log()))
    with contextlib.ExitStack() as stack:
        stack.enter_context(Taker(site.next_hop))
        checks.equal("postqueue -f", run([site.programs / "postqueue", "-c", site.system.config, "-f"]).status, 0)
        checks.check("is delivered when it is up", site.system.wait_for(site.is_empty), site.system.log)
    checks.check("as the log says", re.search(r"to=<carl@next\.example>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:%d, delay=[\d.]+,"
                                              r" delays=[\d./]+, dsn=2\.0\.0, status=sent \(250 2\.0\.0 Ok: queued as"
                                              % site.next_hop, site.system.log()), site.system.log)


class Taker:
    """The distribution's Postfix as the next system, at this port."""

    def __init__(self, port):
        self.postfix = StockPostfix({"smtpd": {}}, {"mydestination": "next.example"})
        master_cf = self.postfix.config / "master.cf"
        master_cf.write_text(master_cf.read_text().replace(":%d inet" % self.postfix.port("smtpd"), ":%d inet" % port))
        self.postfix.ports["smtpd"] = port

    def __enter__(self):
        return self.postfix.__enter__()

    def __exit__(self, *error):
        return self.postfix.__exit__(*error)


def check_takeover(checks, bin_directory, directory):
    """A queue that the distribution's Postfix has left, with mail in incoming/, deferred/ and active/."""
    with StockPostfix({"smtpd": {}}, {"mynetworks": "127.0.0.0/8"}) as stock:
        for number in range(6):
            with Conversation(stock.port("smtpd")) as smtp:
                smtp.reply()
                for line in (b"EHLO x\r\n", b"MAIL FROM:<carl@example.org>\r\n", b"RCPT TO:<ann@users.example>\r\n", b"DATA\r\n",
                             b"Subject: number %d\r\n\r\ntext\r\n.\r\n" % number, b"QUIT\r\n"):
                    smtp.ask(line)
        stock.server.stop()
        files = sorted((stock.queue / "incoming").iterdir())
        checks.equal("the other Postfix has left mail", len(files), 6)
        for file in files[:2]:
            file.rename(stock.queue / "active" / file.name)
        (stock.queue / "deferred" / files[2].name[0]).mkdir(mode=0o700)
        shutil.chown(stock.queue / "deferred" / files[2].name[0], "postfix")
        files[2].rename(stock.queue / "deferred" / files[2].name[0] / files[2].name)
        site = Site(bin_directory, directory, "queue_directory = %s\nmail_owner = postfix\nsetgid_group = postdrop\n" % stock.queue)
        site.system.queue = stock.queue
        with site.system:
            subjects = sorted(message["Subject"] for message in site.maildir(6))
            checks.equal("all of it is delivered", subjects, ["number %d" % number for number in range(6)])
            checks.check("and is gone from the queue", site.system.wait_for(site.is_empty), site.system.log)


def check_user(checks, bin_directory):
    """Everything in a directory of an ordinary user, who delivers to files of his own."""
    nobody = pwd.getpwnam("nobody")
    directory = private_directory(nobody)
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(Exception):
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            site = Site(bin_directory, directory, user=nobody.pw_name)
            with site.system:
                site.send(["ann@users.example", "x@nobody.example"])
                status = 0 if {str(message["Return-Path"]) for message in site.maildir(2)} == {"<>", "<ann@users.example>"} else 2
            if status:
                print(site.system.log(), flush=True)
        os._exit(status)
    checks.equal("an ordinary user's mail system delivers to his files", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    shutil.rmtree(directory, ignore_errors=True)


def run_checks(checks, bin_directory, directory):
    if os.geteuid() != 0:
        raise NoServer("it delivers to mailboxes of others, as root")
    bin_directory = bin_directory.resolve()
    directory.chmod(0o755)
    for name in ("flow", "takeover"):
        (directory / name).mkdir()
        (directory / name).chmod(0o755)
    site = Site(bin_directory, directory / "flow", "mail_owner = postfix\nsetgid_group = postdrop\n")
    with site.system:
        check_mailboxes(checks, site)
        check_return(checks, site)
        check_waiting(checks, site)
    check_takeover(checks, bin_directory, directory / "takeover")
    check_user(checks, bin_directory)


if __name__ == "__main__":
    sys.exit(run_server_test("a mail system", run_checks))
