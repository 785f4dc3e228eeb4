"""Make the course's virtual environment, once: what ``make`` runs before anything is installed.

This file needs nothing but the standard library, and runs as a script:
``python -I genimg_course/environment.py --venv .venv --extra lab``.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["SetUpError", "ensure", "explain", "is_current", "main"]

_PROJECT = Path(__file__).resolve().parent.parent
_LISTS = ("pyproject.toml", "constraints.txt")
_STAMP = "genimg-setup.json"
_LOG = "setup.log"
_VERSION = "{}.{}".format(*sys.version_info)

# measured on Linux with CPython 3.11: what pip fetches into an empty cache, the folder after it,
# and the time beside the download; other systems get a smaller torch
_COST = {
    "lab": "up to 3.1 GB to download, 6.4 GB on disk, two to five minutes besides the download",
    "dev": "up to 3.3 GB to download, 6.8 GB on disk, two to five minutes besides the download",
}

_DISK_FULL = r"No space left on device|Errno 28|not enough space on the disk"
_NO_COMPILER = (
    r"Microsoft Visual C\+\+|Unable to find vcvarsall"
    r"|error: command '[^']*(?:gcc|g\+\+|clang|cc)'"
    r"|(?:gcc|g\+\+|clang|cc): (?:command )?not found"
    r"|No such file or directory: '(?:gcc|g\+\+|clang|cc)'"
)
_BAD_CERTIFICATE = r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError"
_NO_NETWORK = (
    r"name resolution|Name or service not known|getaddrinfo failed|nodename nor servname"
    r"|Network is unreachable|NewConnectionError|NameResolutionError|ConnectTimeoutError"
    r"|Connection refused|ProxyError|Read timed out|Max retries exceeded"
)
_NOTHING_FITS = r"ResolutionImpossible|No matching distribution found"

# The first pattern found in pip's output names the reason. The network comes late, because pip
# warns of a slow index in runs that fail for another reason too.
_REASONS = {
    _DISK_FULL: "The disk is full: the environment and pip's cache need about 10 GB together.",
    _NO_COMPILER: (
        "A package had to be compiled and there is no C compiler: install one (Debian and Ubuntu: "
        "sudo apt install build-essential; macOS: xcode-select --install; Windows: the Visual C++ "
        "Build Tools), or use a 64-bit Python from https://www.python.org, which needs none."
    ),
    _BAD_CERTIFICATE: (
        "The certificate of the package index was not accepted: check this machine's clock, and "
        "the proxy if there is one."
    ),
    _NO_NETWORK: (
        "The package index could not be reached: check the network connection, and the proxy if "
        "there is one, and run the same command again."
    ),
    _NOTHING_FITS: (
        "No set of packages fits this machine: constraints.txt is for a 64-bit Python 3.11, 3.12 "
        "or 3.13 on Linux, macOS or Windows."
    ),
}


class SetUpError(Exception):
    """Say in one sentence what stopped the set-up and what to do about it."""


def explain(log: str) -> str:
    """Name the reason that pip's output gives for a failure.

    Args:
        log: everything that pip printed.

    Returns:
        One or two sentences; the last line that pip marked as an error where the reason is none
        of the usual ones.

    >>> explain("OSError: [Errno 28] No space left on device")
    "The disk is full: the environment and pip's cache need about 10 GB together."
    >>> explain("ERROR: something new")
    'pip failed: something new'
    """
    for pattern, sentence in _REASONS.items():
        if re.search(pattern, log):
            return sentence
    errors = re.findall(r"^(?:ERROR|error): *(.+)$", log, flags=re.MULTILINE)
    return f"pip failed: {errors[-1]}" if errors else "pip failed without saying why."


def is_current(venv: Path, extra: str, *, project: Path = _PROJECT) -> bool:
    """Tell whether the environment already holds what ``extra`` asks for.

    Args:
        venv: folder of the virtual environment.
        extra: "lab", or "dev", which holds "lab" as well.
        project: folder with pyproject.toml and constraints.txt.
    """
    made = _stamp(venv)
    return (
        made.get("key") == _key(project)
        and made.get("extra") in (extra, "dev")
        and _python(venv).exists()
    )


def ensure(venv: Path, extra: str, *, project: Path = _PROJECT) -> None:
    """Make or complete the virtual environment, and do nothing where it is up to date.

    Args:
        venv: folder of the virtual environment.
        extra: "lab" for the notebooks alone, "dev" for tests and book as well.
        project: folder with pyproject.toml and constraints.txt.

    Raises:
        SetUpError: if the environment cannot be made.
    """
    _refuse_foreign(venv)
    if is_current(venv, extra, project=project):
        return
    if _stamp(venv).get("extra") == "dev":
        extra = "dev"
    _make_venv(venv)
    log = venv / _LOG
    print(f"Setting up {venv}: {_COST[extra]}. pip's output is in {log}", flush=True)
    start = time.monotonic()
    _install(_python(venv), extra, log=log, project=project)
    stamp = {"key": _key(project), "extra": extra}
    (venv / _STAMP).write_text(json.dumps(stamp) + "\n", encoding="utf-8")
    print(f"{venv} is ready after {time.monotonic() - start:.0f} s.", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the set-up from the command line and return the exit status."""
    parser = argparse.ArgumentParser(description="Make the course's virtual environment.")
    parser.add_argument("--venv", type=Path, default=Path(".venv"), help="its folder")
    parser.add_argument("--extra", choices=sorted(_COST), default="dev", help="what to install")
    options = parser.parse_args(arguments)
    try:
        ensure(options.venv, options.extra)
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _key(project: Path) -> str:
    # the folder is part of it: an environment that was moved has scripts with old paths
    parts = [(project / name).read_bytes() for name in _LISTS]
    parts.append(str(project.resolve()).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _stamp(venv: Path) -> dict[str, str]:
    try:
        made = json.loads((venv / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return made if isinstance(made, dict) else {}


def _python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _has_pip(python: Path) -> bool:
    try:
        asked = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
    except OSError:
        return False
    return asked.returncode == 0


def _refuse_foreign(venv: Path) -> None:
    configuration = venv / "pyvenv.cfg"
    if not configuration.exists():
        if venv.exists() and (not venv.is_dir() or any(venv.iterdir())):
            raise SetUpError(
                f"{venv} is there and is no virtual environment: move it away, or name another "
                "folder with VENV=FOLDER."
            )
        return
    text = configuration.read_text(encoding="utf-8")
    found = re.search(r"^version\w*\s*=\s*(\d+\.\d+)", text, flags=re.MULTILINE)
    if found and found[1] != _VERSION:
        raise SetUpError(
            f"{venv} was made with Python {found[1]} and this is Python {_VERSION}: delete the "
            "folder, or name another with VENV=FOLDER."
        )


def _make_venv(venv: Path) -> None:
    if _has_pip(_python(venv)):
        return
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise SetUpError(
                f"Python {_VERSION} at {sys.executable} lacks the module {module}, which a virtual "
                f"environment needs: on Debian and Ubuntu run 'sudo apt install "
                f"python{_VERSION}-venv', elsewhere install Python from https://www.python.org."
            )
    command = [sys.executable, "-m", "venv", "--clear", str(venv)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        lines = (made.stdout + made.stderr).strip().splitlines() or ["no reason given"]
        raise SetUpError(f"The virtual environment {venv} could not be made: {lines[-1]}")


def _install(python: Path, extra: str, *, log: Path, project: Path) -> None:
    command = [str(python.absolute()), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--editable", f".[{extra}]", "--constraint", "constraints.txt"]
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            command, cwd=project, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        reason = explain(log.read_text(encoding="utf-8", errors="replace"))
        raise SetUpError(f"{reason} The whole story is in {log}")


if __name__ == "__main__":
    raise SystemExit(main())
