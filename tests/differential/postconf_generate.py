"""Random configuration directories and postconf commands.

Everything here is a pure function of a random.Random instance, so that a
case can be made again from its seed and number alone.  A case is one main.cf,
one master.cf and a handful of commands.  Nothing here runs a program.

Well-formed cases never contain a reference cycle or a broken "$" expression:
the older release reports the first of those that it meets in hash order, so
that with more than one its output would not be reproducible, and it crashes
on a cycle that goes through an "-o" option in master.cf.  About one case in
twenty is damaged on purpose, in exactly one place.
"""

import re

# Parameters whose use brings a deprecation warning in newer releases, or
# whose name has changed.  They are left out: the warnings are known to differ.
DEPRECATED = re.compile(
    r"_use_tls$|_enforce_tls$|tls_per_site$|client_per_site$|dh1024_param_file$"
    r"|eecdh_grade$|^virtual_maps$|^fallback_relay$|authorized_verp_clients$"
    r"|^disable_dns_lookups$|blacklist|whitelist|per_record_deadline$"
    r"|enforce_peername$|cname_overrides_servername$|^postscreen_dnsbl_ttl$"
    r"|connection_limit_exceptions$|^tlsproxy_client_(level|policy|loglevel_parameter)$")

# Parameters that the tool itself evaluates when it starts (a random value is
# fatal or changes which directory is meant), or that depend on the process.
SPECIAL = {
    "compatibility_level", "config_directory", "inet_interfaces",
    "inet_protocols", "mynetworks", "mynetworks_style", "process_id",
    "proxy_interfaces", "mail_version", "mail_release_date",
    "smtpd_restriction_classes", "myhostname", "mydomain",
}

REFERENCE = re.compile(r"\$[({]?([A-Za-z0-9_]+)")


class Parameters:
    """The built-in parameters that both releases have with the same default."""

    def __init__(self, path):
        self.type = {}
        self.default = {}
        with open(path, encoding="utf-8") as table:
            header = table.readline().rstrip("\n").split("\t")
            column = {name: i for i, name in enumerate(header)}
            for line in table:
                row = line.rstrip("\n").split("\t")
                row += [""] * (len(header) - len(row))
                name = row[column["name"]]
                default = row[column["default_3_12"]]
                if default != row[column["default_debian_3_7"]] or DEPRECATED.search(name):
                    continue
                if "deprecated_since" in column and row[column["deprecated_since"]]:
                    continue
                if row[column["type"]] in ("removed", "legacy", "service"):
                    continue
                self.type[name] = row[column["type"]]
                self.default[name] = default
        self.names = sorted(self.type)
        # Constants: safe to refer to from anywhere, since they refer to
        # nothing.
        self.constants = [n for n in self.names
                          if "$" not in self.default[n] and n not in SPECIAL
                          and self.type[n] not in ("computed", "raw")]
        # Names whose fully expanded default is the same in both releases.
        self.expandable = [n for n in self.names
                           if n not in SPECIAL and self.closure(n) is not None]
        # Their values are for programs to expand later, and may hold text
        # that is no valid expression here.
        self.raw = [n for n in self.names if self.type[n] == "raw"]
        self.settable = [n for n in self.names if n not in SPECIAL]
        self.maps = [n for n in self.settable if n.endswith("_maps")]
        self.lists = [n for n in self.settable if n.endswith("_restrictions")]

    def closure(self, name, seen=None):
        """All names that the default of NAME depends on, NAME included, or
        None when one of them is not the same in both releases."""
        seen = set() if seen is None else seen
        if name in seen:
            return seen
        if (name not in self.type or self.type[name] == "raw"
                or name in ("mynetworks", "config_directory")):
            return None
        seen.add(name)
        for other in REFERENCE.findall(self.default[name]):
            if self.closure(other, seen) is None:
                return None
        return seen


# --------------------------------------------------------------- expressions

WORDS = ("alpha beta gamma example.com mail.example.org 192.0.2.25 10 3.6 yes no "
         "hash:/etc/postfix/table permit reject static:x a=b [relay.example]:587 "
         "user+ext /var/spool/x 100 007 -5 x,y a:b 50% \"quoted\" it's \\back").split()
OPERATORS = ["==", "!=", "<", "<=", ">", ">="]
LEVELS = ["0", "1", "2", "3", "3.6", "3.6.1", "3.10", "4.0"]


