"""MathJax for the book, served from the book itself."""

from __future__ import annotations

from pathlib import Path

from book_npm import Package, unpack

__all__ = ["mathjax"]

_MATHJAX = Package(
    "mathjax",
    "3.2.2",
    "Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
)
_SCRIPT = "tex-mml-chtml.js"
# what that script loads by itself: fonts, rare TeX packages, its menu, and speech in English
_PARTS = {
    f"es5/{_SCRIPT}": _SCRIPT,
    "es5/output/chtml/fonts/": "output/chtml/fonts/",
    "es5/input/tex/extensions/": "input/tex/extensions/",
    "es5/ui/": "ui/",
    "es5/a11y/": "a11y/",
    "es5/sre/mathmaps/base.json": "sre/mathmaps/base.json",
    "es5/sre/mathmaps/en.json": "sre/mathmaps/en.json",
    "LICENSE": "LICENSE",
}
_CDN = f"https://cdn.jsdelivr.net/npm/mathjax@{_MATHJAX.version}/es5/{_SCRIPT}"


def mathjax(folder: Path) -> str:
    """Unpack MathJax into a folder of the site, from the cache or from npm.

    Returns:
        The path of the script below the site's static files; the address of a public copy where
        neither npm nor the cache has it, and then one sentence says so.
    """
    if unpack(_MATHJAX, _PARTS, folder / "mathjax"):
        return f"{folder.name}/mathjax/{_SCRIPT}"
    print("MathJax could not be fetched with npm: the pages will load it from cdn.jsdelivr.net.")
    return _CDN
