"""Exercises of lesson 12, training a DCGAN on a GPU or without one."""

from genimg_course.exercises.lesson_12 import (
    accumulated_step,
    broken_rules,
    run_hours,
    run_state,
    sample,
    size_rule,
    training_bytes,
    unscale_and_clip,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        size_rule,
        broken_rules,
        sample,
        training_bytes,
        accumulated_step,
        unscale_and_clip,
        run_state,
        run_hours,
    )
)
