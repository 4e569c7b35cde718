#!/usr/bin/env python3
"""The queue manager beside the distribution's: the same messages in both queues, put there as files with the same names.
What both log of each message, where it is afterwards, which recipients still wait, and when they are tried again.

usage: qmgr_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import collections
import re
import shutil
import sys
import time

from queue_files import message_bytes
from queue_systems import both, our_system
from queue_text import records_as_read
from server import free_port, run_server_test

CLOSED = free_port()  # Nobody listens there.
SENDER = "ann@example.org"
SETTINGS = {
    "transport_maps": "inline:{ { bounce.test = error:5.7.1 no thanks } { defer.test = retry:4.7.1 later please }"
                      " { none.test = nosuch:x } { moved.test = error: } { held.test = other:x }"
                      " { example.org = retry:4.0.0 kept } { dead.test = smtp:[127.0.0.1]:%d } { other.test = other:next.hop } }" % CLOSED,
    "relocated_maps": "inline:{ { gone@example.com = new@example.com } }",
    "mydestination": "mail.example.org",
    "defer_transports": "hold-this",
    "minimal_backoff_time": "100s",
    "maximal_backoff_time": "1000s",
    "queue_run_delay": "3600s",
    "disable_dns_lookups": "yes",
}
TIME_SLACK = 3  # seconds, between the two
CONFIRMS = {"confirm_delay_cleared": "yes"}
WARNED = [(b"W", b"%15d" % -1)]
LONG_AGO = [(b"W", b"%15d" % 1)]
SUCCESS, FAILURE, DELAY = 2, 4, 8  # NOTIFY


class Case:
    """Messages, by their names, and what is asked of the queue manager."""

    def __init__(self, name, recipients, sender=SENDER, queue="incoming", requests="I", settings=None, **options):
        self.name, self.recipients, self.sender, self.queue, self.requests = name, recipients, sender, queue, requests
        self.settings, self.options = settings or {}, options
        self.id = "%05X%07X" % (len(CASES), 0x1000000 + len(CASES))


CASES = []


def case(*arguments, **options):
    CASES.append(Case(*arguments, **options))


case("a message", ["a@example.com"])
case("several recipients", ["a@example.com", "b@example.com", "c@other.test", "D:d@example.com"])
case("the null sender", ["a@example.com"], sender="")
case("addresses that need quotes", ['a b"c@example.com', "x@y@example.com"], sender="ann smith@example.org")
case("all are deferred", ["a@defer.test", "b@defer.test"])
case("some are deferred", ["a@example.com", "b@defer.test", "c@other.test"])
case("an old one is deferred", ["a@defer.test"], age=450)
case("a very old one is deferred", ["a@defer.test"], age=5000)
case("one of before is tried again", ["D:a@example.com", "b@defer.test"], queue="deferred", requests="D", age=300)
case("one of before is not due yet", ["b@defer.test"], queue="deferred", requests="D", due_in=500)
case("whatever its time is", ["b@defer.test"], queue="deferred", requests="FAD", due_in=500, age=150)
case("a time to come in incoming", ["a@example.com"], due_in=500)
case("no such transport", ["a@none.test", "b@none.test", "c@example.com"])
case("a notification for the postmaster", ["double-bounce@mail.example.org", "a@example.com"], sender="")
case("a content filter", ["a@example.com", "b@defer.test"], envelope=[(b"L", b"other:filter.test")])
case("a content filter without a next hop", ["a@example.com", "b@defer.test"], extracted=[(b"L", b"other:")])
case("a content filter that defers", ["a@example.com", "b@example.net"], extracted=[(b"L", b"retry:4.2.0 busy")])
case("a sender for each recipient", ["a@example.com", "b@example.com", "c@defer.test"], envelope=[(b"V", b"+=")])
case("a redirection", ["a@example.com", "b@defer.test"], extracted=[(b">", b"red@example.com")])
case("a redirection that is deferred", ["a@example.com", "b@example.com"], extracted=[(b">", b"red@defer.test")])
case("rejected mail of nobody", ["a@bounce.test"], sender="")
case("mail of nobody that moved", ["gone@example.com", "x@moved.test"], sender="")
case("rejected mail", ["a@bounce.test", "b@example.com"])
case("mail that moved", ["gone@example.com", "x@moved.test"])
case("too old", ["a@defer.test", "b@example.com"], age=10 * 86400)
case("too old and of nobody", ["a@defer.test"], sender="", age=10 * 86400)
case("forced to expire", ["a@defer.test", "b@example.com"], mode=0o710)
case("a mode that says it is not complete", ["a@example.com"], mode=0o600)
case("a malformed recipient", ["a@-bad-.test", "b@example.com", "c@.."], sender="")
case("recipients in no order", ["b@z.test", "a1@a.test", "a10@a.test", "a11@a.test", "a@m.test", "A@a.test"])
case("a dead destination", ["a%d@dead.test" % number for number in range(60)],
     settings={"smtp_destination_recipient_limit": "10", "initial_destination_concurrency": "1"})
case("late mail", ["a@defer.test"], envelope=LONG_AGO)
case("late mail, and more is to be told", ["a@defer.test"], envelope=LONG_AGO, settings=CONFIRMS)
case("late mail nobody wants to know of", ["a@defer.test|1"], envelope=LONG_AGO, settings=CONFIRMS)
case("late mail arrives", ["a@example.com", "b@defer.test"], queue="deferred", requests="D", envelope=WARNED,
     settings=CONFIRMS)
case("late mail arrives and nobody is to be told", ["a@example.com"], queue="deferred", requests="D", envelope=WARNED)
case("late mail of nobody arrives", ["a@example.com"], sender="", queue="deferred", requests="D", envelope=WARNED,
     settings=CONFIRMS)
case("late mail arrives and some want to know",
     ["a@example.com|%d" % FAILURE, "b@example.com|%d" % DELAY, "c@example.com|%d" % SUCCESS,
      "d@example.com|%d" % (DELAY | SUCCESS), "e@bounce.test|%d" % DELAY], queue="deferred", requests="D", envelope=WARNED,
     settings=CONFIRMS)
case("mail that is not late arrives", ["a@example.com"], queue="deferred", requests="D", envelope=[(b"W", b"%15d" % 0)],
     settings=CONFIRMS)
case("a queued message with an envelope of its own", ["a@example.com"],
     envelope=[(b"F", b"Ann"), (b"A", b"client_name=x"), (b"i", b"env"), (b"<", b"2")])


def put(side, each, now):
    options = dict(each.options)
    due = options.pop("due_in", None)
    age = options.pop("age", 0)
    side.put(each.queue, each.id, each.sender, each.recipients, arrival=now - age,
             due=now + due if due is not None else now - 1, **options)


def lines_of(side, queue_id):
    """What was logged of a message, without what changes from run to run."""
    found = []
    for program, text in re.findall(r"postfix/([\w-]+)\[\d+\]: (%s: .*)$" % queue_id, side.log(), re.M):
        text = re.sub(r"delay=[\d.]+, delays=[\d./]+", "delay=N", text)
        text = re.sub(r"notification: \w+$", "notification: NEW", text)
        found.append("%s: %s" % (program, text))
    # Those of different transports come in any order.
    return sorted(line for line in found if "delay=N" in line), [line for line in found if "delay=N" not in line]


def waiting(side, each, began):
    """The recipients that are not done, where the message still is; and how many seconds after `began` it is tried again."""
    queue = side.where(each.id)
    if queue is None:
        return queue, [], 0
    path = side.place(queue, each.id)
    left = [payload.decode() for kind, payload in records_as_read(path.read_bytes()) if kind == b"R"]
    return queue, left, path.stat().st_mtime - began


def told(side, each):
    """Of whom the notices that come from a message tell; and when a warning is to be sent, if the message is still there."""
    queue = side.where(each.id)
    warnings = [] if queue is None else [payload for kind, payload in records_as_read(side.place(queue, each.id).read_bytes())
                                         if kind == b"W"]
    notices = []
    for name in re.findall(r"%s: sender .* notification: (\w+)" % each.id, side.log()):
        lines = [payload.decode() for kind, payload in records_as_read(side.place(side.where(name), name).read_bytes())
                 if kind == b"N"]
        notices.append(sorted(line for line in lines if line.startswith(("Subject", "Final", "Action", "Diagnostic"))))
    return warnings, sorted(notices)


def is_quiet(side):
    """Nothing is under way, and the log does not grow."""
    if next((side.queue / "active").iterdir(), None) is not None:
        return False
    before = len(side.log())
    time.sleep(0.3)
    return len(side.log()) == before and next((side.queue / "active").iterdir(), None) is None


def run_cases(checks, bin_directory, cases, settings):
    with both(bin_directory, dict(SETTINGS, **settings)) as sides:
        for side in sides:
            side.wait_for(lambda: is_quiet(side))  # pylint: disable=cell-var-from-loop
        began = []
        for side in sides:
            began.append(time.time())
            for each in cases:
                put(side, each, began[-1])
            side.trigger(cases[0].requests)
            time.sleep(0.5)
            side.wait_for(lambda: is_quiet(side))  # pylint: disable=cell-var-from-loop
        for each in cases:
            (our_lines, their_lines) = (lines_of(side, each.id) for side in sides)
            checks.equal("%s: deliveries in the log" % each.name, our_lines[0], their_lines[0])
            checks.equal("%s: the log" % each.name, our_lines[1], their_lines[1])
            (ours, theirs) = (waiting(side, each, start) for side, start in zip(sides, began))
            checks.equal("%s: where it is" % each.name, ours[0], theirs[0])
            checks.equal("%s: who still waits" % each.name, ours[1], theirs[1])
            checks.equal("%s: what the sender is told" % each.name, *(told(side, each) for side in sides))
            checks.check("%s: when it is tried again" % each.name, abs(ours[2] - theirs[2]) <= TIME_SLACK,
                         "in %d s, and not in %d s" % (ours[2], theirs[2]))


def check_damaged(checks, bin_directory):
    good = message_bytes(SENDER, ["a@example.com"])
    damaged = {
        "ABCDE00001": b"", "ABCDE00002": b"nonsense", "ABCDE00003": good[:-2], "ABCDE00004": good[:200],
        "ABCDE00005": good.replace(b"S\x0fann@example.org", b""),
    }
    with both(bin_directory, SETTINGS) as sides:
        for side in sides:
            for name, data in damaged.items():
                path = side.place("incoming", name)
                path.write_bytes(data)
                path.chmod(0o700)
                shutil.chown(path, "postfix")
            side.put("incoming", "ABCDE00009", SENDER, ["a@example.com"])
            side.trigger("I")
            side.wait_for(lambda: "ABCDE00009: removed" in side.log() and is_quiet(side))  # pylint: disable=cell-var-from-loop
        ours, stock = sides
        for name in damaged:
            checks.equal("a damaged file: where %s is" % name, ours.where(name), stock.where(name))
            line = 'saving corrupt file "%s" from queue "active" to queue "corrupt"' % name
            checks.equal("a damaged file: %s is told of" % name, line in ours.log(), line in stock.log())


def check_mailing(checks, bin_directory):
    """A message with many recipients lets single ones by, though there is one delivery at a time."""
    settings = dict(SETTINGS, transport_maps="inline:{{list.test=one:next}}", one_destination_recipient_limit="1")
    with both(bin_directory, settings, master_cf="one unix - - n - 1 discard\n") as sides:
        for side in sides:
            side.wait_for(lambda: is_quiet(side))  # pylint: disable=cell-var-from-loop
            side.put("incoming", "AAAA00000001", SENDER, ["u%d@list.test" % number for number in range(1000)])
            singles = ["BBBB0000000%d" % number for number in range(5)]
            for name in singles:
                side.put("incoming", name, SENDER, ["one@list.test"])
            side.trigger("I")
            side.wait_for(lambda: side.log().count(": removed") == 6, 60)  # pylint: disable=cell-var-from-loop
            order = re.findall(r"discard\[\d+\]: (\w+): to=", side.log())
            last = max(order.index(name) for name in singles)
            checks.equal("a mailing: all is delivered by %s" % side.label, len(order), 1005)
            checks.check("a mailing: %s delivers single messages first" % side.label, last < 500, "the last is number %d" % last)


def check_reload(checks, bin_directory):
    """Deliveries under way are finished by the process before; what waits goes on in the next one."""
    ours = our_system(bin_directory, dict(SETTINGS))
    try:
        ours.start()
        for number in range(2000):
            ours.put("incoming", "%05X%05X" % (number, number), SENDER, ["a%d@example.com" % number])
        ours.trigger("I")
        for _ in range(4):
            time.sleep(0.05)
            ours.master.send_signal(1)
        ours.wait_for(lambda: ours.log().count(": removed") >= 2000)
        counts = collections.Counter(re.findall(r"(\w+): to=<\S+, .*status=sent", ours.log()))
        checks.equal("reload: every message is delivered", len(counts), 2000)
        checks.equal("reload: and once", max(counts.values()), 1)
        checks.check("reload: there was one", ours.log().count("reload -- version") >= 2, ours.log()[-500:])
    finally:
        ours.remove()


def test(checks, bin_directory, _directory):
    groups = collections.defaultdict(list)
    for each in CASES:
        groups[each.requests, tuple(each.settings.items())].append(each)
    for (_, settings), cases in groups.items():
        run_cases(checks, bin_directory, cases, dict(settings))
    held = [Case("a transport that is deferred", ["a@held.test", "b@example.com"])]
    run_cases(checks, bin_directory, held, {"defer_transports": "other"})
    urgent = [Case("a transport that is deferred, and somebody asks", ["a@held.test"], queue="deferred", requests="FAD")]
    run_cases(checks, bin_directory, urgent, {"defer_transports": "other"})
    check_damaged(checks, bin_directory)
    check_mailing(checks, bin_directory)
    check_reload(checks, bin_directory)


if __name__ == "__main__":
    sys.exit(run_server_test("the queue manager beside the distribution's", test))
