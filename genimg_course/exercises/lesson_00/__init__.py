"""Exercises of lesson 00, the first evening."""

from genimg_course.exercises.lesson_00 import (
    choose_device,
    epochs_seen,
    kind_of_law,
    shuffled,
    year_of,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION for module in (epochs_seen, choose_device, shuffled, year_of, kind_of_law)
)
