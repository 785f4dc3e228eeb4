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
# # 11 · A zoo of losses
#
# **[Open this lesson in Colab]({{ colab }})**
#
# Least squares, hinge, Wasserstein, f-GAN, gradient penalty: the literature offers a GAN loss for every taste. Are they
# different ideas, or one idea in different clothes? Here you will see both. Most of them measure how the *densities* of two laws differ.
# One measures how far the mass has to *move*, and that changes what a generator can learn.

# %% [markdown]
# **What you will do.** Compute the convex conjugate from which every f-GAN follows. Find what least squares and hinge really measure.
# Measure transport on a line by sorting. Write the generator's side of the hinge loss and the gradient penalty, train a critic that reads the Wasserstein distance off two samples, and meet
# critics that look in the wrong direction. At the end all losses play the same game, and you count.
#
# **What you need.** The GAN game and its best discriminator (lesson 09), gradients in PyTorch. Convexity and transport are explained here.

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 17 s |
# | `cpu` | a laptop; measured on two busy cores | 62 s |
# | `gpu` | the same plane, longer runs | not measured yet |
#
# **What you will reach** (`cpu`): a trained critic within 5 % of the true distance, and a generator that finds 8 of 8 modes.

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
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from genimg_course import losses, maths, viz
from genimg_course.data import draws, ring
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths.modes import count_modes
from genimg_course.maths.proofs import proof
from genimg_course.models import PointDiscriminator, PointGenerator
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.source import show_source
from genimg_course.training import NonFiniteLoss, fit, gan_step, seed_everything, wgan_gp_step

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(measure=150, critics=4, duel=100, updates=40, batch=64),
    cpu=dict(measure=150, critics=8, duel=300, updates=3000, batch=128),
    gpu=dict(measure=500, critics=32, duel=1000, updates=20000, batch=256),
)
goals = choose_budget(
    PROFILE,
    smoke=dict(error=0.05, cured=0.011, faint=0.002, slope=0.42, modes=None, good=None),
    cpu=dict(error=0.05, cured=0.012, faint=0.001, slope=0.18, modes=8, good=0.28),
    gpu=dict(
        error=None, cured=None, faint=None, slope=None, modes=None, good=None
    ),  # not measured yet
)
rng = seed_everything(SEED)
print(f"profile {budget.profile}")

# %% [markdown]
# ## For Jensen-Shannon, all laws that share no point are equally far apart
#
# Pictures fill a thin surface in the space of all pixel values. At the start of training the generator's pictures lie on another one, and the two need not
# meet. Take the simplest such case, in the plane: the data's law $p$ is uniform on an upright segment, and the model $q_\theta$ on a copy of it that stands to the right by $\theta$ (to the left if $\theta$ is negative).
#
# Against the best discriminator, the zero-sum GAN of lesson 09 descends the Jensen-Shannon divergence $\mathrm{JSD}$, the mean of the KL divergences of $p$ and of $q$ from their even mixture $m = \tfrac12(p + q)$. Where only $p$ lives, $p / m = 2$, and where only $q$ lives, $q / m = 2$. So each KL term is $\log 2$, however near the segments are.
# A distance that counts the way behaves differently. Let $W_1$ be the mean distance that mass must travel at the least to turn one law into the other; here every grain goes $|\theta|$.
#
# $$\mathrm{JSD}(p, q_\theta) = \log 2, \quad \frac{\partial\,\mathrm{JSD}}{\partial\theta} = 0, \qquad
# W_1(p, q_\theta) = |\theta|, \quad \frac{\partial W_1}{\partial\theta} = \mathrm{sign}\,\theta \qquad (\theta \ne 0)$$
# <!-- proof: gan.disjoint_supports -->
#
# Write both, with their slopes. Mind $\theta = 0$, where the laws are equal; give the slopes there as 0.


# %%
@exercise("gan.parallel_lines")
def parallel_lines(theta: Tensor) -> dict[str, Tensor]:
    """``jensen_shannon``, ``wasserstein``, and each with ``_slope``; everything has the shape of ``theta``, ``(N,)``."""
    ### BEGIN SOLUTION
    return {
        "jensen_shannon": torch.log(torch.tensor(2.0)).to(theta) * (theta != 0),
        "wasserstein": theta.abs(),
        "jensen_shannon_slope": torch.zeros_like(theta),
        "wasserstein_slope": theta.sign(),
    }
    ### END SOLUTION


# %% [markdown]
# Stuck? `hint("gan.parallel_lines")` gives one more hint at each call. The last one is the solution.

# %%
theta = torch.arange(-400, 401) / 200
distances = parallel_lines(theta)
viz.lines(
    theta,
    {
        "JSD (nats)": distances["jensen_shannon"],
        "Wasserstein": distances["wasserstein"],
    },
    xlabel="shift of the model",
    ylabel="distance",
    title="One says not equal, the other how far",
)

# %%
proof("gan.disjoint_supports")

# %% [markdown]
# One distance only says *not equal*: its notch at 0 is a single point. The other says how far, and its slope says which way. The flat line is no accident of this example: any two laws that do not overlap have it. A generator that descends it gets no gradient at all. Keep the picture in mind; first we look at
# the family to which the flat line belongs.

