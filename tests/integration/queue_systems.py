"""Mail systems whose queue manager is tested: ours and the distribution's Postfix, in directories of their own, configured
alike. Messages are put into their queues as files, under the same names.

    with both(bin_directory, {"default_transport": "discard:"}) as (ours, stock):
        for side in (ours, stock):
            side.put("incoming", "4A1B2C", "ann@example.org", ["bob@example.com"])
            side.trigger("I")
"""
import contextlib
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import time

from checks import TIMEOUT, environment, wait_until
from queue_files import write_message
from server import NoServer, private_directory, whole_lines
from stock_postfix import DAEMONS, QUEUES

MAIN_CF = {
    "compatibility_level": "3.6", "myhostname": "mail.example.org", "mydestination": "", "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4", "mail_owner": "postfix", "setgid_group": "postdrop", "alias_maps": "", "notify_classes": "",
    "default_transport": "discard:", "relay_transport": "discard:", "local_transport": "discard:",
    "hash_queue_names": "deferred, defer",
}
MASTER_CF = """pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
other unix - - n - - discard
smtp unix - - n - - smtp
postlog unix-dgram n - n - 1 postlogd
"""


class System:
    def __init__(self, label, program, command, settings=None, parent="/tmp", master_cf=""):
        try:
            self.owner = pwd.getpwnam("postfix")
        except KeyError as error:
            raise NoServer("there is no user postfix") from error
        if os.geteuid() != 0 or not pathlib.Path(program).exists():
            raise NoServer("%s starts as root only" % program)
        self.label, self.program, self.command, self.master = label, pathlib.Path(program).resolve(), command, None
        self.directory = private_directory(parent=parent)
        self.config, self.queue = self.directory / "config", self.directory / "queue"
        for path in (self.config, self.queue, self.directory / "data"):
            path.mkdir()
        os.chown(self.directory / "data", self.owner.pw_uid, self.owner.pw_gid)
        for name in QUEUES:
            (self.queue / name).mkdir(mode=0o755)
            if name != "pid":
                os.chown(self.queue / name, self.owner.pw_uid, self.owner.pw_gid)
        values = dict(MAIN_CF, queue_directory=self.queue, data_directory=self.directory / "data",
                      maillog_file=self.directory / "mail.log", maillog_file_prefixes=self.directory, **(settings or {}))
        (self.config / "main.cf").write_text("".join("%s = %s\n" % item for item in values.items()))
        (self.config / "master.cf").write_text(MASTER_CF + master_cf)
        old = time.time() - 3600  # Postfix sleeps when they are of this second.
        for name in ("main.cf", "master.cf"):
            os.utime(self.config / name, (old, old))

    def start(self):
        """With a new log."""
        (self.directory / "mail.log").unlink(missing_ok=True)
        with open(self.directory / "console", "wb") as console:
            self.master = subprocess.Popen([self.program, "-c", self.config, self.command], stdin=subprocess.DEVNULL,
                                           stdout=console, stderr=console, env=environment())
        self.wait_for(self.listens)

    def listens(self):
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.queue / "public/qmgr")) == 0

    def stop(self):
        """Ends it. The seconds of CPU time that all its processes took."""
        self.master.terminate()
        _, status, usage = os.wait4(self.master.pid, 0)
        self.master.returncode = status
        return usage.ru_utime + usage.ru_stime

    def remove(self):
        if self.master is not None and self.master.returncode is None:
            self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        path = self.directory / "mail.log"
        return whole_lines(path) if path.exists() else ""

    def wait_for(self, condition, seconds=TIMEOUT):
        if found := wait_until(condition, seconds, pause=0.005):
            return found
        raise NoServer("%s: no end in sight; its log:\n%s" % (self.label, self.log()[-3000:]))

    def trigger(self, requests="I"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.queue / "public/qmgr"))
            client.sendall(requests.encode() + b"\0")

    def place(self, queue, name):
        """Where a message of that name is in a queue."""
        return self.queue / queue / name[0] / name if queue in ("deferred", "defer") else self.queue / queue / name

    def put(self, queue, name, sender, recipients, **options):
        write_message(self.place(queue, name), sender, recipients, owner=self.owner, **options)

    def where(self, name):
        """The queue that has a message."""
        return next((queue for queue in ("incoming", "active", "deferred", "corrupt", "hold")
                     if self.place(queue, name).exists()), None)

    def process(self, program="qmgr"):
        """A child of the master, or None."""
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            except OSError:
                continue
            if fields.get("Name") == program and int(fields["PPid"]) == self.master.pid:
                return int(fields["Pid"])
        return None


def our_system(bin_directory, settings=None, **options):
    return System("ours", pathlib.Path(bin_directory) / "postfix", "start-fg", settings, **options)


def stock_system(settings=None, **options):
    return System("stock", DAEMONS / "master", "-d", settings, **options)


@contextlib.contextmanager
def both(bin_directory, settings=None, **options):
    """Both, started."""
    ours = our_system(bin_directory, settings, **options)
    try:
        stock = stock_system(settings, **options)
        try:
            for side in (ours, stock):
                side.start()
            yield ours, stock
        finally:
            stock.remove()
    finally:
        ours.remove()
