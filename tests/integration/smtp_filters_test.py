#!/usr/bin/env python3
"""What our SMTP and LMTP client makes of replies and of its own verdicts beside the distribution's: smtp_reply_filter, replies
that are none, smtp_delivery_status_filter, soft_bounce, smtp_discard_ehlo_keyword_address_maps; and smtp_bind_address, where it
comes from.

usage: smtp_filters_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import sys

from delivery_cases import compare_deliveries, compare_probes, offers, run_delivery_test
from delivery_systems import Case

ZONE = """\
one.example. MX 10 mx1.example.
two.example. MX 10 mx1.example.
two.example. MX 20 mx2.example.
six.example. MX 10 mx6.example.
mx1.example. A 192.0.2.1
mx2.example. A 192.0.2.2
mx6.example. A 192.0.2.1
mx6.example. AAAA 2001:db8::1
"""
A = "192.0.2.1"
ABSENT = "203.0.113.5"  # No address of this network.
PIPELINES, LMTP = {"EHLO": offers("PIPELINING")}, {"LHLO": offers("PIPELINING")}
REFUSES = {"RCPT": b"550 5.1.1 no\r\n"}
REFUSES_AT_LENGTH = {"RCPT": b"550-5.1.1 one\r\n550-5.1.1 two\r\n550 5.1.1 three\r\n"}
ONCE = {"MAIL": b"250 2.1.0 sender ok\r\n", "RCPT": b"250 2.1.5 recipient ok\r\n"}
PEER = {**PIPELINES, "PEER": True}


def rules(*each):
    return "pcre:{%s}" % ", ".join("{%s}" % rule for rule in each)


def replies(name, server, table, nexthop="one.example", **more):
    return Case("reply, " + name, nexthop, {A: server}, {"smtp_reply_filter": table}, **more)


def status(name, server, table, parameter="smtp_delivery_status_filter", nexthop="one.example", **more):
    return Case("status, " + name, nexthop, {A: server}, {parameter: table}, **more)


def stray(name, server, **more):
    return Case("stray lines, " + name, "one.example", {A: server}, **more)


def bound(name, nexthop="two.example", server=None, **options):
    return Case("bound, " + name, nexthop, {A: server or PEER}, {"smtp_" + key if key.startswith("bind") else key: value for key, value in options.items()})


def soft(name, server, nexthop="one.example", **options):
    return Case("soft, " + name, nexthop, {A: server}, {"soft_bounce": "yes", **options})


REPLIES = [
    *(replies(name, {**extension, **REFUSES}, rules("/^550 5.1.1/ " + result)) for extension, how in ((PIPELINES, ", pipelined"), ({}, ""))
      for name, result in (("later" + how, "450 4.1.1 later"), ("accepted" + how, "250 2.1.5 yes"), ("long" + how, "550 5.1.1 " + "x" * 300))),
    replies("a line of several", REFUSES_AT_LENGTH, rules("/^550-5.1.1 two/ 550-5.7.9 changed")),
    replies("the last of several", REFUSES_AT_LENGTH, rules("/^550 5.1.1 three/ 450 4.7.9 changed")),
    replies("a line that ends too soon", REFUSES_AT_LENGTH, rules("/^550-5.1.1 one/ 250 ok")),
    replies("greeting", {"GREETING": b"220 mx.example hi\r\n"}, rules("/^220 / 554 no")),
    replies("EHLO", {"EHLO": offers("PIPELINING", "SIZE 100", "DSN")}, rules("/^250.SIZE/ 250-SIZE 1")),
    replies("EHLO, nothing", {"EHLO": offers("PIPELINING", "SIZE 100", "DSN")}, rules("/^250-SIZE/ 250-")),
    Case("reply, DATA", "one.example", {A: PIPELINES}, {"smtp_reply_filter": rules("/^354/ 550 no"), "smtp_rset_timeout": "1s"}), replies("end refused", PIPELINES, rules("/^250 2.0.0 taken/ 451 4.3.0 nope")),
    replies("end", PIPELINES, rules("/^250 2.0.0 taken/ 250 2.0.0 nope")), replies("QUIT", PIPELINES, rules("/^221/ 451 nope")),
    replies("a line that is none", REFUSES_AT_LENGTH, rules("/^550-5.1.1 two/ foo bar")), replies("a line that is empty", {**PIPELINES, **REFUSES_AT_LENGTH}, rules("/^550-5.1.1 two/ ")),
    replies("fails", REFUSES, "fail:x"), replies("missing", REFUSES, "hash:/nonexistent", "two.example"),
    *(replies("fails at %s%s" % (name, how), {**extension, **ONCE}, "pipemap:{regexp:{{/%s/ x}}, fail:y}" % pattern, "two.example") for extension, how in (({}, ""), (PIPELINES, ", pipelined"))
      for name, pattern in (("MAIL", "sender"), ("RCPT", "recipient"), ("DATA", "354"), ("end", "taken"), ("QUIT", "Bye"))),
    Case("reply, LMTP", "inet:[mx1.example]:25", {A: {**LMTP, **REFUSES}}, {"lmtp_reply_filter": rules("/^550/ 450 4.1.1 x"), "smtp_reply_filter": "fail:x"}, program="lmtp"),
    Case("reply, LMTP, a socket", "unix:LMTP", {"lmtp": {**LMTP, **REFUSES}}, {"lmtp_reply_filter": rules("/^550/ 450 4.1.1 x")}, program="lmtp"),
    stray("before a reply", {"RCPT": b"foo\r\n250 ok\r\n"}), stray("before a reply, pipelined", {**PIPELINES, "RCPT": b"foo\r\n250 ok\r\n"}),
    stray("before the greeting", {"GREETING": b"foo\r\n220 mx\r\n"}), stray("at the end", {"END": b"250-x\r\nfoo\r\n250 2.0.0 ok\r\n"}),
    stray("of all kinds", {**PIPELINES, "END": b"foo\r\n\r\n12 x\r\n250x ok\r\n250\tok\r\n" + b"z" * 200 + b"\r\n250 2.0.0 ok\r\n"}),
    stray("a code of another class", {"END": b"099 x\r\n"}), stray("a code alone", {"END": b"250\r\n"}),
    Case("stray lines, LMTP", "inet:[mx1.example]:25", {A: {**LMTP, "RCPT": b"foo\r\n250 ok\r\n"}}, program="lmtp"),
    Case("stray lines, LMTP, a socket", "unix:LMTP", {"lmtp": {**LMTP, "RCPT": b"foo\r\n250 ok\r\n"}}, program="lmtp"),
]
STATUSES = [
    *(status("sent, " + result, PIPELINES, rules("/^2/ " + result)) for result in ("4.1.1 foo bar", "2.1.1 foo bar", "5.1.1 foo bar", "2.1.1")),
    *(status("refused, " + result, REFUSES, rules("/^5/ " + result)) for result in (
        "4.1.1 foo bar", "5.9.1 foo bar", "2.1.1 foo bar", "5.7.7", "4.7.7", "4.7.8   a  b ", "foo", "5.1 foo", "3.1.1 foo", "5.1.1x foo", "5.1.1: foo", "", "5.1.1000 foo", "5.7.1 " + "y" * 300)),
    status("text", REFUSES, rules("/^5(.*)/ 4$$1")), status("later", {"RCPT": b"450 4.1.1 x\r\n"}, rules("/^4(.*)/ 5$$1")),
    status("later, next", {"RCPT": b"450 4.1.1 x\r\n"}, rules("/^4(.*)/ 5$$1"), nexthop="two.example"),
    status("no server", {"GREETING": None}, rules("/^4(.*)/ 5$$1")), status("several", {"RCPT": [b"550 5.1.1 no\r\n", b"250 2.1.5 ok\r\n"]}, rules("/^[25](.*)/ 4.7.1 x"), recipients=("bob", "carl")),
    status("default", REFUSES, rules("/^5/ 5.7.1 default"), "default_delivery_status_filter"), status("two tables", REFUSES, "inline:{a=b}, " + rules("/^5/ 5.7.1 x")),
    status("fails", REFUSES, "fail:x"), status("fails, sent", PIPELINES, "fail:x"), status("missing", REFUSES, "hash:/nonexistent"),
    Case("status, LMTP", "inet:[mx1.example]:25", {A: {**LMTP, **REFUSES}}, {"lmtp_delivery_status_filter": rules("/^5/ 5.7.1 x"), "smtp_delivery_status_filter": "fail:x"}, program="lmtp"),
    soft("refused", REFUSES), soft("refused, next", REFUSES, "two.example"), soft("sent", PIPELINES), soft("later", {"RCPT": b"450 4.1.1 x\r\n"}), soft("size", {"EHLO": offers("SIZE 10")}),
    soft("no domain", {}, "nodomain.example"), soft("filtered", REFUSES, smtp_delivery_status_filter=rules("/^5/ 5.7.1 x")),
    soft("made permanent", {"RCPT": b"450 4.1.1 x\r\n"}, smtp_delivery_status_filter=rules("/^4/ 5.7.1 x")), soft("end", {"END": b"554 no\r\n"}), soft("end, next", {"END": b"554 no\r\n"}, "two.example"),
    soft("greeting", {"GREETING": b"554 no\r\n"}, smtp_skip_5xx_greeting="no"),
]
BOUND = [
    bound("to nothing"), bound("to an address", bind_address="192.0.2.3"), bound("to an address in brackets", bind_address="[192.0.2.3]"),
    bound("to an address that is absent", bind_address=ABSENT), bound("to an address that must be there", bind_address=ABSENT, bind_address_enforce="yes"),
    bound("to an address that must be there, no next", "one.example", bind_address=ABSENT, bind_address_enforce="yes"),
    bound("by IPv6, which is off", bind_address6="foo", bind_address_enforce="yes"),
    bound("to the only interface", inet_interfaces="192.0.2.3"), bound("to one of two interfaces", inet_interfaces="192.0.2.3 192.0.2.2"),
    bound("to one interface, and loopback", inet_interfaces="192.0.2.3 127.0.0.1"), bound("to loopback", inet_interfaces="127.0.0.1"),
    bound("to the only interface of IPv4", inet_interfaces="192.0.2.3, ::1", inet_protocols="all"), bound("to any address", inet_interfaces="192.0.2.3", bind_address="0.0.0.0"),
    bound("to none of a proxy", proxy_interfaces="192.0.2.3"), bound("to an interface beside a proxy", inet_interfaces="192.0.2.3", proxy_interfaces="192.0.2.2"),
    bound("by IPv6", "six.example", bind_address6="2001:db8::77", inet_protocols="all", smtp_address_preference="ipv6"),
    bound("by IPv6, which must be there", "six.example", bind_address6="2001:db8::77", bind_address_enforce="yes", inet_protocols="all", smtp_address_preference="ipv6"),
    bound("by IPv6 to IPv4", "six.example", bind_address6="192.0.2.3", inet_protocols="all", smtp_address_preference="ipv6"),
    Case("bound, LMTP", "inet:[mx1.example]:25", {A: {**LMTP, "PEER": True}}, {"lmtp_bind_address": "192.0.2.3"}, program="lmtp"),
    Case("bound, LMTP, absent", "inet:[mx1.example]:25", {A: {**LMTP, "PEER": True}}, {"lmtp_bind_address": ABSENT, "lmtp_bind_address_enforce": "yes"}, program="lmtp"),
    Case("bound, LMTP, a socket", "unix:LMTP", {"lmtp": LMTP}, {"lmtp_bind_address": ABSENT, "lmtp_bind_address_enforce": "yes"}, program="lmtp"),
]
OFFERED = {"EHLO": offers("PIPELINING", "SIZE 10000", "DSN")}
KEYWORDS = [
    *(Case("keywords, " + name, "two.example", {A: OFFERED}, {"smtp_discard_ehlo_keyword_address_maps": table, "smtp_discard_ehlo_keywords": "size"}) for name, table in (
        ("several", "inline:{{192.0.2.1=pipelining, dsn}}"), ("silent", "inline:{{192.0.2.1=pipelining, silent-discard}}"), ("of another", "inline:{{192.0.2.7=pipelining}}"), ("nothing", "inline:{192.0.2.1=}"),
        ("junk", "inline:{{192.0.2.1=foo, dsn}}"), ("fails", "fail:x"), ("missing", "hash:/nonexistent"), ("of a network", "cidr:{{192.0.2.0/24 dsn}}"))),
    Case("keywords, LMTP", "inet:[mx1.example]:25", {A: LMTP}, {"lmtp_discard_lhlo_keyword_address_maps": "inline:{192.0.2.1=pipelining}"}, program="lmtp"),
    Case("keywords, LMTP, a socket", "unix:LMTP", {"lmtp": LMTP}, {"lmtp_discard_lhlo_keyword_address_maps": "static:pipelining"}, program="lmtp"),
]
DELIVERIES = REPLIES + STATUSES + BOUND + KEYWORDS
PROBES = [
    Case("asked, status", "one.example", {A: REFUSES}, {"smtp_delivery_status_filter": rules("/^5/ 4.7.1 x")}), Case("asked, yes", "one.example", {}, {"smtp_delivery_status_filter": rules("/^2/ 2.7.1 x")}),
    Case("asked, soft", "one.example", {A: REFUSES}, {"soft_bounce": "yes"}), Case("asked, replies", "one.example", {A: REFUSES}, {"smtp_reply_filter": rules("/^550/ 450 4.1.1 x")}),
]


def compare(checks, cases, bin_directory, network, top):
    for name, chosen, comparison in (("deliveries", DELIVERIES, compare_deliveries), ("probes", PROBES, compare_probes)):
        (top / name).mkdir(mode=0o755)
        comparison(checks, [case for case in chosen if case in cases], bin_directory, network, top / name)


if __name__ == "__main__":
    sys.exit(run_delivery_test(__file__, ZONE, DELIVERIES + PROBES, compare))
