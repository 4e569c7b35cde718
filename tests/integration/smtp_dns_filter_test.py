#!/usr/bin/env python3
"""smtp_dns_reply_filter of our SMTP and LMTP client beside the distribution's: which records of an answer count, and what
becomes of mail where none do.

usage: smtp_dns_filter_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import sys

from delivery_cases import run_delivery_test
from delivery_systems import Case

ZONE = """\
one.example. MX 10 mx1.example.
two.example. MX 10 mx1.example.
two.example. MX 20 mx2.example.
two.example. MX 30 mx3.example.
mx1.example. A 192.0.2.1
mx1.example. A 192.0.2.3
mx1.example. AAAA 2001:db8::1
mx2.example. A 192.0.2.2
mx3.example. A 192.0.2.3
plain.example. A 192.0.2.1
alias.example. CNAME Two.Example.
Upper.example. MX 10 MX1.Example.
nullmx.example. MX 0 .
gone.example. MX 10 mxgone.example.
"""
SIX = "2001:0DB8::1"
FILTERS = {
    # The whole text that is looked for, in the log.
    "shown": r"pcre:{{/^(.*)$$/ SHOW <$$1>}}",
    "first host": r"pcre:{{/^two\.example\. \d+ IN MX 10 / IGNORE}}",
    "first address": r"regexp:{{/^mx1\.example\. [0-9]+ in a 192\.0\.2\.1$$/ ignore}}",
    "all hosts": r"pcre:{{/ MX / IGNORE}}", "all addresses": r"pcre:{{/ A / IGNORE, but why}}",
    "second table": r"inline:{{x=IGNORE}}, pcre:{{/ MX 10 / IGNORE}}",
    "capitals": r"pcre:{{/ MX 10 MX1/ IGNORE}}", "not folded": r"pcre:{{/(?-i) mx 10 mx1/i IGNORE}}",
    "six": r"pcre:{{/ AAAA 2001:db8::1$$/ IGNORE}}",
    "broken": "fail:dns", "nothing": "static:{}", "dunno": "static:DUNNO", "missing": "pcre:/no/such/file",
}
CASES = [Case("%s, %s" % (name, nexthop), nexthop, {}, {"smtp_dns_reply_filter": tables, **more})
         for name, tables in FILTERS.items()
         for nexthop, more in (("one.example", {}), ("two.example", {}), ("plain.example", {}), ("[mx1.example]", {}), ("upper.example", {}),
                               ("alias.example", {}))]
CASES += [Case("null MX, %s" % name, "nullmx.example", {}, {"smtp_dns_reply_filter": FILTERS[name]}) for name in ("shown", "all hosts")]
CASES += [Case("no host, %s" % name, "gone.example", {}, {"smtp_dns_reply_filter": FILTERS[name]}) for name in ("shown", "all addresses")]
CASES += [Case("IPv6, %s" % name, "[mx1.example]", {}, {"smtp_dns_reply_filter": FILTERS[name], "inet_protocols": "all"})
          for name in ("shown", "six", "all addresses")]
CASES.append(Case("LMTP, first address", "inet:mx1.example:25", {}, {"lmtp_dns_reply_filter": FILTERS["first address"]}, program="lmtp"))

if __name__ == "__main__":
    sys.exit(run_delivery_test(__file__, ZONE, CASES))
