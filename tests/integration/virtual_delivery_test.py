#!/usr/bin/env python3
"""virtual(8): mailboxes, their owners, what the log says, ours and the distribution's.

    tests/integration/virtual_delivery_test.py --bin build/dev/bin
"""
import fcntl
import os
import shutil
import sys

from checks import run
from mailbox_systems import Case, Systems, make_users
from namespace import run_inside

USER, GROUP = 2001, 2005
BOXES = {
    "mbox": "mail/mbox", "maildir": "mail/Maildir/", "deep": "mail/no/such/mbox", "deepdir": "mail/new/dir/", "low": "mail/low",
    "nouid": "mail/nouid", "foreign": "mail/foreign", "stolen": "mail/stolen", "locked": "mail/locked", "rooted": "root/mbox",
    "rootdir": "root/Maildir/", "directory": "mail/directory", "dots": "mail/../mail/dots", "gid0": "mail/gid0",
    "badgid": "mail/badgid", "baduid": "mail/baduid", "big": "mail/big", "link": "mail/link", "notdir": "mail/file/",
    "hard": "mail/hard", "dangling": "mail/dangling", "stale": "mail/stale", "fifo": "mail/fifo", "held": "mail/held", "+": "mail/plus",
}
UIDS = {"low": "50", "baduid": "x1", "nouid": None}
GIDS = {"gid0": "0", "badgid": "many"}


def own(path):
    os.chown(path, USER, USER)
    return path


def prepare(box):
    mail = box / "mail"
    mail.mkdir()
    own(mail)
    (box / "root").mkdir()
    (mail / "foreign").write_text("x")
    (mail / "stolen").write_text("x")
    (mail / "stolen").chmod(0o666)
    (mail / "directory").mkdir()
    own(mail / "directory")
    for name, text in (("locked.lock", ""), ("big", "x" * 59900), ("file", "x"), ("hard", "x"), ("held", "held\n")):
        (mail / name).write_text(text)
        own(mail / name)
    os.link(mail / "hard", mail / "hard2")
    os.symlink(mail / "file", mail / "link")
    os.symlink(mail / "mbox", mail / "dangling")
    os.mkfifo(mail / "fifo", 0o600)
    own(mail / "fifo")


def to(*users):
    return ["%s@v.test" % user for user in users]


BODY = b"Subject: x\nReturn-Path: <old>\nX-Long: " + b"y" * 5000 + b"\n\nFrom here\n>From there\n.dot\n From\n\nlast"
CASES = [
    Case("an mbox", "virtual", to("mbox"), BODY),
    Case("a maildir", "virtual", to("maildir"), BODY),
    Case("an extension, and capitals", "virtual", ["MBox+Ext@V.test"], BODY),
    Case("an entry with an extension", "virtual", to("mbox+own"), BODY),
    Case("the null sender to an mbox", "virtual", to("mbox"), BODY, ""),
    Case("the null sender to a maildir", "virtual", to("maildir"), BODY, ""),
    Case("quoted addresses", "virtual", ['"mbox+a b"@v.test'], BODY, '"se nder"@example.net'),
    Case("an entry for a quoted address", "virtual", ['"a b"@v.test'], BODY),
    Case("it was there before", "virtual", to("mbox"), b"Delivered-To: mbox@v.test\n\nloop\n"),
    Case("no header", "virtual", to("mbox"), b"From me\nSubject: x\n\nbody"),
    Case("an empty body", "virtual", to("mbox"), b"Subject: x\n"),
    *(Case(user, "virtual", to(user)) for user in
      ("deep", "deepdir", "low", "nouid", "foreign", "stolen", "locked", "rooted", "rootdir", "directory", "dots", "gid0", "badgid",
       "baduid", "link", "dangling", "notdir", "hard", "fifo", "nobody")),
    Case("a mailbox becomes too big", "virtual", to("big"), b"Subject: x\n\n" + b"line of some text\n" * 500),
    Case("many recipients", "virtual", to("mbox", "maildir", "nobody", "low", "dots"), BODY),
]
for each in CASES:
    each.prepare = prepare


