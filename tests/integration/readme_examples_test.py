#!/usr/bin/env python3
"""Runs the examples of README.md and compares what they print.

usage: readme_examples_test.py --bin DIR [--update]

An example is an indented block whose first line is `$ COMMAND`; the rest is what it prints, and perhaps `[status N]`.
Commands run at the top of the project, on a copy of what they may change. --update writes what they print into
README.md, to be read before it is committed. The last line is 'N passed, N failed'.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^    \$ (.*)\n((?:    .*\n|\n(?=    ))*)", re.M)


def run(command, bin_dir):
    environment = {"PATH": bin_dir + ":/usr/bin:/bin", "LC_ALL": "C"}
    done = subprocess.run(["/bin/sh", "-c", command], cwd=TOP, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=60, check=False)
    text = done.stdout.decode("utf-8")
    if done.returncode != 0:
        text += "[status %d]\n" % done.returncode
    return "".join("    " + line if line.strip() else line for line in text.splitlines(True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    bin_dir = os.path.abspath(options.bin)
    readme = TOP / "README.md"
    text = readme.read_text("utf-8")
    passed = failed = 0

    def check(match):
        nonlocal passed, failed
        command, expected = match.groups()
        got = run(command, bin_dir)
        if got == expected or options.update:
            passed += 1
        else:
            failed += 1
            print("FAIL %s\n--- README.md\n%s--- now\n%s" % (command, expected, got))
        return "    $ %s\n%s" % (command, got)

    updated = BLOCK.sub(check, text)
    if options.update:
        readme.write_text(updated, "utf-8")
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
