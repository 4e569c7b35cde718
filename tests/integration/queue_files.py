"""Messages that are put into a queue as files, as cleanup(8) would have left them there.

    write_message(system.queue / "deferred/4" / "4A1B2C", "ann@example.org", ["bob@example.com"], owner=owner)
"""
import os
import time

from queue_text import record


def message_bytes(sender, recipients, content=b"Subject: hello\n\nhello\n", arrival=None):
    arrival = time.time() if arrival is None else arrival
    lines = b"".join(record(b"N", line) for line in content.split(b"\n")[:-1])
    envelope = record(b"T", b"%d %d" % (int(arrival), int(arrival % 1 * 1e6))) + record(b"A", b"rewrite_context=local")
    envelope += record(b"S", sender.encode())
    envelope += b"".join(record(b"R", recipient.encode()) for recipient in recipients) + record(b"M")
    offset = len(envelope) + len(record(b"C", b" " * 95))
    sizes = b" ".join(b"%15d" % number for number in (len(lines), offset, len(recipients), 0, len(lines), 0))
    return record(b"C", sizes) + envelope + lines + record(b"X") + record(b"E")


def write_message(path, sender, recipients, owner=None, due=None, **options):
    """`due`: when it is to be tried next, seconds since 1970."""
    path.parent.mkdir(exist_ok=True)
    if owner is not None:
        os.chown(path.parent, owner.pw_uid, -1)
    with open(path, "wb") as file:
        file.write(message_bytes(sender, recipients, **options))
        if owner is not None:
            os.fchown(file.fileno(), owner.pw_uid, -1)
        os.fchmod(file.fileno(), 0o700)
    if due is not None:
        os.utime(path, (due, due))
