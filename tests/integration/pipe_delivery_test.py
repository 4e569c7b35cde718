#!/usr/bin/env python3
"""pipe(8): what commands get, what their end means, what the log says, ours and the distribution's.

    tests/integration/pipe_delivery_test.py --bin build/dev/bin
"""
import sys

from mailbox_systems import Case, Systems, make_users
from namespace import run_inside

# What it was called with, by whom, where, and what it read; in a file of `box`.
SHOW = r"""#!/bin/sh
exec >> BOX/shown
for a in "$@"; do printf '[%s]' "$a"; done
echo; id; pwd; env | grep -v '^_=' | sort; ulimit -f; cat; echo "<end>"
"""
SCRIPTS = {
    "quiet": "exit 0", "says": "echo hello; echo '4.7.1 world' >&2", "killed": "kill -9 $$", "dies": "echo dying; kill -15 $$",
    "slow": "echo before; sleep 100", "hard": "echo 5.7.9 refused; exit 1", "code": "echo 4.1.2; exit 1",
    "soft": "echo '4.1.2 a soft  thing'; echo; echo second; exit 1", "fine": "echo '2.1.2 fine'; exit 67",
    "blank": "echo '  5.1.2 blanks'; exit 75", "much": "yes hello | head -c 20000; exit 70",
    "strange": r"printf 'a\tb\r\n\001c\200\n'; exit 70", "longcode": "echo '4.1234.1 what'; exit 70",
    "stuck": "echo '5.1.1text'; exit 70", "said": r"printf 'no newline'",
}
EXITS = [*range(64, 80), 1, 2, 126, 127, 255]
BODY = b"Subject: x\nReturn-Path: <old>\nX-Long: " + b"y" * 5000 + b"\n\nFrom here\n>From there\n.dot\n..\n From\n\nlast"


def services(directory):
    """The entries of master.cf, by name."""
    show = directory / "show"
    entries = {
        "macros": "user=ann argv=SHOW a$sender ${recipient} x${user}y ${extension} $mailbox $domain $nexthop ${size} "
                  "${original_recipient} ${queue_id} ${client_address} ${client_hostname} ${client_helo} ${client_port} "
                  "${client_protocol} ${sasl_method} ${sasl_username} ${sasl_sender} $(user) $$x {br ace $user} - $user-$domain",
        "flags": "flags=BDFORhqu.> user=ann argv=SHOW $sender $recipient $original_recipient $mailbox $user $domain $nexthop",
        "plain": "user=ann argv=SHOW $sender $recipient $original_recipient $mailbox $user $domain $nexthop",
        "quote": "flags=q user=ann:bob argv=SHOW $sender $recipient",
        "foldd": "flags=h user=ann argv=SHOW $recipient $mailbox $domain $nexthop $original_recipient",
        "foldl": "flags=u user=ann argv=SHOW $recipient $mailbox $user $extension $domain $original_recipient",
        "nonull": "flags=FRq user=ann null_sender= argv=SHOW -f $sender -- $recipient",
        "somenull": "flags=FRq user=ann null_sender={foo bar} argv=SHOW -f $sender -- $recipient",
        "unquoted": "flags=FR user=ann null_sender=<> argv=SHOW -f $sender -- $recipient",
        "null": "flags=FRq user=ann argv=SHOW -f $sender -- $recipient",
        "eol": r"flags=FRB.>DO user=ann eol=\r\n argv=SHOW",
        "octal": r"flags=F user=ann eol=\015\n\061\\x argv=SHOW",
        "size": "user=ann size=100 argv=SHOW", "dir": "user=ann directory=BOX argv=SHOW", "nodir": "user=ann directory=/nonexistent argv=SHOW",
        "nocmd": "user=ann argv=/nonexistent/x", "noexec": "user=ann argv=/etc/passwd", "badmacro": "user=ann argv=SHOW ${nosuch}",
        "conditional": "user=ann argv=SHOW ${user?x}", "unclosed": "user=ann argv=SHOW ${user", "chroot": "user=ann chroot=/nonexistent argv=SHOW",
        "root": "user=ann chroot=ROOT argv=/show", "loop": "flags=D user=ann argv=SHOW $recipient",
        "final": "flags=X user=ann argv=SHOW", "path": "user=ann argv=true", "two": "flags=O user=ann argv=SHOW $recipient",
    }
    for name, script in {**SCRIPTS, **{"exit%d" % status: "exit %d" % status for status in EXITS}}.items():
        path = directory / name
        path.write_text("#!/bin/sh\n%s\n" % script)
        path.chmod(0o755)
        entries[name] = "user=ann argv=%s arg" % path
    entries = {name: text.replace("SHOW", str(show)).replace("BOX", str(directory / "box")).replace("ROOT", str(directory / "root"))
               for name, text in entries.items()}
    return entries


def writable(box):
    box.chmod(0o777)


def cases(names):
    def case(name, service, users=("Bob",), message=BODY, sender="sender@example.net", options=()):
        return Case(name, service, [user if "@" in user else "%s@%s.test" % (user, service) for user in users], message, sender,
                    writable, options)
    found = [
        case("macros of two recipients", "macros", ("Bob+Ext", "carl")),
        case("the flags", "flags", ("Bob+eXt",), sender='"Sen der"@Example.net'),
        case("no flags", "plain", ('"a b+x"@plain.test', "Bob"), sender='"Sen der"@Example.net'),
        case("quoted arguments", "quote", ('"a b+x"@quote.test',), sender='"Sen der"@Example.net'),
        *(case("folded by " + name, name, ("Bob+eXt@%s.TEST" % name, '"A B"@%s.test' % name)) for name in ("foldd", "foldl")),
        *(case("the null sender: " + name, name, sender="") for name in ("nonull", "somenull", "unquoted", "null")),
        case("a message that was there", "loop", message=b"Subject: x\nDelivered-To: bOb@loop.test\n\nloop"),
        case("a folded header", "loop", message=b"Subject: x\nDelivered-To:\n bOb@loop.test\n\nloop"),
        case("a body that looks so", "loop", message=b"Subject: x\n\nDelivered-To: bob@loop.test\n"),
        case("two recipients and a header for one", "loop", ("a", "b")),
        case("two recipients and an original one", "two", ("a", "b")),
        case("the size is counted", "size", message=b"x" * 300),
        case("mail with ENVID", "macros", options=("-V", "envelope")),
    ]
    own = {each.service for each in found}
    return found + [case(name, name) for name in names if name not in own]


def inside(checks, bin_directory, directory):
    make_users(directory, directory / "home")
    show = directory / "show"
    show.write_text(SHOW.replace("BOX", str(directory / "box")))
    show.chmod(0o755)
    (directory / "root").mkdir()
    entries = services(directory)
    (directory / "transport").write_text("".join("%s.test %s:Next.Hop\n" % (name, name) for name in entries))
    main_cf = {"transport_maps": "texthash:%s/transport" % directory, "recipient_delimiter": "+", "slow_time_limit": "1s",
               "pipe_delivery_status_filter": r"pcre:{{/^2(.*) via quiet service/ 2$$1 by a service}, {/^5(.*) refused/ 4$$1 changed}}"}
    text = "".join("%s unix - n n - - pipe\n  %s\n" % item for item in entries.items())
    systems = Systems(bin_directory, directory, main_cf, text)
    with systems.stock:
        for case in cases(entries):
            systems.compare(checks, case, "pipe", "Next.Hop")


if __name__ == "__main__":
    sys.exit(run_inside("pipe", __file__, inside))
