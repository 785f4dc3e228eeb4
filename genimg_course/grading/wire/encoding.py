"""From plain data to bytes; what is not plain crosses as the name of its type."""

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
    TooLarge,
)
from genimg_course.probing.calling import Failure

__all__ = ["encode"]

_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_SCALARS = {np.dtype(name).type for name in ARRAYS}


def encode(value: Any, largest: int) -> bytes:
    """Return a value as bytes.

    Args:
        value: plain data; anything else in it is replaced by the name of its type.
        largest: the most bytes that may come out.

    Raises:
        TooLarge: if it would take more bytes, or more than 200,000 items.
    """
    writer = _Writer(largest)
    writer.write(value, 0)
    return bytes(writer.out)


class _Writer:
    def __init__(self, largest: int) -> None:
        self.out = bytearray()
        self._largest = largest
        self._items = 0

    def put(self, tag: bytes, data: bytes = b"") -> None:
        """Append a tag and bytes whose length the tag tells."""
        if len(self.out) + len(data) + 1 > self._largest:
            raise TooLarge(f"more than {self._largest} bytes")
        self.out += tag + data

    def sized(self, tag: bytes, data: bytes) -> None:
        """Append a tag, a length and that many bytes."""
        if len(data) > self._largest:
            raise TooLarge(f"more than {self._largest} bytes")
        self.put(tag, LENGTH.pack(len(data)) + data)

    def write(self, value: Any, depth: int) -> None:
        """Append a value; what lies too deep, or is of no plain type, is named by its type."""
        self._items += 1
        if self._items > ITEMS:
            raise TooLarge(f"more than {ITEMS} items")
        write = _WRITERS.get(type(value))
        if write is None and type(value) in _SCALARS:
            write = _write_array
        if write is None or depth > DEPTH or not write(self, value, depth):
            self.sized(b"?", _type_name(value).encode("utf-8", "replace"))


def _type_name(value: Any) -> str:
    return str(type(value).__name__)[:60]


def _write_integer(writer: _Writer, value: int, depth: int) -> bool:
    size = value.bit_length() // 8 + 1
    if size > LONGEST_INTEGER:
        return False
    writer.sized(b"i", value.to_bytes(size, "big", signed=True))
    return True


def _write_text(writer: _Writer, value: str, depth: int) -> bool:
    if len(value) > writer._largest:
        raise TooLarge(f"more than {writer._largest} bytes")
    writer.sized(b"s", value.encode("utf-8", "replace"))
    return True


def _write_items(tag: bytes) -> Callable[[_Writer, Any, int], bool]:
    def write(writer: _Writer, value: Any, depth: int) -> bool:
        if depth == DEPTH:
            return False
        writer.put(tag, LENGTH.pack(len(value)))
        for item in value:
            writer.write(item, depth + 1)
        return True

    return write


def _write_dictionary(writer: _Writer, value: dict[Any, Any], depth: int) -> bool:
    if depth == DEPTH:
        return False
    writer.put(b"d", LENGTH.pack(len(value)))
    for key, item in value.items():
        writer.write(key, depth + 1)
        writer.write(item, depth + 1)
    return True


def _write_tensor(writer: _Writer, value: Tensor, depth: int) -> bool:
    if value.layout != torch.strided or value.dtype not in _NAMES or value.ndim > DIMENSIONS:
        return False
    if value.device.type != "cpu" or value.numel() * value.element_size() > writer._largest:
        if value.device.type == "cpu":
            raise TooLarge(f"a tensor of more than {writer._largest} bytes")
        return False
    flat = value.detach().resolve_conj().resolve_neg().reshape(-1)
    # one entry may have any stride, and only a fresh copy surely has the stride of its bytes
    flat = flat.clone(memory_format=torch.contiguous_format)
    _write_block(writer, b"t", _NAMES[value.dtype], value.shape, flat.view(torch.uint8).numpy())
    return True


def _write_array(writer: _Writer, value: Any, depth: int) -> bool:
    name = value.dtype.name
    if name not in ARRAYS or value.ndim > DIMENSIONS:
        return False
    if value.nbytes > writer._largest:
        raise TooLarge(f"an array of more than {writer._largest} bytes")
    tag = b"a" if type(value) is np.ndarray else b"n"
    flat = np.ascontiguousarray(value, dtype=np.dtype(name)).reshape(-1)
    _write_block(writer, tag, name, value.shape, flat)
    return True


def _write_block(writer: _Writer, tag: bytes, name: str, shape: Any, flat: Any) -> None:
    writer.sized(tag, name.encode())
    writer.put(bytes([len(shape)]), b"".join(SIZE.pack(int(size)) for size in shape))
    writer.sized(b"b", flat.tobytes())


def _write_failure(writer: _Writer, value: Failure, depth: int) -> bool:
    writer.put(b"!")
    for item in (value.kind, value.text, value.line, value.code):
        writer.write(item, depth + 1)
    return True


def _put(tag: bytes, pack: Callable[[Any], bytes]) -> Callable[[_Writer, Any, int], bool]:
    def write(writer: _Writer, value: Any, depth: int) -> bool:
        writer.put(tag, pack(value))
        return True

    return write


def _write_bytes(writer: _Writer, value: bytes, depth: int) -> bool:
    writer.sized(b"b", value)
    return True


_WRITERS: dict[type, Callable[[_Writer, Any, int], bool]] = {
    type(None): _put(b"0", lambda _: b""),
    bool: _put(b"B", lambda value: b"\1" if value else b"\0"),
    int: _write_integer,
    float: _put(b"f", FLOAT.pack),
    complex: _put(b"c", lambda value: COMPLEX.pack(value.real, value.imag)),
    str: _write_text,
    bytes: _write_bytes,
    list: _write_items(b"l"),
    tuple: _write_items(b"u"),
    dict: _write_dictionary,
    Tensor: _write_tensor,
    np.ndarray: _write_array,
    Failure: _write_failure,
}
