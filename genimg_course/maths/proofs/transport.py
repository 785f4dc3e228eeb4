"""Proofs about optimal transport, Wasserstein critics and the gradient penalty."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from genimg_course import losses
from genimg_course.maths import divergences, optimal_critics, transport
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _line() -> tuple[Tensor, Tensor, Tensor]:
    """Return nine places on a line in rising order and two laws that agree on the first three."""
    p, other = n.law(1, 2, 9)
    q = torch.cat([p[:3], other[3:] * p[3:].sum() / other[3:].sum()])
    return 2 * n.normal(2, 9).sort().values, p, q


def _plane() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return ten points of a plane, their distances, and two laws there."""
    points = n.normal(3, 10, 2)
    return points, torch.cdist(points, points), *n.law(4, 2, 10)


def _cheapest_pairing() -> float:
    x, y = 2 * n.normal(5, 6), n.normal(6, 6) + 0.7
    costs = [(x - y[list(order)]).abs().mean() for order in itertools.permutations(range(6))]
    return n.gap(torch.stack(costs).min(), transport.wasserstein_1d(x, y))


def _area() -> float:
    """The area between the distribution functions of two samples is their distance."""
    x, y = 2 * n.normal(7, 8), n.normal(8, 8) + 0.7
    points, order = torch.cat([x, y]).sort()
    p = (order < 8) / 8
    area = transport.wasserstein_from_cdfs(points, p.double(), (order >= 8) / n.float64(8))
    return n.gap(area, transport.wasserstein_1d(x, y))


def _area_by_programme() -> float:
    points, p, q = _line()
    cost = (points[:, None] - points).abs()
    plan = transport.optimal_transport(cost, p, q)
    return n.gap((plan * cost).sum(), transport.wasserstein_from_cdfs(points, p, q))


def _duality() -> float:
    points, cost, p, q = _plane()
    cost = cost + 0.4 * (points[:, None, 0] - points[:, 0]).clamp_min(0)  # dearer one way
    plan = transport.optimal_transport(cost, p, q)
    f = transport.kantorovich_potential(cost, p, q)
    marginals = n.worst(n.gap(plan.sum(dim=1), p), n.gap(plan.sum(dim=0), q), -plan.min().item())
    return n.worst(n.gap((plan * cost).sum(), f @ (p - q)), marginals, abs(f[0].item()))


def _steepest_on_the_plan() -> float:
    points, cost, p, q = _plane()
    plan = transport.optimal_transport(cost, p, q)
    f = transport.kantorovich_potential(cost, p, q)
    rise = f[:, None] - f
    too_steep = (rise - cost).max().item()
    along = (rise - cost)[plan > 1e-9].abs().max().item()
    return n.worst(too_steep, along, n.gap(transport.lipschitz_extension(points, points, f), f))


def _plan_between_two_sets() -> float:
    """Move 4 places onto 7; prices that never exceed the cost bound every plan from below."""
    cost = torch.cdist(n.normal(9, 4, 2), n.normal(10, 7, 2))
    p, q = n.law(11, 4), n.law(12, 7)
    plan = transport.optimal_transport(cost, p, q)
    shadow = torch.linalg.lstsq(*_tight_prices(cost, plan)).solution
    prices = shadow[:4, None] + shadow[4:]
    bound = (shadow[:4] @ p) + (shadow[4:] @ q)
    return n.worst((prices - cost).max().item(), n.gap(bound, (plan * cost).sum()))


def _tight_prices(cost: Tensor, plan: Tensor) -> tuple[Tensor, Tensor]:
    rows, columns = (plan > 1e-12).nonzero(as_tuple=True)
    system = torch.zeros(len(rows) + 1, 11, dtype=torch.float64)
    system[torch.arange(len(rows)), rows] = 1
    system[torch.arange(len(rows)), 4 + columns] = 1
    system[-1, 0] = 1  # prices are known up to a constant
    return system, torch.cat([cost[rows, columns], cost.new_zeros(1)])