# %% [markdown]
# ## Every convex function makes a divergence
#
# Let $u = p(x)/q(x)$ be the ratio of the two densities, with $q > 0$ wherever $p > 0$. A function is **convex** if no chord between two points of its curve passes below the curve. Choose a convex $f$ with $f(1) = 0$ and average it under $q$. The result is an **f-divergence**:
#
# $$D_f(p \Vert q) = \mathbb E_q\!\left[ f\!\left(\frac{p(x)}{q(x)}\right) \right]$$
# <!-- definition -->
#
# The mean of the ratio is $\mathbb E_q[p/q] = 1$, and a convex function of a mean is at most the mean of the function. So $D_f \ge f(1) = 0$. Five famous members:
# KL ($f = u \log u$), reverse KL ($-\log u$), Pearson's $\chi^2$ ($(u-1)^2$), squared Hellinger ($(\sqrt u - 1)^2$), and the GAN ($u \log u - (u+1)\log(u+1)$, which
# has $f(1) = -\log 4$, so that $D_f = 2\,\mathrm{JSD} - \log 4$).

# %%
u = torch.linspace(0.02, 3, 150, dtype=torch.float64)
curves = {name: maths.convex_generator(u, name) for name in maths.F_DIVERGENCES}
viz.lines(
    u,
    curves,
    xlabel="density ratio u = p / q",
    ylabel="f(u)",
    title="Four of five convex functions are zero at u = 1",
)

# %% [markdown]
# ## A convex function is the highest of its tangent lines
#
# We know samples, not densities, so the ratio is out of reach. Convexity helps. Draw the line of slope $t$ through the origin, $ut$. How far must
# it be lowered until it only touches the curve from below? That number is the **convex conjugate**
#
# $$f^*(t) = \sup_{u > 0}\, \left[ ut - f(u) \right] = u\, f'(u) - f(u) \;\text{ at } t = f'(u), \qquad f^*(t) = \infty \;\text{ beyond the domain}$$
# <!-- proof: gan.fenchel_conjugate -->
#
# The best $u$ is where the slope of the curve is $t$. If $t$ exceeds all slopes of the curve, the line rises above it without end and the supremum (the least upper bound) is infinite. So the conjugate has a **domain**, the scores $t$ at which it is finite.
#
# Compute it the plain way: from values of $f$ at points. Where $f$ does not exist its value is given as infinite. Then compare: how close do twelve points come?


# %%
@exercise("gan.fenchel_conjugate")
def fenchel_conjugate(t: Tensor, u: Tensor, f: Tensor) -> Tensor:
    """The largest ``u t - f(u)`` for each slope: ``t`` is ``(N,)``, ``u`` and ``f`` are ``(K,)``, the result is ``(N,)``."""
    ### BEGIN SOLUTION
    return (t[:, None] * u - f).amax(dim=1)
    ### END SOLUTION


# %%
t = torch.linspace(-3, 0.9, 100, dtype=torch.float64)
points = torch.logspace(-3, 2, 12, dtype=torch.float64)
numeric = fenchel_conjugate(t, points, maths.convex_generator(points, "squared_hellinger"))
viz.lines(
    t,
    {"highest of 12": numeric, "t / (1 - t)": t / (1 - t)},
    xlabel="slope t",
    ylabel="conjugate of squared Hellinger",
    title="Twelve lines almost make the conjugate",
)

# %% [markdown]
# Twelve points of the curve give twelve lines, and the highest of them is already close to the closed form. It stays below, as every choice of points does. Towards $t = 1$, where the domain ends, the conjugate runs away.

# %%
proof("gan.fenchel_conjugate")

# %% [markdown]
# Now turn it round. The curve is the highest of all those lines: $f(u) = \sup_t\,[\,ut - f^*(t)\,]$. Put this into the divergence. At each $x$ choose *any* $t = T(x)$, not just the best. With $u = p/q$ the factor $q$ cancels:
#
# $$D_f(p \Vert q) = \mathbb E_q\!\left[ f\!\left(\frac pq\right) \right] \ge \mathbb E_p[T] - \mathbb E_q[f^*(T)], \qquad \text{with equality at } T^* = f'\!\left(\frac pq\right)$$
# <!-- proof: gan.f_divergence_bound -->
#
# No density is left on the right, only means of a function $T$ over two sets of samples. A network can be $T$. Training it raises the bound, and the
# bound estimates the divergence from below. Check it for five divergences. This is the f-GAN, and the discriminator of lesson 09 is one of its cases.

# %%
p, q = torch.softmax(torch.randn(2, 6, generator=rng, dtype=torch.float64), dim=1)
print(f"{'divergence':20}{'D_f':>8}{'best T':>10}{'lowered T':>15}")
for name in maths.F_DIVERGENCES:
    best = maths.density_ratio_score(p / q, name)
    noisy = best - 0.1 * torch.rand(6, generator=rng, dtype=torch.float64)
    values = [maths.variational_bound(p, q, each, name) for each in (best, noisy)]
    print(f"{name:20}{maths.f_divergence(p, q, name):8.4f}{values[0]:10.4f}{values[1]:15.4f}")

