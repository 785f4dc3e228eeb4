import pytest
import torch

from genimg_course.maths import attend, attention_scores


def draws(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_attention_agrees_with_torch():
    q, k, v = draws(0, 2, 3, 4, 8), draws(1, 2, 3, 6, 8), draws(2, 2, 3, 6, 5)
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(attend(q, k, v), expected)


@pytest.mark.parametrize("width", [4, 64, 400])
def test_scores_have_the_same_spread_at_every_width(width):
    scores = attention_scores(draws(3, 150, width), draws(4, 150, width))
    assert scores.std().item() == pytest.approx(1, abs=0.08)


def test_equal_keys_give_the_mean_of_the_values():
    v = draws(5, 4, 2)
    found = attend(draws(6, 3, 5), torch.ones(4, 5, dtype=torch.float64), v)
    torch.testing.assert_close(found, v.mean(dim=0).expand(3, 2))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"k \(2, 4\)"):
        attention_scores(torch.ones(2, 3), torch.ones(2, 4))
    with pytest.raises(ValueError, match=r"v \(5, 3\)"):
        attend(torch.ones(2, 3), torch.ones(4, 3), torch.ones(5, 3))
