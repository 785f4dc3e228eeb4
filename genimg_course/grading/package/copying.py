"""Choose what a copy holds, and write it so that it is the same for the same sources."""

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
from genimg_course.grading.package.stand_ins import stand_ins
from genimg_course.grading.package.stubs import stub

__all__ = ["withheld", "write_package"]

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
    files |= {name: source.encode() for name, source in stand_ins(box=box).items()}
    if not box:
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
