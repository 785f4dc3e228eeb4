"""The names of the data sets, and the one function that loads them."""

from genimg_course.data import folder, glyphs, torchvision_sets
from genimg_course.data.sets import ImageSet

__all__ = ["available", "load"]

_KNOWN = {
    "glyphs": "digits drawn from fonts, with known factors; no download (the default)",
    "mnist": "handwritten digits, 28 x 28 grey; downloaded once (11 MB)",
    "fashion_mnist": "articles of clothing, 28 x 28 grey; downloaded once (30 MB)",
    "folder:PATH": "your own pictures in the folder PATH; sub-folders become classes",
}
_SPLITS = ("train", "validation", "test")


def available() -> list[tuple[str, str]]:
    """List the data sets that ``load`` knows.

    Returns:
        One pair of a name and a line of explanation for each.
    """
    return list(_KNOWN.items())


def load(
    name: str,
    *,
    size: int | None = None,
    split: str = "train",
    count: int | None = None,
    seed: int = 0,
) -> ImageSet:
    """Load a data set by its name.

    Args:
        name: "glyphs", "mnist", "fashion_mnist" or "folder:PATH".
        size: side of the square pictures in pixels; None takes 28, or 64 for a folder.
        split: "train", "validation" or "test".
        count: how many pictures; None takes all, or for glyphs 20,000 to train and 4,000 else.
        seed: which draw of a procedural set; sets made of files do not depend on it.

    Returns:
        The pictures with labels, card and known factors; the same bytes on every call.

    Raises:
        ValueError: if a name, a size or a count is impossible.
        DataError: if a file is missing, damaged or unreadable.
    """
    if split not in _SPLITS:
        raise ValueError(f"split {split!r} is unknown; choose one of {', '.join(_SPLITS)}")
    if count is not None and count < 1:
        raise ValueError(f"count is {count}; ask for at least one picture")
    kind, colon, path = name.partition(":")
    if kind == "folder" and colon:
        return folder.load_folder(path, size=64 if size is None else size, split=split, count=count)
    size = 28 if size is None else size
    if name == "glyphs":
        return glyphs.load_glyphs(size=size, split=split, count=count, seed=seed)
    if name in torchvision_sets.NAMES:
        return torchvision_sets.load_downloaded(name, size=size, split=split, count=count)
    raise ValueError(f"data set {name!r} is unknown; choose one of {', '.join(_KNOWN)}")
