#!/usr/bin/env python3
"""How a server treats its clients: proxies, limits, refusals, what it changes in commands and replies. Each case is a
session with our smtpd and with the distribution's, with the same settings: both must reply the same and log the same.

usage: smtpd_policing_test.py --bin DIR
"""
import contextlib
import re
import socket
import struct
import sys
import time

from beside_stock import Case, Site, read_reply, start_tls, wrapped
from checks import run, wait_until
from mail_system import MailSystem
from scripted_server import ScriptedServer
from server import ConnectionServer, NoServer, free_port, run_server_test
from stock_postfix import Conversation, StockPostfix

PROXY = {"smtpd_upstream_proxy_protocol": "haproxy", "smtpd_upstream_proxy_timeout": "1s"}
NO_EXCEPTIONS = dict(PROXY, smtpd_client_event_limit_exceptions="")
XCLIENT = {"smtpd_authorized_xclient_hosts": "127.0.0.1"}
XFORWARD = {"smtpd_authorized_xforward_hosts": "127.0.0.1"}


def recipients(**actions):
    return "check_recipient_access inline:{ %s }" % " ".join(
        "{ %s@example.org = %s }" % item for item in actions.items())


SERVICES = {
    "plain": {},
    "proxy": PROXY,
    "proxy_forbids": dict(PROXY, smtpd_forbid_unauth_pipelining="yes"),
    "deny": {"smtpd_delay_reject": "no", "smtpd_client_restrictions": "reject"},
    "deny_softly": {"smtpd_delay_reject": "no", "smtpd_client_restrictions": "reject", "soft_bounce": "yes"},
    "deny_noop": {"smtpd_delay_reject": "no", "smtpd_client_restrictions": "reject", "smtpd_noop_commands": "FROB"},
    "deny_hard": {"smtpd_delay_reject": "no", "smtpd_client_restrictions": "reject", "smtpd_hard_error_limit": "3"},
    "deny_521": {"smtpd_delay_reject": "no",
                 "smtpd_client_restrictions": "check_client_access inline:{ { 127.0.0.1 = 521 go away } }"},
    "deny_xclient": dict(XCLIENT, smtpd_delay_reject="no",
                         smtpd_client_restrictions="check_client_access inline:{ { 192.0.2.1 = REJECT not you } }"),
    "deny_helo": {"smtpd_delay_reject": "no", "smtpd_helo_required": "yes",
                  "smtpd_helo_restrictions": "check_helo_access inline:{ { bad.example = REJECT bad helo } }"},
    "deny_sender": {"smtpd_delay_reject": "no", "smtpd_sender_restrictions": "reject"},
    "count": dict(NO_EXCEPTIONS, smtpd_client_connection_count_limit="2"),
    "rate": dict(NO_EXCEPTIONS, smtpd_client_connection_rate_limit="2"),
    "messages": dict(NO_EXCEPTIONS, smtpd_client_message_rate_limit="1", smtpd_helo_required="yes"),
    "recipients": dict(NO_EXCEPTIONS, smtpd_client_recipient_rate_limit="1", mynetworks="192.0.2.0/24"),
    "exceptions": dict(PROXY, smtpd_client_connection_rate_limit="1", smtpd_client_event_limit_exceptions="192.0.2.1"),
    "xclient_rate": dict(NO_EXCEPTIONS, smtpd_client_connection_rate_limit="1",
                         smtpd_authorized_xclient_hosts="192.0.2.0/24"),
    "footer": {"smtpd_reject_footer": r"\c. Call us ($client_address:$client_port) $server_name\nand $$x ${client_port?{more}}",
               "smtpd_recipient_restrictions": recipients(a="550 5.2.3 no way", b="450 4.2.3 later", c="421 4.7.0 bye")},
    "footer_maps": {"smtpd_reject_footer": "for all", "smtpd_reject_footer_maps":
                    r"regexp:{ {/^450/ later $$$$client_address} {/need MAIL/ \\cx} {/twice/ one\\ntwo} }, fail:no",
                    "smtpd_recipient_restrictions": recipients(a="550 5.2.3 no way", b="450 4.2.3 x", c="550 5.2.3 twice")},
    "footer_bad": {"smtpd_reject_footer": "bad $("},
    "soft": {"soft_bounce": "yes", "smtpd_relay_restrictions": "reject"},
    "filter": {"smtpd_command_filter": "regexp:{ {/^HELO *$$/ HELO x.invalid} {/^FROB *(.*)/ $$1} {/^$$/ NOOP} "
                                       "{/^(RCPT .*)BAR$$/ $$1 NOTIFY=NEVER} }"},
    "filter_fails": {"smtpd_command_filter": "fail:no"},
    "discard": {"smtpd_discard_ehlo_keywords": "chunking,dsn,8bitmime,xforward,xclient,auth,starttls,etrn,vrfy,size,foo"},
    "discard_silently": {"smtpd_discard_ehlo_keywords": "dsn, silent-discard"},
    "discard_some": {"smtpd_discard_ehlo_keywords": "dsn",
                     "smtpd_discard_ehlo_keyword_address_maps": "inline:{ { 127.0.0.1 = etrn pipelining } }"},
    "discard_fails": {"smtpd_discard_ehlo_keyword_address_maps": "fail:no"},
    "etrn": {"fast_flush_domains": "example.org"},
    "no_etrn": {"fast_flush_domains": ""},
    "bare": {"smtpd_forbid_bare_newline": "reject", "smtpd_forbid_bare_newline_exclusions": "192.0.2.1"},
    "bare_spared": {"smtpd_forbid_bare_newline": "reject", "smtpd_forbid_bare_newline_exclusions": "127.0.0.1"},
    "ports": dict(XFORWARD, smtpd_client_port_logging="yes", smtpd_recipient_restrictions=recipients(a="REJECT")),
    "forward": dict(PROXY, mynetworks="0.0.0.0/0, [::]/0", smtpd_authorized_xforward_hosts="192.0.2.0/24"),
    "small": {"message_size_limit": "1000"},
    "errors": {"smtpd_soft_error_limit": "1", "smtpd_hard_error_limit": "3", "smtpd_error_sleep_time": "2s"},
    "deadline": {"smtpd_per_request_deadline": "yes", "smtpd_timeout": "2s", "smtpd_min_data_rate": "10"},
    "local_table": {"local_header_rewrite_clients": "check_address_map inline:{ { 127.0.0.1 = x } }"},
    "local_nothing": {"local_header_rewrite_clients": "permit_tls_clientcerts, inline:{ { 127.0.0.2 = x } }"},
}
SAME = """myhostname = mail.example.org
mydestination = example.org
mynetworks = 127.0.0.0/8
inet_protocols = all
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
smtpd_reject_unlisted_recipient = no
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000000
smtpd_junk_command_limit = 1000000
smtpd_client_connection_count_limit = 0
disable_dns_lookups = yes
smtpd_forbid_unauth_pipelining = no
smtpd_forbid_bare_newline = no
queue_minfree = 0
anvil_rate_time_unit = 600s
"""
STOCK = {"smtpd_forbid_unauth_pipelining": "no", "smtpd_forbid_bare_newline": "no", "anvil_rate_time_unit": "600s"}

