"""Run notebooks as Colab would: its packages, an empty folder, the course from git."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from colab.image import python_of
from nbclient import NotebookClient

from genimg_course.authoring import repository

__all__ = ["Colab", "code_cells", "snapshot"]

ROOT = Path(__file__).resolve().parents[2]


def code_cells(notebook: Path) -> list[str]:
    """Return the sources of a notebook's code cells."""
    content = nbformat.read(notebook, as_version=4)
    return [cell.source for cell in content.cells if cell.cell_type == "code"]


def snapshot(folder: Path) -> str:
    """Make a git repository of one commit that holds the working tree, and return its address.

    It holds what a commit of everything would hold: files that git ignores are left out.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():  # not deleted since the last commit
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    who = {"GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@localhost"}
    who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
    for command in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "working tree"]):
        subprocess.run(["git", *command], cwd=folder, env={**os.environ, **who}, check=True)
    return folder.as_uri()


@dataclass(frozen=True)
class Colab:
    """A machine like Colab's.

    Args:
        image: environment with Colab's packages.
        home: an empty folder for everything that a session writes.
        source: address of the git repository that stands in for the one on GitHub.
    """

    image: Path
    home: Path
    source: str

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment variables of a session; nothing of this checkout is among them."""
        outside = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(
                ("GENIMG_", "PYTHON", "JUPYTER", "IPYTHON", "MPL", "VIRTUAL_ENV")
            )
        }
        return {
            **outside,
            "COLAB_RELEASE_TAG": "emulated",
            "GENIMG_PROFILE": "smoke",
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "JUPYTER_PATH": str(self.home / "jupyter"),
            "PATH": os.pathsep.join([str(python_of(self.image).parent), os.environ["PATH"]]),
            "OMP_WAIT_POLICY": "PASSIVE",
            # the address of the set-up cell is answered by the local repository
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{self.source}.insteadOf",
            "GIT_CONFIG_VALUE_0": repository(ROOT),
            **more,
        }

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the image's Python in the session's folder."""
        return subprocess.run(
            [python_of(self.image), *arguments],
            cwd=self.content(),
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def content(self) -> Path:
        """Return the folder in which notebooks run."""
        folder = self.home / "content"
        folder.mkdir(exist_ok=True)
        return folder

    def run(self, notebook: Path, *, cells: int | None = None, **more: str) -> list[dict[str, Any]]:
        """Run a notebook as it stands and return its code cells with their outputs.

        Args:
            notebook: the lesson.
            cells: how many code cells, from the first on; None runs all.
            more: further environment variables.

        Raises:
            nbclient.exceptions.CellExecutionError: if a cell fails.
        """
        content = nbformat.read(notebook, as_version=4)
        code = [cell for cell in content.cells if cell.cell_type == "code"][:cells]
        content.cells = code
        content.metadata.kernelspec["name"] = self.kernel()
        environment = self.environment(**more)
        client = NotebookClient(
            content,
            timeout=300,
            resources={"metadata": {"path": str(self.content())}},
            kernel_manager_class="jupyter_client.AsyncKernelManager",
        )
        with _jupyter_path(environment["JUPYTER_PATH"]):
            client.execute(env=environment)
        return [dict(cell) for cell in code]

    def kernel(self) -> str:
        """Return the name under which `environment` lets Jupyter find the image's Python."""
        folder = self.home / "jupyter" / "kernels" / "colab"
        folder.mkdir(parents=True, exist_ok=True)
        argv = [str(python_of(self.image)), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        # older debuggers warn of Python's own frozen modules
        spec = {"argv": [argv[0], "-Xfrozen_modules=off", *argv[1:]], "language": "python"}
        spec["env"] = {"PYTHONPATH": ""}  # JupyterLab's launcher names this checkout there
        (folder / "kernel.json").write_text(json.dumps({**spec, "display_name": "Colab"}))
        return folder.name


class _jupyter_path:
    """Let this process find the kernel of the emulation."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.before = os.environ.get("JUPYTER_PATH")
        os.environ["JUPYTER_PATH"] = self.path

    def __exit__(self, *_: object) -> None:
        if self.before is None:
            os.environ.pop("JUPYTER_PATH", None)
        else:
            os.environ["JUPYTER_PATH"] = self.before
