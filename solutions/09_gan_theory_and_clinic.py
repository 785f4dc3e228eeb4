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
# # 09 · The theory of GANs, and a clinic for broken code
#
# **[Open this lesson in Colab]({{ colab }})**
#
# Two programs are lying on the table. Both come from published articles, both promise to generate pictures, and
# neither does. One stops with an error while it builds its first judge. The other, once its shapes are mended, runs to its end
# and prints that all is done. Its generator has not moved. Which of the two would you rather have?
#
# To cure them we first need to know what a healthy game looks like. That is the theory, and it is short.

# %% [markdown]
# **What you will do.** Derive what a perfect judge says and what its verdict measures. Train a game on eight points where
# everything can be computed. Then open the clinic: 29 faults, each with a symptom that you run, a cause that you name, and a repair that you watch.
#
# **What you need.** Gradients, convolutions and optimisers in PyTorch, logarithms, and what a probability density is. Every symbol is explained where
# it first appears.

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 35 s |
# | `cpu` | a laptop; measured on two busy cores | 45 s |
# | `gpu` | a GPU | not measured yet |
#
# **What you will reach** (`cpu`): the repaired game on a line comes within 0.2 of the middle of its data before iteration 4500 (eight seeds
# gave 1370 to 1460, medians over 16 games). The broken program's judge says two thirds of its fakes, where theory puts it, to within 0.01
# (eight seeds: within 0.003), while its generator moves by exactly zero.

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
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg_course import clinic, data, viz
from genimg_course.clinic import program_a, program_b
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths import (
    gan_value,
    generator_curvature,
    jensen_shannon,
    optimal_discriminator,
    total_variation,
)
from genimg_course.maths.proofs import proof
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.source import show_source
from genimg_course.training import fit, seed_everything

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(rounds=250, lr=4e-3, line=1000, games=6, images=300, draw=15, loop=100, fresh=30),
    cpu=dict(rounds=500, lr=2e-3, line=4500, games=16, images=4000, draw=400, loop=400, fresh=200),
    gpu=dict(rounds=500, lr=2e-3, line=4500, games=16, images=4000, draw=4000, loop=400, fresh=200),
)
goals = choose_budget(
    PROFILE,
    smoke=dict(table=0.0195, arrival=900, frozen=0.8, unfrozen=None, d_fake=0.0135),
    cpu=dict(table=0.0045, arrival=4500, frozen=0.65, unfrozen=3.0, d_fake=0.01),
    gpu=dict(table=None, arrival=None, frozen=None, unfrozen=None, d_fake=None),  # not measured yet
)
rng = seed_everything(SEED)
print(f"profile {budget.profile}")

# %% [markdown]
# ## A judge can only compare two frequencies
#
# Real points are drawn from a density $p$, fakes from a density $q$. Both arrive equally often, unmarked. A **discriminator** $D$ looks at one point $x$
# and says a number between 0 and 1: its probability that the point is real. We also call it the judge.
#
# Put yourself in its place. Somewhere on the line both densities are 0.2. What would you say? Where $p$ is three times $q$?
# You cannot see the origin of a single point. All that you can know is how often each source lands here.

# %% [markdown]
# Now the same as a formula. The discriminator wants to say large numbers on data and small ones on fakes, and it is paid in logarithms:
#
# $$V(D, G) = \mathbb E_{x \sim p}\left[\log D(x)\right] + \mathbb E_{x \sim q}\left[\log(1 - D(x))\right]$$
# <!-- definition -->
#
# $\mathbb E_{x \sim p}$ is the mean over points drawn from $p$. The discriminator raises $V$. The **generator** $G$, which makes the fakes and so decides $q$, wants to lower it. Both means are integrals
# over $x$, so each point $x$ brings its own small sum $p \log D + q \log(1 - D)$, and $D$ may choose a number for each point separately.
#
# The derivative of this sum with respect to $D$ is $\frac{p}{D} - \frac{q}{1 - D}$. It is zero where $p(1 - D) = qD$. The second derivative, $-\frac{p}{D^2} - \frac{q}{(1 - D)^2}$, is negative, so this is the maximum:
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}$$
# <!-- proof: gan.optimal_discriminator -->
#
# Where $p$ and $q$ are equal this is one half, and where $p$ is three times $q$ it is three quarters. Where neither source lands, any answer is as good as another.
# The badge below has one letter more: if a share $\pi$ of all points is real, $p$ counts $\pi$ and $q$ counts $1 - \pi$. Here $\pi = \tfrac12$.

# %%
proof("gan.optimal_discriminator")

# %% [markdown]
# Move the fakes over the data and watch the judge. Where will the curve of $D^*$ cross one half? What becomes of it when the two laws agree?

# %%
line = torch.linspace(-2, 8, 301)


def normal_density(mean: float, spread: float) -> Tensor:
    return torch.exp(-0.5 * ((line - mean) / spread) ** 2) / (spread * math.sqrt(2 * math.pi))


def judge(mean: float = 1.5, spread: float = 1.0) -> viz.Figure:
    p, q = normal_density(4.0, 0.5), normal_density(mean, spread)
    curves = {"data p": p, "fakes q": q, "best judge D*": optimal_discriminator(p, q)}
    return viz.lines(
        line, curves, xlabel="x", ylabel="density, or D", ylim=(0, 1.05), reference={"1/2": 0.5}
    )


viz.explore(judge, mean=(0.0, 6.0, 0.1, 1.5), spread=(0.4, 2.0, 0.1, 1.0))

# %% [markdown]
# The curve crosses one half where the densities cross. It can do so twice: far to the right both densities are tiny, but the wider law has more there, so the judge says "fake" again.
# When the laws agree it is one half everywhere: the best judge shrugs. So "$D$ near 1 on data, near 0 on fakes" is no goal of training. It describes a bad generator.

