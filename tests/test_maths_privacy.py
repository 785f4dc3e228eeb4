import math

import pytest
import torch
from scipy.stats import ks_2samp, norm

from genimg_course.maths import best_attack, gaussian_mechanism_delta, membership_advantage


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_the_advantage_is_a_one_sided_kolmogorov_smirnov_distance(shift):
    rng = torch.Generator().manual_seed(0)
    members, others = torch.randn(70, generator=rng) + shift, torch.randn(90, generator=rng)
    expected = ks_2samp(members.numpy(), others.numpy(), alternative="less").statistic
    assert membership_advantage(members, others).item() == pytest.approx(expected, abs=1e-6)


def test_scores_that_tell_all_and_scores_that_point_the_wrong_way():
    low, high = torch.tensor([0.0, 1.0]), torch.tensor([2.0, 3.0, 4.0])
    assert membership_advantage(high, low) == 1
    assert membership_advantage(low, high) == 0


def test_the_best_attack_accuses_where_members_are_likelier():
    p, q = torch.tensor([0.5, 0.2, 0.3]), torch.tensor([0.3, 0.2, 0.5])
    assert best_attack(p, q).tolist() == [True, False, False]


@pytest.mark.parametrize(("move", "sigma"), [(1.0, 1.0), (0.3, 2.0), (3.0, 0.8)])
def test_delta_agrees_with_scipy(move, sigma):
    mu = move / sigma
    epsilon = torch.tensor([0.0, 0.5, 2.0, 6.0]).double()
    found = gaussian_mechanism_delta(epsilon, sensitivity=move, sigma=sigma)
    for eps, delta in zip(epsilon.tolist(), found.tolist(), strict=True):
        expected = norm.cdf(mu / 2 - eps / mu) - math.exp(eps) * norm.cdf(-mu / 2 - eps / mu)
        assert delta == pytest.approx(expected, abs=1e-12)


def test_more_noise_hides_more_and_a_known_value():
    epsilon = torch.tensor([0.5]).double()
    deltas = [
        gaussian_mechanism_delta(epsilon, sensitivity=1.0, sigma=s).item() for s in (0.5, 1, 2)
    ]
    assert deltas == sorted(deltas, reverse=True)
    assert deltas[1] == pytest.approx(0.2384, abs=5e-5)


def test_no_attack_beats_the_noise():
    rng = torch.Generator().manual_seed(0)
    members = 0.8 + 1.5 * torch.randn(100_000, generator=rng)
    others = 1.5 * torch.randn(100_000, generator=rng)
    bound = gaussian_mechanism_delta(torch.zeros(1), sensitivity=0.8, sigma=1.5).item()
    assert membership_advantage(members, others).item() == pytest.approx(bound, abs=0.01)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: membership_advantage(torch.ones(0), torch.ones(2)), "members has shape (0,)"),
        (lambda: membership_advantage(torch.ones(2), torch.ones(2, 1)), "others has shape (2, 1)"),
        (lambda: best_attack(torch.ones(2), torch.ones(3)), "p_other (3,)"),
        (lambda: best_attack(torch.ones(2), -torch.ones(2)), "-1"),
        (lambda: gaussian_mechanism_delta(-torch.ones(1), sensitivity=1.0, sigma=1.0), "-1"),
        (
            lambda: gaussian_mechanism_delta(torch.ones(1), sensitivity=1.0, sigma=0.0),
            "sigma 0.0",
        ),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
