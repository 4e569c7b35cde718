#!/usr/bin/env python3
"""postmulti and the postfix command with several instances, beside the distribution's: the same commands on the same
configuration, what they say, and what main.cf and the directories are afterwards. /etc is a copy, in a namespace.

    tests/integration/postmulti_test.py --bin build/dev/bin
"""
import os
import pathlib
import pwd
import re
import shutil
import sys
import time

from checks import environment, run
from namespace import mount_over, run_inside
from server import NoServer, find_program
from stock_postfix import DAEMONS
from terminal import run_at_terminal

MAIN_CF = """\
compatibility_level = 3.6
myhostname = mail.example.org
queue_directory = {root}/spool/postfix
data_directory = {root}/lib/postfix
command_directory = {programs}
daemon_directory = /usr/lib/postfix/sbin
mail_owner=postfix
html_directory = no
"""
MAIN_CF_PROTOTYPE = """\
# A prototype.
compatibility_level = 3.6

#queue_directory = /x
mail_owner = other
setgid_group = other
queue_directory = /a/b
  /c
html_directory = /d
mydestination =
# the end
"""
MASTER_CF_PROTOTYPE = """\
# services
#smtp inet n - y - 1 postscreen
submission inet n - n - - smtpd
  -o syslog_name=sub
pickup unix n - n 60 1 pickup
qmgr unix n - n 300 1 qmgr
"""
WRAPPER = """\
#!/bin/sh
echo "wrapped: $#: $*"
env | grep -E '^(MAIL_CONFIG|[a-z]+_(directory|path|owner|group))=' | grep -vE '^(html|manpage|readme|sample|meta|shlib|newaliases|mailq|sendmail)' | sort
pwd
"""
SHOW = """
echo $config_directory $queue_directory $data_directory $MAIL_CONFIG
echo "<$multi_instance_name> <$multi_instance_group> $multi_instance_enable ${PATH%%:*} ${MAIL_VERBOSE-no}"
"""

