"""Proofs about what training costs: traffic, precision, memory, shared work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg_course.maths import cost, layers, parallel, precision
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS"]


def _product_by_loops() -> float:
    errors = []
    for rows, inner, columns, dtype in ((3, 5, 4, torch.float64), (6, 2, 7, torch.float16)):
        a, b = torch.ones(rows, inner, dtype=dtype), torch.ones(inner, columns, dtype=dtype)
        product, operations = torch.zeros(rows, columns, dtype=dtype), 0
        for i in range(rows):
            for j in range(columns):
                for k in range(inner):
                    product[i, j] += a[i, k] * b[k, j]
                    operations += 2
        traffic = a.nbytes + b.nbytes + product.nbytes
        found = cost.arithmetic_intensity(rows, inner, columns, width=a.element_size())
        errors.append(abs(found - operations / traffic))
    default = cost.arithmetic_intensity(2, 3, 5) - 60 / (31 * torch.ones(1).element_size())
    return n.worst(*errors, abs(default))


def _fastest_schedule() -> float:
    """Find the shortest time in which neither units nor memory do more than they can."""
    from scipy.optimize import linprog

    worst = 0.0
    for intensity in (0.5, 2.5, 7.0, 40.0):
        peak, bandwidth, moved = 30.0, 4.0, 6.0
        work = intensity * moved
        # work <= peak * t and moved <= bandwidth * t, least t
        least = linprog([1.0], A_ub=[[-peak], [-bandwidth]], b_ub=[-work, -moved]).fun
        pace = cost.roofline(intensity, peak=peak, bandwidth=bandwidth)
        worst = n.worst(worst, abs(pace - work / least))
    return worst


def _bit_patterns(dtype: torch.dtype, exponent: int, fraction: int) -> float:
    """Read every number that 16 bits can spell and find the ends of the range."""
    bits = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16)
    numbers = bits.view(dtype).double()
    finite = numbers[numbers.isfinite()]
    positive = finite[finite > 0].sort().values
    above_one = positive[positive > 1][0] - 1
    gaps = positive.diff()
    # below the smallest normal number the gap no longer halves
    normal = positive[:-1][gaps > gaps[0]][0] / 2
    expected = n.float64([positive[-1], normal, positive[0], above_one])
    found = n.float64(precision.float_format(exponent, fraction))
    return n.gap(found / expected, torch.ones_like(expected))


def _single_precision() -> float:
    info = torch.finfo(torch.float32)
    known = n.float64([info.max, info.smallest_normal, 2.0**-149, info.eps])
    return n.gap(n.float64(precision.float_format(8, 23)) / known, torch.ones_like(known))


def _network_gradient(scale: float) -> Tensor:
    """Return the gradient of a scaled loss of a small network."""
    x, slopes = n.normal(1, 6, 3), n.normal(3, 6, 2)
    weight = n.normal(2, 3, 2).requires_grad_()
    (gradient,) = torch.autograd.grad(scale * ((x @ weight).tanh() * slopes).sum(), weight)
    return gradient


def _scale_and_back() -> float:
    true = _network_gradient(1.0)
    errors = [n.gap(_network_gradient(s) / s, true) for s in (0.125, 3.0, 1024.0)]
    norm = true.norm().item()
    for bound in (0.4 * norm, 3.0 * norm):  # one clips, one leaves it alone
        clipped = precision.unscale_and_clip(_network_gradient(64.0), 64.0, max_norm=bound)
        expected = true.float().clone()
        expected *= bound / norm if bound < norm else 1.0
        errors.append(n.gap(clipped, expected))
    return n.worst(*errors) if clipped.dtype == torch.float32 else math.inf


def _lost_and_saved() -> float:
    """Send gradients through float16: powers of two, which it holds exactly or not at all."""
    true = 2.0 ** -torch.arange(20, 32, dtype=torch.float64)
    plain, scaled = true.half(), (2.0**12 * true).half()
    saved = precision.unscale_and_clip(scaled, 2.0**12, max_norm=1.0)
    lost = plain == 0  # half of 2 ** -24, the smallest number, rounds to zero
    overflow = precision.unscale_and_clip(torch.tensor([1.0, math.inf]), 8.0, max_norm=1.0)
    right = bool((lost == (true <= 2.0**-25)).all()) and overflow.tolist() == [0.0, 0.0]
    return n.gap(saved.double() / true, torch.ones_like(true)) if right else math.inf


class _Kept:
    """Count the bytes that the backward pass keeps, those of the parameters left out."""

    def __init__(self, network: nn.Module) -> None:
        self.parameters = {p.data_ptr() for p in network.parameters()}
        self.storages: dict[int, int] = {}

    def __call__(self, tensor: Tensor) -> Tensor:
        place = tensor.untyped_storage()
        if place.data_ptr() not in self.parameters:
            self.storages[place.data_ptr()] = place.nbytes()
        return tensor


def _memory_of_a_step(momentum: bool, average: bool, batch: int) -> float:
    with torch.random.fork_rng(devices=[]):  # the values do not matter, their number does
        network = nn.Sequential(nn.Linear(5, 7), nn.Sigmoid(), nn.Linear(7, 3), nn.Sigmoid())
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=rng))
    optimizer: torch.optim.Optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    if not momentum:
        optimizer = torch.optim.Adam(network.parameters())
    kept = _Kept(network)
    x = torch.randn(batch, 5, generator=rng)
    with torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor):
        loss = network(x).sum()
    loss.backward()
    optimizer.step()
    copies = [[p, p.grad] + ([p.detach().clone()] if average else []) for p in network.parameters()]
    moments = [t for s in optimizer.state.values() for k, t in s.items() if k != "step"]
    tensors = [t for row in copies for t in row] + moments
    counted = sum(t.nbytes for t in tensors) + sum(kept.storages.values())
    # the input and the outputs of both sigmoids are kept, each once
    options: dict[str, Any] = {"moments": 1} if momentum else {}
    options |= {"average": True} if average else {}
    count = 5 * 7 + 7 + 7 * 3 + 3
    expected = cost.training_bytes(count, 5 + 7 + 3, batch_size=batch, **options)
    return float(abs(counted - expected))


def _halved_activations() -> float:
    full = cost.training_bytes(11, 13, batch_size=3, half=False)
    kept = torch.zeros(3, 13, dtype=torch.bfloat16)
    return float(abs(full - cost.training_bytes(11, 13, batch_size=3, half=True) - kept.nbytes))


def _count_the_steps() -> float:
    images, batch, epochs, warm_up = 23, 4, 3, 2
    times = n.float64([9.0, 5.0, 0.5, 0.25, 0.75, 0.4])
    pace, total = times[warm_up:].tolist(), 0.0
    for _ in range(epochs):
        left = images
        while left >= batch:
            left -= batch
            total += sum(pace) / len(pace)
    found = cost.run_hours(times, images=images, batch_size=batch, epochs=epochs, warm_up=warm_up)
    usual = cost.run_hours(times, images=images, batch_size=batch, epochs=epochs)
    last = epochs * (images // batch) * 0.4 / 3600
    return n.worst(abs(found - total / 3600), abs(usual - last))


def _meter() -> float:
    """Add up a run second by second, in joules."""
    joules = sum(1.4 * 250.0 for _ in range(7200))
    energy = joules / 3.6e6
    found = cost.energy_cost(2.0, watts=250.0, price=0.3, overhead=1.4)
    bare = cost.energy_cost(2.0, watts=250.0, price=0.3)
    return n.worst(
        abs(found["kilowatt_hours"] - energy),
        abs(found["price"] - 0.3 * energy),
        abs(bare["kilowatt_hours"] - energy / 1.4),
    )


SHARDS = (2, 5, 4)
"""Examples in each of three shards."""


def _shards() -> tuple[Tensor, Tensor, Tensor]:
    return n.normal(1, sum(SHARDS), 3), n.normal(2, sum(SHARDS)), n.normal(3, 3)


def _slope(x: Tensor, y: Tensor, w: Tensor) -> Tensor:
    at = w.clone().requires_grad_()
    return torch.autograd.grad(F.softplus(-y * (x @ at).tanh()).mean(), at)[0]


def _gradient_of_shards() -> float:
    x, y, w = _shards()
    pieces = zip(x.split(SHARDS), y.split(SHARDS), strict=True)
    rows = torch.stack([_slope(some, target, w) for some, target in pieces])
    merged = parallel.merge_gradients(rows, torch.tensor(SHARDS))
    plain = parallel.merge_gradients(rows[:2], torch.tensor([6, 6]))
    return n.worst(n.gap(merged, _slope(x, y, w)), n.gap(plain, rows[:2].mean(dim=0)))


def _statistics_of_shards() -> float:
    x = 3 * n.normal(4, sum(SHARDS), 2) + n.float64([2.0, -1.0])
    means = torch.stack([piece.mean(dim=0) for piece in x.split(SHARDS)])
    variances = torch.stack([piece.var(dim=0, unbiased=False) for piece in x.split(SHARDS)])
    mean, variance = parallel.merge_statistics(means, variances, torch.tensor(SHARDS))
    return n.worst(n.gap(mean, x.mean(dim=0)), n.gap(variance, x.var(dim=0, unbiased=False)))


def _rings() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    for processes, numbers in ((2, 6), (3, 12), (5, 10), (1, 4)):
        values = n.normal(processes, processes, numbers)
        yield values, *parallel.ring_all_reduce(values)


def _sum_over_a_ring() -> float:
    gaps = [n.gap(held, values.sum(dim=0).expand_as(values)) for values, held, _ in _rings()]
    return n.worst(*gaps)


def _traffic_of_a_ring() -> float:
    worst = 0.0
    for values, _, sent in _rings():
        bytes_sent = 8.0 * sent.double()
        formula = parallel.ring_traffic(values.shape[1], len(values), width=values.element_size())
        worst = n.worst(worst, n.gap(bytes_sent, torch.full_like(bytes_sent, formula)))
        half = parallel.ring_traffic(values.shape[1], len(values))
        worst = n.worst(worst, abs(half - 4.0 * sent[0].item()))
    return worst


def _blind_to_brightness() -> float:
    x, (gamma, beta) = n.normal(1, 9, 3), n.normal(2, 2, 3)
    stretch, shift, eps = n.float64([0.3, 2.0, 5.0]), n.float64([0.7, -4.0, 0.1]), 0.02
    seen = layers.batch_norm(x, gamma, beta, eps=eps)
    moved = torch.stack(
        [
            layers.batch_norm(
                stretch[j] * x[:, j : j + 1] + shift[j],
                gamma[j : j + 1],
                beta[j : j + 1],
                eps=float(stretch[j]) ** 2 * eps,
            )[:, 0]
            for j in range(3)
        ],
        dim=1,
    )
    return n.gap(moved, seen)


def _running_statistics() -> float:
    """Follow torch's layer for 12 batches of one variance and compare with the formula."""
    layer = nn.BatchNorm1d(2, momentum=0.1).double()
    x = 0.3 * n.normal(5, 7, 2) + 1.0
    variance, mean = x.var(dim=0), x.mean(dim=0)
    worst = 0.0
    for step in range(1, 13):
        layer(x)
        kept = 0.9**step
        assert layer.running_var is not None and layer.running_mean is not None
        worst = n.worst(
            worst,
            n.gap(layer.running_var, kept + (1 - kept) * variance),
            n.gap(layer.running_mean, (1 - kept) * mean),
        )
    return worst


