"""The proofs of the course: every displayed identity has an id, a source and machine checks.

>>> proof("vae.gaussian_kl").proof.title
'The KL divergence of a diagonal Gaussian from the standard normal'
"""

from __future__ import annotations

import difflib
import importlib
from functools import cache

from genimg_course.maths.proofs.engine import KINDS, Check, Proof, ProofFailed, Proven

__all__ = ["KINDS", "Check", "Proof", "ProofFailed", "Proven", "all_proofs", "proof"]

_SUBJECTS = (
    "conditioning",
    "gan",
    "gan_dynamics",
    "metrics",
    "vae_bound",
    "vae_estimators",
    "vae_importance",
    "vae_likelihood",
)


@cache
def all_proofs() -> tuple[Proof, ...]:
    """Return every proof of the course, sorted by id; none is run."""
    modules = (importlib.import_module(f"{__name__}.{subject}") for subject in _SUBJECTS)
    return tuple(sorted((item for m in modules for item in m.PROOFS), key=lambda item: item.id))


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
