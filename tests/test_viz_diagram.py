"""Diagrams can be read: texts lie in their boxes, and no arrow crosses a text."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from genimg_course.viz import Edge, Node, cgan_diagram, flow_diagram, png_bytes, vae_diagram


def parts(figure):
    """Return boxes and texts as extents in dots, and arrows as points in dots."""
    figure.canvas.draw()
    axes = figure.axes[0]
    boxes = [p.get_window_extent().extents for p in axes.patches if isinstance(p, FancyBboxPatch)]
    texts = {t.get_text(): t.get_window_extent().extents for t in axes.texts}
    arrows = [
        axes.transData.transform(p._path_original.vertices)
        for p in axes.patches
        if isinstance(p, FancyArrowPatch)
    ]
    return boxes, texts, arrows


def contains(outer, inner):
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[2] >= inner[2]
        and outer[3] >= inner[3]
    )


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def crosses(points, extent):
    """Tell whether a polyline enters a rectangle, by walking along it in small steps."""
    for start, end in pairwise(points):
        t = np.linspace(0, 1, 400)[:, None]
        x, y = (start + t * (end - start)).T
        if ((x > extent[0]) & (x < extent[2]) & (y > extent[1]) & (y < extent[3])).any():
            return True
    return False


SMALL = {
    "a": Node("$x$", 0, 0),
    "b": Node("a long name", 2, 1.2, "network"),
    "c": Node("l", 4, 0, "loss"),
}
EDGES = [Edge("a", "b", "up"), Edge("b", "c", "down"), Edge("c", "a", "back", kind="gradient")]


@pytest.mark.parametrize("draw", [vae_diagram, cgan_diagram, lambda: flow_diagram(SMALL, EDGES)])
def test_texts_boxes_and_arrows_keep_out_of_each_others_way(draw):
    figure = draw()
    boxes, texts, arrows = parts(figure)
    page = figure.bbox.extents
    assert len(boxes) >= 3 and len(arrows) >= 3
    for name, extent in texts.items():
        assert contains(page, extent), name
        around = [box for box in boxes if overlap(box, extent)]
        assert len(around) <= 1, name
        assert all(contains(box, extent) for box in around), name
        room = extent + np.array([-4, -4, 4, 4])
        assert not any(crosses(arrow, room) for arrow in arrows), name
    for i, box in enumerate(boxes):
        assert contains(page, box)
        assert not any(overlap(box, other) for other in boxes[i + 1 :])
        assert not any(crosses(arrow, box) for arrow in arrows)
    extents = list(texts.values())
    assert not any(overlap(a, b) for i, a in enumerate(extents) for b in extents[i + 1 :])


def gap(point, box):
    """Return the distance of a point from a rectangle."""
    dx = max(box[0] - point[0], 0, point[0] - box[2])
    dy = max(box[1] - point[1], 0, point[1] - box[3])
    return np.hypot(dx, dy)


def test_arrows_begin_and_end_at_the_rims_of_their_boxes():
    boxes, _, arrows = parts(flow_diagram(SMALL, EDGES))
    named = dict(zip(SMALL, boxes, strict=True))
    for edge, arrow in zip(EDGES, arrows, strict=True):
        for point, box in ((arrow[0], named[edge.source]), (arrow[-1], named[edge.target])):
            assert 0 < gap(point, box) < 0.06 * 192


def test_corners_lead_an_arrow_straight_into_a_box():
    nodes = {"a": Node("a", 0, 0), "b": Node("b", 2, 1)}
    figure = flow_diagram(nodes, [Edge("a", "b", via=((1.9, 0),))])
    _, _, ((start, corner, end),) = parts(figure)
    assert start[1] == pytest.approx(corner[1]) and end[0] == pytest.approx(corner[0])


def test_gradients_are_dashed_and_values_are_not():
    figure = flow_diagram(SMALL, EDGES)
    arrows = [p for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)]
    assert [arrow.get_linestyle() for arrow in arrows] == ["-", "-", "--"]


def test_the_two_diagrams_name_what_they_must_show():
    vae = " ".join(t.get_text() for t in vae_diagram().axes[0].texts)
    for word in (
        "encoder",
        "decoder",
        r"\mu",
        r"\log\sigma^2",
        r"\varepsilon",
        "KL",
        "reconstruction",
    ):
        assert word in vae
    cgan = " ".join(t.get_text() for t in cgan_diagram().axes[0].texts)
    for word in (
        "generator",
        "discriminator",
        "detach",
        "logits",
        "real pair",
        "class",
        "gradient",
    ):
        assert word in cgan


def test_a_diagram_describes_its_arrows():
    assert flow_diagram(SMALL, EDGES, title="T").alt == (
        "Diagram (T). x to a long name; a long name to l; l to x."
    )
    assert "detached" in cgan_diagram().alt and "KL term" in vae_diagram().alt


def test_diagrams_fit_a_page():
    for figure in (vae_diagram(), cgan_diagram()):
        assert figure.get_figwidth() < 8 and len(png_bytes(figure)) < 150_000


@pytest.mark.parametrize(
    "nodes, edges, said",
    [
        ({}, [], "no nodes"),
        (SMALL, [Edge("a", "q")], r"edges name \['q'\], but the nodes are \['a', 'b', 'c'\]"),
    ],
)
def test_diagrams_that_cannot_be_drawn_are_refused(nodes, edges, said):
    with pytest.raises(ValueError, match=said):
        flow_diagram(nodes, edges)
