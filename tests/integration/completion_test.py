#!/usr/bin/env python3
"""Holds the completion of each program against its --help, and has bash, zsh and fish read it.

usage: completion_test.py --bin DIR

bash is asked as a user asks it, by the Tab key: in a subshell, where its function fills COMPREPLY. Shells that are
not installed are skipped, with the reason.
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

SHELLS = ("bash", "fish", "zsh")
# Programs for users and administrators; those that have no --help, with some of their letters.
PROGRAMS = ("newaliases", "postalias", "postcat", "postconf", "postdrop", "postfix", "postkick", "postlock",
            "postlog", "postmap", "postmulti", "postqueue", "postsuper", "qshape", "sendmail")
WITHOUT_HELP = {"sendmail": list("BCFGINRVXbfioqrtv")}
SYNTAX_CHECKS = {"bash": ["-n"], "fish": ["--no-execute"], "zsh": ["-n"]}

# What the completion function does with a line, a word to a line.
ASK_BASH = """\
source "$1" || exit 9
COMP_LINE=$2 COMP_POINT=${#2}
"_postkit_$3" 2>&1
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Program:
    def __init__(self, directory, name):
        self.name, self.path = name, os.path.join(directory, name)

    def completion(self, shell):
        return run([self.path, "--completion=" + shell])

    def options(self):
        """({letters}, {long names}) of --help."""
        if self.name in WITHOUT_HELP:
            return set(WITHOUT_HELP[self.name]), set()
        letters, names = set(), set()
        for line in run([self.path, "--help"]).out.splitlines():
            match = re.match(r"  (?:-(\S),)?\s*--([a-z][a-z0-9-]*)", line)
            if match:
                names.add(match[2])
                letters |= {match[1]} - {None}
        return letters, names


def words_in(shell, text):
    """({letters}, {long names}) that a completion offers."""
    if shell == "fish":
        return set(re.findall(r" -s (\S)", text)), set(re.findall(r" -l ([a-z][a-z0-9-]*)", text))
    options = shlex.split(re.search(r"if \[\[ \$word == -.*?compgen -W ('[^']*')", text, flags=re.S)[1])[0].split() \
        if shell == "bash" else re.findall(r"^  '\([^)]*\)(-[^\[+=]*)", text, flags=re.M)
    return ({word[1:] for word in options if not word.startswith("--")},
            {word[2:] for word in options if word.startswith("--")})


def check_program(checks, program, directory):
    letters, names = program.options()
    checks.check("%s has options" % program.name, letters or names)
    for shell in SHELLS:
        title = "%s completion of %s" % (shell, program.name)
        done = program.completion(shell)
        if not checks.check("%s is printed" % title, done.status == 0 and done.out and not done.err, done):
            continue
        got_letters, got_names = words_in(shell, done.out)
        missing = (letters - got_letters, names - got_names)
        checks.equal("%s has every option of its --help" % title, missing, (set(), set()))
        if program.name not in WITHOUT_HELP:
            checks.equal("%s has no other option" % title, (got_letters - letters, got_names - names),
                         (set(), set()))
        file = directory / ("%s.%s" % (program.name, shell))
        file.write_text(done.out)
        if not shutil.which(shell):
            checks.skip("%s parses the %s" % (shell, title), "%s is not installed" % shell)
            continue
        parsed = run([shell] + SYNTAX_CHECKS[shell] + [file])
        checks.check("%s parses the %s" % (shell, title), parsed.status == 0 and not parsed.err, parsed)
    done = program.completion("csh")
    checks.check("%s knows no other shells" % program.name, done.status != 0 and done.err and not done.out, done)


class Bash:
    def __init__(self, directory):
        self.directory = directory

    def ask(self, line):
        """What the Tab key offers at the end of `line`, sorted."""
        name = line.split()[0]
        done = run(["bash", "-c", ASK_BASH, "bash", self.directory / (name + ".bash"), line, name],
                   cwd=self.directory, env=environment())
        return sorted(done.out.split()) if done.status == 0 else done


def check_bash(checks, directory):
    """Each line is typed, and then the Tab key."""
    scratch = directory / "files"
    scratch.mkdir()
    (scratch / "virtual").write_text("")
    (scratch / "virtual.test").write_text("")
    (scratch / "etc").mkdir()
    bash = Bash(directory)
    in_files = [("postmap files/vir", ["files/virtual", "files/virtual.test"]),
                # bash has cut the word at the colon, and puts what is offered behind it.
                ("postmap hash:files/vir", ["files/virtual", "files/virtual.test"]),
                ("postmap -q key proxy:hash:files/vir", ["files/virtual", "files/virtual.test"]),
                ("postconf -c files/e", ["files/etc"]),
                ("postconf --config-directory=files/e", ["files/etc"]),
                ("postconf --config-directory files/", ["files/etc"]),
                ("postcat files/virtual.", ["files/virtual.test"]),
                ("postlock files/virtual.", ["files/virtual.test"])]
    for line, wanted in in_files + [
            ("postconf --dry", ["--dry-run"]),
            ("postconf -n --or", ["--origin"]),
            ("postconf relayho", ["relayhost"]),
            ("postconf --explain relayho", ["relayhost"]),
            ("postconf --explain=relayho", ["relayhost"]),
            ("postconf -o relayho", ["relayhost="]),
            ("postconf -C s", ["service"]),
            ("postconf -T r", ["run-version"]),
            ("postconf --migrate-db ", ["cdb", "lmdb"]),
            ("postconf --completion=", ["bash", "fish", "zsh"]),
            ("postmap h", ["hash:"]),
            ("postmap --st", ["--stale"]),
            ("postmap -q vir", []),
            ("postalias tex", ["texthash:"]),
            ("newaliases ", []),
            ("postfix st", ["start", "start-fg", "status", "stop"]),
            ("postlog -p pa", ["panic"]),
            ("postlock -l f", ["fcntl", "flock"]),
            ("postmulti -e d", ["deport", "destroy", "disable"]),
            ("postsuper -d ALL de", ["deferred"]),
            ("qshape in", ["incoming"]),
            ("sendmail -B ", ["7BIT", "8BITMIME"]),
            ("sendmail -N n", ["never"])]:
        checks.equal("bash offers what fits '%s'" % line, bash.ask(line), wanted)


def check_facts(checks, bash, bin_directory):
    """What stands in tables of facts is offered as postconf lists it."""
    postconf = os.path.join(bin_directory, "postconf")
    listed = run([postconf, "-c", bash.directory, "-q", "-C", "builtin", "-dH"]).out.split()
    checks.check("postconf lists parameters", len(listed) > 500, listed)
    checks.check("bash offers the parameters that postconf lists", bash.ask("postconf ") == sorted(listed),
                 lambda: set(bash.ask("postconf ")) ^ set(listed))
    types = run([postconf, "-m"]).out.split()
    offered = {word.rstrip(":") for word in bash.ask("postmap ") if word.endswith(":")}
    checks.check("bash offers each table type that postconf -m lists", types and set(types) <= offered,
                 "%s, %s" % (types, offered))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    options = parser.parse_args()
    bin_directory = os.path.abspath(options.bin)
    checks = Checks()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="completion-"))
    try:
        for name in PROGRAMS:
            check_program(checks, Program(bin_directory, name), directory)
        if shutil.which("bash"):
            check_bash(checks, directory)
            check_facts(checks, Bash(directory), bin_directory)
        else:
            checks.skip("bash offers what fits", "bash is not installed")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
