# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 · Why a GAN will not settle, and what calms it
#
# **[Open this lesson in Colab]({{ colab }})**
#
# Other models go down a hill. A GAN plays a game: two networks, two losses, and each step of one changes the
# hill of the other. This lesson makes the game so small that you can solve it. You will see it circle,
# calm it, make it collapse on purpose, and count what is lost.

# %% [markdown]
# **What you will do.** Compute the two numbers that decide whether a small GAN comes to rest. Find the best weight of
# the penalty R1. Average weights, buffers included. Count modes. Drive a GAN into mode collapse, then give it a
# discriminator that is too tame, and read both failures from the numbers.
#
# **What you need.** The game of generator and discriminator (lesson 09), eigenvalues of a two by two matrix (complex ones as well), and the optimiser Adam.
#
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 16 s |
# | `cpu` | a laptop; measured on two busy cores | 34 s |
# | `gpu` | larger networks; the points are so few that a processor is enough | not measured yet |
#
# **What you will reach** (`cpu`): at least 7 of the 8 modes of a ring when the players take turns (28 of 30 seeds found all eight), at most 2 with ten generator updates a round.

# %%
# On Colab this installs the course. Elsewhere the course is already here and nothing happens.
import importlib.util

if importlib.util.find_spec("genimg_course") is None:
    # %pip install --quiet --no-deps "git+{{ repository }}"
    pass

# %% tags=["parameters"]
PROFILE = None  # "smoke", "cpu" or "gpu"; None lets the machine decide
SEED = 0

# %%
import cmath
import copy
import math

import torch
from torch import Tensor, nn

from genimg_course import data, losses, maths, metrics, viz
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths.proofs import proof
from genimg_course.models import PointDiscriminator, PointGenerator
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.training import Average, Replay, fit, gan_step, seed_everything

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(width=16, batch=64, steps=40, rounds=4, bounded=40),
    cpu=dict(width=64, batch=128, steps=3000, rounds=300, bounded=1000),
    gpu=dict(width=128, batch=256, steps=6000, rounds=600, bounded=2000),
)
goals = choose_budget(
    PROFILE,
    smoke=dict(modes=None, good=None, collapsed=None, tame=None, steep=None),
    cpu=dict(modes=7, good=0.45, collapsed=2, tame=0.155, steep=8),
    gpu=dict(modes=None, good=None, collapsed=None, tame=None, steep=None),  # not measured yet
)
rng = seed_everything(SEED)
print(f"profile {budget.profile}")

# %% [markdown]
# ## Two players who both do right can circle for ever
#
# Here is the smallest game with two minds. One player holds the number $x$ and wants $x y$ small. The other holds $y$ and wants it large:
#
# $$\min_x\, \max_y\; x\, y$$
# <!-- definition -->
#
# The balance is $x = y = 0$: there, nobody gains by moving. Each player follows their own gradient with step size $h$. If both move at
# once, then $x' = x - h y$ and $y' = y + h x$. Square and add; the mixed terms cancel:
#
# $$x'^2 + y'^2 = (1 + h^2)\,(x^2 + y^2)$$
# <!-- proof: gan.bilinear_game -->
#
# Each step *leaves* the balance, however small $h$ is. Nobody made a mistake: each gradient is right. But the two together turn, and
# a straight step along a circle ends outside it.
#
# Now let $y$ answer the *new* $x$, as in the alternating steps of a real GAN: $y' = y + h x'$. The step is then a matrix of determinant 1 with complex
# eigenvalues of size $|\lambda| = 1$ (as long as $h < 2$), and one quantity never changes:
#
# $$x'^2 + y'^2 - h\,x' y' = x^2 + y^2 - h\,x y$$
# <!-- proof: gan.bilinear_game -->
#
# It is an ellipse. Taking turns stops the growth. It does not bring rest. Look at both, from the same start and with the same step.

# %%
start = torch.tensor([1.0, 0.0], dtype=torch.float64)
together = maths.orbit(maths.bilinear_matrix(0.1), start, rounds=200)
in_turn = maths.orbit(maths.bilinear_matrix(0.1, alternating=True), start, rounds=200)
viz.phase_portraits(
    {"both at once": together, "in turn": in_turn},
    xlabel="$x$",
    ylabel="$y$",
    limit=3.0,
    title="200 rounds: at once they spiral out, in turn they circle (dot: start, square: end)",
)

# %%
proof("gan.bilinear_game")

# %% [markdown]
# ## One point of data is enough to see a GAN circle
#
# Is that game too simple to be a GAN? Take real losses. The data are one point, $0$. The generator makes one point, $\theta$. The
# discriminator is a line through zero: its logit at $x$ is $\psi x$. This is the **Dirac-GAN**. The generator's loss is $\log(1 + e^{-\psi\theta})$. The discriminator's is
# $\log(1 + e^{\psi\theta})$, up to a constant.
#
# We give the discriminator the penalty **R1** at once: half of $\gamma$ times the squared slope of its logit at the data. The slope is $\psi$, so it costs
# $\frac\gamma2 \psi^2$. Now differentiate each loss by its player's own number and go downhill. A dot over a number marks the direction in which it moves, and $\sigma$ is the sigmoid. Derive both lines before you look:
#
# $$\dot\theta = \psi\,\sigma(-\psi\theta), \qquad \dot\psi = -\theta\,\sigma(\psi\theta) - \gamma\psi$$
# <!-- proof: gan.dirac_field -->


