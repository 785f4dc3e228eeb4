"""A GAN on the line, many games side by side: what freezing the discriminator is worth."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg_course.losses import discriminator_loss, generator_loss

__all__ = ["LineGame"]


class LineGame(nn.Module):
    """Play a GAN whose data are ``N(4, 0.5^2)`` and whose generator is ``x = a z + b``.

    The games are independent; they only share their arithmetic, so that ten cost as much time as
    one. Each discriminator has one hidden layer.

    Args:
        games: how many games are played side by side, ``R``.
        frozen: the generator's step leaves the discriminator alone. If not, its optimiser holds
            the discriminator's weights too, as in the first article's program.
        rng: the source of all randomness.
        batch: points in a batch.
        hidden: units of the hidden layer.
        lr: learning rate of both optimisers.
    """

    MEAN, SPREAD = 4.0, 0.5

    def __init__(
        self,
        games: int = 10,
        *,
        frozen: bool,
        rng: torch.Generator,
        batch: int = 32,
        hidden: int = 16,
        lr: float = 2e-3,
    ) -> None:
        super().__init__()
        self.rng, self.batch = rng, batch
        self.a = nn.Parameter(torch.ones(games, 1))
        self.b = nn.Parameter(torch.zeros(games, 1))
        first = torch.randn(2, games, 1, hidden, generator=rng)
        self.weight, self.bias = nn.Parameter(first[0]), nn.Parameter(first[1])
        self.output = nn.Parameter(torch.randn(games, hidden, 1, generator=rng) / hidden**0.5)
        self.offset = nn.Parameter(torch.zeros(games, 1))
        own = [self.a, self.b]
        judge = [self.weight, self.bias, self.output, self.offset]
        held = own if frozen else own + judge
        self.opt_d = torch.optim.Adam(judge, lr=lr, betas=(0.5, 0.999), fused=True)
        self.opt_g = torch.optim.Adam(held, lr=lr, betas=(0.5, 0.999), fused=True)

    def discriminate(self, x: Tensor) -> Tensor:
        """Return the logits ``(R, B)`` of points ``(R, B)``, each row for its own discriminator."""
        hidden = F.leaky_relu(x[..., None] * self.weight + self.bias, 0.2)  # (R, B, H)
        return (hidden @ self.output).squeeze(2) + self.offset

    def noise(self) -> Tensor:
        """Return standard normal noise, ``(R, B)``."""
        return torch.randn(len(self.a), self.batch, generator=self.rng)

    def reals(self) -> Tensor:
        """Return a batch of data for each game, ``(R, B)``."""
        return self.MEAN + self.SPREAD * self.noise()

    def distance(self) -> Tensor:
        """Return how far each generator is from the data, ``(R,)``.

        This is the Wasserstein distance of order two. For two Gaussians on the line it is the root
        of the squared differences of means and of standard deviations, summed.
        """
        with torch.no_grad():
            return torch.hypot(self.b - self.MEAN, self.a.abs() - self.SPREAD).squeeze(1)

    def step(self, n: int) -> dict[str, Tensor]:
        """Update every discriminator, then every generator.

        Returns:
            ``d_real`` and ``d_fake``, means over all games, and ``distance``, the median over the
            games of how far a generator is from the data, detached scalars.
        """
        x = self.reals()
        with torch.no_grad():
            fake = self.a * self.noise() + self.b
        real_logits, fake_logits = self.discriminate(x), self.discriminate(fake)
        # a sum over games leaves each with the gradient of its own mean
        d_loss = discriminator_loss(real_logits, fake_logits)
        self.opt_d.zero_grad()
        (d_loss * len(self.a)).backward()
        self.opt_d.step()

        g_loss = generator_loss(self.discriminate(self.a * self.noise() + self.b))
        self.opt_g.zero_grad()
        (g_loss * len(self.a)).backward()
        self.opt_g.step()
        return {
            "d_real": torch.sigmoid(real_logits.detach()).mean(),
            "d_fake": torch.sigmoid(fake_logits.detach()).mean(),
            "distance": self.distance().median(),
        }
