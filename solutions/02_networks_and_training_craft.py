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
# # 02 · Networks, convolutions and the craft of training them
#
# **[Open this lesson in Colab]({{ colab }})**
#
# Every model of this course is made of the same few parts: layers that mix, functions that bend, and a rule that turns the
# error at the end into a correction for every weight. Here you take the parts into your hands, go backwards through them with
# a pencil, and train a classifier of the kind that will later judge what our generators draw.

# %% [markdown]
# **What you will do.** Count how much of a network really bends. Work out the size of an image after any convolution, and
# which transposed convolution doubles it. Derive four backward passes and write three of them. Write one step of Adam. Train a classifier, watch a network
# overfit, and learn where to look when a network does not learn.
#
# **What you need.** Derivatives, matrices, and a little PyTorch. Every symbol is explained where it first appears.

# %% [markdown]
# | profile | where | time |
# |---|---|---|
# | `smoke` | a check that everything runs | 12 s |
# | `cpu` | a laptop; measured on two cores | 17 s |
# | `gpu` | a GPU | not measured yet |
#
# **What you will reach** (`cpu`): a classifier that names at least 99.8 % of new drawings, and gradients by hand that agree with PyTorch to the last digits.

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

from genimg_course import data, viz
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths import (
    convolution_matrix,
    he_std,
    momentum_step,
    overlap_counts,
    signal_gain,
)
from genimg_course.maths.proofs import proof
from genimg_course.metrics import load_judge
from genimg_course.models import Classifier
from genimg_course.profiles import budget as choose_budget
from genimg_course.report import Goal, report
from genimg_course.source import show_source
from genimg_course.training import classifier_step, fit, pick_device, seed_everything
from genimg_course.training.judge import jitter

# %%
budget = choose_budget(
    PROFILE,
    smoke=dict(images=2000, unseen=500, steps=100, few_steps=60, sweep_steps=8),
    cpu=dict(images=20000, unseen=2000, steps=600, few_steps=400, sweep_steps=40),
    gpu=dict(images=20000, unseen=4000, steps=2500, few_steps=400, sweep_steps=40),
)
goals = choose_budget(
    PROFILE,
    smoke=dict(draws=0.965, fonts=0.95, backward=1e-10, adjoint=1e-10),
    cpu=dict(draws=0.998, fonts=0.99, backward=1e-10, adjoint=1e-10),
    gpu=dict(draws=None, fonts=None, backward=None, adjoint=None),  # not measured yet
)
device = pick_device() if budget.profile == "gpu" else pick_device("cpu")
rng = seed_everything(SEED)
print(f"profile {budget.profile} on {device}")

# %% [markdown]
# ## A neuron weighs its inputs, and a layer is a matrix
#
# A **neuron** multiplies each of its inputs $x_i$ by a **weight** $w_i$, adds a **bias** $b$, and passes the sum $a = \sum_i w_i x_i + b$ on. A **dense**
# (or fully connected) layer is many neurons with the same inputs. Their weights are the rows of a matrix $W$, so the layer computes $Wx + b$. Between two layers stands an
# **activation** $\phi$, a function of one number: ReLU, $\max(a, 0)$; leaky ReLU, which keeps a small slope such as 0.2 below zero; the sigmoid $\sigma(a) = 1 / (1 + e^{-a})$; $\tanh$.
#
# $$h = \phi(W x + b)$$
# <!-- definition -->
#
# The first $x$ is the input layer, the last result the output layer, and every $h$ in between is called hidden. A *deep* neural network (DNN) has several hidden layers.
#
# Here are the four. Look where a curve is flat: there a change of the sum changes nothing behind it.

# %%
a = torch.linspace(-3, 3, 121)
activations = {
    "ReLU": a.relu(),
    "leaky ReLU, 0.2": F.leaky_relu(a, 0.2),
    "sigmoid": a.sigmoid(),
    "tanh": a.tanh(),
}
viz.lines(a, activations, xlabel="sum a", ylabel="activation", title="Four ways to bend")

# %% [markdown]
# ## Without a bend, a hundred layers are one
#
# Why bend at all? Put two layers without an activation behind each other and multiply out:
#
# $$W_2 (W_1 x + b_1) + b_2 = (W_2 W_1)\, x + (W_2 b_1 + b_2)$$
# <!-- proof: networks.affine_layers_merge -->
#
# One matrix, one bias: the second layer has bought nothing. The same holds for a convolution, for mean pooling, and for batch normalisation in a network that is evaluated: all of them are **affine**, that is, they
# map the mean of two inputs to the mean of the two results. Max pooling is not. (Pooling joins neighbouring pixels into one, by their mean or their largest value.)

# %%
proof("networks.affine_layers_merge")

# %% [markdown]
# So the depth of a network is not its number of convolutions. Count the layers that bend. The network is given by the names of its layers in PyTorch, with spaces between them.


# %%
@exercise("networks.nonlinear_stages")
def nonlinear_stages(layers: str) -> int:
    """Count the layers that are not affine when the network is evaluated: activations and max pooling."""
    ### BEGIN SOLUTION
    affine = {"Conv2d", "ConvTranspose2d", "Linear", "BatchNorm2d", "Dropout", "AvgPool2d"}
    affine |= {"AdaptiveAvgPool2d", "Flatten", "Unflatten", "Upsample", "Identity"}
    return sum(name not in affine for name in layers.split())
    ### END SOLUTION


# %% [markdown]
# Stuck? `hint("networks.nonlinear_stages")` gives one more hint at each call. The last one is the solution.
#
# Measure it as well. Below is a stack of three transposed convolutions with normalisation, as one of the articles builds its generator, and the same stack with ReLU. How far is the result for a mean of two inputs from the mean of the two results?


