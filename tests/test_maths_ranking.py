import math

import pytest
import torch
from scipy.stats import mannwhitneyu
from torchmetrics.functional.classification import binary_auroc

from genimg_course.maths import roc_area


def scores(seed=0, decimals=9):
    rng = torch.Generator().manual_seed(seed)
    low = torch.randn(40, generator=rng, dtype=torch.float64)
    high = torch.randn(30, generator=rng, dtype=torch.float64) + 0.8
    return low.round(decimals=decimals), high.round(decimals=decimals)


@pytest.mark.parametrize("decimals", [0, 9])
def test_agrees_with_scipy_and_torchmetrics_with_and_without_ties(decimals):
    low, high = scores(decimals=decimals)
    area = roc_area(low, high).item()
    assert area == pytest.approx(mannwhitneyu(high, low).statistic / (40 * 30))
    target = torch.cat([torch.zeros(40), torch.ones(30)]).long()
    # torchmetrics takes numbers outside [0, 1] for logits; a monotone map changes no order
    expected = binary_auroc(torch.cat([low, high]).div(10).sigmoid(), target)
    assert area == pytest.approx(expected.item(), abs=1e-6)


def test_of_two_gaussians_is_the_normal_law_of_the_shift():
    rng = torch.Generator().manual_seed(0)
    low, high = torch.randn(2, 3000, generator=rng)
    expected = 0.5 * (1 + math.erf(0.8 / 2))
    assert roc_area(low, high + 0.8).item() == pytest.approx(expected, abs=0.02)


def test_ends_and_middle():
    low, high = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0, 5.0])
    assert roc_area(low, high) == 1
    assert roc_area(high, low) == 0
    assert roc_area(low, low) == 0.5
    assert roc_area(torch.zeros(3), torch.zeros(2)) == 0.5


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: roc_area(torch.zeros(0), torch.zeros(2)), "low has shape (0,)"),
        (lambda: roc_area(torch.zeros(2), torch.zeros(2, 1)), "high has shape (2, 1)"),
        (lambda: roc_area(torch.zeros(2), torch.tensor([math.nan])), "high has 1"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
