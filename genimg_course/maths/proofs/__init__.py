"""The proofs of the course: every displayed identity has an id, a source and machine checks.

>>> proof("vae.gaussian_kl").proof.title
'The KL divergence of a diagonal Gaussian from the standard normal'
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache
from types import ModuleType

from genimg_course.maths.proofs.engine import KINDS, Check, Proof, ProofFailed, Proven

__all__ = ["KINDS", "Check", "Proof", "ProofFailed", "Proven", "all_proofs", "proof", "rows"]

_TOOLS = {"engine", "numerics"}


@cache
def _subjects() -> tuple[ModuleType, ...]:
    """Import every module of proofs."""
    names = sorted(item.name for item in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{n}") for n in names if n not in _TOOLS)


@cache
def all_proofs() -> tuple[Proof, ...]:
    """Return every proof of the course, sorted by id; none is run."""
    every = (item for module in _subjects() for item in module.PROOFS)
    return tuple(sorted(every, key=lambda item: item.id))


@cache
def rows() -> dict[str, tuple[str, ...]]:
    """Return the ids of the proofs that check each derivation of the plan, ``"D18"``."""
    return {row: ids for module in _subjects() for row, ids in getattr(module, "ROWS", {}).items()}


@cache
def proof(id: str) -> Proven:
    """Run the checks of a proof, once per process, and return it for display.

    Args:
        id: name of the proof, such as ``"gan.optimal_discriminator"``.

    Returns:
        A block for a notebook: statement, assumptions, source, and a badge for each check.

    Raises:
        ValueError: if there is no such proof; the message lists near ones.
        ProofFailed: if a check misses its tolerance.
    """
    known = {item.id: item for item in all_proofs()}
    if id not in known:
        near = difflib.get_close_matches(id, known, n=3, cutoff=0.5)
        names = f"near ones are {', '.join(near)}" if near else f"there are {', '.join(known)}"
        raise ValueError(f"no proof is called {id!r}: {names}")
    known[id].verify()
    return Proven(known[id])
