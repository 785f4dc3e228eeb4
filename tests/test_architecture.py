"""The shape of the package: who may import whom, what an import costs, what a text may say."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "genimg_course"

LEAVES = {"_checks", "files", "folders", "landmarks", "profiles", "report", "source"}
PROOFS = "maths.proofs"  # beside the mathematics, and about the losses too
MAY_IMPORT: dict[str, set[str]] = {
    "maths": set(),
    PROOFS: {"maths", "losses"},
    "losses": {"maths"},
    "models": {"maths"},
    "metrics": {"maths", "models"},
    "training": {"maths", "losses"},
    "data": {"maths"},
    "viz": set(),
    # runs beside answers that nobody trusts, and knows none of the right ones
    "probing": set(),
    "exercises": {"maths", "losses", "models", "training", "probing"},
    # whole programs that fail: they need what a lesson needs, except figures and exercises
    "clinic": {"maths", "losses", "models", "training", "data"},
    "museum": {"maths", "losses", "models", "training", "data", "metrics"},
}
# these stand on top: they may import everything, and nothing below may import them
TOP = {
    *("__init__", "authoring", "cli", "commands", "doctor", "environment", "grading", "launch"),
    *("reference", "runner"),
}
# one module each, with the reason
EXCEPTIONS = {
    ("training.progress", "viz.live"): "a notebook shows a panel instead of a bar, imported then",
    ("training.checkpoints", "models.weights"): "the same files and the same refusals",
    ("training.judge", "models.classifier"): "the one network that the course trains for itself",
}


def part(module: str) -> str:
    """Return the part of the package that a module belongs to: ``maths`` of ``maths.frechet``."""
    return PROOFS if f"{module}.".startswith(f"{PROOFS}.") else module.split(".")[0]


def imports(path: Path, root: Path) -> list[tuple[int, str]]:
    """List the modules of the package that a file imports, wherever in it, with their lines."""
    here = path.relative_to(root / PACKAGE).with_suffix("").parts
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [PACKAGE, *here[: len(here) - node.level]] if node.level else []
            name = ".".join([*base, *filter(None, [node.module])])
            found += [(node.lineno, f"{name}.{alias.name}") for alias in node.names]
    inside = [
        (line, name.split(".", 1)[1]) for line, name in found if name.startswith(f"{PACKAGE}.")
    ]
    return [(line, _module(root, name)) for line, name in inside]


def _module(root: Path, name: str) -> str:
    """Cut what is no module off the end of a dotted name."""
    names = name.split(".")
    while len(names) > 1 and not _exists(root, names):
        names.pop()
    return ".".join(names)


def _exists(root: Path, names: list[str]) -> bool:
    path = root.joinpath(PACKAGE, *names)
    return path.is_dir() or path.with_suffix(".py").is_file()


def may_import(own: str, other: str) -> bool:
    """Tell whether one part may import another."""
    if own in TOP or own == other:
        return True
    return own in MAY_IMPORT and other in LEAVES | MAY_IMPORT[own]


def violations(root: Path) -> list[str]:
    """List the imports of a package that run against the architecture."""
    found = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        module = ".".join(path.relative_to(root / PACKAGE).with_suffix("").parts)
        own = part(module)
        if own not in TOP | LEAVES | MAY_IMPORT.keys():
            found.append(f"{module}: say in MAY_IMPORT what '{own}' may import")
            continue
        for line, other in imports(path, root):
            if not may_import(own, part(other)) and (module, other) not in EXCEPTIONS:
                found.append(f"{path.relative_to(root)}:{line}: {own} must not import {other}")
    return found


def modules() -> list[Path]:
    """List the modules of the package."""
    return sorted((ROOT / PACKAGE).rglob("*.py"))


def python(code: str) -> str:
    """Run code in a fresh interpreter at the root of the course and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_imports_run_one_way():
    assert violations(ROOT) == []


