#!/usr/bin/env python3
"""Compare the restriction engine with a stock smtpd, on random restriction lists and random sessions.

Usage: access_differential.py --ours PROGRAM [--count N] [--seed S] [--only K]

Each of N configurations has random smtpd_*_restrictions, tables and settings, and some sessions. The stock smtpd gets the
client from XCLIENT, on loopback, in a network of its own; both sides have the same name server. Replies are compared, and
what is logged about the verdicts. A configuration depends only on the seed and its number, so that a failure can be
repeated with --seed and --only.

Needs root, for the namespaces. The last line is "N passed, N failed"; the exit status is 1 when any failed or none ran.
"""
import argparse
import contextlib
import os
import pathlib
import random
import re
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from dns_server import DnsServer  # noqa: E402
from stock_smtpd import Smtp, StockSmtpd, enter_namespaces  # noqa: E402

BATCH = 40  # services of one stock master
POLICY_PORT = 9998

ZONE = """
example.com MX 10 mail.example.com
example.com MX 20 backup.example.com
mail.example.com A 192.0.2.1
mail.example.com AAAA 2001:db8::1
backup.example.com A 192.0.2.3
example.com A 192.0.2.2
example.com NS ns1.example.com
ns1.example.com A 192.0.2.53
alias.example.com CNAME example.com
dangling.example.com CNAME nowhere.example.com
nullmx.example MX 0 .
tempfail.example SERVFAIL
aonly.example A 192.0.2.9
v6only.example AAAA 2001:db8::5
mxbroken.example MX 10 nohost.invalid
mxtemp.example MX 10 host.tempfail.example
host.tempfail.example SERVFAIL
txtonly.example TXT hello
nsonly.example NS ns1.example.com
7.2.0.192.rbl.example A 127.0.0.2
7.2.0.192.rbl.example TXT "listed, see http://rbl.example/"
8.2.0.192.rbl.example A 127.0.0.4
7.2.0.192.tempfail.example SERVFAIL
example.com.rhsbl.example A 127.0.0.2
client.example.rhsbl.example A 127.0.0.3
client.example.rhsbl.example TXT "a \\ domain"
aonly.example.tempfail.example SERVFAIL
client.example.tempfail.example SERVFAIL
client.example A 192.0.2.7
client.example NS ns1.example.com
rev.example A 192.0.2.77
mxloop.example MX 10 mail.example.com
mxloop.example MX 20 own.example
own.example A 192.0.2.77
mxself.example MX 10 own.example
mxself.example MX 20 mail.example.com
"""

MAIN = {
    "myhostname": "mx.test.example", "mydestination": "local.example", "relay_domains": "relay.example",
    "mynetworks": "10.0.0.0/8, 192.0.2.11", "proxy_interfaces": "192.0.2.77", "alias_maps": "",
    "local_recipient_maps": "inline:{ann=x, {box@local.example=x}}", "virtual_alias_domains": "va.example",
    "virtual_alias_maps": "inline:{{bob@va.example=ann@local.example}}", "virtual_mailbox_domains": "vm.example",
    "virtual_mailbox_maps": "inline:{{eve@vm.example=x}}", "relay_recipient_maps": "inline:{{r@relay.example=x}}",
    "relocated_maps": "inline:{{old@local.example=new@x.example}}",
    "canonical_maps": "inline:{{canon@local.example=ann@local.example}}",
    "smtpd_sender_login_maps": "inline:{{own@local.example=joe},{@example.com=joe sue},{ann=ann}}",
    "smtpd_sasl_type": "dovecot", "recipient_delimiter": "+", "smtpd_policy_service_retry_delay": "1",
    "smtpd_restriction_classes": "class_a, class_b",
    "class_a": "check_client_access inline:{{client.example=DUNNO},{192.0.2.8=REJECT}}, reject_unknown_sender_domain",
    "class_b": "permit_mynetworks, class_a, warn_if_reject reject_unknown_helo_hostname",
}

