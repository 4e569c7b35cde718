"""A PostgreSQL server of its own for a test.

    with PostgresServer(directory) as server:
        server.sql("CREATE TABLE ...", database="mail")
"""
import os
import pathlib
import signal
import subprocess

from checks import environment
from server import NoServer, Server, find_program, free_port, server_user

BINARIES = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


class PostgresServer(Server):
    """The administrator "admin" has the password "adminpw"; local users need none. `settings` are the server's."""

    def __init__(self, directory, settings=()):
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        self.user = server_user("postgres")
        program = find_program("postgres", *BINARIES)
        argv = [program, "-D", self.directory / "data", "-k", self.directory, "-p", self.port]
        for setting in ("listen_addresses=127.0.0.1", "fsync=off", "max_connections=100", *settings):
            argv += ["-c", setting]
        super().__init__("postgres", argv, self.is_up, self.directory / "log", user=self.user)

    def initialize(self):
        """Makes the data, once, before the start."""
        password = self.directory / "password"
        password.write_text("adminpw")
        self._run("initdb", "-D", self.directory / "data", "--no-sync", "-U", "admin", "--pwfile", password,
                  "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C")
        return self

    def is_up(self):
        return self._psql("SELECT 1", "postgres").returncode == 0

    def sql(self, text, database="mail"):
        """Runs statements as the administrator. Returns what they print, a row a line, columns separated by '|'."""
        done = self._psql(text, database)
        if done.returncode != 0:
            raise RuntimeError("psql: %s" % done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode().rstrip("\n")

    def processes(self):
        """The server, and its children: they are in sessions of their own."""
        found = [self.process.pid]
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            if parent == self.process.pid:
                found.append(int(stat.parent.name))
        return found

    def kill(self):
        self._signal_all(signal.SIGKILL)
        super().kill()

    def freeze(self):
        self._signal_all(signal.SIGSTOP)

    def thaw(self):
        self._signal_all(signal.SIGCONT)

    def stop(self, how=signal.SIGINT):  # SIGTERM would wait for clients.
        if self.process is not None:
            self.thaw()
        super().stop(how)

    def restart(self):
        self.stop()
        self.start()

    def _signal_all(self, what):
        for process in self.processes():
            try:
                os.kill(process, what)
            except ProcessLookupError:
                pass

    def _psql(self, text, database):
        program = find_program("psql", *BINARIES)
        return subprocess.run([program, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.directory),
                               "-p", str(self.port), "-U", "admin", "-d", database], input=text.encode(),
                              capture_output=True, env=environment(PGCLIENTENCODING="UTF8"), timeout=30, check=False)

    def _run(self, name, *arguments):
        identity = {} if self.user is None else {"user": self.user.pw_uid, "group": self.user.pw_gid,
                                                 "extra_groups": []}
        done = subprocess.run([find_program(name, *BINARIES), *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, cwd="/", env=environment(), timeout=60, check=False, **identity)
        if done.returncode != 0:
            raise NoServer("%s: %s" % (name, done.stderr.decode("utf-8", "replace")))
