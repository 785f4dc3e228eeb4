"""Start JupyterLab on a lesson, on this machine alone and without a question."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import webbrowser
from pathlib import Path

__all__ = ["LaunchError", "find_lesson", "kernel_environment", "lab", "lessons"]

_FIRST_PORT = 8888
_PATIENCE = 120.0  # seconds; a cold disk takes half a minute


class LaunchError(ValueError):
    """Say in one sentence what the reader can mend."""


def lessons(folder: Path) -> list[Path]:
    """Return the notebooks of a folder that are lessons, ``NN_slug.ipynb``, in their order.

    Raises:
        LaunchError: if there are none.
    """
    found = sorted(path for path in folder.glob("*.ipynb") if re.match(r"\d\d_", path.name))
    if not found:
        raise LaunchError(
            f"There are no lessons in {folder.absolute()}: run this command in the course's "
            "folder, the one that holds 'notebooks'"
        )
    return found


def find_lesson(folder: Path, lesson: str | None = None) -> Path:
    """Return the notebook of a lesson.

    Args:
        folder: where the notebooks are.
        lesson: its number ("6" or "06") or its whole name; the first lesson by default.

    Raises:
        LaunchError: if there is no such lesson.
    """
    known = lessons(folder)
    if lesson is None:
        return known[0]
    wanted = lesson.zfill(2) if lesson.isdecimal() else Path(lesson).stem
    for path in known:
        if wanted in (path.name[:2], path.stem):
            return path
    raise LaunchError(f"There is no lesson {lesson}; there are {', '.join(p.stem for p in known)}")


def kernel_environment(scratch: Path, *, log_level: int = 40) -> dict[str, str]:
    """Return the environment for whatever starts kernels: this process's, and what a lesson needs.

    Args:
        scratch: an existing folder for what the kernels write about themselves.
        log_level: from which level on kernels print their log; 40 is ERROR.
    """
    profile = scratch / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    # below ERROR, ipykernel warns the reader of its own TCP connection each time it starts
    settings = f"c = get_config()\nc.IPKernelApp.log_level = {log_level}\n"
    (profile / "ipython_kernel_config.py").write_text(settings, encoding="utf-8")
    environment = {
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait starve the others
        **os.environ,
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",  # a kernel at home may have the same name
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
        "PYTHONPATH": _paths(str(Path(__file__).resolve().parent.parent), "PYTHONPATH"),
    }
    if not _home_is_writable():
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "MPLCONFIGDIR"):
            environment.setdefault(name, str(scratch / name.lower()))
    return environment


def lab(
    root: Path, *, lesson: str | None = None, browser: bool = True, port: int | None = None
) -> int:
    """Open JupyterLab on a lesson, keep it running, and return its exit status.

    Args:
        root: the course's folder.
        lesson: number or name; the first lesson by default.
        browser: open the address; it is printed in any case.
        port: where to listen, on this machine alone; the first free one from 8888 by default.

    Raises:
        LaunchError: if there are no notebooks or no JupyterLab, or the port is taken.
    """
    notebook = find_lesson(root / "notebooks", lesson)
    if importlib.util.find_spec("jupyterlab") is None:
        raise LaunchError("JupyterLab is not installed: run 'make lab', which installs it")
    port = _free_port(port)
    token = secrets.token_hex(24)
    base = f"http://127.0.0.1:{port}"
    address = f"{base}/lab/tree/notebooks/{notebook.name}?token={token}"
    with tempfile.TemporaryDirectory(prefix="genimg-") as scratch:
        environment = {
            **kernel_environment(Path(scratch)),
            "JUPYTER_CONFIG_PATH": _quiet_settings(Path(scratch)),
            "JUPYTER_TOKEN": token,
        }
        server = subprocess.Popen(_command(root, port), env=environment)
        # a polite end from outside is a Ctrl-C too; a shell may have told us to ignore either
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            _wait_until_ready(server, base)
            print(f"JupyterLab is ready (Ctrl-C ends it): {address}", flush=True)
            if browser:
                webbrowser.open(address)
            return server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _end(server)


def _paths(first: str, variable: str) -> str:
    return os.pathsep.join(filter(None, [first, os.environ.get(variable)]))


def _quiet_settings(scratch: Path) -> str:
    """Answer for the reader whether JupyterLab may fetch its news and look for updates: no."""
    folder = scratch / "config" / "labconfig"
    folder.mkdir(parents=True)
    answers = {"fetchNews": "false", "checkForUpdates": False}
    (folder / "default_setting_overrides.json").write_text(
        json.dumps({"@jupyterlab/apputils-extension:notification": answers}), encoding="utf-8"
    )
    return _paths(str(folder.parent), "JUPYTER_CONFIG_PATH")


def _home_is_writable() -> bool:
    home = os.path.expanduser("~")
    return os.path.isabs(home) and home != "/" and os.access(home, os.W_OK)


def _command(root: Path, port: int) -> list[str]:
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root.absolute(),
        "ServerApp.open_browser": False,
        "ServerApp.answer_yes": True,
        "Application.log_level": 40,
        # containers run as root; the server listens on this machine alone
        "ServerApp.allow_root": True,
        # the other one asks the package index what there is
        "LabApp.extension_manager": "readonly",
    }
    return [
        *(sys.executable, "-m", "jupyterlab"),
        *(f"--{name}={value}" for name, value in options.items()),
    ]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name != "nt":
            # a port that was given back a moment ago counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port(port: int | None) -> int:
    if port is not None:
        if not 0 < port < 65536:
            raise LaunchError(f"There is no port {port}: choose one from 1024 to 65535")
        if not _is_free(port):
            raise LaunchError(f"Port {port} is taken: choose another, or leave --port out")
        return port
    for candidate in range(_FIRST_PORT, _FIRST_PORT + 100):
        if _is_free(candidate):
            if candidate != _FIRST_PORT:
                print(f"Port {_FIRST_PORT} is taken; using {candidate}.", flush=True)
            return candidate
    raise LaunchError(
        f"Ports {_FIRST_PORT} to {_FIRST_PORT + 99} are taken: choose one with --port"
    )


def _wait_until_ready(server: subprocess.Popen[bytes], base: str) -> None:
    # a proxy for the outside world must not see this
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            raise LaunchError(f"JupyterLab stopped while starting, with status {server.returncode}")
        try:
            with opener.open(f"{base}/api", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise LaunchError(f"JupyterLab was not ready after {_PATIENCE:.0f} s")


def _end(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(timeout=15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
