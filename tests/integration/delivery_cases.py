"""Runs cases of deliveries on the distribution's Postfix and on our delivery agent, and compares."""
import argparse
import difflib
import pathlib
import shutil

from checks import Checks
from delivery_systems import Network, Ours, Stock
from namespace import enter_namespace
from server import NoServer, private_directory


def offers(*keywords):
    """A reply to EHLO or LHLO."""
    lines = ["mx.example", *keywords]
    return "".join("250%s%s\r\n" % ("-" if each is not lines[-1] else " ", each) for each in lines).encode()


def compare(checks, case, ours, theirs, how=""):
    def difference(got, wanted):
        return lambda: "\n".join(difflib.unified_diff(wanted, got, "wanted", "got", n=0, lineterm=""))

    checks.check("%s%s: the log" % (how, case.name), ours.log == theirs.log, difference(ours.log, theirs.log))
    checks.equal("%s%s: which servers are asked" % (how, case.name), sorted(ours.heard), sorted(theirs.heard))
    for place in theirs.heard:
        checks.check("%s%s: what %s is told" % (how, case.name, place), ours.heard.get(place) == theirs.heard[place],
                     difference(ours.heard.get(place, []), theirs.heard[place]))


def prepare(cases, network):
    for case in cases:
        case.nexthop = case.nexthop.replace("LMTP", str(network.socket))


def compare_deliveries(checks, cases, bin_directory, network, top, settle=None):
    """Of the same queue files. `settle` leaves out of what a server was told what is allowed to differ."""
    prepare(cases, network)
    ours = Ours(network, top, bin_directory / "delivery_program")
    for case in cases:
        case.content = b"X-Hold: yes\n" + case.content
    with Stock(network, top, cases) as stock:
        files = stock.hold(cases)
        for case in cases:
            account = ours.deliver(case, files[case.key])
            wanted = stock.deliver(case, files[case.key])
            for each in (account, wanted) if settle else ():
                each.heard = {place: settle(lines) for place, lines in each.heard.items()}
            compare(checks, case, account, wanted)


def compare_probes(checks, cases, bin_directory, network, top):
    prepare(cases, network)
    ours = Ours(network, top, bin_directory / "delivery_program")
    with Stock(network, top, cases) as stock:
        for case in cases:
            compare(checks, case, ours.probe(case), stock.probe(case), "asking, ")


def run_delivery_test(script, zone, cases, comparison=compare_deliveries):
    """The main() of a test. Returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, type=pathlib.Path, metavar="DIR", help="the directory of the programs")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only", help="the names of cases to run, a part of them")
    arguments = parser.parse_args()
    checks, top = Checks(), private_directory()
    try:
        if not arguments.inside:
            more = ("--only", arguments.only) if arguments.only else ()
            return enter_namespace(script, "--bin", str(arguments.bin.resolve()), "--inside", *more)
        chosen = [case for case in cases if arguments.only is None or arguments.only in case.name]
        with Network(zone, top) as network:
            comparison(checks, chosen, arguments.bin, network, top)
    except NoServer as reason:
        checks.skip("smtp", str(reason))
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return checks.finish()
