"""Surroundings in which programs fail: no room, no rights. And what a file is, beside its bytes."""
import contextlib
import os
import resource
import shutil
import signal

from checks import run

NOBODY = 65534  # a uid and gid without any rights
SYSTEM_PATH = "/usr/sbin:/usr/local/sbin:/sbin"


def identity(file):
    status = file.stat()
    return (status.st_ino, status.st_mtime_ns, oct(status.st_mode & 0o7777), status.st_uid, status.st_gid)


def file_size_limit(action):
    """preexec_fn for a program that cannot write more than a page into a file; `action` is for SIGXFSZ."""
    def prepare():
        signal.signal(signal.SIGXFSZ, action)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return prepare


@contextlib.contextmanager
def small_file_system(directory, size):
    """A tmpfs of `size` kilobytes on `directory`; yields why there is none, or nothing."""
    directory.mkdir()
    mount, umount = (shutil.which(p, path=SYSTEM_PATH + ":/usr/bin:/bin") for p in ("mount", "umount"))
    if os.geteuid() != 0:
        yield "not root"
        return
    if not mount or not umount:
        yield "no mount program"
        return
    done = run([mount, "-t", "tmpfs", "-o", "size=%dk,mode=0755" % size, "none", directory])
    if done.status != 0:
        yield "cannot mount a tmpfs here: %s" % done.err.strip()
        return
    try:
        yield None
    finally:
        if run([umount, directory]).status != 0:
            run([umount, "-l", directory])


def unprivileged():
    """preexec_fn for a user without rights; nothing to do when we are one."""
    if os.geteuid() != 0:
        return None

    def drop():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    return drop
