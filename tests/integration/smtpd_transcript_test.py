#!/usr/bin/env python3
"""What the postmaster is told of sessions in which something went wrong (notify_classes): the same sessions with our mail
system and with the distribution's Postfix. Replies, log and the queue files of transcripts must be the same.

usage: smtpd_transcript_test.py --bin DIR
"""
import contextlib
import re
import shutil
import sys
import time

from beside_stock import Case, Site, close, compare, read_reply, rest, send, start_tls, wait, wrapped
from filter_server import ScriptedFilter
from milter_server import REJECT, SHUTDOWN, TEMPFAIL, ScriptedMilter, reply_code
from sasl_backends import PASSWORD, make_sasldb
from server import NoServer, free_port, run_server_test
from smtpd_auth_test import SMTPD_CONF, login, plain
from smtpd_tls_test import make_certificates
from two_systems import TwoSystems, compare_lists, compare_mail

UNCOMPARED = re.compile(r"warning: |^postfix/cleanup: |discarding EHLO keywords")
CLASSES = ("bounce", "2bounce", "data", "delay", "policy", "protocol", "resource", "software")
ALL = {"notify_classes": ", ".join(CLASSES)}
MAIN_CF = {"error_notice_recipient": "error@example.org", "bounce_notice_recipient": "bounce@example.org",
           "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination", "mynetworks": "192.0.2.1",
           "smtpd_forbid_unauth_pipelining": "no"}
HELO, EHLO, MAIL, RCPT = (b"HELO c.example\r\n", b"EHLO c.example\r\n", b"MAIL FROM:<ann@example.org>\r\n",
                          b"RCPT TO:<bob@example.org>\r\n")
DATA, TEXT, RSET, QUIT, FOO = b"DATA\r\n", b"Subject: x\r\n\r\nhello\r\n.\r\n", b"RSET\r\n", b"QUIT\r\n", b"FOO\r\n"
OUTSIDE = b"RCPT TO:<x@elsewhere.test>\r\n"
GOOD = [MAIL, RCPT, DATA, TEXT]
CHUNK = b"BDAT 10 LAST\r\nSubject: x"
BIG = (b"x" * 78 + b"\r\n") * 60 + b".\r\n"

# One word of each kind, so that each reply is in some session; what is asked is which classes it belongs to.
RECIPIENTS = ("check_recipient_access inline:{ {a@example.org = 450 4.2.1 later}, {b@example.org = 550 5.1.1 no},"
              " {c@example.org = 521 5.7.1 bye}, {d@example.org = 421 4.7.1 bye}, {e@example.org = DEFER}, {f@example.org = DISCARD},"
              " {g@example.org = WARN well}, {h@example.org = DEFER_IF_PERMIT}, {i@example.org = REJECT \u00fc\u00fc},"
              " {j@example.org = REJECT %s}, {k@example.org = HOLD} }" % ("aaa bbb " * 15).strip())
