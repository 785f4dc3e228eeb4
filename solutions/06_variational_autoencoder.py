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
# # 06 · A variational autoencoder from one bound
#
# **[Open this lesson in Colab]({{ colab }})**
#
# An autoencoder rebuilds pictures well, yet it cannot invent any: nobody knows which codes to feed to its
# decoder. A variational autoencoder (VAE) can. It asks for one change of viewpoint, one inequality and
# about twenty lines of code, and you will write them here.

# %% [markdown]
# **What you will do.** Derive the evidence lower bound. Write its two terms, the sampling trick and the
# training step. Train on digits, watch samples appear, walk through the latent space. Then break the
# model with one wrong word in the loss, read the symptom from the numbers, and cure it.
#
# **What you need.** Gradients and convolutions in PyTorch, and what a probability density is. The KL divergence
# and every symbol are explained where they first appear. (Lessons 02, 03 and 05 prepare this one.)

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 12 s |
# | `cpu` | a laptop; measured on two cores | 73 s |
# | `gpu` | a GPU, 32 pixels | not measured yet |
#
# **What you will reach** (`cpu`): a negative bound of at most 50.5 nats per image on drawings that the model has not seen;
# eight seeds gave 42.3 to 45.3.

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
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course import data, metrics, viz
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths import gaussian_entropy, gaussian_log_density, pathwise_gradient
from genimg_course.maths.proofs import proof
from genimg_course.models import VAE, logits_to_images
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.source import show_source
from genimg_course.training import Replay, fit, pick_device, seed_everything

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(size=16, images=2000, batch=64, steps=60, broken_steps=60, samples=20),
    cpu=dict(size=16, images=20000, batch=128, steps=3000, broken_steps=300, samples=200),
    gpu=dict(size=32, images=20000, batch=256, steps=8000, broken_steps=400, samples=1000),
)
goals = choose_budget(
    PROFILE,
    smoke=dict(bound=68.4, collapse=0.001),
    cpu=dict(bound=50.5, collapse=0.001),
    gpu=dict(bound=None, collapse=None),  # not measured yet
)
if DATASET != "glyphs":
    goals.bound = None  # it was measured on these drawings only
device = pick_device() if budget.profile == "gpu" else pick_device("cpu")
rng = seed_everything(SEED)
print(f"profile {budget.profile} on {device}")

# %% [markdown]
# ## A good picture is rare, so chance alone will not find one
#
# Here are the drawings that we learn from: digits in many typefaces, slanted, turned, scaled and shifted.
# An image $x$ has $D$ pixels. If you choose each pixel by chance you get noise, and in practice you will
# never see a digit. The pictures that we want fill a tiny corner of all that
# can be drawn. A generative model must find that corner and tell us how to land in it.

# %%
train = data.load(DATASET, size=budget.size, count=budget.images)
unseen = data.load(DATASET, size=budget.size, split="validation", count=2000)
batches = data.Batches(train, budget.batch, rng=rng, device=device)
x_unseen = data.to_model_range(unseen.images).to(device)  # (N, C, H, W)
channels = x_unseen.shape[1]
viz.image_grid(x_unseen[:60], columns=15, title=f"{train.card.title}: 60 drawings to learn from")

# %% [markdown]
# ## A hidden cause makes pictures easy to draw
#
# A digit of 16 by 16 pixels is not 256 independent decisions. It has a few causes: which digit, how slanted, how large.
# So the model draws in two moves. First it picks a short vector $z$, the **latent variable**, from a fixed
# and simple law, the **prior** $p(z) = N(0, I)$ over $Z$ numbers. Then a network, the **decoder** with
# weights $\theta$, turns $z$ into a law over images, $p_\theta(x \mid z)$.
#
# The probability of an image adds up over all hidden causes:
#
# $$p_\theta(x) = \int p_\theta(x \mid z)\, p(z)\, dz$$
# <!-- definition -->
#
# Good weights make the drawings that we have probable. But the integral runs over all of $\mathbb R^Z$, and for almost
# every $z$ the term $p_\theta(x \mid z)$ is as good as zero. We need help to find the few $z$ that matter.

# %% [markdown]
# ## An encoder guesses which causes fit a picture
#
# The law of causes that fit one picture is the posterior $p_\theta(z \mid x)$. We cannot compute it, for it
# contains the integral. So a second network, the **encoder** with weights $\phi$, makes a guess: a Gaussian
#
# $$q_\phi(z \mid x) = N\!\left(z;\ \mu_\phi(x),\ \mathrm{diag}\,\sigma_\phi^2(x)\right)$$
# <!-- definition -->
#
# with a mean $\mu$ and a spread $\sigma$ for each latent. The network returns $\mu$ and the log *variance*
# $\ell = \log\sigma^2$, which may be any real number. Note what it does not return: one code. It returns the parameters of a law over codes.

