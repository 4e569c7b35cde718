#!/usr/bin/env python3
"""Holds the manual pages, the --help and usage messages of the programs, and README.md against each other.

usage: documentation_test.py --bin DIR

What needs man, groff or a program is skipped, with the reason, where these are not there.
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
MAN = SOURCE / "man"
PAGES = sorted(MAN.glob("*.[1-9]"))
PARAMETERS = SOURCE / "libconf" / "parameters.tsv"
DERIVED_PARAMETERS = SOURCE / "libconf" / "derived_parameters.tsv"
README = SOURCE / "README.md"

LONG = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")
SHORT = re.compile(r"(?<![\w-])-([A-Za-z#])(?![\w-])")
OTHER_PROGRAMS = re.compile(r"(?<![\w/])(cmake|ctest|pkg-config|apt-get|man|c\+\+|git|\S+\.(py|sh)|tests/run)"
                            r"([ \t]+[^\s`)]+)+")
PATH_LIKE = re.compile(r"(?:tests|man|libconf|libmaps|tools)/[\w./-]*")


class Program:
    """A program with a page in section 1, and what its --help and usage messages say."""

    def __init__(self, name, with_argument, optional="", letters=11, bad_usage=1):
        """`with_argument`: short options that take an argument from the same word or the next; those in `optional`
        from the same word only. `letters`: how many the usage message has at least; `bad_usage`: its exit status."""
        self.name, self.argument_letters, self.optional_letters = name, with_argument + optional, optional
        self.letters, self.bad_usage = letters, bad_usage
        self.page = MAN / (name + ".1")

    def ask(self, directory):
        """Returns whether there is such a program."""
        self.tool = os.path.join(directory, self.name)
        if not os.path.exists(self.tool):
            return False
        self.done = run([self.tool, "--help"])
        self.usage = run([self.tool, "-Z"])
        self.long, self.with_argument, self.short = set(), set(), set()
        for line in self.done.out.splitlines():
            match = re.match(r"  (?:-(\S),)?\s*--([a-z][a-z0-9-]*)( [A-Z][^\s]*)?(?:\s\s|$)", line)
            if not match:
                continue
            self.long.add(match[2])
            if match[3]:
                self.with_argument.add(match[2])
            if match[1]:
                self.short.add(match[1])
            self.short |= set(re.findall(r"in short: -(\S)", line))
        self.usage_short = set("".join(re.findall(r"\[-([A-Za-z#]+)", self.usage.err)))
        return True

    def commands(self, text):
        """The words behind the name of the program in lines that call it."""
        call = re.compile(r"(?:^|[\s/])%s (-.*)$" % self.name)
        pieces = [piece for line in text.splitlines() for piece in re.split(r"&&|\|\|?|;", line)]
        return [match[1] for match in map(call.search, pieces) if match]

    def options_of(self, command):
        """({short}, {long}) of the words of one command."""
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
                    if letter in self.argument_letters:
                        if i == len(word) - 1 and letter not in self.optional_letters and words:
                            words.pop(0)
                        break
        return short, long

    def unknown(self, calls):
        """What the commands use and --help does not have."""
        surplus = set()
        for call in calls:
            short, long = self.options_of(call)
            surplus |= {"-%s in '%s %s'" % (o, self.name, call) for o in short - self.short}
            surplus |= {"--%s in '%s %s'" % (o, self.name, call) for o in long - self.long}
        return sorted(surplus)


PROGRAMS = [Program("postconf", "CTco", optional="bt"), Program("postmap", "cdq"), Program("postalias", "cdq"),
            Program("postlint", "c", letters=1, bad_usage=2)]


def plain(roff):
    """Text without the macros, quotes and escapes that a tag or a line of a manual page has."""
    text = re.sub(r"^\.(B|I|R|BI|BR|IB|IR|RB|RI)\s+", "", roff)
    text = re.sub(r"\\f(?:\w|\(\w\w|\[\w*\])", "", text.replace('"', ""))
    return text.replace("\\-", "-").replace("\\(aq", "'").replace("\\&", "").replace("\\ ", " ")


def tags(roff):
    """What the manual page describes one by one: the line behind each .TP and .TQ."""
    lines = roff.splitlines()
    return [plain(tag) for macro, tag in zip(lines, lines[1:]) if re.match(r"\.T[PQ]\b", macro)]


def listed(names, hyphens="--"):
    return ", ".join(hyphens + name for name in sorted(names)) or "nothing"


def section(roff, title):
    """The lines below a heading, up to the next one."""
    match = re.search(r'^\.SH "?%s"?\n(.*?)(?=^\.SH |\Z)' % re.escape(title), roff, flags=re.M | re.S)
    return match[1] if match else ""


def without_calls_of_others(program, text):
    others = "|".join(other.name for other in PROGRAMS if other is not program)
    return re.sub(r"\b(?:%s)(?: +-\S+)+" % others, "", text)


def check_options(checks, program):
    tool, name, page_name = program.tool, program.name, program.page.name
    checks.check("%s --help prints a summary of options" % name, program.done.status == 0 and len(program.long) > 10,
                 program.done)
    checks.check("%s -Z prints the usage message" % name, program.usage.status == program.bad_usage and
                 len(program.usage_short) >= program.letters,
                 program.usage)
    page = program.page.read_text()
    described = "\n".join(tags(page))
    man_long = set(LONG.findall(without_calls_of_others(program, "\n".join(map(plain, page.splitlines())))))
    tag_long, tag_short = set(LONG.findall(described)), set(SHORT.findall(described))
    checks.check("every long option of %s --help is in %s" % (name, page_name), program.long <= man_long,
                 "not there: %s" % listed(program.long - man_long))
    checks.check("every long option in %s is in %s --help" % (page_name, name), man_long <= program.long,
                 "not there: %s" % listed(man_long - program.long))
    checks.check("every long option that %s mentions is described there" % page_name, man_long <= tag_long,
                 "no .TP for: %s" % listed(man_long - tag_long))
    checks.check("every short option of the usage message of %s is described in %s" % (name, page_name),
                 program.usage_short <= tag_short, "not there: %s" % listed(program.usage_short - tag_short, "-"))
    checks.check("every short option of the usage message of %s is in its --help" % name,
                 program.usage_short <= program.short,
                 "not there: %s" % listed(program.usage_short - program.short, "-"))
    checks.check("%s --help and %s describe the same short options" % (name, page_name), program.short == tag_short,
                 "only in --help: %s; only in the manual page: %s" %
                 (listed(program.short - tag_short, "-"), listed(tag_short - program.short, "-")))
    takes = {option for tag in tags(page) for option, rest in re.findall(r"--([a-z][a-z0-9-]*)(.*)", tag)
             if re.match(r"[ =]\s*\w", rest)}
    checks.check("%s --help and %s agree on which long options take an argument" % (name, page_name),
                 takes == program.with_argument & tag_long, "only one of them says so for: %s" %
                 listed(takes ^ (program.with_argument & tag_long)))

    # Each option in an empty directory, where it has nothing to show or to edit.
    directory = tempfile.mkdtemp(prefix="documentation-")
    try:
        refused = []
        short = program.usage_short | program.short
        for option in ["--" + o for o in sorted(program.long)] + ["-" + o for o in sorted(short)]:
            letters = set(program.argument_letters) - set(program.optional_letters)
            takes_argument = option[2:] in program.with_argument or option[1:] in letters
            done = run([tool, "-c", directory, option] + ["name"] * takes_argument)
            if re.search("(unknown|invalid) option", done.err):
                refused.append("%s: %s" % (option, done.err.strip()))
        checks.check("%s knows every option that its --help and usage message name" % name, not refused,
                     "\n".join(refused))
        done = run([tool, "-c", directory, "--no-such-option"])
        checks.check("%s refuses an option that it does not have" % name,
                     done.status == program.bad_usage and "unknown option" in done.err, done)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def check_examples(checks, program):
    """On every page: the SYNOPSIS and the examples of other programs' pages call this one too."""
    surplus, count = [], 0
    for page in PAGES:
        calls = program.commands(plain(page.read_text()))
        count += len(calls)
        surplus += ["%s: %s" % (page.name, text) for text in program.unknown(calls)]
    checks.check("the manual pages call %s with options that exist" % program.name, count and not surplus,
                 "\n".join(surplus) or "no calls")


