#!/usr/bin/env python3
"""Holds the `postfix` command against the distribution's: what both say on a terminal, and their exit statuses.

usage: postfix_command_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

from checks import environment, run
from mail_system import MailSystem
from server import NoServer, find_program, run_server_test
from terminal import run_at_terminal


# Postfix says so when its master has not gone at once, which is a matter of luck.
WAITING = "postfix/postfix-script: waiting for the Postfix mail system to terminate\n"


class Side:
    """One of the two programs, with a mail system of its own."""

    def __init__(self, name, program, bin_directory, directory):
        self.name, self.program = name, program
        directory.mkdir()
        directory.chmod(0o755)
        self.system = MailSystem(bin_directory, directory, "mail_owner = postfix\nsetgid_group = postdrop\n")
        self.system.program = program
        self.system.entries.append("postlog unix-dgram n - n - 1 postlogd\n")  # Postfix starts with it only.
        self.system.write_master_cf()
        self.directory, self.config, self.queue = directory, self.system.config, self.system.queue
        self.data = directory / "data"
        self.data.mkdir()
        shutil.chown(self.data, "postfix")

    def __call__(self, *arguments):
        """Status, and the text with what differs by place and by process taken out."""
        done = run_at_terminal([self.program, *arguments])
        text = done.out.replace(str(self.directory), "DIR")
        if self.name == "stock":
            text = text.replace(WAITING, "")
        return done.status, re.sub(r"PID: \d+", "PID: N", text)

    def command(self, *arguments):
        return self("-c", self.config, *arguments)


def same(checks, sides, what, ask):
    ours, theirs = (ask(side) for side in sides)
    checks.equal(what, ours, theirs)


def check_command_line(checks, sides):
    same(checks, sides, "an unknown option", lambda side: side("-x"))
    same(checks, sides, "-c with a relative path", lambda side: side("-c", "config", "status"))
    same(checks, sides, "no main.cf", lambda side: side("-c", side.directory / "none", "status"))
    same(checks, sides, "-c twice", lambda side: side("-c", side.directory / "none", "-c", side.config, "status"))
    same(checks, sides, "no command", lambda side: side.command())
    same(checks, sides, "an unknown command", lambda side: side.command("bogus"))


def check_down(checks, sides):
    for command in ("status", "stop", "abort", "reload", "flush"):
        same(checks, sides, "not running: %s" % command, lambda side, c=command: side.command(c))
    for side in sides:
        side.queue.rename(side.directory / "elsewhere")
    for command in ("start", "status", "check"):
        same(checks, sides, "no queue directory: %s" % command, lambda side, c=command: side.command(c))
    for side in sides:
        (side.directory / "elsewhere").rename(side.queue)


def check_bad_configuration(checks, sides):
    for what, addition in {"a line without '='": "foo\n", "a value that is no number": "default_process_limit = abc\n"}.items():
        def start(side, text=addition):
            file = side.config / "main.cf"
            good = file.read_text()
            file.write_text(good + text)
            try:
                return side.command("start")
            finally:
                file.write_text(good)
        same(checks, sides, "bad main.cf: %s" % what, start)
    for side in sides:
        (side.config / "master.cf").write_text("127.0.0.1:0 inet\n")
    ours, theirs = (side.command("start") for side in sides)
    checks.check("bad master.cf: both name the file and the line",
                 all(status == 1 and "DIR/config/master.cf: line 1: bad field count" in text for status, text in (ours, theirs)),
                 (ours, theirs))
    for side in sides:
        side.system.write_master_cf()


def layout(side):
    """Owner, group and mode of what a start makes in the queue directory, but for what Postfix does not have."""
    found = {}
    for path in sorted(side.queue.iterdir()):
        if path.name == "spare":
            continue
        status = path.lstat()
        found[path.name] = (status.st_uid, status.st_gid, oct(stat.S_IMODE(status.st_mode)))
    return found


def check_life(checks, sides):
    for command in ("start", "start", "status", "check", "reload", "-v status", "stop", "stop"):
        if command.startswith("-v"):
            checks.equal("running: %s" % command, [side("-v", "-D", "-c", side.config, "status")[0] for side in sides], [0, 0])
        else:
            same(checks, sides, "in turn: %s" % command, lambda side, c=command: side.command(c))
        if command == "reload":
            for side in sides:
                side.system.wait_for(lambda s=side: "reload -- version" in s.system.log())
    same(checks, sides, "what a start makes", layout)
    for side in sides:
        side.command("start")
    same(checks, sides, "abort", lambda side: side.command("abort"))
    for side in sides:
        side.system.wait_for(lambda s=side: s.command("status")[0] == 1)
    same(checks, sides, "and then it does not run", lambda side: side.command("status"))


ROTATIONS = {  # What is added to main.cf for each.
    "no file": "maillog_file =\n", "a file that is not there": "maillog_file = {directory}/none.log\n", "rotated": "",
    "not allowed": "maillog_file = /tmp/outside.log\nmaillog_file_prefixes = /var\n",
    "a suffix, and another compressor": "maillog_file_rotate_suffix = %Y\nmaillog_file_compressor = bzip2\n",
    "no suffix": "maillog_file_rotate_suffix =\n", "a compressor that fails": "maillog_file_compressor = false\n",
    "a compressor with options": "maillog_file_compressor = gzip -9\n",
}


def check_rotation(checks, sides):
    """The words of what cannot run the compressor are the shell's."""
    def rotate(side, addition):
        file = side.config / "main.cf"
        good = file.read_text()
        file.write_text(good + addition.format(directory=side.directory))
        for old in side.directory.glob("mail.log*"):
            old.unlink()
        (side.directory / "mail.log").write_text("a line\n")
        try:
            status, text = side.command("logrotate")
        finally:
            file.write_text(good)
        names = sorted(re.sub(r"\d", "N", path.name) for path in side.directory.glob("mail.log.*"))
        return status, re.sub(r"(rotation failed: (?!mv)).*", r"\1WHY", re.sub(r"(?m)^.*overriding earlier entry.*\n", "", text)), names
    for what, addition in ROTATIONS.items():
        same(checks, sides, "logrotate: %s" % what, lambda side, a=addition: rotate(side, a))


