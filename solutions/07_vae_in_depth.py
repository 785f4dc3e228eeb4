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
# # 07 · The VAE in depth: beta, collapse, conditions
#
# **[Open this lesson in Colab]({{ colab }})**
#
# Near its end lesson 06 broke a model: its code was empty, and every picture was the same grey average. We blamed a weight
# in the loss. But how large may that weight be? Which codes die first, and how do you save them? And once a code lives,
# how do you ask it for a seven? A model that is simple enough to solve with a pencil answers the first questions exactly.

# %% [markdown]
# **What you will do.** Solve the linear VAE by hand and predict how many of its codes survive, to the last one. Let the residuals
# choose the noise. Read the plane of rate and distortion. Rescue a model with a price that grows slowly. Tighten the
# bound with several codes a picture. Then give both networks a label and draw the digit that you ask for.
#
# **What you need.** Lesson 06: the bound, its two terms, the sampling trick. Eigenvalues of a covariance matrix.

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 28 s |
# | `cpu` | a laptop; measured on two busy cores | 60 s |
# | `gpu` | a GPU, more drawings and steps | not measured yet |
#
# **What you will reach** (`cpu`): the number of living codes of a linear VAE predicted exactly for five weights, and a
# conditional VAE that draws the digit you ask for in at least 95 of 100 cases, as a small classifier reads it.

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

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course import data, metrics, viz
from genimg_course.exercises import exercise, progress
from genimg_course.maths import (
    bernoulli_nll,
    gaussian_kl,
    gaussian_log_density,
    importance_log_likelihood,
    linear_vae_terms,
    optimal_linear_vae,
    reparameterise,
)
from genimg_course.maths.proofs import proof
from genimg_course.models import CVAE, DenseVAE, LinearVAE, logits_to_images
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.source import show_source
from genimg_course.training import fit, pick_device, seed_everything, vae_step

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(images=2000, betas=2, linear=300, dense=100, cvae=40, samples=10),
    cpu=dict(images=10000, betas=5, linear=1000, dense=1000, cvae=1400, samples=100),
    gpu=dict(images=20000, betas=5, linear=1000, dense=4000, cvae=6000, samples=500),
)
goals = choose_budget(
    PROFILE,
    smoke=dict(miscounted=0, deaf=2, revived=15, gain=None, accuracy=None),
    cpu=dict(miscounted=0, deaf=2, revived=15, gain=0.0, accuracy=0.95),
    gpu=dict(
        miscounted=None, deaf=None, revived=None, gain=None, accuracy=None
    ),  # not measured yet
)
device = pick_device() if budget.profile == "gpu" else pick_device("cpu")
rng = seed_everything(SEED)
print(f"profile {budget.profile} on {device}")

# %% [markdown]
# ## A drawing has a few loud directions and many faint ones
#
# Take all drawings as rows of 256 numbers, the ink of each pixel between 0 and 1. Along some directions of this space the drawings
# differ much, along most of them hardly at all. The variances $\lambda_1 \ge \lambda_2 \ge \dots$ along the principal directions are the eigenvalues of the covariance
# matrix. Expect a curve that falls fast: it says how much there is to tell about a drawing, direction by direction.

# %%
train = data.load("glyphs", size=16, count=budget.images)
unseen = data.load("glyphs", size=16, split="validation", count=1000)
x_unseen = data.to_model_range(unseen.images).to(device)  # (N, 1, 16, 16)
ink = (data.to_model_range(train.images).flatten(start_dim=1) + 1) / 2  # (N, 256)
ink = ink - ink.mean(dim=0)
covariance = torch.cov(ink.T)  # (256, 256)
variances = torch.linalg.eigvalsh(covariance).flip(0).clamp_min(1e-6)
viz.lines(
    range(1, 65),
    {"variance": variances[:64]},
    xlabel="direction",
    ylabel="variance of the ink",
    yscale="log",
    title="A few directions vary much, most hardly at all",
)

# %% [markdown]
# ## A linear VAE is solved with a pencil
#
# Let decoder and encoder be linear. In its best form such a model treats every principal direction for itself, so look at one: centred data $x$ of variance
# $\lambda$, decoder $N(wz, \sigma^2)$, encoder $N(vx, s)$, prior $N(0, 1)$. The number $\sigma^2$ is the **noise** that the decoder admits in a pixel, and $\beta$ weighs the KL term.
# All means are means of squares, so the loss has no integral left. Up to a constant it is
#
# $$F = \underbrace{\frac{(1 - wv)^2 \lambda + w^2 s}{2\sigma^2}}_{\text{distortion}}
# + \beta\, \underbrace{\tfrac12 \left( v^2 \lambda + s - 1 - \log s \right)}_{\text{rate}}$$
# <!-- proof: vae.linear_optimum -->
#
# The decoder multiplies a code by $w$; the encoder multiplies the data by $v$ and gives every code the variance $s$.
# Set the derivatives with respect to $v$ and $s$ to zero. With the short names $c = \beta\sigma^2$ and $u = w^2 + c$ they give $v = w / u$ and
# $s = c / u$. Put both back, and nearly everything cancels:
#
# $$F = \frac\beta2 \left( \frac\lambda u + \log \frac uc \right), \qquad u \ge c$$
# <!-- proof: vae.linear_optimum -->
#
# One variable is left. The bracket falls until $u = \lambda$ and rises after it. But $u$ cannot be smaller than $c$, for $w^2$ is not negative.
# Draw it for four variances. Where does each curve have its lowest point?

