"""Make an environment with the packages of Colab's image, once, for ``make test-colab``.

    python tests/colab/image.py .venv-colab

The pins stand in constraints.txt beside this file. Python is 3.13, as in Colab, where one is
found; else it is the Python that runs this.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["PINS", "PYTHON", "key", "make_image", "newest_python", "python_of"]

PINS = Path(__file__).with_name("constraints.txt")
PYTHON = (3, 13)
_STAMP = "genimg-colab.json"


def candidates() -> Iterator[str]:
    """Name the places where Colab's Python may be, and this Python as the last of them."""
    name = "python{}.{}".format(*PYTHON)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if found := shutil.which(name, path=folder):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path("~/.pyenv").expanduser()))
    yield from map(str, sorted(pyenv.glob(f"versions/{PYTHON[0]}.{PYTHON[1]}.*/bin/{name}")))
    yield sys.executable


def newest_python() -> str:
    """Return the first candidate that runs; a name in PATH may be a shim that does not."""
    for python in candidates():
        asked = subprocess.run([python, "-c", "import venv"], capture_output=True, check=False)
        if asked.returncode == 0:
            return python
    raise SystemExit("There is no Python that can make an environment")


def python_of(image: Path) -> Path:
    """Return the interpreter of an environment."""
    return image / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def key(python: str) -> str:
    """Return what an image depends on: the pins and the Python."""
    return hashlib.sha256(PINS.read_bytes() + python.encode()).hexdigest()


def make_image(folder: Path) -> None:
    """Install the pins into a new environment, unless the folder holds just that already."""
    python = newest_python()
    stamp = folder / _STAMP
    try:
        made = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        made = {}
    if made.get("key") == key(python) and python_of(folder).exists():
        return
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise SystemExit(f"{folder} is there and is no virtual environment: name another folder")
    print(f"Installing what Colab has into {folder}, about 5 GB, with {python}", flush=True)
    start = time.monotonic()
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    pip = [python_of(folder), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--no-input", "--requirement", PINS], check=True)
    content = {"key": key(python), "python": python}
    stamp.write_text(json.dumps(content) + "\n", encoding="utf-8")
    print(f"{folder} is ready after {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    make_image(Path(sys.argv[1] if len(sys.argv) > 1 else ".venv-colab"))