# %%
viz.vae_diagram()

# %% [markdown]
# ## The bound falls out of one line of algebra
#
# The number $\log p_\theta(x)$ does not depend on $z$, so it is its own average over any law $q$. By Bayes' rule $p_\theta(x) = p_\theta(x, z) / p_\theta(z \mid x)$.
# Insert that, multiply and divide by $q$, and split the logarithm. ($\mathbb E_q$ is the mean over $z \sim q$; where $p_\theta(x, z)$ is zero, $q$ must be zero too.)
#
# $$\log p_\theta(x) = \underbrace{\mathbb E_{q}\!\left[\log \frac{p_\theta(x, z)}{q_\phi(z \mid x)}\right]}_{\mathcal L(x)}
# + \underbrace{\mathbb E_{q}\!\left[\log \frac{q_\phi(z \mid x)}{p_\theta(z \mid x)}\right]}_{\mathrm{KL}(q_\phi(z \mid x)\,\Vert\,p_\theta(z \mid x))\ \ge\ 0}$$
# <!-- proof: vae.elbo_identity -->
#
# The second term is a **KL divergence**: the mean of the log ratio of two laws under the first. It is never negative, and zero only if the laws agree. So $\mathcal L(x)$ is a lower bound of $\log p_\theta(x)$, the
# **evidence lower bound** (ELBO). The gap measures how wrong the encoder's guess is. Raise the bound and two good things can
# happen: the picture becomes more probable, or the guess becomes better.

# %%
proof("vae.elbo_identity")

# %% [markdown]
# Every displayed identity in this course carries such a badge. It means that a program checks the statement, here and in the
# test suite, with the very functions that you will use. Split the joint law $p_\theta(x, z) = p_\theta(x \mid z)\,p(z)$ and the bound takes the form that we train:
#
# $$-\mathcal L(x) = \underbrace{\mathbb E_{q}\left[-\log p_\theta(x \mid z)\right]}_{\text{reconstruction}}
# + \underbrace{\mathrm{KL}\!\left(q_\phi(z \mid x)\,\Vert\,p(z)\right)}_{\text{price of the code}}$$
# <!-- proof: vae.elbo_forms -->
#
# Both terms are in **nats**, the unit of information when logarithms are natural; one nat is 1.44 bits. The first asks: how surprised is the decoder by the picture? The
# second: how much does the code say beyond the prior?

# %%
proof("vae.elbo_forms")

# %% [markdown]
# ## Reconstruction is a log-likelihood, summed over pixels
#
# The decoder returns one number $a_i$ a pixel, a **logit**. Its sigmoid is the probability of ink, so a pixel with ink
# $t_i \in [0, 1]$ costs $\log(1 + e^{a_i}) - a_i t_i$ nats, and an image costs the sum over its pixels.
#
# Write it from the logits. The obvious way, `log(1 - sigmoid(a))`, already gives $-\infty$ at $a = 20$, because the sigmoid rounds to 1 in `float32`.
# `torch.nn.functional` has what you need.


# %%
@exercise("vae.bernoulli_nll")
def bernoulli_nll(logits: Tensor, target: Tensor) -> Tensor:
    """Negative Bernoulli log-likelihood in nats: ``(B, ...)`` logits, ink in [0, 1], the result is ``(B,)``."""
    ### BEGIN SOLUTION
    nll = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return nll.flatten(start_dim=1).sum(dim=1)
    ### END SOLUTION


# %% [markdown]
# Stuck? `hint("vae.bernoulli_nll")` gives one more hint at each call. The last one is the solution.
#
# One caution: on pure black and white this is a log-probability. Our pixels have grey edges, and there the Bernoulli
# formula misses a normaliser, which depends on the logits. So read the number as a loss on these data, not as a log-density.

# %%
proof("vae.bernoulli_nll")

# %% [markdown]
# What of the squared error that many VAEs use? It is a likelihood too, of a decoder that draws a picture $\hat x = f_\theta(z)$ and puts Gaussian noise of variance $\sigma^2$ on each of its $D$ pixels (this $\sigma$ has nothing to do with the spread of the code):
#
# $$-\log N(x;\, \hat x, \sigma^2 I) = \frac{\lVert x - \hat x \rVert^2}{2\sigma^2} + D \log\sigma + \frac D2 \log 2\pi$$
# <!-- proof: vae.gaussian_nll -->
#
# The noise $\sigma$ says how far a pixel may be off, and so how much the reconstruction weighs against the code. Leave it out, and you have chosen one all the same: the bare squared error belongs to $\sigma^2 = \tfrac12$. Lesson 07 lets the data choose it.