class Expressions:
    """Values with $name expressions, drawing names from REFS."""

    def __init__(self, rng, refs):
        self.rng = rng
        self.refs = refs

    def word(self):
        rng = self.rng
        if rng.random() < 0.02:
            return "caf\u00e9"
        return rng.choice(WORDS)

    def name(self):
        return self.rng.choice(self.refs) if self.refs else "mail_name"

    def operand(self, depth):
        rng = self.rng
        if rng.random() < 0.45:
            return rng.choice(["a", "b", "", "10", "9", "09", "2", "-1", "a b", "1x"])
        if depth > 0 and rng.random() < 0.3:
            return self.expression(depth - 1)
        return "$" + self.name()

    def comparison(self, depth):
        """${{a} op {b} ...}, in all its spellings."""
        rng = self.rng
        pad = rng.choice(["", " "])
        if rng.random() < 0.3:
            # Only compatibility levels are valid operands here; anything
            # else is an error, and errors have their own place below.
            op = rng.choice(OPERATORS) + "level"
            left, right = rng.choice(LEVELS), rng.choice(LEVELS)
            if rng.random() < 0.4:
                left = "$compatibility_level"
            pad = " "
        else:
            op = rng.choice(OPERATORS)
            left, right = self.operand(depth), self.operand(depth)
        text = "${{%s}%s%s%s{%s}" % (left, pad, op, pad, right)
        shape = rng.random()
        if shape < 0.6:
            text += "%s?%s{%s}%s:%s{%s}" % (pad, pad, self.text(depth), pad, pad,
                                            self.text(depth))
        elif shape < 0.75:
            text += "%s?%s{%s}" % (pad, pad, self.text(depth))
        elif shape < 0.85:
            text += "%s:%s{%s}" % (pad, pad, self.text(depth))
        return text + "}"

    def text(self, depth):
        """What may stand inside { }: words and, maybe, expressions."""
        rng = self.rng
        parts = []
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            if depth > 0 and rng.random() < 0.4:
                parts.append(self.expression(depth - 1))
            else:
                parts.append(self.word())
        return " ".join(parts)

    def expression(self, depth=2):
        rng = self.rng
        name = self.name()
        shape = rng.randrange(14)
        if shape < 4:
            return "$" + name
        if shape == 4:
            return "$(%s)" % name
        if shape == 5:
            return "${%s}" % name
        if shape == 6:
            return "${%s?%s}" % (name, self.text(depth))
        if shape == 7:
            return "${%s:%s}" % (name, self.text(depth))
        if shape == 8:
            return "${%s?{%s}:{%s}}" % (name, self.text(depth), self.text(depth))
        if shape == 9:
            return "${%s ? {%s} : {%s}}" % (name, self.text(depth), self.text(depth))
        if shape == 10:
            return "$(%s%s{%s})" % (name, rng.choice("?:"), self.word())
        if shape == 11:
            return rng.choice(["$$", "$$x", "$$$" + name, "${ %s }" % name])
        return self.comparison(depth)

    def value(self, most=6, density=0.4):
        """Several words, some of them expressions."""
        rng = self.rng
        parts = []
        for _ in range(rng.randint(0, most)):
            part = self.expression() if rng.random() < density else self.word()
            if rng.random() < 0.03:
                part = "{%s}" % self.word()
            if rng.random() < 0.15:
                part += rng.choice([",", ".x", "/y", ":z"])
            parts.append(part)
        return " ".join(parts)


# ------------------------------------------------------------------- layout

COMMENTS = ["# comment", "#", "#name = value", "  # indented comment", "\t#tab",
            "# $not_a_reference ${", "#  smtp unix - - - - - smtp"]


def filler(rng):
    """A line that is no content: a comment or a blank line."""
    if rng.random() < 0.5:
        return rng.choice(COMMENTS)
    return rng.choice(["", "", " ", "\t", "   "])


def fold(rng, text, chance):
    """Break TEXT at some of its blanks into continuation lines, and put
    comments and blank lines between some of those."""
    out = []
    for i, piece in enumerate(text.split(" ")):
        if i == 0:
            out.append(piece)
            continue
        # A continuation that begins with '#' would be a comment.
        if rng.random() < chance and not piece.startswith("#") and piece:
            if rng.random() < 0.1:
                out.append(rng.choice([" ", "\t", "  "]))
            out.append("\n")
            while rng.random() < 0.15:
                out.append(filler(rng) + "\n")
            out.append(rng.choice(["    ", " ", "\t", "  \t "]))
        else:
            out.append(rng.choice([" ", " ", " ", " ", "  ", "\t"]))
        out.append(piece)
    return "".join(out)


