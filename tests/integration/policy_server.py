"""A policy server (SMTPD_POLICY_README) that lets everything pass, and keeps what it was asked.

    with PolicyServer() as policy:
        ... check_policy_service inet:127.0.0.1:PORT, with policy.port ...
        policy.take()   # a dictionary for each request
"""
import socketserver
import threading


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        request = {}
        for line in self.rfile:
            name, _, value = line.decode("utf-8", "replace").rstrip("\n").partition("=")
            if name:
                request[name] = value
                continue
            self.server.requests.append(request)
            request = {}
            self.wfile.write(b"action=dunno\n\n")


class PolicyServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]
        self.requests = []

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def take(self):
        """The requests since the last time."""
        taken, self.requests = self.requests, []
        return taken
