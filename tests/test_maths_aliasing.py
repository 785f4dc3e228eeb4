import numpy as np
import pytest
import torch
from scipy import signal

from genimg_course.maths import (
    alias_frequency,
    energy_above,
    folded_spectrum,
    frequency_response,
)


def test_a_wheel_of_45_turns_seems_to_make_3():
    assert alias_frequency(torch.tensor(45.0), rate=24.0).item() == pytest.approx(3.0)


def test_the_strongest_frequency_of_the_samples_is_the_alias():
    true = torch.tensor([0.7, 1.35, 3.9], dtype=torch.float64)
    samples = torch.cos(2 * torch.pi * true[:, None] * torch.arange(400))
    strongest = torch.fft.rfft(samples).abs().argmax(dim=1) / 400
    torch.testing.assert_close(alias_frequency(true), strongest.double(), atol=0.003, rtol=0)


def test_the_folded_spectrum_is_that_of_the_skipped_row():
    row = np.random.default_rng(0).normal(size=30)
    folded = folded_spectrum(torch.from_numpy(np.fft.fft(row)), 5)
    assert np.allclose(folded.numpy(), np.fft.fft(row[::5]))


@pytest.mark.parametrize("count", [1, 4, 7])
def test_the_gain_agrees_with_scipy(count):
    kernel = np.hanning(count + 2)[1:-1]
    frequency = np.linspace(0, 0.5, 9)
    _, known = signal.freqz(kernel, worN=2 * np.pi * frequency)
    centred = known * np.exp(1j * np.pi * frequency * (count - 1))
    found = frequency_response(torch.from_numpy(kernel), torch.from_numpy(frequency))
    assert np.allclose(found.numpy(), centred.real)


def test_white_noise_has_its_energy_spread_evenly():
    x = torch.randn(20, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    share = 1 - (31**2 - 1) / (64**2 - 1)  # 31 of 64 frequencies of an axis are slow
    assert energy_above(x, 0.25).mean().item() == pytest.approx(share, abs=0.005)


def test_a_shift_of_brightness_does_not_count():
    x = torch.rand(3, 2, 8, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(energy_above(x + 5, 0.3), energy_above(x, 0.3))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: alias_frequency(torch.ones(2), rate=0.0), "rate is 0.0"),
        (lambda: folded_spectrum(torch.ones(10), 4), "factor is 4"),
        (lambda: frequency_response(torch.tensor([1.0, 2.0]), torch.ones(1)), "not symmetric"),
        (lambda: energy_above(torch.ones(3, 4), 0.1), r"\(3, 4\)"),
        (lambda: energy_above(torch.full((1, 1, 4, 4), torch.nan), 0.1), "16 values"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
