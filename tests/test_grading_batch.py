"""A class: the same records in whatever order and however often it is graded."""

import csv
import json
import os
import signal
import threading
import time
from dataclasses import replace

import pytest
from grading_material.runs import contents, grade_paper, paper, paper_class, records_of, rejected
from grading_material.submissions import ROOT, Inside

from genimg_course.cli import main
from genimg_course.grading import batch, workers
from genimg_course.grading.batch import GradingError
from genimg_course.grading.intake import Intake, Rejected
from genimg_course.grading.isolation.worker import NoIsolation
from genimg_course.grading.points import late_rules

KL = "vae.gaussian_kl"


def counting(log):
    """Return a judge that writes down whom it judges."""

    def judge(submission, *args, **options):
        log.append(submission.student)
        return records_of(submission, *args, **options)

    return judge


def test_records_are_sorted_lines_and_the_reports_are_written(tmp_path):
    done = grade_paper(tmp_path, paper_class(3), no_files=[rejected()])
    lines = (tmp_path / "records.jsonl").read_text().splitlines()
    assert lines == [record.to_json() for record in done.records]
    keys = [(r.student, r.lesson, r.exercise) for r in done.records]
    assert keys == sorted(keys)
    assert (done.judged, done.kept, done.rejected, done.signal) == (3, 0, 1, None)
    for name in ("grades.csv", "summary.html", "feedback/student00.html", "feedback/zoe.html"):
        assert (tmp_path / name).is_file()


def test_order_and_jobs_change_no_byte(tmp_path):
    submissions = paper_class(7)
    found = []
    for number, jobs in enumerate((1, 1, 3)):
        out = tmp_path / str(number)
        grade_paper(out, submissions[number:] + submissions[:number], jobs=jobs)
        found.append(contents(out))
    assert found[0] == found[1] == found[2]


def test_what_was_judged_is_not_judged_again(tmp_path):
    log = []
    grade_paper(tmp_path, paper_class(3), judge=counting(log))
    before = contents(tmp_path)
    done = grade_paper(tmp_path, paper_class(3), judge=counting(log))
    assert len(log) == 3
    assert (done.judged, done.kept) == (0, 3)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("change", [{"seed": 8}, {"tier": "landlock"}, {"course": "b"}])
def test_another_seed_tier_or_course_judges_again(tmp_path, change):
    log = []
    grade_paper(tmp_path, paper_class(3), judge=counting(log))
    grade_paper(tmp_path, paper_class(3), judge=counting(log), **change)
    assert len(log) == 6


def test_what_the_grader_failed_at_is_judged_again(tmp_path):
    def failing(*args, **options):
        first, *others = records_of(*args, **options)
        return [replace(first, flags=("grader",)), *others]

    grade_paper(tmp_path, paper_class(2), judge=failing)
    assert grade_paper(tmp_path, paper_class(2)).judged == 2
    assert grade_paper(tmp_path, paper_class(2)).judged == 0


def test_a_submission_without_all_its_records_is_judged_again(tmp_path):
    grade_paper(tmp_path, paper_class(2), judge=lambda *a, **o: records_of(*a, **o)[1:])
    assert grade_paper(tmp_path, paper_class(2)).judged == 2


def test_what_ends_after_the_signal_is_dropped(tmp_path):
    def judge(*args, **options):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        del options["going_on"]  # it does not look whether it should stop
        return records_of(*args, **options)

    done = grade_paper(tmp_path, paper_class(3), judge=judge)
    assert (done.judged, done.records, done.signal) == (0, (), signal.SIGINT)
    assert "the same command goes on" in str(done)
    assert not (tmp_path / "judged.jsonl").read_bytes()


def test_another_class_is_added_and_another_version_replaces(tmp_path):
    grade_paper(tmp_path, [paper("ada"), paper("bob")])
    done = grade_paper(tmp_path, [paper("bob", text="better"), paper("eve")])
    assert (done.judged, done.kept) == (2, 0)
    assert {r.student for r in done.records} == {"ada", "bob", "eve"}
    new = paper("bob", text="better").sha256
    assert {r.submission for r in done.records if r.student == "bob"} == {new}


