"""Proofs about how steep a network can be, and what spectral normalisation does about it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.maths import spectral
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _weights(seed: int) -> list[Tensor]:
    return [n.normal(seed + k, *shape) for k, shape in enumerate([(7, 3), (5, 7), (2, 5)])]


def _steepest_slope_of_a_network() -> float:
    """Return by how much the slope of a small network exceeds the bound, at 200 places."""
    worst = 0.0
    for seed, activation in ((1, F.relu), (5, torch.tanh), (9, lambda a: F.leaky_relu(a, 0.2))):
        layers = _weights(seed)
        bound = spectral.lipschitz_bound(layers)

        def network(x: Tensor, layers: list[Tensor] = layers, f: object = activation) -> Tensor:
            for weight in layers[:-1]:
                x = f(weight @ x)  # type: ignore[operator]
            return layers[-1] @ x

        for x in n.normal(seed + 20, 60, 3):
            jacobian = torch.autograd.functional.jacobian(network, x)
            excess = torch.linalg.svdvals(jacobian)[0] - bound
            worst = max(worst, excess.item())
    return worst


def _bound_by_single_norms() -> float:
    layers = _weights(13)
    expected = math.prod(math.sqrt(torch.linalg.eigvalsh(w.T @ w)[-1].item()) for w in layers)
    return abs(spectral.lipschitz_bound(layers).item() - expected) / expected


def _bound_is_reached() -> float:
    """Compare the bound with the slope of linear layers that share their singular vectors."""
    left, _ = torch.linalg.qr(n.normal(30, 4, 4))
    middle, _ = torch.linalg.qr(n.normal(31, 4, 4))
    right, _ = torch.linalg.qr(n.normal(32, 4, 4))
    first = middle @ torch.diag(n.float64([3.0, 2.0, 1.0, 0.5])) @ right.T
    second = left @ torch.diag(n.float64([5.0, 4.0, 0.3, 0.1])) @ middle.T
    slope = torch.linalg.svdvals(second @ first)[0]
    return n.gap(spectral.lipschitz_bound([first, second]), slope)


def _converged_iteration() -> float:
    worst = 0.0
    for seed, shape in ((40, (6, 9)), (41, (8, 4))):
        weight = n.normal(seed, *shape)
        found = spectral.power_iteration(weight, n.normal(seed + 9, shape[0]), iterations=2000)
        worst = max(worst, n.gap(found, torch.linalg.svdvals(weight)[0]))
    return worst


def _first_iterations() -> float:
    """Compare few iterations with powers of the Gram matrix, normalised once at the end."""
    weight, u = n.normal(42, 5, 7), n.normal(43, 5)
    worst = 0.0
    for count in (1, 2, 3):
        v = weight.T @ torch.linalg.matrix_power(weight @ weight.T, count - 1) @ u
        expected = (weight @ v).norm() / v.norm()
        found = spectral.power_iteration(weight, u, iterations=count)
        worst = max(worst, n.gap(found, expected))
    by_default = spectral.power_iteration(weight, u)
    return max(worst, n.gap(by_default, spectral.power_iteration(weight, u, iterations=1)))


def _gradient_of_the_norm() -> float:
    weight = n.normal(44, 5, 7).requires_grad_()
    found = spectral.power_iteration(weight, n.normal(45, 5), iterations=2000)
    (slope,) = torch.autograd.grad(found, weight)
    (expected,) = torch.autograd.grad(torch.linalg.svdvals(weight)[0], weight)
    return n.gap(slope, expected)


def _constants_for_the_gradient() -> float:
    """Compare the gradient after one iteration with ``u v^T`` for the vectors it used."""
    weight, u = n.normal(46, 4, 3).requires_grad_(), n.normal(47, 4)
    (slope,) = torch.autograd.grad(spectral.power_iteration(weight, u), weight)
    with torch.no_grad():
        v = F.normalize(weight.T @ u, dim=0)
        expected = torch.outer(F.normalize(weight @ v, dim=0), v)
    return n.gap(slope, expected)


KERNELS = ((50, (4, 3, 3, 3), 7), (51, (2, 5, 2, 2), 6), (52, (3, 1, 3, 3), 3))
"""Seed, shape (out, in, k, k) and image size."""


def _circular_matrix(kernel: Tensor, size: int) -> Tensor:
    """Return the matrix of a convolution with circular padding, one column per pixel."""
    pixels = kernel.shape[1] * size * size
    images = torch.eye(pixels, dtype=torch.float64).reshape(pixels, kernel.shape[1], size, size)
    k = kernel.shape[2]
    padded = F.pad(images, (0, k - 1, 0, k - 1), mode="circular")
    return F.conv2d(padded, kernel).flatten(start_dim=1).T


def _norm_by_the_whole_matrix() -> float:
    worst = 0.0
    for seed, shape, size in KERNELS:
        kernel = n.normal(seed, *shape)
        dense = torch.linalg.svdvals(_circular_matrix(kernel, size))[0]
        worst = max(worst, n.gap(spectral.conv_norm(kernel, size), dense))
    return worst


def _norm_of_the_reshaped_kernel() -> float:
    worst = 0.0
    for seed, shape, size in KERNELS:
        kernel = n.normal(seed, *shape)
        rows = torch.stack([kernel[i].flatten() for i in range(shape[0])])
        gram = torch.linalg.eigvalsh(rows @ rows.T)[-1].sqrt()
        ours, true = spectral.reshaped_norm(kernel), spectral.conv_norm(kernel, size)
        outside = max((ours - true).item(), (true - shape[2] * ours).item(), 0.0)
        worst = max(worst, n.gap(ours, gram), outside)
    return worst


def _both_ends_are_reached() -> float:
    """Return the errors of a kernel of ones, k times as large, and of a single pixel, equal."""
    k, size = 3, 8
    ones = torch.ones(1, 1, k, k, dtype=torch.float64)
    pixel = torch.zeros(1, 1, k, k, dtype=torch.float64)
    pixel[0, 0, 1, 2] = 1.7
    most = spectral.conv_norm(ones, size) - k * spectral.reshaped_norm(ones)
    least = spectral.conv_norm(pixel, size) - spectral.reshaped_norm(pixel)
    return max(most.abs().item(), least.abs().item())


MIYATO = "https://arxiv.org/abs/1802.05957"

PROOFS = (
    Proof(
        id="gan.lipschitz_product",
        title="The slope of a network is at most the product of its layers' norms",
        statement=r"""f = W_L \circ a \circ \dots \circ a \circ W_1: \qquad
            \mathrm{Lip}(f) \le \prod_{l=1}^{L} \sigma(W_l)""",
        assumptions=r"$\sigma(W)$ is the largest singular value; the activations $a$ have a slope "
        "of at most 1. The bound is reached only if all layers stretch the same direction.",
        source=f"Miyato et al. (2018), section 2.1, {MIYATO}",
        checks=(
            Check(
                "autograd",
                "slopes of three networks at 60 places each stay below the bound",
                _steepest_slope_of_a_network,
                1e-12,
            ),
            Check("linear algebra", "the product of three norms", _bound_by_single_norms, 1e-12),
            Check(
                "linear algebra",
                "equality for linear layers with common directions",
                _bound_is_reached,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="gan.power_iteration",
        title="Two multiplications bring a vector nearer to the direction of largest stretch",
        statement=r"""v = \frac{W^\top u}{\lVert W^\top u \rVert}, \quad
            u \leftarrow \frac{W v}{\lVert W v \rVert}: \qquad
            u^\top W v \to \sigma(W), \qquad \frac{\partial \sigma}{\partial W} = u v^\top""",
        assumptions=r"The largest singular value is simple, and the first $u$ is not orthogonal to "
        "its direction; the vectors are constants for the gradient.",
        source=f"Miyato et al. (2018), algorithm 1, {MIYATO}",
        checks=(
            Check("linear algebra", "2000 iterations, two shapes", _converged_iteration, 1e-9),
            Check(
                "linear algebra",
                "one to three iterations by powers of the Gram matrix",
                _first_iterations,
                1e-12,
            ),
            Check(
                "autograd",
                "the gradient of the largest singular value",
                _gradient_of_the_norm,
                1e-9,
            ),
            Check(
                "autograd",
                "after one iteration the gradient is the outer product",
                _constants_for_the_gradient,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="gan.conv_norm",
        title="The norm of a reshaped kernel does not bound the convolution",
        statement=r"""\lVert K * \cdot \rVert = \max_\omega \sigma\!\left(\hat K(\omega)\right),
            \qquad \sigma(K_{\text{reshaped}}) \le \lVert K * \cdot \rVert
            \le k\, \sigma(K_{\text{reshaped}})""",
        assumptions=r"Circular padding, stride 1, images at least as large as the kernel of "
        r"$k \times k$ pixels; $\hat K(\omega)$ is the matrix of the channels at one frequency.",
        source="Sedghi, Gupta and Long (2019), https://arxiv.org/abs/1805.10408; "
        "Tsuzuku, Sato and Sugiyama (2018), https://arxiv.org/abs/1802.04034",
        checks=(
            Check(
                "linear algebra",
                "the whole matrix of three convolutions",
                _norm_by_the_whole_matrix,
                1e-9,
            ),
            Check(
                "linear algebra",
                "both inequalities for three kernels",
                _norm_of_the_reshaped_kernel,
                1e-12,
            ),
            Check(
                "linear algebra",
                "a kernel of ones reaches the factor, a single pixel the norm",
                _both_ends_are_reached,
                1e-12,
            ),
        ),
    ),
)

ROWS = {"D29": ("gan.lipschitz_product", "gan.power_iteration", "gan.conv_norm")}
