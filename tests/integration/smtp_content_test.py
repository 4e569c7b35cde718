#!/usr/bin/env python3
"""What our SMTP and LMTP client does to content beside the distribution's: smtp_header_checks and the like, and the conversion of
8-bit text for a server that takes none; what servers are sent, byte for byte, and what the log says of it.

usage: smtp_content_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import sys

from delivery_cases import offers, run_delivery_test
from delivery_systems import Case

ZONE = "one.example. MX 10 mx1.example.\nmx1.example. A 192.0.2.1\n"
A = "192.0.2.1"
SEVEN, EIGHT = {A: {"EHLO": offers("PIPELINING")}}, {A: {"EHLO": offers("PIPELINING", "8BITMIME")}}
LMTP = {A: {"LHLO": offers("PIPELINING", "8BITMIME")}}
BY_SMTP = ("BODY=8BITMIME",)  # Whoever submits by SMTP asks for no SMTPUTF8.
HEADERS = b"Subject: hello\nX-A: one\n two\nX-B: b\nTo: x@y.example\n\nbody one\nbody two\n\n.dot\nlast\n"
ACTIONS = ("IGNORE", "INFO", "INFO text here", "WARN", "WARN hi  there ", "warn it", "STRIP", "STRIP why", "PREPEND X-New: 1",
           "PREPEND  X-Newer:  1 ", "PREPEND bad", "PREPEND", "REPLACE X-A: new", "REPLACE bad", "REPLACE", "DUNNO", "OK", "BCC x@y", "BCC x",
           "DISCARD", "FILTER a:b", "FILTER", "HOLD", "PASS", "REDIRECT a@b", "REJECT", "REJECT 5.7.1 x", "FOO", "FOO bar", "")
KINDS = ("header", "mime_header", "nested_header", "body")
TELL_ALL = {"smtp_%s_checks" % kind: "regexp:{{/.*/ INFO %s}}" % kind for kind in KINDS}
PLAIN = b"MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n"
TREE = b"""\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_b="
Content-Transfer-Encoding: 8bit
X-Q: y

pre\xc3\xbc = amble
--=_b=
Content-Type: text/plain
Content-Transfer-Encoding: 8bit

gr\xc3\xbc = \xc3
--=_b=
Content-Transfer-Encoding: 8bit
Content-Type: message/rfc822

Subject: in \xc3\xbc
Content-Type: text/plain
Content-Transfer-Encoding: 8bit
X-In: y

in\xc3\xbc = =
--=_b= 
Content-Type: text/plain

gr\xc3\xbc = 7
--=_b=
Content-Type: message/delivery-status
Content-Transfer-Encoding: 8bit

Foo: \xc3\xbc = 

--=_b=
Content-Type: message/partial
Content-Transfer-Encoding: 8bit

Foo: \xc3\xbc = 
--=_b=
Content-Type: multipart/digest; boundary=c
Content-Transfer-Encoding: binary

--c
Content-Transfer-Encoding: 8bit

Subject: dig

d\xc3 = 
--c

Subject: dig2
Content-Transfer-Encoding: 8bit

d2\xc3 = 
--c
Content-Transfer-Encoding: 8bit
no header = \xc3
--c--
ep1\xc3 = 
--=_b=-- = 
ep2\xc3 = 
"""
BROKEN_TREE = b"""\
Content-Type: multipart/mixed; boundary="=_b="
Content-Transfer-Encoding: 8bit
no header=\xc3
--=_b=
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit
Subject: y
no header=\xc3
--=_b=
Content-Type: multipart/mixed; boundary=inner
Content-Transfer-Encoding: 8bit
no header=\xc3
--inner
Content-Transfer-Encoding: 8bit
--inner

no headers=\xc3
--=_b=
Content-Transfer-Encoding: 8bit

