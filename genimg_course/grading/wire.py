"""Send plain data between the grader and a box that nobody trusts: no pickle, no text to parse.

Both sides use this module. What is encoded is decided by exact type: a subclass of ``float``, of an
array or of a tensor may lie about itself, so it crosses as the name of its type, like any other
object. Floats travel as their eight bytes, tensors as dtype, shape and bytes, so that nothing is
rounded. The reader accepts a value only if every length, depth and count is within bounds.
"""

import math
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genimg_course.probing.calling import Failure

__all__ = ["DEPTH", "Stranger", "TooLarge", "WireError", "decode", "encode", "plain_line"]

DEPTH = 24
"""How deep lists, tuples and dictionaries may be nested."""

_ITEMS = 200_000
_LONGEST_INTEGER = 1024  # bytes
_LONGEST_LINE = 200
_DIMENSIONS = 16

_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
        *(torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool),
        *(torch.complex64, torch.complex128),
    )
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_ARRAYS = {
    *("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16"),
    *("uint32", "uint64", "bool", "complex64", "complex128"),
}
_SCALARS = {np.dtype(name).type for name in _ARRAYS}

_LENGTH = struct.Struct(">I")
_FLOAT = struct.Struct(">d")
_COMPLEX = struct.Struct(">dd")
_SIZE = struct.Struct(">q")


class WireError(ValueError):
    """Bytes that no honest sender writes."""


class TooLarge(ValueError):
    """A value that needs more bytes, or has more items, than may be sent."""


class Stranger:
    """Stands for an object of a type that does not cross; its class bears that type's name."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def plain_line(text: str, longest: int = _LONGEST_LINE) -> str:
    """Return the first line of a text without anything that a terminal or a page would obey."""
    line = next(iter(text.strip().splitlines()), "")
    return "".join(c if c.isprintable() else "?" for c in line[:longest])


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
        self.put(tag, _LENGTH.pack(len(data)) + data)

    def write(self, value: Any, depth: int) -> None:
        """Append a value; what lies too deep, or is of no plain type, is named by its type."""
        self._items += 1
        if self._items > _ITEMS:
            raise TooLarge(f"more than {_ITEMS} items")
        write = _WRITERS.get(type(value))
        if write is None and type(value) in _SCALARS:
            write = _write_array
        if write is None or depth > DEPTH or not write(self, value, depth):
            self.sized(b"?", _type_name(value).encode("utf-8", "replace"))


def _type_name(value: Any) -> str:
    return str(type(value).__name__)[:60]


def _write_integer(writer: _Writer, value: int, depth: int) -> bool:
    size = value.bit_length() // 8 + 1
    if size > _LONGEST_INTEGER:
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
        writer.put(tag, _LENGTH.pack(len(value)))
        for item in value:
            writer.write(item, depth + 1)
        return True

    return write


def _write_dictionary(writer: _Writer, value: dict[Any, Any], depth: int) -> bool:
    if depth == DEPTH:
        return False
    writer.put(b"d", _LENGTH.pack(len(value)))
    for key, item in value.items():
        writer.write(key, depth + 1)
        writer.write(item, depth + 1)
    return True


def _write_tensor(writer: _Writer, value: Tensor, depth: int) -> bool:
    if value.layout != torch.strided or value.dtype not in _NAMES or value.ndim > _DIMENSIONS:
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
    if name not in _ARRAYS or value.ndim > _DIMENSIONS:
        return False
    if value.nbytes > writer._largest:
        raise TooLarge(f"an array of more than {writer._largest} bytes")
    tag = b"a" if type(value) is np.ndarray else b"n"
    flat = np.ascontiguousarray(value, dtype=np.dtype(name)).reshape(-1)
    _write_block(writer, tag, name, value.shape, flat)
    return True


def _write_block(writer: _Writer, tag: bytes, name: str, shape: Any, flat: Any) -> None:
    writer.sized(tag, name.encode())
    writer.put(bytes([len(shape)]), b"".join(_SIZE.pack(int(size)) for size in shape))
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
    float: _put(b"f", _FLOAT.pack),
    complex: _put(b"c", lambda value: _COMPLEX.pack(value.real, value.imag)),
    str: _write_text,
    bytes: _write_bytes,
    list: _write_items(b"l"),
    tuple: _write_items(b"u"),
    dict: _write_dictionary,
    Tensor: _write_tensor,
    np.ndarray: _write_array,
    Failure: _write_failure,
}


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
        return int(_LENGTH.unpack(self.take(4))[0])

    def read(self, depth: int) -> Any:
        """Return the next value."""
        self._items += 1
        if self._items > _ITEMS + 1:
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
    if not 0 < len(data) <= _LONGEST_INTEGER:
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
    if count > _DIMENSIONS:
        raise WireError("too many dimensions")
    shape = [_SIZE.unpack(reader.take(8))[0] for _ in range(count)]
    if reader.take(1) != b"b":
        raise WireError("a block without bytes")
    data = reader.sized()
    if min(shape, default=0) < 0 or math.prod(shape) * size != len(data):
        raise WireError("a block whose size is not its shape's")
    return name, shape, data


def _torch_size(name: str) -> int:
    if name not in _DTYPES:
        raise WireError("an unknown dtype")
    return _DTYPES[name].itemsize


def _numpy_size(name: str) -> int:
    if name not in _ARRAYS:
        raise WireError("an unknown dtype")
    return np.dtype(name).itemsize


def _read_tensor(reader: _Reader, depth: int) -> Tensor:
    name, shape, data = _read_block(reader, _torch_size)
    if not data:
        return torch.empty(shape, dtype=_DTYPES[name])
    if name == "bool":  # a byte that is neither 0 nor 1 would be a strange truth
        return (torch.frombuffer(bytearray(data), dtype=torch.uint8) != 0).reshape(shape)
    return torch.frombuffer(bytearray(data), dtype=_DTYPES[name]).reshape(shape)


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
    b"f": lambda reader, depth: _FLOAT.unpack(reader.take(8))[0],
    b"c": lambda reader, depth: complex(*_COMPLEX.unpack(reader.take(16))),
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