def finish(rng, lines, crlf):
    """Join logical lines, with fillers between, into the bytes of a file."""
    out = []
    for line in lines:
        while rng.random() < 0.12:
            out.append(filler(rng))
        out.append(line)
    text = "\n".join(out) + "\n"
    if rng.random() < 0.1:
        text += filler(rng) + "\n"
    if rng.random() < 0.12:
        text = text[:-1]
    if crlf:
        # Either all lines or only some of them.
        share = rng.choice([1.0, 1.0, 0.5])
        text = "".join(("\r\n" if c == "\n" and rng.random() < share else c) for c in text)
    return text.encode("utf-8")


# ---------------------------------------------------------------- master.cf

SERVICES = ("smtp relay lmtp submission foo bar foo-bar my_pipe dovecot filter local "
            "virtual 10025 127.0.0.1:10026 [::1]:2525 public/foo qmgr rewrite retry "
            "policy-spf scan.in error verylongservicename").split()
TYPES = ["unix"] * 6 + ["inet"] * 4 + ["fifo", "pass", "unix-dgram"]
AGENTS = ["smtp", "smtp", "lmtp", "local", "virtual", "error", "discard"]
DAEMONS = ["smtpd", "smtpd", "cleanup", "qmgr", "trivial-rewrite", "proxymap",
           "postscreen", "tlsproxy", "anvil", "pickup", "bounce", "postlogd"]
SERVICE_SUFFIXES = ["destination_concurrency_limit", "destination_recipient_limit",
                    "delivery_slot_cost", "time_limit", "transport_rate_delay",
                    "initial_destination_concurrency", "recipient_limit",
                    "destination_rate_delay", "minimum_delivery_slots"]
FIELDS = ["service", "type", "private", "unprivileged", "chroot", "wakeup",
          "process_limit", "command"]


class Service:
    """One master.cf entry: its seven leading fields, its command, and
    whether main.cf may have service-defined parameters for it."""

    def __init__(self, name, kind, fields, command, args):
        self.name = name
        self.kind = kind
        self.fields = fields
        self.command = command
        self.args = args

    @property
    def key(self):
        return "%s/%s" % (self.name, self.kind)


class MasterCf:
    def __init__(self, rng, case):
        self.rng = rng
        self.case = case

    def fields(self, kind):
        rng = self.rng
        return [rng.choice(["n", "-"]) if kind == "inet" else rng.choice("-yn-"),
                rng.choice("--yn"),
                rng.choice("--yn"),
                rng.choice(["-", "-", "-", "60", "1000?", "0", "?", "300?"]),
                rng.choice(["-", "-", "-", "0", "1", "20"])]

    def override(self):
        """One -o option in one of its spellings, as a list of tokens."""
        rng, case = self.rng, self.case
        name = case.override_name(rng)
        if name in case.constants:
            # Other values refer to this one.
            value = plain(rng, case.parameters, name)
        else:
            refs = case.constants + case.users
            if name != "my_local" and rng.random() < 0.3:
                refs = refs + ["my_local"]
                if name != "my_private":
                    refs = refs + ["my_private"]
            value = Expressions(rng, refs).value(most=3)
        if not value or re.search(r"[\s{}]", value):
            shape = rng.random()
            if shape < 0.75 or "{" in value:
                pad = rng.choice(["", " "])
                equals = rng.choice(["=", " = ", " =", "= "])
                tokens = ["-o", "{%s%s%s%s%s}" % (pad, name, equals, value, pad)]
            else:
                tokens = ["-o", "%s=%s" % (name, value.replace(" ", ","))]
        else:
            tokens = ["-o", "%s=%s" % (name, value)]
        # Option and argument in one word, when that is possible: the older
        # release takes each further letter 'o' in such a word for one more
        # option, whatever stands around it.
        if rng.random() < 0.3 and "o" not in tokens[1]:
            tokens = [rng.choice(["-o", "-o", "-vo"]) + tokens[1]]
        case.overrides.append(name)
        return tokens

    def arguments(self, command):
        rng = self.rng
        tokens = []
        if rng.random() < 0.15:
            tokens.append(rng.choice(["-v", "-vv", "-D"]))
        for _ in range(rng.choice([0, 0, 1, 1, 2, 3, 5])):
            tokens += self.override()
        if rng.random() < 0.1:
            tokens.append("-v")
        if command == "pipe" or (command == "spawn" and rng.random() < 0.8):
            if command == "pipe":
                tokens.append("flags=" + rng.choice(["DRhu", "R", "Fqhu", ""]))
            tokens.append("user=" + rng.choice(["vmail", "nobody:nogroup"]))
            if rng.random() < 0.3:
                tokens.append("{ null_sender = }")
            tokens.append("argv=/usr/bin/prog")
            for _ in range(rng.randint(0, 5)):
                tokens.append(rng.choice(["-d", "${recipient}", "$nexthop!rmail", "-f$sender",
                                          "{ two words }", "{x}", "-o", "a=b", "($recipient)"]))
        elif rng.random() < 0.08:
            tokens.append(rng.choice(["-t pass", "extra", "-n name", "-c"]))
        return tokens

    def services(self):
        rng = self.rng
        seen = set()
        out = []
        for _ in range(rng.choice([0, 1, 2, 3, 4, 6])):
            name, kind = rng.choice(SERVICES), rng.choice(TYPES)
            # Few duplicates: both copies are valid to show, but there is not
            # much to learn from them.
            if (name, kind) in seen and rng.random() < 0.8:
                continue
            seen.add((name, kind))
            command = rng.choice(rng.choice([AGENTS, DAEMONS, ["pipe"], ["spawn", "pipe"]]))
            out.append(Service(name, kind, self.fields(kind), command,
                               self.arguments(command)))
        return out

    def entry(self, service):
        """One service as a logical line, not yet folded."""
        return " ".join([service.name, service.kind] + service.fields
                        + [service.command] + service.args)

    def line(self, service):
        rng = self.rng
        head = [service.name, service.kind] + service.fields
        gap = rng.choice([" ", " ", "  ", "\t", "       "])
        chance = rng.choice([0.0, 0.1, 0.4, 0.8])
        text = gap.join(head) + gap + service.command
        if service.args:
            text += fold(rng, " " + " ".join(service.args), chance)
        if rng.random() < 0.05:
            text += rng.choice([" ", "\t"])
        return text

    def render(self, services):
        lines = [self.line(s) for s in services]
        if self.rng.random() < 0.5:
            lines.insert(0, "# service type private unpriv chroot wakeup maxproc command")
        return finish(self.rng, lines, self.rng.random() < 0.02)


