"""Scenarios of the auditor: small configurations, and what one rule finds in them.

A file tests/scenarios/postlint/RULE.txt has any number of cases:

    === finds: why this is one
    --- main.cf
    mynetworks = 0.0.0.0/0
    --- expect
    main.cf:1 0.0.0.0/0

    === passes: what is nearly one
    --- main.cf
    mynetworks = 10.0.0.0/8

A line of `expect` is a place, and the text that the finding underlines there. Other sections:

    --- FILE [mode=0640]     a file of the configuration; with a slash ahead, one of a tree that is audited with --root
    --- args                 options for postlint; they come behind "--select RULE"
    --- run                  a shell script that runs beside main.cf (in the top of a tree) before the audit

Lines that start with '#' before the first case are comments.
"""
import json
import os
import pathlib
import re
import shlex
import tempfile

from checks import environment, run

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "scenarios" / "postlint"


class Case:
    """One case: `rule`, `kind` ("finds" or "passes"), `title`, `files` {name: (text, mode)}, `args`, `script`, `expect`."""

    def __init__(self, rule, kind, title):
        self.rule, self.kind, self.title = rule, kind, title
        self.files, self.args, self.script, self.expect = {}, [], "", []

    @property
    def name(self):
        return "%s: %s: %s" % (self.rule, self.kind, self.title)

    def add(self, heading, text):
        words = heading.split()
        if words[0] == "args":
            self.args += shlex.split(text)
        elif words[0] == "run":
            self.script += text
        elif words[0] == "expect":
            self.expect += text.split("\n")[:-1] if text else []
        else:
            modes = [int(word[len("mode="):], 8) for word in words[1:]]
            self.files[words[0]] = (text, modes[0] if modes else 0o644)


def read_cases(path):
    cases, heading, text = [], None, []

    def end_section():
        if heading:
            body = "\n".join(text).rstrip("\n")
            cases[-1].add(heading, body + "\n" if body else "")

    for line in path.read_text().split("\n"):
        start = re.fullmatch(r"=== (finds|passes): (\S.*)", line)
        if start:
            end_section()
            cases.append(Case(path.stem, start[1], start[2]))
            heading, text = None, []
        elif line.startswith("--- ") and cases:
            end_section()
            heading, text = line[4:], []
        elif heading:
            text.append(line)
        elif line and not line.startswith("#"):
            raise ValueError("%s: a line outside of all sections: %s" % (path, line))
    end_section()
    return cases


def all_cases():
    return [case for path in sorted(FOLDER.glob("*.txt")) for case in read_cases(path)]


def write_files(case, top):
    """Returns the options that name the configuration, and its directory."""
    is_tree = any(name.startswith("/") for name in case.files)
    config = os.path.join(top, "etc/postfix") if is_tree else top
    for name, (text, mode) in case.files.items():
        path = top + name if name.startswith("/") else os.path.join(config, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.chmod(path, mode)
    return (["--root", top, "-c", "/etc/postfix"] if is_tree else ["-c", top]), config


def shown(finding, config):
    """A finding as a line of `expect`."""
    name = os.path.relpath(finding["file"], config)
    if "line" not in finding:
        return name
    place = "%s:%d" % (name, finding["line"])
    if "column" not in finding:
        return place
    with open(finding["file"], "rb") as file:
        line = file.read().split(b"\n")[finding["line"] - 1]
    text = line[finding["column"] - 1:finding["end_column"] - 1].decode("utf-8", "replace")
    return ("%s %s" % (place, text)).rstrip()


def judge(case, bin_dir):
    """What is wrong with a case, as text; empty: nothing."""
    with tempfile.TemporaryDirectory(prefix="postlint-") as top:
        top = os.path.realpath(top)
        options, config = write_files(case, top)
        if case.script:
            path = "%s:%s" % (bin_dir, os.environ["PATH"])
            done = run(["/bin/sh", "-e", "-c", case.script], cwd=top, env=environment(PATH=path))
            if done.status != 0:
                return "its script fails: %s" % done
        done = run([os.path.join(bin_dir, "postlint")] + options +
                   ["--select", case.rule, "--format", "jsonl", "--fail-level", "info"] + case.args)
        if done.err or done.status not in (0, 1):
            return str(done)
        got = [shown(json.loads(line), config) for line in done.out.splitlines()]
    if sorted(got) != sorted(case.expect):
        return "expected:\n%s\ngot:\n%s\n%s" % ("\n".join(case.expect), "\n".join(got), done.out)
    if bool(got) != (case.kind == "finds"):
        return "a case that %s has the findings %s" % (case.kind, got)
    return ""
