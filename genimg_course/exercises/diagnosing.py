"""Say in one sentence how an answer differs: the first property that fails, the kind of error."""

import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from genimg_course.exercises import sentences as s
from genimg_course.exercises.calling import Failure
from genimg_course.exercises.comparing import Difference
from genimg_course.exercises.specification import Case, Specification

__all__ = ["explain"]

Found = Sequence[tuple[Case, Difference]]


def explain(specification: Specification, found: Found, cases: Sequence[Case]) -> tuple[str, str]:
    """Return the first failing property and a sentence about it.

    Args:
        specification: the exercise.
        found: all differences, with the case in which each was seen.
        cases: all cases of the check, in order to say when an error shows in some only.
    """
    _, first = min(found, key=lambda pair: pair[1].rank)
    alike = [pair for pair in found if (pair[1].fails, pair[1].name) == (first.fails, first.name)]
    own = specification.stands_for(first.name) if first.fails not in _STRUCTURAL else None
    sentence = s.say(own) if own else _sentence(alike, cases)
    return first.fails, " ".join([sentence, *_seen_with(alike, cases)])


_STRUCTURAL = frozenset(
    {"raises", "none", "type", "number", "keys", "shape", "dtype", "finite", "inplace"}
)


def _sentence(alike: Found, cases: Sequence[Case]) -> str:
    """Fill in the general sentence of a property."""
    first = alike[0][1]
    prop, subject = first.fails, first.name.split(":")[1] if ":" in first.name else first.name
    if prop == "raises":
        return _raises(first.got)
    if prop == "shape":
        return _shape(alike)
    detail = _kind_of_error(alike, cases) if prop in _WITH_DETAIL else ""
    values: dict[str, Any] = {"name": subject, "detail": detail}
    if prop in ("type", "number"):
        values |= {"got": _count(first.got) if prop == "number" else _what(first.got)}
        values |= {"expected": _what(first.expected)}
    if prop == "keys":
        missing = [key for key in first.expected if key not in first.got]
        values |= {"missing": _names(missing), "expected": _names(first.expected)}
    if prop == "dtype":
        values |= {"got": _dtype(first.got), "expected": _dtype(first.expected)}
    if prop in ("finite", "gradient_finite"):
        values |= {"what": _not_finite(first.got)}
    template = s.STILL if prop == "moved" and first.expected else _TEMPLATES[prop]
    return s.say(template, values)


_TEMPLATES = {
    "none": s.NONE,
    "type": s.TYPE,
    "number": s.NUMBER,
    "keys": s.KEYS,
    "dtype": s.DTYPE,
    "finite": s.FINITE,
    "inplace": s.INPLACE,
    "value": s.VALUE,
    "gradient_missing": s.GRADIENT_MISSING,
    "gradient_finite": s.GRADIENT_FINITE,
    "gradient": s.GRADIENT,
    "moved": s.MOVED,
    "change": s.CHANGE,
    "losses": s.LOSSES,
    "statistic": s.OTHER,
    "observation": s.OTHER,
    "repeat": s.REPEAT,
}
_WITH_DETAIL = frozenset({"value", "gradient", "change", "losses", "statistic", "observation"})


def _seen_with(alike: Found, cases: Sequence[Case]) -> list[str]:
    """Name the special cases in which an error shows, if it shows in these only."""
    names = list(dict.fromkeys(s.say(case.name) for case, _ in alike))
    if len(alike) < len(cases) and all(names):
        return [s.say(s.SEEN_WITH, {"cases": ", ".join(names)})]
    return []


def _raises(failure: Failure) -> str:
    if "CUDA" in failure.text or "NVIDIA" in failure.text:
        return s.say(s.NEEDS_DEVICE)
    error = f"{failure.kind}: {failure.text}" if failure.text else failure.kind
    values = {"error": error.replace("`", "'"), "line": failure.line, "code": failure.code}
    return s.say(s.RAISES_AT if failure.line else s.RAISES, values)


def _shape(alike: Found) -> str:
    """Show the shapes of the largest case, where no batch looks like an axis of length 1."""
    every = [pair for _, found in alike for pair in _pairs(found.expected, found.got)]
    one, other = max(
        (pair for pair in every if pair[0].shape != pair[1].shape), key=lambda pair: pair[0].numel()
    )
    got, expected = tuple(other.shape), tuple(one.shape)
    values = {"got": got, "expected": expected}
    if not got and expected:
        return s.say(s.SHAPE_SCALAR, values)
    if got and not expected:
        return s.say(s.SHAPE_REDUCE, values)
    if [n for n in got if n != 1] == [n for n in expected if n != 1] and len(got) > len(expected):
        return s.say(s.SHAPE_EXTRA, values)
    return s.say(s.SHAPE, values)


