"""Pages that cannot run anything: a tree of known elements, escaped when it is written.

Texts that students wrote reach a page as text nodes only. There is no way to hand markup in, the
names of elements and attributes are chosen from short lists, and the policy in the head of a page
forbids scripts, forms and every request to another place.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

__all__ = ["STYLE", "Child", "clean", "element", "page", "prose"]

Element = ElementTree.Element
Child = Element | str | None | Iterable["Child"]

_ELEMENTS = frozenset(
    {
        *("a", "article", "bdi", "body", "code", "dd", "details", "div", "dl", "dt"),
        *("figcaption", "figure", "footer", "h1", "h2", "h3", "head", "html", "img", "main"),
        *("meta", "p", "pre", "span", "strong", "summary", "table", "tbody", "td", "th", "thead"),
        *("title", "tr"),
    }
)
_ATTRIBUTES = frozenset(
    {
        *("alt", "charset", "class", "content", "href", "http-equiv", "id", "lang", "name"),
        *("scope", "src", "width"),
    }
)
_LINK = re.compile(r"#[\w.-]+|feedback/[\w.@~-]+\.html", re.ASCII)
_PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")
# marks that turn the direction of a text can make it read as another one
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")

STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #20242b; --soft: #545b66;
  --card: #f5f6f8; --line: #d5d9df; --link: #00588c; --right: #00664b; --wrong: #8f4700;
  --stopped: #a33c00; --empty: #545b66; }
@media (prefers-color-scheme: dark) { :root { --page: #15181d; --ink: #e6e8ec; --soft: #b0b6c0;
  --card: #1f242b; --line: #3b424d; --link: #7cc4f5; --right: #57d3a8; --wrong: #f0b54a;
  --stopped: #ff9b6b; --empty: #b0b6c0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.55;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere; }
main { max-width: 50rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.2rem 0 .6rem; padding-top: .8rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 0 0 .2rem; }
p { margin: .5rem 0; }
a { color: var(--link); }
.soft, figcaption { color: var(--soft); font-size: .92rem; }
article { background: var(--card); border-left: .3rem solid var(--empty); border-radius: .3rem;
  padding: .8rem 1rem; margin: .9rem 0; }
.right { border-color: var(--right); } .wrong { border-color: var(--wrong); }
.stopped { border-color: var(--stopped); }
.status { font-weight: 600; }
.right .status { color: var(--right); } .wrong .status { color: var(--wrong); }
.stopped .status { color: var(--stopped); } .empty .status { color: var(--empty); }
details { margin: .5rem 0; } details details { margin-left: .4rem; }
summary { cursor: pointer; color: var(--link); padding: .15rem 0; }
code, pre { font-family: ui-monospace, "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace;
  font-size: .88em; }
pre { background: var(--page); border: 1px solid var(--line); border-radius: .3rem;
  padding: .6rem .7rem; overflow-x: auto; overflow-wrap: normal; margin: .4rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.short { white-space: nowrap; } .name { min-width: 9rem; } .long { min-width: 14rem; }
th.number, td.number { text-align: right; padding-right: 1.2rem; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; } img { width: 100%; min-width: 34rem; max-width: 43.2rem; height: auto;
  background: #ffffff; border-radius: .3rem; display: block; }
dl { margin: .5rem 0; } dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .6rem; }
@media print { :root { --page: #ffffff; --ink: #000000; --soft: #333333; --card: #ffffff;
  --line: #999999; --link: #000000; --right: #004d38; --wrong: #6b3500; --stopped: #7a2d00;
  --empty: #333333; } main { max-width: none; padding: 0; } .scroll { overflow: visible; }
  pre { white-space: pre-wrap; } .name, .long, img { min-width: 0; }
  article, tr, figure { break-inside: avoid; } h2, h3 { break-after: avoid; } }
"""
"""The look of every page; written into each, so that a page needs no second file."""


def clean(text: str, *, limit: int = 4000) -> str:
    """Return a text that shows what it is: no control characters, no turned direction, not endless.

    Args:
        text: anything that a student may have written.
        limit: characters that are kept; an ellipsis says that there were more.

    Returns:
        The text; line breaks are ``\\n``, and each removed character is a U+FFFD.
    """
    kept = _BREAKS.sub("\n", text[: limit + 1])
    kept = "".join("\ufffd" if _hides(character) else character for character in kept)
    return kept if len(text) <= limit else f"{kept[:limit]}…"


def _hides(character: str) -> bool:
    if character in "\n\t":
        return False
    code = ord(character)
    nothing = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF or code == 0xFEFF
    # a lone surrogate (Cs) could not even be written as UTF-8
    return nothing or character in _BIDI or unicodedata.category(character) in ("Cc", "Cs")


def element(tag: str, *children: Child, **attributes: str) -> Element:
    """Return an element; strings among its children become text, whatever they hold.

    Args:
        tag: name of one of the elements that a report needs.
        children: elements, texts, iterables of these; ``None`` stands for nothing.
        attributes: an underscore at the end is dropped (``class_``), others become hyphens.

    Raises:
        ValueError: if the element or an attribute is none that a report needs, or an address
            leads out of the report.
    """
    if tag not in _ELEMENTS:
        raise ValueError(f"a report has no element {tag!r}")
    made = Element(tag)
    for name, value in attributes.items():
        name = name.rstrip("_").replace("_", "-")
        if name not in _ATTRIBUTES:
            raise ValueError(f"a report has no attribute {name!r}")
        if name == "href" and not _LINK.fullmatch(value):
            raise ValueError(f"a report links to its own pages only, not to {value[:80]!r}")
        if name == "src" and not _PICTURE.fullmatch(value):
            raise ValueError("a picture of a report is a PNG inside the page")
        made.set(name, value if name == "src" else clean(value))
    for child in _flat(children):
        if isinstance(child, str):
            _append_text(made, clean(child, limit=100_000))
        else:
            made.append(child)
    return made


def _flat(children: Iterable[Child]) -> Iterator[Element | str]:
    for child in children:
        if isinstance(child, str | Element):
            yield child
        elif child is not None:
            yield from _flat(child)


def _append_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def page(title: str, *body: Child) -> str:
    """Return a whole page that loads nothing, runs nothing and sends nothing."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    style = Element("style")
    style.text = STYLE  # the one text that is written as it is
    head = element(
        "head",
        element("meta", charset="utf-8"),
        # before everything that it governs
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("title", title),
        style,
    )
    tree = element("html", head, element("body", element("main", *body)), lang="en-GB")
    return f"<!doctype html>\n{ElementTree.tostring(tree, encoding='unicode', method='html')}\n"


def prose(text: str) -> list[Element]:
    """Return a sentence as elements: `backticks` are code, lines from ``>>>`` on are a block."""
    lines = clean(text).split("\n")
    start = next((i for i, line in enumerate(lines) if line.startswith(">>>")), len(lines))
    words, code = " ".join(filter(None, lines[:start])), "\n".join(lines[start:]).rstrip()
    made = [element("p", _marked(words))] if words else []
    return [*made, element("pre", element("code", code))] if code else made


def _marked(words: str) -> Iterator[Element | str]:
    for i, part in enumerate(re.split(r"`([^`]+)`", words)):
        yield element("code", part) if i % 2 else part
