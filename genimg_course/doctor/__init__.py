"""What this machine can do, what is wrong with it, and the command that mends it.

The doctor imports nothing but the standard library before it knows that the rest is there.

>>> from genimg_course.doctor import examine, table
>>> table(examine())  # doctest: +SKIP
"""

from __future__ import annotations

from genimg_course.doctor.course import (
    check_folders,
    check_kernel,
    check_networks,
    check_widgets,
)
from genimg_course.doctor.finding import Finding, Table, table
from genimg_course.doctor.machine import ask_torch, check_machine, check_torch
from genimg_course.doctor.packages import check_packages, check_python

__all__ = ["Finding", "Table", "examine", "table"]


def examine() -> list[Finding]:
    """Look at everything that the lessons need; nothing is changed, downloaded or written.

    Returns:
        Findings on the interpreter, packages, device, memory, folders, widgets, kernel and on the
        networks that came with the course.
    """
    facts = ask_torch()
    return [
        *check_python(),
        *check_packages(),
        *check_torch(facts),
        *check_machine(facts),
        *check_folders(),
        *check_widgets(),
        *check_kernel(),
        *check_networks(),
    ]
