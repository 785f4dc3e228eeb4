"""The set "glyphs": digits 0 to 9 drawn from the text fonts that come with Matplotlib.

It needs no download, and everything about each picture is known: its class, its font, and how the
digit was turned, slanted, scaled and shifted. Ink is white on black, as in MNIST. The same split,
seed and count show the same digits at every size. On one machine the bytes are always the same;
another Matplotlib changes a pixel in a thousand by one grey level.

Held-out fonts. "train" and "validation" are drawn from 16 fonts, "test" from 4 others, one or two
of each family (DejaVu, STIX, Computer Modern). Many of the fonts are near copies of each other:
once slant and proportions are undone, the digits of DejaVu Sans, its oblique and DejaVu Sans Mono
differ in 3 to 9 per cent of their ink (one minus intersection over union, mean of the digits).
Holding out one of those would test memory. The held-out fonts are 19 to 21 per cent away from the
nearest training font, which keeps the test honest; and boldness, slant, serifs and their absence
all occur in training, which keeps it fair.
"""

import hashlib
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from genimg_course.data.cache import remember
from genimg_course.data.drawing import FONTS, draw
from genimg_course.data.sets import Card, ImageSet

__all__ = ["FONTS", "HELD_OUT_FONTS", "RANGES", "TRAINING_FONTS", "load_glyphs"]

HELD_OUT_FONTS = ("DejaVuSerif-Bold", "DejaVuSerif-BoldItalic", "STIXGeneralItalic", "cmss10")
TRAINING_FONTS = tuple(font for font in FONTS if font not in HELD_OUT_FONTS)
# at the ends of all ranges together, no ink of any digit leaves the picture
RANGES = {
    "rotation": (-12.0, 12.0),
    "slant": (-0.15, 0.15),
    "scale": (0.85, 1.1),
    "shift_x": (-0.06, 0.06),
    "shift_y": (-0.06, 0.06),
}
_COUNTS = {"train": 20_000, "validation": 4_000, "test": 4_000}
_RECIPE = 2  # raise it with every change of the pictures: it is part of the cache's names
_WORTH_STORING = 1_000  # fewer pictures are drawn faster than they are read


def load_glyphs(
    *, size: int = 28, split: str = "train", count: int | None = None, seed: int = 0
) -> ImageSet:
    """Draw digits, or read them from the cache.

    Args:
        size: side of a picture in pixels, from 12 to 64.
        split: "train", "validation" (other draws of the same fonts) or "test" (other fonts).
        count: how many pictures; None takes 20,000 to train and 4,000 else.
        seed: which draw; any integer.

    Returns:
        Grey pictures with their factors; classes and fonts are balanced.

    Raises:
        ValueError: if the size is impossible.

    >>> load_glyphs(size=16, count=30).factors["rotation"].shape
    torch.Size([30])
    """
    if not 12 <= size <= 64:
        raise ValueError(f"size is {size}; glyphs are drawn from 12 to 64 pixels a side")
    count = _COUNTS[split] if count is None else count
    arrays = _arrays(size, split, count, seed)
    # copies: a reader who writes into a set must not change what the next call returns
    tensors = {name: torch.from_numpy(values.copy()) for name, values in arrays.items()}
    images, labels = tensors.pop("images"), tensors.pop("labels")
    return ImageSet(images, labels, _card(size), tensors)


def _card(size: int) -> Card:
    return Card(
        name="glyphs",
        title="Digits drawn from fonts",
        licence="the licences of the fonts (DejaVu: Bitstream Vera; STIX: STIX Font License; "
        "Computer Modern: SIL OFL) govern the font files, not pictures of their digits",
        source="drawn here from the font files of Matplotlib",
        shape=(1, size, size),
        classes=tuple("0123456789"),
        factors={
            "font": "index into genimg_course.data.glyphs.FONTS",
            "rotation": "degrees, anticlockwise, -12 to 12",
            "slant": "lean of the top to the right in heights, -0.15 to 0.15",
            "scale": "size of the digit, 0.85 to 1.1; at 1 its longer side is 0.66 of the picture",
            "shift_x": "middle of the digit, to the right, in sides of the picture, -0.06 to 0.06",
            "shift_y": "middle of the digit, downwards, in sides of the picture, -0.06 to 0.06",
        },
    )


@lru_cache(maxsize=8)
def _arrays(size: int, split: str, count: int, seed: int) -> dict[str, np.ndarray]:
    def make() -> dict[str, np.ndarray]:
        factors = _factors(split, count, seed)
        labels = factors.pop("labels")
        return {"images": draw(size=size, digit=labels, **factors), "labels": labels, **factors}

    if count < _WORTH_STORING:
        return make()
    import matplotlib

    recipe = f"glyphs-{_RECIPE}-matplotlib-{matplotlib.__version__}"
    return remember(f"{recipe}-{size}px-{split}-{count}-seed{seed}", make)


def _factors(split: str, count: int, seed: int) -> dict[str, np.ndarray]:
    """Draw the labels and factors of a set; the first ones do not depend on the count."""
    fonts = HELD_OUT_FONTS if split == "test" else TRAINING_FONTS
    indices = np.array([FONTS.index(font) for font in fonts])
    kinds = _shuffled_rounds(10 * len(fonts), count, _rng("kinds", split, seed))
    unit = torch.rand(count, len(RANGES), generator=_rng("factors", split, seed)).numpy()
    values = {
        name: (low + (high - low) * unit[:, i]).astype(np.float32)
        for i, (name, (low, high)) in enumerate(RANGES.items())
    }
    return {"labels": kinds % 10, "font": indices[kinds // 10], **values}


def _shuffled_rounds(kinds: int, count: int, rng: torch.Generator) -> np.ndarray:
    """Return all kinds in a random order, again and again: any stretch is nearly balanced."""
    rounds: list[Tensor] = []
    while kinds * len(rounds) < count:
        rounds.append(torch.randperm(kinds, generator=rng))
    return torch.cat(rounds)[:count].numpy()


def _rng(*what: str | int) -> torch.Generator:
    digest = hashlib.sha256(repr(what).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
