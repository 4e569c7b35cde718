#!/usr/bin/env python3
"""Compare how two implementations of postmap divide random messages.

Usage: mime_differential.py --ours BIN --stock BIN
           [--count N] [--seed S] [--only-case K]

For each of N cases a random message is written, mostly MIME and mostly a
little broken, and fed to `postmap -q -` with some of the options -b, -h and
-m.  The table is a pattern that matches everything, so that the output is the
list of the lookup keys.  Some cases set the limits of main.cf low enough to be
met.

A case depends only on the seed and its number, so that a failure can be
repeated with --seed and --only-case.  The last line of output is
"N passed, N failed"; the exit status is 1 when any failed or when none was
run.
"""

import argparse
import difflib
import os
import random
import subprocess
import sys
import tempfile
import time

MAIN_CF = """\
compatibility_level = 3.6
myhostname = h.example.com
mydomain = example.com
mynetworks = 127.0.0.0/8
"""

# The value cannot be mistaken for the start of another key.
TABLE = "/^/s =FOUND=\n"
MARK = b"\t=FOUND=\n"

OPTIONS = ("-hq", "-hmq", "-bq", "-bmq", "-hbq", "-hbmq")

LIMITS = {
    "header_size_limit": (1, 60),
    "mime_nesting_limit": (1, 4),
    "mime_boundary_length_limit": (1, 4),
}