SERVICES = {
    "plain": {"smtpd_recipient_restrictions": RECIPIENTS}, "soft": {"soft_bounce": "yes", "message_size_limit": "3000"},
    "errors": {"smtpd_hard_error_limit": "2"}, "junk": {"smtpd_junk_command_limit": "1", "smtpd_hard_error_limit": "2"},
    "table": {"smtpd_recipient_restrictions": "check_recipient_access fail:x"},
    "list": {"mynetworks": "fail:x"},
    "denied": {"smtpd_client_restrictions": "reject", "smtpd_delay_reject": "no"},
    "denied-data": {"smtpd_client_restrictions": "permit_mynetworks", "smtpd_delay_reject": "no", "mynetworks": "fail:x"},
    "denied-421": {"smtpd_client_restrictions": "check_client_access inline:{ {127.0.0.1 = 421 4.7.1 no} }", "smtpd_delay_reject": "no"},
    "small": {"message_size_limit": "3000"}, "helo": {"smtpd_helo_required": "yes"},
    "pipelining": {"smtpd_forbid_unauth_pipelining": "yes"}, "bare": {"smtpd_forbid_bare_newline": "reject"},
    "recipients": {"smtpd_recipient_limit": "1", "smtpd_recipient_overshoot_limit": "1"},
    "vrfy": {"disable_vrfy_command": "yes"}, "etrn": {"smtpd_etrn_restrictions": "reject", "smtpd_delay_reject": "no"},
    "end": {"smtpd_end_of_data_restrictions": "reject"}, "data": {"smtpd_data_restrictions": "reject"},
    "policy": {"smtpd_recipient_restrictions": "check_policy_service unix:none", "smtpd_policy_service_try_limit": "1"},
    "strict": {"strict_rfc821_envelopes": "yes", "strict_smtputf8": "yes"},
    "discard": {"smtpd_discard_ehlo_keywords": "dsn, chunking, smtputf8"},
    "xclient": {"smtpd_authorized_xclient_hosts": "127.0.0.1"}, "xforward": {"smtpd_authorized_xforward_hosts": "127.0.0.1"},
    "verp": {"smtpd_authorized_verp_clients": "127.0.0.1"},
    "footer": {"smtpd_reject_footer": r"\c Call $client_address.\nAnother line"},
    "forbidden": {"smtpd_forbidden_commands": "FOO"},
    "filter": {"smtpd_command_filter": "regexp:{ {/^BAR/ FOO bar} {/^FOO/ NOOP} }"},
    "filter-fails": {"smtpd_command_filter": "fail:x"}, "keywords-fail": {"smtpd_discard_ehlo_keyword_address_maps": "fail:x"},
    "local-names": {"error_notice_recipient": "err", "bounce_notice_recipient": "bnc", "message_size_limit": "3000"},
    "odd-names": {"error_notice_recipient": "bob, carl"},
    "obsolete": {"header_from_format": "obsolete"}, "no-utf8": {"smtputf8_enable": "no"},
    "ports": {"smtpd_client_port_logging": "yes"},
    "checks": {"header_checks": "regexp:{checks}", "hopcount_limit": "3", "message_reject_characters": r"\1"},
    "loop": {"virtual_alias_maps": "inline:{ {bob@example.org = c@example.org}, {c@example.org = bob@example.org} }",
             "virtual_alias_recursion_limit": "2"},
    "rates": {"smtpd_client_message_rate_limit": "1", "smtpd_client_event_limit_exceptions": ""},
    "rates-of-recipients": {"smtpd_client_recipient_rate_limit": "1", "smtpd_client_event_limit_exceptions": ""},
    "lines": {"line_length_limit": "512"},
}
# Only some classes: of an error that belongs to another one nothing is told.
for each in CLASSES:
    SERVICES["only-" + each] = {"notify_classes": each, "message_size_limit": "3000", "smtpd_recipient_restrictions": RECIPIENTS}
SERVICES["only-none"] = {"notify_classes": ""}
DATA_AND = {"smtpd_client_restrictions": "permit_mynetworks", "smtpd_delay_reject": "no", "mynetworks": "fail:x"}
SERVICES["only-data-denied"] = dict(DATA_AND, notify_classes="data")
SERVICES["only-policy-denied"] = dict(DATA_AND, notify_classes="policy")


def mail(parameters):
    return b"MAIL FROM:<ann@example.org> " + parameters + b"\r\n"


def rcpt(name, parameters=b""):
    return b"RCPT TO:<" + name.encode() + b"@example.org>" + (b" " + parameters if parameters else b"") + b"\r\n"


def utf8(text):
    return text.encode()


