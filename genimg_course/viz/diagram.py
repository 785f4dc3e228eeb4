"""Draw how tensors flow through a model: boxes, arrows, and where gradients go or stop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from genimg_course.viz.style import BLUE, DPI, GREEN, GREY, INK, ORANGE, VERMILION, Figure, style

__all__ = ["Edge", "Node", "cgan_diagram", "flow_diagram", "vae_diagram"]

Point = tuple[float, float]

_PAD_X, _PAD_Y = 0.11, 0.09
_MARGIN = 0.14
_CLEAR = 0.03  # between a box and an arrow
_GAP = 0.06  # between an arrow and its text

# edge colour, fill, how round the corners are
_KINDS: dict[str, tuple[str, str, float]] = {
    "tensor": (GREY, "#FFFFFF", 0.02),
    "network": (BLUE, "#DDEBF6", 0.08),
    "random": (ORANGE, "#FDF1D8", 0.16),
    "loss": (GREEN, "#DDF2EA", 0.08),
    "stop": (VERMILION, "#FBE6DA", 0.02),
}
# colour, dashes
_FLOWS: dict[str, tuple[str, str]] = {"value": (INK, "-"), "gradient": (VERMILION, "--")}


@dataclass(frozen=True)
class Node:
    """Place a box with a text at ``(x, y)``, in inches; it grows with its text.

    Args:
        text: what stands in the box; mathematics between dollars.
        x: horizontal place of the middle.
        y: vertical place of the middle, upwards.
        kind: a tensor, a network, a random draw, a loss, or a stop for gradients.
    """

    text: str
    x: float
    y: float
    kind: Literal["tensor", "network", "random", "loss", "stop"] = "tensor"


@dataclass(frozen=True)
class Edge:
    """Join two boxes by an arrow that may turn corners.

    An arrow that reaches a box through a corner straight above, below or beside it enters there,
    else it points at the middle of the box.

    Args:
        source: name of the box where the arrow begins.
        target: name of the box at its tip.
        text: beside the longest straight piece.
        via: corners between them, in inches.
        kind: a value that flows forwards, or a gradient that flows back.
        side: where the text stands: above or left of its piece, or below or right of it.
    """

    source: str
    target: str
    text: str = ""
    via: tuple[Point, ...] = ()
    kind: Literal["value", "gradient"] = "value"
    side: Literal["before", "behind"] = "before"


@dataclass(frozen=True)
class _Box:
    x0: float
    y0: float
    x1: float
    y1: float

    def port(self, towards: Point) -> Point:
        """Return where an arrow between this box and a point should touch the box."""
        x, y = towards
        middle_x, middle_y = (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2
        if self.x0 <= x <= self.x1:
            return x, self.y1 + _CLEAR if y > middle_y else self.y0 - _CLEAR
        if self.y0 <= y <= self.y1:
            return self.x1 + _CLEAR if x > middle_x else self.x0 - _CLEAR, y
        dx, dy = x - middle_x, y - middle_y
        reach = min(
            ((self.x1 - self.x0) / 2 + _CLEAR) / abs(dx),
            ((self.y1 - self.y0) / 2 + _CLEAR) / abs(dy),
        )
        return middle_x + reach * dx, middle_y + reach * dy


def flow_diagram(
    nodes: Mapping[str, Node],
    edges: Sequence[Edge],
    *,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw boxes and arrows; the page grows with them.

    Args:
        nodes: the boxes by name.
        edges: the arrows; full lines are values, dashed lines gradients.
        title: above the diagram.
        alt: what the picture shows; by default its arrows in words.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no boxes, or an arrow names a box that is not there.

    >>> flow_diagram({"a": Node("x", 0, 0), "b": Node("f", 1, 0, "network")}, [Edge("a", "b")]).alt
    'Diagram. x to f.'
    """
    if not nodes:
        raise ValueError("there are no nodes; pass at least one Node by name")
    unknown = {name for e in edges for name in (e.source, e.target)} - set(nodes)
    if unknown:
        raise ValueError(f"edges name {sorted(unknown)}, but the nodes are {sorted(nodes)}")
    figure = Figure(1, 1, layout=None, alt=alt or _in_words(nodes, edges, title))
    with style():
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        # one unit of the axes is one inch; without this, texts would have no size in inches yet
        axes.set(xlim=(0, 1), ylim=(0, 1))
        boxes = {name: _draw_node(axes, node) for name, node in nodes.items()}
        for edge in edges:
            _draw_edge(axes, edge, boxes)
        _fit_page(figure, axes, title)
    return figure