class Case:
    """A random message, the limits and the options that it is read with."""

    # Short, and prefixes of each other.
    BOUNDARIES = (b"X", b"XY", b"XYZ", b"Y", b"=_a.b", b"a b", b"--X", b"X--", b"'()+_,-./:=?", b"")
    WORDS = (b"a", b"text", b"one two", b"--X", b"From a@b", b">From a@b", b"caf\xc3\xa9", b"\xe9",
             b"x" * 200, b"-", b"--", b"a: b", b"(c)", b"\"q\"", b".", b"")
    NAMES = (b"Subject", b"To", b"X-Test", b"MIME-Version", b"Content-ID", b"A", b"--X", b"--XY--", b"From",
             b"a!b", b"Content-Transfer-Encoding", b"Resent-Content-Type")
    NOT_NAMES = (b"", b"a b", b"\xe9", b"a\x01", b"a\0", b"\x7f", b"a\r", b"From a", b"a (c)")
    TYPES = (b"text/plain", b"text", b"image/png", b"application/octet-stream", b"message/rfc822",
             b"message/global", b"message/partial", b"message/delivery-status", b"message",
             b"MESSAGE/RFC822", b"message/rfc822x", b"message / (c) rfc822", b"message rfc822",
             b"message//rfc822", b"", b";", b"/", b"\"message\"/rfc822", b"(c)",
             b"text/plain; boundary=X", b"message/rfc822; a=b", b"message/rfc822 b",
             b"message\0/rfc822")
    SUBTYPES = (b"mixed", b"mixed", b"alternative", b"digest", b"digest", b"DIGEST", b"\"digest\"",
                b"mixed/x", b"", b"(c) digest")

    def __init__(self, rng):
        self.rng = rng
        self.newline = b"\r\n" if rng.random() < 0.06 else b"\n"
        self.open = []
        self.options = rng.choice(OPTIONS)
        self.limits = {name: rng.randint(*LIMITS[name]) for name in LIMITS if rng.random() < 0.1}
        self.message = b"".join(self.entity(0))
        if rng.random() < 0.1:
            self.message = self.damaged(self.message)
        if rng.random() < 0.1:
            self.message = self.message[:rng.randrange(len(self.message) + 1)]

    def chance(self, probability):
        return self.rng.random() < probability

    def line(self, text):
        return text + self.newline

    def entity(self, depth):
        """Headers and what they announce."""
        lines, content = [], "text"
        for _ in range(self.rng.choice((0, 0, 1, 1, 2, 3))):
            lines.append(self.header())
        if self.chance(0.75 if depth < 2 else 0.5):
            for _ in range(self.rng.choice((1, 1, 1, 1, 2))):
                header, content = self.content_type()
                lines.append(header)
        for _ in range(self.rng.choice((0, 0, 0, 1, 2))):
            lines.append(self.header())
        if self.chance(0.05):
            lines.append(self.line(self.rng.choice(self.WORDS)))
        if self.chance(0.9):
            lines.append(b"\n" if self.chance(0.3) else self.line(b""))
        if depth > 6:
            return lines + self.text()
        if content == "message":
            return lines + self.entity(depth + 1)
        if content == "multipart":
            return lines + self.parts(depth)
        return lines + self.text()

    def parts(self, depth):
        boundary = self.open[-1] if self.open else b"X"
        lines = self.text() if self.chance(0.4) else []
        for _ in range(self.rng.choice((0, 1, 1, 2, 2, 3))):
            lines.append(self.delimiter(boundary, b""))
            lines += self.entity(depth + 1)
        if self.chance(0.7):
            lines.append(self.delimiter(boundary, b"--"))
            lines += self.text()
        if self.open and self.chance(0.8):
            self.open.pop()
        return lines

    def delimiter(self, boundary, end):
        if self.chance(0.15):
            boundary = self.rng.choice(self.open or self.BOUNDARIES)
        if self.chance(0.04):
            boundary = self.rng.choice(self.BOUNDARIES)
        tail = self.rng.choice((b"  ", b"x", b"-", b"\0", b": h", b" x")) if self.chance(0.08) else b""
        head = self.rng.choice((b" ", b"-", b">", b"\0")) if self.chance(0.03) else b""
        return self.line(head + b"--" + boundary + end + tail)

    def text(self):
        return [self.text_line() for _ in range(self.rng.choice((0, 1, 1, 2, 4)))]

    def text_line(self):
        """Text, some of which looks like a header."""
        if self.chance(0.25):
            return self.header()
        return self.line(self.rng.choice(self.WORDS) if self.chance(0.8) else self.fuzz())

    def fuzz(self):
        return bytes(self.rng.choice(b"aX -:=;\"()\\/\t\0\xe9,\r\x01") for _ in range(self.rng.randrange(12)))

    def header(self):
        name = self.rng.choice(self.NOT_NAMES if self.chance(0.03) else self.NAMES)
        return self.line(name + self.colon() + self.folded(self.rng.choice(self.WORDS)))

    def colon(self):
        if self.chance(0.9):
            return b": "
        return self.rng.choice((b":", b" : ", b"\t:", b" \t :", b"::", b":\t", b"", b" :", b"\r:"))

    def folded(self, value):
        while self.chance(0.2):
            value += self.newline + self.rng.choice((b" ", b"\t", b"  ", b" \t")) + self.rng.choice(self.WORDS)
        return value

    def content_type(self):
        name = self.rng.choice((b"Content-Type",) * 8 + (b"content-type", b"CONTENT-TYPE"))
        content = "text"
        if self.chance(0.35):
            value = self.rng.choice(self.TYPES)
            if value.lower().startswith(b"message/rfc") or self.chance(0.05):
                content = "message"
        else:
            value = self.multipart()
            content = "multipart"
        if self.chance(0.03):
            value = value.replace(b" ", self.newline + b" ")
        return self.line(name + self.colon() + value), content

    def multipart(self):
        boundary = self.rng.choice(self.BOUNDARIES)
        if self.open and self.chance(0.15):
            boundary = self.open[-1]
        self.open.append(boundary)
        subtype = self.rng.choice(self.SUBTYPES)
        parameters = [b"boundary=" + self.quoted(boundary)]
        if self.chance(0.1):
            parameters.append(b"boundary=" + self.quoted(self.rng.choice(self.BOUNDARIES)))
        for _ in range(self.rng.choice((0, 0, 0, 1, 2))):
            parameters.insert(self.rng.randrange(len(parameters) + 1), self.parameter())
        kind = b"multipart/" if self.chance(0.93) else self.rng.choice((b"multipart",
                                                                        b"multipart / ",
                                                                        b"x-multipart/",
                                                                        b"(c)MultiPart/"))
        out = kind + subtype
        for parameter in parameters:
            out += self.rng.choice((b"; ", b";", b" ; ", b";" + self.newline + b"\t", b"; (c) ", b";; "))
            out += parameter
        return out if self.chance(0.95) else out + self.fuzz()

    def parameter(self):
        return self.rng.choice((b"charset=utf-8", b"type=\"a;b\"", b"a", b"a=", b"=b", b"a=(c",
                                b"x=\"", b"a b=c", b"boundary", b"boundary=", b"boundary*=X",
                                b"\"boundary\"=X", b"boundary X=Y", b"a=\"\\\"\"", b"(;)", b"a=" +
                                self.fuzz(), b"boundary=" + self.fuzz(), b"boundary=\"" + self.fuzz() +
                                b"\""))

    def quoted(self, boundary):
        bare = boundary and not set(boundary) & set(b"()<>@,;:\\\"/[]?= ")
        if bare and self.chance(0.6):
            return boundary
        text = boundary
        if text and self.chance(0.15):
            place = self.rng.randrange(len(text))
            text = text[:place] + b"\\" + text[place:]
        if self.chance(0.05):
            place = self.rng.randrange(len(text) + 1)
            text = text[:place] + self.rng.choice((b"\n ", b"\r\n\t", b" \n ", b"\\\n ")) + text[place:]
        return b"\"" + text + (b"\"" if self.chance(0.97) else b"")

    def damaged(self, message):
        """A few bytes changed, dropped or put in."""
        out = bytearray(message)
        for _ in range(self.rng.choice((1, 1, 2, 5))):
            place = self.rng.randrange(len(out) + 1)
            how = self.rng.randrange(3)
            if how == 0 or place == len(out):
                out.insert(place, self.rng.choice(b"\n\n\n \t\0\r-:;=\"(\\X"))
            elif how == 1:
                del out[place]
            else:
                out[place] = self.rng.choice(b"\n\n \t\0\r-:;=\"(\\X")
        return bytes(out)


