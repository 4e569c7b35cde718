#!/usr/bin/env python3
"""The auditor of configurations: each rule on scenarios (postlint_scenarios.py), the configurations that come with the
distribution, mistakes made in a good configuration, and the program's options and formats.

usage: postlint_test.py --bin DIR [--only TEXT]
"""
import argparse
import concurrent.futures
import html.parser
import json
import os
import pathlib
import shutil
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import postlint_scenarios
from checks import Checks, run
from postlint_mistakes import GOOD, MISTAKES

TOP = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = TOP / "tools" / "postlint" / "postlint.schema.json"
SARIF_SCHEMA = TOP / "build" / "sarif-schema.json"  # tests/run gets it.

# What the formats are shown on: an error, a warning, an information; one of them without a line.
SAMPLE = {"main.cf": "compatibility_level = 3.6\nmyhostname = mail.example.org\nsmtpd_banner = $myhostname f\u00fcr \u00fc $mail_version\n"
                     "relayhost = a\nrelayhost = b\nmessage_size_limit = banana & <x>\n"}


class Scratch:
    """A directory with files, and postlint in it."""

    def __init__(self, bin_dir, files):
        self.program = os.path.join(bin_dir, "postlint")
        self.directory = os.path.realpath(tempfile.mkdtemp(prefix="postlint-"))
        for name, text in files.items():
            self.write(name, text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def lint(self, *arguments, stdin=b""):
        return run([self.program, *arguments], cwd=self.directory, stdin=stdin)

    def found(self, *arguments):
        return [json.loads(line) for line in self.lint("--format", "jsonl", *arguments).out.splitlines()]

    def rules(self, *arguments):
        return [finding["rule"] for finding in self.found(*arguments)]


def check_scenarios(checks, bin_dir, only):
    cases = [case for case in postlint_scenarios.all_cases() if only in case.name]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, fault in zip(cases, pool.map(lambda c: postlint_scenarios.judge(c, bin_dir), cases)):
            checks.check(case.name, not fault, fault)


def check_coverage(checks, bin_dir):
    """Each rule has a case that triggers it, and one that nearly does."""
    rules = {line.split("\t")[0] for line in run([bin_dir + "/postlint", "--list-rules"]).out.splitlines()}
    cases = postlint_scenarios.all_cases()
    checks.check("there are rules", len(rules) > 3, rules)
    for kind in ("finds", "passes"):
        missing = sorted(rules - {case.rule for case in cases if case.kind == kind})
        checks.check("every rule has a scenario that %s" % kind, not missing, ", ".join(missing))
    unknown = sorted({case.rule for case in cases} - rules)
    checks.check("every scenario is about a rule", not unknown, ", ".join(unknown))
    for rule in sorted(rules):
        done = run([bin_dir + "/postlint", "--explain", rule])
        checks.check("--explain %s" % rule, done.status == 0 and done.out.startswith(rule + ": "), done)


def check_stock(checks, bin_dir):
    """What comes with the distribution has no errors."""
    mains = [pathlib.Path(name) for name in ("/usr/share/postfix/main.cf.debian", "/usr/share/postfix/main.cf.dist",
                                             "/etc/postfix/main.cf.proto", "/etc/postfix/main.cf")]
    masters = [pathlib.Path(name) for name in ("/usr/share/postfix/master.cf.dist", "/etc/postfix/master.cf.proto",
                                               "/etc/postfix/master.cf")]
    tls = pathlib.Path("/usr/share/postfix/main.cf.tls")
    pairs = [(main, master) for main in mains if main.exists() for master in masters if master.exists()]
    if not pairs:
        checks.skip("the configuration of the distribution has no errors", "Postfix's files are not installed")
    for main, master in pairs:
        for extra in [""] + ([tls.read_text()] if tls.exists() else []):
            with Scratch(bin_dir, {"main.cf": main.read_text() + extra, "master.cf": master.read_text()}) as scratch:
                name = "%s, %s%s" % (main, master, ", with TLS" if extra else "")
                done = scratch.lint("-c", scratch.directory)
                checks.check("%s: no errors" % name, done.status == 0 and not done.err, done)
                # What the advisory about CVE-2023-51764 asks for is not the default of 3.7.
                checks.equal("%s: one error with Postfix 3.7" % name,
                             [f["rule"] for f in scratch.found("-c", scratch.directory, "--target", "3.7") if f["severity"] == "error"],
                             ["bare-newline"])


def check_guides(checks, bin_dir):
    """Configurations as well-known guides have them: no errors."""
    guides = sorted((postlint_scenarios.FOLDER / "guides").iterdir())
    checks.check("there are guides", len(guides) > 3, guides)
    for guide in guides:
        done = run([bin_dir + "/postlint", "-c", guide])
        checks.check("guide %s: no errors" % guide.name, done.status == 0 and not done.err, done)


def check_mistakes(checks, bin_dir):
    """A good configuration has no findings; each mistake in it is found."""
    with Scratch(bin_dir, GOOD) as scratch:
        done = scratch.lint("-c", scratch.directory, "--fail-level", "info")
        checks.check("a good configuration has no findings", done.status == 0, done)
    for rule, name, old, new in MISTAKES:
        text = GOOD[name]
        checks.check("mistake %s: it can be made" % rule, text.count(old) == 1, old)
        with Scratch(bin_dir, dict(GOOD, **{name: text.replace(old, new)})) as scratch:
            found = scratch.rules("-c", scratch.directory)
            checks.check("mistake in %s: %s" % (name, new.strip().splitlines()[0] if new.strip() else "(gone) " + old.strip()),
                         rule in found, "wanted %s, found %s" % (rule, found))


def check_statuses(checks, bin_dir):
    with Scratch(bin_dir, SAMPLE) as scratch:
        for name, arguments, status in [
                ("an error", (), 1),
                ("no error of the selected rules", ("--select", "dup-param"), 0),
                ("a warning, and that level", ("--select", "dup-param", "--fail-level", "warning"), 1),
                ("a severity of one's own", ("--select", "dup-param", "--severity", "dup-param=error"), 1),
                ("a rule that is ignored", ("--ignore", "bad-value"), 0),
                ("a group that is ignored", ("--ignore", "syntax"), 0),
                ("an unknown option", ("--frobnicate",), 2),
                ("an unknown rule", ("--ignore", "no-such-rule"), 2),
                ("an unknown format", ("--format", "docx"), 2),
                ("an unknown profile", ("--profile", "laptop"), 2),
                ("no release", ("--target", "new"), 2),
                ("a directory without files", ("-c", "/nonexistent"), 3)]:
            options = list(arguments) if "-c" in arguments else ["-c", "."] + list(arguments)
            done = scratch.lint(*options)
            checks.check("exit status %d: %s" % (status, name), done.status == status, done)
        done = scratch.lint("no-such-file")
        checks.check("exit status 3: a file that is not there", done.status == 3 and "No such file" in done.err, done)
        done = scratch.lint("-", stdin=b"message_size_limit = banana\n")
        checks.check("main.cf on standard input", done.status == 1 and "-:1:22: error" in done.out, done)
        scratch.write("etc/main.cf", "virtual_alias_maps = hash:/etc/postfix/virtual\n")
        scratch.write("etc/virtual", "a@x.test b@x.test\nb@x.test a@x.test\n")
        checks.equal("a table is called as main.cf is",
                     [f["file"] for f in scratch.found("--select", "alias-loop", "etc")], ["etc/virtual"])
        checks.equal("main.cf and its directory are one configuration",
                     scratch.rules("main.cf", "."), scratch.rules("-c", "."))


def check_formats(checks, bin_dir):
    with Scratch(bin_dir, SAMPLE) as scratch:
        def written(form):
            return scratch.lint("--format", form, "main.cf").out

        lines = [json.loads(line) for line in written("jsonl").splitlines()]
        checks.check("jsonl: findings of all severities", {line["severity"] for line in lines} == {"error", "warning", "info"}, lines)
        check_sarif(checks, json.loads(written("sarif")), lines)
        junit = ElementTree.fromstring(written("junit"))
        checks.equal("junit: a failure for each", len(junit.findall("./testsuite/testcase/failure")), len(lines))
        checkstyle = ElementTree.fromstring(written("checkstyle"))
        checks.equal("checkstyle: messages survive", sorted(e.get("message") for e in checkstyle.iter("error")),
                     sorted(line["message"] for line in lines))
        github = written("github").splitlines()
        checks.check("github: a command for each", len(github) == len(lines) and all(l.startswith("::") for l in github), github)
        gitlab = json.loads(written("gitlab"))
        checks.check("gitlab: places and fingerprints", all(g["location"]["lines"]["begin"] >= 1 and g["fingerprint"] for g in gitlab)
                     and len({g["fingerprint"] for g in gitlab}) == len(lines), gitlab)
        page = written("html")
        check_html(checks, page, len(lines))
        done = scratch.lint("--color", "always", "main.cf")
        checks.check("text: coloured when asked", "\033[" in done.out and "\033[" not in scratch.lint("main.cf").out, done)
        text = scratch.lint("--select", "banner-leak", "main.cf").out.splitlines()
        checks.equal("text: the place is underlined by characters, not bytes",
                     text[2].index("^"), text[1].index("$mail_version"))


def check_sarif(checks, sarif, lines):
    log = sarif["runs"][0]
    rules = log["tool"]["driver"]["rules"]
    checks.check("sarif: version and one run", sarif["version"] == "2.1.0" and len(sarif["runs"]) == 1, sarif["version"])
    checks.check("sarif: results refer to rules", all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in log["results"])
                 and len(log["results"]) == len(lines), log["results"])
    checks.check("sarif: levels are those of SARIF", {r["level"] for r in log["results"]} == {"error", "warning", "note"}, log["results"])
    checks.check("sarif: fingerprints", all(r["partialFingerprints"]["postlint/v1"] for r in log["results"]), log["results"])
    places = [r["locations"][0]["physicalLocation"] for r in log["results"]]
    checks.check("sarif: relative names", {p["artifactLocation"]["uri"] for p in places} == {"main.cf"}, places)
    leak = next(p for p, r in zip(places, log["results"]) if r["ruleId"] == "banner-leak")
    start = leak["region"]["startColumn"] - 1
    line = SAMPLE["main.cf"].splitlines()[leak["region"]["startLine"] - 1]
    checks.equal("sarif: columns count characters", line[start:leak["region"]["endColumn"] - 1], "$mail_version")


