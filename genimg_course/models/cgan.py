"""The conditional GAN: a class vector joins the noise, a projection joins the discriminator."""

from __future__ import annotations

from torch import Tensor, nn

from genimg_course.maths.conditioning import condition, projection_logit
from genimg_course.models.gan import Generator, discriminator_features

__all__ = ["ConditionalGenerator", "ProjectionDiscriminator"]


class ConditionalGenerator(nn.Module):
    """Map noise and a class to an image in ``[-1, 1]``.

    Args:
        latent_dim: length ``Z`` of the noise.
        size: side of the images, such as 16, 28, 32 or 64.
        classes: number ``K`` of classes.
        channels: 1 for grey, 3 for colour.
        width: channels before the last doubling.
        embedding: length ``E`` of a class vector.

    Source:
        Mirza and Osindero (2014), https://arxiv.org/abs/1411.1784
    """

    def __init__(
        self,
        latent_dim: int = 32,
        size: int = 16,
        *,
        classes: int = 10,
        channels: int = 1,
        width: int = 32,
        embedding: int = 16,
    ) -> None:
        super().__init__()
        self.latent_dim, self.classes = latent_dim, classes
        self.class_vectors = nn.Embedding(classes, embedding)
        self.generator = Generator(latent_dim + embedding, size, channels=channels, width=width)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Return images, ``(B, C, H, W)``, for noise ``(B, Z)`` and classes ``(B,)``."""
        return self.generator(condition(z, y, self.class_vectors.weight))


class ProjectionDiscriminator(nn.Module):
    """Map an image and a class to the logit of "this is a real image of this class".

    Args:
        size: side of the images.
        classes: number ``K`` of classes.
        channels: 1 for grey, 3 for colour.
        width: channels of the first layer.
        features: length ``F`` of the last hidden vector.

    Source:
        Miyato and Koyama (2018), https://arxiv.org/abs/1802.05637
    """

    def __init__(
        self,
        size: int = 16,
        *,
        classes: int = 10,
        channels: int = 1,
        width: int = 32,
        features: int = 128,
    ) -> None:
        super().__init__()
        self.features = discriminator_features(size, channels, width, features)
        self.head = nn.Linear(features, 1)
        self.class_vectors = nn.Embedding(classes, features)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return logits, ``(B,)``, for images ``(B, C, H, W)`` and classes ``(B,)``."""
        weight, bias = self.head.weight[0], self.head.bias[0]
        return projection_logit(self.features(x), y, weight, bias, self.class_vectors.weight)
