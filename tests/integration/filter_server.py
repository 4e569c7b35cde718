"""A before-queue content filter (SMTPD_PROXY_README): an SMTP server that says what a test wants, writes down what it gets,
and may pass the mail on to another server.

    with ScriptedFilter({"RCPT": b"550 5.1.1 no\\r\\n"}) as proxy:
        main_cf = {"smtpd_proxy_filter": proxy.endpoint}
"""
import socket

from server import ConnectionServer
from stock_postfix import read_reply

EHLO_REPLY = b"250-filter.example\r\n250-XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT\r\n250-8BITMIME\r\n250 DSN\r\n"
REPLIES = {"EHLO": EHLO_REPLY, "HELO": b"250 filter.example\r\n", "DATA": b"354 go on\r\n", "QUIT": b"221 2.0.0 Bye\r\n"}


class ScriptedFilter(ConnectionServer):
    """`replies` has what to say to a command, or to "GREETING" and "END" of content; None hangs up. What comes is in `lines`,
    content in `contents`. With `next_port`, everything is said to that server, and its replies are passed on."""

    def __init__(self, replies=None, next_port=None):
        super().__init__()
        self.start(replies, next_port)

    @property
    def endpoint(self):
        return "127.0.0.1:%d" % self.port

    def start(self, replies=None, next_port=None):
        """Forgets what was, for the next test."""
        self.replies, self.next_port = replies or {}, next_port
        self.lines, self.contents = [], []

    def begin(self):
        return self.lines, self.contents

    def serve(self, connection, lines, contents):
        try:
            with connection.makefile("rwb") as stream:
                following = self.next_port and socket.create_connection(("127.0.0.1", self.next_port)).makefile("rwb")
                self._converse(stream, following, lines, contents)
        finally:
            connection.close()
            lines.append("closed")

    def _converse(self, stream, following, lines, contents):
        if following:
            read_reply(following)
        if not self._say(stream, "GREETING", b"220 filter.example ESMTP\r\n", None, b""):
            return
        while line := stream.readline():
            verb = line.split()[0].decode().upper() if line.split() else ""
            lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
            if not self._say(stream, verb, REPLIES.get(verb, b"250 2.0.0 Ok\r\n"), following, line) or verb == "QUIT":
                return
            if verb == "DATA" and self.last.startswith(b"354"):
                content = b""
                while not content.endswith(b"\r\n.\r\n") and content != b".\r\n":
                    more = stream.readline()
                    if not more:
                        return
                    content += more
                contents.append(content)
                if not self._say(stream, "END", b"250 2.0.0 Ok: filtered\r\n", following, content):
                    return

    def _say(self, stream, key, default, following, request):
        reply = self.replies.get(key, default)
        if following and key not in self.replies and key not in ("EHLO", "HELO"):
            following.write(request)
            following.flush()
            reply = read_reply(following)
        elif following and key in ("EHLO", "HELO"):
            following.write(request)
            following.flush()
            read_reply(following)
        if reply is None:
            return False
        self.last = reply
        stream.write(reply)
        stream.flush()
        return True
