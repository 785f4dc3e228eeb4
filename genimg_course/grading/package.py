"""Write a copy of the package that does not hold the answers.

Every function that is the reference of an exercise keeps its signature and its docstring and raises
when it is called; so do private functions that only such functions call, and a few others that give
the same answer under another name. What is left out does not exist in the copy: exercises, proofs,
solutions' relatives such as the broken programs of the clinic.
"""

import ast
import hashlib
import inspect
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import genimg_course
from genimg_course.exercises.registry import specifications
from genimg_course.exercises.specification import Hints

__all__ = ["stub", "withheld", "write_package"]

_ROOT = Path(genimg_course.__file__).resolve().parent

_VISIBLE = (
    *("__init__.py", "_checks.py", "files.py", "folders.py", "landmarks.py", "profiles.py"),
    *("report.py", "source.py", "data", "losses", "maths", "metrics", "models", "probing"),
    *("training", "grading/wire", "grading/box"),
)
"""What answers may use inside the sandbox, or what runs them there."""

_HIDDEN = ("exercises", "maths/proofs")
_HIDDEN_FROM_STUDENTS = (*_HIDDEN, "grading")
_DISPLAY = "exercises/display.py"

_ALSO = {
    "losses/adversarial.py": ("wasserstein_generator_loss",),  # is the hinge loss of a generator
    "maths/optimal_critics.py": ("least_squares_critic",),  # is the optimal discriminator
    "maths/optimisers.py": ("adam_step",),  # the exercise names its results
    "maths/restoration.py": ("wiener_gain",),  # a / (a + b), as the optimal discriminator
    "metrics/latents.py": ("kl_per_latent",),  # holds the KL term of a VAE
}
"""Functions that give the answer of an exercise, though they are the reference of none."""

_TABLES = {"landmarks.py": ("_LAW_OF",)}
_TABLES_OF_BOX = {"landmarks.py": ("LANDMARKS", "_LAW_OF")}
"""Tables that a reference looks its answer up in; they are empty in the copy."""

_ARGUMENTS = {"maths/f_divergences.py": ("activation",)}
"""Arguments that hold an answer; they are ``None`` in the copy."""

_IMPORT = "from genimg_course.unavailable import GradedFunctionUnavailable\n"
_UNAVAILABLE = '''"""What stands in the place of a function that is asked for in an exercise."""

__all__ = ["GradedFunctionUnavailable"]


class GradedFunctionUnavailable(RuntimeError):
    """A function of the package was called that the reader is asked to write."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{{name}} is what you are asked to write yourself: {place} does not have it."
        )
'''
_PLACES = {True: "the grader's copy of genimg_course", False: "this copy of genimg_course"}
_PROOFS = '''"""The proofs of the course are not part of this copy."""

__all__ = ["proof"]


def proof(id: str) -> None:
    """Do nothing."""
'''
_EXERCISES_OF_BOX = '''"""The exercises are not part of this copy: an answer stays what it is."""

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["exercise", "hint", "progress"]

F = TypeVar("F", bound=Callable[..., Any])


def exercise(id: str) -> Callable[[F], F]:
    """Return a decorator that returns its function."""
    return lambda function: function


def hint(id: str) -> None:
    """Do nothing."""


def progress(lesson: str | int | None = None) -> None:
    """Do nothing."""
'''
_EXERCISES = '''"""Exercises without references: answers are judged when they are handed in."""

from collections.abc import Callable
from typing import Any, TypeVar

from genimg_course.exercises.display import Message, show
from genimg_course.exercises.hints import HINTS

__all__ = ["exercise", "hint", "progress"]

F = TypeVar("F", bound=Callable[..., Any])
_STEPS: dict[str, int] = {}
_WRITTEN: list[str] = []


def exercise(id: str) -> Callable[[F], F]:
    """Keep the decorated function as it is.

    Args:
        id: the exercise, ``"vae.gaussian_kl"``.

    Raises:
        ValueError: if there is no such exercise.
    """
    _known(id)

    def decorate(function: F) -> F:
        if id not in _WRITTEN:
            _WRITTEN.append(id)
        text = "Your own function is used from here on. It is judged when you hand it in."
        show(Message("hint", id, [text]))
        return function

    return decorate


def hint(id: str) -> None:
    """Show the next hint.

    Args:
        id: the exercise, ``"vae.gaussian_kl"``.

    Raises:
        ValueError: if there is no such exercise.
    """
    hints = _known(id)
    step = _STEPS[id] = min(_STEPS.get(id, 0) + 1, len(hints))
    show(Message("hint", f"{id}: Hint {step} of {len(hints)}", [hints[step - 1]]))


def progress(lesson: str | int | None = None) -> None:
    """Show which exercises were defined in this session."""
    text = ", ".join(_WRITTEN) or "No exercise was defined in this session yet."
    show(Message("hint", "Exercises", [text]))


def _known(id: str) -> tuple[str, ...]:
    if id not in HINTS:
        raise ValueError(f"There is no exercise {id!r}. There are: {', '.join(HINTS)}.")
    return HINTS[id]
'''