# Service, and sessions with it, each with its classes where that is what it is about.
SESSIONS = {
    "plain": [
        [EHLO, *GOOD, QUIT], [EHLO], [],
        *([HELO, MAIL, rcpt(name), QUIT] for name in "abcdefghijk"),
        [HELO, MAIL, OUTSIDE, QUIT], [EHLO, MAIL, OUTSIDE, RCPT, DATA, TEXT, QUIT], [HELO, FOO, b"VRFY x@elsewhere.test\r\n", QUIT],
        [HELO, MAIL, rcpt("a"), RSET, *GOOD, FOO, QUIT], [HELO, *GOOD, MAIL, rcpt("b"), QUIT], [HELO, FOO, *GOOD],
        [EHLO, FOO, MAIL, RCPT, CHUNK, QUIT], [EHLO, MAIL, RCPT, b"BDAT 5\r\nX: y\n", FOO, b"BDAT 3 LAST\r\na\r\n", FOO, QUIT],
        [HELO, FOO, MAIL, rcpt("f"), DATA, TEXT, QUIT], [HELO, FOO], [HELO, FOO, MAIL], [HELO, MAIL, RCPT, rcpt("b"), DATA],
        # Syntax and order.
        [b"\r\n", b"   \r\n", b"   FOO\r\n", QUIT], [b"FOO \xff\r\n", utf8("FOO \u00fc\r\n"), QUIT], [b"FOO \x01\x7f\t\\x\r\n", QUIT],
        [b"FOO a\0b\r\n", b"FOO a\rb\r\n", QUIT], [b"GET / HTTP/1.1\r\n"], [FOO, b"Subject: x\r\n"], [b".\r\n"], [b"From x\r\n", QUIT],
        *([line, QUIT] for line in (
            b"HELO\r\n", b"EHLO\r\n", b"RSET foo\r\n", b"NOOP foo\r\n", b"HELP\r\n", b"QUIT foo\r\n", b"VRFY\r\n", b"VRFY <a b\r\n",
            b"VRFY x@elsewhere.test\r\n", b"STARTTLS\r\n", b"AUTH PLAIN x\r\n", b"XFORWARD\r\n", b"XFORWARD NAME=x\r\n", b"XCLIENT NAME=x\r\n", b"ETRN x.y\r\n", b"ETRN\r\n",
            b"ETRN ..\r\n", DATA, RCPT, b"BDAT 1\r\nx", b"BDAT foo\r\n", b"DATA foo\r\n", b"MAIL\r\n", b"MAIL FROM:<a b@c>\r\n",
            b"MAIL FROM:<a\r\n", mail(b"FOO=x"), mail(b"SIZE=x"), mail(b"SIZE=99999999999"), mail(b"SIZE=99999999999999999999999"),
            mail(b"RET=x"), mail(b"ENVID=+x"), mail(b"ENVID=a ENVID=b"), mail(b"BODY=x"), mail(b"XVERP"), utf8("MAIL FROM:<\u00fc@x>\r\n"))),
        *([MAIL, line, QUIT] for line in (
            MAIL, DATA, b"BDAT 1\r\nx", b"RCPT\r\n", b"RCPT TO:<>\r\n", rcpt("bob", b"FOO"), rcpt("bob", b"NOTIFY=x"),
            rcpt("bob", b"ORCPT=x"), utf8("RCPT TO:<\u00fc@x>\r\n"), b"ETRN example.org\r\n", b"XFORWARD NAME=x\r\n")),
        *([EHLO, MAIL, RCPT, line, QUIT] for line in (b"BDAT 0\r\n", b"DATA foo\r\n", b"BDAT foo\r\n")),
        [EHLO, MAIL, RCPT, b"BDAT 0\r\n", b"BDAT 5\r\nX: y\n", QUIT],
        *([EHLO, MAIL, RCPT, b"BDAT 5\r\nX: y\n", line, QUIT] for line in (RCPT, MAIL, DATA)),
        [RCPT, DATA, MAIL, DATA, MAIL, QUIT], [EHLO + MAIL, QUIT],
        # How it is shown.
        [b"FOO " + b"abc " * 40 + b"\r\n", QUIT], [b"FOO " + b"x" * 3000 + b"\r\n", QUIT], [b"FOO " + b"x" * 1500 + b"\r\n", QUIT],
        [b"FOO " + b"a" * 70 + b" " + b"b" * 68 + b" " + b"c" * 69 + b" " + b"d" * 70 + b" e\r\n",
         b"FOO " + b"a b" * 10 + b" " * 90 + b"x\r\n", b"FOO a\tb" + b"\tb" * 60 + b"\r\n", QUIT],
        [b"F" + b"a" * size + b" b\r\n" for size in range(68, 76)] + [b"F" + b"a" * size + b"\r\n" for size in range(70, 76)] + [QUIT],
        [b"Fa" + b"bc " * 20 + b"b" * head + b" " + b"x" * tail + b"   \r\n" for head in (0, 5, 9) for tail in (60, 70, 71, 72, 75, 76)] + [QUIT],
        [utf8("FOO %s x\r\n" % ("\u00fc" * size)) for size in range(33, 40)] + [QUIT],
        [utf8("MAIL FROM:<\u00fc@example.org> SMTPUTF8\r\n"), OUTSIDE, QUIT],
        [HELO] + [FOO] * 300 + [QUIT],
    ],
    "soft": [[HELO, MAIL, OUTSIDE, FOO, QUIT], [HELO, MAIL, RCPT, DATA, BIG, QUIT]],
    "errors": [[HELO, FOO, FOO, FOO], [HELO, FOO, FOO]], "junk": [[HELO] + [b"NOOP\r\n"] * 6],
    "table": [[HELO, MAIL, RCPT, QUIT]], "list": [[HELO, MAIL, RCPT, QUIT]],
    "denied": [[QUIT], [HELO, MAIL, FOO, QUIT]], "denied-data": [[QUIT], [HELO, QUIT]], "denied-421": [[]],
    "small": [[EHLO, mail(b"SIZE=5000"), QUIT], [HELO, MAIL, RCPT, DATA, BIG, QUIT], [HELO, MAIL, RCPT, DATA, BIG],
              [EHLO, MAIL, RCPT, b"BDAT 5000\r\n" + b"x" * 5000, QUIT], [FOO, MAIL, RCPT, DATA, BIG, QUIT], [MAIL, RCPT, DATA, BIG, *GOOD, QUIT]],
    "helo": [[MAIL, HELO, MAIL, QUIT], *([line, QUIT] for line in (RCPT, b"VRFY x\r\n", b"ETRN x.y\r\n", DATA, b"XFORWARD NAME=x\r\n"))],
    "pipelining": [[HELO + MAIL]], "bare": [[b"HELO x\n"], [HELO, MAIL, RCPT, DATA, b"Subject: x\n\r\n.\r\n", QUIT],
                                            [EHLO, MAIL, RCPT, b"BDAT 15\r\nSubject: x\nabc\n", QUIT]],
    "recipients": [[HELO, MAIL, RCPT, RCPT, QUIT], [HELO, MAIL, RCPT, RCPT, RCPT, RCPT, QUIT]],
    "vrfy": [[HELO, b"VRFY x\r\n", QUIT]], "etrn": [[HELO, b"ETRN x.y\r\n", QUIT]], "end": [[HELO, *GOOD, QUIT]],
    "data": [[HELO, MAIL, RCPT, DATA, QUIT]], "policy": [[HELO, MAIL, RCPT, QUIT]],
    "strict": [[HELO, b"MAIL FROM: ann@example.org\r\n", QUIT], [EHLO, utf8("MAIL FROM:<\u00fc@x>\r\n"), QUIT]],
    "discard": [[EHLO, line, QUIT] for line in (mail(b"RET=FULL"), mail(b"SMTPUTF8"), b"BDAT 1\r\nx")],
    "xclient": [[EHLO, b"XCLIENT FOO=bar\r\n", QUIT], [EHLO, FOO, b"XCLIENT NAME=c.test ADDR=192.0.2.1\r\n", EHLO, b"BAR\r\n", QUIT],
                [EHLO, FOO, b"XCLIENT NAME=c.test ADDR=192.0.2.1\r\n", EHLO, QUIT], [b"XCLIENT ADDR=IPV6:2001:db8::1\r\n", FOO, QUIT],
                [EHLO, FOO, b"XCLIENT FOO=x\r\n", QUIT]],
    "xforward": [[EHLO, b"XFORWARD NAME=c.test ADDR=192.0.2.1\r\n", FOO, b"XFORWARD FOO=x\r\n", QUIT]],
    "verp": [[EHLO, b"MAIL FROM:<> XVERP\r\n", QUIT], [EHLO, b"MAIL FROM:<ann@example.org> XVERP=x\r\n", QUIT]],
    "footer": [[EHLO, FOO, QUIT]], "forbidden": [[EHLO, FOO], [EHLO, b"BAR\r\n", FOO]],
    "filter": [[FOO, b"BAR\r\n", QUIT]], "filter-fails": [[EHLO]], "keywords-fail": [[EHLO]],
    "local-names": [[FOO, QUIT], [MAIL, RCPT, DATA, BIG, QUIT]], "odd-names": [[FOO, QUIT]], "obsolete": [[FOO, QUIT]],
    "no-utf8": [[utf8("FOO \u00fc\r\n"), b"FOO \xff\r\n", QUIT]], "ports": [[FOO, QUIT]],
    "checks": [[HELO, MAIL, RCPT, DATA, text + b"\r\n.\r\n", QUIT] for text in (
        b"X-Reject: x\r\n", b"X-Status: x\r\n", b"X-Discard: x\r\n", b"Received: x\r\n" * 5, b"\r\n\x01")]
        + [[FOO, HELO, MAIL, RCPT, DATA, b"X-Reject: x\r\n\r\n.\r\n", QUIT], [MAIL, RCPT, DATA, b"X-Reject: x\r\n\r\n.\r\n", *GOOD, QUIT],
           [FOO, MAIL, RCPT, DATA, b"X-Discard: x\r\n\r\n.\r\n", QUIT], [MAIL, RCPT, DATA, b"X-Reject: x\r\n\r\n.\r\n"]],
    "loop": [[HELO, *GOOD, QUIT]], "rates": [[MAIL, RSET, MAIL, QUIT]], "rates-of-recipients": [[MAIL, RCPT, RCPT, QUIT]],
    "lines": [[b"FOO " + b"abc " * 200 + b"\r\n", b"FOO " + b"x" * 500 + b"\r\n", QUIT]],
}
for each in CLASSES:
    SESSIONS["only-" + each] = [[FOO, QUIT], [MAIL, OUTSIDE, QUIT], [MAIL, RCPT, DATA, BIG, QUIT], [MAIL, RCPT, DATA, BIG, FOO, QUIT]]
