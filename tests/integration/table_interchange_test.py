#!/usr/bin/env python3
"""Holds index files against the distribution's Postfix: each reads, lists and changes what the other made.

usage: table_interchange_test.py --bin DIR [--only WORD]

Everything happens in a scratch directory; expected answers come from the source, not from either program. Without
the distribution's postmap, or its support for a type, that part is skipped.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import functools
import pathlib
import random
import shutil
import sys

import tables
from checks import run
from tables import BTREE, CDB, HASH, LMDB, MAIN_CF, Program, difference, source_text, write_source

COUNT = 30_000
CHANGES = 500  # of each kind, by each side

ODD = "!#$%&'()*+,-./;<=>?@[]^_`{|}~\x01\x1c\x7f\u00a0\u2028"
LETTERS = "abcxyz0123456789éßñøдшχ漢字🐘"
VALUE = LETTERS + "ABC \"\\:,=<>#\t"


def text(chance, alphabet, length):
    return "".join(chance.choices(alphabet, k=length))


def cut_to_bytes(key, limit):
    return key.encode()[:limit].decode("utf-8", "ignore")


def plain_key(chance, number, limit):
    return "user%d@example%d.com" % (number, chance.randrange(100))


def utf8_key(chance, number, limit):
    # Upper case is stored in lower case: see fold().
    return text(chance, LETTERS + "ABCÉÖДШΧ", chance.randint(1, 12)) + "%d@bücher.example" % number


def odd_key(chance, number, limit):
    # A # in front would be a comment, a colon at the end a warning.
    return "x" + text(chance, ODD, chance.randint(1, 15)) + "\\\\%d" % number


def quoted_key(chance, number, limit):
    return '"%s%d \\" %s"@example.com' % (text(chance, "ab #:", 6), number, text(chance, LETTERS, 3))


def long_key(chance, number, limit):
    length = chance.choice((limit, limit - 1, chance.randint(200, limit)))
    return cut_to_bytes("long%d-" % number + text(chance, LETTERS, length), length)


def last_byte_key(chance, number, limit):
    # The last byte of its UTF-8 is all that tells one from the next.
    return "same-start-%07d-%s" % (number // 25, "абвгдежзиклмнопрстуфхцчшщ"[number % 25])


def tiny_key(chance, number, limit):
    return "%x" % number


KEYS = ((plain_key, 40), (utf8_key, 20), (odd_key, 10), (quoted_key, 8), (long_key, 1), (last_byte_key, 15),
        (tiny_key, 6))


def value_for(chance):
    kind = chance.random()
    length = (chance.randint(1, 60) if kind < 0.985 else
              # As long as a page of some format, and a little more or less; and longer.
              chance.choice((2000, 4000, 4080, 4096, 8192)) + chance.randint(-50, 50) if kind < 0.999 else
              chance.randint(20_000, 70_000))
    return text(chance, VALUE, length).strip() or "-"


def fold(key):
    return key.casefold()


def make_entries(chance, count, max_key, first=0):
    """{key: value} as a source has it. Folded, no two keys are the same."""
    makers, weights = zip(*KEYS)
    entries, folded = {}, set()
    for number, maker in enumerate(chance.choices(makers, weights, k=count), first):
        key = maker(chance, number, max_key)
        if fold(key) not in folded and len(fold(key).encode()) <= max_key:
            folded.add(fold(key))
            entries[key] = value_for(chance)
    return entries


@functools.cache
def source_for(max_key):
    return make_entries(random.Random("interchange"), COUNT, max_key)


def stored(entries):
    return {fold(key): value for key, value in entries.items()}


# What one has built, the other reads and changes.

def verify_structure(checks, name, table_type, file):
    """By the library's own program, where it is installed."""
    verifiers = {HASH: "db5.3_verify", BTREE: "db5.3_verify", LMDB: "mdb_stat", CDB: "cdb"}
    options = {LMDB: ["-n"], CDB: ["-s"]}
    program = verifiers[table_type]
    if not shutil.which(program):
        checks.skip("%s: %s finds no fault" % (name, program), "not installed")
        return
    done = run([program, *options.get(table_type, ()), str(file) + table_type.suffix])
    checks.check("%s: %s finds no fault" % (name, program), done.status == 0 and not done.err, done)


