"""Judge the answers of one submission: ask in the sandbox, compare on the trusted side."""

import ast
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from genimg_course.exercises import sentences as s
from genimg_course.exercises.checking import Verdict, judge
from genimg_course.exercises.registry import specification
from genimg_course.exercises.specification import Specification
from genimg_course.grading.extraction import Answer, answers
from genimg_course.grading.intake import Item, Lesson, Submission
from genimg_course.grading.isolation.session import Ended, Program, Sandbox
from genimg_course.grading.isolation.worker import NoIsolation
from genimg_course.grading.record import Record
from genimg_course.probing.calling import Failure, preserved_randomness, quiet
from genimg_course.probing.case import Case, Observed

__all__ = ["GRADER", "grade_submission", "unjudged"]

GRADER = "grader"
"""Diagnosis and flag of an exercise that the grader itself could not judge."""

_MISSING = "The function of this exercise was not found in the notebook."
_FIRST = "It builds on {names}, not right yet: mend that first."
_TRUSTED = threading.RLock()  # the course's own code draws from the global random state


@dataclass(frozen=True)
class _Finding:
    """What was found out about one answer."""

    status: str
    diagnosis: str = ""
    message: str = ""
    flags: tuple[str, ...] = ()
    ran: bool = False


_FAULT = _Finding(
    "error",
    GRADER,
    "The grader could not judge this exercise. This is no mistake of yours; whoever runs the "
    "grader was told.",
    (GRADER,),
)


def grade_submission(
    submission: Submission,
    lesson: Lesson,
    sandbox: Sandbox,
    *,
    seed: int,
    points: Mapping[str, float] | None = None,
    tell: Callable[[str], None] = print,
    going_on: Callable[[], None] = lambda: None,
) -> list[Record]:
    """Return one record for each exercise of the lesson, whatever the answers do.

    An answer is asked all cases of its exercise, one by one, in a process of its own inside the
    sandbox; what was observed there is judged here as the notebook judges it. An answer that ends
    its process, in whatever way, ends its own exercise only.

    Args:
        submission: as the intake found it; plain data.
        lesson: what it answers, from the course's own notebooks.
        sandbox: where answers run.
        seed: chooses inputs and random states.
        points: what exercises are worth, by id, instead of the lesson's own points.
        tell: gets a sentence for the instructor when the grader itself fails.
        going_on: is called before each exercise; what it raises ends the submission.

    Returns:
        The records in the lesson's order. They hold no times, so that the same submission gives
        the same records in each run.

    Raises:
        NoIsolation: if the sandbox does not start.
    """
    grader = _Grader(submission, lesson, sandbox, seed, points or {}, tell)
    given = grader.answers()
    found = {}
    for item in lesson.exercises:
        going_on()
        found[item.id] = grader.finding(item, given)
    return [grader.record(item, given, found) for item in lesson.exercises]


def unjudged(
    submission: Submission,
    lesson: Lesson,
    sandbox: Sandbox,
    *,
    seed: int,
    points: Mapping[str, float] | None = None,
) -> list[Record]:
    """Return the records of a submission on which the grader gave up."""
    grader = _Grader(submission, lesson, sandbox, seed, points or {}, print)
    return [grader.record(item, None, {item.id: _FAULT}) for item in lesson.exercises]