SESSIONS["only-none"] = [[FOO, MAIL, OUTSIDE, QUIT]]
SESSIONS["only-data-denied"] = SESSIONS["only-policy-denied"] = [[QUIT], [HELO, QUIT]]
CHECKS = "/^X-Reject:/ REJECT no\n/^X-Status:/ REJECT 5.3.4 no\n/^X-Discard:/ DISCARD\n"

ANSWERS = {"reject": [REJECT], "tempfail": [TEMPFAIL], "code": [reply_code("554 5.9.9 custom")], "hang": None, "shut": [SHUTDOWN]}
FILTER_REPLIES = {
    "no greeting": {"GREETING": b"554 no\r\n"}, "no EHLO": {"EHLO": b"502 no\r\n"}, "MAIL refused": {"MAIL": b"550 5.1.0 no\r\n"},
    "RCPT refused": {"RCPT": b"550 5.1.1 no\r\n"}, "DATA refused": {"DATA": b"550 5.1.1 no\r\n"},
    "content refused": {"END": b"550-5.7.1 spam\r\n550 5.7.1 really\r\n"}, "content refused for now": {"END": b"451 4.7.1 later\r\n"},
    "hangs up at MAIL": {"MAIL": None}, "hangs up at RCPT": {"RCPT": None}, "hangs up at DATA": {"DATA": None},
    "hangs up at the end": {"END": None}, "takes it": {},
}


