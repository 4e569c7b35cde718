"""An OpenLDAP server in a directory of its own: back-mdb, the usual schemas and attributes for mail, certificates.

    with Slapd(entries) as slapd:
        slapd.uri, slapd.local_uri, slapd.tls_uri     # ldap://, ldapi://, ldaps://
        slapd.server.freeze()
"""
import base64
import os
import pathlib
import shutil
import urllib.parse

from checks import run
from server import NoServer, Server, find_program, free_port, listens, private_directory, server_user

SUFFIX = "dc=example,dc=com"
ADMIN, PASSWORD = "cn=admin," + SUFFIX, "s3cret-of-admin"
SCHEMAS = pathlib.Path("/etc/ldap/schema")
MODULES = pathlib.Path("/usr/lib/ldap")

# Attributes as mail servers' directories have them, the names of ldap_table(5) among them.
MAIL_SCHEMA = """
attributetype ( 1.3.6.1.4.1.4203.666.100.1 NAME 'mailacceptinggeneralid' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.100.2 NAME 'maildrop' EQUALITY caseExactMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.100.3 NAME 'memberdn' EQUALITY distinguishedNameMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
attributetype ( 1.3.6.1.4.1.4203.666.100.4 NAME 'memberurl' EQUALITY caseExactMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.100.5 NAME 'memberaddr' EQUALITY caseExactMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.100.6 NAME 'mailblob' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.4203.666.100.100 NAME 'mailthing' SUP top AUXILIARY
  MAY ( mailacceptinggeneralid $ maildrop $ memberdn $ memberurl $ memberaddr $ mailblob $ mail ) )
"""


def ldif(dn, **attributes):
    """One entry; a value is a text or bytes, or a list of these."""
    lines = ["dn: " + dn]
    for name, values in attributes.items():
        for value in values if isinstance(values, (list, tuple)) else [values]:
            raw = value if isinstance(value, bytes) else value.encode()
            lines.append("%s:: %s" % (name, base64.b64encode(raw).decode()))
    return "\n".join(lines) + "\n\n"


def thing(name, base=SUFFIX, **attributes):
    """An entry cn=NAME with attributes for mail."""
    return ldif("cn=%s,%s" % (name, base), objectClass=["device", "mailthing"], cn=name, **attributes)


def root_entry(suffix=SUFFIX):
    return ldif(suffix, objectClass=["domain"], dc=suffix.split(",")[0].partition("=")[2])


class Certificates:
    """A CA, a certificate for 127.0.0.1 that it signed, one for a client, and a CA that signed nothing. (To libldap,
    localhost is whatever this host calls itself.)"""

    def __init__(self, directory):
        self.directory = directory
        self.ca, self.cert, self.key = (directory / n for n in ("ca.pem", "server.pem", "server.key"))
        self.client_cert, self.client_key = directory / "client.pem", directory / "client.key"
        self.other_ca = directory / "other.pem"
        self._authority("ca", "Postkit Test CA")
        self._authority("other", "Another CA")
        self._signed("server", "/CN=127.0.0.1", "subjectAltName=IP:127.0.0.1")
        self._signed("client", "/O=example/CN=client", "extendedKeyUsage=clientAuth")
        self.ca_directory = directory / "cas"
        self.ca_directory.mkdir()
        name = self._openssl("x509", "-hash", "-noout", "-in", self.ca).out.strip()
        shutil.copy(self.ca, self.ca_directory / (name + ".0"))

    def _openssl(self, *arguments):
        done = run([find_program("openssl"), *arguments])
        if done.status != 0:
            raise NoServer("openssl: %s" % done)
        return done

    def _authority(self, name, subject):
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-subj", "/CN=" + subject, "-keyout", self.directory / (name + ".key"),
                      "-out", self.directory / (name + ".pem"))

    def _signed(self, name, subject, extensions):
        request, more = self.directory / (name + ".csr"), self.directory / (name + ".ext")
        more.write_text(extensions + "\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                      "-keyout", self.directory / (name + ".key"), "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.directory / "ca.key",
                      "-CAcreateserial", "-days", "2", "-extfile", more, "-out", self.directory / (name + ".pem"))


class Slapd:
    """A server with `entries` (LDIF). `global_lines` and `database_lines` go into slapd.conf. The
    passwords of SASL are those of the entries: user NAME is cn=NAME in the suffix, with its userPassword in clear."""

    def __init__(self, entries, suffix=SUFFIX, certificates=True, global_lines="", database_lines=""):
        slapd = find_program("slapd")
        for place in (SCHEMAS / "core.schema", MODULES / "back_mdb.so"):
            if not place.exists():
                raise NoServer("there is no %s" % place)
        self.user = server_user("openldap")
        self.directory = private_directory(self.user)
        try:
            self._prepare(slapd, entries, suffix, certificates, global_lines, database_lines)
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    def _prepare(self, slapd, entries, suffix, certificates, global_lines, database_lines):
        self.suffix = suffix
        self.port, self.tls_port = free_port(), free_port()
        self.uri = "ldap://127.0.0.1:%d" % self.port
        self.socket = self.directory / "ldapi"
        self.local_uri = "ldapi://" + urllib.parse.quote(str(self.socket), safe="")
        self.certificates = Certificates(self.directory) if certificates else None
        self.tls_uri = "ldaps://127.0.0.1:%d" % self.tls_port if certificates else None
        (self.directory / "data").mkdir()
        (self.directory / "mail.schema").write_text(MAIL_SCHEMA)
        self.conf = self.directory / "slapd.conf"
        self.conf.write_text(self._conf(suffix, global_lines, database_lines))
        loaded = run([slapd, "-T", "a", "-f", self.conf, "-q"], stdin=(root_entry(suffix) + entries).encode())
        if loaded.status != 0:
            raise NoServer("slapadd: %s" % loaded)
        if self.user is not None:
            for path in (self.directory, *self.directory.rglob("*")):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        uris = [self.uri, self.local_uri] + (["ldaps://127.0.0.1:%d" % self.tls_port] if certificates else [])
        self.server = Server("slapd", [slapd, "-d", "0", "-f", self.conf, "-h", " ".join(uris)],
                             is_ready=lambda: listens(self.port) and listens(path=self.socket),
                             log=self.directory / "log", user=self.user)

    def _conf(self, suffix, global_lines, database_lines):
        lines = ["include %s" % (SCHEMAS / (name + ".schema")) for name in ("core", "cosine", "inetorgperson", "nis")]
        lines += ["include %s" % (self.directory / "mail.schema"), "modulepath %s" % MODULES, "moduleload back_mdb.so",
                  "pidfile %s" % (self.directory / "pid"), "allow bind_v2", "loglevel 0",
                  "authz-regexp uid=([^,]*),cn=.*,cn=auth cn=$1,%s" % suffix]
        if self.certificates:
            lines += ["TLSCACertificateFile %s" % self.certificates.ca, "TLSVerifyClient try",
                      "TLSCertificateFile %s" % self.certificates.cert,
                      "TLSCertificateKeyFile %s" % self.certificates.key]
        lines += [global_lines, "database mdb", "maxsize 67108864", "suffix \"%s\"" % suffix,
                  "rootdn \"cn=admin,%s\"" % suffix, "rootpw %s" % PASSWORD, "directory %s" % (self.directory / "data"),
                  "dbnosync", "index objectClass eq", "index mailacceptinggeneralid eq", "index mail eq",
                  "sizelimit unlimited", database_lines]
        return "\n".join(lines) + "\n"

    def __enter__(self):
        try:
            self.server.start()
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_):
        self.server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
