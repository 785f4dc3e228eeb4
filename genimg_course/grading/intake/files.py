"""Files of a folder that strangers filled: regular files only, no links, nothing above a size."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["LARGEST", "Content", "Entry", "Refused", "folder_entries", "open_regular", "read_file"]

LARGEST = 200_000_000
"""Bytes of the largest file that is read."""
_MOST_ENTRIES = 50_000
_DEEPEST = 12


class Refused(ValueError):
    """A file or an entry of an archive is not looked at; ``reason`` is one word."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True)
class Content:
    """The bytes of a file and when it was changed last (seconds since 1970, UTC), if known."""

    data: bytes
    modified: float | None = None


@dataclass(frozen=True)
class Entry:
    """A file that may be read.

    Args:
        parts: its folders below the source and its name.
        read: return the content, at most so many bytes; raises :class:`Refused`.
        path: where it lies, unless it is part of an archive.
    """

    parts: tuple[str, ...]
    read: Callable[[int], Content]
    path: Path | None = None


def read_file(path: Path, limit: int = LARGEST) -> Content:
    """Return the content of a regular file; a link in the last place is not followed.

    Raises:
        Refused: ``link``, ``size`` or ``unreadable``.
    """
    with open_regular(path) as file:
        found = os.fstat(file.fileno())
        if found.st_size > limit:
            raise Refused("size", size_sentence(limit))
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise Refused("unreadable", "the file cannot be read: hand it in again") from error
    if len(data) > limit:  # it grew meanwhile
        raise Refused("size", size_sentence(limit))
    return Content(data, found.st_mtime)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; a link in the last place is not followed.

    Raises:
        Refused: ``link`` or ``unreadable``.
    """
    # O_NONBLOCK: opening a pipe that nobody writes to would wait for ever
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        if path.is_symlink():
            raise Refused("link", "a link was handed in: hand in the file itself") from error
        raise Refused("unreadable", "the file cannot be opened: hand it in again") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Refused("link", "this is no ordinary file: hand in the file itself")
    return os.fdopen(handle, "rb")


def size_sentence(limit: int) -> str:
    """Say that a file is too large."""
    return (
        f"the file has more than {limit / 1e6:.0f} MB: clear all outputs, save, and hand it in "
        "again"
    )


def folder_entries(root: Path) -> Iterator[Entry | tuple[tuple[str, ...], Refused]]:
    """Yield the files below a folder in the order of their names; folders that are links are not
    entered.

    What cannot be read is yielded with the reason.
    """
    left = _MOST_ENTRIES
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        parts = waiting.pop()
        try:
            found = sorted(os.scandir(root.joinpath(*parts)), key=lambda item: item.name)
        except OSError:
            yield parts, Refused("unreadable", "the folder cannot be opened")
            continue
        folders = []
        for item in found:
            here = (*parts, item.name)
            left -= 1
            if left < 0:
                yield here, Refused("entries", f"there are more than {_MOST_ENTRIES:,} files")
                return
            if not item.is_dir(follow_symlinks=False):
                yield _entry(root, here)
            elif len(here) > _DEEPEST:
                yield here, Refused("path", f"there are more than {_DEEPEST} folders in a row")
            else:
                folders.append(here)
        waiting += reversed(folders)


def _entry(root: Path, parts: tuple[str, ...]) -> Entry:
    path = root.joinpath(*parts)
    return Entry(parts, lambda limit: read_file(path, limit), path)
