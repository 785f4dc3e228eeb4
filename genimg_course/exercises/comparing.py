"""Compare what was observed of an answer with what was observed of the reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from genimg_course.exercises.specification import Specification
from genimg_course.probing.calling import Failure
from genimg_course.probing.case import Observed

__all__ = ["ORDER", "Difference", "agree", "differences", "is_huge"]

ORDER = (
    "raises",
    "none",
    "type",
    "number",
    "keys",
    "shape",
    "dtype",
    "finite",
    "inplace",
    "value",
    "gradient_missing",
    "gradient_finite",
    "gradient",
    "moved",
    "change",
    "losses",
    "statistic",
    "observation",
    "repeat",
)
"""Properties, from the first that is reported to the last."""

_KINDS = {"unchanged": "inplace"} | {
    kind: kind for kind in ("moved", "change", "statistic", "repeat")
}


@dataclass(frozen=True)
class Difference:
    """One observation that is not what it should be, and the first property that fails."""

    name: str
    fails: str
    expected: Any
    got: Any

    @property
    def rank(self) -> int:
        """Return the place of the property in the order of reporting."""
        return ORDER.index(self.fails)


def differences(
    specification: Specification, expected: Observed, got: Observed
) -> list[Difference]:
    """Return all observations that differ, in the order in which they were made."""
    found: list[Difference] = []
    for name, value in expected.items():
        if name not in got:
            if not found and "raises" not in got:  # no exception came first: something is withheld
                found.append(Difference(name, _reported(name, "none"), value, None))
            break
        failing = _failing(specification, name, value, got[name])
        if failing:
            found.append(Difference(name, _reported(name, failing), value, got[name]))
    if "raises" in got and not found:  # else it may come of what is wrong already
        found.append(Difference("raises", "raises", None, got["raises"]))
    return found


def agree(specification: Specification, name: str, one: Any, other: Any) -> bool:
    """Say whether two answers did the same in one observation, including how they failed.

    A gradient that is not there and one of zeros are the same deed, written in two ways.
    """
    raw = name.startswith("gradient:") and specification.reading is None
    if raw and _is_flat(one) and _is_flat(other):
        return True
    return _failing(specification, name, one, other) is None


def _is_flat(gradient: Any) -> bool:
    return gradient is None or (isinstance(gradient, Tensor) and not bool(gradient.any()))


def is_huge(number: Any) -> bool:
    """Say whether this is a whole number for which there is no place in a tensor."""
    return isinstance(number, int) and not -(2**63) <= number < 2**63


def _reported(name: str, failing: str) -> str:
    """Return the property to report when ``failing`` is wrong with the observation ``name``."""
    kind = name.partition(":")[0]
    if kind == "gradient":
        return {"none": "gradient_missing", "finite": "gradient_finite"}.get(failing, "gradient")
    if kind == "value":
        return failing
    if kind == "losses":
        return kind if failing == "value" else failing
    return _KINDS.get(kind, "observation")


def _failing(specification: Specification, name: str, expected: Any, got: Any) -> str | None:
    """Return the first property in which two observations differ, ``None`` if they agree."""
    if isinstance(expected, Failure):
        same = isinstance(got, Failure) and (got.kind, got.text) == (expected.kind, expected.text)
        return None if same else "raises"
    if isinstance(expected, Mapping | tuple | list):
        return _failing_items(specification, name, expected, got)
    if isinstance(expected, Tensor):
        return _failing_tensor(specification, name, expected, got)
    if isinstance(expected, Real) and not isinstance(expected, bool):
        return _failing_number(specification, name, expected, got)
    if type(expected) is not type(got):
        return "none" if got is None else "type"
    return None if expected == got else "value"


def _failing_items(specification: Specification, name: str, expected: Any, got: Any) -> str | None:
    if got is None:
        return "none"
    if isinstance(expected, Mapping):
        if not isinstance(got, Mapping):
            return "type"
        if not expected.keys() <= got.keys():
            return "keys"
        pairs = [(expected[key], got[key]) for key in expected]
    else:
        if not isinstance(got, tuple | list):
            return "number" if isinstance(got, Tensor) else "type"
        if len(got) != len(expected):
            return "number"
        pairs = list(zip(expected, got, strict=True))
    failing = [_failing(specification, name, one, other) for one, other in pairs]
    return min((item for item in failing if item), key=ORDER.index, default=None)


def _failing_tensor(
    specification: Specification, name: str, expected: Tensor, got: Any
) -> str | None:
    if got is None:
        return "none"
    if isinstance(got, tuple | list):
        return "number"
    if not isinstance(got, Tensor):
        return "type"
    if got.shape != expected.shape:
        return "shape"
    if got.dtype != expected.dtype:
        return "dtype"
    if bool((expected.isfinite() & ~got.isfinite()).any()):
        return "finite"
    rtol, atol = specification.tolerance(name, expected.dtype)
    return None if torch.allclose(got, expected, rtol=rtol, atol=atol, equal_nan=True) else "value"


def _failing_number(
    specification: Specification, name: str, expected: Real, got: Any
) -> str | None:
    if got is None:
        return "none"
    if isinstance(got, Tensor) and got.numel() == 1:
        got = got.item()
    if not isinstance(got, Real) or isinstance(got, bool):
        return "type"
    if is_huge(got):
        return "value"
    dtype = torch.float64
    return _failing_tensor(
        specification,
        name,
        torch.tensor(float(expected), dtype=dtype),
        torch.tensor(float(got), dtype=dtype),
    )
