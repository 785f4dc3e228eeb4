"""Observe a value: the result, the inputs afterwards, gradients, and a second call."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from genimg_course.probing.case import Case, Function, Observations

__all__ = [
    "call",
    "copies",
    "gradients",
    "plain",
    "tensors",
    "tracked_call",
    "unchanged",
    "values_and_gradients",
    "weights",
]


def values_and_gradients(function: Function, case: Case, *differentiate: str) -> Observations:
    """Observe the value, the inputs afterwards, gradients, and the value of a second call.

    Args:
        function: the answer.
        case: its inputs.
        differentiate: names of the float inputs with respect to which gradients are taken.
    """
    inputs = copies(case)
    yield "value", plain(call(function, case, inputs))
    yield from unchanged(case, inputs)
    tracked = copies(case, differentiate)
    second = tracked_call(function, case, tracked)
    yield from gradients(second, {name: tracked[name] for name in differentiate})
    yield "repeat", plain(second)


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


def unchanged(case: Case, inputs: Mapping[str, Any]) -> Observations:
    """Yield the tensors among the inputs as they are after a call; they should be as before."""
    for name, value in case.inputs.items():
        if isinstance(value, Tensor):
            yield f"unchanged:{name}", plain(inputs[name])


def tracked_call(function: Function, case: Case, inputs: Mapping[str, Any]) -> Any:
    """Call with inputs that require gradients; ``None`` if the function leaves torch for NumPy."""
    try:
        return call(function, case, inputs)
    except (RuntimeError, TypeError) as error:
        if "requires grad" in str(error) or "requires_grad" in str(error):
            return None
        raise


def gradients(result: Any, inputs: Mapping[str, Tensor]) -> Observations:
    """Yield the gradient of a weighted sum of all results; the weights keep examples apart."""
    outputs = [item for item in tensors(result) if item.requires_grad]
    if not inputs:
        return
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if outputs:
        total = torch.stack([(item * weights(item)).sum() for item in outputs]).sum()
        found = torch.autograd.grad(total, list(inputs.values()), allow_unused=True)
    for name, gradient in zip(inputs, found, strict=True):
        yield f"gradient:{name}", plain(gradient)


def weights(like: Tensor) -> Tensor:
    """Return the weights with which the entries of a result are summed before a gradient."""
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
