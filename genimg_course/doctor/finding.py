"""What the doctor says: one line per subject, shown as text, as HTML or as JSON."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

__all__ = ["Finding", "State", "Table", "table"]

State = Literal["ok", "note", "wrong"]
# Okabe and Ito's green, orange and vermilion: told apart without red and green vision, and the
# word stands beside the colour
_COLOUR = {"ok": "#009E73", "note": "#E69F00", "wrong": "#D55E00"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        subject: what was looked at, in a word or two.
        state: ``"ok"``; ``"note"`` where the course works and something could be better;
            ``"wrong"`` where a lesson would stop.
        text: what was found, in one sentence.
        mend: the command that mends it, or nothing.
    """

    subject: str
    state: State
    text: str
    mend: str = ""


class Table:
    """Findings under each other; a notebook shows them as a table."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong; a note is no fault."""
        return all(finding.state != "wrong" for finding in self.findings)

    @property
    def verdict(self) -> str:
        """One sentence about all findings together."""
        wrong = sum(finding.state == "wrong" for finding in self.findings)
        if wrong:
            return f"{wrong} of {len(self.findings)} findings must be mended before the lessons."
        return "This machine is ready for the lessons."

    def __str__(self) -> str:
        wide = max((len(finding.subject) for finding in self.findings), default=0)
        lines = []
        for finding in self.findings:
            lines.append(f"{finding.state:<5}  {finding.subject:<{wide}}  {finding.text}")
            if finding.mend:
                lines.append(f"{'':<5}  {'':<{wide}}  -> {finding.mend}")
        return "\n".join([*lines, "", self.verdict])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = []
        for finding in self.findings:
            mend = f"<br><code>{html.escape(finding.mend)}</code>" if finding.mend else ""
            rows.append(
                f'<tr><td style="text-align:left;border-left:0.5em solid {_COLOUR[finding.state]}">'
                f"{finding.state}</td>"
                f'<td style="text-align:left">{html.escape(finding.subject)}</td>'
                f'<td style="text-align:left">{html.escape(finding.text)}{mend}</td></tr>'
            )
        return f"<table>{''.join(rows)}</table><p>{html.escape(self.verdict)}</p>"

    def json(self) -> str:
        """Return the findings as JSON: ``healthy``, and a list with the fields of each."""
        content = {
            "healthy": self.healthy,
            "findings": [asdict(finding) for finding in self.findings],
        }
        return json.dumps(content, indent=2)


def table(findings: Sequence[Finding]) -> Table:
    """Return findings in a form that a terminal and a notebook can show.

    Args:
        findings: as ``examine()`` returns them.

    >>> print(table([Finding("disk", "ok", "40 GB free")]))
    ok     disk  40 GB free
    <BLANKLINE>
    This machine is ready for the lessons.
    """
    return Table(findings)
