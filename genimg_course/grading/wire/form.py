"""What both ends of the wire agree on: bounds, types, and how numbers are packed."""

import struct

import torch

__all__ = [
    "ARRAYS",
    "COMPLEX",
    "DEPTH",
    "DIMENSIONS",
    "DTYPES",
    "FLOAT",
    "ITEMS",
    "LENGTH",
    "LONGEST_INTEGER",
    "SIZE",
    "Stranger",
    "TooLarge",
    "WireError",
    "plain_line",
]

DEPTH = 24
"""How deep lists, tuples and dictionaries may be nested."""

ITEMS = 200_000
DIMENSIONS = 16
LONGEST_INTEGER = 1024  # bytes
_LONGEST_LINE = 200

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
        *(torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool),
        *(torch.complex64, torch.complex128),
    )
}
ARRAYS = {
    *("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16"),
    *("uint32", "uint64", "bool", "complex64", "complex128"),
}

LENGTH = struct.Struct(">I")
FLOAT = struct.Struct(">d")
COMPLEX = struct.Struct(">dd")
SIZE = struct.Struct(">q")


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
