"""What a reader uses: ``@exercise``, ``hint`` and ``progress``."""

import inspect
import os
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

from genimg_course.exercises import sentences as s
from genimg_course.exercises.checking import Verdict, check
from genimg_course.exercises.display import Message, Table, show
from genimg_course.exercises.examples import outcome
from genimg_course.exercises.registry import of_lesson, specification
from genimg_course.exercises.session import SESSION, Record
from genimg_course.exercises.specification import Specification

__all__ = ["ExerciseError", "exercise", "hint", "progress"]

F = TypeVar("F", bound=Callable[..., Any])


class ExerciseError(AssertionError):
    """An answer was missing or wrong while ``GENIMG_STRICT=1`` asked for right ones."""


def exercise(id: str) -> Callable[[F], F]:
    """Check the decorated function at once, and keep it if it is right.

    A missing or wrong answer gets a message, and the reference takes its place, so that the lesson
    goes on. With the environment variable ``GENIMG_STRICT=1`` it is an error instead.

    Args:
        id: the exercise, ``"vae.gaussian_kl"``.

    Returns:
        A decorator that returns the reader's own function if it is right, else the reference.

    Raises:
        ValueError: if there is no such exercise; the message lists the nearest ids.
    """
    wanted = specification(id)

    def decorate(function: F) -> F:
        verdict = check(wanted, function)
        SESSION.note(id, verdict.status, verdict.sentence, function)
        if verdict.status != "right" and os.environ.get("GENIMG_STRICT") == "1":
            raise ExerciseError(f"{id}: {verdict.sentence}")
        show(_message(wanted, verdict))
        return function if verdict.status == "right" else wanted.reference  # type: ignore[return-value]

    return decorate


def _message(wanted: Specification, verdict: Verdict) -> Message:
    heading = f"{wanted.id}: {s.say(s.STATUS[verdict.status])}"
    after = (
        [s.say(s.STANDS_IN, {"call": f'hint("{wanted.id}")'})] if verdict.status != "right" else []
    )
    return Message(verdict.status, heading, [verdict.sentence, *after])


def hint(id: str) -> None:
    """Show the next hint; the sixth is the solution.

    Args:
        id: the exercise, ``"vae.gaussian_kl"``.

    Raises:
        ValueError: if there is no such exercise; the message lists the nearest ids.
    """
    wanted = specification(id)
    steps = len(wanted.hints) + 1
    step = SESSION.climb(id, steps)
    heading = f"{id}: " + s.say(s.HINT, {"step": step, "steps": steps})
    if step == steps:
        source = textwrap.dedent(inspect.getsource(wanted.reference))
        show(
            Message(
                "hint", f"{heading}. {s.say(s.SOLUTION)}", [s.say(s.SOLUTION_NOTE)], code=source
            )
        )
        return
    record = SESSION.record(id)
    text = s.say(wanted.hints[step - 1])
    if record.status != "wrong" or record.answer is None:
        show(Message("hint", heading, [text]))
    elif text == s.say(wanted.hints.example):
        yours = outcome(text, record.answer)
        show(Message("hint", heading, [text, s.say(s.YOURS_GIVES)], code=yours))
    else:
        show(Message("hint", heading, [record.sentence, text] if step == 1 else [text]))


def progress(lesson: str | int | None = None) -> None:
    """Show what became of each exercise in this session.

    Args:
        lesson: list all exercises of this lesson, ``6`` or ``"06"``; else those touched so far.

    Raises:
        ValueError: if the lesson has no exercises.
    """
    ids = (
        [item.id for item in of_lesson(str(lesson).zfill(2))]
        if lesson is not None
        else list(SESSION.records)
    )
    if not ids:
        show(Message("hint", s.say(s.NOTHING_TRIED), []))
        return
    show(Table([s.say(name) for name in s.COLUMNS], [_row(id) for id in ids]))


def _row(id: str) -> list[str]:
    record = SESSION.records.get(id, Record())
    return [id, s.say(s.STATUS[record.outcome]), str(record.attempts), str(record.hints)]
