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
# # 05 · Autoencoders: squeeze, rebuild, and what that teaches
#
# **[Open this lesson in Colab]({{ colab }})**
#
# Send a picture through a code of eight numbers and ask for it back. It sounds like a trick. Yet this one
# task leads to principal components, to denoising, to the slope of a density, and to a clear answer to the question
# why a good copier is not yet a painter.

# %% [markdown]
# **What you will do.** Work out the best linear autoencoder before training one, then watch training find it.
# Bend the maps and beat it. Train one network with one loss, and measure what happens with two. Read the slope of a
# density from a denoiser. Try to draw new pictures, see it fail, and say in nats why. Fill holes.
#
# **What you need.** Gradients and convolutions in PyTorch, eigenvectors of a symmetric matrix, and Bayes' rule for densities.
# Every symbol is explained where it first appears.

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 23 s |
# | `cpu` | a laptop; measured on two busy cores | 48 s |
# | `gpu` | a GPU, 28 pixels | not measured yet |
#
# **What you will reach** (`cpu`): a linear autoencoder whose plane is the principal plane to a thousandth of a radian, and a
# convolutional one that rebuilds unseen drawings at least 5 decibels better than that plane does with a code of the same length, eight
# numbers. Eight seeds gave 6.5 to 6.8 decibels.

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
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg_course import data, losses, maths, metrics, training, viz
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths.proofs import proof
from genimg_course.models import Autoencoder, LinearAutoencoder, mlp
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.source import show_source
from genimg_course.training import fit, pick_device, seed_everything

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(size=16, images=1000, few=200, search=60, steps=50, pair=40, points=80, judged=400),
    cpu=dict(
        size=16, images=10000, few=500, search=2000, steps=900, pair=400, points=2000, judged=2000
    ),
    gpu=dict(
        size=28,
        images=20000,
        few=2000,
        search=3000,
        steps=4000,
        pair=1000,
        points=4000,
        judged=2000,
    ),
)
goals = choose_budget(
    PROFILE,
    smoke=dict(angle=None, gain=None, joint=None, blank=None, slope=None, sampling=None, hole=None),
    cpu=dict(angle=1e-3, gain=5.0, joint=3.0, blank=0.005, slope=0.93, sampling=5.0, hole=1.95),
    gpu=dict(
        angle=None, gain=None, joint=None, blank=None, slope=None, sampling=None, hole=None
    ),  # not measured yet
)
device = pick_device() if budget.profile == "gpu" else pick_device("cpu")
rng = seed_everything(SEED)
print(f"profile {budget.profile} on {device}")

# %% [markdown]
# ## How much of a drawing fits into eight numbers?
#
# Here are drawings of digits. Each is a point in a space with one dimension per pixel. An **autoencoder** is a pair of
# maps: an **encoder** $e$ turns a picture $x$ with $D$ pixels into a **code** $z = e(x)$ of $Z$ numbers, and a **decoder** $d$ turns the
# code into a picture again. If $Z$ is much smaller than $D$, the pair has to find out what drawings have in common.

# %%
train = data.load("glyphs", size=budget.size, count=budget.images)
unseen = data.load("glyphs", size=budget.size, split="validation", count=1000)
batches = data.Batches(train, 64, rng=rng, device=device)
x_train = data.to_model_range(train.images).to(device)  # (N, C, H, W) in [-1, 1]
x_unseen = data.to_model_range(unseen.images).to(device)
viz.image_grid(x_unseen[:45], columns=15, title=f"Drawings, {budget.size**2} pixels each")

# %% [markdown]
# Both maps follow one loss, the squared error, summed over pixels and averaged over drawings:
#
# $$\min_{e,\, d}\; \mathbb E\, \lVert x - d(e(x)) \rVert^2$$
# <!-- definition -->
#
# Here $\lVert \cdot \rVert$ is the length of a vector and $\mathbb E$ the mean over drawings. We report the error of a picture as a **PSNR** (peak signal-to-noise ratio) in
# decibels: $10 \log_{10} (4 D / \lVert x - d(e(x)) \rVert^2)$, for black and white are 2 apart. Ten decibels more are a tenth of the squared error.

# %% [markdown]
# ## The best linear squeeze is known before any training
#
# Start with the simplest maps, two matrices: $e(x) = W_1 x$ and $d(z) = W_2 z$, on drawings $x$ from which the mean drawing has been subtracted. How small can the
# loss become? Three short steps give the answer.
#
# **One.** All rebuilt pictures lie in the span of the $Z$ columns of $W_2$. The nearest point of a span is the perpendicular shadow $Px$ (a suitable $W_1$ finds it), and
# by Pythagoras the loss is then $\mathbb E\lVert x \rVert^2 - \mathbb E\lVert Px \rVert^2 = \operatorname{tr}\Sigma - \operatorname{tr}(P\Sigma)$, where $\Sigma$ is the covariance of the drawings.
#
# **Two.** Write $\Sigma = \sum_i \lambda_i u_i u_i^\top$ with perpendicular unit vectors $u_i$, the **principal axes**, and variances
# $\lambda_1 \ge \lambda_2 \ge \dots$ along them, the **spectrum**. Then $\operatorname{tr}(P\Sigma) = \sum_i \lambda_i p_i$, where $p_i = u_i^\top P u_i$ says how much of axis $i$ lies in the span.
#
# **Three.** Each $p_i$ lies between 0 and 1, and they sum to the dimension of the span, at most $Z$. So the sum is largest if the first $Z$ axes lie in the span altogether.

