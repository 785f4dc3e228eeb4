"""The page of questions: every figure measured, every answer with its lesson."""

import re
import sys

import pytest
from lessons import NAMES, ROOT

sys.path.insert(0, str(ROOT / "book"))

import book_answers
from book_answers import AnswerError, answers_page

SOURCE = (ROOT / "book" / "ask.md").read_text(encoding="utf-8")
QUESTIONS = dict(re.findall(r"^## (.*?)\n\n(.*?)(?=\n## |\Z)", SOURCE, re.MULTILINE | re.DOTALL))
MARK = re.compile(r"\{\{[^}]*\}\}")


def test_figures_are_those_of_the_table():
    page = answers_page()
    assert "99.5 to 99.95 % of its pictures (at least 98.6 %)" in " ".join(page.split())
    assert "42.3 to 45.3 nats for an unseen drawing" in " ".join(page.split())
    assert "players that take turns find 7 to 8 of them (at least 6.41)" in " ".join(page.split())
    assert set(MARK.findall(page)) == {"{{ repository }}"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_answer_leads_somewhere_and_types_no_figure(question):
    answer = QUESTIONS[question]
    links = re.findall(r"\]\(([\w/]+\.(?:ipynb|md))\)", answer)
    assert links
    for link in links:
        known = link.removeprefix("notebooks/").removesuffix(".ipynb") in NAMES
        assert known or (ROOT / "book" / link).is_file(), link
    typed = re.sub(r"\]\([^)]*\)|[Ll]esson \d\d", "", MARK.sub("", answer))
    assert re.findall(r"\d+\.\d+|\d+ ?(?:%|nats|dB)", typed) == []


def test_every_figure_has_its_bound_or_says_that_it_has_none():
    figures = {m[1] for m in re.finditer(r"\{\{ *(\w+:\w+)(?: [\w%]+)? *\}\}", SOURCE)}
    bounds = {m[1] for m in re.finditer(r"\{\{ *(\w+:\w+)(?: [\w%]+)? bound *\}\}", SOURCE)}
    assert len(bounds) > 15
    # half is what a perfect learner draws, and the other varies too much
    assert figures - bounds == {"01_cpu:mirrored_samples", "05_cpu:wrong_law_ratio"}


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.99945, "%", "99.945"),
        (0.479, "%", "48"),
        (1, "%", "100"),
        (42.3018, "nats", "42.3"),
        (1460, "", "1,460"),
        (0, "", "0"),
        (3.7e-10, "", r"$3.7 \cdot 10^{-10}$"),
    ],
)
def test_three_digits_are_enough(value, unit, shown):
    assert book_answers._round(value, unit) == shown


@pytest.mark.parametrize("mark", ["{{ 13_cpu:beauty }}", "{{ 99_cpu:accuracy }}"])
def test_figure_that_was_not_measured_stops_the_book(tmp_path, monkeypatch, mark):
    (tmp_path / "ask.md").write_text(mark, encoding="utf-8")
    monkeypatch.setattr(book_answers, "BOOK", tmp_path)
    with pytest.raises(AnswerError, match="which ask"):
        answers_page()
