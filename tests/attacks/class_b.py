"""Class B, V25 to V39, and V56 to V62 of D: the form of notebooks, files, names and archives."""

import io
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attacks.attack import Attack, Expected, expect
from attacks.host import MARK, Host
from attacks.writing import ANSWERS, FILE, RIGHT, WRONG, answer, cells, notebook, save

__all__ = ["ATTACKS"]

KL, DRAW, NLL = "vae.gaussian_kl", "vae.reparameterise", "vae.bernoulli_nll"
SCORE, BETA, FORMS = "vae.score_function_gradient", "vae.effective_beta", "vae.elbo_forms"
RIGHTS = {id_: expect("correct") for id_ in RIGHT}
REJECTED = {"": expect("rejected:.*")}
Book = dict[str, Any]


def _rights_but(**others: Expected) -> dict[str, Expected]:
    return RIGHTS | others


def _with(change: Callable[[Book], object], answers: Mapping[str, str] = ANSWERS) -> Any:
    """Return a writer of a notebook of these answers after a change."""

    def write(folder: Path, host: Host) -> None:
        book = notebook(answers)
        change(book)
        save(folder, book)

    return write


def _wrong_kl(**more: str) -> dict[str, str]:
    return {**ANSWERS, KL: answer(KL, WRONG[KL]), **more}


def _tag(*tags: str) -> Callable[[Book], None]:
    def change(book: Book) -> None:
        for cell in book["cells"]:
            cell["metadata"]["tags"] = list(tags)

    return change


def _without(*exercises: str) -> Callable[[Book], None]:
    def change(book: Book) -> None:
        gone = [cell["id"] for cell in cells(book, exercises)]
        book["cells"] = [cell for cell in book["cells"] if cell["id"] not in gone]

    return change


def _without_other_cells(book: Book) -> None:
    book["cells"] = cells(book, RIGHT)


def _doubled(first: str, last: str) -> Callable[[Book], None]:
    def change(book: Book) -> None:
        (cell,) = cells(book, [KL])
        place = book["cells"].index(cell)
        twin = {**cell, "source": last}
        cell["source"] = first
        book["cells"].insert(place + 1, twin)

    return change


def _reordered(book: Book) -> None:
    helper = "def squares(mu):\n    return mu.square()\n"
    (cell,) = cells(book, [KL])
    cell["source"] = answer(KL, "return 0.5 * (squares(mu) + logvar.exp() - 1 - logvar).sum(dim=1)")
    book["cells"] = book["cells"][::-1]
    book["cells"].append({**cell, "id": "helper", "source": helper})


def _retyped(kind: str) -> Callable[[Book], None]:
    def change(book: Book) -> None:
        (cell,) = cells(book, [KL])
        cell["cell_type"] = kind
        cell.pop("outputs", None)
        cell.pop("execution_count", None)

    return change


def _generous(book: Book) -> None:
    (cell,) = cells(book, [KL])
    cell["source"] = "".join(cell["source"]).replace(
        '@exercise("vae.gaussian_kl")', '@exercise("vae.gaussian_kl", points=1000)'
    )
    cell["metadata"] = {"points": 1000, "nbgrader": {"points": 1000, "grade": True}}


def _exported(book: Book) -> None:
    book["metadata"] = {}
    book["nbformat_minor"] = 4
    for cell in book["cells"]:
        cell.pop("id")
        cell["metadata"] = {}
        text = "".join(cell["source"])
        cell["source"] = "\n".join(
            line for line in text.split("\n") if not line.startswith("@exercise")
        )


def _magics(book: Book) -> None:
    (cell,) = cells(book, [KL])
    cell["source"] = (
        "!touch /tmp/" + MARK + "-shell\n%load_ext autoreload\n%pip install evil\n"
        "%run other.py\ntorch?\n" + ANSWERS[KL]
    )
    (cell,) = cells(book, [DRAW])
    cell["source"] = "%%bash\ntouch /tmp/" + MARK + "-bash\n" + ANSWERS[DRAW]
    (cell,) = cells(book, [NLL])
    cell["source"] = ANSWERS[NLL].replace(":\n    ", ":\n    !echo hello\n    ", 1)


def _kernel(name: str | None) -> Callable[[Book], None]:
    def change(book: Book) -> None:
        if name is None:
            book["metadata"].pop("kernelspec")
        else:
            book["metadata"] = {"kernelspec": {"name": name, "language": name}}

    return change


def _boasting(book: Book) -> None:
    good = '<div style="color: green">5/5 passed</div>'
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {"output_type": "stream", "name": "stdout", "text": "vae.gaussian_kl: right"},
                {"output_type": "display_data", "data": {"text/html": good}, "metadata": {}},
            ]