def check_sarif_schema(checks, bin_dir):
    """What is written is valid by the schema of the standard."""
    def faults(texts):
        with Scratch(bin_dir, texts) as scratch:
            instances = [argument for name in texts for argument in ("-i", scratch.path(name))]
            return run(["/usr/bin/python3", "-W", "ignore", "-m", "jsonschema", *instances, SARIF_SCHEMA])

    if not SARIF_SCHEMA.exists() or run(["/usr/bin/python3", "-W", "ignore", "-c", "import jsonschema"]).status != 0:
        checks.skip("sarif: valid by the schema", "the schema, or jsonschema, is not installed")
        return
    checks.check("the schema tells what is wrong",
                 "'tool' is a required property" in str(faults({"log": '{"version": "2.1.0", "runs": [{}]}'})))
    with Scratch(bin_dir, SAMPLE) as scratch:
        texts = {"sample": scratch.lint("--format", "sarif", "main.cf").out,
                 "two": scratch.lint("--format", "sarif", "main.cf", TOP / "tests/data/example-site").out,
                 "nothing": scratch.lint("--format", "sarif", "--select", "dup-service", "main.cf").out}
    for number, (_, name, old, new) in enumerate(MISTAKES):
        with Scratch(bin_dir, dict(GOOD, **{name: GOOD[name].replace(old, new)})) as scratch:
            texts["mistake-%d" % number] = scratch.lint("--format", "sarif", "-c", scratch.directory).out
    done = faults(texts)
    checks.check("sarif: %d logs are valid by the schema" % len(texts), done.status == 0, done)