def without_ports(mail_):
    return [(queue, [(kind, re.sub(r"(errors from .*\]):\d+$", r"\1:PORT", text)) for kind, text in records]) for queue, records in mail_]


def compare_session(checks, systems, name, service, session):
    """Of the log, what becomes of the session; why things are refused is logged all the same without transcripts."""
    (replies, log, mail_), (their_replies, their_log, their_mail) = systems.talk(service, session)
    compare_lists(checks, "%s: replies" % name, replies, their_replies)
    compare_lists(checks, "%s: the log" % name, *([line for line in lines if not UNCOMPARED.search(line)] for lines in (log, their_log)))
    compare_mail(checks, name, without_ports(mail_), without_ports(their_mail))


def forget_first_clients(systems):
    """Those who found out whether somebody listens."""
    log, quiet_since = "", time.monotonic()
    while time.monotonic() < quiet_since + 1:
        time.sleep(0.1)
        if (now := systems.stock.log) != log:
            log, quiet_since = now, time.monotonic()
    systems.talk(next(iter(systems.services)), [])


def check_sessions(checks, bin_directory, directory):
    (directory / "checks").write_text(CHECKS)
    services = {name: dict(ALL, **{key: value.replace("{checks}", str(directory / "checks")) for key, value in parameters.items()})
                for name, parameters in SERVICES.items()}
    services["room"] = dict(ALL, queue_minfree="2000000000000")
    with TwoSystems(bin_directory, directory, MAIN_CF, services) as systems:
        forget_first_clients(systems)
        for service, all_sessions in SESSIONS.items():
            for number, session in enumerate(all_sessions):
                compare_session(checks, systems, "%s %d" % (service, number), service, session)
        compare_session(checks, systems, "no room", "room", [HELO, MAIL, QUIT])


