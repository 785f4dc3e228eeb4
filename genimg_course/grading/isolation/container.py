"""Contain answers in a container: the same zygote, spoken to over standard input and output.

This tier was written by the manuals and has not been run: the machine on which the others were
tried has no daemon. It is therefore taken only where the others are missing, or when it is asked
for. The image holds the running version of Python and the libraries of the course, nothing else; it
is built once, which needs a network connection, and the containers have none.
"""

import shutil
import subprocess
import sys
from importlib import metadata

from genimg_course.grading.isolation.box import Box
from genimg_course.grading.isolation.libraries import ROOTS
from genimg_course.grading.isolation.worker import NoIsolation, environment

__all__ = ["build", "command", "image", "missing", "readable"]

_SECONDS = 10.0
_MEMORY = "8g"


def missing() -> str:
    """Return why this tier cannot be had here; empty if it seems possible."""
    client = _client()
    if client is None:
        return "neither docker nor podman is installed, or its daemon does not answer"
    if not _answers([client, "image", "inspect", image()]):
        return f"the image {image()} has not been built: ask for the tier by name to build it"
    return ""


def image() -> str:
    """Return the name of the image: another Python or torch is another image."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    torch = metadata.version("torch").partition("+")[0]
    return f"genimg-box:python{python}-torch{torch}"


def build() -> None:
    """Build the image if there is none.

    Raises:
        NoIsolation: if there is no client, or the image cannot be built.
    """
    client = _client()
    if client is None:
        raise NoIsolation("container: neither docker nor podman answers here")
    if _answers([client, "image", "inspect", image()]):
        return
    done = subprocess.run(
        [client, "build", "--tag", image(), "-"], input=_recipe().encode(), check=False
    )
    if done.returncode:
        raise NoIsolation("container: the image could not be built; its messages stand above")


def _recipe() -> str:
    versions = []
    for name in ROOTS:
        try:
            versions.append(f"{name}=={metadata.version(name).partition('+')[0]}")
        except metadata.PackageNotFoundError:
            continue
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    index = "--extra-index-url https://download.pytorch.org/whl/cpu"
    return (
        f"FROM docker.io/library/python:{python}-slim\n"
        f"RUN pip install --no-cache-dir --target /box/site {index} {' '.join(versions)}\n"
        "RUN mkdir -p /box/empty && chmod 555 /box/empty\n"
    )


def readable(box: Box) -> list[str]:
    """Return nothing: the image holds only what may be read."""
    return []


def command(box: Box) -> list[str]:
    """Return the command that starts the zygote in a container of its own."""
    package = box.package / "genimg_course"
    pairs = environment("/box/empty").items()
    return [
        _client() or "docker",
        *("run", "--rm", "--interactive", "--init", "--name", box.marker),
        *("--network", "none", "--read-only", "--ipc", "none", "--user", "65534:65534"),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--memory", _MEMORY, "--memory-swap", _MEMORY, "--pids-limit", "512", "--cpus", "2"),
        *(word for name, value in pairs for word in ("--env", f"{name}={value}")),
        *("--volume", f"{package}:/box/package/genimg_course:ro", "--workdir", "/box/empty"),
        *(image(), "python", *box.options),
        "/box/package/genimg_course/grading/box/zygote.py",
        *("/box/package", "/box/site", box.marker),
    ]


def _client() -> str | None:
    """Return the first client whose daemon answers."""
    for name in ("docker", "podman"):
        path = shutil.which(name)
        if path and _answers([path, "info"]):
            return path
    return None


def _answers(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
