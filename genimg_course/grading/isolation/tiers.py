"""Find out how answers can be contained on this machine, and choose a way.

A tier is available only if a small box of it was started and, from inside, writing, reading,
sockets, signals and processes were tried and failed. Nothing is lowered silently: what was asked
for and is not available is an error with its reason.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from genimg_course.grading.box.lockdown import landlock_abi
from genimg_course.grading.isolation import bubblewrap, container, landlock
from genimg_course.grading.isolation.worker import NoIsolation, Tier, Worker

__all__ = ["NAMES", "NoIsolation", "Tier", "TierReport", "choose_tier", "find_tiers"]

NAMES = ("bubblewrap", "landlock", "container", "none")
"""Tiers in the order in which they are taken: first those that were tried on real machines."""

_TRIAL = {"cpu_seconds": 10, "memory_bytes": 1 << 30, "answer_bytes": 1 << 20, "threads": 64}
_HELP = (
    "install bubblewrap, use Linux 5.13 or later, or run in a container; "
    "--i-trust-these-submissions runs them without protection"
)


@dataclass(frozen=True)
class TierReport:
    """Whether a tier can be had here, and why not."""

    name: str
    available: bool
    reason: str = ""


def find_tiers() -> list[TierReport]:
    """Try every tier by starting a small box of it, which takes about a second."""
    return [_report(name) for name in NAMES]


def choose_tier(wanted: str | None = None, *, trust: bool = False) -> Tier:
    """Return the tier to use.

    Args:
        wanted: a name of :data:`NAMES`; by default the first that is available.
        trust: allow ``"none"``, where nothing protects the grader from an answer; it is taken only
            if it is asked for, or if no other is available.

    Raises:
        NoIsolation: if there is none; the message says what was tried.
        ValueError: if there is no tier of that name.
    """
    if wanted is not None and wanted not in NAMES:
        raise ValueError(f"a tier is one of {', '.join(NAMES)}, got {wanted!r}")
    if wanted == "none" and not trust:
        raise NoIsolation(
            "without a sandbox an answer can do all that you can: "
            "say --i-trust-these-submissions if that is meant"
        )
    if wanted == "container":
        container.build()
    tried = []
    for name in [wanted] if wanted else [name for name in NAMES if name != "none"]:
        report = _report(name)
        if report.available:
            return _tier(name)
        tried.append(f"{name}: {report.reason}")
    if trust and wanted is None:
        return _tier("none")
    raise NoIsolation(_refusal(tried))


def _refusal(tried: list[str]) -> str:
    if sys.platform in ("darwin", "win32"):
        system = "macOS" if sys.platform == "darwin" else "Windows"
        where = "in a container" if sys.platform == "darwin" else "in WSL2 or in a container"
        return f"answers cannot be contained on {system} itself: grade {where}"
    return f"answers cannot be contained here ({'; '.join(tried)}): {_HELP}"


def _tier(name: str) -> Tier:
    on_top = landlock_abi() > 0
    tiers: dict[str, Callable[[], Tier]] = {
        "bubblewrap": lambda: Tier(name, bubblewrap.command, bubblewrap.readable, landlock=on_top),
        "landlock": lambda: Tier(
            name,
            landlock.command,
            landlock.readable,
            secrets=("/etc/passwd", "/proc/1/environ", "/proc/self/environ"),
        ),
        "container": lambda: Tier(
            name, container.command, container.readable, landlock=False, secrets=()
        ),
        "none": lambda: Tier(
            name,
            landlock.command,
            landlock.readable,
            landlock=False,
            filtered=False,
            flags=("UNSANDBOXED",),
        ),
    }
    return tiers[name]()


_MISSING: dict[str, Callable[[], str]] = {
    "bubblewrap": bubblewrap.missing,
    "landlock": landlock.missing,
    "container": container.missing,
    "none": lambda: "" if sys.platform != "win32" else "the worker needs fork, which Windows lacks",
}


def _report(name: str) -> TierReport:
    reason = _MISSING[name]()
    if reason or name == "none":
        return TierReport(name, not reason, reason)
    try:
        worker = Worker(_tier(name), Path(__file__).resolve().parents[3], _TRIAL, preload=())
    except (NoIsolation, OSError, ValueError) as error:
        return TierReport(name, False, str(error).removeprefix(f"{name}: "))
    worker.kill()
    return TierReport(name, True)
