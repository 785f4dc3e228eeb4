"""``genimg release``: what students get, and what they must not get."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from genimg_course.cli import main
from genimg_course.grading.release import ReleaseError, release

ROOT = Path(__file__).parents[1]
ANSWER = """
import torch
from genimg_course.exercises import exercise, hint
from genimg_course.maths import gaussian_kl as reference

@exercise("vae.gaussian_kl")
def gaussian_kl(mu, logvar):
    return torch.zeros(len(mu))

hint("vae.gaussian_kl")
print("own" if gaussian_kl(torch.ones(2, 3), torch.ones(2, 3)).sum() == 0 else "reference")
print(reference(torch.zeros(2, 3), torch.zeros(2, 3)).tolist())
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    return {
        "with": release(ROOT, folder / "with.zip"),
        "without": release(ROOT, folder / "without.zip", references=False),
    }


def names(path):
    with zipfile.ZipFile(path) as file:
        return file.namelist()


@pytest.mark.parametrize("kind", ["with", "without"])
def test_students_get_notebooks_and_package_and_nothing_of_the_instructors(packed, kind):
    found = names(packed[kind])
    lessons = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert [name for name in found if name.endswith(".ipynb")] == [
        f"genimg_course/notebooks/{name}" for name in lessons
    ]
    assert {"genimg_course/README.md", "genimg_course/Makefile"} <= set(found)
    parts = {part for name in found for part in Path(name).parts}
    assert not parts & {"solutions", "tests", "book", "__pycache__"}
    assert not parts & {"grading", "authoring.py", "teaching.py"}
    with zipfile.ZipFile(packed[kind]) as file:
        for name in found:
            assert name.endswith(".safetensors") or b"### BEGIN SOLUTION" not in file.read(name)


def test_the_same_course_gives_the_same_bytes(packed, tmp_path):
    again = release(ROOT, tmp_path / "again.zip")
    assert again.read_bytes() == packed["with"].read_bytes()


def run(zipped, folder):
    shutil.unpack_archive(zipped, folder)
    environment = {**os.environ, "PYTHONPATH": str(folder / "genimg_course")}
    done = subprocess.run(
        [sys.executable, "-c", ANSWER],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr


def test_with_references_a_wrong_answer_is_replaced(packed, tmp_path):
    out, err = run(packed["with"], tmp_path)
    assert "not yet right" in out and out.splitlines()[-2:] == ["reference", "[0.0, 0.0]"], err


def test_without_references_an_answer_is_kept_and_the_reference_is_nowhere(packed, tmp_path):
    out, err = run(packed["without"], tmp_path)
    assert "own" in out.splitlines(), err
    assert "not yet right" not in out
    assert "GradedFunctionUnavailable" in err


@pytest.mark.parametrize("kind", ["with", "without"])
def test_the_command_works_in_a_copy_and_offers_nothing_of_the_instructors(packed, tmp_path, kind):
    shutil.unpack_archive(packed[kind], tmp_path)
    course = tmp_path / "genimg_course"
    said = [
        subprocess.run(
            [sys.executable, "-m", "genimg_course.cli", *words],
            cwd=course,
            env={**os.environ, "PYTHONPATH": str(course)},
            capture_output=True,
            text=True,
            check=False,
        )
        for words in (["--help"], ["doctor", "--json"], ["lab", "--lesson", "99"])
    ]
    commands = re.findall(r"^    (\w[\w-]+)(?: |$)", said[0].stdout, flags=re.MULTILINE)
    assert commands == ["lab", "run", "train", "bench", "doctor", "certify"]
    assert json.loads(said[1].stdout), said[1].stderr
    assert said[2].stderr.startswith("There is no lesson 99; there are 00_")


def test_what_cannot_be_packed_is_one_sentence(packed, tmp_path, monkeypatch, capsys):
    with pytest.raises(ReleaseError, match="name a zip file"):
        release(ROOT, tmp_path / "class.tar")
    with pytest.raises(ReleaseError, match="exists already"):
        release(ROOT, packed["with"])
    with pytest.raises(ReleaseError, match="go to the folder of the course"):
        release(tmp_path, tmp_path / "class.zip")
    monkeypatch.chdir(tmp_path)
    assert main(["release", "class.zip"]) == 2
    assert "go to the folder of the course" in capsys.readouterr().err


def test_a_notebook_that_is_not_the_sources_is_not_packed(tmp_path):
    course = tmp_path / "course"
    course.mkdir()
    for name in ("LICENSE", "Makefile", "constraints.txt", "environment.yml", "pyproject.toml"):
        shutil.copyfile(ROOT / name, course / name)
    for name in ("solutions", "notebooks"):
        shutil.copytree(ROOT / name, course / name)
    solved = course / "solutions" / "06_variational_autoencoder.ipynb"
    shutil.copyfile(solved, course / "notebooks" / solved.name)
    with pytest.raises(ReleaseError, match=r"06_variational_autoencoder\.ipynb is stale"):
        release(course, tmp_path / "class.zip")
    (course / "notebooks" / solved.name).unlink()
    shutil.copyfile(ROOT / "notebooks" / solved.name, course / "notebooks" / solved.name)
    shutil.copyfile(solved, course / "notebooks" / "06_mine.ipynb")
    with pytest.raises(ReleaseError, match=r"06_mine\.ipynb has no source"):
        release(course, tmp_path / "class.zip")
    assert not (tmp_path / "class.zip").exists()
