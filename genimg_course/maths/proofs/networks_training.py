"""Proofs about depth and training: merged layers, first weights, gradients, steps of descent."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from genimg_course.maths import (
    adjoints,
    classification,
    convolutions,
    depth,
    initialisation,
    optimisers,
)
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS"]


def _merged_layers() -> float:
    widths = (5, 4, 6, 3)
    weights = [n.normal(i, b, a) for i, (a, b) in enumerate(itertools.pairwise(widths))]
    biases = [n.normal(10 + i, b) for i, b in enumerate(widths[1:])]
    x = n.normal(20, 7, 5)
    y = x
    for weight, bias in zip(weights, biases, strict=True):
        y = F.linear(y, weight, bias)
    merged = F.linear(x, *depth.merge_affine(weights, biases))
    single = depth.merge_affine(weights[:1], biases[:1])
    return n.worst(n.gap(merged, y), n.gap(single[0], weights[0]), n.gap(single[1], biases[0]))


_SHAPED: dict[str, dict[str, Any]] = {
    "AdaptiveAvgPool2d": {"output_size": 2},
    "AvgPool2d": {"kernel_size": 2},
    "BatchNorm2d": {"num_features": 2},
    "Conv2d": {"in_channels": 2, "out_channels": 3, "kernel_size": 3},
    "ConvTranspose2d": {"in_channels": 2, "out_channels": 3, "kernel_size": 3},
    "Linear": {"in_features": 4, "out_features": 3},
    "MaxPool2d": {"kernel_size": 2},
    "Softmax": {"dim": 1},
    "Unflatten": {"dim": 1, "unflattened_size": (1, 2)},
    "Upsample": {"scale_factor": 2},
}
"""Arguments of the layers that need some."""


def _bend(name: str) -> float:
    """Return by how much torch's layer fails to map a mean of inputs to the mean of results."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = getattr(nn, name)(**_SHAPED.get(name, {})).double().eval()
    a, b = n.normal(1, 3, 2, 4, 4), n.normal(2, 3, 2, 4, 4)
    with torch.no_grad():
        return n.gap(layer((a + b) / 2), (layer(a) + layer(b)) / 2)


def _layers_that_bend() -> float:
    names = sorted(depth.BENDING | depth.STRAIGHT)
    bends = {name: _bend(name) > 1e-6 for name in names}
    wrong = sum(depth.nonlinear_stages(name) != bends[name] for name in names)
    chain = "Conv2d BatchNorm2d ReLU MaxPool2d Conv2d LeakyReLU Dropout Flatten Linear"
    expected = sum(bends[name] for name in chain.split())
    wrong += depth.nonlinear_stages(chain) != expected
    straight = (_bend(name) for name in names if not bends[name])
    return max(float(wrong), *straight)


def _doubled_sizes() -> float:
    wrong = 0
    for k, s, p, d in itertools.product(range(1, 7), (1, 2, 3), range(3), (1, 2)):
        for extra in range(max(s, d)):
            if 4 * s - 2 * p + d * (k - 1) + extra < 0:
                continue
            options: dict[str, Any] = {"stride": s, "padding": p, "dilation": d}
            options["output_padding"] = extra
            exact = True
            for size in (5, 8):
                y = F.conv_transpose1d(torch.zeros(1, 1, size), torch.zeros(1, 1, k), **options)
                found = convolutions.transposed_conv_size(size, kernel_size=k, **options)
                wrong += found != y.shape[-1]
                exact &= y.shape[-1] == s * size
            wrong += exact != (d * (k - 1) + extra + 1 == s + 2 * p)
    return float(wrong)


SETTINGS = ((28, 5, 2, 2, 1), (7, 4, 2, 1, 1), (11, 3, 1, 1, 1), (17, 3, 3, 0, 2), (10, 4, 1, 3, 2))
"""Length, kernel, stride, padding and dilation of five convolutions."""