# ------------------------------------------------------------------ main.cf

# Lookup tables whose settings may be given in main.cf as name_suffix, and
# some suffixes: valid ones and one that no table has.
TABLES = {
    "mysql": ["user", "password", "dbname", "hosts", "query", "result_format",
              "option_file", "nonsense"],
    "pgsql": ["user", "password", "dbname", "hosts", "query", "domain", "nonsense"],
    "ldap": ["server_host", "search_base", "query_filter", "bind", "bind_dn",
             "result_attribute", "nonsense"],
    "sqlite": ["dbpath", "query", "expansion_limit", "nonsense"],
    "memcache": ["memcache", "backup", "ttl", "nonsense"],
}


def plain(rng, parameters, name):
    """A constant value that suits the type of a built-in parameter."""
    kind = parameters.type.get(name, "str")
    if kind in ("bool", "nbool"):
        return rng.choice(["yes", "no"])
    if kind in ("int", "nint", "long"):
        return str(rng.choice([0, 1, 5, 50, 1000]))
    if kind == "time":
        return rng.choice(["5s", "10m", "1h", "3d", "100"])
    return " ".join(rng.choice(WORDS) for _ in range(rng.choice([0, 1, 1, 2, 4])))


class MainCf:
    def __init__(self, rng, case):
        self.rng = rng
        self.case = case

    def settings(self):
        """A list of (name, value) in no particular order."""
        rng, case = self.rng, self.case
        out = []

        # Constants that other values refer to.
        for name in case.constants:
            if rng.random() < 0.6:
                out.append((name, plain(rng, case.parameters, name)))

        # User-defined names: each refers only to those before it, so that
        # there is no cycle.
        earlier = list(case.constants)
        for name in case.users:
            out.append((name, Expressions(rng, earlier).value(most=rng.choice([1, 3, 6]))))
            earlier.append(name)

        # Built-in parameters that refer to the above.
        for name in case.builtins:
            most = rng.choice([3, 6, 6, 25])
            out.append((name, case.expressions(rng).value(most=most)))
        if rng.random() < 0.25:
            out.append(("myhostname", "mail.example.com"))
        if rng.random() < 0.3:
            out.append(("compatibility_level", rng.choice(LEVELS)))
        if rng.random() < 0.1:
            out.append(("inet_protocols", rng.choice(["ipv4", "all", "ipv4, ipv6"])))

        # Lookup tables with their settings in main.cf.
        for kind, name in case.tables:
            prefix = rng.choice(["", "", "proxy:"])
            out.append((rng.choice(case.parameters.maps),
                        rng.choice(["", "hash:/etc/x, "]) + prefix + kind + ":" + name))
            for suffix in rng.sample(TABLES[kind], rng.randint(1, 4)):
                out.append(("%s_%s" % (name, suffix), case.expressions(rng).value(most=2)))

        # Restriction classes.
        if case.classes:
            out.append(("smtpd_restriction_classes", rng.choice([" ", ", "]).join(
                case.classes + (["my_missing_class"] if rng.random() < 0.2 else []))))
            for name in case.classes:
                out.append((name, rng.choice(["reject_unauth_destination", "permit",
                                              "check_client_access $" + (case.users or ["mail_name"])[0],
                                              "reject_rbl_client zen.example, permit"])))
            out.append((rng.choice(case.parameters.lists), ", ".join(case.classes)))

        # Parameters named after services.
        for name in case.service_parameters:
            out.append((name, rng.choice(["5", "$default_destination_concurrency_limit",
                                          "${stress?{1}:{2}}", "1h"])))

        # Names that nothing uses.
        for name in case.unused:
            out.append((name, case.expressions(rng).value(most=2)))

        # A duplicate now and then, with the same or another value.
        for name, value in list(out):
            if name not in SPECIAL and rng.random() < 0.03:
                out.append((name, rng.choice([value, plain(rng, case.parameters, name)])))

        rng.shuffle(out)
        return out

    def line(self, name, value):
        rng = self.rng
        equals = rng.choice([" = ", " = ", " = ", "=", " =", "= ", "\t=\t", "   =  "])
        chance = rng.choice([0.0, 0.0, 0.2, 0.6, 1.0])
        text = fold(rng, value, chance)
        if value and rng.random() < 0.06:
            text = "\n" + rng.choice([" ", "\t", "    "]) + text   # value on the next line
            equals = equals.rstrip()
        if rng.random() < 0.05:
            tails = [" ", "\t"]
            # The older release refuses a malformed level at once, the newer one where it is used.
            if name not in ("compatibility_level", "inet_protocols"):
                tails += ["  # not a comment", " #x"]
            text += rng.choice(tails)
        return name + equals + text

    def render(self, settings):
        lines = [self.line(n, v) for n, v in settings]
        return finish(self.rng, lines, self.rng.random() < 0.04)


