"""The judges: small classifiers of the course that look at generated images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genimg_course._checks import check_batch, check_finite, check_labels
from genimg_course.models.classifier import Classifier
from genimg_course.models.weights import load_weights, read_card

__all__ = ["Judge", "judge_path", "load_judge"]

FOLDER = Path(__file__).parent / "judges"


def judge_path(name: str, size: int) -> Path:
    """Return where the judge of a data set and size lives, without a suffix."""
    return FOLDER / f"{name}_{size}"


def load_judge(
    name: str = "glyphs", size: int = 16, *, device: torch.device | str = "cpu"
) -> Judge:
    """Load the judge that comes with the course for a data set and an image size.

    Args:
        name: ``"glyphs"`` or ``"mnist"``.
        size: side of the images.
        device: where it computes.

    Raises:
        ValueError: if there is no such judge; the message lists those there are.
    """
    path = judge_path(name, size)
    if not path.with_suffix(".json").is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.json"))) or "none"
        raise ValueError(
            f"there is no judge for {name!r} at {size} pixels (there are: {known}); "
            f"train one with: genimg train judge --data {name} --size {size}"
        )
    card = read_card(path)
    network = load_weights(Classifier(**card["network"]), path)
    return Judge(network.to(device).eval().requires_grad_(False), card)


class Judge:
    """A trained classifier and its card: features, predictions and the measures built on them."""

    def __init__(self, network: Classifier, card: dict[str, Any]) -> None:
        self.network, self.card = network, card

    def _in_pieces(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        check_batch(x=x)
        check_finite(x=x)
        self.network.eval()
        with torch.no_grad():
            return torch.cat([function(piece) for piece in x.split(500)])

    def features(self, x: Tensor) -> Tensor:
        """Return features, ``(B, F)``, of images in ``[-1, 1]``, ``(B, C, H, W)``."""
        return self._in_pieces(self.network.features, x)

    def predict(self, x: Tensor) -> Tensor:
        """Return class probabilities, ``(B, K)``, of images in ``[-1, 1]``, ``(B, C, H, W)``."""
        return self._in_pieces(self.network, x).softmax(dim=1)

    def accuracy(self, x: Tensor, y: Tensor) -> float:
        """Return the share of images ``(B, C, H, W)`` that the judge sees as their class ``(B,)``.

        For a conditional generator this is the conditional accuracy: it counts whether the picture
        shows what was asked for, not whether it looks good.
        """
        check_labels(y, classes=self.network.classes, count=len(x))
        return float((self.predict(x).argmax(dim=1) == y).float().mean())

    def class_shares(self, x: Tensor) -> Tensor:
        """Return the share of each class, ``(K,)``, among images ``(B, C, H, W)``."""
        seen = self.predict(x).argmax(dim=1)
        return torch.bincount(seen, minlength=self.network.classes) / len(seen)
