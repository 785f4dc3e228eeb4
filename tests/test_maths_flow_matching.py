import pytest
import torch

from genimg_course.maths import (
    flow_interpolate,
    flow_target,
    heun_step,
    ideal_epsilon,
    ideal_velocity,
)


def draws(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_path_runs_from_noise_to_the_image_at_constant_speed():
    x0, x1 = draws(0, 3, 2, 4), draws(1, 3, 2, 4)
    ends = torch.tensor([0.0, 1.0, 0.5]).double()
    found = flow_interpolate(x0, x1, ends)
    torch.testing.assert_close(found, torch.stack([x0[0], x1[1], (x0[2] + x1[2]) / 2]))
    torch.testing.assert_close(x0 + flow_target(x0, x1), x1)


def test_the_ideal_velocity_is_the_best_prediction_of_the_paths():
    data, t = draws(0, 5, 2), torch.tensor(0.4).double()
    rng = torch.Generator().manual_seed(1)
    x1 = data[torch.randint(5, (20_000,), generator=rng)]
    x0 = draws(2, 20_000, 2)
    x_t = flow_interpolate(x0, x1, t)
    best, target = ideal_velocity(x_t, data, t), flow_target(x0, x1)
    loss = (best - target).square().mean()
    for rival in (0.9 * best, best + 0.1, ideal_velocity(x_t, data[1:], t)):
        assert loss < (rival - target).square().mean()


def test_following_it_leads_from_noise_to_the_data():
    data, x = draws(0, 4, 2), draws(1, 30, 2)
    dt = torch.tensor(0.01).double()
    for k in range(99):
        x = heun_step(lambda p, t: ideal_velocity(p, data, t.clamp_max(0.995)), x, k * dt, dt)
    assert torch.cdist(x, data).min(dim=1).values.max() < 0.1


def test_velocity_and_noise_say_the_same_thing():
    data, x = draws(0, 4, 2, 3), draws(1, 5, 2, 3)
    t = torch.tensor(0.6).double()
    scale = (t**2 + (1 - t) ** 2).sqrt()  # the same point, with the variance of diffusion
    epsilon = ideal_epsilon(x / scale, data, (t / scale).square())
    torch.testing.assert_close(ideal_velocity(x, data, t), (x - epsilon) / t)


X = torch.ones(3, 2)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: flow_interpolate(X, X[:2], torch.tensor(0.5)), "x1 (2, 2)"),
        (lambda: flow_interpolate(X, X, torch.tensor([0.5, 0.5])), "(2,)"),
        (lambda: flow_interpolate(X, X, torch.tensor(1.5)), "1.5"),
        (lambda: flow_target(X, X[:2]), "x1 (2, 2)"),
        (lambda: ideal_velocity(X, torch.ones(4, 3), torch.tensor(0.5)), "data (4, 3)"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
