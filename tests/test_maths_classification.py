import math

import pytest
import torch
import torch.nn.functional as F

from genimg_course.maths import softmax_cross_entropy, softmax_cross_entropy_gradient


def test_value_and_gradient_agree_with_torch():
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(7, 4, generator=rng, dtype=torch.float64, requires_grad=True)
    y = torch.randint(4, (7,), generator=rng)
    loss = F.cross_entropy(logits, y)
    (gradient,) = torch.autograd.grad(loss, logits)
    logits = logits.detach()
    torch.testing.assert_close(softmax_cross_entropy(logits, y), loss.detach())
    torch.testing.assert_close(softmax_cross_entropy_gradient(logits, y), gradient)


def test_an_undecided_classifier_costs_the_log_of_the_classes():
    cost = softmax_cross_entropy(torch.zeros(3, 10), torch.tensor([0, 4, 9]))
    assert cost.item() == pytest.approx(math.log(10))


def test_large_logits_stay_finite_and_rows_sum_to_zero():
    gradient = softmax_cross_entropy_gradient(
        torch.tensor([[900.0, -900.0], [0.0, 1000.0]]), torch.tensor([1, 1])
    )
    assert gradient.tolist() == [[0.5, -0.5], [0.0, 0.0]]


@pytest.mark.parametrize("function", [softmax_cross_entropy, softmax_cross_entropy_gradient])
def test_bad_labels_are_named(function):
    with pytest.raises(ValueError, match="2 labels for 3"):
        function(torch.zeros(3, 4), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="labels"):
        function(torch.zeros(1, 4), torch.tensor([4]))