INIT = ["-e init"]
TWO = INIT + ["-I postfix-a -e create", "-I postfix-b -G grp -e create"]
# Commands in their order, each on what those before left. Those that start with "!" are of the shell.
FROM_NOTHING = {
    "what does not go together": [
        "", "-Z", "-e", "-i", "-l extra", "-x", "-p", "-e foo", "-l -x true", "-R -p status", "-R -e init", "-a -g x -l",
        "-i a -g x -l", "-l -a -i x", "-l -i x -i y", "-G g -l", "-I postfix-x -l", "-I x -x true", "-e init -e create",
        "-i - -e enable -G g", "-i - -I postfix-x -e enable", "-e init foo=bar", "-e init -G g", "-i a -e assign",
        "-i a -e assign foo=bar -G x", "-i a -e deport foo=bar", "-e create -i a -g b -I postfix-x", "-e destroy -G x"],
    "one instance": [
        "-l", "-l -a", "-l -R", "-l -i nosuch", "-l -g nosuch", "-l -g ''", "-l -i -", "-l -i /etc/postfix", "-x true",
        "-x false", "-x sh -c 'exit 3'", "-x nosuchcommand", "-i nosuch -x true", "-g nosuch -p status", "-p status",
        "-v -x sh -c '%s'" % SHOW, "-e enable", "-i nosuch -e enable", "-i - -e deport", "-e destroy", "-I postfix-a -e create",
        "-e create", "-I a -e create", "-I postfix-x/y -e create", "-e create foo", "-I postfix-c -e create foo=bar",
        "-I postfix-c -e create config_directory=rel", "-e import", "-e import queue_directory=/x",
        "-e import config_directory=/etc/postfix", "-G g -e create config_directory=/etc/postfix-n",
        "-e create config_directory=/etc/postfix-n queue_directory=/x", "-I - -e create"],
    "initialized twice": INIT + ["-e init", "-l", "-e init -i -", "-i - -e disable", "-l", "-i - -e enable"],
    "two": TWO,
}
# The same, with two instances to begin with.
WITH_TWO = {
    "created": [
        "-l", "-l -R", "-l -g grp", "-l -i postfix-a", "-l -i /etc/postfix-a", "-I postfix-a -e create",
        "-I postfix-c -e create config_directory=/etc/postfix-a", "-I postfix-c -a -e create",
        "-I postfix-d -i postfix-b -e create", "-I postfix-e -g grp -e create queue_directory={root}/spool/eq",
        "-I postfix-f -i nosuch -e create", "-I postfix-f -g nosuch -e create", "-I postfix-f -i - -e create",
        "-I postfix-q -e create queue_directory={root}/spool/postfix-a",
        "-I postfix-q -e create data_directory={root}/lib/postfix",
        "-G g -e create config_directory=/etc/n queue_directory={root}/nq data_directory={root}/nd", "-l",
        "-G - -I postfix-z -e create", "-l"],
    "created from what is there": [
        "!mkdir /etc/postfix-m; echo foo=bar > /etc/postfix-m/main.cf", "-I postfix-m -e create",
        "!mkdir /etc/postfix-n; echo qmgr unix n - n 300 1 qmgr > /etc/postfix-n/master.cf", "-I postfix-n -e create",
        "!rm /etc/postfix/main.cf.proto", "-I postfix-s -e create", "-l"],
    "enabled": ["-i postfix-a -e enable", "-l", "-i postfix-a -e disable", "-l", "-e enable", "-g grp -e enable",
                      "-a -e enable", "-i nosuch -e disable", "-i - -e disable", "-i postfix-b -e enable", "-l"],
    "assigned": [
        "-i postfix-a -e assign -G gg", "-i postfix-a -e assign -I postfix-aa -G -", "-i postfix-aa -e assign -I postfix-b",
        "-i postfix-aa -e assign -I postfix-aa", "-i postfix-aa -e assign -I x", "-i postfix-aa -e assign -I -", "-l",
        "-i - -e assign -I postfix-prim -G pg", "-l", "-l -g pg", "-l -i postfix-prim", "-i nosuch -e assign -G x"],
    "deported and imported": [
        "-i postfix-b -e enable", "-i postfix-b -e deport", "-i postfix-b -e disable", "-i postfix-b -e deport", "-l",
        "-e import config_directory=/etc/postfix-b", "-e import config_directory=/etc/postfix-b", "-i postfix-b -e deport",
        "-I postfix-bb -G ng -e import config_directory=/etc/postfix-b", "-l", "-i postfix-bb -e deport",
        "-I postfix-b -a -e import", "-l", "-e import config_directory=/nonexistent",
        "!{programs}/postconf -e alternate_config_directories=/x,/y", "-i postfix-a -e deport",
        "-e import config_directory=/etc/postfix-a"],
    "destroyed": [
        "-i postfix-b -e enable", "-i postfix-b -e destroy", "-i postfix-b -e disable", "-i postfix-b -e destroy", "-l",
        "-i postfix-b -e destroy", "-I postfix-k -e create",
        "!touch /etc/postfix-k/extra {root}/spool/postfix-k/other {root}/lib/postfix-k/z; mkdir {root}/spool/postfix-k/etc",
        "-i postfix-k -e destroy", "-l"],
    "in conflict": [
        "!{programs}/postconf -c /etc/postfix-b -e queue_directory={root}/spool/postfix-a", "-l", "-x true",
        "!{programs}/postconf -c /etc/postfix-b -e queue_directory={root}/b multi_instance_name=postfix-a", "-l",
        "!{programs}/postconf -c /etc/postfix-b -e multi_instance_name=postfix-b multi_instance_enable=maybe", "-l",
        "!{programs}/postconf -e multi_instance_directories=/etc/postfix-a,/etc/postfix-a", "-l",
        "!{programs}/postconf -e multi_instance_directories=/nonexistent", "-l", "-p status"],
    "commands": [
        "-i postfix-b -e enable", "-p status", "-R -x sh -c '%s'" % SHOW, "-g grp -v -x sh -c '%s'" % SHOW,
        "-i postfix-b -p status", "-p reload", "-p stop", "-p abort", "-i postfix-a -p stop", "-p -- status",
        "-x sh -c 'test $multi_instance_name. != postfix-a.'"],
    "the postfix command": [
        "!{programs}/postfix status", "!{programs}/postfix -c /etc/postfix-a status", "!{programs}/postfix -c /etc/postfix status",
        "!MAIL_CONFIG=/etc/postfix {programs}/postfix status", "!MAIL_CONFIG=/etc/postfix-b {programs}/postfix status",
        "!MAIL_CONFIG=/etc/postfix-a {programs}/postmulti -l", "!MAIL_CONFIG=/etc/postfix {programs}/postmulti -l",
        "!{programs}/postconf -e 'multi_instance_wrapper=/etc/wrapper one two'", "!{programs}/postfix status 'a b'",
        "!{programs}/postfix", "!{programs}/postconf -e multi_instance_wrapper=/nonexistent", "!{programs}/postfix status",
        "!{programs}/postconf -e multi_instance_wrapper=", "!{programs}/postfix status"],
}


