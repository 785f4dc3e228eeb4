"""The mathematics of the course: pure functions from tensors to tensors, in nats."""

from genimg_course.maths.conditioning import condition, prior_shift, projection_logit
from genimg_course.maths.discriminators import gan_value, optimal_discriminator
from genimg_course.maths.divergences import jensen_shannon, kl_divergence, total_variation
from genimg_course.maths.estimators import (
    importance_log_likelihood,
    pathwise_gradient,
    score_function_gradient,
)
from genimg_course.maths.frechet import gaussian_frechet
from genimg_course.maths.gaussians import gaussian_kl, gaussian_log_density, reparameterise
from genimg_course.maths.likelihoods import bernoulli_nll, effective_beta, gaussian_nll

__all__ = [
    "bernoulli_nll",
    "condition",
    "effective_beta",
    "gan_value",
    "gaussian_frechet",
    "gaussian_kl",
    "gaussian_log_density",
    "gaussian_nll",
    "importance_log_likelihood",
    "jensen_shannon",
    "kl_divergence",
    "optimal_discriminator",
    "pathwise_gradient",
    "prior_shift",
    "projection_logit",
    "reparameterise",
    "score_function_gradient",
    "total_variation",
]
