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
# # 12 · DCGAN: training on a GPU, or on what you have
#
# **[Open this lesson in Colab]({{ colab }})**
#
# A small GAN trains in minutes on a laptop. A larger one takes hours on a GPU, and then it matters whether you use a tenth of the machine or all of it,
# whether a crash costs you the night, and whether you knew the bill before. This lesson is about that craft. It needs no GPU: every idea is shown on the processor, with two processes in
# the place of two GPUs, and the same code takes a GPU where there is one.
#
# No figure of this lesson was measured on a GPU yet. Where the text speaks of GPUs, it says how they are built and what is generally known of them; the cells measure *your* machine, whichever it is.

# %% [markdown]
# **What you will do.** Find out what makes a machine fast. Plan a network from the size of the picture, and check networks for broken rules. See two traps of batch normalisation. Compute
# with half the bits without losing the gradient. Predict memory, time and price of a run before it starts. Then train a DCGAN, stop it in the middle, resume it to the last bit, and share a batch between two processes.
#
# **What you need.** The GAN game and its training step (lesson 09), the penalty that keeps it stable (lesson 10). Every new word is explained where it first appears.

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 26 s |
# | `cpu` | a laptop; measured on two cores | 59 s |
# | `gpu` | a GPU, 64 pixels | not measured yet |
#
# **What you will reach** (`cpu`): drawings in which no digit is lost, a resumed run that equals the undisturbed one to the last bit, and two processes that agree with one to five digits.

# %%
# On Colab this installs the course and Lightning Fabric. Elsewhere both are already here.
import importlib.util

if importlib.util.find_spec("genimg_course") is None:
    # %pip install --quiet --no-deps "git+{{ repository }}"
    pass
if importlib.util.find_spec("lightning_fabric") is None:
    # %pip install --quiet "lightning-fabric>=2.5"
    pass

# %% tags=["parameters"]
PROFILE = None  # "smoke", "cpu" or "gpu"; None lets the machine decide
SEED = 0

# %%
import copy
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LinearLR
from torch.utils.checkpoint import checkpoint

print(f"Python {sys.version.split()[0]}, torch {torch.__version__}")

# %%
from genimg_course import data, maths, viz
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths.proofs import proof
from genimg_course.metrics import frechet_distance, load_judge
from genimg_course.models import RULES, Discriminator, Generator
from genimg_course.profiles import budget as choose_budget
from genimg_course.reference.training import train as train_family
from genimg_course.report import Goal, report
from genimg_course.source import show_source
from genimg_course.training import (
    Average,
    Checkpoints,
    Replay,
    adam,
    fit,
    gan_step,
    kept_bytes,
    lazily,
    open_fabric,
    operator_seconds,
    place,
    restore_run,
    seed_everything,
    step_seconds,
)

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(size=16, judge=16, images=2000, steps=60, sides=(8, 64, 256), resume=6, pair=3),
    cpu=dict(
        size=16, judge=16, images=20000, steps=1800, sides=(8, 32, 128, 512), resume=30, pair=8
    ),
    gpu=dict(
        size=64, judge=28, images=20000, steps=20000, sides=(32, 256, 2048, 8192), resume=30, pair=8
    ),
)
goals = choose_budget(
    PROFILE,
    smoke=dict(rarest=None, frechet=None, tied=0.0125, spread=0.11),
    cpu=dict(rarest=0.0195, frechet=26.5, tied=0.0185, spread=0.12),
    gpu=dict(rarest=None, frechet=None, tied=None, spread=None),  # not measured yet
)
rng = seed_everything(SEED)
size, batch_size = budget.size, 64

# %% [markdown]
# ## A machine is fast only where it uses every byte many times
#
# Inside a processor or GPU there are units that calculate and a memory that feeds them. Both have a speed, and the slower one decides. So the question for every operation is: how many calculations does it do for each byte that
# it moves? This ratio is the **arithmetic intensity**. Take the product of an $m \times k$ and a $k \times n$ matrix, the heart of every dense and convolutional layer. Each of the $mn$ results needs $k$ multiplications and $k$ additions. At least both factors must be read and the product written, with $w$ bytes a number:
#
# $$I = \frac{\text{operations}}{\text{bytes}} = \frac{2\, m k n}{w\,(mk + kn + mn)}$$
# <!-- proof: networks.arithmetic_intensity -->
#
# For square matrices of side $n$ this is $2n / (3w)$: large matrices reuse every number, small ones do not. Adding two pictures in float32 has one operation for twelve bytes (two numbers read, one written), at any size.

# %%
proof("networks.arithmetic_intensity")

# %% [markdown]
# Now let a machine do at most $P$ operations and move at most $\beta$ bytes a second. For $W$ operations and $Q$ bytes it needs at least the time of each, even if both happen at once. So its pace has a roof, the **roofline**, which first rises with $I = W / Q$ and then is flat:
#
# $$\text{time} \ge \max\left( \frac{W}{P}, \frac{Q}{\beta} \right), \qquad \frac{W}{\text{time}} \le \min(P,\ \beta I), \qquad I = \frac WQ$$
# <!-- proof: networks.roofline -->
#
# Left of the corner, at $I = P / \beta$, more arithmetic units help nothing. A GPU has both a higher $P$ and a higher $\beta$ than a processor. With its special units for products of 16-bit numbers, $P$ grows much more than $\beta$, and the corner moves far to the right: it wants large products, which means large batches and wide layers.

# %%
proof("networks.roofline")

# %% [markdown]
# ## One place decides where we compute
#
# A program that says `cuda` in twenty places runs on one kind of machine. Here one line decides, and everything else asks it. `open_fabric` starts Lightning Fabric, a thin layer that knows
# the device, the precision and how many processes take part. With `auto`, which only the `gpu` profile asks for, it takes a GPU if there is one. Where the device has instructions for bfloat16 it lets the networks compute in that format, else in float32 (more on both below). The lines that train are the same on a laptop and on a GPU.

# %%
accelerator = "auto" if budget.profile == "gpu" else "cpu"
fabric = open_fabric(accelerator=accelerator)
device = fabric.device
precision = fabric.strategy.precision.precision
print(f"profile {budget.profile} on {device}, {fabric.world_size} process, precision {precision}")

# %% [markdown]
# How near does this machine come to its roof? We multiply square matrices of growing side in float32, wait until each product is really done, and take the fastest of several tries. Expect a steep rise and then a flat part.


# %%
def pace(side: int) -> float:
    """Return billions of operations a second for the product of two square matrices."""
    a, b = torch.randn(2, side, side, device=device)
    seconds = step_seconds(lambda: a @ b, 8, device=device)
    return 2 * side**3 / float(seconds.min()) / 1e9


