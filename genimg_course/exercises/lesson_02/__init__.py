"""Exercises of lesson 02, networks and the craft of training them."""

from genimg_course.exercises.lesson_02 import (
    adam_step,
    batch_norm_backward,
    conv_size,
    dropout,
    nonlinear_stages,
    softmax_cross_entropy_gradient,
    transposed_conv_size,
    transposed_convolution,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        nonlinear_stages,
        conv_size,
        transposed_convolution,
        transposed_conv_size,
        softmax_cross_entropy_gradient,
        batch_norm_backward,
        dropout,
        adam_step,
    )
)
