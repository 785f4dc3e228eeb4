"""Find what kind of error wrong numbers are: a sign, a factor, a sum for a mean, an order.

The numbers of the answer are compared with the right ones in every ordinary case; a kind is named
only if it explains all of them.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genimg_course.exercises import sentences as s
from genimg_course.exercises.comparing import Difference, is_huge
from genimg_course.probing.case import Case, Observed

__all__ = ["Found", "kind_of_error", "pairs"]

Found = Sequence[tuple[Case, Difference]]


class _Seen(NamedTuple):
    """The right numbers of a case and those of the answer, both flat and in float64."""

    case: Case
    right: Tensor
    got: Tensor


def kind_of_error(
    alike: Found, found: Found, cases: Sequence[Case], right: Sequence[Observed]
) -> str:
    """Return how the wrong numbers differ from the right ones, to be put behind a sentence.

    Args:
        alike: differences of one observation, with the cases in which they were seen.
        found: the differences of all observations.
        cases: all cases of the check; those without a name are the ordinary ones.
        right: what is right, case by case; a case without a difference has it.

    Returns:
        ``" in `key`"`` where a dictionary is wrong in part, then a colon and the kind; or nothing.
    """
    name = alike[0][1].name
    wrongly = {id(case): difference for case, difference in alike}
    told = []
    for case, seen in zip(cases, right, strict=True):
        if difference := wrongly.get(id(case)):
            told.append((case, dict(_by_key(difference.expected, difference.got))))
        elif name in seen:
            told.append((case, dict(_by_key(seen[name], seen[name]))))
    telling = [(case, keys) for case, keys in told if not case.name]
    if not any(id(case) in wrongly for case, _ in telling):  # in special cases only
        telling = [(case, keys) for case, keys in told if id(case) in wrongly]
    if sum(len(one) for _, keys in telling for one, _ in keys.values()) < _FEW:
        telling = told
    wrong = _wrong_keys([keys for _, keys in telling])
    place = _place(wrong, [keys for _, keys in telling])
    flat = [_flat(case, [keys[key] for key in wrong]) for case, keys in telling]
    if not wrong or not all(bool(one.got.isfinite().all()) for one in flat):
        return place
    slopes = _slopes(found, right) if name == "value" else ""
    kinds = (*_kinds(flat), slopes, *_tendencies(flat))
    return place + next((text for text in kinds if text), "")


def _slopes(found: Found, right: Sequence[Observed]) -> str:
    """Say which gradients are right: what is wrong has to do with the other inputs."""
    every = dict.fromkeys(name for seen in right for name in seen if name.startswith("gradient:"))
    wrong = {difference.name for _, difference in found}
    names = {
        good: ", ".join(f"`{name.partition(':')[2]}`" for name in every if (name in wrong) != good)
        for good in (True, False)
    }
    if not names[True]:
        return ""
    sentence = s.SLOPES if names[False] else s.ALL_SLOPES
    return s.say(sentence, {"right": names[True], "wrong": names[False]})


def _tendencies(seen: Sequence[_Seen]) -> Iterator[str]:
    """Yield what can be said of numbers that no simple operation explains."""
    got = torch.cat([one.got for one in seen])
    off = got - torch.cat([one.right for one in seen])
    if len(seen) > 1 and len(got) > 2 and _constant(got, got.isfinite()) is not None:
        yield s.say(s.CONSTANT, {"value": f"{float(got[0]):.4g}"})
    if sum(len(one.right) for one in seen) > 2 * len(seen):
        if all(_constant(one.got / one.right, one.right.abs() > 1e-6) for one in seen):
            yield s.say(s.FACTOR_PER_CASE)
        if all(_constant(one.got - one.right, one.right.isfinite()) for one in seen):
            yield s.say(s.OFFSET_PER_CASE)
    if bool((off >= 0).all()):
        yield s.say(s.EVER_LARGER)
    yield s.say(s.EVER_SMALLER if bool((off <= 0).all()) else s.BOTH_WAYS)


_FEW = 3
"""So few numbers say little; then the special cases are asked as well."""


def pairs(expected: Any, got: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the tensors (or numbers) of two results side by side; what has no partner is left."""
    for _, one, other in _named_pairs(expected, got, ""):
        yield one, other


