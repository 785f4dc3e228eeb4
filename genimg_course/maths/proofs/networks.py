"""Proofs about networks: convolutions, their adjoints, the chain rule, one step of Adam."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.maths import backpropagation, convolutions, optimisers
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _sizes_of_convolutions() -> float:
    wrong = 0
    for size, k, s, p, d in itertools.product((7, 12), (1, 3, 4), (1, 2, 3), (0, 2), (1, 3)):
        room = size + 2 * p - d * (k - 1)
        if room < 1:
            continue
        x, kernel = torch.zeros(1, 1, size), torch.zeros(1, 1, k)
        y = F.conv1d(x, kernel, stride=s, padding=p, dilation=d)
        options = {"kernel_size": k, "stride": s, "padding": p, "dilation": d}
        wrong += convolutions.conv_size(size, **options) != y.shape[-1]
    plain = F.conv1d(torch.zeros(1, 1, 9), torch.zeros(1, 1, 4))
    return float(wrong + (convolutions.conv_size(9, kernel_size=4) != plain.shape[-1]))


def _sizes_of_transposed_convolutions() -> float:
    wrong = 0
    for size, k, s, p, d in itertools.product((2, 7), (2, 3, 4), (1, 2, 3), (0, 1), (1, 2)):
        for extra in range(max(s, d)):
            if (size - 1) * s - 2 * p + d * (k - 1) + extra < 0:
                continue
            y = F.conv_transpose1d(
                torch.zeros(1, 1, size),
                torch.zeros(1, 1, k),
                stride=s,
                padding=p,
                output_padding=extra,
                dilation=d,
            )
            found = convolutions.transposed_conv_size(
                size, kernel_size=k, stride=s, padding=p, output_padding=extra, dilation=d
            )
            wrong += found != y.shape[-1]
    plain = F.conv_transpose1d(torch.zeros(1, 1, 9), torch.zeros(1, 1, 4))
    found = convolutions.transposed_conv_size(9, kernel_size=4)
    return float(wrong + (found != plain.shape[-1]))


SETTINGS = ((28, 5, 2, 2, 1), (7, 4, 2, 1, 1), (11, 3, 1, 1, 1), (17, 3, 3, 0, 2), (10, 4, 1, 3, 2))
"""Length, kernel, stride, padding and dilation of five convolutions."""


def _matrix_of_a_convolution() -> float:
    worst = 0.0
    for number, (size, k, s, p, d) in enumerate(SETTINGS):
        kernel, x = n.normal(number, k), n.normal(number + 10, size)
        matrix = convolutions.convolution_matrix(kernel, size, stride=s, padding=p, dilation=d)
        y = F.conv1d(x[None, None], kernel[None, None], stride=s, padding=p, dilation=d)
        worst = max(worst, n.gap(matrix @ x, y[0, 0]))
    plain = convolutions.convolution_matrix(kernel, size)
    return max(worst, n.gap(plain @ x, F.conv1d(x[None, None], kernel[None, None])[0, 0]))


def _transposed_convolution_is_the_adjoint() -> float:
    worst = 0.0
    for number, (size, k, s, p, d) in enumerate(SETTINGS):
        kernel, x = n.normal(number, k), n.normal(number + 10, size)
        options: dict[str, Any] = {"stride": s, "padding": p, "dilation": d}
        y = n.normal(number + 20, convolutions.conv_size(size, kernel_size=k, **options))
        short = convolutions.transposed_conv_size(len(y), kernel_size=k, **options)
        matrix = convolutions.convolution_matrix(kernel, size, **options)
        back = F.conv_transpose1d(
            y[None, None], kernel[None, None], output_padding=size - short, **options
        )[0, 0]
        pairs = torch.stack([(matrix @ x) @ y, x @ back])
        worst = max(worst, n.gap(matrix.T @ y, back), n.gap(pairs[0], pairs[1]))
        if n.gap(back, torch.linalg.pinv(matrix) @ y) < 0.1:  # the adjoint is not the inverse
            return math.inf
    return worst


def _counts_of_overlaps() -> float:
    worst = 0.0
    for k, s in itertools.product(range(1, 8), repeat=2):
        counts = convolutions.overlap_counts(12, kernel_size=k, stride=s)
        painted = F.conv_transpose1d(torch.ones(1, 1, 12), torch.ones(1, 1, k), stride=s)[0, 0]
        inside = counts[k:-k]
        uneven = bool(inside.min() < inside.max())
        wrong = uneven != convolutions.has_checkerboard(kernel_size=k, stride=s)
        wrong |= not uneven and inside[0].item() != k / s
        worst = max(worst, n.gap(counts.float(), painted), float(wrong))
    return worst


def _network(widths: tuple[int, ...]) -> tuple[list[Tensor], Tensor, Tensor]:
    """Return weights, six inputs and six targets."""
    weights = [n.normal(i, b, a) / 2 for i, (a, b) in enumerate(itertools.pairwise(widths))]
    return weights, n.normal(7, 6, widths[0]), n.normal(8, 6, widths[-1])


def _loss(weights: list[Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Return half the squared error, summed over outputs, averaged over the batch."""
    return ((backpropagation.perceptron(weights, x)[-1] - y) ** 2).sum() / (2 * len(x))