# %%
def stack(*, bent: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inside, outside in ((8, 8), (8, 4), (4, 1)):
        layers.append(nn.ConvTranspose2d(inside, outside, kernel_size=4, stride=2, padding=1))
        layers.append(nn.BatchNorm2d(outside))
        layers += [nn.ReLU()] if bent and outside > 1 else []
    return nn.Sequential(*layers).eval()


one, two = torch.randn(2, 1, 8, 4, 4)
for bent in (False, True):
    net = stack(bent=bent)
    with torch.no_grad():
        gap = net((one + two) / 2) - (net(one) + net(two)) / 2
    names = " ".join(type(layer).__name__ for layer in net)
    print(f"{len(net)} layers, {nonlinear_stages(names)} bend: gap {float(gap.abs().max()):.1e}")

# %% [markdown]
# The straight stack has no gap beyond rounding: six layers, one affine map. Two ReLU layers are enough to open a gap.

# %% [markdown]
# ## A convolution is a small matrix, used everywhere
#
# A dense layer from 16 × 16 pixels to 16 × 16 pixels has 65,536 weights. But an edge is an edge wherever it lies. So let each result look at a small neighbourhood only, and let all of them use the **same** weights, the **kernel**.
# This is **weight sharing**: a kernel of 3 × 3 has nine weights, however large the image is. With one row of pixels $x$, kernel $k_0, k_1, \dots$, **stride** $s$ (how far the kernel moves), **padding** $p$ (zeros added at both ends) and **dilation** $d$ (the step between **taps**, the entries of the kernel):
#
# $$y_i = \sum_a k_a\, x_{si + da - p}$$
# <!-- definition -->
#
# It is still a matrix $K$, one that holds the kernel in every row, each time a stride further. Zeros are where nothing is seen.

# %%
kernel = torch.tensor([1.0, 2.0, 3.0, 4.0])
K = convolution_matrix(kernel, 10, stride=2, padding=1)
viz.heatmap(
    K,
    xlabel="input pixel",
    ylabel="output pixel",
    colour_label="weight",
    title="Four weights fill a matrix of 5 by 10",
)

# %% [markdown]
# Each row is the row above, moved by the stride. In the first and the last row one tap has fallen into the padding, so it is missing.
#
# What a stack of such layers learns serves many tasks: *classification* gives a class to an image, *detection* a class and a box to each object, *segmentation* a class to each pixel.

# %% [markdown]
# ## Sizes are fence posts
#
# How many positions has the kernel? It covers $d(k - 1) + 1$ pixels, so in a padded row of $n + 2p$ it can travel $n + 2p - d(k - 1) - 1$ pixels. Count the whole steps of $s$, and add the first position. A transposed convolution runs the same formula backwards, and since the rounding has lost something, an **output padding** $o$ says which of the possible sizes is meant:
#
# $$n_{\text{conv}} = \left\lfloor \frac{n + 2p - d(k - 1) - 1}{s} \right\rfloor + 1, \qquad
# n_{\text{transposed}} = (n - 1)s - 2p + d(k - 1) + o + 1$$
# <!-- proof: networks.convolution_size -->
#
# The brackets $\lfloor \cdot \rfloor$ round down.


# %%
@exercise("networks.conv_size")
def conv_size(
    n: int, *, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """The length of one side after a convolution."""
    ### BEGIN SOLUTION
    return (n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
    ### END SOLUTION


# %%
proof("networks.convolution_size")

# %% [markdown]
# ## A transposed convolution is an adjoint, not an inverse
#
# A generator has to grow images. Take the matrix $K$ and transpose it: each value now *paints* the kernel where the convolution has *read* it, and where stretches overlap they add up. The transpose is the **adjoint**: it moves a matrix from one side of an inner product $\langle a, b \rangle = \sum_i a_i b_i$ to the other.
#
# $$\langle K x, y \rangle = \langle x, K^\top y \rangle, \qquad K^\top \ne K^{+}$$
# <!-- proof: networks.transposed_convolution -->
#
# $K^+$ is the pseudo-inverse, the best way back in the sense of least squares: of all $x$ for which $Kx$ comes closest to a given $y$, it returns the shortest. $K^\top$ gives back the *size* of $x$ and not its values. Expect the two inner products to agree, and $K^\top K x$ to be far from $x$.


# %%
@exercise("networks.transposed_convolution")
def transposed_convolution(
    y: Tensor, kernel: Tensor, n: int, *, stride: int = 1, padding: int = 0
) -> Tensor:
    """The adjoint of a convolution of ``n`` pixels: ``y`` is ``(n_out,)``, the result ``(n,)``."""
    ### BEGIN SOLUTION
    matrix = convolution_matrix(kernel, n, stride=stride, padding=padding)
    return matrix.T @ y
    ### END SOLUTION


# %%
x, y = torch.randn(10, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
k = torch.randn(4, dtype=torch.float64)
convolved = F.conv1d(x[None, None], k[None, None], stride=2, padding=1)[0, 0]
painted = transposed_convolution(y, k, 10, stride=2, padding=1)
back = transposed_convolution(convolved, k, 10, stride=2, padding=1)
adjoint_gap = abs(float(convolved @ y - x @ painted))
print(f"<Kx, y> - <x, K'y> = {adjoint_gap:.1e}")
print(f"but K'K x misses x by {float((back - x).norm() / x.norm()):.0%} of its length")

# %%
proof("networks.transposed_convolution")

# %% [markdown]
# ## Some transposed convolutions double exactly
#
# Many generators double the side again and again. When does a transposed convolution multiply *every* side by its stride? Set its size equal to $s\,n$; the terms with $n$ cancel.
#
# $$(n - 1)s - 2p + d(k - 1) + o + 1 = s\,n \;\text{ for all } n
# \quad\Longleftrightarrow\quad d(k - 1) + o + 1 = s + 2p$$
# <!-- proof: networks.doubling -->
#
# For $s = 2$ and $d = 1$ this is $k + o = 2p + 2$. So $k = 4$, $p = 1$, $o = 0$ doubles, and so does $k = 5$, $p = 2$, $o = 1$. One of the articles puts three such layers on a grid of 7 and expects 28.


# %%
@exercise("networks.transposed_conv_size")
def transposed_conv_size(
    n: int,
    *,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    dilation: int = 1,
) -> int:
    """The length of one side after a transposed convolution."""
    ### BEGIN SOLUTION
    covered = dilation * (kernel_size - 1) + 1
    return (n - 1) * stride + covered - 2 * padding + output_padding
    ### END SOLUTION


# %%
sizes = [7]
for _ in range(3):
    layer = dict(kernel_size=5, stride=2, padding=2, output_padding=1)
    sizes.append(transposed_conv_size(sizes[-1], **layer))
doublers = [
    (k, p, o)
    for k in range(2, 7)
    for p in range(3)
    for o in range(2)
    if all(
        transposed_conv_size(n, kernel_size=k, stride=2, padding=p, output_padding=o) == 2 * n
        for n in (7, 8)
    )
]
print("three layers:", " -> ".join(map(str, sizes)))
print("stride 2 doubles with (kernel, padding, output padding) =", doublers)

# %%
proof("networks.doubling")

# %% [markdown]
# ## Watch the kernel walk, and both formulas become a count
#
# A formula with five letters is easy to believe and easy to get wrong, and a size that is off by one shows only where two layers meet. So look at what it counts. An ordinary convolution *reads*: the kernel walks over the padded input, and each place gives one number. A transposed one *paints*: each input pixel puts a kernel onto a wide grid, and of that grid the padding is *cut off*. The taps lie in the same places both times, for both are rows of the same matrix $K$.
#
# Some settings cannot be. The first cell says why in a sentence, the second one draws all others and puts the numbers into the formula that you wrote. `row` and `column` choose the place; beyond the last pixel the kernel stays at the edge.


# %%
def objection(kind: str, n: int, k: int, s: int, p: int, d: int, o: int) -> str:
    """Why there is no such layer for a side of ``n`` pixels, or nothing if there is one."""
    covered = d * (k - 1) + 1
    painted = (n - 1) * s + covered + o
    if kind == "ordinary" and covered > n + 2 * p:
        return f"The kernel covers {covered} pixels, but the padded side has {n + 2 * p}: no place."
    if kind == "transposed" and o >= max(s, d):
        return f"An output padding of {o} needs a stride or a dilation larger than {o}."
    if kind == "transposed" and painted <= 2 * p:
        return f"{painted} pixels a side are painted and {2 * p} cut off: nothing is left."
    return ""


# %%
def walk(
    kind: str = "ordinary",
    kernel: int = 3,
    stride: int = 2,
    padding: int = 1,
    dilation: int = 1,
    input_size: int = 6,
    output_padding: int = 0,
    row: int = 1,
    column: int = 1,
) -> viz.Figure:
    layer = dict(kernel_size=kernel, stride=stride, padding=padding, dilation=dilation)
    n, k, s, p, d, o = input_size, kernel, stride, padding, dilation, output_padding
    size, title = 0, objection(kind, n, k, s, p, d, o)
    if not title and kind == "ordinary":
        size = conv_size(n, **layer)
        title = f"⌊({n} + 2·{p} − {d}·({k} − 1) − 1) / {s}⌋ + 1 = {size}"
    elif not title:
        size = transposed_conv_size(n, output_padding=o, **layer)
        title = f"({n} − 1)·{s} − 2·{p} + {d}·({k} − 1) + {o} + 1 = {size}"
    painting = kind == "transposed"
    return viz.kernel_grids(
        n, size, transposed=painting, place=(row, column), title=f"{kind}: {title}", **layer
    )


# %%
viz.explore(
    walk,
    kind=["ordinary", "transposed"],
    kernel=(1, 5, 1, 3),
    stride=(1, 4, 1, 2),
    padding=(0, 3, 1, 1),
    dilation=(1, 3, 1, 1),
    input_size=(2, 8, 1, 6),
    output_padding=(0, 3, 1, 0),
    row=(0, 13, 1, 1),
    column=(0, 13, 1, 1),
)

# %% [markdown]
# Three things to try. (The output padding belongs to transposed layers; an ordinary one has none.)
#
# - **What rounding down throws away.** Ordinary, padding 0, kernel 3, stride 2. Input sizes 5 and 6 both give 2: with 6 the last row and the last column stay white, for no place of the kernel reaches them. Now back: transposed, input size 2, the same layer. It makes 5. Output padding 1 makes 6, and the added row and column are white again, because nothing paints them.
# - **A layer that doubles.** Transposed, kernel 4, stride 2, padding 1: 6 becomes 12, 7 becomes 14. Raise the row by one and the paint moves by two pixels, half a kernel: so every inner pixel of a row is painted twice. At row 0 a part of the paint is cut off.
# - **A kernel with holes.** Ordinary, dilation 3, kernel 2: four taps look at a square of four by four pixels. With kernel 5 it covers 13 pixels, and a padded side of 8 has no place for it.

# %% [markdown]
# ## If the stride does not divide the kernel, a checkerboard appears
#
# Take dilation 1, and leave the padding out: it only cuts the ends off. Output pixel $j$ hears from input $i$ through tap $a$ if $si + a = j$. How many pairs $(i, a)$ are there? If $s$ divides $k$, the same number for all inner pixels. If not, some get more paint than their neighbours.
#
# $$\#\{(i, a) : s i + a = j,\ 0 \le a < k\} = \frac ks \;\text{ for all inner } j \quad\Longleftrightarrow\quad s \mid k$$
# <!-- proof: networks.checkerboard -->
#
# ($\#$ counts, and $s \mid k$ says that $s$ divides $k$.) Below, a constant image goes through two layers whose weights are all one.

# %%
flat = torch.ones(1, 1, 8, 8)
pictures = []
for side in (3, 4):
    grown = F.conv_transpose2d(flat, torch.ones(1, 1, side, side), stride=2)[..., 2:16, 2:16]
    pictures.append(grown / grown.max() * 2 - 1)
print("overlaps, kernel 3:", overlap_counts(6, kernel_size=3, stride=2).tolist())
print("overlaps, kernel 4:", overlap_counts(6, kernel_size=4, stride=2).tolist())
viz.image_grid(torch.cat(pictures), titles=["kernel 3, stride 2", "kernel 4, stride 2"], columns=2)

# %% [markdown]
# With kernel 3 every second pixel of a row gets one share of paint and its neighbours two, and in the plane 1, 2 or 4. With kernel 4 each gets the same, so the picture is evenly white. Learned weights can even the pattern out, but they have to learn it.

# %%
proof("networks.checkerboard")

# %% [markdown]
# ### From the errata: what grows an image, and what segments one
#
# One article calls the layer that enlarges a "deconvolution". You have just measured that it undoes nothing: it is the adjoint of a strided convolution. The other one lists DeepLabV3+ as an autoencoder for super-resolution. It segments: dilated convolutions look at several scales, and each pixel gets a class
# ([arXiv:1802.02611](https://arxiv.org/abs/1802.02611)).
#
# <!-- errata: F07 F15 -->

# %% [markdown]
# ## Backpropagation is the chain rule, read from the back
#
# A **loss** $\mathcal L$ is one number that says how wrong the network is. We want its derivative for every weight. From here on the examples of a batch are the rows of a matrix, so a dense layer reads $a_l = h_{l-1} W_l^\top + b$, with $h_0 = x$. Call $\delta_l$ the derivative for its sums $a_l$, before the activation. A dense layer $a = h W^\top + b$ passes three things on, each by the chain rule:
# the derivative for a weight is a sum over examples of $\delta$ times input, so $\delta^\top h$; for the bias it is the sum of $\delta$ over the examples; for the input, each neuron sends its blame back along its weights, so $\delta W$. An activation multiplies by its slope, which is $1 - h^2$ for $h = \tanh a$.
#
# $$\frac{\partial \mathcal L}{\partial W_l} = \delta_l^\top h_{l-1}, \qquad
# \delta_{l-1} = (\delta_l W_l) \odot (1 - h_{l-1}^2), \qquad
# \delta_L = \frac{\partial \mathcal L}{\partial h_L}$$
# <!-- proof: networks.backpropagation -->
#
# ($\odot$ multiplies element by element. The last layer $L$ has no activation, so $h_L = a_L$.) One sweep backwards gives *all* derivatives, for about the price of two sweeps forwards.

# %%
proof("networks.backpropagation")

# %% [markdown]
# ## The way back through a convolution is the transposed one
#
# A convolution is a matrix too, $y = Kx$, so its blame goes back along $K^\top$: the very transposed convolution that you wrote. And since the kernel is shared, each tap collects blame from every place at which it was used.
#
# $$\frac{\partial \mathcal L}{\partial x} = K^\top \frac{\partial \mathcal L}{\partial y}, \qquad
# \frac{\partial \mathcal L}{\partial k_a} = \sum_i \frac{\partial \mathcal L}{\partial y_i}\, x_{si + da - p}$$
# <!-- proof: networks.convolution_backward -->

# %%
proof("networks.convolution_backward")

# %% [markdown]
# ## A classifier's gradient is prediction minus truth
#
# A classifier returns a **logit** $a_k$ for each class, and the **softmax** makes them probabilities. Its loss, the **cross-entropy**, is the surprise at the right class $y$: $-\log p_y = \log \sum_j e^{a_j} - a_y$. Differentiate: the first part gives $e^{a_k} / \sum_j e^{a_j} = p_k$, the second gives 1 for the right class.
#
# $$\mathcal L = -\log p_y, \quad p_k = \frac{e^{a_k}}{\sum_j e^{a_j}}: \qquad
# \frac{\partial \mathcal L}{\partial a_k} = p_k - [k = y]$$
# <!-- proof: networks.softmax_gradient -->
#
# $[k = y]$ is 1 where it is true and 0 elsewhere. For two classes with logits 0 and $a$ this is the *binary* cross-entropy, with gradient $\sigma(a) - y$: most GANs of this course are trained on it. A loss that averages over a batch of $B$ divides by $B$.


# %%
@exercise("networks.softmax_cross_entropy_gradient")
def softmax_cross_entropy_gradient(logits: Tensor, y: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy: ``logits`` and the result are ``(B, K)``, classes ``(B,)``."""
    ### BEGIN SOLUTION
    truth = F.one_hot(y, logits.shape[1]).to(logits)
    return (logits.softmax(dim=1) - truth) / len(y)
    ### END SOLUTION


# %%
proof("networks.softmax_gradient")

# %% [markdown]
# ## The gradient of batch normalisation pays for the mean and the variance
#
# **Batch normalisation** gives each feature mean 0 and variance 1 over the batch, then a learned scale $\gamma$ and shift $\beta$: $y = \gamma \hat x + \beta$ with $\hat x = (x - \bar x) / \sqrt{v + \epsilon}$, where bars are means over the batch, $v$ is the variance (divided by $B$) and $\epsilon$ is a small number.
#
# Go backwards. The blame for $\hat x$ is $\delta = \gamma\, \partial \mathcal L / \partial y$. If $\bar x$ and $v$ were constants, $\delta / \sqrt{v + \epsilon}$ would be the answer. They are not: example $i$ moves them for everybody. With $[i = j]$ as before,
# $\partial \hat x_j / \partial x_i = ([i = j] - 1/B - \hat x_j \hat x_i / B) / \sqrt{v + \epsilon}$: the second part comes from the mean, the third from the variance, because $\partial v / \partial x_i = 2 (x_i - \bar x) / B$. Sum over $j$ with weights $\delta_j$:
#
# $$\frac{\partial \mathcal L}{\partial x} = \frac{1}{\sqrt{v + \epsilon}}
# \left( \delta - \overline{\delta} - \hat x\, \overline{\delta \hat x} \right), \qquad
# \delta = \gamma\, \frac{\partial \mathcal L}{\partial y}, \qquad
# \hat x = \frac{x - \bar x}{\sqrt{v + \epsilon}}$$
# <!-- proof: networks.batch_norm_backward -->


# %%
@exercise("networks.batch_norm_backward")
def batch_norm_backward(x: Tensor, gamma: Tensor, grad_y: Tensor, *, eps: float = 1e-5) -> Tensor:
    """Gradient for the input: ``x``, ``grad_y`` and the result are ``(B, F)``, ``gamma`` is ``(F,)``."""
    ### BEGIN SOLUTION
    scale = (x.var(dim=0, correction=0) + eps).rsqrt()
    x_hat = (x - x.mean(dim=0)) * scale
    delta = gamma * grad_y
    return scale * (delta - delta.mean(dim=0) - x_hat * (delta * x_hat).mean(dim=0))
    ### END SOLUTION


# %% [markdown]
# Now let PyTorch check your two gradients at once, on a batch that none of the checks has seen: features, normalisation, softmax, loss.

# %%
features = torch.randn(32, 10, dtype=torch.float64, requires_grad=True)
gamma, labels = torch.rand(10, dtype=torch.float64) + 0.5, torch.randint(10, (32,))
logits = F.batch_norm(features, None, None, gamma, training=True)
(expected,) = torch.autograd.grad(F.cross_entropy(logits, labels), features)
by_hand = batch_norm_backward(
    features.detach(), gamma, softmax_cross_entropy_gradient(logits.detach(), labels)
)
backward_gap = float((by_hand - expected).abs().max())
print(f"largest difference from PyTorch's gradient: {backward_gap:.1e}")

# %%
proof("networks.batch_norm_backward")

# %% [markdown]
# ## Normalisation and dropout answer differently in training and in evaluation
#
# In training, batch normalisation uses the statistics of the batch. In evaluation there may be no batch, so it uses running averages of what it saw before, $m$ of the means and $r$ of the variances:
#
# $$y = \gamma\, \frac{x - m}{\sqrt{r + \epsilon}} + \beta$$
# <!-- definition -->
#
# In training mode the answer for one image therefore depends on its neighbours. `model.eval()` switches, and forgetting it is a common fault. Expect the same image to get two answers in training mode and one in evaluation mode.

# %%
layer = nn.BatchNorm1d(1)
image, calm, loud = torch.ones(1, 1), torch.zeros(3, 1), torch.tensor([[9.0], [-9.0], [4.0]])
with torch.no_grad():
    for name, others in {"calm": calm, "loud": loud}.items():
        print(f"training, {name} neighbours: {float(layer(torch.cat([image, others]))[0]):.3f}")
    layer.eval()
    answers = [float(layer(torch.cat([image, others]))[0]) for others in (calm, loud)]
print(f"evaluation: {answers[0]:.3f} and {answers[1]:.3f}")

# %% [markdown]
# **Dropout** sets each value to zero with probability $p$ while it trains, so that no neuron can rely on another one. The mask $m$ is 1 where a value is kept. What is kept is divided by $1 - p$, and so the mean over all masks stays:
#
# $$\tilde x = \frac{m\, x}{1 - p}: \qquad \mathbb E\, \tilde x = x, \qquad
# \mathrm{Var}\, \tilde x = \frac{p}{1 - p}\, x^2$$
# <!-- proof: networks.dropout -->
#
# In evaluation nothing is dropped and nothing is scaled.


# %%
@exercise("networks.dropout")
def dropout(x: Tensor, keep: Tensor, *, p: float, training: bool = True) -> Tensor:
    """Drop where ``keep`` is 0 (it is 1 elsewhere, same shape as ``x``); ``p`` is the dropped share."""
    ### BEGIN SOLUTION
    return x * keep / (1 - p) if training else x
    ### END SOLUTION


# %%
proof("networks.dropout")

# %% [markdown]
# What does the noise do? For a linear model one can average over all masks, and finds a penalty on the squares of the weights $w$. The inputs are the rows of $X$, the targets $y$, and $q = 1 - p$; $(X^\top X)_{jj}$ is the sum of the squares of input $j$ over all examples. In the first line $\tilde X = m \odot X / q$, the second line leaves the scale out.
#
# $$\begin{aligned}
# \mathbb E \lVert y - \tilde X w \rVert^2 &= \lVert y - X w \rVert^2 + \frac{p}{1 - p} \sum_j (X^\top X)_{jj}\, w_j^2, \\
# \mathbb E \lVert y - (m \odot X) w \rVert^2 &= \lVert y - q X w \rVert^2 + q (1 - q) \sum_j (X^\top X)_{jj}\, w_j^2
# \end{aligned}$$
# <!-- proof: networks.dropout_is_ridge -->
#
# Such penalties are called **regularisation**. A penalty on squares (L2) is what a Gaussian prior on the weights asks for, one on absolute values (L1) is what a Laplace prior asks for, and only the second one makes weights exactly zero. Both proofs follow; $\tau_j$ and $b$ are the widths of the priors, $\sigma^2$ is the variance of the noise in the data, $z$ is one noisy observation of a weight, and a hat marks the most probable weight.

# %%
proof("networks.dropout_is_ridge")

# %%
proof("networks.penalties_are_priors")

# %% [markdown]
# ## First weights must neither shout nor whisper
#
# Let the weights be independent and symmetric about zero with variance $\sigma^2$. A sum $a_l$ over $n$ inputs has the mean square $n \sigma^2\, \mathbb E\, \phi(a_{l-1})^2$: mixed products vanish. And since $a_{l-1}$ is as often positive as negative, ReLU keeps on average exactly half of its square; with slope $s$ below zero the share is $(1 + s^2)/2$.
#
# $$\mathbb E\, a_l^2 = \frac{1 + s^2}{2}\, n\, \sigma^2\; \mathbb E\, a_{l-1}^2, \qquad
# \sigma^2 = \frac{2}{(1 + s^2)\, n} \;\Rightarrow\; \mathbb E\, a_l^2 = \mathbb E\, a_{l-1}^2$$
# <!-- proof: networks.he_initialisation -->
#
# The second part is **He initialisation**. Any other factor is multiplied once for each layer. Watch thirty layers with half, once and twice the right standard deviation; the legend names the gain, the factor of one layer.

# %%
n, depth = 256, 30
sizes_by_factor: dict[str, list[float]] = {}
for factor in (0.5, 1.0, 2.0):
    h, squares = torch.randn(64, n), []
    for _ in range(depth):
        h = h.relu() @ (factor * he_std(n) * torch.randn(n, n)).T
        squares.append(float(h.square().mean()))
    gain = signal_gain(factor * he_std(n), n)
    sizes_by_factor[f"{factor:g} x He: gain {gain:g}"] = squares
viz.lines(
    torch.arange(1, depth + 1),
    sizes_by_factor,
    xlabel="layer",
    ylabel="mean square of the signal",
    yscale="log",
    title="Only one size of weights survives thirty layers",
)

# %% [markdown]
# The axis is logarithmic, so a constant gain is a straight line. With half the right size the mean square falls to a quarter at each layer, with twice the size it grows fourfold; thirty layers make $4^{30} \approx 10^{18}$ of that.

# %%
proof("networks.he_initialisation")

# %% [markdown]
# ## A shortcut lets the gradient arrive whole
#
# There is a second cure for depth. A **residual** block adds its result to its input, $h_l = h_{l-1} + f_l(h_{l-1})$. Its Jacobian, the matrix of all derivatives, is $I + J_l$. Multiply them out: one term is the gradient at the end, untouched, and the others are the paths through one or more blocks.
#
# $$h_l = h_{l-1} + f_l(h_{l-1}): \qquad \frac{\partial \mathcal L}{\partial h_0}
# = \frac{\partial \mathcal L}{\partial h_L} (I + J_L) \cdots (I + J_1)
# = \frac{\partial \mathcal L}{\partial h_L} + \cdots$$
# <!-- proof: networks.residual_gradient -->

# %%
proof("networks.residual_gradient")

# %% [markdown]
# ## Attention lets every place ask every other
#
# A convolution looks at neighbours. **Attention** looks everywhere: each place sends a query $q$, compares it with the keys $k$ of all places, and takes the mean of their values, weighted by a softmax. If the $d$ entries of $q$ and $k$ are independent with mean 0 and variance 1, $q^\top k$ is a sum of $d$ products of variance 1. So one divides by $\sqrt d$, or the softmax sees only the largest score.
#
# $$\mathrm{Var}(q^\top k) = d, \qquad \mathrm{Var}\left( \frac{q^\top k}{\sqrt d} \right) = 1, \qquad
# \mathrm{Att}(q, K, V) = \mathrm{softmax}\left( \frac{q K^\top}{\sqrt d} \right) V$$
# <!-- proof: networks.attention_scale -->
#
# Here $K$ and $V$ hold the keys and the values as rows. The planned lessons on diffusion and on text use it.

# %%
proof("networks.attention_scale")

# %% [markdown]
# ## Descent has a speed limit
#
# **Gradient descent** moves every weight against its derivative, $w \leftarrow w - \eta g$, with a **learning rate** $\eta$. On a parabola with curvature $\lambda$ each step multiplies $w$ by $1 - \eta\lambda$, so it shrinks only if $\eta < 2 / \lambda$. **Momentum** keeps a share $\mu$ of the last move and follows a fading sum of all gradients:
#
# $$u_n = \mu u_{n-1} + g_n = \sum_{k=1}^{n} \mu^{n-k} g_k, \qquad w_n = w_{n-1} - \eta u_n$$
# <!-- proof: networks.momentum -->
#
# $$w_n = (1 - \eta\lambda)^n\, w_0, \qquad \text{stable} \iff 0 < \eta < \frac{2}{\lambda}; \qquad
# \text{with momentum: } 0 < \eta < \frac{2 (1 + \mu)}{\lambda}$$
# <!-- proof: networks.gradient_descent -->
#
# The steepest direction sets the limit, and the flattest one has to wait. *Stochastic* descent (SGD) takes the gradient of a random batch instead of all data.

# %%
proof("networks.momentum")

# %%
proof("networks.gradient_descent")

# %% [markdown]
# ## Adam gives every weight its own pace
#
# **Adam** keeps two running means, $m$ of the gradient and $v$ of its square, $m \leftarrow \beta_1 m + (1 - \beta_1) g$ and $v \leftarrow \beta_2 v + (1 - \beta_2) g^2$, and divides one by the root of the other. Both begin at zero, so after $n$ steps they hold only the share $1 - \beta^n$ of a mean; dividing by that share is the **bias correction**.
#
# $$\Delta w_1 = -\eta\, \frac{g_1}{\lvert g_1 \rvert + \epsilon} \approx -\eta\, \mathrm{sign}(g_1), \qquad
# \Delta w_n = -\eta\, \frac{\sum_k \beta_1^{n-k} g_k / \sum_k \beta_1^{n-k}}
# {\sqrt{\sum_k \beta_2^{n-k} g_k^2 / \sum_k \beta_2^{n-k}} + \epsilon}$$
# <!-- proof: networks.adam -->
#
# Weight **decay** shrinks every weight a little at each step. Under plain descent that is the same as a penalty $\tfrac12 \lambda w^2$ in the loss. Under Adam it is not: the penalty would be divided like the gradient, and on the first step its strength would not matter unless it turned a sign. (The two lines for Adam are its first step, with $\epsilon \to 0$.)
#
# $$\begin{aligned}
# \text{gradient descent: } & w - \eta (g + \lambda w) = (1 - \eta\lambda)\, w - \eta g \\
# \text{Adam with L2: } & \Delta w_1 = -\eta\, \mathrm{sign}(g + \lambda w) \\
# \text{Adam with decay: } & \Delta w_1 = -\eta\, \mathrm{sign}(g) - \eta\lambda w
# \end{aligned}$$
# <!-- proof: networks.weight_decay -->


# %%
@exercise("networks.adam_step")
def adam_step(
    weight: Tensor,
    gradient: Tensor,
    m: Tensor,
    v: Tensor,
    step: int,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> dict[str, Tensor]:
    """Return the new "weight", "m" and "v" after update number ``step`` (from 1); decay is decoupled."""
    ### BEGIN SOLUTION
    m = betas[0] * m + (1 - betas[0]) * gradient
    v = betas[1] * v + (1 - betas[1]) * gradient.square()
    mean, square = m / (1 - betas[0] ** step), v / (1 - betas[1] ** step)
    weight = (1 - lr * weight_decay) * weight - lr * mean / (square.sqrt() + eps)
    return {"weight": weight, "m": m, "v": v}
    ### END SOLUTION


# %%
proof("networks.adam")

# %%
proof("networks.weight_decay")

# %% [markdown]
# Race the three in a valley that is a hundred times steeper in one direction than in the other. The loss is $\tfrac12 (100\, w_1^2 + w_2^2)$ and all begin at $(1, 1)$. Plain descent takes a rate close to what the steep wall allows; momentum, whose steps add up, a smaller one. Watch who leads early and who leads late.

# %%
curvature, start = torch.tensor([100.0, 1.0]), torch.ones(2)
race: dict[str, list[float]] = {"descent": [], "momentum 0.9": [], "Adam": []}
w, still = start, torch.zeros(2)
u_w, u = start, torch.zeros(2)
adam = {"weight": start, "m": torch.zeros(2), "v": torch.zeros(2)}
for n in range(1, 101):
    w, _ = momentum_step(w, curvature * w, still, lr=0.018)
    u_w, u = momentum_step(u_w, curvature * u_w, u, lr=0.005, momentum=0.9)
    adam = adam_step(adam["weight"], curvature * adam["weight"], adam["m"], adam["v"], n, lr=0.05)
    for name, place in zip(race, (w, u_w, adam["weight"]), strict=True):
        race[name].append(float((curvature * place.square()).sum() / 2))
viz.lines(
    torch.arange(1, 101),
    race,
    xlabel="step",
    ylabel="loss",
    yscale="log",
    title="On the floor plain descent falls behind",
)

# %% [markdown]
# Plain descent leads at first, then it crawls along the floor of the valley. Momentum swings between the walls, but it adds up the small slopes on the floor and passes it in the end. Adam does not see the steepness of this valley at all, for it divides by it in each direction; its own momentum carries it past the lowest point, and it swings about it with a falling amplitude. That works because the valley lies along the axes: Adam divides weight by weight, and a valley that lies across would not be levelled.

# %% [markdown]
# ## A network digs its own valley, with a saddle and a shelf
#
# We made that valley. What does the loss of a network look like? With a million weights nobody can see it, so take the smallest network that has a hidden layer: one hidden neuron, no biases, two weights. Its answer is $\hat y = w_2 \tanh(w_1 x)$, and its whole loss is a landscape over the plane of $w_1$ and $w_2$.
#
# Its task is real: tell a two from a seven by one number $x$, the ink in the lower half of a drawing minus the ink in the upper half (shifted and scaled to mean 0 and variance 1). The target $t$ is 1 for a two and $-1$ for a seven, and the loss is half the mean of $(\hat y - t)^2$. The gradient is the sweep backwards from above, with one number per layer. Where do you expect the lowest places, and how many?

# %%
drawings = data.load("glyphs", size=16, count=1000)
wanted = (drawings.labels == 2) | (drawings.labels == 7)
ink = data.to_model_range(drawings.images)[wanted, 0]  # (B, 16, 16)
lower = ink[:, 8:].sum(dim=(1, 2)) - ink[:, :8].sum(dim=(1, 2))
balance = (lower - lower.mean()) / lower.std()
target = torch.where(drawings.labels[wanted] == 2, 1.0, -1.0)


def height(w_1: Tensor, w_2: Tensor) -> Tensor:
    """The loss on all drawings, for weights of any shape."""
    answers = w_2[..., None] * (w_1[..., None] * balance).tanh()
    return (answers - target).square().mean(dim=-1) / 2


def slope(w: Tensor, x: Tensor, t: Tensor) -> Tensor:
    """The gradient on a batch, ``(2,)``."""
    h = (w[0] * x).tanh()
    delta = (w[1] * h - t) / len(x)
    return torch.stack([(delta * w[1] * (1 - h.square())) @ x, delta @ h])


# %%
def descend(optimiser: str, rate: float, steps: int, start: Tensor, batch: int) -> Tensor:
    """The places ``(N, 2)`` of the weights; a run that has left the map for good ends there."""
    source = torch.Generator().manual_seed(SEED)
    places, still = [start], torch.zeros(2)
    w, u, m, v = start, still, still, still
    for n in range(1, steps + 1):
        chosen = torch.randperm(len(balance), generator=source)[:batch]
        gradient = slope(w, balance[chosen], target[chosen])
        if optimiser == "Adam":
            adam = adam_step(w, gradient, m, v, n, lr=rate)
            w, m, v = adam["weight"], adam["m"], adam["v"]
        else:
            share = 0.9 if optimiser == "momentum" else 0.0
            w, u = momentum_step(w, gradient, u, lr=rate, momentum=share)
        if not w.norm() < 100:
            break
        places.append(w)
    return torch.stack(places)


# %%
w_1, w_2 = torch.linspace(-4, 4, 81), torch.linspace(-3, 3, 61)
heights = height(*torch.meshgrid(w_1, w_2, indexing="xy"))
starts = {
    "left of the saddle": (-0.3, 0.2),
    "right of the saddle": (-0.2, 0.3),
    "shelf": (0.1, -2.5),
}


def roll(
    optimiser: str = "SGD",
    log_rate: float = -1.0,
    steps: int = 100,
    start: str = "left of the saddle",
    batch: int = 200,
) -> viz.Figure:
    path = descend(optimiser, 10**log_rate, steps, torch.tensor(starts[start]), batch)
    first, last = height(*path[[0, -1]].T)
    told = f"loss {first:.3f} to {last:.3f} in {steps} steps"
    if len(path) <= steps:
        told = f"it flew away after {len(path) - 1} steps"
    title = f"{optimiser}, rate {10**log_rate:.2g}: {told}"
    return viz.loss_landscape(
        w_1, w_2, heights, path, xlabel="weight w₁", ylabel="weight w₂", title=title
    )


# %%
viz.explore(
    roll,
    optimiser=["SGD", "momentum", "Adam"],
    log_rate=(-2.0, 1.0, 0.1, -1.0),
    steps=(1, 200, 1, 100),
    start=list(starts),
    batch=(10, 200, 10, 200),
)

# %% [markdown]
# Four things to try. (The slider shows the rate by its exponent to base ten, so $-1$ is a rate of 0.1. A batch of 200 holds all drawings.)
#
# - **Two valleys, one network.** SGD, log rate $-1$, 100 steps: begin left, then right of the saddle at the origin. The two starts are neighbours, and the paths part: they end near $(-1.2, -1.3)$ and $(1.2, 1.3)$, both with a loss of 0.06. Turn both signs and no answer changes, because $\tanh(-a) = -\tanh a$. So each valley of a network exists many times, and the loss is no bowl.
# - **The shelf.** Begin there, with 200 steps. SGD at a rate of 0.1 falls to 0.11 within five steps and is still at 0.10 at the end: the floor is nearly flat, and it bends. Adam comes to 0.042 and momentum to 0.035.
# - **The speed limit.** SGD, left of the saddle, 100 steps. A log rate of 0.3, a rate of 2, comes to 0.035, and 0.5, a rate of 3.2, flies away. At the end of the valley the largest curvature is 0.88, so the limit is $2 / 0.88 = 2.3$.
# - **A batch of ten.** SGD, log rate 0, 200 steps. With all drawings the path ends calmly; with ten it trembles across the valley to the last step. Each batch has a landscape of its own; the map shows the one of all 200 drawings.

# %% [markdown]
# ## A small classifier can judge the digits to come
#
# Later lessons ask: does this generated picture show a seven? Somebody must say so. Here is the network, three strided convolutions with normalisation and two dense layers.

# %%
show_source(Classifier)

# %% [markdown]
# And here is one turn of the loop that trains it; all later lessons turn the same way. Follow the numbers. The gradient ends in `p.grad`, one tensor beside each weight $p$, and only the optimiser moves the weights.

# %%
viz.training_diagram()

# %% [markdown]
# It is trained with AdamW (Adam with decay outside the fraction) and a learning rate that rises and falls again. Each time a drawing is used it is turned, shifted and stretched a little, in a new way (`jitter`). Keep two sets away from it: new drawings in the same typefaces, and drawings in typefaces that it has never met.

# %%
train = data.load("glyphs", size=16, count=budget.images)
draws = data.load("glyphs", size=16, split="validation", count=budget.unseen)
fonts = data.load("glyphs", size=16, split="test", count=budget.unseen)
x_draws, y_draws = data.to_model_range(draws.images).to(device), draws.labels.to(device)
x_fonts, y_fonts = data.to_model_range(fonts.images).to(device), fonts.labels.to(device)
viz.compare_rows(
    {"known typefaces": x_draws[:15], "new typefaces": x_fonts[:15]},
    title="Two kinds of unseen drawings",
)

# %%
torch.manual_seed(SEED)
model = Classifier().to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-3)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=budget.steps)


def step(n: int, x: Tensor, y: Tensor, *_: Tensor) -> dict[str, Tensor]:
    losses = classifier_step(model, optimizer, jitter(x, rng=rng), y)
    schedule.step()
    return losses


batches = data.Batches(train, 64, rng=rng, device=device)
history = fit(step, batches, steps=budget.steps)


# %%
@torch.no_grad()
def accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    net.eval()
    return float((net(x).argmax(dim=1) == y).float().mean())


judge = load_judge("glyphs", 16, device=device)
on_draws, on_fonts = accuracy(model, x_draws, y_draws), accuracy(model, x_fonts, y_fonts)
print(f"{'':22}{'new drawings':>14}{'new typefaces':>15}")
print(f"{'yours':22}{on_draws:14.2%}{on_fonts:15.2%}")
known = judge.accuracy(x_draws, y_draws), judge.accuracy(x_fonts, y_fonts)
print(f"{'the judge we ship':22}{known[0]:14.2%}{known[1]:15.2%}")
viz.curves(history, names=["cross_entropy"], title="Ten classes: it begins near log 10 = 2.3 nats")

# %% [markdown]
# Notice where the loss begins: a classifier that knows nothing costs $\log 10$ nats. If yours begins far above, the first weights are probably too large. The judge that comes with the course is the same kind of network, trained for longer.

# %% [markdown]
# ## What broke: a network learns a hundred drawings by heart
#
# Give the same network a hundred drawings only, and lie about every fifth of them. Expect it to learn even the lies: the loss on its own drawings goes towards zero, and from some step on the loss on new ones goes up. That is **overfitting**, and the cheapest cure is **early stopping**: keep the weights of the step at which the loss on unseen drawings was lowest.

# %%
few_x, few_y = data.to_model_range(train.images[:100]).to(device), train.labels[:100].clone()
few_y[::5] = (few_y[::5] + 1 + torch.arange(20) % 9) % 10  # every fifth label is wrong
few_y = few_y.to(device)
torch.manual_seed(SEED)
small = Classifier().to(device)
small_optimizer = torch.optim.Adam(small.parameters(), lr=1e-3)
curve: dict[str, list[float]] = {"step": [], "its own hundred": [], "unseen": []}
for n in range(budget.few_steps):
    small.train()
    classifier_step(small, small_optimizer, few_x, few_y)
    if (n + 1) % 10 == 0:
        small.eval()
        with torch.no_grad():
            own = F.cross_entropy(small(few_x), few_y)
            new = F.cross_entropy(small(x_draws[:500]), y_draws[:500])
        for name, value in {"step": n + 1, "its own hundred": own, "unseen": new}.items():
            curve[name].append(float(value))
best = min(range(len(curve["step"])), key=lambda i: curve["unseen"][i])
viz.curves(curve, title=f"Stop at step {curve['step'][best]:.0f}")

# %% [markdown]
# The two curves part. What the network gained after the lowest point of the second one holds for its own hundred only. More data, jitter, dropout and weight decay usually push that point away; only a look at the second curve shows it. Mind that drawings which chose the step are no longer unseen: for an honest last number take others.

# %% [markdown]
# ## When a network does not learn, ask it four questions
#
# **First: can it learn one batch by heart?** Sixty-four drawings, fifty steps. If the loss does not fall towards zero, the fault is in the network, the loss or the step (its learning rate, for one), and more data will not help.

# %%
x_one, y_one = next(batches)
torch.manual_seed(SEED)
fresh = Classifier().to(device)
fresh_optimizer = torch.optim.Adam(fresh.parameters(), lr=2e-3)
steps = 50
losses = [
    float(classifier_step(fresh, fresh_optimizer, x_one, y_one)["cross_entropy"])
    for _ in range(steps)
]
print(f"one batch: {losses[0]:.2f} nats at the start, {losses[-1]:.3f} after {steps} steps")

# %% [markdown]
# **Second: is the learning rate in the right decade?** Sweep it. Some steps at each rate are enough to see three zones: nothing happens, it learns, it breaks.

# %%
rates = [10.0**e for e in (-5, -4.5, -4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5)]
ends, dead = [], []
for rate in rates:
    torch.manual_seed(SEED)
    net = Classifier().to(device)
    net_optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    source = data.Batches(train, 64, rng=torch.Generator().manual_seed(SEED), device=device)
    run = [classifier_step(net, net_optimizer, *next(source)) for _ in range(budget.sweep_steps)]
    ends.append(float(torch.stack([item["cross_entropy"] for item in run[-5:]]).mean()))
    with torch.no_grad():
        dead.append(float((net.features(x_draws[:200]) == 0).all(dim=0).float().mean()))
viz.lines(
    rates,
    {"loss after the sweep": ends},
    xlabel="learning rate",
    ylabel="nats",
    xscale="log",
    yscale="log",
    reference={"guessing": 2.303},
    markers=True,
    title="Too slow, good, broken",
)

# %% [markdown]
# Choose a rate a little to the left of the lowest point: to its right the loss rises again, and the next picture shows one reason.
#
# **Third: how many neurons are dead?** A ReLU whose sum is negative for every input has slope zero, so its weights get no gradient; only a change in the layers before it can wake it. One step that is too long can do that. Here is the share of the last hidden neurons that are silent on two hundred drawings, for each rate of the sweep.

# %%
viz.lines(
    rates,
    {"dead": dead},
    xlabel="learning rate",
    ylabel="share of silent neurons",
    xscale="log",
    ylim=(-0.03, 1.03),
    markers=True,
    title="Long steps kill neurons",
)

# %% [markdown]
# **Fourth: does the gradient reach the first layer?** Print its size layer by layer. Twelve dense layers, once with a sigmoid and small weights, once with ReLU and He's weights, and once more with shortcuts.


# %%
def gradient_norms(kind: str, depth: int = 12, width: int = 64) -> list[float]:
    """Return the length of the gradient for the weights of each layer, the first one first."""
    std = 0.1 if kind == "sigmoid" else he_std(width)
    weights = [(std * torch.randn(width, width)).requires_grad_() for _ in range(depth)]
    h = torch.randn(128, width)
    for weight in weights:
        if kind == "shortcuts":
            h = h + h.relu() @ weight.T / depth**0.5
        else:
            h = (h @ weight.T).sigmoid() if kind == "sigmoid" else h.relu() @ weight.T
    loss = F.cross_entropy(h[:, :10], torch.randint(10, (128,)))
    return [float(g.norm()) for g in torch.autograd.grad(loss, weights)]


norms = {kind: gradient_norms(kind) for kind in ("sigmoid", "ReLU and He", "shortcuts")}
viz.lines(
    torch.arange(1, 13),
    norms,
    xlabel="layer, from the input",
    ylabel="length of the gradient",
    yscale="log",
    markers=True,
    title="A gradient can die on its way back",
)

# %% [markdown]
# With sigmoids each layer multiplies the gradient by its slope, at most one quarter, and by its weights, which are small here. The first of the twelve layers hears next to nothing. With He's weights or with shortcuts the gradient stays of one size.

# %% [markdown]
# ## The numbers that this lesson stands for
#
# A lesson ends with numbers, and the numbers have bounds. On a GPU none was measured yet, so there you see the numbers without bounds.

# %%
report(
    accuracy_new_drawings=Goal(on_draws, at_least=goals.draws),
    accuracy_new_typefaces=Goal(on_fonts, at_least=goals.fonts),
    backward_gap=Goal(backward_gap, at_most=goals.backward),
    adjoint_gap=Goal(adjoint_gap, at_most=goals.adjoint),
)

# %%
progress("02")

# %% [markdown]
# ## What to keep
#
# - Depth is what bends. Affine layers in a row are one.
# - A transposed convolution is the adjoint of a convolution: it is the way of the gradient, it gives back sizes, and it inverts nothing. Let the stride divide the kernel.
# - The gradient of the cross-entropy is prediction minus truth. Batch statistics are functions of the batch, on the way forwards and backwards.
# - Under Adam, decay belongs outside the fraction.
# - When a network does not learn: one batch, the learning rate, dead neurons, gradients by layer.
#
# **Try next.** Remove the ReLU layers from the classifier and train again. Set the momentum of the race to 0.98. Train with `jitter` switched off and compare the new typefaces.

# %% [markdown]
# ## Further reading
#
# - V. Dumoulin and F. Visin, *A guide to convolution arithmetic for deep learning*, 2016, [arXiv:1603.07285](https://arxiv.org/abs/1603.07285).
# - A. Odena, V. Dumoulin and C. Olah, *Deconvolution and Checkerboard Artifacts*, Distill, 2016, [doi:10.23915/distill.00003](https://doi.org/10.23915/distill.00003).
# - D. E. Rumelhart, G. E. Hinton and R. J. Williams, *Learning representations by back-propagating errors*, Nature 323, 1986, [doi:10.1038/323533a0](https://doi.org/10.1038/323533a0).
# - S. Ioffe and C. Szegedy, *Batch Normalization*, ICML 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167).
# - K. He, X. Zhang, S. Ren and J. Sun, *Delving Deep into Rectifiers*, ICCV 2015, [arXiv:1502.01852](https://arxiv.org/abs/1502.01852). First weights; and by the same authors *Identity Mappings in Deep Residual Networks*, ECCV 2016, [arXiv:1603.05027](https://arxiv.org/abs/1603.05027).
# - D. P. Kingma and J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015, [arXiv:1412.6980](https://arxiv.org/abs/1412.6980).
# - I. Loshchilov and F. Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019, [arXiv:1711.05101](https://arxiv.org/abs/1711.05101).
# - A. Vaswani and others, *Attention Is All You Need*, NeurIPS 2017, [arXiv:1706.03762](https://arxiv.org/abs/1706.03762).
