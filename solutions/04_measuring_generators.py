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
# # 04 · Measuring generators
#
# **[Open this lesson in Colab]({{ colab }})**
#
# Somebody shows you a page of generated digits and says that they are good. Are they? Better than last week's? Do they show all that the
# data show? Eyes tire, and they cannot see what is missing. This lesson builds the instruments, and it tests them before it trusts them:
# on generators whose faults we know, because we made them.

# %% [markdown]
# **What you will do.** Build six generators with known faults. Write the measures that papers report: PSNR, the Fréchet distance (FID), the kernel distance (KID),
# the Inception score, precision and recall. See which measure sees which fault. Watch one of them give nearly its highest mark to ten copied
# pictures, and watch another prefer the worse generator because it was given more images.
#
# **What you need.** Means, covariances and eigenvalues, what a classifier is, and the KL divergence of lesson 03. The classifier that serves as judge comes with the course; lesson 02 trains one.

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 18 s |
# | `cpu` | a laptop; measured on two busy cores | 29 s |
# | `gpu` | 28 pixels, more images | not measured yet |
#
# **What you will reach** (`cpu`): both distances put the strengths of five faults in the right order (all 15 comparisons in each of thirty seeds), precision and recall tell bad pictures from missing ones,
# and ten memorised pictures reach an Inception score of 9.6 to 10.0 out of 10.

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
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course import data, metrics, viz
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths import frechet_bias, ssim
from genimg_course.maths.proofs import proof
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.training import pick_device, seed_everything

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(size=16, pool=4000, images=500, repeats=20),
    cpu=dict(size=16, pool=10000, images=2000, repeats=60),
    gpu=dict(size=28, pool=20000, images=5000, repeats=100),
)
# %%
goals = choose_budget(
    PROFILE,
    smoke=dict(
        order=0.93,
        kernel=0.8,
        precision=0.055,
        recall=0.29,
        fooled=8.8,
        steep=-1.35,
        flat=-0.71,
        infinity=0.9,
    ),
    cpu=dict(
        order=0.93,
        kernel=0.93,
        precision=0.31,
        recall=0.36,
        fooled=9.0,
        steep=-1.2,
        flat=-0.8,
        infinity=0.45,
    ),
    gpu=dict.fromkeys(
        ("order", "kernel", "precision", "recall", "fooled", "steep", "flat", "infinity")
    ),  # not measured yet
)
device = pick_device() if budget.profile == "gpu" else pick_device("cpu")
rng = seed_everything(SEED)
print(f"profile {budget.profile} on {device}")

# %% [markdown]
# ## Which of these six generators is the best?
#
# Each row below comes from a "generator". None was trained. The first one is perfect: it hands out fresh drawings from the law that made the data. The
# others spoil it in a known way. Two draw badly (blur, noise). Two draw well, but not everything: one has forgotten half of the digits, one knows ten
# drawings by heart and repeats them. The last one is too inventive and draws two digits on top of each other.
#
# Because we know the faults, and how strong they are, we can examine the measures as a teacher examines pupils.

# %%
real_pool = data.load("glyphs", size=budget.size, count=budget.pool)
fake_pool = data.load("glyphs", size=budget.size, split="validation", count=budget.pool)
order = torch.randperm(budget.pool, generator=rng)
drawings = data.to_model_range(fake_pool.images[order])  # (pool, C, H, W)
digits = fake_pool.labels[order]
fresh, others = drawings[: budget.images], drawings[budget.images :]
chosen = torch.randperm(budget.pool, generator=rng)[: budget.images]
real = data.to_model_range(real_pool.images[chosen])


# %%
def blurred(sigma: float) -> Tensor:
    """A Gaussian blur of ``sigma`` pixels at 16 pixels a side."""
    offsets = torch.arange(-5.0, 6.0)
    weights = torch.softmax(-offsets.square() / (2 * (sigma * budget.size / 16) ** 2), dim=0)
    padded = F.pad(fresh, (5, 5, 5, 5), mode="replicate")
    return F.conv2d(F.conv2d(padded, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))


def noisy(spread: float) -> Tensor:
    """Gaussian noise on every pixel."""
    noise = torch.randn(fresh.shape, generator=torch.Generator().manual_seed(SEED))
    return (fresh + spread * noise).clamp(-1, 1)


def forgetful(classes: int) -> Tensor:
    """Only the digits below ``classes``."""
    known = drawings[digits < classes]
    return known[torch.arange(budget.images) % len(known)]


