"""Draw what came when: one line for each event, one track for each family."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes

from genimg_course.viz.style import GREY, INK, PALETTE, Figure, style

__all__ = ["timeline"]

_MARKERS = "os^DvPX"
_ROW, _TRACK = 0.235, 0.3  # height of an event and distance of two tracks, in inches
_LEFT, _WIDTH = 0.95, 6.6


def timeline(
    events: Sequence[tuple[str, str, str]],
    *,
    notes: Sequence[str] | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw events from top to bottom, each with its date, a mark on its family's track, its name.

    The order is kept, the distances are not: a dotted line marks a gap of more than two years.

    Args:
        events: date such as ``"1986"`` or ``"2014-06"``, name, and family of each, in the order of
            time.
        notes: where to read of each event, written at the end of its line.
        title: above the tracks.
        alt: what the picture shows; by default dates and names.

    Returns:
        The figure; each family has a colour and a mark of its own.

    Raises:
        ValueError: if there are no events, more than seven families, another number of notes, or
            the dates go back.

    >>> timeline([("2013-12", "VAE", "latent"), ("2014-06", "GAN", "adversarial")]).alt
    '2013-12 VAE; 2014-06 GAN.'
    """
    families = list(dict.fromkeys(family for _, _, family in events))
    if not events or len(families) > len(PALETTE):
        raise ValueError(
            f"there are {len(events)} events of {len(families)} families; "
            f"pass at least one event and at most {len(PALETTE)} families"
        )
    if notes is not None and len(notes) != len(events):
        raise ValueError(f"there are {len(notes)} notes for {len(events)} events")
    for (before, _, _), (after, name, _) in pairwise(events):
        if after < before:
            raise ValueError(f"{name} of {after} comes after an event of {before}; sort by date")
    places = _places([date for date, _, _ in events])
    names = _LEFT + (len(families) + 0.2) * _TRACK
    tall, head = places[-1] + _ROW, 0.35 + (0.3 if title else 0.0)
    figure = Figure(_WIDTH, tall + head, layout=None, alt=alt or _tell(events, title))
    with style():
        axes = figure.add_axes((0, 0, 1, tall / (tall + head)))
        axes.axis("off")
        axes.set(xlim=(0, _WIDTH), ylim=(tall, -_ROW * 0.2))  # inches, downwards
        _draw_gaps(axes, places)
        for track, family in enumerate(families):
            x, colour = _LEFT + (track + 0.5) * _TRACK, PALETTE[track]
            own = [y for y, event in zip(places, events, strict=True) if event[2] == family]
            axes.plot([x, x], [own[0], own[-1]], color=colour, linewidth=1.4, alpha=0.45)
            axes.plot(
                [x] * len(own), own, _MARKERS[track], color=colour, markersize=6.5, label=family
            )
        for y, (date, name, family) in zip(places, events, strict=True):
            colour = PALETTE[families.index(family)]
            x = _LEFT + (families.index(family) + 0.5) * _TRACK
            axes.plot([x + 0.1, names - 0.06], [y, y], color=colour, linewidth=0.6, alpha=0.4)
            axes.text(_LEFT - 0.05, y, date, ha="right", va="center", size=9, color=GREY)
            axes.text(names, y, name, ha="left", va="center", size=9.5, color=INK)
        for y, note in zip(places, notes or (), strict=False):
            axes.text(_WIDTH - 0.15, y, note, ha="right", va="center", size=7.5, color=GREY)
        handles, labels = axes.get_legend_handles_labels()
        top = tall / (tall + head)
        figure.legend(
            handles, labels, loc="lower left", bbox_to_anchor=(0.02, top), ncols=len(families),
            columnspacing=1.1, handletextpad=0.1,
        )  # fmt: skip
        if title:
            figure.text(0.03, 1 - 0.08 / (tall + head), title, size=10, va="top")
    return figure


def _places(dates: Sequence[str]) -> list[float]:
    """Return the heights of the events; a gap of more than two years gets half a row more."""
    places = [_ROW * 0.6]
    for before, after in pairwise(dates):
        wide = int(after[:4]) - int(before[:4]) > 2
        places.append(places[-1] + _ROW * (1.6 if wide else 1.0))
    return places


def _draw_gaps(axes: Axes, places: Sequence[float]) -> None:
    for above, below in pairwise(places):
        if below - above > 1.1 * _ROW:
            middle = (above + below) / 2
            axes.plot([0.35, _WIDTH - 0.15], [middle] * 2, color=GREY, linewidth=0.9, linestyle=":")


def _tell(events: Sequence[tuple[str, str, str]], title: str | None) -> str:
    told = "; ".join(f"{date} {name}" for date, name, _ in events)
    return f"{title}: {told}." if title else f"{told}."
