#!/usr/bin/env python3
"""Compare postexplain with a stock smtpd, with our own, and with our restriction engine, on random configurations and mails.

Usage: explain_differential.py --bin DIR [--count N] [--seed S] [--only K]

Configurations and sessions are those of access_differential.py, each session cut down to one mail: the client (XCLIENT),
HELO or EHLO, MAIL, one RCPT and DATA. The stock smtpd serves them on loopback, in a network of its own; postexplain reads
the very main.cf and master.cf that the stock master runs with. The first refusal, or that there is none, must be the same,
and what is logged on the way to it. Configurations with policy servers are explained with --live, from the same name server
and policy server that the stock smtpd asks; all others with --dns and the zone. Where access_program is there, it must agree,
too; and so must our own smtpd, where the programs of the mail system are.

Needs root, for the namespaces. The last line is "N passed, N failed"; the exit status is 1 when any failed or none ran.
"""
import contextlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from access_differential import (Configuration, ask_ours, ask_stock, log_of_interest, parse_options,  # noqa: E402
                                 show_differences, surroundings, verdicts)
from stock_smtpd import StockSmtpd, enter_namespaces  # noqa: E402

# The stock server remembers from one session of a process to the next that it has looked for an unlisted sender, where that
# is asked for in smtpd_helo_restrictions: each process serves one session.
STOCK = {"max_use": "1"}

# What the stock server says before it asks the restrictions, or instead of it: syntax, and what must come first.
NOT_RESTRICTIONS = ("501 5.1.", "503 5.5.1", "403 4.5.1", "503 5.7.0", "403 4.7.0", "554 5.5.1")