# %% [markdown]
# $$\min_{W_1, W_2} \mathbb E \lVert x - W_2 W_1 x \rVert^2 = \sum_{i > Z} \lambda_i, \qquad \operatorname{span} W_2 = \operatorname{span}(u_1, \dots, u_Z)$$
# <!-- proof: autoencoder.linear_optimum -->
#
# The least loss is the variance that is left over, and the span is that of principal component analysis (PCA). (It is the only best one if $\lambda_Z > \lambda_{Z+1}$.)
# Compute the least loss from a covariance. Mind the order in which a library returns eigenvalues.


# %%
@exercise("autoencoder.linear_error")
def linear_error(cov: Tensor, latent_dim: int) -> Tensor:
    """Least squared error of a linear autoencoder; ``cov`` is ``(D, D)``, the result a scalar."""
    ### BEGIN SOLUTION
    ascending = torch.linalg.eigvalsh(cov)
    return ascending.flip(0)[latent_dim:].sum()
    ### END SOLUTION


# %% [markdown]
# Stuck? `hint("autoencoder.linear_error")` gives one more hint at each call. The last one is the solution.
#
# How much does a longer code help? Expect a curve that falls steeply at first and flattens out.

# %%
flat = x_train.flatten(1).double().cpu()
mean, axes, spectrum = maths.principal_components(flat)
cov = torch.cov(flat.T, correction=0)
lengths = [0, 1, 2, 4, 8, 16, 32, 64]
viz.lines(
    lengths,
    {"least squared error": [float(linear_error(cov, z)) for z in lengths]},
    xlabel="length of the code",
    ylabel="squared error per drawing",
    title="Each further number buys less",
    ylim=(0, 1.05 * float(cov.trace())),
    markers=True,
)

# %%
proof("autoencoder.linear_optimum")

# %% [markdown]
# ## Training finds the plane, and not the axes
#
# Does training get there from random matrices? A smaller set of drawings, double precision and L-BFGS, an optimiser
# that learns the curvature on the way, make the answer sharp. Look at what we train: two matrices, nothing else.

# %%
show_source(LinearAutoencoder)

# %%
few = flat[: budget.few] - flat[: budget.few].mean(dim=0)
plane = maths.principal_components(few)
linear = LinearAutoencoder(few.shape[1], 4).double()
lbfgs = torch.optim.LBFGS(
    linear.parameters(),
    max_iter=budget.search,
    history_size=50,
    tolerance_grad=1e-6,
    tolerance_change=1e-14,
    line_search_fn="strong_wolfe",
)


def closure() -> Tensor:
    lbfgs.zero_grad()
    loss = losses.squared_error(linear(few), few)
    loss.backward()
    return loss


lbfgs.step(closure)
print(f"trained: {closure().item():.6f}   in theory: {plane.spectrum[4:].sum():.6f}")

# %% [markdown]
# The loss agrees. Now compare the *span* of the decoder with the principal plane. The right measure is the largest angle between the two: take an orthonormal basis of
# each span, $Q_a$ and $Q_b$; the singular values of $Q_b^\top Q_a$ are the cosines of the angles between them.


# %%
@exercise("autoencoder.subspace_angle")
def subspace_angle(a: Tensor, b: Tensor) -> Tensor:
    """Largest angle in radians between the spans of the columns of ``a`` and ``b``, both ``(D, Z)``."""
    ### BEGIN SOLUTION
    q_a, q_b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    # the sine is exact for small angles, where the cosine loses half of its digits
    outside = q_a - q_b @ (q_b.T @ q_a)
    return torch.linalg.matrix_norm(outside, ord=2).clamp_max(1).arcsin()
    ### END SOLUTION


# %%
decoder = linear.decoder.weight.detach()  # (D, 4)
angle = float(subspace_angle(decoder, plane.axes[:, :4]))
columns = torch.cat([plane.axes[:, :4], decoder], dim=1).T
pictures = (columns / columns.abs().amax(dim=1, keepdim=True)).float()
viz.compare_rows(
    {
        "principal axes": pictures[:4].reshape(-1, 1, budget.size, budget.size),
        "decoder": pictures[4:].reshape(-1, 1, budget.size, budget.size),
    },
    title=f"The spans differ by {angle:.1e} radians, the columns by far more",
)