paces = {side: pace(side) for side in budget.sides}
intensities = [maths.arithmetic_intensity(side, side, side) for side in paces]
viz.lines(
    intensities,
    {"measured": list(paces.values())},
    xlabel="arithmetic intensity / operations per byte",
    ylabel="pace / billion operations per second",
    xscale="log",
    yscale="log",
    markers=True,
    title="Small products leave the machine idle",
)

# %% [markdown]
# The smallest product is slower by a large factor. Had only the memory held it back, the pace would rise in proportion to the intensity. A steeper rise shows the fixed price of every call: so small a product is done before the next one is asked for, and its numbers lie in the processor's cache anyway. On a GPU that price, some millionths of a second to launch one operation, is what makes small networks slow: the GPU waits for Python.

# %% [markdown]
# ## Pictures wait on the device, as bytes
#
# A pixel is stored as one byte, `uint8`. As `float32` it takes four. So the whole set lies on the device as bytes, and each batch becomes `float32` there. Nothing is decoded twice, nothing crosses the slow bus to the GPU in each step, and no
# worker processes are needed.

# %%
train = data.load("glyphs", size=size, count=budget.images)
unseen = data.load("glyphs", size=size, split="validation", count=4000)
x_unseen = data.to_model_range(unseen.images).to(device)  # (N, C, H, W)
batches = data.Batches(train, batch_size, rng=rng, device=device)
x_batch, *_ = next(batches)
stored = train.images.nbytes / 2**20  # MiB
print(f"{len(train)} pictures: {stored:.1f} MiB as bytes, {4 * stored:.1f} MiB as float32")
viz.image_grid(x_batch[:30], columns=15, title="Thirty drawings of a batch")

# %% [markdown]
# ## To look at a number is to wait for it
#
# A GPU works **asynchronously**. `a @ b` returns at once, with a promise of a result; the GPU works through its queue while Python runs ahead and fills it. Ask for a value, by `.item()`, `print` or an `if`, and Python must wait until the queue is empty. Then the queue *is* empty, and the GPU waits for Python.
# On a processor there is no such queue and little to lose. The cell below adds up two hundred means, once without and once with a look at each sum.


# %%
def small_steps(look: bool) -> None:
    total = torch.zeros((), device=device)
    for _ in range(200):
        total = total + x_batch.mean()
        if look:
            total.item()
    total.item()


never = step_seconds(lambda: small_steps(False), 3, device=device).min() / 200
always = step_seconds(lambda: small_steps(True), 3, device=device).min() / 200
print(
    f"microseconds a step: {1e6 * never:.1f} without looking, {1e6 * always:.1f} with a look each time"
)

# %% [markdown]
# On a processor both numbers are about alike. On a GPU expect the second to be larger. So a training step returns its losses as tensors, and on a GPU `fit` looks at them every 25 steps only. The same waiting spoils stopwatches: whoever stops the time without waiting for the device measures how fast Python makes promises. `step_seconds` waits.

# %% [markdown]
# ## The size of the picture decides the layers
#
# DCGAN draws from coarse to fine: a dense layer turns noise into a small grid, then each layer doubles its side. That is a **transposed convolution** with stride $s = 2$: it turns $n$ pixels into
#
# $$n_{\text{transposed}} = (n - 1)\,s - 2p + d\,(k - 1) + o + 1$$
# <!-- proof: networks.convolution_size -->
#
# pixels, with kernel $k$, padding $p$ and extra pixels $o$ at one end; $d$ is the dilation, here 1. To double exactly, set this equal to $2n$: the terms with $n$ cancel, and $2p = k - 2 + o$ is left. And the kernel should be a multiple of the stride. If it is not, some pixels of the result hear from more inputs than their neighbours, and a **checkerboard** shows. Input pixel $i$ reaches result pixel $j$ through tap $a$ (one entry of the kernel) if $s i + a = j$; dilation is 1, and padding only cuts the ends off. Count the ways:
#
# $$\#\{(i, a) : s i + a = j,\ 0 \le a < k\} = \frac ks \;\text{ for all inner } j \quad\Longleftrightarrow\quad s \mid k$$
# <!-- proof: networks.checkerboard -->
#
# Away from the ends all pixels are painted equally often only if $s$ divides $k$ ($s \mid k$). Kernel 4 with stride 2 does it, kernel 5 does not.

# %%
proof("networks.convolution_size")

# %%
proof("networks.checkerboard")

# %% [markdown]
# Write the plan: halve the side while it is even and above `largest`, and choose the padding with which a layer of stride 2 doubles exactly.


# %%
@exercise("dcgan.size_rule")
def size_rule(size: int, *, kernel_size: int = 4, largest: int = 7) -> dict[str, int]:
    """Return "side" of the first grid, "doublings", and "padding" and "output_padding" of each layer."""
    ### BEGIN SOLUTION
    side, doublings = size, 0
    while side > largest and side % 2 == 0:
        side, doublings = side // 2, doublings + 1
    extra = kernel_size % 2
    padding = (kernel_size - 2 + extra) // 2
    return {"side": side, "doublings": doublings, "padding": padding, "output_padding": extra}
    ### END SOLUTION


# %% [markdown]
# Stuck? `hint("dcgan.size_rule")` gives one more hint at each call. The last one is the solution.

# %%
for pixels in (16, 28, 32, 64, 128):
    plan = size_rule(pixels)
    sides = [plan["side"] * 2**k for k in range(plan["doublings"] + 1)]
    print(f"{pixels:4d} pixels: {' -> '.join(map(str, sides))}")

# %% [markdown]
# Here are the layers of both networks for 16 pixels, with what leaves each of them: channels times height times width. Read the right side from the bottom: the discriminator goes the generator's way back.

# %%
viz.dcgan_diagram()

# %% [markdown]
# ## DCGAN's rules fit into a linter
#
# Radford, Metz and Chintala tried many networks in 2015 and kept what trained. Their rules: convolutions with stride instead of pooling; no fully connected hidden layers; batch normalisation in both networks, but not on the generator's output and not on the
# discriminator's input; ReLU in the generator with tanh at its end, leaky ReLU with slope 0.2 in the discriminator; Adam with $\beta_1 = 0.5$. One rule below is the course's own: our losses take logits, so the discriminator must not end in an activation. Rules like these are forgotten one at a time. So let a program look for them.
#
# Write it. List all modules without children, and the places of those with weights (dense and convolutional layers). Then each rule is one sum. Count a dense layer as hidden unless it is the generator's first or the discriminator's last layer with weights. Count a normalisation as "on the edge" if it stands
# behind the generator's last layer with weights, or before the discriminator's second. A last activation is no hidden one: it falls under "output". Mean pooling, max pooling and `nn.Upsample` count as pooling; a leaky ReLU inside with another slope than 0.2 counts under "slope" in both networks.

