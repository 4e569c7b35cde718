#!/usr/bin/env python3
"""kill -9 of a process that writes to the queue, at random moments over 1,000 messages and more: what it acknowledged is there
and whole, nothing is there twice, and what it left half done is swept away. And a full disk: nothing is left behind."""
import argparse
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

from checks import Checks, environment, run
from sandbox import small_file_system
from server import private_directory

MESSAGES = 1000  # acknowledged, at least
KILLS = 40  # at least
SESSIONS, THREADS = 20, 4
# A form in which files are used again has messages removed meanwhile.
FORMS = ("plain", "named", "long,hashed,named", "long,kept")
LONGEST_LIFE = 0.1  # seconds, of a writer; with sanitizers it takes a quarter of that to begin
LONGEST_LIFE_KEPT = 0.2  # of one that comes to use files again
SEED = 5


class Queue:
    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        (directory / "incoming").mkdir(parents=True)

    def files(self):
        return [path for path in (self.directory / "incoming").rglob("*") if path.is_file()]

    def messages(self):
        """Of each file with a message's name, the number in its subject, or why it cannot be read."""
        paths, result = [path for path in self.files() if "." not in path.name], {}
        for some in (paths[i:i + 500] for i in range(0, len(paths), 500)):
            seen = run([self.program, "numbers", *some])
            said = seen.out.splitlines()
            if len(said) != len(some):
                raise AssertionError(str(seen))
            result.update((path.name, int(line) if line.isdigit() else line) for path, line in zip(some, said))
        return result

    def deliver(self):
        """Removes the messages that are there, as a queue manager does: what messages() would have said of them."""
        result = {}
        for path in self.files():
            data = path.read_bytes()
            subject = re.search(rb"Subject: message (\d+)", data)
            is_whole = data.endswith(b"E\0") and b"log_ident=%s" % path.name.encode() in data and subject
            result[path.name] = int(subject[1]) if is_whole else "%s: %s" % (path.name, data[-100:])
            path.unlink()
        return result


def killed_writer(queue, first, form, life, delivered):
    """Writes messages from `first` on, until it is killed. Returns what it acknowledged, as {ID: number}. When files are
    to be used again, messages are removed meanwhile, and go into `delivered`."""
    with subprocess.Popen([queue.program, "write", queue.directory, str(first), str(MESSAGES), str(SESSIONS), str(THREADS),
                           form], stdout=subprocess.PIPE, env=environment()) as process:
        end = time.monotonic() + life
        while time.monotonic() < end:
            if "kept" in form:
                delivered.update(queue.deliver())
            time.sleep(min(life, 0.002))
        process.kill()
        out = process.stdout.read().decode()
    return {queue_id: int(number) for number, queue_id in (line.split() for line in out.splitlines())}


def check_kills(checks, program, directory, form):
    dice = random.Random(SEED)
    queue = Queue(program, directory)
    acknowledged, delivered, kills = {}, {}, 0
    longest_life = LONGEST_LIFE_KEPT if "kept" in form else LONGEST_LIFE
    next_number = 0
    while len(acknowledged) < MESSAGES or kills < KILLS:
        acknowledged.update(killed_writer(queue, next_number, form, dice.uniform(0, longest_life), delivered))
        next_number += MESSAGES  # So that a number that is there twice was written twice.
        kills += 1
    messages = queue.messages()
    title = "%s: %d kills" % (form, kills)
    if "kept" in form:
        again = len(delivered) - len({queue_id.rpartition("z")[2] for queue_id in delivered})
        checks.check("%s: files are used again" % title, again > len(delivered) / 4, (again, len(delivered)))
    seen = messages | delivered
    checks.equal("%s: all files are whole" % title, [m for m in seen.values() if not isinstance(m, int)][:3], [])
    lost = {queue_id: number for queue_id, number in acknowledged.items() if seen.get(queue_id) != number}
    checks.equal("%s: nothing acknowledged is lost" % title, lost, {})
    checks.equal("%s: nothing is there twice" % title, len(set(seen.values())), len(messages) + len(delivered))
    left_over = len(queue.files()) - len(messages)
    if "named" not in form:
        checks.equal("%s: nothing is left half done" % title, left_over, 0)
    swept = run([program, "sweep", directory])
    checks.equal("%s: the sweep removes what is left" % title, (swept.out.strip(), len(queue.files())),
                 (str(left_over), len(messages)))
    checks.equal("%s: and no message" % title, queue.messages(), messages)


def check_full_disk(checks, program, directory, form):
    """On a disk with room for some messages only."""
    with small_file_system(directory, 2048) as reason:
        if reason:
            checks.skip("%s: a full disk" % form, reason)
            return
        queue = Queue(program, directory / "queue")
        done = run([program, "write", queue.directory, "0", str(MESSAGES), "1", "1", form])
        acknowledged = {queue_id: int(number) for number, queue_id in (line.split() for line in done.out.splitlines())}
        checks.check("%s: a full disk is an error" % form, done.status == 1 and "No space left" in done.err, done)
        checks.equal("%s: a full disk loses nothing" % form, queue.messages(), acknowledged)
        run([program, "sweep", queue.directory])
        checks.equal("%s: a full disk leaves nothing else" % form, len(queue.files()), len(acknowledged))
        for path in queue.files()[:5]:
            path.unlink()
        again = run([program, "write", queue.directory, "1", "2", "1", "1", form])
        checks.equal("%s: with room again, it goes on" % form, (again.status, len(again.out.splitlines())), (0, 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    options = parser.parse_args()
    program = str(options.bin / "queue_program")
    checks = Checks()
    work = private_directory()
    try:
        for form in FORMS:
            check_kills(checks, program, work / form, form)
        for form in FORMS[:2]:
            check_full_disk(checks, program, work / ("full-" + form), form)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