def _by_hand(weights: list[Tensor], x: Tensor, y: Tensor) -> list[Tensor]:
    states = backpropagation.perceptron(weights, x)
    return backpropagation.backpropagate(weights, states, (states[-1] - y) / len(x))


def _gradients_by_autograd() -> float:
    worst = 0.0
    for widths in ((4, 5, 3, 2), (3, 2)):
        weights, x, y = _network(widths)
        leaves = [w.clone().requires_grad_() for w in weights]
        inside = x
        for w in leaves[:-1]:  # the same network from torch's own layers
            inside = torch.tanh(F.linear(inside, w))
        loss = 0.5 * F.mse_loss(F.linear(inside, leaves[-1]), y, reduction="sum") / len(x)
        expected = torch.autograd.grad(loss, leaves)
        found = _by_hand(weights, x, y)
        worst = max(worst, *(n.gap(a, b) for a, b in zip(found, expected, strict=True)))
    return worst


def _gradients_by_complex_steps() -> float:
    weights, x, y = _network((4, 5, 3, 2))
    found = _by_hand(weights, x, y)
    worst, step = 0.0, 1e-20
    for layer, weight in enumerate(weights):
        slopes = torch.zeros_like(weight)
        for row, column in itertools.product(*map(range, weight.shape)):
            moved = [w.to(torch.complex128) for w in weights]
            moved[layer][row, column] += 1j * step  # no difference is taken, so nothing cancels
            slopes[row, column] = _loss(moved, x.to(torch.complex128), y).imag / step
        worst = max(worst, n.gap(found[layer], slopes))
    return worst


def _first_step_of_adam() -> float:
    weight, gradient = n.normal(1, 5), n.float64([1e-3, 5.0, -200.0, 0.04, -1e-8])
    zero = torch.zeros_like(weight)
    found, *_ = optimisers.adam_step(weight, gradient, zero, zero, 1, lr=0.3)
    return n.gap(found - weight, -0.3 * gradient / (gradient.abs() + 1e-8))


