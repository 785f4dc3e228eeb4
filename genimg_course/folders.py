"""Where the course may keep files on this machine."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "data_folder"]


def cache_folder() -> Path | None:
    """Return the folder of the course's cache, which need not exist yet.

    Returns:
        ``GENIMG_CACHE_DIR``, else ``genimg_course`` in ``XDG_CACHE_HOME``, else
        ``.cache/genimg_course`` in the home folder, else None.
    """
    if own := os.environ.get("GENIMG_CACHE_DIR"):
        return Path(own).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "genimg_course"
    # without HOME, Python would look up the account's folder: a place that nobody offered
    home = os.environ.get("USERPROFILE" if os.name == "nt" else "HOME")
    return Path(home) / ".cache" / "genimg_course" if home else None


def data_folder() -> Path | None:
    """Return the folder of downloaded data sets, which need not exist yet.

    Returns:
        ``GENIMG_DATA_DIR``, else ``data`` in the cache folder, else None.
    """
    if own := os.environ.get("GENIMG_DATA_DIR"):
        return Path(own).expanduser()
    cache = cache_folder()
    return None if cache is None else cache / "data"
