"""Principal components and linear autoencoders agree with NumPy, SciPy and least squares."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch

from genimg_course.maths import best_decoder, linear_error, principal_components, subspace_angle


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def x():
    return normal(30, 4) @ normal(4, 4, seed=1) + 2.0


def test_the_spectrum_agrees_with_numpy_and_descends(x):
    mean, axes, spectrum = principal_components(x)
    expected = np.linalg.eigvalsh(np.cov(x.numpy().T, bias=True))[::-1]
    np.testing.assert_allclose(spectrum.numpy(), expected, rtol=1e-12)
    torch.testing.assert_close(axes.T @ axes, torch.eye(4, dtype=torch.float64))
    torch.testing.assert_close(mean, x.mean(dim=0))


def test_scores_on_the_axes_have_the_variances_of_the_spectrum_and_no_covariance(x):
    mean, axes, spectrum = principal_components(x)
    scores = (x - mean) @ axes
    torch.testing.assert_close(scores.T @ scores / len(x), spectrum.diag())


def test_one_feature_has_one_axis():
    mean, axes, spectrum = principal_components(torch.tensor([[1.0], [3.0]]))
    assert (mean.item(), abs(axes.item()), spectrum.item()) == (2.0, 1.0, 1.0)


def test_the_linear_error_falls_from_the_trace_to_zero(x):
    cov = torch.cov(x.T, correction=0)
    errors = [linear_error(cov, z).item() for z in range(6)]
    assert errors[0] == pytest.approx(cov.trace().item())
    assert errors == sorted(errors, reverse=True)
    assert errors[4:] == pytest.approx([0, 0], abs=1e-12)


def test_the_best_decoder_is_least_squares(x):
    centred, encoder = x - x.mean(dim=0), normal(2, 4, seed=2)
    expected = torch.linalg.lstsq(centred @ encoder.T, centred).solution.T
    found = best_decoder(encoder, torch.cov(x.T, correction=0))
    torch.testing.assert_close(found, expected)


def test_with_principal_axes_the_best_decoder_is_their_transpose(x):
    axes = principal_components(x).axes[:, :2]
    found = best_decoder(axes.T.contiguous(), torch.cov(x.T, correction=0))
    torch.testing.assert_close(found, axes)


def test_the_angle_agrees_with_scipy():
    a, b = normal(6, 3), normal(6, 3, seed=3)
    expected = scipy.linalg.subspace_angles(a.numpy(), b.numpy()).max()
    assert subspace_angle(a, b).item() == pytest.approx(expected, rel=1e-12)


def test_the_angle_knows_equal_and_perpendicular_spans():
    a = normal(5, 2)
    assert subspace_angle(a, a @ normal(2, 2, seed=4)).item() == pytest.approx(0, abs=1e-14)
    line = torch.eye(3, dtype=torch.float64)
    assert subspace_angle(line[:, :1], line[:, 1:2]).item() == pytest.approx(math.pi / 2)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: principal_components(torch.zeros(3)), "(3,)"),
        (lambda: principal_components(torch.tensor([[math.nan, 1.0]])), "1 values"),
        (lambda: linear_error(torch.zeros(2, 3), 1), "(2, 3)"),
        (lambda: linear_error(torch.eye(2), -1), "-1"),
        (lambda: best_decoder(torch.zeros(2, 3), torch.eye(4)), "3 inputs, cov describes 4"),
        (lambda: subspace_angle(torch.zeros(3, 2), torch.zeros(3, 1)), "(3, 1)"),
        (lambda: subspace_angle(torch.zeros(2, 3), torch.zeros(2, 3)), "(2, 3)"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
