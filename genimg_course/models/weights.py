"""Small trained networks that come with the course: weights as safetensors, a card beside them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from genimg_course.files import write_whole

__all__ = ["load_weights", "read_card", "save_weights"]

Network = TypeVar("Network", bound=nn.Module)


def save_weights(network: nn.Module, path: str | Path, card: dict[str, Any]) -> None:
    """Write ``PATH.safetensors`` and its card ``PATH.json``, which gets the sha256 of the weights.

    Args:
        network: whose weights to write.
        path: without a suffix.
        card: how the weights were made: command, seed, data, metrics with their range.
    """
    from safetensors.torch import save

    path = Path(path)
    data = save({key: value.contiguous() for key, value in network.state_dict().items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path.with_suffix(".safetensors"), data)
    text = json.dumps({**card, "sha256": hashlib.sha256(data).hexdigest()}, indent=2)
    write_whole(path.with_suffix(".json"), text + "\n")


def load_weights(network: Network, path: str | Path) -> Network:
    """Load ``PATH.safetensors`` into a network, after checking it against its card.

    Raises:
        ValueError: if a file is missing, was altered, or holds the weights of another network.
    """
    from safetensors.torch import load

    path = Path(path)
    card, data = read_card(path), _read(path.with_suffix(".safetensors"))
    if hashlib.sha256(data).hexdigest() != card["sha256"]:
        raise ValueError(
            f"{path.with_suffix('.safetensors')} was altered: its sha256 differs from its card"
        )
    weights = load(data)
    refuse_other_network(network, weights, path.with_suffix(".safetensors"))
    network.load_state_dict(weights)
    return network


def read_card(path: str | Path) -> dict[str, Any]:
    """Return the card ``PATH.json`` of stored weights.

    Raises:
        ValueError: if the file is missing or is not a card.
    """
    file = Path(path).with_suffix(".json")
    data = _read(file)
    try:
        card = json.loads(data)
    except ValueError as error:
        raise ValueError(f"{file} cannot be read as JSON: install the course again") from error
    if not isinstance(card, dict) or "sha256" not in card:
        raise ValueError(f"{file} holds no sha256: it is not the card of a network")
    return card


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise ValueError(
            f"{file} is missing: install the course again or train the network anew"
        ) from error


def refuse_other_network(network: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Raise a ``ValueError`` that names where a network and stored weights differ."""
    ours = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    theirs = {key: tuple(value.shape) for key, value in weights.items()}
    if ours != theirs:
        keys = sorted(
            key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)
        )
        shown = "; ".join(
            f"{k}: network {ours.get(k, 'absent')}, file {theirs.get(k, 'absent')}"
            for k in keys[:3]
        )
        raise ValueError(f"{path} holds another network ({len(keys)} entries differ: {shown})")
