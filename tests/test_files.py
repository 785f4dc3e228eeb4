"""A file is written whole or not at all."""

from __future__ import annotations

import pytest

from genimg_course.files import remove_unfinished, write_whole


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


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path):
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "file").symlink_to(tmp_path / "elsewhere")
    write_whole(tmp_path / "file", "new")
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").read_text() == "new"
    assert (tmp_path / "elsewhere").read_text() == "kept"


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", lambda *_: None)  # killed before it
        write_whole(tmp_path / "file", "new")
    assert len(list(tmp_path.iterdir())) == 1
    (tmp_path / ".film.partial").write_text("kept")
    remove_unfinished(tmp_path)
    remove_unfinished(tmp_path / "missing")
    assert [path.name for path in tmp_path.iterdir()] == [".film.partial"]