def _old_format(version: int) -> Callable[[], bytes]:
    def make() -> bytes:
        book = notebook(ANSWERS)
        if version == 3:
            book = {
                "nbformat": 3,
                "nbformat_minor": 0,
                "metadata": {},
                "worksheets": [{"cells": [{"cell_type": "code", "input": ANSWERS[KL]}]}],
            }
        book["nbformat"] = version
        return json.dumps(book).encode()

    return make


def _minor(version: int) -> bytes:
    book = notebook(ANSWERS)
    book["nbformat_minor"] = version
    if version == 0:
        for cell in book["cells"]:
            cell.pop("id")
    return json.dumps(book).encode()


def _text(**options: Any) -> str:
    return json.dumps(notebook(ANSWERS), **options)


_DEEP = '{"nbformat": 4, "nbformat_minor": 5, "metadata": ' + "[" * 200_000 + "]" * 200_000

_FILES: dict[str, tuple[Callable[[], bytes], bool]] = {
    "three": (_old_format(3), False),
    "four": (lambda: _minor(0), True),
    "fourfive": (lambda: _minor(5), True),
    "ninetynine": (_old_format(99), False),
    "empty": (lambda: b"", False),
    "truncated": (lambda: _text().encode()[:-2000], False),
    "bom": (lambda: b"\xef\xbb\xbf" + _text().encode(), True),
    "utf16": (lambda: _text().encode("utf-16"), False),
    "latin": (
        lambda: (
            _text(ensure_ascii=False).replace("Lesson", "Le\xe7on").encode("latin-1", "replace")
            + b"\xe9"
        ),
        False,
    ),
    "crlf": (lambda: _text(indent=1).replace("\n", "\r\n").encode(), True),
    "python": (lambda: b"import torch\nprint('this is a script')\n", False),
    "word": (lambda: b"PK\x03\x04" + bytes(100), False),
    "html": (lambda: b"<!doctype html><html><body>Sign in</body></html>", False),
    "list": (lambda: b"[1, 2, 3]", False),
    "number": (lambda: b"1e999", False),
    "nocells": (lambda: b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', False),
    "strange": (lambda: b'{"nbformat": 4, "cells": [1, null, {"cell_type": 3}, []]}', False),
    "deep": (lambda: _DEEP.encode(), False),
}


def _write_forms(folder: Path, host: Host) -> None:
    """Write one student per form; the last letters of the name say which."""
    for name, (make, _) in _FILES.items():
        save(folder.with_name(f"{folder.name}-{name}"), make())


def _long_output(book: Book) -> None:
    (cell,) = cells(book, [KL])
    line = "x" * (1 << 20)
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [line] * 100}]


def _many_cells(book: Book) -> None:
    empty = {"cell_type": "markdown", "metadata": {}, "source": "x"}
    book["cells"] += [{**empty, "id": f"c{number}"} for number in range(20_000)]


def _widgets(book: Book) -> None:
    state = {f"w{number}": "y" * 10_000 for number in range(5000)}
    book["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": state}}


def _long_line(book: Book) -> None:
    (cell,) = cells(book, [KL])
    cell["source"] = "x = '" + "z" * 10_000_000 + "'\n" + ANSWERS[KL]


_SIZES = {
    "output": _long_output,
    "cells": _many_cells,
    "widgets": _widgets,
    "line": _long_line,
}


def _write_sizes(folder: Path, host: Host) -> None:
    for name, change in _SIZES.items():
        _with(change)(folder.with_name(f"{folder.name}-{name}"), host)


STRANGE_NAMES = (
    "..",
    "...",
    "-rf",
    "x" * 200,
    "\N{PARTY POPPER}",
    "a\N{RIGHT-TO-LEFT OVERRIDE}cod",
    "CON",
    "a b",
    "semi;colon$(touch x)`id`",
    "quote\"'",
    "per%cent%2e%2e",
    "tab\there",
)


def _write_names(folder: Path, host: Host) -> None:
    """Write right answers below names that escape from folders where they are pasted into paths."""
    for number, name in enumerate(STRANGE_NAMES):
        plain = name if name not in ("..", "...") else f"{name}x"
        save(folder.with_name(f"{folder.name}-{number}{plain}"), notebook(ANSWERS))
    save(folder.with_name(f"{folder.name}-con"), notebook(ANSWERS), "CON.ipynb")
    save(folder.with_name(f"{folder.name}-dash"), notebook(ANSWERS), "-rf.ipynb")


