"""Servers that a test starts for itself: in a temporary directory, on loopback or a UNIX-domain socket. Ends what it
started, and nothing else.

    with Server("memcached", [program, "-l", "127.0.0.1", "-p", str(port)], is_ready=lambda: listens(port)) as server:
        ...
        server.kill()
        server.start()
"""
import argparse
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from checks import Checks, environment

START_TIMEOUT = 60  # seconds
STOP_TIMEOUT = 20


class NoServer(Exception):
    """The server is not installed, or does not come up; the message says why."""


def find_program(name, *more_directories):
    """The path of an installed server. Raises NoServer."""
    path = os.pathsep.join(map(str, more_directories)) + ":/usr/sbin:/usr/local/sbin:/usr/bin:/bin"
    found = shutil.which(name, path=path)
    if not found:
        raise NoServer("%s is not installed" % name)
    return found


_reservations = []  # Of the ports that free_port() gave; they last as long as the test.


def free_port():
    """A port that nobody listens at, and that no test is given again as long as this one runs: servers do not listen at
    once. It is not one of those that the kernel gives to clients, who could take it before the server does
    (net.ipv4.ip_local_port_range begins at 32768)."""
    while True:
        port = random.randrange(10000, 32768)
        reservation = socket.socket(socket.AF_UNIX)
        with socket.socket() as listener:
            try:
                reservation.bind("\0postkit-test-port-%d" % port)
                listener.bind(("127.0.0.1", port))
            except OSError:
                reservation.close()
                continue
        _reservations.append(reservation)
        return port


CLOCKS = r"^.*: warning: (file system clock is \d+ seconds ahead of local clock|resetting file time stamps - this hurts performance)\n"


def whole_lines(log):
    """The text of a log that somebody writes to: what has no end yet is not there, and not what the distribution's Postfix
    says when its clock and that of the file system have passed a second at different moments."""
    text = log.read_text(errors="replace")
    return re.sub(CLOCKS, "", text[:text.rfind("\n") + 1], flags=re.MULTILINE)


LISTENING = "0A"  # proc_net_tcp(5)


def listens(port=None, path=None):
    """Whether somebody takes connections there. A port is not tried, but looked up: the server would log the attempt, at a
    moment of its own."""
    if path:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            return client.connect_ex(str(path)) == 0
    for table in ("tcp", "tcp6"):
        try:
            lines = pathlib.Path("/proc/self/net", table).read_text().splitlines()[1:]
        except FileNotFoundError:
            continue  # A machine without IPv6.
        for _, local, _, state in (line.split()[:4] for line in lines):
            if state == LISTENING and int(local.rpartition(":")[2], 16) == port:
                return True
    return False


def server_user(name):
    """The user that a server which refuses to be root runs as: `name` where it exists, or nobody. None when we are not
    root, and the server is ours as it is."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return pwd.getpwnam("nobody")


def private_directory(user=None, parent="/tmp"):
    """A new temporary directory with a short path, as sockets need; of `user`, where one is given."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="pk-", dir=parent))
    if user is not None:
        os.chown(directory, user.pw_uid, user.pw_gid)
    directory.chmod(0o755)
    return directory


def run_server_test(kind, body, user=None):
    """The main() of a test that needs servers: calls body(checks, directory of our programs, directory for files), which
    is of server_user(user). Returns the exit status; without a server it is that of a test that checked nothing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, metavar="DIR", help="the directory of the programs")
    arguments = parser.parse_args()
    checks = Checks()
    directory = private_directory(user and server_user(user))
    try:
        body(checks, pathlib.Path(arguments.bin), directory)
    except NoServer as reason:
        checks.skip(kind, str(reason))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return checks.finish()


class ConnectionServer:
    """A server of the test's own: listens at a UNIX-domain socket, or without a path at a free `port` of 127.0.0.1. Each
    connection is counted in `connections`, and is serve()'s, in a thread of its own, which closes it. Connections that break
    are no fault."""

    def __init__(self, path=None):
        self.path, self.port, self.connections = path and str(path), None, 0
        self._listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)

    def __enter__(self):
        self._listener.bind(self.path or ("127.0.0.1", 0))
        if not self.path:
            self.port = self._listener.getsockname()[1]
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self.path:
            os.unlink(self.path)

    def serve(self, connection):
        """Until it returns, or the connection breaks."""
        raise NotImplementedError

    def begin(self):
        """Called for each connection before others can come; returns further arguments of serve()."""
        return ()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, self.begin()), daemon=True).start()

    def _serve(self, connection, arguments):
        with connection:
            try:
                self.serve(connection, *arguments)
            except OSError:
                pass


class Server:
    """One process in the foreground, with what it prints in `log`."""

    def __init__(self, name, argv, is_ready, log, user=None, env=None):
        self.name, self.argv, self.is_ready, self.log, self.user = name, [str(a) for a in argv], is_ready, log, user
        self.env = env or environment()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        identity = {} if self.user is None else {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env,
                                            start_new_session=True, **identity)
        deadline = time.monotonic() + START_TIMEOUT
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                state = "does not answer" if self.process.poll() is None else "ended with %d" % self.process.returncode
                self.stop()
                raise NoServer("%s %s: %s" % (self.name, state, pathlib.Path(self.log).read_text(errors="replace")[-2000:]))
            time.sleep(0.05)

    def stop(self, how=signal.SIGTERM):
        """Ends the server, and whatever it started."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()

    def kill(self):
        self.stop(signal.SIGKILL)

    def freeze(self):
        """It goes on holding its connections, but answers no more."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.killpg(self.process.pid, signal.SIGCONT)
