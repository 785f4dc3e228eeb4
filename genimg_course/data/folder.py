"""The reader's own pictures: a folder of files becomes a set of equal squares."""

import hashlib
import os
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from genimg_course.data.sets import Card, DataError, ImageSet

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["load_folder"]

_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
_SHARES = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}
_File = tuple[str, int, int]  # name relative to the folder, bytes, time of change


def load_folder(
    path: str | Path, *, size: int = 64, split: str = "train", count: int | None = None
) -> ImageSet:
    """Load every picture of a folder as a square.

    The middle square of a picture is cut out and resized with anti-aliasing. Cameras' notes on
    orientation are obeyed, transparent parts become white, 16 bits become 8. If every picture of
    the folder is grey, they have one channel, else three.

    Args:
        path: folder with png, jpg, jpeg, webp or bmp files; if it has sub-folders with pictures,
            they are the classes.
        size: side of the squares in pixels, from 8 to 512.
        split: "train", "validation" or "test": about 80, 10 and 10 per cent, decided by each
            file's name, so a picture stays where it is when others come or go.
        count: how many pictures, a fixed random choice; None takes the whole split.

    Returns:
        The pictures, with labels if there are classes.

    Raises:
        ValueError: if the size or the count is impossible.
        DataError: if the folder is missing or has no pictures, or one of them cannot be read.
    """
    if not 8 <= size <= 512:
        raise ValueError(f"size is {size}; pictures of a folder can have 8 to 512 pixels a side")
    folder = Path(path).expanduser().resolve()
    files = _files(folder)
    chosen = _chosen([name for name, _, _ in files], split)
    if not chosen:
        raise DataError(
            f"none of the {len(files)} pictures in {folder} fell into the split {split!r}: add "
            "pictures or choose another split"
        )
    if count is not None and count > len(chosen):
        raise ValueError(f"count is {count}; {folder} has {len(chosen)} {split} pictures")
    return _whole_folder(folder, size, files).select(chosen[:count])


def _chosen(names: list[str], split: str) -> list[int]:
    """Return which names fall into a split, shuffled, so that the first few are a fair sample."""
    low, high = _SHARES[split]
    ranks = sorted((_unit(name), i) for i, name in enumerate(names))
    return [i for unit, i in ranks if low <= unit < high]


def _files(folder: Path) -> tuple[_File, ...]:
    """List the pictures of a folder in the order of their names."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: check the path behind 'folder:'")
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        paths = [Path(parent, name) for name in files if not name.startswith(".")]
        found += [path for path in paths if path.suffix.lower() in _ENDINGS]
    if not found:
        raise DataError(f"{folder} has no pictures: put png, jpg, jpeg, webp or bmp files there")
    return tuple(sorted((path.relative_to(folder).as_posix(), *_state(path)) for path in found))


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0  # a link to nothing, for one: reading it will say so
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=1)
def _whole_folder(folder: Path, size: int, files: tuple[_File, ...]) -> ImageSet:
    """Read all splits at once: whether a folder is grey must not depend on the split."""
    classes, labels = _classes(folder, [name for name, _, _ in files])
    pictures = np.stack([_read(folder / name, size) for name, _, _ in files])
    grey = bool((pictures == pictures[..., :1]).all())
    images = torch.from_numpy(pictures[..., :1] if grey else pictures).permute(0, 3, 1, 2)
    card = Card(
        name=f"folder:{folder}",
        title=f"Pictures in {folder.name}",
        licence="that of the pictures; check it before you publish anything made with them",
        source=str(folder),
        shape=(images.shape[1], size, size),
        classes=classes,
    )
    return ImageSet(images.contiguous(), labels, card)


def _classes(folder: Path, names: list[str]) -> tuple[tuple[str, ...], torch.Tensor | None]:
    parents = [name.split("/")[0] if "/" in name else "" for name in names]
    classes = sorted(set(parents))
    if classes == [""]:
        return (), None
    if classes[0] == "":
        raise DataError(
            f"{folder / names[parents.index('')]} lies beside sub-folders with pictures: move it "
            "into one of them, because they are the classes"
        )
    return tuple(classes), torch.tensor([classes.index(parent) for parent in parents])


def _unit(name: str) -> float:
    # macOS and Linux may spell an accented letter differently
    digest = hashlib.sha256(unicodedata.normalize("NFC", name).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _read(path: Path, size: int) -> np.ndarray:
    """Read a picture as ``uint8``, ``(size, size, 3)``."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            square = ImageOps.fit(_to_rgb(upright), (size, size), Image.Resampling.LANCZOS)
        return np.asarray(square)
    except Exception as error:  # Pillow's decoders raise whatever their code meets
        reason = " ".join(str(error).replace(repr(str(path)), "it").split())
        raise DataError(
            f"{path} cannot be read as a picture ({reason}): repair it or take it out of the folder"
        ) from error


def _to_rgb(image: "Image") -> "Image":
    from PIL import Image as module

    if image.mode.startswith(("I", "F")):  # convert() would clip 16 bits to 255
        values = np.asarray(image).astype(np.float64) / 257
        image = module.fromarray(values.round().clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = module.new("RGBA", image.size, "white")
        image = module.alpha_composite(white, image)
    return image.convert("RGB")