def archive(entries: Mapping[str, bytes], **options: Any) -> bytes:
    """Return a zip archive of these entries, names as they are."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, **options) as file:
        for name, data in entries.items():
            file.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def hostile_archive(good: bytes) -> bytes:
    """Return an export in which one entry is good and each other one is a trap (V59)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"good/{FILE}", good)
        for name in (
            f"../../{MARK}-up/{FILE}",
            f"/tmp/{MARK}-absolute/{FILE}",
            f"..\\..\\{MARK}-backslash\\{FILE}",
            f"C:\\{MARK}\\{FILE}",
        ):
            file.writestr(name, good)
        link = zipfile.ZipInfo(f"link/{FILE}")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr(f"bomb/{FILE}", bytes(120_000_000))
        file.writestr("nested/inner.zip", archive({f"x/{FILE}": good}))
        locked = zipfile.ZipInfo(f"locked/{FILE}")
        file.writestr(locked, good)
        file.writestr(f"broken/{FILE}", b"[" + b"9" * 4000)
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file.writestr(f"twice/{FILE}", good)
            file.writestr(f"twice/{FILE}", good)
    data = bytearray(stream.getvalue())
    _set_flag(data, f"locked/{FILE}".encode())
    _break_crc(data, f"broken/{FILE}".encode())
    return bytes(data)


def _set_flag(data: bytearray, name: bytes) -> None:
    """Mark an entry as encrypted in both of its headers."""
    for head, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(name)
        while place >= 0:
            start = data.rfind(head, 0, place)
            if start >= 0 and place - start in (30, 46):
                data[start + offset] |= 1
            place = data.find(name, place + 1)


def _break_crc(data: bytearray, name: bytes) -> None:
    place = data.find(name)
    while place >= 0:
        for head, length, offset in ((b"PK\x03\x04", 30, 14), (b"PK\x01\x02", 46, 16)):
            if data[place - length : place - length + 4] == head:
                start = place - length + offset
                (crc,) = struct.unpack_from("<I", data, start)
                struct.pack_into("<I", data, start, crc ^ 0xFFFF)
        place = data.find(name, place + 1)


