"""The same SMTP sessions with our server and with the distribution's: what each replies, what each logs, and what it puts
into the queue.

    site = Site(directory, {"may": {"smtpd_tls_security_level": "may"}})
    case = Case("TLS", "may", [b"EHLO x\r\n", *start_tls(), b"QUIT\r\n"])
    with site.stock() as stock, site.ours(bin_directory, stock.postcat) as ours:
        compare(checks, case, ours.account(case), stock.account(case))

A script has lines to send, each of which has a reply, and functions of the session that return what was seen. A script
ends early when the server closes the connection.
"""
import difflib
import os
import re
import ssl
import time

from mail_system import MailSystem
from server import free_port
from stock_postfix import Conversation, StockPostfix

DEADLINE = 30  # seconds, for one line of the log
QUEUE_ID = re.compile(r"\b[0-9A-F]{9,}\b")

# What both have; the rest of a service is its own.
MAIN_CF = {
    "myhostname": "mail.example.org",
    "mydestination": "example.org",
    "mynetworks": "192.0.2.1",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
    "smtpd_recipient_restrictions": "",
    "smtpd_reject_unlisted_recipient": "no",
    "smtpd_sasl_type": "cyrus",
    "notify_classes": "",
    "smtpd_error_sleep_time": "0",
    "smtpd_forbid_unauth_pipelining": "no",
}
# Postfix 3.7 has other defaults for these.
SAME_FOR_BOTH = {
    "tls_high_cipherlist": "aNULL:-aNULL:HIGH:@STRENGTH",
    "tls_medium_cipherlist": "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH",
    "tls_low_cipherlist": "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH",
    "tls_export_cipherlist": "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH",
    "tls_null_cipherlist": "eNULL:!aNULL",
    "tls_eecdh_auto_curves": "X25519 X448 prime256v1 secp521r1 secp384r1",
    "compatibility_level": "3.6",
}
OURS = {"tls_ffdhe_auto_groups": ""}  # Postfix 3.7 has none.


class Account:
    """What one session was like, without what changes with each."""

    def __init__(self, replies, log, records):
        self.replies = [settle(reply.decode("utf-8", "replace")) for reply in replies]
        self.log = [settle(line) for line in log]
        self.records = [settle(line) for line in records]


def settle(text):
    text = re.sub(r"\*\*\* (.*) \S+/incoming/\S+ \*\*\*", r"*** \1 FILE ***", text)
    text = re.sub(r"(message_size: ).*", r"\1SIZE", text)
    text = re.sub(r"^(create_time|message_arrival_time): .*", r"\1: TIME", text)
    text = re.sub(r"(for service 127\.0\.0\.1:)\d+", r"\1PORT", text)
    text = QUEUE_ID.sub("ID", text)
    text = re.sub(r"<\d{14}\.ID", "<STAMP.ID", text)
    text = re.sub(r"(_port[=:] ?)\d+", r"\1PORT", text)
    text = re.sub(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), .*\)$", "DATE", text)
    text = re.sub(r"(: fail:x: ).*", r"\1WHY", text)
    return re.sub(r"[0-9a-f]{4,}:error:", "error:", text)


