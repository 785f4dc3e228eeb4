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
# # 00 · The first evening: a picture, a map, a machine
#
# **[Open this lesson in Colab]({{ colab }})**
#
# Welcome. In a few minutes a network on your own machine will draw digits that nobody drew before. (A **network** is a function with many
# adjustable numbers, its **weights**. To **train** it is to adjust them, little by little, on examples.) Then we look around: what it
# means to generate images, how these lessons work, what your machine can do, and how the field came to be where it is.

# %% [markdown]
# **What you will do.** Train a first generator and ask it for pictures. Read the log of that run. Write five small functions, each of which is checked
# at once. Repeat a run to the last bit. Sort ten models by what they can say of an image, and twelve by their age.
#
# **What you need.** Python, and curiosity. No GPU, no network connection, no mathematics beyond what a probability is. Formulas appear here
# as signposts; the lessons behind them derive each one.

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 12 s |
# | `cpu` | a laptop; measured on two cores | 26 s |
# | `gpu` | a GPU, a longer run | not measured yet |
#
# Run the cells from top to bottom with Shift+Enter. **What you will reach** (`cpu`): a judge that took no part in the training reads at least 98.4 % of the pictures as the digit that you asked for; eight seeds gave 99.3 to 100 %.

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
import hashlib
import math
import os

import torch
from torch import Tensor, nn

from genimg_course import data, doctor, viz
from genimg_course.exercises import check, exercise, hint, progress, specification
from genimg_course.landmarks import LANDMARKS
from genimg_course.maths.proofs import proof
from genimg_course.metrics import load_judge
from genimg_course.models import VAE, ConditionalGenerator, ProjectionDiscriminator
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.training import (
    Average,
    fit,
    gan_step,
    lazily,
    pick_device,
    seed_everything,
    vae_step,
)

# %% [markdown]
# `SEED` is where the random numbers start; more about it below. The next cell stands in every lesson. A **profile** says how much work this machine should do: `smoke` only shows that everything runs, `cpu` gives good pictures on a laptop,
# `gpu` goes further. All sizes of a lesson stand in this one place, its **budget**; `goals` are the bounds for the numbers at the end.

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(images=1000, steps=90),
    cpu=dict(images=5000, steps=1200),
    gpu=dict(images=20000, steps=6000),
)
goals = choose_budget(
    PROFILE,
    smoke=dict(accuracy=0.825),
    cpu=dict(accuracy=0.984),
    gpu=dict(accuracy=None),  # not measured yet
)
device = pick_device() if budget.profile == "gpu" else pick_device("cpu")
rng = seed_everything(SEED)
print(f"profile {budget.profile} on {device}: {budget.steps} steps on {budget.images} drawings")

# %% [markdown]
# ## A picture that nobody drew, in less than a minute
#
# These are the examples: digits in many typefaces, slanted, turned, scaled and shifted. The course draws them itself, so nothing is downloaded.

# %%
train = data.load("glyphs", size=16, count=budget.images)
batches = data.Batches(train, 64, rng=rng, device=device)
viz.image_grid(data.to_model_range(train.images[:60]), columns=15, title="Sixty examples")

# %% [markdown]
# Now two networks. The **generator** turns **noise**, here a list of 16 random numbers, and a digit into a picture. The **discriminator** sees a picture and a digit and says how sure it is that the pair is real. They
# learn against each other: the discriminator tries to tell real from generated, and the generator tries to make that hard. Do not try to understand each line; lessons 09 to 13 take this cell apart. Note only how short it is.

# %%
torch.manual_seed(SEED)
generator = ConditionalGenerator(latent_dim=16, size=16, width=16).to(device)
discriminator = ProjectionDiscriminator(size=16, width=16, features=64).to(device)
opt_g = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.99), fused=True)
opt_d = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.99), fused=True)
slow_down = [
    torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.1, total_iters=budget.steps)
    for opt in (opt_g, opt_d)
]
average = Average(generator, decay=0.99)  # a calmer copy of the generator, which draws for us
weights = sum(weight.numel() for weight in generator.parameters())
print(f"the generator has {weights:,} weights; at this moment all of them are random")

# %% [markdown]
# Run it and watch the picture below the bar. Each column asks for one digit, each row keeps its noise. At first there is fog, then there are blots, then strokes.

# %%
noise = torch.randn(6, generator.latent_dim, generator=torch.Generator().manual_seed(SEED))


