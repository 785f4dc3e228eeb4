"""Exercises of lesson 04, measuring generators."""

from genimg_course.exercises.lesson_04 import (
    frechet_at_infinity,
    gaussian_frechet,
    inception_score,
    precision_recall,
    psnr,
    squared_mmd,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        psnr,
        gaussian_frechet,
        frechet_at_infinity,
        squared_mmd,
        inception_score,
        precision_recall,
    )
)