# %%
proof("vae.gaussian_nll")

# %% [markdown]
# ## The price of a code has a closed form
#
# Both $q_\phi(z \mid x)$ and the prior are Gaussian with independent latents, so the KL term is a sum over latents. Take one of them. With $z = \mu + \sigma\epsilon$ and $\epsilon \sim N(0, 1)$ the log ratio of the two densities is
# $\tfrac12 z^2 - \tfrac12 \epsilon^2 - \log\sigma$, and on average $z^2$ is $\mu^2 + \sigma^2$ and $\epsilon^2$ is 1. Add up the latents $j = 1 \dots Z$:
#
# $$\mathrm{KL} = \tfrac12 \sum_{j=1}^{Z} \left( \mu_j^2 + e^{\ell_j} - 1 - \ell_j \right), \qquad \ell_j = \log \sigma_j^2$$
# <!-- proof: vae.gaussian_kl -->
#
# Read it before you write it. It is zero only for $\mu = 0$ and $\sigma = 1$: a code that ignores the picture costs nothing. A mean far from zero
# costs. So does a spread close to zero, because a sharp code is a precise message.


# %%
@exercise("vae.gaussian_kl")
def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL from the standard normal in nats; ``mu`` and ``logvar`` are ``(B, Z)``, the result is ``(B,)``."""
    ### BEGIN SOLUTION
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1)
    ### END SOLUTION


# %%
proof("vae.gaussian_kl")

# %% [markdown]
# Must the covariance be diagonal? No. For full covariances $\Sigma_1$ of the code and $\Sigma_0$ of the prior the price is known as well, with $\Delta = \mu_1 - \mu_0$ for the difference of the means:
#
# $$\mathrm{KL} = \tfrac12 \left( \mathrm{tr}\,\Sigma_0^{-1} \Sigma_1 + \Delta^\top \Sigma_0^{-1} \Delta - Z + \log \frac{|\Sigma_0|}{|\Sigma_1|} \right)$$
# <!-- proof: vae.gaussian_kl_full -->
#
# Here $\mathrm{tr}$ is the sum of the diagonal and $|\cdot|$ the determinant. But a full covariance costs $Z(Z+1)/2$ outputs of the encoder for each picture instead of $Z$, and a turn of the axes that is the same for all pictures the decoder learns for nothing. So practice mostly stays diagonal, and so do we.

# %%
proof("vae.gaussian_kl_full")

# %% [markdown]
# ## Sampling must let the gradient through
#
# The reconstruction term is an average over $z \sim q_\phi(z \mid x)$, and $\phi$ sits inside the law that we sample from. Drawing a sample
# is not an operation with a derivative. The way out is to draw the randomness first and apply the parameters afterwards:
#
# $$z = \mu + \sigma \odot \epsilon, \qquad \epsilon \sim N(0, I), \qquad \sigma = e^{\ell / 2}$$
# <!-- proof: vae.reparameterisation -->
#
# Here $\odot$ multiplies element by element. Now $z$ is a smooth function of $\mu$ and $\ell$, and the noise $\epsilon$ is just another input.


# %%
@exercise("vae.reparameterise")
def reparameterise(mu: Tensor, logvar: Tensor) -> Tensor:
    """One differentiable sample of ``N(mu, exp(logvar))`` per row; everything is ``(B, Z)``."""
    ### BEGIN SOLUTION
    eps = torch.randn_like(mu)
    return mu + (0.5 * logvar).exp() * eps
    ### END SOLUTION


# %%
proof("vae.reparameterisation")

# %% [markdown]
# ## The other gradient works too, at twenty times the variance
#
# There is a second way to the gradient of $\mathbb E_q[f(z)]$: leave the sample alone and average $f(z)\, \nabla_\mu \log q(z)$. This **score-function
# estimator** needs no derivative of $f$, which here holds the decoder. So why not use it? Measure. Take the simplest case, $f(z) = z^2$ with
# $z \sim N(\mu, 1)$. The true gradient of $\mathbb E[z^2]$ is $2\mu$. The score of the law is $\nabla_\mu \log N(z; \mu, 1) = z - \mu$,
# and a constant baseline $b$ may be subtracted from $f$ without changing the mean.
#
# The variances can be found with a pencil. With $\epsilon = z - \mu$ one estimate is $2(\mu + \epsilon)$ by the path, and $(\mu + \epsilon)^2 \epsilon$ by the score. Multiply out, use
# $\mathbb E\,\epsilon^2 = 1$, $\mathbb E\,\epsilon^4 = 3$, $\mathbb E\,\epsilon^6 = 15$ (odd powers vanish), and subtract the square of the mean, $4\mu^2$. The best constant baseline is $b = \mathbb E[z^2 \epsilon^2] / \mathbb E[\epsilon^2] = \mu^2 + 3$.
#
# $$\mathrm{Var}_{\text{path}} = 4, \qquad \mathrm{Var}_{\text{score}} = \mu^4 + 14\mu^2 + 15, \qquad \mathrm{Var}_{\text{score},\ b = \mu^2 + 3} = 8\mu^2 + 6$$
# <!-- proof: vae.gradient_variance -->


# %%
@exercise("vae.score_function_gradient")
def score_function_gradient(z: Tensor, mu: float, *, baseline: float = 0.0) -> Tensor:
    """One estimate of d/dmu E[z^2] per sample of ``N(mu, 1)``; the shape of ``z``."""
    ### BEGIN SOLUTION
    return (z.square() - baseline) * (z - mu)
    ### END SOLUTION


# %%
mu = 2.0
z = mu + torch.randn(200_000, generator=torch.Generator().manual_seed(SEED))
estimates = {
    "pathwise": pathwise_gradient(z),
    "score function": score_function_gradient(z, mu),
    "score, best baseline": score_function_gradient(z, mu, baseline=mu**2 + 3),
}
theory = {
    "pathwise": 4,
    "score function": mu**4 + 14 * mu**2 + 15,
    "score, best baseline": 8 * mu**2 + 6,
}
print(f"{'estimator':22}{'mean':>8}{'variance':>10}{'in theory':>11}")
for name, estimate in estimates.items():
    print(f"{name:22}{estimate.mean():8.2f}{estimate.var():10.1f}{theory[name]:11.1f}")

# %% [markdown]
# All three are right on average. But to match one pathwise sample you need about twenty score-function samples, or ten with the best
# baseline. Where the path exists, we take it. Where it does not, as for discrete tokens, the score function remains.

# %%
proof("vae.gradient_variance")

# %% [markdown]
# ## One objective trains both networks
#
# Put the two terms together. Images arrive in $[-1, 1]$, so the ink is $(x + 1) / 2$. The factor $\beta$ weighs the price of the code; $\beta = 1$
# is the bound. **Sum** over pixels and latents, then take the **mean** over the batch. That choice looks harmless. At the end of the lesson you will see what happens when the sum over
# pixels becomes a mean.


# %%
@exercise("vae.negative_elbo")
def negative_elbo(
    x: Tensor, logits: Tensor, mu: Tensor, logvar: Tensor, *, beta: float = 1.0
) -> Tensor:
    """Negative ELBO in nats, a scalar; ``x`` is in [-1, 1] and has the shape of ``logits``, ``(B, C, H, W)``."""
    ### BEGIN SOLUTION
    reconstruction = bernoulli_nll(logits, (x + 1) / 2)
    return (reconstruction + beta * gaussian_kl(mu, logvar)).mean()
    ### END SOLUTION


# %% [markdown]
# Now the training step. There is *one* loss and *one* backward pass; it runs through the decoder, through
# $z = \mu + \sigma \odot \epsilon$, into the encoder. The model offers `model.encode(x)`, which returns `mu, logvar`, and `model.decode(z)`, which returns logits.


# %%
@exercise("vae.step")
def vae_step(
    model: VAE, optimizer: torch.optim.Optimizer, x: Tensor, *, beta: float = 1.0
) -> dict[str, Tensor]:
    """Update the whole model once; return "negative_elbo", "reconstruction" and "kl" as detached scalars."""
    ### BEGIN SOLUTION
    mu, logvar = model.encode(x)
    logits = model.decode(reparameterise(mu, logvar))
    loss = negative_elbo(x, logits, mu, logvar, beta=beta)

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    kl = gaussian_kl(mu, logvar).mean().detach()
    return {"negative_elbo": loss.detach(), "reconstruction": loss.detach() - beta * kl, "kl": kl}
    ### END SOLUTION


# %% [markdown]
# ### From the errata: two losses that never meet
#
# The two articles that this course corrects give the encoder a loss of its own ("the difference between the image and its code") and train encoder and decoder
# in turns. An image and a code live in different spaces, so that difference means nothing. And their "VAE loss" counts the reconstruction
# twice and has no KL term. Without it the best spread is $\sigma \to 0$, and what is left is the plain autoencoder. One objective, one pass: that is all.
#
# Some more. A VAE does not maximise the likelihood but a lower bound of it. Its encoder returns a law, not a code, and approaches the posterior; averaged over all images it is pulled to the prior, and never to the data.
# One article prints a loss for the encoder that lacks its minus and the KL term, and a loss for the decoder that averages over $z$ an expression without any $z$.
# What is drawn is $z$, given $x$, with a covariance that is diagonal in practice. The mean of $p_\theta(x \mid z)$ is the decoder's output, a picture, and not a point of the latent space. A decoder that gets $\mu$ alone has skipped the sampling. And
# a VAE has no discriminator: its encoder is none, its decoder has no loss $-\log D$. A section called "derivation" should derive something; you have just seen how.
#
# <!-- errata: F09 F10 M10 M12 M13 M14 M15 M16 M17 M18 M21 M22 M23 -->

# %% [markdown]
# ## The networks are ordinary
#
# The encoder halves the picture with strided convolutions, the decoder mirrors it. Nothing in them knows about losses or noise, except one line in
# `forward`, which is the line that you just wrote.

# %%
show_source(VAE)

# %% [markdown]
# ## Training: noise turns into digits before your eyes
#
# The bar shows the latest losses. The picture below it shows images drawn from the same forty codes, again and again, while the decoder learns what to do with them. You can interrupt the cell at any time; the model keeps what it learned.

# %%
torch.manual_seed(SEED)
model = VAE(latent_dim=8, size=budget.size, channels=channels).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, fused=True)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.steps, eta_min=1e-4)
codes = torch.randn(40, model.latent_dim, device=device)


@torch.no_grad()
def decoded() -> Tensor:
    return logits_to_images(model.decode(codes)).cpu()


def draw_samples() -> viz.Figure:
    return viz.image_grid(decoded(), columns=20, title="forty codes, decoded")


def step(n: int, x: Tensor, *_: Tensor) -> dict[str, Tensor]:
    losses = vae_step(model, optimizer, x)
    schedule.step()
    return losses


replay = Replay(decoded, steps=budget.steps, count=14)
history = fit(step, batches, steps=budget.steps, preview=draw_samples, log=replay)

# %% [markdown]
# A `Replay` kept what the forty codes gave on the way: closely at first, where most happens, then more and more rarely. Here is the run once more, as a short film. Watch one place, and count how often its digit changes before it settles.

# %%
viz.film(replay.kept, replay.steps, title="forty codes, decoded")

# %%
viz.curves(
    history,
    names=["negative_elbo", "reconstruction", "kl"],
    title="The code gets dearer while the picture gets cheaper",
)

# %% [markdown]
# Notice the plateau at the beginning, near 60 nats: the code is still empty, and every picture is the same grey average. Then the KL term *rises* while the
# reconstruction falls: the model finds that codes are worth their price.
# The final price, about eight nats, is what it takes to say which digit it is and how it is drawn.

# %% [markdown]
# ## It rebuilds the form and loses the sharp edges
#
# Each column is a drawing that the model has never seen, and what the decoder makes of the mean code.

# %%
model.eval()
with torch.no_grad():
    mu, logvar = model.encode(x_unseen)
    rebuilt = logits_to_images(model.decode(mu))
viz.compare_rows(
    {"drawing": x_unseen[:15], "rebuilt": rebuilt[:15]}, title="Form survives, sharp edges do not"
)

# %% [markdown]
# The strokes are a little soft. The decoder names an *average* picture for each code, and where it is unsure of an edge, the average is grey.

# %%
with torch.no_grad():
    logits = model.decode(reparameterise(mu, logvar))
    bound = float(negative_elbo(x_unseen, logits, mu, logvar))
    decibels = float(metrics.psnr(rebuilt, x_unseen).mean())
print(f"negative ELBO on unseen drawings: {bound:.1f} nats; reconstruction {decibels:.1f} dB")

# %% [markdown]
# ## Every latent pays for itself or falls silent
#
# The KL term is a sum over latents, so we can ask each one how many nats it carries. A latent with no nats is **collapsed**: its law is the prior whatever the picture, and the decoder does not listen.

# %%
nats = metrics.kl_per_latent(mu, logvar).cpu()
active = int((nats > 0.05).sum())
carried = {str(j + 1): value for j, value in enumerate(nats.tolist())}
viz.bars(
    carried,
    xlabel="latent",
    ylabel="nats",
    title=f"{active} of {len(nats)} latents carry something",
)

# %% [markdown]
# ## New pictures: draw a code, decode it
#
# This is what the plain autoencoder could not do. Codes from the prior, decoded. Most are digits; some lie between two digits, where the prior puts mass and no drawing lives.

# %%
with torch.no_grad():
    generator = torch.Generator().manual_seed(SEED + 1)
    z = torch.randn(60, model.latent_dim, generator=generator).to(device)
    samples = logits_to_images(model.decode(z))
viz.image_grid(samples, columns=15, title="Sixty drawings that nobody made")

# %% [markdown]
# ## Two latents span a plane, and each point of it is a drawing
#
# What does a latent mean? Nobody told it to mean anything, so look. Choose two latents by the numbers below the bars: they are the axes, `across` and `up`. Each dot is the code of an unseen drawing, coloured by its digit; the digit's name stands at the median of its codes. The dashed circles
# hold 50 % and 95 % of the prior. Now choose a `drawing`: a ring marks its code. The cross is your point, at `x` and `y`. The decoder draws what lies there; all other latents stay as they are in the drawing's code.

# %%
order = nats.argsort(descending=True)
first, second = (int(j) + 1 for j in order[:2])
digits = None if unseen.labels is None else unseen.labels[:600]


@torch.no_grad()
def plane(drawing: int, across: int, up: int, x: float, y: float) -> viz.Figure:
    if across == up:
        raise ValueError("choose two different latents")
    axes, z = [across - 1, up - 1], mu[drawing].clone()
    z[axes] = torch.tensor([x, y], device=device)
    there = logits_to_images(model.decode(z[None]))
    xlabel, ylabel = (f"latent {j + 1} ({nats[j]:.2f} nats)" for j in axes)
    places = {"your point": (x, y), "code of the drawing": mu[drawing, axes]}
    codes = viz.latent_scatter(
        mu[:600, axes], digits, limit=3.5, xlabel=xlabel, ylabel=ylabel, marks=places
    )
    pictures = torch.cat([x_unseen[drawing][None], rebuilt[drawing][None], there])
    titles = ["drawing", "rebuilt", "at your point"]
    return viz.assemble([[codes, viz.image_grid(pictures, columns=1, titles=titles)]])


sides = {"across": (1, 8, 1, first), "up": (1, 8, 1, second)}
viz.explore(plane, drawing=(0, 19, 1, 3), **sides, x=(-3.0, 3.0, 0.1, 0.0), y=(-3.0, 3.0, 0.1, 0.0))

# %% [markdown]
# Try three things.
#
# - **Move `x` slowly** from one end to the other. Our five became a zero at the left end, and a three and then a two on the way to the right. There was no jump anywhere. Between two digits lie grey pictures that are neither.
# - **Put the cross on the name of another digit.** You need not get that digit. We went to the ones and got a two: two latents agreed with the ones, the other six were still those of a five.
# - **Choose a latent whose bar is at zero** for `up`. All codes fall on a line, for the encoder says nothing there, and moving `y` changes nothing, for the decoder does not listen.

# %% [markdown]
# ## More samples tighten the bound
#
# How loose is the bound? The gap between it and $\log p(x)$ is the error of the encoder's guess. Importance sampling measures it. Draw $K$ codes from the encoder and average the *ratios* before the logarithm:
#
# $$\log p_\theta(x) \approx \log \frac1K \sum_{k=1}^{K} \frac{p_\theta(x, z_k)}{q_\phi(z_k \mid x)}, \qquad z_k \sim q_\phi(z \mid x)$$
# <!-- proof: vae.importance_bound -->
#
# For $K = 1$ this is the bound itself, on average. On average it rises with $K$, and it tends to the truth. Mind the order of logarithm and mean, and mind the range: the ratios are as small as $e^{-100}$.


# %%
@exercise("vae.importance_log_likelihood")
def importance_log_likelihood(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """Estimate log p(x) in nats from ``log p(x, z_k)`` and ``log q(z_k | x)``, both ``(K, B)``; the result is ``(B,)``."""
    ### BEGIN SOLUTION
    return torch.logsumexp(log_joint - log_q, dim=0) - torch.tensor(float(len(log_q))).log()
    ### END SOLUTION


# %%
@torch.no_grad()
def log_terms(x: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return log p(x | z_k), log p(z_k) and log q(z_k | x) for ``count`` codes per image, ``(count, B)``."""
    mu, logvar = model.encode(x)
    zero = torch.zeros_like(mu)
    likelihood, prior, q = [], [], []
    for _ in range(count):
        z = reparameterise(mu, logvar)
        likelihood.append(-bernoulli_nll(model.decode(z), (x + 1) / 2))
        prior.append(gaussian_log_density(z, zero, zero))
        q.append(gaussian_log_density(z, mu, logvar))
    return torch.stack(likelihood), torch.stack(prior), torch.stack(q)


