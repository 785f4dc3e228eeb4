"""InfoNCE, draws by Gumbel noise, gradients by the score function."""

import math

import pytest
import torch
import torch.nn.functional as F

from genimg_course.maths.contrast import gumbel_max, info_nce, reinforce_gradient


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_bound_is_log_n_less_the_cross_entropy_of_the_pairs():
    scores = draw(0, 6, 6)
    expected = math.log(6) - F.cross_entropy(scores, torch.arange(6)).item()
    assert info_nce(scores).item() == pytest.approx(expected, abs=1e-6)


def test_scores_that_know_nothing_give_nothing():
    assert info_nce(torch.full((4, 4), 2.5)).item() == pytest.approx(0, abs=1e-6)


def test_scores_must_be_square():
    with pytest.raises(ValueError, match="one text for each image"):
        info_nce(torch.zeros(3, 2))


def test_equal_noise_leaves_the_choice_to_the_logits():
    logits = draw(1, 5, 4)
    assert torch.equal(gumbel_max(logits, torch.full((5, 4), 0.5)), logits.argmax(dim=1))


def test_noise_must_have_the_shape_of_the_logits():
    with pytest.raises(ValueError, match="shapes differ"):
        gumbel_max(torch.zeros(2, 3), torch.zeros(2, 1))


def test_the_mean_over_all_choices_is_the_gradient():
    logits, rewards = draw(2, 5).requires_grad_(), draw(3, 5)
    expected = torch.autograd.grad((logits.softmax(0) * rewards).sum(), logits)[0]
    each = reinforce_gradient(logits.detach(), torch.arange(5), rewards, baseline=3.0)
    torch.testing.assert_close(logits.softmax(0).detach() @ each, expected)


def test_each_choice_wants_a_reward():
    with pytest.raises(ValueError, match="shapes differ"):
        reinforce_gradient(torch.zeros(3), torch.tensor([0, 1]), torch.zeros(1))