# %%
@exercise("gan.dirac_field")
def dirac_field(theta: Tensor, psi: Tensor, *, gamma: float = 0.0) -> Tensor:
    """Directions of both players: ``theta`` and ``psi`` of one shape, the result is ``(..., 2)``."""
    ### BEGIN SOLUTION
    says_real = torch.sigmoid(psi * theta)
    d_theta = psi * (1 - says_real)
    d_psi = -theta * says_real - gamma * psi
    return torch.stack([d_theta, d_psi], dim=-1)
    ### END SOLUTION


# %% [markdown]
# Stuck? `hint("gan.dirac_field")` gives one more hint at each call. The last one is the solution.

# %%
proof("gan.dirac_field")

# %% [markdown]
# Let them play. Predict first: which of the three runs comes to rest?


# %%
def play(*, gamma: float, alternating: bool, rate: float = 0.2, rounds: int = 300) -> Tensor:
    """Return the places ``(rounds + 1, 2)`` that generator and discriminator visit from (1, 0)."""
    theta, psi = torch.tensor(1.0), torch.tensor(0.0)
    path = [torch.stack([theta, psi])]
    for _ in range(rounds):
        d_theta, d_psi = dirac_field(theta, psi, gamma=gamma)
        psi = psi + rate * d_psi
        if alternating:
            d_theta = dirac_field(theta, psi, gamma=gamma)[0]
        theta = theta + rate * d_theta
        path.append(torch.stack([theta, psi]))
    return torch.stack(path)


paths = {
    "both at once": play(gamma=0.0, alternating=False),
    "in turn": play(gamma=0.0, alternating=True),
    "in turn, R1 with $\\gamma = 1$": play(gamma=1.0, alternating=True),
}

# %%
arrows = {
    name: lambda v, g=float("gamma" in name): dirac_field(
        *torch.as_tensor(v, dtype=torch.float64).unbind(1), gamma=g
    )
    for name in paths
}
viz.phase_portraits(
    paths,
    xlabel="generated point",
    ylabel="slope",
    limit=1.25,
    fields=arrows,
    title="300 rounds: only the run with the penalty comes to rest",
)

# %%
for name, path in paths.items():
    print(f"{name:28} ends at distance {float(path[-1].norm()):.1e}")

# %% [markdown]
# The first two runs creep inwards while they are far out, where the non-saturating loss brakes a little. Near the balance this brake fades away. In turn, the players come in ever more slowly. At once, they end on a circle of their own, where the brake just balances the outward error of each step. Why do they not simply stop at 0? The
# discriminator keeps a slope when the generator arrives there. So the generator is pushed across, the slope turns, and the chase goes on. R1 asks the discriminator to be flat where the data are, and then it lets go.

# %% [markdown]
# ## Two numbers decide whether a game comes to rest
#
# Close to the balance the field is almost linear: a matrix $J$ times $(\theta, \psi)$. Differentiate your two lines at $\theta = \psi = 0$, where the sigmoid is one half. Write $f'(0)$ for
# the slope of the discriminator's loss on a fake at a logit of zero, here $\frac12$; the generator's slope there has the same size:
#
# $$J = \begin{pmatrix} 0 & f'(0) \\ -f'(0) & -\gamma \end{pmatrix}$$
# <!-- proof: gan.r1_dirac -->
#
# Its trace is $-\gamma$ and its determinant $f'(0)^2$. So its eigenvalues solve $\lambda^2 + \gamma\lambda + f'(0)^2 = 0$:
#
# $$\lambda = -\frac\gamma2 \pm \sqrt{\frac{\gamma^2}{4} - f'(0)^2}$$
# <!-- proof: gan.r1_dirac -->
#
# A negative real part says how fast distances shrink, the imaginary part how fast the players turn. Without penalty, $\lambda = \pm\frac i2$: they turn and do not shrink.


# %%
@exercise("gan.dirac_eigenvalues")
def dirac_eigenvalues(gamma: float, *, slope: float = 0.5) -> Tensor:
    """Both eigenvalues, ``(2,)`` in complex128: first the one with the minus sign before the root."""
    ### BEGIN SOLUTION
    root = cmath.sqrt(gamma**2 / 4 - slope**2)
    return torch.tensor([-gamma / 2 - root, -gamma / 2 + root], dtype=torch.complex128)
    ### END SOLUTION


# %%
proof("gan.r1_dirac")

# %% [markdown]
# Compare your formula with what a library finds for the matrix.

# %%
eigenvalue_error = 0.0
for gamma in (0.0, 0.3, 0.6, 2.0, 3.0):
    found = torch.linalg.eigvals(maths.dirac_jacobian(gamma))
    found = found[(found.imag if gamma < 1 else found.real).argsort()]
    formula = dirac_eigenvalues(gamma)
    eigenvalue_error = max(eigenvalue_error, float((formula - found).abs().max()))
    first, second = (f"{value:.2f}" for value in formula.tolist())
    print(f"gamma {gamma:3.1f}: {first:>12} {second:>12}")
print(f"largest difference: {eigenvalue_error:.1e}")

