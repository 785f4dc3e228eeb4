"""Write a file so that nobody ever sees half of it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

__all__ = ["remove_unfinished", "write_whole"]

_UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.partial")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file under a temporary name, bring it to the disk and rename it.

    Readers see the old file or the new one, also when two processes write at once or one is killed.
    A link is replaced; what it points to stays as it is.

    Args:
        path: of the file; its folder exists.
        content: all of it; text is written as UTF-8.

    Raises:
        OSError: if the disk takes no more; the old file stays as it was.
    """
    unfinished = path.with_name(f".{uuid4().hex}.partial")  # short: names have a limit
    try:
        with unfinished.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())  # else a name could reach the disk before its content
        unfinished.replace(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what killed writers left in a folder in which nobody writes now.

    Args:
        folder: where files were written; it may be missing.

    Raises:
        OSError: if they cannot be removed.
    """
    for path in folder.glob(".*.partial"):
        if _UNFINISHED.fullmatch(path.name):
            path.unlink()
