#!/usr/bin/env python3
"""Commands that may not write maillog_file log by way of the postlog service: the distribution's and ours, to the
distribution's service and ours.

usage: mail_log_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import grp
import os
import pwd
import re
import socket
import sys

from checks import run, wait_until
from mail_system import MailSystem
from server import NoServer, find_program, run_server_test
from stock_postfix import StockPostfix

LINES = [b"Nov 29 11:20:02 mail postfix/postdrop[1857]: warning: as it is", "caf\u00e9".encode(), b"", b"x" * 4096,
         b"y" * 5000, b"the last line"]
# What the distribution's service writes as it is.
FORGERY = b"one\nNov 29 11:20:02 mail postfix/smtpd[1]: \x1b[2Jforged"
HARMLESS = b"one?Nov 29 11:20:02 mail postfix/smtpd[1]: ?[2Jforged"


def tell(queue, lines):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.connect(str(queue / "public/postlog"))
        for line in lines:
            client.send(line)


def written(system, directory, lines):
    """What is in the file when these lines have been sent."""
    file = directory / "mail.log"
    before = file.stat().st_size
    tell(system.queue, lines)
    wait_for_line(file, lines[-1])
    return [line for line in file.read_bytes()[before:].split(b"\n") if not re.search(rb"/(smtpd|master)\[", line)]


def wait_for_line(file, text):
    assert wait_until(lambda: text in file.read_bytes()), "%s is not in the log" % text


def check_datagrams(checks, ours, directory):
    with StockPostfix({"smtpd": {}}) as stock:
        checks.equal("lines are written as the distribution's service writes them",
                     written(ours, directory, LINES), written(stock, stock.directory, LINES))
    written(ours, directory, [FORGERY, b"after"])
    checks.check("a line cannot forge another one", HARMLESS in (directory / "mail.log").read_bytes().splitlines())


def check_commands(checks, programs, ours, directory):
    """As somebody who is in setgid_group, as postdrop is, and may not write the file."""
    (directory / "mail.log").chmod(0o600)
    user = {"user": pwd.getpwnam("nobody").pw_uid, "group": grp.getgrnam("postdrop").gr_gid, "extra_groups": []}
    run([find_program("postlog"), "-c", ours.config, "-t", "a/tag", "said by the user"], **user)
    wait_for_line(directory / "mail.log", b"said by the user")
    line = (directory / "mail.log").read_bytes().splitlines()[-1].decode()
    checks.check("the distribution's postlog",
                 re.fullmatch(r"\w{3} [ \d]\d [\d:]{8} mail a/tag\[\d+\]: said by the user", line), line)
    done = run([programs / "postdrop", "-c", ours.config], stdin=b"nonsense", **user)
    checks.check("postdrop refuses nonsense", done.status != 0, done)
    said = done.err.splitlines()[-1].split(": ", 1)[1]
    wait_for_line(directory / "mail.log", said.encode())
    line = (directory / "mail.log").read_bytes().splitlines()[-1].decode()
    checks.check("its complaint is in the log, too", re.fullmatch(
        r"\w{3} [ \d]\d [\d:]{8} mail postfix/postdrop\[\d+\]: %s" % re.escape(said), line), line)


def check_down(checks, programs, ours):
    """No service: root writes the file, others go on without a log."""
    user = {"user": pwd.getpwnam("nobody").pw_uid, "group": grp.getgrnam("postdrop").gr_gid, "extra_groups": []}
    log = ours.directory / "mail.log"
    for who, more in (("root", {}), ("a user", user)):
        before = log.stat().st_size
        done = run([programs / "postdrop", "-c", ours.config], stdin=b"nonsense", **more)
        checks.check("%s is told with the service down" % who, done.status != 0 and "postdrop: " in done.err, done)
        checks.equal("%s logs with the service down" % who, log.stat().st_size > before, who == "root")


def run_checks(checks, programs, directory):
    if os.geteuid() != 0:
        raise NoServer("it becomes another user, as root")
    programs = programs.resolve()
    directory.chmod(0o755)
    ours = MailSystem(programs, directory, "mail_owner = postfix\nsetgid_group = postdrop\n")
    ours.entries.append("postlog unix-dgram n - n - 1 postlogd\n")
    ours.write_master_cf()
    with ours:
        check_datagrams(checks, ours, directory)
        check_commands(checks, programs, ours, directory)
        checks.check("a reload", ours.postfix("reload").status == 0)
        checks.equal("the service goes on", written(ours, directory, [b"after the reload"]),
                     [b"after the reload", b""])
    check_down(checks, programs, ours)


if __name__ == "__main__":
    sys.exit(run_server_test("a mail system", run_checks))