EHLO, MAIL, RCPT, QUIT = b"EHLO c.example\r\n", b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<x@example.org>\r\n", b"QUIT\r\n"
MESSAGE = [MAIL, RCPT, b"DATA\r\n", b"Subject: x\r\n\r\nhello\r\n.\r\n"]
FORWARDED = b"XFORWARD NAME=foo.example ADDR=192.0.2.9 PORT=99 PROTO=ESMTP HELO=h IDENT=QQQ SOURCE=%s\r\n"


def rcpt(*names):
    return [EHLO, MAIL] + [b"RCPT TO:<%s@example.org>\r\n" % name.encode() for name in names]


def version_1(client="192.0.2.7", family="TCP4", server="192.0.2.8", ports="1234 25"):
    return ("PROXY %s %s %s %s\r\n" % (family, client, server, ports)).encode()


def version_2(command=0x21, family=0x11, addresses=None):
    if addresses is None:
        addresses = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.8") + struct.pack(">HH", 1234, 25)
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([command, family]) + struct.pack(">H", len(addresses)) + addresses


IPV6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") * 2 + struct.pack(">HH", 1234, 25)
ALL_COMMANDS = [EHLO, MAIL, RCPT, b"DATA\r\n", b"NOOP\r\n", b"VRFY a\r\n", b"ETRN example.org\r\n", b"RSET\r\n",
                b"HELP\r\n", b"\r\n", b"XFORWARD NAME=a\r\n", b"XCLIENT NAME=a\r\n", b"STARTTLS\r\n", b"AUTH PLAIN\r\n",
                b"HELO c\r\n", b"HELO\r\n", QUIT]

