"""Tables of grades: every row whole, nothing that a spreadsheet would compute."""

import csv
import io
import random
from dataclasses import replace

import pytest
from grading_material.sample import (
    FORGED,
    HOSTILE_NAMES,
    LATE,
    LESSONS,
    VAE,
    record,
    sample,
    whole_file,
)

from genimg_course.grading.reports.gradebook import (
    GRADES,
    TOTALS,
    Gradebook,
    grades_csv,
    number,
    safe_cell,
    table,
    totals_csv,
)

BOOK = Gradebook(sample(), LESSONS, HOSTILE_NAMES, LATE)


def read(content: bytes, *, delimiter: str = ",") -> list[list[str]]:
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def computes(cell: str) -> bool:
    """Say whether a spreadsheet may take a cell for a formula, generously."""
    return not cell.startswith("'") and cell.lstrip(" \"'")[:1] in tuple("=+-@＝＋－＠−\t\r\n")


def test_the_sample_holds_twelve_students_and_every_status():
    assert len(BOOK.students) == 12
    statuses = {item.status for item in sample()}
    plain = {"correct", "wrong", "error", "not_attempted", "timeout", "crashed"}
    killed = {f"killed:{reason}" for reason in ("memory", "cpu", "pids", "disk", "output")}
    assert plain | killed | {"rejected:json", "rejected:name"} == statuses


def test_every_record_is_one_row_of_as_many_cells_as_columns():
    header, *rows = read(grades_csv(BOOK))
    assert tuple(header) == GRADES
    assert len(rows) == len(sample())
    assert {len(row) for row in rows} == {len(GRADES)}


def test_a_name_with_a_line_break_forges_no_row():
    lines = grades_csv(BOOK).decode("utf-8-sig").splitlines()  # also at U+2028 and form feeds
    assert len(lines) == len(sample()) + 1
    mallory = [row for row in read(grades_csv(BOOK)) if row[0].startswith("mallory")]
    assert mallory == []
    assert sum(row[0] == " ".join(FORGED.split()) for row in read(grades_csv(BOOK))) == 4


@pytest.mark.parametrize("make", [grades_csv, totals_csv])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_no_cell_of_a_hostile_class_begins_a_formula(make, delimiter):
    assert [
        cell for row in read(make(BOOK), delimiter=delimiter) for cell in row if computes(cell)
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|'/C calc'!A0",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        '"=1"',
        "＝1",
        "−1",
        "a;=1",
        'a"; "=1',
        "\x00=1",
        "\ufeff=1",
    ],
)
def test_a_formula_is_neutralised_and_stays_legible(text):
    cell = safe_cell(text)
    assert not computes(cell)
    assert not any(computes(part) for part in cell.split(";"))
    assert cell.isprintable()
    assert "1" in cell or "cmd" in cell


@pytest.mark.parametrize(
    "text", ["Ada", "O'Neil", "a = b", "x - y", "Zoë", "李明", "", "a, -1", "-"]
)
def test_a_harmless_text_stays_as_it_is(text):
    assert safe_cell(text) == text


def test_numbers_stay_numbers():
    header, *rows = read(grades_csv(BOOK))
    for name in ("points", "possible", "seed"):
        assert all(float(row[header.index(name)]) >= 0 for row in rows)
    assert [number(value) for value in (2.0, 0.5, 1 / 3, 20261121, 4.800000001)] == [
        *("2", "0.5", "0.3333", "20261121", "4.8")
    ]


def test_a_table_for_people_begins_with_a_byte_order_mark():
    assert grades_csv(BOOK).startswith(b"\xef\xbb\xbfstudent,")
    assert table(["a"], [["é"]], bom=False) == "a\r\né\r\n".encode()


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="a row has 1 cells, the table has 2"):
        table(["a", "b"], [["x"]], bom=False)


def test_the_order_of_the_records_does_not_matter():
    records = sample()
    random.Random(0).shuffle(records)
    assert grades_csv(Gradebook(records, LESSONS, HOSTILE_NAMES, LATE)) == grades_csv(BOOK)


def test_exercises_stand_as_in_the_lesson():
    assert [r.exercise for r in BOOK.records if r.student == "s03"] == list(VAE)


def test_totals_add_what_counts_and_apply_the_late_factor():
    header, *rows = read(totals_csv(BOOK))
    assert tuple(header) == TOTALS
    by_key = {(row[0], row[2]): row[3:] for row in rows}
    assert by_key["s02", "05"] == ["1", "2", "1", "1", "1", "2", ""]
    assert by_key["s08", "06"] == ["6", "8", "0.8", "4.8", "3", "4", ""]


def test_of_two_files_the_better_answer_counts():
    worse = record("a", VAE[0], "wrong", submission="0" * 64)
    better = record("a", VAE[0], submission="1" * 64)
    for records in ([worse, better], [better, worse]):
        book = Gradebook(records, LESSONS)
        assert book.counted == (better,)
        assert (book.totals[0].points, book.totals[0].possible) == (2.0, 8.0)


def test_a_file_that_could_not_be_read_is_named_and_costs_no_graded_one():
    lost = whole_file("a", "rejected:size", "Too large.")
    assert Gradebook([lost], LESSONS).totals[0].rejected == "rejected:size"
    both = Gradebook([lost, record("a", VAE[0])], LESSONS).totals[0]
    assert (both.rejected, both.points) == ("", 2.0)


def test_a_lost_file_of_nobody_is_a_row_and_no_student():
    book = Gradebook([whole_file("", "rejected:archive", "Damaged."), record("a", VAE[0])], LESSONS)
    assert book.students == ("a",)
    assert [total.student for total in book.totals] == ["a"]
    assert [row[1] for row in read(grades_csv(book))[1:]] == ["unknown", "a"]


def test_points_that_were_chosen_hold_for_a_lost_file_too():
    chosen = [record("a", id, possible=5.0, points=5.0) for id in VAE]
    book = Gradebook([*chosen, whole_file("b", "rejected:size", "Too large.")], LESSONS)
    assert [total.possible for total in book.totals] == [20.0, 20.0]


def test_the_course_without_a_manifest_still_adds_up():
    total = Gradebook([replace(record("a", VAE[0]), possible=3.0)]).totals[0]
    assert (total.points, total.possible, total.exercises) == (2.0, 3.0, 1)


def test_a_late_factor_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5 for a, 06"):
        Gradebook([], late={("a", "06"): 1.5})
