"""Run a lesson without a browser, and keep the executed notebook, a page, pictures and numbers."""

from __future__ import annotations

import ast
import base64
import contextlib
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genimg_course.launch import kernel_environment

__all__ = ["LessonFailed", "Run", "RunError", "parameter_names", "run", "value"]

# papermill's own marks in an executed notebook
_PARAMETERS, _ERROR_NOTE = "injected-parameters", "papermill-error-cell-tag"


class RunError(ValueError):
    """Say in one sentence what is wrong with the command."""


class LessonFailed(Exception):
    """Say where a lesson stopped, and why."""


@dataclass(frozen=True)
class Run:
    """What a run left behind: the paths of its files, its numbers, and its time in seconds."""

    notebook: Path
    page: Path
    pictures: list[Path]
    numbers: dict[str, Any]
    seconds: float


def value(text: str) -> Any:
    """Return a parameter's value as Python reads it, or the text itself.

    >>> value("3"), value("None"), value("mnist")
    (3, None, 'mnist')
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def parameter_names(notebook: Path) -> list[str]:
    """Return the names that a lesson's cell with the tag ``parameters`` assigns.

    Args:
        notebook: the lesson.
    """
    names = []
    for cell in _load(notebook):
        if "parameters" in _tags(cell):
            for node in ast.walk(ast.parse(_source(cell))):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    names.append(node.id)
    return names


def run(
    notebook: Path,
    *,
    out: Path,
    parameters: Mapping[str, Any] | None = None,
    cell_timeout: int | None = None,
) -> Run:
    """Run a lesson in a kernel of its own, and check that every code cell was executed.

    Args:
        notebook: the lesson.
        out: folder for ``NN_slug.ipynb``, ``NN_slug.html``, ``pictures`` and ``numbers.json``;
            files of these names are overwritten.
        parameters: values for the lesson's parameters, such as ``PROFILE`` and ``DATASET``.
        cell_timeout: seconds that one cell may take; no limit by default.

    Raises:
        RunError: if the lesson has no such parameter, or ``out`` is the lesson's own folder.
        LessonFailed: if a cell fails or is not executed; the notebook up to there is kept.
    """
    parameters = dict(parameters or {})
    known = parameter_names(notebook)
    for name in parameters:
        if name not in known:
            raise RunError(
                f"{notebook.stem} has no parameter {name}; it has {', '.join(known) or 'none'}"
            )
    target = out / notebook.name
    if target.absolute() == notebook.absolute():
        raise RunError(
            f"{out} is where the lesson itself lies: choose another folder for the results"
        )
    numbers = out / "numbers.json"
    (out / "pictures").mkdir(parents=True, exist_ok=True)
    for old in [numbers, target, *(out / "pictures").glob("cell_*.png")]:
        old.unlink(missing_ok=True)
    start = time.monotonic()
    try:
        _execute(notebook, target, parameters, numbers, cell_timeout)
    finally:
        if target.exists():
            pictures = _save_pictures(target, out / "pictures")
    _refuse_unexecuted(target)
    page = _save_page(target)
    return Run(
        notebook=target,
        page=page,
        pictures=pictures,
        numbers=json.loads(numbers.read_text(encoding="utf-8")) if numbers.exists() else {},
        seconds=time.monotonic() - start,
    )


def _execute(
    notebook: Path,
    target: Path,
    parameters: dict[str, Any],
    numbers: Path,
    cell_timeout: int | None,
) -> None:
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it says is raised as well
    with tempfile.TemporaryDirectory(prefix="genimg-") as scratch:
        (Path(scratch) / "work").mkdir()
        # at ERROR a kernel would report that it was stopped behind a failed cell
        environment = kernel_environment(Path(scratch), log_level=50)
        environment["GENIMG_REPORT"] = str(numbers.absolute())
        try:
            with _environment(environment):
                papermill.execute_notebook(
                    # papermill fills in braces in paths
                    str(notebook.absolute()).replace("{", "{{").replace("}", "}}"),
                    str(target.absolute()).replace("{", "{{").replace("}", "}}"),
                    parameters=parameters,
                    kernel_name="python3",
                    language="python",
                    cwd=str(Path(scratch) / "work"),
                    progress_bar=sys.stderr.isatty(),
                    execution_timeout=cell_timeout,
                    # tags must not switch off a cell or its error
                    force_raise_errors=True,
                    skip_cells_with_tag="",
                )
        except papermill.PapermillExecutionError as error:
            last_line = (error.evalue.strip().splitlines() or [""])[-1]
            reason = f"{error.ename}: {last_line}".removesuffix(": ")
            raise LessonFailed(_where(target, reason)) from error
        except CellTimeoutError as error:
            raise LessonFailed(
                f"{notebook.stem}: a cell took more than {cell_timeout} s; {_kept(target)}"
            ) from error
        except DeadKernelError as error:
            raise LessonFailed(
                f"{notebook.stem}: the kernel died, perhaps for lack of memory; {_kept(target)}"
            ) from error


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _load(notebook: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if not {_PARAMETERS, _ERROR_NOTE} & set(_tags(cell))]


def _tags(cell: Mapping[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", []))


def _source(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])


def _has_error(cell: Mapping[str, Any]) -> bool:
    return any(output["output_type"] == "error" for output in cell.get("outputs", []))


def _heading(cells: list[dict[str, Any]]) -> str:
    lines = [
        line
        for cell in cells
        if cell["cell_type"] == "markdown"
        for line in _source(cell).splitlines()
        if line.startswith("#")
    ]
    return lines[-1].lstrip("# ") if lines else "before the first heading"


def _kept(target: Path) -> str:
    return f"the notebook up to there is {target}"


def _where(target: Path, reason: str) -> str:
    cells = _load(target)
    number = next((i for i, cell in enumerate(cells) if _has_error(cell)), None)
    if number is None:
        return f"{target.stem} stopped: {reason}; {_kept(target)}"
    heading = _heading(cells[: number + 1])
    return f"{target.stem} stopped in cell {number + 1} ({heading}): {reason}; {_kept(target)}"


def _refuse_unexecuted(target: Path) -> None:
    """Find what papermill passes over: cells behind a ``sys.exit(0)`` count as run there."""
    cells = _load(target)
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "code" or not _source(cell).strip():
            continue
        if cell["execution_count"] is None or _has_error(cell):
            state = "ended the kernel" if _has_error(cell) else "was not executed"
            raise LessonFailed(
                f"{target.stem}: cell {number + 1} ({_heading(cells[: number + 1])}) {state}; "
                f"{_kept(target)}"
            )


def _save_pictures(notebook: Path, folder: Path) -> list[Path]:
    saved = []
    for number, cell in enumerate(_load(notebook), start=1):
        pictures = [output.get("data", {}).get("image/png") for output in cell.get("outputs", [])]
        for index, picture in enumerate(filter(None, pictures), start=1):
            path = folder / f"cell_{number:03d}_{index}.png"
            path.write_bytes(base64.b64decode("".join(picture)))
            saved.append(path)
    return saved


def _save_page(notebook: Path) -> Path:
    import nbformat
    from nbconvert import HTMLExporter

    logger = logging.getLogger("traitlets")
    level = logger.level
    logger.setLevel(logging.ERROR)  # pictures without alt text are the lessons' tests' concern
    try:
        page, _ = HTMLExporter().from_notebook_node(
            nbformat.read(notebook, as_version=4),
            resources={"metadata": {"name": notebook.stem}},
        )
    finally:
        logger.setLevel(level)
    path = notebook.with_suffix(".html")
    path.write_text(page, encoding="utf-8")
    return path
