"""Check a function against a specification: answer and reference get the same random inputs."""

import ast
import contextlib
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from genimg_course.exercises import sentences as s
from genimg_course.exercises.comparing import agree, differences
from genimg_course.exercises.diagnosing import explain
from genimg_course.exercises.specification import Misconception, Specification
from genimg_course.probing.calling import Failure, failure, preserved_randomness, quiet
from genimg_course.probing.case import Case, Function, Observations, Observed, Probe
from genimg_course.probing.observing import observations, observe
from genimg_course.probing.values import values_and_gradients

__all__ = ["Verdict", "check", "judge"]


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
    with _apart():
        cases = specification.cases(torch.Generator().manual_seed(seed))
        got = [observe(_probe(specification), function, case, seed=seed) for case in cases]
    if _says_not_implemented(function, got[0]):
        return Verdict("not_written", "not_written", s.say(s.NOT_WRITTEN))
    return judge(specification, cases, got, seed)


def judge(
    specification: Specification, cases: Sequence[Case], got: Sequence[Observed], seed: int
) -> Verdict:
    """Judge what was observed of an answer, here or beside it in another process.

    The reference answers the same cases here. What was observed need not be true or well formed:
    it is plain data, and what is not as expected, or withheld, is wrong.

    Args:
        specification: the exercise.
        cases: the questions.
        got: what the probe saw, case by case, as it came.
        seed: of the random states in which the questions were asked.

    Returns:
        The verdict, the same for the same observations and seed.

    Raises:
        RuntimeError: if the reference fails: that is no fault of the answer.
    """
    with _apart():
        read = [_read(specification, case, seen) for case, seen in zip(cases, got, strict=True)]
        return _judge(specification, cases, read, seed)


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """Keep random states, printed text and the lesson's device and gradient mode out of a check."""
    with preserved_randomness(), torch.device("cpu"), torch.enable_grad(), quiet():
        yield


def _probe(specification: Specification) -> Probe:
    if specification.probe is not None:
        return specification.probe
    differentiate = specification.differentiate
    return lambda function, case: values_and_gradients(function, case, *differentiate)


def _read(specification: Specification, case: Case, seen: Observed) -> Observed:
    """Return what is compared; a reading that stops, stops like an answer that raises."""
    end = {} if "raises" not in seen else {"raises": _end(seen["raises"])}
    if specification.reading is None:
        return {**seen, **end}
    read: Observed = {}
    try:
        for name, value in specification.reading(case, seen):
            read[name] = value
    except Exception as error:  # the observations may be anything
        read["raises"] = failure(error)
    return {**read, **end}


def _end(said: Any) -> Failure:
    return said if isinstance(said, Failure) else Failure("Exception", "")


def _judge(
    specification: Specification, cases: Sequence[Case], got: Sequence[Observed], seed: int
) -> Verdict:
    expected = [_observed(specification, specification.reference, case, seed) for case in cases]
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
    pairs = list(zip(cases, got, strict=True))
    for wrong in specification.misconceptions:
        if all(_does(specification, wrong.function, case, seen, seed) for case, seen in pairs):
            return Verdict("wrong", wrong.code, s.say(wrong.message))
    if known := _elsewhere(specification, pairs, [case for case, _ in found], seed):
        return Verdict("wrong", known.code, s.say(known.message))
    code, sentence = explain(specification, found, cases, expected)
    return Verdict("wrong", code, sentence)


def _elsewhere(
    specification: Specification,
    pairs: Sequence[tuple[Case, Observed]],
    failing: Sequence[Case],
    seed: int,
) -> Misconception | None:
    """Return the one misconception that explains all ordinary cases, where two or more fail.

    Such an answer has another fault beside it, which shows in a special case only, such as an
    overflow: the misconception is what to tell first.
    """
    ordinary = [(case, seen) for case, seen in pairs if not case.name]
    if sum(any(case is other for other in failing) for case, _ in ordinary) < 2:
        return None
    known = [
        wrong
        for wrong in specification.misconceptions
        if all(_does(specification, wrong.function, case, seen, seed) for case, seen in ordinary)
    ]
    return known[0] if len(known) == 1 else None


def _observed(specification: Specification, function: Function, case: Case, seed: int) -> Observed:
    seen = observe(_probe(specification), function, case, seed=seed)
    return _read(specification, case, seen)


def _does(
    specification: Specification, function: Function, case: Case, seen: Observed, seed: int
) -> bool:
    """Say whether a function does what was seen; its first other deed ends the comparison."""
    return all(
        name in seen and agree(specification, name, value, seen[name])
        for name, value in _one_by_one(specification, function, case, seed)
    )


def _one_by_one(
    specification: Specification, function: Function, case: Case, seed: int
) -> Observations:
    if specification.reading is None:
        return observations(_probe(specification), function, case, seed=seed)
    return iter(_observed(specification, function, case, seed).items())


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
