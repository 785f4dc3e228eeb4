import json
import time
import zipfile

import pytest
from grading_material.toy import ROOT, cell, notebook

from genimg_course.grading.intake.notebook import MOST_CELLS, Cell, Unreadable, read_notebook


def _with_output(output: bytes, more: bytes = b"") -> bytes:
    head = b'{"cells": [{"cell_type": "code", "id": "a", "outputs": '
    return head + output + b', "source": ["x = 1"]}], "nbformat": 4' + more + b"}"


ONE = (Cell("a", "code", "x = 1"),)


@pytest.mark.parametrize("path", sorted((ROOT / "solutions").glob("*.ipynb")), ids=lambda p: p.stem)
def test_cells_are_those_that_the_json_parser_finds(path):
    expected = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = read_notebook(path.read_bytes())
    assert [(c.id, c.kind) for c in found] == [(c["id"], c["cell_type"]) for c in expected]
    assert [c.source for c in found if c.kind == "code"] == [
        "".join(c["source"]) for c in expected if c["cell_type"] == "code"
    ]


@pytest.mark.parametrize("minor", [0, 4, 5, 99])
def test_every_minor_format_of_version_4_is_read(minor):
    assert len(read_notebook(notebook("x = 1", nbformat_minor=minor))) == 1


def test_byte_order_mark_and_windows_line_ends_do_not_matter():
    data = json.dumps({"nbformat": 4, "cells": [cell("x = 1\r\ny = 2\rz")]}, indent=1)
    (found,) = read_notebook(b"\xef\xbb\xbf" + data.replace("\n", "\r\n").encode())
    assert found.source == "x = 1\ny = 2\nz"


def test_source_may_be_a_text_or_lines():
    lines = cell("")
    lines["source"] = ["a\n", "b", 3, None]
    assert read_notebook(notebook(lines, "a\nb"))[0].source == "a\nb"


def test_tags_metadata_and_forged_outputs_are_not_read():
    forged = cell("x", tags=["skip-execution"], outputs=[{"text": "5/5 passed"}], metadata={"a": 1})
    bare = {"cell_type": "code", "source": "x"}
    assert read_notebook(notebook(forged, metadata={"kernelspec": {"name": "ir"}})) == (
        read_notebook(notebook(bare))
    )


def test_escapes_and_brackets_in_texts_do_not_end_them():
    text = 'a = "\\"]}[{" # \\\\ é 😀 \u2028'
    for ascii_only in (True, False):
        data = json.dumps(
            {"metadata": {"x": [text, {text: text}]}, "cells": [cell(text)], "nbformat": 4},
            ensure_ascii=ascii_only,
        )
        assert read_notebook(data.encode())[0].source == text


def _office(tmp_path):
    path = tmp_path / "x.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return path.read_bytes()


WRONG = {
    "empty": (b"", "empty"),
    "blank": (b" \n", "empty"),
    "script": (b"import torch\nprint(1)\n", "format"),
    "pdf": (b"%PDF-1.7 ...", "format"),
    "html": (b"\n<!DOCTYPE html><html>", "html"),
    "utf-16": (notebook("x").decode().encode("utf-16"), "encoding"),
    "utf-16 without mark": (notebook("x").decode().encode("utf-16-le"), "encoding"),
    "utf-32": (notebook("x").decode().encode("utf-32"), "encoding"),
    "latin-1": (notebook("x").replace(b"metadata", "é".encode("latin-1")), "encoding"),
    "half a character": (notebook("x") + b"\xc3", "encoding"),
    "truncated": (notebook("x" * 100)[:90], "json"),
    "no end": (notebook("x")[:-1], "json"),
    "something after the end": (notebook("x") + b" {}", "json"),
    "no commas": (b'{"cells": [] "nbformat": 4}', "json"),
    "list": (b"[1, 2]", "format"),
    "format 3": (b'{"nbformat": 3, "worksheets": [{"cells": []}]}', "nbformat"),
    "format 99": (notebook("x", nbformat=99), "nbformat"),
    "format of text": (notebook("x", nbformat="4"), "nbformat"),
    "format 4.0": (notebook("x", nbformat=4.0), "nbformat"),
    "format true": (notebook("x", nbformat=True), "nbformat"),
    "no format": (b'{"cells": []}', "nbformat"),
    "cells no list": (notebook("x", cells={}), "nbformat"),
    "nested source": (_with_output(b"[]").replace(b'["x = 1"]', b"[" * 9**5 + b"]" * 9**5), "json"),
    "nested open": (b'{"cells":' + b"[" * 10**6, "json"),
}


@pytest.mark.parametrize("name", WRONG)
def test_whatever_is_no_notebook_is_refused_with_one_sentence(name):
    data, reason = WRONG[name]
    with pytest.raises(Unreadable) as found:
        read_notebook(data)
    assert found.value.reason == reason
    assert 10 < len(found.value.message) < 250


def test_an_office_document_is_refused(tmp_path):
    with pytest.raises(Unreadable, match="Office"):
        read_notebook(_office(tmp_path))


@pytest.mark.parametrize(
    "output",
    [b'["' + b"a" * 10**8 + b'"]', b"[" + b"0," * 10**7 + b"0]", b'"' + b"\\n" * 10**7 + b'"'],
    ids=["text", "numbers", "escapes"],
)
def test_a_huge_output_is_stepped_over_in_seconds(output):
    begin = time.perf_counter()
    assert read_notebook(_with_output(output)) == ONE
    assert time.perf_counter() - begin < 5


def test_a_huge_widget_state_is_stepped_over():
    state = b', "metadata": {"widgets": "' + b"w" * 5 * 10**7 + b'"}'
    assert read_notebook(_with_output(b"[]", state)) == ONE


@pytest.mark.parametrize(
    "data",
    [
        _with_output(b"[" + b"[]," * 2 * 10**6 + b"0]"),
        b"{" + b'"a": 1,' * 10**6 + b'"nbformat": 4, "cells": []}',
        notebook(*["x"] * (MOST_CELLS + 1)),
        notebook(*["x" * 99_000] * 21),
    ],
    ids=["brackets", "keys", "cells", "code"],
)
def test_more_than_anybody_hands_in_is_refused_by_size_and_soon(data):
    begin = time.perf_counter()
    with pytest.raises(Unreadable) as found:
        read_notebook(data)
    assert found.value.reason == "size"
    assert time.perf_counter() - begin < 10


def test_many_cells_are_read():
    assert len(read_notebook(notebook(*["x"] * MOST_CELLS))) == MOST_CELLS


@pytest.mark.parametrize("length", [200_000, 10**7])
def test_an_oversized_cell_is_left_out_and_the_others_stay(length):
    first, second = read_notebook(notebook("#" * length, "y = 2"))
    assert first.oversized and not first.source
    assert second == Cell("", "code", "y = 2")


def test_of_two_keys_with_one_name_the_last_counts_as_in_json():
    assert read_notebook(b'{"nbformat": 99, "cells": [], "nbformat": 4}') == ()


def test_cells_that_are_no_objects_are_left_out():
    assert read_notebook(b'{"nbformat": 4, "cells": [1, "x", null, [], {}]}') == (
        Cell("", "raw", ""),
    )
