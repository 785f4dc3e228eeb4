import math

import pytest
import torch
from torch.distributions import Categorical

from genimg_course import metrics
from genimg_course.data import ring
from genimg_course.maths import best_response, chase, count_modes, effective_modes


def test_the_best_response_beats_random_laws():
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(5, generator=rng)
    laws = torch.randn(500, 5, generator=rng).softmax(dim=1)
    best = best_response(logits)
    assert best.sum() == 1 and best.max() == 1
    assert (laws @ logits < best @ logits).all()


def test_a_chase_ends_at_the_best_response_and_does_not_overflow():
    law, logits = torch.full((4,), 0.25), torch.tensor([0.0, 300.0, 299.0, -500.0])
    end = chase(law, logits, updates=1000, rate=1.0)
    torch.testing.assert_close(end, best_response(logits))


def test_updates_add_up():
    law, logits = torch.tensor([0.2, 0.3, 0.5]), torch.tensor([1.0, -0.4, 0.2])
    twice = chase(chase(law, logits, updates=2, rate=0.3), logits, updates=3, rate=0.3)
    torch.testing.assert_close(twice, chase(law, logits, updates=5, rate=0.3))


def test_a_mode_that_is_lost_stays_lost():
    law, logits = torch.tensor([0.0, 0.5, 0.5]), torch.tensor([9.0, 0.0, 0.0])
    assert chase(law, logits, updates=4)[0] == 0


def test_effective_modes_agree_with_the_entropy_of_torch_distributions():
    law = torch.tensor([0.1, 0.6, 0.3])
    expected = Categorical(probs=law).entropy().exp()
    torch.testing.assert_close(effective_modes(law), expected)
    assert effective_modes(torch.tensor([0.0, 1.0])).item() == 1


def test_the_data_itself_reach_every_mode_with_the_known_share_of_good_points():
    law = ring()
    points = law.sample(20_000, rng=torch.Generator().manual_seed(0))
    found = count_modes(points, law.centres, spread=law.spread)
    assert found["modes"] == 8
    assert found["good"].item() == pytest.approx(1 - math.exp(-4.5), abs=0.004)


def test_noise_finds_no_mode():
    law = ring()
    noise = 6 * torch.rand(5000, 2, generator=torch.Generator().manual_seed(0)) - 3
    assert count_modes(noise, law.centres, spread=law.spread)["modes"] == 0


@pytest.mark.parametrize(("least", "modes"), [(0.01, 2), (0.02, 2), (0.03, 1)])
def test_a_mode_needs_its_share_of_all_points(least, modes):
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0]])
    points = torch.cat([centres[:1].repeat(48, 1), centres[1:], torch.full((1, 2), 9.0)])
    found = count_modes(points, centres, spread=0.1, least=least)
    assert found["modes"] == modes
    assert found["good"].item() == pytest.approx(0.98)


def test_the_metric_returns_plain_numbers_and_takes_generated_points_with_their_graph():
    law = ring(4)
    points = law.sample(400, rng=torch.Generator().manual_seed(1)).requires_grad_()
    modes, good = metrics.count_modes(points, law.centres, spread=law.spread, radius=2.0)
    assert (modes, type(modes), type(good)) == (4, int, float)
    assert good == pytest.approx(1 - math.exp(-2), abs=0.06)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: count_modes(torch.zeros(4), torch.zeros(2, 2), spread=1.0), "points has shape"),
        (
            lambda: count_modes(torch.zeros(4, 3), torch.zeros(2, 2), spread=1.0),
            r"points \(4, 3\) and centres \(2, 2\)",
        ),
        (lambda: chase(torch.ones(2), torch.ones(3), updates=1), "shapes differ"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