# %%
squares = torch.linspace(0, 4, 81)
viz.lines(
    squares,
    {
        f"variance {ratio:g} times c": 0.5 * (ratio / (squares + 1) + (squares + 1).log())
        for ratio in (0.5, 1.0, 2.0, 4.0)
    },
    xlabel="square of the decoder's weight, in units of c",
    ylabel="loss / beta in nats",
    title="Where the variance is at most c the best weight is zero",
)

# %% [markdown]
# ## A direction lives only if its variance beats beta times the noise
#
# So there are two cases. If $\lambda > \beta\sigma^2$ the minimum lies at $u = \lambda$: the direction gets a weight, and its code is the sharper
# the louder it is. Otherwise the minimum is at the edge, $w = v = 0$ and $s = 1$: the code is the prior, whatever the picture. This is **posterior
# collapse**, and here it is not a failure of the optimiser. It is the optimum. For every direction $i$, and up to the same constant as above,
#
# $$w_i^2 = \max(\lambda_i - \beta\sigma^2,\, 0), \qquad s_i = \min\left(1, \frac{\beta\sigma^2}{\lambda_i}\right), \qquad
# F_i = \begin{cases} \frac\beta2 \left(1 + \log \frac{\lambda_i}{\beta\sigma^2}\right) & \lambda_i > \beta\sigma^2 \\ \frac{\lambda_i}{2\sigma^2} & \text{otherwise} \end{cases}$$
# <!-- proof: vae.linear_optimum -->
#
# Note what happens for $\beta \to 0$: the spreads $s_i$ go to zero. Without its price a code becomes a point, and the VAE an autoencoder.

# %%
proof("vae.linear_optimum")

# %%
proof("vae.collapse_threshold")

# %% [markdown]
# Now predict. Given the variances, the weight $\beta$ and the noise $\sigma^2$: how many codes live?


# %%
@exercise("vae.active_units")
def active_units(variances: Tensor, *, beta: float = 1.0, noise: float) -> int:
    """Number of living codes of the best linear VAE; ``variances`` is ``(D,)``, ``noise`` is a variance."""
    ### BEGIN SOLUTION
    return int((variances > beta * noise).sum())
    ### END SOLUTION


# %%
noise = 0.05
betas = (32.0, 16.0, 8.0, 4.0, 2.0)[: budget.betas]
for beta in betas:
    print(f"beta {beta:4g}: {active_units(variances, beta=beta, noise=noise):2d} codes should live")

# %% [markdown]
# ## Train it and count: the prediction is exact
#
# The threshold was derived for the best model. Does training find it? Take 32 latents, small random weights, and Adam. The loss needs no sampling: rate and distortion follow from the covariance
# $\Sigma$ of the drawings alone, with decoder $W$, encoder $V$ and spreads $s$. $D$ is the distortion, $R_j$ the rate of code $j$, and $d = 256$ the number of pixels.
#
# $$D = \frac{\mathrm{tr}\left((I - WV)\,\Sigma\,(I - WV)^\top + W\,\mathrm{diag}(s)\,W^\top\right)}{2\sigma^2} + \frac d2 \log 2\pi\sigma^2,
# \qquad R_j = \tfrac12 \left( (V \Sigma V^\top)_{jj} + s_j - 1 - \log s_j \right)$$
# <!-- proof: vae.linear_terms -->

# %%
show_source(LinearVAE)

# %%
proof("vae.linear_terms")


# %%
def train_linear(latent_dim: int, beta: float, noise: float) -> LinearVAE:
    """Minimise distortion plus beta times rate of a linear VAE on all drawings at once."""
    model = LinearVAE(256, latent_dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.linear)

    def step(n: int) -> dict[str, Tensor]:
        terms = model.decoder, model.encoder, model.logvar, covariance
        distortion, rate = linear_vae_terms(*terms, noise=noise)
        optimizer.zero_grad()
        (distortion + beta * rate.sum()).backward()
        optimizer.step()
        schedule.step()
        return {"distortion": distortion.detach(), "rate": rate.detach().sum()}

    fit(step, itertools.repeat(()), steps=budget.linear, progress=False)
    return model


