"""A file is written whole or not at all."""

from __future__ import annotations

import pytest

from genimg_course.files import write_whole


@pytest.mark.parametrize(
    ("content", "bytes_"), [("Grüße\n", b"Gr\xc3\xbc\xc3\x9fe\n"), (b"\x00\xff", b"\x00\xff")]
)
def test_text_and_bytes_arrive_as_they_are(tmp_path, content, bytes_):
    write_whole(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == bytes_
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("step", ["genimg_course.files.os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    (tmp_path / "file").write_text("old")
    monkeypatch.setattr(step, full)
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
