"""Check a function against a specification: answer and reference get the same random inputs."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from genimg_course.exercises import sentences as s
from genimg_course.exercises.calling import Failure, failure, preserved_randomness, quiet, seed_all
from genimg_course.exercises.comparing import Observed, agree, differences
from genimg_course.exercises.diagnosing import explain
from genimg_course.exercises.probes import values_and_gradients
from genimg_course.exercises.specification import Case, Observations, Specification

__all__ = ["Verdict", "check", "observe"]


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Args:
        status: ``"right"``, ``"wrong"`` or ``"not_written"``.
        code: the failing property, ``"shape"``, or the misconception, ``"HALF"``; empty if right.
        sentence: what to tell the reader.
    """

    status: str
    code: str
    sentence: str


def check(specification: Specification, function: Callable[..., Any], *, seed: int = 0) -> Verdict:
    """Check an answer; global random states, printed text and warnings do not leave the check.

    What the function prints, shows or warns of is swallowed: it runs dozens of times here, and
    its output comes back when the lesson calls it. ``KeyboardInterrupt`` passes through.

    Args:
        specification: the exercise.
        function: the reader's answer.
        seed: chooses inputs and random states; a grader brings its own.

    Returns:
        The verdict, the same for the same function and seed.
    """
    if _is_empty(function):
        return Verdict("not_written", "not_written", s.say(s.NOT_WRITTEN))
    with preserved_randomness(), torch.device("cpu"), torch.enable_grad(), quiet():
        cases = specification.cases(torch.Generator().manual_seed(seed))
        got = [observe(specification, function, case, seed=seed) for case in cases]
        if _says_not_implemented(function, got[0]):
            return Verdict("not_written", "not_written", s.say(s.NOT_WRITTEN))
        return _judge(specification, cases, got, seed)


def observe(
    specification: Specification, function: Callable[..., Any], case: Case, *, seed: int
) -> Observed:
    """Return what the probe sees of a function on a case; an exception ends the observations."""
    return dict(_observations(specification, function, case, seed))


def _observations(
    specification: Specification, function: Callable[..., Any], case: Case, seed: int
) -> Observations:
    probe = specification.probe or values_and_gradients(*specification.differentiate)
    seed_all(seed)
    try:
        yield from probe(function, case)
    except (Exception, SystemExit) as error:  # all that an answer may do; Ctrl-C passes
        yield "raises", failure(error, function)


def _judge(
    specification: Specification, cases: Sequence[Case], got: list[Observed], seed: int
) -> Verdict:
    expected = [observe(specification, specification.reference, case, seed=seed) for case in cases]
    for seen in expected:
        if "raises" in seen:
            raise RuntimeError(f"the reference of {specification.id} fails: {seen['raises']}")
    found = [
        (case, difference)
        for case, one, other in zip(cases, expected, got, strict=True)
        for difference in differences(specification, one, other)
    ]
    if not found:
        return Verdict("right", "", s.say(s.RIGHT))
    for wrong in specification.misconceptions:
        pairs = zip(cases, got, strict=True)
        if all(_does(specification, wrong.function, case, seen, seed) for case, seen in pairs):
            return Verdict("wrong", wrong.code, s.say(wrong.message))
    code, sentence = explain(specification, found, cases)
    return Verdict("wrong", code, sentence)


def _does(
    specification: Specification,
    function: Callable[..., Any],
    case: Case,
    seen: Observed,
    seed: int,
) -> bool:
    """Say whether a function does what was seen; its first other deed ends the comparison."""
    observations = _observations(specification, function, case, seed)
    return all(
        name in seen and agree(specification, name, value, seen[name])
        for name, value in observations
    )


def _is_empty(function: Callable[..., Any]) -> bool:
    """Say whether the body holds nothing but a docstring, ``pass`` or ``...``."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False  # no source: the function is called and judged by what it does
    node = tree.body[0]
    if not isinstance(node, ast.FunctionDef):
        return False
    return all(isinstance(x, ast.Pass) or _is_constant(x) for x in node.body)


def _is_constant(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _says_not_implemented(function: Callable[..., Any], seen: Observed) -> bool:
    """Say whether the starter's own ``NotImplementedError`` ended the call (torch has one too)."""
    end = seen.get("raises")
    names = getattr(getattr(inspect.unwrap(function), "__code__", None), "co_names", ())
    return isinstance(end, Failure) and end.kind == "NotImplementedError" and end.kind in names
