"""smtpd_proxy_filter: the same scripted filter before our mail system and before the distribution's Postfix. What the filter is
told, the replies, the lines of the log, and the queue files of what comes back must be the same.

usage: proxy_filter_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import re
import sys
import time

from filter_server import ScriptedFilter
from queue_records import normal
from server import free_port, run_server_test
from two_systems import TwoSystems, compare_lists, compare_mail

EHLO, MAIL, RCPT, DATA, QUIT = (b"EHLO client.example\r\n",
                                b"MAIL FROM:<ann@example.org> SIZE=100 BODY=8BITMIME RET=FULL ENVID=e\r\n",
                                b"RCPT TO:<bob@example.org> NOTIFY=NEVER ORCPT=rfc822;x\r\n", b"DATA\r\n", b"QUIT\r\n")
TEXT = b"Subject: hello\r\n\r\nbody\r\n..dot\r\n.\r\n"
SESSION = [EHLO, MAIL, RCPT, b"RCPT TO:<carl@example.org>\r\n", DATA, TEXT, b"MAIL FROM:<>\r\n", b"RSET\r\n", QUIT]
REPLIES = {
    "no XFORWARD": {"EHLO": b"250-f\r\n250 8BITMIME\r\n"}, "some of XFORWARD": {"EHLO": b"250-f\r\n250 XFORWARD NAME ADDR\r\n"},
    "no greeting": {"GREETING": b"554 no\r\n"}, "no EHLO": {"EHLO": b"502 no\r\n"},
    "XFORWARD refused": {"XFORWARD": b"501 no\r\n"}, "MAIL refused": {"MAIL": b"550 5.1.0 bad sender\r\n"},
    "MAIL refused for now": {"MAIL": b"451 4.1.0 later\r\n"}, "RCPT refused": {"RCPT": b"550 5.1.1 bad rcpt\r\n"},
    "RCPT refused with 421": {"RCPT": b"421 4.3.2 shutting down\r\n"}, "DATA refused": {"DATA": b"550 5.1.1 bad data\r\n"},
    "content refused": {"END": b"550 5.7.1 spam\r\n"}, "content refused at length": {"END": b"550-5.7.1 spam\r\n550 5.7.1 really\r\n"},
    "content refused for now": {"END": b"451 later\r\n"}, "hangs up at the end": {"END": None}, "hangs up at MAIL": {"MAIL": None},
    "hangs up at RCPT": {"RCPT": None},
    "what cannot be printed": {"END": b"550 5.7.1 a\rb\x01\x7f\tc\r\r\n"}, "UTF-8 and none": {"END": "550 \u00e4".encode() + b"\xff\xc3( b\r\n"},
    "NUL": {"END": b"550-a\0b\r\n550 c\0d\r\n"}, "a recipient refused with what cannot be printed": {"RCPT": b"550 5.1.1 a\rb\x01\r\n"},
    "a question at the end": {"END": b"354 more\r\n"},
}


def told(lines):
    """What the filter was told, until it hung up or was left; how Postfix takes its leave is its own affair."""
    return [re.sub(r"PORT=\d+", "PORT=n", line) for line in lines if line not in ("closed", "QUIT")]


def compare(checks, systems, proxy, name, replies, session=tuple(SESSION), service="proxy", compares_log=True):
    results, heard, contents = [], [], []
    for system in systems.systems:
        proxy.start(replies)
        results.append(system.talk(service, session))
        time.sleep(0.05)
        heard.append(told(proxy.lines))
        contents.append([normal(content.decode("utf-8", "replace")) for content in proxy.contents])
    (said, log, mail), (their_said, their_log, their_mail) = results
    compare_lists(checks, "%s: what the filter is told" % name, heard[0], heard[1])
    compare_lists(checks, "%s: the content it gets" % name, contents[0], contents[1])
    compare_lists(checks, "%s: replies" % name, said, their_said)
    if compares_log:
        compare_lists(checks, "%s: the log" % name, *([re.sub(r"PORT=\d+", "PORT=n", line) for line in lines]
                                                     for lines in (log, their_log)))
    compare_mail(checks, name, mail, their_mail)


def check_through(checks, systems, proxy):
    """The filter gives the mail back to another service: it comes into the queue with the first client's name."""
    for service in ("proxy", "speed"):
        results = []
        for system in systems.systems:
            proxy.start({}, next_port=system.ports["after"])
            results.append(system.talk(service, SESSION, expected_ends=2))
        (said, log, mail), (their_said, their_log, their_mail) = results
        compare_lists(checks, "%s and back: replies" % service, said, their_said)
        compare_lists(checks, "%s and back: the log" % service, sorted(log), sorted(their_log))
        compare_mail(checks, "%s and back" % service, mail, their_mail)
        checks.equal("%s and back: there is a message" % service, len(mail), 1)


