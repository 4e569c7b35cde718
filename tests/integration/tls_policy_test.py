#!/usr/bin/env python3
"""TLS as the server offers it, against the distribution's Postfix with the same parameters, certificates and clients:
what is negotiated, what the log says, and what is in the Received: header.

usage: tls_policy_test.py --bin DIR
"""
import itertools
import re
import subprocess
import sys
import time

from beside_stock import OURS, SAME_FOR_BOTH
from certificates import CertificateDirectory
from checks import environment
from server import NoServer, find_program, run_server_test
from stock_postfix import StockPostfix, exchange

CLIENT = "unknown[127.0.0.1]"
DEADLINE = 30  # seconds, for one connection

class TlsPostfix(StockPostfix):
    """With the tlsmgr that session tickets need, and a log from the beginning."""

    def _write(self, main_cf):
        super()._write(main_cf)
        with open(self.config / "master.cf", "a") as master_cf:
            master_cf.write("tlsmgr unix - - n 1000? 1 tlsmgr\n")
        (self.directory / "mail.log").touch()


# Certificates, made by the openssl program.

class Certificates(CertificateDirectory):
    def __init__(self, directory):
        super().__init__(directory)
        self.self_signed("ca", "/O=Example/CN=Test CA")
        self.self_signed("self", "/CN=self signed")
        self.self_signed("org", "/O=Only Org")
        rsa, ec = ["-newkey", "rsa:2048"], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        self.issue("rsa", "/CN=mail.example.org", rsa)
        self.issue("other", "/CN=other.example.org", rsa)
        self.issue("ec", "/CN=mail.example.org", ec)
        self.issue("ec384", "/CN=mail.example.org", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"])
        self.issue("ed", "/CN=mail.example.org", ["-newkey", "ed25519"])
        self.issue("client", "/CN=client.example.org", rsa)
        self.issue("clientec", '/CN= !"#$%&\'()*,-.:;<=>?@[\\\\]^_`{|}~', ec)
        self.issue("cliented", "/CN=Ünï", ["-newkey", "ed25519"])
        self.issue("nocn", "/O=No CN", ec)
        self.issue("control", "/CN=a\tb", ec)
        self.issue("stranger", "/CN=by org", rsa, issuer="org")
        self.issue("expired", "/CN=expired", ec, days="-1")
        self.issue("purpose", "/CN=purpose", ec, extension="extendedKeyUsage=serverAuth")
        authority = "basicConstraints=CA:TRUE"
        for depth, issuer in (1, "ca"), (2, "middle1"), (3, "middle2"):
            self.issue("middle%d" % depth, "/CN=Middle %d" % depth, rsa, issuer=issuer, extension=authority)
            self.issue("deep%d" % depth, "/CN=deep %d" % depth, rsa, issuer="middle%d" % depth)
            with open(self.path("deep%d.pem" % depth), "a") as chain:
                for above in range(depth, 0, -1):
                    chain.write(self.path("middle%d.pem" % above).read_text())
        for path in directory.iterdir():
            path.chmod(0o644)


# One connection: what the server said of it.

class Account:
    """Lines of the log, and the comments of the header; what changes with each connection is replaced."""

    def __init__(self, log, comments):
        self.log = [self._settle(line) for line in log]
        self.comments = comments

    @staticmethod
    def _settle(line):
        return re.sub(r"key expiration: \d+", "key expiration: TIME", line)

    def __eq__(self, other):
        return (self.log, self.comments) == (other.log, other.comments)

    def __repr__(self):
        return "\n".join(self.log + [self.comments or "(no mail)"])


def client_arguments(arguments):
    return [find_program("openssl"), "s_client", "-quiet", "-crlf", "-connect", *arguments]


class Ours:
    """tests/tools/mta/tls_program.cc"""

    def __init__(self, program, directory, parameters):
        main_cf = directory / "ours.cf"
        main_cf.write_text("".join("%s = %s\n" % item for item in parameters.items()))
        self.process = subprocess.Popen([program, main_cf, CLIENT], stdout=subprocess.PIPE, text=True, errors="replace",
                                        env=environment())
        self.loading = []
        while not (line := self._line()).isdigit():
            self.loading.append(line)
        self.port = int(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("tls_program ended")
        return line.rstrip("\n")

    def account(self, arguments):
        subprocess.run(client_arguments(["127.0.0.1:%d" % self.port, *arguments]), stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=DEADLINE)
        log, comments = [], []
        while line := self._line():
            if line[0] == "R":
                comments.append(line[2:])
            else:
                log.append({"I": "", "W": "warning: ", "E": "error: "}[line[0]] + line[2:])
        return Account(log, "\n".join(comments) or None)


# What is not said by TLS.
NOT_TLS = re.compile(r"(connect|disconnect) from|lost connection|NOQUEUE|client=|improper command|non-SMTP|timeout after")


def stock_lines(postfix, service, start):
    """What the service logged from `start` on."""
    return re.findall(r"^\S+ +\S+ \S+ \S+ %s/smtpd\[\d+\]: (.*)$" % re.escape(service), postfix.log[start:], re.M)


def wait_for(condition):
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("Postfix does not answer")
        time.sleep(0.02)
    return found


def lines_of_session(postfix, service, start):
    """The same, when the session that began at `start` has ended."""
    return wait_for(lambda: (found := stock_lines(postfix, service, start)) and
                    any(line.startswith("disconnect from") for line in found) and found)


def visit(postfix, service):
    """Has the service load all that it has. What it logged so far."""
    start = len(postfix.log)
    exchange(postfix.port(service), [b"QUIT\r\n"])
    lines_of_session(postfix, service, start)
    return stock_lines(postfix, service, 0)


def stock_account(postfix, service, arguments):
    """Postfix's account of a connection, and of the mail that came with it."""
    start = len(postfix.log)
    incoming = postfix.queue / "incoming"
    before = set(incoming.iterdir())
    client = subprocess.Popen(client_arguments(["127.0.0.1:%d" % postfix.port(service), "-starttls", "smtp", *arguments]),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        for command, reply in [(b"EHLO client.example\n", b"250 "), (b"MAIL FROM:<>\n", b"250 "),
                               (b"RCPT TO:<user@example.org>\n", b"250 "), (b"DATA\n", b"354 "),
                               (b"Subject: x\n\nx\n.\n", b"250 "), (b"QUIT\n", b"221 ")]:
            client.stdin.write(command)
            client.stdin.flush()
            while (line := client.stdout.readline()) and not line.startswith(reply):
                pass
            if not line:
                break
    except BrokenPipeError:
        pass
    finally:
        client.kill()
        client.communicate()
    lines = lines_of_session(postfix, service, start)
    comments = None
    for path in set(incoming.iterdir()) - before:
        header = postfix.postcat(path).decode(errors="replace")
        found = re.search(r"\t(\(using .*?)\n\tby ", header, re.S)
        comments = found and found.group(1)
    return Account([line for line in lines if not NOT_TLS.search(line)], comments)


# The cases.

def with_key(certificates, name):
    return ["-cert", str(certificates.path(name + ".pem")), "-key", str(certificates.path(name + ".key")), "-cert_chain",
            str(certificates.path(name + ".pem"))]


ALL = ["-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
VERSIONS = [["-tls1", *ALL], ["-tls1_1", *ALL], ["-tls1_2", *ALL], ["-tls1_3"]]


def protocol_cases():
    lists = [">=TLSv1", ">=TLSv1.2", "<=TLSv1.2", "!TLSv1.2", "!SSLv2, !SSLv3, !TLSv1", "TLSv1.1:TLSv1.3", ">=0302 <=303",
             ">=TLSv1.3, <=TLSv1.2", ">=TLSv1.2 >=TLSv1 <=TLSv1.1", "", ">= TLSv1", "SSLv2", "TLSv1.2 !TLSv1.2", ">=0x0305"]
    return [("protocols %r" % text, {"smtpd_tls_protocols": text}, VERSIONS) for text in lists]


def cipher_cases():
    clients = [["-tls1_2", *ALL], ["-tls1_2", "-cipher", "ADH:AECDH:@SECLEVEL=0"],
               ["-tls1_2", "-cipher", "AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384"], ["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"],
               ["-tls1_2", "-cipher", "DHE-RSA-AES128-SHA256"]]
    settings = [{"smtpd_tls_ciphers": grade} for grade in ("null", "low", "medium", "HIGH", "export")]
    settings += [{"smtpd_tls_exclude_ciphers": text} for text in ("aNULL", "AES256, kDHE+aRSA", "AES128-SHA:SHA384")]
    settings += [{"tls_preempt_cipherlist": "yes"}, {"smtpd_tls_ask_ccert": "yes"},
                 {"smtpd_tls_security_level": "encrypt", "smtpd_tls_mandatory_ciphers": "high",
                  "smtpd_tls_exclude_ciphers": "aNULL", "smtpd_tls_mandatory_exclude_ciphers": "SHA384"}]
    return [(str(values), dict(values, smtpd_tls_loglevel="2"), clients) for values in settings]


def fact_cases(certificates):
    def chain(*keys):
        return {"smtpd_tls_chain_files": ", ".join(str(certificates.path(key + ".chain")) for key in keys)}

    ask = {"smtpd_tls_ask_ccert": "yes"}
    require = {"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes"}
    names = ["client", "clientec", "cliented", "nocn", "control", "self", "stranger", "expired", "purpose", "deep1", "deep2",
             "deep3"]
    as_clients = [with_key(certificates, name) for name in names]
    return [
        ("key exchange", {}, [["-groups", group] for group in ("X25519", "P-256", "P-521", "X448", "ffdhe2048")]),
        ("digest", {}, [["-sigalgs", "rsa_pss_rsae_sha512"], ["-tls1_2", "-sigalgs", "RSA+SHA384"]]),
        ("groups", {"tls_eecdh_auto_curves": "X25519 ffdhe2048"}, [["-groups", "ffdhe2048"], ["-groups", "P-256"]]),
        ("EC", chain("ec"), [[], ["-tls1_2"]]),
        ("EC and RSA", chain("rsa", "ec384"), [[], ["-sigalgs", "RSA-PSS+SHA256"], ["-tls1_2", "-cipher", "aRSA"]]),
        ("Ed25519", chain("ed"), [[], ["-tls1_2"]]),
        ("no certificate", {"smtpd_tls_chain_files": "", "smtpd_tls_cert_file": "none"},
         [["-tls1_2", "-cipher", "ADH:@SECLEVEL=0"], []]),
        ("certificates asked for", ask, [[], ["-tls1_2"], *as_clients]),
        ("certificates required", require, [["-tls1_2"], *as_clients]),
        ("depth 0", dict(require, smtpd_tls_ccert_verifydepth="0"), as_clients[-3:]),
        ("depth 1", dict(require, smtpd_tls_ccert_verifydepth="1"), as_clients[-3:]),
        ("level 2", dict(ask, smtpd_tls_loglevel="2"),
         [[], ["-tls1_2"], with_key(certificates, "client"), with_key(certificates, "stranger"),
          with_key(certificates, "cliented") + ["-tls1_2"]]),
        ("level 2, md5", dict(ask, smtpd_tls_loglevel="2", smtpd_tls_fingerprint_digest="md5"), [as_clients[0]]),
        ("level 0", {"smtpd_tls_loglevel": "0"}, [[]]),
    ]


def name_cases(certificates):
    table = "inline:{ {a.example = %s}, {.b.example = %s, %s}, {bad.example = %s} }" % (
        certificates.path("other.chain"), certificates.path("ec384.chain"), certificates.path("other.chain"),
        certificates.path("ca.srl"))
    names = ["a.example", "A.Example", "x.a.example", "x.y.b.example", "b.example", "bad.example", "localhost", "192.0.2.1",
             "a_b!.example", ".b.example", "a.example.", "-x.example", "x..b.example", "x_y.b.example"]
    clients = [["-servername", name] for name in names] + [["-servername", "x.b.example", "-tls1_2"]]
    return [("names", {"tls_server_sni_maps": table}, clients),
            ("names at level 0", {"tls_server_sni_maps": table, "smtpd_tls_loglevel": "0"}, clients[:3]),
            ("names that nobody knows", {"tls_server_sni_maps": "fail:x"}, [["-servername", "a.example"]])]


def load_cases(certificates):
    def path(name):
        return str(certificates.path(name))

    old = {"smtpd_tls_chain_files": ""}
    return [
        ("protocol list", {"smtpd_tls_protocols": "!bogus"}),
        ("no certificate", old),
        ("certificate before key", {"smtpd_tls_chain_files": path("rsa.pem")}),
        ("key alone", {"smtpd_tls_chain_files": path("rsa.key")}),
        ("mismatch", {"smtpd_tls_chain_files": path("other.key") + "," + path("rsa.pem")}),
        ("twice", {"smtpd_tls_chain_files": path("rsa.chain") + "," + path("other.chain")}),
        ("no PEM", {"smtpd_tls_chain_files": path("ca.srl")}),
        ("request", {"smtpd_tls_chain_files": path("rsa.csr")}),
        ("old, no key", dict(old, smtpd_tls_cert_file=path("rsa.pem"))),
        ("old, missing", dict(old, smtpd_tls_cert_file=path("missing"))),
        ("old, mismatch", dict(old, smtpd_tls_cert_file=path("rsa.pem"), smtpd_tls_key_file=path("other.key"))),
        ("old, other kind", dict(old, smtpd_tls_cert_file=path("rsa.pem"), smtpd_tls_key_file=path("ec.key"))),
        ("both", {"smtpd_tls_cert_file": path("rsa.pem")}),
        ("none, but asks", dict(old, smtpd_tls_cert_file="none", smtpd_tls_ask_ccert="yes")),
        ("options", {"tls_ssl_options": "bogus no_ticket", "tls_disable_workarounds": "0x1z"}),
        ("curves", {"tls_eecdh_auto_curves": "bogus secp256r1"}),
        ("curve twice", {"tls_eecdh_auto_curves": "X25519 X25519"}),
        ("DH file", {"smtpd_tls_dh1024_param_file": path("missing")}),
        ("digest", {"smtpd_tls_fingerprint_digest": "bogus"}),
        ("ticket cipher", {"tls_session_ticket_cipher": "aes-128-gcm"}),
        ("log level", {"smtpd_tls_loglevel": "bogus"}),
        ("level", {"smtpd_tls_security_level": "verify"}),
        ("required where optional", {"smtpd_tls_req_ccert": "yes"}),
        ("table", {"tls_server_sni_maps": "hash:" + path("missing")}),
    ]


def library_lines_last(lines):
    """An Error comes behind the reasons that OpenSSL gave; Postfix has it before them."""
    return sorted(lines, key=lambda line: "TLS library problem" in line)


def body(checks, programs, directory):
    program = programs / "tls_program"
    if not program.exists():
        raise NoServer("tls_program is not built")
    certificates = Certificates(directory)
    common = dict(SAME_FOR_BOTH, smtpd_tls_security_level="may", smtpd_tls_loglevel="1",
                  smtpd_tls_received_header="yes", smtpd_timeout="10s",
                  smtpd_tls_chain_files=certificates.path("rsa.chain"), smtpd_tls_CAfile=certificates.path("ca.pem"))
    sessions = protocol_cases() + cipher_cases() + fact_cases(certificates) + name_cases(certificates)
    loads = load_cases(certificates)
    services = {"s%d" % i: dict(values) for i, (_, values, *_) in enumerate(sessions + loads)}
    for name, values in services.items():
        values["syslog_name"] = name
    with TlsPostfix(services, dict(common)) as postfix:
        for service, (name, values, clients) in zip(services, sessions):
            visit(postfix, service)
            with Ours(program, directory, {**common, **OURS, **values}) as ours:
                for arguments in clients:
                    theirs = stock_account(postfix, service, arguments)
                    mine = ours.account(arguments)
                    if "smtpd_tls_req_ccert" in values and not any("Trusted TLS" in line for line in mine.log):
                        mine.comments = None  # The server takes no mail.
                    checks.equal("%s: %s" % (name, " ".join(a for a in arguments if "/" not in a)), repr(mine),
                                 repr(theirs))
        for service, (name, values) in zip(itertools.islice(services, len(sessions), None), loads):
            lines = visit(postfix, service)
            with Ours(program, directory, {**common, **OURS, **values}) as ours:
                mine = [{"I": "", "W": "warning: ", "E": "error: "}[line[0]] + line[2:] for line in ours.loading]
            # Postfix makes a second context for tls_server_sni_maps, and says of both what it warns of.
            theirs = dict.fromkeys(line for line in lines if not NOT_TLS.search(line))
            checks.equal("loading, " + name, library_lines_last(mine), library_lines_last(theirs))


if __name__ == "__main__":
    sys.exit(run_server_test("TLS against Postfix", body))
