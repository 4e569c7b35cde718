#!/usr/bin/env python3
"""Compare the speed of two implementations of postconf.

Usage: postconf_bench.py --ours BIN --stock BIN [--rounds N] [--directory DIR]

How it measures:

- Both programs run in turn, in the same process, round after round, and who
  goes first changes with each round: whatever else slows the machine down for
  a while slows down both.
- A program is started with posix_spawn, without a shell, with its standard
  streams on /dev/null.  Wall time runs from just before posix_spawn until
  wait4 returns; CPU time is user plus system time of the child, as wait4
  reports it.  Both contain loading the program, which is a large part of a
  short run.
- The first rounds only fill caches, and are not counted.
- Reads are of a realistic directory: a main.cf of about 120 lines and the
  usual master.cf.  Edits are of a main.cf of 5,000 lines with comments and
  continuation lines.  Every edit works on a fresh copy, which is made outside
  the measured time, and always changes the file.  Both programs write a
  temporary file, call fsync and rename it, so the wall time of an edit
  includes the file system; choose one with --directory.
- main.cf is made to look an hour old, since stock postconf sleeps when it reads
  a file that is only seconds old.

The median is the figure to look at; the minimum shows what remains without
disturbance.  The ratio is ours / stock, so lower is better, and the target is
the ratio that ours should not exceed.  This is no test: the exit status is
always 0, and "!" marks a command that did not do what it should have done.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile

import side_by_side

READ_TARGET = 0.4
EDIT_TARGET = 0.5
WARM_UP = 3
EDIT_LINES = 5000
EDITS = 100

# --------------------------------------------------------- configuration files

MAIN_CF = """\
# Configuration of a mail server with local, virtual and relayed domains.

compatibility_level = 3.6

# Identity
myhostname = mail.example.com
mydomain = example.com
myorigin = $mydomain
mydestination = $myhostname, localhost.$mydomain, localhost,
    $mydomain,
    mail.$mydomain
mynetworks = 127.0.0.0/8, 192.0.2.0/24, [::1]/128
inet_interfaces = all
inet_protocols = all
smtpd_banner = $myhostname ESMTP $mail_name
biff = no
append_dot_mydomain = no
recipient_delimiter = +

# Limits
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = $mailbox_size_limit
maximal_queue_lifetime = 3d
bounce_queue_lifetime = $maximal_queue_lifetime
delay_warning_time = 4h
minimal_backoff_time = 5m
maximal_backoff_time = 1h
default_process_limit = 150
smtpd_client_connection_count_limit = 20
smtpd_client_message_rate_limit = 100
anvil_rate_time_unit = 60s
default_destination_concurrency_limit = 10
smtp_destination_recipient_limit = 20
lmtp_destination_recipient_limit = 1
maildrop_destination_recipient_limit = 1

# Tables
indexed = hash:${config_directory}/tables/
alias_maps = hash:/etc/aliases
alias_database = $alias_maps
transport_maps = ${indexed}transport
sender_canonical_maps = ${indexed}sender_canonical
relocated_maps = ${indexed}relocated
smtp_generic_maps = ${indexed}generic
relay_domains = example.net, example.org
relay_recipient_maps = ${indexed}relay_recipients
sql = mysql:${config_directory}/sql/
virtual_mailbox_base = /var/mail/virtual
virtual_mailbox_domains = example.info, ${sql}domains.cf
virtual_mailbox_maps = ${indexed}mailboxes, mysql:accounts
virtual_alias_maps = ${indexed}virtual
    ${indexed}virtual.local
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
virtual_transport = lmtp:unix:private/dovecot-lmtp
accounts_user = postfix
accounts_password = secret
accounts_hosts = 127.0.0.1
accounts_dbname = mail
accounts_query = SELECT path FROM accounts WHERE address = '%s'

# TLS
tls_directory = /etc/ssl/mail
smtpd_tls_chain_files = $tls_directory/$myhostname.pem
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_protocols = >=TLSv1.2
smtpd_tls_session_cache_database = btree:${data_directory}/smtpd_scache
smtp_tls_security_level = dane
smtp_dns_support_level = dnssec
smtp_tls_loglevel = 1
smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt
smtp_tls_policy_maps = ${indexed}tls_policy
smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache
tls_preempt_cipherlist = yes
tls_medium_cipherlist = ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM

