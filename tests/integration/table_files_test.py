#!/usr/bin/env python3
"""Holds postmap against the files that it may find: no room, no rights, damage; and what an index keeps.

usage: table_files_test.py --bin DIR [--only WORD]

Everything happens in a scratch directory. The parts that need root (other owners, a small tmpfs) are skipped, with the
reason, for others.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import contextlib
import errno
import os
import random
import signal
import sys

import tables
from checks import shorten
from sandbox import file_size_limit, small_file_system, unprivileged
from tables import LMDB, TYPES, Built, difference, leftovers, write_source

OLD = {"key%d" % i: "old value %d" % i for i in range(2000)}
NEW = {"key%d" % i: "new value %d" % i for i in range(1000, 4000)}
OWNER = 12345  # a uid and gid that nobody has


class Victim(Built):
    """What must survive a failure: `before` is its state at the start."""

    def __init__(self, place, name, table_type, directory=None):
        super().__init__(place, name, table_type, OLD, directory)
        self.before = self.state()

    def state(self):
        """What must not change. Not the bytes: a transaction that failed may have written where nobody looks."""
        entries, done = self.ours.entries(self.table)
        return entries if entries is not None else str(done), attributes(self.index)


def attributes(file):
    status = os.stat(file)
    return oct(status.st_mode & 0o7777), status.st_uid, status.st_gid


def is_error(done, *parts):
    """One message, status 1."""
    return (done.status == 1 and done.err.startswith("postmap: fatal: ") and done.err.count("\n") == 1 and
            all(part in done.err for part in parts))


def check_refusal(checks, name, built, done, *parts):
    checks.check("%s: status 1 and a clear error" % name, is_error(done, *parts),
                 lambda: "%s; wanted %s" % (done, parts))
    state = built.state()
    checks.check("%s: the old table is there" % name, state == built.before,
                 lambda: "%s; %s" % (difference(state[0], built.before[0]), state[1:]))
    checks.equal("%s: no .tmp is left" % name, leftovers(built.directory), [])


# No room, no rights.

def write_error(built, table_type, code):
    """How it is said that an index cannot be written. An lmdb that is there is written where it is."""
    file = str(built.index) + ("" if table_type is LMDB else ".tmp")
    return "fatal: write %s: %s\n" % (file, os.strerror(code))


def check_no_room(checks, place):
    for table_type in TYPES:
        built = Victim(place, "size-limit", table_type)
        write_source(built.source, NEW)
        done = built.ours.run(built.table, preexec_fn=file_size_limit(signal.SIG_IGN))
        check_refusal(checks, "%s: no room (file size limit)" % table_type, built, done,
                      write_error(built, table_type, errno.EFBIG))
        killed = built.ours.run(built.table, preexec_fn=file_size_limit(signal.SIG_DFL))
        checks.check("%s: killed by the file size limit: the old table is there" % table_type,
                     killed.status not in (0, None) and built.state() == built.before, killed)
        done = built.ours.run(built.table)
        got, _ = built.ours.entries(built.table)
        checks.check("%s: afterwards a build works, and no .tmp is left" % table_type,
                     done.status == 0 and got == NEW and not leftovers(built.directory), done)

        built = Victim(place, "size-limit-new", table_type)
        built.index.unlink()
        done = built.ours.run(built.table, preexec_fn=file_size_limit(signal.SIG_IGN))
        found = built.ours.run("-q", "key1", built.table)
        checks.check("%s: no room for the first index: an error, and no half of it" % table_type, is_error(done) and
                     found.status == 1 and not found.out and not leftovers(built.directory),
                     lambda d=done, f=found: "%s; %s" % (d, f))


def check_full_disk(checks, place):
    with small_file_system(place.top / "small", 1024) as reason:
        if reason:
            checks.skip("full disk", reason)
            return
        for table_type in TYPES:
            name = "%s: full disk" % table_type
            directory = place.top / "small" / table_type.name
            directory.mkdir()
            built = Victim(place, "full", table_type, directory=directory)
            write_source(built.source, NEW)
            # Leave two pages: the new table begins to be written, and does not fit.
            filler = directory / "filler"
            free = os.statvfs(directory)
            filler.write_bytes(b"x" * (free.f_bavail * free.f_frsize - 8192))
            no_space = write_error(built, table_type, errno.ENOSPC)
            check_refusal(checks, name, built, built.ours.run(built.table), no_space)
            with contextlib.suppress(OSError), open(filler, "ab", buffering=0) as rest:
                while rest.write(b"x" * 4096):
                    pass
            check_refusal(checks, name + ", to the last page", built, built.ours.run(built.table), no_space)
            if table_type is LMDB:
                # A change is a transaction.
                done = built.ours.run("-i", "-r", built.table, stdin="".join("%s value\n" % k for k in NEW))
                check_refusal(checks, name + ", -i", built, done, os.strerror(errno.ENOSPC))
            filler.unlink()
            done = built.ours.run(built.table)
            got, _ = built.ours.entries(built.table)
            checks.check("%s: a build works when there is room again" % name, done.status == 0 and got == NEW, done)
            built.index.unlink()


def check_no_rights(checks, place):
    denied = os.strerror(errno.EACCES)
    user = unprivileged()
    for table_type in TYPES:
        built = Victim(place, "rights", table_type)
        write_source(built.source, NEW)
        # For the owner of the index, too.
        built.index.chmod(0o444)
        built.before = built.state()
        built.directory.chmod(0o555)
        try:
            if built.ours.run("-q", "key1", built.table, preexec_fn=user).out != "old value 1\n":
                checks.skip("no rights", "an unprivileged user cannot reach the scratch directory (TMPDIR)")
                return
            done = built.ours.run(built.table, preexec_fn=user)
            check_refusal(checks, "%s: read-only directory" % table_type, built, done, denied)
            if table_type.changes:
                for option in (("-i",), ("-d", "key1")):
                    done = built.ours.run(*option, built.table, stdin="key5000 value\n", preexec_fn=user)
                    check_refusal(checks, "%s: read-only index, %s" % (table_type, option[0]), built, done, denied,
                                  str(built.index))
        finally:
            built.directory.chmod(0o755)

        built.index.chmod(0)
        for arguments in (("-q", "key1"), ("-q", "-"), ("-s",)):
            done = built.ours.run(*arguments, built.table, stdin="key1\n", preexec_fn=user)
            checks.check("%s: index that may not be read, %s" % (table_type, arguments[0]),
                         is_error(done, denied, str(built.index)), done)
        built.index.chmod(0o444)

        # In a directory where it could build.
        built.directory.chmod(0o777)
        built.source.chmod(0)
        done = built.ours.run(built.table, preexec_fn=user)
        check_refusal(checks, "%s: source that may not be read" % table_type, built, done, denied, str(built.source))
        built.source.unlink()
        done = built.ours.run(built.table, preexec_fn=user)
        check_refusal(checks, "%s: source that is not there" % table_type, built, done, os.strerror(errno.ENOENT),
                      str(built.source))


# Sources with faults.

def check_bad_lines(checks, place):
    good = {"first": "1", "last": "2"}
    bad = (b"no-value\n", b"\"unbalanced value\n", b"\xff\xfe value\n", b"first again\n", b"no-value-either   \n")
    for table_type in TYPES:
        built = Victim(place, "bad-lines", table_type)
        built.source.write_bytes(b"  orphan line\nfirst 1\n" + b"".join(bad) + b"last 2\n")
        done = built.ours.run(built.table)
        got, _ = built.ours.entries(built.table)
        warnings = done.err.count("postmap: warning: ")
        checks.check("%s: bad lines bring warnings, the others are taken" % table_type,
                     done.status == 0 and got == good and warnings == len(bad) + 1 == done.err.count("\n"),
                     lambda d=done, g=got: "%s; %s" % (g, d))


def check_key_too_long(checks, place):
    """Only lmdb has a limit, of 511 bytes with the NUL."""
    built = Victim(place, "long-key", LMDB)
    write_source(built.source, {"k" * 510: "value", **NEW})
    done = built.ours.run(built.table)
    got, _ = built.ours.entries(built.table)
    checks.check("lmdb: a key of 510 bytes fits", done.status == 0 and got == {"k" * 510: "value", **NEW}, done)
    built.before = built.state()
    write_source(built.source, {"k" * 511: "value", **OLD})
    check_refusal(checks, "lmdb: a key of 511 bytes", built, built.ours.run(built.table), str(built.index))
    done = built.ours.run("-i", built.table, stdin="new value\n%s value\n" % ("k" * 511))
    check_refusal(checks, "lmdb: -i of a key of 511 bytes", built, done, str(built.source))
    got, done = built.ours.answers(built.table, ["k" * 510, "k" * 511, "k" * 5000, "key1000"])
    checks.check("lmdb: a longer key is not found", got == {"k" * 510: "value", "key1000": NEW["key1000"]}, done)


# Who may read and write an index.

def check_attributes(checks, place):
    for table_type in TYPES:
        built = Victim(place, "attributes", table_type)
        owner = (OWNER, OWNER + 1) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
        for mode in (0o600, 0o640, 0o664):
            if os.geteuid() == 0:
                os.chown(built.index, *owner)
            built.index.chmod(mode)
            # Whatever the source has, and -p says.
            for source_mode, options in ((0o644, ()), (0o600, ()), (0o644, ("-p",))):
                built.source.chmod(source_mode)
                done = built.ours.run(*options, built.table)
                checks.check("%s: a rebuild keeps owner, group and mode %o (source %o%s)" % (
                    table_type, mode, source_mode, ", -p" if options else ""),
                    done.status == 0 and attributes(built.index) == (oct(mode), *owner),
                    lambda d=done: "%s; %s" % (attributes(built.index), d))

        # A new index may be read by whom its source may be read by; -p: by all.
        for source_mode, options, wanted in ((0o644, (), 0o644), (0o600, (), 0o600), (0o640, (), 0o640),
                                             (0o400, (), 0o600), (0o777, (), 0o644), (0o600, ("-p",), 0o644)):
            built.index.unlink()
            built.source.chmod(source_mode)
            done = built.ours.run(*options, built.table, umask=0o077)
            checks.check("%s: a source with mode %o gives an index with mode %o%s" % (
                table_type, source_mode, wanted, " (-p)" if options else ""),
                done.status == 0 and attributes(built.index)[0] == oct(wanted),
                lambda d=done: "%s; %s" % (attributes(built.index), d))


def check_symbolic_link(checks, place):
    for table_type in TYPES:
        built = Victim(place, "link", table_type)
        elsewhere = place.directory("link-target-%s" % table_type)
        real = elsewhere / "real"
        built.index.rename(real)
        real.chmod(0o640)
        text = "../%s/real" % elsewhere.name
        built.index.symlink_to(text)
        write_source(built.source, NEW)
        done = built.ours.run(built.table)
        got, _ = built.ours.entries(built.table)
        checks.check("%s: an index that is a symbolic link: its target is rebuilt" % table_type,
                     done.status == 0 and got == NEW, lambda d=done, g=got: "%s; %s" % (difference(g, NEW), d))
        checks.check("%s: the link stays a link, and the target keeps its mode" % table_type,
                     built.index.is_symlink() and os.readlink(built.index) == text and
                     not real.is_symlink() and attributes(real)[0] == "0o640", lambda: attributes(real))
        checks.equal("%s: no .tmp is left on either side" % table_type,
                     leftovers(built.directory) + leftovers(elsewhere), [])


def check_owner(checks, place):
    if os.geteuid() != 0:
        checks.skip("rights of the owner of the source", "not root")
        return
    for table_type in TYPES:
        built = Victim(place, "owner", table_type)
        built.index.unlink()
        os.chown(built.directory, OWNER, OWNER)
        os.chown(built.source, OWNER, OWNER)
        done = built.ours.run(built.table)
        checks.check("%s: root builds for the owner of the source" % table_type,
                     done.status == 0 and attributes(built.index)[1:] == (OWNER, OWNER),
                     lambda d=done: "%s; %s" % (attributes(built.index), d))
        built.index.unlink()
        done = built.ours.run("-o", built.table)
        checks.check("%s: with -o the index is root's" % table_type,
                     done.status == 0 and attributes(built.index)[1:] == (0, 0),
                     lambda d=done: "%s; %s" % (attributes(built.index), d))
        # Root's index is not the owner's to replace.
        built.before = built.state()
        write_source(built.source, NEW)
        check_refusal(checks, "%s: root builds for an owner who may not write the index" % table_type, built,
                      built.ours.run(built.table), os.strerror(errno.EACCES))

        # As /etc/aliases.db often is: the file is the owner's, the directory is root's.
        os.chown(built.index, OWNER, OWNER)
        os.chown(built.directory, 0, 0)
        done = built.ours.run(built.table)
        got, _ = built.ours.entries(built.table)
        checks.check("%s: a directory that the owner of source and index may not write" % table_type,
                     done.status == 0 and got == NEW and attributes(built.index)[1:] == (OWNER, OWNER) and
                     not leftovers(built.directory), lambda d=done: "%s; %s" % (attributes(built.index), d))
        built.index.unlink()
        done = built.ours.run(built.table)
        checks.check("%s: there the owner can have no new index" % table_type, is_error(done) and
                     not built.index.exists() and not leftovers(built.directory), done)

        # What the owner may not read, root does not read for them.
        secret = place.top / ("secret-%s" % table_type)
        secret.write_text("secret contents\n")
        secret.chmod(0o600)
        os.chown(built.directory, OWNER, OWNER)
        built.source.write_text("stolen %s\n" % secret)
        done = built.ours.run("-F", built.table)
        got, _ = built.ours.entries(built.table)
        checks.check("%s: -F reads files with the rights of the owner" % table_type,
                     done.status == 0 and "Permission denied" in done.err and got == {},
                     lambda d=done, g=got: "%s; %s" % (g, d))


# Indexes that are none.

def questions(table_type):
    """(arguments, standard input) of all that reads an index."""
    return ((("-q", "key7"), ""), (("-q", "-"), "key1\nkey7\nabsent\n"), (("-s",), ""), (("--verify",), ""),
            (("-d", "key7"), ""), (("-d", "-"), "key7\nabsent\n"), (("-i",), "new value\nkey7 value\n"),
            (("-i", "-r"), "key7 %s\n" % ("long" * 3000)))


def changes(arguments):
    return arguments[0] in ("-d", "-i")


def damaged(good, others):
    """(what it is, its bytes)."""
    yield "one byte", good[:1]
    yield "cut within the header", good[:300]
    yield "cut in the middle", good[:len(good) // 2]
    yield "cut in the middle of a page", good[:len(good) // 2 + 77]
    yield "without the last page", good[:-4096]
    yield "all zeros", bytes(len(good))
    yield "text", b"key1 value\n" * 2000
    yield "all ones", b"\xff" * len(good)
    yield from others


def is_true(done, arguments):
    """Whether all that was printed is so; of what comes first in a damaged file, much may be."""
    lines = done.out.splitlines()
    if arguments == ("-q", "key7"):
        return lines in ([], [OLD["key7"]])
    return all(OLD.get(line.partition("\t")[0]) == line.partition("\t")[2] for line in lines)


def check_damage(checks, place):
    good = {t: Victim(place, "damage-source", t).index.read_bytes() for t in TYPES}
    for table_type in TYPES:
        built = Victim(place, "damage", table_type)
        others = [("a file of type %s" % other, good[other]) for other in TYPES if other is not table_type]
        for what, data in damaged(good[table_type], others):
            wrong = []
            for arguments, stdin in questions(table_type):
                built.index.write_bytes(data)
                done = built.ours.run(*arguments, built.table, stdin=stdin, timeout=20)
                # A key may be found in what is left of a table.
                is_answered = arguments[0] == "-q" and done.status == 0 and not done.err
                if not is_true(done, arguments) or not (is_error(done) or is_answered):
                    wrong.append("%s: %s" % (arguments, done))
                elif built.index.read_bytes() != data:
                    wrong.append("%s: the file is changed" % (arguments,))
            checks.check("%s: %s as index: a clear error, or the truth" % (table_type, what), not wrong,
                         lambda w=wrong: "\n".join(w))
            # What was there before does not matter for a build.
            done = built.ours.run(built.table)
            got, _ = built.ours.entries(built.table)
            checks.check("%s: %s as index: a build makes a table of it" % (table_type, what),
                         done.status == 0 and got == OLD, done)


def check_random_damage(checks, place):
    """Some of it does not matter; none of it may crash, hang, or write a word that the source does not have."""
    for table_type in TYPES:
        chance = random.Random("damage of " + table_type.name)
        built = Victim(place, "random-damage", table_type)
        good = built.index.read_bytes()
        wrong, errors = [], 0
        for i in range(40):
            data = bytearray(good)
            for _ in range(chance.choice((1, 3, 100))):
                # The header, where most is decided, as often as the rest.
                place_of_byte = chance.randrange(chance.choice((512, len(data))))
                data[place_of_byte] = chance.choice((0, 1, 0x7f, 0x80, 0xff, chance.randrange(256)))
            for arguments, stdin in questions(table_type):
                if changes(arguments) and not table_type.changes:
                    continue
                built.index.write_bytes(data)
                done = built.ours.run(*arguments, built.table, stdin=stdin, timeout=20)
                errors += is_error(done)
                if done.status not in (0, 1) or (done.status == 0 and done.err and "duplicate" not in done.err):
                    wrong.append("damage %d, %s: %s" % (i, arguments, done))
        checks.check("%s: damage at random: no crash" % table_type, not wrong,
                     lambda w=wrong: shorten("\n".join(w), 2000))
        checks.check("%s: damage at random: some of it is found" % table_type, errors > 20, errors)


def check_empty_index(checks, place):
    for table_type in TYPES:
        built = Victim(place, "empty", table_type)
        for arguments, stdin in questions(table_type)[:4]:
            built.index.write_bytes(b"")
            done = built.ours.run(*arguments, built.table, stdin=stdin)
            checks.check("%s: an empty file as index, %s" % (table_type, arguments), is_error(done), done)
        if not table_type.changes:
            continue
        # As Postfix: -i makes a table of it.
        built.index.write_bytes(b"")
        done = built.ours.run("-i", built.table, stdin="new value\n")
        got, _ = built.ours.entries(built.table)
        checks.check("%s: an empty file as index, -i" % table_type, done.status == 0 and got == {"new": "value"},
                     lambda d=done, g=got: "%s; %s" % (g, d))


def check_directory_as_index(checks, place):
    for table_type in TYPES:
        built = Victim(place, "directory", table_type)
        built.index.unlink()
        built.index.mkdir()
        for arguments, stdin in questions(table_type) + (((), ""),):
            done = built.ours.run(*arguments, built.table, stdin=stdin)
            checks.check("%s: a directory as index, %s" % (table_type, arguments or "a build"),
                         is_error(done) and not leftovers(built.directory), lambda d=done: "%s; %s" % (
                             d, leftovers(built.directory)))


def check_no_index(checks, place):
    for table_type in TYPES:
        built = Victim(place, "none", table_type)
        built.index.unlink()
        for arguments, stdin in questions(table_type)[:6]:
            done = built.ours.run(*arguments, built.table, stdin=stdin)
            # As Postfix: nothing is in an lmdb that is not there, and nothing is said.
            silent = table_type is LMDB and changes(arguments)
            checks.check("%s: no index, %s" % (table_type, arguments), not built.index.exists() and (
                (done.status, done.out, done.err) == (1, "", "") if silent else is_error(done)), done)
        if table_type.changes:
            done = built.ours.run("-i", built.table, stdin="new value\n")
            got, _ = built.ours.entries(built.table)
            checks.check("%s: no index, -i makes one" % table_type, done.status == 0 and got == {"new": "value"}, done)


if __name__ == "__main__":
    sys.exit(tables.main(__doc__, "table-files-", (
        check_no_room, check_full_disk, check_no_rights, check_bad_lines, check_key_too_long, check_attributes,
        check_symbolic_link, check_owner, check_damage, check_random_damage, check_empty_index,
        check_directory_as_index, check_no_index)))
