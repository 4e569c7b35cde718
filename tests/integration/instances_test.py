#!/usr/bin/env python3
"""Two mail systems of one machine, made with postmulti: both start, stop and serve with one command (MULTI_INSTANCE_README).
/etc is a copy, in a namespace.

    tests/integration/instances_test.py --bin build/dev/bin
"""
import os
import pathlib
import pwd
import shutil
import smtplib
import socket
import sys

from checks import run, wait_until
from namespace import mount_over, run_inside

MAIN_CF = """\
compatibility_level = 3.6
myhostname = {name}.example.org
mydestination = {name}.example.org
queue_directory = {root}/spool/postfix
data_directory = {root}/lib/postfix
command_directory = {programs}
meta_directory = /etc/postfix
inet_interfaces = 127.0.0.1
maillog_file = {root}/{name}.log
maillog_file_prefixes = {root}
local_recipient_maps =
alias_maps =
alias_database =
smtpd_peername_lookup = no
mail_owner = postfix
setgid_group = postdrop
"""
MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
"""
PORTS = {"first": 2525, "second": 2526}


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Machine:
    def __init__(self, programs, root):
        self.programs, self.root = programs, root
        for name in ("spool/postfix", "lib/postfix"):
            (root / name).mkdir(parents=True)
        shutil.chown(root / "lib/postfix", pwd.getpwnam("postfix").pw_uid)
        root.chmod(0o755)
        files = pathlib.Path("/etc/postfix")
        for path in files.iterdir():
            if path.name.endswith(".cf"):
                path.unlink()
        self.write(files, "first")
        (files / "main.cf.proto").write_text("compatibility_level = 3.6\n")
        (files / "master.cf.proto").write_text(MASTER_CF.format(port=PORTS["second"]))

    def write(self, files, name):
        (files / "main.cf").write_text(MAIN_CF.format(name=name, root=self.root, programs=self.programs))
        (files / "master.cf").write_text(MASTER_CF.format(port=PORTS[name]))

    def __call__(self, program, *arguments):
        return run([self.programs / program, *arguments])

    def queued(self, spool):
        return sum(os.access(path, os.X_OK) for path in (self.root / "spool" / spool / "incoming").iterdir())


def deliver(name):
    with smtplib.SMTP("127.0.0.1", PORTS[name], "client.example", timeout=20) as smtp:
        smtp.sendmail("ann@example.org", ["bob@%s.example.org" % name], "Subject: to %s\r\n\r\nbody\r\n" % name)


def body(checks, bin_directory, directory):
    shutil.copytree("/etc", directory / "etc", symlinks=True)
    mount_over(directory / "etc", "/etc")
    machine = Machine(bin_directory, directory / "root")
    for command in (("-e", "init"), ("-I", "postfix-second", "-e", "create"), ("-i", "postfix-second", "-e", "enable")):
        done = machine("postmulti", *command)
        checks.equal("postmulti %s: status" % " ".join(command), (done.status, done.err), (0, ""))
    second = pathlib.Path("/etc/postfix-second")
    for setting in ("myhostname=second.example.org", "mydestination=second.example.org", "maillog_file=%s/second.log" % machine.root,
                    "maillog_file_prefixes=%s" % machine.root, "inet_interfaces=127.0.0.1", "local_recipient_maps=", "alias_maps=",
                    "smtpd_peername_lookup=no"):
        machine("postconf", "-c", second, "-e", setting)

    checks.equal("start: status", machine("postfix", "start").status, 0)
    checks.check("the first one listens", wait_until(lambda: listens(PORTS["first"])))
    log = machine.root / "second.log"
    checks.check("the second one runs", wait_until(lambda: log.exists() and "daemon started" in log.read_text()))
    checks.check("but listens nowhere before the administrator wants it", not listens(PORTS["second"]))
    checks.equal("stop: status", machine("postfix", "stop").status, 0)
    machine("postconf", "-c", second, "-X", "master_service_disable")

    checks.equal("start again: status", machine("postfix", "start").status, 0)
    for name, port in PORTS.items():
        checks.check("the %s one listens" % name, wait_until(lambda port=port: listens(port)))
        deliver(name)
    checks.equal("each has its own mail", [machine.queued("postfix"), machine.queued("postfix-second")], [1, 1])
    for arguments, wanted in ((("-i", "postfix-second"), ["second"]), (("-i", "-"), ["first"])):
        done = machine("postmulti", *arguments, "-x", "postconf", "-h", "myhostname")
        checks.equal("postmulti %s -x: whose name" % arguments[1], done.out.split(), ["%s.example.org" % name for name in wanted])
    checks.equal("one alone is stopped: status", machine("postfix", "-c", second, "stop").status, 0)
    checks.check("and it alone", wait_until(lambda: not listens(PORTS["second"])) and listens(PORTS["first"]))
    machine("postfix", "stop")
    checks.check("nobody listens any more", wait_until(lambda: not any(map(listens, PORTS.values()))))


if __name__ == "__main__":
    sys.exit(run_inside("several instances", __file__, body))
