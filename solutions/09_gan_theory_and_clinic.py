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
# neither does. One stops with an error in its first line of modelling. The other runs to its end, prints that all is done, and has
# trained nothing. Which of the two would you rather have?
#
# To cure them we first need to know what a healthy game looks like. That is the theory, and it is short.

# %% [markdown]
# **What you will do.** Derive what a perfect judge says and what its verdict measures. Train a game on eight points where
# everything can be computed. Then open the clinic: 29 faults, each with a symptom that you run, a cause that you name, and a repair that you watch.
#
# **What you need.** Gradients in PyTorch, logarithms, and what a probability density is. Every symbol is explained where it first appears.

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 35 s |
# | `cpu` | a laptop; measured on two busy cores | 45 s |
# | `gpu` | a GPU | not measured yet |
#
# **What you will reach** (`cpu`): the repaired game on a line finds its data before iteration 4500, and the broken program's
# judge ends at two thirds, where theory puts it, while its generator moves by exactly zero.

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
from genimg_course.losses import discriminator_loss, generator_loss
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
# ## A judge can only compare how often
#
# Real points are drawn from a density $p$, fakes from a density $q$. Both arrive equally often, unmarked. A **discriminator** $D$ looks at one point $x$
# and says a number between 0 and 1: its probability that the point is real.
#
# Put yourself in its place. Somewhere on the line both densities are 0.2. What would you say? Where $p$ is three times $q$?
# You cannot see the origin of a single point. All that you can know is how often each source lands here.

# %% [markdown]
# Now the same as a formula. The discriminator wants to say large numbers on data and small ones on fakes, and it is paid in logarithms:
#
# $$V(D, G) = \mathbb E_{x \sim p}\left[\log D(x)\right] + \mathbb E_{x \sim q}\left[\log(1 - D(x))\right]$$
# <!-- definition -->
#
# $\mathbb E_{x \sim p}$ is the mean over points drawn from $p$. It raises $V$; the generator, which makes $q$, wants to lower it. Both means are integrals
# over $x$, so each point $x$ brings its own small sum $p \log D + q \log(1 - D)$, and $D$ may choose a number for each point separately.
#
# The derivative with respect to $D$ is $\frac{p}{D} - \frac{q}{1 - D}$. It is zero where $p(1 - D) = qD$, and the second derivative is negative, so this is the maximum:
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}$$
# <!-- proof: gan.optimal_discriminator -->

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
# The curve crosses one half where the densities cross. When the laws agree it is one half everywhere: the best judge shrugs.
# So "$D$ near 1 on data, near 0 on fakes" is no goal of training. It describes a bad generator.

# %% [markdown]
# ### From the errata: what a discriminator is, and is not
#
# <!-- errata: F08 M04 M05 M06 M07 M19 M20 M24 -->
# The two articles that this course corrects say that $D$ compares two images, that its loss is the difference between an image and its reconstruction, or that it raises the probability of fakes being
# called real. None of that is so. $D$ sees one image and returns one number. There is no reconstruction in a GAN, and no generated image is ever compared with a real one.
# And a GAN has no encoder; BiGAN and ALI add one. The formula "$D(x) = P(D(x) = 1 \mid x)$" defines $D$ by itself; the right one is $D(x) = P(\text{real} \mid x)$ when half of what it sees is real. The losses are means over draws,
# which a printed formula must say. And the state "$D(x)$ near 1, $D(G(z))$ near 0" is the beginning, not the end: at the end $D = \tfrac12$.

# %% [markdown]
# ## The judge's best score is a distance between two laws
#
# Insert $D^*$ into $V$. With the average law $m = (p + q)/2$ we have $D^* = \frac{p}{2m}$ and $1 - D^* = \frac{q}{2m}$, so
#
# $$V(D^*, G) = \mathbb E_p\!\left[\log \frac{p}{2m}\right] + \mathbb E_q\!\left[\log \frac{q}{2m}\right]
# = -2 \log 2 + \mathrm{KL}(p \Vert m) + \mathrm{KL}(q \Vert m)$$
# <!-- proof: gan.value_is_jsd -->
#
# Each $-\log 2$ comes from the 2 below the line. $\mathrm{KL}(p \Vert m)$ is the mean under $p$ of $\log(p/m)$, never negative. Half of the last two terms together is called the
# **Jensen-Shannon divergence**, $\mathrm{JSD}(p \Vert q)$. So the best score is $-\log 4 + 2\,\mathrm{JSD}$.
# It is least where $p = q$, and there $V = -\log 4$, which is $-1.386$ nats.

