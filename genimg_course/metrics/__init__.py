"""How good generated images are, in numbers.

``psnr``, ``ssim`` and ``bits_per_dimension`` are passed on from `genimg_course.maths`.
"""

from genimg_course.maths.image_quality import psnr, ssim
from genimg_course.maths.likelihoods import bits_per_dimension
from genimg_course.metrics.frechet import frechet_distance
from genimg_course.metrics.judge import Judge, load_judge
from genimg_course.metrics.latents import kl_per_latent
from genimg_course.metrics.modes import count_modes
from genimg_course.metrics.samples import (
    density_coverage,
    inception_score,
    kernel_distance,
    precision_recall,
    roc_area,
)

__all__ = [
    "Judge",
    "bits_per_dimension",
    "count_modes",
    "density_coverage",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "kl_per_latent",
    "load_judge",
    "precision_recall",
    "psnr",
    "roc_area",
    "ssim",
]