@dataclass(frozen=True)
class _Grader:
    """What all exercises of a submission share; whatever fails in here is a finding."""

    submission: Submission
    lesson: Lesson
    sandbox: Sandbox
    seed: int
    points: Mapping[str, float]
    tell: Callable[[str], None]

    def answers(self) -> dict[str, Answer] | None:
        try:
            return {one.exercise: one for one in answers(self.submission, self.lesson)}
        except Exception as error:
            self._told(error, "looking for answers")
            return None

    def finding(self, item: Item, given: Mapping[str, Answer] | None) -> _Finding:
        if given is None:
            return _FAULT
        try:
            return _grade_answer(given.get(item.id), item, self.sandbox, self.seed)
        except NoIsolation:
            raise  # of this machine, not of this exercise
        except Exception as error:  # ours, for an answer's own errors are observations
            return self._told(error, item.id)

    def record(
        self, item: Item, given: Mapping[str, Answer] | None, found: Mapping[str, _Finding]
    ) -> Record:
        answer = (given or {}).get(item.id)
        try:
            return self._record(item, answer, _with_dependencies(answer, item.id, found))
        except Exception as error:
            return self._record(item, None, self._told(error, item.id))

    def _record(self, item: Item, answer: Answer | None, finding: _Finding) -> Record:
        possible = self.points.get(item.id, item.points)
        tier = self.sandbox.tier.name if finding.ran else ""
        flags = (
            *self.submission.flags,
            *(answer.flags if answer else ()),
            *finding.flags,
            *(self.sandbox.tier.flags if finding.ran else ()),
        )
        return Record(
            student=self.submission.student,
            lesson=self.lesson.number,
            exercise=item.id,
            submission=self.submission.sha256,
            status=finding.status,
            points=possible if finding.status == "correct" else 0.0,
            possible=possible,
            diagnosis=finding.diagnosis,
            message=finding.message,
            tier=tier,
            seed=self.seed,
            flags=tuple(dict.fromkeys(flags)),
            answer=_digest(answer.code) if answer and answer.code else "",
        )

    def _told(self, error: Exception, where: str) -> _Finding:
        self.tell(
            f"{self.submission.student}, {where}: the grader failed ({type(error).__name__}: "
            f"{error}); this is judged again in the next run"
        )
        return _FAULT


def _grade_answer(answer: Answer | None, item: Item, sandbox: Sandbox, seed: int) -> _Finding:
    if answer is None:
        return _Finding("not_attempted", "missing", _MISSING)
    if answer.problem is not None:
        problem = answer.problem
        return _Finding(problem.status, problem.diagnosis, problem.message)
    wanted = specification(item.id)
    try:
        got = _ask(answer, wanted, sandbox, seed)
    except Ended as end:
        return _Finding(end.status, end.diagnosis, end.message, tuple(end.flags), ran=True)
    if _says_not_implemented(answer, got[0]):
        return _Finding("not_attempted", "not_written", s.say(s.NOT_WRITTEN), ran=True)
    with _TRUSTED:
        return _finding(judge(wanted, _cases(item.id, seed), got, seed))


def _ask(answer: Answer, wanted: Specification, sandbox: Sandbox, seed: int) -> list[Observed]:
    probe, arguments = wanted.probe_name
    program = Program(
        code=answer.code,
        function=answer.function,
        probe=probe,
        arguments=arguments,
        first_line=answer.first_line,
    )
    with sandbox.run(program) as run:
        # a case's name says what is special about it, and stays here
        return [run.ask(replace(case, name=""), seed) for case in _cases(wanted.id, seed)]


@lru_cache(maxsize=256)
def _cases(id: str, seed: int) -> Sequence[Case]:
    """Return the questions, as the notebook's check asks them with this seed."""
    with _TRUSTED, preserved_randomness(), torch.device("cpu"), quiet():
        return specification(id).cases(torch.Generator().manual_seed(seed))


def _finding(verdict: Verdict) -> _Finding:
    if verdict.status == "right":
        return _Finding("correct", ran=True)
    status = "error" if verdict.code == "raises" else "wrong"
    return _Finding(status, verdict.code, verdict.sentence, ran=True)


def _says_not_implemented(answer: Answer, seen: Observed) -> bool:
    """Say whether the starter's own ``NotImplementedError`` ended the call (torch has one too)."""
    end = seen.get("raises")
    if not isinstance(end, Failure) or end.kind != "NotImplementedError":
        return False
    own = [
        node
        for node in ast.parse(answer.code).body
        if isinstance(node, ast.FunctionDef) and node.name == answer.function
    ]
    return any(
        isinstance(node, ast.Name) and node.id == end.kind
        for function in own
        for node in ast.walk(function)
    )


def _with_dependencies(answer: Answer | None, id: str, found: Mapping[str, _Finding]) -> _Finding:
    """Say of a wrong answer that it uses another wrong one."""
    finding = found[id]
    if answer is None or finding.status in ("correct", "not_attempted"):
        return finding
    wrong = [
        other for other in answer.depends if other in found and found[other].status != "correct"
    ]
    if not wrong:
        return finding
    sentence = _FIRST.format(names=" and ".join(wrong))
    return replace(
        finding,
        message=f"{finding.message} {sentence}".strip(),
        flags=(*finding.flags, *(f"depends:{other}" for other in wrong)),
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
