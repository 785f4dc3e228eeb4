"""The launcher: one clear line, this machine only, no question, and a clean end."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from genimg_course import launch
from genimg_course.launch import LaunchError, find_lesson, kernel_environment, lab, lessons

ROOT = Path(__file__).resolve().parent.parent
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "a course" / "notebooks"
    folder.mkdir(parents=True)
    for name in ("06_one.ipynb", "13_two.ipynb", "Untitled.ipynb"):
        (folder / name).write_text(
            '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
        )
    return folder.parent


@pytest.fixture
def taken():
    """Hold a port of this machine, and return its number."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_only_numbered_notebooks_are_lessons(course):
    assert [path.name for path in lessons(course / "notebooks")] == ["06_one.ipynb", "13_two.ipynb"]


@pytest.mark.parametrize(
    "wanted, name",
    [
        (None, "06_one"),
        ("6", "06_one"),
        ("06", "06_one"),
        ("13_two", "13_two"),
        ("13_two.ipynb", "13_two"),
    ],
)
def test_a_lesson_is_found_by_number_or_name(course, wanted, name):
    assert find_lesson(course / "notebooks", wanted).stem == name


def test_an_unknown_lesson_is_answered_with_the_known_ones(course):
    with pytest.raises(LaunchError, match="no lesson 7; there are 06_one, 13_two"):
        find_lesson(course / "notebooks", "7")


def test_a_folder_without_notebooks_is_named(tmp_path):
    with pytest.raises(LaunchError, match=rf"no lessons in {re.escape(str(tmp_path))}/notebooks"):
        lab(tmp_path)


def test_a_taken_port_is_refused_where_it_was_asked_for(course, taken):
    with pytest.raises(LaunchError, match=f"^Port {taken} is taken"):
        lab(course, port=taken)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_an_impossible_port_is_refused(course, port):
    with pytest.raises(LaunchError, match=f"no port {port}"):
        lab(course, port=port)


def test_kernels_get_a_profile_of_their_own_and_keep_the_readers_choices(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    environment = kernel_environment(tmp_path)
    assert environment["OMP_WAIT_POLICY"] == "ACTIVE"
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "/elsewhere"]
    settings = Path(environment["IPYTHONDIR"], "profile_default", "ipython_kernel_config.py")
    assert "c.IPKernelApp.log_level = 40" in settings.read_text()


@pytest.fixture
def nowhere(tmp_path):
    """Return a home that nobody can make, not even an administrator."""
    (tmp_path / "file").touch()
    return str(tmp_path / "file" / "home")


@pytest.mark.parametrize("empty", [True, False])
def test_without_a_home_jupyter_writes_to_the_scratch_folder(tmp_path, monkeypatch, nowhere, empty):
    monkeypatch.setenv("HOME", "" if empty else nowhere)
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    environment = kernel_environment(tmp_path)
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR"):
        assert Path(environment[name]).is_relative_to(tmp_path)


def test_the_next_free_port_is_taken_and_told(taken, monkeypatch, capsys):
    monkeypatch.setattr(launch, "_FIRST_PORT", taken)
    found = launch._free_port(None)
    assert taken < found < taken + 100
    assert capsys.readouterr().out == f"Port {taken} is taken; using {found}.\n"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", found))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("ctrl_c", [True, False])
def test_lab_prints_one_address_serves_this_machine_alone_and_ends_when_told(
    course, nowhere, ctrl_c
):
    server = subprocess.Popen(
        [sys.executable, "-m", "genimg_course.cli", "lab", "--no-browser", "--lesson", "13"],
        cwd=course,
        env={**os.environ, "HOME": nowhere, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        if line.startswith("Port 8888 is taken"):
            line = server.stdout.readline()
        found = re.fullmatch(
            r"JupyterLab is ready \(Ctrl-C ends it\): "
            r"(http://127\.0\.0\.1:(\d+))/lab/tree/notebooks/13_two\.ipynb\?token=([0-9a-f]{48})\n",
            line,
        )
        assert found, line
        base, port, token = found.groups()
        with DIRECT.open(f"{base}/api/contents/notebooks/13_two.ipynb?token={token}") as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError, match="403"):
            DIRECT.open(f"{base}/api/contents/notebooks/13_two.ipynb")
        assert _listens_on(int(port)) <= {"0100007F"}
        if ctrl_c:  # a terminal tells everybody
            os.killpg(server.pid, signal.SIGINT)
        else:
            server.terminate()
        assert server.wait(timeout=30) == 0
        _wait_until_gone(int(port))
        last_words = server.stdout.read()
        assert "Traceback" not in last_words and "?" not in last_words
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        server.stdout.close()


def _listens_on(port: int) -> set[str]:
    """Return the hexadecimal addresses on which a port listens; nothing where /proc is missing."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        return set()
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1][-4:], 16) == port}


def _wait_until_gone(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    raise AssertionError(f"something still listens on port {port}")