def check_full_disk(checks, systems):
    """A mailbox stays as it was, and a maildir has nothing new."""
    def mount(box):
        run(["umount", box])
        assert run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "none", box]).status == 0
        mail = box / "mail"
        mail.mkdir()
        own(mail)
        own_file = mail / "mbox"
        own_file.write_bytes(b"before\n")
        own(own_file)
        (box / "root").mkdir()
        # Almost full.
        (box / "ballast").write_bytes(b"x" * (980 << 10))
    message = b"Subject: x\n\n" + b"line of some text\n" * 3000
    for name, user in (("a full disk and an mbox", "mbox"), ("a full disk and a maildir", "maildir")):
        case = Case(name, "virtual", to(user), message, prepare=mount)
        systems.make_box = lambda case: (run(["umount", systems.box]), shutil.rmtree(systems.box, ignore_errors=True),
                                         systems.box.mkdir(), case.prepare(systems.box))
        ours, theirs = systems.accounts(case, "virtual")
        checks.equal(name + ": the log", ours.log, theirs.log)
        # Which of its directories a maildir has by then is nobody's business.
        left = [[line for line in each.files if not line.startswith(("  x", "ballast", "mail/Maildir/"))] for each in (ours, theirs)]
        checks.equal(name + ": the files", left[0], left[1])
        checks.check(name + ": deferred", any("status=deferred" in line for line in ours.log), ours.log)
        checks.check(name + ": no message", not any("/new/" in line or "Subject" in line for line in ours.files), ours.files)
        run(["umount", systems.box])


def check_locks(checks, systems):
    """Who holds a lock of a mailbox is waited for."""
    for name, lock in (("fcntl", fcntl.lockf), ("flock", fcntl.flock)):
        held = []

        def hold(box, lock=lock, held=held):
            prepare(box)
            held.append(open(box / "mail/held", "r+b"))
            lock(held[-1], fcntl.LOCK_EX)
        systems.compare(checks, Case("a mailbox is locked by " + name, name, ["held@%s.test" % name], prepare=hold), "virtual")

    def leave(box):
        prepare(box)
        (box / "mail/held.lock").write_text("")
        own(box / "mail/held.lock")
    systems.compare(checks, Case("a lock that somebody left", "stale", ["held@stale.test"], prepare=leave), "virtual")


def inside(checks, bin_directory, directory):
    make_users(directory, directory / "home")
    names = {"@v.test" if name == "+" else "%s@v.test" % name: path for name, path in BOXES.items() if name != "+"}
    names.update({"mbox+own@v.test": "mail/plus", '"a b"@v.test': "mail/quoted"})
    names.update({"held@fcntl.test": "mail/held", "held@flock.test": "mail/held", "held@stale.test": "mail/held"})
    tables = {"boxes": names,
              "uids": {"@v.test": str(USER), **{key: value for key in names if (value := UIDS.get(key.split("@")[0], str(USER))) is not None}},
              "gids": {**{"%s@v.test" % name: value for name, value in GIDS.items()}, "@v.test": str(GROUP), "@fcntl.test": str(GROUP),
                       "@flock.test": str(GROUP), "@stale.test": str(GROUP)}}
    for name, table in tables.items():
        (directory / name).write_text("".join("%s %s\n" % item for item in table.items()))
    # There is no proxymap service: whose rights are used is not asked of one.
    main_cf = {"virtual_mailbox_base": directory / "box", "virtual_mailbox_maps": "proxy:texthash:%s/boxes" % directory,
               "virtual_uid_maps": "proxy:texthash:%s/uids" % directory, "virtual_gid_maps": "texthash:%s/gids" % directory,
               "virtual_mailbox_domains": "v.test", "virtual_mailbox_limit": "60000", "message_size_limit": "60000",
               "recipient_delimiter": "+", "transport_maps": "texthash:%s/transport" % directory,
               "virtual_delivery_status_filter": r"pcre:{{/^2(.*) to maildir/ 2$$1}, {/^5(\S+) unknown user(.*)/ 4$$1 unknown for now$$2}}"}
    (directory / "transport").write_text("fcntl.test fcntl:\nflock.test flock:\nstale.test stale:\n")
    services = "virtual unix - n n - - virtual\n"
    for lock in ("fcntl", "flock"):
        services += "%s unix - n n - - virtual\n  -o virtual_mailbox_lock=%s\n" % (lock, lock)
    services += ("stale unix - n n - - virtual\n  -o virtual_mailbox_lock=dotlock -o stale_lock_time=1s -o deliver_lock_attempts=5\n")
    systems = Systems(bin_directory, directory, main_cf, services)
    with systems.stock:
        for case in CASES:
            systems.compare(checks, case, "virtual")
        check_locks(checks, systems)
        check_full_disk(checks, systems)


if __name__ == "__main__":
    sys.exit(run_inside("virtual", __file__, inside))
