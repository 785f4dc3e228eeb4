"""Exercises of lesson 01, images as data, in the order in which they are met."""

from genimg_course.exercises.lesson_01 import (
    alias_frequency,
    augment_pairs,
    balanced_weights,
    lost_directions,
    shrink,
    to_model_range,
    to_uint8,
    unmixed_law,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        to_model_range,
        to_uint8,
        alias_frequency,
        shrink,
        augment_pairs,
        lost_directions,
        unmixed_law,
        balanced_weights,
    )
)
