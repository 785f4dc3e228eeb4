"""What of this Python an answer may see: the standard library, torch, and what torch needs.

Nothing else that is installed is visible: not this course, not the notebooks of whoever grades, and
no ``.pth`` file, which could bring them back.
"""

import functools
import os
import re
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

__all__ = ["ROOTS", "executable", "libraries", "shared_libraries", "standard_library"]

ROOTS = ("torch", "torchvision", "numpy", "scipy", "pillow", "safetensors", "tqdm")
"""Distributions that answers, and the modules of the course beside them, import."""

_OTHERS = ("site-packages", "dist-packages")


def executable() -> str:
    """Return the interpreter itself, outside any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


@functools.cache
def libraries() -> dict[str, Path]:
    """Return folders and files of the roots and of all that they require, by name."""
    found: dict[str, Path] = {}
    for name in _closure(ROOTS):
        distribution = metadata.distribution(name)
        record = distribution.read_text("RECORD") or ""
        for top in sorted({line.split("/", 1)[0].split(",", 1)[0] for line in record.splitlines()}):
            path = Path(str(distribution.locate_file(top)))
            hidden = top in ("", "..", "__pycache__") or top.endswith(".pth")
            if not hidden and path.exists() and not top.startswith("genimg_course"):
                found[top] = path.resolve()
    return found


def _closure(roots: tuple[str, ...]) -> list[str]:
    """Return the distributions that are reached from the roots and installed."""
    wanted, seen = list(roots), set()
    while wanted:
        name = wanted.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        try:
            required = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        seen.add(key)
        # markers are not asked: what is installed and required somewhere may be seen
        for one in required:
            match = re.match(r"[\w.-]+", one)
            if match and "extra ==" not in one:
                wanted.append(match[0])
    return sorted(seen)


def standard_library() -> tuple[Path, list[Path]]:
    """Return the folder of the standard library, and what in it may be seen."""
    folder = Path(sysconfig.get_path("stdlib"))
    return folder, [path for path in sorted(folder.iterdir()) if path.name not in _OTHERS]


def shared_libraries() -> list[Path]:
    """Return folders and files in which the loader finds shared libraries."""
    kind = sysconfig.get_config_var("MULTIARCH") or "none"
    folders = [Path(p) for p in (f"/usr/lib/{kind}", f"/lib/{kind}", "/usr/lib64", "/lib64")]
    found = [path for folder in folders if folder.is_dir() for path in _without_python(folder)]
    prefix = Path(sys.base_prefix, "lib")
    found += sorted(path for path in prefix.glob("*.so*") if path.is_file())
    loader = Path("/lib/ld-linux-aarch64.so.1")
    return found + [path for path in (loader,) if path.exists()]


def _without_python(folder: Path) -> list[Path]:
    """Return a folder, or what is in it if Python's own packages are in it too."""
    inside = sorted(folder.iterdir())
    if any(path.name.startswith("python") for path in inside):
        return [path for path in inside if not path.name.startswith("python")]
    return [folder]
