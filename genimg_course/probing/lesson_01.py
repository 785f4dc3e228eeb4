"""What to observe in lesson 01: bytes."""

from genimg_course.probing.case import Case, Function, Observations
from genimg_course.probing.values import call, copies, plain, unchanged

__all__ = ["to_uint8"]


def to_uint8(function: Function, case: Case) -> Observations:
    """Observe the bytes; they have no gradient."""
    inputs = copies(case)
    yield "value", plain(call(function, case, inputs))
    yield from unchanged(case, inputs)