log_likelihood, log_prior, log_q = log_terms(x_unseen[:200], budget.samples)
log_joint = log_likelihood + log_prior
tightness = {
    k: -float(importance_log_likelihood(log_joint[:k], log_q[:k]).mean())
    for k in (1, 5, budget.samples)
}
for k, value in tightness.items():
    print(f"K = {k:4d}: -log p(x) is at most about {value:6.2f} nats")

# %% [markdown]
# The number falls by about one nat: at least that much of the bound was the encoder's fault, not the decoder's. Report the bound as what it is. "A VAE maximises the likelihood" is a common shortcut; it maximises a bound, and you have just measured the difference.

# %%
proof("vae.importance_bound")

# %% [markdown]
# ## One bound can be added up in three ways
#
# Once the three logs are at hand, the bound itself can be written in three forms. Split the joint law, or keep it and add the entropy $H(q)$ of the code, or average the log of the whole ratio:
#
# $$\mathcal L = \mathbb E_q[\log p_\theta(x \mid z)] - \mathrm{KL}(q \Vert p(z)) = \mathbb E_q[\log p_\theta(x, z)] + H(q) = \mathbb E_q[\log p_\theta(x, z) - \log q_\phi(z \mid x)]$$
# <!-- proof: vae.elbo_forms -->
#
# Write all three as means over $K$ samples, with the KL term and the entropy in closed form where they appear. A form that counts the reconstruction twice or forgets a term will not agree with the others.


