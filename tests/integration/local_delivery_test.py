#!/usr/bin/env python3
"""local(8): aliases, .forward files, mailboxes, commands, files, what is forwarded and what the log says, ours and the
distribution's.

    tests/integration/local_delivery_test.py --bin build/dev/bin
"""
import os
import re
import shutil
import sys

from checks import run
from mailbox_systems import USERS, Case, Systems, make_users
from namespace import run_inside

SHOW = r"""#!/bin/sh
exec >> BOX/out/shown.$(id -u)
for a in "$@"; do printf '[%s]' "$a"; done
echo; id; pwd; env | grep -v '^_=' | sort; cat; echo "<end>"
"""
ALIASES = r"""
one: bob
self: self
ali: ann, bob, ann
rem: bob@remote.test, "quoted local"@remote.test
loop1: loop2
loop2: loop1
three1: three2
three2: three3
three3: three1
cmd: "|SHOW arg 'a b' $USER"
cmdplain: |SHOW
cmdspace: "| SHOW x"
file: BOX/out/file
filedir: BOX/out/md/
devnull: /dev/null
list: bob@remote.test, carl@remote.test
owner-list: carl, dora
mixedlist: ann, bob@remote.test, "|SHOW list", nested
owner-mixedlist: carl
nested: bob, x@remote.test
inc: :include:FILES/inc
incann: :include:FILES/incann
incworld: :include:FILES/incworld
incempty: :include:FILES/incempty
incnone: :include:FILES/nonesuch
increl: :include:relative/path
incquoted: ":include:FILES/with blank"
unk: nonesuch, bob
fail: "|exit 67"
tfail: "|exit 75", bob
carl: \carl, bob@remote.test
bobx: bob+more
mix: ann, "|SHOW mixed", nonesuch
route: @a.test:bob@remote.test
group: list:ann,bob;
comment: ann (the first), bob
named: Ann Lee <ann@example.org>, <bob>
fileq: "BOX/out/file with blank"
ext+foo: ann
toext: dora
homeonly: ~ann
homefile: ~/file
spaces: ann bob
MixedCase: bob
noexist: "|/nonexistent/cmd"
shell: "|cat > /dev/null; echo hi; exit 69"
quotes: "|SHOW \"a b\" 'c'"
nofile: /nonexistent/dir/file
isdir: BOX/out
dup: ann, ann, one, "|SHOW d", "|SHOW d", BOX/out/f, BOX/out/f
says: "|echo hello"
killed: "|kill -9 $$"
percent: bob%remote.test
bang: remote.test!bob
closed: BOX/out/closed
thawed: bob@frozen.test
thawedmore: rem@frozen.test, y@remote.test
held: BOX/out/held
"""
USER_ALIASES = 'usercmd: "|SHOW u"\nuserfile: BOX/out/userfile\nuserann: ann\nuserinc: :include:FILES/inc2\n'
PATTERNS = r"""/^whole$/ bob@remote.test
/^(.*)-part$/ $1@remote.test
if /^(n)/
/^(name)d$/ "|SHOW ${1}"
endif
!/^(ann|.*-part|n.*|dollar)$/ other@remote.test
/^dollar$/ $$1@remote.test
/^ann-part$/ carl@remote.test
"""
# .forward files: text and mode.
FORWARDS = {
    "f_group": ("x@remote.test\n", 0o664), "f_world": ("x@remote.test\n", 0o666), "f_empty": ("", 0o644), "f_comment": ("# x\n\n", 0o644),
    "f_secret": ("x@remote.test\n", 0o000), "f_root": ("x@remote.test\n", 0o644), "f_other": ("x@remote.test\n", 0o644),
    "f_self": ("f_self, x@remote.test\n", 0o644), "f_slash": ("\\f_slash\n", 0o644), "f_multi": ("a@remote.test\n# no\nb@remote.test\n"
                                                                                                "\"|SHOW fwd $HOME\"\n", 0o644),
    "f_inc": (":include:FILES/inc2\n", 0o644), "f_tilde": ("~/Mail\n~bob/x\n", 0o644), "f_bad": ("<ann@\n", 0o644),
    "f_exit": ("\"|exit 75\"\n", 0o644), "f_part": ("x@remote.test, \"|exit 75\"\n", 0o644), "f_null": ("/dev/null\n", 0o644),
    "f_open": ("x@remote.test", 0o644), "f_parens": ("bob@remote.test (x), <ann@remote.test>\n", 0o644), "f_dir": (None, 0),
    "f_link": ("x@remote.test\n", 0o644), "f_local": ("bob\n", 0o644), "f_maildir": ("~/Maildir/\n", 0o644),
    "f_alias": ("one\n", 0o644), "f_ext": ("f_ext+keep, x@remote.test\n", 0o644), "f_many": ("f_many, f_many, x@remote.test, x@remote.test\n", 0o644),
}
OWNERS = {"f_root": 0, "f_other": 2001}
OPTIONS = {
    "command": "mailbox_command=SHOW $USER \"$EXTENSION\" x", "commandmap": "mailbox_command_maps=inline:{ann=SHOW}",
    "luser": "luser_relay=x-$user-$extension-$domain@remote.test", "luserlocal": "luser_relay=x+$local@remote.test",
    "home": "home_mailbox=mail", "homedir": "home_mailbox=Maildir/", "homenone": "home_mailbox=no/such/mbox", "spooldirs": "mail_spool_directory=BOX/dirs/",
    "sticky": "mail_spool_directory=BOX/sticky", "directory": "command_execution_directory=$home", "header": "prepend_delivered_header=forward",
    "noheader": "prepend_delivered_header=command", "frozen": "frozen_delivered_to=no", "shelled": "local_command_shell=/bin/sh -c",
    "nocommand": "allow_mail_to_commands=forward", "nofiles": "allow_mail_to_files=", "includes": "allow_mail_to_commands=alias,forward,include",
    "expanded": "expand_owner_alias=yes", "noowner": "owner_request_special=no", "noext": "propagate_unmatched_extensions=canonical",
    "nooriginal": "enable_original_recipient=no", "paths": "forward_path=BOX/forward/$user/.forward$recipient_delimiter$extension, BOX/forward/$user/.forward",
    "limit": "mailbox_size_limit=60000", "passed": "mailbox_transport=discard:", "passedmap": "mailbox_transport_maps=inline:{ann=discard:next}",
    "fallback": "fallback_transport=discard:next", "privs": "default_privs=ann",
    "patterns": "alias_maps=regexp:FILES/patterns", "pcrepatterns": "alias_maps=pcre:FILES/patterns",
    "proxypatterns": "alias_maps=proxy:regexp:FILES/patterns", "unionpatterns": "alias_maps=unionmap:{regexp:FILES/patterns}",
}


