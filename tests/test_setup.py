"""Set-up: three lists that agree, an environment made once, one sentence where it cannot be."""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from genimg_course import environment
from genimg_course.environment import SetUpError, ensure, explain, is_current

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = canonicalize_name(PROJECT["name"])
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)
# torch and the torchvision that was built for it
PAIRS = {"2.11": "0.26", "2.14": "0.29", "2.15": "0.29"}
REAL_MAKE = shutil.which("make")


# --- the three lists


def requirements():
    """Return what the package and each of its extras ask for, without the package itself."""
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for extra in extras.values() for line in extra)]
    asked = [Requirement(line) for line in lines]
    return [r for r in asked if canonicalize_name(r.name) != OURS]


def closure(name, extras):
    """Return the installed distributions that a requirement brings along on this machine."""
    found, todo = set(), [(name, frozenset(extras))]
    while todo:
        name, extras = item = todo.pop()
        if item in found:
            continue
        found.add(item)
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for requirement in map(Requirement, lines):
            if requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in (*extras, "")
            ):
                todo.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return {name for name, _ in found} - {OURS}


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_has_a_pin_that_satisfies_it(requirement):
    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_extras_name_only_extras_that_exist():
    extras = PROJECT["optional-dependencies"]
    for line in (line for extra in extras.values() for line in extra):
        requirement = Requirement(line)
        if canonicalize_name(requirement.name) == OURS:
            assert requirement.extras <= extras.keys()


def test_pins_are_plain_versions_in_order():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==\d[0-9a-z.]*", line) for line in pins)
    names = [line.split("==")[0] for line in pins]
    assert names == sorted(set(names))


def test_what_is_installed_is_what_is_pinned():
    names = closure(OURS, ["dev"])
    assert "torch" in names and "jupyterlab" in names
    wrong = {}
    for name in names:
        try:
            installed = Version(importlib.metadata.version(name)).public
        except importlib.metadata.PackageNotFoundError:
            continue
        if installed != PINS.get(name):
            wrong[name] = (installed, PINS.get(name))
    assert wrong == {}


def test_torch_and_torchvision_are_a_pair_that_works():
    torch_minor, vision_minor = (
        ".".join(PINS[name].split(".")[:2]) for name in ("torch", "torchvision")
    )
    assert PAIRS[torch_minor] == vision_minor
    import torch
    from torchvision.ops import nms

    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
    assert nms(boxes, torch.tensor([0.5, 0.9, 0.7]), 0.5).tolist() == [1, 2]


def test_conda_environment_is_the_same_one():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    (python,) = (line for line in listed if str(line).startswith("python="))
    assert Version(python.removeprefix("python=")) in SpecifierSet(PROJECT["requires-python"])
    assert {"pip", "make"} <= {line for line in listed if isinstance(line, str)}
    (with_pip,) = (line["pip"] for line in listed if isinstance(line, dict))
    assert with_pip == ["--constraint constraints.txt", "--editable .[dev]"]


def test_makefile_and_package_ask_for_the_same_pythons():
    allowed = [
        f"3.{minor}"
        for minor in range(20)
        if Version(f"3.{minor}") in SpecifierSet(PROJECT["requires-python"])
    ]
    line = "\t" + "|".join(allowed) + ") chosen=$$python"
    assert line in (ROOT / "Makefile").read_text(encoding="utf-8")


# --- the environment


PIP = """#!/bin/sh
# stands for the environment's Python: "pip install" is noted down and ends as the test says
here=`dirname "$0"`
if [ "$3" = --version ]; then exit 0; fi
echo "$*" >> "$here/calls"
cat "$here/says"
exit `cat "$here/status"`
"""


@pytest.fixture
def project(tmp_path):
    """Return a folder with a project's two lists."""
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[project]\n")
    (folder / "constraints.txt").write_text("torch==1\n")
    return folder


@pytest.fixture
def venv(tmp_path):
    """Return a virtual environment whose pip only notes what it was asked."""
    folder = tmp_path / "an environment"
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("version = {}.{}.0\n".format(*sys.version_info))
    script(folder / "bin" / "python", PIP)
    pip_will(folder, "", 0)
    return folder


def script(path, text):
    """Write an executable file."""
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def pip_will(venv, says, status):
    """Tell the stand-in what to print and how to end."""
    (venv / "bin" / "says").write_text(says)
    (venv / "bin" / "status").write_text(str(status))


