"""The instructor's page: counts that add up, what most students share, what to look at."""

import base64
import io
from pathlib import Path

import pytest
from grading_material.sample import HOSTILE_NAMES, LATE, LESSONS, VAE, record, sample
from PIL import Image
from test_grading_feedback import assert_harmless

from genimg_course.exercises.registry import LESSONS as WITH_EXERCISES
from genimg_course.exercises.registry import of_lesson
from genimg_course.grading.reports.charts import (
    GROUPS,
    group_of,
    points_chart,
    shares,
    status_chart,
)
from genimg_course.grading.reports.gradebook import Gradebook
from genimg_course.grading.reports.summary import find_sections, summary_page
from genimg_course.grading.reports.writing import file_name

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
BOOK = Gradebook(sample(), LESSONS, HOSTILE_NAMES, LATE)
PAGES = {student: file_name(student) for student in BOOK.students}


@pytest.fixture(scope="module")
def sections():
    return find_sections(NOTEBOOKS)


@pytest.fixture(scope="module")
def parsed(sections):
    return assert_harmless(summary_page(BOOK, pages=PAGES, sections=sections))


def test_the_class_is_counted(parsed):
    assert "12 students, 14 files, 2 lessons: 05, 06." in parsed.text
    assert "18 of 44 judged answers right." in parsed.text
    assert "2 files could not be read" in parsed.text


def test_every_student_is_linked_to_the_page_that_is_written(parsed):
    links = {attributes["href"] for tag, attributes in parsed.elements if tag == "a"}
    assert {f"feedback/{name}" for name in PAGES.values()} == links


def test_the_misconception_that_most_share_comes_first_with_its_section(parsed, sections):
    shared = parsed.text.split("Misconceptions that most students share")[1]
    assert shared.startswith("3 students: vae.gaussian_kl")
    assert "The factor one half is missing." in shared
    assert "“The price of a code has a closed form”" in shared
    assert sections["vae.gaussian_kl"] == "The price of a code has a closed form"


def test_misconceptions_are_ranked_by_students_not_by_name():
    answers = [("a", "HALF"), ("b", "HALF"), ("c", "CONST"), ("d", "SIGN"), ("e", "SIGN")]
    answers += [("f", "SIGN")]
    book = Gradebook([record(who, VAE[1], "wrong", diagnosis=code) for who, code in answers])
    text = assert_harmless(summary_page(book)).text
    assert text.index("Diagnosis SIGN") < text.index("Diagnosis HALF") < text.index("CONST")


def test_unknown_wrong_answers_are_ranked_by_exercise(parsed):
    unknown = parsed.text.split("Exercises with the most unknown wrong answers")[1]
    # HALF is no misconception of this exercise, so it counts as unknown here
    assert "06vae.reparameterise3HALF (1), protocol (1), shape (1)06vae.bernoulli_nll2" in unknown


@pytest.mark.parametrize("flag", ["tamper", "duplicate", "depends", "late", "UNSANDBOXED"])
def test_flags_are_listed_with_their_meaning(parsed, flag):
    flags = parsed.text.split("Flags to look at")[1].split("Files that could not")[0]
    assert f"{flag}1" in flags


def test_lost_files_come_with_what_to_tell(parsed):
    lost = parsed.text.split("Files that could not be read")[1]
    assert "The file ends in the middle of a cell.Open it in Jupyter" in lost
    assert "The name holds ../ <script>alert(1)</script>" in lost


def test_containment_seed_and_the_way_on_are_told(parsed):
    how = parsed.text.split("How it was graded")[1]
    assert "bubblewrap (36), none (1), nothing was run (7)" in how
    assert "20261121" in how and "--seed" in how and "--out" in how


def test_pictures_are_png_and_say_what_they_show(parsed):
    pictures = [attributes for tag, attributes in parsed.elements if tag == "img"]
    assert len(pictures) == 3
    for attributes in pictures:
        content = base64.b64decode(attributes["src"].partition(",")[2])
        assert Image.open(io.BytesIO(content)).format == "PNG"
    assert (
        "vae.gaussian_kl: 3 right, 4 not yet right, 1 error, 1 stopped, 1 not written of 10"
        in (pictures[2]["alt"])
    )
    assert "90 to 100 %: 1" in pictures[0]["alt"]


def test_shares_add_up_to_the_students_who_were_judged():
    counts = shares([item for item in BOOK.counted if item.lesson == "06"])
    assert set(counts) == set(VAE)
    assert all(count.total() == 10 for count in counts.values())


def test_every_status_has_its_group():
    assert {group_of(item.status) for item in sample()} == set(GROUPS)


def test_a_name_with_dollar_signs_is_drawn_as_it_is():
    odd = record("a", "vae.$x_$")
    figure = status_chart(shares([odd]))
    figure.canvas.draw()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["vae.$x_$"]


def test_full_marks_fall_into_the_last_step():
    assert points_chart(Gradebook([record("a", VAE[0])])).alt.endswith("90 to 100 %: 1.")


def test_a_class_of_nothing_is_a_page_too():
    assert "Nothing was judged yet." in assert_harmless(summary_page(Gradebook([]))).text
    lost = Gradebook([item for item in sample() if not item.exercise], LESSONS)
    assert "2 files could not be read" in assert_harmless(summary_page(lost)).text


def test_every_exercise_of_the_course_stands_under_a_heading(sections):
    ids = {item.id for lesson in WITH_EXERCISES for item in of_lesson(lesson)}
    posed = ids & sections.keys()
    assert len(posed) > 0.8 * len(ids)
    assert all(sections[id] for id in posed)
