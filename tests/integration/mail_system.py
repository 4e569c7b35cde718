"""Our own mail system in a directory of its own, on loopback: as root, or as any user.

    with MailSystem(bin_directory, directory) as system:
        system.postfix("status").status == 0
        with system.client() as smtp: smtp.sendmail(...)
"""
import os
import pathlib
import re
import smtplib

from checks import TIMEOUT, run, wait_until
from server import free_port, whole_lines

MAIN_CF = """compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/mail.log
maillog_file_prefixes = {directory}
inet_interfaces = 127.0.0.1
myhostname = mail.example.com
mydestination = example.com
local_recipient_maps =
alias_maps =
smtpd_peername_lookup = no
"""
# As the stock master.cf has them: what serves mail inside other processes here. Without a queue manager mail stays in
# incoming/.
MASTER_CF = """pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
anvil unix - - n - 1 anvil
smtp unix - - n - - smtp
"""
QUEUE_MANAGER = """qmgr unix n - n 300 1 qmgr
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
"""


class MailSystem:
    """`has_queue_manager`: mail is delivered."""

    def __init__(self, bin_directory, directory, main_cf="", has_queue_manager=False):
        self.program = pathlib.Path(bin_directory).resolve() / "postfix"
        self.directory = directory
        self.config, self.queue = directory / "config", directory / "queue"
        self.config.mkdir()
        if os.geteuid() == 0:
            self.queue.mkdir()
        self.port = free_port()
        self.entries = ["127.0.0.1:%d inet n - n - - smtpd\n" % self.port]
        if has_queue_manager:
            self.entries.append(QUEUE_MANAGER)
        (self.config / "main.cf").write_text(MAIN_CF.format(directory=directory) + main_cf)
        self.write_master_cf()

    def write_master_cf(self, more=""):
        (self.config / "master.cf").write_text(MASTER_CF + "".join(self.entries) + more)

    def postfix(self, command):
        return run([self.program, "-c", self.config, command])

    def __enter__(self):
        done = self.postfix("start")
        assert done.status == 0, "%s\n%s" % (done, self.log())
        return self

    def __exit__(self, *_):
        self.postfix("stop")

    def log(self):
        file = self.directory / "mail.log"
        return whole_lines(file) if file.exists() else ""

    def client(self, port=None):
        return smtplib.SMTP("127.0.0.1", port or self.port, "client.example", timeout=20)

    @staticmethod
    def wait_for(condition, seconds=TIMEOUT):
        return bool(wait_until(condition, seconds))

    def server_processes(self, program="smtpd"):
        """As the kernel knows them: those that name our directory."""
        found = []
        for command in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = command.read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"/" + program.encode()) and os.fsencode(self.config) in words:
                found.append(int(command.parent.name))
        return found

    def messages(self, queue="incoming"):
        """Name and bytes of each message."""
        return {file.name: file.read_bytes() for file in (self.queue / queue).iterdir()}

    def ids_in_log(self):
        return re.findall(r"smtpd\[\d+\]: ([0-9A-F]+): client=", self.log())
