"""Paths of two players stand side by side on the same axes, with start, end and balance."""

import numpy as np
import pytest

from genimg_course.viz import phase_portraits, png_bytes

LABELS = {"xlabel": "place", "ylabel": "slope", "limit": 2.0}
PATH = [[1.0, 0.0], [0.5, 0.5], [0.0, 0.1]]


def test_every_run_has_a_panel_with_the_same_axes():
    figure = phase_portraits({"a": PATH, "b": np.array(PATH) / 2}, title="Both", **LABELS)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b"]
    assert {axes.get_xlim() for axes in figure.axes} == {(-2.0, 2.0)}
    assert figure.axes[0].get_xlabel() == "place" and figure.axes[0].get_ylabel() == "slope"
    assert figure.alt == (
        "Both: paths around the balance. a: from distance 1 to 0.1; b: from distance 0.5 to 0.05."
    )
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_start_end_and_balance_are_marked():
    (axes,) = phase_portraits({"a": PATH}, **LABELS).axes
    marks = {
        line.get_marker(): (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in axes.lines[1:]
    }
    assert marks == {"o": (1.0, 0.0), "s": (0.0, 0.1), "+": (0.0, 0.0)}


def test_a_field_is_drawn_as_arrows_of_one_length_and_stays_quiet_where_it_vanishes():
    figure = phase_portraits({"a": PATH, "b": PATH}, fields={"a": lambda v: 3 * v}, **LABELS)
    (arrows,) = figure.axes[0].collections
    lengths = np.hypot(arrows.U, arrows.V)
    assert sorted(set(lengths.round(6))) == [0.0, 1.0]
    assert not figure.axes[1].collections


def test_five_runs_fill_two_rows():
    figure = phase_portraits(dict.fromkeys("abcde", PATH), **LABELS)
    assert sum(axes.get_visible() for axes in figure.axes) == 5


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: phase_portraits({}, **LABELS), "nothing to draw"),
        (lambda: phase_portraits({"a": [[1.0, 2.0, 3.0]]}, **LABELS), r"shape \(1, 3\)"),
        (lambda: phase_portraits({"a": PATH}, **(LABELS | {"limit": 0.0})), "limit is 0.0"),
        (lambda: phase_portraits({"a": PATH}, fields={"c": abs}, **LABELS), r"\['c'\]"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
