import math
from functools import partial

import pytest
import torch

from genimg_course import losses
from genimg_course.maths import F_DIVERGENCES

PAIRS = {
    "cross-entropy": (losses.discriminator_loss, losses.generator_loss),
    "least squares": (
        losses.least_squares_discriminator_loss,
        losses.least_squares_generator_loss,
    ),
    "hinge": (losses.hinge_discriminator_loss, losses.hinge_generator_loss),
    "Wasserstein": (losses.wasserstein_critic_loss, losses.wasserstein_generator_loss),
} | {
    name: (
        partial(losses.f_gan_discriminator_loss, divergence=name),
        partial(losses.f_gan_generator_loss, divergence=name),
    )
    for name in F_DIVERGENCES
}
every = pytest.mark.parametrize("name", PAIRS)


def some(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@every
def test_a_discriminator_learns_to_separate_and_a_generator_to_please(name):
    d, g = PAIRS[name]
    real, fake = 0.3 * some(0, 6).requires_grad_(), 0.3 * some(1, 4).requires_grad_()
    d_real, d_fake = torch.autograd.grad(d(real, fake), (real, fake))
    (g_fake,) = torch.autograd.grad(g(fake), fake)
    assert (d_real < 0).all()  # up with real outputs
    assert d_fake.sum() > 0  # down with fake ones
    assert (g_fake < 0).all()


@every
def test_gradients_agree_with_finite_differences(name):
    d, g = PAIRS[name]
    real, fake = some(2, 3, 1).requires_grad_(), some(3, 5, 1).requires_grad_()
    assert torch.autograd.gradcheck(d, (real, fake))
    assert torch.autograd.gradcheck(g, (fake,))
    assert d(real, fake).shape == g(fake).shape == ()


@every
def test_each_batch_is_averaged_by_itself(name):
    d, g = PAIRS[name]
    real, fake = some(4, 3), some(5, 5)
    torch.testing.assert_close(d(real.repeat(2), fake.repeat(3)), d(real, fake))
    torch.testing.assert_close(g(fake.repeat(3)), g(fake))


@every
def test_an_empty_batch_is_refused(name):
    d, g = PAIRS[name]
    for call in (lambda: d(torch.zeros(0), torch.zeros(2)), lambda: g(torch.zeros(0))):
        with pytest.raises(ValueError, match=r"\(0,\)"):
            call()


def test_least_squares_by_hand_with_other_targets():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.5])
    found = losses.least_squares_discriminator_loss(real, fake, real_target=2.0, fake_target=-0.5)
    assert found.item() == pytest.approx(0.5 * (1 + 1) / 2 + 0.5 * 1.0)
    assert losses.least_squares_generator_loss(real, target=0.0).item() == pytest.approx(2.5)


def test_hinge_is_silent_beyond_the_margin_for_the_discriminator_only():
    far = torch.full((3,), 5.0, requires_grad=True)
    (slope,) = torch.autograd.grad(losses.hinge_discriminator_loss(far, -far), far)
    assert not slope.any()
    (slope,) = torch.autograd.grad(losses.hinge_generator_loss(far), far)
    assert slope.tolist() == pytest.approx([-1 / 3] * 3)
    assert losses.hinge_discriminator_loss(torch.zeros(2), torch.zeros(3)).item() == 2


@pytest.mark.parametrize("saturating", [False, True])
def test_f_gan_of_the_gan_is_the_gan(saturating):
    fake = 5 * some(6, 7)
    found = losses.f_gan_generator_loss(fake, divergence="gan", saturating=saturating)
    torch.testing.assert_close(found, losses.generator_loss(fake, saturating=saturating))


def test_an_unknown_divergence_is_named():
    with pytest.raises(ValueError, match="'w1'"):
        losses.f_gan_generator_loss(torch.zeros(2), divergence="w1")


# --- gradient penalty


def linear(x):
    return x.flatten(start_dim=1) @ torch.tensor([3.0, 4.0], dtype=x.dtype)


def test_a_critic_of_slope_five_pays_sixteen_times_the_weight():
    real, fake = some(7, 4, 1, 2), some(8, 4, 1, 2)
    found = losses.gradient_penalty(linear, real, fake, weight=0.5)
    assert found.item() == pytest.approx(8.0)
    assert losses.gradient_penalty(linear, real, fake, weight=0.0).item() == 0


def test_the_slope_is_taken_at_the_mixtures():
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.square().sum(dim=1)

    real, fake = some(9, 3, 2), some(10, 3, 2)
    alpha = torch.tensor([0.0, 1.0, 0.25], dtype=torch.float64)
    losses.gradient_penalty(critic, real, fake, weight=1.0, alpha=alpha)
    expected = torch.stack([fake[0], real[1], 0.25 * real[2] + 0.75 * fake[2]])
    torch.testing.assert_close(seen[0], expected)


def test_the_penalty_is_reproducible_with_a_generator_and_leaves_the_global_one_alone():
    real, fake = some(11, 5, 2), some(12, 5, 2)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, two = (
        losses.gradient_penalty(
            lambda x: x.square().sum(dim=1),
            real,
            fake,
            weight=1.0,
            rng=torch.Generator().manual_seed(4),
        )
        for _ in range(2)
    )
    assert one == two
    assert torch.equal(before, torch.get_rng_state())


def test_the_penalty_teaches_the_critic_and_not_the_generator():
    weight = some(13, 2, 3).requires_grad_()
    real, fake = some(14, 5, 2), some(15, 5, 2).requires_grad_()
    alpha = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)

    def penalty(w):
        return losses.gradient_penalty(
            lambda x: (x @ w).tanh().sum(dim=1), real, fake, weight=2.0, alpha=alpha
        )

    assert torch.autograd.gradcheck(penalty, (weight,))
    assert torch.autograd.grad(penalty(weight), fake, allow_unused=True) == (None,)


X = torch.zeros(3, 2)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"weight": -1.0}, "-1.0"),
        ({"weight": math.nan}, "nan"),
        ({"weight": 1.0, "fake": X[:2]}, "fake (2, 2)"),
        ({"weight": 1.0, "alpha": torch.ones(3, 1)}, "(3, 1)"),
    ],
)
def test_bad_input_of_the_penalty_is_named(options, named):
    options = {"real": X, "fake": X, **options}
    with pytest.raises(ValueError) as error:
        losses.gradient_penalty(linear, **options)
    assert named in str(error.value)
