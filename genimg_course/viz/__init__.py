"""Figures and explorers: every function returns a `Figure` that shows itself in a notebook."""

from genimg_course.viz.assembly import assemble
from genimg_course.viz.coders import (
    autoencoder_diagram,
    cvae_diagram,
    denoiser_diagram,
    vae_diagram,
)
from genimg_course.viz.diagram import Edge, Flow, Node, flow_diagram, flow_panels
from genimg_course.viz.explorer import Explorer, explore
from genimg_course.viz.field import concept_map, family_tree
from genimg_course.viz.figures import bars, curves, lines
from genimg_course.viz.film import Film, film
from genimg_course.viz.games import cgan_diagram, dcgan_diagram, gan_diagram, wgan_gp_diagram
from genimg_course.viz.gaussians import gaussian_pair
from genimg_course.viz.images import compare_rows, image_grid
from genimg_course.viz.kernels import kernel_grids
from genimg_course.viz.landscapes import loss_landscape
from genimg_course.viz.live import LivePanel
from genimg_course.viz.loops import training_diagram
from genimg_course.viz.maps import heatmap, latent_scatter
from genimg_course.viz.planes import phase_portraits
from genimg_course.viz.points import point_field, point_panels
from genimg_course.viz.strips import strips
from genimg_course.viz.style import PALETTE, Figure, png_bytes, style
from genimg_course.viz.timeline import timeline

__all__ = [
    "PALETTE",
    "Edge",
    "Explorer",
    "Figure",
    "Film",
    "Flow",
    "LivePanel",
    "Node",
    "assemble",
    "autoencoder_diagram",
    "bars",
    "cgan_diagram",
    "compare_rows",
    "concept_map",
    "curves",
    "cvae_diagram",
    "dcgan_diagram",
    "denoiser_diagram",
    "explore",
    "family_tree",
    "film",
    "flow_diagram",
    "flow_panels",
    "gan_diagram",
    "gaussian_pair",
    "heatmap",
    "image_grid",
    "kernel_grids",
    "latent_scatter",
    "lines",
    "loss_landscape",
    "phase_portraits",
    "png_bytes",
    "point_field",
    "point_panels",
    "strips",
    "style",
    "timeline",
    "training_diagram",
    "vae_diagram",
    "wgan_gp_diagram",
]
