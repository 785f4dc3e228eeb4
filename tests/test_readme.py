"""Every command of the README is run here, or by the test that is named beside it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from genimg_course.grading.isolation.tiers import find_tiers

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

# command of the README -> how it is run, or the test that runs what it runs
ELSEWHERE = {
    "make lab": "test_lab.py starts the laboratory in a browser; test_setup.py runs the set-up",
    "make lab ARGS=--no-browser": "test_lab.py",
    "make test": "this run; test_setup.py holds that .ci/run calls it",
    "make book": "test_book.py",
    "make book-serve": "test_book_serve.py",
    "make test-grading": "test_attacks.py and test_diagnosis.py run parts",
    "genimg grade": "test_grading_batch.py runs the command",
    "genimg grade submissions.zip": "test_grading_intake.py takes zips in",
    "make mutation": "test_mutation.py runs a part and holds the report of the whole",
    "conda env create -f environment.yml": "test_setup.py compares its list with the others",
    "make test-colab": "test_colab.py holds its parts",
    "genimg train judge": "test_judges.py",
    "genimg train cgan --data mnist": "test_reference_training.py, with few steps",
    "genimg train cgan --resume runs/cgan-mnist-seed0": "test_reference_training.py, after a kill",
    "genimg certify vae": "test_certificates.py, with few steps",
    "genimg bench": "test_reference_bench.py",
    "genimg bench --quality": "test_reference_quality.py, with few steps",
}
RUN = {
    "git clone https://github.com/genimg-course/genimg_course": "git clone --quiet {root} clone",
    "cd genimg_course": "cd clone",
    "genimg run 06 --profile smoke": "{genimg} run 06 --profile smoke --out {out}",
    "genimg run 13 --profile cpu -p DATASET=mnist": (
        "{genimg} run 13 --profile smoke -p DATASET=mnist --out {out}"
    ),
    "genimg release class.zip": "{genimg} release {out}/class.zip",
    "genimg solution-check": "{genimg} solution-check",
    "genimg --help": "{genimg} --help",
    "genimg doctor": "{genimg} doctor",
    "genimg author": "{genimg} author --check",
}


def commands() -> list[str]:
    """Return the commands of the README: lines of its blocks, and code that begins like one."""
    blocks = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    inline = re.findall(r"`((?:make|genimg|conda|git|pip|python) [^`]+)`", README)
    return [line for block in blocks for line in block.splitlines() if line] + inline


def test_every_command_has_a_test():
    assert set(commands()) == ELSEWHERE.keys() | RUN.keys()
    for where in ELSEWHERE.values():
        for name in re.findall(r"test_\w+\.py", where):
            assert (ROOT / "tests" / name).is_file(), name


@pytest.mark.parametrize("command", [c for c in RUN if c.startswith("genimg")])
def test_a_command_of_the_course_works(command, request, tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if "mnist" in command:
        environment["GENIMG_DATA_DIR"] = str(request.getfixturevalue("data_root"))
    if "solution-check" in command and not any(tier.available for tier in find_tiers()):
        pytest.skip("nothing contains answers here: Linux with bubblewrap or Landlock does")
    genimg = f"{sys.executable} -m genimg_course.cli"
    line = RUN[command].format(genimg=genimg, out=tmp_path / "out")
    done = subprocess.run(line.split(), cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone")
def test_a_clone_holds_what_the_readme_shows(tmp_path):
    clone = RUN["git clone https://github.com/genimg-course/genimg_course"].format(root=ROOT)
    subprocess.run(clone.split(), cwd=tmp_path, check=True)
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (tmp_path / "clone" / link).exists(), link


def test_the_addresses_are_those_of_the_project():
    import tomllib

    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    assert urls["Repository"] in README
    assert urls["Documentation"].removeprefix("https://") in README


def test_make_knows_the_targets_of_the_readme():
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for target in {c.split()[1] for c in commands() if c.startswith("make")}:
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)