def run_checks(checks, bin_directory, directory):
    with ScriptedFilter() as proxy:
        use = {"smtpd_proxy_filter": proxy.endpoint}
        services = {
            "proxy": use, "speed": dict(use, smtpd_proxy_options="speed_adjust"), "inet": {"smtpd_proxy_filter": "inet:" + proxy.endpoint},
            "dead": {"smtpd_proxy_filter": "127.0.0.1:%d" % free_port()}, "ehlo": dict(use, smtpd_proxy_ehlo="me.example"),
            "forward": dict(use, smtpd_authorized_xforward_hosts="127.0.0.1"), "small": dict(use, message_size_limit="100"),
            "prepend": dict(use, smtpd_recipient_restrictions="check_recipient_access inline:{{bob@example.org=PREPEND X-A: b}}, permit"),
            "reject": dict(use, smtpd_recipient_restrictions="check_recipient_access inline:{{bob@example.org=REJECT}}, permit"),
            "slow": dict(use, smtpd_proxy_timeout="1s"), "after": {"smtpd_authorized_xforward_hosts": "127.0.0.1"},
        }
        with TwoSystems(bin_directory, directory, {"notify_classes": ""}, services) as systems:
            for service in ("proxy", "speed", "inet", "dead", "ehlo", "prepend", "reject"):
                compare(checks, systems, proxy, service, {}, service=service)
            for name, replies in REPLIES.items():
                compare(checks, systems, proxy, name, replies)
                if "421" not in name:
                    compare(checks, systems, proxy, name + ", at the end", replies, service="speed")
            chunks = [EHLO, b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<bob@example.org>\r\n", b"BDAT 3\r\nab\n", b"BDAT 4 LAST\r\n.c\r\n", QUIT]
            # What Postfix thinks of pipelining here depends on how the bytes come.
            compare(checks, systems, proxy, "BDAT", {}, chunks, compares_log=False)
            compare(checks, systems, proxy, "BDAT, at the end", {}, chunks, "speed", compares_log=False)
            xforward = b"XFORWARD NAME=spike.example ADDR=192.0.2.3 PORT=99 HELO=h+2Bh PROTO=SMTP SOURCE=LOCAL IDENT=id1\r\n"
            compare(checks, systems, proxy, "forwarded already", {}, [EHLO, xforward] + SESSION[1:], "forward")
            compare(checks, systems, proxy, "what is forwarded, in the queue", {}, [EHLO, xforward] + SESSION[1:6] + [QUIT], "after")
            compare(checks, systems, proxy, "little is forwarded, in the queue", {},
                    [EHLO, b"XFORWARD NAME=[UNAVAILABLE] ADDR=IPv6:2001:db8::1 SOURCE=REMOTE\r\n"] + SESSION[1:6] + SESSION[1:6] + [QUIT],
                    "after")
            # Postfix logs the reply of before.
            compare(checks, systems, proxy, "too large", {},
                    [EHLO, b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<bob@example.org>\r\n", DATA, (b"x" * 90 + b"\r\n") * 2 + b".\r\n", QUIT],
                    "small", compares_log=False)
            compare(checks, systems, proxy, "UTF-8", {}, [EHLO, "MAIL FROM:<ä@b> SMTPUTF8\r\n".encode(), RCPT, DATA, TEXT, QUIT])
            compare(checks, systems, proxy, "a mailbox line, and a long one", {},
                    [EHLO, MAIL, RCPT, DATA, b"From x\r\nSubject: a\r\n\r\n" + b"z" * 3000 + b"\r\n.\r\n", QUIT])
            big = b"Subject: big\r\n\r\n" + b"".join(b"%06d " % number + b"y" * 70 + b"\r\n" for number in range(8000)) + b".\r\n"
            for service in ("proxy", "speed"):
                compare(checks, systems, proxy, "a long message (%s)" % service, {}, [EHLO, MAIL, RCPT, DATA, big, QUIT], service)
            check_through(checks, systems, proxy)


if __name__ == "__main__":
    sys.exit(run_server_test("a before-queue filter", run_checks))
