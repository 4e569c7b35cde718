"""A memcached server for tests, and a client that speaks just enough of its protocol.

    with MemcachedServer("a", directory, user) as server:
        server.ask(b"set joe 0 0 5\\r\\nvalue\\r\\n")
"""
import socket
import urllib.parse

from server import Server, find_program


class MemcachedServer(Server):
    """Listens at the UNIX-domain socket `socket`."""

    def __init__(self, name, directory, user=None):
        self.socket = directory / ("%s.sock" % name)
        argv = [find_program("memcached"), "-s", self.socket, "-a", "777", "-m", "16", "-t", "1"]
        super().__init__("memcached", argv, self._answers, directory / ("%s.log" % name), user)

    def _answers(self):
        try:
            return self.ask(b"version\r\n").startswith(b"VERSION")
        except OSError:
            return False

    def ask(self, request, end=b"\r\n"):
        """The reply, which ends with `end`."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(self.socket))
            client.sendall(request)
            reply = b""
            while not reply.endswith(end):
                more = client.recv(65536)
                if not more:
                    break
                reply += more
        return reply

    def replace_all(self, entries):
        """Holds these, and nothing else."""
        self.ask(b"flush_all\r\n")
        if entries:
            self.ask(b"".join(b"set %s 0 0 %d noreply\r\n%s\r\n" % (key, len(value), value)
                              for key, value in entries.items()) + b"version\r\n", b"\r\n")

    def get(self, key):
        """The value, or None."""
        reply = self.ask(b"get %s\r\n" % key, b"END\r\n")
        return reply.split(b"\r\n", 1)[1][:-len(b"\r\nEND\r\n")] if reply.startswith(b"VALUE") else None

    def keys(self):
        """Of all that it holds, sorted."""
        lines = self.ask(b"lru_crawler metadump all\r\n", b"END\r\n").splitlines()
        return sorted(urllib.parse.unquote_to_bytes(line[len(b"key="):].split(b" ")[0])
                      for line in lines if line.startswith(b"key="))
