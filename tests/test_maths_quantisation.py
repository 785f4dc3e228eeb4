import math

import numpy as np
import pytest
import torch

from genimg_course.maths import quantisation_snr, quantise_uniform, quantise_weights


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_a_uniform_source_gains_six_decibels_a_bit(bits):
    x = torch.rand(400_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    error = x - quantise_uniform(x, bits=bits)
    found = 10 * math.log10((1 / 12) / error.square().mean().item())
    assert found == pytest.approx(quantisation_snr(bits), abs=0.05)
    assert quantisation_snr(bits) == pytest.approx(6.0206 * bits, abs=1e-3)


def test_cells_agree_with_numpy():
    x = torch.rand(1000, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 4 - 2
    edges = np.linspace(-2, 2, 9)
    cells = np.digitize(x.numpy(), edges) - 1
    middles = torch.from_numpy((edges[cells] + edges[cells + 1]) / 2)
    torch.testing.assert_close(quantise_uniform(x, bits=3, low=-2.0, high=2.0), middles)


def test_the_upper_end_belongs_to_the_last_cell():
    assert quantise_uniform(torch.tensor([0.0, 1.0]), bits=1).tolist() == [0.25, 0.75]


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_weights_agree_with_torchs_quantiser(bits):
    weight = torch.randn(6, 5, generator=torch.Generator().manual_seed(2))
    whole, scale = quantise_weights(weight, bits=bits)
    top = 2 ** (bits - 1) - 1
    expected = torch.fake_quantize_per_tensor_affine(weight, scale.item(), 0, -top, top)
    assert whole.dtype == torch.int8 and int(whole.abs().max()) == top
    torch.testing.assert_close(whole * scale, expected)
    assert (weight - whole * scale).abs().max() <= scale / 2 + 1e-6


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: quantise_uniform(torch.ones(2), bits=0), "bits is 0"),
        (lambda: quantise_uniform(torch.ones(2), bits=2, low=1.0, high=1.0), "[1.0, 1.0]"),
        (lambda: quantise_uniform(torch.tensor([1.5]), bits=2), "1.5"),
        (lambda: quantisation_snr(0), "bits is 0"),
        (lambda: quantise_weights(torch.ones(2), bits=9), "bits is 9"),
        (lambda: quantise_weights(torch.zeros(2)), "(2,)"),
        (lambda: quantise_weights(torch.tensor([1.0, math.nan])), "NaN"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
