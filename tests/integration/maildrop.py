"""The maildrop queue: files as postdrop(1) leaves them, and what comes of them when pickup(8) takes them.

    maildrop = Maildrop(system.queue, system.log)
    message, log = maildrop.submit(submission(recipients=(b"bob",)))
"""
import os
import re
import socket
import time

from queue_text import normal, normal_records, record

LOCAL = record(b"A", b"rewrite_context=local")
TIME = record(b"T", b"1795915176 123456")
WAITS = re.compile(r"message not accepted|milter-reject: .*: 4\.\d+\.\d+ ")  # What is logged of a file that stays.


def submission(*middle, sender=b"ann", recipients=(b"bob",), envelope=b"", content=(b"Subject: x", b"", b"hi"),
               extracted=b"", time_record=b""):
    return (time_record + envelope + (b"" if sender is None else record(b"S", sender)) +
            b"".join(middle) + b"".join(record(b"R", each) for each in recipients) + record(b"M") +
            b"".join(record(b"N", line) for line in content) + record(b"X") + extracted + record(b"E"))


class Maildrop:
    """The maildrop queue of a mail system that runs."""

    def __init__(self, queue, read_log):
        self.queue, self.read_log, self.count = queue, read_log, 0

    def wake_up(self):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.queue / "public" / "pickup"))
            client.send(b"W")

    def put(self, data, mode=0o744, uid=1000):
        """Places a file; returns its name."""
        self.count += 1
        name = "%05XAAAA%d" % (self.count, self.count)
        file = self.queue / "maildrop" / name
        file.write_bytes(data)
        os.chown(file, uid, -1)
        file.chmod(mode)
        return name

    def is_empty(self):
        return not any((self.queue / "maildrop").iterdir())

    def settled_log(self, start, name):
        """What was logged since then, when the file has gone or has to wait, and no more comes: Postfix's programs write by
        way of another."""
        file, deadline, before = self.queue / "maildrop" / name, time.monotonic() + 10, None
        while time.monotonic() < deadline:
            is_gone = not file.exists()
            text = self.read_log()[start:]
            if text == before and "/pickup[" in text and (is_gone or WAITS.search(text)):
                break
            before = text
            time.sleep(0.05)
        return text

    def submit(self, data):
        """The records of the message that comes of a file, or None, and what the log says."""
        before = {queue: set(os.listdir(self.queue / queue)) for queue in ("incoming", "hold")}
        log = len(self.read_log())
        name = self.put(data)
        self.wake_up()
        lines = [re.sub(r"^.*?/(pickup|cleanup)\[\d+\]", r"\1", line) for line in self.settled_log(log, name).splitlines()
                 if "/pickup[" in line or "/cleanup[" in line]
        text = [normal(line.replace(name, "FILE").encode()) for line in lines if "public/qmgr" not in line]
        found = [self.queue / queue / each for queue, old in before.items()
                 for each in set(os.listdir(self.queue / queue)) - old]
        return (found[0].parent.name, normal_records(found[0].read_bytes())) if found else None, text