@torch.no_grad()
def draw(digits: Tensor, z: Tensor) -> Tensor:
    return average.network(z.to(device), digits.to(device)).cpu()


def preview() -> viz.Figure:
    pictures = draw(torch.arange(10).repeat(6), noise.repeat_interleave(10, dim=0))
    return viz.image_grid(pictures, columns=10, title="A column asks for one digit, 0 to 9")


def step(n: int, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    penalty = lazily(0.5, n, every=4)
    losses = gan_step(generator, discriminator, opt_g, opt_d, x, y, gamma=penalty, mismatch=0.5)
    average.update(generator)
    for schedule in slow_down:
        schedule.step()
    return losses


history = fit(step, batches, steps=budget.steps, preview=preview)

# %% [markdown]
# These pictures are the generator's own: it never sees an example, it only hears what the discriminator says. Ask for more. One slider chooses the digit, the other the number of the drawing, and each number stands for new noise.

# %%


def ask(digit: int = 7, drawing: int = 1) -> viz.Figure:
    z = torch.randn(12, generator.latent_dim, generator=torch.Generator().manual_seed(drawing))
    return viz.image_grid(
        draw(torch.full((12,), digit), z), columns=12, title=f"Twelve times {digit}"
    )


viz.explore(ask, digit=(0, 9, 1, 7), drawing=(1, 100, 1, 1))

# %% [markdown]
# Are they good? The course does not leave that to your eye alone. A **judge**, a small network that has learned from real drawings only to name the digit in a picture, reads the generated ones. The share that it reads as the digit that we asked for is the
# **conditional accuracy**. (Is it all that matters? No. A generator with one perfect drawing for each digit would pass, and be dull. Lesson 04 is about that.)

# %%
judge = load_judge("glyphs", 16)
wanted = torch.arange(2000) % 10
z = torch.randn(2000, generator.latent_dim, generator=torch.Generator().manual_seed(SEED + 1))
accuracy = judge.accuracy(draw(wanted, z), wanted)
print(f"the judge reads {accuracy:.1%} of 2000 pictures as the digit that was asked for")

# %% [markdown]
# ## Generating means drawing from a law that was learned
#
# What did the network learn? It cannot keep the examples pixel by pixel: it has 27,505 weights, and the 5000 drawings of the `cpu` profile have more than a million pixels. So what else is there to learn?
#
# A picture of 16 by 16 pixels with 256 shades is one of $256^{256}$. Nearly all of them are noise. The next cell draws thirty by chance; look for a digit.

# %%
chance = torch.randint(0, 256, (30, 1, 16, 16), generator=torch.Generator().manual_seed(SEED))
print(f"the number of such pictures has {len(str(256**256))} digits")
viz.image_grid(
    data.to_model_range(chance.to(torch.uint8)), columns=15, title="Drawn evenly from all"
)

# %% [markdown]
# What makes a digit a digit is that some pictures are far more probable than others. So we imagine that the examples come from a **law of images**, a rule $p$ that gives each possible picture $x$ its probability:
#
# $$p(x) \ge 0, \qquad \sum_x p(x) = 1$$
# <!-- definition -->
#
# Nobody can write this law down. To **generate images** is to learn from examples a law that is close to it, and to draw from what was learned; videos are the same with one axis more. A picture is called realistic
# if the law of the data could have produced it, and a generator is good if *all its pictures together* look as if they had been drawn from that law. Pictures can be made by rules as well: a program for the shape, a change of colour or texture, pixel by pixel. A rule does what its author foresaw.
# What was learned from examples can surprise its author, too.
#
# Our network draws in two moves. It takes noise $z$ from a law that is easy and sends it through a function $G$ with weights. Here the easy law is the normal law $N(0, I)$: each number is drawn for itself, from the bell curve around 0 with a spread of 1. (Read $\sim$ as "is drawn from".)
#
# $$x = G(z), \qquad z \sim N(0, I)$$
# <!-- definition -->
#
# Ours also gets a digit $y$ beside the noise, $x = G(z, y)$. That makes it a **conditional** model. If $y$ is a text, this is called text-to-image; if it is another picture, image-to-image translation.

# %% [markdown]
# ## Three families differ in what they can say of an image
#
# Give a model a picture and ask: how probable is it? Some models answer exactly. Some answer with a **bound**, a number that the true one is never below. Some cannot answer at all, although they may draw beautifully. (In the picture below, a **density** is the probability for numbers that need not be whole. The logarithm turns products into sums.)
#
# The formulas of this section are signposts: look at their shape and walk on, each has a lesson of its own.

# %%
viz.family_tree()

# %% [markdown]
# **Exact.** Cut the picture into its $D$ pixels $x_1, \dots, x_D$ and guess one after the other: $p(x_i \mid x_1, \ldots, x_{i-1})$ is the probability of a pixel once those before it are known. The product of the guesses is the law (lesson 03). A flow, a map that can be undone, is exact too.
#
# $$p(x) = \prod_{i=1}^{D} p(x_i \mid x_1, \ldots, x_{i-1})$$
# <!-- proof: probability.autoregressive -->
#
# **A bound.** Explain a picture by a hidden cause $z$. The sum over all causes is out of reach, but a second network that guesses the cause gives a number $\mathcal L(x)$ that is never too large (lesson 06). What is missing is a **KL divergence**, a measure of how far its guess $q(z \mid x)$ is from the true law of the causes, $p(z \mid x)$. It is never negative:
#
# $$\log p(x) = \mathcal L(x) + \mathrm{KL}\!\left(q(z \mid x)\,\Vert\,p(z \mid x)\right) \ \ge\ \mathcal L(x)$$
# <!-- proof: vae.elbo_identity -->
#
# **Implicit.** Only draw, and let a discriminator compare. Now $p$ is the law of the data, $q$ is the law of the generator, and as many generated pictures are shown as real ones. How sure should the discriminator be that $x$ is real? The best possible answer is (lesson 09)
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}$$
# <!-- proof: gan.optimal_discriminator -->
#
# and a generator can learn from such answers without a formula for either law.

