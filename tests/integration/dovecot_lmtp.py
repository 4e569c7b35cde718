"""A private Dovecot that takes mail by LMTP, for any user, into a Maildir of the user's own.

    with dovecot_lmtp(directory / "dovecot") as server:
        "lmtp:unix:%s" % server.path;  messages_of(directory / "dovecot", "bob")
"""
import shutil

from server import Server, find_program, listens

CONF = """\
base_dir = {top}/run
state_dir = {top}/state
log_path = {top}/log
protocols = lmtp
ssl = no
mail_location = maildir:{top}/mail/%n
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
auth_username_format = %n
default_process_limit = 20
passdb {{
  driver = static
  args = nopassword=yes
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={top}/mail/%n allow_all_users=yes
}}
service anvil {{
  chroot =
}}
service lmtp {{
  unix_listener {top}/lmtp {{
    mode = 0666
  }}
}}
"""


def dovecot_lmtp(top):
    """Raises NoServer when there is none. It needs root, to be who a recipient is."""
    top.mkdir()
    top.chmod(0o755)
    (top / "mail").mkdir()
    shutil.chown(top / "mail", "nobody", "nogroup")
    (top / "dovecot.conf").write_text(CONF.format(top=top))
    return Server("dovecot", [find_program("dovecot"), "-F", "-c", top / "dovecot.conf"],
                  lambda: listens(path=top / "lmtp"), top / "console")


def messages_of(top, user):
    """The files of the user's messages."""
    return [file for name in ("new", "cur") if (top / "mail" / user / name).exists()
            for file in (top / "mail" / user / name).iterdir()]