def check_page(checks, page, parameters):
    roff = page.read_text().replace("\\\n", "")
    name, number = page.stem, page.suffix[1:]
    heading = re.search(r"^\.TH (\S+) (\S+)", roff, flags=re.M)
    checks.check("%s: .TH has the name and the section of the file" % page.name,
                 heading and heading.groups() == (name.upper(), number), heading and heading[0])
    checks.check("%s: NAME has the name of the file" % page.name,
                 re.match(re.escape(name) + r" \\- \S", section(roff, "NAME")), section(roff, "NAME"))
    missing = [title for title in ("SYNOPSIS", "DESCRIPTION", "EXAMPLES", "SEE ALSO") if not section(roff, title)]
    checks.check("%s: the usual sections are there" % page.name, not missing, missing)
    formats = {other.stem for other in PAGES if other.suffix == ".5"}
    wrong = ["%s(%s)" % found for found in re.findall(r"(\w+)[\" ]*\((\d)\)", roff)
             if found[0] in formats and not (MAN / ("%s.%s" % found)).exists()]
    checks.check("%s: pages about formats are referred to by their section" % page.name, not wrong, wrong)
    wrong = []
    for tag in tags(section(roff, "PARAMETERS")):
        for parameter, default in re.findall(r"([a-z]\w+)(?:\s+\(([^)]*)\))?", tag):
            if parameter not in parameters:
                wrong.append("no parameter %s" % parameter)
            elif default and default != parameters[parameter]:
                wrong.append("%s has the default %s" % (parameter, parameters[parameter]))
    checks.check("%s: PARAMETERS names parameters, with their defaults" % page.name, not wrong, "\n".join(wrong))


