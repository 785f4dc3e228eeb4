import pytest
import torch
from torch.distributions import Normal

from genimg_course.maths import information_bounds, optimal_noise


def test_no_other_noise_makes_the_residuals_more_probable():
    rng = torch.Generator().manual_seed(1)
    x_hat, x = torch.randn(2, 5, 3, 4, 2, generator=rng, dtype=torch.float64)
    best = optimal_noise(x_hat, x)
    fits = [
        Normal(x_hat, (factor * best).sqrt()).log_prob(x).sum().item()
        for factor in (0.9, 0.99, 1.0, 1.01, 1.1)
    ]
    assert max(fits) == fits[2]


def test_one_noise_holds_for_all_pixels():
    assert optimal_noise(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])).item() == 12.5


def test_the_noise_refuses_pictures_of_another_shape():
    with pytest.raises(ValueError, match="x_hat"):
        optimal_noise(torch.zeros(2, 3), torch.zeros(3, 2))


def test_points_are_read_one_by_one():
    rate, distortion = torch.tensor([4.0, 1.0]), torch.tensor([7.0, 12.0])
    read = information_bounds(rate, distortion, entropy=10.0)
    assert {key: value.tolist() for key, value in read.items()} == {
        "negative_elbo": [11.0, 13.0],
        "at_least": [3.0, 0.0],
        "at_most": [4.0, 1.0],
        "excess": [1.0, 3.0],
    }


def test_the_plane_refuses_other_shapes_and_nan():
    with pytest.raises(ValueError, match="rate"):
        information_bounds(torch.zeros(2), torch.zeros(3), entropy=1.0)
    with pytest.raises(ValueError, match="distortion"):
        information_bounds(torch.zeros(1), torch.full((1,), float("nan")), entropy=1.0)
