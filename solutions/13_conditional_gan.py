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
# # 13 · Conditional generation: ask for a seven and get one
#
# **[Open this lesson in Colab]({{ colab }})**
#
# A plain GAN draws whatever it likes. A conditional GAN (cGAN) draws what you ask for. The change looks small: both networks also see the
# label. Why *both*, how the label should enter, and how you know that it worked, is what this lesson is about.

# %% [markdown]
# **What you will do.** Write the losses of the game from logits, the way a label enters each network, the penalty that keeps training
# stable, and the training step. Train, ask for digits, and measure whether you got them. See why a discriminator that also classifies prefers easy pictures. Then take the label away from one network
# and see what a generator does when nobody checks.
#
# **What you need.** Gradients and convolutions in PyTorch, and what a probability density is. The GAN game and every symbol are
# explained where they first appear. (Lesson 02 prepares this one, lessons 09 and 10 say more about the game, and lesson 12 about speed.)

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 15 s |
# | `cpu` | a laptop; measured on two cores | 86 s |
# | `gpu` | a GPU, 28 pixels | not measured yet |
#
# **What you will reach** (`cpu`): the judge sees the digit that you asked for in at least 98.5 % of the pictures, and the Fréchet distance to
# drawings that the generator has not seen is at most 0.95; two samples of real drawings are 0.33 apart.

# %%
# On Colab this installs the course. Elsewhere the course is already here and nothing happens.
import importlib.util

if importlib.util.find_spec("genimg_course") is None:
    # %pip install --quiet --no-deps "git+{{ repository }}"
    pass

# %% tags=["parameters"]
PROFILE = None  # "smoke", "cpu" or "gpu"; None lets the machine decide
DATASET = "glyphs"  # or "mnist"
SEED = 0

# %%
import math
import time
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg_course import data, viz
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths.proofs import proof
from genimg_course.metrics import frechet_distance, load_judge
from genimg_course.models import ConditionalGenerator, Discriminator, ProjectionDiscriminator
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.source import show_source
from genimg_course.training import (
    Average,
    Replay,
    fit,
    gan_step,
    lazily,
    pick_device,
    seed_everything,
)

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(size=16, images=2000, steps=150, mnist_steps=40, blind_steps=30),
    cpu=dict(size=16, images=20000, steps=3000, mnist_steps=1900, blind_steps=400),
    gpu=dict(size=28, images=20000, steps=10000, mnist_steps=10000, blind_steps=800),
)
type_goals = choose_budget(
    PROFILE,
    smoke=dict(accuracy=0.39, frechet=115.0, blind=0.245),
    cpu=dict(accuracy=0.985, frechet=0.95, blind=0.62),
    gpu=dict(accuracy=None, frechet=None, blind=None),  # not measured yet
)
mnist_goals = choose_budget(
    PROFILE,
    smoke=dict(accuracy=None, frechet=None, blind=None),
    cpu=dict(accuracy=0.989, frechet=2.25, blind=0.28),
    gpu=dict(accuracy=None, frechet=None, blind=None),  # not measured yet
)
mnist = DATASET == "mnist"
goals = mnist_goals if mnist else type_goals
size, steps = (28, budget.mnist_steps) if mnist else (budget.size, budget.steps)
device = pick_device() if budget.profile == "gpu" else pick_device("cpu")
rng = seed_everything(SEED)
print(f"profile {budget.profile} on {device}")

# %% [markdown]
# ## Every picture has a name, and the generator should know it
#
# An image $x$ now comes with a class $y$, one of $K = 10$ digits. We want to draw from the law of images of one class, $p(x \mid y)$, for the class that *you* choose.

# %%
train = data.load(DATASET, size=size, count=None if mnist else budget.images)
unseen = data.load(DATASET, size=size, split="validation", count=4000)
batches = data.Batches(train, 64, rng=rng, device=device)
x_unseen, y_unseen = data.to_model_range(unseen.images), unseen.labels
by_class = torch.cat([x_unseen[y_unseen == k][:12] for k in range(10)])
viz.image_grid(
    by_class,
    columns=12,
    row_labels=[str(k) for k in range(10)],
    title="Twelve drawings of each class",
)

# %% [markdown]
# ## A judge decides whether you got what you asked for
#
# The course brings a small classifier that has seen real drawings only. It plays no part in training. We use it in two ways. Its opinion gives the **conditional
# accuracy**: the share of generated pictures that it takes for the class that we asked for. Its last hidden layer describes each picture by 64 numbers, and the
# **Fréchet distance** compares the cloud of generated pictures with the cloud of real ones. Accuracy asks "the right digit?", the distance asks "as good *and* as varied as the real ones?".

