"""A queue without room, and a server without file descriptors: what clients are told, what the log says, that nothing half
written stays, and that all is well again when there is room. Beside the distribution's Postfix where it has the same.

usage: full_queue_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import os
import re
import sys
import time

from checks import Checks, run, wait_until
from mail_system import MailSystem
from maildrop import Maildrop, submission
from namespace import enter_namespace, set_up_loopback
from queue_records import normal, normal_records
from server import NoServer, find_program, listens, run_server_test
from stock_postfix import MAIN_CF, QUEUES, Conversation, StockPostfix

INSIDE = "--inside"  # A word of the command line: the script is in a namespace of its own.
KILOBYTES = 1024  # of the file system
SETTINGS = {"message_size_limit": "200000", "queue_minfree": "0", "notify_classes": ""}
EHLO, MAIL, RCPT, DATA, QUIT = (b"EHLO client.example\r\n", b"MAIL FROM:<ann@example.org>\r\n",
                                b"RCPT TO:<bob@example.org>\r\n", b"DATA\r\n", b"QUIT\r\n")
CONTENT = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 5000 + b".\r\n"
TOO_FEW = 40  # file descriptors
CLIENTS = 60


def mount(directory):
    done = run([find_program("mount"), "-t", "tmpfs", "-o", "size=%dk,mode=0755" % KILOBYTES, "none", directory])
    if done.status != 0:
        raise NoServer("no small file system: %s" % done)


class Disk:
    """A file system that holds a queue."""

    def __init__(self, queue):
        self.queue, self.filler = queue, queue / "filler"

    def leave(self, size):
        """Fills it, but for `size` bytes."""
        self.empty()
        status = os.statvfs(self.queue)
        self.filler.write_bytes(b"x" * (status.f_bavail * status.f_frsize - size))

    def empty(self):
        self.filler.write_bytes(b"")


def talk(port, disk):
    """The replies to a session whose disk is full again and again, and what was in the queue when it was."""
    replies, left = [], []
    with Conversation(port) as client:
        def ask(*lines):
            replies.extend(client.ask(line).decode() for line in lines)
        replies.append(client.reply().decode())
        ask(EHLO)
        disk.leave(250000)
        ask(MAIL)
        disk.leave(350000)
        ask(MAIL, b"RSET\r\n", MAIL)
        disk.leave(0)
        ask(RCPT, RCPT, DATA, CONTENT, MAIL)
        disk.empty()
        ask(MAIL, RCPT, DATA)
        disk.leave(0)
        ask(CONTENT)
        disk.empty()
        ask(MAIL, RCPT, b"BDAT 2000\r\n" + b"x" * 1998 + b"\r\n")
        disk.leave(20000)
        ask(b"BDAT 60000 LAST\r\n" + b"0123456789\r\n" * 5000)
        # What is in other directories is of the mail system.
        left = [file.name for file in (disk.queue / "incoming").iterdir()]
        disk.empty()
        ask(MAIL, RCPT, DATA, CONTENT, QUIT)
    return [without_ids(reply) for reply in replies], left


def talk_and_tell(port, disk):
    """The same for sessions that end when there is room again, or not; then there are transcripts, or none."""
    replies, left = [], []
    for has_room in (True, False):
        for before, after in (((EHLO, MAIL, RCPT, DATA), (CONTENT,)), ((EHLO,), (MAIL, RCPT))):
            with Conversation(port) as client:
                replies += [client.reply().decode()] + [client.ask(line).decode() for line in before]
                disk.leave(0)
                replies += [client.ask(line).decode() for line in after]
                if has_room:
                    disk.empty()
                replies.append(client.ask(QUIT).decode())
            time.sleep(0.5)  # The transcript is written, or not, when the client has gone.
            disk.empty()
    for file in sorted((disk.queue / "incoming").iterdir(), key=lambda file: file.stat().st_mtime_ns):
        left.append([(kind, without_ids(text)) for kind, text in normal_records(file)] if os.access(file, os.X_OK) else file.name)
    return [without_ids(reply) for reply in replies], left


def without_ids(text):
    """IDs are shorter on a file system whose files have low numbers."""
    return re.sub(r"\b[0-9A-F]{7,}\b", "ID", normal(text))


def lines_of(text):
    """Postfix has one line more when its cleanup cannot write, and does not name the file twice."""
    lines = [without_ids(line) for line in re.findall(r"(?:smtpd|cleanup)\[\d+\]: (.*)", text)]
    lines = [re.sub(r"(write queue file) ID:", r"\1:", line) for line in lines]
    return sorted(line for line in lines if "mail_stream_cleanup" not in line and "public/qmgr" not in line
                  and "connect from" not in line)


def settled(read_log):
    """The log when the session's end is in it; Postfix's programs write by way of another."""
    wait_until(lambda: "disconnect from" in read_log())
    time.sleep(0.3)
    return read_log()


def our_settings(**more):
    same = {key: value for key, value in MAIN_CF.items() if key not in ("mail_owner", "setgid_group")}
    return "".join("%s = %s\n" % item for item in {**same, **SETTINGS, **more}.items())


def run_stock(conversation=talk, **more):
    stock = StockPostfix({"smtpd": {}}, dict(SETTINGS, **more))
    mount(stock.queue)
    for name in QUEUES:
        (stock.queue / name).mkdir(mode=0o755)
        if name != "pid":
            os.chown(stock.queue / name, stock.owner.pw_uid, stock.owner.pw_gid)
    with stock:
        start = len(stock.log)
        replies, left = conversation(stock.port("smtpd"), Disk(stock.queue))
        return replies, left, lines_of(settled(lambda: stock.log[start:]))


def check_full_disk(checks, bin_directory, directory):
    theirs, their_left, their_log = run_stock()
    directory.mkdir()
    directory.chmod(0o755)
    system = MailSystem(bin_directory, directory, our_settings())
    mount(system.queue)
    disk = Disk(system.queue)
    with system:
        start = len(system.log())
        replies, left = talk(system.port, disk)
        log = lines_of(settled(lambda: system.log()[start:]))
        checks.equal("a full disk: the replies are Postfix's", replies, theirs)
        checks.equal("452 is among them", sum(reply == "452 4.3.1 Insufficient system storage\r\n" for reply in replies), 2)
        checks.equal("and 451", sum(reply == "451 4.3.0 Error: queue file write error\r\n" for reply in replies), 3)
        checks.equal("the lines of the log are, too", log, their_log)
        checks.equal("nothing half written stays", (left, their_left), ([], []))
        checks.equal("one message is there in the end", len(system.messages()), 1)
        check_full_maildrop(checks, system, disk)
        check_many(checks, system, disk)


def check_transcripts(checks, bin_directory, directory):
    wanted = {"notify_classes": "resource"}
    theirs, their_left, _ = run_stock(talk_and_tell, **wanted)
    directory.mkdir()
    directory.chmod(0o755)
    system = MailSystem(bin_directory, directory, our_settings(**wanted))
    mount(system.queue)
    with system:
        replies, left = talk_and_tell(system.port, Disk(system.queue))
    checks.equal("transcripts: the replies are Postfix's", replies, theirs)
    checks.equal("transcripts: what is in the queue, too", left, their_left)
    checks.equal("transcripts: they are there when there is room", len(left), 2)


def check_full_maildrop(checks, system, disk):
    maildrop = Maildrop(system.queue, system.log)
    name = maildrop.put(submission(content=[b"Subject: x", b""] + [b"0123456789" * 10] * 500))
    disk.leave(0)
    before = len(system.messages())
    maildrop.wake_up()
    checks.check("pickup: the log tells of the full disk", system.wait_for(
        lambda: "maildrop/%s: error writing" % name in system.log()), lambda: system.log()[-1000:])
    checks.equal("what users submitted waits in maildrop",
                 [file.name for file in (system.queue / "maildrop").iterdir()], [name])
    disk.empty()
    maildrop.wake_up()
    checks.check("and is taken when there is room", system.wait_for(maildrop.is_empty) and
                 len(system.messages()) == before + 1, lambda: system.log()[-1000:])


def check_many(checks, system, disk):
    """Many clients, whose messages fill the disk: those that are acknowledged are there, and no others."""
    before, acknowledged, refused = set(system.messages()), [], []
    disk.leave(310000)  # Room for four messages, at MAIL for all.
    clients = [Conversation(system.port) for _ in range(12)]
    for client in clients:
        client.reply()
        for line in (EHLO, MAIL, RCPT, DATA):
            client.ask(line)
    for client in clients:
        client.socket.sendall(CONTENT)
    for client in clients:
        reply = client.reply().decode()
        (acknowledged if reply.startswith("250 ") else refused).append(reply)
        client.socket.close()
    there = set(system.messages()) - before
    checks.equal("of many clients, those that were told so have their messages in the queue", there,
                 {reply.split()[-1] for reply in acknowledged})
    checks.check("some were", 0 < len(acknowledged) < 12, acknowledged)
    checks.equal("others are told why not", set(refused), {"451 4.3.0 Error: queue file write error\r\n"})
    disk.empty()


def deliver(client):
    return [client.ask(line).decode()[:3] for line in (EHLO, MAIL, RCPT, DATA, CONTENT)]


def check_few_descriptors(checks, bin_directory, directory):
    directory.mkdir()
    directory.chmod(0o755)
    system = MailSystem(bin_directory, directory, our_settings(message_size_limit="10000000"))
    started = run([find_program("prlimit"), "--nofile=%d" % TOO_FEW, system.program, "-c", system.config, "start"])
    checks.equal("it starts with few file descriptors", started.status, 0)
    try:
        clients = [Conversation(system.port, 5) for _ in range(CLIENTS)]
        greeted = []
        for client in clients:
            client.socket.settimeout(0.5)
            try:
                greeted.append(client.reply())
            except OSError:
                break
        checks.check("not all clients get a session", 0 < len(greeted) < CLIENTS, len(greeted))
        # One of those that do, without a file for its message.
        busy = clients[0]
        busy.socket.settimeout(10)
        replies = [busy.ask(line).decode() for line in (EHLO, MAIL, RCPT)]
        checks.check("a message that has no file is refused for now", replies[-1][:1] == "4", replies)
        checks.check("the log says why", "Too many open files" in system.log(), lambda: system.log()[-1000:])
        size = len(system.log())
        time.sleep(1)
        checks.check("it does not say so without an end", len(system.log()) - size < 20000, len(system.log()) - size)
        server, = system.server_processes()
        ticks = cpu_ticks(server)
        time.sleep(1)
        checks.check("and the server waits without being busy", cpu_ticks(server) - ticks < 50, cpu_ticks(server) - ticks)
        waiting = clients[-1]
        waiting.socket.settimeout(20)
        for client in clients[:-1]:
            client.socket.close()
            client.stream.close()
        checks.check("a client that waited is served when others are gone", waiting.reply().startswith(b"220 "))
        checks.equal("and its message is taken", deliver(waiting), ["250", "250", "250", "354", "250"])
        checks.equal("by the same server", system.server_processes(), [server])
        checks.equal("nothing else is in the queue", len(system.messages()), 1)
    finally:
        system.postfix("stop")
    checks.check("it stops", not listens(system.port))


def cpu_ticks(process):
    """Hundredths of a second."""
    with open("/proc/%d/stat" % process, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def run_checks(checks, bin_directory, directory):
    set_up_loopback()
    check_full_disk(checks, bin_directory.resolve(), directory / "full")
    check_transcripts(checks, bin_directory.resolve(), directory / "transcripts")
    check_few_descriptors(checks, bin_directory.resolve(), directory / "few")


def main():
    if INSIDE in sys.argv:
        sys.argv.remove(INSIDE)
        return run_server_test("a full queue", run_checks)
    try:
        return enter_namespace(__file__, *sys.argv[1:], INSIDE)
    except NoServer as reason:
        checks = Checks()
        checks.skip("a full queue", str(reason))
        return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
