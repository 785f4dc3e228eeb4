"""The cache: where it lies, and that it never gives torn or damaged arrays."""

import os
import warnings

import numpy as np
import pytest

from genimg_course.data.cache import remember
from genimg_course.folders import cache_folder

ARRAYS: dict[str, np.ndarray] = {
    "a": np.arange(12, dtype=np.uint8).reshape(3, 4),
    "b": np.linspace(0, 1, 5),
}


def make() -> dict[str, np.ndarray]:
    return {name: values.copy() for name, values in ARRAYS.items()}


def never() -> dict[str, np.ndarray]:
    raise AssertionError("made again")


def same(arrays: dict[str, np.ndarray]) -> bool:
    return set(arrays) == set(ARRAYS) and all(
        arrays[name].dtype == ARRAYS[name].dtype and np.array_equal(arrays[name], ARRAYS[name])
        for name in ARRAYS
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GENIMG_CACHE_DIR", str(tmp_path / "a place" / "中文"))
    return tmp_path / "a place" / "中文"


def test_the_folder_is_the_first_that_somebody_offers(tmp_path, monkeypatch):
    for name in ("GENIMG_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "USERPROFILE"):
        monkeypatch.delenv(name, raising=False)
    assert cache_folder() is None
    monkeypatch.setenv("USERPROFILE" if os.name == "nt" else "HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "genimg_course"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "genimg_course"
    monkeypatch.setenv("GENIMG_CACHE_DIR", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_what_is_stored_is_read_back_without_being_made_again(folder):
    assert same(remember("x", make))
    assert same(remember("x", never))
    assert [path.name for path in folder.iterdir()] == ["x.npz"]


def test_a_stored_file_opens_with_numpy_alone(folder):
    remember("x", make)
    with np.load(folder / "x.npz") as file:
        assert same(dict(file))


def test_any_flipped_bit_is_noticed_named_and_repaired(folder):
    remember("x", make)
    path = folder / "x.npz"
    whole = path.read_bytes()
    for place in range(0, len(whole), 37):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.warns(UserWarning, match=r"x\.npz is damaged") as caught:
            assert same(remember("x", make))
        assert len(caught) == 1 and "\n" not in str(caught[0].message)
        assert same(remember("x", never))


@pytest.mark.parametrize("kept", [0, 1, 63, 64, 500])
def test_a_truncated_file_is_noticed(folder, kept):
    remember("x", make)
    path = folder / "x.npz"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.warns(UserWarning, match="damaged"):
        assert same(remember("x", make))


def test_a_write_that_fails_leaves_nothing_behind_and_says_nothing(folder, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("genimg_course.files.os.fsync", full)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(remember("x", make))
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GENIMG_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(remember("x", make))


def test_without_any_home_nothing_is_written(tmp_path, monkeypatch):
    for name in ("GENIMG_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "USERPROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert same(remember("x", make))
    assert list(tmp_path.iterdir()) == []
