#!/usr/bin/env python3
"""The chroot field of master.cf: whether the absolute path of a socket is one of the host, or one below queue_directory. Each
server that Postfix may be a client of listens at both places; who is asked, by the distribution's Postfix and by our mail
system, must be what this table says.

    what                                                       whose chroot field decides
    smtpd_milters, check_policy_service, smtpd_proxy_filter    that of the smtpd
    smtpd_sasl_path of Dovecot; saslauthd_path, sasldb_path    that of the smtpd
    tables in restrictions: socketmap, memcache, mysql,        that of the smtpd
      pgsql, ldap
    non_smtpd_milters, canonical_maps                          that of cleanup; that of pickup says nothing
    transport_maps                                             that of trivial-rewrite
    the next hop of lmtp                                       that of the lmtp

usage: chroot_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import base64
import os
import pathlib
import re
import shutil
import sys

from checks import wait_until
from mail_system import MailSystem
from maildrop import LOCAL, TIME, Maildrop, submission
from sasl_backends import PASSWORD, make_sasldb
from server import NoServer, free_port, run_server_test
from stock_postfix import DAEMONS, INNER_SERVICES, MAIN_CF, Conversation, StockPostfix
from two_places import (INSIDE, NOBODY, OUTSIDE, TwoPlaces, greet_and_hang_up, hang_up, speak_dovecot, speak_milter, speak_policy,
                        speak_saslauthd, speak_smtp, speak_socketmap)

SERVERS = {"milter": speak_milter, "policy": speak_policy, "proxy": speak_smtp, "dovecot": speak_dovecot,
           "saslauthd": speak_saslauthd, "socketmap": speak_socketmap, "memcache": hang_up, "mysql": greet_and_hang_up,
           "pgsql/.s.PGSQL.5432": hang_up, "ldap": hang_up, "non-smtp-milter": speak_milter, "canonical": speak_socketmap,
           "transport": speak_socketmap, "lmtp-y": speak_smtp, "lmtp-n": speak_smtp}
# Of these a second one listens outside only.
LOST = ("milter", "policy", "proxy", "saslauthd", "socketmap")
DATABASES = {
    "mysql": "hosts = unix:{top}/mysql\nuser = x\npassword = x\ndbname = x\nquery = SELECT 1\n",
    "pgsql": "hosts = unix:{top}/pgsql\nuser = x\npassword = x\ndbname = x\nquery = SELECT 1\n",
    "ldap": "server_host = ldapi://{top_in_url}%2Fldap\nsearch_base = dc=x\nquery_filter = cn=%s\nresult_attribute = x\n"
            "version = 3\nbind = no\ntimeout = 3\n",
    "memcache": "memcache = unix:{top}/memcache\nretry_pause = 1\nmax_try = 1\n",
}
SASL_CONF = {
    "saslauthd": "pwcheck_method: saslauthd\nsaslauthd_path: {top}/saslauthd\nmech_list: PLAIN\n",
    "saslauthd-lost": "pwcheck_method: saslauthd\nsaslauthd_path: {top}/saslauthd-lost\nmech_list: PLAIN\n",
    "sasldb": "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {top}/sasldb\nmech_list: PLAIN\n",
}
MAIN = {
    "canonical_maps": "socketmap:unix:{top}/canonical:name",
    "non_smtpd_milters": "unix:{top}/non-smtp-milter",
    "transport_maps": "inline:{{{{y.test = lmtp-y:unix:{top}/lmtp-y}}, {{n.test = lmtp-n:unix:{top}/lmtp-n}}, "
                      "{{relative-y.test = lmtp-y:unix:there/lmtp}}, {{relative-n.test = lmtp-n:unix:there/lmtp}}}}, "
                      "socketmap:unix:{top}/transport:name",
    "default_transport": "discard", "relay_transport": "discard", "local_transport": "discard", "relay_domains": "test",
    "lmtp_connection_cache_on_demand": "no", "notify_classes": "", "milter_default_action": "tempfail",
}
MASTER = """pickup unix n - {pickup} 60 1 pickup
cleanup unix n - {cleanup} - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - {rewrite} - - trivial-rewrite
""" + INNER_SERVICES + """\
lmtp-y unix - - y - - lmtp
lmtp-n unix - - n - - lmtp
postlog unix-dgram n - n - 1 postlogd
"""


class Surroundings:
    """Which of the services without clients of their own are confined, and where that leads."""

    def __init__(self, name, level, fields, cleanup, rewrite):
        self.name, self.level, self.fields, self.cleanup, self.rewrite = name, level, fields, cleanup, rewrite


ALL_SURROUNDINGS = (
    Surroundings("only cleanup", "3.6", {"pickup": "n", "cleanup": "y", "rewrite": "n"}, INSIDE, OUTSIDE),
    Surroundings("all but cleanup", "3.6", {"pickup": "y", "cleanup": "n", "rewrite": "y"}, OUTSIDE, INSIDE),
    Surroundings("defaults", "3.6", {"pickup": "-", "cleanup": "-", "rewrite": "-"}, OUTSIDE, OUTSIDE),
    Surroundings("defaults of level 0", "0", {"pickup": "-", "cleanup": "-", "rewrite": "-"}, INSIDE, INSIDE),
)


def services(top, config, databases):
    """Parameters of each smtpd, by what it is a client of and its chroot field."""
    login = {"smtpd_sasl_auth_enable": "yes", "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject"}
    found = {}
    for name in ("", "-lost"):
        found["milter" + name] = {"smtpd_milters": "unix:%s/milter%s" % (top, name)}
        found["policy" + name] = {"smtpd_client_restrictions": "check_policy_service unix:%s/policy%s" % (top, name)}
        found["proxy" + name] = {"smtpd_proxy_filter": "unix:%s/proxy%s" % (top, name)}
        found["socketmap" + name] = {
            "smtpd_client_restrictions": "check_client_access socketmap:unix:%s/socketmap%s:name" % (top, name)}
    found["dovecot"] = dict(login, smtpd_sasl_type="dovecot", smtpd_sasl_path="%s/dovecot" % top)
    found["link"] = {"smtpd_client_restrictions": "check_policy_service unix:%s/link" % top}
    for name in SASL_CONF:
        found[name] = dict(login, smtpd_sasl_type="cyrus", smtpd_sasl_path=name)
    for name in databases:
        found[name] = {"smtpd_client_restrictions": "check_client_access %s:%s/%s.cf" % (name, config, name)}
    return {(name, chroot): parameters for name, parameters in found.items() for chroot in "yn"}


class Site:
    """The configuration of a mail system, and the servers that it is a client of."""

    def __init__(self, directory, config, queue, databases, surroundings):
        self.top, self.queue = directory / "s", queue
        self.places = TwoPlaces(self.top, queue)
        entries = services(self.top, config, databases)
        self.ports = {service: free_port() for service in entries}
        main_cf = (config / "main.cf").read_text() + "".join("%s = %s\n" % (name, value.format(top=self.top))
                                                             for name, value in MAIN.items())
        level = "compatibility_level = " + surroundings.level
        (config / "main.cf").write_text(re.sub(r"(?m)^compatibility_level = .*", level, main_cf))
        text = MASTER.format(**surroundings.fields)
        for service, parameters in entries.items():
            text += "127.0.0.1:%d inet n - %s - - smtpd\n" % (self.ports[service], service[1])
            text += "".join("  -o {%s = %s}\n" % item for item in parameters.items())
        (config / "master.cf").write_text(text)
        for name in databases:
            text = DATABASES[name].format(top=self.top, top_in_url=str(self.top).replace("/", "%2F"))
            (config / (name + ".cf")).write_text(text)
        (config / "sasl").mkdir()
        for name, text in SASL_CONF.items():
            (config / "sasl" / (name + ".conf")).write_text(text.format(top=self.top))

    def __enter__(self):
        for name, speak in SERVERS.items():
            self.places.listen(name, speak)
        for name in LOST:
            self.places.listen(name + "-lost", SERVERS[name], OUTSIDE)
        self.places.listen_in_queue("relative", "there/lmtp", speak_smtp)
        for path, password in ((self.top / "sasldb", OUTSIDE), (self.places.inside(self.top / "sasldb"), INSIDE)):
            make_sasldb(path, [("joe", "mail.example.org", password)])
        # The same at both places; after chroot(2) it leads to the socket inside.
        for path in (self.top / "link", self.places.inside(self.top / "link")):
            path.symlink_to(self.top / "policy")
        return self

    def __exit__(self, *_):
        self.places.close()


class Stock(StockPostfix):
    def __init__(self, databases, surroundings):
        self.databases, self.surroundings, self.site = databases, surroundings, None
        super().__init__({})

    def _write(self, main_cf):
        super()._write(main_cf)
        self.site = Site(self.directory, self.config, self.queue, self.databases, self.surroundings)
        self.ports = self.site.ports
        for name in ("maildrop", "public"):
            shutil.chown(self.queue / name, "postfix", "postdrop")

    def read_log(self):
        return self.log if (self.directory / "mail.log").exists() else ""


class Ours(MailSystem):
    def __init__(self, bin_directory, directory, databases, surroundings):
        values = {name: value for name, value in MAIN_CF.items() if name not in ("mail_owner", "setgid_group", "in_flow_delay")}
        super().__init__(bin_directory, directory, "".join("%s = %s\n" % item for item in values.items()))
        self.queue.mkdir(exist_ok=True)
        self.site = Site(directory, self.config, self.queue, databases, surroundings)
        self.read_log = self.log


def talk(port, password=None, domain="x.test"):
    """Sends a message. The replies, from that to AUTH on."""
    with Conversation(port) as conversation:
        conversation.reply()
        conversation.ask(b"EHLO client.example\r\n")
        login = [b"AUTH PLAIN " + base64.b64encode(b"\0joe\0" + password.encode()) + b"\r\n"] if password else []
        return [conversation.ask(line) for line in
                [*login, b"MAIL FROM:<ann@x.test>\r\n", b"RCPT TO:<bob@%s>\r\n" % domain.encode(), b"DATA\r\n",
                 b"Subject: x\r\n\r\nhello\r\n.\r\n", b"QUIT\r\n"]]


def warnings(log):
    """What smtpd warns of when nobody listens."""
    lines = re.findall(r"/smtpd\[\d+\]: (warning: .*)", log)
    return [line for line in lines if "connect" in line.lower()]


class Observer:
    """Who is asked by a system that runs."""

    def __init__(self, system):
        self.site, self.places, self.read_log, self.top = system.site, system.site.places, system.read_log, system.site.top

    def _session(self, service, **options):
        """Replies to a session, and what was logged in it."""
        self.places.forget()
        start = len(self.read_log())
        replies = talk(self.site.ports[service], **options)
        wait_until(lambda: "disconnect from" in self.read_log()[start:])
        return replies, self.read_log()[start:]

    def smtpd(self, service):
        kind = service[0]
        if kind == "sasldb":
            passwords = [each for each in (INSIDE, OUTSIDE) if self._session(service, password=each)[0][0].startswith(b"235")]
            return passwords[0] if len(passwords) == 1 else repr(passwords)
        is_login = kind.startswith(("saslauthd", "dovecot"))
        self._session(service, password=PASSWORD if is_login else None)
        return self.places.take({"pgsql": "pgsql/.s.PGSQL.5432", "link": "policy"}.get(kind, kind), waits=False)

    def inside_of(self, service):
        """(canonical_maps, transport_maps), of a message from a client."""
        self._session(service)
        return self.places.take("canonical"), self.places.take("transport")

    def lmtp(self, domain, place):
        """Who is asked, and what the log calls it."""
        start = len(self.read_log())
        self._session(("policy", "n"), domain=domain)
        asked = self.places.take(place)
        relay = wait_until(lambda: re.search(r"to=<bob@%s>, relay=([^ ]*)," % domain, self.read_log()[start:]))
        return asked, relay and relay[1].replace(str(self.top), "TOP")

    def submission(self, queue):
        """(non_smtpd_milters, canonical_maps), of a message that a user submits."""
        self.places.forget()
        maildrop = Maildrop(queue, self.read_log)
        maildrop.put(submission(envelope=LOCAL, time_record=TIME), uid=-1)
        maildrop.wake_up()
        return self.places.take("non-smtp-milter"), self.places.take("canonical")

    def lost(self, service):
        """What is said when nobody listens at the right place: the first reply that is no success, and warnings."""
        replies, log = self._session(service, password=PASSWORD if service[0].startswith(("saslauthd", "dovecot")) else None)
        asked = self.places.take(service[0], waits=False)
        bad = [reply for reply in replies if not reply.startswith((b"2", b"3"))][:1]
        return asked, bad, [line.replace(str(self.top), "TOP") for line in warnings(log)]


def expected(service):
    kind, chroot = service
    return {"y": NOBODY if kind.endswith("-lost") else INSIDE, "n": OUTSIDE}[chroot]


def check_system(checks, name, system, surroundings):
    """Holds one mail system against the table. Returns what it says of those who are not there."""
    name = "%s, %s: " % (name, surroundings.name)
    lost = {}
    with system.site, system:
        observer = Observer(system)
        for service in system.site.ports:
            if not service[0].endswith("-lost"):
                checks.equal(name + "%s, chroot = %s" % service, observer.smtpd(service), expected(service))
                continue
            asked, *lost[service] = observer.lost(service)
            checks.equal(name + "%s, chroot = %s" % service, asked, expected(service))
        for chroot in "yn":
            checks.equal(name + "the next hop of lmtp, chroot = %s" % chroot, observer.lmtp(chroot + ".test", "lmtp-" + chroot),
                         (expected(("lmtp", chroot)), "mail.example.org[TOP/lmtp-%s]" % chroot))
            checks.equal(name + "a relative next hop, chroot = %s" % chroot, observer.lmtp("relative-%s.test" % chroot, "relative"),
                         (INSIDE, "mail.example.org[there/lmtp]"))
            checks.equal(name + "canonical_maps and transport_maps, chroot = %s" % chroot, observer.inside_of(("milter", chroot)),
                         (surroundings.cleanup, surroundings.rewrite))
        checks.equal(name + "non_smtpd_milters and canonical_maps", observer.submission(system.queue),
                     (surroundings.cleanup, surroundings.cleanup))
    return lost


def check_words(checks, ours, stock):
    """What is said when nobody listens is said in the same words."""
    for service in ours:
        checks.equal("%s, chroot = %s: the replies and the log" % service, ours[service], stock[service])


def run_checks(checks, bin_directory, directory):
    modules = {"ours": pathlib.Path(bin_directory).resolve().parent / "lib/libmaps-%s.so",
               "the distribution's": DAEMONS.parent / "postfix-%s.so"}
    databases = ["memcache"]
    for name in ("mysql", "pgsql", "ldap"):
        missing = [who for who, path in modules.items() if not pathlib.Path(str(path) % name).exists()]
        if missing:
            checks.skip(name, "no module of " + " and ".join(missing))
        else:
            databases.append(name)
    for surroundings in ALL_SURROUNDINGS:
        here = directory / surroundings.name.replace(" ", "-")
        here.mkdir()
        ours = check_system(checks, "ours", Ours(bin_directory, here, databases, surroundings), surroundings)
        if os.geteuid() != 0:
            continue
        try:
            stock = check_system(checks, "the distribution's", Stock(databases, surroundings), surroundings)
            check_words(checks, ours, stock)
        except NoServer as reason:
            checks.skip("the distribution's Postfix", str(reason))
    if os.geteuid() != 0:
        checks.skip("the distribution's Postfix", "starts as root only")


if __name__ == "__main__":
    sys.exit(run_server_test("chroot", run_checks))