def check_classes_by_default(checks, bin_directory, directory):
    services = {"default": {}, "room": {"queue_minfree": "2000000000000"}}
    with TwoSystems(bin_directory, directory, MAIN_CF, services) as systems:
        forget_first_clients(systems)
        compare_session(checks, systems, "by default: a client's error", "default", [HELO, FOO, MAIL, OUTSIDE, QUIT])
        compare_session(checks, systems, "by default: no room", "room", [HELO, MAIL, QUIT])


def check_mapped(checks, bin_directory, directory):
    """What happens to mail of the system itself happens to a transcript."""
    (directory / "checks").write_text("/^Subject: .*(errors)/ WARN seen\n/^To:.*error/ BCC copy@example.org\n/SECRET/ REJECT\n")
    main_cf = dict(MAIN_CF, **ALL, internal_mail_filter_classes="notify", header_checks="regexp:%s" % (directory / "checks"),
                   body_checks="regexp:%s" % (directory / "checks"), canonical_maps="inline:{ {mailer-daemon = daemon@example.org} }",
                   always_bcc="always@example.org", virtual_alias_maps="inline:{ {error@example.org = one@example.org, two@example.org} }",
                   masquerade_domains="example.org", myorigin="origin.example.org", mail_name="Mail-X",
                   double_bounce_sender="twice")
    with TwoSystems(bin_directory, directory, main_cf, {"plain": {}}) as systems:
        for name, session in (("is mapped and inspected", [HELO, FOO, QUIT]), ("is refused", [HELO, b"FOO SECRET\r\n", QUIT])):
            forget_first_clients(systems)
            systems.compare(checks, "a transcript %s" % name, "plain", session)


def check_milters(checks, bin_directory, directory):
    with contextlib.ExitStack() as stack:
        services = {"dead": {"smtpd_milters": "inet:127.0.0.1:%d" % free_port()}}
        for stage in ("connect", "helo", "mail", "rcpt", "data", "header", "eom", "unknown"):
            for name, packets in ANSWERS.items():
                milter = stack.enter_context(ScriptedMilter({stage: lambda _, packets=packets: packets}))
                services["%s-%s" % (stage, name)] = {"smtpd_milters": milter.endpoint}
        with TwoSystems(bin_directory, directory, MAIN_CF, {name: dict(ALL, milter_default_action="tempfail", **each)
                                                          for name, each in services.items()}) as systems:
            forget_first_clients(systems)
            for name in services:
                commands = {"connect": [], "dead": [], "helo": [HELO], "mail": [HELO, MAIL], "rcpt": [HELO, MAIL, RCPT],
                            "data": [HELO, MAIL, RCPT, DATA], "unknown": [FOO]}.get(name.split("-")[0], [HELO, *GOOD])
                if name in ("eom-shut", "header-shut"):
                    continue  # Another matter: the reply of the distribution's Postfix is 250, and the message is lost.
                compare_session(checks, systems, "milter: %s" % name, name, commands + ([] if "code" in name else [QUIT]))
            compare_session(checks, systems, "milter: EHLO", "helo-reject", [EHLO, QUIT])


