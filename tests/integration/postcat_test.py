#!/usr/bin/env python3
"""postcat beside the distribution's: what each prints, to standard output and as messages, and how it ends, for files of
Postfix and of Postkit, whole and damaged."""
import argparse
import concurrent.futures
import os
import pathlib
import random
import shutil
import subprocess
import sys

from checks import Checks, environment, run
from queue_text import record
from server import NoServer, find_program, private_directory
from stock_queue import StockPostfix

SEED = 20261129
MUTATIONS = 120
WORKERS = 24
IDS = ("ABCDEF", "4jcPpX1XVWz8NNP", "Ab")
LETTERS = [bytes([byte]) for byte in range(33, 127)]
VIEWS = ([], ["-b"], ["-h"], ["-e"], ["-bh"], ["-eb"], ["-eh"], ["-o"], ["-d"], ["-od"], ["-r"], ["-bho"])


def number(*values):
    return b" ".join(b"%15d" % value for value in values)


def sizes(size, offset):
    return record(b"C", number(size, offset, 1, 0, size, 0))


TIME, START, EXTRACTED, END = record(b"T", b"1795900000 12"), record(b"M"), record(b"X"), record(b"E")
FRONT = TIME + START
BACK = EXTRACTED + END


def lines(*texts):
    return b"".join(record(b"N", text) for text in texts)


def pointer(offset):
    return record(b"p", number(offset))


MESSAGE = TIME + record(b"S", b"ann") + START + lines(b"a: b", b"", b"c") + EXTRACTED + record(b"R", b"zz") + END
PIECES = record(b"L", b"aaa") + record(b"L", b"bb") + lines(b"c", b" d") + record(b"L", b" e") + lines(b"f", b"", b"x")


def chain(length):
    """Pointers, so many of which lead back."""
    head = len(TIME) + 2 * len(pointer(0))
    step = len(pointer(0))
    blocks = [pointer(head + step * (i - 1)) if i else pointer(len(TIME) + step) for i in range(length)]
    return TIME + pointer(head + step * (length - 1)) + pointer(head + step * length) + b"".join(blocks) + END


def far_pointer():
    """A pointer over records that nobody is to see."""
    hidden = TIME + pointer(100) + record(b"R", b"a" * 30) + record(b"w", b"zzz")
    hidden += record(b"w", b"q" * (100 - len(hidden) - 2))
    return hidden + record(b"R", b"bb") + START + lines(b"c: d") + BACK


CASES = {
    "empty": b"",
    "garbage": b"garbage\n",
    "pieces of lines": FRONT + PIECES + BACK,
    "no header": FRONT + lines(b"no header", b"x: y") + BACK,
    "mailbox lines": FRONT + lines(b">From foo", b"From foo", b"x: y") + BACK,
    "a piece ends the content": FRONT + lines(b"k: v") + record(b"L", b"k: ") + BACK,
    "a piece, continued": FRONT + lines(b"a: b") + record(b"L", b" c") + lines(b"zz", b"d") + BACK,
    "a header in pieces": FRONT + record(b"L", b"aa: b") + lines(b"c", b"d: e", b"f") + BACK,
    "a header's name in pieces": FRONT + record(b"L", b"aa") + lines(b"b: c", b"d") + BACK,
    "no content": TIME + record(b"R", b"bob") + END,
    "lines without content": TIME + lines(b"x: y", b"", b"body") + BACK,
    "content twice": FRONT + START + lines(b"a: b") + BACK,
    "content behind it": FRONT + EXTRACTED + START + lines(b"a: b") + BACK,
    "end within content": FRONT + lines(b"a: b") + END,
    "records behind the end": FRONT + lines(b"") + BACK + record(b"R", b"after") + TIME,
    "null bytes": TIME + record(b"S", b"a\0b") + START + lines(b"a\0b: c", b"x\0y") + BACK,
    "not ASCII": TIME + record(b"S", b"\xc3\xbc\xff\x01\n") + record(b"A", b"\xff\x01") + START + END,
    "a pointer": far_pointer(),
    "a pointer to itself": TIME + pointer(len(TIME)) + END,
    "10000 pointers back": chain(10000),
    "10001 pointers back": chain(10001),
    "a pointer behind the end": TIME + pointer(10**9) + END,
    "lengths": TIME + b"S\x85\x80\x00hello" + END,
    "a length of 2^29-1": TIME + b"S\xff\xff\xff\xff\x01" + END,
    "a length of -1": TIME + b"S\xff\xff\xff\xff\x7f" + END,
    "a length that goes on": TIME + b"S\xff\xff\xff\xff\xff\x01" + END,
    "times": b"".join(record(b"T", text) for text in (b" 12 3", b"-12", b"12abc", b"0x10", b"+7", b"")) + END,
    "warning times": TIME + record(b"W", number(123)) + record(b"W", b"0") + record(b"W", b"x") + END,
    "sizes twice": sizes(1, 0) + sizes(1, 97) + MESSAGE,
    "sizes as of old": record(b"C", number(55, 200, 1)) + MESSAGE,
}
for text in (b"abc", b"-3", b" 32x", b"0x20", b"", b"  ", b"99999999999999999999"):
    CASES["the pointer %r" % text] = TIME + record(b"p", text) + END
