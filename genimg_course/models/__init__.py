"""Networks only: tensors in, tensors out; no loss, optimiser, device or data set."""

from genimg_course.models.autoencoder import Autoencoder, Decoder, Encoder
from genimg_course.models.cgan import ConditionalGenerator, ProjectionDiscriminator
from genimg_course.models.classifier import Classifier
from genimg_course.models.gan import Discriminator, Generator
from genimg_course.models.mlp import PointDiscriminator, PointGenerator, mlp
from genimg_course.models.vae import CVAE, VAE, logits_to_images

__all__ = [
    "CVAE",
    "VAE",
    "Autoencoder",
    "Classifier",
    "ConditionalGenerator",
    "Decoder",
    "Discriminator",
    "Encoder",
    "Generator",
    "PointDiscriminator",
    "PointGenerator",
    "ProjectionDiscriminator",
    "logits_to_images",
    "mlp",
]
