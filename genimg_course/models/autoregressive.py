"""A masked network that knows the exact probability of a small black and white picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg_course.maths.autoregressive import ancestral_samples, autoregressive_mask
from genimg_course.maths.likelihoods import bernoulli_nll

__all__ = ["AutoregressiveImages", "MaskedLinear"]


class MaskedLinear(nn.Module):
    """A linear layer whose weights are zero wherever the mask is.

    Args:
        mask: ones and zeros, ``(O, I)``.
    """

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.layer = nn.Linear(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, O)`` for ``(B, I)``."""
        return F.linear(x, self.layer.weight * self.mask, self.layer.bias)


class AutoregressiveImages(nn.Module):
    """Guess each pixel of a picture from those before it, in reading order.

    One hidden layer, and a path from the pixels to the guesses directly. Two masks keep every guess
    away from its own pixel and from all that come later.

    Args:
        size: height and width of a picture.
        width: hidden units.
        strict: set it to False to see what happens when a guess may look at its own pixel.

    Source:
        Germain et al. (2015), https://arxiv.org/abs/1502.03509
    """

    def __init__(self, size: int = 8, *, width: int = 256, strict: bool = True) -> None:
        super().__init__()
        self.size = size
        pixels = torch.arange(size**2)
        hidden = torch.arange(width) % size**2
        self.hidden = MaskedLinear(autoregressive_mask(pixels, hidden))
        self.output = MaskedLinear(autoregressive_mask(hidden, pixels, strict=strict))
        self.direct = MaskedLinear(autoregressive_mask(pixels, pixels, strict=strict))

    def logits(self, ink: Tensor) -> Tensor:
        """Return the log odds of ink, ``(B, D)``, for pixels ``(B, D)`` that are 0 or 1."""
        return self.output(torch.relu(self.hidden(ink))) + self.direct(ink)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``log p(x)`` in nats, ``(B,)``, for pictures ``(B, 1, H, W)`` of -1 and 1.

        >>> AutoregressiveImages(4, width=8)(torch.ones(5, 1, 4, 4)).shape
        torch.Size([5])
        """
        ink = (x.flatten(start_dim=1) + 1) / 2  # (B, D)
        return -bernoulli_nll(self.logits(ink), ink)

    @torch.no_grad()
    def sample(self, count: int, *, rng: torch.Generator) -> Tensor:
        """Draw pictures of -1 and 1, ``(count, 1, H, W)``, one pixel after another."""
        return self.complete(torch.zeros(count, 1, self.size, self.size), 0, rng=rng)

    @torch.no_grad()
    def complete(self, x: Tensor, begin: int, *, rng: torch.Generator) -> Tensor:
        """Keep the first ``begin`` pixels of pictures ``(B, 1, H, W)`` and draw the others."""
        ink = (x.flatten(start_dim=1) + 1) / 2
        drawn = ancestral_samples(self.logits, ink, rng=rng, begin=begin)
        return 2 * drawn.reshape(x.shape) - 1
