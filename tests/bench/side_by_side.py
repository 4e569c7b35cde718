"""What the benchmarks share: running a program and measuring it."""

import os
import time
from typing import NamedTuple

HOUR = 3600


class Usage(NamedTuple):
    """What one run of a program took."""
    wall: float     # seconds, from just before posix_spawn until wait4 returns
    cpu: float      # seconds, user and system, as wait4 reports them
    peak: int       # kibibytes; never less than what this process itself has in memory
    status: int     # as wait4 returns it


def run(argv, stdin=os.devnull, stdout=os.devnull, stderr=os.devnull):
    """Runs argv without a shell, its streams on these files."""
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, stdout, writing, 0o644),
               (os.POSIX_SPAWN_OPEN, 2, stderr, writing, 0o644)]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    start = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, environment, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, status)


def make_old(path):
    """Makes a file look an hour old: stock tools sleep when they read a main.cf of this second."""
    old = time.time() - HOUR
    os.utime(path, (old, old))
