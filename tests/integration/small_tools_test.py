#!/usr/bin/env python3
"""qshape, postlog, postlock and postkick beside the distribution's: the same calls, and what comes of them."""
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

from checks import environment, run
from queue_text import record
from server import NoServer, find_program, run_server_test
from terminal import run_at_terminal


def said(text):
    """The distribution's programs call themselves as they were called."""
    return text.replace("/usr/sbin/", "")


def message(age, sender, recipients, done=(), extracted=()):
    """A queue file; `age` in seconds."""
    arrival = time.time() - age
    envelope = record(b"T", b"%d 0" % arrival) + record(b"S", sender)
    envelope += b"".join(record(b"D" if each in done else b"R", each) for each in recipients) + record(b"M")
    content = record(b"N", b"Subject: x") + record(b"N", b"") + record(b"N", b"body")
    tail = record(b"X") + b"".join(record(b"R", each) for each in extracted) + record(b"E")
    sizes = b"%15d %15d %15d %15d %15d %15d" % (len(content), 97 + len(envelope), len(recipients), 0, len(content), 0)
    return record(b"C", sizes) + envelope + content + tail


def fill_queue(queue):
    def put(path, *arguments, mode=0o700, **more):
        (queue / path).parent.mkdir(parents=True, exist_ok=True)
        (queue / path).write_bytes(message(*arguments, **more))
        (queue / path).chmod(mode)
    for name in ("incoming", "active", "deferred", "hold"):
        (queue / name).mkdir(parents=True)
    for number, age in enumerate((0, 3, 6, 11, 25, 50, 100, 200, 400, 800, 1600, 3000)):
        put("incoming/4A1B2C%04d" % number, age * 60 + 20, b"ann%d@s%d.example.org" % (number, number % 3),
            [b"bob@a.test", b"carl@b%d.sub.long.example.com" % (number % 7), b"x@B.Test"])
    put("active/4A1B2C3D1", 80, b"", [b"local", b"q@A.TEST"], done=[b"q@A.TEST"])
    put("active/4A1B2C3D2", 80, b"noat", [b"z@verylongdomainname.with.many.labels.example.com"], extracted=[b"e@extr.test"])
    put("active/4A1B2C3D3", 80, b"x@[192.0.2.4]",
        [b"z@[192.0.2.4]", "q@u\u00fc.test".encode(), b"a@b@c.test", b"trail@dot.test.", b"@x.test", b"d@", b"a b@sp.test"])
    put("active/4A1B2C3D4", 80, b"unfinished@x.test", [b"un@finished.test"], mode=0o600)
    put("active/no-id", 80, b"other@x.test", [b"other@file.test"])
    put("deferred/4/4A1B2C3D8", 30020, b"x@y.test", [b"d@defer.test"])
    put("deferred/B/BA1B2C3D9", 3020, b"x@y.test", [b"d@defer.test"])
    put("hold/4A1B2C3DA", 720, b"x@y.test", [b"x%d@many.test" % i for i in range(1234)] + [b"y@other.test"])


SHAPES = [
    "", "-s", "deferred", "hold", "-p", "-p -m 2", "-p -m 1 incoming", "-b 4 -t 10 -l incoming", "-w 60", "-w 79", "-w 81", "-w 100",
    "-w 62 -p -m 1 incoming", "-b 0 -w 20", "-b 1 deferred", "-n 2", "-N 5", "-t 1 -b 3 active deferred", "-b 16 hold incoming",
    "-b 16 -p -m 1 active", "-l -t 60 deferred incoming", "-s -p -m 3 incoming active deferred hold", "-b x", "-t 0 active",
    "QUEUE/hold", "nosuch", "nosuch active", "-sp -m1 active",
]


