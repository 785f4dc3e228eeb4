"""What this machine has to compute with: torch, devices, precision, memory, disk, threads."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from genimg_course.doctor.finding import Finding
from genimg_course.doctor.packages import TORCH_PAIR, pip_line, set_line

__all__ = ["ask_torch", "check_machine", "check_torch"]

_PROBE = Path(__file__).with_name("probe.py")
_PATIENCE = 60.0  # seconds; a cold disk takes half a minute to read torch
_GB = 1e9


def ask_torch() -> dict[str, Any]:
    """Return what ``probe.py`` found out about torch in a process of its own."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_PROBE)],  # -P: its neighbours are no modules of it
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"errors": {"import": f"it took more than {_PATIENCE:.0f} s"}}
    except OSError as error:
        return {"errors": {"import": f"no process could be started ({error})"}}
    with suppress(ValueError, IndexError):
        facts = json.loads(done.stdout.strip().splitlines()[-1])
        if isinstance(facts, dict):
            return facts
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return {"errors": {"import": f"Python ended with status {done.returncode} ({last})"}}


def check_torch(facts: dict[str, Any]) -> list[Finding]:
    """Say whether torch imports and works together with NumPy and torchvision.

    Args:
        facts: as `ask_torch` returns them.
    """
    errors = facts["errors"]
    if "import" in errors:
        text = f"import torch fails: {errors['import']}"
        return [Finding("torch works", "wrong", text, pip_line(*TORCH_PAIR))]
    if "bridge" in errors:
        text = f"torch cannot hand tensors to NumPy: {errors['bridge']}"
        return [Finding("torch works", "wrong", text, pip_line("numpy>=2.0", *TORCH_PAIR))]
    if "vision" in errors:
        text = f"torchvision does not fit this torch: {errors['vision']}"
        return [Finding("torch works", "wrong", text, pip_line(*TORCH_PAIR))]
    return [Finding("torch works", "ok", f"torch {facts['version']} computes, torchvision with it")]


def check_machine(facts: dict[str, Any]) -> list[Finding]:
    """Look at processor, GPU, precision, threads, memory and disk.

    Args:
        facts: as `ask_torch` returns them; devices are left out where torch does not import.
    """
    cores = _cores()
    findings = [Finding("processor", "ok", f"{_processor()}, {cores:g} usable cores")]
    if "import" not in facts["errors"]:
        findings += [_device(facts), _precision(facts), _threads(facts, cores)]
    return [*findings, _memory(), _disk()]


def _device(facts: dict[str, Any]) -> Finding:
    if "devices" in facts["errors"]:
        return Finding("device", "note", f"GPUs cannot be listed: {facts['errors']['devices']}")
    driver = _driver()
    if facts["cuda"]:
        each = "; ".join(
            f"{gpu['name']}, {gpu['free'] / _GB:.1f} of {gpu['memory'] / _GB:.1f} GB free, "
            f"compute capability {gpu['capability']}"
            for gpu in facts["gpus"]
        )
        text = f"{each}; driver {driver or 'unknown'}, CUDA {facts['cuda_build']}"
        return Finding("device", "ok", f"{text}; the lessons take the profile gpu")
    if facts["mps"]:
        return Finding("device", "ok", "Apple GPU (MPS); the lessons take the profile gpu")
    cpu = "the lessons take the profile cpu"
    if not driver:
        reason = "no NVIDIA driver" if facts["cuda_build"] else "this torch is for processors only"
        return Finding("device", "ok", f"no GPU ({reason}); {cpu}")
    return _unused_gpu(facts, driver, cpu)


