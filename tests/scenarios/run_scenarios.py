#!/usr/bin/env python3
"""Runs golden scenarios: small commands on small files, with everything that they print and leave behind.

usage: run_scenarios.py --bin DIR [--dir ROOT] [--only TEXT] [-v]

A scenario is a folder ROOT/<group>/<name>/ with
  cmd          a POSIX shell script; the programs in --bin are found through PATH. Comments in it say what it shows.
  in/          copied to a fresh scratch folder, which becomes the working directory
  expect.out   what cmd prints (an absent expect file: nothing)
  expect.err   what it prints on standard error
  expect.rc    its exit status (absent: 0)
  after/       files as they must be afterwards; "(absent)" means that the file must not exist. Carriage returns at
               the ends of lines are not compared here, since recordings lack them: cmd can print them.
The scratch folder is written @CWD@ in expectations. Files in it are an hour old when cmd starts.

postfix-3.12/ was recorded from the genuine tools of Postfix 3.12: it is never edited to suit ours.
The last line of the output is 'N passed, N failed'; the exit status is 1 when any failed or none ran.
"""
import argparse
import concurrent.futures
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

TIMEOUT = 60  # seconds


def run(case, bin_dir):
    """Runs one scenario in a scratch folder. Returns (stdout, stderr, status, {name: text or None})."""
    top = tempfile.mkdtemp(prefix="scenario-")
    try:
        os.chmod(top, 0o755)
        work = os.path.join(top, "w")
        if (case / "in").is_dir():
            shutil.copytree(case / "in", work)
        else:
            os.mkdir(work)
        old = time.time() - 3600
        for path in pathlib.Path(work).rglob("*"):
            os.utime(path, (old, old))
        environment = {"PATH": bin_dir + ":/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        try:
            done = subprocess.run(["/bin/sh", str(case / "cmd")], cwd=work, env=environment, capture_output=True,
                                  stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
            out, err, status = done.stdout, done.stderr, done.returncode
        except subprocess.TimeoutExpired:
            out, err, status = b"", b"timed out\n", -1

        def text(data):
            decoded = data.decode("utf-8", "surrogateescape")
            return decoded.replace(os.path.realpath(work), "@CWD@").replace(work, "@CWD@")

        after = {}
        for wanted in sorted((case / "after").rglob("*")):
            if wanted.is_file():
                name = wanted.relative_to(case / "after")
                made = pathlib.Path(work, name)
                after[str(name)] = text(made.read_bytes().replace(b"\r\n", b"\n")) if made.is_file() else "(absent)\n"
        # A shell names the program with its directory.
        err_text = re.sub(r"(?m)^\S*/(post\w+: )", r"\1", text(err))
        return text(out), err_text, status, after
    finally:
        shutil.rmtree(top, ignore_errors=True)


def expected(path, default=""):
    return path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else default


def check(case, bin_dir):
    """The differences of one scenario from what is expected, as text; empty when it passes."""
    out, err, status, after = run(case, bin_dir)
    pairs = [("standard output", expected(case / "expect.out"), out),
             ("standard error", expected(case / "expect.err"), err),
             ("exit status", expected(case / "expect.rc", "0\n"), "%d\n" % status)]
    pairs += [(name, expected(case / "after" / name), text) for name, text in after.items()]
    report = ""
    for what, want, got in pairs:
        if want != got:
            report += "".join(difflib.unified_diff(want.splitlines(True), got.splitlines(True),
                                                   what + " expected", what + " got", n=1))
            report += "" if report.endswith("\n") else "\n"
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--dir", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--only", default="", help="only scenarios whose group/name contains this")
    parser.add_argument("-v", action="store_true", help="name the scenarios that pass, too")
    options = parser.parse_args()
    root, bin_dir = pathlib.Path(options.dir).resolve(), os.path.abspath(options.bin)
    cases = [cmd.parent for cmd in sorted(root.glob("*/*/cmd"))
             if options.only in str(cmd.parent.relative_to(root))]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, report in zip(cases, pool.map(lambda c: check(c, bin_dir), cases)):
            name = case.relative_to(root)
            if report:
                failed += 1
                print("FAIL %s\n    %s" % (name, report.replace("\n", "\n    ").rstrip()))
            elif options.v:
                print("ok   %s" % name)
    print("%d passed, %d failed" % (len(cases) - failed, failed))
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
