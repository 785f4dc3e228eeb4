"""Find the specification of an exercise; lessons are imported at the first question."""

import difflib
import importlib
from functools import cache

from genimg_course.exercises import sentences as s
from genimg_course.exercises.specification import Specification

__all__ = ["LESSONS", "of_lesson", "specification", "specifications"]

LESSONS = ("00", "01", "02", "03", "04", "05", "06", "07", "09", "10", "11", "12", "13")
"""Lessons that have exercises; each has a module ``lesson_NN`` with ``SPECIFICATIONS``."""


@cache
def of_lesson(lesson: str) -> tuple[Specification, ...]:
    """Return the specifications of one lesson, ``"06"``."""
    if lesson not in LESSONS:
        known = ", ".join(LESSONS)
        raise ValueError(s.say(s.NO_LESSON, {"lesson": lesson, "lessons": known}))
    module = importlib.import_module(f"genimg_course.exercises.lesson_{lesson}")
    return module.SPECIFICATIONS


@cache
def specifications() -> dict[str, Specification]:
    """Return all specifications by id.

    Raises:
        ValueError: if two lessons use one id.
    """
    every = [item for lesson in LESSONS for item in of_lesson(lesson)]
    by_id = {item.id: item for item in every}
    if len(by_id) != len(every):
        raise ValueError(f"an exercise id is used twice: {sorted(item.id for item in every)}")
    return by_id


def specification(id: str) -> Specification:
    """Return the specification of an exercise.

    Raises:
        ValueError: if there is none; the message lists the nearest ids.
    """
    known = specifications()
    if id in known:
        return known[id]
    near = difflib.get_close_matches(id, known, n=3, cutoff=0.5)
    names = (
        s.say(s.NEAR, {"names": ", ".join(near)})
        if near
        else s.say(s.KNOWN, {"names": ", ".join(known)})
    )
    raise ValueError(s.say(s.NO_EXERCISE, {"id": id, "near": names}))
