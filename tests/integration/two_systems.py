"""The same sessions with our mail system and with the distribution's Postfix, side by side: replies, lines of the log and
queue files.

    with TwoSystems(bin_directory, directory, main_cf, {"plain": {}, "strict": {...}}) as systems:
        systems.compare(checks, "a message", "plain", [b"EHLO x\\r\\n", ...])
"""
import re
import stat

from checks import wait_until
from mail_system import MailSystem
from queue_records import normal, normal_records
from server import free_port
from stock_postfix import MAIN_CF, StockPostfix, exchange

LOGGED = re.compile(r"(postfix\S*/(?:smtpd|cleanup))\[\d+\]: (.*)")
# What the two may log otherwise.
UNCOMPARED = re.compile(r"connect from|statistics:|unable to look up public/qmgr|: uid=")


def start_both(ours, stock):
    """Both run, or neither."""
    stock.__enter__()
    try:
        ours.__enter__()
    except BaseException:
        stock.__exit__()
        raise


def log_lines(text):
    lines = []
    for match in LOGGED.finditer(text):
        if not UNCOMPARED.search(match.group(2)):
            lines.append("%s: %s" % (match.group(1), normal(match.group(2))))
    return lines


def messages(queue):
    """The records of the messages in the queue, which are removed."""
    out = []
    for name in ("incoming", "hold"):
        found = []
        for file in (queue / name).iterdir():
            try:
                status = file.stat()
            except FileNotFoundError:
                continue  # One that is not complete, and goes just now.
            found.append((status.st_mtime_ns, file, status.st_mode))
        for _, file, mode in sorted(found):
            if mode & stat.S_IXUSR:
                out.append((name, normal_records(file)))
            if stat.S_ISREG(mode):
                file.unlink(missing_ok=True)  # Postfix leaves files that are not complete, too.
    return out


class OneSystem:
    def __init__(self, ports, queue, log):
        self.ports, self.queue, self.log, self.seen = ports, queue, log, 0

    def talk(self, service, session, expected_ends=1):
        """Replies, log lines and messages of a session."""
        self.seen = len(self.log())
        replies = exchange(self.ports[service], session)
        wait_until(lambda: self.log()[self.seen:].count(": disconnect from") >= expected_ends)
        return ([normal(reply.decode("utf-8", "replace")) for reply in replies], log_lines(self.log()[self.seen:]),
                messages(self.queue))


def options_of(parameters):
    return "".join("  -o {%s = %s}\n" % item for item in parameters.items())


class TwoSystems:
    """`services` has for each smtpd the parameters that it and its cleanup have; of one that names its cleanup itself, its
    own. `peers` has more local services, each a name, a command and parameters. Raises NoServer."""

    def __init__(self, bin_directory, directory, main_cf, services, peers=()):
        self.services, self.ours, self.stock = services, None, None
        servers, entries, peers = {}, "", list(peers)
        for name, parameters in services.items():
            servers[name] = parameters
            if "cleanup_service_name" not in parameters:
                peers.append(("cleanup-" + name, "cleanup", parameters))
                servers[name] = dict(parameters, cleanup_service_name="cleanup-" + name)
        self.our_ports = {name: free_port() for name in servers}
        for name, parameters in servers.items():
            entries += "127.0.0.1:%d inet n - n - - smtpd\n%s" % (self.our_ports[name], options_of(parameters))
        # Users may reach cleanup, and nothing else.
        inner = "".join("%s unix %s - n - 0 %s\n%s" % (name, "n" if command == "cleanup" else "y", command,
                                                        options_of(parameters)) for name, command, parameters in peers)
        settings = dict({key: value for key, value in MAIN_CF.items()
                         if key not in ("mail_owner", "setgid_group", "in_flow_delay")}, **main_cf)
        self.ours = MailSystem(bin_directory, directory, "".join("%s = %s\n" % item for item in settings.items()))
        self.ours.entries.append(entries + inner)
        self.ours.write_master_cf()
        self.stock = StockPostfix(servers, main_cf)
        with open(self.stock.config / "master.cf", "a", encoding="utf-8") as master_cf:
            master_cf.write(inner)

    def __enter__(self):
        start_both(self.ours, self.stock)
        self.systems = (OneSystem(self.our_ports, self.ours.queue, self.ours.log),
                        OneSystem(self.stock.ports, self.stock.queue, lambda: self.stock.log))
        return self

    def __exit__(self, *_):
        self.ours.__exit__()
        self.stock.__exit__()

    def talk(self, service, session, before=lambda: None):
        """What came of the session with each; `before` is called before each, and its value is returned, too."""
        results = []
        for system in self.systems:
            before()
            results.append(system.talk(service, session))
        return results

    def compare(self, checks, name, service, session, compares_log=True):
        (replies, log, mail), (their_replies, their_log, their_mail) = self.talk(service, session)
        compare_lists(checks, "%s: replies" % name, replies, their_replies)
        if compares_log:
            compare_lists(checks, "%s: the log" % name, log, their_log)
        compare_mail(checks, name, mail, their_mail)


def compare_lists(checks, name, ours, theirs):
    def difference():
        return "\n".join(["ours only: %r" % (item,) for item in ours if item not in theirs]
                         + ["theirs only: %r" % (item,) for item in theirs if item not in ours]
                         or ["the order differs", "ours: %r" % (ours,), "theirs: %r" % (theirs,)])
    checks.check(name, ours == theirs, difference)


def compare_mail(checks, name, ours, theirs):
    checks.equal("%s: where the messages are" % name, [queue for queue, _ in ours], [queue for queue, _ in theirs])
    for (_, records), (_, their_records) in zip(ours, theirs):
        compare_lists(checks, "%s: the queue file" % name, records, their_records)
