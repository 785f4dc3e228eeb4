"""Right results spoilt in one known way, so that a diagnosis can be compared with the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from genimg_course.exercises import Specification, check
from genimg_course.exercises.checking import Verdict

__all__ = ["KINDS", "answers", "names_its_kind"]

Change = Callable[[Any, Any], Any]


def _number(value: Any) -> bool:
    return isinstance(value, Tensor | int | float) and not isinstance(value, bool)


def _batch(inputs: Any) -> int:
    sizes = [len(value) for value in inputs if isinstance(value, Tensor) and value.ndim]
    return sizes[0] if sizes else 1


def _everywhere(change: Change, value: Any, inputs: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _everywhere(change, item, inputs) for key, item in value.items()}
    return change(value, inputs) if _number(value) else value


def _once(change: Change, value: Any, inputs: Any) -> Any:
    """Change the first entry of a dictionary only."""
    if not isinstance(value, Mapping):
        return value
    first = next(iter(value))
    return {**value, first: _everywhere(change, value[first], inputs)}


def _tensor(change: Callable[[Tensor], Tensor]) -> Change:
    return lambda value, inputs: change(value) if isinstance(value, Tensor) else value


def _first_entry(value: Tensor) -> Tensor:
    if value.numel() < 4 or value.dtype == torch.uint8:
        return value
    moved = value.clone()
    moved.view(-1)[0] += 0.5
    return moved


def _slope(value: Tensor) -> Tensor:
    return value.detach() + 2 * (value - value.detach()) if value.requires_grad else value


def _turned(value: Tensor) -> Tensor:
    return value.flip(0) if value.ndim else value


KINDS: dict[str, tuple[Change, str, str]] = {
    "sign": (lambda value, inputs: -value, "value", "wrong sign"),
    "scale 3": (lambda value, inputs: 3 * value, "value", "3 times too large"),
    "scale 1/7": (lambda value, inputs: value / 7, "value", "7 times too small"),
    "offset": (lambda value, inputs: value + 2, "value", "too large by 2"),
    "zero": (lambda value, inputs: 0 * value, "value", "zero"),
    "square": (lambda value, inputs: value**2, "value", "square of"),
    "sum": (lambda value, inputs: value * _batch(inputs), "value", "sum where a mean"),
    "mean": (lambda value, inputs: value / _batch(inputs), "value", "mean where a sum"),
    "fixed size": (lambda value, inputs: value * _batch(inputs) / 17, "value", "fixed number"),
    "all summed": (
        _tensor(lambda value: value.sum() if value.ndim else value),
        "shape",
        "one number",
    ),
    "axis kept": (_tensor(lambda value: value[..., None]), "shape", ""),
    "order": (_tensor(_turned), "value", "another order"),
    "one entry": (_tensor(_first_entry), "value", "others are right"),
    "no graph": (_tensor(Tensor.detach), "gradient_missing", "no gradient reaches"),
    "slope": (_tensor(_slope), "gradient", "2 times too large"),
    "not a number": (lambda value, inputs: value * float("nan"), "finite", "NaN"),
}
"""Changes of a right result: the change, the property that fails, words of its sentence."""


def answers(item: Specification) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the spoilt answers of an exercise that are wrong, each with its kind."""
    if item.probe is not None:
        return
    sizes = {_batch(case.inputs.values()) for case in item.cases(torch.Generator().manual_seed(0))}
    for kind, (change, _, _) in KINDS.items():
        if kind in ("sum", "mean", "fixed size") and len(sizes) < 2:
            continue  # nothing tells a size from a number
        yield from _wrong(item, kind, partial(_everywhere, change))
        if kind in ("sign", "scale 3"):
            yield from _wrong(item, f"{kind}, one key", partial(_once, change))
    yield from _wrong(item, "state", _Growing())
    if _has_floats(item):
        yield "input changed", partial(_changing_its_input, item.reference)


def _has_floats(item: Specification) -> bool:
    cases = item.cases(torch.Generator().manual_seed(0))
    values = [value for case in cases for value in case.inputs.values()]
    return any(isinstance(value, Tensor) and value.is_floating_point() for value in values)


def _wrong(
    item: Specification, kind: str, change: Change
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the spoilt answer unless the change leaves every result as it is."""

    def answer(*inputs: Any, **options: Any) -> Any:
        return change(item.reference(*inputs, **options), inputs)

    if check(item, answer).status != "right":
        yield kind, answer


class _Growing:
    """Add what was counted in earlier calls: a result that depends on the past."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, value: Any, inputs: Any) -> Any:
        self.calls += 1
        return _everywhere(lambda number, _: number + self.calls, value, inputs)


def _changing_its_input(reference: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    result = reference(*inputs, **options)
    for value in inputs:
        if isinstance(value, Tensor) and value.is_floating_point() and not value.requires_grad:
            value.mul_(2)
    return result


def names_its_kind(item: Specification, kind: str, verdict: Verdict) -> bool:
    """Say whether a verdict names what was spoilt: as a misconception that does the same, or so."""
    if verdict.code in {wrong.code for wrong in item.misconceptions}:
        return True
    if kind == "state":
        return verdict.code == "repeat"
    if kind == "input changed":
        return verdict.code == "inplace"
    _, prop, words = KINDS[kind.partition(",")[0]]
    key = "in `" in verdict.sentence if kind.endswith("one key") else True
    special = item.stands_for(prop) or item.stands_for("value")
    told = words in verdict.sentence or (special is not None and special in verdict.sentence)
    return verdict.code == prop and told and key