# Name, service, what is sent before the greeting, and then line by line.
CASES = [
    ("PROXY version 1", "proxy", version_1(), [EHLO, QUIT]),
    ("PROXY version 1, IPv6", "proxy", version_1("2001:db8::7", "TCP6", "2001:db8::8"), [EHLO, QUIT]),
    ("PROXY version 1, more behind it", "proxy", version_1(ports="99 25 more"), [QUIT]),
    ("PROXY version 1, a bare newline", "proxy", b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\n", [QUIT]),
    ("PROXY version 1, no port", "proxy", version_1(ports="1234"), [QUIT]),
    ("PROXY version 1, a bad port", "proxy", version_1(ports="99999 25"), [QUIT]),
    ("PROXY version 1, a bad address", "proxy", version_1("256.0.2.7"), [QUIT]),
    ("PROXY version 1, an address of the other family", "proxy", version_1(family="TCP6"), [QUIT]),
    ("PROXY version 1, endless", "proxy", b"PROXY TCP4 1.2.3.4 " + b"x" * 517, []),
    ("PROXY version 2", "proxy", version_2(), [EHLO, QUIT]),
    ("PROXY version 2, IPv6", "proxy", version_2(family=0x21, addresses=IPV6), [EHLO, QUIT]),
    ("PROXY version 2, of the proxy itself", "proxy", version_2(command=0x20), [EHLO, QUIT]),
    ("PROXY version 2, a bad command", "proxy", version_2(command=0x22), [QUIT]),
    ("PROXY version 2, another version", "proxy", version_2(command=0x11), [QUIT]),
    ("PROXY version 2, another family", "proxy", version_2(family=0x31), [QUIT]),
    ("PROXY version 2, no addresses", "proxy", version_2(addresses=b"abc"), [QUIT]),
    ("PROXY, nothing", "proxy", b"", [QUIT]),
    ("PROXY, and a command ahead of the greeting", "proxy", version_1() + EHLO, [QUIT]),
    ("PROXY, and a command ahead of the greeting, forbidden", "proxy_forbids", version_1() + EHLO, [QUIT]),
    ("improper pipelining is logged", "plain", b"", [EHLO + MAIL, QUIT]),
    ("refused at connect", "deny", b"", ALL_COMMANDS),
    ("refused at connect, softly", "deny_softly", b"", [EHLO, b"GET / HTTP\r\n"]),
    ("refused at connect, no-ops", "deny_noop", b"", [b"FROB\r\n", b"EHLO \xff\r\n", b"X-Y: z\r\n"]),
    ("refused at connect, many errors", "deny_hard", b"", [EHLO, MAIL, b"NOOP\r\n"]),
    ("refused at connect, pipelined", "deny", b"", [MAIL + RCPT + b"DATA\r\n", QUIT]),
    ("refused at connect with 521", "deny_521", b"", [QUIT]),
    ("refused at XCLIENT", "deny_xclient", b"", [EHLO, b"XCLIENT ADDR=192.0.2.1\r\n", EHLO, b"XCLIENT ADDR=192.0.2.9\r\n", QUIT]),
    ("refused at HELO", "deny_helo", b"", [b"EHLO bad.example\r\n", MAIL, b"HELO good.example\r\n", MAIL,
                                          b"EHLO bad.example\r\n", MAIL, RCPT, QUIT]),
    ("a refused HELO is forgotten", "deny_helo", b"", [b"HELO good.example\r\n", b"EHLO bad.example\r\n"] + MESSAGE + [QUIT]),
    ("refused at MAIL", "deny_sender", b"", [EHLO, MAIL, RCPT, MAIL, QUIT]),
    ("first connection in a time unit", "rate", version_1(), [QUIT]),
    ("second connection in a time unit", "rate", version_1(), [QUIT]),
    ("third connection in a time unit", "rate", version_1(), [QUIT]),
    ("another client in that time unit", "rate", version_1("192.0.2.9"), [QUIT]),
    ("rate of messages", "messages", version_1(), [MAIL, EHLO, b"MAIL\r\n", MAIL, MAIL, b"RSET\r\n", b"MAIL FROM:\r\n",
                                                  b"MAIL FROM:<a@b> FOO=\r\n", MAIL, QUIT]),
    ("rate of recipients", "recipients", version_1(), [RCPT, EHLO, MAIL, b"RCPT\r\n", RCPT, RCPT, b"RCPT TO:<>\r\n", QUIT]),
    ("one that is limited", "exceptions", version_1(), [QUIT]),
    ("one that is limited, again", "exceptions", version_1(), [QUIT]),
    ("an exception", "exceptions", version_1("192.0.2.1"), [QUIT]),
    ("an exception, again", "exceptions", version_1("192.0.2.1"), [QUIT]),
    ("one that may use XCLIENT", "xclient_rate", version_1(), [QUIT]),
    ("one that may use XCLIENT, again", "xclient_rate", version_1(), [QUIT]),
    ("a footer", "footer", b"", rcpt("a", "b") + [b"FOO\r\n", b"HELO\r\n", b"RCPT TO:<c@example.org>\r\n"]),
    ("footers of tables", "footer_maps", b"", [RCPT] + rcpt("b", "c") + [QUIT]),
    ("a footer table that fails", "footer_maps", b"", rcpt("a") + [QUIT]),
    ("a bad footer", "footer_bad", b"", [b"FOO\r\n", QUIT]),
    ("soft_bounce", "soft", b"", [EHLO, MAIL, RCPT, b"FOO\r\n", b"BDAT x\r\n"]),
    ("a command filter", "filter", b"", [b"HELO  \r\n", b"\r\n", b"FROB NOOP\r\n", b"FROB\r\n", b"FROB FROB NOOP\r\n", MAIL,
                                        b"RCPT TO:<x@example.org>BAR\r\n", b"frob \"\\\r\n", QUIT]),
    ("a command filter that fails", "filter_fails", b"", [EHLO]),
    ("EHLO keywords are discarded", "discard", b"", [EHLO, EHLO, b"ETRN example.org\r\n", b"MAIL FROM:<a@b> RET=HDRS\r\n", QUIT]),
    ("EHLO keywords are discarded silently", "discard_silently", b"", [EHLO, QUIT]),
    ("EHLO keywords are discarded for a client", "discard_some", b"", [EHLO, QUIT]),
    ("EHLO keywords cannot be told", "discard_fails", b"", [EHLO]),
    ("ETRN without the service", "no_etrn", b"", [b"ETRN example.org\r\n", b"ETRN @sub.example.org\r\n", MAIL, b"ETRN x.y\r\n", QUIT]),
    ("a bare newline", "bare", b"", [b"EHLO c\n"]),
    ("a bare newline after MAIL", "bare", b"", [MAIL, b"RCPT TO:<x@example.org>\n"]),
    ("a bare newline in a message", "bare", b"", [EHLO, MAIL, RCPT, b"DATA\r\n", b"Subject: x\n\r\n.\r\n", QUIT]),
    ("a bare newline in a chunk", "bare", b"", [EHLO, MAIL, RCPT, b"BDAT 15\r\nSubject: x\nabc\n", b"BDAT 1 LAST\r\na", QUIT]),
    ("a bare newline of one that is spared", "bare_spared", b"", [b"EHLO c\n", QUIT]),
    ("ports in the log", "ports", b"", rcpt("a", "x") + [b"FOO\r\n"]),
    ("ports of a forwarded client", "ports", b"", [EHLO, FORWARDED % b"LOCAL"] + MESSAGE + MESSAGE + [QUIT]),
    ("an IPv6 client's message", "forward", version_1("2001:db8::7", "TCP6", "2001:db8::8"), [EHLO] + MESSAGE + [QUIT]),
    ("a message without HELO", "plain", b"", MESSAGE + [QUIT]),
    ("a forwarded client", "forward", version_1(), [EHLO, FORWARDED % b"REMOTE"] + MESSAGE + [QUIT]),
    ("a forwarded client of the site", "forward", version_1(), [EHLO, FORWARDED % b"LOCAL"] + MESSAGE + [QUIT]),
    ("a forwarded client, not all known", "forward", version_1(),
     [EHLO, b"XFORWARD NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::5\r\n"] + MESSAGE + [QUIT]),
    ("a forwarded client without an address", "forward", version_1(), [EHLO, b"XFORWARD HELO=b\r\n"] + MESSAGE + [QUIT]),
    ("a forwarded client's name", "forward", version_1(), [EHLO, b"XFORWARD NAME=b\r\n"] + MESSAGE + [QUIT]),
    ("a forwarded queue ID", "forward", version_1(), [EHLO, b"XFORWARD IDENT=AAA\r\n"] + MESSAGE + [QUIT]),
    ("a forwarded client is forgotten at EHLO", "forward", version_1(), [FORWARDED % b"LOCAL", EHLO] + MESSAGE + [QUIT]),
    ("a forwarded client is forgotten at RSET", "forward", version_1(), [EHLO, FORWARDED % b"LOCAL", b"RSET\r\n"] + MESSAGE + [QUIT]),
    ("a local client by a table", "local_table", b"", [EHLO] + MESSAGE + [QUIT]),
    ("no local client", "local_nothing", b"", [EHLO] + MESSAGE + [QUIT]),
    ("addresses with errors", "plain", b"", [EHLO, b"MAIL FROM:<a b@c>\r\n", b"MAIL FROM:<a\r\n", b"MAIL FROM:\r\n", MAIL,
                                            b"RCPT TO:<>\r\n", b"RCPT TO:<\"a b\"@c d>\r\n", QUIT]),
    ("chunks with errors", "plain", b"", [EHLO, MAIL, b"BDAT 0\r\n", b"RSET\r\n", b"BDAT 1 FOO\r\n"]),
    ("a large chunk", "small", b"", [EHLO, MAIL, RCPT, b"BDAT 2000\r\n" + b"x" * 2000, QUIT]),
    ("a large message", "small", b"", [EHLO, MAIL, RCPT, b"DATA\r\n", (b"x" * 900 + b"\r\n") * 2 + b".\r\n", QUIT]),
    ("many errors", "errors", b"", [b"A\r\n", b"B\r\n", b"C\r\n", b"D\r\n"]),
]


class Ours:
    """Our mail system, as StockPostfix is used."""

    def __init__(self, bin_directory, directory):
        directory.mkdir()
        directory.chmod(0o755)
        self.system = MailSystem(bin_directory, directory, SAME + "anvil_status_update_time = 600s\n")
        self.ports = {service: free_port() for service in SERVICES}
        self.system.entries = []
        for name, parameters in SERVICES.items():
            self.system.entries.append("127.0.0.1:%d inet n - n - - smtpd\n" % self.ports[name])
            self.system.entries += ["  -o {%s = %s}\n" % item for item in parameters.items()]
        self.system.write_master_cf()
        self.queue = self.system.queue

    def __enter__(self):
        self.system.__enter__()
        return self

    def __exit__(self, *_):
        self.system.__exit__()

    @property
    def log(self):
        return self.system.log()

    def port(self, name):
        return self.ports[name]


def smtpd_lines(text, program="smtpd"):
    return [line.split("]: ", 1)[1] for line in text.splitlines() if "/%s[" % program in line and "]: " in line]


def wait_for_log(server, start, is_enough):
    """The lines of smtpd behind `start`, as soon as they are enough."""
    wait_until(lambda: is_enough(smtpd_lines(server.log[start:])))
    return smtpd_lines(server.log[start:])


def normal(text, server):
    """Without what differs between two runs."""
    for port in server.ports.values():
        text = text.replace("127.0.0.1:%d" % port, "SERVICE")
    text = re.sub(r"\b[0-9A-F]{10,}\b", "ID", text)
    text = re.sub(r"(127\.0\.0\.1\]?):\d+", r"\1:PORT", text)
    text = re.sub(r"(_port=(?!99|1234|25\b|unknown))\d+", r"\1PORT", text)
    return re.sub(r"\d\d:\d\d:\d\d", "TIME", text)


def talk(server, service, early, lines):
    start = len(server.log)
    with Conversation(server.port(service), 20) as conversation:
        if early:
            conversation.socket.sendall(early)
        replies = [conversation.reply()] + [conversation.ask(line) for line in lines]
        replies.append(conversation.rest())
    log = wait_for_log(server, start, lambda found: any(line.startswith("disconnect from") for line in found))
    return [normal(reply.decode("latin-1"), server) for reply in replies], [normal(line, server) for line in log]


def envelopes(server, postcat):
    """What postcat says of the envelopes of complete messages in the queue, in the order of arrival."""
    files = sorted((file for file in (server.queue / "incoming").iterdir() if file.stat().st_mode & 0o100),
                   key=lambda file: file.stat().st_mtime_ns)
    texts = [normal(postcat(file).decode("latin-1"), server).split("*** MESSAGE CONTENTS")[0] for file in files]
    for text, file in zip(texts, files):
        file.unlink()
    return ["\n".join(line for line in text.splitlines() if "=" in line and "time" not in line) for text in texts]


def check_count(checks, server, name):
    """Two connections at a time, and a third."""
    start = len(server.log)
    with contextlib.ExitStack() as stack:
        open_ones = [stack.enter_context(Conversation(server.port("count"))) for _ in range(3)]
        greetings = []
        for each in open_ones:
            each.socket.sendall(version_1())
            greetings.append(each.reply())
        checks.equal("%s: one connection too many at a time" % name, greetings,
                     [b"220 mail.example.org ESMTP Postfix\r\n"] * 2 +
                     [b"421 4.7.0 mail.example.org Error: too many connections from 192.0.2.7\r\n"])
        open_ones[0].ask(QUIT)
        log = wait_for_log(server, start, lambda found: sum("disconnect" in line for line in found) == 2)
        checks.check("%s: the log warns of it" % name, "warning: Connection concurrency limit exceeded: 3 from "
                     "unknown[192.0.2.7] for service SERVICE" in [normal(line, server) for line in log], log)
        with Conversation(server.port("count")) as again:
            again.socket.sendall(version_1())
            checks.equal("%s: room again" % name, again.reply()[:3], b"220")


def check_deadline(checks, server, name):
    """A client that sends byte after byte, for over ten seconds if it is let."""
    start = len(server.log)
    with Conversation(server.port("deadline")) as slow:
        slow.reply()
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            for byte in EHLO * 3:
                slow.socket.sendall(bytes([byte]))
                time.sleep(0.25)
        checks.check("%s: a slow command is ended" % name, 1.5 < time.monotonic() - begin < 10, time.monotonic() - begin)
    with Conversation(server.port("deadline")) as steady:
        steady.reply()
        for line in [EHLO, MAIL, RCPT, b"DATA\r\n"]:
            reply = steady.ask(line)
        for _ in range(12):
            steady.socket.sendall(b"xxxxxxx\r\n")
            time.sleep(0.25)
        checks.equal("%s: content that comes fast enough may take its time" % name, (reply[:3], steady.ask(b".\r\n")[:3]),
                     (b"354", b"250"))
        steady.ask(QUIT)
    log = wait_for_log(server, start, lambda found: sum("disconnect" in line for line in found) == 2)
    checks.check("%s: the log tells of the timeout" % name, any(line.startswith("timeout after ") for line in log), log)


def check_stress(checks, bin_directory, directory):
    """The session that takes the last place, and those after it, are under stress."""
    directory.mkdir()
    directory.chmod(0o755)
    system = MailSystem(bin_directory, directory, SAME + "smtpd_banner = $myhostname ${stress?{busy}:{idle}}\n")
    system.entries = ["0.0.0.0:%d inet n - n - 2 smtpd\n" % system.port]
    system.write_master_cf()
    with system, contextlib.ExitStack() as stack:
        greetings = []
        for _ in range(2):
            last = stack.enter_context(Conversation(system.port))
            greetings.append(last.reply())
        last.ask(QUIT)
        greetings.append(stack.enter_context(Conversation(system.port)).reply())
        checks.equal("settings under stress", greetings,
                     [b"220 mail.example.org %s\r\n" % word for word in (b"idle", b"busy", b"busy")])
        checks.check("the log tells of the stress", system.wait_for(
            lambda: 'warning: service "0.0.0.0:%d" ([0.0.0.0]:%d) has reached its process limit "2": new clients may '
                    "experience noticeable delays" % (system.port, system.port) in system.log()), system.log)


class RefusingDovecot(ConnectionServer):
    """Refuses whoever asks, in the words of Dovecot's authentication protocol."""

    def serve(self, connection):
        with connection.makefile("rb") as lines:
            connection.sendall(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\taaaa\nDONE\n")
            for line in lines:
                if line.startswith(b"AUTH"):
                    connection.sendall(b"FAIL\t%s\tuser=x\n" % line.split(b"\t")[1])


def check_tls_and_auth(checks, bin_directory, directory):
    """The limits of new TLS sessions and of AUTH commands, with both servers."""
    directory.mkdir()
    directory.chmod(0o755)
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", "/CN=mail.example.org"])
    tls = {"smtpd_tls_security_level": "may", "smtpd_tls_cert_file": certificate, "smtpd_tls_key_file": key,
           "smtpd_client_event_limit_exceptions": "", "smtpd_client_new_tls_session_rate_limit": "1"}
    with RefusingDovecot() as dovecot:
        site = Site(directory, {
            "tls": tls, "wrapped": dict(tls, smtpd_tls_wrappermode="yes"),
            "auth": {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot",
                     "smtpd_sasl_path": "inet:127.0.0.1:%d" % dovecot.port,
                     "smtpd_client_event_limit_exceptions": "", "smtpd_client_auth_rate_limit": "2"}})
        starttls = [EHLO] + start_tls() + [EHLO, QUIT]
        refused = [EHLO] + start_tls() + [lambda session: session.reply()]
        cases = [("a new TLS session", "tls", starttls, False), ("one TLS session too many", "tls", refused, False),
                 ("TLS is refused", "tls", [EHLO, b"STARTTLS\r\n", QUIT], False),
                 ("a new wrapped session", "wrapped", [EHLO, QUIT], True),
                 ("one wrapped session too many", "wrapped", [], True), ("a wrapped session is refused", "wrapped", [], True),
                 ("AUTH", "auth", [EHLO, b"AUTH\r\n", b"AUTH FOO\r\n", b"AUTH PLAIN AGEAYg==\r\n", b"AUTH PLAIN\r\n", QUIT], False)]
        with site.ours(bin_directory) as ours, site.stock() as stock:
            for name, service, script, is_wrapped in cases:
                our, their = [server.account(Case(name, service, script, wrapped() if is_wrapped else [read_reply]))
                              for server in (ours, stock)]
                checks.equal("%s: replies" % name, our.replies, their.replies)
                logs = [[re.sub(r"127\.0\.0\.1:\d+$", "SERVICE", line) for line in each.log if "rate" in line or
                         "Refusing" in line or "disconnect" in line] for each in (our, their)]
                checks.equal("%s: the log" % name, *logs)


def check_policy_connections(checks, bin_directory, directory):
    """A message that is done with lets its connection to the policy server go."""
    directory.mkdir()
    directory.chmod(0o755)
    with ScriptedServer(None, lambda request: b"action=DUNNO\n\n") as server:
        system = MailSystem(bin_directory, directory, SAME.replace(
            "smtpd_recipient_restrictions =", "smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:%d" % server.port))
        with system, Conversation(system.port) as one, Conversation(system.port) as two:
            for each in (one, two):
                each.reply()
            for line in [EHLO] + MESSAGE:
                reply = one.ask(line)
            for line in [EHLO, MAIL, RCPT]:
                two.ask(line)
            checks.equal("the next message has the connection to the policy server", (reply[:3], server.connections), (b"250", 1))
            for line in [MAIL, RCPT]:
                one.ask(line)
            checks.equal("a message at the same time has its own", server.connections, 2)


def check_statistics(checks, ours, system):
    """anvil's lines come at the end."""
    system.postfix("stop")
    lines = [normal(line, ours) for line in smtpd_lines(system.log(), "anvil")]
    wanted = [r"statistics: max connection rate 4/600s for \(SERVICE:192\.0\.2\.7\) at \w{3} [ \d]\d TIME",
              r"statistics: max connection count 3 for \(SERVICE:192\.0\.2\.7\) at \w{3} [ \d]\d TIME",
              r"statistics: max message rate 3/600s for \(SERVICE:192\.0\.2\.7\) at \w{3} [ \d]\d TIME",
              r"statistics: max recipient rate 3/600s for \(SERVICE:192\.0\.2\.7\) at \w{3} [ \d]\d TIME",
              r"statistics: max cache size \d+ at \w{3} [ \d]\d TIME"]
    checks.check("anvil's statistics", len(lines) == len(wanted) and all(map(re.fullmatch, wanted, lines)), lines)


def check_alone(checks, ours):
    """What the distribution's Postfix does not have, or cannot do here."""
    with Conversation(ours.port("etrn")) as client:
        client.reply()
        checks.equal("ETRN with the service", client.ask(b"ETRN example.org\r\n"), b"458 Unable to queue messages\r\n")
        checks.equal("ETRN of another domain", client.ask(b"ETRN other.example\r\n"),
                     b"459 <other.example>: service unavailable\r\n")


def run_checks(checks, bin_directory, directory):
    try:
        stock = StockPostfix(SERVICES, STOCK, need=("master", "smtpd", "cleanup", "anvil"))
    except NoServer as reason:
        checks.skip("the distribution's Postfix", str(reason))
        return
    with stock, Ours(bin_directory, directory / "ours") as ours:
        for name, service, early, lines in CASES:
            begin = time.monotonic()
            replies, log = talk(ours, service, early, lines)
            between = time.monotonic()
            their_replies, their_log = talk(stock, service, early, lines)
            if service == "errors":
                took = between - begin, time.monotonic() - between
                checks.check("%s: three delays of two seconds" % name, all(5.5 < each < 7.5 for each in took), took)
            for line, our, their in zip(["the greeting"] + lines + ["the rest"], replies, their_replies):
                checks.equal("%s: %s" % (name, line), our, their)
            checks.equal("%s: the log" % name, log, their_log)
            checks.equal("%s: the envelope" % name, envelopes(ours, stock.postcat), envelopes(stock, stock.postcat))
        for server, name in ((ours, "ours"), (stock, "the distribution's")):
            check_count(checks, server, name)
            check_deadline(checks, server, name)
        check_alone(checks, ours)
        check_statistics(checks, ours, ours.system)
    check_tls_and_auth(checks, bin_directory, directory / "tls")
    check_policy_connections(checks, bin_directory, directory / "policy")
    check_stress(checks, bin_directory, directory / "stress")


if __name__ == "__main__":
    sys.exit(run_server_test("a server's rules for clients", run_checks))