# %% [markdown]
# ## The best penalty is neither small nor large
#
# A small $\gamma$ leaves a rotation that dies slowly. A large one makes the discriminator so stiff that the generator gets almost no slope to follow. The slower of the two
# directions decides. In between lies **critical damping**: the root vanishes and both eigenvalues meet. For which $\gamma$?


# %%
@exercise("gan.critical_gamma")
def critical_gamma(slope: float) -> float:
    """The weight of R1 at which both eigenvalues meet, for a loss with this slope at zero."""
    ### BEGIN SOLUTION
    return 2 * abs(slope)
    ### END SOLUTION


# %%
weights = torch.linspace(0, 3, 121)
slowest = [-float(dirac_eigenvalues(float(g)).real.max()) for g in weights]
best_gamma = critical_gamma(0.5)
viz.lines(
    weights,
    {"slower direction": slowest},
    xlabel="weight of the penalty",
    ylabel="rate of approach per unit of time",
    title=f"Rest comes soonest at a weight of {best_gamma:g}",
)

# %%
proof("gan.critical_gamma")

# %% [markdown]
# Up to the peak the players circle on their way in; beyond it one direction crawls. A caution: this is the best weight for *this* game. On images the slope and the scale differ, and people try weights over several powers of ten. What you can take along is the
# question: is it too little, or is it too much?

# %% [markdown]
# ## More steps in a row act like a larger learning rate
#
# Training is not a flow but rounds: $k_D$ steps of the discriminator with learning rate $h_D$, then $k_G$ of the generator with $h_G$. While one moves the other stands still. So near the
# balance a round is a product of two matrices:
#
# $$M = \begin{pmatrix} 1 & h_G f'(0) \\ 0 & 1 \end{pmatrix}^{k_G}
# \begin{pmatrix} 1 & 0 \\ -h_D f'(0) & 1 - h_D \gamma \end{pmatrix}^{k_D}$$
# <!-- proof: gan.dirac_round -->
#
# The generator's factor to the power $k_G$ just multiplies $h_G$ by $k_G$. Without penalty the determinant is 1, and the trace is $2 - k_G k_D\, h_G h_D\, f'(0)^2$. Both eigenvalues have size 1 exactly as long as the trace is not below $-2$:
#
# $$k_G\, k_D\, h_G\, h_D\, f'(0)^2 \le 4$$
# <!-- proof: gan.dirac_round -->
#
# Below this limit the players circle, above it they fly apart. Training one player more is no free gain; it spends a common allowance. Where is the edge for $k_D = 1$ and both rates 1? Work it out, then run the cell.

# %%
print("generator steps in a row, both rates 1: largest |eigenvalue| of a round")
for steps in (1, 5, 10, 20, 40):
    radius = float(maths.spectral_radius(maths.dirac_round(1.0, 1.0, steps_g=steps)))
    print(f"k_G = {steps:2d}: {radius:6.3f}  {'circles' if radius < 1.000001 else 'blows up'}")

# %% [markdown]
# The edge is $k_G = 16$, where $k_G / 4 = 4$. And the two learning rates? With a weak penalty, keep the generator's rate at 0.2 and change the discriminator's. This is the **two time-scale update rule** (TTUR): each player has a rate of its own.

# %%
print("weak penalty, gamma = 0.1, generator's rate 0.2")
halving = {}
for ratio in (0.25, 0.5, 1.0, 2.0, 4.0):
    matrix = maths.dirac_round(0.2, 0.2 * ratio, gamma=0.1)
    halving[ratio] = math.log(0.5) / math.log(float(maths.spectral_radius(matrix)))
    print(
        f"discriminator {ratio:4g} times as fast: distance halves in {halving[ratio]:5.0f} rounds"
    )

# %% [markdown]
# Here a faster discriminator halves the distance in fewer rounds, in proportion. The penalty acts through the discriminator's steps, so a faster discriminator is damped more in a round. Keep in mind what this is: one game near its balance. With Adam and
# deep networks the rule is a good first try and not a law.

# %%
proof("gan.dirac_round")

# %% [markdown]
# ## The average of a circle is its centre
#
# If the players circle, why not stand in the middle? Keep a second copy of the generator that nobody trains. After each update, move it a little towards the trained one. With decay $d$ and weights $\theta_n$:
#
# $$\bar\theta_n = d\,\bar\theta_{n-1} + (1 - d)\,\theta_n = \sum_{k=0}^{n-1} (1 - d)\, d^k\, \theta_{n-k} + d^n\, \bar\theta_0$$
# <!-- proof: gan.weight_average -->
#
# Insert the left side into itself to get the sum. It shows two things. The memory reaches back about $1 / (1 - d)$ steps. And the random start $\bar\theta_0$ stays in the average with weight
# $d^n$: after 500 steps with $d = 0.998$ that is still more than a third. So begin with a smaller decay, $d_n = \min\left(d, \frac{1 + n}{10 + n}\right)$, where $n$ counts the updates before this one.
#
# A network has more than weights. **Buffers**, such as the running mean of batch normalisation, belong to the weights and are averaged too. Whole numbers are counters: copy them.


# %%
@exercise("gan.average_state")
def average_state(
    mean: dict[str, Tensor], now: dict[str, Tensor], n: int, *, decay: float = 0.998
) -> dict[str, Tensor]:
    """The average after one more update; ``n`` updates came before. Change neither input."""
    ### BEGIN SOLUTION
    d = min(decay, (1 + n) / (10 + n))
    return {
        name: d * mean[name] + (1 - d) * value if value.is_floating_point() else value.clone()
        for name, value in now.items()
    }
    ### END SOLUTION