DOMAINS = ("example.com alias.example.com nullmx.example tempfail.example aonly.example v6only.example mxbroken.example "
           "mxtemp.example txtonly.example nsonly.example nxdomain.example dangling.example.com local.example relay.example "
           "va.example vm.example sub.relay.example mx.test.example foo [192.0.2.1] x.mail.example.com mxloop.example "
           "mxself.example").split()
USERS = "a ann bob eve r own old canon box user+ext postmaster joe".split()
HELOS = ("client.example example.com foo foo..bar -foo.example foo_bar.example [192.0.2.1] [1.2.3] 192.0.2.1 nxdomain.example "
         "tempfail.example nullmx.example txtonly.example aonly.example b.123 a.b. [ipv6:2001:db8::1] _ "
         "alias.example.com").split()
CLIENTS = (
    "NAME=client.example ADDR=192.0.2.7 PORT=4567 REVERSE_NAME=client.example",
    "NAME=[UNAVAILABLE] ADDR=192.0.2.8 PORT=1 REVERSE_NAME=[UNAVAILABLE]",
    "NAME=[TEMPUNAVAIL] ADDR=192.0.2.9 PORT=2 REVERSE_NAME=[TEMPUNAVAIL]",
    "NAME=[UNAVAILABLE] ADDR=192.0.2.10 PORT=3 REVERSE_NAME=rev.example",
    "NAME=aonly.example ADDR=192.0.2.11 PORT=25 REVERSE_NAME=aonly.example",
    "NAME=a.b.example.com ADDR=10.1.2.3 PORT=4 REVERSE_NAME=other.example.com",
)
TEXTS = ("", " go away", " 5.1.1 gone", " 4.2.2 later", " 5.1.8 bad domain", " 5.7.1 policy", " 5.1.10 x", " 5.9.9.9 x")
RBL = ("rbl.example", "rbl.example=127.0.0.2", "rbl.example=127.0.0.[3..5;9]", "tempfail.example", "none.example")
RHSBL = ("rhsbl.example", "rhsbl.example=127.0.0.[0..2]", "tempfail.example", "none.example")


