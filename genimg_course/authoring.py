"""From one source per lesson, ``solutions/NN_slug.py``, to the solved and the student's notebook.

A source is a jupytext script in the percent format. What stands between ``### BEGIN SOLUTION`` and
``### END SOLUTION`` is the student's to write. ``{{ repository }}`` and ``{{ colab }}`` are filled
in."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "AuthoringError",
    "build",
    "check",
    "repository",
    "sources",
    "student_source",
    "write",
]

_NAME = re.compile(r"\d\d_[a-z0-9_]+\.py")
_CELL = re.compile(r"#\s*%%(?P<level>%*)(?:\s+(?P<rest>.*))?$")
_MARKER = re.compile(r"(?P<indent>\s*)### (?P<word>BEGIN|END) SOLUTION\s*$")
_NEARLY = re.compile(r"(begin|end)\s+solution", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{\{ *([A-Za-z_]\w*) *\}\}")
_MAGIC = re.compile(r"^(\s*)# ([%!]\S.*)$", re.MULTILINE)
_STUB = "raise NotImplementedError  # write your answer here"
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class AuthoringError(ValueError):
    """Say what is wrong with a lesson's source or its notebooks, and where."""


@dataclass(frozen=True)
class _Block:
    """A student's part: the numbers of its two marker lines, from 1, and their indentation."""

    begin: int
    end: int
    indent: str


@dataclass(frozen=True)
class _Mark:
    """A line that counts: ``"BEGIN"`` or ``"END"`` of an answer, or the first of a ``"CELL"``."""

    line: int
    word: str
    indent: str = ""


def repository(root: Path) -> str:
    """Return the address of the repository, from ``[project.urls]`` in pyproject.toml.

    Args:
        root: the course's folder.
    """
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["urls"]["Repository"]).removesuffix("/")


def sources(root: Path) -> list[Path]:
    """Return the lessons' sources in their order.

    Args:
        root: the course's folder.

    Raises:
        AuthoringError: if a file in ``solutions`` has another name than ``NN_slug.py``, or two
            lessons have one number.
    """
    paths = sorted((root / "solutions").glob("*.py"))
    for path in paths:
        if not _NAME.fullmatch(path.name):
            raise AuthoringError(f"{path}: a lesson is named NN_slug.py, in lower case")
    for number, count in Counter(path.name[:2] for path in paths).items():
        if count > 1:
            raise AuthoringError(f"{root / 'solutions'}: {count} lessons have the number {number}")
    return paths


def student_source(text: str, *, name: str = "source") -> str:
    """Return a lesson's source with each answer replaced by ``raise NotImplementedError``.

    Args:
        text: a source in the percent format.
        name: what an error calls it.

    Raises:
        AuthoringError: if a marker is unbalanced, nested or misplaced, if an answer would stay in
            the student's version, or if the source is not Python.

    >>> print(student_source('''@exercise("toy.half")
    ... def half(x):
    ...     ### BEGIN SOLUTION
    ...     return x / 2
    ...     ### END SOLUTION
    ... '''))
    @exercise("toy.half")
    def half(x):
        raise NotImplementedError  # write your answer here
    <BLANKLINE>
    """
    blocks = _blocks(text, name)
    _refuse_leaks(_parse(text, name), blocks, name)
    lines = text.split("\n")
    for block in reversed(blocks):
        lines[block.begin - 1 : block.end] = [block.indent + _STUB]
    student = "\n".join(lines)
    _parse(student, f"{name}, student's version")
    return student


def build(source: Path, *, repository: str) -> tuple[str, str]:
    """Return the text of a lesson's solved and of its student's notebook, without outputs.

    Args:
        source: the lesson's ``solutions/NN_slug.py``.
        repository: address of the repository, ``https://github.com/OWNER/REPOSITORY``.

    Raises:
        AuthoringError: as :func:`student_source`, or if a placeholder is unknown.
    """
    name = f"{source.parent.name}/{source.name}"
    solved = _fill(source.read_text(encoding="utf-8"), source.stem, repository, name)
    student = _cells(student_source(solved, name=name))
    ids = _ids(student)
    return _notebook(_cells(solved), ids), _notebook(student, ids)


def write(root: Path, *, force: bool = False) -> list[Path]:
    """Write both notebooks of every lesson, and return those that changed.

    Args:
        root: the course's folder.
        force: overwrite notebooks that hold results, which somebody may still want.

    Raises:
        AuthoringError: as :func:`build`, or if a notebook holds results; nothing is written then.
    """
    stale = _stale(root)
    for path in stale:
        if not force and _holds_results(path):
            raise AuthoringError(
                f"{path} holds results, so somebody worked in it: keep a copy under another name, "
                "then run 'genimg author --force'"
            )
    for path, text in stale.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(stale)


def check(root: Path) -> list[str]:
    """Return a sentence for each notebook that is stale, missing, or has no source.

    Args:
        root: the course's folder.

    Raises:
        AuthoringError: as :func:`build`.
    """
    problems = [
        f"{path.relative_to(root)} is {'stale' if path.exists() else 'missing'}: "
        "run 'genimg author'"
        for path in _stale(root)
    ]
    known = {path.stem for path in sources(root)}
    for folder in ("solutions", "notebooks"):
        for path in sorted((root / folder).glob("*.ipynb")):
            if path.stem not in known:
                problems.append(
                    f"{folder}/{path.name} has no source solutions/{path.stem}.py: "
                    "delete it or move it away"
                )
    return problems


