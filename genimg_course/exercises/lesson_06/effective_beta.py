"""Exercise: the beta that a loss with means instead of sums really uses."""

import torch

from genimg_course.exercises.inputs import integers, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.likelihoods import effective_beta
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    reductions: tuple[tuple[dict[str, bool], str], ...] = (
        ({}, ""),
        ({"pixel_mean": True}, "a mean over pixels"),
        ({"latent_mean": True}, "a mean over latents"),
        ({"pixel_mean": True, "latent_mean": True}, "both means"),
        ({"pixel_mean": False, "latent_mean": False}, ""),
    )
    return [Case(_numbers(rng), options, name) for options, name in reductions for _ in range(2)]


def _numbers(rng: torch.Generator) -> dict[str, float]:
    beta = float(uniform(rng, 1, low=0.1, high=4.0))
    pixels = int(integers(rng, 1, low=100, high=1000))
    return {"beta": beta, "pixels": pixels, "latent_dim": int(integers(rng, 1, low=2, high=64))}


SPECIFICATION = Specification(
    id="vae.effective_beta",
    title="The beta that a mean over pixels hides",
    reference=effective_beta,
    cases=_cases,
    misconceptions=(
        Misconception(
            "IGNORED",
            lambda beta, pixels, latent_dim, pixel_mean=False, latent_mean=False: beta,
            "The reductions change nothing here. Write a loss with a mean over pixels as a factor "
            "times the loss with sums: what is left in front of the KL?",
        ),
        Misconception(
            "INVERSE",
            lambda beta, pixels, latent_dim, pixel_mean=False, latent_mean=False: (
                beta / (pixels if pixel_mean else 1) * (latent_dim if latent_mean else 1)
            ),
            "The direction is turned round. A mean over pixels makes the reconstruction smaller: "
            "does the KL then weigh more, or less?",
        ),
        Misconception(
            "DIVIDED",
            lambda beta, pixels, latent_dim, pixel_mean=False, latent_mean=False: (
                beta / (pixels if pixel_mean else 1) / (latent_dim if latent_mean else 1)
            ),
            "Both means divide here. One of them shrinks the reconstruction and the other the KL, "
            "so they pull beta in opposite directions.",
        ),
        Misconception(
            "MULTIPLIED",
            lambda beta, pixels, latent_dim, pixel_mean=False, latent_mean=False: (
                beta * (pixels if pixel_mean else 1) * (latent_dim if latent_mean else 1)
            ),
            "Both means multiply here. A mean over latents shrinks the KL itself: what does that "
            "do to its weight?",
        ),
        Misconception(
            "SWAPPED",
            lambda beta, pixels, latent_dim, pixel_mean=False, latent_mean=False: (
                beta * (pixels if latent_mean else 1) / (latent_dim if pixel_mean else 1)
            ),
            "The two counts are exchanged. Which sum runs over pixels, and which over latents?",
        ),
        Misconception(
            "ALWAYS",
            lambda beta, pixels, latent_dim, pixel_mean=False, latent_mean=False: (
                beta * pixels / latent_dim
            ),
            "The counts enter whether or not a mean is taken. With sums everywhere, beta is what "
            "the code says.",
        ),
        Misconception(
            "CANCELLED",
            lambda beta, pixels, latent_dim, pixel_mean=False, latent_mean=False: (
                beta
                * (pixels if pixel_mean and not latent_mean else 1)
                / (latent_dim if latent_mean and not pixel_mean else 1)
            ),
            "Two means do not cancel: there are many more pixels than latents. Treat each one by "
            "itself.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are four losses: sums only, a mean over pixels, a mean over latents, and both."
        ),
        place=(
            "Multiply the whole loss by whatever turns the reconstruction into a sum over pixels. "
            "Then look at what stands before the sum over latents."
        ),
        example=(
            "With sums everywhere nothing is hidden. Run this, and then set both means:\n"
            ">>> effective_beta(0.5, 784, 20)\n"
            "0.5"
        ),
        question=(
            "Two losses that differ by a factor have the same minimum. Which factor turns the "
            "mean over pixels into a sum, and what else does it multiply?"
        ),
        analogue=(
            "With other numbers: a mean over 64 pixels plus 0.1 times a sum over latents is, up "
            "to the factor 1/64, the sum over pixels plus 6.4 times the sum over latents."
        ),
    ),
)
