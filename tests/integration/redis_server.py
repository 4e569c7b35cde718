"""A Redis server for tests, and a client that speaks just enough of its protocol.

    with RedisServer("a", directory, user) as server:
        server.ask("SET", "joe", "value")
"""
import socket

from server import Server, find_program, free_port


class RedisServer(Server):
    """Keeps everything in memory. Listens at the UNIX-domain socket `socket` and at `port` of 127.0.0.1."""

    def __init__(self, name, directory, user=None, *options):
        program = find_program("redis-server")
        self.port, self.socket, self.password = free_port(), directory / ("%s.sock" % name), None
        argv = [program, "--save", "", "--appendonly", "no", "--dir", directory, "--port", self.port, "--bind",
                "127.0.0.1", "--unixsocket", self.socket, "--unixsocketperm", "777", "--daemonize", "no", *options]
        super().__init__("redis-server", argv, self._answers, directory / ("%s.log" % name), user)

    def _answers(self):
        try:
            self.ask("PING")
            return True
        except OSError:
            return False

    def ask(self, *words):
        return self.ask_all([words])[0]

    def ask_all(self, commands):
        """The replies to commands that go out together; an error reply is text, too."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(self.socket))
            login = [("AUTH", self.password)] if self.password else []
            client.sendall(b"".join(encode(command) for command in [*login, *commands]))
            with client.makefile("rb") as stream:
                replies = [read_reply(stream) for _ in [*login, *commands]]
        return replies[len(login):]

    def calls(self, command):
        """How often a command was called since CONFIG RESETSTAT."""
        for line in self.ask("INFO", "commandstats").splitlines():
            if line.startswith("cmdstat_%s:calls=" % command):
                return int(line.split("=")[1].split(",")[0])
        return 0


def encode(words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def read_reply(stream):
    line = stream.readline().decode("utf-8", "replace").rstrip("\r\n")
    if line[:1] != "$":
        return line[1:]
    size = int(line[1:])
    return None if size < 0 else stream.read(size + 2)[:-2].decode("utf-8", "replace")