# %%
for name, rule in RULES.items():
    print(f"{name:10} {rule}")


# %%
@exercise("dcgan.broken_rules")
def broken_rules(network: nn.Module, *, role: str, beta1: float = 0.5) -> dict[str, int]:
    """Count the breaks of each rule in a "generator" or "discriminator"; keys as printed above."""
    ### BEGIN SOLUTION
    making = role == "generator"
    active = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Tanh, nn.Sigmoid)
    layers = [m for m in network.modules() if not list(m.children())]
    heavy = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    places = [i for i, layer in enumerate(layers) if isinstance(layer, heavy)]
    dense = [i for i in places if isinstance(layers[i], nn.Linear)]
    edge = layers[places[-1] :] if making else layers[: places[1]]
    inner = [layer for layer in layers[:-1] if isinstance(layer, active)]
    right = nn.ReLU if making else nn.LeakyReLU
    pooling = (nn.MaxPool2d, nn.AvgPool2d, nn.Upsample)
    wrong_end = not isinstance(layers[-1], nn.Tanh) if making else isinstance(layers[-1], active)
    return {
        "pooling": sum(isinstance(layer, pooling) for layer in layers),
        "dense": sum(i != (places[0] if making else places[-1]) for i in dense),
        "edge_norm": sum(isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) for layer in edge),
        "activation": sum(not isinstance(layer, right) for layer in inner),
        "slope": sum(getattr(layer, "negative_slope", 0.2) != 0.2 for layer in inner),
        "output": int(wrong_end),
        "momentum": int(beta1 != 0.5),
    }
    ### END SOLUTION


# %% [markdown]
# Let it look at a discriminator in the manner of one of the articles that this course corrects, and at the course's own two networks.