@torch.no_grad()
def rates(model: LinearVAE) -> Tensor:
    """Return the nats that each code carries, the largest first, ``(Z,)``."""
    terms = model.decoder, model.encoder, model.logvar, covariance
    return linear_vae_terms(*terms, noise=1.0)[1].sort(descending=True).values


# %%
carried, miscounted = {}, 0
for beta in betas:
    carried[beta] = rates(train_linear(32, beta, noise))
    alive = int((carried[beta] > 0.005).sum())
    expected = active_units(variances, beta=beta, noise=noise)
    miscounted += abs(alive - expected)
    print(f"beta {beta:4g}: predicted {expected:2d}, trained {alive:2d} living codes of 32")

# %% [markdown]
# The counts agree. And the nats that each code carries? The pencil says $\frac12 \log \frac{\lambda_i}{\beta\sigma^2}$ for a living code and zero for an empty one. Expect one curve to lie on the other.

# %%
shown = betas[-1]
predicted = optimal_linear_vae(variances, beta=shown, noise=noise)["rate"][:32]
viz.lines(
    range(1, 33),
    {"predicted": predicted, "trained": carried[shown]},
    xlabel="code, the loudest first",
    ylabel="nats",
    markers=True,
    title=f"At beta = {shown:g} the trained codes cover the predicted ones",
)

# %% [markdown]
# ## Beta is a noise variance in disguise
#
# In the threshold $\beta$ and $\sigma^2$ appear as a product only. That is no accident of the linear model. For any Gaussian decoder with a fixed noise
#
# $$\frac{\lVert x - \hat x \rVert^2}{2\sigma^2} + \beta\,\mathrm{KL} = \beta \left( \frac{\lVert x - \hat x \rVert^2}{2 \beta\sigma^2} + \mathrm{KL} \right)$$
# <!-- proof: vae.beta_is_noise -->
#
# so a model trained with weight $\beta$ and noise $\sigma^2$ gets the same weights as a plain VAE with noise $\beta\sigma^2$. "Squared error plus KL" hides a choice: half the squared
# error means $\sigma^2 = 1$, a spread as large as the whole range of the ink. Take a variance of nearly that much, 0.9. Which directions are louder?

# %%
proof("vae.beta_is_noise")

# %%
torch.manual_seed(SEED)
deaf = train_linear(16, beta=1.0, noise=0.9)
heard = int((rates(deaf) > 0.005).sum())
expected = active_units(variances, noise=0.9)
print(f"noise 0.9: {expected} of 16 codes should live, {heard} do")

# %% [markdown]
# ## The residuals say how much noise to admit
#
# That model is nearly deaf: it hears two directions of 256. But the noise is a parameter of the decoder like any other, so the likelihood can choose it. For $d$ pixels the loss is
# the mean of $\frac{1}{2\sigma^2}\lVert x - \hat x\rVert^2 + \frac d2 \log 2\pi\sigma^2$. The first term wants much noise, the second little. Set the derivative with respect to $\sigma^2$ to zero:
#
# $$\sigma^{2*} = \frac1d\, \mathbb E\, \lVert x - \hat x \rVert^2$$
# <!-- proof: vae.optimal_noise -->
#
# (The badge below calls the number of pixels $D$, a letter that we keep for the distortion.)


# %%
@exercise("vae.optimal_noise")
def optimal_noise(x_hat: Tensor, x: Tensor) -> Tensor:
    """The best noise variance of a pixel, a scalar, for means ``x_hat`` and pictures ``x``, both ``(B, ...)``."""
    ### BEGIN SOLUTION
    return (x - x_hat).square().mean()
    ### END SOLUTION


# %%
proof("vae.optimal_noise")

# %% [markdown]
# This is the first cure of collapse. Begin with the deaf model and let the noise follow the residuals, measured on fresh batches with sampled codes. As the noise falls, one direction
# after the other crosses the threshold, and each one lowers the residuals further. Expect more living codes and sharper pictures.


