"""A mail filter (milter) that says what a test wants, and writes down what it is told. Speaks version 6 of the protocol.

    with ScriptedMilter({"rcpt": lambda words: [reject("550 5.7.1 no")]}) as milter:
        main_cf = {"smtpd_milters": milter.endpoint}
        ...
        assert milter.events[0] == "connect unknown 127.0.0.1"
"""
import struct
import time

from server import ConnectionServer

EVENTS = {b"A": "abort", b"B": "body", b"C": "connect", b"D": "macros", b"E": "eom", b"H": "helo", b"L": "header",
          b"M": "mail", b"N": "eoh", b"O": "negotiate", b"Q": "quit", b"R": "rcpt", b"T": "data", b"U": "unknown",
          b"K": "quit-new-connection"}
ALL_ACTIONS = 0x1FF
# Bits of the negotiation.
NO_REPLY = {"header": 0x80, "connect": 0x1000, "helo": 0x2000, "mail": 0x4000, "rcpt": 0x8000, "data": 0x10000,
            "unknown": 0x20000, "eoh": 0x40000, "body": 0x80000}
NO_REPLIES = sum(NO_REPLY.values())
SKIP, REJECTED_RECIPIENTS, LEADING_SPACE = 0x400, 0x800, 0x100000
WITHOUT_REPLY = ("abort", "macros", "quit", "quit-new-connection")


def packet(code, data=b""):
    return struct.pack(">I", len(data) + 1) + code + data


def strings(*texts):
    return b"".join((text if isinstance(text, bytes) else text.encode()) + b"\0" for text in texts)


CONTINUE, ACCEPT, REJECT, TEMPFAIL = packet(b"c"), packet(b"a"), packet(b"r"), packet(b"t")
DISCARD, SHUTDOWN, PROGRESS, SKIP_REST = packet(b"d"), packet(b"4"), packet(b"p"), packet(b"s")


def reply_code(text):
    return packet(b"y", strings(text))


def add_header(name, value):
    return packet(b"h", strings(name, value))


def insert_header(index, name, value):
    return packet(b"i", struct.pack(">I", index) + strings(name, value))


def change_header(index, name, value):
    return packet(b"m", struct.pack(">I", index) + strings(name, value))


def add_recipient(address, *parameters):
    return packet(b"2", strings(address, *parameters)) if parameters else packet(b"+", strings(address))


def delete_recipient(address):
    return packet(b"-", strings(address))


def change_sender(address, *parameters):
    return packet(b"e", strings(address, *parameters))


def replace_body(text):
    return packet(b"b", text)


def quarantine(reason):
    return packet(b"q", strings(reason))


def words_of(data):
    return [word.decode("latin-1") for word in data.split(b"\0")[:-1]]


class ScriptedMilter(ConnectionServer):
    """`script` has for an event what to send, or a function of the event's words that returns it: a list of packets, or
    None, to close the connection. Other events are answered with "go on". `events` has a line for each event; `macros`
    a dictionary for each set of macros, with the event that they came for."""

    def __init__(self, script=None, path=None, protocol=0, actions=ALL_ACTIONS):
        super().__init__(path)
        self.actions = actions
        self.start(script, protocol)

    @property
    def endpoint(self):
        return "unix:" + self.path if self.path else "inet:127.0.0.1:%d" % self.port

    def start(self, script=None, protocol=0):
        """Forgets what was, for the next test; what old connections still say is not heard."""
        self.script, self.protocol = script or {}, protocol
        self.connections, self._conversations = 0, []

    @property
    def events(self):
        """Of all connections, one after the other: when something else comes in between is chance."""
        return [event for events, _ in self._conversations for event in events]

    @property
    def macros(self):
        return [each for _, macros in self._conversations for each in macros]

    def is_over(self):
        """Whether all connections have ended."""
        return self.connections > 0 and self.events.count("closed") == self.connections

    def wait_until_over(self, seconds=2):
        """Until the connections that there were have ended, or for so long."""
        deadline = time.monotonic() + seconds
        while self.connections and not self.is_over() and time.monotonic() < deadline:
            time.sleep(0.01)

    def begin(self):
        self._conversations.append(([], []))
        return self._conversations[-1]

    def serve(self, connection, events, macros):
        try:
            with connection.makefile("rb") as stream:
                while True:
                    head = stream.read(4)
                    if len(head) < 4:
                        break
                    data = stream.read(struct.unpack(">I", head)[0])
                    answer = self._take(EVENTS.get(data[:1], "?"), data[1:], events, macros)
                    if answer is None:
                        break
                    connection.sendall(b"".join(answer))
        finally:
            connection.close()
            events.append("closed")

    def _take(self, event, data, events, macros):
        if event == "negotiate":
            return [packet(b"O", struct.pack(">III", 6, self.actions, self.protocol))]
        if event == "macros":
            pairs = words_of(data[1:])
            macros.append((EVENTS[data[:1]], dict(zip(pairs[::2], pairs[1::2]))))
            return []
        if event == "connect":
            name, rest = data.split(b"\0", 1)
            words = [name.decode("latin-1"), rest[:1].decode()] + words_of(rest[3:])
        elif event == "body":
            words = [data.decode("latin-1")]
        else:
            words = words_of(data)
        events.append(" ".join([event] + words))
        if event in WITHOUT_REPLY or self.protocol & NO_REPLY.get(event, 0):
            return []
        answer = self.script.get(event, [CONTINUE])
        return answer(words) if callable(answer) else answer
