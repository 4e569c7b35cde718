#!/usr/bin/env python3
"""Values that a parameter cannot have: what the distribution's daemons say of them when they start, and what our
postconf --strict says."""
import re
import socket
import sys
import time

from checks import run
from server import run_server_test
from stock_postfix import StockPostfix

DEADLINE = 60  # seconds, for all daemons to have ended

# A daemon that reads the parameter, and values of it.
CASES = [
    ("smtpd", "smtpd_delay_reject", ["x", ""]),
    ("smtpd", "smtpd_peername_lookup", ["1"]),
    ("smtpd", "smtpd_recipient_limit", ["0", "-1", "x", "", "1x", "2147483648", "99999999999"]),
    ("smtpd", "unverified_sender_defer_code", ["199", "500"]),
    ("smtpd", "smtpd_hard_error_limit", ["0", "x", "", "99999999999"]),
    ("smtpd", "queue_minfree", ["x", ""]),
    ("smtpd", "smtpd_timeout", ["0", "0s", "5y", "-1", "", "5 m", "1000000w", "99999999999"]),
    ("smtpd", "smtpd_banner", [""]),
    ("smtp", "smtp_helo_timeout", ["0"]),
    ("qmgr", "default_delivery_slot_discount", ["101"]),
    ("qmgr", "maximal_queue_lifetime", ["101d", "-1"]),
    ("qmgr", "minimal_backoff_time", ["0"]),
    ("local", "mailbox_size_limit", ["x", "9223372036854775808"]),
    ("postscreen", "postscreen_post_queue_limit", ["4", "x"]),
    ("bounce", "bounce_notice_recipient", [""]),
    ("qmgr", "bounce_queue_lifetime", ["8640001s"]),
]


class DaemonsWithBadValues(StockPostfix):
    """A service for each value: case0, case1, ..."""

    def __init__(self, values):
        self.values = values
        super().__init__({"smtpd": {}})

    def _write(self, main_cf):
        super()._write(main_cf)
        (self.directory / "mail.log").touch()
        with open(self.config / "master.cf", "a", encoding="ascii") as master_cf:
            for number, (daemon, name, value) in enumerate(self.values):
                master_cf.write("case%d unix - %s n - 1 %s\n  -o {%s = %s} -o syslog_name=case%d\n" %
                                (number, "n" if daemon == "local" else "-", daemon, name, value, number))

    def start_daemon(self, number):
        """By connecting to it; false: master does not listen there yet. The daemon ends without an answer."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.queue / "private" / ("case%d" % number))) == 0

    def complaints(self):
        """The first fatal error of each that had one, by its number."""
        found = {}
        for number, message in re.findall(r" case(\d+)/\w+\[\d+\]: fatal: (.*)$", self.log, re.M):
            found.setdefault(int(number), message)
        return found


def wanted_of(values):
    with DaemonsWithBadValues(values) as postfix:
        deadline = time.monotonic() + DEADLINE
        for number in range(len(values)):
            while not postfix.start_daemon(number) and time.monotonic() < deadline:
                time.sleep(0.1)
        while len(postfix.complaints()) < len(values) and time.monotonic() < deadline:
            time.sleep(0.1)
        return postfix.complaints()


def main(checks, bin_directory, directory):
    values = [(daemon, name, value) for daemon, name, each in CASES for value in each]
    (directory / "main.cf").write_text("compatibility_level = 3.6\nmyhostname = mail.example.org\n")
    (directory / "master.cf").touch()
    for number, message in sorted((wanted := wanted_of(values)).items()):
        _, name, value = values[number]
        done = run([bin_directory / "postconf", "-c", directory, "--strict", "%s=%s" % (name, value)])
        checks.equal("%s = %s" % (name, value), (done.status, done.err),
                     (1, "postconf: fatal: %s (--strict; nothing was changed)\n" % message))
    checks.equal("values that no daemon ended with", [values[i] for i in range(len(values)) if i not in wanted], [])


if __name__ == "__main__":
    sys.exit(run_server_test("bad values", main))