def _unused_gpu(facts: dict[str, Any], driver: str, cpu: str) -> Finding:
    """Explain a driver without a device that torch can use."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1", "NoDevFiles"):
        text = f"the GPU is hidden by CUDA_VISIBLE_DEVICES; {cpu}"
        return Finding("device", "note", text, "unset CUDA_VISIBLE_DEVICES")
    if not facts["cuda_build"]:
        text = f"there is an NVIDIA driver ({driver}) and this torch is for processors only; {cpu}"
        mend = pip_line("torch", "torchvision", index="https://download.pytorch.org/whl/cu130")
        return Finding("device", "note", text, mend)
    reason = facts["cuda_warning"] or "torch does not say why"
    text = f"driver {driver} cannot be used with CUDA {facts['cuda_build']} ({reason}); {cpu}"
    mend = "update the driver: https://www.nvidia.com/drivers"
    return Finding("device", "note", text, mend)


def _driver() -> str:
    """Return the version of the NVIDIA driver, or nothing where there is none."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return (done.stdout.strip().splitlines() or [""])[0]


def _precision(facts: dict[str, Any]) -> Finding:
    if "pace" in facts["errors"]:
        return Finding("precision", "note", f"float32; no measurement: {facts['errors']['pace']}")
    full, half = facts["pace"]["float32"], facts["pace"]["bfloat16"]
    better = "bfloat16 pays" if half > 1.2 * full else "float32 is the better choice"
    return Finding(
        "precision",
        "ok",
        f"{better}: matrix products at {full / 1e12:.3g} teraflops in float32 and "
        f"{half / 1e12:.3g} in bfloat16",
    )


def _threads(facts: dict[str, Any], cores: float) -> Finding:
    threads, policy = facts["threads"], os.environ.get("OMP_WAIT_POLICY", "")
    text = f"torch uses {threads} thread{'s' if threads > 1 else ''}"
    if threads > max(cores, 1):
        text += f" and there are {cores:g} usable cores: they get in each other's way"
        return Finding(
            "threads", "note", text, set_line("OMP_NUM_THREADS", str(max(int(cores), 1)))
        )
    if threads > 1 and sys.platform == "linux" and policy.upper() != "PASSIVE":
        text += "; waiting threads spin, which is slow on a busy machine ('make lab' prevents it)"
        return Finding("threads", "note", text, set_line("OMP_WAIT_POLICY", "PASSIVE"))
    return Finding("threads", "ok", text)


def _memory() -> Finding:
    total, free = _memory_bytes()
    if total is None:
        return Finding("memory", "note", "this system does not say how much there is")
    text = f"{total / _GB:.1f} GB" + ("" if free is None else f", {free / _GB:.1f} GB available")
    if min(total, total if free is None else free) < 2 * _GB:
        mend = "close other programs and shut down other kernels"
        return Finding("memory", "note", f"{text}: lessons want 2 GB", mend)
    return Finding("memory", "ok", text)


def _memory_bytes() -> tuple[int | None, int | None]:
    """Return total and available memory, a container's limit included."""
    total = free = None
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        total, free = 1024 * kilobytes["MemTotal"], 1024 * kilobytes["MemAvailable"]
    if total is None:
        with suppress(OSError, ValueError, AttributeError):
            total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            limit = int(Path("/sys/fs/cgroup", file).read_text(encoding="ascii"))
            if total is None or limit < total:
                total, free = limit, None
    return total, free


def _disk() -> Finding:
    try:
        free = shutil.disk_usage(Path.cwd()).free
    except OSError as error:
        return Finding("disk", "note", f"this folder cannot be looked at ({error})")
    text = f"{free / _GB:.1f} GB free in {Path.cwd()}"
    if free < 0.1 * _GB:
        return Finding("disk", "wrong", f"{text}: checkpoints need 0.1 GB", "empty the disk")
    if free < 1 * _GB:
        return Finding("disk", "note", f"{text}: data sets and runs want 1 GB", "empty the disk")
    return Finding("disk", "ok", text)


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        with suppress(OSError, subprocess.SubprocessError):
            asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine() or "unknown processor"


def _cores() -> float:
    """Return how many cores this process may use, a container's quota included."""
    if hasattr(os, "sched_getaffinity"):
        cores = float(len(os.sched_getaffinity(0)))
    else:
        cores = float(os.cpu_count() or 1)
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, int(quota) / int(period))
    return cores
