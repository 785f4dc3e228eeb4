"""Exercises of lesson 06, the VAE from the ELBO."""

from genimg_course.exercises.lesson_06 import (
    bernoulli_nll,
    effective_beta,
    elbo_forms,
    gaussian_kl,
    importance_log_likelihood,
    negative_elbo,
    reparameterise,
    score_function_gradient,
    step,
)

__all__ = ["SPECIFICATIONS"]

SPECIFICATIONS = tuple(
    module.SPECIFICATION
    for module in (
        gaussian_kl,
        reparameterise,
        bernoulli_nll,
        negative_elbo,
        step,
        score_function_gradient,
        effective_beta,
        importance_log_likelihood,
        elbo_forms,
    )
)