# %%
def revive(model: LinearVAE, noise: float) -> float:
    """Train on with a noise that follows the residuals; return the last noise."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.linear)
    for _ in range(budget.linear):
        x = ink[torch.randint(len(ink), (64,))]
        with torch.no_grad():
            noise = 0.9 * noise + 0.1 * float(optimal_noise(model(x)[0], x))
        terms = model.decoder, model.encoder, model.logvar, covariance
        distortion, rate = linear_vae_terms(*terms, noise=noise)
        optimizer.zero_grad()
        (distortion + rate.sum()).backward()
        optimizer.step()
        schedule.step()
    return noise


with torch.no_grad():
    before = deaf.decode(deaf.encode(ink[:12])[0])
found = revive(deaf, noise=0.9)
revived = int((rates(deaf) > 0.005).sum())
print(f"noise {found:.4f}, theory {variances[16:].mean():.4f}: {revived} of 16 codes live")

# %%
mean_ink = (data.to_model_range(train.images).flatten(start_dim=1).mean(dim=0) + 1) / 2
with torch.no_grad():
    after = deaf.decode(deaf.encode(ink[:12])[0])
rows = {"drawing": ink[:12], "noise 0.9": before, "own noise": after}
pictures = {
    name: ((row + mean_ink) * 2 - 1).clamp(-1, 1).view(-1, 1, 16, 16) for name, row in rows.items()
}
viz.compare_rows(pictures, title="The same linear VAE, deaf and cured")

# %% [markdown]
# At $\beta = 1$ and its own noise the best linear VAE *is* probabilistic principal component analysis: the bound has no gap, and the best noise is the mean variance of the directions that found no code.
# Here is one cause of blur. A decoder that admits noise $\sigma^2$ has no reason to draw what is fainter than that.

# %%
proof("vae.factor_analysis")

# %% [markdown]
# ## Rate and distortion share out what there is to tell
#
# As before, the **distortion** $D$ is the mean of the reconstruction term and the **rate** $R$ the mean of the KL term, now for any VAE. How much does the code really know about the picture? Let $H$ be the entropy of
# the pictures, the least mean cost of telling one, and $I_q(x; z)$ the information between picture and code: how much of that cost is saved by knowing the code. A decoder can only report what the code knows, and a code cannot know more than it pays for:
#
# $$H - D \le I_q(x; z) \le R$$
# <!-- proof: vae.information_bounds -->
#
# The left side: given the code, a picture costs $H - I_q$ nats if the decoder is perfect, and $D$ nats with ours. The right side: the rate pays for the information, and for a second thing,
#
# $$R = I_q(x; z) + \mathrm{KL}(q(z) \Vert p(z)), \qquad q(z) = \mathbb E_x\, q(z \mid x)$$
# <!-- proof: vae.elbo_surgery -->
#
# namely for the codes of *all* pictures together, $q(z)$, if they are not spread like the prior. So what should match the prior is the average of all encoders. The encoder of a single picture must differ from the prior, or its code tells nothing.

# %%
proof("vae.information_bounds")

# %%
proof("vae.elbo_surgery")

# %% [markdown]
# Write a function that reads points of this plane. The sum $D + R$ is the negative bound; no model can push it below $H$, and the excess says how far it lies above.


# %%
@exercise("vae.information_bounds")
def information_bounds(rate: Tensor, distortion: Tensor, *, entropy: float) -> dict[str, Tensor]:
    """Return "negative_elbo", "at_least", "at_most" (of the information) and "excess", each ``(N,)``, in nats."""
    ### BEGIN SOLUTION
    return {
        "negative_elbo": distortion + rate,
        "at_least": (entropy - distortion).clamp_min(0),
        "at_most": rate,
        "excess": distortion + rate - entropy,
    }
    ### END SOLUTION


# %% [markdown]
# Nobody knows the entropy of drawings. But for a Gaussian with the variances of the sixteen loudest directions it is known, $H = \frac12 \sum_i \log 2\pi e \lambda_i$ (a differential entropy, which may be negative), and so is the
# best linear VAE for every $\beta$. Read its plane.

# %%
loud = variances[:16]
entropy = float(0.5 * (2 * math.pi * math.e * loud).log().sum())
choices = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
best = [optimal_linear_vae(loud, beta=beta, noise=noise) for beta in choices]
rate = torch.stack([terms["rate"].sum() for terms in best])
distortion = torch.stack([terms["distortion"].sum() for terms in best])
plane = information_bounds(rate, distortion, entropy=entropy)
print(f"entropy {entropy:.2f} nats\n{'beta':>5}{'at least':>10}{'at most':>9}{'excess':>8}")
for k, beta in enumerate(choices):
    row = [float(plane[key][k]) for key in ("at_least", "at_most", "excess")]
    print(f"{beta:5g}{row[0]:10.2f}{row[1]:9.2f}{row[2]:8.2f}")

# %% [markdown]
# At $\beta = 1$ the excess is zero: the bound is tight and the two limits of the information agree. (All sixteen directions are louder than the noise here.) Every other $\beta$ costs something. A smaller one buys a rate that is not needed, a larger one saves at the wrong place.
#
# ## Beta is the slope of the curve
#
# Minimising $D + \beta R$ means: go down the curve until one more nat of rate saves just $\beta$ nats of distortion. So along the curve of best models
#
# $$\frac{dD}{dR} = -\beta$$
# <!-- proof: vae.rate_distortion_slope -->

# %%
proof("vae.rate_distortion_slope")

# %% [markdown]
# ## Five prices make five models
#
# Now with networks. Five small VAEs with eight latents and the decoder of lesson 06, which gives each pixel a probability of ink, are alike but for $\beta$. Predict which of them has the smallest sum $D + R$, which one has the sharpest rebuilt pictures, and which one has collapsed.

# %%
prices = (0.1, 0.3, 1.0, 3.0, 10.0)


def train_dense(latent_dim: int, depth: int, beta=lambda n: 1.0, *, lr: float = 2e-3) -> DenseVAE:
    """Train a small VAE whose KL weight may change from step to step."""
    torch.manual_seed(SEED)
    model = DenseVAE(latent_dim, 16, depth=depth).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    batches = data.Batches(train, 64, rng=torch.Generator().manual_seed(SEED), device=device)

    def step(n: int, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        return vae_step(model, optimizer, x, beta=beta(n))

    fit(step, batches, steps=budget.dense, progress=False)
    return model.eval()


@torch.no_grad()
def point(model, *condition: Tensor) -> tuple[float, float, int]:
    """Return rate, distortion and the number of living codes on unseen drawings."""
    logits, mu, logvar = model(x_unseen, *condition)
    cost = bernoulli_nll(logits, (x_unseen + 1) / 2).mean()
    alive = int((metrics.kl_per_latent(mu, logvar) > 0.05).sum())
    return float(gaussian_kl(mu, logvar).mean()), float(cost), alive


# %%
models = {beta: train_dense(8, 1, lambda n, b=beta: b, lr=3e-3) for beta in prices}
points = {beta: point(model) for beta, model in models.items()}
print(f"{'beta':>5}{'rate':>8}{'distortion':>12}{'sum':>8}{'alive':>7}")
for beta, (r, d, alive) in points.items():
    print(f"{beta:5g}{r:8.2f}{d:12.2f}{r + d:8.2f}{alive:7d}")

# %%
viz.lines(
    [points[beta][0] for beta in prices],
    {"one model for each beta": [points[beta][1] for beta in prices]},
    xlabel="rate in nats",
    ylabel="distortion in nats",
    markers=True,
    title="From left to right beta falls from 10 to 0.1",
    alt="A falling convex curve: distortion against rate of five models, beta from 10 to 0.1.",
)

# %%
with torch.no_grad():
    rebuilt = {
        f"beta {beta:g}": logits_to_images(model.decode(model.encode(x_unseen[:12])[0]))
        for beta, model in models.items()
    }
viz.compare_rows({"drawing": x_unseen[:12], **rebuilt}, title="A dear code says little")

# %% [markdown]
# Look at the plot once more. For the best models the slope of each piece, without its sign, lies between the two values of $\beta$ at its ends. Work it out from the table: trained models come near that.
# The smallest sum should belong to $\beta = 1$, for that is what $\beta = 1$ minimises. Cheaper codes rebuild better and are the worse models of the data; at $\beta = 10$ nothing is left but the mean.
#
# Where does the rate go? Draw a code for each of the unseen drawings and ask how much better its own encoder explains it than the average of all encoders: that estimates $I_q$ for these drawings. The rest is the distance of their $q(z)$ from the prior.


# %%
@torch.no_grad()
def information(model: DenseVAE) -> float:
    """Return the information between the unseen drawings and their codes, in nats."""
    mu, logvar = model.encode(x_unseen)
    z = reparameterise(mu, logvar)
    own = gaussian_log_density(z, mu, logvar)
    each = [gaussian_log_density(c.expand_as(mu), mu, logvar).logsumexp(dim=0) for c in z]
    return float((own - torch.stack(each) + math.log(len(mu))).mean())


for beta in prices[1:4]:
    told = information(models[beta])
    print(f"beta {beta:g}: rate {points[beta][0]:5.2f} = {told:.2f} + {points[beta][0] - told:.2f}")
print(f"the most that can be told about {len(x_unseen)} drawings: {math.log(len(x_unseen)):.2f}")

# %% [markdown]
# Mind the ceiling: a code that tells all these drawings apart knows $\log 1000 = 6.91$ nats about *which one* it is, and not more. So a large remainder at small $\beta$ has two readings, codes that are spread unlike the prior, and codes that are sharper than these drawings need.
#
# ## A price that comes too soon freezes the code
#
# Collapse has a second cause, and this one is the optimiser's. At the first steps the decoder cannot read the code yet, so the code brings nothing and costs something: the gradient closes it. Some latents
# do not open again while we train. The cure is a **warm-up**: let the weight grow from nearly nothing to $\beta$ over the first $N$ steps. Step $n$ gets
#
# $$\beta_n = \beta\, \min\left(1, \frac{n + 1}{N}\right), \qquad n = 0, 1, 2, \dots$$
# <!-- definition -->


# %%
@exercise("vae.warm_up")
def warm_up(n: int, steps: int, *, beta: float = 1.0) -> float:
    """Weight of the KL term in step ``n``, from 0; step ``steps - 1`` is the first with the whole of ``beta``."""
    ### BEGIN SOLUTION
    return beta * min(1.0, (n + 1) / steps)
    ### END SOLUTION


# %% [markdown]
# Three VAEs with one more hidden layer: eight latents, thirty-two, and thirty-two with a warm-up over six tenths of the training. Is a bigger latent space better? Predict the order of the three bounds.

# %%
length = int(0.6 * budget.dense)
contest = {
    "8": train_dense(8, 2),
    "32": train_dense(32, 2),
    "32, warm-up": train_dense(32, 2, lambda n: warm_up(n, length)),
}
scores = {name: point(model) for name, model in contest.items()}
gain = sum(scores["32"][:2]) - sum(scores["32, warm-up"][:2])
for name, (r, d, alive) in scores.items():
    print(f"{name:12} latents: {r + d:6.2f} nats, {alive} codes live")

# %%
viz.bars(
    {name: r + d for name, (r, d, _) in scores.items()},
    xlabel="latents",
    ylabel="negative bound in nats",
    title="Not more latents, but a price that grows",
)

# %% [markdown]
# Compare the numbers of living codes: most of the thirty-two are silent. So more latents alone bring little or nothing. The warm-up gained 1.8 to 3.3 nats with each of eight seeds, with the same network, the same data and the same number of steps.
#
# ## Several codes a picture tighten the bound
#
# The bound of lesson 06 averages the log of one ratio. Average $K$ ratios *before* the logarithm, with codes $z_1, \dots, z_K$ drawn from the encoder one by one, and the bound rises with $K$ towards the truth:
#
# $$\mathcal L_K = \mathbb E \log \frac1K \sum_{k=1}^K w_k, \qquad w_k = \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad
# \mathcal L_1 \le \mathcal L_K \le \mathcal L_{K+1} \le \log p(x)$$
# <!-- proof: vae.importance_bound -->
#
# Why does it rise? A mean over $K + 1$ ratios is the mean of its means over $K$ of them, and the log of a mean is at least the mean of the logs. Used as an objective this is the importance-weighted autoencoder. What does its gradient
# look like? Write each code as a function of its noise, as in lesson 06. Then by the chain rule each sample counts by its share:
#
# $$\nabla \log \frac1K \sum_k w_k = \sum_k \tilde w_k\, \nabla \log w_k, \qquad \tilde w_k = \frac{w_k}{\sum_l w_l}$$
# <!-- proof: vae.importance_gradient -->


# %%
@exercise("vae.importance_weights")
def importance_weights(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """Share of each sample in the gradient, ``(K, B)``, from ``log p(x, z_k)`` and ``log q(z_k | x)``, ``(K, B)``."""
    ### BEGIN SOLUTION
    return torch.softmax(log_joint - log_q, dim=0)
    ### END SOLUTION


# %%
proof("vae.importance_bound")

# %%
proof("vae.importance_gradient")


# %%
@torch.no_grad()
def log_terms(model: DenseVAE, x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return log p(x, z_k) and log q(z_k | x) for ``count`` codes per image, each ``(count, B)``."""
    mu, logvar = model.encode(x)
    zero, joint, q = torch.zeros_like(mu), [], []
    for _ in range(count):
        z = reparameterise(mu, logvar)
        likelihood = -bernoulli_nll(model.decode(z), (x + 1) / 2)
        joint.append(likelihood + gaussian_log_density(z, zero, zero))
        q.append(gaussian_log_density(z, mu, logvar))
    return torch.stack(joint), torch.stack(q)


