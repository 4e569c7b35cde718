"""The distribution's Postfix with its queue manager and delivery agents, in a private directory, on loopback. What it does
not deliver stays in the queue, where a test looks at it.

    with DeliveringPostfix({"notify_classes": "bounce"}) as postfix:
        queue_id = postfix.send("ann@example.org", ["bob@bad.test"], b"Subject: x\\n\\nhello\\n")
        postfix.wait_for(r"%s: sender non-delivery notification: (\\w+)" % queue_id)

`bad.test` has no users, `late.test` is not there now, `virt.test` has mailboxes, `local.test` has aliases, `sink.test` is a
server of the test's own; mail for any other domain stays.
"""
import os
import re
import shutil
import smtplib
import time

from checks import environment, run
from server import find_program
from stock_postfix import StockPostfix

DEADLINE = 30  # seconds
LONG_REASON = ("long reason text of many words that goes on and on until the line must be folded somewhere by the program "
               "that writes it")
MASTER_CF = """\
qmgr unix n - n 300 1 qmgr
smtp unix - - n - 1 smtp
local unix - n n - 1 local
virtual unix - n n - 1 virtual
showq unix n - n - - showq
flush unix n - n 1000 0 flush
"""


class DeliveringPostfix(StockPostfix):
    """`main_cf` has more parameters; `aliases` those of local.test; `reasons` what bad.test says to a domain below it."""

    def __init__(self, main_cf=None, aliases=None, reasons=(), sink_port=9):
        super().__init__({"smtpd": {}}, dict({
            "transport_maps": "texthash:$config_directory/transport", "fast_flush_domains": "", "relay_domains": "test",
            "virtual_mailbox_domains": "virt.test", "virtual_mailbox_base": "$config_directory/../mailboxes",
            "virtual_mailbox_maps": "static:box", "virtual_uid_maps": "static:65534", "virtual_gid_maps": "static:65534",
            "virtual_minimum_uid": "1", "alias_maps": "texthash:$config_directory/aliases", "alias_database": "",
            "default_transport": "retry:4.3.0 it stays", "local_transport": "retry:4.3.0 it stays",
            "relay_transport": "retry:4.3.0 it stays", "smtpd_authorized_verp_clients": "127.0.0.1",
            "2bounce_notice_recipient": "double@example.org", "bounce_notice_recipient": "bounce@example.org",
            "delay_notice_recipient": "delay@example.org", "queue_run_delay": "1000s",
        }, **(main_cf or {})))
        mailboxes = self.directory / "mailboxes"
        mailboxes.mkdir()
        shutil.chown(mailboxes, 65534, 65534)
        transports = ["bad.test error:5.1.1 No such user", "long.bad.test error:5.1.1 " + LONG_REASON,
                      "late.test retry:4.4.4 come back later", "sink.test smtp:[127.0.0.1]:%d" % sink_port,
                      "virt.test virtual:", "local.test local:"]
        transports += ["r%d.bad.test error:%s" % item for item in enumerate(reasons)]
        (self.config / "transport").write_text("".join(line + "\n" for line in transports))
        (self.config / "aliases").write_text("".join("%s %s\n" % item for item in (aliases or {}).items()))
        old = time.time() - 3600
        for name in ("transport", "aliases"):
            os.utime(self.config / name, (old, old))
        # One process each: what becomes of recipients is told in one order.
        master_cf = (self.config / "master.cf").read_text()
        master_cf = re.sub(r"^((?:error|retry) unix - - n -) -", r"\1 1", master_cf, flags=re.M)
        (self.config / "master.cf").write_text(master_cf + MASTER_CF)
        shutil.chown(self.queue / "maildrop", "postfix", "postdrop")
        (self.queue / "maildrop").chmod(0o1730)
        shutil.chown(self.queue / "public", "postfix", "postdrop")
        (self.queue / "public").chmod(0o2710)

    @property
    def log(self):
        return super().log if (self.directory / "mail.log").exists() else ""

    def send(self, sender, recipients, content):
        """By SMTP; what stands behind a blank in an address is a parameter of the command. Returns the queue ID."""
        client = smtplib.SMTP("127.0.0.1", self.port("smtpd"), "client.example", timeout=DEADLINE)
        client.command_encoding = "utf-8"
        client.ehlo()
        replies = []
        for command, address in [("MAIL FROM", sender)] + [("RCPT TO", each) for each in recipients]:
            mailbox, _, parameters = address.partition("|")
            replies.append(client.docmd("%s:<%s> %s" % (command, mailbox, parameters)))
        replies.append(client.docmd("DATA"))
        assert all(code in (250, 354) for code, _ in replies), replies
        client.sock.sendall(content.replace(b"\n", b"\r\n") + b".\r\n")
        code, text = client.getreply()
        client.quit()
        assert code == 250, (code, text)
        return text.decode().split()[-1]

    def sendmail(self, *arguments, content=b""):
        done = run([find_program("sendmail"), "-C", self.config, *arguments], stdin=content, env=environment())
        assert done.status == 0, done

    def wait_for(self, pattern, count=1, start=0):
        """All matches of the pattern in the log, at least so many."""
        deadline = time.monotonic() + DEADLINE
        while len(found := re.findall(pattern, self.log[start:])) < count:
            if time.monotonic() > deadline:
                raise AssertionError("%r is not in the log:\n%s" % (pattern, self.log[-3000:]))
            time.sleep(0.02)
        return found

    def file_of(self, queue_id):
        """Where a message that stays is."""
        path = self.queue / "deferred" / queue_id[0] / queue_id
        deadline = time.monotonic() + DEADLINE
        while not path.exists():
            if time.monotonic() > deadline:
                raise AssertionError("no message %s:\n%s" % (queue_id, self.log[-3000:]))
            time.sleep(0.02)
        return path
