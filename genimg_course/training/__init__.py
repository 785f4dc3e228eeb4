"""Steps that update a model once, and the loop that repeats them."""

from genimg_course.training.accumulation import accumulated_step
from genimg_course.training.checkpoints import CheckpointError, Checkpoints
from genimg_course.training.denoising import denoising_step
from genimg_course.training.devices import pick_device, seed_everything
from genimg_course.training.ema import Average
from genimg_course.training.engine import adam, open_fabric, place, seed_process
from genimg_course.training.faults import MissingOperation, NonFiniteLoss, OutOfMemory
from genimg_course.training.likelihood import likelihood_step
from genimg_course.training.loop import History, fit
from genimg_course.training.masking import inpaint, masked_step, square_holes
from genimg_course.training.meters import kept_bytes, operator_seconds, step_seconds
from genimg_course.training.replay import Replay
from genimg_course.training.sampling import sample
from genimg_course.training.schedules import warm_up
from genimg_course.training.snapshots import restore_run, run_state
from genimg_course.training.steps import (
    Backward,
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
    "Backward",
    "CheckpointError",
    "Checkpoints",
    "History",
    "MissingOperation",
    "NonFiniteLoss",
    "OutOfMemory",
    "Replay",
    "accumulated_step",
    "adam",
    "autoencoder_step",
    "classifier_step",
    "critic_step",
    "denoising_step",
    "fit",
    "gan_step",
    "inpaint",
    "kept_bytes",
    "lazily",
    "likelihood_step",
    "masked_step",
    "open_fabric",
    "operator_seconds",
    "pick_device",
    "place",
    "restore_run",
    "run_state",
    "sample",
    "seed_everything",
    "seed_process",
    "square_holes",
    "step_seconds",
    "vae_step",
    "warm_up",
    "wgan_gp_step",
]
