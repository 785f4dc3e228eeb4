import pytest
import torch

from genimg_course.maths import balanced_weights, leak_probability


def test_a_sampler_with_these_weights_draws_all_classes_alike():
    rng = torch.Generator().manual_seed(0)
    labels = torch.tensor([0] * 500 + [3] * 40 + [7] * 3)
    drawn = labels[torch.multinomial(balanced_weights(labels), 30_000, True, generator=rng)]
    shares = torch.bincount(drawn)[[0, 3, 7]] / len(drawn)
    torch.testing.assert_close(shares, torch.full((3,), 1 / 3), atol=0.02, rtol=0)


def test_equal_classes_get_equal_weights():
    weights = balanced_weights(torch.tensor([0, 1, 1, 0]))
    torch.testing.assert_close(weights, torch.full((4,), 0.25, dtype=torch.float64))


def test_a_simulated_split_leaks_as_often_as_the_formula_says():
    rng = torch.Generator().manual_seed(0)
    training = torch.rand(100_000, 4, generator=rng) < 0.4
    met = training[:, 1:].any(dim=1)[~training[:, 0]]  # siblings of pictures in the test set
    assert met.double().mean().item() == pytest.approx(leak_probability(4, 0.4), abs=0.01)


def test_a_single_copy_does_not_leak():
    assert leak_probability(1, 0.8) == 0


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: balanced_weights(torch.ones(3)), "torch.float32"),
        (lambda: balanced_weights(torch.zeros(0, dtype=torch.int64)), r"\(0,\)"),
        (lambda: leak_probability(0, 0.5), "0 copies"),
        (lambda: leak_probability(2, 1.5), "share of 1.5"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