# %%
proof("gan.value_is_jsd")

# %% [markdown]
# That gives a measuring device. Any discriminator that you have trained has found a part of the divergence, and its loss says how much:
#
# $$\log 2 + \tfrac12\,\mathbb E_p[\log D] + \tfrac12\,\mathbb E_q[\log(1 - D)] \le \mathrm{JSD}(p \Vert q)$$
# <!-- proof: gan.divergence_from_logits -->
#
# Write it from **logits**: the network returns $a$, any real number, and $D = \sigma(a) = 1/(1 + e^{-a})$. Sure networks return logits of a hundred, and $\log(1 - \sigma(100))$ is
# minus infinity in `float32`. What is $-\log \sigma(a)$ as a `softplus`?


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
# Let pictures be eight points. The data have fixed probabilities. The generator is a table of eight numbers, made into probabilities by a softmax. The discriminator is a table of eight logits.
# First the generator rests and the judge learns.

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
# Nothing was told to the judge but right and wrong. It has found the ratio of two laws that it never saw as numbers.
#
# Now the generator moves as well: ten steps of the judge, one of the generator, again and again.


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
# The **total variation** is half the sum of all differences of probabilities. It goes to zero, the value goes to $-\log 4$, and the judge says one half.

# %% [markdown]
# ## Six steps, in this order
#
# On pictures the means are taken over batches, and one round of training is this:
#
# 1. Draw a batch of real pictures $x$.
# 2. Draw noise $z$ and make fakes $G(z)$, cut off from the generator's gradient.
# 3. Compute the judge's loss $-\log D(x) - \log(1 - D(G(z)))$ and update **the judge only**.
# 4. Draw fresh noise and make new fakes, this time with the gradient.
# 5. Ask the judge, which has just moved, about them. No real picture is needed now.
# 6. Compute the generator's loss and update **the generator only**.
#
# The whole of it fits on a screen:

# %%
show_source(program_a.discriminator_step)

# %%
show_source(program_a.generator_step)

# %% [markdown]
# ### From the errata: who learns when
#
# <!-- errata: M08 M09 CA15 -->
# The first article's diagram trains the generator first, then "trains" the judge while only the generator's parameters are updated. Its six steps for the generator begin with a batch of real images, which do not
# occur in the generator's loss. And its program uses one draw of noise for both steps. The judge has just adapted to those very fakes:

# %%
print(clinic.fault("CA15"))

# %% [markdown]
# ## The zero-sum loss is silent when the generator needs it most
#
# In the game above, the generator lowers $V$. Only the second term depends on it: $\log(1 - D(G(z)))$. What one player wins, the other loses; this is the **zero-sum** game, and the theorem above belongs to it.
#
# In practice the generator lowers $-\log D(G(z))$ instead. That is another loss and another game. Compare what they return for the logit $a$ of one fake:
#
# $$\frac{\partial}{\partial a} \log(1 - \sigma(a)) = -\sigma(a), \qquad \frac{\partial}{\partial a}\left[-\log \sigma(a)\right] = -(1 - \sigma(a))$$
# <!-- proof: gan.loss_gradients -->
#
# Derive one of them: $\log(1 - \sigma(a)) = -\log(1 + e^a)$, and the derivative of that is $-e^a/(1 + e^a)$.


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
# At $D(G(z)) = 0.01$, where every training begins, the zero-sum loss returns a hundredth and the other 99 hundredths. The price: its target is no longer the Jensen-Shannon divergence.

# %%
proof("gan.nonsaturating_is_not_zero_sum")