log_joint, log_q = log_terms(models[1.0], x_unseen[:500], budget.samples)
for k in (1, 5, budget.samples):
    bound = -float(importance_log_likelihood(log_joint[:k], log_q[:k]).mean())
    shares = importance_weights(log_joint[:k], log_q[:k])
    effective = float((1 / shares.square().sum(dim=0)).mean())
    print(f"K = {k:3d}: {bound:6.2f} nats; as good as {effective:5.1f} equal samples")

# %% [markdown]
# The printed number is the bound with its sign turned, so a tighter bound is a smaller number. The second column shows the price: most of the samples hardly carry any gradient, because a few ratios outweigh the others. With equal shares the gradient would be that of the bound of lesson 06 again.
#
# ## Ask for a digit: the class must reach both networks
#
# So far nobody could ask for a seven. Give the class $y$ to the model and repeat the line of algebra of lesson 06 with everything conditioned on $y$:
#
# $$\log p(x \mid y) = \mathbb E_{q(z \mid x, y)}[\log p(x \mid z, y)] - \mathrm{KL}(q(z \mid x, y) \Vert p(z \mid y)) + \mathrm{KL}(q(z \mid x, y) \Vert p(z \mid x, y))$$
# <!-- proof: vae.conditional_bound -->
#
# Read where $y$ stands. The encoder $q(z \mid x, y)$ sees it, the decoder $p(x \mid z, y)$ sees it. The prior $p(z \mid y)$ may depend on it; we keep $p(z \mid y) = N(0, I)$, the same for all classes, so that the code
# describes how a digit is drawn and the label says which. If only the encoder sees the class, the decoder cannot be asked for anything, and the class is lost.