# %% [markdown]
# The best $T$ meets the divergence; any other stays below. (The third column lowers each score by up to 0.1 at random; raised scores might leave the domain.)

# %%
proof("gan.f_divergence_bound")

# %% [markdown]
# ## The last activation keeps the score in its domain
#
# A network returns any real number $v$. If the score leaves the domain, $f^*$ is infinite and training stops. So a last function $g_f$ maps
# $v$ into the domain, and it must rise, so that high still means real:
#
# $$\begin{array}{lccccc}
# & \text{KL} & \text{reverse KL} & \text{Pearson} & \text{Hellinger}^2 & \text{GAN} \\
# g_f(v) & v & -e^{-v} & v & 1 - e^{-v} & -\log(1 + e^{-v}) \\
# f^*(g_f(v)) & e^{v-1} & v - 1 & \tfrac14 v^2 + v & e^v - 1 & \log(1 + e^v)
# \end{array}$$
# <!-- proof: gan.output_activation -->
#
# Look at the last column. With $D = \sigma(v)$, where $\sigma$ is the sigmoid, it says $\log D$ on real images and $-\log(1 - D)$ on fakes: the GAN loss that you know. A sigmoid appears
# there and nowhere else. Put one before a least-squares or a Wasserstein loss, and all outputs are squeezed into $(0, 1)$. (For Pearson the parabola is continued to $u < 0$. For $v < -2$ this makes $f^*$ larger than the supremum over $u > 0$, and the bound still holds.)
#
# Write $g_f$ for all five. The names are `"kl"`, `"reverse_kl"`, `"pearson"`, `"squared_hellinger"` and `"gan"`.


# %%
@exercise("gan.output_activation")
def output_activation(v: Tensor, divergence: str) -> Tensor:
    """Map raw outputs of any shape into the domain of the conjugate."""
    ### BEGIN SOLUTION
    if divergence == "reverse_kl":
        return -torch.exp(-v)
    if divergence == "squared_hellinger":
        return 1 - torch.exp(-v)
    if divergence == "gan":
        return torch.nn.functional.logsigmoid(v)
    return v
    ### END SOLUTION


# %%
v = torch.linspace(-2, 4, 121, dtype=torch.float64)
cost = {
    name: maths.f_conjugate(output_activation(v, name), name)
    for name in ("kl", "reverse_kl", "pearson", "gan")
}
viz.lines(
    v,
    cost,
    xlabel="raw output v on a fake",
    ylabel="cost f*(g(v))",
    ylim=(-2, 12),
    title="What a fake that looks real costs the discriminator",
)

# %% [markdown]
# For a mistake reverse KL charges a straight line, the GAN nearly one, Pearson a parabola, and KL an exponential. Remember this when we train.

# %%
proof("gan.output_activation")

# %% [markdown]
# The generator with weights $\theta$ makes the law $q_\theta$ and descends the part of the bound that it can change, $-\mathbb E_q[f^*(T)]$. With the best $T$ held fixed, its gradient is exactly that of the divergence:
#
# $$\nabla_\theta\, \mathbb E_{q_\theta}\!\left[ -f^*(T^*) \right] = \nabla_\theta\, D_f(p \Vert q_\theta), \qquad T^* \text{ held fixed}$$
# <!-- proof: gan.f_gan_game -->
#
# Why may $T^*$ be frozen? It sits at a maximum, so a small change of it does not change the bound. (The usual trick, to descend $-\mathbb E_q[T]$ instead, keeps the
# gradient alive for longer and descends something else.)

# %%
proof("gan.f_gan_game")

# %% [markdown]
# ## Least squares and hinge are divergences in disguise
#
# Two popular losses look like something new. The **least-squares** loss asks for the output $b$ on real images and $a$ on fakes. Fix one $x$. It costs $\tfrac12 p\,(D-b)^2 + \tfrac12 q\,(D-a)^2$; its derivative is zero where
# $p\,(D - b) + q\,(D - a) = 0$. So the best output is the mean of the targets, weighted by the densities: the first formula below. Let $c$ be the output that the generator wants, and let $C(G)$ be half the mean squared distance of $D^*$ from $c$ under $p$ plus half of it under $q$. (The generator acts on the second half only; the first makes the sum simple.) For $b - c = 1$ and $b - a = 2$ the first formula gives $D^* - c = (p - q)/(p + q)$, and the second follows:
#
# $$D^*(x) = \frac{b\, p(x) + a\, q(x)}{p(x) + q(x)}, \qquad 2\, C(G) = \sum_x \frac{(2q - (p + q))^2}{p + q}$$
# <!-- proof: gan.least_squares_optimum -->
#
# The sum is twice Pearson's $\chi^2 = \sum (q - m)^2 / m$ between the model $q$ and the even mixture $m$, so $C(G)$ is that $\chi^2$. It is bounded, like Jensen-Shannon, and just as flat for laws apart. (With the usual targets $a = 0$ and $b = c = 1$, which we use below, $2\,C(G) = \sum q^2 / (p + q) = \tfrac12 (1 + \chi^2)$: the same up to constants.)

