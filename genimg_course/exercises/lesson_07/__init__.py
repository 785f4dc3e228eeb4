"""Exercises of lesson 07, the VAE in depth."""

from genimg_course.exercises.lesson_07 import (
    active_units,
    importance_weights,
    information_bounds,
    optimal_noise,
    route_condition,
    warm_up,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        active_units,
        optimal_noise,
        information_bounds,
        warm_up,
        importance_weights,
        route_condition,
    )
)