def calls(venv):
    """Return what pip was asked to install, call by call."""
    path = venv / "bin" / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    return [
        re.search(r"--editable \.\[(\w+)\] --constraint constraints\.txt$", x)[1] for x in lines
    ]


def test_set_up_happens_once(project, venv, capsys):
    ensure(venv, "dev", project=project)
    assert calls(venv) == ["dev"]
    first, last = capsys.readouterr().out.splitlines()
    assert re.match(
        rf"Setting up {re.escape(str(venv))}: up to 3\.3 GB to download, .*setup\.log", first
    )
    assert "is ready after" in last
    ensure(venv, "dev", project=project)
    assert calls(venv) == ["dev"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "asked, installed",
    [
        (["lab", "lab"], ["lab"]),
        (["lab", "dev", "lab"], ["lab", "dev"]),
        (["dev", "lab"], ["dev"]),
    ],
)
def test_a_small_environment_grows_and_never_shrinks(project, venv, asked, installed):
    for extra in asked:
        ensure(venv, extra, project=project)
    assert calls(venv) == installed


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_list_is_installed_again_with_all_that_was_there(project, venv, name):
    ensure(venv, "dev", project=project)
    (project / name).write_text("changed")
    assert not is_current(venv, "lab", project=project)
    ensure(venv, "lab", project=project)
    assert calls(venv) == ["dev", "dev"]


def test_a_moved_project_is_installed_again(project, venv):
    ensure(venv, "lab", project=project)
    moved = project.rename(project.with_name("moved"))
    ensure(venv, "lab", project=moved)
    assert calls(venv) == ["lab", "lab"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"key": 3}'])
def test_a_damaged_stamp_is_no_stamp(project, venv, text):
    ensure(venv, "lab", project=project)
    (venv / "genimg-setup.json").write_text(text)
    ensure(venv, "lab", project=project)
    assert calls(venv) == ["lab", "lab"]


@pytest.mark.parametrize(
    "says, sentence",
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left",
            "disk is full",
        ),
        ("error: command 'gcc' failed: No such file or directory", "no C compiler"),
        ("error: command '/usr/bin/x86_64-linux-gnu-gcc' failed with exit code 1", "no C compiler"),
        ("error: Microsoft Visual C++ 14.0 or greater is required.", "no C compiler"),
        ("error: Unable to find vcvarsall.bat", "no C compiler"),
        ("sh: 1: cc: not found", "no C compiler"),
        ("SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "certificate"),
        ("NewConnectionError: Failed: [Errno -3] Temporary failure in name resolution", "network"),
        ("Max retries exceeded with url: /simple/torch/", "network"),
        (
            "WARNING: Read timed out.\nerror: command 'gcc' failed: No such file",
            "no C compiler",
        ),
        ("ERROR: No matching distribution found for torch==9", "No set of packages fits"),
        ("ERROR: one\nERROR: Package 'x' requires a different Python", "pip failed: Package 'x'"),
        ("", "pip failed without saying why"),
    ],
)
def test_a_failed_set_up_is_one_message_with_the_log_and_is_tried_again(
    project, venv, says, sentence
):
    pip_will(venv, says, 1)
    with pytest.raises(SetUpError) as caught:
        ensure(venv, "lab", project=project)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(str(venv / "setup.log"))
    assert "\n" not in str(caught.value)
    assert (venv / "setup.log").read_text() == says
    pip_will(venv, "", 0)
    ensure(venv, "lab", project=project)
    assert calls(venv) == ["lab", "lab"]


def test_a_folder_that_is_no_environment_is_left_alone(project, tmp_path):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("two years of work")
    with pytest.raises(SetUpError, match="is there and is no virtual environment"):
        ensure(folder, "lab", project=project)
    assert (folder / "chapter.txt").read_text() == "two years of work"


def test_an_environment_of_another_python_is_named(project, venv):
    ensure(venv, "lab", project=project)
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.9.2\n")
    with pytest.raises(SetUpError, match=r"was made with Python 3\.9 and this is Python 3\.1"):
        ensure(venv, "lab", project=project)


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_that_cannot_make_environments_is_named(project, tmp_path, monkeypatch, module):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        environment.importlib.util, "find_spec", lambda name: None if name == module else find(name)
    )
    with pytest.raises(
        SetUpError, match=rf"lacks the module {module}.*sudo apt install python3\.1"
    ):
        ensure(tmp_path / "new", "lab", project=project)
    assert not (tmp_path / "new").exists()