def check_pages(checks):
    rows = [line.split("\t") for line in PARAMETERS.read_text().splitlines()]
    parameters = {row[0]: row[rows[0].index("default_3_12")] for row in rows[1:]}
    for page in PAGES:
        check_page(checks, page, parameters)
    referred = {(page.stem, name) for page in PAGES
                for name, _ in re.findall(r"([\w-]+) \((\d)\)", section(page.read_text(), "SEE ALSO"))}
    orphans = [page.name for page in PAGES if not any(name == page.stem != by for by, name in referred)]
    checks.check("SEE ALSO of some page leads to every page", PAGES and not orphans, orphans)


def settings_on(page):
    """The names that a page describes one by one, and those among them that are settings for sure, as they have a
    default: `name (default)`. PARAMETERS are of main.cf, and not looked at."""
    roff = page.read_text()
    names, settings = set(), set()
    for tag in tags(roff.replace(section(roff, "PARAMETERS") or "\0", "")):
        head, bracket, _ = tag.partition("(")
        found = {word for word in re.split(r"[ ,]+", head.strip()) if re.fullmatch(r"[A-Za-z]\w*", word)}
        names |= found
        if bracket:
            settings |= found
    return names, settings


def check_settings(checks):
    """Each type of table that has settings in a .cf file has a page with all of them, and no other."""
    rows = [line.split("\t")[:2] for line in DERIVED_PARAMETERS.read_text().splitlines()[1:]]
    types = sorted({kind for kind, _ in rows} - {"service"})
    checks.check("there are tables with settings", len(types) > 5, types)
    for kind in types:
        page = MAN / (kind + "_table.5")
        wanted = {suffix.lstrip("_") for row, suffix in rows if row == kind}
        names, settings = settings_on(page) if page.exists() else (set(), set())
        checks.check("every setting of %s tables is described in %s" % (kind, page.name), wanted <= names,
                     "%s: %s" % ("not there" if page.exists() else "no such page", listed(wanted - names, "")))
        if page.exists():
            checks.check("every setting that %s describes is one of %s tables" % (page.name, kind), settings <= wanted,
                         "not in %s: %s" % (DERIVED_PARAMETERS.name, listed(settings - wanted, "")))


