"""Landmarks of image generation: what came when, where to read it, and which law it defines."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LANDMARKS", "LAWS", "Landmark", "kind_of_law", "year_of"]


@dataclass(frozen=True)
class Landmark:
    """One step in the history of image generation.

    Args:
        name: what it is called today.
        date: of the first public version, ``"1986"`` or ``"2014-06"``; the first four digits of an
            arXiv identifier are year and month.
        family: the family of models to which it belongs.
        source: arXiv or DOI of the first version; PDP is "Parallel Distributed Processing", MIT
            Press.
    """

    name: str
    date: str
    family: str
    source: str


LANDMARKS = (
    Landmark("autoencoder", "1986", "autoencoders", "PDP, volume 1, chapter 8"),
    Landmark("predictability minimisation", "1992", "adversarial", "doi:10.1162/neco.1992.4.6.863"),
    Landmark("VAE", "2013-12", "autoencoders", "arXiv:1312.6114"),
    Landmark("GAN", "2014-06", "adversarial", "arXiv:1406.2661"),
    Landmark("flow (NICE)", "2014-10", "exact densities", "arXiv:1410.8516"),
    Landmark("cGAN", "2014-11", "adversarial", "arXiv:1411.1784"),
    Landmark("diffusion", "2015-03", "diffusion", "arXiv:1503.03585"),
    Landmark("style transfer", "2015-08", "one picture at a time", "arXiv:1508.06576"),
    Landmark("DCGAN", "2015-11", "adversarial", "arXiv:1511.06434"),
    Landmark("PixelRNN", "2016-01", "exact densities", "arXiv:1601.06759"),
    Landmark("SRGAN", "2016-09", "adversarial", "arXiv:1609.04802"),
    Landmark("pix2pix", "2016-11", "adversarial", "arXiv:1611.07004"),
    Landmark("WGAN", "2017-01", "adversarial", "arXiv:1701.07875"),
    Landmark("CycleGAN", "2017-03", "adversarial", "arXiv:1703.10593"),
    Landmark("WGAN-GP", "2017-04", "adversarial", "arXiv:1704.00028"),
    Landmark("BigGAN", "2018-09", "adversarial", "arXiv:1809.11096"),
    Landmark("StyleGAN", "2018-12", "adversarial", "arXiv:1812.04948"),
    Landmark("StyleGAN2", "2019-12", "adversarial", "arXiv:1912.04958"),
    Landmark("DDPM", "2020-06", "diffusion", "arXiv:2006.11239"),
    Landmark("DDIM", "2020-10", "diffusion", "arXiv:2010.02502"),
    Landmark("guidance by a classifier", "2021-05", "diffusion", "arXiv:2105.05233"),
    Landmark("StyleGAN3", "2021-06", "adversarial", "arXiv:2106.12423"),
    # shown at a workshop of NeurIPS 2021; the text on arXiv is of July 2022
    Landmark("guidance without a classifier", "2021-12", "diffusion", "arXiv:2207.12598"),
    Landmark("latent diffusion", "2021-12", "diffusion", "arXiv:2112.10752"),
    Landmark("flow matching", "2022-10", "diffusion", "arXiv:2210.02747"),
)
"""In the order of time."""

LAWS = ("exact", "bound", "implicit", "no law")
"""What a model says of the density of an image, see :func:`kind_of_law`."""

_LAW_OF = {
    "mixture of Gaussians": "exact",
    "autoregressive model": "exact",
    "flow": "exact",
    "VAE": "bound",
    "conditional VAE": "bound",
    "DDPM": "bound",
    "GAN": "implicit",
    "WGAN": "implicit",
    "StyleGAN": "implicit",
    "autoencoder": "no law",
}


def year_of(model: str) -> int:
    """Return the year of a model's first public version.

    Args:
        model: the name of a landmark.

    Raises:
        ValueError: if there is no landmark of that name.

    >>> year_of("GAN")
    2014
    """
    for landmark in LANDMARKS:
        if landmark.name == model:
            return int(landmark.date[:4])
    raise ValueError(f"there is no landmark {model!r}: choose one of {_names(LANDMARKS)}")


def kind_of_law(model: str) -> int:
    """Return what a model says of the density of an image, as a place in ``LAWS``.

    ``"exact"``: the density can be computed. ``"bound"``: a lower bound of its logarithm can.
    ``"implicit"``: images can be drawn, and that is all. ``"no law"``: nothing says how to draw.

    Args:
        model: one of the ten that lesson 00 sorts.

    Raises:
        ValueError: if the model is not one of them.

    Source:
        Goodfellow (2016), section 2.3, https://arxiv.org/abs/1701.00160

    >>> LAWS[kind_of_law("VAE")]
    'bound'
    """
    if model not in _LAW_OF:
        raise ValueError(f"{model!r} is not sorted here: choose one of {', '.join(_LAW_OF)}")
    return LAWS.index(_LAW_OF[model])


def _names(landmarks: tuple[Landmark, ...]) -> str:
    return ", ".join(landmark.name for landmark in landmarks)
