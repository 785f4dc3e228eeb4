"""The page of the errata: what the two articles get wrong, what is right, and how we know."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

__all__ = ["ERRATUM_MARK", "errata", "errata_page", "taught"]

BOOK = Path(__file__).resolve().parent
ERRATUM_MARK = re.compile(r"<!-- errata: ([A-Z0-9 ]+) -->")
_SECTIONS = {
    "F": "Facts, history, names",
    "M": "Mathematics",
    "CA": "The program of article A",
    "CB": "The program of article B",
    "R": "Books, papers, addresses",
}
_EVIDENCE = {
    "run": "seen when it ran",
    "check": "machine-checked",
    "read": "read on a public page",
    "memory": "from the literature, not read again",
    "not found": "searched for, not found",
    "source": "the source says so",
    "reason": "follows from a definition",
}


@cache
def errata() -> list[dict[str, Any]]:
    """Return the corrections in the order of the page."""
    return yaml.safe_load((BOOK / "errata.yml").read_text(encoding="utf-8"))


def taught(lessons: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the lessons that teach the truth of each erratum, by the marks in their texts."""
    found: dict[str, list[Path]] = {}
    for path in lessons:
        for ids in ERRATUM_MARK.findall(path.read_text(encoding="utf-8")):
            for id in ids.split():
                found.setdefault(id, []).append(path)
    return found


def errata_page(lessons: Sequence[Path]) -> str:
    """Return the page: each correction with its evidence, its proofs and its lesson."""
    from genimg_course.maths.proofs import rows

    where, proofs = taught(lessons), rows()
    page, section = [(BOOK / "errata.md").read_text(encoding="utf-8")], ""
    for entry in errata():
        kind = entry["id"].rstrip("0123456789")
        if kind != section:
            section = kind
            page.append(f"## {_SECTIONS[kind]}")
        names = [f"[{path.name[:2]}](notebooks/{path.name})" for path in where.get(entry["id"], [])]
        lesson = f"lesson {', '.join(names)}" if names else f"lesson {entry['lesson']}, planned"
        ids = [id for row in entry.get("rows", []) for id in proofs[row]]
        links = [f"[{id}](#proof-{id})" for id in ids]
        links += [_linked(source) for source in entry.get("sources", [])]
        evidence = ", ".join(_EVIDENCE[each] for each in entry["evidence"])
        page += [
            f"(erratum-{entry['id']})=",
            f"**{entry['id']}** · {entry['at']} · {lesson} · *{evidence}*",
            f"> {entry['claim']}",
            entry["truth"] + (f" ({'; '.join(links)})" if links else ""),
        ]
    return "\n\n".join(page) + "\n"


def _linked(source: str) -> str:
    number = source.removeprefix("arXiv:")
    return f"[{source}](https://arxiv.org/abs/{number})" if number != source else source
