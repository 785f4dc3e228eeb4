"""From bytes that nobody has to trust back to plain data."""

import math
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genimg_course.grading.wire.form import (
    ARRAYS,
    COMPLEX,
    DEPTH,
    DIMENSIONS,
    DTYPES,
    FLOAT,
    ITEMS,
    LENGTH,
    LONGEST_INTEGER,
    SIZE,
    Stranger,
    WireError,
    plain_line,
)
from genimg_course.probing.calling import Failure

__all__ = ["decode"]


def decode(data: bytes) -> Any:
    """Return the value that bytes hold.

    Raises:
        WireError: if they are not exactly one value, or if it is nested too deep.
    """
    reader = _Reader(data)
    try:
        value = reader.read(0)
    except WireError:
        raise
    except (ValueError, struct.error, OverflowError, RuntimeError, TypeError) as error:
        raise WireError(f"a damaged value: {type(error).__name__}") from error
    if reader.at != len(data):
        raise WireError("bytes after the value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self.at = 0
        self._items = 0

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        if count > len(self._data) - self.at:
            raise WireError("the value ends too early")
        self.at += count
        return bytes(self._data[self.at - count : self.at])

    def sized(self) -> bytes:
        """Return as many bytes as the next length says."""
        return self.take(self.count())

    def count(self) -> int:
        """Return the next length."""
        return int(LENGTH.unpack(self.take(4))[0])

    def read(self, depth: int) -> Any:
        """Return the next value."""
        self._items += 1
        if self._items > ITEMS + 1:
            raise WireError("too many items")
        if depth > DEPTH:
            raise WireError("nested too deep")
        tag = self.take(1)
        if tag not in _READERS:
            raise WireError("an unknown tag")
        return _READERS[tag](self, depth)


def _read_bool(reader: _Reader, depth: int) -> bool:
    value = reader.take(1)
    if value not in (b"\0", b"\1"):
        raise WireError("a truth value is one bit")
    return value == b"\1"


def _read_integer(reader: _Reader, depth: int) -> int:
    data = reader.sized()
    if not 0 < len(data) <= LONGEST_INTEGER:
        raise WireError("an integer of this length is not sent")
    return int.from_bytes(data, "big", signed=True)


def _read_items(reader: _Reader, depth: int) -> list[Any]:
    return [reader.read(depth + 1) for _ in range(reader.count())]


def _read_dictionary(reader: _Reader, depth: int) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for _ in range(reader.count()):
        key = reader.read(depth + 1)  # an unhashable one is a TypeError: see decode
        found[key] = reader.read(depth + 1)
    return found


def _read_block(reader: _Reader, itemsize: Callable[[str], int]) -> tuple[str, list[int], bytes]:
    name = reader.sized().decode("ascii")
    size = itemsize(name)
    count = reader.take(1)[0]
    if count > DIMENSIONS:
        raise WireError("too many dimensions")
    shape = [SIZE.unpack(reader.take(8))[0] for _ in range(count)]
    if reader.take(1) != b"b":
        raise WireError("a block without bytes")
    data = reader.sized()
    if min(shape, default=0) < 0 or math.prod(shape) * size != len(data):
        raise WireError("a block whose size is not its shape's")
    return name, shape, data


def _torch_size(name: str) -> int:
    if name not in DTYPES:
        raise WireError("an unknown dtype")
    return DTYPES[name].itemsize


def _numpy_size(name: str) -> int:
    if name not in ARRAYS:
        raise WireError("an unknown dtype")
    return np.dtype(name).itemsize


def _read_tensor(reader: _Reader, depth: int) -> Tensor:
    name, shape, data = _read_block(reader, _torch_size)
    if not data:
        return torch.empty(shape, dtype=DTYPES[name])
    if name == "bool":  # a byte that is neither 0 nor 1 would be a strange truth
        return (torch.frombuffer(bytearray(data), dtype=torch.uint8) != 0).reshape(shape)
    return torch.frombuffer(bytearray(data), dtype=DTYPES[name]).reshape(shape)


def _read_array(reader: _Reader, depth: int) -> Any:
    name, shape, data = _read_block(reader, _numpy_size)
    flat = np.frombuffer(data, dtype=np.uint8 if name == "bool" else name)
    return (flat != 0 if name == "bool" else flat.copy()).reshape(shape)


def _read_scalar(reader: _Reader, depth: int) -> Any:
    array = _read_array(reader, depth)
    if array.shape != ():
        raise WireError("a scalar with a shape")
    return array[()]


def _read_failure(reader: _Reader, depth: int) -> Failure:
    kind, text, line, code = (reader.read(depth + 1) for _ in range(4))
    if not all(type(item) is str for item in (kind, text, code)):
        raise WireError("a failure without texts")
    if line is not None and not (type(line) is int and 0 <= line < 10**6):
        raise WireError("a failure in no line")
    return Failure(plain_line(kind, 60), plain_line(text), line, plain_line(code))


def _read_stranger(reader: _Reader, depth: int) -> Stranger:
    name = re.sub(r"\W", "_", reader.sized().decode("utf-8", "replace"))[:60]
    return type(name or "object", (Stranger,), {})()


_READERS: dict[bytes, Callable[[_Reader, int], Any]] = {
    b"0": lambda reader, depth: None,
    b"B": _read_bool,
    b"i": _read_integer,
    b"f": lambda reader, depth: FLOAT.unpack(reader.take(8))[0],
    b"c": lambda reader, depth: complex(*COMPLEX.unpack(reader.take(16))),
    b"s": lambda reader, depth: reader.sized().decode("utf-8"),
    b"b": lambda reader, depth: reader.sized(),
    b"l": _read_items,
    b"u": lambda reader, depth: tuple(_read_items(reader, depth)),
    b"d": _read_dictionary,
    b"t": _read_tensor,
    b"a": _read_array,
    b"n": _read_scalar,
    b"!": _read_failure,
    b"?": _read_stranger,
}
