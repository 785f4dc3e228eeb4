"""Measure a training: the time of each step, the time of each operator, the memory it keeps."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

__all__ = ["kept_bytes", "operator_seconds", "step_seconds", "wait"]


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was given; a GPU works on while Python goes on."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def step_seconds(
    step: Callable[[], object], count: int, *, device: torch.device | str = "cpu"
) -> Tensor:
    """Time a step again and again, and wait for the device each time.

    Args:
        step: does the work once.
        count: how often.
        device: where the work is done.

    Returns:
        Seconds of each call, ``(count,)`` in float64.

    Raises:
        ValueError: if ``count`` is not positive.
    """
    if count < 1:
        raise ValueError(f"count is {count}: expected at least one step")
    place = torch.device(device)
    marks = []
    wait(place)
    for _ in range(count):
        begin = time.perf_counter()
        step()
        wait(place)
        marks.append(time.perf_counter() - begin)
    return torch.tensor(marks, dtype=torch.float64)


def operator_seconds(step: Callable[[], object], *, top: int = 6) -> dict[str, float]:
    """Ask ``torch.profiler`` which operators take the time of a step.

    The time of an operator does not contain that of the operators it calls. Where the step uses a
    GPU it is the time on the GPU.

    Args:
        step: does the work once.
        top: how many operators to name; all others share the name ``"others"``.

    Returns:
        Seconds by operator, the dearest first.
    """
    from torch.profiler import ProfilerActivity, profile

    kinds = [ProfilerActivity.CPU]
    if torch.cuda.is_available():
        kinds.append(ProfilerActivity.CUDA)
    with _hushed(), profile(activities=kinds, acc_events=True) as record:
        step()
        wait(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    events = list(record.key_averages())
    spent = [float(getattr(event, "self_device_time_total", 0.0)) for event in events]
    if not any(spent):  # the step left the GPU alone, or there is none
        spent = [float(event.self_cpu_time_total) for event in events]
    found: dict[str, float] = {}
    for event, microseconds in zip(events, spent, strict=True):
        name = event.key.removeprefix("aten::")
        found[name] = found.get(name, 0.0) + microseconds / 1e6
    ranked = sorted(found.items(), key=lambda item: -item[1])
    shown = dict(ranked[:top])
    rest = sum(seconds for _, seconds in ranked[top:])
    return {**shown, "others": rest} if rest else shown


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep the profiler's own log, which it writes below Python, from the reader."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def kept_bytes(forward: Callable[[], object], *, without: Iterable[Tensor] = ()) -> int:
    """Count the bytes that a forward pass keeps for the backward pass, each memory once.

    Args:
        forward: computes something that could be differentiated.
        without: tensors that do not count, such as the parameters.

    Returns:
        The number of bytes.
    """
    left_out = {tensor.untyped_storage().data_ptr() for tensor in without}
    found: dict[int, int] = {}
    alive: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        place = tensor.untyped_storage()
        if place.data_ptr() not in left_out:
            found[place.data_ptr()] = place.nbytes()
            alive.append(tensor)  # memory that is given back could be counted for another tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = forward()
    del result
    return sum(found.values())