class Configuration:
    def __init__(self, seed, number):
        self.random = random.Random("%d:%d" % (seed, number))
        self.number = number
        self.settings = self.make_settings()
        self.sessions = [self.make_session() for _ in range(self.random.randint(4, 9))]

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    def action(self, allow_ok=True):
        kind = self.random.randrange(14)
        text = self.random.choice(TEXTS)
        if kind < 3 and allow_ok:
            return self.pick("OK", "DUNNO", "123")
        return self.pick("DUNNO", "REJECT" + text, "REJECT" + text, "DEFER" + text, "DEFER_IF_REJECT" + text,
                         "DEFER_IF_PERMIT" + text, "DEFER_IF_PERMIT" + text, "450" + (text or " x"), "550" + (text or " x"),
                         "421 bye", "HOLD" + text, "DISCARD" + text, "FILTER smtp:[127.0.0.1]", "FILTER", "REDIRECT x@y.example",
                         "BCC x@y.example", "BCC x", "INFO" + text, "WARN" + text, "PREPEND X-Test: y", "PREPEND",
                         "permit_mynetworks", "reject_unauth_destination", "class_a", "no_such_thing",
                         "warn_if_reject reject_unknown_sender_domain", "reject_rbl_client rbl.example",
                         "defer_if_permit", "permit", "reject", "RELAY", "check_client_access static:x")

    def table(self, keys, allow_ok=True):
        if self.chance(0.03):
            return "fail:x"
        if self.chance(0.15):
            return "static:{%s}" % self.action(allow_ok)
        chosen = self.random.sample(keys, min(len(keys), self.random.randint(1, 4)))
        return "inline:{%s}" % ",".join("{%s=%s}" % (key, self.action(allow_ok)) for key in chosen)

    def address_keys(self):
        return ["%s@%s" % (self.random.choice(USERS), self.random.choice(DOMAINS)) for _ in range(4)] + \
            [self.random.choice(USERS) + "@", self.random.choice(DOMAINS), "user@example.com", "example.com", "local.example",
             "<>", "example"]

    def host_keys(self):
        return ["client.example", "example", "example.com", "unknown", "192.0.2.7", "192.0.2", "192", "10", "10.1.2.3",
                "mail.example.com", "ns1.example.com", "192.0.2.1", "192.0.2.53", "2001:db8", "rev.example", "foo",
                "nohost.invalid"]

    def restriction(self):
        kind = self.random.randrange(40)
        if kind < 8:
            subject = self.pick("client", "helo", "sender", "recipient", "reverse_client_hostname")
            keys = self.address_keys() if subject in ("sender", "recipient") else self.host_keys()
            return "check_%s_access %s" % (subject, self.table(keys, subject != "reverse_client_hostname"))
        if kind < 12:
            subject = self.pick("client", "helo", "sender", "recipient", "reverse_client_hostname")
            return "check_%s_%s_access %s" % (subject, self.pick("a", "mx", "ns"),
                                              self.table(self.host_keys(), self.chance(0.2)))
        if kind < 15:
            return self.pick("reject_rbl_client", "permit_dnswl_client", "reject_rbl_client") + " " + self.random.choice(RBL)
        if kind < 18:
            return self.pick("reject_rhsbl_client", "reject_rhsbl_sender", "reject_rhsbl_recipient", "reject_rhsbl_helo",
                             "reject_rhsbl_reverse_client", "permit_rhswl_client") + " " + self.random.choice(RHSBL)
        if kind < 19:
            return "check_sasl_access inline:{{joe=%s},{sue=%s}}" % (self.action(), self.action())
        if kind < 20:
            return "check_policy_service " + self.pick(
                "inet:127.0.0.1:%d" % POLICY_PORT,
                "{inet:127.0.0.1:%d, policy_context=x, timeout=5s}" % POLICY_PORT,
                "{inet:127.0.0.1:9, retry_delay=1, try_limit=1, default_action=DUNNO}",
                "{inet:127.0.0.1:9, retry_delay=1, try_limit=1, {default_action=451 4.3.5 Oh no}}")
        return self.pick(
            "permit_mynetworks", "permit_sasl_authenticated", "permit_auth_destination", "permit_mx_backup",
            "reject_unauth_destination", "defer_unauth_destination", "reject_non_fqdn_sender", "reject_non_fqdn_recipient",
            "reject_non_fqdn_helo_hostname", "reject_unknown_sender_domain", "reject_unknown_recipient_domain",
            "reject_unknown_helo_hostname", "reject_invalid_helo_hostname", "reject_unknown_client_hostname",
            "reject_unknown_reverse_client_hostname", "reject_unlisted_sender", "reject_unlisted_recipient",
            "reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch",
            "reject_unauthenticated_sender_login_mismatch", "reject_known_sender_login_mismatch",
            "reject_multi_recipient_bounce", "reject_plaintext_session", "reject_unauth_pipelining", "defer_if_permit",
            "defer_if_reject", "permit_tls_clientcerts", "permit_tls_all_clientcerts", "class_a", "class_b", "no_such_thing",
            "check_ccert_access static:REJECT", "reject_unknown_client", "permit", "reject", "defer")

    def restrictions(self, most):
        parts = []
        for _ in range(self.random.randint(0, most)):
            parts.append(("warn_if_reject " if self.chance(0.12) else "") + self.restriction())
        return ", ".join(parts)

    def undecided(self, most):
        """Restrictions that do not make the rest of a list unreachable, each with a comma behind it."""
        chosen = (self.restriction() for _ in range(self.random.randint(0, most)))
        return "".join(each + ", " for each in chosen if each not in ("permit", "reject", "defer"))

    def early_restrictions(self, most):
        """Of lists ahead of the sender's. There Postfix looks up an unlisted sender for every other recipient only: it remembers that
        it has looked until the sender's list comes, which it does not after a rejection. Ours looks each time."""
        return ", ".join(each for each in self.restrictions(most).split(", ") if "reject_unlisted_sender" not in each)

    def make_settings(self):
        settings = {"smtpd_client_restrictions": self.early_restrictions(2), "smtpd_helo_restrictions": self.early_restrictions(2),
                    "smtpd_sender_restrictions": self.restrictions(2), "smtpd_recipient_restrictions": self.restrictions(4),
                    "smtpd_data_restrictions": self.restrictions(1), "smtpd_etrn_restrictions": self.restrictions(1),
                    "smtpd_relay_restrictions": self.pick("permit_mynetworks, reject_unauth_destination", "reject_unauth_destination",
                                                          "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
                                                          self.undecided(2) + "reject_unauth_destination"),
                    "smtpd_sasl_auth_enable": "yes", "smtpd_delay_reject": self.pick("yes", "yes", "yes", "no"),
                    "fast_flush_domains": "example.com, relay.example"}
        for name, values in (("smtpd_reject_unlisted_recipient", ("yes", "no")), ("smtpd_reject_unlisted_sender", ("yes", "no")),
                             ("smtpd_relay_before_recipient_restrictions", ("yes", "no")), ("soft_bounce", ("yes", "no", "no")),
                             ("unknown_address_reject_code", ("450", "550")), ("unknown_client_reject_code", ("450", "550")),
                             ("unknown_hostname_reject_code", ("450", "550")), ("maps_rbl_reject_code", ("554", "450")),
                             ("unknown_address_tempfail_action", ("defer", "defer_if_permit")),
                             ("unknown_helo_hostname_tempfail_action", ("defer", "defer_if_permit")),
                             ("access_map_reject_code", ("554", "550")), ("access_map_defer_code", ("450", "451")),
                             ("relay_domains_reject_code", ("554", "550")), ("non_fqdn_reject_code", ("504", "450")),
                             ("plaintext_reject_code", ("450", "550")), ("smtpd_client_port_logging", ("no", "yes")),
                             ("parent_domain_matches_subdomains", ("smtpd_access_maps relay_domains", "relay_domains")),
                             ("smtpd_null_access_lookup_key", ("<>", "null@")),
                             ("smtpd_log_access_permit_actions", ("", "static:all", "OK permit_mynetworks")),
                             ("default_rbl_reply", ("$rbl_code Gone; $rbl_class [$rbl_what] $rbl_domain${rbl_reason?; $rbl_reason}",
                                                    "$rbl_code 4.7.9 $client $helo_name $sender_domain <$recipient_name>",
                                                    "nonsense $rbl_code")),
                             ("smtpd_dns_reply_filter", (r"pcre:{{/ MX / IGNORE}}", r"pcre:{{/ AAAA? / IGNORE}}", r"regexp:{{/ (mx 20|a 127\.0\.0\.2|txt) ?/ ignore}}",
                                                         r"pcre:{{/ A 192/ DUNNO}}")),
                             ("unknown_local_recipient_reject_code", ("550", "450"))):
            if self.chance(0.25):
                settings[name] = self.random.choice(values)
        return settings

    def address(self):
        if self.chance(0.04):
            return ""
        if self.chance(0.05):
            return self.pick("ann", "postmaster", "a%b@local.example", "x@y@local.example", "example.com!x", "a!b@relay.example",
                             '"a b"@example.com')
        return "%s@%s" % (self.random.choice(USERS), self.random.choice(DOMAINS))

    def make_session(self):
        client = self.random.choice(CLIENTS)
        if self.chance(0.25):
            client += " LOGIN=" + self.pick("joe", "sue", "ann")
        commands = ["XCLIENT " + client]
        if self.chance(0.95):
            commands.append(self.pick("EHLO", "EHLO", "HELO") + " " + self.random.choice(HELOS))
        if self.chance(0.08):
            return commands + ["ETRN " + self.pick("example.com", "relay.example")]
        commands.append("MAIL FROM:<%s>" % self.address())
        for _ in range(self.pick(1, 1, 2)):
            recipient = self.address() or "ann@local.example"
            commands.append("RCPT TO:<%s>" % recipient)
        if self.chance(0.3):
            commands.append("DATA")
        return commands