@pytest.mark.timeout(120)
def test_without_a_network_a_real_set_up_says_so(tmp_path):
    """Real venv, real pip, an index that nobody serves."""
    folder = tmp_path / "with a space"
    (folder / "genimg_course").mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt", "genimg_course/environment.py"):
        shutil.copy(ROOT / name, folder / name)
    offline = {
        **{name: text for name, text in os.environ.items() if not name.startswith("PIP_")},
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "1",
        "PIP_TIMEOUT": "1",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "genimg_course/environment.py",
            "--venv",
            "my venv",
            "--extra",
            "lab",
        ],
        cwd=folder,
        env=offline,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The package index could not be reached")
    assert done.stderr.count("\n") == 1
    assert "my venv/setup.log" in done.stderr
    assert (folder / "my venv" / "bin" / "python").exists()
    assert not (folder / "my venv" / "genimg-setup.json").exists()


def test_every_reason_is_one_line():
    for sentence in environment._REASONS.values():
        assert sentence.endswith(".") and "\n" not in sentence
    assert explain("nothing of the kind") == "pip failed without saying why."


# --- make


def make(*arguments, path=None, cwd=ROOT):
    """Run make, with nothing in PATH but one folder if that is given."""
    if REAL_MAKE is None:
        pytest.skip("make is not installed")
    # what a surrounding "make test" passes on is not ours
    outer = re.compile("PYTHON|VENV|ARGS|M(AKE)?(FLAGS|LEVEL|OVERRIDES|FILES)")
    variables = {name: text for name, text in os.environ.items() if not outer.fullmatch(name)}
    if path is not None:
        variables["PATH"] = str(path)
    return subprocess.run(
        [REAL_MAKE, *arguments], cwd=cwd, env=variables, capture_output=True, text=True, check=False
    )


@pytest.fixture
def tools(tmp_path):
    """Return an empty folder for stand-ins."""
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


def stand_in(path, version, log=None):
    """Write a Python that tells its version and notes in a log what else it is asked."""
    rest = f'printf "%s|" "$@" >> "{log}"; echo >> "{log}"' if log else "exit 1"
    script(path, f'#!/bin/sh\nif [ "$1" = -c ]; then echo {version}; else {rest}; fi\n')


def test_make_alone_lists_the_commands():
    done = make()
    assert done.returncode == 0
    assert all(f"make {name} " in done.stdout for name in ("lab", "test", "book", "setup"))


@pytest.mark.parametrize("target", ["help", "lab", "test", "book", "setup"])
def test_makefile_can_be_read(target):
    done = make("-n", target)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "target, extra, command",
    [
        ("lab", "lab", "-m|genimg_course.cli|lab|--no-browser|"),
        ("test", "dev", "-m|pytest|--no-browser|"),
        ("book", "dev", "book/build.py|--no-browser|"),
        ("setup", "dev", None),
    ],
)
def test_make_sets_up_then_hands_over_its_arguments(tools, tmp_path, target, extra, command):
    venv = tmp_path / "an environment"
    (venv / "bin").mkdir(parents=True)
    stand_in(venv / "bin" / "python", "3.12", log=tmp_path / "log")
    done = make(target, f"VENV={venv}", "ARGS=--no-browser", path=tools)
    assert (done.returncode, done.stderr) == (0, "")
    set_up = f"-I|genimg_course/environment.py|--venv|{venv}|--extra|{extra}|"
    expected = [set_up, command] if command else [set_up]
    assert (tmp_path / "log").read_text().splitlines() == expected


def test_make_takes_the_first_python_that_runs_and_is_new_enough(tools, tmp_path):
    script(tools / "python3.13", "#!/bin/sh\necho 'no such version is installed' >&2; exit 127\n")
    stand_in(tools / "python3.12", "3.12", log=tmp_path / "log")
    stand_in(tools / "python3", "3.10")
    assert make("setup", f"VENV={tmp_path}/new", path=tools).returncode == 0
    assert (tmp_path / "log").read_text().startswith("-I|genimg_course/environment.py|")


