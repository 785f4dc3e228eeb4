"""Right answers to the exercises of lesson 00, of every kind that a reader may write."""

import math
import random

import numpy as np
import torch

__all__ = ["RIGHT"]

CPU, CUDA, MPS = range(3)
EXACT, BOUND, IMPLICIT, NO_LAW = range(4)


def device_by_branches(cuda, mps, wanted=None):
    if wanted is None:
        if cuda:
            return CUDA
        return MPS if mps else CPU
    if wanted == "cuda" and cuda:
        return CUDA
    if wanted == "mps" and mps:
        return MPS
    if wanted == "cpu":
        return CPU
    raise ValueError(f"this machine has no {wanted}")


def device_by_list(cuda, mps, wanted=None):
    here = [CPU] + [CUDA] * cuda + [MPS] * mps
    if wanted is not None:
        return here[here.index(["cpu", "cuda", "mps"].index(wanted))]  # index raises ValueError
    return CUDA if cuda else here[-1]


def device_by_table(cuda, mps, *, wanted=None):
    options = {"cuda": (cuda, 1), "mps": (mps, 2), "cpu": (True, 0)}
    for name, (here, number) in options.items():
        if wanted in (None, name) and here:
            return number
    raise ValueError(wanted)


def shuffle_by_numpy(x, seed):
    return x[torch.from_numpy(np.random.default_rng(seed).permutation(len(x)))]


def shuffle_by_python(x, seed):
    order = list(range(len(x)))
    random.Random(seed).shuffle(order)
    return torch.stack([x[i] for i in order])


def shuffle_by_keys(x, seed):
    rng = torch.Generator()
    rng.manual_seed(seed)
    return x[torch.rand(len(x), generator=rng).argsort()]


def shuffle_in_a_fork(x, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return x.index_select(0, torch.randperm(x.shape[0]))


YEARS = {
    "autoencoder": 1986,
    "VAE": 2013,
    "GAN": 2014,
    "cGAN": 2014,
    "diffusion": 2015,
    "DCGAN": 2015,
    "WGAN": 2017,
    "CycleGAN": 2017,
    "StyleGAN": 2018,
    "DDPM": 2020,
    "latent diffusion": 2021,
    "flow matching": 2022,
}
OF_THE_CONFERENCE = YEARS | {
    "VAE": 2014,
    "DCGAN": 2016,
    "StyleGAN": 2019,
    "latent diffusion": 2022,
    "flow matching": 2023,
}


def year_by_branches(model):
    if model == "autoencoder":
        return 1987
    if model == "flow matching":
        return 2022
    return YEARS[model]


KINDS = {
    "mixture of Gaussians": EXACT,
    "autoregressive model": EXACT,
    "flow": EXACT,
    "VAE": BOUND,
    "conditional VAE": BOUND,
    "DDPM": BOUND,
    "GAN": IMPLICIT,
    "WGAN": IMPLICIT,
    "StyleGAN": IMPLICIT,
    "autoencoder": NO_LAW,
}


def kind_by_name(model):
    if "GAN" in model:
        return IMPLICIT
    if model == "autoencoder":
        return NO_LAW
    return BOUND if "VAE" in model or model == "DDPM" else EXACT


def kind_by_lists(model):
    lists = [
        ["mixture of Gaussians", "autoregressive model", "flow"],
        ["VAE", "conditional VAE", "DDPM"],
        ["GAN", "WGAN", "StyleGAN"],
        ["autoencoder"],
    ]
    return next(number for number, names in enumerate(lists) if model in names)


RIGHT = {
    "orientation.epochs_seen": [
        lambda steps, batch_size, images: steps * batch_size / images,
        lambda steps, batch_size, images: steps / (images / batch_size),
        lambda steps, batch_size, images: math.exp(
            math.log(steps) + math.log(batch_size) - math.log(images)
        ),
        lambda steps, batch_size, images: torch.tensor(steps * batch_size).double() / images,
    ],
    "orientation.choose_device": [device_by_branches, device_by_list, device_by_table],
    "orientation.shuffled": [
        shuffle_by_numpy,
        shuffle_by_python,
        shuffle_by_keys,
        shuffle_in_a_fork,
    ],
    "orientation.year_of": [
        lambda model: YEARS[model],
        lambda model: OF_THE_CONFERENCE[model],
        year_by_branches,
    ],
    "orientation.kind_of_law": [lambda model: KINDS[model], kind_by_name, kind_by_lists],
}
