#!/usr/bin/env python3
"""Queue files between Postfix and Postkit: each reads what the other wrote, and Postfix delivers what we queue."""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time

from checks import Checks, run, shorten
from server import NoServer
from stock_queue import StockPostfix

COUNT = 120
DELIVERY_TIMEOUT = 60  # seconds
LONG_IDS = "enable_long_queue_ids = yes\n"
HASHED = "hash_queue_names = incoming\nhash_queue_depth = 2\n"
# What queue_program is told, and what Postfix is.
FORMS = {"plain": "", "named": "", "long": LONG_IDS, "long,hashed,named": LONG_IDS + HASHED}
# Types whose text postcat prints as it is, behind a title or alone.
PLAIN_TEXT = {ord(c) for c in "ASROFLNV>"}


def body_of(number):
    """As queue_program has it."""
    lines = 3000 if number % 50 == 0 else number % 100
    text = "".join("line %d of message %d\n" % (i, number) for i in range(lines))
    return text + "x" * (number % 5000) + "\n"


def content_of(number, queue_id):
    return "Received: by mail.example.com\n\tid %s\nSubject: message %d\n\n%s" % (queue_id, number, body_of(number))


class Test:
    def __init__(self, checks, program):
        self.checks, self.program = checks, program

    def ours(self, *arguments):
        return run([self.program, *arguments])

    def write(self, queue, first, count, form):
        done = self.ours("write", queue, first, count, 10, 4, form)
        self.checks.equal("%s: written" % form, done.status, 0)
        return {queue_id: int(number) for number, queue_id in (line.split() for line in done.out.splitlines())}

    def path_of(self, queue, queue_id):
        return next(path for path in (queue / "incoming").rglob(queue_id))

    def stock_reads_ours(self, postfix, form):
        ids = self.write(postfix.queue, 0, COUNT, form)
        for path in (postfix.queue / "incoming").rglob("*"):
            shutil.chown(path, "postfix")
        wrong = []
        for queue_id, number in ids.items():
            path = self.path_of(postfix.queue, queue_id)
            seen = run(["postcat", "-c", postfix.configuration, "-bh", path])
            if seen.out != content_of(number, queue_id) or seen.err:
                wrong.append("%s: %s" % (path, seen))
        self.checks.equal("%s: postcat shows our messages" % form, (len(ids), wrong[:3]), (COUNT, []))
        some = [self.path_of(postfix.queue, queue_id) for queue_id in list(ids)[:10]]
        self.same_records(postfix, "%s: ours" % form, some)
        self.stock_tools(postfix, form, ids)

    def stock_tools(self, postfix, form, ids):
        by_id = run(["postcat", "-c", postfix.configuration, "-bhq", next(iter(ids))])
        self.checks.check("%s: postcat -q finds a message" % form, by_id.status == 0, by_id)
        shape = run(["qshape", "-c", postfix.configuration, "incoming"])
        self.checks.check("%s: qshape counts them" % form,
                          re.search(r"^ *example\.com +%d " % COUNT, shape.out, re.MULTILINE), shape)
        listed = run(["postqueue", "-c", postfix.configuration, "-j"])
        self.checks.equal("%s: postqueue lists them" % form, set(re.findall(r'"queue_id": "(\w+)"', listed.out)), set(ids))
        repair = run(["postsuper", "-c", postfix.configuration, "-s", "-p"])
        self.checks.equal("%s: postsuper finds nothing to repair" % form, (repair.status, repair.out, repair.err), (0, "", ""))

    def same_records(self, postfix, title, paths):
        """Offsets, types and text of all records, as postcat and as we see them."""
        for path in paths:
            stock = subprocess.run(["postcat", "-c", str(postfix.configuration), "-ebhod", str(path)],
                                   capture_output=True, check=False).stdout.splitlines()
            ours = subprocess.run([str(self.program), "list", str(path)], capture_output=True, check=False).stdout.splitlines()
            differences = [] if len(stock) == len(ours) + 1 else ["%d records, not %d" % (len(ours), len(stock) - 1)]
            for theirs, mine in zip(stock[1:], ours):
                offset, kind, text = mine.split(b" ", 2)
                wanted = re.match(rb" *(\d+) +(\d+) (.*)", theirs, re.DOTALL)
                is_equal = wanted and (offset, kind) == wanted.groups()[:2]
                has_own_form = int(kind) not in PLAIN_TEXT or text.startswith(b"create_time=")
                if not is_equal or not (has_own_form or wanted[3].endswith(text)):
                    differences.append("%r, not %r" % (mine, theirs))
            self.checks.equal("%s: %s: the same records" % (title, path.name), differences[:3], [])

    def we_read_stock(self, postfix):
        long_line = b"x" * 5000
        messages = {
            "small": dict(message=b"Subject: hello\r\n\r\nhello\r\n"),
            "empty": dict(message=b""),
            "null sender": dict(message=b"\r\nhello\r\n", mail="<>"),
            "long lines": dict(message=b"X-Long: " + long_line + b"\r\n\r\n" + long_line + b"\r\n" + b"y" * 2048 + b"\r\n"),
            "large": dict(message=b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 100000),
            "delivery status": dict(
                message=b"Subject: dsn\r\n\r\nhello\r\n", mail="<ann@example.org> RET=HDRS ENVID=a+2Bb BODY=8BITMIME",
                recipients=("<bob@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2B1@example.com",
                            "<both@example.com> NOTIFY=NEVER")),
            "many recipients": dict(message=b"\r\n", recipients=["<user%d@example.com>" % i for i in range(900)]),
        }
        recipients = {"delivery status": 3, "many recipients": 900}
        for title, arguments in messages.items():
            path = self.path_of(postfix.queue, postfix.send(**arguments))
            self.same_records(postfix, "stock, %s" % title, [path])
            seen = self.ours("message", path)
            content = run(["postcat", "-c", postfix.configuration, "-bh", path]).out
            sender = "" if title == "null sender" else "ann@example.org"
            self.checks.check("stock, %s: the same message" % title,
                              seen.out == "%s\n%d\n%s" % (sender, recipients.get(title, 1), content),
                              lambda seen=seen: shorten(str(seen)))

    def stock_delivers_ours(self, form):
        with StockPostfix(with_queue_manager=True, settings=FORMS[form]) as postfix:
            # Beside it first: they must belong to the queue manager's user before it sees them.
            staging = postfix.directory / "staging"
            (staging / "incoming").mkdir(parents=True)
            ids = self.write(staging, 0, COUNT, form)
            for path in (staging / "incoming").iterdir():
                shutil.chown(path, "postfix")
                path.rename(postfix.queue / "incoming" / path.name)
            run(["postqueue", "-c", postfix.configuration, "-f"])
            deadline = time.monotonic() + DELIVERY_TIMEOUT
            removed = set()
            while removed != set(ids) and time.monotonic() < deadline:
                time.sleep(0.2)
                removed = set(re.findall(r"qmgr\[\d+\]: (\w+): removed", postfix.log.read_text()))
            log = postfix.log.read_text()
            self.checks.equal("%s: Postfix delivers our messages" % form, removed, set(ids))
            self.checks.equal("%s: each once" % form, len(re.findall(r"to=<bob@example\.com>.*status=sent", log)), COUNT)
            self.checks.equal("%s: without complaint" % form, re.findall(r".*(?:warning|fatal|corrupt).*", log), [])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    options = parser.parse_args()
    checks = Checks()
    test = Test(checks, options.bin / "queue_program")
    try:
        for settings in ("", LONG_IDS + HASHED):
            with StockPostfix(settings=settings) as postfix:
                test.we_read_stock(postfix)
        for form, settings in FORMS.items():
            with StockPostfix(settings=settings) as postfix:
                test.stock_reads_ours(postfix, form)
        for form in ("plain", "long"):
            test.stock_delivers_ours(form)
    except NoServer as missing:
        checks.skip("stock Postfix", missing)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