# %% [markdown]
# Now average the two players of the bilinear game, who circle for ever when they move in turn. Where will their average go?

# %%
orbit = maths.orbit(maths.bilinear_matrix(0.1, alternating=True), start, rounds=400)
means = [{"players": orbit[0]}]
for n, place in enumerate(orbit[1:]):
    means.append(average_state(means[-1], {"players": place}, n, decay=0.99))
averaged = torch.stack([mean["players"] for mean in means])
viz.phase_portraits(
    {"the players": orbit, "their average": averaged},
    xlabel="$x$",
    ylabel="$y$",
    limit=1.25,
    title="The players circle, their average closes in on the balance",
)

# %%
proof("gan.weight_average")

# %% [markdown]
# The average spirals inwards. It stops short of the centre, because its memory is finite: with a decay of 0.99 a circle of about a tenth of the radius remains. The average changes nothing in the game: it only looks at it. It costs one copy of the generator, and it cannot help where the players run away.

# %% [markdown]
# ## Against a judge who stands still, one picture wins
#
# Circling is one failure. The other has a name of its own, **mode collapse**: the generator makes a few pictures only. It follows from the generator's loss in one line. Let the judge, the discriminator $D$, stand still. The loss
# of a law $q$ is the mean $\sum_x q(x) \left[-\log D(x)\right]$. That is *linear* in $q$. A linear function on the laws has its least value in a corner, and a corner is a law with all its mass on a single picture $x$, written $\delta_x$. If one picture convinces $D$ most, then
#
# $$\arg\min_q\; \mathbb E_q[-\log D(x)] = \delta_{\arg\max D}$$
# <!-- proof: gan.best_response -->
#
# Nothing in the generator's loss asks for variety. Variety comes only from a discriminator that moves on in time.

# %%
proof("gan.best_response")

# %% [markdown]
# How fast does the generator fall into the corner? Take a simple model, with $a(x)$ for the logit of a picture. Each update raises the mean logit $\mathbb E_q[a]$ and pays for moving: $\mathrm{KL}(q \Vert q_{\text{before}}) / \eta$, with a rate $\eta$. Set the derivative with respect to each $q(x)$ to one and the same constant (the probabilities must sum to 1): $a(x) - \frac1\eta \log \frac{q(x)}{q_{\text{before}}(x)}$ is the same for all $x$.
# So the best trade multiplies each probability by $e^{\eta a(x)}$ and normalises. Do that $k$ times:
#
# $$q_k(x) \propto q_0(x)\, e^{k \eta\, a(x)}$$
# <!-- proof: gan.chase -->


# %%
@exercise("gan.chase")
def chase(law: Tensor, logits: Tensor, *, updates: int, rate: float = 1.0) -> Tensor:
    """The generator's law, ``(n,)``, after ``updates`` against a discriminator that stands still."""
    ### BEGIN SOLUTION
    return torch.softmax(law.log() + updates * rate * logits, dim=0)
    ### END SOLUTION


# %% [markdown]
# Eight pictures, equally frequent, and a discriminator who finds them nearly alike: its logits differ by a few tenths. The exponential of the entropy says to how many equally frequent pictures a law amounts. How many updates will it take to lose half of them?

# %%
even = torch.full((8,), 1 / 8)
logits = 0.2 * torch.randn(8, generator=torch.Generator().manual_seed(SEED))
updates = list(range(0, 61, 3))
alive = [float(maths.effective_modes(chase(even, logits, updates=k))) for k in updates]
viz.lines(
    updates,
    {"modes left": alive},
    xlabel="generator updates in a row",
    ylabel="effective number of modes",
    ylim=(0, 8.5),
    title="A slight preference, raised to a power, leaves one mode",
)

# %% [markdown]
# A few tenths of a nat, taken ten times, are a few nats, and a few nats decide. Collapse needs no strong preference, only time in which nobody objects.

# %%
proof("gan.chase")

# %% [markdown]
# ## Count the modes, and only good points count
#
# To see collapse we need data whose modes are known: eight narrow Gaussians on a ring, each with a standard deviation of 0.05. A point is **good** if it lies within three standard deviations of its nearest centre. A mode is **found** if at
# least one percent of *all* points are good points of this mode. Why the radius? Without it, noise spread over the whole plane would "find" all eight.


# %%
@exercise("gan.count_modes")
def count_modes(
    points: Tensor, centres: Tensor, *, spread: float, radius: float = 3.0, least: float = 0.01
) -> dict[str, Tensor]:
    """Modes found and share of good points, "modes" and "good": scalars in the dtype of ``points``."""
    ### BEGIN SOLUTION
    distance, nearest = torch.cdist(points, centres).min(dim=1)
    good = distance <= radius * spread
    share = torch.bincount(nearest[good], minlength=len(centres)) / len(points)
    return {
        "modes": (share >= least).to(points.dtype).sum(),
        "good": good.to(points.dtype).mean(),
    }
    ### END SOLUTION


# %%
law = data.ring()
real = law.sample(2000, rng=rng)
noise = 6 * torch.rand(2000, 2, generator=rng) - 3
for name, points in {"the data": real, "noise": noise}.items():
    found = count_modes(points, law.centres, spread=law.spread)
    print(f"{name:9} {int(found['modes'])} modes, share of good points {float(found['good']):.3f}")

