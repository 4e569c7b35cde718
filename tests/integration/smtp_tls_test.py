#!/usr/bin/env python3
"""TLS of our SMTP and LMTP client beside the distribution's: which level goes with which server, what is checked of its
certificate, what the server sees of it, and what the log says.

usage: smtp_tls_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import sys

from certificates import CertificateDirectory
from delivery_cases import compare_deliveries, compare_probes, offers, run_delivery_test
from delivery_systems import MAIN_CF, Case

ZONE = """\
one.example. MX 10 mx1.example.
two.example. MX 10 mx1.example.
two.example. MX 20 mx2.example.
mx1.example. A 192.0.2.1
mx2.example. A 192.0.2.2
"""
A, B = "192.0.2.1", "192.0.2.2"
CA = {"smtp_tls_CAfile": "CERTS/ca.pem"}
CACHE = "btree:$data_directory/smtp_scache"
LEVELS = ("none", "may", "encrypt", "fingerprint", "verify", "secure")


def level(name, **more):
    return {"smtp_tls_security_level": name, "smtp_tls_loglevel": "1", **more}


def serves(chain, **more):
    """A server that offers STARTTLS, and shows that certificate."""
    return {"EHLO": offers("PIPELINING", "STARTTLS"), "TLS EHLO": offers("PIPELINING", "DSN"), "TLS": {"chain": chain, **more}}


def fails(**more):
    return {"EHLO": offers("PIPELINING", "STARTTLS"), **more}


SITE_POLICIES = (None, "NONE", "MAY", "MUST_NOPEERMATCH", "MUST")


def per_site(more, **entries):
    return {"smtp_tls_per_site": "inline:{x=y%s}" % "".join(", %s=%s" % item for item in entries.items()), "smtp_tls_loglevel": "1", **CA, **more}


def policy(entry, key="one.example"):
    return {"smtp_tls_policy_maps": "inline:{{%s = %s}}" % (key, entry), "smtp_tls_loglevel": "1", **CA}


CASES = [
    *(Case("not trusted, " + name, "one.example", {A: serves("selfsigned.chain")}, level(name)) for name in LEVELS),
    *(Case("trusted, " + name, "one.example", {A: serves("mx1.chain")}, level(name, **CA)) for name in LEVELS),
    *(Case("not offered, " + name, "two.example", {A: {"EHLO": offers("PIPELINING")}, B: {"EHLO": offers("PIPELINING")}}, level(name)) for name in LEVELS),
    *(Case("not offered, then offered, " + name, "two.example", {A: {"EHLO": offers("PIPELINING")}, B: serves("mx1.chain")}, level(name)) for name in LEVELS),
    *(Case("refused now, " + name, "one.example", {A: fails(STARTTLS=b"454 4.7.0 not now\r\n")}, level(name)) for name in LEVELS),
    *(Case("refused, " + name, "two.example", {A: fails(STARTTLS=b"554 no\r\n")}, level(name)) for name in LEVELS),
    *(Case("hangs up at STARTTLS, " + name, "one.example", {A: fails(STARTTLS=None)}, level(name)) for name in LEVELS),
    *(Case("hangs up in the handshake, " + name, "one.example", {A: fails()}, level(name)) for name in LEVELS),
    *(Case("hangs up in the handshake, next, " + name, "two.example", {A: fails()}, level(name)) for name in LEVELS),
    *(Case("wrapper, " + name, "one.example", {A: {**serves("mx1.chain"), "WRAPPER": True}}, level(name, smtp_tls_wrappermode="yes", **CA)) for name in LEVELS),
    *(Case("no HELO, " + name, "one.example", options=level(name, smtp_never_send_ehlo="yes")) for name in LEVELS),
    Case("EHLO after TLS refused", "one.example", {A: {**serves("mx1.chain"), "TLS EHLO": b"502 no\r\n"}}, level("may")),
    Case("EHLO after TLS hangs up", "two.example", {A: {**serves("mx1.chain"), "TLS EHLO": None}}, level("may")),
    Case("old protocol only", "one.example", {A: serves("mx1.chain", maximum="TLSv1_2")}, level("encrypt", smtp_tls_mandatory_protocols=">=TLSv1.3")),
    Case("old protocol only, may", "one.example", {A: serves("mx1.chain", maximum="TLSv1_2")}, level("may", smtp_tls_protocols=">=TLSv1.3")),
    Case("TLS 1.2", "one.example", {A: serves("mx1.chain", maximum="TLSv1_2")}, level("encrypt")),
    Case("EC key", "one.example", {A: serves("ec.chain")}, level("may", **CA)),
    Case("grade of ciphers", "one.example", {A: serves("mx1.chain", maximum="TLSv1_2", ciphers="AES128-SHA")}, level("encrypt", smtp_tls_mandatory_ciphers="high", smtp_tls_mandatory_exclude_ciphers="AES128, aNULL")),
    Case("bad grade", "one.example", {A: serves("mx1.chain")}, level("encrypt", smtp_tls_mandatory_ciphers="best")),
    Case("bad protocols", "one.example", {A: serves("mx1.chain")}, level("encrypt", smtp_tls_mandatory_protocols="TLSv9")),
    Case("bad grade, may", "one.example", {A: serves("mx1.chain")}, level("may", smtp_tls_ciphers="best")),
    Case("CA path", "one.example", {A: serves("mx1.chain")}, level("verify", smtp_tls_CApath="CERTS/path")),
    Case("client certificate", "one.example", {A: serves("mx1.chain", ca="ca.pem")}, level("may", smtp_tls_cert_file="CERTS/client.pem", smtp_tls_key_file="CERTS/client.key")),
    Case("client chain", "one.example", {A: serves("mx1.chain", ca="ca.pem")}, level("may", smtp_tls_chain_files="CERTS/client.chain")),
    Case("client certificate missing", "one.example", {A: serves("mx1.chain", ca="ca.pem")}, level("may", smtp_tls_cert_file="/nonesuch.pem")),
    Case("log level 0", "one.example", {A: serves("mx1.chain")}, level("encrypt", smtp_tls_loglevel="0")),
    Case("log level 0, not matched", "one.example", {A: serves("other.chain")}, level("verify", smtp_tls_loglevel="0", **CA)),
    Case("offers are noted", "one.example", {A: serves("mx1.chain")}, {"smtp_tls_note_starttls_offer": "yes"}),
    Case("offers are noted, may", "one.example", {A: serves("mx1.chain")}, level("may", smtp_tls_note_starttls_offer="yes")),
    Case("discarded", "one.example", {A: serves("mx1.chain")}, level("may", smtp_discard_ehlo_keywords="starttls")),
    Case("use_tls", "one.example", {A: serves("mx1.chain")}, {"smtp_use_tls": "yes", "smtp_tls_loglevel": "1"}),
    Case("enforce_tls", "one.example", {A: serves("other.chain")}, {"smtp_enforce_tls": "yes", "smtp_tls_loglevel": "1", **CA}),
    Case("enforce_tls without names", "one.example", {A: serves("other.chain")}, {"smtp_enforce_tls": "yes", "smtp_tls_enforce_peername": "no", "smtp_tls_loglevel": "1", **CA}),
    Case("another name, verify", "one.example", {A: serves("other.chain")}, level("verify", **CA)),
    Case("another name, next", "two.example", {A: serves("other.chain"), B: serves("mx2.chain")}, level("verify", **CA)),
    Case("domain, secure", "one.example", {A: serves("one.chain")}, level("secure", **CA)),
    Case("subdomain, secure", "one.example", {A: serves("sub.chain")}, level("secure", **CA)),
    Case("domain, verify by nexthop", "one.example", {A: serves("one.chain")}, level("verify", smtp_tls_verify_cert_match="hostname, nexthop", **CA)),
    Case("name in CN only", "one.example", {A: serves("cn.chain")}, level("verify", **CA)),
    Case("pattern", "one.example", {A: serves("other.chain")}, level("secure", smtp_tls_secure_cert_match="x.example:OTHER.example", **CA)),
    Case("pattern of subdomains", "one.example", {A: serves("mx1.chain")}, level("secure", smtp_tls_secure_cert_match=".example", **CA)),
    Case("expired", "one.example", {A: serves("expired.chain")}, level("verify", **CA)),
    Case("expired, may", "one.example", {A: serves("expired.chain")}, level("may", **CA)),
    Case("other purpose", "one.example", {A: serves("purpose.chain")}, level("verify", **CA)),
    Case("fingerprint", "one.example", {A: serves("selfsigned.chain")}, level("fingerprint", smtp_tls_fingerprint_digest="sha256", smtp_tls_fingerprint_cert_match="%s, FINGERPRINT" % ":".join(["00"] * 32))),
    Case("fingerprint of another", "one.example", {A: serves("mx1.chain")}, level("fingerprint", smtp_tls_fingerprint_digest="sha256", smtp_tls_fingerprint_cert_match="FINGERPRINT")),
    Case("fingerprint of key", "one.example", {A: serves("selfsigned.chain")}, level("fingerprint", smtp_tls_fingerprint_digest="sha256", smtp_tls_fingerprint_cert_match="KEYPRINT")),
    Case("fingerprint without colons", "one.example", {A: serves("selfsigned.chain")}, level("fingerprint", smtp_tls_fingerprint_digest="sha256", smtp_tls_fingerprint_cert_match="PLAINPRINT")),
    Case("SNI of host", "one.example", {A: serves("mx1.chain")}, level("may", smtp_tls_servername="hostname")),
    Case("SNI of nexthop", "one.example", {A: serves("mx1.chain")}, level("may", smtp_tls_servername="nexthop")),
    Case("SNI", "one.example", {A: serves("mx1.chain")}, level("may", smtp_tls_servername="name.example")),
    Case("SNI that is none", "one.example", {A: serves("mx1.chain")}, level("may", smtp_tls_servername="bad_name..example")),
    Case("policy none", "one.example", {A: serves("mx1.chain")}, {**level("may"), **policy("none")}),
    Case("policy may", "one.example", {A: serves("mx1.chain")}, policy("may")),
    Case("policy encrypt", "one.example", {A: {}}, policy("encrypt")),
    Case("policy of another", "one.example", {A: serves("mx1.chain")}, policy("encrypt", "two.example")),
    Case("policy of parent", "one.example", {A: serves("mx1.chain")}, policy("encrypt", ".example")),
    Case("policy of parent without dot", "one.example", {A: serves("mx1.chain")}, policy("encrypt", "example")),
    Case("policy of host", "[mx1.example]:25", {A: serves("mx1.chain")}, policy("encrypt", "[mx1.example]:25")),
    Case("policy of host without port", "[mx1.example]:25", {A: serves("mx1.chain")}, policy("encrypt", "[mx1.example]")),
    Case("policy protocols", "one.example", {A: serves("mx1.chain")}, policy("encrypt protocols=TLSv1.2 ciphers=high exclude=aNULL:MD5")),
    Case("policy old protocols", "one.example", {A: serves("mx1.chain")}, policy("may protocols=!TLSv1.3:!TLSv1.1, ciphers=medium")),
    Case("policy match", "one.example", {A: serves("other.chain")}, policy("secure match=x.example:other.example")),
    Case("policy matches", "one.example", {A: serves("other.chain")}, policy("secure match=x.example match=other.example")),
    Case("policy match of hostname", "one.example", {A: serves("mx1.chain")}, policy("secure match=hostname")),
    Case("policy match of verify", "one.example", {A: serves("one.chain")}, policy("verify match=nexthop")),
    Case("policy fingerprint", "one.example", {A: serves("selfsigned.chain")}, {**policy("fingerprint match=%s|FINGERPRINT" % ("00" * 32)), "smtp_tls_fingerprint_digest": "sha256"}),
    Case("policy servername", "one.example", {A: serves("mx1.chain")}, policy("may servername=hostname")),
    Case("policy bad level", "one.example", {A: serves("mx1.chain")}, policy("most")),
    Case("policy bad attribute", "one.example", {A: serves("mx1.chain")}, policy("encrypt color=red")),
    Case("policy attribute of none", "one.example", {A: serves("mx1.chain")}, policy("none match=x")),
    Case("policy match of may", "one.example", {A: serves("mx1.chain")}, policy("may match=x")),
    Case("policy match of encrypt", "one.example", {A: serves("mx1.chain")}, policy("encrypt match=x")),
    Case("policy without value", "one.example", {A: serves("mx1.chain")}, policy("encrypt ciphers")),
    Case("policy bad ciphers", "one.example", {A: serves("mx1.chain")}, policy("encrypt ciphers=best")),
    Case("policy bad protocols", "one.example", {A: serves("mx1.chain")}, policy("encrypt protocols=best")),
    Case("policy bad exclude", "one.example", {A: serves("mx1.chain")}, policy("encrypt exclude=!best")),
    Case("policy bad match", "one.example", {A: serves("mx1.chain")}, policy("secure match=")),
    Case("policy lookup fails", "two.example", {A: serves("mx1.chain")}, {**policy("may"), "smtp_tls_policy_maps": "fail:x"}),
    *(Case("old, hangs up in the handshake, " + name, "one.example", {A: fails()}, level(name, minimal_backoff_time="1s")) for name in ("may", "encrypt")),
    Case("old, EHLO after TLS hangs up", "one.example", {A: {**serves("mx1.chain"), "TLS EHLO": None}}, level("may", minimal_backoff_time="1s")),
    Case("old, MAIL after TLS hangs up", "one.example", {A: {**serves("mx1.chain"), "TLS MAIL": None}}, level("may", minimal_backoff_time="1s")),
    Case("old, MAIL after TLS refused", "one.example", {A: {**serves("mx1.chain"), "TLS MAIL": b"450 no\r\n"}}, level("may", minimal_backoff_time="1s")),
    Case("old, hangs up in the handshake, may, next", "two.example", {A: fails()}, level("may", minimal_backoff_time="1s")),
    Case("old, refused", "one.example", {A: fails(STARTTLS=b"454 4.7.0 not now\r\n")}, level("may", minimal_backoff_time="1s")),
    Case("old, STARTTLS hangs up", "one.example", {A: fails(STARTTLS=None)}, level("may", minimal_backoff_time="1s")),
    Case("policy bad servername", "one.example", {A: serves("mx1.chain")}, policy("may servername=bad..name")),
    Case("policy empty", "one.example", {A: serves("mx1.chain")}, policy(",")),
    Case("policy ciphers twice", "one.example", {A: serves("mx1.chain")}, policy("encrypt ciphers=high ciphers=medium")),
    Case("policy upper case", "one.example", {A: serves("mx1.chain")}, policy("ENCRYPT Ciphers=HIGH")),
    Case("policy key upper case", "ONE.example", {A: serves("mx1.chain")}, policy("encrypt")),
    Case("policy bad fingerprint", "one.example", {A: serves("mx1.chain")}, policy("fingerprint match=xx")),
    Case("wildcard", "one.example", {A: serves("wild.chain")}, level("secure", smtp_tls_secure_cert_match="mail.one.example", **CA)),
    Case("wildcard of two labels", "one.example", {A: serves("wild.chain")}, level("secure", smtp_tls_secure_cert_match="a.mail.one.example", **CA)),
    Case("subdomain pattern of two labels", "one.example", {A: serves("deep.chain")}, level("secure", **CA)),
    Case("wildcard and pattern", "one.example", {A: serves("wild.chain")}, level("secure", smtp_tls_secure_cert_match=".one.example", **CA)),
    Case("handshake late", "one.example", {A: {**fails(), "STARTTLS": b"220 go\r\n", "TLS": {"chain": "mx1.chain", "delay": 3}}}, level("encrypt", smtp_starttls_timeout="1s")),
    Case("STARTTLS late", "one.example", {A: fails(STARTTLS=2)}, level("encrypt", smtp_starttls_timeout="1s")),
    Case("next, bad policy", "two.example", {A: serves("mx1.chain")}, policy("most", "two.example")),
    Case("junk before TLS", "one.example", {A: fails(STARTTLS=b"220 go\r\n250 injected\r\n", TLS={"chain": "mx1.chain"})}, level("may")),
    *(Case(name + " " + support, "one.example", {A: serves("mx1.chain")}, level(name, smtp_dns_support_level=support, dnssec_probe=""))
      for name in ("dane", "dane-only") for support in ("enabled", "dnssec")),
    *(Case("per site, %s for the destination, %s for the host, %s" % (for_domain or "absent", for_host or "absent", how), "one.example", {A: serves("other.chain")},
           per_site(**{key: value for key, value in (("one.example", for_domain), ("mx1.example", for_host)) if value}, more=options))
      for how, options in (("no TLS", {}), ("may", {"smtp_use_tls": "yes"}), ("verify", {"smtp_enforce_tls": "yes"}), ("secure", {"smtp_tls_security_level": "secure"}))
      for for_domain in SITE_POLICIES for for_host in (SITE_POLICIES if how == "no TLS" else SITE_POLICIES[:1])),
    *(Case("per site, " + name, nexthop, {A: serves("mx1.chain")}, {"smtp_tls_per_site": table, "smtp_tls_loglevel": "1", **CA, **options}) for name, nexthop, table, options in (
        ("small letters", "one.example", "inline:{one.example=must}", {}), ("junk", "one.example", "inline:{one.example=foo}", {}), ("junk for the host", "one.example", "inline:{mx1.example=foo}", {}),
        ("two words", "one.example", "inline:{{one.example = MUST foo}}", {}), ("nothing", "one.example", "inline:{one.example=}", {}), ("lookup fails", "one.example", "fail:x", {}),
        ("lookup of the host fails", "one.example", "pipemap:{regexp:{{/^mx1/ x}}, fail:y}", {}), ("missing", "two.example", "hash:/nonexistent", {}),
        ("brackets", "[mx1.example]:25", "inline:{[mx1.example]=MUST}", {}), ("brackets and port", "[mx1.example]:25", "inline:{[mx1.example]:25=MUST}", {}),
        ("host alone", "[mx1.example]:25", "inline:{mx1.example=MUST}", {}), ("junk for brackets", "[mx1.example]:25", "inline:{[mx1.example]:25=junk}", {}),
        ("capitals", "ONE.example", "inline:{one.example=MUST}", {}), ("parents", "one.example", "inline:{.example=MUST, example=MUST}", {}),
        ("beside a policy table", "one.example", "inline:{one.example=MUST}", {"smtp_tls_policy_maps": "inline:{x=none}"}))),
    Case("per site, LMTP", "inet:[mx1.example]:25", {A: {"LHLO": offers("PIPELINING", "STARTTLS"), "TLS": {"chain": "mx1.chain"}}},
         {"lmtp_tls_per_site": "inline:{mx1.example=MUST_NOPEERMATCH}", "lmtp_tls_loglevel": "1"}, program="lmtp"),
    *(Case("policy bad level, " + nexthop, nexthop, {A: serves("mx1.chain")}, {"smtp_tls_policy_maps": "static:most"}) for nexthop in ("[mx1.example]:25", "[mx1.example]", "one.example:25")),
    *(Case("policy bad level, LMTP, " + nexthop, nexthop, {A: serves("mx1.chain")}, {"lmtp_tls_policy_maps": "static:most"}, program="lmtp") for nexthop in ("inet:[mx1.example]:25", "inet:mx1.example:25", "unix:LMTP")),
    Case("LMTP", "unix:LMTP", {"lmtp": {"LHLO": offers("PIPELINING", "STARTTLS"), "TLS": {"chain": "mx1.chain"}}},
         {"lmtp_tls_security_level": "encrypt", "lmtp_tls_loglevel": "1"}, program="lmtp"),
    Case("LMTP verify", "unix:LMTP", {"lmtp": {"LHLO": offers("PIPELINING", "STARTTLS"), "TLS": {"chain": "mx1.chain"}}},
         {"lmtp_tls_security_level": "verify", "lmtp_tls_loglevel": "1", "lmtp_tls_CAfile": "CERTS/ca.pem"}, program="lmtp"),
    Case("LMTP policy", "inet:[mx1.example]:25", {A: {"LHLO": offers("PIPELINING", "STARTTLS"), "TLS": {"chain": "mx1.chain"}}},
         {"lmtp_tls_policy_maps": "inline:{[mx1.example]:25=encrypt}", "lmtp_tls_loglevel": "1"}, program="lmtp"),
]


# With sessions that are resumed; Postfix's tlsmgr looks for them in main.cf alone.
RESUMPTIONS = [Case("resumed, %s, %s" % (name, chain), "one.example", {A: serves(chain, **more)}, level(name, smtp_tls_session_cache_database=CACHE, **CA), messages=3)
               for name, chain, more in (("may", "mx1.chain", {}), ("may", "selfsigned.chain", {}), ("verify", "mx1.chain", {}), ("verify", "other.chain", {}))] + [
    Case("resumed, TLS 1.2, %s, %s" % (name, chain), "one.example", {A: serves(chain, maximum="TLSv1_2")}, level(name, smtp_tls_session_cache_database=CACHE, **CA), messages=3)
    for name, chain in (("may", "mx1.chain"), ("verify", "mx1.chain"), ("verify", "other.chain"), ("encrypt", "expired.chain"))]

# Those that are also asked without a message.
PROBES = ("trusted, may", "trusted, verify", "another name, verify", "not offered, encrypt", "hangs up in the handshake, encrypt")


def make_certificates(directory):
    directory.mkdir()
    certificates = CertificateDirectory(directory)
    key = ["-newkey", "rsa:2048"]
    certificates.self_signed("ca", "/CN=Test CA")
    certificates.self_signed("selfsigned", "/CN=mx1.example")
    for name, host in (("mx1", "mx1.example"), ("mx2", "mx2.example"), ("one", "one.example"), ("sub", "mail.one.example"), ("other", "other.example"),
                       ("wild", "*.one.example"), ("deep", "a.b.one.example")):
        certificates.issue(name, "/CN=" + host, key, extension="subjectAltName=DNS:%s" % host)
    certificates.issue("ec", "/CN=mx1.example", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], extension="subjectAltName=DNS:mx1.example")
    certificates.issue("cn", "/CN=mx1.example", key)
    certificates.issue("expired", "/CN=mx1.example", key, days="-1", extension="subjectAltName=DNS:mx1.example")
    certificates.issue("purpose", "/CN=mx1.example", key, extension="subjectAltName=DNS:mx1.example\nextendedKeyUsage=clientAuth")
    certificates.issue("client", "/CN=client.example", key)
    (directory / "path").mkdir()
    (directory / "path" / "ca.pem").write_text((directory / "ca.pem").read_text())
    certificates.openssl("rehash", "path")
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return certificates


def substitute(cases, certificates):
    print_of = certificates.fingerprint("selfsigned")
    key_print = certificates.key_fingerprint("selfsigned")
    for case in cases:
        for name, value in case.options.items():
            value = value.replace("CERTS", str(certificates.directory)).replace("PLAINPRINT", print_of.replace(":", "").lower())
            case.options[name] = value.replace("FINGERPRINT", print_of).replace("KEYPRINT", key_print)


def run_checks(checks, cases, bin_directory, network, top):
    certificates = make_certificates(top / "certificates")
    substitute(cases, certificates)
    for server in network.servers.values():
        server.certificates = certificates.directory
    compare_deliveries(checks, [case for case in cases if case not in RESUMPTIONS], bin_directory, network, top)
    resumptions = top / "resumptions"
    resumptions.mkdir(mode=0o755)
    MAIN_CF["smtp_tls_session_cache_database"] = CACHE
    compare_deliveries(checks, [case for case in cases if case in RESUMPTIONS], bin_directory, network, resumptions)
    del MAIN_CF["smtp_tls_session_cache_database"]
    probes = top / "probes"
    probes.mkdir()
    compare_probes(checks, [case for case in cases if case.name in PROBES], bin_directory, network, probes)


if __name__ == "__main__":
    sys.exit(run_delivery_test(__file__, ZONE, CASES + RESUMPTIONS, run_checks))
