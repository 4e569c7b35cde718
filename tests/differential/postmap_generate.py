"""Random tables and random commands of postmap and postalias.

Everything here is a pure function of a random.Random instance, so that a case
can be made again from its seed and number alone.  A case is a directory of
files and a series of commands that are run in it, each after the other.
Nothing here runs a program.

The older release sleeps for a second whenever it ends with a fatal error.
Commands that are meant to end so are rare (RISK).  What the two releases do
not share is not generated; see the rules in postmap_differential.py.
"""

import collections

Command = collections.namedtuple("Command", "program arguments stdin")
Command.__doc__ = """PROGRAM is postmap or postalias; ARGUMENTS and STDIN are bytes."""

RISK = 0.03

MAIN_CF = b"""\
compatibility_level = 3.6
myhostname = h.example.com
mydomain = example.com
mynetworks = 127.0.0.0/8
"""

INDEXES = (b"hash", b"hash", b"btree", b"lmdb", b"cdb")

KEYS = (b"alice", b"alice", b"BOB", b"bob", b"Carol", b"user@Example.COM", b"@example.org",
        b".example.net", b"a+b", b"x", b"caf\xc3\xa9", b"\xc3\x84\xc3\x96", b"\xc3\x9f",
        b"\xe1\xba\x9e", b"\xc4\xb0", b"*", b"[a]", b"192.0.2.1", b"2001:db8::1", b"k" * 60, b"a,b",
        b"key#x", b"'q'", b"(c)", b"a/b", b"a\\b", b"x\"y", b"0", b"-x", b"=")
ODD_KEYS = (b"\"a b\"", b"\"with \\\"q\\\" in\"", b"\"back\\\\slash\"", b"\"half", b"\"\"",
            b"\"odd@x\"@example.net", b"\"A\"b", b"a\"b c\"", b"\xe9", b"bad\xff\xfe", b"\xc3",
            b"\xed\xa0\x80", b"a:", b":", b"a:b:", b"\"", b"\\", b"\"a\tb\"", b"\"a\\b\"",
            b"\"a\"\"b\"", b"caf\xc3\xa9@\xc3\xa4.example")
VALUES = (b"one", b"two words", b"OK", b"a,b", b"a, b", b"REJECT 5.7.1 no", b"smtp:[h]:25",
          b"caf\xc3\xa9", b"v" * 300, b"\"quoted\"", b"# no comment", b"$1",
          b"first   second\tthird", b"'", b"{a}", b"x=y", b"a\\b")
ODD_VALUES = (b"\xe9", b"a\xff", b"", b"\r", b"\x01", b"\"open", b"a\xc3")
BLANKS = (b" ", b" ", b" ", b"\t", b"  ", b" \t ")

ALIAS_NAMES = (b"root", b"Postmaster", b"list", b"owner-list", b"a.b", b"x_y", b"MAILER-DAEMON",
               b"k-l", b"a b", b"caf\xc3\xa9", b"0", b"a+b", b"'s'", b"#", b"a/b")
ALIAS_ODD_NAMES = (b"user@example.com", b"@x", b"", b"a:b", b"(c) d", b"<e>", b"\xe9", b"a;b",
                   b"a,b", b"\\a", b"[x]")
ALIAS_VALUES = (b"ann", b"ann, bob@example.com", b":include:/etc/list", b"/var/mail/x",
                b"\"|/bin/prog -a 'b c'\"", b"|prog", b"a,, b", b",", b"(comment) b",
                b"<ann@example.com>", b"Ann Lee <ann@x.example>", b"group: x, y;", b"\"x, y\", z",
                b"a b", b"\\root", b"b;", b"j\xc3\xb6rg@ex\xc3\xa4mple.com", b"\"unclosed", b"a (b",
                b"", b" ", b"\xe9", b"a@b@c", b"\"a b\"@c")

ADDRESSES = (b"192.0.2.1", b"192.0.2.200", b"192.0.3.1", b"10.0.0.1", b"203.0.113.9",
             b"2001:db8::1", b"2001:DB8:0::1", b"::1", b"::ffff:192.0.2.1", b"0.0.0.0",
             b"255.255.255.255", b"name", b"192.0.2", b"192.0.2.01", b"192.0.2.1.", b"1.2.3.4/32",
             b"fe80::1%eth0", b"[2001:db8::1]", b"")
