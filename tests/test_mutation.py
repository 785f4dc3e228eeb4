"""A slip in the mathematics or in the losses breaks a named proof."""

import json
import multiprocessing
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "mutation"
sys.path.insert(0, str(HERE))

from mutants import mutants  # noqa: E402
from run import ARGUED, PATHS, coverage, run, sample  # noqa: E402

from genimg_course.maths.proofs import all_proofs  # noqa: E402

REPORT = json.loads((HERE / "report.json").read_text(encoding="utf-8"))


def test_every_second_of_a_slip_is_one_of_the_kinds_that_we_know(tmp_path):
    path = tmp_path / "example.py"
    path.write_text(
        'def f(a, b=2):\n    """Text: 1 + 1."""\n    if a < 0:\n        raise ValueError(-a)\n'
        "    return -a.square().sum(dim=0) + b\n"
    )
    changes = {mutant.text for mutant in mutants(path)}
    assert changes == {
        "2 -> 3",
        "-a.square().sum(dim=0) + b -> -a.square().sum(dim=0) - b",
        "-a.square().sum(dim=0) + b -> -a.square().sum(dim=0)",
        "-a.square().sum(dim=0) -> a.square().sum(dim=0)",
        "a.square().sum(dim=0) -> a.square().mean(dim=0)",
        "a.square() -> a",
        "0 -> 1",
    }


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork"
)
@pytest.mark.timeout(600)
def test_a_slip_in_every_function_breaks_a_named_proof():
    chosen = sample()
    noticed = run(chosen, coverage(2), workers=2)
    assert [name for name, id in noticed.items() if not id] == []
    assert set(noticed.values()) <= {proof.id for proof in all_proofs()} | {
        "the module cannot be imported"
    }


def test_what_survives_is_argued_and_still_stands_in_the_source():
    names = {mutant.name for path in PATHS for mutant in mutants(path)}
    assert ARGUED.keys() - names == set()
    assert set(REPORT["survivors"]) == ARGUED.keys()
    assert all(len(reason) > 20 for reason in ARGUED.values())


def test_the_report_of_the_full_run_is_of_these_sources_and_good():
    assert REPORT["modules"].keys() == {path.stem for path in PATHS}
    for path in PATHS:
        assert REPORT["modules"][path.stem][1] == len(mutants(path)), path.stem
    assert REPORT["noticed"] >= 0.98 * REPORT["mutants"]