def _named_pairs(expected: Any, got: Any, key: str) -> Iterator[tuple[str, Tensor, Tensor]]:
    if isinstance(expected, Mapping):
        for name in [k for k in expected if k in got] if isinstance(got, Mapping) else ():
            yield from _named_pairs(expected[name], got[name], key or str(name))
    elif isinstance(expected, tuple | list):
        for one, other in zip(expected, got, strict=False) if isinstance(got, tuple | list) else ():
            yield from _named_pairs(one, other, key)
    elif _is_number(expected) and _is_number(got):
        yield key, torch.as_tensor(expected), torch.as_tensor(got)


def _is_number(value: Any) -> bool:
    return isinstance(value, Tensor | Real) and not isinstance(value, bool) and not is_huge(value)


def _by_key(expected: Any, got: Any) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """Yield the numbers under each key of a result, flat; the key of a plain result is empty."""
    rows: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for key, one, other in _named_pairs(expected, got, ""):
        if one.shape == other.shape:
            rows.setdefault(key, []).append((_real(one), _real(other)))
    for key, some in rows.items():
        yield key, (torch.cat([one for one, _ in some]), torch.cat([other for _, other in some]))


def _real(value: Tensor) -> Tensor:
    value = torch.view_as_real(value) if value.is_complex() else value
    return value.double().flatten()


def _wrong_keys(told: Sequence[Mapping[str, tuple[Tensor, Tensor]]]) -> list[str]:
    """Return the keys that are in all cases and wrong in at least one of them."""
    shared = [key for key in told[0] if all(key in one for one in told)] if told else []
    return [key for key in shared if not all(_same(*one[key]).all() for one in told)]


def _place(wrong: Sequence[str], told: Sequence[Mapping[str, Any]]) -> str:
    every = {key for one in told for key in one}
    if not wrong or len(wrong) == len(every):
        return ""
    return s.say(s.IN_KEY, {"keys": ", ".join(f"`{key}`" for key in wrong)})


def _flat(case: Case, some: Sequence[tuple[Tensor, Tensor]]) -> _Seen:
    if not some:
        return _Seen(case, torch.zeros(0), torch.zeros(0))
    return _Seen(case, torch.cat([one for one, _ in some]), torch.cat([other for _, other in some]))


def _same(one: Tensor, other: Tensor) -> Tensor:
    return torch.isclose(one, other, rtol=1e-4, atol=1e-7, equal_nan=True)


def _kinds(seen: Sequence[_Seen]) -> Iterator[str]:
    """Yield what each test says, the simplest explanation first."""
    if not any(bool(one.got.any()) for one in seen):
        yield s.say(s.ZERO)
    if len(torch.cat([one.right for one in seen]).unique()) > 1:
        yield _offset(seen, rel=1e-7)  # years that are 2 too large are also 1.001 times too large
    yield _factors(seen)
    yield _offset(seen)
    for function, sentence in _FUNCTIONS:
        if sum(len(one.right) for one in seen) > 2 and _is_function(seen, function):
            yield s.say(sentence)
    yield _order(seen)
    yield _part(seen)


def _factors(seen: Sequence[_Seen]) -> str:
    telling = [one for one in seen if bool((one.right.abs() > 1e-6).any())]
    silent = [one for one in seen if not bool((one.right.abs() > 1e-6).any())]
    found = [_constant(one.got / one.right, one.right.abs() > 1e-6) for one in telling]
    factors = [factor for factor in found if factor]
    if not factors or len(factors) < len(telling):
        return ""
    holds = all(_scaled(one, factor) for one, factor in zip(telling, factors, strict=True))
    holds = holds and all(_scaled(one, 0.0) for one in silent)
    return _factor(factors, [one.case for one in telling]) if holds else ""


def _scaled(seen: _Seen, factor: float) -> bool:
    """Say whether the factor holds where the right number is about zero as well."""
    return bool(torch.isclose(seen.got, factor * seen.right, rtol=1e-3, atol=1e-5).all())


def _offset(seen: Sequence[_Seen], *, rel: float = 1e-3) -> str:
    found = [_constant(one.got - one.right, one.right.isfinite(), rel=rel) for one in seen]
    first = found[0]
    if not first or not all(_close(offset, first, rel=rel) for offset in found):
        return ""
    return s.say(s.ABOVE if first > 0 else s.BELOW, {"offset": f"{abs(first):.4g}"})


