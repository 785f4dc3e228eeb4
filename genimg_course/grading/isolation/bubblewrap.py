"""Contain answers in namespaces of their own with bubblewrap, and in the filters besides.

Inside there are Python, torch, the course's copy and an empty folder, all of it read-only; there is
no network, no home, no other process. bubblewrap limits neither memory nor system calls, so limits
and filter are set inside, and Landlock on top where the kernel has it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from genimg_course.grading.box.seccomp import machine
from genimg_course.grading.box.syscalls import ARCHITECTURES
from genimg_course.grading.isolation.box import Box
from genimg_course.grading.isolation.landlock import FILES
from genimg_course.grading.isolation.libraries import (
    executable,
    libraries,
    shared_libraries,
    standard_library,
)

__all__ = ["command", "missing", "readable"]

_PLACE = "/box"
_LINKS = ("/lib", "/lib64", "/bin")


def missing() -> str:
    """Return why this tier cannot be had here; empty if it seems possible."""
    if sys.platform != "linux":
        return "bubblewrap is a program for Linux"
    if machine() not in ARCHITECTURES:
        return f"there is no table of system calls for {machine()}"
    if shutil.which("bwrap") is None:
        return "the program bwrap is not installed (package bubblewrap)"
    version = _version()
    if version < (0, 8):
        return f"bubblewrap is older than 0.8: {'.'.join(map(str, version)) or 'no version'}"
    return ""


def _version() -> tuple[int, ...]:
    try:
        done = subprocess.run(
            ["bwrap", "--version"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(map(int, re.findall(r"\d+", done.stdout)[:2]))


def readable(box: Box) -> list[str]:
    """Return what an answer may read, as Landlock inside the namespaces is told."""
    folder, inside = standard_library()
    return [
        *(_PLACE, *map(str, inside), *map(str, shared_libraries()), f"{folder}/."),
        *FILES,
    ]


def command(box: Box) -> list[str]:
    """Return the command that starts the zygote in namespaces of its own."""
    return [
        shutil.which("bwrap") or "bwrap",
        *("--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"),
        *("--disable-userns", "--new-session", "--die-with-parent", "--clearenv"),
        *_environment(box),
        *("--proc", "/proc"),
        *_visible(box),
        *("--remount-ro", "/", "--chdir", f"{_PLACE}/empty", "--"),
        executable(),
        *box.options,
        f"{_PLACE}/package/genimg_course/grading/box/zygote.py",
        *(f"{_PLACE}/package", f"{_PLACE}/site", box.marker),
    ]


def _environment(box: Box) -> list[str]:
    from genimg_course.grading.isolation.worker import environment

    pairs = environment(f"{_PLACE}/empty").items()
    return [word for name, value in pairs for word in ("--setenv", name, value)]


def _visible(box: Box) -> list[str]:
    """Return the mounts, outer folders first."""
    words: list[str] = []
    for link in _LINKS:
        if os.path.islink(link):
            words += ["--symlink", os.readlink(link), link]
    seen: set[str] = set()
    for path in (Path(executable()), *standard_library()[1], *shared_libraries()):
        if not any(str(path).startswith(f"{link}/") for link in _LINKS if os.path.islink(link)):
            words += _bind(path, str(path), seen)
    for name in FILES:
        if name.startswith("/dev/"):
            words += ["--dev-bind", name, name]
        elif not name.startswith("/proc/") and os.path.exists(name):
            words += _bind(Path(name), name, seen)
    for name, path in libraries().items():
        words += _bind(path, f"{_PLACE}/site/{name}", seen)
    words += _bind(box.package / "genimg_course", f"{_PLACE}/package/genimg_course", seen)
    return [*words, "--dir", f"{_PLACE}/empty"]


def _bind(path: Path, inside: str, seen: set[str]) -> list[str]:
    if inside in seen:
        return []
    seen.add(inside)
    return ["--ro-bind", str(path), inside]