# %%
article = nn.Sequential(
    nn.BatchNorm2d(1),
    nn.Conv2d(1, 32, kernel_size=4, stride=2, padding=1),
    nn.LeakyReLU(negative_slope=0.01),
    nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1),
    nn.LeakyReLU(negative_slope=0.01),
    nn.Flatten(),
    nn.Linear(64 * (size // 4) ** 2, 1),
    nn.Sigmoid(),
)
findings = {
    "article's discriminator": broken_rules(article, role="discriminator", beta1=0.9),
    "our discriminator": broken_rules(Discriminator(size=size), role="discriminator"),
    "our generator": broken_rules(Generator(size=size), role="generator"),
}
for name, counts in findings.items():
    print(f"{name:24}", {rule: count for rule, count in counts.items() if count} or "clean")

# %% [markdown]
# The article's discriminator breaks five times, by four rules. Our own networks are not clean either: a linter asks; you answer. Our discriminator has a hidden dense layer: on purpose, 128 features cost little on a small grid. And it has no batch normalisation at all, because a gradient penalty
# asks for a gradient per picture. Our generator seems to lack its tanh. That is a false alarm: it calls `torch.tanh` in `forward`, where a linter that reads modules cannot see it.

# %% [markdown]
# ### From the errata: a network of another size, and an epoch that was a step
#
# One article's generator doubles three times from 7 pixels and so makes 56, while its discriminator takes 28: even with its missing import repaired, the program stops before the first step. Its discriminator normalises its input, leaks 0.01 and moves with $\beta_1 = 0.9$,
# against three of the rules above. It trains on fakes that were drawn with running statistics, from a generator that learns with those of the batch, and real and generated pictures pass the normalisation in separate batches; the next two sections show what that does. It asks for 10,000 epochs where
# it presumably means steps, and it never calls its training function: the pictures that it shows are those of an untrained network, and none is saved, though the text says so. We shall count steps, save grids to a folder, and measure a cost first.
#
# <!-- errata: CA2 CA6 CA8 CA9 CA10 CA11 -->

# %% [markdown]
# ## Normalised at its input, the discriminator cannot see contrast
#
# Batch normalisation subtracts the batch's mean and divides by its spread. If all pictures of a batch are stretched by $a$ and moved by $c$, mean and spread go along, and the result stays what it was ($\epsilon$ is the small number under the root):
#
# $$\mathrm{BN}_{a^2 \epsilon}(a x + c) = \mathrm{BN}_{\epsilon}(x), \qquad a > 0$$
# <!-- proof: networks.batch_norm_is_blind -->
#
# Suppose that real and generated pictures come in separate batches, and that all fakes are pale. Then a discriminator with a normalised input cannot see that, because each batch is brought to the same contrast. Expect the plain network to react to the pale pictures, and the normalised one hardly at all:

# %%
pale = 0.3 * x_batch + 0.5


def reaction(network: nn.Module) -> float:
    """Return how much the logits change when all pictures turn pale, against their spread."""
    with torch.no_grad():
        crisp, faint = network(x_batch).flatten(), network(pale).flatten()
    return float((crisp - faint).abs().mean() / crisp.std())


torch.manual_seed(SEED)
plain = nn.Sequential(*list(article)[1:-1]).to(device)
blind = nn.Sequential(nn.BatchNorm2d(1), plain).to(device)
seen, unnoticed = reaction(plain), reaction(blind)
print(f"change of the logits: plain {seen:.2f} of their spread, normalised {unnoticed:.5f}")

# %% [markdown]
# What is left of the reaction comes from $\epsilon$, which did not grow with the pictures' contrast as the formula asks.

# %%
proof("networks.batch_norm_is_blind")

# %% [markdown]
# ## In evaluation mode a young generator is another generator
#
# In training mode, batch normalisation uses the statistics of the batch. In evaluation mode it uses running averages that were collected on the way. They start at mean 0 and variance 1, and every batch moves them by a share $\mu$, which torch calls `momentum`. If all batches had mean $m$ and variance $v$, then after $n$ of them
#
# $$v_n = (1 - \mu)^n + \left( 1 - (1 - \mu)^n \right) v, \qquad m_n = \left( 1 - (1 - \mu)^n \right) m$$
# <!-- proof: networks.running_statistics -->
#
# Torch has $\mu = 0.1$, Keras 0.01: there, after 30 steps, three quarters of the average are still the initial guess.

# %%
proof("networks.running_statistics")


# %%
def spreads(share: float, steps: int) -> tuple[float, float]:
    """Return the spread of the pixels in training and in evaluation mode after some batches."""
    torch.manual_seed(SEED)
    network = Generator(size=size)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = share
    with torch.no_grad():
        for _ in range(steps):
            network(torch.randn(64, network.latent_dim))
        z = torch.randn(64, network.latent_dim)
        return float(network(z).std()), float(network.eval()(z).std())


for share in (0.1, 0.01):
    for steps in (0, 10, 30):
        training, evaluating = spreads(share, steps)
        print(
            f"momentum {share:4}, {steps:2d} batches: training {training:.3f}, evaluation {evaluating:.3f}"
        )
young = spreads(0.1, 0)

# %% [markdown]
# A fresh generator draws with contrast in training mode and almost uniform grey in evaluation mode. With the larger share the averages have come most of the way after thirty batches, with the smaller one they have hardly begun. Show the grey pictures to the discriminator, and it is trained against another generator than the one that learns. The rule: fakes for *training* come from training mode; pictures for *show* from evaluation mode, so that a picture does not
# depend on its company. And looking must not change anything. Write the second half.


# %%
@exercise("dcgan.sample")
def sample(generator: nn.Module, z: Tensor) -> Tensor:
    """Return pictures of codes ``(B, Z)`` for show, without a graph; leave the generator as it was."""
    ### BEGIN SOLUTION
    training = generator.training
    generator.eval()
    with torch.no_grad():
        x = generator(z)
    generator.train(training)
    return x
    ### END SOLUTION


# %% [markdown]
# ## Half the bits: you choose between range and digits
#
# A floating-point number is a sign, an exponent of $e$ bits and a fraction of $f$ bits. The exponent sets the range, the fraction sets the digits. With the offset $b = 2^{e-1} - 1$ the largest number, the smallest positive one with all its digits, the smallest positive one at all, and the gap above 1 are
#
# $$x_{\max} = (2 - 2^{-f})\, 2^{b}, \qquad x_{\text{normal}} = 2^{1 - b}, \qquad x_{\min} = 2^{1 - b - f}, \qquad \varepsilon = 2^{-f}$$
# <!-- proof: networks.float_format -->
#
# Half the bits mean half the bytes, so twice the intensity, and recent GPUs have special units that multiply such numbers several times faster.

# %%
formats = {"float32": (8, 23), "float16": (5, 10), "bfloat16": (8, 7)}
print(f"{'format':9}{'largest':>11}{'normal':>11}{'smallest':>11}{'epsilon':>11}")
for name, bits in formats.items():
    print(f"{name:9}" + "".join(f"{value:11.3g}" for value in maths.float_format(*bits)))

# %%
proof("networks.float_format")

# %% [markdown]
# **bfloat16** has the range of float32 and two to three digits. **float16** has about three and a narrow range: between zero and $6 \cdot 10^{-8}$ there is nothing. Is that small? Look at the gradient of the generator's loss for the pixels, when the discriminator has been convinced that the pictures are real. (An untrained one, with 6 added to its logits, stands in for it.)

# %%
torch.manual_seed(SEED)
judge_of_fakes = Discriminator(size=size).to(device)
fakes = torch.rand_like(x_batch).mul(2).sub(1).requires_grad_()
sure = judge_of_fakes(fakes) + 6.0  # "real", without a doubt: the slope of the loss is small
(slope,) = torch.autograd.grad(F.softplus(-sure).mean(), fakes)
alive = slope != 0


def lost(values: Tensor, kind: torch.dtype) -> float:
    """Return the share of the gradient's values that become zero in a format."""
    return float((values.to(kind) == 0)[alive].float().mean())


lost_half, lost_scaled = lost(slope, torch.float16), lost(2.0**14 * slope, torch.float16)
print(f"typical size {slope.abs().median():.1e}")
print(
    f"become zero: float16 {lost_half:.1%}, float16 scaled by 2^14 {lost_scaled:.1%}, bfloat16 {lost(slope, torch.bfloat16):.1%}"
)

# %% [markdown]
# ## A scaled loss has a scaled gradient
#
# Many values have the size of the smallest numbers of float16, so a part of them becomes zero. bfloat16 loses none. The way out for float16: multiply the loss by $s$ before the backward pass. The gradient is linear in the loss, so all its values grow by $s$ and stay in range on the way. Afterwards divide, in float32. Often a gradient is also clipped to a norm $c$, so that one odd batch cannot throw the network far:
#
# $$g = \frac{1}{s} \nabla_\theta (s L) = \nabla_\theta L, \qquad \tilde g = g\, \min\left( 1, \frac{c}{\lVert g \rVert} \right)$$
# <!-- proof: networks.loss_scaling -->
#
# Three traps. Divide *after* leaving float16, or the small values die after all. Clip after dividing, because $c$ was meant for $g$. And if $s$ was too large, a value overflows to infinity: then skip the step (and next time take a smaller $s$). Here the function returns zeros as a sign of that; the optimiser must then not be called at all, for Adam's running means would move the weights even so. bfloat16 has the range of float32 and needs no scale.


# %%
@exercise("training.unscale_and_clip")
def unscale_and_clip(gradient: Tensor, scale: float, *, max_norm: float) -> Tensor:
    """Return the clipped gradient of the loss in float32; all zeros if a value is not finite."""
    ### BEGIN SOLUTION
    true = gradient.float() / scale
    if not true.isfinite().all():
        return torch.zeros_like(true)
    return true * (max_norm / true.norm()).clamp(max=1.0)
    ### END SOLUTION


# %%
through_half = (2.0**14 * slope).half()
saved = unscale_and_clip(through_half, 2.0**14, max_norm=1.0)
error = float((saved - slope).norm() / slope.norm())
plain_error = float((slope.half().float() - slope).norm() / slope.norm())
print(f"relative error of the gradient: {plain_error:.3f} without a scale, {error:.5f} with one")

# %%
proof("networks.loss_scaling")

# %% [markdown]
# What stays in float32? The weights and the optimiser. A step often changes a weight by a thousandth or less of its size, and in bfloat16 that is less than half the gap to the next number: rounded to the nearest, the weight never moves. So **mixed precision** keeps weights, moments and sums (softmax, normalisation, losses) in float32, and lets products and convolutions run in half.

# %%
weight = torch.ones((), dtype=torch.bfloat16)
for _ in range(1000):
    weight += 1e-3
print(
    f"a thousand steps of 0.001 from 1: bfloat16 {float(weight):.3f}, exactly {1 + 1000 * 1e-3:.3f}"
)

# %% [markdown]
# ## Memory has four parts, and you can count them
#
# What must be in memory during a step? For each of $N$ parameters the weight, its gradient, $k$ running means of the optimiser (two for Adam) and perhaps an average ($a = 1$), four bytes each. And for each of $B$ images the $A$ numbers that the backward pass will need again, the **activations**, with $b$ bytes each:
#
# $$M = 4N\,(1 + 1 + k + a) + b\, A\, B$$
# <!-- proof: networks.training_memory -->
#
# Only the second part grows with the batch, so it decides which batch fits. It also grows with the pixels: for large pictures it is soon the larger part. Buffers, temporary memory and the reserve of the program that hands out memory come on top.


# %%
@exercise("training.training_bytes")
def training_bytes(
    parameters: int,
    activations: int,
    *,
    batch_size: int,
    moments: int = 2,
    average: bool = False,
    half: bool = False,
) -> int:
    """Return the bytes of a training step; ``half`` means activations of two bytes."""
    ### BEGIN SOLUTION
    copies = 1 + 1 + moments + int(average)
    return 4 * parameters * copies + (2 if half else 4) * activations * batch_size
    ### END SOLUTION


# %%
proof("networks.training_memory")

# %% [markdown]
# Count on a real network. Autograd tells us, through a hook (a function of ours that it calls), each tensor that it keeps. From the activations of *one* image we predict those of the batch, and compare with what is kept for the whole batch; the first part is 16 bytes a parameter in both.


# %%
def kept(network: nn.Module, x: Tensor) -> int:
    return kept_bytes(lambda: network(x), without=network.parameters())


torch.manual_seed(SEED)
network = Discriminator(size=size).to(device)
count = sum(p.numel() for p in network.parameters())
one_image = kept(network, x_batch[:1].clone()) // 4
fixed, counted = 4 * 4 * count, kept(network, x_batch)
predicted = training_bytes(count, one_image, batch_size=batch_size)
memory_gap = abs(predicted - fixed - counted) / counted
print(f"{count:,} parameters, {one_image:,} activations an image")
print(
    f"a step with Adam and {batch_size} images: {predicted / 2**20:.2f} MiB predicted, {(fixed + counted) / 2**20:.2f} MiB counted"
)

# %% [markdown]
# If a batch does not fit, there are three ways out. Half precision halves the second part. **Activation checkpointing** keeps only the inputs of some blocks and computes the inside of a block again when the backward pass arrives; it costs about one more forward pass. The third way, smaller batches, comes next.

# %%
x_graph = x_batch.clone().requires_grad_()
whole = kept(network, x_graph)
blocks = kept_bytes(
    lambda: network.head(checkpoint(network.features, x_graph, use_reentrant=False)),
    without=network.parameters(),
)
print(
    f"kept for the backward pass: {whole / 2**20:.2f} MiB, with one checkpointed block {blocks / 2**20:.2f} MiB"
)

# %% [markdown]
# ## Small batches can add up to a large one
#
# The loss of a batch is a mean over $B$ examples. Cut the batch into shards of $B_r$ examples with mean losses $L_r$, and by linearity
#
# $$\nabla \frac1B \sum_{i=1}^{B} \ell_i = \sum_r \frac{B_r}{B}\, \nabla L_r, \qquad L_r = \frac{1}{B_r} \sum_{i \in r} \ell_i$$
# <!-- proof: networks.shard_gradients -->
#
# `backward` *adds* to the gradients that are there. So: clear once, send the shards through one after the other, each weighted with its share, and step once. Only one shard's activations are in memory at a time.


# %%
@exercise("training.accumulated_step")
def accumulated_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Callable[[nn.Module, Tensor], Tensor],
    x: Tensor,
    *,
    pieces: int,
) -> dict[str, Tensor]:
    """Update once on ``x`` in ``pieces``; ``loss(network, piece)`` is a mean; return "loss", detached."""
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    total = torch.zeros((), device=x.device)
    for piece in x.tensor_split(pieces):
        share = loss(network, piece) * len(piece) / len(x)
        share.backward()
        total = total + share.detach()
    optimizer.step()
    return {"loss": total}
    ### END SOLUTION