# %% [markdown]
# ## A badge means that a program has checked the formula
#
# Many formulas of this course have a name, and `proof` shows what stands behind it: a statement, the assumptions, a source, and the checks that a program has run, where possible with the very functions that the lessons use. Most checks compare numbers. That is less than a proof on paper, but few slips survive it. Here is the first of the three.

# %%
proof("probability.autoregressive")

# %% [markdown]
# The badge tells how it was checked and how close both sides came. You can call `proof` with any name that you meet. Here are the other two:

# %%
proof("vae.elbo_identity")

# %%
proof("gan.optimal_discriminator")

# %% [markdown]
# ## Neither loss says how good the pictures are
#
# While the bar ran, `fit` kept a log. Here is its last line, and what each number means:
#
# - `step`: updates done. One **training step** shows both networks one **batch** of 64 drawings and moves all weights a little.
# - `seconds`: since the start.
# - `d_loss`, `g_loss`: the **losses**, the numbers that training makes small: how badly the discriminator and the generator are doing. The unit is the **nat**: an event of probability $P$ is a surprise of $-\log P$ nats.
# - `real_logit`, `fake_logit`: what the discriminator says of real and of generated pictures, on average: above zero "real", below zero "generated", and at zero it gives each an even chance.

# %%
print({name: round(values[-1], 2) for name, values in history.items()})

# %% [markdown]
# Write $D$ for the probability that the discriminator gives to "real". It pays the surprise $-\log D$ for a real picture and $-\log(1 - D)$ for a generated one. (In our run it also learned from real pictures with a wrong label; the log leaves those out.)
#
# $$\mathcal L_D = \mathbb E_{x \sim p}\left[-\log D(x)\right] + \mathbb E_{z}\left[-\log\left(1 - D(G(z))\right)\right]$$
# <!-- proof: gan.value_is_jsd -->
#
# The sign $\mathbb E$ means the average: over real pictures in the first term, over noise in the second. A discriminator that has no idea says $D = \tfrac12$ and pays $2 \log 2 \approx 1.39$ nats. The generator pays $-\log D(G(z))$, and against such a discriminator that is $\log 2 \approx 0.69$. These are the dashed lines of the next figure.

# %%
proof("gan.value_is_jsd")

# %%
viz.curves(
    history,
    names=["d_loss", "g_loss"],
    reference={"D has no idea": 2 * math.log(2), "G against it": math.log(2)},
    title="Two players: the curves say who is ahead",
)

# %% [markdown]
# Read them against the dashed lines. After a restless beginning the loss of the discriminator rises and that of the generator falls (`cpu`; the run of `smoke` is too short for it). Late in the run both come near the values of a discriminator that has no idea: this one can hardly tell the pictures from the examples any more. But a discriminator that has *learned nothing* pays the same. So
# the curves alone do not say how good the pictures are. In a game, a loss compares a player with the other player, not with a goal. Other models, such as those of
# lessons 05 and 06, have one loss, and there a curve that falls on unseen drawings means progress. Ask of every curve: what would it show if nothing were learned, and what at best?

