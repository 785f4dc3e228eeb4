"""Build the online book: ``make book``, or ``python book/build.py --out FOLDER``.

Six steps: run the lessons (or take copies that ran already), lay pages and lessons out as one
source tree, fetch MathJax, write the networks that the live pages run, let Jupyter Book make the
site in ``FOLDER/html``, and take out of it what no page shows. Any warning is a failure. Nothing is
written outside the folder, but what comes from npm is kept in the course's cache.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from book_live import complete_live_pages
from book_mathjax import mathjax
from book_names import name_controls
from book_pages import BOOK, ROOT, PageError, assemble
from book_weight import lighten

from genimg_course.authoring import repository
from genimg_course.runner import LessonFailed, run

__all__ = ["build", "executed_lessons", "main", "render", "run_lessons"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the book from the command line and return 0, 1 after a warning, 2 without lessons."""
    parser = argparse.ArgumentParser(
        prog="python book/build.py", description="Build the online book."
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=BOOK / "_build",
        help="folder to build in (default: book/_build)",
    )
    parser.add_argument(
        "--executed", type=Path, help="folder with lessons that ran already, NN_slug.ipynb each"
    )
    parser.add_argument("--profile", default="cpu", help="how to run the lessons (default: cpu)")
    options = parser.parse_args(arguments)
    try:
        return build(options.out, executed=options.executed, profile=options.profile)
    except (LessonFailed, PageError) as error:
        print(error, file=sys.stderr)
        return 2


def build(out: Path, *, executed: Path | None = None, profile: str = "cpu") -> int:
    """Build the site in ``out/html`` and return 0, or 1 if there was a warning or an error.

    Args:
        out: folder to build in; it is made, and may hold an earlier build.
        executed: folder with executed lessons; without it they are run first.
        profile: how to run them: ``"smoke"``, ``"cpu"`` or ``"gpu"``.
    """
    out = out.resolve()
    lessons = executed_lessons(executed or run_lessons(out / "executed", profile))
    settings = assemble(out / "source", lessons)
    if render(out, settings) != 0:
        print("The book has warnings or errors, see above.", file=sys.stderr)
        return 1
    _offer_students_notebooks(out / "html")
    print(f"The book is built: {out / 'html' / 'index.html'}")
    return 0


def render(out: Path, settings: dict[str, Any]) -> int:
    """Make the site ``out/html`` from the tree ``out/source``, and return what Sphinx returns.

    Args:
        out: folder to build in.
        settings: of Sphinx, those that go with the tree.
    """
    from jupyter_book.sphinx import build_sphinx  # type: ignore[import-untyped]

    # Sphinx looks at every live object, and torch answers for one that it no longer wants
    warnings.filterwarnings("ignore", category=FutureWarning, message="`torch.distributed")
    source = out / "source"
    complete_live_pages(source)
    settings = settings | {
        "external_toc_path": str(source / "_toc.yml"),
        "html_theme_options": {"repository_url": repository(ROOT), "repository_branch": "main"},
        "latex_individualpages": False,
        "mathjax_path": mathjax(source / "_assets" / "vendor"),
    }
    status: int = build_sphinx(
        source,
        out / "html",
        path_config=source / "_config.yml",
        noconfig=True,
        confoverrides=settings,
        doctreedir=out / "doctrees",
        warningiserror=True,
        keep_going=True,
        quiet=True,
    )
    if status == 0:
        lighten(out / "html")
        name_controls(out / "html")
    return status


def run_lessons(folder: Path, profile: str) -> Path:
    """Run every solved lesson whose text, or the package below it, changed since the last time.

    Args:
        folder: where the executed copies and the digests of what they were made from are kept.
        profile: how to run them.

    Returns:
        The folder of the executed copies.
    """
    package = [path.read_bytes() for path in sorted((ROOT / "genimg_course").rglob("*.py"))]
    solved = sorted((ROOT / "solutions").glob("[0-9][0-9]_*.ipynb"))
    for old in set(folder.glob("*")) - {folder / path.stem for path in solved}:
        shutil.rmtree(old)
    for path in solved:
        digest = hashlib.sha256(
            b"\0".join([profile.encode(), path.read_bytes(), *package])
        ).hexdigest()
        stamp = folder / path.stem / "made_from.sha256"
        if stamp.is_file() and stamp.read_text() == digest:
            continue
        print(f"running {path.stem} with profile {profile}", flush=True)
        stamp.unlink(missing_ok=True)
        run(path, out=folder / path.stem, parameters={"PROFILE": profile})
        stamp.write_text(digest)
    return folder


def executed_lessons(folder: Path) -> list[Path]:
    """Return the executed copies below a folder, whatever its layout, in the order of the lessons.

    Raises:
        PageError: if there is none.
    """
    found = sorted(folder.rglob("[0-9][0-9]_*.ipynb"), key=lambda path: path.name)
    if not found:
        raise PageError(f"there is no executed lesson NN_slug.ipynb in {folder}")
    return found


def _offer_students_notebooks(site: Path) -> None:
    """Let the button for the download give what Colab opens, not the page's own notebook."""
    for page in (site / "_sources" / "notebooks").glob("*.ipynb"):
        students = ROOT / "notebooks" / page.name
        if students.is_file():
            shutil.copyfile(students, page)


if __name__ == "__main__":
    raise SystemExit(main())