for text in (b"noeq", b"=x", b"a b=c d", b" a=b", b"a = b ", b"a=", b"", b"a=b=c", b"  ", b" = ", b"create_time=12",
             b"create_time = x", b"create_timex=5", b"x=create_time"):
    CASES["the attribute %r" % text] = TIME + record(b"A", text) + END
for text in (b"x : z", b": z", b" : z", b"b\x01: z", b"\xc3\xbc: c", b"a b: z", b"\tx", b"a:", b"a\t: x", b"a", b"",
             b"\x7f: a", b"From x: y", b"k(c): d", b"a\xff: s"):
    CASES["the line %r" % text] = FRONT + lines(text, b"q: r") + BACK
for size, offset in ((1, 119), (1, 112), (1, 117), (1, 0), (1, 97), (1, 5000), (1, -1), (1, 120), (13, 119), (0, 119), (-3, 119)):
    CASES["sizes %d at %d" % (size, offset)] = sizes(size, offset) + MESSAGE
for text in (b"foo", b"5", b"5 x", b""):
    CASES["the sizes %r" % text] = record(b"C", text) + MESSAGE
for letter in LETTERS:
    one = record(letter, b"zz1")
    CASES["%s first" % letter.decode()] = one + END
    CASES["%s in the envelope" % letter.decode()] = TIME + one + TIME
    CASES["%s in the header" % letter.decode()] = FRONT + lines(b"a: b") + one + lines(b"", b"x") + one + BACK
    CASES["%s in the end" % letter.decode()] = FRONT + EXTRACTED + one + END

MESSAGES = {
    "small": dict(message=b"Subject: hello\r\n\r\nhello\r\n"),
    "null sender": dict(message=b"\r\nhello\r\n", mail="<>"),
    "long lines": dict(message=b"X-Long: " + b"x" * 5000 + b"\r\n\r\n" + b"y" * 5000 + b"\r\n"),
    "delivery status": dict(
        message=b"Subject: dsn\r\n\r\nhello\r\n", mail="<ann@example.org> RET=HDRS ENVID=a+2Bb BODY=8BITMIME",
        recipients=("<bob@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2B1@example.com",
                    '<"b o b"@example.com> NOTIFY=NEVER')),
}


