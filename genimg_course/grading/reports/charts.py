"""The pictures of the class summary."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence

from matplotlib.ticker import MaxNLocator, PercentFormatter

from genimg_course.grading.record import Record
from genimg_course.grading.reports.gradebook import Gradebook
from genimg_course.grading.reports.markup import Element, element
from genimg_course.viz.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    Figure,
    page_width,
    png_bytes,
    style,
)

__all__ = ["GROUPS", "group_of", "picture", "points_chart", "shares", "status_chart"]

_PALE = "#C9CDD3"
# colour and hatch: the groups can be told apart without colours too
GROUPS: dict[str, tuple[str, str]] = {
    "right": (GREEN, ""),
    "not yet right": (ORANGE, ""),
    "error": (VERMILION, "///"),
    "stopped": (PURPLE, "xxx"),
    "rejected": (SKY, "..."),
    "not written": (_PALE, ""),
}
"""Groups of statuses in the order in which they are drawn, with colour and hatch."""

_BY_STATUS = {
    "correct": "right",
    "wrong": "not yet right",
    "error": "error",
    "not_attempted": "not written",
    "timeout": "stopped",
    "crashed": "stopped",
    "killed": "stopped",
    "rejected": "rejected",
}


def group_of(status: str) -> str:
    """Return the group of a status, one of :data:`GROUPS`."""
    return _BY_STATUS[status.partition(":")[0]]


def shares(records: Sequence[Record]) -> dict[str, Counter[str]]:
    """Count the groups of each exercise, in the order of the records of one lesson."""
    counts: dict[str, Counter[str]] = {}
    for record in records:
        counts.setdefault(record.exercise, Counter())[group_of(record.status)] += 1
    return counts


def status_chart(counts: Mapping[str, Counter[str]]) -> Figure:
    """Draw what became of each exercise, as shares of the students, one bar an exercise."""
    names, height = list(counts), 1.0 + 0.33 * len(counts)
    parts = (
        f"{name}: "
        + ", ".join(f"{count[group]} {group}" for group in GROUPS if count[group])
        + f" of {count.total()}"
        for name, count in counts.items()
    )
    figure = Figure(7.2, height, alt="Share of statuses by exercise. " + "; ".join(parts) + ".")
    with style():
        axes = figure.subplots()
        left = [0.0] * len(names)
        for group, (colour, hatch) in GROUPS.items():
            widths = [counts[name][group] / counts[name].total() for name in names]
            if any(widths):
                axes.barh(
                    *(names, widths),
                    left=left,
                    color=colour,
                    hatch=hatch,
                    edgecolor="white",
                    linewidth=0.8,
                    label=group,
                )
            left = [start + width for start, width in zip(left, widths, strict=True)]
        axes.set(xlim=(0, 1), xlabel="share of the students")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        for label in axes.get_yticklabels():
            label.set_parse_math(False)
        figure.legend(loc="outside upper left", ncols=6, columnspacing=1.2, handlelength=1.4)
    return figure


def points_chart(book: Gradebook) -> Figure:
    """Draw how many students have which part of all points, in ten steps."""
    percent = []
    for student in book.students:
        own = [total for total in book.totals if total.student == student and not total.rejected]
        possible = sum(total.possible for total in own)
        if possible:
            percent.append(100 * sum(total.total for total in own) / possible)
    # full marks belong to the last step; a rounding error must not move anyone across a border
    steps = Counter(min(9, int((value + 1e-9) // 10)) for value in percent)
    said = ", ".join(f"{10 * i} to {10 * i + 10} %: {steps[i]}" for i in range(10) if steps[i])
    figure = Figure(7.2, 2.6, alt=f"Students by their part of all points. {said or 'None'}.")
    with style():
        axes = figure.subplots()
        axes.bar(
            *([10 * i + 5 for i in range(10)], [steps[i] for i in range(10)]), width=9, color=BLUE
        )
        axes.set(xlim=(0, 100), xlabel="part of all points, in percent", ylabel="students")
        axes.set_xticks(range(0, 101, 10))
        axes.set_ylim(0, max(1, *steps.values(), 1) * 1.08)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        axes.grid(visible=False, axis="x")
    return figure


def picture(figure: Figure, caption: str) -> Element:
    """Return a figure inside the page, as a PNG with its description."""
    source = "data:image/png;base64," + base64.b64encode(png_bytes(figure)).decode("ascii")
    image = element("img", src=source, alt=figure.alt, width=str(page_width(figure)))
    # on a phone it scrolls by itself: shrunk to the page it could not be read
    return element("figure", element("div", image, class_="scroll"), element("figcaption", caption))