def test_a_python_that_is_named_comes_first(tools, tmp_path):
    stand_in(tools / "python3.12", "3.12")
    own = tmp_path / "my python"
    stand_in(own, "3.11", log=tmp_path / "log")
    assert make("setup", f"PYTHON={own}", path=tools).returncode == 0
    assert (tmp_path / "log").exists()


@pytest.mark.parametrize(
    "versions, options, found",
    [
        ({}, [], "no Python runs here"),
        ({"python3": "3.9", "python": "2.7"}, [], "python3 is 3.9; python is 2.7"),
        ({"python3": "3.14"}, [], "python3 is 3.14"),
        ({"python3": "3.12"}, ["PYTHON=/nowhere/python"], "/nowhere/python does not run"),
        ({"python3": "3.12", "old": "3.8"}, ["PYTHON=old"], "old is 3.8"),
    ],
)
def test_without_a_usable_python_one_sentence_says_what_to_do(
    tools, tmp_path, versions, options, found
):
    for name, version in versions.items():
        stand_in(tools / name, version)
    done = make("lab", f"VENV={tmp_path}/new", *options, path=tools)
    assert done.returncode != 0
    sentence, *rest = done.stderr.splitlines()
    assert sentence == (
        f"Python 3.11, 3.12 or 3.13 is needed and none was found: {found}; install one from "
        "https://www.python.org/downloads or name yours with PYTHON=/path/to/python."
    )
    assert all(line.startswith("make: ***") for line in rest)
    assert done.stdout == ""


def test_make_works_in_a_folder_with_spaces(tools, tmp_path):
    folder = tmp_path / "my course"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    stand_in(tools / "python3", "3.13", log=tmp_path / "log")
    assert make("setup", path=tools, cwd=folder).returncode == 0
    assert (tmp_path / "log").read_text().endswith("--venv|.venv|--extra|dev|\n")


# --- the build server


@pytest.fixture
def server(tools, tmp_path):
    """Return a function that runs .ci/run among stand-ins, and says what it called."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    for name in ("bash", "dirname"):
        (tools / name).symlink_to(shutil.which(name))

    def noted(name, status=0):
        script(tools / name, f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/log"\nexit {status}\n')

    def go(*, user=0, installed=False, apt=0, tests=0):
        script(tools / "id", f"#!/bin/sh\necho {user}\n")
        noted("apt-get", apt)
        script(
            tools / "make",
            f'#!/bin/sh\necho "make $*" >> "{tmp_path}/log"\n[ "$1" = setup ] || exit {tests}\n',
        )
        for program in ("chromium", "bwrap") if installed else ():
            noted(program)
        done = subprocess.run(
            [bash, ROOT / ".ci" / "run"],
            cwd=tmp_path,
            env={"PATH": str(tools)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done, (tmp_path / "log").read_text().splitlines()

    return go


def test_build_server_installs_what_tests_need_then_runs_what_everybody_runs(server):
    done, log = server()
    assert (done.returncode, done.stderr) == (0, "")
    assert log == [
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends chromium bubblewrap",
        "make setup",
        "make test",
    ]
    assert re.search(r"set-up took \d+ s\ntests took \d+ s", done.stdout)


@pytest.mark.parametrize("case", [{"installed": True}, {"user": 1000}])
def test_build_server_leaves_the_system_alone_where_it_can_or_must(server, case):
    done, log = server(**case)
    assert (done.returncode, log) == (0, ["make setup", "make test"])


def test_build_server_goes_on_without_them(server):
    done, log = server(apt=100)
    assert done.returncode == 0
    assert "the tests that need it will be skipped" in done.stdout
    assert log[-1] == "make test"


def test_build_server_fails_when_the_tests_fail(server):
    done, _ = server(tests=2)
    assert done.returncode == 2


def test_build_server_script_can_be_executed():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


# --- licences


def test_code_and_texts_have_their_licences():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("MIT License\n\nCopyright (c) 2026 the genimg_course authors\n")
    assert "https://creativecommons.org/licenses/by/4.0/" in text
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"


def test_stamp_is_readable_by_people(project, venv):
    ensure(venv, "lab", project=project)
    assert json.loads((venv / "genimg-setup.json").read_text())["extra"] == "lab"