class PolicyServer(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            attributes = {}
            for line in self.rfile:
                if line != b"\n":
                    name, _, value = line.decode("utf-8", "replace").rstrip("\n").partition("=")
                    attributes[name] = value
                    continue
                answer = ("DUNNO", "REJECT policy says no", "DEFER_IF_PERMIT policy is slow", "WARN policy", "FILTER", "OK",
                          "450 4.1.8 policy")[len(attributes["recipient"] + attributes["policy_context"]) % 7]
                self.wfile.write(("action=%s\n\n" % answer).encode())
                attributes = {}


class SaslServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """As much of Dovecot's auth service as smtpd wants to see before it starts."""
    daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t%s\nDONE\n" % (b"0" * 32))
            for _ in self.rfile:
                pass


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()


# What Postfix remembers from session to session; says of its own client, which connects first; or says with each session,
# and we when the process starts. And what its later releases say.
OTHER_WARNINGS = r"RBL lookup error| for localhost: |is ignored$|will be removed from Postfix"


def log_of_interest(line):
    """What both must log, without what differs from run to run; None for the rest."""
    found = re.search(r"(?:NOQUEUE|QUEUEID|[0-9A-F]{8,}|[0-9b-df-hj-np-tv-zB-DF-HJ-NP-TV-Z]{12,}): "
                      r"((?:reject|reject_warning|discard|hold|filter|redirect|bcc|info|warn|permit): .*)", line)
    if found and "message-id=" not in line:
        return found.group(1).strip().replace(": XCLIENT from", ": CONNECT from")
    found = re.search(r"(?:/smtpd\[\d+\]: |^LOG )(warning: .*)", line)
    return found.group(1) if found and not re.search(OTHER_WARNINGS, found.group(1)) else None


def ask_stock(stock, port, session):
    before, wanted = len(stock.log_text()), stock.log_text().count("disconnect from") + 1
    client = Smtp(port, 30)
    replies = []
    if not client.greeting.startswith("220"):
        # With smtpd_delay_reject=no, the test's own address is judged first.
        client.close()
        return None
    for command in session:
        replies.append(client.ask(command))
        if command == "DATA" and replies[-1].startswith("354") or replies[-1] == "(closed)":
            break
    client.close()
    deadline = time.monotonic() + 5
    while stock.log_text().count("disconnect from") < wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    lines = [log_of_interest(line) for line in stock.log_text()[before:].splitlines() if " CONNECT from localhost" not in line]
    return [reply.splitlines()[0] for reply in replies], [line for line in lines if line]


def ask_ours(program, main_cf, zone, settings, session_list):
    options = ["%s=%s" % item for item in settings.items()]
    text = "".join("NEW\n" + "\n".join(session) + "\n" for session in session_list)
    done = subprocess.run([program, main_cf, zone] + options, input=text.encode(), capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        return "status %d: %s" % (done.returncode, done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8", "replace").splitlines()


def comparable(reply):
    """What depends on the rest of a server is left out: the greeting, and ETRN's and EHLO's answers."""
    if reply.endswith("Error: no valid recipients"):
        return "no valid recipients"
    if reply.startswith("4") and "Error: need " in reply:
        return "5" + reply[1:4] + "5" + reply[5:]
    return reply[:3] if reply.startswith(("220", "250")) else reply


def verdicts(lines):
    """What log_of_interest() gave, without the warnings."""
    return [line for line in lines if not line.startswith("warning: ")]


def compare(configuration, session, stock, ours):
    """Takes the answers to one session off the front of `ours`. Returns what differs."""
    replies, logs = [], []
    for _ in session:
        if not ours:
            break
        replies.append(ours.pop(0))
        while ours and ours[0].startswith("LOG "):
            line = log_of_interest(ours.pop(0))
            if line:
                logs.append(line)
    if stock is None:
        return None
    wanted, wanted_logs = stock
    if configuration.settings.get("smtpd_delay_reject") == "no":
        # Postfix judges this test's own client, too, and warns.
        logs, wanted_logs = verdicts(logs), verdicts(wanted_logs)
    got = [comparable(reply) for reply in replies[:len(wanted)]]
    # After a 421 or 521 the session is over.
    if wanted and wanted[-1] == "(closed)":
        got[-1] = "(closed)"
    # The stock server checks the syntax of addresses before anything else, which is not this program's job.
    for index, reply in enumerate(wanted):
        if reply.startswith(("501 5.1.", "503 5.5.1", "403 4.5.1", "503 5.7.0", "403 4.7.0", "459", "458", "554 5.5.1")) and session[index] != "DATA" or \
                "nested MAIL" in reply or "Access denied" == reply:
            return None
    differences = []
    if [comparable(reply) for reply in wanted] != got:
        differences.append("replies: stock %s, ours %s" % (wanted, replies))
    elif logs != wanted_logs:
        differences.append("log: stock %s\n  ours %s" % (wanted_logs, logs))
    return differences


def parse_options(programs):
    """The command line; `programs` is the option that says where ours are. `batches` of it has the configurations."""
    parser = argparse.ArgumentParser()
    parser.add_argument(programs, required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    options = parser.parse_args()
    numbers = [options.only] if options.only is not None else list(range(options.count))
    options.batches = [numbers[start:start + BATCH] for start in range(0, len(numbers), BATCH)]
    return options


@contextlib.contextmanager
def surroundings(prefix):
    """All servers that the configurations ask. Yields the file of the zone, and what main.cf has for all. REQUIRES: a namespace
    of its own."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir="/tmp") as scratch:
        directory = pathlib.Path(scratch)
        directory.chmod(0o755)
        zone = directory / "zone"
        zone.write_text(ZONE)
        serve(PolicyServer(("127.0.0.1", POLICY_PORT), PolicyServer.Handler))
        sasl = directory / "auth"
        serve(SaslServer(str(sasl), SaslServer.Handler))
        sasl.chmod(0o666)
        with DnsServer(ZONE, 53):
            yield zone, dict(MAIN, smtpd_sasl_path=sasl)


def show_differences(configuration, differences):
    print("FAIL configuration %d:\n  %s" % (configuration.number, "\n  ".join(
        "%s = %s" % item for item in configuration.settings.items() if item[1])))
    print("\n".join("  " + text for text in differences), flush=True)


def main():
    options = parse_options("--ours")
    if os.geteuid() != 0:
        print("skip: needs root for a network of its own")
        return 0
    enter_namespaces()
    passed = failed = sessions = 0
    with surroundings("pk-access-") as (zone, main_settings):
        for numbers in options.batches:
            batch = [Configuration(options.seed, number) for number in numbers]
            with StockSmtpd(main_settings, [each.settings for each in batch]) as stock:
                for port, each in zip(stock.ports, batch):
                    ours = ask_ours(options.ours, stock.config / "main.cf", zone, each.settings, each.sessions)
                    differences = [ours] if isinstance(ours, str) else []
                    for session in each.sessions:
                        if isinstance(ours, str):
                            break
                        try:
                            answer = ask_stock(stock, port, session)
                        except OSError as error:
                            differences.append("stock: %s: %s" % (error, stock.log_text()[-300:]))
                            break
                        found = compare(each, session, answer, ours)
                        sessions += found is not None
                        differences += ["%s\n  %s" % (session, text) for text in found or []]
                    if differences:
                        failed += 1
                        show_differences(each, differences)
                    else:
                        passed += 1
    print("%d sessions compared" % sessions)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
