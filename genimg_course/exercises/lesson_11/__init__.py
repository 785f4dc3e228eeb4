"""Exercises of lesson 11, a zoo of losses."""

from genimg_course.exercises.lesson_11 import (
    fenchel_conjugate,
    gradient_penalty,
    hinge_generator_loss,
    output_activation,
    parallel_lines,
    wasserstein_1d,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        fenchel_conjugate,
        output_activation,
        hinge_generator_loss,
        parallel_lines,
        wasserstein_1d,
        gradient_penalty,
    )
)
