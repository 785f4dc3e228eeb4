"""Is this the right Python, and are the packages there that the course asks for?"""

from __future__ import annotations

import os
import struct
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from genimg_course.doctor.finding import Finding

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["TORCH_PAIR", "again", "check_packages", "check_python", "pip_line", "set_line"]

_ROOT = Path(__file__).resolve().parents[2]
_PAIR = ("torch", "torchvision")
TORCH_PAIR = ("torch>=2.11", "torchvision>=0.26")
"""What to install, always together: each torchvision is compiled for one torch."""
# what an extra is for, where a learner may miss it
_EXTRAS = {
    "lab": "the notebooks on this machine",
    "train": "several GPUs, mixed precision and 'genimg train'",
}


def check_python() -> list[Finding]:
    """Look at the interpreter and at the environment that it runs in."""
    version = "{}.{}.{}".format(*sys.version_info)
    bits = struct.calcsize("P") * 8
    place = f"Python {version}, {bits} bit, {sys.executable}"
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        mend = "install Python 3.13 from https://www.python.org, delete .venv, then: make setup"
        return [Finding("Python", "wrong", f"{place}: the course needs 3.11, 3.12 or 3.13", mend)]
    if bits != 64:
        mend = "install a 64-bit Python from https://www.python.org, delete .venv, then: make setup"
        return [Finding("Python", "wrong", f"{place}: torch needs 64 bit", mend)]
    return [Finding("Python", "ok", place), _environment()]


def _environment() -> Finding:
    if "COLAB_RELEASE_TAG" in os.environ:
        return Finding("environment", "ok", f"Colab, {os.environ['COLAB_RELEASE_TAG']}")
    if sys.prefix != sys.base_prefix:
        return Finding("environment", "ok", f"virtual environment {sys.prefix}")
    if os.environ.get("CONDA_PREFIX") and Path(os.environ["CONDA_PREFIX"]) == Path(sys.prefix):
        return Finding("environment", "ok", f"conda environment {sys.prefix}")
    text = f"no virtual environment: packages of {sys.prefix} are shared with other programs"
    return Finding("environment", "note", text, "make setup")


def pip_line(*wanted: str, index: str = "") -> str:
    """Return the command that installs packages into this environment.

    Args:
        wanted: requirements, such as ``"torch>=2.11"``.
        index: address of a package index other than the usual one.
    """
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    words = [python, "-m", "pip", "install", "--upgrade", *(f'"{each}"' for each in wanted)]
    constraints = _ROOT / "constraints.txt"
    if constraints.is_file():
        words += ["--constraint", f'"{constraints}"']
    if index:
        words += ["--index-url", index]
    return " ".join(words)


def set_line(variable: str, value: str) -> str:
    """Return the command that sets a variable of the environment in this system's shell."""
    return f"{'set' if os.name == 'nt' else 'export'} {variable}={value}"


def again() -> str:
    """Return the command that installs the course again."""
    if (_ROOT / "pyproject.toml").is_file():
        return "make setup"
    try:
        lines = metadata.metadata("genimg_course").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        lines = []
    addresses = [line.split(", ")[1] for line in lines if line.startswith("Repository, ")]
    source = f"git+{addresses[0]}" if addresses else "git+ADDRESS OF THE COURSE"
    return pip_line(source).replace("--upgrade", "--force-reinstall --no-deps")


def check_packages() -> list[Finding]:
    """Compare each package that the course asks for with the installed version."""
    try:
        wanted = _requirements()
    except (ImportError, OSError, metadata.PackageNotFoundError) as error:
        text = f"what the course needs cannot be read ({error})"
        return [Finding("packages", "wrong", text, again())]
    needed = [each for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    found = [_package(each, needed) for each in needed]
    right = ", ".join(f"{each.subject} {each.text}" for each in found if each.state == "ok")
    findings = [each for each in found if each.state != "ok"]
    findings += [Finding("packages", "ok", right)] if right else []
    findings += [_pair()] if all(map(_version, _PAIR)) else []
    return findings + [_extra(name, wanted) for name in _EXTRAS if not _is_colab()]


def _is_colab() -> bool:
    return "COLAB_RELEASE_TAG" in os.environ  # it brings a front end of its own


def _requirements() -> list[Requirement]:
    """Return what the course asks for, extras with their marker.

    In a checkout pyproject.toml says it, because the metadata of an editable installation are as
    old as the last set-up.
    """
    from packaging.requirements import Requirement

    file = _ROOT / "pyproject.toml"
    if not file.is_file():
        return [Requirement(line) for line in metadata.requires("genimg_course") or []]
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    lines = list(project["dependencies"])
    for extra, more in project["optional-dependencies"].items():
        lines += [f"{line}; extra == {extra!r}" for line in more]
    return [Requirement(line) for line in lines]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _package(requirement: Requirement, needed: list[Requirement]) -> Finding:
    name, version = requirement.name, _version(requirement.name)
    together = [str(each) for each in needed if each.name in _PAIR]
    mend = pip_line(*(together if name in _PAIR else [str(requirement)]))
    if version is None:
        return Finding(name, "wrong", f"not installed: the course needs {requirement}", mend)
    if requirement.specifier.contains(version, prereleases=True):
        return Finding(name, "ok", version)
    text = f"{version} is installed: the course needs {requirement}"
    if name == "numpy" and version.startswith("1."):
        text += "; packages compiled for NumPy 2 do not run with NumPy 1"
    return Finding(name, "wrong", text, mend)


def _pair() -> Finding:
    """Hold torchvision to the torch that it was compiled for, which its own metadata name."""
    from packaging.requirements import Requirement

    torch, vision = _version("torch") or "", _version("torchvision") or ""
    for line in metadata.requires("torchvision") or []:
        wanted = Requirement(line)
        if wanted.name == "torch" and not wanted.specifier.contains(torch, prereleases=True):
            text = f"torchvision {vision} was compiled for torch{wanted.specifier}, here is {torch}"
            mend = pip_line(*TORCH_PAIR)
            return Finding("torch pair", "wrong", text, mend)
    return Finding("torch pair", "ok", f"torch {torch} and torchvision {vision} belong together")


def _extra(name: str, wanted: list[Requirement]) -> Finding:
    own = [
        each
        for each in wanted
        if each.marker
        and each.marker.evaluate({"extra": name})
        and not each.marker.evaluate({"extra": ""})
        and not each.name.startswith("genimg")
    ]
    there = {each.name: _version(each.name) for each in own}
    missing = [
        str(each).partition(";")[0].strip()
        for each in own
        if not (version := there[each.name])
        or not each.specifier.contains(version, prereleases=True)
    ]
    purpose = f"for {_EXTRAS[name]}"
    if missing:
        text = f"{purpose}: {', '.join(missing)} missing or too old"
        return Finding(f"extra {name}", "note", text, pip_line(*missing))
    found = ", ".join(f"{package} {version}" for package, version in sorted(there.items()))
    return Finding(f"extra {name}", "ok", f"{purpose}: {found}")
