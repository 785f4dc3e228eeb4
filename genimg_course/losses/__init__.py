"""Training objectives: tensors in, one scalar in nats out, lower is better."""

from genimg_course.losses.adversarial import (
    discriminator_loss,
    generator_loss,
    hinge_discriminator_loss,
    hinge_generator_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from genimg_course.losses.f_gan import f_gan_discriminator_loss, f_gan_generator_loss
from genimg_course.losses.latent import negative_elbo, squared_error
from genimg_course.losses.penalties import gradient_penalty, r1_penalty

__all__ = [
    "discriminator_loss",
    "f_gan_discriminator_loss",
    "f_gan_generator_loss",
    "generator_loss",
    "gradient_penalty",
    "hinge_discriminator_loss",
    "hinge_generator_loss",
    "least_squares_discriminator_loss",
    "least_squares_generator_loss",
    "negative_elbo",
    "r1_penalty",
    "squared_error",
    "wasserstein_critic_loss",
    "wasserstein_generator_loss",
]