NETWORKS = (b"192.0.2.0/24", b"192.0.2.0/25", b"192.0.2.128/25", b"10.0.0.0/8", b"0.0.0.0/0",
            b"192.0.2.1", b"2001:db8::/32", b"2001:db8::1", b"::/0", b"::1/128", b"[2001:db8::]/32",
            b"192.0.2.0/31", b"128.0.0.0/1")
ODD_NETWORKS = (b"nonsense", b"192.0.2.0/33", b"300.1.1.1", b"192.0.2.0/", b"192.0.2/24",
                b"2001:db8::/129", b"192.0.2.1/24", b"192.0.2.0/x", b"/24", b"192.0.2.01",
                b"2001:db8::1/32", b"192.0.2.0/-1", b"192.0.2.0/24/8", b"[192.0.2.1]", b"[::1",
                b"::ffff:192.0.2.0/120", b"1.2.3.4.5", b"0x7f.1")

PATTERNS = (b"a", b"^alice$", b"^(.*)@(.*)$", b"^(a+)(b*)", b"b|c", b"x(y)?", b"[0-9]+",
            b"example\\.com", b"^$", b"", b".", b"o", b"(a)(l)(i)", b"\\/", b"^[^@]+$", b"a.*e",
            b"A", b"caf", b"(x|y)z?", b"^.{3}$")
ODD_PATTERNS = (b"(", b"[", b"a)", b"*", b"\\", b"a{2,1}", b"[[:foo:]]", b"\xe9")
FLAGS = (b"", b"", b"", b"", b"i", b"m", b"ii", b"im")
REGEXP_FLAGS = (b"x", b"xi", b"q", b"/")
PCRE_FLAGS = (b"x", b"s", b"A", b"U", b"E", b"X", b"q", b"sxm")
RESULTS = (b"OK", b"<$1>", b"${1}x", b"$(1)y $2", b"$$1", b"$0", b"two words", b"a$", b"$1$2",
           b"$12", b"${1", b"$x", b"$(1}", b"\xc3\xa9", b"")

# Specifications of tables that need no file.
SPECS = (b"inline:{a=1, b=2}", b"inline:{ a=1 { b = two words } }",
         b"inline:{alice=x, ALICE=y, bob=z}", b"inline:{a=1, a=2}", b"static:x",
         b"static:{two words}", b"static:", b"static:{ x }",
         b"pipemap:{inline:{a=b}, inline:{b=c}}", b"pipemap:{inline:{a=b},static:s}",
         b"pipemap:{inline:{alice=bob} inline:{BOB=1 bob=2}}",
         b"unionmap:{inline:{a=1},inline:{a=2},inline:{b=3}}",
         b"unionmap:{inline:{a=1} static:{p q}}", b"unionmap:{static:x, inline:{bob=y}}",
         b"randmap:{only}", b"randmap:{ one }", b"randmap:{ { two words } }", b"environ:x",
         b"environ:", b"pcre:{{/a(.)/ $1} {!/x/ no}}", b"pcre:{ {/^(.*)@/ <$1>}, {/b/i B} }",
         b"regexp:{{/a(.)/ $1}, {/./ any}}", b"cidr:{{192.0.2.0/24 net} {10.0.0.0/8 ten}}",
         b"cidr:{ {::/0 six}, {0.0.0.0/0 four} }", b"inline:{caf\xc3\xa9=\xc3\xa9, \xc3\x9f=ss}",
         b"inline:{ {a b=c} }", b"inline:{a=}", b"pipemap:{inline:{a=b}}",
         b"unionmap:{ inline:{a=1}, inline:{a=1} }")
BAD_SPECS = (b"inline:{}", b"inline:a=1", b"inline:{a}", b"pipemap:{}", b"pipemap:{nosuch:x}",
             b"unionmap:{ }", b"unionmap:x", b"randmap:{}", b"randmap:x", b"nosuch:x",
             b"cidr:missing", b"pcre:missing", b"hash:missing", b"texthash:missing",
             b"btree:missing", b"lmdb:missing", b"cdb:missing", b"fail:x", b"inline:{=a}",
             b"pipemap:{static:x", b"inline:{a=1")
READ_ONLY = (b"cidr", b"pcre", b"regexp", b"texthash", b"static", b"inline", b"environ", b"internal")