# %% [markdown]
# The plane is the same, the columns are not. They need not even be perpendicular to each other. The reason: put any invertible matrix $A$ between
# the two maps and take it out again.
#
# $$W_1' = A W_1, \qquad W_2' = W_2 A^{-1}, \qquad W_2' W_1' = W_2 W_1$$
# <!-- proof: autoencoder.code_is_not_fixed -->
#
# The pictures stay the same while the code becomes $A z$: stretched, slanted, mixed. Keep this in mind; it returns twice below.

# %%
proof("autoencoder.code_is_not_fixed")

# %% [markdown]
# ## One loss moves both halves
#
# The loss of a picture depends on both maps, so one backward pass gives the gradient of both. The path leads through the decoder into the encoder. Write the
# step: `model(x)` rebuilds, the optimiser holds all parameters.

# %%
viz.autoencoder_diagram()


# %%
@exercise("autoencoder.step")
def autoencoder_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor
) -> dict[str, Tensor]:
    """Update the whole model once on ``(B, C, H, W)``; return "squared_error", a detached scalar."""
    ### BEGIN SOLUTION
    loss = (model(x) - x).square().flatten(start_dim=1).sum(dim=1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"squared_error": loss.detach()}
    ### END SOLUTION


# %% [markdown]
# ### From the errata: two losses in turns
# <!-- errata: M10 M11 -->
#
# The two articles that this course corrects train encoder and decoder in turns: both of them the variational kind, which is the subject of lesson 06, and one of them the plain kind as well. The encoder gets a loss of its own, the difference between picture and code. These
# two do not even have the same number of entries. The nearest thing that can be computed compares the code with a shrunken picture. Let us measure
# three ways with the same small networks, the same data and the same number of passes. In "turns" both halves follow the one loss, but only one may move at a time. Predict the order of the three bars.


# %%
def train_pair(way: str) -> float:
    torch.manual_seed(SEED)
    pixels = budget.size**2
    encoder = nn.Sequential(nn.Flatten(), mlp(pixels, 16, depth=1)).to(device)
    decoder = nn.Sequential(mlp(16, pixels, depth=1), nn.Unflatten(1, x_train.shape[1:])).to(device)
    nn.init.constant_(decoder[0][-1].bias, float(x_train.mean()))
    halves = [torch.optim.Adam(half.parameters(), lr=5e-4) for half in (encoder, decoder)]
    for n in range(budget.pair):
        x = next(batches)[0]
        code = encoder(x)
        if way == "own losses":
            small = F.adaptive_avg_pool2d(x, 4).flatten(start_dim=1)  # 16 numbers, like the code
            loss = losses.squared_error(code, small) + losses.squared_error(
                decoder(code.detach()), x
            )
        else:
            loss = losses.squared_error(decoder(code), x)
        encoder.zero_grad()
        decoder.zero_grad()
        loss.backward()
        for k, half in enumerate(halves):
            if way != "turns" or n % 2 == k:
                half.step()
    with torch.no_grad():
        return float(metrics.psnr(decoder(encoder(x_unseen)).clamp(-1, 1), x_unseen).mean())


# %%
ways = {way: train_pair(way) for way in ("one loss", "turns", "own losses")}
joint_gain = ways["one loss"] - ways["own losses"]
viz.bars(
    ways,
    xlabel="way of training",
    ylabel="PSNR on unseen drawings / dB",
    title="A loss of its own misleads the encoder",
)

# %% [markdown]
# With a loss of its own the encoder learns to make thumbnails, and nobody tells it what the decoder misses. Taking turns on the *same* loss is
# legitimate, but half of each gradient is thrown away. How much that costs depends on the learning rate, so read its bar as one case. Two separate losses
# fell more than 3 decibels short of one loss with each of eight seeds. One loss, one pass, both halves: that is all.

# %% [markdown]
# ## Bent maps beat the plane
#
# Drawings do not lie in a plane: a digit that moves by one pixel leaves it at once. So let both maps bend. The encoder is a stack of
# strided convolutions, the decoder mirrors it. The output is any real number, and we start it at the mean brightness.

# %%
torch.manual_seed(SEED)


def new_model(**options: bool) -> tuple[Autoencoder, torch.optim.Adam]:
    model = Autoencoder(latent_dim=8, size=budget.size, **options).to(device)
    nn.init.constant_(model.decoder.pixels.bias, float(x_train.mean()))
    return model, torch.optim.Adam(model.parameters(), fused=True)


def rise_and_fall(optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.OneCycleLR:
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=budget.steps)


model, optimizer = new_model(squash=False)
schedule = rise_and_fall(optimizer)


@torch.no_grad()
def show_rebuilt() -> viz.Figure:
    rows = {"drawing": x_unseen[:15], "rebuilt": model(x_unseen[:15]).clamp(-1, 1)}
    return viz.compare_rows(rows)


# %% [markdown]
# The bar shows the loss; the picture below it shows unseen drawings and what comes back. At first every answer is the same grey average. Then the
# digits come apart.


