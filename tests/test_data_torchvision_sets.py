"""MNIST and Fashion-MNIST: read right, verified, and a clear sentence when something is wrong."""

import contextlib
import gzip
import hashlib
import http.server
import os
import shutil
import socket
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genimg_course.data import DataError, download, load
from genimg_course.data.torchvision_sets import _SOURCES

FOLDERS = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}
FIRST = {
    ("mnist", "train"): [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
    ("mnist", "test"): [7, 2, 1, 0, 4, 1, 4, 9, 5, 9],
    ("fashion_mnist", "train"): [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
    ("fashion_mnist", "test"): [9, 2, 1, 1, 6, 1, 4, 6, 5, 7],
}


@pytest.fixture
def data_dir(data_root, monkeypatch) -> Path:
    monkeypatch.setenv("GENIMG_DATA_DIR", str(data_root))
    return data_root


@pytest.fixture
def offline(monkeypatch) -> None:
    def refuse(*arguments, **options):
        raise OSError("the test has cut the network")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


@pytest.fixture
def own_copy(data_dir, tmp_path, monkeypatch) -> Path:
    """Return a raw folder of unpacked MNIST files, links that a test may replace."""
    load("mnist", split="test", count=1)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in (data_dir / "MNIST" / "raw").glob("*-ubyte"):
        (raw / file.name).symlink_to(file)
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path))
    return raw


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def left_in(folder: Path) -> list[Path]:
    """Return the files of a folder, but for the lock, which is empty."""
    return [p for p in folder.rglob("*") if p.is_file() and p.name != ".MNIST.lock"]


def refusal(name: str = "mnist", **options) -> str:
    with pytest.raises(DataError) as caught:
        load(name, **options)
    sentence = str(caught.value)
    assert "load('glyphs')" in sentence and "\n" not in sentence and len(sentence) < 600
    return sentence


@pytest.mark.parametrize("name, split", FIRST)
def test_the_first_labels_are_the_published_ones(data_dir, offline, capfd, name, split):
    digits = load(name, split=split, count=10)
    assert digits.labels is not None and digits.labels.tolist() == FIRST[name, split]
    assert digits.images.shape == (10, 1, 28, 28)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", FOLDERS)
def test_images_and_labels_equal_the_published_files(data_dir, real_data, name):
    packed = real_data / FOLDERS[name] / "raw"
    pixels = gzip.decompress((packed / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((packed / "train-labels-idx1-ubyte.gz").read_bytes())[8:]
    images = np.frombuffer(pixels, np.uint8).reshape(60_000, 1, 28, 28)
    for split, rows in {"train": slice(0, 50_000), "validation": slice(50_000, None)}.items():
        part = load(name, split=split)
        assert part.labels is not None and part.labels.numpy().tolist() == list(labels[rows])
        assert np.array_equal(part.images.numpy(), images[rows])


@pytest.mark.parametrize("name", FOLDERS)
def test_the_md5_sums_are_those_of_the_published_files(real_data, name):
    packed = real_data / FOLDERS[name] / "raw"
    for file, expected in _SOURCES[name].md5.items():
        content = gzip.decompress((packed / f"{file}.gz").read_bytes())
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == expected


def test_ten_thousand_test_images(data_dir):
    assert len(load("mnist", split="test")) == 10_000


def test_a_card_names_licence_citation_and_classes(data_dir):
    card = load("fashion_mnist", split="test", count=1, size=32).card
    assert card.shape == (1, 32, 32) and card.classes[9] == "Ankle boot"
    assert "MIT" in str(card) and "1708.07747" in str(card)


@pytest.mark.parametrize("size", [9, 14, 32])
def test_another_size_is_what_pillows_anti_aliased_resizing_gives(data_dir, size):
    whole = load("mnist", split="test", count=20).images[:, 0].numpy()
    resized = load("mnist", split="test", count=20, size=size).images[:, 0].numpy()
    for before, after in zip(whole, resized, strict=True):
        pillow = Image.fromarray(before).resize((size, size), Image.Resampling.BILINEAR)
        assert np.abs(np.asarray(pillow).astype(int) - after).max() <= 1


def test_a_flipped_byte_is_refused(own_copy, offline):
    path = own_copy / "t10k-labels-idx1-ubyte"
    content = bytearray(path.read_bytes())
    content[5_000] ^= 1
    replace(path, bytes(content))
    sentence = refusal(split="test")
    assert str(path) in sentence and "altered" in sentence and "delete it" in sentence


def test_a_truncated_file_is_refused(own_copy, offline):
    path = own_copy / "t10k-images-idx3-ubyte"
    replace(path, path.read_bytes()[:-1])
    sentence = refusal(split="test")
    assert str(path) in sentence and "7,840,015 bytes instead of 7,840,016" in sentence


def test_a_file_altered_after_the_first_load_is_refused(own_copy, offline):
    load("mnist", split="test", count=1)
    path = own_copy / "t10k-labels-idx1-ubyte"
    content = path.read_bytes()
    replace(path, content[:-1] + bytes([content[-1] ^ 1]))
    assert "altered" in refusal(split="test")


def test_files_of_an_old_torchvision_are_not_read(own_copy, offline):
    processed = own_copy.parent / "processed"
    processed.mkdir()
    for file in ("training.pt", "test.pt"):
        torch.save((torch.zeros(9, 28, 28, dtype=torch.uint8), torch.zeros(9)), processed / file)
    assert len(load("mnist", split="test")) == 10_000


def test_no_network_and_no_files_give_one_sentence_at_once(tmp_path, monkeypatch, offline, capfd):
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path))
    start = time.monotonic()
    sentence = refusal()
    assert time.monotonic() - start < 5
    assert str(tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte.gz") in sentence
    assert "is missing" in sentence and "the test has cut the network" in sentence
    assert capfd.readouterr() == ("", "")
    assert left_in(tmp_path) == []


def test_a_network_that_never_answers_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(download, "_PROBE_SECONDS", 0.2)
    end_of_test = threading.Event()

    def hang(*arguments, **options):
        end_of_test.wait(20)
        raise OSError("too late")

    monkeypatch.setattr(urllib.request, "urlopen", hang)
    start = time.monotonic()
    assert "no answer" in refusal("fashion_mnist")
    assert time.monotonic() - start < 5
    end_of_test.set()


def test_a_damaged_packed_file_is_named(tmp_path, monkeypatch, real_data, offline):
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path))
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in (real_data / "MNIST" / "raw").glob("*.gz"):
        (raw / packed.name).symlink_to(packed)
    replace(raw / "t10k-labels-idx1-ubyte.gz", b"<html>Please log in</html>")
    assert f"{raw / 't10k-labels-idx1-ubyte.gz'} is damaged" in refusal()


