"""Best guesses, Gaussian posteriors and exact upsampling."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats

from genimg_course.maths.restoration import (
    conditional_gaussian,
    mean_guess,
    median_guess,
    posterior_variance,
    subpixel_kernel,
    wiener_gain,
)


def test_two_sharp_pictures_have_a_grey_mean_and_a_sharp_median():
    values, weights = torch.tensor([-1.0, 1.0]), torch.tensor([0.4, 0.6])
    assert mean_guess(values, weights).item() == pytest.approx(0.2)
    assert median_guess(values, weights).item() == 1.0


def test_the_median_of_equal_weights_is_numpys():
    values = torch.randn(9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    guess = median_guess(values, torch.full((9,), 1 / 9, dtype=torch.float64))
    assert guess.item() == pytest.approx(np.median(values.numpy()))


def test_guesses_refuse_weights_of_another_length():
    for guess in (mean_guess, median_guess):
        with pytest.raises(ValueError, match="shapes differ"):
            guess(torch.zeros(3), torch.ones(1))


def test_no_noise_is_left_alone_and_much_noise_is_ignored():
    gain = wiener_gain(torch.tensor(2.0), torch.tensor([0.0, 2.0, 1e9]))
    assert gain.tolist() == pytest.approx([1.0, 0.5, 0.0], abs=1e-6)


def test_posterior_variance_is_gain_times_noise():
    signal, noise = torch.tensor([0.3, 4.0]), torch.tensor([1.1, 0.2])
    torch.testing.assert_close(
        posterior_variance(signal, noise), wiener_gain(signal, noise) * noise
    )


def test_conditional_density_is_the_ratio_of_two_densities():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((4, 4))
    mean, covariance = rng.standard_normal(4), root @ root.T + np.eye(4)
    observed = torch.tensor([True, False, True, False])
    x = rng.standard_normal(4)
    guess, rest = conditional_gaussian(
        torch.from_numpy(mean), torch.from_numpy(covariance), observed, torch.from_numpy(x[[0, 2]])
    )
    both = stats.multivariate_normal(mean, covariance).logpdf(x)
    known = stats.multivariate_normal(mean[[0, 2]], covariance[np.ix_([0, 2], [0, 2])])
    missing = stats.multivariate_normal(guess.numpy(), rest.numpy()).logpdf(x[[1, 3]])
    assert missing == pytest.approx(both - known.logpdf(x[[0, 2]]))


def test_conditional_gaussian_wants_one_value_for_each_known_pixel():
    with pytest.raises(ValueError, match="3 values for 2 observed"):
        conditional_gaussian(
            torch.zeros(3), torch.eye(3), torch.tensor([True, True, False]), torch.zeros(3)
        )


def test_a_convolution_and_a_shuffle_are_a_transposed_convolution():
    rng = torch.Generator().manual_seed(1)
    x, weight = torch.randn(1, 2, 3, 6, generator=rng), torch.randn(2, 5, 4, 4, generator=rng)
    shuffled = F.pixel_shuffle(F.conv2d(x, subpixel_kernel(weight), padding=1), 2)
    torch.testing.assert_close(
        shuffled, F.conv_transpose2d(x, weight, stride=2, padding=1), atol=1e-5, rtol=1e-5
    )


def test_another_kernel_size_is_refused():
    with pytest.raises(ValueError, match="expected"):
        subpixel_kernel(torch.zeros(1, 1, 3, 3))
