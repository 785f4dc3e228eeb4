import pytest
import torch
import torch.nn.functional as F
from torch import nn

from genimg_course.maths import conv_norm, lipschitz_bound, power_iteration, reshaped_norm


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def test_many_iterations_agree_with_the_singular_value_decomposition(rng):
    weight = torch.randn(6, 4, generator=rng, dtype=torch.float64)
    found = power_iteration(weight, torch.ones(6, dtype=torch.float64), iterations=500)
    torch.testing.assert_close(found, torch.linalg.svdvals(weight)[0])


def test_an_estimate_is_at_most_the_norm_and_grows_with_iterations(rng):
    weight = torch.randn(6, 9, generator=rng, dtype=torch.float64)
    u = torch.randn(6, generator=rng, dtype=torch.float64)
    found = torch.stack([power_iteration(weight, u, iterations=k) for k in range(1, 8)])
    assert (found.diff() >= -1e-12).all()
    assert found[-1] <= torch.linalg.matrix_norm(weight, ord=2) + 1e-12


def test_the_iteration_agrees_with_torchs_spectral_normalisation(rng):
    torch.manual_seed(0)
    layer = nn.utils.parametrizations.spectral_norm(nn.Linear(5, 3), n_power_iterations=400)
    weight = layer.parametrizations.weight.original.detach()
    sigma = power_iteration(weight, torch.ones(3), iterations=400)
    torch.testing.assert_close(layer(torch.eye(5)) - layer.bias, weight.T / sigma)


def test_the_gradient_of_the_estimate_has_length_one(rng):
    weight = torch.randn(3, 5, generator=rng, requires_grad=True)
    power_iteration(weight, torch.ones(3)).backward()
    assert weight.grad.norm().item() == pytest.approx(1, abs=1e-5)


def test_the_bound_of_a_network_is_the_product_of_its_norms(rng):
    weights = [torch.randn(4, 3, generator=rng), torch.randn(2, 4, generator=rng)]
    expected = torch.linalg.svdvals(weights[0])[0] * torch.linalg.svdvals(weights[1])[0]
    torch.testing.assert_close(lipschitz_bound(weights), expected)


def test_no_image_is_stretched_more_than_the_norm_of_the_convolution(rng):
    kernel = torch.randn(4, 2, 3, 3, generator=rng, dtype=torch.float64)
    x = torch.randn(200, 2, 6, 6, generator=rng, dtype=torch.float64)
    y = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="circular"), kernel)
    stretch = y.flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)
    norm = conv_norm(kernel, 6)
    assert stretch.max() <= norm
    assert reshaped_norm(kernel) <= norm <= 3 * reshaped_norm(kernel)


def test_a_blur_is_three_times_as_strong_as_its_reshaped_kernel():
    blur = torch.ones(1, 1, 3, 3)
    assert conv_norm(blur, 8).item() == pytest.approx(9, rel=1e-5)
    assert reshaped_norm(blur).item() == pytest.approx(3, rel=1e-5)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: power_iteration(torch.ones(2, 3), torch.ones(3)), r"u has shape \(3,\)"),
        (lambda: power_iteration(torch.ones(2, 3), torch.ones(2), iterations=0), "iterations is 0"),
        (lambda: power_iteration(torch.ones(3), torch.ones(3)), r"weight has shape \(3,\)"),
        (lambda: lipschitz_bound([]), "there are no weights"),
        (lambda: conv_norm(torch.ones(1, 1, 3, 3), 2), "larger than images of size 2"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
