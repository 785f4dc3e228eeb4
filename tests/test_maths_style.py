"""Gram matrices, adaptive normalisation, modulated kernels, truncation."""

import pytest
import torch
import torch.nn.functional as F
from scipy import stats

from genimg_course.maths.style import (
    adaptive_instance_norm,
    demodulate,
    gram_matrix,
    style_loss,
    truncate,
    truncated_normal_variance,
)


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_gram_matrix_forgets_where_things_are():
    features = draw(0, 3, 7)
    shuffled = features[:, torch.tensor([3, 1, 6, 0, 2, 5, 4])]
    torch.testing.assert_close(gram_matrix(features), gram_matrix(shuffled))


def test_a_picture_has_no_distance_from_its_own_style():
    features = draw(1, 3, 7)
    assert style_loss(features, gram_matrix(features)).item() == 0
    assert style_loss(2 * features, gram_matrix(features)).item() > 0


def test_a_target_of_another_layer_is_refused():
    with pytest.raises(ValueError, match="shapes differ"):
        style_loss(draw(1, 3, 7), torch.zeros(4, 4))


def test_adaptive_normalisation_to_zero_and_one_is_instance_normalisation():
    content = draw(2, 2, 3, 5, 4)
    plain = adaptive_instance_norm(content, torch.zeros(2, 3), torch.ones(2, 3))
    torch.testing.assert_close(plain, F.instance_norm(content, eps=0.0), atol=1e-5, rtol=1e-5)


def test_demodulated_outputs_have_unit_spread():
    x = draw(3, 64, 8, 12, 12)
    kernel = demodulate(5 * draw(4, 6, 8, 3, 3), draw(5, 8).exp())
    assert F.conv2d(x, kernel).std(dim=(0, 2, 3)).tolist() == pytest.approx([1] * 6, abs=0.05)


def test_truncation_at_zero_leaves_the_mean():
    w, mean = draw(6, 5, 3), draw(7, 3)
    torch.testing.assert_close(truncate(w, mean, psi=0.0), mean.expand(5, 3))


@pytest.mark.parametrize("limit", [0.3, 1.0, 2.0])
def test_the_variance_within_a_limit_is_scipys(limit):
    expected = stats.truncnorm(-limit, limit).var()
    assert truncated_normal_variance(limit) == pytest.approx(expected)


def test_a_limit_must_be_positive():
    with pytest.raises(ValueError, match="limit is 0"):
        truncated_normal_variance(0)
