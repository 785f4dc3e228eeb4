"""Observe random draws: two of them, and how the second moves with the inputs."""

from genimg_course.probing.case import Case, Function, Observations
from genimg_course.probing.values import call, copies, gradients, plain, tracked_call, unchanged

__all__ = ["normal_draws"]


def normal_draws(function: Function, case: Case) -> Observations:
    """Observe two draws for the inputs ``mu`` and ``logvar``, and the gradients of the second."""
    inputs = copies(case)
    yield "value", plain(call(function, case, inputs))
    yield from unchanged(case, inputs)
    tracked = copies(case, ("mu", "logvar"))
    z = tracked_call(function, case, tracked)
    yield "second", plain(z)
    yield from gradients(z, tracked)
