"""The page of a student: hints in order, nothing that runs, nothing of anybody else."""

import base64
import hashlib
import re
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest
from grading_material.sample import (
    HOSTILE_MESSAGES,
    HOSTILE_NAMES,
    LATE,
    LESSONS,
    SEED,
    TOKEN,
    VAE,
    record,
    sample,
)

from genimg_course.exercises.lesson_06 import SPECIFICATIONS
from genimg_course.exercises.session import SESSION
from genimg_course.grading.reports.feedback import ADVICE, advice, feedback_page, in_words
from genimg_course.grading.reports.gradebook import Gradebook
from genimg_course.grading.reports.markup import STYLE, clean, element, page, prose

BOOK = Gradebook(sample(), LESSONS, HOSTILE_NAMES, LATE)
KL = next(item for item in SPECIFICATIONS if item.id == "vae.gaussian_kl")
VOID = {"meta", "img"}


class Page(HTMLParser):
    """Elements, attributes and texts as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.blocks: list[str] = []
        self.others: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "pre":
            self.blocks.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
        if "pre" in self.open:
            self.blocks[-1] += data

    def handle_comment(self, data):
        self.others.append(data)

    def unknown_decl(self, data):
        self.others.append(data)

    def handle_pi(self, data):
        self.others.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


def assert_harmless(text: str) -> Page:
    """Assert that a page holds known elements only, leads nowhere else and loads nothing."""
    parsed = Page(text)
    assert parsed.open == [] and parsed.others == []
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"script", "iframe", "object", "embed", "form", "input", "link", "base"}
    assert not tags & {"svg", "math", "template", "video", "audio", "button"}
    assert sum(tag == "style" for tag, _ in parsed.elements) == 1
    for tag, attributes in parsed.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert re.fullmatch(r"#[\w-]+|feedback/[^/:]+\.html", attributes.get("href", "#x")), tag
    text.encode()  # a lone surrogate could not be written
    assert not set(text) & set("\x00\x1b\u202e\u2066")
    return parsed


def student_page(student: str, *, book: Gradebook = BOOK, **options) -> Page:
    attempts: Mapping[tuple[str, str], int] = options.pop("attempts", {})
    return assert_harmless(feedback_page(book, student, attempts=attempts, **options))


@pytest.mark.parametrize("student", BOOK.students, ids=range(12))
def test_no_page_holds_anything_that_runs(student):
    student_page(student, hints=5)


def test_hostile_texts_are_shown_as_they_are_written():
    text = student_page("s07").text
    for message in HOSTILE_MESSAGES:
        assert clean(message).replace("`", "") in text
    assert "<img src=x onerror=alert(2)>" in text


@pytest.mark.parametrize("field", ["student", "lesson", "exercise", "diagnosis", "tier", "answer"])
def test_no_field_of_a_record_reaches_a_page_as_markup(field):
    evil = "\"'><script>alert(1)</script><img src=x onerror=y>]]>\x00\u202e"
    bad = record("a", VAE[0], "wrong", message=evil)
    values = {**vars(bad), field: evil}
    student_page(values["student"], book=Gradebook([type(bad)(**values)], LESSONS))


def test_the_policy_allows_the_page_its_own_style_and_no_more():
    parsed = student_page("s02")
    policies = [
        attributes["content"]
        for tag, attributes in parsed.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert policies == [
        f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    ]
    assert STYLE in parsed.texts, "the checksum is that of the style as it stands in the page"
    assert "url(" not in STYLE and "@import" not in STYLE
    assert ("meta", {"name": "referrer", "content": "no-referrer"}) in parsed.elements
    assert ("html", {"lang": "en-GB"}) in parsed.elements


def test_a_page_tells_nothing_of_any_other_student():
    for student in BOOK.students:
        text = student_page(student).text
        assert (TOKEN in text) == (student == "-rf")
        others = [name for name in ("s01", "s02", "s03", "s04") if name != student]
        assert not [name for name in others if name in text]


def test_flags_are_for_the_instructor():
    assert "tamper" not in student_page("s06").text


def test_hints_come_in_order_up_to_the_level_and_never_hold_the_solution_below_the_fifth():
    for hints in range(5):
        parsed = student_page("s02", hints=hints, attempts={("s02", KL.id): 9})
        seen = [hint.split("\n")[0].split("`")[0][:30] in parsed.text for hint in KL.hints]
        assert seen == [level <= hints for level in range(5)]
        assert "def gaussian_kl" not in parsed.text
    depth = parsed.text.index(KL.hints.property[:20]), parsed.text.index(KL.hints.analogue[:15])
    assert depth[0] < depth[1]


@pytest.mark.parametrize("attempts, shown", [(0, False), (2, False), (3, True)])
def test_the_solution_opens_after_three_different_answers(attempts, shown):
    parsed = student_page("s02", hints=5, attempts={("s02", KL.id): attempts})
    assert any("def gaussian_kl" in block for block in parsed.blocks) == shown
    assert (f"It opens after 3 different answers; {attempts} of yours" in parsed.text) != shown


def test_a_right_answer_needs_no_hints():
    parsed = student_page("s01", hints=5)
    assert "Everything is right. Well done." in parsed.text
    assert "details" not in {tag for tag, _ in parsed.elements}


@pytest.mark.parametrize("hints", [-1, 6])
def test_an_unknown_step_of_the_ladder_is_refused(hints):
    with pytest.raises(ValueError, match=f"hints go from 0 to 5, got {hints}"):
        feedback_page(BOOK, "s02", attempts={}, hints=hints)


def test_late_work_is_told_what_is_left():
    assert "they count times 0.8: 4.8 points" in student_page("s08").text


def test_a_lost_file_is_told_why_and_what_helps():
    text = student_page("s09").text
    assert "The file ends in the middle of a cell." in text
    assert ADVICE["json"] in text
    assert "Nothing could be judged yet." in text


def test_there_is_advice_for_every_reason():
    assert advice("rejected:size") == ADVICE["size"]
    assert "Jupyter" in advice("rejected:never_heard_of")
    assert advice("rejected:crc") == advice("rejected:archive")
    assert in_words("killed:memory") == "uses too much memory"


ANSWER = """
from genimg_course.exercises import exercise

