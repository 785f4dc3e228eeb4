"""A small Sphinx extension: descriptions for the lessons' pictures, and no empty words in the API.

The figures of the course describe themselves in the metadata of their notebook output. MyST-NB
names the file of a picture by the digest of its bytes and drops the description; this puts it back.
"""

from pathlib import PurePosixPath
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from sphinx.application import Sphinx

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension; ``picture_texts`` maps the digest of a picture to its description."""
    app.add_config_value("picture_texts", {}, "env", types=(dict,))
    app.connect("doctree-read", _describe)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _describe(app: Sphinx, doctree: nodes.document) -> None:
    for picture in doctree.findall(nodes.image):
        digest = PurePosixPath(picture["uri"]).stem
        text = app.config.picture_texts.get(digest)
        if text and "alt" not in picture:
            picture["alt"] = text


def _skip(*event: Any) -> bool | None:
    """Leave out fields of named tuples, which their class explains, and what comes from elsewhere.

    A name that a part of the package passes on is documented where it is written.
    """
    app, member = event[0], event[3]
    if (member.__doc__ or "").startswith("Alias for field number"):
        return True
    here = app.env.temp_data.get("autodoc:module") or ""
    home = getattr(member, "__module__", None) or ""
    foreign = home.startswith("genimg_course.") and not f"{home}.".startswith(f"{here}.")
    return True if here and foreign else None