def test_what_the_intake_remarks_now_is_in_the_records(tmp_path):
    grade_paper(tmp_path, [paper("ada")])
    done = grade_paper(tmp_path, [paper("ada", flags=("same_name",))], judge=flagged)
    assert {record.flags for record in done.records} == {("same_name",)}


def flagged(submission, *args, **options):
    records = records_of(submission, *args, **options)
    return [replace(record, flags=submission.flags) for record in records]


def test_a_file_beside_the_notebook_that_is_refused_has_a_record(tmp_path):
    refused = Rejected("ada/samples.png", "artefact", "It is a link.", "ada", "06")
    done = grade_paper(tmp_path, [replace(paper("ada"), refused=(refused,))])
    found = [record for record in done.records if not record.exercise]
    assert [(r.student, r.status) for r in found] == [("ada", "rejected:artefact")]
    assert found[0].message == "ada/samples.png: It is a link."
    assert (done.judged, done.rejected) == (1, 1)


def test_the_seed_is_drawn_once_and_kept(tmp_path):
    first = grade_paper(tmp_path, paper_class(1), seed=None)
    again = grade_paper(tmp_path, paper_class(1), seed=None)
    other = grade_paper(tmp_path / "other", paper_class(1), seed=None)
    assert first.seed == again.seed != other.seed
    assert again.kept == 1
    assert {record.seed for record in first.records} == {first.seed}


def test_the_seed_is_kept_before_anything_is_judged(tmp_path):
    seeds = {grade_paper(tmp_path, [], seed=None).seed for _ in range(3)}
    assert len(seeds) == 1


def test_points_change_without_judging_again(tmp_path):
    grade_paper(tmp_path, paper_class(4))
    done = grade_paper(tmp_path, paper_class(4), points={KL: 2.5})
    assert done.judged == 0
    for record in done.records:
        worth = 2.5 if record.exercise == KL else 1.0
        assert record.possible == worth
        assert record.points == (worth if record.status == "correct" else 0)
    assert {r.possible for r in grade_paper(tmp_path, paper_class(4)).records} == {1.0}


def test_late_work_counts_less_in_the_tables_only(tmp_path):
    late = late_rules("1970-01-01T01:00Z 24:0.5")
    submissions = [paper("ada", submitted=3600.0), paper("bob", submitted=3601.0), paper("eve")]
    told = []
    done = grade_paper(tmp_path, submissions, late=late, tell=told.append)
    points = {r.student: r.points for r in done.records if r.status == "correct"}
    assert set(points.values()) == {1.0}
    rows = (tmp_path / "totals.csv").read_text(encoding="utf-8-sig").splitlines()
    factors = {row.split(",")[0]: float(row.split(",")[5]) for row in rows[1:]}
    assert factors == {"ada": 1.0, "bob": 0.5, "eve": 1.0}
    assert len(told) == 1 and "no time of submission is known" in told[0] and "eve 06" in told[0]


def test_canvas_gets_its_numbers_of_students_of_this_run_and_of_earlier_ones(tmp_path):
    grade_paper(tmp_path, [replace(paper("ada"), canvas_id="11"), paper("bob")])
    grade_paper(tmp_path, [replace(paper("bob"), canvas_id="12"), paper("eve")])
    rows = csv.DictReader((tmp_path / "canvas.csv").read_text(encoding="utf-8").splitlines())
    ids = {row["SIS Login ID"]: row["ID"] for row in rows}
    assert ids == {"": "", "ada": "11", "bob": "12", "eve": ""}


def test_distinct_answers_are_counted_over_the_runs(tmp_path):
    for text in ("a", "b", "b", "a"):
        grade_paper(tmp_path, [paper("ada", text=text)])
    lines = map(json.loads, (tmp_path / "attempts.jsonl").read_text().splitlines())
    assert {len(line["answers"]) for line in lines} == {2}


def test_every_submission_has_a_sandbox_of_its_own(tmp_path):
    opened, log = [], []

    class Box(Inside):
        def __enter__(self):
            opened.append(self)
            return self

        def __exit__(self, *_):
            log.append(self)

    grade_paper(tmp_path, paper_class(5), boxes=Box, jobs=2)
    assert len(opened) == len(set(opened)) == 5
    assert set(log) == set(opened)


