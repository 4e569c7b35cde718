"""A MariaDB server of a test's own, on a UNIX-domain socket and a port of 127.0.0.1.

    with MariaDb(data_directory(top / "data"), top / "run", "--sql-mode=ANSI_QUOTES") as server:
        server.sql("CREATE DATABASE mail")
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

from checks import environment
from server import NoServer, Server, find_program, free_port

# Small, quick to start, and careless about a crash of the machine.
OPTIONS = ("--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin", "--performance-schema=OFF",
           "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--innodb-flush-method=nosync",
           "--innodb-flush-log-at-trx-commit=0", "--key-buffer-size=1M", "--table-open-cache=40")


def identity():
    """mariadbd is not root unless it is told to be."""
    return ("--user=root",) if os.geteuid() == 0 else ()


def data_directory(directory):
    """Makes a data directory with nothing but the system's tables; servers get copies of it. Raises NoServer."""
    install = find_program("mariadb-install-db")
    pathlib.Path(directory).mkdir(parents=True)
    # A server that starts removes temporary tables of others from a directory that they share.
    with tempfile.TemporaryDirectory(prefix="pk-mariadb-") as temporary:
        done = subprocess.run([install, *OPTIONS[:1], "--datadir=%s" % directory, "--skip-test-db",
                               "--auth-root-authentication-method=normal", *OPTIONS[4:], *identity()],
                              stdin=subprocess.DEVNULL, capture_output=True, env=environment(TMPDIR=temporary),
                              check=False)
    if done.returncode != 0:
        raise NoServer("mariadb-install-db: %s" % (done.stdout + done.stderr).decode("utf-8", "replace")[-2000:])
    return pathlib.Path(directory)


class MariaDb(Server):
    """`data` is copied into `directory`, where the server's files and its `socket` are."""

    def __init__(self, data, directory, *options):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.socket = self.directory / "sock"
        self.port = free_port()
        shutil.copytree(data, self.directory / "data")
        (self.directory / "tmp").mkdir()
        self.client = find_program("mariadb")
        super().__init__("mariadbd", [find_program("mariadbd"), *OPTIONS, *identity(),
                                      "--datadir=%s" % (self.directory / "data"),
                                      "--tmpdir=%s" % (self.directory / "tmp"), "--socket=%s" % self.socket,
                                      "--pid-file=%s" % (self.directory / "pid"), "--port=%d" % self.port, *options],
                         self.answers, self.directory / "log")

    def answers(self):
        return self._run("SELECT 1", "").returncode == 0

    def sql(self, text, database="", charset="utf8mb4"):
        """Runs statements (str or bytes) as root. Returns the rows, as lists of bytes."""
        done = self._run(text, database, charset)
        if done.returncode != 0:
            raise RuntimeError("%s: %s" % (text[:200], done.stderr.decode("utf-8", "replace")))
        return [row.split(b"\t") for row in done.stdout.splitlines()]

    def _run(self, text, database, charset="utf8mb4"):
        text = text.encode() if isinstance(text, str) else text
        return subprocess.run([self.client, "--no-defaults", "--user=root", "--socket=%s" % self.socket, "--batch",
                               "--skip-column-names", "--default-character-set=%s" % charset,
                               *filter(None, [database])],
                              input=text, capture_output=True, env=environment(), check=False)
