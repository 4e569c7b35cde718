"""An SMTP or LMTP server that says what a test wants, at any address, and writes down what it is told.

    with ScriptedSmtp("192.0.2.1", 25, {"RCPT": b"550 5.1.1 no\\r\\n"}) as server:
        ...
        server.take()   # ["EHLO mail.example.org", "MAIL FROM:<ann@example.org>", ...]

A reply stands under the first word of a command, under the whole command, or as GREETING and END (of content); None hangs up
(as CONTENT: when a part of the content has come), a number sleeps for so many seconds and hangs up. A list has replies to one after the other; the last one stays. "(write)" marks
what came at one time; with PEER "(from ADDRESS)" tells who came. What two connections tell stands in the order in which they came, however they take turns.

TLS says how STARTTLS, or with WRAPPER the connection, goes on: {"chain": FILE}, and "ca", a file, to ask for a certificate,
"maximum", the last version, "ciphers", all below `certificates`; without it the server hangs up there. What is said behind TLS
stands under the same keys with "TLS " in front, where that differs.
"""
import select
import socket
import ssl
import threading
import time

REPLIES = {"GREETING": b"220 mx.example ESMTP\r\n", "EHLO": b"250 mx.example\r\n", "LHLO": b"250 mx.example\r\n",
           "DATA": b"354 go on\r\n", "END": b"250 2.0.0 taken\r\n", "QUIT": b"221 2.0.0 Bye\r\n"}
OTHER = b"250 2.1.0 Ok\r\n"
PATIENCE = 0.2  # Seconds in which a client speaks that does not wait for the greeting.
ENDS = ("(closed)", "(hung up)", "(silent)")  # The last thing that is written down of a connection.


