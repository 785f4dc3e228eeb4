"""The small classifier that judges generated images."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

__all__ = ["Classifier"]


class Classifier(nn.Module):
    """Tell the classes of small images apart; its last hidden layer serves as image features.

    Args:
        classes: number ``K`` of classes.
        channels: 1 for grey, 3 for colour.
        width: channels of the first layer.
        features: length ``F`` of the feature vector.
    """

    def __init__(
        self, classes: int = 10, *, channels: int = 1, width: int = 24, features: int = 64
    ) -> None:
        super().__init__()
        self.classes = classes
        widths = (channels, width, 2 * width, 2 * width)
        layers: list[nn.Module] = []
        for inside, outside in pairwise(widths):
            layers += [
                nn.Conv2d(inside, outside, kernel_size=3, stride=2, padding=1),
                nn.BatchNorm2d(outside),
                nn.ReLU(),
            ]
        self.trunk = nn.Sequential(
            *layers,
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(8 * width, features),
            nn.ReLU(),
        )
        self.head = nn.Linear(features, classes)

    def features(self, x: Tensor) -> Tensor:
        """Return non-negative features, ``(B, F)``, of images in ``[-1, 1]``, ``(B, C, H, W)``."""
        return self.trunk(x)

    def forward(self, x: Tensor) -> Tensor:
        """Return class logits, ``(B, K)``, of images in ``[-1, 1]``, ``(B, C, H, W)``."""
        return self.head(self.features(x))
