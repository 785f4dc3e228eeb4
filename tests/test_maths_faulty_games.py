import math

import pytest
import torch
from torch.distributions import Normal

from genimg_course.maths import (
    divergence_from_logits,
    forecast,
    generator_curvature,
    generator_slopes,
    jensen_shannon,
    misled_discriminator,
    optimal_discriminator,
    unfrozen_divergence,
)


@pytest.fixture
def laws():
    rng = torch.Generator().manual_seed(0)
    return torch.randn(2, 5, generator=rng, dtype=torch.float64).softmax(dim=-1)


@pytest.mark.parametrize("mislabelled", [0.0, 1.0, 2.0, 3.5])
def test_misled_discriminator_beats_every_other_answer(laws, mislabelled):
    p, q = laws
    d = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)[:, None]
    value = (p + mislabelled * q) * d.log() + q * (1 - d).log()
    best = d[value.argmax(dim=0), 0]
    assert (best - misled_discriminator(p, q, mislabelled=mislabelled)).abs().max() < 1e-3


def test_misled_discriminator_without_wrong_labels_is_the_optimal_one(laws):
    torch.testing.assert_close(
        misled_discriminator(*laws, mislabelled=0.0), optimal_discriminator(*laws)
    )


@pytest.mark.parametrize(
    "p, q, mislabelled, expected",
    [
        (0.0, 0.3, 1.0, 1 / 2),
        (0.3, 0.3, 1.0, 2 / 3),
        (0.3, 0.0, 1.0, 1.0),
        (0.0, 0.3, 2.0, 2 / 3),
        (0.3, 0.3, 2.0, 3 / 4),
        (0.0, 0.0, 1.0, 2 / 3),
        (0.0, 0.0, 0.0, 1 / 2),
    ],
)
def test_misled_discriminator_at_the_places_that_lessons_name(p, q, mislabelled, expected):
    d = misled_discriminator(torch.tensor([p]), torch.tensor([q]), mislabelled=mislabelled)
    assert d.item() == pytest.approx(expected)


def test_misled_discriminator_has_a_finite_gradient_at_empty_points():
    p = torch.tensor([0.0, 0.5], requires_grad=True)
    misled_discriminator(p, torch.tensor([0.0, 0.2]), mislabelled=1.0).sum().backward()
    assert p.grad.isfinite().all()


def test_misled_discriminator_refuses_bad_input(laws):
    p, q = laws
    with pytest.raises(ValueError, match="mislabelled is -1"):
        misled_discriminator(p, q, mislabelled=-1)
    with pytest.raises(ValueError, match="shapes differ"):
        misled_discriminator(p, q[:2], mislabelled=1)
    with pytest.raises(ValueError, match="p spans"):
        misled_discriminator(-p, q, mislabelled=1)


def test_curvature_at_the_data_is_three_times_weaker_against_an_unfrozen_discriminator():
    one = torch.ones(1)
    assert generator_curvature(one).item() == pytest.approx(1 / 2)
    assert generator_curvature(one, saturating=True).item() == pytest.approx(1 / 2)
    assert generator_curvature(one, mislabelled=1.0).item() == pytest.approx(1 / 6)


def test_curvature_far_from_the_data_is_half_the_saturating_one():
    r = torch.tensor([1e-6], dtype=torch.float64)
    ratio = generator_curvature(r, mislabelled=1.0) / generator_curvature(r, saturating=True)
    assert ratio.item() == pytest.approx(0.5, rel=1e-5)


def test_curvature_refuses_bad_input():
    with pytest.raises(ValueError, match="least ratio is 0"):
        generator_curvature(torch.tensor([0.0, 1.0]))
    with pytest.raises(ValueError, match="mislabelled is -2"):
        generator_curvature(torch.ones(1), mislabelled=-2)


def test_unfrozen_divergence_is_zero_for_equal_laws_only(laws):
    p, q = laws
    assert unfrozen_divergence(p, p).item() == pytest.approx(0, abs=1e-15)
    assert unfrozen_divergence(p, q) > 0.001
    assert unfrozen_divergence(torch.stack([p, q]), torch.stack([q, p])).shape == (2,)


def test_forecast_for_laws_that_do_not_meet():
    p, q = torch.tensor([0.4, 0.6, 0.0]), torch.tensor([0.0, 0.0, 1.0])
    seen = forecast(p, q)
    assert seen["d_real"].item() == pytest.approx(1)
    assert seen["d_fake"].item() == pytest.approx(2 / 3)
    assert seen["g_loss"].item() == pytest.approx(math.log(1.5))
    assert seen["change_of_g"].item() == 0


def test_divergence_from_logits_of_two_gaussians_agrees_with_an_integral():
    real, fake = Normal(0.0, 1.0), Normal(1.5, 1.0)
    x, y = (
        law.icdf((torch.arange(40_000) + 0.5) / 40_000).double() for law in (real, fake)
    )  # stratified draws
    found = divergence_from_logits(
        real.log_prob(x) - fake.log_prob(x), real.log_prob(y) - fake.log_prob(y)
    )
    grid = torch.linspace(-8, 10, 6000, dtype=torch.float64)
    p, q = (law.log_prob(grid).exp() for law in (real, fake))
    expected = jensen_shannon(p / p.sum(), q / q.sum())
    assert found.item() == pytest.approx(expected.item(), abs=1e-3)


def test_divergence_from_logits_of_the_undecided_is_zero_and_of_the_sure_log_two():
    assert divergence_from_logits(torch.zeros(3), torch.zeros(5)).item() == pytest.approx(0)
    sure = divergence_from_logits(torch.full((3,), 90.0), torch.full((2,), -90.0))
    assert sure.item() == pytest.approx(math.log(2))
    with pytest.raises(ValueError, match="at least one example"):
        divergence_from_logits(torch.zeros(0), torch.zeros(1))


def test_generator_slopes_at_a_confident_discriminator():
    slopes = generator_slopes(torch.tensor([0.01]))
    assert slopes["saturating"].item() == pytest.approx(-0.01)
    assert slopes["non_saturating"].item() == pytest.approx(-0.99)
    with pytest.raises(ValueError, match="d spans"):
        generator_slopes(torch.tensor([1.1]))
