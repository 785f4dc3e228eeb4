"""Exercises of lesson 05, autoencoders."""

from genimg_course.exercises.lesson_05 import (
    best_decoder,
    code_mismatch,
    inpaint,
    linear_error,
    score_from_denoiser,
    step,
    subspace_angle,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        linear_error,
        subspace_angle,
        step,
        best_decoder,
        score_from_denoiser,
        code_mismatch,
        inpaint,
    )
)
