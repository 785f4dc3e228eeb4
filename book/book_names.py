"""Names for what the theme leaves without one, for readers who hear the page."""

from __future__ import annotations

from pathlib import Path

__all__ = ["name_controls"]

_NAMED = {
    '<summary><span class="toctree-toggle"': (
        '<summary aria-label="Pages of this part"><span class="toctree-toggle"'
    ),
    'id="pst-primary-sidebar-checkbox"/>': (
        'id="pst-primary-sidebar-checkbox" aria-label="Show the contents of the book"/>'
    ),
    'id="pst-secondary-sidebar-checkbox"/>': (
        'id="pst-secondary-sidebar-checkbox" aria-label="Show the contents of the page"/>'
    ),
}


def name_controls(site: Path) -> None:
    """Name the controls of a built site; one that has the names already stays as it is."""
    for path in site.rglob("*.html"):
        text = named = path.read_text(encoding="utf-8")
        for without, with_name in _NAMED.items():
            named = named.replace(without, with_name)
        if named != text:
            path.write_text(named, encoding="utf-8")
