import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from dataclasses import astuple

import pytest
from grading_material.toy import TOY, solved
from PIL import Image

from genimg_course.grading.intake import gather
from genimg_course.grading.intake.artefacts import examine
from genimg_course.grading.intake.files import Content, Entry, Refused, read_file


def _picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (5, 4)) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind)
    return file.getvalue()


def _weights(header: dict | bytes, body: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def _zip(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("pickle"))
    return file.getvalue()


def _sided(width: int, height: int) -> bytes:
    """Return a PNG whose header lies about its size."""
    data = bytearray(_picture("png"))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def _look(name: str, data: bytes):
    def read(limit: int) -> Content:
        if len(data) > limit:
            raise Refused("size", "too large")
        return Content(data)

    return examine(Entry((name,), read))


def _refused(name: str, data: bytes) -> str:
    with pytest.raises(Refused) as found:
        _look(name, data)
    assert 10 < len(found.value.message) < 200
    return found.value.reason


TWO = {
    "__metadata__": {"by": "me"},
    "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
    "a": {"dtype": "F16", "shape": [2, 1], "data_offsets": [0, 4]},
}


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA"])
def test_a_png_is_kept_with_its_sides(mode):
    found = _look("samples.PNG", _picture("png", mode))
    assert (found.kind, found.width, found.height, found.tensors) == ("png", 5, 4, 0)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_is_kept_with_its_sides(mode, progressive):
    file = io.BytesIO()
    Image.new(mode, (50, 40)).save(
        file, "jpeg", progressive=progressive, exif=b"Exif\0\0" + b"x" * 50
    )
    found = _look("a.jpg", file.getvalue())
    assert (found.kind, found.width, found.height) == ("jpeg", 50, 40)


def test_weights_are_kept_by_their_header():
    found = _look("model.safetensors", _weights(TWO))
    assert (found.kind, found.tensors, found.width) == ("safetensors", 2, 0)


def test_weights_that_the_library_wrote_are_kept():
    numpy = pytest.importorskip("numpy")
    from safetensors.numpy import save

    tensors = {"w": numpy.ones((3, 2), numpy.float32), "empty": numpy.ones((0, 2), numpy.float32)}
    assert _look("m.safetensors", save(tensors)).tensors == 2


JPEG = _picture("jpeg", size=(50, 40))
SPOILT = {
    "gif as png": ("a.png", _picture("gif"), "format"),
    "jpeg as png": ("a.png", JPEG, "format"),
    "png as jpeg": ("a.jpeg", _picture("png"), "format"),
    "svg as png": ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "format"),
    "empty png": ("a.png", b"", "format"),
    "bomb": ("a.png", _sided(50_000, 50_000), "image"),
    "long": ("a.png", _sided(2**31 - 1, 1), "image"),
    "no side": ("a.png", _sided(0, 5), "image"),
    "many pixels": ("a.png", _sided(8192, 8192), "image"),
    "16 bits": ("a.png", _picture("png", "I;16"), "image"),
    "cut png": ("a.png", _picture("png", size=(99, 99))[:-20], "image"),
    "cut jpeg": ("a.jpg", JPEG[:-30], "image"),
    "jpeg header only": ("a.jpg", JPEG[:20], "image"),
    "jpeg of padding": ("a.jpg", b"\xff\xd8" + b"\xff" * 10**6 + b"\xd9", "image"),
    "cmyk": ("a.jpg", _picture("jpeg", "CMYK"), "image"),
    "svg": ("a.svg", b"<svg/>", "format"),
    "pickle": ("model.pkl", pickle.dumps([1]), "format"),
    "pt": ("model.pt", _zip(**{"archive/data.pkl": pickle.dumps([1])}), "format"),
    "npz": ("a.npz", _zip(**{"a.npy": b"\x93NUMPY"}), "format"),
    "tar": ("model.tar", _tar(), "format"),
    "no suffix": ("png", b"x", "format"),
    "pickle as weights": ("a.safetensors", pickle.dumps([1]), "format"),
    "torchscript as weights": ("a.safetensors", _zip(**{"m/code/a.py": b"x"}), "format"),
    "npz as weights": ("a.safetensors", _zip(**{"a.npy": b"\x93NUMPY"}), "format"),
    "tar as weights": ("a.safetensors", _tar(), "format"),
    "no weights": ("a.safetensors", b"", "format"),
    "long header": ("a.safetensors", b"\xff" * 8 + b"{}", "format"),
    "header past the end": ("a.safetensors", (100).to_bytes(8, "little") + b"{}", "format"),
    "deep header": (
        "a.safetensors",
        _weights(b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}"),
        "format",
    ),
    "no json": ("a.safetensors", _weights(b"{'a': 1}"), "format"),
    "name twice": ("a.safetensors", _weights(b'{"a": 1, "a": 2}'), "format"),
    "valid name twice": (
        "a.safetensors",
        _weights(
            b'{"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]},'
            b' "a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}'
        ),
        "format",
    ),
    "gap": (
        "a.safetensors",
        _weights({**TWO, "b": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}}, b"\0" * 12),
        "format",
    ),
    "too long": ("a.safetensors", _weights(TWO, b"\0" * 9), "format"),
    "too short": ("a.safetensors", _weights(TWO, b"\0" * 7), "format"),
    "overlap": (
        "a.safetensors",
        _weights({**TWO, "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}),
        "format",
    ),
    "other shape": (
        "a.safetensors",
        _weights({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}),
        "format",
    ),
    "unknown type": (
        "a.safetensors",
        _weights({"a": {"dtype": "OBJECT", "shape": [8], "data_offsets": [0, 8]}}),
        "format",
    ),
    "shape of truth": (
        "a.safetensors",
        _weights({"a": {"dtype": "F64", "shape": [True], "data_offsets": [0, 8]}}),
        "format",
    ),
    "large picture": ("a.png", _picture("png") + b"\0" * 20_000_000, "artefact"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_whatever_needs_more_than_a_look_at_its_header_is_refused(name):
    file, data, reason = SPOILT[name]
    assert _refused(file, data) == reason


def _entry(path):
    return Entry((path.name,), lambda limit: read_file(path, limit), path)


@pytest.mark.parametrize("name", ["samples.png", "model.safetensors", "model.pt", "x"])
def test_links_pipes_and_sparse_files_are_no_artefacts(tmp_path, name):
    path = tmp_path / name
    path.symlink_to("/etc/passwd")
    with pytest.raises(Refused) as found:
        examine(_entry(path))
    assert found.value.reason == "artefact"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Refused) as found:
        examine(_entry(path))
    assert found.value.reason == "artefact"
    path.unlink()
    with path.open("wb") as file:
        file.truncate(10 << 30)
    with pytest.raises(Refused) as found:
        examine(_entry(path))
    assert found.value.reason in ("artefact", "format")
    assert name != "samples.png" or found.value.reason == "artefact"


def test_artefacts_belong_to_the_notebook_beside_them(tmp_path):
    for student in ("ada", "bob"):
        (tmp_path / student).mkdir()
        (tmp_path / student / "06_toy_lesson.ipynb").write_bytes(solved())
    (tmp_path / "ada" / "samples.png").write_bytes(_picture("png"))
    (tmp_path / "ada" / "model.pt").write_bytes(pickle.dumps(1))
    (tmp_path / "bob" / "out").mkdir()
    (tmp_path / "bob" / "out" / "w.safetensors").write_bytes(_weights(TWO))
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "samples.png").write_bytes(_picture("png"))
    found = gather(tmp_path, lessons=TOY)
    ada, bob = found.submissions
    assert [item.name for item in ada.artefacts] == ["samples.png"]
    assert [(item.name, item.reason) for item in ada.refused] == [("ada/model.pt", "format")]
    assert [item.kind for item in bob.artefacts] == ["safetensors"] and not bob.refused
    assert [(item.student, item.reason) for item in found.rejected] == [("eve", "artefact")]


def test_no_picture_is_decoded_and_no_weights_are_loaded(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("somebody looks at what a stranger made")

    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "06_toy_lesson.ipynb").write_bytes(solved())
    (tmp_path / "ada" / "a.png").write_bytes(_sided(4096, 4096))  # far more than its bytes hold
    (tmp_path / "ada" / "b.jpg").write_bytes(JPEG[:700] + os.urandom(500) + JPEG[-2:])
    (tmp_path / "ada" / "c.safetensors").write_bytes(_weights(TWO))
    for name in ("torch.load", "torch.frombuffer", "numpy.frombuffer", "safetensors.safe_open"):
        monkeypatch.setattr(name, refuse)
    for name in ("PIL.Image.open", "PIL.Image.frombytes", "zlib.decompress", "zlib.decompressobj"):
        monkeypatch.setattr(name, refuse)
    (ada,) = gather(tmp_path, lessons=TOY).submissions
    assert [item.kind for item in ada.artefacts] == ["png", "jpeg", "safetensors"]
    held = {type(value) for item in ada.artefacts for value in astuple(item)}
    assert held == {str, int}, "nothing of the content is passed on"


def test_no_artefact_changes_the_answers(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "06_toy_lesson.ipynb").write_bytes(solved())
    (plain,) = gather(tmp_path, lessons=TOY).submissions
    (tmp_path / "ada" / "06_toy_lesson.py").write_text("raise SystemExit")
    (tmp_path / "ada" / "conftest.py").write_text("raise SystemExit")
    (with_files,) = gather(tmp_path, lessons=TOY).submissions
    assert with_files.cells == plain.cells and len(with_files.refused) == 2
