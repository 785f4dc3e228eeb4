import pytest
import torch

from genimg_course.maths import he_std, signal_gain


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
def test_the_deviation_is_that_of_torchs_rule(slope):
    weight = torch.empty(6, 50)
    gain = torch.nn.init.calculate_gain("leaky_relu", slope)
    assert he_std(weight.shape[1], negative_slope=slope) == pytest.approx(gain / 50**0.5)


def test_twice_the_deviation_grows_fourfold_a_layer():
    assert signal_gain(he_std(64), 64) == pytest.approx(1)
    assert signal_gain(2 * he_std(64), 64) == pytest.approx(4)


def test_a_wide_layer_shows_the_gain():
    rng = torch.Generator().manual_seed(0)
    a = torch.randn(200, 500, generator=rng)
    out = a.relu() @ (0.1 * torch.randn(500, 500, generator=rng))
    assert out.square().mean().item() == pytest.approx(signal_gain(0.1, 500), rel=0.05)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: he_std(0), "fan_in is 0"),
        (lambda: signal_gain(1.0, 0), "fan_in is 0"),
        (lambda: signal_gain(-0.5, 3), "std is -0.5"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