# %%
proof("networks.shard_gradients")

# %% [markdown]
# The formula has a condition: the loss of an example must not depend on the others. Batch normalisation breaks it. Compare one whole batch with sixteen pieces, without and with a normalised layer. Expect a difference of the size of rounding in the first case, and a real one in the second, where each piece is normalised with its own statistics.


# %%
def real_loss(network: nn.Module, x: Tensor) -> Tensor:
    return F.softplus(-network(x)).mean()


def gap_of_pieces(network: nn.Module, pieces: int) -> float:
    """Return how far an update in pieces ends from that of the whole batch, in its lengths."""
    ends = []
    start = torch.cat([p.detach().flatten() for p in network.parameters()])
    for cut in (1, pieces):
        twin = copy.deepcopy(network)
        descent = torch.optim.SGD(twin.parameters(), lr=0.1)
        accumulated_step(twin, descent, real_loss, x_batch, pieces=cut)
        ends.append(torch.cat([p.detach().flatten() for p in twin.parameters()]))
    return float((ends[0] - ends[1]).norm() / (ends[0] - start).norm())


torch.manual_seed(SEED)
tied = nn.Sequential(*plain[:3], nn.BatchNorm2d(64), *plain[3:]).to(device)
pieces_gap, tied_gap = gap_of_pieces(plain, 16), gap_of_pieces(tied, 16)
print(f"difference of the updates: plain {pieces_gap:.1e}, with batch normalisation {tied_gap:.2f}")

# %% [markdown]
# ## Measure the pace before you believe it
#
# Now the whole step. We build the players in one function, because we need them several times: the networks, Adam with $\beta_1 = 0.5$, and a running average of the generator. Two facts about these two tools. Adam's first step has the length of the learning rate $\eta$, whatever the size of the gradient $g_1$
# ($\epsilon$ is tiny):
#
# $$\Delta w_1 = -\eta\, \frac{g_1}{\lvert g_1 \rvert + \epsilon} \approx -\eta\, \mathrm{sign}(g_1)$$
# <!-- proof: networks.adam -->
#
# So Adam does not notice a scaled loss, but a wrong learning rate shows at once. And an average $\bar\theta$ of the weights $\theta$ that keeps the share $\delta$ of itself at each step gives the weights of $k$ steps ago the share $(1 - \delta)\, \delta^k$:
#
# $$\bar\theta_n = \sum_{k=0}^{n-1} (1 - \delta)\, \delta^k\, \theta_{n-k} + \delta^n\, \bar\theta_0$$
# <!-- proof: gan.weight_average -->
#
# With $\delta = 0.998$ it looks back over about $1 / (1 - \delta) = 500$ steps. (`Average` begins with a smaller $\delta$, to forget the random start.) Both learning rates fall to a tenth during the run.


