"""The bounds of the lessons rest on tables of measured numbers."""

import ast
import json
import statistics
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLES = sorted((ROOT / "tests" / "calibration").glob("*.json"))
PROMISED = {
    ("06", "negative_elbo"): ("at_most", 55.0),
    ("13", "conditional_accuracy"): ("at_least", 0.95),
    ("13", "frechet_distance"): ("at_most", 3.0),
}


def table(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def goals(lesson: str) -> dict[str, tuple[str, str]]:
    """Return the reported numbers of a lesson: name -> side of the bound, entry of goals."""
    found = {}
    for node in ast.walk(_tree(lesson)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "report":
            for goal in node.keywords:
                for side in goal.value.keywords:
                    if side.arg in ("at_most", "at_least"):
                        found[goal.arg] = (side.arg, side.value.attr)
    return found


def bounds(lesson: str, profile: str, dataset: str = "type") -> dict[str, Any]:
    """Return the bounds that a source gives to a profile, and to a data set where they differ."""
    for node in ast.walk(_tree(lesson)):
        name = getattr(node.targets[0], "id", "") if isinstance(node, ast.Assign) else ""
        if name in ("goals", f"{dataset}_goals") and isinstance(node.value, ast.Call):
            chosen = next(k.value for k in node.value.keywords if k.arg == profile)
            return {k.arg: ast.literal_eval(k.value) for k in chosen.keywords}
    raise AssertionError(f"lesson {lesson} has no goals")


def _tree(lesson: str) -> ast.Module:
    (path,) = (ROOT / "solutions").glob(f"{lesson}_*.py")
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_bound_is_the_mean_and_six_standard_deviations(path):
    content = table(path)
    parameters = content["parameters"]
    numbers = bounds(content["lesson"], parameters["PROFILE"], parameters.get("DATASET", "type"))
    for name, (side, entry) in goals(content["lesson"]).items():
        if numbers[entry] is None:
            continue
        values = [run["numbers"][name] for run in content["runs"]]
        spread = 6 * statistics.stdev(values) * (1 if side == "at_most" else -1)
        measured = statistics.mean(values) + spread
        slack = numbers[entry] - measured if side == "at_most" else measured - numbers[entry]
        assert -1e-9 <= slack <= 0.1 * abs(measured) + 0.005, (name, measured, numbers[entry])


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_holds_enough_seeds_and_sums_them_up_rightly(path):
    content = table(path)
    seeds = [run["seed"] for run in content["runs"]]
    enough = (
        {"smoke": 30, "cpu": 8}[content["parameters"]["PROFILE"]]
        if "DATASET" not in content["parameters"]
        else 5
    )
    assert len(seeds) == len(set(seeds)) >= enough
    for name, row in content["summary"].items():
        values = [run["numbers"][name] for run in content["runs"]]
        assert row["mean"] == pytest.approx(statistics.mean(values), abs=1e-5)
        assert row["sd"] == pytest.approx(statistics.stdev(values), abs=1e-5)


@pytest.mark.parametrize(("lesson", "name"), PROMISED)
def test_the_cpu_bounds_are_at_least_as_strict_as_the_curriculum(lesson, name):
    side, promised = PROMISED[lesson, name]
    assert goals(lesson)[name][0] == side
    declared = bounds(lesson, "cpu")[goals(lesson)[name][1]]
    assert declared <= promised if side == "at_most" else declared >= promised


def test_handwriting_is_drawn_as_asked_within_two_minutes_of_one_thread():
    runs = table(ROOT / "tests" / "calibration" / "13_cpu_mnist.json")["runs"]
    assert len(runs) >= 5
    for run in runs:
        assert run["numbers"]["conditional_accuracy"] >= 0.98
        assert run["numbers"]["share_of_the_rarest_class"] >= 0.05
        assert run["numbers"]["training_time"] <= 120