# %%
judge = load_judge(DATASET, size, device=device)
features = judge.features(x_unseen.to(device))
floor = frechet_distance(features[:2000], features[2000:])
print(
    f"the judge is right on {judge.accuracy(x_unseen.to(device), y_unseen.to(device)):.1%} of unseen drawings"
)
print(f"Fréchet distance between two halves of the real drawings: {floor:.2f}")

# %% [markdown]
# No generator can be expected to beat that last number: two samples of the *same* law differ that much at this size. Keep it in mind as the zero of our scale.

# %% [markdown]
# ## A perfect discriminator is a ratio of densities
#
# The game, in short. A **generator** $G$ turns noise $z \sim N(0, I)$ into an image; its images follow a law $q$. A **discriminator** $D$ sees an image and returns the
# probability that it is real, that is, drawn from the data's law $p$. If a share $\pi$ of what it sees is real, the best it can say at $x$ is
#
# $$D^*(x) = \frac{\pi\, p(x)}{\pi\, p(x) + (1 - \pi)\, q(x)}$$
# <!-- proof: gan.optimal_discriminator -->
#
# With as many fakes as reals, $\pi = \tfrac12$, this is $p / (p + q)$, and it is $\tfrac12$ everywhere once the generator is perfect.


# %%
@exercise("gan.optimal_discriminator")
def optimal_discriminator(p: Tensor, q: Tensor, *, prior: float = 0.5) -> Tensor:
    """Probability that a point is real, from the densities ``p`` and ``q``; ``prior`` where both are zero."""
    ### BEGIN SOLUTION
    real, fake = prior * p, (1 - prior) * q
    return torch.where(real + fake > 0, real / (real + fake), prior)
    ### END SOLUTION


# %%
grid = torch.linspace(-5, 5, 300)
p = torch.exp(-0.5 * (grid - 1) ** 2) / math.sqrt(2 * math.pi)
q = torch.exp(-0.5 * ((grid + 1) / 1.5) ** 2) / (1.5 * math.sqrt(2 * math.pi))
viz.lines(
    grid.tolist(),
    {
        "data p": p.tolist(),
        "generator q": q.tolist(),
        "best D": optimal_discriminator(p, q).tolist(),
    },
    xlabel="x",
    ylabel="density, probability",
    title="The best discriminator compares two densities",
)

# %%
proof("gan.optimal_discriminator")

# %% [markdown]
# ## Losses start from logits
#
# Networks return the **logit** $a$, with $D = \sigma(a) = 1 / (1 + e^{-a})$. Then $-\log D = \log(1 + e^{-a})$ and $-\log(1 - D) = \log(1 + e^{a})$: both are
# `softplus`, which neither overflows nor loses digits. The discriminator pays for each kind of error:
#
# $$\mathcal L_D = \mathbb E_{x \sim p}\left[-\log D(x)\right] + \mathbb E_{z}\left[-\log\left(1 - D(G(z))\right)\right]$$
# <!-- proof: gan.value_is_jsd -->
#
# Against the best discriminator this loss is $\log 4 - 2\, \mathrm{JSD}(p, q)$. The Jensen–Shannon divergence $\mathrm{JSD}$ is zero only if the two laws agree,
# so a generator that drives the loss up to $\log 4 \approx 1.39$ has found the data's law.


