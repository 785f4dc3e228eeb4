"""Find a probe by its name, and run it with the random states that belong to a seed."""

import importlib
from collections.abc import Sequence

from genimg_course.probing.calling import failure, seed_all
from genimg_course.probing.case import Case, Function, Observations, Observed, Probe

__all__ = ["find_probe", "observations", "observe"]

_PACKAGE = __package__


def find_probe(name: str, arguments: Sequence[str] = ()) -> Probe:
    """Return the probe that a text names.

    Args:
        name: module and function, ``"genimg_course.probing.lesson_13:gan_step"``.
        arguments: what the function gets after function and case, such as the names of the inputs
            that ``"genimg_course.probing.values:values_and_gradients"`` differentiates by.

    Raises:
        ValueError: if the name leads out of this package, or to no public function.
    """
    module, _, function = name.partition(":")
    if not module.startswith(f"{_PACKAGE}.") or function.startswith("_") or not function:
        raise ValueError(f"a probe is named '{_PACKAGE}.MODULE:FUNCTION', got {name!r}")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"there is no probe {name!r}") from error
    return lambda answer, case: found(answer, case, *arguments)


def observe(probe: Probe, function: Function, case: Case, *, seed: int) -> Observed:
    """Return what a probe sees of a function on a case; an exception ends the observations.

    Args:
        probe: what to observe.
        function: the answer.
        case: its inputs.
        seed: of the global generators, which are set before the probe begins.
    """
    return dict(observations(probe, function, case, seed=seed))


def observations(probe: Probe, function: Function, case: Case, *, seed: int) -> Observations:
    """Yield what :func:`observe` collects, one by one: who has seen enough may stop."""
    seed_all(seed)
    try:
        yield from probe(function, case)
    except (Exception, SystemExit) as error:  # all that an answer may do; Ctrl-C passes
        yield "raises", failure(error, function)