# %%
def step(n: int, x: Tensor, *_: Tensor) -> dict[str, Tensor]:
    result = autoencoder_step(model, optimizer, x)
    schedule.step()
    return result


history = fit(step, batches, steps=budget.steps, preview=show_rebuilt)

# %%
model.eval()
with torch.no_grad():
    rebuilt = model(x_unseen).clamp(-1, 1)
basis, centre = axes[:, :8].float().to(device), mean.float().to(device)
shadow = ((x_unseen.flatten(1) - centre) @ basis @ basis.T + centre).reshape(x_unseen.shape)
decibels = {
    "PCA": float(metrics.psnr(shadow, x_unseen).mean()),
    "autoencoder": float(metrics.psnr(rebuilt, x_unseen).mean()),
}
gain = decibels["autoencoder"] - decibels["PCA"]
viz.compare_rows(
    {"drawing": x_unseen[:15], "PCA, 8": shadow[:15].clamp(-1, 1), "autoencoder, 8": rebuilt[:15]},
    title=f"Eight numbers: PCA {decibels['PCA']:.1f} dB, autoencoder {decibels['autoencoder']:.1f} dB",
)

# %% [markdown]
# The shadow on the plane is a ghost; the bent maps keep the stroke. The same eight numbers say much more when the map may bend. (The shadow is judged as it is. To clip it to
# $[-1, 1]$, as we clip the other pictures, would bring it some 0.2 decibels.)
#
# ## A squashed output can fall asleep
#
# Pixels lie in $[-1, 1]$, so why not end in a $\tanh$, which keeps them there? Try it, with the default start and a constant learning rate. Predict what you will see.

# %%
torch.manual_seed(SEED)
asleep = Autoencoder(latent_dim=8, size=budget.size, squash=True).to(device)
asleep_optimizer = torch.optim.Adam(asleep.parameters(), lr=4e-3, fused=True)
for _ in range(100):
    training.autoencoder_step(asleep, asleep_optimizer, next(batches)[0])

with torch.no_grad():
    blank_page = float(metrics.psnr(-torch.ones_like(x_unseen), x_unseen).mean())
    sleeping = asleep(x_unseen)
blank_gap = abs(float(metrics.psnr(sleeping, x_unseen).mean()) - blank_page)
viz.compare_rows(
    {"drawing": x_unseen[:15], "rebuilt": sleeping[:15]},
    title=f"{blank_gap:.2f} dB away from a blank page after 100 steps",
)

# %% [markdown]
# **The trigger:** most of the page is blank, so the first steps push every pixel towards $-1$. **The symptom:** the loss stops at that of a blank page. **The
# reason:** the slope of $\tanh$ is $1 - \tanh^2$, which is zero at $-1$, and a `float32` soon rounds to just that. A pixel that should be ink is wrong by 2 and gets no gradient at
# all, so more steps do not help. **The cure:** an output without a squash, as above; or, as in lesson 06, a loss on logits, whose gradient does not vanish where the answer is wrong.

# %% [markdown]
# ## A small loss does not make good features
#
# If a short code is good, is a long one better? Take an encoder that *nobody trained*, a random matrix $W_1$, and give it the best decoder. That is linear
# regression of a centred $x$ on the code $W_1 x$:
#
# $$W_2 = \Sigma W_1^\top \left( W_1 \Sigma W_1^\top \right)^{+}$$
# <!-- proof: autoencoder.best_decoder -->
#
# The plus marks the **pseudo-inverse**. Where a code is longer than the input (**over-complete**), its covariance $W_1 \Sigma W_1^\top$ has no inverse, and the pseudo-inverse serves. Write the decoder.
# Then look at the plot: from which length on does a random encoder lose nothing?


# %%
@exercise("autoencoder.best_decoder")
def best_decoder(encoder: Tensor, cov: Tensor) -> Tensor:
    """Best linear decoder, ``(D, Z)``, for a fixed encoder ``(Z, D)`` and a covariance ``(D, D)``."""
    ### BEGIN SOLUTION
    of_code = encoder @ cov @ encoder.T  # (Z, Z)
    return cov @ encoder.T @ torch.linalg.pinv(of_code, hermitian=True)
    ### END SOLUTION


# %%
small = F.adaptive_avg_pool2d(x_train, 8).flatten(1).double().cpu()  # 64 pixels
small = small - small.mean(dim=0)
small_cov = small.T @ small / len(small)
sizes = [1, 4, 8, 16, 32, 48, 64, 96]
random_errors = []
for z in sizes:
    w = torch.randn(z, 64, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64)
    rebuilt_small = small @ w.T @ best_decoder(w, small_cov).T
    random_errors.append(float(losses.squared_error(rebuilt_small, small)))
best_errors = [float(linear_error(small_cov, z)) for z in sizes]
viz.lines(
    sizes,
    {"random encoder": random_errors, "best encoder": best_errors},
    xlabel="length of the code (the input has 64 pixels)",
    ylabel="squared error per drawing",
    title="A long enough code loses nothing, learned or not",
    reference={"no error": 0.0},
    markers=True,
)

