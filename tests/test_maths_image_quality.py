import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from genimg_course.maths import psnr, ssim


def images(*shape, seed=0):
    rng = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(*shape, generator=rng, dtype=torch.float64) - 1
    return (0.7 * x + 0.3 * torch.randn(*shape, generator=rng).double()).clamp(-1, 1), x


@pytest.mark.parametrize("span", [1.0, 2.0])
def test_psnr_agrees_with_scikit_image(span):
    x_hat, x = images(3, 2, 8, 7)
    pairs = zip(x.numpy(), x_hat.numpy(), strict=True)
    expected = [peak_signal_noise_ratio(a, b, data_range=span) for a, b in pairs]
    torch.testing.assert_close(psnr(x_hat, x, span=span), torch.tensor(expected).double())


def test_noise_of_25_levels_is_20_decibels():
    noise = torch.randn(1, 500, 500, generator=torch.Generator().manual_seed(0))
    value = psnr(25 / 255 * noise, torch.zeros_like(noise), span=1.0)
    assert value.item() == pytest.approx(20 * math.log10(255 / 25), abs=0.02)


def test_a_wrong_range_costs_six_decibels_and_bytes_bring_forty_eight():
    x_hat, x = images(2, 1, 8, 8)
    assert (psnr(x_hat, x) - psnr(x_hat, x, span=1.0)).tolist() == pytest.approx([6.0206] * 2)
    gain = psnr(x_hat, x, span=255.0) - psnr(x_hat, x, span=1.0)
    assert gain.tolist() == pytest.approx([48.1308] * 2)


@pytest.mark.parametrize(("channels", "span"), [(1, 2.0), (3, 1.0)])
def test_ssim_agrees_with_scikit_image(channels, span):
    x_hat, x = images(2, channels, 16, 19)
    options = {
        "data_range": span,
        "channel_axis": 0,
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
    }
    pairs = zip(x_hat.numpy(), x.numpy(), strict=True)
    expected = np.stack([structural_similarity(a, b, **options) for a, b in pairs])
    torch.testing.assert_close(ssim(x_hat, x, span=span), torch.from_numpy(expected))


def test_ssim_agrees_with_torchmetrics():
    x_hat, x = images(2, 1, 20, 20)
    _, places = structural_similarity_index_measure(
        x_hat, x, data_range=2.0, sigma=1.5, return_full_image=True
    )
    # the library also averages over windows that reach beyond the image, where it is mirrored
    expected = places[..., 5:-5, 5:-5].mean(dim=(1, 2, 3))
    torch.testing.assert_close(ssim(x_hat, x), expected)


def test_ssim_is_symmetric_and_one_for_equal_images_only():
    x_hat, x = images(4, 1, 12, 12)
    torch.testing.assert_close(ssim(x_hat, x), ssim(x, x_hat))
    torch.testing.assert_close(ssim(x, x), torch.ones(4, dtype=torch.float64))
    assert (ssim(x_hat, x) < 0.99).all()


def test_ssim_of_noise_and_its_negative_is_nearly_minus_one():
    x = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert -1 < ssim(1 - x, x, span=1.0).item() < -0.95


X = torch.zeros(2, 1, 11, 11)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: psnr(X, X, span=0.0), "span is 0.0"),
        (lambda: psnr(X, X[:1]), "(1, 1, 11, 11)"),
        (lambda: ssim(X, X, span=-1.0), "span is -1.0"),
        (lambda: ssim(X[..., :10], X[..., :10]), "(2, 1, 11, 10)"),
        (lambda: ssim(X, X, window=4), "window 4"),
        (lambda: ssim(X, X, sigma=0.0), "sigma 0.0"),
        (lambda: ssim(X[0], X[0]), "(1, 11, 11)"),
        (lambda: ssim(X * math.nan, X), "x_hat has 242"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
