"""Every lesson in an emulation of Colab; ``make test-colab`` runs this, ``make test`` does not.

It needs a second environment, which image.py beside this file makes. The lessons run as they are
committed: their set-up cell installs the course from git, here from a copy of the working tree.
"""

import json
import os
import time
from pathlib import Path

import pytest
from colab.emulation import ROOT, Colab, snapshot
from colab.image import PINS, make_image
from laboratory import EVERY_CELL, laboratory

# the same tests, and the fixture that opens a lesson, with an `address` of this file
from test_explorers import (  # noqa: F401
    lesson,
    test_every_control_changes_the_picture_and_its_description,
    test_every_explorer_stands_on_the_page,
    test_moving_the_controls_brings_no_error_and_asks_no_other_host,
    trimmed_lessons,
)

NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
# what set-up cells install; it is taken away again, so that an image stays what it was
ADDED = ("genimg_course", "lightning-fabric", "lightning-utilities")
# draws the widgets of ipywidgets 7 in a JupyterLab of today; newer ones draw those of 8 alone
WIDGETS = "jupyterlab-widgets==1.1.11"
FIRST_CELLS = 4  # set-up, parameters, imports, budget


@pytest.fixture(scope="session")
def image() -> Path:
    folder = Path(os.environ.get("COLAB_VENV") or ROOT / ".venv-colab").absolute()
    make_image(folder)
    return folder


@pytest.fixture(scope="session")
def colab(image, tmp_path_factory):
    """Return a session in which the course is not installed yet."""
    session = Colab(
        image,
        tmp_path_factory.mktemp("colab"),
        snapshot(tmp_path_factory.mktemp("github")),
    )
    session.python("-m", "pip", "uninstall", "--yes", "--quiet", *ADDED)
    yield session
    session.python("-m", "pip", "uninstall", "--yes", "--quiet", *ADDED)


@pytest.fixture(scope="session")
def installed(colab):
    """Run the set-up cell of the first lesson, which installs the course."""
    assert colab.python("-c", "import genimg_course").returncode == 1
    start = time.monotonic()
    colab.run(ROOT / "notebooks" / f"{NAMES[0]}.ipynb", cells=1)
    print(f"\nset-up cell: {time.monotonic() - start:.1f} s")
    return colab


def test_the_set_up_cell_installs_the_course_and_nothing_else(installed):
    code = (
        "import json, sys; from importlib.metadata import version; import genimg_course;"
        "print(json.dumps([genimg_course.__file__, sys.prefix, sys.version_info[:2],"
        " {name: version(name) for name in sys.argv[1:]}]))"
    )
    pins = dict(line.split("==") for line in PINS.read_text().split() if "==" in line)
    done = installed.python("-c", code, *pins)
    assert done.returncode == 0, done.stderr
    file, prefix, python, versions = json.loads(done.stdout)
    assert file.startswith(prefix)
    assert python in ([3, 11], [3, 12], [3, 13])
    assert {name: version.split("+")[0] for name, version in versions.items()} == pins


def test_the_installed_package_holds_every_file_of_the_tree(installed):
    code = "import genimg_course; print(genimg_course.__path__[0])"
    there = Path(installed.python("-c", code).stdout.strip())
    wanted = {
        str(path.relative_to(ROOT / "genimg_course"))
        for path in (ROOT / "genimg_course").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {str(p.relative_to(there)) for p in there.rglob("*") if "__pycache__" not in p.parts}
    assert wanted - held == set()


def test_the_doctor_finds_colab_healthy(installed):
    done = installed.python("-m", "genimg_course.cli", "doctor", "--json")
    found = json.loads(done.stdout)["findings"]
    assert [each for each in found if each["state"] == "wrong"] == []
    assert "shown by Colab" in next(e["text"] for e in found if e["subject"] == "widgets")


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_begins(installed, name):
    installed.run(ROOT / "notebooks" / f"{name}.ipynb", cells=FIRST_CELLS)


@pytest.mark.parametrize("name", NAMES)
def test_a_solved_lesson_runs_at_smoke(installed, name):
    start = time.monotonic()
    cells = installed.run(ROOT / "solutions" / f"{name}.ipynb", GENIMG_STRICT="1")
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    complaints = [
        output["text"]
        for output in outputs
        if output.get("name") == "stderr" and "warning" in output["text"].lower()
    ]
    assert complaints == []
    print(f"\n{name}: {time.monotonic() - start:.1f} s")


# --- explorers with ipywidgets 7, in JupyterLab, for Colab's own page cannot be had


@pytest.fixture(scope="module")
def address(installed, tmp_path_factory):
    """Serve the lessons that have explorers from the image's Python."""
    added = installed.home / "added"
    done = installed.python("-m", "pip", "install", "--no-deps", f"--target={added}", WIDGETS)
    assert done.returncode == 0, done.stderr
    course = trimmed_lessons(tmp_path_factory.mktemp("course"), kernel=installed.kernel())
    # these widgets ask for MathJax 2 where there is any; JupyterLab brings 3
    without = {"disabledExtensions": {"@jupyterlab/mathjax-extension": True}}
    (added / "labconfig").mkdir()
    (added / "labconfig" / "page_config.json").write_text(json.dumps(without))
    environment = installed.environment(JUPYTER_CONFIG_PATH=str(added))
    environment["JUPYTER_PATH"] += f"{os.pathsep}{added / 'share' / 'jupyter'}"
    with laboratory(course, settings=EVERY_CELL, environment=environment) as printed:
        yield printed
