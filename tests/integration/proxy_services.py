"""proxymap services for tests: Postkit's own, and that of the distribution's Postfix.

    with OurService("read", bin_directory, directory), StockServices(directory):
        ...
"""
import os
import pathlib
import pwd
import signal

from server import NoServer, Server, find_program, listens

MASTER = "/usr/lib/postfix/sbin/master"
MASTER_CF = """proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
"""
QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid", "private",
          "public", "saved", "trace")
NAMES = {"read": "proxymap", "write": "proxywrite"}


def socket_of(queue_directory, access):
    return pathlib.Path(queue_directory) / "private" / NAMES[access]


class OurService(Server):
    """Serves the tables of `config`/main.cf, below `queue_directory`."""

    def __init__(self, access, bin_directory, config, queue_directory):
        self.socket = socket_of(queue_directory, access)
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        super().__init__("proxy_program",
                         [pathlib.Path(bin_directory).resolve() / "proxy_program", access, self.socket, config / "main.cf"],
                         lambda: listens(path=self.socket), config / ("%s.log" % NAMES[access]))

    def stop(self, how=signal.SIGTERM):
        super().stop(how)
        self.socket.unlink(missing_ok=True)

    def warnings(self):
        return pathlib.Path(self.log).read_text(errors="replace")


class StockServices(Server):
    """A master of the distribution's Postfix with both services and nothing else. It takes no mail, and listens at
    UNIX-domain sockets alone."""

    def __init__(self, config, queue_directory):
        if os.geteuid() != 0:
            raise NoServer("Postfix's master runs as root only")
        user = pwd.getpwnam("postfix") if pathlib.Path(MASTER).exists() else None
        if user is None:
            raise NoServer("%s is not installed" % MASTER)
        (config / "master.cf").write_text(MASTER_CF)
        queue_directory = pathlib.Path(queue_directory)
        for name in QUEUES:
            directory = queue_directory / name
            directory.mkdir(parents=True, exist_ok=True)
            if name != "pid":
                os.chown(directory, user.pw_uid, -1)
        super().__init__("master", [find_program(MASTER), "-d", "-c", config],
                         lambda: all(socket_of(queue_directory, access).exists() for access in NAMES),
                         config / "master.log")