def check_rotation_under_load(checks, bin_directory, directory):
    """Of all lines that were logged meanwhile, none is lost; those of a session of before are in its file."""
    directory.mkdir()
    system = MailSystem(bin_directory, directory)
    with system:
        with system.client() as early:
            early.ehlo()
            done = run([system.program, "-c", system.config, "logrotate"])
            checks.equal("logrotate while somebody is connected: status", done.status, 0)
            found = [path.name for path in directory.glob("mail.log.*")]
            checks.check("the file is not compressed", len(found) == 1 and not found[0].endswith(".gz"), found)
            checks.check("and the log says so", system.wait_for(lambda: "sessions are still logged there: not compressed" in system.log()),
                         system.log)
        old = directory / found[0]
        checks.check("it has the end of the session", system.wait_for(lambda: "disconnect from unknown[127.0.0.1] ehlo=1" in old.read_text()),
                     old.read_text)
        old.unlink()
        with system.client() as smtp:
            smtp.ehlo()
        checks.check("a new session is in the new file", system.wait_for(lambda: "disconnect from" in system.log()), system.log)
        checks.equal("logrotate with nobody there: status", run([system.program, "-c", system.config, "logrotate"]).status, 0)
        found = [path.name for path in directory.glob("mail.log.*")]
        checks.check("that file is compressed", len(found) == 1 and found[0].endswith(".gz"), found)


def spoil(side):
    """Gives files to those who should not have them."""
    for path in (side.queue, side.queue / "pid", side.config / "master.cf", side.data):
        shutil.chown(path, "nobody")
    for path in (side.queue, side.queue / "pid", side.config, side.config / "main.cf", side.data, side.queue / "private"):
        path.chmod(0o777)
    (side.queue / "private" / "odd").touch()
    (side.data / "mine").touch(0o666)
    for name in ("maildrop", "public"):
        shutil.chown(side.queue / name, group="root")