def _gradients_of_a_convolution() -> float:
    errors = []
    for number, (size, k, s, p, d) in enumerate(SETTINGS):
        kernel, x = n.normal(number, k).requires_grad_(), n.normal(number + 10, size)
        x.requires_grad_()
        options: dict[str, Any] = {"stride": s, "padding": p, "dilation": d}
        y = F.conv1d(x[None, None], kernel[None, None], **options)[0, 0]
        grad_y = n.normal(number + 20, len(y))
        expected = torch.autograd.grad(y, (x, kernel), grad_y)
        x, kernel = x.detach(), kernel.detach()
        found = adjoints.convolution_backward(x, kernel, grad_y, **options)
        errors += [n.gap(a, b) for a, b in zip(found, expected, strict=True)]
    y = F.conv1d(x[None, None], kernel[None, None])[0, 0]
    plain = adjoints.convolution_backward(x, kernel, y)
    errors.append(n.gap(plain[0], F.conv_transpose1d(y[None, None], kernel[None, None])[0, 0]))
    errors.append(n.gap(plain[1], F.conv1d(x[None, None], y[None, None])[0, 0]))
    return n.worst(*errors)


def _adjoints() -> float:
    errors = []
    for number, (size, k, s, p, d) in enumerate(SETTINGS):
        kernel, x = n.normal(number, k), n.normal(number + 10, size)
        y = F.conv1d(x[None, None], kernel[None, None], stride=s, padding=p, dilation=d)[0, 0]
        other = n.normal(number + 20, len(y))
        options: dict[str, Any] = {"stride": s, "padding": p, "dilation": d}
        back = adjoints.transposed_convolution(other, kernel, size, **options)
        errors.append(abs(float(y @ other - x @ back)))
    plain = adjoints.transposed_convolution(y, kernel, len(y) + len(kernel) - 1)
    errors.append(n.gap(plain, F.conv_transpose1d(y[None, None], kernel[None, None])[0, 0]))
    return n.worst(*errors)


def _classifier_gradient() -> float:
    logits, y = 2 * n.normal(1, 5, 4), torch.tensor([3, 0, 0, 2, 1])
    logits.requires_grad_()
    loss = F.cross_entropy(logits, y)
    (expected,) = torch.autograd.grad(loss, logits)
    logits = logits.detach()
    found = classification.softmax_cross_entropy_gradient(logits, y)
    value = classification.softmax_cross_entropy(logits, y)
    return n.worst(n.gap(found, expected), n.gap(value, loss.detach()))


def _two_classes() -> float:
    a, y = n.normal(2, 6), torch.tensor([1, 0, 0, 1, 1, 0])
    logits = torch.stack([torch.zeros_like(a), a], dim=1)
    found = classification.softmax_cross_entropy_gradient(logits, y)
    sigmoid = (a.sigmoid() - y) / 6
    binary = F.binary_cross_entropy_with_logits(a, y.double())
    value = classification.softmax_cross_entropy(logits, y)
    return n.worst(n.gap(found, torch.stack([-sigmoid, sigmoid], dim=1)), n.gap(value, binary))


def _growth_of_a_signal() -> float:
    """Take the mean square over all signs of the weights of two layers, for one input."""
    x, slope, std = n.normal(1, 3), 0.3, 0.7
    signs = n.tuples(2, 6).double() * 2 - 1
    first = std * signs.view(-1, 2, 3) @ x  # (64, 2)
    hidden = F.leaky_relu(first, slope)
    second = std * (n.tuples(2, 2).double() * 2 - 1) @ hidden.T  # (4, 64)
    found = second.square().mean() / first.square().mean()
    ratio = initialisation.signal_gain(std, 2, negative_slope=slope)
    plain = first.square().mean() / x.square().mean()
    gain_of_none = initialisation.signal_gain(std, 3, negative_slope=1.0)
    return max(abs(found.item() - ratio), abs(plain.item() - gain_of_none))


def _kept_signal() -> float:
    errors = []
    for fan_in, slope in ((9, 0.0), (50, 0.2), (3, 1.0)):
        theirs = 2**0.5 / math.sqrt(1 + slope**2) / fan_in**0.5
        std = initialisation.he_std(fan_in, negative_slope=slope)
        gain = initialisation.signal_gain(std, fan_in, negative_slope=slope)
        errors += [abs(std - theirs), abs(gain - 1)]
    plain = initialisation.signal_gain(initialisation.he_std(7), 7)
    rectified = n.gauss_hermite(20)  # a symmetric law: half of its square lies above zero
    half = (rectified[1] * rectified[0][:, 0].clamp_min(0).square()).sum()
    return max(*errors, abs(plain - 1), abs(half.item() - 0.5))