# %%
@exercise("vae.route_condition")
def route_condition(x: Tensor, z: Tensor, y: Tensor, *, classes: int) -> dict[str, Tensor]:
    """Return what each network sees: "encoder" ``(B, C + K, H, W)`` and "decoder" ``(B, Z + K)``, the one-hot class last."""
    ### BEGIN SOLUTION
    one_hot = F.one_hot(y, classes)  # (B, K)
    planes = one_hot.to(x)[:, :, None, None].expand(-1, -1, *x.shape[2:])  # (B, K, H, W)
    return {
        "encoder": torch.cat([x, planes], dim=1),
        "decoder": torch.cat([z, one_hot.to(z)], dim=1),
    }
    ### END SOLUTION


# %%
proof("vae.conditional_bound")

# %%
viz.cvae_diagram()

# %%
show_source(CVAE)

# %% [markdown]
# The step is the one of lesson 06 with one more argument. The picture below the bar shows ten digits, four codes each. Watch which comes first, the ten digits or the four styles. The price warms up here as well.

# %%
torch.manual_seed(SEED)
cvae = CVAE(latent_dim=8, size=16, width=16).to(device)
optimizer = torch.optim.Adam(cvae.parameters(), lr=3e-3, fused=True)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.cvae, eta_min=1e-4)
styles = torch.randn(4, 8, device=device)


