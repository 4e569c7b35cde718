"""A server that says what a test wants, for clients that must bear anything.

    with ScriptedServer(path, lambda request: b"ERROR\\r\\n") as server:
        ...
"""
import os
import socket
import threading


class ScriptedServer:
    """Listens at a UNIX-domain socket. `script` gets what a connection sent last, and returns what to send back, or
    None, to close. Counts connections."""

    def __init__(self, path, script):
        self.path, self.script, self.connections = str(path), script, 0
        self._listener = socket.socket(socket.AF_UNIX)

    def __enter__(self):
        self._listener.bind(self.path)
        self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
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
            except OSError:
                pass
