#!/usr/bin/env python3
"""Deliveries of the same queue files by our SMTP and LMTP client and by the distribution's: what the servers are told, byte for
byte, and what the log says of it.

usage: smtp_delivery_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import sys

from delivery_cases import offers, run_delivery_test
from delivery_systems import Case

ZONE = """\
one.example. MX 10 mx1.example.
two.example. MX 10 mx1.example.
two.example. MX 20 mx2.example.
mx1.example. A 192.0.2.1
mx2.example. A 192.0.2.2
dead.example. MX 10 mxdead.example.
mxdead.example. A 192.0.2.9
"""
A, B = "192.0.2.1", "192.0.2.2"
PIPELINES = {"EHLO": offers("PIPELINING")}
ALL = {"EHLO": offers("PIPELINING", "SIZE 100000", "8BITMIME", "DSN", "ENHANCEDSTATUSCODES", "SMTPUTF8")}
LMTP = {"LHLO": offers("PIPELINING")}
REFUSED = b"550 5.1.1 <bob>: no such user\r\n"
LATER = b"450 4.2.0 later\r\n"
EIGHT_BITS = b"Subject: hello\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\ngr\xc3\xbc\xc3\x9fe = \n"
LONG = b"Subject: " + b"s" * 1500 + b"\n\n" + b"\n".join(b"x" * n for n in (997, 998, 999, 1000, 1995, 1996, 1997, 2048, 2049, 5000)) + b"\n." + b"y" * 1000 + b"\n" + b"z" * 998 + b"." * 998 + b"\n"
HEADERS = b"From: Ann <ann@example.org>\nTo: bob@example.org (Bob), carl@example.net\nCc: \"A B\" <a@example.org>\nX-From: ann@example.org\nReply-To: <ann@example.org>\n\nann@example.org\nTo: x@example.org\n"
FOLDED = b"From: ann@example.org\nTo: " + b",\n\t".join(b"user%d@example.org" % n for n in range(20)) + b"\n\nbody\n.dot\n"
BIG = b"Subject: x\n\n" + b"".join(b"line %d of many\n" % n for n in range(300000))


def to(case, domain_key, reply):
    return {"RCPT TO:<%s@%s.test>" % (case, domain_key): reply}


CASES = [
    Case("plain", "one.example"), Case("pipelined", "one.example", {A: PIPELINES}), Case("all offered", "one.example", {A: ALL}),
    Case("dots", "one.example", {A: PIPELINES}, content=b"Subject: x\n\n.\n..\n.a\na.\n\n.\n"),
    Case("no body", "one.example", content=b"Subject: x\n"), Case("odd bytes", "one.example", content=b"Subject: x\n\na\rb\x7f\x01c\r\n\x00d\n"),
    Case("long lines", "one.example", {A: PIPELINES}, content=LONG),
    Case("no limit of lines", "one.example", options={"smtp_line_length_limit": "0"}, content=LONG),
    Case("short limit of lines", "one.example", options={"smtp_line_length_limit": "12"},
         content=b"Subject: 012345678901234567890123456789\n\n" + b"\n".join(b"x" * n for n in range(9, 37)) + b"\n............................\n"),
    Case("big", "one.example", {A: PIPELINES}, content=BIG),
    Case("several", "one.example", {A: PIPELINES}, recipients=("bob", "carl", "dora")),
    Case("several, one at a time", "one.example", recipients=("bob", "carl", "dora")),
    Case("null sender", "one.example", sender=""),
    Case("null sender, all offered", "one.example", {A: ALL}, sender=""),
    Case("many recipients", "one.example", {A: PIPELINES}, recipients=["user%02d" % n for n in range(45)]),
    Case("eight bits", "one.example", {A: ALL}, content=EIGHT_BITS),
    Case("DSN", "one.example", {A: ALL}, arguments=("-N", "success,delay", "-V", "id+5=x", "-R", "hdrs"), recipients=("bob", "carl")),
    Case("DSN never", "one.example", {A: ALL}, arguments=("-N", "never", "-R", "full")),
    Case("DSN not offered", "one.example", {A: PIPELINES}, arguments=("-N", "failure", "-V", "x", "-R", "full")),
    Case("MAIL 5xx", "two.example", {A: {"MAIL": b"550 5.7.1 bad sender\r\n"}}), Case("MAIL 4xx", "one.example", {A: {"MAIL": LATER}}),
    Case("MAIL 4xx, next", "two.example", {A: {"MAIL": LATER}}), Case("MAIL hangs up, next", "two.example", {A: {"MAIL": None}}),
    Case("pipelined MAIL 5xx", "two.example", {A: {**PIPELINES, "MAIL": b"550 5.7.1 bad sender\r\n", "RCPT": b"503 5.5.1 no\r\n", "DATA": b"503 5.5.1 no\r\n"}}),
    Case("pipelined MAIL 4xx, next", "two.example", {A: {**PIPELINES, "MAIL": LATER, "RCPT": b"503 no\r\n", "DATA": b"503 no\r\n"}, B: PIPELINES}),
    Case("pipelined MAIL 5xx, DATA 354", "two.example", {A: {**PIPELINES, "MAIL": b"550 5.7.1 bad sender\r\n", "RCPT": b"503 5.5.1 no\r\n"}}),
    Case("RCPT 5xx", "two.example", {A: {"RCPT": REFUSED}}), Case("RCPT 4xx", "one.example", {A: {"RCPT": LATER}}),
    Case("RCPT 4xx, next", "two.example", {A: {"RCPT": LATER}}),
    Case("RCPT 5xx of one", "two.example", {A: to("carl", "rcpt-5xx-of-one", REFUSED)}, recipients=("bob", "carl", "dora")),
    Case("RCPT 4xx of one", "two.example", {A: to("carl", "rcpt-4xx-of-one", LATER)}, recipients=("bob", "carl", "dora")),
    Case("RCPT 4xx of one, no next", "one.example", {A: to("carl", "rcpt-4xx-of-one-no-next", LATER)}, recipients=("bob", "carl", "dora")),
    Case("pipelined RCPT 5xx, DATA 5xx", "two.example", {A: {**PIPELINES, "RCPT": REFUSED, "DATA": b"554 5.5.1 no valid recipients\r\n"}}),
    Case("pipelined RCPT 5xx, DATA 354", "two.example", {A: {**PIPELINES, "RCPT": REFUSED}}),
    Case("pipelined RCPT 5xx, DATA 354, end refused", "two.example", {A: {**PIPELINES, "RCPT": REFUSED, "END": b"554 no valid recipients\r\n"}}),
    Case("pipelined RCPT 4xx, next", "two.example", {A: {**PIPELINES, "RCPT": LATER, "DATA": b"554 no valid recipients\r\n"}, B: PIPELINES}),
    Case("pipelined RCPT 5xx of one", "two.example", {A: {**PIPELINES, **to("carl", "pipelined-rcpt-5xx-of-one", REFUSED)}}, recipients=("bob", "carl", "dora")),
    Case("pipelined RCPT 4xx of one", "two.example", {A: {**PIPELINES, **to("carl", "pipelined-rcpt-4xx-of-one", LATER)}}, recipients=("bob", "carl", "dora")),
    Case("RCPT 421", "two.example", {A: {"RCPT": b"421 4.3.2 down\r\n"}}), Case("RCPT hangs up", "one.example", {A: {"RCPT": None}}),
    Case("RCPT 421 of second", "two.example", {A: to("carl", "rcpt-421-of-second", b"421 4.3.2 down\r\n")}, recipients=("bob", "carl", "dora")),
    Case("RCPT 521 of second", "two.example", {A: to("carl", "rcpt-521-of-second", b"521 5.3.2 down\r\n")}, recipients=("bob", "carl", "dora")),
    Case("hangs up at second recipient", "one.example", {A: to("carl", "hangs-up-at-second-recipient", None)}, recipients=("bob", "carl", "dora")),
    Case("hangs up at second recipient, next", "two.example", {A: to("carl", "hangs-up-at-second-recipient-next", None)}, recipients=("bob", "carl", "dora")),
    Case("DATA 5xx", "two.example", {A: {"DATA": b"554 5.7.1 no\r\n"}}), Case("DATA 4xx", "one.example", {A: {"DATA": LATER}}),
    Case("DATA 4xx, next", "two.example", {A: {"DATA": LATER}}), Case("DATA 250", "two.example", {A: {"DATA": b"250 what\r\n"}}),
    Case("DATA hangs up", "one.example", {A: {"DATA": None}}), Case("DATA hangs up, next", "two.example", {A: {"DATA": None}}),
    Case("DATA late", "one.example", {A: {"DATA": 2}}, {"smtp_data_init_timeout": "1s"}),
    Case("pipelined DATA 5xx", "two.example", {A: {**PIPELINES, "DATA": b"554 5.7.1 no\r\n"}}, recipients=("bob", "carl")),
    Case("pipelined DATA 4xx, next", "two.example", {A: {**PIPELINES, "DATA": LATER}}, recipients=("bob", "carl")),
    Case("hangs up in content", "one.example", {A: {"CONTENT": None}}, content=BIG), Case("hangs up in content, next", "two.example", {A: {**PIPELINES, "CONTENT": None}}, content=BIG),
    Case("end 5xx", "two.example", {A: {"END": b"554 5.6.0 bad content\r\n"}}, recipients=("bob", "carl")), Case("end 4xx", "one.example", {A: {"END": LATER}}),
    Case("end 4xx, next", "two.example", {A: {"END": LATER}}), Case("end 4xx, next, pipelined", "two.example", {A: {**PIPELINES, "END": LATER}}),
    Case("end 421", "two.example", {A: {"END": b"421 4.3.0 no\r\n"}}),
    Case("end 354", "one.example", {A: {"END": b"354 what\r\n"}}), Case("end hangs up", "one.example", {A: {"END": None}}),
    Case("end hangs up, next", "two.example", {A: {"END": None}}), Case("end hangs up, pipelined", "one.example", {A: {**PIPELINES, "END": None}}),
    Case("end late", "one.example", {A: {"END": 2}}, {"smtp_data_done_timeout": "1s"}),
    Case("end without status", "one.example", {A: {"END": b"250 taken\r\n"}}), Case("end at length", "one.example", {A: {"END": b"250-2.6.0 one\r\n250 2.6.0 two\r\n"}}),
    Case("end of another class", "one.example", {A: {"END": b"250 5.6.0 hm\r\n"}}), Case("end 5xx without status", "one.example", {A: {"END": b"552 full\r\n"}}),
    Case("QUIT late", "one.example", {A: {"QUIT": 2}}), Case("QUIT is waited for", "one.example", options={"smtp_skip_quit_response": "no"}),
    Case("QUIT is waited for, pipelined", "one.example", {A: PIPELINES}, options={"smtp_skip_quit_response": "no"}),
    Case("greeting 5xx, next", "two.example", {A: {"GREETING": b"554 no\r\n"}}),
    Case("greeting 5xx counts", "two.example", {A: {"GREETING": b"554 no\r\n"}}, {"smtp_skip_5xx_greeting": "no"}),
    Case("dead", "dead.example"), Case("SIZE too small", "two.example", {A: {"EHLO": offers("SIZE 10")}}),
    Case("SIZE without limit", "one.example", {A: {"EHLO": offers("SIZE")}}),
    Case("SIZE and a sign", "one.example", {A: {"EHLO": offers("SIZE=100000")}}),
    Case("SIZE 0", "one.example", {A: {"EHLO": offers("SIZE 0")}}), Case("SIZE of junk", "one.example", {A: {"EHLO": offers("SIZE many")}}),
    Case("fallback", "dead.example", options={"smtp_fallback_relay": "[mx2.example]"}),
    Case("fallback after RCPT 4xx", "one.example", {A: {"RCPT": LATER}}, options={"smtp_fallback_relay": "[mx2.example]"}),
    *(Case("generic, " + name, "one.example", {A: ALL}, {"smtp_generic_maps": maps}, content=content, **more) for name, maps, content, more in (
        ("domain", "inline:{@example.org=@example.com}", HEADERS, {}), ("address", "inline:{ann@example.org=a.n.n@example.com}", HEADERS, {}),
        ("recipient", "static:x@example.net", HEADERS, {}), ("null sender", "static:x@example.net", HEADERS, {"sender": ""}),
        ("nothing", "inline:{x@y=z@y}", HEADERS, {}), ("long lines", "inline:{@example.org=@example.com}", LONG, {}),
        ("no body", "inline:{@example.org=@example.com}", b"Subject: x\n", {}), ("several lines", "inline:{@example.org=@example.com}", FOLDED, {}))),
    Case("quoted", "one.example", recipients=('"a b"@quoted.test',)),
    Case("XFORWARD", "one.example", {A: {"EHLO": offers("PIPELINING", "XFORWARD NAME ADDR PORT PROTO HELO SOURCE IDENT")}},
         {"smtp_send_xforward_command": "yes"}),
    Case("XFORWARD of some", "one.example", {A: {"EHLO": offers("XFORWARD NAME ADDR")}}, {"smtp_send_xforward_command": "yes"}),
    Case("XFORWARD refused", "two.example", {A: {"EHLO": offers("XFORWARD NAME ADDR SOURCE"), "XFORWARD": b"550 no\r\n"}}, {"smtp_send_xforward_command": "yes"}),
    Case("XFORWARD refused later", "two.example", {A: {"EHLO": offers("XFORWARD NAME ADDR SOURCE"), "XFORWARD": b"450 no\r\n"}}, {"smtp_send_xforward_command": "yes"}),
    Case("XFORWARD not offered", "one.example", options={"smtp_send_xforward_command": "yes"}),
    Case("UTF-8 needed and offered", "one.example", {A: ALL}, sender="\u00e4nn@example.org", content="X-Hold: y\nSubject: gr\u00fc\u00dfe\n\nx\n".encode(), arguments=("-O", "SMTPUTF8")),
    Case("UTF-8 needed", "one.example", sender="\u00e4nn@example.org", content="Subject: gr\u00fc\u00dfe\n\nx\n".encode()),
    Case("XFORWARD of a client", "one.example", {A: {"EHLO": offers("PIPELINING", "XFORWARD NAME ADDR PORT PROTO HELO SOURCE IDENT")}},
         {"smtp_send_xforward_command": "yes"}, mail_options=()),
    Case("XFORWARD of a client, some", "one.example", {A: {"EHLO": offers("XFORWARD ADDR HELO"), "XFORWARD": b"550 no\r\n"}}, {"smtp_send_xforward_command": "yes"}, mail_options=()),
    Case("XFORWARD hangs up", "two.example", {A: {"EHLO": offers("XFORWARD ADDR HELO"), "XFORWARD": None}}, {"smtp_send_xforward_command": "yes"}, mail_options=()),
    Case("UTF-8 asked for, offered", "one.example", {A: ALL}, mail_options=("SMTPUTF8",)), Case("UTF-8 asked for", "one.example", mail_options=("SMTPUTF8",)),
    Case("UTF-8 in header, not asked for", "one.example", content="Subject: gr\u00fc\u00dfe\n\nx\n".encode(), mail_options=("BODY=8BITMIME",)),
    Case("UTF-8 in header, offered, not asked for", "one.example", {A: ALL}, content="Subject: gr\u00fc\u00dfe\n\nx\n".encode(), mail_options=("BODY=8BITMIME",)),
    Case("UTF-8 in header", "one.example", content="Subject: gr\u00fc\u00dfe\n\nx\n".encode(), mail_options=("SMTPUTF8", "BODY=8BITMIME")),
    Case("UTF-8 in recipient", "one.example", recipients=("b\u00f6b", "carl"), mail_options=("SMTPUTF8",)),
    Case("UTF-8 in recipient, offered", "one.example", {A: ALL}, recipients=("b\u00f6b", "carl"), mail_options=("SMTPUTF8",)),
    Case("DSN by SMTP", "one.example", {A: ALL}, mail_options=("RET=FULL", "ENVID=ab+2Bcd", "SIZE=300")),
    Case("LMTP", "unix:LMTP", {"lmtp": LMTP}, program="lmtp", recipients=("bob", "carl")),
    Case("LMTP, one at a time", "unix:LMTP", {"lmtp": {"LHLO": offers("8BITMIME")}}, program="lmtp", recipients=("bob", "carl")),
    Case("LMTP by TCP", "inet:[mx1.example]:25", {A: LMTP}, program="lmtp"),
    Case("LMTP RCPT refused", "unix:LMTP", {"lmtp": {**LMTP, **to("carl", "lmtp-rcpt-refused", REFUSED)}}, program="lmtp", recipients=("bob", "carl", "dora")),
    Case("LMTP all RCPT refused", "unix:LMTP", {"lmtp": {**LMTP, "RCPT": REFUSED, "DATA": b"503 5.5.1 no valid recipients\r\n"}}, program="lmtp", recipients=("bob", "carl")),
    Case("LMTP all RCPT refused, DATA 354", "unix:LMTP", {"lmtp": {**LMTP, "RCPT": REFUSED}}, program="lmtp", recipients=("bob", "carl")),
    Case("LMTP end mixed", "unix:LMTP", {"lmtp": {**LMTP, "END0": b"250 2.1.5 ok\r\n", "END1": b"452 4.2.2 full\r\n", "END2": b"550 5.2.1 off\r\n"}},
         program="lmtp", recipients=("bob", "carl", "dora")),
    Case("LMTP hangs up at second end", "unix:LMTP", {"lmtp": {**LMTP, "END0": b"250 2.1.5 ok\r\n", "END1": None}}, program="lmtp", recipients=("bob", "carl", "dora")),
    Case("LMTP second end is 421", "unix:LMTP", {"lmtp": {**LMTP, "END0": b"250 2.1.5 ok\r\n", "END1": b"421 4.2.1 no\r\n"}}, program="lmtp", recipients=("bob", "carl", "dora")),
    Case("LMTP DSN", "unix:LMTP", {"lmtp": {"LHLO": offers("PIPELINING", "DSN")}}, program="lmtp", arguments=("-N", "success")),
]

if __name__ == "__main__":
    sys.exit(run_delivery_test(__file__, ZONE, CASES))