# %%
def build(fabric: Any, steps: int) -> SimpleNamespace:
    """Return players, optimisers, average and step of a training of so many steps."""
    torch.manual_seed(SEED)
    generator, discriminator = Generator(size=size), Discriminator(size=size)
    g, d = place(fabric, generator), place(fabric, discriminator)
    opt_g, opt_d = (adam(n, lr=2e-3, betas=(0.5, 0.99), fabric=fabric) for n in (g, d))
    decay_g, decay_d = (LinearLR(o, 1.0, 0.1, total_iters=steps) for o in (opt_g, opt_d))
    average = Average(generator, decay=0.998)

    def step(n: int, x: Tensor, *_: Tensor) -> dict[str, Tensor]:
        gamma = lazily(0.3, n, every=4)  # the penalty of lesson 10, in every fourth step
        losses = gan_step(g, d, opt_g, opt_d, x, gamma=gamma, backward=fabric.backward)
        average.update(generator)
        decay_g.step()
        decay_d.step()
        return losses

    parts = dict(generator=generator, discriminator=discriminator, opt_g=opt_g, opt_d=opt_d)
    parts |= dict(average=average, decay_g=decay_g, decay_d=decay_d)
    return SimpleNamespace(generator=generator, average=average, step=step, parts=parts)


# %%
proof("networks.adam")

# %%
proof("gan.weight_average")

# %% [markdown]
# Time the first 20 steps, one by one.

# %%
trial = build(fabric, 20)
number = iter(range(100))
times = step_seconds(lambda: trial.step(next(number), *next(batches)), 20, device=device)
viz.lines(
    list(range(1, 21)),
    {"a step": [1000 * float(t) for t in times]},
    xlabel="step",
    ylabel="time / milliseconds",
    markers=True,
    title=f"{batch_size / float(times[4:].mean()):,.0f} images per second after the warm-up",
)

# %% [markdown]
# The first step is usually the dearest: memory is fetched, code is loaded, a GPU tries algorithms. This is the **warm-up**, and it never comes back. After it every fourth step, from the fifth on, does more work, because it carries the penalty; on a busy machine the noise may hide it. A larger batch usually raises the images per second until the machine is full, and from there only the memory in use.
#
# Where does the time of a step go? `torch.profiler` watches every operator.

# %%
trial.step(99, *next(batches))
operators = operator_seconds(lambda: [trial.step(n, *next(batches)) for n in range(4)])
viz.bars(
    {name.replace("_", " "): 1000 * s / 4 for name, s in operators.items()},
    xlabel="operator",
    ylabel="time in a step / milliseconds",
    title="Where the time of a GAN step goes",
)

# %% [markdown]
# A profile tells where work pays. If convolutions lead, the time goes where it should. If copies, conversions or `item` lead, something is wrong with the program, not with the network.

# %% [markdown]
# ## Estimate the bill before you train
#
# Let $\bar t$ be the mean time of a step in seconds after the warm-up, $E$ the epochs, $n$ the images and $B$ the batch. An **epoch** shows every image once and has $\lfloor n / B \rfloor$ steps; what is left over makes no batch. With $P$ watts, an overhead $u$ for cooling and supply, and a price $c$ for a kilowatt hour the run takes
#
# $$h = \frac{E\, \lfloor n / B \rfloor\, \bar t}{3600}\ \text{hours}, \qquad \mathrm{kWh} = \frac{u P h}{1000}, \qquad \text{price} = c \cdot \mathrm{kWh}$$
# <!-- proof: networks.run_cost -->


# %%
@exercise("training.run_hours")
def run_hours(
    seconds: Tensor, *, images: int, batch_size: int, epochs: int, warm_up: int = 5
) -> float:
    """Estimate the hours of a run from the times ``(N,)`` of its first steps."""
    ### BEGIN SOLUTION
    steps = epochs * (images // batch_size)
    return steps * float(seconds[warm_up:].mean()) / 3600
    ### END SOLUTION


# %%
proof("networks.run_cost")

# %% [markdown]
# One article asks for 10,000 epochs of MNIST with batches of 64. The watts and the price below are examples, not measurements: put your own in. The hours hold for our step on our pictures.

# %%
watts, price = 30.0, 0.30  # of this machine while it works; of a kilowatt hour
asked = run_hours(times, images=60_000, batch_size=64, epochs=10_000)
ours = run_hours(times, images=budget.steps * batch_size, batch_size=batch_size, epochs=1)
for name, hours in (("10,000 epochs of MNIST", asked), ("our training", ours)):
    cost = maths.energy_cost(hours, watts=watts, price=price, overhead=1.2)
    print(
        f"{name:23}: {hours:10.3f} hours, {cost['kilowatt_hours']:9.4f} kWh, price {cost['price']:8.4f}"
    )

# %% [markdown]
# The article's number is 9.37 million steps, on pictures of 28 by 28 pixels; ours have 16 by 16 (64 by 64 in the `gpu` profile). Presumably it meant 10,000 steps.

# %% [markdown]
# ## Training: grids go to a folder, not only to the screen
#
# Same codes, again and again. Every preview is also written to a folder, so that you can see tomorrow how it went. Expect grey blots first, then strokes, and digits later.

# %%
folder = Path(tempfile.mkdtemp(prefix="dcgan-"))
run = build(fabric, budget.steps)
codes = torch.randn(40, run.generator.latent_dim, device=device)


def drawn() -> Tensor:
    return sample(run.average.network, codes).cpu()


def draw_samples() -> viz.Figure:
    figure = viz.image_grid(drawn(), columns=20, title="forty codes, drawn")
    number = len(list(folder.glob("samples-*.png")))
    (folder / f"samples-{number:03d}.png").write_bytes(viz.png_bytes(figure))
    return figure


replay = Replay(drawn, steps=budget.steps, count=14)
begun = time.process_time()
history = fit(
    run.step, batches, steps=budget.steps, preview=draw_samples, log=replay, fabric=fabric
)
cpu_seconds = time.process_time() - begun

# %%
viz.film(replay.kept, replay.steps, title="forty codes, drawn")

# %% [markdown]
# That was the run as a film: a `Replay` kept what the average drew from the same forty codes at fourteen moments, closely at first. When do strokes join into digits? Does a place still change its digit late in the run?

# %%
draw_samples()
epochs = budget.steps * batch_size / len(train)
print(f"{budget.steps} steps of {batch_size} are {epochs:.1f} epochs of {len(train)} pictures")
print(f"{len(list(folder.glob('samples-*.png')))} grids in {folder}")
viz.curves(history, names=["d_loss", "g_loss"], title="The losses say who is ahead, not how good")

# %% [markdown]
# ## The judge counts the digits
#
# The course's classifier has seen real drawings only. We ask it which digits the generator draws and how often, and compare the clouds of its features by the Fréchet distance (lesson 04).


# %%
def for_judge(x: Tensor) -> Tensor:
    """Return pictures in the size that the judge knows."""
    if size == budget.judge:
        return x
    return F.interpolate(x, size=(budget.judge,) * 2, mode="bilinear", antialias=True)


judge = load_judge("glyphs", budget.judge, device=device)
z = torch.randn(2000, run.generator.latent_dim, generator=torch.Generator().manual_seed(SEED + 1))
pictures = torch.cat([sample(run.average.network, some) for some in z.to(device).split(500)])
shares = judge.class_shares(for_judge(pictures))
features = judge.features(for_judge(x_unseen))
floor = frechet_distance(features[:2000], features[2000:])
distance = frechet_distance(judge.features(for_judge(pictures)), features[:2000])
rarest = float(shares.min())
print(f"Fréchet distance {distance:.2f} (real against real: {floor:.2f})")
viz.bars(
    {str(k): round(100 * float(share), 1) for k, share in enumerate(shares)},
    xlabel="digit that the judge sees",
    ylabel="share of the pictures / %",
    title=f"The rarest digit has {100 * rarest:.1f} % of the pictures; an even share is 10 %",
)

# %%
viz.image_grid(pictures[:60], columns=15, title="Sixty drawings that nobody made")

# %% [markdown]
# Look at them one by one: many are digits, some are none. The judge has to call each of them one of ten, so its shares tell whether a digit is lost, and not whether a drawing is one. For that the Fréchet distance says more: it lies well above that of real against real.

# %% [markdown]
# ## Everything that decides about the next step must be saved
#
# Machines crash, notebooks are closed, cheap GPUs are taken away. Who saves only the weights does not resume a run, but begins another one from good weights. What else decides about the next steps? Below is `restore_run`, which puts back whatever it is given. Write the function that collects it. Mind that a `state_dict` holds the tensors themselves, not copies.

# %%
show_source(restore_run)


# %%
@exercise("training.run_state")
def run_state(network: nn.Module, optimizer: Any, average: Any, batches: Any) -> dict[str, Any]:
    """Return all that ``restore_run`` needs to go on bit for bit; training on must not change it."""
    ### BEGIN SOLUTION
    parts = {"network": network, "optimizer": optimizer, "average": average, "batches": batches}
    state = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}
    return {**state, "rng": torch.get_rng_state()}
    ### END SOLUTION


