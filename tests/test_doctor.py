"""The doctor: each fault is planted, found, and named together with the command that mends it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from genimg_course import doctor
from genimg_course.cli import main
from genimg_course.doctor import Finding, course, examine, machine, packages, probe, table

ROOT = Path(__file__).resolve().parent.parent
HEALTHY = {
    "errors": {},
    "version": "2.14.1",
    "cuda_build": "13.0",
    "threads": 1,
    "cuda": False,
    "cuda_warning": "",
    "mps": False,
    "gpus": [],
    "pace": {"float32": 1e11, "bfloat16": 4e11},
}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Plant the metadata of a distribution in front of the installed ones."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def plant(name: str, version: str, *requires: str) -> None:
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        (folder / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")

    return plant


def about(findings: list[Finding], subject: str) -> Finding:
    """Return the one finding about a subject."""
    (found,) = (each for each in findings if each.subject == subject)
    return found


# --- as a whole


def test_this_environment_is_healthy_in_six_cpu_seconds_without_importing_torch_here():
    code = (
        "import sys; from genimg_course.cli import main; status = main(['doctor']);"
        "assert not {'torch', 'numpy'} & set(sys.modules); sys.exit(status)"
    )
    start = os.times()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    end = os.times()  # the clock on the wall would measure what else the machine does
    spent = end.children_user + end.children_system - start.children_user - start.children_system
    assert spent < 6
    assert done.stdout.endswith("\n\nThis machine is ready for the lessons.\n")
    done.stdout.encode("ascii")  # a console with another encoding shows it too


def test_json_holds_every_finding(capsys, monkeypatch):
    monkeypatch.setattr(machine, "ask_torch", lambda: HEALTHY)
    monkeypatch.setattr(doctor, "ask_torch", lambda: HEALTHY)
    status = main(["doctor", "--json"])
    content = json.loads(capsys.readouterr().out)
    assert content["healthy"] is (status == 0)
    subjects = [each["subject"] for each in content["findings"]]
    for subject in ("Python", "packages", "torch works", "device", "memory", "cache", "judges"):
        assert subjects.count(subject) == 1
    assert all(each["state"] in ("ok", "note", "wrong") for each in content["findings"])


def test_what_is_wrong_costs_status_one_and_a_note_does_not(capsys, monkeypatch):
    for state, status in (("wrong", 1), ("note", 0), ("ok", 0)):
        found = [Finding("fan", state, "it hums", "sudo oil fan")]
        monkeypatch.setattr(doctor, "examine", lambda found=found: found)
        assert main(["doctor"]) == status
        assert f"{state:<5}  fan  it hums\n            -> sudo oil fan\n" in capsys.readouterr().out


def test_a_notebook_shows_a_table_that_hides_no_character():
    page = table([Finding("a<b", "wrong", "x & y", "pip install 'z>=1'")])._repr_html_()
    assert "a&lt;b" in page
    assert "x &amp; y" in page
    assert "<code>pip install &#x27;z&gt;=1&#x27;</code>" in page
    assert "1 of 1 findings must be mended" in page


def test_examining_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("GENIMG_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "ask_torch", lambda: HEALTHY)
    before = dict(os.environ)
    assert all(isinstance(each, Finding) for each in examine())
    assert list(tmp_path.iterdir()) == []
    assert dict(os.environ) == before


# --- Python and packages


@pytest.mark.parametrize("version", [(3, 10, 4), (3, 14, 0), (4, 0, 0)])
def test_a_python_of_the_wrong_age_is_wrong(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    (found,) = packages.check_python()
    assert found.state == "wrong"
    assert "3.11, 3.12 or 3.13" in found.text
    assert "make setup" in found.mend


def test_a_python_without_an_environment_is_a_note(monkeypatch):
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    found = about(packages.check_python(), "environment")
    assert (found.state, found.mend) == ("note", "make setup")
    monkeypatch.setenv("CONDA_PREFIX", sys.prefix)
    assert about(packages.check_python(), "environment").text.startswith("conda environment")
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    assert about(packages.check_python(), "environment").text == "Colab, release-colab"


@pytest.mark.parametrize("version", ["1.13.1", "2.5.1", "2.10.0+cpu"])
def test_a_torch_that_is_too_old_costs_one_pip_line_with_its_pair(installed, version):
    installed("torch", version)
    found = about(packages.check_packages(), "torch")
    assert found.state == "wrong"
    assert found.text == f"{version} is installed: the course needs torch>=2.11"
    assert '-m pip install --upgrade "torch>=2.11" "torchvision>=0.26"' in found.mend
    assert found.mend.startswith(sys.executable)
    assert found.mend.endswith(f'--constraint "{ROOT / "constraints.txt"}"')


def test_a_torch_that_is_newer_is_not_refused(installed):
    installed("torch", "9.0.0")
    installed("torchvision", "9.9.0", "torch==9.0.0")
    findings = packages.check_packages()
    assert not [each for each in findings if each.state == "wrong"]
    assert "torch 9.0.0" in about(findings, "packages").text


def test_a_torchvision_for_another_torch_is_wrong(installed):
    installed("torch", "2.12.0+cpu")
    installed("torchvision", "0.29.0", "numpy", "torch==2.14.0", "gdown; extra == 'gdown'")
    found = about(packages.check_packages(), "torch pair")
    assert found.state == "wrong"
    assert "torchvision 0.29.0 was compiled for torch==2.14.0, here is 2.12.0+cpu" in found.text
    assert '"torch>=2.11" "torchvision>=0.26"' in found.mend


def test_a_local_build_of_the_right_torch_is_a_pair(installed):
    installed("torch", "2.14.0+cu130")
    installed("torchvision", "0.29.0", "torch==2.14.0")
    assert about(packages.check_packages(), "torch pair").state == "ok"


def test_numpy_1_is_wrong_and_says_why(installed):
    installed("numpy", "1.26.4")
    found = about(packages.check_packages(), "numpy")
    assert found.state == "wrong"
    assert "do not run with NumPy 1" in found.text
    assert '"numpy>=2.0"' in found.mend


def test_a_package_that_is_missing_is_wrong_and_an_extra_is_a_note(monkeypatch):
    there = packages._version
    gone = {"safetensors", "jupyterlab"}
    monkeypatch.setattr(packages, "_version", lambda name: None if name in gone else there(name))
    findings = packages.check_packages()
    assert about(findings, "safetensors").state == "wrong"
    assert about(findings, "safetensors").text.startswith("not installed: the course needs")
    assert about(findings, "extra lab").state == "note"
    assert "jupyterlab" in about(findings, "extra lab").mend
    assert "safetensors" not in about(findings, "packages").text


def test_without_a_checkout_the_installed_metadata_say_what_is_needed(
    installed, tmp_path, monkeypatch
):
    monkeypatch.setattr(packages, "_ROOT", tmp_path)
    installed("genimg_course", "0.1.0", "torch>=99", "jupyterlab>=4; extra == 'lab'")
    findings = packages.check_packages()
    assert about(findings, "torch").text.endswith("the course needs torch>=99")
    assert "constraint" not in about(findings, "torch").mend
    assert about(findings, "extra lab").state == "ok"


def test_what_is_installed_again_comes_from_where_it_came(installed, tmp_path, monkeypatch):
    assert packages.again() == "make setup"
    monkeypatch.setattr(packages, "_ROOT", tmp_path)
    (tmp_path / "genimg_course-0.1.0.dist-info").mkdir()
    (tmp_path / "genimg_course-0.1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: genimg_course\nVersion: 0.1.0\n"
        "Project-URL: Repository, https://example.org/course\n"
    )
    assert packages.again().endswith(
        '-m pip install --force-reinstall --no-deps "git+https://example.org/course"'
    )


def test_requirements_that_cannot_be_read_are_one_line(tmp_path, monkeypatch):
    def gone(name):
        raise packages.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(packages, "_ROOT", tmp_path)
    monkeypatch.setattr(packages.metadata, "requires", gone)
    (found,) = packages.check_packages()
    assert (found.subject, found.state) == ("packages", "wrong")


# --- torch


@pytest.mark.parametrize(
    "code, reason",
    [
        ("raise ImportError('libtorch.so: undefined symbol')", "undefined symbol"),
        ("raise OSError('libcudnn.so.9: cannot open')", "OSError: libcudnn.so.9"),
        ("import os; os.abort()", "Python ended with status -6"),
        ("import sys; sys.exit('bye')", "Python ended with status 1 (bye)"),
    ],
)
def test_a_broken_torch_is_a_line_and_no_traceback(tmp_path, monkeypatch, code, reason):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(code + "\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    facts = machine.ask_torch()
    (found,) = machine.check_torch(facts)
    assert found.state == "wrong"
    assert reason in found.text
    assert "\n" not in found.text
    assert '"torch>=2.11" "torchvision>=0.26"' in found.mend
    subjects = {each.subject for each in machine.check_machine(facts)}
    assert subjects == {"processor", "memory", "disk"}


def test_a_torch_that_never_answers_is_a_line(monkeypatch):
    monkeypatch.setattr(machine, "_PATIENCE", 0.01)
    (found,) = machine.check_torch(machine.ask_torch())
    assert "it took more than" in found.text


@pytest.mark.parametrize(
    "step, sentence, wanted",
    [
        ("bridge", "cannot hand tensors to NumPy: RuntimeError: Numpy", '"numpy>=2.0"'),
        ("vision", "torchvision does not fit this torch: RuntimeError: oper", '"torchvision>='),
    ],
)
def test_halves_that_do_not_fit_are_found_by_trying(monkeypatch, step, sentence, wanted):
    message = {"bridge": "Numpy is not available", "vision": "operator torchvision::nms\nis gone"}

    def fail(facts):
        raise RuntimeError(message[step])

    fail.__name__ = f"_{step}"
    monkeypatch.setattr(probe, f"_{step}", fail)
    monkeypatch.setattr(probe, "_pace", lambda facts: None)
    (found,) = machine.check_torch(probe.look())
    assert found.state == "wrong"
    assert sentence in found.text
    assert wanted in found.mend


def test_the_probe_finds_what_torch_says_of_itself():
    import torch

    facts = probe.look()
    assert facts["errors"] == {}
    assert facts["version"] == torch.__version__
    assert facts["cuda"] is torch.cuda.is_available()
    assert set(facts["pace"]) == {"float32", "bfloat16"}
    assert all(pace > 1e8 for pace in facts["pace"].values())


# --- devices


@pytest.fixture
def driver(monkeypatch):
    """Say which NVIDIA driver there is."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return lambda version: monkeypatch.setattr(machine, "_driver", lambda: version)