def users():
    return USERS + (("full", 2900, 2900),) + tuple((name, 3000 + number, 3000 + number) for number, name in enumerate(FORWARDS))


class Site:
    """The files of the test, and what is prepared for each case."""

    def __init__(self, directory):
        self.directory, self.box, self.files = directory, directory / "box", directory / "files"
        self.files.mkdir()
        self.show = directory / "show"
        self.show.write_text(self.fill(SHOW))
        self.show.chmod(0o755)
        for name, text, mode, owner in (("inc", "ann@remote.test, bob@remote.test\n# comment\n  \ncarl@remote.test (x), \"|SHOW inc\"\n", 0o644, 0),
                                        ("inc2", "x@remote.test, y@remote.test\n", 0o644, 0), ("with blank", "x@remote.test\n", 0o644, 0),
                                        ("incann", "x@remote.test, BOX/out/incann\n", 0o644, 2001), ("incworld", "x@remote.test\n", 0o666, 0),
                                        ("incempty", "", 0o644, 0), ("patterns", PATTERNS, 0o644, 0)):
            (self.files / name).write_text(self.fill(text))
            (self.files / name).chmod(mode)
            os.chown(self.files / name, owner, owner)
        (directory / "aliases").write_text(self.fill(ALIASES))
        (directory / "useraliases").write_text(self.fill(USER_ALIASES))

    def fill(self, text):
        for name, path in (("SHOW", self.directory / "show"), ("BOX", self.directory / "box"), ("FILES", self.directory / "files")):
            text = text.replace(name, str(path))
        return text

    def prepare(self, box):
        for name, mode in (("spool", 0o2775), ("out", 0o777), ("sticky", 0o1777), ("dirs", 0o755), ("forward", 0o755)):
            (box / name).mkdir()
            os.chown(box / name, 0, 8 if name == "spool" else 0)
            (box / name).chmod(mode)
        (box / "home").mkdir()
        (box / "out/closed").write_text("x")
        (box / "out/closed").chmod(0o644)
        (box / "out/held.lock").write_text("x")
        for name, user, group in users():
            home = box / "home" / name
            home.mkdir()
            os.chown(home, user, group)
            (box / "dirs" / name).mkdir()
            os.chown(box / "dirs" / name, user, group)
            if name not in FORWARDS:
                continue
            text, mode = FORWARDS[name]
            file = home / ".forward"
            if text is None:
                file.mkdir()
                continue
            real = home / "elsewhere" if name == "f_link" else file
            real.write_text(self.fill(text))
            real.chmod(mode)
            os.chown(real, OWNERS.get(name, user), group)
            if name == "f_link":
                os.symlink(real, file)
        for path, text, user in (("home/ann/.forward+ext", "bob@remote.test\n", 2001), ("home/dora/.forward", "\\dora, \"|SHOW forwarded\", BOX/out/dora, x@remote.test\n", 2004)):
            (box / path).write_text(self.fill(text))
            os.chown(box / path, user, user)
        (box / "forward/ann").mkdir()
        (box / "forward/ann/.forward").write_text("via@remote.test\n")
        (box / "spool/full").write_text("x" * 59900)
        os.chown(box / "spool/full", 2900, 8)
        (box / "spool/bob").write_text("before\n")
        os.chown(box / "spool/bob", 2002, 8)
        (box / "spool/bob").chmod(0o660)


