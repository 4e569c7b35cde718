#!/usr/bin/env python3
"""What entries of master.cf make: the files that come with Postfix start unchanged, services listen at sockets and pipes as
Postfix makes them, serve clients there, and follow reloads; proxymap serves tables to both postmaps.

usage: master_cf_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import os
import pathlib
import pwd
import signal
import socket
import stat
import sys

from checks import run
from mail_system import MailSystem
from server import NoServer, find_program, free_port, listens, run_server_test
from stock_postfix import StockPostfix, read_reply

DISTRIBUTED = ("/usr/share/postfix/master.cf.dist", "/etc/postfix/master.cf.proto")
LOCAL = """smtpd-unix unix - - n - - smtpd
smtpd-public unix n - n - - smtpd -o { smtpd_banner = a banner with blanks }
smtpd-pass pass - - n - - smtpd -osmtpd_banner=passed
smtpd-fifo fifo - - n - - smtpd
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
"""
LOCAL_NAMES = ("private/smtpd-unix", "public/smtpd-public", "private/smtpd-pass", "private/smtpd-fifo", "private/proxymap",
               "private/proxywrite")


def place(directory, name):
    made = directory / name
    made.mkdir()
    made.chmod(0o755)
    return made


def greeting(address, family=socket.AF_INET):
    with socket.socket(family) as client:
        client.settimeout(10)
        client.connect(address)
        return read_reply(client.makefile("rb"))


def is_free(port):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def check_distributed(checks, bin_directory, directory):
    """The files of the distribution, with a service more."""
    if os.geteuid() != 0:
        checks.skip("the distribution's master.cf", "its ports are root's")
        return
    for number, file in enumerate(map(pathlib.Path, DISTRIBUTED)):
        if not file.exists():
            checks.skip(str(file), "not installed")
            continue
        if any(listens(port) for port in (25, 50000)):
            checks.skip(str(file), "somebody has its ports")
            continue
        system = MailSystem(bin_directory, place(directory, "dist%d" % number))
        # The kernel gives it to clients, too.
        system.wait_for(lambda: is_free(50000))
        (system.config / "master.cf").write_text(file.read_text() + "50000 inet n - n - - smtpd\n")
        with system:
            for port in (25, 50000):
                checks.equal("%s: a greeting at port %d" % (file.name, port), greeting(("127.0.0.1", port))[:3], b"220")


def status_of(path):
    status = path.lstat()
    return stat.S_IFMT(status.st_mode), oct(stat.S_IMODE(status.st_mode)), status.st_uid, status.st_gid


def check_local(checks, system):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(system.queue / "private/smtpd-unix"))
        stream = client.makefile("rb")
        checks.equal("a client at a UNIX-domain socket", read_reply(stream)[:4], b"220 ")
        for command in (b"EHLO x\r\n", b"MAIL FROM:<ann@example.org>\r\n", b"RCPT TO:<bob@example.com>\r\n"):
            client.sendall(command)
            checks.equal("%s there" % command[:4].decode(), read_reply(stream)[:3], b"250")
        client.sendall(b"DATA\r\n")
        checks.equal("DATA there", read_reply(stream)[:3], b"354")
        client.sendall(b"Subject: x\r\n\r\nx\r\n.\r\n")
        checks.equal("a message there", read_reply(stream)[:3], b"250")
    checks.check("the log calls it localhost", "connect from localhost[127.0.0.1]" in system.log(), system.log)
    (message,) = system.messages().values()
    checks.check("and the queue file also", b"client_name=localhost" in message and b"(localhost [127.0.0.1])" in message
                 and b"client_port=0" in message and b"server_port=0" in message, message)
    checks.equal("-o { name = value }", greeting(str(system.queue / "public/smtpd-public"), socket.AF_UNIX),
                 b"220 a banner with blanks\r\n")
    passed, kept = socket.socketpair()
    with passed, kept, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(system.queue / "private/smtpd-pass"))
        socket.send_fds(client, [b"\0"], [passed.fileno()])
        passed.close()
        kept.settimeout(10)
        checks.equal("a connection that is passed on, and -oname=value", read_reply(kept.makefile("rb")), b"220 passed\r\n")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(system.queue / "private/smtpd-pass"))
        client.sendall(b"n")
        client.settimeout(10)
        checks.equal("who passes nothing on is sent away", client.recv(10), b"")
    checks.check("a named pipe is no place for SMTP clients, and the log says so",
                 "service smtpd-fifo/fifo: smtpd has no clients there" in system.log(), system.log)


def check_beside_stock(checks, system):
    """The same entries with Postfix: owners, groups and modes."""
    owner = pwd.getpwnam("postfix")
    for name in LOCAL_NAMES:
        kind = stat.S_IFIFO if "fifo" in name else stat.S_IFSOCK
        mode = 0o622 if "fifo" in name else 0o666
        checks.equal("%s as Postfix makes it" % name, status_of(system.queue / name),
                     (kind, oct(mode), owner.pw_uid, owner.pw_gid))
    with StockPostfix({"smtpd": {}}, need=("master", "smtpd")) as stock:
        with open(stock.config / "master.cf", "a", encoding="ascii") as file:
            file.write("".join(line + "\n" for line in LOCAL.splitlines() if not line.startswith("proxymap")))
        stock.server.process.send_signal(signal.SIGHUP)
        # The last one. Its mode comes a moment after its name.
        made, wanted = stock.queue / "private/proxywrite", status_of(system.queue / "private/proxywrite")
        system.wait_for(lambda: made.exists() and status_of(made) == wanted)
        for name in LOCAL_NAMES:
            checks.equal("%s: Postfix's own" % name, status_of(stock.queue / name), status_of(system.queue / name))


def check_reload(checks, system):
    session = system.client()
    session.ehlo()
    added = free_port()
    text = LOCAL.replace("smtpd-public unix n", "smtpd-public unix -").replace("smtpd-pass pass - - n - - smtpd -o", "# ")
    system.write_master_cf(text + "127.0.0.1:%d inet n - n - - smtpd -o smtpd_banner=first\n"
                           "127.0.0.1:%d inet n - n - - smtpd -o smtpd_banner=last\n" % (added, added))
    checks.equal("reload", system.postfix("reload").status, 0)
    moved = system.queue / "private/smtpd-public"
    checks.check("a service that is private now has moved", system.wait_for(moved.exists), system.log)
    checks.check("what is gone from master.cf is gone from the queue directory",
                 system.wait_for(lambda: not (system.queue / "public/smtpd-public").exists())
                 and not (system.queue / "private/smtpd-pass").exists(), os.listdir(system.queue / "private"))
    checks.equal("it serves there", greeting(str(moved), socket.AF_UNIX), b"220 a banner with blanks\r\n")
    checks.equal("of two entries with the same name, the last counts", greeting(("127.0.0.1", added)), b"220 last\r\n")
    checks.equal("a session of before goes on", session.docmd("NOOP"), (250, b"2.0.0 Ok"))
    session.close()


def check_bad_reload(checks, system):
    """An error is told to who asks for the reload, and to the log where the master is asked by a signal."""
    for what, text, words in (("a command that does not exist", "x inet n - n - - nothing\n", "service x/inet: no such command: nothing"),
                              ("a line that is no entry", "x inet n\n", "bad field count")):
        system.write_master_cf(text)
        line = "master.cf: line %d: " % len((system.config / "master.cf").read_text().splitlines())
        done = system.postfix("reload")
        checks.check("reload, %s: refused, with the line" % what, done.status == 1 and line in done.err and words in done.err, done)
        log = system.log()
        (system.queue / "pid/master.pid").read_text()
        os.kill(int((system.queue / "pid/master.pid").read_text()), signal.SIGHUP)
        said = "reload failed, the configuration of before stays in use: "
        checks.check("SIGHUP, %s: the log says why" % what, system.wait_for(
            lambda: any(said in each and line in each and words in each for each in system.log()[len(log):].splitlines())),
            system.log)
        with system.client() as smtp:
            checks.equal("and what was before serves", smtp.ehlo()[0], 250)
    main_cf = system.config / "main.cf"
    good = main_cf.read_text()
    main_cf.write_text(good + "smtpd_hard_error_limit = abc\n")
    system.write_master_cf(LOCAL)
    system.postfix("reload")
    checks.check("a value that the server cannot use: it says so, and the one of before goes on",
                 system.wait_for(lambda: "bad numerical configuration: smtpd_hard_error_limit = abc" in system.log()
                                 and "no server starts with the new one" in system.log()), system.log)
    with system.client() as smtp:
        checks.equal("and serves", smtp.ehlo()[0], 250)
    main_cf.write_text(good)
    system.postfix("reload")
    checks.check("a correct one is taken again", system.wait_for((system.queue / "public/smtpd-public").exists), system.log)


def key(name):
    """Of the entry that a tool may delete."""
    return name.replace(" ", "-")


def check_proxymap(checks, bin_directory, system):
    tools = {"our postmap": pathlib.Path(bin_directory).resolve() / "postmap"}
    try:
        tools["stock postmap"] = find_program("postmap")
    except NoServer as reason:
        checks.skip("the distribution's postmap", str(reason))
    table, own = "hash:%s" % (system.directory / "map"), "btree:%s" % (system.directory / "data/own")
    source = system.directory / "data/own"
    source.write_text("".join("%s x\n" % key(name) for name in tools))
    os.chown(source, source.parent.stat().st_uid, -1)
    made = run([tools["our postmap"], "-c", system.config, own])
    assert made.status == 0, made
    for name, tool in tools.items():
        def ask(*arguments, stdin=b"", postmap=tool):
            done = run([postmap, "-c", system.config, *arguments], stdin=stdin)
            return done.status, done.out
        checks.equal("%s: a lookup" % name, ask("-q", "joe", "proxy:" + table), (0, "one\n"))
        checks.equal("%s: nothing there" % name, ask("-q", "bob", "proxy:" + table), (1, ""))
        checks.equal("%s: what proxy_read_maps does not name" % name, ask("-q", "joe", "proxy:static:x"), (1, ""))
        checks.equal("%s: a change by proxywrite" % name, ask("-d", key(name), "proxy:" + own), (0, ""))
        checks.equal("%s: it is made" % name, ask("-q", key(name), own), (1, ""))
        checks.equal("%s: what proxy_write_maps does not name" % name, ask("-d", "joe", "proxy:" + table), (1, ""))
    checks.equal("what was not approved is unchanged", run([tools["our postmap"], "-c", system.config, "-q", "joe", table]).out, "one\n")
    checks.check("the log names what was asked for", "proxy_read_maps" in system.log() and "proxy_write_maps" in system.log(),
                 system.log)


def check_failing_server(checks, bin_directory, directory):
    """A server that does not start is tried again, after a while."""
    system = MailSystem(bin_directory, directory, "smtpd_hard_error_limit = abc\n")
    with system:
        checks.check("a server that does not start is tried again after a delay",
                     system.wait_for(lambda: "bad command startup -- throttling for 1 s" in system.log()), system.log)
        file = system.config / "main.cf"
        file.write_text(file.read_text().replace("abc", "20"))

        def serves():
            try:
                with system.client() as smtp:
                    return smtp.ehlo()[0] == 250
            except OSError:
                return False
        checks.check("and serves when what was wrong is right again", system.wait_for(serves), system.log)


def check_absent(checks, bin_directory, directory):
    """A program of Postfix that is not there keeps nobody from the rest."""
    system = MailSystem(bin_directory, directory)
    system.write_master_cf("dnsblog unix - - n - 0 dnsblog\n")
    with system, system.client() as smtp:
        checks.equal("with a program that is not part of Postkit, the others serve", smtp.ehlo()[0], 250)
    line = len((system.config / "master.cf").read_text().splitlines())
    checks.check("and a warning names its line", "warning: %s/master.cf: line %d: service dnsblog/unix: dnsblog is not part of "
                 "Postkit" % (system.config, line) in system.log(), system.log)


def check_chroot(checks, bin_directory, directory):
    """Entries that ask for chroot serve beside entries that do not, and the process has the root of the host; who looks is told."""
    (directory / "clients").write_text("127.0.0.1 REJECT from a table outside\n")
    system = MailSystem(bin_directory, directory, "smtpd_client_restrictions = check_client_access texthash:%s/clients\n"
                        % directory)
    # What the entries of the distribution ask for, but one.
    master_cf = system.config / "master.cf"
    text = master_cf.read_text()
    master_cf.write_text(text.replace("inet n - n - - smtpd", "inet n - y - - smtpd").replace("pickup unix n - n", "pickup unix n - y")
                         + "proxymap unix - - n - - proxymap\n")
    line = 1 + text.splitlines().index("127.0.0.1:%d inet n - n - - smtpd" % system.port)
    note = (": %s: line %d: service 127.0.0.1:%d/inet: chroot: paths of sockets start at the queue directory; the process is not "
            "confined to it" % (master_cf, line, system.port))

    def notes():
        return [each for each in system.log().splitlines() if ": chroot: " in each]

    with system:
        with system.client() as smtp:
            smtp.ehlo()
            smtp.mail("ann@example.org")
            checks.equal("chroot = y: a table that is not below the queue directory", smtp.rcpt("bob@example.com"),
                         (554, b"5.7.1 <unknown[127.0.0.1]>: Client host rejected: from a table outside"))
        roots = {os.readlink("/proc/%d/root" % process) for process in system.server_processes()}
        checks.equal("chroot = y: the root of the server", roots, {os.readlink("/proc/self/root")})
        system.postfix("reload")
        checks.equal("chroot = y: who starts and reloads is told nothing", notes(), [])
        done = system.postfix("check")
        checks.equal("chroot = y: who checks has no error", (done.status, done.err), (0, ""))
        checks.equal("chroot = y: but a line of the log for each service", len(notes()), 2)
        checks.check("chroot = y: which names the place in master.cf", any(each.endswith(note) for each in notes()), notes)


def run_checks(checks, bin_directory, directory):
    check_distributed(checks, bin_directory, directory)
    check_failing_server(checks, bin_directory, place(directory, "failing"))
    check_absent(checks, bin_directory, place(directory, "absent"))
    check_chroot(checks, bin_directory, place(directory, "chroot"))
    here = place(directory, "local")
    more = "proxy_read_maps = proxy:hash:%s/map\nproxy_write_maps = proxy:btree:%s/data/own\n" % (here, here)
    system = MailSystem(bin_directory, here, more)
    (here / "map").write_text("joe one\n")
    made = run([pathlib.Path(bin_directory).resolve() / "postmap", "-c", system.config, "hash:%s/map" % here])
    assert made.status == 0, made
    system.write_master_cf(LOCAL)
    with system:
        check_local(checks, system)
        if os.geteuid() == 0:
            try:
                check_beside_stock(checks, system)
            except NoServer as reason:
                checks.skip("the distribution's Postfix", str(reason))
        else:
            checks.skip("owners and modes beside Postfix", "Postfix starts as root only")
        check_proxymap(checks, bin_directory, system)
        check_reload(checks, system)
        check_bad_reload(checks, system)


if __name__ == "__main__":
    sys.exit(run_server_test("a mail system", run_checks))
