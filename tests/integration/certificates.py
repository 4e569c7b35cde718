"""Keys and certificates that a test makes for itself, with the openssl program.

    certificates = CertificateDirectory(directory)
    certificates.self_signed("ca", "/CN=Test CA")
    certificates.issue("mail", "/CN=mail.example.org", ["-newkey", "rsa:2048"])
    certificates.path("mail.chain")   # key and certificate
"""
import hashlib
import subprocess

from server import find_program


class CertificateDirectory:
    def __init__(self, directory):
        self.directory = directory

    def path(self, name):
        return self.directory / name

    def openssl(self, *arguments):
        subprocess.run([find_program("openssl"), *arguments], cwd=self.directory, check=True, capture_output=True,
                       timeout=60)

    def issue(self, name, subject, key, issuer="ca", days="30", extension=None):
        self.openssl("req", "-new", "-utf8", *key, "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj",
                     subject)
        more = []
        if extension:
            self.path("extension").write_text(extension + "\n")
            more = ["-extfile", "extension"]
        self.openssl("x509", "-req", "-in", name + ".csr", "-CA", issuer + ".pem", "-CAkey", issuer + ".key",
                     "-CAcreateserial", "-out", name + ".pem", "-days", days, *more)
        self._write_chain(name)

    def self_signed(self, name, subject):
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".pem", "-days",
                     "30", "-subj", subject)
        self._write_chain(name)

    def fingerprint(self, name):
        """SHA-256, as tables of client certificates have it."""
        done = subprocess.run([find_program("openssl"), "x509", "-in", self.path(name + ".pem"), "-noout", "-fingerprint",
                               "-sha256"], capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.strip().split("=")[1]

    def key_fingerprint(self, name):
        """SHA-256 of the public key."""
        subject = subprocess.run([find_program("openssl"), "x509", "-in", self.path(name + ".pem"), "-noout", "-pubkey"],
                                 capture_output=True, check=True, timeout=60)
        der = subprocess.run([find_program("openssl"), "pkey", "-pubin", "-outform", "DER"], input=subject.stdout, capture_output=True,
                             check=True, timeout=60)
        return ":".join("%02X" % byte for byte in hashlib.sha256(der.stdout).digest())

    def _write_chain(self, name):
        self.path(name + ".chain").write_text(self.path(name + ".key").read_text() + self.path(name + ".pem").read_text())
