"""A stock Postfix that only receives mail: smtpd and cleanup in a directory of its own, on loopback.

There is no queue manager, so that a queue file stays in incoming/ where postcat reads it.  It needs root, as
every stock Postfix does.

    with StockCleanup([{"header_checks": "regexp:/tmp/checks"}]) as stock:
        reply, log, queue_file = stock.smtp(message)
"""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from server import free_port, listens  # noqa: E402
from stock_postfix import DAEMONS, INNER_SERVICES, QUEUES  # noqa: E402

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {top}/queue
data_directory = {top}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
maillog_file = {top}/maillog
maillog_file_prefixes = {top}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mail_owner = postfix
setgid_group = postdrop
myhostname = h.example.com
mydomain = example.com
myorigin = $mydomain
mydestination = example.com
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 100000
smtpd_hard_error_limit = 100000
smtpd_client_connection_rate_limit = 0
smtpd_timeout = 60
max_use = 100000
in_flow_delay = 0
"""

MASTER_CF = """\
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
""" + INNER_SERVICES + """\
local unix - n n - - local
smtp unix - - n - - smtp
postlog unix-dgram n - n - 1 postlogd
"""


class StockCleanup:
    """Starts on entry, stops on exit.  Each member of `variants` is a dictionary of settings for an smtpd and a
    cleanup of its own."""

    def __init__(self, variants=({},)):
        self.variants = variants

    def __enter__(self):
        self.top = tempfile.mkdtemp(prefix="stock-cleanup-")
        os.chmod(self.top, 0o755)
        for name in ("config", "queue", "data"):
            os.mkdir(self.path(name))
        owner = pwd.getpwnam("postfix")
        os.chown(self.path("data"), owner.pw_uid, owner.pw_gid)
        for name in QUEUES:
            os.mkdir(self.path("queue", name))
            if name != "pid":
                os.chown(self.path("queue", name), owner.pw_uid, owner.pw_gid)
        self.ports = [free_port() for _ in self.variants]
        path = self.path("config", "main.cf")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(MAIN_CF.format(top=self.top))
        # A freshly written main.cf makes programs wait.
        old = time.time() - 3600
        os.utime(path, (old, old))
        with open(self.path("config", "master.cf"), "w", encoding="utf-8") as stream:
            stream.write(MASTER_CF)
            for number, (port, variant) in enumerate(zip(self.ports, self.variants)):
                options = "".join(" -o { %s = %s }" % item for item in variant.items())
                stream.write("127.0.0.1:%d inet n - n - - smtpd -o cleanup_service_name=cleanup%d%s\n"
                             % (port, number, options))
                stream.write("cleanup%d unix n - n - 0 cleanup%s\n" % (number, options))
        self.master = subprocess.Popen([os.path.join(DAEMONS, "master"), "-d", "-c", self.path("config")],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True)
        self.wait_for_ports()
        return self

    def __exit__(self, *unused):
        self.master.send_signal(signal.SIGTERM)
        self.master.wait(timeout=20)
        shutil.rmtree(self.top)

    def path(self, *names):
        return os.path.join(self.top, *names)

    def wait_for_ports(self):
        # Without connections: what a smtpd logs of them could come late, into the first case.
        self.wait_for_log(lambda log: b"daemon started" in log)
        for port in self.ports:
            if not listens(port):
                raise RuntimeError("the stock Postfix does not listen at port %d" % port)
        self.log()

    def log(self):
        """What was logged since the last call, as lines without time and host."""
        try:
            with open(self.path("maillog"), "rb+") as stream:
                text = stream.read()
                stream.truncate(0)
        except FileNotFoundError:
            return []
        return text.splitlines()

    def wait_for_log(self, is_complete):
        for _ in range(200):
            try:
                with open(self.path("maillog"), "rb") as stream:
                    if is_complete(stream.read()):
                        return
            except FileNotFoundError:
                pass
            time.sleep(0.02)
        raise RuntimeError("the stock Postfix logged no end")

    def smtp(self, message, variant=0, sender="sender@example.com", recipients=("user@example.com",), 
             helo="client.example.com", mail_options=""):
        """Sends `message` (with newlines alone) to the smtpd of a variant.  Gives the reply to its end, the lines of the log
        that cleanup wrote, and the queue file's path, or None."""
        with socket.create_connection(("127.0.0.1", self.ports[variant]), timeout=5) as connection:
            stream = connection.makefile("rwb")

            def reply():
                while True:
                    line = stream.readline()
                    if line[3:4] != b"-":
                        return line.rstrip(b"\r\n")

            def command(text):
                stream.write(text + b"\r\n")
                stream.flush()
                return reply()

            reply()
            command(b"EHLO " + helo.encode())
            command(b"MAIL FROM:<" + sender.encode() + b"> " + mail_options.encode())
            for recipient in recipients:
                command(b"RCPT TO:<" + recipient.encode() + b">")
            go_on = command(b"DATA")
            if not go_on.startswith(b"354"):
                return go_on, [], None
            lines = message.split(b"\n")
            if lines[-1] == b"":
                lines.pop()
            for line in lines:
                stream.write((b"." if line.startswith(b".") else b"") + line + b"\r\n")
            answer = command(b".")
            command(b"QUIT")
        self.wait_for_log(lambda log: b": disconnect from" in log)
        return answer, self.cleanup_log(), self.queue_file(answer)

    def cleanup_log(self):
        return [line.split(b": ", 1)[1] for line in self.log() if b"/cleanup[" in line]

    def queue_file(self, answer):
        words = answer.split()
        if b"queued" not in words:
            return None
        name = words[-1].decode()
        for queue in ("incoming", "hold"):
            path = self.path("queue", queue, name)
            if os.path.exists(path):
                return path
        return None