# -------------------------------------------------------------------- cases

class Case:
    """Everything about one case; see the attributes set in __init__."""

    def __init__(self, rng, parameters):
        self.parameters = parameters
        self.overrides = []
        self.users = ["my_" + n for n in rng.sample(
            "alpha beta gamma delta db host list net opt path".split(), rng.randint(1, 6))]
        self.undefined = ["my_nowhere", "no_such_parameter"]
        self.unused = rng.sample(["my_unused", "smtpd_banner_typo", "mydestinations",
                                  "foo_nonsense"], rng.choice([0, 0, 1, 2]))
        self.constants = rng.sample(parameters.constants, rng.randint(2, 6))
        pool = [n for n in parameters.settable if n not in self.constants]
        self.builtins = rng.sample(pool, rng.randint(1, 7))
        self.classes = (["my_class_" + c for c in "abc"[:rng.randint(1, 3)]]
                        if rng.random() < 0.25 else [])
        self.tables = ([(rng.choice(sorted(TABLES)), "tab%d" % i)
                        for i in range(rng.randint(1, 2))] if rng.random() < 0.25 else [])
        # Built-in names with a default that refers to others may be referred
        # to as well, unless one of those is set in this case: that could
        # close a cycle.
        taken = set(self.constants) | set(self.builtins)
        taken |= set(parameters.maps) | set(parameters.lists)
        quiet = rng.sample(parameters.expandable, 8)
        self.derived = [n for n in quiet if not (parameters.closure(n) & taken)]

        master = MasterCf(rng, self)
        self.services = master.services()
        self.service_parameters = []
        for service in self.services + [Service("ghost", "unix", [], "smtp", [])]:
            if rng.random() < 0.3:
                self.service_parameters.append(
                    "%s_%s" % (service.name, rng.choice(SERVICE_SUFFIXES)))
        self.service_parameters = [n for n in self.service_parameters if n not in taken
                                   and n not in parameters.type]

        main = MainCf(rng, self)
        self.settings = main.settings()
        self.main_cf = main.render(self.settings)
        self.master_cf = master.render(self.services)
        self.damage = None
        if rng.random() < 0.05:
            Damage(rng, self).apply()
        self.commands = Commands(rng, self).draw()

    def references(self, rng):
        """Names to which a value may refer without making a cycle."""
        refs = self.constants + self.users * 2 + self.derived
        if rng.random() < 0.15:
            refs = refs + self.undefined
        return refs

    def expressions(self, rng):
        return Expressions(rng, self.references(rng))

    def override_name(self, rng):
        """A name for -o: built-in, user-defined (here or in main.cf)."""
        shape = rng.random()
        if shape < 0.6:
            return rng.choice(self.parameters.settable)
        if shape < 0.8:
            return rng.choice(["my_local", "my_private", "smtpd_typo"])
        return rng.choice(self.constants)


