"""Checkpoints of a run: weights as safetensors, everything else beside them, never half written."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from genimg_course.models.weights import refuse_other_network
from genimg_course.training.faults import first_broken
from genimg_course.training.random_states import gather_random_states, set_random_states

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["CheckpointError", "Checkpoints", "Stateful"]


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says why and what to do."""


class Stateful(Protocol):
    """Anything whose state can be saved: a network, an optimiser, an average, batches."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: Any, /) -> Any: ...


@dataclass(frozen=True)
class _Stored:
    """What the files of one checkpoint hold."""

    folder: Path
    step: int
    weights: dict[str, dict[str, Tensor]]
    rest: dict[str, Any]
    run: dict[str, Any]
    history: dict[str, list[float]]

    def state(self, name: str) -> Any:
        """Return the state of a part, ``None`` if the checkpoint lacks it."""
        return self.weights.get(name, self.rest["parts"].get(name))


class Checkpoints:
    """Save and restore the parts of a run so that it resumes bit for bit.

    A checkpoint is a folder ``step-00000500`` with ``NAME.safetensors`` for each network,
    ``state.pt`` (optimisers, averages, batches, and the random states of Python, NumPy, torch and
    the GPUs, one set a process), ``history.json``, ``run.json`` (the settings) and the checksums of
    these files in ``sha256.json``. It is written under a temporary name, brought to the disk and
    renamed when it is complete; the one before it is kept.

    Args:
        folder: where the checkpoints of this run live; made if missing. Several machines need a
            folder that they share.
        parts: what to save, by name.
        every: a checkpoint is written after every so many steps, and at the end of a run.
        keep: how many of the newest are kept.
        run: what the run is made of: data, batch size, arguments of the networks. It is stored with
            the version of torch and the number of processes, and a run with other settings is not
            resumed: it would go on, and be no run that anybody could repeat.
        fabric: where several processes train together. All of them call ``save`` and ``restore``;
            the first one writes.

    Raises:
        ValueError: if there is nothing to save, a count is not positive, or a setting is nothing
            that JSON can hold.
    """

    def __init__(
        self,
        folder: str | Path,
        parts: dict[str, Stateful],
        *,
        every: int = 500,
        keep: int = 2,
        run: dict[str, Any] | None = None,
        fabric: Fabric | None = None,
    ) -> None:
        if not parts or every < 1 or keep < 1:
            raise ValueError(
                "expected parts to save and positive counts, "
                f"got {list(parts)}, every {every}, keep {keep}"
            )
        self.folder, self.parts, self.every, self.keep = Path(folder), parts, every, keep
        self._fabric = fabric
        self.run = describe_run(run or {}, processes=fabric.world_size if fabric else 1)

    def save(self, step: int, history: dict[str, list[float]]) -> Path:
        """Write the state after ``step`` steps and return its folder.

        Raises:
            CheckpointError: if a weight is NaN or infinite, for a run cannot resume from that, or
                if the disk takes no more; the checkpoint before it is kept.
        """
        self._refuse_broken_weights(step)
        states = gather_random_states(self._fabric)
        failure = None
        if self._fabric is None or self._fabric.is_global_zero:
            try:
                self._write(self._place(step), self._files(history, states))
                for old in self.steps()[: -self.keep]:
                    self._discard(self._place(old))
            except OSError as error:
                failure = self._not_saved(step, error)
        if self._fabric is not None:
            failure = self._fabric.broadcast(failure)  # the others wait here for the first one
        if failure:
            raise CheckpointError(failure)
        return self._place(step)

    def _files(
        self, history: dict[str, list[float]], states: list[dict[str, Any]]
    ) -> dict[str, bytes]:
        """Return the content of each file; a failing disk then meets our own writing alone."""
        others = {n: p.state_dict() for n, p in self.parts.items() if not isinstance(p, nn.Module)}
        rest: dict[str, Any] = {"random": states, "parts": others}
        if self._fabric is not None:  # the scale of fp16 losses
            rest["precision"] = self._fabric.strategy.precision.state_dict()
        buffer = io.BytesIO()
        torch.save(rest, buffer)
        files = {
            f"{name}.safetensors": save({k: v.contiguous() for k, v in part.state_dict().items()})
            for name, part in self._networks().items()
        }
        files |= {
            "state.pt": buffer.getvalue(),
            "history.json": json.dumps(history).encode(),
            "run.json": json.dumps(self.run, indent=2).encode(),
        }
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        return files | {"sha256.json": json.dumps(sums, indent=2).encode()}

    def _write(self, final: Path, files: dict[str, bytes]) -> None:
        partial = self.folder / ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(parents=True)
            for name, data in files.items():
                with (partial / name).open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            _sync_folder(partial)
            self._discard(final)
            partial.replace(final)
            _sync_folder(self.folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _not_saved(self, step: int, error: OSError) -> str:
        kept = f"the checkpoint after step {self.steps()[-1]} is kept" if self.steps() else ""
        return (
            f"no checkpoint could be written after {step} steps in {self.folder} "
            f"({error.strerror or error}); {kept or 'there is none before it'}. "
            "Make room or choose another folder, and run again"
        )

    def _refuse_broken_weights(self, step: int) -> None:
        broken = first_broken(self._networks(), gradients=False)
        if broken:
            raise CheckpointError(
                f"{broken} holds NaN or infinity after {step} steps: not saved, the "
                "checkpoint before it is kept. Look at the learning rate"
            )

    def _place(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"

    def _discard(self, folder: Path) -> None:
        """Delete a checkpoint; renamed first, so that a killed run leaves no half of one."""
        if folder.exists():
            doomed = self.folder / ".discarded"
            shutil.rmtree(doomed, ignore_errors=True)
            folder.replace(doomed)
            shutil.rmtree(doomed, ignore_errors=True)

    def steps(self) -> list[int]:
        """Return the steps of which a complete checkpoint exists, oldest first."""
        complete = self.folder.glob(f"step-{'[0-9]' * 8}/sha256.json")
        return sorted(int(path.parent.name.removeprefix("step-")) for path in complete)

    def examine(self) -> int:
        """Return the step of the newest checkpoint, 0 if there is none; restore nothing.

        Raises:
            CheckpointError: if a file is damaged or belongs to another run.
        """
        stored = self._accepted()
        return stored.step if stored else 0

    def restore(self) -> tuple[int, dict[str, list[float]]]:
        """Restore the newest checkpoint; return its step and history, ``(0, {})`` if none.

        Raises:
            CheckpointError: if a file is damaged or belongs to another run.
        """
        stored = self._accepted()
        if stored is None:
            return 0, {}
        for name, part in self.parts.items():
            try:
                part.load_state_dict(stored.state(name))
            except (KeyError, RuntimeError, ValueError) as error:
                raise CheckpointError(
                    f"checkpoint {stored.folder} does not fit {name}: {error}"
                ) from error
        if self._fabric is not None and stored.rest.get("precision"):
            self._fabric.strategy.precision.load_state_dict(stored.rest["precision"])
        set_random_states(stored.rest["random"], self._fabric)
        return stored.step, stored.history

    def _accepted(self) -> _Stored | None:
        """Return the newest checkpoint if it is whole and of this run, ``None`` if none exists."""
        if not self.steps():
            return None
        step = self.steps()[-1]
        stored = _read(self._place(step), step)
        networks = self._networks()
        missing = {name for name in self.parts if stored.state(name) is None}
        missing |= networks.keys() - stored.weights.keys()
        if missing:
            raise CheckpointError(
                f"checkpoint {stored.folder} lacks {', '.join(sorted(missing))}: "
                "it is of another run"
            )
        settings = compare_runs(self.run, stored.run)
        for name, network in networks.items():
            try:
                file = stored.folder / f"{name}.safetensors"
                refuse_other_network(network, stored.weights[name], file)
            except ValueError as error:
                raise CheckpointError(f"{error}{settings and f'; {settings}'}") from error
        if settings:
            raise CheckpointError(f"checkpoint {stored.folder} is of another run: {settings}")
        return stored

    def _networks(self) -> dict[str, nn.Module]:
        return {name: part for name, part in self.parts.items() if isinstance(part, nn.Module)}


def _read(folder: Path, step: int) -> _Stored:
    try:
        _check_sums(folder)
        return _Stored(
            folder,
            step,
            weights={path.stem: load_file(path) for path in folder.glob("*.safetensors")},
            rest=torch.load(folder / "state.pt", map_location="cpu", weights_only=True),
            run=json.loads((folder / "run.json").read_text(encoding="utf-8")),
            history=json.loads((folder / "history.json").read_text(encoding="utf-8")),
        )
    except (OSError, RuntimeError, SafetensorError, ValueError, EOFError) as error:
        raise CheckpointError(
            f"checkpoint {folder} is damaged ({error}): delete that folder and resume"
        ) from error


def describe_run(settings: dict[str, Any], *, processes: int = 1) -> dict[str, Any]:
    """Return the settings as JSON keeps them, with the version of torch and the processes.

    >>> describe_run({"size": (16, 16)}, processes=2)["size"]
    [16, 16]

    Raises:
        ValueError: if a setting is nothing that JSON can hold.
    """
    machine = {"torch": torch.__version__.split("+")[0], "processes": processes}
    try:
        return json.loads(json.dumps({**settings, **machine}))
    except TypeError as error:
        raise ValueError(f"settings of a run must be plain numbers and words: {error}") from error


def compare_runs(here: dict[str, Any], there: dict[str, Any]) -> str:
    """Return what differs between the settings here and of a checkpoint, and what to do, or ``""``.

    >>> compare_runs({"seed": 1, "size": 16}, {"seed": 0, "size": 16}).split(";")[0]
    'seed is 1 here and 0 there'
    """
    names = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    if not names:
        return ""
    shown = ", ".join(
        f"{name} is {here.get(name, 'absent')} here and {there.get(name, 'absent')} there"
        for name in names
    )
    if names == ["torch"]:
        # another version rounds in other ways: the run would go on, and nobody could repeat it
        return f"{shown}; install torch=={there.get('torch')} or begin in another folder"
    return f"{shown}; take the settings of the checkpoint or begin in another folder"


def _sync_folder(folder: Path) -> None:
    """Bring the names inside a folder to the disk; Windows cannot and need not."""
    if os.name == "nt":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_sums(folder: Path) -> None:
    """Compare every file with its checksum: a flipped bit in a weight would load without a word."""
    for name, known in json.loads((folder / "sha256.json").read_text(encoding="utf-8")).items():
        if _sha256(folder / name) != known:
            raise ValueError(f"{name} was altered or cut short")
