#!/usr/bin/env python3
"""kill -9 of the queue manager at random moments, while thousands of messages come and are delivered, deferred and returned:
nothing is lost, and nothing is delivered twice but what was under way.

usage: qmgr_crash_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import collections
import os
import random
import re
import signal
import sys
import time

from queue_systems import our_system
from queue_text import records_as_read
from server import run_server_test

MESSAGES, KILLS, SEED = 3000, 12, 11
UNDER_WAY = 400  # deliveries, at most, when the process is killed
SETTINGS = {
    "transport_maps": "inline:{ { defer.test = retry:later } { bounce.test = error:5.1.1 nobody } }",
    "service_throttle_time": "1s", "minimal_backoff_time": "1000s", "queue_run_delay": "1000s",
    "qmgr_message_active_limit": "200", "qmgr_message_recipient_limit": "100", "qmgr_message_recipient_minimum": "3",
}


def name_of(number):
    return "%05X%05X" % (number, number)


def make_messages(moments):
    """The recipients of each, by its name."""
    found = {}
    for number in range(MESSAGES):
        size = 40 if number % 50 == 0 else moments.randrange(1, 5)
        domains = [moments.choice(("a.test", "b.test", "example.com", "defer.test")) for _ in range(size)]
        found[name_of(number)] = ["u%d@%s" % (index, domain) for index, domain in enumerate(domains)]
        if number % 97 == 0:
            found[name_of(number)].append("x@bounce.test")
    return found


def kill(system):
    process = system.process()
    if process is None:
        return False
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def test(checks, bin_directory, _directory):
    moments = random.Random(SEED)
    messages = make_messages(moments)
    system = our_system(bin_directory, SETTINGS)
    try:
        system.start()
        names, kills = list(messages), 0
        while names or kills < KILLS:
            for name in names[:250]:
                system.put("incoming", name, "ann@example.org", messages[name])
            del names[:250]
            try:
                system.trigger("I")
            except OSError:
                pass  # It has just been killed.
            time.sleep(moments.uniform(0, 0.15))
            if kill(system):
                kills += 1
                system.wait_for(lambda: system.process() is not None)
                time.sleep(moments.uniform(0, 0.1))
        system.wait_for(lambda: not list((system.queue / "incoming").iterdir())
                        and not list((system.queue / "active").iterdir()), 60)
        check(checks, system, messages, kills)
    finally:
        system.remove()


def check(checks, system, messages, kills):
    sent = collections.Counter(re.findall(r"discard\[\d+\]: (\w+): to=<(\S+)>.*status=sent", system.log()))
    wanted = {(name, address) for name, recipients in messages.items() for address in recipients
              if not address.endswith(("@defer.test", "@bounce.test"))}
    checks.equal("all are delivered to", {key for key in wanted if key not in sent}, set())
    returned = set(re.findall(r"bounce\[\d+\]: (\w+): sender non-delivery notification", system.log()))
    failed = {name for name, recipients in messages.items() if "x@bounce.test" in recipients}
    checks.equal("all senders are told of failures", failed - returned, set())
    twice = sum(count - 1 for key, count in sent.items() if key in wanted)
    checks.check("what was under way when it was killed is delivered twice, and nothing else", twice <= kills * UNDER_WAY,
                 "%d in %d kills" % (twice, kills))
    print("%d of %d deliveries were made twice, in %d kills" % (twice, len(wanted), kills))
    left = {}
    for path in (system.queue / "deferred").rglob("*"):
        if path.is_file() and path.name in messages:
            left[path.name] = {payload.decode() for kind, payload in records_as_read(path.read_bytes()) if kind == b"R"}
    expected = {name: {each for each in recipients if each.endswith("@defer.test")} for name, recipients in messages.items()}
    checks.equal("what is deferred waits, and nothing else", left, {name: value for name, value in expected.items() if value})
    checks.equal("nothing is damaged", list((system.queue / "corrupt").iterdir()), [])


if __name__ == "__main__":
    sys.exit(run_server_test("killing the queue manager", test))