def same_entries(checks, name, program, table_type, table, wanted, step=1):
    """-s; and -q - of every key, or every so many, and of some that are not there."""
    if program.maker == "ours" or table_type.stock_lists:
        got, done = program.entries(table)
        checks.check("%s: %s lists all entries" % (name, program), got == wanted,
                     lambda: "%s; %s" % (difference(got, wanted), done))
    asked = {key: wanted[key] for key in list(wanted)[::step]}
    got, done = program.answers(table, asked)
    checks.check("%s: %s finds %d keys" % (name, program, len(asked)), got == asked and done.status == 0,
                 lambda: "%s; %s" % (difference(got, asked), done))
    # Neighbours of keys that are there: shorter, longer, another last letter.
    absent = [near for key in list(wanted)[::100] for near in (key[:-1], key + "a", key[:-1] + "q")
              if near and near not in wanted]
    got, done = program.answers(table, absent)
    checks.check("%s: %s finds no other key" % (name, program), got == {} and done.status == 1, done)


def with_room(program):
    """Postfix 3.7 stops to fold keys in the middle of a build when an lmdb file outgrows lmdb_map_size."""
    directory = pathlib.Path(program.configuration).with_name("configuration-with-room")
    directory.mkdir(exist_ok=True)
    (directory / "main.cf").write_text(MAIN_CF + "lmdb_map_size = 300000000\n")
    return program if program.maker == "ours" else Program(program.maker, program.path, directory)


def check_interchange(checks, place, table_type):
    name = "%s, %d keys" % (table_type, COUNT)
    stock = place.stock_for(checks, name, table_type)
    if not stock:
        return
    chance = random.Random("changes of " + table_type.name)
    source = source_for(table_type.max_key)
    directory = place.directory("interchange-" + table_type.name)
    for builder, reader in ((place.ours, stock), (stock, place.ours)):
        file = directory / builder.maker
        table = "%s:%s" % (table_type, file)
        write_source(file, source)
        wanted = stored(source)
        name = "%s built by %s" % (table_type, builder)
        done = with_room(builder).run(table)
        checks.check("%s: no error, no warning" % name, done.status == 0 and not done.err, done)
        verify_structure(checks, name, table_type, file)
        same_entries(checks, name, reader, table_type, table, wanted)
        if not table_type.changes:
            continue
        for changer, other in ((reader, builder), (builder, reader)):
            name += ", changed by %s" % changer
            change_in_place(checks, name, chance, changer, table, wanted, table_type.max_key)
            verify_structure(checks, name, table_type, file)
            same_entries(checks, name, other, table_type, table, wanted, step=7)


def change_in_place(checks, name, chance, program, table, wanted, max_key):
    """Adds, replaces and removes entries of `table`, and of the dictionary too."""
    new = make_entries(chance, CHANGES, max_key, first=COUNT * chance.randrange(1, 1000))
    new = {key: value for key, value in new.items() if fold(key) not in wanted}
    old = dict.fromkeys(chance.sample(sorted(wanted), CHANGES))
    done = program.run("-i", table, stdin=source_text(new) + source_text(dict.fromkeys(old, "not to be stored")))
    warnings = done.err.count("duplicate entry: ")
    checks.check("%s: -i adds, and warns of what is there" % name, done.status == 0 and warnings == len(old),
                 lambda: "%d warnings; %s" % (warnings, done))
    wanted.update(stored(new))
    # Some grow, some shrink, and pages overflow or become empty.
    old = {key: value_for(chance) for key in old}
    done = program.run("-i", "-r", table, stdin=source_text(old))
    checks.check("%s: -i -r replaces" % name, done.status == 0 and not done.err, done)
    wanted.update(old)
    # A run of neighbours too, so that whole pages go.
    ordered = sorted(wanted)
    start = chance.randrange(len(ordered) - CHANGES)
    gone = set(ordered[start:start + CHANGES]) | set(chance.sample(ordered, CHANGES))
    done = program.run("-d", "-", table, stdin="".join(key + "\n" for key in gone))
    checks.check("%s: -d removes" % name, done.status == 0 and not done.err, done)
    for key in gone:
        del wanted[key]
    done = program.run("-d", "no such key", table)
    checks.check("%s: -d of a key that is not there: status 1, silent" % name,
                 (done.status, done.out, done.err) == (1, "", ""), done)


