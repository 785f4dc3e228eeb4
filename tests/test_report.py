import json
import math

import pytest

from genimg_course.report import Goal, Missed, report


@pytest.fixture(autouse=True)
def _no_file(monkeypatch):
    monkeypatch.delenv("GENIMG_REPORT", raising=False)


@pytest.mark.parametrize(
    ("goal", "kept"),
    [
        (Goal(3.0, at_most=3.0), True),
        (Goal(3.1, at_most=3.0), False),
        (Goal(3.0, at_least=3.0), True),
        (Goal(2.9, at_least=3.0), False),
        (Goal(2.0, at_least=1.0, at_most=3.0), True),
        (Goal(0.9, at_least=1.0, at_most=3.0), False),
        (Goal(3.1, at_least=1.0, at_most=3.0), False),
        (Goal(5.0), True),
        (Goal(math.nan), False),
        (Goal(math.nan, at_most=3.0), False),
    ],
)
def test_a_goal_is_kept_inside_its_bounds_and_never_by_nan(goal, kept):
    assert goal.kept is kept


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        (Goal(12.3456, at_most=20, unit="nats"), "12.35 nats (goal: at most 20)"),
        (Goal(0.5, at_least=0.25, at_most=0.75), "0.5 (goal: at least 0.25 and at most 0.75)"),
        (Goal(1.0), "1 (no bound)"),
    ],
)
def test_a_goal_reads_like_a_sentence(goal, text):
    assert str(goal) == text


def test_reached_goals_are_printed_one_a_line(capsys):
    report(negative_elbo=Goal(12.0, at_most=20, unit="nats"), accuracy=Goal(0.9, at_least=0.8))
    assert capsys.readouterr().out.splitlines() == [
        "reached  negative elbo: 12 nats (goal: at most 20)",
        "reached  accuracy: 0.9 (goal: at least 0.8)",
    ]


def test_a_missed_goal_is_an_error_after_everything_is_printed_and_written(
    capsys, monkeypatch, tmp_path
):
    path = tmp_path / "numbers.json"
    monkeypatch.setenv("GENIMG_REPORT", str(path))
    with pytest.raises(Missed) as error:
        report(first_loss=Goal(30.0, at_most=20), accuracy=Goal(0.9, at_least=0.8, unit="x"))
    assert str(error.value) == "first loss is 30 (goal: at most 20)"
    assert isinstance(error.value, AssertionError)
    out = capsys.readouterr().out
    assert "MISSED   first loss: 30" in out and "reached  accuracy: 0.9" in out
    assert json.loads(path.read_text()) == {
        "first_loss": {"value": 30.0, "at_most": 20, "at_least": None, "unit": ""},
        "accuracy": {"value": 0.9, "at_most": None, "at_least": 0.8, "unit": "x"},
    }


def test_without_a_place_to_write_nothing_is_written(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    report(loss=Goal(1.0))
    assert list(tmp_path.iterdir()) == []
