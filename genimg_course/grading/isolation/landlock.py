"""Contain answers without namespaces: Landlock for files, seccomp for all else, and limits.

The box is a process of whoever grades. It can read Python, torch and the course's copy; it can
write nothing, start nothing, open no socket, and send signals to itself alone. What Landlock does
not cover are names: whether a file exists, and how large it is, can be asked.
"""

import sys
from pathlib import Path

from genimg_course.grading.box.lockdown import landlock_abi
from genimg_course.grading.box.seccomp import machine
from genimg_course.grading.box.syscalls import ARCHITECTURES
from genimg_course.grading.isolation.box import Box
from genimg_course.grading.isolation.libraries import (
    executable,
    libraries,
    shared_libraries,
    standard_library,
)

__all__ = ["FILES", "command", "missing", "readable"]

FILES = (
    *("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/proc/cpuinfo", "/proc/meminfo"),
    *("/sys/devices/system/cpu", "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo"),
    *("/usr/lib/locale",),
)
"""Small things of the system that libraries read."""


def missing() -> str:
    """Return why this tier cannot be had here; empty if it seems possible."""
    if sys.platform != "linux":
        return "Landlock is a part of Linux"
    if machine() not in ARCHITECTURES:
        return f"there is no table of system calls for {machine()}"
    return "" if landlock_abi() else "this kernel offers no Landlock (it came with Linux 5.13)"


def readable(box: Box) -> list[str]:
    """Return what an answer may read; a path that ends in ``/.`` gives the names in it alone."""
    folder, inside = standard_library()
    paths = [*inside, *shared_libraries(), *libraries().values()]
    paths += [box.package / "genimg_course", box.site, box.empty]
    names = [f"{folder}/.", f"{box.package}/."]
    return [*map(str, paths), *names, *FILES]


def command(box: Box) -> list[str]:
    """Return the command that starts the zygote."""
    script = Path(box.package, "genimg_course", "grading", "box", "zygote.py")
    return [executable(), *box.options, str(script), str(box.package), str(box.site)]