# %%
@exercise("vae.elbo_forms")
def elbo_forms(
    log_likelihood: Tensor, log_prior: Tensor, log_q: Tensor, kl: Tensor, entropy: Tensor
) -> dict[str, Tensor]:
    """Return "split", "joint" and "ratio", each ``(B,)``; the logs are ``(K, B)``, ``kl`` and ``entropy`` ``(B,)``."""
    ### BEGIN SOLUTION
    log_joint = log_likelihood + log_prior
    return {
        "split": log_likelihood.mean(dim=0) - kl,
        "joint": log_joint.mean(dim=0) + entropy,
        "ratio": (log_joint - log_q).mean(dim=0),
    }
    ### END SOLUTION


# %%
with torch.no_grad():
    kl, entropy = gaussian_kl(mu[:200], logvar[:200]), gaussian_entropy(logvar[:200])
forms = elbo_forms(log_likelihood, log_prior, log_q, kl, entropy)
varying = {"split": log_likelihood, "joint": log_joint, "ratio": log_joint - log_q}
print(f"{'form':8}{'-bound in nats':>15}{'spread of one sample':>22}")
for name, values in forms.items():
    print(f"{name:8}{-values.mean():15.2f}{varying[name].std(dim=0).mean():22.2f}")

# %% [markdown]
# The first column shows one number three times, up to the chance of the samples; the second shows three different spreads. If the encoder were the posterior, the ratio would be $p_\theta(x)$ for every sample, and its spread zero. So the forms with a closed term look safer, but compare: the closer the encoder has come to the posterior, the calmer is the ratio.

