"""The page of the failure museum: each exhibit with its code and what it measured over seeds."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from genimg_course.museum.exhibit import short

__all__ = ["museum_page"]

BOOK = Path(__file__).resolve().parent
TABLE = BOOK.parent / "tests" / "calibration" / "museum.json"


def museum_page(lessons: Sequence[Path]) -> str:
    """Return the page: triggers, signatures, cures, and the numbers of thirty seeds."""
    from genimg_course.museum import all_exhibits

    table = json.loads(TABLE.read_text(encoding="utf-8"))
    standing = {path.name[:2]: path.name for path in lessons}
    page = [(BOOK / "museum.md").read_text(encoding="utf-8")]
    for id, exhibit in all_exhibits().items():
        number = exhibit.lesson
        stands = number in standing
        lesson = f"[{number}](notebooks/{standing[number]})" if stands else f"{number} (planned)"
        page += [
            f"(exhibit-{id})=",
            f"## {exhibit.title}",
            f"*Trigger.* {exhibit.trigger} It belongs to lesson {lesson}.",
            f"*Signature.* {exhibit.signature}",
            f"*Cure.* {exhibit.cure}",
            "| | mean of 30 seeds | least | most |\n|---|---|---|---|\n"
            + "\n".join(_row(name, table[id][side]) for name, side in _SIDES),
            f'```python\nmuseum.visit("{id}")\n```',
            ":::{dropdown} The code of the failure and of its cure",
            f"```python\n{exhibit.source}```",
            ":::",
        ]
    return "\n\n".join(page) + "\n"


_SIDES = (("broken", "broken"), ("cured", "mended"))


def _row(name: str, values: list[float]) -> str:
    mean, least, most = statistics.mean(values), min(values), max(values)
    return f"| {name} | {' | '.join(short(value) for value in (mean, least, most))} |"
