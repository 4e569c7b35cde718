#!/usr/bin/env python3
"""The auditor of configurations: each rule on scenarios (postlint_scenarios.py).

usage: postlint_test.py --bin DIR [--only TEXT]
"""
import argparse
import concurrent.futures
import os
import sys

import postlint_scenarios
from checks import Checks, run


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", default="", help="only scenarios whose name has this")
    options = parser.parse_args()
    checks = Checks()
    bin_dir = os.path.abspath(options.bin)
    check_scenarios(checks, bin_dir, options.only)
    if not options.only:
        check_coverage(checks, bin_dir)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