# %% [markdown]
# `Checkpoints` does this for all parts of a run, on the disk. It writes under a temporary name and renames when all is there, so that a crash while saving leaves the checkpoint before it. It also keeps what the run was made with, and refuses to go on with something else. Now the test: one run without a break, one that is stopped in the middle and
# resumed by networks that know nothing. A **fingerprint** of the generator's weights tells whether they end the same, to the last bit.


# %%
def go_to(stop: int, place_of: Path) -> Tensor:
    """Train to step ``stop``, from the checkpoint in the folder if there is one; return weights."""
    fresh = build(fabric, 2 * budget.resume)
    stream = data.Batches(train, batch_size, rng=torch.Generator().manual_seed(SEED), device=device)
    saver = Checkpoints(
        place_of,
        {**fresh.parts, "batches": stream},
        every=budget.resume,
        run={"data": "glyphs", "size": size, "batch_size": batch_size},
        fabric=fabric,
    )
    fit(fresh.step, stream, steps=stop, checkpoints=saver, progress=False, fabric=fabric)
    return torch.cat([p.detach().flatten().cpu() for p in fresh.generator.parameters()])


def fingerprint(weights: Tensor) -> str:
    return hashlib.sha256(weights.numpy().tobytes()).hexdigest()[:16]


# %%
undisturbed = go_to(2 * budget.resume, folder / "undisturbed")
halfway = go_to(budget.resume, folder / "stopped")
resumed = go_to(2 * budget.resume, folder / "stopped")
resume_gap = float((undisturbed - resumed).abs().max())
for name, weights in (("undisturbed", undisturbed), ("halfway", halfway), ("resumed", resumed)):
    print(f"{name:12} {fingerprint(weights)}")

# %% [markdown]
# The resumed run has the fingerprint of the undisturbed one. On a GPU this needs one more word: some operations there add numbers in the order in which they finish, and sums of floating-point numbers depend on the order. `torch.use_deterministic_algorithms(True)` asks for the ordered ones, which are slower, or says which operation has none. And `torch.backends.cudnn.benchmark` lets
# the GPU try algorithms and may pick another one each time. Equal bits are for finding faults; for results, several seeds say more.

# %% [markdown]
# ## Two processes are one, if they share gradients and statistics
#
# **Data-parallel** training gives each of $R$ processes (one a GPU) a copy of the networks and a shard of each batch. After every backward pass the gradients are averaged over the processes, and by the formula above that *is* the gradient of the whole batch. All copies take the same step and stay alike.
#
# How are the gradients added up? Not through one process that gets everything. In a **ring**, each process sends to its neighbour only. Cut the gradient of $N$ numbers with $w$ bytes each into $R$ equal pieces. In $R - 1$ rounds the pieces travel and grow; in another $R - 1$ rounds the finished pieces travel:
#
# $$\text{bytes sent by each process} = 2\, \frac{R - 1}{R}\, w N < 2 w N$$
# <!-- proof: networks.ring_all_reduce -->

# %%
proof("networks.ring_all_reduce")

# %%
rows = torch.arange(12.0).reshape(3, 4).repeat(1, 3)  # three processes, twelve numbers each
held, sent = maths.ring_all_reduce(rows)
print("every process holds the sum:", bool((held == rows.sum(dim=0)).all()))
print(f"numbers sent by each: {sent.tolist()}, in bytes {maths.ring_traffic(12, 3):.0f}")
gradient_bytes = maths.ring_traffic(count, 8)
print(
    f"our discriminator on 8 GPUs: each would send {gradient_bytes / 2**20:.2f} MiB in every step"
)

# %% [markdown]
# The traffic of a process hardly grows with their number. That is why data parallelism can scale, as long as a step takes longer than the traffic.
#
# Batch normalisation breaks the equality, as it did for pieces: each process would normalise with its own shard. The cure is to share the statistics. Means $m_r$ and variances $v_r$ of the shards (divided by their sizes $B_r$) are enough, but mind the second term:
#
# $$m = \sum_r \frac{B_r}{B}\, m_r, \qquad v = \sum_r \frac{B_r}{B} \left( v_r + (m_r - m)^2 \right)$$
# <!-- proof: networks.shard_statistics -->

# %%
proof("networks.shard_statistics")