def check_permissions(checks, sides):
    for side in sides:
        spoil(side)

    def warned(side):
        status, text = side.command("check")
        return status, sorted(text.splitlines())
    same(checks, sides, "check: warnings", warned)
    ours = sides[0]
    for path in (ours.config, ours.config / "master.cf", ours.data / "mine"):
        shutil.chown(path, "root")
    ours.config.chmod(0o755)
    (ours.config / "main.cf").chmod(0o644)
    (ours.data / "mine").unlink()
    (ours.queue / "private" / "odd").unlink()
    shutil.rmtree(ours.queue / "hold")
    checks.equal("set-permissions", ours.command("set-permissions"), (0, ""))
    checks.equal("and then nothing is wrong", ours.command("check"), (0, ""))
    wanted = layout(sides[1])
    for name in ("hold", "active", "pid", "private"):
        checks.check("set-permissions: %s" % name, layout(ours)[name][0] == wanted[name][0] or name in ("pid",), layout(ours))


def check_without_root(checks, bin_directory, directory):
    """An ordinary user has the directories made, and everything else as root has it."""
    if os.geteuid() != 0:
        checks.skip("started by another user", "only root can become one")
        return
    place = directory / "theirs"
    place.mkdir()
    system = MailSystem(bin_directory, place)
    shutil.rmtree(system.queue)
    for path in (place, *place.rglob("*")):
        shutil.chown(path, "nobody")

    def command(name):
        return run([pathlib.Path(bin_directory).resolve() / "postfix", "-c", system.config, name], user="nobody",
                   extra_groups=[])
    checks.equal("without root: check makes the directories", command("check").status, 0)
    checks.check("without root: they are his", all(path.stat().st_uid == place.stat().st_uid for path in system.queue.iterdir()))
    checks.equal("without root: set-permissions", command("set-permissions").status, 0)
    started = command("start")
    checks.equal("without root: start", started.status, 0)
    with system.client() as smtp:
        checks.equal("without root: it serves", smtp.ehlo()[0], 250)
    for name, status in {"status": 0, "start": 1, "reload": 0, "stop": 0}.items():
        done = command(name)
        checks.check("without root: %s" % name, done.status == status, done)
    checks.equal("without root: status afterwards", command("status").status, 1)


def check_foreground(checks, bin_directory, directory):
    """In the foreground, until it is stopped; the log goes where main.cf says."""
    directory.mkdir()
    directory.chmod(0o755)
    system = MailSystem(bin_directory, directory)
    foreground = subprocess.Popen([system.program, "-c", system.config, "start-fg"], env=environment(),
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        checks.check("start-fg: it runs", system.wait_for(lambda: system.postfix("status").status == 0), system.log)
        checks.check("start-fg: it stays in the foreground", foreground.poll() is None, foreground.poll())
        checks.equal("start-fg: a second one is refused", system.postfix("start-fg").status, 1)
        with system.client() as smtp:
            checks.equal("start-fg: it serves", smtp.ehlo()[0], 250)
        checks.equal("start-fg: stop", system.postfix("stop").status, 0)
        checks.equal("start-fg: its status", foreground.wait(20), 0)
    finally:
        foreground.kill()
        foreground.communicate()


def run_checks(checks, bin_directory, directory):
    check_foreground(checks, bin_directory, directory / "foreground")
    check_without_root(checks, bin_directory, directory)
    check_rotation_under_load(checks, bin_directory, directory / "rotation")
    try:
        stock = find_program("postfix")
        if os.geteuid() != 0:
            raise NoServer("Postfix starts as root only")
    except NoServer as reason:
        checks.skip("the distribution's Postfix", str(reason))
        return
    ours = pathlib.Path(bin_directory).resolve() / "postfix"
    sides = [Side("ours", ours, bin_directory, directory / "ours"), Side("stock", stock, bin_directory, directory / "stock")]
    try:
        check_command_line(checks, sides)
        check_down(checks, sides)
        check_bad_configuration(checks, sides)
        check_rotation(checks, sides)
        check_life(checks, sides)
        check_permissions(checks, sides)
    finally:
        for side in sides:
            run([side.program, "-c", side.config, "stop"])


if __name__ == "__main__":
    sys.exit(run_server_test("a mail system", run_checks))
