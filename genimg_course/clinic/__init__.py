"""A clinic for broken code: the two articles' programs, each fault with symptom and repair.

>>> print(fault("CA9").examine())
iterations 9.37e+06; days 184.4
"""

from __future__ import annotations

from functools import cache

from genimg_course.clinic.fault import Fault, Numbers
from genimg_course.clinic.line_game import LineGame

__all__ = ["Fault", "LineGame", "Numbers", "all_faults", "fault"]


@cache
def all_faults() -> tuple[Fault, ...]:
    """Return the 29 faults, those of the first article before those of the second; none is run."""
    from genimg_course.clinic import faults_a, faults_b

    return (*faults_a.FAULTS, *faults_b.FAULTS)


def fault(id: str) -> Fault:
    """Return one fault.

    Args:
        id: ``"CA1"`` to ``"CA15"`` or ``"CB1"`` to ``"CB14"``.

    Raises:
        ValueError: if there is none of this name.
    """
    found = {item.id: item for item in all_faults()}
    if id not in found:
        raise ValueError(f"no fault is called {id!r}: there are CA1 to CA15 and CB1 to CB14")
    return found[id]
