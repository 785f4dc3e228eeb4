"""Read a zip member by member, in memory, each behind its checks; nothing is unpacked to a disk."""

from __future__ import annotations

import calendar
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from genimg_course.grading.intake.files import Content, Entry, Refused, open_regular, size_sentence

__all__ = ["zip_entries"]

_LARGEST_ARCHIVE = 8_000_000_000
_LARGEST_DIRECTORY = 12_000_000  # bytes: some 100,000 names
_MOST_MEMBERS = 20_000
_MOST_BYTES = 4_000_000_000  # of all members that are read
_LARGEST_RATIO, _SMALL = 100, 1_000_000  # below a megabyte, a ratio can hurt nobody
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others expand without a bound
_DRIVE = re.compile(r"[A-Za-z]:")

Found = Entry | tuple[tuple[str, ...], Refused]


def zip_entries(source: Path, parents: tuple[str, ...] = ()) -> Iterator[Found]:
    """Yield the files of a zip in the order of its directory, or the reasons against them.

    A member with a path out of the archive, a link, one that is encrypted, damaged, of an unknown
    method, much smaller than its content, or present twice is refused; the others are not
    affected.

    Args:
        source: the archive's file.
        parents: folders in which its files shall seem to lie.
    """
    try:
        with open_regular(source) as file:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                yield from _members(archive, parents)
    except Refused as refused:
        yield parents, refused
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError):
        yield parents, Refused("archive", "the zip is damaged: download or pack it again")


def _check_directory(file: BinaryIO) -> None:
    """Refuse an archive whose directory alone would fill the memory; zipfile reads all of it."""
    end = file.seek(0, os.SEEK_END)
    if end > _LARGEST_ARCHIVE:
        raise Refused("size", "the zip has more than 8 GB: split it")
    file.seek(max(0, end - 65_557))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise Refused("archive", "this is no zip file, or its end is missing: pack it again")
    size = struct.unpack("<L", tail[at + 12 : at + 16])[0]
    large = at - 76  # where zipfile looks for the large form, which then counts
    if large >= 0 and tail.startswith(b"PK\x06\x06", large):
        size = max(size, struct.unpack("<Q", tail[large + 40 : large + 48])[0])
    if size > _LARGEST_DIRECTORY:
        raise Refused("entries", "the zip lists far too many files: pack the notebooks only")
    file.seek(0)


def _members(archive: zipfile.ZipFile, parents: tuple[str, ...]) -> Iterator[Found]:
    files = [info for info in archive.infolist() if not info.is_dir()]
    often = Counter(_plain(info.orig_filename) for info in files)
    left = _MOST_BYTES
    for number, info in enumerate(files):
        parts = (*parents, *_parts(info.orig_filename))
        try:
            if number >= _MOST_MEMBERS:
                yield (
                    parts,
                    Refused(
                        "entries",
                        f"the zip holds {len(files):,} files; those after the first "
                        f"{_MOST_MEMBERS:,} were not looked at",
                    ),
                )
                return
            _check(info, often)
            left -= info.file_size
            if left < 0:
                raise Refused("size", "the zip holds more than 4 GB in all: split it")
        except Refused as refused:
            yield parts, refused
        else:
            yield Entry(parts, _Reader(archive, info))


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".")]


def _check(info: zipfile.ZipInfo, often: Counter[str]) -> None:
    name = info.orig_filename  # zipfile's own attribute ends at a NUL
    parts = _parts(name)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if "\0" in name or not parts:
        raise Refused("name", "the entry has no usable name")
    if name.startswith("/") or "\\" in name or ".." in parts or _DRIVE.match(name):
        raise Refused("path", "the entry's path leads out of the zip: pack the files again")
    if kind not in (0, stat.S_IFREG):
        raise Refused("link", "the entry is a link or a device, not a file")
    if often[_plain(name)] > 1:
        raise Refused("duplicate", "two entries of the zip have this name: keep one of them")
    if info.flag_bits & 0x1:
        raise Refused("encrypted", "the entry is encrypted: pack it without a password")
    if info.compress_type not in _METHODS:
        raise Refused("compression", "the entry's compression is unusual: pack it as plain zip")
    if info.file_size > max(_SMALL, _LARGEST_RATIO * info.compress_size):
        raise Refused("ratio", "the entry unpacks to over a hundred times its size")


class _Reader:
    """Read one member."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo):
        self._archive, self._info = archive, info

    def __call__(self, limit: int) -> Content:
        if self._info.file_size > limit:
            raise Refused("size", size_sentence(limit))
        try:
            with self._archive.open(self._info) as member:
                data = member.read(limit + 1)
        except zipfile.BadZipFile as error:
            crc = "CRC" in str(error)
            sentence = "the entry is damaged: pack or download the zip again"
            raise Refused("crc" if crc else "archive", sentence) from error
        except (OSError, ValueError, EOFError, struct.error, zlib.error, RuntimeError) as error:
            sentence = "the entry cannot be unpacked: pack or download the zip again"
            raise Refused("archive", sentence) from error
        return Content(data, self._modified())

    def _modified(self) -> float | None:
        try:  # a zip knows no time zone
            return float(calendar.timegm((*self._info.date_time, 0, 0, 0)))
        except (ValueError, OverflowError):
            return None