# %% [markdown]
# ## One word breaks it: `mean`
#
# Many public VAEs average the reconstruction over pixels, because that is the default of the loss function, and keep the sum over latents. What weight does the KL term then have, compared with the sum that the bound asks for? Work it out: a mean over pixels divides by their number, a mean over latents divides by theirs.


# %%
@exercise("vae.effective_beta")
def effective_beta(
    beta: float,
    pixels: int,
    latent_dim: int,
    *,
    pixel_mean: bool = False,
    latent_mean: bool = False,
) -> float:
    """The beta of the same loss written with sums over pixels and latents."""
    ### BEGIN SOLUTION
    scale = pixels if pixel_mean else 1
    return beta * scale / (latent_dim if latent_mean else 1)
    ### END SOLUTION


# %%
pixels = channels * budget.size**2
weight = effective_beta(1.0, pixels, 8, pixel_mean=True)
print(f"a mean over {pixels} pixels trains at beta = {weight:g}, whatever the code says")

# %%
proof("vae.mean_reduction")

# %% [markdown]
# Here is that model. The only difference is the word `mean`. Predict, before you run it: what will the samples look like, and what will the KL term say?

# %%
torch.manual_seed(SEED)
broken = VAE(latent_dim=8, size=budget.size, channels=channels).to(device)
broken_optimizer = torch.optim.Adam(broken.parameters(), lr=2e-3, fused=True)