def write_package(target: Path, *, box: bool = True) -> Path:
    """Write the copy, once for the same sources, and return the folder that holds it.

    Args:
        target: a folder for copies; each has a folder of its own there, named after its sources.
        box: write the copy that is visible inside a sandbox, with little more than mathematics,
            networks and training. Otherwise the one for students who get no references: all of the
            package but its answers, with the texts of the hints.

    Returns:
        The folder to import ``genimg_course`` from. Files are read-only, and their bytes are the
        same for the same sources.
    """
    files = dict(sorted(_copy(box).items()))
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    made = target / f"{'box' if box else 'students'}-{digest.hexdigest()[:16]}"
    if made.is_dir():
        return made
    target.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target))
    try:
        _write(draft, files)
        os.replace(draft, made)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not made.is_dir():  # else another process was faster
            raise
    return made


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below ``folder/genimg_course`` and take the right to write from all of them."""
    for name, content in files.items():
        path = folder / "genimg_course" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    folder.chmod(0o755)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.chmod(0o555)


def _copy(box: bool) -> dict[str, bytes]:
    """Return the files of a copy by their names below the package."""
    graded, tables = withheld(), _TABLES_OF_BOX if box else _TABLES
    files = {}
    for name in _names(box):
        content = (_ROOT / name).read_bytes()
        if name.endswith(".py"):
            names = graded.get(name, ())
            arguments = _ARGUMENTS.get(name, ())
            content = stub(content, names, tables=tables.get(name, ()), arguments=arguments)
        files[name] = content
    files["unavailable.py"] = _UNAVAILABLE.format(place=_PLACES[box]).encode()
    files["maths/proofs/__init__.py"] = _PROOFS.encode()
    if box:
        files["exercises/__init__.py"] = _EXERCISES_OF_BOX.encode()
        files["grading/__init__.py"] = (
            b'"""What runs answers inside a sandbox."""\n\n__all__ = []\n'
        )
    else:
        files["exercises/__init__.py"] = _EXERCISES.encode()
        files["exercises/hints.py"] = _hints().encode()
        files[_DISPLAY] = (_ROOT / _DISPLAY).read_bytes()
    return files


def _names(box: bool) -> Iterator[str]:
    """Yield the names of the files that are copied, below the package."""
    for path in sorted(_ROOT.rglob("*")):
        name = path.relative_to(_ROOT).as_posix()
        if not path.is_file() or "__pycache__" in name:
            continue
        if _within(name, _HIDDEN if box else _HIDDEN_FROM_STUDENTS):
            continue
        if not box or (name.endswith(".py") and _within(name, _VISIBLE)):
            yield name


def _within(name: str, places: Collection[str]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)


def withheld() -> dict[str, tuple[str, ...]]:
    """Return the functions that no copy has, by file: references and what gives their answers."""
    found = {name: set(functions) for name, functions in _ALSO.items()}
    for item in specifications().values():
        name = _file_of(item.reference)
        if not _within(name, _HIDDEN):
            found.setdefault(name, set()).add(item.reference.__name__)
    return {name: tuple(sorted(functions)) for name, functions in sorted(found.items())}


def _file_of(reference: Callable[..., object]) -> str:
    return Path(inspect.getfile(inspect.unwrap(reference))).resolve().relative_to(_ROOT).as_posix()


def stub(
    source: bytes,
    functions: Collection[str],
    *,
    tables: Collection[str] = (),
    arguments: Collection[str] = (),
) -> bytes:
    """Return a module's source without some of what it holds.

    Args:
        source: the module, in UTF-8.
        functions: names of functions whose bodies go, with those of private functions that only
            they call; signatures and docstrings stay.
        tables: names of tuples and dictionaries that become empty.
        arguments: names of keyword arguments whose values become ``None``, in every call.

    Raises:
        ValueError: if the module has no such function or table.
    """
    tree = ast.parse(source)
    given = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    held = {name: node.value for node in tree.body for name, node in _tables(node)}
    missing = sorted({*functions} - given.keys() | {*tables} - held.keys())
    if missing:
        raise ValueError(f"the module has no {', '.join(missing)}")
    lines = source.splitlines(keepends=True)
    edits = [_without_body(given[name], lines) for name in _with_helpers(tree, given, functions)]
    edits += [
        (*_span(held[name]), b"{}" if isinstance(held[name], ast.Dict) else b"()")
        for name in tables
    ]
    edits += [
        (*_span(node.value), b"None")
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg in arguments
    ]
    if functions:
        line = _first_statement(tree)
        edits.append(((line, 0), (line, 0), _IMPORT.encode()))
    return _edited(lines, edits)


Place = tuple[int, int]
Edit = tuple[Place, Place, bytes]


def _tables(node: ast.stmt) -> Iterator[tuple[str, ast.Assign]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node


def _with_helpers(
    tree: ast.Module, given: Mapping[str, ast.FunctionDef], functions: Collection[str]
) -> list[str]:
    """Add private functions that nobody else calls, and those that only these call."""
    gone = {*functions}
    while True:
        others = [node for node in tree.body if getattr(node, "name", None) not in gone]
        inner = {name for node in map(given.get, gone) if node for name in _mentioned(node)}
        outer = {name for node in others for name in _mentioned(node) if name != _own(node)}
        more = {n for n in inner - outer - gone if n in given and n.startswith("_")}
        if not more:
            return sorted(gone)
        gone |= more


def _own(node: ast.stmt) -> str | None:
    return getattr(node, "name", None)


def _mentioned(node: ast.AST) -> set[str]:
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}


def _without_body(node: ast.FunctionDef, lines: list[bytes]) -> Edit:
    """Return the edit that leaves the signature and the docstring of a function."""
    text = f'raise GradedFunctionUnavailable("{node.name}")\n'.encode()
    indent = b" " * node.body[0].col_offset
    after = node.body[1:] if ast.get_docstring(node) is not None else node.body
    first = after[0].lineno if after else (node.end_lineno or 0) + 1
    while lines[first - 2].strip().startswith(b"#") or not lines[first - 2].strip():
        first -= 1  # comments say what comes
    return (first, 0), ((node.end_lineno or 0) + 1, 0), indent + text


def _span(node: ast.expr) -> tuple[Place, Place]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


def _first_statement(tree: ast.Module) -> int:
    """Return the line of the first statement that is no docstring and no future import."""
    for node in tree.body:
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not future and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return node.lineno
    raise ValueError("the module has no statement")


def _edited(lines: list[bytes], edits: list[Edit]) -> bytes:
    """Apply edits, each from one place (line, column) up to another, from the last to the first."""
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    content = b"".join(lines)
    for begin, end, text in sorted(edits, reverse=True):
        first, last = (starts[line - 1] + column for line, column in (begin, end))
        content = content[:first] + text + content[last:]
    return content


def _hints() -> str:
    """Return a module with the texts of all hints; the last step, the solution, is not there."""
    texts = {id: _texts(item.hints) for id, item in sorted(specifications().items())}
    lines = [f"    {id!r}: {hints!r},\n" for id, hints in texts.items()]
    return (
        '"""The hints of every exercise, by id."""\n\n__all__ = ["HINTS"]\n\n'
        "HINTS: dict[str, tuple[str, ...]] = {\n" + "".join(lines) + "}\n"
    )


def _texts(hints: Hints) -> tuple[str, ...]:
    return tuple(hints)
