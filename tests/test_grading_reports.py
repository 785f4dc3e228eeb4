"""Everything at once: the same bytes each time, each file whole, none outside the folder."""

import os
import random
from pathlib import Path

import pytest
from grading_material.sample import HOSTILE_NAMES, LATE, LESSONS, VAE, record, sample

from genimg_course.grading.reports.writing import file_name, write_reports

TABLES = {"grades.csv", "totals.csv", "canvas.csv", "moodle.csv", "nbgrader.csv", "summary.html"}


def contents(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def write(out: Path, records, **options) -> dict[str, bytes]:
    write_reports(out, records, lessons=LESSONS, names=HOSTILE_NAMES, late=LATE, **options)
    return contents(out)


def test_the_same_records_give_the_same_bytes_in_any_order(tmp_path):
    first = write(tmp_path / "a", sample())
    shuffled = sample()
    random.Random(1).shuffle(shuffled)
    assert write(tmp_path / "b", shuffled) == first
    assert write(tmp_path / "a", sample()) == first, "written again, over themselves"
    pages = {name for name in first if name.startswith("feedback/")}
    assert first.keys() - pages == TABLES and len(pages) == 12


def test_a_page_does_not_depend_on_the_rest_of_the_class(tmp_path):
    whole = write(tmp_path / "a", sample())
    alone = write(tmp_path / "b", [item for item in sample() if item.student == "s02"])
    assert alone["feedback/s02.html"] == whole["feedback/s02.html"]


def test_attempts_may_be_counted_or_listed(tmp_path):
    key = ("s02", "vae.gaussian_kl")
    counted = write(tmp_path / "a", sample(), hints=5, attempts={key: 3})
    listed = write(tmp_path / "b", sample(), hints=5, attempts={key: {"x", "y", "z"}})
    assert counted == listed
    assert b"def gaussian_kl" in counted["feedback/s02.html"]


HOSTILE = [
    *("../x", "/etc/passwd", "a/b", "a\\b", "..", ".", "", " ", "\x00", "a\x00b", "-rf", "CON"),
    *(
        "con",
        "aux.txt",
        "COM1",
        "nul.html",
        "a.",
        "a ",
        "x" * 300,
        "\u202egpj",
        "Ada",
        "ada",
        "ADA",
    ),
    *("zoë", "zoe\u0308", "😀", "\ud800", "a\nb", "a:b", "~", "$HOME", "*", "summary", "Ａda"),
]


def test_each_student_gets_one_plain_file_name_of_their_own():
    names = [file_name(student) for student in HOSTILE]
    assert len({name.casefold() for name in names}) == len(HOSTILE)
    for name in names:
        assert name.isascii() and name.isprintable() and len(name) < 100
        assert Path(name).name == name and not name.startswith((".", "-"))
        assert not set(name) & set('/\\:*?"<>|\x00 ')
        stem = name.partition(".")[0].partition("~")[0].lower()
        assert stem not in {"con", "aux", "nul", "com1"}
    assert file_name("ada") == "ada.html"
    assert file_name("ada@example.org") == "ada@example.org.html"


def test_a_student_cannot_take_the_file_name_of_another():
    mangled = file_name("../ada").removesuffix(".html")
    assert file_name(mangled) != file_name("../ada")


def test_nothing_is_written_outside_the_folder(tmp_path):
    out = tmp_path / "deep" / "out"
    written = write(out, [record(student, VAE[0]) for student in HOSTILE if student])
    assert contents(tmp_path).keys() == {f"deep/out/{name}" for name in written}
    assert len(written) == len(TABLES) + len(HOSTILE) - 1


def test_a_link_in_place_of_the_folder_is_refused_and_one_in_place_of_a_file_replaced(tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (elsewhere / "kept.csv").write_text("kept")
    (out / "grades.csv").symlink_to(elsewhere / "kept.csv")
    write(out, sample())
    assert (elsewhere / "kept.csv").read_text() == "kept"
    assert not (out / "grades.csv").is_symlink()
    other = tmp_path / "other"
    other.mkdir()
    (other / "feedback").symlink_to(elsewhere)
    with pytest.raises(OSError, match="leads out of"):
        write(other, sample())
    assert os.listdir(elsewhere) == ["kept.csv"]


def test_a_failure_leaves_the_old_file_whole_and_nothing_half_written(tmp_path, monkeypatch):
    first = write(tmp_path, sample())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path, sample()[:5])
    assert contents(tmp_path) == first
