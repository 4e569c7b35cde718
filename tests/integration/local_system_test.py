#!/usr/bin/env python3
"""Mail for users of this host through the whole of our mail system: aliases, lists with an owner, .forward files, commands,
what comes back to the sender, and what must wait. As root, and in a directory of an ordinary user.

    tests/integration/local_system_test.py --bin build/dev/bin
"""
import contextlib
import mailbox
import os
import pwd
import re
import shutil
import sys

from checks import run
from mail_system import MailSystem
from mailbox_systems import make_users
from namespace import run_inside
from server import private_directory

MAIN_CF = """\
mynetworks = 127.0.0.0/8
myorigin = example.com
disable_dns_lookups = yes
mail_spool_directory = {directory}/spool
mailbox_size_limit = 10300000
recipient_delimiter = +
alias_maps = texthash:{directory}/aliases
transport_maps = inline:{{{{kept.example=retry:4.3.2 later}},{{show.example=show:}}}}
"""
ALIASES = """\
team ann, bob, archive
archive {directory}/out/archive
list ann, nonesuch
owner-list bob
run "|cat > {directory}/out/run; echo done"
soft ann, "|exit 75"
mixed ann, nonesuch
away ann, x@kept.example
env "|env > {directory}/out/env"
root ann
"""
AGENTS = """\
local unix - n n - - local
show unix - n n - - pipe flags=DORX user=carl argv=/bin/sh -c {{cat > {directory}/out/$$1}} show ${{user}}
"""
TEXT = b"Subject: hello\r\n\r\nFrom here\r\nthe text\r\n"


class Site:
    def __init__(self, bin_directory, directory, main_cf=""):
        self.directory, self.bin = directory, bin_directory
        for name, mode in (("spool", 0o1777), ("out", 0o777)):
            (directory / name).mkdir()
            (directory / name).chmod(mode)
        (directory / "aliases").write_text(ALIASES.format(directory=directory))
        self.system = MailSystem(bin_directory, directory, MAIN_CF.format(directory=directory) + main_cf, has_queue_manager=True)
        self.system.entries.append(AGENTS.format(directory=directory))
        self.system.write_master_cf()

    def send(self, *recipients, sender="ann@example.com"):
        with self.system.client() as smtp:
            smtp.sendmail(sender, ["%s@example.com" % each for each in recipients], TEXT)

    def send_notified(self, recipient, sender):
        with self.system.client() as smtp:
            smtp.sendmail(sender, ["%s@example.com" % recipient], TEXT, rcpt_options=["NOTIFY=SUCCESS,FAILURE"])

    def box(self, user):
        return [message for message in mailbox.mbox(self.directory / "spool" / user, create=False)] \
            if (self.directory / "spool" / user).exists() else []

    def wait_for_box(self, user, count):
        self.system.wait_for(lambda: len(self.box(user)) >= count)
        return self.box(user)

    def wait_until_empty(self, *but):
        """Nothing is in the queue beside `but`, directories of it."""
        return self.system.wait_for(lambda: not any(files for name in ("incoming", "active", "deferred") if name not in but
                                                    for _, _, files in os.walk(self.system.queue / name)))

    def logged(self, pattern):
        return self.system.wait_for(lambda: re.search(pattern, self.system.log()))


def report_of(notice):
    parts = notice.get_payload()[1].get_payload()[1:]
    return [(part["Final-Recipient"], part["Action"], part["Status"]) for part in parts]


def check_system(checks, site):
    site.send("ann", "BOB+x")
    checks.equal("mail is in the mailbox", [each["Delivered-To"] for each in site.wait_for_box("ann", 1)], ["ann@example.com"])
    checks.equal("of each", [each["Delivered-To"] for each in site.wait_for_box("bob", 1)], ["BOB+x@example.com"])
    file = site.directory / "spool/ann"
    checks.equal("and it is the user's", (file.stat().st_uid, file.stat().st_mode & 0o777), (2001, 0o600))
    checks.check("with its text quoted", b"\n>From here\nthe text\n\n" in file.read_bytes(), file.read_bytes())

    site.send("team")
    checks.equal("an alias goes to all of its users", [len(site.wait_for_box(user, 2)) for user in ("ann", "bob")], [2, 2])
    checks.check("and to its file", (site.directory / "out/archive").exists() or site.wait_until_empty())
    checks.equal("which is nobody's", (site.directory / "out/archive").stat().st_uid, pwd.getpwnam("nobody").pw_uid)

    site.send("run")
    checks.check("a command gets the message", site.logged(r"to=<run@example\.com>.*status=sent \(delivered to command: cat"), site.system.log)
    checks.check("all of it", (site.directory / "out/run").read_bytes().endswith(b"\nFrom here\nthe text\n"))

    site.send("list")
    notice = next((each for each in site.wait_for_box("bob", 3) if each.is_multipart()), None)
    checks.check("errors of a list go to its owner", notice is not None, site.system.log)
    checks.equal("and say who is not there", notice and report_of(notice), [("rfc822; nonesuch@example.com", "failed", "5.1.1")])
    copy = site.wait_for_box("ann", 3)[-1]
    checks.equal("its mail comes from the owner", copy["Return-Path"], "<owner-list@example.com>")
    checks.equal("and tells where it was", copy.get_all("Delivered-To"), ["ann@example.com", "list@example.com"])
    checks.check("nothing is left", site.wait_until_empty(), site.system.log)

    site.send("mixed", sender="bob@example.com")
    notice = next((each for each in site.wait_for_box("bob", 4)[3:] if each.is_multipart()), None)
    checks.equal("a sender is told which part of an alias failed", notice and report_of(notice),
                 [("rfc822; nonesuch@example.com", "failed", "5.1.1")])
    checks.check("the mail is over", site.wait_until_empty(), site.system.log)


