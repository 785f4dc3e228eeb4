"""Steps that update a model once, and the loop that repeats them."""

from genimg_course.training.checkpoints import CheckpointError, Checkpoints
from genimg_course.training.denoising import denoising_step
from genimg_course.training.devices import pick_device, seed_everything
from genimg_course.training.ema import Average
from genimg_course.training.likelihood import likelihood_step
from genimg_course.training.loop import History, NonFiniteLoss, fit
from genimg_course.training.masking import inpaint, masked_step, square_holes
from genimg_course.training.schedules import warm_up
from genimg_course.training.steps import (
    autoencoder_step,
    classifier_step,
    critic_step,
    gan_step,
    lazily,
    vae_step,
    wgan_gp_step,
)

__all__ = [
    "Average",
    "CheckpointError",
    "Checkpoints",
    "History",
    "NonFiniteLoss",
    "autoencoder_step",
    "classifier_step",
    "critic_step",
    "denoising_step",
    "fit",
    "gan_step",
    "inpaint",
    "lazily",
    "likelihood_step",
    "masked_step",
    "pick_device",
    "seed_everything",
    "square_holes",
    "vae_step",
    "warm_up",
    "wgan_gp_step",
]