def check_hash(checks, place):
    check_interchange(checks, place, HASH)


def check_btree(checks, place):
    check_interchange(checks, place, BTREE)


def check_cdb(checks, place):
    check_interchange(checks, place, CDB)


def check_lmdb(checks, place):
    check_interchange(checks, place, LMDB)


# The NUL at the end of keys and values.

def check_null_bytes(checks, place):
    entries = {"key%d" % i: "value %d" % i for i in range(300)}
    for table_type in tables.TYPES:
        stock = place.stock_for(checks, "%s: -n and -N" % table_type, table_type)
        if not stock:
            continue
        directory = place.directory("null-" + table_type.name)
        for build in ((), ("-n",), ("-N",)):
            for builder, reader in ((place.ours, stock), (stock, place.ours)):
                file = directory / "".join((builder.maker,) + build)
                table = "%s:%s" % (table_type, file)
                write_source(file, entries)
                builder.run(*build, table)
                check_null_reading(checks, table_type, builder, build, reader, table, entries)
                if table_type.changes:
                    check_null_changes(checks, table_type, builder, build, reader, table)


def flag_text(flags):
    return " ".join(flags) or "no flag"


def has_nul(table_type, flags):
    """Whether what is built with these flags has the NUL."""
    return "-N" in flags or ("-n" not in flags and table_type is not CDB)


def check_null_reading(checks, table_type, builder, build, reader, table, entries):
    for flags in ((), ("-n",), ("-N",)):
        # Without a flag a reader takes either form.
        found = not flags or has_nul(table_type, flags) == has_nul(table_type, build)
        got, done = reader.answers(table, entries, *flags)
        checks.check("%s, %s built with %s: %s finds %s with %s" % (
            table_type, builder, flag_text(build), reader, "all" if found else "nothing", flag_text(flags)),
            got == (entries if found else {}) and done.status == (0 if found else 1),
            lambda: "%s; %s" % (difference(got, entries), done))
    if reader.maker == "ours" or table_type.stock_lists:
        got, done = reader.entries(table)
        checks.check("%s, %s built with %s: %s lists all" % (table_type, builder, flag_text(build), reader),
                     got == entries, lambda: "%s; %s" % (difference(got, entries), done))


def check_null_changes(checks, table_type, builder, build, changer, table):
    # Without a flag -d takes either form; -i with the flag of the building finds the entry that is there.
    name = "%s, %s built with %s, %s changes" % (table_type, builder, flag_text(build), changer)
    done = changer.run(*build, "-i", "-r", table, stdin="key1 other\n")
    checks.check("%s: -i -r" % name, done.status == 0 and not done.err, done)
    done = changer.run("-d", "key2", table)
    checks.check("%s: -d" % name, done.status == 0 and not done.err, done)
    wrong = "-n" if has_nul(table_type, build) else "-N"
    done = changer.run(wrong, "-d", "key3", table)
    checks.check("%s: -d with %s finds nothing" % (name, wrong), done.status == 1 and not done.err, done)
    got, done = builder.answers(table, ("key1", "key2", "key3"))
    checks.equal("%s: the builder sees it" % name, got, {"key1": "other", "key3": "value 3"})


# Alias files.