def _potential_on_a_line() -> float:
    points, p, q = _line()
    f = transport.potential_1d(points, p, q)
    slope = f.diff() / points.diff()
    return n.worst(
        n.gap(f @ (p - q), transport.wasserstein_from_cdfs(points, p, q)),
        n.gap(slope[:3], n.float64([0, 0, 0])),  # the distribution functions agree so far
        n.gap(slope[3:].abs(), torch.ones_like(slope[3:])),
        abs(f[0].item()),
    )


def _critic_loss() -> float:
    """On batches the least critic loss of a 1-Lipschitz critic is minus the distance."""
    x, y = n.normal(13, 6, 2), n.normal(14, 5, 2) + 0.4
    points = torch.cat([x, y])
    p = torch.cat([torch.full((6,), 1 / 6), torch.zeros(5)]).double()
    q = torch.cat([torch.zeros(6), torch.full((5,), 1 / 5)]).double()
    p, q = p / p.sum(), q / q.sum()
    cost = torch.cdist(points, points)
    f = transport.kantorovich_potential(cost, p, q)
    loss = losses.wasserstein_critic_loss(f[:6], f[6:])
    plan = transport.optimal_transport(torch.cdist(x, y), p[:6], q[6:])
    return n.gap(-loss, (plan * torch.cdist(x, y)).sum())


def _lines_apart() -> float:
    """Put two parallel segments on a grid of 6 by 9 points, and compare with what is claimed."""
    height = torch.linspace(0, 1, 6, dtype=torch.float64)
    worst = 0.0
    for theta in (-1.3, 0.0, 0.4, 2.0):
        known = transport.parallel_lines(n.float64([theta]))
        shift = n.float64([0.0, theta])
        points = torch.stack([shift.repeat_interleave(6), height.repeat(2)], dim=1)
        p = (torch.arange(12) < 6).double() / 6
        q = p.flip(0) if theta else p
        plan = transport.optimal_transport(torch.cdist(points, points), p, q)
        cost = (plan * torch.cdist(points, points)).sum()
        worst = n.worst(
            worst,
            n.gap(cost[None], known["wasserstein"]),
            n.gap(divergences.jensen_shannon(p, q)[None], known["jensen_shannon"]),
        )
    return worst


def _slopes_of_the_lines() -> float:
    theta, step = n.float64([-1.3, 0.4, 2.0]), 1e-4
    above, below = transport.parallel_lines(theta + step), transport.parallel_lines(theta - step)
    known = transport.parallel_lines(theta)
    gaps = [
        n.gap((above[name] - below[name]) / (2 * step), known[f"{name}_slope"])
        for name in ("jensen_shannon", "wasserstein")
    ]
    return n.worst(*gaps, abs(known["jensen_shannon"][0].item() - math.log(2)))


def _envelope() -> float:
    """Compare the slope of W1 with that of the generator's loss before a frozen best critic."""
    x, z = 1.5 * n.normal(15, 7), n.normal(16, 7)
    theta = n.float64([0.6, 0.8]).requires_grad_()
    y = theta[0] + theta[1] * z
    (slope,) = torch.autograd.grad(transport.wasserstein_1d(x, y), theta, retain_graph=True)

    points, order = torch.cat([x, y.detach()]).sort()
    p, q = (order < 7) / n.float64(7), (order >= 7) / n.float64(7)
    f = transport.potential_1d(points, p, q)[order.argsort()[:7]]
    scores = transport.lipschitz_extension(y[:, None], x[:, None], f)
    (found,) = torch.autograd.grad(losses.wasserstein_generator_loss(scores), theta)
    return n.gap(found, slope)


def _envelope_of_a_shift() -> float:
    """Move points of a plane along a direction; compare with differences of the programme."""
    x, y = n.normal(17, 6, 2), 0.6 * n.normal(18, 6, 2) + n.float64([3.0, 1.0])
    theta = torch.zeros(2, dtype=torch.float64)
    even = torch.full((6,), 1 / 6, dtype=torch.float64)

    def distance(shift: Tensor) -> Tensor:
        cost = torch.cdist(x, y + shift)
        return (transport.optimal_transport(cost, even, even) * cost).sum()

    step = 1e-4
    slope = torch.stack(
        [
            (distance(theta + step * e) - distance(theta - step * e)) / (2 * step)
            for e in torch.eye(2, dtype=torch.float64)
        ]
    )
    plan = transport.optimal_transport(torch.cdist(x, y), even, even)
    toward = (x[:, None] - y) / torch.cdist(x, y)[..., None]  # f* rises along it with slope one
    return n.gap(slope, -(plan[..., None] * toward).sum(dim=(0, 1)))