# %% [markdown]
# ## An exercise answers at once
#
# How often has the generator's opponent seen each drawing? An **epoch** is one pass over all of them. Write the function: how many epochs are `steps` steps of `batch_size` pictures on a set of `images`? Fractions count.
#
# In the student's notebook the body is empty. Write it, run the cell, and read the answer. As long as yours is missing or wrong, a reference stands in for it, so the lesson goes on.


# %%
@exercise("orientation.epochs_seen")
def epochs_seen(steps: int, batch_size: int, images: int) -> float:
    """Return how often each image was seen, on average."""
    ### BEGIN SOLUTION
    return steps * batch_size / images
    ### END SOLUTION


# %% [markdown]
# A wrong answer gets more than a red cross. The course knows usual errors by name. Suppose someone forgot the batch. This is what they would read:

# %%
wrong = check(
    specification("orientation.epochs_seen"), lambda steps, batch_size, images: steps / images
)
print(wrong.status, wrong.code, sep=": ")
print(wrong.sentence)

# %% [markdown]
# Stuck? `hint` climbs a ladder, one rung at each call: what is checked, where to look, an example to run, a question, the same with other numbers. The sixth rung is the solution, and that it was shown is noted.

# %%
hint("orientation.epochs_seen")

# %%
seen = epochs_seen(budget.steps, 64, budget.images)
print(f"the discriminator saw each drawing {seen:.1f} times, in a new order each time")

# %% [markdown]
# ## Your machine needs less than you may have read
#
# The doctor looks at the interpreter, the packages, the devices, the memory and the folders, and names the command that mends what is wrong. In a terminal it is `genimg doctor`.

# %%
doctor.table(doctor.examine())

# %% [markdown]
# Three things with similar names are often confused. The **driver** belongs to the operating system and talks to the graphics card. The **CUDA toolkit** is a compiler with libraries for people who write code for the card. And the **wheel**, the file that `pip` installs torch from,
# brings the CUDA libraries and cuDNN that torch was built with. (Where the usual wheel is for the CPU only, as on Windows, [pytorch.org](https://pytorch.org) names the one for your card.) So for an NVIDIA card you need *one* thing on the system, a driver that is recent enough. The version that `nvidia-smi` prints is the newest that this driver can serve, not one that is installed. No environment variable has to be set.

# %%
cudnn = torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else None
print(f"torch {torch.__version__}")
print(f"CUDA libraries that this torch was built with: {torch.version.cuda}, cuDNN: {cudnn}")
print(
    f"a GPU that torch can use: CUDA {torch.cuda.is_available()}, Apple {torch.backends.mps.is_available()}"
)
print(f"CUDA_HOME: {os.environ.get('CUDA_HOME', 'not set, and not needed')}")

# %% [markdown]
# ### From the errata: how not to set up a machine
#
# The two articles that this course corrects ask for a strong graphics card, 16 GB of memory and Ubuntu 20.04, and then for commands that do not work. This course asks for a laptop.
#
# - One recipe for CUDA fetches one file and installs another, which does not exist; it adds no repository, takes the driver of another release, and leaves cuDNN out. You need none of it.
# - `pip install tensorflow==2.7` installs today a `protobuf` with which that TensorFlow does not import, and for Python 3.11 or newer there is no such TensorFlow at all. A pin has to cover what a package depends on; ours do (`constraints.txt`).
# - `update-alternatives` for `python3` changes nothing on the system named and can break system tools on others. A virtual environment is the way; `make lab` makes one.
# - `mnist.load_data()` without a network ends in an exception. Our drawings are made on the spot.
# - `tf.test.is_gpu_available()` is deprecated; TensorFlow asks with `tf.config.list_physical_devices("GPU")`, and torch with `torch.cuda.is_available()`.
# - PyTorch is no longer "by Facebook": since September 2022 a foundation under the Linux Foundation governs it. Keras works with PyTorch only since Keras 3, of November 2023, and freezing a layer means something else there. PIL has been dead since 2011; the library is Pillow, its successor.
#
# <!-- errata: F46 F47 F49 CA14 CB10 CB11 CB12 CB13 -->