class ScriptedSmtp:
    def __init__(self, address, port=25, replies=None):
        family = socket.AF_UNIX if port is None else socket.AF_INET6 if ":" in address else socket.AF_INET
        self.place = address if port is None else (address, port)
        self.certificates = None
        self.replies, self._spoken, self._lock = replies or {}, {}, threading.Lock()
        self._heard, self._own = [], threading.local()  # The lines of each connection; of that which a thread serves.
        self._open, self._barriers, self._latest_context = 0, {}, None
        self._listener = socket.socket(family)
        if port is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    def __enter__(self):
        self._listener.bind(self.place)
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def script(self, replies):
        """Forgets what was, for the next test."""
        with self._lock:
            self.replies, self._heard, self._spoken = dict(replies), [], {}

    def take(self):
        """What was said until now, once all who came before have gone, or wait in vain for a reply."""
        deadline = time.monotonic() + 5
        self._wait_for_arrivals()
        while time.monotonic() < deadline and self._open > 0:
            time.sleep(0.01)
        with self._lock:
            return [line for lines in self._heard for line in lines]

    def _wait_for_arrivals(self):
        """Connections are accepted in the order in which they come: when one of our own is, all before it are."""
        with socket.socket(self._listener.family) as own:
            is_local = own.family == socket.AF_UNIX
            own.bind(b"\0scripted_smtp.%d" % id(own) if is_local else (self.place[0], 0))
            arrived = self._barriers[own.getsockname()] = threading.Event()
            own.connect(self.place)
            arrived.wait(5)

    def _note(self, line):
        with self._lock:
            self._own.lines.append(line)
            self._open -= line in ENDS

    def _accept(self):
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            barrier = self._barriers.pop(peer, None)
            if barrier:
                connection.close()
                barrier.set()
                continue
            lines = []
            with self._lock:
                self._open += 1
                self._heard.append(lines)
            if "PEER" in self.replies:
                lines.append("(from %s)" % (peer if isinstance(peer, str) else peer[0]))
            threading.Thread(target=self._serve, args=(connection, lines), daemon=True).start()

    def _reply(self, *names, is_protected=False):
        for name in [("TLS " + name) for name in names if is_protected] + list(names):
            if name in self.replies:
                reply = self.replies[name]
                if isinstance(reply, list):
                    with self._lock:
                        place = self._spoken.get(name, 0)
                        self._spoken[name] = place + 1
                    reply = reply[min(place, len(reply) - 1)]
                return reply
        return next((REPLIES[name] for name in names if name in REPLIES), OTHER)

    def _say(self, connection, *names):
        """Whether the conversation goes on."""
        return self._send(connection, self._reply(*names, is_protected=isinstance(connection, ssl.SSLSocket)))

    def _send(self, connection, reply):
        if isinstance(reply, int):
            self._note("(silent)")
            time.sleep(reply)
            return False
        if reply is not None:
            connection.sendall(reply)
            return True
        self._note("(hung up)")
        return False

    def _serve(self, connection, lines):
        self._own.lines = lines
        with connection:
            try:
                greets = True
                if "WRAPPER" in self.replies:
                    connection = self._protect(connection)
                    # Who does not trust the certificate says QUIT before the greeting. What it does not read any more would make
                    # its end a reset, which takes along what it has said.
                    greets = not (connection and select.select([connection], [], [], PATIENCE)[0])
                if connection:
                    self._converse(connection, greets)
            except OSError:
                self._note("(closed)")

    def _protect(self, connection):
        """The connection with TLS; None: there is none."""
        how, names = self.replies.get("TLS"), []
        if how is None:
            connection.recv(65536)  # What is not read would make the end a reset.
            self._note("(hung up)")
            return None
        context = self._context(how)
        context.sni_callback = lambda _, name, __: names.append(name)
        time.sleep(how.get("delay", 0))
        try:
            connection = context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True)
        except (OSError, ssl.SSLError):
            self._note("(TLS failed)")
            self._note("(closed)")
            return None
        certificate = connection.getpeercert() or {}
        subject = dict(part[0] for part in certificate.get("subject", ()))
        again = " again" if connection.session_reused else ""
        self._note("(%s%s, for %s, from %s)" % (connection.version(), again, names[0] if names else None, subject.get("commonName")))
        return connection

    def _context(self, how):
        """One that was made for the script before knows the sessions of then."""
        with self._lock:
            if self._latest_context and self._latest_context[0] is how:
                return self._latest_context[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates / how["chain"])
        if "WRAPPER" in self.replies:
            context.num_tickets = 0  # They are not read, either.
        if "maximum" in how:
            context.maximum_version = getattr(ssl.TLSVersion, how["maximum"])
        if "ciphers" in how:
            context.set_ciphers(how["ciphers"])
        if "ca" in how:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(self.certificates / how["ca"])
        with self._lock:
            self._latest_context = (how, context)
        return context

    def _converse(self, connection, greets):
        if greets and not self._say(connection, "GREETING"):
            return
        pending, is_content, recipients = b"", False, 0
        while data := connection.recv(65536):
            if not is_content:
                self._note("(write)")
            elif "CONTENT" in self.replies:
                self._note("(hung up)")
                return
            pending += data
            while b"\n" in pending:
                line, pending = pending.split(b"\n", 1)
                line = line.decode("utf-8", "backslashreplace")
                self._note(line.replace("\r", "") if line.endswith("\r") else line + "(bare)")
                line = line.rstrip("\r")
                if is_content:
                    if line != ".":
                        continue
                    is_content = False
                    for number in range(recipients if "LHLO" in self.replies else 1):
                        if not self._say(connection, "END%d" % number, "END"):
                            return
                    recipients = 0
                    continue
                verb, bare = line.split(" ")[0].upper(), line.split("> ")[0] + ">"  # Without parameters.
                reply = self._reply(line, bare, verb, is_protected=isinstance(connection, ssl.SSLSocket))
                if not self._send(connection, reply):
                    return
                if verb == "STARTTLS" and isinstance(reply, bytes) and reply[:1] == b"2":
                    connection, pending = self._protect(connection), b""
                    if not connection:
                        return
                accepted = isinstance(reply, bytes) and reply[:1] in (b"2", b"3")
                recipients += verb == "RCPT" and accepted
                is_content = verb == "DATA" and isinstance(reply, bytes) and reply[:1] == b"3"
                if verb == "QUIT":
                    self._note("(closed)")
                    return
        self._note("(closed)")
