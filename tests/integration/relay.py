"""A network that fails, between a client and a server on loopback.

    with Relay(server_port, limits=[100]) as relay:
        ...                     # a client of relay.port is cut off after 100 bytes of the server
        relay.connections
"""
import socket
import threading


class Relay:
    """Between a client and slapd: counts connections and bytes, cuts or falls silent after so many bytes of the server.
    `limits` are for one connection after the other; None: all bytes."""

    def __init__(self, port, limits=(), falls_silent=False):
        self.target, self.limits, self.falls_silent = port, list(limits), falls_silent
        self.connections, self.open = 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()

    def cut(self):
        """Ends all connections."""
        for end in self.open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open = []

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            limit = self.limits[self.connections] if self.connections < len(self.limits) else None
            self.connections += 1
            self.open += [client, server]
            threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, limit), daemon=True).start()

    def _pump(self, source, sink, limit):
        try:
            while True:
                data = source.recv(4096 if limit is None else min(limit, 4096)) if limit != 0 else b""
                if limit is not None:
                    limit -= len(data)
                if not data:
                    break
                sink.sendall(data)
        except OSError:
            pass
        if limit == 0 and self.falls_silent:
            return
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
