"""Tables that are clients of a server, asked by our postmap and by the distribution's.

    desk = Desk(bin_directory, work_directory)
    table = desk.table("mysql", "aliases.cf", "hosts = unix:%s\nquery = ..." % socket)
    desk.ours(table, "joe").out
"""
import pathlib
import shutil

from checks import run

STOCK = "/usr/sbin/postmap"
MAIN_CF = """compatibility_level = 3.6
myhostname = host.example.com
mydomain = example.com
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
"""


class Desk:
    """A configuration directory, and both postmaps."""

    def __init__(self, bin_directory, directory, main_cf=""):
        self.postmap = pathlib.Path(bin_directory).resolve() / "postmap"
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "main.cf").write_text(MAIN_CF + main_cf)
        (self.directory / "master.cf").write_text("")
        self.stock_postmap = shutil.which(STOCK)

    def write(self, name, text, mode=0o600):
        file = self.directory / name
        file.write_text(text)
        file.chmod(mode)
        return file

    def table(self, kind, name, text, mode=0o600):
        """Writes the settings of a table; returns "KIND:FILE"."""
        return "%s:%s" % (kind, self.write(name, text, mode))

    def ours(self, table, *keys, **options):
        return self._ask(self.postmap, table, keys, options)

    def stock(self, table, *keys, **options):
        return self._ask(self.stock_postmap, table, keys, options)

    def _ask(self, postmap, table, keys, options):
        """One key is asked as `-q KEY`; several, as `-q -` on standard input. `flags` come before."""
        argv = [postmap, "-c", self.directory, *options.pop("flags", ())]
        if len(keys) == 1:
            return run([*argv, "-q", keys[0], table], **options)
        lines = "".join("%s\n" % key for key in keys).encode("utf-8", "surrogateescape")
        return run([*argv, "-q", "-", table], stdin=lines, **options)
