"""Folders below the temporary folder that a grader removes at its end, or the next one after it.

A living grader holds a lock in each; the operating system frees the locks of one that was killed.
"""

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["BOX", "PACKAGE", "keep", "remove_abandoned"]

BOX, PACKAGE = "genimg-box-", "genimg-grade-"
"""How the names of these folders begin."""

_LOCK, _KEPT = "lock", "kept"


def keep(folder: Path) -> FileLock:
    """Hold a new folder until the lock is released, by whichever thread, or this process dies.

    Raises:
        OSError: if nothing can be written there.
    """
    lock = FileLock(folder / _LOCK, thread_local=False)
    lock.acquire()
    (folder / _KEPT).touch()  # from here on a free lock means that its grader is dead
    return lock


def remove_abandoned() -> None:
    """Remove this user's folders whose graders are dead; what cannot be removed stays."""
    for name in (BOX, PACKAGE):
        for folder in Path(tempfile.gettempdir()).glob(f"{name}*"):
            with suppress(OSError, Timeout):
                if _is_own(folder) and (folder / _KEPT).is_file():
                    with FileLock(folder / _LOCK, timeout=0):
                        _remove(folder)


def _is_own(path: Path) -> bool:
    """Tell whether a path is a folder, not a link to one, and of this user."""
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and (os.name == "nt" or found.st_uid == os.getuid())


def _remove(folder: Path) -> None:
    for path, _, _ in os.walk(folder):  # never through a link
        os.chmod(path, stat.S_IRWXU)  # the copy of the package forbids itself to be written
    shutil.rmtree(folder, ignore_errors=True)
