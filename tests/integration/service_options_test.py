"""Whose options count: those of the smtpd entry for what smtpd does, those of the cleanup entry that it names for what
cleanup does, and those of the rewrite entry for addresses. The same master.cf with our mail system and with the
distribution's Postfix; replies, log and queue files must be the same.

usage: service_options_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import sys

from server import run_server_test
from two_systems import TwoSystems

MAIN_CF = {"remote_header_rewrite_domain": "domain.invalid", "always_bcc": "main@example.org", "notify_classes": ""}
# What the two programs do in turn: mappings, checks, copies, limits, the name in the log.
CLEANUP = {"virtual_alias_maps": "inline:{{bob@example.org=alias@example.org}}", "header_checks": "inline:{{x=y}}",
           "always_bcc": "copy@example.org", "delay_warning_time": "2h", "message_size_limit": "5000",
           "canonical_maps": "inline:{{ann@example.org=anna@example.org}}", "hopcount_limit": "3"}
SMTPD = {"smtpd_recipient_restrictions": "check_recipient_access inline:{{carl@example.org=REJECT}}, permit",
         "syslog_name": "postfix/submission", "message_size_limit": "9000", "mail_name": "Mail of smtpd"}
SERVICES = {
    # As guides for content filters have it: the first pass with one cleanup, the second with another.
    "first-pass": {"cleanup_service_name": "pre-cleanup"},
    "second-pass": {"cleanup_service_name": "cleanup"},
    # Options at the wrong place do nothing.
    "misplaced": dict(CLEANUP, cleanup_service_name="cleanup"),
    "misplaced-too": {"cleanup_service_name": "cleanup-of-smtpd"},
    "own": dict(SMTPD, cleanup_service_name="logged"),
    "rewritten": {"cleanup_service_name": "cleanup-rewritten"},
    "rewrites-itself": {"cleanup_service_name": "cleanup", "rewrite_service_name": "rewrite-bare",
                        "append_dot_mydomain": "no", "append_at_myorigin": "no"},
    "twice": {"cleanup_service_name": "double"},
    # Headers from outside: who decides whether, and with which domain?
    "remote-smtpd": {"cleanup_service_name": "cleanup", "local_header_rewrite_clients": "", "remote_header_rewrite_domain": ""},
    "remote-smtpd-too": {"cleanup_service_name": "cleanup-as-is", "local_header_rewrite_clients": "", "remote_header_rewrite_domain": "smtpd.invalid"},
    "remote-rewrite": {"cleanup_service_name": "cleanup-rewrite-as-is", "local_header_rewrite_clients": ""},
    "remote-cleanup": {"cleanup_service_name": "cleanup-as-is", "local_header_rewrite_clients": ""},
    # The services of a chain of names: by the name that the entry has, not by that of main.cf.
    "by-name": {"cleanup_service_name": "$chosen", "chosen": "pre-cleanup"},
}
PEERS = [
    ("pre-cleanup", "cleanup", {"virtual_alias_maps": "", "canonical_maps": "", "always_bcc": ""}),
    ("cleanup-of-smtpd", "cleanup", SMTPD),
    ("logged", "cleanup", {"syslog_name": "postfix/other", "message_size_limit": "3000"}),
    ("cleanup-rewritten", "cleanup", {"rewrite_service_name": "rewrite-bare"}),
    ("rewrite-bare", "trivial-rewrite", {"append_dot_mydomain": "no", "append_at_myorigin": "no", "swap_bangpath": "no"}),
    ("cleanup-as-is", "cleanup", {"remote_header_rewrite_domain": ""}),
    ("cleanup-rewrite-as-is", "cleanup", {"rewrite_service_name": "rewrite-as-is"}),
    ("rewrite-as-is", "trivial-rewrite", {"remote_header_rewrite_domain": "rewrite.invalid"}),
    # Of several entries with one name the last is the service.
    ("double", "cleanup", {"always_bcc": "one@example.org"}),
    ("double", "cleanup", {"canonical_maps": CLEANUP["canonical_maps"]}),
]
EHLO, MAIL, DATA, QUIT = (b"EHLO client.example\r\n", b"MAIL FROM:<ann@example.org>\r\n", b"DATA\r\n", b"QUIT\r\n")


def session(*recipients, mail=MAIL, text=b"Subject: hello\r\n\r\nbody\r\n.\r\n"):
    return [EHLO, mail] + [b"RCPT TO:<%s>\r\n" % each.encode() for each in recipients] + [DATA, text, QUIT]


BODY = b"\r\n" + (b"x" * 78 + b"\r\n")
TOO_LARGE = {2, 3, 4}  # Numbers of sessions that may meet a limit.
SESSIONS = [session("bob@example.org", "carl@example.org"), session("bob", "joe@host", "host!joe", mail=b"MAIL FROM:<ann@host>\r\n",
                                                                    text=b"From: ann@host\r\nTo: joe\r\n\r\nbody\r\n.\r\n"),
            session("bob@example.org", text=BODY * 45 + b".\r\n"), session("bob@example.org", text=BODY * 80 + b".\r\n"),
            session("bob@example.org", text=BODY * 130 + b".\r\n"),
            session("bob@example.org", text=b"Received: x\r\n" * 4 + b"\r\n.\r\n"),
            session("bob@example.org", mail=b"MAIL FROM:<ann@example.org> SIZE=7000\r\n")]


def run_checks(checks, bin_directory, directory):
    main_cf = dict(MAIN_CF, virtual_alias_maps="inline:{{bob@example.org=main-alias@example.org}}")
    with TwoSystems(bin_directory, directory, main_cf, SERVICES, PEERS) as systems:
        for service in SERVICES:
            for number, each in enumerate(SESSIONS):
                # Where cleanup ends first, Postfix's also tells what became of its streams.
                systems.compare(checks, "%s, %d" % (service, number), service, each, compares_log=number not in TOO_LARGE)


if __name__ == "__main__":
    sys.exit(run_server_test("a mail system", run_checks))
