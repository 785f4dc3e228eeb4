"""Write a file so that nobody ever sees half of it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

__all__ = ["write_whole"]


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file under a temporary name, bring it to the disk and rename it.

    Readers see the old file or the new one, also when two processes write at once or one is killed.

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
