"""Exercises of lesson 09, the theory of GANs and the clinic."""

from genimg_course.exercises.lesson_09 import (
    divergence_from_logits,
    forecast,
    generator_slopes,
    misled_discriminator,
    moves,
    read_accuracy,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        divergence_from_logits,
        generator_slopes,
        misled_discriminator,
        moves,
        forecast,
        read_accuracy,
    )
)
