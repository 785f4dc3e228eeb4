"""The host around an attack: canaries, listeners, and what must hold afterwards (I1 to I7).

A host is a scratch copy of the course with a home folder of its own. Secrets are planted where an
attacker would look, listeners wait where one would knock, and marked names and processes are
looked for afterwards. Nothing outside the scratch folder is written.
"""

import contextlib
import ctypes
import hashlib
import os
import re
import secrets
import shutil
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from attacks.writing import ROOT

__all__ = ["MARK", "Host", "make_host", "strays", "tree_hash"]

MARK = "attackmark"
"""Names of processes and files that attackers make begin with this."""

SECRET = re.compile(r"canary-[0-9a-f]{16}")

_COPIED = ("genimg_course", "notebooks", "solutions", "pyproject.toml")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "weights", "*.safetensors", "_build")


@dataclass(frozen=True)
class Host:
    """What an attacker knows of the host: where everything is, but no secret.

    Args:
        folder: holds all of it.
        tcp: port of the listener on 127.0.0.1.
        udp: port of the other one.
        secrets: the planted tokens, by place; builders of submissions must not use them.
    """

    folder: Path
    tcp: int = 9
    udp: int = 9
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    touched: list[str] = field(default_factory=list, repr=False)

    @property
    def course(self) -> Path:
        return self.folder / "course"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def source(self) -> Path:
        return self.folder / "submissions"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def scratch(self) -> Path:
        return self.folder / "tmp"

    @property
    def unix(self) -> Path:
        return self.folder / "s"

    @property
    def abstract(self) -> str:
        return f"{MARK}-{hashlib.sha256(bytes(self.folder)).hexdigest()[:16]}"

    def environment(self) -> dict[str, str]:
        """Return the environment of the grader: a home of its own and a secret."""
        kept = ("PATH", "LANG", "LC_ALL", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "LD_LIBRARY_PATH")
        return {name: os.environ[name] for name in kept if name in os.environ} | {
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "PYTHONPATH": str(self.course),
            "MPLCONFIGDIR": str(self.folder / "cache"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "GENIMG_CACHE_DIR": str(self.folder / "cache"),
            "INSTRUCTOR_TOKEN": self.secrets.get("environment", ""),
        }

    def state(self) -> dict[str, str]:
        """Return a hash of every place that no submission may change."""
        return {
            "course": tree_hash(self.course),
            "home": tree_hash(self.home),
            "gradebook": tree_hash(self.folder / "gradebook"),
            "site-packages": tree_hash(_site_packages(), depth=1),
        }

    def leaks(self, *texts: str) -> list[str]:
        """Return the names of the secrets in these texts or in any file of the output."""
        data = [text.encode("utf-8", "replace") for text in texts]
        for path in self.out.rglob("*"):
            if path.is_file() and not path.is_symlink():
                data.append(path.read_bytes())
        data += [os.fsencode(path) for path in self.out.rglob("*")]
        return [
            place
            for place, token in self.secrets.items()
            if any(token.encode() in item for item in data)
        ]


def make_host(folder: Path) -> Host:
    """Make a copy of the course, a home, and secrets in both."""
    host = Host(
        folder,
        secrets={
            place: "canary-" + secrets.token_hex(8)
            for place in ("environment", "home", "tests", "solutions", "neighbour", "gradebook")
        },
    )
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, host.course / name, ignore=_LEFT_OUT)
        else:
            host.course.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, host.course / name)
    _plant(host)
    return host


def _plant(host: Host) -> None:
    home = {".canary": "home", ".ssh/id_ed25519": "home", ".netrc": "home"}
    for name in (".kaggle/kaggle.json", ".bashrc", ".config/autostart/x.desktop"):
        home[name] = "home"
    for name, place in home.items():
        _write(host.home / name, host.secrets[place])
    _write(host.course / "tests/test_hidden.py", f"# {host.secrets['tests']}\nEXPECTED = 1\n")
    _write(host.course / ".git/hooks/pre-commit.sample", "#!/bin/sh\n")
    _write(host.course / "solutions/06_hidden.py", f"# {host.secrets['solutions']}\n")
    _write(host.folder / "gradebook/grades.csv", f"anna,10,{host.secrets['gradebook']}\n")
    for path in (host.source, host.scratch):
        path.mkdir(parents=True, exist_ok=True)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _site_packages() -> Path:
    return Path(contextlib.__file__).parent if os.name != "posix" else Path(_torch_folder())