# ------------------------------------------------------------------- damage

BROKEN_VALUES = ["${my_alpha", "$(my_alpha", "$(my_alpha}", "$", "$ x", "a$", "$-x", "${}",
                 "${my_alpha!y}", "${{a} == {b}", "${{a} ~ {b} ? {c}}", "${{a} = {b}}",
                 "${my_alpha?{x}", "${my_alpha?x", "${my_alpha?{x}:{y}", "${{a} == b}",
                 "${{x} <level {3.6} ? {1} : {2}}", "${{99999999999999999999} == {1}}",
                 "${{1} ==level {} ? {a}}", "$my_self_reference", "${x y}", "${my-alpha}"]
BROKEN_MAIN = ["missing_equals", "no equals here = x", "= value", "=", "  indented = first", "a b", "@%! = x",
               "quoted{name} = x", "name-with-dash = x"]
BROKEN_MASTER = [
    "foo unix - - - - smtp", "foo", "foo unix", "foo udp - - - - - smtp",
    "foo unix x - - - - smtp", "foo unix - yes - - - smtp", "foo unix - - q - - smtp",
    "foo unix - - - x - smtp", "foo unix - - - 5?? - smtp", "foo unix - - - -5 - smtp",
    "foo unix - - - - x smtp", "foo unix - - - - -1 smtp", "foo unix - - - 1.5 - smtp",
    "foo UNIX - - - - - smtp", "  foo unix - - - - - smtp",
    "foo unix - - - - - smtp -o", "foo unix - - - - - smtp -o a",
    "foo unix - - - - - smtp -o a = b", "foo unix - - - - - smtp -o { a = b c",
    "foo unix - - - - - smtp -o { a }", "foo unix - - - - - smtp -o { = b }",
    "foo unix - - - - - smtp -o =b", "foo unix - - - - - smtp -o a=b }",
    "foo unix - - - - - pipe argv=a { b c", "foo unix - - - - - smtp -o {a=b}c",
    "foo unix - - - - - smtp -o mydestination=${x",
    "foo unix - - - - - smtp -o mydestination=$",
    "foo unix - - - - - { smtp -v }", "foo unix - - - - - smtp # comment",
    "foo inet y - - - - smtpd",
]


class Damage:
    """Spoil one thing in a case."""

    def __init__(self, rng, case):
        self.rng = rng
        self.case = case

    def apply(self):
        rng, case = self.rng, self.case
        kind = rng.random()
        if kind < 0.4:
            case.damage = rng.choice(BROKEN_VALUES)
            name = rng.choice([rng.choice(case.users), rng.choice(case.builtins), "my_broken"])
            extra = "%s = %s\n" % (name, case.damage)
            if "self_reference" in case.damage:
                extra += "my_self_reference = ${my_other_half}\nmy_other_half = " \
                         "$my_self_reference\n"
            case.main_cf = self.insert(case.main_cf, extra)
        elif kind < 0.6:
            case.damage = rng.choice(BROKEN_MAIN)
            # Only the very first line can be one that must not be indented.
            if case.damage[0] == " ":
                case.main_cf = case.damage.encode() + b"\n" + case.main_cf
            else:
                case.main_cf = self.insert(case.main_cf, case.damage + "\n")
        elif kind < 0.95:
            case.damage = rng.choice(BROKEN_MASTER)
            if case.damage[0] == " ":
                case.master_cf = case.damage.encode() + b"\n" + case.master_cf
            else:
                case.master_cf = self.insert(case.master_cf, case.damage + "\n")
        elif kind < 0.97:
            case.damage, case.main_cf = "no main.cf", None
        else:
            case.damage, case.master_cf = "no master.cf", None

    def insert(self, content, extra):
        """Put EXTRA between two logical lines, at the start or at the end."""
        lines = content.split(b"\n")
        places = [i for i, line in enumerate(lines[:-1])
                  if line and line[:1] not in b" \t\r#"]
        where = self.rng.choice(places + [len(lines) - 1])
        if where == len(lines) - 1 and lines[-1]:
            lines.append(b"")
            where += 1
        lines[where] = extra.encode() + lines[where]
        return b"\n".join(lines)