def device(**facts) -> Finding:
    """Return what is said of the device."""
    return about(machine.check_machine({**HEALTHY, **facts}), "device")


def test_a_gpu_is_named_with_memory_and_driver(driver):
    driver("580.95")
    gpu = {"name": "Model T", "memory": 16e9, "free": 15e9, "capability": "7.5"}
    found = device(cuda=True, gpus=[gpu])
    assert found.state == "ok"
    assert "Model T, 15.0 of 16.0 GB free, compute capability 7.5; driver 580.95" in found.text
    assert "profile gpu" in found.text


def test_a_machine_without_a_gpu_is_healthy_with_either_build(driver):
    driver("")
    assert device().text == "no GPU (no NVIDIA driver); the lessons take the profile cpu"
    assert "for processors only" in device(cuda_build=None).text
    assert device().state == device(cuda_build=None).state == "ok"
    assert device(mps=True).text.startswith("Apple GPU (MPS)")


@pytest.mark.parametrize("value", ["", "-1", " "])
def test_a_hidden_gpu_is_a_note(driver, monkeypatch, value):
    driver("580.95")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    found = device()
    assert (found.state, found.mend) == ("note", "unset CUDA_VISIBLE_DEVICES")


def test_a_gpu_that_torch_cannot_use_is_a_note_with_what_to_install(driver):
    driver("470.1")
    found = device(cuda_warning="CUDA initialization: the NVIDIA driver is too old")
    assert found.state == "note"
    assert "driver 470.1 cannot be used with CUDA 13.0 (CUDA init" in found.text
    assert "nvidia.com" in found.mend
    found = device(cuda_build=None)
    assert "--index-url https://download.pytorch.org/whl/cu" in found.mend


