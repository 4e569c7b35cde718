"""Mail systems under the load of the distribution's smtp-source, for benchmarks.

    with sink(directory) as port: ...
    side = RunningSystem("ours", port, pid_of_master, queue)
    seconds = side.receive(500, 4096, sessions=10, is_many=False)
"""
import contextlib
import os
import pathlib
import re

import side_by_side
from server import NoServer, Server, find_program, free_port, listens

TICKS = os.sysconf("SC_CLK_TCK")


def children(pid):
    """The process and all that descend from it."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = stat.read_text(errors="replace")
            parents.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def send(port, messages, size, sessions, is_many, recipients=1):
    """Returns how long it took, in seconds. `size`: of a message, in bytes."""
    argv = [find_program("smtp-source"), "-s", str(sessions), "-m", str(messages), "-l", str(size), "-r", str(recipients),
            "-M", "client.example.net", "-f", "ann@example.org", "-t", "bob@example.com", *(["-d"] if is_many else [])]
    done = side_by_side.run([*argv, "127.0.0.1:%d" % port])
    if done.status != 0:
        raise NoServer("smtp-source ended with %d" % done.status)
    return done.wall


@contextlib.contextmanager
def sink(directory):
    """Its port."""
    port = free_port()
    with Server("smtp-sink", [find_program("smtp-sink"), "-u", "nobody", "127.0.0.1:%d" % port, "1000"],
                lambda: listens(port), directory / "sink.log"):
        yield port


class RunningSystem:
    """`pid` is of its master."""

    def __init__(self, label, port, pid, queue):
        self.label, self.port, self.pid, self.queue = label, port, pid, queue

    def receive(self, messages, size, sessions, is_many, recipients=1):
        return send(self.port, messages, size, sessions, is_many, recipients)

    def cpu_seconds(self):
        """Of all processes; those that ended are counted by their parents."""
        total = 0
        for pid in children(self.pid):
            with contextlib.suppress(OSError):
                fields = pathlib.Path("/proc/%d/stat" % pid).read_text(errors="replace").rpartition(")")[2].split()
                total += sum(int(field) for field in fields[11:15])
        return total / TICKS

    def memory(self):
        """In mebibytes."""
        total = 0
        for pid in children(self.pid):
            with contextlib.suppress(OSError):
                seen = pathlib.Path("/proc/%d/smaps_rollup" % pid).read_text()
                total += int(re.search(r"^Pss:\s+(\d+)", seen, re.MULTILINE)[1])
        return total / 1024
