"""Strips share one axis and one cursor, and each has its own unit."""

import pytest

from genimg_course.viz import png_bytes, strips

STEPS = [0, 10, 40]
SERIES = {
    "share": {"right": [0.1, 0.5, 0.9]},
    "nats": {"d_loss": [1.0, 2.0, 3.0], "g_loss": [3.0, 2.0, 1.0]},
}


def test_each_unit_has_a_strip_and_all_share_the_axis_below():
    figure = strips(STEPS, SERIES, xlabel="step", title="A run")
    upper, lower = figure.axes
    assert (upper.get_ylabel(), lower.get_ylabel()) == ("share", "nats")
    assert upper.get_xlim() == lower.get_xlim() and lower.get_xlabel() == "step"
    assert [text.get_text() for text in lower.get_legend().get_texts()] == ["d_loss", "g_loss"]
    assert [list(line.get_ydata()) for line in lower.lines] == list(SERIES["nats"].values())
    assert upper.get_title(loc="left") == "A run"
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_the_cursor_stands_in_all_strips_and_its_dots_on_the_lines():
    figure = strips(STEPS, SERIES, xlabel="step", cursor=10)
    for axes, values in zip(figure.axes, ([0.5], [2.0, 2.0]), strict=True):
        dots = [line for line in axes.lines if line.get_marker() == "o"]
        assert [(*dot.get_xdata(), *dot.get_ydata()) for dot in dots] == [(10, y) for y in values]
        assert [10, 10] in [list(line.get_xdata()) for line in axes.lines]


def test_a_cursor_between_two_places_reads_the_nearer_one():
    assert "At step 40: right 0.9" in strips(STEPS, SERIES, xlabel="step", cursor=30).alt


def test_the_description_reads_the_values_at_the_cursor_or_the_last_ones():
    at_cursor = strips(STEPS, SERIES, xlabel="step", cursor=10).alt
    assert at_cursor == "At step 10: right 0.5 (share); d_loss 2 (nats); g_loss 2 (nats)."
    assert strips(STEPS, SERIES, xlabel="step", title="T").alt.startswith(
        "T. At step 40: right 0.9"
    )


def test_nothing_leaves_the_page():
    long = {"a rather long unit": {"a name of a line that is long": [1.0, 2.0, 3.0]}}
    figure = strips(STEPS, {**SERIES, **long}, xlabel="step", title="A run")
    png_bytes(figure)
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1


def test_limits_hold_for_their_strip_only():
    upper, lower = strips(STEPS, SERIES, xlabel="step", limits={"share": (0, 1)}).axes
    assert upper.get_ylim() == (0, 1) and lower.get_ylim() != (0, 1)


@pytest.mark.parametrize(
    "series, more, named",
    [
        ({}, {}, "at least one line"),
        ({"share": {}}, {}, "at least one line"),
        ({"share": {"right": [0.1]}}, {}, r"\['share'\]\['right'\] has 1 values for 3 places"),
        (SERIES, {"limits": {"bits": (0, 1)}}, r"\['bits'\], but the strips are"),
    ],
)
def test_bad_input_is_named(series, more, named):
    with pytest.raises(ValueError, match=named):
        strips(STEPS, series, xlabel="step", **more)
