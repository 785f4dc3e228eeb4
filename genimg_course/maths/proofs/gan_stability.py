"""Proofs about the rotation of two-player games, and about what makes them come to rest."""

from __future__ import annotations

import math

import sympy
import torch
from torch import Tensor

from genimg_course import losses
from genimg_course.maths import averages, games
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _play(h: float, alternating: bool, start: Tensor) -> Tensor:
    """Return the next point of the bilinear game, by the gradients of ``x y`` alone."""
    x, y = start.clone().requires_grad_()
    (slope,) = torch.autograd.grad(x * y, x)
    new_x = (x - h * slope).detach()
    seen = new_x if alternating else x.detach()
    (slope,) = torch.autograd.grad(seen * y, y)
    return torch.stack([new_x, (y + h * slope).detach()])


def _one_round_of_the_bilinear_game() -> float:
    worst = 0.0
    for h, start in ((0.3, n.normal(1, 2)), (1.7, n.normal(2, 2))):
        for alternating in (False, True):
            matrix = games.bilinear_matrix(h, alternating=alternating)
            worst = max(worst, n.gap(matrix @ start, _play(h, alternating, start)))
        worst = max(worst, n.gap(games.bilinear_matrix(h) @ start, _play(h, False, start)))
    return worst


def _growth_of_the_bilinear_game() -> float:
    worst, start = 0.0, n.normal(3, 2)
    for h in (0.1, 0.7, 1.9):
        simultaneous = games.bilinear_matrix(h)
        path = games.orbit(simultaneous, start, rounds=6)
        powers = math.hypot(1, h) ** torch.arange(7, dtype=torch.float64)
        grows = n.gap(path.norm(dim=1) / start.norm(), powers)
        ours = games.spectral_radius(simultaneous).item() - math.hypot(1, h)
        circles = games.spectral_radius(games.bilinear_matrix(h, alternating=True)).item() - 1
        worst = max(worst, grows, abs(ours), abs(circles))
    return worst


def _circle_of_the_bilinear_game() -> float:
    worst, start = 0.0, n.normal(4, 2)
    for h in (0.1, 0.7, 1.9):
        path = games.orbit(games.bilinear_matrix(h, alternating=True), start, rounds=40)
        x, y = path.T
        kept = x.square() + y.square() - h * x * y  # an ellipse that the game never leaves
        worst = max(worst, n.gap(kept, kept[:1].expand(41)))
    return worst


def _one_round_in_symbols() -> float:
    x, y, h = sympy.symbols("x y h", real=True)
    far = (x - h * y) ** 2 + (y + h * x) ** 2
    new_x = x - h * y
    new_y = y + h * new_x
    return n.exact(
        far - (1 + h**2) * (x**2 + y**2),
        new_x**2 + new_y**2 - h * new_x * new_y - (x**2 + y**2 - h * x * y),
    )


def _eigenvalues_of_the_bilinear_game() -> float:
    h = sympy.Symbol("h", positive=True)
    together = sympy.Matrix([[1, -h], [h, 1]]).eigenvals()
    in_turn = sympy.Matrix([[1, -h], [h, 1 - h**2]])
    small = sympy.Rational(1, 3)
    return n.exact(
        sum(sympy.expand(e * sympy.conjugate(e)) - (1 + h**2) for e in together),
        in_turn.det() - 1,  # two conjugate eigenvalues of product 1, as long as they are complex
        (in_turn.trace() ** 2 - 4).subs(h, 2),
        sympy.Abs(next(iter(in_turn.subs(h, small).eigenvals()))) - 1,
    )


