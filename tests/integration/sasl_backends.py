"""What AUTH is verified by: a private Dovecot, sasldb2, and a private saslauthd before an IMAP server of three lines."""
import os
import pathlib
import subprocess

from checks import run
from server import ConnectionServer, NoServer, Server, find_program, free_port, listens

PASSWORD = "secret"

DOVECOT_CONF = """\
base_dir = {top}/run
state_dir = {top}/state
log_path = {top}/log
protocols =
ssl = no
listen = 127.0.0.1
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 external
auth_failure_delay = 0
auth_ssl_username_from_cert = yes
disable_plaintext_auth = no
{users}
passdb {{
  driver = passwd-file
  args = {top}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={top}
}}
service auth {{
  chroot =
  unix_listener {socket} {{
    mode = 0666
  }}
  inet_listener {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service anvil {{
  chroot =
  # No delay for an address that has failed before.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

# Dovecot's helpers are users of their own, where we may choose.
UNPRIVILEGED = """\
default_internal_user = {name}
default_internal_group = {group}
default_login_user = {name}
"""


def dovecot(top, path):
    """A Dovecot that serves `path`, and a port of its own: returns the server and the port."""
    program, doveadm = find_program("dovecot"), find_program("doveadm")
    port = free_port()
    scram = run([doveadm, "-O", "pw", "-s", "SCRAM-SHA-256", "-p", PASSWORD]).out.strip()
    if not scram.startswith("{SCRAM-SHA-256}"):
        raise NoServer("doveadm makes no SCRAM password: %s" % scram)
    top.mkdir()
    (top / "users").write_text("joe:{PLAIN}%s\nscram:%s\n" % (PASSWORD, scram))
    users = ""
    if os.geteuid() != 0:
        import grp  # pylint: disable=import-outside-toplevel
        import pwd  # pylint: disable=import-outside-toplevel
        users = UNPRIVILEGED.format(name=pwd.getpwuid(os.getuid()).pw_name, group=grp.getgrgid(os.getgid()).gr_name)
    (top / "dovecot.conf").write_text(DOVECOT_CONF.format(top=top, socket=path, port=port, users=users))
    return Server("dovecot", [program, "-F", "-c", top / "dovecot.conf"], lambda: listens(path=path),
                  top / "console"), port


def make_sasldb(file, users):
    """A sasldb2 with (name, realm, password)."""
    program = find_program("saslpasswd2")
    for name, realm, password in users:
        done = run([program, "-p", "-c", "-u", realm, "-f", file, name], stdin=password.encode())
        if done.status != 0:
            raise NoServer("saslpasswd2: %s" % done)
    file.chmod(0o644)


class TinyImap(ConnectionServer):
    """Takes LOGIN of anybody whose password is PASSWORD."""

    def serve(self, connection):
        with connection.makefile("rwb", 0) as stream:
            stream.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
            for line in stream:
                tag, command = line.split()[:2]
                is_good = command != b"LOGIN" or b'"%s"' % PASSWORD.encode() in line
                stream.write(tag + (b" OK done\r\n" if is_good else b" NO wrong\r\n"))


def saslauthd(top, imap_port):
    """A saslauthd with its socket in `top`, which asks the IMAP server."""
    program = find_program("saslauthd")
    top.mkdir()
    return Server("saslauthd", [program, "-d", "-a", "rimap", "-O", "127.0.0.1/%d" % imap_port, "-m", top, "-n", "2"],
                  lambda: listens(path=top / "mux"), pathlib.Path(str(top) + ".console"))


class Program:
    """sasl_program, by lines."""

    def __init__(self, program, config, log, arguments=()):
        self.log = open(log, "ab")
        self.process = subprocess.Popen([str(program), str(config), *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.log):
            stream.close()

    def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.next()

    def next(self):
        return self.process.stdout.readline().decode().rstrip("\n")
