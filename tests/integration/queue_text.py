"""The records of queue files and submissions, as tests compare them."""
import re


def record(kind, payload=b""):
    """The bytes of a record."""
    length, size = b"", len(payload)
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return kind + length + bytes([size]) + payload


def record_at(data, at):
    """(type, payload, where the next record is) of the record at `at`."""
    kind, at = data[at:at + 1], at + 1
    length = shift = 0
    while True:
        byte, at = data[at], at + 1
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return kind, data[at:at + length], at + length


def records(data):
    """(type, payload) of each record, in the order of the file, without padding and pointers that lead nowhere."""
    found, at = [], 0
    while at < len(data):
        kind, payload, at = record_at(data, at)
        if kind not in b"wp":
            found.append((kind, payload))
    return found


def records_as_read(data):
    """(type, payload) of each record as a reader meets them: pointers are followed, and nothing is behind the end."""
    found, at, kind = [], 0, b""
    while at < len(data) and kind != b"E":
        kind, payload, at = record_at(data, at)
        if kind == b"p":
            at = int(payload) or at
        elif kind != b"w":
            found.append((kind, payload))
    return found


def normal(text):
    """Without what differs from one message to the next."""
    text = re.sub(rb"\b\d{10} \d{1,6}$", b"TIME", text)
    text = re.sub(rb"(create_time=)\d+", rb"\1TIME", text)
    text = re.sub(rb"<\d{14}\.", b"<STAMP.", text)
    text = re.sub(rb"\b[0-9A-F]{10,}\b", b"ID", text)
    return re.sub(rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [ \d]\d \w{3} \d{4} \d\d:\d\d:\d\d", b"DATE", text)


def normal_records(data):
    """The records of a queue file, but for the sizes, whose second number depends on the length of the time."""
    return [(kind, normal(payload)) for kind, payload in records(data) if kind != b"C"]