# Authentication
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_security_options = noanonymous
smtpd_sasl_tls_security_options = $smtpd_sasl_security_options
smtpd_sender_login_maps = $virtual_mailbox_maps

# Access
smtpd_helo_required = yes
disable_vrfy_command = yes
strict_rfc821_envelopes = yes
smtpd_delay_reject = yes
smtpd_restriction_classes = greylist, from_freemail_host
greylist = check_policy_service unix:private/policy
from_freemail_host = check_client_access ${indexed}freemail_hosts, reject
smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated,
    check_client_access cidr:${config_directory}/clients.cidr
smtpd_helo_restrictions = permit_mynetworks, reject_invalid_helo_hostname,
    reject_non_fqdn_helo_hostname
smtpd_sender_restrictions = reject_non_fqdn_sender,
    reject_unknown_sender_domain,
    check_sender_access ${indexed}senders
smtpd_relay_restrictions = permit_mynetworks
    permit_sasl_authenticated
    reject_unauth_destination
smtpd_recipient_restrictions =
    reject_non_fqdn_recipient
    reject_unknown_recipient_domain
    permit_mynetworks
    # The list of the provider comes before the public ones.
    reject_rbl_client list.example.com=127.0.0.[2..11]
    greylist
smtpd_data_restrictions = reject_unauth_pipelining
milter_protocol = 6
milter_default_action = ${stress?{accept}:{tempfail}}
smtpd_milters = inet:127.0.0.1:11332
non_smtpd_milters = $smtpd_milters
submission_recipient_restrictions =
    reject_non_fqdn_recipient, permit_sasl_authenticated, reject
"""

# name, type, private, unprivileged, chroot, wakeup, process limit, command
MASTER_CF = """\
smtp inet n - y - - smtpd
submission inet n - y - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_recipient_restrictions=$submission_recipient_restrictions
  -o { smtpd_relay_restrictions = permit_sasl_authenticated, reject }
