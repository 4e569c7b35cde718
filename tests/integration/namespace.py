"""A network of a test's own: loopback, the host's name, mounts and processes that nobody else sees.

    if arguments.inside: ...        # every port is free, and /etc/resolv.conf can be mounted over
    else: return enter_namespace(__file__, "--bin", arguments.bin, "--inside")
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

from checks import Checks, environment, run
from server import NoServer, find_program, private_directory

UNSHARE = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child"]


def enter_namespace(script, *arguments):
    """Runs a Python script where it has all that for itself, so that neither the machine nor another test notices its
    servers; all its processes end with it. Returns its exit status. Raises NoServer."""
    if os.geteuid() != 0:
        raise NoServer("not root: it needs a network of its own")
    unshare = find_program("unshare")
    probe = run([unshare, *UNSHARE, "true"])
    if probe.status != 0:
        raise NoServer("no namespaces here: %s" % probe.err.strip())
    argv = [unshare, *UNSHARE, sys.executable, script, *arguments]
    return subprocess.run(argv, env=environment(), check=False).returncode


def set_up_loopback(*addresses):
    """With `addresses`, "192.0.2.25/24", beside its own. REQUIRES: a namespace of its own."""
    ip = find_program("ip")
    for arguments in (("link", "set", "lo", "up"), *(("addr", "add", address, "dev", "lo") for address in addresses)):
        done = run([ip, *arguments])
        if done.status != 0:
            raise NoServer("ip %s: %s" % (" ".join(arguments), done))


def mount_over(file, path):
    """`path` has the content of `file` for this namespace. REQUIRES: a namespace of its own."""
    done = run([find_program("mount"), "--bind", file, path])
    if done.status != 0:
        raise NoServer("mount over %s: %s" % (path, done))


def run_inside(kind, script, body):
    """The main() of a test: calls body(checks, directory of our programs, directory for files) in a namespace of its own. Returns
    the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, metavar="DIR", help="the directory of the programs")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    checks = Checks()
    try:
        if not arguments.inside:
            return enter_namespace(script, "--bin", arguments.bin, "--inside")
        set_up_loopback()
        directory = private_directory()
        try:
            body(checks, pathlib.Path(arguments.bin).resolve(), directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    except NoServer as reason:
        checks.skip(kind, str(reason))
    return checks.finish()
