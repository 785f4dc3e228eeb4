import random

import numpy as np
import pytest
import torch

from genimg_course.training import pick_device, seed_everything


@pytest.mark.parametrize(
    ("cuda", "mps", "kind"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_fastest_device_there_is_comes_first(monkeypatch, cuda, mps, kind):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device().type == kind
    assert pick_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["toaster", "cuda:99", ""])
def test_a_device_that_is_not_there_is_named(name):
    with pytest.raises(ValueError) as error:
        pick_device(name)
    assert repr(name) in str(error.value)


def draws(seed):
    rng = seed_everything(seed)
    return [
        random.random(),
        float(np.random.rand()),
        torch.rand(1).item(),
        torch.rand(1, generator=rng).item(),
    ]


def test_a_seed_repeats_every_generator():
    assert draws(3) == draws(3)
    assert all(a != b for a, b in zip(draws(3), draws(4), strict=True))


def test_the_data_generator_is_not_the_global_one():
    rng = seed_everything(3)
    before = torch.get_rng_state()
    torch.rand(5, generator=rng)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_named(seed):
    with pytest.raises(ValueError, match=f"seed is {seed}"):
        seed_everything(seed)
