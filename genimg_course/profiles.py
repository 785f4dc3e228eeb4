"""Budgets: how much work a lesson may do on this machine, chosen in one place."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

__all__ = ["PROFILES", "budget", "resolve"]

PROFILES = ("smoke", "cpu", "gpu")


def resolve(name: str | None = None) -> str:
    """Return the profile to use: the argument, else ``GENIMG_PROFILE``, else what the machine has.

    Args:
        name: ``"smoke"`` proves that a lesson runs, ``"cpu"`` gives good pictures on two cores in
            about three minutes, ``"gpu"`` uses real resolution. ``None`` lets the machine decide.

    Raises:
        ValueError: if the name is not one of the three.
    """
    chosen = name or os.environ.get("GENIMG_PROFILE") or None
    if chosen is None:
        import torch

        has_gpu = torch.cuda.is_available() or torch.backends.mps.is_available()
        return "gpu" if has_gpu else "cpu"
    if chosen not in PROFILES:
        raise ValueError(f"unknown profile {chosen!r}: choose one of {', '.join(PROFILES)}")
    return chosen


def budget(
    profile: str | None = None,
    *,
    smoke: dict[str, Any],
    cpu: dict[str, Any],
    gpu: dict[str, Any],
) -> SimpleNamespace:
    """Return the numbers of the chosen profile as attributes, with ``.profile`` beside them.

    Raises:
        ValueError: if the three profiles do not name the same numbers.

    >>> budget("smoke", smoke={"steps": 3}, cpu={"steps": 900}, gpu={"steps": 9000}).steps
    3
    """
    if not smoke.keys() == cpu.keys() == gpu.keys():
        odd = sorted(
            (smoke.keys() | cpu.keys() | gpu.keys()) - (smoke.keys() & cpu.keys() & gpu.keys())
        )
        raise ValueError(
            f"every profile must set the same numbers; not in all of them: {', '.join(odd)}"
        )
    chosen = resolve(profile)
    return SimpleNamespace(profile=chosen, **{"smoke": smoke, "cpu": cpu, "gpu": gpu}[chosen])
