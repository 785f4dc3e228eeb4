"""Walk through JSON without decoding it: what is not wanted is stepped over, not built."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

__all__ = ["JsonReader", "TooMuch"]

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,:\"\[\]{}]{1,1000}+")
_FLAT = re.compile(rb'[^"\[\]{}]*+')  # from one bracket or text to the next
_MOST_TURNS = 3_000_000  # brackets and texts in all that is stepped over
_KEY = 10  # what a key that is decoded counts, in such turns
_LONGEST_KEY = 10_000


class TooMuch(ValueError):
    """The text is legal, but larger than anything that a person hands in."""


class JsonReader:
    """A place in a JSON text.

    Args:
        data: UTF-8 without a byte order mark.

    What is stepped over is only checked for balanced brackets and closed texts: nobody reads it.
    """

    def __init__(self, data: bytes):
        self._data, self._at, self._turns = data, 0, 0

    def starts(self, bracket: bytes) -> bool:
        """Tell whether the next value starts with this character."""
        self._space()
        return self._data.startswith(bracket, self._at)

    def members(self) -> Iterator[str]:
        """Yield the keys of the object that comes next; the caller consumes each value.

        Raises:
            ValueError: if the text is no JSON here.
        """
        self._take(b"{")
        while not self._closes(b"}"):
            self._turn(_KEY)
            key = self._match(_STRING, "a name in quotes")
            if len(key) > _LONGEST_KEY:
                raise TooMuch("the notebook has a name of more than 10,000 characters")
            self._take(b":")
            yield str(json.loads(key, strict=False))
            self._separator(b"}")

    def items(self) -> Iterator[None]:
        """Yield once for each value of the array that comes next; the caller consumes it.

        Raises:
            ValueError: if the text is no JSON here.
        """
        self._take(b"[")
        while not self._closes(b"]"):
            yield None
            self._separator(b"]")

    def value(self) -> bytes:
        """Step over one value and return its text; errors as in :meth:`skip`."""
        self._space()
        start = self._at
        self.skip()
        return self._data[start : self._at]

    def skip(self) -> None:
        """Step over one value.

        Raises:
            ValueError: if the text ends before the value does.
            TooMuch: if the values stepped over have millions of parts.
        """
        self._space()
        depth = 0
        while True:
            self._turn(1)
            character = self._data[self._at : self._at + 1]
            if character == b'"':
                self._match(_STRING, "the end of a text")
            elif character and character in b"[{":
                depth, self._at = depth + 1, self._at + 1
            elif character and character in b"]}" and depth:
                depth, self._at = depth - 1, self._at + 1
            else:
                self._match(_SCALAR, "a value")
            if not depth:
                return
            self._at = _FLAT.match(self._data, self._at).end()  # type: ignore[union-attr]

    def end(self) -> None:
        """Check that nothing follows.

        Raises:
            ValueError: if something does.
        """
        self._space()
        if self._at < len(self._data):
            raise self._expected("the end of the file")

    def _turn(self, cost: int) -> None:
        self._turns += cost
        if self._turns > _MOST_TURNS:
            raise TooMuch(
                "the notebook holds too much beside its cells' text: clear all outputs and save it"
            )

    def _space(self) -> None:
        self._at = _SPACE.match(self._data, self._at).end()  # type: ignore[union-attr]

    def _closes(self, bracket: bytes) -> bool:
        self._space()
        if not self._data.startswith(bracket, self._at):
            return False
        self._at += 1
        return True

    def _take(self, character: bytes) -> None:
        if not self._closes(character):
            raise self._expected(character.decode())

    def _separator(self, bracket: bytes) -> None:
        if not self._closes(b",") and not self.starts(bracket):
            raise self._expected(f"a comma or {bracket.decode()}")

    def _match(self, pattern: re.Pattern[bytes], what: str) -> bytes:
        self._space()
        found = pattern.match(self._data, self._at)
        if not found:
            raise self._expected(what)
        self._at = found.end()
        return found[0]

    def _expected(self, what: str) -> ValueError:
        if self._at >= len(self._data):
            return ValueError("it ends in the middle")
        line = self._data.count(b"\n", 0, self._at) + 1
        return ValueError(f"line {line}: {what} is expected")
