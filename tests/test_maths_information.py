import math

import pytest
import torch
from torch.distributions import Categorical

from genimg_course.maths import cross_entropy, entropy, kl_divergence


@pytest.fixture
def laws():
    rng = torch.Generator().manual_seed(0)
    return torch.randn(2, 4, 3, 5, generator=rng, dtype=torch.float64).softmax(dim=-1)


def test_entropy_agrees_with_torch_distributions(laws):
    torch.testing.assert_close(entropy(laws[0]), Categorical(probs=laws[0]).entropy())


def test_cross_entropy_agrees_with_the_loss_of_torch(laws):
    p, q = (law.reshape(12, 5) for law in laws)
    expected = torch.nn.functional.cross_entropy(q.log(), p, reduction="none")
    torch.testing.assert_close(cross_entropy(p, q), expected)


def test_cross_entropy_exceeds_entropy_by_the_divergence(laws):
    p, q = laws
    torch.testing.assert_close(cross_entropy(p, q) - entropy(p), kl_divergence(p, q))


@pytest.mark.parametrize(
    ("p", "value"), [([0.25] * 4, math.log(4)), ([0.0, 1.0], 0.0), ([0.5, 0.5, 0.0], math.log(2))]
)
def test_known_entropies(p, value):
    assert entropy(torch.tensor(p, dtype=torch.float64)).item() == pytest.approx(value, abs=1e-15)


def test_the_impossible_costs_infinitely_much():
    p, q = torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])
    assert cross_entropy(p, q).item() == math.inf
    assert cross_entropy(q, p).item() == pytest.approx(math.log(2))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"1\.5"):
        entropy(torch.tensor([1.5, -0.5]))
    with pytest.raises(ValueError, match=r"p \(2,\), q \(1, 2\)"):
        cross_entropy(torch.ones(2) / 2, torch.ones(1, 2) / 2)
    with pytest.raises(ValueError, match="q spans"):
        cross_entropy(torch.ones(2) / 2, torch.tensor([2.0, -1.0]))
