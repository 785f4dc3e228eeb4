"""A folder for what is slow to make: found politely, written whole, checked when read."""

import hashlib
import io
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from genimg_course.files import write_whole
from genimg_course.folders import cache_folder

__all__ = ["remember"]

Arrays = dict[str, np.ndarray]
_CHECKSUM_BYTES = 64


def remember(name: str, make: Callable[[], Arrays]) -> Arrays:
    """Read arrays from the cache, or make them and keep them there if that is possible.

    Args:
        name: name of the file, without its ending; says everything the arrays depend on.
        make: makes the arrays.

    Returns:
        The arrays by name. A damaged file is reported by a warning, never used, and replaced.
    """
    folder = cache_folder()
    if folder is None:
        return make()
    path = folder / f"{name}.npz"
    stored = _read(path)
    if stored is not None:
        return stored
    arrays = make()
    _write(path, arrays)
    return arrays


def _read(path: Path) -> Arrays | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None  # not there, or not ours to read
    body, checksum = content[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
    if _checksum(body) != checksum:
        warnings.warn(f"{path} is damaged and is made again", stacklevel=2)
        return None
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _write(path: Path, arrays: Arrays) -> None:
    body = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez(body, **named)
    with suppress(OSError):  # a cache that cannot be written is only slower
        path.parent.mkdir(parents=True, exist_ok=True)
        # what follows the end of an archive is no part of it: the file is still a valid .npz
        write_whole(path, body.getvalue() + _checksum(body.getvalue()))


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