class Side:
    """One of the two, on a configuration of its own. The directories are where those of the other were."""

    def __init__(self, programs, root, original):
        """`original`: what /etc/postfix has beside the files that are written here."""
        self.programs, self.root, self.original, self.saved = programs, root, original, None

    def clear(self):
        shutil.rmtree(self.root, ignore_errors=True)
        for path in [*pathlib.Path("/etc").glob("postfix*"), pathlib.Path("/etc/n")]:
            shutil.rmtree(path, ignore_errors=True)

    def reset(self):
        self.clear()
        for name in ("spool/postfix", "lib/postfix"):
            (self.root / name).mkdir(parents=True)
        os.chown(self.root / "lib/postfix", pwd.getpwnam("postfix").pw_uid, -1)
        files = pathlib.Path("/etc/postfix")
        shutil.copytree(self.original, files, symlinks=True)
        (files / "main.cf").write_text(MAIN_CF.format(root=self.root, programs=self.programs))
        (files / "main.cf.proto").write_text(MAIN_CF_PROTOTYPE)
        (files / "master.cf.proto").write_text(MASTER_CF_PROTOTYPE)
        (files / "master.cf").write_text(MASTER_CF_PROTOTYPE)
        pathlib.Path("/etc/wrapper").write_text(WRAPPER)
        pathlib.Path("/etc/wrapper").chmod(0o755)

    def save_two(self, saved):
        """Makes two instances, and keeps their files for restore_two(): it takes the distribution's programs a while."""
        self.reset()
        for command in TWO:
            status, out = self.command(command)
            assert status == 0, out
        self.saved = saved
        saved.mkdir()
        self.copy("cp -a /etc/postfix* %s %s" % (self.root, saved))

    def restore_two(self):
        self.clear()
        self.copy("cp -a %s/postfix* /etc && cp -a %s/root %s" % (self.saved, self.saved, self.root))

    @staticmethod
    def copy(command):
        done = run(["/bin/sh", "-c", command])
        assert done.status == 0, done

    def command(self, text):
        text = text.replace("{root}", str(self.root)).replace("{programs}", str(self.programs))
        # Postfix sleeps when they are of this second.
        old = time.time() - 3600
        for path in pathlib.Path("/etc").glob("*/*.cf"):
            os.utime(path, (old, old))
        shell = text[1:] if text.startswith("!") else "%s/postmulti %s" % (self.programs, text)
        done = run_at_terminal(["/bin/sh", "-c", "umask 022; " + shell])
        return done.status, self.normal(done.out)

    def normal(self, text):
        text = text.replace(str(self.programs), "PROGRAMS")
        # What the distribution's scripts call says more.
        text = re.sub(r"^rmdir: .*\n", "", text, flags=re.M)
        return re.sub(r"^\S*postconf: fatal: (open .*/main.cf: )", r"postmulti: \1", text, flags=re.M)

    def state(self):
        """Each file and directory, with what matters of it. New names go to the end of main.cf in any order."""
        found = {}
        for tree in (pathlib.Path("/etc"), self.root):
            for path in tree.rglob("*") if tree == self.root else self.configurations():
                if path.name == "spare":
                    continue  # Ours alone has it.
                status = path.lstat()
                has_text = path.name in ("main.cf", "master.cf") and path.is_file()
                text = sorted(self.normal(path.read_text()).splitlines()) if has_text else None
                found[str(path)] = "%o %d %d %s" % (status.st_mode, status.st_uid, status.st_gid, text)
        return found

    @staticmethod
    def configurations():
        for top in [*pathlib.Path("/etc").glob("postfix*"), pathlib.Path("/etc/n")]:
            if top.exists():
                yield top
                yield from top.rglob("*")


def run_case(checks, name, commands, sides, begin):
    accounts = []
    for side in sides:
        begin(side)
        accounts.append([(*side.command(each), side.state()) for each in commands])
    for number, command in enumerate(commands):
        ours, theirs = (account[number] for account in accounts)
        what = "%s, %d: %s" % (name, number + 1, command.strip()[:70].replace("\n", " "))
        checks.equal("%s: status" % what, ours[0], theirs[0])
        checks.equal("%s: output" % what, ours[1], theirs[1])
        changed = {path: (ours[2].get(path), theirs[2].get(path)) for path in {*ours[2], *theirs[2]}
                   if ours[2].get(path) != theirs[2].get(path)}
        checks.check("%s: files" % what, not changed, lambda found=changed: found)


def check_queued_mail(checks, side):
    """Ours alone: an instance with mail stays."""
    side.restore_two()
    message = side.root / "spool/postfix-b/deferred/4A1B2C3D"
    message.touch()
    before = side.state()
    status, out = side.command("-i postfix-b -e destroy")
    checks.equal("an instance with mail is not destroyed", status, 1)
    checks.check("the reason is told", "there is mail in" in out, out)
    checks.equal("and all of it is there", side.state(), before)
    message.unlink()
    checks.equal("without mail it is", side.command("-i postfix-b -e destroy")[0], 0)


def body(checks, bin_directory, directory):
    if not (DAEMONS / "postmulti-script").exists():
        raise NoServer("no postmulti of the distribution's Postfix")
    shutil.copytree("/etc", directory / "etc", symlinks=True)
    shutil.copytree("/etc/postfix", directory / "original", symlinks=True)
    mount_over(directory / "etc", "/etc")
    done = run([find_program("hostname"), "mail.example.org"], env=environment())
    assert done.status == 0, done
    root = directory / "root"
    ours, stock = (Side(programs, root, directory / "original")
                   for programs in (bin_directory, pathlib.Path(find_program("postmulti")).parent))
    for name, commands in FROM_NOTHING.items():
        run_case(checks, name, commands, (ours, stock), Side.reset)
    for side in (ours, stock):
        side.save_two(directory / ("of-" + side.programs.name))
    for name, commands in WITH_TWO.items():
        run_case(checks, name, commands, (ours, stock), Side.restore_two)
    check_queued_mail(checks, ours)


if __name__ == "__main__":
    sys.exit(run_inside("several instances", __file__, body))
