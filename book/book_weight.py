"""Light pages: only the icons that are shown, and pictures packed without loss.

The theme brings every icon of Font Awesome twice, as fonts and as a script of 1.5 MB; the pages
show about thirty. Figures take half the bytes as lossless WebP, pixel for pixel the same. Films,
which a notebook carries as text, become files, a quarter smaller.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

__all__ = ["lighten"]

_FONT_AWESOME = re.compile(r"<(?:script|link)\b[^>]*vendor/fontawesome/[^>]*>(?:</script>)?\n?")
_STYLE = re.compile(r'href="([^"]*_static/)vendor/fontawesome/[^"]*/all\.min\.css[^"]*"')
_CLASSES = re.compile(r'class="([^"]*)"')
_CODE_POINTS = re.compile(r"((?:\.fa-[\w-]+:before,?)+)\{content:\"\\([0-9a-f]+)\"\}")
_IN_STYLES = re.compile(r'"\\?([\ue000-\uf8ff]|[ef][0-9a-f]{3})"')
_INSIDE = re.compile(r'(src|srcset)="data:image/(png|webp);base64,([A-Za-z0-9+/=]+)"')
_PICTURE = re.compile(r"(_images/[\w.-]+)\.png")
# what serves notebooks, cards, tabs or code alone, with what marks a page that has some
_SERVES = {
    re.compile(rf"\s*<(?:link|script) [^>]*_static/{file}[^>]*>(?:</script>)?"): mark
    for file, mark in (
        (r"mystnb\.", 'class="cell '),
        (r"sphinx-design\.", "sd-"),
        (r"design-tabs\.", "sd-tab"),
        (r"clipboard\.", 'class="highlight'),
        (r"copybutton\.", 'class="highlight'),
        (r"live/live\.", 'class="live '),
    )
}
# the two fonts of which the theme uses something, with the classes that ask for them
_FONTS = {
    "fa-solid-900": ("Font Awesome 6 Free", 900, ".fa, .fas, .fa-solid"),
    "fa-brands-400": ("Font Awesome 6 Brands", 400, ".fab, .fa-brands"),
}
_SHEET = """\
/* Cut out of Font Awesome Free by @fontawesome, see LICENSE.txt beside this file. */
:root {
  --fa-font-solid: normal 900 1em/1 "Font Awesome 6 Free";
  --fa-font-brands: normal 400 1em/1 "Font Awesome 6 Brands";
}
.fa, .fas, .fa-solid, .fab, .fa-brands {
  display: inline-block;
  font-style: normal;
  font-variant: normal;
  line-height: 1;
  text-rendering: auto;
  -webkit-font-smoothing: antialiased;
}
.fa-lg { font-size: 1.25em; line-height: 0.05em; vertical-align: -0.075em; }
"""


def lighten(site: Path) -> None:
    """Rewrite a built site so that its pages load less and look the same.

    Args:
        site: folder of the pages; one that is light already stays as it is.
    """
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    texts = {path: path.read_text(encoding="utf-8") for path in pages}
    outside = {path: _take_out(site, path, text) for path, text in texts.items()}
    sheet = _write_icons(site, texts.values())
    packed = {_pack(path) for path in (site / "_images").glob("*.png")}
    for path, text in texts.items():
        light = _FONT_AWESOME.sub("", _STYLE.sub(rf'href="\1{sheet}"', outside[path]))
        light = _without_unused(light)
        light = _PICTURE.sub(
            lambda m: f"{m[1]}.webp" if m[1].rpartition("/")[2] in packed else m[0], light
        )
        if light != text:
            path.write_text(light, encoding="utf-8")


def _take_out(site: Path, page: Path, text: str) -> str:
    """Write the pictures that a page carries as text to files, and return the page that names them.

    Their names are digests, as those of the lessons' other pictures are.
    """
    folder = site / "_images"

    def take(found: re.Match[str]) -> str:
        data = base64.b64decode(found[3])
        file = folder / f"{hashlib.sha256(data).hexdigest()}.{found[2]}"
        folder.mkdir(exist_ok=True)
        file.write_bytes(data)
        return f'{found[1]}="{Path(os.path.relpath(file, page.parent)).as_posix()}"'

    return _INSIDE.sub(take, text)


def _without_unused(text: str) -> str:
    """Return a page without the styles and scripts of things that it does not have."""
    bare = text
    for link in _SERVES:
        bare = link.sub("", bare)
    for link, mark in _SERVES.items():
        if mark not in bare:
            text = link.sub("", text)
    return text


def _write_icons(site: Path, texts: Iterable[str]) -> str:
    """Write fonts and sheet of the icons in use; return the sheet's path below ``_static``."""
    import pydata_sphinx_theme  # type: ignore[import-untyped]

    whole = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme"
    source = next((whole / "static" / "vendor" / "fontawesome").iterdir())
    names = {name for text in texts for every in _CLASSES.findall(text) for name in every.split()}
    rules = {
        name: code
        for selectors, code in _CODE_POINTS.findall((source / "css" / "all.min.css").read_text())
        for name in re.findall(r"\.(fa-[\w-]+)", selectors)
        if name in names
    }
    codes = {int(code, 16) for code in rules.values()} | _codes_in_styles(site)
    folder = site / "_static" / "icons"
    folder.mkdir(exist_ok=True)
    parts = [_SHEET]
    for font, (family, weight, classes) in _FONTS.items():
        data = _subset(source / "webfonts" / f"{font}.ttf", codes)
        (folder / f"{font}.woff").write_bytes(data)
        address = f'url("{font}.woff?v={hashlib.sha256(data).hexdigest()[:8]}") format("woff")'
        parts.append(
            f'@font-face {{ font-family: "{family}"; font-weight: {weight}; '
            f"font-display: block; src: {address}; }}\n"
            f'{classes} {{ font-family: "{family}"; font-weight: {weight}; }}\n'
        )
    parts += [f'.{name}::before {{ content: "\\{rules[name]}"; }}\n' for name in sorted(rules)]
    sheet = "".join(parts)
    (folder / "icons.css").write_text(sheet, encoding="utf-8")
    shutil.copyfile(source / "LICENSE.txt", folder / "LICENSE.txt")
    shutil.rmtree(site / "_static" / "vendor" / "fontawesome", ignore_errors=True)
    return f"icons/icons.css?v={hashlib.sha256(sheet.encode()).hexdigest()[:8]}"


def _codes_in_styles(site: Path) -> set[int]:
    """Return the icons that the theme's own styles put before boxes and links."""
    return {
        ord(code) if len(code) == 1 else int(code, 16)
        for path in (site / "_static" / "styles").glob("*.css")
        for code in _IN_STYLES.findall(path.read_text(encoding="utf-8"))
    }


def _subset(font: Path, codes: set[int]) -> bytes:
    """Return a font with the glyphs of some code points alone, packed as WOFF."""
    from fontTools import subset  # type: ignore[import-untyped]

    options = subset.Options(flavor="woff", notdef_outline=True, layout_features=[])
    whole = subset.load_font(str(font), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(whole)
    file = io.BytesIO()
    whole.flavor = "woff"
    whole.save(file)
    return file.getvalue()


def _pack(picture: Path) -> str:
    """Put a lossless WebP in the place of a PNG, and return the name that both have."""
    packed = picture.with_suffix(".webp")
    # lessons' pictures carry their digest as name, others are written anew
    if not (packed.is_file() and len(picture.stem) == 64):
        with Image.open(picture) as image:
            image.save(packed, lossless=True, quality=60, method=4)
    picture.unlink()
    return picture.stem