def _field_by_the_losses(theta: Tensor, psi: Tensor, gamma: float, saturating: bool) -> Tensor:
    """Return minus the gradients of both players' losses, by the package's losses, ``(2,)``."""
    x = torch.zeros(1, dtype=torch.float64).requires_grad_()  # the data is the single point 0
    real, fake = psi * x, (psi * theta)[None]
    d_loss = losses.discriminator_loss(real, fake) + losses.r1_penalty(real, x, gamma=gamma)
    g_loss = losses.generator_loss(fake, saturating=saturating)
    (d_theta,) = torch.autograd.grad(g_loss, theta, create_graph=True)
    (d_psi,) = torch.autograd.grad(d_loss, psi, create_graph=True)
    return -torch.stack([d_theta, d_psi])


def _field_of_the_losses() -> float:
    worst = 0.0
    points = 2 * n.normal(5, 5, 2)
    theta, psi = points.T
    for gamma in (0.0, 0.7):
        for saturating in (False, True):
            field = games.dirac_field(theta, psi, gamma=gamma, saturating=saturating)
            for row, point in zip(field, points, strict=True):
                a, b = point.clone().requires_grad_()
                expected = _field_by_the_losses(a, b, gamma, saturating).detach()
                worst = max(worst, n.gap(row, expected))
    plain = games.dirac_field(theta, psi, gamma=0.0, saturating=False)
    return max(worst, n.gap(games.dirac_field(theta, psi), plain))


def _jacobian_of_the_losses() -> float:
    worst, zero = 0.0, torch.zeros(2, dtype=torch.float64)
    for gamma in (0.0, 0.3, 1.0, 3.0):
        for saturating in (False, True):
            jacobian = torch.autograd.functional.jacobian(
                lambda v, g=gamma, s=saturating: _field_by_the_losses(v[0], v[1], g, s), zero
            )
            worst = max(worst, n.gap(jacobian, games.dirac_jacobian(gamma)))
    return worst


def _eigenvalues_of_the_jacobian() -> float:
    worst = 0.0
    for gamma, slope in ((0.0, 0.5), (0.3, 0.5), (3.0, 0.5), (0.8, 0.3), (0.2, 1.3)):
        pair = games.dirac_eigenvalues(gamma, slope=slope)
        found = torch.linalg.eigvals(games.dirac_jacobian(gamma, slope=slope))
        order = found.imag if gamma < 2 * slope else found.real
        worst = max(worst, n.gap(found[order.argsort()], pair))
    return max(worst, n.gap(games.dirac_eigenvalues(0.8), games.dirac_eigenvalues(0.8, slope=0.5)))


def _critical_weight(slope: float) -> float:
    best = games.critical_gamma(slope)
    weights = best + torch.linspace(-0.4, 0.4, 81, dtype=torch.float64) * best
    slowest = torch.stack(
        [games.dirac_eigenvalues(float(g), slope=slope).real.amax() for g in weights]
    )
    at_best = games.dirac_eigenvalues(best, slope=slope)
    together = n.gap(at_best, torch.full((2,), -abs(slope), dtype=torch.complex128))
    return max(together, 0.0 if slowest.argmin() == 40 else math.inf)


def _default_critical_weight() -> float:
    return abs(games.critical_gamma() - games.critical_gamma(0.5))


def _simulated_orbits() -> float:
    """Return 0 if the game of the package spirals out without and comes to rest with R1."""
    last = []
    for gamma in (0.0, 1.0):
        point = n.float64([1.0, 0.0])
        for _ in range(400):
            theta, psi = point
            point = point + 0.1 * games.dirac_field(theta, psi, gamma=gamma, saturating=True)
        last.append(point.norm().item())
    return 0.0 if last[0] > 1 and last[1] < 1e-6 else math.inf


ROUNDS = (
    (0.3, 0.7, 1, 1, 0.0, 0.5),
    (0.2, 0.5, 3, 2, 0.9, 0.5),
    (0.4, 0.1, 0, 4, 0.6, 1.3),
    (0.6, 0.3, 5, 1, 0.0, 0.8),
)
"""Learning rates, steps, penalty and slope: rate_g, rate_d, steps_g, steps_d, gamma, slope."""


