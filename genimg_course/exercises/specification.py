"""What an exercise is: a reference, inputs, what is observed, known wrong answers, hints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch

from genimg_course.probing.case import Case, Observations, Observed, Probe

__all__ = ["Hints", "Misconception", "Reading", "Specification"]


@dataclass(frozen=True)
class Misconception:
    """A known wrong answer: it explains an answer that equals it, and it tests the check.

    Args:
        code: short name in capitals, ``"HALF"``.
        function: the wrong implementation.
        message: one or two sentences that name the error and say what to think of, without code.
    """

    code: str
    function: Callable[..., Any]
    message: str


class Hints(NamedTuple):
    """The ladder of an exercise below its solution; lines that start with ``>>>`` are code to run.

    Args:
        property: what is checked, or which property matters most.
        place: where to look, and for what kind of error.
        example: a counter-example to run, with the output of a right answer.
        question: a question whose answer is the idea.
        analogue: the same work done on other numbers.
    """

    property: str
    place: str
    example: str
    question: str
    analogue: str


_DEFAULT_PROBE = "genimg_course.probing.values:values_and_gradients"

Reading = Callable[[Case, Observed], Observations]
"""Computes what is compared from a case and what a probe saw; runs where the truth is known."""


@dataclass(frozen=True)
class Specification:
    """Everything that the course knows about one exercise.

    Args:
        id: ``"family.name"``, as in ``@exercise("vae.gaussian_kl")``.
        title: a few words for tables and messages.
        reference: the right function; it stands in for a missing or wrong answer.
        cases: makes the inputs from a ``torch.Generator``; several shapes, one case in float32.
        hints: the ladder below the solution.
        misconceptions: known wrong answers; each must be rejected with its own message.
        probe: what to observe; by default the value, the inputs afterwards, the gradients with
            respect to ``differentiate``, and the value of a second call. A public function of
            ``genimg_course.probing``, because it also runs beside answers that nobody trusts.
        reading: computes what is compared from what was observed, such as a statistic of draws;
            by default observations are compared as they are.
        differentiate: names of float inputs whose gradients are compared by the default probe.
        rtol: relative tolerance in float64 (at least 1e-4 in float32).
        atol: absolute tolerance in float64 (at least 1e-5 in float32); wide enough for a constant
            that an answer rounds to float32.
        tolerances: ``(rtol, atol)`` of single observations, by name, used as they are.
        sentences: messages of single observations, by name, instead of the general one.

    Raises:
        ValueError: if the id has no dot or two misconceptions share a code.
    """

    id: str
    title: str
    reference: Callable[..., Any]
    cases: Callable[[torch.Generator], Sequence[Case]]
    hints: Hints
    misconceptions: tuple[Misconception, ...] = ()
    probe: Probe | None = None
    reading: Reading | None = None
    differentiate: tuple[str, ...] = ()
    rtol: float = 1e-6
    atol: float = 1e-6
    tolerances: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if "." not in self.id:
            raise ValueError(f"an exercise id is 'family.name', got {self.id!r}")
        codes = [wrong.code for wrong in self.misconceptions]
        if len(set(codes)) != len(codes):
            raise ValueError(f"{self.id} has two misconceptions of one code: {sorted(codes)}")

    @property
    def probe_name(self) -> tuple[str, tuple[str, ...]]:
        """Return the probe as text, and what it gets beside function and case."""
        if self.probe is None:
            return _DEFAULT_PROBE, self.differentiate
        return f"{self.probe.__module__}:{self.probe.__name__}", ()

    def tolerance(self, name: str, dtype: torch.dtype | None = None) -> tuple[float, float]:
        """Return ``(rtol, atol)`` for an observation of this name and dtype."""
        if name.startswith("unchanged:"):
            return 1e-6, 1e-8
        if name == "repeat":
            name = "value"
        if name in self.tolerances:
            return self.tolerances[name]
        if dtype in (torch.float32, torch.bfloat16, torch.float16):
            return max(self.rtol, 1e-4), max(self.atol, 1e-5)
        return self.rtol, self.atol

    def stands_for(self, name: str) -> str | None:
        """Return this exercise's own sentence for an observation, by full name or by kind."""
        return self.sentences.get(name, self.sentences.get(name.partition(":")[0]))