def check_success(checks, site):
    """What senders are told who asked to be told of success."""
    for recipient, action in (("carl", "delivered"), ("archive", "expanded"), ("run", "expanded")):
        before = len(site.box("bob"))
        site.send_notified(recipient, "bob@example.com")
        notice = next((each for each in site.wait_for_box("bob", before + 1)[before:] if each.is_multipart()), None)
        checks.equal("success of mail for %s" % recipient, notice and report_of(notice),
                     [("rfc822; %s@example.com" % recipient, action, "2.0.0")])
    site.send("env")
    shown = site.directory / "out/env"
    checks.check("a command that prints its environment", site.logged(r"to=<env@example\.com>.*status=sent"), site.system.log)
    lines = [line for line in shown.read_text().splitlines() if line.startswith(("CLIENT", "SASL", "SENDER", "USER"))]
    checks.equal("knows the client", sorted(lines), ["CLIENT_ADDRESS=127.0.0.1", "CLIENT_HELO=client.example", "CLIENT_HOSTNAME=unknown",
                                                     "CLIENT_PROTOCOL=ESMTP", "SENDER=ann@example.com", "USER=env"])
    site.wait_until_empty()


def check_forward(checks, site):
    home = site.directory / "home/dora"
    home.mkdir(parents=True)
    (home / ".forward").write_text("\\dora, carl@show.example\n")
    os.chown(home / ".forward", 2004, 2004)
    before = len(site.box("dora"))
    site.send("dora")
    checks.equal("a .forward file keeps a copy", len(site.wait_for_box("dora", before + 1)), before + 1)
    checks.check("and sends another on", site.logged(r"to=<dora@example\.com>.*status=sent \(forwarded as"), site.system.log)
    shown = site.directory / "out/carl"
    checks.check("which a command gets", site.system.wait_for(shown.exists) and site.wait_until_empty(), site.system.log)
    lines = shown.read_text().splitlines()
    checks.equal("with its headers", [line for line in lines if line.startswith(("Return-Path", "X-Original", "Delivered"))],
                 ["Return-Path: <ann@example.com>", "X-Original-To: dora@example.com", "Delivered-To: carl@show.example",
                  "Delivered-To: dora@example.com"])
    # What comes back to where it was is not sent on again.
    with site.system.client() as smtp:
        smtp.sendmail("ann@example.com", ["dora@example.com"], b"Delivered-To: dora@example.com\r\n" + TEXT)
    checks.check("a loop is seen", site.logged(r"to=<dora@example\.com>.*dsn=5\.4\.6, status=bounced \(mail forwarding loop for dora@example\.com\)"),
                 site.system.log)


def check_waiting(checks, site):
    site.wait_until_empty()
    before = len(site.box("ann"))
    site.send("soft", sender="")
    checks.check("one part that must wait keeps all", site.logged(r"to=<soft@example\.com>.*dsn=4\.3\.0, status=deferred"), site.system.log)
    checks.check("in the queue", site.system.wait_for(lambda: any(files for _, _, files in os.walk(site.system.queue / "deferred"))))
    checks.equal("the other has been delivered", len(site.box("ann")), before + 1)
    site.send("away", sender="")
    checks.check("what is forwarded waits by itself",
                 site.logged(r"to=<x@kept\.example>, orig_to=<away@example\.com>.*status=deferred \(later\)"), site.system.log)
    site.send("root", sender="")
    checks.equal("mail of root goes where an alias says", len(site.wait_for_box("ann", before + 3)), before + 3)


def check_rights(checks, site):
    """The process with privileges is the only one, and ends with the mail system."""
    pids = [pid for pid in os.listdir("/proc") if pid.isdigit()]
    owners = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            name = os.path.basename(open("/proc/%s/cmdline" % pid, "rb").read().split(b"\0")[0].decode())
            owners.setdefault(name, set()).add(os.stat("/proc/%s" % pid).st_uid)
    owner = pwd.getpwnam("postfix").pw_uid
    checks.equal("the queue manager has no rights of root", owners.get("qmgr"), {owner})
    checks.check("deliver_as runs", "deliver_as" in owners, owners)


def check_user(checks, bin_directory):
    """An ordinary user can deliver to himself, and is told why not to others."""
    user = pwd.getpwnam("ann")
    directory = private_directory(user)
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(Exception):
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            site = Site(bin_directory, directory, "default_privs = ann\n")
            with site.system:
                site.send("ann", "bob", sender="")
                is_mine = len(site.wait_for_box("ann", 1)) == 1
                is_said = site.logged(r"to=<bob@example\.com>.*dsn=4\.3\.0, status=deferred \(cannot update mailbox \S+ for user bob\."
                                      r" only root can act as user 2002 and group 2002\)")
                status = 0 if is_mine and is_said else 2
            if status:
                print(site.system.log(), flush=True)
        os._exit(status)
    checks.equal("an ordinary user's mail system delivers to his mailbox, and says why not to others",
                 os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    shutil.rmtree(directory, ignore_errors=True)


def inside(checks, bin_directory, directory):
    make_users(directory, directory / "home")
    main_cf = "mail_owner = postfix\nsetgid_group = postdrop\n"
    site = Site(bin_directory, directory, main_cf)
    with site.system:
        check_system(checks, site)
        check_success(checks, site)
        check_forward(checks, site)
        check_waiting(checks, site)
        check_rights(checks, site)
    # In this namespace nobody waits for orphans.
    left = [line for line in run(["ps", "-A", "-o", "stat=,comm="]).out.splitlines() if "deliver_as" in line and not line.startswith("Z")]
    checks.equal("deliver_as ends with the mail system", left, [])
    check_user(checks, bin_directory)


if __name__ == "__main__":
    sys.exit(run_inside("local", __file__, inside))
