"""The distribution's Postfix as judge: in a private directory, on loopback. Mail stays in the queue; nothing is
delivered, because there is no queue manager.

    with StockPostfix({"smtpd": {"smtpd_helo_required": "yes"}}) as postfix:
        replies = exchange(postfix.port("smtpd"), [b"HELO x\\r\\n", b"QUIT\\r\\n"])
"""
import os
import pathlib
import pwd
import shutil
import socket
import subprocess

from checks import environment
from server import NoServer, Server, find_program, free_port, listens, private_directory, whole_lines

DAEMONS = pathlib.Path("/usr/lib/postfix/sbin")
QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid", "private",
          "public", "saved", "trace")

# Services that every system has, and that ask nobody outside.
INNER_SERVICES = """\
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
"""
# No service looks anything up outside, and none delivers.
MASTER_CF = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
""" + INNER_SERVICES + """\
postlog unix-dgram n - n - 1 postlogd
"""

MAIN_CF = {
    "compatibility_level": "3.6",
    "myhostname": "mail.example.org",
    "mydestination": "example.org",
    "mynetworks": "127.0.0.0/8",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "all",
    "in_flow_delay": "0",
    "mail_owner": "postfix",
    "setgid_group": "postdrop",
    "alias_maps": "",
    "local_recipient_maps": "",
    "disable_dns_lookups": "yes",
    "smtpd_peername_lookup": "no",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_recipient_restrictions": "",
    "smtpd_reject_unlisted_recipient": "no",
    "smtpd_error_sleep_time": "0",
    "smtpd_soft_error_limit": "1000",
    "smtpd_hard_error_limit": "1000000",
    "smtpd_junk_command_limit": "1000000",
    "smtpd_client_connection_count_limit": "0",
}


class StockPostfix:
    """`services` has the name of each smtpd and its parameters; all files are in a new directory in `parent`. Raises
    NoServer when there is no Postfix, or when this user may not start one."""

    def __init__(self, services, main_cf=None, need=("master", "smtpd", "cleanup"), parent="/tmp"):
        for daemon in need:
            if not (DAEMONS / daemon).exists():
                raise NoServer("no %s of the distribution's Postfix" % daemon)
        if os.geteuid() != 0:
            raise NoServer("Postfix starts as root only")
        try:
            self.owner = pwd.getpwnam("postfix")
        except KeyError as error:
            raise NoServer("there is no user postfix") from error
        self.services = services
        self.ports = {service: free_port() for service in services}
        self.directory = private_directory(parent=parent)
        try:
            self._write(main_cf or {})
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise
        self.server = Server("postfix", [DAEMONS / "master", "-d", "-c", self.config],
                             self._is_ready, self.directory / "console")

    @property
    def config(self):
        return self.directory / "config"

    @property
    def queue(self):
        return self.directory / "queue"

    @property
    def log(self):
        return whole_lines(self.directory / "mail.log")

    def port(self, service):
        return self.ports[service]

    def __enter__(self):
        try:
            self.server.start()
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_):
        self.server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def postcat(self, path):
        """The records of a queue file, as postcat(1) prints them."""
        done = subprocess.run([find_program("postcat"), "-c", str(self.config), str(path)], capture_output=True,
                              env=environment(), timeout=60, check=True)
        return done.stdout

    def _is_ready(self):
        return all(map(listens, self.ports.values())) and (self.directory / "mail.log").exists()

    def _write(self, main_cf):
        owner, group = self.owner.pw_uid, self.owner.pw_gid
        self.config.mkdir()
        self.queue.mkdir()
        data = self.directory / "data"
        data.mkdir()
        os.chown(data, owner, group)
        for name in QUEUES:
            (self.queue / name).mkdir(mode=0o755)
            if name != "pid":
                os.chown(self.queue / name, owner, group)
        values = dict(MAIN_CF, queue_directory=self.queue, data_directory=data,
                      maillog_file=self.directory / "mail.log", maillog_file_prefixes=self.directory, **main_cf)
        (self.config / "main.cf").write_text(
            "".join("%s = %s\n" % item for item in values.items()))
        entries = [MASTER_CF]
        for name, parameters in self.services.items():
            entries.append("127.0.0.1:%d inet n - n - - smtpd\n" % self.ports[name])
            entries += ["  -o {%s = %s}\n" % item for item in parameters.items()]
        (self.config / "master.cf").write_text("".join(entries))


def read_reply(stream):
    """One reply, all its lines; what came before the end of the connection, if it ends first."""
    reply = b""
    while True:
        line = stream.readline()
        reply += line
        if not line or line[3:4] != b"-":
            return reply


class Conversation:
    """A connection that sends what it is told, and reads replies."""

    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def reply(self):
        return read_reply(self.stream)

    def ask(self, data):
        try:
            self.socket.sendall(data)
            return self.reply()
        except (ConnectionResetError, BrokenPipeError):
            return b""

    def rest(self):
        """All that comes until the connection ends."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
            return self.stream.read()
        except OSError:
            return b""


def exchange(port, lines):
    """The greeting, and the reply to each line."""
    with Conversation(port) as conversation:
        return [conversation.reply()] + [conversation.ask(line) for line in lines]
