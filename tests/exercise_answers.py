"""What the tests of all lessons share: answers wrong in a general way, and how to check."""

import doctest
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from genimg_course.exercises import Specification, check

__all__ = ["GENERAL", "codes", "general", "noisy", "run_example", "starter"]

SEEDS = range(5)
_READERS_NAMES = {"gan_step": "cgan_step"}


def starter(*args: Any, **options: Any) -> Any:
    """Stand for a function that nobody has written yet."""
    raise NotImplementedError


def noisy(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with noise around it that must not matter."""

    def answer(*args: Any, **options: Any) -> Any:
        print("shapes:", [getattr(item, "shape", item) for item in args])
        warnings.warn("all is well", stacklevel=1)
        return function(*args, **options)

    return answer


def _in_float(value: Any) -> Any:
    return value.double() if value.dtype == torch.float32 else value.float()


GENERAL: dict[str, Callable[[Any], Any]] = {
    "none": lambda value: None,
    "finite": lambda value: value * float("nan"),
    "dtype": _in_float,
    "shape": lambda value: value[..., None],
    "type": lambda value: value.detach().numpy() if isinstance(value, Tensor) else str(value),
}
"""Changes of a right result, by the property that they spoil."""


def general(function: Callable[..., Any], code: str) -> Callable[..., Any]:
    """Return a function whose result is spoilt, item by item in a dictionary."""
    change = GENERAL[code]

    def answer(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        if isinstance(result, Mapping) and code != "none":
            return _spoilt(result, change)
        return (
            change(result)
            if isinstance(result, Tensor) or code in ("none", "finite")
            else str(result)
        )

    return answer


def _spoilt(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change every tensor and number, also in dictionaries of dictionaries."""
    if isinstance(value, Mapping):
        return {key: _spoilt(item, change) for key, item in value.items()}
    return change(value) if type(value) in (Tensor, int, float) else value


def codes(
    specification: Specification, function: Callable[..., Any], seeds: Iterable[int] = SEEDS
) -> set[str]:
    """Return the codes of the verdicts over several seeds; a right answer has the code ``""``."""
    return {check(specification, function, seed=seed).code for seed in seeds}


def run_example(specification: Specification) -> doctest.TestResults:
    """Run the code of the third hint, the reference under the name of the reader's function."""
    name = specification.reference.__name__
    names = {"torch": torch, _READERS_NAMES.get(name, name): specification.reference}
    test = doctest.DocTestParser().get_doctest(
        specification.hints.example, names, specification.id, None, 0
    )
    return doctest.DocTestRunner(verbose=False).run(test)