def vae_diagram() -> Figure:
    """Draw the variational autoencoder: both networks, the random draw, and the two loss terms."""
    nodes = {
        "x": Node("$x$\nimage", 0.0, 1.6),
        "encoder": Node("encoder", 1.15, 1.6, "network"),
        "code": Node("mean $\\mu$\nlog-variance $\\log\\sigma^2$", 2.75, 1.6),
        "z": Node("$z = \\mu + \\sigma \\odot \\varepsilon$", 4.45, 1.6),
        "eps": Node("$\\varepsilon \\sim N(0, I)$", 4.45, 2.45, "random"),
        "decoder": Node("decoder", 5.75, 1.6, "network"),
        "x_hat": Node("$\\hat{x}$\nimage", 6.85, 1.6),
        "kl": Node("KL term\n$KL(N(\\mu, \\sigma^2)\\;||\\;N(0, I))$", 2.75, 0.55, "loss"),
        "reconstruction": Node("reconstruction term\n$-\\log p(x\\;|\\;z)$", 6.5, 0.55, "loss"),
        "loss": Node("negative ELBO\nsum of both", 4.75, 0.55, "loss"),
    }
    edges = [
        Edge("x", "encoder"),
        Edge("encoder", "code"),
        Edge("code", "z"),
        Edge("eps", "z"),
        Edge("z", "decoder"),
        Edge("decoder", "x_hat"),
        Edge("code", "kl"),
        Edge("x_hat", "reconstruction"),
        Edge("x", "reconstruction", "the image to be matched", via=((0.0, -0.05), (6.5, -0.05))),
        Edge("kl", "loss"),
        Edge("reconstruction", "loss"),
    ]
    alt = (
        "Diagram of a variational autoencoder. An encoder turns the image x into a mean and a "
        "log-variance; z is the mean plus the standard deviation times noise from N(0, I); a "
        "decoder turns z into the image x hat. The KL term compares N(mu, sigma squared) with "
        "N(0, I), the reconstruction term compares x hat with x; their sum is the negative ELBO."
    )
    title = (
        "A variational autoencoder: the noise comes in from outside, so gradients pass through z"
    )
    return flow_diagram(nodes, edges, title=title, alt=alt)


def cgan_diagram() -> Figure:
    """Draw the conditional GAN: what both networks see, and where each step's gradient ends."""
    nodes = {
        "x": Node("$x$\nreal image", 0.0, 2.95),
        "y": Node("$y$\nclass", 0.0, 1.95),
        "z": Node("$z \\sim N(0, I)$", 0.0, 0.95, "random"),
        "G": Node("generator $G$", 1.4, 0.95, "network"),
        "fake": Node("fake image\n$G(z, y)$", 2.75, 0.95),
        "detach": Node("detach\nin $D$'s step", 4.05, 0.95, "stop"),
        "D": Node("discriminator\n$D$", 5.05, 1.95, "network"),
        "logits": Node("logits", 6.3, 1.95),
        "d_loss": Node("$D$'s loss\nreal up,\nfake down", 6.3, 2.95, "loss"),
        "g_loss": Node("$G$'s loss\nfake up", 6.3, 0.95, "loss"),
    }
    edges = [
        Edge("x", "D", "real pair $(x, y)$", via=((4.85, 2.95),)),
        Edge("y", "D"),
        Edge("y", "G", via=((1.4, 1.95),)),
        Edge("z", "G"),
        Edge("G", "fake"),
        Edge("fake", "detach"),
        Edge("detach", "D", via=((4.85, 0.95),)),
        Edge("fake", "D", "the same pair in $G$'s step", via=((2.75, 0.25), (5.25, 0.25))),
        Edge("D", "logits"),
        Edge("logits", "d_loss"),
        Edge("logits", "g_loss"),
        Edge("d_loss", "D", via=((5.25, 2.95),), kind="gradient"),
        Edge(
            "g_loss",
            "G",
            "gradient in $G$'s step: back through $D$, which stays as it is, into $G$",
            via=((6.3, -0.2), (1.4, -0.2)),
            kind="gradient",
        ),
    ]
    alt = (
        "Diagram of a conditional GAN. The generator G turns noise z and a class y into a fake "
        "image. The discriminator D sees real pairs (x, y) and fake pairs (G(z, y), y) and gives "
        "logits. In the step of D the fake image is detached, so the gradient of its loss ends in "
        "D; in the step of G the gradient flows back through D, which is not updated, into G."
    )
    title = "A conditional GAN: both networks see the class; dashed arrows are gradients"
    return flow_diagram(nodes, edges, title=title, alt=alt)


