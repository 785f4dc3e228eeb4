"""The errata: none is lost, each says how we know, and each leads to the lesson that teaches it."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "book"))

from book_errata import ERRATUM_MARK, errata, errata_page, taught  # noqa: E402

from genimg_course.maths.proofs import all_proofs, rows  # noqa: E402

LESSONS = sorted((ROOT / "solutions").glob("[0-9][0-9]_*.py"))
COUNTS = {"F": 50, "M": 24, "CA": 15, "CB": 14, "R": 24}


def test_no_erratum_is_lost():
    expected = [f"{kind}{n + 1:02}" for kind, count in COUNTS.items() for n in range(count)]
    plain = [re.sub(r"^(C[AB])0", r"\1", id) for id in expected]
    assert [entry["id"] for entry in errata()] == plain
    assert len(plain) == 127


def test_the_page_holds_every_erratum_with_its_evidence_and_no_open_link():
    page = errata_page(LESSONS)
    proofs = {proof.id for proof in all_proofs()}
    for entry in errata():
        assert page.count(f"(erratum-{entry['id']})=") == 1
        assert entry["truth"] in page
    assert set(re.findall(r"#proof-([\w.]+)", page)) <= proofs


@pytest.mark.parametrize("entry", errata(), ids=lambda entry: entry["id"])
def test_an_erratum_says_where_what_how_we_know_and_who_teaches_it(entry):
    assert re.match(r"[AB][ §,;]|[AB]$", entry["at"] + " ")
    assert len(entry["claim"]) > 4
    assert entry["truth"][-1] in ".?)"
    assert re.fullmatch(r"[01]\d|2[0-3]", entry["lesson"])
    assert entry["evidence"]
    assert ("check" in entry["evidence"]) == bool(entry.get("rows"))
    assert all(rows()[row] for row in entry.get("rows", []))


def test_a_lesson_that_stands_teaches_its_errata_and_marks_them():
    where = taught(LESSONS)
    standing = {path.name[:2] for path in LESSONS}
    missing = [
        entry["id"]
        for entry in errata()
        if entry["lesson"] in standing
        and entry["lesson"] not in {path.name[:2] for path in where.get(entry["id"], [])}
    ]
    assert missing == []
    assert where.keys() <= {entry["id"] for entry in errata()}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_an_errata_box(path):
    text = path.read_text(encoding="utf-8")
    assert "### From the errata" in text
    assert ERRATUM_MARK.search(text)
