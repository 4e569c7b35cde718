"""Messages that are put into a queue as files, as cleanup(8) would have left them there.

    write_message(system.queue / "deferred/4" / "4A1B2C", "ann@example.org", ["bob@example.com"], owner=owner)
"""
import os
import time

from queue_text import record


def message_bytes(sender, recipients, content=b"Subject: hello\n\nhello\n", arrival=None, envelope=(), extracted=()):
    """`envelope` and `extracted`: more records, (type, payload) each, before the sender and behind the content. A recipient
    that starts with "D:" has been dealt with; what stands behind "|" are its NOTIFY flags, a number."""
    arrival = time.time() if arrival is None else arrival
    lines = b"".join(record(b"N", line) for line in content.split(b"\n")[:-1])
    head = record(b"T", b"%d %d" % (int(arrival), int(arrival % 1 * 1e6))) + record(b"A", b"rewrite_context=local")
    head += b"".join(record(kind, payload) for kind, payload in envelope) + record(b"S", sender.encode())
    for recipient in recipients:
        recipient, _, notify = recipient.partition("|")
        head += record(b"n", notify.encode()) if notify else b""
        is_done = recipient.startswith("D:")
        head += record(b"D", recipient[2:].encode()) if is_done else record(b"R", recipient.encode())
    head += record(b"M")
    offset = len(head) + len(record(b"C", b" " * 95))
    sizes = b" ".join(b"%15d" % number for number in (len(lines), offset, len(recipients), 0, len(lines), 0))
    tail = b"".join(record(kind, payload) for kind, payload in extracted)
    return record(b"C", sizes) + head + lines + record(b"X") + tail + record(b"E")


def write_message(path, sender, recipients, owner=None, due=None, mode=0o700, **options):
    """`due`: when it is to be tried next, seconds since 1970. The file has its name when it is complete."""
    final, path = path, path.with_name(path.name + ".new")
    path.parent.mkdir(exist_ok=True)
    if owner is not None:
        os.chown(path.parent, owner.pw_uid, -1)
    with open(path, "wb") as file:
        file.write(message_bytes(sender, recipients, **options))
        if owner is not None:
            os.fchown(file.fileno(), owner.pw_uid, -1)
        os.fchmod(file.fileno(), mode)
    if due is not None:
        os.utime(path, (due, due))
    path.rename(final)
