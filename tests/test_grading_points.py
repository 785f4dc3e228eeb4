"""What exercises are worth, and what is left for being late."""

import json
from datetime import datetime

import pytest

from genimg_course.grading.points import late_rules, read_points

KNOWN = ["vae.step", "vae.gaussian_kl", "gan.step"]
DUE = "2026-11-30T23:59+01:00"


def hours_late(hours, due=DUE):
    return datetime.fromisoformat(due).timestamp() + 3600 * hours


def written(tmp_path, text, name="points.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "exercise,points\nvae.step,3\ngan.step,0.5\n",
        "\ufeffexercise;points\r\nvae.step;3\r\n\r\ngan.step;0.5\r\n",
        "points,note,exercise\n3,long,vae.step\n 0.5 ,, gan.step \n",
    ],
)
def test_a_table_of_points_is_read_as_spreadsheets_write_it(tmp_path, text):
    assert read_points(written(tmp_path, text), KNOWN) == {"vae.step": 3, "gan.step": 0.5}


def test_points_are_read_from_json(tmp_path):
    path = written(tmp_path, json.dumps({"vae.step": 3, "gan.step": 0.5}), "points.json")
    assert read_points(path, KNOWN) == {"vae.step": 3, "gan.step": 0.5}


def test_an_unknown_exercise_brings_the_nearest_names(tmp_path):
    with pytest.raises(ValueError, match=r"line 2: .*'vae.gausian_kl'; did you mean vae.gaussian"):
        read_points(written(tmp_path, "exercise,points\nvae.gausian_kl,3\n"), KNOWN)


@pytest.mark.parametrize(
    "text, says",
    [
        ("exercise,points\nvae.step,-1\n", "0 or more, got '-1'"),
        ("exercise,points\nvae.step,nan\n", "0 or more, got 'nan'"),
        ("exercise,points\nvae.step,inf\n", "0 or more, got 'inf'"),
        ("exercise,points\nvae.step,two\n", "got 'two'"),
        ("exercise,points\nvae.step,1\nvae.step,2\n", "line 3: vae.step stands there twice"),
        ("exercise,points\nvae.step\n", "line 2: 1 fields, 2 are expected"),
        ("exercise\nvae.step\n", "no column 'points'"),
        ("", "no column 'exercise'"),
    ],
)
def test_a_wrong_table_of_points_is_refused_with_the_place(tmp_path, text, says):
    with pytest.raises(ValueError, match=says):
        read_points(written(tmp_path, text), KNOWN)


@pytest.mark.parametrize(
    "text, says",
    [
        ('{"vae.step": 1, "vae.step": 2}', "stands there twice"),
        ('{"vae.step": true}', "got True"),
        ('{"vae.step": [1]}', "got"),
        ("[1]", "no JSON object"),
        ("[]", "no JSON object"),
        ("{", "is not JSON"),
    ],
)
def test_wrong_points_in_json_are_refused(tmp_path, text, says):
    with pytest.raises(ValueError, match=says):
        read_points(written(tmp_path, text, "points.json"), KNOWN)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none.csv cannot be read: No such file"):
        read_points(tmp_path / "none.csv", KNOWN)


@pytest.mark.parametrize(
    "hours, factor",
    [(-5, 1), (0, 1), (0.01, 0.8), (24, 0.8), (24.01, 0.5), (72, 0.5), (72.01, 0), (1e5, 0)],
)
def test_a_rule_in_one_line_takes_off_by_the_hours(hours, factor):
    for rule in (f"{DUE} 24:0.8 72:0.5", f"{DUE} 72:0.5 24:0.8"):
        assert late_rules(rule).factor("ada", "06", hours_late(hours)) == factor


def test_without_steps_nothing_counts_after_the_time():
    assert late_rules(DUE).factor("ada", "06", hours_late(0.1)) == 0


def test_the_time_means_the_same_in_every_zone():
    rule = late_rules("2026-11-30T22:59Z 24:0.5")
    assert rule.factor("ada", "06", hours_late(0)) == 1
    assert rule.factor("ada", "06", hours_late(0.1)) == 0.5


def test_an_unknown_time_is_no_factor():
    assert late_rules(DUE).factor("ada", "06", None) is None


def test_a_table_of_rules_goes_by_lesson_and_student(tmp_path):
    path = written(
        tmp_path,
        "lesson,student,due,submitted,24,72 h\n"
        f"6,,{DUE},,0.8,0.5\n"
        "06,ada,2026-12-02T23:59+01:00,,0.9,\n"
        f",bob,{DUE},2026-11-30T12:00+01:00,,\n",
        "late.csv",
    )
    rules = late_rules(str(path))
    assert rules.factor("eve", "06", hours_late(25)) == 0.5
    assert rules.factor("eve", "13", hours_late(25)) == 1  # no rule for that lesson
    assert rules.factor("ada", "06", hours_late(47)) == 1  # an extension
    assert rules.factor("ada", "06", hours_late(49)) == 0.9
    assert rules.factor("ada", "06", hours_late(48 + 25)) == 0
    assert rules.factor("bob", "06", hours_late(99)) == 1  # the time in the table
    assert rules.factor("bob", "13", None) == 1


@pytest.mark.parametrize(
    "text, says",
    [
        ("2026-11-30T23:59 24:0.8", "needs its offset from UTC"),
        ("tomorrow", "a time is written as"),
        ("", "a time is written as"),
        (f"{DUE} 24", "HOURS:FACTOR"),
        (f"{DUE} 24:1.5", "from 0 to 1"),
        (f"{DUE} -1:0.5", "HOURS:FACTOR"),
        ("none.csv", "cannot be read"),
    ],
)
def test_a_wrong_rule_is_refused(text, says):
    with pytest.raises(ValueError, match=says):
        late_rules(text)


@pytest.mark.parametrize(
    "text, says",
    [
        ("lesson,24\n06,0.5\n", "no column 'due'"),
        (f"due,soon\n{DUE},0.5\n", "hours at the head of a column"),
        (f"due,24\n{DUE},2\n", "line 2: factors"),
        (f"due,24\n{DUE},0.5\n{DUE},0.6\n", "line 3: a rule for the same"),
        (f"due,24,24\n{DUE},0.5,0.6\n", "two columns of one name"),
    ],
)
def test_a_wrong_table_of_rules_is_refused(tmp_path, text, says):
    with pytest.raises(ValueError, match=says):
        late_rules(str(written(tmp_path, text, "late.csv")))