# %%
proof("gan.least_squares_optimum")

# %% [markdown]
# The **hinge** loss stops caring once an output is on its side of a margin: $\mathbb E_p[\max(0, 1 - D)] + \mathbb E_q[\max(0, 1 + D)]$. At one $x$ this is a broken line in $D$ with its
# kinks at $\pm 1$; it costs $2q$ at $D = 1$ and $2p$ at $D = -1$, and the smaller one wins:
#
# $$\min_D \mathcal L_D = 2 \sum_x \min(p(x), q(x)) = 2\,(1 - \mathrm{TV}(p, q)), \qquad D^*(x) = \mathrm{sign}(p(x) - q(x))$$
# <!-- proof: gan.hinge_optimum -->
#
# $\mathrm{TV}$ is the total variation, the largest difference in probability that the two laws give to any event.

# %%
proof("gan.hinge_optimum")

# %% [markdown]
# The generator's side of the hinge has *no* hinge. It always gains from a higher output, wherever the output is. Write it.


# %%
@exercise("gan.hinge_generator_loss")
def hinge_generator_loss(fake_logits: Tensor) -> Tensor:
    """A scalar that falls at the same rate for every image; ``fake_logits`` are raw outputs."""
    ### BEGIN SOLUTION
    return -fake_logits.mean()
    ### END SOLUTION


# %%
proof("gan.hinge_generator")

# %% [markdown]
# ## Transport counts the way, not the overlap
#
# Now the other idea. Think of $p$ and $q$ as two heaps of sand. A **transport plan** $\pi(x, y)$ says how much goes from $x$ to $y$. The **Wasserstein distance** $W_1$ is the mean distance that the sand travels under the cheapest plan.
# On a line there is always a cheapest plan whose ways do not cross. It pairs the smallest with the smallest, and so on:
#
# $$W_1(p, q) = \int |F(x) - G(x)|\, dx, \qquad W_1 = \frac1N \sum_i \left| x_{(i)} - y_{(i)} \right| \;\text{ for two samples of } N \text{ numbers}$$
# <!-- proof: gan.wasserstein_1d -->
#
# $F$ and $G$ are the distribution functions, and $x_{(i)}$ is the $i$-th smallest number. The integral says the same: at each place $x$ the surplus $|F(x) - G(x)|$ has to pass by.


# %%
@exercise("gan.wasserstein_1d")
def wasserstein_1d(x: Tensor, y: Tensor) -> Tensor:
    """The distance of two samples of as many numbers, both ``(N,)``; a scalar."""
    ### BEGIN SOLUTION
    return (x.sort().values - y.sort().values).abs().mean()
    ### END SOLUTION


# %%
x, y = torch.randn(2, 5000, generator=rng)
for shift in (0.0, 0.5, 2.0):
    print(f"shift {shift}: {wasserstein_1d(x + shift, y):.3f}")
print(f"same mean, twice the spread: {wasserstein_1d(2 * x, y):.3f}")

# %% [markdown]
# For two Gaussians of one spread the distance is the shift. At shift 0 a little remains, because two samples of one law are not equal. Equal means are not enough either: twice the spread moves the number $x$ to $2x$, on average by $\mathbb E|x| = \sqrt{2/\pi} = 0.80$.

# %%
proof("gan.wasserstein_1d")

# %% [markdown]
# ## The cheapest plan and the steepest critic meet
#
# In the space of images nobody can sort. Look at the problem from the other side. From here on $f$ is no convex function but a **critic**: it gives each image a score, and it rises by at most the distance, $f(x) - f(y) \le \lVert x - y \rVert$; one says it is 1-Lipschitz.
# For every plan, $\mathbb E_p[f] - \mathbb E_q[f] = \mathbb E_\pi[f(x) - f(y)] \le \mathbb E_\pi \lVert x - y \rVert$. So no critic claims more than the cheapest plan costs. The theorem of Kantorovich and Rubinstein says that the best critic $f^*$ claims exactly what the cheapest plan $\pi^*$ costs:
#
# $$W_1(p, q) = \min_\pi \mathbb E_\pi \lVert x - y \rVert = \max_{\lVert f \rVert_L \le 1} \mathbb E_p[f] - \mathbb E_q[f], \qquad f^*(x) - f^*(y) = \lVert x - y \rVert \;\text{ where } \pi^*(x, y) > 0$$
# <!-- proof: gan.kantorovich_rubinstein -->
#
# Here $\lVert f \rVert_L \le 1$ is short for 1-Lipschitz. The second part is the key to what follows: from the fake to the real end of every way of the plan, the best critic rises with slope exactly one. Both sides are linear programmes, so on a few points we can solve them exactly. Expect the same number twice.

