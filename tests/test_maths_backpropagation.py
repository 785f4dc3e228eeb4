import pytest
import torch
from torch import nn

from genimg_course.maths import backpropagate, perceptron


@pytest.fixture
def network():
    torch_network = nn.Sequential(
        nn.Linear(5, 7, bias=False),
        nn.Tanh(),
        nn.Linear(7, 4, bias=False),
        nn.Tanh(),
        nn.Linear(4, 2, bias=False),
    ).double()
    rng = torch.Generator().manual_seed(0)
    for weight in torch_network.parameters():
        weight.data = torch.randn(weight.shape, generator=rng, dtype=torch.float64)
    return torch_network, torch.randn(6, 5, generator=rng, dtype=torch.float64)


def test_a_perceptron_says_what_torch_layers_say(network):
    layers, x = network
    states = perceptron([w.detach() for w in layers.parameters()], x)
    assert [s.shape[1] for s in states] == [5, 7, 4, 2]
    torch.testing.assert_close(states[-1], layers(x).detach())
    torch.testing.assert_close(states[1], layers[:2](x).detach())


def test_the_sweep_agrees_with_torchs_backward(network):
    layers, x = network
    layers(x).exp().sum().backward()
    weights = [w.detach() for w in layers.parameters()]
    states = perceptron(weights, x)
    found = backpropagate(weights, states, states[-1].exp())
    for gradient, weight in zip(found, layers.parameters(), strict=True):
        torch.testing.assert_close(gradient, weight.grad)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: perceptron([], torch.ones(2, 3)), "weights is empty"),
        (lambda: perceptron([torch.ones(4, 2)], torch.ones(2, 3)), "layer 0"),
        (
            lambda: backpropagate([torch.ones(4, 3)], [torch.ones(2, 3)], torch.ones(2, 4)),
            "1 states for 1 layers",
        ),
        (
            lambda: backpropagate(
                [torch.ones(4, 3)], [torch.ones(2, 3), torch.ones(2, 4)], torch.ones(2, 1)
            ),
            "(2, 1)",
        ),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