ROOFLINE = "Williams, Waterman and Patterson (2009), https://doi.org/10.1145/1498765.1498785"
RING = "Patarasuk and Yuan (2009), https://doi.org/10.1016/j.jpdc.2008.09.002"

PROOFS = (
    Proof(
        id="networks.arithmetic_intensity",
        title="Operations per byte of a matrix product",
        statement=r"""I = \frac{\text{operations}}{\text{bytes}}
            = \frac{2\, m k n}{w\,(mk + kn + mn)}""",
        assumptions=r"An $m \times k$ matrix times a $k \times n$ matrix, $w$ bytes a number; each "
        "number is read or written once, the least that is possible.",
        source=ROOFLINE,
        checks=(Check("enumeration", "every operation of three loops", _product_by_loops, 1e-12),),
    ),
    Proof(
        id="networks.roofline",
        title="No machine is faster than its arithmetic or its memory",
        statement=r"""\text{time} \ge \max\left( \frac{W}{P}, \frac{Q}{\beta} \right), \qquad
            \frac{W}{\text{time}} \le \min(P,\ \beta I), \qquad I = \frac WQ""",
        assumptions=r"$W$ operations at no more than $P$ a second, $Q$ bytes at no more than "
        r"$\beta$ a second; both may happen at once.",
        source=ROOFLINE,
        checks=(
            Check(
                "linear programme", "the shortest time at 4 intensities", _fastest_schedule, 1e-9
            ),
        ),
    ),
    Proof(
        id="networks.float_format",
        title="Bits of the exponent buy range, bits of the fraction buy digits",
        statement=r"""x_{\max} = (2 - 2^{-f})\, 2^{b}, \qquad x_{\text{normal}} = 2^{1 - b}, \qquad
            x_{\min} = 2^{1 - b - f}, \qquad \varepsilon = 2^{-f}, \qquad b = 2^{e - 1} - 1""",
        assumptions=r"$e$ bits of exponent and $f$ bits of fraction; the highest exponent is kept "
        "for infinity, the lowest for numbers with fewer digits.",
        source="Goldberg (1991), https://doi.org/10.1145/103162.103163",
        checks=(
            Check(
                "enumeration",
                "all 65536 bit patterns of float16",
                lambda: _bit_patterns(torch.float16, 5, 10),
                1e-12,
            ),
            Check(
                "enumeration",
                "all 65536 bit patterns of bfloat16",
                lambda: _bit_patterns(torch.bfloat16, 8, 7),
                1e-12,
            ),
            Check("enumeration", "what torch says of float32", _single_precision, 1e-12),
        ),
    ),
    Proof(
        id="networks.loss_scaling",
        title="A scaled loss has a scaled gradient",
        statement=r"""g = \frac{1}{s} \nabla_\theta (s L) = \nabla_\theta L, \qquad
            \tilde g = g\, \min\left( 1, \frac{c}{\lVert g \rVert} \right)""",
        assumptions=r"Exact arithmetic for the identity, any $s > 0$; in float16 values below "
        r"$2^{-25}$ become zero before they can be divided, so $s$ must come first.",
        source="Micikevicius et al. (2018), section 3.2, https://arxiv.org/abs/1710.03740",
        checks=(
            Check(
                "autograd",
                "a network with three scales, clipped and not",
                _scale_and_back,
                1e-6,
            ),
            Check(
                "enumeration",
                "float16 loses the plain gradient and keeps the scaled one; overflow is skipped",
                _lost_and_saved,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.training_memory",
        title="What a training step holds in memory",
        statement=r"""M = 4N\,(1 + 1 + k + a) + b\, A\, B""",
        assumptions=r"$N$ parameters in float32 with their gradients, $k$ moments of the optimiser "
        r"each, $a = 1$ if an average is kept; $A$ numbers of $b$ bytes an image for the backward "
        r"pass, $B$ images. Buffers, temporary memory and the allocator's reserve come on top.",
        source="Rajbhandari et al. (2020), section 3, https://arxiv.org/abs/1910.02054",
        checks=(
            Check(
                "enumeration",
                "every tensor of a step with Adam",
                lambda: _memory_of_a_step(False, False, 6),
                1e-12,
            ),
            Check(
                "enumeration",
                "every tensor of a step with momentum and an average",
                lambda: _memory_of_a_step(True, True, 9),
                1e-12,
            ),
            Check("enumeration", "activations of two bytes", _halved_activations, 1e-12),
        ),
    ),
    Proof(
        id="networks.shard_gradients",
        title="The gradient of a batch is the weighted mean of its shards' gradients",
        statement=r"""\nabla \frac1B \sum_{i=1}^{B} \ell_i
            = \sum_r \frac{B_r}{B}\, \nabla L_r, \qquad
            L_r = \frac{1}{B_r} \sum_{i \in r} \ell_i""",
        assumptions=r"The loss $\ell_i$ of an example depends on no other example, so not through "
        "batch normalisation.",
        source="Goyal et al. (2017), section 3.1, https://arxiv.org/abs/1706.02677",
        checks=(
            Check("autograd", "11 examples in shards of 2, 5 and 4", _gradient_of_shards, 1e-12),
        ),
    ),
    Proof(
        id="networks.shard_statistics",
        title="Statistics of a batch from those of its shards",
        statement=r"""m = \sum_r \frac{B_r}{B}\, m_r, \qquad
            v = \sum_r \frac{B_r}{B} \left( v_r + (m_r - m)^2 \right)""",
        assumptions=r"Means $m_r$ and variances $v_r$ with divisor $B_r$. The mean of the "
        "variances alone is too small wherever the means differ.",
        source="Chan, Golub and LeVeque (1983), https://doi.org/10.1080/00031305.1983.10483115",
        checks=(Check("linear algebra", "shards of 2, 5 and 4", _statistics_of_shards, 1e-12),),
    ),
    Proof(
        id="networks.ring_all_reduce",
        title="A ring adds up a gradient for less than twice its size",
        statement=r"""\text{bytes sent by each process} = 2\, \frac{R - 1}{R}\, w N < 2 w N""",
        assumptions=r"$N$ numbers of $w$ bytes in each of $R$ processes, $R$ divides $N$; "
        r"$2(R - 1)$ rounds in which each process sends one piece to its neighbour.",
        source=RING,
        checks=(
            Check("enumeration", "every process holds the sum", _sum_over_a_ring, 1e-12),
            Check("enumeration", "what each process has sent", _traffic_of_a_ring, 1e-12),
        ),
    ),
    Proof(
        id="networks.batch_norm_is_blind",
        title="Batch normalisation erases contrast and brightness of a batch",
        statement=r"""\mathrm{BN}_{a^2 \epsilon}(a x + c) = \mathrm{BN}_{\epsilon}(x),
            \qquad a > 0""",
        assumptions=r"Statistics of the batch; $a$ and $c$ are the same for every example of the "
        r"batch. $\epsilon$ is the small number under the root.",
        source="Ioffe and Szegedy (2015), section 3.3, https://arxiv.org/abs/1502.03167",
        checks=(
            Check(
                "linear algebra", "three features, stretched and moved", _blind_to_brightness, 1e-12
            ),
        ),
    ),
    Proof(
        id="networks.running_statistics",
        title="The running statistics of batch normalisation lag behind",
        statement=r"""v_n = (1 - \mu)^n + \left( 1 - (1 - \mu)^n \right) v, \qquad
            m_n = \left( 1 - (1 - \mu)^n \right) m""",
        assumptions=r"They begin at variance 1 and mean 0; every batch has the variance $v$ and "
        r"the mean $m$; $\mu$ is what torch calls momentum, the weight of the newest batch.",
        source="Ioffe and Szegedy (2015), section 3.1, https://arxiv.org/abs/1502.03167",
        checks=(
            Check("enumeration", "12 batches through torch's layer", _running_statistics, 1e-12),
        ),
    ),
    Proof(
        id="networks.run_cost",
        title="From a few steps to the hours, the energy and the price of a run",
        statement=r"""h = \frac{E\, \lfloor n / B \rfloor\, \bar t}{3600}, \qquad
            \mathrm{kWh} = \frac{u P h}{1000}, \qquad \text{price} = c \cdot \mathrm{kWh}""",
        assumptions=r"$\bar t$ is the mean time of a step in seconds after the warm-up, $E$ the "
        r"epochs, $n$ the images, $B$ the batch; $P$ watts, overhead $u \ge 1$, $c$ per kWh.",
        source="Strubell, Ganesh and McCallum (2019), https://arxiv.org/abs/1906.02243",
        checks=(
            Check("enumeration", "every step of three epochs", _count_the_steps, 1e-12),
            Check("enumeration", "the joules of two hours, second by second", _meter, 1e-9),
        ),
    ),
)
