#!/usr/bin/env python3
"""biff: who local(8) tells the comsat service about, and how, ours and the distribution's.

    tests/integration/biff_test.py --bin build/dev/bin
"""
import select
import shutil
import socket
import sys

from mailbox_systems import USERS, Case, Systems, make_users
from namespace import run_inside

COMSAT = 512  # UDP
ALIASES = """\
ali: bob
two: ann, bob
file: {box}/out/file
md: {box}/out/md/
cmd: "|cat > /dev/null"
"""
SITES = {
    "mailboxes of the system": {"mail_spool_directory": "{box}/spool"},
    "mailboxes at home": {"home_mailbox": "Mailbox"},
    "maildirs": {"home_mailbox": "Maildir/"},
    "maildirs of the system": {"mail_spool_directory": "{box}/spool/"},
    "a command": {"mailbox_command": "cat > /dev/null"},
    "nobody is told": {"mail_spool_directory": "{box}/spool", "biff": "no"},
}
CASES = [("a user", ["ann"]), ("an extension", ["ann+ext"]), ("capitals", ["ANN"]), ("an alias", ["ali"]), ("two", ["two"]),
         ("a file", ["file"]), ("a maildir", ["md"]), ("a command", ["cmd"]), ("a mailbox that is not empty", ["bob"]),
         ("nobody", ["nosuch"]), ("a .forward file", ["dora"]), ("a mailbox that is locked away", ["carl"])]


class Comsat:
    """Collects what it is told."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", COMSAT))

    def take(self):
        told = []
        while select.select([self.socket], [], [], 0.1)[0]:
            told.append(self.socket.recv(4096).decode("utf-8", "replace"))
        return sorted(told)


def prepare(box):
    for name in ("spool", "out", "out/md"):
        (box / name).mkdir()
        (box / name).chmod(0o1777)
    for name, user, group in USERS:
        home = box / name
        home.mkdir()
        shutil.chown(home, user, group)
    for directory in (box / "spool", box / "bob"):
        for name in ("bob", "Mailbox"):
            path = directory / name
            path.write_text("From someone\n\nold mail\n\n")
            path.chmod(0o600)
            shutil.chown(path, 2002, 2002)
    (box / "dora/.forward").write_text("%s/dora/here, \\dora\n" % box)
    shutil.chown(box / "dora/.forward", 2004, 2004)
    (box / "carl/Mailbox").mkdir()
    (box / "spool/carl").mkdir()


def body(checks, bin_directory, directory):
    box = directory / "box"
    make_users(directory, box)
    (directory / "aliases").write_text(ALIASES.format(box=box))
    comsat = Comsat()
    for name, settings in SITES.items():
        values = {"biff": "yes", "recipient_delimiter": "+", "alias_maps": "texthash:%s/aliases" % directory}
        values.update({key: value.format(box=box) for key, value in settings.items()})
        site = directory / name.replace(" ", "-")
        site.mkdir()
        systems = Systems(bin_directory, directory, values, "local unix - n n - - local\n")
        theirs = []
        release = systems.stock.release

        def release_and_listen(queue_id, release=release, theirs=theirs):
            log = release(queue_id)
            theirs[:] = comsat.take()
            return log

        systems.stock.release = release_and_listen
        with systems.stock:
            for what, recipients in CASES:
                systems.accounts(Case(what, "local", ["%s@example.org" % each for each in recipients], prepare=prepare), "local")
                checks.equal("%s: %s" % (name, what), comsat.take(), theirs)
        shutil.rmtree(directory / "stock")
        shutil.rmtree(directory / "ours")


if __name__ == "__main__":
    sys.exit(run_inside("biff", __file__, body))