def test_hidden_devices_are_seen_by_the_probe_too(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    facts = machine.ask_torch()
    assert (facts["cuda"], facts["gpus"]) == (False, [])


def test_the_driver_is_what_nvidia_smi_says(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine._driver() == ""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 580.95\necho 580.95\n")
    tool.chmod(0o755)
    assert machine._driver() == "580.95"
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert machine._driver() == ""


@pytest.mark.parametrize("half, sentence", [(4e11, "bfloat16 pays"), (5e10, "float32 is the bet")])
def test_the_better_precision_is_measured(half, sentence):
    facts = {**HEALTHY, "pace": {"float32": 1e11, "bfloat16": half}}
    assert about(machine.check_machine(facts), "precision").text.startswith(sentence)


def test_threads_that_spin_or_crowd_are_notes(monkeypatch):
    monkeypatch.setattr(machine, "_cores", lambda: 2.0)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)

    def threads(count):
        return about(machine.check_machine({**HEALTHY, "threads": count}), "threads")

    assert threads(1).state == "ok"
    assert (threads(2).state, threads(2).mend) == ("note", "export OMP_WAIT_POLICY=PASSIVE")
    assert (threads(8).state, threads(8).mend) == ("note", "export OMP_NUM_THREADS=2")
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    assert threads(2).state == "ok"


@pytest.mark.parametrize(
    "total, free, state",
    [(16e9, 9e9, "ok"), (16e9, 1e9, "note"), (1e9, None, "note"), (None, None, "note")],
)
def test_little_memory_is_a_note(monkeypatch, total, free, state):
    monkeypatch.setattr(machine, "_memory_bytes", lambda: (total, free))
    assert about(machine.check_machine(HEALTHY), "memory").state == state


@pytest.mark.parametrize("free, state", [(5e10, "ok"), (5e8, "note"), (1e6, "wrong")])
def test_a_full_disk_is_wrong(monkeypatch, free, state):
    class Usage:
        pass

    Usage.free = free
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: Usage)
    assert about(machine.check_machine(HEALTHY), "disk").state == state