# %% [markdown]
# From 64 numbers on, the random encoder is perfect. It knows nothing about drawings. A small loss says only that the code kept the picture; with room enough, copying does that. To
# learn something, the task must be harder than copying. A short code is one way. Noise is another.

# %%
proof("autoencoder.best_decoder")

# %% [markdown]
# ## Noise turns the copying machine into a filter
#
# Give the model a noisy picture $\tilde x = x + \sigma\epsilon$ with $\epsilon \sim N(0, I)$, and ask for the clean $x$. This is a **denoising autoencoder**. Now the identity is a bad answer, whatever the
# length of the code.

# %%
viz.denoiser_diagram()

# %% [markdown]
# For one linear map $A$ without any bottleneck, on centred pictures, the best answer is known:
#
# $$A = \Sigma (\Sigma + \sigma^2 I)^{-1} = \sum_i \frac{\lambda_i}{\lambda_i + \sigma^2}\, u_i u_i^\top$$
# <!-- proof: autoencoder.linear_denoiser -->
#
# It keeps the axes along which drawings vary more than the noise and fades out the others: a soft version of the principal plane, learned from noise instead of from a short code.

# %%
proof("autoencoder.linear_denoiser")

# %% [markdown]
# ## The best denoiser points uphill on the density
#
# Now let the map be any function $r$. At one noisy $\tilde x$ we choose one answer and pay the mean squared distance to all clean $x$ that may have led there. The mean pays least.
#
# $$\arg\min_r\; \mathbb E \lVert r(\tilde x) - x \rVert^2 = \mathbb E[x \mid \tilde x]$$
# <!-- proof: autoencoder.best_denoiser -->
#
# The density of noisy points is the clean density, blurred: $p_\sigma(\tilde x) = \int p(x)\, N(\tilde x;\, x, \sigma^2 I)\, dx$. Take its gradient with respect to $\tilde x$. Only the Gaussian depends on $\tilde x$, and its
# gradient is itself times $(x - \tilde x) / \sigma^2$. So $\nabla p_\sigma(\tilde x) = \int p(x)\, \frac{x - \tilde x}{\sigma^2}\, N(\tilde x;\, x, \sigma^2 I)\, dx$. Divide by $p_\sigma$: by Bayes' rule the weights become the law of $x$ given $\tilde x$.

# %% [markdown]
# $$\nabla \log p_\sigma(\tilde x) = \frac{\mathbb E[x \mid \tilde x] - \tilde x}{\sigma^2}
# \qquad\Longleftrightarrow\qquad \mathbb E[x \mid \tilde x] = \tilde x + \sigma^2\, \nabla \log p_\sigma(\tilde x)$$
# <!-- proof: autoencoder.tweedie -->
#
# The second form is known as **Tweedie's formula**. The gradient of a log density is called the **score**. A network that only ever learned to remove noise
# knows which way is uphill on the density of its data, blurred by that noise. Diffusion models, the subject of planned lessons, stand on this line. Solve the formula for the score.


# %%
@exercise("autoencoder.score_from_denoiser")
def score_from_denoiser(denoised: Tensor, noisy: Tensor, *, sigma: float) -> Tensor:
    """Score of the noisy points, in the shape of both inputs, ``(B, ...)``."""
    ### BEGIN SOLUTION
    return (denoised - noisy) / sigma**2
    ### END SOLUTION


# %%
proof("autoencoder.best_denoiser")

# %%
proof("autoencoder.tweedie")

# %% [markdown]
# Test it where the truth is known: points on a line, drawn from three narrow Gaussians. A small network learns to denoise them; it never sees a density. The training step adds
# fresh noise and asks for the clean point. Expect its residual, divided by $\sigma^2$, to follow the exact score, with five zeros: three peaks and the two valleys between them.

# %%
show_source(training.denoising_step)

# %%
sigma = 0.5
clean = (
    torch.tensor([0.3, 0.45, 0.25]),  # shares
    torch.tensor([[-2.0], [0.5], [2.5]]),  # means
    torch.full((3, 1, 1), 0.04),  # variances
)
torch.manual_seed(SEED)
denoiser = mlp(1, 1, width=64, activation=nn.SiLU)
denoiser_optimizer = torch.optim.Adam(denoiser.parameters())
denoiser_schedule = torch.optim.lr_scheduler.OneCycleLR(
    denoiser_optimizer, max_lr=1e-2, total_steps=budget.points
)


def draw_points():
    while True:
        yield (maths.mixture_samples(256, *clean, rng=rng),)


def denoise(n: int, x: Tensor) -> dict[str, Tensor]:
    result = training.denoising_step(denoiser, denoiser_optimizer, x, sigma=sigma)
    denoiser_schedule.step()
    return result


denoising = fit(denoise, draw_points(), steps=budget.points)

# %%
y = torch.linspace(-3.5, 4.0, 151)[:, None]
with torch.no_grad():
    learned = score_from_denoiser(denoiser(y), y, sigma=sigma)
