"""Servers at two places: at an absolute path of the host, and at the same path below a queue directory, where a process that
is confined to that directory finds it. Which of the two is asked tells whose path a program takes it for.

    places = TwoPlaces(top, queue)
    places.listen("milter", serve_milter)
    ... smtpd_milters = unix:PATH, with places.path("milter") ...
    places.take("milter")   # "inside", "outside", "both" or "nobody"
"""
import os
import struct

from checks import wait_until
from server import ConnectionServer

DEADLINE = 5  # seconds
INSIDE, OUTSIDE, BOTH, NOBODY = "inside", "outside", "both", "nobody"


class _Place(ConnectionServer):
    """Counts what it is asked: connections, and further requests of a connection that is kept."""

    def __init__(self, path, speak):
        super().__init__(path)
        self.speak, self.asked = speak, 0

    def __enter__(self):
        super().__enter__()
        os.chmod(self.path, 0o777)
        return self

    def begin(self):
        self.asked += 1
        return ()

    def serve(self, connection):
        self.speak(self, connection)


class TwoPlaces:
    """`top` is a directory of the host, which can be that of `queue` or another."""

    def __init__(self, top, queue):
        self.top, self.queue, self.servers = top, queue, {}
        for directory in (top, self.inside(top)):
            directory.mkdir(parents=True, exist_ok=True)

    def inside(self, path):
        """Where a confined process finds it."""
        return self.queue / str(path).lstrip("/")

    def path(self, name):
        return self.top / name

    def listen(self, name, speak, where=BOTH):
        """`speak` is called with the server and each connection."""
        path = self.path(name)
        for place, at in ((OUTSIDE, path), (INSIDE, self.inside(path))):
            if where in (place, BOTH):
                at.parent.mkdir(parents=True, exist_ok=True)
                self.servers[name, place] = _Place(at, speak).__enter__()

    def listen_in_queue(self, name, path, speak):
        """At a path that is relative, and so below the queue directory for all."""
        at = self.queue / path
        at.parent.mkdir(exist_ok=True)
        self.servers[name, INSIDE] = _Place(at, speak).__enter__()

    def close(self):
        for server in self.servers.values():
            try:
                server.__exit__()
            except FileNotFoundError:
                pass  # The directory has gone.
        self.servers = {}

    def forget(self):
        """What was asked until now."""
        for server in self.servers.values():
            server.asked = 0

    def take(self, name, waits=True):
        """Who was asked since the last time; waits for somebody to be."""
        servers = {place: server for (key, place), server in self.servers.items() if key == name}
        if waits:
            wait_until(lambda: any(each.asked for each in servers.values()), DEADLINE)
        asked = [place for place, server in servers.items() if server.asked]
        for server in servers.values():
            server.asked = 0
        return BOTH if len(asked) == 2 else asked[0] if asked else NOBODY


def hang_up(_, connection):
    """Of a server whose protocol does not matter here."""
    connection.recv(65536)


def greet_and_hang_up(_, connection):
    """Of one that speaks first."""
    connection.sendall(b"\n")


def speak_policy(place, connection):
    while connection.recv(65536):
        place.asked += 1
        connection.sendall(b"action=dunno\n\n")


def speak_socketmap(place, connection):
    while connection.recv(65536):
        place.asked += 1
        connection.sendall(b"9:NOTFOUND ,")


def speak_milter(_, connection):
    """Wants to know of nothing."""
    no_events = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200
    while data := connection.recv(65536):
        if data[4:5] == b"O":
            connection.sendall(struct.pack(">IcIII", 13, b"O", 6, 0, no_events))
        elif data[4:5] != b"Q":
            connection.sendall(struct.pack(">Ic", 1, b"c"))


def speak_saslauthd(_, connection):
    connection.recv(65536)
    connection.sendall(b"\0\2OK")


def speak_dovecot(place, connection):
    """Lets everybody in."""
    connection.sendall(b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0\nDONE\n")
    while data := connection.recv(65536):
        place.asked += 1
        for line in data.split(b"\n"):
            words = line.split(b"\t")
            if words[0] == b"AUTH":
                connection.sendall(b"OK\t" + words[1] + b"\tuser=joe\n")


def speak_smtp(_, connection):
    """SMTP and LMTP, for one recipient."""
    connection.sendall(b"220 there ESMTP\r\n")
    pending, is_content = b"", False
    while data := connection.recv(65536):
        pending += data
        while b"\n" in pending:
            line, pending = pending.split(b"\n", 1)
            line = line.rstrip(b"\r").upper()
            if is_content and line != b".":
                continue
            is_content = line == b"DATA"
            connection.sendall(b"354 go on\r\n" if is_content else b"250 2.0.0 Ok\r\n")