@exercise("vae.gaussian_kl")
def gaussian_kl(mu, logvar):
    return {factor} * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1)
"""


@pytest.mark.parametrize("factor, status, code", [(1.0, "wrong", "HALF"), (0.5, "right", "")])
def test_the_check_for_home_judges_the_students_own_answer(
    factor, status, code, monkeypatch, capsys
):
    monkeypatch.setattr(SESSION, "records", {})
    monkeypatch.delenv("GENIMG_STRICT", raising=False)
    *imports, line = next(
        block for block in student_page("s02").blocks if f"'{KL.id}'" in block
    ).splitlines()
    assert line.endswith(f"seed={SEED})")
    notebook: dict[str, object] = {}
    exec(ANSWER.format(factor=factor), notebook)
    exec("\n".join(imports), notebook)
    verdict = eval(line, notebook)
    assert (verdict.status, verdict.code) == (status, code)


@pytest.mark.parametrize(
    "tag, attributes",
    [
        ("script", {}),
        ("iframe", {}),
        ("p", {"onclick": "x"}),
        ("p", {"style": "x"}),
        ("a", {"href": "javascript:alert(1)"}),
        ("a", {"href": "https://example.org"}),
        ("a", {"href": "feedback/../../x.html"}),
        ("a", {"href": "//example.org/feedback/x.html"}),
        ("img", {"src": "https://example.org/x.png"}),
        ("img", {"src": "data:image/svg+xml;base64,AAAA"}),
    ],
)
def test_the_writer_refuses_what_no_report_needs(tag, attributes):
    with pytest.raises(ValueError, match="report"):
        element(tag, **attributes)


def test_attributes_are_escaped():
    parsed = Page(page("t", element("img", alt='"><script>x</script>')))
    assert ("img", {"alt": '"><script>x</script>'}) in parsed.elements


@pytest.mark.parametrize(
    "text, shown",
    [
        ("a\r\nb\u2028c", "a\nb\nc"),
        ("\x00\x1b\x85", "\ufffd\ufffd\n"),
        ("\ud800\ufffe\ufeff", "\ufffd" * 3),
        ("abc\u202edef", "abc\ufffddef"),
        ("Zoë 李明 👩‍🔬", "Zoë 李明 👩‍🔬"),
    ],
)
def test_a_text_shows_what_it_is(text, shown):
    assert clean(text) == shown


def test_a_text_without_end_is_cut():
    assert clean("x" * 10**6, limit=10) == "x" * 10 + "…"


def test_code_in_a_sentence_is_marked():
    tags = [item.tag for item in prose("Use `x`.\n>>> f(1)\n1")]
    assert tags == ["p", "pre"]


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_text_has_contrast_in_light_dark_and_print():
    schemes = [dict(re.findall(r"--(\w+): (#\w{6})", part)) for part in STYLE.split(":root")[1:]]
    assert len(schemes) == 3
    for scheme in schemes:
        for text in ("ink", "soft", "link", "right", "wrong", "stopped", "empty"):
            for ground in ("page", "card"):
                dark, light = sorted((luminance(scheme[text]), luminance(scheme[ground])))
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground, scheme)