def _pairs(expected: Any, got: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the tensors (or numbers) of two results side by side."""
    if isinstance(expected, Mapping):
        for key in expected:
            yield from _pairs(expected[key], got[key])
    elif isinstance(expected, tuple | list):
        for one, other in zip(expected, got, strict=True):
            yield from _pairs(one, other)
    elif all(
        isinstance(item, Tensor | Real) and not isinstance(item, bool) for item in (expected, got)
    ):
        yield torch.as_tensor(expected), torch.as_tensor(got)


def _kind_of_error(alike: Found, cases: Sequence[Case]) -> str:
    """Say which simple operation separates wrong values from right ones in every ordinary case."""
    factors, offsets, sized = [], [], []
    for case in (case for case in cases if not case.name):
        pairs = [
            pair for failing, d in alike if failing is case for pair in _pairs(d.expected, d.got)
        ]
        for one, other in pairs or [(torch.ones(1), torch.ones(1))]:  # a case that passes
            one, other = one.double().flatten(), other.double().flatten()
            factors.append(_constant(other / one, one.abs() > 1e-6))
            offsets.append(_constant(other - one, one.isfinite()))
            sized.append(case)
    if all(factor == 1.0 for factor in factors):
        return ""  # wrong in special cases only
    known = [factor for factor in factors if factor is not None]
    if len(known) == len(factors):
        return _factor(known, sized)
    if offsets[0] is not None and all(_close(offset, offsets[0]) for offset in offsets):
        return s.say(s.ABOVE if offsets[0] > 0 else s.BELOW, {"offset": f"{abs(offsets[0]):.4g}"})
    return ""


def _constant(values: Tensor, where: Tensor) -> float | None:
    """Return the one value that all chosen entries have, ``None`` if there is none."""
    chosen = values[where]
    if not len(chosen) or not bool(chosen.isfinite().all()):
        return None
    first = float(chosen[0])
    return first if all(_close(float(value), first) for value in chosen) else None


def _close(one: float | None, other: float) -> bool:
    return one is not None and math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-9)


def _factor(factors: Sequence[float], cases: Sequence[Case]) -> str:
    """Name a factor: one for all cases, or one that follows the size of an axis."""
    factor = factors[0]
    if all(_close(other, factor) for other in factors):
        if _close(factor, -1.0):
            return s.say(s.SIGN)
        size = abs(factor) if abs(factor) >= 1 else 1 / max(abs(factor), 1e-300)
        wrong = s.TOO_LARGE if abs(factor) >= 1 else s.TOO_SMALL
        return s.say(wrong, {"factor": f"{size:.4g}"}) + (s.say(s.SIGN_AND) if factor < 0 else "")
    sizes = [dict(_sizes(case)) for case in cases]
    for axis in sizes[0]:
        pairs = [
            (factor, size.get(axis, math.nan)) for factor, size in zip(factors, sizes, strict=True)
        ]
        if all(_close(factor * size, 1.0) for factor, size in pairs):
            return s.say(s.MEAN_FOR_SUM, {"axis": axis})
        if all(_close(factor / size, 1.0) for factor, size in pairs):
            return s.say(s.SUM_FOR_MEAN, {"axis": axis})
    return ""


def _sizes(case: Case) -> Iterator[tuple[str, int]]:
    """Yield the sizes over which a mean could be taken, each with its name."""
    for name, value in case.inputs.items():
        if isinstance(value, Tensor) and value.ndim:
            for axis, size in enumerate(value.shape):
                yield s.say(s.AXIS, {"axis": axis, "name": name}), size
            yield s.say(s.PER_EXAMPLE, {"name": name}), value[0].numel()
            yield s.say(s.ALL_ELEMENTS, {"name": name}), value.numel()


def _what(value: Any) -> str:
    """Name the type of a result as a reader would."""
    if isinstance(value, Mapping):
        return "`dict` of " + _names(sorted({type(item).__name__ for item in value.values()}))
    if isinstance(value, tuple | list):
        return f"`{type(value).__name__}` of {len(value)}"
    return f"`{type(value).__name__}`"


def _count(value: Any) -> str:
    return str(len(value)) if isinstance(value, tuple | list) else "1"


def _names(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _dtype(value: Any) -> str:
    found = sorted({str(item.dtype).removeprefix("torch.") for item, _ in _pairs(value, value)})
    return ", ".join(found)


def _not_finite(value: Any) -> str:
    found = [item for item, _ in _pairs(value, value) if not bool(item.isfinite().all())]
    return "NaN" if bool(found[0].isnan().any()) else "infinity"