# %%
places = torch.cat(
    [
        torch.randn(8, 2, generator=rng) + torch.tensor([2.0, 1.0]),
        torch.randn(8, 2, generator=rng),
    ]
)
real_share = (torch.arange(16) < 8) / torch.tensor(8.0)
fake_share = real_share.flip(0)
way = torch.cdist(places, places)
plan = maths.optimal_transport(way, real_share, fake_share)
critic_values = maths.kantorovich_potential(way, real_share, fake_share)
print(f"cheapest plan    {(plan * way).sum():.6f}")
print(f"steepest critic  {critic_values @ (real_share - fake_share).double():.6f}")
viz.heatmap(
    8 * plan[:8, 8:].abs(),
    xlabel="fake point",
    ylabel="real point",
    colour_label="share of the mass",
    limits=(0, 1),
    title="The cheapest plan pairs each real point with one fake",
)

# %%
proof("gan.kantorovich_rubinstein")

# %% [markdown]
# ## A price on the slope keeps the critic honest
#
# A network is not 1-Lipschitz by itself. Without a bound, $\mathbb E_p[f] - \mathbb E_q[f]$ grows for ever: double $f$ and it doubles. The first remedy was to clip all weights, which makes critics too simple. The **gradient penalty** works
# better. The best critic has slope one on the ways of the plan, so ask for that, at random places on straight lines between fakes and real images. (The pairs are random and not those of the plan, which nobody knows: an approximation.)
#
# $$R = \lambda\, \mathbb E\!\left[ \left( \lVert \nabla_{\hat x} f(\hat x) \rVert - 1 \right)^2 \right], \qquad \hat x = \alpha x + (1 - \alpha)\, \tilde x, \quad \alpha \sim U(0, 1)$$
# <!-- proof: gan.gradient_penalty -->
#
# $x$ is a real image, $\tilde x$ a fake, $\lambda$ the weight. The penalty contains a gradient, and training differentiates it once more with respect to the weights. So the first gradient must keep its graph: `create_graph=True`.


