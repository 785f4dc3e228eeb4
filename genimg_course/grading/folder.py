"""The folder of grades: one grader at a time, one seed, and a sentence if it cannot be written."""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from genimg_course.files import write_whole
from genimg_course.grading.outcome import GradingError

__all__ = ["alone", "choose_seed", "writing"]


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn what may go wrong with the folder of grades into a sentence."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise GradingError(
            f"cannot write to {out} ({error.strerror or error}): what was judged so far is kept; "
            "make room there or choose another --out, then run the same command again"
        ) from error


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Keep a second grader out; the operating system frees the lock of one that was killed."""
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise GradingError(
            f"another grader works in {out}: wait until it has ended, or choose another --out"
        ) from error
    try:
        yield
    finally:
        lock.release()


def choose_seed(
    out: Path, wanted: int | None, used: Iterable[int], tell: Callable[[str], None]
) -> int:
    """Return the seed of a folder, drawn and written down where there is none.

    Args:
        out: the folder.
        wanted: the seed that was asked for.
        used: seeds of what was judged there before, which count if the folder has lost its own.
        tell: gets a sentence if it has.

    Raises:
        OSError: if the seed cannot be written down.
    """
    path = out / "settings.json"
    written = _written_seed(path, tell)
    known = written if written is not None else next(iter(used), None)
    seed = wanted if wanted is not None else known
    if seed is None:
        seed = secrets.randbelow(2**31)  # nobody who hands something in can know it
    if seed != written:
        write_whole(path, json.dumps({"seed": seed}) + "\n")
    return seed


def _written_seed(path: Path, tell: Callable[[str], None]) -> int | None:
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["seed"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        tell(f"{path} is damaged: it is written anew")
        return None
