"""Augmentation of labelled pictures: what must move with the image, and what must not move."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_labels

__all__ = ["augment_pairs"]


def augment_pairs(
    images: Tensor, masks: Tensor, labels: Tensor, flips: Tensor, gains: Tensor, survives: Tensor
) -> dict[str, Tensor]:
    r"""Mirror and brighten images, so that masks and labels stay true.

    .. math:: x' = \mathrm{clip}\left( a\, S^f x,\ -1,\ 1 \right), \qquad m' = S^f m, \qquad
        f = \text{flip} \cdot \text{survives}[y]

    Here ``S`` mirrors left and right and ``a`` is the gain.

    Args:
        images: pictures in [-1, 1], ``(B, C, H, W)``.
        masks: what belongs to the object, ``(B, 1, H, W)``.
        labels: classes, ``(B,)``.
        flips: which pictures are chosen to be mirrored, ``bool``, ``(B,)``.
        gains: factor for the contrast of each picture, ``(B,)``.
        survives: which classes keep their name in a mirror, ``bool``, ``(K,)``.

    Returns:
        ``"images"`` and ``"masks"``, the shapes of the inputs.

    Raises:
        ValueError: if the labels do not fit.
    """
    check_labels(labels, classes=len(survives), count=len(images))
    mirrored = (flips & survives[labels])[:, None, None, None]
    seen = images.flip(-1).where(mirrored, images)
    return {
        "images": (gains[:, None, None, None] * seen).clamp(-1, 1),
        "masks": masks.flip(-1).where(mirrored, masks),
    }
