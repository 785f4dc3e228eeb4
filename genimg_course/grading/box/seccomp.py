"""Let an answer make the system calls that computing needs, and no others.

The filter is a list of what is allowed. Everything else is refused with an error number: a list of
what is forbidden would have to know every call that a future kernel adds. A refused call does not
kill, because libraries try calls of newer kernels and go on without them.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Sequence

from genimg_course.grading.box.syscalls import ARCHITECTURES, NUMBERS

__all__ = ["enter_filter", "machine", "program"]

_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_X32 = 0x40000000
_NEWEST = 451  # later numbers are unknown here, and say so as an older kernel would

_CLONE_THREAD = 0x00010000
_NEW_NAMESPACES = 0x7E020080  # user, pid, net, ipc, uts, cgroup, mount, time
_WRITING = 0o3 | 0o100 | 0o1000 | 0o2000 | 0o20000000  # mode, create, truncate, append, unnamed
_FCNTL = (0, 1, 2, 3, 4, 1030)  # duplicate, flags of the number, flags of the file
_IOCTL = (0x5401, 0x541B, 0x5450, 0x5451)  # is it a terminal, how much is there, close on exec
_PRCTL = (15, 16, 0x53564D41)  # names of threads and of memory, for debuggers
_DEADLY = (9, 19)  # SIGKILL would look as if memory had run out, SIGSTOP as if it were slow

_CONDITIONAL = {
    *("clone", "clone3", "open", "openat", "fcntl", "ioctl", "prctl", "prlimit64"),
    *("sched_setaffinity", "kill", "tgkill"),
}
_OWN = {"capset", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}

_Instruction = tuple[int, int, int, int]


def machine() -> str:
    """Return the machine's name, as the tables have it."""
    return os.uname().machine


def program(name: str, pid: int) -> bytes:
    """Return the filter for a machine and a process: it may send signals to itself alone.

    Raises:
        ValueError: if there is no table for the machine.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"there is no table of system calls for {name!r}")
    numbers = NUMBERS[name]
    code = [_load(4), _jump(_EQUAL, ARCHITECTURES[name], 1, 0), _return(_KILL), _load(0)]
    if name == "x86_64":
        code += [_jump(_AT_LEAST, _X32, 0, 1), _refuse(errno.ENOSYS)]
    code += [_jump(_AT_LEAST, _NEWEST, 0, 1), _refuse(errno.ENOSYS)]
    for call in sorted(numbers.keys() - _CONDITIONAL - _OWN, key=numbers.__getitem__):
        code += [_jump(_EQUAL, numbers[call], 0, 1), _return(_ALLOW)]
    for call, block in _blocks(pid).items():
        if call in numbers:
            code += [_jump(_EQUAL, numbers[call], 0, len(block)), *block]
    code.append(_refuse(errno.EPERM))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _blocks(pid: int) -> dict[str, list[_Instruction]]:
    """Return what is asked of the arguments of single calls."""
    return {
        "clone": [*_bits(0, _CLONE_THREAD | _NEW_NAMESPACES, _CLONE_THREAD), _return(_ALLOW)],
        # its flags lie in memory, where a filter cannot look; libraries fall back to clone
        "clone3": [_refuse(errno.ENOSYS)],
        "open": [*_bits(1, _WRITING, 0), _return(_ALLOW)],
        "openat": [*_bits(2, _WRITING, 0), _return(_ALLOW)],
        "fcntl": _one_of(1, _FCNTL),
        "ioctl": _one_of(1, _IOCTL),
        "prctl": _one_of(0, _PRCTL),
        "prlimit64": [*_bits(0, 0xFFFFFFFF, 0), _return(_ALLOW)],
        "sched_setaffinity": [*_bits(0, 0xFFFFFFFF, 0), _return(_ALLOW)],
        "kill": [*_bits(0, 0xFFFFFFFF, pid), *_none_of(1, _DEADLY)],
        "tgkill": [*_bits(0, 0xFFFFFFFF, pid), *_none_of(2, _DEADLY)],
    }


def _load(offset: int) -> _Instruction:
    return (_LOAD, 0, 0, offset)


def _argument(index: int) -> _Instruction:
    return _load(16 + 8 * index)  # its lower half: all of these are 32 bits wide


def _jump(kind: int, value: int, yes: int, no: int) -> _Instruction:
    return (kind, yes, no, value)


def _return(value: int) -> _Instruction:
    return (_RETURN, 0, 0, value)


def _refuse(number: int) -> _Instruction:
    return _return(_ERROR | number)


def _bits(index: int, mask: int, value: int) -> list[_Instruction]:
    """Go on only if the masked argument has this value."""
    return [
        _argument(index),
        (_AND, 0, 0, mask),
        _jump(_EQUAL, value, 1, 0),
        _refuse(errno.EPERM),
    ]


def _one_of(index: int, values: Sequence[int]) -> list[_Instruction]:
    code = [_argument(index)]
    for value in values:
        code += [_jump(_EQUAL, value, 0, 1), _return(_ALLOW)]
    return [*code, _refuse(errno.EPERM)]


def _none_of(index: int, values: Sequence[int]) -> list[_Instruction]:
    code = [_argument(index)]
    for value in values:
        code += [_jump(_EQUAL, value, 0, 1), _refuse(errno.EPERM)]
    return [*code, _return(_ALLOW)]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def enter_filter(code: bytes) -> None:
    """Put the filter over this process; there is no way back.

    Raises:
        OSError: if the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    wanted = _Program(len(code) // 8, code)
    if libc.prctl(22, ctypes.c_ulong(2), ctypes.byref(wanted), 0, 0) != 0:  # PR_SET_SECCOMP
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")
