"""Show a message: small escaped HTML in a notebook, plain text elsewhere and as the alternative."""

import html
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Message", "Table", "show"]

_EDGES = {"right": "#2e8b57", "not_written": "#d9900a", "wrong": "#c0392b", "hint": "#4a7ebb"}


@dataclass(frozen=True)
class Message:
    """A coloured edge, a bold heading, paragraphs (lines from ``>>>`` on are code), then code."""

    tone: str
    heading: str
    paragraphs: Sequence[str]
    code: str = ""

    def __str__(self) -> str:
        """Return the plain text."""
        lines = [line for paragraph in self.paragraphs for line in paragraph.split("\n")]
        lines += self.code.rstrip().split("\n") if self.code else []
        return "\n".join([f"[{self.heading}]", *(f"  {line}".rstrip() for line in lines)])

    def html(self) -> str:
        """Return the HTML; it takes text and background colours from the page's theme."""
        body = "".join(_paragraph(paragraph) for paragraph in self.paragraphs)
        body += _block(self.code.rstrip()) if self.code else ""
        style = f"border-left:4px solid {_EDGES[self.tone]};padding:0.2em 0.8em;margin:0.3em 0"
        return f'<div style="{style}"><strong>{html.escape(self.heading)}</strong>{body}</div>'


@dataclass(frozen=True)
class Table:
    """Rows of texts under column names."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        """Return the plain text, in aligned columns."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def html(self) -> str:
        """Return the HTML table."""
        head = _row("th", self.columns)
        body = "".join(_row("td", row) for row in self.rows)
        return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def show(item: Message | Table) -> None:
    """Show an item where the code runs: in a notebook as HTML, elsewhere as text."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and hasattr(shell, "kernel"):
        from IPython.display import display

        display({"text/html": item.html(), "text/plain": str(item)}, raw=True)
        return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(str(item).encode(encoding, "backslashreplace").decode(encoding))


def _paragraph(text: str) -> str:
    """Return a paragraph; its ``>>>`` lines, and the output below them, become a block of code."""
    prose = [line for line in text.split("\n") if line]
    start = next((i for i, line in enumerate(prose) if line.startswith(">>>")), len(prose))
    words, code = " ".join(prose[:start]), "\n".join(prose[start:])
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(words))
    return (f'<div style="margin:0.2em 0">{escaped}</div>' if words else "") + (
        _block(code) if code else ""
    )


def _block(code: str) -> str:
    return f'<pre style="margin:0.2em 0;overflow-x:auto"><code>{html.escape(code)}</code></pre>'


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
