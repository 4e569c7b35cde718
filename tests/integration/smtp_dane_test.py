#!/usr/bin/env python3
"""DANE of our SMTP and LMTP client beside the distribution's: what DNSSEC-validated records say of a server's certificate, and
what becomes of mail where there are none.

usage: smtp_dane_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import hashlib
import ssl
import sys

from checks import run
from delivery_cases import compare_deliveries, offers, run_delivery_test
from delivery_systems import Case
from smtp_tls_test import A, B, make_certificates, serves

# Domains are secure but "insecure", hosts are but "mxinsecure"; records of mx1 and its equals are those of a case.
ZONE = """\
one.example. MX 10 mx1.example.
one.example. SECURE
two.example. MX 10 mx1.example.
two.example. MX 20 mx2.example.
two.example. SECURE
insecure.example. MX 10 mx1.example.
host.example. MX 10 mxinsecure.example.
host.example. SECURE
none.example. MX 10 mxnone.example.
none.example. SECURE
fails.example. MX 10 mxfails.example.
fails.example. SECURE
forged.example. MX 10 mxforged.example.
forged.example. SECURE
alias.example. MX 10 mxalias.example.
alias.example. SECURE
mx1.example. A 192.0.2.1
mx1.example. SECURE
_25._tcp.mx1.example. SECURE
mx2.example. A 192.0.2.2
mx2.example. SECURE
mxinsecure.example. A 192.0.2.1
mxnone.example. A 192.0.2.1
mxnone.example. SECURE
mxfails.example. A 192.0.2.1
mxfails.example. SECURE
_25._tcp.mxfails.example. SERVFAIL
mxforged.example. A 192.0.2.1
mxforged.example. SECURE
mxalias.example. CNAME mx1.example.
mxalias.example. SECURE
"""
BAD = "3 1 1 " + "00" * 32
RECORDS = {"bad": (BAD,), "bad, good": (BAD, "KEY"), "whole certificate": ("WHOLE",), "authority": ("AUTHORITY",), "other usage": ("1 1 1 " + "00" * 32,),
           "other usage, good": ("0 0 1 " + "ab" * 32, "KEY"), "long digest": ("KEY512",), "short": ("3 1 1 0011",), "unknown digest": ("3 1 9 00",)}
CASES = []


def add(name, nexthop="one.example", server=None, records=("KEY",), program="smtp", **options):
    for level in ("dane", "dane-only"):
        prefix = "lmtp" if program == "lmtp" else "smtp"
        case = Case("%s, %s" % (level, name), nexthop, {place: serves("mx1.chain") if server is None else server for place in (A, B)},
                    {prefix + "_tls_security_level": level, prefix + "_dns_support_level": "dnssec", prefix + "_tls_loglevel": "1", **options}, program=program)
        case.records = records
        CASES.append(case)


add("good")
for records in RECORDS:
    add(records, records=RECORDS[records])
add("another server", server=serves("other.chain"), records=("AUTHORITY", "KEY"))
for records in (("AUTHORITY",), ("AUTHORITY KEY",), (BAD, "AUTHORITY"), ("2 0 1 " + "00" * 32,)):
    add("authority in the chain, %s" % ", ".join(record[:15] for record in records), server=serves("whole.chain"), records=records)
add("authority in the chain, another name", server=serves("whole-other.chain"), records=("AUTHORITY",))
add("authority in the chain, name of the domain", server=serves("whole-one.chain"), records=("AUTHORITY",))
add("authority in the chain, expired", server=serves("whole-expired.chain"), records=("AUTHORITY",))
add("TLS 1.2", server=serves("mx1.chain", maximum="TLSv1_2"))
add("not offered", server={})
add("next", "two.example", records=(BAD,))
add("insecure MX", "insecure.example")
add("insecure MX, bad", "insecure.example", records=(BAD,))
add("insecure MX, not probed", "insecure.example", dnssec_probe="")
for policy in ("may", "encrypt", "dane"):
    add("insecure MX, " + policy, "insecure.example", smtp_tls_dane_insecure_mx_policy=policy)
    add("insecure MX, bad, " + policy, "insecure.example", records=(BAD,), smtp_tls_dane_insecure_mx_policy=policy)
for domain in ("host", "none", "fails", "forged", "alias"):
    add(domain, domain + ".example")
for nexthop in ("[mx1.example]", "[mx1.example]:25", "[192.0.2.1]"):
    add(nexthop, nexthop)
add("LMTP", "inet:mx1.example:25", program="lmtp", server={"LHLO": offers("PIPELINING", "STARTTLS"), "TLS": {"chain": "mx1.chain"}})


def add_authorities(directory):
    """Chains that end with the authority itself, as DANE wants it of usage 2 (RFC 7672, section 3.1.2)."""
    authority = (directory / "ca.pem").read_text()
    for name, chain in (("whole", "mx1"), ("whole-other", "other"), ("whole-one", "one"), ("whole-expired", "expired")):
        (directory / (name + ".chain")).write_text((directory / (chain + ".chain")).read_text() + authority)


def make_records(certificates):
    """What the words in RECORDS stand for."""
    def der_of(name):
        pem = (certificates.directory / name).read_text()
        return ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE"):pem.index("-----END CERTIFICATE-----") + 26])

    server, authority = der_of("mx1.chain"), der_of("ca.pem")
    def key_of(certificate):
        public = run(["openssl", "x509", "-inform", "DER", "-pubkey", "-noout"], stdin=certificate).out
        return ssl.PEM_cert_to_DER_cert(public.replace("PUBLIC KEY", "CERTIFICATE"))

    key = key_of(server)
    return {"AUTHORITY KEY": "2 1 1 " + hashlib.sha256(key_of(authority)).hexdigest(), "KEY": "3 1 1 " + hashlib.sha256(key).hexdigest(), "KEY512": "3 1 2 " + hashlib.sha512(key).hexdigest(), "WHOLE": "3 0 0 " + server.hex(),
            "AUTHORITY": "2 0 1 " + hashlib.sha256(authority).hexdigest()}


def compare(checks, cases, bin_directory, network, top):
    certificates = make_certificates(top / "certificates")
    add_authorities(certificates.directory)
    known = make_records(certificates)
    zone, script = network.dns.zone, network.script
    for server in network.servers.values():
        server.certificates = certificates.directory

    def script_with_records(case):
        for name in ("mx1", "mxforged"):
            zone.records["_25._tcp.%s.example" % name] = [("TLSA", known.get(record, record)) for record in case.records]
        script(case)

    network.script = script_with_records
    compare_deliveries(checks, cases, bin_directory, network, top)


if __name__ == "__main__":
    sys.exit(run_delivery_test(__file__, ZONE, CASES, compare))
