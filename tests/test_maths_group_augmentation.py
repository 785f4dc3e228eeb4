import numpy as np
import pytest
import torch
from scipy.linalg import circulant

from genimg_course.maths import (
    augmentation_spectrum,
    lost_directions,
    mixed_law,
    rotation_operator,
    unmixed_law,
)

LAW = torch.tensor([0.7, 0.1, 0.15, 0.05], dtype=torch.float64)
WEIGHTS = torch.tensor([0.6, 0.25, 0.05, 0.1], dtype=torch.float64)


def test_the_mixture_is_a_circulant_matrix():
    known = circulant(WEIGHTS.numpy()) @ LAW.numpy()
    assert np.allclose(mixed_law(LAW, WEIGHTS).numpy(), known)


def test_the_factors_are_the_eigenvalues_of_that_matrix():
    known = np.linalg.eigvals(circulant(WEIGHTS.numpy()))
    found = augmentation_spectrum(WEIGHTS).numpy()
    assert all(np.abs(known - value).min() < 1e-12 for value in found)


def test_the_way_back_solves_the_linear_system():
    known = np.linalg.solve(circulant(WEIGHTS.numpy()), LAW.numpy())
    assert np.allclose(unmixed_law(LAW, WEIGHTS).numpy(), known)


@pytest.mark.parametrize(("chance", "lost"), [(0.0, 0), (0.8, 0), (0.999, 0), (1.0, 3)])
def test_quarter_turns_lose_everything_only_if_every_image_is_turned(chance, lost):
    assert lost_directions(rotation_operator(chance)[0]) == lost


@pytest.mark.parametrize("count", range(2, 12))
def test_even_turns_lose_all_directions_but_one_in_every_precision(count):
    for dtype in (torch.float32, torch.float64):
        assert lost_directions(torch.full((count,), 1 / count, dtype=dtype)) == count - 1


def test_a_simulation_finds_the_law_again():
    rng = torch.Generator().manual_seed(0)
    stands = torch.multinomial(LAW, 200_000, replacement=True, generator=rng)
    steps = torch.multinomial(WEIGHTS, 200_000, replacement=True, generator=rng)
    seen = torch.bincount((stands + steps) % 4, minlength=4).double() / 200_000
    assert 0.5 * (unmixed_law(seen, WEIGHTS) - LAW).abs().sum() < 0.01


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: mixed_law(LAW, WEIGHTS * 2), "sum 2"),
        (lambda: mixed_law(LAW, WEIGHTS[:, None]), r"\(4, 1\)"),
        (lambda: mixed_law(LAW[:3], WEIGHTS), "3 orientations"),
        (lambda: lost_directions(torch.tensor([1.5, -0.5])), "probabilities"),
        (lambda: unmixed_law(LAW, torch.full((4,), 0.25)), "3 directions"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
