import itertools
import math

import pytest
import torch
from scipy.spatial.distance import jensenshannon
from torch.distributions import Categorical
from torch.distributions import kl_divergence as exact_kl

from genimg_course.maths import jensen_shannon, kl_divergence, total_variation

ALL = [kl_divergence, jensen_shannon, total_variation]


@pytest.fixture
def laws():
    rng = torch.Generator().manual_seed(0)
    return torch.randn(2, 4, 5, generator=rng, dtype=torch.float64).softmax(dim=-1)


def test_kl_divergence_agrees_with_torch_distributions(laws):
    p, q = laws
    expected = exact_kl(Categorical(probs=p), Categorical(probs=q))
    torch.testing.assert_close(kl_divergence(p, q), expected)


def test_jensen_shannon_agrees_with_scipy(laws):
    p, q = laws
    expected = torch.from_numpy(jensenshannon(p.numpy(), q.numpy(), axis=1) ** 2)
    torch.testing.assert_close(jensen_shannon(p, q), expected)


def test_total_variation_is_the_largest_difference_over_all_events(laws):
    p, q = laws
    events = torch.tensor(list(itertools.product([0, 1], repeat=5)), dtype=torch.float64)
    expected = ((p - q) @ events.T).abs().max(dim=1).values
    torch.testing.assert_close(total_variation(p, q), expected)


def test_only_kl_depends_on_the_order(laws):
    p, q = laws
    torch.testing.assert_close(jensen_shannon(p, q), jensen_shannon(q, p))
    torch.testing.assert_close(total_variation(p, q), total_variation(q, p))
    assert (kl_divergence(p, q) - kl_divergence(q, p)).abs().min() > 1e-3


def test_pinsker_bounds_total_variation_by_kl(laws):
    p, q = laws
    assert (total_variation(p, q) <= (kl_divergence(p, q) / 2).sqrt()).all()


@pytest.mark.parametrize("divergence", ALL)
def test_equal_laws_are_at_distance_zero(divergence, laws):
    torch.testing.assert_close(divergence(laws[0], laws[0]), torch.zeros_like(laws[0, :, 0]))


@pytest.mark.parametrize(
    ("divergence", "value"), list(zip(ALL, [math.inf, math.log(2), 1.0], strict=True))
)
def test_laws_without_overlap(divergence, value):
    assert divergence(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])).item() == pytest.approx(
        value
    )


def test_a_zero_of_p_costs_nothing():
    p, q = torch.tensor([0.0, 1.0]), torch.tensor([0.25, 0.75])
    assert kl_divergence(p, q).item() == pytest.approx(-math.log(0.75))


@pytest.mark.parametrize("divergence", ALL)
@pytest.mark.parametrize(
    ("p", "q", "named"),
    [
        ([0.5, 0.5], [[0.5, 0.5]], "(1, 2)"),
        ([0.5, 0.5], [0.2, 0.3, 0.5], "(3,)"),
        ([0.5, 0.5], [0.7, 0.7], "q sums to 1.4"),
        ([[0.5, 0.5], [0.5, 0.25]], [[0.5, 0.5], [0.5, 0.5]], "p sums to 0.75"),
        ([-0.5, 1.5], [0.5, 0.5], "-0.5"),
        ([math.nan, 1.0], [0.5, 0.5], "nan"),
    ],
)
def test_bad_input_is_named(divergence, p, q, named):
    with pytest.raises(ValueError) as error:
        divergence(torch.tensor(p), torch.tensor(q))
    assert named in str(error.value)
