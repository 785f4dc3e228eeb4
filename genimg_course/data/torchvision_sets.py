"""MNIST and Fashion-MNIST, loaded by torchvision and checked before anything is trained on them.

torchvision checks what it downloads, but afterwards only that the unpacked files exist. Here their
size and md5 are checked as well, on the first load in each process.

Source:
    Le Cun, Bottou, Bengio and Haffner (1998), https://doi.org/10.1109/5.726791
    Xiao, Rasul and Vollgraf (2017), https://arxiv.org/abs/1708.07747
"""

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from genimg_course.data.download import ALTERNATIVE, complete, plain_loader
from genimg_course.data.sets import Card, DataError, ImageSet
from genimg_course.folders import data_folder

__all__ = ["NAMES", "load_downloaded"]


class _Source(NamedTuple):
    loader: str  # the class in torchvision.datasets, and its folder
    md5: dict[str, str]  # of the unpacked files
    card: Card


_MNIST = _Source(
    loader="MNIST",
    md5={
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    card=Card(
        name="mnist",
        title="MNIST, handwritten digits",
        licence="CC BY-SA 3.0, copyright Yann LeCun and Corinna Cortes",
        source="torchvision.datasets.MNIST",
        shape=(1, 28, 28),
        classes=tuple("0123456789"),
        citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to "
        "document recognition. Proceedings of the IEEE 86(11), 1998",
    ),
)
_FASHION_MNIST = _Source(
    loader="FashionMNIST",
    md5={
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
    card=Card(
        name="fashion_mnist",
        title="Fashion-MNIST, articles of clothing",
        licence="MIT, copyright 2017 Zalando SE",
        source="torchvision.datasets.FashionMNIST",
        shape=(1, 28, 28),
        classes=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        citation="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for "
        "benchmarking machine learning algorithms. arXiv:1708.07747, 2017",
    ),
)
_SOURCES = {"mnist": _MNIST, "fashion_mnist": _FASHION_MNIST}
NAMES = tuple(_SOURCES)
_BYTES = {
    "train-images-idx3-ubyte": 16 + 60_000 * 28 * 28,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 28 * 28,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}
_ROWS = {"train": slice(0, 50_000), "validation": slice(50_000, 60_000), "test": slice(0, 10_000)}


def load_downloaded(
    name: str, *, size: int = 28, split: str = "train", count: int | None = None
) -> ImageSet:
    """Load MNIST or Fashion-MNIST, downloading it the first time.

    The files live in ``GENIMG_DATA_DIR``, else in ``data`` in the cache folder, in the layout of
    torchvision: what torchvision has already downloaded there is used.

    Args:
        name: "mnist" or "fashion_mnist".
        size: side of the pictures; others than 28 are made by anti-aliased resizing, 4 to 128.
        split: "train" (the first 50,000 of torchvision's training set), "validation" (its last
            10,000) or "test".
        count: how many pictures, from the first on; None takes the whole split.

    Returns:
        Grey pictures with labels.

    Raises:
        ValueError: if the size or the count is impossible.
        DataError: if the files cannot be had, are truncated or altered.
    """
    rows = _rows(name, split, count)
    if not 4 <= size <= 128:
        raise ValueError(f"size is {size}; {name} can be resized to 4 to 128 pixels a side")
    source = _SOURCES[name]
    root = _data_folder(name)
    complete(root, source.loader, files=tuple(_BYTES))
    part = "t10k" if split == "test" else "train"
    for file in (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"):
        _check(root / source.loader / "raw" / file, source.md5[file], name)
    images, labels = _read(root, source.loader, train=part == "train")
    card = replace(source.card, shape=(1, size, size))
    return ImageSet(_resize(images[rows, None], size), labels[rows].clone(), card)


def _rows(name: str, split: str, count: int | None) -> slice:
    rows = _ROWS[split]
    if count is None:
        return rows
    if count > rows.stop - rows.start:
        raise ValueError(f"count is {count}; {name} has {rows.stop - rows.start} {split} pictures")
    return slice(rows.start, rows.start + count)


def _data_folder(name: str) -> Path:
    folder = data_folder()
    if folder is None:
        raise DataError(
            f"there is no folder for the files of {name}: set GENIMG_DATA_DIR to one, {ALTERNATIVE}"
        )
    return folder


def _check(path: Path, md5: str, name: str) -> None:
    """Refuse a file that is not, byte for byte, the published one."""
    remedy = f"delete it and load {name!r} again, {ALTERNATIVE}"
    try:
        status = path.stat()
        found = _md5(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): {remedy}") from error
    if status.st_size != _BYTES[path.name]:
        raise DataError(
            f"{path} has {status.st_size:,} bytes instead of {_BYTES[path.name]:,}: {remedy}"
        )
    if found != md5:
        raise DataError(f"{path} was altered (its md5 is {found} instead of {md5}): {remedy}")


@lru_cache(maxsize=16)
def _md5(path: Path, size: int, modified: int) -> str:
    """Return the md5 of a file; size and time of change make an edited file a new one."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _read(root: Path, loader: str, *, train: bool) -> tuple[Tensor, Tensor]:
    dataset = plain_loader(loader)(str(root), train=train)
    return dataset.data, dataset.targets


def _resize(images: Tensor, size: int) -> Tensor:
    if images.shape[-1] == size:
        return images.clone()
    parts = [
        interpolate(part.float(), size=(size, size), mode="bilinear", antialias=True)
        .round()
        .to(torch.uint8)
        for part in images.split(5_000)
    ]
    return torch.cat(parts)
