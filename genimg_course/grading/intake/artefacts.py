"""Look at the files that came with a notebook: their first bytes only, nothing is decoded here.

PNG, JPEG and safetensors are kept. Whatever would have to be unpickled, unpacked or rendered to be
looked at is refused, whatever its name says.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any

from genimg_course.grading.intake.files import Entry, Refused

__all__ = ["Artefact", "examine"]

LARGEST_PICTURE = 20_000_000
LARGEST_WEIGHTS = 200_000_000
_LONGEST_SIDE, _MOST_PIXELS = 8192, 16_777_216
_LARGEST_HEADER = 1_000_000
_MOST_SEGMENTS = 1_000  # of a JPEG, above its picture
_SUFFIXES = {
    "png": "png",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "safetensors": "safetensors",
}
_DTYPE_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64"), 8),
}
_OTHER = "only PNG, JPEG and safetensors files are taken beside a notebook"


@dataclass(frozen=True)
class Artefact:
    """A file that may be looked at further, inside the sandbox.

    Args:
        name: the file's name.
        kind: ``"png"``, ``"jpeg"`` or ``"safetensors"``.
        sha256: of its content.
        size: bytes.
        width: of a picture, pixels; 0 for weights.
        height: of a picture, pixels; 0 for weights.
        tensors: how many a file of weights says that it holds; 0 for a picture.
    """

    name: str
    kind: str
    sha256: str
    size: int
    width: int = 0
    height: int = 0
    tensors: int = 0


def examine(entry: Entry) -> Artefact:
    """Return what the first bytes of a file say.

    Raises:
        Refused: ``artefact`` if it is no ordinary file of a fair size, ``format`` if it is no
            file of a kind that is taken, ``image`` if a picture is damaged or cannot be compared.
    """
    name = entry.parts[-1]
    kind = _SUFFIXES.get(name.rpartition(".")[2].lower() if "." in name else "")
    if kind is None:
        _refuse_links(entry)
        raise Refused("format", _OTHER)
    limit = LARGEST_WEIGHTS if kind == "safetensors" else LARGEST_PICTURE
    data = _read(entry, limit)
    facts = {"png": _png, "jpeg": _jpeg, "safetensors": _safetensors}[kind](data)
    return Artefact(name, kind, hashlib.sha256(data).hexdigest(), len(data), **facts)


def _read(entry: Entry, limit: int) -> bytes:
    try:
        return entry.read(limit).data
    except Refused as refused:
        if refused.reason not in ("link", "size", "unreadable"):
            raise
        what = f"the file has more than {limit // 1_000_000} MB"
        sentence = what if refused.reason == "size" else refused.message
        raise Refused("artefact", sentence) from refused


def _refuse_links(entry: Entry) -> None:
    try:
        _read(entry, 0)
    except Refused as refused:
        if "MB" not in refused.message:
            raise


def _png(data: bytes) -> dict[str, int]:
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise Refused("format", f"the file is not a PNG picture, though its name says so; {_OTHER}")
    if len(data) < 45 or data[12:16] != b"IHDR" or b"IEND" not in data[-64:]:
        raise Refused("image", "the picture is cut off: save it again")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    if depth > 8 or colour not in (0, 2, 3, 4, 6):
        raise Refused("image", f"the picture has {depth} bits a channel: save it with 8")
    return _sides(width, height)


def _jpeg(data: bytes) -> dict[str, int]:
    if not data.startswith(b"\xff\xd8\xff"):
        raise Refused(
            "format", f"the file is not a JPEG picture, though its name says so; {_OTHER}"
        )
    frame = _frame(data)
    if frame is None or b"\xff\xd9" not in data[-64:]:
        raise Refused("image", "the picture is cut off: save it again")
    depth, height, width, channels = struct.unpack(">BHHB", frame)
    if channels not in (1, 3):
        raise Refused("image", f"the picture has {channels} channels (CMYK?): save it as RGB")
    if depth != 8:
        raise Refused("image", f"the picture has {depth} bits a channel: save it with 8")
    return _sides(width, height)


def _frame(data: bytes) -> bytes | None:
    """Return depth, height, width and channels as the header has them, or None."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if at + 10 > len(data) or data[at] != 0xFF:
            return None
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return data[at + 4 : at + 10]
        if marker != 0xFF and length < 2:
            return None
        at += 1 if marker == 0xFF else 2 + length  # 0xFF twice is padding
    return None


def _sides(width: int, height: int) -> dict[str, int]:
    if not (0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE):
        raise Refused("image", f"the picture has {width} x {height} pixels: at most 8192 a side")
    if width * height > _MOST_PIXELS:
        raise Refused("image", f"the picture has {width} x {height} pixels: at most 16 million")
    return {"width": width, "height": height}


def _safetensors(data: bytes) -> dict[str, int]:
    try:
        return {"tensors": _tensors(data)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Refused(
            "format",
            "the file is not a safetensors file, though its name says so: save the weights "
            "with safetensors",
        ) from error


def _tensors(data: bytes) -> int:
    """Check the header against the file's length: tensors lie one after another, without gaps."""
    size = int.from_bytes(data[:8], "little")
    if not 2 <= size <= min(_LARGEST_HEADER, len(data) - 8) or data[8:9] != b"{":
        raise ValueError("no header")
    header = json.loads(data[8 : 8 + size], object_pairs_hook=_without_repeats)
    header.pop("__metadata__", None)
    end = 0
    for item in sorted(header.values(), key=lambda item: tuple(item["data_offsets"])):
        start, stop = item["data_offsets"]
        if type(start) is not int or start != end or stop - start != _bytes(item):
            raise ValueError("tensors overlap or leave gaps")
        end = stop
    if end != len(data) - 8 - size:
        raise ValueError("the file is longer or shorter than its header says")
    return len(header)


def _bytes(item: dict[str, Any]) -> int:
    count = _DTYPE_BYTES[item["dtype"]]
    for side in item["shape"]:
        if type(side) is not int or side < 0:
            raise ValueError("a shape is made of whole numbers")
        count *= side
    return count


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a name is used twice")
    return dict(pairs)
