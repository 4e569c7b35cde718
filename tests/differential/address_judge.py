"""A stock Postfix that answers questions about addresses: how it rewrites and
resolves them, and what it makes of a message.

    with tempfile.TemporaryDirectory() as directory:
        with Judge(directory, {"myhostname": "h.example.com"}) as judge:
            judge.rewrite("local", "user")
            judge.message(["a@example.com"], b"To: a\\n\\n")

It runs in directories of its own, on the loopback interface, without a queue
manager, so that messages stay where postcat finds them.  It needs root, as
Postfix does.
"""

import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from server import free_port  # noqa: E402
from stock_postfix import DAEMONS, INNER_SERVICES, QUEUES  # noqa: E402

MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
""" + INNER_SERVICES + """\
postlog unix-dgram n - n - 1 postlogd
"""


def is_available():
    return os.geteuid() == 0 and os.access(os.path.join(DAEMONS, "master"), os.X_OK)


class HangUp(Exception):
    """trivial-rewrite has ended instead of an answer."""


class Judge:
    """A running Postfix with `settings` in its main.cf, in an empty `directory`."""

    def __init__(self, directory, settings):
        self.directory = directory
        self.config = os.path.join(directory, "config")
        self.queue = os.path.join(directory, "queue")
        self.port = free_port()
        self.master = None
        self.rewrite_socket = None
        self.settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.queue,
            "data_directory": os.path.join(directory, "data"),
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "maillog_file": os.path.join(directory, "maillog"),
            "maillog_file_prefixes": directory,
            "mynetworks": "127.0.0.0/8",
            "alias_maps": "",
            "alias_database": "",
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "smtpd_recipient_limit": "100000",
            "smtpd_hard_error_limit": "100000",
            "smtpd_error_sleep_time": "0",
            "smtpd_reject_unlisted_recipient": "no",
            "smtputf8_enable": "no",
        }
        self.settings.update(settings)
        self._make_directories()

    def _make_directories(self):
        owner = pwd.getpwnam("postfix")
        os.chmod(self.directory, 0o755)
        for path in [self.config, self.queue, self.settings["data_directory"]] + [
                os.path.join(self.queue, name) for name in QUEUES]:
            os.mkdir(path, 0o755)
            if path not in (self.config, self.queue) and not path.endswith("/pid"):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        with open(os.path.join(self.config, "main.cf"), "w", encoding="utf-8") as stream:
            stream.writelines("%s = %s\n" % item for item in self.settings.items())
        with open(os.path.join(self.config, "master.cf"), "w", encoding="ascii") as stream:
            stream.write(MASTER_CF.format(port=self.port))
        old = time.time() - 3600
        os.utime(os.path.join(self.config, "main.cf"), (old, old))

    def __enter__(self):
        self.log = open(os.path.join(self.directory, "log"), "wb")
        # pylint: disable-next=consider-using-with
        self.master = subprocess.Popen(["%s/master" % DAEMONS, "-d", "-c", self.config],
                                       stdout=self.log, stderr=self.log, start_new_session=True)
        deadline = time.monotonic() + 20
        while not os.path.exists(os.path.join(self.queue, "private/rewrite")):
            if self.master.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("stock Postfix does not start: " + self.log_text())
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        if self.rewrite_socket:
            self.rewrite_socket.close()
        self.master.send_signal(signal.SIGTERM)
        self.master.wait(20)
        self.log.close()

    def log_text(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as stream:
            return stream.read()

    def _ask(self, *attributes):
        """One question to the rewrite service, as its clients ask: names and values, each ended by a NUL."""
        if self.rewrite_socket is None:
            self.rewrite_socket = socket.socket(socket.AF_UNIX)
            self.rewrite_socket.settimeout(20)
            self.rewrite_socket.connect(os.path.join(self.queue, "private/rewrite"))
            self._answer()
        self.rewrite_socket.sendall(b"".join(text + b"\0" for text in attributes) + b"\0")
        return self._answer()

    def _answer(self):
        received = b""
        while not received.endswith(b"\0\0") or self._is_in_value(received):
            block = self.rewrite_socket.recv(65536)
            if not block:
                self.rewrite_socket.close()
                self.rewrite_socket = None
                raise HangUp
            received += block
        fields = received.split(b"\0")[:-2]
        return list(zip(fields[0::2], fields[1::2]))

    @staticmethod
    def _is_in_value(received):
        """Whether the two NULs at the end are those of an empty value: a name stands before them."""
        return len(received[:-1].split(b"\0")) % 2 == 0

    def rewrite(self, context, address):
        """The internal form `address` in standard form."""
        return dict(self._ask(b"request", b"rewrite", b"rule", context, b"address", address))[b"address"]

    def resolve(self, sender, address):
        """(transport, nexthop, recipient, flags)"""
        answer = dict(self._ask(b"request", b"resolve", b"sender", sender, b"address", address)[1:])
        return (answer[b"transport"], answer[b"nexthop"], answer[b"recipient"], int(answer[b"flags"]))

    def message(self, sender, recipients, content):
        """Sends a message by SMTP. Returns its queue file's records, (type, payload), and the replies to the
        recipients."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            stream = connection.makefile("rwb")

            def command(line):
                if line is not None:
                    stream.write(line + b"\r\n")
                    stream.flush()
                reply = stream.readline()
                while reply[3:4] == b"-":
                    reply = stream.readline()
                return reply

            command(None)
            command(b"EHLO localhost")
            command(b"MAIL FROM:" + sender)
            replies = [command(b"RCPT TO:" + recipient) for recipient in recipients]
            command(b"DATA")
            lines = content.split(b"\n")
            body = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
            reply = command(body + b".")
            command(b"QUIT")
        queued = re.search(rb"queued as (\w+)", reply)
        if not queued:
            return None, replies + [reply]
        path = self._queue_file(queued.group(1).decode())
        records = list(queue_records(path))
        os.unlink(path)
        return records, replies

    def recipients(self, recipients):
        """The replies of smtpd to RCPT commands."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            stream = connection.makefile("rwb")
            stream.readline()
            replies = []
            for command in [b"HELO localhost", b"MAIL FROM:<>"] + [b"RCPT TO:" + each for each in recipients]:
                stream.write(command + b"\r\n")
                stream.flush()
                replies.append(stream.readline().rstrip())
        return replies[2:]

    def _queue_file(self, queue_id):
        for parent, _, names in os.walk(self.queue):
            if queue_id in names:
                return os.path.join(parent, queue_id)
        raise RuntimeError("no queue file %s" % queue_id)


def queue_records(path):
    """The records of a queue file, (type, payload), in the order that pointers give."""
    with open(path, "rb") as stream:
        data = stream.read()
    place = 0
    while place < len(data):
        kind = data[place:place + 1]
        place += 1
        length = shift = 0
        while True:
            byte = data[place]
            place += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        payload = data[place:place + length]
        place += length
        if kind == b"p":
            if int(payload) > 0:
                place = int(payload)
            continue
        yield kind, payload
        if kind == b"E":
            return


def content_of(records):
    """The lines of the message."""
    out, inside = b"", False
    for kind, payload in records:
        if kind == b"M":
            inside = True
        elif kind == b"X":
            break
        elif inside and kind in b"NL":
            out += payload + (b"\n" if kind == b"N" else b"")
    return out