class OurSmtpd:
    """The services of a StockSmtpd, by our own mail system."""

    def __init__(self, programs, main, services, first_port=4500):
        self.program = programs / "postfix"
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="pk-our-smtpd-", dir="/tmp"))
        self.root.chmod(0o755)
        self.config, self.log = self.root / "config", self.root / "mail.log"
        for name in ("config", "queue", "data"):
            (self.root / name).mkdir(mode=0o755)
        shutil.chown(self.root / "data", "postfix")
        settings = {"queue_directory": self.root / "queue", "data_directory": self.root / "data", "inet_interfaces": "127.0.0.1",
                    "inet_protocols": "ipv4", "compatibility_level": "3.6", "maillog_file": self.log,
                    "maillog_file_prefixes": self.root, "smtpd_authorized_xclient_hosts": "127.0.0.1",
                    "smtpd_error_sleep_time": "0", "smtpd_client_connection_count_limit": "0"}
        StockSmtpd.write(self.config / "main.cf", dict(settings, **main))
        self.ports = [first_port + number for number in range(len(services))]
        lines = []
        for port, options in zip(self.ports, services):
            lines.append("127.0.0.1:%d inet n - n - - smtpd" % port)
            lines += ["  -o { %s = %s }" % (name, value) for name, value in options.items()]
        lines += ["cleanup unix n - n - 0 cleanup", "rewrite unix - - n - - trivial-rewrite"]
        (self.config / "master.cf").write_text("\n".join(lines) + "\n")

    def __enter__(self):
        done = subprocess.run([self.program, "-c", self.config, "start"], capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError("our mail system does not start: %s %s" % (done.stderr, self.log_text()))
        return self

    def __exit__(self, *_):
        subprocess.run([self.program, "-c", self.config, "stop"], capture_output=True, timeout=60, check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def one_mail(session):
    """The commands of one mail, or None: the session is about something else."""
    kept, seen = [], set()
    for command in session:
        verb = command.split()[0]
        if verb == "ETRN":
            return None
        if verb != "DATA" and verb not in seen:
            kept.append(command)
        seen.add(verb)
    return kept + ["DATA"]


def arguments(commands):
    """The same as options of postexplain."""
    words = []
    for command in commands:
        verb, _, rest = command.partition(" ")
        if verb == "XCLIENT":
            names = {"NAME": "client-name", "ADDR": "client", "PORT": "client-port", "REVERSE_NAME": "reverse-name",
                     "LOGIN": "sasl-user"}
            for attribute in rest.split():
                name, _, value = attribute.partition("=")
                words += ["--" + names[name], value]
        if verb in ("HELO", "EHLO"):
            words += ["--helo", rest] + (["--plain-helo"] if verb == "HELO" else [])
        if verb == "MAIL":
            words += ["--sender", rest.partition(":")[2]]
        if verb == "RCPT":
            words += ["--recipient", rest.partition(":")[2]]
    return shlex.join(words)


def explain(program, stock, port, uses_policy, zone, mails):
    """The explanation of each mail, or what went wrong."""
    with tempfile.NamedTemporaryFile("w", suffix=".cases") as cases:
        cases.write("".join(arguments(mail) + "\n" for mail in mails))
        cases.flush()
        world = ["--live"] if uses_policy else ["--dns", str(zone)]
        done = subprocess.run([program, "-j", "-c", str(stock.config), "--service", "127.0.0.1:%d" % port,
                               "--cases", cases.name] + world, capture_output=True, timeout=300, check=False)
    if done.returncode != 0 or done.stderr:
        return "status %d: %s" % (done.returncode, done.stderr.decode("utf-8", "replace"))
    return [json.loads(line) for line in done.stdout.decode("utf-8", "replace").splitlines()]


def logged(nodes):
    """What would be logged about verdicts, in order."""
    lines = []
    for node in nodes:
        if node["kind"] == "log":
            lines.append(log_of_interest(node["line"]))
        lines += logged(node.get("steps", []))
    return [line for line in lines if line]


def first_refusal(replies):
    """(number of the command, reply); (None, "permit")."""
    for number, reply in enumerate(replies):
        if reply[:1] in "45":
            return number, reply
    return None, "permit"


def split_answers(lines, mails):
    """access_program's output, as the replies to each mail."""
    lines = [line for line in lines if not line.startswith("LOG ")]
    answers = []
    for mail in mails:
        answers.append(lines[:len(mail)])
        lines = lines[len(mail):]
    return answers


def compare(mail, stock_answer, explanation, other_replies):
    """What differs; None: there is nothing to compare. The others have a name each."""
    replies, stock_log = stock_answer[0], verdicts(stock_answer[1])
    number, wanted = first_refusal(replies)
    if wanted.startswith(NOT_RESTRICTIONS):
        return None
    got = explanation.get("reply", "permit")
    differences = []
    if got != wanted:
        differences.append("reply: stock %r, postexplain %r\n  stock log %s" % (wanted, got, stock_log))
    log = logged(explanation["trace"])
    # After the refusal the stock session goes on.
    if not differences and log != stock_log[:len(log)] or number is None and len(log) != len(stock_log):
        differences.append("log: stock %s\n  postexplain %s" % (stock_log, log))
    for name, answer in other_replies.items():
        if first_refusal(answer)[1] != got:
            differences.append("%s: %r, postexplain %r" % (name, first_refusal(answer)[1], got))
    return ["%s\n  %s" % (mail, text) for text in differences]


def check(configuration, stock, ours, number, programs, zone):
    """(mails compared, differences) of one configuration; `number` is that of its service. `ours` may be None."""
    mails = [mail for mail in map(one_mail, configuration.sessions) if mail]
    if not mails:
        return 0, []
    uses_policy = any("check_policy_service" in value for value in configuration.settings.values())
    explained = explain(programs / "postexplain", stock, stock.ports[number], uses_policy, zone, mails)
    if isinstance(explained, str):
        return 0, [explained]
    engine = None
    if (programs / "access_program").exists():
        lines = ask_ours(programs / "access_program", stock.config / "main.cf", zone, configuration.settings, mails)
        if isinstance(lines, str):
            return 0, [lines]
        engine = split_answers(lines, mails)
    compared, differences = 0, []
    for index, (mail, explanation) in enumerate(zip(mails, explained)):
        others = {"engine": engine[index]} if engine else {}
        try:
            answer = ask_stock(stock, stock.ports[number], mail)
            if ours and answer:
                others["our smtpd"] = (ask_stock(ours, ours.ports[number], mail) or [[]])[0]
        except OSError as error:
            differences.append("%s\n  stock: %s: %s" % (mail, error, stock.log_text()[-300:]))
            break
        if answer is None:
            continue
        found = compare(mail, answer, explanation, others)
        compared += found is not None
        differences += found or []
    return compared, differences


def main():
    options = parse_options("--bin")
    if os.geteuid() != 0:
        print("skip: needs root for a network of its own")
        return 0
    enter_namespaces()
    programs = pathlib.Path(options.bin).resolve()
    has_ours = all((programs / name).exists() for name in ("postfix", "smtpd"))
    passed = failed = mails = 0
    with surroundings("pk-explain-") as (zone, main_cf):
        for numbers in options.batches:
            batch = [Configuration(options.seed, number) for number in numbers]
            settings = [each.settings for each in batch]
            with contextlib.ExitStack() as servers:
                stock = servers.enter_context(StockSmtpd(dict(main_cf, **STOCK), settings))
                ours = servers.enter_context(OurSmtpd(programs, main_cf, settings)) if has_ours else None
                for number, each in enumerate(batch):
                    compared, differences = check(each, stock, ours, number, programs, zone)
                    mails += compared
                    passed, failed = (passed, failed + 1) if differences else (passed + 1, failed)
                    if differences:
                        show_differences(each, differences)
    print("%d mails compared" % mails)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