# %%
def memorised(count: int) -> Tensor:
    """``count`` drawings, equally many of each digit, again and again."""
    few = torch.cat([drawings[digits == k][: count // 10] for k in range(10)])
    return few[torch.arange(budget.images) % len(few)]


def inventive(share: float) -> Tensor:
    """A second digit on top of the first, in this share of the drawings."""
    images, count = fresh.clone(), int(share * budget.images)
    images[:count] = torch.maximum(fresh[:count], others[:count])
    return images


generators = {
    "fresh": fresh,
    "blurred": blurred(1.0),
    "noisy": noisy(0.3),
    "forgetful": forgetful(5),
    "memorised": memorised(10),
    "inventive": inventive(1.0),
}
viz.compare_rows(
    {name: images[:15] for name, images in generators.items()},
    title="Six generators, five of them with a known fault",
)

# %% [markdown]
# Rank them by eye before you go on. Then notice what your eyes cannot do: in fifteen pictures the forgetful one looks fine, unless you count the classes.

# %% [markdown]
# ## With a target, the simplest measure compares pixels
#
# Sometimes there is a right answer: the picture that a decoder should rebuild, or a photograph before noise was added. Then we can compare pixel by pixel.
# The mean squared error (MSE) of an image is set against the largest possible error of a pixel, the distance MAX of black and white, and written in **decibels**: ten times the logarithm, to base ten, of the ratio of their squares.
#
# $$\mathrm{PSNR} = 10 \log_{10} \frac{\mathrm{MAX}^2}{\mathrm{MSE}}$$
# <!-- proof: metrics.psnr -->
#
# This is the peak signal-to-noise ratio. With 6.02 dB more the typical error of a pixel, the root of the MSE, is half as large. Our pixels run from $-1$ to $1$. What is MAX?


# %%
@exercise("metrics.psnr")
def psnr(x_hat: Tensor, x: Tensor, *, span: float = 2.0) -> Tensor:
    """Decibels ``(B,)`` of reconstructions of images ``(B, ...)`` whose black and white are ``span`` apart."""
    ### BEGIN SOLUTION
    error = (x_hat - x).square().flatten(start_dim=1).mean(dim=1)
    return 10 * (span**2 / error).log10()
    ### END SOLUTION


# %% [markdown]
# Stuck? `hint("metrics.psnr")` gives one more hint at each call. The last one is the solution. The badge below says which programs have checked the formula.

# %%
proof("metrics.psnr")

# %% [markdown]
# ## Three pictures with one PSNR look nothing alike
#
# Is a picture with more decibels a better picture? Take some drawings and damage each in three ways: shift it by one pixel, add noise, lower the contrast. The noise
# and the contrast are chosen so that all three damages have the same error, so the PSNR cannot tell them apart. Before you run the cell, rank the three yourself.
#
# **Structural similarity** (SSIM) looks at small windows instead. In each it compares the means $\mu$, the variances $\sigma^2$ and the covariance $\sigma_{xy}$ of the pixels of the two pictures $x$ and $y$:
#
# $$\mathrm{SSIM} = \frac{(2 \mu_x \mu_y + c_1)(2 \sigma_{xy} + c_2)}{(\mu_x^2 + \mu_y^2 + c_1)(\sigma_x^2 + \sigma_y^2 + c_2)} \le 1$$
# <!-- proof: metrics.ssim -->
#
# with two small constants $c_1 = (0.01\,\mathrm{MAX})^2$ and $c_2 = (0.03\,\mathrm{MAX})^2$ against a division by zero, and averages over all windows. Why at most 1? Because $2ab \le a^2 + b^2$: once for the means, and once for the deviations, since $|\sigma_{xy}| \le \sigma_x \sigma_y$. So each of the two factors lies between $-1$ and 1.

# %%
x = fresh[:200]
shifted = torch.roll(x, 1, dims=3)
error = (shifted - x).square().mean(dim=(1, 2, 3), keepdim=True)
noise = torch.randn(x.shape, generator=rng)
noise = noise * (error / noise.square().mean(dim=(1, 2, 3), keepdim=True)).sqrt()
faded = x * (1 - (error / x.square().mean(dim=(1, 2, 3), keepdim=True)).sqrt())
damages = {"shifted": shifted, "noisy": x + noise, "faded": faded}
for name, images in damages.items():
    print(f"{name:9} {psnr(images, x).mean():6.2f} dB   SSIM {ssim(images, x).mean():.2f}")
viz.compare_rows(
    {"drawing": x[:12]} | {name: images[:12].clamp(-1, 1) for name, images in damages.items()},
    title="Three damages with one PSNR",
)

# %%
proof("metrics.ssim")

# %% [markdown]
# The shifted digits are flawless and the noisy ones are not, at equal decibels. SSIM does tell the three apart, but it puts the flawless digits last, far below the noisy ones. Moving a whole digit by a pixel changes nearly every window. Both measures answer one question only:
# how close is this picture to *that* one? A generator has no target. Nobody can say which digit its next picture should have been. We must compare *sets* of pictures.

# %% [markdown]
# ## Compare laws, and look through the eyes of a judge
#
# A generator is a law $q$ over images, the data are draws of a law $p$. We want a distance between laws, and we have to estimate it from draws alone. Pixels are a poor place for that, as you just saw.
# So we look at images through a network that was trained to recognise them: the last hidden layer of a classifier turns an image into a vector of **features** $f$, here $F = 64$ numbers.
# In papers this network is usually Inception, trained on the photographs of ImageNet. Here it is the course's own judge, trained on drawings like these. Numbers from different judges do not compare.

# %%
judge = metrics.load_judge("glyphs", budget.size, device=device)


def look(images: Tensor) -> Tensor:
    return judge.features(images.to(device)).double().cpu()  # (N, F)


f_real = look(real)
features = {name: look(images) for name, images in generators.items()}
seen = {name: judge.class_shares(images.to(device)).cpu() for name, images in generators.items()}
viz.heatmap(
    torch.stack(list(seen.values())),
    xlabel="digit that the judge sees",
    ylabel="generator",
    rows=list(seen),
    limits=(0, 0.3),
    colour_label="share of the images",
    title="The forgetful generator draws five digits only",
)

# %% [markdown]
# The judge sees at once that the forgetful one knows five digits only. But the row of the ten memorised drawings is as even as that of the fresh ones. Counting classes helps where there are classes, and it does not look within them. Now for measures that need no classes.

# %% [markdown]
# ## The Fréchet distance is the cheapest way to move one Gaussian onto another
#
# Imagine both sets of features as clouds. How much work is it to carry one cloud onto the other? A **plan** pairs points $x$ of the first with points $y$ of the second, and its cost is the mean of $\lVert x - y \rVert^2$.
# The root of the cost of the cheapest plan is a distance between the clouds, the 2-Wasserstein distance. For clouds of any shape it is hard to compute. So replace each cloud by the Gaussian with its mean $m$ and its covariance $\Sigma$, and multiply out the square:
#
# $$\mathbb E \lVert x - y \rVert^2 = \lVert m_1 - m_2 \rVert^2 + \mathrm{tr}\,\Sigma_1 + \mathrm{tr}\,\Sigma_2 - 2\, \mathrm{tr}\, C, \qquad C = \mathrm{Cov}(x, y)$$
# <!-- proof: metrics.frechet -->
#
# Here $\mathrm{tr}$, the trace, adds up the diagonal. Only $C$ depends on the plan, so the cheapest plan has the largest $\mathrm{tr}\, C$. With one feature a covariance is at most $\sigma_1 \sigma_2$, and the cost becomes $(m_1 - m_2)^2 + (\sigma_1 - \sigma_2)^2$.
#
# With several features, a plan with $y = m_2 + T (x - m_1)$ arrives if $T \Sigma_1 T^\top = \Sigma_2$, and then $C = \Sigma_1 T^\top$. Let $\Sigma_1$ have an inverse. Of all such matrices the symmetric positive one moves least (no other plan is cheaper either; a check in the next section searches for one):
#
# $$T = \Sigma_1^{-1/2} (\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2}\, \Sigma_1^{-1/2}$$
# <!-- proof: metrics.monge_map -->
#
# A root such as $\Sigma^{1/2}$ is the symmetric matrix without negative eigenvalues whose product with itself is $\Sigma$. Multiply $T \Sigma_1 T$ out and the roots cancel in pairs until $\Sigma_2$ is left. And $\mathrm{tr}(\Sigma_1 T) = \mathrm{tr}(\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2}$, because a trace does not mind moving a factor from one end to the other.

# %%
proof("metrics.monge_map")

# %% [markdown]
# ## FID needs no matrix root, only eigenvalues
#
# Insert the cheapest plan and you have the squared **Fréchet distance**, which with Inception features is called FID:
#
# $$d^2 = \lVert m_1 - m_2 \rVert^2 + \mathrm{tr}\left( \Sigma_1 + \Sigma_2 - 2 (\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2} \right)$$
# <!-- proof: metrics.frechet -->
#
# The last trace is a sum of roots of eigenvalues $\lambda_i$. Which matrix has them? $\Sigma_1^{1/2} (\Sigma_1^{1/2} \Sigma_2)$ and $(\Sigma_1^{1/2} \Sigma_2)\, \Sigma_1^{1/2}$ have equal eigenvalues: swapping the two factors of a product does not change them. So the trace is
# $\sum_i \sqrt{\lambda_i(\Sigma_1 \Sigma_2)}$. The product is not symmetric, but its eigenvalues are real and not negative.
#
# Mind the root. It is not the root of each entry, it is not the product of two separate roots, and the distance that everybody reports is the squared one.


# %%
@exercise("metrics.gaussian_frechet")
def gaussian_frechet(mean_1: Tensor, cov_1: Tensor, mean_2: Tensor, cov_2: Tensor) -> Tensor:
    """Squared Fréchet distance, a scalar; means are ``(F,)``, covariances ``(F, F)``."""
    ### BEGIN SOLUTION
    cross = torch.linalg.eigvals(cov_1 @ cov_2).real.clamp_min(0).sqrt().sum()
    return (mean_1 - mean_2).square().sum() + cov_1.trace() + cov_2.trace() - 2 * cross
    ### END SOLUTION


# %%
proof("metrics.frechet")


# %%
def frechet(f_1: Tensor, f_2: Tensor) -> float:
    return float(gaussian_frechet(f_1.mean(dim=0), f_1.T.cov(), f_2.mean(dim=0), f_2.T.cov()))


distances = {name: frechet(f, f_real) for name, f in features.items()}
viz.bars(
    distances,
    xlabel="generator",
    ylabel="squared Fréchet distance",
    title="The perfect generator is the nearest, but not at zero",
)

# %% [markdown]
# The perfect generator wins by far. But look at its bar: it is not zero (eight seeds gave 0.8 to 1.7). It draws from the law of the data, so its true distance *is* zero. And look at the memorised ten drawings: they are nearer than the blurred, the noisy and the forgetful ones. Keep both in mind.

# %% [markdown]
# ## A slider shows how the number follows the fault
#
# Move the blur and watch both the picture and the number. The perfect generator is at one or two here. At which blur do you notice a difference, and how large is the number then?


# %%
def spoil(sigma: float = 0.6) -> viz.Figure:
    images = blurred(sigma)
    distance = frechet(look(images[:1000]), f_real)
    title = f"blur of {sigma:.2f} pixels: squared Fréchet distance {distance:.1f}"
    return viz.image_grid(images[:30], columns=15, title=title)


viz.explore(spoil, sigma=(0.2, 1.6, 0.05, 0.6))

# %% [markdown]
# ## In the plane you can see both terms, and what a sample adds
#
# One number for 64 features hides two things. Which of its two terms is large, the one of the means or the one of the covariances? And why was the perfect generator not at zero? Two features can be drawn, so put a Gaussian of your own beside the data and move it. Here the data have mean 0, variance 1 and correlation 0.6.
#
# The bar adds up the exact terms. Below it are forty estimates: each takes $n$ fresh points from both laws, as one does with images, and computes means and covariances from those. Before you move anything, guess: where will the dots lie if your Gaussian *is* that of the data?


# %%
def covariance(scale_1: float, scale_2: float, correlation: float) -> Tensor:
    mixed = correlation * scale_1 * scale_2
    return torch.tensor([[scale_1**2, mixed], [mixed, scale_2**2]], dtype=torch.float64)


truth = torch.zeros(2, dtype=torch.float64), covariance(1, 1, 0.6)


def meet(
    mean_1: float = 1.0,
    mean_2: float = 0.5,
    scale_1: float = 1.5,
    scale_2: float = 0.5,
    correlation: float = 0.0,
    n: int = 20,
) -> viz.Figure:
    moved = torch.tensor([mean_1, mean_2]).double(), covariance(scale_1, scale_2, correlation)
    generator = torch.Generator().manual_seed(SEED)  # the same points, moved, after each change
    noise = torch.randn(2, 40, n, 2, generator=generator, dtype=torch.float64)
    x, y = (
        mean + z @ torch.linalg.cholesky(cov).T
        for (mean, cov), z in zip((truth, moved), noise, strict=True)
    )
    means = float((truth[0] - moved[0]).square().sum())
    parts = {"means": means, "covariances": float(gaussian_frechet(*truth, *moved)) - means}
    found = [frechet(a, b) for a, b in zip(x, y, strict=True)]
    return viz.gaussian_pair(
        {"data": (*truth, x[0]), "generator": (*moved, y[0])},
        parts=parts,
        estimates=found,
        xlabel="squared Fréchet distance",
        title=f"exact {sum(parts.values()):.2f}, from n = {n} points {sum(found) / 40:.2f} on average",
    )


# %%
viz.explore(
    meet,
    mean_1=(-2.0, 2.0, 0.1, 1.0),
    mean_2=(-2.0, 2.0, 0.1, 0.5),
    scale_1=(0.2, 2.0, 0.1, 1.5),
    scale_2=(0.2, 2.0, 0.1, 0.5),
    correlation=(-0.95, 0.95, 0.05, 0.0),
    n=(5, 200, 5, 20),
)

# %% [markdown]
# Three things to try.
#
# - **A perfect generator.** Give it the law of the data: means 0, scales 1, correlation 0.6. The exact distance is 0.00, and not one dot is there. With 20 points the mean of the dots is about 0.3, with 5 about 1.5, with 200 about 0.03.
# - **A fault that no single feature shows.** Now turn the correlation to $-0.6$. Each feature still has mean 0 and variance 1, so two histograms would look right. The distance is 0.80, all of it from the covariances.
# - **A shift.** Put the correlation back and move the first mean to 1, then to 2. The term of the means is 1, then 4, and the other one stays at zero. Now the dots lie on both sides of the exact value. Far from zero a sample errs both ways; at zero it can only err upwards.

# %% [markdown]
# ## Fewer images make every generator look worse
#
# Why is a perfect generator not at zero? Means and covariances are estimated from $n$ images. They scatter about the truth, and near zero the distance counts every deviation as a difference, whatever its sign.
# The mean deviates by about $1/\sqrt n$ and enters squared, so the error is proportional to $1/n$; the covariance does the same. For two samples of $n$ and $m$ images of one Gaussian law, to first order,
#
# $$\mathbb E\, \hat d^2 \approx \left( \frac1n + \frac1m \right) \left( \tfrac54\, \mathrm{tr}\, \Sigma + \tfrac12 \sum_{i,j} \frac{\lambda_i \lambda_j}{\lambda_i + \lambda_j} \right)$$
# <!-- proof: metrics.frechet_bias -->
#
# where $\Sigma$ is the covariance of the law and $\lambda_i$ are its eigenvalues. If all are 1 the second factor is $F(F + 5)/4$: it grows with the *square* of the number of features. Let us measure it. We draw pairs of samples, with replacement, from one pool, so the true distance is zero by construction. In logarithmic axes a multiple of $1/n$ is a straight line of slope $-1$.

# %%
f_pool = look(data.to_model_range(real_pool.images))
sizes = [200, 400, 800, 1600, 3200]


def average_distance(f: Tensor, count: int) -> float:
    """The mean over pairs of samples: ``count`` images of ``f`` against ``count`` of the pool."""
    pairs = [
        [side[torch.randint(len(side), (count,), generator=rng)] for side in (f, f_pool)]
        for _ in range(budget.repeats)
    ]
    return sum(metrics.frechet_distance(*pair) for pair in pairs) / len(pairs)


floor = [average_distance(f_pool, count) for count in sizes]
cov = f_pool.T.cov() + 1e-9 * torch.eye(f_pool.shape[1])
predicted = [float(frechet_bias(cov, count, count)) for count in sizes]
x_log, y_log = (torch.tensor(values).log() for values in (sizes, floor))
slope = float(torch.stack([x_log, y_log]).cov()[0, 1] / x_log.var())
viz.lines(
    sizes,
    {"measured": floor, "formula for Gaussians": predicted},
    xlabel="images n in each sample",
    ylabel="squared Fréchet distance",
    xscale="log",
    yscale="log",
    markers=True,
    xlim=(100, 10000),
    title=f"A law and itself: slope {slope:.2f}",
)

# %% [markdown]
# Nearly a straight line of slope $-1$ (thirty seeds gave $-0.96$ to $-1.04$): here the distance is *all bias*. The formula is a good guide although these features are not Gaussian. This is one reason why papers usually compute the FID with 50,000 images.

# %%
proof("metrics.frechet_bias")

# %% [markdown]
# ## Never compare values from different numbers of images
#
# Here is the trap. A perfect generator is measured with 200 images, because its images are slow to make. A faulty one, in which a third of the drawings hold two digits, is measured with 3200.

# %%
mixed = drawings.clone()
third = len(mixed) // 3
mixed[:third] = torch.maximum(drawings[:third], drawings[third : 2 * third])
f_mixed = look(mixed)
curves = {
    name: [average_distance(f, count) for count in sizes]
    for name, f in (("perfect", f_pool), ("a third doubled", f_mixed))
}
print(f"perfect generator, n = {sizes[0]}:   {curves['perfect'][0]:6.2f}")
print(f"faulty generator,  n = {sizes[-1]}:  {curves['a third doubled'][-1]:6.2f}")

# %% [markdown]
# The faulty generator looks better. The remedy is to give both the same $n$, or, better, to remove the bias. To first order the mean distance is a straight line in $1/n$:
#
# $$d^2_n = d^2_\infty + \frac cn$$
# <!-- proof: metrics.frechet_infinity -->
#
# Here $d^2_\infty$ is the distance without bias and $c$ the slope. So measure at several $n$, draw the line over $1/n$, and read it where $1/n$ is zero. The slope $c$ differs from generator to generator. That is why equal $n$ is not quite enough either.


# %%
@exercise("metrics.frechet_at_infinity")
def frechet_at_infinity(counts: Tensor, distances: Tensor) -> Tensor:
    """The squared distance for endless samples, a scalar, from those at several ``counts``; both are ``(M,)``."""
    ### BEGIN SOLUTION
    x = 1 / counts
    slope = (x - x.mean()).dot(distances - distances.mean()) / (x - x.mean()).square().sum()
    return distances.mean() - slope * x.mean()
    ### END SOLUTION


# %%
proof("metrics.frechet_infinity")

# %%
counts = torch.tensor(sizes, dtype=torch.float64)
limits = {
    name: float(frechet_at_infinity(counts, counts.new_tensor(d))) for name, d in curves.items()
}
for name, limit in limits.items():
    print(f"{name:16} at n = {sizes[0]}: {curves[name][0]:6.2f}   without end: {limit:6.2f}")
viz.lines(
    1 / counts,
    curves,
    xlabel="1 / n",
    ylabel="squared Fréchet distance",
    xlim=(0, 0.0052),
    markers=True,
    title="Straight lines in 1 / n: their intercepts compare",
)

# %% [markdown]
# Now the order is right, and the perfect generator is near zero. It may come out slightly negative. An estimate that is right on average and whose truth is zero must fall below zero now and then.

# %% [markdown]
# ## The kernel distance is right on average for every n
#
# Is there a distance without bias? Map each feature vector $x$ to a vector $\varphi(x)$ in a larger space, and compare plain means there: $\lVert \mathbb E\, \varphi(x) - \mathbb E\, \varphi(y) \rVert^2$. If $\varphi(x)$ holds all products of up to three features,
# then means, covariances and skewness (how lopsided a law is) are compared at once. Multiplied out, only scalar products $\varphi(x)^\top \varphi(y) = k(x, y)$ remain. Such a function $k$ is called a **kernel**, and it needs no large space. The result is the squared **maximum mean discrepancy** (MMD); with this cubic kernel of Inception features it is the kernel (Inception) distance, KID:
#
# $$\left\lVert \mathbb E\, \varphi(x) - \mathbb E\, \varphi(y) \right\rVert^2 = \mathbb E\, k(x, x') + \mathbb E\, k(y, y') - 2\, \mathbb E\, k(x, y), \qquad k(x, y) = \left( \frac{x^\top y}{F} + 1 \right)^3$$
# <!-- proof: metrics.kid -->
#
# Here $x$ and $x'$ are two *independent* images of one law, and so are $y$ and $y'$. Therefore an average over pairs of *different* members of a set estimates $\mathbb E\, k(x, x')$ without bias. Pairs of an image with itself are
# always alike. To keep them, and to divide by the number of all pairs, adds on average
#
# $$\frac{\mathrm{tr}\,\mathrm{Cov}\,\varphi(x)}{N} + \frac{\mathrm{tr}\,\mathrm{Cov}\,\varphi(y)}{M}$$
# <!-- proof: metrics.kid_bias -->
#
# for $N$ and $M$ images: a bias like $1/n$ once more.


# %%
@exercise("metrics.squared_mmd")
def squared_mmd(x: Tensor, y: Tensor) -> Tensor:
    """Unbiased squared MMD with the cubic kernel, a scalar; features are ``(N, F)`` and ``(M, F)``."""

    ### BEGIN SOLUTION
    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def different(k: Tensor) -> Tensor:
        return (k.sum() - k.trace()) / (len(k) * (len(k) - 1))

    return different(kernel(x, x)) + different(kernel(y, y)) - 2 * kernel(x, y).mean()
    ### END SOLUTION


# %%
proof("metrics.kid")

# %%
proof("metrics.kid_bias")

# %% [markdown]
# Expect a small number of either sign for the perfect generator: eight seeds gave $-0.6$ to $1.4$.

# %%
kernel_distances = {name: float(squared_mmd(f, f_real)) for name, f in features.items()}
viz.bars(
    kernel_distances,
    xlabel="generator",
    ylabel="kernel distance",
    title="The kernel distance of the perfect generator is near zero",
)

# %% [markdown]
# ## Do the distances rank known faults rightly?
#
# Time for the examination. Each fault gets three strengths. A good measure puts the perfect generator first and the three strengths in their order: three comparisons for each of five faults.

# %%
faults = {
    "blurred": (blurred, (0.6, 0.8, 1.0)),
    "noisy": (noisy, (0.1, 0.2, 0.3)),
    "forgetful": (forgetful, (8, 6, 4)),
    "memorised": (memorised, (60, 30, 10)),
    "inventive": (inventive, (0.3, 0.6, 1.0)),
}
ladders, right = {}, {"Fréchet": 0, "kernel": 0}
for name, (make, strengths) in faults.items():
    steps = [features["fresh"], *(look(make(strength)) for strength in strengths)]
    for measure, distance in (("Fréchet", frechet), ("kernel", squared_mmd)):
        values = [float(distance(f, f_real)) for f in steps]
        right[measure] += sum(a < b for a, b in pairwise(values))
        ladders[name, measure] = values
print(
    f"{'fault':10} {'measure':8} "
    + "".join(f"{w:>9}" for w in ("none", "mild", "medium", "strong"))
)
for (name, measure), values in ladders.items():
    print(f"{name:10} {measure:8} " + "".join(f"{value:9.2f}" for value in values))
shares = {measure: count / 15 for measure, count in right.items()}
print("right comparisons:", ", ".join(f"{m} {c} of 15" for m, c in right.items()))

# %% [markdown]
# On the `cpu` profile both pass: thirty seeds gave 15 right comparisons of 15 for each. Within one fault, the order is right. *Across* faults it is a matter of taste: is blur of one pixel worse than forgetting five digits? One number cannot say in which way a generator is wrong.

# %% [markdown]
# ## The Inception score is fooled by ten memorised pictures
#
# A measure from 2016 looks only at the judge's answers $p(y \mid x)$, the probabilities of the classes $y$. Good pictures give sure answers. Varied pictures give different answers, so the mean answer $p(y)$ is spread out. Both wishes together are the information that a picture gives about its class:
#
# $$\mathrm{IS} = \exp\left( \mathbb E_x\, \mathrm{KL}\left( p(y \mid x)\, \Vert\, p(y) \right) \right) = e^{I(x;\, y)} \in [1, K]$$
# <!-- proof: metrics.inception_score -->
#
# The KL divergence is the mean log ratio of two laws under the first, as in lesson 03; $I$ is the mutual information in nats and $K$ the number of classes. The exponent is an entropy minus a mean entropy, so it is at least 0 and at most $\log K$. Mind the answers that are exactly sure: $0 \log 0$ is 0.


# %%
@exercise("metrics.inception_score")
def inception_score(probabilities: Tensor) -> Tensor:
    """The score, a scalar from 1 to K; class probabilities are ``(N, K)``."""
    ### BEGIN SOLUTION
    overall = torch.special.entr(probabilities.mean(dim=0)).sum()
    return (overall - torch.special.entr(probabilities).sum(dim=1).mean()).exp()
    ### END SOLUTION


# %%
proof("metrics.inception_score")

# %%
scores = {
    name: float(inception_score(judge.predict(images.to(device)).double().cpu()))
    for name, images in generators.items()
}
viz.bars(
    scores,
    xlabel="generator",
    ylabel="Inception score",
    ylim=(0, 11),
    title="Ten memorised drawings come close to the top mark of 10",
)

# %% [markdown]
# The generator that repeats ten drawings for ever scores about as well as fresh drawings. The score never looks at the data. It cannot see what is missing within a class, and it takes any sure answer for a good picture. Papers still report it; now you know how to read it.

# %% [markdown]
# ## Two questions in place of one distance
#
# Ask separately: do the generated images look real, and is everything that is real there? Surround each real image with a ball that reaches to its $k$-th nearest real neighbour, at distance $r_k$. The union of these balls stands for "all that looks real". **Precision** is the share of generated
# images inside. For **recall** exchange the roles: the balls surround generated images, and real images are counted. With the features of real images $x_i$, $i = 1 \dots M$, and of generated ones $y_j$, $j = 1 \dots N$:
#
# $$\mathrm{precision} = \frac1N \sum_j \mathbb 1\left[ \exists i: \lVert y_j - x_i \rVert \le r_k(x_i) \right], \qquad \mathrm{recall} = \frac1M \sum_i \mathbb 1\left[ \exists j: \lVert x_i - y_j \rVert \le r_k(y_j) \right]$$
# <!-- proof: metrics.precision_recall -->
#
# The bracket $\mathbb 1[\cdot]$ is 1 where the statement holds, else 0, and $\exists$ reads "there is". Before you write it, decide for each of the two: whose radius?


# %%
@exercise("metrics.precision_recall")
def precision_recall(features: Tensor, reference: Tensor, *, k: int = 3) -> dict[str, Tensor]:
    """Shares "precision" and "recall" of generated ``features (N, F)`` and real ``reference (M, F)``."""

    ### BEGIN SOLUTION
    def share_inside(points: Tensor, centres: Tensor) -> Tensor:
        # each centre is its own nearest neighbour, so the k-th other one comes k + 1st
        radii = torch.cdist(centres, centres).kthvalue(k + 1, dim=1).values
        return (torch.cdist(points, centres) <= radii).any(dim=1).to(points.dtype).mean()

    return {
        "precision": share_inside(features, reference),
        "recall": share_inside(reference, features),
    }
    ### END SOLUTION


# %%
proof("metrics.precision_recall")

# %% [markdown]
# ## Coverage does not trust the stray
#
# Recall has a weakness: one stray generated image far from all others owns a huge ball, and the real images inside count as reached. **Coverage** uses balls around real images only, and is the share of them that hold a generated image. Its companion, **density**, counts in how many
# of these balls a generated image lies, on average, and divides by $k$. For a perfect generator the mean of both is known in advance, whatever the law and the dimension (as long as no two distances tie):
#
# $$\mathbb E\,[\mathrm{density}] = 1, \qquad \mathbb E\,[\mathrm{coverage}] = 1 - \prod_{i=1}^{k} \frac{M - i}{M + N - i}$$
# <!-- proof: metrics.coverage -->
#
# Why? If both sets are independent draws of one law, every one of the $M + N$ images is equally likely to be a real one. The ball around a real image holds no generated one only if its $k$ nearest neighbours all happen to be real. The first is real with probability $(M - 1)/(M + N - 1)$, and so on.

# %%
proof("metrics.coverage")

# %%
shares_of = {}
for name, f in features.items():
    two = {key: float(value) for key, value in precision_recall(f, f_real).items()}
    shares_of[name] = two | metrics.density_coverage(f, f_real)
expected = 1 - torch.tensor([(len(f_real) - i) / (2 * len(f_real) - i) for i in range(1, 6)]).prod()
print(
    f"coverage of the perfect generator: {shares_of['fresh']['coverage']:.3f}, in theory {expected:.3f}"
)
viz.heatmap(
    [list(values.values()) for values in shares_of.values()],
    xlabel="measure",
    ylabel="generator",
    rows=list(shares_of),
    columns=list(shares_of["fresh"]),
    limits=(0, 1),
    colour_label="value",
    title="Each fault leaves its own trace",
)

# %% [markdown]
# Read each row as a diagnosis. Low precision: bad pictures (blurred, noisy, inventive). Low recall and coverage with high precision: good pictures, but not all of them (forgetful, memorised). High recall with low precision: too wide (inventive). And the memorised ten,
# which fooled the Inception score and came off well in both distances, have no recall at all. One caution: the nearest neighbours of a copy are other copies, so its ball has radius zero and recall is bound to be zero.
# Coverage does not depend on those radii, and it is tiny as well.

# %% [markdown]
# ## A score separates two kinds as often as it ranks a pair rightly
#
# One more instrument, for later lessons (planned) on anomalies and detectors. Give each image a *score*, here its distance to the nearest real drawing, and ask how well it tells generated images from real ones. Any threshold gives a rate of true and of false alarms. Draw the first over the second for all thresholds: this is the ROC curve (receiver operating characteristic). Let $s_{\mathrm{high}}$ be the score of an image of the kind that should score higher, here a generated one, and $s_{\mathrm{low}}$ that of a held-out drawing. The area under the curve has a plain meaning:
#
# $$\text{area} = P(s_{\mathrm{high}} > s_{\mathrm{low}}) + \tfrac12 P(s_{\mathrm{high}} = s_{\mathrm{low}})$$
# <!-- proof: metrics.roc_area -->
#
# One half means that the score ranks no better than chance, 1 means that a threshold separates the two kinds, and an area near 0 means that it points the wrong way.

# %%
nearest = {name: torch.cdist(f, f_real).min(dim=1).values for name, f in features.items()}
held_out = torch.cdist(look(others[: budget.images]), f_real).min(dim=1).values
areas = {name: metrics.roc_area(held_out, score) for name, score in nearest.items()}
viz.bars(
    areas,
    xlabel="generator",
    ylabel="area under the ROC curve (chance: 0.5)",
    ylim=(0, 1.1),
    title="Distance finds strange pictures, not missing ones",
)

# %% [markdown]
# Fresh drawings stay near one half, as they should: they cannot be told from other fresh drawings. The forgetful one stays there too, because each of its pictures is fine. The memorised ten may fall on either side, for it depends on which ten they are: eight seeds gave 0.31 to 0.63.

# %%
proof("metrics.roc_area")

# %% [markdown]
# ## Some models can be asked for the probability of an image
#
# Autoregressive models, flows and, as a bound, variational autoencoders give every held-out image a probability. Then the negative log-likelihood needs no judge. It is written in **bits per dimension** (lesson 03) so that sizes compare:
#
# $$b = \frac{-\log p(x)}{D \log 2}$$
# <!-- definition -->
#
# with $D$ values in an image and a probability of the *stored* values, of which each has 256 levels. A model that knows nothing pays 8 bits. The number says how well a model compresses, not how good its samples look: a law that draws from a good model in 1 % of the cases and pure noise in 99 % loses at most $\log 100$ nats *per image*, which is next to nothing per dimension: 0.026 bits for 256 pixels.

# %%
nothing = torch.tensor(256.0).log() * budget.size**2  # nats of uniform levels
diluted = nothing + torch.tensor(100.0).log()
for name, nll in (("uniform levels", nothing), ("a hundred times less probable", diluted)):
    print(
        f"{name:30} {float(metrics.bits_per_dimension(nll, budget.size**2)):.4f} bits per dimension"
    )

# %% [markdown]
# ### From the errata: quality without a number
#
# <!-- errata: F45 -->
# The two articles that this course corrects praise the quality of images in many places and report not one measurement. The only figure of merit in their code is the accuracy of a discriminator. That number cannot serve. Against a perfect generator
# even the best discriminator is right half of the time, and it is right half of the time, too, if it has learned nothing. The same 50 % can mean success or failure. Use a measure that was examined on known faults, say which judge and how many images, and look for what is missing as well as for what is ugly.

# %% [markdown]
# ## An honest measure says n, judge and spread
#
# The numbers of this lesson come from one judge and a known $n$, and their bounds were calibrated over several seeds. An order counts the share of right comparisons; a gap is the worst of those that should score high minus the best of those that should score low.

# %%
good = min(shares_of[name]["precision"] for name in ("fresh", "forgetful", "memorised"))
bad = max(shares_of[name]["precision"] for name in ("blurred", "noisy", "inventive"))
complete = min(shares_of[name]["recall"] for name in ("fresh", "inventive"))
partial = max(shares_of[name]["recall"] for name in ("forgetful", "memorised"))
report(
    frechet_order=Goal(shares["Fréchet"], at_least=goals.order),
    kernel_order=Goal(shares["kernel"], at_least=goals.kernel),
    precision_gap=Goal(good - bad, at_least=goals.precision),
    recall_gap=Goal(complete - partial, at_least=goals.recall),
    memorised_inception_score=Goal(scores["memorised"], at_least=goals.fooled),
    bias_slope=Goal(slope, at_least=goals.steep, at_most=goals.flat),
    perfect_at_infinity=Goal(abs(limits["perfect"]), at_most=goals.infinity),
)

# %%
progress("04")

# %% [markdown]
# ## What to keep
#
# - With a target: PSNR and SSIM, and say the range of the pixels. Without one: compare sets of features of one judge.
# - The Fréchet distance is a transport cost between Gaussians. It is biased upward like $1/n$: equal $n$, or extrapolate. The kernel distance is unbiased.
# - The Inception score never sees the data, so memorised pictures fool it.
# - Precision and recall, density and coverage say *which* fault it is. Report them beside a distance.
# - A measure is an instrument. Try it on faults that you made yourself before you trust it.
#
# **Try next.** Measure the `test` split, whose fonts the judge has never seen, as if it were a generator. Find a fault that no measure here can see. Change `k` to 1 and to 20 in precision and recall.

# %% [markdown]
# ## Further reading
#
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler and S. Hochreiter, *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium*, NeurIPS 2017, [arXiv:1706.08500](https://arxiv.org/abs/1706.08500). The FID; equation 6.
# - D. C. Dowson and B. V. Landau, *The Fréchet distance between multivariate normal distributions*, Journal of Multivariate Analysis 12(3), 1982, [doi:10.1016/0047-259X(82)90077-X](https://doi.org/10.1016/0047-259X%2882%2990077-X). The formula behind it.
# - M. Bińkowski, D. J. Sutherland, M. Arbel and A. Gretton, *Demystifying MMD GANs*, ICLR 2018, [arXiv:1801.01401](https://arxiv.org/abs/1801.01401). The kernel distance, and the bias of the FID.
# - M. J. Chong and D. Forsyth, *Effectively Unbiased FID and Inception Score and Where to Find Them*, CVPR 2020, [arXiv:1911.07023](https://arxiv.org/abs/1911.07023). The line in $1/n$.
# - T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford and X. Chen, *Improved Techniques for Training GANs*, NeurIPS 2016, [arXiv:1606.03498](https://arxiv.org/abs/1606.03498). The Inception score; section 4.
# - S. Barratt and R. Sharma, *A Note on the Inception Score*, 2018, [arXiv:1801.01973](https://arxiv.org/abs/1801.01973). What it misses.
# - T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen and T. Aila, *Improved Precision and Recall Metric for Assessing Generative Models*, NeurIPS 2019, [arXiv:1904.06991](https://arxiv.org/abs/1904.06991).
# - M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi and J. Yoo, *Reliable Fidelity and Diversity Metrics for Generative Models*, ICML 2020, [arXiv:2002.09797](https://arxiv.org/abs/2002.09797). Density and coverage.
# - Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, *Image Quality Assessment: From Error Visibility to Structural Similarity*, IEEE Transactions on Image Processing 13(4), 2004, [doi:10.1109/TIP.2003.819861](https://doi.org/10.1109/TIP.2003.819861).
# - J. A. Hanley and B. J. McNeil, *The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC) Curve*, Radiology 143(1), 1982, [doi:10.1148/radiology.143.1.7063747](https://doi.org/10.1148/radiology.143.1.7063747).
# - L. Theis, A. van den Oord and M. Bethge, *A Note on the Evaluation of Generative Models*, ICLR 2016, [arXiv:1511.01844](https://arxiv.org/abs/1511.01844). Why likelihood and good samples are different things.