def _residual_chain() -> float:
    matrices = [n.normal(i, 4, 4) / 2 for i in range(3)]
    start, grad_output = n.normal(5, 4).requires_grad_(), n.normal(6, 4)
    h, jacobians = start, []
    for matrix in matrices:
        inside = torch.tanh(matrix @ h)
        jacobians.append((1 - inside.detach() ** 2)[:, None] * matrix)
        h = h + inside
    (expected,) = torch.autograd.grad(h, start, grad_output)
    found = depth.residual_gradient(jacobians, grad_output)
    paths = grad_output.clone()  # one term for each choice of blocks, the last block first
    for count in (1, 2, 3):
        for chosen in itertools.combinations(reversed(jacobians), count):
            term = grad_output
            for jacobian in chosen:
                term = term @ jacobian
            paths = paths + term
    return n.worst(n.gap(found, expected), n.gap(found, paths))


def _unrolled_momentum() -> float:
    start, gradients, mu, lr = n.normal(1, 4), n.normal(2, 5, 4), 0.8, 0.07
    w, velocity = start, torch.zeros(4, dtype=torch.float64)
    for gradient in gradients:
        w, velocity = optimisers.momentum_step(w, gradient, velocity, lr=lr, momentum=mu)
    ages = torch.arange(4, -1, -1, dtype=torch.float64)
    expected = start - lr * ((1 - mu ** (ages + 1)) / (1 - mu)) @ gradients
    theirs = nn.Parameter(start.clone())
    optimizer = torch.optim.SGD([theirs], lr=lr, momentum=mu)
    for gradient in gradients:
        theirs.grad = gradient.clone()
        optimizer.step()
    return n.worst(
        n.gap(velocity, mu**ages @ gradients), n.gap(w, expected), n.gap(w, theirs.detach())
    )


def _plain_descent() -> float:
    curvature, start, lr = n.float64([0.5, 2.0, 7.0]), n.normal(3, 3), 0.3
    w, velocity = start, torch.zeros_like(start)
    for _ in range(6):
        w, velocity = optimisers.momentum_step(w, curvature * w, velocity, lr=lr)
    return n.gap(w, (1 - lr * curvature) ** 6 * start)


def _edge_of_stability() -> float:
    """Look on which side of the bound the linear map of one step stops to shrink."""
    wrong = 0
    for mu, curvature, share in itertools.product((0.0, 0.5, 0.9), (0.4, 3.0), (0.999, 1.001)):
        lr = share * 2 * (1 + mu) / curvature
        w, velocity = torch.eye(2, dtype=torch.float64)
        step = optimisers.momentum_step(w, curvature * w, velocity, lr=lr, momentum=mu)
        radius = torch.linalg.eigvals(torch.stack(step)).abs().max().item()
        wrong += (radius < 1) != (share < 1)
    return float(wrong)


