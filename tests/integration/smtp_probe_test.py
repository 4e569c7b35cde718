#!/usr/bin/env python3
"""Probes (sendmail -bv, reject_unverified_recipient) by our SMTP and LMTP client and by the distribution's: which servers are
asked and in which order, what they are told, and what the log says of it.

usage: smtp_probe_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import sys

from delivery_cases import compare_probes, run_delivery_test
from delivery_systems import Case

ZONE = """\
one.example. MX 10 mx1.example.
two.example. MX 10 mx1.example.
two.example. MX 20 mx2.example.
mx1.example. A 192.0.2.1
mx2.example. A 192.0.2.2
both.example. A 192.0.2.1
both.example. A 192.0.2.2
plain.example. A 192.0.2.1
nomx.example. MX 0 .
empty.example. TXT hello
broken.example. SERVFAIL
mxfail.example. MX 10 broken.example.
mxnone.example. MX 10 nothere.example.
mxempty.example. MX 10 empty.example.
mxnumber.example. MX 10 192.0.2.1.
dead.example. MX 10 mxdead.example.
mxdead.example. A 192.0.2.9
deadfirst.example. MX 10 mxdead.example.
deadfirst.example. MX 20 mx1.example.
self.example. MX 10 mail.example.org.
mail.example.org. A 127.0.0.1
selfaddress.example. MX 10 me.example.
me.example. A 127.0.0.1
selfsecond.example. MX 10 mx1.example.
selfsecond.example. MX 20 me.example.
selfplain.example. A 127.0.0.1
alias.example. CNAME one.example.
mxbroken.example. SERVFAIL MX
mxbroken.example. A 192.0.2.1
mxfirstbroken.example. MX 10 broken.example.
mxfirstbroken.example. MX 20 mx1.example.
many.example. MX 10 mxdead.example.
many.example. MX 20 mxdead.example.
many.example. MX 30 mx1.example.
"""
A, B = "192.0.2.1", "192.0.2.2"
REFUSED = b"550 5.1.1 <bob>: no such user\r\n"
CASES = [
    Case("ok", "one.example"), Case("plain", "plain.example"), Case("host", "[mx1.example]"), Case("address", "[192.0.2.1]"),
    Case("address and port", "[192.0.2.1]:25"), Case("no brackets, port", "one.example:25"), Case("dead port", "[192.0.2.1]:26"),
    Case("named port", "[mx1.example]:smtp"), Case("bare address", "192.0.2.1"),
    Case("colon", "[mx1.example]:"),
    Case("both protocols", "plain.example", options={"inet_protocols": "all"}), Case("no such name, both protocols", "nonesuch.example", options={"inet_protocols": "all"}),
    Case("fails, both protocols", "[broken.example]", options={"inet_protocols": "all"}),
    Case("null MX", "nomx.example"), Case("no such name", "nonesuch.example"), Case("no such host", "[nonesuch.example]"),
    Case("no data", "empty.example"), Case("no data of host", "[empty.example]"), Case("fails", "broken.example"), Case("fails for host", "[broken.example]"),
    Case("MX fails", "mxfail.example"), Case("MX not there", "mxnone.example"), Case("MX is empty", "mxempty.example"), Case("MX is a number", "mxnumber.example"),
    Case("alias", "alias.example"), Case("MX query fails", "mxbroken.example"), Case("ignoring that", "mxbroken.example", options={"ignore_mx_lookup_error": "yes"}),
    Case("first MX fails", "mxfirstbroken.example"),
    Case("defer MX not there", "mxnone.example", options={"smtp_defer_if_no_mx_address_found": "yes"}),
    Case("dead", "dead.example"), Case("dead first", "deadfirst.example"), Case("many", "many.example"),
    Case("self", "self.example"), Case("self address", "selfaddress.example"), Case("self second", "selfsecond.example"), Case("self plain", "selfplain.example"),
    Case("self second when first is dead", "selfsecond.example", {A: {"GREETING": b"421 no\r\n"}}),
    Case("self in brackets", "[mail.example.org]"),
    Case("list", "nonesuch.example, one.example"), Case("list of dead", "dead.example, one.example"),
    Case("fallback", "dead.example", options={"smtp_fallback_relay": "[mx2.example]"}),
    Case("fallback for nonesuch", "nonesuch.example", options={"smtp_fallback_relay": "[mx2.example]"}),
    Case("native", "[localhost]:26", options={"smtp_host_lookup": "native"}), Case("no DNS", "one.example", options={"disable_dns_lookups": "yes", "smtp_host_lookup": "native"}),
    Case("no DNS support", "plain.example", options={"smtp_dns_support_level": "disabled"}),
    Case("native nonesuch", "[nonesuch.example]", options={"smtp_host_lookup": "native"}),
    Case("address limit", "two.example", {A: {"GREETING": b"421 no\r\n"}}, {"smtp_mx_address_limit": "1"}),
    Case("session limit", "two.example", {A: {"GREETING": b"421 no\r\n"}}, {"smtp_mx_session_limit": "1"}),
    Case("greeting 4xx", "one.example", {A: {"GREETING": b"421 4.3.2 busy\r\n"}}),
    Case("greeting 4xx, next", "two.example", {A: {"GREETING": b"450 busy\r\n"}}),
    Case("greeting 5xx", "one.example", {A: {"GREETING": b"554 5.7.1 no\r\n"}}),
    Case("greeting 5xx, next", "two.example", {A: {"GREETING": b"554 no\r\n"}}),
    Case("greeting 5xx counts", "two.example", {A: {"GREETING": b"554 no\r\n"}}, {"smtp_skip_5xx_greeting": "no"}),
    Case("greeting none", "one.example", {A: {"GREETING": None}}), Case("greeting late", "one.example", {A: {"GREETING": 2}}, {"smtp_helo_timeout": "1s"}),
    Case("greeting 3xx", "one.example", {A: {"GREETING": b"354 what\r\n"}}),
    Case("greeting at length", "one.example", {A: {"GREETING": b"220-mx.example one\r\n220 ESMTP two\r\n"}}),
    Case("greeting without ESMTP", "one.example", {A: {"GREETING": b"220 mx.example\r\n"}}, {"smtp_always_send_ehlo": "no"}),
    Case("never EHLO", "one.example", options={"smtp_never_send_ehlo": "yes"}),
    Case("greeting is ourselves", "one.example", {A: {"GREETING": b"220 mail.example.org ESMTP\r\n", "EHLO": b"250 mail.example.org\r\n"}}),
    Case("EHLO refused", "one.example", {A: {"EHLO": b"502 5.5.1 no\r\n"}}), Case("EHLO 4xx", "one.example", {A: {"EHLO": b"450 no\r\n"}}),
    Case("EHLO and HELO refused", "one.example", {A: {"EHLO": b"502 no\r\n", "HELO": b"550 5.7.1 no\r\n"}}),
    Case("EHLO and HELO refused, next", "two.example", {A: {"EHLO": b"502 no\r\n", "HELO": b"450 no\r\n"}}),
    Case("EHLO 421", "two.example", {A: {"EHLO": b"421 no\r\n"}}),
    Case("EHLO hangs up", "two.example", {A: {"EHLO": None}}), Case("EHLO and HELO hang up", "one.example", {A: {"EHLO": None, "HELO": None}}),
    Case("HELO name", "one.example", options={"smtp_helo_name": "me.example"}),
    Case("MAIL 5xx", "two.example", {A: {"MAIL": b"550 5.7.1 bad sender\r\n"}}), Case("MAIL 4xx", "one.example", {A: {"MAIL": b"450 bad sender\r\n"}}),
    Case("MAIL 4xx, next", "two.example", {A: {"MAIL": b"450 4.7.1 bad sender\r\n"}}), Case("MAIL hangs up", "one.example", {A: {"MAIL": None}}),
    Case("MAIL 421", "one.example", {A: {"MAIL": b"421 4.7.1 busy\r\n"}}),
    Case("MAIL hangs up, next", "two.example", {A: {"MAIL": None}}), Case("MAIL late", "one.example", {A: {"MAIL": 2}}, {"smtp_mail_timeout": "1s"}),
    Case("RCPT 5xx", "one.example", {A: {"RCPT": REFUSED}}), Case("RCPT 5xx, there is a next", "two.example", {A: {"RCPT": REFUSED}}),
    Case("RCPT 4xx", "one.example", {A: {"RCPT": b"450 4.2.1 later\r\n"}}), Case("RCPT 4xx, next", "two.example", {A: {"RCPT": b"450 4.2.1 later\r\n"}}),
    Case("RCPT without status", "one.example", {A: {"RCPT": b"553 no\r\n"}}), Case("RCPT of another class", "one.example", {A: {"RCPT": b"550 4.1.1 no\r\n"}}),
    Case("RCPT at length", "one.example", {A: {"RCPT": b"550-5.1.1 no\r\n550-5.1.1  such\r\n550 5.1.1 user\r\n"}}),
    Case("RCPT 251", "one.example", {A: {"RCPT": b"251 will forward\r\n"}}), 
    Case("RCPT 421", "two.example", {A: {"RCPT": b"421 4.3.2 down\r\n"}}), Case("RCPT hangs up", "one.example", {A: {"RCPT": None}}),
    Case("RCPT 521", "one.example", {A: {"RCPT": b"521 5.3.2 down\r\n"}}), Case("RCPT 354", "one.example", {A: {"RCPT": b"354 hm\r\n"}}),
    Case("RCPT 552", "one.example", {A: {"RCPT": b"552 5.2.2 full\r\n"}}),
    Case("RCPT bad characters", "one.example", {A: {"RCPT": b"550 5.1.1 a\tb\x01c\xff(d) \r\n"}}),
    Case("RCPT late", "one.example", {A: {"RCPT": 2}}, {"smtp_rcpt_timeout": "1s"}), Case("RCPT bare newlines", "one.example", {A: {"RCPT": b"550-5.1.1 a\n550 5.1.1 b\n"}}),
    Case("several", "two.example", {A: {"RCPT TO:<carl@several.test>": REFUSED, "RCPT TO:<dora@several.test>": b"450 4.1.1 later\r\n"}}, recipients=("bob", "carl", "dora")),
    Case("pipelined", "two.example", {A: {"EHLO": b"250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8\r\n", "RCPT TO:<carl@pipelined.test>": REFUSED}}, recipients=("bob", "carl")),
    Case("null MX and fallback", "nomx.example", options={"smtp_fallback_relay": "[mx2.example]"}),
    Case("self and fallback", "self.example", options={"smtp_fallback_relay": "[mx2.example]"}),
    Case("temporary and fallback", "broken.example", options={"smtp_fallback_relay": "[mx2.example]"}),
    Case("list of failures", "broken.example, nonesuch.example"),
    Case("dead, then nonesuch", "dead.example, nonesuch.example"),
    Case("session limit reached before fallback", "two.example", {A: {"MAIL": b"450 a\r\n"}, B: {"MAIL": b"450 b\r\n"}},
         {"smtp_fallback_relay": "[192.0.2.3]"}),
    Case("greeting of junk", "one.example", {A: {"GREETING": b"hello there\r\n"}}, {"smtp_helo_timeout": "1s"}),
    Case("RCPT of junk", "one.example", {A: {"RCPT": b"what?\r\n"}}, {"smtp_rcpt_timeout": "1s"}),
    Case("MAIL 4xx for several", "two.example", {A: {"MAIL": b"450 later\r\n"}}, recipients=("bob", "carl")),
    Case("MAIL 5xx for several", "two.example", {A: {"MAIL": b"550 no\r\n"}}, recipients=("bob", "carl")),
    Case("hangs up between recipients", "two.example", {A: {"RCPT TO:<carl@hangs-up-between-recipients.test>": None}},
         recipients=("bob", "carl", "dora")),
    Case("SIZE too small", "two.example", {A: {"EHLO": b"250-mx.example\r\n250 SIZE 10\r\n"}}),
    Case("pipelined MAIL 5xx", "one.example", {A: {"EHLO": b"250-mx.example\r\n250 PIPELINING\r\n", "MAIL": b"550 5.7.1 no\r\n",
                                                  "RCPT": b"503 5.5.1 no sender\r\n"}}),
    Case("pipelined data as target", "one.example", {A: {"EHLO": b"250-mx.example\r\n250 PIPELINING\r\n"}},
         {"smtp_address_verify_target": "data"}, recipients=("bob", "carl")),
    Case("pipelined data refused", "one.example",
         {A: {"EHLO": b"250-mx.example\r\n250 PIPELINING\r\n", "DATA": b"450 4.7.1 no data\r\n"}},
         {"smtp_address_verify_target": "data"}),
    Case("data hangs up", "one.example", {A: {"DATA": None}}, options={"smtp_address_verify_target": "data"}),
    Case("discarded keywords", "one.example", {A: {"EHLO": b"250-mx.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n"}},
         {"smtp_discard_ehlo_keywords": "pipelining, size"}),
    Case("null sender", "one.example", sender=""),
    Case("HELO 5xx, next", "two.example", {A: {"EHLO": b"502 no\r\n", "HELO": b"550 5.7.1 no\r\n"}}),
    Case("QUIT late", "one.example", {A: {"QUIT": 2}}), Case("QUIT is waited for", "one.example", options={"smtp_skip_quit_response": "no"}),
    Case("data as target", "one.example", options={"smtp_address_verify_target": "data"}),
    Case("data refused as target", "one.example", {A: {"DATA": b"550 5.7.1 no data\r\n"}}, options={"smtp_address_verify_target": "data"}),
    Case("quoted", "one.example", recipients=('"a b"@quoted.test',)), Case("not quoted", "one.example", options={"smtp_quote_rfc821_envelope": "no"}, recipients=('"a b"@not-quoted.test',)),
    Case("both addresses", "both.example", {A: {"GREETING": b"421 no\r\n"}}),
    Case("LMTP by TCP", "inet:[mx1.example]:25", {A: {"RCPT": REFUSED}}, program="lmtp"), Case("LMTP default port", "inet:one.example", program="lmtp"),
    Case("LMTP by UNIX", "unix:LMTP", program="lmtp"), Case("LMTP without type", "[mx1.example]:25", program="lmtp"), Case("LMTP dead", "unix:/nonesuch/socket", program="lmtp"),
    Case("LMTP refused", "unix:LMTP", {"lmtp": {"LHLO": b"500 no\r\n"}}, program="lmtp"), Case("LMTP RCPT refused", "unix:LMTP", {"lmtp": {"RCPT": REFUSED}}, program="lmtp"),
]


if __name__ == "__main__":
    sys.exit(run_delivery_test(__file__, ZONE, CASES, compare_probes))
