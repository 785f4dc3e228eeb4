"""What is computed from observations before they are compared, where the truth is known.

A probe may run beside an answer that nobody has to trust, so it sends what it saw, and the
conclusions are drawn here: whether a network has moved, whether draws follow a law.
"""

import math

import torch
from torch import Tensor

from genimg_course.probing.case import Case, Observations, Observed
from genimg_course.probing.values import weights

__all__ = ["normal_law", "normal_tolerances", "same", "which_moved"]


def which_moved(case: Case, seen: Observed) -> Observations:
    """Read the observations of training steps: a network has moved if its change is not zero."""
    for name, value in seen.items():
        kind, _, rest = name.partition(":")
        if kind == "change":
            yield f"moved:{rest}", bool(value.any())
        if kind != "raises":
            yield name, value


def normal_law(case: Case, seen: Observed) -> Observations:
    """Read draws of ``N(mu, exp(logvar))``: form, derivatives of each draw, law of the noise.

    ``dz/dmu = 1`` and ``dz/dlogvar = (z - mu) / 2`` hold for every draw ``mu + sigma * eps``,
    whoever drew ``eps``; a large case also yields statistics of it: :func:`normal_tolerances`.
    """
    first = seen["value"]
    # its form: shape, dtype, finite
    yield "value", first * 0 if isinstance(first, Tensor) else first
    for name in ("mu", "logvar"):
        yield f"unchanged:{name}", seen[f"unchanged:{name}"]
    z = seen["second"]
    if not _fit(case, first, z, seen["gradient:mu"], seen["gradient:logvar"]):
        return
    for name in ("mu", "logvar"):
        slope = seen[f"gradient:{name}"]
        difference = None if slope is None else slope / weights(slope) - _slope(name, z, case)
        yield f"gradient:{name}", difference
    eps = (first - case.inputs["mu"]) * (-0.5 * case.inputs["logvar"]).exp()
    if eps.numel() >= _MANY:
        yield from _normal_statistics(eps)
        yield "statistic:fresh", not same(first, z)


def _fit(case: Case, *seen: object) -> bool:
    """Say whether tensors have the shape of the inputs: others could broadcast to gigabytes."""
    shape = case.inputs["mu"].shape
    return all(not isinstance(one, Tensor) or one.shape == shape for one in seen)


def _slope(name: str, z: Tensor, case: Case) -> Tensor:
    """Return the derivative of ``z = mu + exp(logvar / 2) * eps`` that goes with this draw."""
    return torch.ones_like(z) if name == "mu" else (z - case.inputs["mu"]) / 2


_MANY = 50_000


def same(one: object, other: object) -> bool:
    """Say whether two observations are tensors of one shape with the same values."""
    if not (isinstance(one, Tensor) and isinstance(other, Tensor)) or one.shape != other.shape:
        return False
    return torch.allclose(one, other.to(one), rtol=1e-6, equal_nan=True)


def _normal_statistics(eps: Tensor) -> Observations:
    flat = eps.flatten().sort().values
    steps = torch.linspace(0, 1, len(flat) + 1, dtype=flat.dtype)
    cdf = 0.5 * (1 + torch.erf(flat / math.sqrt(2)))
    # shared noise first: it spoils mean and spread as well; about the mean, which has its own place
    around = eps - eps.mean()
    yield "statistic:rows", (around[1:] * around[:-1]).mean()
    yield "statistic:columns", (around[:, 1:] * around[:, :-1]).mean()
    yield "statistic:mean", eps.mean()
    yield "statistic:variance", eps.var()
    yield "statistic:law", torch.maximum(cdf - steps[:-1], steps[1:] - cdf).max()


def normal_tolerances(count: int) -> dict[str, tuple[float, float]]:
    """Return tolerances for the statistics of ``count`` draws: a right answer fails once in 1e8.

    Six standard errors of a difference of two estimates (the reference draws as well) for the
    moments; for the largest gap of the distribution function, 3.2 / sqrt(count): by the inequality
    of Dvoretzky, Kiefer and Wolfowitz that is exceeded with probability 2 exp(-2 * 3.2**2) = 3e-9.

    Source:
        Massart (1990), corollary 1, https://doi.org/10.1214/aop/1176990746
    """
    error = math.sqrt(2 / count)
    widths = {"mean": 6, "variance": 6 * math.sqrt(2), "rows": 6.1, "columns": 6.1}
    wide = {f"statistic:{name}": (0.0, width * error) for name, width in widths.items()}
    return wide | {"statistic:law": (0.0, 3.2 / math.sqrt(count))}
