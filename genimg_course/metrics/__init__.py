"""How good generated images are, in numbers."""

from genimg_course.metrics.frechet import frechet_distance
from genimg_course.metrics.judge import Judge, load_judge
from genimg_course.metrics.latents import kl_per_latent
from genimg_course.metrics.reconstruction import psnr

__all__ = ["Judge", "frechet_distance", "kl_per_latent", "load_judge", "psnr"]