submissions inet n - y - - smtpd
  -o syslog_name=postfix/submissions
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_recipient_restrictions=$submission_recipient_restrictions
pickup unix n - y 60 1 pickup
cleanup unix n - y - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - y 1000? 1 tlsmgr
rewrite unix - - y - - trivial-rewrite
bounce unix - - y - 0 bounce
defer unix - - y - 0 bounce
trace unix - - y - 0 bounce
verify unix - - y - 1 verify
flush unix n - y 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - y - - smtp
relay unix - - y - - smtp
  -o syslog_name=${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name
showq unix n - y - - showq
error unix - - y - - error
retry unix - - y - - error
discard unix - - y - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - y - - lmtp
anvil unix - - y - 1 anvil
scache unix - - y - 1 scache
postlog unix-dgram n - n - 1 postlogd
maildrop unix - n n - - pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
policy unix - n n - 0 spawn
  user=nobody argv=/usr/bin/policyd
"""


def large_main_cf(lines):
    """A main.cf of LINES lines, and the names that it sets."""
    out, names = [], []
    while len(out) < lines - 5:
        number = len(names)
        name = "site_setting_%04d" % number
        names.append(name)
        out.append("# Setting number %d, with a comment above it" % number)
        out.append("%s = value of %d, $mydomain, hash:/etc/postfix/table_%d"
                   % (name, number, number))
        if number % 3 == 0:
            out.append("    192.0.2.%d, 198.51.100.%d" % (number % 256, number % 256))
            out.append("    ${%s?{text}:{other text}}" % name[:-1])
        if number % 5 == 0:
            out.append("")
    out += ["# end"] * (lines - len(out))
    return "\n".join(out) + "\n", names


# --------------------------------------------------------------------- running

class Measurement:
    def __init__(self, title, target, arguments, directory, edit=None):
        self.title = title
        self.target = target
        self.arguments = arguments      # a function of the round's number
        self.directory = directory
        self.edit = edit                # None, or the contents to start from
        self.samples = {"ours": [], "stock": []}
        self.broken = set()

    def sample(self, label, program, number):
        main_cf = os.path.join(self.directory, "main.cf")
        if self.edit:
            write_old(main_cf, self.edit)
        usage = side_by_side.run([program, "-c", self.directory] + self.arguments(number))
        if usage.status != 0 or (self.edit and not self.changed(main_cf)):
            self.broken.add(label)
        if number >= 0:
            self.samples[label].append((usage.wall * 1000, usage.cpu * 1000))

    def changed(self, path):
        with open(path, encoding="utf-8") as stream:
            return stream.read() != self.edit


def write_old(path, text):
    # A new file each time, as after a fresh copy.
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
        # Writing out what the copy left behind is not the program's work.
        stream.flush()
        os.fsync(stream.fileno())
    side_by_side.make_old(path)


# --------------------------------------------------------------------- results

def row(measurement, what, index):
    values = {label: [s[index] for s in samples]
              for label, samples in measurement.samples.items()}
    middle = {label: statistics.median(v) for label, v in values.items()}
    least = {label: min(v) for label, v in values.items()}
    ratio = middle["ours"] / middle["stock"] if middle["stock"] else float("nan")
    least_ratio = least["ours"] / least["stock"] if least["stock"] else float("nan")
    marks = "".join(" !" + label for label in sorted(measurement.broken))
    return "%-24s %-5s %9.2f %9.2f %7.2f   %9.2f %9.2f %7.2f   %6.1f%s" % (
        measurement.title, what, middle["ours"], middle["stock"], ratio,
        least["ours"], least["stock"], least_ratio, measurement.target, marks)


def report(measurements):
    print("%-24s %-5s %9s %9s %7s   %9s %9s %7s   %6s" % (
        "", "", "median", "median", "", "minimum", "minimum", "", ""))
    print("%-24s %-5s %9s %9s %7s   %9s %9s %7s   %6s" % (
        "command", "ms", "ours", "stock", "ratio", "ours", "stock", "ratio", "target"))
    for measurement in measurements:
        print(row(measurement, "wall", 0))
        print(row(measurement, "cpu", 1))


def main():
    parser = argparse.ArgumentParser(description="Compare the speed of two postconf programs.")
    parser.add_argument("--ours", required=True, metavar="BIN")
    parser.add_argument("--stock", required=True, metavar="BIN")
    parser.add_argument("--rounds", type=int, default=100, metavar="N")
    parser.add_argument("--directory", metavar="DIR",
                        help="where to put temporary files (the usual place)")
    options = parser.parse_args()
    programs = {"ours": os.path.abspath(options.ours), "stock": os.path.abspath(options.stock)}
    for program in programs.values():
        if not os.access(program, os.X_OK):
            print("cannot run %s" % program)
            return 0

    top = tempfile.mkdtemp(prefix="postconf-bench-", dir=options.directory)
    try:
        small, large = os.path.join(top, "small"), os.path.join(top, "large")
        for directory in (small, large):
            os.mkdir(directory)
            write_old(os.path.join(directory, "master.cf"), MASTER_CF)
        write_old(os.path.join(small, "main.cf"), MAIN_CF)
        text, names = large_main_cf(EDIT_LINES)
        # Every so many names, so that the edits are spread over the file.
        spread = names[::len(names) // EDITS][:EDITS]

        def edits(chosen):
            return lambda number: ["-e"] + ["%s = round %d" % (n, number) for n in chosen]

        measurements = [
            Measurement("postconf", READ_TARGET, lambda _: [], small),
            Measurement("postconf -n", READ_TARGET, lambda _: ["-n"], small),
            Measurement("postconf -x", READ_TARGET, lambda _: ["-x"], small),
            Measurement("1 edit, %d lines" % EDIT_LINES, EDIT_TARGET,
                        edits([spread[EDITS // 2]]), large, text),
            Measurement("%d edits, %d lines" % (EDITS, EDIT_LINES), EDIT_TARGET,
                        edits(spread), large, text),
        ]
        rounds = max(options.rounds, 1)
        for number in range(-WARM_UP, rounds):
            for measurement in measurements:
                labels = ["ours", "stock"] if number % 2 else ["stock", "ours"]
                for label in labels:
                    measurement.sample(label, programs[label], number)
    finally:
        shutil.rmtree(top, ignore_errors=True)

    print("main.cf: %d lines (reads), %d lines (edits); %d rounds; times in milliseconds; "
          "ratio = ours / stock" % (MAIN_CF.count("\n"), text.count("\n"), rounds))
    report(measurements)
    return 0


if __name__ == "__main__":
    sys.exit(main())