_FUNCTIONS: tuple[tuple[Callable[[Tensor], Tensor], str], ...] = (
    (torch.square, s.SQUARED),
    (torch.sqrt, s.ROOT),
    (torch.exp, s.EXPONENTIAL),
    (torch.log, s.LOGARITHM),
    (torch.reciprocal, s.RECIPROCAL),
    (torch.abs, s.SIZE_ONLY),
    (lambda right: 1 - right, s.COMPLEMENT),
)


def _is_function(seen: Sequence[_Seen], function: Callable[[Tensor], Tensor]) -> bool:
    return all(
        bool(
            torch.isclose(one.got, function(one.right), rtol=1e-3, atol=1e-6, equal_nan=True).all()
        )
        for one in seen
    )


def _order(seen: Sequence[_Seen]) -> str:
    sorted_alike = all(
        bool(_same(one.right.sort().values, one.got.sort().values).all()) for one in seen
    )
    return s.say(s.ORDER) if sorted_alike else ""


def _part(seen: Sequence[_Seen]) -> str:
    """Say how many numbers are wrong, where others are right."""
    right = torch.cat([one.right for one in seen])
    good = torch.cat([_same(one.right, one.got) for one in seen])
    wrong = int((~good).sum())
    if not bool(good.any()):
        return ""
    if wrong > 1 and torch.equal(~good, right < 0):
        return s.say(s.NEGATIVE)
    if wrong > 1 and torch.equal(~good, right > 0):
        return s.say(s.POSITIVE)
    return s.say(s.PART, {"wrong": wrong, "all": len(good)})


def _constant(values: Tensor, where: Tensor, *, rel: float = 1e-3) -> float | None:
    """Return the one value that all chosen entries have, ``None`` if there is none."""
    chosen = values[where]
    if not len(chosen) or not bool(chosen.isfinite().all()):
        return None
    first = float(chosen[0])
    return first if all(_close(float(value), first, rel=rel) for value in chosen) else None


def _close(one: float | None, other: float, *, rel: float = 1e-3) -> bool:
    return one is not None and math.isclose(one, other, rel_tol=rel, abs_tol=1e-9)


def _factor(factors: Sequence[float], cases: Sequence[Case]) -> str:
    """Name a factor: one for all cases, or one that follows the size of an axis."""
    factor = factors[0]
    sizes = [dict(_sizes(case)) for case in cases]
    if all(_close(other, factor) for other in factors):
        return _one_factor(factor, sizes)
    for axis in sizes[0]:
        sized = [float(size.get(axis, math.nan)) for size in sizes]
        below = [factor * size for factor, size in zip(factors, sized, strict=True)]
        above = [factor / size for factor, size in zip(factors, sized, strict=True)]
        if all(_close(other, 1.0) for other in below):
            return s.say(s.MEAN_FOR_SUM, {"axis": axis})
        if all(_close(other, 1.0) for other in above):
            return s.say(s.SUM_FOR_MEAN, {"axis": axis})
        if any(all(_close(x, y[0]) for x in y) for y in (below, above)):
            return s.say(s.FIXED, {"axis": axis})
    return ""


def _one_factor(factor: float, sizes: Sequence[Mapping[str, int]]) -> str:
    if _close(factor, 1.0):
        return ""
    if _close(factor, -1.0):
        return s.say(s.SIGN)
    size = abs(factor) if abs(factor) >= 1 else 1 / max(abs(factor), 1e-300)
    text = s.say(s.TOO_LARGE if abs(factor) >= 1 else s.TOO_SMALL, {"factor": f"{size:.4g}"})
    more = s.say(s.UNITS) if _close(size, 1 / math.log(2)) else ""
    for axis in sizes[0] if size > 2.5 else ():  # a 2 comes from elsewhere as often
        if all(_close(size, float(one.get(axis, math.nan))) for one in sizes):
            more = s.say(s.AS_MANY, {"axis": axis})
    return text + (s.say(s.SIGN_AND) if factor < 0 else "") + more


def _sizes(case: Case) -> Iterator[tuple[str, int]]:
    """Yield the sizes over which a mean could be taken, each with its name."""
    for name, value in case.inputs.items():
        if isinstance(value, Tensor) and value.ndim:
            for axis, size in enumerate(value.shape):
                yield s.say(s.AXIS, {"axis": axis, "name": name}), size
            yield s.say(s.PER_EXAMPLE, {"name": name}), value[0].numel()
            yield s.say(s.ALL_ELEMENTS, {"name": name}), value.numel()