# At a terminal: `-N` has what is known shown after so many messages, `-n` counts rows.
SHAPES_ON_TERMINAL = ["incoming", "-N 5 incoming", "-N 12 incoming", "-N 4 -n 2 incoming nosuch active", "-N 0 -n 3 incoming",
                      "-N 5 -n 0 incoming", "-n 1 incoming", "-N -1 -n -1 incoming", "-N 7 -p -m 1 -n 20 incoming", "-s -N 6"]


def views(text, with_names):
    """What was shown, one after the other, without errors: Postfix's has a second line of its own for each."""
    rows = "\n".join(line for line in text.splitlines() if "nosuch" not in line and "/qshape line " not in line)
    shown = [sorted_ties(each) for each in rows.split("\x1b[H\x1b[2J\x1b[3J")]
    return shown if with_names else [[re.sub(r"\S+\.\S+", "", line).strip() for line in view] for view in shown]


def sorted_ties(text):
    """Rows with equal counts and names of one length have no order in the distribution's."""
    def key(row):
        name, total = re.match(r" *(.*?) +(\d+)", row).groups() if re.match(r" *(\S*) +\d+ ", row) else (row, "0")
        return -int(total), len(name.encode()), row
    lines = text.splitlines()
    return lines[:2] + sorted(lines[2:], key=key)


def check_qshape(checks, ours, directory):
    stock = find_program("qshape")
    queue = directory / "q"
    fill_queue(queue)
    (directory / "main.cf").write_text("queue_directory = %s\n" % queue)
    (directory / "master.cf").touch()
    for options in SHAPES:
        words = options.replace("QUEUE", str(queue)).split()
        got, wanted = (run([program, "-c", directory, *words]) for program in (ours, stock))
        checks.equal("qshape %s" % options, (got.status, sorted_ties(got.out)), (wanted.status, sorted_ties(wanted.out)))
    for options in SHAPES_ON_TERMINAL:
        got, wanted = (run_at_terminal([program, "-c", directory, *options.split()], TERM="xterm") for program in (ours, stock))
        # Which of equals is not shown is chance.
        checks.equal("qshape %s at a terminal" % options, *((done.status, views(done.out, "-n" not in options))
                                                            for done in (got, wanted)))
    checks.check("qshape at a terminal that cannot be cleared",
                 not any("\x1b" in run_at_terminal([ours, "-c", directory], TERM=kind).out for kind in ("", "dumb")))
    checks.equal("qshape: a directory that is not there", run([ours, "-c", directory, "nosuch"]).err,
                 "qshape: warning: Can't stat nosuch: No such file or directory\n")
    for words in (["-x"], ["-c", directory / "nosuch"]):
        got, wanted = (run([program, *words]) for program in (ours, stock))
        checks.equal("qshape %s: the status" % words[0], (got.status, got.out), (wanted.status, wanted.out))
    plot = run([ours, "-c", directory, "--plot", "-b", "4", "deferred", "active"])
    wanted = [("0-5 min", 10), ("5-10 min", 0), ("10-20 min", 0), ("20+ min", 2)]
    checks.equal("qshape --plot", (plot.status, plot.out.splitlines()), (0, expected_plot(wanted)))


