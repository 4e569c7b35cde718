#!/usr/bin/env python3
"""Mail that the system passes on itself: what an alias of local(8) makes of a message in the distribution's Postfix, and what we
make of the same message, record by record."""
import re
import shutil
import sys

from checks import environment, run
from delivering_postfix import DeliveringPostfix
from queue_records import normal_records
from server import NoServer, run_server_test
from two_systems import compare_lists

KEEP = "keep@stay.test|NOTIFY=NEVER"  # So that the message stays, and can be looked at.
PLAIN = b"Subject: x\nFrom: ann@example.org\nTo: fwd@local.test\n\nbody\n"
EVERYTHING = {
    "canonical_maps": "inline:{ann@example.org=can@example.org, other@example.org=canother@example.org}",
    "virtual_alias_maps": "inline:{canother@example.org=vother@example.org}",
    "always_bcc": "always@example.org", "sender_bcc_maps": "static:sender@example.org",
    "recipient_bcc_maps": "inline:{canother@example.org=copy@example.org}",
    "header_checks": "regexp:{{/^Delivered-To/ WARN seen}}", "body_checks": "regexp:{{/^unwanted/ REJECT}}",
    "internal_mail_filter_classes": "bounce, notify", "delay_warning_time": "4h", "smtputf8_enable": "no",
}
SITES = [
    ("plain", {}, [
        ("a message", "ann@example.org", "fwd@local.test", PLAIN),
        ("the null sender", "", "fwd@local.test", PLAIN),
        ("an envelope ID, and headers only", "ann@example.org|ENVID=abc RET=HDRS", "fwd@local.test", PLAIN),
        ("success is wanted", "ann@example.org", "fwd@local.test|NOTIFY=SUCCESS", PLAIN),
        ("success and delay are wanted", "ann@example.org", "fwd@local.test|NOTIFY=SUCCESS,DELAY", PLAIN),
        ("failure is wanted", "ann@example.org", "fwd@local.test|NOTIFY=FAILURE ORCPT=rfc822;x@y.test", PLAIN),
        ("SMTPUTF8", "ann@example.org|SMTPUTF8 BODY=8BITMIME", "fwd@local.test", "Subject: \u00fc\n\n\u00fc\n".encode()),
        ("8-bit text", "ann@example.org|BODY=8BITMIME", "fwd@local.test",
         "Content-Transfer-Encoding: 8bit\n\n\u00fc\n".encode()),
        ("long lines", "ann@example.org", "fwd@local.test", b"Subject: " + b"x " * 3000 + b"\n\n" + b"y" * 7000 + b"\n\n\n"),
        ("no headers", "ann@example.org", "fwd@local.test", b"\nbody\n"),
    ]),
    ("mapped, checked and copied", EVERYTHING, [
        ("a message", "ann@example.org", "fwd@local.test", PLAIN),
        ("8-bit headers", "ann@example.org", "fwd@local.test", "Subject: \u00fc\n\n\u00fc\n".encode()),
    ]),
]


def settled(records):
    return [(kind, "TIME" if kind == "W" else text) for kind, text in records]


def compare_site(checks, program, directory, name, main_cf, cases):
    files = directory / re.sub(r"\W", "-", name)
    for queue in ("incoming", "deferred"):
        (files / queue).mkdir(parents=True)
    with DeliveringPostfix(main_cf, {"fwd": "other@example.org"}) as stock:
        ours = {"config_directory": stock.config, "queue_directory": files, "maillog_file": files / "mail.log", "maillog_file_prefixes": files}
        (files / "main.cf").write_text((stock.config / "main.cf").read_text() + "".join("%s = %s\n" % item for item in ours.items()))
        for title, sender, recipient, content in cases:
            queue_id = stock.send(sender, [recipient, KEEP], content)
            forward, = stock.wait_for(r"local\[\d+\]: %s: .*\(forwarded as (\w+)\)" % queue_id)
            wanted = settled(normal_records(stock.file_of(forward)))
            copy = files / "deferred" / queue_id
            shutil.copyfile(stock.file_of(queue_id), copy)
            done = run([program, files / "main.cf", copy, "forward", "other@example.org", "fwd@local.test",
                        "Delivered-To: fwd@local.test"], env=environment())
            checks.equal("%s: %s: is forwarded" % (name, title), (done.status, done.err), (0, ""))
            compare_lists(checks, "%s: %s" % (name, title), settled(normal_records(files / "incoming" / done.out.strip())), wanted)
        lines = [re.sub(r".*(postfix/cleanup)\[\d+\]: \w+:", r"\1:", line) for line in (files / "mail.log").read_text().splitlines()]
        checks.check("%s: nobody looks at it" % name, all(line.startswith("postfix/cleanup: message-id=") for line in lines),
                     "\n".join(lines))


def main(checks, bin_directory, directory):
    if not (bin_directory / "notice_program").exists():
        raise NoServer("no notice_program")
    for site in SITES:
        compare_site(checks, bin_directory / "notice_program", directory, *site)


if __name__ == "__main__":
    sys.exit(run_server_test("internal mail", main))
