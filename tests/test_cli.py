"""The command line: fast, and with one sentence instead of a traceback."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

import genimg_course
from genimg_course.cli import main
from genimg_course.commands import lessons, training
from genimg_course.data import DataError
from genimg_course.training import NonFiniteLoss

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Stand in a folder with one solved lesson that reports the parameters it got."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    code = (
        "from genimg_course.report import Goal, report\n"
        "report(steps=Goal(STEPS, at_least=1, unit='steps'))\nassert PROFILE == 'smoke'"
    )
    cells = [
        nbformat.v4.new_code_cell("PROFILE = None\nSTEPS = 0", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(code),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "solutions" / "01_toy.ipynb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_names_every_command_in_half_a_second():
    times = []
    for _ in range(3):
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "genimg_course.cli", "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        times.append(time.monotonic() - start)
    names = ("lab", "run", "train", "bench", "doctor", "certify")
    names += ("author", "grade", "release", "solution-check")
    assert re.findall(r"^    (\w[\w-]+)(?: |$)", done.stdout, flags=re.MULTILINE) == [*names]
    assert min(times) < 0.5


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from genimg_course import cli; cli._parser();"
        "heavy = {'torch', 'numpy', 'jupytext', 'nbformat', 'papermill', 'nbconvert', 'IPython'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"genimg_course {genimg_course.__version__}\n"


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["run", "02"], "There is no lesson 02; there are 01_toy"),
        (["run", "01", "-p", "EPOCHS=3"], "01_toy has no parameter EPOCHS; it has PROFILE, STEPS"),
        (["run", "01", "-p", "STEPS"], "-p STEPS is no NAME=VALUE"),
        (["run", "01", "--source", "notebooks"], "There are no lessons in "),
        (["lab"], "There are no lessons in "),
    ],
)
def test_a_command_that_can_be_mended_costs_one_sentence(course, capsys, arguments, sentence):
    assert main(arguments) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith(sentence)
    assert errors.count("\n") == 1


def test_run_leaves_its_files_in_runs_and_tells_the_numbers(course, capsys):
    assert main(["run", "1", "--profile", "smoke", "-p", "STEPS=5"]) == 0
    assert sorted(path.name for path in (course / "runs" / "01_toy").iterdir()) == [
        *("01_toy.html", "01_toy.ipynb", "numbers.json", "pictures")
    ]
    output = capsys.readouterr().out
    assert output.startswith("steps: 5 steps\n")
    assert re.search(r"01_toy ran in \d+ s; see runs/01_toy/01_toy\.html", output)


def test_a_failing_lesson_is_one_sentence_and_status_one(course, capsys):
    assert main(["run", "01", "--profile", "cpu", "-p", "STEPS=5", "--out", "elsewhere"]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("01_toy stopped in cell 2 (before the first heading): AssertionError;")
    assert errors.count("\n") == 1
    assert (course / "elsewhere" / "01_toy.ipynb").exists()


def test_author_writes_then_finds_nothing_stale(course, capsys):
    (course / "solutions" / "01_toy.py").write_text("# %% [markdown]\n# # Toy\n")
    assert main(["author", "--check"]) == 1
    assert main(["author"]) == 0
    assert main(["author", "--check"]) == 0
    output, errors = capsys.readouterr()
    assert output == "wrote solutions/01_toy.ipynb\nwrote notebooks/01_toy.ipynb\n"
    assert errors == (
        "solutions/01_toy.ipynb is stale: run 'genimg author'\n"
        "notebooks/01_toy.ipynb is missing: run 'genimg author'\n"
    )


def test_author_says_where_a_source_is_wrong(course, capsys):
    (course / "solutions" / "01_toy.py").write_text("# %%\n### END SOLUTION\n")
    assert main(["author"]) == 2
    assert capsys.readouterr().err == (
        "solutions/01_toy.py:2: this END SOLUTION has no BEGIN SOLUTION\n"
    )


def test_train_judge_hands_over_its_options_and_tells_the_accuracy(course, capsys, monkeypatch):
    asked = []

    def make_judge(name, size, **options):
        asked.append((name, size, options))
        shares = {"validation_accuracy": 0.98765, "test_accuracy": 0.5}
        return {"metrics": {name: {"value": share} for name, share in shares.items()}}

    monkeypatch.setattr("genimg_course.reference.make_judge", make_judge)
    assert main(["train", "judge"]) == 0
    assert main(["train", "judge", "--data", "mnist", "--seed", "3", "--out", "here"]) == 0
    assert asked == [
        ("glyphs", 16, {"seed": 0, "out": None}),
        ("mnist", 28, {"seed": 3, "out": Path("here")}),
    ]
    assert capsys.readouterr().out == 2 * "validation accuracy: 98.77%\ntest accuracy: 50.00%\n"


def test_train_judge_says_which_data_are_missing(course, capsys, monkeypatch):
    monkeypatch.setenv("GENIMG_DATA_DIR", str(course))
    assert main(["train", "judge", "--data", "glyphs", "--size", "3", "--out", "here"]) == 2
    errors = capsys.readouterr().err
    assert "3" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "error, status, sentence",
    [
        (ValueError("size is 3"), 2, "size is 3\n"),
        (DataError("mnist is not here"), 2, "mnist is not here\n"),
        (OSError(28, "No space left on device", "x.json"), 2, "No space left on device: x.json\n"),
        (NonFiniteLoss("loss became nan"), 1, "loss became nan\n"),
    ],
)
@pytest.mark.parametrize("command", [["train", "judge"], ["certify", "ae"], ["bench"]])
def test_what_goes_wrong_in_a_training_is_a_sentence(
    capsys, monkeypatch, command, error, status, sentence
):
    def fail(*_, **__):
        raise error

    for name in ("make_judge", "certificates.certify", "bench.bench"):
        monkeypatch.setattr(f"genimg_course.reference.{name}", fail)
    assert main(command) == status
    assert capsys.readouterr() == ("", sentence)


@pytest.mark.parametrize(
    "rank, told", [("0", "another process of this run has ended\n"), ("1", "")]
)
def test_a_lost_process_costs_one_sentence_of_the_first(capsys, monkeypatch, rank, told):
    def lose(*_, **__):
        raise RuntimeError("[pair.cc:561] Connection closed by peer [127.0.0.1]:30902. GLHF!")

    monkeypatch.setattr("genimg_course.reference.training.train", lose)
    monkeypatch.setenv("LOCAL_RANK", rank)
    assert main(["train", "ae"]) == 2
    assert capsys.readouterr() == ("", told)


@pytest.mark.parametrize(
    "devices, content, processes",
    [(3, '{"devices": 2}', 3), (None, '{"devices": 2}', 2), (None, "{}", 1), (None, "", 1)],
)
def test_a_resumed_run_has_the_processes_it_began_with(tmp_path, devices, content, processes):
    (tmp_path / "settings.json").write_text(content)
    options = SimpleNamespace(devices=devices, resume=tmp_path)
    assert training.processes(options) == processes
    assert training.processes(SimpleNamespace(devices=None, resume=None)) == 1


def test_a_package_that_is_missing_is_named(course, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "papermill", None)
    assert main(["run", "01"]) == 2
    assert (
        capsys.readouterr().err
        == "papermill is not installed: run 'make setup', which installs it\n"
    )


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    def broken(options):
        raise ModuleNotFoundError("no", name="genimg_course.nothing")

    monkeypatch.setattr(lessons, "_lab", broken)
    with pytest.raises(ModuleNotFoundError):
        main(["lab"])


def test_the_installed_command_is_this_one():
    command = Path(sys.executable).with_name("genimg.exe" if os.name == "nt" else "genimg")
    if not command.exists():
        pytest.skip("the package is not installed in this environment")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"genimg_course {genimg_course.__version__}\n"
