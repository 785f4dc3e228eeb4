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
# # 03 · Probability for generators, and three classical baselines
#
# **[Open this lesson in Colab]({{ colab }})**
#
# A generator is a probability law over pictures that we can draw from (other books say distribution). So before any large network comes an old question:
# how do you tell a good law from a bad one, and how far do simple models go? You will measure surprise, see why "close" has a direction, and
# train three models that know the exact probability of everything they make.

# %% [markdown]
# **What you will do.** Write the KL divergence, fit one Gaussian in two directions, and count likelihood in bits. Then build a mixture of
# Gaussians, an autoregressive model of small digits, and a flow that bends noise into a ring. Break the second one with a single wrong sign, `>=` for `>`, and read from its numbers that it cheats.
#
# **What you need.** Tensors and gradients in PyTorch, means and variances, and what a determinant says about volume. Densities, entropy and every symbol are explained where they first appear.

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 25 s |
# | `cpu` | a laptop; measured on two busy cores | 45 s |
# | `gpu` | a GPU, a wider network | not measured yet |
#
# **What you will reach** (`cpu`): an autoregressive model that needs at least a fifth fewer nats per drawing than independent pixels (eight seeds gave 31 to 32 %), a mixture whose mean and
# covariance agree with the data to within 0.001, and a flow within 0.38 nats of the true law (eight seeds gave 0.21 to 0.28).

# %%
# On Colab this installs the course. Elsewhere the course is already here and nothing happens.
import importlib.util

if importlib.util.find_spec("genimg_course") is None:
    # %pip install --quiet --no-deps "git+{{ repository }}"
    pass

# %% tags=["parameters"]
PROFILE = None  # "smoke", "cpu" or "gpu"; None lets the machine decide
DATASET = "glyphs"  # or "mnist", "fashion_mnist", "folder:PATH"
SEED = 0

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course import data, viz
from genimg_course.data.points import draws, ring
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths import (
    bernoulli_nll,
    component_log_density,
    continuous_bernoulli_log_normaliser,
    dequantise,
    entropy,
    mixture_log_density,
    mixture_moments,
    mixture_samples,
)
from genimg_course.maths.proofs import proof
from genimg_course.models import AutoregressiveImages, CouplingFlow
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.source import show_source
from genimg_course.training import fit, likelihood_step, pick_device, seed_everything

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(images=4000, width=256, steps=200, broken_steps=60, points=1000, flow_steps=120),
    cpu=dict(images=20000, width=1024, steps=4000, broken_steps=300, points=4000, flow_steps=3000),
    gpu=dict(images=40000, width=2048, steps=8000, broken_steps=300, points=4000, flow_steps=6000),
)
goals = choose_budget(
    PROFILE,
    smoke=dict(moments=1e-3, gain=0.055, flow=2.05),
    cpu=dict(moments=1e-3, gain=0.2, flow=0.38),
    gpu=dict(moments=None, gain=None, flow=None),  # not measured yet
)
if DATASET != "glyphs":
    goals.gain = None  # it was measured on these drawings only
device = pick_device() if budget.profile == "gpu" else pick_device("cpu")
rng = seed_everything(SEED)
print(f"profile {budget.profile} on {device}")

# %% [markdown]
# ## Which of two models knows these drawings better?
#
# To keep everything countable, we shrink the digits to 8 by 8 pixels and make them black and white: ink is 1, paper is -1. There are $2^{64}$ such pictures, and nearly all of them look like noise.
# A model is a law $p_\theta$ over them, with weights $\theta$. It is good if it gives high probability to drawings that it has *not* seen.


# %%
def small_and_black(images: Tensor) -> Tensor:
    """Shrink bytes ``(N, C, 16, 16)`` to pictures ``(N, 1, 8, 8)`` of -1 and 1."""
    grey = F.avg_pool2d(images.float().mean(dim=1, keepdim=True), 2)
    return 2 * (grey > 50).float() - 1


train = data.load(DATASET, size=16, count=budget.images)
unseen = data.load(DATASET, size=16, split="validation", count=2000)
x_train, x_unseen = small_and_black(train.images), small_and_black(unseen.images)
viz.image_grid(x_unseen[:60], columns=20, title="Sixty of 2 to the 64 pictures")

# %% [markdown]
# ## Surprise has a price, and the price has a mean
#
# An event of probability $p$ surprises by $-\log p$. A certain event costs nothing, an impossible one is infinitely surprising, and surprises of independent events add up. With the natural
# logarithm the unit is the **nat**. The mean surprise of a law $p$ over points $i$ is its **entropy** $H(p)$. If you expect $q$ but the world follows $p$, you pay the **cross-entropy** $H(p, q)$:
#
# $$H(p) = -\sum_i p_i \log p_i, \qquad H(p, q) = -\sum_i p_i \log q_i$$
# <!-- definition -->
#
# What you pay in excess is the **KL divergence** (after Kullback and Leibler), the price of a wrong expectation:
#
# $$\mathrm{KL}(p \,\Vert\, q) = H(p, q) - H(p) = \sum_i p_i \log \frac{p_i}{q_i}$$
# <!-- proof: probability.cross_entropy -->
#
# It is never negative, and zero only for $q = p$. The mean runs over $p$, so it matters which law stands first. Mind the zeros: what never happens costs nothing ($0 \log 0$ counts as 0), but where $p_i > 0$ and $q_i = 0$ the divergence is infinite.