def test_no_exception_has_outlived_its_reason():
    used = {
        (".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts), other)
        for path in modules()
        for _, other in imports(path, ROOT)
    }
    assert EXCEPTIONS.keys() - used == set()


@pytest.mark.parametrize(
    "file, line",
    [
        ("maths/new.py", "from genimg_course.losses import negative_elbo"),
        ("maths/new.py", "from genimg_course import models"),
        ("maths/new.py", "import genimg_course.training.loop"),
        ("maths/new.py", "from ..models import vae"),
        ("maths/deep/new.py", "from ...losses import negative_elbo"),
        ("losses.py", "def f():\n    from genimg_course.models import VAE"),
        ("data/new.py", "from genimg_course.viz import image_grid"),
        ("viz/new.py", "from genimg_course.data import load"),
        ("profiles.py", "from genimg_course._checks import check_batch"),
        ("models/new.py", "from genimg_course.cli import main"),
        ("training/new.py", "from genimg_course.models import VAE"),
        ("maths/new.py", "from genimg_course.maths.proofs import proof"),
        ("metrics/new.py", "from genimg_course.training import fit"),
        ("probing/new.py", "from genimg_course.maths import gaussian_kl"),
        ("probing/new.py", "from genimg_course.exercises.registry import specification"),
        ("maths/new.py", "from genimg_course.probing.values import plain"),
        ("novelty.py", "x = 1"),
    ],
)
def test_an_import_against_the_direction_is_caught(tmp_path, file, line):
    parts = ("models", "training", "viz", "data", "metrics", "probing", "exercises")
    for name in ("maths/proofs", "maths/deep", *parts):
        (tmp_path / PACKAGE / name).mkdir(parents=True, exist_ok=True)
    for name in ("losses.py", "cli.py", "_checks.py", "training/loop.py"):
        (tmp_path / PACKAGE / name).write_text("")
    assert violations(tmp_path) == []
    (tmp_path / PACKAGE / file).write_text(line + "\n")
    assert len(violations(tmp_path)) == 1


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_offers_and_offers_it(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a module begins with what it is"
    lists = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert len(lists) == 1, "write one __all__ after the imports"
    offered = ast.literal_eval(lists[0])
    bound = {
        name
        for node in tree.body
        for name in (
            [node.name]
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            else [a.asname or a.name for a in node.names]
            if isinstance(node, ast.Import | ast.ImportFrom)
            else [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        )
    }
    lazily = any(isinstance(n, ast.FunctionDef) and n.name == "__getattr__" for n in tree.body)
    assert lazily or set(offered) <= bound
    assert len(offered) == len(set(offered))


def test_importing_the_package_imports_nothing_heavy():
    heavy = {"torch", "torchvision", "matplotlib", "IPython", "ipywidgets", "jupytext", "papermill"}
    loaded = json.loads(
        python("import genimg_course, json, sys; print(json.dumps(list(sys.modules)))")
    )
    assert heavy & set(loaded) == set()


def test_importing_what_a_lesson_computes_with_is_cheap_and_draws_nothing(tmp_path):
    parts = ("maths", "losses", "models", "training", "data", "metrics", "exercises", "report")
    # time on the processor, because the machine may be busy; twice, because the checkout may hold
    # no compiled files and take none
    code = (
        "import json, safetensors, sys, time, torch, tqdm\n"
        f"sys.pycache_prefix = {str(tmp_path)!r}\n"
        "start = time.process_time()\n"
        + "".join(f"import genimg_course.{name}\n" for name in parts)
        + "print(json.dumps([time.process_time() - start, list(sys.modules)]))"
    )
    python(code)
    seconds, loaded = json.loads(python(code))
    drawing = {
        "torchvision",
        "matplotlib",
        "ipywidgets",
        "IPython",
        "jupytext",
        "papermill",
        "lightning",
    }
    assert drawing & set(loaded) == set()
    assert seconds < 0.3


def test_importing_every_module_leaves_torch_and_matplotlib_as_they_were():
    names = [
        ".".join((PACKAGE, *path.relative_to(ROOT / PACKAGE).with_suffix("").parts))
        for path in modules()
        if path.stem != "__init__"
    ]
    state = (
        "(torch.get_rng_state().sum().item(), torch.get_default_dtype(), torch.get_num_threads(),"
        " torch.is_grad_enabled(), plt.get_fignums(), dict(plt.rcParams), random.getstate(),"
        " dict(os.environ), os.getcwd())"
    )
    code = (
        "import importlib, os, random, torch, matplotlib.pyplot as plt\n"
        f"before = {state}\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"assert {state} == before, 'an import has an effect'"
    )
    assert python(code) == ""


TEXTS = {
    ".py",
    ".md",
    ".ipynb",
    ".toml",
    ".txt",
    ".yml",
    ".yaml",
    ".json",
    ".js",
    ".css",
    ".html",
    ".bib",
}
# put together here, so that this file does not hold them
FORBIDDEN = {
    "a machine's path": r"(?<![\w.}])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+)/",
    "a note to oneself": r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b",
    "a merge left open": r"^(?:<{7}|>{7}) ",
}


def texts() -> list[Path]:
    """List the files that a reader gets: what git would carry, or all where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        skip = {".git", ".venv", "_build", "runs", "node_modules", "vendor"}
        paths = [p for p in ROOT.rglob("*") if not skip & set(p.relative_to(ROOT).parts)]
    named = {"Makefile", "LICENSE", "run"}
    return [p for p in paths if (p.suffix in TEXTS or p.name in named) and p.is_file()]


def test_texts_name_no_machine_and_leave_nothing_open():
    found = []
    for path in texts():
        text = path.read_text(encoding="utf-8")
        for what, pattern in FORBIDDEN.items():
            for hit in re.finditer(pattern, text, flags=re.MULTILINE):
                line = text.count("\n", 0, hit.start()) + 1
                found.append(f"{path.relative_to(ROOT)}:{line}: {what}: {hit[0]}")
    assert found == []


@pytest.mark.parametrize(
    "text", ["see /wo" + "rk/x", "'/ro" + "ot/.cache'", "# TO" + "DO: later", "<<<<<<< HEAD"]
)
def test_a_forbidden_text_is_found(text):
    assert any(re.search(pattern, text, flags=re.MULTILINE) for pattern in FORBIDDEN.values())
