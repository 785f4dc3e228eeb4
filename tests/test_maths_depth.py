import pytest
import torch
from torch import nn

from genimg_course.maths import merge_affine, nonlinear_stages, residual_gradient


def test_three_layers_of_torch_merge_into_one():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 4), nn.Linear(4, 2)).double()
    weight, bias = merge_affine([part.weight for part in net], [part.bias for part in net])
    x = torch.randn(6, 3, dtype=torch.float64)
    torch.testing.assert_close(x @ weight.T + bias, net(x))


def test_the_stack_of_the_article_does_not_bend():
    stack = "ConvTranspose2d BatchNorm2d ConvTranspose2d BatchNorm2d ConvTranspose2d"
    assert nonlinear_stages(stack) == 0
    assert nonlinear_stages(f"{stack} Tanh") == 1


def test_no_blocks_return_the_gradient_and_zero_blocks_do_not_change_it():
    gradient = torch.tensor([1.0, -2.0])
    assert residual_gradient([], gradient).equal(gradient)
    assert residual_gradient([torch.zeros(2, 2)] * 3, gradient).equal(gradient)


def test_a_gradient_through_blocks_agrees_with_autograd():
    torch.manual_seed(1)
    x, gradient = torch.randn(3, requires_grad=True), torch.randn(3)
    blocks = [nn.Linear(3, 3) for _ in range(4)]
    h = x
    for block in blocks:
        h = h + block(h)
    (expected,) = torch.autograd.grad(h, x, gradient)
    found = residual_gradient([block.weight.detach() for block in blocks], gradient)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: merge_affine([], []), "0 weights"),
        (lambda: merge_affine([torch.ones(2, 2)], []), "0 biases"),
        (lambda: nonlinear_stages("Conv2d Relu"), "Relu"),
        (lambda: residual_gradient([torch.ones(2, 3)], torch.ones(2)), "(2, 3)"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