def test_jobs_work_side_by_side(tmp_path):
    both = threading.Barrier(2, timeout=10)

    def judge(*args, **options):
        both.wait()
        return records_of(*args, **options)

    assert grade_paper(tmp_path, paper_class(4), judge=judge, jobs=2).judged == 4
    with pytest.raises(ValueError, match="at least 1, got 0"):
        grade_paper(tmp_path, paper_class(1), jobs=0)


def without_isolation(times):
    """Return a judge whose sandbox does not start so many times."""
    left = [times]

    def judge(*args, **options):
        left[0] -= 1
        if left[0] >= 0:
            raise NoIsolation("no memory")
        return records_of(*args, **options)

    return judge


def test_a_sandbox_that_does_not_start_once_is_started_again(tmp_path):
    assert grade_paper(tmp_path, paper_class(2), judge=without_isolation(1)).judged == 2


def test_a_submission_without_which_sandboxes_start_is_left_out_and_told(tmp_path):
    told = []
    done = grade_paper(tmp_path, paper_class(3), judge=without_isolation(2), tell=told.append)
    assert done.judged == 3
    faults = {r.student for r in done.records if "grader" in r.flags}
    assert faults == {"student00"}
    assert len(told) == 1 and "student00" in told[0] and "no memory" in told[0]
    assert grade_paper(tmp_path, paper_class(3)).judged == 1


def test_sandboxes_that_start_no_more_end_the_run_with_what_is_done(tmp_path):
    left = [3]

    class Box(Inside):
        def worker(self):
            raise NoIsolation("no memory")

    def judge(*args, **options):
        left[0] -= 1
        if left[0] < 0:
            raise NoIsolation("no memory")
        return records_of(*args, **options)

    with pytest.raises(GradingError, match="sandboxes do not start any more: no memory"):
        grade_paper(tmp_path, paper_class(5), boxes=Box, judge=judge)
    lines = (tmp_path / "records.jsonl").read_text().splitlines()
    assert len({json.loads(line)["student"] for line in lines}) == 3
    assert grade_paper(tmp_path, paper_class(5)).kept == 3


def command(*words):
    """Run the command with a class of paper."""
    intake = Intake((paper("ada"), paper("bob")), (rejected(),))
    fakes = {
        "gather": lambda sources, **_: intake,
        "choose_tier": lambda wanted, *, trust: Inside.tier,
        "_boxes": lambda *_: Inside,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, fake in fakes.items():
            patch.setattr(batch, name, fake)
        patch.setattr(workers, "grade_submission", records_of)
        patch.chdir(ROOT)
        return main(["grade", *map(str, words)])


def test_the_command_prints_a_short_table(tmp_path, capsys):
    assert command("class", "--out", tmp_path, "--seed", 7) == 0
    said = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert said["students"] == "2"
    assert said["tier"] == "none" and said["seed"] == "7"
    assert said["judged"] == "now      2 submissions, 0 were judged before"
    assert said["files"] == "rejected  1"
    assert said["summary"] == str(tmp_path / "summary.html")


def test_the_command_takes_points_late_rules_and_hints(tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("exercise,points\nvae.step,4\n")
    out = tmp_path / "out"
    late = ("--late", "2026-11-30T23:59Z 24:0.5", "--hints", 2, "--jobs", 2)
    assert command("class", "--out", out, "--points", points, *late) == 0
    records = map(json.loads, (out / "records.jsonl").read_text().splitlines())
    assert {r["possible"] for r in records if r["exercise"] == "vae.step"} == {4.0}


@pytest.mark.parametrize(
    "words, says",
    [
        (["--late", "soon"], "a time is written as"),
        (["--points", "none.csv"], "none.csv cannot be read"),
        (["--jobs", 0], "at least 1, got 0"),
    ],
)
def test_a_mistake_of_the_reader_is_one_sentence(tmp_path, capsys, words, says):
    assert command("class", "--out", tmp_path / "out", *words) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_class_that_is_not_there_is_one_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(batch, "choose_tier", lambda *_, **__: Inside.tier)
    monkeypatch.chdir(ROOT)
    assert main(["grade", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "none does not exist" in capsys.readouterr().err
    assert main(["grade", str(tmp_path), "--lesson", "99", "--out", str(tmp_path / "out")]) == 2
    assert "there is no lesson 99" in capsys.readouterr().err
