"""Exercises of lesson 03, probability and the classical baselines."""

from genimg_course.exercises.lesson_03 import (
    autoregressive_mask,
    bits_per_dimension,
    coupling_inverse,
    fit_divergence,
    kl_divergence,
    responsibilities,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        kl_divergence,
        fit_divergence,
        bits_per_dimension,
        responsibilities,
        autoregressive_mask,
        coupling_inverse,
    )
)