# %% [markdown]
# ## One function tells how hard a loss pulls
#
# Let the judge be perfect, and let $r = p/q$ be the ratio of the densities at some point. Each loss $\ell$ then has the gradient of a mean $\mathbb E_q[f(r)]$, for some function $f$.
# Let us find it. Change $q$ a little at one point. The frozen loss changes by $\ell(D^*)$ there. The mean $q f(p/q)$ changes by $f(r) - r f'(r)$. Demand that they agree up to a constant, and
# differentiate with respect to $r$:
#
# $$-r\, f''(r) = \frac{d}{dr}\, \ell\!\left(\frac{r}{r + 1}\right) \quad\Rightarrow\quad
# f''(r) = \frac{1}{r(1 + r)} \text{ (zero-sum)}, \qquad f''(r) = \frac{1}{r^2(1 + r)} \text{ (non-saturating)}$$
# <!-- proof: gan.generator_curvature -->
#
# Where fakes are and data are not, $r$ is small. There the non-saturating loss pulls $1/r$ times harder. At $r = 1$, the end, both have the curvature $\tfrac12$.

# %%
proof("gan.generator_curvature")

# %% [markdown]
# ### From the errata: which game is zero-sum
#
# <!-- errata: M01 -->
# The first article calls training a zero-sum game and prints $-\log D(G(z))$ for the generator. Both cannot hold. Zero-sum means that the generator's loss is minus the judge's, so it must be $\log(1 - D(G(z)))$. The
# printed loss is the heuristic that works better, with other gradients.

# %% [markdown]
# ## No player minimises the sum of both losses
#
# Add both losses and call the sum "the total loss of the GAN". It is printed in the first article, and it looks like good book-keeping. Who should minimise it?
#
# - With zero-sum losses the generator's part cancels: the sum does not depend on the generator at all.
# - Let the generator lower the sum with the other loss, $-\log D - \log(1 - D)$ at its fakes. It is least at $D = \tfrac12$: the fakes are drawn to the border where the judge is undecided, not to the data.
# - Let the judge lower the sum. It then pays for fakes that are called fake, and again for fakes that are *not* called real.

# %%
proof("gan.total_loss")

# %% [markdown]
# Take the last case. For each real image the judge sees one fake under the label "fake" and $c$ fakes under the label "real"; the total loss has $c = 1$. What does the best judge say? Do the same steps as for $D^*$: count the labels
# at one point. A point that nothing reaches gets the share of the label "real" among all that is shown.


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
# where $f''$ follows from $D^* = \frac{r + 1}{r + 2}$ exactly as before. Read it at three places. Only fakes: one half, not zero. Equal laws: two thirds. And the pull: at $r = 1$ it is $\tfrac16$, three times weaker than $\tfrac12$. As $r \to 0$ it is
# $\frac{1}{2r}$, half of the *saturating* one. The careful choice of the non-saturating loss has been undone.

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
# On the eight points we can race the three. Each judge is perfect in every step; the generators start alike and step alike.


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
# ### From the errata: a loss that nobody has
#
# <!-- errata: M02 M03 -->
# The first article sums both losses to a "total loss" and says that the generator uses it. Its code does not: the generator's step uses the generator's loss. But by a slip in the same code
# the *judge* minimises exactly this sum. That is where the clinic begins.

# %% [markdown]
# ## The clinic opens: a first program that stops four times
#
# Program A is the first article's, written anew in PyTorch with the same faults. Each entry of the clinic has a symptom that you can run. Read the message, name the cause, then look at the repair.

# %%
for id in ("CA1", "CA2", "CA4"):
    print(id, "|", clinic.fault(id).examine())

# %% [markdown]
# Think before you go on. A name is missing in the first. In the second, $25088 = 14 \cdot 14 \cdot 128$ and $6272 = 7 \cdot 7 \cdot 128$: what side had the picture? In the third a format for one number met two.
#
# Errors like these are kind. They name a place and stop the run.

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
# Put it to program A's generator step. In the article the generator and the judge were joined into one model, and that model was trained. Predict both numbers.

