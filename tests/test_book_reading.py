"""The reading list: known papers that can be found, each with a reason, lesson by lesson."""

import re
import unicodedata

import pytest
from lessons import NAMES, ROOT

PAGE = (ROOT / "book" / "reading.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## (\d\d) · .*?\n\n(.*?)(?=\n## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(PAGE))
ENTRY = re.compile(r"^- \{cite:t\}`(\w+)`, \*(before|with|after)\*: (.+)$", re.MULTILINE)
PAPERS = dict(
    re.findall(
        r"^@\w+\{(\w+),(.*?)^\}",
        (ROOT / "book" / "references.bib").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)
# papers of these volumes have no address that stays
WITHOUT_ADDRESS = {"hoffman2016"}


def test_every_lesson_has_its_section():
    assert list(SECTIONS) == [name[:2] for name in NAMES]


@pytest.mark.parametrize("lesson", SECTIONS)
def test_each_entry_says_why_and_when(lesson):
    entries = ENTRY.findall(SECTIONS[lesson])
    assert len(entries) == len(re.findall(r"^- ", SECTIONS[lesson], re.MULTILINE)) >= 3
    assert [key for key, _, reason in entries if len(reason.split()) < 6] == []
    assert "with" in {when for _, when, _ in entries}
    assert len({key for key, _, _ in entries}) == len(entries)


def test_each_paper_is_in_the_references_with_all_that_finds_it():
    listed = {key for key, _, _ in ENTRY.findall(PAGE)}
    assert len(listed) > 45
    assert listed <= set(PAPERS)
    for key in listed:
        fields = dict(re.findall(r"^\s*(\w+) = \{(.*)\},$", PAPERS[key], re.MULTILINE))
        assert {"author", "title", "year"} <= set(fields), key
        assert key in WITHOUT_ADDRESS or {"url", "doi"} & set(fields), key
        assert key.startswith(re.sub(r"\W", "", _plain(fields["author"].split(",")[0]))), key


def _plain(name: str) -> str:
    """Return a surname as the keys spell it."""
    letters = unicodedata.normalize("NFKD", name.lower().replace("ı", "i").replace("-", ""))
    return "".join(letter for letter in letters if letter.isascii())[:6]


def test_number_of_a_preprint_fits_the_year():
    """An arXiv number begins with year and month; a paper follows its preprint, or nearly so."""
    for key in {key for key, _, _ in ENTRY.findall(PAGE)}:
        number = re.search(r"arxiv\.org/abs/(\d\d)(\d\d)\.\d{4,5}", PAPERS[key])
        year = re.search(r"year = \{(\d{4})\}", PAPERS[key])
        assert year, key
        if number:
            assert 1 <= int(number[2]) <= 12, key
            assert -1 <= int(year[1]) - (2000 + int(number[1])) <= 2, key