--=_b=
Content-Type: application/x; boundary=zz
Content-Transfer-Encoding: 8bit
"""


def part(*headers):
    return b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + "".join(each + "\n" for each in headers).encode() + b"\nfoo: =\xc3\n\nfoo=\xc3\n--b--\n"


def encoded(*headers):
    return "".join(each + "\n" for each in headers).encode() + b"\ngr\xc3\xbc = =3D \n"


CTE, TYPE = "Content-Transfer-Encoding: ", "Content-Type: "
TREES = [
    ("parts", TREE), ("parts that are broken", BROKEN_TREE),
    *(("a part, " + ", ".join(headers).lower(), part(*headers)) for headers in (
        (TYPE + "message/global", CTE + "8bit"), (CTE + "8bit", TYPE + "message/global"), (TYPE + "message/global",),
        (TYPE + "message/global", CTE + "quoted-printable"), (TYPE + "message/foo", CTE + "8bit"), (TYPE + "message", CTE + "8bit"),
        (TYPE + "multipart", CTE + "8bit"), (TYPE + "multipart/foo", CTE + "8bit"), (TYPE + "message/external-body", CTE + "8bit"),
        (TYPE + "text/plain", TYPE + "message/rfc822", CTE + "8bit", TYPE + "text/plain"), (TYPE + "message/rfc822", CTE + "8bit", TYPE + "foo/bar"),
        (CTE + "8bit", TYPE + "message/rfc822", CTE + "base64"), (TYPE, CTE + "8bit"))),
    ("a digest", b"Content-Type: multipart/digest; boundary=dd\n\n--dd\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\nfoo=\xc3\n--dd\nContent-Transfer-Encoding: 8bit\nfoo=\xc3\n"),
    ("nested headers at the end", b"Content-Type: message/rfc822\n\nContent-Transfer-Encoding: 8bit\n"),
    ("digest headers at the end", b"Content-Type: multipart/digest; boundary=x\n\n--x\nContent-Transfer-Encoding: 8bit\n"),
    ("a message without header in a message", b"Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nSubject: x\nContent-Transfer-Encoding: 8bit\nno header = \xc3\n"),
]
LONG = PLAIN + b"\n".join(b"y" * n + tail for tail in (b"", b"\xc3", b" ", b"\t\t", b".") for n in range(70, 80)) + b"\n" + b"\xc3" * 100 + b"\n"
TEXTS = [
    ("text", encoded(TYPE + "text/plain", CTE + "8bit")), ("no encoding told", encoded(TYPE + "text/plain")), ("no MIME", encoded("X: y")),
    ("headers in another order", encoded(CTE + "8bit", "X : y", TYPE + "text/plain", "MIME-Version: 1.0")),
    ("folded", encoded(TYPE + "text/plain;\n charset=x", "Content-Transfer-Encoding:\n 8bit (hi)", "X-A: x")),
    *(("encoding " + each, encoded(CTE + each)) for each in ("binary", "7bit", "quoted-printable", "base64", "x-foo", "")),
    ("an encoding in capitals", encoded(CTE + "8BIT")), ("an encoding and more", encoded(CTE + "8bit; x")), ("a quoted encoding", encoded(CTE + '"8bit"')),
    ("7bit, 8bit", encoded(CTE + "7bit", "X: y", CTE + "8bit")), ("8bit, 7bit", encoded(CTE + "8bit", CTE + "7bit")), ("8bit, other", encoded(CTE + "8bit", CTE + "x-foo")),
    ("every byte", PLAIN + b"\xc3" + bytes(range(1, 10)) + b"\n" + bytes(range(11, 13)) + bytes(range(14, 128)) + b"\n" + bytes(range(128, 256)) + b"\n\rx\ry\r\nz\n"),
    ("NUL", PLAIN + b"x\x00a\na\x00b\n"),
    ("blanks at the end", PLAIN + b"\xc3 \n\xc3\t\n a \n\t\n \n.\n.x\n..\n=\n\nend \t"),
    ("long lines", LONG),
    ("lines in pieces", PLAIN + b"a\n" + b"x" * 1200 + b"\n" + b"y" * 2047 + b"\xc3\n" + b"z" * 2047 + b" z\n" + b"z" * 2047 + b" \n" + b"a" * 5000 + b" \nend"),
    ("no body", b"Content-Transfer-Encoding: 8bit\nX: y\n"), ("no text", PLAIN), ("empty lines", PLAIN + b"\n\n\xc3\n"),
    ("no empty line", PLAIN[:-1] + b"hello there\xc3\n"), ("no body of a message", b"Content-Transfer-Encoding: 8bit\nContent-Type: message/rfc822\n"),
    ("8-bit headers", b"X-Foo: \xc3\xbc\n" + PLAIN + b"\xc3\n"),
]
CASES = [
    *(Case("%s checks, %s" % (kind, action or "an empty result"), "one.example", EIGHT, {"smtp_%s_checks" % kind: "regexp:{{/%s/ %s}}" % (pattern, action)}, content=HEADERS)
      for kind, pattern in (("header", "^X-A:"), ("body", "one")) for action in ACTIONS),
    *(Case("checks that fail, " + kind, "one.example", EIGHT, {"smtp_%s_checks" % kind: "fail:x"}, content=TREE, mail_options=BY_SMTP) for kind in KINDS),
    Case("a table that is missing", "one.example", EIGHT, {"smtp_header_checks": "hash:/nonexistent"}, content=HEADERS),
    Case("two tables", "one.example", EIGHT, {"smtp_header_checks": "inline:{ {x=y} }, regexp:{{/^X-B:/ IGNORE}}"}, content=HEADERS),
    Case("a long text", "one.example", EIGHT, {"smtp_header_checks": "regexp:{{/^Big/ INFO}}", "smtp_body_checks": "regexp:{{/^bbb/ INFO}}"}, content=b"Big: " + b"x" * 500 + b"\n\n" + b"b" * 500 + b"\n"),
    Case("no limit of the body", "one.example", EIGHT, {"smtp_body_checks": "regexp:{{/5000/ INFO}}", "body_checks_size_limit": "100"}, content=b"a: b\n\n" + b"hello there\n" * 100 + b"5000\n"),
    Case("short limit of lines", "one.example", EIGHT, {"smtp_body_checks": "regexp:{{/y/ INFO}}", "smtp_line_length_limit": "20"}, content=b"a: " + b"x" * 70 + b"\n\n" + b"y" * 50 + b"\n"),
    Case("limits of headers", "one.example", SEVEN, {"header_size_limit": "100", "mime_boundary_length_limit": "3"},
         content=b"X: " + b"y" * 90 + b"\n bbbbbbbbbb\n cccccccc\n dddd\nContent-Type: multipart/mixed; boundary=abcdef\n\n--abcd\nContent-Transfer-Encoding: 8bit\n\n=\xc3\n"),
    Case("a long header", "one.example", EIGHT, {"smtp_header_checks": "regexp:{{/Foo/ INFO}}"}, content=b"Foo: " + b"".join(b"x" * 990 + b"\n " for _ in range(120)) + b"END\n\n"),
    *(Case("pieces of lines, " + name, "one.example", EIGHT, {"smtp_body_checks": table}, content=b"X: y\n\na\n" + b"x" * 2047 + b" \n" + b"x" * 2047 + b" z\n" + b"z" * 5000 + b"\n" + b"q" * 2048)
      for name, table in (("told", "regexp:{{/.*/ INFO}}"), ("changed", "regexp:{{/xx/ STRIP}, {/zz/ REPLACE u}}"), ("with more", "regexp:{{/zz/ PREPEND u}}"))),
    *(Case("generic addresses, " + name, "one.example", EIGHT, {"smtp_header_checks": "regexp:{{/^%s:/ %s}}" % (header, action), "smtp_generic_maps": "inline:{ann@example.org=a.n.n@example.com}"},
           content=b"From: ann@example.org\nTo: ann@example.org\nX-R: y\n\nx\n")
      for name, header, action in (("replaced", "X-R", "REPLACE Cc: ann@example.org"), ("another", "To", "REPLACE Cc: ann@example.org"), ("put in front", "To", "PREPEND Cc: ann@example.org"),
                                   ("told", "To", "INFO"), ("removed", "To", "IGNORE"))),
    *(Case("generic addresses, %s replaced by %s" % (header, result), "one.example", EIGHT, {"smtp_header_checks": "regexp:{{/^%s:/ REPLACE %s: ann@example.org}}" % (header, result), "smtp_generic_maps": "inline:{ann@example.org=a.n.n@example.com}"},
           content=b"To: ann@example.org\nReply-To: ann@example.org\nX-R: y\n\nx\n") for header, result in (("To", "To"), ("To", "Reply-To"), ("To", "XY"), ("Reply-To", "To"), ("Reply-To", "XXXXXXXX"), ("X-R", "Bcc"))),
    *(Case("size, %s, %s" % (" ".join(keywords) or "nothing", name), "one.example", {A: {"EHLO": offers("SIZE 100000", *keywords)}}, options, content=content, mail_options=mail_options)
      for keywords in ((), ("8BITMIME",), ("SMTPUTF8",), ("PIPELINING",)) for name, content, mail_options, options in (
          ("seven bits", b"\nx\n", None, {}), ("eight bits", encoded(CTE + "8bit"), BY_SMTP, {}), ("seven bits told", encoded(CTE + "8bit"), ("BODY=7BIT",), {}),
          ("not converted", encoded(CTE + "8bit"), BY_SMTP, {"disable_mime_output_conversion": "yes"}), ("changed", b"\nx\n", None, {"smtp_body_checks": "regexp:{{/x/ REPLACE xyz}}"}),
          ("without 8BITMIME", encoded(CTE + "8bit"), BY_SMTP, {"smtp_discard_ehlo_keywords": "8bitmime"}))),
    Case("LMTP", "inet:[mx1.example]:25", LMTP, {"lmtp_header_checks": "regexp:{{/^X-A/ WARN x}}", "lmtp_body_checks": "regexp:{{/one/ FOO}}"}, program="lmtp", content=HEADERS),
    Case("LMTP, checks that fail", "inet:[mx1.example]:25", LMTP, {"lmtp_body_checks": "fail:x"}, program="lmtp", content=HEADERS),
    Case("LMTP, other checks", "inet:[mx1.example]:25", LMTP, {"smtp_body_checks": "fail:x"}, program="lmtp", content=HEADERS),
    Case("LMTP, conversion", "inet:[mx1.example]:25", {A: {"LHLO": offers("PIPELINING")}}, program="lmtp", content=PLAIN + b"\xc3\n"),
    *(Case(name, "one.example", SEVEN, content=content, mail_options=BY_SMTP) for name, content in TREES + TEXTS),
    *(Case(name + ", checked", "one.example", SEVEN, TELL_ALL, content=content, mail_options=BY_SMTP) for name, content in TREES + [TEXTS[0]]),
    *(Case(name + ", checked, not converted", "one.example", EIGHT, TELL_ALL, content=content, mail_options=BY_SMTP) for name, content in TREES[:4]),
    *(Case(name + ", %s checks" % kind, "one.example", EIGHT, {"smtp_%s_checks" % kind: TELL_ALL["smtp_%s_checks" % kind]}, content=content, mail_options=BY_SMTP)
      for name, content in TREES[:1] for kind in KINDS),
    *(Case("submitted, " + name, "one.example", SEVEN, content=content) for name, content in TEXTS if b"\xc3\xbc\n" not in content),
    *(Case("encoding in checks, " + action, "one.example", SEVEN, {"smtp_mime_header_checks": "regexp:{{/^Content-Transfer-Encoding:/ %s}}" % action}, content=TREE, mail_options=BY_SMTP)
      for action in ("IGNORE", "REPLACE Content-Transfer-Encoding: 7bit")),
    *(Case("%s converted and changed, %s" % (name, action), "one.example", SEVEN, {"smtp_body_checks": "regexp:{{/^(gr|y)/ %s}}" % action}, content=content, mail_options=BY_SMTP)
      for action in ("REPLACE h = ", "PREPEND h = ", "IGNORE") for name, content in (("parts", TREE), ("long lines", LONG))),
    Case("converted, with generic addresses", "one.example", SEVEN, {"smtp_generic_maps": "inline:{ann@example.org=a.n.n@example.com}"}, content=b"To: ann@example.org\n" + TREE, mail_options=BY_SMTP),
    Case("conversion is off", "one.example", SEVEN, {"disable_mime_output_conversion": "yes"}, content=TREE, mail_options=BY_SMTP),
    Case("8BITMIME does not count", "one.example", EIGHT, {"smtp_discard_ehlo_keywords": "8bitmime"}, content=TREE, mail_options=BY_SMTP),
    Case("HELO", "one.example", EIGHT, {"smtp_never_send_ehlo": "yes", "smtp_always_send_ehlo": "no"}, content=TREE, mail_options=BY_SMTP),
    Case("7bit by SMTP", "one.example", SEVEN, content=TREE, mail_options=("BODY=7BIT",)), Case("nothing by SMTP", "one.example", SEVEN, content=TREE, mail_options=()),
    *(Case("nested deeply, " + name, "one.example", scripts, {"mime_nesting_limit": "2", **options}, recipients=("bob", "carl"), mail_options=BY_SMTP,
           content=b"".join(b"Content-Type: multipart/mixed; boundary=b%d\nContent-Transfer-Encoding: 8bit\n\n--b%d\n" % (i, i) for i in range(6)) + b"Content-Transfer-Encoding: 8bit\n\nx \xc3\n")
      for name, scripts, options in (("converted", SEVEN, {}), ("checked", EIGHT, {"smtp_header_checks": "regexp:{{/^X-R:/ INFO}}"}))),
]

if __name__ == "__main__":
    sys.exit(run_delivery_test(__file__, ZONE, CASES))