def _rounds_by_single_steps() -> float:
    worst = 0.0
    for seed, (rate_g, rate_d, steps_g, steps_d, gamma, slope) in enumerate(ROUNDS):
        theta, psi = n.normal(10 + seed, 2).tolist()
        matrix = games.dirac_round(
            rate_g, rate_d, steps_g=steps_g, steps_d=steps_d, gamma=gamma, slope=slope
        )
        found = matrix @ n.float64([theta, psi])
        for _ in range(steps_d):
            psi += rate_d * (-slope * theta - gamma * psi)
        for _ in range(steps_g):
            theta += rate_g * slope * psi
        worst = max(worst, n.gap(found, n.float64([theta, psi])))
    plain = games.dirac_round(0.3, 0.7, steps_g=1, steps_d=1, gamma=0.0, slope=0.5)
    return max(worst, n.gap(games.dirac_round(0.3, 0.7), plain))


def _edge_of_stability() -> float:
    worst = 0.0
    for steps_g, steps_d in ((1, 1), (10, 1), (3, 2)):
        for product in (1.0, 3.9, 4.0, 4.1, 9.0):  # k_G k_D h_G h_D f'(0)^2
            rate = math.sqrt(product / (steps_g * steps_d)) / 0.5
            radius = games.spectral_radius(
                games.dirac_round(rate, rate, steps_g=steps_g, steps_d=steps_d)
            ).item()
            half = abs(1 - product / 2)
            expected = half + math.sqrt(half**2 - 1) if product > 4 else 1.0
            worst = max(worst, abs(radius - expected))
    return worst


def _average_by_the_recursion() -> float:
    values = n.normal(20, 30)
    worst = 0.0
    for decay in (0.6, 0.93):
        mean = torch.zeros((), dtype=torch.float64)
        for value in values:
            mean = decay * mean + (1 - decay) * value
        weights = averages.average_weights(30, decay=decay)
        rest = abs(weights.sum().item() - (1 - decay**30))
        worst = max(worst, n.gap(weights @ values.flip(0), mean), rest)
    return worst


def _average_from_another_start() -> float:
    """Update the package's average after its warm-up, from a start whose share is not lost."""
    start, values = n.normal(23, 3), n.normal(24, 12, 3)
    worst = 0.0
    for decay in (0.6, 0.93):
        state = {"weight": start}
        for k, value in enumerate(values):
            state = averages.average_state(state, {"weight": value}, 1000 + k, decay=decay)
        past = averages.average_weights(12, decay=decay) @ values.flip(0)
        worst = max(worst, n.gap(state["weight"], past + decay**12 * start))
    return worst


def _average_of_a_network() -> float:
    rows = n.normal(21, 12, 3)
    for decay in (0.4, 0.9):
        state = {"weight": rows[0], "count": torch.tensor(0)}
        mean, past = rows[0], 1.0
        for k, row in enumerate(rows[1:]):
            state = averages.average_state(
                state, {"weight": row, "count": torch.tensor(k + 5)}, k, decay=decay
            )
            d = decay if (1 + k) / (10 + k) > decay else (1 + k) / (10 + k)
            mean, past = d * mean + (1 - d) * row, past * d
        if state["count"] != len(rows) + 3:
            return math.inf
        if n.gap(state["weight"], mean) > 1e-12:
            return math.inf
    late = averages.average_state({"weight": rows[0]}, {"weight": rows[1]}, 9000)["weight"]
    return n.gap(late, 0.998 * rows[0] + 0.002 * rows[1])


def _average_of_an_orbit() -> float:
    """Compare the mean over whole turns of the alternating game with its balance."""
    h = 2 * math.sin(math.pi / 24)  # cos(angle) = 1 - h^2 / 2: one turn takes 24 rounds
    path = games.orbit(games.bilinear_matrix(h, alternating=True), n.normal(22, 2), rounds=47)
    return path.mean(dim=0).abs().max().item() + n.gap(path[:24], path[24:])


