"""Checkpoints of a run: weights as safetensors, everything else beside them, never half written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from genimg_course.models.weights import refuse_other_network

__all__ = ["CheckpointError", "Checkpoints", "Stateful"]


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says why and what to do."""


class Stateful(Protocol):
    """Anything whose state can be saved: a network, an optimiser, an average, batches."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: Any, /) -> Any: ...


class Checkpoints:
    """Save and restore the parts of a run so that it resumes bit for bit.

    A checkpoint is a folder ``step-00000500`` with ``NAME.safetensors`` for each network,
    ``state.pt`` (optimisers, averages, batches, random states), ``history.json`` and the checksums
    of these files in ``sha256.json``. It is written under a temporary name and renamed when it is
    complete; the one before it is kept.

    Args:
        folder: where the checkpoints of this run live; made if missing.
        parts: what to save, by name.
        every: a checkpoint is written after every so many steps, and at the end of a run.
        keep: how many of the newest are kept.

    Raises:
        ValueError: if there is nothing to save or a count is not positive.
    """

    def __init__(
        self, folder: str | Path, parts: dict[str, Stateful], *, every: int = 500, keep: int = 2
    ) -> None:
        if not parts or every < 1 or keep < 1:
            raise ValueError(
                "expected parts to save and positive counts, "
                f"got {list(parts)}, every {every}, keep {keep}"
            )
        self.folder, self.parts, self.every, self.keep = Path(folder), parts, every, keep

    def save(self, step: int, history: dict[str, list[float]]) -> Path:
        """Write the state after ``step`` steps and return its folder.

        Raises:
            CheckpointError: if a weight is NaN or infinite: a run cannot resume from that.
        """
        self._refuse_broken_weights(step)
        self.folder.mkdir(parents=True, exist_ok=True)
        final, partial = self._place(step), self.folder / ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir()
            self._write(partial, history)
            self._discard(final)
            partial.replace(final)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        for old in self.steps()[: -self.keep]:
            self._discard(self._place(old))
        return final

    def _write(self, folder: Path, history: dict[str, list[float]]) -> None:
        rest: dict[str, Any] = {"rng": torch.get_rng_state(), "parts": {}}
        if torch.cuda.is_available():
            rest["cuda_rng"] = torch.cuda.get_rng_state_all()
        for name, part in self.parts.items():
            if isinstance(part, nn.Module):
                tensors = {key: value.contiguous() for key, value in part.state_dict().items()}
                save_file(tensors, folder / f"{name}.safetensors")
            else:
                rest["parts"][name] = part.state_dict()
        torch.save(rest, folder / "state.pt")
        (folder / "history.json").write_text(json.dumps(history), encoding="utf-8")
        sums = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
        (folder / "sha256.json").write_text(json.dumps(sums, indent=2), encoding="utf-8")
        for path in folder.iterdir():
            with path.open("ab") as file:
                os.fsync(file.fileno())

    def _refuse_broken_weights(self, step: int) -> None:
        for name, network in self._networks().items():
            for key, weight in network.named_parameters():
                if not bool(weight.isfinite().all()):
                    raise CheckpointError(
                        f"{name}: {key} holds NaN or infinity after {step} steps: not saved, the "
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

    def restore(self) -> tuple[int, dict[str, list[float]]]:
        """Restore the newest checkpoint; return its step and history, ``(0, {})`` if none.

        Raises:
            CheckpointError: if a file is damaged or belongs to other networks.
        """
        if not self.steps():
            return 0, {}
        step = self.steps()[-1]
        folder = self._place(step)
        try:
            _check_sums(folder)
            weights = {path.stem: load_file(path) for path in folder.glob("*.safetensors")}
            rest = torch.load(folder / "state.pt", map_location="cpu", weights_only=True)
            history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
        except (OSError, RuntimeError, SafetensorError, ValueError, EOFError) as error:
            raise CheckpointError(
                f"checkpoint {folder} is damaged ({error}): delete that folder and resume"
            ) from error
        held = weights | rest["parts"]
        missing = (self.parts.keys() - held.keys()) | (self._networks().keys() - weights.keys())
        if missing:
            raise CheckpointError(
                f"checkpoint {folder} lacks {', '.join(sorted(missing))}: it is of another run"
            )
        for name, network in self._networks().items():
            try:
                refuse_other_network(network, weights[name], folder / f"{name}.safetensors")
            except ValueError as error:
                raise CheckpointError(str(error)) from error
        for name, part in self.parts.items():
            try:
                part.load_state_dict(held[name])
            except (KeyError, RuntimeError, ValueError) as error:
                raise CheckpointError(
                    f"checkpoint {folder} does not fit {name}: {error}"
                ) from error
        torch.set_rng_state(rest["rng"])
        if "cuda_rng" in rest and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(rest["cuda_rng"])
        return step, history

    def _networks(self) -> dict[str, nn.Module]:
        return {name: part for name, part in self.parts.items() if isinstance(part, nn.Module)}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_sums(folder: Path) -> None:
    """Compare every file with its checksum: a flipped bit in a weight would load without a word."""
    for name, known in json.loads((folder / "sha256.json").read_text(encoding="utf-8")).items():
        if _sha256(folder / name) != known:
            raise ValueError(f"{name} was altered or cut short")
