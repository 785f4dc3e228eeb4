import math

import pytest
import torch
from scipy.stats import chi2

from genimg_course.maths import next_generation, recursive_log_variance, recursive_variance


def test_one_generation_is_a_fit_to_its_samples():
    noise = torch.randn(3, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean, variance = torch.tensor([0.5, -1.0, 2.0]).double(), torch.tensor([0.3, 2.0, 1.0]).double()
    samples = torch.stack(
        [m + math.sqrt(v) * e for m, v, e in zip(mean, variance, noise, strict=True)]
    )
    found = next_generation(mean, variance, noise)
    torch.testing.assert_close(found[0], samples.mean(dim=1))
    torch.testing.assert_close(found[1], (samples - found[0][:, None]).square().mean(dim=1))


def test_the_median_chain_ends_far_below_the_mean():
    rng = torch.Generator().manual_seed(0)
    mean, variance = torch.zeros(20_000), torch.ones(20_000)
    for _ in range(30):
        mean, variance = next_generation(mean, variance, torch.randn(20_000, 20, generator=rng))
    expected = recursive_variance(1.0, samples=20, generations=30)
    typical = math.exp(recursive_log_variance(1.0, samples=20, generations=30))
    assert expected == pytest.approx(0.2146, abs=1e-4)
    assert variance.mean().item() == pytest.approx(expected, rel=0.1)
    assert variance.median().item() == pytest.approx(typical, rel=0.1)
    assert typical < expected / 4


def test_the_mean_logarithm_agrees_with_scipy():
    expected = math.log(2.5) + 4 * (chi2(11).expect(math.log) - math.log(12))
    found = recursive_log_variance(2.5, samples=12, generations=4)
    assert found == pytest.approx(expected, abs=1e-6)


def test_no_generation_changes_nothing():
    assert recursive_variance(1.7, samples=5, generations=0) == 1.7
    assert recursive_log_variance(1.7, samples=5, generations=0) == math.log(1.7)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: next_generation(torch.ones(2), torch.ones(3), torch.ones(3, 4)), "mean (2,)"),
        (lambda: next_generation(torch.ones(3), torch.ones(3), torch.ones(3)), "noise has shape"),
        (lambda: recursive_variance(0.0, samples=5, generations=1), "variance is 0.0"),
        (lambda: recursive_variance(1.0, samples=1, generations=1), "samples is 1"),
        (lambda: recursive_log_variance(1.0, samples=5, generations=-1), "generations is -1"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
