"""Proofs that can fail: a statement, where it comes from, and checks that run the course's code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch

__all__ = ["KINDS", "Check", "Kind", "Proof", "ProofFailed", "Proven"]

Kind = Literal[
    "SymPy identity",
    "quadrature",
    "enumeration",
    "linear algebra",
    "linear programme",
    "autograd",
    "Monte-Carlo",
    "optimisation",
]
KINDS: tuple[str, ...] = get_args(Kind)
"""The ways in which a statement is checked."""

_ADDRESS = re.compile(r"https?://\S+?(?=[;,]?(?:\s|$))")


@dataclass(frozen=True)
class Check:
    """One way of testing a statement.

    Args:
        kind: the method, one of `KINDS`.
        description: what is compared with what.
        error: runs the comparison and returns the error; in standard errors for ``Monte-Carlo``.
        tolerance: the largest error that passes; 0 for an exact comparison.
    """

    kind: Kind
    description: str
    error: Callable[[], float]
    tolerance: float

    @property
    def badge(self) -> str:
        """What was checked and how closely; the tolerance, because errors differ by machine."""
        unit = " standard errors" if self.kind == "Monte-Carlo" else ""
        limit = f"{self.tolerance:g}".replace("e-0", "e-")
        bound = f"error below {limit}{unit}" if self.tolerance else "exact"
        return f"checked: {self.kind}, {bound} ({self.description})"


class ProofFailed(AssertionError):
    """A check of a proof missed its tolerance.

    Args:
        id: the proof.
        check: the check that failed.
        error: what it returned; NaN if it could not run, for the reason that the traceback gives.
    """

    def __init__(self, id: str, check: Check, error: float) -> None:
        self.id, self.check, self.error = id, check, error
        super().__init__(
            f"proof {id!r} failed: {check.kind} ({check.description}) "
            f"has error {error:.3g}, tolerance {check.tolerance:g}"
        )

    def __reduce__(self) -> tuple[type[AssertionError], tuple[str]]:
        # a check holds functions, which cannot go to another process; the sentence can
        return AssertionError, (str(self),)


@dataclass(frozen=True)
class Proof:
    """A statement of the course with its source and its checks.

    Args:
        id: name by which lessons call it, ``family.name``.
        title: name of the result.
        statement: LaTeX of the displayed formula, without dollar signs.
        assumptions: when it holds.
        source: author (year), equation or theorem, and an address; several are separated by ``;``.
        checks: at least one.
    """

    id: str
    title: str
    statement: str
    assumptions: str
    source: str
    checks: tuple[Check, ...]

    def verify(self) -> list[tuple[Check, float]]:
        """Run every check on the CPU, whatever gradient mode or default device is set.

        Returns:
            Each check with the error it obtained.

        Raises:
            ProofFailed: at the first check that misses its tolerance or cannot run.
        """
        results = []
        with torch.inference_mode(False), torch.enable_grad(), torch.device("cpu"):
            for check in self.checks:
                try:
                    error = float(check.error())
                except Exception as reason:
                    raise ProofFailed(self.id, check, math.nan) from reason
                if not error <= check.tolerance:
                    raise ProofFailed(self.id, check, error)
                results.append((check, error))
        return results


@dataclass(frozen=True, repr=False)
class Proven:
    """A proof whose checks have passed in this process; a notebook shows it with its badges.

    Args:
        proof: the proof that passed.
    """

    proof: Proof

    def verify(self) -> list[tuple[Check, float]]:
        """Run the checks again; see `Proof.verify`."""
        return self.proof.verify()

    def __repr__(self) -> str:
        """Return the block as plain text."""
        item = self.proof
        lines = [
            f"{item.title} [{item.id}]",
            f"  Statement: {' '.join(item.statement.split())}",
            f"  Assumptions: {item.assumptions}",
            f"  Source: {item.source}",
        ]
        return "\n".join(lines + [f"  {check.badge}" for check in item.checks])

    def _repr_markdown_(self) -> str:
        """Return the block as Markdown, which JupyterLab, Colab and the book all typeset."""
        item = self.proof
        paragraphs = [
            f"**{item.title}** (`{item.id}`)",
            f"$$\n{' '.join(item.statement.split())}\n$$",
            f"*Assumptions:* {item.assumptions}",
            f"*Source:* {_ADDRESS.sub(_link, item.source)}",
            "\n".join(f"- {check.badge}" for check in item.checks),
        ]
        return "\n\n".join(paragraphs)


def _link(match: re.Match[str]) -> str:
    """Return a Markdown link with a short name; parentheses in a DOI would end the target early."""
    address = match[0]
    name = re.sub(r"^https?://(www\.)?", "", address)
    for host, short in (("arxiv.org/abs/", "arXiv:"), ("doi.org/", "doi:")):
        name = name.replace(host, short)
    return f"[{name}]({address.replace('(', '%28').replace(')', '%29')})"
