import math

import pytest
import torch
from scipy.optimize import minimize_scalar
from torch.distributions import Categorical
from torch.distributions import kl_divergence as exact_kl

from genimg_course.maths import (
    F_DIVERGENCES,
    convex_generator,
    density_ratio_score,
    f_conjugate,
    f_divergence,
    fenchel_conjugate,
    output_activation,
    variational_bound,
)

every = pytest.mark.parametrize("name", F_DIVERGENCES)


@pytest.fixture
def laws():
    rng = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, 5, generator=rng, dtype=torch.float64).softmax(dim=-1)


def test_kl_both_ways_agrees_with_torch_distributions(laws):
    p, q = laws
    there, back = Categorical(probs=p), Categorical(probs=q)
    torch.testing.assert_close(f_divergence(p, q, "kl"), exact_kl(there, back))
    torch.testing.assert_close(f_divergence(p, q, "reverse_kl"), exact_kl(back, there))


@every
def test_equal_laws_have_divergence_f_of_one(laws, name):
    expected = -math.log(4) if name == "gan" else 0.0
    found = f_divergence(laws[0], laws[0], name)
    torch.testing.assert_close(found, torch.full((3,), expected, dtype=torch.float64))


@every
def test_the_conjugate_is_the_supremum_that_an_optimiser_finds(name):
    for slope in (-2.0, -0.5, -0.1):

        def below(log_u, slope=slope):
            u = torch.tensor(log_u, dtype=torch.float64).exp()
            return float(convex_generator(u, name) - slope * u)

        best = minimize_scalar(below, bounds=(-25, 8), method="bounded", options={"xatol": 1e-10})
        found = f_conjugate(torch.tensor(slope, dtype=torch.float64), name)
        assert found.item() == pytest.approx(-best.fun, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "t", "infinite"),
    [
        ("gan", 0.0, True),
        ("gan", -1e-9, False),
        ("reverse_kl", 0.0, True),
        ("reverse_kl", 3.0, True),
        ("squared_hellinger", 0.999, False),
        ("squared_hellinger", 1.0, True),
        ("squared_hellinger", 2.0, True),
        ("kl", 50.0, False),
        ("pearson", 50.0, False),
    ],
)
def test_the_conjugate_is_infinite_from_the_end_of_its_domain(name, t, infinite):
    assert f_conjugate(torch.tensor(t, dtype=torch.float64), name).isinf().item() == infinite


@every
def test_every_raw_output_is_mapped_into_the_domain_and_keeps_its_order(name):
    score = output_activation(torch.linspace(-15, 15, 31, dtype=torch.float64), name)
    assert f_conjugate(score, name).isfinite().all()
    assert (score.diff() > 0).all()


def test_the_gan_keeps_its_precision_where_the_discriminator_is_sure():
    score = output_activation(torch.tensor([-500.0, 60.0]), "gan")
    torch.testing.assert_close(f_conjugate(score, "gan"), torch.tensor([0.0, 60.0]))


@every
def test_the_bound_is_tight_only_at_the_best_score(laws, name):
    p, q = laws
    best = density_ratio_score(p / q, name)
    exact = f_divergence(p, q, name)
    torch.testing.assert_close(variational_bound(p, q, best, name), exact)
    assert (variational_bound(p, q, best - 0.1, name) < exact - 1e-4).all()


def test_the_conjugate_of_points_ignores_those_outside_the_domain():
    u, f = torch.tensor([-9.0, 1.0, 2.0]), torch.tensor([math.inf, 1.0, 4.0])
    found = fenchel_conjugate(torch.tensor([-1.0, 5.0]), u, f)
    torch.testing.assert_close(found, torch.tensor([-2.0, 6.0]))


HALF = torch.tensor([0.5, 0.5])


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: convex_generator(HALF, "js"), "'js'"),
        (lambda: f_conjugate(HALF, ""), "reverse_kl"),
        (lambda: f_divergence(HALF, HALF[:1], "kl"), "q (1,)"),
        (lambda: f_divergence(torch.tensor([1.0, 0.0]), HALF, "kl"), "p spans [0, 1]"),
        (lambda: f_divergence(HALF, torch.tensor([1.0, 0.0]), "kl"), "q spans [0, 1]"),
        (lambda: variational_bound(HALF, HALF, HALF[:1], "kl"), "t (1,)"),
        (lambda: fenchel_conjugate(HALF, HALF, HALF[:1]), "f (1,)"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
