"""Runs a program at a terminal of its own, as a user sees it: Postfix's scripts talk to terminals only."""
import os
import pty
import select
import subprocess
import time

from checks import TIMEOUT, Done, environment


def run_at_terminal(argv, timeout=TIMEOUT, **variables):
    """Output and errors together, in `out`, without carriage returns. A time-out is status None. `variables` go into the
    environment."""
    control, terminal = pty.openpty()
    process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal,
                               env=environment(**variables), start_new_session=True)
    os.close(terminal)
    output, deadline = b"", time.monotonic() + timeout
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        ready, _, _ = select.select([control], [], [], 0 if ended else 0.05)
        if ready:
            try:
                output += os.read(control, 65536)
                continue
            except OSError:
                break  # The last one that had the terminal open has gone.
        if ended:
            break
    os.close(control)
    try:
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        status = None
        process.kill()
        process.wait()
    return Done(status, output.replace(b"\r\n", b"\n").decode("utf-8", "replace"), "")
