#!/usr/bin/env python3
"""Holds postsuper against the distribution's: the same operations on the same queue, and what is then in it.

usage: postsuper_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import os
import pathlib
import pwd
import random
import re
import shutil
import subprocess
import sys
import time

from checks import run
from postqueue_test import WHOLE, Queue
from server import NoServer, find_program, private_directory, run_server_test

QUEUES = ("maildrop", "incoming", "active", "deferred", "hold")
LOGS = ("bounce", "defer", "trace")
HASHED = ("deferred", "defer")
OLD = 1795000000
ROUNDS = 60


class Side:
    """One of the two programs, with a queue of its own."""

    def __init__(self, program, directory, hashed=HASHED):
        directory.mkdir(exist_ok=True)
        self.program, self.hashed = program, hashed
        self.queue = Queue(directory)
        for name in ("bounce", "trace", "flush"):
            (self.queue.queue / name).mkdir()
            shutil.chown(self.queue.queue / name, "postfix")

    def put(self, queue, name, data, mode=0o700, modified=OLD):
        directory = self.queue.queue / queue
        if queue in self.hashed:
            directory = directory / name[0]
        directory.mkdir(exist_ok=True)
        file = directory / name
        file.write_bytes(data)
        file.chmod(mode)
        os.utime(file, (modified, modified))
        for path in (directory, file):
            shutil.chown(path, "postfix")

    def fill(self):
        """Messages whose names do not depend on where they are; some are not finished."""
        for path in [p for name in QUEUES + LOGS + ("flush",) for p in (self.queue.queue / name).iterdir()]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for number, queue in enumerate(QUEUES):
            for each in range(5):
                name = "%X%X%03XABC" % (number + 1, each, number * 16 + each)
                self.put(queue, name, WHOLE + name.encode(), 0o600 if each == 4 else 0o710 if each == 3 else 0o700)
                for log in LOGS:
                    if each % 2 == 0:
                        self.put(log, name, b"log of " + name.encode(), 0o600)

    def tree(self):
        found = []
        now = time.time()
        for name in QUEUES + LOGS + ("flush",):
            for path in sorted((self.queue.queue / name).rglob("*")):
                status = path.lstat()
                relative = str(path.relative_to(self.queue.queue))
                if path.is_dir():
                    found.append((relative, "directory"))
                else:
                    modified = "now" if abs(now - status.st_mtime) < 60 else status.st_mtime
                    found.append((relative, oct(status.st_mode), status.st_uid, modified, path.read_bytes()))
        return found

    def ask(self, arguments, stdin=b""):
        before = len(self.queue.log.read_bytes())
        done = run([self.program, "-c", self.queue.config, *arguments], stdin=stdin)
        lines = [re.sub(r"^.* postfix/postsuper\[\d+\]: ", "", line)
                 for line in self.queue.log.read_bytes()[before:].decode().splitlines()]
        return done.status, done.out, sorted(done.err.splitlines()), sorted(lines)


class Test:
    def __init__(self, checks, sides):
        self.checks, self.sides = checks, sides

    def ids(self):
        return [path.name for queue in QUEUES for path in sorted((self.sides[0].queue.queue / queue).rglob("*")) if path.is_file()]

    def same(self, name, arguments, stdin=b""):
        ours, theirs = (side.ask(arguments, stdin) for side in self.sides)
        self.checks.equal("%s: what it says" % name, ours, theirs)
        ours, theirs = (side.tree() for side in self.sides)
        self.checks.equal("%s: what is in the queue" % name, sorted(set(ours) ^ set(theirs)), [])

    def fresh(self):
        for side in self.sides:
            side.fill()

    def command_line(self):
        self.fresh()
        for arguments in (["-Z"], ["-x"], ["-d"], ["-d", "bad.name"], ["-d", ""], ["-d", "NOSUCH"], ["-d", "all"], ["-f", "NOSUCH"],
                          ["-h", "NOSUCH", "-H", "NOSUCH", "-r", "NOSUCH", "-e", "NOSUCH"], ["nosuch"], ["-d", "ALL", "corrupt"],
                          ["-d", "ALL", "saved"], ["-h", "ALL", "hold"], ["-p", "flush"], ["-h", "-"],
                          ["-c", "/nonexistent", "-d", "A"]):
            self.same(" ".join(arguments) or "nothing", arguments)

    def each_action(self):
        for letter in "dehfHr":
            for queue in range(len(QUEUES)):
                self.fresh()
                some = self.ids()[queue * 5:queue * 5 + 5]
                self.same("-%s in %s" % (letter, QUEUES[queue]), [word for name in some for word in ("-" + letter, name)])
                self.same("-%s in %s, again" % (letter, QUEUES[queue]), [word for name in some for word in ("-" + letter, name)])
            for operands in ([], ["hold"], ["deferred"], ["incoming", "active"], ["maildrop"], ["defer"]):
                self.fresh()
                self.same("-%s ALL %s" % (letter, " ".join(operands)), ["-" + letter, "ALL", *operands])
                self.fresh()
                self.same("-%s each in %s" % (letter, " ".join(operands)),
                          [word for name in self.ids() for word in ("-" + letter, name)] + operands)
            self.fresh()
            text = "".join("%s\n" % name for name in self.ids()) + "NOSUCH\nbad.name\n\n %s\n%s" % (self.ids()[0], self.ids()[7])
            self.same("-%s -" % letter, ["-" + letter, "-"], text.encode())
            self.fresh()
            self.same("-%s - with ALL" % letter, ["-" + letter, "-"], b"ALL\n")

    def purge(self):
        for days in (0, 1, 6, 8):
            self.fresh()
            modified = int(time.time()) - days * 86400 - 600
            for side in self.sides:
                for queue in QUEUES + LOGS:
                    side.put(queue, "AGED", b"x", 0o600, modified)
            self.same("-p, %d days old" % days, ["-p"])

    def random_operations(self):
        seed = random.Random(1)
        for number in range(ROUNDS):
            if number % 6 == 0:
                self.fresh()
            arguments = []
            for _ in range(seed.randrange(1, 5)):
                name = seed.choice(self.ids() or ["NONE"]) if seed.random() < 0.85 else "ALL"
                if name == "ALL" and arguments:
                    continue
                arguments += ["-" + seed.choice("dehfHr"), name]
                if name == "ALL":
                    break
            if seed.random() < 0.2:
                arguments += seed.sample(QUEUES, 2)
            self.same("random %d: %s" % (number, " ".join(arguments)), arguments)


def structure(checks, sides):
    """Names depend on inode numbers here: a message is known by what is in it."""
    def names(side):
        found = {}
        for queue in QUEUES + LOGS:
            for path in (side.queue.queue / queue).rglob("*"):
                if path.is_file():
                    text = path.read_bytes()[-12:]
                    fits = path.name.endswith("%X" % path.stat().st_ino)
                    found.setdefault((queue, text), []).append((path.name[:5], fits, len(path.parts), path.parent.name))
        return {key: sorted(value) for key, value in found.items()}

    for form in ("", "enable_long_queue_ids = yes\n"):
        for option in ("-s", "-S"):
            for side in sides:
                side.queue.configure(form)
                side.fill()
                side.put("hold", "4jcPpX1XVWz8NNP", b"a long name!")
                side.put("defer", "4jcPpX1XVWz8NNP", b"log of long ")
                for log in LOGS:
                    path = side.queue.queue / log / ("4" if log in HASHED else "") / "40040ABC"
                    path.parent.mkdir(exist_ok=True)
                shutil.move(next((side.queue.queue / "deferred").rglob("40*ABC")), side.queue.queue / "deferred" / "40030ABC")
                (side.queue.queue / "hold" / "5").mkdir()
                shutil.move(side.queue.queue / "hold" / "51041ABC", side.queue.queue / "hold" / "5" / "51041ABC")
                (side.queue.queue / "deferred" / "3" / "4").mkdir(parents=True)
                side.put("hold", "bad.name", b"what is no message")
                subprocess.run(["chown", "-R", "postfix", *(side.queue.queue / name for name in QUEUES + LOGS)], check=True)
            title = "%s%s" % (option, " with long names" if form else "")
            ours, theirs = (side.ask([option]) for side in sides)
            checks.equal("%s: what it says" % title, ours, theirs)
            ours, theirs = (names(side) for side in sides)
            checks.equal("%s: what is where" % title, [(k, ours.get(k), theirs.get(k)) for k in sorted(set(ours) | set(theirs))
                                                      if ours.get(k) != theirs.get(k)], [])
            again = sides[0].ask([option])
            checks.check("%s: the second time there is nothing to do" % title, "Renamed" not in "".join(again[2]), again)
    for side in sides:
        side.queue.configure()


def other_users(checks, side, bin_directory):
    side.fill()
    nobody = pwd.getpwnam("nobody")
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    done = run([side.program, "-c", side.queue.config, "-d", "ALL"], **identity)
    checks.equal("another user", (done.status, done.out, done.err),
                 (1, "", "postsuper: fatal: use of this command is reserved for the superuser\n"))
    own = private_directory()
    try:
        own.chmod(0o755)
        queue = Queue(own)
        queue.put("hold", "A1", WHOLE)
        subprocess.run(["chown", "-R", "nobody", queue.queue], check=True)
        done = run([bin_directory / "postsuper", "-c", queue.config, "-H", "A1"], **identity)
        checks.equal("the owner of the directory", (done.status, done.err),
                     (0, "postsuper: A1: released from hold\npostsuper: Released from hold: 1 message\n"))
        checks.check("his message has moved", (queue.queue / "deferred" / "A" / "A1").exists())
        queue.put("hold", "A1", b"another")
        subprocess.run(["chown", "-R", "nobody", queue.queue], check=True)
        done = run([bin_directory / "postsuper", "-c", queue.config, "-H", "A1"], **identity)
        checks.check("no message is replaced", done.status == 1 and "File exists" in done.err, done)
        checks.equal("it is still there", (queue.queue / "deferred" / "A" / "A1").read_bytes(), WHOLE)
    finally:
        shutil.rmtree(own, ignore_errors=True)
        queue.log.unlink(missing_ok=True)


def test(checks, bin_directory, directory):
    if os.geteuid() != 0:
        raise NoServer("postsuper is for root")
    directory.chmod(0o755)
    sides = []
    try:
        sides.append(Side(bin_directory / "postsuper", directory / (directory.name + "-ours")))
        sides.append(Side(pathlib.Path(find_program("postsuper")), directory / (directory.name + "-theirs")))
        each = Test(checks, sides)
        each.command_line()
        each.each_action()
        each.purge()
        each.random_operations()
        structure(checks, sides)
        other_users(checks, sides[0], bin_directory)
    finally:
        for side in sides:
            side.queue.log.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(run_server_test("postsuper", test))
