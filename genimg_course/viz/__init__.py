"""Figures and explorers: every function returns a `Figure` that shows itself in a notebook."""

from genimg_course.viz.diagram import Edge, Node, cgan_diagram, flow_diagram, vae_diagram
from genimg_course.viz.explorer import Explorer, explore
from genimg_course.viz.field import concept_map, family_tree
from genimg_course.viz.figures import bars, curves, lines
from genimg_course.viz.gaussians import gaussian_pair
from genimg_course.viz.images import compare_rows, image_grid
from genimg_course.viz.kernels import kernel_grids
from genimg_course.viz.landscapes import loss_landscape
from genimg_course.viz.live import LivePanel
from genimg_course.viz.maps import heatmap, latent_scatter
from genimg_course.viz.planes import phase_portraits
from genimg_course.viz.points import point_panels
from genimg_course.viz.style import PALETTE, Figure, png_bytes, style
from genimg_course.viz.timeline import timeline

__all__ = [
    "PALETTE",
    "Edge",
    "Explorer",
    "Figure",
    "LivePanel",
    "Node",
    "bars",
    "cgan_diagram",
    "compare_rows",
    "concept_map",
    "curves",
    "explore",
    "family_tree",
    "flow_diagram",
    "gaussian_pair",
    "heatmap",
    "image_grid",
    "kernel_grids",
    "latent_scatter",
    "lines",
    "loss_landscape",
    "phase_portraits",
    "png_bytes",
    "point_panels",
    "style",
    "timeline",
    "vae_diagram",
]
