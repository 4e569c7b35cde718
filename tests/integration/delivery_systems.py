"""A network with name server and SMTP servers of a test's own, and in it the distribution's Postfix beside our delivery agent,
which both deliver to these servers. REQUIRES: a namespace of its own (namespace.py).

    with Network(ZONE, directory) as network, Stock(network, directory, CASES) as stock:
        theirs = stock.probe(case)
        ours = Ours(network, bin_directory, stock).probe(case)
"""
import os
import re
import shutil
import smtplib
import socket
import time
import zlib

from checks import run
from dns_server import DnsServer
from namespace import mount_over, set_up_loopback
from scripted_smtp import ScriptedSmtp
from server import NoServer, Server
from stock_postfix import DAEMONS, MASTER_CF, QUEUES

DEADLINE = 15
ADDRESSES = ("192.0.2.1", "192.0.2.2", "192.0.2.3")  # Where somebody listens.
SENDER = "ann@example.org"
SMTPD_PORT = 2525
MAIN_CF = {
    "compatibility_level": "3.6", "myhostname": "mail.example.org", "mydestination": "", "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4", "in_flow_delay": "0", "mail_owner": "postfix", "setgid_group": "postdrop", "alias_maps": "",
    "notify_classes": "", "local_recipient_maps": "", "smtp_randomize_addresses": "no", "default_destination_concurrency_limit": "20",
    "header_checks": "regexp:{{/^X-Hold:/ HOLD}}", "smtp_tls_security_level": "", "append_dot_mydomain": "no",
    "strict_7bit_headers": "no", "parent_domain_matches_subdomains": "", "smtp_connection_cache_on_demand": "no",
    "bounce_queue_lifetime": "1h", "default_database_type": "texthash", "remote_header_rewrite_domain": "",
}


class Case:
    """Deliveries of recipients at a nexthop by a service with `options`, while servers say what `scripts` has for each address.
    `recipients` are local parts. The message is submitted by sendmail with `arguments`, or by SMTP with `mail_options`, `messages` times; one is
    delivered after the other."""

    def __init__(self, name, nexthop, scripts=None, options=None, recipients=("bob",), program="smtp", sender=SENDER,
                 content=b"Subject: hello\n\nbody\n", arguments=(), mail_options=None, messages=1):
        self.name, self.nexthop, self.scripts, self.options = name, nexthop, scripts or {}, options or {}
        self.program, self.sender, self.content, self.arguments = program, sender, content, list(arguments)
        self.mail_options, self.messages = mail_options, messages
        self.key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        if len(self.key) > 40:  # It is part of a host name.
            self.key = "%s-%08x" % (self.key[:40], zlib.crc32(name.encode()))
        self.domain = self.key + ".test"
        self.recipients = [each if "@" in each else "%s@%s" % (each, self.domain) for each in recipients]


def settle(line):
    line = re.sub(r"\bdelay=[\d.]+, delays=[\d./]+", "delay=N", line)
    line = re.sub(r"\bmessage size \d+", "message size N", line)
    line = re.sub(r"^(warning: )?[0-9A-F]{8,}\b", r"\1ID", line)
    return line


class Network:
    def __init__(self, zone, directory):
        self.directory = directory
        self.dns = DnsServer(zone, 53)
        self.socket = directory / "lmtp"
        self.servers = {address: ScriptedSmtp(address) for address in ADDRESSES}
        self.servers["lmtp"] = ScriptedSmtp(str(self.socket), None)

    def __enter__(self):
        set_up_loopback(*(address + "/24" for address in ADDRESSES), "192.0.2.9/24")
        resolver = self.directory / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions trust-ad\n")
        mount_over(resolver, os.path.realpath("/etc/resolv.conf"))
        self.dns.__enter__()
        for server in self.servers.values():
            server.__enter__()
        os.chmod(self.socket, 0o777)
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.__exit__()
        self.dns.__exit__()

    def script(self, case):
        for address, server in self.servers.items():
            server.script(case.scripts.get(address, {}))

    def heard(self):
        return {address: lines for address, server in self.servers.items() if (lines := server.take())}


class Account:
    """What the log said, and what the servers heard."""

    def __init__(self, log, heard):
        self.log, self.heard = [settle(line) for line in log], heard

    def without_sizes(self):
        """Of a probe, whose message nobody sees."""
        self.heard = {where: [re.sub(r" SIZE=\d+", " SIZE=N", line) for line in lines] for where, lines in self.heard.items()}
        return self


def settings_of(directory, values):
    return "".join("%s = %s\n" % item for item in dict(MAIN_CF, **values).items())


