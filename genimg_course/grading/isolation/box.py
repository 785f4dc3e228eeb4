"""The place of one zygote: an empty folder to stand in, and links to what it may import."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from genimg_course.grading.isolation.libraries import libraries

__all__ = ["OPTIONS", "Box"]

OPTIONS = ("-s", "-S", "-P", "-B")
"""No packages of the user, none of the site, nothing from the folder, nothing written."""


@dataclass(frozen=True)
class Box:
    """Paths of a box.

    Args:
        package: the folder that holds the copy of ``genimg_course``.
        folder: made for this box, and removed with it; its name marks its processes.
    """

    package: Path
    folder: Path

    @classmethod
    def make(cls, package: Path) -> "Box":
        """Make the folders of a box.

        Args:
            package: the copy of ``genimg_course``, or the folder that holds it.

        Raises:
            ValueError: if there is no such package.
        """
        package = package.resolve()
        if package.name == "genimg_course" and not (package / "genimg_course").is_dir():
            package = package.parent
        if not (package / "genimg_course" / "grading" / "box" / "zygote.py").is_file():
            raise ValueError(f"{package} holds no copy of the package that can run answers")
        box = cls(package, Path(tempfile.mkdtemp(prefix="genimg-box-")).resolve())
        box.site.mkdir()
        for name, path in libraries().items():
            (box.site / name).symlink_to(path)
        box.empty.mkdir(mode=0o555)
        box.secret.write_text("nobody inside may read this\n", encoding="utf-8")
        return box

    @property
    def options(self) -> tuple[str, ...]:
        """Return the options of the interpreter."""
        return OPTIONS

    @property
    def site(self) -> Path:
        """Return the folder of links to libraries."""
        return self.folder / "site"

    @property
    def empty(self) -> Path:
        """Return the empty folder in which answers run."""
        return self.folder / "empty"

    @property
    def secret(self) -> Path:
        """Return a file that must not be readable from inside."""
        return self.folder / "secret"

    @property
    def marker(self) -> str:
        """Return a text that stands in the command line of each process of the box."""
        return self.folder.name

    def remove(self) -> None:
        """Remove the folders."""
        shutil.rmtree(self.folder, ignore_errors=True)