# %%
@exercise("gan.discriminator_loss")
def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Mean cross-entropy on reals plus mean cross-entropy on fakes, in nats, a scalar."""
    ### BEGIN SOLUTION
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    ### END SOLUTION


# %%
proof("gan.value_is_jsd")

# %% [markdown]
# ## The generator needs a loss that still pulls when it is losing
#
# In the zero-sum game the generator would minimise $\mathbb E[\log(1 - D(G(z)))]$. Early on, $D$ is sure that the pictures are fake, and the slope of that loss with respect to the logit
# is $-D \approx 0$: no signal when it is needed most. The **non-saturating** loss changes the formula and keeps the goal:
#
# $$\mathcal L_G = \mathbb E_z\left[-\log D(G(z))\right], \qquad \frac{\partial \mathcal L_G}{\partial a} = -(1 - D)$$
# <!-- proof: gan.loss_gradients -->


# %%
@exercise("gan.generator_loss")
def generator_loss(fake_logits: Tensor) -> Tensor:
    """Non-saturating loss of the generator, in nats, a scalar."""
    ### BEGIN SOLUTION
    return F.softplus(-fake_logits).mean()
    ### END SOLUTION


# %%
logit = torch.tensor([math.log(0.01 / 0.99)], requires_grad=True)  # D says: 1 % real
(kept,) = torch.autograd.grad(generator_loss(logit), logit)
(lost,) = torch.autograd.grad(-F.softplus(logit).mean(), logit)
print(f"slope at D = 0.01: non-saturating {kept.item():+.2f}, zero-sum {lost.item():+.2f}")

# %%
proof("gan.loss_gradients")

# %% [markdown]
# ### From the errata: whose loss is it?
#
# One of the two articles that this course corrects says that the generator's loss is the difference between its pictures and real ones, and that the discriminator maximises the chance that a fake passes. Both are
# wrong. The generator never sees a real picture: all it learns comes through the discriminator. And $D$ does the opposite, it *lowers* the chance that a fake passes. The other article adds both losses up, and nobody
# minimises that sum. Two players, two losses, two optimisers. Nor does "conditional generative model" mean the same as cGAN: a conditional VAE is one too, and so is a diffusion model that reads a text.
#
# <!-- errata: F02 M02 M05 M06 -->

# %% [markdown]
# ## The label enters the generator beside the noise
#
# Each class gets a vector of $E$ numbers that is learned like any weight. The generator's input is the noise with the vector of the wanted class behind it. Why not simply append the number $y$? Because then the network would
# start from the idea that a 4 lies between a 3 and a 5, and its shape does not.


# %%
@exercise("cgan.condition")
def condition(z: Tensor, y: Tensor, table: Tensor) -> Tensor:
    """Join noise ``(B, Z)`` and the class vectors of ``y`` ``(B,)`` from a table ``(K, E)`` to ``(B, Z + E)``."""
    ### BEGIN SOLUTION
    return torch.cat([z, table[y]], dim=1)
    ### END SOLUTION


# %% [markdown]
# ## The best conditional logit splits into two questions
#
# The discriminator now sees a pair $(x, y)$. Its optimal logit is the log ratio of the two *joint* laws, and that splits:
#
# $$a^*(x, y) = \log \frac{p(x, y)}{q(x, y)} = \underbrace{\log \frac{p(x)}{q(x)}}_{\text{is this an image?}} + \underbrace{\log \frac{p(y \mid x)}{q(y \mid x)}}_{\text{is it an image of } y\text{?}}$$
# <!-- proof: cgan.optimal_logit -->
#
# Suppose that both $\log p(y \mid x)$ and $\log q(y \mid x)$ are linear in some features $\phi(x)$, up to a term without $y$. Then the second question is an inner product with one vector $v_y$ a class,
# and all that does not depend on $y$ goes to the first. We let a linear layer with weights $w$ and bias $b$ answer that one. This is the **projection discriminator**:
#
# $$a(x, y) = w^\top \phi(x) + b + v_y^\top \phi(x)$$
# <!-- proof: cgan.projection -->

# %%
proof("cgan.optimal_logit")


# %%
@exercise("cgan.projection_logit")
def projection_logit(
    features: Tensor, y: Tensor, weight: Tensor, bias: Tensor, class_vectors: Tensor
) -> Tensor:
    """Logits ``(B,)`` from features ``(B, F)``, classes ``(B,)``, ``w (F,)``, ``b ()`` and ``v (K, F)``."""
    ### BEGIN SOLUTION
    return features @ weight + bias + (class_vectors[y] * features).sum(dim=1)
    ### END SOLUTION


# %%
proof("cgan.projection")

# %% [markdown]
# ## Fakes must carry each label as often as the data does
#
# Which labels should the fakes carry? Split the same logit the other way, label first: $\log \frac{p(x \mid y)}{q(x \mid y)} + \log \frac{p(y)}{q(y)}$. If the labels of the fakes follow another law than those of the reals, the last term
# is not zero, and the discriminator can win points by the label alone, without looking at the picture. So the fakes take the labels of the real batch. Both kinds of pairs then have the same labels, to the last one.

# %%
proof("cgan.label_law")

# %% [markdown]
# ## A penalty on steep discriminators makes the game settle
#
# Two players who each follow their own slope may circle for ever. A remedy with a proof, at least for a small game near its balance (lesson 10), is **R1**: near real images the discriminator must not be steep.
#
# $$R_1 = \frac{\gamma}{2}\, \mathbb E_{x \sim p}\left[\lVert \nabla_x a(x) \rVert^2\right]$$
# <!-- proof: gan.r1_norm -->
#
# Here $\gamma$ is a weight and the norm sums over all pixels of one image. The gradient is taken with respect to the *image*, at *real* images only, and must itself be differentiable, because we want to train on it.


# %%
@exercise("gan.r1_penalty")
def r1_penalty(real_logits: Tensor, x: Tensor, *, gamma: float) -> Tensor:
    """Penalty in nats, a scalar; ``real_logits`` ``(B,)`` were computed from ``x`` ``(B, C, H, W)``, which requires a gradient."""
    ### BEGIN SOLUTION
    (gradient,) = torch.autograd.grad(real_logits.sum(), x, create_graph=True)
    return 0.5 * gamma * gradient.square().flatten(start_dim=1).sum(dim=1).mean()
    ### END SOLUTION


# %%
proof("gan.r1_norm")

# %%
proof("gan.r1_dirac")

# %% [markdown]
# ## One step: first the discriminator, then the generator

# %%
viz.cgan_diagram()

# %% [markdown]
# Write the step. The order matters, and so do three small words. **detach**: the discriminator's loss must not reach the generator. **zero_grad**: gradients add up until you clear them; the generator's backward
# pass leaves some in the discriminator. **again**: the generator is judged by the discriminator that has just moved, so its logits are computed anew.
#
# Use your own functions. The generator is called as `generator(z, y)` and knows its `latent_dim`; the discriminator is called as `discriminator(x, y)`. The penalty is needed only if `gamma > 0`.


# %%
@exercise("cgan.step")
def cgan_step(
    generator: nn.Module,
    discriminator: nn.Module,
    opt_g: torch.optim.Optimizer,
    opt_d: torch.optim.Optimizer,
    x: Tensor,
    y: Tensor,
    *,
    gamma: float = 0.0,
) -> dict[str, Tensor]:
    """Update the discriminator, then the generator; return "d_loss" (without penalty) and "g_loss", detached."""
    ### BEGIN SOLUTION
    real = x.detach().requires_grad_(gamma > 0)
    fake = generator(torch.randn(len(x), generator.latent_dim, device=x.device), y)

    real_logits = discriminator(real, y)
    d_loss = discriminator_loss(real_logits, discriminator(fake.detach(), y))
    penalty = r1_penalty(real_logits, real, gamma=gamma) if gamma > 0 else 0.0
    opt_d.zero_grad()
    (d_loss + penalty).backward()
    opt_d.step()

    g_loss = generator_loss(discriminator(fake, y))
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    return {"d_loss": d_loss.detach(), "g_loss": g_loss.detach()}
    ### END SOLUTION


# %% [markdown]
# ## The networks: the label takes one line in each

# %%
show_source(ConditionalGenerator.forward)

# %%
show_source(ProjectionDiscriminator.forward)

# %% [markdown]
# ## Training: ten rows, ten digits
#
# Each row asks for one digit, each column keeps its noise. At first all rows look alike. Watch the moment when they part.
#
# Three aids: the penalty is applied in every fourth step with four times the weight, which costs less and is the same on average; the learning rate falls
# slowly to a tenth; and the pictures come from a running **average** of the generator's weights, because the generator circles around a good point and the average lies nearer to it.
#
# Handwriting is harder than type. For MNIST the lesson takes the course's `gan_step`, which is your step and one term more: a real picture with a *wrong* label
# counts as fake. That teaches the class faster; the price is that pictures which could pass for two digits become rarer than they are in the data.


# %%
def linear_decay(
    optimizer: torch.optim.Optimizer, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.LinearLR(
        optimizer, start_factor=1.0, end_factor=0.1, total_iters=steps
    )


torch.manual_seed(SEED)
generator = ConditionalGenerator(latent_dim=32, size=size).to(
    device, memory_format=torch.channels_last
)
discriminator = ProjectionDiscriminator(size=size).to(device, memory_format=torch.channels_last)
opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99), fused=True)
opt_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.99), fused=True)
schedules = [linear_decay(opt_g, steps), linear_decay(opt_d, steps)]
average = Average(generator, decay=0.998)

# %%
twelve_codes = torch.randn(12, generator.latent_dim, device=device)
each_class = torch.arange(10, device=device)


@torch.no_grad()
def draw_samples() -> viz.Figure:
    x = average.network(twelve_codes.repeat(10, 1), each_class.repeat_interleave(12))
    return viz.image_grid(
        x, columns=12, row_labels=[str(k) for k in range(10)], title="a row asks for one digit"
    )


update = partial(gan_step, mismatch=0.5) if mnist else cgan_step


def step(n: int, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    gamma = lazily(0.5, n, every=4)
    losses = update(generator, discriminator, opt_g, opt_d, x, y, gamma=gamma)
    average.update(generator)
    for schedule in schedules:
        schedule.step()
    return losses


# %%
ten_by_code = twelve_codes.repeat_interleave(10, dim=0), each_class.repeat(12)


@torch.no_grad()
def look() -> Tensor:
    """Return the ten digits of each code, as they are drawn now: bytes, (120, 1, H, W)."""
    return data.to_uint8(average.network(*ten_by_code)).cpu()


replay = Replay(look, steps=steps)
cpu_seconds = -time.process_time()
history = fit(step, batches, steps=steps, preview=draw_samples, log=replay)
cpu_seconds += time.process_time()

# %%
viz.curves(
    history,
    names=["d_loss", "g_loss"],
    title="Neither loss tells how good the pictures are",
)

# %% [markdown]
# Look at the curves and at the pictures. The losses say who is ahead in the game, not how good the drawings are. If both players improve at the same pace, the curves stay where they are. So we measure.

# %% [markdown]
# ## We can count how often we get what we ask for


# %%
@torch.no_grad()
def draw(network: nn.Module, y: Tensor, *, seed: int) -> Tensor:
    z = torch.randn(len(y), generator.latent_dim, generator=torch.Generator().manual_seed(seed)).to(
        device
    )
    return torch.cat([network(*piece) for piece in zip(z.split(500), y.split(500), strict=True)])


wanted = torch.arange(2000, device=device) % 10
pictures = draw(average.network, wanted, seed=SEED + 1)
seen = judge.predict(pictures).argmax(dim=1).cpu()
accuracy = judge.accuracy(pictures, wanted)
rarest = float(judge.class_shares(pictures).min())
distance = frechet_distance(judge.features(pictures), features[:2000])
print(
    f"conditional accuracy {accuracy:.1%}, Fréchet distance {distance:.2f} (real against real: {floor:.2f})"
)

# %%
confusion = torch.zeros(10, 10)
confusion.index_put_((wanted.cpu(), seen), torch.ones(2000), accumulate=True)
viz.heatmap(
    confusion / 200,
    xlabel="the judge sees",
    ylabel="asked for",
    colour_label="share of the pictures",
    limits=(0, 1),
    title="Where it misses",
)

# %% [markdown]
# ## Go back in time: the label is learned before the noise
#
# The run has left its pictures behind: at thirty moments we kept what the average drew from the same twelve codes, 120 pictures each time. So you can go back and forth in it. Three lines stand below the pictures: the share that the judge takes for the digit that was asked for; how far two drawings of one digit are apart in a
# pixel (the root mean square over the pixels; from black to white it is 2); and both losses, as means since the moment before.


# %%
def apart(x: Tensor) -> float:
    """Return how far two pictures are apart in a pixel, on average over all pairs of ``x``."""
    return float(torch.pdist(x.flatten(start_dim=1)).mean()) / x[0].numel() ** 0.5


def recent(name: str) -> list[float]:
    """Return a loss at each moment: the mean over the steps since the moment before."""
    moment = torch.bucketize(torch.tensor(history["step"]), torch.tensor(replay.steps).float())
    sums = torch.bincount(moment, weights=torch.tensor(history[name]))
    return [history[name][0], *(sums / torch.bincount(moment))[1:].tolist()]


seen_then = [data.to_model_range(x) for x in replay.kept]
as_asked = [judge.accuracy(x.to(device), ten_by_code[1]) for x in seen_then]
varied = [sum(apart(x[k::10]) for k in range(10)) / 10 for x in seen_then]

# %%
viz.film(
    [x[:20] for x in seen_then],
    replay.steps,
    title="A column asks for one digit, a row keeps its noise",
)

# %% [markdown]
# The film takes all moments in one go. Below you go at your own pace, and the measurements stand beside the pictures.

# %%
told = {
    "share": {"as asked": as_asked},
    "per pixel": {"two of a digit": varied},
    "nats": {name: recent(name) for name in ("d_loss", "g_loss")},
}


def rewind(moment: int) -> viz.Figure:
    done = replay.steps[moment]
    pictures = viz.image_grid(
        seen_then[moment][:50],
        titles=list(range(10)),
        title=f"After {done} of {steps} steps: a column asks for one digit, a row keeps its noise",
    )
    limits = {"share": (0, 1.1), "per pixel": (0, 0.7)}
    below = viz.strips(replay.steps, told, xlabel="step", cursor=done, limits=limits)
    return viz.assemble([[pictures], [below]])


last = len(replay.steps) - 1
viz.explore(rewind, moment=(0, last, 1, last))

# %% [markdown]
# Try three moments (the steps are those of the `cpu` profile).
#
# - **Step 57.** The rows are nearly the same, so the noise has no say yet: two drawings of a digit are 0.17 apart. And yet the judge already sees the wanted digit in 76 % of them.
# - **Step 228.** Now the rows part, and two drawings are 0.45 apart. At the same time the share fell, from 91 % at step 128 to 71 %: what was learned for one shape has to be learned for many. Then it rises for good.
# - **Step 514 and the end.** The lines move little between them. The pictures do: smudges go, and one row has found thin strokes.

# %% [markdown]
# ## Accuracy alone can be cheated
#
# Here is a generator that cheats: it takes one noise vector and draws the same ten pictures for ever. Asked for a seven, it gives *the* seven.

# %%
one_code = twelve_codes[:1].expand(2000, -1)
with torch.no_grad():
    stuck = torch.cat(
        [average.network(z, y) for z, y in zip(one_code.split(500), wanted.split(500), strict=True)]
    )
stuck_distance = frechet_distance(judge.features(stuck), features[:2000])
print(
    f"one picture a class: accuracy {judge.accuracy(stuck, wanted):.1%}, Fréchet distance {stuck_distance:.2f}"
)

# %% [markdown]
# The accuracy hardly notices; the distance does, because a cloud of ten points has the wrong spread. Always report both. The same can be asked inside a single class. Are the drawn sevens as varied as real sevens?

# %%
of_class = {"real": {}, "drawn": {}, "one picture": {}}
for k in range(10):
    real = features[:2000][y_unseen[:2000] == k]
    half = len(real) // 2
    sets = {"real": real[half:], "drawn": pictures[wanted == k], "one picture": stuck[wanted == k]}
    for name, some in sets.items():
        other = some if name == "real" else judge.features(some)
        of_class[name][k] = frechet_distance(other, real[:half])
for name, distances in of_class.items():
    mean = sum(distances.values()) / 10
    print(f"{name:12} mean Fréchet distance within a class: {mean:6.2f}")

# %% [markdown]
# One picture a class stands far off here too. Read these numbers beside each other only: they rest on about a hundred real pictures a class, and a small sample makes any Fréchet distance larger on average.

# %% [markdown]
# ## A discriminator that also classifies prefers easy pictures
#
# Another road gives the discriminator a second head $Q(y \mid x)$ that names the class (AC-GAN). The generator is then also paid for $\mathbb E \log Q(y \mid x)$. What does that ask for? Take all means over the generator's own pairs, and let $p(y \mid x)$ be the class probabilities given a picture under that law. Let $I(y; x)$ be the
# **mutual information** of class and picture, in nats (how much a picture tells about its class), and $H(y)$ the entropy of the classes:
#
# $$I(y; x) = \mathbb E \log Q(y \mid x) + H(y) + \mathbb E_x\, \mathrm{KL}\!\left(p(y \mid x)\, \Vert\, Q(y \mid x)\right)$$
# <!-- proof: cgan.information_bound -->
#
# The last term is never negative, so the first two are a lower bound of $I$, which is reached if $Q(y \mid x) = p(y \mid x)$. The entropy is fixed by the labels that we ask for. So the bonus pays for pictures that tell their class. Write it for a finite world: `joint` holds the probability of each class with each picture.


# %%
@exercise("cgan.information_bound")
def information_bound(joint: Tensor, guess: Tensor) -> Tensor:
    """E log Q(y | x) + H(y) in nats; ``joint`` is ``(K, N)`` with sum 1, ``guess`` is Q, ``(N, K)``."""
    ### BEGIN SOLUTION
    classes = joint.sum(dim=1)
    return (joint * guess.T.log()).sum() - (classes * classes.log()).sum()
    ### END SOLUTION


# %%
proof("cgan.information_bound")

# %% [markdown]
# Now the catch. Take two classes and three pictures: a plain one of each class, and a doubtful one in the middle that both classes share. Let a generator give up the doubtful picture step by step, and watch what it is paid, up to the constant $H(y)$. The classifier is the best one for each law.

# %%
paid = {}
for doubtful in (0.4, 0.2, 0.01):  # in the data it is 0.4
    plain = (1 - doubtful) / 2
    world = torch.tensor([[plain, doubtful / 2, 1e-9], [1e-9, doubtful / 2, plain]])
    paid[f"{doubtful:.0%} doubtful"] = float(information_bound(world, (world / world.sum(dim=0)).T))
viz.bars(
    paid,
    xlabel="how often the shared picture is drawn",
    ylabel="bound / nats",
    title="The classifier pays most for a law that is not the data's",
)

# %% [markdown]
# The data hold 40 % doubtful pictures, and the bonus rises the fewer of them a generator draws. So a higher class accuracy need not mean a better generator: it can mean that the odd sevens are gone. The projection
# discriminator has no such term; against the best one of its kind, the best generator makes the law of the data.

# %% [markdown]
# ## Turn the knobs: the digit says what, the noise says how
#
# The noise holds what the label leaves open: thickness, slant, typeface. The first row shows ten digits from one noise vector, the rows below thirty drawings of *your* digit, each from a noise of its own; the first drawing is the one above. `seed` draws other noise. `way` walks from each noise vector to another, along an arc (each point of the way is again a draw from $N(0, I)$; on a straight line the middle would be too short).
#
# `limit` is **truncation**: no number of the noise may be larger than the limit or smaller than its negative. Nothing is drawn anew for that. Each number keeps its rank in the law, so the drawings change smoothly when the limit moves. The title says how many of the thirty the judge takes for your digit, and how far two of them are apart in a pixel.


# %%
def truncated(z: Tensor, limit: float) -> Tensor:
    """Turn draws of N(0, 1) into draws of the same law cut off at the limit; each keeps its rank."""
    low = torch.special.ndtr(torch.tensor(-limit))
    return torch.special.ndtri(low + (1 - 2 * low) * torch.special.ndtr(z))


@torch.no_grad()
def ask(digit: int, seed: int, way: float, limit: float) -> viz.Figure:
    noise = torch.Generator().manual_seed(seed)
    start, end = torch.randn(2, 30, generator.latent_dim, generator=noise)
    z = math.cos(way * math.pi / 2) * start + math.sin(way * math.pi / 2) * end
    z, wanted = truncated(z, limit).to(device), each_class[digit].expand(30)
    ten, yours = average.network(z[:1].expand(10, -1), each_class), average.network(z, wanted)
    read = round(30 * judge.accuracy(yours, wanted))
    told = f"{read} of 30 read as {digit}; two of them differ by {apart(yours):.2f} a pixel"
    return viz.image_grid(
        torch.cat([ten, yours]),
        row_labels=["one noise", f"thirty {digit}s", "", ""],
        title=told,
        alt=f"Noise {seed}, {way:.0%} of the way, limit {limit:.1f}: {told}.",
    )


at_will = {"way": (0.0, 1.0, 0.02, 0.0), "limit": (0.1, 4.0, 0.1, 4.0)}
viz.explore(ask, digit=(0, 9, 1, 7), seed=(0, 20, 1, 0), **at_will)

# %% [markdown]
# Try three things.
#
# - **Change `digit` and nothing else.** The hand stays. Our first noise draws bold, upright digits, all ten of them.
# - **Move `way`.** Slant, weight and typeface change on the way, and every seven stays a seven.
# - **Pull `limit` down** to 0.5 and on to 0.1. The thirty sevens grow alike, until they are one and the same: two of them differed by 0.50 a pixel without a limit, by 0.23 at 0.5, and by 0.06 at 0.1. What you gain are typical pictures: at a limit of 4 the judge misread one of our thirty ones, at 0.5 none.

# %% [markdown]
# ## Take the label from the discriminator, and nobody checks
#
# A common mistake gives the label to the generator alone. Predict what happens: the discriminator sees good and bad pictures, but it cannot see whether a picture shows what was asked for.

# %%
torch.manual_seed(SEED)
blind_generator = ConditionalGenerator(latent_dim=32, size=size).to(
    device, memory_format=torch.channels_last
)
image_critic = Discriminator(size=size).to(device, memory_format=torch.channels_last)
blind_opt_g = torch.optim.Adam(blind_generator.parameters(), lr=1e-3, betas=(0.5, 0.99), fused=True)
blind_opt_d = torch.optim.Adam(image_critic.parameters(), lr=1e-3, betas=(0.5, 0.99), fused=True)


def ignore_label(x: Tensor, y: Tensor) -> Tensor:
    return image_critic(x)


def blind_step(n: int, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    return cgan_step(
        blind_generator, ignore_label, blind_opt_g, blind_opt_d, x, y, gamma=lazily(0.5, n, every=4)
    )


fit(blind_step, batches, steps=budget.blind_steps)
blind_pictures = draw(blind_generator, wanted, seed=SEED + 1)
blind_accuracy = judge.accuracy(blind_pictures, wanted)
print(
    f"conditional accuracy without a label in the discriminator: {blind_accuracy:.1%}; chance is 10 %"
)

# %%
shown = draw(blind_generator, each_class.repeat_interleave(12), seed=SEED + 2)
viz.image_grid(
    shown,
    columns=12,
    row_labels=[str(k) for k in range(10)],
    title="Asked for one digit a row, answered at will",
)

# %% [markdown]
# The label still does something: each class vector leads the generator to a shape of its own. But which shape that is, is luck, so the accuracy scatters around chance.
#
# The trigger: a discriminator that never sees $y$. The symptom: conditional accuracy near chance, while the losses look as healthy as before. The cure is the projection term: one vector of 128 weights for each class.

# %% [markdown]
# ## When classes are rare, correct the prior, not the pictures
#
# In real data some classes are rare. A classifier that was trained on balanced data, such as our judge, then asks its question with the wrong expectations. If only the class *frequencies* change and the pictures of each class stay
# the same, Bayes' rule repairs its answers without any training, as far as they were right probabilities before:
#
# $$p_2(y \mid x) \propto p_1(y \mid x)\, \frac{p_2(y)}{p_1(y)}$$
# <!-- proof: cgan.prior_shift -->


# %%
@exercise("cgan.prior_shift")
def prior_shift(posterior: Tensor, old_prior: Tensor, new_prior: Tensor) -> Tensor:
    """Class probabilities ``(B, K)`` under new class frequencies ``(K,)``."""
    ### BEGIN SOLUTION
    odds = posterior * new_prior / old_prior
    return odds / odds.sum(dim=1, keepdim=True)
    ### END SOLUTION


# %% [markdown]
# A test: a set where half of all pictures are sevens, seen through heavy noise so that the judge is unsure.

# %%
balanced = torch.full((10,), 0.1)
skewed = torch.full((10,), 0.5 / 9)
skewed[7] = 0.5
picked = torch.multinomial(
    skewed[y_unseen], 3000, replacement=True, generator=torch.Generator().manual_seed(SEED)
)
noise = torch.randn(x_unseen[picked].shape, generator=torch.Generator().manual_seed(SEED + 1))
posterior = judge.predict((x_unseen[picked] + 0.5 * noise).to(device)).cpu()
before = float((posterior.argmax(dim=1) == y_unseen[picked]).float().mean())
after = float(
    (prior_shift(posterior, balanced, skewed).argmax(dim=1) == y_unseen[picked]).float().mean()
)
print(f"accuracy under heavy noise: {before:.1%} as trained, {after:.1%} with the prior corrected")

# %%
proof("cgan.prior_shift")

# %% [markdown]
# ## An honest run stays within measured bounds
#
# The bounds were calibrated over several seeds, so an honest run does not miss them by bad luck.

# %%
report(
    conditional_accuracy=Goal(accuracy, at_least=goals.accuracy),
    frechet_distance=Goal(distance, at_most=goals.frechet),
    accuracy_without_label=Goal(blind_accuracy, at_most=goals.blind),
    share_of_the_rarest_class=Goal(rarest),
    training_time=Goal(cpu_seconds, unit="CPU seconds"),
)

# %%
progress("13")

# %% [markdown]
# ## What to keep
#
# - To draw a class on demand, *both* networks must see the label; a discriminator without it teaches nothing about the class.
# - The best conditional logit splits into "is this an image?" and "is it an image of this class?"; the projection discriminator has that form.
# - Fakes carry labels of the data's law, or the label alone gives them away.
# - Losses of a game do not measure quality. Report conditional accuracy *and* a distance, beside what two real samples give.
#
# **Try next.** `DATASET = "mnist"`. Leave out the penalty (`gamma=0`). Sample fake labels uniformly from a skewed training set and watch the class frequencies.

# %% [markdown]
# ## Further reading
#
# - I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville and Y. Bengio, *Generative Adversarial Nets*, NeurIPS 2014, [arXiv:1406.2661](https://arxiv.org/abs/1406.2661).
# - M. Mirza and S. Osindero, *Conditional Generative Adversarial Nets*, 2014, [arXiv:1411.1784](https://arxiv.org/abs/1411.1784).
# - T. Miyato and M. Koyama, *cGANs with Projection Discriminator*, ICLR 2018, [arXiv:1802.05637](https://arxiv.org/abs/1802.05637).
# - A. Odena, C. Olah and J. Shlens, *Conditional Image Synthesis with Auxiliary Classifier GANs*, ICML 2017, [arXiv:1610.09585](https://arxiv.org/abs/1610.09585). The variant whose discriminator classifies.
# - L. Mescheder, A. Geiger and S. Nowozin, *Which Training Methods for GANs do actually Converge?*, ICML 2018, [arXiv:1801.04406](https://arxiv.org/abs/1801.04406). R1 and why.
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler and S. Hochreiter, *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium*, NeurIPS 2017, [arXiv:1706.08500](https://arxiv.org/abs/1706.08500). The Fréchet distance.
# - M. Saerens, P. Latinne and C. Decaestecker, *Adjusting the Outputs of a Classifier to New a Priori Probabilities*, Neural Computation 14(1), 2002, [doi:10.1162/089976602753284446](https://doi.org/10.1162/089976602753284446).
# - S. Reed, Z. Akata, X. Yan, L. Logeswaran, B. Schiele and H. Lee, *Generative Adversarial Text to Image Synthesis*, ICML 2016, [arXiv:1605.05396](https://arxiv.org/abs/1605.05396). Mismatched pairs.