def _network() -> tuple[Tensor, Tensor]:
    return n.normal(19, 3, 4), n.normal(20, 4)


def _scores(x: Tensor, hidden: Tensor, output: Tensor) -> Tensor:
    return (x.reshape(len(x), -1) @ hidden).tanh() @ output


def _penalty_by_hand() -> float:
    """Take the slope of a small network by its formula, at mixtures written out one by one."""
    hidden, output = _network()
    real, fake, alpha = (
        n.normal(21, 5, 1, 3),
        n.normal(22, 5, 1, 3) + 1,
        torch.rand(5, generator=torch.Generator().manual_seed(23), dtype=torch.float64),
    )
    total = 0.0
    for a, x, y in zip(alpha, real, fake, strict=True):
        mixed = (a * x + (1 - a) * y)[0]
        slope = hidden @ (output * (1 - (mixed @ hidden).tanh() ** 2))
        total += 2.5 * (slope.norm().item() - 1) ** 2 / 5

    def critic(x: Tensor) -> Tensor:
        return _scores(x, hidden, output)

    found = losses.gradient_penalty(critic, real, fake, weight=2.5, alpha=alpha)
    drawn = losses.gradient_penalty(
        critic, real, fake, weight=2.5, rng=torch.Generator().manual_seed(23)
    )
    return n.worst(abs(found.item() - total), abs(drawn.item() - total))


def _penalty_of_the_critic_alone() -> float:
    """The penalty depends on the critic's weights only, although images could carry gradients."""
    hidden, output = (each.requires_grad_() for each in _network())
    real, fake = (n.normal(seed, 5, 3).requires_grad_() for seed in (21, 22))
    penalty = losses.gradient_penalty(
        lambda x: _scores(x, hidden, output), real, fake, weight=2.5, alpha=n.law(23, 5)
    )
    slopes = torch.autograd.grad(penalty, (hidden, output, real, fake), allow_unused=True)
    return float([slope is None for slope in slopes] != [False, False, True, True])


def _penalty_teaches() -> float:
    """Compare the gradient through the gradient with differences of the penalty."""
    hidden, output = _network()
    real, fake, alpha = n.normal(24, 5, 3), n.normal(25, 5, 3), n.law(26, 5)

    def penalty(weights: Tensor) -> Tensor:
        return losses.gradient_penalty(
            lambda x: _scores(x, weights, output), real, fake, weight=2.5, alpha=alpha
        )

    at = hidden.clone().requires_grad_()
    (found,) = torch.autograd.grad(penalty(at), at)
    step, rows = 1e-5, []
    for unit in torch.eye(12, dtype=torch.float64):
        move = step * unit.reshape(3, 4)
        rows.append((penalty(hidden + move) - penalty(hidden - move)).item() / (2 * step))
    return n.gap(found, n.float64(rows).reshape(3, 4))


def _slope_under_the_penalty(weight: float, *, start: float) -> float:
    """Train a linear critic of two shifted samples; compare its slope and what it claims."""
    x = n.normal(27, 6)
    y = x - 1.3
    alpha = n.law(28, 6)

    def loss(v: Tensor) -> Tensor:
        def critic(points: Tensor) -> Tensor:
            return v[0] * points[:, 0]

        real, fake = x[:, None], y[:, None]
        cost = losses.wasserstein_critic_loss(critic(real), critic(fake))
        return cost + losses.gradient_penalty(critic, real, fake, weight=weight, alpha=alpha)

    best = n.minimise(loss, n.float64([start]))[0]
    slope = optimal_critics.penalised_slope(1.3, weight=weight) - (2 if start < 0 else 0)
    claim = -losses.wasserstein_critic_loss(best * x, best * y)
    return n.worst(n.gap(best, n.float64(slope)), n.gap(claim, n.float64(1.3 * slope)))