def expected_plot(rows, width=80):
    most = max(count for _, count in rows)
    digits = len(str(most))
    room = width - max(len(name) for name, _ in rows) - digits - 3
    return ["%9s %*d |%s" % (name, digits, count, "#" * -(-count * room // most)) for name, count in rows]


LOGS = [
    (["hello", "world"], b""), (["-p", "warn", "a"], b""), (["-p", "error", "a"], b""), (["-p", "WARN", "a"], b""),
    (["-p", "warning", "a"], b""), (["-p", "info", "a"], b""), (["-p", "nonsense", "a"], b""), (["-p", "info,warn", "x"], b""),
    (["-t", "mytag", "-i", "text"], b""), (["-t", "tag"], b"l1\nl2\n\nl3\xc3\xa9\t\x01x"), (["-t", "tag", "-p", "warn"], b"a\n"),
    ([""], b""), ([], b""), (["-x"], b""), (["-p"], b""), (["a\nb"], b""), (["-p", "fatal", "a"], b""), (["-p", "panic", "a"], b""),
    (["--", "-p"], b""),
]


def check_postlog(checks, ours, directory):
    log = directory / "mail.log"
    (directory / "main.cf").write_text("compatibility_level = 3.6\nmaillog_file = %s\nmaillog_file_prefixes = %s\n"
                                       "queue_directory = %s\n" % (log, directory, directory))
    for arguments, text in LOGS:
        seen = []
        for program in (ours, find_program("postlog")):
            log.unlink(missing_ok=True)
            start = time.monotonic()
            done = run([program, *arguments], stdin=text, env=environment(MAIL_CONFIG=str(directory)))
            lines = log.read_text().splitlines() if log.exists() else []
            lines = [re.sub(r"^\w{3} [ \d]\d [\d:]+ \S+ (.*?)\[\d+\]: ", r"\1: ", line) for line in lines]
            seen.append((done.status, done.out, said(done.err), lines))
            if program == ours and (done.status != 0 or arguments[:2] in (["-p", "fatal"], ["-p", "panic"])):
                checks.check("postlog %r: waits" % (arguments,), time.monotonic() - start >= 1)
        checks.equal("postlog %r" % (arguments,), *seen)
    seen = []
    for program in (ours, find_program("postlog")):
        master, slave = pty.openpty()
        subprocess.run([str(program), "-p", "warn", "seen"], stderr=slave, check=True,
                       env=environment(MAIL_CONFIG=str(directory)), timeout=20)
        os.close(slave)
        seen.append(os.read(master, 1000))
        os.close(master)
    checks.equal("postlog: on a terminal", *seen)


def check_postlock(checks, ours, directory):
    once = directory / "once"
    once.mkdir()
    for path, attempts in ((directory, 2), (once, 1)):
        (path / "main.cf").write_text("compatibility_level = 3.6\nmaillog_file = %s\nmaillog_file_prefixes = %s\n"
                                      "deliver_lock_attempts = %d\nstale_lock_time = 3s\n" %
                                      (directory / "mail.log", directory, attempts))
    work = directory / "work"
    prepare = {
        "a lock file of somebody else": lambda: (work / "mbox.lock").touch(),
        "an old lock file": lambda: ((work / "mbox.lock").touch(), time.sleep(4.5)),
        "an old lock file, with one attempt": lambda: ((work / "mbox.lock").touch(), time.sleep(4.5)),
        "an old directory for a lock file": lambda: ((work / "mbox.lock").mkdir(), time.sleep(4.5)),
        "a pipe": lambda: os.mkfifo(work / "pipe"),
        "a link": lambda: (work / "link").symlink_to("mbox"),
    }
    cases = [
        ("a command", ["mbox", "echo", "hi"]), ("a file that is not there", ["none", "echo", "hi"]),
        ("the lock file", ["mbox", "sh", "-c", "ls; exit 3"]), ("options of the command", ["mbox", "ls", "-a", "--all"]),
        ("the end of options", ["--", "mbox", "ls", "-a"]),
        ("a value in the word", ["-lflock", "mbox", "ls", "-l", "nosuch"]),
        ("fcntl alone", ["-l", "fcntl", "mbox", "ls"]), ("no lock", ["-l", "", "mbox", "ls"]), ("a word that is none", ["-l", "x", "mbox", "ls"]),
        ("two words, one of which is none", ["-l", "flock, x", "mbox", "ls"]), ("a word in capitals", ["-l", "FLOCK", "mbox", "ls"]),
        ("no command", ["mbox"]), ("nothing", []),
        ("no such command", ["mbox", "nosuchcommand"]), ("a bad option", ["-x", "mbox", "true"]),
        ("a command that is killed", ["mbox", "sh", "-c", "kill -9 $$"]), ("a directory that is not there", ["nosuch/x", "true"]),
        ("a directory", [".", "true"]), ("a device", ["/dev/null", "ls"]), ("a pipe", ["pipe", "true"]), ("a link", ["link", "ls"]),
        ("a lock file of somebody else", ["mbox", "true"]), ("an old lock file", ["mbox", "ls"]),
        ("an old lock file, with one attempt", ["-c", once, "mbox", "ls"]),
        ("an old directory for a lock file", ["mbox", "ls"]),
        ("no configuration", ["-c", "nosuch", "mbox", "true"]),
    ]
    for name, arguments in cases:
        seen = []
        for program in (ours, find_program("postlock")):
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            (work / "mbox").touch()
            prepare.get(name, lambda: None)()
            done = run([program, *arguments], env=environment(MAIL_CONFIG=str(directory)), cwd=work)
            modes = sorted((path.name, path.lstat().st_mode) for path in work.iterdir())
            seen.append((done.status, done.out, said(done.err), modes))
        checks.equal("postlock: %s" % name, *seen)
    for style in ("flock", "fcntl"):
        seen = []
        for program in (ours, find_program("postlock")):
            holder = subprocess.Popen([find_program("postlock"), "-l", style, "mbox", "sh", "-c", "echo locked; sleep 4"], cwd=work,
                                      env=environment(MAIL_CONFIG=str(directory)), stdout=subprocess.PIPE)
            holder.stdout.readline()
            done = run([program, "-l", style, "mbox", "true"], env=environment(MAIL_CONFIG=str(directory)), cwd=work)
            holder.communicate(timeout=20)
            seen.append((done.status, said(done.err)))
        checks.equal("postlock: %s of somebody else" % style, *seen)


def heard(directory, program):
    """What a service is told."""
    path = directory / "public" / "service"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        words = []

        def listen():
            with listener.accept()[0] as client:
                word = b""
                # Its pieces may come one by one; the distribution's waits for us to close.
                while not word.endswith(b"\0") and (more := client.recv(100)):
                    word += more
                words.append(word)
        thread = threading.Thread(target=listen)
        thread.start()
        done = run([program, "public", "service", "WX"], env=environment(MAIL_CONFIG=str(directory)))
        thread.join(10)
    return done.status, done.out, said(done.err), words


def check_postkick(checks, ours, directory):
    for name in ("public", "private"):
        (directory / name).mkdir()
    (directory / "main.cf").write_text("compatibility_level = 3.6\nqueue_directory = %s\nmaillog_file = %s\n"
                                       "maillog_file_prefixes = %s\n" % (directory, directory / "mail.log", directory))
    stock = find_program("postkick")
    checks.equal("postkick: a service", heard(directory, ours), heard(directory, stock))
    for name, arguments in (("nobody listens", ["public", "service", "W"]), ("no such service", ["private", "nosuch", "x"]),
                            ("no such class", ["nosuch", "x", "y"]), ("nothing", []), ("too little", ["public", "x"]),
                            ("too much", ["public", "x", "y", "z"]), ("a bad option", ["-x"]),
                            ("no configuration", ["-c", "nosuch", "a", "b", "c"])):
        got, wanted = (run([program, *arguments], env=environment(MAIL_CONFIG=str(directory))) for program in (ours, stock))
        checks.equal("postkick: %s" % name, (got.status, got.out, said(got.err)), (wanted.status, wanted.out, said(wanted.err)))


def main(checks, bin_directory, directory):
    if os.geteuid() != 0:
        raise NoServer("the distribution's programs write the log as root only")
    for name, check in (("qshape", check_qshape), ("postlog", check_postlog), ("postlock", check_postlock),
                        ("postkick", check_postkick)):
        (directory / name).mkdir()
        check(checks, bin_directory.resolve() / name, directory / name)


if __name__ == "__main__":
    sys.exit(run_server_test("small tools", main))
