"""Messages over a pipe: four bytes that tell a length, and that many bytes."""

import os
import struct

__all__ = ["EXHAUSTED", "HEADER", "read_frame", "write_frame"]

EXHAUSTED = 70  # the exit status of a child that could not reply any more
HEADER = struct.Struct(">I")


def read_frame(number: int, largest: int) -> bytes | None:
    """Return the next message of a blocking pipe; ``None`` at its end.

    Raises:
        ValueError: if the message is longer than it may be, or cut.
    """
    header = _read(number, HEADER.size)
    if not header:
        return None
    (length,) = HEADER.unpack(header)
    if length > largest:
        raise ValueError(f"a message of {length} bytes: at most {largest} are read")
    data = _read(number, length)
    if len(data) < length:
        raise ValueError("a message was cut")
    return data


def write_frame(number: int, data: bytes) -> None:
    """Write a message to a blocking pipe."""
    left = memoryview(HEADER.pack(len(data)) + data)
    while left:
        left = left[os.write(number, left) :]


def _read(number: int, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        data = os.read(number, min(count - len(found), 1 << 20))
        if not data:
            break
        found += data
    return bytes(found)