def check_filters(checks, bin_directory, directory):
    with ScriptedFilter() as proxy:
        use = dict(ALL, smtpd_proxy_filter=proxy.endpoint)
        services = {"proxy": use, "speed": dict(use, smtpd_proxy_options="speed_adjust"),
                    "dead": dict(ALL, smtpd_proxy_filter="127.0.0.1:%d" % free_port())}
        with TwoSystems(bin_directory, directory, MAIN_CF, services) as systems:
            forget_first_clients(systems)
            for name, replies in FILTER_REPLIES.items():
                for service in ("proxy", "speed"):
                    session = [HELO, FOO] * (name == "takes it") + [HELO, MAIL, RCPT, DATA, TEXT, QUIT]
                    results = []
                    for system in systems.systems:
                        proxy.start(replies)
                        results.append(system.talk(service, session))
                    (our_replies, our_log, our_mail), (replies_, log, mail_) = results
                    checks.equal("%s: %s: replies" % (service, name), our_replies, replies_)
                    checks.equal("%s: %s: the log" % (service, name), our_log, log)
                    checks.equal("%s: %s: transcripts" % (service, name), our_mail, mail_)
            compare_session(checks, systems, "a filter that is away", "dead", [HELO, MAIL, RCPT, QUIT])


def tls_and_login_cases():
    return [
        Case("STARTTLS, errors before and behind", "tls", [EHLO, FOO, *start_tls(), EHLO, FOO, QUIT]),
        Case("STARTTLS, an error before", "tls", [EHLO, FOO, *start_tls(), EHLO, QUIT]),
        Case("STARTTLS is a must", "encrypt", [EHLO, MAIL, QUIT]), Case("STARTTLS with an argument", "tls", [b"STARTTLS foo\r\n", QUIT]),
        Case("STARTTLS twice", "tls", [EHLO, *start_tls(), EHLO, b"STARTTLS\r\n", QUIT]),
        Case("STARTTLS without certificates", "bare", [EHLO, b"STARTTLS\r\n", QUIT]),
        Case("no client certificate", "certificate", [EHLO, *start_tls(), EHLO, rest]),
        Case("an error in wrapper mode", "wrapper", [EHLO, FOO, QUIT], wrapped()),
        Case("STARTTLS too often 1", "rate", [EHLO, *start_tls(), EHLO, QUIT]), Case("STARTTLS too often 2", "rate", [EHLO, *start_tls(), rest]),
        Case("STARTTLS too often 3", "rate", [EHLO, b"STARTTLS\r\n", QUIT]),
        Case("AUTH, then an error", "auth", [EHLO, plain("joe", PASSWORD), FOO, QUIT]),
        Case("AUTH LOGIN, then an error", "auth", [EHLO, *login("joe", PASSWORD), FOO, QUIT]),
        Case("AUTH fails", "auth", [EHLO, plain("joe", "wrong"), QUIT]), Case("AUTH LOGIN fails", "auth", [EHLO, *login("joe", "wrong"), QUIT]),
        Case("AUTH is given up", "auth", [EHLO, b"AUTH LOGIN\r\n", b"*\r\n", QUIT]),
        Case("AUTH twice", "auth", [EHLO, plain("joe", PASSWORD), plain("joe", PASSWORD), QUIT]),
        Case("AUTH without a mechanism", "auth", [EHLO, b"AUTH\r\n", QUIT]), Case("AUTH with another mechanism", "auth", [EHLO, b"AUTH FOO\r\n", QUIT]),
        Case("AUTH after MAIL", "auth", [EHLO, MAIL, plain("joe", "x"), QUIT]), Case("AUTH before HELO", "auth-helo", [plain("joe", "x"), QUIT]),
        Case("AUTH for whom cannot be told", "auth-list", [EHLO, rest]), Case("AUTH, and gone", "auth", [EHLO, FOO, b"AUTH LOGIN\r\n", close]),
        Case("AUTH too often", "auth-rate", [EHLO, b"AUTH FOO\r\n", b"AUTH FOO\r\n", QUIT]),
        Case("no time left", "hurry", [HELO, MAIL, wait(1.5), rest]), Case("no time left, after an error", "hurry", [HELO, FOO, wait(1.5), rest]),
        Case("no time left in a message", "hurry", [HELO, FOO, MAIL, RCPT, DATA, send(b"Subject: x\r\n"), wait(1.5), rest]),
        Case("gone in a message", "auth", [HELO, FOO, MAIL, RCPT, DATA, send(b"Subject: x\r\n"), close]),
        Case("pipelined", "auth", [EHLO, send(MAIL + OUTSIDE + DATA + QUIT), read_reply, read_reply, read_reply, read_reply]),
    ]


