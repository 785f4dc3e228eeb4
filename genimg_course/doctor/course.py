"""What belongs to the course: folders, widgets, the kernel, the networks that came with it."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from importlib import metadata
from pathlib import Path

from genimg_course.doctor.finding import Finding, State
from genimg_course.doctor.packages import again, pip_line, set_line
from genimg_course.folders import cache_folder, data_folder

__all__ = ["check_folders", "check_kernel", "check_networks", "check_widgets"]

_PACKAGE = Path(__file__).resolve().parents[1]
_WIDGETS = "ipywidgets>=8,<9"
_SETS = ("MNIST", "FashionMNIST")
# the version of JupyterLab's side that understands a major version of ipywidgets
_MANAGER = {"7": "1", "8": "3"}


def check_folders() -> list[Finding]:
    """Say where pictures and data sets are kept, whether that works, and what is there."""
    return [
        _folder("cache", cache_folder(), "GENIMG_CACHE_DIR", "digits are drawn anew each time"),
        _folder("data sets", data_folder(), "GENIMG_DATA_DIR", "MNIST cannot be downloaded"),
    ]


def _folder(subject: str, folder: Path | None, variable: str, consequence: str) -> Finding:
    mend = set_line(variable, "FOLDER")
    if folder is None:
        return Finding(subject, "note", f"no home folder and no {variable}: {consequence}", mend)
    offered = bool(os.environ.get(variable))
    if not _can_write(folder):
        there = f", which holds {_content(folder)}" if folder.is_dir() else ""
        # a folder that the reader named is a mistake; a home that is closed is how it is
        state: State = "wrong" if offered and not folder.is_dir() else "note"
        return Finding(subject, state, f"{folder} cannot be written to{there}: {consequence}", mend)
    if not folder.exists():
        return Finding(subject, "ok", f"{folder}, made when it is needed")
    return Finding(subject, "ok", f"{folder}: {_content(folder)}")


def _can_write(folder: Path) -> bool:
    """Tell whether a folder can be written to, or can be made; nothing is made."""
    try:
        while not folder.exists():
            if folder == folder.parent:
                return False
            folder = folder.parent
        return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def _content(folder: Path) -> str:
    sets = [name for name in _SETS if (folder / name / "raw").is_dir()]
    try:
        files = [path.stat().st_size for path in folder.glob("*") if path.is_file()]
    except OSError as error:
        return f"cannot be listed ({error.strerror})"
    if sets:
        return f"{' and '.join(sets)}"
    return f"{len(files)} files, {sum(files) / 1e6:.1f} MB" if files else "empty"


def check_widgets() -> list[Finding]:
    """Say whether the sliders' two halves, in the kernel and in JupyterLab, fit together."""
    try:
        widgets = metadata.version("ipywidgets")
    except metadata.PackageNotFoundError:
        text = "ipywidgets is not installed: figures stand still"
        return [Finding("widgets", "note", text, pip_line(_WIDGETS))]
    if "COLAB_RELEASE_TAG" in os.environ:
        return [Finding("widgets", "ok", f"ipywidgets {widgets}, shown by Colab")]
    try:
        metadata.version("jupyterlab")
        manager = metadata.version("jupyterlab-widgets")
    except metadata.PackageNotFoundError as error:
        text = f"ipywidgets {widgets}; {error.name} is not in this environment, so that sliders"
        text += " depend on the program that shows the notebook"
        return [Finding("widgets", "note", text, pip_line("jupyterlab>=4.4,<5", _WIDGETS))]
    if _MANAGER.get(widgets.split(".")[0]) != manager.split(".")[0]:
        text = f"ipywidgets {widgets} is not understood by jupyterlab-widgets {manager}"
        mend = pip_line(_WIDGETS, "jupyterlab-widgets>=3,<4")
        return [Finding("widgets", "wrong", f"{text}: sliders stay empty", mend)]
    return [Finding("widgets", "ok", f"ipywidgets {widgets}, jupyterlab-widgets {manager}")]


def check_kernel() -> list[Finding]:
    """Say whether the kernel ``python3`` that notebooks ask for runs this Python."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        text = "jupyter_client is not installed: notebooks cannot be run from here"
        return [Finding("kernel", "note", text, pip_line("ipykernel>=6.17"))]
    mend = f"{sys.executable} -m ipykernel install --sys-prefix"
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        text = "there is no kernel python3"
        return [Finding("kernel", "wrong", text, f"{pip_line('ipykernel>=6.17')} && {mend}")]
    command = spec.argv[0] if spec.argv else ""
    # Jupyter puts its own interpreter in place of these names
    own = ("python", "python3", "python{}.{}".format(*sys.version_info))
    if command in own or _same_environment(command):
        return [Finding("kernel", "ok", f"python3 runs this Python ({spec.resource_dir})")]
    text = f"the kernel python3 in {spec.resource_dir} runs {command}, which is another Python"
    # 'make lab' and 'genimg run' look into the environment first
    return [
        Finding("kernel", "note", text, f"{mend} && {set_line('JUPYTER_PREFER_ENV_PATH', '1')}")
    ]


def _same_environment(command: str) -> bool:
    # links are not followed: the Python of an environment is a link to the one it came from
    return Path(command).absolute().parent == Path(sys.executable).absolute().parent


def check_networks() -> list[Finding]:
    """Compare the networks that come with the course with the checksums on their cards."""
    findings = []
    for subject, folder in (("judges", "metrics/judges"), ("checkpoints", "checkpoints")):
        cards = sorted((_PACKAGE / folder).glob("*.json"))
        altered = [card.stem for card in cards if not _is_intact(card)]
        mend = again()
        if (_PACKAGE.parent / "pyproject.toml").is_file():
            mend = f"git checkout -- genimg_course/{folder}"
        if altered:
            text = f"not as their cards say: {', '.join(altered)}"
            findings.append(Finding(subject, "wrong", text, mend))
        elif not cards:
            findings.append(Finding(subject, "wrong", "there are none", mend))
        else:
            names = ", ".join(card.stem for card in cards)
            findings.append(Finding(subject, "ok", f"intact: {names}"))
    return findings


def _is_intact(card: Path) -> bool:
    try:
        expected = json.loads(card.read_text(encoding="utf-8"))["sha256"]
        found = hashlib.sha256(card.with_suffix(".safetensors").read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(found == expected)
