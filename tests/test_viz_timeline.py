"""A timeline shows every event once, on the track of its family, and nothing overlaps."""

import pytest

from genimg_course.landmarks import LANDMARKS
from genimg_course.viz import png_bytes, timeline

EVENTS = [("1986", "one", "a"), ("2013-12", "two", "b"), ("2014-06", "three", "a")]
FIELD = [(landmark.date, landmark.name, landmark.family) for landmark in LANDMARKS]
SOURCES = [landmark.source for landmark in LANDMARKS]


def test_each_family_has_a_track_and_each_event_a_mark():
    axes = timeline(EVENTS).axes[0]
    marks = {line.get_label(): line for line in axes.lines if line.get_marker() != "None"}
    assert {name: len(line.get_xdata()) for name, line in marks.items()} == {"a": 2, "b": 1}
    assert len({line.get_color() for line in marks.values()}) == 2
    assert len({line.get_marker() for line in marks.values()}) == 2
    down = [*marks["a"].get_ydata()]
    assert down[0] < marks["b"].get_ydata()[0] < down[1]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_a_long_gap_is_marked():
    dotted = [line for line in timeline(EVENTS).axes[0].lines if line.get_linestyle() == ":"]
    assert len(dotted) == 1


@pytest.mark.parametrize("notes", [None, SOURCES])
def test_texts_of_the_map_of_the_field_lie_on_the_page_and_apart(notes):
    figure = timeline(FIELD, notes=notes, title="What came when")
    figure.canvas.draw()
    texts = [*figure.axes[0].texts, *figure.texts, *figure.legends[0].get_texts()]
    extents = [text.get_window_extent() for text in texts]
    page = figure.bbox
    for text, extent in zip(texts, extents, strict=True):
        inside = page.x0 <= extent.x0 and extent.x1 <= page.x1
        assert inside and page.y0 <= extent.y0 and extent.y1 <= page.y1, text.get_text()
    assert not any(a.overlaps(b) for i, a in enumerate(extents) for b in extents[i + 1 :])
    assert figure.get_figwidth() < 7 and png_bytes(figure).startswith(b"\x89PNG")


def test_it_tells_dates_and_names():
    assert timeline(EVENTS, title="T").alt == "T: 1986 one; 2013-12 two; 2014-06 three."


@pytest.mark.parametrize(
    "events, notes, said",
    [
        ([], None, "0 events"),
        ([("2014", str(i), str(i)) for i in range(8)], None, "8 families"),
        (EVENTS[::-1], None, "two of 2013-12 comes after an event of 2014-06"),
        (EVENTS, ["x"], "1 notes for 3 events"),
    ],
)
def test_bad_input_is_named(events, notes, said):
    with pytest.raises(ValueError, match=said):
        timeline(events, notes=notes)