class Session(Conversation):
    """May begin TLS; knows the log of the server from where it began."""

    def start_tls(self, context, name=None):
        """Takes the connection as the client's side of TLS. What was seen: the version, or why it failed."""
        self.stream.close()
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        except (OSError, ssl.SSLError) as error:
            self.stream = self.socket.makefile("rb")
            # Which end of a connection one sees depends on who was first.
            is_gone = isinstance(error, (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError))
            return b"gone" if is_gone else type(error).__name__.encode()
        self.stream = self.socket.makefile("rb")
        return str(self.socket.version()).encode()

    def rest(self):
        if not isinstance(self.socket, ssl.SSLSocket):
            return super().rest()
        try:
            return self.stream.read()  # The end of one direction would be the end of TLS.
        except OSError:
            return b""

    def reply(self):
        try:
            return super().reply()
        except OSError:
            return b""

    def ask(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            return b""
        return self.reply()


def client_context(certificate=None, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.maximum_version = version
    if certificate:
        context.load_cert_chain(certificate)
    return context


def handshake(name=None, **options):
    """`name`: the server that the client asks for."""
    return lambda session: session.start_tls(client_context(**options), name)


def start_tls(**options):
    """STARTTLS and its handshake, as two steps."""
    return [b"STARTTLS\r\n", handshake(**options)]


def read_reply(session):
    return session.reply()


def send(data):
    """Sends, and waits for no reply."""
    def step(session):
        try:
            session.socket.sendall(data)
        except OSError:
            return b"(lost)"
        return b""
    return step


def close(session):
    session.socket.close()
    return b""


def rest(session):
    """All that comes until the server closes."""
    return session.rest()


def wait(seconds):
    def step(_):
        time.sleep(seconds)
        return b""
    return step


def mail(sender=b"ann@example.org", recipient=b"bob@example.org", parameters=b""):
    return [b"MAIL FROM:<" + sender + b">" + parameters + b"\r\n", b"RCPT TO:<" + recipient + b">\r\n", b"DATA\r\n",
            b"Subject: x\r\n\r\nhello\r\n.\r\n"]


class Case:
    """A session with a service. `first`: what comes before the script, the greeting unless told otherwise."""

    def __init__(self, name, service, script, first=(read_reply,)):
        self.name, self.service, self.script, self.first = name, service, list(script), list(first)


def wrapped(**options):
    """What comes first where TLS does."""
    return [handshake(**options), read_reply]


def compare(checks, case, ours, theirs):
    """Holds our account of a case against the distribution's."""
    steps = ["(first)"] * len(case.first) + [repr(step) if isinstance(step, bytes) else "(step)" for step in case.script]
    same = [our == their for our, their in zip(ours.replies, theirs.replies)]
    number = same.index(False) if False in same else 0
    checks.check("%s: the replies" % case.name, all(same),
                 lambda: "to %s: got %r, wanted %r" % (steps[number], ours.replies[number], theirs.replies[number]))
    checks.check("%s: the log" % case.name, ours.log == theirs.log,
                 lambda: "\n".join(difflib.unified_diff(theirs.log, ours.log, "wanted", "got", n=0, lineterm="")))
    checks.check("%s: what is in the queue" % case.name, ours.records == theirs.records,
                 lambda: "\n".join(difflib.unified_diff(theirs.records, ours.records, "wanted", "got", n=0, lineterm="")))


class Judged:
    """A running server: its ports, its log, its queue."""

    def __init__(self, ports, log, queue, postcat):
        self.ports, self.log, self.queue, self.postcat = ports, log, queue, postcat

    def lines(self, service, start=0):
        """What the service, and what works for it, logged from `start` on."""
        return re.findall(r"^\S+ +\S+ \S+ \S+ postfix/%s/smtpd\[\d+\]: (.*)$" % re.escape(service), self.log()[start:],
                          re.M)

    def wait_for(self, condition):
        deadline = time.monotonic() + DEADLINE
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise AssertionError("no answer in time; the log:\n" + self.log()[-3000:])
            time.sleep(0.01)
        return found

    def messages(self):
        """Those that are complete: their files can be executed."""
        return {path for path in (self.queue / "incoming").iterdir() if os.access(path, os.X_OK)}

    def account(self, case):
        start, before = len(self.log()), self.messages()
        service, replies = case.service, []
        with Session(self.ports[service]) as session:
            for step in case.first + case.script:
                replies.append(session.ask(step) if isinstance(step, bytes) else step(session))
        lines = self.wait_for(lambda: (found := self.lines(service, start)) and
                              any(line.startswith("disconnect from") for line in found) and found)
        # Before that, the distribution's server says what it finds when it starts.
        lines = lines[next(i for i, line in enumerate(lines) if line.startswith("connect from")):]
        said = b"".join(replies).decode("utf-8", "replace")
        # In the order of the session: the names of the files say nothing of it.
        records = [line for path in sorted(self.messages() - before, key=lambda path: said.find(path.name))
                   for line in self.postcat(path).decode("utf-8", "replace").splitlines()]
        return Account(replies, lines, records)


class Site:
    """`services`: the parameters of each smtpd; `main_cf`: of all."""

    def __init__(self, directory, services, main_cf=None):
        self.directory = directory
        self.services = {name: dict(parameters, syslog_name="postfix/" + name) for name, parameters in services.items()}
        self.main_cf = dict(SAME_FOR_BOTH, **MAIN_CF, **(main_cf or {}))

    def stock(self):
        """Not started yet. Raises NoServer."""
        return Stock(self.services, self.main_cf)

    def ours(self, bin_directory, postcat=None):
        """`postcat`: a function that shows a queue file; without, its bytes are shown."""
        return Ours(bin_directory, self.directory, self, postcat)


class Stock(StockPostfix):
    def _write(self, main_cf):
        super()._write(main_cf)
        with open(self.config / "master.cf", "a", encoding="ascii") as master_cf:
            master_cf.write("tlsmgr unix - - n 1000? 1 tlsmgr\n")
        (self.directory / "mail.log").touch()

    def __enter__(self):
        super().__enter__()
        return Judged(self.ports, lambda: self.log, self.queue, self.postcat)


class Ours(MailSystem):
    def __init__(self, bin_directory, directory, site, postcat):
        settings = {name: value for name, value in {**site.main_cf, **OURS}.items()}
        super().__init__(bin_directory, directory, "".join("%s = %s\n" % item for item in settings.items()))
        self.ports = {name: free_port() for name in site.services}
        self.show = postcat or (lambda path: path.read_bytes())
        self.entries = []
        for name, parameters in site.services.items():
            self.entries.append("127.0.0.1:%d inet n - n - - smtpd\n" % self.ports[name])
            self.entries += ["  -o {%s = %s}\n" % item for item in parameters.items()]
        self.write_master_cf()

    def __enter__(self):
        super().__enter__()
        return Judged(self.ports, self.log, self.queue, self.show)
