"""The failure museum: famous ways in which generators fail, each made on purpose, and cured.

>>> visit("checkerboard").broken > 3
True
"""

from __future__ import annotations

import difflib
from functools import cache

from genimg_course.museum import codes, games, penalties, pixels
from genimg_course.museum.exhibit import Exhibit, Visit

__all__ = ["Exhibit", "Visit", "all_exhibits", "visit"]


@cache
def all_exhibits() -> dict[str, Exhibit]:
    """Return the exhibits by name, in the order of the tour."""
    rooms = (games.EXHIBITS, penalties.EXHIBITS, codes.EXHIBITS, pixels.EXHIBITS)
    return {exhibit.id: exhibit for room in rooms for exhibit in room}


def visit(id: str, *, seed: int = 0) -> Visit:
    """Make a failure and its cure, once each, and return what was measured.

    Args:
        id: name of the exhibit, such as ``"mode_collapse"``.
        seed: of all that is drawn; global generators are left alone.

    Returns:
        A block for a notebook: trigger, signature, cure, and both numbers.

    Raises:
        ValueError: if there is no such exhibit; the message lists near ones.
    """
    known = all_exhibits()
    if id not in known:
        near = difflib.get_close_matches(id, known, n=3, cutoff=0.5) or list(known)
        raise ValueError(f"no exhibit is called {id!r}: there are {', '.join(near)}")
    return known[id].visit(seed)
