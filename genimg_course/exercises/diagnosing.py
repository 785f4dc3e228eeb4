"""Say in one sentence how an answer differs: the first property that fails, the kind of error."""

from collections.abc import Mapping, Sequence
from typing import Any

from genimg_course.exercises import sentences as s
from genimg_course.exercises.comparing import Difference, agree
from genimg_course.exercises.kinds import Found, kind_of_error, pairs
from genimg_course.exercises.specification import Specification
from genimg_course.probing.calling import Failure
from genimg_course.probing.case import Case, Observed

__all__ = ["explain"]


def explain(
    specification: Specification, found: Found, cases: Sequence[Case], right: Sequence[Observed]
) -> tuple[str, str]:
    """Return the first failing property and a sentence about it.

    Args:
        specification: the exercise.
        found: all differences, with the case in which each was seen.
        cases: all cases of the check, in order to say when an error shows in some only.
        right: what is right, case by case.
    """
    _, first = min(found, key=lambda pair: pair[1].rank)
    if first.fails not in _STRUCTURAL:
        first = _other_second_call(specification, found) or first
    alike = [pair for pair in found if (pair[1].fails, pair[1].name) == (first.fails, first.name)]
    own = specification.stands_for(first.name) if first.fails not in _STRUCTURAL else None
    sentence = s.say(own) if own else _sentence(alike, found, cases, right)
    return first.fails, " ".join([sentence, *_seen_with(alike, cases)])


_STRUCTURAL = frozenset(
    {"raises", "none", "type", "number", "keys", "shape", "dtype", "finite", "inplace"}
)


def _other_second_call(specification: Specification, found: Found) -> Difference | None:
    """Return a second call that differs from the first one: what is wrong may come of that."""
    first = {id(case): difference.got for case, difference in found if difference.name == "value"}
    for case, second in found:
        if second.name == "repeat" and second.got is not None:
            value = first.get(id(case), second.expected)
            if not agree(specification, "repeat", value, second.got):
                return second
    return None


def _sentence(alike: Found, found: Found, cases: Sequence[Case], right: Sequence[Observed]) -> str:
    """Fill in the general sentence of a property."""
    first = alike[0][1]
    prop, subject = first.fails, first.name.split(":")[1] if ":" in first.name else first.name
    if prop == "raises":
        return _raises(first.got)
    if prop == "shape":
        return _shape(alike)
    detail = kind_of_error(alike, found, cases, right) if prop in _WITH_DETAIL else ""
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
    every = [pair for _, found in alike for pair in pairs(found.expected, found.got)]
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
    found = sorted({str(item.dtype).removeprefix("torch.") for item, _ in pairs(value, value)})
    return ", ".join(found)


def _not_finite(value: Any) -> str:
    found = [item for item, _ in pairs(value, value) if not bool(item.isfinite().all())]
    return "NaN" if bool(found[0].isnan().any()) else "infinity"
