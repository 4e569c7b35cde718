"""The distribution's Postfix as a judge of access control: a smtpd of its own on loopback, in a temporary directory, asked
through XCLIENT. Runs in a network and a mount namespace of its own, where /etc/resolv.conf names the test's name server.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from stock_postfix import INNER_SERVICES  # noqa: E402

MASTER = "/usr/lib/postfix/sbin/master"
SERVICES = """
smtp unix - - n - - smtp
relay unix - - n - - smtp
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
""" + INNER_SERVICES + """\
local unix - n n - - local
virtual unix - n n - - virtual
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def enter_namespaces():
    """Starts this program again in namespaces of its own, unless it is there. Needs root."""
    if os.environ.get("POSTKIT_IN_NAMESPACE") == "1":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as resolv:
            resolv.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
            resolv.flush()
            os.chmod(resolv.name, 0o644)
            subprocess.run(["mount", "--bind", resolv.name, "/etc/resolv.conf"], check=True)
        return
    os.environ["POSTKIT_IN_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-n", "-m", sys.executable] + sys.argv)


class StockSmtpd:
    """One master with a smtpd a configuration: `services` is a list of dictionaries of main.cf settings, each served on
    a port of its own. `main` goes to main.cf, for all."""

    def __init__(self, main, services, first_port=2500):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="pk-smtpd-", dir="/tmp"))
        self.root.chmod(0o755)
        config, queue, data = (self.root / name for name in ("config", "queue", "data"))
        for directory in (config, queue, data):
            directory.mkdir(mode=0o755)
        shutil.chown(data, "postfix")
        self.config, self.log = config, pathlib.Path("/tmp/%s.log" % self.root.name)
        settings = {"queue_directory": queue, "data_directory": data, "inet_interfaces": "127.0.0.1",
                    "inet_protocols": "ipv4", "compatibility_level": "3.6", "mail_owner": "postfix",
                    "setgid_group": "postdrop", "maillog_file": self.log, "maillog_file_prefixes": "/tmp",
                    "smtpd_authorized_xclient_hosts": "127.0.0.1", "smtpd_error_sleep_time": "0",
                    "smtpd_hard_error_limit": "10000", "smtpd_soft_error_limit": "10000",
                    "smtpd_junk_command_limit": "10000", "smtpd_client_connection_count_limit": "0"}
        settings.update(main)
        self.write(config / "main.cf", settings)
        self.ports = [first_port + number for number in range(len(services))]
        lines = []
        for port, options in zip(self.ports, services):
            lines.append("127.0.0.1:%d inet n - n - - smtpd" % port)
            lines += ["  -o { %s = %s }" % (name, value) for name, value in options.items()]
        (config / "master.cf").write_text("\n".join(lines) + "\n" + SERVICES)
        subprocess.run(["postfix", "-c", str(config), "post-install", "create-missing"], check=True, capture_output=True)
        self.process = None

    @staticmethod
    def write(path, settings):
        path.write_text("".join("%s = %s\n" % (name, value) for name, value in settings.items()))

    def __enter__(self):
        self.process = subprocess.Popen([MASTER, "-d", "-c", str(self.config)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 30
        while not all(self.listens(port) for port in self.ports[:1]):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the stock smtpd does not start: " + self.log_text())
            time.sleep(0.05)
        # Its log comes with a delay.
        while "disconnect from" not in self.log_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.root, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    @staticmethod
    def listens(port):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Smtp:
    """A client that sends a line and reads a reply."""

    def __init__(self, port, timeout=60):
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.reader = self.connection.makefile("rb")
        self.greeting = self.read()

    def read(self):
        lines = []
        while True:
            line = self.reader.readline().decode("utf-8", "replace").rstrip("\r\n")
            if not line:
                return "\n".join(lines) or "(closed)"
            lines.append(line)
            if line[3:4] != "-":
                return "\n".join(lines)

    def ask(self, command):
        try:
            self.connection.sendall(command.encode("utf-8") + b"\r\n")
            return self.read()
        except ConnectionError:  # The server has gone before it read the command.
            return "(closed)"

    def close(self):
        self.reader.close()
        self.connection.close()
