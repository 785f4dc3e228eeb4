"""Exercise: what a model can say of an image."""

from collections.abc import Callable

import torch

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.landmarks import LAWS, kind_of_law
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]

_EXACT, _BOUND, _IMPLICIT, _NO_LAW = range(len(LAWS))
_MODELS = (
    "mixture of Gaussians",
    "autoregressive model",
    "flow",
    "VAE",
    "conditional VAE",
    "DDPM",
    "GAN",
    "WGAN",
    "StyleGAN",
    "autoencoder",
)


def _cases(rng: torch.Generator) -> list[Case]:
    return [Case({"model": model}, name=model) for model in _MODELS]


def _but(kind: int, *models: str) -> Callable[[str], int]:
    """Return the right kinds, but one and the same for some models."""
    return lambda model: kind if model in models else kind_of_law(model)


SPECIFICATION = Specification(
    id="orientation.kind_of_law",
    title="What a model can say of an image",
    reference=kind_of_law,
    cases=_cases,
    misconceptions=(
        Misconception(
            "AUTOENCODER_BOUND",
            _but(_BOUND, "autoencoder"),
            "The autoencoder is put beside the VAE. It has no prior and no bound: nothing says "
            "which codes to decode.",
        ),
        Misconception(
            "AUTOENCODER_EXACT",
            _but(_EXACT, "autoencoder"),
            "The autoencoder is given a density. Its loss is the error of a copy, and no law of "
            "images follows from that.",
        ),
        Misconception(
            "AUTOENCODER_IMPLICIT",
            _but(_IMPLICIT, "autoencoder"),
            "The autoencoder is given a law to draw from. Its decoder could draw, but from which "
            "codes? Nothing in it says so.",
        ),
        Misconception(
            "VAE_EXACT",
            _but(_EXACT, "VAE", "conditional VAE"),
            "The VAE is said to know its likelihood. It is an integral over all codes; what can be "
            "computed is a lower bound.",
        ),
        Misconception(
            "GAN_EXACT",
            _but(_EXACT, "GAN", "WGAN", "StyleGAN"),
            "The GAN is given a density. It turns noise into images, and no formula says how "
            "probable a given image is. Its discriminator compares two laws; it knows neither.",
        ),
        Misconception(
            "GAN_BOUND",
            _but(_BOUND, "GAN", "WGAN", "StyleGAN"),
            "The GAN is given a bound of the likelihood. Its losses bound a distance between two "
            "laws, not the probability of an image.",
        ),
        Misconception(
            "WGAN_BOUND",
            _but(_BOUND, "WGAN"),
            "The Wasserstein GAN is set apart. It changes the distance that is estimated, and "
            "still says nothing of the probability of one image.",
        ),
        Misconception(
            "DIFFUSION_IMPLICIT",
            _but(_IMPLICIT, "DDPM"),
            "The diffusion model is taken for a generator that only draws. Each of its steps is a "
            "law with a formula, and together they give a bound, as in a VAE.",
        ),
        Misconception(
            "FLOW_BOUND",
            _but(_BOUND, "flow"),
            "The flow is given a bound only. Its map can be undone, so the density follows "
            "exactly from the change of volume.",
        ),
    ),
    hints=Hints(
        property="Checked are ten models, each with one of four answers.",
        place=(
            "Give the model a picture and ask for its log-density. A number? A number that is "
            "surely not too large? Silence? And silence even about how to draw?"
        ),
        example=("The GAN only draws, and IMPLICIT is 2. Run this:\n>>> kind_of_law('GAN')\n2"),
        question="What would you have to compute to say how probable a given picture is?",
        analogue=(
            "With dice: the rules of the game give the exact chance of a sum. A careful player who "
            "says 'at least one in nine' has a bound. A machine that throws behind a curtain is "
            "implicit: you may watch it for ever."
        ),
    ),
)
