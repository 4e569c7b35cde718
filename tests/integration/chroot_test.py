#!/usr/bin/env python3
"""The chroot field of master.cf: whether the absolute path of a socket is one of the host or one below queue_directory. Each
server that Postfix may be a client of listens at both places, and the distribution's Postfix and our mail system must ask the
same one, for services with and without chroot.

usage: chroot_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import base64
import os
import re
import shutil
import sys
import time

from mail_system import MailSystem
from maildrop import LOCAL, TIME, Maildrop, submission
from sasl_backends import PASSWORD, make_sasldb
from server import NoServer, free_port, private_directory, run_server_test
from stock_postfix import MAIN_CF, Conversation, StockPostfix
from two_places import (INSIDE, NOBODY, OUTSIDE, TwoPlaces, greet_and_hang_up, hang_up, speak_dovecot, speak_milter, speak_policy,
                        speak_saslauthd, speak_smtp, speak_socketmap)

PLAIN = b"AUTH PLAIN " + base64.b64encode(b"\0joe\0" + PASSWORD.encode()) + b"\r\n"
ANSWERS = {"milter": speak_milter, "non-smtp-milter": speak_milter, "policy": speak_policy, "socketmap": speak_socketmap, "cleanup-map": speak_socketmap,
           "rewrite-map": speak_socketmap, "dovecot": speak_dovecot, "mux": speak_saslauthd, "proxy": speak_smtp,
           "lmtp": speak_smtp, "mysql": greet_and_hang_up, "memcache": hang_up, "ldap": hang_up, "pgsql/.s.PGSQL.5432": hang_up}
SASL_CONF = {
    "saslauthd": "pwcheck_method: saslauthd\nsaslauthd_path: {top}/mux\nmech_list: PLAIN\n",
    "default": "pwcheck_method: saslauthd\nmech_list: PLAIN\n",
    "sasldb": "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {top}/sasldb\nmech_list: PLAIN\n",
}
TABLES = {
    "mysql": "hosts = unix:{top}/mysql\nuser = x\npassword = x\ndbname = x\nquery = SELECT 1\n",
    "pgsql": "hosts = unix:{top}/pgsql\nuser = x\npassword = x\ndbname = x\nquery = SELECT 1\n",
    "ldap": "server_host = ldapi://{ldap}\nsearch_base = dc=x\nquery_filter = cn=%s\nresult_attribute = x\nversion = 3\nbind = no\ntimeout = 3\n",
    "memcache": "memcache = unix:{top}/memcache\n",
}


def services(top, config):
    """Parameters of each smtpd."""
    auth = {"smtpd_sasl_auth_enable": "yes", "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject"}
    found = {
        "milter": {"smtpd_milters": "unix:%s/milter" % top},
        "policy": {"smtpd_client_restrictions": "check_policy_service unix:%s/policy" % top},
        "socketmap": {"smtpd_client_restrictions": "check_client_access socketmap:unix:%s/socketmap:name" % top},
        "proxy": {"smtpd_proxy_filter": "unix:%s/proxy" % top},
        "dovecot": dict(auth, smtpd_sasl_type="dovecot", smtpd_sasl_path="%s/dovecot" % top),
    }
    for name in SASL_CONF:
        found[name] = dict(auth, smtpd_sasl_type="cyrus", smtpd_sasl_path=name)
    for name in TABLES:
        found[name] = {"smtpd_client_restrictions": "check_client_access %s:%s/%s.cf" % (name, config, name)}
    return {"%s-%s" % (name, chroot): parameters for name, parameters in found.items() for chroot in "yn"}


ENTRIES = """pickup unix n - {pickup} 60 1 pickup
cleanup unix n - {cleanup} - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - {rewrite} - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp-y unix - - y - - lmtp
lmtp-n unix - - n - - lmtp
postlog unix-dgram n - n - 1 postlogd
"""
MAIN = {
    "canonical_maps": "socketmap:unix:{top}/cleanup-map:name",
    "non_smtpd_milters": "unix:{top}/non-smtp-milter",
    "transport_maps": "inline:{{{{y.test = lmtp-y:unix:{top}/lmtp}}, {{n.test = lmtp-n:unix:{top}/lmtp}}}}, "
                      "socketmap:unix:{top}/rewrite-map:name",
    "default_transport": "discard", "relay_transport": "discard", "local_transport": "discard", "relay_domains": "test",
    "lmtp_connection_cache_on_demand": "no", "notify_classes": "",
}
# Which of the services without a client of their own are confined.
SURROUNDINGS = ({"pickup": "n", "cleanup": "y", "rewrite": "n"}, {"pickup": "y", "cleanup": "n", "rewrite": "y"})


def write_configuration(directory, config, queue, ports, fields):
    top = directory / "s"
    with open(config / "main.cf", "a", encoding="ascii") as main_cf:
        main_cf.writelines("%s = %s\n" % (name, value.format(top=top)) for name, value in MAIN.items())
    with open(config / "master.cf", "w", encoding="ascii") as master_cf:
        master_cf.write(ENTRIES.format(**fields))
        for name, parameters in services(top, config).items():
            master_cf.write("127.0.0.1:%d inet n - %s - - smtpd\n" % (ports[name], name[-1]))
            master_cf.writelines("  -o {%s = %s}\n" % item for item in parameters.items())
    for name, text in TABLES.items():
        (config / (name + ".cf")).write_text(text.format(top=top, ldap=str(top / "ldap").replace("/", "%2F")))
    (config / "sasl").mkdir()
    for name, text in SASL_CONF.items():
        (config / "sasl" / (name + ".conf")).write_text(text.format(top=top))
    places = TwoPlaces(top, queue)
    for name, speak in ANSWERS.items():
        places.listen(name, speak)
    for path, password in ((top / "sasldb", OUTSIDE), (places.inside(top / "sasldb"), INSIDE)):
        make_sasldb(path, [("joe", "mail.example.org", password)])
    return places


class Stock(StockPostfix):
    def __init__(self, fields):
        self.fields, self.places = fields, None
        super().__init__(dict.fromkeys(services("", ""), {}))

    def _write(self, main_cf):
        super()._write(main_cf)
        self.places = write_configuration(self.directory, self.config, self.queue, self.ports, self.fields)
        for name in ("maildrop", "public"):
            shutil.chown(self.queue / name, "postfix", "postdrop")

    def read_log(self):
        return self.log if (self.directory / "mail.log").exists() else ""


class Ours(MailSystem):
    def __init__(self, bin_directory, directory, fields):
        values = {name: value for name, value in MAIN_CF.items() if name not in ("mail_owner", "setgid_group", "in_flow_delay")}
        super().__init__(bin_directory, directory, "".join("%s = %s\n" % item for item in values.items()))
        self.ports = {name: free_port() for name in services("", "")}
        self.places = write_configuration(self.directory, self.config, self.queue, self.ports, fields)

    def read_log(self):
        return self.log()


def talk(port, password=None, domain="x.test"):
    """The reply to AUTH, or to the message."""
    login = [b"AUTH PLAIN " + base64.b64encode(b"\0joe\0" + password.encode()) + b"\r\n"] if password else []
    with Conversation(port) as conversation:
        conversation.reply()
        replies = [conversation.ask(line) for line in
                   [b"EHLO client.example\r\n", *login, b"MAIL FROM:<ann@x.test>\r\n", b"RCPT TO:<bob@%s>\r\n" % domain.encode(),
                    b"DATA\r\n", b"Subject: x\r\n\r\nhello\r\n.\r\n", b"QUIT\r\n"]]
    return replies[1] if password else replies


def observe(system):
    """Which place each is asked at: {(what, chroot field): place}."""
    places, seen = system.places, {}
    time.sleep(1)
    for name, port in system.ports.items():
        kind, chroot = name[:-2], name[-1]
        sockets = {"saslauthd": "mux", "default": "mux", "pgsql": "pgsql/.s.PGSQL.5432"}
        asked = sockets.get(kind, kind)
        places.forget()
        password = {"saslauthd": PASSWORD, "dovecot": PASSWORD, "default": PASSWORD}.get(kind)
        if kind == "sasldb":
            seen[kind, chroot] = [each for each in (INSIDE, OUTSIDE) if talk(port, each).startswith(b"235")]
            continue
        r=talk(port, password)
        seen["reply"+name]=r[0:1] if isinstance(r,list) else r
        seen[kind, chroot] = places.take(asked, waits=False)
        for other in ("cleanup-map", "rewrite-map"):
            seen.setdefault((other, chroot), set()).add(places.take(other, waits=False))
    for chroot in "yn":
        places.forget()
        talk(system.ports["milter-" + chroot], domain=chroot + ".test")
        seen["lmtp", chroot] = places.take("lmtp")
    places.forget()
    maildrop = Maildrop(system.queue, system.read_log)
    maildrop.put(submission(envelope=LOCAL, time_record=TIME))
    maildrop.wake_up()
    seen["non-smtp-milter", ""] = places.take("non-smtp-milter")
    seen["non-smtp", "cleanup-map"] = places.take("cleanup-map")
    return seen


def run_checks(checks, bin_directory, directory):
    only_stock = not os.path.exists(bin_directory)
    for number, fields in enumerate(SURROUNDINGS):
        with Stock(fields) as stock:
            for k, v in observe(stock).items():
                print("stock", fields, k, v)
            print("\n".join(l for l in stock.log.splitlines() if "sasl" in l.lower()))
            stock.places.close()
        if only_stock: continue
        here = directory / str(number)
        here.mkdir()
        with Ours(bin_directory, here, fields) as ours:
            for k, v in observe(ours).items():
                print("ours", fields, k, v)
            print(ours.log()[-6000:])
            ours.places.close()


if __name__ == "__main__":
    sys.exit(run_server_test("chroot", run_checks))
