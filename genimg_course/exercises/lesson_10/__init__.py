"""Exercises of lesson 10, the dynamics of a GAN."""

from genimg_course.exercises.lesson_10 import (
    average_state,
    chase,
    count_modes,
    critical_gamma,
    dirac_eigenvalues,
    dirac_field,
    power_iteration,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        dirac_field,
        dirac_eigenvalues,
        critical_gamma,
        average_state,
        chase,
        count_modes,
        power_iteration,
    )
)
