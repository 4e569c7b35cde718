"""A socketmap server whose answers take as long as the test wants.

    with SlowSocketmap(seconds=1) as server:
        table = "socketmap:inet:127.0.0.1:%d:name" % server.port
"""
import threading
import time

from server import ConnectionServer


class SlowSocketmap(ConnectionServer):
    """Answers each lookup of a key that begins with "slow" after `seconds`, others at once; always "NOTFOUND"."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds, self.asked, self.lock = seconds, 0, threading.Lock()

    def serve(self, connection):
        with connection.makefile("rb") as stream:
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
                connection.sendall(b"9:NOTFOUND ,")