class Page(html.parser.HTMLParser):
    """Which tags are open at the end, what a page loads, and how often each tag comes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.count, self.wrong = [], [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.loads += [value for name, value in attrs if name in ("src", "href") and not value.startswith("#")]
        if tag not in ("meta", "rect", "path", "link", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def check_html(checks, text, findings):
    page = Page(text)
    checks.check("html: tags are nested", not page.open and not page.wrong, (page.open, page.wrong))
    checks.check("html: nothing is loaded", not page.loads and "url(" not in text and "@import" not in text, page.loads)
    checks.equal("html: an article for each finding", page.count.get("article"), findings)
    checks.check("html: it fits a phone, and has a picture", 'name="viewport"' in text and page.count.get("svg", 0) >= 2, page.count)


def check_baseline(checks, bin_dir):
    with Scratch(bin_dir, SAMPLE) as scratch:
        options = ("-c", ".", "--baseline", "known", "--fail-level", "info")
        done = scratch.lint(*options, "--update-baseline")
        checks.check("baseline: a new one has all findings", done.status == 0 and "bad-value" in scratch.read("known"), done)
        scratch.write("main.cf", "# new\n\n" + SAMPLE["main.cf"])
        checks.check("baseline: shifted lines are known", scratch.lint(*options).status == 0, scratch.lint(*options))
        scratch.write("main.cf", SAMPLE["main.cf"] + "smtpd_helo_required = maybe\n")
        done = scratch.lint(*options)
        checks.check("baseline: a new finding fails", done.status == 1 and "maybe" in done.out and "banana" not in done.out, done)
        before = scratch.read("known")
        done = scratch.lint(*options, "--update-baseline")
        checks.check("baseline: it does not grow", done.status == 1 and scratch.read("known") == before, done)
        scratch.write("main.cf", SAMPLE["main.cf"].replace("banana & <x>", "1000"))
        done = scratch.lint(*options)
        checks.check("baseline: what is mended is told", done.status == 0 and "1 of the findings" in done.err, done)
        done = scratch.lint(*options, "--update-baseline")
        checks.check("baseline: it shrinks", done.status == 0 and "bad-value" not in scratch.read("known") and
                     "dup-param" in scratch.read("known"), done)


def check_fixes(checks, bin_dir):
    main_cf = "# mine\nrelayhost = [a.example.org]\nmyhostname = \"mail.example.org\"\n\nrelayhost = [b.example.org]\n"
    master_cf = "smtp inet n - n - - smtpd\n  -o smtpd_forbid_bare_newline=no\n"
    with Scratch(bin_dir, {"main.cf": main_cf, "master.cf": master_cf}) as scratch:
        options = ("-c", ".", "--select", "dup-param,quoted-value,bare-newline")
        done = scratch.lint(*options, "--diff")
        checks.check("--diff shows the changes", done.status == 1 and "-relayhost = [a.example.org]" in done.out and
                     "+myhostname = mail.example.org" in done.out and "normalize" in done.out, done)
        checks.equal("--diff changes nothing", (scratch.read("main.cf"), scratch.read("master.cf")), (main_cf, master_cf))
        done = scratch.lint(*options, "--fix")
        checks.check("--fix: nothing is left", done.status == 0 and "0 errors, 0 warnings" in done.out, done)
        checks.equal("--fix keeps the other lines", scratch.read("main.cf"),
                     "# mine\nmyhostname = mail.example.org\n\nrelayhost = [b.example.org]\n")
        checks.check("--fix changes an option where it stands", "smtpd_forbid_bare_newline=normalize" in scratch.read("master.cf"),
                     scratch.read("master.cf"))
        checks.equal("--diff: nothing to do", scratch.lint(*options, "--diff").status, 0)


def check_settings_file(checks, bin_dir):
    with Scratch(bin_dir, SAMPLE) as scratch:
        scratch.write(".postlint.json", '{"ignore": ["bad-value"], "severity": {"dup-param": "error"}, "target": "3.7"}')
        done = scratch.lint("-c", ".", "--select", "syntax")
        checks.check(".postlint.json counts", done.status == 1 and "dup-param" in done.out and "bad-value" not in done.out, done)
        checks.equal("options count more", scratch.lint("-c", ".", "--select", "dup-param", "--severity", "dup-param=info").status, 0)
        for text, message in [("{", "line 1"), ('{"colour": "red"}', "no such setting: colour"),
                              ('{"ignore": [1]}', "bad value of ignore"), ('{"target": "new"}', "no release")]:
            scratch.write("bad.json", text)
            done = scratch.lint("-c", ".", "--config", "bad.json")
            checks.check("a bad settings file: %s" % text, done.status == 2 and message in done.err, done)
    members = set(json.loads(SCHEMA.read_text())["properties"]) - {"$schema"}
    checks.equal("the schema has the members of .postlint.json", members,
                 {"baseline", "fail_level", "ignore", "profile", "select", "severity", "target"})


def check_root(checks, bin_dir):
    with Scratch(bin_dir, {"image/etc/postfix/main.cf": "mydestination = example.org\nalias_maps = hash:/etc/aliases\n",
                           "image/etc/aliases": "root: ann\n"}) as scratch:
        done = scratch.lint("--root", "image", "--select", "no-postmaster", "--fail-level", "warning")
        checks.check("--root: /etc/postfix of the tree", done.status == 1 and "no-postmaster" in done.out, done)
        scratch.write("image/etc/aliases", "postmaster: ann\n")
        done = scratch.lint("--root", "image", "--select", "no-postmaster", "--fail-level", "warning")
        checks.check("--root: its other files count, too", done.status == 0, done)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", default="", help="only scenarios whose name has this, and nothing else")
    options = parser.parse_args()
    checks = Checks()
    bin_dir = os.path.abspath(options.bin)
    check_scenarios(checks, bin_dir, options.only)
    if not options.only:
        for check in (check_coverage, check_stock, check_guides, check_mistakes, check_statuses, check_formats, check_sarif_schema, check_baseline, check_fixes,
                      check_settings_file, check_root):
            check(checks, bin_dir)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
