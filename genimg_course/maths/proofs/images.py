"""Proofs about images as data: bytes, waves, sizes, mixtures by augmentation, fair shares."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import sympy
import torch
from torch import Tensor

from genimg_course.maths import (
    aliasing,
    augmentation,
    augmented_pairs,
    balance,
    group_augmentation,
    pixels,
    resizing,
)
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS"]


# Bytes and the range of the models


def _levels() -> Tensor:
    return torch.arange(256, dtype=torch.uint8)


def _all_levels_return() -> float:
    x = pixels.to_model_range(_levels())
    back = pixels.to_uint8(x)
    exact = n.float64([float(Fraction(2 * v, 255) - 1) for v in range(256)])
    if back.dtype != torch.uint8 or x.dtype != torch.float32:
        return math.inf
    rounding = 2.0**-22  # three operations, each of them off by half a last digit at most
    return n.worst(n.gap(back.double(), _levels().double()), n.gap(x.double(), exact) - rounding)


def _margin() -> float:
    """A disturbance below half a step does no harm; one above it moves every level by one."""
    exact = n.float64([float(Fraction(2 * v, 255) - 1) for v in range(256)])
    levels = torch.arange(256.0, dtype=torch.float64)
    worst = 0.0
    for side in (-1, 1):
        near = pixels.to_uint8(exact + side * 0.999 / 255).double()
        far = pixels.to_uint8(exact + side * 1.001 / 255).double()
        worst = n.worst(worst, n.gap(near, levels), n.gap(far, (levels + side).clamp(0, 255)))
    outside = pixels.to_uint8(n.float64([-3.0, 1.5, 7.0])).double()
    return n.worst(worst, n.gap(outside, n.float64([0, 255, 255])))


# Waves, samples, filters


def _fold_exactly() -> float:
    f, r = sympy.symbols("f r", positive=True)
    place, turns = sympy.symbols("place turns", integer=True)
    wave = sympy.cos(2 * sympy.pi * f * place / r)
    shifted = sympy.cos(2 * sympy.pi * (f - r * turns) * place / r)
    mirrored = sympy.cos(2 * sympy.pi * (-f) * place / r)
    return n.exact(sympy.expand_trig(sympy.expand(shifted)) - wave, mirrored - wave)


def _fold_by_samples() -> float:
    worst = 0.0
    for rate in (1.0, 0.25, 3.0):
        true = torch.cat([n.float64([0.0, 0.5, 1.0, 1.5]), 2.5 * n.normal(1, 40).abs()]) * rate
        seen = aliasing.alias_frequency(true, rate=rate)
        times = torch.arange(12, dtype=torch.float64) / rate
        one, other = ((2 * math.pi * f[:, None] * times).cos() for f in (true, seen))
        outside = max(0.0, -seen.min().item(), seen.max().item() - rate / 2)
        below = true < rate / 2
        worst = n.worst(worst, n.gap(one, other), outside, n.gap(seen[below], true[below]))
    unit = aliasing.alias_frequency(n.float64([0.3, 0.8, 1.4]))
    return n.worst(worst, n.gap(unit, n.float64([0.3, 0.2, 0.4])))


def _fold_of_spectra() -> float:
    rows = n.normal(2, 2, 3, 24)
    worst = 0.0
    for x, factor in itertools.product((rows, rows[0], rows[0, 0]), (1, 2, 3, 4)):
        folded = aliasing.folded_spectrum(torch.fft.fft(x), factor)
        known = torch.fft.fft(x[..., ::factor])
        if folded.shape != known.shape:
            return math.inf
        worst = n.worst(worst, (folded - known).abs().max().item())
    return worst


def _gain_by_convolution() -> float:
    half = n.normal(3, 4)
    worst = 0.0
    for kernel in (torch.cat([half, half.flip(0)]), torch.cat([half, half[:3].flip(0)])):
        count = len(kernel)
        frequency = n.float64([0.0, 0.07, 0.21, 0.5])
        gains = aliasing.frequency_response(kernel, frequency).tolist()
        for gain, f in zip(gains, frequency.tolist(), strict=True):
            for place in range(5):
                # the middle of the window lies between two samples if their number is even
                window = [
                    math.cos(2 * math.pi * f * (place + k - (count - 1) / 2)) for k in range(count)
                ]
                filtered = sum(h * w for h, w in zip(kernel.tolist(), window, strict=True))
                worst = n.worst(worst, abs(filtered - gain * math.cos(2 * math.pi * f * place)))
    return worst


def _gain_of_boxes() -> float:
    worst = 0.0
    frequency = n.float64([0.04, 0.11, 0.29, 0.43])
    for width in (2, 3, 4, 7):
        box = torch.full((width,), 1 / width, dtype=torch.float64)
        known = (math.pi * width * frequency).sin() / (width * (math.pi * frequency).sin())
        triangle = (1 + torch.arange(2 * width - 1.0, dtype=torch.float64)).minimum(
            (2 * width - 1) - torch.arange(2 * width - 1.0, dtype=torch.float64)
        )
        worst = n.worst(
            worst,
            n.gap(aliasing.frequency_response(box, frequency), known),
            n.gap(aliasing.frequency_response(triangle / width**2, frequency), known**2),
        )
    return worst


def _energy_of_waves() -> float:
    """Waves of known height: the share above the limit is a share of squares."""
    rows = torch.arange(12, dtype=torch.float64)[:, None]
    columns = torch.arange(20, dtype=torch.float64)
    pair = []
    for low, tall, wide, offset in ((1.0, 0.5, 0.7, 3.0), (0.2, 1.1, 0.3, -1.0)):
        flat = low * (2 * math.pi * (2 * rows / 12 + columns / 20)).cos()
        steep = tall * (2 * math.pi * 4 * rows / 12).sin() + wide * (0.6 * math.pi * columns).cos()
        pair.append(flat + steep + offset)
    found = aliasing.energy_above(torch.stack(pair)[:, None], 0.25)
    known = n.float64([(0.25 + 0.49) / (1 + 0.25 + 0.49), (1.21 + 0.09) / (0.04 + 1.21 + 0.09)])
    both = aliasing.energy_above(torch.stack([torch.stack(pair), torch.stack(pair[::-1])]), 0.25)
    joint = (0.74 + 1.3) / (1.74 + 1.34)  # two channels: energies add up
    return n.worst(n.gap(found, known), n.gap(both, n.float64([joint, joint])))


def _energy_on_the_limit() -> float:
    """A wave that lies on the limit counts as above, however its frequency is rounded."""
    worst = 0.0
    for length, factor in LIMITS:
        wave = (math.pi * torch.arange(length, dtype=torch.float64) / factor).cos()
        image = wave.expand(1, 1, 4, length)
        for x in (image, image.transpose(2, 3)):
            on = aliasing.energy_above(x, 1 / (2 * factor)).item()
            over = aliasing.energy_above(x, 1.01 / (2 * factor)).item()
            worst = n.worst(worst, abs(on - 1), abs(over))
    return worst


LIMITS = ((12, 3), (20, 5), (70, 5), (110, 5), (196, 2))
"""Lengths and steps, some of which meet frequencies that are rounded downwards."""


def _energy_by_parseval() -> float:
    """Take the fast waves out by hand; what the picture loses is the energy above."""
    x = n.normal(4, 2, 3, 6, 8)
    found = aliasing.energy_above(x, 0.3)
    spectrum = torch.fft.fft2(x)
    for i, j in itertools.product(range(6), range(8)):
        if max(min(i, 6 - i) / 6, min(j, 8 - j) / 8) >= 0.3:
            spectrum[:, :, i, j] = 0
    slow = torch.fft.ifft2(spectrum).real
    contrast = (x - x.mean(dim=(2, 3), keepdim=True)).square().sum(dim=(1, 2, 3))
    return n.gap(found, (x - slow).square().sum(dim=(1, 2, 3)) / contrast)


# Other sizes


def _blocks() -> float:
    x = n.normal(5, 2, 3, 6, 12)
    worst = 0.0
    for factor in (1, 2, 3):
        kernel = torch.ones(3, 1, factor, factor, dtype=torch.float64) / factor**2
        filtered = torch.nn.functional.conv2d(x, kernel, groups=3)  # first filter, then sample
        known = filtered[:, :, ::factor, ::factor]
        worst = n.worst(worst, n.gap(resizing.shrink(x, factor), known))
    return worst


def _weights_by_hand() -> float:
    worst = 0.0
    for old, new in ((12, 5), (4, 9), (7, 7), (10, 4)):
        for antialias in (True, False):
            found = resizing.resize_matrix(old, new, antialias=antialias)
            width = old / new if antialias and old > new else 1.0
            rows = []
            for i in range(new):
                centre = old / new * (i + 0.5)
                row = [max(0.0, 1 - abs(j + 0.5 - centre) / width) for j in range(old)]
                rows.append([value / sum(row) for value in row])
            worst = n.worst(worst, n.gap(found, n.float64(rows)))
    return n.worst(
        worst, n.gap(resizing.resize_matrix(9, 4), resizing.resize_matrix(9, 4, antialias=True))
    )


def _resized_by_a_library() -> float:
    x = n.normal(6, 2, 3, 11, 8)
    worst = 0.0
    for size in ((4, 5), (11, 3), (15, 20)):
        for antialias in (True, False):
            known = torch.nn.functional.interpolate(
                x, size, mode="bilinear", antialias=antialias, align_corners=False
            )
            found = resizing.resize(x, size, antialias=antialias)
            worst = n.worst(worst, n.gap(found, known))
    default = resizing.resize(x, (4, 5))
    return n.worst(worst, n.gap(default, resizing.resize(x, (4, 5), antialias=True)))


# Augmentation as an operator on laws


def _mixture_of_images() -> float:
    """Turn every picture of a small law in every way and add the chances up."""
    image = torch.arange(9.0).reshape(3, 3)
    views = [torch.rot90(image, turn) for turn in range(4)]
    law, weights = n.law(7, 5, 4), n.law(8, 4)
    known = torch.zeros_like(law)
    for stands, turn in n.tuples(4, 2).tolist():
        seen = torch.rot90(views[stands], turn)
        (place,) = (i for i, view in enumerate(views) if view.equal(seen))
        known[:, place] += weights[turn] * law[:, stands]
    single = group_augmentation.mixed_law(law[0], weights)
    found = group_augmentation.mixed_law(law, weights)
    return n.worst(n.gap(found, known), n.gap(single, known[0]))


def _modes_of_the_mixture() -> float:
    law, weights = n.law(9, 3, 6), n.law(10, 6)
    factors = group_augmentation.augmentation_spectrum(weights)
    mixed = torch.fft.fft(group_augmentation.mixed_law(law, weights))
    operator = group_augmentation.mixed_law(torch.eye(6, dtype=torch.float64), weights)
    by_hand = [
        sum(
            w * complex(math.cos(a), -math.sin(a))
            for w, a in zip(weights.tolist(), angles, strict=True)
        )
        for angles in ([2 * math.pi * k * g / 6 for g in range(6)] for k in range(6))
    ]
    wave = torch.exp(2j * math.pi * torch.arange(6, dtype=torch.float64) / 6)
    stretched = wave @ operator.to(torch.complex128)
    return n.worst(
        (mixed - factors * torch.fft.fft(law)).abs().max().item(),
        (factors - torch.tensor(by_hand, dtype=torch.complex128)).abs().max().item(),
        (stretched - factors[1] * wave).abs().max().item(),
    )


def _back_through_the_modes() -> float:
    law, weights = n.law(11, 2, 3, 5), n.law(12, 5)
    observed = group_augmentation.mixed_law(law, weights)
    operator = group_augmentation.mixed_law(torch.eye(5, dtype=torch.float64), weights)
    inverse = torch.linalg.inv(operator)
    back = group_augmentation.unmixed_law(observed, weights)
    return n.worst(n.gap(back, law), n.gap(back, observed @ inverse))


def _quarter_turns() -> float:
    worst = 0.0
    law = n.law(13, 3, 4)
    for chance in (0.0, 0.3, 0.8):
        weights = torch.full((4,), chance / 4, dtype=torch.float64)
        weights[0] += 1 - chance
        mixed = group_augmentation.mixed_law(law, weights)
        worst = n.worst(
            worst,
            n.gap(mixed, augmentation.augmented_law(law, chance)),
            n.gap(group_augmentation.unmixed_law(mixed, weights), law),
            float(group_augmentation.lost_directions(weights)),
        )
    return worst


def _what_is_lost() -> float:
    """Directions that are lost are those that the operator sends to zero."""
    tables = (
        [0.5, 0.5],
        [0.501, 0.499],
        [0.25, 0.25, 0.25, 0.25],
        [0.5, 0.5, 0.0, 0.0],
        [0.5, 0.0, 0.5, 0.0],
        [0.0, 1.0, 0.0],
        [0.4, 0.1, 0.1, 0.2, 0.1, 0.1],
        [1 / 3, 0.0, 1 / 3, 0.0, 1 / 3, 0.0],
    )
    worst = 0
    for table in tables:
        weights = n.float64(table)
        operator = group_augmentation.mixed_law(torch.eye(len(table), dtype=torch.float64), weights)
        lost = len(table) - int(torch.linalg.matrix_rank(operator))
        worst = max(worst, abs(lost - group_augmentation.lost_directions(weights)))
    return float(worst)


# Pairs, shares, splits


def _pairs_one_by_one() -> float:
    images, masks = 1.2 * n.normal(14, 6, 2, 3, 5).tanh(), n.normal(15, 6, 1, 3, 5).sign()
    labels = torch.tensor([0, 2, 1, 2, 0, 1])
    flips = torch.tensor([True, True, True, False, False, False])
    survives = torch.tensor([True, True, False])
    gains = n.float64([0.5, 1.5, 1.0, 2.0, 0.8, 1.1])
    found = augmented_pairs.augment_pairs(images, masks, labels, flips, gains, survives)
    worst = 0.0
    for i in range(6):
        mirror = bool(flips[i]) and int(labels[i]) != 2
        for key, source, gain in (("images", images, float(gains[i])), ("masks", masks, None)):
            for c, h, w in itertools.product(*map(range, source.shape[1:])):
                value = float(source[i, c, h, 4 - w if mirror else w])
                if gain is not None:
                    value = min(1.0, max(-1.0, gain * value))
                worst = n.worst(worst, abs(float(found[key][i, c, h, w]) - value))
    return worst


def _fair_shares() -> float:
    labels = torch.tensor([4, 1, 1, 0, 4, 4, 4, 1, 0, 4, 6])
    weights = balance.balanced_weights(labels)
    values = n.normal(16, 11)
    present = [0, 1, 4, 6]
    shares = torch.stack([weights[labels == c].sum() for c in present])
    means = torch.stack([values[labels == c].mean() for c in present])
    single = [1 / (4 * int((labels == c).sum())) for c in labels.tolist()]
    return n.worst(
        n.gap(shares, torch.full((4,), 0.25, dtype=torch.float64)),
        abs(float(weights @ values - means.mean())),
        n.gap(weights, n.float64(single)),
    )


def _splits_one_by_one() -> float:
    """Add up the chances of all splits in which a test picture has a sibling in training."""
    worst = 0.0
    for copies in (1, 2, 3, 5):
        for share in (0.0, 0.3, 0.8, 1.0):
            total = 0.0
            for split in itertools.product([True, False], repeat=copies - 1):
                chance = math.prod(share if trained else 1 - share for trained in split)
                total += chance * any(split)
            worst = n.worst(worst, abs(balance.leak_probability(copies, share) - total))
    return worst


PROOFS = (
    Proof(
        id="networks.pixel_round_trip",
        title="Bytes survive the way to the models and back, with a margin of half a step",
        statement=r"""x_v = \frac{v}{127.5} - 1, \qquad x_{v+1} - x_v = \frac{2}{255}, \qquad
            \lvert \hat x - x_v \rvert < \frac{1}{255} \;\Rightarrow\;
            \mathrm{round}\left( 127.5\, (\hat x + 1) \right) = v""",
        assumptions=r"$v = 0, 1, \dots, 255$; values outside $[-1, 1]$ are clipped. Rounding in "
        r"float32 moves $\hat x$ by less than $2^{-22}$, ten thousand times less than the margin.",
        source="Goldberg (1991), https://doi.org/10.1145/103162.103163",
        checks=(
            Check("enumeration", "all 256 levels in float32", _all_levels_return, 1e-12),
            Check("enumeration", "disturbed by 0.999 and 1.001 half steps", _margin, 1e-12),
        ),
    ),
    Proof(
        id="networks.aliasing",
        title="A wave that is too fast for the samples looks like a slow one",
        statement=r"""\cos \frac{2 \pi f n}{r} = \cos \frac{2 \pi f_{\text{seen}}\, n}{r}
            \quad (n \in \mathbb Z), \qquad
            f_{\text{seen}} = \left\lvert f - r \left\lfloor \frac fr \right\rceil \right\rvert
            \le \frac r2""",
        assumptions=r"$r$ samples per unit of length; $\lfloor \cdot \rceil$ rounds to the nearest "
        r"whole number. A wave with $f < r / 2$ is seen as what it is.",
        source="Shannon (1949), https://doi.org/10.1109/JRPROC.1949.232969",
        checks=(
            Check("SymPy identity", "whole turns and the sign vanish", _fold_exactly, 0.0),
            Check("enumeration", "44 waves at three rates", _fold_by_samples, 1e-10),
        ),
    ),
    Proof(
        id="networks.decimation",
        title="Skipping samples lays pieces of the spectrum on top of each other",
        statement=r"""y_n = x_{s n} \;\Rightarrow\;
            \hat y_k = \frac1s \sum_{m=0}^{s-1} \hat x_{k + m N / s}, \qquad
            k = 0, \dots, \frac Ns - 1""",
        assumptions=r"$\hat x_k = \sum_n x_n e^{-2 \pi i k n / N}$, and $s$ divides $N$.",
        source="Shannon (1949), https://doi.org/10.1109/JRPROC.1949.232969; "
        "Zhang (2019), https://arxiv.org/abs/1904.11486",
        checks=(Check("enumeration", "random rows, steps 1 to 4", _fold_of_spectra, 1e-12),),
    ),
    Proof(
        id="networks.filter_gain",
        title="A symmetric filter multiplies each wave by one number",
        statement=r"""\sum_k h_k \cos\left( 2 \pi f (n + k - c) \right)
            = H(f) \cos(2 \pi f n), \qquad
            H(f) = \sum_k h_k \cos\left( 2 \pi f (k - c) \right), \qquad
            H_{\text{box}}(f) = \frac{\sin \pi s f}{s \sin \pi f}""",
        assumptions=r"$h_k = h_{K - 1 - k}$ and $c = (K - 1) / 2$. The box averages $s$ pixels; "
        r"a box applied twice is a triangle with the gain $H_{\text{box}}^2$.",
        source="Zhang (2019), https://arxiv.org/abs/1904.11486",
        checks=(
            Check("enumeration", "waves through random filters", _gain_by_convolution, 1e-12),
            Check("enumeration", "boxes and triangles of four widths", _gain_of_boxes, 1e-12),
        ),
    ),
    Proof(
        id="networks.energy_above",
        title="The energy of a picture is the sum of the energies of its waves",
        statement=r"""\sum_n x_n^2 = \frac1N \sum_k \lvert \hat x_k \rvert^2, \qquad
            E_{\ge c} = \frac{\sum_{\max(\lvert f_x \rvert, \lvert f_y \rvert) \ge c}
            \lvert \hat x_f \rvert^2}{\sum_{f \ne 0} \lvert \hat x_f \rvert^2}""",
        assumptions=r"$N$ pixels, $\hat x$ is the discrete Fourier transform; the mean of the "
        "picture does not count.",
        source="Shannon (1949), https://doi.org/10.1109/JRPROC.1949.232969",
        checks=(
            Check("enumeration", "waves of known height", _energy_of_waves, 1e-12),
            Check("enumeration", "waves on the limit", _energy_on_the_limit, 1e-9),
            Check("linear algebra", "fast waves taken out by hand", _energy_by_parseval, 1e-12),
        ),
    ),
    Proof(
        id="networks.resize",
        title="Resizing is a weighted average whose weights must widen when a picture shrinks",
        statement=r"""Y = M_r\, X\, M_c^\top, \qquad
            M_{ij} \propto \max\left( 0,\ 1 - \frac{\lvert j + \frac12 - c_i \rvert}{w} \right),
            \qquad c_i = \frac{N}{N'} \left( i + \tfrac12 \right), \qquad
            w = \max\left( 1, \frac{N}{N'} \right), \qquad \sum_j M_{ij} = 1""",
        assumptions=r"$N$ pixels become $N'$. Without antialiasing $w = 1$. For a whole factor $s$ "
        r"the mean of each block of $s \times s$ pixels does a similar service.",
        source="Williams (1983), https://doi.org/10.1145/964967.801126; "
        "Parmar, Zhang and Zhu (2022), https://arxiv.org/abs/2104.11222",
        checks=(
            Check("enumeration", "box filter, then every s-th pixel", _blocks, 1e-12),
            Check("enumeration", "weights by hand, four pairs of lengths", _weights_by_hand, 1e-12),
            Check("linear algebra", "torch's own resizing", _resized_by_a_library, 1e-12),
        ),
    ),
    Proof(
        id="networks.augmentation_mixture",
        title="The law of augmented images is a mixture of moved laws",
        statement=r"""q = \sum_g w_g\, (g_\# p), \qquad
            q_j = \sum_{g=0}^{G-1} w_g\, p_{j - g \bmod G}""",
        assumptions=r"$g$ is drawn with probability $w_g$, independently of the image; $g_\# p$ is "
        r"the law of the moved image. The second form is for turns of an image with $G$ "
        "orientations.",
        source="Karras et al. (2020), section 2.2, https://arxiv.org/abs/2006.06676; "
        "Tran et al. (2021), https://arxiv.org/abs/2006.05338",
        checks=(
            Check("enumeration", "an image in all turns, five laws", _mixture_of_images, 1e-12),
        ),
    ),
    Proof(
        id="networks.augmentation_inverse",
        title="A mixture by turns can be undone unless a Fourier factor is zero",
        statement=r"""\hat q_k = \hat w_k\, \hat p_k, \qquad
            \hat w_k = \sum_{g=0}^{G-1} w_g\, e^{-2 \pi i k g / G}, \qquad
            \hat p_k = \frac{\hat q_k}{\hat w_k} \quad \text{if no } \hat w_k = 0""",
        assumptions=r"Turns of an image with $G$ orientations. The $\hat w_k$ are the eigenvalues "
        r"of the operator; where one is zero, that part of $p$ leaves no trace in $q$.",
        source="Karras et al. (2020), appendix C, https://arxiv.org/abs/2006.06676",
        checks=(
            Check("linear algebra", "factors are eigenvalues", _modes_of_the_mixture, 1e-12),
            Check("linear algebra", "the inverse matrix", _back_through_the_modes, 1e-10),
            Check("enumeration", "quarter turns at three chances", _quarter_turns, 1e-12),
            Check("linear algebra", "lost directions and rank, eight laws", _what_is_lost, 1e-12),
        ),
    ),
    Proof(
        id="networks.augmented_pairs",
        title="Geometry moves picture and mask, colour the picture alone, and the label has a veto",
        statement=r"""x' = \mathrm{clip}\left( a\, S^f x,\ -1,\ 1 \right), \qquad
            m' = S^f m, \qquad f = \text{chosen} \cdot \text{survives}[y]""",
        assumptions=r"$S$ exchanges left and right, $a$ is the gain of the contrast, and "
        r"$\text{survives}$ says which classes keep their name in a mirror.",
        source="Shorten and Khoshgoftaar (2019), https://doi.org/10.1186/s40537-019-0197-0",
        checks=(Check("enumeration", "pixel by pixel, six pictures", _pairs_one_by_one, 1e-12),),
    ),
    Proof(
        id="networks.balanced_sampling",
        title="Draw each example with one over the size of its class, and all classes come equally",
        statement=r"""w_i = \frac{1}{K\, n_{y_i}} \;\Rightarrow\;
            \sum_{i:\, y_i = c} w_i = \frac1K, \qquad
            \sum_i w_i\, h(x_i) = \frac1K \sum_{c} \frac{1}{n_c} \sum_{i:\, y_i = c} h(x_i)""",
        assumptions=r"$n_c$ examples of class $c$; $K$ classes occur.",
        source="He and Garcia (2009), https://doi.org/10.1109/TKDE.2008.239",
        checks=(Check("enumeration", "eleven examples of four classes", _fair_shares, 1e-12),),
    ),
    Proof(
        id="networks.leaky_split",
        title="Copies made before the split put siblings on both sides of it",
        statement=r"""\Pr[\text{a test picture has a sibling in training}]
            = 1 - (1 - r)^{m - 1}""",
        assumptions=r"$m$ pictures come from each original, and each becomes training data with "
        r"chance $r$, independently.",
        source="Kaufman et al. (2012), https://doi.org/10.1145/2382577.2382579",
        checks=(
            Check("enumeration", "all splits of up to five copies", _splits_one_by_one, 1e-12),
        ),
    ),
)