# %% [markdown]
# Even perfect points are not all good: in the plane, a share of $1 - e^{-9/2} = 0.989$ lies within three standard deviations. Of the noise, only one or two points in a hundred are good, too few for any mode.

# %%
proof("gan.count_modes")

# %% [markdown]
# ## Taking turns, a GAN finds all eight
#
# Now two small networks, each with two hidden layers, and the step from lesson 09: one update of the discriminator, one of the generator. The average of the generator runs along. Expect a shapeless cloud at first, then the ring.


# %%
def players() -> tuple[PointGenerator, PointDiscriminator]:
    torch.manual_seed(SEED)
    return PointGenerator(width=budget.width), PointDiscriminator(width=budget.width)


def adam(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.5, 0.999), fused=True)


@torch.no_grad()
def points_of(network: nn.Module) -> Tensor:
    """Return 2000 generated points, from the same noise each time."""
    return network(torch.randn(2000, 2, generator=torch.Generator().manual_seed(SEED + 1)))


def judged(network: nn.Module) -> tuple[int, float]:
    return metrics.count_modes(points_of(network), law.centres, spread=law.spread)


def watched(*networks: nn.Module, steps: int) -> Replay:
    """Keep copies of both players at some thirty steps of a run, to look back at them."""
    return Replay(lambda: copy.deepcopy(networks), steps=steps)


# %%
generator, discriminator = players()
opt_g, opt_d = adam(generator), adam(discriminator)
average = Average(generator, decay=0.995)
seen = {"data": real}


