"""Packages from npm for the book: fetched once, checked, and unpacked beside the pages."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genimg_course.folders import cache_folder

__all__ = ["Package", "unpack"]


@dataclass(frozen=True)
class Package:
    """Name a package of npm, exactly.

    Args:
        name: as npm knows it.
        version: the one that was tried.
        sha512: digest of the packed file in base64, as npm gives it under ``dist.integrity``.
    """

    name: str
    version: str
    sha512: str

    @property
    def file(self) -> str:
        """Return the name under which npm packs it and the cache keeps it."""
        return f"{self.name}-{self.version}.tgz"


def unpack(package: Package, parts: Mapping[str, str], folder: Path) -> bool:
    """Unpack the parts of a package that the pages need, from the cache or from npm.

    Args:
        package: which one.
        parts: beginnings of paths in the package, each with what stands there in ``folder``.
        folder: where to unpack.

    Returns:
        Whether the package was to be had; nothing is written if not.
    """
    with tempfile.TemporaryDirectory() as scratch:
        packed = _packed(package, Path(scratch))
        if packed is None:
            return False
        with tarfile.open(packed) as archive:
            for member in archive:
                name = member.name.removeprefix("package/")
                part = next((part for part in parts if name.startswith(part)), None)
                if part is None or not member.isfile():
                    continue
                target = folder / (parts[part] + name.removeprefix(part))
                target.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None  # it is a file
                target.write_bytes(content.read())
    return True


def _packed(package: Package, scratch: Path) -> Path | None:
    """Return the package, checked: the cached one, or a new one, which is cached if possible."""
    cache = cache_folder()
    cached = cache / "npm" / package.file if cache else None
    if cached and _is_whole(cached, package):
        return cached
    fetched = _fetched(package, scratch)
    if fetched and cached:
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            unfinished = cached.with_name(f".{cached.name}.{os.getpid()}")
            shutil.copyfile(fetched, unfinished)
            os.replace(unfinished, cached)
        except OSError:
            pass  # the next build fetches it again
    return fetched


def _fetched(package: Package, scratch: Path) -> Path | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "pack", f"{package.name}@{package.version}", "--silent"]
    command += ["--fetch-retries=0", "--fetch-timeout=60000"]
    command += ["--cache", str(scratch / "npm"), "--pack-destination", str(scratch)]
    try:
        subprocess.run(command, cwd=scratch, capture_output=True, timeout=300, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    fetched = scratch / package.file
    return fetched if _is_whole(fetched, package) else None


def _is_whole(path: Path, package: Package) -> bool:
    try:
        digest = hashlib.sha512(path.read_bytes()).digest()
    except OSError:
        return False
    return base64.b64encode(digest).decode() == package.sha512
