"""Exercises of lesson 13, conditional generation."""

from genimg_course.exercises.lesson_13 import (
    condition,
    discriminator_loss,
    generator_loss,
    information_bound,
    optimal_discriminator,
    prior_shift,
    projection_logit,
    r1_penalty,
    step,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        discriminator_loss,
        generator_loss,
        optimal_discriminator,
        r1_penalty,
        condition,
        projection_logit,
        step,
        information_bound,
        prior_shift,
    )
)