# %%
@exercise("gan.gradient_penalty")
def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, *, weight: float, alpha: Tensor
) -> Tensor:
    """A scalar; ``real`` and ``fake`` are ``(B, ...)``, ``alpha`` is the share of the real image, ``(B,)``."""
    ### BEGIN SOLUTION
    share = alpha.reshape(-1, *[1] * (real.ndim - 1))
    mixed = (share * real + (1 - share) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    return weight * (slope.flatten(start_dim=1).norm(dim=1) - 1).square().mean()
    ### END SOLUTION


# %%
proof("gan.gradient_penalty")

# %% [markdown]
# In a round of training the critic gets several updates, five in the paper, before the generator gets one. `no_grad` does here what `detach` did in lesson 09, and saves the memory of the generator's graph. Follow the dashed arrows: only the one to the mixture starts from a score. It is the slope that the penalty looks at.

# %%
viz.wgan_gp_diagram()

# %% [markdown]
# One warning. The trick `critic(mixed).sum()` gives each image its own slope only if the critic looks at each image by itself. Batch normalisation breaks that: there the score of one image depends on all
# others. See for yourself: differentiate the first image's score by all four images. How much of that gradient belongs to the other three?

# %%
for name, layer in {"without": torch.nn.Identity(), "with": torch.nn.BatchNorm1d(16)}.items():
    critic = torch.nn.Sequential(
        torch.nn.Linear(2, 16), layer, torch.nn.ReLU(), torch.nn.Linear(16, 1)
    )
    images = torch.randn(4, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(critic(images)[0].sum(), images)
    print(f"{name:8} batch normalisation: {slope[1:].norm() / slope.norm():.0%} from the others")

# %% [markdown]
# ## A trained critic reads the distance off two samples
#
# Time to measure. Real numbers come from a Gaussian with mean $s$ and variance 1, $N(s, 1)$, fakes from $N(0, 1)$, so $W_1 = s$. A small network is trained with the critic loss and your penalty, and then we take the difference of its mean scores on fresh numbers.
# How exact can that be? For a linear critic with slope $c$ the objective is $c\,W_1 - \lambda\,(|c| - 1)^2$. The penalty is a price, not a wall, so the critic buys a little too much slope:
#
# $$c^* = 1 + \frac{W_1}{2\lambda}, \qquad \text{and a local maximum at } c = -1 + \frac{W_1}{2\lambda} \text{ if } W_1 < 2\lambda$$
# <!-- proof: gan.penalised_slope -->
#
# With the usual $\lambda = 10$ and $W_1 = 2$ it overstates the distance by 10 %. For a measurement we take $\lambda = 100$. The second half of the formula is a trap, and we shall come back to it. For now the first ten steps go without penalty.


# %%
def measure(shift: float, weight: float, *, free_steps: int = 10, seed: int = SEED) -> float:
    """Train a critic of two shifted Gaussians and return its estimate of their distance."""
    torch.manual_seed(seed)
    critic = PointDiscriminator(dim=1, width=32)
    optimizer = torch.optim.Adam(critic.parameters(), lr=5e-3, betas=(0.0, 0.9))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.measure)

    def step(n: int, z: Tensor) -> dict[str, Tensor]:
        real, fake = torch.randn_like(z) + shift, z
        price = 0.0 if n < free_steps else weight
        gap = losses.wasserstein_critic_loss(critic(real), critic(fake))
        penalty = gradient_penalty(critic, real, fake, weight=price, alpha=torch.rand(len(z)))
        optimizer.zero_grad()
        (gap + penalty).backward()
        optimizer.step()
        schedule.step()
        return {"estimate": -gap.detach(), "penalty": penalty.detach()}

    numbers = draws(lambda count, rng: torch.randn(count, 1, generator=rng), 256, rng=rng)
    fit(step, numbers, steps=budget.measure, progress=False)
    z = torch.randn(20_000, 1)
    with torch.no_grad():
        return float((critic(z + shift) - critic(z)).mean())


# %%
shifts = (0.5, 1.0, 2.0, 4.0)
estimates = {weight: [measure(shift, weight) for shift in shifts] for weight in (10.0, 100.0)}
error = max(abs(e / s - 1) for e, s in zip(estimates[100.0], shifts, strict=True))
print(f"{'true distance':>14}{'weight 10':>11}{'predicted':>11}{'weight 100':>12}")
for k, shift in enumerate(shifts):
    predicted = shift * maths.penalised_slope(shift, weight=10.0)
    print(f"{shift:14}{estimates[10.0][k]:11.3f}{predicted:11.3f}{estimates[100.0][k]:12.3f}")

# %% [markdown]
# With weight 10 the estimate is too large by about the predicted factor. With weight 100 it is right to within a few percent. This is a GAN loss that means something: it is a distance in the unit of the data. The cross-entropy of a discriminator has no such unit, and for laws apart it does not say how far.

# %%
proof("gan.penalised_slope")

# %% [markdown]
# ## What broke: some critics look the wrong way and never turn round
#
# Now without the ten free steps. Predict first: what happens to a critic whose random weights happen to give it a *negative* slope?

# %%
seeds = range(budget.critics)
wrong_way = {f"{seed}": measure(2.0, 100.0, free_steps=0, seed=seed) / 2 for seed in seeds}
cured = {f"{seed}": measure(2.0, 100.0, seed=seed) / 2 for seed in seeds}
backwards = sum(value < 0 for value in wrong_way.values())
viz.bars(
    wrong_way,
    xlabel="seed of the critic",
    ylabel="estimate / true distance",
    ylim=(-1.2, 1.2),
    reference={"the truth": 1.0},
    title=f"{backwards} of {budget.critics} critics claim a negative distance",
)

# %% [markdown]
# This is the local maximum of the formula. The penalty wants a slope of size one and does not ask for its sign. On a line the slope would have to pass through zero, and there the penalty stands like a hill of height $\lambda$. The symptom: an estimate near minus the distance, with a penalty near zero.
# In the plane and above, a slope can turn without shrinking, so the trap is not closed. The cure here: ten steps without penalty, in which the critic finds the right side. (Another known remedy leaves slopes below one free of charge.)

# %%
viz.bars(
    cured,
    xlabel="seed of the critic",
    ylabel="estimate / true distance",
    ylim=(-1.2, 1.2),
    reference={"the truth": 1.0},
    title="Ten free steps, and every critic looks the right way",
)

# %% [markdown]
# ## The generator feels the slope, and slopes differ
#
# A generator never sees the loss value. It sees the slope of what the discriminator says at its own images. Write $g_\theta(z)$ for the image that it makes of the noise $z$. For the best Wasserstein critic that slope is all it needs:
#
# $$\nabla_\theta W_1(p, q_\theta) = -\mathbb E_z\!\left[ \nabla_\theta f^*(g_\theta(z)) \right], \qquad f^* \text{ held fixed}$$
# <!-- proof: gan.wasserstein_gradient -->
#
# Let us put two narrow laws far apart, fakes at 0 and real numbers at 3, train a discriminator with each loss, and look along the line. Which landscape would you like to climb as a fake at 0?

# %%
pairs: dict[str, tuple[Callable[..., Tensor], Callable[[Tensor], Tensor]]] = {
    "saturating": (losses.discriminator_loss, partial(losses.generator_loss, saturating=True)),
    "cross-entropy": (losses.discriminator_loss, losses.generator_loss),
    "least squares": (
        losses.least_squares_discriminator_loss,
        losses.least_squares_generator_loss,
    ),
    "hinge": (losses.hinge_discriminator_loss, hinge_generator_loss),
    "Wasserstein": (losses.wasserstein_critic_loss, losses.wasserstein_generator_loss),
}


def duel(name: str) -> PointDiscriminator:
    """Train a discriminator, one dimension, fakes near 0 and real numbers near 3."""
    torch.manual_seed(SEED)
    judge = PointDiscriminator(dim=1, width=32)
    optimizer = torch.optim.Adam(judge.parameters(), lr=5e-3, betas=(0.0, 0.9))

    def step(n: int, noise: Tensor) -> dict[str, Tensor]:
        real, fake = 3 + 0.2 * noise[:, :1], 0.2 * noise[:, 1:]
        loss = pairs[name][0](judge(real), judge(fake))
        if name == "Wasserstein" and n >= 10:
            alpha = torch.rand(len(real))
            loss = loss + gradient_penalty(judge, real, fake, weight=100.0, alpha=alpha)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {"loss": loss.detach()}

    noise = draws(lambda count, rng: torch.randn(count, 2, generator=rng), 256, rng=rng)
    fit(step, noise, steps=budget.duel, progress=False)
    return judge


# %%
judges = {name: duel(name) for name in pairs}
line = torch.linspace(-1, 4, 101)[:, None]
with torch.no_grad():
    landscape = {name: judges[name](line) for name in list(pairs)[1:]}
viz.lines(
    line.flatten(),
    landscape,
    xlabel="place on the line (fakes at 0, real at 3)",
    ylabel="output",
    ylim=(-10, 10),
    title="Every output rises from fake to real",
)

# %% [markdown]
# All rise from fake to real. Least squares climbs gently between its two targets and is nearly flat at the fakes. The cross-entropy logits run out of the frame: nothing holds them. The Wasserstein critic is close to a straight line of slope one. Now the push itself: the slope of each generator's loss at the fakes.

# %%
fakes = (0.2 * torch.randn(1000, 1, generator=rng)).requires_grad_()
push = {}
for name, judge in judges.items():
    total = pairs[name][1](judge(fakes)) * len(fakes)  # undo the mean: one slope per fake
    push[name] = float(-torch.autograd.grad(total, fakes)[0].mean())
for name, value in push.items():
    print(f"{name:14} mean push towards the data: {value:9.2g}")
viz.bars(
    push, xlabel="loss", ylabel="push per fake", title="The push on a fake at 0 depends on the loss"
)

# %% [markdown]
# Under the saturating loss a fake feels nothing: a sure discriminator has a flat probability. Under the non-saturating cross-entropy it feels a strong push, whose size depends on how long the discriminator was trained. The best Wasserstein critic pushes with one, near or far, and ours comes close. So you may train it as well as you can: in theory, a better critic gives a better gradient.

# %%
proof("gan.wasserstein_gradient")

# %% [markdown]
# ## All losses play the same game
#
# Eight small Gaussians on a ring. A generator may cover all of them, or only some: **mode collapse**. Each loss gets the same networks, the same number of discriminator updates, and a learning rate that falls to zero. The generators of the f-GANs use the trick $-\mathbb E_q[T]$. WGAN-GP, the Wasserstein critic with the gradient penalty, has settings of its own: a weight of 1, a learning rate twice as high, and two moves of the critic for each move of the generator, which therefore moves half as often. Here is its step. Predict: which loss will fail?

# %%
show_source(wgan_gp_step)

# %%
Play = Callable[..., dict[str, Tensor]]
law = ring()


def train(play: Play, *, critic_steps: int = 1, lr: float = 1e-3) -> tuple[Tensor, float]:
    """Train on the ring; return 4000 generated points and the milliseconds per generator step."""
    torch.manual_seed(SEED)
    generator, judge = PointGenerator(width=64), PointDiscriminator(width=64)
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=lr, betas=(0.0, 0.9))
        for network in (generator, judge)
    ]
    steps = budget.updates // critic_steps

    def step(n: int, x: Tensor) -> dict[str, Tensor]:
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = lr * (1 - n / steps)
        return play(generator, judge, *optimizers, x)

    batches = draws(law.sample, critic_steps * budget.batch, rng=rng)
    start = time.perf_counter()
    try:
        fit(step, batches, steps=steps, progress=False)
    except NonFiniteLoss as stop:
        print(stop)
    milliseconds = 1000 * (time.perf_counter() - start) / steps
    with torch.no_grad():
        return generator(torch.randn(4000, 2)).nan_to_num(), milliseconds