MESCHEDER = "https://arxiv.org/abs/1801.04406"

PROOFS = (
    Proof(
        id="gan.bilinear_game",
        title="Gradient steps circle around the balance of a bilinear game, or spiral away",
        statement=r"""\begin{aligned} \min_x \max_y\; x y, \text{ simultaneous:} \quad
            & x'^2 + y'^2 = (1 + h^2)\,(x^2 + y^2), & |\lambda| &= \sqrt{1 + h^2} > 1, \\
            \text{alternating:} \quad & x'^2 + y'^2 - h\,x' y' = x^2 + y^2 - h\,x y,
            & |\lambda| &= 1 \;\text{ for } 0 < h < 2 \end{aligned}""",
        assumptions="Both players use the step size $h$, and a round takes $(x, y)$ to $(x', y')$; "
        "in the alternating game the second player sees the new value of the first. For "
        "$0 < h < 2$ the points of constant $x^2 + y^2 - h x y$ are an ellipse.",
        source="Mescheder, Nowozin and Geiger (2017), https://arxiv.org/abs/1705.10461; "
        "Gidel et al. (2019), https://arxiv.org/abs/1807.04740",
        checks=(
            Check("SymPy identity", "both matrices", _eigenvalues_of_the_bilinear_game, 0),
            Check("SymPy identity", "both quadratic forms", _one_round_in_symbols, 0),
            Check(
                "autograd",
                "one round of both games from the gradients of xy",
                _one_round_of_the_bilinear_game,
                1e-12,
            ),
            Check(
                "linear algebra",
                "growth of six rounds and both spectral radii for h 0.1, 0.7 and 1.9",
                _growth_of_the_bilinear_game,
                1e-12,
            ),
            Check(
                "linear algebra",
                "40 rounds of the alternating game stay on one ellipse, h 0.1, 0.7 and 1.9",
                _circle_of_the_bilinear_game,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="gan.dirac_field",
        title="How the two players of the Dirac-GAN move",
        statement=r"""\dot\theta = \psi\,\sigma(-\psi\theta), \qquad
            \dot\psi = -\theta\,\sigma(\psi\theta) - \gamma\psi""",
        assumptions=r"Data $\delta_0$, generator $\delta_\theta$, logit $\psi x$; the generator "
        r"has the non-saturating loss, and $\sigma(\psi\theta)$ stands in its place for the "
        "saturating one.",
        source=f"Mescheder, Geiger and Nowozin (2018), section 2, {MESCHEDER}",
        checks=(
            Check(
                "autograd",
                "minus the gradients of the package's losses at 5 points, gamma 0 and 0.7",
                _field_of_the_losses,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="gan.r1_dirac",
        title="The penalty R1 turns a circling game into a converging one",
        statement=r"""J = \begin{pmatrix} 0 & f'(0) \\ -f'(0) & -\gamma \end{pmatrix}, \qquad
            \lambda = -\frac\gamma2 \pm \sqrt{\frac{\gamma^2}{4} - f'(0)^2},
            \qquad f'(0) = \tfrac12""",
        assumptions=r"Dirac-GAN: data $\delta_0$, generator $\delta_\theta$, logit $\psi x$; the "
        r"eigenvalues are those of the gradient field at $\theta = \psi = 0$. Without the penalty, "
        r"$\gamma = 0$, they are $\pm i f'(0)$.",
        source=f"Mescheder, Geiger and Nowozin (2018), lemma 2.3 and equation 9, {MESCHEDER}",
        checks=(
            Check(
                "autograd",
                "Jacobian of the package's losses for gamma 0, 0.3, 1 and 3",
                _jacobian_of_the_losses,
                1e-10,
            ),
            Check(
                "linear algebra",
                "the formula and the eigenvalues of the matrix",
                _eigenvalues_of_the_jacobian,
                1e-10,
            ),
            Check(
                "enumeration",
                "400 steps of 0.1 in the zero-sum game: outwards for gamma 0, to rest for gamma 1",
                _simulated_orbits,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="gan.critical_gamma",
        title="The best weight of R1 is neither small nor large",
        statement=r"""\arg\min_\gamma \max \mathrm{Re}\,\lambda = 2\,|f'(0)|, \qquad
            \lambda_1 = \lambda_2 = -|f'(0)|""",
        assumptions=r"Dirac-GAN near its balance. Below this weight the players circle on their "
        r"way in, above it one direction slows down; for the cross-entropy $\gamma = 1$.",
        source=f"Mescheder, Geiger and Nowozin (2018), {MESCHEDER}",
        checks=(
            Check(
                "linear algebra",
                "81 weights around it for slopes 0.5, 1.3 and -0.4",
                lambda: max(_critical_weight(slope) for slope in (0.5, 1.3, -0.4)),
                1e-7,
            ),
            Check("enumeration", "the slope of the cross-entropy", _default_critical_weight, 1e-12),
        ),
    ),
    Proof(
        id="gan.dirac_round",
        title="More steps in a row act like a larger learning rate",
        statement=r"""M = \begin{pmatrix} 1 & h_G f'(0) \\ 0 & 1 \end{pmatrix}^{k_G}
            \begin{pmatrix} 1 & 0 \\ -h_D f'(0) & 1 - h_D \gamma \end{pmatrix}^{k_D}, \qquad
            \gamma = 0:\; |\lambda| = 1 \iff k_G k_D\, h_G h_D\, f'(0)^2 \le 4""",
        assumptions=r"The Dirac-GAN linearised at its balance; the discriminator takes $k_D$ steps "
        r"of size $h_D$, then the generator $k_G$ steps of size $h_G$.",
        source="Heusel et al. (2017), for two time scales, https://arxiv.org/abs/1706.08500; "
        f"Mescheder, Geiger and Nowozin (2018), section 2, {MESCHEDER}",
        checks=(
            Check(
                "linear algebra",
                "four schedules played step by step",
                _rounds_by_single_steps,
                1e-12,
            ),
            Check(
                "linear algebra",
                "largest eigenvalue on and on both sides of the edge, three schedules",
                _edge_of_stability,
                1e-6,
            ),
        ),
    ),
    Proof(
        id="gan.weight_average",
        title="A moving average is a weighted sum of all that was, and forgets at a steady rate",
        statement=r"""\bar\theta_n = d\,\bar\theta_{n-1} + (1 - d)\,\theta_n
            = \sum_{k=0}^{n-1} (1 - d)\, d^k\, \theta_{n-k} + d^n\, \bar\theta_0""",
        assumptions=r"The decay $d$ is constant, and $\bar\theta_0$ may be any start; the warm-up "
        r"takes $\min(d, \frac{1 + n}{10 + n})$ in its place, $n$ updates before this one.",
        source="Karras et al. (2018), appendix A.1, https://arxiv.org/abs/1710.10196; "
        "Yazıcı et al. (2019), https://arxiv.org/abs/1806.04498",
        checks=(
            Check(
                "enumeration",
                "30 values from a start at 0, decay 0.6 and 0.93",
                _average_by_the_recursion,
                1e-12,
            ),
            Check(
                "enumeration",
                "12 updates by the package from another start, decay 0.6 and 0.93",
                _average_from_another_start,
                1e-12,
            ),
            Check(
                "enumeration",
                "11 updates of a network with the warm-up, and a late one",
                _average_of_a_network,
                1e-12,
            ),
            Check(
                "linear algebra",
                "the mean over two turns of an alternating game is its balance",
                _average_of_an_orbit,
                1e-12,
            ),
        ),
    ),
)

ROWS = {
    "D22": ("gan.bilinear_game",),
    "D30": ("gan.r1_dirac", "gan.dirac_field", "gan.critical_gamma", "gan.dirac_round"),
    "D67": ("gan.weight_average",),
}
