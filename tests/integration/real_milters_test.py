"""Real milters with our mail system: opendkim signs and verifies, rspamd rejects spam.

usage: real_milters_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import grp
import os
import re
import shutil
import sys

from checks import run
from mail_system import MailSystem
from queue_records import records
from server import NoServer, Server, find_program, free_port, listens, private_directory, run_server_test, server_user

DOMAIN, SELECTOR = "example.org", "test"
MESSAGE = b"From: Ann <ann@example.org>\r\nTo: bob@example.com\r\nSubject: %s\r\nMessage-Id: <1@example.org>\r\n" \
          b"Date: Sun, 29 Nov 2026 01:00:00 +0000\r\n\r\nfirst line\r\n..dot \t trailing\r\n\r\nlast\r\n\r\n\r\n"
RSPAMD_CONF = """
options {{
  pidfile = "{directory}/rspamd.pid"; tempdir = "{directory}"; filters = ""; url_tld = "{directory}/tld";
  dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }}
}}
logging {{ type = "console"; }}
lua = "{directory}/rules.lua";
metric {{ name = "default"; actions {{ reject = 15; "add header" = 6; }} }}
worker {{
  type = "rspamd_proxy"; bind_socket = "127.0.0.1:{port}"; milter = true; count = 1; timeout = 10s;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
"""
RSPAMD_RULES = """
local function subject_has(word)
  return function(task) return (task:get_header('Subject') or ''):find(word) ~= nil end
end
rspamd_config:register_symbol{name='TEST_SPAM', score=20, callback=subject_has('very bad')}
rspamd_config:register_symbol{name='TEST_DOUBT', score=8, callback=subject_has('doubtful')}
"""


def text_of(system, service_port, message):
    """Sends a message; the reply, and the text of the queue file that it became."""
    with system.client(service_port) as smtp:
        smtp.ehlo()
        for command in ("MAIL FROM:<ann@example.org>", "RCPT TO:<bob@example.com>"):
            code, text = smtp.docmd(command)
            assert code == 250, (command, code, text)
        assert smtp.docmd("DATA")[0] == 354
        smtp.send(message + b".\r\n")
        reply = smtp.getreply()
    if reply[0] != 250:
        return reply, b""
    file = system.queue / "incoming" / reply[1].decode().split()[-1]
    lines = [payload for kind, payload in records(file.read_bytes()) if kind in "NL"]
    file.unlink()
    return reply, "".join(line + "\r\n" for line in lines).encode("utf-8", "surrogateescape")


def opendkim(directory, mode, port):
    program = find_program("opendkim")
    conf = directory / ("opendkim-%s.conf" % mode)
    conf.write_text("Mode %s\nSocket inet:%d@127.0.0.1\nDomain %s\nSelector %s\nKeyFile %s\nTestPublicKeys %s\n"
                    "InternalHosts %s\nUserID %s\nBackground no\nCanonicalization relaxed/simple\nSyslog no\n"
                    "RequireSafeKeys no\n%s"
                    % (mode, port, DOMAIN, SELECTOR, directory / (SELECTOR + ".private"), directory / "keys", "127.0.0.1" if mode == "s" else "192.0.2.1",
                       "nobody" if os.geteuid() == 0 else os.getuid(),
                       "AlwaysAddARHeader yes\nAuthservID judge.example\n" if mode == "v" else ""))
    return Server("opendkim", [program, "-f", "-x", conf], lambda: listens(port), directory / ("opendkim-%s.log" % mode))


def make_key(directory):
    done = run([find_program("opendkim-genkey"), "-s", SELECTOR, "-d", DOMAIN, "-b", "1024", "-D", directory])
    if done.status != 0:
        raise NoServer("opendkim-genkey: %s" % done)
    value = "".join(re.findall(r'"([^"]*)"', (directory / (SELECTOR + ".txt")).read_text()))
    (directory / "keys").write_text("%s._domainkey.%s %s\n" % (SELECTOR, DOMAIN, value))
    for file in directory.iterdir():
        file.chmod(0o644)


def check_opendkim(checks, system, ports, scratch, sign_port, verify_port):
    make_key(scratch)
    with opendkim(scratch, "s", sign_port), opendkim(scratch, "v", verify_port):
        reply, signed = text_of(system, ports["sign"], MESSAGE % b"hello")
        checks.check("opendkim: the message is taken", reply[0] == 250, reply)
        checks.check("and signed", b"DKIM-Signature: v=1;" in signed and b"d=example.org; s=test" in signed, signed)
        # As another host would get it.
        content = signed[signed.index(b"DKIM-Signature:"):].replace(b"\r\n.", b"\r\n..")
        reply, verified = text_of(system, ports["verify"], content)
        checks.check("the signature is good", b"dkim=pass" in verified, verified[:1500])
        reply, verified = text_of(system, ports["verify"], content.replace(b"first line", b"worst line"))
        checks.check("but not of another body", b"dkim=fail" in verified, verified[:1500])
        reply, verified = text_of(system, ports["verify"], MESSAGE % b"hello")
        checks.check("nor without one", b"dkim=none" in verified, verified[:1500])


def rspamd(directory, port):
    program = find_program("rspamd")
    user = server_user("_rspamd")
    (directory / "tld").write_text("com\norg\nexample\n")
    (directory / "rules.lua").write_text(RSPAMD_RULES)
    conf = directory / "rspamd.conf"
    conf.write_text(RSPAMD_CONF.format(directory=directory, port=port))
    identity = ["-i"] if user is None else ["-u", user.pw_name, "-g", str(user.pw_gid)]
    if user is not None:
        os.chown(directory, user.pw_uid, user.pw_gid)
        identity[-1] = grp.getgrgid(user.pw_gid).gr_name
    return Server("rspamd", [program, "-c", conf, "-f"] + identity, lambda: listens(port), directory / "rspamd.log")


def check_rspamd(checks, system, ports, scratch, port):
    with rspamd(scratch, port):
        reply, text = text_of(system, ports["rspamd"], MESSAGE % b"hello")
        checks.check("rspamd: a message is taken", reply[0] == 250, reply)
        checks.check("and kept as it is", b"Subject: hello" in text and b"X-Spam" not in text, text)
        reply, _ = text_of(system, ports["rspamd"], MESSAGE % b"very bad")
        checks.equal("spam is refused, with rspamd's words", reply, (554, b"5.7.1 Spam message rejected"))
        reply, text = text_of(system, ports["rspamd"], MESSAGE % b"doubtful")
        checks.check("what is doubtful is marked", reply[0] == 250 and b"X-Spam: Yes" in text, (reply, text))
    checks.check("the log has the refusal", "milter-reject: END-OF-MESSAGE from unknown[127.0.0.1]: 5.7.1 Spam message rejected"
                 in system.log(), system.log)


def run_checks(checks, bin_directory, directory):
    filters = {name: free_port() for name in ("sign", "verify", "rspamd")}
    ports = {name: free_port() for name in filters}
    system = MailSystem(bin_directory, directory, "milter_default_action = tempfail\n")
    for name, port in filters.items():
        system.entries.append("127.0.0.1:%d inet n - n - - smtpd -o smtpd_milters=inet:127.0.0.1:%d\n" % (ports[name], port))
    system.write_master_cf()
    with system:
        for name, check in (("opendkim", lambda scratch: check_opendkim(checks, system, ports, scratch, filters["sign"],
                                                                        filters["verify"])),
                            ("rspamd", lambda scratch: check_rspamd(checks, system, ports, scratch, filters["rspamd"]))):
            scratch = private_directory()
            try:
                check(scratch)
            except NoServer as reason:
                checks.skip(name, str(reason))
            finally:
                shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(run_server_test("milters", run_checks))