BODY = b"Subject: x\n\nFrom here\n.dot\nlast"
NAMES = [name for name in re.findall(r"^([\w+]+):", ALIASES, re.M) if not name.startswith("thawed")]


def cases(site):
    def case(name, user, service="local", message=BODY, sender="sender@example.net", options=()):
        return Case(name, service, ["%s@%s" % (user, "example.org" if service == "local" else "%s.test" % service)], message, sender,
                    site.prepare, options)
    found = [case("alias " + name, name) for name in NAMES]
    found += [case("alias of a user " + name, name) for name in ("usercmd", "userfile", "userann", "userinc")]
    found += [case("user " + name, name) for name in FORWARDS]
    found += [case("user " + name, name) for name in ("bob", "BOB+Ext", "one+ext", "cmd+ext", "list+ext", "dora+y", "dora", "ann+ext",
                                                       "ann+other", "nonesuch", "nonesuch+x", "postfix", "inc+ext", "f_local+z", "f_self+z", "f_ext+q")]
    found += [case("null sender: " + name, name, sender="") for name in ("one", "cmd", "list", "bob", "mixedlist")]
    found += [
        case("a message that was there", "bob", message=b"Delivered-To: BOB@example.org\n\nx\n"),
        case("a message that was there as its alias", "one", message=b"Delivered-To: one@example.org\n\nx\n"),
        case("a message that was at the user of an alias", "one", message=b"Delivered-To: bob@example.org\n\nx\n"),
        case("a quoted sender", "cmd", sender='"sen der;"@example.net'),
        case("no header", "ann", message=b"From me\nSubject: x\n\nbody"),
    ]
    plain = ("ann", "ann+ee", "nonesuch+e")
    for name in ("command", "commandmap", "home", "homedir", "homenone", "spooldirs", "sticky", "noheader", "nooriginal"):
        found += [case("%s: %s" % (name, user), user, name) for user in plain]
    for name in ("luser", "luserlocal"):
        found += [case("%s: %s" % (name, user), user, name) for user in ("ann", "nonesuch", "nonesuch+e")]
    for name, names in (("directory", ("f_multi", "cmd")), ("header", ("rem", "cmd", "file", "ann")), ("frozen", ("thawed", "rem", "thawedmore")),
                        ("shelled", ("cmdplain", "noexist")), ("nocommand", ("cmd", "f_multi")), ("nofiles", ("file", "f_null")), ("includes", ("inc",)),
                        ("expanded", ("list", "named")), ("noowner", ("list",)), ("noext", ("rem+x", "f_parens+x")), ("paths", ("ann", "ann+q", "bob")),
                        ("privs", ("cmd", "file"))):
        found += [case("%s: %s" % (name, user), user, name) for user in names]
    for name in ("patterns", "pcrepatterns", "proxypatterns", "unionpatterns"):
        found += [case("%s: %s" % (name, user), user, name) for user in ("whole", "ann-part", "ann", "named", "bob", "dollar")]
    for name in ("passed", "passedmap", "fallback"):
        found += [case("%s: %s" % (name, user), user, name) for user in ("ann", "nonesuch+e", "f_self", "one")]
    found.append(case("a mailbox becomes too big", "full", "limit", b"Subject: x\n\n" + b"line of some text\n" * 500))
    return found


