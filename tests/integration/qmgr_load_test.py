#!/usr/bin/env python3
"""What the queue manager says of destinations that take much of the queue, and of how many deliveries they get at a time:
ours and the distribution's, with the same messages one after the other.

    tests/integration/qmgr_load_test.py --bin build/dev/bin
"""
import contextlib
import re
import socket
import sys
import time

from qmgr_test import is_quiet
from queue_systems import both
from server import free_port, run_server_test

SENDER = "ann@example.org"
LIMIT = "slow_destination_concurrency_limit"
# Messages with so many recipients, each in a domain of its own, the last first; a process delivers to one after the other.
# What is in memory is served by name, so that the order tells how many are read at a time.
MEMORY = [
    ("enough for all", [60], {"qmgr_message_active_limit": "20000"}),
    ("enough for all but the first", [60], {}),
    ("none but the least", [30], {"one_recipient_limit": "0"}),
    ("none but the least, one at a time", [30], {"one_recipient_limit": "0", "one_recipient_refill_limit": "1"}),
    ("none but the least, three at a time", [30], {"one_recipient_limit": "0", "one_recipient_refill_limit": "3"}),
    ("some", [80], {"one_recipient_limit": "20"}),
    ("some, ten at a time", [80], {"one_recipient_limit": "20", "one_recipient_refill_limit": "10"}),
    ("two messages", [60, 60], {"one_recipient_limit": "20", "one_recipient_refill_limit": "10"}),
    ("three messages", [60, 40, 50], {"one_recipient_limit": "15", "one_recipient_refill_limit": "5"}),
    ("small ones go ahead", [100, 12, 1], {"one_recipient_limit": "20", "one_extra_recipient_limit": "8",
                                           "one_recipient_refill_limit": "10"}),
    ("one goes ahead without more memory", [100, 12, 1], {"one_recipient_limit": "20", "one_extra_recipient_limit": "0",
                                                          "one_recipient_refill_limit": "3"}),
    ("one goes ahead with more memory", [200, 30], {"one_recipient_limit": "20", "one_extra_recipient_limit": "20",
                                                    "one_recipient_refill_limit": "3"}),
]
LITTLE = {"qmgr_message_active_limit": "10", "qmgr_message_recipient_limit": "10", "qmgr_message_recipient_minimum": "5",
          "one_extra_recipient_limit": "0", "one_destination_concurrency_limit": "1000", "default_transport": "one:",
          "one_initial_destination_concurrency": "1000"}
PAUSE = 0.3     # seconds, for what a message in the active queue starts
INTERVAL = 2.1  # seconds, a bit more than qmgr_clog_warn_time; Postfix counts whole ones

# Who is flooded: each letter of a step is a message for that destination, which never ends. a and b have a transport in
# common. Then the settings, and the processes of each transport.
CLOGS = [
    ("one destination", ["aa", "a", "a"], {}, 1),
    ("a queue of fourteen", ["aaa", "a"], {"qmgr_message_active_limit": "14"}, 1),
    ("a small queue", ["a", "a"], {"qmgr_message_active_limit": "4"}, 1),
    ("with a neighbour", ["bbbaaa", "a", "b", "a"], {}, 1),
    ("with others", ["xxxaaa", "a", "x"], {}, 1),
    ("a low limit", ["aaaa", "a"], {LIMIT: "2"}, 3),
    ("one at a time", ["xaaa", "a"], {LIMIT: "1"}, 1),
    ("a rate", ["aaa", "a"], {"slow_destination_rate_delay": "100s"}, 1),
    ("no limit", ["aaa", "a"], {LIMIT: "0"}, 1),
    ("more than the queue holds", ["aaa", "a"], {LIMIT: "40", "initial_destination_concurrency": "11"}, 1),
    ("as much as the queue holds", ["aaa"], {LIMIT: "40", "initial_destination_concurrency": "10"}, 1),
    ("a recipient each", ["aaaa"], {"slow_destination_recipient_limit": "1"}, 1),
    ("no help", ["aaaa"], {"helpful_warnings": "no"}, 1),
    ("no warnings", ["aaaa"], {"qmgr_clog_warn_time": "0"}, 1),
]

FEEDBACK = "slow_destination_concurrency_%s_feedback"
# Messages one at a time that are delivered, or are not.
FEEDBACKS = [
    ("success", "good", 6, {}),
    ("a part of success", "good", 9, {FEEDBACK % "positive": "0.4", "slow_initial_destination_concurrency": "3"}),
    ("divided success", "good", 9, {FEEDBACK % "positive": "1/concurrency", "slow_initial_destination_concurrency": "2"}),
    ("success up to the limit", "good", 6, {LIMIT: "3", "initial_destination_concurrency": "2"}),
    ("failure", "dead", 3, {}),
    ("a part of failure", "dead", 9, {FEEDBACK % "negative": "0.28",
                                      "slow_destination_concurrency_failed_cohort_limit": "100"}),
    ("divided failure", "dead", 9, {FEEDBACK % "negative": "1 / concurrency",
                                    "slow_destination_concurrency_failed_cohort_limit": "100"}),
    ("a recipient each", "good", 1, {"slow_destination_recipient_limit": "1"}),
]


