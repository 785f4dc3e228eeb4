import pytest
import torch

from genimg_course.maths import adam_step, momentum_step


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (torch.optim.Adam, {}),
        (torch.optim.Adam, {"betas": (0.5, 0.99), "eps": 1e-3}),
        (torch.optim.AdamW, {"weight_decay": 0.3}),
    ],
)
def test_six_steps_agree_with_torch(kind, options):
    rng = torch.Generator().manual_seed(0)
    theirs = torch.nn.Parameter(torch.randn(2, 3, generator=rng, dtype=torch.float64))
    optimiser = kind([theirs], lr=0.05, **options)
    ours, m, v = theirs.detach().clone(), torch.zeros(2, 3).double(), torch.zeros(2, 3).double()
    for step in range(1, 7):
        gradient = torch.randn(2, 3, generator=rng, dtype=torch.float64)
        theirs.grad = gradient.clone()
        optimiser.step()
        ours, m, v = adam_step(ours, gradient, m, v, step, lr=0.05, **options)
        torch.testing.assert_close(ours, theirs.detach())


def test_the_first_step_forgets_how_steep_the_loss_is():
    zero = torch.zeros(3)
    weight, *_ = adam_step(zero, torch.tensor([1e-3, 5.0, -200.0]), zero, zero, 1, lr=0.01)
    torch.testing.assert_close(weight, torch.tensor([-0.01, -0.01, 0.01]), rtol=1e-4, atol=0)


def test_an_l2_penalty_is_not_weight_decay():
    weight, gradient, zero = torch.tensor([3.0]), torch.tensor([0.5]), torch.zeros(1)
    penalty, *_ = adam_step(weight, gradient + 0.2 * weight, zero, zero, 1, lr=0.1)
    decay, *_ = adam_step(weight, gradient, zero, zero, 1, lr=0.1, weight_decay=0.2)
    assert penalty.item() == pytest.approx(2.9, abs=1e-5)
    assert decay.item() == pytest.approx(2.84, abs=1e-5)


def test_arguments_are_left_alone():
    weight, zero = torch.ones(2), torch.zeros(2)
    adam_step(weight, torch.ones(2), zero, zero, 1, lr=0.1)
    assert weight.equal(torch.ones(2)) and zero.equal(torch.zeros(2))


def test_bad_input_is_named():
    one, two = torch.ones(1), torch.ones(2)
    with pytest.raises(ValueError, match=r"gradient \(2,\)"):
        adam_step(one, two, one, one, 1, lr=0.1)
    with pytest.raises(ValueError, match="step is 0"):
        adam_step(one, one, one, one, 0, lr=0.1)


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_descent_with_momentum_agrees_with_torch(momentum):
    rng = torch.Generator().manual_seed(0)
    theirs = torch.nn.Parameter(torch.randn(4, generator=rng))
    optimiser = torch.optim.SGD([theirs], lr=0.1, momentum=momentum)
    ours, velocity = theirs.detach().clone(), torch.zeros(4)
    for _ in range(5):
        gradient = torch.randn(4, generator=rng)
        theirs.grad = gradient.clone()
        optimiser.step()
        ours, velocity = momentum_step(ours, gradient, velocity, lr=0.1, momentum=momentum)
    torch.testing.assert_close(ours, theirs.detach())


def test_a_velocity_of_another_shape_is_named():
    with pytest.raises(ValueError, match=r"velocity \(3,\)"):
        momentum_step(torch.ones(2), torch.ones(2), torch.ones(3), lr=0.1)
