"""F23 to F26: what goes wrong around the grader costs no grade and no student another's."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from grading_material import runs
from grading_material.runs import contents, grade_paper, paper, paper_class
from grading_material.submissions import ROOT, write_class
from scripts import told

from genimg_course.cli import main
from genimg_course.grading import batch, workers
from genimg_course.grading.batch import GradingError
from genimg_course.grading.isolation.tiers import NoIsolation, find_tiers
from genimg_course.grading.points import late_rules

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Pacific/Apia", ":nonsense", None])
def test_f23_neither_the_zone_nor_a_jumping_clock_changes_a_byte(tmp_path, monkeypatch, zone):
    late = late_rules("2040-03-25T02:30+01:00 24:0.5")  # after 2038, in a night that has no 2:30
    due = datetime(2040, 3, 25, 1, 30, tzinfo=UTC).timestamp()
    submissions = [
        paper("ada", submitted=due),
        paper("bob", submitted=due + 1),
        paper("eve", submitted=due + 24 * 3600 + 1),
    ]
    grade_paper(tmp_path / "plain", submissions, late=late)
    if zone is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", zone)
    time.tzset()
    ticks = iter(range(10**6, 0, -1))
    monkeypatch.setattr(time, "time", lambda: float(next(ticks)))
    grade_paper(tmp_path / "odd", submissions, late=late)
    monkeypatch.undo()
    time.tzset()
    assert contents(tmp_path / "odd") == contents(tmp_path / "plain")
    rows = (tmp_path / "odd" / "totals.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [row.split(",")[5] for row in rows[1:]] == ["1", "0.5", "0"]


@pytest.mark.parametrize(
    "name, damage",
    [
        ("judged.jsonl", lambda data: data[:-100]),
        ("judged.jsonl", lambda data: data[: len(data) // 2] + b"\0" * 512 + data[-200:]),
        ("judged.jsonl", lambda data: data.replace(b'"correct"', b'"wrong"', 1)),
        ("judged.jsonl", lambda data: b""),
        ("judged.jsonl", lambda data: bytes(range(256)) * 10),
        ("attempts.jsonl", lambda data: b"[1, 2]\n" + data),
        ("settings.json", lambda data: b"{"),
        ("records.jsonl", lambda data: b"\0" * 100),
        ("grades.csv", lambda data: b""),
    ],
)
def test_f24_a_damaged_gradebook_is_rebuilt_to_the_byte(tmp_path, name, damage):
    grade_paper(tmp_path, paper_class(5), seed=7)
    whole = contents(tmp_path)
    (tmp_path / name).write_bytes(damage(whole[name]))
    sentences = []
    grade_paper(tmp_path, paper_class(5), seed=None, tell=sentences.append)
    found = contents(tmp_path)
    backups = {key for key in found if ".damaged-" in key}
    assert {key: found[key] for key in found.keys() - backups} == whole
    for backup in backups:
        assert found[backup] == damage(whole[name])
        assert any(backup in sentence for sentence in sentences)
    if name in ("judged.jsonl", "attempts.jsonl", "settings.json") and damage(whole[name]):
        assert len(sentences) == 1 and str(tmp_path / name) in sentences[0]


@forks
def test_f24_two_graders_do_not_meet_in_one_folder(tmp_path):
    refusal, judged = told(runs, "locked", tmp_path)
    assert refusal == (
        f"another grader works in {tmp_path}: wait until it has ended, or choose another --out"
    )
    assert judged == 3  # the lock of a killed grader is free


@forks
def test_f24_no_kill_at_any_moment_leaves_a_trace(tmp_path):
    kills = told(runs, "killed", tmp_path)
    assert len(kills) >= 20
    assert kills[:19] == list(range(1, 20))


@forks
def test_f24_a_full_disk_is_one_sentence_and_costs_nothing(tmp_path):
    status, kept, same = told(runs, "full", tmp_path)
    assert status == 2
    assert 0 < kept < 6
    assert same


def test_f24_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "grades"):
        with pytest.raises(GradingError, match=f"cannot write to {out}"):
            grade_paper(out, paper_class(1))


def test_f24_a_read_only_folder_is_one_sentence(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("genimg_course.grading.folder.write_whole", refuse)
    with pytest.raises(GradingError, match="Read-only file system"):
        grade_paper(tmp_path, paper_class(1), seed=None)


def test_f25_without_isolation_nothing_runs_and_the_reader_is_told_why(
    tmp_path, monkeypatch, capsys
):
    def refuse(wanted, *, trust):
        raise NoIsolation("answers cannot be contained here: install bubblewrap")

    def never(*_, **__):
        raise AssertionError("an answer would have run")

    monkeypatch.setattr(batch, "choose_tier", refuse)
    monkeypatch.setattr(workers, "grade_submission", never)
    (tmp_path / "class").mkdir()
    out = tmp_path / "grades"
    assert main(["grade", str(tmp_path / "class"), "--out", str(out)]) == 2
    assert capsys.readouterr().err == "answers cannot be contained here: install bubblewrap\n"
    assert not out.exists()


@forks
def test_f26_a_signal_ends_the_run_in_time_with_what_is_done(tmp_path):
    found = told(runs, "stopped", tmp_path)
    for status, waited, kept, reports, same in found:
        assert status == 0  # 128 + the signal's number
        assert waited <= 5
        assert kept < 6
        assert reports
        assert same
    kept = [kept for _, _, kept, _, _ in found]
    assert kept[0] >= 2 and kept[1] >= 2  # what was done before the signal
    assert kept[2] == 0  # the answer that took for ever


def graded(folder, out):
    """Start the command on a class, in a process of its own."""
    scratch = out.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    words = ["-m", "genimg_course.cli", "grade", str(folder), "--out", str(out), "--seed", "3"]
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def folders(place):
    """Return what graders have made in their temporary folder."""
    return list((place / "scratch").glob("genimg-*"))


def family(pid):
    """Return the processes that a process has started, and those that these have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                parents[int(path.parent.name)] = int(fields[1])
    found, new = set(), {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found


def alive(pids):
    """Return those that still run."""
    return {pid for pid in pids if Path(f"/proc/{pid}").exists() and not _is_dead(pid)}


def _is_dead(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="this system has no /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_f26_a_real_run_that_is_ended_leaves_no_process_and_goes_on(tmp_path, number):
    if not any(tier.available for tier in find_tiers() if tier.name != "none"):
        pytest.skip("answers cannot be contained here")
    folder = write_class(tmp_path / "class", students=("ada", "eve"))
    run, ledger = graded(folder, tmp_path / "out"), tmp_path / "out" / "judged.jsonl"
    while run.poll() is None and not (ledger.exists() and ledger.stat().st_size):
        time.sleep(0.02)
    while run.poll() is None and not (children := family(run.pid)):
        time.sleep(0.02)
    start = time.monotonic()
    run.send_signal(number)
    run.communicate(timeout=30)
    assert time.monotonic() - start <= 5
    assert run.returncode == (-number if number == signal.SIGKILL else 128 + number)
    while alive(children) and time.monotonic() - start <= 10:
        time.sleep(0.1)
    assert alive(children) == set()
    if number == signal.SIGKILL:
        assert folders(tmp_path) != []
    again, undisturbed = graded(folder, tmp_path / "out"), graded(folder, tmp_path / "other")
    said = again.communicate()[0] + undisturbed.communicate()[0]
    assert (again.returncode, undisturbed.returncode) == (0, 0), said
    assert contents(tmp_path / "out") == contents(tmp_path / "other")
    assert folders(tmp_path) == []  # the next run has removed what this one left
