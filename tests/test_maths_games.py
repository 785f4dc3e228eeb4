import math

import numpy as np
import pytest
import torch

from genimg_course.maths import (
    bilinear_matrix,
    critical_gamma,
    dirac_eigenvalues,
    dirac_field,
    dirac_jacobian,
    dirac_round,
    orbit,
    spectral_radius,
)


@pytest.mark.parametrize("h", [0.1, 0.8, 1.9])
def test_simultaneous_steps_spiral_out_and_alternating_ones_circle(h):
    together = np.abs(np.linalg.eigvals(bilinear_matrix(h).numpy()))
    in_turn = np.abs(np.linalg.eigvals(bilinear_matrix(h, alternating=True).numpy()))
    np.testing.assert_allclose(together, np.sqrt(1 + h**2), rtol=1e-12)
    np.testing.assert_allclose(in_turn, 1.0, rtol=1e-12)


def test_alternating_steps_spiral_out_beyond_a_step_of_two():
    assert spectral_radius(bilinear_matrix(2.1, alternating=True)) > 1.5


@pytest.mark.parametrize("saturating", [False, True])
def test_the_field_vanishes_at_the_balance_only_and_turns_around_it(saturating):
    zero = torch.zeros(())
    torch.testing.assert_close(dirac_field(zero, zero, saturating=saturating), torch.zeros(2))
    right = dirac_field(torch.tensor(0.1), zero, saturating=saturating)
    torch.testing.assert_close(right, torch.tensor([0.0, -0.05]))
    above = dirac_field(zero, torch.tensor(0.1), saturating=saturating)
    torch.testing.assert_close(above, torch.tensor([0.05, 0.0]))


def test_the_penalty_pulls_the_slope_only():
    theta, psi = torch.tensor([0.3, -1.0]), torch.tensor([0.7, 0.2])
    pull = dirac_field(theta, psi, gamma=2.0) - dirac_field(theta, psi)
    torch.testing.assert_close(pull, torch.stack([torch.zeros(2), -2.0 * psi], dim=1))


@pytest.mark.parametrize(("gamma", "slope"), [(0.0, 0.5), (0.4, 0.5), (5.0, 0.5), (0.4, 0.1)])
def test_eigenvalues_agree_with_numpy(gamma, slope):
    found = np.sort_complex(np.linalg.eigvals(dirac_jacobian(gamma, slope=slope).numpy()))
    pair = np.sort_complex(dirac_eigenvalues(gamma, slope=slope).numpy())
    np.testing.assert_allclose(pair, found, atol=1e-9)


def test_the_critical_penalty_of_the_cross_entropy_is_one():
    assert critical_gamma() == 1.0
    assert critical_gamma(-0.7) == pytest.approx(1.4)
    torch.testing.assert_close(dirac_eigenvalues(1.0).real, torch.full((2,), -0.5).double())


def test_ten_small_steps_are_one_large_one_for_the_generator():
    many = dirac_round(0.1, 0.3, steps_g=10, gamma=0.4)
    torch.testing.assert_close(many, dirac_round(1.0, 0.3, gamma=0.4))


def test_a_round_circles_up_to_its_allowance_and_then_blows_up():
    assert spectral_radius(dirac_round(1.0, 1.0, steps_g=15)).item() == pytest.approx(1)
    assert spectral_radius(dirac_round(1.0, 1.0, steps_g=17)).item() > 1.5


def test_a_faster_discriminator_passes_more_of_the_penalty_on():
    slow, fast = (spectral_radius(dirac_round(0.2, r, gamma=0.1)).item() for r in (0.2, 0.8))
    assert math.log(fast) / math.log(slow) == pytest.approx(4, rel=0.05)


def test_an_orbit_holds_its_start_and_every_round():
    start = torch.tensor([1.0, 0.5], dtype=torch.float64)
    matrix = bilinear_matrix(0.3)
    points = orbit(matrix, start, rounds=3)
    assert points.shape == (4, 2)
    torch.testing.assert_close(points[3], torch.linalg.matrix_power(matrix, 3) @ start)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="shapes differ"):
        dirac_field(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match="steps_g is -1"):
        dirac_round(0.1, 0.1, steps_g=-1)
