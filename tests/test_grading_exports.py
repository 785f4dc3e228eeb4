"""Grades for Canvas, Moodle and nbgrader: the shapes that their importers read."""

import pytest
from grading_material.sample import HOSTILE_NAMES, LATE, LESSONS, VAE, SampleLesson, record, sample
from test_grading_gradebook import computes, read

from genimg_course.grading.reports.exports import (
    NBGRADER,
    canvas_csv,
    lesson_title,
    moodle_csv,
    nbgrader_csv,
)
from genimg_course.grading.reports.gradebook import Gradebook

BOOK = Gradebook(sample(), LESSONS, HOSTILE_NAMES, LATE)
TITLES = ["Lesson 05 Autoencoders", "Lesson 06 Variational autoencoder"]


@pytest.mark.parametrize("make", [canvas_csv, moodle_csv, nbgrader_csv])
def test_every_row_is_whole_and_computes_nothing(make):
    content = make(BOOK)
    rows = read(content)
    assert len({len(row) for row in rows}) == 1
    assert len(content.decode().splitlines()) == len(rows)
    assert not content.startswith(b"\xef\xbb\xbf"), "an importer may take it for text"
    for delimiter in (",", ";"):
        cells = [cell for row in read(content, delimiter=delimiter) for cell in row]
        assert [cell for cell in cells if computes(cell) and cell != "-"] == []


def test_canvas_gets_its_header_and_the_points_of_each_assignment():
    header, possible, *rows = read(canvas_csv(BOOK))
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *TITLES]
    assert possible == ["Points Possible", "", "", "", "", "2", "8"]
    by_login = {row[3]: row for row in rows}
    assert by_login["s02"] == ["s02", "", "s02", "s02", "", "1", "4"]
    assert by_login["s08"][-2:] == ["", "4.8"]
    assert len(rows) == 12


def test_no_student_can_set_the_points_of_an_assignment_in_canvas():
    names = {"a": "Points Possible", "b": " x Points Possible y"}
    book = Gradebook([record("a", VAE[0]), record("b", VAE[0])], LESSONS, names)
    rows = read(canvas_csv(book))
    assert [row[0] for row in rows if "Points Possible" in row[0]] == ["Points Possible"]
    assert rows[1][-1] == "8"


def test_canvas_knows_students_by_its_own_numbers_unless_two_claim_one():
    numbers = {"a": "11", "b": "12", "c": "12", "d": "=1"}
    book = Gradebook([record(student, VAE[0]) for student in "abcd"], LESSONS, numbers=numbers)
    assert [row[1] for row in read(canvas_csv(book))[2:]] == ["11", "", "", ""]


def test_moodle_gets_an_identifier_and_grades_and_a_hyphen_for_none():
    header, *rows = read(moodle_csv(BOOK))
    assert header == ["ID number", *TITLES]
    by_student = {row[0]: row[1:] for row in rows}
    assert by_student["s01"] == ["2", "8"]
    assert by_student["s03"] == ["-", "2"]
    assert by_student["s09"] == ["-", "-"], "a file that could not be read is no zero"
    assert read(moodle_csv(BOOK, identifier="Email address"))[0][0] == "Email address"


def test_nbgrader_gets_its_eleven_columns_and_scores_that_agree():
    header, *rows = read(nbgrader_csv(BOOK))
    assert header == [
        *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name"),
        *("email", "raw_score", "late_submission_penalty", "score", "max_score"),
    ]
    assert tuple(header) == NBGRADER
    assert len(rows) == len(BOOK.totals)
    for row in rows:
        raw, penalty, score, most = map(float, row[7:])
        assert score == pytest.approx(raw - penalty)
        assert 0 <= score <= most
    late = next(row for row in rows if row[3] == "s08")
    assert late[7:] == ["6", "1.2", "4.8", "8"]


def test_short_forms_in_a_title_are_capitals():
    lessons = {"12": SampleLesson("12", "dcgan_on_a_gpu", ())}
    assert lesson_title(Gradebook([], lessons), "12") == "Lesson 12 DCGAN on a GPU"


def test_a_lesson_without_a_manifest_keeps_its_number():
    assert lesson_title(Gradebook([]), "14") == "Lesson 14"


@pytest.mark.parametrize("make", [canvas_csv, moodle_csv, nbgrader_csv])
def test_a_class_without_records_is_a_table_without_students(make):
    rows = read(make(Gradebook([])))
    assert all(row[0] in ("Student", "Points Possible", "ID number", "assignment") for row in rows)