# ----------------------------------------------------------------- commands

class Command:
    """Arguments for one run, and whether it may change a file."""

    def __init__(self, arguments, edits=False):
        self.arguments = arguments
        self.edits = edits


def complete(content):
    """Whether new entries can be added to a file: when it does not end with
    a newline, the older release glues the first one to the last line."""
    return content is None or not content or content.endswith(b"\n")


class Commands:
    def __init__(self, rng, case):
        self.rng = rng
        self.case = case

    # Names and patterns to ask for.

    def known_name(self):
        rng, case = self.rng, self.case
        shape = rng.random()
        if shape < 0.55 and case.settings:
            return rng.choice(case.settings)[0]
        if shape < 0.85:
            return rng.choice(case.parameters.expandable)
        if shape < 0.91:
            return rng.choice(case.users)
        if shape < 0.94:
            return rng.choice(case.parameters.raw)
        return rng.choice(["no_such_parameter", "my_unset", "ghost_time_limit", "foo_recipient_limit"])

    def names(self, most=3):
        return [self.known_name() for _ in range(self.rng.randint(1, most))]

    def safe_names(self):
        """For output that depends on defaults alone."""
        rng = self.rng
        return [rng.choice(self.case.parameters.expandable) for _ in range(rng.randint(1, 4))]

    def service_key(self, wildcard=True):
        rng, case = self.rng, self.case
        shape = rng.random()
        if case.services and shape < 0.75:
            return rng.choice(case.services).key
        if wildcard and shape < 0.85:
            return rng.choice(["*/unix", "*/inet", "smtp/*", "*/*", "foo/*"])
        return rng.choice(["foo/unix", "nowhere/unix", "smtp/inet", "relay/unix", "10025/inet"])

    def service_pattern(self):
        rng = self.rng
        shape = rng.random()
        key = self.service_key()
        if shape < 0.3:
            return key.split("/")[0]
        return key

    def override(self):
        rng, case = self.rng, self.case
        if case.overrides and rng.random() < 0.6:
            return rng.choice(case.overrides)
        return rng.choice(["my_local", "smtpd_tls_loglevel", "mynetworks", "no_such_parameter"])

    def assignment(self):
        rng, case = self.rng, self.case
        name = rng.choice([self.known_name(), self.known_name(), rng.choice(case.users),
                           "my_new", "aaa_new", "zzz_new", "relayhost", "mydestination"])
        if not complete(case.main_cf):
            name = rng.choice(case.settings)[0] if case.settings else "my_new"
        value = case.expressions(rng).value(most=rng.choice([1, 2, 4, 20]))
        return name + rng.choice(["=", "=", "=", " = ", "= ", " ="]) + value

    # Each of these returns one command.

    def read_main(self):
        rng = self.rng
        shape = rng.randrange(20)
        if shape < 3:
            return ["-n"]
        if shape < 6:
            return ["-nx"]
        if shape < 8:
            return [rng.choice(["-nf", "-nfx"])]
        if shape == 8:
            return [rng.choice(["-nh", "-nH", "-nhx"])]
        if shape < 11:
            return ["-x"] + self.names()
        if shape < 13:
            return rng.choice([[], ["-h"], ["-H"], ["-f"], ["-hx"]]) + self.names()
        if shape < 15:
            return ["-C", rng.choice(["user", "service", "builtin", "user,service", "all"]),
                    rng.choice(["-n", "-n", "-nx"])]
        if shape == 15:
            return ["-C", rng.choice(["user", "service"])]
        if shape < 18:
            return [rng.choice(["-d", "-d", "-dh", "-dx", "-df"])] + self.safe_names()
        options = []
        for _ in range(rng.choice([1, 1, 2])):
            # A name to which others refer gets a value that refers to
            # nothing, since a cycle is fatal.
            name = self.known_name()
            if name in self.case.users + self.case.constants:
                value = plain(rng, self.case.parameters, name)
            else:
                value = Expressions(rng, self.case.users + self.case.constants).value(most=3)
            if name not in SPECIAL:
                options += ["-o", name + rng.choice(["=", " = "]) + value]
        return options + rng.choice([["-n"], ["-nx"], ["-x"] + self.names()])

    def read_master(self):
        rng = self.rng
        shape = rng.randrange(14)
        if shape < 4:
            return [rng.choice(["-M", "-Mf", "-Mx", "-Mfx"])]
        if shape < 6:
            return [rng.choice(["-M", "-Mf"])] + [self.service_pattern()
                                                  for _ in range(rng.randint(1, 2))]
        if shape == 6:
            return [rng.choice(["-F", "-Ff", "-Fh", "-FH", "-Fx"])]
        if shape < 9:
            pattern = self.service_pattern()
            if "/" in pattern and rng.random() < 0.6:
                pattern += "/" + rng.choice(FIELDS + ["*"])
            return [rng.choice(["-F", "-F", "-Fh", "-Fx"]), pattern]
        if shape < 12:
            return [rng.choice(["-P", "-P", "-Px", "-Px", "-Pf", "-Ph", "-PH"])]
        pattern = self.service_pattern()
        if "/" in pattern and rng.random() < 0.6:
            pattern += "/" + rng.choice([self.override(), "*"])
        return [rng.choice(["-P", "-P", "-Px", "-Ph"]), pattern]

    def edit_main(self):
        rng, case = self.rng, self.case
        shape = rng.randrange(10)
        count = rng.choice([1, 1, 1, 2, 3])
        if shape < 6:
            words = [self.assignment() for _ in range(count)]
            if not complete(case.main_cf) and not case.settings:
                return ["-X", "my_new"]
            return (["-e"] if shape < 3 else []) + words
        if shape < 8:
            return ["-X"] + self.names(count)
        return ["-#"] + self.names(count)

    def new_entry(self, key):
        """An entry for -M key=entry; usually for that same key."""
        rng = self.rng
        name, _, kind = key.rpartition("/")
        if rng.random() < 0.1 and complete(self.case.master_cf):
            name = "renamed"
        if "*" in (name, kind):
            name, kind = "foo", "unix"
        master = MasterCf(rng, self.case)
        command = rng.choice(["smtp", "smtpd", "pipe"])
        service = Service(name, kind, master.fields(kind), command, master.arguments(command))
        return master.entry(service)

    def edit_master(self):
        rng, case = self.rng, self.case
        shape = rng.randrange(13)
        if shape < 3:
            words = []
            for _ in range(rng.choice([1, 1, 2])):
                key = self.service_key(wildcard=False)
                if not complete(case.master_cf):
                    if not case.services:
                        return ["-MX", key]
                    key = rng.choice(case.services).key
                words.append("%s%s%s" % (key, rng.choice(["=", "=", " = "]), self.new_entry(key)))
            return [rng.choice(["-M", "-Me"])] + words
        if shape == 3:
            return ["-MX"] + [self.service_key() for _ in range(rng.choice([1, 1, 2]))]
        if shape == 4:
            return ["-M#"] + [self.service_key() for _ in range(rng.choice([1, 1, 2]))]
        if shape < 8:
            words = []
            for _ in range(rng.choice([1, 1, 2])):
                # An empty chroot or command is left out: the older tool
                # crashes on one and writes an unreadable file for the other.
                field = rng.choice(["private=y", "private=n", "unprivileged=-", "chroot=n",
                                    "chroot=y", "wakeup=60?", "wakeup=-", "process_limit=5",
                                    "process_limit=-", "command=smtp -v", "service=other",
                                    "command=pipe flags=R argv=/bin/x { a b } $user",
                                    "command=smtpd -o { a = b c } -v -oc=d",
                                    "type=pass", "process_limit = 7"])
                if rng.random() < 0.06:
                    field = rng.choice(["private=x", "wakeup=abc", "process_limit=-3",
                                        "nosuchfield=1", "type=udp", "*=1"])
                words.append("%s/%s" % (self.service_key(), field))
            return [rng.choice(["-F", "-Fe"])] + words
        if shape < 11:
            words = []
            for _ in range(rng.choice([1, 1, 2])):
                value = rng.choice(["yes", "5", "a,b", "$my_alpha", "${my_alpha?x}", "", "a=b",
                                    "{x}", "hash:/etc/x"])
                if rng.random() < 0.05:
                    value = "two words"
                words.append("%s/%s=%s" % (self.service_key(), self.override(), value))
            return [rng.choice(["-P", "-Pe"])] + words
        return ["-PX"] + ["%s/%s" % (self.service_key(), self.override())
                          for _ in range(rng.choice([1, 1, 2]))]

    def draw(self):
        """Two or three reads and one or two edits."""
        rng = self.rng
        out = []
        for _ in range(rng.choice([2, 2, 3])):
            maker = self.read_main if rng.random() < 0.6 else self.read_master
            out.append(Command(maker()))
        for _ in range(rng.choice([1, 2])):
            maker = self.edit_main if rng.random() < 0.5 else self.edit_master
            out.append(Command(maker(), edits=True))
        return out
