#!/usr/bin/env python3
"""Holds the manual page, `postconf --help`, the usage message and README.md against each other.

usage: documentation_test.py --bin DIR

What needs man or groff is skipped, with the reason, where these are not installed.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import argparse
import os
import pathlib
import re
import shlex
import shutil
import sys
import tempfile

from checks import Checks, environment, run

SOURCE = pathlib.Path(__file__).resolve().parents[2]
MAN_PAGE = SOURCE / "man" / "postconf.1"
README = SOURCE / "README.md"

LONG = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
SHORT = re.compile(r"(?<![\w-])-([A-Za-z#])(?![\w-])")
WITH_ARGUMENT = "CTbcot"  # short options that may take an argument from the same word or the next
OTHER_PROGRAMS = re.compile(r"(?<![\w/])(cmake|ctest|pkg-config|apt-get|man|c\+\+|git|\S+\.(py|sh)|tests/run)"
                            r"([ \t]+[^\s`)]+)+")
PATH_LIKE = re.compile(r"(?:tests|man|libconf|libmaps|tools)/[\w./-]*")


def plain(roff):
    """Text without the macros, quotes and escapes that a tag or a line of a manual page has."""
    text = re.sub(r"^\.(B|I|R|BI|BR|IB|IR|RB|RI)\s+", "", roff)
    text = re.sub(r"\\f(?:\w|\(\w\w|\[\w*\])", "", text.replace('"', ""))
    return text.replace("\\-", "-").replace("\\(aq", "'").replace("\\&", "").replace("\\ ", " ")


def tags(roff):
    """What the manual page describes one by one: the line behind each .TP."""
    lines = roff.splitlines()
    return [plain(tag) for macro, tag in zip(lines, lines[1:]) if macro.startswith(".TP")]


def commands(text):
    """The words behind `postconf` in lines that call it."""
    found = []
    for line in text.splitlines():
        for call in re.findall(r"(?:^|[\s/])postconf (-.*)$", line):
            found += [words.split(" postconf ")[-1] for words in re.split(r"&&|\|\||;", call)]
    return found


def options_of(command):
    """({short}, {long}) of the words of one postconf command."""
    short, long = set(), set()
    try:
        words = shlex.split(command, comments=True)
    except ValueError:  # prose with an apostrophe
        words = command.split()
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            long.add(word[2:].partition("=")[0])
        elif re.fullmatch(r"-[A-Za-z#]+", word):
            for i, letter in enumerate(word[1:], 1):
                short.add(letter)
                if letter in WITH_ARGUMENT:
                    if i == len(word) - 1 and letter not in "bt" and words:
                        words.pop(0)
                    break
    return short, long


def unknown(texts, short, long):
    """What the commands use and the sets do not have."""
    surplus = set()
    for text in texts:
        used_short, used_long = options_of(text)
        surplus |= {"-%s in '%s'" % (o, text) for o in used_short - short}
        surplus |= {"--%s in '%s'" % (o, text) for o in used_long - long}
    return sorted(surplus)


def listed(names, hyphens="--"):
    return ", ".join(hyphens + name for name in sorted(names)) or "nothing"


class Help:
    """What --help and the usage message say."""

    def __init__(self, tool):
        self.done = run([tool, "--help"])
        self.usage = run([tool, "-Q"])
        self.long, self.with_argument, self.short = set(), set(), set()
        for line in self.done.out.splitlines():
            match = re.match(r"  (?:-(\S),)?\s*--([a-z][a-z-]*)( [A-Z][^\s]*)?(?:\s\s|$)", line)
            if not match:
                continue
            self.long.add(match[2])
            if match[3]:
                self.with_argument.add(match[2])
            if match[1]:
                self.short.add(match[1])
            self.short |= set(re.findall(r"in short: -(\S)", line))
        self.usage_short = set(re.findall(r"\[-(\S)", self.usage.err))


def check_options(checks, tool, said):
    checks.check("--help prints a summary of options", said.done.status == 0 and len(said.long) > 10, said.done)
    checks.check("-Q prints the usage message", said.usage.status == 1 and len(said.usage_short) > 10, said.usage)
    page = MAN_PAGE.read_text()
    described = "\n".join(tags(page))
    man_long = set(LONG.findall("\n".join(map(plain, page.splitlines()))))
    tag_long, tag_short = set(LONG.findall(described)), set(SHORT.findall(described))
    checks.check("every long option of --help is in the manual page", said.long <= man_long,
                 "not there: %s" % listed(said.long - man_long))
    checks.check("every long option in the manual page is in --help", man_long <= said.long,
                 "not there: %s" % listed(man_long - said.long))
    checks.check("every long option that the manual page mentions is described there", man_long <= tag_long,
                 "no .TP for: %s" % listed(man_long - tag_long))
    checks.check("every short option of the usage message is described in the manual page",
                 said.usage_short <= tag_short, "not there: %s" % listed(said.usage_short - tag_short, "-"))
    checks.check("every short option of the usage message is in --help", said.usage_short <= said.short,
                 "not there: %s" % listed(said.usage_short - said.short, "-"))
    checks.check("--help and the manual page describe the same short options", said.short == tag_short,
                 "only in --help: %s; only in the manual page: %s" %
                 (listed(said.short - tag_short, "-"), listed(tag_short - said.short, "-")))
    takes = {name for tag in tags(page) for name, rest in re.findall(r"--([a-z][a-z-]*)(.*)", tag)
             if re.match(r"[ =]\s*\w", rest)}
    checks.check("--help and the manual page agree on which long options take an argument",
                 takes == said.with_argument & tag_long, "only one of them says so for: %s" %
                 listed(takes ^ (said.with_argument & tag_long)))
    checks.check("the examples of the manual page use options that exist",
                 not unknown(commands(plain(page)), said.short, said.long),
                 lambda: unknown(commands(plain(page)), said.short, said.long))

    # Each option in an empty directory, where it has nothing to show or to edit.
    directory = tempfile.mkdtemp(prefix="documentation-")
    try:
        refused = []
        for option in ["--" + o for o in sorted(said.long)] + ["-" + o for o in sorted(said.usage_short | said.short)]:
            takes_argument = option[2:] in said.with_argument or option[1:] in tuple("CTco")
            done = run([tool, "-c", directory, option] + ["name"] * takes_argument)
            if re.search("(unknown|invalid) option", done.err):
                refused.append("%s: %s" % (option, done.err.strip()))
        checks.check("postconf knows every option that --help and the usage message name", not refused,
                     "\n".join(refused))
        done = run([tool, "-c", directory, "--no-such-option"])
        checks.check("postconf refuses an option that it does not have",
                     done.status == 1 and "unknown option" in done.err, done)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def check_readme(checks, said):
    # Without the calls of other programs, up to the end of the line or of the code.
    text = OTHER_PROGRAMS.sub("", README.read_text())
    long = set(LONG.findall(text))
    checks.check("README.md mentions long options of postconf", len(long) > 5, listed(long))
    checks.check("README.md mentions only long options that exist", long <= said.long,
                 "no such option: %s" % listed(long - said.long))
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    calls = [span for span in spans if re.match(r"--?[A-Za-z#]", span)]
    calls += commands("\n".join(spans)) + commands(re.sub(r"`[^`\n]*`", "", text))
    surplus = unknown(calls, said.short, said.long)
    checks.check("README.md shows only options that exist", calls and not surplus, "\n".join(surplus) or "no options")
    spans = re.findall(r"`([^`\n]+)`", README.read_text())
    paths = [p for p in re.findall(r"\]\(([^)#:]+)\)", text) + spans if PATH_LIKE.fullmatch(p) or p == "LICENSE"]
    missing = sorted({p for p in paths if not (SOURCE / p).exists()})
    checks.check("the files that README.md names are there", paths and not missing, missing)


def check_rendering(checks):
    name = "man renders the manual page without a warning"
    man = shutil.which("man")
    env = environment(LC_ALL="C.UTF-8", MANROFFSEQ="", MANWIDTH="80", MANPAGER="cat")
    shown = run([man, "-l", MAN_PAGE], env=env) if man else None
    if not man:
        checks.skip(name, "man is not installed")
    elif "SYNOPSIS" not in shown.out and shown.status == 0:
        checks.skip(name, "man does not render pages here: %s" % shown.out.strip()[:80])
    else:
        checks.check("man -l shows the manual page", shown.status == 0 and "SYNOPSIS" in shown.out, shown)
        done = run([man, "--warnings", "-l", MAN_PAGE], env=env)
        checks.check(name, done.status == 0 and not done.err, done.err)
        done = run([man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", MAN_PAGE], env=env)
        checks.check("%s, in all its parts" % name, done.status == 0 and not done.err, done.err)

    name = "groff -ww has no warning for the manual page"
    groff = shutil.which("groff")
    if not groff:
        checks.skip(name, "groff is not installed")
        return
    for device in ("ascii", "utf8"):
        done = run([groff, "-ww", "-man", "-T" + device, "-z", MAN_PAGE], env=env)
        if "can't find device description file" in done.err or "No such file" in done.err:
            checks.skip("%s (%s)" % (name, device), "groff has no device %s here" % device)
            continue
        checks.check("%s (%s)" % (name, device), done.status == 0 and not done.err, done.err)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    options = parser.parse_args()
    checks = Checks()
    tool = os.path.join(os.path.abspath(options.bin), "postconf")
    said = Help(tool)
    check_options(checks, tool, said)
    check_readme(checks, said)
    check_rendering(checks)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