# %%
@exercise("probability.kl_divergence")
def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) in nats for laws in the last dimension, ``(..., K)``; the result is ``(...)``."""
    ### BEGIN SOLUTION
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(dim=-1)
    ### END SOLUTION


# %% [markdown]
# Stuck? `hint("probability.kl_divergence")` gives one more hint at each call. The last one is the solution.
#
# Try it on a fact about our drawings: how many of the 64 pixels have ink? Beside it stands the law of a model that throws a coin for each pixel, the same coin everywhere, with the right mean. Expect two different numbers for the two directions.

# %%
count = (x_train > 0).flatten(1).sum(dim=1)
histogram = torch.bincount(count, minlength=65).double() / len(count)
ink = float(count.double().mean()) / 64
coins = torch.distributions.Binomial(64, torch.tensor(ink, dtype=torch.float64))
binomial = coins.log_prob(torch.arange(65).double()).exp()
there, back = float(kl_divergence(histogram, binomial)), float(kl_divergence(binomial, histogram))
viz.lines(
    range(65),
    {"drawings": histogram, "64 coins": binomial},
    xlabel="pixels with ink",
    ylabel="probability",
    title=f"KL from drawings to coins {there:.2f} nats, the other way {back:.2f}",
)

# %% [markdown]
# Forward, the coins are an excellent expectation: the two curves nearly coincide. Backward, the divergence is infinite. The coins give an empty picture once in millions of draws, and the histogram calls it impossible because it never saw one. A law that has zeros is a risky expectation. Note also what was measured: the *number* of inked pixels. Pictures drawn with these coins are nothing but noise. A good law of a summary is not yet a good law of pictures.

# %% [markdown]
# ## Maximum likelihood is the smallest KL divergence
#
# We want $p_\theta$ close to the law $p$ of the drawings. But we do not know $p$; we have drawings $x_1, \dots, x_N$ from it. Write the divergence as a difference. The entropy $H(p)$ does not contain $\theta$, so it has no gradient, and what is left is a mean over $p$. The data can stand in for that:
#
# $$\mathrm{KL}(p \,\Vert\, p_\theta) = H(p, p_\theta) - H(p), \qquad \nabla_\theta\, \mathrm{KL}(p \,\Vert\, p_\theta) = -\nabla_\theta\, \mathbb E_p \log p_\theta(x)$$
# <!-- proof: probability.cross_entropy -->
#
# Here $\mathbb E_p$ is the mean over $x \sim p$. So the recipe is one line: make the mean **negative log-likelihood** (NLL), $-\frac1N \sum_n \log p_\theta(x_n)$, as small as you can. Every model of this lesson follows it. It works only if the model forbids nothing that occurs.
#
# The next cell shows a badge. It says which programs have checked the formula, and under which assumptions.

# %%
proof("probability.cross_entropy")

# %% [markdown]
# The whole training step fits on a screen. It asks a model for one thing only: `model(x)` returns $\log p_\theta(x)$ for each example.

# %%
show_source(likelihood_step)

# %% [markdown]
# ## Forward covers every mode, reverse settles on one
#
# Likelihood means the forward divergence, with the data first. Some methods use the reverse one, with the model first; the encoder of a variational autoencoder does (lesson 06). The difference shows when the model is too simple.
# We move from points to a line. There $p(x)$ is a **density**, probability per unit of length, and sums become integrals. Let $p$ have two hills and let the model $q$ be a single Gaussian with mean $\mu$ and standard deviation $\sigma$.
#
# Forward, $-\mathbb E_p \log q = \log\sigma + \frac{1}{2\sigma^2}\mathbb E_p (x - \mu)^2 + \text{const}$. Set the derivative with respect to $\mu$ to zero: $\mu$ is the mean of $p$. Set the one with respect to $\sigma$ to zero: $\sigma^2$ is the variance of $p$. The fit **matches moments**, even if it must put its centre where $p$ is empty:
#
# $$\arg\min_{\mu, \sigma}\, \mathrm{KL}\!\left(p \,\Vert\, N(\mu, \sigma^2)\right) = \left( \mathbb E_p[x],\; \sqrt{\mathrm{Var}_p[x]} \right)$$
# <!-- proof: probability.moment_match -->

# %%
proof("probability.moment_match")

# %% [markdown]
# In reverse, the mean runs over $q$. Where $q$ puts mass and $p$ has none, the ratio explodes; where $p$ has mass and $q$ none, nobody asks. So $q$ tends to hide inside one hill. What does that cost? Let each hill be a Gaussian $p_k$ with a share $\pi_k$ of the mass. Then $p \ge \pi_k p_k$. Choose $q = p_k$: the ratio $q / p$ is never above $1 / \pi_k$, so its mean logarithm is at most $-\log \pi_k$. The cheapest choice is the largest hill:
#
# $$\min_q\, \mathrm{KL}\!\left(q \,\Vert\, \textstyle\sum_k \pi_k p_k\right) \le -\log \max_k \pi_k$$
# <!-- proof: probability.reverse_kl -->
#
# For two equal hills that is $\log 2 = 0.69$ nats, however far they lie apart. To lose half the world is cheap in this direction. Remember it when we meet generators that forget hills, or **modes** as they are called (lesson 10).

# %%
proof("probability.reverse_kl")

# %% [markdown]
# Compute both directions on a grid of points $x_i$. The Gaussian becomes a law on the same grid, $q_i \propto e^{-(x_i - \mu)^2 / 2\sigma^2}$, that sums to one. The cell after the exercise tries 81 means and 75 spreads for a law with two hills, at $-2.5$ and $2$, with shares 0.4 and 0.6. Which mean will each direction choose?


# %%
@exercise("probability.fit_divergence")
def fit_divergence(
    x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False
) -> Tensor:
    """KL(p || q), or KL(q || p) if reverse, for ``p`` on the grid ``x`` ``(N,)`` and Gaussians ``(M,)``; the result is ``(M,)``."""
    ### BEGIN SOLUTION
    log_q = torch.log_softmax(-0.5 * ((x - mu[:, None]) / sigma[:, None]) ** 2, dim=1)
    if reverse:
        return (log_q.exp() * (log_q - p.log())).sum(dim=1)
    return (torch.xlogy(p, p) - p * log_q).sum(dim=1)
    ### END SOLUTION


# %%
x = torch.linspace(-8, 8, 801, dtype=torch.float64)
hills = 0.4 * (-0.5 * ((x + 2.5) / 0.6) ** 2).exp() / 0.6
p = hills + 0.6 * (-0.5 * ((x - 2) / 0.8) ** 2).exp() / 0.8
p = p / p.sum()
table = torch.cartesian_prod(torch.linspace(-4, 4, 81), torch.linspace(0.3, 4, 75)).double()
mu, sigma = table.T
found = {
    name: table[fit_divergence(x, p, mu, sigma, reverse=name == "reverse").argmin()]
    for name in ("forward", "reverse")
}
for name, (m, s) in found.items():
    print(f"{name}: mean {m:+.2f}, standard deviation {s:.2f}")


# %%
def gaussian(m: float, s: float) -> Tensor:
    return torch.softmax(-0.5 * ((x - m) / s) ** 2, dim=0)


def move(mean: float = 0.0, spread: float = 1.0) -> viz.Figure:
    at = torch.tensor([[mean], [spread]], dtype=torch.float64)
    one, two = (float(fit_divergence(x, p, *at, reverse=r)) for r in (False, True))
    curves = {"p": p, "q": gaussian(mean, spread)}
    curves |= {f"best {name}": gaussian(*pair) for name, pair in found.items()}
    title = f"forward {one:.2f} nats, reverse {two:.2f} nats"
    return viz.lines(
        x, curves, xlabel="x", ylabel="probability on the grid", title=title, ylim=(0, 0.015)
    )


viz.explore(move, mean=(-4.0, 4.0, 0.1, 0.0), spread=(0.3, 4.0, 0.1, 1.0))

# %% [markdown]
# Move the Gaussian by hand. The forward optimum covers both hills and the valley between them; its mean is $0.4 \cdot (-2.5) + 0.6 \cdot 2 = 0.2$, where $p$ is almost zero. The reverse optimum is the larger hill. Neither is wrong; they answer different questions. Here the forward model draws points in the valley, and the reverse model hardly ever shows the other hill.

# %% [markdown]
# ## Squared error and cross-entropy are likelihoods in disguise
#
# Two losses return in many later lessons. Say that a network returns a picture $\hat x$ of $D$ pixels and that the true picture is $\hat x$ plus Gaussian noise of standard deviation $\sigma$. Take the logarithm of the density, and the squared error appears:
#
# $$-\log N(x;\, \hat x, \sigma^2 I) = \frac{\lVert x - \hat x \rVert^2}{2\sigma^2} + D \log\sigma + \frac D2 \log 2\pi$$
# <!-- proof: vae.gaussian_nll -->
#
# Whoever minimises the *sum* of squared errors has chosen $\sigma^2 = \frac12$, knowingly or not. For black and white pixels the network returns log odds $a$ (logits), the probability of ink is $\lambda = 1 / (1 + e^{-a})$, and the cross-entropy with the pixel $t \in \{0, 1\}$ is exactly the negative log-probability:
#
# $$-\log\left( \lambda^t (1 - \lambda)^{1 - t} \right) = \log(1 + e^{a}) - a\, t$$
# <!-- proof: vae.bernoulli_nll -->

# %%
proof("vae.gaussian_nll")

# %%
proof("vae.bernoulli_nll")

# %% [markdown]
# But many programs feed *grey* values $t \in [0, 1]$ into the second formula. Then $\lambda^t (1 - \lambda)^{1 - t}$ is no density: its integral over $t$ is not one. A factor $C$ is missing, and it depends on the network's answer:
#
# $$\int_0^1 C(\lambda)\, \lambda^t (1 - \lambda)^{1 - t}\, dt = 1, \qquad C(\lambda) = \frac{2\,\mathrm{artanh}(1 - 2\lambda)}{1 - 2\lambda} = \frac{a}{\tanh(a / 2)}$$
# <!-- proof: probability.continuous_bernoulli -->
#
# Write $\lambda^t (1-\lambda)^{1-t} = (1 - \lambda)\, e^{a t}$. The integral is $(1 - \lambda)(e^a - 1)/a$, and $1 - \lambda = 1/(1 + e^a)$, so $C = a\,(e^a + 1)/(e^a - 1)$. At $\lambda = \frac12$ take the limit, 2. The figure shows $\log C$, the nats that are missing.

# %%
share = torch.linspace(0.001, 0.999, 401, dtype=torch.float64)
log_c = continuous_bernoulli_log_normaliser(torch.logit(share)[:, None])
viz.lines(
    share,
    {"log C": log_c},
    xlabel="probability of ink",
    ylabel="missing nats per pixel",
    ylim=(0, 2.5),
    reference={"log 2": math.log(2)},
    title="Surer answers miss more",
)

# %%
proof("probability.continuous_bernoulli")

# %% [markdown]
# At least $\log 2$ nats a pixel are missing, and more where the network is surer. On grey pictures the cross-entropy is still a usable loss, but its value is no log-likelihood and should not be reported as one. This lesson stays with black and white, where it is exact.

# %% [markdown]
# ## A density is not a probability, so count bits of bins
#
# A density is a probability *per unit of length*, so it changes with the unit. Measure the same pixels from 0 to 255 instead of from -1 to 1, and every density changes by a factor. So the nats of a density mean little without the axis. What has a meaning is the probability of what is stored: a whole number $k$, which stands for a bin of width $\delta$.
#
# **Dequantisation** gets at it: spread each stored value over its bin by noise $\delta u$, with $u$ uniform on $[0, 1)$ for each value, and evaluate the density there. The logarithm of a mean is at least the mean of the logarithm (Jensen's inequality), so in $D$ dimensions
#
# $$-\log_2 P(k) = -\log_2 \int_{\text{bin } k} p(x)\, dx \;\le\; \mathbb E_u\!\left[ -\log_2 p(x_k + \delta u) \right] - D \log_2 \delta$$
# <!-- proof: probability.dequantisation -->
#
# where $x_k$ is the lower corner of the bin, a box of volume $\delta^D$. Divide by $D$, and you have **bits per dimension**, which can be compared between models, whether they are densities or not.


# %%
@exercise("probability.bits_per_dimension")
def bits_per_dimension(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    """Bits for each of ``dims`` stored values, from a negative log-likelihood in nats; a density needs the width of a bin."""
    ### BEGIN SOLUTION
    return (nll / dims - math.log(bin_width)) / math.log(2)
    ### END SOLUTION


# %%
proof("probability.dequantisation")

# %% [markdown]
# Test it on grey pixels. One Gaussian, fitted to the same noisy values on three axes: the nats disagree wildly, the bits agree. The last line is a histogram of the 256 levels, a law without any density.

# %%
levels = train.images[:500].flatten().long()
noisy = dequantise(levels, rng=rng)
for name, values, width in (
    ("-1 to 1", noisy, 2 / 256),
    ("0 to 1", (noisy + 1) / 2, 1 / 256),
    ("0 to 256", (noisy + 1) * 128, 1.0),
):
    normal = torch.distributions.Normal(values.mean(), values.std())
    nll = -normal.log_prob(values).mean()
    bits = bits_per_dimension(nll, 1, bin_width=width)
    print(f"{name:9} {float(nll):6.2f} nats of a density, {float(bits):5.2f} bits per dimension")
grey = torch.bincount(levels, minlength=256).double() / len(levels)
print(f"histogram {'':22}  {float(bits_per_dimension(entropy(grey), 1)):5.2f} bits per dimension")

# %% [markdown]
# The Gaussian loses badly: most pixels are paper, and a bell cannot say so. On the glyphs it needs even more than the 8 bits of a law that calls all 256 levels equally likely. Now the trap. Let a law put half of its mass on a spike of width $w$ around the value of paper, and spread the rest. Without noise the spike may be as narrow as it likes. Watch the bits as it narrows, from right to left.

# %%
stored = 2 * (levels.double() + 0.5) / 256 - 1
widths = torch.logspace(0, -8, 33, dtype=torch.float64)


def spike_bits(values: Tensor) -> Tensor:
    inside = (values + 1 - 1 / 256).abs() < widths[:, None] / 2  # (33, N)
    density = 0.25 + inside * 0.5 / widths[:, None]
    return bits_per_dimension(-density.log().mean(dim=1), 1, bin_width=2 / 256)


viz.lines(
    widths.log10(),
    {"stored values": spike_bits(stored[:20000]), "with noise": spike_bits(noisy[:20000])},
    xlabel="width of the spike, as a power of ten",
    ylabel="bits per dimension",
    reference={"nothing is free": 0.0},
    title="Without noise a density can promise less than nothing",
)

# %% [markdown]
# Without noise the bits fall below zero and never stop: the model wins by knowing that values repeat exactly. With noise, a spike narrower than a bin (to the left of $-2$) loses again. A probability is at most 1 and costs at least 0 bits, so negative bits say that somewhere a density was taken for a probability.

# %% [markdown]
# ## Baseline one: a mixture asks who made each point
#
# The oldest flexible law is a weighted sum of $K$ Gaussians $N(x; \mu_k, \Sigma_k)$ with shares $\pi_k$ that sum to one, means $\mu_k$ and covariances $\Sigma_k$. If we knew which component made which point, fitting would be counting. We do not, so we ask Bayes' rule for the **responsibility** of each component:
#
# $$r_k(x) = \frac{\pi_k\, N(x; \mu_k, \Sigma_k)}{p(x)}, \qquad p(x) = \sum_j \pi_j\, N(x; \mu_j, \Sigma_j)$$
# <!-- proof: probability.responsibilities -->
#
# Far from all components the densities are smaller than any number that the machine can hold. Stay with logarithms.


# %%
@exercise("probability.responsibilities")
def responsibilities(log_density: Tensor, weights: Tensor) -> Tensor:
    """Who made each point: log densities ``(B, K)`` and shares ``(K,)`` to probabilities ``(B, K)``."""
    ### BEGIN SOLUTION
    return torch.softmax(log_density + weights.log(), dim=1)
    ### END SOLUTION


# %%
proof("probability.responsibilities")

# %% [markdown]
# **Expectation maximisation** (EM) repeats two moves: ask for responsibilities, then refit each Gaussian to its share of the points. Why does it work? With fixed responsibilities the refit is a weighted forward fit, so it matches moments, as you derived above. Added up over the components, the mixture *as a whole* then has the mean and the covariance of the data.
# And by Jensen's inequality $\log p_{\theta'}(x) \ge \sum_k r_k(x) \log \frac{\pi_k' p_k'(x)}{r_k(x)}$ for every new $\theta'$, where $p_k'$ is the new Gaussian $k$. The two sides are equal at the old values, and the refit makes the right side as large as it can be. So the likelihood never falls:
#
# $$\sum_n \log p_{\theta'}(x_n) \ge \sum_n \log p_{\theta}(x_n), \qquad \sum_k \pi_k' \mu_k' = \bar x$$
# <!-- proof: probability.expectation_maximisation -->
#
# Here $\theta$ stands for the shares, means and covariances before a step, $\theta'$ for those after it, and $\bar x$ is the mean of the points.

# %%
proof("probability.expectation_maximisation")

# %% [markdown]
# Our test field is a ring of eight groups of points. We know its true density, so we know the best NLL that any law can reach on average. We start with eight points far from each other as means. Expect a steep fall of the NLL in the first few steps.

# %%
law = ring(8, spread=0.2)
points, fresh = law.sample(budget.points, rng=rng), law.sample(10_000, rng=rng)
true_round = (law.spread**2 * torch.eye(2)).expand(8, 2, 2)
best = -float(mixture_log_density(fresh, torch.full((8,), 1 / 8), law.centres, true_round).mean())

chosen = points[:1]
for _ in range(7):  # next: the point whose nearest mean is farthest away
    chosen = torch.cat([chosen, points[torch.cdist(points, chosen).amin(dim=1).argmax()][None]])
weights, means, covariances = torch.full((8,), 1 / 8), chosen, 0.5 * torch.eye(2).expand(8, 2, 2)
print(f"no law can do better than about {best:.2f} nats per point")

# %%
history = {"step": [], "nll": []}
for step in range(30):
    share = responsibilities(component_log_density(points, means, covariances), weights)
    total = share.sum(dim=0)  # (8,), points that belong to each component
    weights, means = total / len(points), share.T @ points / total[:, None]
    offset = points[:, None] - means  # (N, 8, 2)
    covariances = torch.einsum("nk,nki,nkj->kij", share, offset, offset) / total[:, None, None]
    history["step"].append(step + 1)
    nll = -mixture_log_density(points, weights, means, covariances).mean()
    history["nll"].append(float(nll))
viz.curves(history, title="EM never goes back up", reference={"true law": best})

# %% [markdown]
# The curve may end a little below the dashed line, because the line was measured on fresh points and the curve on those that were fitted. Now check the promise about moments, and compare with one Gaussian that has the same mean and covariance.

# %%
mean, covariance = mixture_moments(weights, means, covariances)
data_mean, data_covariance = points.mean(dim=0), torch.cov(points.T, correction=0)
moment_gap = max(
    float((mean - data_mean).abs().max()), float((covariance - data_covariance).abs().max())
)
bell = torch.distributions.MultivariateNormal(data_mean, data_covariance)
mixture_nll = -float(mixture_log_density(fresh, weights, means, covariances).mean())
bell_nll = -float(bell.log_prob(fresh).mean())
print(f"largest difference of a moment: {moment_gap:.1e}")
print(f"on fresh points: one Gaussian {bell_nll:.2f}, mixture {mixture_nll:.2f} nats")

# %%
mixture_points = mixture_samples(2000, weights, means, covariances, rng=rng)
viz.point_panels(
    {"data": points[:2000], "one Gaussian": bell.sample((2000,)), "mixture": mixture_points},
    title="Same mean, same covariance, different worlds",
)

# %% [markdown]
# All three laws have the same mean and covariance, up to the scatter of 2000 draws. So these two moments alone say little about a law, which will matter when generators are measured (lesson 04). The mixture wins here because the world *is* a mixture. Pictures come in far more shapes than eight, and a mixture would need roughly one component for each.

# %% [markdown]
# ## Baseline two: a picture is a chain of guesses
#
# Any law over $D$ pixels can be written pixel by pixel; this is the chain rule of probability, not an approximation. Such a model is called **autoregressive**. A network that guesses each pixel from those before it is therefore a full law, and its probabilities sum to one over all $2^D$ pictures:
#
# $$p(x) = \prod_{i=1}^{D} p(x_i \mid x_1, \ldots, x_{i-1}), \qquad \sum_{x \in \{0, 1\}^D} p(x) = 1$$
# <!-- proof: probability.autoregressive -->
#
# One pass must give all $D$ guesses, each blind to its own pixel and to all later ones. **Masks** do that. Give every unit a *place*. A hidden unit of place $j$ may listen to pixels up to $j$. The guess for pixel $j$ may listen to hidden units of places *below* $j$ only.


# %%
@exercise("probability.autoregressive_mask")
def autoregressive_mask(sources: Tensor, targets: Tensor, *, strict: bool = False) -> Tensor:
    """Ones where a target ``(O,)`` may listen to a source ``(I,)``, float32 ``(O, I)``; ``strict`` forbids the own place."""
    ### BEGIN SOLUTION
    listens, speaks = targets[:, None], sources[None]
    return (listens > speaks if strict else listens >= speaks).float()
    ### END SOLUTION


# %%
proof("probability.autoregressive")

# %% [markdown]
# Two masked layers in a row: the product of their masks counts the paths from each pixel to each guess. Expect zeros on and above the diagonal.

# %%
pixels, hidden = torch.arange(9), torch.arange(30) % 9
first = autoregressive_mask(pixels, hidden)
last = autoregressive_mask(hidden, pixels, strict=True)
viz.heatmap(
    last @ first,
    xlabel="pixel that speaks",
    ylabel="pixel that is guessed",
    colour_label="paths",
    title="Nobody hears the present or the future",
)

# %% [markdown]
# The simplest rival treats pixels as independent: each has its own share of ink, and that is all. On average it costs about the sum of 64 small entropies. Every nat that the chain saves below that line is knowledge of how pixels hang together.

# %%
frequency = ((x_train > 0).flatten(1).sum(dim=0) + 1) / (len(x_train) + 2)  # never 0 or 1
log_odds = torch.logit(frequency)
ink_unseen = (x_unseen > 0).flatten(1).float()
independent = float(bernoulli_nll(log_odds.expand_as(ink_unseen), ink_unseen).mean())
print(f"independent pixels: {independent:.2f} nats per drawing")

# %%
show_source(AutoregressiveImages)

# %% [markdown]
# Train it, and expect the loss to cross the line of the independent pixels early. The curve is measured on the drawings that it learns from; the comparison after it uses unseen ones only.

# %%
torch.manual_seed(SEED)
chain = AutoregressiveImages(8, width=budget.width).to(device)
optimizer = torch.optim.Adam(chain.parameters(), lr=5e-3, fused=True)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.steps)


def minibatches(x: Tensor, size: int = 128):
    """Yield random pictures for ever."""
    while True:
        yield (x[torch.randint(len(x), (size,), generator=rng)].to(device),)


def step(n: int, x: Tensor) -> dict[str, Tensor]:
    losses = likelihood_step(chain, optimizer, x)
    schedule.step()
    return losses


history = fit(step, minibatches(x_train), steps=budget.steps)

# %%
viz.curves(
    history,
    names=["nll"],
    title="The chain learns how pixels hang together",
    reference={"independent pixels": independent},
    ylim=(8, 30),
)

# %%
with torch.no_grad():
    chain_nll = -float(chain(x_unseen.to(device)).mean())
gain = 1 - chain_nll / independent
for name, nats in (("independent pixels", independent), ("chain of guesses", chain_nll)):
    bits = float(bits_per_dimension(torch.tensor(nats), 64))
    print(f"{name:20}{nats:6.2f} nats per drawing, {bits:.3f} bits per pixel")
print(f"the chain needs {gain:.0%} fewer")

# %% [markdown]
# The difference is what the chain knows about how pixels hang together. The number does not say yet how its drawings look.

# %% [markdown]
# ## Drawing takes one pass for every pixel
#
# To draw, guess the first pixel, throw the coin, guess the second one given the first, and so on. Each picture drawn in this way follows the joint law of the model exactly. The same procedure completes a picture whose upper half is given, and the completion follows the conditional law.
#
# $$x_i \sim p(x_i \mid x_1, \ldots, x_{i-1}), \qquad i = b, \ldots, D$$
# <!-- proof: probability.ancestral_sampling -->
#
# Here $b$ is the first pixel that is drawn: $b = 1$ for a whole picture.

# %%
proof("probability.ancestral_sampling")

# %%
chain = chain.cpu()
coin_pictures = (
    2 * torch.bernoulli(frequency.expand(20, 64), generator=rng).reshape(-1, 1, 8, 8) - 1
)
chain_pictures = chain.sample(20, rng=rng)
viz.compare_rows(
    {"data": x_unseen[:20], "independent": coin_pictures, "chain": chain_pictures},
    title="Independent pixels leave gaps, a chain draws strokes",
)

# %%
half = x_unseen[:20].clone()
half[:, :, 4:] = -1
viz.compare_rows(
    {
        "given": half,
        "one end": chain.complete(half, 32, rng=rng),
        "another": chain.complete(half, 32, rng=rng),
        "true": x_unseen[:20],
    },
    title="The upper half allows several digits",
)

# %% [markdown]
# Strokes go on where they began, and some pictures are digits, though not all. It is a small network with one hidden layer. Look at the completions: where the upper half leaves a choice, the two rows often choose differently. A law can do that, and an average cannot.

# %% [markdown]
# ## A loss that is too good: the guess saw its own pixel
#
# Now break it. Forget `strict` in the last layer, so that a guess may look at its own pixel. Predict before you run: what will the loss say, and what will the samples look like?

# %%
torch.manual_seed(SEED)
broken = AutoregressiveImages(8, width=budget.width, strict=False).to(device)
broken_optimizer = torch.optim.Adam(broken.parameters(), lr=5e-3, fused=True)
broken_history = fit(
    lambda n, x: likelihood_step(broken, broken_optimizer, x),
    minibatches(x_train),
    steps=budget.broken_steps,
)
broken = broken.cpu()
with torch.no_grad():
    broken_nll = -float(broken(x_unseen).mean())
broken_pictures = broken.sample(20, rng=rng)
viz.compare_rows(
    {"data": x_unseen[:20], "strict": chain_pictures, "not strict": broken_pictures},
    title=f"A record of {broken_nll:.2f} nats, and the drawings are no better",
)

# %% [markdown]
# The trigger: one `>=` in place of `>`. The symptom: a loss near zero, far below what any honest model reaches, on unseen data as well. This is not overfitting. The model copies the pixel that it should guess, and so its "probabilities" belong to no law. On pictures of 3 by 3 pixels we can add up all 512. What should the sum be?

# %%
nine = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 9).reshape(-1, 1, 3, 3)  # all 512
mass = {}
for name, strict in (("strict", True), ("not strict", False)):
    torch.manual_seed(SEED)
    small = AutoregressiveImages(3, width=32, strict=strict)
    small_optimizer = torch.optim.Adam(small.parameters(), lr=0.02)
    crops = minibatches(x_train[:, :, 2:5, 2:5].cpu())
    for _ in range(100):
        likelihood_step(small, small_optimizer, next(crops)[0].cpu())
    with torch.no_grad():
        mass[name] = float(small(nine).exp().sum())
    print(f"{name}: all 512 pictures together have probability {mass[name]:.4f}")

# %% [markdown]
# With the right mask the sum is one. With the wrong one it is in the hundreds, because the model calls nearly every picture nearly certain. The cure is the mask. The lesson is wider: when a likelihood looks too good, ask whether the numbers sum to one.

# %% [markdown]
# ## Baseline three: bend noise, and keep count of the volume
#
# A flow starts from noise that we understand, $z \sim N(0, I)$, and bends space until the noise looks like data. Let $f$ be a smooth map from points to noise that can be undone. The map makes a small region around $x$ larger by the factor $|\det \partial f / \partial x|$, and the probability in it does not change. So
#
# $$\log p(x) = \log N\!\left(f(x);\, 0, I\right) + \log \left| \det \frac{\partial f(x)}{\partial x} \right|$$
# <!-- proof: probability.change_of_variables -->
#
# A determinant of a large matrix is expensive. The **coupling layer** makes it easy. Split $x = (x_a, x_b)$; leave $x_a$ alone; stretch and shift $x_b$ by amounts $s$ and $t$ that a network computes from $x_a$:
#
# $$z = (x_a,\; x_b \odot e^{s(x_a)} + t(x_a)), \qquad \log \left| \det \frac{\partial z}{\partial x} \right| = \sum_j s_j(x_a)$$
# <!-- proof: probability.coupling -->
#
# The matrix of derivatives is triangular, with ones and $e^{s_j}$ on its diagonal; hence the sum. ($\odot$ multiplies element by element.) And since $z_a = x_a$, the inverse can compute the same $s$ and $t$: no network is ever inverted.


# %%
@exercise("probability.coupling_inverse")
def coupling_inverse(z: Tensor, log_scale: Tensor, shift: Tensor) -> dict[str, Tensor]:
    """Undo a coupling layer: ``z`` ``(B, D)``, ``s`` and ``t`` ``(B, D_b)`` for the last columns; return "x" and the "log_det" of this way, ``(B,)``."""
    ### BEGIN SOLUTION
    kept = z.shape[1] - log_scale.shape[1]
    moved = (z[:, kept:] - shift) * (-log_scale).exp()
    return {"x": torch.cat([z[:, :kept], moved], dim=1), "log_det": -log_scale.sum(dim=1)}
    ### END SOLUTION


# %%
proof("probability.coupling")

# %%
proof("probability.change_of_variables")

# %% [markdown]
# Six layers, turned between them so that both coordinates move. The step is the same as before: it does not care what kind of model it trains. Watch the points while it runs: how well do the eight groups come apart?

# %%
torch.manual_seed(SEED)
flow = CouplingFlow(2).to(device)
flow_optimizer = torch.optim.Adam(flow.parameters(), lr=5e-3, fused=True)
flow_schedule = torch.optim.lr_scheduler.CosineAnnealingLR(flow_optimizer, budget.flow_steps)


@torch.no_grad()
def draw_flow() -> viz.Figure:
    z = torch.randn(2000, 2, generator=torch.Generator().manual_seed(SEED)).to(device)
    return viz.point_panels(
        {"data": points[:2000], "flow": flow.to_points(z)}, title="The flow while it trains"
    )


def flow_step(n: int, x: Tensor) -> dict[str, Tensor]:
    losses = likelihood_step(flow, flow_optimizer, x.to(device))
    flow_schedule.step()
    return losses


history = fit(
    flow_step, draws(law.sample, 256, rng=rng), steps=budget.flow_steps, preview=draw_flow
)

# %%
flow = flow.cpu()
with torch.no_grad():
    flow_nll = -float(flow(fresh).mean())
    line = torch.linspace(-5, 5, 401)
    total = float(flow(torch.cartesian_prod(line, line)).exp().sum()) * 0.025**2
print(f"the density of the flow adds up to {total:.3f} over the square from -5 to 5")
viz.bars(
    {"one Gaussian": bell_nll, "flow": flow_nll, "mixture": mixture_nll, "true law": best},
    xlabel="model",
    ylabel="NLL on fresh points / nats",
    title="Distance to the true law, in one unit for all",
)

# %%
z = torch.randn(2000, 2, generator=rng)
with torch.no_grad():
    stages = {"noise": z, "data": points[:2000], "flow": flow.to_points(z)}
viz.point_panels(stages, title="Noise, bent into a ring")

# %% [markdown]
# The flow finds the ring without being told that there are eight groups. Look between the groups: some points lie on thin bridges, and a few inside the ring. The noise is one connected cloud, and a smooth map that can be undone keeps it connected. So a flow can make the bridges thin but never cut them. The mixture has no such trouble, but it was told the right kind of law.

# %% [markdown]
# ## Families differ in what they know of the density
#
# | family | what it knows of $p(x)$ | passes to draw one example |
# |---|---|---|
# | mixture of Gaussians | exact | 1 |
# | autoregressive model | exact | one for each pixel or token |
# | flow | exact | 1 |
# | variational autoencoder | a lower bound | 1 |
# | diffusion model | a lower bound | many, tens to a thousand |
# | generative adversarial network | nothing: it can only draw | 1 |
# | plain autoencoder | it is no law at all, and cannot draw | |
#
# The first three are **explicit and tractable**, the next two **explicit but approximate**, the adversarial network is **implicit**. The map does not say which family draws best. It says which questions you may ask: how probable is this picture, how wrong is the model, how long does a drawing take. The next cell counts passes for two of them.

# %%
calls = {"chain": 0, "flow": 0}


def counting(name: str):
    def count(*_: object) -> None:
        calls[name] += 1

    return count


chain.hidden.register_forward_hook(counting("chain"))
flow.networks[0].register_forward_hook(counting("flow"))
chain.sample(5, rng=rng)
flow.sample(5, rng=rng)
print(f"passes through the network to draw: chain {calls['chain']}, flow {calls['flow']}")

# %% [markdown]
# ### From the errata: a map with more than two countries
#
# <!-- errata: F03 F06 F41 -->
#
# The two articles that this course corrects present adversarial networks and variational autoencoders as *the* image generators. That leaves out autoregressive models, flows and diffusion; the last has led the field since about 2021 (Dhariwal and Nichol, below). One of them sorts generative models into "unsupervised, supervised and semi-supervised", which tells how labels are used and not what the model is. The useful question is the one of the table: what does it know of the density?
# And the other calls autoencoders as heavy to compute as adversarial networks in one place and cheap in another. For the time to draw, the number of passes decides, and you have just counted it: a flow, an adversarial generator or a decoder draws in one pass, a chain needs one pass for each pixel, a diffusion model many.

# %% [markdown]
# ## An honest run stays within measured bounds
#
# A lesson ends with numbers, and the numbers have bounds. They were calibrated over several seeds, so an honest run should very rarely miss them by bad luck.

# %%
report(
    moment_gap=Goal(moment_gap, at_most=goals.moments),
    autoregressive_gain=Goal(gain, at_least=goals.gain),
    flow_excess=Goal(flow_nll - best, at_most=goals.flow, unit="nats"),
    autoregressive_nll=Goal(chain_nll, unit="nats"),
)

# %%
progress("03")

# %% [markdown]
# ## What to keep
#
# - The mean negative log-likelihood is the forward KL divergence up to a constant. Forward covers, reverse picks; a model that is too simple shows the difference.
# - A density has a unit. Add noise, count bits per dimension, and distrust negative bits.
# - Squared error and cross-entropy are negative log-likelihoods with a hidden choice; on grey values the cross-entropy lacks a factor.
# - Mixtures, chains and flows know $\log p(x)$ exactly. When a likelihood is too good, check that it sums to one.
#
# **Try next.** Give the chain the pixels in column order and compare the nats. Start EM with eight random points as means and count how often a group is missed. Give the flow 12 layers.

# %% [markdown]
# ## Further reading
#
# - I. Goodfellow, *NIPS 2016 Tutorial: Generative Adversarial Networks*, 2016, [arXiv:1701.00160](https://arxiv.org/abs/1701.00160). Section 2 has the map of explicit and implicit densities.
# - T. Minka, *Divergence Measures and Message Passing*, Microsoft Research technical report MSR-TR-2005-173, 2005. Forward, reverse, and what lies between.
# - L. Theis, A. van den Oord and M. Bethge, *A note on the evaluation of generative models*, ICLR 2016, [arXiv:1511.01844](https://arxiv.org/abs/1511.01844). Why likelihood, samples and errors disagree.
# - B. Uria, I. Murray and H. Larochelle, *RNADE: The real-valued neural autoregressive density-estimator*, NeurIPS 2013, [arXiv:1306.0186](https://arxiv.org/abs/1306.0186). Noise on stored values.
# - G. Loaiza-Ganem and J. P. Cunningham, *The continuous Bernoulli: fixing a pervasive error in variational autoencoders*, NeurIPS 2019, [arXiv:1907.06845](https://arxiv.org/abs/1907.06845).
# - A. P. Dempster, N. M. Laird and D. B. Rubin, *Maximum Likelihood from Incomplete Data via the EM Algorithm*, Journal of the Royal Statistical Society B 39(1), 1977, [doi:10.1111/j.2517-6161.1977.tb01600.x](https://doi.org/10.1111/j.2517-6161.1977.tb01600.x).
# - M. Germain, K. Gregor, I. Murray and H. Larochelle, *MADE: Masked Autoencoder for Distribution Estimation*, ICML 2015, [arXiv:1502.03509](https://arxiv.org/abs/1502.03509). The masks of this lesson.
# - A. van den Oord, N. Kalchbrenner and K. Kavukcuoglu, *Pixel Recurrent Neural Networks*, ICML 2016, [arXiv:1601.06759](https://arxiv.org/abs/1601.06759). The chain on real pictures.
# - L. Dinh, J. Sohl-Dickstein and S. Bengio, *Density estimation using Real NVP*, ICLR 2017, [arXiv:1605.08803](https://arxiv.org/abs/1605.08803). Coupling layers.
# - P. Dhariwal and A. Nichol, *Diffusion Models Beat GANs on Image Synthesis*, NeurIPS 2021, [arXiv:2105.05233](https://arxiv.org/abs/2105.05233). When diffusion took the lead.
