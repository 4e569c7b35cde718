"""What the integration tests share: one line for each check, and a summary that scripts can read."""
import os
import shlex
import subprocess
import time

TIMEOUT = 60  # seconds, for one program, and for what has to happen
SOON = 40  # seconds, on a busy machine, for what gives up after a second or two


class Checks:
    """Prints `ok NAME`, `FAIL NAME: detail` or `skip NAME: reason`, and counts them."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, condition, detail=""):
        """`detail` says what was seen instead; it may be a function, which is called on failure only."""
        if condition:
            self.passed += 1
            print("ok %s" % name, flush=True)
        else:
            self.failed += 1
            text = detail() if callable(detail) else detail
            print("FAIL %s: %s" % (name, str(text).strip().replace("\n", "\n    ")), flush=True)
        return bool(condition)

    def equal(self, name, got, wanted):
        return self.check(name, got == wanted, lambda: "got %s, wanted %s" % (shorten(got), shorten(wanted)))

    def skip(self, name, reason):
        """For what cannot run here. Never counted as passed."""
        self.skipped += 1
        print("skip %s: %s" % (name, reason), flush=True)

    def finish(self):
        """Prints the summary. Returns the exit status."""
        skipped = ", %d skipped" % self.skipped if self.skipped else ""
        print("%d passed, %d failed%s" % (self.passed, self.failed, skipped))
        return 1 if self.failed or not self.passed else 0


def shorten(value, limit=300):
    text = repr(value)
    return text if len(text) <= limit else "%s... (%d characters)" % (text[:limit], len(text))


def wait_until(condition, seconds=TIMEOUT, pause=0.01):
    """What `condition()` gives as soon as it is true, or at the end of `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(pause)
    return found


class Done:
    """How a program ended: `status`, `out`, `err`."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __str__(self):
        return "status %s, stdout %s, stderr %s" % (self.status, shorten(self.out), shorten(self.err))


def environment(**more):
    """A small environment, the same on every machine."""
    kept = ("PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "CCACHE_DIR", "CCACHE_DISABLE")
    result = {name: os.environ[name] for name in kept if name in os.environ}
    result.update({"LC_ALL": "C", "TZ": "UTC"}, **more)
    return result


def run(argv, env=None, timeout=TIMEOUT, stdin=b"", **options):
    """Runs a program to its end, with the bytes of `stdin`. A time-out is status None."""
    try:
        done = subprocess.run([str(a) for a in argv], input=stdin, capture_output=True,
                              env=env or environment(), timeout=timeout, check=False, **options)
    except subprocess.TimeoutExpired:
        return Done(None, "", "timed out after %s s" % timeout)
    return Done(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def run_together(workers):
    """Runs one shell for each worker, all at the same time; each runs its commands in turn and stops at the first
    that fails. Returns what went wrong, as text."""
    shells = []
    for commands in workers:
        script = "\n".join("%s || exit 1" % shlex.join(map(str, command)) for command in commands)
        shells.append(subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment()))
    report = ""
    for number, shell in enumerate(shells):
        try:
            _, err = shell.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            shell.kill()
            _, err = shell.communicate()
            err += b"timed out"
        if shell.returncode != 0:
            report += "worker %d: status %s, %s\n" % (number, shell.returncode, err.decode("utf-8", "replace"))
    return report