ALIASES = """\
# A comment
postmaster: root
root:       ann@example.com, bob@example.com
Mixed.Case: Somebody
name:       ann, "bob builder"@example.com
list:
    :include:/etc/lists/list,
    ann (a comment),
    bob
filter:     "|/usr/bin/filter -a 'b c'", \\backslash
file:       /var/mail/file
owner-list: ann
"""
# As aliases(5) says: names in lower case, and the list with a comma and a blank. "quoted name" is left out: before
# Postfix 3.12 its key had no quotes.
ALIASES_WANTED = {
    "postmaster": "root",
    "root": "ann@example.com, bob@example.com",
    "mixed.case": "Somebody",
    "name": 'ann, "bob builder"@example.com',
    "filter": "\"|/usr/bin/filter -a 'b c'\", backslash",
    "file": "/var/mail/file",
    "owner-list": "ann",
    "@": "@",
}
# What older postalias programs add.
NOTES = ("YP_LAST_MODIFIED", "YP_MASTER_NAME")


def check_aliases(checks, place):
    if not place.stock_postalias:
        checks.skip("aliases", "no postalias of Postfix")
        return
    many = "".join("user%d: mailbox%d@example.com,\n    |\"/bin/program %d\"\n" % (i, i, i) for i in range(5000))
    wanted = {"user%d" % i: "mailbox%d@example.com, |\"/bin/program %d\"" % (i, i) for i in range(5000)}
    wanted.update(ALIASES_WANTED)
    directory = place.directory("aliases")
    for table_type in tables.TYPES:
        if not place.stock_for(checks, "%s: aliases" % table_type, table_type):
            continue
        listings = {}
        for builder, reader in ((place.postalias, place.stock_postalias), (place.stock_postalias, place.postalias)):
            file = directory / ("%s-%s" % (table_type, builder))
            table = "%s:%s" % (table_type, file)
            file.write_text(ALIASES + many)
            done = builder.run(table)
            name = "aliases, %s built by %s" % (table_type, builder)
            checks.check("%s: no error, no warning" % name, done.status == 0 and not done.err, done)
            got, done = reader.answers(table, list(wanted) + ["list", "nobody"])
            listed = got and got.pop("list", "").replace(" (a comment)", "")
            checks.check("%s: %s finds all" % (name, reader), got == wanted,
                         lambda: "%s; %s" % (difference(got, wanted), done))
            checks.equal("%s: %s finds the list" % (name, reader), listed, ":include:/etc/lists/list, ann, bob")
            # By our own -s, for all types: stock cannot list a cdb.
            entries, done = place.postalias.entries(table)
            listings[builder.maker] = {k: v for k, v in (entries or {}).items() if k not in NOTES}
        checks.check("aliases, %s: both make the same entries" % table_type, listings["ours"] == listings["stock"],
                     lambda: difference(listings["ours"], listings["stock"]))
        if table_type.changes:
            check_alias_changes(checks, place, table_type, directory)


def check_alias_changes(checks, place, table_type, directory):
    for builder, changer in (("ours", place.stock_postalias), ("stock", place.postalias)):
        table = "%s:%s" % (table_type, directory / ("%s-%s" % (table_type, builder)))
        name = "aliases, %s built by %s, changed by %s" % (table_type, builder, changer)
        added = changer.run("-i", table, stdin="new: one,\n  two\n")
        removed = changer.run("-d", "postmaster", table)
        other = place.postalias if changer is place.stock_postalias else place.stock_postalias
        got, done = other.answers(table, ("new", "postmaster", "file"))
        checks.check("%s: %s sees it" % (name, other),
                     added.status == removed.status == 0 and got == {"new": "one, two", "file": "/var/mail/file"},
                     lambda: "%s; %s; %s; %s" % (got, added, removed, done))


if __name__ == "__main__":
    sys.exit(tables.main(__doc__, "table-interchange-", (
        check_hash, check_btree, check_cdb, check_lmdb, check_null_bytes, check_aliases),
        parent=tables.fast_directory()))