# %%
generator = program_a.GeneratorA()
discriminator = program_a.DiscriminatorA(norm=True)
joined = program_a.adam([*generator.parameters(), *discriminator.parameters()])
networks = {"generator": generator, "discriminator": discriminator}
z = torch.randn(32, program_a.LATENT)
moves(lambda: program_a.generator_step(generator, discriminator, joined, z), networks)

# %% [markdown]
# The judge moves in the generator's step, and it moves towards calling fakes real. So over a round it minimises both losses: the total loss. The repair is one word in one line.

# %%
own = program_a.adam(generator.parameters())
moves(lambda: program_a.generator_step(generator, discriminator, own, z), networks)

# %% [markdown]
# Note the other way to get it wrong: detach the fakes in the *generator's* step, and the generator never learns. The place for `detach` is the judge's step.

# %% [markdown]
# ## One wrong optimiser, measured on a line
#
# Is that slip harmful? Data are $N(4, 0.5^2)$ on a line, the generator is $x = a z + b$ with $b = 0$ at the start, the judge is a small network. We play several games side by side, once with the judge
# frozen in the generator's step, once as in the article.

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
    ylabel="distance from the data",
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
    print(f"{name}: distance from the data {far.median():.2f} (median), {far.max():.2f} (last)")

# %% [markdown]
# The distance is the root of the squared errors of mean and spread, added; for two Gaussians it is the Wasserstein distance. Unfrozen, some games pass the place $b = 4$ by the way, but their spread has grown to many times that of the data, so they are no nearer. What does the judge believe?

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
    ylabel="D, median over the games",
    ylim=(0, 1),
    reference={"1/2": 0.5, "2/3": 2 / 3},
)

# %% [markdown]
# The frozen judge is near one half where the data are. The other one says high numbers around the data and far from them: it was shown fakes under both labels, so it can call nothing fake.

# %% [markdown]
# ### From the errata: frozen, but when?
#
# <!-- errata: CA1 CA2 CA3 CA4 CA5 -->
# The textbook repair of the article's program is to freeze the judge before the joined model is compiled. In Keras 2 that works. In Keras 3 the switch is read later, the judge is then frozen for ever, and no message says so. In PyTorch the
# same happens to a network whose `requires_grad` is switched off once. Two optimisers make the switch unnecessary.

# %%
print(clinic.fault("CA5"))

# %% [markdown]
# ## Ten more faults that no error message names
#
# The rest of program A's file runs without complaint. For each line below: what does the number tell you, and what number would you have expected?

# %%
for id in ("CA6", "CA7", "CA8", "CA9", "CA10", "CA11", "CA12", "CA13", "CA14"):
    print(id, "|", clinic.fault(id).title, "|", clinic.fault(id).examine())

# %% [markdown]
# Three deserve a second look. In CA6 the judge sees fakes of a tenth of the contrast of those in training. In CA7 a chain of convolutions adds up like one linear map: the **superposition error** $f(u) + f(v) - f(u + v) - f(0)$ is zero.
# In CA9 an epoch was taken for an iteration, and the run would need half a year.

# %%
for id in ("CA6", "CA7", "CA9"):
    print(clinic.fault(id), end="\n\n")

# %%
for id in ("CA8", "CA10", "CA11", "CA12", "CA13", "CA14"):
    print(clinic.fault(id), end="\n\n")

# %% [markdown]
# ### From the errata: ten faults in one listing
#
# <!-- errata: CA6 CA7 CA8 CA9 CA10 CA11 CA12 CA13 CA14 -->
# As printed, the first article's pictures are those of an untrained network, for the training function is never called. Had it been called, it would have shown the judge other fakes than it trained, passed
# them through one linear map, and run for half a year.

# %% [markdown]
# ## Program A, repaired, draws
#
# Same layers, same data range, same length of noise; the faults are gone. A few hundred rounds are enough for strokes to appear.

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
# Losses of a GAN do not fall to zero, and they should not: at the equilibrium they are $\log 4 = 1.386$ and $\log 2 = 0.693$. A loss curve alone cannot tell you whether a GAN works.

