"""A server that says what a test wants, for clients that must bear anything.

    with ScriptedServer(path, lambda request: b"ERROR\\r\\n") as server:
        ...
"""
import os
import socket
import threading


class LastBytes(bytes):
    """What a script returns to have it sent before the connection is closed."""


class ScriptedServer:
    """Listens at a UNIX-domain socket, or without a path at a free `port` of 127.0.0.1. `script` gets what a connection
    sent last, and returns what to send back, or None, to close. Counts connections."""

    def __init__(self, path, script):
        self.path, self.script, self.connections = path and str(path), script, 0
        self._listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)

    def __enter__(self):
        self._listener.bind(self.path or ("127.0.0.1", 0))
        self.port = None if self.path else self._listener.getsockname()[1]
        self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self.path:
            os.unlink(self.path)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                while request := connection.recv(65536):
                    reply = self.script(request)
                    if reply is None:
                        return
                    connection.sendall(reply)
                    if isinstance(reply, LastBytes):
                        return
            except OSError:
                pass