def _later_steps_of_adam() -> float:
    start, gradients = n.normal(2, 4), n.normal(3, 5, 4)
    betas, lr, eps, decay = (0.8, 0.95), 0.07, 1e-3, 0.2
    w, m, v = start, torch.zeros(4, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    for step, gradient in enumerate(gradients, start=1):
        w, m, v = optimisers.adam_step(
            w, gradient, m, v, step, lr=lr, betas=betas, eps=eps, weight_decay=decay
        )
    # both running means unrolled: weighted means of all gradients so far
    expected = start
    for step in range(1, 6):
        ages = torch.arange(step - 1, -1, -1, dtype=torch.float64)
        first, second = (beta**ages / (beta**ages).sum() for beta in betas)
        mean, square = first @ gradients[:step], second @ gradients[:step] ** 2
        expected = expected - lr * decay * expected - lr * mean / (square**0.5 + eps)
    return n.gap(w, expected)


def _defaults_of_adam() -> float:
    w, gradients = torch.nn.Parameter(n.normal(4, 3)), n.normal(5, 4, 3)
    theirs = torch.optim.Adam([w], lr=0.1)
    ours, m, v = w.detach().clone(), torch.zeros_like(w), torch.zeros_like(w)
    for step, gradient in enumerate(gradients, start=1):
        w.grad = gradient.clone()
        theirs.step()
        ours, m, v = optimisers.adam_step(ours, gradient, m, v, step, lr=0.1)
    return n.gap(ours, w.detach())


PROOFS = (
    Proof(
        id="networks.convolution_size",
        title="The size of an image after a convolution and after a transposed one",
        statement=r"""\begin{aligned}
            n_{\text{conv}} &= \left\lfloor \frac{n + 2p - d(k - 1) - 1}{s} \right\rfloor + 1, \\
            n_{\text{transposed}} &= (n - 1)s - 2p + d(k - 1) + o + 1
            \end{aligned}""",
        assumptions=r"Side $n$, kernel $k$, stride $s$, padding $p$ at each end, dilation $d$, "
        r"output padding $o$; the kernel fits.",
        source="Dumoulin and Visin (2016), https://arxiv.org/abs/1603.07285",
        checks=(
            Check("enumeration", "69 convolutions that torch runs", _sizes_of_convolutions, 1e-12),
            Check(
                "enumeration",
                "transposed convolutions that torch runs, with every output padding",
                _sizes_of_transposed_convolutions,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.transposed_convolution",
        title="A transposed convolution is the adjoint of a convolution, not its inverse",
        statement=r"""\langle K x, y \rangle = \langle x, K^\top y \rangle, \qquad
            K^\top \ne K^{+}""",
        assumptions=r"$K$ is the matrix of a convolution with zero padding, $K^+$ its "
        r"pseudo-inverse; the output padding of $K^\top$ restores the size.",
        source="Dumoulin and Visin (2016), section 4.1, https://arxiv.org/abs/1603.07285",
        checks=(
            Check(
                "linear algebra",
                "the package's matrix against torch's convolution, five settings",
                _matrix_of_a_convolution,
                1e-12,
            ),
            Check(
                "linear algebra",
                "its transpose against torch's transposed convolution, five settings",
                _transposed_convolution_is_the_adjoint,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.checkerboard",
        title="A transposed convolution paints evenly only if the stride divides the kernel",
        statement=r"""\#\{(i, a) : s i + a = j,\ 0 \le a < k\} = \frac ks
            \;\text{ for all inner } j \quad\Longleftrightarrow\quad s \mid k""",
        assumptions=r"One row of pixels; $i$ runs over the input, $a$ over the kernel; inner "
        "pixels are those that the ends do not reach.",
        source="Odena, Dumoulin and Olah (2016), https://doi.org/10.23915/distill.00003",
        checks=(
            Check("enumeration", "kernels and strides from 1 to 7", _counts_of_overlaps, 1e-12),
        ),
    ),
    Proof(
        id="networks.backpropagation",
        title="Backpropagation is the chain rule, read from the back",
        statement=r"""\frac{\partial \mathcal L}{\partial W_l} = \delta_l^\top h_{l-1}, \qquad
            \delta_{l-1} = (\delta_l W_l) \odot (1 - h_{l-1}^2), \qquad
            \delta_L = \frac{\partial \mathcal L}{\partial h_L}""",
        assumptions=r"$h_l = \tanh(h_{l-1} W_l^\top)$ in the hidden layers, $h_L$ linear; rows are "
        "examples.",
        source="Rumelhart, Hinton and Williams (1986), https://doi.org/10.1038/323533a0",
        checks=(
            Check(
                "autograd",
                "a network of torch's layers, one and three layers",
                _gradients_by_autograd,
                1e-12,
            ),
            Check(
                "enumeration",
                "every weight moved by a complex step",
                _gradients_by_complex_steps,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.adam",
        title="Adam's first step has the length of the learning rate",
        statement=r"""\Delta w_1 = -\eta\, \frac{g_1}{\lvert g_1 \rvert + \epsilon}
            \approx -\eta\, \mathrm{sign}(g_1), \qquad
            \Delta w_n = -\eta\, \frac{\sum_k \beta_1^{n-k} g_k / \sum_k \beta_1^{n-k}}
            {\sqrt{\sum_k \beta_2^{n-k} g_k^2 / \sum_k \beta_2^{n-k}} + \epsilon}""",
        assumptions=r"Both running means begin at zero; sums run over $k = 1, \dots, n$. Weight "
        r"decay adds $-\eta \lambda w_{n-1}$, outside the fraction.",
        source="Kingma and Ba (2015), algorithm 1, https://arxiv.org/abs/1412.6980; "
        "Loshchilov and Hutter (2019), https://arxiv.org/abs/1711.05101",
        checks=(
            Check(
                "enumeration",
                "gradients from 1e-8 to 200 in size",
                _first_step_of_adam,
                1e-12,
            ),
            Check(
                "enumeration",
                "five steps with decay against the weighted means",
                _later_steps_of_adam,
                1e-12,
            ),
            Check("enumeration", "four steps of torch's optimiser", _defaults_of_adam, 1e-12),
        ),
    ),
)

ROWS = {
    "D03": (
        "networks.convolution_size",
        "networks.transposed_convolution",
        "networks.checkerboard",
        "networks.doubling",
    ),
    "D04": (
        "networks.backpropagation",
        "networks.convolution_backward",
        "networks.softmax_gradient",
    ),
    "D66": ("networks.adam",),
}
