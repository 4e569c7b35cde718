"""A server that says what a test wants, for clients that must bear anything.

    with ScriptedServer(path, lambda request: b"ERROR\\r\\n") as server:
        ...
"""
from server import ConnectionServer


class LastBytes(bytes):
    """What a script returns to have it sent before the connection is closed."""


class ScriptedServer(ConnectionServer):
    """`script` gets what a connection sent last, and returns what to send back, or None, to close."""

    def __init__(self, path, script):
        super().__init__(path)
        self.script = script

    def serve(self, connection):
        while request := connection.recv(65536):
            reply = self.script(request)
            if reply is None:
                return
            connection.sendall(reply)
            if isinstance(reply, LastBytes):
                return