def _decay(penalty: float, decay: float, optimizer: type[torch.optim.Optimizer]) -> float:
    """Compare four steps of Adam, with a penalty in the gradient or with decay, with torch's."""
    start, gradients, lr = n.normal(1, 4), n.normal(2, 4, 4), 0.1
    w, m, v = start, torch.zeros(4, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    theirs = nn.Parameter(start.clone())
    torchs = optimizer([theirs], lr=lr, weight_decay=penalty + decay)  # type: ignore[call-arg]
    for step, gradient in enumerate(gradients, start=1):
        theirs.grad = gradient.clone()
        torchs.step()
        w, m, v = optimisers.adam_step(
            w, gradient + penalty * w, m, v, step, lr=lr, weight_decay=decay
        )
    return n.gap(w, theirs.detach())


def _first_step_with_decay() -> float:
    w, g, lr, strength = n.normal(5, 6), n.normal(6, 6), 0.1, 0.3
    zero = torch.zeros_like(w)
    options: dict[str, Any] = {"lr": lr, "eps": 1e-14}
    coupled, *_ = optimisers.adam_step(w, g + strength * w, zero, zero, 1, **options)
    apart, *_ = optimisers.adam_step(w, g, zero, zero, 1, weight_decay=strength, **options)
    plain, _ = optimisers.momentum_step(w, g + strength * w, zero, lr=lr)
    return n.worst(
        n.gap(coupled - w, -lr * (g + strength * w).sign()),
        n.gap(apart - w, -lr * g.sign() - lr * strength * w),
        n.gap(plain, (1 - lr * strength) * w - lr * g),
    )


PROOFS = (
    Proof(
        id="networks.affine_layers_merge",
        title="Affine layers without a bend between them are one affine layer",
        statement=r"""W_2 (W_1 x + b_1) + b_2 = (W_2 W_1)\, x + (W_2 b_1 + b_2)""",
        assumptions="None; convolutions, transposed convolutions, mean pooling and, in a network "
        "that is evaluated, batch normalisation and dropout are affine too.",
        source="Saxe, McClelland and Ganguli (2014), https://arxiv.org/abs/1312.6120",
        checks=(
            Check("linear algebra", "a chain of three layers", _merged_layers, 1e-12),
            Check(
                "enumeration",
                "each layer that the course names, on the mean of two inputs",
                _layers_that_bend,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.doubling",
        title="Which transposed convolutions multiply every side by their stride",
        statement=r"""(n - 1)s - 2p + d(k - 1) + o + 1 = s\,n \;\text{ for all } n
            \quad\Longleftrightarrow\quad d(k - 1) + o + 1 = s + 2p""",
        assumptions=r"Side $n$, kernel $k$, stride $s$, padding $p$, dilation $d$, output padding "
        r"$o$.",
        source="Dumoulin and Visin (2016), https://arxiv.org/abs/1603.07285",
        checks=(
            Check(
                "enumeration",
                "kernels to 6, strides to 3, each padding and dilation to 2, in torch",
                _doubled_sizes,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.convolution_backward",
        title="The gradient goes back through a convolution by its transpose",
        statement=r"""\frac{\partial \mathcal L}{\partial x}
            = K^\top \frac{\partial \mathcal L}{\partial y}, \qquad
            \frac{\partial \mathcal L}{\partial k_a}
            = \sum_i \frac{\partial \mathcal L}{\partial y_i}\, x_{si + da - p}""",
        assumptions=r"$y = Kx$ is the convolution of one row with the kernel $k_0, k_1, \dots$, "
        r"stride $s$, padding $p$, dilation $d$; $x$ is zero outside.",
        source="Dumoulin and Visin (2016), section 4.1, https://arxiv.org/abs/1603.07285",
        checks=(
            Check("autograd", "both gradients, six settings", _gradients_of_a_convolution, 1e-12),
            Check("linear algebra", "the two inner products, six settings", _adjoints, 1e-12),
        ),
    ),
    Proof(
        id="networks.softmax_gradient",
        title="The gradient of the cross-entropy is prediction minus truth",
        statement=r"""\mathcal L = -\log p_y, \quad p_k = \frac{e^{a_k}}{\sum_j e^{a_j}}:
            \qquad \frac{\partial \mathcal L}{\partial a_k} = p_k - [k = y]""",
        assumptions=r"$[k = y]$ is 1 for the right class and 0 for the others; a mean over a batch "
        r"divides by its size. For two classes with logits $(0, a)$ it is $\sigma(a) - y$.",
        source="Bridle (1990), https://doi.org/10.1007/978-3-642-76153-9_28",
        checks=(
            Check("autograd", "5 examples of 4 classes", _classifier_gradient, 1e-12),
            Check("enumeration", "two classes, against the sigmoid", _two_classes, 1e-12),
        ),
    ),
    Proof(
        id="networks.he_initialisation",
        title="Weights of variance 2/n keep the size of a signal through ReLU layers",
        statement=r"""\mathbb E\, a_l^2 = \frac{1 + s^2}{2}\, n\, \sigma^2\;
            \mathbb E\, a_{l-1}^2, \qquad \sigma^2 = \frac{2}{(1 + s^2)\, n}
            \;\Rightarrow\; \mathbb E\, a_l^2 = \mathbb E\, a_{l-1}^2""",
        assumptions=r"$a_l = \sum_{i=1}^n w_i\, \phi(a_{l-1, i})$ without bias; the weights are "
        r"independent, symmetric about zero, of variance $\sigma^2$; $\phi$ has slope 1 above zero "
        r"and $s$ below. In the first layer, which has no $\phi$ before it, $s = 1$.",
        source="He et al. (2015), section 2.2, https://arxiv.org/abs/1502.01852",
        checks=(
            Check(
                "enumeration", "all signs of the weights of two layers", _growth_of_a_signal, 1e-12
            ),
            Check("quadrature", "gain one, and the half of a symmetric law", _kept_signal, 1e-12),
        ),
    ),
    Proof(
        id="networks.residual_gradient",
        title="A shortcut lets the gradient arrive whole, plus one term for each other path",
        statement=r"""h_l = h_{l-1} + f_l(h_{l-1}): \qquad
            \frac{\partial \mathcal L}{\partial h_0}
            = \frac{\partial \mathcal L}{\partial h_L} (I + J_L) \cdots (I + J_1)
            = \frac{\partial \mathcal L}{\partial h_L} + \cdots""",
        assumptions=r"$J_l$ is the Jacobian of $f_l$ at $h_{l-1}$; gradients are rows. The dots "
        r"are one product of Jacobians for each other choice of blocks.",
        source="He et al. (2016), section 2, https://arxiv.org/abs/1603.05027",
        checks=(
            Check(
                "autograd",
                "three blocks of four features, and the sum over all eight paths",
                _residual_chain,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.gradient_descent",
        title="On a parabola descent shrinks by a constant factor, up to a largest learning rate",
        statement=r"""w_n = (1 - \eta\lambda)^n\, w_0, \qquad
            \text{stable} \iff 0 < \eta < \frac{2}{\lambda}; \qquad
            \text{with momentum: } 0 < \eta < \frac{2 (1 + \mu)}{\lambda}""",
        assumptions=r"Loss $\tfrac12 \lambda w^2$ with $\lambda > 0$, learning rate $\eta$, "
        r"momentum $0 \le \mu < 1$.",
        source="Polyak (1964), https://doi.org/10.1016/0041-5553(64)90137-5",
        checks=(
            Check("enumeration", "six steps, three curvatures", _plain_descent, 1e-12),
            Check(
                "linear algebra",
                "spectral radius of a step just below and above the bound",
                _edge_of_stability,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.momentum",
        title="Momentum follows a fading sum of all gradients",
        statement=r"""u_n = \mu u_{n-1} + g_n = \sum_{k=1}^{n} \mu^{n-k} g_k, \qquad
            w_n = w_{n-1} - \eta u_n""",
        assumptions=r"$u_0 = 0$.",
        source="Polyak (1964), https://doi.org/10.1016/0041-5553(64)90137-5",
        checks=(
            Check(
                "enumeration",
                "five steps unrolled, and torch's optimiser",
                _unrolled_momentum,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.weight_decay",
        title="Under Adam an L2 penalty is not weight decay",
        statement=r"""\begin{aligned}
            \text{gradient descent: } & w - \eta (g + \lambda w)
            = (1 - \eta\lambda)\, w - \eta g \\
            \text{Adam with L2: } & \Delta w_1 = -\eta\, \mathrm{sign}(g + \lambda w) \\
            \text{Adam with decay: } & \Delta w_1 = -\eta\, \mathrm{sign}(g) - \eta\lambda w
            \end{aligned}""",
        assumptions=r"Penalty $\tfrac12 \lambda w^2$; the first step, $\epsilon \to 0$.",
        source="Loshchilov and Hutter (2019), https://arxiv.org/abs/1711.05101",
        checks=(
            Check("enumeration", "the three first steps", _first_step_with_decay, 1e-10),
            Check(
                "enumeration",
                "four steps of torch's Adam with a penalty, and of its AdamW",
                lambda: max(
                    _decay(0.3, 0.0, torch.optim.Adam), _decay(0.0, 0.3, torch.optim.AdamW)
                ),
                1e-12,
            ),
        ),
    ),
)