def _stale(root: Path) -> dict[Path, str]:
    address = repository(root)
    expected = {}
    for source in sources(root):
        solved, student = build(source, repository=address)
        expected[source.with_suffix(".ipynb")] = solved
        expected[root / "notebooks" / f"{source.stem}.ipynb"] = student
    return {
        path: text
        for path, text in expected.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def _holds_results(path: Path) -> bool:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _fill(text: str, stem: str, repository: str, name: str) -> str:
    place = repository.removeprefix("https://github.com/")
    values = {
        "repository": repository,
        "colab": f"https://colab.research.google.com/github/{place}/blob/main/notebooks/{stem}.ipynb",
    }
    for number, line in enumerate(text.split("\n"), start=1):
        for word in _PLACEHOLDER.findall(line):
            if word not in values:
                raise AuthoringError(
                    f"{name}:{number}: unknown placeholder {{{{ {word} }}}}; there are "
                    f"{' and '.join(f'{{{{ {known} }}}}' for known in values)}"
                )
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _blocks(text: str, name: str) -> list[_Block]:
    """Pair the markers of a source; a block ends in the cell in which it begins."""
    blocks: list[_Block] = []
    begun: _Mark | None = None
    for mark in _marks(text, name):
        if begun and mark.word != "END":
            raise AuthoringError(f"{name}:{begun.line}: this BEGIN SOLUTION has no END SOLUTION")
        if mark.word == "END":
            if not begun:
                raise AuthoringError(f"{name}:{mark.line}: this END SOLUTION has no BEGIN SOLUTION")
            blocks.append(_Block(begun.line, mark.line, begun.indent))
        begun = mark if mark.word == "BEGIN" else None
    return blocks


def _marks(text: str, name: str) -> Iterator[_Mark]:
    """Yield what begins or ends something: markers, and the first line of each cell."""
    in_code = True
    for number, line in enumerate([*text.split("\n"), "# %%"], start=1):
        if cell := _CELL.match(line):
            in_code = not re.search(r"\[(markdown|md|raw)\]", cell["rest"] or "")
            yield _Mark(number, "CELL")
        elif _NEARLY.search(line):
            yield _marker(line, number, name, in_code)


def _marker(line: str, number: int, name: str, in_code: bool) -> _Mark:
    if not in_code:
        raise AuthoringError(f"{name}:{number}: a solution marker stands outside a code cell")
    marker = _MARKER.match(line)
    if not marker:
        raise AuthoringError(
            f"{name}:{number}: a solution marker is '### BEGIN SOLUTION' or "
            "'### END SOLUTION', alone on its line"
        )
    return _Mark(number, marker["word"], marker["indent"])


def _parse(text: str, name: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise AuthoringError(f"{name}:{error.lineno}: {error.msg}") from error


def _is_exercise(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef):
        return False
    called = [mark.func for mark in node.decorator_list if isinstance(mark, ast.Call)]
    return any(getattr(f, "id", getattr(f, "attr", None)) == "exercise" for f in called)


def _refuse_leaks(tree: ast.Module, blocks: list[_Block], name: str) -> None:
    """Hold every block inside one exercise, and every exercise to at least one block."""
    answered = set()
    for block in blocks:
        inside = [
            node
            for node in tree.body
            if node.lineno < block.end and (node.end_lineno or node.lineno) > block.begin
        ]
        home = inside[0] if len(inside) == 1 else None
        if home is None or not _is_exercise(home) or home.lineno > block.begin or not block.indent:
            raise AuthoringError(
                f"{name}:{block.begin}: an answer must be code inside one function that is "
                "decorated with @exercise(...)"
            )
        answered.add(home.lineno)
    for node in tree.body:
        if _is_exercise(node) and node.lineno not in answered:
            raise AuthoringError(
                f"{name}:{node.lineno}: this exercise has no BEGIN SOLUTION, so the student's "
                "notebook would hold its answer"
            )


def _cells(text: str) -> list[dict[str, Any]]:
    import jupytext

    # jupytext would also uncomment '# cat pictures', taking it for the shell's cat
    form = {"extension": ".py", "format_name": "percent", "comment_magics": False}
    cells = []
    for cell in jupytext.reads(text, fmt=form).cells:
        code = cell.cell_type == "code"
        metadata = {k: v for k, v in cell.metadata.items() if not k.startswith("lines_to_")}
        cells.append(
            {
                "cell_type": cell.cell_type,
                "metadata": metadata,
                "source": _MAGIC.sub(r"\1\2", cell.source).strip("\n") if code else cell.source,
                **({"execution_count": None, "outputs": []} if code else {}),
            }
        )
    return cells


def _ids(cells: list[dict[str, Any]]) -> list[str]:
    """Name each cell by what it says, and by its place among those that say the same."""
    seen: Counter[str] = Counter()
    ids = []
    for cell in cells:
        content = f"{cell['cell_type']}\n{cell['source']}"
        seen[content] += 1
        ids.append(hashlib.sha256(f"{seen[content]}\n{content}".encode()).hexdigest()[:12])
    return ids


def _notebook(cells: list[dict[str, Any]], ids: list[str]) -> str:
    import nbformat

    content = {
        "cells": [{"id": name, **cell} for name, cell in zip(ids, cells, strict=True)],
        "metadata": _METADATA,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    notebook = nbformat.from_dict(content)
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"