class Test:
    def __init__(self, checks, tools, programs, directory):
        self.checks, self.directory = checks, directory
        self.ours, self.stock = tools / "postcat", find_program("postcat")
        self.configuration = directory / "config"
        self.environment = environment(MAIL_CONFIG=str(self.configuration))
        self.queue_program = programs / "queue_program"

    def prepare(self):
        self.configuration.mkdir()
        self.queue = self.directory / "queue"
        (self.configuration / "main.cf").write_text(
            "compatibility_level = 3.6\nqueue_directory = %s\nmyhostname = mail.example.org\n" % self.queue)
        os.utime(self.configuration / "main.cf", (1, 1))

    def see(self, program, arguments, **options):
        done = subprocess.run(["postcat", *map(str, arguments)], executable=program, capture_output=True,
                              env=self.environment, timeout=60, check=False, **options)
        return done.returncode, done.stdout, done.stderr

    def differs(self, arguments, **options):
        """Nothing, or what differs."""
        both = [self.see(program, arguments, **options) for program in (self.stock, self.ours)]
        return None if both[0] == both[1] else "%s: %r, not %r" % (arguments, both[1], both[0])

    def differences(self, jobs):
        """What differs for one of the lists of arguments: many at a time, as Postfix sleeps after an error."""
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            return [each for each in pool.map(self.differs, jobs) if each]

    def same(self, name, *arguments, **options):
        difference = self.differs(list(arguments), **options)
        self.checks.check(name, difference is None, difference)

    def crafted(self):
        paths = {}
        for number_of_file, (name, data) in enumerate(CASES.items()):
            paths[name] = self.directory / ("file%d" % number_of_file)
            paths[name].write_bytes(data)
        wrong = self.differences([*view, path] for path in paths.values() for view in VIEWS)
        for name, path in paths.items():
            self.checks.equal(name, [each for each in wrong if str(path) + "'" in each][:1], [])

    def truncated(self, path):
        data, jobs = path.read_bytes(), []
        for size in range(0, len(data), 1 + len(data) // 30):
            part = self.directory / ("part%d" % size)
            part.write_bytes(data[:size])
            jobs += [[view, part] for view in ("-beho", "-b")]
        self.checks.equal("%s: cut off" % path.name, self.differences(jobs)[:1], [])

    def mutated(self, paths):
        chance, jobs = random.Random(SEED), []
        originals = [path.read_bytes() for path in paths]
        for number_of_file in range(MUTATIONS):
            data = bytearray(chance.choice(originals))
            for _ in range(chance.choice((1, 1, 2, 5))):
                place = chance.randrange(len(data))
                kind = chance.randrange(3)
                if kind == 0:
                    data[place] = chance.choice(b"CTFILSARODM NXpwE/>WVKnoi<c\x00\x7f\x80\xff05")
                elif kind == 1:
                    del data[place:place + chance.choice((1, 2, 17))]
                    data += b" " * (not data)
                else:
                    data[place:place] = data[place:place + chance.choice((1, 2, 30))]
            part = self.directory / ("mutant%d" % number_of_file)
            part.write_bytes(data)
            jobs.append([*chance.choice(VIEWS), part])
        self.checks.equal("%d damaged files" % MUTATIONS, self.differences(jobs)[:2], [])

    def command_line(self, path):
        missing = self.directory / "missing"
        lists = ([missing], [path, missing, path], ["-x"], ["-s"], ["-s", "abc", path], ["-s", "-5", path],
                 ["-s", "5x", path], ["-s", "99999", path], ["-s", "0", path], ["-s97", "-o", path], ["-s", "98", path],
                 ["-c"], ["-c", missing, path], ["-bb", path], ["-", path], ["--", path], [path, "-b"],
                 [self.directory], ["/dev/null"], [path, path], ["-c", self.configuration, path])
        self.checks.equal("%d command lines" % len(lists), self.differences(lists), [])
        with open(path, "rb") as first, open(path, "rb") as second:
            results = [self.see(program, ["-o"], stdin=each) for program, each in ((self.stock, first), (self.ours, second))]
            self.checks.equal("a file as standard input", results[1], results[0])
        data = path.read_bytes()
        for view in ([], ["-b"], ["-e"], ["-s", "97"]):
            self.same("a pipe as standard input, %s" % view, *view, input=data)
        self.same("a message without sizes in a pipe", "-b", input=MESSAGE)
        os.chmod(self.directory, 0o755)
        path.chmod(0o600)
        nobody = dict(preexec_fn=lambda: os.setuid(65534))
        if os.geteuid() == 0:
            copy = self.directory / "postcat"  # In a place that everybody can enter.
            shutil.copy(self.ours, copy)
            both = [self.see(program, [path], **nobody) for program in (self.stock, copy)]
            self.checks.equal("a file that one may not read", both[1], both[0])

    def by_id(self):
        places = ("maildrop", "incoming", "active", "deferred", "hold", "saved", "corrupt", "defer", "bounce", "flush")
        for settings in ("", "hash_queue_names = deferred, hold\nhash_queue_depth = 2\n"):
            with (self.configuration / "main.cf").open("a") as file:
                file.write(settings)
            os.utime(self.configuration / "main.cf", (1, 1))
            for queue_id in IDS:
                for hashed in ("", "A/", "A/B/", "A/b/", "5/F/", "0/0/"):
                    for place in places:
                        directory = self.queue / place / hashed
                        directory.mkdir(parents=True, exist_ok=True)
                        (directory / queue_id).write_bytes(MESSAGE)
            for queue_id in IDS:
                for place in range(12):
                    difference = self.differs(["-q", queue_id])
                    self.checks.check("%s in place %d" % (queue_id, place), difference is None, difference)
                    if difference:
                        break
                    found = self.see(self.stock, ["-qe", queue_id])[1].split(b" ***")[0].split()
                    if not found:
                        break
                    (self.queue / found[-1].decode()).unlink()
            names = ("bad-name", "NOTHERE", "", "../x", "a/b", "x" * 300, "a.b")
            self.checks.equal("-q with names of nothing", self.differences(["-q", name] for name in names), [])
            self.same("-q without an ID", "-q", input=MESSAGE)


def real_files(checks, test):
    with StockPostfix() as postfix:
        paths = []
        for name, arguments in MESSAGES.items():
            path = postfix.queue / "incoming" / postfix.send(**arguments)
            paths.append(path)
            for view in VIEWS:
                test.same("stock, %s, %s" % (name, view), *view, path)
            test.truncated(path)
        test.mutated(paths)
        test.command_line(shutil.copy(paths[0], test.directory / "copy"))
    if not test.queue_program.exists():
        checks.skip("our files", "they are written by a program of the tests, which was not built")
        return
    queue = test.directory / "own"
    (queue / "incoming").mkdir(parents=True)
    written = run([test.queue_program, "write", queue, 0, 5, 10, 4, "plain"])
    checks.equal("our files are written", written.status, 0)
    for path in (queue / "incoming").iterdir():
        for view in VIEWS[:4]:
            test.same("ours, %s" % view, *view, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--programs", type=pathlib.Path, help="where queue_program is, when it is not beside the tools")
    options = parser.parse_args()
    checks, directory = Checks(), private_directory()
    try:
        test = Test(checks, options.bin.resolve(), (options.programs or options.bin).resolve(), directory)
        test.prepare()
        test.crafted()
        test.by_id()
        real_files(checks, test)
    except NoServer as missing:
        checks.skip("stock Postfix", missing)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