# %% [markdown]
# ## A program should take the device that is there
#
# Many public notebooks begin with `device = "cuda"`. Without an NVIDIA card they stop at the first **tensor**, which is torch's word for an array of numbers. Write the choice so that it works everywhere. What the machine has is given as two truths, so that the function can be checked on any machine; the answer is one of three numbers.
#
# Without a wish, take the fastest: CUDA, else an Apple GPU (`mps`), else the CPU. A wish (`"cpu"`, `"cuda"` or `"mps"`) is met, or refused with a `ValueError`: whoever asks for a GPU does not want to find out in the morning that a CPU did the work.

# %%
CPU, CUDA, MPS = range(3)


@exercise("orientation.choose_device")
def choose_device(cuda: bool, mps: bool, wanted: str | None = None) -> int:
    """Return ``CPU``, ``CUDA`` or ``MPS``; refuse a wish that cannot be met with a ``ValueError``."""
    ### BEGIN SOLUTION
    here = {"cuda": (cuda, CUDA), "mps": (mps, MPS), "cpu": (True, CPU)}
    for name, (is_here, number) in here.items():
        if is_here and wanted in (None, name):
            return number
    raise ValueError(f"this machine has no device {wanted!r}")
    ### END SOLUTION


# %%
chosen = choose_device(torch.cuda.is_available(), torch.backends.mps.is_available())
print(f"the fastest device here: {['cpu', 'cuda', 'mps'][chosen]}; this lesson ran on {device}")

# %% [markdown]
# ## The same seed gives the same bits
#
# A result that cannot be repeated is hard to trust and hard to repair. A computer makes its random numbers by a rule, a **random number generator** (no relative of our network), which starts at a **seed**: the same seed, the same numbers. There are several such generators. torch, NumPy and Python each have a global one, which every part of a program draws from.
# So one line more somewhere changes all numbers behind it. The cure: what matters gets a generator of its own.
#
# Write the shuffle of a data set so that its order depends on the seed and on nothing else, and leaves the global generators alone. `torch.Generator().manual_seed(seed)` makes one; `torch.randperm` takes it.


# %%
@exercise("orientation.shuffled")
def shuffled(x: Tensor, seed: int) -> Tensor:
    """Return the rows of ``x``, ``(N, ...)``, in a random order that the seed alone decides."""
    ### BEGIN SOLUTION
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    return x[order]
    ### END SOLUTION


# %% [markdown]
# Now the test: ten training steps of a small network on the CPU. (It is a variational autoencoder. Lesson 06 explains it; here it matters only that it draws noise in each step.) Afterwards all weights go into a **hash**, a short fingerprint of bytes: if a single bit differs, the whole fingerprint looks different. Five runs follow. Predict which of them agree.


