"""Fetching the files of a torchvision data set: all of them or none, quickly or with a sentence."""

import io
import os
import shutil
import socket
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from http.client import HTTPException
from pathlib import Path
from typing import Any

from filelock import FileLock

from genimg_course.data.sets import DataError

__all__ = ["ALTERNATIVE", "complete", "plain_loader"]

ALTERNATIVE = "or use load('glyphs'), which needs no files"
_PROBE_SECONDS = 5.0
_STALL_SECONDS = 5.0


def complete(root: Path, loader: str, *, files: tuple[str, ...]) -> None:
    """See to it that the unpacked files of a data set are there.

    Packed files that lie there already are unpacked; only what is missing is downloaded. All this
    happens in a folder aside, so that what appears in ``root`` is whole.

    Args:
        root: folder of all data sets.
        loader: name of the class in ``torchvision.datasets``, and of the folder in ``root``.
        files: names of the unpacked files.

    Raises:
        DataError: if a file is missing and cannot be had, or cannot be written.
    """
    raw = root / loader / "raw"

    def there() -> bool:
        return all((raw / file).is_file() for file in files)

    if there():
        return
    try:
        raw.mkdir(parents=True, exist_ok=True)
        # a second process, such as another GPU's, waits here and finds the files in place
        with FileLock(root / f".{loader}.lock"):
            if there():
                return
            with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=root) as aside:
                fetched = _fetch(raw, Path(aside), loader)
                for file in [*files, *fetched]:
                    os.replace(Path(aside, loader, "raw", file), raw / file)
    except DataError:
        raise
    except OSError as error:
        raise DataError(
            f"cannot write the files of {loader} to {root} ({error.strerror or error}): set "
            f"GENIMG_DATA_DIR to another folder, {ALTERNATIVE}"
        ) from error


def plain_loader(loader: str, **attributes: Any) -> Any:
    """Return a loader of torchvision that reads only the published files.

    Args:
        loader: name of the class in ``torchvision.datasets``.
        attributes: class attributes to change.

    Returns:
        A subclass of the same name. The original prefers ``processed/*.pt``, which old versions
        left behind and nobody can verify.
    """
    from torchvision import datasets

    attributes["_check_legacy_exist"] = lambda self: False
    return type(loader, (getattr(datasets, loader),), attributes)


def _fetch(raw: Path, aside: Path, loader: str) -> list[str]:
    """Unpack into ``aside`` what lies in ``raw``; return the names of what was downloaded."""
    from torchvision.datasets.utils import check_integrity

    published = plain_loader(loader)
    staged = aside / loader / "raw"
    staged.mkdir(parents=True)
    missing = []
    for file, md5 in published.resources:
        if check_integrity(raw / file, md5):
            shutil.copyfile(raw / file, staged / file)
        else:
            missing.append(raw / file)
    mirrors = _answering(published.mirrors, missing[0], loader) if missing else published.mirrors
    try:
        with _quiet(), _impatient():
            plain_loader(loader, mirrors=mirrors)(str(aside), download=True)
    except (HTTPException, OSError, RuntimeError) as error:
        raise _unavailable(missing[0] if missing else raw, loader, str(error)) from error
    return [path.name for path in missing]


def _answering(mirrors: list[str], missing: Path, loader: str) -> list[str]:
    """Return the mirrors that offer a file, after a few seconds at most."""
    answers: dict[str, str] = {}

    def ask(mirror: str) -> None:
        request = urllib.request.Request(mirror + missing.name, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=_PROBE_SECONDS).close()
            answers[mirror] = ""
        except (HTTPException, OSError) as error:
            answers[mirror] = str(error)

    # threads, because nothing else ends the search for a host's address after a given time
    threads = [threading.Thread(target=ask, args=(m,), daemon=True) for m in mirrors]
    for thread in threads:
        thread.start()
    end = time.monotonic() + _PROBE_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    offering = [mirror for mirror in mirrors if answers.get(mirror) == ""]
    if not offering:
        reasons = dict.fromkeys(answers.get(mirror, "no answer") for mirror in mirrors)
        raise _unavailable(missing, loader, "; ".join(reasons))
    print(f"Downloading {loader} to {missing.parent}, once.")
    return offering


def _unavailable(path: Path, loader: str, reason: str) -> DataError:
    state = "is damaged" if path.exists() else "is missing"
    reason = " ".join(reason.split())
    return DataError(
        f"{path} {state} and cannot be downloaded ({reason}): go online and load it again, put "
        f"the four .gz files of {loader} there by hand, {ALTERNATIVE}"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield


@contextmanager
def _impatient() -> Iterator[None]:
    """Let a connection that stalls fail; torchvision sets no limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_STALL_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
