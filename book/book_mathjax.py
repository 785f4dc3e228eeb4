"""MathJax for the book: fetched once from npm, checked, unpacked beside the pages."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from genimg_course.folders import cache_folder

__all__ = ["mathjax"]

_MATHJAX = "mathjax-3.2.2.tgz"
_MATHJAX_SHA512 = (
    "Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw=="
)
_MATHJAX_SCRIPT = "tex-mml-chtml.js"
# what that script loads by itself: fonts, rare TeX packages, its menu, and speech in English
_MATHJAX_PARTS = (
    f"es5/{_MATHJAX_SCRIPT}",
    "es5/output/chtml/fonts/",
    "es5/input/tex/extensions/",
    "es5/ui/",
    "es5/a11y/",
    "es5/sre/mathmaps/base.json",
    "es5/sre/mathmaps/en.json",
    "LICENSE",
)
_MATHJAX_CDN = f"https://cdn.jsdelivr.net/npm/mathjax@3.2.2/es5/{_MATHJAX_SCRIPT}"


def mathjax(folder: Path) -> str:
    """Unpack MathJax into a folder of the site, from the cache or from npm.

    Returns:
        The path of the script below the site's static files; the address of a public copy where
        neither npm nor the cache has it, and then one sentence says so.
    """
    with tempfile.TemporaryDirectory() as scratch:
        package = _mathjax_package(Path(scratch))
        if package is None:
            print(
                "MathJax could not be fetched with npm: "
                "the pages will load it from cdn.jsdelivr.net."
            )
            return _MATHJAX_CDN
        with tarfile.open(package) as archive:
            for member in archive:
                name = member.name.removeprefix("package/")
                if member.isfile() and name.startswith(_MATHJAX_PARTS):
                    target = folder / "mathjax" / name.removeprefix("es5/")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    content = archive.extractfile(member)
                    assert content is not None  # it is a file
                    target.write_bytes(content.read())
    return f"{folder.name}/mathjax/{_MATHJAX_SCRIPT}"


def _mathjax_package(scratch: Path) -> Path | None:
    """Return the package, checked: the cached one, or a new one, which is cached if possible."""
    cache = cache_folder()
    cached = cache / "npm" / _MATHJAX if cache else None
    if cached and _is_mathjax(cached):
        return cached
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [
        npm,
        "pack",
        "mathjax@3.2.2",
        "--silent",
        "--fetch-retries=0",
        "--fetch-timeout=30000",
    ]
    command += ["--cache", str(scratch / "npm"), "--pack-destination", str(scratch)]
    try:
        subprocess.run(command, cwd=scratch, capture_output=True, timeout=120, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    fetched = scratch / _MATHJAX
    if not _is_mathjax(fetched):
        return None
    if cached:
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            unfinished = cached.with_name(f".{cached.name}.{os.getpid()}")
            shutil.copyfile(fetched, unfinished)
            os.replace(unfinished, cached)
        except OSError:
            pass  # the next build fetches it again
    return fetched


def _is_mathjax(path: Path) -> bool:
    try:
        digest = hashlib.sha512(path.read_bytes()).digest()
    except OSError:
        return False
    return base64.b64encode(digest).decode() == _MATHJAX_SHA512
