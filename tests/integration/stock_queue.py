"""The distribution's Postfix as a judge: runs in a temporary directory, on loopback, and sends nothing anywhere.

    with StockPostfix() as postfix:
        id = postfix.send(b"Subject: hello\\r\\n\\r\\nhello\\r\\n")
        run(["postcat", "-c", postfix.configuration, "-q", id])
"""
import os
import pathlib
import shutil
import smtplib
import time

from checks import run
from server import NoServer, Server, find_program, free_port, listens, private_directory
from stock_postfix import INNER_SERVICES

DAEMONS = "/usr/lib/postfix/sbin"
MAIN_CF = """
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {log}
inet_interfaces = 127.0.0.1
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.com
mydestination =
mynetworks = 127.0.0.0/8
default_transport = discard:
relay_transport = discard:
local_transport = discard:
virtual_alias_maps = inline:{{ {{ both@example.com = bob@example.com, carl@example.com }} }}
alias_maps =
"""
MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
{qmgr}qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
""" + INNER_SERVICES + """\
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""


class StockPostfix:
    """Needs root; raises NoServer. Without `with_queue_manager`, mail stays in incoming/."""

    def __init__(self, with_queue_manager=False, settings=""):
        if os.geteuid() != 0:
            raise NoServer("a stock Postfix needs root")
        master = find_program("master", DAEMONS)
        self.directory = private_directory()
        self.configuration, self.queue = self.directory / "config", self.directory / "queue"
        # Postfix writes its log below /var only.
        self.log = pathlib.Path("/var/tmp") / (self.directory.name + ".log")
        self.port = free_port()
        for name in ("config", "queue", "data"):
            (self.directory / name).mkdir()
        self.log.touch()
        for path in (self.directory / "data", self.log):
            shutil.chown(path, "postfix")
        (self.configuration / "main.cf").write_text(MAIN_CF.format(directory=self.directory, log=self.log) + settings)
        (self.configuration / "master.cf").write_text(
            MASTER_CF.format(port=self.port, qmgr="" if with_queue_manager else "# "))
        old = time.time() - 3600  # Postfix sleeps when they are of this second.
        for name in ("main.cf", "master.cf"):
            os.utime(self.configuration / name, (old, old))
        made = run(["postfix", "-c", self.configuration, "post-install", "create-missing"])
        if not (self.queue / "incoming").is_dir():
            self.remove()
            raise NoServer("postfix post-install: %s" % made)
        self.server = Server("master", [master, "-d", "-c", self.configuration], self.is_ready,
                             self.directory / "output")

    def is_ready(self):
        return listens(self.port)

    def __enter__(self):
        try:
            self.server.start()
        except NoServer:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.server.stop()
        self.remove()

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def send(self, message, mail="<ann@example.org>", recipients=("<bob@example.com>",)):
        """Sends `message`, whose lines end with CRLF and start with no dot. Returns the queue ID."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.ehlo("client.example.net")
            for command in ("MAIL FROM:" + mail, *("RCPT TO:" + recipient for recipient in recipients)):
                code, text = client.docmd(command)
                assert code == 250, (command, code, text)
            code, text = client.docmd("DATA")
            assert code == 354, (code, text)
            client.send(message + b".\r\n")
            code, text = client.getreply()
            assert code == 250, (code, text)
            return text.decode().split()[-1]
