"""Steps that update a model once, and the loop that repeats them."""

from genimg_course.training.checkpoints import CheckpointError, Checkpoints
from genimg_course.training.devices import pick_device, seed_everything
from genimg_course.training.ema import Average
from genimg_course.training.loop import History, NonFiniteLoss, fit
from genimg_course.training.steps import (
    autoencoder_step,
    classifier_step,
    gan_step,
    lazily,
    vae_step,
)

__all__ = [
    "Average",
    "CheckpointError",
    "Checkpoints",
    "History",
    "NonFiniteLoss",
    "autoencoder_step",
    "classifier_step",
    "fit",
    "gan_step",
    "lazily",
    "pick_device",
    "seed_everything",
    "vae_step",
]