# %%
def fingerprint(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for value in network.state_dict().values():
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()[:16]


def ten_steps(x: Tensor, seed: int, *, lost: int = 0) -> str:
    torch.manual_seed(seed)
    network = VAE(latent_dim=4, size=16, width=8)
    torch.randn(lost)  # numbers that another line of the program draws
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    rows = iter(x.split(64))
    fit(lambda n, x: vae_step(network, optimizer, x), zip(rows), steps=10, progress=False)
    return fingerprint(network)


# %%
x = data.to_model_range(train.images[:640])
first = ten_steps(shuffled(x, SEED), SEED)
torch.randn(1000)  # the world goes on between two runs
again = ten_steps(shuffled(x, SEED), SEED)
other = {
    "another seed": ten_steps(shuffled(x, SEED + 1), SEED + 1),
    "another order of the data": ten_steps(shuffled(x, SEED + 1), SEED),
    "one number drawn in between": ten_steps(shuffled(x, SEED), SEED, lost=1),
}
print(f"{'first run':30}{first}\n{'again':30}{again}")
for name, value in other.items():
    print(f"{name:30}{value}")

# %% [markdown]
# The first two lines agree to the last bit; each of the others differs. What else breaks it? **Another order of addition.** A computer rounds after each sum, so the order matters:

# %%
print((0.1 + 0.2) + 0.3 == 0.1 + (0.2 + 0.3), (0.1 + 0.2) + 0.3, 0.1 + (0.2 + 0.3))

# %% [markdown]
# Another number of threads, another processor, a GPU in place of a CPU, or another version of torch may add in another order. Then two runs agree at first and drift apart. So we promise equal bits for one machine, one version and one number of threads, and elsewhere equal results *within bounds*. That is why the numbers at the end of a
# lesson are compared with bounds that were set from runs with several seeds. (On a GPU some sums run in an order that changes from call to call; `torch.use_deterministic_algorithms(True)` asks for slower ones that do not.)

# %% [markdown]
# ## What can ten models say of an image?
#
# Back to the tree of the three families. Sort ten models into it, with a fourth drawer for models that define no law at all: nothing in them says how to draw. Fill in and return the right entry:
#
# ```python
# kinds = {
#     "mixture of Gaussians": ..., "autoregressive model": ..., "flow": ..., "VAE": ..., "conditional VAE": ...,
#     "DDPM": ..., "GAN": ..., "WGAN": ..., "StyleGAN": ..., "autoencoder": ...,
# }
# return kinds[model]
# ```
#
# The names in short. An **autoencoder** squeezes a picture into a few numbers, its code, and is trained to rebuild the picture from them. A **VAE**, a variational autoencoder, explains pictures by hidden causes, as above; a conditional VAE is also told the class. A **mixture of Gaussians** is a weighted sum of bell-shaped laws. A **diffusion model** draws by taking noise away step by step; DDPM is the one of 2020.
# A **GAN**, a generative adversarial network, is what you trained tonight; WGAN and StyleGAN are GANs with another loss and another network. This is a guess before the lessons, so be bold: a usual error gets a sentence that helps.

# %%
EXACT, BOUND, IMPLICIT, NO_LAW = range(4)


@exercise("orientation.kind_of_law")
def kind_of_law(model: str) -> int:
    """Return ``EXACT``, ``BOUND``, ``IMPLICIT`` or ``NO_LAW`` for one of the ten models."""
    ### BEGIN SOLUTION
    kinds = {
        **dict.fromkeys(["mixture of Gaussians", "autoregressive model", "flow"], EXACT),
        **dict.fromkeys(["VAE", "conditional VAE", "DDPM"], BOUND),
        **dict.fromkeys(["GAN", "WGAN", "StyleGAN"], IMPLICIT),
        "autoencoder": NO_LAW,
    }
    return kinds[model]
    ### END SOLUTION


# %%
names = ("exact", "a bound", "only draws", "no law")
for model in ("flow", "VAE", "DDPM", "GAN", "autoencoder"):
    print(f"{model:14}{names[kind_of_law(model)]}")

# %% [markdown]
# ## Networks are parts, and models are made of parts
#
# One of the articles draws a map in which networks, convolutions, autoencoders, VAEs and GANs stand side by side, as if one were a kind of the other. They are things of different sorts. A network is a function with weights. A convolution is a kind of layer, that is, of step inside a network (lesson 02). An autoencoder, a VAE, a GAN and a diffusion
# model are *combinations* of networks with an objective, and the same decoder can play in three of them. What turns an autoencoder into a VAE is no further network, but a law for the codes and a bound to train on.

# %%
viz.concept_map()

# %% [markdown]
# ## What came when? Guess before you look
#
# Twelve names, many of them new to you. In which year was each first made public? One year off is fine. Guess first; then the reading list at the end helps, for the number of an arXiv paper begins with its year and month. The autoencoder is older than you might think, and one article dates the GAN decades too early.
#
# ```python
# years = {
#     "autoencoder": ..., "VAE": ..., "GAN": ..., "cGAN": ..., "diffusion": ..., "DCGAN": ...,
#     "WGAN": ..., "CycleGAN": ..., "StyleGAN": ..., "DDPM": ..., "latent diffusion": ..., "flow matching": ...,
# }
# return years[model]
# ```


# %%
@exercise("orientation.year_of")
def year_of(model: str) -> int:
    """Return the year of the first public version of one of the twelve models."""
    ### BEGIN SOLUTION
    years = {"autoencoder": 1986, "VAE": 2013, "GAN": 2014, "cGAN": 2014, "diffusion": 2015}
    years |= {"DCGAN": 2015, "WGAN": 2017, "CycleGAN": 2017, "StyleGAN": 2018, "DDPM": 2020}
    years |= {"latent diffusion": 2021, "flow matching": 2022}
    return years[model]
    ### END SOLUTION


# %%
viz.timeline(
    [(landmark.date, landmark.name, landmark.family) for landmark in LANDMARKS],
    notes=[landmark.source for landmark in LANDMARKS],
    title="What came when: first public versions",
)

# %% [markdown]
# Read it from the top. Between the first autoencoder and the first VAE lies a quarter of a century. (Other networks that draw, such as the Boltzmann machine, were tried meanwhile; this course leaves them out.) Then within fifteen months came three ways to draw that are alive today: the VAE, the GAN and diffusion. From the end of 2016 to 2019 every name in our list is adversarial. Diffusion waited five years for the paper that made it work well.
# The date is that of the first public version. The conference often came months later, so you will see other years in citations.

# %% [markdown]
# ### From the errata: the GAN is no child of the 1980s
#
# One article says that GANs were proposed in the 1980s. They are from June 2014, as the other one says. What does come from the 1980s is the autoencoder: Rumelhart, Hinton and Williams in 1986, Ballard in 1987, Bourlard and Kamp in 1988. The nearest ancestor of the adversarial idea is predictability minimisation, of 1992:
# there, too, one network tries to predict and another tries not to be predicted, but what comes out are codes, not pictures.
#
# <!-- errata: F01 -->

# %% [markdown]
# ## Many of the references cannot be found
#
# We looked up what the articles tell you to read. A reference is a claim like any other: it can be checked, and this is what came of it.
#
# | what the articles cite | what we found |
# |---|---|
# | the paper on GANs, by three authors, once with Yann LeCun, once under the title "training generative models against discriminators" | "Generative Adversarial Nets", 2014, by eight authors, without LeCun: [arXiv:1406.2661](https://arxiv.org/abs/1406.2661) |
# | "Variational Autoencoders for Deep Learning" by Aäron, Bengio and Goodfellow, as a paper and as a book | neither was found; VAEs come from Kingma and Welling, [arXiv:1312.6114](https://arxiv.org/abs/1312.6114), and from Rezende, Mohamed and Wierstra, [arXiv:1401.4082](https://arxiv.org/abs/1401.4082) |
# | Kingma and Welling, "VAEs: Theory, Methods, and Applications" | the title is "An Introduction to Variational Autoencoders", [arXiv:1906.02691](https://arxiv.org/abs/1906.02691) |
# | "A Survey on GANs: Progress, Applications, Challenges" | not found; real ones are Gui and others, [arXiv:2001.06937](https://arxiv.org/abs/2001.06937), and "Recent Progress on Generative Adversarial Networks (GANs): A Survey", IEEE Access, 2019 |
# | "Deep Convolutional GAN" as a title | "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks", [arXiv:1511.06434](https://arxiv.org/abs/1511.06434) |
# | SRGAN by "Rafetseder et al." | Ledig and others, CVPR 2017, [arXiv:1609.04802](https://arxiv.org/abs/1609.04802) |
# | Goodfellow, Bengio and Courville, *Deep Learning* | it exists: MIT Press, 2016, [deeplearningbook.org](https://www.deeplearningbook.org); VAEs and GANs have a few pages in chapter 20 |

# %% [markdown]
# | what the articles cite | what we found |
# |---|---|
# | a book by Xingxiao Wu and Xiaogang Xu; a book by 许晨阳; "Image Generation: From Theory to Practice" by Kendall and others; "Image Generation and Style Transfer" by Liu, Luo, Wang and Tang; a survey by Zhang and Yang | none was found, so none can be cited |
# | a page by "Sophie Rossiter" on Medium | could not be verified |
# | Coursera's Deep Learning Specialization, for GANs and VAEs | it covers convolutions, sequences and style transfer; the course on GANs is the GANs Specialization of DeepLearning.AI |
# | MIT's course on GANs at edX | not found; MIT 6.S191 has a lecture on generative models |
# | `tensorflow/models`, folder `research/gan` | it existed; the code moved to `tensorflow/gan` |
# | `tensorflow/models`, folder `official/variational_autoencoder`; `benspagination/pytorch-vaes`; `yunjey/gan-tutorial` | not found |
# | "GANlib" | no known collection of that name, only small projects that have nothing to do with it; collections are TF-GAN, TorchGAN and StudioGAN |
#
# "Not found" means: searched for, and no trace. It is weaker than "does not exist", and we say it so. What you can rely on: the documentation at [pytorch.org](https://pytorch.org), [tensorflow.org](https://www.tensorflow.org), [keras.io](https://keras.io) and [opencv.org](https://opencv.org),
# and the essays at [colah.github.io](https://colah.github.io). This course is open source like them. If you find an error in it, say so in its repository; that is how it gets better.
#
# <!-- errata: R01 R02 R03 R04 R05 R06 R07 R08 R09 R10 R11 R12 R13 R14 R15 R16 R17 R18 R19 R20 R21 R23 R24 -->

# %% [markdown]
# ## Six parts lead from pixels to responsibility
#
# | | lessons | you will be able to |
# |---|---|---|
# | foundations | 00 to 04 | handle pictures as data, train networks, write down laws, and measure generators |
# | latent models | 05 to 08 | squeeze pictures into codes, derive and train a VAE, turn the knobs of a latent space |
# | the game | 09 to 11 | derive GANs, explain why they circle and collapse, and choose a loss with reason |
# | training | 12 to 16 | train on a GPU, ask for a class, and climb from DCGAN by StyleGAN to diffusion and flow matching |
# | applications | 17 to 21 | restore, translate, restyle, caption, and put synthetic data to work |
# | responsibility | 22 and 23 | protect privacy, mark origins, and choose and ship a model |
#
# Lessons 00 to 07 and 09 to 13 stand; the others are planned. In a hurry? After this one take 05, 06, 09 and 13: from the first code to the model that you trained tonight.

# %% [markdown]
# ## An evening ends with numbers
#
# Every lesson reports what it measured beside the bounds that it must keep. `hash_gap` is 0 if both runs of ten steps gave the same bits, else 1; `hashes_that_differ` counts the three changes that should have mattered.

# %%
report(
    conditional_accuracy=Goal(accuracy, at_least=goals.accuracy),
    hash_gap=Goal(int(first != again), at_most=0),
    hashes_that_differ=Goal(sum(value != first for value in other.values()), at_least=3),
)

# %%
progress("00")

# %% [markdown]
# ## What to keep
#
# - To generate is to draw from a law that was learned from examples; the pictures together are the result, not a single one.
# - Models differ in what they can say of an image: an exact density, a bound, or nothing but samples. An autoencoder alone defines no law.
# - A loss curve needs a yardstick: what would it show without learning, and what at best?
# - For a graphics card you need a driver; the CUDA libraries come with torch.
# - Seeds make a run repeatable on one machine. What matters gets a random generator of its own.
# - A date or a reference is a claim. Look it up.
#
# **Try next.** Train with `width=32` and twice the steps, and see what the judge says. Set `mismatch=0` in the step: do the digits still come, and when? Change `SEED`.

# %% [markdown]
# ## Further reading
#
# - I. Goodfellow and others, *Generative Adversarial Nets*, NIPS 2014, [arXiv:1406.2661](https://arxiv.org/abs/1406.2661). Eight pages that started a field.
# - I. Goodfellow, *NIPS 2016 Tutorial: Generative Adversarial Networks*, [arXiv:1701.00160](https://arxiv.org/abs/1701.00160). The families of generative models, section 2.
# - D. P. Kingma and M. Welling, *Auto-Encoding Variational Bayes*, ICLR 2014, [arXiv:1312.6114](https://arxiv.org/abs/1312.6114).
# - J. Sohl-Dickstein and others, *Deep Unsupervised Learning using Nonequilibrium Thermodynamics*, ICML 2015, [arXiv:1503.03585](https://arxiv.org/abs/1503.03585). Diffusion, five years before it was famous.
# - J. Ho, A. Jain and P. Abbeel, *Denoising Diffusion Probabilistic Models*, NeurIPS 2020, [arXiv:2006.11239](https://arxiv.org/abs/2006.11239).
# - Y. Lipman and others, *Flow Matching for Generative Modeling*, ICLR 2023, [arXiv:2210.02747](https://arxiv.org/abs/2210.02747).
# - H. Bourlard and Y. Kamp, *Auto-association by Multilayer Perceptrons and Singular Value Decomposition*, Biological Cybernetics 59, 1988, [doi:10.1007/BF00332918](https://doi.org/10.1007/BF00332918).
# - J. Schmidhuber, *Learning Factorial Codes by Predictability Minimization*, Neural Computation 4(6), 1992, [doi:10.1162/neco.1992.4.6.863](https://doi.org/10.1162/neco.1992.4.6.863).
# - D. E. Rumelhart, G. E. Hinton and R. J. Williams, *Learning Internal Representations by Error Propagation*, in *Parallel Distributed Processing*, volume 1, MIT Press, 1986. D. H. Ballard, *Modular Learning in Neural Networks*, AAAI 1987.
