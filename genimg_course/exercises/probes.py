"""What to observe of an answer: values and gradients, random draws (steps: ``step_probes``).

A probe calls the function on fresh copies of a case and yields pairs of a name and an observation,
all of it plain data. It knows no right answer, so the same code can run beside an untrusted one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from genimg_course.exercises.specification import Case, Observations, Probe

__all__ = [
    "call",
    "copies",
    "normal_draws",
    "normal_tolerances",
    "plain",
    "tensors",
    "values_and_gradients",
]

Function = Callable[..., Any]


def copies(case: Case, differentiate: Sequence[str] = ()) -> dict[str, Any]:
    """Return fresh copies of the inputs; those named in ``differentiate`` require gradients."""
    fresh = {k: v.detach().clone() if isinstance(v, Tensor) else v for k, v in case.inputs.items()}
    for name in differentiate:
        fresh[name].requires_grad_()
    return fresh


def call(function: Function, case: Case, inputs: Mapping[str, Any]) -> Any:
    """Call a function with these inputs by position and the options of the case by name."""
    return function(*inputs.values(), **case.options)


def plain(result: Any) -> Any:
    """Return a result without graph and device, so that it can be kept and compared."""
    if isinstance(result, Tensor):
        return result.detach().cpu().clone()
    if isinstance(result, Mapping):
        return {key: plain(value) for key, value in result.items()}
    if isinstance(result, tuple | list):
        return tuple(plain(value) for value in result)
    return result


def values_and_gradients(*differentiate: str) -> Probe:
    """Make the default probe: the value, the inputs afterwards, gradients, and a second call.

    Args:
        differentiate: names of the float inputs with respect to which gradients are compared.
    """

    def probe(function: Function, case: Case) -> Observations:
        inputs = copies(case)
        first = plain(call(function, case, inputs))
        yield "value", first
        yield from _unchanged(case, inputs)
        tracked = copies(case, differentiate)
        second = _tracked_call(function, case, tracked)
        yield from _gradients(second, {name: tracked[name] for name in differentiate})
        yield "repeat", second is None or _same(first, plain(second))

    return probe


def _unchanged(case: Case, inputs: Mapping[str, Any]) -> Observations:
    for name, value in case.inputs.items():
        if isinstance(value, Tensor):
            yield f"unchanged:{name}", _same(value, inputs[name])


def _tracked_call(function: Function, case: Case, inputs: Mapping[str, Any]) -> Any:
    """Call with inputs that require gradients; ``None`` if the function leaves torch for NumPy."""
    try:
        return call(function, case, inputs)
    except (RuntimeError, TypeError) as error:
        if "requires grad" in str(error) or "requires_grad" in str(error):
            return None
        raise


def _gradients(result: Any, inputs: Mapping[str, Tensor]) -> Observations:
    """Yield the gradient of a weighted sum of all results; the weights keep examples apart."""
    outputs = [item for item in tensors(result) if item.requires_grad]
    if not inputs:
        return
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if outputs:
        total = torch.stack([(item * _weights(item)).sum() for item in outputs]).sum()
        found = torch.autograd.grad(total, list(inputs.values()), allow_unused=True)
    for name, gradient in zip(inputs, found, strict=True):
        yield f"gradient:{name}", plain(gradient)


def _weights(like: Tensor) -> Tensor:
    return torch.linspace(0.5, 1.5, like.numel(), dtype=like.dtype, device=like.device).reshape(
        like.shape
    )


def tensors(result: Any) -> list[Tensor]:
    """Return all tensors of a result: itself, or those in its dictionaries, tuples and lists."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, Mapping):
        return [item for value in result.values() for item in tensors(value)]
    return (
        [item for value in result for item in tensors(value)]
        if isinstance(result, tuple | list)
        else []
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.allclose(
            one, other.to(one), rtol=1e-6, equal_nan=True
        )
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return repr(one) == repr(other)


def normal_draws(function: Function, case: Case) -> Observations:
    """Observe draws of ``N(mu, exp(logvar))``: form, derivatives of each draw, law of the noise.

    ``dz/dmu = 1`` and ``dz/dlogvar = (z - mu) / 2`` hold for every draw ``mu + sigma * eps``,
    whoever drew ``eps``; a large case also yields statistics of it: :func:`normal_tolerances`.
    """
    inputs = copies(case)
    first = plain(call(function, case, inputs))
    yield (
        "value",
        first * 0 if isinstance(first, Tensor) else first,
    )  # its form: shape, dtype, finite
    yield from _unchanged(case, inputs)
    tracked = copies(case, ("mu", "logvar"))
    z = _tracked_call(function, case, tracked)
    for name, slope in _gradients(z, tracked):
        yield (
            name,
            None if slope is None else slope / _weights(slope) - _slope(name, plain(z), case),
        )
    eps = (first - case.inputs["mu"]) * (-0.5 * case.inputs["logvar"]).exp()
    if eps.numel() >= _MANY:
        yield from _normal_statistics(eps)
        yield "statistic:fresh", not _same(first, plain(z))


def _slope(name: str, z: Tensor, case: Case) -> Tensor:
    """Return the derivative of ``z = mu + exp(logvar / 2) * eps`` that goes with this draw."""
    return torch.ones_like(z) if name == "gradient:mu" else (z - case.inputs["mu"]) / 2


_MANY = 50_000


def _normal_statistics(eps: Tensor) -> Observations:
    flat = eps.flatten().sort().values
    steps = torch.linspace(0, 1, len(flat) + 1, dtype=flat.dtype)
    cdf = 0.5 * (1 + torch.erf(flat / math.sqrt(2)))
    yield "statistic:mean", eps.mean()
    yield "statistic:variance", eps.var()
    yield "statistic:rows", (eps[1:] * eps[:-1]).mean()
    yield "statistic:columns", (eps[:, 1:] * eps[:, :-1]).mean()
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