class Case:
    """Files (name to bytes), their permissions, and commands."""

    def __init__(self, rng):
        self.rng = rng
        self.files = {b"main.cf": MAIN_CF + rng.choice((b"",) * 5 + (b"smtputf8_enable = no\n",
                                                                   b"default_database_type = btree\n"))}
        self.modes = {}
        self.commands = []
        self.used = []      # Keys of the tables: what is asked for should be there more often than not.
        kind = rng.choice((self.index, self.index, self.index, self.alias, self.alias, self.cidr,
                           self.patterns, self.patterns, self.specs, self.text_table,
                           self.file_values))
        kind()

    # ------------------------------------------------------------------ small

    def chance(self, probability):
        return self.rng.random() < probability

    def add(self, program, *arguments, stdin=b""):
        self.commands.append(Command(program, [b"-c", b"."] + [a for a in arguments if a], stdin))

    def write(self, name, data):
        self.files[name] = data
        self.modes[name] = self.rng.choice((0o644, 0o644, 0o644, 0o600, 0o640, 0o660, 0o444))

    def layout(self, lines):
        """Lines as a file: CRLF, NULs and a missing last newline now and then."""
        newline = b"\r\n" if self.chance(0.08) else b"\n"
        data = b"".join(line + newline for line in lines)
        if self.chance(0.02) and data:
            place = self.rng.randrange(len(data))
            data = data[:place] + b"\0" + data[place:]
        return data[:-len(newline)] if data and self.chance(0.1) else data

    def flags(self, *choices, probability=0.15):
        return [flag for flag in choices if self.chance(probability)]

    # ----------------------------------------------------------------- tables

    def key(self):
        self.used.append(self.rng.choice(ODD_KEYS if self.chance(0.12) else KEYS))
        return self.used[-1]

    def value(self):
        return self.rng.choice(ODD_VALUES if self.chance(0.08) else VALUES)

    def separator(self):
        return self.rng.choice(BLANKS)

    def other_line(self):
        return self.rng.choice((b"", b"# comment", b"  # comment", b"   ", b"\t", b"#", b" \t# x y"))

    def continuations(self, value):
        lines = []
        while self.chance(0.15):
            lines.append(self.separator() + value())
            if self.chance(0.2):
                lines.append(self.other_line())
        return lines

    def table_lines(self, count=None):
        lines = []
        if self.chance(0.04):
            lines.append(b"  orphan x")
        for _ in range(self.rng.choice((0, 1, 3, 6, 10)) if count is None else count):
            if self.chance(0.12):
                lines.append(self.other_line())
            elif self.chance(0.05):
                lines.append(self.key())
            else:
                tail = self.rng.choice(BLANKS) if self.chance(0.1) else b""
                lines.append(self.key() + self.separator() + self.value() + tail)
            lines += self.continuations(self.value)
        return lines

    def query_key(self):
        key = self.rng.choice(self.used) if self.used and self.chance(0.7) else self.rng.choice(KEYS +
                                                                                                ODD_KEYS)
        how = self.rng.randrange(14)
        if how == 0:
            return key.upper()
        if how == 1:
            return key.lower()
        if how == 2:
            return key.strip(b"\"")
        if how == 3:
            return key + self.rng.choice((b" ", b"\t", b"x"))
        return key or b"x"

    def stdin_keys(self, key):
        return self.layout([key() for _ in range(self.rng.choice((1, 2, 5)))] + ([b""] if
                                                                                 self.chance(0.1) else
                                                                                 []))

    def argument(self, key):
        """A key that may stand on the command line."""
        key = key.replace(b"\0", b"")
        return b"x" if key in (b"", b"-") else key

    def ask(self, program, tables, key, *flags):
        """One query, of the command line or of standard input."""
        extra = self.flags(b"-f", b"-u", probability=0.08)
        if self.chance(0.3):
            self.add(program, *flags, *extra, b"-q", b"-", *tables, stdin=self.stdin_keys(key))
        else:
            self.add(program, *flags, *extra, b"-q", self.argument(key()), *tables)

    # ------------------------------------------------------------------ cases

    def index(self):
        """postmap builds, asks, changes and lists an index."""
        self.changes("postmap", self.table_lines, self.query_key)

    def alias(self):
        """The same with postalias."""
        self.changes("postalias", self.alias_lines, self.alias_key)

    def changes(self, program, lines, key):
        kind = self.rng.choice(INDEXES)
        name = self.rng.choice((b"t", b"t", b"./t", b"sub.t"))
        self.write(name.replace(b"./", b""), self.layout(lines()))
        table = kind + b":" + name
        is_default = kind == b"hash" and b"default" not in self.files[b"main.cf"]
        given = name if is_default and self.chance(0.1) else table
        tables = [given]
        if self.chance(0.1):
            self.write(b"other", self.layout(lines()))
            tables.append(self.rng.choice(INDEXES) + b":other")
        # One way of ending keys for the whole life of the index: -n asks for what -N has not.
        ending = self.flags(b"-n", probability=0.05) or self.flags(b"-N", probability=0.05)
        self.add(program, *ending, *self.flags(b"-f", b"-r", b"-w", b"-u", b"-p", b"-o", probability=0.08),
                 *tables)
        is_fixed = kind == b"cdb"
        for _ in range(self.rng.choice((2, 3, 5, 7))):
            what = self.rng.randrange(10)
            if what < 5 or (is_fixed and not self.chance(RISK)):
                self.ask(program, tables, key, *ending)
            elif what < 7:
                flags = self.flags(b"-r", b"-w", b"-f", b"-u", probability=0.2)
                self.add(program, b"-i", *ending, *flags, table, stdin=self.layout(lines()))
            elif what == 7:
                self.add(program, *ending, b"-d", b"-", table, stdin=self.stdin_keys(key))
            elif what == 8:
                self.add(program, *ending, *self.flags(b"-f", b"-u", probability=0.1), b"-d",
                         self.argument(key()), table)
            else:
                self.add(program, *ending, *self.flags(b"-r", b"-w", probability=0.3), table)
            if self.chance(RISK):
                self.mistake(program, table)
        if not is_fixed:
            self.add(program, *ending, b"-s", table)
            if self.chance(0.1):
                self.add("postmap", *ending, b"-s", table)

    def mistake(self, program, table):
        """What ends fatally, or is a complaint at least."""
        self.rng.choice((
            lambda: self.add(program, self.rng.choice(READ_ONLY) + b":t"),
            lambda: self.add(program, b"-q", b"x", self.rng.choice(BAD_SPECS)),
            lambda: self.add(program, b"-s", b"-q", b"x", table),
            lambda: self.add(program, b"-Z", table),
            lambda: self.add(program, b"-q", b"x", b"-d", b"y", table),
            lambda: self.add(program, b"hash:nofile"),
            lambda: self.add(program, b"-d", b"x", b"hash:nofile"),
            lambda: self.add(program, b"-s", self.rng.choice((b"cidr:t", b"static:x", b"environ:x"))),
            lambda: self.add("postmap", b"-h", b"-q", b"x", table),
            lambda: self.add(program, b"-d", b"x", b"static:x"),
        ))()

    def alias_lines(self):
        lines = []
        if self.chance(0.04):
            lines.append(b"  orphan: x")
        for _ in range(self.rng.choice((0, 1, 3, 6))):
            name = self.rng.choice(ALIAS_ODD_NAMES if self.chance(0.1) else ALIAS_NAMES)
            self.used.append(name)
            colon = self.rng.choice((b":", b": ", b": ", b":\t", b" : ", b" :"))
            if self.chance(0.03):
                colon = b" "
            lines.append(name + colon + self.rng.choice(ALIAS_VALUES))
            lines += self.continuations(lambda: self.rng.choice((b"", b", ", b",")) +
                                        self.rng.choice(ALIAS_VALUES))
            if self.chance(0.12):
                lines.append(self.other_line())
        return lines

    def alias_key(self):
        is_used = self.used and self.chance(0.7)
        name = self.rng.choice(self.used if is_used else ALIAS_NAMES)
        return self.rng.choice((name, name, name.lower(), name.upper(), name + b" ", b"nobody"))

    def cidr(self):
        lines = []
        for _ in range(self.rng.choice((1, 3, 6, 12))):
            network = self.rng.choice(ODD_NETWORKS if self.chance(0.1) else NETWORKS)
            lines.append(self.conditional(lambda: network, lambda: self.separator() + self.value()))
            lines += self.continuations(self.value)
        self.write(b"t", self.layout(lines))
        for _ in range(self.rng.choice((2, 4, 6))):
            self.ask("postmap", [b"cidr:t"], lambda: self.rng.choice(ADDRESSES))

    def conditional(self, condition, rest):
        """A rule, or one of the lines around it: if, endif, a comment."""
        negation = self.rng.choice((b"!", b"! ", b"!!")) if self.chance(0.1) else b""
        if self.chance(0.12):
            return self.rng.choice((b"if ", b"IF ", b"if\t", b"if")) + negation + condition() + (
                b" text" if self.chance(0.05) else b"")
        if self.chance(0.12):
            return self.rng.choice((b"endif", b"ENDIF", b"endif ", b"endif text"))
        if self.chance(0.05):
            return self.other_line()
        if self.chance(0.04):
            return negation + condition()
        return negation + condition() + rest()

    def pattern(self, flags):
        text = self.rng.choice(ODD_PATTERNS if self.chance(0.03) else PATTERNS)
        mark = self.rng.choice((b"/", b"/", b"/", b"/", b"%", b"|", b","))
        end = b"" if self.chance(0.02) else mark
        return mark + text + end + self.rng.choice(flags if self.chance(0.15) else FLAGS)

    def patterns(self):
        kind, flags = self.rng.choice(((b"regexp", REGEXP_FLAGS), (b"pcre", PCRE_FLAGS)))
        lines = []
        for _ in range(self.rng.choice((1, 3, 6, 10))):
            if self.chance(0.03):
                lines.append(self.rng.choice((b"abc def", b"/", b"//", b"!", b"\"x\" y", b"foo")))
            lines.append(self.conditional(lambda: self.pattern(flags), lambda: self.separator() +
                                          self.rng.choice(RESULTS)))
            lines += self.continuations(self.value)
        self.write(b"t", self.layout(lines))
        for _ in range(self.rng.choice((2, 4, 6))):
            self.ask("postmap", [kind + b":t"], self.query_key)
        if self.chance(0.2):
            headers = [b"Subject: alice", b"To: user@example.com", b"\tBOB", b""]
            message = self.layout(headers + [self.key() for _ in range(4)])
            self.add("postmap", self.rng.choice((b"-h", b"-b", b"-hb", b"-hm", b"-bm", b"-m")),
                     b"-q", b"-", kind + b":t", stdin=message)

    def specs(self):
        for _ in range(self.rng.choice((3, 5))):
            is_bad = self.chance(RISK)
            spec = self.rng.choice(BAD_SPECS if is_bad else SPECS)
            tables = [spec] + ([self.rng.choice(SPECS)] if self.chance(0.15) else [])
            keys = (b"a", b"a", b"b", b"A", b"alice", b"bob", b"c", b"ab", b"192.0.2.1", b"::1",
                    b"x@y", b"TZ", b"LC_ALL", b"caf\xc3\xa9", b"CAF\xc3\x89", b"\xc3\x9f", b"a b",
                    b"\xe9")
            program = self.rng.choice(("postmap", "postmap", "postalias"))
            self.ask(program, tables, lambda: self.rng.choice(keys))
            if spec.startswith(b"inline:") and not is_bad and self.chance(0.3):
                self.add("postmap", b"-s", spec)

    def text_table(self):
        self.write(b"t", self.layout(self.table_lines()))
        for _ in range(self.rng.choice((2, 4))):
            self.ask("postmap", [b"texthash:t"], self.query_key)
        self.add("postmap", b"-s", b"texthash:t")

    def file_values(self):
        """-F: values are names of files."""
        for name in (b"one", b"two", b"empty"):
            self.write(name, {b"one": b"line 1\nline 2\n", b"two": b"tail", b"empty": b""}[name])
        names = (b"one", b"two", b"empty", b"one, two", b"two one,empty", b",one", b"./two",
                 b"nofile", b"one nofile")
        lines = [self.key() + self.separator() + self.rng.choice(names) for _ in range(self.rng.choice((1,
                                                                                                        3)))]
        self.write(b"t", self.layout(lines))
        kind = self.rng.choice((b"hash", b"btree", b"lmdb"))
        self.add("postmap", b"-F", kind + b":t")
        for _ in range(2):
            self.ask("postmap", [kind + b":t"], self.query_key, b"-F")
        self.ask("postmap", [b"texthash:t"], self.query_key, b"-F")
        self.add("postmap", b"-Fs", kind + b":t")
        self.add("postmap", b"-s", kind + b":t")