# --- folders


def folders() -> dict[str, Finding]:
    """Return what is said of both folders."""
    return {each.subject: each for each in course.check_folders()}


def test_folders_say_where_they_are_and_what_they_hold(tmp_path, monkeypatch):
    monkeypatch.setenv("GENIMG_CACHE_DIR", str(tmp_path / "a place"))
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path / "data"))
    assert folders()["cache"].text == f"{tmp_path / 'a place'}, made when it is needed"
    (tmp_path / "a place").mkdir()
    assert folders()["cache"].text.endswith(": empty")
    (tmp_path / "a place" / "x.npz").write_bytes(bytes(2_000_000))
    assert folders()["cache"].text.endswith(": 1 files, 2.0 MB")
    (tmp_path / "data" / "MNIST" / "raw").mkdir(parents=True)
    assert folders()["data sets"].text.endswith(": MNIST")
    assert {each.state for each in folders().values()} == {"ok"}


def test_without_a_home_the_lessons_run_and_keep_nothing(monkeypatch):
    for name in ("GENIMG_CACHE_DIR", "GENIMG_DATA_DIR", "XDG_CACHE_HOME", "HOME", "USERPROFILE"):
        monkeypatch.delenv(name, raising=False)
    found = folders()
    assert found["cache"].state == found["data sets"].state == "note"
    assert found["cache"].mend == "export GENIMG_CACHE_DIR=FOLDER"
    assert found["data sets"].mend == "export GENIMG_DATA_DIR=FOLDER"


def test_a_folder_that_is_read_only_is_a_note(tmp_path, monkeypatch):
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path))
    # not by its mode: an administrator may write everywhere
    monkeypatch.setattr(course.os, "access", lambda path, mode: False)
    found = folders()["data sets"]
    assert found.state == "note"
    assert "cannot be written to, which holds MNIST" in found.text


