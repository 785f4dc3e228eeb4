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
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from genimg_course.viz.style import BLUE, DPI, GREEN, GREY, INK, ORANGE, VERMILION, Figure, style

__all__ = ["Edge", "Flow", "Node", "flow_diagram", "flow_panels"]

Point = tuple[float, float]

_PAD_X, _PAD_Y = 0.11, 0.09
_MARGIN = 0.14
_ABOVE = 0.14  # between boxes and their heading
_CLEAR = 0.03  # between a box and an arrow
_GAP = 0.06  # between an arrow and its text
_APART = 0.065  # of an arrow and the gradient that comes back beside it, from their middle

# edge colour, fill, how round the corners are
_KINDS: dict[str, tuple[str, str, float]] = {
    "tensor": (GREY, "#FFFFFF", 0.02),
    "network": (BLUE, "#DDEBF6", 0.08),
    "random": (ORANGE, "#FDF1D8", 0.16),
    "loss": (GREEN, "#DDF2EA", 0.08),
    "stop": (VERMILION, "#FBE6DA", 0.02),
    "frozen": (GREY, "#EDEDED", 0.08),
}
_VALUE, _GRADIENT = (INK, "-"), (VERMILION, "--")  # colour, dashes


@dataclass(frozen=True)
class Node:
    """Place a box with a text at ``(x, y)``, in inches; it grows with its text.

    Args:
        text: what stands in the box; mathematics between dollars.
        x: horizontal place of the middle.
        y: vertical place of the middle, upwards.
        kind: a tensor, a network, a random draw, a loss, a stop for gradients, or a frozen network,
            which lets gradients through and gets no update.
    """

    text: str
    x: float
    y: float
    kind: Literal["tensor", "network", "random", "loss", "stop", "frozen"] = "tensor"


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
        kind: a value that flows forwards, a gradient that flows back, or both: the value from
            source to target, and beside it the gradient from target to source.
        side: where the text stands: above or left of its piece, or below or right of it.
    """

    source: str
    target: str
    text: str = ""
    via: tuple[Point, ...] = ()
    kind: Literal["value", "gradient", "both"] = "value"
    side: Literal["before", "behind"] = "before"


@dataclass(frozen=True)
class Flow:
    """What flows where in one computation, such as one update of one network.

    Args:
        nodes: the boxes by name.
        edges: the arrows; full lines are values, dashed lines gradients.
        heading: above the boxes, in bold type.

    Raises:
        ValueError: if there are no boxes, or an arrow names a box that is not there.
    """

    nodes: Mapping[str, Node]
    edges: Sequence[Edge]
    heading: str = ""

    def __post_init__(self) -> None:
        if not self.nodes:
            raise ValueError("there are no nodes; pass at least one Node by name")
        unknown = {name for e in self.edges for name in (e.source, e.target)} - set(self.nodes)
        if unknown:
            raise ValueError(
                f"edges name {sorted(unknown)}, but the nodes are {sorted(self.nodes)}"
            )

    @property
    def with_gradient(self) -> set[str]:
        """Return the names of the boxes at which a gradient arrives."""
        back = {edge.source for edge in self.edges if edge.kind == "both"}
        return back | {edge.target for edge in self.edges if edge.kind == "gradient"}


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
    return flow_panels(Flow(nodes, edges), title=title, alt=alt)


def flow_panels(*flows: Flow, title: str | None = None, alt: str | None = None) -> Figure:
    """Draw flows on one page, such as the steps of two players; each is placed by its boxes.

    Args:
        flows: what to draw.
        title: above everything.
        alt: what the picture shows; by default its arrows in words.

    Returns:
        The figure, as large as what is drawn on it.
    """
    words = " ".join(_in_words(flow) for flow in flows)
    figure = Figure(1, 1, layout=None)
    figure.alt = alt or f"Diagram{f' ({title})' if title else ''}. {words}"
    with style():
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        # one unit of the axes is one inch; without this, texts would have no size in inches yet
        axes.set(xlim=(0, 1), ylim=(0, 1))
        headings = [_draw_flow(axes, flow) for flow in flows]
        _fit_page(figure, axes, title, headings)
    return figure


def _draw_flow(axes: Axes, flow: Flow) -> Text:
    """Draw boxes and arrows, and return the heading above them."""
    boxes = {name: _draw_node(axes, node) for name, node in flow.nodes.items()}
    for edge in flow.edges:
        _draw_edge(axes, edge, boxes)
    top = max(box.y1 for box in boxes.values()) + _ABOVE
    return axes.text(0, top, flow.heading, va="bottom", weight="bold")


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
    points = _route(boxes[edge.source], boxes[edge.target], edge.via)
    look = _GRADIENT if edge.kind == "gradient" else _VALUE
    if edge.kind == "both":
        _draw_arrow(axes, _beside(points, _APART), *_VALUE)
        _draw_arrow(axes, _beside(points, -_APART)[::-1], *_GRADIENT)
    else:
        _draw_arrow(axes, points, *look)
    if edge.text:
        pieces = pairwise(points)
        _label_piece(axes, edge, *max(pieces, key=lambda piece: math.dist(*piece)), look[0])


def _draw_arrow(axes: Axes, points: Sequence[Point], colour: str, dashes: str) -> None:
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


def _beside(points: Sequence[Point], distance: float) -> list[Point]:
    """Return a way that runs beside another one, to its left where the distance is positive."""
    ways = [np.subtract(end, start) for start, end in pairwise(points)]
    left = [np.array([-dy, dx]) / math.hypot(dx, dy) for dx, dy in ways]
    moved = []
    for point, before, behind in zip(points, [left[0], *left], [*left, left[-1]], strict=True):
        x, y = np.add(point, distance * (before + behind) / (1 + before @ behind))
        moved.append((float(x), float(y)))
    return moved


def _label_piece(axes: Axes, edge: Edge, start: Point, end: Point, colour: str) -> None:
    """Write the text of an arrow beside one of its pieces, never across it."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    above = edge.side == "before"
    gap = _GAP + (_APART if edge.kind == "both" else 0.0)
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    ha, va = "center", "center"
    if abs(dx) > 0.01:
        va = "bottom" if above else "top"
        y += gap if above else -gap
    if abs(dy) > 0.01:
        left = above if dx * dy >= 0 else not above
        ha = "right" if left else "left"
        x += -gap if left else gap
    axes.text(x, y, edge.text, ha=ha, va=va, size=8, color=colour, zorder=4)