class Tools:
    """Both programs, and the directory that they read."""

    def __init__(self, programs, directory):
        self.programs = programs
        self.directory = directory
        with open(os.path.join(directory, "all"), "w", encoding="ascii") as stream:
            stream.write(TABLE)

    def run(self, case):
        """The results of all programs: (exit status, keys, standard error)."""
        path = os.path.join(self.directory, "main.cf")
        with open(path, "w", encoding="ascii") as stream:
            stream.write(MAIN_CF + "".join("%s = %d\n" % item for item in case.limits.items()))
        # The older release sleeps when it reads a main.cf that is only seconds old.
        old = time.time() - 3600
        os.utime(path, (old, old))
        command = ["postmap", "-c", ".", case.options, "-", "pcre:all"]
        results = []
        for program in self.programs:
            done = subprocess.run(command, executable=program, input=case.message, cwd=self.directory,
                                  timeout=20, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                                  env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
            results.append((done.returncode, done.stdout, done.stderr))
        return results


def shown(value):
    return [repr(key) for key in value.split(MARK)] if isinstance(value, bytes) else [str(value)]


def show(seed, number, case, ours, stock):
    print("=" * 72)
    print("seed %s case %d: postmap %s, limits %s" % (seed, number, case.options, case.limits or "default"))
    print(repr(case.message))
    for what, a, b in zip(("exit status", "keys", "standard error"), ours, stock):
        if a == b:
            continue
        print("--- difference in %s ---" % what)
        mine, theirs = ([repr(key) for key in x.split(MARK)] if isinstance(x, bytes) else [str(x)] for x in (a,
                                                                                                             b))
        for text in difflib.unified_diff(theirs, mine, "stock", "ours", lineterm=""):
            print(text)


def main():
    parser = argparse.ArgumentParser(description="Compare two postmap programs on random messages.")
    parser.add_argument("--ours", required=True, metavar="BIN")
    parser.add_argument("--stock", required=True, metavar="BIN")
    parser.add_argument("--count", type=int, default=2000, metavar="N", help="number of messages (2000)")
    parser.add_argument("--seed", default="1", metavar="S")
    parser.add_argument("--only-case", type=int, metavar="K")
    options = parser.parse_args()

    programs = [os.path.abspath(program) for program in (options.ours, options.stock)]
    numbers = range(options.count) if options.only_case is None else [options.only_case]
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="mime-differential-") as directory:
        tools = Tools(programs, directory)
        for number in numbers:
            case = Case(random.Random("%s/%d" % (options.seed, number)))
            ours, stock = tools.run(case)
            if ours == stock:
                passed += 1
                continue
            failed += 1
            if failed <= 10:
                show(options.seed, number, case, ours, stock)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
