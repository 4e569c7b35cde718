#!/usr/bin/env python3
"""reject_unverified_recipient and reject_unverified_sender: what is answered, what the log says of the probe, and what is
remembered, ours and the distribution's (ADDRESS_VERIFICATION_README).

    tests/integration/address_verification_test.py --bin build/dev/bin
"""
import os
import re
import shutil
import sys
import time

from checks import run
from mail_system import MailSystem
from server import NoServer, free_port, run_server_test, whole_lines
from stock_postfix import MAIN_CF, StockPostfix, exchange

TRANSPORTS = """\
bounced.example error:5.1.2 never heard of it
plain.example error:never heard of it
soft.example error:4.1.2 a soft code
unnamed.example error:
later.example retry:4.3.2 later
harder.example retry:5.3.2 a hard code
silent.example discard:silently
wordless.example discard:
code.example discard:4.4.4 a code
piped.example pipe:
nowhere.example nonesuch:
misplaced.example virtual:
"""
ALIASES = """\
ali root
both root, nobody
owner-both root
list :include:{directory}/list
command "|/bin/cat"
file {directory}/file
self self
"""
AGENTS = """\
smtp unix - - n - - smtp
local unix - n n - - local
virtual unix - n n - - virtual
pipe unix - n n - - pipe flags=F user=nobody argv=/bin/cat -
"""
STOCK_ONLY = """\
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
"""
OURS_ONLY = """\
rewrite unix - - n - - trivial-rewrite
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
verify unix - - n - 1 verify
"""

SERVICES = {
    "usual": {"smtpd_recipient_restrictions": "reject_unverified_recipient"},
    "permanent": {"smtpd_recipient_restrictions": "reject_unverified_recipient", "unverified_recipient_reject_code": "550",
                  "unverified_recipient_defer_code": "451"},
    "reasons": {"smtpd_recipient_restrictions": "reject_unverified_recipient",
                "unverified_recipient_reject_reason": "ask the postmaster"},
    "impatient": {"smtpd_recipient_restrictions": "reject_unverified_recipient", "address_verify_poll_count": "1"},
    "sender": {"smtpd_sender_restrictions": "reject_unverified_sender", "smtpd_recipient_restrictions": ""},
}
# Service, recipient; the sender is the same for all.
CASES = [
    ("usual", "x@bounced.example"), ("usual", "x@plain.example"), ("usual", "x@soft.example"), ("usual", "x@later.example"),
    ("usual", "x@unnamed.example"), ("usual", "x@harder.example"), ("usual", "x@wordless.example"), ("usual", "x@code.example"),
    ("usual", "x@silent.example"), ("usual", "x@piped.example"), ("usual", "x@nowhere.example"),
    ("usual", "root@example.org"), ("usual", "ROOT@example.org"), ("usual", "nosuch@example.org"),
    ("usual", "ali@example.org"), ("usual", "Ali@example.org"), ("usual", "ali+ext@example.org"), ("usual", "both@example.org"),
    ("usual", "owner-both@example.org"), ("usual", "list@example.org"), ("usual", "command@example.org"),
    ("usual", "file@example.org"), ("usual", "self@example.org"), ("usual", "daemon+ext@example.org"),
    ("usual", "daemon"), ("usual", "nosuch"),
    ("usual", "box@v.example"), ("usual", "dir@v.example"), ("usual", "nobox@v.example"), ("usual", "x@misplaced.example"),
    ("usual", "one@alias.example"), ("usual", "two@alias.example"), ("usual", "none@alias.example"),
    # Known by now.
    ("usual", "x@bounced.example"), ("usual", "root@example.org"),
    ("permanent", "x@bounced.example"), ("permanent", "x@later.example"), ("permanent", "y@bounced.example"),
    ("permanent", "root@example.org"), ("reasons", "x@bounced.example"), ("reasons", "x@later.example"),
    ("impatient", "z@bounced.example"), ("impatient", "z@bounced.example"),
    ("sender", "root@example.org"),
]


def parameters(directory):
    return {
        "transport_maps": "texthash:%s/transports" % directory,
        "alias_maps": "texthash:%s/aliases" % directory,
        "recipient_delimiter": "+",
        "virtual_mailbox_domains": "v.example",
        "virtual_mailbox_maps": "inline:{box@v.example=box, dir@v.example=dir/}",
        "virtual_mailbox_base": str(directory),
        "virtual_uid_maps": "static:1000",
        "virtual_gid_maps": "static:1000",
        "virtual_alias_domains": "alias.example",
        "virtual_alias_maps": "inline:{one@alias.example=nosuch@example.org, "
                              "two@alias.example={root@example.org,nosuch@example.org}}",
        "address_verify_poll_delay": "2",
    }


class Stock(StockPostfix):
    def _write(self, main_cf):
        super()._write(main_cf)
        with open(self.config / "master.cf", "a", encoding="ascii") as master_cf:
            master_cf.write(AGENTS + STOCK_ONLY)


class Ours(MailSystem):
    def __init__(self, bin_directory, directory, main_cf):
        super().__init__(bin_directory, directory,
                         "".join("%s = %s\n" % item for item in {**MAIN_CF, **main_cf}.items()))
        self.ports = {name: free_port() for name in SERVICES}
        self.entries = [OURS_ONLY, AGENTS.replace("smtp unix - - n - - smtp\n", "")]
        for name, options in SERVICES.items():
            self.entries.append("127.0.0.1:%d inet n - n - - smtpd\n" % self.ports[name])
            self.entries += ["  -o {%s = %s}\n" % item for item in options.items()]
        self.write_master_cf()


