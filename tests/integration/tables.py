"""Tables with an index, and the programs that make and read them: ours, and the distribution's as the judge."""
import argparse
import os
import pathlib
import shutil
import subprocess
import tempfile
import traceback

from checks import Checks, environment, run
from sandbox import SYSTEM_PATH

MAIN_CF = """\
compatibility_level = 3.6
myhostname = h.example.com
mydomain = example.com
mynetworks = 127.0.0.0/8
"""


class Type:
    """A type of table. `max_key` is the longest key in bytes that its format holds."""

    def __init__(self, name, suffix, max_key, changes=True, lists=True):
        self.name, self.suffix, self.max_key = name, suffix, max_key
        self.changes = changes          # Has -i and -d.
        self.stock_lists = lists        # The distribution's postmap can -s it.

    def __str__(self):
        return self.name


HASH = Type("hash", ".db", 6000)
BTREE = Type("btree", ".db", 6000)
CDB = Type("cdb", ".cdb", 6000, changes=False, lists=False)
LMDB = Type("lmdb", ".lmdb", 510)
TYPES = (HASH, BTREE, CDB, LMDB)
CHANGEABLE = tuple(t for t in TYPES if t.changes)


class Program:
    """postmap or postalias of one maker, with a configuration directory."""

    def __init__(self, maker, path, configuration):
        self.maker, self.path, self.configuration = maker, str(path), str(configuration)
        self.key_end = ":\t" if os.path.basename(path) == "postalias" else "\t"

    def __str__(self):
        return self.maker

    def command(self, *arguments):
        return [self.path, "-c", self.configuration, *map(str, arguments)]

    def run(self, *arguments, stdin=b"", **options):
        return run(self.command(*arguments), stdin=stdin.encode() if isinstance(stdin, str) else stdin, **options)

    def start(self, *arguments, **options):
        """With pipes for all three streams."""
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=environment(), **options)

    def entries(self, table, *options):
        """{key: value} of -s; None, and the Done, when it fails."""
        done = self.run(*options, "-s", table)
        return (parse(done.out, self.key_end) if done.status == 0 and not done.err else None), done

    def answers(self, table, keys, *options):
        """{key: value} of -q -; None, and the Done, when it fails."""
        done = self.run(*options, "-q", "-", table, stdin="".join(key + "\n" for key in keys))
        return (parse(done.out, self.key_end) if done.status in (0, 1) and not done.err else None), done


def parse(text, key_end):
    """{key: value} of lines as -s and -q - print them. A line that comes twice is kept apart by its number."""
    result = {}
    # Not splitlines(): keys and values may have what it takes for ends of lines.
    for number, line in enumerate(text.split("\n")[:-1]):
        key, _, value = line.partition(key_end)
        result[key if key not in result else (key, number)] = value
    return result


def difference(got, wanted):
    """What is wrong with a dictionary, in a few words."""
    if got is None:
        return "no answer"
    missing = [k for k in wanted if k not in got]
    extra = [k for k in got if k not in wanted]
    other = [k for k in wanted if k in got and got[k] != wanted[k]]
    return "%d of %d; missing %d %.200r; extra %d %.200r; other values %d %.200r" % (
        len(got), len(wanted), len(missing), missing[:3], len(extra), extra[:3], len(other),
        [(k, got[k], wanted[k]) for k in other[:2]])


def source_text(entries):
    return "".join("%s %s\n" % entry for entry in entries.items())


def write_source(file, entries):
    pathlib.Path(file).write_bytes(source_text(entries).encode())


class Place:
    """A scratch directory with a configuration, and the programs for it. `stock` is None without the
    distribution's, `stock_postalias` too."""

    def __init__(self, top, binaries):
        self.top = pathlib.Path(top)
        self.configuration = self.directory("configuration")
        (self.configuration / "main.cf").write_text(MAIN_CF)
        # Where users without rights can run them, too.
        self.ours, self.postalias = (
            Program("ours", shutil.copy(os.path.join(binaries, name), self.top / name), self.configuration)
            for name in ("postmap", "postalias"))
        self.stock, self.stock_postalias = self._stock("postmap"), self._stock("postalias")
        self.stock_types = set()
        if self.stock:
            listed = run([shutil.which("postconf", path=SYSTEM_PATH), "-c", self.configuration, "-m"])
            self.stock_types = set(listed.out.split())

    def _stock(self, name):
        path = shutil.which(name, path=SYSTEM_PATH)
        if not path or run([path, "--version"]).out.startswith("%s (Postkit)" % name):
            return None
        return Program("stock", path, self.configuration)

    def directory(self, name):
        made = self.top / name
        made.mkdir()
        made.chmod(0o755)
        return made

    def stock_for(self, checks, name, table_type):
        """Postfix's postmap, or None and a line that says why the check `name` is skipped."""
        if not self.stock:
            checks.skip(name, "no postmap of Postfix in %s" % SYSTEM_PATH)
        elif table_type.name not in self.stock_types:
            checks.skip(name, "Postfix's postmap has no %s here" % table_type)
        else:
            return self.stock
        return None


class Built:
    """A source and its index in a directory of their own, built by our postmap."""

    def __init__(self, place, name, table_type, entries, directory=None):
        self.directory = directory or place.directory("%s-%s" % (name, table_type))
        self.source = self.directory / "table"
        self.index = self.directory / ("table" + table_type.suffix)
        self.table = "%s:%s" % (table_type, self.source)
        self.ours = place.ours
        self.rebuild(entries)

    def rebuild(self, entries):
        write_source(self.source, entries)
        return self.ours.run(self.table)


def leftovers(directory):
    return sorted(p.name for p in pathlib.Path(directory).iterdir() if p.name.endswith(".tmp"))


def fast_directory():
    """For files whose fate in a crash is of no interest: Postfix syncs an lmdb file after each entry of -i."""
    memory = "/dev/shm"
    return memory if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30 else None


def main(description, prefix, suites, parent=None):
    """Runs the functions of `suites`, each with (checks, place), in a scratch directory in `parent` (or TMPDIR).
    Returns the exit status."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", help="run the suites that have this in their names")
    options = parser.parse_args()
    checks = Checks()
    top = os.path.realpath(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        os.chmod(top, 0o755)
        place = Place(top, options.bin)
        for suite in suites:
            if options.only and options.only not in suite.__name__:
                continue
            try:
                suite(checks, place)
            except (OSError, subprocess.SubprocessError):
                checks.check(suite.__name__, False, traceback.format_exc())
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return checks.finish()
