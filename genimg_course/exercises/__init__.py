"""Exercises that check themselves: a decorator, a ladder of hints, and a table of what is done.

A lesson uses :func:`exercise`, :func:`hint` and :func:`progress`. A grader uses :func:`check` with
a seed of its own, or lets :func:`judge` judge what ``genimg_course.probing`` saw of an answer in
another process, with the same specifications.
"""

from genimg_course.exercises.checking import Verdict, check, judge
from genimg_course.exercises.commands import ExerciseError, exercise, hint, progress
from genimg_course.exercises.registry import specification
from genimg_course.exercises.specification import Hints, Misconception, Specification

__all__ = [
    "ExerciseError",
    "Hints",
    "Misconception",
    "Specification",
    "Verdict",
    "check",
    "exercise",
    "hint",
    "judge",
    "progress",
    "specification",
]
