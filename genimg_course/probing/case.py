"""A question to an answer, and what is seen of it: plain data on both ways."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Case", "Function", "Observations", "Observed", "Probe"]


@dataclass(frozen=True)
class Case:
    """One set of inputs of an exercise: plain data, so that it can be sent to another process.

    Args:
        inputs: tensors, numbers or texts by name; the function gets them by position, in order.
        options: arguments that the function gets by name.
        name: what is special about the case, for messages (``"extreme values"``); empty if nothing.
    """

    inputs: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


Function = Callable[..., Any]

Observations = Iterator[tuple[str, Any]]
"""What a probe yields: pairs of a name, such as ``"gradient:mu"``, and what was seen."""

Observed = dict[str, Any]
"""What a probe yielded, by name; ``"raises"`` holds a ``Failure`` if an exception ended it."""

Probe = Callable[[Function, Case], Observations]
"""Calls a function on a case and yields what it observes; an exception ends the observations.

It is a public function of a module of this package, so that it can be named as text. The part of a
name before the colon is its kind, which chooses the sentence of a mismatch: ``value``,
``unchanged``, ``gradient``, ``moved``, ``change``, ``losses``, ``statistic`` or ``repeat``.
"""
