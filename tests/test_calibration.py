"""The bounds of the lessons rest on tables of measured numbers."""

import ast
import json
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted(path.name[:2] for path in (ROOT / "solutions").glob("[0-9][0-9]_*.py"))
TABLES = sorted((ROOT / "tests" / "calibration").glob("[0-9][0-9]_*.json"))
# what the curriculum asks for, or more; the bound of a lesson is at least as strict
PROMISED = {
    ("00", "hash_gap"): ("at_most", 0.0),
    ("01", "levels_changed"): ("at_most", 0.0),
    ("01", "law_at_chance_0_8"): ("at_most", 0.02),
    ("02", "accuracy_new_drawings"): ("at_least", 0.98),
    ("03", "moment_gap"): ("at_most", 1e-3),
    ("03", "autoregressive_gain"): ("at_least", 0.2),
    ("05", "subspace_angle"): ("at_most", 1e-3),
    ("05", "gain_over_pca"): ("at_least", 5.0),
    ("06", "negative_elbo"): ("at_most", 55.0),
    ("07", "miscounted_codes"): ("at_most", 0),
    ("07", "conditional_accuracy"): ("at_least", 0.95),
    ("09", "arrival"): ("at_most", 4500),
    ("09", "d_fake_error"): ("at_most", 0.01),
    ("09", "change_of_g"): ("at_most", 0.0),
    ("10", "eigenvalue_error"): ("at_most", 1e-6),
    ("10", "modes_in_turn"): ("at_least", 7),
    ("10", "modes_ten_to_one"): ("at_most", 2),
    ("11", "distance_error"): ("at_most", 0.05),
    ("11", "modes"): ("at_least", 8),
    ("12", "frechet_distance"): ("at_most", 35.0),
    ("12", "resume_gap"): ("at_most", 0.0),
    ("12", "gap_of_two_processes"): ("at_most", 1e-5),
    ("13", "conditional_accuracy"): ("at_least", 0.95),
    ("13", "frechet_distance"): ("at_most", 3.0),
}
# a bound that is not six deviations from the mean, with the reason; measured seeds keep it anyway
REASONED = {
    ("05", "wrong_law_ratio"): "a ratio that is far from one in every seed; 41 was the least",
    ("07", "gain_of_warm_up"): "the claim is that it gains at all; all seeds gained over 1.8 nats",
}


def table(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def limits(lesson: str, profile: str, dataset: str = "type") -> dict[str, dict[str, Any]]:
    """Return the bounds that a lesson's report states: name -> side -> value."""
    tree = _tree(lesson)
    goals = _goals(tree, profile, dataset)
    return {
        goal.arg or "": {
            side.arg: eval(ast.unparse(side.value), {"goals": goals})
            for side in goal.value.keywords  # type: ignore[attr-defined]
            if side.arg in ("at_most", "at_least")
        }
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "report"
        for goal in node.keywords
    }


def _goals(tree: ast.Module, profile: str, dataset: str) -> SimpleNamespace:
    """Return what ``goals`` holds in a profile, and with a data set where they differ."""
    for node in ast.walk(tree):
        name = getattr(node.targets[0], "id", "") if isinstance(node, ast.Assign) else ""
        if name in ("goals", f"{dataset}_goals") and isinstance(node.value, ast.Call):
            (chosen,) = (k.value for k in node.value.keywords if k.arg == profile)
            return SimpleNamespace(**eval(ast.unparse(chosen), {"dict": dict}))
    raise AssertionError("the lesson has no goals")


def _tree(lesson: str) -> ast.Module:
    (path,) = (ROOT / "solutions").glob(f"{lesson}_*.py")
    return ast.parse(path.read_text(encoding="utf-8"))


def bounded(path: Path) -> list[tuple[str, str, float, list[float]]]:
    """List the bounded numbers of a table: name, side, bound, values over the seeds."""
    content = table(path)
    parameters = content["parameters"]
    stated = limits(content["lesson"], parameters["PROFILE"], parameters.get("DATASET", "type"))
    return [
        (name, side, limit, [run["numbers"][name] for run in content["runs"]])
        for name, sides in stated.items()
        for side, limit in sides.items()
        if limit is not None
    ]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_measured_seed_keeps_every_bound(path):
    for name, side, limit, values in bounded(path):
        kept = max(values) <= limit if side == "at_most" else min(values) >= limit
        assert kept, (name, side, limit)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_bound_is_the_mean_and_six_standard_deviations(path):
    lesson = path.stem[:2]
    for name, side, limit, values in bounded(path):
        if (lesson, name) in REASONED or PROMISED.get((lesson, name)) == (side, limit):
            continue
        spread = 6 * statistics.stdev(values) * (1 if side == "at_most" else -1)
        measured = statistics.mean(values) + spread
        slack = limit - measured if side == "at_most" else measured - limit
        assert -1e-9 <= slack <= 0.1 * abs(measured) + 0.005, (name, side, measured, limit)


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
        assert row["mean"] == pytest.approx(statistics.mean(values), rel=1e-5, abs=1e-5)
        assert row["sd"] == pytest.approx(statistics.stdev(values), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_a_table_for_each_profile_with_bounds(lesson):
    tables = {path.stem for path in TABLES}
    assert f"{lesson}_cpu" in tables
    stated = [limit for sides in limits(lesson, "smoke").values() for limit in sides.values()]
    assert f"{lesson}_smoke" in tables or stated == [None] * len(stated)


@pytest.mark.parametrize(("lesson", "name"), PROMISED)
def test_the_cpu_bounds_are_at_least_as_strict_as_the_curriculum(lesson, name):
    side, promised = PROMISED[lesson, name]
    declared = limits(lesson, "cpu")[name][side]
    assert declared <= promised if side == "at_most" else declared >= promised


def test_handwriting_is_drawn_as_asked_within_two_minutes_of_one_thread():
    runs = table(ROOT / "tests" / "calibration" / "13_cpu_mnist.json")["runs"]
    assert len(runs) >= 5
    for run in runs:
        assert run["numbers"]["conditional_accuracy"] >= 0.98
        assert run["numbers"]["share_of_the_rarest_class"] >= 0.05
        assert run["numbers"]["training_time"] <= 120