def broken_step(n: int, x: Tensor, *_: Tensor) -> dict[str, Tensor]:
    logits, mu, logvar = broken(x)
    reconstruction = F.binary_cross_entropy_with_logits(logits, (x + 1) / 2)  # a mean over pixels
    kl = gaussian_kl(mu, logvar).mean()
    broken_optimizer.zero_grad()
    (reconstruction + kl).backward()
    broken_optimizer.step()
    return {"reconstruction": reconstruction.detach(), "kl": kl.detach()}


broken_history = fit(broken_step, batches, steps=budget.broken_steps)

# %%
broken.eval()
with torch.no_grad():
    broken_mu, broken_logvar = broken.encode(x_unseen)
    broken_rebuilt = logits_to_images(broken.decode(broken_mu))
    collapsed = float(gaussian_kl(broken_mu, broken_logvar).mean())
viz.compare_rows(
    {"drawing": x_unseen[:15], "mean": broken_rebuilt[:15], "sum": rebuilt[:15]},
    title=f"With the mean, the code carries {collapsed:.3f} nats and every picture is the same",
)

# %% [markdown]
# This is **posterior collapse**. The trigger: a KL weight equal to the number of pixels, 256 or more. The symptom: the KL term near zero, and one grey average for every input. The loss itself
# looks small and calm, so it is easy to miss. The cure: sums. For a linear model the threshold can be computed exactly: a direction of the data stays alive only if its variance $\lambda$
# exceeds $\beta\sigma^2$, where $\sigma^2$ is here the noise variance that the decoder gives to a pixel.