def inside(checks, bin_directory, directory):
    make_users(directory, directory / "box/home", users())
    site = Site(directory)
    (directory / "transport").write_text("".join("%s.test %s:\n" % (name, name) for name in OPTIONS) + "remote.test keep:\n")
    # There is no proxymap service: whose rights are used is not asked of one.
    main_cf = {"alias_maps": "proxy:hash:%s/aliases, hash:%s/useraliases" % (directory, directory), "recipient_delimiter": "+",
               "myorigin": "example.org", "mail_spool_directory": directory / "box/spool", "transport_maps": "texthash:%s/transport" % directory,
               "mydestination": "example.org " + " ".join("%s.test" % name for name in OPTIONS), "message_size_limit": "60000",
               "propagate_unmatched_extensions": "canonical, virtual, alias, forward, include",
               "local_delivery_status_filter": r"pcre:{{/^(2\S+ delivered to file): .*out.file$$/ $$1}, {/^5(\S+ unknown user: .nonesuch)/ 4$$1}}"}
    services = "local unix - n n - - local\n"
    services += "".join("%s unix - n n - - local\n  -o {%s}\n" % (name, site.fill(option)) for name, option in OPTIONS.items())
    systems = Systems(bin_directory, directory, main_cf, services)
    for name in ("aliases", "useraliases"):
        done = run(["/usr/sbin/postalias", "-c", systems.stock.config, "hash:%s/%s" % (directory, name)])
        assert done.status == 0, done
    for name in ("useraliases", "useraliases.db"):
        os.chown(directory / name, 2002, 2002)
    with systems.stock:
        for case in cases(site):
            systems.compare(checks, case, "local")
            shutil.rmtree(systems.stock.queue / "deferred", ignore_errors=True)
            (systems.stock.queue / "deferred").mkdir(mode=0o700)
            shutil.chown(systems.stock.queue / "deferred", "postfix")
        checks.equal("what is said of patterns", *map(sorted, systems.warned))
        checks.check("their $number is refused", any("substitution is not allowed" in line for line in systems.warned[0]), systems.warned)


if __name__ == "__main__":
    sys.exit(run_inside("local", __file__, inside))
