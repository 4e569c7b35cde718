"""A socketmap server whose answers take as long as the test wants.

    with SlowSocketmap(seconds=1) as server:
        table = "socketmap:inet:127.0.0.1:%d:name" % server.port
"""
import socket
import threading
import time


class SlowSocketmap:
    """Answers each lookup of a key that begins with "slow" after `seconds`, others at once; always "NOTFOUND"."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked = 0
        self.lock = threading.Lock()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, client.makefile("rb") as stream:
            while True:
                size = b""
                while not size.endswith(b":"):
                    byte = stream.read(1)
                    if not byte:
                        return
                    size += byte
                request = stream.read(int(size[:-1]) + 1)[:-1]
                with self.lock:
                    self.asked += 1
                if b" slow" in request:
                    time.sleep(self.seconds)
                client.sendall(b"9:NOTFOUND ,")