def _squared_slopes_by_hand() -> float:
    """Write the slope of a small network out; compare the value and what it teaches the network."""
    hidden, output = (each.requires_grad_() for each in _network())
    x = n.normal(29, 5, 1, 3).requires_grad_()
    slopes = [
        hidden @ (output * (1 - (image[0] @ hidden).tanh() ** 2)) for image in x.detach().unbind()
    ]
    by_hand = 1.4 / 2 * torch.stack([slope @ slope for slope in slopes]).sum() / 5
    found = losses.r1_penalty(_scores(x, hidden, output), x, gamma=1.4)
    expected = torch.autograd.grad(by_hand, (hidden, output))
    taught = torch.autograd.grad(found, (hidden, output))
    return n.worst(n.gap(found, by_hand), *map(n.gap, taught, expected))


ARJOVSKY = "https://arxiv.org/abs/1701.07875"
GULRAJANI = "https://arxiv.org/abs/1704.00028"
VILLANI = "Villani (2009), theorem 5.10, https://doi.org/10.1007/978-3-540-71050-9"
PEYRE = "https://arxiv.org/abs/1803.00567"

PROOFS = (
    Proof(
        id="gan.wasserstein_1d",
        title="On a line the cheapest transport keeps the order",
        statement=r"""W_1(p, q) = \int |F(x) - G(x)|\, dx, \qquad
            W_1 = \frac1N \sum_i \left| x_{(i)} - y_{(i)} \right|
            \;\text{ for two samples of } N \text{ numbers}""",
        assumptions=r"$F$ and $G$ are the distribution functions, $x_{(i)}$ is the $i$-th smallest "
        r"number; first moments are finite.",
        source=f"Peyré and Cuturi (2019), section 2.6, {PEYRE}",
        checks=(
            Check("enumeration", "all 720 pairings of six numbers", _cheapest_pairing, 1e-12),
            Check("enumeration", "area against sorted samples", _area, 1e-12),
            Check("linear programme", "area against the cheapest plan", _area_by_programme, 1e-9),
        ),
    ),
    Proof(
        id="gan.kantorovich_rubinstein",
        title="The cheapest plan and the steepest critic meet",
        statement=r"""W_1(p, q) = \min_{\pi} \mathbb E_\pi \lVert x - y \rVert
            = \max_{\lVert f \rVert_L \le 1} \mathbb E_p[f] - \mathbb E_q[f],
            \qquad f^*(x) - f^*(y) = \lVert x - y \rVert \;\text{ where } \pi^*(x, y) > 0""",
        assumptions=r"Finite first moments; $\lVert f \rVert_L \le 1$ means that $f$ rises by at "
        r"most the distance; $\pi$ has the marginals $p$ and $q$.",
        source=f"{VILLANI}; Gulrajani et al. (2017), proposition 1, {GULRAJANI}",
        checks=(
            Check(
                "linear programme",
                "both programmes, ten points of a plane, dearer to the right",
                _duality,
                1e-9,
            ),
            Check("linear programme", "slope one along the plan", _steepest_on_the_plan, 1e-9),
            Check(
                "linear programme",
                "four places onto seven: prices that prove the plan cheapest",
                _plan_between_two_sets,
                1e-9,
            ),
            Check(
                "enumeration",
                "the critic on a line has the sign of G - F as its slope",
                _potential_on_a_line,
                1e-12,
            ),
            Check(
                "linear programme", "the package's critic loss on two batches", _critic_loss, 1e-7
            ),
        ),
    ),
    Proof(
        id="gan.disjoint_supports",
        title="Apart is apart for Jensen-Shannon, but not for Wasserstein",
        statement=r"""\mathrm{JSD}(p, q_\theta) = \log 2, \quad
            \frac{\partial\, \mathrm{JSD}}{\partial \theta} = 0, \qquad
            W_1(p, q_\theta) = |\theta|, \quad
            \frac{\partial W_1}{\partial \theta} = \mathrm{sign}\, \theta
            \qquad (\theta \ne 0)""",
        assumptions=r"$p$ and $q_\theta$ are uniform on two parallel segments at distance "
        r"$|\theta|$; at $\theta = 0$ both distances are 0.",
        source=f"Arjovsky, Chintala and Bottou (2017), example 1, {ARJOVSKY}",
        checks=(
            Check(
                "linear programme",
                "two rows of six points, four distances",
                _lines_apart,
                1e-9,
            ),
            Check("enumeration", "slopes against differences", _slopes_of_the_lines, 1e-9),
        ),
    ),
    Proof(
        id="gan.wasserstein_gradient",
        title="The generator follows the slope of the best critic",
        statement=r"""\nabla_\theta W_1(p, q_\theta)
            = -\mathbb E_z\!\left[ \nabla_\theta f^*(g_\theta(z)) \right],
            \qquad f^* \text{ held fixed}""",
        assumptions=r"$f^*$ is a best 1-Lipschitz critic for the current $\theta$, and both sides "
        r"exist: $g_\theta$ is smooth with an integrable Lipschitz constant.",
        source=f"Arjovsky, Chintala and Bottou (2017), theorem 3, {ARJOVSKY}",
        checks=(
            Check("autograd", "shift and scale of a sample on a line", _envelope, 1e-12),
            Check(
                "linear programme",
                "a shift in the plane, slopes by differences",
                _envelope_of_a_shift,
                1e-6,
            ),
        ),
    ),
    Proof(
        id="gan.gradient_penalty",
        title="The gradient penalty and the gradient that it gives the critic",
        statement=r"""R = \lambda\, \mathbb E\!\left[
            \left( \lVert \nabla_{\hat x} f(\hat x) \rVert - 1 \right)^2 \right],
            \qquad \hat x = \alpha x + (1 - \alpha)\, \tilde x, \quad \alpha \sim U(0, 1)""",
        assumptions=r"$x$ is real, $\tilde x$ generated; the norm is that of each example by "
        r"itself.",
        source=f"Gulrajani et al. (2017), equation 3, {GULRAJANI}",
        checks=(
            Check("autograd", "slopes of a small network by hand", _penalty_by_hand, 1e-12),
            Check(
                "autograd",
                "it reaches all weights of the critic and no image",
                _penalty_of_the_critic_alone,
                1e-12,
            ),
            Check(
                "autograd",
                "its gradient in twelve weights against differences",
                _penalty_teaches,
                1e-7,
            ),
        ),
    ),
    Proof(
        id="gan.penalised_slope",
        title="The penalty is a price, so the critic overstates the distance",
        statement=r"""\max_c\; c\, W_1 - \lambda\, (|c| - 1)^2 \;\text{ at }\;
            c^* = 1 + \frac{W_1}{2 \lambda}, \qquad
            \text{and a local maximum at } c = -1 + \frac{W_1}{2 \lambda}
            \text{ if } W_1 < 2 \lambda""",
        assumptions=r"The critic is linear with slope $c$ and the laws are shifts of each other.",
        source=f"Gulrajani et al. (2017), equation 3, {GULRAJANI}",
        checks=(
            Check(
                "optimisation",
                "a critic trained with the package's loss, weights 0.7 and 10",
                lambda: n.worst(
                    *(_slope_under_the_penalty(w, start=0.4) for w in (0.7, 10.0)),
                ),
                1e-8,
            ),
            Check(
                "optimisation",
                "the same from a slope that starts the wrong way",
                lambda: n.worst(
                    *(_slope_under_the_penalty(w, start=-0.6) for w in (1.1, 10.0)),
                ),
                1e-8,
            ),
        ),
    ),
    Proof(
        id="gan.r1_norm",
        title="R1 is half a mean squared slope on real images",
        statement=r"""R_1 = \frac\gamma2\, \mathbb E_p\!\left[
            \lVert \nabla_x a(x) \rVert^2 \right]""",
        assumptions=r"$a$ is the discriminator's logit; the norm is that of each image by itself.",
        source="Mescheder, Geiger and Nowozin (2018), equation 9, https://arxiv.org/abs/1801.04406",
        checks=(
            Check("autograd", "slopes of a small network by hand", _squared_slopes_by_hand, 1e-12),
        ),
    ),
)

ROWS = {
    "D24": ("gan.disjoint_supports",),
    "D25": ("gan.wasserstein_1d", "gan.kantorovich_rubinstein"),
    "D26": ("gan.wasserstein_gradient", "gan.gradient_penalty", "gan.penalised_slope"),
}