# %% [markdown]
# ### From the errata: what a discriminator is, and is not
#
# <!-- errata: F08 M04 M05 M06 M07 M19 M20 M24 -->
# The two articles that this course corrects say, in one place or another, that $D$ compares features of its input images, that its loss is the difference between an image and its reconstruction, that the generator's loss is the difference between
# generated and real images, or that $D$ raises the probability of fakes being called real. None of that is so. $D$ sees one image and returns one number, and it *lowers* that probability. There is no reconstruction in a GAN, and the generator never sees a real image: it learns only through $D$.
# One article gives the GAN an encoder. It has none; BiGAN and ALI, two later models, add one. The formula "$D(x) = P(D(x) = 1 \mid x)$" defines $D$ by itself; the right one is $D(x) = P(\text{real} \mid x)$, when half of what it sees is real. The losses are means over draws,
# which a printed formula must say. And with $G(z)$ for a fake, the state "$D(x)$ near 1, $D(G(z))$ near 0" belongs to a bad generator, not to the goal: there $D = \tfrac12$.

# %% [markdown]
# ## The judge's best score measures how far two laws are apart
#
# Insert $D^*$ into $V$. With the average law $m = (p + q)/2$ we have $D^* = \frac{p}{2m}$ and $1 - D^* = \frac{q}{2m}$, so
#
# $$V(D^*, G) = \mathbb E_p\!\left[\log \frac{p}{2m}\right] + \mathbb E_q\!\left[\log \frac{q}{2m}\right]
# = -2 \log 2 + \underbrace{\mathrm{KL}(p \Vert m) + \mathrm{KL}(q \Vert m)}_{2\,\mathrm{JSD}(p \Vert q)}$$
# <!-- proof: gan.value_is_jsd -->
#
# Each $-\log 2$ comes from the 2 below the line. $\mathrm{KL}(p \Vert m)$, the **KL divergence**, is the mean under $p$ of $\log(p/m)$; it is never negative, and zero only where the laws agree. Half of the last two terms together is called the
# **Jensen-Shannon divergence**, $\mathrm{JSD}(p \Vert q)$. So the best score is $-\log 4 + 2\,\mathrm{JSD}$.
# It is least where $p = q$, and there $V = -\log 4$, which is $-1.386$ **nats**, the unit that belongs to natural logarithms. It is largest, zero, where the laws do not meet.

# %%
proof("gan.value_is_jsd")

# %% [markdown]
# That gives a measuring device. No discriminator can do better than $D^*$. So any one that you have trained has found at most the divergence, and its loss says how much:
#
# $$\log 2 + \tfrac12\,\mathbb E_p[\log D] + \tfrac12\,\mathbb E_q[\log(1 - D)] \le \mathrm{JSD}(p \Vert q)$$
# <!-- proof: gan.divergence_from_logits -->
#
# The means are over the laws themselves. On the very points that it was trained on, a judge can seem to find more.
#
# Write it from **logits**: the network returns $a$, any real number, and $D = \sigma(a) = 1/(1 + e^{-a})$. A network that is sure may return a logit of a hundred, and $\log(1 - \sigma(100))$ is
# minus infinity in `float32`. The function `softplus` is $\log(1 + e^a)$ and has no such trouble. What is $-\log \sigma(a)$ as a `softplus`?


