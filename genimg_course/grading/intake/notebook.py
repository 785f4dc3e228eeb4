"""Read a notebook that nobody vouches for: identity, kind and source of its cells, nothing else.

Outputs, metadata, attachments and widget states are stepped over without being decoded, so that
100 MB of them cost neither time nor memory. Only the JSON text of an id, a kind and a source is
handed to a parser. Whatever is no notebook is refused with one sentence that says what to do.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genimg_course.grading.intake.json_reader import JsonReader, TooMuch

__all__ = ["LARGEST_CELL", "MOST_CELLS", "Cell", "Unreadable", "read_notebook"]

MOST_CELLS = 20_000
LARGEST_CELL = 100_000
"""Characters of a code cell; the longest answer cell of the course has some 2,000."""
_MOST_CODE = 2_000_000  # characters of all code cells together
_KEPT_TEXT = 2_000  # of a Markdown cell only so much is looked at
_LARGEST_VALUE = 8_000_000  # bytes of one id, kind or source

_MAGIC_NUMBERS = {
    b"PK\x03\x04": "a zip or an Office document",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x1f\x8b": "a compressed file",
    b"\xd0\xcf\x11\xe0": "an Office document",
}
_SAVE_AGAIN = "open it in Jupyter, save it, and hand in the saved .ipynb file"


class Unreadable(ValueError):
    """A file is no notebook that can be graded; ``reason`` is one word, the text one sentence."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        id: as in the file, or empty (notebooks before format 4.5 have none).
        kind: ``"code"``, ``"markdown"`` or ``"raw"``.
        source: the text, with line ends ``\\n``; of a cell that is no code, its beginning.
        oversized: the text was too long to be looked at and is left out.
    """

    id: str
    kind: str
    source: str
    oversized: bool = False


def read_notebook(data: bytes) -> tuple[Cell, ...]:
    """Return the cells of a notebook of format 4, in their order.

    Args:
        data: the whole file.

    Raises:
        Unreadable: if it is something else; reasons are ``empty``, ``format``, ``html``,
            ``encoding``, ``json``, ``nbformat`` and ``size``.
    """
    data = _text(data)
    reader = JsonReader(data)
    try:
        version, cells, seen = _top(reader)
    except TooMuch as error:
        raise Unreadable("size", str(error)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(
            "json", f"the file is damaged or was cut off ({error}): {_SAVE_AGAIN}"
        ) from error
    if type(version) is not int or version != 4 or cells is None:
        raise Unreadable("nbformat", _version_sentence(version, seen))
    return cells


def _text(data: bytes) -> bytes:
    """Return the file without a byte order mark, or say why it is no UTF-8 text of a notebook."""
    for start, what in _MAGIC_NUMBERS.items():
        if data.startswith(start):
            raise Unreadable("format", f"this is {what}, not a notebook: hand in the .ipynb file")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:64]:
        raise Unreadable("encoding", f"the file is not UTF-8 but UTF-16 or binary: {_SAVE_AGAIN}")
    data = data.removeprefix(codecs.BOM_UTF8)
    start = data[:200].lstrip()
    if not start:
        raise Unreadable("empty", "the file is empty: save the notebook and hand it in again")
    _check_utf8(data)
    if start.startswith(b"<"):
        raise Unreadable(
            "html", "this is a web page, not a notebook: download the .ipynb file itself"
        )
    if not start.startswith(b"{"):
        raise Unreadable(
            "format", "this is a text or a script, not a notebook: hand in the .ipynb file"
        )
    return data


def _check_utf8(data: bytes) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for start in range(0, len(data), 1 << 20):  # in pieces: the text itself is not needed
            decoder.decode(view[start : start + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise Unreadable(
            "encoding", f"the file is not UTF-8, perhaps Latin-1 or damaged: {_SAVE_AGAIN}"
        ) from error


def _top(reader: JsonReader) -> tuple[Any, tuple[Cell, ...] | None, set[str]]:
    version: Any = None
    cells: tuple[Cell, ...] | None = None
    seen = set()
    for key in reader.members():
        seen.add(key[:40])
        if key == "nbformat":
            version = _small(reader)
        elif key == "cells" and reader.starts(b"["):
            cells = tuple(_cells(reader))
        else:
            reader.skip()
    reader.end()
    return version, cells, seen


def _version_sentence(version: Any, seen: set[str]) -> str:
    if type(version) is int and version < 4 and ("worksheets" in seen or version > 0):
        return f"the notebook has the old format {version}: {_SAVE_AGAIN}"
    if type(version) is int and version > 4:
        return f"the notebook has the unknown format {str(version)[:20]}: save it as version 4"
    return f"the file is JSON but no notebook of format 4: {_SAVE_AGAIN}"


def _cells(reader: JsonReader) -> Iterator[Cell]:
    code = 0
    for number, _ in enumerate(reader.items()):
        if number >= MOST_CELLS:
            raise TooMuch(f"the notebook has more than {MOST_CELLS:,} cells: delete what is extra")
        if not reader.starts(b"{"):
            reader.skip()
            continue
        cell = _cell(reader)
        code += len(cell.source) if cell.kind == "code" else 0
        if code > _MOST_CODE:
            raise TooMuch(
                f"the notebook has more than {_MOST_CODE:,} characters of code: keep the answers "
                "and delete what is extra"
            )
        yield cell


def _cell(reader: JsonReader) -> Cell:
    wanted: dict[str, Any] = {}
    for key in reader.members():
        if key in ("id", "cell_type", "source"):
            wanted[key] = _small(reader)
        else:
            reader.skip()
    source, name = wanted.get("source"), wanted.get("id")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    text = source if isinstance(source, str) else ""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kind = wanted.get("cell_type")
    kind = kind if kind in ("code", "markdown") else "raw"
    oversized = kind == "code" and (len(text) > LARGEST_CELL or source is _TOO_LARGE)
    text = "" if oversized else text if kind == "code" else text[:_KEPT_TEXT]
    return Cell(name[:64] if isinstance(name, str) else "", kind, text, oversized)


_TOO_LARGE = object()


def _small(reader: JsonReader) -> Any:
    """Decode the next value; one that nobody could have typed is not decoded."""
    text = reader.value()
    if len(text) > _LARGEST_VALUE:
        return _TOO_LARGE
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
