import math

import pytest
import torch
from scipy.stats import entropy

from genimg_course.maths import inception_score


def answers(count=12, classes=5, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(count, classes, generator=rng, dtype=torch.float64)).softmax(dim=1)


def test_agrees_with_the_divergences_of_scipy():
    p = answers()
    expected = math.exp(entropy(p.numpy(), p.numpy().mean(axis=0), axis=1).mean())
    assert inception_score(p).item() == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 10])
def test_one_memorised_image_of_each_class_reaches_the_highest_score(classes):
    assert inception_score(torch.eye(classes)).item() == pytest.approx(classes)
    assert inception_score(torch.eye(classes).repeat(7, 1)).item() == pytest.approx(classes)


def test_one_class_for_ever_and_grey_noise_both_score_one():
    assert inception_score(torch.eye(4)[[2] * 9]).item() == pytest.approx(1)
    assert inception_score(torch.full((9, 4), 0.25)).item() == pytest.approx(1)


def test_does_not_depend_on_the_order_of_images_or_classes():
    p = answers()
    assert inception_score(p.flip(0).flip(1)).item() == pytest.approx(inception_score(p).item())
    assert 1 < inception_score(p) < 5


@pytest.mark.parametrize(
    ("p", "named"),
    [
        (torch.tensor([0.5, 0.5]), "(2,)"),
        (torch.tensor([[0.5, 0.4]]), "0.1 away"),
        (torch.tensor([[1.5, -0.5]]), "[-0.5, 1.5]"),
        (torch.tensor([[math.nan, 1.0]]), "nan"),
    ],
)
def test_bad_input_is_named(p, named):
    with pytest.raises(ValueError) as error:
        inception_score(p)
    assert named in str(error.value)
