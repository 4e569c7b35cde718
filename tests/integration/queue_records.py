"""What a queue file says, record by record in the order of a reader, so that two can be compared: ours and that of the
distribution's Postfix for the same message.

    normal_records(path) == [("S", "ann@example.org"), ...]
"""
import re

from queue_text import records_as_read

# What differs between two runs, and what the programs cannot have in common.
VARIABLE = (
    (re.compile(r"\b[0-9A-F]{10,}\b"), "ID"),
    (re.compile(r"((?:client|server|log_client)_port)=\d+"), r"\1=PORT"),
    (re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), +\d+ \w{3} \d{4} \d\d:\d\d:\d\d [-+]\d{4} \(\w+\)"), "DATE"),
    (re.compile(r"<\d{14}\."), "<STAMP."),
    (re.compile(r"(create_time)=\d+"), r"\1=TIME"),
)
RECIPIENT_PREFIX = ("dsn_orig_rcpt=", "notify_flags=")


def records(data):
    """records_as_read(), as text."""
    return [(kind.decode("latin-1"), payload.decode("utf-8", "surrogateescape")) for kind, payload in records_as_read(data)]


def without_cancelled(items):
    """Postfix keeps a recipient that a filter took back as a record that nobody reads."""
    out = []
    for kind, payload in items:
        if kind != "/":
            out.append((kind, payload))
            continue
        while out and (out[-1][0] == "O" or (out[-1][0] == "A" and out[-1][1].startswith(RECIPIENT_PREFIX))):
            out.pop()
    return out


def normal(text):
    for pattern, replacement in VARIABLE:
        text = pattern.sub(replacement, text)
    return text


def normal_records(path):
    """Of the sizes, the flags of notifications and SMTPUTF8 are compared."""
    out = []
    for kind, payload in without_cancelled(records(path.read_bytes())):
        if kind == "C":
            numbers = payload.split()
            payload = "notify=%s smtputf8=%s" % (numbers[3], numbers[5])
        elif kind == "T":
            payload = "TIME"
        out.append((kind, normal(payload)))
    return out