exact = maths.mixture_score(y, *clean, sigma=sigma)
viz.lines(
    y[:, 0],
    {"learned by denoising": learned[:, 0], "exact": exact[:, 0]},
    xlabel="noisy point",
    ylabel="score",
    title="A denoiser shows the score",
    reference={"peak or valley": 0.0},
)

# %%
with torch.no_grad():
    y = maths.mixture_samples(20_000, *clean, rng=rng)
    y = y + sigma * torch.randn(y.shape, generator=rng)
    missed = score_from_denoiser(denoiser(y), y, sigma=sigma) - maths.mixture_score(
        y, *clean, sigma=sigma
    )
explained = 1 - float(missed.square().mean() / maths.mixture_score(y, *clean, sigma=sigma).var())
print(f"share of the score's variance that the denoiser explains: {explained:.3f}")

# %% [markdown]
# The zeros of the curve are the peaks and valleys of the blurred density. At a peak the score falls through zero. Between two clusters it rises through zero: a valley, from where both ways lead up.
#
# ## Nobody knows which codes to draw
#
# Back to the trained autoencoder. It rebuilds well. To *invent* a drawing we would feed a new code to the decoder. Which one? A habit says: draw it from $N(0, I)$. Did anything in the training ask
# the codes to follow that law? Compare. Fit a Gaussian to the codes, with mean $m$ and covariance $C$, and measure how far it is from $N(0, I)$. The measure is the **KL divergence**, the mean log ratio of the first density to the second over points of the first. It is zero only if both agree, and it counts in **nats**, units of the natural logarithm (lesson 03):
#
# $$\mathrm{KL}\!\left(N(m, C) \,\Vert\, N(0, I)\right) = \tfrac12 \left( \operatorname{tr} C + \lVert m \rVert^2 - Z - \log\det C \right)$$
# <!-- proof: autoencoder.code_is_not_fixed -->


# %%
@exercise("autoencoder.code_mismatch")
def code_mismatch(codes: Tensor) -> Tensor:
    """KL from N(0, I) of the Gaussian fitted to codes ``(B, Z)``, its covariance over ``B``; nats, a scalar."""
    ### BEGIN SOLUTION
    mean = codes.mean(dim=0)
    cov = torch.cov(codes.T, correction=0)
    return 0.5 * (cov.trace() + mean.square().sum() - codes.shape[1] - torch.logdet(cov))
    ### END SOLUTION


# %%
with torch.no_grad():
    codes = model.encoder(x_train[: budget.judged]).double().cpu()
mismatch = float(code_mismatch(codes))
print(f"the codes are {mismatch:.1f} nats away from N(0, I)")
print("means  ", [f"{value:.1f}" for value in codes.mean(dim=0)])
print("spreads", [f"{value:.1f}" for value in codes.std(dim=0)])

# %% [markdown]
# No training step ever asked for a smaller number. And none could: a matrix $A$, as above, and a shift can stand between the last layer of the encoder and the first of the decoder. The
# pictures stay, and the codes get any mean and covariance that you like. So let us be generous and fit the Gaussian to the codes. Does that help?

# %%
generator = torch.Generator().manual_seed(SEED + 1)
eps = torch.randn(budget.judged, 8, generator=generator, dtype=torch.float64)
root = torch.linalg.cholesky(torch.cov(codes.T))
ways_to_draw = {
    "codes of drawings": codes,
    "fitted Gaussian": codes.mean(dim=0) + eps @ root.T,
    "N(0, I)": eps,
}
with torch.no_grad():
    drawn = {
        name: model.decoder(z.float().to(device)).clamp(-1, 1) for name, z in ways_to_draw.items()
    }
viz.compare_rows(
    {name: pictures[:15] for name, pictures in drawn.items()},
    title="Codes that come from drawings, and codes that do not",
)

# %% [markdown]
# How bad is it, in one number? The course has a **judge**, a small classifier. The **Fréchet distance** compares mean and covariance of its features on our pictures with those on
# real ones (lesson 04). Zero is best. The codes of drawings come first: they show what rebuilding alone costs.

# %%
judge = metrics.load_judge("glyphs", budget.size, device=device)
real = data.load("glyphs", size=budget.size, split="validation", count=budget.judged, seed=1)
features = judge.features(data.to_model_range(real.images).to(device))
distances = {
    name: metrics.frechet_distance(judge.features(pictures), features)
    for name, pictures in drawn.items()
}
sampling = distances["fitted Gaussian"] / distances["codes of drawings"]
wrong_law = distances["N(0, I)"] / distances["codes of drawings"]
viz.bars(
    distances,
    xlabel="where the codes come from",
    ylabel="Fréchet distance",
    title="Rebuilding well is not drawing well",
)