def check_readme(checks, programs):
    # Without the calls of other programs, up to the end of the line or of the code.
    text = OTHER_PROGRAMS.sub("", README.read_text())
    known = set().union(*(program.long for program in programs))
    long = set(LONG.findall(text))
    checks.check("README.md mentions long options", len(long) > 5, listed(long))
    checks.check("README.md mentions only long options that exist", long <= known,
                 "no such option: %s" % listed(long - known))
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    surplus, count = [], 0
    for program in programs:
        calls = program.commands("\n".join(spans)) + program.commands(re.sub(r"`[^`\n]*`", "", text))
        surplus += program.unknown(calls)
        count += len(calls)
    for span in spans:  # an option alone, whatever program has it
        if re.match(r"--?[A-Za-z#]", span):
            count += 1
            surplus += min((program.unknown([span]) for program in programs), key=len)
    checks.check("README.md shows only options that exist", count and not surplus, "\n".join(surplus) or "no options")
    spans = re.findall(r"`([^`\n]+)`", README.read_text())
    paths = [p for p in re.findall(r"\]\(([^)#:]+)\)", text) + spans if PATH_LIKE.fullmatch(p) or p == "LICENSE"]
    missing = sorted({p for p in paths if not (SOURCE / p).exists()})
    checks.check("the files that README.md names are there", paths and not missing, missing)


def check_rendering(checks, page):
    name = "man renders %s without a warning" % page.name
    man = shutil.which("man")
    env = environment(LC_ALL="C.UTF-8", MANROFFSEQ="", MANWIDTH="80", MANPAGER="cat")
    shown = run([man, "-l", page], env=env) if man else None
    if not man:
        checks.skip(name, "man is not installed")
    elif "SYNOPSIS" not in shown.out and shown.status == 0:
        checks.skip(name, "man does not render pages here: %s" % shown.out.strip()[:80])
    else:
        checks.check("man -l shows %s" % page.name, shown.status == 0 and "SYNOPSIS" in shown.out, shown)
        done = run([man, "--warnings", "-l", page], env=env)
        checks.check(name, done.status == 0 and not done.err, done.err)
        done = run([man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], env=env)
        checks.check("%s, in all its parts" % name, done.status == 0 and not done.err, done.err)

    name = "groff -ww has no warning for %s" % page.name
    groff = shutil.which("groff")
    if not groff:
        checks.skip(name, "groff is not installed")
        return
    for device in ("ascii", "utf8"):
        done = run([groff, "-ww", "-man", "-T" + device, "-z", page], env=env)
        if "can't find device description file" in done.err or "No such file" in done.err:
            checks.skip("%s (%s)" % (name, device), "groff has no device %s here" % device)
            continue
        checks.check("%s (%s)" % (name, device), done.status == 0 and not done.err, done.err)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    options = parser.parse_args()
    checks = Checks()
    present = []
    for program in PROGRAMS:
        if program.ask(os.path.abspath(options.bin)):
            present.append(program)
            check_options(checks, program)
            check_examples(checks, program)
        else:
            checks.skip("%s and its manual page agree" % program.name, "%s is not built" % program.name)
    check_pages(checks)
    check_settings(checks)
    check_readme(checks, present)
    for page in PAGES:
        check_rendering(checks, page)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