def step(n: int, x: Tensor) -> dict[str, Tensor]:
    found = gan_step(generator, discriminator, opt_g, opt_d, x)
    average.update(generator)
    if n + 1 in (budget.steps // 6, budget.steps // 2, budget.steps):
        seen[f"{n + 1} steps"] = points_of(average.network)
    return found


batches = data.draws(law.sample, budget.batch, rng=rng)
replays = {"in turn": watched(generator, discriminator, steps=budget.steps)}
history = fit(step, batches, steps=budget.steps, log=replays["in turn"])

# %%
modes, good = judged(average.network)
last_modes, last_good = judged(generator)
print(f"average:        {modes} modes, share of good points {good:.2f}")
print(f"last generator: {last_modes} modes, share of good points {last_good:.2f}")
viz.point_panels(seen, title=f"Taking turns: {modes} of 8 modes in the end")

# %% [markdown]
# Notice the thin bridges between the modes. A continuous network cannot tear its cloud of noise apart, so a few points always lie on the way. Look at the losses as well. They say little: they hover not far from their values at the balance, $\log 4$ and $\log 2$, while the picture improves. In a game the loss measures the opponent. Count instead.

# %%
viz.curves(
    history,
    names=["d_loss", "g_loss"],
    reference={"log 4": math.log(4), "log 2": math.log(2)},
    title="The losses hover while the picture improves",
)

# %% [markdown]
# ## Ten generator updates a round, and the modes are gone
#
# Same networks, same learning rates, same number of generator updates in all. The only change in training: the generator takes ten updates for each one of the discriminator. "The generator is what we want, so train it more", one might think. Predict how many modes are left.

# %%
hasty, slow_judge = players()
opt_hasty, opt_judge = adam(hasty), adam(slow_judge)
hasty_seen = {}


def hasty_step(n: int, x: Tensor) -> dict[str, Tensor]:
    found = gan_step(hasty, slow_judge, opt_hasty, opt_judge, x)
    for _ in range(9):  # nine more answers to the same judge
        g_loss = losses.generator_loss(slow_judge(hasty(torch.randn(len(x), 2))))
        opt_hasty.zero_grad()
        g_loss.backward(inputs=list(hasty.parameters()))
        opt_hasty.step()
    if (n + 1) % max(1, budget.rounds // 4) == 0:
        hasty_seen[f"round {n + 1}"] = points_of(hasty)
    return found


replays["ten to one"] = watched(hasty, slow_judge, steps=budget.rounds)
hasty_history = fit(hasty_step, batches, steps=budget.rounds, log=replays["ten to one"])

# %%
collapsed, collapsed_good = judged(hasty)
print(f"ten to one: {collapsed} modes, share of good points {collapsed_good:.2f}")
viz.point_panels(hasty_seen, title="Ten to one: all points in one clump, and the clump wanders")

# %% [markdown]
# Four moments show four places. Here is the way between them, in twenty more; a step of the film is a round. The data stand beside it: eight places where the clump could be.

# %%
wandering = replays["ten to one"]
viz.film(
    [
        viz.point_panels({"the data": real, "ten to one": points_of(network)}, limit=6)
        for network, _ in wandering.kept[-20:]
    ],
    wandering.steps[-20:],
)

# %% [markdown]
# This is mode collapse. The trigger: a generator that answers a discriminator which stands nearly still. The symptom: all points in one clump, which meets one mode or none (one or none in each of thirty seeds). The losses may look calm. And the clump moves on: as soon as the judge learns to reject it, the whole mass runs to the next weak spot. The cure is in
# the schedule: let the judge move as often.

# %% [markdown]
# ## A judge of packs sees what is missing
#
# A single picture from a collapsed generator can be perfect. The fault is in the *set*. So show the discriminator a **pack** of $m$ independent pictures at once. Say the generator is right on a part $S$ of the data, which holds the share $s$, and never makes the rest: $q = p(\cdot \mid S) = p / s$ on $S$.
# The best judge's advantage, the share of real pictures that it calls real less the share of fakes that it calls real, is the total variation $\mathrm{TV} = 1 - \sum \min(p, q)$. Write $p^m$ and $q^m$ for the laws of packs. The smaller of the two is $p^m$ if all pictures lie in $S$, and zero otherwise. The sum is the probability that $m$ real pictures all lie in $S$, which is $s^m$:
#
# $$\mathrm{TV}(p^m, q^m) = 1 - s^m$$
# <!-- proof: gan.packing -->
#
# Compare two generators over ten pictures that a judge of single pictures cannot rank: one lost two of ten, the other makes all ten, five of them too often.

# %%
p = torch.full((10,), 0.1, dtype=torch.float64)
collapsed_law = torch.tensor([0.125] * 8 + [0.0] * 2, dtype=torch.float64)
uneven_law = torch.tensor([0.14] * 5 + [0.06] * 5, dtype=torch.float64)
sizes = [1, 2, 3, 4, 5]
advantage = {
    name: [float(maths.packed_total_variation(p, q, m)) for m in sizes]
    for name, q in {"two modes lost": collapsed_law, "uneven": uneven_law}.items()
}
viz.lines(
    sizes,
    advantage,
    xlabel="pictures in a pack",
    ylabel="total variation",
    ylim=(0, 0.8),
    markers=True,
    title="Packs show lost modes sooner than uneven ones",
)

# %% [markdown]
# Single pictures give the same advantage, 0.2, against both. Packs of five give 0.67 against the generator that lost two modes, and 0.34 against the uneven one.

# %%
proof("gan.packing")

# %% [markdown]
# ## A network is at most as steep as its layers together
#
# R1 holds the slope down at the data. Another way is to bound it everywhere. The **Lipschitz constant** of $f$ is its largest slope, the smallest number with $|f(x) - f(y)| \le \mathrm{Lip}(f)\,\lVert x - y\rVert$ for all $x$ and $y$. A layer with the matrix $W$ stretches a difference by at most its largest singular value, written $\sigma(W)$ (of a matrix, $\sigma$ is no sigmoid). An activation such as ReLU stretches it by at most 1. In a chain of $L$ layers the factors multiply:
#
# $$\mathrm{Lip}(f) \le \prod_{l=1}^{L} \sigma(W_l)$$
# <!-- proof: gan.lipschitz_product -->
#
# **Spectral normalisation** divides each $W_l$ by $\sigma(W_l)$, so the product is 1. It needs $\sigma(W)$ in each step, and cheaply. The way is **power iteration**. Multiply a vector by $W^\top$ and by $W$ in turns, and divide by its length each time. Each round multiplies the part along the strongest direction by $\sigma(W)^2$ and the others by less. So it wins, if there is only one strongest direction and the start has a part along it:
#
# $$v = \frac{W^\top u}{\lVert W^\top u \rVert}, \qquad u \leftarrow \frac{W v}{\lVert W v \rVert}, \qquad u^\top W v \to \sigma(W)$$
# <!-- proof: gan.power_iteration -->
#
# For the gradient, treat $u$ and $v$ as constants: at the strongest direction the derivative of $\sigma$ is $u v^\top$ all the same.


# %%
@exercise("gan.power_iteration")
def power_iteration(weight: Tensor, u: Tensor, *, iterations: int = 1) -> Tensor:
    """Estimate the largest singular value of ``weight`` ``(out, in)``, starting from ``u`` ``(out,)``."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        for _ in range(iterations):
            v = weight.T @ u
            v = v / v.norm()
            u = weight @ v
            u = u / u.norm()
    return u @ weight @ v
    ### END SOLUTION


# %%
layers = [m.weight.detach() for m in discriminator.modules() if isinstance(m, nn.Linear)]
for weight in layers:
    u = torch.ones(len(weight))
    few, many = (float(power_iteration(weight, u, iterations=k)) for k in (1, 50))
    exact = float(torch.linalg.matrix_norm(weight, ord=2))
    print(
        f"{tuple(weight.shape)!s:10} one iteration {few:6.3f}, fifty {many:6.3f}, exact {exact:6.3f}"
    )
bound = float(maths.lipschitz_bound(layers))
print(f"the trained discriminator may be as steep as {bound:.0f}")

# %% [markdown]
# One iteration from a fresh start can fall far short. In training the vector $u$ is kept from step to step while $W$ changes little, so one iteration a step is enough.

# %%
proof("gan.lipschitz_product")

# %%
proof("gan.power_iteration")

# %% [markdown]
# ## For a convolution the usual recipe is only half the truth
#
# A kernel has four axes. The usual code reshapes it to a matrix, one row for each output channel, and takes the norm of that. But the convolution applies the kernel at overlapping places, and the same input pixel enters several outputs. Take stride 1 and circular padding, where a picture continues at its opposite side. Then the true norm is found by a Fourier transform: at each frequency $\omega$ the convolution is a small matrix of channels, $\hat K(\omega)$.
#
# $$\lVert K * \cdot \rVert = \max_\omega \sigma\!\left(\hat K(\omega)\right), \qquad \sigma(K_{\text{reshaped}}) \le \lVert K * \cdot \rVert \le k\, \sigma(K_{\text{reshaped}})$$
# <!-- proof: gan.conv_norm -->
#
# Here $k$ is the side of the kernel. So after "normalisation" a layer may still stretch by up to $k$. Which kernel could reach that factor?

# %%
kernels = {
    "random, 3 to 4 channels": torch.randn(4, 3, 3, 3, generator=rng),
    "a blur: all ones": torch.ones(1, 1, 3, 3),
    "one pixel": nn.functional.pad(torch.ones(1, 1, 1, 1), (1, 1, 1, 1)),
}
for name, kernel in kernels.items():
    ratio = maths.conv_norm(kernel, 16) / maths.reshaped_norm(kernel)
    print(f"{name:24} true norm is {float(ratio):.2f} times the norm of the reshaped kernel")

# %% [markdown]
# The blur reaches it: on an even grey picture all nine entries pull together. A single pixel only shifts the picture, and there both norms agree.

# %%
proof("gan.conv_norm")

# %% [markdown]
# ## Spectral normalisation is not free
#
# On images spectral normalisation with the hinge loss is a good recipe. Try it on our ring. What will happen? Think of the scale first. The modes are 0.05 wide. With $\mathrm{Lip} \le 1$, two points $x$ and $y$ get outputs that differ by at most $\lVert x - y \rVert$. So between the middle of a mode and a point three standard deviations away, the discriminator's output
# can change by 0.15 at most. The hinge loss asks for a margin of 1 on both sides. This judge cannot give the answer that its loss asks for.
#
# We train two judges: one with $\mathrm{Lip} \le 1$, and one whose output is multiplied by 20 afterwards, so that $\mathrm{Lip} \le 20$.


# %%
class Bounded(nn.Module):
    """A discriminator whose slope is at most ``steepness``, up to the error of power iteration."""

    def __init__(self, network: nn.Module, *, steepness: float) -> None:
        super().__init__()
        for layer in [m for m in network.modules() if isinstance(m, nn.Linear)]:
            nn.utils.parametrizations.spectral_norm(layer)
        self.network, self.steepness = network, steepness

    def forward(self, x: Tensor) -> Tensor:
        return self.steepness * self.network(x)


# %%
def train_bounded(steepness: float) -> nn.Module:
    """Return the averaged generator of a game whose judge has at most this slope."""
    generator, discriminator = players()
    judge = Bounded(discriminator, steepness=steepness)
    opt_g, opt_d = adam(generator), adam(judge)
    average = Average(generator, decay=0.995)
    hinge = {
        "d_loss": losses.hinge_discriminator_loss,
        "g_loss": losses.hinge_generator_loss,
    }

    def step(n: int, x: Tensor) -> dict[str, Tensor]:
        found = gan_step(generator, judge, opt_g, opt_d, x, **hinge)
        average.update(generator)
        return found

    replay = watched(generator, judge, steps=budget.bounded)
    replays[f"slope at most {steepness:g}"] = replay
    fit(step, batches, steps=budget.bounded, log=replay)
    return average.network


bounded = {steepness: train_bounded(steepness) for steepness in (1.0, 20.0)}

# %%
(tame_modes, tame_good), (steep_modes, steep_good) = (judged(g) for g in bounded.values())
print(f"slope at most  1: {tame_modes} modes, share of good points {tame_good:.2f}")
print(f"slope at most 20: {steep_modes} modes, share of good points {steep_good:.2f}")
viz.point_panels(
    {f"slope at most {k:g}": points_of(g) for k, g in bounded.items()},
    title="A judge must be steep enough to see the width of a mode",
)

# %% [markdown]
# Against the tame judge the points pass the modes by; in thirty seeds at most one point in nine was good. With a slope of 20 all eight modes were found in each of the thirty. Nothing is wrong with the method: the scale is. If the details of your data are fine and sharp, a bound of 1 may hide them. Rescale the data or the output, or use a penalty that acts only where the data are.

# %% [markdown]
# ## The generator sees one thing only: the judge's field
#
# A generator never meets a real point. It moves its points to where the judge's output rises, and that is all. So to understand a run, look at the judge's output everywhere. We kept both players
# at thirty moments of each of the four runs. Blue places pass for real, orange ones for generated, and on the line the judge cannot decide. The output $a$ is shown as $\sigma(a)$, with the sigmoid $\sigma$. For the two bounded judges with their hinge loss this is no probability, but the line and the colours mean the same. The yellow points come from the generator as it was at that moment, not from its average. The line below counts the modes.


# %%
counts = {
    name: [judged(generator) for generator, _ in replay.kept] for name, replay in replays.items()
}
last = min(len(replay.steps) for replay in replays.values()) - 1  # a very short run has few moments


@torch.no_grad()
def watch(run: str, moment: int) -> viz.Figure:
    steps, players_then = replays[run].steps, replays[run].kept
    moment = round(moment / last * (len(steps) - 1))
    generator, judge = players_then[moment]
    found, share = counts[run][moment]
    field = viz.point_field(
        lambda places: torch.sigmoid(judge.eval()(torch.as_tensor(places).float())),
        real=real[:400],
        generated=points_of(generator)[:400],
        colour_label="sigmoid of the judge's output",
        title=f"{run}, after {steps[moment]} steps: {found} of 8 modes, {share:.0%} good points",
    )
    line = {"modes": {"found": [each for each, _ in counts[run]]}}
    below = viz.strips(steps, line, xlabel="step", cursor=steps[moment], limits={"modes": (0, 8)})
    return viz.assemble([[field], [below]])


viz.explore(watch, run=list(replays), moment=(0, last, 1, last))

# %% [markdown]
# Try three things.
#
# - **In turn**, go from the first moment to the last. The judge first cuts the plane into a few large patches, and the points spread over them. Then pale islands grow around the modes, and only then do the modes get counted. At the end hardly any place is blue: where the generator is good, the judge is undecided.
# - **Ten to one**, one moment at a time. The field is nearly flat, and it tilts to the side where the clump is not. The clump runs there, and the field tilts again.
# - **Slope at most 1** against **slope at most 20**, at the last moment. The tame judge has one soft slope across the whole plane and does not see a single mode. The steep one has an island at each mode.

# %% [markdown]
# ### From the errata: no hill, so no local minima
#
# One of the two articles that this course corrects explains the instability of GANs by "local minima". Both offer L1 or L2 penalties, batch normalisation and dropout as stabilisers. But a GAN does not minimise one function, and what fails is something else: the players
# circle (first part of this lesson), the gradient vanishes (lesson 09), or the modes collapse, a failure that neither article names. What helps is specific to games: R1, spectral normalisation, a rate for each player, and averages. One warning more: batch normalisation mixes the pictures of a batch, so the gradient of "one picture" that R1 penalises no longer exists.
#
# <!-- errata: F40 F44 -->

# %% [markdown]
# ## An honest run stays within measured bounds
#
# A lesson ends with numbers, and the numbers have bounds. They were calibrated over several seeds, so an honest run does not miss them by bad luck.

# %%
report(
    eigenvalue_error=Goal(eigenvalue_error, at_most=1e-6),
    distance_with_r1=Goal(float(paths["in turn, R1 with $\\gamma = 1$"][-1].norm()), at_most=1e-6),
    modes_in_turn=Goal(modes, at_least=goals.modes),
    good_points_in_turn=Goal(good, at_least=goals.good),
    modes_ten_to_one=Goal(collapsed, at_most=goals.collapsed),
    good_points_slope_1=Goal(tame_good, at_most=goals.tame),
    modes_slope_20=Goal(steep_modes, at_least=goals.steep),
)

# %%
progress("10")

# %% [markdown]
# ## What to keep
#
# - A GAN is a game. Near its balance it turns, and the eigenvalues of its Jacobian say whether it also shrinks. For the Dirac-GAN without a penalty they are imaginary.
# - R1 gives them a negative real part. There is a best weight: with too little the players circle, with too much they crawl.
# - Steps in a row and learning rates share one allowance. An average of the weights stands near the centre of the circle.
# - A generator's best answer to a judge who stands still is one picture. Variety comes from a judge who keeps up, and packs let the judge see it.
# - Bounding the slope calms the game and costs sight: the bound must fit the scale of the data.
#
# **Try next.** Give the generator two updates a round instead of ten. Train the ring with `gamma=0.1` in `gan_step`. Set the `steepness` to 5. Replace the ring by `data.grid()`.

# %% [markdown]
# ## Further reading
#
# - L. Mescheder, A. Geiger and S. Nowozin, *Which Training Methods for GANs do actually Converge?*, ICML 2018, [arXiv:1801.04406](https://arxiv.org/abs/1801.04406). The Dirac-GAN and R1.
# - L. Mescheder, S. Nowozin and A. Geiger, *The Numerics of GANs*, NeurIPS 2017, [arXiv:1705.10461](https://arxiv.org/abs/1705.10461).
# - G. Gidel, R. Askari Hemmat, M. Pezeshki and others, *Negative Momentum for Improved Game Dynamics*, AISTATS 2019, [arXiv:1807.04740](https://arxiv.org/abs/1807.04740). Alternating and simultaneous steps.
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler and S. Hochreiter, *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium*, NeurIPS 2017, [arXiv:1706.08500](https://arxiv.org/abs/1706.08500).
# - T. Miyato, T. Kataoka, M. Koyama and Y. Yoshida, *Spectral Normalization for Generative Adversarial Networks*, ICLR 2018, [arXiv:1802.05957](https://arxiv.org/abs/1802.05957).
# - H. Sedghi, V. Gupta and P. M. Long, *The Singular Values of Convolutional Layers*, ICLR 2019, [arXiv:1805.10408](https://arxiv.org/abs/1805.10408).
# - L. Metz, B. Poole, D. Pfau and J. Sohl-Dickstein, *Unrolled Generative Adversarial Networks*, ICLR 2017, [arXiv:1611.02163](https://arxiv.org/abs/1611.02163). The ring, and the generator's best answer.
# - Z. Lin, A. Khetan, G. Fanti and S. Oh, *PacGAN: The power of two samples in generative adversarial networks*, NeurIPS 2018, [arXiv:1712.04086](https://arxiv.org/abs/1712.04086).
# - Y. Yazıcı, C.-S. Foo, S. Winkler and others, *The Unusual Effectiveness of Averaging in GAN Training*, ICLR 2019, [arXiv:1806.04498](https://arxiv.org/abs/1806.04498).