def _draw_node(axes: Axes, node: Node) -> _Box:
    edge, fill, rounding = _KINDS[node.kind]
    text = axes.text(
        node.x, node.y, node.text, ha="center", va="center", linespacing=1.35, zorder=4
    )
    extent = text.get_window_extent()
    width = max(0.5, extent.width / DPI + 2 * _PAD_X)
    height = max(0.36, extent.height / DPI + 2 * _PAD_Y)
    box = _Box(node.x - width / 2, node.y - height / 2, node.x + width / 2, node.y + height / 2)
    shape = f"round,pad=0,rounding_size={rounding}"
    axes.add_patch(
        FancyBboxPatch(
            (box.x0, box.y0), width, height, boxstyle=shape, fc=fill, ec=edge, lw=1.3, zorder=3
        )
    )
    return box


def _draw_edge(axes: Axes, edge: Edge, boxes: Mapping[str, _Box]) -> None:
    source, target = boxes[edge.source], boxes[edge.target]
    points = _route(source, target, edge.via)
    colour, dashes = _FLOWS[edge.kind]
    arrow = FancyArrowPatch(
        path=Path(points),
        arrowstyle="-|>,head_length=4.5,head_width=2.4",
        mutation_scale=1,
        color=colour,
        linestyle=dashes,
        linewidth=1.3,
        joinstyle="round",
        shrinkA=0,
        shrinkB=0,
        zorder=2,
    )
    axes.add_patch(arrow)
    if edge.text:
        pieces = pairwise(points)
        _label_piece(axes, edge, *max(pieces, key=lambda piece: math.dist(*piece)), colour)


def _label_piece(axes: Axes, edge: Edge, start: Point, end: Point, colour: str) -> None:
    """Write the text of an arrow beside one of its pieces, never across it."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    above = edge.side == "before"
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    ha, va = "center", "center"
    if abs(dx) > 0.01:
        va = "bottom" if above else "top"
        y += _GAP if above else -_GAP
    if abs(dy) > 0.01:
        left = above if dx * dy >= 0 else not above
        ha = "right" if left else "left"
        x += -_GAP if left else _GAP
    axes.text(x, y, edge.text, ha=ha, va=va, size=8, color=colour, zorder=4)


def _route(source: _Box, target: _Box, via: Sequence[Point]) -> list[Point]:
    """Return the corners of an arrow from the rim of one box to the rim of the other."""
    middle = ((source.x0 + source.x1) / 2, (source.y0 + source.y1) / 2)
    end = target.port(via[-1] if via else middle)
    start = source.port(via[0] if via else end)
    return [start, *via, end]


def _fit_page(figure: Figure, axes: Axes, title: str | None) -> None:
    """Give the page the size of what is drawn on it; a unit of the axes stays one inch."""
    extents = [artist.get_window_extent() for artist in (*axes.texts, *axes.patches)]
    x0, y0, x1, y1 = np.array(Bbox.union(extents).extents) / DPI
    if title:
        y1 += 0.2
        head = axes.text(x0, y1, title, size=10, va="bottom")
        extent = head.get_window_extent()
        x1, y1 = max(x1, x0 + extent.width / DPI), y1 + extent.height / DPI
    figure.set_size_inches(x1 - x0 + 2 * _MARGIN, y1 - y0 + 2 * _MARGIN)
    axes.set(xlim=(x0 - _MARGIN, x1 + _MARGIN), ylim=(y0 - _MARGIN, y1 + _MARGIN))


def _in_words(nodes: Mapping[str, Node], edges: Sequence[Edge], title: str | None) -> str:
    def name(key: str) -> str:
        return nodes[key].text.replace("\n", " ").replace("$", "")

    arrows = "; ".join(f"{name(e.source)} to {name(e.target)}" for e in edges)
    return f"Diagram{f' ({title})' if title else ''}. {arrows}."
