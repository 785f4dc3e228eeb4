"""Networks only: tensors in, tensors out; no loss, optimiser, device or data set."""

from genimg_course.models.autoencoder import Autoencoder, Decoder, Encoder, LinearAutoencoder
from genimg_course.models.autoregressive import AutoregressiveImages, MaskedLinear
from genimg_course.models.cgan import ConditionalGenerator, ProjectionDiscriminator
from genimg_course.models.classifier import Classifier
from genimg_course.models.flow import CouplingFlow
from genimg_course.models.gan import Discriminator, Generator
from genimg_course.models.mlp import PointDiscriminator, PointGenerator, mlp
from genimg_course.models.rules import RULES, broken_rules, size_rule
from genimg_course.models.vae import CVAE, VAE, DenseVAE, LinearVAE, logits_to_images

__all__ = [
    "CVAE",
    "RULES",
    "VAE",
    "Autoencoder",
    "AutoregressiveImages",
    "Classifier",
    "ConditionalGenerator",
    "CouplingFlow",
    "Decoder",
    "DenseVAE",
    "Discriminator",
    "Encoder",
    "Generator",
    "LinearAutoencoder",
    "LinearVAE",
    "MaskedLinear",
    "PointDiscriminator",
    "PointGenerator",
    "ProjectionDiscriminator",
    "broken_rules",
    "logits_to_images",
    "mlp",
    "size_rule",
]