def test_without_a_place_for_the_files_the_sentence_says_which_variable_to_set(monkeypatch):
    for name in ("GENIMG_DATA_DIR", "GENIMG_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "USERPROFILE"):
        monkeypatch.delenv(name, raising=False)
    assert "GENIMG_DATA_DIR" in refusal()


def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch, offline):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path / "file"))
    sentence = refusal()
    assert str(tmp_path / "file") in sentence and "cannot write" in sentence


def test_without_data_folder_the_cache_holds_the_data(data_root, tmp_path, monkeypatch):
    monkeypatch.delenv("GENIMG_DATA_DIR", raising=False)
    monkeypatch.setenv("GENIMG_CACHE_DIR", str(tmp_path))
    (tmp_path / "data").symlink_to(data_root)
    assert len(load("mnist", split="test", count=3)) == 3


@contextlib.contextmanager
def server(folder: Path):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()


def mirrors(monkeypatch, *addresses: str) -> None:
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", list(addresses))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_a_download_skips_dead_mirrors_and_leaves_whole_files(
    real_data, tmp_path, monkeypatch, capfd
):
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path / "new"))
    with server(real_data / "MNIST" / "raw") as address:
        mirrors(monkeypatch, "http://127.0.0.1:9/", address)
        digits = load("mnist", split="test", count=10)
    assert digits.labels is not None and digits.labels.tolist() == FIRST["mnist", "test"]
    out, err = capfd.readouterr()
    assert out.count("\n") == 1 and "Downloading MNIST" in out and err == ""
    assert len(list((tmp_path / "new" / "MNIST" / "raw").iterdir())) == 8
    assert {path.name for path in (tmp_path / "new").iterdir()} <= {"MNIST", ".MNIST.lock"}
    assert socket.getdefaulttimeout() is None


def test_an_answer_that_is_not_the_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path / "new"))
    (tmp_path / "portal").mkdir()
    for file in _SOURCES["mnist"].md5:
        (tmp_path / "portal" / f"{file}.gz").write_text("<html>Please log in</html>")
    with server(tmp_path / "portal") as address:
        mirrors(monkeypatch, address)
        assert "cannot be downloaded" in refusal()
    assert left_in(tmp_path / "new") == []


def test_two_processes_that_want_the_same_files_fetch_them_once(real_data, tmp_path, monkeypatch):
    """Fault F04."""
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path / "new"))
    fetched = []
    fetch = download._fetch
    monkeypatch.setattr(download, "_fetch", lambda *a: fetched.append(a) or fetch(*a))
    labels = {}
    with server(real_data / "MNIST" / "raw") as address:
        mirrors(monkeypatch, address)
        threads = [
            threading.Thread(target=lambda n=n: labels.update({n: load("mnist", count=5).labels}))
            for n in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert labels[0].tolist() == labels[1].tolist() == FIRST["mnist", "train"][:5]
    assert len(fetched) == 1


def test_deleting_a_refused_file_repairs_the_set(data_dir, tmp_path, monkeypatch, offline):
    load("mnist", split="test", count=1)
    shutil.copytree(data_dir / "MNIST", tmp_path / "MNIST", symlinks=True)
    monkeypatch.setenv("GENIMG_DATA_DIR", str(tmp_path))
    path = tmp_path / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    path.write_bytes(b"nonsense")
    assert str(path) in refusal(split="test")
    os.remove(path)
    assert len(load("mnist", split="test", count=5)) == 5


@pytest.mark.parametrize("options", [{"size": 3}, {"size": 129}, {"count": 60_000}, {"count": 0}])
def test_impossible_wishes_are_refused(options):
    with pytest.raises(ValueError, match=r"is \d+"):
        load("mnist", **options)
