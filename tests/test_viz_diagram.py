"""Diagrams can be read: texts lie in their boxes, and no arrow crosses a text."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from genimg_course import viz
from genimg_course.viz import Edge, Flow, Node, flow_diagram, flow_panels, png_bytes


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
DIAGRAMS = [
    viz.autoencoder_diagram,
    viz.denoiser_diagram,
    viz.vae_diagram,
    viz.cvae_diagram,
    viz.gan_diagram,
    viz.cgan_diagram,
    viz.wgan_gp_diagram,
    viz.dcgan_diagram,
    viz.training_diagram,
]
EDGES = [Edge("a", "b", "up"), Edge("b", "c", "down"), Edge("c", "a", "back", kind="gradient")]


@pytest.mark.parametrize("draw", [*DIAGRAMS, lambda: flow_diagram(SMALL, EDGES)])
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


def test_a_gradient_runs_back_beside_its_value():
    edge = Edge("a", "b", via=((2.0, 0.0),), kind="both")
    figure = flow_diagram({"a": Node("a", 0, 0), "b": Node("b", 2, 1)}, [edge])
    _, _, (forth, back) = parts(figure)
    apart = forth - back[::-1]
    assert np.hypot(*apart[0]) == pytest.approx(np.hypot(*apart[2]), rel=1e-3)
    assert 0.1 * 192 < np.hypot(*apart[0]) < 0.2 * 192
    assert apart[0][0] == pytest.approx(0, abs=1e-6) and apart[2][1] == pytest.approx(0, abs=1e-6)
    styles = [p.get_linestyle() for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)]
    assert styles == ["-", "--"]


def test_a_flow_knows_where_gradients_arrive():
    edges = [Edge("a", "b"), Edge("b", "c", kind="both"), Edge("c", "a", kind="gradient")]
    assert Flow(SMALL, edges).with_gradient == {"a", "b"}


def test_panels_stand_under_their_headings():
    above = Flow({"a": Node("a", 0.5, 2)}, [], "First")
    below = Flow({"b": Node("b", 0, 0)}, [], "Then")
    _, texts, _ = parts(flow_panels(above, below))
    order = [texts[name][1] for name in ("First", "a", "Then", "b")]
    assert order == sorted(order, reverse=True)
    assert texts["First"][0] == pytest.approx(texts["Then"][0], abs=3)


def test_a_diagram_describes_its_arrows():
    assert flow_diagram(SMALL, EDGES, title="T").alt == (
        "Diagram (T). x to a long name; a long name to l. Gradients: l to x."
    )
    both = Flow(SMALL, [Edge("a", "b", kind="both")], "A step")
    assert (
        flow_panels(both).alt == "Diagram. A step: x to a long name. Gradients: a long name to x."
    )


@pytest.mark.parametrize("draw", DIAGRAMS)
def test_diagrams_can_be_read_on_a_phone(draw):
    figure = draw()
    # a page of 375 pixels has about 340 for a picture of 96 dots to the inch; letters of 9 points
    # then keep three quarters of their size
    assert figure.get_figwidth() <= 340 / 96 / 0.75
    assert len(png_bytes(figure)) < 150_000


@pytest.mark.parametrize("draw", DIAGRAMS)
def test_words_say_where_gradients_go_and_where_they_stop(draw):
    figure = draw()
    drawn = " ".join(text.get_text() for text in figure.axes[0].texts)
    for word in ("detach", "no_grad", "zero_grad", "stays as it is", "class", "noise"):
        assert (word in drawn) == (word in figure.alt), word
    dashed = any(
        p.get_linestyle() == "--" for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)
    )
    assert dashed == ("gradient" in figure.alt)


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
