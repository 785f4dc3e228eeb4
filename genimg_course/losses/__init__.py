"""Training objectives: tensors in, one scalar in nats out, lower is better."""

from genimg_course.losses.adversarial import discriminator_loss, generator_loss
from genimg_course.losses.latent import negative_elbo, squared_error
from genimg_course.losses.penalties import r1_penalty

__all__ = ["discriminator_loss", "generator_loss", "negative_elbo", "r1_penalty", "squared_error"]