@torch.no_grad()
def draw_digits() -> viz.Figure:
    digits = torch.arange(10, device=device).repeat(len(styles))
    z = styles.repeat_interleave(10, dim=0)
    pictures = logits_to_images(cvae.decode(z, digits))
    return viz.image_grid(pictures, columns=10, title="one code a row, one digit a column")


def step(n: int, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    losses = vae_step(cvae, optimizer, x, y, beta=warm_up(n, budget.cvae // 3))
    schedule.step()
    return losses


batches = data.Batches(train, 96, rng=rng, device=device)
history = fit(step, batches, steps=budget.cvae, preview=draw_digits)

# %% [markdown]
# Read the grid by rows. The code is the same along a row, so the slant and the weight of the strokes should be shared by all ten digits. It never learned that on purpose: the class was given, and what is left for the code is how the digit is drawn.

# %%
viz.curves(
    history,
    names=["reconstruction", "kl"],
    title="The KL term dips, then the code fills up",
)

# %% [markdown]
# The class costs no nats, for it is given. Look at the stretch after the first hundred steps: the reconstruction goes on falling while the KL term is near its least value. What the code adds comes later.
#
# ## A judge who never saw these pictures counts the right digits
#
# The judge of the course is a small classifier trained on the drawings of the data set. Ask the model for 1000 digits, a hundred of each, and let the judge read them.

# %%
judge = metrics.load_judge("glyphs", 16, device=device)
asked = torch.arange(1000, device=device) % 10
cvae.eval()
with torch.no_grad():
    drawn = logits_to_images(cvae.decode(torch.randn(1000, 8, device=device), asked))
accuracy = judge.accuracy(drawn, asked)
r, d, alive = point(cvae, unseen.labels.to(device))
print(f"{accuracy:.1%} are read as what was asked for; {alive} of 8 codes live")
print(f"rate {r:.2f} + distortion {d:.2f} = {r + d:.2f} nats")

# %% [markdown]
# A warning: this number says nothing about variety. A model whose code is empty draws the average of each class, the judge recognises it, and the accuracy is high. So read it together with the rate, which says how much the code tells beyond the class.
#
# Now ask for digits yourself. The two sliders for the code move the two of its numbers that carry most nats.


# %%
@torch.no_grad()
def request(digit: int = 7, first: float = 0.0, second: float = 0.0) -> viz.Figure:
    z = styles[:1].clone()
    z[0, order[0]], z[0, order[1]] = first, second
    pictures = logits_to_images(cvae.decode(z, torch.tensor([digit], device=device)))
    return viz.image_grid(pictures, columns=1, titles=[f"a {digit}"])


with torch.no_grad():
    order = metrics.kl_per_latent(*cvae.encode(x_unseen, unseen.labels.to(device))).argsort(
        descending=True
    )
viz.explore(request, digit=(0, 9, 1, 7), first=(-3.0, 3.0, 0.1, 0.0), second=(-3.0, 3.0, 0.1, 0.0))

# %% [markdown]
# ### From the errata: what a VAE is pulled to, and why it blurs
#
# Of the two articles that this course corrects, one says that the encoder's law approaches the distribution of the data. It approaches the *posterior* of the code, and what is pulled to the prior is the average of all encoders.
# Its total loss counts the reconstruction twice and has no KL term. That is $\beta = 0$: the best spreads are zero, as you saw, and what is left is an autoencoder without a law to draw from.
# It also uses "conditional generative model" as another name for the conditional GAN. A conditional VAE is one too.
#
# The other article puts the mean of $p(x \mid z)$ into the latent space; it is the decoder's output, a picture, with noise $\sigma^2$ around it. It writes a general covariance for the code, where practice has a diagonal one; the price of a full one needs
# the formula with traces and determinants in lesson 06. It calls the pictures faithful and, a few lines on, of low quality, without a reason: the blur comes from the noise that the decoder admits and from codes that do not follow the prior. And it calls a VAE as dear as a GAN and, elsewhere, cheap. Both draw
# a picture in one pass through one network.
#
# <!-- errata: F02 F11 F41 M13 M15 M17 M23 -->

# %% [markdown]
# ## An honest run stays within measured bounds

# %%
report(
    miscounted_codes=Goal(miscounted, at_most=goals.miscounted),
    deaf_codes=Goal(heard, at_most=goals.deaf),
    revived_codes=Goal(revived, at_least=goals.revived),
    gain_of_warm_up=Goal(gain, at_least=goals.gain, unit="nats"),
    conditional_accuracy=Goal(accuracy, at_least=goals.accuracy),
)

# %%
progress("07")

# %% [markdown]
# ## What to keep
#
# - A linear VAE keeps a direction only if its variance exceeds $\beta\sigma^2$. Collapse can be the optimum, not an accident.
# - With a Gaussian decoder $\beta$ and the noise are one choice. The residuals make it for you: $\sigma^{2*}$ is the mean squared error per pixel.
# - Rate and distortion enclose what the code knows; $\beta$ is the slope at which you trade them. Below 1 the loss no longer bounds $-\log p(x)$ from above; beyond 1 the bound is looser.
# - A warm-up keeps codes open that an early price would close. More latents alone hardly help.
# - Several codes a picture tighten the bound, and the gradient follows the heaviest.
# - To ask for a class, give it to both networks, and judge variety apart from accuracy.
#
# **Try next.** Train the conditional model with `beta=4` in `warm_up` and compare accuracy and rate. Give `train_linear` a noise of 0.01, and count first. Make the prior of each class a Gaussian with a learned mean.

# %% [markdown]
# ## Further reading
#
# - J. Lucas, G. Tucker, R. Grosse and M. Norouzi, *Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse*, NeurIPS 2019, [arXiv:1911.02469](https://arxiv.org/abs/1911.02469). The threshold, with proofs.
# - M. E. Tipping and C. M. Bishop, *Probabilistic Principal Component Analysis*, Journal of the Royal Statistical Society B 61, 1999, [doi:10.1111/1467-9868.00196](https://doi.org/10.1111/1467-9868.00196).
# - B. Dai, Y. Wang, J. Aston, G. Hua and D. Wipf, *Connections with Robust PCA and the Role of Emergent Sparsity in Variational Autoencoder Models*, JMLR 19, 2018, [arXiv:1706.05148](https://arxiv.org/abs/1706.05148).
# - I. Higgins, L. Matthey, A. Pal, C. Burgess, X. Glorot, M. Botvinick, S. Mohamed and A. Lerchner, *beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework*, ICLR 2017, [openreview.net](https://openreview.net/forum?id=Sy2fzU9gl). The weight beta.
# - A. A. Alemi, B. Poole, I. Fischer, J. V. Dillon, R. A. Saurous and K. Murphy, *Fixing a Broken ELBO*, ICML 2018, [arXiv:1711.00464](https://arxiv.org/abs/1711.00464). The plane of rate and distortion.
# - O. Rybkin, K. Daniilidis and S. Levine, *Simple and Effective VAE Training with Calibrated Decoders*, ICML 2021, [arXiv:2006.13202](https://arxiv.org/abs/2006.13202). Let the residuals choose the noise.
# - S. R. Bowman, L. Vilnis, O. Vinyals, A. M. Dai, R. Jozefowicz and S. Bengio, *Generating Sentences from a Continuous Space*, CoNLL 2016, [arXiv:1511.06349](https://arxiv.org/abs/1511.06349). A price that grows.
# - C. K. Sønderby, T. Raiko, L. Maaløe, S. K. Sønderby and O. Winther, *Ladder Variational Autoencoders*, NeurIPS 2016, [arXiv:1602.02282](https://arxiv.org/abs/1602.02282). Warm-up again, for many layers.
# - Y. Burda, R. Grosse and R. Salakhutdinov, *Importance Weighted Autoencoders*, ICLR 2016, [arXiv:1509.00519](https://arxiv.org/abs/1509.00519).
# - K. Sohn, H. Lee and X. Yan, *Learning Structured Output Representation using Deep Conditional Generative Models*, NeurIPS 2015, [papers.nips.cc/paper/5775](https://papers.nips.cc/paper/5775). The conditional VAE.
# - M. D. Hoffman and M. J. Johnson, *ELBO Surgery*, 2016, [approximateinference.org](http://approximateinference.org/2016/accepted/HoffmanJohnson2016.pdf). Where the rate goes.