# %% [markdown]
# ### From the errata: a copier is not a painter
# <!-- errata: F12 F30 F31 -->
#
# One of the articles credits plain autoencoders with drawing faithful new pictures. They rebuild; a law for codes is not part of them. A fitted Gaussian helps and still puts codes where
# no drawing lives. The next lesson puts the law into the training itself.
#
# It also sorts pictures by the distance of their codes, as if that had a fixed meaning. Change the code by a matrix and rebuild: the pictures stay, the neighbours change. Here a rotation and a stretch by 50 along one axis do it.

# %%
stretch = torch.diag(torch.tensor([50.0] + [1.0] * 7, dtype=torch.float64))
turn = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64)).Q
labels = train.labels[: len(codes)]


def neighbour_accuracy(z: Tensor) -> float:
    distance = torch.cdist(z, z).fill_diagonal_(torch.inf)
    near = labels[distance.topk(5, largest=False).indices]  # (N, 5)
    return float((near.mode(dim=1).values == labels).float().mean())


change = stretch @ turn
first, last = model.encoder.head[-1], model.decoder.root[0]
new_first, new_last = maths.recode(
    first.weight.detach().double().cpu(), last.weight.detach().double().cpu(), change
)
apart = float((new_last @ new_first - (last.weight @ first.weight).detach().cpu()).abs().max())
print(f"the product of both layers changes by {apart:.0e}")
print(f"5 nearest codes agree on the digit: {neighbour_accuracy(codes):.2f}")
print(f"the same codes, stretched:          {neighbour_accuracy(codes @ change.T):.2f}")

# %% [markdown]
# Near codes do share a digit, more often than not, but no loss promised it: another code with the very same pictures has other neighbours.
#
# A third claim: the autoencoder compresses *because* the code has few numbers. Eight numbers are not eight bits. A real number can hold any amount of information; only after **rounding** can
# we count bits. Round the codes to multiples of a step, and add up the entropies of the multiples over the eight numbers of the code: so many bits a good file format needs, if it treats each number for itself.

# %%
bits, quality = [], []
with torch.no_grad():
    z = model.encoder(x_unseen)
    for fineness in (0.5, 1, 2, 4, 8, 16):
        unit = z.std(dim=0) / fineness
        levels = (z / unit).round()
        counts = [column.unique(return_counts=True)[1] / len(z) for column in levels.T]
        bits.append(-sum(float((share * share.log2()).sum()) for share in counts))
        rough = model.decoder(levels * unit).clamp(-1, 1)
        quality.append(float(metrics.psnr(rough, x_unseen).mean()))
viz.lines(
    bits,
    {"rounded codes": quality},
    xlabel="bits per drawing",
    ylabel="PSNR / dB",
    title="The price of a code is in bits, not in numbers",
    reference={"code not rounded": decibels["autoencoder"]},
    markers=True,
)

# %% [markdown]
# The honest description of a compressor is this curve, quality against bits. The code not rounded takes 256 bits in single precision; the curve comes close to its quality with less than a fifth of that. Lesson 08 (planned) returns to
# the limit of such curves.

# %% [markdown]
# ## A hole is a question that plain training never asked
#
# Hide a square of each drawing and let the model fill it in. The known pixels $m \odot x$ go in, where $\odot$ multiplies pixel by pixel and the mask $m$ is 1 for known and 0 for hidden pixels; hidden ones arrive as 0, a grey between ink and paper. What
# comes out is used in the hole only:
#
# $$x_{\text{filled}} = m \odot x + (1 - m) \odot d(e(m \odot x))$$
# <!-- definition -->


# %%
@exercise("autoencoder.inpaint")
def inpaint(model: nn.Module, x: Tensor, mask: Tensor) -> Tensor:
    """Fill the hole: ``x`` is ``(B, C, H, W)`` in [-1, 1], ``mask`` is 1 where a pixel is known; same shape."""
    ### BEGIN SOLUTION
    known = mask * x
    return known + (1 - mask) * model(known)
    ### END SOLUTION


# %% [markdown]
# ### From the errata: it must have practised
# <!-- errata: F50 -->
#
# One of the articles says that an autoencoder fills holes because it keeps the main features. The plain one has never seen a hole; a grey square is just a strange drawing. So train a second
# one, of the same size, on drawings with holes, and compare. Look at the strokes that meet the edge of the hole.

# %%
masked, masked_optimizer = new_model(squash=False)
masked_schedule = rise_and_fall(masked_optimizer)
side = 3 * budget.size // 8


def practise(n: int, x: Tensor, *_: Tensor) -> dict[str, Tensor]:
    mask = training.square_holes(len(x), budget.size, side=side, rng=rng).to(device)
    result = training.masked_step(masked, masked_optimizer, x, mask)
    masked_schedule.step()
    return result


practised = fit(practise, batches, steps=budget.steps)

# %%
mask = training.square_holes(len(x_unseen), budget.size, side=side, rng=rng).to(device)
with torch.no_grad():
    filled = {
        "plain": inpaint(model, x_unseen, mask).clamp(-1, 1),
        "practised": inpaint(masked.eval(), x_unseen, mask).clamp(-1, 1),
    }
