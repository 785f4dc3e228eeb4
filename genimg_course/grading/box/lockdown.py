"""Take away from a process what an answer does not need; there is no way back.

In this order: the means to get privileges back, capabilities, files (Landlock: a list of what may
be read, nothing may be written), resources, and system calls (seccomp). Everything is done with the
standard library, so that it can be read in one sitting.
"""

import ctypes
import os
import resource
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from genimg_course.grading.box.seccomp import enter_filter, machine, program
from genimg_course.grading.box.syscalls import NUMBERS

__all__ = ["Lockdown", "die_with_parent", "hide_memory", "landlock_abi", "limit"]

_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
# how many kinds of access to files each version of Landlock knows; older ones refuse new bits
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_RIGHTS = 16
_NETWORK, _SCOPES = 0b11, 0b11  # TCP bind and connect; abstract sockets and signals
_O_PATH = getattr(os, "O_PATH", 0o10000000)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> int:
    libc = _libc()
    libc.syscall.restype = ctypes.c_long
    numbers = NUMBERS[machine()]
    result = int(libc.syscall(ctypes.c_long(numbers[name]), *arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def landlock_abi() -> int:
    """Return the version of Landlock that the kernel offers; 0 if there is none."""
    try:
        return _call("landlock_create_ruleset", None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    except (OSError, KeyError):
        return 0


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


@dataclass(frozen=True)
class Lockdown:
    """What will be taken away; made once, entered by each child.

    Args:
        rules: number of the open Landlock ruleset; ``None`` to do without.
        filtered: whether system calls are filtered.
    """

    rules: int | None = None
    filtered: bool = False

    @classmethod
    def prepare(cls, read: Iterable[str], *, landlock: bool, filtered: bool) -> "Lockdown":
        """Open a ruleset that lets these files be read, and these folders with all in them.

        Raises:
            OSError: if the kernel has no Landlock.
        """
        return cls(_ruleset(read) if landlock else None, filtered)

    def enter(self) -> None:
        """Lock the calling process down.

        Raises:
            OSError: if a part is refused; the caller must not go on then.
        """
        if not (self.filtered or self.rules is not None):
            return
        _no_new_privileges()
        _drop_capabilities()
        if self.rules is not None:
            _call("landlock_restrict_self", ctypes.c_int(self.rules), ctypes.c_uint32(0))
            os.close(self.rules)
        if self.filtered:
            enter_filter(program(machine(), os.getpid()))


def _ruleset(read: Iterable[str]) -> int:
    abi = landlock_abi()
    rights = (1 << _FILE_RIGHTS.get(abi, _NEWEST_RIGHTS)) - 1
    wanted = _Ruleset(rights, _NETWORK if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    rules = _call(
        "landlock_create_ruleset",
        ctypes.byref(wanted),
        ctypes.c_size_t(size),
        ctypes.c_uint32(0),
    )
    for path in read:
        _let_read(rules, path)
    return rules


def _let_read(rules: int, path: str) -> None:
    try:
        parent = os.open(path, _O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there need not be readable
    try:
        folder = stat.S_ISDIR(os.fstat(parent).st_mode)
        names_only = path.endswith("/.")  # its names, not what is in its files
        allowed = _READ_FOLDER if names_only else _READ_FILE | (_READ_FOLDER if folder else 0)
        rule = _Beneath(allowed, parent)
        _call(
            "landlock_add_rule",
            ctypes.c_int(rules),
            ctypes.c_int(1),
            ctypes.byref(rule),
            ctypes.c_uint32(0),
        )
    finally:
        os.close(parent)


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")


def _no_new_privileges() -> None:
    _prctl(38, 1)


def hide_memory() -> None:
    """Make the process undumpable: others of the same user can neither trace it nor read it."""
    if os.uname().sysname == "Linux":
        _prctl(4, 0)


def die_with_parent() -> None:
    """Let the process be killed when the one that forked it ends."""
    if os.uname().sysname == "Linux":
        _prctl(1, 9)


def _drop_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this thread
    _call("capset", header, (ctypes.c_uint32 * 6)())


def limit(cpu_seconds: int, memory_bytes: int) -> None:
    """Bound what the process may use: time on the processor, memory beyond today's, no files.

    Args:
        cpu_seconds: SIGXCPU comes then, SIGKILL one second later.
        memory_bytes: address space beyond what the libraries already take.
    """
    taken = _address_space()
    for which, soft, hard in (
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_AS, taken + memory_bytes, taken + memory_bytes),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 256, 256),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ):
        _, most = resource.getrlimit(which)
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(which, (soft, hard))


def _address_space() -> int:
    """Return the size of the address space, 4 GiB where that cannot be read."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 4 << 30
