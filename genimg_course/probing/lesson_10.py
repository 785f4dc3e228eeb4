"""What to observe in lesson 10: the running average of a network's state."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from genimg_course.probing.case import Case, Function, Observations
from genimg_course.probing.values import plain

__all__ = ["average_state"]

_COUNTER = "num_batches_tracked"


def average_state(function: Function, case: Case) -> Observations:
    """Observe the new average of each tensor, and both states as they are afterwards."""

    def state(owner: str) -> dict[str, Tensor]:
        start = f"{owner}."
        return {
            name.removeprefix(start): value.clone()
            for name, value in case.inputs.items()
            if name.startswith(start)
        }

    mean, now = state("mean"), state("now")
    n, decay = case.options["n"], case.options["decay"]
    result: Any = plain(function(mean, now, n, decay=decay))
    if isinstance(result, Mapping):
        yield "value", {k: v for k, v in result.items() if k != _COUNTER}
        yield "counter", result.get(_COUNTER)
    else:
        yield "value", result
    for owner, used in (("mean", mean), ("now", now)):
        # a name that was taken out of the dictionary is no change of its tensor
        yield f"unchanged:{owner}", plain({**state(owner), **used})