def test_a_named_folder_that_cannot_be_made_is_wrong(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path / "file" / "data"))
    assert folders()["data sets"].state == "wrong"
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path / "file"))
    assert folders()["data sets"].state == "wrong"


# --- notebooks


@pytest.mark.parametrize(
    "widgets, manager, state",
    [
        ("8.1.9", "3.0.17", "ok"),
        ("7.7.1", "1.1.11", "ok"),
        ("7.7.1", "3.0.17", "wrong"),
        ("8.1.9", "1.1.11", "wrong"),
    ],
)
def test_both_halves_of_the_sliders_must_fit(installed, monkeypatch, widgets, manager, state):
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    installed("ipywidgets", widgets)
    installed("jupyterlab-widgets", manager)
    installed("jupyterlab", "4.4.0")
    (found,) = course.check_widgets()
    assert found.state == state
    assert ("jupyterlab-widgets" in found.mend) is (state == "wrong")


def test_colab_brings_the_other_half_itself(installed, monkeypatch):
    installed("ipywidgets", "7.7.1")
    installed("jupyterlab-widgets", "3.0.17")
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    (found,) = course.check_widgets()
    assert (found.state, found.text) == ("ok", "ipywidgets 7.7.1, shown by Colab")


def kernel(folder: Path, command: str) -> None:
    """Plant a kernel python3."""
    (folder / "kernels" / "python3").mkdir(parents=True)
    content = {"argv": [command, "-m", "ipykernel_launcher"], "display_name": "Python 3"}
    (folder / "kernels" / "python3" / "kernel.json").write_text(
        json.dumps({**content, "language": "python"})
    )


def test_the_kernel_must_be_this_python(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    kernel(tmp_path, "/usr/bin/other/python")
    (found,) = course.check_kernel()
    assert found.state == "note"
    assert "runs /usr/bin/other/python, which is another Python" in found.text
    assert "ipykernel install --sys-prefix" in found.mend


@pytest.mark.parametrize("command", ["python", sys.executable, sys.executable + "3"])
def test_the_kernel_of_this_environment_is_right(tmp_path, monkeypatch, command):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    kernel(tmp_path, command)
    assert [each.state for each in course.check_kernel()] == ["ok"]


def test_without_jupyter_there_is_a_note(monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyter_client.kernelspec", None)
    assert [each.state for each in course.check_kernel()] == ["note"]


# --- networks


@pytest.fixture
def networks(tmp_path, monkeypatch):
    """Stand on a copy of the folders with the course's networks."""
    for name in ("metrics/judges", "checkpoints"):
        folder = tmp_path / "genimg_course" / name
        folder.mkdir(parents=True)
        for path in (ROOT / "genimg_course" / name).glob("*.*"):
            (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(course, "_PACKAGE", tmp_path / "genimg_course")
    return tmp_path / "genimg_course"


def test_networks_that_came_with_the_course_are_intact(networks):
    assert [each.state for each in course.check_networks()] == ["ok", "ok"]


@pytest.mark.parametrize("damage", ["flip", "delete", "no card"])
def test_an_altered_network_is_wrong_and_named(networks, damage):
    weights = networks / "metrics" / "judges" / "glyphs_16.safetensors"
    if damage == "flip":
        content = bytearray(weights.read_bytes())
        content[5000] ^= 1
        weights.write_bytes(content)
    elif damage == "delete":
        weights.unlink()
    else:
        weights.with_suffix(".json").write_text("[]")
    found = course.check_networks()[0]
    assert (found.state, found.text) == ("wrong", "not as their cards say: glyphs_16")
    assert found.mend in ("make setup", packages.again())
    (networks.parent / "pyproject.toml").write_text("")
    assert course.check_networks()[0].mend == "git checkout -- genimg_course/metrics/judges"


def test_networks_that_are_all_gone_are_wrong(networks):
    for path in (networks / "metrics" / "judges").iterdir():
        path.unlink()
    assert course.check_networks()[0].text == "there are none"