def _torch_folder() -> str:
    import importlib.util

    found = importlib.util.find_spec("torch")
    assert found is not None and found.origin is not None
    return str(Path(found.origin).parents[1])


def tree_hash(folder: Path, *, depth: int = 99) -> str:
    """Return a hash of names, kinds, permissions and contents; big files by size and time.

    Bytecode that the trusted process writes beside its own modules is left out.
    """
    digest = hashlib.sha256()
    for root, folders, files in os.walk(folder):
        here = Path(root)
        if len(here.relative_to(folder).parts) >= depth:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted([*folders, *files]):
            path = here / name
            info = path.lstat()
            digest.update(f"{path.relative_to(folder)}|{stat.filemode(info.st_mode)}|".encode())
            if stat.S_ISLNK(info.st_mode):
                digest.update(os.fsencode(os.readlink(path)))
            elif stat.S_ISREG(info.st_mode):
                small = info.st_size < 1_000_000 and depth > 1
                digest.update(
                    path.read_bytes() if small else f"{info.st_size}|{info.st_mtime_ns}".encode()
                )
    return digest.hexdigest()


@contextlib.contextmanager
def listening(host: Host) -> Iterator[Host]:
    """Wait for connections as a service of the host would; ``touched`` tells who came."""
    came: list[str] = []
    stop = threading.Event()
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        unix.bind(str(host.unix))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        abstract.bind("\0" + host.abstract)
        for name, one in (("tcp", tcp), ("udp", udp), ("unix", unix), ("abstract", abstract)):
            if name not in ("udp", "tcp"):
                one.listen()
            one.settimeout(0.1)
            thread = threading.Thread(target=_wait, args=(name, one, came, stop), daemon=True)
            thread.start()
        try:
            yield Host(host.folder, tcp.getsockname()[1], udp.getsockname()[1], host.secrets, came)
        finally:
            time.sleep(0.2)
            stop.set()
            time.sleep(0.2)
            host.unix.unlink(missing_ok=True)


def _wait(name: str, one: socket.socket, came: list[str], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            if name == "udp":
                one.recvfrom(64)
            else:
                one.accept()[0].close()
            came.append(name)
        except TimeoutError:
            continue
        except OSError:
            return


def become_reaper(on: bool = True) -> None:
    """Let what a dead child left behind become a child of this process, so that it is seen."""
    ctypes.CDLL(None).prctl(36, int(on), 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def strays(known: set[int]) -> list[str]:
    """Return processes below this one that are not known, and any that carries the mark."""
    parents, names = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                text = Path(f"/proc/{entry}/stat").read_text(errors="replace")
                name, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") :]
                if rest.split()[1] != "Z":
                    parents[int(entry)], names[int(entry)] = int(rest.split()[2]), name
    here = os.getpid()
    found = []
    for pid, name in names.items():
        above = pid
        while above in parents and above != here and above > 1:
            above = parents[above]
        below = above == here and pid != here and pid not in known
        if below or MARK in name:
            found.append(f"{pid} {name}")
    return found


def children() -> set[int]:
    """Return the processes that are below this one now."""
    return {int(item.split()[0]) for item in strays(set())}


def sweep(known: set[int]) -> None:
    """End what an attack left behind, after it was counted."""
    for item in strays(known):
        with contextlib.suppress(OSError):
            os.kill(int(item.split()[0]), signal.SIGKILL)


def marked_files() -> list[str]:
    """Return files with the mark in their names in the host's shared folders."""
    places = ["/tmp", "/dev/shm", "/var/tmp", "/run", "/", str(Path.cwd()), str(Path.home())]
    found = []
    for place in dict.fromkeys(places):
        with contextlib.suppress(OSError):
            found += [f"{place}/{name}" for name in os.listdir(place) if name.startswith(MARK)]
    return found


def disk_use(folder: Path) -> int:
    """Return the bytes that the files below a folder take on the disk."""
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += (Path(root) / name).lstat().st_blocks * 512
    return total


def memory_peak(pid: int) -> int:
    """Return the most memory that a process has held, in bytes; 0 once it is gone."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found.group(1)) * 1024 if found else 0
    return 0
