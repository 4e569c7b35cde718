"""A NIS server with its port mapper and its binder, in a network of its own: see namespace.py.

    with NisServer(work, "example", {"mail.aliases": {b"joe": b"joe@example.com"}}) as nis:
        nis.server.freeze()
"""
import contextlib
import ctypes
import os
import pathlib
import shutil
import socket
import time

from checks import run
from namespace import mount_over, set_up_loopback
from server import NoServer, Server, find_program, listens

PORT_MAPPER = 111
SERVER_PORT = 834  # The same after a restart: the binder knows it.
PROGRAMS = ("rpcbind", "ypserv", "ypbind")
DOMAIN_FILE = pathlib.Path("/proc/sys/kernel/domainname")


def set_domain(domain):
    """Of the host, as domainname(1) does."""
    DOMAIN_FILE.write_text(domain + "\n")


class _Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_int)]


def write_map(file, entries):
    """A map as ypserv reads it, with keys and values to the byte; makedbm(8) would drop NULs."""
    try:
        gdbm = ctypes.CDLL("libgdbm.so.6")
    except OSError as error:
        raise NoServer("no libgdbm: %s" % error) from error
    gdbm.gdbm_open.restype = ctypes.c_void_p
    gdbm.gdbm_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    gdbm.gdbm_store.argtypes = [ctypes.c_void_p, _Datum, _Datum, ctypes.c_int]
    gdbm.gdbm_close.argtypes = [ctypes.c_void_p]
    new_database, replace = 3, 1
    handle = gdbm.gdbm_open(os.fsencode(file), 0, new_database, 0o600, None)
    if not handle:
        raise NoServer("gdbm cannot make %s" % file)
    about = {b"YP_LAST_MODIFIED": b"1000000000", b"YP_MASTER_NAME": socket.gethostname().encode()}
    for key, value in {**about, **entries}.items():
        gdbm.gdbm_store(handle, _Datum(key, len(key)), _Datum(value, len(value)), replace)
    gdbm.gdbm_close(handle)


class NisServer:
    """REQUIRES: a namespace of its own."""

    def __init__(self, work, domain, maps):
        self.work, self.domain, self.maps = pathlib.Path(work), domain, maps
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        with self.stack:
            self._start()
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def _start(self):
        set_up_loopback()
        self._must("mount", "-t", "tmpfs", "none", "/run")
        pathlib.Path("/run/rpcbind").mkdir()
        with contextlib.suppress(LookupError):
            shutil.chown("/run/rpcbind", "_rpc")
        data = self.work / "yp"
        (data / self.domain).mkdir(parents=True)
        (data / "binding").mkdir()
        for name, entries in self.maps.items():
            write_map(data / self.domain / name, entries)
        self._replace("/var/yp", data)
        configuration = self.work / "yp.conf"
        configuration.write_text("domain %s server 127.0.0.1\n" % self.domain)
        self._replace("/etc/yp.conf", configuration)
        set_domain(self.domain)
        self._server("rpcbind", ["-f"], lambda: listens(PORT_MAPPER))
        self.server = self._server("ypserv", ["--debug", "--port", SERVER_PORT], self._serves)
        self.binder = self._server("ypbind", ["-foreground", "-no-ping"], self._is_bound)

    def lose_binder(self):
        """Nobody knows any more where the server is."""
        self.binder.kill()
        for file in (self.work / "yp" / "binding").iterdir():
            file.unlink()

    def _must(self, *command):
        done = run([find_program(command[0], "/usr/sbin"), *command[1:]])
        if done.status != 0:
            raise NoServer("%s: %s" % (" ".join(command), done.err.strip()))

    def _replace(self, place, replacement):
        if not os.path.exists(place):
            raise NoServer("%s is not there" % place)
        mount_over(replacement, place)

    def _server(self, name, arguments, is_ready):
        server = Server(name, [find_program(name), *arguments], is_ready, self.work / (name + ".log"))
        return self.stack.enter_context(server)

    @staticmethod
    def _serves():
        return run([find_program("rpcinfo"), "-u", "127.0.0.1", "ypserv", "2"]).status == 0

    @staticmethod
    def _is_bound():
        time.sleep(0.1)
        return run([find_program("ypwhich")]).status == 0
