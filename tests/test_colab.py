"""What can be said about Colab without its packages; ``make test-colab`` does the rest."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from colab import image
from colab.emulation import Colab, code_cells, snapshot
from colab.image import PINS, key, newest_python
from packaging.requirements import Requirement

from genimg_course.authoring import repository

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "genimg_course"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = re.findall(r"^[^#\s].*$", PINS.read_text(encoding="utf-8"), flags=re.MULTILINE)
# not pinned: they come along, as they do on Colab, because a pinned package asks for them
COME_ALONG = {"filelock": "torch", "scipy": "scikit-learn"}


def test_every_pin_is_one_version():
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line) for line in LINES)
    assert len({line.split("==")[0] for line in LINES}) == len(LINES)


@pytest.mark.parametrize("line", PROJECT["dependencies"])
def test_colab_has_what_the_course_asks_for(line):
    wanted = Requirement(line)
    pins = dict(each.split("==") for each in LINES)
    if wanted.name in COME_ALONG:
        assert COME_ALONG[wanted.name] in pins
    else:
        assert wanted.specifier.contains(pins[wanted.name])


@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
def test_every_lesson_begins_with_the_same_set_up_cell(folder):
    first = {path.stem: code_cells(ROOT / folder / path.name)[0] for path in NOTEBOOKS}
    install = f'    %pip install --quiet --no-deps "git+{repository(ROOT)}"'
    for name, cell in first.items():
        lines = cell.splitlines()
        assert 'if importlib.util.find_spec("genimg_course") is None:' in lines, name
        assert install in lines, name


def test_set_up_cells_do_nothing_where_the_course_is():
    for path in NOTEBOOKS:
        cell = code_cells(path)[0]
        # what IPython would run instead of the command of its own
        code = re.sub(r"^( *)%pip .*$", r"\1raise SystemExit('installs')", cell, flags=re.MULTILINE)
        code = re.sub(r'importlib\.util\.find_spec\("(?!genimg_course")\w+"\)', "True", code)
        exec(compile(code, path.name, "exec"), {})


def test_the_parameters_of_a_lesson_leave_the_profile_to_the_environment():
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        (cell,) = (c for c in cells if "parameters" in c["metadata"].get("tags", []))
        assert "".join(cell["source"]).startswith("PROFILE = None"), path.name


def test_git_keeps_every_file_that_the_package_needs():
    files = [
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    kinds = {Path(name).suffix for name in files}
    assert {".py", ".json", ".safetensors"} <= kinds
    for folder in ("metrics/judges", "checkpoints"):
        assert any(name.startswith(f"genimg_course/{folder}/") for name in files)
    ignored = subprocess.run(
        ["git", "check-ignore", "--stdin"],
        cwd=ROOT,
        input="\n".join(files),
        capture_output=True,
        text=True,
        check=False,
    )
    if ignored.returncode == 128:
        pytest.skip("this is no git repository")
    # the wheel leaves out what git ignores
    assert ignored.stdout == ""


def test_lessons_read_files_of_the_package_alone():
    for path in NOTEBOOKS:
        code = "\n".join(code_cells(ROOT / "solutions" / path.name))
        assert not re.search(r"\b(?:open|read_text|read_bytes)\(\s*[\"']\.?\.?/", code), path.name
        assert "__file__" not in code, path.name


# --- the emulation itself


def test_an_image_depends_on_pins_and_python(tmp_path, monkeypatch):
    before = key("/usr/bin/python3.13")
    assert key("/usr/bin/python3.12") != before
    pins = tmp_path / "constraints.txt"
    pins.write_bytes(PINS.read_bytes() + b"\nx==1\n")
    monkeypatch.setattr(image, "PINS", pins)
    assert key("/usr/bin/python3.13") != before


def test_a_finished_image_is_left_alone_and_a_foreign_folder_refused(tmp_path, monkeypatch):
    def run(command, **_):
        raise AssertionError(f"{command} must not run")

    python = newest_python()
    made = image.python_of(tmp_path)
    made.parent.mkdir(parents=True)
    made.write_text("")
    (tmp_path / "genimg-colab.json").write_text(json.dumps({"key": key(python)}))
    monkeypatch.setattr(image, "newest_python", lambda: python)
    monkeypatch.setattr(image.subprocess, "run", run)
    image.make_image(tmp_path)
    (tmp_path / "genimg-colab.json").unlink()
    with pytest.raises(SystemExit, match="is no virtual environment"):
        image.make_image(tmp_path)


def test_a_python_that_does_not_run_is_passed_over(tmp_path, monkeypatch):
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert newest_python() == sys.executable


def test_a_snapshot_is_one_commit_of_the_working_tree(tmp_path):
    address = snapshot(tmp_path)
    assert address.startswith("file://")
    name = "genimg_course/maths/gaussians.py"
    assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()
    log = subprocess.run(
        ["git", "log", "--format=%s"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert log.stdout == "working tree\n"
    assert not (tmp_path / ".venv").exists()


def test_a_session_knows_nothing_of_this_checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("GENIMG_STRICT", "1")
    session = Colab(tmp_path / "image", tmp_path, "file:///elsewhere")
    variables = session.environment()
    assert not {"PYTHONPATH", "GENIMG_STRICT", "VIRTUAL_ENV", "GENIMG_CACHE_DIR"} & set(variables)
    assert variables["GIT_CONFIG_KEY_0"] == "url.file:///elsewhere.insteadOf"
    assert session.environment(GENIMG_STRICT="1")["GENIMG_STRICT"] == "1"
    git = subprocess.run(
        ["git", "ls-remote", "--get-url", repository(ROOT)],
        env={**variables, "PATH": variables["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert git.stdout == "file:///elsewhere\n"