def crowded_archive(good: bytes) -> bytes:
    """Return an archive of a hundred thousand entries."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as file:
        file.writestr(f"good/{FILE}", good)
        for number in range(100_000):
            file.writestr(f"{number}/x", b"")
    return stream.getvalue()


def _write_archive(folder: Path, host: Host) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    good = json.dumps(notebook(ANSWERS)).encode()
    (folder / "export.zip").write_bytes(hostile_archive(good))


def png(width: int, height: int, *, rows: int | None = None) -> bytes:
    """Return a PNG with this header and that many rows of black grey pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = zlib.compress(bytes(width + 1) * (height if rows is None else rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def _write_special_files(folder: Path, host: Host) -> None:
    save(folder, notebook(ANSWERS))
    (folder / "samples.png").symlink_to("/etc/passwd")
    (folder / "home.png").symlink_to(host.home / ".canary")
    os.mkfifo(folder / "fifo.png")
    with open(folder / "sparse.png", "wb") as file:
        file.truncate(10 << 30)
    (folder / "loop").symlink_to(folder)
    save(folder.with_name(f"{folder.name}-link"), b"")
    (folder.with_name(f"{folder.name}-link") / FILE).unlink()
    (folder.with_name(f"{folder.name}-link") / FILE).symlink_to(
        host.course / "solutions" / "06_variational_autoencoder.ipynb"
    )
    fifo = folder.with_name(f"{folder.name}-fifo")
    fifo.mkdir()
    os.mkfifo(fifo / FILE)


class _Runs:
    def __reduce__(self) -> Any:
        return os.system, (f"touch /tmp/{MARK}-pickle",)


def _write_pickles(folder: Path, host: Host) -> None:
    import pickle

    data = pickle.dumps(_Runs())
    save(folder, notebook(ANSWERS))
    for name in ("model.pt", "model.pkl", "model.safetensors", "model.pth"):
        (folder / name).write_bytes(data)
    (folder / "zipped.pt").write_bytes(
        archive({"archive/data.pkl": data, "archive/code/__torch__.py": b"import os"})
    )
    (folder / "arrays.npz").write_bytes(archive({"a.npy": b"\x93NUMPY\x01\x00" + data}))


def _write_pictures(folder: Path, host: Host) -> None:
    save(folder, notebook(ANSWERS))
    (folder / "bomb.png").write_bytes(png(50_000, 50_000, rows=1000))
    (folder / "short.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(30))
    (folder / "vector.png").write_bytes(b'<svg onload="alert(1)"></svg>')
    (folder / "moving.png").write_bytes(b"GIF89a" + bytes(20))
    (folder / "tiny.png").write_bytes(png(1, 1))


FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", 'quo"te', "com,ma", "new\nline")


def _write_formulas(folder: Path, host: Host) -> None:
    for number, name in enumerate(FORMULAS):
        plain = name.replace("/", "-")
        # in front of the name stands nothing, for the first character is what matters
        save(folder.with_name(f"{plain}{folder.name}-{number}"), notebook({KL: ANSWERS[KL]}))


FORGED_LINES = ('x\n{"student": "honest-1", "status": "correct"}', "y\r\nstudent B 10/10\x1b[2K")


def _write_lines(folder: Path, host: Host) -> None:
    for number, name in enumerate(FORGED_LINES):
        plain = name.replace("/", "-")
        save(folder.with_name(f"{folder.name}-{number}{plain}"), notebook({KL: ANSWERS[KL]}))


ATTACKS = (
    Attack(
        "V25",
        "cells tagged to be skipped",
        _rights_but(**{KL: expect("wrong")}),
        write=_with(_tag("skip-execution"), _wrong_kl()),
    ),
    Attack(
        "V26",
        "tags of other tools",
        _rights_but(**{KL: expect("wrong")}),
        write=_with(
            _tag("raises-exception", "nbval-skip", "otter_ignore", "remove-cell"), _wrong_kl()
        ),
    ),
    Attack(
        "V27a",
        "everything but the answers deleted",
        RIGHTS,
        write=_with(_without_other_cells),
    ),
    Attack(
        "V27b",
        "an answer deleted",
        _rights_but(**{KL: expect("not_attempted")}),
        write=_with(_without(KL)),
    ),
    Attack(
        "V28a",
        "an answer twice, the right one last",
        _rights_but(**{KL: expect("correct", None, "duplicate")}),
        write=_with(_doubled(answer(KL, WRONG[KL]), ANSWERS[KL])),
    ),
    Attack(
        "V28b",
        "an answer twice, the wrong one last",
        _rights_but(**{KL: expect("wrong", None, "duplicate")}),
        write=_with(_doubled(ANSWERS[KL], answer(KL, WRONG[KL]))),
    ),
    Attack("V29", "cells in another order", RIGHTS, write=_with(_reordered)),
    Attack(
        "V30a",
        "an answer turned into text",
        _rights_but(**{KL: expect("not_attempted", message="Markdown")}),
        write=_with(_retyped("markdown")),
    ),
    Attack(
        "V30b",
        "an answer turned into a raw cell",
        _rights_but(**{KL: expect("not_attempted", message="raw")}),
        write=_with(_retyped("raw")),
    ),
    Attack("V31", "points raised by the student", RIGHTS, write=_with(_generous)),
    Attack("V32", "all metadata gone", RIGHTS, write=_with(_exported)),
    Attack(
        "V33",
        "forms of files",
        {},
        write=_write_forms,
        students={f"-{name}": (RIGHTS if good else REJECTED) for name, (_, good) in _FILES.items()}
        # its name tells the lesson, and cells that are none are no answers
        | {"-strange": {"": expect("graded|rejected:.*")}},
        slow=6,
    ),
    Attack(
        "V34",
        "sizes of files",
        {},
        write=_write_sizes,
        students={f"-{name}": {"": expect("rejected:size|graded")} for name in _SIZES},
        slow=20,
    ),
    Attack(
        "V35",
        "a syntax error in one answer",
        _rights_but(**{KL: expect("error", message="line")}),
        write=_with(lambda book: None, {**ANSWERS, KL: answer(KL, "return mu +* logvar")}),
    ),
    Attack(
        "V36",
        "magics and shell lines",
        # a cell that begins with %%bash holds no Python, so its answer is not there
        _rights_but(**{DRAW: expect("not_attempted", message="%%bash")}),
        write=_with(_magics),
    ),
    Attack("V37a", "no kernel named", RIGHTS, write=_with(_kernel(None))),
    Attack("V37b", "a kernel of another language", RIGHTS, write=_with(_kernel("R"))),
    Attack(
        "V38",
        "outputs that boast",
        _rights_but(**{KL: expect("wrong")}),
        write=_with(_boasting, _wrong_kl()),
    ),
    Attack(
        "V39",
        "names that are paths and options",
        {},
        write=_write_names,
        students={"*": {"": expect("rejected:name|graded")}},
        slow=30,
    ),
    Attack("V56", "links, pipes and holes for files", RIGHTS, write=_write_special_files),
    Attack("V57", "models that run code when they are loaded", RIGHTS, write=_write_pickles),
    Attack("V58", "pictures that are none", RIGHTS, write=_write_pictures),
    Attack("V59", "an archive of traps", {}, write=_write_archive, slow=10),
    Attack(
        "V61",
        "names that are formulas",
        {},
        write=_write_formulas,
        students={"*": {"": expect("rejected:name|graded")}},
        slow=15,
    ),
    Attack(
        "V62",
        "names that forge lines",
        {},
        write=_write_lines,
        students={"*": {"": expect("rejected:name|graded")}},
        slow=5,
    ),
)
