import math

import pytest
import torch
from scipy.spatial import KDTree

from genimg_course.maths import density_coverage, neighbour_radii, precision_recall


def clouds(seed=0, count=60, other=80, width=3):
    rng = torch.Generator().manual_seed(seed)
    y = 1.5 * torch.randn(count, width, generator=rng, dtype=torch.float64) + 0.4
    return y, torch.randn(other, width, generator=rng, dtype=torch.float64)


def balls(points, centres, k):
    """How many balls around the centres hold each point, and whether each ball holds any."""
    tree = KDTree(centres.numpy())
    radii = tree.query(centres.numpy(), k=k + 1)[0][:, k]
    held = KDTree(points.numpy()).query_ball_point(centres.numpy(), radii)
    counts = [sum(i in inside for inside in held) for i in range(len(points))]
    return counts, [len(inside) > 0 for inside in held]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_agrees_with_the_trees_of_scipy(k):
    y, x = clouds()
    real, caught = balls(y, x, k)
    fake, _ = balls(x, y, k)
    two = precision_recall(y, x, k=k)
    assert two["precision"].item() == pytest.approx(sum(c > 0 for c in real) / 60)
    assert two["recall"].item() == pytest.approx(sum(c > 0 for c in fake) / 80)
    more = density_coverage(y, x, k=k)
    assert more["density"].item() == pytest.approx(sum(real) / (60 * k))
    assert more["coverage"].item() == pytest.approx(sum(caught) / 80)


def test_radii_agree_with_the_trees_of_scipy():
    _, x = clouds()
    expected = KDTree(x.numpy()).query(x.numpy(), k=5)[0][:, 4]
    torch.testing.assert_close(neighbour_radii(x, k=4), torch.from_numpy(expected))


def ring(count, rng, modes=8):
    """Eight narrow clusters on a circle."""
    angle = torch.randint(modes, (count,), generator=rng) * (2 * math.pi / modes)
    centres = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)
    return centres + 0.05 * torch.randn(count, 2, generator=rng)


def test_collapse_costs_recall_and_a_wide_net_costs_precision():
    rng = torch.Generator().manual_seed(0)
    real = ring(600, rng)
    one_mode = torch.tensor([2.0, 0.0]) + 0.05 * torch.randn(600, 2, generator=rng)
    wide = 6 * torch.rand(600, 2, generator=rng) - 3
    collapsed, excess = precision_recall(one_mode, real), precision_recall(wide, real)
    assert collapsed["precision"] > 0.85 and collapsed["recall"] < 0.25
    assert excess["precision"] < 0.3 and excess["recall"] > 0.8
    assert density_coverage(one_mode, real)["coverage"] < 0.25


def test_exchanging_the_sets_exchanges_precision_and_recall():
    y, x = clouds()
    there, back = precision_recall(y, x), precision_recall(x, y)
    assert there["precision"] == back["recall"] != there["recall"] == back["precision"]


def test_one_law_has_density_one_and_the_known_coverage_on_average():
    rng, found = torch.Generator().manual_seed(1), []
    for _ in range(200):
        y, x = torch.randn(2, 30, 2, generator=rng).double()
        found.append([float(value) for value in density_coverage(y, x, k=2).values()])
    mean, error = torch.tensor(found).mean(0), torch.tensor(found).std(0) / 200**0.5
    expected = torch.tensor([1.0, 1 - (29 * 28) / (59 * 58)])
    assert ((mean - expected).abs() < 4 * error).all()


def test_a_stray_widens_recall_and_not_coverage():
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(50, 2, generator=rng), 0.05 * torch.randn(50, 2, generator=rng)
    stray = torch.cat([fake[1:], torch.tensor([[30.0, 0.0]])])
    assert precision_recall(stray, real)["recall"] > precision_recall(fake, real)["recall"] + 0.3
    gap = density_coverage(stray, real)["coverage"] - density_coverage(fake, real)["coverage"]
    assert abs(gap) <= 0.05


def test_copies_of_one_image_have_balls_of_radius_zero():
    x = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    found = precision_recall(x[:1].repeat(40, 1), x)
    assert found["precision"] == 1
    assert found["recall"].item() == pytest.approx(1 / 40)


X = torch.zeros(4, 2)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: precision_recall(X, X[:, :1]), "2 columns, reference 1"),
        (lambda: precision_recall(X, X[:3]), "4 and 3"),
        (lambda: precision_recall(X, X, k=0), "k is 0"),
        (lambda: density_coverage(X, X, k=4), "k is 4"),
        (lambda: density_coverage(X * math.nan, X, k=1), "features has 8"),
        (lambda: neighbour_radii(X, k=4), "k is 4"),
        (lambda: neighbour_radii(X[0], k=1), "(2,)"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