# %% [markdown]
# ## The second program: five errors, then silence
#
# Program B is the second article's. It stops five times before it runs: a number where a shape is expected, two flattenings, two sizes in one batch. And one that does not stop it: no activations.

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
# ## A program can be right in every line and train nothing
#
# The second half of the round is meant for the generator: fakes, called real, and a step. But the step is the judge's, with the judge's optimiser. Nothing moves the generator. And the judge? In the first half it sees one batch of both kinds, with one mean over all, so
# each kind counts one half. In the second half fakes count one whole, under the label "real". Count the labels at one point:
#
# $$D^*(x) = \frac{\tfrac12 p + q}{\tfrac12 p + \tfrac12 q + q} = \frac{p + 2q}{p + 3q}$$
# <!-- proof: gan.stuck_generator -->
#
# Before you run it, forecast what it prints in the long run: the means of $D$ over data and over fakes, the "generator's loss" (the mean of $-\log D$ over fakes), and the change of the generator.


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
# Noise from an untrained generator and drawings of digits never look alike. So put $p$ and $q$ on different points:

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
# The generator's loss is small and steady, which looks like success. The forecast hits it within one hundredth or so. And the change of the generator is not small. It is zero.

# %%
with torch.no_grad():
    mush = grey(torch.randn(15, program_a.LATENT))
viz.image_grid(mush, columns=15, title="What program B shows, after one epoch and after fifty")

# %% [markdown]
# ### From the errata: a log that says that time passes
#
# <!-- errata: CB1 CB2 CB3 CB4 CB5 CB6 CB7 CB8 CB9 -->
# The second article says that its pictures are blurry and improve with training. Its generator is the one of the first second. The joined model that could have trained it is compiled twice and never used. And the log counts epochs,
# so that a right program would have printed the very same lines.

# %%
for id in ("CB6", "CB7", "CB8", "CB9"):
    print(id, "|", clinic.fault(id).title, "|", clinic.fault(id).cause)

# %%
for id in ("CB7", "CB8", "CB9"):
    print(clinic.fault(id), end="\n\n")

# %% [markdown]
# So log what can be wrong: $D$ on data, $D$ on fakes, and how far each network moved. Four numbers would have given both programs away in their first round.

# %% [markdown]
# ## An accuracy of one half has three meanings
#
# Both articles report one number of quality: the judge's accuracy. Program B's judge calls all data real, and all fakes too, for it says 2/3. Its accuracy is one half. In a perfect game it is one half as well. And a judge that has stopped
# learning guesses, too.
#
# What decides? A **fresh** judge, honestly trained on the present fakes and tested on pictures that it has not seen. If it cannot tell either, the fakes are good.


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
# The same four numbers that should be in every log. Here the fresh judge is right nearly always: there is everything to learn, and the old judge is kept from it by its labels.

# %% [markdown]
# ## Program B, repaired, moves its generator
#
# One line changes: the second step belongs to the generator's optimiser.

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
# It is no beauty: a judge of two dense layers is weak, and the run is short. But it is a GAN. Compare the row with the one above.

# %% [markdown]
# ## Some faults live outside the program
#
# The last five concern installation, data and memory. The originals happened in a package manager, on a server and on a disk; what runs here is the nearest small thing that fails in the same way, and each entry says so.

# %%
for id in ("CB10", "CB11", "CB12", "CB13", "CB14"):
    print(clinic.fault(id), end="\n\n")

# %% [markdown]
# ### From the errata: instructions that nobody had run
#
# <!-- errata: CB10 CB11 CB12 CB13 CB14 -->
# A requirement without an upper bound, a file that is fetched under one name and installed under another, a switch for the whole system: each would have failed at the first attempt. Run your own instructions on a fresh machine before you publish them.

# %% [markdown]
# ## An honest run stays within measured bounds

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
# - Zero-sum and non-saturating are two games with one goal. They pull alike at the end and very differently at the start.
# - Nobody minimises the total loss. A judge that does says 2/3 at the end and pulls three times more weakly.
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