# %%
zoo: dict[str, Play] = {
    name: partial(gan_step, d_loss=d, g_loss=g)
    for name, (d, g) in pairs.items()
    if name in ("cross-entropy", "least squares", "hinge")
}
for name in ("reverse_kl", "squared_hellinger", "kl"):
    zoo[f"f-GAN {name}"] = partial(
        gan_step,
        d_loss=partial(losses.f_gan_discriminator_loss, divergence=name),
        g_loss=partial(losses.f_gan_generator_loss, divergence=name),
    )
results = {name: train(play) for name, play in zoo.items()}
results["WGAN-GP"] = train(
    partial(wgan_gp_step, critic_steps=2, weight=1.0), critic_steps=2, lr=2e-3
)

# %%
print(f"{'loss':24}{'modes':>6}{'good points':>13}{'ms per generator step':>24}")
share = {}
for name, (points, milliseconds) in results.items():
    counted = count_modes(points, law.centres, spread=law.spread)
    share[name] = float(counted["good"])
    print(f"{name:24}{int(counted['modes']):6}{share[name]:13.0%}{milliseconds:24.2f}")
modes = int(counted["modes"])  # WGAN-GP is the last

# %%
viz.point_panels(
    {
        "data": law.sample(2000, rng=rng),
        **{name: results[name][0][:2000] for name in ("cross-entropy", "hinge", "WGAN-GP")},
    },
    title="The same ring, three losses",
)

