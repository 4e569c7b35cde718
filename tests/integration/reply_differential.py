"""One server for both postmaps: what they send and what they make of its replies must be the same.

    asker = Asker(checks, desk)
    done = asker.compare("name", "tcp:127.0.0.1:%d" % server.port, ["joe"])
"""
import re

from checks import Done


class Asker:
    """Asks our postmap and, where it is there, the distribution's."""

    def __init__(self, checks, desk):
        self.checks, self.desk = checks, desk
        if not desk.stock_postmap:
            checks.skip("the distribution's answers to the same replies", "its postmap is not installed")

    def ours(self, table, keys, **options):
        return plain(self.desk.ours(table, *keys, **options), self.desk.postmap)

    def compare(self, name, table, keys, between=lambda: None, **options):
        """Returns our outcome. `between` is called after our postmap and before the other, and after that."""
        ours, ours_noted = self.ours(table, keys, **options), between()
        if self.desk.stock_postmap:
            stock, stock_noted = plain(self.desk.stock(table, *keys, **options), self.desk.stock_postmap), between()
            self.checks.equal("%s: as the distribution's postmap" % name, (ours.status, ours.out, ours.err),
                              (stock.status, stock.out, stock.err))
            self.checks.equal("%s: the same requests" % name, ours_noted, stock_noted)
        return ours


def plain(done, program):
    """Without the path of the program, and without an errno that an earlier lookup has left."""
    err = done.err.replace(str(program), "postmap")
    return Done(done.status, done.out, re.sub(r"(unexpected EOF) \([^)]*\)", r"\1", err))


def random_key(rng, length=12):
    """Any characters but a newline and a NUL, at least one."""
    return "".join(rng.choice("abzABZ019@.-+_%% \t\r\x01\x7f\"\\\u00e9\u00c9\u4e2d") for _ in range(rng.randrange(length) + 1))