def silent_server():
    """Takes connections, and says nothing."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(200)
    return listener


def lines(side, start, pattern):
    """What the queue manager logged since then."""
    return re.findall(r"qmgr\[\d+\]: (%s.*)$" % pattern, side.log()[start:], re.M)


def check_clog(checks, bin_directory, name, steps, settings, processes):
    with contextlib.ExitStack() as stack:
        servers = {letter: stack.enter_context(silent_server()) for letter in "abx"}
        transports = ["{%s.test=%s:[127.0.0.1]:%d}" % (letter, "fast" if letter == "x" else "slow", server.getsockname()[1])
                      for letter, server in servers.items()]
        values = dict({"qmgr_message_active_limit": "10", "qmgr_clog_warn_time": "2s",
                       "transport_maps": "inline:{%s}" % " ".join(transports), "smtp_connection_cache_on_demand": "no"},
                      **settings)
        master_cf = "".join("%s unix - - n - %d smtp\n" % (each, processes) for each in ("slow", "fast"))
        sides = stack.enter_context(both(bin_directory, values, master_cf=master_cf))
        number = 0
        for place, step in enumerate(steps, 1):
            starts = [len(side.log()) for side in sides]
            for letter in step:
                number += 1
                for side in sides:
                    side.put("incoming", "%05X%05X" % (number, number), SENDER, ["u%d@%s.test" % (number, letter)])
                    side.trigger("I")
                for side in sides:
                    side.wait_for(lambda: not any((side.queue / "incoming").iterdir()))  # pylint: disable=cell-var-from-loop
                time.sleep(PAUSE)
            time.sleep(INTERVAL)
            checks.equal("%s: warnings of step %d" % (name, place),
                         *(lines(side, start, "warning: ") for side, start in zip(sides, starts)))
        for server in servers.values():
            server.close()  # Which ends the deliveries.


def check_feedback(checks, bin_directory, name, where, count, settings):
    values = dict({"destination_concurrency_feedback_debug": "yes", "smtp_connection_cache_on_demand": "no",
                   "transport_maps": "inline:{{good.test=slow:Next.Hop} {dead.test=slow:[127.0.0.1]:%d}}" % free_port()},
                  **settings)
    program = "discard" if where == "good" else "smtp"
    with both(bin_directory, values, master_cf="slow unix - - n - 1 %s\n" % program) as sides:
        told = []
        for side in sides:
            side.wait_for(lambda: is_quiet(side))  # pylint: disable=cell-var-from-loop
            for number in range(count):
                side.put("incoming", "%05X%05X" % (number, number), SENDER, ["u%d@%s.test" % (number, where)])
            side.trigger("I")
            side.wait_for(lambda: side.log().count("status=") == count)  # pylint: disable=cell-var-from-loop
            time.sleep(0.3)
            told.append(lines(side, 0, "(?:slow: |qmgr_queue_)"))
        checks.equal("%s: what is logged" % name, *told)
        checks.check("%s: something is" % name, len(told[0]) > count, told[0])


def check_memory(checks, bin_directory, name, counts, settings):
    with both(bin_directory, dict(LITTLE, **settings), master_cf="one unix - - n - 1 discard\n") as sides:
        orders = []
        for side in sides:
            side.wait_for(lambda: is_quiet(side))  # pylint: disable=cell-var-from-loop
            for place, count in enumerate(counts):
                letter = "abc"[place]
                side.put("incoming", letter.upper() * 5, SENDER, ["u@%s%03d.test" % (letter, count - i) for i in range(count)])
            side.trigger("I")
            total = sum(counts)
            side.wait_for(lambda: side.log().count("status=sent") >= total)  # pylint: disable=cell-var-from-loop
            orders.append(batches(re.findall(r"to=<u@(\w)(\d+)\.test>", side.log())))
        checks.equal("%s: the order of deliveries" % name, *orders)


def batches(order):
    """'a51-60 a41-50': runs of neighbours."""
    runs = []
    for letter, number in order:
        if runs and runs[-1][0] == letter and runs[-1][2] + 1 == int(number):
            runs[-1][2] += 1
        else:
            runs.append([letter, int(number), int(number)])
    return " ".join("%s%d-%d" % tuple(run) for run in runs)


def test(checks, bin_directory, _directory):
    for each in CLOGS:
        check_clog(checks, bin_directory, *each)
    for each in MEMORY:
        check_memory(checks, bin_directory, *each)
    for each in FEEDBACKS:
        check_feedback(checks, bin_directory, *each)


if __name__ == "__main__":
    sys.exit(run_server_test("the queue manager under load", test))
