"""Exercise: augment pictures so that their labels and masks stay true."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.augmented_pairs import augment_pairs
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]

Pair = dict[str, Tensor]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(count: int, *shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        channels, height, width = shape
        # every pair of chosen or not and survives or not occurs
        labels = torch.arange(count) % 4
        flips = torch.arange(count) // 4 % 2 == 0
        order = torch.randperm(count, generator=rng)
        return {
            "images": uniform(rng, count, channels, height, width, low=-1.0, dtype=dtype),
            "masks": (uniform(rng, count, 1, height, width, dtype=dtype) > 0.5).to(dtype),
            "labels": labels[order],
            "flips": flips[order],
            "gains": uniform(rng, count, low=0.5, high=1.8, dtype=dtype),
            "survives": torch.tensor([True, False, True, False]),
        }

    return [
        Case(batch(8, 1, 4, 6)),
        Case(batch(10, 3, 5, 3)),
        Case(batch(8, 2, 3, 4)),
        Case(batch(9, 1, 4, 4, dtype=torch.float32), name="float32 inputs"),
    ]


def _pair(images: Tensor, masks: Tensor, where: Tensor, gains: Tensor, *, axis: int = -1) -> Pair:
    where, gains = where[:, None, None, None], gains[:, None, None, None]
    return {
        "images": (gains * torch.where(where, images.flip(axis), images)).clamp(-1, 1),
        "masks": torch.where(where, masks.flip(axis), masks),
    }


def _flip_all(images, masks, labels, flips, gains, survives):  # type: ignore[no-untyped-def]
    return _pair(images, masks, flips, gains)


def _inverted(images, masks, labels, flips, gains, survives):  # type: ignore[no-untyped-def]
    return _pair(images, masks, flips & ~survives[labels], gains)


def _every(images, masks, labels, flips, gains, survives):  # type: ignore[no-untyped-def]
    return _pair(images, masks, survives[labels], gains)


def _upside_down(images, masks, labels, flips, gains, survives):  # type: ignore[no-untyped-def]
    return _pair(images, masks, flips & survives[labels], gains, axis=-2)


def _mask_stays(images, masks, labels, flips, gains, survives):  # type: ignore[no-untyped-def]
    return augment_pairs(images, masks, labels, flips, gains, survives) | {"masks": masks.clone()}


def _mask_gain(images, masks, labels, flips, gains, survives):  # type: ignore[no-untyped-def]
    right = augment_pairs(images, masks, labels, flips, gains, survives)
    return right | {"masks": (gains[:, None, None, None] * right["masks"]).clamp(-1, 1)}


def _no_clip(images, masks, labels, flips, gains, survives):  # type: ignore[no-untyped-def]
    ones = torch.ones_like(gains)
    right = augment_pairs(images, masks, labels, flips, ones, survives)
    return right | {"images": gains[:, None, None, None] * right["images"]}


SPECIFICATION = Specification(
    id="images.augment_pairs",
    title="Augmentation that keeps labels and masks true",
    reference=augment_pairs,
    cases=_cases,
    misconceptions=(
        Misconception(
            "FLIP_ALL",
            _flip_all,
            "Every chosen picture is mirrored, whatever it shows. A mirrored 2 is no 2, and a "
            "mirrored word is no word: ask first whether the label survives.",
        ),
        Misconception(
            "INVERTED",
            _inverted,
            "Among the chosen pictures just those are mirrored whose label does not survive it.",
        ),
        Misconception(
            "NOT_CHOSEN",
            _every,
            "All pictures are mirrored whose label survives, chosen or not. Then the originals are "
            "never seen.",
        ),
        Misconception(
            "UPSIDE_DOWN",
            _upside_down,
            "The pictures are mirrored top to bottom. Left and right are the last axis, the "
            "columns.",
        ),
        Misconception(
            "MASK_STAYS",
            _mask_stays,
            "The picture moves and the mask stays, so the mask no longer fits the drawing. What "
            "moves the pixels must move everything that is tied to their places.",
        ),
        Misconception(
            "MASK_GAIN",
            _mask_gain,
            "The contrast of the mask was changed as well. A mask says where, not how bright.",
        ),
        Misconception(
            "NO_CLIP",
            _no_clip,
            "Some pixels leave the range [-1, 1]. Models and figures rely on its ends.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are pictures and masks of all four kinds: chosen or not, label survives or "
            "not; also the range of the pictures."
        ),
        place=(
            "First decide for each picture whether it is mirrored; then move picture and mask "
            "alike; then change the contrast of the picture alone."
        ),
        example=(
            "Class 0 survives a mirror, class 1 does not. Run this:\n"
            ">>> x = torch.tensor([-0.5, 0.5]).repeat(2, 1)[:, None, None]\n"
            ">>> yes, keeps = torch.tensor([True, True]), torch.tensor([True, False])\n"
            ">>> y, gains = torch.tensor([0, 1]), torch.ones(2)\n"
            ">>> augment_pairs(x, x, y, yes, gains, keeps)['images'].flatten()\n"
            "tensor([ 0.5000, -0.5000, -0.5000,  0.5000])"
        ),
        question="If you held the drawing up to a mirror, would you still call it the same?",
        analogue=(
            "With other things: turn a map and the pins on it turn along; change the lamp above it "
            "and the pins stay. A p that is turned upside down must be called d."
        ),
    ),
)
