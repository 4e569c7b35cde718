"""Messages on their way into the queue: recipients, BCC, duplicates, overrides, SMTPUTF8, limits. The same sessions with our
mail system and with the distribution's Postfix; replies, log and queue files must be the same.

usage: intake_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import sys

from server import run_server_test
from two_systems import TwoSystems

EHLO, MAIL, DATA, QUIT = (b"EHLO client.example\r\n", b"MAIL FROM:<ann@example.org>\r\n", b"DATA\r\n", b"QUIT\r\n")
TEXT = b"Subject: hello\r\n\r\nbody\r\n.\r\n"
ALIASES = ("inline:{{both@example.org=bob@example.org, carl@example.org}, {bccm@example.org=x1@example.org, x2@example.org}}")
SENDER_BCC = "inline:{{ann@example.org=sb@example.org}, {@site.example=atsite@example.org}, {ann=user@example.org}}"
RECIPIENT_BCC = ("inline:{{bob@example.org=rb@example.org}, {carl@example.org=rb@example.org}, {@elsewhere.org=else@example.org},"
                 " {x1@example.org=xx@example.org}, {rb@example.org=rbrb@example.org}, {both@example.org=bboth@example.org},"
                 " {plus@example.org=minus@example.org}, {loc=locbcc@example.org}}")
CANONICAL = "inline:{{bob@example.org=robert@example.org}, {ann@example.org=anna@example.org}}"
MAIN_CF = {"virtual_alias_maps": ALIASES, "notify_classes": "", "recipient_delimiter": "+",
           "smtpd_authorized_verp_clients": "127.0.0.1", "remote_header_rewrite_domain": "domain.invalid"}
SERVICES = {
    "plain": {}, "all": {"always_bcc": "all@example.org"}, "all-alias": {"always_bcc": "bccm@example.org"},
    "all-local": {"always_bcc": "all"}, "all-two": {"always_bcc": "all@example.org, second@example.org"},
    "sender": {"sender_bcc_maps": SENDER_BCC}, "recipient": {"recipient_bcc_maps": RECIPIENT_BCC},
    "every": {"sender_bcc_maps": SENDER_BCC, "recipient_bcc_maps": RECIPIENT_BCC, "always_bcc": "all@example.org"},
    "no-original": {"enable_original_recipient": "no"}, "limit": {"duplicate_filter_limit": "2"},
    "no-mappings": {"receive_override_options": "no_address_mappings", "always_bcc": "all@example.org",
                    "sender_bcc_maps": SENDER_BCC, "recipient_bcc_maps": RECIPIENT_BCC, "canonical_maps": CANONICAL,
                    "masquerade_domains": "example.org"},
    "canonical": {"canonical_maps": CANONICAL, "recipient_bcc_maps": "inline:{{robert@example.org=rob2@example.org}}"},
    # Clients are those of this host, and local, unless a service says otherwise.
    "remote": {"local_header_rewrite_clients": "", "canonical_maps": CANONICAL},
    "remote-as-is": {"local_header_rewrite_clients": "", "canonical_maps": CANONICAL, "remote_header_rewrite_domain": ""},
    "no-checks": {"receive_override_options": "no_header_body_checks", "header_checks": "regexp:{checks}"},
    "checks": {"header_checks": "regexp:{checks}"},
    "unknown": {"local_recipient_maps": "inline:{{bob=x}}", "smtpd_reject_unlisted_recipient": "yes"},
    "no-unknown": {"local_recipient_maps": "inline:{{bob=x}}", "smtpd_reject_unlisted_recipient": "yes",
                   "receive_override_options": "no_unknown_recipient_checks"},
    "lines": {"line_length_limit": "512"}, "headers": {"header_size_limit": "150"},
    "hops": {"hopcount_limit": "5"}, "small": {"message_size_limit": "2000"},
    "body-limit": {"body_checks": "regexp:{checks}", "body_checks_size_limit": "20"},
    "filter": {"content_filter": "smtp:127.0.0.1:9"},
    "late": {"delay_warning_time": "3h", "sender_bcc_maps": SENDER_BCC}, "no-utf8": {"smtputf8_enable": "no"},
    "xclient": {"smtpd_authorized_xclient_hosts": "127.0.0.1, 192.0.2.8", "smtpd_authorized_xforward_hosts": "127.0.0.1"},
    "xclient-only": {"smtpd_authorized_xclient_hosts": "127.0.0.1", "smtpd_authorized_xforward_hosts": "192.0.2.8",
                     "smtpd_authorized_verp_clients": "192.0.2.8"},
    "early": {"smtpd_delay_open_until_valid_rcpt": "no", "smtpd_recipient_restrictions":
              "check_recipient_access inline:{{carl@example.org=REJECT}}, permit"},
    "access": {"smtpd_recipient_restrictions":
               "check_recipient_access inline:{{carl@example.org=REDIRECT r@example.org},"
               " {hold@example.org=HOLD}, {f@example.org=FILTER smtp:x}, {d@example.org=DISCARD}, {p@example.org=PREPEND X-P: p}},"
               " permit"},
}


def rcpt(address, parameters=""):
    return ("RCPT TO:<%s>%s\r\n" % (address, parameters and " " + parameters)).encode()


def session(*recipients, mail=MAIL, text=TEXT):
    """`recipients` are local parts or addresses, or pairs of one and parameters."""
    commands = []
    for each in recipients:
        address, parameters = each if isinstance(each, tuple) else (each, "")
        commands.append(rcpt(address if "@" in address or address.startswith("!") else address + "@example.org", parameters))
    return [EHLO, mail] + [command.replace(b"<!", b"<") for command in commands] + [DATA, text, QUIT]


def utf8(text):
    return text.encode()


SESSIONS = {
    "plain": [
        session("bob"), session("bob", "carl"), session("!bob", "!BOB"),
        session("bob", "bob", "BOB", "bob@EXAMPLE.ORG", ("bob", "NOTIFY=NEVER"), ("bob", "ORCPT=rfc822;zz@zz")),
        session(("bob", "NOTIFY=SUCCESS,DELAY"), ("carl", "NOTIFY=FAILURE ORCPT=rfc822;a+2Bb@c"),
                mail=b"MAIL FROM:<ann@example.org> RET=FULL ENVID=x+2By\r\n"),
        session("both", "bob", "carl"), session("bob", mail=b"MAIL FROM:<>\r\n"), session("bob", mail=b"MAIL FROM:<ann>\r\n"),
        session("bob", text=b"From ann Mon\r\nSubject: x\r\n\r\nFrom here\r\n.\r\n"),
        session("bob", text=b">From ann Mon\r\nSubject: x\r\n\r\nFrom here\r\n.\r\n"),
        session("bob", text=b"From ann Mon\r\n>From x\r\nSubject: x\r\nFrom y\r\nX-a: b\r\n\r\nFrom here\r\n.\r\n"),
        session("bob", text=b"Subject: x\r\n>From y\r\nX-a: b\r\n\r\n.\r\n"), session("bob", text=b"from ann\r\n\r\n.\r\n"),
        session("bob", text=b"\r\nFrom ann\r\n.\r\n"), session("bob", text=b".\r\n"), session("bob", text=b"From \r\n.\r\n"),
        session("bob", mail=utf8("MAIL FROM:<änn@example.org> SMTPUTF8\r\n"), text=utf8("Subject: ä\r\n\r\nä\r\n.\r\n")),
        session("böb", mail=utf8("MAIL FROM:<ann@example.org> SMTPUTF8\r\n")),
        session("böb", "carl", mail=utf8("MAIL FROM:<ann@example.org> SMTPUTF8\r\n")),
        session("bob", mail=b"MAIL FROM:<ann@example.org> SMTPUTF8\r\n"),
        session("bob", mail=b"MAIL FROM:<ann@example.org> SMTPUTF8 BODY=8BITMIME\r\n"),
        session("bob", text=utf8("Subject: ä\r\n\r\nä\r\n.\r\n")), session("bob", text=utf8("Subject: a\r\n\r\nä\r\n.\r\n")),
        session("bob", mail=b"MAIL FROM:<ann@example.org> SMTPUTF8\r\n", text=utf8("Subject: ä\r\n\r\nä\r\n.\r\n")),
        session("bob", text=utf8("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-A: ä\r\n\r\n--b--\r\n.\r\n")),
        session("bob", mail=b"MAIL FROM:<ann@example.org> BODY=8BITMIME\r\n",
                text=b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n.\r\n"),
        session("bob", text=b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n.\r\n"),
        session("bob", mail=b"MAIL FROM:<ann@example.org> BODY=8BITMIME\r\n"),
        session("bob", mail=b"MAIL FROM:<ann@example.org> BODY=7BIT\r\n"),
        session("bob", mail=b"MAIL FROM:<ann@example.org> BODY=7BIT\r\n",
                text=b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n.\r\n"),
        [EHLO] + [b"VRFY %s\r\n" % each for each in (b"<a b@x", b"", b"<>", b"a b c", b"bob", b"<bob@example.org> SMTPUTF8", b"<> SMTPUTF8")] + [QUIT],
        session(*(("bob", "NOTIFY=" + each) for each in ("x", "", "NEVER,DELAY", "DELAY,x,y", "DELAY NOTIFY=x", "x NOTIFY=y", "delay"))),
        # Clients that go without QUIT.
        session("bob")[:-1], session("bob")[:-1] + [b"NOOP\r\n"], session("bob")[:-2], session("bob")[:-3],
        *(session("bob")[:-3] + chunks for chunks in (
            [b"BDAT 3\r\nabc"], [b"BDAT 3 LAST\r\nabc"], [b"BDAT 3\r\nabc", b"BDAT 4\r\nabcd"],
            [b"BDAT 3\r\nabc", b"NOOP\r\n"])),
        session("bob", mail=b"MAIL FROM:<ann@example.org> XVERP\r\n"),
        session("bob", mail=b"MAIL FROM:<ann@example.org> XVERP=-+ ENVID=a SMTPUTF8 RET=HDRS\r\n"),
    ],
    "all": [session("bob", "all"), session("all"), session(("all", "NOTIFY=NEVER"))],
    "all-alias": [session("bob")], "all-local": [session("bob")], "all-two": [session("bob")],
    "sender": [session("bob"), session("sb"), session("bob", mail=b"MAIL FROM:<x@y>\r\n"), session("bob", mail=b"MAIL FROM:<>\r\n"),
               session("bob", mail=b"MAIL FROM:<ANN@EXAMPLE.ORG>\r\n"), session("bob", mail=b"MAIL FROM:<any@site.example>\r\n"),
               session("bob", mail=b"MAIL FROM:<ann+ext@example.org>\r\n"), session("bob", mail=b"MAIL FROM:<ann>\r\n")],
    "recipient": [session("bob", "carl"), session("carl", "bob", "rb"), session("both"), session("bccm", "u@elsewhere.org"),
                  session(("bob", "NOTIFY=SUCCESS")), session("plus+ext"), session("loc"), session("loc@elsewhere.example"),
                  session("bob", "bob")],
    "every": [session("bob", "carl"), session("both")],
    "no-original": [session("both", "bob", "bob", ("bob", "ORCPT=rfc822;zz@zz"), "BOB", ("bob", "NOTIFY=NEVER")), session("carl")],
    "limit": [session("a", "b", "c", "a", "c", "c", "b")],
    "no-mappings": [session("bob", "both", "!bob", text=b"From: ann@example.org\r\nTo: bob@example.org, x\r\n\r\n.\r\n"),
                    session("bob", mail=b"MAIL FROM:<ann@host.example.org>\r\n")],
    "canonical": [session("bob", "robert", "both", text=b"From: ann@example.org\r\nTo: bob@example.org, x\r\n\r\n.\r\n")],
    **{service: [session("bob"), session("bob", "x", mail=b"MAIL FROM:<ann>\r\n",
                                         text=b"From: joe\r\nTo: bob@example.org, y@host, z%a@b.example\r\nCc: u@v.example\r\n\r\n.\r\n"),
                 session("bob", text=b"Resent-From: joe\r\n\r\n.\r\n"), session("bob", mail=b"MAIL FROM:<>\r\n")]
       for service in ("remote", "remote-as-is")},
    "no-checks": [session("bob", text=b"X-Reject: a\r\nX-Bcc: b\r\n\r\n.\r\n")],
    "checks": [session("bob", text=b"X-Reject: a\r\n\r\n.\r\n"), session("bob", text=b"X-Bcc: a\r\n\r\n.\r\n"),
               session("bob", "bc", text=b"X-Bcc: a\r\nX-Bcc: a\r\n\r\n.\r\n"), session("bob", text=b"X-Hold: a\r\nX-Redirect: a\r\n\r\n.\r\n"),
               session("bob", text=b"X-Filter: a\r\n\r\n.\r\n"), session("bob", text=b"X-Discard: a\r\n\r\n.\r\n"),
               session("bob", text=b"X-Long: " + b"y" * 3000 + b"\r\n\r\n.\r\n")],
    "unknown": [session("bob"), session("nobody-here")], "no-unknown": [session("bob"), session("nobody-here")],
    "lines": [session("bob", text=b"Subject: " + b"x" * 503 + b"\r\nX-B: " + b"y" * 508 + b"\r\nX-C: " + b"z" * 1019 + b"\r\n\r\n"
                      + b"w" * 511 + b"\r\n" + b"w" * 512 + b"\r\n" + b"v" * 513 + b"\r\n.\r\n")],
    "headers": [session("bob", text=b"Subject: " + b"x" * 55 + b"\r\nX-B: " + b"y" * 160 + b"\r\nX-C: a\r\n" + b" b\r\n" * 40
                        + b"\r\nbody\r\n.\r\n")],
    "hops": [session("bob", text=b"Received: x\r\n" * 3 + b"\r\n.\r\n"), session("bob", text=b"Received: x\r\n" * 4 + b"\r\n.\r\n"),
             session("bob", text=b"Received: x\r\n" * 5 + b"\r\n.\r\n"), session("bob", text=b"\r\n" + b"Received: x\r\n" * 9 + b".\r\n")],
    "early": [session("carl", "bob"), session("carl"), session("bob")[:-3] + [b"RSET\r\n", MAIL, QUIT], [EHLO, MAIL],
              session("bob", mail=b"MAIL FROM:<a b>\r\n")],
    # What a client may do that says who it is.
    **{service: [[EHLO, b"XFORWARD NAME=z.example\r\n"] + [step for address in (8, 9) for step in (
        b"XCLIENT ADDR=192.0.2.%d NAME=x.example\r\n" % address, EHLO, b"XFORWARD NAME=z.example\r\n")] + [QUIT]]
       for service in ("xclient", "xclient-only")},
    # The limit is that of the file; what the client sends alone may be too much, too.
    "small": [session("bob", text=b"\r\n" + (b"x" * 78 + b"\r\n") * 12 + b".\r\n"),
              session("bob", text=b"\r\n" + (b"x" * 78 + b"\r\n") * 13 + b".\r\n"),
              session("bob", text=b"\r\n" + (b"x" * 78 + b"\r\n") * 14 + b".\r\n"),
              session("bob", mail=b"MAIL FROM:<ann@example.org> SIZE=2000\r\n"),
              session("bob", mail=b"MAIL FROM:<ann@example.org> SIZE=2001\r\n"), session("bob", mail=b"MAIL FROM:<> SIZE=99999\r\n"),
              session("bob", mail=b"MAIL FROM:<ann@example.org> SIZE=99999999999999999999\r\n"),
              session("bob", text=(b"x" * 78 + b"\r\n") * 30 + b".\r\n")],
    "body-limit": [session("bob", text=b"\r\n0123456789012345678\r\nX-Reject: a\r\n.\r\n"),
                   session("bob", text=b"\r\n012345678901234567\r\nX-Reject: a\r\n.\r\n")],
    "filter": [session("bob"), session("bob", mail=b"MAIL FROM:<ann@example.org> BODY=8BITMIME\r\n")],
    "late": [session("bob"), session("bob", mail=b"MAIL FROM:<>\r\n"), session("bob", mail=b"MAIL FROM:<x@y> XVERP ENVID=a\r\n")],
    "no-utf8": [session("bob", text=utf8("Subject: \u00fc\r\n\r\n\u00fc\r\n.\r\n"))],
    "access": [session("bob"), session("carl"), session("hold"), session("f"), session("d"), session("p"), session("bob", "carl", "f", "p")],
}
CHECKS = """\
/^X-Reject:/ REJECT no
/^X-Bcc:/ BCC bc@example.org
/^X-Hold:/ HOLD
/^X-Redirect:/ REDIRECT r@example.org
/^X-Filter:/ FILTER smtp:x
/^X-Discard:/ DISCARD
"""


def run_checks(checks, bin_directory, directory):
    table = directory / "checks"
    table.write_text(CHECKS)
    services = {name: {key: value.replace("{checks}", str(table)) for key, value in parameters.items()}
                for name, parameters in SERVICES.items()}
    with TwoSystems(bin_directory, directory, MAIN_CF, services) as systems:
        for service, sessions in SESSIONS.items():
            for number, each in enumerate(sessions):
                # Postfix's cleanup also tells that smtpd went away, and what it had seen.
                systems.compare(checks, "%s %d" % (service, number), service, each, compares_log=service != "small")


if __name__ == "__main__":
    sys.exit(run_server_test("a mail system", run_checks))
