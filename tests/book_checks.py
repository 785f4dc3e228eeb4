"""What a reader with a keyboard, a screen reader or weak eyes needs of a page, as a program."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Element", "contrast", "faults", "parse"]

_EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source"}
_HEADING = re.compile(r"h[1-6]")
_FIELDS = {"input", "select", "textarea"}
# headings that the theme keeps for paper
_ASIDE = {"jb-print-docs-body"}


@dataclass
class Element:
    """An element of a page with what is inside."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    def walk(self) -> list[Element]:
        """Return the element and all below it, in the order of the page, without what is aside."""
        found = [self]
        for child in self.children:
            if isinstance(child, Element) and child.attributes.get("id") not in _ASIDE:
                found += child.walk()
        return found

    def name(self) -> str:
        """Return what a screen reader says: label, title, or the text and pictures inside."""
        own = self.attributes.get("aria-label") or self.attributes.get("title") or ""
        inner = [
            child if isinstance(child, str) else child.attributes.get("alt") or child.name()
            for child in self.children
        ]
        return (own or " ".join(inner)).strip()


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        places = [i for i, element in enumerate(self._open) if element.tag == tag]
        if places:
            del self._open[places[-1] :]

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(text: str) -> Element:
    """Return a page as a tree."""
    tree = _Tree()
    tree.feed(text)
    return tree.root


def faults(text: str) -> list[str]:
    """Return what is wrong with a page, one short line each; nothing if all is well."""
    elements = parse(text).walk()
    return [
        *_frame(elements),
        *_headings(elements),
        *_pictures(elements),
        *_names(elements),
        *_ids(elements),
    ]


def _frame(elements: list[Element]) -> list[str]:
    """Check language, title, width, and the landmarks that a reader jumps to."""
    by_tag = {element.tag: element for element in reversed(elements)}
    metas = {e.attributes.get("name") for e in elements if e.tag == "meta"}
    mains = [e for e in elements if e.tag == "main" or e.attributes.get("role") == "main"]
    skips = [e for e in elements if e.tag == "a" and e.attributes.get("href") == "#main-content"]
    found = {
        "no language": not by_tag.get("html", Element("")).attributes.get("lang"),
        "no title": not by_tag.get("title", Element("")).name(),
        "no width for phones": "viewport" not in metas,
        f"{len(mains)} main parts": len(mains) != 1,
        "no navigation": "nav" not in by_tag,
        "no way past the navigation": not skips,
    }
    return [fault for fault, holds in found.items() if holds]


def _headings(elements: list[Element]) -> list[str]:
    """Check that there is one first heading, that no level is skipped, and that none is empty."""
    headings = [e for e in elements if _HEADING.fullmatch(e.tag)]
    levels = [int(e.tag[1]) for e in headings]
    found = [] if levels.count(1) == 1 else [f"{levels.count(1)} first headings"]
    found += [
        f"h{before} is followed by h{after}: {heading.name()}"
        for before, after, heading in zip(levels, levels[1:], headings[1:], strict=False)
        if after > before + 1
    ]
    return found + [f"empty {e.tag}" for e in headings if not e.name()]


def _pictures(elements: list[Element]) -> list[str]:
    return [
        f"picture without words: {e.attributes.get('src')}"
        for e in elements
        if e.tag == "img" and "alt" not in e.attributes
    ]


def _names(elements: list[Element]) -> list[str]:
    """Check that whatever can be pressed or filled in says what it is."""
    labels = {e.attributes["for"]: e.name() for e in elements if "for" in e.attributes}
    found = []
    for e in elements:
        hidden = e.attributes.get("type") == "hidden" or e.attributes.get("aria-hidden") == "true"
        if hidden or e.tag not in {"a", "button", "summary", *_FIELDS}:
            continue
        if e.tag == "a" and "href" not in e.attributes:
            continue
        if not (e.name() or labels.get(e.attributes.get("id", ""))):
            found.append(f"{e.tag} without a name: {e.attributes}")
    return found


def _ids(elements: list[Element]) -> list[str]:
    ids = [e.attributes["id"] for e in elements if "id" in e.attributes]
    return [f"id twice: {id}" for id in sorted({id for id in ids if ids.count(id) > 1})]


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2 between two colours, from 1 to 21.

    Args:
        one: ``"#rrggbb"`` or ``"rgb(r, g, b)"``.
        other: likewise.
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    if colour.startswith("#"):
        parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    else:
        parts = [int(float(part)) for part in re.findall(r"[\d.]+", colour)[:3]]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (part / 255 for part in parts)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
