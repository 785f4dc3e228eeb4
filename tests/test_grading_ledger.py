"""The memory of a folder of grades: nothing is lost, nothing damaged is believed."""

import random
from dataclasses import asdict, replace

import pytest

from genimg_course.grading.ledger import Entry, Ledger
from genimg_course.grading.record import Record


def record(student="ada", exercise="vae.step", answer="a", status="correct"):
    return Record(
        student=student,
        lesson="06",
        exercise=exercise,
        submission="sha",
        status=status,
        points=float(status == "correct"),
        possible=1.0,
        answer=answer,
        flags=("duplicate",),
    )


def entry(student="ada", **values):
    values = {"seed": 1, "tier": "none", "course": "c", "submitted": None, "name": "A"} | values
    return Entry(student, "06", "sha", flags=("late",), records=(record(student),), **values)


class Told(list):
    def __call__(self, sentence):
        self.append(sentence)


def reopened(folder):
    told = Told()
    return Ledger(folder, told), told


def test_an_entry_comes_back_as_it_was():
    one = entry("ada\u2028\udcff", submitted=1.5)
    assert Entry.from_json(one.to_json()) == one
    assert one.to_json().isascii() and "\n" not in one.to_json()


def test_an_entry_without_the_number_of_canvas_is_read(monkeypatch):
    values = asdict(entry())
    del values["canvas_id"]
    monkeypatch.setattr("genimg_course.grading.ledger.asdict", lambda _: values)
    assert Entry.from_json(entry().to_json()) == entry()


def test_what_was_added_is_on_the_disk(tmp_path):
    ledger, _ = reopened(tmp_path)
    ledger.add(entry("ada"))
    ledger.add(entry("bob"))
    ledger.add(entry("ada", seed=2))
    again, told = reopened(tmp_path)
    assert again.entries == {("ada", "06"): entry("ada", seed=2), ("bob", "06"): entry("bob")}
    assert told == []


def test_what_the_disk_refused_leaves_no_half_line(tmp_path, monkeypatch):
    ledger, _ = reopened(tmp_path)
    ledger.add(entry("ada"))

    def refuse(_):
        raise OSError("no room")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", refuse)
        with pytest.raises(OSError, match="no room"):
            ledger.add(entry("bob"))
    ledger.add(entry("eve"))
    again, told = reopened(tmp_path)
    assert list(again.entries) == list(ledger.entries) == [("ada", "06"), ("eve", "06")]
    assert told == []


@pytest.mark.parametrize("cut", [1, 7, 100, 300])
def test_a_line_that_was_cut_short_is_dropped_and_mended(tmp_path, cut):
    ledger, _ = reopened(tmp_path)
    ledger.add(entry("ada"))
    path = tmp_path / "judged.jsonl"
    whole = path.read_bytes()
    ledger.add(entry("bob"))
    path.write_bytes(path.read_bytes()[:-cut])
    again, told = reopened(tmp_path)
    assert list(again.entries) == [("ada", "06")]
    assert len(told) == 1 and "cut short" in told[0]
    assert path.read_bytes() == whole
    assert reopened(tmp_path)[1] == []


def test_no_flipped_bit_is_believed(tmp_path):
    ledger, _ = reopened(tmp_path)
    for student in ("ada", "bob", "eve"):
        ledger.add(entry(student))
    path = tmp_path / "judged.jsonl"
    whole = path.read_bytes()
    rng = random.Random(0)
    for _ in range(200):
        place, bit = rng.randrange(len(whole)), 1 << rng.randrange(8)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        damaged = path.read_bytes()
        again, told = reopened(tmp_path)
        for key, found in again.entries.items():
            assert found == entry(key[0])
        assert 1 <= len(again.entries) <= 2
        assert len(told) == 1
        for backup in tmp_path.glob("*.damaged-*"):
            assert backup.read_bytes() == damaged
            backup.unlink()


def test_every_damaged_file_is_kept_under_a_name_of_its_own(tmp_path):
    path = tmp_path / "judged.jsonl"
    for content in (b"\0" * 50 + b"\n", b"nonsense\n"):
        path.write_bytes(content)
        _, told = reopened(tmp_path)
        assert "is kept as judged.jsonl.damaged-" in told[0]
    assert (tmp_path / "judged.jsonl.damaged-1").read_bytes() == b"\0" * 50 + b"\n"
    assert (tmp_path / "judged.jsonl.damaged-2").read_bytes() == b"nonsense\n"
    assert path.read_bytes() == b""


def test_distinct_answers_are_counted_over_all_runs(tmp_path):
    for answer in ("a", "b", "a"):
        ledger, _ = reopened(tmp_path)
        ledger.add(replace(entry(), records=(record(answer=answer, status="wrong"),)))
        if answer == "b":
            ledger.replace(ledger.entries.values())
    again, _ = reopened(tmp_path)
    assert again.attempts == {("ada", "vae.step"): frozenset("ab")}


def test_what_was_not_written_is_no_attempt(tmp_path):
    ledger, _ = reopened(tmp_path)
    empty = record(status="not_attempted")
    ledger.add(replace(entry(), records=(empty, record(exercise="vae.elbo", answer=""))))
    assert ledger.attempts == {}


def test_the_files_do_not_depend_on_the_order_of_the_entries(tmp_path):
    contents = []
    for order in (("ada", "bob"), ("bob", "ada")):
        folder = tmp_path / order[0]
        folder.mkdir()
        ledger, _ = reopened(folder)
        for student in order:
            ledger.add(entry(student))
        ledger.replace(ledger.entries.values())
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]
    assert contents[0].keys() == {"judged.jsonl", "attempts.jsonl"}


def test_what_a_killed_writer_left_is_cleared_away(tmp_path):
    (tmp_path / "feedback").mkdir()
    for name in ("", "feedback/"):
        (tmp_path / f"{name}.{'0a' * 16}.partial").write_bytes(b"half")
    (tmp_path / "film.partial").write_bytes(b"not ours")
    reopened(tmp_path)
    assert {path.name for path in tmp_path.rglob("*")} == {"feedback", "film.partial"}