# %%
pixels = x_batch.flatten(start_dim=1)[:, :200].cpu().double()
halves = pixels.split(batch_size // 2)
means = torch.stack([half.mean(dim=0) for half in halves])
variances = torch.stack([half.var(dim=0, unbiased=False) for half in halves])
sizes = torch.tensor([len(half) for half in halves])
true = pixels.var(dim=0, unbiased=False)
_, merged = maths.merge_statistics(means, variances, sizes)
print(f"largest error: shared statistics {float((merged - true).abs().max()):.1e}", end=", ")
print(f"mean of the variances {float((variances.mean(dim=0) - true).abs().max()):.1e}")

# %% [markdown]
# Now do it. This cell starts two real processes, each with half a batch, through the course's command `genimg train`; on a machine with two GPUs the same command without `--accelerator cpu` is meant to use both, which was not tried yet. We compare with one process and whole batches. A GAN draws its noise in each process, so for a comparison of digits we take a network without noise, the autoencoder.

# %%
command = [sys.executable, "-m", "genimg_course.cli", "train", "ae", "--devices", "2"]
command += ["--accelerator", "cpu", "--precision", "fp32", "--seed", str(SEED)]
command += ["--steps", str(budget.pair), "--batch-size", "32", "--count", "2000"]
pair = folder / "two-processes"
done = subprocess.run(
    [*command, "--out", str(pair)],
    env={**os.environ, "OMP_NUM_THREADS": "1"},
    capture_output=True,
    text=True,
)
print(done.stdout[-400:] if done.returncode == 0 else done.stderr[-2000:])

# %%
options = dict(steps=budget.pair, count=2000, seed=SEED, accelerator="cpu", precision="fp32")
train_family("ae", batch_size=64, out=folder / "one-process", progress=False, **options)


def losses_in(place_of: Path) -> Tensor:
    lines = (place_of / "history.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return torch.tensor([r["squared_error"] for r in records if "squared_error" in r])


one, two = losses_in(folder / "one-process"), losses_in(pair)
pair_gap = float(((one - two) / one).abs().max())
for n, (a, b) in enumerate(zip(one, two, strict=True)):
    print(f"step {n + 1}: one process {a:.5f}, two processes {b:.5f}")

# %% [markdown]
# The losses agree to about as many digits as float32 has, though not always to the last bit: the sums were taken in another order. When you add processes, the batch grows. Then fewer steps make an epoch, and a larger batch usually bears a larger learning rate; retune it, and warm it up.

# %% [markdown]
# ## An honest run stays within measured bounds
#
# The bounds were calibrated on processors over several seeds, so that an honest run there is unlikely to miss them by bad luck. On a GPU nothing was measured yet: the quality of the drawings has no bound there, and the other bounds are those of the processor. Equal bits after resuming are not promised there, as said above.

# %%
report(
    share_of_the_rarest_class=Goal(rarest, at_least=goals.rarest),
    frechet_distance=Goal(distance, at_most=goals.frechet),
    resume_gap=Goal(resume_gap, at_most=0.0),
    gap_of_two_processes=Goal(pair_gap, at_most=1e-5),
    gap_of_pieces=Goal(pieces_gap, at_most=1e-4),
    gap_of_pieces_with_batch_norm=Goal(tied_gap, at_least=goals.tied),
    unnoticed_paleness=Goal(unnoticed, at_most=1e-3),
    spread_in_evaluation_over_training=Goal(young[1] / young[0], at_most=goals.spread),
    gradient_error_after_scaling=Goal(error, at_most=1e-3),
    memory_gap=Goal(memory_gap, at_most=1e-3),
    training_time=Goal(cpu_seconds, unit="CPU seconds"),
)

# %%
progress("12")

# %% [markdown]
# ## What to keep
#
# - A machine is as fast as its slower half allows: many operations for each byte, few and large calls, no look at a number inside a step.
# - One place decides about device and precision. Data lie on the device as bytes.
# - bfloat16 has the range and lacks digits; float16 needs a scaled loss: unscale in float32, then clip. Weights and moments stay in float32.
# - Memory, time and price can be counted before the run: four numbers a weight with Adam, the activations once for each image; the mean time of the steps after the warm-up.
# - Batch normalisation ties a batch together. It cannot see contrast at the input, lags behind in evaluation mode, and must be shared between processes.
# - A run resumes bit for bit only if weights, optimiser, average, data order and random states are saved.
#
# **Try next.** Change `batch_size` to 256 and watch images per second and the judge. Leave the optimiser out of `parts` and compare fingerprints. On a GPU: `PROFILE = "gpu"`; with two, `genimg train gan --devices 2`.

# %% [markdown]
# ## Further reading
#
# - A. Radford, L. Metz and S. Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks*, ICLR 2016, [arXiv:1511.06434](https://arxiv.org/abs/1511.06434). DCGAN and its rules.
# - S. Williams, A. Waterman and D. Patterson, *Roofline: An Insightful Visual Performance Model for Multicore Architectures*, Communications of the ACM 52(4), 2009, [doi:10.1145/1498765.1498785](https://doi.org/10.1145/1498765.1498785).
# - P. Micikevicius, S. Narang, J. Alben, G. Diamos, E. Elsen, D. Garcia, B. Ginsburg, M. Houston, O. Kuchaiev, G. Venkatesh and H. Wu, *Mixed Precision Training*, ICLR 2018, [arXiv:1710.03740](https://arxiv.org/abs/1710.03740).
# - T. Chen, B. Xu, C. Zhang and C. Guestrin, *Training Deep Nets with Sublinear Memory Cost*, 2016, [arXiv:1604.06174](https://arxiv.org/abs/1604.06174). Activation checkpointing.
# - P. Goyal, P. Dollár, R. Girshick, P. Noordhuis, L. Wesolowski, A. Kyrola, A. Tulloch, Y. Jia and K. He, *Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour*, 2017, [arXiv:1706.02677](https://arxiv.org/abs/1706.02677).
# - S. Rajbhandari, J. Rasley, O. Ruwase and Y. He, *ZeRO: Memory Optimizations Toward Training Trillion Parameter Models*, 2020, [arXiv:1910.02054](https://arxiv.org/abs/1910.02054). What lies in memory, and how to share it.
# - P. Patarasuk and X. Yuan, *Bandwidth optimal all-reduce algorithms for clusters of workstations*, Journal of Parallel and Distributed Computing 69(2), 2009, [doi:10.1016/j.jpdc.2008.09.002](https://doi.org/10.1016/j.jpdc.2008.09.002).
# - E. Strubell, A. Ganesh and A. McCallum, *Energy and Policy Considerations for Deep Learning in NLP*, ACL 2019, [arXiv:1906.02243](https://arxiv.org/abs/1906.02243).