def settle(line):
    line = re.sub(r"\b[0-9A-F]{8,}:", "ID:", line)
    return re.sub(r"delay=[0-9.]+, delays=[0-9./]+", "delay=D, delays=D", line)


def answers(ports, log):
    """For each case: the reply to RCPT, and the line of the log about its probe. `log` gives all of the log."""
    found, seen = [], 0
    for service, recipient in CASES:
        replies = exchange(ports[service], [b"EHLO client.example\r\n", b"MAIL FROM:<ann@example.org>\r\n",
                                            b"RCPT TO:<%s>\r\n" % recipient.encode()])
        if service == "impatient":
            time.sleep(1)
        lines = re.findall(r"postfix/(\w+)\[\d+\]: (.*status=.*)\n", log()[seen:])
        seen = len(log())
        found.append((replies[3].decode(), ["%s: %s" % (program, settle(line)) for program, line in lines]))
    return found


def remembered(bin_directory, config, data):
    """Address, status and reason of each entry of the cache; of a copy, as Postfix's daemon keeps its lock."""
    copy = shutil.copy(data / "verify_cache.db", config / "cache.db")
    listing = run([bin_directory / "postmap", "-c", config, "-s", "btree:" + str(copy)[:-3]]).out
    entries = {}
    for line in listing.splitlines():
        key, _, value = line.partition("\t")
        if not key.startswith("_"):
            status, _, _, reason = value.split(":", 3)
            entries[key] = status, reason
    return entries


def check_expiry(checks, bin_directory, directory, main_cf):
    """What the cache says counts until it expires; then it is asked for again, and cleaned away."""
    now = int(time.time())
    day = 86400
    cache = {"fresh@bounced.example": (0, now - day), "old@bounced.example": (0, now - 40 * day),
             "gone@silent.example": (2, now - day), "again@silent.example": (2, now - 4 * day),
             "refreshed@bounced.example": (0, now - 10 * day)}
    ours = Ours(bin_directory, directory, main_cf)
    data = directory / "data"
    data.mkdir()
    lines = "".join("%s %d:0:%d:remembered\n" % (key, status, updated) for key, (status, updated) in cache.items())
    (data / "source").write_text(lines)
    run([bin_directory / "postmap", "-c", ours.config, "-i", "btree:%s/verify_cache" % data], stdin=lines.encode())
    if os.geteuid() == 0:
        run(["chown", "-R", "postfix", data])
    with ours:
        for recipient, code in (("fresh@bounced.example", 250), ("old@bounced.example", 450), ("gone@silent.example", 450),
                                ("again@silent.example", 250), ("refreshed@bounced.example", 250)):
            reply = exchange(ours.ports["usual"], [b"EHLO c\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<%s>\r\n" %
                                                   recipient.encode()])[3]
            checks.check("the cache: %s" % recipient, reply.startswith(b"%d" % code), reply)
        log = ours.log()
        checks.check("the cache: what is cleaned away", "full cleanup: retained=3 dropped=2 entries" in log, log)
        # A failure does not replace what succeeded and has not expired.
        ours.wait_for(lambda: "to=<refreshed@bounced.example>" in ours.log())
    entries = remembered(bin_directory, ours.config, data)
    checks.check("the cache: a refreshment that fails", entries.get("refreshed@bounced.example") == ("0", "remembered"), entries)
    checks.check("the cache: what expired is found out anew", entries.get("old@bounced.example", ("",))[0] == "2" and
                 entries.get("again@silent.example") == ("0", "silently"), entries)


def run_checks(checks, bin_directory, directory):
    directory.chmod(0o755)
    (directory / "transports").write_text(TRANSPORTS)
    (directory / "aliases").write_text(ALIASES.format(directory=directory))
    main_cf = parameters(directory)
    for name in ("ours", "aged"):
        (directory / name).mkdir()
        (directory / name).chmod(0o755)
    check_expiry(checks, bin_directory, directory / "aged", main_cf)
    with Ours(bin_directory, directory / "ours", main_cf) as ours:
        got = answers(ours.ports, ours.log)
    got_entries = remembered(bin_directory, ours.config, ours.directory / "data")
    try:
        with Stock(SERVICES, main_cf) as stock:
            wanted = answers(stock.ports, lambda: whole_lines(stock.directory / "mail.log"))
            wanted_entries = remembered(bin_directory, stock.config, stock.directory / "data")
    except NoServer as reason:
        checks.skip("the distribution's Postfix", str(reason))
        return
    for case, our, their in zip(CASES, got, wanted):
        checks.check("%s %s: the reply" % case, our[0] == their[0], "got %r, wanted %r" % (our[0], their[0]))
        checks.check("%s %s: the log" % case, our[1] == their[1], "got %r, wanted %r" % (our[1], their[1]))
    for key in sorted({*got_entries, *wanted_entries}):
        checks.check("remembered of %s" % key, got_entries.get(key) == wanted_entries.get(key),
                     "got %r, wanted %r" % (got_entries.get(key), wanted_entries.get(key)))


if __name__ == "__main__":
    sys.exit(run_server_test("address verification", run_checks))
