"""Pack what students get: notebooks and package, without solutions and tests."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from genimg_course import authoring
from genimg_course.files import write_whole
from genimg_course.grading.package import write_package

__all__ = ["ReleaseError", "release"]

_FOLDER = "genimg_course"  # everything in the zip lies in one folder of this name
_FILES = ("LICENSE", "Makefile", "constraints.txt", "environment.yml", "pyproject.toml")
_INSTRUCTORS = ("authoring.py", "commands/teaching.py", "grading/")
_WHEN = (2000, 1, 1, 0, 0, 0)  # the same bytes whenever it is packed
_README = """\
# Image generation: your copy

You need Python 3.11, 3.12 or 3.13 and make. In this folder, type

    make lab

The first call sets up an environment; then JupyterLab opens on the first lesson. The notebooks are
in `notebooks/`. Work in them, run all cells, and hand in the `.ipynb` file.
{checks}
If something seems wrong, `.venv/bin/genimg doctor` says what it is and how to mend it.
"""
_CHECKED = """
A cell says at once whether an answer is right. `hint("...")` helps, one step at a time.
"""
_UNCHECKED = """
This copy cannot check answers: they are kept, and judged when you hand them in. `hint("...")`
helps, one step at a time. What a later cell needs of an exercise, you have to write first.
"""


class ReleaseError(ValueError):
    """Say in one sentence why nothing was packed."""


def release(root: Path, out: Path, *, references: bool = True) -> Path:
    """Write a zip file for students; the same course gives the same bytes.

    Args:
        root: the course's folder.
        out: the zip file, ``class.zip``.
        references: whether the package holds the references of the exercises. With them a notebook
            checks each answer at once, and a missing one is replaced; without them answers are
            kept as they are, and a function that is asked for is nowhere in the copy.

    Returns:
        The zip file.

    Raises:
        ReleaseError: if there is no course here, its notebooks are not those of its sources, a
            solution would get into the zip, or the file exists.
        OSError: if the disk takes no more.
    """
    if out.suffix != ".zip":
        raise ReleaseError(f"{out}: name a zip file, such as class.zip")
    if out.exists():
        raise ReleaseError(f"{out} exists already: delete it or choose another name")
    missing = [name for name in (*_FILES, "solutions", "notebooks") if not (root / name).exists()]
    if missing:
        raise ReleaseError(f"{root} holds no {missing[0]}: go to the folder of the course")
    stale = authoring.check(root)
    if stale:
        raise ReleaseError(stale[0])
    checks = _CHECKED if references else _UNCHECKED
    with tempfile.TemporaryDirectory(prefix="genimg-") as scratch:
        content = {"README.md": _README.format(checks=checks).encode()}
        content |= {name: (root / name).read_bytes() for name in _FILES}
        content |= dict(_below(root / "notebooks", "notebooks", "*.ipynb"))
        content |= dict(_package(root, Path(scratch), references))
        for name, data in content.items():
            if name.startswith("notebooks/") and b"BEGIN SOLUTION" in data:
                raise ReleaseError(f"{name} holds a solution: delete it, or move it away")
        packed = Path(scratch) / "packed.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in sorted(content.items()):
                entry = zipfile.ZipInfo(f"{_FOLDER}/{name}", _WHEN)
                entry.external_attr = 0o644 << 16
                file.writestr(entry, data, zipfile.ZIP_DEFLATED)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, packed.read_bytes())
    return out


def _package(root: Path, scratch: Path, references: bool) -> Iterator[tuple[str, bytes]]:
    source = root if references else write_package(scratch / "copy", box=False)
    for name, data in _below(source / _FOLDER, _FOLDER):
        if not name.removeprefix(f"{_FOLDER}/").startswith(_INSTRUCTORS):
            yield name, data


def _below(folder: Path, prefix: str, pattern: str = "*") -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob(pattern)):
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
            yield f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes()
