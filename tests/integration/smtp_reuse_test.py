#!/usr/bin/env python3
"""Connections that our SMTP and LMTP client uses for one message after the other, beside the distribution's.

usage: smtp_reuse_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import sys

from delivery_cases import compare_deliveries, offers, run_delivery_test
from delivery_systems import Case

ZONE = """\
one.example. MX 10 mx1.example.
two.example. MX 10 mx1.example.
two.example. MX 20 mx2.example.
mx1.example. A 192.0.2.1
mx2.example. A 192.0.2.2
"""
A, B = "192.0.2.1", "192.0.2.2"
PIPELINES = {"EHLO": offers("PIPELINING")}
REFUSED = b"550 5.1.1 <bob>: no such user\r\n"
LATER = b"450 4.2.0 later\r\n"


def keeps(nexthop="one.example", **more):
    return {"smtp_connection_cache_destinations": nexthop, **more}


CASES = [
    Case("kept", "one.example", options=keeps(), messages=3), Case("kept, pipelined", "one.example", {A: PIPELINES}, keeps(), messages=3),
    Case("one message", "one.example", {A: PIPELINES}, keeps()),
    Case("not kept", "one.example", {A: PIPELINES}, messages=2),
    Case("another destination", "one.example", {A: PIPELINES}, keeps("two.example"), messages=2),
    Case("host in brackets", "[mx1.example]:25", {A: PIPELINES}, keeps("[mx1.example]:25"), messages=2),
    Case("host", "[mx1.example]:25", {A: PIPELINES}, keeps("mx1.example"), messages=2),
    Case("refused for all, pipelined, DATA taken", "one.example", {A: {**PIPELINES, "RCPT": [REFUSED, b"250 ok\r\n"]}}, keeps(), messages=2),
    Case("refused sender, pipelined", "one.example", {A: {**PIPELINES, "MAIL": [LATER, b"250 ok\r\n"], "RCPT": [LATER, b"250 ok\r\n"], "DATA": [LATER, b"354 go\r\n"]}}, keeps(), messages=2),
    Case("both reused", "two.example", {A: {**PIPELINES, "MAIL": LATER, "RCPT": LATER, "DATA": LATER}}, keeps("two.example"), messages=3),
    Case("reuse count", "one.example", {A: PIPELINES}, keeps(smtp_connection_reuse_count_limit="2"), messages=5),
    Case("refused recipient", "one.example", {A: {**PIPELINES, "RCPT": [REFUSED, b"250 ok\r\n"], "DATA": [b"503 no\r\n", b"354 go\r\n"]}}, keeps(), messages=2),
    Case("refused sender", "one.example", {A: {"MAIL": [LATER, b"250 ok\r\n"]}}, keeps(), messages=2),
    Case("refused content", "one.example", {A: {**PIPELINES, "END": [b"554 no\r\n", b"250 ok\r\n"]}}, keeps(), messages=2),
    Case("deferred content", "one.example", {A: {**PIPELINES, "END": [LATER, b"250 ok\r\n"]}}, keeps(), messages=2),
    Case("421 for content", "one.example", {A: {**PIPELINES, "END": [b"421 bye\r\n", b"250 ok\r\n"]}}, keeps(), messages=2),
    Case("421 for sender", "one.example", {A: {"MAIL": [b"421 bye\r\n", b"250 ok\r\n"]}}, keeps(), messages=2),
    Case("RSET refused", "one.example", {A: {"RSET": b"500 no\r\n"}}, keeps(), messages=2),
    Case("RSET hangs up", "one.example", {A: {**PIPELINES, "RSET": None}}, keeps(), messages=2),
    Case("reused, refused sender, next", "two.example", {A: {**PIPELINES, "MAIL": [b"250 ok\r\n", LATER]}}, keeps("two.example"), messages=2),
    Case("reused, hangs up at MAIL, next", "two.example", {A: {**PIPELINES, "MAIL": [b"250 ok\r\n", None]}}, keeps("two.example"), messages=2),
    Case("reused, hangs up at MAIL", "one.example", {A: {**PIPELINES, "MAIL": [b"250 ok\r\n", None]}}, keeps(), messages=2),
    Case("greeting refused", "one.example", {A: {"GREETING": b"421 no\r\n"}}, keeps(), messages=2),
    Case("hangs up after message", "one.example", {A: {**PIPELINES, "END": None}}, keeps(), messages=2),
    Case("QUIT is waited for", "one.example", {A: PIPELINES}, keeps(smtp_skip_quit_response="no"), messages=2),
    Case("LMTP", "unix:LMTP", {"lmtp": {"LHLO": offers("PIPELINING")}}, {"lmtp_connection_cache_destinations": "static:all"}, program="lmtp", messages=2),
    Case("login", "one.example", {A: {"EHLO": offers("PIPELINING", "AUTH PLAIN"), "AUTH": b"235 ok\r\n"}},
         keeps(smtp_sasl_auth_enable="yes", smtp_sasl_password_maps="static:a:b", smtp_sasl_security_options="noanonymous"), messages=2),
    Case("login by sender", "one.example", {A: {"EHLO": offers("PIPELINING", "AUTH PLAIN"), "AUTH": b"235 ok\r\n"}},
         keeps(smtp_sasl_auth_enable="yes", smtp_sasl_password_maps="static:a:b", smtp_sasl_security_options="noanonymous", smtp_sender_dependent_authentication="yes"), messages=2),
    Case("time limit", "one.example", {A: PIPELINES}, keeps(smtp_connection_cache_time_limit="1s")),
]



def without_waits(lines):
    """Where a server pipelines, we send RSET and what follows it in one write; Postfix waits for the reply."""
    return [line for before, line in zip([""] + lines, lines) if (before, line) != ("RSET", "(write)")]


def run_checks(*arguments):
    compare_deliveries(*arguments, settle=without_waits)


if __name__ == "__main__":
    sys.exit(run_delivery_test(__file__, ZONE, CASES, run_checks))
