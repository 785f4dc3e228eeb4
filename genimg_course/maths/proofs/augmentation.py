"""Proofs about augmentation: when the law of the images can be read off the augmented one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course.maths import augmentation
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

CHANCES = (0.0, 0.3, 0.8)
"""How often an image is turned; each of them leaves a way back."""


def _turned_images() -> float:
    image = torch.arange(9.0).reshape(3, 3)
    views = [torch.rot90(image, r) for r in range(4)]
    law = n.law(1, 5, 4)
    worst = 0.0
    for chance in (*CHANCES, 1.0):
        expected = (1 - chance) * law
        for stands, turn in n.tuples(4, 2).tolist():
            seen = torch.rot90(views[stands], turn)
            (place,) = (i for i, view in enumerate(views) if view.equal(seen))
            expected[:, place] += chance / 4 * law[:, stands]
        worst = max(worst, n.gap(augmentation.augmented_law(law, chance), expected))
    return worst


def _three_turns() -> float:
    law, chance = n.law(2, 3), 0.6
    matrix = augmentation.rotation_operator(chance, turns=3)
    shifted = torch.stack([law.roll(turn) for turn in range(3)]).mean(dim=0)
    return max(
        n.gap(matrix @ law, (1 - chance) * law + chance * shifted),
        n.gap(augmentation.augmented_law(law, chance), matrix @ law),
    )


def _spectrum() -> float:
    worst = 0.0
    for chance in CHANCES:
        matrix = augmentation.rotation_operator(chance)
        values = torch.linalg.eigvalsh(matrix)
        rest = 1 - chance
        expected = n.float64([rest, rest, rest, 1.0])
        condition = torch.linalg.cond(matrix) * rest
        worst = max(worst, n.gap(values, expected), abs(condition.item() - 1))
    return worst


def _way_back() -> float:
    law, other = n.law(3, 2, 5, 4)
    wobble = law - other  # a disturbance that keeps the sum
    worst = 0.0
    for chance in CHANCES:
        observed = augmentation.augmented_law(law, chance)
        back = augmentation.recovered_law(observed, chance)
        alone = augmentation.recovered_law(observed[0], chance)
        off = augmentation.recovered_law(observed + 0.1 * wobble, chance) - law
        worst = max(worst, n.gap(back, law), n.gap(off * (1 - chance), 0.1 * wobble))
        inverse = torch.linalg.inv(augmentation.rotation_operator(chance))
        worst = max(worst, n.gap(back, observed @ inverse), n.gap(alone, back[0]))
    return worst


def _no_way_back() -> float:
    laws: Tensor = augmentation.augmented_law(n.law(4, 6, 4), 1.0)
    rank = int(torch.linalg.matrix_rank(augmentation.rotation_operator(1.0)))
    return n.gap(laws, torch.full_like(laws, 0.25)) if rank == 1 else math.inf


PROOFS = (
    Proof(
        id="networks.augmentation_leak",
        title="Random rotations can be undone unless every image is turned",
        statement=r"""T_\pi = (1 - \pi) I + \frac\pi4 \mathbf 1 \mathbf 1^\top, \qquad
            \mathrm{eig}\, T_\pi = \{1,\ 1 - \pi,\ 1 - \pi,\ 1 - \pi\}, \qquad
            T_\pi p = T_\pi q \Rightarrow p = q \iff \pi < 1, \qquad
            \mathrm{cond}\, T_\pi = \frac{1}{1 - \pi}""",
        assumptions=r"With probability $\pi$ an image is turned by 0, 90, 180 or 270 degrees, each "
        r"as likely; $p$ and $q$ are laws of the orientation. In a GAN, real and generated images "
        "are turned alike.",
        source="Karras et al. (2020), section 2.2 and appendix C, https://arxiv.org/abs/2006.06676",
        checks=(
            Check("enumeration", "an image in all turns, five laws", _turned_images, 1e-12),
            Check("enumeration", "cyclic shifts of three orientations", _three_turns, 1e-12),
            Check("linear algebra", "eigenvalues and condition number", _spectrum, 1e-12),
            Check(
                "linear algebra",
                "the way back, and how it enlarges a disturbance",
                _way_back,
                1e-12,
            ),
            Check("linear algebra", "rank one if all images are turned", _no_way_back, 1e-12),
        ),
    ),
)

ROWS = {"D65": ("networks.augmentation_leak",)}