viz.compare_rows(
    {"known": (mask * x_unseen)[:15]}
    | {name: pictures[:15] for name, pictures in filled.items()}
    | {"truth": x_unseen[:15]},
    title="Only the model that practised knows what a hole is",
)

# %%
hidden = (1 - mask).expand_as(x_unseen).bool()
in_hole = {
    name: -10 * float(((pictures - x_unseen)[hidden].square().mean() / 4).log10())
    for name, pictures in filled.items()
}
hole_gain = in_hole["practised"] - in_hole["plain"]
labels_unseen = unseen.labels.to(device)
for name, pictures in {"hole left open": mask * x_unseen, **filled}.items():
    seen = judge.accuracy(pictures, labels_unseen)
    inside = f"{in_hole[name]:.1f} dB in the hole, " if name in in_hole else ""
    print(f"{name:15} {inside}the judge sees the digit in {seen:.0%}")

# %% [markdown]
# The practised model wins clearly. By the same argument as for the denoiser, the best answer is the mean of all drawings that fit the known pixels; where two digits fit, that is a blend. To
# get one of them, one must *sample* the hidden pixels given the known ones. For that a model of the density is needed, and lesson 06 begins to build one.

# %% [markdown]
# ## An honest run stays within measured bounds
#
# The numbers of this run, beside bounds that were calibrated over several seeds.

# %%
report(
    subspace_angle=Goal(angle, at_most=goals.angle, unit="rad"),
    gain_over_pca=Goal(gain, at_least=goals.gain, unit="dB"),
    gain_of_one_loss=Goal(joint_gain, at_least=goals.joint, unit="dB"),
    distance_from_blank=Goal(blank_gap, at_most=goals.blank, unit="dB"),
    score_explained=Goal(explained, at_least=goals.slope),
    code_mismatch=Goal(mismatch, unit="nats"),
    wrong_law_ratio=Goal(wrong_law, at_least=goals.sampling),
    fitted_law_ratio=Goal(sampling),
    gain_in_the_hole=Goal(hole_gain, at_least=goals.hole, unit="dB"),
)

# %%
progress("05")

# %% [markdown]
# ## What to keep
#
# - The best linear autoencoder loses exactly the variance outside the first $Z$ principal axes. It finds the plane; the code inside the plane is arbitrary.
# - Encoder and decoder have one loss and one backward pass.
# - A small loss with a long code says nothing about what was learned. A short code, noise or holes make the task harder than copying.
# - The best denoiser moves a point by $\sigma^2$ times the score of the blurred density.
# - A plain autoencoder defines no law for codes, no meaning for distances, and no number of bits. Each needs something more.
#
# **Try next.** Change the length of the code in `new_model` and in `basis` from 8 to 2 and to 32, and watch the gain over PCA (the cells on drawing new pictures expect 8). Train the denoiser at $\sigma = 1$: which peaks does the score still show? Make the
# holes larger, and look for blends of two digits.

# %% [markdown]
# ## Further reading
#
# - P. Baldi and K. Hornik, *Neural networks and principal component analysis: Learning from examples without local minima*, Neural Networks 2(1), 1989, [doi:10.1016/0893-6080(89)90014-2](https://doi.org/10.1016/0893-6080%2889%2990014-2). Why training finds the plane.
# - H. Bourlard and Y. Kamp, *Auto-association by multilayer perceptrons and singular value decomposition*, Biological Cybernetics 59, 1988, [doi:10.1007/BF00332918](https://doi.org/10.1007/BF00332918).
# - G. E. Hinton and R. R. Salakhutdinov, *Reducing the Dimensionality of Data with Neural Networks*, Science 313, 2006, [doi:10.1126/science.1127647](https://doi.org/10.1126/science.1127647). Bent maps beat PCA.
# - P. Vincent, *A Connection Between Score Matching and Denoising Autoencoders*, Neural Computation 23(7), 2011, [doi:10.1162/NECO_a_00142](https://doi.org/10.1162/NECO_a_00142).
# - G. Alain and Y. Bengio, *What Regularized Auto-Encoders Learn from the Data-Generating Distribution*, JMLR 15, 2014, [arXiv:1211.4246](https://arxiv.org/abs/1211.4246).
# - B. Efron, *Tweedie's Formula and Selection Bias*, Journal of the American Statistical Association 106, 2011, [doi:10.1198/jasa.2011.tm11181](https://doi.org/10.1198/jasa.2011.tm11181).
# - D. Pathak, P. Krähenbühl, J. Donahue, T. Darrell and A. A. Efros, *Context Encoders: Feature Learning by Inpainting*, CVPR 2016, [arXiv:1604.07379](https://arxiv.org/abs/1604.07379). Practice with holes.
# - J. Ballé, V. Laparra and E. P. Simoncelli, *End-to-end Optimized Image Compression*, ICLR 2017, [arXiv:1611.01704](https://arxiv.org/abs/1611.01704). Codes counted in bits.
