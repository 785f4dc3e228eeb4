"""Exercise: what came when."""

from collections.abc import Callable

import torch

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.landmarks import year_of
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]

_MODELS = (
    "autoencoder",
    "VAE",
    "GAN",
    "cGAN",
    "diffusion",
    "DCGAN",
    "WGAN",
    "CycleGAN",
    "StyleGAN",
    "DDPM",
    "latent diffusion",
    "flow matching",
)


def _cases(rng: torch.Generator) -> list[Case]:
    return [Case({"model": model}, name=model) for model in _MODELS]


def _but(**years: int) -> Callable[[str], int]:
    """Return the right years, but for some; a blank in a name is an underscore here."""
    wrong = {name.replace("_", " "): year for name, year in years.items()}
    return lambda model: wrong.get(model, year_of(model))


SPECIFICATION = Specification(
    id="orientation.year_of",
    title="What came when",
    reference=year_of,
    cases=_cases,
    tolerances={"value": (0.0, 1.0)},
    misconceptions=(
        Misconception(
            "GAN_OF_THE_EIGHTIES",
            _but(GAN=1986),
            "The GAN is put into the 1980s, as in one of the articles. What comes from there is "
            "the autoencoder. The identifier of the paper on GANs begins with 1406.",
        ),
        Misconception(
            "AUTOENCODER_WITH_VAE",
            _but(autoencoder=2013),
            "The autoencoder is put beside the VAE. Networks that copy their input stand in the "
            "paper that made backpropagation known.",
        ),
        Misconception(
            "DIFFUSION_AFTER_STYLEGAN",
            _but(diffusion=2020),
            "Diffusion is put behind StyleGAN, at the date of the paper that made it famous. The "
            "idea, and the bound that it is trained on, are five years older.",
        ),
        Misconception(
            "DDPM_WITH_THE_IDEA",
            _but(DDPM=2015),
            "DDPM is put at the birth of diffusion. It is the simple loss and the network that "
            "made the pictures good, five years later.",
        ),
        Misconception(
            "CGAN_LATER",
            _but(cGAN=2017),
            "The conditional GAN is put years after the GAN. It took five months.",
        ),
        Misconception(
            "STYLEGAN_WITH_DCGAN",
            _but(StyleGAN=2015),
            "StyleGAN is put beside DCGAN. In between lie the Wasserstein loss and three years.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are twelve years. One year off is fine: many papers were public a year before "
            "the conference."
        ),
        place=(
            "An identifier of arXiv begins with two digits for the year and two for the month. The "
            "reading list at the end of this lesson has some; only the autoencoder is older than "
            "arXiv."
        ),
        example=("The paper on GANs is arXiv:1406.2661. Run this:\n>>> year_of('GAN')\n2014"),
        question="Which of the twelve can only have come after which others?",
        analogue=(
            "With others: PixelRNN is arXiv:1601.06759, from January 2016; pix2pix is "
            "arXiv:1611.07004, from November 2016; StyleGAN2 is arXiv:1912.04958, from December "
            "2019."
        ),
    ),
)