# %% [markdown]
# A point is good if it lies within three standard deviations of a centre. Read the table with care.
#
# - With small learning rates that fade out, most losses find the whole ring, or all of it but one mode. In the number of modes they hardly differ, in the share of good points a little more. A large comparison of published GANs found that most reach similar scores if each is tuned well.
# - The KL f-GAN does worst: with seed 0 it found no mode at all. Its fake cost grows like $e^{v}$, so one fake that looks real can throw the discriminator off. (If a loss becomes infinite or undefined, the cell says so and goes on with the next.) "Any f will do" is true of the bound, not of the optimisation.
# - WGAN-GP found all modes in each of eight seeds. A step of its generator costs clearly more, because the critic moves twice and each move needs a gradient of a gradient.

# %% [markdown]
# ### From the errata: stable is not cheap, and names are not interchangeable
#
# One article praises WGAN-GP for more *efficient* training. You have just timed it: it is more expensive per generator step. What it buys is stability, a gradient that does not die, and a loss that can be read. Both articles name L1 and L2 penalties, batch normalisation and dropout as what
# stabilises a GAN. The tools with evidence behind them are others: penalties on the gradient, spectral normalisation, averages of the weights, and a learning rate for each player (lesson 10). And batch normalisation does not go together with a penalty per image, as you saw above.
# Finally, one list of references melts two papers into one title. They are "Wasserstein GAN", which clips weights, and "Improved Training of Wasserstein GANs", by other authors in part, which brought the penalty.
#
# <!-- errata: F39 F44 R22 -->

# %% [markdown]
# ## An honest run stays within measured bounds
#
# The first number is the largest relative error of the four distances, the second that of the critics with ten free steps. Then come the push of the saturating loss on a far fake, and how far the Wasserstein push is from one. The last two are those of WGAN-GP on the ring.

# %%
report(
    distance_error=Goal(error, at_most=goals.error),
    cured_error=Goal(max(abs(value - 1) for value in cured.values()), at_most=goals.cured),
    saturating_push=Goal(abs(push["saturating"]), at_most=goals.faint),
    wasserstein_push_error=Goal(abs(push["Wasserstein"] - 1), at_most=goals.slope),
    modes=Goal(modes, at_least=goals.modes),
    good_points=Goal(share["WGAN-GP"], at_least=goals.good),
)

# %%
progress("11")

# %% [markdown]
# ## What to keep
#
# - An f-divergence compares densities through a convex function. Its conjugate turns it into two means over samples, and that is a GAN loss.
# - The output activation exists to keep scores in the domain of the conjugate. A sigmoid belongs to the GAN case only.
# - Least squares measures a Pearson $\chi^2$, hinge the total variation. For laws apart they are as flat as Jensen-Shannon.
# - $W_1$ counts the way. Its critic must be 1-Lipschitz; the gradient penalty asks for slope one between real and fake, per image, with a second derivative.
# - The penalty is a price: a linear critic overstates the distance by the factor $1 + \frac{W_1}{2\lambda}$, and on a line a critic can look the wrong way for good.
#
# **Try next.** Give the KL f-GAN a tenth of the learning rate. Replace the penalty by its one-sided form. Train WGAN-GP on the 25 modes of `genimg_course.data.grid()`.

# %% [markdown]
# ## Further reading
#
# - S. Nowozin, B. Cseke and R. Tomioka, *f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization*, NeurIPS 2016, [arXiv:1606.00709](https://arxiv.org/abs/1606.00709). Tables of conjugates and activations.
# - X. Nguyen, M. J. Wainwright and M. I. Jordan, *Estimating Divergence Functionals and the Likelihood Ratio by Convex Risk Minimization*, IEEE Transactions on Information Theory 56, 2010, [doi:10.1109/TIT.2010.2068870](https://doi.org/10.1109/TIT.2010.2068870). The bound.
# - M. Arjovsky, S. Chintala and L. Bottou, *Wasserstein GAN*, ICML 2017, [arXiv:1701.07875](https://arxiv.org/abs/1701.07875). Parallel lines, theorem 3.
# - I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin and A. Courville, *Improved Training of Wasserstein GANs*, NeurIPS 2017, [arXiv:1704.00028](https://arxiv.org/abs/1704.00028). The penalty.
# - H. Petzka, A. Fischer and D. Lukovnikov, *On the Regularization of Wasserstein GANs*, ICLR 2018, [arXiv:1709.08894](https://arxiv.org/abs/1709.08894). The one-sided penalty.
# - X. Mao and others, *Least Squares Generative Adversarial Networks*, ICCV 2017, [arXiv:1611.04076](https://arxiv.org/abs/1611.04076).
# - J. H. Lim and J. C. Ye, *Geometric GAN*, 2017, [arXiv:1705.02894](https://arxiv.org/abs/1705.02894). The hinge.
# - M. Lucic, K. Kurach, M. Michalski, S. Gelly and O. Bousquet, *Are GANs Created Equal? A Large-Scale Study*, NeurIPS 2018, [arXiv:1711.10337](https://arxiv.org/abs/1711.10337).
# - G. Peyré and M. Cuturi, *Computational Optimal Transport*, Foundations and Trends in Machine Learning 11, 2019, [arXiv:1803.00567](https://arxiv.org/abs/1803.00567). The book.
