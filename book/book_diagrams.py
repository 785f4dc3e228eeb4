"""The page that shows all models side by side: its diagrams are drawn by the package."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

__all__ = ["models_page"]

BOOK = Path(__file__).resolve().parent
_DIAGRAM = re.compile(r"\{\{ diagram: (\w+) \}\}")


def models_page(pictures: Path) -> str:
    """Return the page, and write the diagrams that it names.

    Args:
        pictures: folder for the diagrams; it is made, and stands beside the page.
    """
    from genimg_course import viz
    from genimg_course.viz.style import page_width

    pictures.mkdir()

    def draw(found: re.Match[str]) -> str:
        figure = getattr(viz, f"{found[1]}_diagram")()
        (pictures / f"{found[1]}.svg").write_bytes(_svg(figure))
        return (
            f":::{{image}} {pictures.name}/{found[1]}.svg\n:alt: {figure.alt}\n"
            f":width: {page_width(figure)}px\n:class: diagram\n:::"
        )

    return _DIAGRAM.sub(draw, (BOOK / "models.md").read_text(encoding="utf-8"))


def _svg(figure: Figure) -> bytes:
    """Draw a figure that is sharp at any size; the same figure gives the same bytes."""
    from genimg_course.viz import style

    target = BytesIO()
    with style(), matplotlib.rc_context({"svg.hashsalt": "diagram"}):
        figure.savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()