def check_tls_and_logins(checks, bin_directory, directory):
    certificates = make_certificates(directory / "certificates")
    make_sasldb(directory / "sasldb2", [("joe", "mail.example.org", PASSWORD)])
    shutil.chown(directory / "sasldb2", "postfix")
    (directory / "sasl").mkdir()
    (directory / "sasl/smtpd.conf").write_text(SMTPD_CONF.format(database=directory / "sasldb2"))
    tls = {"smtpd_tls_chain_files": certificates.path("mail.chain"), "smtpd_tls_security_level": "may"}
    auth = {"smtpd_sasl_auth_enable": "yes"}
    limits = {"smtpd_client_event_limit_exceptions": ""}
    services = {
        "tls": tls, "encrypt": dict(tls, smtpd_tls_security_level="encrypt"), "bare": {"smtpd_tls_security_level": "may"},
        "certificate": dict(tls, smtpd_tls_security_level="encrypt", smtpd_tls_req_ccert="yes"),
        "wrapper": dict(tls, smtpd_tls_wrappermode="yes"), "rate": dict(tls, **limits, smtpd_client_new_tls_session_rate_limit="1"),
        "auth": auth, "auth-helo": dict(auth, smtpd_helo_required="yes"), "auth-list": dict(auth, smtpd_sasl_exceptions_networks="fail:x"),
        "auth-rate": dict(auth, **limits, smtpd_client_auth_rate_limit="1"), "hurry": {"smtpd_timeout": "1s"},
    }
    main_cf = {"cyrus_sasl_config_path": directory / "sasl", "error_notice_recipient": "error@example.org"}
    site = Site(directory / "site", {name: dict(each, **ALL) for name, each in services.items()}, main_cf)
    site.directory.mkdir()
    site.directory.chmod(0o755)
    stock_server = site.stock()
    (stock_server.config / "sasl").symlink_to(directory / "sasl")
    with stock_server as stock, site.ours(bin_directory, stock.postcat) as ours:
        for case in tls_and_login_cases():
            compare(checks, case, ours.account(case), stock.account(case))


def run_checks(checks, bin_directory, directory):
    for name, check in (("sessions", check_sessions), ("default", check_classes_by_default), ("mapped", check_mapped),
                        ("milters", check_milters), ("filters", check_filters), ("logins", check_tls_and_logins)):
        (directory / name).mkdir()
        (directory / name).chmod(0o755)
        try:
            check(checks, bin_directory, directory / name)
        except NoServer as reason:
            checks.skip(name, str(reason))


if __name__ == "__main__":
    sys.exit(run_server_test("transcripts of sessions", run_checks))