# %%
@exercise("gan.divergence_from_logits")
def divergence_from_logits(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Jensen-Shannon divergence in nats that these logits have found; the batch sizes may differ."""
    ### BEGIN SOLUTION
    real, fake = F.softplus(-real_logits).mean(), F.softplus(fake_logits).mean()
    return math.log(2) - 0.5 * (real + fake)
    ### END SOLUTION


# %% [markdown]
# Stuck? `hint("gan.divergence_from_logits")` gives one more hint at each call. The last one is the solution.

# %%
proof("gan.divergence_from_logits")

# %% [markdown]
# ## On eight points everything can be computed
#
# Let pictures be eight points. The data have fixed probabilities $p$. The generator is a table of eight numbers, and a softmax makes them into probabilities $q$: each is the exponential of its number, divided by the sum of all eight exponentials.
# The discriminator is a table of eight logits. First the generator rests and the judge learns. Where will its eight answers and its score end?

# %%
p = torch.tensor([0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.2], dtype=torch.float64)
start = torch.tensor([0.5, 0.42, 0.03, 0.01, 0.01, 0.01, 0.01, 0.01], dtype=torch.float64)
theta = start.log().requires_grad_()  # the generator
table = torch.zeros(8, dtype=torch.float64, requires_grad=True)  # the judge
opt_g = torch.optim.Adam([theta], lr=0.02, fused=True)
opt_d = torch.optim.Adam([table], lr=0.1, fused=True)


def judge_step(n: int) -> dict[str, Tensor]:
    q = theta.softmax(dim=0).detach()
    loss = (p * F.softplus(-table)).sum() + (q * F.softplus(table)).sum()
    opt_d.zero_grad()
    loss.backward()
    opt_d.step()
    return {"value": -loss.detach()}


history = fit(judge_step, itertools.repeat(()), steps=400, progress=False)

# %%
said, best = table.detach().sigmoid(), optimal_discriminator(p, start)
judge_gap = float((said - best).abs().max())
print("trained", [f"{value:.4f}" for value in said.tolist()])
print("theory ", [f"{value:.4f}" for value in best.tolist()])
print(f"largest difference {judge_gap:.1e}")
print(
    f"value {history['value'][-1]:.5f}, theory {2 * float(jensen_shannon(p, start)) - math.log(4):.5f}"
)

# %% [markdown]
# Nobody gave the judge the formula. It went downhill on its own loss and arrived at $p/(p + q)$, point by point. (The means are exact here; on pictures they would be averages over batches.)
#
# Now the generator moves as well: ten steps of the judge, one of the generator, again and again. The generator lowers the mean of $-\log D$ over its fakes, a choice that we explain below.
# If the theory holds, the value must fall to $-\log 4$ and $q$ must become $p$.


# %%
def round_of_the_game(n: int) -> dict[str, Tensor]:
    for _ in range(10):
        judge_step(n)
    q = theta.softmax(dim=0)
    loss = (q * F.softplus(-table.detach())).sum()  # the judge is frozen
    opt_g.zero_grad()
    loss.backward()
    opt_g.step()
    value = gan_value(p, q.detach(), table.detach().sigmoid())
    return {"value of the game": value, "distance of q from p": total_variation(p, q.detach())}


played = fit(round_of_the_game, itertools.repeat(()), steps=budget.rounds, progress=False)
viz.curves(
    played,
    names=["value of the game", "distance of q from p"],
    title="The value falls to -log 4",
    ylabel="nats; total variation",
    reference={"-log 4": -math.log(4), "0": 0.0},
    smooth=1,
)

# %%
table_distance = played["distance of q from p"][-1]
print("data     ", [f"{value:.3f}" for value in p.tolist()])
print("generator", [f"{value:.3f}" for value in theta.detach().softmax(dim=0).tolist()])
print(
    f"value {played['value of the game'][-1]:.4f}; the judge says {table.sigmoid().mean():.3f} on average"
)

# %% [markdown]
# The **total variation** is half the sum of the absolute differences of all probabilities. It falls almost to zero, the value almost to $-\log 4$, and the judge says nearly one half.

# %% [markdown]
# ## Six steps, in this order
#
# On pictures the means are taken over batches, and one round of training is this:
#
# 1. Draw a batch of real pictures $x$.
# 2. Draw noise $z$ and make fakes $G(z)$, cut off from the generator's gradient.
# 3. Compute the judge's loss, the mean of $-\log D(x)$ plus the mean of $-\log(1 - D(G(z)))$, and update **the judge only**.
# 4. Draw fresh noise and make new fakes, this time with the gradient.
# 5. Ask the judge, which has just moved, about them. No real picture is needed now.
# 6. Compute the generator's loss and update **the generator only**.
#
# In the picture a network that a step does not update is grey. Note the difference between two ways of leaving a network alone. **detach** cuts the way: no gradient gets from the judge to the generator. In the second step the judge stays as it is too, but the way through it is open, and the generator's gradient must take it.

# %%
viz.gan_diagram()

# %% [markdown]
# The whole of it fits on a screen. Find the six steps. Which line cuts the fakes off, and what decides who is updated?

# %%
show_source(program_a.discriminator_step)

# %%
show_source(program_a.generator_step)

# %% [markdown]
# ### From the errata: who learns when
#
# <!-- errata: M08 M09 CA15 -->
# The first article's diagram trains the generator first, then "trains" the judge while only the generator's parameters are updated. Its six steps for the generator use a batch of real images, which do not
# occur in the generator's loss. And its program uses one draw of noise for both steps. That is allowed, but the judge has just adapted to those very fakes:

# %%
print(clinic.fault("CA15"))

# %% [markdown]
# ## The zero-sum loss is silent when the generator needs it most
#
# In the theory above, the generator lowers $V$. Only the second term depends on it: $\log(1 - D(G(z)))$. What one player wins, the other loses; this is the **zero-sum** game, and the theorem above belongs to it.
#
# In practice the generator lowers $-\log D(G(z))$ instead. That is another loss and another game. Compare what they return for the logit $a$ of one fake:
#
# $$\frac{\partial}{\partial a} \log(1 - \sigma(a)) = -\sigma(a), \qquad \frac{\partial}{\partial a}\left[-\log \sigma(a)\right] = -(1 - \sigma(a))$$
# <!-- proof: gan.loss_gradients -->
#
# Here is one of them: $\log(1 - \sigma(a)) = -\log(1 + e^a)$, and the derivative of that is $-e^a/(1 + e^a) = -\sigma(a)$. Where the judge is sure of a fake, $\sigma(a)$ is near zero and so is the slope. One says that this loss
# **saturates**; the other one is called **non-saturating**. Derive its slope in the same way, then write both as functions of $D = \sigma(a)$.


# %%
@exercise("gan.generator_slopes")
def generator_slopes(d: Tensor) -> dict[str, Tensor]:
    """Slopes with respect to the logit where the judge says ``d``: "saturating" and "non_saturating"."""
    ### BEGIN SOLUTION
    return {"saturating": -d, "non_saturating": -(1 - d)}
    ### END SOLUTION


# %%
for d in (0.01, 0.5, 0.99):
    slopes = generator_slopes(torch.tensor(d))
    print(
        f"D = {d:4}: " + ", ".join(f"{name} {float(slope):+.2f}" for name, slope in slopes.items())
    )

# %%
proof("gan.loss_gradients")

# %% [markdown]
# At $D(G(z)) = 0.01$, which a judge soon says while the fakes are poor, the zero-sum loss returns a hundredth and the other 99 hundredths. The price: the second loss no longer descends the Jensen-Shannon divergence. At the best judge its gradient is that of
# $\mathrm{KL}(q \Vert p) - 2\,\mathrm{JSD}(p \Vert q)$, as the next badge says. There $\theta$ stands for the generator's parameters.

# %%
proof("gan.nonsaturating_is_not_zero_sum")

# %% [markdown]
# ## One function tells how hard a loss pulls
#
# Let the judge be perfect, and let $r = p/q$ be the ratio of the densities at some point, so that $D^* = r/(r + 1)$. The generator lowers $\mathbb E_q[\ell(D)]$, where $\ell$ is $\log(1 - D)$ or $-\log D$. Its gradient is that of a mean $\mathbb E_q[f(r)]$, for some function $f$.
#
# Let us find $f$. Change $q$ a little at one point and hold the judge fixed. For each unit of the change the loss changes by $\ell(D^*)$ there. The part $q f(p/q)$ of the mean changes by $f(r) - r f'(r)$. The changes of $q$ at all points add up to zero, so a constant makes no
# difference. Demand that both agree up to a constant, and differentiate with respect to $r$:
#
# $$-r\, f''(r) = \frac{d}{dr}\, \ell\!\left(\frac{r}{r + 1}\right) \quad\Rightarrow\quad
# f''(r) = \frac{1}{r(1 + r)} \text{ (zero-sum)}, \qquad f''(r) = \frac{1}{r^2(1 + r)} \text{ (non-saturating)}$$
# <!-- proof: gan.generator_curvature -->
#
# The left side says why $f''$ is the **pull**: a generator can gain only because $\ell$ falls as $r$ grows, and $r f''(r)$ is how steeply it falls.
# Where fakes are and data are not, $r$ is small. There the non-saturating loss pulls $1/r$ times harder. At $r = 1$, the end, both pulls are $\tfrac12$.

# %%
proof("gan.generator_curvature")

# %% [markdown]
# ### From the errata: which game is zero-sum
#
# <!-- errata: M01 -->
# The first article calls training a zero-sum game and prints $-\log D(G(z))$ for the generator. Both cannot hold. Zero-sum means that the generator's loss is minus the judge's, so the part that depends on the generator must be the mean of $\log(1 - D(G(z)))$. The
# printed loss is the non-saturating heuristic: another game, with other gradients.

# %% [markdown]
# ## No player minimises the sum of both losses
#
# Add both losses and call the sum "the total loss of the GAN". It is printed in the first article, and it looks like good book-keeping. Who should minimise it?
#
# - With zero-sum losses the generator's part cancels: the sum does not depend on the generator at all.
# - Take the non-saturating loss, and let the generator lower the sum against a fixed judge. At its fakes that is $-\log D - \log(1 - D)$, which is least at $D = \tfrac12$: the fakes are drawn to the border where the judge is undecided, not to the data.
# - With the same losses, let the judge lower the sum. It then pays where it calls a fake real, and pays again where it does not.

# %%
proof("gan.total_loss")

# %% [markdown]
# Take the last case. It is as if the judge saw, for each real image, one fake under the label "fake" and $c$ fakes under the label "real"; the total loss has $c = 1$. What does the best judge say? The steps are those for $D^*$: count the labels
# at one point. For a point that nothing reaches, return the share of the label "real" among all that is shown.


# %%
@exercise("gan.misled_discriminator")
def misled_discriminator(p: Tensor, q: Tensor, *, mislabelled: float) -> Tensor:
    """The best answer where ``mislabelled`` fakes are shown as real for each one shown as fake."""
    ### BEGIN SOLUTION
    called_real = p + mislabelled * q
    everything = called_real + q
    nothing = (1 + mislabelled) / (2 + mislabelled)
    return torch.where(everything > 0, called_real / everything, nothing)
    ### END SOLUTION


# %% [markdown]
# For the total loss this gives
#
# $$D^* = \frac{p + q}{p + 2q}, \qquad f''(r) = \frac{1}{r (r + 1)(r + 2)}$$
# <!-- proof: gan.unfrozen_discriminator -->
#
# where $f''$ belongs to the generator's loss $-\log D^*$ and follows from $D^* = \frac{r + 1}{r + 2}$ exactly as before. Read the answer at two places. Only fakes: one half, not zero. Equal laws: two thirds. And read the pull: at $r = 1$ it is $\tfrac16$, three times weaker than $\tfrac12$. As $r \to 0$ it is
# close to $\frac{1}{2r}$, half of the *saturating* one. The careful choice of the non-saturating loss has been undone.

# %%
r = torch.logspace(-2, 1, 100)
pulls = {
    "non-saturating": generator_curvature(r),
    "zero-sum": generator_curvature(r, saturating=True),
    "total loss": generator_curvature(r, mislabelled=1.0),
}
viz.lines(
    r,
    pulls,
    xlabel="ratio r = p/q",
    ylabel="pull f''(r)",
    xscale="log",
    yscale="log",
    title="The total loss pulls least, everywhere",
)

# %%
proof("gan.unfrozen_discriminator")

# %% [markdown]
# On the eight points we can race the three. Each judge is perfect in every step; the generators start alike and step alike. Will all of them arrive? And how much slower should the last one be, near the end?


# %%
def race(mislabelled: float, saturating: bool = False, steps: int = 700) -> list[float]:
    """Return the distance of the generator from the data after each step."""
    weights, distances = start.log(), []
    for _ in range(steps):
        weights.requires_grad_()
        q = weights.softmax(dim=0)
        d = misled_discriminator(p, q.detach(), mislabelled=mislabelled)
        cost = torch.log(1 - d) if saturating else -torch.log(d)
        (slope,) = torch.autograd.grad(q @ cost, weights)
        weights = (weights - 3 * slope).detach()
        distances.append(float(total_variation(p, weights.softmax(dim=0))))
    return distances


runs = {
    "non-saturating": race(0.0),
    "zero-sum": race(0.0, saturating=True),
    "total loss": race(1.0),
}
viz.lines(
    range(700),
    runs,
    xlabel="step",
    ylabel="distance of q from p",
    yscale="log",
    title="The total loss comes last",
)

# %%
decay = {name: math.log(run[500] / run[690]) for name, run in runs.items()}
weaker = decay["zero-sum"] / decay["total loss"]
print(f"near the data, the total loss pulls {weaker:.2f} times more weakly (theory: 3)")

# %% [markdown]
# All three arrive, for $q = p$ is still the one optimum. On this axis the last part of each run is nearly straight, and its slope follows the pull at $r = 1$: the first two fall side by side, the third falls three times more slowly.
# So theory does not say that the total loss ends elsewhere. It says that it is slow, and that holds for a judge that is perfect in every step.

# %% [markdown]
# ### From the errata: a loss that nobody has
#
# <!-- errata: M02 M03 -->
# The first article sums both losses to a "total loss" and says that the generator uses it. Its code does not: the generator's step uses the generator's loss alone. But by a slip in the same code
# the *judge* is trained on both losses, and so on exactly this sum. The clinic will come to that slip.

# %% [markdown]
# ## The clinic opens: a first program that stops three times
#
# Program A is the first article's, written anew in PyTorch with the same faults. Faults CA1 to CA15 are its own; CB1 to CB14 belong to the second program. Each has a symptom that you can run. Read the message, name the cause, then look at the repair.

# %%
for id in ("CA1", "CA2", "CA4"):
    print(id, "|", clinic.fault(id).examine())

# %% [markdown]
# Think before you go on. A name is missing in the first. In the second, $25088 = 14 \cdot 14 \cdot 128$ and $6272 = 7 \cdot 7 \cdot 128$. The judge halves the side twice: what side had the picture? In the third, a format for one number met two.
#
# Errors like these are kind. They name a place and stop the run. Below, "original" tells what was seen when the article's own program was run or read, and "symptom" what our copy shows.

# %%
for id in ("CA1", "CA2", "CA4"):
    print(clinic.fault(id), end="\n\n")

# %% [markdown]
# ## A step moves whoever its optimiser holds
#
# With these three mended, program A runs. Does it do what it should? The sharpest question that one can ask a training step is: **who moved, and how far?** Write the instrument.
# It gets a step, to be run once, and networks by name; it returns the length of the change of each network's parameters.


# %%
@exercise("clinic.moves")
def moves(step: Callable[[], Any], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Run ``step`` once; return the length of the change of all parameters of each network."""
    ### BEGIN SOLUTION

    def parameters(network: nn.Module) -> Tensor:
        return torch.cat([p.detach().flatten() for p in network.parameters()])  # a copy

    before = {name: parameters(network) for name, network in networks.items()}
    step()
    return {name: (parameters(net) - before[name]).norm() for name, net in networks.items()}
    ### END SOLUTION


# %% [markdown]
# Put it to program A's generator step. In the article the generator and the judge were joined into one model, and that model was trained. Predict: is either of the two numbers zero?

# %%
generator = program_a.GeneratorA()
discriminator = program_a.DiscriminatorA(norm=True)
joined = program_a.adam([*generator.parameters(), *discriminator.parameters()])
networks = {"generator": generator, "discriminator": discriminator}
z = torch.randn(32, program_a.LATENT)
moves(lambda: program_a.generator_step(generator, discriminator, joined, z), networks)

# %% [markdown]
# The judge moves in the generator's step, and it moves towards calling fakes real. So over a round it is trained on both losses: the total loss. This is fault CA3. The repair is one argument: an optimiser that holds the generator only.

# %%
own = program_a.adam(generator.parameters())
moves(lambda: program_a.generator_step(generator, discriminator, own, z), networks)

# %% [markdown]
# Now the judge's number is exactly zero. Note the other way to get it wrong: detach the fakes in the *generator's* step, and the generator never learns. The place to cut them off, with `detach` or `no_grad`, is the judge's step.

# %% [markdown]
# ## One wrong optimiser, measured on a line
#
# Is that slip harmful? Theory promised a slow game, but for a perfect judge. Here the judge is a small network and takes one step a round. The data are $N(4, 0.5^2)$ on a line, the generator is $x = a z + b$ with $a = 1$ and $b = 0$ at the start, and $z$ is standard normal noise. We play several games side by side, once with the judge
# frozen in the generator's step, once as in the article. We watch the distance from the data, the root of the squared errors of mean and spread, added; for two Gaussians it is the Wasserstein distance of order two. It begins at 4.03.

# %%
settings = dict(games=budget.games, lr=budget.lr)
lines_of_play, arrivals = {}, torch.full((budget.games,), math.inf)
frozen_game, unfrozen_game = (
    clinic.LineGame(frozen=frozen, rng=torch.Generator().manual_seed(SEED), **settings)
    for frozen in (True, False)
)


def frozen_step(n: int) -> dict[str, Tensor]:
    told = frozen_game.step(n)
    near = (frozen_game.b.detach()[:, 0] - 4).abs() < 0.2
    arrivals.copy_(torch.where(near, arrivals.clamp_max(n), arrivals))
    return told


lines_of_play["frozen"] = fit(frozen_step, itertools.repeat(()), steps=budget.line)
lines_of_play["unfrozen"] = fit(unfrozen_game.step, itertools.repeat(()), steps=budget.line)

# %%
viz.lines(
    lines_of_play["frozen"]["step"],
    {name: play["distance"] for name, play in lines_of_play.items()},
    xlabel="iteration",
    ylabel="distance from the data (median)",
    reference={"0": 0.0},
    title="Only a frozen judge leads home",
)

# %%
arrival = float(arrivals.median())
distance = {"frozen": frozen_game.distance(), "unfrozen": unfrozen_game.distance()}
print(
    f"frozen: |b - 4| < 0.2 first at iteration {arrival:.0f} (median), {arrivals.max():.0f} (last)"
)
for name, far in distance.items():
    print(f"{name}: distance from the data {far.median():.2f} (median), {far.max():.2f} (largest)")
centre, spread = unfrozen_game.b.detach(), unfrozen_game.a.detach().abs()
print(f"unfrozen: mean {centre.median():.2f} (data 4), spread {spread.median():.2f} (data 0.5)")

# %% [markdown]
# With a frozen judge the games come home. Unfrozen, they first come a little nearer and then drift away, and the last line says how: their middle has moved towards the data, but their spread has grown to many times 0.5. (In four seeds of the `cpu` profile the median mean was 3.6 to 4.2 and the median spread 6.0 to 7.0.) Theory promised a slow arrival with a perfect judge; it did not foretell this. What does this judge believe?
# A perfect one would say at least one half everywhere, and nearly one where the data are and the fakes are rare.

# %%
points = torch.linspace(-2, 8, 200)
with torch.no_grad():
    views = {
        name: game.discriminate(points.expand(budget.games, -1)).sigmoid().median(dim=0).values
        for name, game in (("frozen", frozen_game), ("unfrozen", unfrozen_game))
    }
near_data = normal_density(4.0, 0.5)
views["density of the data"] = F.interpolate(near_data[None, None], 200, mode="linear")[0, 0]
viz.lines(
    points,
    views,
    xlabel="x",
    ylabel="D (median over the games), density",
    title="What the two judges say along the line",
    ylim=(0, 1),
    reference={"1/2": 0.5, "2/3": 2 / 3},
)

# %% [markdown]
# The judge that was frozen in the generator's step is near one half where the data are. The other one says more than one half around the data, and also far from them, where no data ever land: it was shown fakes under both labels, so nothing there speaks against them.
# It is not perfect either: a perfect judge of this game never says less than one half. It says more at both ends than near $x = 0$, where the fakes begin, and so it draws them outwards.

# %% [markdown]
# ### From the errata: frozen, but when?
#
# <!-- errata: CA1 CA2 CA3 CA4 CA5 -->
# As printed, the first article's program uses a name that it does not import, makes pictures of 56 pixels for a judge of 28, prints two numbers with the format of one, and trains the judge in the generator's step.
# The textbook repair of the last fault is to freeze the judge before the joined model is compiled. In Keras 2 that works. In Keras 3 the switch is read later, the judge is then frozen for ever, and no message says so. In PyTorch the
# same happens to a network whose `requires_grad` is switched off once, as long as the fakes are not detached; if they are, `backward` finds nothing to do and says so. Two optimisers make the switch unnecessary.

# %%
print(clinic.fault("CA5"))

# %% [markdown]
# ## Nine more faults that stop nothing
#
# The other faults of program A raise no error. For each line below: what does the number tell you, and what number would you have expected?

# %%
for id in ("CA6", "CA7", "CA8", "CA9", "CA10", "CA11", "CA12", "CA13", "CA14"):
    print(id, "|", clinic.fault(id).title, "|", clinic.fault(id).examine())

# %% [markdown]
# Three deserve a second look. In CA6 the judge sees fakes with about a tenth of the contrast of those that are trained. In CA7 a chain of convolutions adds up like one linear map and a constant: the **superposition error** $f(u) + f(v) - f(u + v) - f(0)$ is zero, up to rounding.
# In CA9 an epoch seems to have been taken for an iteration, and the run would need half a year.

# %%
for id in ("CA6", "CA7", "CA9"):
    print(clinic.fault(id), end="\n\n")

# %%
for id in ("CA8", "CA10", "CA11", "CA12", "CA13", "CA14"):
    print(clinic.fault(id), end="\n\n")

# %% [markdown]
# ### From the errata: nine faults that no error shows
#
# <!-- errata: CA6 CA7 CA8 CA9 CA10 CA11 CA12 CA13 CA14 -->
# With its errors mended, the first article's program draws with an untrained network, for the training function is never called. Had it been called, it would have shown the judge other fakes than those it trained, made by three layers that amount to one, and
# run for half a year. Its judge would have seen real and generated pictures in batches of their own, and perhaps in ranges of their own. The listing also departs from the habits of DCGAN (see further reading), its text counts dense layers that the code does not have, and its question about the GPU is out of date.

# %% [markdown]
# ## Program A, repaired, draws
#
# The order of layers and the length of the noise are the article's; the layers are narrower and the faults are gone. A few hundred rounds are enough for strokes to appear. Do not expect good digits yet.

# %%
torch.manual_seed(SEED)
drawings = data.load("glyphs", size=28, count=budget.images)
batches = data.Batches(drawings, 64, rng=rng)
generator = program_a.GeneratorA(width=16, momentum=0.1)
discriminator = program_a.DiscriminatorA(width=16)
opt_g = program_a.adam(generator.parameters(), lr=2e-3)
opt_d = program_a.adam(discriminator.parameters(), lr=2e-3)


def round_a(n: int, x: Tensor, *_: Tensor) -> dict[str, Tensor]:
    first, second = torch.randn(2, len(x), program_a.LATENT)
    d_loss = program_a.discriminator_step(generator, discriminator, opt_d, x, first)
    g_loss = program_a.generator_step(generator, discriminator, opt_g, second)
    return {"d_loss": d_loss, "g_loss": g_loss}


history_a = fit(round_a, batches, steps=budget.draw)

# %%
with torch.no_grad():
    samples = generator(torch.randn(30, program_a.LATENT))
viz.image_grid(samples, columns=15, title="Program A after its repair")

# %%
viz.curves(
    history_a,
    names=["d_loss", "g_loss"],
    reference={"log 4": math.log(4), "log 2": math.log(2)},
    title="The losses do not fall to zero",
)

# %% [markdown]
# Losses of a GAN do not fall to zero, and they should not: at the equilibrium they are $\log 4 = 1.386$ for the judge and $\log 2 = 0.693$ for the generator. But a judge that has learnt nothing gives these values too: look at the very first steps. A loss curve alone cannot tell you whether a GAN works.

# %% [markdown]
# ## The second program: four errors, then silence
#
# Program B is the second article's. It stops four times before it runs: a number where a shape is expected, two flattenings, two sizes in one batch. A fifth fault does not stop it: there are no activations. Which line below belongs to which?

# %%
for id in ("CB1", "CB2", "CB3", "CB4", "CB5"):
    print(id, "|", clinic.fault(id).examine())

# %%
for id in ("CB1", "CB2", "CB3", "CB4", "CB5"):
    print(clinic.fault(id), end="\n\n")

# %% [markdown]
# Repaired so far, it runs to its end and prints "50/50 epochs done". Here is one round of it. Read it slowly. Where does the generator learn?

# %%
show_source(program_b.broken_round)

# %% [markdown]
# ## A program can run without an error and never train its generator
#
# The second half of the round is meant for the generator: fakes, called real, and a step. But the step is the judge's, with the judge's optimiser. Nothing moves the generator. And the judge? In the first half it sees one batch of both kinds, with one mean over all, so
# each kind counts one half. In the second half fakes count one whole, under the label "real". In the long run it minimises both halves together. Count the labels at one point:
#
# $$D^*(x) = \frac{\tfrac12 p + q}{\tfrac12 p + \tfrac12 q + q} = \frac{p + 2q}{p + 3q}$$
# <!-- proof: gan.stuck_generator -->
#
# Before you run it, forecast what it reports in the long run: the means of $D$ over data and over fakes, the "generator's loss" (the mean of $-\log D$ over fakes), and the change of the generator.


# %%
@exercise("clinic.forecast")
def forecast(p: Tensor, q: Tensor) -> dict[str, Tensor]:
    """For laws ``(K,)``: the scalars "d_real", "d_fake", "g_loss" (nats) and "change_of_g"."""
    ### BEGIN SOLUTION
    d = misled_discriminator(p, q, mislabelled=2.0)
    return {
        "d_real": (p * d).sum(),
        "d_fake": (q * d).sum(),
        "g_loss": -(q * d.log()).sum(),
        "change_of_g": p.new_zeros(()),
    }
    ### END SOLUTION


# %%
proof("gan.stuck_generator")

# %% [markdown]
# Noise from an untrained generator does not look like drawings of digits. So put $p$ and $q$ on different points. Then let the program run and compare:

# %%
expected = forecast(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
print({name: round(float(value), 4) for name, value in expected.items()})

# %%
torch.manual_seed(SEED)
grey = program_b.GeneratorB(active=False)  # the article's: no activations
misled = program_b.DiscriminatorB()
opt_misled = program_a.adam(misled.parameters(), beta=0.9)
untouched = [parameter.detach().clone() for parameter in grey.parameters()]


def round_b(n: int, x: Tensor, *_: Tensor) -> dict[str, Tensor]:
    return program_b.broken_round(grey, misled, opt_misled, x[:32])


history_b = fit(round_b, batches, steps=budget.loop)

# %%
viz.curves(
    history_b,
    names=["d_real", "d_fake", "g_loss"],
    ylabel="D; nats",
    reference={"2/3": 2 / 3, "log 1.5": math.log(1.5)},
    title="The broken program ends where theory says",
)

# %%
late = slice(-max(budget.loop // 4, 20), None)
d_fake, d_real, g_loss = (
    float(torch.tensor(history_b[name][late]).mean()) for name in ("d_fake", "d_real", "g_loss")
)
change_of_g = max(
    float((new.detach() - old).abs().max())
    for new, old in zip(grey.parameters(), untouched, strict=True)
)
print(f"D(real) {d_real:.4f}, D(fake) {d_fake:.4f}, g_loss {g_loss:.4f}, change of G {change_of_g}")

# %% [markdown]
# The "generator's loss" is small and steady, which looks like success. The forecast comes close to all of it; in eight seeds $D$ on fakes ended within 0.003 of two thirds. And the change of the generator is not small. It is zero.

# %%
with torch.no_grad():
    mush = grey(torch.randn(15, program_a.LATENT))
viz.image_grid(mush, columns=15, title="What program B shows, before its training and after")

# %% [markdown]
# ### From the errata: a log that says that time passes
#
# <!-- errata: CB1 CB2 CB3 CB4 CB5 CB6 CB7 CB8 CB9 -->
# The second article's listing takes a number for a shape, flattens twice where a grid is needed, joins pictures of two sizes and has no activation between its convolutions. With that mended, its text still says that both networks are trained and that the pictures are blurry and improve.
# But its generator keeps the weights with which it began. The joined model that could have trained it is compiled twice and never used. And the log counts epochs, so that a right program would have printed the very same lines.

# %%
for id in ("CB6", "CB7", "CB8", "CB9"):
    print(id, "|", clinic.fault(id).title, "|", clinic.fault(id).cause)

# %%
for id in ("CB7", "CB8", "CB9"):
    print(clinic.fault(id), end="\n\n")

# %% [markdown]
# So log what can be wrong: $D$ on data, $D$ on fakes, and how far each network moved in each step. The moves would have given both programs away in their first round.

# %% [markdown]
# ## An accuracy of one half has three meanings
#
# The only number of quality in either article's code is the judge's **accuracy**, the share of pictures that it calls by their right name. Program B's judge calls all data real, and all fakes too, for it says 2/3 of them. Its accuracy is one half. In a perfect game it is one half as well. And a judge that has stopped
# learning may guess, too.
#
# What decides? A **fresh** judge, honestly trained on the present fakes and tested on pictures that it has not seen. If it cannot tell either, the fakes are as good as a judge of this size and training can see.


# %%
def fresh_accuracy(generator: nn.Module, steps: int) -> float:
    """Train a new judge on fakes of this generator; return its accuracy on unseen pictures."""
    fresh = program_b.DiscriminatorB()
    optimizer = program_a.adam(fresh.parameters())
    for _ in range(steps):
        x = next(batches)[0]
        program_a.discriminator_step(generator, fresh, optimizer, x, torch.randn(len(x), 100))
    unseen = data.to_model_range(data.load("glyphs", size=28, split="validation", count=300).images)
    return accuracy(fresh, unseen, generator)


@torch.no_grad()
def accuracy(judge: nn.Module, x: Tensor, generator: nn.Module) -> float:
    fakes = generator(torch.randn(len(x), program_a.LATENT))
    return float(((judge(x) > 0).float().mean() + (judge(fakes) <= 0).float().mean()) / 2)


# %% [markdown]
# Write the decision. For each run: 0 if the accuracy is not one half (within the tolerance), else 1 if the fresh judge is near one half as well: success. Else 2 if the judge does not move, a dead one,
# and 3 if it moves, a misled one.


# %%
@exercise("clinic.read_accuracy")
def read_accuracy(
    accuracy: Tensor, d_moves: Tensor, fresh_accuracy: Tensor, *, tolerance: float = 0.05
) -> Tensor:
    """Verdicts 0, 1, 2 or 3 for runs ``(N,)``, in the dtype of ``accuracy``."""
    ### BEGIN SOLUTION
    half = (accuracy - 0.5).abs() <= tolerance
    alike = (fresh_accuracy - 0.5).abs() <= tolerance
    failed = torch.where(d_moves == 0, 2, 3)
    return torch.where(half, torch.where(alike, 1, failed), 0).to(accuracy.dtype)
    ### END SOLUTION


# %%
x = data.to_model_range(drawings.images[:300])
accuracy_b, fresh_b = accuracy(misled, x, grey), fresh_accuracy(grey, budget.fresh)
moved_b = moves(lambda: round_b(0, x), {"judge": misled})["judge"]
verdict_b = read_accuracy(torch.tensor([accuracy_b]), moved_b[None], torch.tensor([fresh_b]))
meaning = ("not one half", "success", "a dead judge", "a misled judge")[int(verdict_b)]
print(
    f"program B: accuracy {accuracy_b:.2f}, judge moves {float(moved_b):.4f}, fresh judge {fresh_b:.2f}"
)
print(f"reading: {meaning}")

# %% [markdown]
# Three numbers and one rule decide it. Here the fresh judge is right nearly always: there is much to learn, and the old judge is kept from it by its labels.

# %% [markdown]
# ## Program B, repaired, moves its generator
#
# In the loop one thing changes: the gradient of the second half reaches the generator, and the step is that of the generator's optimiser. The generator also has its normalisation and activations (CB5), and Adam's first decay is 0.5. Expect both networks to move in one round.

# %%
torch.manual_seed(SEED)
moving, honest = program_b.GeneratorB(), program_b.DiscriminatorB()
opt_moving = program_a.adam(moving.parameters(), beta=0.5)
opt_honest = program_a.adam(honest.parameters(), beta=0.5)


def repaired(n: int, x: Tensor, *_: Tensor) -> dict[str, Tensor]:
    return program_b.repaired_round(moving, honest, opt_moving, opt_honest, x[:32])


moved = moves(lambda: repaired(0, x), {"generator": moving, "judge": honest})
fit(repaired, batches, steps=budget.fresh, progress=False)
print({name: round(float(value), 3) for name, value in moved.items()})
viz.image_grid(
    moving(torch.randn(15, 100)).detach(), columns=15, title="Program B after its repair"
)

# %% [markdown]
# It is no beauty: a judge of two dense layers is weak, and the run is short. But its generator moves, and ink begins to gather in the middle of the picture. Compare the row with the one above.

# %% [markdown]
# ## Some faults live outside the program
#
# The last five concern installation, data and memory. The originals happened in a package manager, on a server and on a disk; what runs here is the nearest small thing that fails in the same way, and the entries say what stands for what.

# %%
for id in ("CB10", "CB11", "CB12", "CB13", "CB14"):
    print(clinic.fault(id), end="\n\n")

# %% [markdown]
# ### From the errata: instructions that do not run as printed
#
# <!-- errata: CB10 CB11 CB12 CB13 CB14 -->
# The second article asks for an old library without a bound on what that library needs, and today the installation dies at its first import. It fetches one file and installs another, which does not exist. Its switch of the system's Python changes nothing where it is meant, and breaks tools elsewhere. Its data need a network and
# take eight bytes a pixel. Run your own instructions on a fresh machine before you publish them, and again later.

# %% [markdown]
# ## An honest run stays within measured bounds
#
# The bounds were calibrated over eight seeds, so an honest run should very rarely miss them by bad luck.

# %%
report(
    judge_gap=Goal(judge_gap, at_most=0.001),
    table_distance=Goal(table_distance, at_most=goals.table),
    weaker_pull=Goal(weaker, at_least=2.8, at_most=3.3),
    arrival=Goal(arrival, at_most=goals.arrival, unit="iterations"),
    frozen_distance=Goal(float(distance["frozen"].median()), at_most=goals.frozen),
    unfrozen_distance=Goal(float(distance["unfrozen"].median()), at_least=goals.unfrozen),
    d_fake_error=Goal(abs(d_fake - 2 / 3), at_most=goals.d_fake),
    change_of_g=Goal(change_of_g, at_most=0.0),
    fresh_judge=Goal(fresh_b, at_least=0.9),
)

# %%
progress("09")

# %% [markdown]
# ## What to keep
#
# - The best judge says $p/(p + q)$; its score is $-\log 4 + 2\,\mathrm{JSD}$; at the end it says one half.
# - Zero-sum and non-saturating are two games with one goal. They pull alike at the end and very differently where fakes are poor.
# - In an honest game nobody minimises the total loss. A perfect judge that does says 2/3 at the end, and near the end the generator is pulled three times more weakly.
# - An error message is a kind fault. The costly ones are silent: ask **who moved, and how far**, and log it.
#
# **Try next.** Freeze program A's judge for ever and read its accuracy. Give `LineGame` a learning rate ten times larger. Take a training script of your own and put `moves` around each of its steps.

# %% [markdown]
# ## Further reading
#
# - I. Goodfellow and seven others, *Generative Adversarial Nets*, NeurIPS 2014, [arXiv:1406.2661](https://arxiv.org/abs/1406.2661). Proposition 1, theorem 1, algorithm 1; section 3 has both generator losses.
# - M. Arjovsky and L. Bottou, *Towards Principled Methods for Training Generative Adversarial Networks*, ICLR 2017, [arXiv:1701.04862](https://arxiv.org/abs/1701.04862). What the non-saturating loss descends.
# - S. Nowozin, B. Cseke and R. Tomioka, *f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization*, NeurIPS 2016, [arXiv:1606.00709](https://arxiv.org/abs/1606.00709). Divergences of the form $\mathbb E_q[f(p/q)]$.
# - A. Radford, L. Metz and S. Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks*, ICLR 2016, [arXiv:1511.06434](https://arxiv.org/abs/1511.06434). The habits that program A lacks.
# - D. Lopez-Paz and M. Oquab, *Revisiting Classifier Two-Sample Tests*, ICLR 2017, [arXiv:1610.06545](https://arxiv.org/abs/1610.06545). The fresh judge.
# - L. Mescheder, A. Geiger and S. Nowozin, *Which Training Methods for GANs do actually Converge?*, ICML 2018, [arXiv:1801.04406](https://arxiv.org/abs/1801.04406). What happens when the judge is not perfect.
