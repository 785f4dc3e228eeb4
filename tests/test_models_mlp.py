import pytest
import torch
from torch import nn

from genimg_course.models import PointDiscriminator, PointGenerator, mlp


def test_the_layers_have_the_sizes_asked_for():
    network = mlp(3, 5, width=7, depth=2, activation=nn.Tanh)
    shapes = [tuple(layer.weight.shape) for layer in network if isinstance(layer, nn.Linear)]
    assert shapes == [(7, 3), (7, 7), (5, 7)]
    assert [type(layer) for layer in network] == [
        nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear,
    ]  # fmt: skip


def test_it_computes_what_its_layers_say():
    network = mlp(2, 3, width=4, depth=1)
    x = torch.randn(6, 2)
    first, _, last = network
    hidden = (x @ first.weight.T + first.bias).clamp_min(0)
    torch.testing.assert_close(network(x), hidden @ last.weight.T + last.bias)


def test_a_generator_maps_noise_to_points_and_knows_its_latents():
    generator = PointGenerator(latent_dim=3, dim=2, width=4)
    assert generator.latent_dim == 3
    assert generator(torch.randn(5, 3)).shape == (5, 2)


def test_a_discriminator_gives_each_point_one_logit_of_its_own():
    discriminator = PointDiscriminator(dim=2, width=4)
    x = torch.randn(5, 2)
    logits = discriminator(x)
    assert logits.shape == (5,)
    torch.testing.assert_close(discriminator(x[3:4]), logits[3:4])


def test_a_discriminator_has_a_slope_everywhere():
    x = torch.randn(50, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(PointDiscriminator(width=4, depth=1)(x).sum(), x)
    assert (slope.abs().sum(dim=1) > 0).all()


def test_a_network_without_hidden_layers_is_refused():
    with pytest.raises(ValueError, match="depth is 0"):
        mlp(2, 1, depth=0)
