"""Proofs about translation between domains: what a cycle leaves open, what a patch sees."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from genimg_course.maths import divergences, translation
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _solutions(p: Tensor, q: Tensor) -> int:
    """Count the pairs of maps between four images each that cost nothing at all."""
    maps = n.tuples(4, 4)
    there = [m for m in maps if divergences.total_variation(translation.push_forward(p, m), q) == 0]
    back = [m for m in maps if divergences.total_variation(translation.push_forward(q, m), p) == 0]
    return sum(
        bool(translation.cycle_error(p, g, f) + translation.cycle_error(q, f, g) == 0)
        for g, f in itertools.product(there, back)
    )


def _count_of_solutions() -> float:
    equal = torch.full((4,), 0.25, dtype=torch.float64)
    distinct = n.float64([0.125, 0.0625, 0.5, 0.3125])
    pairs = n.float64([0.125, 0.375, 0.125, 0.375])
    turned = distinct[torch.tensor([2, 0, 3, 1])]
    found = [
        _solutions(equal, equal),
        _solutions(distinct, turned),
        _solutions(pairs, pairs.flip(0)),
    ]
    return float(max(abs(a - b) for a, b in zip(found, (24, 1, 4), strict=True)))


def _lost_on_the_way() -> float:
    """The share that does not come home, against a sum over images one by one."""
    p, there, back = n.law(1, 6), n.tuples(6, 2)[:6, 1].flip(0), torch.tensor([5, 4, 0, 2, 1, 0])
    lost = sum(p[i] for i in range(6) if int(back[int(there[i])]) != i)
    return n.gap(translation.cycle_error(p, there, back), torch.as_tensor(lost))


def _field_by_gradient() -> float:
    """Which pixels move one output: the support of its gradient."""
    worst = 0
    for layers in ([(4, 2), (4, 1), (4, 1)], [(3, 2), (5, 3)], [(4, 2), (4, 2), (4, 1), (4, 1)]):
        x = torch.zeros(1, 1, 90, dtype=torch.float64, requires_grad=True)
        y: Tensor = x
        for kernel, stride in layers:
            weight = torch.ones(1, 1, kernel, dtype=torch.float64)
            y = torch.nn.functional.conv1d(y, weight, stride=stride)
        (gradient,) = torch.autograd.grad(y[0, 0, 1], x)
        worst = max(worst, abs(int((gradient != 0).sum()) - translation.receptive_field(layers)))
    return float(worst)


def _the_sizes_of_pix2pix() -> float:
    """One, two and three layers of stride 2 before two of stride 1, kernels of 4."""
    sides = [translation.receptive_field([(4, 2)] * k + [(4, 1)] * 2) for k in (1, 2, 3)]
    return float(max(abs(a - b) for a, b in zip(sides, (16, 34, 70), strict=True)))


PROOFS = (
    Proof(
        id="translation.cycle_solutions",
        title="Zero cycle loss and zero adversarial loss leave many maps",
        statement=r"""\#\left\{(G, F) : G_\# p = q,\ F_\# q = p,\ F \circ G = \mathrm{id}\right\}
            = \#\left\{\text{bijections } G : q(G(x)) = p(x)\right\}""",
        assumptions="Finitely many images, each of positive probability: 4! = 24 maps where "
        "all are equally frequent, one where all frequencies differ.",
        source="Zhu et al. (2017), equations 1 to 3, https://arxiv.org/abs/1703.10593; "
        "Galanti et al. (2018), https://arxiv.org/abs/1709.00074; "
        "Moriakov et al. (2020), https://arxiv.org/abs/2001.09061",
        checks=(
            Check(
                "enumeration",
                "all pairs of 256 maps: 24, 1 and 4 solutions",
                _count_of_solutions,
                1e-12,
            ),
            Check("enumeration", "the share that is lost, image by image", _lost_on_the_way, 1e-12),
        ),
    ),
    Proof(
        id="translation.receptive_field",
        title="How far one output of a PatchGAN sees",
        statement=r"r \leftarrow s\,(r - 1) + k \quad\text{from the last layer to the first},"
        r" \qquad 16,\ 34,\ 70",
        assumptions="Convolutions with kernel $k$ and stride $s$; padding does not change it. The "
        "numbers are for kernels of 4 and one, two or three strides of 2.",
        source="Isola et al. (2017), https://arxiv.org/abs/1611.07004",
        checks=(
            Check("autograd", "the pixels with a gradient, counted", _field_by_gradient, 1e-12),
            Check("enumeration", "the three sizes of the paper", _the_sizes_of_pix2pix, 1e-12),
        ),
    ),
)

ROWS = {"D38": ("translation.receptive_field",), "D39": ("translation.cycle_solutions",)}