def _route(source: _Box, target: _Box, via: Sequence[Point]) -> list[Point]:
    """Return the corners of an arrow from the rim of one box to the rim of the other."""
    middle = ((source.x0 + source.x1) / 2, (source.y0 + source.y1) / 2)
    end = target.port(via[-1] if via else middle)
    start = source.port(via[0] if via else end)
    return [start, *via, end]


def _fit_page(figure: Figure, axes: Axes, title: str | None, headings: Sequence[Text]) -> None:
    """Give the page the size of what is drawn on it; a unit of the axes stays one inch."""
    drawn = [artist for artist in (*axes.texts, *axes.patches) if artist not in headings]
    x0 = min(artist.get_window_extent().x0 for artist in drawn) / DPI
    for heading in headings:
        heading.set_x(x0)
    extents = [artist.get_window_extent() for artist in (*axes.texts, *axes.patches)]
    x0, y0, x1, y1 = np.array(Bbox.union(extents).extents) / DPI
    if title:
        y1 += 0.2
        head = axes.text(x0, y1, title, size=10, va="bottom")
        extent = head.get_window_extent()
        x1, y1 = max(x1, x0 + extent.width / DPI), y1 + extent.height / DPI
    figure.set_size_inches(x1 - x0 + 2 * _MARGIN, y1 - y0 + 2 * _MARGIN)
    axes.set(xlim=(x0 - _MARGIN, x1 + _MARGIN), ylim=(y0 - _MARGIN, y1 + _MARGIN))


def _in_words(flow: Flow) -> str:
    def name(key: str) -> str:
        return flow.nodes[key].text.replace("\n", " ").replace("$", "")

    forward = [f"{name(e.source)} to {name(e.target)}" for e in flow.edges if e.kind != "gradient"]
    back = [f"{name(e.target)} to {name(e.source)}" for e in flow.edges if e.kind == "both"]
    back += [f"{name(e.source)} to {name(e.target)}" for e in flow.edges if e.kind == "gradient"]
    gradients = f" Gradients: {'; '.join(back)}." if back else ""
    return f"{flow.heading}{': ' if flow.heading else ''}{'; '.join(forward)}.{gradients}"