# %%
proof("vae.collapse_threshold")

# %% [markdown]
# ## An honest run stays within measured bounds
#
# A lesson ends with numbers, and the numbers have bounds. They were calibrated over several seeds, so an honest run does not miss them by bad luck.

# %%
report(
    negative_elbo=Goal(bound, at_most=goals.bound, unit="nats"),
    active_latents=Goal(active),
    collapsed_kl=Goal(collapsed, at_most=goals.collapse, unit="nats"),
)

# %%
progress("06")

# %% [markdown]
# ## What to keep
#
# - A VAE is a latent-variable model trained on a lower bound of $\log p(x)$; the encoder exists to make the bound tight.
# - The bound has two terms, reconstruction and the price of the code, both in nats, both **summed** over dimensions.
# - Sampling is differentiable because the noise is an input: $z = \mu + \sigma \odot \epsilon$.
# - Nats per latent show what the code carries. Near zero everywhere means collapse, whatever the loss curve says.
#
# **Try next.** Set `latent_dim=32` and count the active latents. Train with `beta=4` and look at the samples. Use `DATASET = "mnist"`.

# %% [markdown]
# ## Further reading
#
# - D. P. Kingma and M. Welling, *Auto-Encoding Variational Bayes*, ICLR 2014, [arXiv:1312.6114](https://arxiv.org/abs/1312.6114). The source; equation 3, section 2.4, appendix B.
# - D. J. Rezende, S. Mohamed and D. Wierstra, *Stochastic Backpropagation and Approximate Inference in Deep Generative Models*, ICML 2014, [arXiv:1401.4082](https://arxiv.org/abs/1401.4082). The same idea, found independently.
# - D. P. Kingma and M. Welling, *An Introduction to Variational Autoencoders*, Foundations and Trends in Machine Learning 12(4), 2019, [arXiv:1906.02691](https://arxiv.org/abs/1906.02691). The book-length version.
# - Y. Burda, R. Grosse and R. Salakhutdinov, *Importance Weighted Autoencoders*, ICLR 2016, [arXiv:1509.00519](https://arxiv.org/abs/1509.00519). How loose is the bound?
# - S. Mohamed, M. Rosca, M. Figurnov and A. Mnih, *Monte Carlo Gradient Estimation in Machine Learning*, JMLR 21, 2020, [arXiv:1906.10652](https://arxiv.org/abs/1906.10652). Both gradients, and more.
# - J. Lucas, G. Tucker, R. Grosse and M. Norouzi, *Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse*, NeurIPS 2019, [arXiv:1911.02469](https://arxiv.org/abs/1911.02469).
# - G. Loaiza-Ganem and J. P. Cunningham, *The continuous Bernoulli: fixing a pervasive error in variational autoencoders*, NeurIPS 2019, [arXiv:1907.06845](https://arxiv.org/abs/1907.06845).