class Stock:
    """The distribution's Postfix with its queue manager, and a service for each case."""

    def __init__(self, network, directory, cases):
        if not (DAEMONS / "smtp").exists():
            raise NoServer("no smtp of the distribution's Postfix")
        self.network, self.directory = network, directory / "stock"
        self.config, self.queue, data = (self.directory / name for name in ("config", "queue", "data"))
        for path in (self.config, self.queue, data):
            path.mkdir(parents=True)
        for name in QUEUES:
            (self.queue / name).mkdir(mode=0o755)
            if name not in ("pid",):
                shutil.chown(self.queue / name, "postfix")
        shutil.chown(self.queue / "maildrop", "postfix", "postdrop")
        (self.queue / "maildrop").chmod(0o1730)
        shutil.chown(self.queue / "public", "postfix", "postdrop")
        (self.queue / "public").chmod(0o2710)
        shutil.chown(data, "postfix")
        self.values = {"queue_directory": self.queue, "data_directory": data, "maillog_file": self.directory / "mail.log",
                       "maillog_file_prefixes": self.directory, "transport_maps": "texthash:%s/transport" % self.config}
        (self.config / "main.cf").write_text(settings_of(self.directory, self.values))
        (self.config / "transport").write_text("".join("%s %s:%s\n" % (case.domain, case.key, case.nexthop) for case in cases))
        entries = [MASTER_CF, "qmgr unix n - n 300 1 qmgr\nshowq unix n - n - - showq\ntlsmgr unix - - n 1000? 1 tlsmgr\nscache unix - - n - 1 scache\n", "127.0.0.1:%d inet n - n - - smtpd\n" % SMTPD_PORT]
        for case in cases:
            entries.append("%s unix - - n - 1 %s\n  -o syslog_name=postfix\n" % (case.key, case.program))
            entries += ["  -o {%s = %s}\n" % item for item in case.options.items()]
        (self.config / "master.cf").write_text("".join(entries))
        old = time.time() - 3600
        for name in ("main.cf", "master.cf", "transport"):
            os.utime(self.config / name, (old, old))
        self.server = Server("master", [DAEMONS / "master", "-d", "-c", self.config],
                             lambda: (self.queue / "public" / "qmgr").exists(), self.directory / "console")

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop()

    def log(self):
        path = self.directory / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def lines(self, case, start):
        return re.findall(r"^\S+ +\S+ \S+ \S+ postfix/%s\[\d+\]: (.*)$" % case.program, self.log()[start:], re.M)

    def wait(self, case, start):
        deadline = time.monotonic() + DEADLINE
        while True:
            lines = self.lines(case, start)
            if all(any("to=<%s>" % each in line for line in lines) for each in case.recipients):
                return lines
            if time.monotonic() > deadline:
                raise AssertionError("no answer in time; the log:\n" + self.log()[-3000:])
            time.sleep(0.02)

    def submit(self, case, *options, content=b""):
        if case.mail_options is not None:
            with smtplib.SMTP("127.0.0.1", SMTPD_PORT, "client.example", timeout=DEADLINE) as client:
                client.sendmail(case.sender, case.recipients, content, case.mail_options)
            return
        done = run(["/usr/sbin/sendmail", "-C", self.config, *options, "-f", case.sender, *case.arguments, "--", *case.recipients],
                   stdin=content)
        assert done.status == 0, done

    def probe(self, case):
        self.network.script(case)
        start = len(self.log())
        self.submit(case, "-bv")
        return Account(self.wait(case, start), self.network.heard()).without_sizes()

    def hold(self, cases):
        """Puts the messages of all cases, which have X-Hold headers, into hold/, where they are the same for both systems."""
        for case in cases:
            for _ in range(case.messages):
                self.submit(case, content=case.content)
        count = sum(case.messages for case in cases)
        deadline = time.monotonic() + DEADLINE
        directory = self.queue / "hold"
        while len(files := list(directory.iterdir())) < count or not all(os.access(each, os.X_OK) for each in files):
            if time.monotonic() > deadline:
                raise AssertionError("not all messages came; the log:\n" + self.log()[-3000:])
            time.sleep(0.05)
        found = {case.key: [] for case in cases}
        for file in sorted(files, key=lambda file: file.stat().st_mtime):
            content = file.read_bytes()
            for case in cases:
                if b"@%s" % case.domain.encode() in content:
                    found[case.key].append(file)
        return found

    def deliver(self, case, files):
        """Messages that hold() has put there."""
        self.network.script(case)
        lines = []
        for file in files:
            start = len(self.log())
            file.rename(self.queue / "incoming" / file.name)
            with socket.socket(socket.AF_UNIX) as trigger:
                trigger.connect(str(self.queue / "public" / "qmgr"))
                trigger.sendall(b"I")
            lines += self.wait(case, start)
        return Account(lines, self.network.heard())


class Ours:
    """Our delivery agent, in a process for each case."""

    def __init__(self, network, directory, program):
        self.network, self.directory, self.program = network, directory / "ours", program
        self.directory.mkdir()
        self.log = self.directory / "mail.log"
        values = {"queue_directory": self.directory, "maillog_file": self.log, "maillog_file_prefixes": self.directory}
        (self.directory / "main.cf").write_text(settings_of(self.directory, values))

    def probe(self, case):
        recipients = [each.replace('"', "") for each in case.recipients]  # In internal form.
        return self._run(case, "probe", case.sender, "300", *recipients).without_sizes()

    def deliver(self, case, files):
        """Queue files that stay where they are."""
        return self._run(case, "deliver", *files)

    def _run(self, case, mode, *arguments):
        self.network.script(case)
        start = len(self.log.read_text(errors="replace")) if self.log.exists() else 0
        done = run([self.program, mode, self.directory / "main.cf", case.program, case.nexthop, *arguments, "--",
                    *("%s=%s" % item for item in case.options.items())])
        lines = re.findall(r"^\S+ +\S+ \S+ \S+ postfix/%s\[\d+\]: (.*)$" % case.program,
                           self.log.read_text(errors="replace")[start:], re.M)
        return Account(lines + ([str(done)] if done.status != 0 else []), self.network.heard())
